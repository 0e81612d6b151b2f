package demo

import (
	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node"
	"github.com/lockstep-exchange/lockstep/ring"
)

// echo is the empty handler: it stands where the exchange stands, takes requests and lays out events as the engine's loop
// does, and does nothing in between.
type echo struct {
	lanes *ring.FanIn[msg.Request]
	out   *ring.Ring[msg.Event]
	room  int
	next  msg.Command
}

// newEcho is what a node makes its handler with, for the limits of the engine whose place it takes.
func newEcho(l engine.Limits) func([]*ring.Lane[msg.Request], *ring.Ring[msg.Event]) node.Poller {
	return func(lanes []*ring.Lane[msg.Request], out *ring.Ring[msg.Event]) node.Poller {
		return &echo{lanes: ring.NewFanIn(lanes, 16), out: out, room: int(l.Events)}
	}
}

// Poll answers what waits, up to 32 requests, with one event each.
func (e *echo) Poll(fixed.Nanos) (answered int) {
	for answered < 32 && e.out.Room(e.room) {
		r := e.lanes.Next()
		if r == nil {
			break
		}
		c := &e.next
		c.Request.CopyFrom(r)
		c.Seq++
		*e.out.Claim() = msg.Event{Seq: c.Seq, Time: c.Time, Order: c.Order, Price: c.Price, Qty: c.Qty,
			Account: c.Account, Instr: c.Instr, Kind: msg.Accepted, Side: c.Side}
		answered++
	}
	if answered > 0 {
		e.lanes.Release()
		e.out.Publish()
	}
	return answered
}
