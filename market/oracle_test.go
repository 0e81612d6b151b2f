package market_test

import (
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
	"pgregory.net/rapid"
)

// feed is an underlying, its venue and the time, as a test drives them.
type feed struct {
	t     rapid.TB
	u     market.Underlying
	venue market.Venue
	now   fixed.Nanos
}

func fed(t rapid.TB, sources uint8, rules ...msg.Setting) *feed {
	t.Helper()
	f := &feed{t: t, venue: market.NewVenue()}
	for _, s := range rules {
		if r := f.venue.SetRule(s); r != 0 {
			t.Fatalf("%s=%d: %s", s.Rule, s.Value, r.Name())
		}
	}
	if r := f.u.List(msg.Underlying{ID: 1, Sources: sources}); r != 0 {
		t.Fatalf("List: %s", r.Name())
	}
	return f
}

// report lets a source say a price in Coin.
func (f *feed) report(source uint8, price fixed.Money) market.OracleChange {
	f.t.Helper()
	c, r := f.u.Report(msg.Report{Source: source, Price: price, Confidence: fixed.One}, f.now, &f.venue)
	if r != 0 {
		f.t.Fatalf("report: %s", r.Name())
	}
	return c
}

// wait lets time pass, due by due.
func (f *feed) wait(span fixed.Nanos) {
	f.t.Helper()
	until := f.now + span
	for due := f.u.Due(&f.venue); due <= until; due = f.u.Due(&f.venue) {
		if due < f.now {
			f.t.Fatalf("due at %d, now is %d", due, f.now)
		}
		f.u.Advance(due, &f.venue)
		f.now = due
	}
	f.now = until
	if c := f.u.Advance(until, &f.venue); c.Moved || c.From != c.To {
		f.t.Fatalf("at %d something changed that was not due: %+v", until, c)
	}
}

func (f *feed) expect(index fixed.Money, health msg.Health) {
	f.t.Helper()
	if f.u.Index != index || f.u.Health != health {
		f.t.Errorf("at %d the index is %v and %v, want %v and %v", f.now, f.u.Index, f.u.Health, index, health)
	}
}

// TestIndexExamples holds the median, the outlier and the mean of two by the worked examples, and the turns of the outlier.
func TestIndexExamples(t *testing.T) { // M-32, M-33
	const c = fixed.Coin
	for _, e := range []struct {
		name    string
		sources uint8
		prices  []fixed.Money
		index   fixed.Money
		health  msg.Health
	}{
		{"one is dropped", 3, []fixed.Money{100 * c, 101 * c, 140 * c}, 100*c + c/2, msg.Degraded},
		{"one source", 1, []fixed.Money{7}, 7, msg.Good},
		{"the mean of two is floored", 2, []fixed.Money{100, 101}, 100, msg.Good},
		{"two of two within 5 %", 2, []fixed.Money{975, 1025}, 1000, msg.Good},
		{"two of two a unit farther", 2, []fixed.Money{974, 1025}, 0, msg.Frozen},
		{"one of two", 2, []fixed.Money{100}, 0, msg.Frozen},
		{"two of three", 3, []fixed.Money{100, 102}, 101, msg.Degraded},
		{"two of three that differ", 3, []fixed.Money{100, 120}, 0, msg.Frozen},
		{"one of three", 3, []fixed.Money{100}, 0, msg.Frozen},
		{"at the edge", 3, []fixed.Money{100, 100, 105}, 100, msg.Good},
		{"beyond the edge", 3, []fixed.Money{100, 100, 106}, 100, msg.Degraded},
		{"below the edge", 3, []fixed.Money{94, 100, 100}, 100, msg.Degraded},
		{"two of four", 4, []fixed.Money{100, 100, 200, 200}, 0, msg.Frozen},
		{"three of four", 4, []fixed.Money{100, 101, 102, 200}, 101, msg.Degraded},
		{"eight", 8, []fixed.Money{100, 101, 102, 103, 104, 105, 103, 102}, 102, msg.Good},
		{"a liar says 0", 3, []fixed.Money{100, 100, 0}, 100, msg.Degraded},
		{"a liar says less", 3, []fixed.Money{100, 100, fixed.MinInt64}, 100, msg.Degraded},
		{"all say 0", 3, []fixed.Money{0, 0, 0}, 0, msg.OracleHalted},
		{"most say less than 0", 3, []fixed.Money{-100, -100, 5}, 0, msg.OracleHalted},
		{"the only one says 0", 1, []fixed.Money{0}, 0, msg.OracleHalted},
		{"the highest", 2, []fixed.Money{fixed.MaxInt64, fixed.MaxInt64}, fixed.MaxInt64, msg.Good},
	} {
		f := fed(t, e.sources)
		for i, p := range e.prices {
			f.report(uint8(i+1), p)
		}
		if f.u.Health == msg.Good || f.u.Health == msg.Degraded || e.index != 0 {
			f.expect(e.index, e.health)
		} else if f.u.Health != e.health {
			t.Errorf("%s: %v, want %v", e.name, f.u.Health, e.health)
		}
		if t.Failed() {
			t.Fatal(e.name)
		}
	}
}

