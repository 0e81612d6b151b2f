package sim

import (
	"context"
	"fmt"
	"runtime/debug"

	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node"
	"github.com/lockstep-exchange/lockstep/node/journal"
)

// The shard is the process under test: a node that ships, opened and driven step by step (D-60). What the simulator adds is who steps
// when, and what is lost when the process ends.
//
//	clients ──> ports ──> poll ──> lane of the journal ──> write ──durable──┐
//	                       │                                 ^ prepare      v
//	                       └──────────> out ring ─────────────────────> release ──> watch
//
// A life begins with start, which recovers, and ends with a kill, a power loss or an error of the disk. Nothing in memory is
// carried from one life to the next.

const journalDir = "/journal"

type shard struct {
	world   *world
	life    int
	up      bool
	frozen  fixed.Nanos // nothing steps before it
	node    *node.Node
	step    node.Inline
	reader  *node.Reader
	engine  *engine.Engine
	stalled bool    // the loop cannot go on before somebody makes room
	rolled  bool    // a spare has been taken
	durable msg.Seq // as the steps of the journal say
	epoch   uint64  // of the last start that succeeded
	hashes  []hashAt
	hashed  msg.Seq // the last of them
	states  []state // snapshots that were taken while it was live
}

// hashAt is the live state after a command.
type hashAt struct {
	seq  msg.Seq
	hash uint64
}

const (
	// hashEvery is how many commands are applied between two hashes of the live state, at least.
	hashEvery = 500
	// sealAfter is when the journal looks whether there is something to seal.
	sealAfter = 10 * fixed.Millisecond
	// prepareEvery is how often the room on the disk is looked at.
	prepareEvery = 20 * fixed.Millisecond
)

// ended is the panic by which a process ends inside a call of the disk.
type ended struct{ power bool }

// guard runs one step. A process that ends inside it has ended; a panic of the shard is a finding.
func (s *shard) guard(step func()) {
	defer func() {
		switch cause := recover().(type) {
		case nil:
		case ended:
			s.world.reached[crashInCall]++
			s.end(cause.power)
		default:
			s.world.find("panic", "%v\n%s", cause, debug.Stack())
		}
	}()
	step()
}

// seq is the last command that the shard has applied, in this life or the one before it.
func (s *shard) seq() msg.Seq {
	if s.engine == nil {
		return 0
	}
	return s.engine.Seq()
}

// paused puts a step off while the process is frozen, and forgets it when the process has ended.
func (s *shard) paused(actor int) bool {
	if s.world.now >= s.frozen {
		return !s.up
	}
	s.world.agenda.set(actor, s.frozen)
	return true
}

// open opens the exchange on a disk; replayed is told of every command that is found.
func (w *world) open(files journal.FS, replayed func(*msg.Command, []msg.Event)) (*node.Node, *node.Recovery, error) {
	o := &w.options
	venue := node.Venue{Limits: o.Limits, Currency: "USDC", Cluster: 1, Shard: 1, Files: files, Segment: o.Segment, Spares: o.Spares,
		Alignment: o.Alignment, Batch: o.Batch, Ahead: o.Ahead, Alone: true, Snapshots: o.Snapshots}
	if w.second == nil {
		venue.Replayed = replayed
	}
	return node.Open(journalDir, venue, node.Config{Ports: len(w.clients) + o.Doors, Lane: o.Lane, Out: o.Out, Collect: true, Float: true,
		Clock: func() fixed.Nanos { return w.now + w.skew }})
}

// start begins a life: it recovers what the disk holds.
func (s *shard) start() {
	w := s.world
	if s.up {
		return
	}
	s.life++
	s.frozen = 0
	w.watch.rewind()
	n, found, err := w.open(w.files, func(c *msg.Command, events []msg.Event) {
		w.replays++
		w.watch.replayed(c.Seq, events)
	})
	if err != nil {
		s.refused(err)
		return
	}
	s.node, s.step, s.engine = n, n.Inline(), n.Engine()
	if s.reader, err = n.Reader(true); err != nil {
		panic(err)
	}
	var heard *node.Reader
	if w.options.Desks > 0 {
		if heard, err = n.Reader(true); err != nil {
			panic(err)
		}
	}
	s.up, s.stalled = true, false
	s.recovered(found)
	if heard != nil && w.finding == nil {
		w.gate.begin(n, heard)
	}
}

