package engine

import (
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// TestWhatIfIsWhatHappens asks before every tenth command of random days what it would do, and compares with what it then
// does; asking changes nothing.
func TestWhatIfIsWhatHappens(t *testing.T) { // I-14, M-75
	asked := 0
	for i, d := range days[:4] {
		seed := xorshift(uint64(i)*0x9E3779B97F4A7C15 + 99)
		t.Logf("%s: seed %#x", d.name, uint64(seed))
		tr, desk := newTrader(d, &seed), newDesk(t, d.limits)
		for _, c := range tr.opening() {
			desk.at = max(c.Time, desk.now)
			tr.see(&c, desk.do(c))
		}
		for k := range 4000 {
			c := tr.next()
			desk.at = max(c.Time, desk.now)
			if k%10 != 0 || c.Ref != 0 || c.Account == 0 || c.Kind == msg.KindTransfer {
				tr.see(&c, desk.do(c))
				continue
			}
			desk.do(msg.Tick()) // the question is put at a time that has come
			before := desk.Hash()
			f := desk.WhatIf(c)
			if desk.Hash() != before {
				t.Fatalf("%s: asking has changed something", c.String())
			}
			events := desk.do(c)
			tr.see(&c, events)
			asked++
			if got := refusal(events); got != f.Reject {
				t.Fatalf("%s: %s was foretold, %s came", c.String(), f.Reject, got)
			}
			filled := fixed.Lots(0)
			for i := range events {
				if events[i].Kind == msg.Traded && events[i].Account == c.Account && !events[i].Fill().Maker {
					filled += events[i].Qty
				}
			}
			account, _ := desk.Account(c.Account)
			position, _ := desk.Position(c.Account, c.Instr)
			if filled != f.Filled || account != f.Account || position != f.Position {
				t.Fatalf("%s:\n%d lots, %+v, %+v were foretold\n%d lots, %+v, %+v came", c.String(), f.Filled, f.Account, f.Position,
					filled, account, position)
			}
		}
	}
	if asked < 500 {
		t.Errorf("%d questions show little", asked)
	}
}

// TestLargest takes the answer at its word: with it an order passes, with one lot more it does not.
func TestLargest(t *testing.T) { // M-16, M-75
	d := newDesk(t, Limits{Instruments: 2, Accounts: 4, Orders: 64, Events: 256})
	d.list(market.Spec{ID: 1, Type: msg.Perpetual, TickLot: 100, Initial: 10 * fixed.Percent, Maintenance: 5 * fixed.Percent, Taker: 5 * fixed.BasisPoint}, 50_000)
	d.ok(msg.Deposit(1, 100*fixed.Coin), msg.Deposit(2, 1000*fixed.Coin))
	for _, c := range []msg.Command{
		msg.Limit(1, 1, msg.Buy, 50_000, 1), msg.Limit(1, 1, msg.Buy, 50_400, 1), msg.Limit(1, 1, msg.Sell, 49_000, 1), msg.Market(1, 1, msg.Buy, 1, 0),
	} {
		before := d.Hash()
		c.Qty = d.Largest(c)
		if d.Hash() != before {
			t.Errorf("%s: asking has changed something", c.String())
		}
		if c.Qty <= 0 {
			t.Errorf("%s: nothing would pass", c.String())
		}
		if f := d.WhatIf(c); f.Reject != 0 {
			t.Errorf("%s: the largest is refused as %s", c.String(), f.Reject)
		}
		c.Qty++
		if f := d.WhatIf(c); f.Reject != msg.RejectInsufficientMargin {
			t.Errorf("%s: one lot above the largest: %q", c.String(), f.Reject.Name())
		}
	}
	if got := d.Largest(msg.Limit(3, 1, msg.Buy, 50_000, 1)); got != 0 {
		t.Errorf("an account that is not open may order %d lots", got)
	}
}

// TestReach meets what a notional takes with an order for it.
func TestReach(t *testing.T) {
	d := newDesk(t, Limits{Instruments: 2, Accounts: 4, Orders: 64, Events: 256})
	d.list(perpetual(1), 100)
	d.ok(msg.Deposit(1, 1_000_000*fixed.Coin), msg.Deposit(2, 1_000_000*fixed.Coin),
		msg.Limit(1, 1, msg.Sell, 101, 5), msg.Limit(1, 1, msg.Sell, 103, 4))
	tickLot := d.instruments[1].TickLot
	for _, c := range []struct {
		ticks fixed.Money // of notional, in tick-lots
		lots  fixed.Lots
		ok    bool
	}{{1, 1, true}, {101, 1, true}, {102, 2, true}, {505, 5, true}, {506, 6, true}, {917, 9, true}, {918, 0, false}} {
		lots, ok := d.Reach(1, msg.Buy, c.ticks*tickLot)
		if lots != c.lots || ok != c.ok {
			t.Errorf("a notional of %d takes %d lots, %v; expected %d, %v", c.ticks, lots, ok, c.lots, c.ok)
		}
	}
	if _, ok := d.Reach(9, msg.Buy, 1); ok {
		t.Error("an instrument that is not listed has depth")
	}
	if f := d.WhatIf(msg.Market(2, 1, msg.Buy, 6, 0)); f.Filled != 6 || f.Paid != 608*tickLot {
		t.Errorf("6 lots would cost %s for %d", f.Paid, f.Filled)
	}
}
