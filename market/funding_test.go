package market_test

import (
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
	"pgregory.net/rapid"
)

func funded(t rapid.TB, rules ...msg.Setting) *market.Funding {
	t.Helper()
	f := &market.Funding{}
	f.List()
	for _, s := range rules {
		if r := f.SetRule(s); r != 0 {
			t.Fatalf("%s=%d: %s", s.Rule, s.Value, r.Name())
		}
	}
	return f
}

// level is a price and what stands at it.
type level struct {
	price fixed.Ticks
	lots  fixed.Lots
}

// walk asks a side as the book does: how deep the reach goes in whole levels, and the price of the last.
func walk(f *market.Funding, tickLot fixed.Money, levels ...level) *market.Impact {
	i := &market.Impact{}
	for _, l := range levels {
		if l.price <= 0 {
			break
		}
		worth, fits := fixed.Mul(int64(l.price), int64(l.lots))
		if !fits || worth >= f.Reach(tickLot)-i.TickLots {
			i.Price = l.price
			return i
		}
		i.Lots, i.TickLots = i.Lots+l.lots, i.TickLots+worth
	}
	return &market.Impact{}
}

func percent(p float64) int64 { return int64(p * float64(fixed.Percent)) }

// TestFundingDay goes over the published rates: from the book at an index to a premium, a rate and what a unit pays. A tick
// is 0.1, a unit 100 lots.
func TestFundingDay(t *testing.T) { // M-40, M-41, M-42
	const tickLot, unit = 1000, 100
	spans := []msg.Setting{rule(msg.FundingInterval, int64(8*fixed.Hour)), rule(msg.FundingSample, int64(fixed.Hour))}
	wide := []msg.Setting{rule(msg.FundingMin, percent(-100)), rule(msg.FundingMax, percent(100))}
	for _, c := range []struct {
		name     string
		rules    []msg.Setting
		index    fixed.Ticks
		bid, ask []level
		premium  fixed.Rate
		rate     fixed.Rate
		paid     fixed.Money // of one unit long
	}{
		{"below the index", append(wide, rule(msg.FundingClampHigh, percent(5)), rule(msg.FundingClampLow, 0)), 16000, nil, []level{{15000, 10000}},
			-6_2500000, -1_2500000, -20 * fixed.Coin},
		{"scaled", append(wide, rule(msg.FundingClampLow, 0), rule(msg.FundingClampHigh, 0), rule(msg.FundingScale, percent(250))), 10000, nil, []level{{9900, 10000}},
			-1_0000000, -2_5000000, -25 * fixed.Coin},
		{"bounded", []msg.Setting{rule(msg.FundingClampLow, 0), rule(msg.FundingClampHigh, 0), rule(msg.FundingMin, percent(-1.5)), rule(msg.FundingMax, percent(0.5))}, 1000, []level{{1010, 10000}}, nil,
			1_0000000, 5000000, fixed.Coin / 2},
		{"damped", []msg.Setting{rule(msg.FundingClampLow, percent(-0.025)), rule(msg.FundingClampHigh, percent(0.025))}, 100_000, []level{{100_100, 10000}}, nil,
			1000000, 750000, 7_500_000},
		{"too thin", []msg.Setting{rule(msg.FundingClampLow, percent(-0.025)), rule(msg.FundingClampHigh, percent(0.025))}, 100_000, []level{{100_100, 40}}, nil, 0, 0, 0},
		{"interest alone", []msg.Setting{rule(msg.FundingInterest, percent(0.01)), rule(msg.FundingClampLow, percent(-50)), rule(msg.FundingClampHigh, percent(50))}, 16000, nil, nil,
			0, 100000, 160_000},
	} {
		f := funded(t, append(spans, c.rules...)...)
		bid, ask := walk(f, tickLot, c.bid...), walk(f, tickLot, c.ask...)
		samples := 0
		for now := fixed.Nanos(0); now < 8*fixed.Hour; {
			now = f.Due(now)
			if f.SampleDue(now) {
				samples++
				if p := f.Premium(c.index, tickLot, bid, ask); p != c.premium {
					t.Fatalf("%s: premium %v, want %v", c.name, p, c.premium)
				} else {
					f.AddSample(p)
				}
			}
			if f.PaymentDue(now) != (now == 8*fixed.Hour) {
				t.Fatalf("%s: a payment at %d", c.name, now)
			}
		}
		if estimate := f.Estimate(); samples != 8 || estimate != c.rate {
			t.Errorf("%s: %d samples, %v", c.name, samples, estimate)
		}
		if _, r := f.Settle(c.index, tickLot); r != 0 || f.Rate != c.rate {
			t.Errorf("%s: rate %v, want %v (%s)", c.name, f.Rate, c.rate, r.Name())
		}
		if paid, ok := market.Accrued(unit, 0, f.Index); !ok || paid != c.paid {
			t.Errorf("%s: a unit pays %v, want %v", c.name, paid, c.paid)
		}
	}
}

