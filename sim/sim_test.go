package sim

import (
	"context"
	"flag"
	"runtime"
	"testing"
)

var (
	seeds    = flag.Int("sim.seeds", 24, "seeds of TestSeeds")
	commands = flag.Int("sim.commands", 6000, "commands of each of them")
	first    = flag.Uint64("sim.seed", 1, "the first of them")
)

// TestSeeds runs a few seeds; a finding names the line that repeats it.
func TestSeeds(t *testing.T) { // D-65, D-66, D-68
	fleet := Fleet{First: *first, Seeds: *seeds, Commands: *commands}
	if testing.Short() {
		fleet.Seeds = min(fleet.Seeds, 8)
	}
	sum := fleet.Run(context.Background())
	for _, f := range sum.Findings {
		t.Errorf("%s", f)
	}
	t.Logf("%d seeds from %d on, %d commands, %d faults of all kinds: %v", sum.Seeds, sum.First, sum.Commands, total(sum.Faults), sum.Faults)
	if sum.Seeds != fleet.Seeds || sum.Commands < int64(fleet.Seeds*fleet.Commands) {
		t.Errorf("%d seeds and %d commands, expected %d of %d each at least", sum.Seeds, sum.Commands, fleet.Seeds, fleet.Commands)
	}
}

func total(of map[string]int64) (n int64) {
	for _, v := range of {
		n += v
	}
	return n
}

// TestSameSeedSameTrace runs seeds twice, on one processor and on several, alone and beside others: every step is the same.
func TestSameSeedSameTrace(t *testing.T) { // D-62
	const from, count = 100, 6
	var want [count]Result
	for i := range want {
		want[i] = Run(Draw(from+uint64(i), 3000))
	}
	for _, procs := range [...]int{1, 2, 8} {
		before := runtime.GOMAXPROCS(procs)
		fleet := Fleet{First: from, Seeds: count, Commands: 3000, Workers: procs, Done: func(r *Result) {
			if w := &want[r.Options.Seed-from]; r.Trace != w.Trace || r.Commands != w.Commands || r.Reached != w.Reached {
				t.Errorf("seed %d with %d processors: trace %016x, expected %016x", r.Options.Seed, procs, r.Trace, w.Trace)
			}
		}}
		fleet.Run(context.Background())
		runtime.GOMAXPROCS(before)
	}
	for i := range want {
		for k := range want[:i] {
			if want[i].Trace == want[k].Trace {
				t.Errorf("seeds %d and %d have one trace: it says nothing", from+i, from+k)
			}
		}
	}
}

// TestInterrupted stops a run before it has begun: it says so by what it has run.
func TestInterrupted(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	stop()
	fleet := Fleet{First: 1, Seeds: 3, Commands: 1000}
	if sum := fleet.Run(ctx); sum.Seeds != 0 || sum.Asked != 3 {
		t.Errorf("%d of %d seeds ran", sum.Seeds, sum.Asked)
	}
}
