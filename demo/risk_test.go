package demo

import (
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// TestCast holds who is who among the takers, and that each trade finds somebody who may be its taker: a thin one never
// acts against what he believes in.
func TestCast(t *testing.T) {
	for _, takers := range []int{1, 19, 20, 39, 40, 300, 1000} {
		w := &writer{script: &script{accounts: makers + takers}, chance: newOracle(0, 7).chance}
		count := [roles]int{}
		for id := range makers + takers {
			count[roleOf(msg.AccountID(id+1))]++
		}
		if count[maker] != makers || count[thin]+count[lone] != takers/thins {
			t.Errorf("%d takers: %v by role", takers, count)
		}
		believes := map[msg.AccountID]msg.Side{}
		seen := [roles]int{}
		for range 4000 {
			for _, side := range []msg.Side{msg.Buy, msg.Sell} {
				id := w.taker(side)
				if id <= makers || int(id) > makers+takers {
					t.Fatalf("%d takers: account %d", takers, id)
				}
				r := roleOf(id)
				seen[r]++
				if other := side.Opposite(); (r == thin || r == lone) && believes[id] == other {
					t.Fatalf("%d takers: thin account %d buys and sells", takers, id)
				}
				believes[id] = side
			}
		}
		for r := cross; r < roles; r++ {
			if (seen[r] > 0) != (count[r] > 0) && takers != thins {
				t.Errorf("%d takers: %d orders of role %s, which %d have", takers, seen[r], r, count[r])
			}
		}
	}
}

// TestSources holds how far a source errs, when one lies and when one is silent, and that all take turns.
func TestSources(t *testing.T) {
	const mid = 600_000
	o := newOracle(1000, 1)
	lies, silences := 0, 0
	for i := range 1000 {
		at := o.due - o.start
		if o.due != 1000+fixed.Nanos(i+1)*reportEvery {
			t.Fatalf("report %d is due at %d", i, o.due)
		}
		r, ok := o.next(mid)
		if int(r.Source) != i%sources+1 || r.Underlying != underlying || r.Confidence != fixed.One {
			t.Fatalf("report %d: %+v", i, r)
		}
		off := fixed.Ticks(int64(r.Price)/int64(tickLot)/unitLots) - mid
		switch {
		case r.Source == liar+1 && at >= lieFrom && at < lieUntil:
			if lies++; off < mid*7/100 {
				t.Errorf("source %d is off by %d, and ought to lie", r.Source, off)
			}
		case fixed.Abs(off) > errorMax:
			t.Errorf("source %d is off by %d", r.Source, off)
		}
		if !ok {
			if silences++; r.Source != silent+1 || at < silenceFrom || at >= silenceUntil {
				t.Errorf("source %d is silent at %d", r.Source, at)
			}
		}
	}
	if lies != 50 || silences != 50 {
		t.Errorf("%d lies and %d silences, expected 15 s of each at one in 300 ms", lies, silences)
	}
}

// TestDistances holds the edges of the ranges.
func TestDistances(t *testing.T) {
	var d distances
	if name, count := d.nearest(); name != "" || count != 0 {
		t.Errorf("nobody is nearest: %q %d", name, count)
	}
	for _, bound := range bounds {
		d.add(bound - 1)
		d.add(bound)
	}
	if want := (distances{1, 2, 2, 2, 2, 2, 2, 1}); d != want {
		t.Errorf("%v, expected %v", d, want)
	}
	d[0], d[1] = 0, 0
	if name, count := d.nearest(); name != "0.25-0.5%" || count != 2 {
		t.Errorf("nearest %q %d", name, count)
	}
}

// told is a view that is told events by hand: one perpetual of a coin a tick and lot, marked at 100.
type told struct {
	*view
	t *testing.T
}

func newTold(t *testing.T) told {
	v := told{newView(&script{accounts: makers + 60}), t}
	v.instrument.List(msg.Listing{Type: msg.Perpetual, TickLot: fixed.Coin})
	v.instrument.SetMark(100)
	return v
}

func (v told) tell(kind msg.EventKind, id msg.AccountID, fill func(*msg.Event)) {
	ev := msg.Event{Seq: v.seq + 1, Kind: kind, Account: id, Instr: instrument}
	fill(&ev)
	v.fold(&ev)
	v.settle()
}

// trade tells of both sides of one trade of an account with the first maker.
func (v told) trade(id msg.AccountID, side msg.Side, qty fixed.Lots, price fixed.Ticks, fee fixed.Money) {
	v.tell(msg.Traded, id, func(ev *msg.Event) {
		ev.Side, ev.Qty, ev.Price = side, qty, price
		ev.SetFill(&msg.Fill{Fee: fee})
	})
}

func (v told) expect(what string, id msg.AccountID, qty fixed.Lots, equity fixed.Money) {
	v.t.Helper()
	a := v.of(id)
	if got := v.equity(a, &v.instrument); a.exposure.Qty != qty || got != equity*fixed.Coin {
		v.t.Errorf("%s: %d lots and equity %s, expected %d and %d", what, a.exposure.Qty, got, qty, equity)
	}
}

const (
	crossTaker    msg.AccountID = makers + 1
	isolatedTaker msg.AccountID = makers + 4
)

// TestLedger tells a small story of money and works it out by hand.
func TestLedger(t *testing.T) {
	v := newTold(t)
	for _, id := range []msg.AccountID{crossTaker, isolatedTaker} {
		v.tell(msg.Deposited, id, func(ev *msg.Event) { ev.SetBalance(msg.Balance{Amount: 1000 * fixed.Coin}) })
	}
	v.trade(crossTaker, msg.Buy, 10, 101, 3*fixed.Coin)
	v.expect("10 bought at 101, fee 3", crossTaker, 10, 1000-10-3)
	v.trade(isolatedTaker, msg.Sell, 10, 100, 5*fixed.Coin)
	v.tell(msg.MarginMoved, isolatedTaker, func(ev *msg.Event) { ev.SetBalance(msg.Balance{Amount: 100 * fixed.Coin}) })
	v.expect("10 sold at 100, fee 5", isolatedTaker, -10, 1000-5)
	if e, _ := v.pool(v.of(isolatedTaker), &v.instrument); e != 100*fixed.Coin {
		t.Errorf("the child has %s, expected 100", e)
	}

	v.tell(msg.FundingSettled, 0, func(ev *msg.Event) { ev.SetFundingStep(msg.FundingStep{Sum: 2_000_000 * 1_000_000}) })
	v.expect("2 a lot are owed", crossTaker, 10, 987-20)
	v.expect("and not received", isolatedTaker, -10, 995+20)
	v.tell(msg.FundingPaid, crossTaker, func(ev *msg.Event) { ev.SetBalance(msg.Balance{Amount: -20 * fixed.Coin}) })
	v.expect("they are paid", crossTaker, 10, 987-20)
	if v.paid != 20*fixed.Coin || v.received != 0 || v.payments != 1 {
		t.Errorf("paid %s, received %s in %d payments", v.paid, v.received, v.payments)
	}

	// A flip: 10 closed and 5 opened at 98, fee 3, of which the child pays 2. Its equity at 98 is 100 + 20 + 20 - 2.
	v.tell(msg.FundingPaid, isolatedTaker, func(ev *msg.Event) { ev.SetBalance(msg.Balance{Amount: 20 * fixed.Coin}) })
	v.trade(isolatedTaker, msg.Buy, 15, 98, 3*fixed.Coin)
	v.tell(msg.MarginMoved, isolatedTaker, func(ev *msg.Event) { ev.SetBalance(msg.Balance{Amount: (49 - 138) * fixed.Coin}) })
	v.expect("turned", isolatedTaker, 5, 1015+20-3+10)
	if e, _ := v.pool(v.of(isolatedTaker), &v.instrument); e != (49+10)*fixed.Coin {
		t.Errorf("the child has %s, expected 49 posted and a profit of 10", e)
	}
	if v.interest != 15 || v.held != 2 {
		t.Errorf("%d long, %d hold something; expected 15 and 2", v.interest, v.held)
	}
}

// TestLadder tells of a pool that falls from rung to rung, is sold in part, and is taken over.
func TestLadder(t *testing.T) {
	v := newTold(t)
	v.tell(msg.Deposited, crossTaker, func(ev *msg.Event) { ev.SetBalance(msg.Balance{Amount: 100 * fixed.Coin}) })
	v.trade(crossTaker, msg.Buy, 10, 100, 0)
	v.instrument.SetMark(95)
	rung := func(kind msg.EventKind, from, to msg.Rung) {
		v.tell(kind, crossTaker, func(ev *msg.Event) { ev.SetRungStep(&msg.RungStep{From: from, To: to}) })
	}
	expect := func(want rungs) {
		t.Helper()
		if got := v.stand(); got != want {
			t.Errorf("%+v, expected %+v", got, want)
		}
	}
	expect(rungs{ok: 1})
	rung(msg.MarginCall, msg.RungOK, msg.RungCall1)
	expect(rungs{call1: 1})
	rung(msg.MarginCallCleared, msg.RungCall1, msg.RungOK)
	rung(msg.MarginCall, msg.RungOK, msg.RungCall2)
	expect(rungs{call2: 1})
	rung(msg.LiquidationStarted, msg.RungCall2, msg.RungLiquidating)
	expect(rungs{liquidating: 1})

	v.tell(msg.LiquidationSlice, crossTaker, func(ev *msg.Event) {
		ev.Side, ev.Qty, ev.Price = msg.Sell, 4, 94
		ev.SetCloseout(&msg.Closeout{Fee: fixed.Coin, Position: 6})
	})
	for _, price := range []fixed.Ticks{95, 93} { // two makers
		v.tell(msg.Traded, 1, func(ev *msg.Event) {
			ev.Seq, ev.Side, ev.Qty, ev.Price = v.seq, msg.Buy, 2, price
			ev.SetFill(&msg.Fill{Maker: true, Position: 2})
		})
	}
	v.expect("4 of 10 sold for 376, fee 1", crossTaker, 6, 100-50-4-1)
	v.expect("to a maker", 1, 4, 4)
	if l := &v.ladder; l.slices != 1 || l.sold != 4 || l.fees != fixed.Coin || l.calls[msg.RungCall1] != 1 || l.calls[msg.RungCall2] != 1 {
		t.Errorf("%+v", l)
	}

	rung(msg.Takeover, msg.RungLiquidating, msg.RungTakeover)
	expect(rungs{ok: 1}) // the maker
	v.expect("taken over", crossTaker, 0, 0)
	if fund := v.of(msg.FundAccount); fund.exposure.Qty != 6 || v.interest != 10 {
		t.Errorf("the fund holds %d of %d long, expected 6 of 10", fund.exposure.Qty, v.interest)
	}
	v.tell(msg.LiquidationSlice, msg.FundAccount, func(ev *msg.Event) {
		ev.Side, ev.Qty = msg.Sell, 6
		ev.SetCloseout(&msg.Closeout{})
	})
	v.tell(msg.Traded, 1, func(ev *msg.Event) {
		ev.Seq, ev.Side, ev.Qty, ev.Price = v.seq, msg.Buy, 6, 95
		ev.SetFill(&msg.Fill{Maker: true})
	})
	if fund := v.of(msg.FundAccount); fund.exposure.Qty != 0 || v.interest != 10 {
		t.Errorf("the fund holds %d of %d long after it has sold", fund.exposure.Qty, v.interest)
	}
}

// TestDeleveraging tells of a pool that a winner's position closes.
func TestDeleveraging(t *testing.T) {
	v := newTold(t)
	v.trade(crossTaker, msg.Buy, 10, 110, 0)
	v.trade(isolatedTaker+3, msg.Sell, 10, 110, 0)
	v.tell(msg.AdlStarted, crossTaker, func(ev *msg.Event) { ev.SetRungStep(&msg.RungStep{From: msg.RungLiquidating, To: msg.RungADL}) })
	if got := v.stand(); got.liquidating != 1 {
		t.Errorf("%+v, expected one that is being closed", got)
	}
	v.tell(msg.AdlFill, isolatedTaker+3, func(ev *msg.Event) {
		ev.Qty, ev.Price = 10, 105
		ev.SetCloseout(&msg.Closeout{Position: 0, Rank: 1})
	})
	v.expect("closed at 105", isolatedTaker+3, 0, 50)
	v.expect("and with it", crossTaker, 0, 0)
	v.tell(msg.Socialized, isolatedTaker+3, func(ev *msg.Event) { ev.SetBalance(msg.Balance{Amount: 7 * fixed.Coin}) })
	v.expect("its gain is cut", isolatedTaker+3, 0, 43)
	if l := &v.ladder; l.adl != 1 || l.fills != 1 || l.cut != 1 {
		t.Errorf("%+v", l)
	}
}
