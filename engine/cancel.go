package engine

import (
	"github.com/lockstep-exchange/lockstep/book"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/riskgate"
)

// cancel takes one order out.
func (e *Engine) cancel(c *msg.Command) {
	var o riskgate.Order
	if r := e.gate.Enter(&c.Request, &o, riskgate.Cancels, false); r != 0 {
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
	e.take(e.books[c.Instr], o.Instrument, h, msg.CanceledByUser, c)
}

// find is the resting order that a command of its account names.
func (e *Engine) find(c *msg.Command) (h uint32, r msg.Reject) {
	h = e.store.Find(c.Order)
	if h == 0 {
		if row := c.Order.Handle(); row != 0 && row <= e.limits.Orders && c.Order.Generation() < e.store.Order(row).Gen {
			return 0, msg.RejectTooLate
		}
		return 0, msg.RejectUnknownOrder
	}
	t := e.store.Ticket(h)
	switch {
	case t.Account != c.Account || t.Instr != c.Instr:
		return 0, msg.RejectUnknownOrder
	case e.store.Order(h).Flags&book.Expires != 0 && e.store.Expire(h) <= e.now: // so many expired that this one still stands
		return 0, msg.RejectTooLate
	}
	return h, 0
}

// take takes a resting order out, frees what it set aside and tells its owner. c is the command that asked for it, or nil.
// The account has been touched.
func (e *Engine) take(b *book.Book, in *market.Instrument, h uint32, reason msg.Reason, c *msg.Command) {
	o, t := e.store.Order(h), e.store.Ticket(h)
	row := e.house.Claim(h).Position
	e.canceled(h, o, t, o.Leaves, 0, reason, c)
	e.remove(b, in, h, o, t, row)
}

// remove takes a resting order out of book, clearing and jobs, and frees its row.
func (e *Engine) remove(b *book.Book, in *market.Instrument, h uint32, o *book.Order, t *book.Ticket, row uint32) {
	if e.jobs.walks != 0 {
		e.jobs.leave(e.house, h)
	}
	b.Unlink(h)
	e.house.Remove(resting(h, o, t.Price), in, o.Leaves)
	e.store.Free(h)
	e.tidy(row)
}

// canceled tells that qty lots of an order were canceled and leaves are open; c is the command that asked for it, or nil.
func (e *Engine) canceled(h uint32, o *book.Order, t *book.Ticket, qty, leaves fixed.Lots, reason msg.Reason, c *msg.Command) {
	var change msg.Change
	change.Filled, change.Leaves = t.Filled, leaves
	if c != nil {
		change.Request, change.Asker = c.Ref, c.Session
	}
	ev := e.tell(msg.Canceled, h, o, t, qty)
	ev.Reason = reason
	ev.SetChange(&change)
}
