package market_test

import (
	"math"
	"math/big"
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
	"pgregory.net/rapid"
)

// marked is an instrument's marker, what it sees, and the time, as a test drives them.
type marked struct {
	t     rapid.TB
	m     market.Marker
	s     market.Sight
	venue market.Venue
	now   fixed.Nanos
}

func composite(t rapid.TB, index fixed.Ticks, rules ...msg.Setting) *marked {
	t.Helper()
	d := &marked{t: t, venue: market.NewVenue()}
	if r := d.m.List(msg.MarkComposite); r != 0 {
		t.Fatalf("List: %s", r.Name())
	}
	for _, s := range rules {
		if r := d.m.SetRule(s); r != 0 {
			t.Fatalf("%s=%d: %s", s.Rule, s.Value, r.Name())
		}
	}
	d.index(index)
	return d
}

// index reports an index on which all agree.
func (d *marked) index(p fixed.Ticks) {
	d.s.Index, d.s.IndexAt, d.s.Health = p, d.now, msg.Good
	d.recompute()
}

func (d *marked) recompute() { d.s.Mark = d.m.Recompute(d.now, &d.s, &d.venue) }

// book sets the best prices.
func (d *marked) book(bid, ask fixed.Ticks) { d.s.Bid, d.s.Ask, d.s.Both = bid, ask, true }

// wait lets time pass, step by step.
func (d *marked) wait(span fixed.Nanos) {
	d.t.Helper()
	until := d.now + span
	for due := d.m.Due(d.now, &d.venue); due <= until; due = d.m.Due(d.now, &d.venue) {
		if due <= d.now {
			d.t.Fatalf("due at %d, now is %d", due, d.now)
		}
		d.now = due
		d.recompute()
	}
	d.now = until
}

func (d *marked) expect(mark fixed.Ticks) {
	d.t.Helper()
	if d.s.Mark != mark {
		d.t.Fatalf("at %d the mark is %d, want %d", d.now, d.s.Mark, mark)
	}
}

func rule(r msg.Rule, v int64) msg.Setting { return msg.Setting{Rule: r, Value: v} }

// TestMarkFromTrades is the published day of four trades, at three decays.
func TestMarkFromTrades(t *testing.T) { // M-34, M-35
	for _, c := range []struct {
		decay                               fixed.Rate
		first, second, third, fourth, later fixed.Ticks
	}{
		{0, 15920, 15926, 15943, 15964, 15974},
		{50 * fixed.Percent, 15920, 15927, 15945, 15969, 15976},
		{fixed.One, 15920, 15928, 15950, 15979, 15979},
	} {
		d := composite(t, 15900, rule(msg.MarkInputs, msg.MarkTrades), rule(msg.MarkDecay, int64(c.decay)))
		d.expect(15900)
		for _, trade := range []struct {
			qty         fixed.Lots
			price, mark fixed.Ticks
		}{{2, 15920, c.first}, {1, 15940, c.second}, {3, 15960, c.third}, {5, 15990, c.fourth}} {
			before := d.s.Mark
			d.m.Trade(d.now, trade.price, trade.qty)
			d.expect(before)
			d.wait(15 * fixed.Second)
			d.expect(trade.mark)
		}
		d.wait(fixed.Second) // the first is out of the window
		d.expect(c.later)
		d.wait(fixed.Hour) // the window is empty
		before := d.s.Mark
		d.index(16000)
		d.expect(before)
	}
}

// TestMarkModes holds where the mark comes from in each mode.
func TestMarkModes(t *testing.T) { // M-34
	v := market.NewVenue()
	s := market.Sight{Mark: 7, Index: 9, Health: msg.Good}
	for mode, want := range map[msg.MarkMode]fixed.Ticks{msg.MarkManual: 7, msg.MarkIndex: 9, msg.MarkComposite: 9} {
		var m market.Marker
		m.List(mode)
		if got := m.Recompute(0, &s, &v); got != want {
			t.Errorf("%v: %d, want %d", mode, got, want)
		}
		if due := m.Due(1500*fixed.Millisecond, &v); (due == 2*fixed.Second) != (mode == msg.MarkComposite) || due != 2*fixed.Second && due != market.Never {
			t.Errorf("%v is due at %d", mode, due)
		}
		none := market.Sight{Mark: 7}
		if got := m.Recompute(0, &none, &v); got != 7 {
			t.Errorf("%v without an index: %d", mode, got)
		}
		frozen := market.Sight{Mark: 7, Index: 9, Health: msg.Frozen}
		if got := m.Recompute(0, &frozen, &v); mode == msg.MarkComposite && got != 7 {
			t.Errorf("%v of a frozen index: %d", mode, got)
		}
	}
	var m market.Marker
	if r := m.List(msg.MarkComposite + 1); r != msg.RejectInvalidParameter {
		t.Errorf("a mode that there is not: %q", r.Name())
	}
}

