package engine

import (
	"github.com/lockstep-exchange/lockstep/book"
	"github.com/lockstep-exchange/lockstep/clearing"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/riskgate"
)

// place takes a new order in: refuse, or accept, match, and let rest or cancel what is left.
func (e *Engine) place(c *msg.Command) {
	if r := riskgate.Formed(&c.Request); r != 0 {
		e.refuse(c, r, 0, 0)
		return
	}
	var o riskgate.Order
	r := e.gate.Enter(&c.Request, &o, riskgate.Orders, true)
	if r == 0 && o.Instrument == nil {
		r = msg.RejectUnknownInstrument
	}
	if r != 0 {
		e.refuse(c, r, o.Bound, o.Actual)
		return
	}
	if !e.house.Current(o.Account) {
		e.touch(c.Account)
	}
	if _, r := e.takeIn(c, e.books[c.Instr], &o, msg.Accepted, 0); r != 0 {
		e.refuse(c, r, o.Bound, o.Actual)
	}
}

// takeIn asks gate and book whether they take an order that has come in, and takes it in: it tells that, lets it trade, and lets rest or cancels
// what is left. group is its group of market-maker protection, 0 for none. A reject that the gate did not give has no bound in o.
func (e *Engine) takeIn(c *msg.Command, b *book.Book, o *riskgate.Order, told msg.EventKind, group uint16) (msg.OrderID, msg.Reject) {
	in := o.Instrument
	o.Side, o.Limit, o.Qty, o.Rests = c.Side, c.Price, c.Qty, c.TIF == msg.GTC || c.TIF == msg.GTD
	if c.Flags != 0 || c.Kind != msg.KindLimit {
		widen(o, c, b)
	}
	if r := e.gate.Admit(&c.Request, o); r != 0 {
		return 0, r
	}
	crosses := b.Crosses(c.Side, o.Limit)
	if crosses || c.Kind != msg.KindLimit || c.TIF == msg.FOK || o.Row == 0 || !e.store.Roomy() {
		if r := e.bookSays(c, b, o, crosses); r != 0 {
			o.Bound, o.Actual = 0, 0
			return 0, r
		}
	}

	// Nothing below refuses.
	e.house.Witness(c.Instr, o.Most)
	if o.Row == 0 {
		o.Row = e.house.Take(c.Account, c.Instr)
	}
	h := e.store.Alloc()
	order, ticket := e.store.Order(h), e.store.Ticket(h)
	ticket.Price, ticket.Filled, ticket.Ref, ticket.Account, ticket.Instr = o.Limit, 0, c.Ref, c.Account, c.Instr
	order.Leaves, order.Owner, order.Session, order.Side = o.Qty, o.Account.Owner, c.Session, c.Side
	order.Flags = flags(c.Flags, o.ReduceOnly).WithSTP(resolve(c.STP, in))
	if o.Asks != 0 && !o.ReduceOnly {
		order.Flags |= book.Posts
	}
	if c.Flags&msg.FlagPersist != 0 || group != 0 {
		e.store.SetTag(h, book.Tag{Persist: c.Flags&msg.FlagPersist != 0, Group: group})
	}
	if c.TIF == msg.GTD {
		expire := c.OrderExt().Expire
		e.store.SetExpire(h, expire)
		e.wake = min(e.wake, expire)
	}
	id := e.store.ID(h)
	ev := e.tell(told, h, order, ticket, o.Qty)
	if told != msg.Accepted {
		ev.Rare = msg.Rare{}
	}
	if o.Asks != 0 {
		e.seclude(h, o)
	}
	if crosses || !o.Rests || o.ReduceOnly || o.Asks != 0 {
		e.work(c, b, h, order, ticket, o, crosses)
		return id, 0
	}
	b.Link(h, o.Side, o.Limit)
	e.house.AddWhole(h, o.Row, o.Account, &o.Terms, o.Reserved, &o.Exposure, o.Requirement)
	return id, 0
}

// widen is what kind and flags say of an order besides its terms.
//
//go:noinline
func widen(o *riskgate.Order, c *msg.Command, b *book.Book) {
	o.Market, o.ReduceOnly = c.Kind == msg.KindMarket, c.Flags&msg.FlagReduceOnly != 0
	if c.Flags&msg.FlagSlide != 0 {
		o.Limit = slide(b, o.Instrument, c.Side, c.Price)
	}
	if c.Flags&msg.FlagIsolated != 0 {
		o.Asks, o.Meets = market.AskMode, meets(b, c.Side)
	}
}

