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
	if e.house.Account(c.Account) != nil {
		e.touch(c.Account)
	}
	r, reduce, wait := e.gate.Enter(&c.Request, c.Time, riskgate.Orders, true)
	if r == 0 && c.Instr == 0 {
		r = msg.RejectUnknownInstrument
	}
	if r != 0 {
		e.refuse(c, r, int64(wait), 0)
		return
	}
	b, in := e.books[c.Instr], &e.instruments[c.Instr]
	o := riskgate.Order{Account: c.Account, Instr: c.Instr, Side: c.Side, Limit: c.Price, Qty: c.Qty,
		Market: c.Kind == msg.KindMarket, ReduceOnly: c.Flags&msg.FlagReduceOnly != 0,
		Reduce: reduce, Rests: c.TIF == msg.GTC || c.TIF == msg.GTD}
	if c.Flags&msg.FlagSlide != 0 {
		o.Limit = slide(b, in, c.Side, c.Price)
	}
	if r := e.gate.Admit(&o); r != 0 {
		e.refuse(c, r, o.Bound, o.Actual)
		return
	}
	t := book.Taker{Limit: o.Limit, Leaves: o.Qty, Now: c.Time, Owner: e.house.Account(c.Account).Owner,
		Room: e.room(), Side: c.Side, STP: resolve(c.STP, in)}
	if r := e.bookSays(c, b, &o, &t); r != 0 {
		e.refuse(c, r, 0, 0)
		return
	}

	// Nothing below refuses.
	row := o.Row
	if row == 0 {
		row = e.house.Take(c.Account, c.Instr)
	}
	h := e.store.Alloc()
	order := e.store.Order(h)
	order.Price, order.Leaves, order.Ref = o.Limit, o.Qty, c.Ref
	order.Account, order.Owner, order.Instr, order.Session, order.Side = c.Account, t.Owner, c.Instr, c.Session, c.Side
	order.Flags = flags(c, &o, t.STP)
	if c.TIF == msg.GTD {
		e.store.SetExpire(h, c.OrderExt().Expire)
	}
	ev := e.emit(msg.Accepted)
	ev.Order, ev.Ref, ev.Price, ev.Qty = e.store.ID(h), c.Ref, o.Limit, o.Qty
	ev.Account, ev.Instr, ev.Session, ev.Side = c.Account, c.Instr, c.Session, c.Side
	e.work(c, b, in, h, order, row, &t, &o, o.Rests)
}

// work lets an order that has been taken in trade, and then rest where it may, or be canceled.
func (e *Engine) work(c *msg.Command, b *book.Book, in *market.Instrument, h uint32, order *book.Order, row uint32, t *book.Taker, o *riskgate.Order, rests bool) {
	t.Stop, e.working = book.StopDone, row
	if b.Crosses(t.Side, t.Limit) {
		e.match(b, in, h, row, order, t)
	}
	if t.Leaves > 0 {
		if rests && t.Stop == book.StopDone {
			order.Leaves, e.working = t.Leaves, 0
			b.Link(h)
			e.house.Add(resting(h, order), row, in, o.Terms, t.Leaves)
			return
		}
		order.Leaves = t.Leaves
		e.dropRest(c, h, order, t)
	}
	e.store.Free(h)
	e.working = 0
	e.house.Tidy(row)
}

// dropRest tells of the lots of a taker that neither traded nor may rest.
func (e *Engine) dropRest(c *msg.Command, h uint32, order *book.Order, t *book.Taker) {
	reason := msg.CanceledRemainder
	switch t.Stop {
	case book.StopSelf:
		reason = msg.CanceledBySTP
	case book.StopBound:
		reason = msg.CanceledEventBound
	}
	e.canceled(h, order, t.Leaves, 0, reason, c)
}

// bookSays asks what only the book and the tables can refuse: crossing, fillability, room.
func (e *Engine) bookSays(c *msg.Command, b *book.Book, o *riskgate.Order, t *book.Taker) msg.Reject {
	if c.Flags&msg.FlagPostOnly != 0 && b.Crosses(c.Side, o.Limit) {
		return msg.RejectWouldCross
	}
	need := fixed.Lots(0)
	if c.TIF == msg.FOK {
		need = o.Qty
	} else if c.Kind == msg.KindPlace {
		need = min(c.OrderExt().Min, o.Qty)
	}
	if need > 0 && !b.Fillable(t, need) {
		return msg.RejectUnfillable
	}
	if o.Row == 0 && !e.house.CanTake(c.Account) || e.store.Live() == e.limits.Orders ||
		o.Rests && !b.CanRest(c.Side, o.Limit) {
		return msg.RejectTableFull
	}
	return 0
}

// slide is the price of a sliding order: its own, or one step behind the opposite best.
func slide(b *book.Book, in *market.Instrument, side msg.Side, price fixed.Ticks) fixed.Ticks {
	best, ok := b.Best(side.Opposite())
	step := max(in.PriceStep, 1)
	if !ok || !b.Crosses(side, price) {
		return price
	}
	if side == msg.Buy {
		return best - step
	}
	return best + step
}

// resolve is the self-trade prevention that an order asks for, by its instrument's default where it says nothing.
func resolve(m msg.STP, in *market.Instrument) msg.STP {
	if m == msg.STPDefault {
		return in.STP
	}
	return m
}

func flags(c *msg.Command, o *riskgate.Order, stp msg.STP) book.Flags {
	f := book.Flags(0).WithSTP(stp)
	if o.ReduceOnly {
		f |= book.ReduceOnly
	}
	if c.Flags&msg.FlagPostOnly != 0 {
		f |= book.PostOnly
	}
	if c.Flags&msg.FlagSlide != 0 {
		f |= book.Slide
	}
	return f
}

// resting is an order of the book as clearing sees it.
func resting(h uint32, o *book.Order) clearing.Resting {
	return clearing.Resting{Order: h, Side: o.Side, ReduceOnly: o.Flags&book.ReduceOnly != 0, Limit: o.Price}
}
