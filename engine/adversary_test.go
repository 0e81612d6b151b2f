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

// TestDeleveragingGoesOnAtNewPrices lets funding be paid and a mark move while a pool is closed over several commands.
func TestDeleveragingGoesOnAtNewPrices(t *testing.T) { // M-42, M-53, I-03
	const winners = 600
	d := newDesk(t, Limits{Instruments: 1, Accounts: winners + 8, Events: 256})
	d.at = fixed.Hour
	d.list(perpetual(1), 100)
	d.ok(msg.Deposit(1, 6100*fixed.Coin))
	for id := msg.AccountID(8); id < 8+winners; id++ {
		d.ok(msg.Deposit(id, 1000*fixed.Coin), msg.Limit(id, 1, msg.Sell, 100, 1), msg.Limit(1, 1, msg.Buy, 100, 1))
	}
	for d.ok(msg.SetMark(1, 80)); d.count(msg.AdlFill) == 0; d.ok(msg.Tick()) { // winners are looked for
	}
	if d.jobs.shedding.pool == 0 {
		t.Fatalf("nothing is left to do: %v", d.last)
	}
	d.ok(msg.SettleFunding(1, fixed.Percent)) // a lot owes 0.8
	if p, _ := d.Position(1, 1); p.Qty == 0 || d.jobs.shedding.pool == 0 {
		t.Fatalf("nothing is left to do: %+v", p)
	}
	for d.jobs.shedding.pool != 0 {
		d.ok(msg.Tick())
	}
	d.sound()
	for id := msg.AccountID(1); id < 8+winners; id++ {
		if _, ok := d.Account(id); ok {
			d.ok(msg.Deposit(id, 1))
		}
	}
	if v := d.VenueAccounts(); v.Funding < -winners || v.Funding > winners {
		t.Errorf("funding of %s was received and not paid, or paid and not received", v.Funding)
	}
	d.sound()
}

// TestGainIsCutWhereItWent lets an isolated winner be deleveraged, whose account gets most of his gain: it pays what is missing, and
// the position that is left keeps its margin.
func TestGainIsCutWhereItWent(t *testing.T) { // M-24, M-54, I-06, I-22
	d := newDesk(t, Limits{Instruments: 1, Accounts: 8, Events: 256})
	d.at = fixed.Hour
	d.list(perpetual(1), 100)
	d.ok(msg.SetRule(0, msg.AdlBand, int64(10*fixed.Percent)))
	d.ok(msg.Deposit(1, 1000*fixed.Coin), msg.Deposit(2, 1000*fixed.Coin), msg.Deposit(5, 90*fixed.Coin))
	d.ok(with(msg.Limit(1, 1, msg.Sell, 100, 10), msg.FlagIsolated, msg.GTC))
	d.ok(msg.Limit(2, 1, msg.Buy, 100, 1), msg.Limit(5, 1, msg.Buy, 100, 9))
	d.ok(msg.SetMark(1, 50)) // 90 - 450; 9 lots are closed at 55, which leaves 315 missing
	if d.count(msg.AdlFill) != 1 || d.count(msg.Socialized) != 1 {
		t.Fatalf("%v", d.last)
	}
	if e := d.first(msg.Socialized); e.Account != 1 || e.Instr != 0 || e.Balance().Amount != 315*fixed.Coin {
		t.Errorf("%s", e.String())
	}
	if p, _ := d.Position(1, 1); p.Qty != -1 || p.Margin != 10*fixed.Coin || p.State != msg.RungOK {
		t.Errorf("%+v", p)
	}
	if s, _ := d.Account(1); s.Cash != (900+495-315)*fixed.Coin {
		t.Errorf("%+v", s)
	}
	if v := d.VenueAccounts(); v.Deficit != 0 {
		t.Errorf("%+v", v)
	}
	d.sound()
}

// TestOrdersThatComeMeanwhileGoToo lets somebody whose many orders are being canceled bring another one.
func TestOrdersThatComeMeanwhileGoToo(t *testing.T) { // M-48, M-52
	d := held(t, 1100*fixed.Coin)
	d.ok(msg.Deposit(5, 4500*fixed.Coin))
	for range 400 {
		d.ok(msg.Limit(5, 2, msg.Buy, 1, 1))
	}
	d.ok(msg.SetMark(1, 40)) // nothing is left
	if d.jobs.shedding.pool == 0 {
		t.Fatal("all orders went at once")
	}
	came := false
	for n := 0; d.jobs.shedding.pool != 0; n++ {
		if refusal(d.do(msg.Limit(5, 1, msg.Sell, 200, 1))) == 0 {
			came = came || d.jobs.shedding.pool != 0
		}
		if n == 99 {
			t.Fatal("it goes on for ever")
		}
	}
	for d.house.Restless() {
		d.ok(msg.Tick())
	}
	if p, ok := d.Position(5, 1); ok || !came {
		t.Errorf("%+v", p)
	}
	d.sound()
}

