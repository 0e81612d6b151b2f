package sim

import (
	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node/journal"
	"github.com/lockstep-exchange/lockstep/ring"
)

// audit is the end of a seed: what the journal says from its genesis on is what was live, whatever the batches in which it is read.
func (w *world) audit() {
	s := &w.shard
	s.stop()
	w.watch.ledger.reconcile(s.engine)
	live := s.engine.Hash()
	if w.second != nil {
		w.second.follow(s.engine.Seq())
		w.second.compare(s.engine, "live")
	}
	s.end(false)
	whole := w.whole()
	w.note(freedSegments, !whole)
	if !whole {
		w.trace.Word(live)
		return
	}
	for _, batch := range [...]int{1, 7, 64, 512} {
		if w.finding != nil {
			return
		}
		w.repeat(batch, live)
	}
	for i := range s.states {
		if w.finding == nil {
			w.resume(&s.states[i], live)
		}
	}
	w.trace.Word(live)
}

// whole reports whether the journal is there from its first segment on.
func (w *world) whole() bool {
	return w.disk.Get(journalDir+"/1-0000000000000000.seg") != nil
}

// repeat replays the whole journal through a loop, so many commands at a time, and compares every event and the state.
func (w *world) repeat(batch int, live uint64) {
	eng, err := engine.New(w.options.Limits)
	if err != nil {
		panic(err)
	}
	lane, err := ring.NewLane[msg.Request](max(512, ring.LaneSizeMin))
	if err != nil {
		panic(err)
	}
	out, err := ring.NewRing[msg.Event](1 << 10 * max(1, int(eng.Limits().Events)/256))
	if err != nil {
		panic(err)
	}
	reader := out.Reader(true)
	loop := engine.NewLoop(eng, []*ring.Lane[msg.Request]{lane}, out)
	waits, seq, hashes := 0, msg.Seq(0), w.shard.hashes
	var digest digester
	pump := func() {
		lane.Publish()
		for waits = 0; loop.Poll(0) > 0; {
			for e := reader.Next(); e != nil; e = reader.Next() {
				digest.event(w, e)
			}
			reader.Release()
		}
		for len(hashes) > 0 && hashes[0].seq <= eng.Seq() {
			if got := eng.Hash(); got != hashes[0].hash && hashes[0].seq == eng.Seq() {
				w.find("replay", "state %016x after command %d, expected %016x as it was live", got, eng.Seq(), hashes[0].hash)
			}
			hashes = hashes[1:]
		}
	}
	found := w.read(func(c *msg.Command) {
		lane.Claim().CopyFrom(&c.Request)
		w.replays++
		seq = c.Seq
		if waits++; waits == batch {
			pump()
		}
	})
	pump()
	digest.close(w)
	if w.finding != nil {
		return
	}
	if got := eng.Hash(); got != live {
		w.find("replay", "state %016x after %d commands in batches of %d, expected %016x as it was live", got, seq, batch, live)
	}
	if found.Seq != w.watch.seq {
		w.find("acked in journal", "the journal ends at command %d, and %d was released", found.Seq, w.watch.seq)
	}
}

// state is a snapshot in memory.
type state struct {
	seq   msg.Seq
	bytes []byte
}

func stateOf(eng *engine.Engine) state {
	s := state{seq: eng.Seq()}
	eng.Snapshot(func(piece []byte) bool {
		s.bytes = append(s.bytes, piece...)
		return true
	})
	return s
}

// restore makes an engine of a snapshot.
func (s *state) restore(limits engine.Limits) (*engine.Engine, error) {
	left := s.bytes
	return engine.Restore(limits, func() []byte {
		piece := left[:min(len(left), 1<<12)]
		left = left[len(piece):]
		return piece
	})
}

// resume restores a snapshot and replays what came after it: every event and the state are those of the whole journal (D-50).
func (w *world) resume(from *state, live uint64) {
	eng, err := from.restore(w.options.Limits)
	if err != nil {
		w.find("snapshot", "the snapshot after command %d cannot be restored: %v", from.seq, err)
		return
	}
	w.reached[resumed]++
	var events []msg.Event
	w.read(func(c *msg.Command) {
		if c.Seq <= from.seq || w.finding != nil {
			return
		}
		w.replays++
		events = eng.Apply(c, events[:0])
		if got, want := digestOf(events), w.watch.digests[c.Seq-1]; got != want {
			w.find("snapshot", "command %d brings about %016x from the snapshot after command %d, and %016x was released: %s", c.Seq, got,
				from.seq, want, events[0].String())
		}
	})
	if got := eng.Hash(); w.finding == nil && got != live {
		w.find("snapshot", "state %016x from the snapshot after command %d, expected %016x", got, from.seq, live)
	}
}

// digester folds the events of a replay and compares each command's with what was released.
type digester struct {
	seq    msg.Seq
	events []msg.Event
}

func (d *digester) event(w *world, e *msg.Event) {
	if e.Seq != d.seq {
		d.close(w)
		d.seq = e.Seq
	}
	d.events = append(d.events, *e)
}

func (d *digester) close(w *world) {
	if d.seq == 0 || w.finding != nil {
		return
	}
	if got, want := digestOf(d.events), w.watch.digests[d.seq-1]; got != want {
		w.find("replay", "command %d brings about %016x, and %016x was released: %s", d.seq, got, want, d.events[0].String())
	}
	d.events = d.events[:0]
}

// read reads the journal from its genesis record on.
func (w *world) read(apply func(*msg.Command)) (end journal.Tail) {
	r, err := journal.NewReader(w.disk, journalDir)
	if err != nil {
		w.find("chain", "the journal cannot be read: %v", err)
		return end
	}
	for w.finding == nil && r.Next() {
		for i := range r.Commands() {
			apply(&r.Commands()[i])
		}
	}
	if err := r.Err(); err != nil {
		w.find("chain", "%v", err)
	}
	end = r.Tail()
	_ = r.Close() // of a simulated file that was only read
	return end
}
