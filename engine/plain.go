package engine

import (
	"github.com/lockstep-exchange/lockstep/book"
	"github.com/lockstep-exchange/lockstep/clearing"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/riskgate"
)

// The short way of what most commands are: a plain order that rests or trades, and the amend or cancel of one that rests. It goes through
// the same rooms as the long way and does the same, but asks of each only what a plain order of a plain account in a plain
// instrument needs to be asked. It never refuses: what it cannot say yes to goes the long way from the start, and nothing
// has changed. A test walks every command of a random day both ways and finds equal events and equal states.

// placePlain is place for a plain order; false: nothing was done.
func (e *Engine) placePlain(c *msg.Command) bool {
	a, in, last, n := e.gate.Rests(&c.Request)
	if a == nil || !e.store.Roomy() {
		return false
	}
	b, h := e.books[c.Instr], e.store.Next()
	resting := h
	if b.Crosses(c.Side, c.Price) || c.TIF != msg.GTC {
		resting = 0
	}
	row := e.house.FindAtHome(c.Account, c.Instr)
	if row == 0 {
		if row = e.house.Seat(c.Account, c.Instr); row == 0 {
			return false
		}
	}
	if !e.house.Rest(resting, row, a, in, c.Side, c.Price, c.Qty, n) {
		e.house.Tidy(row)
		return false
	}

	// What the command says is read once and told to order, ticket and event from registers.
	ref, price, qty, account, instr, session, side := c.Ref, c.Price, c.Qty, c.Account, c.Instr, c.Session, c.Side
	riskgate.Take(last, ref)
	o, t := e.store.Take(h)
	o.Leaves, o.Owner, o.Session, o.Side, o.Flags = qty, a.Owner, session, side, book.Flags(0).WithSTP(resolve(c.STP, in))
	t.Price, t.Filled, t.Ref, t.Account, t.Instr = price, 0, ref, account, instr
	ev := e.event()
	ev.Order, ev.Ref, ev.Price, ev.Qty = msg.OrderID(o.Gen)<<32|msg.OrderID(h), ref, price, qty
	ev.Account, ev.Instr, ev.Session, ev.Side = account, instr, session, side
	ev.Kind, ev.Reason, ev.Reject = msg.Accepted, 0, 0
	if resting == 0 {
		e.workPlain(c, b, a, in, h, row, o, t)
		return true
	}
	b.Link(h, side, price)
	return true
}

// workPlain is work for a new plain order that crosses, or may not rest.
func (e *Engine) workPlain(c *msg.Command, b *book.Book, a *clearing.Account, in *market.Instrument, h, row uint32, o *book.Order, t *book.Ticket) {
	taker := book.Taker{Limit: c.Price, Leaves: c.Qty, Now: e.now, Owner: o.Owner, Room: e.room(0), Side: c.Side, STP: o.Flags.STP()}
	e.working = row
	e.match(b, in, h, row, o, t, &taker)
	e.working = 0
	if o.Leaves = taker.Leaves; taker.Leaves > 0 {
		if c.TIF == msg.GTC && taker.Stop == book.StopDone {
			b.Link(h, c.Side, c.Price)
			e.house.Stay(h, row, a, in, c.Side, c.Price, taker.Leaves)
			return
		}
		e.dropRest(c, h, o, t, &taker)
	}
	e.store.Free(h)
	e.house.Tidy(row)
}

// cancelPlain is cancel for a plain order; false: nothing was done.
func (e *Engine) cancelPlain(c *msg.Command) bool {
	a, _, last := e.gate.Passes(&c.Request, riskgate.MayCancel)
	if a == nil || e.jobs.walks != 0 {
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

	riskgate.Take(last, c.Ref)
	ev := e.tell(msg.Canceled, h, o, t, o.Leaves)
	ev.Reason = msg.CanceledByUser
	r := &ev.Rare
	r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7] = uint64(t.Filled), 0, uint64(c.Ref), uint64(c.Session), 0, 0, 0, 0
	side, leaves := o.Side, o.Leaves
	e.books[c.Instr].Remove(h)
	if e.house.Leave(claim, a, p, side, leaves) {
		e.house.Tidy(claim.Position)
	}
	return true
}

// amendPlain is amend for a plain order that loses its place and rests; false: nothing was done.
func (e *Engine) amendPlain(c *msg.Command) bool {
	a, in, last := e.gate.Passes(&c.Request, riskgate.MayOrder)
	if a == nil || c.Flags&^msg.FlagLeaves != 0 || uint64(c.Qty-1) >= uint64(riskgate.MaxQty) {
		return false
	}
	h := e.store.Find(c.Order)
	if h == 0 {
		return false
	}
	o, t := e.store.Order(h), e.store.Ticket(h)
	leaves := c.Qty
	if c.Flags == 0 {
		leaves -= t.Filled
	}
	const unusual = book.ReduceOnly | book.Expires | book.PostOnly | book.Slide
	if t.Account != c.Account || t.Instr != c.Instr || o.Flags&unusual != 0 || c.Price == t.Price && leaves < o.Leaves {
		return false
	}
	side, b := o.Side, e.books[c.Instr]
	n, ok := e.gate.Moves(a, in, side, c.Price, leaves)
	if !ok || !e.store.Roomy() || b.Crosses(side, c.Price) ||
		!e.house.Move(e.house.Claim(h), a, in, side, c.Price, leaves, o.Leaves, n) {
		return false
	}

	riskgate.Take(last, c.Ref)
	b.Unlink(h)
	t.Price, o.Leaves = c.Price, leaves
	r := &e.tell(msg.Amended, h, o, t, leaves).Rare
	r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7] = uint64(t.Filled), uint64(leaves), uint64(c.Ref), uint64(c.Session), 0, 0, 0, 0
	b.Link(h, side, c.Price)
	return true
}
