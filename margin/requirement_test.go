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

// instrument makes i real, by the setters that the engine uses.
func (i *terms) instrument(t rapid.TB) *market.Instrument {
	t.Helper()
	in := &market.Instrument{}
	refused := in.List(msg.Listing{Type: i.kind, TickLot: i.tickLot, UnitLots: i.unitLots})
	for k, tier := range i.tiers {
		tier.Index = uint8(k)
		refused = max(refused, in.SetTier(tier))
	}
	refused = max(refused, in.SetRule(msg.Setting{Rule: msg.SlopeInitial, Value: int64(i.slopeInitial)}),
		in.SetRule(msg.Setting{Rule: msg.SlopeMaintenance, Value: int64(i.slopeMaintenance)}),
		in.SetFees(msg.Fees{Maker: i.maker, Taker: i.taker}))
	if refused != 0 {
		t.Fatalf("%+v: refused as %s", *i, refused.Name())
	}
	if r := in.CanMark(i.mark, 1, fixed.MaxInt64); r != 0 {
		t.Fatalf("mark %d: refused as %s", i.mark, r.Name())
	}
	in.SetMark(i.mark)
	return in
}

// tiers reads UPTO, INITIAL, MAINTENANCE in coins and billionths; UPTO 0 is the last.
func tiers(rows ...[3]int64) (list []msg.Tier) {
	for _, r := range rows {
		list = append(list, msg.Tier{UpTo: fixed.Money(r[0]) * fixed.Coin, Initial: fixed.Rate(r[1]), Maintenance: fixed.Rate(r[2])})
	}
	return list
}

const percent = int64(fixed.Percent)

// TestPublishedTables holds the requirements to the tables that exchanges publish.
func TestPublishedTables(t *testing.T) { // M-06, M-07, M-08, T-9
	coin := int64(fixed.Coin)
	bitcoin := terms{kind: msg.Perpetual, tickLot: fixed.Coin, mark: 50_000,
		tiers: tiers([3]int64{150_000_000, 25 * percent / 10, 125 * percent / 100}, [3]int64{0, 5 * percent, 25 * percent / 10})}
	doge := terms{kind: msg.Perpetual, tickLot: fixed.Coin / 100, mark: 100, tiers: tiers([3]int64{20_000, 10 * percent, 5 * percent},
		[3]int64{100_000, 20 * percent, 10 * percent}, [3]int64{0, 333_333_333, 166_666_667})}
	steps := terms{kind: msg.Perpetual, tickLot: fixed.Coin / 10_000, mark: 100, tiers: tiers([3]int64{10, 2 * percent, percent},
		[3]int64{20, 4 * percent, 2 * percent}, [3]int64{30, 6 * percent, 3 * percent}, [3]int64{40, 8 * percent, 4 * percent},
		[3]int64{0, 10 * percent, 5 * percent})}
	sloped := terms{kind: msg.Perpetual, tickLot: fixed.Coin, mark: 100_000, tiers: tiers([3]int64{0, 2 * percent, percent}),
		slopeInitial: 50_000, slopeMaintenance: 50_000}
	gentle := terms{kind: msg.Perpetual, tickLot: fixed.Coin, mark: 200, tiers: tiers([3]int64{0, 4 * percent, 2 * percent}),
		slopeInitial: 5_000, slopeMaintenance: 5_000}
	small := terms{kind: msg.Perpetual, tickLot: fixed.Coin, mark: 100, tiers: tiers([3]int64{0, 5 * percent, 25 * percent / 10})}
	dust := terms{kind: msg.Perpetual, tickLot: 1, mark: 1, tiers: tiers([3]int64{0, 10 * percent, 5 * percent})}
	odd := terms{kind: msg.Perpetual, tickLot: 1, mark: 1, tiers: tiers([3]int64{0, 567_243_000, 20 * percent})}
	fifth := terms{kind: msg.Perpetual, tickLot: 1, mark: 1, tiers: tiers([3]int64{0, 20 * percent, 10 * percent})}

	for _, c := range []struct {
		name                 string
		in                   *terms
		lots                 fixed.Lots
		initial, maintenance int64 // -1: the table does not say
	}{
		{"two brackets, at the edge", &bitcoin, 3000, 3_750_000 * coin, 1_875_000 * coin},
		{"two brackets, above it", &bitcoin, 4000, 6_250_000 * coin, 3_125_000 * coin},
		{"two brackets, short", &bitcoin, -4000, 6_250_000 * coin, 3_125_000 * coin},
		{"three brackets, first", &doge, 20_000, -1, 1_000 * coin},
		{"three brackets, second", &doge, 100_000, -1, 9_000 * coin},
		{"three brackets, third", &doge, 150_000, -1, 17_333_333_350},
		{"brackets of ten", &steps, 2_500, -1, 450_000},
		{"slope", &sloped, 25, 53_125 * coin, 28_125 * coin},
		{"slope, large", &sloped, 350, 1_312_500 * coin, -1},
		{"gentle slope", &gentle, 25, 200_625_000, 100_625_000},
		{"gentle slope, large", &gentle, 6_000, 84_000 * coin, -1},
		{"flat", &small, 100, 500 * coin, 250 * coin}, // M-08, M-12
		{"one unit rounds up", &dust, 1, 1, 1},
		{"odd rate", &odd, 123_456, 70_030, -1},
		{"a fifth", &fifth, 500_000, 100_000, -1},
	} {
		in := c.in.instrument(t)
		if got, ok := margin.Initial(in, c.lots); c.initial >= 0 && (!ok || int64(got) != c.initial) {
			t.Errorf("%s: Initial(%d) is %s %v, want %s", c.name, c.lots, got, ok, fixed.Money(c.initial))
		}
		if got, ok := margin.Maintenance(in, c.lots); c.maintenance >= 0 && (!ok || int64(got) != c.maintenance) {
			t.Errorf("%s: Maintenance(%d) is %s %v, want %s", c.name, c.lots, got, ok, fixed.Money(c.maintenance))
		}
	}
}

