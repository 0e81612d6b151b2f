// Package book is one instrument's queue: who is first. It matches by price and then time, and knows no money.
//
// A book is two sides over the rows of a Store that all books of a shard share. Best price and priority are read without
// a search; an order is reached by its handle. See block.go for the shape of a side, match.go for matching.
package book

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Book is the queue of one instrument. It is used by one thread at a time, as its Store is.
type Book struct {
	store  *Store
	instr  msg.InstrumentID
	halves [2]half // asks, bids: indexed by side & 1
}

// New is an empty book of an instrument that is expected to trade near start. It allocates the book and its trees, with
// up to 64 blocks a side around start in them, as far as the store has blocks; a quarter of the free ones at most.
func New(s *Store, instr msg.InstrumentID, start fixed.Ticks) *Book {
	b := &Book{store: s, instr: instr}
	b.halves[0].best, b.halves[1].best = nowhere, nowhere
	free := s.blockRows.last - s.blockRows.taken()
	warm := int64(min(spare, free/4))
	for _, side := range [2]msg.Side{msg.Buy, msg.Sell} {
		key := rank(side, start) >> 6
		for i := range warm {
			b.addBlock(b.half(side), key-warm/2+i)
		}
	}
	return b
}

func (b *Book) half(side msg.Side) *half { return &b.halves[side&1] }

// Best is the best price at which orders of a side rest: Buy is the best bid. ok is false when none does.
func (b *Book) Best(side msg.Side) (best fixed.Ticks, ok bool) {
	s := b.half(side)
	if s.best == nowhere {
		return 0, false
	}
	return price(side, s.best), true
}

// Crosses reports whether an incoming order of a side would meet a resting one at its limit or better.
func (b *Book) Crosses(side msg.Side, limit fixed.Ticks) bool {
	rests := side.Opposite()
	return b.half(rests).best <= rank(rests, limit)
}

// CanRest reports whether there is a row for the level, and for its block, that an order at a price needs. The order's own
// row is Alloc's concern.
func (b *Book) CanRest(side msg.Side, price fixed.Ticks) bool {
	s, r := b.half(side), rank(side, price)
	h := b.blockOf(s, r>>6)
	if h == 0 {
		return !b.store.levelRows.full() && b.room(s)
	}
	return b.store.blocks[h].bits>>(uint64(r)%span)&1 != 0 || !b.store.levelRows.full()
}

// Link lets order h rest: at its Price, with its Leaves, at the tail of its level. The caller has asked CanRest, and knows
// that the price does not cross.
func (b *Book) Link(h uint32) {
	st := b.store
	o := &st.orders[h]
	if o.Flags&Expires != 0 {
		st.schedule(h)
	}
	s, r := b.half(o.Side), rank(o.Side, o.Price)
	k := b.blockOf(s, r>>6)
	if k == 0 {
		k = b.addBlock(s, r>>6)
	}
	o.Next, o.Prev = 0, 0
	if st.blocks[k].bits>>(uint64(r)%span)&1 == 0 {
		o.Level = b.addLevel(s, k, r, h, o.Leaves)
		return
	}
	row := st.blocks[k].levels[uint64(r)%span]
	l := &st.levels[row]
	o.Level, o.Prev = row, l.tail
	st.orders[l.tail].Next = h
	l.tail = h
	l.qty += o.Leaves
	l.count++
}

// Unlink takes order h out of its queue; the row stays the order's.
func (b *Book) Unlink(h uint32) {
	st := b.store
	o := &st.orders[h]
	if o.Flags&Expires != 0 {
		st.unschedule(h)
	}
	row := o.Level
	l := &st.levels[row]
	l.qty -= o.Leaves
	l.count--
	if o.Prev != 0 {
		st.orders[o.Prev].Next = o.Next
	} else {
		l.head = o.Next
	}
	if o.Next != 0 {
		st.orders[o.Next].Prev = o.Prev
	} else {
		l.tail = o.Prev
	}
	o.Next, o.Prev, o.Level = 0, 0, 0
	if l.count == 0 {
		s := b.half(o.Side)
		b.dropLevel(s, row)
		b.trim(s)
	}
}

// trim retires empty blocks above the spare ones, a few at a time.
func (b *Book) trim(s *half) {
	for n := 0; n < retireMax && s.empty > spare; n++ {
		b.retire(s)
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
	s := b.half(side)
	if s.head == 0 {
		return 0
	}
	st := b.store
	return st.levels[st.blocks[s.head].levels[uint64(s.best)%span]].head
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
		dst = append(dst, Depth{price(side, l.rank), l.qty, l.count})
		max--
	}
	return dst
}