// TestImpactPrice holds the price of a notional that goes over several levels, and both halves of the premium.
func TestImpactPrice(t *testing.T) { // M-40
	f := funded(t, rule(msg.FundingImpact, 1000))
	for _, c := range []struct {
		name     string
		bid, ask []level
		want     fixed.Rate
	}{
		{"one level", []level{{101, 1000}}, nil, 1_0000000},
		{"to the unit", []level{{125, 8}}, nil, 10_0000000},         // 25 %, capped at 10
		{"one lot short", []level{{101, 9}}, nil, 0},                // 909 of 1000
		{"two levels", []level{{104, 5}, {102, 9}}, nil, 3_0303030}, // 102,000 / (510 + 480): 520 spent, 480 at 102
		{"asks below", nil, []level{{96, 5}, {98, 9}}, -2_9702970},  // 98,000 / (490 + 520)
		{"bids below", []level{{99, 100}}, nil, 0},
		{"asks above", nil, []level{{101, 100}}, 0},
		{"around the index", []level{{99, 100}}, []level{{101, 100}}, 0},
		{"at nothing", []level{{101, 5}, {0, 1000}, {-1, 1000}}, nil, 0},
		{"far away", nil, []level{{99, 5}, {fixed.MaxInt64, 1}}, 0},
		{"bids far apart", []level{{110, 5}, {101, 1000}}, nil, 5_7591623}, // 101,000 / (505 + 450)
		{"asks far apart", nil, []level{{90, 5}, {99, 1000}}, -5_2631578},  // 99,000 / (495 + 550)
	} {
		got := f.Premium(100, 1, walk(f, 1, c.bid...), walk(f, 1, c.ask...))
		if twin := naivePremium(f, 100, 1, c.bid, c.ask); got != c.want || got != twin {
			t.Errorf("%s: %v, want %v, the twin says %v", c.name, got, c.want, twin)
		}
	}
}

// TestDeepestImpact holds the premium of the highest impact notional, whose lots are worth more than it at the last price.
func TestDeepestImpact(t *testing.T) { // M-40
	f := funded(t, rule(msg.FundingImpact, int64(market.MaxImpact)), rule(msg.FundingPremiumCap, int64(fixed.One)))
	ask := []level{{50, fixed.Lots(market.MaxImpact/50 - 1)}, {10_000, fixed.Lots(market.MaxImpact)}}
	got := f.Premium(100, 1, walk(f, 1), walk(f, 1, ask...))
	if want := naivePremium(f, 100, 1, nil, ask); got != want || got > -49*fixed.Percent {
		t.Errorf("premium %v, the twin says %v", got, want)
	}
	for _, p := range []fixed.Ticks{50_000, 50_000_000} { // prices at which the whole levels are worth too much
		ask[1].price = p
		if got := f.Premium(100, 1, walk(f, 1), walk(f, 1, ask...)); got != 0 {
			t.Errorf("premium %v of a side without a price", got)
		}
	}
}

// TestReach holds the notional in tick-lots, rounded up.
func TestReach(t *testing.T) { // M-40
	f := funded(t, rule(msg.FundingImpact, 1000))
	for tickLot, want := range map[fixed.Money]int64{1: 1000, 999: 2, 1000: 1, 1001: 1, 3: 334} {
		if got := f.Reach(tickLot); got != want {
			t.Errorf("1000 at %d: %d, want %d", tickLot, got, want)
		}
	}
}

