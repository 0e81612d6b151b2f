package margin_test

import (
	"math/big"
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/margin"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
	"pgregory.net/rapid"
)

// asset is a spot instrument whose asset is collateral.
func asset(t rapid.TB, tickLot fixed.Money, unitLots fixed.Lots, index fixed.Money, haircut fixed.Rate) *market.Instrument {
	t.Helper()
	in := &market.Instrument{}
	if r := in.List(msg.Listing{Type: msg.Spot, TickLot: tickLot, UnitLots: unitLots}); r != 0 {
		t.Fatal(r.Name())
	}
	if r := in.SetRule(msg.Setting{Rule: msg.CollateralHaircut, Value: int64(haircut)}); r != 0 {
		t.Fatal(r.Name())
	}
	in.SetIndex(index)
	return in
}

// TestCollateral holds what assets count by hand.
func TestCollateral(t *testing.T) { // M-03
	const all = fixed.MaxInt64
	for _, c := range []struct {
		name    string
		lots    fixed.Lots
		unit    fixed.Lots
		index   fixed.Money
		haircut fixed.Rate
		bound   fixed.Money
		want    fixed.Money
	}{
		{"one at 50,000 less 10 %", 1000, 1000, 50_000 * fixed.Coin, 10 * fixed.Percent, all, 45_000 * fixed.Coin},
		{"rounded down", 1, 3, 10, 0, all, 3},
		{"no haircut", 3, 3, 10, 0, all, 10},
		{"none", 1000, 1, fixed.Coin, fixed.One, all, 0},
		{"no index", 1000, 1, 0, 0, all, 0},
		{"bounded", 1000, 1, 10, 0, 9_999, 9_999},
		{"at the bound", 1000, 1, 10, 0, 10_000, 10_000},
		{"beyond all money", 1 << 60, 1, 1 << 60, 0, 77, 77},
	} {
		if got := margin.Collateral(asset(t, 1, c.unit, c.index, c.haircut), c.lots, c.bound); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
	perpetual := &market.Instrument{Type: msg.Perpetual, Index: 10, UnitLots: 1}
	if margin.Pledged(perpetual) || margin.Collateral(perpetual, 10, all) != 0 {
		t.Error("a perpetual is no asset")
	}
}

// TestSurrenderCoversASell sells parts of an asset at any limit: what the order sets aside covers what equity loses when it
// is filled there, the highest fee paid, whatever part of it is.
func TestSurrenderCoversASell(t *testing.T) { // M-03, M-14, M-16, I-12
	rapid.Check(t, func(t *rapid.T) {
		tickLot := fixed.Money(rapid.Int64Range(1, 5000).Draw(t, "tickLot"))
		unit := fixed.Lots(rapid.Int64Range(1, 2000).Draw(t, "unitLots"))
		index := fixed.Money(rapid.Int64Range(1, 1_000_000_000).Draw(t, "index"))
		haircut := fixed.Rate(rapid.Int64Range(0, int64(fixed.One)-1).Draw(t, "haircut"))
		in := asset(t, tickLot, unit, index, haircut)
		fee := fixed.Rate(rapid.SampledFrom([]int64{0, 1, int64(5 * fixed.BasisPoint), int64(fixed.Percent), int64(fixed.One)}).Draw(t, "fee"))
		limit := fixed.Ticks(rapid.Int64Range(1, 1+2*int64(index)/int64(tickLot)/int64(unit)).Draw(t, "limit"))
		held := fixed.Lots(rapid.Int64Range(1, 100_000).Draw(t, "held"))
		sold := fixed.Lots(rapid.Int64Range(1, int64(held)).Draw(t, "sold"))
		terms := margin.TermsAt(in, msg.Sell, limit, fee)
		aside, ok := terms.Reserve(in, sold, limit)
		if !ok {
			t.Fatal("a small figure does not fit")
		}
		proceeds := fixed.Money(int64(sold) * int64(limit) * int64(tickLot))
		paid, _ := fee.Ceil(proceeds)
		lost := margin.Collateral(in, held, fixed.MaxInt64) - margin.Collateral(in, held-sold, fixed.MaxInt64)
		if loss := lost - proceeds + paid; loss > aside {
			t.Fatalf("sets %d aside and loses %d: %+v", aside, loss, terms)
		}
		// And nothing is set aside where a lot brings a tick more than it counts, the fee of it paid.
		counts := new(big.Rat).SetFrac(big.NewInt(int64(index)*int64(fixed.One-haircut)), big.NewInt(int64(fixed.One)*int64(unit)*int64(tickLot)))
		brings := new(big.Rat).SetFrac64(int64(limit-2)*int64(fixed.One-fee), int64(fixed.One))
		if brings.Cmp(counts) > 0 && aside != 0 {
			t.Fatalf("sets %d aside although it brings more than it counts", aside)
		}
	})
}
