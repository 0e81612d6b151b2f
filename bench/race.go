package bench

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"time"

	"github.com/lockstep-exchange/lockstep/bench/ops"
)

// Driver replays operations on an engine of some kind. Run is the loop under the
// clock, and its own, so that no call in it goes through a table.
type Driver interface {
	Run(list []ops.Op)
	Apply(op *ops.Op)
	Counts() (r ops.Result, rejects, refused uint64)
}

// auditor is a driver that can look for damage after a run.
type auditor interface{ Audit() error }

// Entry is one competitor of a race.
type Entry struct {
	Name  string
	Plan  *Plan
	Fresh func() (Driver, error) // tables made, pages touched, nothing applied
}

// Harness is how races are run.
type Harness struct {
	Rounds  int // runs of each entry that count
	Repeats int // void runs of each entry that are repeated, before they count after all
	Core    int // the core to be pinned to; below 0: none, and what waits yields

	Context context.Context                     // looked at between runs
	Report  func(stage string, done, total int) // progress; may be nil

	clock *Clock
	cores []int // that the process may use
}

// NewHarness measures the clock and chooses the last core that the process may
// use.
func NewHarness(ctx context.Context, rounds int) *Harness {
	h := &Harness{Rounds: rounds, Repeats: rounds, Core: -1, Context: ctx, clock: NewClock()}
	if h.cores = allowed(); len(h.cores) > 0 {
		h.Core = h.cores[len(h.cores)-1]
	}
	return h
}

// Measure is what the rounds of one entry came to.
type Measure struct {
	Name    string
	Plan    *Plan
	Ns      []float64 // per operation, one for each run that counts
	Own     []float64 // the same by the time that the thread ran; empty where the system does not tell
	Voided  int       // runs that were repeated because the machine was elsewhere
	Void    int       // runs that count although it was
	Probe   Probe     // around all of them
	Result  ops.Result
	Rejects uint64
	Refused uint64
	Allocs  uint64 // under the clock, over all runs: as many in each as in the one that had the fewest
	Cycles  uint64 // of the garbage collector, under the clock, over all runs
	Applied uint64 // operations under the clock, over all runs
	Err     error  // a *DiffersError: it did not do the work, and Ns is empty

	runs uint64 // void ones included
}

// allocated counts the objects of one more run. All runs do the same work, so what one allocates and another does not is somebody else's
// in the process.
func (m *Measure) allocated(objects uint64) {
	if m.runs++; m.runs > 1 {
		objects = min(objects, m.Allocs/(m.runs-1))
	}
	m.Allocs = objects * m.runs
}

// Median returns the median of the runs in nanoseconds per operation.
func (m *Measure) Median() float64 { return median(m.Ns) }

// Min returns the fastest run.
func (m *Measure) Min() float64 {
	if len(m.Ns) == 0 {
		return 0
	}
	return slices.Min(m.Ns)
}

func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(v))
	if n := len(s); n%2 == 0 {
		return (s[n/2-1] + s[n/2]) / 2
	}
	return s[len(s)/2]
}

// Hold takes the thread, the core and the garbage collector for measuring.
func (h *Harness) Hold() (letGo func()) {
	percent := debug.SetGCPercent(-1)
	runtime.LockOSThread() // or the thread's own time would be of several
	leave := func() {}
	if h.Core >= 0 {
		leave = occupy(h.Core, h.cores)
	}
	return func() {
		leave()
		runtime.UnlockOSThread()
		debug.SetGCPercent(percent)
	}
}

// Race runs every entry Rounds times, in alternating order, and returns a measure
// for each. An entry that does not do its stream's work gets an error instead of
// times. Race itself fails when a driver cannot be made or the context has ended.
func (h *Harness) Race(stage string, entries []Entry) ([]Measure, error) {
	defer h.Hold()()
	measures := make([]Measure, len(entries))
	for i, e := range entries {
		measures[i].Name, measures[i].Plan = e.Name, e.Plan
	}
	for round := range h.Rounds {
		for i := range entries {
			at := i
			if round%2 == 1 {
				at = len(entries) - 1 - i
			}
			if measures[at].Err != nil {
				continue
			}
			h.progress(stage, round*len(entries)+i, h.Rounds*len(entries))
			if err := h.turn(&entries[at], &measures[at]); err != nil {
				return nil, fmt.Errorf("%s: %w", entries[at].Name, err)
			}
		}
	}
	return measures, nil
}

