package engine

import (
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// TestDeadMan arms, puts off and disarms, at the bounds of what may be said, and lets a deadline pass: at the first command at or after it,
// whatever that is, the account's orders go, and nobody else's.
func TestDeadMan(t *testing.T) { // W-44
	d, one, _ := membership(t)
	at := d.at
	for _, bad := range []fixed.Nanos{-1, 1, at, at + fixed.Second - 1, at + 300*fixed.Second + 1, 1 << 62} {
		want := at + fixed.Second
		if bad > want {
			want = at + 300*fixed.Second
		}
		if f := one.refuses(msg.RejectValueOutOfRange, msg.SetDeadMan(1, bad)); f.Limit != int64(want) || f.Actual != int64(bad) {
			t.Errorf("%d: %+v", bad, f)
		}
	}
	one.refuses(msg.RejectNotPermitted, msg.SetDeadMan(2, at+fixed.Second))
	one.refuses(msg.RejectUnknownAccount, msg.SetDeadMan(9, at+fixed.Second))
	one.takes(msg.SetDeadMan(1, 0)) // which was not armed
	one.takes(msg.SetDeadMan(1, at+300*fixed.Second))
	one.takes(msg.SetDeadMan(1, at+fixed.Second)) // the last one counts
	if last := d.last[len(d.last)-1]; last.Kind != msg.DeadManSet || !last.Reports() || d.Deadline(1) != at+fixed.Second || d.Deadline(2) != 0 {
		t.Errorf("%s, deadline %d", &last, d.Deadline(1))
	}
	for range 3 {
		one.takes(msg.Limit(1, 1, msg.Buy, 90, 1))
		d.ok(msg.Limit(1, 2, msg.Sell, 110, 1), msg.Limit(2, 1, msg.Buy, 90, 1))
	}
	one.takes(with(msg.Limit(1, 1, msg.Buy, 89, 1), msg.FlagPersist, msg.GTC))
	d.ok(msg.Unbind(11, msg.UnbindLost)) // it does not depend on a connection
	d.Engine = restored(t, d.limits, image(d.Engine))
	d.at = at + fixed.Second - 1
	d.ok(msg.Tick())
	if d.count(msg.DeadManExpired) != 0 || d.OpenOrders() != 10 {
		t.Fatalf("a moment early: %v", d.last)
	}
	d.at++
	if due, ok := d.NextDue(); !ok || due != d.at {
		t.Errorf("the next is due at %d, %v", due, ok)
	}
	d.ok(msg.Limit(3, 2, msg.Buy, 90, 1))
	if d.count(msg.DeadManExpired) != 1 || d.count(msg.Canceled) != 6 || d.OpenOrders() != 5 || d.Deadline(1) != 0 {
		t.Fatalf("%d orders, %v", d.OpenOrders(), d.last)
	}
	for i := range d.last {
		if ev := &d.last[i]; ev.Kind == msg.Canceled && (ev.Reason != msg.CanceledByDeadMan || ev.Account != 1) {
			t.Errorf("%s", ev)
		}
	}
	if d.at++; d.resting(11) != 1 {
		t.Errorf("%d orders of the session rest: one was to outlive it", d.resting(11))
	}
	d.ok(msg.Limit(1, 1, msg.Buy, 90, 1), msg.Tick())
	if d.OpenOrders() != 6 {
		t.Error("orders that came after it go")
	}
	d.ok(msg.SetDeadMan(1, d.at+fixed.Second), msg.SetDeadMan(1, 0))
	d.at += fixed.Minute
	if d.ok(msg.Tick()); d.count(msg.DeadManExpired) != 0 {
		t.Error("one that was disarmed expires")
	}
	d.sound()
}

// TestDeadMenWaitForAPlace lets more of them expire at once than there are places for mass cancels.
func TestDeadMenWaitForAPlace(t *testing.T) {
	const accounts = 40
	d := newDesk(t, Limits{Instruments: 1, Accounts: accounts, Orders: 1 << 14, Events: 256, Jobs: 1})
	d.list(perpetual(1), 100)
	for id := msg.AccountID(1); id <= accounts; id++ {
		d.ok(msg.Deposit(id, 1_000_000*fixed.Coin), msg.SetDeadMan(id, 2*fixed.Second))
		for range 100 {
			d.ok(msg.Limit(id, 1, msg.Buy, 90, 1))
		}
	}
	d.at = 2 * fixed.Second
	expired := 0
	for tries := 0; d.OpenOrders() != 0; tries++ {
		d.ok(msg.Tick())
		if expired += d.count(msg.DeadManExpired); len(d.last) > 256 || tries > 1000 {
			t.Fatalf("%d events, %d orders", len(d.last), d.OpenOrders())
		}
	}
	if expired != accounts {
		t.Errorf("%d expired, want %d", expired, accounts)
	}
}

// TestPersist keeps orders of a session that loses its connection, also after they are amended and partly filled.
func TestPersist(t *testing.T) { // W-43
	d, _, three := membership(t)
	d.ok(msg.Finalize(11))
	one := d.logon(14, 1, msg.OrderEntry, func(n *msg.Negotiation) { n.Cancel = msg.CancelOnBoth })
	one.takes(with(msg.Limit(1, 1, msg.Sell, 100, 5), msg.FlagPersist, msg.GTC))
	id := one.last[1].Order
	three.takes(msg.Limit(3, 1, msg.Buy, 100, 1))
	one.takes(msg.Amend(0, 1, id, 101, 4))
	one.takes(msg.Limit(1, 1, msg.Sell, 102, 5))
	d.ok(msg.Unbind(14, msg.UnbindTerminated))
	if d.resting(14) != 1 || d.store.Find(id) == 0 {
		t.Errorf("%d orders rest", d.resting(14))
	}
	d.ok(msg.Bind(msg.Binding{Session: 14, Stamp: d.at + 1}))
	one.takes(msg.Cancel(0, 1, id))
	one.takes(msg.Limit(1, 1, msg.Sell, 102, 5)) // in the row of the other
	if one.last[1].Order.Handle() != id.Handle() {
		t.Fatal("another row")
	}
	d.ok(msg.Unbind(14, msg.UnbindTerminated))
	if d.resting(14) != 0 {
		t.Error("an order outlives its connection for what another one said")
	}
}
