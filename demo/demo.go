// Package demo shows the exchange to a newcomer. A recorded market comes back to life: makers keep the book as it was
// recorded, takers send the recorded trades, and every command goes through the whole house, gate, book and clearing, on
// a thread of its own, while somebody at the other end sees the events and nothing else.
//
//	recording ──> writer ──> script        every command, and when it is due
//	                            │
//	                         courier ──> port ──> hot thread ──> events
//	                            ^                                  │
//	                            └──────────── courier <────────────┘
//	                                             │
//	                                    view ──> a line a second, and a Report
//
// Words: a maker keeps levels of the book, a taker sends recorded trades, each with an account of his own; a source reports
// a price to the index; the script is all that they will send; a quote is a recorded best bid and ask; a pool is the money that
// stands for a position, of which the ledger is kept by the events alone; a check is something that must hold and is looked at.
//
// Invariant: what happens is a function of the recording, the accounts and the seed. Engine time is recorded time, so the
// speed at which the demo plays changes the clock's figures and nothing else.
package demo

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/lockstep-exchange/lockstep/bench"
	"github.com/lockstep-exchange/lockstep/bench/latency"
	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node"
	"github.com/lockstep-exchange/lockstep/node/channel"
	"github.com/lockstep-exchange/lockstep/node/journal"
	"github.com/lockstep-exchange/lockstep/replay"
)

// Options say what is shown and how.
type Options struct {
	Rate     float64       // recorded time to a unit of the clock's: 1 is as it was; 0: as fast as makes it last about 20 s
	Max      bool          // without any pace; latency is not measured then
	Duration time.Duration // of the recording; 0: all
	Accounts int           // of takers, 1..AccountsMax
	Seed     uint64        // who trades, and with how much collateral

	Live  io.Writer     // lines while it runs; nil: none
	Every time.Duration // between two of them, whole seconds
	Log   io.Writer     // a histogram log, an interval a second; nil: none

	Data  string               // the folder of a journal, made where there is none; "": nothing is kept
	Ack   journal.Mode         // with Data: what an event waits for before it leaves
	Acks  io.Writer            // with Data: a line for each command that is acknowledged, as kept.go says; nil: none
	Room  func(msg.Storage)    // with Data: told when the disk has more or less room from now on; nil: nobody
	Found func(*node.Recovery) // with Data: told what the start has found, before anything is sent; nil: nobody

	Feed *channel.Sockets // where market data goes; nil: nowhere
}

const (
	// AccountsMax bounds the takers.
	AccountsMax = 100_000
	// lasting is how long the demo takes when nobody says how fast it should be.
	lasting = 20 * time.Second
)

// Check says what does not fit; the error is a *UsageError.
func (o *Options) Check() error {
	switch {
	case o.Rate != 0 && !(o.Rate >= 0.01 && o.Rate <= 10_000): // neither is what is no number
		return &UsageError{fmt.Sprintf("a rate of %v, expected 0.01 to 10000", o.Rate)}
	case o.Max && o.Rate != 0:
		return &UsageError{"a rate without any pace, expected one of rate and max"}
	case o.Max && o.Log != nil:
		return &UsageError{"a histogram log without any pace, expected a pace: no latency is measured with full queues"}
	case o.Duration < 0:
		return &UsageError{fmt.Sprintf("a duration of %v, expected more than 0", o.Duration)}
	case o.Data == "" && (o.Ack != journal.Fsync || o.Acks != nil):
		return &UsageError{"acknowledgements without a journal, expected a folder for it: nothing is durable without one"}
	case o.Accounts < 1 || o.Accounts > AccountsMax:
		return &UsageError{fmt.Sprintf("%d accounts, expected 1 to %d", o.Accounts, AccountsMax)}
	}
	return nil
}

// UsageError is an option out of range.
type UsageError struct{ what string }

func (e *UsageError) Error() string { return e.what }

// ExitCode is that of wrong usage.
func (e *UsageError) ExitCode() int { return 2 }

// Run plays the recording that is part of the binary and reports what happened. When ctx ends first the Report is partial
// and the error is the context's. The error is a *CheckError when a check does not hold; the Report says which.
func Run(ctx context.Context, o Options) (*Report, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	rec, err := replay.OpenBundled()
	if err != nil {
		return nil, err
	}
	d, err := load(ctx, rec, o.Duration)
	if err != nil {
		return nil, err
	}
	s, err := write(d, o.Accounts, o.Seed)
	if err != nil {
		return nil, err
	}
	return perform(ctx, s, o)
}

// perform plays a script and reports what happened, as Run does.
func perform(ctx context.Context, s *script, o Options) (*Report, error) {
	run := &run{ctx: ctx, script: s, options: o, speed: s.speed(&o)}
	if err := run.play(); err != nil {
		return nil, err
	}
	report, err := run.report()
	switch {
	case err != nil:
		return nil, err
	case report.Partial:
		return report, ctx.Err()
	}
	return report, report.unmet()
}

// speed is how fast a script is played.
func (s *script) speed(o *Options) speed {
	rate := o.Rate
	switch {
	case o.Max:
		rate = 0
	case rate == 0:
		rate = max(1, float64(s.end()-s.start())/float64(lasting))
	}
	return speed{start: s.start(), rate: rate}
}

// run is a demo under way.
type run struct {
	ctx     context.Context // when it ends, the run does
	script  *script
	options Options
	speed   speed

	probe  bench.Probe             // what an empty loop loses here
	twin   *hdrhistogram.Histogram // of the same pipeline with an empty handler; nil: not measured
	total  *hdrhistogram.Histogram // of the exchange; nil: not measured
	engine *engine.Engine
	kept   *kept      // nil without a journal
	told   *broadcast // nil without a feed
	view   *view
	status node.Status
	sent   int // requests, the opening included
	quotes int // compared
	equal  int // of these, as recorded
	begun  time.Time
	took   time.Duration // from the opening to the last event
}

