package engine

import (
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// What somebody tried who wanted more than is his: each story ends with the exchange saying no.

// TestProfitDoesNotLeaveAsAnAsset buys spot with profit that is not realized, and tries to carry the asset out.
func TestProfitDoesNotLeaveAsAnAsset(t *testing.T) { // M-19
	d := newDesk(t, Limits{Instruments: 2, Accounts: 4})
	d.list(perpetual(1), 100)
	d.list(market.Spec{ID: 2, Type: msg.Spot, TickLot: fixed.Coin}, 1)
	d.ok(msg.Deposit(1, 200*fixed.Coin), msg.Deposit(2, 10_000*fixed.Coin), msg.DepositAsset(2, 2, 1000),
		msg.Limit(2, 1, msg.Sell, 100, 10), msg.Limit(1, 1, msg.Buy, 100, 10), msg.SetMark(1, 200),
		msg.Limit(2, 2, msg.Sell, 1, 900), msg.Limit(1, 2, msg.Buy, 1, 900))
	d.refused(msg.RejectInsufficientFunds, msg.WithdrawAsset(1, 2, 900))
	d.ok(msg.Deposit(1, 900*fixed.Coin), msg.WithdrawAsset(1, 2, 900))
}

// TestCrowdDoesNotStopTheKillSwitch starts as many mass cancels as there is room for and then turns the switch.
func TestCrowdDoesNotStopTheKillSwitch(t *testing.T) { // W-45
	d := newDesk(t, Limits{Instruments: 2, Accounts: 8, Events: 256, Jobs: 4})
	d.list(perpetual(1), 100)
	d.list(perpetual(2), 100)
	for id := msg.AccountID(1); id <= 6; id++ {
		d.ok(msg.Deposit(id, 100_000*fixed.Coin))
		for range 1000 {
			d.ok(msg.Limit(id, 1, msg.Buy, 90, 1))
		}
	}
	for id := msg.AccountID(1); id <= 5; id++ {
		d.do(msg.CancelAll(id, 2, 0)) // meets none of its orders
	}
	d.refused(msg.RejectTableFull, msg.CancelAll(6, 2, 0))
	d.refused(msg.RejectRateLimited, msg.CancelAll(2, 2, 0))
	d.ok(msg.SetEntry(0, 0, msg.Entry{Scope: msg.ScopeVenue, Action: msg.BlockAndCancel}))
	d.refused(msg.RejectEntryBlocked, msg.Limit(6, 1, msg.Buy, 90, 1))
	d.refused(msg.RejectEntryBlocked, msg.SetEntry(0, 0, msg.Entry{Scope: msg.ScopeVenue, Action: msg.Unblock}))
	for n := 0; d.OpenOrders() > 0; n++ {
		if n > 6000/40 {
			t.Fatalf("%d orders after %d commands", d.OpenOrders(), n)
		}
		d.do(msg.Tick())
	}
}

// TestSessionsAreTheVenuesToOpen sends the opening of a session through that session.
func TestSessionsAreTheVenuesToOpen(t *testing.T) { // D-94
	d := newDesk(t, Limits{Instruments: 1, Accounts: 4})
	d.list(perpetual(1), 100)
	d.ok(msg.Deposit(1, 100*fixed.Coin), msg.Deposit(2, 100*fixed.Coin), msg.OpenSession(5, 1))
	for _, c := range []msg.Command{msg.OpenSession(5, 2), msg.CloseSession(5), msg.Deposit(1, 1), msg.Tick(), msg.SetMark(1, 5)} {
		c.Session = 5
		d.refused(msg.RejectNotPermitted, c)
	}
	order := msg.Limit(2, 1, msg.Buy, 90, 1)
	order.Session = 5
	d.refused(msg.RejectNotPermitted, order)
}

// TestResentMoneyMovesOnce sends a deposit, a withdrawal and a transfer twice.
func TestResentMoneyMovesOnce(t *testing.T) { // D-36
	d := newDesk(t, Limits{Instruments: 1, Accounts: 4})
	d.ok(msg.Deposit(2, fixed.Coin))
	for i, c := range []msg.Command{msg.Deposit(1, 100*fixed.Coin), msg.Withdraw(1, 10*fixed.Coin), msg.Transfer(1, 2, 10*fixed.Coin)} {
		c.Ref = msg.Ref(i + 7)
		d.ok(c)
		if r := d.refused(msg.RejectDuplicateClientID, c); r.Limit != int64(c.Ref) || r.Actual != int64(c.Ref) {
			t.Errorf("last %d, sent %d, want %d both", r.Limit, r.Actual, c.Ref)
		}
	}
	if a, _ := d.Account(1); a.Cash != 80*fixed.Coin {
		t.Errorf("cash %s, want 80", a.Cash)
	}
}

// TestStrangersTakeNoTokens lets a session of another owner name an account.
func TestStrangersTakeNoTokens(t *testing.T) { // W-46
	d := newDesk(t, Limits{Instruments: 1, Accounts: 4})
	d.list(perpetual(1), 100)
	d.ok(msg.Deposit(1, 100*fixed.Coin), msg.Deposit(2, 100*fixed.Coin), msg.OpenSession(5, 2),
		msg.SetRule(0, msg.MessageRate, 1), msg.SetRule(0, msg.MessageBurst, 1))
	for _, session := range []msg.SessionID{5, 200} {
		for _, c := range []msg.Command{msg.Limit(1, 1, msg.Buy, 90, 1), msg.Cancel(1, 1, 5)} {
			c.Session = session
			d.refused(msg.RejectNotPermitted, c)
		}
	}
	d.ok(msg.Limit(1, 1, msg.Buy, 90, 1))
	d.refused(msg.RejectRateLimited, msg.Limit(1, 1, msg.Buy, 90, 1))
}

// TestBlockedMessageUsesItsClientID resends an order that the kill switch refused.
func TestBlockedMessageUsesItsClientID(t *testing.T) { // W-25
	d := newDesk(t, Limits{Instruments: 1, Accounts: 4})
	d.list(perpetual(1), 100)
	c := msg.Limit(1, 1, msg.Buy, 90, 1)
	c.Ref = 10
	d.ok(msg.Deposit(1, 100*fixed.Coin), msg.SetEntry(1, 0, msg.Entry{Scope: msg.ScopeAccount, Action: msg.Block}))
	d.refused(msg.RejectEntryBlocked, c)
	d.ok(msg.SetEntry(1, 0, msg.Entry{Scope: msg.ScopeAccount, Action: msg.Unblock}))
	d.refused(msg.RejectDuplicateClientID, c)
}

// TestFlipCountsWhatItOpens turns a short into a long beneath a cap on open interest.
func TestFlipCountsWhatItOpens(t *testing.T) { // M-16, M-71
	d := newDesk(t, Limits{Instruments: 1, Accounts: 4})
	d.list(perpetual(1), 100)
	d.ok(msg.SetRule(1, msg.MaxOpenInterest, 10), msg.Deposit(1, 10_000*fixed.Coin), msg.Deposit(2, 10_000*fixed.Coin),
		msg.Limit(1, 1, msg.Sell, 100, 10), msg.Limit(2, 1, msg.Buy, 100, 10))
	d.refused(msg.RejectOpenInterestLimit, msg.Limit(1, 1, msg.Buy, 100, 11))
	d.ok(msg.Limit(1, 1, msg.Buy, 100, 10))
}

// TestSpotOrdersDoNotHoldTheMark buys a mountain of lots at the lowest price, and marks the instrument up.
func TestSpotOrdersDoNotHoldTheMark(t *testing.T) {
	d := newDesk(t, Limits{Instruments: 1, Accounts: 4})
	d.list(market.Spec{ID: 1, Type: msg.Spot, TickLot: 1}, 5_000_000)
	d.ok(msg.Deposit(1, 2_000*fixed.Coin), msg.Limit(1, 1, msg.Buy, 1, 1_800_000_000), msg.CancelAll(1, 0, 0), msg.SetMark(1, 50_000_000))
}

// TestDepositJoinsNobody opens an account under a number that is an owner's already.
func TestDepositJoinsNobody(t *testing.T) { // M-01
	d := newDesk(t, Limits{Instruments: 1, Accounts: 8})
	d.ok(msg.OpenAccount(5, 7, msg.AllGroups))
	d.refused(msg.RejectUnknownAccount, msg.Deposit(7, 5))
	d.ok(msg.OpenAccount(7, 8, msg.AllGroups), msg.Deposit(7, 5))
}

// TestWideWordsAreNotCut puts into second lines what their narrow fields cannot hold.
func TestWideWordsAreNotCut(t *testing.T) {
	d := newDesk(t, Limits{Instruments: 1, Accounts: 4})
	d.list(perpetual(1), 100)
	d.ok(msg.Deposit(1, 5), msg.Deposit(2, 5))
	for _, c := range []struct {
		command msg.Command
		word    int
	}{
		{msg.Transfer(1, 2, 1), 1}, {msg.SetRule(1, msg.Band, 5), 0}, {msg.SetPhase(1, msg.Halted), 0},
		{msg.SetEntry(1, 0, msg.Entry{Scope: msg.ScopeAccount, Action: msg.Block}), 0}, {msg.OpenSession(2, 1), 2},
		{msg.SetTier(1, msg.Tier{Initial: 5}), 0}, {msg.OpenAccount(3, 3, 1), 0},
	} {
		c.command.Rare[c.word] |= 1 << 32
		d.refused(msg.RejectValueOutOfRange, c.command)
	}
}

// TestSlideFindsTheStep slides behind an order that stands between the steps.
func TestSlideFindsTheStep(t *testing.T) {
	d := newDesk(t, Limits{Instruments: 1, Accounts: 4})
	d.list(perpetual(1), 1000)
	d.ok(msg.Deposit(1, 10_000*fixed.Coin), msg.Deposit(2, 10_000*fixed.Coin), msg.Limit(1, 1, msg.Sell, 1002, 1), msg.Limit(1, 1, msg.Buy, 993, 1),
		msg.SetRule(1, msg.PriceStep, 5))
	d.ok(with(msg.Limit(2, 1, msg.Buy, 1010, 1), msg.FlagSlide, msg.GTC))
	if got := d.last[0].Price; got != 1000 {
		t.Errorf("a buy slid to %d, want 1000", got)
	}
	d.ok(with(msg.Limit(2, 1, msg.Sell, 990, 1), msg.FlagSlide|msg.FlagPostOnly, msg.GTC))
	if got := d.last[0].Price; got != 1005 {
		t.Errorf("a sell slid to %d, want 1005", got)
	}
}
