package bench

import (
	"os"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// allowed returns the cores that this process may use, in ascending order.
func allowed() []int {
	var set unix.CPUSet
	if unix.SchedGetaffinity(os.Getpid(), &set) != nil {
		return nil
	}
	return list(&set)
}

func list(set *unix.CPUSet) (cores []int) {
	for i, left := 0, set.Count(); left > 0; i++ {
		if set.IsSet(i) {
			cores = append(cores, i)
			left--
		}
	}
	return cores
}

// occupy ties the calling goroutine to its thread and that to a core, and moves all
// other threads of the process off the core where there is another to go to. Where
// the system forbids it, it does what it can.
func occupy(core int) (leave func()) {
	runtime.LockOSThread()
	var all, others, one unix.CPUSet
	if unix.SchedGetaffinity(os.Getpid(), &all) != nil {
		return runtime.UnlockOSThread
	}
	others, one = all, unix.CPUSet{}
	one.Set(core)
	if others.Clear(core); others.Count() > 0 {
		move(&others)
	}
	if unix.SchedSetaffinity(0, &one) != nil {
		move(&all)
		return runtime.UnlockOSThread
	}
	return func() {
		move(&all)
		runtime.UnlockOSThread()
	}
}

// settle ties the calling goroutine to its thread and that to a core, and leaves
// all other threads alone.
func settle(core int) (leave func()) {
	runtime.LockOSThread()
	var before, one unix.CPUSet
	one.Set(core)
	if unix.SchedGetaffinity(0, &before) != nil || unix.SchedSetaffinity(0, &one) != nil {
		return runtime.UnlockOSThread
	}
	return func() {
		if unix.SchedSetaffinity(0, &before) == nil {
			runtime.UnlockOSThread()
		}
	}
}

// move puts every thread of the process on a set of cores. A thread that ends
// meanwhile is none of our business.
func move(set *unix.CPUSet) {
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return
	}
	for _, t := range threads {
		if id, err := strconv.Atoi(t.Name()); err == nil {
			_ = unix.SchedSetaffinity(id, set)
		}
	}
}

// threadTime returns the time that the calling thread has run, in nanoseconds, and
// false where the system does not tell.
func threadTime() (ns int64, ok bool) {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t) != nil {
		return 0, false
	}
	return t.Nano(), true
}
