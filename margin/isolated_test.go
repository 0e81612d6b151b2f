package margin_test

import (
	"math/big"
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/margin"
	"github.com/lockstep-exchange/lockstep/msg"
	"pgregory.net/rapid"
)

// TestHoldsOfAShort tells the life of an isolated short in figures.
func TestHoldsOfAShort(t *testing.T) { // M-21 to M-24, T-9
	in := flat(15_900, 90*percent, 35*percent).instrument(t)
	r, ok := margin.IsolatedRate(in, 10, &margin.Conditions{})
	if !ok || int64(r) != 90*percent {
		t.Fatalf("rate %s %v, want 90 %%", r, ok)
	}
	for _, c := range []struct {
		free, leaves fixed.Lots
		price        fixed.Ticks
		want         int64 // thousandths
		opens        fixed.Lots
	}{
		{0, 1, 15_900, 14_310_000, 1}, {0, 10, 15_910, 143_190_000, 10}, {0, 5, 15_912, 71_604_000, 5},
		{3, 10, 14_500, 91_350_000, 7}, {3, 3, 14_500, 0, 0}, {3, 2, 14_500, 0, 0},
	} {
		h := margin.Holds{Free: c.free}
		held, ok := h.Add(in, c.leaves, c.price, r, margin.Terms{})
		if !ok || int64(held) != c.want*1000 || h.Held != held || h.Opens != c.opens || h.Free != max(0, c.free-c.leaves) {
			t.Errorf("%d at %d, %d free: %s %v and %+v, want %s", c.leaves, c.price, c.free, held, ok, h, fixed.Money(c.want*1000))
		}
	}
	if got, ok := margin.Posting(in, 3, 15_912, r); !ok || got != 42_962_400_000 {
		t.Errorf("3 opened at 15,912 post %s %v, want 42,962.4", got, ok)
	}
	// 1 of 4 bought back at 15,900: the child has 57,272.4 and sold for 63,636.
	e, ok := margin.EquityAt(in, 57_272_400_000, -63_636*fixed.Coin, 0, -4, 15_900)
	if !ok || e != 57_308_400_000 {
		t.Errorf("equity at the fill %s %v, want 57,308.4", e, ok)
	}
	if got := margin.Release(e, 1, 4); got != 14_327_100_000 {
		t.Errorf("released %s, want 14,327.1", got)
	}
}

// TestRelease holds the share of equity that leaves, and that a loss takes nothing from the parent.
func TestRelease(t *testing.T) { // M-24, I-06, T-9
	in := flat(13, 50*percent, 10*percent).instrument(t)
	e, ok := margin.EquityAt(in, 4*fixed.Coin, 24*fixed.Coin, 0, 2, 13)
	if !ok || e != 6*fixed.Coin || margin.Release(e, 1, 2) != 3*fixed.Coin {
		t.Errorf("equity %s %v releases %s, want 6 and 3", e, ok, margin.Release(e, 1, 2))
	}
	for _, c := range []struct {
		equity  fixed.Money
		d, lots fixed.Lots
		want    fixed.Money
	}{{-5, 1, 2, 0}, {0, 1, 2, 0}, {5, 1, 2, 2}, {5, 2, 2, 5}, {5, 1, 3, 1}} {
		if got := margin.Release(c.equity, c.d, c.lots); got != c.want {
			t.Errorf("Release(%d, %d, %d) = %d, want %d", c.equity, c.d, c.lots, got, c.want)
		}
	}
	if e, ok := margin.EquityAt(in, 10*fixed.Coin, 0, 3*fixed.Coin, 0, 13); !ok || e != 7*fixed.Coin {
		t.Errorf("accrued funding is left out: %s", e)
	}
}

