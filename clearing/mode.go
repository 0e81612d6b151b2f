package clearing

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/margin"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// From cross to isolated and back, and cash between parent and child. No money is made on the way, and no pool is left with
// less than its initial requirement (M-26 to M-28, I-15).
//
// A position that is to be isolated brings its open orders: the engine, which knows their priority, lines them up one by one,
// and Isolate weighs them as if they came in now, one after the other. Where it refuses they are dispersed again.

// Line puts an open order of a cross position into its side's list of what is to be isolated, behind another one of them; at
// 0 it becomes the first.
func (h *House) Line(at uint32, r Resting, row uint32, leaves fixed.Lots) {
	o := &h.holds[r.Order]
	o.Limit, o.Price, o.Lots = r.Limit, r.Limit, leaves
	h.lineAfter(at, r.Order, row, r.Side)
}

// Hold is what an order has in the list of an isolated position; its Lots are 0 where it is in none.
func (h *House) Hold(order uint32) *Hold { return &h.holds[order] }

// Disperse takes the orders of a position out of their lists.
func (h *House) Disperse(row uint32) {
	first := &h.ledgers[row].First
	for side := range first {
		for order := first[side]; order != 0; {
			next := h.holds[order].Next
			h.holds[order] = Hold{}
			order = next
		}
		first[side] = 0
	}
}

// IsolationMargin is what goes with a position that is isolated when nobody says how much (M-26).
func (h *House) IsolationMargin(row uint32, in *market.Instrument) (m fixed.Money, ok bool) {
	p := &h.rows[row]
	c := h.Conditions(p, in, 0)
	initial, ok := margin.InitialUnder(in, p.Qty, &c)
	m, fits := margin.IsolationMargin(initial, h.profit(row, p, in))
	return m, ok && fits
}

// profit is what a position has gained since it was opened, at the mark.
func (h *House) profit(row uint32, p *Position, in *market.Instrument) fixed.Money {
	return margin.Value(in, p.Qty) - h.ledgers[row].Cost
}

// Isolate gives a cross position that is held, of an account that has been touched, cash of its own (M-26). Its open orders,
// but for reduce-only ones, have been lined up.
func (h *House) Isolate(row uint32, in *market.Instrument, cash fixed.Money) msg.Reject {
	p, l := &h.rows[row], &h.ledgers[row]
	a := &h.accounts[p.Account]
	c := h.Conditions(p, in, 0)
	initial, ok := margin.InitialUnder(in, p.Qty, &c)
	profit := h.profit(row, p, in)
	if !ok || cash > MaxDeposits {
		return msg.RejectOverflow
	}
	var reserves, holds [2]fixed.Money
	carried := true
	for _, side := range [...]msg.Side{msg.Buy, msg.Sell} {
		var survives bool
		reserves[side&1], holds[side&1], survives, ok = h.rate(row, p, in, side, &c, cash+profit)
		if !ok || reserves[side&1] > h.bound {
			return msg.RejectOverflow
		}
		carried = carried && survives
	}
	hold := max(holds[0], holds[1])
	if !carried || !margin.Isolates(cash, profit, 0, initial) || a.Free()-cash-profit < hold-l.Initial {
		return msg.RejectInsufficientMargin
	}

	// Nothing below refuses.
	a.Cash -= cash
	a.Profit -= profit
	a.Maintenance -= l.Maintenance
	h.carry(row, a, hold)
	l.Margin, l.Maintenance = cash, 0
	p.BuyReserve, p.SellReserve = reserves[msg.Buy&1], reserves[msg.Sell&1]
	for _, first := range l.First {
		for order := first; order != 0; order = h.holds[order].Next {
			o, c := &h.holds[order], &h.claims[order]
			c.Reserved, _ = margin.Held(in, o.Lots, o.Price, o.Rate, fixed.Rate(c.Fee))
		}
	}
	h.setMode(row, msg.ModeIsolated)
	h.disturb(Pool(p.Account))
	h.disturb(h.child(row))
	return 0
}

