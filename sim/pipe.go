package sim

import (
	"slices"

	"github.com/lockstep-exchange/lockstep/fixed"
)

// pipe is one direction of a connection. What goes in comes out in its order, some time later and in other pieces: TCP loses no byte,
// doubles none and turns none round, as long as it holds. Where it does not, what is under way is lost from some byte on.
//
//	write ──> | arrived, not read | under way ...  | free |      as long as it holds room bytes the writer has to wait
//	 take <──                     ^ marks say when each piece arrives
type pipe struct {
	room    int
	bytes   []byte
	arrived int // of bytes
	marks   []mark
	last    fixed.Nanos // when what was written last arrives
	mute    bool        // nothing that is written arrives any more, and nobody is told
	shut    bool        // there will be nothing more: the writer has closed, or the connection is broken
	end     fixed.Nanos // when the reader can know
}

// mark is a piece that is under way.
type mark struct {
	size int
	at   fixed.Nanos
}

// write takes bytes that arrive at a time, or later where others are before them; it returns how many it had room for.
func (p *pipe) write(b []byte, at fixed.Nanos) int {
	n := min(len(b), p.room-len(p.bytes))
	if p.shut || n <= 0 {
		return 0
	}
	p.bytes = append(p.bytes, b[:n]...)
	if !p.mute {
		p.last = max(p.last, at)
		p.marks = append(p.marks, mark{n, p.last})
	}
	return n
}

// arrive lets what is due arrive.
func (p *pipe) arrive(now fixed.Nanos) {
	n := 0
	for ; n < len(p.marks) && p.marks[n].at <= now; n++ {
		p.arrived += p.marks[n].size
	}
	p.marks = slices.Delete(p.marks, 0, n)
}

// take moves up to most bytes that have arrived into dst.
func (p *pipe) take(dst []byte, most int) int {
	n := copy(dst, p.bytes[:min(p.arrived, most)])
	p.bytes = p.bytes[:copy(p.bytes, p.bytes[n:])]
	p.arrived -= n
	return n
}

// close is the writer's end: what is under way still arrives, and behind it the end.
func (p *pipe) close(at fixed.Nanos) {
	if p.shut {
		return
	}
	p.shut = true
	p.last = max(p.last, at)
	p.end = p.last
}

// tear breaks the connection: of what is under way the first keep bytes arrive yet.
func (p *pipe) tear(keep int, at fixed.Nanos) {
	if p.shut && p.end <= at {
		return
	}
	p.bytes = p.bytes[:p.arrived+keep]
	for i := range p.marks {
		p.marks[i].size = min(p.marks[i].size, keep)
		keep -= p.marks[i].size
	}
	p.shut, p.end = true, at
	for i := range p.marks {
		p.marks[i].at = min(p.marks[i].at, at)
	}
}

// flying is how many bytes are under way.
func (p *pipe) flying() int { return len(p.bytes) - p.arrived }

// over reports whether the reader has read all and knows that nothing more comes.
func (p *pipe) over(now fixed.Nanos) bool {
	return p.shut && !p.mute && p.arrived == 0 && len(p.marks) == 0 && p.end <= now
}

// next is when something arrives next after now; never: nothing is under way.
func (p *pipe) next(now fixed.Nanos) fixed.Nanos {
	switch {
	case len(p.marks) > 0:
		return p.marks[0].at
	case p.shut && !p.mute && p.end > now:
		return p.end
	}
	return never
}

const never = fixed.Nanos(1<<63 - 1)
