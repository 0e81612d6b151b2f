//go:build !linux

package ring

import "runtime"

// pin ties the calling goroutine to a thread.
func pin(int) { runtime.LockOSThread() }
