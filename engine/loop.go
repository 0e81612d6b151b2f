package engine

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/ring"
)

// Loop runs an engine between rings: it takes requests from lanes in turn, stamps them and publishes what they bring
// about.
//
//	lane 0 ─┐                              ┌──────────> sequenced lane ─> journal
//	lane 1 ─┼─> fan-in ─> stamp Seq, Time ─┴─> Apply ─> out ring ─> replies, market data, telemetry
//	lane n ─┘   a bounded take of each
//
// It has no thread of its own, never waits and never reads a clock: who calls Poll decides to spin or to park.
type Loop struct {
	engine *Engine
	lanes  *ring.FanIn[msg.Request]
	out    *ring.Ring[msg.Event]
	events []msg.Event

	sequenced *ring.Lane[msg.Request] // to the journal; nil: there is none
	own       *ring.Lane[msg.Request] // of the node; nil: there is none
	rests     bool                    // a Maintain has been applied, and nobody has asked since

	// The last commands, by their number among all that were taken: those from applied on are still to be applied, the
	// others are kept for the day on which something breaks.
	kept           [keptMax]msg.Command
	applied, taken uint64
	foreseen       uint64 // those before it have been foreseen, or need not be
	more           int    // how many of the same message may follow the last command taken: nothing comes between
	waits          bool   // a request has left its lane, and waits for room in the journal's
	head           msg.Request
}

const (
	// takeMax is how many requests of one lane come before another's.
	takeMax = 16
	// batchMax is how many requests are taken, applied and published in one go, and those more that end a mass quote. Between cores a
	// batch costs a few trips of a line, whatever its size.
	batchMax = 32
	// aheadMax is how many commands are foreseen at a time, so that their misses overlap.
	aheadMax = 8
	// keptMax is how many commands are kept, those of the present batch included; a power of two.
	keptMax = 128
	// lastMax is how many of them are told of.
	lastMax = 64
)

// NewLoop runs e between lanes and out. The loop is from now on the only one to use e and to consume the lanes, and the
// only producer of out, which must be larger than Limits.Events; a smaller one never has room.
func NewLoop(e *Engine, lanes []*ring.Lane[msg.Request], out *ring.Ring[msg.Event]) *Loop {
	return &Loop{engine: e, lanes: ring.NewFanIn(lanes, takeMax), out: out, events: newEvents(e.limits.Events)}
}

// Record has every command from now on laid into a lane when it is stamped, before it is applied: what a journal keeps. From
// now on the loop is the only one to claim there. While that lane is full the loop takes nothing; what it has taken it applies.
func (l *Loop) Record(sequenced *ring.Lane[msg.Request]) { l.sequenced = sequenced }

// Obey has the loop take a node's own commands, those that are Kind.Own, from a lane of theirs, before all others and one at a time;
// in the other lanes they are unknown from now on. While the storage is hard it takes nothing but these.
func (l *Loop) Obey(own *ring.Lane[msg.Request]) { l.own = own }

// Rests reports whether a Maintain has been applied since it was asked last.
func (l *Loop) Rests() bool {
	rests := l.rests
	l.rests = false
	return rests
}

// Poll applies up to 32 requests that wait in the lanes, and those that end a mass quote, and publishes their events in one go. now bounds the time of the
// commands from below; a request's own stamp counts where it is later, and time never runs back (D-05). It returns how many
// it applied: 0 when nothing waits, or when there is no room for one command more or for its events.
func (l *Loop) Poll(now fixed.Nanos) (applied int) {
	if l.applied == l.taken && !(l.own != nil && l.more == 0 && l.own.Ready() && l.takeOwn(now)) && !l.take(now) {
		return 0
	}
	for ; l.applied < l.taken && l.out.Room(int(l.engine.limits.Events)); l.applied++ {
		if l.applied == l.foreseen {
			l.foresee()
		}
		l.apply(&l.kept[l.applied%keptMax])
		applied++
	}
	l.out.Publish()
	return applied
}

