package margin

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
)

// Trip-wires: how far a mark, or the sum of funding, may move before the pool of a position has to be looked at (M-56).
//
//	spare    what the pool has above its next threshold θ, E - θ·MM: the loss that it can bear unseen
//	missing  what it lacks to its exit θ', θ'·MM - E: the gain that nobody need look at yet
//
// A position's part of either is put against what it loses, or gains, alone. All parts together are no more than the whole, so
// while no wire was crossed no threshold was. A loss is |q|·m·|p - P| on the side on which the position loses, and what θ times
// its maintenance has grown; where θ times the rate of maintenance is above 100 % a pool loses on the other side too, since
// maintenance grows faster than equity.

// Spare is what equity has above a threshold of maintenance, rounded down; below 0 where it is under it.
func Spare(equity, maintenance fixed.Money, threshold fixed.Rate) (m fixed.Money, ok bool) {
	part, ok := threshold.Ceil(maintenance)
	if !ok {
		return 0, false
	}
	v, ok := fixed.Widen(int64(equity)).Sub(fixed.Widen(int64(part))).Int64()
	return fixed.Money(v), ok
}

// Covers reports whether equity is no less than a threshold of maintenance.
func Covers(equity, maintenance fixed.Money, threshold fixed.Rate) bool {
	return fixed.MulWide(int64(equity), int64(fixed.One)).Cmp(fixed.MulWide(int64(maintenance), int64(threshold))) >= 0
}

// LossWire is the first mark below the present one, or above it, at which a position of lots has lost more than spare, 0 or more.
// ok is false where no mark above 0 that can be reached is one.
func LossWire(in *market.Instrument, lots fixed.Lots, threshold fixed.Rate, spare fixed.Money, below bool) (p fixed.Ticks, ok bool) {
	t := tripped{in: in, size: fixed.Abs(lots), threshold: threshold, bears: int64(spare), wins: below == (lots < 0)}
	perTick, fits := fixed.Mul(int64(t.size), int64(in.TickLot))
	t.now, ok = Maintenance(in, lots)
	if !ok || !fits || lots == 0 || t.wins && below {
		return 0, false
	}
	if t.wins { // maintenance is rounded up: it may have grown by a unit more than its rate says, here and there
		unit, _ := threshold.Ceil(1)
		switch t.bears -= 2 * int64(unit); {
		case t.bears < 0:
			return adjacent(in, below)
		case !t.outgrows():
			return 0, false
		}
	}
	t.perTick = perTick
	far, _ := fixed.MulDivFloor(int64(spare), 1, perTick) // beyond it the price alone is too much
	if t.wins {
		far, _ = fixed.MulDivFloor(fixed.MaxInt64>>1, 1, perTick)
		far -= int64(in.Mark)
	}
	if below {
		far = min(far, int64(in.Mark)-1)
	}
	if !below || t.wins {
		far = t.farthest(max(far, 0))
	}
	if below {
		p = in.Mark - fixed.Ticks(far) - 1
		return p, p > 0
	}
	p = in.Mark + fixed.Ticks(far) + 1
	_, ok = maintenanceAt(in, t.size, p)
	return p, ok
}

// tripped is a position and the loss that it may bear when its mark rises.
type tripped struct {
	in        *market.Instrument
	size      fixed.Lots
	perTick   int64
	threshold fixed.Rate
	now       fixed.Money // its maintenance
	bears     int64
	wins      bool // the price itself is to its good
}

// outgrows reports whether θ times maintenance may grow faster than the value of the position.
func (t *tripped) outgrows() bool {
	b := &t.in.Table[t.in.Brackets-1]
	steep, ok := fixed.MulDivCeil(int64(t.in.SlopeMaintenance), int64(t.size), int64(max(t.in.UnitLots, 1)))
	if !ok || steep > fixed.MaxInt64/4 {
		return true
	}
	return fixed.MulWide(int64(b.Maintenance)+steep, int64(t.threshold)).Cmp(fixed.MulWide(int64(fixed.One), int64(fixed.One))) > 0
}

// farthest is how many ticks up to far the mark may rise until the loss is too much. The loss is convex, and 0 where the mark
// stays: it is borne up to one tick, and beyond it is not.
func (t *tripped) farthest(far int64) int64 {
	low := int64(0)
	for low < far {
		middle := low + (far-low+1)>>1
		if t.borne(middle) {
			low = middle
		} else {
			far = middle - 1
		}
	}
	return low
}

