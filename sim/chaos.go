package sim

import (
	"context"
	"errors"
	"strings"
	"syscall"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/node/journal"
	"github.com/lockstep-exchange/lockstep/sim/disk"
)

// fault is a kind of what goes wrong. All are faults that are covered (D-03): whatever they do, nothing that was released may be
// lost, doubled or changed.
type fault int

const (
	killed    fault = iota // the process ends between two steps; the page cache stays
	unpowered              // the page cache ends too: of each sector that was not synced, the old or the new contents stay
	crashed                // the process ends inside a call of the disk, in recovery too; half of the time the power fails as well
	broken                 // any call of the disk fails with EIO or ENOSPC, having done half of what it was to do
	unsynced               // a sync fails: what it was to sync stays readable, counts as clean, and is not on the platter
	paused                 // the process stands still
	leapt                  // the shard's clock jumps, to and fro
	filled                 // somebody else fills the disk, for a while
	slowed                 // each sync takes a thousand times as long, for a while
	rivaled                // a second process is started beside the first
	damaged                // a copy of the disk is damaged in silence, and a start on it must notice
	cut                    // a connection breaks, at any byte of each direction
	muted                  // nothing goes through a connection any more, in one direction or in both, and nobody is told
	lulled                 // a client reads nothing for a while
	lagged                 // everything on the wire takes 300 times as long, for a while
	reborn                 // a client's process ends, and another goes on with what it has kept
	faultKinds
)

var faultNames = [faultKinds]string{"kill", "power", "crash", "io", "sync", "pause", "clock", "full", "slow", "rival", "damage", "cut", "mute", "lull", "lag", "reborn"}

func (f fault) String() string { return faultNames[f] }

// faultEvery is how many commands there are between two faults of a kind where it is on, about.
var faultEvery = [faultKinds]int{9000, 9000, 6000, 8000, 8000, 3000, 2000, 12000, 3000, 6000, 8000, 600, 3000, 3000, 3000, 1500}

const (
	roomy = 1 << 40 // bytes of a disk that nobody fills
	// forever is longer than any seed takes.
	forever = 1 << 40
)

// chaos makes faults. It looks up now and then, and what a fault has to wait for it waits for in ask, which the disk calls.
type chaos struct {
	world   *world
	due     [faultKinds]int64 // the command at which the next one comes
	strike  int               // calls until armed happens; 0: nothing is armed
	armed   fault
	only    string      // the method that it waits for; "": any
	failed  bool        // a call has failed in this life
	fullEnd fixed.Nanos // the disk is full until then; 0: it is not
	slow    fixed.Nanos // syncs are slow until then
	lag     fixed.Nanos // and the wire
	ahead   fixed.Nanos // how far the shard's clock has been ahead
}

// lookEvery is how often chaos looks up.
const lookEvery = 100 * fixed.Microsecond

func (c *chaos) plan() {
	for f := range c.due {
		c.due[f] = c.next(fault(f))
	}
	c.world.agenda.set(chaosActor, c.world.now+lookEvery)
}

func (c *chaos) next(f fault) int64 {
	every := c.world.options.Faults[f]
	if every == 0 {
		return forever
	}
	return c.world.applied + 1 + c.world.chance.Int64N(2*int64(every))
}

// act does whatever is due.
func (c *chaos) act() {
	w := c.world
	if w.healing {
		return
	}
	w.agenda.set(chaosActor, w.now+w.around(lookEvery))
	if c.full() && w.now >= c.fullEnd {
		c.empty()
	}
	for f := range c.due {
		if w.applied >= c.due[f] && w.finding == nil && c.begin(fault(f)) {
			c.due[f] = c.next(fault(f))
			w.faults[f]++
			w.trace.Word(uint64(f))
		}
	}
}