// TestFlip holds the split of a fee, and what a flip takes out and puts in.
func TestFlip(t *testing.T) { // M-25, T-9
	in := flat(12, 50*percent, 10*percent).instrument(t)
	if got := margin.Release(1000*fixed.Coin, 20, 20); got != 1000*fixed.Coin {
		t.Errorf("all closed releases %s, want 1,000", got)
	}
	if got, ok := margin.Posting(in, 5, 12, fixed.Rate(50*percent)); !ok || got != 30*fixed.Coin {
		t.Errorf("5 opened at 12 post %s, want 30", got)
	}
	for _, c := range []struct {
		fee           fixed.Money
		closes, d     fixed.Lots
		child, parent fixed.Money
	}{{10, 20, 25, 8, 2}, {11, 20, 25, 8, 3}, {1, 1, 2, 0, 1}, {7, 3, 3, 7, 0}, {7, 0, 3, 0, 7}} {
		if child, parent := margin.SplitFee(c.fee, c.closes, c.d); child != c.child || parent != c.parent {
			t.Errorf("fee %d of %d/%d: %d and %d, want %d and %d", c.fee, c.closes, c.d, child, parent, c.child, c.parent)
		}
	}
}

// TestIsolationAndRemoval holds what goes into a child and what may be taken out.
func TestIsolationAndRemoval(t *testing.T) { // M-26, M-28, T-9
	coin := fixed.Coin
	if x, ok := margin.IsolationMargin(5000*coin, 0); !ok || x != 5000*coin {
		t.Errorf("at no loss %s moves, want 5,000", x)
	}
	if x, ok := margin.IsolationMargin(5000*coin, -300*coin); !ok || x != 5300*coin || !margin.Isolates(x, -300*coin, 0, 5000*coin) ||
		margin.Isolates(x-1, -300*coin, 0, 5000*coin) || margin.Isolates(x, -300*coin, 1, 5000*coin) || !margin.Isolates(x, -300*coin, -1, 5000*coin) {
		t.Errorf("at a loss of 300 %s moves, want 5,300 and no unit less", x)
	}
	if x, _ := margin.IsolationMargin(5000*coin, 300*coin); x != 5000*coin {
		t.Errorf("a profit lowers what moves to %s", x)
	}
	for _, c := range []struct{ equity, profit, initial, want fixed.Money }{
		{6700, 700, 5000, 1000}, {5700, 700, 5000, 0}, {5600, 700, 5000, 0}, {5900, -100, 5000, 900},
	} {
		if got := margin.Removable(c.equity*coin, c.profit*coin, fixed.One, c.initial*coin); got != c.want*coin {
			t.Errorf("equity %d, profit %d: %s, want %d", c.equity, c.profit, got, c.want)
		}
	}
	// 43,954.3 in the child, 3 sold at 15,909 and marked at 15,900: profit 27, initial 42,930.
	if got := margin.Removable(43_981_300_000, 27*coin, fixed.One, 42_930*coin); got != 1_024_300_000 {
		t.Errorf("%s can leave, want 1,024.3", got)
	}
}

// TestHoldsCarry holds that what is posted survives its own fill, to the unit.
func TestHoldsCarry(t *testing.T) { // M-22
	in := flat(100, 10*percent, 5*percent).instrument(t)
	var h margin.Holds
	if _, ok := h.Add(in, 10, 110, fixed.Rate(10*percent), margin.Terms{Loss: 10}); !ok {
		t.Fatal("does not fit")
	}
	// 110 posted, 100 lost at once, 50 needed.
	if h.Carries(in, 10, 40*fixed.Coin-1) || !h.Carries(in, 10, 40*fixed.Coin) {
		t.Errorf("%+v: 40 in the child are not the bound", h)
	}
}

