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
	h.unlist(c, a)
	open := p.Open - 1
	p.Open = open
	p.Add(side, -lots, -c.Reserved)
	long, short := p.Qty+p.Buys, p.Sells-p.Qty
	requirement, ok := p.Plain(in, max(fixed.Abs(long), fixed.Abs(short)), long, short)
	if !ok {
		h.require(c.Position, p, in)
		return p.Qty == 0 && p.Open == 0
	}
	a.Initial += requirement - p.Initial
	p.Initial = requirement
	return p.Qty == 0 && open == 0
}

// Meet is FillResting and State for by lots of a resting order of a side, in a plain instrument. It returns the profit realized
// and the position's row. ok is false where the long way has to be gone, since the account is not up to date or its position not
// plain, and then nothing has changed.
func (h *House) Meet(order uint32, in *market.Instrument, side msg.Side, by, leaves fixed.Lots, price fixed.Ticks, fee fixed.Money) (realized fixed.Money, row uint32, ok bool) {
	c := &h.claims[order]
	row = c.Position
	p := &h.rows[row]
	a := &h.accounts[p.Account]
	if p.Asks != 0 || a.Epoch != h.epoch || h.ledgers[row].ReduceOnly != 0 {
		return 0, 0, false
	}

	freed, delta := c.Reserved, by
	if leaves != 0 {
		c.Reserved, _ = margin.Terms{Loss: c.Loss, Fee: c.Fee}.Reserve(in, leaves, price)
		freed -= c.Reserved
	} else {
		h.unlist(c, a)
		p.Open--
	}
	if side == msg.Buy {
		p.Buys -= by
		p.BuyReserve -= freed
	} else {
		p.Sells -= by
		p.SellReserve -= freed
		delta = -by
	}
	realized = h.FillPlain(row, in, delta, price, fee)
	h.Settle(row, in)
	return realized, row, true
}

// FillPlain is Fill and State for a position that is not isolated, of an account that is up to date, in a plain instrument.
// Whether a fill opens or closes is as good as chance, so no branch asks: what does not close closes no lots.
func (h *House) FillPlain(row uint32, in *market.Instrument, delta fixed.Lots, price fixed.Ticks, fee fixed.Money) (realized fixed.Money) {
	p, l := &h.rows[row], &h.ledgers[row]
	held, cost := p.Qty, l.Cost
	part := min(fixed.Abs(delta), fixed.Abs(held)) & ((held ^ delta) >> 63)
	released, ok := fixed.PartCeil(cost, part, fixed.Abs(held))
	if !ok {
		return h.fillAndState(row, in, delta, price, fee) // at the end, so that nothing has to be kept for after it
	}
	sign := held >> 63
	closed := (part ^ sign) - sign
	value := fixed.Money(int64(price) * int64(in.TickLot)) // of a lot
	realized = fixed.Money(int64(closed)*int64(value)) - released
	change := fixed.Money(int64(delta+closed)*int64(value)) - released
	l.Cost = cost + change
	now := held + delta
	p.Qty = now
	h.interest[p.Instr] += max(now, 0) - max(held, 0)
	a, s := &h.accounts[p.Account], &h.statements[p.Account]
	a.Profit += fixed.Money(int64(delta)*int64(in.LotValue)) - change
	a.Cash += realized - fee
	s.Realized += realized
	s.Fees += fee
	return realized
}

// fillAndState is FillPlain the long way.
//
//go:noinline
func (h *House) fillAndState(row uint32, in *market.Instrument, delta fixed.Lots, price fixed.Ticks, fee fixed.Money) (realized fixed.Money) {
	realized = h.Fill(0, row, in, delta, price, fee)
	h.State(h.rows[row].Account, realized, fee)
	return realized
}
