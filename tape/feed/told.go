package feed

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/wire"
)

// The book as it was told. A row is an order, under the handle in its id; rows of one instrument are linked, in no order that
// means anything: who wants them sorted takes a snapshot.
//
//	instruments[id].first --> row <--> row <--> row
//
// The checksum of an instrument is the sum of its orders', so that it follows each record by a subtraction and an addition.
//
// Invariant: sum is that of the linked rows, and count is how many they are.

// order is one that stands in the told book.
type order struct {
	id         msg.OrderID // 0: the row is none
	priority   uint64      // the number of the record that gave it its place
	price      fixed.Ticks
	leaves     fixed.Lots
	instr      msg.InstrumentID
	next, prev uint32 // handles
	side       msg.Side
}

// stands reports whether an order was told and is still there.
func (t *Tape) stands(id msg.OrderID) bool { return t.told[id.Handle()].id == id && id != 0 }

// row is an order that was told. There is none that trades, shrinks or goes without.
func (t *Tape) row(id msg.OrderID) *order {
	if !t.stands(id) {
		panic("feed: an order that was not told")
	}
	return &t.told[id.Handle()]
}

// sumOf is what an order adds to the checksum of the instrument.
func (in *instrument) sumOf(o *order) uint64 {
	return wire.OrderSum(uint64(o.id), in.scale.Price(o.price), in.scale.Qty(o.leaves), o.priority)
}

// enter has an order stand from the record on that is open.
func (t *Tape) enter(ev *msg.Event, leaves fixed.Lots) {
	h := ev.Order.Handle()
	in, o := &t.instruments[ev.Instr], &t.told[h]
	if o.id != 0 {
		panic("feed: two orders in one row")
	}
	*o = order{id: ev.Order, priority: t.next - 1, price: ev.Price, leaves: leaves, instr: ev.Instr, next: in.first, side: ev.Side}
	if in.first != 0 {
		t.told[in.first].prev = h
	}
	in.first = h
	in.orders++
	in.sum += in.sumOf(o)
}

// shrink leaves an order with less; with nothing it is gone.
func (t *Tape) shrink(id msg.OrderID, leaves fixed.Lots) {
	o := t.row(id)
	in := &t.instruments[o.instr]
	in.sum -= in.sumOf(o)
	if o.leaves = leaves; leaves > 0 {
		in.sum += in.sumOf(o)
		return
	}
	in.orders--
	if o.prev != 0 {
		t.told[o.prev].next = o.next
	} else {
		in.first = o.next
	}
	if o.next != 0 {
		t.told[o.next].prev = o.prev
	}
	*o = order{}
}

// Checksum is that of the told orders of an instrument, and Orders is how many they are.
func (t *Tape) Checksum(id msg.InstrumentID) uint64 { return t.instruments[id].sum }
func (t *Tape) Orders(id msg.InstrumentID) uint32   { return t.instruments[id].orders }
