// Package node runs one exchange: the hot loop of an engine on a thread of its own, doors for producers, outlets for
// readers. One thread writes an engine; whoever else wants something of it sends a command through a port.
//
//	producer ──> Port ─┐                                             ┌─> Reader (required) ──> replies, tapes
//	producer ──> Port ─┼─> lanes ─> hot thread: Poll, Poll, ... ─> ring ─> Reader (required)
//	ticker   ──> Port ─┘            │        │            │          └─> Reader (optional) ──> whoever may miss something
//	               │                │ idle   │ sequenced  │ published             ^
//	               └── wakes ───────┘        v            └── wakes readers ──────┤
//	                                  journal's thread ──> disk ── durable ───────┘
//
// With a journal the node is an exchange that survives: every command is on the disk before a Reader gives what it brought about
// (durable.go). Open recovers such a one from its folder; New makes one that lives in memory.
//
// Start, in this order, because a thread that is created inherits the cores of its creator:
//
//  1. every thread of the process leaves the core of the hot thread;
//  2. the goroutine of the hot loop is tied to a thread;
//  3. that thread is pinned to its core, from which step 1 has moved all others;
//  4. GOMAXPROCS is set to the threads that spin, plus two;
//  5. the garbage collector runs once and then not while the node trades, with a memory limit as a fuse.
//
// Where the process may not pin, the node runs unpinned and Status says why. Stop undoes all of it.
//
// The hot thread reads no clock: producers stamp their requests, and the loop lets time never run back.
package node

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node/bell"
	"github.com/lockstep-exchange/lockstep/node/journal"
	"github.com/lockstep-exchange/lockstep/ring"
)

// Idle says how the hot thread waits when there is nothing to do.
type Idle uint8

const (
	Park Idle = iota // it polls 20,000 times and then sleeps until a producer wakes it: small machines and tests
	Spin             // it polls for ever, on a core that nobody else may use: benchmarks and production
)

func (i Idle) String() string {
	if i == Spin {
		return "spin"
	}
	return "park"
}

// Poller is what the hot thread drives: an engine.Loop, or what Config.Handler makes. Poll does a bounded batch, never waits,
// and returns how much it did; 0 means that it has nothing to do, or no room for the results.
type Poller interface {
	Poll(now fixed.Nanos) int
}

// Config says how a node runs; what it trades is said by commands. The zero value of each field is its default.
type Config struct {
	Engine *engine.Engine // the node's from New until Stop; nil only with Handler, and for Open to fill in
	Ports  int            // doors for producers: 1..1,023; default 1
	Lane   int            // slots of a port, a power of two up to 4,096; default 256. All lanes together hold 1 MiB at most
	Out    int            // slots of the out ring, a power of two above Limits.Events; default the smallest from twice that on, 1,024 at least, with a journal 8,192
	Idle   Idle
	Tick   time.Duration      // a Tick command this often, through a lane of its own; 0: none
	Clock  func() fixed.Nanos // stamps what Send and the ticker send; default the system's clock. Any thread may call it

	Core    int   // the core of the hot thread; 0: the highest that the process may use
	Float   bool  // leave all threads where they are
	Procs   int   // GOMAXPROCS while the node runs; 0: spinning threads plus two
	Collect bool  // leave the garbage collector alone
	Fuse    int64 // bytes at which it runs nevertheless; 0: 80 % of the memory of the machine or of its control group

	// Handler makes something else than an engine.Loop to be driven between the lanes and the ring: an empty pipeline to
	// measure against, say. It finishes what it takes within one Poll.
	Handler func([]*ring.Lane[msg.Request], *ring.Ring[msg.Event]) Poller

	// Filled in by Open.
	journal   *journal.Writer   // keeps what is sequenced; nil: nothing is kept
	chronicle journal.Chronicle // of what was told up to now
	shadow    *journal.Shadow   // follows the journal and writes snapshots, on a thread of its own; nil: there are none
}

// laneBytesMax bounds all lanes together: more would push the book out of the second-level cache.
const laneBytesMax = 1 << 20

// slotBytes is what a request takes in a lane.
const slotBytes = msg.CommandSize

// Node is one running exchange. New, Start and Stop belong to one goroutine; Status, Done and Err to any.
type Node struct {
	config    Config
	lanes     []*ring.Lane[msg.Request]
	out       *ring.Ring[msg.Event]
	poller    Poller
	loop      *engine.Loop // the poller, or nil with a Handler
	ports     []*Port
	ticks     *Port // nil without a ticker
	readers   []*Reader
	hot       *bell.Sleeper
	own       *ring.Lane[msg.Request] // the node's own commands; nil with a Handler
	saying    sync.Mutex              // of who claims there
	journal   *journal.Writer         // nil: nothing is kept
	keeper    *keeper                 // with a journal
	storage   atomic.Uint32           // the msg.Storage that is in force, as far as the keeper has read
	gated     bool                    // events wait until they are durable
	companion Companion               // nil: the hot thread does nothing else
	aside     bool                    // the hot thread works for the companion
	thread    *journal.Thread         // the journal's, from Start on

	started     bool
	inline      bool        // somebody drives it step by step
	stopping    atomic.Bool // no port takes anything any more
	broken      atomic.Bool // the journal has failed
	applied     atomic.Uint64
	finished    atomic.Bool // the hot thread has published its last event, and no more will become durable
	done        chan struct{}
	quit        chan struct{} // ends the ticker
	unfollowed  chan struct{} // ends the shadow
	ticking     sync.WaitGroup
	watching    sync.WaitGroup // for the end of the journal's thread
	unfollowing sync.Once
	following   sync.WaitGroup        // for the end of the shadow's
	doubt       atomic.Pointer[error] // that the shadow ended by
	stop        sync.Once
	cleanup     sync.Once
	stay        stay
	fault       error // why the hot thread ended before it was told to; written before done is closed
}

