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

// flat is an instrument of one bracket, a tick-lot of one coin, marked at mark.
func flat(mark fixed.Ticks, initial, maintenance int64) *terms {
	return &terms{kind: msg.Perpetual, tickLot: fixed.Coin, mark: mark, tiers: tiers([3]int64{0, initial, maintenance})}
}

// with sets rules of an instrument: rule, value, rule, value.
func with(t rapid.TB, in *market.Instrument, settings ...int64) *market.Instrument {
	t.Helper()
	for i := 0; i < len(settings); i += 2 {
		if r := in.SetRule(msg.Setting{Rule: msg.Rule(settings[i]), Value: settings[i+1]}); r != 0 {
			t.Fatalf("%s = %d: refused as %s", msg.Rule(settings[i]), settings[i+1], r.Name())
		}
	}
	return in
}

// crowded gives an instrument a concentration table of pairs of share and rate.
func crowded(t rapid.TB, in *market.Instrument, rows ...int64) *market.Instrument {
	t.Helper()
	for i := 0; i < len(rows); i += 2 {
		c := msg.Concentration{Index: uint8(i / 2), Share: fixed.Rate(rows[i]), Rate: fixed.Rate(rows[i+1]), Last: i+2 == len(rows)}
		if r := in.SetConcentration(c); r != 0 {
			t.Fatalf("%+v: refused as %s", c, r.Name())
		}
	}
	return in
}

// TestLeverageRate holds the rate of a leverage, and its bounds: onefold, and what the first bracket allows.
func TestLeverageRate(t *testing.T) { // M-09
	in := flat(100, 2*percent, percent).instrument(t)
	for _, c := range []struct {
		x    msg.Leverage
		rate int64
		ok   bool
	}{
		{0, 0, true}, {99, 1_010_101_011, false}, {100, 100 * percent, true}, {101, 990_099_010, true}, {300, 333_333_334, true},
		{1000, 10 * percent, true}, {5000, 2 * percent, true}, {5001, 19_996_001, false},
	} {
		if got, ok := margin.LeverageRate(in, c.x); int64(got) != c.rate || ok != c.ok {
			t.Errorf("leverage %d: %s %v, want %s %v", c.x, got, ok, fixed.Rate(c.rate), c.ok)
		}
	}
	high := flat(100, 2*percent+1, percent).instrument(t)
	if _, ok := margin.LeverageRate(high, 5000); ok {
		t.Error("fiftyfold is allowed where the first bracket asks for 2.0000001 %")
	}
}

// TestInitialUnder holds the worked examples of what raises initial margin.
func TestInitialUnder(t *testing.T) { // M-09 to M-12, T-9
	coin := int64(fixed.Coin)
	small := flat(100, 5*percent, 25*percent/10).instrument(t)
	steps := terms{kind: msg.Perpetual, tickLot: fixed.Coin / 10_000, mark: 100, tiers: tiers([3]int64{10, 2 * percent, percent},
		[3]int64{20, 4 * percent, 2 * percent}, [3]int64{30, 6 * percent, 3 * percent}, [3]int64{40, 8 * percent, 4 * percent},
		[3]int64{0, 10 * percent, 5 * percent})}
	steep := terms{kind: msg.Perpetual, tickLot: fixed.Coin, mark: 100_000, tiers: tiers([3]int64{0, 2 * percent, percent}), slopeInitial: 50_000}
	for _, c := range []struct {
		name string
		in   *market.Instrument
		lots fixed.Lots
		c    margin.Conditions
		want int64
	}{
		{"nothing chosen", small, 100, margin.Conditions{}, 500 * coin},
		{"twentyfold is what the tiers say", small, 100, margin.Conditions{Leverage: fixed.Rate(5 * percent)}, 500 * coin},
		{"tenfold", small, -100, margin.Conditions{Leverage: fixed.Rate(10 * percent)}, 1000 * coin},
		{"tenfold above brackets of ten", steps.instrument(t), 2500, margin.Conditions{Leverage: fixed.Rate(10 * percent)}, 2_500_000},
		{"leverage below the brackets", steps.instrument(t), 2500, margin.Conditions{Leverage: fixed.Rate(2 * percent)}, 900_000},
		{"open interest above leverage", small, 100, margin.Conditions{Leverage: fixed.Rate(10 * percent), Interest: fixed.Rate(28 * percent)}, 2800 * coin},
		{"a large share", small, 100, margin.Conditions{Concentration: fixed.Rate(5 * percent)}, 1000 * coin},
		{"slope and share on top of leverage", steep.instrument(t), 25,
			margin.Conditions{Leverage: fixed.Rate(10 * percent), Concentration: fixed.Rate(percent)}, (250_000 + 3_125 + 25_000) * coin},
	} {
		if got, ok := margin.InitialUnder(c.in, c.lots, &c.c); !ok || int64(got) != c.want {
			t.Errorf("%s: %s %v, want %s", c.name, got, ok, fixed.Money(c.want))
		}
	}
}

