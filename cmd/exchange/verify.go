package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node"
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
	Events   uint64 `json:"events"`
	Told     string `json:"told"` // the hash of all events
	State    string `json:"state"`
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
	eng, err := engine.New(r.Genesis().Limits)
	if err != nil {
		return err
	}
	drawn := con.bar(int64(r.Segments()), "verify "+v.Dir)
	told, events, err := replayJournal(con, r, eng, drawn)
	drawn.finish()
	if err != nil {
		return err
	}
	result := v.result(r, eng, told, events)
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
	if errors.Is(err, fs.ErrNotExist) {
		return nil, badUsage("%s holds no journal: expected a folder with a file GENESIS", dir)
	}
	return r, err
}

// replayJournal applies every command, holds what comes of it to the checkpoints, and counts the events.
func replayJournal(con *console, r *journal.Reader, eng *engine.Engine, drawn *bar) (told node.Chronicle, events uint64, err error) {
	var out []msg.Event
	for r.Next() {
		if err := con.ctx.Err(); err != nil {
			return told, events, err
		}
		drawn.set(int64(r.Place().Segment))
		for i := range r.Commands() {
			out = eng.Apply(&r.Commands()[i], out[:0])
			events += uint64(len(out))
			if err := told.Replay(&r.Commands()[i], out); err != nil {
				return told, events, err
			}
		}
	}
	return told, events, r.Err()
}

func (v *verifyCommand) result(r *journal.Reader, eng *engine.Engine, told node.Chronicle, events uint64) verified {
	g, tail := r.Genesis(), r.Tail()
	return verified{Dir: v.Dir, Cluster: g.Cluster, Shard: g.Shard, Currency: g.Currency, Mode: r.Segment().Mode.String(),
		Segments: r.Segments(), Frames: tail.Frame, Seq: uint64(tail.Seq), Time: int64(tail.Time), Epoch: max(tail.Epoch, r.Started()),
		Head: tail.Head.String(), File: tail.File, Offset: tail.Offset, Last: tail.Kind.String(), Torn: tail.Torn, Dropped: tail.Dropped,
		Events: events, Told: fmt.Sprintf("%016x", told.Hash()), State: fmt.Sprintf("%016x", eng.Hash())}
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
	con.printf("  events      %d, their hash %s\n", r.Events, r.Told)
	con.printf("  state       %s\n", r.State)
	return nil
}
