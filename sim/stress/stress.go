// Package stress asks what a shock does to a whole book under each way of margining it. The book is opened in the engine by commands,
// prices move by commands, and whatever follows (calls, liquidations, takeovers, deleveraging) is the engine's own doing, told by its
// events. There is no formula here that stands for a rule.
//
//	book file ──> accounts ──┐                 ┌── run, cross    ── collector ──┐
//	                         ├── the same for ──┤                                ├── Report: table, page, CSV, JSON
//	scenario ──> shock ──────┘                 └── run, isolated ── collector ──┘
//
// Words: a book is who holds what; a shock is what prices, sources, depth and funding do; a run is one book under one mode on its way
// through one shock; a figure is a row of the comparison; a story is what happened to one account and why.
//
// Invariant: a report is a function of the two texts, the recordings that a shock reads, the seed and the modes. No clock is in it.
package stress

import (
	"context"
	"fmt"

	"github.com/lockstep-exchange/lockstep/msg"
)

// Options say what is run.
type Options struct {
	Book  *Book
	Shock *Shock
	Modes []msg.Mode
	Seed  uint64

	// Progress is told how many steps of all are done; nil: nobody asks.
	Progress func(done, total int64)
}

// Compare runs the book through the shock under every mode. When ctx ends first the Report is partial: it holds the modes that were
// done, and the error is the context's. The error is a scenario.Faults where the engine refuses something of the book.
func Compare(ctx context.Context, o Options) (*Report, error) {
	accounts := o.Book.draw(o.Seed)
	var done []*run
	for i, mode := range o.Modes {
		r, err := newRun(ctx, o.Book, o.Shock, accounts, mode, o.Seed)
		if err != nil {
			return nil, fmt.Errorf("stress: %w", err)
		}
		progress := func(k int64) {
			if o.Progress != nil {
				o.Progress(int64(i)*r.steps+k, int64(len(o.Modes))*r.steps)
			}
		}
		if err := r.walkThrough(progress); err != nil {
			if ctx.Err() == nil || len(done) == 0 {
				return nil, err
			}
			p := report(&o, done)
			p.Partial = true
			return p, err
		}
		done = append(done, r)
	}
	return report(&o, done), nil
}