// TestEscapeIntoTheParent merges an isolated position that is being taken over into an account that can bear it.
func TestEscapeIntoTheParent(t *testing.T) { // M-19, M-27
	d := newDesk(t, Limits{Instruments: 2, Accounts: 8, Events: 256})
	d.at = fixed.Hour
	d.list(perpetual(1), 100)
	d.ok(msg.PayFund(5*fixed.Coin), msg.Deposit(1, 1_000_000*fixed.Coin), msg.Deposit(5, 5000*fixed.Coin))
	d.ok(msg.Limit(1, 1, msg.Sell, 100, 100), with(msg.Limit(5, 1, msg.Buy, 100, 100), msg.FlagIsolated, msg.GTC))
	for range 400 {
		d.ok(with(msg.Limit(5, 1, msg.Buy, 90, 1), msg.FlagIsolated, msg.GTC))
	}
	d.ok(msg.SetMark(1, 89)) // 1,000 - 1,100
	if d.jobs.shedding.pool == 0 {
		t.Fatal("all orders went at once")
	}
	d.ok(msg.Cross(5, 1))
	for d.house.Restless() || d.jobs.shedding.pool != 0 {
		d.ok(msg.Tick())
	}
	d.stands(5, msg.RungOK)
	d.ok(msg.Withdraw(1, fixed.Coin))
	d.sound()
}

// TestShutMarketHidesNoOtherLeg keeps the largest leg where nothing can be sold: the next largest is sold meanwhile.
func TestShutMarketHidesNoOtherLeg(t *testing.T) { // M-49, M-70
	d := held(t, 1500*fixed.Coin)
	d.ok(msg.Deposit(5, 700*fixed.Coin), msg.Limit(1, 2, msg.Sell, 100, 50), msg.Limit(5, 2, msg.Buy, 100, 50))
	d.ok(msg.SetPhase(1, msg.Closed), msg.Limit(2, 2, msg.Buy, 90, 100))
	d.ok(msg.SetMark(1, 90), msg.SetMark(2, 90))
	d.stands(5, msg.RungCall2) // 700 over 675
	d.ok(msg.SetMark(1, 89))   // 600 over 670
	if e := d.first(msg.LiquidationSlice); e.Account != 5 || e.Instr != 2 {
		t.Errorf("%s", e.String())
	}
	d.sound()
}

// TestCollateralIsNoPut loses to a partner what assets count, and lets their index fall: the fund pays, and has the assets, which it
// sells.
func TestCollateralIsNoPut(t *testing.T) { // M-03, M-52
	d := pledged(t)
	d.ok(msg.PayFund(10_000*fixed.Coin), msg.SetMark(1, 100))
	d.ok(msg.Limit(2, 1, msg.Sell, 100, 80), msg.Limit(1, 1, msg.Buy, 100, 80))
	d.ok(msg.SetMark(1, 91), msg.Limit(2, 1, msg.Buy, 91, 80), msg.Limit(1, 1, msg.Sell, 91, 80)) // 720 over to the partner
	d.ok(msg.Limit(1, 3, msg.Sell, 200, 4))
	d.ok(index(20)) // 180 - 720
	if s, _ := d.Account(1); s.Cash != 0 || s.Equity != 0 {
		t.Errorf("%+v", s)
	}
	if p, ok := d.Position(1, 3); ok {
		t.Errorf("the account has %+v", p)
	}
	if p, _ := d.Position(msg.FundAccount, 3); p.Qty != 10 {
		t.Errorf("the fund has %+v", p)
	}
	if v := d.VenueAccounts(); v.Fund != (10_000-720)*fixed.Coin || v.Deficit != 0 {
		t.Errorf("%+v", v)
	}
	if e := d.first(msg.Transferred); e.Account != 1 || e.Instr != 3 || e.Qty != 10 || e.Balance().Amount != 180*fixed.Coin {
		t.Errorf("%s", e.String())
	}
	d.refused(msg.RejectInsufficientFunds, msg.WithdrawAsset(1, 3, 1))
	d.sound()
	d.ok(msg.Limit(3, 3, msg.Buy, 19, 7))
	d.at += fixed.Second
	d.ok(msg.Tick())
	if e := d.first(msg.LiquidationSlice); e.Account != msg.FundAccount || e.Instr != 3 || e.Qty != 7 || e.Price != 19 {
		t.Errorf("%s", e.String())
	}
	if v := d.VenueAccounts(); v.Fund != (10_000-720+7*19)*fixed.Coin {
		t.Errorf("%+v", v)
	}
	d.sound()
}

