package gateway

import (
	"encoding/binary"
	"slices"

	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// tail is the last reports of a session, for who asks for them again soon. It is a cache: older ones are brought about again from the
// journal (recall.go).
//
//	bytes  | frame first | frame first+1 | ... | frame next-1 |
//	ends                 ^               ^                    ^
type tail struct {
	first, next uint64 // the number of the oldest here, and of the one to come
	ends        []int
	bytes       []byte
	limit       int // bytes; beyond it the older half goes
}

// begin empties the tail; the next report is number next.
func (t *tail) begin(next uint64) {
	t.first, t.next, t.ends, t.bytes = next, next, t.ends[:0], t.bytes[:0]
}

// add keeps a report under the next number, which is written into it, and returns it; it is good until the next add.
func (t *tail) add(frame []byte) []byte {
	if t.full(len(frame)) {
		t.drop()
	}
	at := len(t.bytes)
	t.bytes = append(t.bytes, frame...)
	t.ends = append(t.ends, len(t.bytes))
	kept := t.bytes[at:]
	number(kept, t.next)
	t.next++
	return kept
}

// full reports whether the older half goes for a frame of so many bytes.
func (t *tail) full(size int) bool { return len(t.bytes)+size > t.limit && len(t.ends) > 1 }

// drop drops the older half.
func (t *tail) drop() {
	n := max(len(t.ends)/2, 1)
	cut := t.ends[n-1]
	t.bytes = t.bytes[:copy(t.bytes, t.bytes[cut:])]
	t.ends = slices.Delete(t.ends, 0, n)
	for i := range t.ends {
		t.ends[i] -= cut
	}
	t.first += uint64(n)
}

// has reports whether count reports from a number on are here.
func (t *tail) has(from uint64, count int) bool {
	return from >= t.first && from+uint64(count) <= t.next
}

// of are these reports, one after another.
func (t *tail) of(from uint64, count int) []byte {
	i := int(from - t.first)
	begin := 0
	if i > 0 {
		begin = t.ends[i-1]
	}
	return t.bytes[begin:t.ends[i+count-1]]
}

// number writes a report's number into its frame. What is no report of schema 7001 has none: it counts all the same.
func number(frame []byte, n uint64) {
	if binary.LittleEndian.Uint16(frame[wire.MessageAt+4:]) == gen.SchemaOrderEntry {
		binary.LittleEndian.PutUint64(frame[wire.BlockAt:], n)
	}
}
