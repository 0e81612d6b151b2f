package clearing

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/margin"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// What an order that rests, goes or trades changes in a plain position: the short way of Add, Remove, FillResting and Fill. What
// the long way does besides at every fill has to be done here too.

// Rest lets an order of lots lots of a side at limit, worth n there, rest in a plain position: a new one, or one that rests
// already with old lots and is to lose its place. It finds what TermsOf, Reserve and Requirement find, asks what the gate
// would, whether the values are within bounds and equity covers what is required, and then does what Add or
// Replace do. Order 0 is one that will not rest now: it is only asked. ok is false where the long way has to be gone, and then nothing has
// changed. It is one function because it is the heart of most commands.
func (h *House) Rest(order, row uint32, a *Account, in *market.Instrument, side msg.Side, limit fixed.Ticks, lots, old fixed.Lots, n fixed.Money) (ok bool) {
	// What stands on lines that may have to come from afar is read first; each finding is asked at once, so that none has to be kept.
	p := &h.rows[row]
	fee, ok := in.Reserve.CeilShort(n)
	if !ok || p.Asks != 0 {
		return false
	}
	sell := -int64(side >> 1) // all ones for a sell
	against := (int64(limit-in.Mark) ^ sell) - sell
	loss := fixed.Ticks(against &^ (against >> 63))
	lost, ok := fixed.NotionalShort(lots, loss, in.TickLot)
	if !ok || lost > h.bound { // it is below the limit, or below the mark of a sell: there it may be more than n
		return false
	}
	reserved := fee + lost
	c := &h.claims[order]
	more, moreReserved := lots, reserved
	if old != 0 {
		more, moreReserved = lots-old, reserved-c.Reserved
	}
	buyReserve, sellReserve := p.BuyReserve+moreReserved&^fixed.Money(sell), p.SellReserve+moreReserved&fixed.Money(sell)
	if max(buyReserve, sellReserve) > h.bound {
		return false
	}
	buys, sells := p.Buys+more&^fixed.Lots(sell), p.Sells+more&fixed.Lots(sell)
	long, short := p.Qty+buys, sells-p.Qty
	outcome := max(fixed.Abs(long), fixed.Abs(short))
	most := max(outcome, buys, sells) // a reduce-only order may close what stands against a side
	value, ok := fixed.MulShort(int64(most), int64(in.LotValue))
	if !ok || value > int64(h.bound) {
		return false
	}
	requirement, ok := fixed.CeilOne(outcome, in.InitialLot)
	if !ok {
		return false
	}
	requirement += buyReserve&fixed.Money((-buys&-long)>>63) + sellReserve&fixed.Money((-sells&-short)>>63)
	grown, free := requirement-p.Initial, a.Free()
	if free < 0 || grown > free {
		return false
	}

	h.Witness(msg.InstrumentID(p.Instr), most)
	if order == 0 {
		return true
	}
	p.Buys, p.Sells, p.BuyReserve, p.SellReserve, p.Initial = buys, sells, buyReserve, sellReserve, requirement
	a.Initial += grown
	c.Reserved, c.Loss, c.Fee = reserved, loss, uint32(in.Reserve)
	if old == 0 {
		next := a.Orders
		c.Next, c.Prev, c.Position = next, 0, row
		a.Orders = order
		h.claims[next].Prev = order
		p.Open++
	}
	return true
}

// Leave is Remove for an order of lots lots of a side, neither reduce-only nor isolated, in a plain instrument. It reports
// whether nothing is left of the position.
func (h *House) Leave(c *Claim, a *Account, p *Position, in *market.Instrument, side msg.Side, lots fixed.Lots) (empty bool) {
	p.Add(side, -lots, -c.Reserved)
	long, short := p.Qty+p.Buys, p.Sells-p.Qty
	requirement, ok := p.Plain(in, max(fixed.Abs(long), fixed.Abs(short)), long, short)
	if !ok {
		requirement, _ = margin.Requirement(in, &p.Exposure)
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
	long, short := x.Qty+x.Buys, x.Sells-x.Qty
	requirement, plain := x.Plain(in, max(fixed.Abs(long), fixed.Abs(short)), long, short)
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
