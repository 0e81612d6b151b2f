package ring

import (
	"errors"
	"strconv"
	"sync/atomic"
	"unsafe"
)

// A lane is a queue between two threads. Its slots say themselves whether they are ready, so that the line which carries
// a record is the only one that moves when the record is handed over.
//
//	          slot 0      slot 1      slot 2      slot 3      ...   position p lies in slot p & mask
//	ready   [   4     |    5      |    2      |    3      |         the position of what lies in it
//	body    [ record  |  record   |  record   |  record   |
//	            ^ claimed            ^ next                         4 claimed, published 5 of the lap before:
//	                                                                the consumer expects 6 in slot 2, finds 2: not ready
//
// How a batch is handed over:
//
//	1. The producer claims the slots of positions f..c and fills them. All but the first get their ready words at once,
//	   plainly: the consumer looks at no slot behind f before it has seen f.
//	2. To publish, the producer stores f into the first ready word, atomically. That one store publishes the batch.
//	3. The consumer sees f, and with it everything that was stored before f: it takes f..c.
//
// How a slot comes back: the consumer stores the position up to which it has read into released. The producer looks at
// that word only when its own copy says that the lane is full.

// LaneSizeMin and LaneSizeMax bound the slots of a lane; more would push the book out of the second-level cache.
const (
	LaneSizeMin = 2
	LaneSizeMax = 4096
)

// slot is a record and the word that says that it is there.
type slot[T any] struct {
	ready uint64 // the position of the record in body
	body  T
}

// Lane carries records from one producer to one consumer, in order, in place. Claim and Publish belong to the producer,
// Next, Ready and Release to the consumer; each side may be another thread. T must be free of pointers.
type Lane[T any] struct {
	_ [apart]byte

	slots []slot[T]
	mask  uint64
	bell  *atomic.Uint64 // the bells of a wide FanIn; nil: none is rung
	bit   uint64         // the bit of this lane in bell

	_ [apart]byte

	// The producer's. Invariant: published <= claimed <= limit <= released + size.
	claimed   uint64
	published uint64
	limit     uint64 // positions up to here were free when last looked

	_ [apart]byte

	next uint64 // the consumer's: the position it expects

	_ [apart]byte

	released atomic.Uint64 // the last position given back: the consumer writes, the producer reads

	_ [apart]byte
}

// NewLane makes a lane of size slots, a power of two in LaneSizeMin..LaneSizeMax. It fails on another size, and on a T
// that does not fill whole cache lines together with a ready word of 8 bytes. It allocates all that the lane will ever need.
func NewLane[T any](size int) (*Lane[T], error) {
	if size < LaneSizeMin || size > LaneSizeMax || size&(size-1) != 0 {
		return nil, errors.New("ring: a lane of " + strconv.Itoa(size) + " slots: expected a power of two in " +
			strconv.Itoa(LaneSizeMin) + ".." + strconv.Itoa(LaneSizeMax))
	}
	if bytes := int(unsafe.Sizeof(slot[T]{})); bytes%line != 0 {
		return nil, errors.New("ring: a lane slot of " + strconv.Itoa(bytes) + " bytes, ready word included: expected a multiple of " +
			strconv.Itoa(line))
	}

	return &Lane[T]{slots: make([]slot[T], size), mask: uint64(size - 1), limit: uint64(size), next: 1}, nil
}

// Size is the number of slots.
func (l *Lane[T]) Size() int { return len(l.slots) }

// Claim is the next free slot, to be filled in place, or nil when the lane is full. The slot holds what was in it a lap
// ago. Claims in a row give slots in a row; the consumer sees none of them before Publish.
func (l *Lane[T]) Claim() *T {
	if l.claimed == l.limit && !l.extend() {
		return nil
	}

	l.claimed++
	s := &l.slots[l.claimed&l.mask]
	if l.claimed != l.published+1 {
		s.ready = l.claimed // seen when the first of the batch is
	}
	return &s.body
}

// Room reports whether Claim would give a slot.
func (l *Lane[T]) Room() bool { return l.claimed != l.limit || l.extend() }

// RoomFor reports whether n Claims in a row would give slots.
func (l *Lane[T]) RoomFor(n int) bool {
	if l.claimed+uint64(n) <= l.limit {
		return true
	}
	l.extend()
	return l.claimed+uint64(n) <= l.limit
}

// extend looks how far the consumer has come and reports whether a slot is free.
func (l *Lane[T]) extend() bool {
	l.limit = l.released.Load() + uint64(len(l.slots))
	return l.claimed != l.limit
}

// Publish hands over all slots claimed since the last Publish, with one atomic store. It does nothing when there are none.
func (l *Lane[T]) Publish() {
	first := l.published + 1
	if l.claimed < first {
		return
	}

	atomic.StoreUint64(&l.slots[first&l.mask].ready, first)
	l.published = l.claimed
	if l.bell != nil && l.bell.Load()&l.bit == 0 {
		l.bell.Or(l.bit)
	}
}

// Next is the next record, or nil when none is ready. It is read in place and stays valid until Release.
func (l *Lane[T]) Next() *T {
	s := &l.slots[l.next&l.mask]
	if atomic.LoadUint64(&s.ready) != l.next {
		return nil
	}

	l.next++
	return &s.body
}

// Ready reports whether Next would give a record: the second look of a consumer that is about to park.
func (l *Lane[T]) Ready() bool {
	return atomic.LoadUint64(&l.slots[l.next&l.mask].ready) == l.next
}

// Release gives back every record taken so far, with one atomic store; none of them may be read afterwards.
func (l *Lane[T]) Release() {
	if l.released.Load() != l.next-1 {
		l.released.Store(l.next - 1)
	}
}
