package bench

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// small is a suite for tests: every figure, of next to nothing.
func small(t *testing.T) *Suite {
	t.Helper()
	s := NewSuite(quiet(t, 1), 2_000)
	s.Crowd, s.Spread, s.Trips = 1<<11, 10, 50
	s.Flash = []string{filepath.Join(t.TempDir(), "f1.csv")}
	if err := os.WriteFile(s.Flash[0], []byte("N,0,0,5,0,10\nN,1,0,9,1,11\nC,0\nM,1,20,9\nN,0,1,5,2,12\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.File = s.Flash[0]
	return s
}

// TestSuiteHasEveryGoal holds that a report names every goal, each with a number or
// with why there is none, and every figure with its baseline.
func TestSuiteHasEveryGoal(t *testing.T) {
	s := small(t)
	if err := s.All(); err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, f := range s.Report.Figures {
		seen[f.Goal]++
		if f.Verdict == NotMeasured && f.Note == "" {
			t.Errorf("%s: nobody says why it is not measured", f.Name)
		}
		if f.Goal != "" && f.Verdict != NotMeasured && (f.Value == nil || f.Ratio == nil || f.Must == nil) {
			t.Errorf("%s: %+v", f.Name, f)
		}
	}
	for goal, want := range map[string]int{"1": 3, "1b": 1, "2": 5, "3": 2, "4": 1, "4b": 1, "7": 3, "8": 3, "9": 4, "9b": 1, "10": 1, "11": 6, "12": 1, "16": 1, "17": 2, "18": 1} {
		if seen[goal] != want {
			t.Errorf("goal %s has %d figures, want %d", goal, seen[goal], want)
		}
	}
	if s.Report.Partial || len(s.Traces) != 6 {
		t.Errorf("partial %v, %d traces, want 6", s.Report.Partial, len(s.Traces))
	}
}

func TestSuiteFloor(t *testing.T) {
	s := small(t)
	if err := s.Floor(); err != nil {
		t.Fatal(err)
	}
	text := string(s.Report.Append(nil, false))
	for _, figure := range []string{"K(2048) on ec1k", "R: a record to another core and back, p50", "E: 64 bytes over TCP loopback and back", "Go's net, a core for each end"} {
		if !strings.Contains(text, figure) {
			t.Errorf("no figure %q in\n%s", figure, text)
		}
	}
}

// TestSuiteStops holds that an interrupted suite keeps what it has and says so.
func TestSuiteStops(t *testing.T) {
	s := small(t)
	ctx, stop := context.WithCancel(context.Background())
	s.Harness.Context = ctx
	s.Harness.Report = func(stage string, _, _ int) {
		if stage == "b100k" {
			stop()
		}
	}
	if err := s.All(); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v, want canceled", err)
	}
	if !s.Report.Partial || len(s.Report.Figures) == 0 {
		t.Errorf("partial %v with %d figures", s.Report.Partial, len(s.Report.Figures))
	}
}

// TestSuiteBites holds that a stream with a wrong header ends the suite.
func TestSuiteBites(t *testing.T) {
	s := small(t)
	p := short(t, "ec1k", 100, 1)
	p.Stream.Want.Volume++
	s.File = filepath.Join(t.TempDir(), "wrong.ops")
	if err := p.Stream.WriteFile(s.File); err != nil {
		t.Fatal(err)
	}
	var differs *DiffersError
	if err := s.run(s.further); !errors.As(err, &differs) || !s.Report.Partial {
		t.Errorf("error is %v, want that it differs", err)
	}
}
