package engine

import (
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// again negotiates a row anew, under another name, and leaves it unbound.
func (d *desk) again(id msg.SessionID, key msg.KeyID, kind msg.SessionKind, terms func(*msg.Negotiation)) {
	d.t.Helper()
	d.at++
	n := msg.Negotiation{Session: id, Key: key, Kind: kind, Version: 1, UUID: [16]byte{byte(id), byte(d.seq), byte(d.seq >> 8), 7}, Stamp: d.at}
	if terms != nil {
		terms(&n)
	}
	d.ok(msg.Negotiate(n))
}

// TestRowOfAnotherSession gives the row of a session whose orders still rest to another one, after its end and after a day away: the orders
// are not the new one's, and what becomes of them is no report of it.
func TestRowOfAnotherSession(t *testing.T) { // W-23, W-29, W-42
	for _, finalized := range []bool{true, false} {
		d, one, three := membership(t)
		d.ok(msg.SetKey(keyOf(5, msg.RoleDropCopy, 1)))
		d.logon(15, 5, msg.DropCopy, nil)
		one.takes(msg.Limit(1, 1, msg.Buy, 90, 5))
		one.takes(msg.Limit(1, 2, msg.Buy, 90, 5))
		d.ok(msg.Unbind(11, msg.UnbindLost))
		if finalized {
			d.ok(msg.Finalize(11))
		} else {
			d.at += fixed.Day
		}
		d.again(11, 1, msg.OrderEntry, func(n *msg.Negotiation) { n.Cancel = msg.CancelOnBoth })
		copies := d.server(15)
		three.takes(msg.Limit(3, 1, msg.Sell, 90, 1)) // with an order of the old one, before anybody is there
		d.at++
		d.ok(msg.Bind(msg.Binding{Session: 11, Stamp: d.at}))
		three.takes(msg.Limit(3, 1, msg.Sell, 90, 1)) // and after
		if d.server(11) != 1 || d.server(15) != copies+2 {
			t.Errorf("finalized %v: the new session has %d reports of the old one, the drop copy %d of 2", finalized, d.server(11)-1, d.server(15)-copies)
		}
		d.ok(msg.Unbind(11, msg.UnbindLost))
		if d.OpenOrders() != 2 || d.resting(0) != 2 {
			t.Errorf("finalized %v: %d orders rest, %d of nobody", finalized, d.OpenOrders(), d.resting(0))
		}
		d.sound()
	}
}

// TestRowOfManyOrders gives away a row with more orders than one command looks at, at once and where it has to wait for a place: until the
// last of them is nobody's the new session is not bound, and it has no report of them. A mass cancel that the old one asked for is nobody's too.
func TestRowOfManyOrders(t *testing.T) {
	for _, waits := range []bool{false, true} {
		d := newDesk(t, Limits{Instruments: 2, Accounts: 9, Orders: 4000, Events: 256, Jobs: 1})
		d.list(perpetual(1), 100)
		for id := msg.AccountID(1); id <= 3; id++ {
			d.ok(msg.Deposit(id, 1_000_000*fixed.Coin))
		}
		d.ok(msg.SetKey(keyOf(1, msg.RoleTrader, 1)), msg.SetKey(keyOf(2, msg.RoleTrader, 2)))
		one, two := d.logon(11, 1, msg.OrderEntry, nil), d.logon(12, 2, msg.OrderEntry, nil)
		for range 700 {
			one.takes(msg.Limit(1, 1, msg.Buy, 90, 1))
			two.takes(msg.Limit(2, 1, msg.Buy, 80, 1))
		}
		d.ok(msg.Unbind(11, msg.UnbindLost))
		if waits {
			two.takes(msg.CancelAll(2, 0, 0)) // it has the one place
		}
		d.ok(msg.Finalize(11))
		d.again(11, 1, msg.OrderEntry, nil)
		if d.timers.isSet(emptyTimer, 11) != waits {
			t.Fatalf("it waits for a place: %v, want %v", !waits, waits)
		}
		d.at++
		tries := 0
		for ; refusal(d.do(msg.Bind(msg.Binding{Session: 11, Stamp: d.at}))) != 0; tries++ {
			if back := restored(t, d.limits, image(d.Engine)); back.Hash() != d.Hash() {
				t.Fatal("restored it is another")
			}
			if r := refusal(d.last); r != msg.RejectEntryBlocked || tries > 20 {
				t.Fatalf("try %d: %s", tries, r.Name())
			}
		}
		if tries == 0 || d.emptying(11) {
			t.Errorf("700 orders were looked at in %d tries", tries)
		}
		if d.resting(0) != 700 || d.server(11) != 1 {
			t.Errorf("%d orders are nobody's, and the new session has %d reports", d.resting(0), d.server(11)-1)
		}
		d.sound()
	}

	d, one, _ := membership(t)
	for range 600 {
		one.takes(msg.Limit(1, 1, msg.Buy, 90, 1))
	}
	one.takes(msg.CancelAll(1, 0, 0))
	d.ok(msg.Unbind(11, msg.UnbindLost), msg.Finalize(11))
	d.again(11, 1, msg.OrderEntry, nil)
	for d.OpenOrders() != 0 {
		d.ok(msg.Tick())
	}
	for i := range d.last {
		if ev := &d.last[i]; ev.Kind == msg.MassCanceled && ev.Session != 0 {
			t.Errorf("%s", ev)
		}
	}
	if d.count(msg.MassCanceled) != 1 || d.server(11) != 1 {
		t.Errorf("%d ends, and the new session has %d reports", d.count(msg.MassCanceled), d.server(11)-1)
	}
}

// TestRowOfManyHands gives a row with many orders to a session of another kind, which is over before the last of them is looked at: the one after
// that has none of them either. Where they were to go those go that do not outlive a connection, and where there was no place they had to wait.
func TestRowOfManyHands(t *testing.T) { // W-42, A-16
	for _, c := range []struct{ gone, waits bool }{{}, {waits: true}, {gone: true}, {true, true}} {
		d := newDesk(t, Limits{Instruments: 2, Accounts: 9, Orders: 4000, Events: 256, Jobs: 1})
		d.list(perpetual(1), 100)
		for id := msg.AccountID(1); id <= 3; id++ {
			d.ok(msg.Deposit(id, 1_000_000*fixed.Coin))
		}
		d.ok(msg.SetKey(keyOf(1, msg.RoleTrader, 1)), msg.SetKey(keyOf(2, msg.RoleTrader, 2)))
		one := d.logon(11, 1, msg.OrderEntry, func(n *msg.Negotiation) {
			if n.Cancel = msg.CancelNever; c.gone {
				n.Cancel = msg.CancelOnBoth
			}
		})
		two := d.logon(12, 2, msg.OrderEntry, nil)
		for range 700 {
			one.takes(with(msg.Limit(1, 1, msg.Buy, 90, 1), msg.FlagPersist, msg.GTC))
			two.takes(msg.Limit(2, 1, msg.Buy, 80, 1))
		}
		if c.waits {
			two.takes(msg.CancelAll(2, 0, 0)) // it has the one place
		}
		d.ok(msg.Finalize(11))
		d.again(11, 1, msg.RiskControl, nil)
		d.at += lapseAfter
		for tries := 0; d.clients.rows[11].state != finalized && tries < 40; tries++ {
			d.ok(msg.Tick())
		}
		if !d.emptying(11) {
			t.Fatalf("%v: all orders were looked at before the second session was over", c)
		}
		for tries := 0; d.emptying(11) && tries < 40; tries++ {
			d.ok(msg.Tick())
		}
		d.again(11, 1, msg.OrderEntry, nil)
		d.at++
		d.ok(msg.Bind(msg.Binding{Session: 11, Stamp: d.at}))
		if d.resting(11) != 0 || d.resting(0) != 700 {
			t.Errorf("%v: the third session has %d orders of the first, %d are nobody's", c, d.resting(11), d.resting(0))
		}
		d.sound()
	}
}

// TestNeverBound ends sessions that were negotiated and never bound: they fill no key, and hold no drop copy that nobody hears.
func TestNeverBound(t *testing.T) { // W-16
	d, _, _ := membership(t)
	for id := msg.SessionID(20); id < 20+sessionsPerKey-1; id++ {
		d.again(id, 1, msg.DropCopy, nil)
	}
	first := d.clients.rows[20].since
	d.at++
	d.refused(msg.RejectTableFull, msg.Negotiate(msg.Negotiation{Session: 50, Key: 1, Kind: msg.OrderEntry, UUID: [16]byte{50}, Stamp: d.at}))
	d.at++
	d.ok(msg.Bind(msg.Binding{Session: 21, Stamp: d.at}))
	d.at = first + lapseAfter - 1
	if due, ok := d.NextDue(); !ok || due != first+lapseAfter {
		t.Errorf("something is due at %v, want %v", due, first+lapseAfter)
	}
	if d.ok(msg.Tick()); d.count(msg.SessionFinalized) != 0 {
		t.Errorf("a moment too early: %v", d.last)
	}
	d.at++
	if d.ok(msg.Tick()); d.count(msg.SessionFinalized) != 1 || d.last[0].Session != 20 {
		t.Errorf("%v", d.last)
	}
	d.refused(msg.RejectNotPermitted, msg.Bind(msg.Binding{Session: 20, Stamp: d.at}))
	d.at += fixed.Second
	if d.ok(msg.Tick()); d.count(msg.SessionFinalized) != sessionsPerKey-3 || d.clients.live != 3 {
		t.Errorf("%d ended, %d are counted for", d.count(msg.SessionFinalized), d.clients.live)
	}
	if s, _ := d.Session(21); s.Final || !s.Bound {
		t.Errorf("one that was bound: %+v", s)
	}
	if d.again(50, 1, msg.OrderEntry, nil); d.timers.isSet(lapseTimer, 20) || !d.timers.isSet(lapseTimer, 50) {
		t.Error("timers of sessions that are over, or none of one that waits")
	}
	d.ok(msg.Finalize(50))
	d.at += fixed.Hour
	if d.ok(msg.Tick()); d.count(msg.SessionFinalized) != 0 {
		t.Errorf("one ends twice: %v", d.last)
	}
}

// TestOldestGivesWay lets one more session of a key that has as many as it may take the place of the one that is away the longest, once that
// has been away for a day.
func TestOldestGivesWay(t *testing.T) {
	d, _, _ := membership(t)
	for id := msg.SessionID(20); id < 20+sessionsPerKey-1; id++ {
		d.again(id, 1, msg.RiskControl, nil)
		d.at++
		d.ok(msg.Bind(msg.Binding{Session: id, Stamp: d.at}), msg.Unbind(id, msg.UnbindLost))
	}
	away := d.clients.rows[20].since
	next := msg.Negotiation{Session: 50, Key: 1, Kind: msg.RiskControl, UUID: [16]byte{50}}
	d.at = away + fixed.Day - 1
	next.Stamp = d.at
	d.refused(msg.RejectTableFull, msg.Negotiate(next))
	d.at++
	next.Stamp = d.at
	d.ok(msg.Negotiate(next))
	if d.last[0].Kind != msg.SessionFinalized || d.last[0].Session != 20 || d.last[1].Kind != msg.SessionNegotiated || len(d.last) != 2 {
		t.Errorf("%v", d.last)
	}
	d.at++
	next.Session, next.UUID, next.Stamp = 20, [16]byte{51}, d.at // now that row is free, and the key is full
	d.refused(msg.RejectTableFull, msg.Negotiate(next))
}

// TestNoCopiesForAKeyOfOneAccount refuses drop copies to a key of one account, for they are of all of an owner's, and ends those of a key that is
// narrowed to one.
func TestNoCopiesForAKeyOfOneAccount(t *testing.T) { // D-94, W-58
	d, one, _ := membership(t)
	d.logon(15, 1, msg.DropCopy, nil)
	k := keyOf(1, msg.RoleTrader, 1)
	k.Account = 1
	if d.ok(msg.SetKey(k)); d.count(msg.SessionFinalized) != 1 || d.last[len(d.last)-1].Session != 15 {
		t.Errorf("%v", d.last)
	}
	d.at++
	d.refused(msg.RejectNotPermitted, msg.Negotiate(msg.Negotiation{Session: 16, Key: 1, Kind: msg.DropCopy, UUID: [16]byte{16}, Stamp: d.at}))
	one.takes(msg.Limit(1, 1, msg.Buy, 90, 1))
	d.ok(msg.SetKey(keyOf(1, msg.RoleTrader, 1)))
	d.again(16, 1, msg.DropCopy, nil)
}

// TestCopiesOfWhatTheVenueDid has an owner's drop copy repeat what the venue's risk manager does to his accounts, and no other's.
func TestCopiesOfWhatTheVenueDid(t *testing.T) { // W-58
	d, _, three := membership(t)
	d.ok(msg.SetKey(keyOf(4, msg.RoleRiskManager, 0)), msg.SetKey(keyOf(5, msg.RoleDropCopy, 3)), msg.SetKey(keyOf(6, msg.RoleAuditor, 0)))
	venue := d.logon(14, 4, msg.RiskControl, nil)
	d.logon(15, 5, msg.DropCopy, nil)
	d.logon(16, 6, msg.DropCopy, nil)
	told := func(threes, all uint64) {
		t.Helper()
		if got := [2]uint64{d.server(15) - 1, d.server(16) - 1}; got != [2]uint64{threes, all} {
			t.Errorf("%d reports went to the owner's drop copy and %d to the venue's, want %d and %d: %v", got[0], got[1], threes, all, d.last)
		}
	}
	three.takes(msg.Limit(3, 1, msg.Buy, 90, 1))
	told(1, 1)
	venue.takes(msg.CancelAll(3, 0, 0)) // the order, and the end
	told(3, 3)
	venue.takes(msg.SetLeverage(3, 1, 500))
	told(4, 4)
	venue.takes(msg.SetLeverage(1, 1, 500)) // another's
	told(4, 5)
	venue.refuses(msg.RejectLeverageOutOfRange, msg.SetLeverage(3, 1, 1))
	told(5, 6)
	venue.takes(msg.SetEntry(0, 0, msg.Entry{Scope: msg.ScopeOwner, Owner: 3, Action: msg.BlockAndCancel})) // and its end, which names him alone
	told(7, 8)
	three.refuses(msg.RejectNotPermitted, msg.CancelAll(1, 0, 0)) // his own, of another's account
	told(8, 9)
}

// TestKillsOfClients lets clients turn the kill switch of account after account: neither the venue's turn nor another client's finds no place.
func TestKillsOfClients(t *testing.T) { // D-99
	const accounts = 40
	d := newDesk(t, Limits{Instruments: 1, Accounts: accounts + 3, Orders: 1 << 15, Events: 256, Jobs: 1})
	d.list(perpetual(1), 100)
	for id := msg.AccountID(1); id <= accounts; id++ {
		d.ok(msg.OpenAccount(id, 1, msg.AllGroups), msg.Deposit(id, 1_000_000*fixed.Coin))
		for range 300 {
			d.ok(msg.Limit(id, 1, msg.Buy, 90, 1))
		}
	}
	d.ok(msg.OpenAccount(accounts+1, 2, msg.AllGroups), msg.SetKey(keyOf(1, msg.RoleTrader, 1)), msg.SetKey(keyOf(2, msg.RoleTrader, 2)))
	one, two := d.logon(11, 1, msg.OrderEntry, nil), d.logon(12, 2, msg.OrderEntry, nil)
	kill := func(id msg.AccountID) msg.Command {
		return msg.SetEntry(id, 0, msg.Entry{Scope: msg.ScopeAccount, Action: msg.BlockAndCancel})
	}
	taken := 0
	for id := msg.AccountID(1); id <= accounts; id++ {
		if one.send(kill(id)); refusal(d.last) == 0 {
			taken++
		} else if r := refusal(d.last); r != msg.RejectTableFull {
			t.Fatal(r.Name())
		}
	}
	if taken < 2 || taken == accounts {
		t.Errorf("%d of %d are under way", taken, accounts)
	}
	two.takes(kill(accounts + 1))
	for range killSlots {
		d.ok(msg.SetEntry(0, 1, msg.Entry{Scope: msg.ScopeInstrument, Action: msg.BlockAndCancel}))
	}
	for tries := 0; d.OpenOrders() != 0; tries++ {
		if d.ok(msg.Tick()); tries > 1000 {
			t.Fatalf("%d orders", d.OpenOrders())
		}
	}
}
