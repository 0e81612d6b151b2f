package node

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node/journal"
)

// How an exchange is opened (D-47). Up to the epoch nothing in the folder has changed, and a start that is refused leaves it as it was.
//
//  1. the lock of the folder
//  2. the newest snapshot that holds is restored; every frame is verified, from the older one on, and the commands behind the restored
//     one go through Engine.Apply, in batches as they were written
//  3. a torn tail is cut, the epoch goes up
//  4. the last frame is written again (D-26)
//  5. what is missing of the seed is sequenced
//
// Then everything that is applied is durable, and the node may start.

// Venue is what Open opens: the folder decides whether it is a new one. Zero fields of the third part take their defaults.
type Venue struct {
	Limits   engine.Limits // of the engine; a folder keeps those with which it was begun
	Currency string        // of settlement, for people: 1 to 24 bytes
	Cluster  uint64        // numbers of the owner's choice, which keep one venue's journal from being taken for another's
	Shard    uint64

	// Seed is the commands with which the journal begins: listings, rules, accounts. What a start finds missing it sequences, so a
	// crash in the middle of the first start does no harm; a folder that began otherwise is refused. Times are the clock's. Without one,
	// a folder is taken as it is.
	Seed []msg.Command

	Ack       journal.Mode // what an event waits for; None, which promises nothing, has to be asked for by name
	Files     journal.FS   // default: the disk of the machine
	Segment   int64        // these six as in journal.Config
	Spares    int
	Alignment int
	Batch     int
	Ahead     int
	Alone     bool

	// Snapshots says after how many bytes of journal the state is written down, so that a start replays about so much at most, and that
	// older segments can be freed; 0: 512 MiB, or never where Replayed wants all commands; below 0: never. It costs a second engine in
	// memory, which follows the journal on a thread of the lowest priority; the one that trades is not stopped.
	Snapshots int64

	// Replayed, where it is not nil, is told of each command that was found, or sequenced of the seed, and of its events, which are
	// valid meanwhile: for views that are built of events, since no Reader gives these. Who asks for it has every command replayed,
	// whatever snapshots there are; where the first segments have been freed, the start is refused.
	Replayed func(*msg.Command, []msg.Event)
}

// Recovery is what a start has found and done (D-48).
type Recovery struct {
	Created  bool        `json:"created"` // there was no journal before
	Ack      string      `json:"ack"`
	Seq      msg.Seq     `json:"seq"`      // the last command, the seed's included
	Snapshot string      `json:"snapshot"` // that was restored, or nothing
	Restored msg.Seq     `json:"restored"` // the last command that it has
	Passed   []string    `json:"passed"`   // snapshots that do not hold, and why
	Commands uint64      `json:"replayed"` // commands that were replayed
	Seeded   int         `json:"seeded"`   // commands of the seed that were sequenced now
	Time     fixed.Nanos `json:"time"`     // engine time
	Epoch    uint64      `json:"epoch"`    // the number of this start
	Frame    uint64      `json:"frame"`    // the last frame
	Head     string      `json:"head"`     // its hash: the head of the chain
	State    string      `json:"state"`    // the hash of the engine
	Events   string      `json:"events"`   // the hash of all events so far
	Torn     int64       `json:"torn"`     // bytes of a write that had not finished, removed
	Dropped  int64       `json:"dropped"`  // with ack none: bytes behind what held, removed
	File     string      `json:"file"`     // where the journal goes on
	Offset   int64       `json:"offset"`
	Phases   []Phase     `json:"phases"`
}

// Phase is a part of a start.
type Phase struct {
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds"`
}

