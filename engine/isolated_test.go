package engine

import (
	"testing"

	"github.com/lockstep-exchange/lockstep/clearing"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// The worked examples of leverage, crowding and isolated margin, through the whole engine, with their numbers.

// isolated is an order for an isolated position.
func isolated(c msg.Command) msg.Command {
	c.Flags |= msg.FlagIsolated
	return c
}

// child is an isolated position as a story expects it.
func (d *desk) child(id msg.AccountID, instr msg.InstrumentID, qty fixed.Lots, margin fixed.Money) {
	d.t.Helper()
	if p, _ := d.Position(id, instr); p.Mode != msg.ModeIsolated || p.Qty != qty || p.Margin != margin {
		d.t.Errorf("seq %d: account %d in %d: %s %d lots with margin %s, want isolated %d with %s", d.seq, id, instr, p.Mode, p.Qty, p.Margin, qty, margin)
	}
}

// steep is a perpetual of one initial rate, a coin a tick and lot.
func steep(id msg.InstrumentID, initial, maintenance fixed.Rate) market.Spec {
	s := perpetual(id)
	s.Initial, s.Maintenance = initial, maintenance
	return s
}

// funded is a desk with an instrument at a mark and rich accounts.
func funded(t *testing.T, s market.Spec, mark fixed.Ticks) *desk {
	t.Helper()
	d := newDesk(t, Limits{Instruments: 2, Accounts: 8, Orders: 4096, Events: 4096})
	d.list(s, mark)
	for id := maker; id <= carol; id++ {
		d.ok(msg.Deposit(id, 1_000_000*fixed.Coin))
	}
	return d
}

// TestLeverageRaisesInitial follows a chosen leverage: what it requires, what it may be, and where it is remembered.
func TestLeverageRaisesInitial(t *testing.T) { // M-09
	d := funded(t, steep(1, 5*fixed.Percent, 2*fixed.Percent), 100)
	d.ok(msg.Deposit(5, 100*fixed.Coin), msg.SetLeverage(5, 1, 2000))
	if d.Leverage(5, 1) != 2000 || d.Leverage(alice, 1) != 0 {
		t.Errorf("leverage %d", d.Leverage(5, 1))
	}
	if _, ok := d.Position(5, 1); ok {
		t.Error("a leverage is a position")
	}
	d.trade(maker, 5, 1, 100, 10)
	d.position(5, 1, coins(50_00), coins(20_00)) // 20-fold is the tier's own 5 %
	for _, x := range []msg.Leverage{1, 99, 2001, 65_535} {
		d.refused(msg.RejectLeverageOutOfRange, msg.SetLeverage(5, 1, x))
	}
	d.ok(msg.SetLeverage(5, 1, 1000)) // a tenth of 1,000 is all there is
	d.position(5, 1, coins(100_00), coins(20_00))
	d.refused(msg.RejectInsufficientMargin, msg.SetLeverage(5, 1, 999))
	d.refused(msg.RejectInsufficientMargin, msg.Limit(5, 1, msg.Buy, 100, 1))
	d.ok(msg.SetLeverage(5, 1, 1250)) // 8 %
	d.ok(msg.Limit(5, 1, msg.Buy, 100, 2))
	d.refused(msg.RejectInsufficientMargin, msg.Limit(5, 1, msg.Buy, 100, 1))
	d.ok(msg.SetLeverage(5, 1, 0)) // the tiers alone
	d.position(5, 1, coins(60_00), coins(20_00))
	d.ok(msg.SetMark(1, 95))
	d.ok(msg.SetLeverage(5, 1, 0)) // no more than before, though equity is short of it
	d.refused(msg.RejectInsufficientMargin, msg.SetLeverage(5, 1, 1999))
	d.refused(msg.RejectUnknownInstrument, msg.SetLeverage(5, 2, 100))
	d.refused(msg.RejectUnknownInstrument, msg.SetLeverage(5, 0, 100))
	d.refused(msg.RejectUnknownAccount, msg.SetLeverage(8, 1, 100))
	d.sound()
}

// TestLeverageTakesARow holds that a chosen leverage is a position as the tables count it, until it is taken back.
func TestLeverageTakesARow(t *testing.T) { // M-09, A-20
	d := newDesk(t, Limits{Instruments: 3, Accounts: 2, Positions: 4, AccountPositions: 2})
	for id := msg.InstrumentID(1); id <= 3; id++ {
		d.list(perpetual(id), 100)
	}
	d.ok(msg.Deposit(1, 1000*fixed.Coin), msg.SetLeverage(1, 1, 200), msg.SetLeverage(1, 2, 200))
	d.refused(msg.RejectTableFull, msg.SetLeverage(1, 3, 200))
	d.refused(msg.RejectTableFull, msg.Limit(1, 3, msg.Buy, 100, 1))
	d.ok(msg.SetLeverage(1, 3, 0), msg.SetLeverage(1, 2, 0), msg.Limit(1, 3, msg.Buy, 100, 1))
	d.ok(isolated(msg.Limit(1, 1, msg.Buy, 100, 1)))
	d.ok(msg.CancelAll(1, 1, 0), msg.Limit(1, 1, msg.Buy, 100, 1)) // the row that stays is cross again
	d.sound()
}

// TestInterestRaisesInitial holds the example of open interest: at 12 of 10 to 20 million initial is 28 %, and what an order
// opens counts before it does.
func TestInterestRaisesInitial(t *testing.T) { // M-10, M-16
	d := funded(t, perpetual(1), 100)
	d.ok(msg.SetRule(1, msg.InterestHigh, 20_000_000*int64(fixed.Coin)), msg.SetRule(1, msg.InterestLow, 10_000_000*int64(fixed.Coin)))
	for id := msg.AccountID(5); id <= 6; id++ {
		d.ok(msg.Deposit(id, 100_000_000*fixed.Coin))
	}
	d.ok(msg.Deposit(7, 280_000*fixed.Coin-1))
	d.trade(5, 6, 1, 100, 110_000) // 11 million: 19 %
	d.position(6, 1, 11_000_000*19*fixed.Coin/100, 550_000*fixed.Coin)
	d.refused(msg.RejectInsufficientMargin, msg.Limit(7, 1, msg.Buy, 100, 10_000)) // 1 million more at 28 %
	d.ok(msg.Deposit(7, 1), msg.Limit(7, 1, msg.Buy, 100, 10_000))
	d.account(7, func(f *figures) { f.initial = 190_000 * fixed.Coin }) // while it rests nothing is opened
	d.ok(msg.Limit(5, 1, msg.Sell, 100, 10_000))
	d.account(7, func(f *figures) { f.initial, f.free = 280_000*fixed.Coin, 0 })
	d.account(6, func(f *figures) { f.initial = 11_000_000 * 28 * fixed.Coin / 100 }) // who did nothing, too
	d.position(6, 1, -1, 550_000*fixed.Coin)
	d.sound()
}

// TestConcentrationRaisesInitial holds the example of an owner's share: with 30 % of open interest and a table that adds 5 % from
// 25 % on, 15 % is required instead of 10 %; his accounts count together.
func TestConcentrationRaisesInitial(t *testing.T) { // M-11
	d := funded(t, perpetual(1), 100)
	d.ok(msg.SetConcentration(1, msg.Concentration{Share: 25 * fixed.Percent, Rate: 5 * fixed.Percent, Last: true}),
		msg.OpenAccount(5, msg.OwnerID(alice), msg.AllGroups), msg.Deposit(5, 100_000*fixed.Coin))
	d.trade(maker, bob, 1, 100, 70)
	d.trade(maker, alice, 1, 100, 20)
	d.account(alice, func(f *figures) { f.initial = 200 * fixed.Coin }) // 20 of 90
	d.trade(maker, 5, 1, 100, 10)
	d.account(alice, func(f *figures) { f.initial = 300 * fixed.Coin }) // 30 of 100, in two accounts
	d.account(5, func(f *figures) { f.initial = 150 * fixed.Coin })
	d.ok(msg.SetConcentration(1, msg.Concentration{Last: true}))
	d.account(5, func(f *figures) { f.initial = 100 * fixed.Coin })
	d.sound()
}

// TestHoldOfAShort holds that an isolated order moves no cash, that lots which reduce are free, and what fills post and give
// back.
func TestHoldOfAShort(t *testing.T) { // M-21 to M-24
	d := funded(t, steep(1, 90*fixed.Percent, 35*fixed.Percent), 15_900)
	d.ok(msg.Limit(maker, 1, msg.Buy, 15_912, 3), isolated(msg.Limit(alice, 1, msg.Sell, 15_912, 3)))
	d.child(alice, 1, -3, coins(42_962_40)) // 3 at 15,912, 90 %
	d.account(alice, func(f *figures) { f.cash, f.initial = 1_000_000*fixed.Coin-coins(42_962_40), 0 })
	d.ok(isolated(msg.Limit(alice, 1, msg.Buy, 14_500, 10)))
	d.account(alice, func(f *figures) { f.initial = 91_350 * fixed.Coin }) // 7 lots
	d.refused(msg.RejectModeConflict, msg.Limit(alice, 1, msg.Buy, 14_500, 1))
	d.ok(isolated(with(msg.Limit(alice, 1, msg.Buy, 15_000, 2), msg.FlagReduceOnly, msg.GTC)))
	d.account(alice, func(f *figures) { f.initial = 91_350 * fixed.Coin })
	d.sound()
}

// TestReleaseOfAClose holds the example of a close: a child with 4 in cash, long 2 from 12, sells 1 at 13 and gives back 3.
func TestReleaseOfAClose(t *testing.T) { // M-24
	d := funded(t, steep(1, 10*fixed.Percent, 0), 12)
	d.trade(maker, bob, 1, 12, 100)
	d.ok(msg.Limit(maker, 1, msg.Sell, 12, 2), isolated(msg.Limit(alice, 1, msg.Buy, 12, 2)), msg.MoveMargin(alice, 1, coins(1_60)))
	d.child(alice, 1, 2, coins(4_00))
	d.ok(msg.Limit(maker, 1, msg.Buy, 13, 1), isolated(msg.Limit(alice, 1, msg.Sell, 13, 1)))
	d.child(alice, 1, 1, coins(2_00)) // 4 + 1 realized - 3
	d.account(alice, func(f *figures) { f.cash = 1_000_000*fixed.Coin - coins(4_00) + coins(3_00) })
	d.ok(msg.Limit(maker, 1, msg.Buy, 13, 1), isolated(msg.Limit(alice, 1, msg.Sell, 13, 1)))
	if _, ok := d.Position(alice, 1); ok {
		t.Error("a position without lots and orders is still there")
	}
	d.account(alice, func(f *figures) { f.cash = 1_000_000*fixed.Coin + coins(2_00) })
	d.sound()
}

// TestFlipGivesBackAndPosts holds the example of a flip: what was in the child goes out, and margin for what opens goes in, the
// fee split between the two.
func TestFlipGivesBackAndPosts(t *testing.T) { // M-25
	s := steep(1, 50*fixed.Percent, 0)
	s.Taker = fixed.Percent
	d := funded(t, s, 12)
	d.ok(isolated(msg.Limit(alice, 1, msg.Buy, 12, 20)), msg.Limit(maker, 1, msg.Sell, 12, 20))
	d.child(alice, 1, 20, coins(120_00))
	d.ok(msg.MoveMargin(alice, 1, coins(880_00)), msg.Limit(maker, 1, msg.Buy, 12, 25))
	d.child(alice, 1, 20, coins(1000_00))
	d.ok(isolated(msg.Limit(alice, 1, msg.Sell, 12, 25)))
	d.child(alice, 1, -5, coins(30_00))
	// the fee of 3.00 is 2.40 for what closes, out of the child, and 0.60 for what opens
	d.account(alice, func(f *figures) { f.cash = 1_000_000*fixed.Coin - coins(3_00) - coins(30_00) })
	if moved := d.last[3].Balance(); d.last[3].Kind != msg.MarginMoved || moved.Amount != coins(30_00)-coins(997_60) {
		t.Errorf("%s", d.last[3].String())
	}
	d.sound()
}

// TestDearOrderDoesNotLeanOnACheapOne holds that what an order may open survives by itself: a buy far above the mark loses at
// once, and the margin of one at the mark that may never fill is no help.
func TestDearOrderDoesNotLeanOnACheapOne(t *testing.T) { // M-22, I-12
	d := funded(t, perpetual(1), 100)
	d.refused(msg.RejectInsufficientMargin, isolated(msg.Limit(alice, 1, msg.Buy, 106, 1))) // 10.6 - 6 < 5
	d.ok(isolated(msg.Limit(alice, 1, msg.Buy, 105, 1)), msg.CancelAll(alice, 1, 0))        // 10.5 - 5 >= 5
	d.ok(isolated(msg.Limit(alice, 1, msg.Buy, 100, 50)))                                   // 500 against 250: plenty
	d.refused(msg.RejectInsufficientMargin, isolated(msg.Limit(alice, 1, msg.Buy, 106, 1)))
	d.sound()
}

// TestLossStopsAtTheChild lets a position lose more than it has: the account beside it pays nothing, the fund does.
func TestLossStopsAtTheChild(t *testing.T) { // M-24, M-25, M-52, I-06, I-01
	d := funded(t, perpetual(1), 100)
	d.ok(msg.PayFund(coins(50_00)), msg.Limit(maker, 1, msg.Sell, 100, 10), isolated(msg.Limit(alice, 1, msg.Buy, 100, 10)))
	d.child(alice, 1, 10, coins(100_00))
	before, _ := d.Account(alice)
	d.ok(msg.SetMark(1, 86))
	if after, _ := d.Account(alice); after.Cash != before.Cash {
		t.Errorf("the account paid %s", before.Cash-after.Cash)
	}
	if v := d.VenueAccounts(); v.Fund != coins(10_00) || v.Deficit != 0 || d.count(msg.FundDraw) != 1 {
		t.Errorf("%+v", v)
	}
	d.sound()
}

// TestIsolateAndCross holds what goes with a position that is isolated, what it needs on both sides, and that it comes back.
func TestIsolateAndCross(t *testing.T) { // M-26, M-27, I-15
	d := funded(t, perpetual(1), 50_000)
	d.ok(msg.Deposit(5, 9_000*fixed.Coin))
	d.refused(msg.RejectNoPosition, msg.IsolateDefault(5, 1))
	d.trade(maker, 5, 1, 50_000, 1)
	d.refused(msg.RejectModeConflict, msg.Cross(5, 1))
	d.refused(msg.RejectModeConflict, msg.MoveMargin(5, 1, 1))
	d.refused(msg.RejectValueOutOfRange, msg.Isolate(5, 1, -1))
	d.refused(msg.RejectValueOutOfRange, msg.MoveMargin(5, 1, 0))
	d.refused(msg.RejectInsufficientMargin, msg.Isolate(5, 1, 5_000*fixed.Coin-1))
	d.refused(msg.RejectInsufficientMargin, msg.Isolate(5, 1, 9_000*fixed.Coin+1))
	d.ok(msg.IsolateDefault(5, 1))
	d.child(5, 1, 1, 5_000*fixed.Coin)
	d.refused(msg.RejectModeConflict, msg.IsolateDefault(5, 1))
	d.ok(msg.Cross(5, 1), msg.SetMark(1, 49_500), msg.IsolateDefault(5, 1)) // with the loss of 500
	d.child(5, 1, 1, 4_950*fixed.Coin+500*fixed.Coin)
	d.ok(msg.MoveMargin(5, 1, 2_500*fixed.Coin), msg.SetMark(1, 45_000))
	d.refused(msg.RejectInsufficientMargin, msg.Cross(5, 1)) // 9,000 - 5,000
	d.ok(msg.SetMark(1, 45_555))                             // 9,000 - 4,445 = 4,555 against 4,555.5
	d.refused(msg.RejectInsufficientMargin, msg.Cross(5, 1))
	d.ok(msg.SetMark(1, 45_556), msg.Cross(5, 1))
	d.account(5, func(f *figures) { f.cash = 9_000 * fixed.Coin })
	d.sound()
}

// TestIsolateRehold isolates a position with orders that have changed places: of two at one price the one that stood still is
// first.
func TestIsolateRehold(t *testing.T) { // M-26, M-22
	s := perpetual(1)
	s.Tiers = []msg.Tier{{UpTo: 700 * fixed.Coin, Initial: 10 * fixed.Percent, Maintenance: fixed.Percent},
		{Initial: 50 * fixed.Percent, Maintenance: fixed.Percent}}
	s.Initial, s.Maintenance = 0, 0
	d := funded(t, s, 100)
	d.trade(maker, alice, 1, 100, 3)
	moved := d.order(msg.Limit(alice, 1, msg.Sell, 105, 5))
	d.ok(msg.Limit(bob, 1, msg.Sell, 105, 2))
	d.ok(msg.Limit(alice, 1, msg.Sell, 105, 4), msg.Limit(bob, 1, msg.Sell, 105, 2))
	d.ok(msg.Amend(alice, 1, moved, 105, 6)) // it goes behind all of them, but stays older in the account's list
	d.ok(with(msg.Limit(alice, 1, msg.Sell, 104, 1), msg.FlagReduceOnly, msg.GTC))
	d.ok(msg.IsolateDefault(alice, 1))
	// 3 + 4 lots are worth 700: 10 %; the other 6 come into the upper bracket. 3 of the 4 are free.
	d.account(alice, func(f *figures) { f.initial = coins(10_50) + coins(6*52_50) })
	d.sound()
	d.ok(msg.Cross(alice, 1))
	d.sound()
}

// TestMarginMoves holds how much may be put into a position and taken out of it.
func TestMarginMoves(t *testing.T) { // M-28
	d := funded(t, perpetual(1), 50_000)
	d.ok(msg.Deposit(5, 6_000*fixed.Coin), msg.Limit(maker, 1, msg.Sell, 50_000, 1), isolated(msg.Limit(5, 1, msg.Buy, 50_000, 1)))
	d.refused(msg.RejectInsufficientMargin, msg.MoveMargin(5, 1, 1_000*fixed.Coin+1))
	d.ok(msg.MoveMargin(5, 1, 1_000*fixed.Coin))
	d.child(5, 1, 1, 6_000*fixed.Coin)
	d.ok(msg.SetMark(1, 50_700)) // initial is 5,070, and of the profit of 700 nothing may leave
	d.refused(msg.RejectInsufficientMargin, msg.MoveMargin(5, 1, -930*fixed.Coin-1))
	d.ok(msg.SetRule(1, msg.IsolatedNoRemove, 1))
	d.refused(msg.RejectMarginLocked, msg.MoveMargin(5, 1, -1))
	d.ok(msg.SetRule(1, msg.IsolatedNoRemove, 0), msg.MoveMargin(5, 1, -930*fixed.Coin))
	d.child(5, 1, 1, 5_070*fixed.Coin)
	d.refused(msg.RejectNoPosition, msg.MoveMargin(alice, 1, 1))
	d.sound()
}

// TestModesConflict holds that a position and its orders are all cross or all isolated, and that a flat one without orders may be
// either.
func TestModesConflict(t *testing.T) { // M-01
	d := funded(t, perpetual(1), 100)
	d.list(market.Spec{ID: 2, Type: msg.Spot, TickLot: fixed.Coin}, 100)
	id := d.order(msg.Limit(alice, 1, msg.Buy, 90, 1))
	d.refused(msg.RejectModeConflict, isolated(msg.Limit(alice, 1, msg.Buy, 90, 1)))
	d.ok(msg.Cancel(alice, 1, id), isolated(msg.Limit(alice, 1, msg.Buy, 90, 1)))
	d.refused(msg.RejectModeConflict, msg.Limit(alice, 1, msg.Sell, 110, 1))
	d.refused(msg.RejectNoPosition, msg.Cross(alice, 1)) // orders alone
	d.refused(msg.RejectNoPosition, msg.MoveMargin(alice, 1, 1))
	d.ok(msg.Limit(maker, 1, msg.Sell, 90, 1))
	d.refused(msg.RejectModeConflict, msg.Limit(alice, 1, msg.Sell, 110, 1))
	d.refused(msg.RejectModeConflict, with(msg.Limit(alice, 1, msg.Sell, 110, 1), msg.FlagReduceOnly, msg.GTC))
	d.refused(msg.RejectModeConflict, isolated(msg.Limit(alice, 2, msg.Buy, 90, 1)))
	d.refused(msg.RejectNotSupported, msg.SetLeverage(alice, 2, 100))
	d.refused(msg.RejectNotSupported, msg.IsolateDefault(alice, 2))
	d.sound()
}

// TestManyHolds holds how many orders an isolated position may have, and one that is to be isolated.
func TestManyHolds(t *testing.T) {
	d := funded(t, perpetual(1), 100)
	for range clearing.MaxHolds {
		d.ok(isolated(msg.Limit(alice, 1, msg.Buy, 90, 1)))
	}
	if r := d.refused(msg.RejectOpenOrderLimit, isolated(msg.Limit(alice, 1, msg.Buy, 90, 1))); r.Limit != clearing.MaxHolds {
		t.Errorf("%+v", r)
	}
	d.trade(maker, bob, 1, 100, 1)
	for range clearing.MaxHolds {
		d.ok(msg.Limit(bob, 1, msg.Buy, 95, 1))
	}
	d.ok(msg.IsolateDefault(bob, 1), msg.Cross(bob, 1), msg.Limit(bob, 1, msg.Buy, 95, 1))
	d.refused(msg.RejectOpenOrderLimit, msg.IsolateDefault(bob, 1))
	d.sound()
}

// TestSessionsRemargin holds that a session may change the margin of its owner's accounts, and of no others.
func TestSessionsRemargin(t *testing.T) { // W-59
	d := funded(t, perpetual(1), 100)
	d.ok(msg.OpenSession(1, msg.OwnerID(alice)))
	for id, want := range map[msg.AccountID]msg.Reject{alice: 0, bob: msg.RejectNotPermitted} {
		c := msg.SetLeverage(id, 1, 200)
		c.Session = 1
		if got := refusal(d.do(c)); got != want {
			t.Errorf("account %d: %q, want %q", id, got.Name(), want.Name())
		}
	}
}
