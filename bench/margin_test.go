package bench

import (
	"context"
	"testing"

	"github.com/lockstep-exchange/lockstep/bench/latency"
)

// A mark that crosses nothing tells of itself alone, a crash calls those whose wires it crosses and no more of them a command than it may,
// and a full scan finds as many.
func TestHolders(t *testing.T) {
	h, err := NewHolders(3000, crowdThin)
	if err != nil {
		t.Fatal(err)
	}
	c := NewClock()
	if _, each, err := h.Quiet(c, 100); err != nil || each.TotalCount() != 100 {
		t.Fatal(err)
	}
	if found, _ := h.Scan(c); found != 0 {
		t.Errorf("%d are to be called before the crash", found)
	}
	called, most, _, err := h.Orders(c, crowdCrash, 20, latency.NewHistogram())
	found, _ := h.Scan(c)
	if err != nil || called != crowdThin || found != called || most > 256 {
		t.Errorf("%d called, %d at most by one command, %d found; %v", called, most, found, err)
	}
}

// The suite makes its figures of marks.
func TestMargins(t *testing.T) {
	s := NewSuite(NewHarness(context.Background(), 1), 20_000)
	s.Crowd = 4096
	if err := s.Margins(); err != nil {
		t.Fatal(err)
	}
	if len(s.Report.Figures) != 6 {
		t.Errorf("%+v", s.Report.Figures)
	}
}
