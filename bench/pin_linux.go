package bench

import (
	"fmt"
	"os"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// allowed returns the cores that this process may use.
func allowed() []int {
	var set unix.CPUSet
	if unix.SchedGetaffinity(os.Getpid(), &set) != nil {
		return nil
	}
	var cores []int
	for i := 0; i < 8*len(set)*8 && len(cores) < set.Count(); i++ {
		if set.IsSet(i) {
			cores = append(cores, i)
		}
	}
	return cores
}

// Pin ties the calling goroutine to a thread and the thread to a core, until it is
// told to let go. Where the system forbids it the goroutine is tied to its thread
// alone; said tells.
func Pin(core int) (letGo func(), said string) {
	runtime.LockOSThread()
	var before, set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return runtime.UnlockOSThread, "not pinned"
	}
	set.Set(core)
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return runtime.UnlockOSThread, "not pinned"
	}
	return func() {
		if unix.SchedSetaffinity(0, &before) == nil {
			runtime.UnlockOSThread()
		}
	}, fmt.Sprintf("pinned to core %d", core)
}

// aside moves every other thread of the process off a core, where there is another
// to go to.
func aside(core int) {
	var set unix.CPUSet
	for _, c := range allowed() {
		if c != core {
			set.Set(c)
		}
	}
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil || set.Count() == 0 {
		return
	}
	for _, t := range threads {
		if id, err := strconv.Atoi(t.Name()); err == nil {
			unix.SchedSetaffinity(id, &set)
		}
	}
}
