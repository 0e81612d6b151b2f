package lockstep_test

// What the pages promise is there: the program of README.md is the example that is run, what it prints is what the example
// prints, links and folders exist, benchmarks and tests that a page names can be found, and the worked examples of docs/MARGIN.md
// that no other test holds come out as they say.

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.FromSlash(name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// between is what stands between two marks in text.
func between(t *testing.T, text, from, to string) string {
	t.Helper()
	_, rest, found := strings.Cut(text, from)
	inner, _, ended := strings.Cut(rest, to)
	if !found || !ended {
		t.Fatalf("nothing between %q and %q", from, to)
	}
	return inner
}

// TestReadmeProgram compares the program of README.md with the example that go test compiles and runs.
func TestReadmeProgram(t *testing.T) {
	readme, example := read(t, "README.md"), read(t, "engine/example_test.go")
	program := between(t, readme, "```go\n", "```\n")
	if _, err := parser.ParseFile(token.NewFileSet(), "README.md", program, parser.AllErrors); err != nil {
		t.Fatal(err)
	}
	if got, want := between(t, program, "import (\n", ")\n"), between(t, example, "import (\n", ")\n"); got != want {
		t.Errorf("README.md imports\n%s\nand engine/example_test.go\n%s", got, want)
	}
	_, body, _ := strings.Cut(program, "func main() {\n")
	body = strings.TrimSuffix(body, "}\n")
	if want := between(t, example, "func Example() {\n", "\t// Output:\n"); body != want {
		t.Errorf("the program of README.md:\n%s\nthe example of engine/example_test.go:\n%s", body, want)
	}
	_, output, _ := strings.Cut(example, "\t// Output:\n")
	output = strings.TrimSuffix(strings.ReplaceAll(output, "\t// ", ""), "}\n")
	if got := between(t, readme, "It prints\n\n```text\n", "```\n"); got != output {
		t.Errorf("README.md says that this is printed:\n%s\nand the example prints\n%s", got, output)
	}
}

// pages are all pages of the project, by path.
func pages(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/decisions/*.md"} {
		names, err := filepath.Glob(filepath.FromSlash(pattern))
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: %v, %d pages", pattern, err, len(names))
		}
		for _, name := range names {
			all[name] = read(t, name)
		}
	}
	return all
}

var (
	link    = regexp.MustCompile(`\]\(([^)#:]+)\)`)
	command = regexp.MustCompile(`go (?:run|test|doc)[^\n` + "`" + `]*`)
	folder  = regexp.MustCompile(`(?:^| )\./([a-z0-9/]+)`)
	benches = regexp.MustCompile(`-bench '?([A-Za-z|]+)`)
	held    = regexp.MustCompile("`(Test[A-Za-z]+)`")
)

// TestPagesNameWhatIsThere follows the links of each page and looks for the folders and benchmarks of its commands.
func TestPagesNameWhatIsThere(t *testing.T) {
	for name, text := range pages(t) {
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(name), filepath.FromSlash(m[1]))); err != nil {
				t.Errorf("%s: link to %s: %v", name, m[1], err)
			}
		}
		for _, line := range command.FindAllString(text, -1) {
			for _, m := range folder.FindAllStringSubmatch(line, -1) {
				if _, err := os.Stat(filepath.FromSlash(m[1])); err != nil {
					t.Errorf("%s: %s: %v", name, line, err)
					continue
				}
				if bench := benches.FindStringSubmatch(line); bench != nil {
					for _, word := range strings.Split(bench[1], "|") {
						if !declares(t, m[1], "func Benchmark[A-Za-z]*"+word) {
							t.Errorf("%s: %s: no benchmark %s in %s", name, line, word, m[1])
						}
					}
				}
			}
		}
	}
}

// TestMarginPageNamesItsTests looks for each test that docs/MARGIN.md names.
func TestMarginPageNamesItsTests(t *testing.T) {
	found := held.FindAllStringSubmatch(read(t, "docs/MARGIN.md"), -1)
	if len(found) < 20 {
		t.Fatalf("docs/MARGIN.md names %d tests, expected one for each example", len(found))
	}
	for _, m := range found {
		there := false
		for _, in := range []string{".", "clearing", "engine", "margin", "market"} {
			there = there || declares(t, in, "func "+m[1]+`\(`)
		}
		if !there {
			t.Errorf("docs/MARGIN.md names %s, which is not there", m[1])
		}
	}
}

// TestMarginPageNamesAll looks for each parameter, and for each event of prices, margin and ladder.
func TestMarginPageNamesAll(t *testing.T) {
	page := read(t, "docs/MARGIN.md")
	listed := regexp.MustCompile(`[a-z0-9-]+`).FindAllString(page, -1)
	rules := 0
	for r := msg.Rule(1); !strings.HasPrefix(r.String(), "rule-"); r++ {
		rules++
		if !slices.Contains(listed, r.String()) {
			t.Errorf("docs/MARGIN.md leaves out the parameter %s", r)
		}
	}
	for k := msg.UnderlyingListed; k <= msg.SweepPending; k++ {
		if !strings.Contains(page, "`"+k.String()+"`") {
			t.Errorf("docs/MARGIN.md leaves out the event %s", k)
		}
	}
	if rules < 60 {
		t.Errorf("%d parameters found, expected more", rules)
	}
}

// declares reports whether a test file of a folder has a declaration that matches.
func declares(t *testing.T, dir, pattern string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(filepath.FromSlash(dir), "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	sought := regexp.MustCompile(`(?m)^` + pattern)
	for _, file := range files {
		if sought.MatchString(read(t, file)) {
			return true
		}
	}
	return false
}

// counter is an engine with one perpetual, 10 % and 5 %, a coin a tick and lot, marked at 100.
type counter struct {
	*engine.Engine
	t *testing.T
}

func newCounter(t *testing.T) counter {
	t.Helper()
	e, err := engine.New(engine.Limits{Accounts: 8, Orders: 64})
	if err != nil {
		t.Fatal(err)
	}
	c := counter{e, t}
	s := market.Spec{ID: 1, Type: msg.Perpetual, TickLot: fixed.Coin, Initial: 10 * fixed.Percent, Maintenance: 5 * fixed.Percent}
	for _, setup := range append(s.Append(nil), msg.SetPhase(1, msg.Continuous), msg.SetMark(1, 100)) {
		c.send(0, setup)
	}
	return c
}

// send applies a command and fails unless it is refused with want, or not at all.
func (c counter) send(want msg.Reject, command msg.Command) msg.Event {
	c.t.Helper()
	command.Seq = c.Seq() + 1
	events := c.Apply(&command, nil)
	last, got := events[len(events)-1], msg.Reject(0)
	if last.Kind == msg.Rejected {
		got = last.Reject
	}
	if got != want {
		c.t.Fatalf("%s: %q, want %q", command.String(), got.Name(), want.Name())
	}
	return last
}

// TestMarginPage is those worked examples of docs/MARGIN.md that name it.
func TestMarginPage(t *testing.T) { // T-9
	const coin = fixed.Coin
	t.Run("equity", func(t *testing.T) { // M-03
		c := newCounter(t)
		c.send(0, msg.SetMark(1, 50_000))
		c.send(0, msg.Deposit(1, 60_000*coin+1))
		c.send(0, msg.Deposit(2, 60_000*coin))
		c.send(0, msg.Limit(2, 1, msg.Sell, 50_000, 1))
		c.send(0, msg.Limit(1, 1, msg.Buy, 50_000, 1))
		if a, _ := c.Account(1); a.Equity != 60_000*coin+1 || a.Positions != 1 {
			t.Errorf("equity %s with %d positions", a.Equity, a.Positions)
		}
	})
	t.Run("admission", func(t *testing.T) { // M-16
		c := newCounter(t)
		c.send(0, msg.Deposit(1, 1_000*coin))
		c.send(0, msg.Deposit(2, 1_000*coin-1))
		c.send(0, msg.Limit(1, 1, msg.Buy, 100, 100))
		c.send(msg.RejectInsufficientMargin, msg.Limit(2, 1, msg.Buy, 100, 100))
	})
	t.Run("under initial", func(t *testing.T) { // M-17
		c := newCounter(t)
		c.send(0, msg.Deposit(1, 1_000*coin))
		c.send(0, msg.Deposit(2, 9_000*coin))
		c.send(0, msg.Limit(2, 1, msg.Sell, 100, 100))
		c.send(0, msg.Limit(1, 1, msg.Buy, 100, 100))
		c.send(0, msg.SetMark(1, 99))
		if a, _ := c.Account(1); a.Equity != 900*coin || a.Initial != 990*coin || a.Maintenance != 495*coin {
			t.Errorf("%+v", a)
		}
		c.send(msg.RejectAccountReduceOnly, msg.Limit(1, 1, msg.Buy, 90, 1))
		c.send(msg.RejectWouldWorsenHealth, msg.Limit(1, 1, msg.Sell, 89, 50))
		c.send(0, msg.Limit(1, 1, msg.Sell, 99, 50))
		c.send(0, msg.Limit(2, 1, msg.Buy, 99, 50))
		if a, _ := c.Account(1); a.Equity != 900*coin || a.Maintenance != 495*coin/2 {
			t.Errorf("%+v", a)
		}
	})
	t.Run("modes", func(t *testing.T) { // M-26, M-27
		c := newCounter(t)
		c.send(0, msg.SetMark(1, 50_000))
		c.send(0, msg.Deposit(1, 20_000*coin))
		c.send(0, msg.Deposit(2, 20_000*coin))
		c.send(0, msg.Limit(2, 1, msg.Sell, 50_000, 1))
		c.send(0, msg.Limit(1, 1, msg.Buy, 50_000, 1))
		c.send(msg.RejectModeConflict, msg.Cross(1, 1))
		c.send(0, msg.IsolateDefault(1, 1))
		if a, _ := c.Account(1); a.Cash != 15_000*coin || a.Equity != 15_000*coin || a.Maintenance != 0 {
			t.Errorf("%+v", a)
		}
		if p, _ := c.Position(1, 1); p.Margin != 5_000*coin || p.Mode != msg.ModeIsolated {
			t.Errorf("%+v", p)
		}
		c.send(msg.RejectModeConflict, msg.Limit(1, 1, msg.Buy, 50_000, 1))
		c.send(0, msg.Cross(1, 1))
		if a, _ := c.Account(1); a.Cash != 20_000*coin || a.Maintenance != 2_500*coin {
			t.Errorf("%+v", a)
		}
	})
	t.Run("phases", func(t *testing.T) { // M-70
		c := newCounter(t)
		c.send(0, msg.Deposit(1, 1_000*coin))
		resting := c.send(0, msg.Limit(1, 1, msg.Buy, 99, 2))
		c.send(0, msg.SetPhase(1, msg.Halted))
		c.send(msg.RejectMarketHalted, msg.Limit(1, 1, msg.Buy, 99, 1))
		c.send(0, msg.Amend(1, 1, resting.Order, 99, 1))
		c.send(0, msg.Cancel(1, 1, resting.Order))
	})
	t.Run("caps", func(t *testing.T) { // M-71
		c := newCounter(t)
		c.send(0, msg.Deposit(1, 1_000*coin))
		c.send(0, msg.SetRule(1, msg.MaxPosition, 5))
		c.send(msg.RejectPositionLimit, msg.Limit(1, 1, msg.Buy, 99, 6))
		c.send(0, msg.Limit(1, 1, msg.Buy, 99, 5))
		c.send(msg.RejectPositionLimit, msg.Limit(1, 1, msg.Buy, 99, 1))
	})
	t.Run("throttle", func(t *testing.T) {
		c := newCounter(t)
		c.send(0, msg.Deposit(1, 1_000*coin))
		c.send(0, msg.SetRule(0, msg.MessageRate, 2))
		resting := c.send(0, msg.Limit(1, 1, msg.Buy, 99, 1))
		refused := c.send(msg.RejectRateLimited, msg.Limit(1, 1, msg.Buy, 99, 1))
		if wait := refused.Refusal().Limit; wait != 500_000_000 {
			t.Errorf("limit %d, want half a second", wait)
		}
		c.send(0, msg.Cancel(1, 1, resting.Order))
	})
}
