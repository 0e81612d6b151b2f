package sim

import (
	"fmt"

	sdk "github.com/lockstep-exchange/lockstep/client"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// What goes wrong on the wire, and what has to be right when it has stopped.

// disturb begins a fault of the wire, and reports whether there was anything to disturb.
func (w *world) disturb(f fault) bool {
	if len(w.terminals) == 0 {
		return false
	}
	t := w.terminals[w.chance.IntN(len(w.terminals))]
	if f == lagged {
		w.chaos.lag = w.now + w.around(20*fixed.Millisecond)
		return true
	}
	if f == reborn {
		t.reborn()
		return true
	}
	if t.line == nil {
		return false
	}
	switch f {
	case cut:
		t.line.cut()
	case muted:
		t.line.up.mute = w.percent(60)
		t.line.down.mute = !t.line.up.mute || w.percent(50)
	case lulled:
		t.deaf = w.now + w.around(300*fixed.Millisecond)
	}
	return true
}

// settled reports whether every client on the wire knows everything.
func (w *world) settled() bool {
	for _, t := range w.terminals {
		if !t.settled() {
			return false
		}
	}
	return true
}

// settled reports whether a client is bound and knows what has become of all that it ever sent, and all that it had to be told.
func (t *terminal) settled() bool {
	if !t.session.Bound() || t.session.Recovering() || t.session.Unanswered() > 0 || t.flow == nil || t.line == nil {
		return false
	}
	for i := range t.flow.sent {
		if t.flow.sent[i].outcome == unknown {
			return false
		}
	}
	return t.session.Resume().Expected == uint64(len(t.flow.truth))+1
}

// String is where a terminal stands, for a finding.
func (t *terminal) String() string {
	truth, first := 0, ""
	if t.flow != nil {
		truth = len(t.flow.truth)
		for i := range t.flow.sent {
			if m := &t.flow.sent[i]; m.outcome == unknown && first == "" {
				first = fmt.Sprintf(", message %d of %d (template %d, id %d) is %s", i+1, len(t.flow.sent), m.template, m.ref, m.fate)
			}
		}
	}
	return fmt.Sprintf("key %d, kind %d: bound %t, recovering %t, %d without an answer%s, report %d of %d, line %t, %v", t.desk.key, t.config.Kind,
		t.session.Bound(), t.session.Recovering(), t.session.Unanswered(), first, t.session.Resume().Expected, truth, t.line != nil, t.session.Err())
}

// farewell is the end of all sessions, each in its way: closed, finished for good, cut, or silent. In bounded time no session is bound, and
// no order is left that was to go (W-42).
func (w *world) farewell() {
	if w.finding != nil || len(w.terminals) == 0 {
		return
	}
	for _, t := range w.terminals {
		t.left = true
		t.way = wayOut(w.chance.IntN(int(waysOut)))
		w.agenda.set(t.actor(), w.now+1)
	}
	w.trade(func() bool { return w.shard.up && w.notary.quiet() && w.finished() }, "farewell", healWithin)
	if w.finding != nil {
		return
	}
	for range 16 { // a mass cancel goes on with each command
		w.venue.first = append(w.venue.first, msg.Tick())
	}
	w.agenda.set(clientActors, w.now+1)
	w.trade(func() bool { return w.shard.up && w.answered() && w.watch.seq == w.shard.seq() }, "farewell", healWithin)
	for _, t := range w.terminals {
		f := t.flow
		if f.leaves && f.going > 0 {
			w.find("disconnect", "session %d has lost its connection, and %d orders that were to go are there", f.row, f.going)
		}
	}
}

// wayOut is how a terminal leaves.
type wayOut uint8

const (
	closes   wayOut = iota // by a Terminate
	finishes               // for good
	breaks                 // the connection is cut
	dies                   // without a word
	waysOut
)

// finished reports whether all that were to finish for good have.
func (w *world) finished() bool {
	for _, t := range w.terminals {
		if t.way == finishes && !t.flow.final {
			return false
		}
	}
	return true
}

// quiet reports whether no session is bound, and none waits for the end of its grace.
func (n *notary) quiet() bool {
	for _, f := range n.rows {
		if f != nil && (f.bound || f.goes) {
			return false
		}
	}
	return true
}

// reconcile holds what each client believes of its orders to the books.
func (w *world) reconcile() {
	for _, t := range w.terminals {
		if t.config.Kind != gen.SessionKindOrderEntry || w.finding != nil {
			continue
		}
		count := 0
		for o := range t.session.Orders() {
			if t.flow.find(o.Ref, places) == 0 { // it has asked how one stands that came through another door
				continue
			}
			count++
			t.believes(&o)
		}
		if have := t.flow.going + t.flow.stay - t.flow.quotes; !t.partial && count != have {
			w.find("order table", "%s: it believes in %d open orders, and there are %d", t, count, have)
		}
	}
}

// places reports whether a message brings an order.
func places(template uint16) bool {
	return template == gen.TemplateNewOrder || template == gen.TemplateNewOrderExt
}

// believes holds one order.
func (t *terminal) believes(o *sdk.Order) {
	w := t.world
	known, ok := w.notary.orders[o.ID]
	rests := w.watch.books.orders[o.ID]
	if !ok || rests == nil || known.ref != o.Ref {
		w.find("order table", "%s: it believes in order %d, id %d, and there is none", t, o.ID, o.Ref)
		return
	}
	s := &w.notary.scales[known.instr]
	if s.Price(rests.price) != o.Price || s.Qty(rests.leaves) != o.Leaves || o.State != sdk.Working {
		w.find("order table", "%s: order %d is %s at %d for %d, and in the book at %d for %d", t, o.ID, o.State, o.Price, o.Leaves, s.Price(rests.price), s.Qty(rests.leaves))
	}
}
