//go:build !linux

package bench

import "runtime"

// allowed knows no cores on this system.
func allowed() []int { return nil }

// occupy ties the calling goroutine to its thread; this system is not asked for a
// core.
func occupy(int, []int) (leave func()) {
	runtime.LockOSThread()
	return runtime.UnlockOSThread
}

// settle is occupy on this system.
func settle(core int) (leave func()) { return occupy(core, nil) }

// raiseOn does nothing on this system.
func raiseOn(int) {}

// raised is never true on this system.
func raised() bool { return false }

// threadTime is not told by this system.
func threadTime() (ns int64, ok bool) { return 0, false }

// yield gives way to whoever else may run.
func yield() { runtime.Gosched() }
