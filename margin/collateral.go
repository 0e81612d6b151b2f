package margin

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
)

// Assets as collateral: what a spot instrument's asset counts in the equity of a cross pool, and what an order that sells it
// gives up with it (M-03).
//
//	units · index · (1 - haircut)  ──sold at a limit, fee paid──>  cash
//
// Where the cash covers what the asset counted, the order costs nothing, and that is the rule: an asset counts for less than
// it brings. Below, the difference is set aside when the order is accepted, as the entry loss of any other is (M-14).

// Pledged reports whether the asset of an instrument counts as collateral.
func Pledged(in *market.Instrument) bool {
	return !Margined(in) && in.Haircut < fixed.One && in.Index > 0
}

// Collateral is what lots of an asset count in equity, rounded down, and never more than bound, so that sums of it fit.
func Collateral(in *market.Instrument, lots fixed.Lots, bound fixed.Money) fixed.Money {
	if !Pledged(in) {
		return 0
	}
	m, ok := AssetValue(lots, in.UnitLots, in.Index, in.Haircut)
	if !ok {
		return bound
	}
	return min(m, bound)
}

// surrender are the terms of a sell of an asset that is collateral.
//
//go:noinline
func surrender(in *market.Instrument, limit fixed.Ticks, fee fixed.Rate) Terms {
	worth := counted(in)
	cost, ok := fee.Ceil(fixed.Money(limit)) // in ticks
	if kept := limit - fixed.Ticks(cost); ok && kept >= worth {
		return Terms{}
	}
	return Terms{Loss: max(0, worth-limit), Fee: uint32(fee)}
}

// counted is what one lot of an asset counts, in ticks, rounded up.
func counted(in *market.Instrument) fixed.Ticks {
	unit, _ := (fixed.One - in.Haircut).Ceil(in.Index)
	tick := fixed.MulWide(int64(in.TickLot), int64(in.UnitLots))
	p, _ := fixed.Widen(int64(unit)).Add(tick).Sub(fixed.Widen(1)).DivWideFloor(tick)
	return fixed.Ticks(p)
}
