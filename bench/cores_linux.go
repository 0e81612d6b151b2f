package bench

import (
	"os"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// allowed returns the cores that the calling thread may use, in ascending order. It
// is to be asked before threads are moved.
func allowed() (cores []int) {
	var set unix.CPUSet
	if unix.SchedGetaffinity(0, &set) != nil {
		return nil
	}
	for i, left := 0, set.Count(); left > 0; i++ {
		if set.IsSet(i) {
			cores = append(cores, i)
			left--
		}
	}
	return cores
}

// occupy ties the calling goroutine to its thread and that to a core, and moves all
// other threads of the process to the rest of the cores, where there are others.
// Where the system forbids it, it does what it can.
func occupy(core int, cores []int) (leave func()) {
	runtime.LockOSThread()
	var all, others, one unix.CPUSet
	for _, c := range cores {
		all.Set(c)
	}
	others = all
	one.Set(core)
	if others.Clear(core); others.Count() > 0 {
		move(&others)
	}
	if unix.SchedSetaffinity(0, &one) != nil {
		move(&all)
		return runtime.UnlockOSThread
	}
	lower := raise(unix.Gettid())
	return func() {
		lower()
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
	lower := raise(unix.Gettid())
	return func() {
		lower()
		if unix.SchedSetaffinity(0, &before) == nil {
			runtime.UnlockOSThread()
		}
	}
}

// highest is the priority of a thread that measures: other work on its core gets
// about a hundredth of the time.
const highest = -20

// raise gives a thread the highest priority, where the system permits it.
func raise(thread int) (lower func()) {
	before, err := unix.Getpriority(unix.PRIO_PROCESS, thread)
	if err != nil || unix.Setpriority(unix.PRIO_PROCESS, thread, highest) != nil {
		return func() {}
	}
	// The system call answers 20 minus the priority, so that no answer is negative.
	return func() { _ = unix.Setpriority(unix.PRIO_PROCESS, thread, 20-before) }
}

// raiseOn gives the highest priority to the threads that may run on one core alone.
// They keep it until they end.
func raiseOn(core int) {
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return
	}
	for _, t := range threads {
		var set unix.CPUSet
		id, err := strconv.Atoi(t.Name())
		if err == nil && unix.SchedGetaffinity(id, &set) == nil && set.Count() == 1 && set.IsSet(core) {
			raise(id)
		}
	}
}

// raised reports whether this process may raise a priority.
func raised() bool {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
	if err != nil || unix.Setpriority(unix.PRIO_PROCESS, 0, highest) != nil {
		return false
	}
	return unix.Setpriority(unix.PRIO_PROCESS, 0, 20-before) == nil
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

// yield gives way to whoever else may run on this core.
func yield() { _, _, _ = unix.Syscall(unix.SYS_SCHED_YIELD, 0, 0, 0) }

// threadTime returns the time that the calling thread has run, in nanoseconds, and
// false where the system does not tell.
func threadTime() (ns int64, ok bool) {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t) != nil {
		return 0, false
	}
	return t.Nano(), true
}
