package scenario

import (
	"context"
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// TestExactNumbers holds how numbers are read and written: exactly, and with the fewest digits.
func TestExactNumbers(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"5", "5"}, {"-5", "-5"}, {"+5", "5"}, {"0.50", "0.5"}, {"007.10", "7.1"}, {"0.000001", "0.000001"}, {"-0.0", "0"},
		{"123456789012345678901234567890.000000001", "123456789012345678901234567890.000000001"},
	} {
		r, ok := decimal(c.text)
		if !ok || exact(r) != c.want {
			t.Errorf("%s: %v %v, want %s", c.text, r, ok, c.want)
		}
	}
	for _, text := range []string{"", "-", "--5", "5.", ".5", "1e3", "1/3", "0x10", "1_000", "٣", strings.Repeat("1", 41)} {
		if r, ok := decimal(text); ok {
			t.Errorf("%q is read as %v, want none", text, r)
		}
	}
	for n, want := range map[int64]string{1: "0.333333333...", -2: "-0.666666666...", 3: "1", 100: "33.333333333..."} {
		if got := exact(big.NewRat(n, 3)); got != want {
			t.Errorf("%d/3 is written %s, want %s", n, got, want)
		}
	}
	for at, want := range map[fixed.Nanos]string{0: "0s", 90 * fixed.Second: "90s", fixed.Day: "1d", fixed.Millisecond / 4: "0.25ms", 25 * fixed.Hour: "25h"} {
		if got := span(at); got != want {
			t.Errorf("%d is written %s, want %s", at, got, want)
		}
	}
	for text, want := range map[string]string{"5%": "5%", "2.5bp": "0.025%", "0.05": "5%", "-1.25bp": "-0.0125%", "0": "0", "+40%": "40%"} {
		r, ok := suffixed(text, rateSuffixes, true)
		if got := (quantity{number: r, rate: true}).String(); !ok || got != want {
			t.Errorf("%s is read as %s, want %s", text, got, want)
		}
	}
}

// TestNumbersComeBack draws decimals: what is read and written again is the same number.
func TestNumbersComeBack(t *testing.T) { // T-3
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`-?[0-9]{1,18}(\.[0-9]{1,12})?`).Draw(t, "text")
		r, ok := decimal(text)
		if !ok {
			t.Fatalf("%s is not read", text)
		}
		again, ok := decimal(exact(r))
		if !ok || again.Cmp(r) != 0 {
			t.Fatalf("%s comes back as %s", text, exact(r))
		}
		if n, ok := count(r, moneyUnit); ok && money(fixed.Money(n)).number.Cmp(r) != 0 {
			t.Fatalf("%s is %d units of money, which are %s", text, n, money(fixed.Money(n)))
		}
	})
}

// TestRunsAreCompared spoils the second or the third run, or both: the file fails and says why, or cannot be recovered.
func TestRunsAreCompared(t *testing.T) {
	for name, spoil := range map[string]func(*tape){
		"another amount":     func(tp *tape) { tp.page[len(tp.page)-1].Rare[0]++ },
		"a command is lost":  func(tp *tape) { tp.page = tp.page[:len(tp.page)-1] },
		"one in the second":  func(tp *tape) { c := tp.page[len(tp.page)-1]; _ = tp.turn(); c.Seq++; tp.second.Apply(&c, nil) },
		"one in the journal": func(tp *tape) { c := tp.page[len(tp.page)-1]; _ = tp.turn(); c.Seq++; tp.journal.Append(&c) },
		"damage on the disk": func(tp *tape) {
			_ = tp.turn()
			tp.files.Edit("/journal/"+segmentOf(tp), func(b []byte) { b[600] ^= 1 })
		},
		"not durable": func(tp *tape) { tp.page = nil },
	} {
		s, err := Parse("f", []byte("account name=a deposit=5\naccount name=b\ntransfer from=a to=b amount=1\nadvance 1s\n"), AsWritten)
		if err != nil {
			t.Fatal(err)
		}
		s.steps = append(s.steps, step{line: 9, do: func(w *world) {
			c := msg.Deposit(1, 3)
			w.apply(&c)
			spoil(&w.tape)
		}})
		r, err := s.Run(context.Background(), nil)
		if err == nil && len(r.Failed) == 0 {
			t.Errorf("%s: a spoilt run is not noticed", name)
		}
		for i := range r.Failed {
			if line := string(r.Failed[i].Append(nil, "f")); !strings.HasPrefix(line, "f state hash differs: want ") {
				t.Errorf("%s: %s", name, line)
			}
		}
	}
}

