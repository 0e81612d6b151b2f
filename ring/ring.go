package ring

import (
	"errors"
	"strconv"
	"sync/atomic"
	"unsafe"
)

// A ring is read by several threads, each at its own pace. As in a lane, each slot says itself whether it is ready, and one
// atomic store publishes a batch (docs/decisions/0002-lane-publication.md). Required readers gate the reuse of slots.
// Optional readers do not: the producer never waits for one, and never writes into memory that one may be reading.
//
//	page        0         1         2     ...   7      | spare, one for each optional reader
//	slots   [.......] [.......] [.......]   [.......]  | [.......]
//	               ^ released of the slowest    ^ next of a reader      ^ given for a page that is still read
//	                 required reader: the gate
//
// The slots lie in pages, and an optional reader pins the page that it reads; its pin is the number of that page, counted
// over all laps. How a reader that lags a lap is cut off:
//
//	1. The producer comes round to the place of page k and finds a pin on k. It swaps the pin for cut, and puts a spare
//	   page in that place. The reader keeps the memory of page k, whole, for good.
//	2. Or the reader moves on first: it swaps its pin from k to k+1 before the producer's swap, which then fails: k is
//	   free, and k+1 is looked at when the producer comes to its place.
//	3. The reader notices at the end of page k, where its own swap fails: Next gives nil from then on, Lost reports true.
//
// Either swap decides alone, because both are on the same word. A reader looks up the memory of page k+1 before it makes
// sure of its pin, each time until the first record is there: while the pin holds, what it has looked up is either page k+1
// or what lay there a lap ago, whose ready words say so. Every spare that is given away cuts off at least one reader, so the
// spares last.

// RingSizeMin and RingSizeMax bound the slots of a ring.
const (
	RingSizeMin = pages
	RingSizeMax = 1 << 20
)

const (
	pages = 8          // the pages of a lap
	cut   = ^uint64(0) // the pin of a reader that was cut off; no page reaches this number
)

// cell is a record of whole lines and the word that says that it is there, in whole lines again.
type cell[T any] struct {
	ready  uint64 // the position of the record
	record T
	_      [line - 8]byte
}

// Ring carries records from one producer to several readers, in order, in place. Claim, Room and Publish belong to the
// producer. T must be free of pointers.
type Ring[T any] struct {
	_ [apart]byte

	memory   [][]cell[T]          // the pages of a lap, then the spares
	place    [pages]atomic.Uint32 // which memory holds the page of this place; the producer writes
	size     uint64
	mask     uint64 // of a position inside its page
	shift    uint   // from a position to its page
	required []*Reader[T]
	optional []*Reader[T]

	_ [apart]byte

	// The producer's. Invariant: published <= claimed <= limit <= gate <= released of every required reader + size.
	page      []cell[T] // what is being filled
	first     *cell[T]  // of what is claimed and not published, else nil
	claimed   uint64
	published uint64
	limit     uint64 // claims up to here stay inside page and gate
	gate      uint64 // claims up to here were free when last looked
	spare     uint32 // the next spare

	_ [apart]byte
}

// NewRing makes a ring of size slots, a power of two in RingSizeMin..RingSizeMax. It fails on another size and on a T that
// does not fill whole cache lines. A slot takes one line more than its record. Reader allocates too; nothing else does.
func NewRing[T any](size int) (*Ring[T], error) {
	if size < RingSizeMin || size > RingSizeMax || size&(size-1) != 0 {
		return nil, errors.New("ring: a ring of " + strconv.Itoa(size) + " slots: expected a power of two in " +
			strconv.Itoa(RingSizeMin) + ".." + strconv.Itoa(RingSizeMax))
	}
	var record T
	if bytes := int(unsafe.Sizeof(record)); bytes == 0 || bytes%line != 0 {
		return nil, errors.New("ring: a ring record of " + strconv.Itoa(bytes) + " bytes: expected a multiple of " + strconv.Itoa(line))
	}

	r := &Ring[T]{size: uint64(size), mask: uint64(size/pages - 1), spare: pages}
	for 1<<r.shift < size/pages {
		r.shift++
	}
	for i := range r.place {
		r.place[i].Store(uint32(i))
		r.memory = append(r.memory, make([]cell[T], size/pages))
	}
	return r, nil
}

// Size is the number of slots.
func (r *Ring[T]) Size() int { return int(r.size) }

// Reader adds a reader, which starts with the first record. A required reader gates the producer; an optional one is cut
// off when it lags by more than seven eighths of the ring. It allocates, and panics after the first Claim. A ring without
// a required reader is never full.
func (r *Ring[T]) Reader(required bool) *Reader[T] {
	if r.claimed != 0 {
		panic("ring: a reader was added after the first claim")
	}

	reader := &Reader[T]{ring: r, required: required, page: r.memory[0], end: r.mask + 1}
	if required {
		r.required = append(r.required, reader)
		return reader
	}
	r.optional = append(r.optional, reader)
	r.memory = append(r.memory, make([]cell[T], len(r.memory[0])))
	return reader
}

