package bench

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/lockstep-exchange/lockstep/bench/latency"
	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node"
	"github.com/lockstep-exchange/lockstep/ring"
)

// The pipeline: a client on one core, the hot thread on another. The client sends
// recorded requests through a port and reads the events.
//
//	client core                         hot core
//	  send ----> lane ------------------> Poll -> engine, or nothing (the twin)
//	  see  <---- out ring <-------------- events
//
// Three ways to send:
//
//	closed   the next one when the answer to the last has been seen
//	open     each at its intended time, a pure function of its number; the latency
//	         counts from there, however late it is sent
//	flooded  as fast as the lane takes them, in batches
//
// The answer to a request is its first event: events of one command are published
// together. After every run with the engine its hash and the number of events must
// be those of the inline run.

// Sending is a way to send.
type Sending struct {
	Rate  float64 // requests a second of an open loop; 0: not open
	Flood bool    // as fast as the lane takes them
}

// Closed is a closed loop.
var Closed = Sending{}

// String returns the way in a word.
func (s Sending) String() string {
	switch {
	case s.Flood:
		return "flood"
	case s.Rate > 0:
		return fmt.Sprintf("open-%gM/s", s.Rate/1e6)
	}
	return "closed"
}

// ErrFewCores says that the machine has no two cores to spare, and a threaded
// figure would be one of its scheduler.
var ErrFewCores = errors.New("two free cores are needed")

// Pass is what one run through a pipeline came to.
type Pass struct {
	Total  *hdrhistogram.Histogram // ns, intended or real send to first event; empty of a flood
	Trace  Trace                   // the same in order
	Ns     float64                 // per request, first send to last event
	Events int
	Late   int // requests of an open loop that were sent a whole interval or more after they should have been
	Probe  Probe
	Status node.Status
}

// Pipe is one way to build a pipeline.
type Pipe struct {
	Recording *Recording
	Empty     bool // the twin: a handler that acknowledges and does nothing else
}

// laneSlots are the slots of the client's lane.
const laneSlots = 1024

// Through sends the first n requests of a recording through a fresh pipeline. It
// fails with ErrFewCores where the hot thread cannot have a core of its own.
func (h *Harness) Through(p Pipe, s Sending, n int) (*Pass, error) {
	if err := h.Context.Err(); err != nil {
		return nil, err
	}
	config := node.Config{Ports: 1, Lane: laneSlots, Out: 1 << 11, Idle: node.Spin}
	if h.Core < 0 {
		config.Float, config.Idle, config.Collect = true, node.Park, true
	} else if len(h.cores) < 2 {
		return nil, ErrFewCores
	}
	w, err := p.Recording.Fresh()
	if err != nil {
		return nil, err
	}
	base := w.engine.Seq()
	if p.Empty {
		config.Handler = Twin(base, w.engine.Limits())
	} else {
		config.Engine = w.engine
	}
	nd, err := node.New(config)
	if err != nil {
		return nil, err
	}
	reader, err := nd.Reader(true)
	if err != nil {
		return nil, err
	}
	if err := nd.Start(); err != nil {
		return nil, err
	}
	c := &client{node: nd, port: nd.Port(0), reader: reader, clock: h.clock, context: h.Context, base: base,
		requests: p.Recording.Requests[:min(n, len(p.Recording.Requests))], pause: h.pause}
	pass, err := c.measure(s, h)
	if stop := nd.Stop(context.Background()); err == nil {
		err = stop
	}
	if err != nil {
		return nil, err
	}
	if !p.Empty && len(c.requests) == len(p.Recording.Requests) {
		if hash := w.engine.Hash(); hash != p.Recording.Hash || pass.Events != p.Recording.Events {
			return nil, &DiffersError{Plan: p.Recording.Plan.Name, Driver: "pipeline", Why: fmt.Sprintf(
				"state %016x after %d events, expected %016x after %d as inline", hash, pass.Events, p.Recording.Hash, p.Recording.Events)}
		}
	}
	return pass, nil
}

// client sends requests and sees their answers, on one thread.
type client struct {
	node     *node.Node
	port     *node.Port
	reader   *node.Reader
	clock    *Clock
	context  context.Context
	base     msg.Seq // of the command before the first request
	requests []msg.Request
	pause    func()
	shares   bool // its core with the journal's thread

	took   []uint64 // ticks to the first event, by request
	seen   int      // requests answered
	own    int      // commands of the node's own that were answered between them
	last   msg.Seq  // of the last event
	events int
	waits  uint  // how often there was nothing to do
	err    error // why it gave up waiting
}

// beside returns the highest core that is not the hot thread's.
func (h *Harness) beside(hot int) int {
	last := len(h.cores) - 1
	if h.cores[last] != hot {
		return h.cores[last]
	}
	return h.cores[last-1]
}

