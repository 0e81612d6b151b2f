package book

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/ring"
)

// Looking ahead: what commands that wait will read is asked for before they come, so that what has to come from afar comes at
// the same time. Foresee asks for the lines whose places a command itself says; Approach, once those are there, for the lines
// that they lead to. Neither changes anything, and what they are told may be wrong.
//
//	Foresee     side, store, finger of the price              order, ticket
//	Approach    block, slot                                   level, neighbors

// Foresee asks for what an order of a side at a price will need first of the book.
func (b *Book) Foresee(side msg.Side, price fixed.Ticks) {
	ring.Prefetch(&b.sides[0].best)
	ring.PrefetchHalf((*uint32)(&b.instr))
	ring.PrefetchHalf(&b.indexes[side&1].finger[uint64(rank(side, price)>>spanBits)%fingers])
}

// Approach asks for what it will need then.
func (b *Book) Approach(side msg.Side, price fixed.Ticks) {
	r := rank(side, price)
	at := b.indexes[side&1].finger[uint64(r>>spanBits)%fingers]
	ring.Prefetch(&b.store.blocks[at].key)
	ring.PrefetchHalf(&b.store.slots[at][uint64(r)%span])
}

// Foresee asks for a row, for h that Alloc may return.
func (s *Store) Foresee(h uint32) {
	ring.Prefetch((*int64)(&s.orders[h].Leaves))
	ring.Prefetch((*int64)(&s.tickets[h].Price))
}

// Approach asks for the level of the order in a row, and for its neighbors.
func (s *Store) Approach(h uint32) {
	o := &s.orders[h]
	ring.Prefetch(&s.levels[o.Level].rank)
	ring.Prefetch((*int64)(&s.orders[o.Prev].Leaves))
	ring.Prefetch((*int64)(&s.orders[o.Next].Leaves))
}