// TestOnlyCompositeMarksWriteTradesDown holds that a marker which asks no trades keeps none.
func TestOnlyCompositeMarksWriteTradesDown(t *testing.T) { // M-34
	for _, mode := range []msg.MarkMode{msg.MarkManual, msg.MarkIndex} {
		var m market.Marker
		m.List(mode)
		before := m
		if m.Trade(5, 10, 1); m != before {
			t.Errorf("%v: a trade left a trace", mode)
		}
	}
}

// TestFarPrices holds that prices at the end of the range neither wrap nor mark at 0 or less.
func TestFarPrices(t *testing.T) {
	d := composite(t, fixed.MaxInt64, rule(msg.MarkInputs, msg.MarkBasis))
	d.expect(fixed.MaxInt64)
	d.venue.OracleOutlier = fixed.One
	for _, p := range []fixed.Ticks{fixed.MinInt64, fixed.MaxInt64, -5, fixed.MaxInt64} {
		d.book(p, p)
		for range 3 {
			d.now += fixed.Second
			d.recompute()
			if d.s.Mark <= 0 {
				t.Fatalf("with a book at %d the mark is %d", p, d.s.Mark)
			}
		}
	}
	d = composite(t, 10, rule(msg.MarkInputs, msg.MarkBook))
	for _, bid := range []fixed.Ticks{-5, -1} {
		d.book(bid, bid+2) // around -4 and 0
		d.wait(fixed.Minute)
		d.expect(10)
	}
}