// segmentOf is the file of the journal that is being written.
func segmentOf(tp *tape) string { return tp.journal.Place().File }

// TestLongDays turns pages and fills segments: what is recovered is still all that there was.
func TestLongDays(t *testing.T) {
	s, err := Parse("f", []byte("underlying name=U\ninstrument name=P kind=perpetual underlying=U tick=1 lot=1\nindex underlying=U price=5\nadvance 10h\n"), AsWritten)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := s.Run(context.Background(), nil); err != nil || len(r.Failed) != 0 {
		t.Errorf("%v, %+v", err, r.Failed)
	}
}

// TestMeant holds which misspelled words are recognized.
func TestMeant(t *testing.T) {
	for _, c := range []struct{ wrote, want string }{{"amuont", "amount"}, {"Amount", "amount"}, {"amnt", "amount"}, {"from", ""}, {"acount", "account"},
		{"a", ""}, {"", ""}, {"accountinstrument", ""}} {
		if got := strings.TrimSuffix(strings.TrimPrefix(meant(c.wrote, []string{"account", "amount", "id"}), "; did you mean "), "?"); got != c.want {
			t.Errorf("%q: %q, want %q", c.wrote, got, c.want)
		}
	}
}

// TestSettingsStayInOrder draws values of parameters that bound each other, before and after: there is never a moment at which
// they are out of order, whatever their order on the line.
func TestSettingsStayInOrder(t *testing.T) { // T-3
	rapid.Check(t, func(t *rapid.T) {
		ladder := rapid.SampledFrom(ladders).Draw(t, "ladder")
		values := rapid.SliceOfN(rapid.Int64Range(-5, 5), len(ladder), len(ladder))
		before, after := values.Draw(t, "before"), values.Draw(t, "after")
		slices.Sort(before)
		slices.Sort(after)
		now := map[string]int64{}
		var set []setting
		for i, name := range ladder {
			now[name] = before[i]
			set = append(set, setting{&parameter{name: name}, after[i]})
		}
		set = rapid.Permutation(set).Draw(t, "line")
		for _, s := range inOrder(set, func(p *parameter) int64 { return now[p.name] }) {
			now[s.name] = s.value
			for i := 1; i < len(ladder); i++ {
				if now[ladder[i-1]] > now[ladder[i]] {
					t.Fatalf("%v after %s=%d", now, s.name, s.value)
				}
			}
		}
	})
}

// TestInterrupted holds that a run ends soon after its context, and says no more than that.
func TestInterrupted(t *testing.T) {
	s, err := Parse("f", []byte("account name=a\nadvance 30000d\n"), AsWritten)
	if err != nil {
		t.Fatal(err)
	}
	ctx, interrupt := context.WithCancel(context.Background())
	s.steps = slices.Insert(s.steps, 1, step{line: 9, do: func(*world) { interrupt() }})
	if _, err := s.Run(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want %v", err, context.Canceled)
	}
}

// TestBrokenEngine holds that a broken invariant of the engine is told with the line at which it broke.
func TestBrokenEngine(t *testing.T) {
	s, err := Parse("f", []byte("account name=a\n"), AsWritten)
	if err != nil {
		t.Fatal(err)
	}
	s.steps = append(s.steps, step{line: 7, do: func(*world) { panic("clearing: money is lost") }})
	_, err = s.Run(context.Background(), nil)
	if want := "f:7: the engine stopped at command 1: clearing: money is lost"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}
