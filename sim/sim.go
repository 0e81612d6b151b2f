// Package sim is the world from a seed: an exchange, those who trade on it, and everything that can go wrong with disk and process,
// in one goroutine with a clock of its own. Equal options give equal worlds, step by step, on every machine.
//
//	seed ──Draw──> Options ──Run──> Result: commands, faults, rare states, a trace hash; perhaps a Finding
//
//	clients ══ lanes ══> shard: loop, journal, recovery, as they ship ══> watch: what was released, and whether it may be so
//	                       │
//	                     disk of sim/disk: forgets, tears, fails, runs full                 chaos: kills, pauses, power losses
//
// The shard is what ships, driven by steps; the world around it is what is simulated. A seed has two phases: safety, in which faults
// come, and heal, in which they have stopped and everyone must get an answer. docs/SIMULATION.md says what is injected, what is
// checked, and how a finding is read.
package sim

import (
	"fmt"
	"strings"

	"github.com/lockstep-exchange/lockstep/msg"
)

// Result is what a seed came to.
type Result struct {
	Options  Options
	Commands int64 // applied, in all lives
	Replays  int64 // applied again, by recoveries and checks
	Seq      msg.Seq
	Trace    uint64 // of every step
	Faults   [faultKinds]int64
	Reached  [sometimesCount]int64
	Finding  *Finding // nil: nothing was found
}

// Finding is a promise that was broken.
type Finding struct {
	Seed    uint64   `json:"seed"`
	Checker string   `json:"checker"`
	Seq     uint64   `json:"seq"`
	Where   string   `json:"where"`
	Message string   `json:"message"`
	Options string   `json:"options"`
	Repeat  string   `json:"repeat"` // the command line that finds it again
	Last    []string `json:"last"`   // the events that were released last
}

// String is the finding for a person.
func (f *Finding) String() string {
	text := fmt.Sprintf("seed %d: %s: %s\n  at      %s\n  options %s\n  repeat  %s\n  released last", f.Seed, f.Checker, f.Message, f.Where, f.Options, f.Repeat)
	return text + "\n    " + strings.Join(f.Last, "\n    ")
}

// find notes the first thing that is wrong; what comes of it later says nothing new.
func (w *world) find(checker, format string, args ...any) {
	if w.finding != nil {
		return
	}
	w.finding = &Finding{Seed: w.options.Seed, Checker: checker, Seq: uint64(w.shard.seq()), Where: w.shard.where(),
		Message: fmt.Sprintf(format, args...), Options: w.options.String(), Repeat: w.options.Command(), Last: w.watch.tail()}
}

// Run runs one seed to its end. It uses one goroutine and no clock.
func Run(o Options) Result {
	w := newWorld(o)
	w.run()
	return Result{Options: o, Commands: w.applied, Replays: w.replays, Seq: w.watch.seq, Trace: w.trace.Sum(), Faults: w.faults, Reached: w.reached,
		Finding: w.finding}
}
