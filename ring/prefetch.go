//go:build amd64 || arm64

package ring

// Prefetch asks for the line of a word, into all caches, and waits for nothing: a load would hold the instructions after it back
// where the line has to come from afar. It changes nothing, and takes any address.
//
//go:noescape
func Prefetch(word *int64)

// PrefetchHalf is Prefetch for half a word.
//
//go:noescape
func PrefetchHalf(half *uint32)
