package engine

import (
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Who is settled when, and what is told of it.

// cheap is a perpetual of which a lot is worth a thousand units of Money at a mark of 1,000: a rate of four basis points is 0.4 of one.
func cheap(id msg.InstrumentID) market.Spec {
	s := perpetual(id)
	s.TickLot = 1
	return s
}

// TestNothingIsSettledUnseen lets the ladder look at accounts between payments of less than a unit: they stay owed until they come to one,
// and then it is told.
func TestNothingIsSettledUnseen(t *testing.T) { // M-42, I-03
	d := newDesk(t, Limits{Instruments: 1, Accounts: 8})
	d.at = fixed.Hour
	d.list(cheap(1), 1000)
	d.ok(msg.Deposit(1, fixed.Coin), msg.Deposit(2, fixed.Coin))
	d.swap(1, 1000, 1)
	for round, want := range []fixed.Money{0, 0, 1} {
		d.ok(msg.SettleFunding(1, 4*fixed.BasisPoint))
		d.ok(msg.SetRule(0, msg.LadderCall1, int64(150+fixed.Rate(round))*int64(fixed.Percent))) // and everybody is looked at
		if told := d.count(msg.FundingPaid); told != 2*int(want) {
			t.Errorf("round %d: %d payments are told: %v", round, told, d.last)
		}
		long, _ := d.Account(2)
		short, _ := d.Account(1)
		if long.Funding != -want || short.Funding != want || long.Cash != fixed.Coin-want {
			t.Errorf("round %d: the long has %+v, the short %+v, want a payment of %d", round, long, short, want)
		}
	}
	d.sound()
}

// TestFundingThatCancelsOutIsTold lets an isolated position pay what a cross one of the account receives: no more and no less leaves the
// account, and yet its cash is another.
func TestFundingThatCancelsOutIsTold(t *testing.T) { // M-42
	d := newDesk(t, Limits{Instruments: 2, Accounts: 8})
	d.at = fixed.Hour
	d.list(perpetual(1), 100)
	d.list(perpetual(2), 100)
	d.ok(msg.Deposit(1, 1000*fixed.Coin), msg.Deposit(2, 1000*fixed.Coin))
	d.ok(msg.Limit(1, 1, msg.Buy, 100, 10), msg.Limit(2, 1, msg.Sell, 100, 10), msg.Limit(1, 2, msg.Sell, 100, 10),
		with(msg.Limit(2, 2, msg.Buy, 100, 10), msg.FlagIsolated, msg.GTC))
	d.ok(msg.MoveMargin(2, 2, 400*fixed.Coin), msg.SetMark(1, 101), msg.SetMark(1, 100)) // all have wires now
	d.ok(msg.SettleFunding(1, fixed.Percent), msg.SettleFunding(2, fixed.Percent), msg.Deposit(2, fixed.Coin))
	if b := d.first(msg.FundingPaid).Balance(); b.Amount != 0 || b.Cash != 510*fixed.Coin {
		t.Errorf("%+v, want cash of 510", b)
	}
	if p, _ := d.Position(2, 2); p.Margin != 490*fixed.Coin {
		t.Errorf("%+v", p)
	}
	d.sound()
}

// TestStrayIsSettledBeforeItGoes lets an order be met whose pool could not pay for its fill. The order goes, and its account is paid first,
// as that of every other order that ends.
func TestStrayIsSettledBeforeItGoes(t *testing.T) { // M-16, M-42
	d := lean(t, 0)
	d.ok(msg.Limit(5, 1, msg.Sell, 90, 100), msg.Transfer(5, 7, 1000*fixed.Coin))
	d.ok(msg.SetMark(1, 101), msg.SetMark(1, 100), msg.SettleFunding(1, -fixed.BasisPoint)) // all have wires, and what is received crosses none
	d.ok(msg.Limit(6, 1, msg.Buy, 100, 100))
	at := map[msg.EventKind]int{}
	for i := range d.last {
		if e := &d.last[i]; e.Account == 5 {
			at[e.Kind] = i + 1
		}
	}
	paid, gone := at[msg.FundingPaid], at[msg.Canceled]
	if paid == 0 || gone <= paid || d.last[gone-1].Reason != msg.CanceledByRisk || d.last[paid-1].Balance().Amount != fixed.Coin {
		t.Errorf("%v", d.last)
	}
	d.sound()
}

// TestOverduePaymentsOutliveARule lets time leap over ten payments and more samples than a command takes, and changes rules of marks and of
// funding meanwhile: all ten are made.
func TestOverduePaymentsOutliveARule(t *testing.T) { // M-41, A-16
	d := onIndex(t, Limits{Instruments: 2, Events: 256})
	d.ok(msg.SetRule(1, msg.FundingInterval, int64(fixed.Hour)))
	d.at += 10 * fixed.Hour
	payments := 0
	for _, c := range []msg.Command{msg.Tick(), msg.SetRule(1, msg.MarkWindow, int64(fixed.Second)), msg.SetRule(1, msg.FundingMax, int64(fixed.Percent)),
		msg.SetRule(0, msg.MarkStep, int64(2*fixed.Second))} {
		d.ok(c)
		payments += d.count(msg.FundingSettled)
	}
	for at, ok := d.NextDue(); ok && at <= d.at; at, ok = d.NextDue() {
		d.ok(msg.Tick())
		payments += d.count(msg.FundingSettled)
	}
	if payments != 10 {
		t.Errorf("%d payments, want 10", payments)
	}
	d.sound()
}
