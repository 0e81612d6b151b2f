package engine

import (
	"github.com/lockstep-exchange/lockstep/clearing"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/riskgate"
)

// What if: questions that are answered by doing it, on a fork, so that an answer can never disagree with what would happen
// (M-75). A question may be any command of an account: an order, leverage, a change of margin mode, a withdrawal.
//
//	engine at n ── Fork ──> fork at n ── the command ──> fork at n+1: the answer
//	    |                                                     ||
//	    `──────────────── the command, for good ──> engine at n+1

// Forecast is what a command would do.
type Forecast struct {
	Reject   msg.Reject       // 0: it would be accepted
	Bound    int64            // with a reject: the limit, in the unit of the field; see msg.Refusal
	Actual   int64            // and what there was
	Filled   fixed.Lots       // of an order: lots that would trade at once
	Paid     fixed.Money      // their value at the prices at which they would, signed as the lots
	Fees     fixed.Money      // of those trades; below zero a rebate
	Account  clearing.Summary // after it
	Position clearing.Holding // of the account in the instrument, after it; zero where there is none
	Prices   clearing.Prices  // of that position
}

// WhatIf says what a command would do if it came next, at the present time. The command's Seq and Time are not read. It costs a
// fork of the engine, and changes nothing.
func (e *Engine) WhatIf(c msg.Command) Forecast { return e.Fork().forecast(c) }

// forecast is WhatIf on an engine that nobody needs any more.
func (e *Engine) forecast(c msg.Command) (f Forecast) {
	c.Ref = 0 // a question takes no client id
	for _, ev := range e.next(c) {
		switch {
		case ev.Kind == msg.Rejected && ev.Account == c.Account && ev.Refusal().Asked == c.Kind:
			r := ev.Refusal()
			f.Reject, f.Bound, f.Actual = ev.Reject, r.Limit, r.Actual
		case ev.Kind == msg.Traded && ev.Account == c.Account && !ev.Fill().Maker:
			f.Filled += ev.Qty
			f.Paid += fixed.Money(int64(ev.Qty) * int64(ev.Price) * int64(e.instruments[c.Instr].TickLot))
			f.Fees += ev.Fill().Fee
		}
	}
	f.Account, _ = e.Account(c.Account)
	f.Position, _ = e.Position(c.Account, c.Instr)
	f.Prices, _ = e.Prices(c.Account, c.Instr)
	return f
}

// Largest is the largest quantity with which an order like c would pass the gate now, 0 when none would. What only the book
// decides (post-only, fill-or-kill, a minimum) is not asked, nor is the message rate. It costs a fork of the engine.
func (e *Engine) Largest(c msg.Command) fixed.Lots {
	f := e.Fork()
	f.venue.MessageRate = 0
	c.Ref, c.Seq, c.Time = 0, f.seq+1, f.now
	low, high := fixed.Lots(0), riskgate.MaxQty
	for low < high { // low passes, what is above high does not
		c.Qty = low + (high-low+1)>>1
		if f.passes(&c) {
			low = c.Qty
		} else {
			high = c.Qty - 1
		}
	}
	return low
}

// passes reports whether the gate would let an order in, and changes nothing but the account's valuation.
func (e *Engine) passes(c *msg.Command) bool {
	if riskgate.Formed(&c.Request) != 0 {
		return false
	}
	var o riskgate.Order
	if e.gate.Enter(&c.Request, &o, riskgate.Orders, true) != 0 || o.Instrument == nil {
		return false
	}
	e.touch(c.Account)
	e.told = e.first
	o.Side, o.Limit, o.Qty, o.Rests = c.Side, c.Price, c.Qty, c.TIF == msg.GTC || c.TIF == msg.GTD
	widen(&o, c, e.books[c.Instr])
	return e.gate.Admit(&c.Request, &o) == 0
}

// Reach is the least lots whose value, met in the book of an instrument as it stands, comes to a notional: what it would take
// to buy or sell for so much. ok is false where the book is too thin.
func (e *Engine) Reach(instr msg.InstrumentID, side msg.Side, notional fixed.Money) (lots fixed.Lots, ok bool) {
	b := e.bookOf(instr)
	if b == nil || notional <= 0 {
		return 0, false
	}
	tickLot := int64(e.instruments[instr].TickLot)
	tickLots, _ := fixed.MulDivCeil(int64(notional), 1, tickLot)
	i, ok := b.Impact(side.Opposite(), tickLots, int(e.limits.Levels))
	if !ok {
		return 0, false
	}
	last, _ := fixed.MulDivCeil(tickLots-i.TickLots, 1, int64(i.Price))
	return i.Lots + fixed.Lots(last), true
}
