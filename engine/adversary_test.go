package engine

import (
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// What somebody would try who wants the ladder to pay him, or to leave him alone.

// TestHoldIsNotPostedOutOfALoss lets an order that holds money of an account be met when the account has lost that money.
func TestHoldIsNotPostedOutOfALoss(t *testing.T) { // M-22, M-23, I-06
	d := newDesk(t, Limits{Instruments: 2, Accounts: 8, Events: 256})
	d.at = fixed.Hour
	d.list(perpetual(1), 100)
	d.list(perpetual(2), 100)
	d.ok(msg.PayFund(10_000*fixed.Coin), msg.Deposit(1, 1_000_000*fixed.Coin), msg.Deposit(5, 1200*fixed.Coin))
	d.ok(msg.Limit(1, 1, msg.Sell, 100, 20), msg.Limit(5, 1, msg.Buy, 100, 20)) // requires 200, keeps 100
	d.ok(with(msg.Limit(5, 2, msg.Buy, 100, 90), msg.FlagIsolated, msg.GTC))    // holds 900
	d.ok(msg.SetMark(1, 60))                                                    // 400 over 60
	d.stands(5, msg.RungOK)
	d.ok(msg.Limit(1, 2, msg.Sell, 100, 90))
	if v := d.VenueAccounts(); v.Fund != 10_000*fixed.Coin || d.count(msg.Takeover) != 0 {
		t.Errorf("the fund pays what went into an isolated position: %+v, %v", v, d.last)
	}
	d.sound()
}

// TestMoneyOfAChildLiftsItsParent lets the ladder close an isolated position of which something is left: that may end a call of
// the account's.
func TestMoneyOfAChildLiftsItsParent(t *testing.T) { // M-46, I-20
	d := newDesk(t, Limits{Instruments: 2, Accounts: 8, Events: 256})
	d.at = fixed.Hour
	d.list(perpetual(1), 100)
	d.list(perpetual(2), 10_000)
	d.ok(msg.Deposit(1, 1_000_000*fixed.Coin), msg.Deposit(5, 2050*fixed.Coin))
	d.ok(msg.Limit(1, 1, msg.Sell, 100, 100), msg.Limit(5, 1, msg.Buy, 100, 100))
	d.ok(msg.Limit(1, 2, msg.Sell, 10_000, 1), with(msg.Limit(5, 2, msg.Buy, 10_000, 1), msg.FlagIsolated, msg.GTC))
	d.ok(msg.SetMark(1, 96)) // 650 over 480
	d.stands(5, msg.RungCall1)
	d.ok(msg.Limit(1, 2, msg.Buy, 9400, 1))
	d.ok(msg.SetMark(2, 9400)) // 400 over 470: the lot is sold at 9,400
	if d.count(msg.LiquidationSlice) != 1 {
		t.Fatalf("%v", d.last)
	}
	d.stands(5, msg.RungOK) // 650 and what is left of 400
	d.sound()
}
