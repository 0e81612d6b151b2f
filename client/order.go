package client

import (
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// State is how far an order has come. From Filled on it is over: the event that says so is the last one with it.
type State uint8

const (
	Sent     State = 1 + iota // asked for; whether it was accepted is not known
	Working                   // in the book
	Waiting                   // for its trigger
	Filled                    // over: everything has traded
	Canceled                  // over: what had not traded was taken out
	Rejected                  // over: it was never in
	Unsent                    // over: the venue has never seen it (NotApplied)
)

func (s State) String() string {
	return [...]string{"none", "Sent", "Working", "Waiting", "Filled", "Canceled", "Rejected", "Unsent"}[min(s, Unsent)]
}

// Over reports whether nothing can happen to the order any more.
func (s State) Over() bool { return s >= Filled }

// Order is what is known of an order. Once it is accepted, Leaves + Filled is what it is for, unless part of it was canceled.
type Order struct {
	Ref    msg.Ref     // of its NewOrder; a Replace does not change it
	ID     msg.OrderID // 0 while it is Sent
	Number uint64      // of the last message that spoke of it
	Price  int64
	Leaves int64 // quantity that is open
	Filled int64 // quantity that has traded

	Account    msg.AccountID
	Instrument msg.InstrumentID
	Flags      gen.OrderFlags
	Side       gen.Side
	Type       gen.OrdType
	TIF        gen.TimeInForce
	STP        gen.SelfTrade
	State      State
}

// orders is the table of those that are not over.
//
// Invariant: every row in use is in byRef, and in byID from when it has an ID; over is at most one row, which leaves when the
// event about it is no longer looked at.
type orders struct {
	rows  []orderRow // row 0 stands for none
	free  uint32     // the first free row; they are linked by next
	over  uint32
	byRef index
	byID  index
}

type orderRow struct {
	Order
	next uint32
}

func newOrders(rows int) orders {
	o := orders{rows: make([]orderRow, rows+1), byRef: newIndex(rows), byID: newIndex(rows)}
	for i := rows; i >= 1; i-- {
		o.rows[i].next, o.free = o.free, uint32(i)
	}
	return o
}

func (o *orders) full() bool { return o.free == 0 }

// add takes a row; there is a free one.
func (o *orders) add(order Order) (row uint32) {
	row = o.free
	o.free = o.rows[row].next
	o.rows[row] = orderRow{Order: order}
	o.byRef.put(uint64(order.Ref), row)
	if order.ID != 0 {
		o.byID.put(uint64(order.ID), row)
	}
	return row
}

// named gives an order the venue's id.
func (o *orders) named(row uint32, id msg.OrderID) {
	r := &o.rows[row]
	if r.ID == id || id == 0 {
		return
	}
	if r.ID != 0 {
		o.byID.remove(uint64(r.ID))
	}
	o.byID.remove(uint64(id)) // of one that was missed
	r.ID = id
	o.byID.put(uint64(id), row)
}

// remove frees a row.
func (o *orders) remove(row uint32) {
	r := &o.rows[row]
	o.byRef.remove(uint64(r.Ref))
	if r.ID != 0 && o.byID.find(uint64(r.ID)) == row {
		o.byID.remove(uint64(r.ID))
	}
	*r = orderRow{next: o.free}
	o.free = row
}

// sweep frees what the last event has ended.
func (o *orders) sweep() {
	if o.over != 0 {
		o.remove(o.over)
		o.over = 0
	}
}

// tell puts an order into an event as it stands, and remembers that it is over.
func (o *orders) tell(row uint32, e *Event) {
	e.Order = o.rows[row].Order
	if e.Order.State.Over() {
		o.over = row
	}
}

// dropped ends the order that a request which was not applied would have placed.
func (o *orders) dropped(p *row, e *Event) {
	if p.order != 0 {
		o.rows[p.order].State = Unsent
		o.tell(p.order, e)
	}
}

// all goes through the orders.
func (o *orders) all(yield func(Order) bool) {
	for i := range o.rows {
		if r := &o.rows[i]; r.State != 0 && !r.State.Over() && !yield(r.Order) {
			return
		}
	}
}