// rate gives the orders of a side, in their order of priority, the rates that they would have if they came in one after the
// other. It returns what they hold when none is free, what they do hold, and whether the child, with that equity, would
// survive each of them.
func (h *House) rate(row uint32, p *Position, in *market.Instrument, side msg.Side, c *margin.Conditions, equity fixed.Money) (sum, held fixed.Money, carried, ok bool) {
	w := margin.Holds{Free: p.reducible(side)}
	lots, free := fixed.Abs(p.Qty), w.Free
	carried, ok = true, true
	for order := h.ledgers[row].First[side&1]; order != 0 && ok; order = h.holds[order].Next {
		o, claim := &h.holds[order], &h.claims[order]
		lots += o.Lots
		o.Rate, ok = margin.IsolatedRate(in, lots, c)
		if !ok {
			break
		}
		full, fits := margin.Held(in, o.Lots, o.Price, o.Rate, fixed.Rate(claim.Fee))
		_, ok = w.Add(in, o.Lots, o.Price, o.Rate, margin.Terms{Loss: claim.Loss, Fee: claim.Fee})
		sum += full
		ok = ok && fits && sum >= 0
		carried = carried && ok && p.carried(in, &w, free, equity)
	}
	return sum, w.Held, carried, ok
}

// Cross merges an isolated position into its account, which has been touched (M-27).
func (h *House) Cross(row uint32, in *market.Instrument) msg.Reject {
	l := &h.ledgers[row]
	a := &h.accounts[h.rows[row].Account]
	p := h.rows[row]
	p.Mode = 0
	p.BuyReserve, p.SellReserve = 0, 0
	for _, side := range [...]msg.Side{msg.Buy, msg.Sell} {
		for order := l.First[side&1]; order != 0; order = h.holds[order].Next {
			m, ok := h.crossed(order, in)
			if !ok {
				return msg.RejectOverflow
			}
			p.Add(side, 0, m)
			if p.BuyReserve > h.bound || p.SellReserve > h.bound {
				return msg.RejectOverflow
			}
		}
	}
	c := h.Conditions(&p, in, 0)
	initial, ok := margin.RequirementUnder(in, &p.Exposure, &c)
	maintenance, fits := margin.Maintenance(in, p.Qty)
	profit := h.profit(row, &p, in)
	if !ok || !fits {
		return msg.RejectOverflow
	}
	if a.Free()+l.Margin+profit < initial-l.Initial {
		return msg.RejectInsufficientMargin
	}

	// Nothing below refuses.
	h.dissolve(row)
	h.disturb(Pool(p.Account))
	a.Cash += l.Margin
	a.Profit += profit
	a.Maintenance += maintenance
	h.carry(row, a, initial)
	for _, first := range l.First {
		for order := first; order != 0; order = h.holds[order].Next {
			h.claims[order].Reserved, _ = h.crossed(order, in)
		}
	}
	h.Disperse(row)
	l.Margin, l.Maintenance = 0, maintenance
	p.ask()
	h.rows[row] = p
	if in.Asks&market.AskOthers != 0 {
		a.Epoch = 0
	}
	return 0
}

// crossed is what an order of an isolated position sets aside in a cross one.
func (h *House) crossed(order uint32, in *market.Instrument) (m fixed.Money, ok bool) {
	o, c := &h.holds[order], &h.claims[order]
	return margin.Terms{Loss: c.Loss, Fee: c.Fee}.Reserve(in, o.Lots, o.Limit)
}

// MoveMargin moves cash from an account that has been touched into its isolated position, below 0 out of it (M-28); haircut
// is the part of unrealized profit that may not be taken out. With RejectInsufficientMargin most is what could be moved.
func (h *House) MoveMargin(row uint32, in *market.Instrument, add fixed.Money, haircut fixed.Rate) (r msg.Reject, most fixed.Money) {
	p, l := &h.rows[row], &h.ledgers[row]
	a := &h.accounts[p.Account]
	if add > 0 {
		if most = max(0, a.Free()); add > most {
			return msg.RejectInsufficientMargin, most
		}
	} else {
		if in.MarginStays {
			return msg.RejectMarginLocked, 0
		}
		equity, initial, _ := h.Pool(p.Account, row)
		if most = margin.Removable(equity, h.profit(row, p, in), haircut, initial); add < -most {
			return msg.RejectInsufficientMargin, -most
		}
	}
	a.Cash -= add
	l.Margin += add
	h.disturb(Pool(p.Account))
	h.disturb(h.child(row))
	return 0, 0
}
