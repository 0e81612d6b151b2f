package engine

import (
	"github.com/lockstep-exchange/lockstep/book"
	"github.com/lockstep-exchange/lockstep/msg"
)

// The short way of what most commands are: a plain order that meets nobody and rests, and the cancel of one. It goes through
// the same rooms as the long way and does the same, but asks of each only what a plain order of a plain account in a plain
// instrument needs to be asked. It never refuses: what it cannot say yes to goes the long way from the start, and nothing
// has changed. A test walks every command of a random day both ways and finds equal events and equal states.

// restPlain is place for a plain order; false: nothing was done.
func (e *Engine) restPlain(c *msg.Command) bool {
	a, in, p, row, n := e.gate.Rests(&c.Request)
	if a == nil {
		return false
	}
	b := e.books[c.Instr]
	if b.Crosses(c.Side, c.Price) || !e.store.Roomy() {
		return false
	}
	reserved, requirement, loss, most, ok := p.Exposure.Rest(in, c.Side, c.Price, c.Qty, n, e.house.Bound())
	if !ok || !e.gate.Covers(a, p, requirement) {
		return false
	}

	e.gate.Take(&c.Request)
	e.house.Witness(c.Instr, most)
	h := e.store.Alloc()
	o, t := e.store.Order(h), e.store.Ticket(h)
	o.Leaves, o.Owner, o.Session, o.Side = c.Qty, a.Owner, c.Session, c.Side
	t.Price, t.Filled, t.Ref, t.Account, t.Instr = c.Price, 0, c.Ref, c.Account, c.Instr
	o.Flags = book.Flags(0).WithSTP(resolve(c.STP, in))
	e.tell(msg.Accepted, h, o, t, c.Qty)
	b.Link(h, c.Side, c.Price)
	claim := e.house.Rest(h, row, a, p, c.Side, c.Qty, reserved, requirement)
	claim.Loss, claim.Fee = loss, uint32(in.Reserve)
	return true
}

// cancelPlain is cancel for a plain order; false: nothing was done.
func (e *Engine) cancelPlain(c *msg.Command) bool {
	a, in := e.gate.Passes(&c.Request)
	if a == nil || e.jobs.count != 0 {
		return false
	}
	h := e.store.Find(c.Order)
	if h == 0 {
		return false
	}
	o, t, claim := e.store.Order(h), e.store.Ticket(h), e.house.Claim(h)
	if t.Account != c.Account || t.Instr != c.Instr || o.Flags&(book.ReduceOnly|book.Expires) != 0 {
		return false
	}
	p := e.house.Position(claim.Position)
	if p.Asks != 0 {
		return false
	}

	e.gate.Take(&c.Request)
	ev := e.tell(msg.Canceled, h, o, t, o.Leaves)
	ev.Reason = msg.CanceledByUser
	r := &ev.Rare
	r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7] = uint64(t.Filled), 0, uint64(c.Ref), uint64(c.Session), 0, 0, 0, 0
	side, leaves := o.Side, o.Leaves
	e.books[c.Instr].Unlink(h)
	e.store.Free(h)
	if e.house.Leave(claim, a, p, in, side, leaves) {
		e.house.Tidy(claim.Position)
	}
	return true
}
