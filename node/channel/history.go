package channel

import "encoding/binary"

// history keeps the last records of a channel by their numbers.
//
//	bytes   | ... | record | record | record | unused |     round and round; a record never goes over the end
//	index   number & mask --> where it begins, counted on without end
//
// Invariant: records first..next-1 are whole in bytes: what would be written over is given up before.
type history struct {
	bytes       []byte
	index       []uint64
	first, next uint64 // numbers
	at          uint64 // where the next record is written, counted on without end
}

const (
	// historyMin is the least number of records to be kept.
	historyMin = 1 << 10
	// recordRoom is what a record takes on average at most: the definition, which is seldom, takes more.
	recordRoom = 64
)

// newHistory keeps up to count records, a power of two, in 64 bytes each on average.
func newHistory(count int) *history {
	return &history{bytes: make([]byte, count*recordRoom), index: make([]uint64, count), first: 1, next: 1}
}

// add keeps the records of a command.
func (h *history) add(records []byte) {
	for len(records) > 0 {
		size := 2 + int(binary.BigEndian.Uint16(records))
		h.put(records[:size])
		records = records[size:]
	}
}

// put keeps one record.
func (h *history) put(record []byte) {
	all := uint64(len(h.bytes))
	if place := h.at % all; place+uint64(len(record)) > all {
		h.at += all - place
	}
	end := h.at + uint64(len(record))
	for h.first < h.next && (h.next-h.first == uint64(len(h.index)) || h.begin(h.first)+all < end) {
		h.first++
	}
	copy(h.bytes[h.at%all:], record)
	h.index[h.next%uint64(len(h.index))] = h.at
	h.next++
	h.at = end
}

// begin is where a record that is kept begins.
func (h *history) begin(number uint64) uint64 { return h.index[number%uint64(len(h.index))] }

// record is a record that is kept, its length before it; nil for any other number.
func (h *history) record(number uint64) []byte {
	if number < h.first || number >= h.next {
		return nil
	}
	b := h.bytes[h.begin(number)%uint64(len(h.bytes)):]
	return b[:2+int(binary.BigEndian.Uint16(b))]
}
