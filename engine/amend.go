package engine

import (
	"github.com/lockstep-exchange/lockstep/book"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/riskgate"
)

// amend gives an order a new price and quantity. Fewer lots at the same price, whole steps of them, keep its place and need no
// margin; anything else passes the gate as a new order in the old one's stead, goes to the tail and may trade.
func (e *Engine) amend(c *msg.Command) {
	if r := riskgate.Formed(&c.Request); r != 0 {
		e.refuse(c, r, 0, 0)
		return
	}
	var o riskgate.Order
	if r := e.gate.Enter(&c.Request, &o, riskgate.Orders, false); r != 0 {
		e.refuse(c, r, o.Bound, o.Actual)
		return
	}
	h, r := e.find(c)
	if r != 0 {
		e.refuse(c, r, 0, 0)
		return
	}
	if !e.house.Current(o.Account) {
		e.touch(c.Account)
	}
	order, ticket := e.store.Order(h), e.store.Ticket(h)
	b := e.books[c.Instr]
	leaves := c.Qty
	if c.Flags&msg.FlagLeaves == 0 {
		leaves -= ticket.Filled
	}
	if leaves <= 0 { // as much as was wanted has traded already
		e.take(b, o.Instrument, h, msg.CanceledByUser, c)
		return
	}
	if c.Price == ticket.Price && leaves < order.Leaves {
		if step := o.Instrument.QtyStep; !fixed.MultipleOf(leaves, step) {
			e.refuse(c, msg.RejectOffLot, int64(step), int64(leaves))
			return
		}
		by := order.Leaves - leaves
		b.Reduce(h, by)
		e.house.Shrink(resting(h, order, ticket.Price), o.Instrument, by, leaves)
		e.amended(c, h, order, ticket, true)
		return
	}
	e.requeue(c, b, h, order, ticket, leaves, &o)
}

// requeue is the amend that loses its place.
func (e *Engine) requeue(c *msg.Command, b *book.Book, h uint32, order *book.Order, ticket *book.Ticket, leaves fixed.Lots, o *riskgate.Order) {
	o.Old.Leaves, o.Old.Order = order.Leaves, h
	o.Old.ReduceOnly = order.Flags&book.ReduceOnly != 0
	o.Side, o.Limit, o.Qty = order.Side, c.Price, leaves
	o.ReduceOnly, o.Rests = o.Old.ReduceOnly, true
	if order.Flags&book.Slide != 0 {
		o.Limit = slide(b, o.Instrument, order.Side, c.Price)
	}
	if e.house.Position(e.house.Claim(h).Position).Mode != 0 {
		o.Meets = meets(b, order.Side)
	}
	r := e.gate.Entry(c.Account, o)
	if r == 0 {
		r = e.gate.Admit(&c.Request, o)
	}
	crosses := b.Crosses(order.Side, o.Limit)
	switch {
	case r != 0:
	case crosses && order.Flags&(book.PostOnly|book.Slide) != 0:
		r = msg.RejectWouldCross
	case !b.CanRest(order.Side, o.Limit):
		r = msg.RejectTableFull
	}
	if r != 0 {
		e.refuse(c, r, o.Bound, o.Actual)
		return
	}

	// Nothing below refuses.
	e.house.Witness(c.Instr, o.Most)
	b.Unlink(h)
	if crosses || o.ReduceOnly || o.Asks != 0 {
		e.house.Suspend(resting(h, order, ticket.Price), o.Instrument, order.Leaves)
		e.house.SetRate(h, o.Rate)
	}
	ticket.Price, order.Leaves = o.Limit, o.Qty
	e.amended(c, h, order, ticket, false)
	if crosses || o.ReduceOnly || o.Asks != 0 {
		e.work(c, b, h, order, ticket, o, crosses)
		return
	}
	b.Link(h, o.Side, o.Limit)
	e.house.Replace(h, o.Account, &o.Terms, o.Reserved, &o.Exposure, o.Requirement)
}

// amended tells what an order has become.
func (e *Engine) amended(c *msg.Command, h uint32, o *book.Order, t *book.Ticket, kept bool) {
	var change msg.Change
	change.Filled, change.Leaves, change.Request, change.Asker, change.Kept = t.Filled, o.Leaves, c.Ref, c.Session, kept
	e.tell(msg.Amended, h, o, t, o.Leaves).SetChange(&change)
}
