package engine

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/riskgate"
)

// Questions of margin from a session (W-53). WhatIf answers any by doing it on a fork, which costs a copy of the engine; here an order is
// asked about at its place in the sequence, by the functions that would let it in, and nothing is copied and nothing changed. The book
// is not asked: a limit order is foretold as if it rested, a market order as if it were filled at its protection.

// askMargin says what an order would do to the margin of its account.
func (e *Engine) askMargin(c *msg.Command) {
	q := &e.asked
	*q = msg.Command{Seq: c.Seq, Request: msg.Request{Time: c.Time, Kind: msg.KindLimit, Account: c.Account, Instr: c.Instr, Session: c.Session,
		Side: c.Side, Price: c.Price, Qty: c.Qty}}
	if c.Price == 0 {
		q.Kind, q.TIF = msg.KindMarket, msg.IOC
	}
	var o riskgate.Order
	r := riskgate.Formed(&q.Request)
	if r == 0 {
		r = e.gate.Enter(&c.Request, &o, riskgate.Orders, false)
	}
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
	no := e.gate.Entry(c.Account, &o)
	f := e.gate.Stand(&o)
	if no == 0 {
		tried := o
		if no = e.tries(q, &tried, c.Qty); no == 0 {
			f = e.gate.Foretell(&tried)
		}
		f.Most = e.most(q, &o)
	}
	ev := e.answer(msg.MarginForecast, c)
	ev.Price, ev.Qty, ev.Side, ev.Reject = c.Price, c.Qty, c.Side, no
	ev.SetForecast(&f)
}

// tries asks the gate for an order of so many lots.
func (e *Engine) tries(q *msg.Command, o *riskgate.Order, lots fixed.Lots) msg.Reject {
	o.Side, o.Limit, o.Qty, o.Rests = q.Side, q.Price, lots, q.TIF == msg.GTC
	o.Market = q.Kind == msg.KindMarket
	q.Qty = lots
	return e.gate.Admit(&q.Request, o)
}

// most is the largest quantity, in whole steps, with which the gate would let an order in; it asks 120 times at most. What passes is taken to
// pass with less as well, down to the least value that is allowed.
func (e *Engine) most(q *msg.Command, o *riskgate.Order) fixed.Lots {
	step := int64(o.Instrument.QtyStep)
	low := int64(0) // in steps: it passes, what is above high does not
	high, _ := fixed.MulDivFloor(int64(min(o.Instrument.MaxQty, riskgate.MaxQty)), 1, step)
	least := int64(1)
	for ; least <= high; least *= 2 { // below it an order is worth too little
		if tried := *o; e.tries(q, &tried, fixed.Lots(least*step)) != msg.RejectNotionalLimit {
			break
		}
	}
	for low < high {
		middle := low + (high-low+1)>>1
		tried := *o
		no := e.tries(q, &tried, fixed.Lots(middle*step))
		if no == 0 || no == msg.RejectNotionalLimit && middle < least {
			low = middle
		} else {
			high = middle - 1
		}
	}
	if tried := *o; low == 0 || e.tries(q, &tried, fixed.Lots(low*step)) != 0 {
		return 0
	}
	return fixed.Lots(low * step)
}
