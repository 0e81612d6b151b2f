package riskgate_test

import (
	"slices"
	"testing"

	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// fault is one reason to refuse an order: what has to be so before it comes, and what is wrong with the order itself.
type fault struct {
	name   string
	reject msg.Reject
	set    func(*desk)
	spoil  func(*msg.Command)
	never  []string // faults that cannot be together with it, for each takes the ground of the other
}

// faults can be combined at will, but for those that never go together. The order they spoil buys 10 lots at 100 of
// instrument 1, for account 1.
var faults = []fault{
	{name: "reserved bit", reject: msg.RejectReservedBits, spoil: func(c *msg.Command) { c.Flags |= 1 << 11 }},
	{name: "mode out of range", reject: msg.RejectValueOutOfRange, spoil: func(c *msg.Command) { c.STP = msg.STPNone + 1 }},
	{name: "too fast", reject: msg.RejectRateLimited, set: func(d *desk) {
		d.ok(msg.SetRule(0, msg.MessageBurst, 1), msg.SetRule(0, msg.MessageRate, 1))
		d.do(msg.Limit(1, 9, msg.Buy, 1, 1))
		d.do(msg.Limit(4, 9, msg.Buy, 1, 1))
	}, never: []string{"unknown account"}},
	{name: "foreign session", reject: msg.RejectNotPermitted, spoil: func(c *msg.Command) { c.Session = 7 }, never: []string{"old client id"}},
	{name: "foreign group", reject: msg.RejectNotPermitted, set: func(d *desk) {
		d.ok(msg.OpenAccount(1, 2, 1<<5), msg.OpenAccount(4, 4, 1<<5))
	}, never: []string{"unknown account", "unknown instrument"}},
	{name: "kill switch", reject: msg.RejectEntryBlocked, set: func(d *desk) {
		d.ok(msg.SetEntry(0, 0, msg.Entry{Scope: msg.ScopeVenue, Action: msg.Block}))
	}, never: []string{"unknown account", "reduce-only entry"}},
	{name: "unknown account", reject: msg.RejectUnknownAccount, spoil: func(c *msg.Command) { c.Account = 88 }},
	{name: "old client id", reject: msg.RejectDuplicateClientID, spoil: func(c *msg.Command) { c.Ref = 5 }},
	{name: "unknown instrument", reject: msg.RejectUnknownInstrument, spoil: func(c *msg.Command) { c.Instr = 9 }},
	{name: "off tick", reject: msg.RejectOffTick, set: func(d *desk) { d.ok(msg.SetRule(1, msg.PriceStep, 7)) }},
	{name: "off lot", reject: msg.RejectOffLot, set: func(d *desk) { d.ok(msg.SetRule(1, msg.QtyStep, 7)) }},
	{name: "large", reject: msg.RejectOrderSizeLimit, set: func(d *desk) { d.ok(msg.SetRule(1, msg.MaxOrderQty, 9)) }},
	{name: "beyond money", reject: msg.RejectOverflow, spoil: func(c *msg.Command) { c.Qty = 1 << 54 }},
	{name: "dear", reject: msg.RejectNotionalLimit, set: func(d *desk) { d.ok(msg.SetRule(1, msg.MaxOrderNotional, 1)) }},
	{name: "one of many", reject: msg.RejectOpenOrderLimit, set: func(d *desk) { d.ok(msg.SetRule(1, msg.MaxOpenOrders, 1)) }},
	{name: "halted", reject: msg.RejectMarketHalted, set: func(d *desk) { d.ok(msg.SetPhase(1, msg.Halted)) }},
	{name: "frozen", reject: msg.RejectOracleFrozen, set: func(d *desk) {
		d.ok(msg.ReportPrice(msg.Report{Underlying: 1, Source: 2, Price: fixed.Coin, Confidence: fixed.One}))
	}, never: []string{"nothing to reduce"}}, // what may only reduce is let in
	{name: "no room to keep it", reject: msg.RejectStorageReduceOnly, set: func(d *desk) { d.ok(msg.SetStorage(msg.StorageSoft)) },
		never: []string{"nothing to reduce"}},
	{name: "outside the band", reject: msg.RejectPriceOutsideBand, set: func(d *desk) {
		d.ok(msg.SetMark(1, 80), msg.SetRule(1, msg.Band, int64(fixed.Percent)))
	}},
	{name: "isolated beside cross", reject: msg.RejectModeConflict, spoil: func(c *msg.Command) { c.Flags |= msg.FlagIsolated },
		never: []string{"unknown account", "poor"}}, // accounts without an order
	{name: "nothing to reduce", reject: msg.RejectWouldNotReduce, spoil: func(c *msg.Command) { c.Flags |= msg.FlagReduceOnly },
		// what the rest of the gate looks at is an order that is cut to what it reduces
		never: []string{"beyond the position cap", "beyond the interest cap", "reduce-only entry", "poor", "below initial", "crosses", "no row"}},
	{name: "beyond the position cap", reject: msg.RejectPositionLimit, set: func(d *desk) { d.ok(msg.SetRule(1, msg.MaxPosition, 9)) }},
	{name: "beyond the interest cap", reject: msg.RejectOpenInterestLimit, set: func(d *desk) { d.ok(msg.SetRule(1, msg.MaxOpenInterest, 9)) }},
	{name: "reduce-only entry", reject: msg.RejectAccountReduceOnly, set: func(d *desk) {
		d.ok(msg.SetEntry(0, 1, msg.Entry{Scope: msg.ScopeInstrument, Action: msg.ReduceEntry}))
	}},
	{name: "below initial", reject: msg.RejectAccountReduceOnly, set: func(d *desk) {
		d.ok(msg.SetMark(2, 900), msg.SetMark(2, 47_000)) // 78,000 of 94,000, and maintenance is 47,000
	}},
	{name: "poor", reject: msg.RejectInsufficientMargin, spoil: func(c *msg.Command) { c.Account = 4 }, never: []string{"unknown account", "one of many", "below initial"}},
	{name: "crosses", reject: msg.RejectWouldCross, spoil: func(c *msg.Command) { c.Flags |= msg.FlagPostOnly }, never: []string{"outside the band"}},
	{name: "no row", reject: msg.RejectTableFull, set: func(d *desk) {
		for d.OpenOrders() < d.Limits().Orders {
			d.ok(msg.Limit(3, 1, msg.Buy, 10, 1))
		}
	}},
}

// turn is when a fault is set: a table is filled before orders are refused, a quota is spent when all else is said.
func (f *fault) turn() int {
	switch f.name {
	case "no row":
		return 0
	case "too fast":
		return 2
	}
	return 1
}

// stage is a desk on which the order passes: account 1 is short in instrument 2 and has an order resting, account 4 is
// poor, somebody sells at 100.
func stage(t *testing.T) *desk {
	t.Helper()
	d := newDesk(t, engine.Limits{Instruments: 2, Accounts: 6, Orders: 8, Events: 256})
	first := perpetual(1)
	first.Underlying = 1
	d.ok(msg.ListUnderlying(msg.Underlying{ID: 1, Sources: 3}))
	d.list(first, 100)
	d.list(perpetual(2), 900)
	for id := msg.AccountID(1); id <= 3; id++ {
		d.ok(msg.OpenAccount(id, max(2, msg.OwnerID(id)), msg.AllGroups), msg.Deposit(id, 1_000_000*fixed.Coin))
	}
	d.ok(msg.Deposit(4, 1), msg.Limit(3, 2, msg.Buy, 900, 20), msg.Limit(1, 2, msg.Sell, 900, 20), msg.Limit(1, 1, msg.Buy, 20, 1),
		msg.Limit(3, 1, msg.Sell, 100, 50), by(msg.Limit(3, 1, msg.Buy, 20, 1), 0, 5))
	return d
}

func together(chosen []int) bool {
	for _, i := range chosen {
		for _, j := range chosen {
			if i != j && slices.Contains(faults[i].never, faults[j].name) {
				return false
			}
		}
	}
	return true
}

// try applies the order with faults and returns the answer, and the one that stands first in the order of precedence.
func try(t *testing.T, chosen []int) (got, want msg.Reject) {
	d := stage(t)
	c := msg.Limit(1, 1, msg.Buy, 100, 10)
	for turn := range 3 {
		for _, i := range chosen {
			if f := &faults[i]; f.turn() == turn && f.set != nil {
				f.set(d)
			}
		}
	}
	for _, i := range chosen {
		f := &faults[i]
		if want == 0 || f.reject < want {
			want = f.reject
		}
		if f.spoil != nil {
			f.spoil(&c)
		}
	}
	return d.do(c), want
}

// TestPrecedence combines reasons to refuse, two by two and three by three: the first in the order of msg.Reject answers,
// so that one input has one code.
func TestPrecedence(t *testing.T) { // W-59, M-18
	if r := stage(t).do(msg.Limit(1, 1, msg.Buy, 100, 10)); r != 0 {
		t.Fatalf("the order without a fault: %s", r.Name())
	}
	tried := 0
	check := func(chosen ...int) {
		t.Helper()
		if !together(chosen) {
			return
		}
		tried++
		if got, want := try(t, chosen); got != want {
			var names []string
			for _, i := range chosen {
				names = append(names, faults[i].name)
			}
			t.Errorf("%q: %q, want %q", names, got.Name(), want.Name())
		}
	}
	for i := range faults {
		check(i)
		for j := range i {
			check(i, j)
			for k := range j {
				check(i, j, k)
			}
		}
	}
	t.Logf("%d combinations", tried)
}

// TestPrecedenceOfAmends does the same for what can be wrong with an amend that loses its place.
func TestPrecedenceOfAmends(t *testing.T) { // W-59
	d := stage(t)
	id := d.order(msg.Limit(1, 1, msg.Buy, 90, 10))
	amend := msg.Amend(1, 1, id, 95, 12)
	gone := msg.Amend(1, 1, id+5, 95, 12)
	d.no(msg.RejectValueOutOfRange, msg.Amend(88, 9, id+5, 0, 12))
	d.no(msg.RejectUnknownAccount, msg.Amend(88, 9, id+5, 95, 12))
	d.no(msg.RejectNotPermitted, by(gone, 7, 0))
	d.no(msg.RejectDuplicateClientID, by(gone, 0, 5))
	d.no(msg.RejectUnknownInstrument, msg.Amend(1, 9, id+5, 95, 12))
	d.no(msg.RejectUnknownOrder, gone, msg.Amend(3, 1, id, 95, 12), msg.Amend(1, 2, id, 95, 12))
	steps := []struct {
		set  msg.Command
		want msg.Reject
	}{
		{msg.SetEntry(1, 1, msg.Entry{Scope: msg.ScopeInstrument, Action: msg.ReduceEntry}), msg.RejectAccountReduceOnly},
		{msg.SetRule(1, msg.MaxPosition, 9), msg.RejectPositionLimit},
		{msg.SetRule(1, msg.Band, 1), 0},
		{msg.SetMark(1, 90), msg.RejectPriceOutsideBand},
		{msg.SetPhase(1, msg.Halted), msg.RejectMarketHalted},
		{msg.SetRule(1, msg.MaxOrderNotional, 1), msg.RejectNotionalLimit},
		{msg.SetRule(1, msg.MaxOrderQty, 11), msg.RejectOrderSizeLimit},
		{msg.SetRule(1, msg.QtyStep, 7), msg.RejectOffLot},
		{msg.SetRule(1, msg.PriceStep, 7), msg.RejectOffTick},
		{msg.SetEntry(1, 1, msg.Entry{Scope: msg.ScopeInstrument, Action: msg.Block}), msg.RejectEntryBlocked},
		{msg.OpenAccount(1, 2, 1<<5), msg.RejectNotPermitted},
	}
	for _, s := range steps { // each stands before those that came up to it
		d.ok(s.set)
		if s.want != 0 {
			d.no(s.want, amend)
		}
	}
}
