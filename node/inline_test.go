package node

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node/journal"
	"github.com/lockstep-exchange/lockstep/sim/disk"
)

// stepped is a node on one goroutine, and what it released.
type stepped struct {
	*Node
	Inline
	reader *Reader
	found  *Recovery
}

func step(t *testing.T, v Venue, c Config) *stepped {
	t.Helper()
	n, found, err := Open(folder, v, c)
	if err != nil {
		t.Fatal(err)
	}
	r, err := n.Reader(true)
	if err != nil {
		t.Fatal(err)
	}
	return &stepped{n, n.Inline(), r, found}
}

// read takes what may leave.
func (s *stepped) read(each func(*msg.Event)) {
	for e := s.reader.Next(); e != nil; e = s.reader.Next() {
		each(e)
	}
	s.reader.Release()
}

// settle steps until there is nothing to do.
func (s *stepped) settle(t *testing.T, each func(*msg.Event)) {
	t.Helper()
	for !s.Idle() {
		s.Hot(0)
		if _, err := s.Journal(0); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Prepare(); err != nil {
			t.Fatal(err)
		}
		s.read(each)
	}
	s.read(each)
}

// Steps in any order, ended by power losses anywhere: what was released is found again with the same events, and no request is taken
// twice when its sender goes on behind what was found.
func TestStepsInAnyOrder(t *testing.T) { // D-01, D-27, D-60
	rounds := 40
	if testing.Short() {
		rounds = 6
	}
	requests := day(17, 4_000)
	starts, kept, lost := 0, 0, 0
	for seed := range uint64(rounds) {
		chance := rand.New(rand.NewPCG(seed, 3))
		files, told, clock := disk.New(1<<30), map[msg.Seq]uint64{}, fixed.Nanos(0)
		v, c := venue(files), quiet()
		v.Segment, v.Ahead = 32<<10, 1<<(2+chance.IntN(7))
		c.Lane = 1 << (1 + chance.IntN(8))
		c.Clock = func() fixed.Nanos { clock += fixed.Nanos(chance.IntN(3)); return clock }
		sent := 0
		for sent < len(requests) {
			own := 0
			v.Replayed = func(command *msg.Command, events []msg.Event) {
				if command.Kind.Own() {
					own++
					return
				}
				if hash, ok := told[command.Seq]; ok && hash != digest(events) {
					t.Fatalf("seed %d: command %d brings about other events than those that were released", seed, command.Seq)
				}
			}
			s := step(t, v, c)
			starts++
			for seq := range told {
				if seq > s.found.Seq {
					t.Fatalf("seed %d: command %d was released, and the journal ends with %d", seed, seq, s.found.Seq)
				}
			}
			lost += sent - (int(s.found.Seq) - own)
			sent = int(s.found.Seq) - own
			for life := 1 + chance.IntN(3_000); life > 0 && sent < len(requests); life-- {
				switch chance.IntN(4) {
				case 0:
					if slot := s.Port(0).Claim(); slot != nil {
						slot.CopyFrom(&requests[sent])
						s.Port(0).Publish()
						sent++
					}
				case 1:
					s.Hot(0)
				case 2:
					if _, err := s.Journal(clock); err != nil {
						t.Fatal(err)
					}
				case 3:
					if _, err := s.Prepare(); err != nil {
						t.Fatal(err)
					}
				}
				var events []msg.Event
				s.read(func(e *msg.Event) {
					if e.Seq > s.Status().Durable {
						t.Fatalf("seed %d: %v is released, durable is %d", seed, e, s.Status().Durable)
					}
					if len(events) > 0 && events[0].Seq != e.Seq {
						told[events[0].Seq] = digest(events)
						events = events[:0]
					}
					events = append(events, *e)
				})
				if len(events) > 0 {
					told[events[0].Seq] = digest(events)
				}
			}
			files.PowerLoss(chance)
		}
		kept += len(told)
	}
	t.Logf("%d starts: %d commands were released and kept, %d were sent again", starts, kept, lost)
	if lost == 0 || starts < 2*rounds {
		t.Error("no power loss ever took anything along")
	}
}

