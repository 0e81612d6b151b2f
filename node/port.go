package node

import (
	"errors"
	"sync"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node/bell"
	"github.com/lockstep-exchange/lockstep/ring"
)

var (
	// ErrFull says that a port has no free slot: the hot loop is behind. Nothing was sent.
	ErrFull = errors.New("node: the port is full")
	// ErrStorage says that a port is full because the disk of the journal is: nothing is taken until there is room. Nothing was sent.
	ErrStorage = errors.New("node: the disk of the journal is full")
	// ErrStopped says that the node takes no commands any more. Nothing was sent.
	ErrStopped = errors.New("node: the node has stopped")
)

// apart keeps what one thread writes off the lines that others use.
const apart = 128

// Port is a producer's door to the hot loop. One goroutine at a time uses it. It allocates nothing.
type Port struct {
	_ [apart]byte // what the allocator puts beside it may be written by another thread

	lane *ring.Lane[msg.Request]
	node *Node

	_ [apart]byte
}

// Claim is the next free slot, to be filled in place, or nil when the port is full or the node is stopping; Err tells which.
// The producer sets every field of line 1, Time too, and line 2 where the kind uses it: the slot holds an old request.
func (p *Port) Claim() *msg.Request {
	if p.node.stopping.Load() {
		return nil
	}
	return p.lane.Claim()
}

// Room reports whether n Claims in a row would give slots. Requests that are claimed together and published at once are sequenced in a
// row where each but the last Follows.
func (p *Port) Room(n int) bool { return p.lane.RoomFor(n) }

// Size is how many slots a port has.
func (p *Port) Size() int { return p.lane.Size() }

// Publish hands over all slots claimed since the last Publish, and wakes the hot thread if it sleeps: 25 us or so then.
func (p *Port) Publish() {
	p.lane.Publish()
	p.node.hot.Wake()
}

// Now is the time with which a producer stamps its requests: once for all that it claims together.
func (p *Port) Now() fixed.Nanos { return p.node.config.Clock() }

// Err is why a Claim gave nil.
func (p *Port) Err() error {
	if p.node.stopping.Load() {
		return ErrStopped
	}
	if p.node.storage.Load() == uint32(msg.StorageHard) {
		return ErrStorage
	}
	return ErrFull
}

// Send copies one request, stamps it and publishes it. It fails with ErrFull, ErrStorage or ErrStopped, and then nothing was sent. A Send
// that runs while the node is being stopped may succeed and yet be lost: let producers end before Stop.
func (p *Port) Send(r *msg.Request) error {
	slot := p.Claim()
	if slot == nil {
		return p.Err()
	}

	slot.CopyFrom(r)
	slot.Time = p.Now()
	p.Publish()
	return nil
}

// Reader is an outlet for all events of the node, in order; with a journal in mode fsync, for those that are durable. One goroutine at
// a time uses it. It allocates nothing.
type Reader struct {
	_ [apart]byte // as in Port

	ring    *ring.Reader[msg.Event]
	node    *Node
	sleeper *bell.Sleeper

	released msg.Seq // events up to this one may be read, as far as this reader has looked

	_ [apart]byte
}

// Next is the next event, or nil when there is none yet, when it may not leave yet, or when this reader was cut off. It is read in
// place and stays valid until Release; an optional reader's stays valid until the following Next or Wait.
func (r *Reader) Next() *msg.Event {
	e := r.next()
	if e != nil {
		r.ring.Take()
	}
	return e
}

// next is the next event that may leave, left where it is.
func (r *Reader) next() *msg.Event {
	e := r.ring.Peek()
	if e == nil || e.Seq > r.released && !r.mayLeave(e.Seq) {
		return nil
	}
	return e
}

// mayLeave looks how far events may be read by now.
func (r *Reader) mayLeave(seq msg.Seq) bool {
	r.released = r.node.released()
	return seq <= r.released
}

// Release gives back every event read so far, and wakes the hot thread where it waits for room.
func (r *Reader) Release() {
	r.ring.Release()
	r.node.hot.Wake()
}

// Lost reports whether this reader, an optional one, was too slow and has been cut off.
func (r *Reader) Lost() bool { return r.ring.Lost() }

// Wait sleeps until there is an event to read and reports true; or false when there will be none: the node has stopped and
// all is read that may leave, or this reader was cut off and has read what it held. Whoever would rather spin calls Next.
//
//	for r.Wait() {
//		for e := r.Next(); e != nil; e = r.Next() {
//			...
//		}
//		r.Release()
//	}
func (r *Reader) Wait() bool {
	for r.next() == nil && !r.over() {
		r.sleeper.Sleep(func() bool { return r.next() != nil || r.over() })
	}
	return r.next() != nil
}

// WaitShared is Wait for a reader that several goroutines use in turn, each with l held; while it sleeps l is free.
func (r *Reader) WaitShared(l sync.Locker) bool {
	look := func() bool {
		l.Lock()
		defer l.Unlock()
		return r.next() != nil || r.over()
	}
	for r.next() == nil && !r.over() {
		l.Unlock()
		r.sleeper.Sleep(look)
		l.Lock()
	}
	return r.next() != nil
}

// Sleep sleeps, in a wait of the caller's (bell.Sleeper.SleepIn), unless there is an event to read or none will come any more.
func (r *Reader) Sleep(wait func(fd int)) {
	r.sleeper.SleepIn(wait, func() bool { return r.next() != nil || r.over() })
}

// Over reports whether there is nothing to read and nothing will come any more.
func (r *Reader) Over() bool { return r.over() && r.next() == nil }

// Relieve lets a goroutine read in the place of the one that sleeps in WaitShared, with the same lock held: use is called, and that one
// sleeps on unless use leaves something. It saves a wake where who has sent a command stays for what comes of it.
func (r *Reader) Relieve(use func()) {
	r.sleeper.Relieve(use, func() bool { return r.next() != nil || r.over() })
}

// over reports whether nothing more will be published for this reader.
func (r *Reader) over() bool { return r.node.finished.Load() || r.ring.Lost() }
