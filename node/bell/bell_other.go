//go:build !linux

package bell

import "time"

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

// hear blocks the goroutine until the bell has rung or limit is over.
func (b bell) hear(limit time.Duration) {
	if limit < 0 {
		<-b.rung
		return
	}
	t := time.NewTimer(limit)
	defer t.Stop()
	select {
	case <-b.rung:
	case <-t.C:
	}
}

// descriptor is none.
func (b bell) descriptor() int { return -1 }

// clear hears the bell if it has rung.
func (b bell) clear() {
	select {
	case <-b.rung:
	default:
	}
}

// close rings once more, for whoever has not noticed yet.
func (b bell) close() { b.ring() }
