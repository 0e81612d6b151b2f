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

// tenths is an instrument with a tick of 0.1 and a lot of 0.001.
func tenths(mark fixed.Ticks, initial, maintenance int64) *terms {
	return &terms{kind: msg.Perpetual, tickLot: fixed.Coin / 10_000, unitLots: 1000, mark: mark, tiers: tiers([3]int64{0, initial, maintenance})}
}

// TestLiquidationPrice holds the worked example, its mirror image, and where there is no price.
func TestLiquidationPrice(t *testing.T) { // M-29, T-9
	coin := fixed.Coin
	in := tenths(200_000, 2*percent, percent/2).instrument(t)
	for _, c := range []struct {
		name        string
		lots        fixed.Lots
		equity      fixed.Money
		maintenance fixed.Money
		want        fixed.Ticks // 0: none
	}{
		{"long", 1000, 400 * coin, 100 * coin, 196_985},
		{"short", -1000, 400 * coin, 100 * coin, 202_985}, // 20,000 + 300/1.005 = 20,298.507
		{"beside another leg", 1000, 500 * coin, 200 * coin, 196_985},
		{"long, unlevered", 1000, 20_000 * coin, 100 * coin, 0},
		{"long, not safe", 1000, 50 * coin, 100 * coin, 200_503}, // first safe mark: 20,000 + 50/0.995
		{"short, not safe", -1000, 50 * coin, 100 * coin, 199_502},
		{"short, hopeless", -1000, -20_000 * coin, 100 * coin, 0},
		{"none held", 0, 400 * coin, 0, 0},
	} {
		got, ok := margin.LiquidationPrice(in, c.lots, c.equity, c.maintenance)
		if ok != (c.want != 0) || got != c.want && ok {
			t.Errorf("%s: %d %v, want %d", c.name, got, ok, c.want)
		}
	}
	spot := terms{kind: msg.Spot, tickLot: 1, mark: 100}
	if _, ok := margin.LiquidationPrice(spot.instrument(t), 5, 10, 0); ok {
		t.Error("a spot asset has a liquidation price")
	}
}

// TestBankruptcy holds the worked examples of the value and the price.
func TestBankruptcy(t *testing.T) { // M-30, T-9
	coin := fixed.Coin
	dydx := terms{kind: msg.Perpetual, tickLot: coin / 100, unitLots: 100, mark: 50_000, tiers: tiers([3]int64{0, 10 * percent, 10 * percent})}
	bybit := tenths(200_000, 2*percent, percent/2)
	for _, c := range []struct {
		name                string
		in                  *terms
		lots, d             fixed.Lots
		equity, maintenance fixed.Money
		want                fixed.Money
		price               fixed.Ticks // of all lots; 0: none
	}{
		{"long", &dydx, 10, 10, 499 * coin, 500 * coin, 4501 * coin, 45_010},
		{"short", &dydx, -10, 10, 499 * coin, 500 * coin, -5499 * coin, 54_990},
		{"long, half", &dydx, 10, 5, 499 * coin, 500 * coin, 2_250_500_000, 0},
		{"short, half", &dydx, -10, 5, 499 * coin, 500 * coin, -2_749_500_000, 0},
		{"long, below nothing", &dydx, 10, 10, -100 * coin, 500 * coin, 5100 * coin, 51_000},
		{"rounded up", &dydx, 10, 10, 1, 3 * 500 * coin, 5000 * coin, 50_000},
		{"rounded up below 0", &dydx, 10, 10, -1, 3 * 500 * coin, 5000*coin + 1, 50_001},
		{"of a short: paid less", &dydx, -10, 10, -1, 3 * 500 * coin, -5000*coin + 1, 49_999},
		{"posted", bybit, 1000, 1000, 400 * coin, 100 * coin, 19_600 * coin, 196_000},
		{"unlevered", &dydx, 10, 10, 5000 * coin, 500 * coin, 0, 0},
	} {
		in := c.in.instrument(t)
		got, ok := margin.Bankruptcy(in, c.lots, c.d, c.equity, c.maintenance)
		if !ok || got != c.want {
			t.Errorf("%s: %s %v, want %s", c.name, got, ok, c.want)
		}
		if c.d != fixed.Abs(c.lots) {
			continue
		}
		if p, ok := margin.BankruptcyPrice(in, c.lots, got); ok != (c.price != 0) || ok && p != c.price {
			t.Errorf("%s: price %d %v, want %d", c.name, p, ok, c.price)
		}
	}
	if v, ok := margin.Bankruptcy(dydx.instrument(t), 10, 5, 5, 0); !ok || v != 2500*coin-2 {
		t.Errorf("half of a pool that requires nothing closes at %s %v, want all but 2 units", v, ok)
	}
}

