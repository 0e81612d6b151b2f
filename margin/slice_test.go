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

// TestCure holds the worked example, and a slice that is just enough.
func TestCure(t *testing.T) { // M-48, T-9
	coin := fixed.Coin
	in := with(t, flat(50, 20*percent, 10*percent).instrument(t), int64(msg.LiqFee), 0)
	if n, ok := margin.Cure(in, 100, 50, 480*coin, 500*coin, fixed.One); !ok || n != 4 {
		t.Errorf("short of 20, 5 a lot: %d %v, want 4", n, ok)
	}
	if n, ok := margin.Cure(in, 100, 50, 480*coin-1, 500*coin, fixed.One); !ok || n != 5 {
		t.Errorf("short of a unit more: %d %v, want 5", n, ok)
	}
	if n, ok := margin.Cure(in, 3, 50, 480*coin, 500*coin, fixed.One); !ok || n != 3 {
		t.Errorf("3 held: %d %v", n, ok)
	}
	for _, limit := range []fixed.Ticks{45, 44} { // 5 a lot are lost, and more
		if n, ok := margin.Cure(in, 100, limit, 480*coin, 500*coin, fixed.One); ok {
			t.Errorf("at %d closing helps: %d", limit, n)
		}
	}
	if n, ok := margin.Cure(in, 100, 50, 500*coin, 500*coin, fixed.One); !ok || n != 1 {
		t.Errorf("cured already: %d %v, want the least", n, ok)
	}
	ladder := tenths(473_000, 10*percent, 5*percent).instrument(t)
	if n, ok := margin.Cure(ladder, 1000, 472_936, 2300*coin, 2365*coin, 110*fixed.Percent); !ok || n != 128 {
		t.Errorf("1 at 47,300 with 2,300 of 2,365: %d %v, want 0.128", n, ok)
	}
	if n := margin.Slice(ladder, 1000, 472_936, 5000, 2300*coin, 2365*coin, 110*fixed.Percent); n != 128 {
		t.Errorf("slice %d, want 0.128", n)
	}
}