// TestRiskierSide holds the worked examples of open orders.
func TestRiskierSide(t *testing.T) { // M-13, M-14, T-9
	flat := terms{kind: msg.Perpetual, tickLot: fixed.Coin, mark: 100, tiers: tiers([3]int64{0, 10 * percent, 5 * percent})}
	in := flat.instrument(t)
	lot := 10 * fixed.Coin // initial of one
	for _, c := range []struct {
		name string
		x    margin.Exposure
		want fixed.Money
	}{
		{"sells are riskier", margin.Exposure{Qty: 5, Buys: 3, Sells: 20}, 15 * lot},
		{"buys are riskier", margin.Exposure{Qty: 5, Buys: 3, Sells: 5}, 8 * lot},
		{"position alone", margin.Exposure{Qty: -7}, 7 * lot},
		{"sells that only reduce keep their reserve free", margin.Exposure{Qty: 5, Sells: 5, SellReserve: 99}, 5 * lot},
		{"one lot more and the whole side is charged", margin.Exposure{Qty: 5, Sells: 6, SellReserve: 99}, 5*lot + 99},
		{"buys that only reduce", margin.Exposure{Qty: -5, Buys: 5, BuyReserve: 99}, 5 * lot},
		{"both sides open", margin.Exposure{Buys: 2, BuyReserve: 7, Sells: 3, SellReserve: 8}, 3*lot + 15},
	} {
		if got, ok := margin.Requirement(in, &c.x); !ok || got != c.want {
			t.Errorf("%s: %s %v, want %s", c.name, got, ok, c.want)
		}
	}
}

// TestEntryLossAndFee holds the worked example of an order that pays more than the mark.
func TestEntryLossAndFee(t *testing.T) { // M-14, T-9
	c := terms{kind: msg.Perpetual, tickLot: fixed.Coin, mark: 100, tiers: tiers([3]int64{0, 10 * percent, 5 * percent}),
		taker: fixed.Rate(percent / 10)}
	in := c.instrument(t)
	for _, o := range []struct {
		side  msg.Side
		limit fixed.Ticks
		want  fixed.Money
	}{
		{msg.Buy, 101, 1_101_000}, // 1 + 0.101
		{msg.Buy, 99, 99_000},     // no loss below the mark
		{msg.Sell, 98, 2_098_000},
		{msg.Sell, 103, 103_000},
	} {
		terms := margin.TermsOf(in, o.side, o.limit)
		if got, ok := terms.Reserve(in, 1, o.limit); !ok || got != o.want {
			t.Errorf("side %d at %d: %s %v, want %s", o.side, o.limit, got, ok, o.want)
		}
	}
}

// TestFeeReserveIsTheHighestRate holds that a rebate sets nothing aside and a dear maker rate does.
func TestFeeReserveIsTheHighestRate(t *testing.T) { // M-14
	for _, c := range []struct{ maker, taker, want fixed.Rate }{
		{0, 0, 0}, {-5, 5, 5}, {7, 5, 7}, {3, 9, 9}, {-9, 9, 9},
	} {
		x := terms{kind: msg.Perpetual, tickLot: 1, mark: 100, maker: c.maker, taker: c.taker}
		if got := margin.TermsOf(x.instrument(t), msg.Buy, 100); fixed.Rate(got.Fee) != c.want || got.Loss != 0 {
			t.Errorf("maker %d taker %d: %+v, want fee %d", c.maker, c.taker, got, c.want)
		}
	}
}

