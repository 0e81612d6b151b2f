package wire

import "github.com/lockstep-exchange/lockstep/fixed"

// Scale is how prices and quantities of one instrument stand on the wire: price = ticks * Tick, in 10^PriceExp, and
// quantity = lots * Lot, in 10^QtyExp. It never changes in the life of an instrument.
type Scale struct {
	Tick, Lot        int64 // above 0
	PriceExp, QtyExp int8
}

// None stands on the wire for a signed value that is not there.
const None int64 = -1 << 63

// NoTime stands on the wire for a time or an unsigned id that is not there.
const NoTime uint64 = 1<<64 - 1

// Ticks is a price of the wire in ticks; ok is false where it is no multiple of a tick.
func (s *Scale) Ticks(price int64) (t fixed.Ticks, ok bool) {
	if s.Tick == 1 {
		return fixed.Ticks(price), true
	}
	n := price / s.Tick
	return fixed.Ticks(n), n*s.Tick == price
}

// Lots is a quantity of the wire in lots; ok is false where it is no multiple of a lot.
func (s *Scale) Lots(qty int64) (l fixed.Lots, ok bool) {
	if s.Lot == 1 {
		return fixed.Lots(qty), true
	}
	n := qty / s.Lot
	return fixed.Lots(n), n*s.Lot == qty
}

// Price is ticks on the wire; None where it does not fit.
func (s *Scale) Price(t fixed.Ticks) int64 { return scaled(int64(t), s.Tick) }

// Qty is lots on the wire; None where it does not fit.
func (s *Scale) Qty(l fixed.Lots) int64 { return scaled(int64(l), s.Lot) }

func scaled(n, by int64) int64 {
	if p := n * by; by == 1 || p/by == n {
		return p
	}
	return None
}

// ScaleOf is the scale of an instrument, a function of what never changes in its life: tickLot, the value of a tick of a lot, and
// unitLots, lots to a unit.
//
//	quantity   a lot is 1/unitLots of a unit         unitLots 1000, a lot 0.001: QtyExp -3, Lot 1
//	price      a tick is tickLot * unitLots a unit   0.1 of the settlement currency: PriceExp -1, Tick 1
//
// Exponents are the nearest to zero at which both are whole. Where a lot is no finite decimal, a third of a unit say, quantities are counted in
// lots (QtyExp 0, Lot 1), and prices are for one lot.
func ScaleOf(tickLot fixed.Money, unitLots fixed.Lots) Scale {
	units := int64(max(unitLots, 1))
	s := Scale{Lot: 1}
	whole := int64(1) // units of quantity to a unit
	for whole%units != 0 {
		if s.QtyExp == -18 {
			s.QtyExp, whole, units = 0, 1, 1
			break
		}
		s.QtyExp--
		whole *= 10
	}
	s.Lot = whole / units
	s.Tick, s.PriceExp = int64(tickLot), -6
	if worth := int64(tickLot) * units; worth/units == int64(tickLot) {
		s.Tick = worth
	}
	for s.PriceExp < 0 && s.Tick != 0 && s.Tick%10 == 0 {
		s.Tick /= 10
		s.PriceExp++
	}
	return s
}