// TestRateExamples holds the worked examples of the rate.
func TestRateExamples(t *testing.T) { // M-41
	for _, c := range []struct {
		sample, interest, low, high, want fixed.Rate
	}{
		{1000000, 0, -250000, 250000, 750000},      // A 0.10 %, ±0.025 %: 0.075 %
		{-6_2500000, 0, 0, 5_0000000, -1_2500000},  // A -6.25 %, up to 5 %: -1.25 %
		{250000, 0, -250000, 250000, 0},            // within the damper
		{-250001, 0, -250000, 250000, -1},          // just beyond
		{9_0000000, 0, -250000, 250000, 4_0000000}, // at the highest
		{-9_0000000, 0, 0, 0, -4_0000000},          // at the least
	} {
		f := funded(t, rule(msg.FundingClampLow, min(0, int64(c.low))), rule(msg.FundingClampHigh, int64(c.high)),
			rule(msg.FundingInterest, int64(c.interest)))
		f.AddSample(c.sample)
		if got := f.Estimate(); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

// TestTrim holds how many samples are dropped, and at which end the odd one is.
func TestTrim(t *testing.T) { // M-41
	for _, c := range []struct {
		trim fixed.Rate
		want fixed.Rate
	}{
		{0, (1 + 2 + 4 + 8 + 600) / 5},
		{fixed.One/10 - 1, (1 + 2 + 4 + 8 + 600) / 5}, // k = 0
		{fixed.One / 10, (1 + 2 + 4 + 8) / 4},         // k = 1: the highest
		{fixed.One / 5, (2 + 4 + 8) / 3},              // k = 2: one at either end
		{fixed.One * 3 / 10, (2 + 4) / 2},             // k = 3
		{fixed.One * 4 / 10, 4},                       // k = 4
		{fixed.One / 2, (1 + 2 + 4 + 8 + 600) / 5},    // k = 5: nothing would be left, so all stay
	} {
		f := funded(t, rule(msg.FundingTrim, int64(c.trim)), rule(msg.FundingClampLow, 0), rule(msg.FundingClampHigh, 0))
		for _, s := range []fixed.Rate{8, 600, 1, 4, 2} {
			f.AddSample(s)
		}
		if got := f.Estimate(); got != c.want {
			t.Errorf("trim %v: %d, want %d", c.trim, got, c.want)
		}
	}
}

// TestPayments holds the published payments by command, and the remainder that rounding toward zero leaves.
func TestPayments(t *testing.T) { // M-42, I-03
	for _, c := range []struct {
		name    string
		rate    fixed.Rate
		index   fixed.Ticks
		tickLot fixed.Money
		held    []fixed.Lots
		owed    []fixed.Money
	}{
		{"75 a unit", 2_5000000, 3000, fixed.Coin, []fixed.Lots{2, 1, 1, -2, -2},
			[]fixed.Money{150 * fixed.Coin, 75 * fixed.Coin, 75 * fixed.Coin, -150 * fixed.Coin, -150 * fixed.Coin}},
		{"-62,500 a lot", -125000, 500, 1, []fixed.Lots{1e8, -1e8}, []fixed.Money{-6_250_000, 6_250_000}},
		{"half a unit of money a lot", 10_0000000, 5, 1, []fixed.Lots{1, 1, 1, -3}, []fixed.Money{0, 0, 0, -1}},
	} {
		f := funded(t, rule(msg.FundingMax, percent(10)))
		step, r := f.Pay(c.rate, c.index, c.tickLot)
		if r != 0 || step != f.Index || f.Rate != c.rate {
			t.Errorf("%s: %d, %q", c.name, step, r.Name())
		}
		for i, q := range c.held {
			if owed, ok := market.Accrued(q, 0, f.Index); !ok || owed != c.owed[i] {
				t.Errorf("%s: %d lots owe %v, want %v", c.name, q, owed, c.owed[i])
			}
		}
	}
}

// TestPaymentRefusals holds the bounds of a payment by command; a refused one leaves no trace.
func TestPaymentRefusals(t *testing.T) { // M-42, I-26
	for _, c := range []struct {
		rate    fixed.Rate
		index   fixed.Ticks
		tickLot fixed.Money
		want    msg.Reject
	}{
		{4_0000000, 100, 1, 0}, {-4_0000000, 100, 1, 0},
		{4_0000001, 100, 1, msg.RejectInvalidParameter}, {-4_0000001, 100, 1, msg.RejectInvalidParameter},
		{1, 0, 1, msg.RejectNoMark},
		{1000, fixed.MaxInt64, 1, 0},
		{1000, fixed.MaxInt64, 2, msg.RejectOverflow},
		{1001, fixed.MaxInt64, 1, msg.RejectOverflow},
	} {
		f := funded(t)
		f.AddSample(5)
		before := *f
		if _, got := f.Pay(c.rate, c.index, c.tickLot); got != c.want || got != 0 && *f != before {
			t.Errorf("%+v: %q", c, got.Name())
		}
	}
	f := funded(t)
	f.Index = fixed.MaxInt64 - 5
	if _, r := f.Pay(1000, 1, 5); r != 0 || f.Index != fixed.MaxInt64 {
		t.Errorf("up to the highest: %d, %q", f.Index, r.Name())
	}
	if _, r := f.Pay(1000, 1, 1); r != msg.RejectOverflow || f.Index != fixed.MaxInt64 {
		t.Errorf("beyond the highest: %d, %q", f.Index, r.Name())
	}
}

// TestIntervalShare holds that a payment is for its share of the base, and that the interval's samples go with it.
func TestIntervalShare(t *testing.T) { // M-42
	f := funded(t)
	f.AddSample(1_0000000)
	if step, r := f.Settle(3000, fixed.Coin); r != 0 || step != 3_562_500_000_000 || f.Rate != 9500000 {
		t.Errorf("an hour of 0.95 %% in eight of 3000: %d at %v, %q", step, f.Rate, r.Name())
	}
	if f.Estimate() != 0 {
		t.Errorf("after the payment: %v", f.Estimate())
	}
	f.AddSample(1_0000000)
	f.Skip()
	if f.Estimate() != 0 || f.Rate != 0 || f.Index != 3_562_500_000_000 {
		t.Errorf("an interval passed over: %v, %v, %d", f.Estimate(), f.Rate, f.Index)
	}
}

// TestSpacing holds when samples and payments are due, and that no interval has more samples than there is room.
func TestSpacing(t *testing.T) { // M-40
	for _, c := range []struct {
		interval, sample fixed.Nanos
		want             int
	}{
		{fixed.Hour, fixed.Minute, 60}, {fixed.Day, fixed.Minute, 1440}, {fixed.Day + fixed.Minute, fixed.Minute, 721},
		{fixed.Day, fixed.Second, 1440}, {fixed.Second, fixed.Hour, 0}, {0, fixed.Second, 0},
	} {
		f := funded(t, rule(msg.FundingSample, int64(c.sample)), rule(msg.FundingInterval, int64(c.interval)))
		samples, from := 0, 7*c.interval
		for now := f.Due(from); now <= 8*c.interval && now != market.Never; now = f.Due(now) {
			if f.SampleDue(now) {
				samples++
			} else if !f.PaymentDue(now) {
				t.Fatalf("%+v: nothing is due at %d", c, now)
			}
		}
		if samples != c.want {
			t.Errorf("%+v: %d samples", c, samples)
		}
	}
	f := funded(t)
	for range market.MaxSamples + 5 {
		f.AddSample(1_0000000)
	}
	f.AddSample(-1_0000000) // one too many
	if got := f.Estimate(); got != 9500000 {
		t.Errorf("full: %v", got)
	}
}

// TestFundingRules goes over the bounds of every parameter.
func TestFundingRules(t *testing.T) { // I-26
	one, month := int64(fixed.One), int64(market.LongestPeriod)
	for _, c := range []struct {
		rule      msg.Rule
		low, high int64
	}{
		{msg.FundingInterval, 0, month}, {msg.FundingBase, int64(fixed.Millisecond), month},
		{msg.FundingSample, int64(fixed.Millisecond), month}, {msg.FundingTrim, 0, one / 2},
		{msg.FundingImpact, 1, int64(market.MaxImpact)}, {msg.FundingPremiumCap, 0, one}, {msg.FundingInterest, -one, one},
		{msg.FundingScale, 0, 100 * one}, {msg.FundingClampLow, -one, percent(0.05)}, {msg.FundingClampHigh, percent(-0.05), one},
		{msg.FundingMin, -one, percent(4)}, {msg.FundingMax, percent(-4), one},
	} {
		bounds(t, c.rule, c.low, c.high, func(s msg.Setting) (msg.Reject, bool) {
			f := funded(t)
			before := *f
			r := f.SetRule(s)
			return r, *f == before
		})
	}
	f := funded(t)
	for _, r := range []msg.Rule{msg.FundingInterval, msg.FundingBase} {
		if got := f.SetRule(rule(r, int64(fixed.Second)+1)); got != msg.RejectInvalidParameter {
			t.Errorf("%s of a second and a nanosecond: %q", r, got.Name())
		}
	}
}