// refused is a start that did not succeed. Only a disk that has failed, or is full, may stop one.
func (s *shard) refused(err error) {
	w := s.world
	if !w.chaos.excuses(err) {
		w.find("recovery", "the shard does not start: %v", err)
		return
	}
	w.reached[failedStart]++
	s.end(false)
}

// recovered holds a recovery to what was promised: nothing that was released is gone, and the epoch has grown.
func (s *shard) recovered(found *node.Recovery) {
	w, seq := s.world, s.engine.Seq()
	switch {
	case found.Epoch <= s.epoch:
		w.find("epoch", "start %d has epoch %d, the one before had %d", s.life, found.Epoch, s.epoch)
	case found.Seq != seq:
		w.find("recovery", "the journal ends at command %d, and the engine is at %d", found.Seq, seq)
	}
	if w.second != nil {
		w.second.follow(seq)
		w.second.compare(s.engine, "recovered from "+found.Snapshot)
	}
	if w.watch.again != seq {
		w.find("recovery", "the journal ends at command %d, and %d were repeated", seq, w.watch.again)
	}
	s.compare(seq)
	w.note(restoredSnapshot, found.Snapshot != "")
	s.epoch, s.durable = found.Epoch, seq
	s.cut(seq)
	w.reached[recoveries]++
	w.note(tornTail, found.Torn > 0)
	w.note(recoveredMany, found.Commands > 1000)
	w.watch.recovered(seq)
	w.agenda.set(preparerActor, w.now+1)
	w.agenda.set(shadowActor, w.now+1)
	w.agenda.set(journalActor, w.now+sealAfter)
	w.agenda.set(hotActor, w.now+1)
	w.trace.Word(uint64(seq))
	w.trace.Word(s.epoch)
	for _, c := range w.clients {
		c.connected()
	}
}

// end ends the life of the process. power says that the page cache ends too.
func (s *shard) end(power bool) {
	w := s.world
	if s.up {
		w.note(ranAhead, s.engine.Seq() > s.durable)
	}
	s.up, s.node, s.reader = false, nil, nil
	for _, actor := range [...]int{hotActor, journalActor, preparerActor, shadowActor, outletActor} {
		w.agenda.drop(actor)
	}
	if power {
		w.reached[powerLosses]++
		w.disk.PowerLoss(w.chance)
	} else {
		w.disk.Kill()
	}
	w.chaos.reset()
	w.gate.end(power)
	for _, c := range w.clients {
		c.cut()
	}
	w.agenda.set(starterActor, w.now+w.around(pick(w.chance, fixed.Microsecond, 10*fixed.Millisecond)))
}

// stop ends the process in order: what waits is made durable, and released.
func (s *shard) stop() {
	if err := s.node.Stop(context.Background()); err != nil {
		s.world.find("storage", "the shard does not stop: %v", err)
		return
	}
	s.durable = s.engine.Seq()
	s.release()
}

// poll is a step of the hot thread.
func (s *shard) poll() {
	w := s.world
	if s.paused(hotActor) {
		return
	}
	n := s.step.Hot(0)
	w.trace.Word(uint64(n))
	if s.stalled = n == 0 && !s.step.Idle(); s.stalled {
		w.reached[stalledLoop]++
	}
	if n == 0 {
		return // whoever publishes or makes room wakes it
	}
	w.applied += int64(n)
	s.bounds()
	s.record()
	if s.durable >= s.engine.Seq() { // the journal has been faster, since the out ring had no room
		w.agenda.set(outletActor, w.now+1)
		w.gate.wake()
	}
	w.agenda.set(hotActor, w.now+w.around(fixed.Microsecond))
	w.agenda.set(journalActor, w.now+w.chaos.latency())
}

// bounds holds the loop to how far it may be ahead of the disk (D-09).
func (s *shard) bounds() {
	if ahead := int64(s.engine.Seq()) - int64(s.durable); ahead > int64(s.world.options.Ahead) {
		s.world.find("limits", "the loop is %d commands ahead of the disk, expected %d at most", ahead, s.world.options.Ahead)
	}
}

// record keeps the hash of the state now and then, and less often all of it.
func (s *shard) record() {
	seq := s.engine.Seq()
	if seq < s.hashed+hashEvery {
		return
	}
	s.hashed = seq
	s.hashes = append(s.hashes, hashAt{seq, s.engine.Hash()})
	due, _ := s.engine.NextDue()
	busy := due == s.engine.Now() // work is left over
	if s.world.percent(8) || busy && s.world.percent(30) {
		s.states = append(s.states, stateOf(s.engine))
		s.world.note(keptWaiting, busy)
	}
}