// TestOracleDay is a day of three sources: a liar, a silence and a crash that all report.
func TestOracleDay(t *testing.T) { // M-32, M-33, I-23
	const c = fixed.Coin
	f := fed(t, 3, msg.Setting{Rule: msg.OracleStale, Value: int64(30 * fixed.Second)})
	if f.u.Health != 0 || f.u.Due(&f.venue) != market.Never {
		t.Fatalf("before the first report: %v, due %d", f.u.Health, f.u.Due(&f.venue))
	}
	f.report(1, 50_000*c)
	f.expect(0, msg.Frozen)
	f.report(2, 50_010*c)
	f.expect(50_005*c, msg.Degraded)
	f.report(3, 50_020*c)
	f.expect(50_010*c, msg.Good)
	f.report(3, 20_000*c)
	f.expect(50_005*c, msg.Degraded)
	f.report(3, 50_020*c)
	f.expect(50_010*c, msg.Good)
	f.wait(20 * fixed.Second)
	f.report(1, 50_000*c)
	f.wait(10*fixed.Second - 1)
	f.expect(50_010*c, msg.Good)
	f.wait(1) // the second and the third turn 30 s old
	f.expect(50_010*c, msg.Frozen)
	f.wait(10 * fixed.Second)
	f.report(1, 40_000*c)
	f.expect(50_010*c, msg.Frozen)
	f.wait(50*fixed.Second - 1)
	f.expect(50_010*c, msg.Frozen)
	f.wait(1) // a minute of it
	f.expect(50_010*c, msg.OracleHalted)
	if change := f.report(0, 46_000*c); !change.Moved || change.From != msg.OracleHalted || change.To != msg.Good {
		t.Errorf("all report the crash: %+v", change)
	}
	f.expect(46_000*c, msg.Good)
	f.wait(30*fixed.Second - 1)
	f.report(2, 46_000*c)
	f.wait(1)
	f.expect(46_000*c, msg.Frozen)
}

// TestHaltIsLeftByAgreementAlone holds that silence after a price of 0 reopens nothing.
func TestHaltIsLeftByAgreementAlone(t *testing.T) { // M-33
	f := fed(t, 2, msg.Setting{Rule: msg.OracleStale, Value: int64(fixed.Second)})
	f.report(0, 10)
	f.report(0, 0)
	f.expect(10, msg.OracleHalted)
	f.wait(fixed.Hour)
	f.expect(10, msg.OracleHalted)
	f.report(1, 11)
	f.expect(10, msg.OracleHalted)
	f.report(2, 11)
	f.expect(11, msg.Good)
}

// TestFreezeRules holds that a rule about oracles counts from the moment at which it changes.
func TestFreezeRules(t *testing.T) {
	f := fed(t, 1)
	f.report(1, 10)
	f.wait(fixed.Hour)
	f.expect(10, msg.Good)
	f.venue.SetRule(msg.Setting{Rule: msg.OracleStale, Value: int64(fixed.Second)})
	f.u.Advance(f.now, &f.venue)
	f.expect(10, msg.Frozen)
	f.wait(fixed.Minute - 1)
	f.expect(10, msg.Frozen)
	f.venue.SetRule(msg.Setting{Rule: msg.OracleHalt, Value: int64(2 * fixed.Minute)})
	f.wait(fixed.Minute)
	f.expect(10, msg.Frozen)
	f.venue.SetRule(msg.Setting{Rule: msg.OracleHalt, Value: 0})
	f.u.Advance(f.now, &f.venue)
	f.expect(10, msg.OracleHalted)
	f.venue.SetRule(msg.Setting{Rule: msg.OracleStale, Value: 0})
	f.u.Advance(f.now, &f.venue)
	f.expect(10, msg.Good)
}