func digest(events []msg.Event) uint64 {
	var d fixed.Digest
	for i := range events {
		events[i].Hash(&d)
	}
	return d.Sum()
}

// Every 4,096 commands the hash of what was told is sequenced, and a replay compares; a command that was changed behind its back is found.
func TestCheckpoints(t *testing.T) { // D-40, D-41
	files := disk.New(1 << 30)
	requests := day(5, 30_000)
	checkpoints := 0
	s := step(t, venue(files), quiet())
	for i := range requests {
		if err := s.Port(0).Send(&requests[i]); err != nil {
			s.settle(t, func(e *msg.Event) {
				if e.Kind == msg.Checkpointed {
					checkpoints++
				}
			})
			if err := s.Port(0).Send(&requests[i]); err != nil {
				t.Fatal(err)
			}
		}
	}
	s.settle(t, func(e *msg.Event) {
		if e.Kind == msg.Checkpointed {
			checkpoints++
		}
	})
	if want := len(requests) / journal.CheckpointEvery; checkpoints != want {
		t.Errorf("%d checkpoints, expected %d", checkpoints, want)
	}
	hash := s.keeper.chronicle.Hash()
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err == nil {
		t.Error("started after it was driven step by step")
	}
	s = step(t, venue(files), quiet())
	if s.found.Events != fmt.Sprintf("%016x", hash) {
		t.Errorf("the hash of the events is %s, expected %016x", s.found.Events, hash)
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}

	// The same commands to an engine that does something else with one of them.
	r, err := journal.NewReader(files, folder)
	if err != nil {
		t.Fatal(err)
	}
	e, err := engine.New(limits)
	if err != nil {
		t.Fatal(err)
	}
	var found *journal.Divergence
	var c journal.Chronicle
	for r.Next() && found == nil {
		for i := range r.Commands() {
			command := r.Commands()[i]
			if command.Seq == 6_000 {
				command.Request = msg.Tick().Request
				command.Time = e.Now()
			}
			if err := c.Replay(&r.Commands()[i], e.Apply(&command, nil)); errors.As(err, &found) {
				break
			}
		}
	}
	if err := errors.Join(r.Err(), r.Close()); err != nil {
		t.Fatal(err)
	}
	if found == nil || found.Said.Upto != 2*journal.CheckpointEvery || found.ExitCode() != 7 {
		t.Errorf("found %v, expected a divergence at the second checkpoint", found)
	}
}