func (h *Harness) progress(stage string, done, total int) {
	if h.Report != nil {
		h.Report(stage, done, total)
	}
}

// turn is one run that counts, after as many void ones as may be repeated.
func (h *Harness) turn(e *Entry, m *Measure) error {
	for {
		if err := h.Context.Err(); err != nil {
			return err
		}
		r, err := h.run(e)
		if err != nil {
			return err
		}
		m.Result, m.Rejects, m.Refused, m.Err = r.result, r.rejects, r.refused, r.err
		if m.Err != nil {
			m.Ns, m.Own = nil, nil
			return nil
		}
		m.allocated(r.allocs)
		m.Cycles += r.cycles
		m.Applied += uint64(len(e.Plan.Stream.Timed()))
		if r.probe.Void() && m.Voided < h.Repeats {
			m.Voided++
			continue
		}
		if r.probe.Void() {
			m.Void++
		}
		m.Probe.Add(r.probe)
		m.Ns = append(m.Ns, r.ns)
		if r.own > 0 {
			m.Own = append(m.Own, r.own)
		}
		return nil
	}
}

// run is one pass of one fresh driver.
type run struct {
	ns, own          float64 // per operation, by the wall and by the thread's own time
	probe            Probe
	result           ops.Result
	rejects, refused uint64
	allocs, cycles   uint64
	err              error
}

func (h *Harness) run(e *Entry) (r run, err error) {
	d, err := h.warm(e)
	if err != nil {
		return r, err
	}
	timed := e.Plan.Stream.Timed()
	if len(timed) == 0 {
		return r, fmt.Errorf("%s has no operations under the clock", e.Plan.Name)
	}
	r.probe = h.clock.Spin(probeSpan)
	allocs, cycles := garbage()
	ranBefore, _ := threadTime()
	t := time.Now()
	d.Run(timed)
	took := time.Since(t)
	ran, told := threadTime()
	allocsAfter, cyclesAfter := garbage()
	r.probe.Add(h.clock.Spin(probeSpan))
	r.ns = float64(took.Nanoseconds()) / float64(len(timed))
	if told {
		r.own = float64(ran-ranBefore) / float64(len(timed))
	}
	r.allocs, r.cycles = allocsAfter-allocs, cyclesAfter-cycles
	r.result, r.rejects, r.refused = d.Counts()
	r.err = judge(e, d)
	return r, nil
}

// warm makes a driver, applies what comes before the clock, and lets the garbage
// of the run before be collected now.
func (h *Harness) warm(e *Entry) (Driver, error) {
	d, err := e.Fresh()
	if err != nil {
		return nil, err
	}
	d.Run(e.Plan.Stream.Before())
	runtime.GC()
	return d, nil
}

// judge returns a *DiffersError when a driver did not do its stream's work.
func judge(e *Entry, d Driver) error {
	got, _, _ := d.Counts()
	differs := &DiffersError{Plan: e.Plan.Name, Driver: e.Name, Got: got, Want: e.Plan.Want}
	if !e.Plan.Blind && got != e.Plan.Want {
		return differs
	}
	if a, ok := d.(auditor); ok {
		if err := a.Audit(); err != nil {
			differs.Why = err.Error()
			return differs
		}
	}
	return nil
}

// garbage returns how many objects were allocated and how many cycles the garbage
// collector has done since the process began.
func garbage() (allocs, cycles uint64) {
	sample := [2]metrics.Sample{{Name: "/gc/heap/allocs:objects"}, {Name: "/gc/cycles/total:gc-cycles"}}
	metrics.Read(sample[:])
	return sample[0].Value.Uint64(), sample[1].Value.Uint64()
}
