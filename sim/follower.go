package sim

import (
	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node/journal"
)

// A follower is somebody outside who has repeated the journal from its genesis on, before older segments were freed: an engine that has
// never been restored from anything. Where recoveries begin with a snapshot, it says what they come to.
type follower struct {
	world  *world
	engine *engine.Engine
	events []msg.Event
}

func newFollower(w *world) *follower {
	eng, err := engine.New(w.options.Limits)
	if err != nil {
		panic(err)
	}
	return &follower{world: w, engine: eng}
}

// follow repeats what it has not, up to a command that is durable.
func (f *follower) follow(upto msg.Seq) {
	w := f.world
	w.watch.again = f.engine.Seq()
	if upto <= f.engine.Seq() || w.finding != nil {
		return
	}
	r, err := journal.NewReader(w.disk, journalDir)
	if err == nil {
		err = r.Seek(f.engine.Seq() + 1)
	}
	if err != nil {
		w.find("chain", "command %d cannot be read: %v", f.engine.Seq()+1, err)
		return
	}
	defer func() { _ = r.Close() }() // of a simulated file that was only read
	for f.engine.Seq() < upto && r.Next() {
		for i := range r.Commands() {
			if c := &r.Commands()[i]; c.Seq <= upto {
				f.repeat(c)
			}
		}
		if w.finding != nil {
			return
		}
	}
	if f.engine.Seq() != upto {
		w.find("chain", "the journal ends at command %d, expected %d: %v", f.engine.Seq(), upto, r.Err())
	}
}

func (f *follower) repeat(c *msg.Command) {
	w := f.world
	if c.Seq != f.engine.Seq()+1 {
		w.find("chain", "the journal has command %d after command %d", c.Seq, f.engine.Seq())
		return
	}
	f.events = f.engine.Apply(c, f.events[:0])
	w.replays++
	w.watch.replayed(c.Seq, f.events)
}

// compare holds another engine, which has applied as many commands, to its own state.
func (f *follower) compare(eng *engine.Engine, how string) {
	if f.world.finding != nil {
		return
	}
	if got, want := eng.Hash(), f.engine.Hash(); eng.Seq() != f.engine.Seq() || got != want {
		f.world.find("snapshot", "%s: command %d and state %016x, expected command %d and state %016x", how, eng.Seq(), got, f.engine.Seq(), want)
	}
}
