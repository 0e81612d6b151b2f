//go:build !linux

package node

// bell is a channel that keeps one ring.
type bell struct{ rung chan struct{} }

func newBell() (bell, error) { return bell{make(chan struct{}, 1)}, nil }

// ring never blocks.
func (b bell) ring() {
	select {
	case b.rung <- struct{}{}:
	default:
	}
}

// hear blocks the goroutine until the bell has rung.
func (b bell) hear() { <-b.rung }

// close rings once more, for whoever has not noticed yet.
func (b bell) close() { b.ring() }