// New makes a node that is not running yet. It allocates lanes, ring and ports; the error names the field of c that is out
// of range. The engine may have been set up before; from now on it is the node's.
func New(c Config) (*Node, error) {
	if err := c.complete(); err != nil {
		return nil, err
	}
	n := &Node{config: c, journal: c.journal, done: make(chan struct{}), quit: make(chan struct{}), unfollowed: make(chan struct{})}
	n.gated = n.journal != nil && n.journal.Mode() == journal.Fsync
	hot, err := bell.NewSleeper()
	if err != nil {
		return nil, err
	}
	n.hot = hot
	if n.out, err = ring.NewRing[msg.Event](c.Out); err != nil {
		return nil, fmt.Errorf("node: Out: %w", err)
	}
	for range c.Ports {
		p, err := n.open()
		if err != nil {
			return nil, err
		}
		n.ports = append(n.ports, p)
	}
	if c.Tick > 0 {
		if n.ticks, err = n.open(); err != nil {
			return nil, err
		}
	}
	if c.Handler != nil {
		n.poller = c.Handler(n.lanes, n.out)
	} else {
		n.loop = engine.NewLoop(c.Engine, n.lanes, n.out)
		n.poller = n.loop
		n.applied.Store(uint64(c.Engine.Seq()))
		if n.own, err = ring.NewLane[msg.Request](ownSlots); err != nil {
			return nil, err
		}
		n.loop.Obey(n.own)
	}
	if n.journal != nil {
		n.loop.Record(n.journal.Lane())
		n.keeper = newKeeper(n, &c)
		n.storage.Store(uint32(c.Engine.Storage()))
	}
	return n, nil
}

// open makes a port with a lane of its own.
func (n *Node) open() (*Port, error) {
	lane, err := ring.NewLane[msg.Request](n.config.Lane)
	if err != nil {
		return nil, fmt.Errorf("node: Lane: %w", err)
	}
	n.lanes = append(n.lanes, lane)
	return &Port{lane: lane, node: n}, nil
}

// complete fills in the defaults and says what does not fit.
func (c *Config) complete() error {
	if (c.Engine == nil) == (c.Handler == nil) {
		return errors.New("node: expected either an Engine or a Handler")
	}
	events := 0
	if c.Engine != nil {
		events = int(c.Engine.Limits().Events)
	}
	if c.Out == 0 {
		if c.Out = 1 << 10; c.journal != nil {
			c.Out = 2 * ring.LaneSizeMax // what may be ahead of the disk
		}
		for c.Out < 2*events {
			c.Out *= 2
		}
	}
	if c.Ports == 0 {
		c.Ports = 1
	}
	if c.Lane == 0 {
		c.Lane = 256
	}
	if c.Clock == nil {
		c.Clock = systemClock()
	}
	lanes := c.Ports
	if c.Tick > 0 {
		lanes++
	}
	switch {
	case c.Ports < 1 || c.Ports > 1023:
		return fmt.Errorf("node: Ports is %d, expected 1..1023", c.Ports)
	case c.Out <= events:
		return fmt.Errorf("node: Out is %d, expected more than the %d events of one command", c.Out, events)
	case c.Lane*lanes > laneBytesMax/slotBytes:
		return fmt.Errorf("node: %d lanes of %d slots, expected %d slots together at most", lanes, c.Lane, laneBytesMax/slotBytes)
	case c.Idle > Spin:
		return fmt.Errorf("node: Idle is %d, expected Park or Spin", c.Idle)
	case c.Tick < 0:
		return fmt.Errorf("node: Tick is %v, expected 0 or more", c.Tick)
	case c.Core < 0 || c.Procs < 0 || c.Fuse < 0:
		return fmt.Errorf("node: Core %d, Procs %d, Fuse %d: expected 0 or more", c.Core, c.Procs, c.Fuse)
	}
	return nil
}

// systemClock is the time of day when it is made, carried on by the monotonic clock: it never runs back.
func systemClock() func() fixed.Nanos {
	start := time.Now()
	day := fixed.Nanos(start.UnixNano())
	return func() fixed.Nanos { return day + fixed.Nanos(time.Since(start)) }
}

// Engine is the engine of the node, to be read while it does not run; nil with a Handler.
func (n *Node) Engine() *engine.Engine { return n.config.Engine }

// Port is the i-th door for a producer, from 0.
func (n *Node) Port(i int) *Port { return n.ports[i] }

