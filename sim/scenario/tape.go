package scenario

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node/journal"
	"github.com/lockstep-exchange/lockstep/sim/disk"
)

// tape is the recorded commands of a run, and what comes of them elsewhere. A page of them goes to a second engine as it is,
// and to a journal on a disk in memory. When the day is over the power fails, and a third engine is what recovery makes of
// that disk.
//
//	command ── page ──┬── second engine
//	                  `── journal ── power loss ── recovery ── third engine
type tape struct {
	page    []msg.Command
	events  []msg.Event
	second  *engine.Engine
	config  journal.Config
	files   *disk.Disk
	journal *journal.Writer
}

const (
	pageSize = 1024    // commands that wait at most before the others get them
	segment  = 1 << 20 // bytes of a file of the journal
	room     = 1 << 40 // bytes of the disk, which takes memory only for what is on it
)

// newTape makes the tape of an engine.
func newTape(first *engine.Engine) (t tape, err error) {
	if t.second, err = engine.New(first.Limits()); err != nil {
		return t, err
	}
	t.files = disk.New(room)
	t.config = journal.Config{FS: t.files, Dir: "/journal", Segment: segment, Ahead: pageSize,
		Genesis: journal.Genesis{Cluster: 1, Shard: 1, Currency: "USDC", Limits: first.Limits()}}
	t.journal, _, err = journal.Open(t.config, nil)
	return t, err
}

// record keeps a command.
func (t *tape) record(c *msg.Command) error {
	if t.page = append(t.page, *c); len(t.page) == pageSize {
		return t.turn()
	}
	return nil
}

// turn ends a page: the second engine has applied it, and it is durable.
func (t *tape) turn() error {
	for i := range t.page {
		c := &t.page[i]
		t.events = t.second.Apply(c, t.events[:0])
		if !t.journal.Append(c) {
			return errors.New("the lane of the journal is full")
		}
	}
	t.page = t.page[:0]
	t.journal.Publish()
	for t.journal.Waits() {
		if _, err := t.journal.Step(0); err != nil {
			return err
		}
		if t.journal.Stalled() {
			if _, err := t.journal.Prepare(); err != nil {
				return err
			}
		}
	}
	return nil
}

// recover makes the third engine of what a power loss leaves of the journal.
func (t *tape) recover() (third *engine.Engine, err error) {
	if third, err = engine.New(t.second.Limits()); err != nil {
		return nil, err
	}
	t.files.PowerLoss(rand.New(rand.NewPCG(1, 1)))
	again, _, err := journal.Open(t.config, func(commands []msg.Command) error {
		for i := range commands {
			t.events = third.Apply(&commands[i], t.events[:0])
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("recovery: %w", err)
	}
	return third, again.Close()
}
