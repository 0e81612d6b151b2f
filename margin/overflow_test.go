package margin_test

import (
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/margin"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// TestRequirementDoesNotWrap holds that reserves which do not fit beside the initial requirement are said not to fit.
func TestRequirementDoesNotWrap(t *testing.T) {
	in := &market.Instrument{}
	in.List(msg.Listing{Type: msg.Perpetual, TickLot: 1})
	in.SetMark(10)
	for _, x := range []margin.Exposure{
		{Sells: 1, SellReserve: fixed.MaxInt64},
		{Buys: 1, BuyReserve: fixed.MaxInt64},
		{Buys: 1, BuyReserve: 1 << 62, Sells: 1, SellReserve: 1 << 62},
	} {
		if m, ok := margin.Requirement(in, &x); ok {
			t.Errorf("%+v requires %d, want none that fits", x, m)
		}
	}
	x := margin.Exposure{Sells: 1, SellReserve: fixed.MaxInt64 - 1}
	if m, ok := margin.Requirement(in, &x); !ok || m != fixed.MaxInt64 {
		t.Errorf("%+v requires %d %v, want %d", x, m, ok, fixed.MaxInt64)
	}
}