// TestCollateralGoesWithItsPool takes a pool over that has assets: they go with it, also where nobody has the money for them and
// winners close it, and what counts nothing goes only where something is missing.
func TestCollateralGoesWithItsPool(t *testing.T) { // M-52, M-53
	for _, c := range []struct {
		name    string
		fund    int64
		index   int64
		own     int64 // coins besides
		winners bool
		plain   fixed.Lots // that are left of the asset that counts nothing
	}{
		{"taken over", 10_000, 20, 1, false, 0},
		{"closed against winners", 1, 20, 1, true, 0},
		{"nobody buys, and nothing is missing", 10_000, 100, 40, false, 5},
	} {
		d := pledged(t)
		d.ok(msg.PayFund(fixed.Money(c.fund) * fixed.Coin))
		d.ok(msg.List(2, msg.Listing{Type: msg.Spot, TickLot: fixed.Coin, UnitLots: 1}), msg.DepositAsset(1, 2, 5))
		d.ok(msg.Deposit(1, fixed.Money(c.own)*fixed.Coin))
		d.ok(msg.Limit(2, 1, msg.Sell, 100, 90), msg.Limit(1, 1, msg.Buy, 100, 90))
		d.ok(msg.CancelAll(2, 0, 0), index(fixed.Money(c.index)))
		if d.ok(msg.SetMark(1, 94)); c.index == 100 { // 400 over 423; else 181 - 540
			for range 4 {
				d.at += fixed.Second
				d.ok(msg.Tick())
			}
		}
		for d.jobs.shedding.pool != 0 {
			d.ok(msg.Tick())
		}
		if s, _ := d.Account(1); s.Cash != 0 || s.Equity != 0 {
			t.Errorf("%s: %+v", c.name, s)
		}
		left, _ := d.Position(1, 2)
		kept, _ := d.Position(1, 3)
		own, _ := d.Position(msg.FundAccount, 3)
		legs, _ := d.Position(msg.FundAccount, 1)
		if left.Qty != c.plain || kept.Qty != 0 || own.Qty != 10 || (legs.Qty == 0) != c.winners {
			t.Errorf("%s: %d and %d lots are left, the fund has %d and %d", c.name, left.Qty, kept.Qty, own.Qty, legs.Qty)
		}
		d.sound()
	}
}

// lean is a desk with a band of 30 % and 2 % initial margin, on which account 5 holds 100 lots at 100 with 1,200 of its own, and who
// would buy at any price is account 6.
func lean(t *testing.T, flags msg.Flags) *desk {
	t.Helper()
	d := newDesk(t, Limits{Instruments: 2, Accounts: 8, Events: 256})
	d.at = fixed.Hour
	in := perpetual(1)
	in.Initial, in.Maintenance = 2*fixed.Percent, fixed.Percent
	d.list(in, 100)
	d.ok(msg.SetRule(1, msg.Band, int64(30*fixed.Percent)), msg.SetRule(0, msg.WithdrawMargin, 0))
	d.ok(msg.PayFund(10_000*fixed.Coin), msg.Deposit(6, 100_000*fixed.Coin), msg.OpenAccount(5, 5, msg.AllGroups), msg.OpenAccount(7, 5, msg.AllGroups))
	d.ok(msg.Deposit(5, 1200*fixed.Coin), msg.Limit(6, 1, msg.Sell, 100, 100), with(msg.Limit(5, 1, msg.Buy, 100, 100), flags, msg.GTC))
	if flags&msg.FlagIsolated != 0 {
		d.ok(msg.MoveMargin(5, 1, 1000*fixed.Coin))
	}
	return d
}

