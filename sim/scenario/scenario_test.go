package scenario_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lockstep-exchange/lockstep/sim/scenario"
)

// parse reads a text that has no fault.
func parse(t *testing.T, text string, mode scenario.Mode) *scenario.Script {
	t.Helper()
	s, err := scenario.Parse("test.scenario", []byte(text), mode)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// run runs a script.
func run(t *testing.T, s *scenario.Script) scenario.Result {
	t.Helper()
	r, err := s.Run(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// holds runs a file and fails for each expectation that does not hold.
func holds(t *testing.T, s *scenario.Script) {
	t.Helper()
	r := run(t, s)
	for i := range r.Failed {
		t.Errorf("%s", r.Failed[i].Append(nil, filepath.Base(r.File)))
	}
	if r.Expectations == 0 || len(r.Hash) != 16 {
		t.Errorf("%d expectations, hash %q", r.Expectations, r.Hash)
	}
}

// TestStories runs the stories of this package.
func TestStories(t *testing.T) { // T-2
	files, err := scenario.Find(filepath.Join("testdata", "stories"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			s, err := scenario.Load(file, scenario.AsWritten)
			if err != nil {
				notYet(t, err)
				t.Fatal(err)
			}
			holds(t, s)
		})
	}
}

// notYet skips a story that uses what is not supported yet, and has no other fault.
func notYet(t *testing.T, err error) {
	t.Helper()
	var faults scenario.Faults
	if !errors.As(err, &faults) {
		return
	}
	for _, f := range faults {
		if f.Lacking == "" {
			return
		}
	}
	t.Skip("not supported yet: ", faults[0].Lacking)
}

// TestShared runs the scenarios that lie beside the tree: those of the second group are told that they are not supported.
func TestShared(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "shared", "scenarios")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("no scenarios beside the tree: ", err)
	}
	files, err := scenario.Find(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			second := strings.HasPrefix(filepath.Base(file), "17-") || strings.HasPrefix(filepath.Base(file), "18-")
			s, err := scenario.Load(file, scenario.AsWritten)
			if err != nil && !second {
				notYet(t, err)
			}
			var faults scenario.Faults
			if second && errors.As(err, &faults) && faults[0].Lacking != "" {
				return
			}
			if second || err != nil {
				t.Fatalf("%v, expected a fault: this is of the second group", err)
			}
			holds(t, s)
		})
	}
}