const (
	probing  = 200 * time.Millisecond // how long the empty loop spins at most
	twinning = 2 * time.Second        // how long the empty handler is measured at most
	share    = 10                     // of the time that the demo lasts, either takes one part in so many
	lane     = 1 << 10                // slots
	out      = 1 << 12
)

// play measures what the machine alone does to the figures, and then lets the market run.
func (r *run) play() error {
	if r.speed.rate > 0 {
		lasts := r.speed.due(r.script.end())
		r.announce(lasts)
		r.probe = bench.NewClock().Spin(min(probing, lasts/share))
		if err := r.shadow(min(twinning, lasts/share)); err != nil {
			return err
		}
	}
	return r.trade()
}

// announce says what there will be to see.
func (r *run) announce(lasts time.Duration) {
	if r.options.Live == nil {
		return
	}
	s := r.script
	fmt.Fprintf(r.options.Live, "%s as it was recorded on %s, %.4g times as fast: %s commands in %.0f s\n", replay.BundledSymbol,
		date(s.start()).Format(time.DateOnly), r.speed.rate, group(int64(len(s.requests)-s.opening)), lasts.Seconds())
	fmt.Fprintf(r.options.Live, "first %.1f s without the exchange, to know what the machine alone costs\n",
		(min(probing, lasts/share) + min(twinning, lasts/share)).Seconds())
	fmt.Fprintf(r.options.Live, "ok/1/2/liq: positions that are safe, called once, called twice, being sold; nearest: to liquidation\n\n")
}

// shadow plays the beginning of the script to a node that answers every request with one event and does nothing else: the
// figures of the exchange mean something beside these.
func (r *run) shadow(lasting time.Duration) error {
	s := r.script
	n, err := node.New(node.Config{Handler: bench.Twin(0, s.limits), Lane: lane, Out: out, Idle: node.Spin})
	if err != nil {
		return err
	}
	until := s.opening
	for until < len(s.requests) && r.speed.due(s.requests[until].Time) < lasting {
		until++
	}
	c := r.newCourier()
	c.acks = nil // nobody's
	if err := c.connect(n); err != nil {
		return err
	}
	return r.during(n, func() {
		c.run(s.opening)
		c.since, c.interval = time.Now(), latency.NewHistogram()
		c.run(until)
		r.twin = c.interval
	})
}

// trade plays the script to the exchange, from where the journal ends if there is one.
func (r *run) trade() (err error) {
	if r.options.Feed != nil {
		if r.told, err = newBroadcast(r.script.limits, r.options.Data != ""); err != nil {
			return err
		}
	}
	r.view = newView(r.script)
	c := r.newCourier()
	c.view = r.view
	n, err := r.exchange(c)
	if err != nil {
		return err
	}
	if err := c.connect(n); err != nil {
		return err
	}
	if r.told != nil {
		if err := r.told.open(n, *r.options.Feed); err != nil {
			return errors.Join(err, n.Stop(context.Background()))
		}
	}
	audience := newAudience(&r.options, r.speed, n.Status().Ack)
	err = r.during(n, func() {
		r.told.run()
		if c.next < r.script.opening {
			c.run(r.script.opening)
		}
		r.begun = time.Now()
		c.since, c.tick = r.begun, time.Second
		if c.next > r.script.opening && c.next < len(r.script.requests) {
			c.since = r.begun.Add(-r.speed.due(r.script.requests[c.next].Time))
			c.told = time.Since(c.since)
			c.tick += c.told
		}
		if r.speed.rate > 0 {
			c.interval, c.moments, c.spare = latency.NewHistogram(), audience.moments, audience.spare
			audience.open(c.since, c.told, int64(c.next-r.script.opening))
		}
		c.run(len(r.script.requests))
		r.took = time.Since(r.begun)
		if c.moments != nil {
			c.report(time.Since(c.since))
		}
		r.status = n.Status()
	})
	r.sent, r.quotes, r.equal = c.next, c.quotes, c.equal
	failed := errors.Join(audience.close(), r.told.end())
	r.total = audience.total
	if c.acks != nil {
		failed = errors.Join(failed, c.acks.err)
	}
	return errors.Join(err, failed)
}

// exchange is the node that trades: a new one in memory, or that of the folder.
func (r *run) exchange(c *courier) (n *node.Node, err error) {
	if r.options.Data != "" {
		return r.recover(c)
	}
	if r.engine, err = engine.New(r.script.limits); err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	return node.New(node.Config{Engine: r.engine, Lane: lane, Out: out, Idle: node.Spin})
}

// newCourier is the one who sends the script and reads the events, all at once until it is given an opening.
func (r *run) newCourier() *courier {
	c := &courier{script: r.script, room: r.options.Room, ctx: r.ctx, speed: r.speed, since: time.Now(), alone: runtime.NumCPU() < 2}
	if r.options.Acks != nil {
		c.acks = &acks{out: bufio.NewWriter(r.options.Acks)}
	}
	return c
}

// connect gives it a node to send to.
func (c *courier) connect(n *node.Node) (err error) {
	c.port, c.halted = n.Port(0), n.Done()
	c.events, err = n.Reader(true)
	return err
}

// during does something while a node runs.
func (r *run) during(n *node.Node, do func()) error {
	if err := n.Start(); err != nil {
		return err
	}
	do()
	return n.Stop(context.Background())
}
