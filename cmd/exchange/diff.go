package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node/journal"
)

// diffCommand is exchange diff: two journals side by side, command by command and event by event.
//
// What nodes say for themselves stands elsewhere in each run, so it is passed over, and numbers are compared by their order: the n-th
// command of one with the n-th of the other, and their events but for Seq.
type diffCommand struct {
	A string `arg:"" help:"The folder of a journal. It is only read."`
	B string `arg:"" help:"The folder of another."`
}

func (d *diffCommand) examples() []string {
	return []string{"exchange diff data data2", "exchange diff data data2 --json"}
}

// differing is what two journals come to.
type differing struct {
	A        string   `json:"a"`
	B        string   `json:"b"`
	Equal    bool     `json:"equal"`
	Commands uint64   `json:"commands"` // equal ones, from the first on
	Events   uint64   `json:"events"`   // equal ones
	First    *differs `json:"first"`    // null: none differs
	StateA   string   `json:"state_a"`  // at the first difference, or at the end
	StateB   string   `json:"state_b"`
}

// differs is the first difference: a command, or an event of equal commands.
type differs struct {
	What string  `json:"what"` // command, event, end
	SeqA uint64  `json:"seq_a"`
	SeqB uint64  `json:"seq_b"`
	A    *string `json:"a"` // null: the journal has ended, or there is no such event
	B    *string `json:"b"`
}

// Run compares, and exits with 7 where something differs.
func (d *diffCommand) Run(con *console) (err error) {
	a, err := openSide(d.A)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	b, err := openSide(d.B)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	result := differing{A: d.A, B: d.B}
	if err := result.compare(con.ctx, a, b); err != nil {
		return err
	}
	result.StateA, result.StateB = fmt.Sprintf("%016x", a.engine.Hash()), fmt.Sprintf("%016x", b.engine.Hash())
	if err := result.print(con); err != nil {
		return err
	}
	if !result.Equal {
		return &fault{exit: exitDiverged, name: "divergence", message: fmt.Sprintf("the journals differ after %d commands and %d events", result.Commands, result.Events)}
	}
	return nil
}

// side is one of the journals, replayed.
type side struct {
	*journal.Reader
	engine *engine.Engine
	dir    string
	left   []msg.Command // of the frame
	events []msg.Event   // of the last command
}

func openSide(dir string) (*side, error) {
	r, err := openJournal(dir)
	if err != nil {
		return nil, err
	}
	if r.Partial() {
		return nil, errors.Join(badUsage("%s begins with a snapshot, since earlier segments were freed: expected a journal from its first command on", dir), r.Close())
	}
	eng, err := engine.New(r.Genesis().Limits)
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return &side{Reader: r, engine: eng, dir: dir}, nil
}

// next applies commands up to the next that is not the node's own; nil at the end.
func (s *side) next(ctx context.Context) (*msg.Command, error) {
	for {
		for len(s.left) == 0 {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if !s.Next() {
				if s.Err() != nil {
					return nil, fmt.Errorf("%s: %w", s.dir, s.Err())
				}
				return nil, nil
			}
			s.left = s.Commands()
		}
		c := &s.left[0]
		s.left = s.left[1:]
		s.events = s.engine.Apply(c, s.events[:0])
		if !c.Kind.Own() {
			return c, nil
		}
	}
}

// compare goes on until something differs or both end.
func (r *differing) compare(ctx context.Context, a, b *side) error {
	if a.Genesis().Limits != b.Genesis().Limits {
		return badUsage("%s and %s are journals of engines with other limits: %+v and %+v", a.dir, b.dir, a.Genesis().Limits, b.Genesis().Limits)
	}
	for {
		x, err := a.next(ctx)
		if err != nil {
			return err
		}
		y, err := b.next(ctx)
		if err != nil {
			return err
		}
		switch {
		case x == nil && y == nil:
			r.Equal = true
			return nil
		case x == nil || y == nil:
			r.First = &differs{What: "end", A: commandText(x), B: commandText(y), SeqA: uint64(a.engine.Seq()), SeqB: uint64(b.engine.Seq())}
			return nil
		case x.Request != y.Request:
			r.First = &differs{What: "command", A: commandText(x), B: commandText(y), SeqA: uint64(x.Seq), SeqB: uint64(y.Seq)}
			return nil
		}
		for i := range max(len(a.events), len(b.events)) {
			if i < len(a.events) && i < len(b.events) {
				other := b.events[i]
				other.Seq = a.events[i].Seq
				if a.events[i].Equal(&other) {
					r.Events++
					continue
				}
			}
			r.First = &differs{What: "event", A: eventText(a.events, i), B: eventText(b.events, i), SeqA: uint64(x.Seq), SeqB: uint64(y.Seq)}
			return nil
		}
		r.Commands++
	}
}

func commandText(c *msg.Command) *string {
	if c == nil {
		return nil
	}
	text := c.String()
	return &text
}

func eventText(events []msg.Event, i int) *string {
	if i >= len(events) {
		return nil
	}
	text := events[i].String()
	return &text
}

func (r *differing) print(con *console) error {
	if con.json {
		return con.printJSON(r)
	}
	con.printf("diff %s %s\n", r.A, r.B)
	con.printf("  equal       %d commands and %d events\n", r.Commands, r.Events)
	if r.First == nil {
		con.printf("  differs     nothing\n")
	} else {
		text := func(s *string) string {
			if s == nil {
				return "nothing"
			}
			return *s
		}
		con.printf("  differs     %s\n  a           %s\n  b           %s\n", r.First.What, text(r.First.A), text(r.First.B))
	}
	con.printf("  states      %s and %s\n", r.StateA, r.StateB)
	return nil
}