// TestShare holds each bound of a slice, at the bound and a unit beyond.
func TestShare(t *testing.T) { // M-48
	coin := int64(fixed.Coin)
	for _, c := range []struct {
		name     string
		lots     fixed.Lots
		settings []int64
		want     fixed.Lots
	}{
		{"small enough for one", 100, nil, 100}, // 10,000
		{"a lot more", 101, nil, 26},            // Ceil of a quarter
		{"short", -101, nil, 26},
		{"at least so many", 101, []int64{int64(msg.LiqMin), 40}, 40},
		{"no more than there are", 101, []int64{int64(msg.LiqMin), 400}, 101},
		{"no more than the cap", 1000, []int64{int64(msg.LiqCap), 20_099 * coin}, 200},
		{"the cap itself", 1000, []int64{int64(msg.LiqCap), 20_100 * coin}, 201},
		{"one, whatever the cap", 1000, []int64{int64(msg.LiqCap), 1}, 1},
		{"all in one slice", 1000, []int64{int64(msg.LiqFraction), int64(fixed.One)}, 1000},
		{"none is small", 3, []int64{int64(msg.LiqFull), 0}, 1},
	} {
		in := with(t, flat(100, 10*percent, 5*percent).instrument(t), c.settings...)
		if got := margin.Share(in, c.lots); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
	in := with(t, flat(100, 10*percent, 5*percent).instrument(t), int64(msg.LiqBookShare), 50*percent)
	for _, c := range []struct{ depth, want fixed.Lots }{{0, 1}, {1, 1}, {5, 2}, {300, 100}} {
		// A pool that closing does not cure, at a limit of half the mark.
		if got := margin.Slice(in, 100, 50, c.depth, 0, 500*fixed.Coin, fixed.One); got != c.want {
			t.Errorf("depth %d: %d, want %d", c.depth, got, c.want)
		}
	}
}

// TestSliceLimit holds that a limit is the fillable price, but never beyond bankruptcy nor outside the band.
func TestSliceLimit(t *testing.T) { // M-49, T-9
	coin := fixed.Coin
	// 100 at 1,000: maintenance 10,000. Fillable with E 2,000 and all of the spread: 1,000 - 30 = 970; bankruptcy 980.
	settings := []int64{int64(msg.LiqSpread), 30 * percent, int64(msg.LiqAdjust), int64(market.MaxRate)}
	in := with(t, flat(1000, 10*percent, 10*percent).instrument(t), settings...)
	if f := margin.Fillable(in, 100, 2000*coin, 10_000*coin); f != 970 {
		t.Fatalf("fillable %d, want 970", f)
	}
	for _, c := range []struct {
		name   string
		lots   fixed.Lots
		equity fixed.Money
		band   int64
		want   fixed.Ticks
	}{
		{"bankruptcy first", 100, 2000 * coin, 0, 980}, {"bankruptcy first, short", -100, 2000 * coin, 0, 1020},
		{"fillable first", 100, 5000 * coin, 0, 970}, {"fillable first, short", -100, 5000 * coin, 0, 1030},
		{"band first", 100, 5000 * coin, percent, 990}, {"band first, short", -100, 5000 * coin, percent, 1010},
		{"rounded to the safe side", 100, 2050 * coin, 0, 980}, {"rounded to the safe side, short", -100, 2050 * coin, 0, 1020},
	} {
		in := with(t, flat(1000, 10*percent, 10*percent).instrument(t), append(settings, int64(msg.Band), c.band)...)
		if got := margin.SliceLimit(in, c.lots, c.equity, 10_000*coin); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

// TestSliceFee holds the worked example and its mirror image.
func TestSliceFee(t *testing.T) { // M-50, T-9
	coin := fixed.Coin
	// 10 at 500, 10 % posted of which all is maintenance: E 10 of 500, V 4,990.
	in := flat(500, 10*percent, 10*percent).instrument(t)
	for _, c := range []struct {
		lots  fixed.Lots
		value fixed.Money
		want  fixed.Money
	}{
		{10, 5000 * coin, 10 * coin}, {10, 5100 * coin, 25_500_000}, {10, 4990 * coin, 0}, {10, 4990*coin + 1, 1}, {10, 4989 * coin, 0},
		{-10, -5000 * coin, 10 * coin}, {-10, -4900 * coin, 24_500_000}, {-10, -5010 * coin, 0}, {-10, -5010*coin + 1, 1},
	} {
		if got := margin.SliceFee(in, c.lots, 10, c.value, 10*coin, 500*coin); got != c.want {
			t.Errorf("%d for %s: %s, want %s", c.lots, c.value, got, c.want)
		}
	}
}

// TestSliceAgainstNaive compares size and cure with the text of the rule, in fractions.
func TestSliceAgainstNaive(t *testing.T) { // M-48
	cured := 0
	rapid.Check(t, func(t *rapid.T) {
		i, in, lots, equity, maintenance, ok := anyLeg(t)
		target := fixed.Rate(rapid.Int64Range(int64(fixed.One), 2*int64(fixed.One)).Draw(t, "target"))
		if !ok || equity >= maintenance || int64(maintenance) > fixed.MaxInt64>>3 {
			return
		}
		with(t, in, int64(msg.LiqFraction), rapid.Int64Range(1, int64(fixed.One)).Draw(t, "fraction"),
			int64(msg.LiqFull), rapid.Int64Range(0, 1<<40).Draw(t, "full"), int64(msg.LiqMin), rapid.Int64Range(1, 100).Draw(t, "min"),
			int64(msg.LiqCap), rapid.Int64Range(1, 1<<50).Draw(t, "cap"), int64(msg.LiqBookShare), rapid.Int64Range(1, int64(fixed.One)).Draw(t, "share"),
			int64(msg.LiqFee), rapid.Int64Range(0, int64(5*fixed.Percent)).Draw(t, "fee"))
		l := &in.Liquidation
		q := new(big.Int).Abs(whole(int64(lots)))
		n, one := new(big.Int).Abs(i.worth(lots, i.mark)), whole(int64(fixed.One))
		limit := in.Mark
		if rapid.Bool().Draw(t, "off the mark") {
			limit = margin.SliceLimit(in, lots, equity, maintenance)
		}
		depth := rapid.Int64Range(0, 3000).Draw(t, "depth")

		least := new(big.Int).Set(q)
		bound := func(v *big.Int) {
			if v.Cmp(least) < 0 {
				least = v
			}
		}
		if n.Cmp(whole(int64(l.Full))) > 0 {
			part := up(times(q, int64(l.Fraction)), one)
			if low := whole(int64(l.Min)); low.Cmp(part) > 0 {
				part = low
			}
			bound(part)
		}
		bound(new(big.Int).Div(times(whole(depth), int64(l.BookShare)), one))
		bound(new(big.Int).Div(whole(int64(l.Cap)), i.worth(1, i.mark)))

		rate := new(big.Rat)
		for k, tier := range i.tiers {
			if k == 0 || n.Cmp(whole(int64(i.tiers[k-1].UpTo))) > 0 {
				rate.SetFrac(whole(int64(tier.Maintenance)), one)
			}
		}
		rate.Add(rate, new(big.Rat).SetFrac(times(q, int64(i.slopeMaintenance)), times(one, int64(max(i.unitLots, 1)))))
		ratio := func(r fixed.Rate) *big.Rat { return new(big.Rat).SetFrac(whole(int64(r)), one) }
		g := new(big.Rat).Mul(rate, ratio(target))
		g.Mul(g, new(big.Rat).SetInt(i.worth(1, i.mark)))
		g.Sub(g, new(big.Rat).SetInt(new(big.Int).Abs(i.worth(1, i.mark-limit))))
		g.Sub(g, new(big.Rat).Mul(new(big.Rat).SetInt(i.worth(1, limit)), ratio(l.Fee)))
		s := new(big.Int).Sub(up(times(whole(int64(maintenance)), int64(target)), one), whole(int64(equity)))
		want := new(big.Int).Set(q)
		if g.Sign() > 0 {
			lotsNeeded := new(big.Rat).Quo(new(big.Rat).SetInt(s), g)
			want = up(lotsNeeded.Num(), lotsNeeded.Denom())
			bound(want)
			if want.Cmp(q) > 0 {
				want = q
			}
		}
		cure, helps := margin.Cure(in, lots, limit, equity, maintenance, target)
		if helps != (g.Sign() > 0) || helps && want.Cmp(whole(int64(cure))) != 0 {
			t.Fatalf("cure %d %v, want %v of %v", cure, helps, want, g)
		}
		if helps {
			cured++
		}
		if least.Sign() <= 0 {
			least = whole(1)
		}
		if got := margin.Slice(in, lots, limit, fixed.Lots(depth), equity, maintenance, target); least.Cmp(whole(int64(got))) != 0 {
			t.Fatalf("slice %d, want %v", got, least)
		}
	})
	if cured < 100 {
		t.Errorf("only %d pools could be cured", cured)
	}
}

// TestSliceNeverWorsens holds that a slice that is filled at its limit or better, fee paid, leaves equity over maintenance no
// lower, but for the unit or two that maintenance is rounded by when only a part is filled; and a pool that had equity keeps
// some.
func TestSliceNeverWorsens(t *testing.T) { // I-17, M-49, M-50
	rapid.Check(t, func(t *rapid.T) {
		i, in, lots, _, maintenance, ok := anyLeg(t)
		if !ok || maintenance < 2 || in.SlopeMaintenance != 0 {
			return
		}
		equity := fixed.Money(rapid.Int64Range(1, int64(maintenance)-1).Draw(t, "equity"))
		limit := margin.SliceLimit(in, lots, equity, maintenance)
		if limit <= 0 {
			t.Fatalf("limit %d", limit)
		}
		d := fixed.Lots(rapid.Int64Range(1, int64(fixed.Abs(lots))).Draw(t, "d"))
		better := fixed.Ticks(rapid.Int64Range(0, 3).Draw(t, "better"))
		if lots < 0 {
			better = -better
		}
		value, at := i.worth(d, limit+better), i.worth(d, i.mark)
		if lots < 0 {
			value.Neg(value)
			at.Neg(at)
		}
		if fits(value) == nil || limit+better <= 0 {
			return
		}
		fee := margin.SliceFee(in, lots, d, fixed.Money(value.Int64()), equity, maintenance)
		after := new(big.Int).Add(whole(int64(equity)), new(big.Int).Sub(value, at))
		after.Sub(after, whole(int64(fee)))
		left := new(big.Int).Sub(i.maintenance(fixed.Abs(lots)-d), i.maintenance(lots))
		left.Add(left, whole(int64(maintenance)))
		blur := whole(3)
		if d == fixed.Abs(lots) || fee > 0 {
			blur = whole(0)
		}
		now := new(big.Int).Mul(new(big.Int).Add(after, blur), whole(int64(maintenance)))
		if now.Cmp(new(big.Int).Mul(whole(int64(equity)), left)) < 0 {
			t.Fatalf("%d of %d at %d for a fee of %d: %v of %v where there was %d of %d", d, lots, limit+better, fee, after, left, equity, maintenance)
		}
	})
}
