package clearing

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/margin"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// What an order that rests, goes or trades changes in a plain position: the short way of Add, Remove, FillResting and Fill. What
// the long way does besides at every fill has to be done here too.

// Rest is Add for an order of lots lots of a side that sets reserved aside, as the gate found: requirement is that of its
// position with it.
func (h *House) Rest(order, row uint32, a *Account, p *Position, side msg.Side, lots fixed.Lots, reserved, requirement fixed.Money) *Claim {
	c, next := &h.claims[order], a.Orders
	c.Reserved, c.Next, c.Prev, c.Position = reserved, next, 0, row
	a.Orders = order
	h.claims[next].Prev = order
	p.Open++
	p.Add(side, lots, reserved)
	a.Initial += requirement - p.Initial
	p.Initial = requirement
	return c
}

// Leave is Remove for an order of lots lots of a side, neither reduce-only nor isolated, in a plain instrument. It reports
// whether nothing is left of the position.
func (h *House) Leave(c *Claim, a *Account, p *Position, in *market.Instrument, side msg.Side, lots fixed.Lots) (empty bool) {
	requirement, ok := p.Without(in, side, lots, c.Reserved)
	if !ok {
		p.Add(side, -lots, -c.Reserved)
		h.require(c.Position, p, in)
		requirement = p.Initial
	}
	h.unlist(c, a)
	open := p.Open - 1
	p.Open = open
	a.Initial += requirement - p.Initial
	p.Initial = requirement
	return p.Qty == 0 && open == 0
}

// Meet is FillResting and State for by lots of a resting order of a side, neither reduce-only nor isolated, in a plain
// instrument. It returns the profit realized, and the lots held after it by the position of row. ok is false where the long
// way has to be gone, and then nothing has changed.
func (h *House) Meet(order uint32, in *market.Instrument, side msg.Side, by, leaves fixed.Lots, price fixed.Ticks, fee fixed.Money) (realized fixed.Money, held fixed.Lots, row uint32, ok bool) {
	c := &h.claims[order]
	row = c.Position
	p, l := &h.rows[row], &h.ledgers[row]
	reserved, fits := fixed.Money(0), true
	if leaves != 0 {
		reserved, fits = margin.Terms{Loss: c.Loss, Fee: c.Fee}.Reserve(in, leaves, price)
	}
	sell := -int64(side >> 1)
	delta := fixed.Lots((int64(by) ^ sell) - sell)
	x := p.Exposure
	x.Add(side, -by, reserved-c.Reserved)
	x.Qty += delta
	requirement, plain := x.Required(in)
	maintenance, sure := fixed.CeilOne(fixed.Abs(x.Qty), in.MaintenanceLot)
	if p.Asks != 0 || l.ReduceOnly != 0 || !fits || !plain || !sure {
		return 0, 0, 0, false
	}

	a := &h.accounts[p.Account]
	p.Buys, p.Sells, p.BuyReserve, p.SellReserve = x.Buys, x.Sells, x.BuyReserve, x.SellReserve
	realized = h.trade(p, l, a, &h.statements[p.Account], in, delta, price, fee)
	c.Reserved = reserved
	if leaves == 0 {
		h.unlist(c, a)
		p.Open--
	}
	a.Initial += requirement - p.Initial
	p.Initial = requirement
	a.Maintenance += maintenance - l.Maintenance
	l.Maintenance = maintenance
	return realized, x.Qty, row, true
}

// Gain is Fill and State for a position that is not isolated, of a touched account, in a plain instrument. It returns the
// profit realized and the lots held after it.
func (h *House) Gain(row uint32, in *market.Instrument, delta fixed.Lots, price fixed.Ticks, fee fixed.Money) (realized fixed.Money, held fixed.Lots) {
	p := &h.rows[row]
	realized = h.trade(p, &h.ledgers[row], &h.accounts[p.Account], &h.statements[p.Account], in, delta, price, fee)
	return realized, p.Qty
}

// trade books a fill of a plain position to all records that it concerns, requirements left out. Whether a fill opens or closes
// is as good as chance, so no branch asks: what does not close closes no lots.
func (h *House) trade(p *Position, l *Ledger, a *Account, s *Statement, in *market.Instrument, delta fixed.Lots, price fixed.Ticks, fee fixed.Money) (realized fixed.Money) {
	held, cost := p.Qty, l.Cost
	value := fixed.Money(int64(price) * int64(in.TickLot)) // of a lot
	sign := held >> 63
	part := min(fixed.Abs(delta), fixed.Abs(held)) & ((held ^ delta) >> 63)
	closed := (part ^ sign) - sign
	released, ok := fixed.PartCeil(cost, part, fixed.Abs(held))
	if !ok {
		released = releasedLong(cost, closed, held)
	}
	realized = fixed.Money(int64(closed)*int64(value)) - released
	change := fixed.Money(int64(delta+closed)*int64(value)) - released
	now := held + delta
	h.interest[p.Instr] += max(now, 0) - max(held, 0)
	p.Qty, l.Cost = now, cost+change
	a.Cash += realized - fee
	a.Profit += fixed.Money(int64(delta)*int64(in.LotValue)) - change
	s.Realized += realized
	s.Fees += fee
	return realized
}

// releasedLong is what closing lots of held ones releases of their cost where the product leaves a word.
//
//go:noinline
func releasedLong(cost fixed.Money, closed, held fixed.Lots) fixed.Money {
	if closed == 0 {
		return 0
	}
	released, _ := fixed.MulDivCeil(int64(cost), int64(closed), int64(held))
	return fixed.Money(released)
}
