package engine

import (
	"strings"
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Every table is bounded at birth, and full is a refusal like any other: nothing is lost, and one more is to be had again
// after one was given back.

// full refuses a command for want of a row, and holds that nothing has changed.
func (d *desk) full(want msg.Reject, c msg.Command) {
	d.t.Helper()
	o := observer{desk: d}
	o.settled()
	before := o.fingerprint()
	d.refused(want, c)
	if o.fingerprint() != before {
		d.t.Fatalf("%s: refused, and yet something has changed", c.String())
	}
	d.sound()
}

func TestOrdersFull(t *testing.T) {
	d := newDesk(t, Limits{Instruments: 1, Accounts: 3, Orders: 10})
	d.list(perpetual(1), 100)
	d.ok(msg.Deposit(1, 1_000*fixed.Coin), msg.Deposit(2, 1_000*fixed.Coin))
	var ids []msg.OrderID
	for i := range fixed.Ticks(10) {
		ids = append(ids, d.order(msg.Limit(1, 1, msg.Buy, 90+i%3, 1)))
	}
	d.full(msg.RejectTableFull, msg.Limit(1, 1, msg.Buy, 90, 1))
	d.full(msg.RejectTableFull, with(msg.Limit(2, 1, msg.Sell, 92, 1), 0, msg.IOC)) // a taker needs a row as well
	d.ok(msg.Amend(1, 1, ids[3], 91, 2), msg.Cancel(1, 1, ids[4]), msg.Limit(2, 1, msg.Sell, 92, 2))
	if d.OpenOrders() != 7 {
		t.Errorf("%d orders rest, want 7", d.OpenOrders())
	}
	d.sound()
}

func TestLevelsFull(t *testing.T) {
	d := newDesk(t, Limits{Instruments: 2, Accounts: 3, Orders: 100, Levels: 4})
	d.list(perpetual(1), 100)
	d.list(perpetual(2), 100)
	d.ok(msg.Deposit(1, 1_000*fixed.Coin), msg.Deposit(2, 1_000*fixed.Coin), msg.Limit(1, 1, msg.Buy, 90, 1), msg.Limit(1, 1, msg.Buy, 91, 1),
		msg.Limit(1, 2, msg.Buy, 91, 1), msg.Limit(2, 1, msg.Sell, 101, 3))
	id := d.order(msg.Limit(1, 1, msg.Buy, 90, 1))
	d.full(msg.RejectTableFull, msg.Limit(1, 1, msg.Buy, 92, 1))
	d.full(msg.RejectTableFull, msg.Limit(1, 2, msg.Sell, 110, 1))
	d.full(msg.RejectTableFull, msg.Amend(1, 1, id, 93, 1))
	d.full(msg.RejectTableFull, msg.Limit(1, 1, msg.Buy, 101, 9)) // what is left of it would need a level
	d.ok(msg.Limit(1, 1, msg.Buy, 91, 1), with(msg.Limit(1, 1, msg.Buy, 101, 9), 0, msg.IOC), msg.Limit(1, 1, msg.Buy, 92, 1))
	d.sound()
}

func TestPositionsFull(t *testing.T) {
	d := newDesk(t, Limits{Instruments: 4, Accounts: 4, Positions: 5, AccountPositions: 2})
	for id := msg.InstrumentID(1); id <= 3; id++ {
		d.list(perpetual(id), 100)
	}
	d.list(market.Spec{ID: 4, Type: msg.Spot, TickLot: 1}, 100)
	for id := msg.AccountID(1); id <= 4; id++ {
		d.ok(msg.Deposit(id, 1_000*fixed.Coin))
	}
	d.ok(msg.Limit(1, 1, msg.Buy, 90, 1), msg.Limit(1, 2, msg.Buy, 90, 1))
	d.full(msg.RejectTableFull, msg.Limit(1, 3, msg.Buy, 90, 1)) // the account has two
	d.full(msg.RejectTableFull, msg.DepositAsset(1, 4, 1))
	d.ok(msg.Limit(2, 1, msg.Buy, 90, 1), msg.DepositAsset(2, 4, 5), msg.Limit(3, 1, msg.Sell, 110, 1))
	d.full(msg.RejectTableFull, msg.Limit(3, 2, msg.Buy, 80, 1)) // all five are taken
	d.full(msg.RejectTableFull, with(msg.Limit(4, 1, msg.Buy, 110, 1), 0, msg.IOC))
	d.full(msg.RejectTableFull, msg.DepositAsset(3, 4, 1))
	d.ok(msg.WithdrawAsset(2, 4, 5), msg.Limit(3, 2, msg.Buy, 80, 1))
	d.full(msg.RejectTableFull, msg.DepositAsset(4, 4, 1))
	d.ok(msg.CancelAll(3, 0, 0), msg.DepositAsset(4, 4, 1), msg.Limit(1, 1, msg.Buy, 90, 3))
	d.sound()
}

func TestAccountsFull(t *testing.T) {
	d := newDesk(t, Limits{Accounts: 3, OwnerAccounts: 2, Sessions: 3})
	d.ok(msg.Deposit(3, 5), msg.OpenAccount(1, 2, msg.AllGroups), msg.OpenAccount(2, 2, msg.AllGroups))
	d.full(msg.RejectUnknownAccount, msg.Deposit(4, 5))
	d.full(msg.RejectUnknownAccount, msg.OpenAccount(4, 1, msg.AllGroups))
	d.full(msg.RejectUnknownAccount, msg.OpenAccount(1, 4, msg.AllGroups))
	d.full(msg.RejectUnknownAccount, msg.OpenAccount(0, 1, msg.AllGroups))
	d.full(msg.RejectInvalidParameter, msg.OpenAccount(3, 2, msg.AllGroups))
	d.full(msg.RejectTableFull, msg.OpenSession(3, 2))
	d.full(msg.RejectTableFull, msg.CloseSession(0))
	d.ok(msg.OpenSession(2, 2), msg.CloseSession(2))

	d = newDesk(t, Limits{Accounts: 5, OwnerAccounts: 2})
	d.ok(msg.OpenAccount(1, 2, msg.AllGroups), msg.OpenAccount(3, 2, msg.AllGroups))
	d.full(msg.RejectTableFull, msg.OpenAccount(4, 2, msg.AllGroups))
	d.full(msg.RejectUnknownAccount, msg.Deposit(2, 5)) // which would be its own owner, and that has two
	d.ok(msg.OpenAccount(3, 2, 0b1), msg.Deposit(5, 5))
}

func TestInstrumentsFull(t *testing.T) {
	d := newDesk(t, Limits{Instruments: 2, Accounts: 2})
	listing := msg.Listing{Type: msg.Spot, TickLot: 1}
	d.ok(msg.List(1, listing), msg.List(2, listing))
	d.full(msg.RejectTableFull, msg.List(3, listing))
	d.full(msg.RejectTableFull, msg.List(0, listing))
	d.full(msg.RejectInvalidParameter, msg.List(2, listing))
}

func TestJobsFull(t *testing.T) {
	d := newDesk(t, Limits{Instruments: 1, Accounts: 8, Events: 256, Jobs: 2})
	d.list(perpetual(1), 100)
	for id := msg.AccountID(1); id <= 4; id++ {
		d.ok(msg.Deposit(id, 100_000*fixed.Coin))
	}
	for range 1500 {
		d.ok(msg.Limit(1, 1, msg.Buy, 90, 1))
	}
	d.ok(msg.Limit(2, 1, msg.Buy, 91, 1), msg.Limit(3, 1, msg.Buy, 91, 1))
	d.do(msg.CancelAll(1, 0, 0))
	d.do(msg.CancelAll(2, 0, 0))
	if d.jobs.count != 2 {
		t.Fatalf("%d jobs under way, want 2", d.jobs.count)
	}
	d.refused(msg.RejectTableFull, msg.CancelAll(3, 0, 0))
	d.refused(msg.RejectRateLimited, msg.CancelAll(1, 0, 0))
	d.ok(msg.SetEntry(3, 0, msg.Entry{Scope: msg.ScopeAccount, Action: msg.BlockAndCancel})) // the kill switch has room of its own
	if _, open := d.Position(3, 1); open {
		t.Error("the kill switch waits behind mass cancels")
	}
	for d.jobs.count > 0 {
		d.do(msg.Tick())
	}
	d.ok(msg.CancelAll(3, 0, 0))
	if d.OpenOrders() != 0 {
		t.Errorf("%d orders are left", d.OpenOrders())
	}
	d.sound()
}

// TestEventsFull sweeps more makers than one command may tell of: the rest is canceled with a reason of its own, and what
// is told fits.
func TestEventsFull(t *testing.T) {
	d := newDesk(t, Limits{Instruments: 1, Accounts: 4, Events: 256})
	d.list(perpetual(1), 100)
	d.ok(msg.Deposit(1, 100_000*fixed.Coin), msg.Deposit(2, 100_000*fixed.Coin))
	for range 400 {
		d.ok(msg.Limit(1, 1, msg.Sell, 101, 1))
	}
	total := fixed.Lots(0)
	for total < 400 {
		d.ok(msg.Limit(2, 1, msg.Buy, 101, 400-total))
		if len(d.last) > 256 {
			t.Fatalf("%d events", len(d.last))
		}
		p, _ := d.Position(2, 1)
		if p.Qty == total {
			t.Fatal("nothing was traded")
		}
		total = p.Qty
		if end := d.last[len(d.last)-1]; total < 400 && (end.Kind != msg.Canceled || end.Reason != msg.CanceledEventBound || end.Qty != 400-total) {
			t.Fatalf("the last event is %s", end.String())
		}
		if p.Open != 0 {
			t.Fatal("an order rests behind what it crosses")
		}
		d.sound()
	}
}

// TestDepositsFull holds that the venue takes no more money and no more of an asset than its sums can hold.
func TestDepositsFull(t *testing.T) {
	d := newDesk(t, Limits{Instruments: 1, Accounts: 3})
	d.list(market.Spec{ID: 1, Type: msg.Spot, TickLot: 1}, 1)
	d.ok(msg.Deposit(1, 1<<61-10), msg.Deposit(2, 10))
	d.full(msg.RejectOverflow, msg.Deposit(2, 1))
	d.ok(msg.Withdraw(1, 3), msg.Deposit(2, 3))
	d.full(msg.RejectOverflow, msg.Deposit(1, 1))
	d.ok(msg.DepositAsset(1, 1, 1<<60-1), msg.DepositAsset(2, 1, 1))
	d.full(msg.RejectOverflow, msg.DepositAsset(2, 1, 1))
}

// TestLimitsAreChecked holds every limit to its range, and the defaults.
func TestLimitsAreChecked(t *testing.T) {
	for _, c := range []struct {
		limits Limits
		want   string // of the error; empty: none
	}{
		{Limits{}, ""},
		{Limits{Instruments: 1 << 16}, "Limits.Instruments is 65536, expected 1..65535"},
		{Limits{Accounts: 1<<30 + 1}, "Limits.Accounts"},
		{Limits{Positions: 1<<30 + 1}, "Limits.Positions"},
		{Limits{Orders: 1<<30 + 1}, "Limits.Orders"},
		{Limits{Levels: 1<<30 + 1}, "Limits.Levels"},
		{Limits{Events: 255}, "Limits.Events is 255, expected 256..65536"},
		{Limits{Events: 1<<16 + 1}, "Limits.Events"},
		{Limits{Underlyings: 1 << 16}, "Limits.Underlyings"},
		{Limits{Sessions: 1<<16 + 1}, "Limits.Sessions"},
		{Limits{AccountPositions: 1 << 16}, "Limits.AccountPositions"},
		{Limits{OwnerAccounts: 1 << 16}, "Limits.OwnerAccounts"},
		{Limits{Jobs: 1<<16 + 1}, "Limits.Jobs"},
	} {
		e, err := New(c.limits)
		switch {
		case c.want == "" && err != nil, c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%+v: %v, want %q", c.limits, err, c.want)
		case err == nil && e.Limits() != Limits{16, 16, 1024, 4096, 1 << 16, 1 << 16, 1 << 11, 256, 256, 64, 64}:
			t.Errorf("defaults: %+v", e.Limits())
		}
	}
}

// TestApplyOutOfSequence holds that a gap in numbers and a time that runs back are faults of the caller.
func TestApplyOutOfSequence(t *testing.T) { // A-14, S-5
	for _, c := range []struct {
		seq msg.Seq
		at  fixed.Nanos
	}{{0, 10}, {1, 10}, {3, 10}, {2, 9}} {
		d := newDesk(t, Limits{Instruments: 1, Accounts: 1, Orders: 10})
		d.at = 10
		d.ok(msg.Tick())
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("seq %d at %d was applied after seq 1 at 10", c.seq, c.at)
				}
			}()
			bad := msg.Tick()
			bad.Seq, bad.Time = c.seq, c.at
			d.Apply(&bad, nil)
		}()
	}
}
