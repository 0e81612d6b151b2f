package stress

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/sim/scenario"
)

var both = []msg.Mode{msg.ModeCross, msg.ModeIsolated}

func bookOf(t *testing.T, name string) *Book {
	t.Helper()
	b, err := LoadBook(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func shockOf(t *testing.T, name string) *Shock {
	t.Helper()
	s, err := LoadShock(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func compareOf(t *testing.T, o Options) *Report {
	t.Helper()
	p, err := Compare(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// written is all that a report says, file by file.
func written(t *testing.T, p *Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := errors.Join(p.WriteText(&b), p.WriteAccounts(&b), p.WriteEvents(&b), p.WritePage(&b, Origin{"exchange stress compare", "v0"}),
		json.NewEncoder(&b).Encode(p)); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// Everything built in is read, and can be opened under either mode.
func TestLibrary(t *testing.T) {
	all, err := Library()
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, e := range all {
		count[e.Kind]++
		if e.Title == "" || e.Name == "" || !strings.HasPrefix(e.Text[strings.Index(e.Text, "name = "):], fmt.Sprintf("name = %q\n", e.Name)) {
			t.Errorf("%s %s: its title is %q, and its file calls it otherwise or has no name", e.Kind, e.Name, e.Title)
		}
	}
	if count["book"] < 3 || count["scenario"] < 8 {
		t.Errorf("%v, expected at least 3 books and 8 scenarios", count)
	}
	quiet := "name = \"still\"\n[[path]]\npoints = [\"1m 0%\"]\n"
	for _, name := range names("books") {
		s, err := ParseShock("still", []byte(quiet))
		if err != nil {
			t.Fatal(err)
		}
		b := bookOf(t, name)
		p := compareOf(t, Options{Book: b, Shock: s, Modes: both, Seed: b.Seed})
		for _, m := range p.Modes {
			if n := m.Figures.find("calls").Value; n != 0 {
				t.Errorf("%s: %d calls under %s margin before anything happened", name, n, m.Mode)
			}
		}
	}
}

// The same files and seed give the same report to the letter; another seed another one.
func TestDeterminism(t *testing.T) {
	run := func(seed uint64) string {
		return written(t, compareOf(t, Options{Book: bookOf(t, "institutional"), Shock: shockOf(t, "corr-to-one"), Modes: both, Seed: seed}))
	}
	first := run(7)
	if again := run(7); again != first {
		t.Error("a second run differs")
	}
	if other := run(8); other == first {
		t.Error("another seed makes no difference")
	}
}

// Every built-in shock runs through a book to its end. Money and lots are counted at every step, and a run that misses some is an error.
func TestShocks(t *testing.T) { // I-01, I-02
	for _, name := range names("scenarios") {
		s := shockOf(t, name)
		if slices.ContainsFunc(s.paths, (*course).recorded) {
			continue
		}
		b := bookOf(t, "institutional")
		var last, total int64
		p := compareOf(t, Options{Book: b, Shock: s, Modes: both, Seed: b.Seed, Progress: func(done, all int64) {
			if done != last+1 {
				t.Fatalf("%s: %d steps after %d", name, done, last)
			}
			last, total = done, all
		}})
		if last != total || total != 2*p.Steps {
			t.Errorf("%s: %d of %d steps were told", name, last, total)
		}
		for _, m := range p.Modes {
			if moved := m.Figures.find("lost").Value; moved == 0 {
				t.Errorf("%s: nobody lost anything under %s margin", name, m.Mode)
			}
		}
	}
}

// The tiny book at its opening, worked out by hand. Initial: 5,000 + 3,000 and twice 5,000. Under cross all that those accounts have stands
// behind it, under isolated what is posted.
func TestOpeningByHand(t *testing.T) { // M-12, M-23
	p := compareOf(t, Options{Book: bookOf(t, "tiny"), Shock: shockOf(t, "gap-down"), Modes: both, Seed: 1})
	for _, want := range []struct {
		mode            int
		initial, posted fixed.Money
	}{{0, 18_000 * fixed.Coin, 45_500 * fixed.Coin}, {1, 18_000 * fixed.Coin, 18_000 * fixed.Coin}} {
		f := p.Modes[want.mode].Figures
		if got := fixed.Money(f.find("initial").Value); got != want.initial {
			t.Errorf("%s: initial %s, expected %s", p.Modes[want.mode].Mode, got, want.initial)
		}
		if got := fixed.Money(f.find("posted").Value); got != want.posted {
			t.Errorf("%s: %s behind the positions, expected %s", p.Modes[want.mode].Mode, got, want.posted)
		}
	}
}

// With isolated-margin = "all" an account posts all it has, in parts as its initial margin: 20,000 as 5 to 3.
func TestAllPosted(t *testing.T) {
	text, _ := builtin("books", "tiny")
	b, err := ParseBook("tiny", bytes.Replace(text, []byte("seed = 1"), []byte("seed = 1\nisolated-margin = \"all\""), 1))
	if err != nil {
		t.Fatal(err)
	}
	r, err := newRun(context.Background(), b, shockOf(t, "gap-down"), b.draw(1), msg.ModeIsolated, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.open(); err != nil {
		t.Fatal(err)
	}
	for i, want := range []fixed.Money{12_500 * fixed.Coin, 7_500 * fixed.Coin} {
		if h, _ := r.eng.Position(1, msg.InstrumentID(i+1)); h.Margin != want {
			t.Errorf("position %d has a margin of %s, expected %s", i+1, h.Margin, want)
		}
	}
	if s, _ := r.eng.Account(1); s.Cash != 0 {
		t.Errorf("%s lie free, expected nothing", s.Cash)
	}
}

// What the engine takes amiss is told with the place in the book.
func TestRefusedBook(t *testing.T) {
	text, _ := builtin("books", "tiny")
	b, err := ParseBook("poor.toml", bytes.Replace(text, []byte(`deposit = "5500"`), []byte(`deposit = "4999"`), 1))
	if err != nil {
		t.Fatal(err)
	}
	_, err = Compare(context.Background(), Options{Book: b, Shock: shockOf(t, "gap-down"), Modes: both, Seed: 1})
	var faults scenario.Faults
	if !errors.As(err, &faults) || !strings.Contains(err.Error(), "poor.toml:35:13: 1 BTC-USD-PERP of account thin, with a deposit of 4999.000000, is refused under cross margin: InsufficientMargin") {
		t.Errorf("%v", err)
	}
}

// An interrupted comparison holds the modes that were done.
func TestInterrupted(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	b := bookOf(t, "tiny")
	p, err := Compare(ctx, Options{Book: b, Shock: shockOf(t, "gap-down"), Modes: both, Seed: 1, Progress: func(done, all int64) {
		if done > all/2+3 {
			stop()
		}
	}})
	if !errors.Is(err, context.Canceled) || p == nil || !p.Partial || len(p.Modes) != 1 {
		t.Fatalf("%v, %+v", err, p)
	}
	if text := written(t, p); !strings.Contains(text, "PARTIAL") || !strings.Contains(text, "<strong>Partial:</strong>") {
		t.Error("neither the text nor the page says that it is partial")
	}
}

// Requirements are read and judged.
func TestRequirements(t *testing.T) {
	p := compareOf(t, Options{Book: bookOf(t, "tiny"), Shock: shockOf(t, "gap-down"), Modes: both, Seed: 1})
	for text, unmet := range map[string]int{
		"initial=18000": 0, "initial<=18k": 0, "initial<18k": 2, "cross.posted>0.0455m": 1, "isolated.posted<=18000": 0, "deficit<0": 2, "usage>=30%": 0,
	} {
		q, err := ParseRequirement(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if lines := p.Unmet([]Requirement{q}); len(lines) != unmet {
			t.Errorf("%s: %q, expected %d", text, lines, unmet)
		}
	}
	for _, text := range []string{"", "deficit", "deficit<>1", "defict<1", "deficit<x", "deficit<1/2", "<1"} {
		if _, err := ParseRequirement(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

// A million-account book has a bound, and what is written is what the columns say.
func TestColumns(t *testing.T) {
	p := compareOf(t, Options{Book: bookOf(t, "tiny"), Shock: shockOf(t, "gap-down"), Modes: both, Seed: 1})
	var b bytes.Buffer
	if err := p.WriteAccounts(&b); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	if lines[0] != strings.Join(AccountColumns, ",") || len(lines) != 1+2*3 || !strings.HasPrefix(lines[1], "cross,1,two-legs,two-legs,20000000000,") {
		t.Errorf("%q", lines)
	}
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "STRESS.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, names := range [][]string{AccountColumns, EventColumns, figureNames} {
		for _, name := range names {
			if !bytes.Contains(text, []byte("`"+name+"`")) {
				t.Errorf("docs/STRESS.md does not explain %s", name)
			}
		}
	}
	for i, f := range p.Modes[0].Figures {
		if f.Name != figureNames[i] {
			t.Errorf("figure %d is %s, expected %s", i, f.Name, figureNames[i])
		}
	}
}