// Reader adds an outlet for events, before Start. A required one holds the exchange up when it does not release what it
// has read; an optional one is cut off instead.
func (n *Node) Reader(required bool) (*Reader, error) {
	s, err := bell.NewSleeper()
	if err != nil {
		return nil, err
	}
	r := &Reader{ring: n.out.Reader(required), node: n, sleeper: s}
	r.released = n.released()
	n.readers = append(n.readers, r)
	return r, nil
}

// Start puts the hot loop on its thread and returns when it runs there.
func (n *Node) Start() error {
	if n.started {
		return errors.New("node: started twice")
	}
	if n.inline {
		return errors.New("node: started, although it is driven step by step")
	}
	if n.stopping.Load() {
		return ErrStopped
	}

	n.started = true
	spins := n.config.Idle == Spin
	n.stay = process.enter(&n.config)
	if err := n.keep(); err != nil {
		process.leave(&n.config, n.stay)
		return err
	}
	if spins && n.stay.lonely {
		n.config.Idle = Park
	}
	running := make(chan struct{})
	go n.run(running)
	<-running
	process.settle(&n.config)
	if n.ticks != nil {
		n.ticking.Go(n.tick)
	}
	return nil
}

// tick sends a Tick at every interval until the node stops. A full lane needs none: commands are waiting.
func (n *Node) tick() {
	t := time.NewTicker(n.config.Tick)
	defer t.Stop()
	tick := msg.Tick()
	for {
		select {
		case <-n.quit:
			return
		case <-t.C:
			_ = n.ticks.Send(&tick.Request) // full or stopping: nothing is lost
		}
	}
}

// Stop closes all ports, lets the hot loop apply what was published before, ends its thread, closes the journal and undoes what
// Start did. Producers must have published what they claimed. It returns nil, or what the node ended by earlier, as Err does, or an
// error when ctx ends first, because a required reader does not release; then the node still runs and Stop may be called
// again. Afterwards readers find the remaining events, and the engine is the caller's again. A node with a journal that was
// never started gives back its folder.
func (n *Node) Stop(ctx context.Context) error {
	if !n.started && (n.inline || n.journal != nil) {
		return n.putDown()
	}
	if !n.started {
		return errors.New("node: stopped before it was started")
	}

	n.stop.Do(func() {
		n.stopping.Store(true)
		close(n.quit)
	})
	n.ticking.Wait()
	n.hot.Wake()
	select {
	case <-n.done:
	case <-ctx.Done():
		return fmt.Errorf("node: commands wait for a required reader that does not release: %w", ctx.Err())
	}
	n.watching.Wait()
	n.cleanup.Do(func() {
		process.leave(&n.config, n.stay)
		n.hot.Close()
		for _, r := range n.readers {
			r.sleeper.Close()
		}
	})
	return n.Err()
}

// Done is closed when the hot loop has ended, by Stop or by itself.
func (n *Node) Done() <-chan struct{} { return n.done }

// Err is what the hot loop ended by: a *Halt where an invariant broke, a *journal.StorageError where the disk failed; or nil
// while it runs and after a Stop.
func (n *Node) Err() error {
	select {
	case <-n.done:
		return n.fault
	default:
		return nil
	}
}

// Status is how a node runs.
type Status struct {
	Core      int    // the core of the hot thread; -1: not pinned
	Unpinned  string // why not, else ""
	Idle      Idle   // Park where Spin was asked for and there is no core to spare
	Procs     int    // GOMAXPROCS
	Collector bool   // the garbage collector runs as it likes
	Fuse      int64  // bytes at which it runs although it is off; 0: none
	Cycles    uint64 // collections since Start; not 0 with the collector off means that the fuse has blown
	Sleeps    uint64 // how often the hot thread has gone to sleep
	Running   bool

	Ack     string  // what an event waits for before a Reader gives it: "fsync"; "none"; "none, no journal"
	Epoch   uint64  // of the journal
	Applied msg.Seq // the last command that the engine has applied; 0 with a Handler
	Durable msg.Seq // the last command that is on the disk
	Spares  int     // segments that are ready
	Storage string  // how much room there is for more: "normal", "soft", "hard"

	Snapshot msg.Seq // the last command in the newest snapshot of this run; 0: there is none yet
	Missed   int     // snapshots for which there was no room
}

// Status is how the node runs now, after Start.
func (n *Node) Status() Status {
	s := n.stay.status()
	s.Idle, s.Sleeps = n.config.Idle, n.hot.Sleeps()
	s.Running = n.started && !n.finished.Load()
	s.Ack, s.Applied = "none, no journal", msg.Seq(n.applied.Load())
	if n.journal != nil {
		s.Storage = msg.Storage(n.storage.Load()).String()
		s.Spares = n.journal.Spares()
		s.Ack, s.Epoch, s.Durable = n.journal.Mode().String(), n.journal.Epoch(), n.journal.Durable()
	}
	if shadow := n.config.shadow; shadow != nil {
		s.Snapshot, s.Missed = shadow.Last().Place.Seq, shadow.Missed()
	}
	return s
}
