package scenario

import (
	"context"
	"fmt"
	"io"

	"github.com/lockstep-exchange/lockstep/engine"
)

// Run runs a script three times and compares: inline, with every expectation looked at; from the recorded commands, page by
// page as the first run goes on; and through a journal and its recovery, when it is over. trace, where it is not nil, is told
// every statement and its events. The error is context.Canceled, or says what stopped the engine or the journal.
func (s *Script) Run(ctx context.Context, trace io.Writer) (Result, error) {
	r := Result{File: s.Name, Expectations: s.Expectations, Failed: []Failure{}}
	w, err := newWorld(ctx, s)
	if err != nil {
		return r, err
	}
	if trace != nil {
		w.trace = &tracer{out: trace}
	}
	if err := w.run(); err != nil {
		return r, err
	}
	if err := w.tape.turn(); err != nil {
		return r, err
	}
	third, err := w.tape.recover()
	if err != nil {
		return r, err
	}
	r.Failed = append(r.Failed, w.failed...)
	r.Hash = fmt.Sprintf("%016x", w.eng.Hash())
	for _, other := range []*engine.Engine{w.tape.second, third} {
		if hash := fmt.Sprintf("%016x", other.Hash()); hash != r.Hash {
			r.Failed = append(r.Failed, Failure{What: hashDiffers, Want: r.Hash, Got: hash})
		}
	}
	if w.trace != nil {
		return r, w.trace.err
	}
	return r, nil
}
