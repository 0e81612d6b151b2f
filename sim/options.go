package sim

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/node/gateway"
)

// Options are the world that a seed stands for: a swarm, in which each seed switches a random half of the faults off and draws
// every size anew, down to degenerate ones (D-65). Two runs with equal options are equal step by step.
type Options struct {
	Seed     uint64 `json:"seed"`
	Commands int    `json:"commands"` // sequenced before faults stop

	// The venue.
	Limits    engine.Limits `json:"limits"`
	Segment   int64         `json:"segment"`
	Spares    int           `json:"spares"`
	Alignment int           `json:"alignment"`
	Batch     int           `json:"batch"`
	Ahead     int           `json:"ahead"`
	Lane      int           `json:"lane"`
	Out       int           `json:"out"`
	Snapshots int64         `json:"snapshots"` // bytes of journal between two of them; below 0: none

	// The disk.
	Sync   fixed.Nanos `json:"sync"`   // how long a sync takes, about
	Sticky bool        `json:"sticky"` // the page cache cannot be dropped

	// Who trades, and how.
	Clients     int         `json:"clients"`
	Window      int         `json:"window"` // requests of a client that may be unanswered
	Instruments int         `json:"instruments"`
	Think       fixed.Nanos `json:"think"`   // between two requests of a client, about
	Timeout     fixed.Nanos `json:"timeout"` // after which a client asks again
	Lots        int64       `json:"lots"`
	Money       int64       `json:"money"` // of a deposit, in hundredths of a coin
	Width       int64       `json:"width"` // of prices around the mark, in ticks
	Calm        int         `json:"calm"`  // of 100 commands are orders and cancels
	Priced      int         `json:"priced"`
	Apart       int         `json:"apart"`
	Crash       int         `json:"crash"` // commands between two crashes of a price; 0: none
	Sweep       int         `json:"sweep"` // pools that are examined in one command at most

	// Who trades over the wire, and how it is served.
	Desks   int           `json:"desks"`
	Control bool          `json:"control"` // they have sessions of risk control
	Copies  bool          `json:"copies"`  // and drop copies
	Auditor bool          `json:"auditor"` // somebody reads everything
	Doors   int           `json:"doors"`   // lanes of the gateway
	Rows    int           `json:"rows"`    // sessions that it may have
	Retain  int           `json:"retain"`  // bytes of reports that it keeps of each
	Rates   gateway.Rates `json:"rates"`
	Delay   fixed.Nanos   `json:"delay"` // of a line, about

	// Mean commands between two faults of a kind; 0: none.
	Faults [faultKinds]int `json:"faults"`
}

// Draw is the swarm's answer to a seed.
func Draw(seed uint64, commands int) Options {
	r := rand.New(rand.NewPCG(seed, 0x53_57_41_52_4d))
	o := Options{Seed: seed, Commands: commands}
	o.Instruments = 1 + r.IntN(4)
	o.Clients = 1 + r.IntN(10)
	tight := r.IntN(3) == 0
	accounts := 2*o.Clients + 2
	o.Limits = engine.Limits{Instruments: uint32(o.Instruments + 1), Accounts: uint32(accounts + r.IntN(4)), Events: 256,
		Orders: uint32(pick(r, 64, 256, 1024)), Sessions: uint32(o.Clients + 2 + r.IntN(3))}
	if tight {
		o.Limits.Orders = uint32(8 + r.IntN(24))
		o.Limits.Levels = uint32(4 + r.IntN(12))
		o.Limits.Positions = uint32(4 + r.IntN(accounts))
		o.Limits.AccountPositions = uint32(1 + r.IntN(3))
		o.Limits.OwnerAccounts = uint32(1 + r.IntN(3))
		o.Limits.Jobs = uint32(1 + r.IntN(3))
	}
	if r.IntN(8) == 0 {
		o.Limits.Events = 1024
	}
	o.Segment = pick[int64](r, 16, 16, 64, 64, 256, 256, 1024) << 10
	o.Spares = 1 + r.IntN(3)
	o.Alignment = pick(r, 512, 512, 512, 4096)
	o.Batch = pick(r, 128, 256, 1024, 4096, 8192)
	o.Ahead = pick(r, 2, 8, 64, 256, 1024)
	o.Lane = pick(r, 2, 4, 16, 64)
	for o.Out = 512; o.Out <= int(o.Limits.Events); {
		o.Out *= 2
	}
	o.Snapshots = -1
	if r.IntN(2) == 0 {
		o.Snapshots = o.Segment * int64(1+r.IntN(4))
	}
	o.Sync = pick(r, 20*fixed.Microsecond, 100*fixed.Microsecond, 100*fixed.Microsecond, fixed.Millisecond)
	o.Sticky = r.IntN(2) == 0
	o.Window = 1 + r.IntN(8)
	o.Think = pick(r, fixed.Microsecond, 20*fixed.Microsecond, 100*fixed.Microsecond)
	o.Timeout = o.Sync * pick[fixed.Nanos](r, 4, 40, 400)
	o.Lots = pick[int64](r, 3, 20, 60)
	o.Money = pick[int64](r, 150, 900, 90_000)
	o.Width = int64(2 + r.IntN(24))
	o.Calm = pick(r, 98, 90, 80, 60)
	o.Priced = pick(r, 0, 0, 4, 15)
	o.Apart = pick(r, 0, 0, 5, 12)
	if r.IntN(2) == 0 {
		o.Crash = 500 + r.IntN(4000)
	}
	o.Sweep = pick(r, 1, 2, 256)
	for f := range o.Faults {
		if r.IntN(2) == 0 {
			o.Faults[f] = faultEvery[f]/2 + r.IntN(faultEvery[f])
		}
	}
	o.wire(r)
	return o
}

