//go:build !linux

package bench

import "runtime"

func allowed() []int { return nil }

// Pin ties the calling goroutine to a thread; this system is not asked for a core.
func Pin(int) (letGo func(), said string) {
	runtime.LockOSThread()
	return runtime.UnlockOSThread, "not pinned"
}

func aside(int) {}
