package wire_test

import (
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/wire"
)

// W-03: a scale is a function of what never changes in the life of an instrument.
func TestScaleOfInstruments(t *testing.T) {
	for _, c := range []struct {
		tickLot  fixed.Money
		unitLots fixed.Lots
		want     wire.Scale
	}{
		{100, 1000, wire.Scale{Tick: 1, Lot: 1, PriceExp: -1, QtyExp: -3}},           // 0.1 a unit, lots of 0.001
		{fixed.Coin, 1, wire.Scale{Tick: 1, Lot: 1}},                                 // 1 a unit, lots of 1
		{fixed.Coin / 2, 1, wire.Scale{Tick: 5, Lot: 1, PriceExp: -1}},               // half a coin
		{250_000, 8, wire.Scale{Tick: 2, Lot: 125, QtyExp: -3}},                      // 2 a unit, lots of an eighth
		{10 * fixed.Coin, 1, wire.Scale{Tick: 10, Lot: 1}},                           // ticks of ten coins
		{7, 3, wire.Scale{Tick: 7, Lot: 1, PriceExp: -6}},                            // a third of a unit is no decimal
		{1, 1_000_000, wire.Scale{Tick: 1, Lot: 1, QtyExp: -6}},                      // a coin a unit, lots of a millionth
		{100, 0, wire.Scale{Tick: 1, Lot: 1, PriceExp: -4}},                          // no unit said: one lot
		{1 << 62, 1000, wire.Scale{Tick: 1 << 62, Lot: 1, PriceExp: -6, QtyExp: -3}}, // a unit is beyond any money
		{100, 1 << 60, wire.Scale{Tick: 1, Lot: 1, PriceExp: -4}},                    // 18 places are not enough
	} {
		if got := wire.ScaleOf(c.tickLot, c.unitLots); got != c.want {
			t.Errorf("tick of a lot %v, %d lots a unit: got %+v, want %+v", c.tickLot, c.unitLots, got, c.want)
		}
	}
}
