package bench

import (
	"runtime"
	"runtime/debug"
	"testing"
)

// TestEngineDoesNotAllocate holds L-49: a million commands of the whole engine
// leave the count of allocated objects and of collections where they were. What
// else runs in the process may allocate, so one clean run of three is enough; what
// the engine allocates would be in all of them.
func TestEngineDoesNotAllocate(t *testing.T) {
	if testing.Short() {
		t.Skip("short")
	}
	p := short(t, "b10k", 1_000_000, 1)
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	for attempt := range 3 {
		w, err := NewWholeEngine(p, 1024)
		if err != nil {
			t.Fatal(err)
		}
		w.Run(p.Stream.Before())
		runtime.GC()
		allocs, cycles := garbage()
		w.Run(p.Stream.Timed())
		allocsAfter, cyclesAfter := garbage()
		if err := judge(&Entry{Name: "engine", Plan: p}, w); err != nil {
			t.Fatal(err)
		}
		if allocsAfter == allocs && cyclesAfter == cycles {
			return
		}
		t.Logf("run %d: %d objects, %d collections in %d commands", attempt, allocsAfter-allocs, cyclesAfter-cycles, len(p.Stream.Timed()))
	}
	t.Error("the engine allocates")
}

// TestDriversDoNotAllocate holds the same of every driver, over a part of a stream,
// so that what a race counts is the engine's.
func TestDriversDoNotAllocate(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	p := short(t, "b10k", 20_000, 1)
	for _, e := range []Entry{Ladder(p), RiskLadder(p, 1024), Bare(p)} {
		clean := false
		for range 3 {
			d, err := e.Fresh()
			if err != nil {
				t.Fatal(err)
			}
			d.Run(p.Stream.Before())
			allocs, _ := garbage()
			d.Run(p.Stream.Timed())
			after, _ := garbage()
			clean = clean || after == allocs
		}
		if !clean {
			t.Errorf("%s allocates", e.Name)
		}
	}
}
