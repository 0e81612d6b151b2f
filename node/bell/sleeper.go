// Package bell lets a thread sleep until another has something for it.
package bell

import (
	"sync/atomic"
	"time"
)

// A sleeper is one thread that may sleep until another has something for it. How no wake is lost:
//
//	1. The sleeper raises its flag, and then looks once more at what it waits for.
//	2. A waker publishes what it has, and then looks at the flag.
//	3. Both are sequentially consistent, so at least one sees the other: either the sleeper finds something and lowers its
//	   flag, or the waker finds the flag, lowers it and rings the bell.
//	4. The bell keeps one ring until it is heard. When both saw each other, the next sleep ends at once, and its owner looks
//	   again: a wake for nothing is allowed, a lost one is not.

// apart keeps the flag, which all wakers read, off the lines that others write.
const apart = 128

// Sleeper is one sleeper: one thread sleeps, any may wake it.
type Sleeper struct {
	_      [apart]byte
	asleep atomic.Bool
	_      [apart]byte
	sleeps atomic.Uint64
	bell   bell
}

// NewSleeper makes an awake sleeper. It fails when the system gives no more file descriptors.
func NewSleeper() (*Sleeper, error) {
	b, err := newBell()
	if err != nil {
		return nil, err
	}
	return &Sleeper{bell: b}, nil
}

// Sleep sleeps until Wake, unless look finds something once the flag is up.
func (s *Sleeper) Sleep(look func() bool) { s.SleepFor(-1, look) }

// SleepFor is Sleep for no longer than limit; a negative one is none. On Linux it counts in milliseconds, rounded up.
func (s *Sleeper) SleepFor(limit time.Duration, look func() bool) {
	s.asleep.Store(true)
	if look() {
		s.asleep.Store(false)
		return
	}

	s.sleeps.Add(1)
	s.bell.hear(limit)
	s.asleep.Store(false)
}

// SleepIn is Sleep in a wait of the caller's, who waits for other things too: it ends when the descriptor it is given can be read, or when it
// likes. Where bells are no descriptors it is given -1.
func (s *Sleeper) SleepIn(wait func(fd int), look func() bool) {
	s.asleep.Store(true)
	if look() {
		s.asleep.Store(false)
		return
	}

	s.sleeps.Add(1)
	wait(s.bell.descriptor())
	s.asleep.Store(false)
	s.bell.clear()
}

// Asleep reports whether it sleeps or is about to.
func (s *Sleeper) Asleep() bool { return s.asleep.Load() }

// Sleeps is how often it has gone to sleep.
func (s *Sleeper) Sleeps() uint64 { return s.sleeps.Load() }

// Wake wakes the sleeper if it sleeps or is about to. It costs one load when it is awake.
func (s *Sleeper) Wake() {
	if s.asleep.Load() && s.asleep.CompareAndSwap(true, false) {
		s.bell.ring()
	}
}

// Relieve does work in the place of a sleeper, which stays asleep: nobody rings meanwhile. Afterwards the sleeper is woken where look finds
// something that was left. It is for one goroutine at a time.
func (s *Sleeper) Relieve(work func(), look func() bool) {
	asleep := s.asleep.CompareAndSwap(true, false)
	work()
	if !asleep {
		return
	}
	s.asleep.Store(true)
	if look() {
		s.Wake()
	}
}

// Close gives back what the system lent. A sleeper that has not noticed yet wakes up.
func (s *Sleeper) Close() { s.bell.close() }
