// Package book is one instrument's queue: who is first. It matches by price and then time, and knows no money.
//
// A book is two sides over the rows of a Store that all books of a shard share. Best price and priority are read without
// a search; an order is reached by its handle. See block.go for the shape of a side, match.go for matching.
package book

import (
	"math/bits"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Book is the queue of one instrument. It is used by one thread at a time, as its Store is.
type Book struct {
	store *Store
	instr msg.InstrumentID
	sides [2]half // asks, bids: side & 1
}

// New is an empty book of an instrument that is expected to trade near start. It allocates the book and its trees, with
// 64 blocks a side around start in them, or a quarter of the store's free blocks if that is less.
func New(s *Store, instr msg.InstrumentID, start fixed.Ticks) *Book {
	b := &Book{store: s, instr: instr}
	warm := int64(min(spare, s.blockRows.top/4))
	for _, side := range [2]msg.Side{msg.Buy, msg.Sell} {
		h := b.side(side)
		h.best, h.seek = nowhere, h.tree.Iter()
		for key := rank(side, start)>>spanBits - warm/2; h.empty < uint32(warm); key++ {
			b.addBlock(h, key)
		}
	}
	return b
}

func (b *Book) side(side msg.Side) *half { return &b.sides[side&1] }

// Best is the best price at which orders of a side rest: Buy is the best bid. ok is false when none does.
func (b *Book) Best(side msg.Side) (best fixed.Ticks, ok bool) {
	s := b.side(side)
	if s.best == nowhere {
		return 0, false
	}
	return price(side, s.best), true
}

// Crosses reports whether an incoming order of a side would meet a resting one at its limit or better.
func (b *Book) Crosses(side msg.Side, limit fixed.Ticks) bool {
	rests := side.Opposite()
	return b.side(rests).best <= rank(rests, limit)
}

// CanRest reports whether the level that an order at a price needs exists or can be made: whether fewer levels than the
// store allows have orders, and a block can be had. The order's own row is Alloc's concern.
func (b *Book) CanRest(side msg.Side, price fixed.Ticks) bool {
	s, r := b.side(side), rank(side, price)
	k := b.blockOf(s, r>>spanBits)
	if b.store.blocks[k].bits>>(uint64(r)%span)&1 != 0 {
		return true
	}
	return b.store.levelCount < b.store.levelMax && (k != 0 || b.blockRoom(s))
}

// Link lets order h rest: at its Price, with its Leaves, at the tail of its level. The caller has asked CanRest, and knows
// that the price does not cross.
//
// Nothing branches on whether the level is new, which is close to a coin's toss in a sparse book.
func (b *Book) Link(h uint32) {
	st := b.store
	orders := st.orders
	o := &orders[h]
	s, r := b.side(o.Side), rank(o.Side, o.Price)
	at := s.finger[uint64(r>>spanBits)%fingers]
	k := &st.blocks[at]
	if k.key != r>>spanBits {
		b.linkAfar(h)
		return
	}

	row := slot(at, r)
	l := &st.levels[row]
	head, tail, added := l.head, l.tail, uint32(0)
	if tail == 0 {
		head = h
	}
	if tail == 0 { // apart from the one above, so that both become moves
		added = 1
	}
	l.head, l.tail = head, h
	l.qty += o.Leaves
	l.count++
	o.Level, o.Prev, o.Next = row, tail, 0
	orders[tail].Next = h
	st.levelCount += added

	had := k.bits
	k.bits = had | 1<<(uint64(r)%span)
	if r < s.best {
		s.best, s.head = r, at
	}
	if had == 0 || o.Flags&Expires != 0 {
		b.linked(s, at, had, h)
	}
}

// linkAfar is Link where the finger names another block than that of the price, or none.
//
//go:noinline
func (b *Book) linkAfar(h uint32) {
	o := &b.store.orders[h]
	s, key := b.side(o.Side), rank(o.Side, o.Price)>>spanBits
	if b.blockOf(s, key) == 0 {
		b.addBlock(s, key)
	}
	b.Link(h)
}

// linked is what is rarely left to do: block at had no orders, or order h expires.
//
//go:noinline
func (b *Book) linked(s *half, at uint32, had uint64, h uint32) {
	if had == 0 {
		b.store.filled(s, at)
	}
	if b.store.orders[h].Flags&Expires != 0 {
		b.store.schedule(h)
	}
}

// Unlink takes order h, which rests, out of its queue; the row stays the order's.
//
// Nothing branches on whether the order is the first or the last of its level. On whether it is the only one something does:
// what follows then must not wait for the order's row, which is often far away, when the level stays.
func (b *Book) Unlink(h uint32) {
	st := b.store
	orders := st.orders
	o := &orders[h]
	row, prev, next := o.Level, o.Prev, o.Next
	o.Level = 0
	l := &st.levels[row]
	head, tail := l.head, l.tail
	if prev == 0 {
		head = next
	}
	if next == 0 {
		tail = prev
	}
	l.head, l.tail = head, tail
	l.qty -= o.Leaves
	l.count--
	orders[prev].Next = next
	orders[next].Prev = prev
	if head == 0 || o.Flags&Expires != 0 {
		b.unlinked(h, row, head)
	}
}

// unlinked is what is left to do when order h expires, or its level has no head any more.
//
//go:noinline
func (b *Book) unlinked(h, row, head uint32) {
	st := b.store
	o := &st.orders[h]
	if o.Flags&Expires != 0 {
		st.unschedule(h)
	}
	if head != 0 {
		return
	}

	s := b.side(o.Side)
	at := row >> spanBits
	k := &st.blocks[at]
	st.levelCount--
	k.bits &^= 1 << (row % span)
	if row == slot(s.head, s.best) {
		s.best = k.key<<spanBits + int64(bits.TrailingZeros64(k.bits))
	}
	if k.bits == 0 {
		b.vacate(s, at)
		b.trim(s)
	}
}

// Reduce takes lots off a resting order, fewer than its Leaves; it keeps its place.
func (b *Book) Reduce(h uint32, by fixed.Lots) {
	o := &b.store.orders[h]
	o.Leaves -= by
	b.store.levels[o.Level].qty -= by
}

// First is the order of a side that is first in priority, 0 when none rests.
func (b *Book) First(side msg.Side) uint32 {
	s := b.side(side)
	if s.head == 0 {
		return 0
	}
	return b.store.levels[slot(s.head, s.best)].head
}

// NextOf is the order after the resting order h in priority, 0 when it is the last of its side.
func (b *Book) NextOf(h uint32) uint32 {
	o := &b.store.orders[h]
	if o.Next != 0 {
		return o.Next
	}
	return b.store.levels[b.nextLevel(o.Level)].head
}

// Depth is a price level as others see it.
type Depth struct {
	Price  fixed.Ticks
	Qty    fixed.Lots // sum of the open lots
	Orders uint32
}

// Levels appends up to max levels of a side to dst, the best first.
func (b *Book) Levels(side msg.Side, dst []Depth, max int) []Depth {
	first := b.First(side)
	if first == 0 {
		return dst
	}
	st := b.store
	for row := st.orders[first].Level; row != 0 && max > 0; row = b.nextLevel(row) {
		l := &st.levels[row]
		dst = append(dst, Depth{price(side, st.rankOf(row)), l.qty, l.count})
		max--
	}
	return dst
}
