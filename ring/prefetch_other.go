//go:build !amd64 && !arm64

package ring

// Prefetch asks for the line of a word, where there is an instruction for it; here it does nothing.
func Prefetch(word *int64) {}

// PrefetchHalf is Prefetch for half a word.
func PrefetchHalf(half *uint32) {}