// work lets an order that has been taken in, or suspended to be amended, trade, and then rest where it may, or be canceled.
func (e *Engine) work(c *msg.Command, b *book.Book, h uint32, order *book.Order, ticket *book.Ticket, o *riskgate.Order,
	crosses bool) {
	t := e.taker(order, o)
	if crosses {
		e.working = o.Row
		e.match(b, o.Instrument, h, o.Row, order, ticket, &t)
		e.working = 0
	}
	if order.Leaves = t.Leaves; t.Leaves > 0 {
		if o.Rests && t.Stop == book.StopDone {
			b.Link(h, o.Side, o.Limit)
			if o.Old.Order != 0 {
				e.house.Resume(resting(h, order, ticket.Price), o.Instrument, o.Terms, t.Leaves)
			} else {
				e.house.Add(resting(h, order, ticket.Price), o.Row, o.Instrument, o.Terms, t.Leaves)
			}
			return
		}
		e.dropRest(c, h, order, ticket, &t)
	}
	if o.Old.Order != 0 {
		e.jobs.leave(e.house, h)
		e.house.Unlist(resting(h, order, ticket.Price))
	}
	e.store.Free(h)
	e.house.Tidy(o.Row)
}

// taker is an order as the book matches it.
func (e *Engine) taker(order *book.Order, o *riskgate.Order) (t book.Taker) {
	t.Limit, t.Leaves, t.Now, t.Owner, t.Side = o.Limit, o.Qty, e.now, order.Owner, order.Side
	t.Stop, t.STP, t.Room = book.StopDone, order.Flags.STP(), e.room(0)
	return t
}

// dropRest tells of the lots of a taker that neither traded nor may rest.
func (e *Engine) dropRest(c *msg.Command, h uint32, order *book.Order, ticket *book.Ticket, t *book.Taker) {
	reason := msg.CanceledRemainder
	switch t.Stop {
	case book.StopSelf:
		reason = msg.CanceledBySTP
	case book.StopBound:
		reason = msg.CanceledEventBound
	}
	e.canceled(h, order, ticket, t.Leaves, 0, reason, c)
}

// bookSays asks what only the book and the tables can refuse: crossing, fillability, room.
//
//go:noinline
func (e *Engine) bookSays(c *msg.Command, b *book.Book, o *riskgate.Order, crosses bool) msg.Reject {
	if crosses && c.Flags&(msg.FlagPostOnly|msg.FlagSlide) != 0 {
		return msg.RejectWouldCross
	}
	need := fixed.Lots(0)
	if c.TIF == msg.FOK {
		need = o.Qty
	} else if c.Kind == msg.KindPlace {
		need = min(c.OrderExt().Min, o.Qty)
	}
	if need > 0 {
		t := book.Taker{Limit: o.Limit, Leaves: o.Qty, Now: c.Time, Owner: o.Account.Owner, Room: e.room(1), Side: c.Side,
			STP: resolve(c.STP, o.Instrument)}
		if !e.fillable(b, o.Instrument, &t, need) {
			return msg.RejectUnfillable
		}
	}
	if o.Row == 0 && !e.house.CanTake(c.Account) || e.store.Live() == e.limits.Orders ||
		o.Rests && !b.CanRest(c.Side, o.Limit) {
		return msg.RejectTableFull
	}
	return 0
}

// slide is the price of a sliding order: its own, or the first step behind the opposite best. It stays its own where that is off
// the step, for the gate to refuse, and where there is no price behind the best, and so crosses.
func slide(b *book.Book, in *market.Instrument, side msg.Side, price fixed.Ticks) fixed.Ticks {
	best, ok := b.Best(side.Opposite())
	if !ok || !b.Crosses(side, price) || !fixed.MultipleOf(price, in.PriceStep) {
		return price
	}
	behind := fixed.RoundDown(best, in.PriceStep) + in.PriceStep
	if side == msg.Buy {
		behind = fixed.RoundDown(best-1, in.PriceStep)
	}
	if behind <= 0 || behind > riskgate.MaxPrice {
		return price
	}
	return behind
}

// meets is the price that an isolated sell may trade at although its limit is lower: the best bid (M-22).
func meets(b *book.Book, side msg.Side) fixed.Ticks {
	if side == msg.Buy {
		return 0
	}
	best, _ := b.Best(msg.Buy)
	return best
}

// resolve is the self-trade prevention that an order asks for, by its instrument's default where it says nothing.
func resolve(m msg.STP, in *market.Instrument) msg.STP {
	if m == msg.STPDefault {
		return in.STP
	}
	return m
}

// flags are the book's of an order with an asker's flags.
func flags(f msg.Flags, reduceOnly bool) (flags book.Flags) {
	if reduceOnly {
		flags |= book.ReduceOnly
	}
	if f&msg.FlagPostOnly != 0 {
		flags |= book.PostOnly
	}
	if f&msg.FlagSlide != 0 {
		flags |= book.Slide
	}
	return flags
}

// resting is an order of the book as clearing sees it.
func resting(h uint32, o *book.Order, price fixed.Ticks) clearing.Resting {
	return clearing.Resting{Order: h, Side: o.Side, ReduceOnly: o.Flags&book.ReduceOnly != 0, Limit: price}
}
