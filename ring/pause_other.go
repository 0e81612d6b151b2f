//go:build !amd64 && !arm64

package ring

// Pause tells the core that this thread spins, where there is an instruction for it; here it does nothing.
func Pause() {}
