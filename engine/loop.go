package engine

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/ring"
)

// Loop runs an engine between rings: it takes requests from lanes in turn, stamps them and publishes what they bring
// about.
//
//	lane 0 ─┐
//	lane 1 ─┼─> fan-in ─> stamp Seq, Time ─> Apply ─> out ring ─> replies, market data, telemetry
//	lane n ─┘   a bounded take of each
//
// It has no thread of its own, never waits and never reads a clock: who calls Poll decides to spin or to park.
type Loop struct {
	engine *Engine
	lanes  *ring.FanIn[msg.Request]
	out    *ring.Ring[msg.Event]
	next   msg.Command // the command that is being applied
	events []msg.Event
}

const (
	// takeMax is how many requests of one lane come before another's.
	takeMax = 16
	// batchMax is how many commands one Poll applies at most.
	batchMax = 32
)

// NewLoop runs e between lanes and out. The loop is from now on the only one to use e and to consume the lanes, and the
// only producer of out, which must be larger than Limits.Events; a smaller one never has room.
func NewLoop(e *Engine, lanes []*ring.Lane[msg.Request], out *ring.Ring[msg.Event]) *Loop {
	return &Loop{engine: e, lanes: ring.NewFanIn(lanes, takeMax), out: out, events: make([]msg.Event, 0, e.limits.Events)}
}

// Poll applies up to 32 requests that wait in the lanes and publishes their events in one go. now bounds the time of the
// commands from below; a request's own stamp counts where it is later, and time never runs back (D-05). It returns how
// many it applied: 0 when nothing waits, or when out has no room for the events of one command more.
func (l *Loop) Poll(now fixed.Nanos) (applied int) {
	for applied < batchMax && l.out.Room(int(l.engine.limits.Events)) {
		r := l.lanes.Next()
		if r == nil {
			break
		}
		l.apply(r, now)
		applied++
	}
	if applied > 0 {
		l.lanes.Release()
		l.out.Publish()
	}
	return applied
}

// apply stamps one request, applies it and lays its events into the out ring.
func (l *Loop) apply(r *msg.Request, now fixed.Nanos) {
	c := &l.next
	c.Request.CopyFrom(r)
	c.Seq, c.Time = l.engine.seq+1, max(r.Time, now, l.engine.now)
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

// Engine is the engine between the rings, to be read when nobody calls Poll.
func (l *Loop) Engine() *Engine { return l.engine }
