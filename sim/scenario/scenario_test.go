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

// TestModes tells one story under each model: as it is written, all cross, and all isolated.
func TestModes(t *testing.T) {
	const story = `underlying name=HAY
instrument name=CROSS kind=perpetual underlying=HAY tick=1 lot=1 mark=manual
instrument name=APART kind=perpetual underlying=HAY tick=1 lot=1 mark=manual
instrument name=PAID kind=spot underlying=HAY tick=1 lot=1 mark=manual
mark instrument=CROSS price=100
mark instrument=APART price=100
mark instrument=PAID price=100
account name=a deposit=1000
account name=m deposit=100000
place account=m instrument=CROSS side=sell qty=10 price=100
place account=a instrument=CROSS side=buy qty=10 price=100
place account=m instrument=APART side=sell qty=10 price=100
place account=a instrument=APART side=buy qty=10 price=100 isolated
place account=a instrument=PAID side=buy qty=1 price=99
quote account=a instrument=CROSS bid=1@90
what-if account=a instrument=APART side=buy qty=1 price=90
`
	for _, c := range []struct {
		mode scenario.Mode
		want string
	}{
		{scenario.AsWritten, `expect position account=a instrument=CROSS mode=cross margin=0
expect position account=a instrument=APART mode=isolated margin=100
expect account account=a cash=900
expect what-if accepted=true initial=218
isolate account=a instrument=CROSS margin=200
expect ok
margin account=a instrument=APART add=50
expect ok
expect account account=a cash=650
cross account=a instrument=APART
expect ok
expect account account=a cash=800
`},
		{scenario.Cross, `expect position account=a instrument=CROSS mode=cross
expect position account=a instrument=APART mode=cross
expect account account=a cash=1000
isolate account=a instrument=CROSS margin=200
expect ok
expect account account=a cash=1000
margin account=a instrument=APART add=50
expect ok
cross account=a instrument=APART
expect ok
expect position account=a instrument=APART mode=cross
`},
		{scenario.Isolated, `expect position account=a instrument=CROSS mode=isolated margin=100
expect position account=a instrument=APART mode=isolated margin=100
expect account account=a cash=800
isolate account=a instrument=CROSS margin=200
expect ok
margin account=a instrument=APART add=50
expect ok
expect position account=a instrument=APART margin=150
cross account=a instrument=APART
expect ok
expect position account=a instrument=APART mode=isolated
`},
	} {
		t.Run("mode "+string(c.mode), func(t *testing.T) { holds(t, parse(t, story+c.want+"expect venue conserved\n", c.mode)) })
	}
	s := parse(t, story+"isolate account=a instrument=CROSS\nexpect rejected\n", scenario.Cross)
	if r := run(t, s); len(r.Failed) != 1 || r.Failed[0].Got != "left out" {
		t.Errorf("what is left out reads %+v", r.Failed)
	}
	for _, mode := range []scenario.Mode{scenario.Portfolio, "none"} {
		if _, err := scenario.Parse("f", nil, mode); err == nil {
			t.Errorf("the mode %q is read", mode)
		}
	}
}