// measure runs one way of sending on a core that is not the hot thread's.
func (c *client) measure(s Sending, h *Harness) (*Pass, error) {
	status := c.node.Status()
	if h.Core >= 0 {
		if status.Core < 0 || status.Idle != node.Spin {
			return nil, fmt.Errorf("%w: the hot thread is not pinned: %s", ErrFewCores, status.Unpinned)
		}
		raiseOn(status.Core)
		if !c.shares { // it would starve the journal's thread
			defer settle(h.beside(status.Core))()
		}
	}
	c.took = make([]uint64, len(c.requests))
	for i := range c.took { // touch the pages before the clock starts
		c.took[i] = 0
	}
	c.last = c.base
	p := &Pass{Total: latency.NewHistogram(), Status: status, Probe: c.clock.Spin(probeSpan)}
	from, started := c.clock.Read(), time.Now()
	switch {
	case s.Flood:
		c.flood()
	case s.Rate > 0:
		p.Late = c.open(s.Rate)
	default:
		c.closed()
	}
	p.Ns = c.clock.Nanos(c.clock.Read()-from) / float64(len(c.requests))
	p.Probe.Add(c.clock.Spin(probeSpan))
	p.Events = c.events
	if s.Flood || c.err != nil {
		return p, c.err
	}
	p.Trace = Trace{s.String(), started, time.Duration(p.Ns * float64(len(c.requests))), c.took}
	return p, c.clock.fill(p.Total, c.took)
}

// patience is how often a client waits between two looks at whether it waits in
// vain.
const patience = 1 << 16

// wait lets a moment pass and reports whether there is anything to wait for.
func (c *client) wait() bool {
	c.pause()
	if c.waits++; c.waits%patience != 0 {
		return true
	}
	if c.err = c.context.Err(); c.err == nil {
		c.err = c.node.Err()
	}
	return c.err == nil
}

// closed sends each request when the last one has been answered.
func (c *client) closed() {
	for i := range c.requests {
		from := c.clock.Read()
		c.port.Claim().CopyFrom(&c.requests[i])
		c.port.Publish()
		for c.seen == i {
			if !c.see(func(int) uint64 { return from }) && !c.wait() {
				return
			}
		}
	}
}

// open sends each request at its time and returns how many were late by an
// interval or more.
func (c *client) open(rate float64) (late int) {
	gap := c.clock.Nanos(1) // ns of a tick
	gap = 1e9 / rate / gap  // ticks between two requests
	start := c.clock.Read() + c.clock.Ticks(float64(100*time.Microsecond))
	intended := func(i int) uint64 { return start + uint64(float64(i)*gap) }
	sent := 0
	for c.seen < len(c.requests) {
		now, before := c.clock.Read(), sent
		for sent < len(c.requests) && intended(sent) <= now {
			slot := c.port.Claim()
			if slot == nil {
				break
			}
			slot.CopyFrom(&c.requests[sent])
			if intended(sent)+uint64(gap) <= now {
				late++
			}
			sent++
		}
		if sent != before {
			c.port.Publish()
		}
		if !c.see(intended) && sent == before && !c.wait() {
			return late
		}
	}
	return late
}

// batch is how many requests of a flood are published at once.
const batch = 32

// flood sends as fast as the lane takes requests.
func (c *client) flood() {
	sent := 0
	for c.seen < len(c.requests) {
		before := sent
		for sent < len(c.requests) && sent < before+batch {
			slot := c.port.Claim()
			if slot == nil {
				break
			}
			slot.CopyFrom(&c.requests[sent])
			sent++
		}
		if sent != before {
			c.port.Publish()
		}
		if !c.see(nil) && sent == before && !c.wait() {
			return
		}
	}
}

// see reads the events that are there and reports whether there were any. since
// is the time from which request i counts; nil where nobody counts.
func (c *client) see(since func(i int) uint64) bool {
	any := false
	for ev := c.reader.Next(); ev != nil; ev = c.reader.Next() {
		any = true
		if ev.Kind.Own() {
			c.own++
			c.last = ev.Seq
			continue
		}
		c.events++
		if ev.Seq == c.last {
			continue
		}
		c.last = ev.Seq
		if since != nil {
			i := int(ev.Seq-c.base) - 1 - c.own
			c.took[i] = c.clock.Read() - since(i)
		}
		c.seen++
	}
	if any {
		c.reader.Release()
	}
	return any
}

// twin is an engine.Loop with nothing behind it: every request is answered by an
// Accepted. It takes requests in the same groups, keeps the last of them as the
// loop does, and publishes as often.
type twin struct {
	lanes          *ring.FanIn[msg.Request]
	out            *ring.Ring[msg.Event]
	room           int
	seq            msg.Seq
	now            fixed.Nanos
	kept           [keptByTwin]msg.Command
	applied, taken uint64
}