// TestSpotIsPaidInFull holds that a spot buy sets its cost and fee aside, a spot sell and a spot position nothing.
func TestSpotIsPaidInFull(t *testing.T) {
	c := terms{kind: msg.Spot, tickLot: 10, mark: 100, taker: fixed.Rate(percent)}
	in := c.instrument(t)
	buy := margin.TermsOf(in, msg.Buy, 120)
	if got, ok := buy.Reserve(in, 5, 120); !ok || got != 6000+60 {
		t.Errorf("5 bought at 120: %d %v, want 6060", got, ok)
	}
	if sell := margin.TermsOf(in, msg.Sell, 80); sell != (margin.Terms{}) {
		t.Errorf("a sell sets aside %+v, want nothing", sell)
	}
	x := margin.Exposure{Qty: 50, Buys: 5, BuyReserve: 6060, Sells: 20}
	if got, ok := margin.Requirement(in, &x); !ok || got != 6060 {
		t.Errorf("requirement %d %v, want 6060", got, ok)
	}
	if got, ok := margin.Maintenance(in, 50); !ok || got != 0 || margin.Value(in, 50) != 0 {
		t.Errorf("maintenance %d %v and value %d of spot lots, want 0", got, ok, margin.Value(in, 50))
	}
}

// anyTerms draws an instrument, small enough to see the brackets or so large that many a figure does not fit.
func anyTerms(t *rapid.T) *terms {
	large := rapid.Bool().Draw(t, "large")
	scale := func(small, wide int64) int64 {
		if large {
			return wide
		}
		return small
	}
	i := &terms{kind: msg.Perpetual,
		tickLot:  fixed.Money(rapid.Int64Range(1, scale(50, 1<<31)).Draw(t, "tickLot")),
		unitLots: fixed.Lots(rapid.Int64Range(1, scale(100, 1<<34)).Draw(t, "unitLots")),
		mark:     fixed.Ticks(rapid.Int64Range(1, scale(200, 1<<31)).Draw(t, "mark"))}
	count := rapid.IntRange(1, market.MaxBrackets).Draw(t, "brackets")
	initial, maintenance, upTo := int64(0), int64(0), int64(0)
	for k := range count {
		maintenance = rapid.Int64Range(maintenance, int64(fixed.One)/int64(count)*int64(k+1)).Draw(t, "maintenance")
		initial = rapid.Int64Range(max(initial, maintenance), int64(fixed.One)).Draw(t, "initial")
		tier := msg.Tier{Initial: fixed.Rate(initial), Maintenance: fixed.Rate(maintenance)}
		if k < count-1 {
			upTo += rapid.Int64Range(1, scale(20_000, 1<<58)).Draw(t, "width")
			tier.UpTo = fixed.Money(upTo)
		}
		i.tiers = append(i.tiers, tier)
	}
	if rapid.Bool().Draw(t, "sloped") {
		i.slopeInitial = fixed.Rate(rapid.Int64Range(0, int64(fixed.One)).Draw(t, "slope"))
		i.slopeMaintenance = fixed.Rate(rapid.Int64Range(0, int64(i.slopeInitial)).Draw(t, "slopeMaintenance"))
	}
	i.taker = fixed.Rate(rapid.Int64Range(0, int64(fixed.One)).Draw(t, "taker"))
	i.maker = fixed.Rate(rapid.Int64Range(-int64(i.taker), int64(fixed.One)).Draw(t, "maker"))
	return i
}

// anyLots draws a size, often one at which the notional is near a bracket's bound.
func (i *terms) anyLots(t *rapid.T, label string) fixed.Lots {
	if edge := rapid.SampledFrom(i.tiers).Draw(t, label+" bracket"); edge.UpTo != 0 && rapid.Bool().Draw(t, label+" at edge") {
		lot := new(big.Int).Mul(whole(int64(i.mark)), whole(int64(i.tickLot)))
		n := new(big.Int).Div(whole(int64(edge.UpTo)), lot).Int64()
		return fixed.Lots(max(0, n+rapid.Int64Range(-2, 2).Draw(t, label)))
	}
	return fixed.Lots(rapid.OneOf(rapid.Int64Range(0, 2000), rapid.Int64Range(0, 1<<60)).Draw(t, label))
}

