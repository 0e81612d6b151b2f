package margin

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
)

// The prices at which a position is in danger, and at which it is sold: liquidation price, bankruptcy value and price,
// fillable price. equity and maintenance are those of the pool that the position is in.
//
//	          mark            fillable            bankruptcy
//	long  ------|-----------------|--------------------|------> down
//	            E = MM: at the    a part of MM lower   closing here leaves
//	            liquidation price                      equity over maintenance as it is
//
// The maintenance of a position is the highest of its brackets' lines (it is convex), and equity is a line in the mark, so
// the marks at which equity covers maintenance are those at which it covers each line: one pass over the brackets.

// LiquidationPrice is the last mark at which the pool is safe if only this instrument moves (M-29): at it equity covers
// maintenance, one tick further it does not. Of a pool that is not safe now it is the first mark at which it would be. ok
// is false when there is none above 0.
func LiquidationPrice(in *market.Instrument, lots fixed.Lots, equity, maintenance fixed.Money) (p fixed.Ticks, ok bool) {
	d, ok := newDistress(in, lots, equity, maintenance)
	if !ok {
		return 0, false
	}
	edge, ok := d.edge(0)
	if _, fits := maintenanceAt(in, fixed.Abs(lots), edge); !ok || !fits { // a mark that cannot be reached
		return 0, false
	}
	if in.SlopeMaintenance == 0 || d.safe(edge) {
		return edge, true
	}
	// Tiers and slope are rounded up apart, which may cost one unit more than both together.
	safe, ok := d.edge(1)
	if !ok || d.safe(in.Mark) && d.losing(safe, in.Mark) {
		safe = in.Mark
	}
	if !d.safe(safe) {
		return 0, false
	}
	for unsafe := edge; fixed.Abs(safe-unsafe) > 1; {
		middle := unsafe + (safe-unsafe)>>1
		if d.safe(middle) {
			safe = middle
		} else {
			unsafe = middle
		}
	}
	return safe, true
}

// distress is a position whose mark moves alone.
type distress struct {
	in      *market.Instrument
	lots    fixed.Lots
	perTick uint64 // |lots| · tick-lot
	missing int64  // what maintenance of the others takes beyond equity without the position's value
}

func newDistress(in *market.Instrument, lots fixed.Lots, equity, maintenance fixed.Money) (d distress, ok bool) {
	own, ok := Maintenance(in, lots)
	if !ok || lots == 0 || !Margined(in) || in.Mark <= 0 {
		return d, false
	}
	value := fixed.MulWide(int64(lots), int64(in.LotValue))
	missing, ok := fixed.Widen(int64(maintenance)).Sub(fixed.Widen(int64(own))).Add(value).Sub(fixed.Widen(int64(equity))).Int64()
	perTick, fits := fixed.Mul(int64(fixed.Abs(lots)), int64(in.TickLot))
	return distress{in: in, lots: lots, perTick: uint64(perTick), missing: missing}, ok && fits
}

// losing reports whether p lies on the losing side of mark, or away from it.
func (d *distress) losing(mark, p fixed.Ticks) bool { return (d.lots > 0) == (p < mark) && p != mark }

// safe reports whether equity covers maintenance at a mark.
func (d *distress) safe(mark fixed.Ticks) bool {
	if mark <= 0 {
		return false
	}
	m, ok := maintenanceAt(d.in, fixed.Abs(d.lots), mark)
	value := fixed.MulWide(int64(mark), int64(d.perTick))
	if d.lots < 0 {
		value = value.Neg()
	}
	return ok && value.Sub(fixed.Widen(d.missing)).Cmp(fixed.Widen(int64(m))) >= 0
}

// edge is the last mark at which the pool, with spare units less, covers the line of every bracket j:
//
//	long:  p >= Ceil((missing·1e9 - D_j) / (|q|·m·(1e9 - l_j)))
//	short: p <= Floor((D_j - missing·1e9) / (|q|·m·(1e9 + l_j)))
//
// with the rate l_j = r_j + slope·|q|/U, all of it times U. ok is false when there is none above 0.
func (d *distress) edge(spare int64) (p fixed.Ticks, ok bool) {
	unit, slope, ok := d.slope()
	if !ok || d.missing > fixed.MaxInt64-spare {
		return 0, false
	}
	if d.lots < 0 {
		p = fixed.MaxInt64
	}
	for j := range d.in.Table[:d.in.Brackets] {
		b := &d.in.Table[j]
		owed := fixed.MulWide(d.missing+spare, int64(fixed.One)).Sub(b.MaintenanceD)
		rate := int64(b.Maintenance)*unit + slope
		if d.lots > 0 {
			if owed.Sign() <= 0 {
				continue
			}
			weight := int64(fixed.One)*unit - rate
			quo, rest := d.over(owed, unit, uint64(max(weight, 1)))
			if rest {
				quo++
			}
			if weight <= 0 || quo < 0 {
				return 0, false
			}
			p = max(p, fixed.Ticks(quo))
			continue
		}
		if owed.Sign() > 0 {
			return 0, false
		}
		if quo, _ := d.over(owed.Neg(), unit, uint64(int64(fixed.One)*unit)+uint64(rate)); quo >= 0 {
			p = min(p, fixed.Ticks(quo))
		}
	}
	return p, p > 0 && p < fixed.MaxInt64
}

