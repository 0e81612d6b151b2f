package scenario_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/sim/scenario"
)

// FuzzScenario reads any text: it is a scenario or it has faults, each in a line that is there; a short scenario runs, and its
// three states are one.
func FuzzScenario(f *testing.F) { // T-4
	f.Add(ground)
	f.Add("advance 8h\nexpect ok\nforget # x\n")
	f.Add(ground + "amend id=open price=99.5 qty=0.25\ncancel id=open\nexpect order id=open status=canceled tol=1\n")
	f.Add(ground + "quote account=maker instrument=P bid=1@99 ask=2@101\nexpect book instrument=P bids=1@99 asks=none\n")
	f.Add(ground + "set instrument=P slope-initial=0.1% slope-maintenance=0.05% tiers=5/5%/1%,inf/9%/2% band=none taker=1bp\n")
	for _, dir := range []string{"stories", "golden"} {
		files, err := scenario.Find(filepath.Join("testdata", dir))
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(string(text))
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := scenario.Parse("f", []byte(text), scenario.AsWritten)
		if err != nil {
			var faults scenario.Faults
			if !errors.As(err, &faults) || len(faults) == 0 {
				t.Fatalf("%v is not a list of faults", err)
			}
			for _, fault := range faults {
				if (fault.Text == "") == (fault.Lacking == "") {
					t.Errorf("the fault %+v says nothing, or two things", fault)
				}
				if fault.Line < 0 || fault.Line > len(text)+1 || fault.Column > len(text)+1 || fault.Line > 0 && fault.Column < 1 {
					t.Errorf("the fault %+v is in no place of the text", fault)
				}
			}
			return
		}
		if s.Ends > fixed.Hour { // seconds of years would pass one by one
			return
		}
		r, err := s.Run(context.Background(), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, failure := range r.Failed {
			if failure.Line == 0 {
				t.Errorf("%+v", failure)
			}
		}
	})
}
