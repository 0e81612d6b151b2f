package node

import (
	"os"
	"runtime"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

// While a node trades, its hot thread alone runs on its core; afterwards every thread may run everywhere again.
func TestHotThreadHasItsCore(t *testing.T) { // L-27
	before := masks(t)[os.Getpid()]
	n := start(t, Config{Engine: exchange(t), Collect: true})
	run(t, n)
	status := n.Status()
	if before.Count() < 2 {
		if status.Core != -1 || status.Unpinned == "" {
			t.Errorf("one core, and the node runs as %+v", status)
		}
		stop(t, n)
		return
	}
	if status.Core < 0 {
		stop(t, n)
		t.Skipf("this system does not let threads be pinned: %s", status.Unpinned)
	}
	process.Lock()
	err := process.cores.move() // as for one more node: the hot thread stays
	process.Unlock()
	if err != nil {
		t.Error(err)
	}
	hot := 0
	for thread, mask := range masks(t) {
		switch {
		case mask.Count() == 1 && mask.IsSet(status.Core):
			hot++
		case mask.IsSet(status.Core):
			t.Errorf("thread %d may run on core %d of the hot thread", thread, status.Core)
		}
	}
	if hot != 1 {
		t.Errorf("%d threads are pinned to core %d, want 1", hot, status.Core)
	}
	stop(t, n)
	for thread, mask := range masks(t) {
		if mask != before {
			t.Errorf("thread %d may run on %d cores after Stop, want %d", thread, mask.Count(), before.Count())
		}
	}
}

// masks are the cores of every thread.
func masks(t *testing.T) map[int]unix.CPUSet {
	t.Helper()
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Skip(err)
	}
	all := map[int]unix.CPUSet{}
	for _, entry := range threads {
		var mask unix.CPUSet
		if thread, err := strconv.Atoi(entry.Name()); err == nil && unix.SchedGetaffinity(thread, &mask) == nil {
			all[thread] = mask
		}
	}
	return all
}

// A core that the process may not use is not taken, and Status says why.
func TestForbiddenCore(t *testing.T) {
	n := start(t, Config{Engine: exchange(t), Core: 1000, Collect: true})
	run(t, n)
	if s := n.Status(); s.Core != -1 || s.Unpinned == "" {
		t.Errorf("the node runs as %+v on core 1000 of %d", s, runtime.NumCPU())
	}
	stop(t, n)
}
