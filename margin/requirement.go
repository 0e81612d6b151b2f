// Package margin says what is required: pure functions from an instrument's rules, a position and its open orders to
// Money. It holds no state, moves nothing and asks nobody; admission, clearing and what-if call the same functions.
//
//	N     |q| · mark · tick-lot, exact
//	T(N)  Ceil((N·r - D) / 1e9): the bracket's rate on the whole notional, less what lower brackets save (M-06)
//	S(n)  Ceil(n·mark·tick-lot · n·slope / unit-lots): a rate that is linear in size (M-07)
//
// Requirements round up. ok is false when a figure does not fit Money; the gate then refuses with RejectOverflow.
package margin

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Exposure is a position with its open orders in one instrument. Reduce-only orders are not in it.
type Exposure struct {
	Qty         fixed.Lots  // signed
	Buys        fixed.Lots  // open lots of resting buys
	Sells       fixed.Lots  // open lots of resting sells
	BuyReserve  fixed.Money // entry loss and fee of the buys (M-14); of a spot instrument their whole cost
	SellReserve fixed.Money // entry loss and fee of the sells
}

// Initial is the initial requirement of a position of lots and its absolute size (M-12: tiers and slope).
func Initial(in *market.Instrument, lots fixed.Lots) (m fixed.Money, ok bool) {
	if in.InitialLot != 0 {
		if m, ok = fixed.CeilOne(fixed.Abs(lots), in.InitialLot); ok {
			return m, true
		}
	}
	n, ok := fixed.Mul(int64(fixed.Abs(lots)), int64(in.LotValue))
	if !ok {
		return 0, false
	}
	b := bracket(in, fixed.Money(n))
	return graded(in, fixed.Money(n), fixed.Abs(lots), b.Initial, b.InitialD, in.SlopeInitial)
}

// Maintenance is the maintenance requirement of a position of lots (M-08). It depends on the position and the mark only.
func Maintenance(in *market.Instrument, lots fixed.Lots) (m fixed.Money, ok bool) {
	if in.MaintenanceLot != 0 {
		if m, ok = fixed.CeilOne(fixed.Abs(lots), in.MaintenanceLot); ok {
			return m, true
		}
	}
	if !Margined(in) {
		return 0, true
	}
	n, ok := fixed.Mul(int64(fixed.Abs(lots)), int64(in.LotValue))
	if !ok {
		return 0, false
	}
	b := bracket(in, fixed.Money(n))
	return graded(in, fixed.Money(n), fixed.Abs(lots), b.Maintenance, b.MaintenanceD, in.SlopeMaintenance)
}

// Bears reports whether a position of lots, 0 or more, requires no more than bound, whatever others hold.
func Bears(in *market.Instrument, lots fixed.Lots, bound fixed.Money) bool {
	m, ok := Initial(in, lots)
	if o := &in.Crowding; in.Asks&market.AskOthers != 0 {
		c := Conditions{Interest: fixed.One}
		if o.Count != 0 {
			c.Concentration = o.Rows[o.Count-1].Rate
		}
		m, ok = InitialUnder(in, lots, &c)
	}
	return ok && m <= bound
}

// Margined reports whether positions in the instrument are borrowed against collateral; a spot instrument is paid in full.
func Margined(in *market.Instrument) bool { return in.Type != spot }

// Requirement is the initial requirement of an exposure: of the riskier outcome of all buys or all sells filled, with the
// reserve of each side that can open (M-13, M-14). A spot instrument requires the cost of its open buys, and
// what its open sells give up of collateral.
func Requirement(in *market.Instrument, x *Exposure) (m fixed.Money, ok bool) {
	long, short := x.Qty+x.Buys, x.Sells-x.Qty
	most := max(fixed.Abs(long), fixed.Abs(short))
	m, ok = fixed.CeilOne(most, in.InitialLot)
	if in.InitialLot == 0 || !ok {
		if !Margined(in) {
			m = x.BuyReserve + x.SellReserve
			return m, m >= 0
		}
		m, ok = Initial(in, most)
	}
	buys, sells := x.Opening(long, short)
	m += buys
	ok = ok && m >= 0 // a sum of two that does not fit is below zero
	m += sells
	return m, ok && m >= 0
}

// Plain is Requirement where InitialLot says it all and the gate has bounded the exposure; most is the larger of long and
// short, the position with all buys or all sells filled, in absolute lots. It is small enough to be inlined. ok is false
// where Requirement has to take the long way.
func (x *Exposure) Plain(in *market.Instrument, most, long, short fixed.Lots) (m fixed.Money, ok bool) {
	m, ok = fixed.CeilOne(most, in.InitialLot)
	buys, sells := x.Opening(long, short)
	return m + buys + sells, ok
}

// Opening is what the sides that can open set aside. A side counts if it has orders and its outcome is a position: then
// both signs are below zero and the mask is all ones. Whether it does is as good as chance, so no branch asks.
func (x *Exposure) Opening(long, short fixed.Lots) (buys, sells fixed.Money) {
	return x.BuyReserve & fixed.Money((-x.Buys&-long)>>63), x.SellReserve & fixed.Money((-x.Sells&-short)>>63)
}

// Add puts lots of one side, and what they set aside, into the exposure; below zero it takes them out.
func (x *Exposure) Add(side msg.Side, lots fixed.Lots, reserve fixed.Money) {
	buy := -int64(side & 1)
	x.Buys += lots & fixed.Lots(buy)
	x.Sells += lots &^ fixed.Lots(buy)
	x.BuyReserve += reserve & fixed.Money(buy)
	x.SellReserve += reserve &^ fixed.Money(buy)
}

// Value is q · mark · tick-lot, signed; the gate has seen to it that it fits.
func Value(in *market.Instrument, lots fixed.Lots) fixed.Money {
	if !Margined(in) {
		return 0
	}
	return fixed.Money(int64(lots) * int64(in.LotValue))
}

// bracket is the bracket j with From_j < n <= From_j+1.
//
//go:noinline
func bracket(in *market.Instrument, n fixed.Money) *market.Bracket {
	j := int(in.Brackets) - 1
	for j > 0 && n <= in.Table[j].From {
		j--
	}
	return &in.Table[j]
}

// graded is T(n) + S(lots) for one rate, its deduction and its slope.
//
//go:noinline
func graded(in *market.Instrument, n fixed.Money, lots fixed.Lots, r fixed.Rate, d fixed.Wide, slope fixed.Rate) (fixed.Money, bool) {
	t, ok := tiered(n, r, d)
	if !ok || slope == 0 {
		return t, ok
	}
	s, ok := sloped(in, n, lots, slope)
	if !ok || t > fixed.MaxInt64-s {
		return 0, false
	}
	return t + s, true
}

// tiered is T(n) (M-06) of a bracket's rate and deduction.
func tiered(n fixed.Money, r fixed.Rate, d fixed.Wide) (fixed.Money, bool) {
	t, ok := fixed.MulWide(int64(n), int64(r)).Sub(d).DivCeil(int64(fixed.One))
	return fixed.Money(t), ok
}

// sloped is S(lots) (M-07) of lots that are worth n.
func sloped(in *market.Instrument, n fixed.Money, lots fixed.Lots, slope fixed.Rate) (fixed.Money, bool) {
	if slope == 0 {
		return 0, true
	}
	rate, ok := fixed.Mul(int64(lots), int64(slope))
	if !ok {
		return 0, false
	}
	unit, ok := fixed.Mul(int64(in.UnitLots), int64(fixed.One))
	if !ok {
		return 0, false
	}
	s, ok := fixed.MulDivCeil(int64(n), rate, unit)
	return fixed.Money(s), ok
}
