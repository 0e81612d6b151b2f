package margin

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
)

// Isolated margin: what an order of an isolated position holds of its parent's money, what its fills move between parent
// and child, and what may be put in and taken out. The parent is the account's cross pool, the child the position with
// its own cash.
//
//	order accepted    the parent's requirement grows by the hold; no cash moves        M-21, M-22
//	it opens lots     Posting: parent --> child, the hold of these lots goes            M-23
//	it closes lots    Release: child --> parent, the share of equity they carried       M-24
//	it does both      all out, then the rest in; SplitFee says who pays what            M-25

// IsolatedRate is the rate at which an isolated order sets money aside and posts it (M-21): of the bracket that the
// position with all open lots of the order's side comes to, these lots in all, or of leverage or open interest where that
// is higher; with twice the slope, and what concentration adds. The highest rate that any of these lots meets makes sure
// that however they are filled at the mark, what is posted covers the initial requirement.
func IsolatedRate(in *market.Instrument, lots fixed.Lots, c *Conditions) (r fixed.Rate, ok bool) {
	n, ok := fixed.Mul(int64(lots), int64(in.LotValue))
	if !ok {
		return 0, false
	}
	steep, ok := fixed.MulDivCeil(2*int64(in.SlopeInitial), int64(lots), int64(max(in.UnitLots, 1)))
	r = max(c.Leverage, c.Interest, bracket(in, fixed.Money(n)).Initial) + c.Concentration
	return r + fixed.Rate(steep), ok && steep <= fixed.MaxInt64-int64(r)
}

// Posting is what lots set aside or post at price and rate: lots · price · tick-lot · rate, rounded down where it moves
// from parent to child (M-23).
func Posting(in *market.Instrument, lots fixed.Lots, price fixed.Ticks, rate fixed.Rate) (m fixed.Money, ok bool) {
	n, ok := fixed.Notional(lots, price, in.TickLot)
	if !ok {
		return 0, false
	}
	return rate.Floor(n)
}

// Held is what lots that open hold of the parent (M-22): the same rounded up, with a reserve for their fee at rate fee.
func Held(in *market.Instrument, lots fixed.Lots, price fixed.Ticks, rate, fee fixed.Rate) (m fixed.Money, ok bool) {
	n, ok := fixed.Notional(lots, price, in.TickLot)
	if !ok {
		return 0, false
	}
	margin, ok := rate.Ceil(n)
	reserve, fits := fee.Ceil(n)
	return margin + reserve, ok && fits && margin <= fixed.MaxInt64-reserve
}

// Holds are one side of an isolated position's open orders, taken in order of priority: the first lots that reduce the
// position are free, the others hold.
type Holds struct {
	Free   fixed.Lots  // that the position has left to reduce; at first |q| on the reducing side, else 0
	Opens  fixed.Lots  // lots that open
	Held   fixed.Money // by them
	Posted fixed.Money // when they are filled at their prices
	Lost   fixed.Money // entry losses of these lots (M-14)
}

// Add takes the next order: leaves lots at price and rate, with the terms of its acceptance. It returns what the order
// holds. ok is false when a figure does not fit; the holds are then of no use.
func (h *Holds) Add(in *market.Instrument, leaves fixed.Lots, price fixed.Ticks, rate fixed.Rate, t Terms) (held fixed.Money, ok bool) {
	free := min(h.Free, leaves)
	h.Free -= free
	opens := leaves - free
	held, ok = Held(in, opens, price, rate, fixed.Rate(t.Fee))
	posted, fits := Posting(in, opens, price, rate)
	lost, fitsLost := fixed.Notional(opens, t.Loss, in.TickLot)
	h.Opens += opens
	h.Held += held
	h.Posted += posted
	h.Lost += lost
	return held, ok && fits && fitsLost && h.Held >= 0 && h.Posted >= 0 && h.Lost >= 0
}

// Carries reports whether the child survives when all that it holds is filled at the orders' prices (M-22): equity, which
// is the child's or after a flip 0, with what is posted and without what is lost, covers the maintenance of qty, the
// position that is there then. A figure that does not fit is not carried.
func (h *Holds) Carries(in *market.Instrument, qty fixed.Lots, equity fixed.Money) bool {
	m, ok := Maintenance(in, qty)
	after := fixed.Widen(int64(equity)).Add(fixed.Widen(int64(h.Posted))).Sub(fixed.Widen(int64(h.Lost)))
	return ok && after.Cmp(fixed.Widen(int64(m))) >= 0
}

// EquityAt is the equity of a child whose lots are valued at price instead of the mark: cash - cost + lots · price ·
// tick-lot - accrued (M-24).
func EquityAt(in *market.Instrument, cash, cost, accrued fixed.Money, lots fixed.Lots, price fixed.Ticks) (e fixed.Money, ok bool) {
	n, ok := fixed.Notional(lots, price, in.TickLot)
	v, fits := fixed.Widen(int64(cash)).Sub(fixed.Widen(int64(cost))).Add(fixed.Widen(int64(n))).Sub(fixed.Widen(int64(accrued))).Int64()
	return fixed.Money(v), ok && fits
}

// Release is what leaves a child when d of its lots, in absolute numbers, are closed (M-24): their part of its equity at
// the price of the fill, fee paid; never below 0.
func Release(equity fixed.Money, d, lots fixed.Lots) fixed.Money {
	if equity <= 0 {
		return 0
	}
	r, _ := fixed.MulDivFloor(int64(equity), int64(d), int64(lots)) // d <= lots: it fits
	return fixed.Money(r)
}

// SplitFee splits the fee of a fill of d lots that closes the first closes of them and opens the rest (M-25): the child
// pays the one part, the parent the other.
func SplitFee(fee fixed.Money, closes, d fixed.Lots) (child, parent fixed.Money) {
	v, _ := fixed.MulDivFloor(int64(fee), int64(closes), int64(d))
	return fixed.Money(v), fee - fixed.Money(v)
}

// IsolationMargin is what goes with a position that is isolated when nobody says how much (M-26): its initial requirement,
// and its loss.
func IsolationMargin(initial, profit fixed.Money) (m fixed.Money, ok bool) {
	loss := max(0, -profit)
	return initial + loss, initial <= fixed.MaxInt64-loss
}

// Isolates reports whether margin is enough for a position that is to be isolated (M-26): with its unrealized profit, less
// the funding that has accrued, it covers the initial requirement.
func Isolates(margin, profit, accrued, initial fixed.Money) bool {
	e := fixed.Widen(int64(margin)).Add(fixed.Widen(int64(profit))).Sub(fixed.Widen(int64(accrued)))
	return e.Cmp(fixed.Widen(int64(initial))) >= 0
}

// Removable is how much may be taken out of a child (M-28): its equity, without the part of an unrealized profit that the
// haircut forbids to withdraw, above its initial requirement; never below 0.
func Removable(equity, profit fixed.Money, haircut fixed.Rate, initial fixed.Money) fixed.Money {
	return Withdrawable(equity, equity, ProfitHaircut(profit, haircut), initial)
}
