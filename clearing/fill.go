package clearing

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/margin"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Charge is what both sides of a trade of notional n pay at the instrument's rates; see ChargeOwners where the venue has fee
// tiers. n fits, as the gate saw.
func Charge(in *market.Instrument, n fixed.Money, sameOwner bool) (taker, maker fixed.Money) {
	return charge(n, in.Taker, in.Maker, sameOwner)
}

// charge is Charge at two rates: fees rounded up, a rebate, below zero, rounded down; a rebate is never more than the taker's
// fee, and there is none between accounts of one owner (M-43, M-45).
func charge(n fixed.Money, takerRate, makerRate fixed.Rate, sameOwner bool) (taker, maker fixed.Money) {
	taker, _ = takerRate.Ceil(n)
	switch {
	case makerRate >= 0:
		maker, _ = makerRate.Ceil(n)
	case !sameOwner:
		rebate, _ := (-makerRate).Floor(n)
		maker = -min(rebate, taker)
	}
	return taker, maker
}

// Collect books what both sides of a trade pay to the venue's accounts, and a rebate to the maker's.
func (h *House) Collect(taker, maker fixed.Money, account msg.AccountID) {
	h.Venue.Fees += taker + maker
	if maker < 0 {
		h.accrue(-maker, account)
	}
}

// accrue books a rebate that waits for the day cut. The maker has been touched: rebates of past days have vested.
//
//go:noinline
func (h *House) accrue(rebate fixed.Money, maker msg.AccountID) {
	s := &h.statements[maker]
	h.Venue.Rebates += rebate
	s.Rebate += rebate
	s.RebateDay = uint32(h.day)
	h.accounts[maker].Pending = true
}

// Fill books delta lots, signed, of an order at price to a position and its account, with the fee that the account pays for
// it. It returns the profit realized, fee not included (M-04). Requirements follow by Settle. The account has been touched.
func (h *House) Fill(order, row uint32, in *market.Instrument, delta fixed.Lots, price fixed.Ticks, fee fixed.Money) (realized fixed.Money) {
	p, l := &h.rows[row], &h.ledgers[row]
	if p.Asks&market.AskMode != 0 {
		return h.fillTaking(order, row, in, delta, price, fee)
	}
	a := &h.accounts[p.Account]
	if !margin.Margined(in) {
		h.disturb(Pool(p.Account))
		a.Cash -= fixed.Money(int64(delta)*int64(price)*int64(in.TickLot)) + fee
		h.hold(p, in, delta)
		return 0
	}
	h.disturb(Pool(p.Account))
	held, cost := p.Qty, l.Cost
	opens := delta
	if held != 0 && (held < 0) != (delta < 0) {
		closed := min(fixed.Abs(delta), fixed.Abs(held))
		if held < 0 {
			closed = -closed
		}
		opens = delta + closed
		realized = l.realize(in, closed, held, price)
	}
	if opens != 0 {
		l.Cost += fixed.Money(int64(opens) * int64(price) * int64(in.TickLot))
	}
	p.Qty = held + delta
	h.interest[p.Instr] += max(p.Qty, 0) - max(held, 0)
	a.Cash += realized - fee
	a.Profit += fixed.Money(int64(delta)*int64(in.LotValue)) - (l.Cost - cost)
	return realized
}

// realize closes lots of held ones, both signed alike, at price: their part of the cost is released, rounded up, and what
// they bring above it is the profit (M-04).
func (l *Ledger) realize(in *market.Instrument, closed, held fixed.Lots, price fixed.Ticks) (realized fixed.Money) {
	released := int64(l.Cost)
	if closed != held {
		released, _ = fixed.MulDivCeil(released, int64(closed), int64(held))
	}
	l.Cost -= fixed.Money(released)
	return fixed.Money(int64(closed)*int64(price)*int64(in.TickLot) - released)
}

// FillResting is Fill for by lots of a resting order of which leaves stay open; it frees what they had set aside, and
// settles.
func (h *House) FillResting(r Resting, in *market.Instrument, by, leaves fixed.Lots, price fixed.Ticks, fee fixed.Money) (realized fixed.Money) {
	c := &h.claims[r.Order]
	row := c.Position
	p := &h.rows[row]
	if !r.ReduceOnly {
		h.free(r, p, in, by, leaves)
	}
	delta := by
	if r.Side == msg.Sell {
		delta = -by
	}
	if p.Asks&market.AskMode == 0 {
		realized = h.Fill(r.Order, row, in, delta, price, fee)
	} else {
		realized, h.movedResting = h.fillIsolated(r.Order, row, in, delta, price, fee)
	}
	if leaves == 0 {
		h.unlist(c, &h.accounts[p.Account])
		p.Open--
		if r.ReduceOnly {
			h.ledgers[row].ReduceOnly--
		}
	}
	h.Settle(row, in)
	return realized
}

// Settle carries the fills of a position into its account's requirements, unless it is loose.
func (h *House) Settle(row uint32, in *market.Instrument) {
	p := &h.rows[row]
	a := &h.accounts[p.Account]
	switch {
	case a.Loose == row:
	case p.Asks&market.AskMode != 0:
		h.require(row, p, in)
	default:
		h.settle(row, a, p)
	}
}

// State records what a fill realized and cost in the account's statement.
func (h *House) State(account msg.AccountID, realized, fee fixed.Money) {
	s := &h.statements[account]
	s.Realized += realized
	s.Fees += fee
}