// wire draws who trades over the wire: nobody in three worlds of five. Where somebody does, each start repeats the whole journal, so there are
// fewer of them.
func (o *Options) wire(r *rand.Rand) {
	if r.IntN(5) < 3 {
		return
	}
	for _, f := range [...]fault{killed, unpowered, crashed, broken, unsynced, damaged} {
		o.Faults[f] *= 2
	}
	o.Desks = 1 + r.IntN(min(o.Clients, 3))
	o.Control, o.Copies, o.Auditor = r.IntN(2) == 0, r.IntN(2) == 0, r.IntN(3) == 0
	o.Doors = 2 + r.IntN(2)
	o.Rows = 8 * (o.Desks + 1)
	o.Limits.Sessions += uint32(o.Rows)
	o.Snapshots = -1
	o.Retain = pick(r, 400, 4<<10, 256<<10)
	if r.IntN(4) == 0 {
		o.Rates.Orders = gateway.Rate{Second: pick[int64](r, 2, 20, 400), Burst: int64(1 + r.IntN(20))}
	}
	o.Delay = pick(r, 5*fixed.Microsecond, 100*fixed.Microsecond, 2*fixed.Millisecond)
	o.Think = pick(r, 20*fixed.Microsecond, 300*fixed.Microsecond, 3*fixed.Millisecond)
}

// pick draws one of a few values.
func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

// String is what a person wants to know of the options, in one line.
func (o *Options) String() string {
	var faults []string
	for f, every := range o.Faults {
		if every > 0 {
			faults = append(faults, fmt.Sprintf("%s/%d", fault(f), every))
		}
	}
	if len(faults) == 0 {
		faults = []string{"none"}
	}
	l := &o.Limits
	return fmt.Sprintf("clients=%d window=%d instruments=%d accounts=%d orders=%d levels=%d positions=%d/%d jobs=%d events=%d "+
		"segment=%d spares=%d alignment=%d batch=%d ahead=%d lane=%d out=%d snapshots=%d sync=%d sticky=%t think=%d timeout=%d lots=%d money=%d width=%d "+
		"calm=%d priced=%d apart=%d crash=%d sweep=%d desks=%d control=%t copies=%t auditor=%t doors=%d rows=%d retain=%d rate=%d delay=%d faults: %s",
		o.Clients, o.Window, o.Instruments, l.Accounts, l.Orders, l.Levels, l.Positions, l.AccountPositions, l.Jobs, l.Events,
		o.Segment, o.Spares, o.Alignment, o.Batch, o.Ahead, o.Lane, o.Out, o.Snapshots, o.Sync, o.Sticky, o.Think, o.Timeout, o.Lots, o.Money, o.Width,
		o.Calm, o.Priced, o.Apart, o.Crash, o.Sweep, o.Desks, o.Control, o.Copies, o.Auditor, o.Doors, o.Rows, o.Retain, o.Rates.Orders.Second, o.Delay,
		strings.Join(faults, " "))
}

// Command is the line that repeats the seed.
func (o *Options) Command() string {
	return fmt.Sprintf("exchange sim --seeds 1 --commands %d --seed %d", o.Commands, o.Seed)
}
