package main

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"syscall"

	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node/journal"
)

// verifyCommand is exchange verify: a journal from its genesis record to its last frame, and what an engine makes of it.
type verifyCommand struct {
	Dir    string `arg:"" help:"The folder of the journal. It is only read."`
	Expect string `help:"The state in which the replay has to end: 16 hexadecimal digits." placeholder:"STATE"`
}

func (v *verifyCommand) examples() []string {
	return []string{"exchange verify data", "exchange verify data --expect 3f1c5f0e9a7d2b44", "exchange verify data --json"}
}

// verified is what a journal holds when all of it is well.
type verified struct {
	Dir      string `json:"dir"`
	Cluster  uint64 `json:"cluster"`
	Shard    uint64 `json:"shard"`
	Currency string `json:"currency"`
	Mode     string `json:"mode"`
	Segments int    `json:"segments"`
	Frames   uint64 `json:"frames"`
	Seq      uint64 `json:"seq"`
	Time     int64  `json:"time"`
	Epoch    uint64 `json:"epoch"`
	Head     string `json:"head"`
	File     string `json:"file"`
	Offset   int64  `json:"offset"`
	Last     string `json:"last"` // what the last frame is
	Torn     int64  `json:"torn"`
	Dropped  int64  `json:"dropped"`
	Events   uint64 `json:"events"` // of the commands that were replayed
	Told     string `json:"told"`   // the hash of all events
	State    string `json:"state"`

	Snapshots []heldSnapshot `json:"snapshots"`
	From      string         `json:"from"` // the snapshot behind which the replay began; "": at the genesis record
}

// heldSnapshot is a snapshot beside a journal.
type heldSnapshot struct {
	File   string `json:"file"`
	Seq    uint64 `json:"seq"`
	Frame  uint64 `json:"frame"`
	State  string `json:"state"`
	Head   string `json:"head"`
	Bytes  int64  `json:"bytes"`
	Binary string `json:"binary"`
}

func heldSnapshotOf(s *journal.Snapshot) heldSnapshot {
	return heldSnapshot{s.File, uint64(s.Place.Seq), s.Place.Frame, fmt.Sprintf("%016x", s.State), s.Place.Head.String(), s.Size, s.Binary}
}

// Run reads, checks and replays the journal, and prints where that ends.
func (v *verifyCommand) Run(con *console) (err error) {
	if v.Expect != "" && (len(v.Expect) != 16 || strings.Trim(strings.ToLower(v.Expect), "0123456789abcdef") != "") {
		return badUsage("--expect is %q, expected 16 hexadecimal digits", v.Expect)
	}
	r, err := openJournal(v.Dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	check, err := beginReplay(r)
	if err != nil {
		return err
	}
	drawn := con.bar(int64(r.Segments()), "verify "+v.Dir)
	err = check.replay(con, r, drawn)
	drawn.finish()
	if err != nil {
		return err
	}
	result := v.result(r, check)
	if err := v.print(con, &result); err != nil {
		return err
	}
	if v.Expect != "" && !strings.EqualFold(v.Expect, result.State) {
		return unmet("the journal ends in state %s, expected %s", result.State, v.Expect)
	}
	return nil
}

// openJournal opens the journal of a folder to be read.
func openJournal(dir string) (*journal.Reader, error) {
	r, err := journal.NewReader(journal.Disk{}, dir)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil, badUsage("%s holds no journal: expected a folder with a file GENESIS", dir)
	}
	return r, err
}

// replaying is a journal on its way through an engine, past its snapshots.
type replaying struct {
	engine    *engine.Engine
	events    uint64
	told      journal.Chronicle
	from      string
	snapshots []journal.Snapshot                    // the oldest first
	next      int                                   // of those, the one that is to come
	upto      msg.Seq                               // the last command that is applied; 0: that of the journal
	each      func(*msg.Command, []msg.Event) error // is told of every command and its events; nil: nobody
}

// beginReplay verifies the snapshots, and makes the engine that the first command needs: where the first segments have been freed,
// that of the oldest snapshot.
func beginReplay(r *journal.Reader) (*replaying, error) {
	good, wrong := r.Snapshots()
	if len(wrong) > 0 {
		return nil, errors.Join(wrong...)
	}
	slices.Reverse(good)
	p := &replaying{snapshots: good}
	if !r.Partial() {
		var err error
		p.engine, err = engine.New(r.Genesis().Limits)
		return p, err
	}
	if len(good) == 0 {
		return nil, r.NoSnapshot()
	}
	p.from, p.next, p.told = good[0].File, 1, good[0].Chronicle
	if err := r.Load(&good[0], func(take func() []byte) (err error) {
		p.engine, err = engine.Restore(r.Genesis().Limits, take)
		return err
	}); err != nil {
		return nil, err
	}
	return p, r.Resume(good[0].Place)
}

