package capture

import (
	"fmt"
	"slices"
)

// Assembler puts the bytes of TCP together again: each byte once and in order, whatever was sent twice, came late or
// overlaps. What comes early waits, up to MaxEarly bytes a flow; beyond that, and at the end of the capture, what is missing
// was not captured.
type Assembler struct{ flows map[Flow]*flow }

// MaxEarly is how many bytes of a flow may wait for those before them.
const MaxEarly = 1 << 20

// flow is one direction of a connection.
type flow struct {
	next  uint32 // the sequence number wanted
	known bool
	early []piece // in order of sequence
	size  int     // bytes of early
}

type piece struct {
	sequence uint32
	bytes    []byte
}

// NewAssembler knows no flow.
func NewAssembler() *Assembler { return &Assembler{flows: map[Flow]*flow{}} }

// Add takes a segment and returns the bytes that now follow what was returned before for its flow; fresh says that the flow
// begins here, because its connection does or the capture. An error says how much is missing; the flow goes on behind it.
func (a *Assembler) Add(p *Packet) (bytes []byte, fresh bool, err error) {
	f := a.flows[p.Flow]
	if f == nil || p.SYN {
		f = &flow{}
		a.flows[p.Flow] = f
		fresh = true
	}
	sequence := p.Sequence
	if p.SYN {
		sequence++
	}
	if !f.known {
		f.next, f.known = sequence, true
	}
	if len(p.Payload) > 0 {
		f.insert(sequence, p.Payload)
	}
	bytes = f.ready()
	if f.size > MaxEarly {
		missing := f.early[0].sequence - f.next
		f.next = f.early[0].sequence
		err = &Gap{p.Flow, int64(missing)}
	}
	return bytes, fresh, err
}

// Gap is bytes of a flow that are not in the capture.
type Gap struct {
	Flow    Flow
	Missing int64
}

func (g *Gap) Error() string { return fmt.Sprintf("%s: %d bytes are missing", g.Flow, g.Missing) }

// Rest are the flows in which bytes still wait for others that never came, with how many bytes are missing before them.
func (a *Assembler) Rest() (gaps []*Gap) {
	for key, f := range a.flows {
		if len(f.early) > 0 {
			gaps = append(gaps, &Gap{key, int64(f.early[0].sequence - f.next)})
		}
	}
	slices.SortFunc(gaps, func(a, b *Gap) int { return a.Flow.From.Compare(b.Flow.From) })
	return gaps
}

// before compares sequence numbers, which wrap.
func before(a, b uint32) bool { return int32(a-b) < 0 }

// insert keeps a copy of what lies at or behind next.
func (f *flow) insert(sequence uint32, b []byte) {
	if before(sequence, f.next) {
		skip := f.next - sequence
		if uint64(skip) >= uint64(len(b)) {
			return
		}
		sequence, b = f.next, b[skip:]
	}
	i := 0
	for i < len(f.early) && !before(sequence, f.early[i].sequence) {
		i++
	}
	f.early = slices.Insert(f.early, i, piece{sequence, slices.Clone(b)})
	f.size += len(b)
}

// ready takes out what follows next without a gap.
func (f *flow) ready() (out []byte) {
	for len(f.early) > 0 && !before(f.next, f.early[0].sequence) {
		p := f.early[0]
		f.early = slices.Delete(f.early, 0, 1)
		f.size -= len(p.bytes)
		skip := f.next - p.sequence
		if uint64(skip) >= uint64(len(p.bytes)) {
			continue
		}
		out = append(out, p.bytes[skip:]...)
		f.next += uint32(len(p.bytes)) - skip
	}
	return out
}
