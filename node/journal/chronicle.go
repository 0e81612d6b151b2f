package journal

import (
	"fmt"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Chronicle folds everything that an exchange tells into one hash, and holds a replay to the checkpoints of the run that it
// repeats (D-40, D-41). Its zero value is that of an exchange that has told nothing.
//
//	live     events ─> Fold ─> at every 4,096th command the hash is kept, and a Checkpoint with it is sequenced a little later
//	replay   events ─> Fold ─> the same hashes are kept; Check compares when the Checkpoint comes
//
// Where they differ, equal commands have brought about other events: another binary, or a machine that errs.
type Chronicle struct {
	digest fixed.Digest
	seq    msg.Seq // of the last event
	kept   [chronicleMax]msg.Checkpoint
}

const (
	// CheckpointEvery is how many commands are between two hashes.
	CheckpointEvery = 4096
	// chronicleMax is how many hashes are kept, so how late a Checkpoint may come.
	chronicleMax = 16
)

// Fold takes in the next event.
func (c *Chronicle) Fold(ev *msg.Event) {
	if ev.Seq != c.seq {
		c.complete()
		c.seq = ev.Seq
	}
	ev.Hash(&c.digest)
}

// complete ends the events of a command.
func (c *Chronicle) complete() {
	if c.seq%CheckpointEvery == 0 && c.seq != 0 {
		*c.at(c.seq) = msg.Checkpoint{Upto: c.seq, Hash: c.digest.Sum()}
	}
}

// at is where the hash of a command is kept.
func (c *Chronicle) at(seq msg.Seq) *msg.Checkpoint {
	return &c.kept[seq/CheckpointEvery%chronicleMax]
}

// Latest is the last hash that was kept; Upto 0: none yet.
func (c *Chronicle) Latest() msg.Checkpoint { return *c.at(c.seq - c.seq%CheckpointEvery) }

// Hash is that of everything so far.
func (c *Chronicle) Hash() uint64 { return c.digest.Sum() }

// Replay compares a command that was journaled, if it is a Checkpoint that was not refused, with what the commands before it have told,
// and folds its events. The error is a *Divergence.
func (c *Chronicle) Replay(command *msg.Command, events []msg.Event) error {
	for i := range events {
		if events[i].Kind == msg.Checkpointed {
			c.complete()
			if said := command.Checkpoint(); *c.at(said.Upto) != said || said.Upto == 0 {
				return &Divergence{At: command.Seq, Said: said, Found: *c.at(said.Upto)}
			}
		}
		c.Fold(&events[i])
	}
	return nil
}

// Divergence says that a replay brings about other events than the run whose journal it is.
type Divergence struct {
	At    msg.Seq        // the command that says so
	Said  msg.Checkpoint // what it says
	Found msg.Checkpoint // what the replay came to; Upto 0 or another: no such hash is kept
}

func (d *Divergence) Error() string {
	found := "no hash of that command"
	if d.Found.Upto == d.Said.Upto {
		found = fmt.Sprintf("%016x", d.Found.Hash)
	}
	return fmt.Sprintf("divergence: the events up to command %d: expected %016x, as checkpoint %d says, found %s: this binary repeats another exchange than the one that wrote the journal",
		d.Said.Upto, d.Said.Hash, d.At, found)
}

// ExitCode is the exit code divergence.
func (d *Divergence) ExitCode() int { return 7 }

// ExitName is its name.
func (d *Divergence) ExitName() string { return "divergence" }