// TestInterestRate holds the line between the bounds of the open interest, and its ends.
func TestInterestRate(t *testing.T) { // M-10, T-9
	million := int64(1_000_000 * fixed.Coin)
	in := flat(100, 10*percent, 5*percent).instrument(t)
	if got := margin.InterestRate(in, 1<<40); got != 0 {
		t.Errorf("no bounds: %s, want 0", got)
	}
	with(t, in, int64(msg.InterestHigh), 20*million, int64(msg.InterestLow), 10*million)
	for _, c := range []struct {
		lots fixed.Lots
		want int64
	}{
		{0, 10 * percent}, {100_000, 10 * percent}, {100_001, 10*percent + 9000}, {120_000, 28 * percent},
		{199_999, 100*percent - 9000}, {200_000, 100 * percent}, {200_001, 100 * percent}, {1 << 60, 100 * percent},
	} {
		if got := margin.InterestRate(in, c.lots); int64(got) != c.want {
			t.Errorf("%d lots: %s, want %s", c.lots, got, fixed.Rate(c.want))
		}
	}
	if in.Asks&market.AskOthers == 0 || in.InitialLot != 0 {
		t.Error("an instrument whose initial depends on open interest passes for a plain one")
	}
}

// TestConcentrationRate holds the rows of a table, one unit below each share and at it.
func TestConcentrationRate(t *testing.T) { // M-11, T-9
	in := flat(100, 10*percent, 5*percent).instrument(t)
	if got := margin.ConcentrationRate(in, 9, 10); got != 0 {
		t.Errorf("no table: %s, want 0", got)
	}
	crowded(t, in, 25*percent, 5*percent, 50*percent, 9*percent)
	for _, c := range []struct {
		lots, interest fixed.Lots
		want           int64
	}{
		{30, 100, 5 * percent}, {25, 100, 5 * percent}, {249_999_999, 1_000_000_000, 0}, {24, 100, 0}, {0, 0, 0},
		{49, 100, 5 * percent}, {50, 100, 9 * percent}, {200, 100, 9 * percent}, {5, 0, 9 * percent},
	} {
		if got := margin.ConcentrationRate(in, c.lots, c.interest); int64(got) != c.want {
			t.Errorf("%d of %d: %s, want %s", c.lots, c.interest, got, fixed.Rate(c.want))
		}
	}
}

// ofRate is n · r rounded up.
func ofRate(n *big.Int, r fixed.Rate) *big.Int {
	return up(times(n, int64(r)), whole(int64(fixed.One)))
}

// initialUnder is IMf of M-12.
func (i *terms) initialUnder(lots fixed.Lots, c margin.Conditions) *big.Int {
	n := new(big.Int).Abs(i.worth(lots, i.mark))
	all := i.initial(lots)
	if all == nil {
		return nil
	}
	t := i.tiered(n, func(t msg.Tier) fixed.Rate { return t.Initial })
	slope := new(big.Int).Sub(all, t)
	for _, r := range []fixed.Rate{c.Leverage, c.Interest} {
		if flat := ofRate(n, r); flat.Cmp(t) > 0 {
			t = flat
		}
	}
	more := ofRate(n, c.Concentration)
	return fits(new(big.Int).Add(new(big.Int).Add(t, slope), more), t, more, new(big.Int).Add(t, slope))
}

func anyConditions(t *rapid.T) (c margin.Conditions) {
	rate := rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Range(0, int64(fixed.One)))
	return margin.Conditions{Leverage: fixed.Rate(rate.Draw(t, "leverage")), Interest: fixed.Rate(rate.Draw(t, "interest")),
		Concentration: fixed.Rate(rate.Draw(t, "concentration"))}
}

// TestInitialUnderAgainstNaive compares with the twin, for sizes and whole exposures.
func TestInitialUnderAgainstNaive(t *testing.T) { // M-12 to M-14
	rapid.Check(t, func(t *rapid.T) {
		i, c := anyTerms(t), anyConditions(t)
		in := i.instrument(t)
		lots := i.anyLots(t, "lots")
		got, ok := margin.InitialUnder(in, lots, &c)
		same(t, "InitialUnder", got, ok, i.initialUnder(lots, c))
		x := margin.Exposure{Qty: lots, Buys: i.anyLots(t, "buys"), Sells: i.anyLots(t, "sells"), BuyReserve: 7, SellReserve: 9}
		want := i.initialUnder(max(x.Qty+x.Buys, x.Sells-x.Qty), c)
		if want != nil && x.Buys > 0 { // qty is 0 or more here
			want = fits(new(big.Int).Add(want, whole(7)))
		}
		if want != nil && x.Sells > x.Qty {
			want = fits(new(big.Int).Add(want, whole(9)))
		}
		got, ok = margin.RequirementUnder(in, &x, &c)
		same(t, "RequirementUnder", got, ok, want)
	})
}

// TestInitialUnderIsConvex holds that conditions only raise initial, and leave it the shape it has: not below maintenance,
// never falling, each lot as dear as the one before.
func TestInitialUnderIsConvex(t *testing.T) { // I-08
	rapid.Check(t, func(t *rapid.T) {
		i, c := anyTerms(t), anyConditions(t)
		in := i.instrument(t)
		n := 1 + i.anyLots(t, "lots")
		var m [3]fixed.Money
		for k := range m {
			got, ok := margin.InitialUnder(in, n+fixed.Lots(k)-1, &c)
			if !ok {
				return
			}
			m[k] = got
		}
		plain, _ := margin.Initial(in, n)
		maintenance, _ := margin.Maintenance(in, n)
		if m[1] < plain || m[1] < maintenance || m[0] > m[1] || m[1] > m[2] {
			t.Fatalf("%v at %d lots of %+v; tiers alone %d, maintenance %d", m, n, c, plain, maintenance)
		}
		if m[2]-m[1] < m[1]-m[0]-5 { // three figures are rounded up
			t.Fatalf("%v is not convex at %d lots", m, n)
		}
	})
}
