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

	order, ticket := e.store.Order(h), e.store.Ticket(h)
	s := msg.Standing{Filled: ticket.Filled, Request: c.Ref, STP: order.Flags.STP()}
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
	ev.Session = c.Session
	ev.SetStanding(s)
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
