package margin

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
)

// Slices: how much of a position in liquidation is sold at a time, at what limit, and for what fee (M-48 to M-50). equity and
// maintenance are those of the pool that the position is in.

// SliceLimit is the worst price at which a slice may trade: the fillable price, but never beyond bankruptcy nor outside the
// band (M-49). So a slice never worsens equity over maintenance, and never draws on the fund.
func SliceLimit(in *market.Instrument, lots fixed.Lots, equity, maintenance fixed.Money) fixed.Ticks {
	limit := Fillable(in, lots, equity, maintenance)
	if v, ok := Bankruptcy(in, lots, fixed.Abs(lots), equity, maintenance); ok {
		if p, ok := BankruptcyPrice(in, lots, v); ok {
			limit = worse(lots, limit, p)
		}
	}
	if lots > 0 {
		return worse(lots, limit, in.Low)
	}
	return worse(lots, limit, in.High)
}

// worse is the one of two prices at which less is lost by closing lots.
func worse(lots fixed.Lots, a, b fixed.Ticks) fixed.Ticks {
	if lots > 0 {
		return max(a, b)
	}
	return min(a, b)
}

// Slice is how many of the lots, in absolute numbers, are to be closed at a limit at which depth lots are open on the other
// side (M-48): as many as the rules of the instrument want in one slice, no more than the book's share and the cap, and no
// more than cure the pool. At least 1.
func Slice(in *market.Instrument, lots fixed.Lots, limit fixed.Ticks, depth fixed.Lots, equity, maintenance fixed.Money, target fixed.Rate) fixed.Lots {
	l := &in.Liquidation
	size := fixed.Abs(lots)
	n := Share(in, lots)
	share, ok := fixed.MulDivFloor(int64(depth), int64(l.BookShare), int64(fixed.One))
	if ok {
		n = min(n, fixed.Lots(share))
	}
	if d, ok := Cure(in, lots, limit, equity, maintenance, target); ok {
		n = min(n, d)
	}
	return min(max(n, 1), size)
}

// Share is a slice by the rules of the instrument alone: its fraction of the position, or all of a small one, under the cap.
func Share(in *market.Instrument, lots fixed.Lots) fixed.Lots {
	l := &in.Liquidation
	size := fixed.Abs(lots)
	n := size
	if value, ok := fixed.Mul(int64(size), int64(in.LotValue)); !ok || fixed.Money(value) > l.Full { // of an asset of the fund too
		part, _ := fixed.MulDivCeil(int64(size), int64(l.Fraction), int64(fixed.One))
		n = max(l.Min, fixed.Lots(part))
	}
	most, _ := fixed.MulDivFloor(int64(l.Cap), 1, int64(in.LotValue))
	return min(max(min(n, fixed.Lots(most)), 1), size)
}

// Cure is how many lots, closed at the limit, bring equity back to target times maintenance (M-48):
//
//	Ceil(s / g)   s = Ceil(maintenance·target) - equity
//	              g = target·l·P·m - |P - limit|·m - limit·m·fee        what a lot closed brings nearer
//
// l is the rate of maintenance at the bracket of the position. ok is false where closing lots does not help.
func Cure(in *market.Instrument, lots fixed.Lots, limit fixed.Ticks, equity, maintenance fixed.Money, target fixed.Rate) (n fixed.Lots, ok bool) {
	whole, ok := target.Ceil(maintenance)
	if !ok {
		return 0, false
	}
	s := whole - equity
	if s <= 0 {
		return 1, true
	}
	// Everything times 1e18 and the lots of a unit, so that it is exact.
	unit, slope := int64(1), int64(0)
	if in.SlopeMaintenance != 0 {
		unit = int64(in.UnitLots)
		if slope, ok = fixed.Mul(int64(fixed.Abs(lots)), int64(in.SlopeMaintenance)); !ok {
			return 0, false
		}
	}
	b := bracket(in, fixed.Abs(Value(in, lots)))
	rate, fits := fixed.Mul(int64(b.Maintenance), unit)
	if !fits || rate > fixed.MaxInt64-slope {
		return 0, false
	}
	saved := fixed.MulWide(int64(in.LotValue), int64(target)).Huge().Times(uint64(rate + slope))
	lost := fixed.MulWide(int64(fixed.Abs(in.Mark-limit)), int64(in.TickLot)).Huge().Times(uint64(fixed.One)).Times(uint64(fixed.One))
	fee := fixed.MulWide(int64(limit), int64(in.TickLot)).Huge().Times(uint64(in.Liquidation.Fee)).Times(uint64(fixed.One))
	lost = lost.Add(fee).Times(uint64(unit))
	if saved.Cmp(lost) <= 0 {
		return 0, false
	}
	gain := saved.Sub(lost)
	need := fixed.Widen(int64(s)).Huge().Times(uint64(fixed.One)).Times(uint64(fixed.One)).Times(uint64(unit))
	return atLeast(gain, need, fixed.Abs(lots)), true
}

// atLeast is the least n up to most with n·gain >= need, most if there is none.
func atLeast(gain, need fixed.Huge, most fixed.Lots) fixed.Lots {
	low, high := fixed.Lots(1), most
	for low < high {
		middle := low + (high-low)>>1
		if gain.Times(uint64(middle)).Cmp(need) >= 0 {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return low
}

// SliceFee is what the pool pays to the fund for d lots that were closed for a value: received for a long, below zero paid
// for a short (M-50). It never makes a pool poorer than closing at bankruptcy does. equity and maintenance are those before.
func SliceFee(in *market.Instrument, lots, d fixed.Lots, value, equity, maintenance fixed.Money) fixed.Money {
	fee, _ := in.Liquidation.Fee.Floor(fixed.Abs(value))
	v, ok := Bankruptcy(in, lots, d, equity, maintenance)
	if !ok {
		return 0
	}
	return max(0, min(fee, value-v))
}
