//go:build amd64 || arm64

package ring

// Pause tells the core that this thread spins: PAUSE on amd64, YIELD on arm64, about 16 ns or less. It frees the pipeline
// for a sibling and leaves the loop without a storm of reordered loads when the awaited word changes. It yields no thread.
func Pause()