// Append appends what a start has found and done, as lines for people.
func (r *Recovery) Append(dst []byte) []byte {
	what := "recovered"
	if r.Created {
		what = "created"
	}
	dst = fmt.Appendf(dst, "%s: seq %d, time %d, epoch %d, ack %s\n", what, r.Seq, r.Time, r.Epoch, r.Ack)
	for _, wrong := range r.Passed {
		dst = fmt.Appendf(dst, "  warning   a snapshot was passed over: %s\n", wrong)
	}
	if r.Snapshot != "" {
		dst = fmt.Appendf(dst, "  restored  %s, seq %d\n", r.Snapshot, r.Restored)
	}
	dst = fmt.Appendf(dst, "  replayed  %d commands, %d of the seed sequenced\n", r.Commands, r.Seeded)
	dst = fmt.Appendf(dst, "  head      frame %d, %s\n", r.Frame, r.Head)
	dst = fmt.Appendf(dst, "  state     %s, events %s\n", r.State, r.Events)
	switch {
	case r.Torn > 0:
		dst = fmt.Appendf(dst, "  truncated %d bytes of a write that had not finished, at %s, offset %d\n", r.Torn, r.File, r.Offset)
	case r.Dropped > 0:
		dst = fmt.Appendf(dst, "  truncated %d bytes that did not hold and were never promised, at %s, offset %d\n", r.Dropped, r.File, r.Offset)
	default:
		dst = append(dst, "  truncated nothing\n"...)
	}
	words := make([]string, len(r.Phases))
	for i, p := range r.Phases {
		words[i] = fmt.Sprintf("%s %.3f", p.Name, p.Seconds)
	}
	return fmt.Appendf(dst, "  seconds   %s\n", strings.Join(words, ", "))
}

// Open opens the exchange of a folder, which must be there, or begins one: it recovers the engine from the journal and makes a node
// of it that is not running yet. c.Engine is Open's to fill in; c.Clock says how long things took. A second process
// is refused with a *journal.Running while this node is not stopped. Other errors are those of engine.New, New and
// journal.Open: *journal.Corrupt, *journal.Unknown, *journal.StorageError, *journal.Misfit; and *journal.Divergence. They name their exit codes.
func Open(dir string, v Venue, c Config) (*Node, *Recovery, error) {
	if c.Clock == nil {
		c.Clock = systemClock()
	}
	o := opening{venue: &v, clock: c.Clock}
	var err error
	if o.engine, err = engine.New(v.Limits); err != nil {
		return nil, nil, err
	}
	if err := journal.CheckSeed(o.files(), dir, v.Seed); err != nil {
		return nil, nil, err
	}
	if o.writer, err = o.journal(dir); err != nil {
		return nil, nil, err
	}
	if err = o.seed(); err == nil {
		c.shadow, err = o.shadow(dir)
	}
	if err == nil {
		c.Engine, c.journal, c.chronicle = o.engine, o.writer, o.chronicle
		var n *Node
		if n, err = New(c); err == nil {
			return n, o.done(), nil
		}
	}
	if c.shadow != nil {
		_ = c.shadow.Close()
	}
	_ = o.writer.Close() // what went wrong first counts
	return nil, nil, err
}

// opening is a start under way.
type opening struct {
	venue  *Venue
	clock  func() fixed.Nanos
	engine *engine.Engine
	writer *journal.Writer
	events []msg.Event

	chronicle journal.Chronicle
	found     Recovery
	begun     fixed.Nanos // the phase that is last
}

// journal opens the journal and replays it: steps 1 to 4.
func (o *opening) journal(dir string) (*journal.Writer, error) {
	v := o.venue
	config := journal.Config{FS: o.files(), Dir: dir, Mode: v.Ack, Segment: v.Segment, Spares: v.Spares, Alignment: v.Alignment, Batch: v.Batch, Ahead: v.Ahead, Alone: v.Alone,
		Genesis: journal.Genesis{Cluster: v.Cluster, Shard: v.Shard, Currency: v.Currency, Limits: o.engine.Limits()},
		Begins:  func(s journal.Stage) { o.begin(s.String()) }}
	if v.Replayed == nil {
		config.Restore = o.restore
	}
	w, found, err := journal.Open(config, o.apply)
	if err != nil {
		return nil, err
	}
	r := &o.found
	r.Snapshot, r.Restored, r.Passed = found.Snapshot.File, found.Snapshot.Place.Seq, found.Passed
	r.Created, r.Ack, r.Commands, r.Epoch, r.Torn, r.Dropped = found.Created, v.Ack.String(), found.Commands, found.Epoch, found.Torn, found.Dropped
	return w, nil
}

// restore makes an engine of a snapshot.
func (o *opening) restore(s *journal.Snapshot, take func() []byte) (accept func(), err error) {
	e, err := engine.Restore(o.engine.Limits(), take)
	return func() { o.engine, o.chronicle = e, s.Chronicle }, err
}