// same fails where a figure is not the twin's, or fits where the twin's does not.
func same(t *rapid.T, what string, got fixed.Money, ok bool, want *big.Int) {
	t.Helper()
	if ok != (want != nil) {
		t.Fatalf("%s: ok %v, want %v (%v)", what, ok, want != nil, want)
	}
	if ok && int64(got) != want.Int64() {
		t.Fatalf("%s: %d, want %d", what, got, want)
	}
}

// TestRequirementsAgainstNaive compares every figure with the twin's, and whether there is one.
func TestRequirementsAgainstNaive(t *testing.T) { // M-06, M-07, M-08, M-12, M-13, M-14, A-23
	rapid.Check(t, func(t *rapid.T) {
		i := anyTerms(t)
		if rapid.IntRange(0, 9).Draw(t, "spot") == 0 {
			i.kind = msg.Spot
		}
		lots := i.anyLots(t, "lots")
		if rapid.Bool().Draw(t, "short") {
			lots = -lots
		}
		in := i.instrument(t)
		got, ok := margin.Initial(in, lots)
		same(t, "Initial", got, ok, i.initial(lots))
		got, ok = margin.Maintenance(in, lots)
		same(t, "Maintenance", got, ok, i.maintenance(lots))

		side := rapid.SampledFrom([]msg.Side{msg.Buy, msg.Sell}).Draw(t, "side")
		limit := fixed.Ticks(rapid.Int64Range(1, 2*int64(i.mark)).Draw(t, "limit"))
		leaves := 1 + i.anyLots(t, "leaves")
		terms := margin.TermsOf(in, side, limit)
		if fits(i.worth(leaves, limit)) != nil { // else there is no order
			got, ok = terms.Reserve(in, leaves, limit)
			same(t, "Reserve", got, ok, i.reserve(terms, leaves, limit))
		}

		reserves := rapid.OneOf(rapid.Int64Range(0, 1_000_000), rapid.Int64Range(0, fixed.MaxInt64))
		x := margin.Exposure{Qty: lots, Buys: i.anyLots(t, "buys"), Sells: i.anyLots(t, "sells"),
			BuyReserve: fixed.Money(reserves.Draw(t, "buyReserve")), SellReserve: fixed.Money(reserves.Draw(t, "sellReserve"))}
		got, ok = margin.Requirement(in, &x)
		same(t, "Requirement", got, ok, i.requirement(x))
	})
}

// TestInitialIsConvex holds the shape of both requirements over neighbouring sizes: initial is never below maintenance,
// neither falls, neither jumps, and each lot costs at least what the one before did. Rounding up blurs a sum of two
// figures by less than two units.
func TestInitialIsConvex(t *testing.T) { // I-08
	type figure struct {
		name  string
		of    func(*market.Instrument, fixed.Lots) (fixed.Money, bool)
		slope fixed.Rate
	}
	rapid.Check(t, func(t *rapid.T) {
		i := anyTerms(t)
		in := i.instrument(t)
		n := 1 + i.anyLots(t, "lots")
		for _, f := range []figure{{"initial", margin.Initial, i.slopeInitial}, {"maintenance", margin.Maintenance, i.slopeMaintenance}} {
			below, ok1 := f.of(in, n-1)
			at, ok2 := f.of(in, n)
			above, ok3 := f.of(in, n+1)
			if !ok1 || !ok2 || !ok3 {
				if ok1 && !ok2 && ok3 {
					t.Fatalf("%s of %d does not fit and that of %d does", f.name, n, n+1)
				}
				return
			}
			if below > at || at > above {
				t.Fatalf("%s falls: %d, %d, %d at %d..%d lots", f.name, below, at, above, n-1, n+1)
			}
			blur := fixed.Money(1)
			if f.slope != 0 {
				blur = 3
			}
			if above-at < at-below-blur {
				t.Fatalf("%s is not convex: %d, %d, %d at %d..%d lots", f.name, below, at, above, n-1, n+1)
			}
			// No jump: one lot costs at most its whole value, and with a slope what the steepest part of the line gives.
			if f.slope == 0 && at-below > in.LotValue+1 {
				t.Fatalf("%s jumps by %d at %d lots of %d each", f.name, at-below, n, in.LotValue)
			}
			// The mirror image costs the same.
			if short, ok := f.of(in, -n); !ok || short != at {
				t.Fatalf("%s of %d is %d, of %d %d", f.name, n, at, -n, short)
			}
		}
		initial, ok1 := margin.Initial(in, n)
		maintenance, ok2 := margin.Maintenance(in, n)
		if ok1 && ok2 && initial < maintenance {
			t.Fatalf("initial %d below maintenance %d at %d lots", initial, maintenance, n)
		}
	})
}

