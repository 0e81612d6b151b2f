package ring

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// cores are those that this process may use, read before any thread is pinned.
var cores = func() (may unix.CPUSet) {
	_ = unix.SchedGetaffinity(0, &may) // none, and nothing is pinned
	return may
}()

// pin ties the calling goroutine to a thread and that thread to the n-th core this process may use, where it may.
func pin(n int) {
	runtime.LockOSThread()
	for cpu := 0; cpu < 8*len(cores)*8 && n >= 0; cpu++ {
		if !cores.IsSet(cpu) {
			continue
		}
		if n == 0 {
			var one unix.CPUSet
			one.Set(cpu)
			_ = unix.SchedSetaffinity(0, &one) // an unpinned run is a noisier one
		}
		n--
	}
}
