package engine

import (
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// TestAskOrder asks for orders by either id, of every make, and for those that there are not; the state stays as it was.
func TestAskOrder(t *testing.T) { // W-53
	d, one, three := membership(t)
	one.takes(with(msg.Place(1, 1, msg.Sell, 100, 5, msg.OrderExt{Expire: d.at + fixed.Hour}), msg.FlagPersist|msg.FlagPostOnly, msg.GTD))
	first, placed := one.last[1].Order, one.ref
	three.takes(msg.Limit(3, 1, msg.Buy, 100, 2))
	one.takes(msg.Limit(1, 1, msg.Sell, 102, 7))
	second := one.last[1].Order
	for _, c := range []struct {
		ask    msg.Command
		order  msg.OrderID
		leaves fixed.Lots
		want   msg.Standing
	}{
		{msg.AskOrder(1, first, 0), first, 3, msg.Standing{Filled: 2, TIF: msg.GTD, Flags: msg.FlagPersist | msg.FlagPostOnly}},
		{msg.AskOrder(0, first, 0), first, 3, msg.Standing{Filled: 2, TIF: msg.GTD, Flags: msg.FlagPersist | msg.FlagPostOnly}},
		{msg.AskOrder(1, 0, placed), first, 3, msg.Standing{Filled: 2, TIF: msg.GTD, Flags: msg.FlagPersist | msg.FlagPostOnly}},
		{msg.AskOrder(1, second, 0), second, 7, msg.Standing{}},
	} {
		before := (&observer{desk: d}).fingerprint()
		one.takes(c.ask)
		ev := one.last[1]
		c.want.Request, c.want.STP = one.ref, d.store.Order(c.order.Handle()).Flags.STP()
		if ev.Kind != msg.OrderStated || ev.Order != c.order || ev.Qty != c.leaves || ev.Standing() != c.want || ev.Session != 11 || !ev.Reports() {
			t.Errorf("%s: %s, want %+v", c.ask.String(), &ev, c.want)
		}
		if (&observer{desk: d}).fingerprint() != before {
			t.Errorf("%s has changed something", c.ask.String())
		}
	}
	one.refuses(msg.RejectValueOutOfRange, msg.AskOrder(1, 0, 0))
	one.refuses(msg.RejectValueOutOfRange, msg.AskOrder(1, first, placed))
	one.refuses(msg.RejectUnknownOrder, msg.AskOrder(1, 0, 999))
	one.refuses(msg.RejectUnknownOrder, msg.AskOrder(1, 99, 0))
	three.refuses(msg.RejectUnknownOrder, msg.AskOrder(3, first, 0))
	three.refuses(msg.RejectUnknownOrder, msg.AskOrder(0, first, 0))
	three.refuses(msg.RejectNotPermitted, msg.AskOrder(1, first, 0))
	one.takes(msg.Cancel(0, 1, second))
	one.refuses(msg.RejectTooLate, msg.AskOrder(1, second, 0))
	one.refuses(msg.RejectTooLate, msg.AskOrder(0, second, 0))
	if k, _ := d.Key(1); k.Last >= one.ref {
		t.Error("a question has used a client id")
	}
	d.ok(msg.AskOrder(1, first, 0)) // by the embedder
}
