package sim

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/lockstep-exchange/lockstep/fixed"
)

// Fleet is a run over many seeds, each on one goroutine, several of them at a time.
type Fleet struct {
	First    uint64 // the first seed; the others follow it
	Seeds    int
	Commands int // sequenced in each before its faults stop
	Workers  int // 0: as many as there are processors
	// Release says that every rare state has to be reached at least once (D-67).
	Release bool
	// Once says that no seed is begun after the first finding.
	Once bool
	// Done, where it is not nil, is called after each seed, one call at a time.
	Done func(*Result)
}

// Summary is what a run came to.
type Summary struct {
	First    uint64           `json:"first_seed"`
	Asked    int              `json:"seeds_asked"`
	Seeds    int              `json:"seeds"` // run to their end
	Commands int64            `json:"commands"`
	Replays  int64            `json:"replayed"`
	Faults   map[string]int64 `json:"faults"`    // by kind
	Reached  map[string]int64 `json:"sometimes"` // rare states, by name
	Missed   []string         `json:"never_reached"`
	Findings []*Finding       `json:"findings"`
	Trace    string           `json:"trace"` // of all seeds, in their order
	Seconds  float64          `json:"seconds"`
}

// Failed reports whether the run says that something is wrong.
func (s *Summary) Failed(release bool) bool {
	return len(s.Findings) > 0 || release && len(s.Missed) > 0
}

// Run runs the seeds, or those that it comes to before ctx ends.
func (f *Fleet) Run(ctx context.Context) Summary {
	workers := f.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	began := time.Now()
	results := make([]*Result, f.Seeds)
	var (
		mu    sync.Mutex
		next  int
		found bool
		all   sync.WaitGroup
	)
	take := func() int {
		mu.Lock()
		defer mu.Unlock()
		if next == f.Seeds || found && f.Once || ctx.Err() != nil {
			return -1
		}
		next++
		return next - 1
	}
	for range min(workers, f.Seeds) {
		all.Go(func() {
			for i := take(); i >= 0; i = take() {
				r := Run(Draw(f.First+uint64(i), f.Commands))
				mu.Lock()
				results[i] = &r
				found = found || r.Finding != nil
				if f.Done != nil {
					f.Done(&r)
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	s := f.sum(results)
	s.Seconds = time.Since(began).Seconds()
	return s
}

// sum adds the results up, in the order of their seeds.
func (f *Fleet) sum(results []*Result) Summary {
	s := Summary{First: f.First, Asked: f.Seeds, Faults: map[string]int64{}, Reached: map[string]int64{}, Missed: []string{}, Findings: []*Finding{}}
	var trace fixed.Digest
	for kind := range faultKinds {
		s.Faults[kind.String()] = 0
	}
	for state := range sometimesCount {
		s.Reached[state.String()] = 0
	}
	for _, r := range results {
		if r == nil {
			continue
		}
		s.Seeds++
		s.Commands += r.Commands
		s.Replays += r.Replays
		for kind, n := range r.Faults {
			s.Faults[fault(kind).String()] += n
		}
		for state, n := range r.Reached {
			s.Reached[sometimes(state).String()] += n
		}
		if r.Finding != nil {
			s.Findings = append(s.Findings, r.Finding)
		}
		trace.Word(r.Trace)
	}
	for name, n := range s.Reached {
		if n == 0 {
			s.Missed = append(s.Missed, name)
		}
	}
	slices.Sort(s.Missed)
	s.Trace = fmt.Sprintf("%016x", trace.Sum())
	return s
}