// snapshotEvery is a tail that is replayed within a few seconds.
const snapshotEvery = 512 << 20

// shadow lets a fork of the engine follow the journal from here on, if the venue has snapshots.
func (o *opening) shadow(dir string) (*journal.Shadow, error) {
	every := o.venue.Snapshots
	switch {
	case every < 0 || every == 0 && o.venue.Replayed != nil:
		return nil, nil
	case every == 0:
		every = snapshotEvery
	}
	o.begin("fork")
	return journal.NewShadow(o.files(), dir, o.engine.Fork(), o.writer.Place(), o.chronicle, every)
}

// files is the disk.
func (o *opening) files() journal.FS {
	if o.venue.Files == nil {
		return journal.Disk{}
	}
	return o.venue.Files
}

// begin ends a phase and begins another.
func (o *opening) begin(name string) {
	o.end()
	o.found.Phases = append(o.found.Phases, Phase{Name: name})
}

func (o *opening) end() {
	now := o.clock()
	if n := len(o.found.Phases); n > 0 {
		o.found.Phases[n-1].Seconds = float64(now-o.begun) / float64(fixed.Second)
	}
	o.begun = now
}

// foresee looks at commands that come next.
func (o *opening) foresee(group []msg.Command) {
	for i := range group {
		o.engine.Foresee(&group[i].Request)
	}
	for i := range group {
		o.engine.Approach(&group[i].Request)
	}
}

// groupMax is how many commands are foreseen together.
const groupMax = 8

// apply replays the commands of a frame.
func (o *opening) apply(commands []msg.Command) error {
	foresees := o.engine.Foresees()
	for group := range slices.Chunk(commands, groupMax) {
		if foresees {
			o.foresee(group)
		}
		for i := range group {
			c := &group[i]
			if err := o.began(c); err != nil {
				return err
			}
			if err := o.execute(c); err != nil {
				return err
			}
		}
	}
	return nil
}

// execute applies a command and compares what it can be compared with.
func (o *opening) execute(c *msg.Command) error {
	o.events = o.engine.Apply(c, o.events[:0])
	if err := o.chronicle.Replay(c, o.events); err != nil {
		return err
	}
	if o.venue.Replayed != nil {
		o.venue.Replayed(c, o.events)
	}
	return nil
}

// began holds the first commands to the seed.
func (o *opening) began(c *msg.Command) error {
	if uint64(c.Seq) > uint64(len(o.venue.Seed)) {
		return nil
	}
	want := o.venue.Seed[c.Seq-1].Request
	if want.Time = c.Time; c.Request != want {
		wanted := msg.Command{Seq: c.Seq, Request: want}
		return &journal.Misfit{Message: fmt.Sprintf("node: the journal begins otherwise than its seed: command %d is %v, expected %v", c.Seq, c, &wanted)}
	}
	return nil
}

// seed sequences what is missing of the seed, and makes it durable: step 5.
func (o *opening) seed() error {
	o.begin("seed")
	for from := int(o.engine.Seq()); from < len(o.venue.Seed); from = int(o.engine.Seq()) {
		now := max(o.clock(), o.engine.Now())
		for _, c := range o.venue.Seed[from:] {
			c.Seq, c.Time = o.engine.Seq()+1, min(now, engine.MaxTime)
			if !o.writer.Append(&c) {
				break
			}
			o.found.Seeded++
			if err := o.execute(&c); err != nil {
				return err
			}
		}
		o.writer.Publish()
		if err := o.writer.Flush(); err != nil {
			return err
		}
	}
	return o.writer.KeepSeed(o.venue.Seed)
}

// done sums up.
func (o *opening) done() *Recovery {
	o.begin("hash")
	r, place := &o.found, o.writer.Place()
	r.Seq, r.Time, r.State = o.engine.Seq(), o.engine.Now(), fmt.Sprintf("%016x", o.engine.Hash())
	r.Events = fmt.Sprintf("%016x", o.chronicle.Hash())
	r.Frame, r.Head, r.File, r.Offset = place.Frame, place.Head.String(), place.File, place.Offset
	o.end()
	return r
}
