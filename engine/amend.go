package engine

import (
	"github.com/lockstep-exchange/lockstep/book"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/riskgate"
)

// amend gives an order a new price and quantity. Fewer lots at the same price keep its place and need no margin; anything
// else passes the gate as a new order in the old one's stead, goes to the tail and may trade.
func (e *Engine) amend(c *msg.Command) {
	if r := riskgate.Formed(&c.Request); r != 0 {
		e.refuse(c, r, 0, 0)
		return
	}
	if e.house.Account(c.Account) != nil {
		e.touch(c.Account)
	}
	r, _, wait := e.gate.Enter(&c.Request, c.Time, riskgate.Orders, false)
	if r != 0 {
		e.refuse(c, r, int64(wait), 0)
		return
	}
	h, r := e.find(c)
	if r != 0 {
		e.refuse(c, r, 0, 0)
		return
	}
	order := e.store.Order(h)
	b, in := e.books[c.Instr], &e.instruments[c.Instr]
	leaves := c.Qty
	if c.Flags&msg.FlagLeaves == 0 {
		leaves -= order.Filled
	}
	if leaves <= 0 { // as much as was wanted has traded already
		e.take(b, in, h, msg.CanceledByUser, c)
		return
	}
	if c.Price == order.Price && leaves < order.Leaves {
		by := order.Leaves - leaves
		b.Reduce(h, by)
		e.house.Shrink(resting(h, order), in, by, leaves)
		e.amended(c, h, order, true)
		return
	}
	e.requeue(c, h, order, leaves)
}

// requeue is the amend that loses its place.
func (e *Engine) requeue(c *msg.Command, h uint32, order *book.Order, leaves fixed.Lots) {
	b, in := e.books[c.Instr], &e.instruments[c.Instr]
	r, reduce := e.gate.Entry(&c.Request, e.house.Account(c.Account))
	old := riskgate.Replaced{Limit: order.Price, Leaves: order.Leaves, Order: h, ReduceOnly: order.Flags&book.ReduceOnly != 0}
	o := riskgate.Order{Account: c.Account, Instr: c.Instr, Side: order.Side, Limit: c.Price, Qty: leaves,
		ReduceOnly: old.ReduceOnly, Reduce: reduce, Rests: true, Old: &old}
	if order.Flags&book.Slide != 0 {
		o.Limit = slide(b, in, order.Side, c.Price)
	}
	if r == 0 {
		r = e.gate.Admit(&o)
	}
	switch {
	case r != 0:
	case order.Flags&book.PostOnly != 0 && b.Crosses(order.Side, o.Limit):
		r = msg.RejectWouldCross
	case !b.CanRest(order.Side, o.Limit):
		r = msg.RejectTableFull
	}
	if r != 0 {
		e.refuse(c, r, o.Bound, o.Actual)
		return
	}

	// Nothing below refuses.
	row := e.house.Claim(h).Position
	e.jobs.leave(e.house, h)
	b.Unlink(h)
	e.house.Remove(resting(h, order), in, order.Leaves)
	order.Price, order.Leaves = o.Limit, o.Qty
	e.amended(c, h, order, false)
	t := book.Taker{Limit: o.Limit, Leaves: o.Qty, Now: c.Time, Owner: order.Owner, Room: e.room(), Side: order.Side,
		STP: order.Flags.STP()}
	e.work(c, b, in, h, order, row, &t, &o, true)
}

// amended tells what an order has become.
func (e *Engine) amended(c *msg.Command, h uint32, o *book.Order, kept bool) {
	ev := e.emit(msg.Amended)
	ev.Order, ev.Ref, ev.Price, ev.Qty = e.store.ID(h), o.Ref, o.Price, o.Leaves
	ev.Account, ev.Instr, ev.Session, ev.Side = o.Account, o.Instr, o.Session, o.Side
	ev.SetChange(msg.Change{Filled: o.Filled, Leaves: o.Leaves, Request: c.Ref, Asker: c.Session, Kept: kept})
}
