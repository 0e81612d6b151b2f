package book

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// The hash of a store and of its books covers what a later answer can depend on: generations, the free rows in the order
// in which they will be taken, times, every queue in order, and the empty blocks by price and by age. It leaves out what
// only says where things lie: the rows of levels and blocks, the shape of the trees and of the heap, the fingers.

// Hash folds the rows of the store into d; orders that rest are folded by their book. It reads every order row.
func (s *Store) Hash(d *fixed.Digest) {
	d.Pair(uint32(len(s.orders)), uint32(len(s.blocks)))
	d.Pair(uint32(len(s.levels)), s.levelRows.top)
	for h := 1; h < len(s.orders); h++ {
		o := &s.orders[h]
		d.Pair(o.Gen, uint32(o.Flags))
		if o.Flags&Expires != 0 {
			d.Word(uint64(s.expiry.at[h]))
		}
		s.tags[h].hash(d, h)
		if o.Level == 0 && o.Side != 0 {
			o.hash(d, &s.tickets[h])
		}
	}
	for _, h := range s.orderRows.free[:s.orderRows.top+1] {
		d.Word(uint64(h))
	}
	d.Pair(s.orderRows.top, s.blockRows.top)
}

// Hash folds the queues of the book and its empty blocks into d.
func (b *Book) Hash(d *fixed.Digest) {
	d.Word(uint64(b.instr))
	crossed := b.Crossed() // else arrivals say nothing: whoever crosses next comes later
	for _, side := range [2]msg.Side{msg.Buy, msg.Sell} {
		s := b.side(side)
		orders := uint64(0)
		for h := b.First(side); h != 0; h = b.NextOf(h) {
			d.Word(uint64(h))
			b.store.orders[h].hash(d, &b.store.tickets[h])
			if crossed {
				d.Word(uint64(b.store.arrivals[h]))
			}
			orders++
		}
		d.Word(orders)
		for h := s.oldest; h != 0; h = b.store.blocks[h].newer {
			d.Word(uint64(b.store.blocks[h].key))
		}
		d.Word(uint64(s.empty))
	}
}

// hash folds what an order says; where it stands is said by the order of the calls.
func (o *Order) hash(d *fixed.Digest, t *Ticket) {
	d.Word(uint64(t.Price))
	d.Word(uint64(o.Leaves))
	d.Word(uint64(t.Filled))
	d.Word(uint64(t.Ref))
	d.Pair(uint32(t.Account), uint32(o.Owner))
	d.Word(uint64(t.Instr)<<32 | uint64(o.Session)<<16 | uint64(o.Side)<<8 | uint64(o.Flags))
}