// begin begins one fault, and reports whether it could.
func (c *chaos) begin(f fault) bool {
	w := c.world
	switch f {
	case filled:
		return c.fill()
	case slowed:
		c.slow = w.now + w.around(100*fixed.Millisecond)
		return true
	case leapt:
		c.leap()
		return true
	case cut, muted, lulled, lagged, reborn:
		return w.disturb(f)
	}
	if !w.shard.up {
		return false
	}
	switch f {
	case damaged:
		return w.damage()
	case killed, unpowered:
		w.shard.end(f == unpowered)
	case crashed, broken:
		return c.arm(f, "", 1+w.chance.IntN(pick(w.chance, 3, 10, 60)))
	case unsynced:
		return c.arm(f, "Datasync", 1+w.chance.IntN(3))
	case paused:
		w.shard.frozen = w.now + w.around(pick(w.chance, fixed.Millisecond, 200*fixed.Millisecond))
	case rivaled:
		w.rival()
	}
	return true
}

func (c *chaos) arm(f fault, method string, calls int) bool {
	if c.strike > 0 {
		return false
	}
	c.armed, c.only, c.strike = f, method, calls
	return true
}

// fill makes the disk full for a while. It may have room for a spare or two yet.
func (c *chaos) fill() bool {
	if c.full() {
		return false
	}
	w := c.world
	c.fullEnd = w.now + w.around(50*fixed.Millisecond)
	free, _ := w.disk.Free(journalDir) // of a simulated disk: it cannot fail
	w.disk.SetRoom(roomy - int64(free) + w.chance.Int64N(3*w.options.Segment+1))
	return true
}

func (c *chaos) full() bool { return c.fullEnd != 0 }

// empty ends it.
func (c *chaos) empty() {
	c.fullEnd = 0
	c.world.disk.SetRoom(roomy)
}

// leap moves the shard's clock. Backwards it goes by less than it has come forward, so that a day goes on.
func (c *chaos) leap() {
	w := c.world
	by := fixed.Nanos(w.chance.Int64N(int64(pick(w.chance, fixed.Second, fixed.Hour, 30*fixed.Hour))))
	if w.percent(40) {
		if len(w.desks) > 0 && w.percent(90) { // else nobody could log in for hours
			by = min(by, fixed.Second)
		}
		w.reached[clockRanBack]++
		w.skew -= by
		return
	}
	w.skew += by
	c.ahead = max(c.ahead, w.skew)
}

// latency is how long the next sync takes.
func (c *chaos) latency() fixed.Nanos {
	w := c.world
	if w.now < c.slow {
		return w.around(1000 * w.options.Sync)
	}
	return w.around(w.options.Sync)
}

// ask is asked by the disk before each call, and says how it fails.
func (c *chaos) ask(call disk.Call) error {
	w := c.world
	if call.Name == "Rename" && strings.HasSuffix(call.File, ".spare") {
		w.shard.rolled = true
		w.reached[rolledOver]++
	}
	if c.strike == 0 || c.only != "" && c.only != call.Name || strings.HasSuffix(call.File, "LOCK") {
		return nil
	}
	if c.strike--; c.strike > 0 {
		return nil
	}
	w.note(faultInRecovery, !w.shard.up)
	w.note(faultWhileRolling, w.shard.rolled)
	if c.armed == crashed {
		panic(ended{power: w.percent(50)})
	}
	c.failed = true
	w.note(failedSync, call.Name == "Datasync" || call.Name == "Sync")
	if c.armed == broken && w.percent(30) {
		return syscall.ENOSPC
	}
	return syscall.EIO
}

// excuses reports whether an error is one of the disk, and the disk has been made to fail.
func (c *chaos) excuses(err error) bool {
	var storage *journal.StorageError
	return errors.As(err, &storage) && (c.failed || c.full())
}

// reset is the end of a life. What was armed is gone; now and then something is armed for the recovery that comes.
func (c *chaos) reset() {
	w := c.world
	c.failed, c.strike = false, 0
	if w.healing || !w.percent(40) {
		return
	}
	f := pick(w.chance, crashed, broken)
	if w.options.Faults[f] > 0 && c.arm(f, "", 1+w.chance.IntN(40)) {
		w.faults[f]++
	}
}

// rival starts a second process on the same folder. It must be refused, and change nothing (D-29).
func (w *world) rival() {
	n, _, err := w.open(w.disk, nil)
	var running *journal.Running
	if !errors.As(err, &running) {
		w.find("lock", "a second process was let in: %v", err)
		if n != nil {
			_ = n.Stop(context.Background()) // the seed is over
		}
		return
	}
	w.reached[rivalRefused]++
}
