package book

import "github.com/lockstep-exchange/lockstep/fixed"

// expiry knows when orders expire, and which resting order does so first.
//
// Words: an order is due when its time has come. The heap holds exactly the resting orders that have a time.
//
//	at    by handle    time, 0: none
//	heap  [0, count)   handles, the parent of i is (i-1)/2 and is not after it
//	place by handle    its index in the heap
//
// The order is total, time and then id, so equal histories give equal answers. Linking, unlinking and a change of time
// cost O(log count).
type expiry struct {
	at    []fixed.Nanos
	heap  []uint32
	place []uint32
	count uint32
}

func newExpiry(orders uint32) expiry {
	n := uint64(orders) + 1
	e := expiry{at: make([]fixed.Nanos, n), heap: make([]uint32, n), place: make([]uint32, n)}
	for i := range e.at {
		e.at[i], e.heap[i], e.place[i] = 0, 0, 0
	}
	return e
}

// SetExpire gives order h a time, in engine time above 0, or with 0 takes it away, and keeps the flag Expires in step.
func (s *Store) SetExpire(h uint32, at fixed.Nanos) {
	o := &s.orders[h]
	if o.Level != 0 && o.Flags&Expires != 0 {
		s.unschedule(h)
	}
	s.expiry.at[h] = at
	o.Flags &^= Expires
	if at != 0 {
		o.Flags |= Expires
	}
	if o.Level != 0 && at != 0 {
		s.schedule(h)
	}
}

// Expire is the time of order h; 0: none.
func (s *Store) Expire(h uint32) fixed.Nanos { return s.expiry.at[h] }

// Due is the resting order that expires first, the lowest id among equals, if its time is now or past; else 0.
func (s *Store) Due(now fixed.Nanos) uint32 {
	if h := s.Soonest(); h != 0 && s.expiry.at[h] <= now {
		return h
	}
	return 0
}

// Soonest is the resting order that expires first, the lowest id among equals; 0 when none has a time.
func (s *Store) Soonest() uint32 {
	if s.expiry.count == 0 {
		return 0
	}
	return s.expiry.heap[0]
}

// before is the order of the heap.
func (s *Store) before(a, b uint32) bool {
	x, y := s.expiry.at[a], s.expiry.at[b]
	return x < y || x == y && s.ID(a) < s.ID(b)
}

// schedule enters an order that has a time and now rests.
//
//go:noinline
func (s *Store) schedule(h uint32) {
	e := &s.expiry
	e.count++
	s.rise(h, e.count-1)
}

// unschedule takes out an order that rests no more: the last of the heap fills the gap.
//
//go:noinline
func (s *Store) unschedule(h uint32) {
	e := &s.expiry
	gap := e.place[h]
	e.count--
	last := e.heap[e.count]
	if last == h {
		return
	}
	if gap > 0 && s.before(last, e.heap[(gap-1)/2]) {
		s.rise(last, gap)
		return
	}
	s.sink(last, gap)
}

// rise puts h at index i or above.
func (s *Store) rise(h, i uint32) {
	e := &s.expiry
	for i > 0 {
		parent := (i - 1) / 2
		if !s.before(h, e.heap[parent]) {
			break
		}
		e.heap[i] = e.heap[parent]
		e.place[e.heap[i]] = i
		i = parent
	}
	e.heap[i], e.place[h] = h, i
}

// sink puts h at index i or below.
func (s *Store) sink(h, i uint32) {
	e := &s.expiry
	for {
		child := 2*i + 1
		if child >= e.count {
			break
		}
		if child+1 < e.count && s.before(e.heap[child+1], e.heap[child]) {
			child++
		}
		if !s.before(e.heap[child], h) {
			break
		}
		e.heap[i] = e.heap[child]
		e.place[e.heap[i]] = i
		i = child
	}
	e.heap[i], e.place[h] = h, i
}
