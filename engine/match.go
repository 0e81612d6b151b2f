package engine

import (
	"github.com/lockstep-exchange/lockstep/book"
	"github.com/lockstep-exchange/lockstep/clearing"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

const (
	// A maker that is met brings at most six events: what it may not trade, its funding, its vested rebate, both sides of the trade
	// and the margin that it moves, or its funding, its rebate and its end.
	eventsPerMaker = 6
	// What a command may tell besides: its acceptance, its remainder, its own rebate, the margin that it moves, what an
	// isolated position could not pay.
	eventsBesides = 16
)

// room is how many makers this command may still meet once it has told more events.
func (e *Engine) room(more int) int {
	return (int(e.limits.Events) - (e.told - e.first) - more - eventsBesides - e.kept) / eventsPerMaker
}

// match lets a taker trade and settles both sides of each trade, maker by maker.
func (e *Engine) match(b *book.Book, in *market.Instrument, h uint32, row uint32, order *book.Order, ticket *book.Ticket, t *book.Taker) {
	p := e.house.Position(row)
	before, filled := p.Qty, ticket.Filled
	k := taking{order: order, ticket: ticket, h: h, leaves: t.Leaves, plain: trades(in, p)}
	k.Instrument, k.Row, k.Side = in, row, t.Side
	t.Wary = wary(b, in, t.Side.Opposite())
	for {
		e.fills = b.Match(t, e.fills[:0])
		if e.afar {
			e.foreseeFills(ticket.Account, row)
		}
		e.settleFills(&k, t)
		if e.guards.live != 0 {
			e.guardFills(ticket.Instr, t.Side.Opposite())
		}
		if t.Stop != book.StopAsk {
			break
		}
		e.ask(b, in, t)
	}
	if group := uint16(0); e.guards.live != 0 {
		if group = e.store.Tag(h).Group; group != 0 {
			e.guardTrade(ticket.Account, group, ticket.Instr, t.Side, ticket.Filled-filled, order.Session)
		}
	}
	e.house.Settle(row, in)
	e.shed(row, p.Qty-before)
	if t.Decremented > 0 {
		order.Leaves = t.Leaves
		e.canceled(h, order, ticket, t.Decremented, t.Leaves, msg.CanceledBySTP, nil)
	}
	if p.Asks&market.AskMode != 0 {
		e.tellMoved(ticket.Account, ticket.Instr, e.house.TakeMoved())
	}
	if e.house.Short() != 0 {
		e.cover()
	}
}

// settleFills settles what a match did, maker by maker.
func (e *Engine) settleFills(k *taking, t *book.Taker) {
	for n := 0; ; n++ {
		if k.plain {
			n += e.settlePlain(k, e.fills[n:])
			e.house.EndTaking(&k.Taking)
		}
		if n == len(e.fills) {
			return
		}
		f := &e.fills[n]
		if f.Kind == book.Trade || f.Kind == book.SelfReduced || f.Kind == book.SelfCanceled && t.STP == msg.STPDecrement {
			k.leaves -= f.Qty
		}
		if f.Kind == book.Trade {
			e.trade(k.Instrument, k.h, k.Row, k.order, k.ticket, t, f, k.leaves)
		} else {
			e.displaced(k.Instrument, t.Side.Opposite(), f)
		}
	}
}

// trade settles one trade and tells both sides, the maker's first.
func (e *Engine) trade(in *market.Instrument, h, row uint32, order *book.Order, ticket *book.Ticket, t *book.Taker, f *book.Fill,
	leaves fixed.Lots) {
	e.trades++
	if !e.house.Current(e.house.Account(f.Account)) {
		e.touch(f.Account)
	}
	e.house.Tighten(ticket.Account)
	n := fixed.Money(int64(f.Qty) * int64(f.Price) * int64(in.TickLot))
	taker, maker := clearing.Charge(in, n, f.Owner == t.Owner)
	if in.Asks&market.AskFees != 0 {
		taker, maker = e.house.ChargeOwners(n, t.Owner, f.Owner)
	}
	e.house.Collect(taker, maker, f.Account)

	in.Last = f.Price
	if in.MarkMode == msg.MarkComposite {
		e.witness(ticket.Instr, t, f)
	}
	makerRow := e.house.Claim(f.Handle).Position
	paid := max(maker, 0)
	realized := e.house.FillResting(makerOf(f, t.Side), in, f.Qty, f.Leaves, f.Price, paid)
	e.house.State(f.Account, realized, paid)
	ev := e.emit(msg.Traded)
	ev.Order, ev.Ref, ev.Price, ev.Qty = f.Maker, f.Ref, f.Price, f.Qty
	ev.Account, ev.Instr, ev.Session, ev.Side = f.Account, ticket.Instr, f.Session, t.Side.Opposite()
	var fill msg.Fill
	fill.Leaves, fill.Filled, fill.Trade, fill.Peer = f.Leaves, f.Filled, e.trades, e.store.ID(h)
	fill.Fee, fill.Realized, fill.Position, fill.Maker = maker, realized, e.house.Position(makerRow).Qty, true
	ev.SetFill(&fill)

	delta := f.Qty
	if t.Side == msg.Sell {
		delta = -delta
	}
	e.shed(makerRow, -delta)
	realized = e.house.Fill(h, row, in, delta, f.Price, taker)
	e.house.State(ticket.Account, realized, taker)
	ticket.Filled += f.Qty
	ev = e.tell(msg.Traded, h, order, ticket, f.Qty)
	ev.Price = f.Price
	fill.Leaves, fill.Filled, fill.Peer = leaves, ticket.Filled, f.Maker
	fill.Fee, fill.Realized, fill.Position, fill.Maker = taker, realized, e.house.Position(row).Qty, false
	ev.SetFill(&fill)

	if e.house.Position(makerRow).Asks&market.AskMode != 0 {
		e.tellMoved(f.Account, ticket.Instr, e.house.TakeMovedResting())
	}
	if f.Leaves == 0 {
		if e.jobs.walks != 0 {
			e.jobs.leave(e.house, f.Handle)
		}
		e.tidy(makerRow)
	}
}

// makerOf is the maker of a fill as clearing sees it.
func makerOf(f *book.Fill, taker msg.Side) clearing.Resting {
	return clearing.Resting{Order: f.Handle, Side: taker.Opposite(), ReduceOnly: f.Flags&book.ReduceOnly != 0, Limit: f.Price}
}

// tidy gives a position back if nothing is left in it, unless an order of it is being worked.
func (e *Engine) tidy(row uint32) {
	if row != e.working {
		e.house.Tidy(row)
	}
}

// displaced settles a maker that matching found expired, or that self-trade prevention took out or cut.
//
//go:noinline
func (e *Engine) displaced(in *market.Instrument, side msg.Side, f *book.Fill) {
	e.touch(f.Account)
	maker := makerOf(f, side.Opposite())
	row := e.house.Claim(f.Handle).Position
	kind := msg.Canceled
	if f.Kind == book.MakerExpired {
		kind = msg.Expired
	}
	ev := e.emit(kind)
	ev.Order, ev.Ref, ev.Price, ev.Qty = f.Maker, f.Ref, f.Price, f.Qty
	ev.Account, ev.Instr, ev.Session, ev.Side = f.Account, msg.InstrumentID(e.house.Position(row).Instr), f.Session, side
	if kind == msg.Canceled {
		ev.Reason = msg.CanceledBySTP
	}
	ev.SetChange(&msg.Change{Filled: f.Filled, Leaves: f.Leaves})
	if f.Leaves > 0 {
		e.house.Shrink(maker, in, f.Qty, f.Leaves)
		return
	}
	e.jobs.leave(e.house, f.Handle)
	e.house.Remove(maker, in, f.Qty)
	e.tidy(row)
}

// wary is of whom a match has to ask: where the best maker of a side strays, of each, until one does not.
func wary(b *book.Book, in *market.Instrument, makers msg.Side) book.Flags {
	if best, ok := b.Best(makers); ok && in.Strays(makers, best) {
		return book.Posts
	}
	return 0
}

// stray asks whether a maker of a wary taker strays, and cancels one that does and would cost its pool more than it has; then it reports
// false.
func (e *Engine) stray(b *book.Book, in *market.Instrument, t *book.Taker, order *book.Order, ticket *book.Ticket) bool {
	h := t.Ask
	if !in.Strays(order.Side, ticket.Price) {
		t.Wary = 0 // those behind it are nearer to the mark
		return true
	}
	lots, fee := order.Leaves, in.Maker
	if in.Asks&market.AskFees != 0 {
		fee = e.house.FeesOf(order.Owner).Maker
	}
	if order.Flags&book.ReduceOnly != 0 {
		held := e.house.Position(e.house.Claim(h).Position).Qty
		if order.Side == msg.Buy {
			held = -held
		}
		lots = min(lots, max(0, held))
	}
	if e.house.Survives(h, order.Side, lots, ticket.Price, max(0, fee)) {
		return true
	}
	t.Room--
	e.touch(ticket.Account)
	e.take(b, in, h, msg.CanceledByRisk, nil)
	return false
}

// ask decides on a maker in front of a taker. One that strays is canceled where it would cost its pool more than it has (M-16). A reduce-only one trades no more than its position has left to reduce. Neither does one
// that posts margin out of its account's money while that has less than its initial margin: what was held for it may be lost by now,
// and the venue does not lend it (M-22).
//
//go:noinline
func (e *Engine) ask(b *book.Book, in *market.Instrument, t *book.Taker) {
	h, reason := t.Ask, msg.CanceledReduceOnly
	order, ticket := e.store.Order(h), e.store.Ticket(h)
	if t.Wary != 0 && !e.stray(b, in, t, order, ticket) {
		return
	}
	if order.Flags&(book.ReduceOnly|book.Posts) == 0 {
		t.Allow = h
		return
	}
	posts := order.Flags&book.ReduceOnly == 0
	if posts {
		e.touch(ticket.Account)
		e.house.Settle(e.house.Claim(h).Position, in) // which may be the taker's too
		if e.house.Account(ticket.Account).Free() >= 0 {
			t.Allow = h
			return
		}
		reason = msg.CanceledByRisk
	}
	held := e.house.Position(e.house.Claim(h).Position).Qty
	if order.Side == msg.Buy {
		held = -held
	}
	if held <= 0 {
		t.Room--
		e.take(b, in, h, reason, nil)
		return
	}
	t.Allow = h
	if over := order.Leaves - held; over > 0 {
		b.Reduce(h, over)
		if posts {
			e.house.Shrink(resting(h, order, ticket.Price), in, over, order.Leaves)
		}
		e.canceled(h, order, ticket, over, order.Leaves, reason, nil)
	}
}

// fillable reports whether at least need lots would trade for t now, whoever of those that it meets has to be asked; who strays counts
// as none. Nothing changes.
func (e *Engine) fillable(b *book.Book, in *market.Instrument, t *book.Taker, need fixed.Lots) bool {
	t.Wary = wary(b, in, t.Side.Opposite())
	if b.Fillable(t, need) {
		return true
	}
	r := book.Rehearsal{Taker: *t}
	for e.parts = b.Rehearse(&r, e.parts[:0]); r.Stop == book.StopAsk; e.parts = b.Rehearse(&r, e.parts) {
		o, ticket := e.store.Order(r.Ask), e.store.Ticket(r.Ask)
		r.May = 0
		if in.Strays(o.Side, ticket.Price) || o.Flags&book.ReduceOnly != 0 {
			continue
		}
		if s, _ := e.house.Summary(ticket.Account, &e.venue); o.Flags&book.Posts == 0 || s.Free >= 0 {
			r.May = o.Leaves
		}
	}
	for i := range e.parts {
		need -= e.parts[i].Qty
	}
	return need <= 0
}