// TestNobodySellsBeyondBankruptcy lets an account give what it has and more to a partner, by orders that only reduce: it has nothing left,
// and the fund pays nothing.
func TestNobodySellsBeyondBankruptcy(t *testing.T) { // M-16, M-49
	for _, flags := range []msg.Flags{0, msg.FlagIsolated} {
		for _, c := range []struct {
			name    string
			orders  []msg.Command
			at      fixed.Ticks // at which the first works
			partner msg.Command // who comes last
		}{
			{"a limit that takes", []msg.Command{msg.Limit(6, 1, msg.Buy, 80, 100), msg.Limit(5, 1, msg.Sell, 80, 100)}, 88, msg.Tick()},
			{"a market close", []msg.Command{msg.Limit(6, 1, msg.Buy, 80, 100), with(msg.Market(5, 1, msg.Sell, 100, 0), 0, msg.IOC)}, 88, msg.Tick()},
			{"reduce-only", []msg.Command{msg.Limit(6, 1, msg.Buy, 80, 100), with(msg.Limit(5, 1, msg.Sell, 80, 300), msg.FlagReduceOnly, msg.IOC)}, 88, msg.Tick()},
			{"one that rests", []msg.Command{msg.Limit(5, 1, msg.Sell, 80, 100)}, 88, msg.Limit(6, 1, msg.Buy, 100, 100)},
			{"halves that rest", []msg.Command{msg.Limit(5, 1, msg.Sell, 80, 50), msg.Limit(5, 1, msg.Sell, 80, 50)}, 80, msg.Limit(6, 1, msg.Buy, 100, 100)},
			{"one that rests, and money that goes", []msg.Command{msg.Limit(5, 1, msg.Sell, 90, 100), msg.Transfer(5, 7, 1000*fixed.Coin)}, 90,
				msg.Limit(6, 1, msg.Buy, 100, 100)},
		} {
			d := lean(t, flags)
			at := fixed.Ticks(0)
			for _, o := range c.orders {
				if o.Kind == msg.KindTransfer && flags != 0 {
					o = msg.MoveMargin(5, 1, -1000*fixed.Coin)
				}
				if o.Account == 5 && o.Instr == 1 && o.Kind <= msg.KindPlace {
					o.Flags |= flags
				}
				if d.ok(o); o.Account == 5 && at == 0 {
					at = d.first(msg.Accepted).Price
				}
			}
			d.ok(c.partner)
			if v := d.VenueAccounts(); v.Fund != 10_000*fixed.Coin || v.Deficit != 0 {
				t.Errorf("%s: %+v", c.name, v)
			}
			if at != c.at {
				t.Errorf("%s: it works at %d, want %d", c.name, at, c.at)
			}
			if s, _ := d.Account(5); s.Cash < 0 {
				t.Errorf("%s: %+v", c.name, s)
			}
			d.sound()
		}
	}
}

// TestAmendedBeyondBankruptcy amends an order that rests to a price that would cost more than there is.
func TestAmendedBeyondBankruptcy(t *testing.T) { // M-16
	d := lean(t, 0)
	id := d.order(msg.Limit(5, 1, msg.Sell, 105, 100))
	d.ok(msg.Amend(5, 1, id, 75, 100))
	if e := d.first(msg.Amended); e.Price != 88 {
		t.Errorf("%s", e.String())
	}
	d.ok(msg.Limit(6, 1, msg.Buy, 100, 100))
	if s, _ := d.Account(5); s.Cash != 0 || s.Positions != 0 {
		t.Errorf("%+v", s)
	}
	d.sound()
}

// TestTighteningLoosensNoLimit closes above the mark where the fee alone is more than the pool has: the price brings it, and the order works where
// its owner wants it to.
func TestTighteningLoosensNoLimit(t *testing.T) { // M-16
	for _, flags := range []msg.Flags{0, msg.FlagIsolated} {
		d := lean(t, flags)
		move := msg.Transfer(5, 7, 1000*fixed.Coin)
		if flags != 0 {
			move = msg.MoveMargin(5, 1, -1000*fixed.Coin)
		}
		d.ok(move, msg.SetFees(1, msg.Fees{Taker: 3 * fixed.Percent})) // 200 are left, and selling all at 110 costs 330
		d.ok(with(msg.Limit(5, 1, msg.Sell, 110, 100), flags, msg.GTC))
		if e := d.first(msg.Accepted); e.Price != 110 {
			t.Errorf("%s", e.String())
		}
		d.sound()
	}
}
