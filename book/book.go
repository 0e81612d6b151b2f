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
	sides   [2]half // asks, bids: side & 1
	store   *Store
	instr   msg.InstrumentID
	indexes [2]index
}

// New is an empty book of an instrument that is expected to trade near start. It allocates the book and its trees, with
// 64 blocks a side around start in them, or a quarter of the store's free blocks if that is less.
func New(s *Store, instr msg.InstrumentID, start fixed.Ticks) *Book {
	b := bare(s, instr)
	warm := int64(min(spare, s.blockRows.top/4))
	for _, side := range [2]msg.Side{msg.Buy, msg.Sell} {
		h := b.side(side)
		x := b.index(h)
		x.plant()
		for key := rank(side, start)>>spanBits - warm/2; h.empty < uint32(warm); key++ {
			b.addBlock(h, key)
		}
		x.stretch()
	}
	return b
}

// bare is a book without blocks or trees.
func bare(s *Store, instr msg.InstrumentID) *Book {
	b := &Book{store: s, instr: instr}
	for i := range b.sides {
		b.sides[i].best, b.sides[i].side = nowhere, uint32(i)
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

// CanRest reports whether the level that an order at a price needs exists or can be made: whether there is a row for it,
// and for its block. The order's own row is Alloc's concern.
func (b *Book) CanRest(side msg.Side, price fixed.Ticks) bool {
	s, r := b.side(side), rank(side, price)
	k := b.blockOf(s, r>>spanBits)
	if b.store.slots[k][uint64(r)%span] != 0 {
		return true
	}
	return !b.store.levelRows.full() && (k != 0 || b.blockRoom(s))
}

// Link lets order h rest: at its price, with its Leaves, at the tail of its level. The caller has asked CanRest, and knows
// that the price does not cross, or that it is to wait for an auction. Side and price are those of the order and its ticket; who
// calls has them at hand, while the row that Alloc found may have to come from afar: the level is looked up meanwhile.
func (b *Book) Link(h uint32, side msg.Side, price fixed.Ticks) {
	st := b.store
	orders := st.orders
	o := &orders[h]
	s, r := b.side(side), rank(side, price)
	at := b.indexes[side&1].finger[uint64(r>>spanBits)%fingers]
	k := &st.blocks[at]
	if k.key != r>>spanBits {
		b.linkAfar(h, side, price)
		return
	}

	slot := &st.slots[at][uint64(r)%span]
	if row := *slot; row != 0 {
		l := &st.levels[row]
		tail := l.tail
		l.tail = h
		l.qty += o.Leaves
		l.count++
		o.Level, o.Prev, o.Next = row, tail, 0
		orders[tail].Next = h
	} else { // the level is new; in place, since a call here is 3 % of an operation where levels flap
		row = st.levelRows.take()
		if row == 0 {
			panic("book: no row for a level; Link needs CanRest")
		}
		l := &st.levels[row]
		l.rank, l.qty, l.head, l.tail, l.count, l.block = r, o.Leaves, h, h, 1, at
		o.Level, o.Prev, o.Next = row, 0, 0
		had := k.bits
		k.bits = had | 1<<(uint64(r)%span)
		*slot = row
		if r < s.best {
			s.best, s.head = r, at
		}
		if had == 0 {
			st.filled(s, at)
		}
	}
	if o.Flags&Expires != 0 {
		st.schedule(h)
	}
}

// linkAfar is Link where the finger names another block than that of the price, or none.
//
//go:noinline
func (b *Book) linkAfar(h uint32, side msg.Side, price fixed.Ticks) {
	s, key := b.side(side), rank(side, price)>>spanBits
	if b.blockOf(s, key) == 0 {
		b.addBlock(s, key)
	}
	b.Link(h, side, price)
}

// Unlink takes order h, which rests, out of its queue; the row stays the order's.
//
// Nothing branches on whether the order is the first or the last of its level: row 0 stands in for the neighbor that is
// not there.
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
	if head == 0 {
		b.dropLevel(b.side(o.Side), row)
	}
	if o.Flags&Expires != 0 {
		st.unschedule(h)
	}
}

// Remove is Unlink and Free at once.
func (b *Book) Remove(h uint32) {
	st := b.store
	orders := st.orders
	o := &orders[h]
	row, prev, next := o.Level, o.Prev, o.Next
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
	if head == 0 {
		b.dropLevel(b.side(o.Side), row)
	}
	if o.Flags&Expires != 0 {
		st.unschedule(h)
		st.expiry.at[h] = 0
	}
	st.vacate(h, o)
}

// dropLevel gives a level that has lost its last order back, and tidies up if its block went with it.
func (b *Book) dropLevel(s *half, row uint32) {
	st := b.store
	l := &st.levels[row]
	at, r := l.block, l.rank
	k := &st.blocks[at]
	left := k.bits &^ (1 << (uint64(r) % span))
	k.bits = left
	st.slots[at][uint64(r)%span] = 0
	st.levelRows.give(row)
	if r == s.best {
		s.best = r&^(span-1) + int64(bits.TrailingZeros64(left))
	}
	if left == 0 {
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
	return b.store.levels[b.firstLevel(s)].head
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