// borne reports whether a rise of some ticks costs no more than the position bears.
func (t *tripped) borne(ticks int64) bool {
	m, ok := maintenanceAt(t.in, t.size, t.in.Mark+fixed.Ticks(ticks))
	if !ok {
		return false
	}
	price := fixed.MulWide(ticks, t.perTick)
	if t.wins {
		price = price.Neg()
	}
	grown := fixed.MulWide(int64(m-t.now), int64(t.threshold))
	return price.Sub(fixed.Widen(t.bears)).Mul(int64(fixed.One)).Add(grown).Sign() <= 0
}

// GainWire is the first mark below the present one, or above it, at which a position of lots may have gained missing, above 0. A
// short gains what its maintenance falls besides. ok is false where no mark above 0 is one, or the position loses there.
func GainWire(in *market.Instrument, lots fixed.Lots, threshold fixed.Rate, missing fixed.Money, below bool) (p fixed.Ticks, ok bool) {
	t := tripped{in: in, size: fixed.Abs(lots), threshold: threshold}
	perTick, fits := fixed.Mul(int64(t.size), int64(in.TickLot))
	if !fits || lots == 0 {
		return 0, false
	}
	wins := below == (lots < 0)
	switch {
	case t.outgrows(): // what is gained on either side is not worth a thought: nearly nobody has such rates
		return adjacent(in, below)
	case !wins:
		return 0, false
	case !below:
		ticks, _ := fixed.MulDivCeil(int64(max(missing, 1)), 1, perTick)
		p = in.Mark + fixed.Ticks(max(ticks, 1))
		return p, p > in.Mark
	}
	// Of a fall of d ticks no more than d·perTick·(1 + θ·rate) is gained, and a unit for each of two roundings, times θ.
	rate := t.steepest()
	whole := fixed.MulWide(perTick, int64(fixed.One)).Huge().Times(uint64(fixed.One))
	part := fixed.MulWide(perTick, int64(threshold)).Huge().Times(uint64(rate))
	sum := whole.Add(part)
	slack, _ := fixed.MulDivCeil(2, int64(threshold), int64(fixed.One))
	need := fixed.Widen(max(int64(missing)-slack, 0)).Huge().Times(uint64(fixed.One)).Times(uint64(fixed.One))
	d := int64(atLeast(sum, need, fixed.Lots(in.Mark)))
	p = in.Mark - fixed.Ticks(max(d, 1))
	return p, p > 0
}

// steepest is the highest rate of maintenance that the position may have.
func (t *tripped) steepest() int64 {
	steep, _ := fixed.MulDivCeil(int64(t.in.SlopeMaintenance), int64(t.size), int64(max(t.in.UnitLots, 1)))
	return int64(t.in.Table[t.in.Brackets-1].Maintenance) + steep
}

// adjacent is the next mark.
func adjacent(in *market.Instrument, below bool) (fixed.Ticks, bool) {
	if below {
		return in.Mark - 1, in.Mark > 1
	}
	return in.Mark + 1, true
}

// FundingReach is how far the funding sum of an instrument may move, in 1e-6 Money a lot, before lots owe or get m more (M-56):
// |q|·d/1e6 + 1 <= m.
func FundingReach(lots fixed.Lots, m fixed.Money) int64 {
	if m < 1 {
		return 0
	}
	d, ok := fixed.MulDivFloor(int64(m-1), 1_000_000, int64(max(fixed.Abs(lots), 1)))
	if !ok {
		return fixed.MaxInt64 / 2
	}
	return min(d, fixed.MaxInt64/2)
}

// IndexWire is the first index, in Money per unit, below the present one at which an asset of lots has lost more than spare; ok
// is false where no index above 0 is one.
func IndexWire(in *market.Instrument, lots fixed.Lots, spare fixed.Money) (index fixed.Money, ok bool) {
	whole := fixed.MulWide(int64(lots), int64(fixed.One-in.Haircut))
	d, fits := fixed.MulWide(int64(max(spare-1, 0)), int64(fixed.One)).Mul(int64(max(in.UnitLots, 1))).DivWideFloor(whole)
	if !fits || whole.Sign() <= 0 {
		return 0, false
	}
	index = in.Index - fixed.Money(d) - 1
	return index, index > 0
}