// TestFillable holds the worked example, and the ends of the slide.
func TestFillable(t *testing.T) { // M-31, T-9
	coin := fixed.Coin
	hundredth := terms{kind: msg.Perpetual, tickLot: coin / 100, mark: 10_000, tiers: tiers([3]int64{0, 10 * percent, 10 * percent})}
	in := hundredth.instrument(t) // 4 lots of 1 unit at 100: maintenance 40
	for _, c := range []struct {
		name   string
		lots   fixed.Lots
		equity fixed.Money
		adjust int64
		want   fixed.Ticks
	}{
		{"a quarter short", 4, 30 * coin, 100 * percent, 9_975},
		{"a quarter short, a short", -4, 30 * coin, 100 * percent, 10_025},
		{"just covered", 4, 40 * coin, 100 * percent, 10_000},
		{"nothing left", 4, 0, 100 * percent, 9_900},
		{"less than nothing", 4, -100 * coin, 100 * percent, 9_900},
		{"twice as fast", 4, 30 * coin, 200 * percent, 9_950},
		{"half as fast", 4, 0, 50 * percent, 9_950},
		{"not at all", 4, 0, 0, 10_000},
	} {
		with(t, in, int64(msg.LiqAdjust), c.adjust)
		if got := margin.Fillable(in, c.lots, c.equity, 40*coin); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
	ladder := tenths(473_000, 10*percent, 5*percent).instrument(t)
	if got := margin.Fillable(ladder, 1000, 2300*coin, 2365*coin); got != 472_936 {
		t.Errorf("1 at 47,300 with 2,300 of 2,365: %d, want 47,293.6", got)
	}
}

// anyLeg draws an instrument, a position in it and the pool around it, in sizes at which everything fits.
func anyLeg(t *rapid.T) (i *terms, in *market.Instrument, lots fixed.Lots, equity, maintenance fixed.Money, ok bool) {
	i = anyTerms(t)
	in = i.instrument(t)
	lots = i.anyLots(t, "lots")
	own, ok := margin.Maintenance(in, lots)
	if !ok || lots == 0 || int64(own) > fixed.MaxInt64>>2 || lots > fixed.Lots(fixed.MaxInt64>>3)/fixed.Lots(in.LotValue) {
		return i, in, 0, 0, 0, false
	}
	if rapid.Bool().Draw(t, "short") {
		lots = -lots
	}
	n := int64(fixed.Abs(lots)) * int64(in.LotValue)
	maintenance = own + fixed.Money(rapid.Int64Range(0, n).Draw(t, "others"))
	equity = maintenance + fixed.Money(rapid.OneOf(rapid.Int64Range(-100, 100), rapid.Int64Range(-n, 2*n)).Draw(t, "surplus"))
	return i, in, lots, equity, maintenance, true
}

// surplus is equity less maintenance of the pool at another mark of one instrument; nil where that does not fit.
func (i *terms) surplus(lots fixed.Lots, mark fixed.Ticks, equity, maintenance fixed.Money) *big.Int {
	moved := *i
	moved.mark = mark
	now, then := i.maintenance(lots), moved.maintenance(lots)
	if then == nil {
		return nil
	}
	s := new(big.Int).Sub(moved.worth(lots, mark), i.worth(lots, i.mark))
	s.Add(s, whole(int64(equity)))
	s.Sub(s, whole(int64(maintenance)))
	return s.Add(s, new(big.Int).Sub(now, then))
}

// TestLiquidationPriceIsTheLastSafeTick holds the definition: equity covers maintenance at the price, and does not one tick
// further; where there is no price, no mark on the losing side is a danger.
func TestLiquidationPriceIsTheLastSafeTick(t *testing.T) { // I-28, M-29
	found := 0
	rapid.Check(t, func(t *rapid.T) {
		i, in, lots, equity, maintenance, ok := anyLeg(t)
		if !ok {
			return
		}
		further := fixed.Ticks(-1)
		if lots < 0 {
			further = 1
		}
		p, ok := margin.LiquidationPrice(in, lots, equity, maintenance)
		if !ok {
			if in.SlopeMaintenance == 0 && lots > 0 && i.tiers[len(i.tiers)-1].Maintenance < fixed.One {
				if s := i.surplus(lots, 1, equity, maintenance); s.Sign() < 0 && equity >= maintenance {
					t.Fatalf("no price, and yet at 1 tick the pool is short by %v", s)
				}
			}
			return
		}
		found++
		if s := i.surplus(lots, p, equity, maintenance); s == nil || s.Sign() < 0 {
			t.Fatalf("at %d of %d the pool is short by %v", p, in.Mark, s)
		}
		if s := i.surplus(lots, p+further, equity, maintenance); p+further > 0 && s != nil && s.Sign() >= 0 {
			t.Fatalf("one tick beyond %d of %d the pool still has %v", p, in.Mark, s)
		}
	})
	if found < 500 {
		t.Errorf("only %d prices were found", found)
	}
}

// TestLiquidationPriceByFormula compares with the formula of the rule, over fractions, where there is no slope: there it is
// exact.
func TestLiquidationPriceByFormula(t *testing.T) { // M-29
	rapid.Check(t, func(t *rapid.T) {
		i, in, lots, equity, maintenance, ok := anyLeg(t)
		if !ok || in.SlopeMaintenance != 0 || equity < maintenance {
			return
		}
		n, sigma := new(big.Int).Abs(i.worth(lots, i.mark)), int64(1)
		if lots < 0 {
			sigma = -1
		}
		one := whole(int64(fixed.One))
		d, before, from := new(big.Int), int64(0), int64(0)
		var least *big.Int
		for _, tier := range i.tiers {
			l := int64(tier.Maintenance)
			d.Add(d, times(whole(from), l-before))
			avail := new(big.Int).Sub(whole(int64(equity)), whole(int64(maintenance)))
			avail.Add(avail, i.maintenance(lots)).Mul(avail, one)
			avail.Sub(avail, times(n, l)).Add(avail, d)
			before, from = l, int64(tier.UpTo)
			weight := times(times(new(big.Int).Abs(whole(int64(lots))), int64(i.tickLot)), int64(fixed.One)-sigma*l)
			if weight.Sign() == 0 {
				continue
			}
			delta := new(big.Int).Div(avail, weight)
			if least == nil || delta.Cmp(least) < 0 {
				least = delta
			}
		}
		got, ok := margin.LiquidationPrice(in, lots, equity, maintenance)
		if least == nil {
			if ok {
				t.Fatalf("price %d where the mark is no danger", got)
			}
			return
		}
		want := new(big.Int).Sub(whole(int64(i.mark)), times(least, sigma))
		reached := want.Sign() > 0 && want.IsInt64() && fits(times(times(want, int64(i.tickLot)), int64(fixed.Abs(lots)))) != nil
		if ok != reached || ok && want.Int64() != int64(got) {
			t.Fatalf("%d %v, want %v", got, ok, want)
		}
	})
}

// TestBankruptcyAgainstNaive compares with the text, and holds what the value is for: closing at it leaves equity over
// maintenance no lower.
func TestBankruptcyAgainstNaive(t *testing.T) { // M-30, I-17
	rapid.Check(t, func(t *rapid.T) {
		i, in, lots, equity, maintenance, ok := anyLeg(t)
		if !ok || maintenance == 0 {
			return
		}
		d := fixed.Lots(rapid.Int64Range(1, int64(fixed.Abs(lots))).Draw(t, "d"))
		freed := new(big.Int).Sub(i.maintenance(lots), i.maintenance(fixed.Abs(lots)-d))
		share := new(big.Int).Div(new(big.Int).Mul(whole(int64(equity)), freed), whole(int64(maintenance)))
		value := i.worth(d, i.mark)
		if lots < 0 {
			value.Neg(value)
		}
		want := new(big.Int).Sub(value, share)
		got, ok := margin.Bankruptcy(in, lots, d, equity, maintenance)
		same(t, "Bankruptcy", got, ok, fits(want))
		if !ok {
			return
		}
		after := new(big.Int).Add(whole(int64(equity)), new(big.Int).Sub(whole(int64(got)), value))
		left := new(big.Int).Sub(whole(int64(maintenance)), freed)
		if after.Mul(after, whole(int64(maintenance))).Cmp(new(big.Int).Mul(whole(int64(equity)), left)) < 0 {
			t.Fatalf("closing %d of %d at %d lowers equity over maintenance", d, lots, got)
		}
		if d == fixed.Abs(lots) {
			p, ok := margin.BankruptcyPrice(in, lots, got)
			paid := i.worth(lots, p) // money received for a long, paid for a short
			if ok && paid.Cmp(whole(int64(got))) < 0 {
				t.Fatalf("all at %d brings %v, less than %d", p, paid, got)
			}
		}
	})
}

// TestFillableAgainstNaive compares with the text of the rule.
func TestFillableAgainstNaive(t *testing.T) { // M-31
	rapid.Check(t, func(t *rapid.T) {
		i, in, lots, equity, maintenance, ok := anyLeg(t)
		if !ok || maintenance == 0 {
			return
		}
		spread := rapid.Int64Range(0, int64(fixed.One)).Draw(t, "spread")
		adjust := rapid.Int64Range(0, int64(market.MaxRate)).Draw(t, "adjust")
		with(t, in, int64(msg.LiqSpread), spread, int64(msg.LiqAdjust), adjust)
		one := whole(int64(fixed.One))
		c := new(big.Int).Div(times(whole(int64(maintenance)-int64(equity)), adjust), whole(int64(maintenance)))
		if c.Sign() < 0 {
			c = new(big.Int)
		}
		if c.Cmp(one) > 0 {
			c = one
		}
		u := new(big.Int).Div(times(c, spread), one)
		perTick := times(new(big.Int).Abs(whole(int64(lots))), int64(i.tickLot))
		away := new(big.Int).Div(new(big.Int).Mul(u, i.maintenance(lots)), new(big.Int).Mul(one, perTick))
		if lots > 0 {
			away.Neg(away)
		}
		want := new(big.Int).Add(whole(int64(i.mark)), away)
		if want.Sign() <= 0 {
			want = whole(1)
		}
		if got := margin.Fillable(in, lots, equity, maintenance); want.Cmp(whole(int64(got))) != 0 {
			t.Fatalf("%d, want %v", got, want)
		}
	})
}