// take takes the next batch out of the lanes and stamps it; from then on it has its place in the sequence. It reports whether
// there was any.
func (l *Loop) take(now fixed.Nanos) bool {
	first, seq, time := l.taken, l.engine.seq, max(now, l.engine.now)
	if l.own != nil && l.engine.venue.Storage == msg.StorageHard {
		return false
	}
	for (l.more > 0 || l.taken-first < batchMax) && (l.sequenced == nil || l.sequenced.Room()) {
		r := l.next()
		if r == nil {
			l.more = 0
			break
		}
		if l.sequenced != nil && l.more == 0 && r.Follows() && !l.sequenced.RoomFor(min(msg.QuoteMax, l.sequenced.Size())) {
			l.head, l.waits = *r, true // a message begins, and the journal's lane has no room for all of it
			break
		}
		c := &l.kept[l.taken%keptMax]
		c.Request.CopyFrom(r)
		if l.own != nil && c.Kind.Own() {
			c.Kind = 0
		}
		l.more = l.followers(c)
		seq, time = seq+1, min(max(c.Time, time), MaxTime)
		c.Seq, c.Time = seq, time
		if l.sequenced != nil {
			l.sequenced.Claim().CopyFrom(&c.Request)
		}
		l.taken++
	}
	if l.taken == first {
		return false
	}
	l.lanes.Release()
	if l.sequenced != nil {
		l.sequenced.Publish()
	}
	l.foreseen = first
	if l.taken-first == 1 || !l.engine.Foresees() { // a single command has no other to overlap with
		l.foreseen = l.taken
	}
	return true
}

// next is the request that is taken next: that which waits for room, or the next one of the lanes, and while a message goes on its own.
func (l *Loop) next() *msg.Request {
	if l.waits {
		l.waits = false
		return &l.head
	}
	if l.more > 0 {
		l.lanes.Stay()
	}
	return l.lanes.Next()
}

// followers is how many may follow a command that is taken now. What a lane brings may say more for ever; a message ends.
func (l *Loop) followers(c *msg.Command) int {
	switch {
	case !c.Follows():
		return 0
	case l.more == 0:
		return msg.QuoteMax - 1
	}
	return l.more - 1
}

// takeOwn takes one command of the node's.
func (l *Loop) takeOwn(now fixed.Nanos) bool {
	if l.sequenced != nil && !l.sequenced.Room() {
		return false
	}
	c := &l.kept[l.taken%keptMax]
	c.Request.CopyFrom(l.own.Next())
	l.own.Release()
	c.Seq, c.Time = l.engine.seq+1, min(max(now, l.engine.now), MaxTime)
	if l.sequenced != nil {
		l.sequenced.Claim().CopyFrom(&c.Request)
		l.sequenced.Publish()
	}
	l.taken++
	l.foreseen = l.taken
	l.rests = l.rests || c.Kind == msg.KindMaintain
	return true
}

// foresee looks at the next commands of a batch.
func (l *Loop) foresee() {
	l.foreseen = min(l.taken, l.applied+aheadMax)
	for at := l.applied; at < l.foreseen; at++ {
		l.engine.Foresee(&l.kept[at%keptMax].Request)
	}
	for at := l.applied; at < l.foreseen; at++ {
		l.engine.Approach(&l.kept[at%keptMax].Request)
	}
}

// apply applies one command and lays its events into the out ring.
func (l *Loop) apply(c *msg.Command) {
	l.events = l.engine.Apply(c, l.events[:0])
	for i := range l.events {
		l.events[i].CopyTo(l.out.Claim())
	}
}

// Pump is Poll until the lanes are empty or out is full: the inline mode, without a thread.
func (l *Loop) Pump(now fixed.Nanos) (applied int) {
	for {
		n := l.Poll(now)
		applied += n
		if n == 0 {
			return applied
		}
	}
}

// Pending is how many commands have been taken out of the lanes and stamped, and are not applied yet: out had no room.
func (l *Loop) Pending() int { return int(l.taken - l.applied) }

// Waits reports whether a request has left its lane that is not sequenced yet: the journal's lane had no room for all of its message.
func (l *Loop) Waits() bool { return l.waits }

// Last appends the last commands that were applied, at most 64 of them, the one under way last (D-04).
func (l *Loop) Last(dst []msg.Command) []msg.Command {
	end := min(l.applied+1, l.taken)
	begin := max(end, lastMax) - lastMax
	for at := begin; at < end; at++ {
		dst = append(dst, l.kept[at%keptMax])
	}
	return dst
}

// Engine is the engine between the rings, to be read when nobody calls Poll.
func (l *Loop) Engine() *Engine { return l.engine }
