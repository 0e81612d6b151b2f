package node

import "sync/atomic"

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

type sleeper struct {
	_      [apart]byte
	asleep atomic.Bool
	_      [apart]byte
	sleeps atomic.Uint64
	bell   bell
}

// newSleeper makes an awake sleeper. It fails when the system gives no more file descriptors.
func newSleeper() (*sleeper, error) {
	b, err := newBell()
	if err != nil {
		return nil, err
	}
	return &sleeper{bell: b}, nil
}

// sleep sleeps until wake, unless look finds something once the flag is up.
func (s *sleeper) sleep(look func() bool) {
	s.asleep.Store(true)
	if look() {
		s.asleep.Store(false)
		return
	}

	s.sleeps.Add(1)
	s.bell.hear()
	s.asleep.Store(false)
}

// wake wakes the sleeper if it sleeps or is about to. It costs one load when it is awake.
func (s *sleeper) wake() {
	if s.asleep.Load() && s.asleep.CompareAndSwap(true, false) {
		s.bell.ring()
	}
}

// close gives back what the system lent. A sleeper that has not noticed yet wakes up.
func (s *sleeper) close() { s.bell.close() }