// slope is the lots to a unit of the underlying and the slope's part of the rate, times that; 1 and 0 without a slope.
func (d *distress) slope() (unit, rate int64, ok bool) {
	if d.in.SlopeMaintenance == 0 {
		return 1, 0, true
	}
	unit = int64(d.in.UnitLots)
	rate, ok = fixed.Mul(int64(fixed.Abs(d.lots)), int64(d.in.SlopeMaintenance))
	_, fits := fixed.Mul(unit, 4*int64(fixed.One)) // room for the sum of what a line and the slope ask
	return unit, rate, ok && fits && rate <= fixed.MaxInt64>>1
}

// over is owed · unit / (perTick · weight), and whether there is a rest; below 0 when it does not fit.
func (d *distress) over(owed fixed.Wide, unit int64, weight uint64) (quo int64, rest bool) {
	all, r1 := owed.Huge().Times(uint64(unit)).Floor(d.perTick)
	all, r2 := all.Floor(weight)
	quo, ok := all.Int64()
	if !ok {
		return -1, false
	}
	return quo, r1|r2 != 0
}

// maintenanceAt is Maintenance of lots, 0 or more, at another mark than the instrument's.
func maintenanceAt(in *market.Instrument, lots fixed.Lots, mark fixed.Ticks) (m fixed.Money, ok bool) {
	n, ok := fixed.NotionalShort(lots, mark, in.TickLot)
	if !ok {
		return 0, false
	}
	b := bracket(in, n)
	return graded(in, n, lots, b.Maintenance, b.MaintenanceD, in.SlopeMaintenance)
}

// Bankruptcy is the value at which d of the lots, in absolute numbers, can be closed so that equity over maintenance stays
// as it is (M-30): money received for a long, below zero money paid for a short, rounded up. A pool that requires nothing shares
// its equity by the lots of the position. ok is false when a figure does not fit.
func Bankruptcy(in *market.Instrument, lots, d fixed.Lots, equity, maintenance fixed.Money) (v fixed.Money, ok bool) {
	whole, ok := Maintenance(in, lots)
	left, fits := Maintenance(in, fixed.Abs(lots)-d)
	if !ok || !fits || maintenance < 0 || lots == 0 {
		return 0, false
	}
	freed, all := int64(whole-left), int64(maintenance)
	if all == 0 {
		freed, all = int64(d), int64(fixed.Abs(lots))
	}
	if lots < 0 {
		d = -d
	}
	value, ok := fixed.Mul(int64(d), int64(in.LotValue))
	share, fits := fixed.MulDivFloor(int64(equity), freed, all)
	sum, fitsSum := fixed.Widen(value).Sub(fixed.Widen(share)).Int64()
	return fixed.Money(sum), ok && fits && fitsSum
}

// BankruptcyPrice is the price of closing all lots at the value v, rounded to the side that is safe (M-30). ok is false
// when it is not above 0.
func BankruptcyPrice(in *market.Instrument, lots fixed.Lots, v fixed.Money) (p fixed.Ticks, ok bool) {
	price, ok := perLot(in, lots, v)
	return price, ok && price > 0
}

// perLot is v per lot in ticks: of a long rounded up, of a short, which pays it, down. ok is false when it does not fit.
func perLot(in *market.Instrument, lots fixed.Lots, v fixed.Money) (fixed.Ticks, bool) {
	perTick, ok := fixed.Mul(int64(fixed.Abs(lots)), int64(in.TickLot))
	if !ok || lots == 0 {
		return 0, false
	}
	if lots > 0 {
		p, ok := fixed.Widen(int64(v)).DivCeil(perTick)
		return fixed.Ticks(p), ok
	}
	p, ok := fixed.Widen(int64(v)).Neg().DivFloor(perTick)
	return fixed.Ticks(p), ok
}

// Fillable is the price at which a position in liquidation is offered (M-31): the mark where equity just covers maintenance,
// sliding with the shortage to as far as the spread's part of its maintenance. At least 1 tick.
func Fillable(in *market.Instrument, lots fixed.Lots, equity, maintenance fixed.Money) fixed.Ticks {
	own, ok := Maintenance(in, lots)
	perTick, fits := fixed.Mul(int64(fixed.Abs(lots)), int64(in.TickLot))
	if !ok || !fits || lots == 0 || equity >= maintenance || maintenance <= 0 {
		return in.Mark
	}
	c, ok := fixed.MulDivFloor(int64(maintenance-equity), int64(in.Liquidation.Adjust), int64(maintenance))
	if !ok {
		c = int64(fixed.One)
	}
	u, _ := in.Liquidation.Spread.Floor(fixed.Money(min(c, int64(fixed.One))))
	part, _ := fixed.Rate(u).Floor(own) // floor after floor is the floor of both
	away, _ := fixed.Widen(int64(part)).DivFloor(perTick)
	if lots < 0 {
		return in.Mark + fixed.Ticks(away)
	}
	return max(in.Mark-fixed.Ticks(away), 1)
}