const (
	takenByTwin = 16  // of a lane in its turn
	keptByTwin  = 128 // a power of two
	toldByTwin  = 64  // kept commands that are told of
	batchOfTwin = 32  // requests that are taken and published in one go
)

// Twin returns what a node builds its handler with: the empty twin of an engine with such limits, whose first request is
// the one after base.
func Twin(base msg.Seq, l engine.Limits) func([]*ring.Lane[msg.Request], *ring.Ring[msg.Event]) node.Poller {
	return func(lanes []*ring.Lane[msg.Request], out *ring.Ring[msg.Event]) node.Poller {
		return &twin{lanes: ring.NewFanIn(lanes, takenByTwin), out: out, room: int(l.Events), seq: base}
	}
}

// Poll is engine.Loop's, with an empty Apply.
func (t *twin) Poll(now fixed.Nanos) (applied int) {
	if t.applied == t.taken && !t.take() {
		return 0
	}
	for ; t.applied < t.taken && t.out.Room(t.room); t.applied++ {
		t.apply(&t.kept[t.applied%keptByTwin], now)
		applied++
	}
	t.out.Publish()
	return applied
}

// take takes the next batch out of the lanes.
func (t *twin) take() bool {
	first := t.taken
	for t.taken-first < batchOfTwin {
		r := t.lanes.Next()
		if r == nil {
			break
		}
		t.kept[t.taken%keptByTwin].Request.CopyFrom(r)
		t.taken++
	}
	if t.taken == first {
		return false
	}
	t.lanes.Release()
	return true
}

// apply stamps one request and acknowledges it.
func (t *twin) apply(c *msg.Command, now fixed.Nanos) {
	t.seq++
	t.now = max(c.Time, now, t.now)
	c.Seq, c.Time = t.seq, t.now
	*t.out.Claim() = msg.Event{Seq: c.Seq, Time: c.Time, Order: c.Order, Ref: c.Ref, Price: c.Price, Qty: c.Qty,
		Account: c.Account, Instr: c.Instr, Session: c.Session, Kind: msg.Accepted, Side: c.Side}
}

// Pending is how many requests have been taken and wait for room.
func (t *twin) Pending() int { return int(t.taken - t.applied) }

// Last appends the last commands, the one under way last.
func (t *twin) Last(dst []msg.Command) []msg.Command {
	under := min(t.applied+1, t.taken)
	for at := under - min(under, toldByTwin); at < under; at++ {
		dst = append(dst, t.kept[at%keptByTwin])
	}
	return dst
}

// ball is a record that fills a line together with its ready word.
type ball [7]uint64

// RoundTrip is R: a record goes over one lane to another core and comes back over
// a second one, n times. It fails with ErrFewCores where there are no two.
func (h *Harness) RoundTrip(n int) (*Pass, error) {
	if err := h.Context.Err(); err != nil {
		return nil, err
	}
	if h.Core >= 0 && len(h.cores) < 2 {
		return nil, ErrFewCores
	}
	there, err := ring.NewLane[ball](64)
	if err != nil {
		return nil, err
	}
	back, err := ring.NewLane[ball](64)
	if err != nil {
		return nil, err
	}
	procs := runtime.GOMAXPROCS(4)
	defer runtime.GOMAXPROCS(procs)
	var stop atomic.Bool
	ready, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		if h.Core >= 0 {
			defer occupy(h.Core, h.cores)()
		}
		close(ready)
		for !stop.Load() {
			b := there.Next()
			if b == nil {
				h.pause()
				continue
			}
			*back.Claim() = *b
			there.Release()
			back.Publish()
		}
	}()
	<-ready
	leave := func() {}
	if h.Core >= 0 {
		leave = settle(h.beside(h.Core))
	}
	p, err := h.serve(there, back, n)
	leave()
	stop.Store(true)
	<-gone
	return p, err
}

// pause lets a moment pass on a thread that waits.
func (h *Harness) pause() {
	if h.Core < 0 {
		runtime.Gosched()
	} else {
		ring.Pause()
	}
}

// serve plays the other end of a round trip.
func (h *Harness) serve(there, back *ring.Lane[ball], n int) (*Pass, error) {
	took := make([]uint64, n)
	for i := range took { // touch the pages before the clock starts
		took[i] = 0
	}
	p := &Pass{Total: latency.NewHistogram(), Probe: h.clock.Spin(probeSpan)}
	began := h.clock.Read()
	for i := range took {
		from := h.clock.Read()
		there.Claim()[0] = uint64(i)
		there.Publish()
		for back.Next() == nil {
			h.pause()
		}
		back.Release()
		took[i] = h.clock.Read() - from
	}
	p.Ns = h.clock.Nanos(h.clock.Read()-began) / float64(n)
	p.Probe.Add(h.clock.Spin(probeSpan))
	return p, h.clock.fill(p.Total, took)
}
