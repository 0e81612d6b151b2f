package scenario

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// maxTime bounds the time of a scenario, short of the engine's own bound.
const maxTime = 50_000 * fixed.Day

// world is a scenario while it runs: the engine, the time, and what everyone was told.
type world struct {
	ctx     context.Context
	script  *Script
	eng     *engine.Engine
	now     fixed.Nanos
	line    int                    // of the statement that is running
	events  []msg.Event            // of the last command
	memory  []msg.Event            // of the kinds that are asked for, since the start or the last forget
	labels  map[string]*order      // the last order of each label
	orders  map[msg.OrderID]*order // all that were accepted
	quotes  map[quoteKey]*[2]*order
	values  map[valueKey]int64 // parameters that were set and taken
	placing *order             // the order whose command is being applied
	refs    msg.Ref
	answer  answer // to the last statement that sent a command
	asked   asked  // the last what-if
	tried   tried  // the last stress
	failed  []Failure
	tape    tape
	trace   *tracer // nil: nobody looks
}

type quoteKey struct {
	account    *account
	instrument *instrument
}

// answer is what came of a statement.
type answer struct {
	refused msg.Reject // 0: none of its commands was
	leftOut bool       // the mode leaves the statement out
}

// String is ok, or why not.
func (a answer) String() string {
	switch {
	case a.leftOut:
		return "left out"
	case a.refused != 0:
		return "rejected " + a.refused.Name()
	}
	return "ok"
}

// halt ends a run early: it is what step.do panics with, and run returns its error.
type halt struct{ err error }

// newWorld is a world before its first statement.
func newWorld(ctx context.Context, s *Script) (*world, error) {
	eng, err := engine.New(s.limits)
	if err != nil {
		return nil, err
	}
	tape, err := newTape(eng)
	if err != nil {
		return nil, err
	}
	return &world{ctx: ctx, script: s, eng: eng, tape: tape, labels: map[string]*order{}, orders: map[msg.OrderID]*order{},
		quotes: map[quoteKey]*[2]*order{}, values: map[valueKey]int64{}}, nil
}

// send applies the commands of a statement, one after the other; the first refusal is its answer.
func (w *world) send(commands ...msg.Command) {
	w.answer = answer{}
	for i := range commands {
		if r := w.apply(&commands[i]); r != 0 && w.answer.refused == 0 {
			w.answer.refused = r
		}
	}
}

// apply gives a command its place and its time, applies it and looks at what it brought about. It returns why it was refused.
func (w *world) apply(c *msg.Command) (refused msg.Reject) {
	if w.ctx.Err() != nil {
		panic(halt{w.ctx.Err()})
	}
	c.Seq, c.Time = w.eng.Seq()+1, w.now
	w.events = w.eng.Apply(c, w.events[:0])
	if err := w.tape.record(c); err != nil {
		panic(halt{err})
	}
	for i := range w.events {
		ev := &w.events[i]
		w.follow(ev)
		if ev.Kind == msg.Rejected && ev.Refusal().Asked == c.Kind {
			refused = ev.Reject
		}
		if w.script.remembered[ev.Kind] {
			w.memory = append(w.memory, *ev)
		}
	}
	if w.trace != nil {
		w.trace.events(w)
	}
	return refused
}

// place applies the command of an order and follows the order from then on.
func (w *world) place(o *order, c msg.Command) (refused msg.Reject) {
	w.refs++
	o.ref, c.Ref = w.refs, w.refs
	o.worth = new(big.Int)
	w.placing = o
	if refused = w.apply(&c); refused != 0 {
		o.ended, o.reason, o.price = "rejected", refused.Name(), c.Price
	}
	w.placing = nil
	return refused
}

// advance lets time pass, no further than maxTime: what falls due on the way happens at its own time, each by a tick of its
// own, and a last tick comes at the end.
func (w *world) advance(by fixed.Nanos) {
	until := w.now + by
	w.answer = answer{}
	for {
		due, ok := w.eng.NextDue()
		if !ok || due > until {
			break
		}
		w.now = max(w.now, due)
		w.tick()
	}
	if w.now < until || by == 0 {
		w.now = until
		w.tick()
	}
}

// tick lets the engine see the time.
func (w *world) tick() {
	c := msg.Tick()
	w.apply(&c)
}

// fail notes an expectation that did not hold.
func (w *world) fail(what, field, want, got string) {
	w.note(Failure{Line: w.line, What: what, Field: field, Want: want, Got: got})
}

// note keeps a failure.
func (w *world) note(f Failure) {
	w.failed = append(w.failed, f)
	if w.trace != nil {
		w.trace.failure(&w.failed[len(w.failed)-1])
	}
}

// run takes all steps.
func (w *world) run() (err error) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case halt:
			err = p.err
			if !errors.Is(err, context.Canceled) {
				err = fmt.Errorf("%s:%d: %w", w.script.Name, w.line, err)
			}
		default:
			err = fmt.Errorf("%s:%d: the engine stopped at command %d: %v", w.script.Name, w.line, w.eng.Seq(), p)
		}
	}()
	for i := range w.script.steps {
		s := &w.script.steps[i]
		w.line = s.line
		if w.trace != nil {
			w.trace.statement(s)
		}
		s.do(w)
	}
	return nil
}
