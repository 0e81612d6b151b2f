package engine

import (
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Faults that were found once; each test is the shortest command sequence that showed it.

// TestSlopeThatDoesNotFit sets a slope under which the requirement of a position that is held leaves Money: the setting
// is refused, and so is a mark that would do the same.
func TestSlopeThatDoesNotFit(t *testing.T) {
	d := newDesk(t, Limits{Instruments: 1, Accounts: 4})
	s := perpetual(1)
	s.TickLot = 1
	d.list(s, 100)
	d.ok(msg.Deposit(1, 1<<50), msg.Deposit(2, 1<<50),
		msg.Limit(1, 1, msg.Sell, 100, 1_000_000_000), msg.Limit(2, 1, msg.Buy, 100, 1_000_000_000))
	d.refused(msg.RejectOverflow, msg.SetRule(1, msg.SlopeInitial, int64(fixed.One)))
	for range 20 {
		d.ok(msg.Deposit(1, 1))
	}
	d.ok(msg.SetRule(1, msg.SlopeInitial, 1))
	d.refused(msg.RejectOverflow, msg.SetMark(1, 100_000_000))
	for range 20 {
		d.ok(msg.Deposit(1, 1))
	}
	d.sound()
}

// TestReserveDoesNotWrap lets the reserve of orders that only reduce grow until it leaves Money.
func TestReserveDoesNotWrap(t *testing.T) {
	d := newDesk(t, Limits{Instruments: 1, Accounts: 4, AccountPositions: 1})
	s := perpetual(1)
	s.TickLot, s.Taker = 1<<7, fixed.One/2
	d.list(s, 1)
	d.ok(msg.Deposit(1, 1<<59), msg.Deposit(2, 1<<59), msg.Limit(2, 1, msg.Buy, 1, 10), msg.Limit(1, 1, msg.Sell, 1, 10))
	for _, price := range []fixed.Ticks{1 << 53, 1 << 53, 1 << 54, 1 << 55, 1 << 54, 1 << 55} {
		d.do(msg.Limit(1, 1, msg.Buy, price, 1))
		d.sound()
		if p, _ := d.Position(1, 1); p.Buys > 0 && p.Initial > fixed.MaxInt64/2 {
			t.Fatalf("%+v", p)
		}
	}
}

// TestReduceOnlyFillWidensTheOtherSide lets a reduce-only order close what stood against open sells: they then make a
// larger position than any that the gate had seen, and a mark must still be refused that this one cannot bear.
func TestReduceOnlyFillWidensTheOtherSide(t *testing.T) {
	d := newDesk(t, Limits{Instruments: 1, Accounts: 4, AccountPositions: 1 << 15})
	s := perpetual(1)
	s.TickLot, s.Initial, s.Maintenance = 1, 1, 1
	d.list(s, 100)
	d.ok(msg.Deposit(1, 1<<60), msg.Deposit(2, 1<<60),
		msg.Limit(2, 1, msg.Sell, 100, 1_000_000), msg.Limit(1, 1, msg.Buy, 100, 1_000_000),
		msg.Limit(1, 1, msg.Sell, 101, 1_999_999),
		with(msg.Limit(1, 1, msg.Sell, 100, 1_000_000), msg.FlagReduceOnly, msg.GTC),
		msg.Limit(2, 1, msg.Buy, 100, 1_000_000))
	p, _ := d.Position(1, 1)
	if p.Qty != 0 || p.Sells != 1_999_999 {
		t.Fatalf("%+v", p)
	}
	high := fixed.Ticks(int64(d.house.Bound()) / 1_999_999)
	d.refused(msg.RejectOverflow, msg.SetMark(1, high+1))
	d.ok(msg.SetMark(1, high))
}

// TestFillOrKillAmongReduceOnlyMakers promises nothing that the bound on events does not let be had.
func TestFillOrKillAmongReduceOnlyMakers(t *testing.T) {
	d := newDesk(t, Limits{Instruments: 1, Accounts: 64, Events: 256})
	d.list(perpetual(1), 100)
	for id := msg.AccountID(1); id <= 60; id++ {
		d.ok(msg.Deposit(id, 1_000_000*fixed.Coin))
	}
	for id := msg.AccountID(1); id <= 40; id++ { // each long 1, with a reduce-only sell for 2 that was cut to 1
		d.ok(msg.Limit(50, 1, msg.Sell, 100, 2), msg.Limit(id, 1, msg.Buy, 100, 2))
		d.ok(with(msg.Limit(id, 1, msg.Sell, 101, 2), msg.FlagReduceOnly, msg.GTC))
		d.ok(msg.Limit(50, 1, msg.Buy, 100, 1), msg.Limit(id, 1, msg.Sell, 100, 1))
	}
	d.ok(msg.Limit(51, 1, msg.Sell, 102, 60))
	if r := refusal(d.do(with(msg.Limit(52, 1, msg.Buy, 102, 60), 0, msg.FOK))); r == msg.RejectUnfillable {
		return
	}
	if p, _ := d.Position(52, 1); p.Qty != 60 || d.count(msg.Canceled) != 40 {
		t.Fatalf("a fill-or-kill order of 60 lots traded %d of them", p.Qty)
	}
}

// TestReduceEntryComesAfterCaps asks for an order that breaks a cap while the kill switch lets only reducing ones in: the
// cap stands first in the order of precedence.
func TestReduceEntryComesAfterCaps(t *testing.T) { // W-59, M-18
	d := newDesk(t, Limits{Instruments: 1, Accounts: 4})
	d.list(perpetual(1), 100)
	d.ok(msg.Deposit(1, 1000*fixed.Coin), msg.SetRule(1, msg.MaxPosition, 5),
		msg.SetEntry(1, 0, msg.Entry{Scope: msg.ScopeAccount, Action: msg.ReduceEntry}))
	d.refused(msg.RejectAccountReduceOnly, msg.Limit(1, 1, msg.Buy, 100, 5))
	d.refused(msg.RejectPositionLimit, msg.Limit(1, 1, msg.Buy, 100, 6))
}

// TestOverflowComesBeforeTheBand asks for an order whose notional does not fit and whose price lies outside the band: what
// does not fit stands first in the order of precedence.
func TestOverflowComesBeforeTheBand(t *testing.T) { // W-59, M-18
	d := newDesk(t, Limits{Instruments: 1, Accounts: 4})
	d.list(perpetual(1), 100)
	d.ok(msg.Deposit(1, 1000*fixed.Coin), msg.SetRule(1, msg.Band, int64(10*fixed.Percent)))
	d.refused(msg.RejectOverflow, msg.Limit(1, 1, msg.Buy, 100, 1<<54))
	d.refused(msg.RejectPriceOutsideBand, msg.Limit(1, 1, msg.Buy, 111, 1))
	d.refused(msg.RejectOverflow, msg.Limit(1, 1, msg.Buy, 111, 1<<54))
	d.ok(msg.SetPhase(1, msg.Halted))
	d.refused(msg.RejectOverflow, msg.Limit(1, 1, msg.Buy, 100, 1<<54))
}

// TestAmendKeepsToTheLotStep holds an amend that keeps its place to the quantity step, as one that does not.
func TestAmendKeepsToTheLotStep(t *testing.T) { // W-59
	d := newDesk(t, Limits{Instruments: 1, Accounts: 4})
	d.list(perpetual(1), 100)
	d.ok(msg.Deposit(1, 1000*fixed.Coin), msg.SetRule(1, msg.QtyStep, 5))
	id := d.order(msg.Limit(1, 1, msg.Buy, 100, 20))
	d.refused(msg.RejectOffLot, msg.Amend(1, 1, id, 99, 12))
	d.refused(msg.RejectOffLot, msg.Amend(1, 1, id, 100, 12))
	d.ok(msg.Amend(1, 1, id, 100, 15))
}

// TestCancelAllIsAnswered asks for orders that lie behind hundreds of others: the command has an event of its own, even
// where it cancels nothing yet.
func TestCancelAllIsAnswered(t *testing.T) {
	d := newDesk(t, Limits{Instruments: 1, Accounts: 4})
	d.list(perpetual(1), 100)
	d.ok(msg.Deposit(1, 1_000_000*fixed.Coin), msg.Limit(1, 1, msg.Buy, 99, 1))
	for range 600 {
		d.ok(msg.Limit(1, 1, msg.Sell, 101, 1))
	}
	canceled := 0
	d.do(msg.CancelAll(1, 1, msg.Buy))
	for range 5 {
		if len(d.last) == 0 {
			t.Fatalf("seq %d has no event", d.seq)
		}
		canceled += d.count(msg.MassCanceled)
		d.do(msg.Tick())
	}
	if canceled != 1 || d.OpenOrders() != 600 {
		t.Fatalf("%d MassCanceled, %d orders left, want 1 and 600", canceled, d.OpenOrders())
	}
}

// TestExpiredOrderIsGone amends and cancels an order whose time has come while so many expire that it still rests.
func TestExpiredOrderIsGone(t *testing.T) {
	d := newDesk(t, Limits{Instruments: 1, Accounts: 4})
	d.list(perpetual(1), 100)
	d.ok(msg.Deposit(1, 1_000_000*fixed.Coin), msg.Deposit(2, 1_000_000*fixed.Coin))
	var ids []msg.OrderID
	for range 1000 {
		ids = append(ids, d.order(with(msg.Place(1, 1, msg.Sell, 101, 1, msg.OrderExt{Expire: 10}), 0, msg.GTD)))
	}
	d.ok(msg.Limit(2, 1, msg.Buy, 90, 1))
	d.at = 10
	d.refused(msg.RejectTooLate, msg.Amend(1, 1, ids[999], 90, 1))
	d.refused(msg.RejectTooLate, msg.Cancel(1, 1, ids[998]))
}

// TestSlideHasRoom slides orders where there is no price behind the opposite best.
func TestSlideHasRoom(t *testing.T) {
	d := newDesk(t, Limits{Instruments: 1, Accounts: 4})
	d.list(perpetual(1), 1)
	d.ok(msg.Deposit(1, 1000*fixed.Coin), msg.Deposit(2, 1000*fixed.Coin), msg.Limit(1, 1, msg.Sell, 1, 5))
	events := d.do(with(msg.Limit(2, 1, msg.Buy, 3, 5), msg.FlagSlide, msg.GTC))
	if refusal(events) != msg.RejectWouldCross {
		t.Fatalf("%q, accepted at %d", refusal(events).Name(), events[0].Price)
	}
	d.ok(msg.SetRule(1, msg.PriceStep, 10), msg.SetMark(1, 10), msg.Limit(1, 1, msg.Sell, 20, 5))
	if refusal(d.do(with(msg.Limit(2, 1, msg.Buy, 23, 5), msg.FlagSlide, msg.GTC))) != msg.RejectOffTick {
		t.Fatal("a price off the step was taken because it slides")
	}
}

// TestFillOrKillOfAllThatOneCommandMayMeet asks for as many makers as the bound on events lets one command meet, and for
// one more.
func TestFillOrKillOfAllThatOneCommandMayMeet(t *testing.T) {
	for makers := fixed.Lots(40); makers < 80; makers++ {
		d := newDesk(t, Limits{Instruments: 1, Accounts: 4, Orders: 256, Events: 256})
		d.list(perpetual(1), 100)
		d.ok(msg.Deposit(1, 1_000_000*fixed.Coin), msg.Deposit(2, 1_000_000*fixed.Coin))
		for range makers {
			d.ok(msg.Limit(1, 1, msg.Sell, 100, 1))
		}
		d.do(with(msg.Limit(2, 1, msg.Buy, 100, makers), 0, msg.FOK))
		if p, _ := d.Position(2, 1); p.Qty != 0 && p.Qty != makers {
			t.Fatalf("a fill-or-kill order of %d lots traded %d of them", makers, p.Qty)
		}
	}
}

// TestAmendDoesNotEscapeCancelAll amends orders that a mass cancel has not reached yet: one that goes on resting, one that
// trades and rests with what is left, and one that trades whole.
func TestAmendDoesNotEscapeCancelAll(t *testing.T) {
	d := newDesk(t, Limits{Instruments: 1, Accounts: 4})
	d.list(perpetual(1), 100)
	d.ok(msg.Deposit(1, 1_000_000*fixed.Coin), msg.Deposit(2, 1_000_000*fixed.Coin))
	moved := d.order(msg.Limit(1, 1, msg.Buy, 99, 1))
	part := d.order(msg.Limit(1, 1, msg.Buy, 98, 1))
	whole := d.order(msg.Limit(1, 1, msg.Buy, 97, 1))
	for range 2000 {
		d.ok(msg.Limit(1, 1, msg.Buy, 50, 1))
	}
	d.ok(msg.Limit(2, 1, msg.Sell, 101, 20))
	d.do(msg.CancelAll(1, 0, 0))
	d.ok(msg.Amend(1, 1, moved, 96, 3), msg.Amend(1, 1, whole, 101, 7), msg.Amend(1, 1, part, 101, 30))
	d.sound()
	kept := d.order(msg.Limit(1, 1, msg.Buy, 60, 1))
	for range 10 {
		d.do(msg.Tick())
		d.sound()
	}
	if d.OpenOrders() != 1 || d.First(1, msg.Buy) != kept {
		t.Fatalf("%d orders are left, want the one that came after", d.OpenOrders())
	}
	if p, _ := d.Position(1, 1); p.Qty != 20 || p.Buys != 1 || p.Open != 1 {
		t.Fatalf("%+v", p)
	}
}

// TestFormatComesFirst holds that a value outside its range is told before anything that needs a look at the state.
func TestFormatComesFirst(t *testing.T) { // W-59
	d := newDesk(t, Limits{Instruments: 1, Accounts: 4})
	d.list(perpetual(1), 100)
	d.ok(msg.Deposit(1, 1000))
	for _, c := range []msg.Command{
		msg.CancelAll(9, 1, 3), msg.CancelAll(1, 9, 3), msg.Deposit(9, 0), msg.Withdraw(9, 0), msg.Withdraw(1, -5), msg.Transfer(1, 9, 0),
		msg.Transfer(9, 9, 5), msg.DepositAsset(9, 1, 0), msg.WithdrawAsset(1, 9, -1),
	} {
		d.refused(msg.RejectValueOutOfRange, c)
	}
	d.refused(msg.RejectUnknownAccount, msg.CancelAll(9, 9, 2))
	d.refused(msg.RejectUnknownAccount, msg.Transfer(1, 9, 1))
	d.refused(msg.RejectUnknownAccount, msg.WithdrawAsset(9, 9, 1))
	d.refused(msg.RejectUnknownInstrument, msg.DepositAsset(1, 1, 1))
}

// TestSpotSellUnderInitial sells more of an asset than there is while equity is below the initial requirement.
func TestSpotSellUnderInitial(t *testing.T) { // W-59, M-18
	d := newDesk(t, Limits{Instruments: 2, Accounts: 4})
	d.list(perpetual(1), 100)
	d.list(market.Spec{ID: 2, Type: msg.Spot, TickLot: fixed.Coin}, 50)
	d.ok(msg.Deposit(1, 100*fixed.Coin), msg.DepositAsset(1, 2, 5), msg.Limit(1, 1, msg.Buy, 100, 10))
	d.refused(msg.RejectInsufficientFunds, msg.Limit(1, 2, msg.Sell, 60, 6))
	d.ok(msg.SetMark(1, 101))
	d.refused(msg.RejectAccountReduceOnly, msg.Limit(1, 2, msg.Sell, 60, 6))
	d.ok(msg.Limit(1, 2, msg.Sell, 60, 5))
}

// TestRefusedByTheBookIsNoWitness refuses an order after the gate has let it pass: marks are not held to what it would have
// been.
func TestRefusedByTheBookIsNoWitness(t *testing.T) { // I-26
	d := newDesk(t, Limits{Instruments: 1, Accounts: 4})
	s := perpetual(1)
	s.Initial, s.Maintenance = 1, 1
	d.list(s, 101)
	d.ok(msg.Deposit(1, 1_000_000*fixed.Coin), msg.Limit(1, 1, msg.Sell, 101, 1))
	d.refused(msg.RejectUnfillable, with(msg.Limit(1, 1, msg.Buy, 101, 10_000_000), 0, msg.FOK))
	d.refused(msg.RejectWouldCross, with(msg.Limit(1, 1, msg.Buy, 101, 10_000_000), msg.FlagPostOnly, msg.GTC))
	d.ok(msg.SetMark(1, fixed.Ticks(int64(d.house.Bound())/int64(fixed.Coin))))
}

// TestReportIsAnswered lets an order expire in the command that reports the price that is known already: who reports it is answered
// besides, and not only where nothing else is told.
func TestReportIsAnswered(t *testing.T) {
	d := newDesk(t, Limits{Instruments: 1, Accounts: 4})
	d.list(perpetual(1), 100)
	d.ok(msg.ListUnderlying(msg.Underlying{ID: 1, Sources: 1}), msg.Deposit(1, 100*fixed.Coin))
	report := msg.ReportPrice(msg.Report{Underlying: 1, Price: 100 * fixed.Coin, Confidence: fixed.One})
	d.ok(report)
	order := msg.Place(1, 1, msg.Buy, 90, 1, msg.OrderExt{Expire: d.Now() + fixed.Second})
	order.TIF = msg.GTD
	d.ok(order)
	report.Ref, d.at = 7, d.Now()+2*fixed.Second
	events := d.do(report)
	if len(events) != 2 || events[0].Kind != msg.Expired || events[1].Kind != msg.Ticked || events[1].Ref != 7 {
		t.Fatalf("a report that moves nothing brings about %v", events)
	}
}

// TestFloatingAgain closes an isolated position whose account chose a leverage, in an instrument whose initial depends on what others
// hold: its row stays, margined with the account again, and then the sums of the account hold for now only. An order in it was admitted
// on what it would require when filled, and nobody asked again what it requires while it rests.
func TestFloatingAgain(t *testing.T) { // M-11, I-11
	d := newDesk(t, Limits{Instruments: 1, Accounts: 4})
	d.list(perpetual(1), 100)
	d.ok(msg.Deposit(1, 1000*fixed.Coin), msg.Deposit(2, 1000*fixed.Coin), msg.Deposit(3, 1000*fixed.Coin),
		msg.Limit(1, 1, msg.Sell, 100, 1), msg.Limit(2, 1, msg.Buy, 100, 1), msg.SetLeverage(3, 1, 200),
		msg.SetConcentration(1, msg.Concentration{Last: true, Share: fixed.One / 3, Rate: fixed.Percent}))
	apart := d.order(with(msg.Limit(3, 1, msg.Buy, 90, 1), msg.FlagIsolated, msg.GTC))
	d.ok(msg.Deposit(3, 1), msg.Cancel(3, 1, apart), msg.Deposit(3, 1), msg.Limit(3, 1, msg.Buy, 99, 6))
	d.house.Check(3)
	before, _ := d.Account(3)
	d.ok(msg.Deposit(3, 1))
	if after := d.house.Account(3).Initial; after != before.Initial {
		t.Fatalf("an account sets aside %s, expected %s", after, before.Initial)
	}
	d.sound()
}