// TestPostingsReachInitial holds that an isolated side that is filled at the mark in any pieces has posted its initial
// requirement, but for what rounding takes: the reason for the rate of the highest bracket.
func TestPostingsReachInitial(t *testing.T) { // M-21
	rapid.Check(t, func(t *rapid.T) {
		i, c := anyTerms(t), anyConditions(t)
		in := i.instrument(t)
		sum, pieces := fixed.Lots(0), rapid.IntRange(1, 6).Draw(t, "pieces")
		posted := new(big.Int)
		for range pieces {
			lots := i.anyLots(t, "lots") / 8
			if sum += lots; sum < 0 {
				return
			}
			r, ok := margin.IsolatedRate(in, sum, &c)
			if !ok {
				return
			}
			m, ok := margin.Posting(in, lots, i.mark, r)
			if !ok {
				return
			}
			posted.Add(posted, whole(int64(m)))
		}
		need, ok := margin.InitialUnder(in, sum, &c)
		if short := new(big.Int).Sub(whole(int64(need)), posted); ok && short.Cmp(whole(int64(pieces)+3)) > 0 {
			t.Fatalf("%d lots posted %v of %d", sum, posted, need)
		}
	})
}

// TestIsolatedFiguresAgainstNaive compares rate, hold and posting with the text of the rules.
func TestIsolatedFiguresAgainstNaive(t *testing.T) { // M-21 to M-23
	rapid.Check(t, func(t *rapid.T) {
		i, c := anyTerms(t), anyConditions(t)
		in := i.instrument(t)
		lots := i.anyLots(t, "lots")
		n := i.worth(lots, i.mark)
		var want *big.Int
		if fits(n) != nil {
			r := int64(max(c.Leverage, c.Interest))
			for k, tier := range i.tiers {
				if k == 0 || n.Cmp(whole(int64(i.tiers[k-1].UpTo))) > 0 {
					r = max(r, int64(tier.Initial), int64(max(c.Leverage, c.Interest)))
				}
			}
			steep := up(times(times(whole(int64(lots)), int64(i.slopeInitial)), 2), whole(int64(max(i.unitLots, 1))))
			want = fits(new(big.Int).Add(steep, whole(r+int64(c.Concentration))), steep)
		}
		got, ok := margin.IsolatedRate(in, lots, &c)
		same(t, "IsolatedRate", fixed.Money(got), ok, want)

		rate := fixed.Rate(rapid.Int64Range(0, 3*int64(fixed.One)).Draw(t, "rate"))
		fee := fixed.Rate(rapid.Int64Range(0, int64(fixed.One)).Draw(t, "fee"))
		price := fixed.Ticks(rapid.Int64Range(1, 2*int64(i.mark)).Draw(t, "price"))
		n = i.worth(lots, price)
		hold, reserve := ofRate(n, rate), ofRate(n, fee)
		held, ok := margin.Held(in, lots, price, rate, fee)
		if fits(times(whole(int64(lots)), int64(price))) != nil {
			same(t, "Held", held, ok, fits(new(big.Int).Add(hold, reserve), n, hold, reserve))
			posted, ok := margin.Posting(in, lots, price, rate)
			same(t, "Posting", posted, ok, fits(new(big.Int).Div(times(n, int64(rate)), whole(int64(fixed.One))), n))
		}
	})
}

// TestIsolatedRateOfScenarios holds the rate where tiers are dear, and the post of a first fill.
func TestIsolatedRateOfScenarios(t *testing.T) { // M-21, M-23
	h := terms{kind: msg.Perpetual, tickLot: fixed.Coin / 100, mark: 15_800, tiers: tiers([3]int64{0, 30 * percent, 10 * percent})}
	in := h.instrument(t)
	var holds margin.Holds
	for _, o := range []struct {
		lots  fixed.Lots
		price fixed.Ticks
	}{{300, 15_795}, {100, 15_500}} {
		holds.Add(in, o.lots, o.price, fixed.Rate(30*percent), margin.Terms{})
	}
	first, _ := margin.Posting(in, 300, 15_800, fixed.Rate(30*percent))
	more, _ := margin.Posting(in, 10, 15_802, fixed.Rate(30*percent))
	if holds.Held != 18_865_500_000 || first != 14_220*fixed.Coin || first+more != 14_694_060_000 {
		t.Errorf("held %s, posted %s and %s, want 18,865.5, 14,220 and 14,694.06", holds.Held, first, first+more)
	}
}
