package demo

import (
	"context"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/lockstep-exchange/lockstep/bench/latency"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node"
	"github.com/lockstep-exchange/lockstep/replay"
	"github.com/lockstep-exchange/lockstep/ring"
)

// courier is the outside world on one thread: it sends each command when it is due and reads what comes back. One thread
// does both because on two cores the hot loop has the other one; a third would only take turns with these.
//
//	script --> due? --> port --> hot thread --> reader --> latency, view, quotes
//
// A command is due at a time that follows from its recorded time alone. Latency counts from there, whether the courier was
// in time or not, to the reading of its first event; so a stall of any part of it is in the figure (open loop).
type courier struct {
	script *script
	port   *node.Port
	events *node.Reader
	halted <-chan struct{} // closed when the hot thread has ended
	ctx    context.Context // when it ends, somebody wants the courier to end here
	deaf   bool            // nobody hears the acks any more
	view   *view           // what comes back; nil: nobody looks
	speed  speed
	since  time.Time // when the market opened
	alone  bool      // the only core: waiting is for the hot thread to run

	next     int     // request to be sent
	answered int     // requests of which an event was read
	seen     msg.Seq // of the last event read; a journaled exchange has commands of its own between the requests
	quotes   int     // of the script that are compared
	room     func(msg.Storage)
	acks     *acks // what was read is written down; nil: it is not
	equal    int   // of these, how many were as recorded

	interval *hdrhistogram.Histogram // nil: latency is not measured
	moments  chan<- moment           // nil: nobody listens
	spare    <-chan *hdrhistogram.Histogram
	tick     time.Duration // when the next moment is due
	told     time.Duration // when the last one was
	survey   survey
}

// speed is how recorded time becomes time on the clock.
type speed struct {
	start fixed.Nanos // recorded
	rate  float64     // recorded time to a unit of the clock's; 0: everything is due at once
}

// due is when something recorded at a time is due, counted from the opening.
func (s speed) due(at fixed.Nanos) time.Duration {
	if s.rate == 0 {
		return 0
	}
	return time.Duration(float64(at-s.start) / s.rate)
}

// moment is what the courier tells once a second.
type moment struct {
	from, to time.Duration // since the opening
	recorded fixed.Nanos
	commands int64 // so far, since the opening
	latency  *hdrhistogram.Histogram
	bid, ask replay.Level
	mark     fixed.Ticks
	interest fixed.Lots
	rejects  int64
	rungs    rungs
	fund     fixed.Money
	funding  fixed.Money // paid by accounts
	near     distances
}

// batch is how many commands are sent, or events read, before the other is looked at.
const batch = 64

// run sends the requests up to a place in the script and reads until all of them are answered. When it is told to stop, it
// reads the answers to what was sent. It ends early when the hot thread does.
func (c *courier) run(until int) {
	for {
		if c.deaf || c.ctx.Err() != nil {
			until = c.next
		}
		sent, read := c.send(until), c.read()
		if c.moments != nil {
			c.tell()
		}
		if sent+read > 0 {
			continue
		}
		if c.answered == c.next && c.next == until {
			c.complete()
			c.acknowledge()
			return
		}
		select {
		case <-c.halted:
			return
		default:
			c.wait()
		}
	}
}

// send hands over what is due, as far as the lane has room.
func (c *courier) send(until int) (sent int) {
	now := time.Since(c.since)
	for c.next < until && sent < batch && c.speed.due(c.script.requests[c.next].Time) <= now {
		slot := c.port.Claim()
		if slot == nil {
			break
		}
		slot.CopyFrom(&c.script.requests[c.next])
		c.next++
		sent++
	}
	if sent > 0 {
		c.port.Publish()
	}
	return sent
}

// read takes in the events that are there. When there are no more, those of the last command are complete.
func (c *courier) read() (read int) {
	for read < batch {
		ev := c.events.Next()
		if ev == nil {
			if read > 0 {
				c.complete()
				c.acknowledge()
			}
			break
		}
		c.take(ev)
		if c.acks != nil {
			c.acks.fold(ev)
		}
		read++
	}
	if read > 0 {
		c.events.Release()
	}
	return read
}

// take takes in one event.
func (c *courier) take(ev *msg.Event) {
	if ev.Seq != c.seen {
		c.complete()
		c.seen = ev.Seq
		if !ev.Kind.Own() {
			c.answered++
			c.record(ev)
		}
	}
	if ev.Kind == msg.StorageChanged && c.room != nil {
		c.room(ev.StorageStep().To)
	}
	if c.view != nil {
		c.view.fold(ev)
	}
}

// record notes how long a command took to its first event.
func (c *courier) record(ev *msg.Event) {
	if c.interval != nil {
		took := time.Since(c.since) - c.speed.due(ev.Time)
		c.interval.RecordValue(min(max(int64(took), latency.Lowest), latency.Highest))
	}
}

// complete ends the events of a command; where the recording says what should be best now, it is compared.
func (c *courier) complete() {
	if c.acks != nil {
		c.acks.complete()
	}
	if c.view == nil {
		return
	}
	c.view.settle()
	for c.quotes < len(c.script.quotes) && c.script.quotes[c.quotes].after <= c.answered {
		q := &c.script.quotes[c.quotes]
		if c.view.best(msg.Buy) == q.bid && c.view.best(msg.Sell) == q.ask {
			c.equal++
		}
		c.quotes++
	}
}

// acknowledge hands over the acks of what is complete.
func (c *courier) acknowledge() {
	if c.acks == nil {
		return
	}
	c.acks.flush()
	c.deaf = c.acks.err != nil
}

// wait passes the time until something is due or comes back.
func (c *courier) wait() {
	if c.view != nil {
		c.survey.step(c.view)
	}
	if c.alone {
		time.Sleep(20 * time.Microsecond)
		return
	}
	ring.Pause()
}

// tell reports a moment when it is time.
func (c *courier) tell() {
	if now := time.Since(c.since); now >= c.tick {
		c.report(now)
		c.tick += time.Second
	}
}

// report sends a moment to whoever listens, and goes on with an empty histogram.
func (c *courier) report(now time.Duration) {
	m := moment{from: c.told, to: now, recorded: c.view.now, commands: int64(c.answered - c.script.opening), latency: c.interval,
		bid: c.view.best(msg.Buy), ask: c.view.best(msg.Sell), mark: c.view.instrument.Mark, interest: c.view.interest,
		rejects: c.view.tally.kinds[msg.Rejected], rungs: c.view.stand(), fund: c.view.ladder.fund, funding: c.view.paid,
		near: c.survey.distances}
	c.told = now
	if c.interval != nil {
		select {
		case c.interval = <-c.spare:
		default:
			c.interval = latency.NewHistogram()
		}
	}
	c.moments <- m
}
