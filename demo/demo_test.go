package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/lockstep-exchange/lockstep/bench/latency"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/replay"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// part is how much of the recording most tests play.
const part = 4 * time.Second

var loaded = sync.OnceValues(func() (*day, error) { return loadBundled(part) })

func loadBundled(duration time.Duration) (*day, error) {
	rec, err := replay.OpenBundled()
	if err != nil {
		return nil, err
	}
	return load(context.Background(), rec, duration)
}

func scriptOf(t *testing.T, takers int, seed uint64) *script {
	t.Helper()
	d, err := loaded()
	if err != nil {
		t.Fatal(err)
	}
	s, err := write(d, takers, seed)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func playOf(t *testing.T, s *script, o Options) *Report {
	t.Helper()
	p, err := perform(context.Background(), s, o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var unpaced = Options{Max: true, Accounts: 300, Seed: 1}

// TestSameStateAtAnySpeed: the state is a function of recording, accounts and seed, whatever the pace.
func TestSameStateAtAnySpeed(t *testing.T) {
	s := scriptOf(t, 300, 1)
	first := playOf(t, s, unpaced)
	for name, o := range map[string]Options{
		"again":    unpaced,
		"paced":    {Rate: 40, Accounts: 300, Seed: 1},
		"too fast": {Rate: 10_000, Accounts: 300, Seed: 1},
	} {
		if p := playOf(t, s, o); p.State != first.State {
			t.Errorf("%s: state %s, expected %s", name, p.State, first.State)
		}
	}
	for name, other := range map[string]*script{"accounts": scriptOf(t, 301, 1), "seed": scriptOf(t, 300, 2)} {
		if p := playOf(t, other, unpaced); p.State == first.State {
			t.Errorf("other %s: state %s too", name, p.State)
		}
	}
}

// TestWholeRecording plays everything that the binary brings along: the book is as recorded after every depth message, and
// nothing is made or lost.
func TestWholeRecording(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes some seconds")
	}
	p, err := Run(context.Background(), Options{Max: true, Accounts: 1000, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	if p.Partial || p.Money.Sum != "0.000000" || len(p.Checks) != 8 {
		t.Errorf("partial %v, sum %s, %d checks: expected a whole run, 0.000000 and 8", p.Partial, p.Money.Sum, len(p.Checks))
	}
	if got := p.New + p.Amends + p.Cancels + p.Reports + p.Ticks; got != p.Commands {
		t.Errorf("%d commands by kind, %d in all", got, p.Commands)
	}
	// A demo in which nothing is refused, or everything, would show nothing.
	if share := float64(p.Flow.Refused) / float64(p.Flow.Orders); share < 0.005 || share > 0.2 {
		t.Errorf("%d of %d orders refused", p.Flow.Refused, p.Flow.Orders)
	}
	// Nor one in which no source errs, nothing is paid and nobody is isolated.
	if p.Oracle.Degraded != 2 || p.Oracle.Frozen != 0 || p.Oracle.Health != "good" || p.Oracle.Steps == 0 || p.Oracle.Marks == 0 {
		t.Errorf("%+v: expected two times degraded, and good at the end", p.Oracle)
	}
	if p.Funding.Payments != 3 || p.Funding.Paid == "0.000000" || p.Funding.Received == "0.000000" {
		t.Errorf("%+v: expected three payments", p.Funding)
	}
	m := &p.Margin
	if m.Isolated == 0 || m.Cross == 0 || m.OK+m.Call1+m.Call2+m.Liquidating != m.Cross+m.Isolated || len(m.Nearest) == 0 {
		t.Errorf("%+v: expected positions of both modes, each on one rung", m)
	}
	for _, c := range p.Checks {
		if strings.Contains(c.Found, " 0 of ") {
			t.Errorf("check %s compared nothing: %s", c.Name, c.Found)
		}
	}
}

// TestCutAfterATrade ends the recording where a trade has taken what no depth message puts back any more.
func TestCutAfterATrade(t *testing.T) {
	p, err := Run(context.Background(), Options{Max: true, Accounts: 300, Seed: 1, Duration: 11 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range p.Checks {
		if !c.Holds {
			t.Errorf("%s: %s", c.Name, c.Found)
		}
	}
}

// TestChecksCanFail breaks what each check looks at.
func TestChecksCanFail(t *testing.T) {
	for name, spoil := range map[string]func(s *script){
		"quotes": func(s *script) { s.quotes[len(s.quotes)/2].bid.Qty++ },
		"book":   func(s *script) { s.book[place{msg.Buy, 1}] = 1 },
		"state":  func(s *script) { s.hash++ },
	} {
		s := scriptOf(t, 300, 1)
		spoil(s)
		p, err := perform(context.Background(), s, unpaced)
		var failed *CheckError
		if !errors.As(err, &failed) || failed.ExitCode() != 3 || len(failed.Failed) != 1 || failed.Failed[0].Name != name {
			t.Errorf("%s: error %v, expected that this check fails alone", name, err)
		}
		if p == nil || p.State == "" {
			t.Errorf("%s: no report with the failure", name)
		}
	}
}

// TestChecksSeeTheEngine: what compares the engine's books with themselves or with the events finds a difference.
func TestChecksSeeTheEngine(t *testing.T) {
	s := scriptOf(t, 300, 1)
	r := &run{script: s, options: unpaced, speed: s.speed(&unpaced), ctx: context.Background()}
	if err := r.play(); err != nil {
		t.Fatal(err)
	}
	r.view.accounts[1].exposure.Qty += 1000
	r.view.ladder.fund++
	p, err := r.report()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"margin", "equity", "fund"} {
		if err := p.unmet(); err == nil || !strings.Contains(err.Error(), name+": ") {
			t.Errorf("error %v, expected a failed check of %s", err, name)
		}
	}
}

// spectator ends the demo when the market is open and lines are to come.
type spectator struct{ end context.CancelFunc }

func (s *spectator) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte(columns[0].name)) {
		s.end()
	}
	return len(p), nil
}

func TestInterruptedRunIsPartial(t *testing.T) {
	s := scriptOf(t, 300, 1)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	o := Options{Rate: 0.5, Accounts: 300, Seed: 1, Live: &spectator{cancel}, Every: time.Second}
	p, err := perform(ctx, s, o)
	if !errors.Is(err, context.Canceled) || p == nil || !p.Partial {
		t.Fatalf("report %v, error %v: expected a partial report and context.Canceled", p, err)
	}
	if err := p.unmet(); err != nil {
		t.Errorf("what was played does not hold: %v", err)
	}
	var text bytes.Buffer
	p.WriteText(&text)
	if !strings.HasPrefix(text.String(), "PARTIAL") {
		t.Errorf("the text begins with %.20q", text.String())
	}
	if p, err := Run(ctx, o); p != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("report %v, error %v before anything was played: expected none and context.Canceled", p, err)
	}
}

// TestStateOfAnyPart: a run that stops anywhere has the state of the commands it sent.
func TestStateOfAnyPart(t *testing.T) {
	s := scriptOf(t, 300, 1)
	whole, err := s.state(len(s.requests) - 1)
	if err != nil {
		t.Fatal(err)
	}
	s.requests = s.requests[:len(s.requests)-1]
	s.hash = whole
	p, err := perform(context.Background(), s, unpaced)
	if p == nil {
		t.Fatal(err)
	}
	for _, c := range p.Checks {
		if c.Name == "state" && !c.Holds {
			t.Error(c.Found)
		}
	}
}

func TestLogHoldsEveryCommand(t *testing.T) {
	s := scriptOf(t, 300, 1)
	var log, lines bytes.Buffer
	p := playOf(t, s, Options{Rate: 10, Accounts: 300, Seed: 1, Log: &log, Live: &lines, Every: time.Second})
	read, err := latency.Read(&log, "log")
	if err != nil {
		t.Fatal(err)
	}
	tag := read.Tag("engine")
	if tag == nil || tag.Total.TotalCount() != p.Commands || p.Latency.Engine.Count != p.Commands {
		t.Fatalf("log %v, report %d, expected %d commands", tag, p.Latency.Engine.Count, p.Commands)
	}
	if read.Note("machine") == "" || read.Note("ack") != "none, no journal" {
		t.Errorf("notes %v, expected machine and ack", read.Notes)
	}
	if p.Latency.Empty.Count == 0 {
		t.Error("the empty handler was not measured")
	}
	if !strings.Contains(lines.String(), "recorded commands/s") {
		t.Errorf("no head above the lines: %q", lines.String())
	}
}

// TestJSON holds the names of the report: programs read them.
func TestJSON(t *testing.T) {
	p := playOf(t, scriptOf(t, 300, 1), Options{Rate: 100, Accounts: 300, Seed: 1})
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"": "accounts ack amends cancels checks commands events flow from funding latency machine makers margin money new opening oracle " +
			"partial per_second rate recording recovery rejects reports resumed seconds seed state symbol takers ticks to",
		"latency": "core empty engine floor waiting",
		"flow":    "asked_btc orders refused refused_btc traded_btc trades turnover_usdt unfilled_btc",
		"oracle":  "degraded frozen health index mark marks sources steps",
		"funding": "paid payments rate received",
		"margin": "adl adl_fills call1 call2 calls_cleared cross first_calls fund_after fund_before isolated liquidating " +
			"liquidation_fees liquidations liquidations_ended nearest ok second_calls sliced_btc slices takeovers",
		"money": "below_initial deficit fees fund funding initial_margin makers open_interest_btc rebates sum takers",
	} {
		object := got
		if path != "" {
			object = got[path].(map[string]any)
		}
		var names []string
		for name := range object {
			names = append(names, name)
		}
		slices.Sort(names)
		if diff := cmp.Diff(strings.Fields(want), names); diff != "" {
			t.Errorf("names in %q (-want +got):\n%s", path, diff)
		}
	}
	p.Latency = nil
	if text, _ := json.Marshal(p); !bytes.Contains(text, []byte(`"latency":null`)) {
		t.Error("no null where latency is not measured")
	}
}

func TestOptions(t *testing.T) {
	good := Options{Accounts: 1}
	for name, change := range map[string]func(o *Options){
		"no accounts":       func(o *Options) { o.Accounts = 0 },
		"too many accounts": func(o *Options) { o.Accounts = AccountsMax + 1 },
		"slower than slow":  func(o *Options) { o.Rate = 0.001 },
		"no number":         func(o *Options) { o.Rate = math.NaN() },
		"backward":          func(o *Options) { o.Rate = -1 },
		"faster than fast":  func(o *Options) { o.Rate = 1e9 },
		"rate and max":      func(o *Options) { o.Rate, o.Max = 1, true },
		"log and max":       func(o *Options) { o.Log, o.Max = new(bytes.Buffer), true },
		"negative duration": func(o *Options) { o.Duration = -1 },
	} {
		o := good
		change(&o)
		var usage *UsageError
		if _, err := Run(context.Background(), o); !errors.As(err, &usage) || usage.ExitCode() != 2 {
			t.Errorf("%s: error %v, expected a *UsageError", name, err)
		}
	}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
}

// TestSpeed: unless somebody asks for another pace, the demo lasts about 20 s and never runs slower than recorded.
func TestSpeed(t *testing.T) {
	s := &script{requests: make([]msg.Request, 2)}
	for _, c := range []struct {
		lasts fixed.Nanos
		o     Options
		want  float64
	}{
		{210 * fixed.Second, Options{}, 10.5},
		{5 * fixed.Second, Options{}, 1},
		{210 * fixed.Second, Options{Rate: 3}, 3},
		{210 * fixed.Second, Options{Max: true}, 0},
	} {
		s.requests[1].Time = c.lasts
		if got := s.speed(&c.o).rate; got != c.want {
			t.Errorf("%v of recording with %+v: rate %v, expected %v", c.lasts, c.o, got, c.want)
		}
	}
	if got := (speed{start: 1000, rate: 2}).due(3000); got != 1000 {
		t.Errorf("due after %d ns, expected 1000", got)
	}
}
