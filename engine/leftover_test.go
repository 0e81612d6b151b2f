package engine

import (
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Work that is left over: what one command may not do is done by the next ones, whatever they are.

// crowded is a desk with accounts that can pay for everything.
func crowded(t *testing.T, l Limits) *desk {
	t.Helper()
	d := newDesk(t, l)
	d.list(perpetual(1), 100)
	d.list(perpetual(2), 100)
	for id := msg.AccountID(1); id <= 8; id++ {
		d.ok(msg.OpenAccount(id, msg.OwnerID(id|1), msg.AllGroups), msg.Deposit(id, 10_000_000*fixed.Coin))
	}
	return d
}

// TestExpiryInOrder lets orders expire out of the order in which they came: each at the first command at or after its
// time, the earliest first, equals by id.
func TestExpiryInOrder(t *testing.T) {
	d := crowded(t, Limits{Instruments: 2, Accounts: 9})
	gtd := func(at fixed.Nanos) msg.OrderID {
		return d.order(with(msg.Place(1, 1, msg.Buy, 90, 1, msg.OrderExt{Expire: at}), 0, msg.GTD))
	}
	d.at = 5
	late, early, equal, never := gtd(30), gtd(10), gtd(10), d.order(msg.Limit(1, 1, msg.Buy, 90, 1))
	d.refused(msg.RejectValueOutOfRange, with(msg.Place(1, 1, msg.Buy, 90, 1, msg.OrderExt{Expire: 5}), 0, msg.GTD))
	d.ok(with(msg.Place(1, 1, msg.Buy, 90, 1, msg.OrderExt{Expire: 6}), 0, msg.GTD))
	d.at = 9
	if d.do(msg.Tick()); d.count(msg.Expired) != 1 {
		t.Fatalf("at 9: %d expired, want the one of 6", d.count(msg.Expired))
	}
	d.at = 10
	d.do(msg.Tick())
	if d.count(msg.Expired) != 2 || d.last[0].Order != early || d.last[1].Order != equal || d.last[2].Kind != msg.Ticked {
		t.Fatalf("at 10: %v", d.last)
	}
	d.refused(msg.RejectTooLate, msg.Cancel(1, 1, early))
	d.at = 29
	if d.do(msg.Limit(2, 1, msg.Sell, 90, 1)); d.count(msg.Expired) != 0 || d.last[1].Order != late {
		t.Fatalf("at 29: %v", d.last)
	}
	d.at = 1000
	if d.do(msg.Tick()); d.count(msg.Expired) != 0 || d.OpenOrders() != 1 || d.First(1, msg.Buy) != never {
		t.Fatalf("at the end: %v", d.last)
	}
	d.sound()
}

// TestExpiryOfMany lets more orders expire at once than one command takes out. Until they are out nobody trades with them,
// and nobody sees one come back.
func TestExpiryOfMany(t *testing.T) {
	d := crowded(t, Limits{Instruments: 2, Accounts: 9, Events: 512})
	const many = 1000
	for i := range fixed.Ticks(many) {
		d.ok(with(msg.Place(1+msg.AccountID(i%3), 1, msg.Sell, 101+i%5, 1, msg.OrderExt{Expire: 10 + fixed.Nanos(i%7)}), 0, msg.GTD))
	}
	stays := d.order(msg.Limit(4, 1, msg.Sell, 103, 7))
	d.at = 20
	expired, seen := 0, map[msg.OrderID]bool{}
	take := func(c msg.Command) {
		d.do(c)
		for _, e := range d.last {
			if e.Kind == msg.Expired {
				expired++
				if seen[e.Order] {
					t.Fatalf("%x expired twice", uint64(e.Order))
				}
				seen[e.Order] = true
			}
		}
		if d.count(msg.Expired) == many || len(d.last) > 512 {
			t.Fatalf("%d events in one command", len(d.last))
		}
		d.sound()
	}
	take(with(msg.Limit(5, 1, msg.Buy, 105, 3), 0, msg.FOK)) // passes them over, as many as it may meet, and is refused or filled
	if r := refusal(d.last); r != 0 && r != msg.RejectUnfillable {
		t.Fatalf("%s", r.Name())
	}
	for range 30 {
		take(msg.Tick())
	}
	if expired != many || d.OpenOrders() != 1 && d.First(1, msg.Sell) != stays {
		t.Fatalf("%d expired and %d orders left, want %d and one", expired, d.OpenOrders(), many)
	}
	take(with(msg.Limit(5, 1, msg.Buy, 103, 4), 0, msg.FOK))
	if d.count(msg.Traded) != 2 {
		t.Fatalf("%v", d.last)
	}
}

// TestTakerMeetsExpired holds that a maker whose time has come is passed over, though left-over work has not come to it.
func TestTakerMeetsExpired(t *testing.T) {
	d := crowded(t, Limits{Instruments: 2, Accounts: 9, Events: 256})
	for range 200 { // so many that the first command cannot take them all
		d.ok(with(msg.Place(1, 2, msg.Sell, 101, 1, msg.OrderExt{Expire: 10}), 0, msg.GTD))
	}
	d.ok(with(msg.Place(2, 1, msg.Sell, 101, 5, msg.OrderExt{Expire: 11}), 0, msg.GTD), msg.Limit(3, 1, msg.Sell, 101, 5))
	d.at = 12
	d.do(msg.Limit(4, 1, msg.Buy, 101, 5))
	p, _ := d.Position(4, 1)
	maker, _ := d.Position(3, 1)
	if p.Qty != 5 || maker.Qty != -5 {
		t.Fatalf("taker %+v, maker %+v", p, maker)
	}
	if _, held := d.Position(2, 1); held {
		t.Fatal("the expired maker still rests")
	}
	d.sound()
}

// TestMassCancelOfMany cancels more orders than one command does while orders come, trade and leave. What was there goes,
// what came stays, and one MassCanceled tells how many went.
func TestMassCancelOfMany(t *testing.T) {
	for _, kill := range []bool{false, true} {
		d := crowded(t, Limits{Instruments: 2, Accounts: 9, Events: 256})
		old := map[msg.OrderID]bool{}
		var list []msg.OrderID
		for i := range fixed.Ticks(900) {
			c := msg.Limit(1, 1+msg.InstrumentID(i%2), msg.Buy, 90+i%9, 2)
			if i%3 == 0 {
				c.Side, c.Price = msg.Sell, 110+i%9
			}
			id := d.order(c)
			old[id] = true
			list = append(list, id)
		}
		canceled, gone, told := 0, 0, fixed.Lots(-1)
		look := func() {
			for i := range d.last {
				switch e := &d.last[i]; e.Kind {
				case msg.Canceled:
					if want := msg.CanceledByMass; old[e.Order] && e.Account == 1 && (e.Reason == want || e.Reason == msg.CanceledByKill) {
						canceled++
						if e.Change().Request != 77 {
							t.Fatalf("%s", e.String())
						}
					}
					delete(old, e.Order)
				case msg.Traded:
					if e.Fill().Leaves == 0 {
						delete(old, e.Order)
					}
				case msg.MassCanceled:
					if told = e.Qty; e.Ref != 77 || e.Account != 1 {
						t.Fatalf("%s", e.String())
					}
				}
			}
		}
		ask := msg.CancelAll(1, 0, 0)
		if kill {
			ask = msg.SetEntry(1, 0, msg.Entry{Scope: msg.ScopeAccount, Action: msg.BlockAndCancel})
		}
		ask.Ref = 77
		d.do(ask)
		look()
		fresh := map[msg.OrderID]bool{}
		for i := 0; told < 0; i++ {
			switch i % 4 {
			case 0: // a new one comes
				if d.do(msg.Limit(1, 1, msg.Buy, 95, 1)); d.count(msg.Accepted) == 1 {
					fresh[d.last[len(d.last)-1].Order] = true
				} else if !kill {
					t.Fatalf("%v", d.last)
				}
			case 1: // some trade, from the front
				d.do(with(msg.Limit(2, 1, msg.Sell, 90, 3), 0, msg.IOC))
			case 2: // one leaves by itself
				d.do(msg.Cancel(1, 1+msg.InstrumentID((899-i)%2), list[899-i]))
				gone++
			case 3: // the oldest is changed
				d.do(msg.Amend(1, 1, list[0], 89, 5))
			}
			look()
			d.sound()
			if i > 100 {
				t.Fatal("the mass cancel does not end")
			}
		}
		if len(old) != 0 || int(told) != canceled || canceled < 300 {
			t.Fatalf("kill %v: %d are left, %d canceled, told %d", kill, len(old), canceled, told)
		}
		for id := range fresh {
			if d.store.Find(id) == 0 && kill {
				t.Fatal("an order came in while entry was blocked")
			}
		}
		if kill {
			d.ok(msg.SetEntry(1, 0, msg.Entry{Scope: msg.ScopeAccount, Action: msg.Unblock}))
		}
	}
}

// TestKillSwitchStaysUntilEmpty holds that a scope which is being emptied cannot be opened, and can be when it is empty.
func TestKillSwitchStaysUntilEmpty(t *testing.T) { // W-45
	for _, scope := range []msg.Scope{msg.ScopeAccount, msg.ScopeOwner, msg.ScopeInstrument, msg.ScopeVenue} {
		d := crowded(t, Limits{Instruments: 2, Accounts: 9, Events: 256})
		for i := range 600 {
			id := msg.AccountID(2) // and 3, which is the same owner's
			if scope != msg.ScopeAccount && i%2 == 1 {
				id = 3
			}
			d.ok(msg.Limit(id, 1, msg.Buy, 90, 1))
		}
		stays := d.order(msg.Limit(4, 2, msg.Buy, 90, 1))
		turn := func(a msg.Action) msg.Command {
			return msg.SetEntry(2, 1, msg.Entry{Scope: scope, Action: a, Owner: 3})
		}
		d.ok(turn(msg.BlockAndCancel))
		d.refused(msg.RejectEntryBlocked, turn(msg.Unblock))
		d.refused(msg.RejectEntryBlocked, turn(msg.ReduceEntry))
		d.ok(turn(msg.Block))
		d.refused(msg.RejectEntryBlocked, msg.Limit(2, 1, msg.Buy, 95, 1))
		for d.jobs.count > 0 {
			d.do(msg.Tick())
		}
		for id := msg.AccountID(2); id <= 3; id++ {
			if p, _ := d.Position(id, 1); p.Open != 0 {
				t.Fatalf("scope %d: %d orders of account %d are left", scope, p.Open, id)
			}
		}
		if rests := d.store.Find(stays) != 0; rests != (scope != msg.ScopeVenue) {
			t.Fatalf("scope %d: another owner's order in another instrument rests: %v", scope, rests)
		}
		d.ok(turn(msg.Unblock), msg.Limit(2, 1, msg.Buy, 95, 1))
		d.sound()
	}
}

// TestReduceOnlyIsShed closes a position in each way in which it can close: its reduce-only orders go with it, others stay.
func TestReduceOnlyIsShed(t *testing.T) {
	for _, c := range []struct {
		name  string
		close func(*desk)
		qty   fixed.Lots // of account 1 after it
	}{
		{"as a taker", func(d *desk) { d.ok(msg.Limit(2, 1, msg.Buy, 99, 10), msg.Limit(1, 1, msg.Sell, 99, 10)) }, 0},
		{"as a maker", func(d *desk) { d.ok(msg.Limit(1, 1, msg.Sell, 100, 10), msg.Limit(2, 1, msg.Buy, 100, 10)) }, 0},
		{"turned as a taker", func(d *desk) { d.ok(msg.Limit(2, 1, msg.Buy, 99, 14), msg.Limit(1, 1, msg.Sell, 99, 14)) }, -4},
		{"turned as a maker", func(d *desk) { d.ok(msg.Limit(1, 1, msg.Sell, 100, 14), msg.Limit(2, 1, msg.Buy, 100, 14)) }, -4},
		{"by one of them", func(d *desk) { d.ok(msg.Limit(2, 1, msg.Buy, 101, 20)) }, 0},
	} {
		d := crowded(t, Limits{Instruments: 2, Accounts: 9, Events: 256})
		d.ok(msg.Limit(3, 1, msg.Sell, 100, 10), msg.Limit(1, 1, msg.Buy, 100, 10))
		shed := 0
		for range 150 {
			d.order(with(msg.Limit(1, 1, msg.Sell, 101, 3), msg.FlagReduceOnly, msg.GTC))
		}
		d.ok(msg.Limit(1, 1, msg.Sell, 120, 3), msg.Limit(1, 2, msg.Sell, 120, 3), msg.Limit(1, 1, msg.Buy, 50, 3))
		count := func() {
			for i := range d.last {
				if e := &d.last[i]; e.Kind == msg.Canceled && e.Reason == msg.CanceledReduceOnly && e.Change().Leaves == 0 {
					shed++
				}
			}
		}
		c.close(d)
		count()
		d.sound()
		for range 8 {
			d.do(msg.Tick())
			count()
			d.sound()
		}
		p, _ := d.Position(1, 1)
		if p.Qty != c.qty || p.Open != 2 && c.name != "by one of them" {
			t.Errorf("%s: %+v, %d shed", c.name, p, shed)
		}
		if c.name == "by one of them" && (p.Open != 2 || shed < 140) {
			t.Errorf("%s: %+v, %d shed", c.name, p, shed)
		}
	}
}

// TestReduceOnlyIsCut holds a resting reduce-only order to what it can reduce when somebody meets it.
func TestReduceOnlyIsCut(t *testing.T) {
	d := crowded(t, Limits{Instruments: 2, Accounts: 9})
	d.ok(msg.Limit(3, 1, msg.Sell, 100, 10), msg.Limit(1, 1, msg.Buy, 100, 10))
	first := d.order(with(msg.Limit(1, 1, msg.Sell, 101, 99), msg.FlagReduceOnly, msg.GTC))
	if d.last[0].Qty != 10 {
		t.Fatalf("accepted with %d lots, want 10: what there is to reduce", d.last[0].Qty)
	}
	d.ok(msg.Limit(2, 1, msg.Buy, 99, 4), msg.Limit(1, 1, msg.Sell, 99, 4)) // 6 are left
	d.ok(msg.Limit(4, 1, msg.Buy, 101, 8))
	if d.last[1].Kind != msg.Canceled || d.last[1].Order != first || d.last[1].Qty != 4 || d.last[1].Change().Leaves != 6 || d.last[2].Qty != 6 {
		t.Fatalf("%v", d.last)
	}
	if p, held := d.Position(1, 1); held {
		t.Fatalf("%+v", p)
	}
	if p, _ := d.Position(4, 1); p.Qty != 6 || p.Buys != 2 {
		t.Fatalf("%+v", p)
	}
	d.sound()
}
