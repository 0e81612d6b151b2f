package engine

import (
	"github.com/lockstep-exchange/lockstep/book"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/riskgate"
)

// askOrder says how an order of an account stands. It changes nothing but the account's quota.
func (e *Engine) askOrder(c *msg.Command) {
	var o riskgate.Order
	if r := e.gate.Enter(&c.Request, &o, riskgate.Orders, false); r != 0 {
		e.refuse(c, r, o.Bound, o.Actual)
		return
	}
	h, r := e.asksFor(c)
	if r != 0 {
		e.refuse(c, r, 0, 0)
		return
	}

	e.state(h, c.Ref, c.Session, false)
}

// state says how a resting order stands, to who has asked.
func (e *Engine) state(h uint32, request msg.Ref, asker msg.SessionID, more bool) {
	order, ticket := e.store.Order(h), e.store.Ticket(h)
	s := msg.Standing{Filled: ticket.Filled, Request: request, STP: order.Flags.STP(), More: more}
	if order.Flags&book.Expires != 0 {
		s.TIF = msg.GTD
	}
	for _, f := range [...]struct {
		on   bool
		flag msg.Flags
	}{
		{order.Flags&book.PostOnly != 0, msg.FlagPostOnly}, {order.Flags&book.Slide != 0, msg.FlagSlide},
		{order.Flags&book.ReduceOnly != 0, msg.FlagReduceOnly}, {e.store.Tag(h).Persist, msg.FlagPersist},
		{e.house.Position(e.house.Claim(h).Position).Mode != 0, msg.FlagIsolated},
	} {
		if f.on {
			s.Flags |= f.flag
		}
	}
	ev := e.tell(msg.OrderStated, h, order, ticket, order.Leaves)
	ev.Session = asker
	ev.SetStanding(s)
}

// listMax is how many orders of a list one command states.
const listMax = 32

// askOrders says how all orders of an account stand that rest now, the latest first. A command states a few; the rest is a job that the
// next ones go on with.
func (e *Engine) askOrders(c *msg.Command) {
	var o riskgate.Order
	r := e.gate.Enter(&c.Request, &o, riskgate.Orders, false)
	switch has, full := e.jobs.lists(c.Account); {
	case r != 0:
	case has:
		r = msg.RejectRateLimited // one at a time; it ends within a few commands
	case full:
		r = msg.RejectTableFull
	}
	if r != 0 {
		e.refuse(c, r, o.Bound, o.Actual)
		return
	}

	j := job{scope: msg.ScopeAccount, account: c.Account, asker: c.Account, ref: c.Ref, session: c.Session,
		cursor: e.house.Account(c.Account).Orders, reason: noReason, lists: true}
	if e.stateNext(&j, max(1, min(listMax, e.spare()))); j.cursor != 0 {
		e.jobs.push(j)
	}
}

// stateNext states the next orders of a list, n of them at most; the cursor is 0 behind the last one. A list of nothing, or whose last orders have gone
// before their turn, ends with the statement of none.
func (e *Engine) stateNext(j *job, n int) {
	if j.cursor == 0 {
		ev := e.emit(msg.OrderStated)
		ev.Account, ev.Session = j.asker, j.session
		ev.SetStanding(msg.Standing{Request: j.ref})
		return
	}
	for ; n > 0 && j.cursor != 0; n-- {
		h := j.cursor
		j.cursor = e.house.Claim(h).Next
		e.state(h, j.ref, j.session, j.cursor != 0)
	}
}

// asksFor is the resting order that a question of its account names.
func (e *Engine) asksFor(c *msg.Command) (h uint32, r msg.Reject) {
	if c.Order != 0 {
		if c.Placed() != 0 {
			return 0, msg.RejectValueOutOfRange
		}
		named := *c
		if h = e.store.Find(c.Order); h != 0 {
			named.Instr = e.store.Ticket(h).Instr // a question need not say it
		}
		return e.find(&named)
	}
	if c.Placed() == 0 {
		return 0, msg.RejectValueOutOfRange
	}
	looked := 0
	for h = e.house.Account(c.Account).Orders; h != 0 && looked < claimsMax; h = e.house.Claim(h).Next {
		if looked++; e.store.Ticket(h).Ref == c.Placed() {
			return h, 0
		}
	}
	return 0, msg.RejectUnknownOrder
}
