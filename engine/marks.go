package engine

import (
	"github.com/lockstep-exchange/lockstep/book"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/margin"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Marks: by command, by the index, or composed of index, book and trades (M-34 to M-38).

// mark marks an instrument by command; only one that is marked in no other way. It costs the same whoever holds it.
func (e *Engine) mark(c *msg.Command) {
	r := msg.Reject(0)
	switch {
	case e.bookOf(c.Instr) == nil:
		r = msg.RejectUnknownInstrument
	case e.instruments[c.Instr].MarkMode != msg.MarkManual:
		r = msg.RejectInvalidParameter
	default:
		r = e.canMark(c.Instr, c.Price)
	}
	if r != 0 {
		e.refuse(c, r, 0, int64(c.Price))
		return
	}
	if e.instruments[c.Instr].SetMark(c.Price) {
		e.house.Remark()
		e.house.Moved(c.Instr)
	}
	ev := e.answer(msg.MarkUpdated, c)
	ev.Price, ev.Qty = c.Price, e.house.Interest(c.Instr)
}

// schedule sets the timers of an instrument that has an underlying, after its prices' rules have changed at a time. What is overdue stays so,
// and goes on by the rules of now: nobody's payment is lost for want of time to make it.
func (e *Engine) schedule(id msg.InstrumentID, at fixed.Nanos) {
	p, n := &e.prices[id], uint32(id)
	if p.underlying == 0 {
		return
	}
	if !e.timers.overdue(markTimer, n, at) {
		e.due(markTimer, n, p.marker.Due(at, &e.venue))
	}
	if e.instruments[id].Type == msg.Perpetual && !e.timers.overdue(fundingTimer, n, at) {
		e.due(fundingTimer, n, p.funding.Due(at))
	}
}

// due sets a timer whose number is its id, or clears it where it is never due.
func (e *Engine) due(kind timerKind, n uint32, at fixed.Nanos) {
	if at == market.Never {
		e.timers.clear(kind, n)
		return
	}
	e.set(kind, n, uint64(n), at)
}

// stepMark is a step of a composite mark that was due at a time. Where time has leapt, the last step that is due stands for
// those before it.
func (e *Engine) stepMark(id msg.InstrumentID, at fixed.Nanos) {
	e.remark(id, at)
	e.permit(id)
	m := &e.prices[id].marker
	next := m.Due(at, &e.venue)
	if step := e.venue.MarkStep; next <= e.now-step {
		next = fixed.RoundDown(e.now, step)
	}
	e.due(markTimer, uint32(id), next)
}

// remark recomputes the mark of an instrument as of a time.
func (e *Engine) remark(id msg.InstrumentID, at fixed.Nanos) {
	p, in, b := &e.prices[id], &e.instruments[id], e.books[id]
	u := &e.underlyings[p.underlying]
	s := market.Sight{Mark: in.Mark, Index: p.index, IndexAt: u.IndexAt, Health: u.Health}
	bid, ok := b.Best(msg.Buy)
	ask, both := b.Best(msg.Sell)
	s.Bid, s.Ask, s.Both = bid, ask, ok && both
	mark := p.marker.Recompute(at, &s, &e.venue)
	p.stuck = in.MarkMode != msg.MarkManual && u.Index != 0 && (p.index <= 0 || e.canMark(id, mark) != 0)
	if p.stuck || mark == 0 || !in.SetMark(mark) {
		return
	}
	e.house.Remark()
	e.house.Moved(id)
	ev := e.emit(msg.MarkUpdated)
	ev.Instr, ev.Price, ev.Qty = id, mark, e.house.Interest(id)
}

// canMark refuses a mark at which the largest position that was there would be worth, or require, more than one may.
func (e *Engine) canMark(id msg.InstrumentID, mark fixed.Ticks) msg.Reject {
	in := &e.instruments[id]
	if r := in.CanMark(mark, e.house.Peak(id), e.house.Bound()); r != 0 || in.SlopeInitial == 0 && in.Asks&market.AskOthers == 0 {
		return r
	}
	next := *in
	next.SetMark(mark)
	if !margin.Bears(&next, e.house.Peak(id), e.house.Bound()) {
		return msg.RejectOverflow
	}
	return 0
}

// witness writes down a trade that may move a mark: not one of a liquidation, nor one within an owner (M-38).
//
//go:noinline
func (e *Engine) witness(id msg.InstrumentID, t *book.Taker, f *book.Fill) {
	if f.Owner != t.Owner {
		e.prices[id].marker.Trade(e.now, f.Price, f.Qty)
	}
}

// setMarkRule sets a parameter of a mark. A mark that is not by command needs an index.
func (e *Engine) setMarkRule(c *msg.Command) msg.Reject {
	s, p, in := c.Setting(), &e.prices[c.Instr], &e.instruments[c.Instr]
	if s.Rule == msg.MarkFrom && s.Value != int64(msg.MarkManual) {
		switch {
		case p.underlying == 0:
			return msg.RejectInvalidParameter
		case p.index == 0 && in.Mark != 0:
			return msg.RejectNoMark
		}
	}
	if r := p.marker.SetRule(s); r != 0 {
		return r
	}
	in.SetMarkMode(p.marker.Mode)
	return 0
}
