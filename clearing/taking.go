package clearing

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/margin"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// What the trades of one taker change where both sides are plain: the short way of Charge, Collect, FillResting, Fill and State. What
// the long way does besides at every fill has to be done here too.
//
// Positions and makers' accounts change with each trade. What a trade adds to the taker's account, to the fees of the venue and to
// the open interest is added up in a Taking, and written once at the end; nobody looks at them in between. A taker who meets himself
// is no exception, since all of them are sums.

// Taking is a taker on his way through those that he meets, and what his trades have added so far.
type Taking struct {
	Instrument *market.Instrument
	Row        uint32   // the taker's position
	Side       msg.Side // on which he trades

	// Of the last trade.
	Maker, Taker Filled
	MakerRow     uint32 // the position of the side that rested
	Emptied      bool   // nothing is left of it

	p        *Position   // in Row, once something has been taken
	l        *Ledger     // likewise
	profit   fixed.Money // of the taker's account
	realized fixed.Money // likewise
	fees     fixed.Money // that he pays
	charged  fixed.Money // that both sides pay
	opened   fixed.Lots  // of the open interest
}

// Filled is what a trade did to one side of it.
type Filled struct {
	Fee      fixed.Money
	Realized fixed.Money
	Held     fixed.Lots // by the position now
}

// Trade lets a taker trade by lots with a resting order, of which leaves stay open. It reports false where the long way has to be
// gone, since the order's account is not up to date, its position not plain, or a product needs more than a word; then nothing has
// changed.
func (h *House) Trade(k *Taking, order uint32, by, leaves fixed.Lots, price fixed.Ticks) bool {
	in, c := k.Instrument, &h.claims[order]
	row := c.Position
	p, l := &h.rows[row], &h.ledgers[row]
	a, s := &h.accounts[p.Account], &h.statements[p.Account]
	n := fixed.Money(int64(by) * int64(price) * int64(in.TickLot))
	fee, ok := in.Maker.CeilShort(n)
	takerFee, fits := in.Taker.CeilShort(n)
	if !ok || !fits || p.Asks != 0 || a.Epoch != h.epoch || l.ReduceOnly != 0 {
		return false
	}
	buy := -fixed.Lots(k.Side & 1) // all ones where the maker sells
	realized, profit, opened, ok := trade(p, l, in, (by^buy)-buy, price)
	if !ok {
		return false
	}

	freed := c.Reserved
	if leaves != 0 {
		c.Reserved, _ = margin.Terms{Loss: c.Loss, Fee: c.Fee}.Reserve(in, leaves, price)
		freed -= c.Reserved
	} else {
		h.unlist(c, a)
		p.Open--
	}
	p.Add(k.Side.Opposite(), -by, -freed)
	h.loosen(row, a, p)
	s.Realized += realized
	s.Fees += fee
	a.gain(p, profit, realized-fee)
	if s.Watch != touched || !h.easy(a, p, in) {
		h.disturb(Pool(p.Account))
	}
	k.Maker.Fee, k.Maker.Realized, k.Maker.Held = fee, realized, p.Qty
	k.MakerRow, k.Emptied = row, p.Qty == 0 && p.Open == 0
	k.charged += fee + takerFee
	k.opened += opened
	h.take(k, in, (by^^buy)-^buy, price, takerFee)
	return true
}

// take fills delta lots, signed, of the taker's order.
func (h *House) take(k *Taking, in *market.Instrument, delta fixed.Lots, price fixed.Ticks, fee fixed.Money) {
	if k.p == nil {
		h.begin(k)
	}
	p, l := k.p, k.l
	realized, profit, opened, ok := trade(p, l, in, delta, price)
	k.Taker.Fee, k.Taker.Realized, k.Taker.Held = fee, realized, p.Qty
	k.profit += profit
	k.realized += realized
	k.fees += fee
	k.opened += opened
	if !ok {
		h.takeLong(k, in, delta, price, fee)
	}
}

// begin is what the first trade does to the taker's account.
func (h *House) begin(k *Taking) {
	p := &h.rows[k.Row]
	k.p, k.l = p, &h.ledgers[k.Row]
	h.loosen(k.Row, &h.accounts[p.Account], p)
	if h.statements[p.Account].Watch != touched {
		h.disturb(Pool(p.Account))
	}
}

// takeLong is take where a product needs more than a word.
//
//go:noinline
func (h *House) takeLong(k *Taking, in *market.Instrument, delta fixed.Lots, price fixed.Ticks, fee fixed.Money) {
	k.fees -= fee
	k.Taker.Realized = h.Fill(0, k.Row, in, delta, price, fee)
	p := &h.rows[k.Row]
	p.Room = 0
	h.State(p.Account, k.Taker.Realized, fee)
	k.Taker.Held = p.Qty
}

// EndTaking writes what has been added up, and asks whether the taker is certainly ok.
func (h *House) EndTaking(k *Taking) {
	p := k.p
	if p == nil {
		return
	}
	a, s := &h.accounts[p.Account], &h.statements[p.Account]
	h.interest[p.Instr] += k.opened
	h.Venue.Fees += k.charged
	s.Realized += k.realized
	s.Fees += k.fees
	a.gain(p, k.profit, k.realized-k.fees)
	if !h.easy(a, p, k.Instrument) {
		h.disturb(Pool(p.Account))
	}
	k.p, k.l, k.profit, k.realized, k.fees, k.charged, k.opened = nil, nil, 0, 0, 0, 0, 0
}

// trade books delta lots, signed, at price to a position. It returns the profit realized, what the account's profit at the mark changes
// by, and the long lots that there are more. ok is false where a product needs more than a word, and then nothing has changed.
//
// Whether a fill opens or closes is as good as chance, so no branch asks: what does not close closes no lots.
func trade(p *Position, l *Ledger, in *market.Instrument, delta fixed.Lots, price fixed.Ticks) (realized, profit fixed.Money, opened fixed.Lots, ok bool) {
	held, cost := p.Qty, l.Cost
	sign := held >> 63
	size := (held ^ sign) - sign
	part := min(fixed.Abs(delta), size) & ((held ^ delta) >> 63)
	released, ok := fixed.PartCeil(cost, part, size)
	if !ok {
		return 0, 0, 0, false
	}
	closed := (part ^ sign) - sign
	value := int64(price) * int64(in.TickLot) // of a lot
	change := fixed.Money(int64(delta+closed)*value) - released
	now := held + delta
	p.Qty, l.Cost = now, cost+change
	return fixed.Money(int64(closed)*value) - released, fixed.Money(int64(delta)*int64(in.LotValue)) - change,
		max(now, 0) - max(held, 0), true
}

// gain adds what a fill brought to an account, and takes what it lost off the Room of its position.
func (a *Account) gain(p *Position, profit, cash fixed.Money) {
	a.Profit += profit
	a.Cash += cash
	p.Room = max(p.Room, 0) + min(profit+cash, 0)
}

// easy reports whether an account is certainly ok with what a position of it holds by now.
func (h *House) easy(a *Account, p *Position, in *market.Instrument) bool {
	return (a.Cash+a.Profit)>>(h.calm&63) > a.Maintenance+fixed.Money(fixed.Abs(p.Qty))*in.PerLotKept
}