// TestReportBounds goes over what a report may say.
func TestReportBounds(t *testing.T) { // I-26
	for _, c := range []struct {
		r    msg.Report
		want msg.Reject
	}{
		{msg.Report{Source: 0, Price: 1, Confidence: fixed.One}, 0},
		{msg.Report{Source: 3, Price: 1, Confidence: 0}, 0},
		{msg.Report{Source: 4, Price: 1, Confidence: fixed.One}, msg.RejectInvalidParameter},
		{msg.Report{Source: 1, Price: 1, Confidence: fixed.One + 1}, msg.RejectInvalidParameter},
		{msg.Report{Source: 1, Price: 1, Confidence: -1}, msg.RejectInvalidParameter},
	} {
		f := fed(t, 3)
		before := f.u
		if _, got := f.u.Report(c.r, 5, &f.venue); got != c.want || got != 0 && f.u != before {
			t.Errorf("%+v: %q, want %q", c.r, got.Name(), c.want.Name())
		}
	}
	var u market.Underlying
	v := market.NewVenue()
	if _, got := u.Report(msg.Report{}, 0, &v); got != msg.RejectInvalidParameter {
		t.Errorf("a report of nothing: %q", got.Name())
	}
	for sources, want := range map[uint8]msg.Reject{0: msg.RejectInvalidParameter, 1: 0, market.MaxSources: 0, market.MaxSources + 1: msg.RejectInvalidParameter} {
		u = market.Underlying{}
		if got := u.List(msg.Underlying{Sources: sources}); got != want {
			t.Errorf("%d sources: %q", sources, got.Name())
		}
	}
	u = market.Underlying{Sources: 3}
	if got := u.List(msg.Underlying{Sources: 1}); got != msg.RejectInvalidParameter || u.Sources != 3 {
		t.Errorf("listed twice: %q", got.Name())
	}
}

// TestConfidence holds that the confidence of an index is the least of those that agree, and not the liar's.
func TestConfidence(t *testing.T) { // M-66
	f := fed(t, 3)
	for i, r := range []msg.Report{{Price: 100, Confidence: 80}, {Price: 101, Confidence: 70}, {Price: 140, Confidence: 1}} {
		r.Source = uint8(i + 1)
		f.u.Report(r, 0, &f.venue)
	}
	if f.u.Confidence != 70 {
		t.Errorf("confidence %d, want 70", f.u.Confidence)
	}
}

// TestIndexConfirmed holds when the index counts as renewed: a source that agrees says so, or it moves.
func TestIndexConfirmed(t *testing.T) { // M-36
	f := fed(t, 3)
	f.report(0, 1000)
	for _, c := range []struct {
		price fixed.Money
		moved bool
		at    fixed.Nanos
	}{{1000, false, 1}, {2000, false, 1}, {1001, false, 3}, {3000, false, 3}} {
		f.now++
		if change := f.report(1, c.price); change.Moved != c.moved || f.u.IndexAt != c.at {
			t.Errorf("at %d, %d: %+v and renewed at %d, want %v and %d", f.now, c.price, change, f.u.IndexAt, c.moved, c.at)
		}
	}
}

// TestPermissionsShrinkInOrder holds what each health forbids, and that a worse one never permits more.
func TestPermissionsShrinkInOrder(t *testing.T) { // I-24, M-33
	order := []market.Permission{market.WithdrawProfit, market.AddRisk, market.PayFunding, market.Liquidate, market.Trade}
	for h, first := range map[msg.Health]int{0: 0, msg.Good: 0, msg.Degraded: 1, msg.Frozen: 4, msg.OracleHalted: 5} {
		for i, p := range order {
			if got := market.Permits(h, p); got != (i >= first) {
				t.Errorf("%v permits %d: %v", h, p, got)
			}
		}
	}
}

// TestIndexTicks holds the floor to a tick by the worked example, and what has no price.
func TestIndexTicks(t *testing.T) { // M-34
	in := listed(t) // a tick of a lot is 100, a unit 1000 lots: a tick of 0.1
	for _, c := range []struct {
		index fixed.Money
		want  fixed.Ticks
	}{{50_000*fixed.Coin + 70_000, 500_000}, {99_999, 0}, {100_000, 1}, {0, 0}} {
		if got := in.IndexTicks(c.index); got != c.want {
			t.Errorf("%v: %d ticks, want %d", c.index, got, c.want)
		}
	}
	wide := market.Instrument{TickLot: 1 << 40, UnitLots: 1 << 40}
	if got := wide.IndexTicks(fixed.MaxInt64); got != 0 {
		t.Errorf("a tick beyond all money: %d", got)
	}
}