// Claim is the next free slot, to be filled in place, or nil when the slowest required reader has not freed one, or when a
// whole ring is claimed and not published. The slot holds what was in it some lap ago. Readers see it after Publish.
func (r *Ring[T]) Claim() *T {
	if r.claimed == r.limit && !r.extend() {
		return nil
	}

	c := &r.page[r.claimed&r.mask]
	r.claimed++
	if r.first == nil {
		r.first = c
	} else {
		c.ready = r.claimed // seen when the first of the batch is
	}
	return &c.record
}

// Room reports whether the next n claims will succeed. n above Size never fits.
func (r *Ring[T]) Room(n int) bool {
	return r.gate-r.claimed >= uint64(n) || r.look() >= uint64(n)
}

// Publish shows all slots claimed since the last Publish to the readers, with one atomic store. It does nothing when there
// are none.
func (r *Ring[T]) Publish() {
	if r.first == nil {
		return
	}

	atomic.StoreUint64(&r.first.ready, r.published+1)
	r.first = nil
	r.published = r.claimed
}

// extend finds out how far claims may go on and reports whether they may at all.
func (r *Ring[T]) extend() bool {
	if r.claimed == r.gate && r.look() == 0 {
		return false
	}

	if r.claimed&r.mask == 0 {
		r.turn()
	}
	r.limit = min(r.gate, r.claimed|r.mask+1)
	return true
}

// look moves the gate to where the slowest required reader lets it stand and gives the number of free slots.
func (r *Ring[T]) look() uint64 {
	slowest := r.published
	for _, reader := range r.required {
		slowest = min(slowest, reader.released.Load())
	}
	r.gate = slowest + r.size
	return r.gate - r.claimed
}

// turn begins the page of the next claim.
func (r *Ring[T]) turn() {
	page := r.claimed >> r.shift
	place := &r.place[page%pages]
	if page >= pages && r.detach(page-pages) {
		place.Store(r.spare)
		r.spare++
	}
	r.page = r.memory[place.Load()]
}

// detach cuts off the optional readers that pin a page, and reports whether there were any.
func (r *Ring[T]) detach(page uint64) bool {
	pinned := false
	for _, reader := range r.optional {
		if reader.pin.Load() == page && reader.pin.CompareAndSwap(page, cut) {
			pinned = true
		}
	}
	return pinned
}

// Reader is one reader of a Ring; its methods belong to one thread.
type Reader[T any] struct {
	_ [apart]byte

	ring     *Ring[T]
	required bool

	_ [apart]byte

	page []cell[T] // what is being read
	next uint64    // records taken
	end  uint64    // where page ends

	_ [apart]byte

	released atomic.Uint64 // of a required reader: the last position given back

	_ [apart]byte

	pin atomic.Uint64 // of an optional reader: the page it reads, or cut

	_ [apart]byte
}

// Next is the next record, or nil when none is published, or when this reader was cut off. It is read in place and stays
// valid until Release; an optional reader's stays valid until the following Next or Peek.
func (r *Reader[T]) Next() *T {
	record := r.Peek()
	if record != nil {
		r.Take()
	}
	return record
}

// Peek is what Next would give, left where it is: Release gives back only what lies before it.
func (r *Reader[T]) Peek() *T {
	if r.next == r.end {
		if !r.turn() {
			return nil
		}
	} else if atomic.LoadUint64(&r.page[r.next&r.ring.mask].ready) != r.next+1 {
		return nil
	}
	return &r.page[r.next&r.ring.mask].record
}

// Take takes the record that Peek gave.
func (r *Reader[T]) Take() { r.next++ }

// Ready reports whether Next would give a record: the second look of a reader that is about to park. A record that the
// reader still holds stays valid.
func (r *Reader[T]) Ready() bool {
	if r.next == r.end {
		return r.coming()
	}
	return atomic.LoadUint64(&r.page[r.next&r.ring.mask].ready) == r.next+1
}

// Release gives back every record taken so far, with one atomic store; none of them may be read afterwards. A reader that
// holds a whole ring before it releases stands still together with the producer. For an optional reader it does nothing.
func (r *Reader[T]) Release() {
	if r.required && r.released.Load() != r.next {
		r.released.Store(r.next)
	}
}

// Lost reports whether the producer has cut this reader off. Next may still give the rest of a page; what comes after it
// is lost to this reader. It is always false for a required reader.
func (r *Reader[T]) Lost() bool { return r.pin.Load() == cut }

// turn goes on to the next page once its first record is there, and reports whether it is. It fails for good when this
// reader has been cut off.
func (r *Reader[T]) turn() bool {
	page := r.next >> r.ring.shift
	memory := r.ring.memory[r.ring.place[page%pages].Load()]
	if !r.required && r.pin.Load() != page && !r.pin.CompareAndSwap(page-1, page) {
		return false
	}
	if atomic.LoadUint64(&memory[0].ready) != r.next+1 {
		return false
	}

	r.page = memory
	r.end += r.ring.mask + 1
	return true
}

// coming reports whether the first record of the next page is there. It only looks: the page that is held stays pinned.
func (r *Reader[T]) coming() bool {
	if !r.required && r.pin.Load() == cut {
		return false
	}
	page := r.next >> r.ring.shift
	memory := r.ring.memory[r.ring.place[page%pages].Load()]
	return atomic.LoadUint64(&memory[0].ready) == r.next+1
}
