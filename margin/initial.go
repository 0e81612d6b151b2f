package margin

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
)

// Initial margin where more than tiers and slope decide: the leverage that the account chose, the open interest, and the
// owner's share of it. All three only raise it.
//
//	IMf(n) = max(T(N), Ceil(N·leverage), Ceil(N·interest)) + S(n) + Ceil(N·concentration)

// Conditions are what initial margin depends on besides size and mark. Zero is the tiers and the slope alone.
type Conditions struct {
	Leverage      fixed.Rate // LeverageRate of the leverage chosen; 0: none
	Interest      fixed.Rate // InterestRate; 0: open interest raises nothing
	Concentration fixed.Rate // ConcentrationRate
}

// InterestRate is the least initial rate at an open interest of lots long lots (M-10): the first bracket's, rising evenly
// to 100 % between the instrument's two bounds. 0 where they are not set.
func InterestRate(in *market.Instrument, lots fixed.Lots) fixed.Rate {
	low, high := in.Crowding.Low, in.Crowding.High
	if high == 0 {
		return 0
	}
	first := in.Table[0].Initial
	interest, ok := fixed.Mul(int64(lots), int64(in.LotValue))
	if !ok || fixed.Money(interest) >= high {
		return fixed.One
	}
	above := max(0, fixed.Money(interest)-low)
	more, _ := fixed.MulDivFloor(int64(fixed.One-first), int64(above), int64(high-low))
	return first + fixed.Rate(more)
}

// ConcentrationRate is what is added to the initial rate of an owner who holds lots of an open interest of interest lots
// (M-11): of the last row whose share is not above his. Who holds lots where there is no interest holds all of it.
func ConcentrationRate(in *market.Instrument, lots, interest fixed.Lots) (k fixed.Rate) {
	if in.Crowding.Count == 0 || lots == 0 {
		return 0
	}
	share, ok := fixed.MulDivFloor(int64(lots), int64(fixed.One), int64(interest))
	if !ok {
		share = int64(fixed.One)
	}
	for _, row := range in.Crowding.Rows[:in.Crowding.Count] {
		if row.Share > fixed.Rate(share) {
			break
		}
		k = row.Rate
	}
	return k
}

// InitialUnder is Initial under conditions (M-12).
func InitialUnder(in *market.Instrument, lots fixed.Lots, c *Conditions) (m fixed.Money, ok bool) {
	if *c == (Conditions{}) {
		return Initial(in, lots)
	}
	lots = fixed.Abs(lots)
	v, ok := fixed.Mul(int64(lots), int64(in.LotValue))
	if !ok {
		return 0, false
	}
	n := fixed.Money(v)
	b := bracket(in, n)
	m, ok = tiered(n, b.Initial, b.InitialD)
	flat, fits := max(c.Leverage, c.Interest).Ceil(n)
	more, fitsMore := c.Concentration.Ceil(n)
	steep, fitsSteep := sloped(in, n, lots, in.SlopeInitial)
	m = max(m, flat)
	ok = ok && fits && fitsMore && fitsSteep && m <= fixed.MaxInt64-steep && m+steep <= fixed.MaxInt64-more
	return m + steep + more, ok
}

// RequirementUnder is Requirement under conditions (M-12 to M-14).
func RequirementUnder(in *market.Instrument, x *Exposure, c *Conditions) (m fixed.Money, ok bool) {
	if !Margined(in) {
		return Requirement(in, x)
	}
	long, short := x.Qty+x.Buys, x.Sells-x.Qty
	m, ok = InitialUnder(in, max(fixed.Abs(long), fixed.Abs(short)), c)
	buys, sells := x.Opening(long, short)
	m += buys
	ok = ok && m >= 0 // a sum of two that does not fit is below zero
	m += sells
	return m, ok && m >= 0
}