// TestPricesAllocateNothing holds the machines of a price to their slabs.
func TestPricesAllocateNothing(t *testing.T) { // A-20, T-5
	f, d, pay := fed(t, 8), composite(t, 1000), funded(t)
	d.book(999, 1001)
	side := &market.Impact{Price: 1010}
	if n := testing.AllocsPerRun(2000, func() {
		f.now += fixed.Second
		f.report(0, 1000)
		f.u.Advance(f.now, &f.venue)
		d.now += 50 * fixed.Millisecond
		d.m.Trade(d.now, 1000, 1)
		d.recompute()
		pay.AddSample(pay.Premium(1000, 1, side, side))
		if pay.Estimate(); f.now%(500*fixed.Second) == 0 {
			pay.Settle(1000, 1)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestBookInput holds the median of the book, with and without a trade, and that it is kept when a side goes.
func TestBookInput(t *testing.T) { // M-35
	d := composite(t, 1000, rule(msg.MarkInputs, msg.MarkBook))
	d.wait(fixed.Second)
	d.expect(1000)
	d.book(1001, 1004)
	d.expect(1000)
	d.wait(fixed.Second)
	d.expect(1002) // without a trade the middle, floored
	for _, c := range []struct{ last, want fixed.Ticks }{{1003, 1003}, {990, 1001}, {1010, 1004}} {
		d.m.Trade(d.now, c.last, 1)
		d.wait(fixed.Second)
		d.expect(c.want)
	}
	d.s.Both = false
	d.m.Trade(d.now, 1001, 1)
	d.wait(fixed.Hour)
	d.expect(1004)
}

// TestCombination holds the worked examples of median and weights, and what is stale.
func TestCombination(t *testing.T) { // M-36
	// the basis has no sample and is the index, 1000; the trades say 1100
	two := func(rules ...msg.Setting) *marked {
		d := composite(t, 1000, rules...)
		d.venue.OracleOutlier = fixed.One // the clamp is open
		d.m.Trade(d.now, 1100, 1)
		d.wait(fixed.Second)
		return d
	}
	d := two(rule(msg.MarkInputs, msg.MarkBasis|msg.MarkTrades))
	d.expect(1050) // the median of two is their mean
	d = two(rule(msg.MarkInputs, msg.MarkBasis|msg.MarkTrades), rule(msg.MarkCombine, 1), rule(msg.MarkWeightTrades, 2))
	d.expect(1066) // 3200/3, floored
	d = two(rule(msg.MarkStale, int64(10*fixed.Second)), rule(msg.MarkInputs, msg.MarkBasis|msg.MarkTrades))
	d.wait(9*fixed.Second - 1)
	d.expect(1050)
	d.now, d.s.IndexAt = 5*fixed.Second, 5*fixed.Second
	d.wait(5 * fixed.Second) // the trade turns 10 s old
	d.expect(1000)
	d.wait(5*fixed.Second - 1)
	d.s.Mark = 1001
	d.wait(1) // and the index too: none is fresh, the mark stays
	d.expect(1001)
}

// TestMedianOfThree holds the worked example of three inputs and of their weights 1:1:2.
func TestMedianOfThree(t *testing.T) { // M-36
	for weighted, want := range []fixed.Ticks{10300, 10575} {
		d := composite(t, 10000, rule(msg.MarkCombine, int64(weighted)), rule(msg.MarkWeightTrades, 2))
		d.venue.OracleOutlier = fixed.One // the clamp is open
		d.m.Trade(0, 11000, 1)
		d.m.Trade(0, 11000, 9) // last lies above the ask, so the book says the ask
		d.book(9700, 10300)    // whose middle is the index
		d.now = fixed.Second
		d.recompute()
		d.expect(want)
	}
}

// TestVelocityClamp holds the worked example, the longest span, what closes the clamp, and that it counts from the last
// recomputation.
func TestVelocityClamp(t *testing.T) { // M-37
	start := func(health msg.Health, value fixed.Ticks) *marked {
		d := composite(t, 100_000, rule(msg.MarkInputs, msg.MarkTrades))
		d.now = 20 * fixed.Second
		d.index(100_000)
		d.s.Health = health
		d.m.Trade(d.now, value, 1)
		return d
	}
	for _, c := range []struct {
		health msg.Health
		value  fixed.Ticks
		after  fixed.Nanos
		want   fixed.Ticks
	}{
		{msg.Degraded, 200_000, 3 * fixed.Second, 106_000},
		{msg.Degraded, 50_000, 3 * fixed.Second, 94_000},
		{msg.Degraded, 105_999, 3 * fixed.Second, 105_999},
		{msg.Degraded, 200_000, 10 * fixed.Second, 120_000},
		{msg.Degraded, 200_000, 50 * fixed.Second, 120_000},
		{msg.Degraded, 200_000, 3*fixed.Second - 1, 105_999},
		{msg.Good, 105_000, fixed.Second, 105_000}, // 5 %: open
		{msg.Good, 105_001, fixed.Second, 102_000}, // more: closed
		{msg.Good, 94_999, fixed.Second, 98_000},
		{msg.Frozen, 105_000, fixed.Second, 100_000}, // stays
	} {
		d := start(c.health, c.value)
		d.now += c.after
		d.recompute()
		if d.s.Mark != c.want {
			t.Errorf("%v, to %d, %d later: %d, want %d", c.health, c.value, c.after, d.s.Mark, c.want)
		}
	}
	d := start(msg.Degraded, 200_000)
	d.wait(3 * fixed.Second)
	d.expect(106_120) // 2 % of each mark on the way: 102,000, 104,040, 106,120
	d.recompute()
	d.expect(106_120) // no time has gone by
}

// TestFrequentStepsCannotHoldTheMark holds that recomputations too close for a tick of movement add up.
func TestFrequentStepsCannotHoldTheMark(t *testing.T) { // M-37
	d := composite(t, 100, rule(msg.MarkInputs, msg.MarkTrades))
	d.s.Health = msg.Degraded
	d.m.Trade(d.now, 200, 1)
	for range 10 { // 2 % of 100 a second is a tick each half second
		d.now += 100 * fixed.Millisecond
		d.recompute()
	}
	d.expect(102)
}

// TestBasis holds the smoothed distance against real arithmetic: exponential weights over the samples there were.
func TestBasis(t *testing.T) { // M-35
	d := composite(t, 1_000_000, rule(msg.MarkInputs, msg.MarkBasis))
	var num, den float64
	last := 0.0
	for i, c := range []struct {
		gap      fixed.Nanos
		bid, ask fixed.Ticks
	}{{0, 1_000_100, 1_000_300}, {1, 1_000_100, 1_000_300}, {1, 1_000_800, 1_000_900}, {7, 999_000, 999_001}, {150, 1_003_000, 1_003_000}, {2000, 990_001, 990_003}, {3, 1_000_000, 1_000_002}} {
		d.book(c.bid, c.ask)
		d.now += c.gap * fixed.Second
		d.recompute()
		if c.gap > 0 || i == 0 {
			fade := math.Exp(-float64(c.gap) / 150)
			num, den = num*fade+math.Floor(float64(c.bid+c.ask)/2)-1_000_000, den*fade+1
			last = num / den
		}
		if got := float64(d.s.Mark - 1_000_000); math.Abs(got-last) > 1.001 || math.Abs(got) > math.Abs(last)+0.01 {
			t.Fatalf("sample %d: basis %v, want %v toward zero", i, got, last)
		}
	}
	d.book(1_000_500, 1_000_500)
	d.now += 4096 * fixed.Second
	d.recompute()
	d.expect(1_000_500) // too long ago: begun anew
	d.s.Both = false
	d.now += fixed.Hour
	d.index(1_000_600)
	d.expect(1_001_100)
}

// TestBasisSamplesOnceAStep holds that recomputations within a step add no sample, and that a gap fades by its steps.
func TestBasisSamplesOnceAStep(t *testing.T) { // M-35
	d := composite(t, 10_000, rule(msg.MarkInputs, msg.MarkBasis))
	d.book(10_100, 10_100)
	d.recompute()
	d.book(10_200, 10_200)
	d.now = fixed.Second - 1
	d.recompute()
	d.expect(10_100)
	d.now++
	d.recompute()
	d.expect(10_150) // (100·0.99336 + 200) / 1.99336 = 150.17
}

// TestFadingTable computes the table of factors anew.
func TestFadingTable(t *testing.T) { // M-35
	// e^x by its series, to 300 bits
	exp := func(x *big.Rat) *big.Float {
		sum, term := big.NewRat(1, 1), big.NewRat(1, 1)
		for i := int64(1); i < 60; i++ {
			term.Mul(term, x).Mul(term, big.NewRat(1, i))
			sum.Add(sum, term)
		}
		return new(big.Float).SetPrec(300).SetRat(sum)
	}
	for j, got := range market.Fading {
		v := exp(big.NewRat(-1<<min(j, 7), 150)) // beyond, squared
		for range j - min(j, 7) {
			v.Mul(v, v)
		}
		v.Mul(v, big.NewFloat(1<<32))
		if want, _ := v.Add(v, big.NewFloat(0.5)).Int64(); want != got {
			t.Errorf("2^32 · e^(-%d/150) = %d, the table has %d", 1<<j, want, got)
		}
	}
}

// TestMarkerRules goes over the bounds of every parameter.
func TestMarkerRules(t *testing.T) { // I-26
	one, month := int64(fixed.One), int64(market.LongestPeriod)
	for _, c := range []struct {
		rule      msg.Rule
		low, high int64
	}{
		{msg.MarkFrom, 0, int64(msg.MarkComposite)}, {msg.MarkInputs, 1, 7}, {msg.MarkCombine, 0, 1},
		{msg.MarkWeightBasis, 0, 1_000_000}, {msg.MarkWeightBook, 0, 1_000_000}, {msg.MarkWeightTrades, 0, 1_000_000},
		{msg.MarkStale, 0, month}, {msg.MarkWindow, int64(fixed.Millisecond), month}, {msg.MarkDecay, 0, one},
		{msg.MarkEMA, int64(150 * fixed.Millisecond), month}, {msg.MarkVelocity, 0, one},
	} {
		bounds(t, c.rule, c.low, c.high, func(s msg.Setting) (msg.Reject, bool) {
			var m market.Marker
			m.List(msg.MarkIndex)
			before := m
			r := m.SetRule(s)
			return r, m == before
		})
	}
	var m market.Marker
	m.List(msg.MarkIndex)
	m.SetRule(rule(msg.MarkWeightBasis, 0))
	m.SetRule(rule(msg.MarkWeightBook, 0))
	if r := m.SetRule(rule(msg.MarkWeightTrades, 0)); r != msg.RejectInvalidParameter || m.Weights[2] != 1 {
		t.Errorf("no weight at all: %q", r.Name())
	}
}

// bounds holds that a parameter takes both its bounds and refuses a step beyond either, without a trace.
func bounds(t *testing.T, r msg.Rule, low, high int64, set func(msg.Setting) (no msg.Reject, untouched bool)) {
	t.Helper()
	for v, want := range map[int64]msg.Reject{low: 0, high: 0, low - 1: msg.RejectInvalidParameter, high + 1: msg.RejectInvalidParameter} {
		if got, untouched := set(rule(r, v)); got != want || got != 0 && !untouched {
			t.Errorf("%s = %d: %q, want %q", r, v, got.Name(), want.Name())
		}
	}
}

// TestEveryRuleHasOneHome holds that each parameter is set in at most one place, and that the places know their own.
func TestEveryRuleHasOneHome(t *testing.T) {
	for r := msg.Rule(1); r.String() != ""; r++ {
		homes := [4]bool{}
		for v := range []int64{0, 1, int64(fixed.One), int64(fixed.Second)} {
			s := rule(r, []int64{0, 1, int64(fixed.One), int64(fixed.Second)}[v])
			var m market.Marker
			var f market.Funding
			m.List(msg.MarkIndex)
			f.List()
			venue := market.NewVenue()
			homes[0] = homes[0] || listed(t).SetRule(s) == 0
			homes[1] = homes[1] || venue.SetRule(s) == 0
			homes[2] = homes[2] || m.SetRule(s) == 0
			homes[3] = homes[3] || f.SetRule(s) == 0
		}
		count := 0
		for _, home := range homes {
			if home {
				count++
			}
		}
		if count > 1 || homes[2] != market.MarkRule(r) || homes[3] != market.FundingRule(r) {
			t.Errorf("%s: instrument, venue, marker, funding %v", r, homes)
		}
		if r == 255 {
			break
		}
	}
}
