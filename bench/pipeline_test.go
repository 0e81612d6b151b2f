package bench

import (
	"errors"
	"testing"
)

// TestPipelineIsTheInlineEngine holds that every way of sending through threads
// ends in the state and with the events of the inline run, and that the twin
// answers as often as it is asked.
func TestPipelineIsTheInlineEngine(t *testing.T) {
	p := short(t, "b10k", 300, 1)
	rec, err := Record(p, 1024)
	if err != nil {
		t.Fatal(err)
	}
	n := len(rec.Requests)
	h := quiet(t, 1)
	for _, s := range []Sending{Closed, {Rate: 2e6}, {Flood: true}} {
		for _, empty := range []bool{false, true} {
			pass, err := h.Through(Pipe{Recording: rec, Empty: empty}, s, n)
			if err != nil {
				t.Fatalf("%v, empty %v: %v", s, empty, err)
			}
			want := rec.Events
			if empty {
				want = n
			}
			if pass.Events != want {
				t.Errorf("%v, empty %v: %d events, want %d", s, empty, pass.Events, want)
			}
			samples := int64(n)
			if s.Flood {
				samples = 0
			}
			if got := pass.Total.TotalCount(); got != samples {
				t.Errorf("%v, empty %v: %d samples, want %d", s, empty, got, samples)
			}
		}
	}
}

// TestPipelineBites holds that another state than the inline one is found.
func TestPipelineBites(t *testing.T) {
	p := short(t, "ec1k", 2_000, 1)
	rec, err := Record(p, 1024)
	if err != nil {
		t.Fatal(err)
	}
	rec.Hash++
	_, err = quiet(t, 1).Through(Pipe{Recording: rec}, Sending{Flood: true}, len(rec.Requests))
	var differs *DiffersError
	if !errors.As(err, &differs) {
		t.Errorf("error is %v, want that it differs", err)
	}
}

// TestRecordingKeepsBothCommands holds that a replace which our engine would keep
// in its place is recorded as a cancel and a new order.
func TestRecordingKeepsBothCommands(t *testing.T) {
	p := short(t, "ec1k", 20_000, 1)
	twice := 0
	for _, a := range p.acts {
		if a == cancelThenNew {
			twice++
		}
	}
	rec, err := Record(p, 1024)
	if err != nil {
		t.Fatal(err)
	}
	if twice == 0 || len(rec.Requests) != len(p.Stream.Timed())+twice {
		t.Errorf("%d requests of %d operations, of which %d are two", len(rec.Requests), len(p.Stream.Timed()), twice)
	}
}