// A journal whose events this binary does not repeat is refused before anything is changed.
func TestDivergenceRefusesToStart(t *testing.T) { // D-41, D-47
	files := disk.New(1 << 30)
	v := venue(files)
	w, _, err := journal.Open(journal.Config{FS: files, Dir: folder, Segment: v.Segment,
		Genesis: journal.Genesis{Cluster: v.Cluster, Shard: v.Shard, Currency: v.Currency, Limits: exchange(t).Limits()}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	wrong := msg.SetCheckpoint(msg.Checkpoint{Upto: 4096, Hash: 1})
	wrong.Seq = 1
	w.Append(&wrong)
	w.Publish()
	if err := errors.Join(w.Flush(), w.Close()); err != nil {
		t.Fatal(err)
	}
	before := files.Clone()
	var found *journal.Divergence
	if _, _, err := Open(folder, v, quiet()); !errors.As(err, &found) || found.ExitName() != "divergence" {
		t.Errorf("opened with %v", err)
	}
	for _, name := range []string{"EPOCH", "2-0000000000000000.seg"} {
		if string(before.Get(folder+"/"+name)) != string(files.Get(folder+"/"+name)) {
			t.Errorf("%s has changed", name)
		}
	}
}

// The disk fills up: first risk is refused, then nothing is taken; when there is room, all goes on by itself. What was acknowledged is
// kept through all of it, also by a start in the middle.
func TestStorageFillsUp(t *testing.T) { // D-51, D-52, D-53
	files := disk.New(1 << 30)
	v := venue(files)
	v.Segment, v.Ahead = 64<<10, 16
	s := step(t, v, quiet())
	requests := day(3, 20_000)
	steps, rejected, next, soft := []msg.StorageStep(nil), 0, 0, 0
	see := func(e *msg.Event) {
		switch {
		case e.Kind == msg.StorageChanged:
			steps = append(steps, e.StorageStep())
		case e.Kind == msg.Rejected && e.Reject == msg.RejectStorageReduceOnly:
			rejected++
		}
	}
	for range 3 { // two spares
		if _, err := s.Prepare(); err != nil {
			t.Fatal(err)
		}
	}
	files.SetRoom(0)
	for ; next < len(requests); next++ {
		if err := s.Port(0).Send(&requests[next]); err == ErrStorage {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		s.settle(t, see)
		if len(steps) == 1 && soft == 0 {
			soft = next
		}
		if s.Status().Storage == "hard" { // the port fills up, and says why
			for s.Port(0).Send(&requests[next]) == nil {
			}
			if err := s.Port(0).Send(&requests[next]); err != ErrStorage {
				t.Fatalf("the port says %v", err)
			}
			break
		}
	}
	normal, little, none := msg.StorageNormal, msg.StorageSoft, msg.StorageHard
	if fmt.Sprint(steps) != fmt.Sprint([]msg.StorageStep{{From: normal, To: little}, {From: little, To: none}}) || rejected == 0 || soft == 0 {
		t.Fatalf("%v, soft after %d commands, %d refused, hard after %d", steps, soft, rejected, next)
	}
	seq := s.Engine().Seq()
	for range 100 {
		if s.Hot(0) != 0 {
			t.Fatal("a command was taken with hard storage")
		}
		if n, err := s.Journal(0); n != 0 || err != nil {
			t.Fatal(n, err)
		}
	}
	if seq != s.Status().Durable {
		t.Errorf("%d applied, %d durable", seq, s.Status().Durable)
	}
	files.SetRoom(1 << 30)
	for range 3 {
		if _, err := s.Prepare(); err != nil {
			t.Fatal(err)
		}
	}
	s.settle(t, see)
	if last := steps[len(steps)-1]; last != (msg.StorageStep{From: none, To: normal}) || s.Status().Storage != "normal" || s.Engine().Seq() <= seq {
		t.Errorf("%v, storage %s, %d commands: expected that all goes on", steps, s.Status().Storage, s.Engine().Seq())
	}
	hash := s.Engine().Hash()
	files.Kill()
	s = step(t, v, quiet())
	if s.Engine().Hash() != hash {
		t.Errorf("recovered %016x, expected %016x", s.Engine().Hash(), hash)
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// What is a node's own comes from its own lane alone.
func TestOwnCommandsAreNobodyElses(t *testing.T) { // D-94
	s := step(t, venue(disk.New(1<<30)), quiet())
	for _, c := range []msg.Command{msg.Maintain(), msg.SetStorage(msg.StorageHard), msg.SetCheckpoint(msg.Checkpoint{Upto: 4096})} {
		if err := s.Port(0).Send(&c.Request); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Maintain(); err != nil {
		t.Fatal(err)
	}
	told := ""
	s.settle(t, func(e *msg.Event) { told += e.Kind.String() + " " })
	if told != "Maintained Rejected Rejected Rejected " || s.Engine().Storage() != msg.StorageNormal {
		t.Errorf("told %q, storage %v", told, s.Engine().Storage())
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Maintain(); err != ErrStopped {
		t.Errorf("after the end: %v", err)
	}
}
