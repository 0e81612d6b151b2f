package demo

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node"
	"github.com/lockstep-exchange/lockstep/ring"
)

// echo is the empty handler: it stands where the exchange stands and answers each request with one event.
type echo struct {
	lanes *ring.FanIn[msg.Request]
	out   *ring.Ring[msg.Event]
	seq   msg.Seq
}

func newEcho(lanes []*ring.Lane[msg.Request], out *ring.Ring[msg.Event]) node.Poller {
	return &echo{lanes: ring.NewFanIn(lanes, 16), out: out}
}

// Poll answers what waits, up to 32 requests, as the engine's loop does.
func (e *echo) Poll(fixed.Nanos) (answered int) {
	for answered < 32 && e.out.Room(1) {
		r := e.lanes.Next()
		if r == nil {
			break
		}
		e.seq++
		ev := e.out.Claim()
		ev.Seq, ev.Time, ev.Kind, ev.Index = e.seq, r.Time, msg.Ticked, 0
		answered++
	}
	if answered > 0 {
		e.lanes.Release()
		e.out.Publish()
	}
	return answered
}
