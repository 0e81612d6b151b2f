package margin_test

import (
	"math/big"
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/margin"
	"pgregory.net/rapid"
)

// TestWithdrawable holds the worked examples of what may leave, to others and to an account of one's own.
func TestWithdrawable(t *testing.T) { // M-19, M-20, T-9
	coin := fixed.Coin
	haircut := margin.ProfitHaircut(400*coin, fixed.One)
	stays, ok := margin.WithdrawalMargin(500*coin, 5000*coin, fixed.Rate(10*percent))
	if !ok || stays != 500*coin || haircut != 400*coin {
		t.Errorf("%s stays %v and %s is cut, want 500 and 400", stays, ok, haircut)
	}
	if got := margin.Withdrawable(1000*coin, 1400*coin, haircut, stays); got != 500*coin {
		t.Errorf("%s may be withdrawn, want 500", got)
	}
	if got := margin.Withdrawable(1000*coin, 1400*coin, 0, 500*coin); got != 900*coin {
		t.Errorf("%s may be transferred, want 900", got)
	}
	if got, _ := margin.WithdrawalMargin(499*coin, 5000*coin, fixed.Rate(10*percent)); got != 500*coin {
		t.Errorf("%s stays of a notional of 5,000, want 500", got)
	}
	for _, c := range []struct{ cash, equity, haircut, stays, want fixed.Money }{
		{10, 100, 0, 0, 10}, {100, 10, 0, 0, 10}, {-1, 100, 0, 0, 0}, {100, 10, 5, 5, 0}, {100, 10, 5, 4, 1}, {100, 10, 5, 6, 0},
		{fixed.MaxInt64, -fixed.MaxInt64, fixed.MaxInt64, fixed.MaxInt64, 0},
	} {
		if got := margin.Withdrawable(c.cash, c.equity, c.haircut, c.stays); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
	for _, c := range []struct{ profit, haircut, want int64 }{{-5, 100 * percent, 0}, {3, 50 * percent, 2}, {3, 0, 0}} {
		if got := margin.ProfitHaircut(fixed.Money(c.profit), fixed.Rate(c.haircut)); int64(got) != c.want {
			t.Errorf("%d of %d: %d, want %d", c.haircut, c.profit, got, c.want)
		}
	}
}

// TestAssetValueAgainstNaive compares with the text of the rule.
func TestAssetValueAgainstNaive(t *testing.T) { // M-03
	if got, ok := margin.AssetValue(1500, 1000, 50_000*fixed.Coin, fixed.Rate(10*percent)); !ok || got != 67_500*fixed.Coin {
		t.Errorf("1.5 at 50,000 less 10 %%: %s %v, want 67,500", got, ok)
	}
	rapid.Check(t, func(t *rapid.T) {
		lots, unit := rapid.Int64Range(0, fixed.MaxInt64).Draw(t, "lots"), rapid.Int64Range(1, fixed.MaxInt64).Draw(t, "unit")
		index, haircut := rapid.Int64Range(0, fixed.MaxInt64).Draw(t, "index"), rapid.Int64Range(0, int64(fixed.One)).Draw(t, "haircut")
		v := times(times(whole(lots), index), int64(fixed.One)-haircut)
		v.Div(v, new(big.Int).Mul(whole(unit), whole(int64(fixed.One))))
		got, ok := margin.AssetValue(fixed.Lots(lots), fixed.Lots(unit), fixed.Money(index), fixed.Rate(haircut))
		same(t, "AssetValue", got, ok, fits(v))
	})
}
