package scenario

import (
	"fmt"
	"io"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// tracer prints what happens: each statement with its line, and below it the events that it brought about.
//
//	12 place account=alice instrument=BTC-PERP side=buy qty=1 price=50000 id=open
//	    #9.0 Accepted account=alice instrument=BTC-PERP id=open side=buy qty=1 price=50000
//	13 expect order id=open status=filled
//	    failed: status want filled got resting
//
// Seq and index come first; the time is printed when it has moved. A tick in which nothing happened is not printed.
type tracer struct {
	out io.Writer
	now fixed.Nanos
	err error // the first that writing met
}

// statement prints a statement.
func (t *tracer) statement(s *step) { t.printf("%d %s\n", s.line, s.text) }

// events prints what a command brought about.
func (t *tracer) events(w *world) {
	for i := range w.events {
		ev := &w.events[i]
		if ev.Kind == msg.Ticked {
			continue
		}
		if ev.Time != t.now {
			t.now = ev.Time
			t.printf("    at %s\n", span(ev.Time))
		}
		t.printf("    #%d.%d %s", ev.Seq, ev.Index, ev.Kind)
		for _, f := range w.tell(ev) {
			if !f.empty {
				t.printf(" %s=%s", f.name, f.value)
			}
		}
		t.printf("\n")
	}
}

// failure prints an expectation that did not hold.
func (t *tracer) failure(f *Failure) {
	t.printf("    failed:")
	if f.Field != "" {
		t.printf(" %s", f.Field)
	}
	t.printf(" want %s got %s\n", f.Want, f.Got)
}

func (t *tracer) printf(format string, with ...any) {
	if t.err == nil {
		_, t.err = fmt.Fprintf(t.out, format, with...)
	}
}