// write is a step of the journal's thread.
func (s *shard) write() {
	w := s.world
	if s.paused(journalActor) {
		return
	}
	n, err := s.step.Journal(w.now)
	w.trace.Word(uint64(n))
	if err != nil {
		s.broken(err)
		return
	}
	s.durable += msg.Seq(n)
	w.note(batchOfOne, n == 1)
	stalled := n == 0 && s.durable < s.engine.Seq()
	w.note(stalledJournal, stalled)
	if s.rolled || stalled {
		s.rolled = false
		w.agenda.set(preparerActor, w.now+w.chaos.latency())
	}
	if n > 0 {
		w.agenda.set(outletActor, w.now+1)
		w.gate.wake()
	}
	w.agenda.set(hotActor, w.now+1) // the node may have said something itself
	switch {
	case n > 0 && !s.step.Idle():
		w.agenda.set(journalActor, w.now+w.chaos.latency())
	case n > 0:
		w.agenda.set(journalActor, w.now+sealAfter)
	}
}

// prepare is a step of the thread that makes spare segments.
func (s *shard) prepare() {
	w := s.world
	if s.paused(preparerActor) {
		return
	}
	made, err := s.step.Prepare()
	if err != nil {
		s.broken(err)
		return
	}
	w.agenda.set(journalActor, w.now+1)
	if made {
		w.agenda.set(preparerActor, w.now+w.chaos.latency())
		return
	}
	w.agenda.set(preparerActor, w.now+prepareEvery)
}

// shadow is a step of the thread that writes snapshots.
func (s *shard) shadow() {
	w := s.world
	if s.paused(shadowActor) || w.second == nil {
		return
	}
	w.second.follow(s.durable) // before a segment is freed
	did, err := s.step.Shadow()
	switch {
	case err != nil && !w.chaos.excuses(err):
		w.find("snapshot", "the shadow ended without a fault of the disk: %v", err)
	case err != nil:
		w.reached[shadowFailed]++
		s.end(w.percent(20))
	case did:
		w.agenda.set(shadowActor, w.now+w.chaos.latency()/4)
	default:
		w.agenda.set(shadowActor, w.now+5*fixed.Millisecond)
	}
}

// broken is a disk that has failed: the process ends, and what it had not released it never will.
func (s *shard) broken(err error) {
	w := s.world
	if !w.chaos.excuses(err) {
		w.find("storage", "the journal ended without a fault of the disk: %v", err)
		return
	}
	w.reached[storageErrors]++
	n, again := s.step.Journal(w.now)
	if applied := s.step.Hot(0); n != 0 || again == nil || applied != 0 {
		w.find("storage", "the node went on after %v: %d commands durable, %d applied, %v", err, n, applied, again)
	}
	s.release()
	s.end(w.percent(20))
}

// release is a step of whoever lets events out: none above what is durable (D-32).
func (s *shard) release() {
	w := s.world
	if s.paused(outletActor) {
		return
	}
	count := 0
	for e := s.reader.Next(); e != nil; e = s.reader.Next() {
		if e.Seq > s.durable {
			w.find("release", "%s is released, and %d is durable", e.String(), s.durable)
			return
		}
		w.watch.event(e)
		count++
	}
	w.watch.close()
	s.reader.Release()
	if count > 0 {
		w.agenda.set(hotActor, w.now+1)
	}
}

// compare holds a replay that has ended to the hash of the life that it repeats, where there is one for its last command.
func (s *shard) compare(seq msg.Seq) {
	for i := range s.hashes {
		if at := &s.hashes[i]; at.seq == seq {
			if got := s.engine.Hash(); got != at.hash {
				s.world.find("replay", "state %016x after command %d, expected %016x as it was live", got, seq, at.hash)
			}
		}
	}
}

// cut forgets the hashes and snapshots of commands that are gone.
func (s *shard) cut(seq msg.Seq) {
	for len(s.hashes) > 0 && s.hashes[len(s.hashes)-1].seq > seq {
		s.hashes = s.hashes[:len(s.hashes)-1]
	}
	for len(s.states) > 0 && s.states[len(s.states)-1].seq > seq {
		s.states = s.states[:len(s.states)-1]
	}
	s.hashed = seq
}

// where says how far everything is, for a finding.
func (s *shard) where() string {
	state := "up"
	if !s.up {
		state = "down"
	}
	return fmt.Sprintf("life %d, %s, command %d, durable %d, released %d", s.life, state, s.seq(), s.durable, s.world.watch.seq)
}