// TestBracketsMeet holds that both brackets give the same at the bound between them, to the unit.
func TestBracketsMeet(t *testing.T) { // I-08
	rapid.Check(t, func(t *rapid.T) {
		i := anyTerms(t)
		i.tickLot, i.mark, i.slopeInitial, i.slopeMaintenance = 1, 1, 0, 0 // a lot is a unit of Money
		in := i.instrument(t)
		for k, tier := range i.tiers[:len(i.tiers)-1] {
			at, ok := margin.Initial(in, fixed.Lots(tier.UpTo))
			next, fits := margin.Initial(in, fixed.Lots(tier.UpTo)+1)
			if !ok || !fits || next-at > 1 {
				t.Fatalf("bracket %d: %d at %d, %d one unit on", k, at, tier.UpTo, next)
			}
		}
	})
}

// TestRequirementIsMonotone holds that another open order never makes a requirement smaller, unless it can only reduce.
func TestRequirementIsMonotone(t *testing.T) { // M-13, T-3
	rapid.Check(t, func(t *rapid.T) {
		i := anyTerms(t)
		in := i.instrument(t)
		small := rapid.Int64Range(0, 100_000)
		x := margin.Exposure{Qty: fixed.Lots(rapid.Int64Range(-100_000, 100_000).Draw(t, "qty")),
			Buys: fixed.Lots(small.Draw(t, "buys")), Sells: fixed.Lots(small.Draw(t, "sells")),
			BuyReserve: fixed.Money(small.Draw(t, "buyReserve")), SellReserve: fixed.Money(small.Draw(t, "sellReserve"))}
		more := x
		more.Buys += fixed.Lots(small.Draw(t, "more buys"))
		more.Sells += fixed.Lots(small.Draw(t, "more sells"))
		more.BuyReserve += fixed.Money(small.Draw(t, "more buyReserve"))
		before, ok1 := margin.Requirement(in, &x)
		after, ok2 := margin.Requirement(in, &more)
		if ok1 && ok2 && after < before {
			t.Fatalf("%+v requires %d, %+v only %d", x, before, more, after)
		}
		alone, ok := margin.Initial(in, x.Qty)
		if ok && ok1 && before < alone {
			t.Fatalf("%+v requires %d, its position alone %d", x, before, alone)
		}
	})
}

// TestPlainIsTheRequirement holds the short way to the long one, wherever it says that it may be gone, for exposures as the
// gate bounds them; and an order that comes into an exposure and goes leaves nothing behind.
func TestPlainIsTheRequirement(t *testing.T) { // M-13, M-14
	plain := 0
	rapid.Check(t, func(t *rapid.T) {
		i := anyTerms(t)
		if rapid.Bool().Draw(t, "one bracket") {
			i.tiers, i.slopeInitial, i.slopeMaintenance = i.tiers[:1], 0, 0
			i.tiers[0].UpTo = 0
		}
		in := i.instrument(t)
		bounded := rapid.OneOf(rapid.Int64Range(0, 1_000_000), rapid.Int64Range(0, 1<<61))
		lots := fixed.Lots(1<<61) / fixed.Lots(in.LotValue)
		x := margin.Exposure{Qty: fixed.Lots(rapid.Int64Range(-int64(lots), int64(lots)).Draw(t, "qty"))}
		empty := x
		for _, side := range []msg.Side{msg.Buy, msg.Sell, msg.Buy} {
			q, m := fixed.Lots(rapid.Int64Range(0, int64(lots)).Draw(t, "open")), fixed.Money(bounded.Draw(t, "reserve"))/2
			x.Add(side, q, m)
			y := x
			y.Add(side, -q, -m)
			y.Add(side, q, m)
			if x != y {
				t.Fatalf("%+v and back is %+v", x, y)
			}
		}
		long, short := x.Qty+x.Buys, x.Sells-x.Qty
		got, ok := x.Plain(in, max(fixed.Abs(long), fixed.Abs(short)), long, short)
		want, fits := margin.Requirement(in, &x)
		if ok && in.InitialLot != 0 {
			plain++
			if !fits || got != want {
				t.Fatalf("%+v: plain %d, requirement %d %v", x, got, want, fits)
			}
		}
		x.Add(msg.Buy, -x.Buys, -x.BuyReserve)
		x.Add(msg.Sell, -x.Sells, -x.SellReserve)
		if x != empty {
			t.Fatalf("%+v is left of %+v", x, empty)
		}
	})
	if plain < 100 {
		t.Errorf("the short way was gone %d times", plain)
	}
}