// replay applies every command, holds what comes of it to the checkpoints, counts the events, and compares the state with that of each snapshot that it passes.
func (p *replaying) replay(con *console, r *journal.Reader, drawn *bar) error {
	var out []msg.Event
	for r.Next() {
		if err := con.ctx.Err(); err != nil {
			return err
		}
		drawn.set(int64(r.Place().Segment))
		for i := range r.Commands() {
			if p.upto != 0 && r.Commands()[i].Seq > p.upto {
				return nil
			}
			out = p.engine.Apply(&r.Commands()[i], out[:0])
			p.events += uint64(len(out))
			if err := p.told.Replay(&r.Commands()[i], out); err != nil {
				return err
			}
			if p.each == nil {
				continue
			}
			if err := p.each(&r.Commands()[i], out); err != nil {
				return err
			}
		}
		if err := p.compare(r.Place()); err != nil {
			return err
		}
	}
	if err := r.Err(); err != nil {
		return err
	}
	if p.next < len(p.snapshots) {
		s := &p.snapshots[p.next]
		return &journal.Corrupt{File: s.File, Offset: 56, Expected: fmt.Sprintf("a frame up to %d", r.Tail().Frame), Found: fmt.Sprint(s.Place.Frame)}
	}
	return nil
}

// compare holds a snapshot to the frame behind which it was taken.
func (p *replaying) compare(at journal.Place) error {
	if p.next == len(p.snapshots) || p.snapshots[p.next].Place.Frame != at.Frame {
		return nil
	}
	s := &p.snapshots[p.next]
	p.next++
	if s.Place.Head != at.Head {
		return &journal.Corrupt{File: s.File, Offset: 112, Expected: "the hash of the frame, " + at.Head.String(), Found: s.Place.Head.String()}
	}
	if got := p.engine.Hash(); got != s.State {
		return &journal.Corrupt{File: s.File, Offset: 96, Expected: fmt.Sprintf("state %016x, to which the replay has come", got), Found: fmt.Sprintf("%016x", s.State)}
	}
	return nil
}

func (v *verifyCommand) result(r *journal.Reader, p *replaying) verified {
	g, tail := r.Genesis(), r.Tail()
	held := []heldSnapshot{}
	for i := range p.snapshots {
		held = append(held, heldSnapshotOf(&p.snapshots[i]))
	}
	return verified{Dir: v.Dir, Cluster: g.Cluster, Shard: g.Shard, Currency: g.Currency, Mode: r.Segment().Mode.String(),
		Segments: r.Segments(), Frames: tail.Frame, Seq: uint64(tail.Seq), Time: int64(tail.Time), Epoch: max(tail.Epoch, r.Started()),
		Head: tail.Head.String(), File: tail.File, Offset: tail.Offset, Last: tail.Kind.String(), Torn: tail.Torn, Dropped: tail.Dropped,
		Events: p.events, Told: fmt.Sprintf("%016x", p.told.Hash()), State: fmt.Sprintf("%016x", p.engine.Hash()), Snapshots: held, From: p.from}
}

func (v *verifyCommand) print(con *console, r *verified) error {
	if con.json {
		return con.printJSON(r)
	}
	con.printf("verify %s\n", r.Dir)
	con.printf("  journal     cluster %d, shard %d, %s, mode %s\n", r.Cluster, r.Shard, r.Currency, r.Mode)
	con.printf("  commands    %d in %d frames and %d segments, the last at time %d\n", r.Seq, r.Frames, r.Segments, r.Time)
	con.printf("  epoch       %d\n", r.Epoch)
	con.printf("  head        %s\n", r.Head)
	con.printf("  ends        %s, offset %d: ", r.File, r.Offset)
	switch {
	case r.Torn > 0:
		con.printf("a torn tail of %d bytes, which the next start removes\n", r.Torn)
	case r.Dropped > 0:
		con.printf("%d bytes that do not hold and were never promised\n", r.Dropped)
	case r.Frames == 0:
		con.printf("nothing yet\n")
	default:
		con.printf("%s\n", r.Last)
	}
	for _, s := range r.Snapshots {
		con.printf("  snapshot    %s: seq %d, frame %d, %d bytes, state %s\n", s.File, s.Seq, s.Frame, s.Bytes, s.State)
	}
	if r.From != "" {
		con.printf("  begins      behind %s: older segments have been freed\n", r.From)
	}
	con.printf("  events      %d, their hash %s\n", r.Events, r.Told)
	con.printf("  state       %s\n", r.State)
	return nil
}
