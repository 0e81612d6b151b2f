package node

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node/journal"
	"github.com/lockstep-exchange/lockstep/ring"
)

// The hot thread. It polls; when there is nothing to do it pauses and polls again; when there has been nothing for long it
// may sleep:
//
//	poll ──did something──> wake readers, poll
//	  │ nothing
//	PAUSE, up to 20,000 times ──> poll
//	  │ still nothing, and Park
//	raise the flag, poll once more ──did something──> lower the flag, go on
//	  │ nothing
//	sleep until a producer publishes, a reader releases, the journal has written, or Stop
//
// A node that is joined (Join) works for its companion between two polls, and sleeps in its wait.
//
// The second look is a poll like any other, so it sees whatever a poll sees: new requests, and room that a slow reader has
// made for events.

// pollsMax is how often the hot thread polls in vain before it sleeps: about 0.4 ms, ten times what a wake costs.
const pollsMax = 20_000

// run is the life of the hot thread. It is never unlocked from its goroutine, so it ends with it, its mask of cores too.
func (n *Node) run(running chan<- struct{}) {
	runtime.LockOSThread()
	n.stay.pin()
	close(running)
	defer n.end()
	n.trade()
}

// trade polls until the node is told to stop and the lanes are empty, or the journal has failed.
func (n *Node) trade() {
	idle := 0
	for !n.broken.Load() {
		busy := n.poll()
		if n.companion != nil && n.step() {
			busy = true
		}
		if busy {
			idle = 0
			continue
		}
		if n.stopping.Load() && n.drained() {
			return
		}
		if idle++; idle < pollsMax || n.config.Idle == Spin {
			ring.Pause()
			continue
		}
		idle = 0
		n.rest(func() bool { return n.poll() || n.broken.Load() || n.stopping.Load() && n.drained() })
	}
}

// rest sleeps unless look finds something to do.
func (n *Node) rest(look func() bool) {
	if n.companion == nil {
		n.hot.Sleep(look)
		return
	}
	n.hot.SleepIn(func(bell int) {
		n.aside = true
		n.companion.Sleep(bell)
		n.aside = false
	}, func() bool { return look() || n.step() })
}

// step lets the companion work.
func (n *Node) step() bool {
	n.aside = true
	did := n.companion.Step()
	n.aside = false
	return did
}

// Companion is work that the hot thread does besides (L-30): sockets, say, so that nothing is handed over between who reads a socket and who
// trades. Its panic is that of the process, as it would be on a thread of its own.
type Companion interface {
	Step() bool     // a bounded piece of it, without waiting; reports whether there was anything to do
	Sleep(bell int) // waits until there is something to do for Step, or bell, a descriptor, can be read; or a while
}

// Join lets the hot thread work for a companion too, before Start.
func (n *Node) Join(c Companion) { n.companion = c }

// poll does one batch, wakes the journal's thread and the readers that sleep and may have something to read, and reports whether
// there was anything to do.
func (n *Node) poll() bool { return n.pollAt(0) > 0 }

// pollAt is poll with a bound on the time of the commands from below; it returns how many were applied.
func (n *Node) pollAt(now fixed.Nanos) int {
	applied := n.poller.Poll(now)
	if applied == 0 {
		return 0
	}

	seq := uint64(0)
	if n.loop != nil {
		seq = uint64(n.loop.Engine().Seq())
		n.applied.Store(seq)
	}
	if n.thread != nil {
		n.thread.Wake()
	}
	if n.loop != nil && n.loop.Rests() {
		runtime.GC()
	}
	if !n.gated || uint64(n.journal.Durable()) >= seq {
		n.wakeReaders()
	}
	return applied
}

func (n *Node) wakeReaders() {
	for _, r := range n.readers {
		r.sleeper.Wake()
	}
}

// drained reports whether nothing waits, neither in the lanes nor between them and the engine.
func (n *Node) drained() bool {
	if n.loop != nil && n.loop.Pending() > 0 {
		return false
	}
	if n.own != nil && n.own.Ready() {
		return false
	}
	if n.journal != nil && n.journal.Mark() == journal.Hard {
		return true // what waits has no room, and was not taken
	}
	if n.loop != nil && n.loop.Waits() {
		return false
	}
	for _, l := range n.lanes {
		if l.Ready() {
			return false
		}
	}
	return true
}

// end tells everyone that the hot thread is gone, and keeps what there is to know when it did not end by itself.
func (n *Node) end() {
	if cause := recover(); cause != nil {
		if n.aside { // no invariant of the engine's is broken; and the companion may hold what others would wait for without end
			panic(cause)
		}
		n.fault = n.inquire(cause)
	}
	n.stopping.Store(true)
	n.endJournal()
	n.finished.Store(true)
	n.wakeReaders()
	close(n.done)
}

// Halt is the end of a hot loop by a broken invariant. Nothing that the engine holds can be trusted any more, and nothing
// of the last batch has been published.
type Halt struct {
	Cause any           // what the panic said
	Stack []byte        // where
	Seq   msg.Seq       // the command during which it happened; 0 with a Handler, as all below
	Hash  uint64        // the hash of the state as it was left
	Whole bool          // Hash could be computed
	Last  []msg.Command // the last commands, at most 64, the one under way last
}

// Error says what broke, at which command, and in which state.
func (h *Halt) Error() string {
	hash := "a state that has no hash"
	if h.Whole {
		hash = fmt.Sprintf("state %016x", h.Hash)
	}
	return fmt.Sprintf("node: halted at command %d with %s, %d commands kept: %v", h.Seq, hash, len(h.Last), h.Cause)
}

// inquire collects what there is to know about a panic. It trusts nothing: what breaks again is left out.
func (n *Node) inquire(cause any) *Halt {
	h := &Halt{Cause: cause, Stack: debug.Stack()}
	if n.loop != nil {
		attempt(func() { h.Last = n.loop.Last(nil) })
		h.Seq = n.config.Engine.Seq()
		h.Whole = attempt(func() { h.Hash = n.config.Engine.Hash() })
	}
	return h
}

// attempt reports whether f came through without a panic.
func attempt(f func()) (whole bool) {
	defer func() { whole = recover() == nil }()
	f()
	return
}
