package engine

import (
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// held is a desk on which account 5 is long 100 at 100 with so much money, and 1 and 2 can pay for everything; the maintenance
// of it all is 500 coins at 100.
func held(t *testing.T, money fixed.Money) *desk {
	t.Helper()
	d := newDesk(t, Limits{Instruments: 2, Accounts: 8, Events: 256})
	d.at = fixed.Hour
	d.list(perpetual(1), 100)
	d.list(perpetual(2), 100)
	for id := msg.AccountID(1); id <= 3; id++ {
		d.ok(msg.Deposit(id, 1_000_000*fixed.Coin))
	}
	d.ok(msg.Deposit(5, money), msg.Limit(1, 1, msg.Sell, 100, 100), msg.Limit(5, 1, msg.Buy, 100, 100))
	return d
}

// stands fails if the account's pool is not on a rung.
func (d *desk) stands(id msg.AccountID, want msg.Rung) {
	d.t.Helper()
	if s, _ := d.Account(id); s.State != want {
		d.t.Fatalf("account %d with %s over %s is %s, want %s", id, s.Equity, s.Maintenance, s.State, want)
	}
}

// first is the first event of a kind that the last command brought.
func (d *desk) first(kind msg.EventKind) *msg.Event {
	d.t.Helper()
	for i := range d.last {
		if d.last[i].Kind == kind {
			return &d.last[i]
		}
	}
	d.t.Fatalf("no %s in %v", kind, d.last)
	return nil
}

// TestLadderPage walks the rungs: calls with their exits and deadlines, and the edge of maintenance.
func TestLadderPage(t *testing.T) { // M-46, M-47, T-9
	d := held(t, 1500*fixed.Coin)
	d.stands(5, msg.RungOK)
	opens := d.order(msg.Limit(5, 1, msg.Buy, 80, 1))
	d.ok(msg.Limit(5, 1, msg.Sell, 150, 100), msg.Limit(5, 1, msg.Sell, 160, 1)) // together they may open a short
	d.ok(msg.SetMark(1, 92))                                                     // 700 over 460
	d.stands(5, msg.RungOK)
	d.ok(msg.SetMark(1, 91)) // 600 over 455: 131 %
	d.stands(5, msg.RungCall1)
	if s := d.first(msg.MarginCall).RungStep(); s.From != msg.RungOK || s.Deadline != d.at+fixed.Hour || s.Equity != 600*fixed.Coin || s.Maintenance != 455*fixed.Coin {
		t.Errorf("%+v", s)
	}
	d.ok(msg.Cancel(5, 1, opens))
	d.ok(msg.SetMark(1, 90)) // 500 over 450: 111 %
	d.stands(5, msg.RungCall2)
	if d.count(msg.Canceled) != 2 || d.first(msg.OrdersCanceledByRisk).Qty != 2 || d.first(msg.Canceled).Reason != msg.CanceledByRisk {
		t.Errorf("a side that can open something stays: %v", d.last)
	}
	d.refused(msg.RejectAccountReduceOnly, msg.Limit(5, 1, msg.Buy, 80, 1))
	d.ok(msg.Limit(5, 1, msg.Sell, 150, 100))
	d.ok(msg.SetMark(1, 91)) // 131 % is below the exit of 135 %
	d.stands(5, msg.RungCall2)
	d.ok(msg.SetMark(1, 92)) // 152 %
	d.stands(5, msg.RungCall1)
	d.ok(msg.SetMark(1, 93)) // 172 %
	d.stands(5, msg.RungOK)
	if d.first(msg.MarginCallCleared).RungStep().From != msg.RungCall1 {
		t.Errorf("%v", d.last)
	}
	d.ok(msg.SetMark(1, 91))
	d.at += fixed.Hour
	d.ok(msg.Tick())
	d.stands(5, msg.RungCall2)
	d.ok(msg.SetMark(1, 92)) // a call that came by deadline ends at 160 %
	d.stands(5, msg.RungCall2)
	d.sound()
}

// TestDeadlineComesInItsTurn lets time leap past the deadline of a first call. What was due before it finds the orders of the pool, although
// the pool is looked at first: the slice of another one is bought by them.
func TestDeadlineComesInItsTurn(t *testing.T) { // M-47, M-48
	d := held(t, 1500*fixed.Coin)
	d.at = 23 * fixed.Hour
	d.ok(msg.Deposit(6, 2100*fixed.Coin), msg.Limit(1, 2, msg.Sell, 100, 200), msg.Limit(6, 2, msg.Buy, 100, 200), msg.Limit(5, 2, msg.Buy, 93, 1))
	d.ok(msg.SetMark(1, 91))
	d.stands(5, msg.RungCall1) // until midnight
	d.ok(msg.SetMark(2, 94), msg.SetMark(2, 93))
	d.stands(6, msg.RungLiquidating) // at 94 nobody bought
	d.ok(msg.Deposit(5, 1))          // at midnight all that was touched is looked at
	d.at += 2 * fixed.Hour
	d.ok(msg.Tick())
	d.stands(5, msg.RungCall2)
	if e := d.first(msg.LiquidationSlice); e.Account != 6 || e.Qty != 1 || e.Price != 93 {
		t.Errorf("%s", e.String())
	}
	d.sound()
}

// TestLiquidationEdge holds that equity equal to maintenance is safe, and a unit less is not.
func TestLiquidationEdge(t *testing.T) { // M-46, I-16, T-9
	d := held(t, 1450*fixed.Coin)
	d.ok(msg.SetMark(1, 90)) // 450 over 450
	d.stands(5, msg.RungCall2)
	d.ok(msg.SettleFunding(1, fixed.Percent/1_000_000)) // a ten-millionth of 9,000: 90 units
	d.stands(5, msg.RungLiquidating)
	if s := d.first(msg.LiquidationStarted).RungStep(); s.Equity != 450*fixed.Coin-90 || s.Maintenance != 450*fixed.Coin {
		t.Errorf("%+v", s)
	}
}

// TestTakeoverWithinCaps holds what the fund pays for and what it declines.
func TestTakeoverWithinCaps(t *testing.T) { // M-52, M-53, I-05, T-9
	for _, c := range []struct {
		name  string
		rule  msg.Rule
		value fixed.Money
		taken bool
	}{
		{"within all", msg.FundMin, 0, true},
		{"beyond the cap of an event", msg.FundEventCap, 299 * fixed.Coin, false},
		{"at the cap of an event", msg.FundEventCap, 300 * fixed.Coin, true},
		{"beyond the cap of the day", msg.FundDayCap, 299 * fixed.Coin, false},
		{"more than may be spent", msg.FundMin, 701 * fixed.Coin, false},
		{"all that may be spent", msg.FundMin, 700 * fixed.Coin, true},
		{"more than it may hold", msg.FundInventory, 8_700*fixed.Coin - 1, false},
		{"all that it may hold", msg.FundInventory, 8_700 * fixed.Coin, true},
	} {
		d := held(t, 1000*fixed.Coin)
		d.ok(msg.PayFund(1000*fixed.Coin), msg.SetRule(0, c.rule, int64(c.value)))
		d.ok(msg.SetMark(1, 87)) // -300
		d.stands(5, msg.RungOK)
		if s, _ := d.Account(5); s.Equity != 0 || s.Cash != 0 {
			t.Errorf("%s: %+v", c.name, s)
		}
		if v := d.VenueAccounts(); c.taken != (d.count(msg.Takeover) == 1) || c.taken == (d.count(msg.AdlStarted) == 1) ||
			c.taken && v.Fund != 700*fixed.Coin || !c.taken && v.Fund != 1000*fixed.Coin {
			t.Errorf("%s: %v, fund %s", c.name, d.last, v.Fund)
		}
		d.sound()
		d.at += fixed.Second
		d.ok(msg.Limit(2, 1, msg.Buy, 85, 100)) // comes when the fund has offered
		d.at += fixed.Second
		d.ok(msg.Tick())
		if c.taken && (d.first(msg.LiquidationSlice).Account != msg.FundAccount || d.VenueAccounts().Fund != 500*fixed.Coin) {
			t.Errorf("%s: %v", c.name, d.last)
		}
		d.sound()
	}
}

// TestSweepLimit crosses 600 pools with one mark, of which a command examines 256.
func TestSweepLimit(t *testing.T) { // M-58, T-9
	d := newDesk(t, Limits{Instruments: 1, Accounts: 700, Events: 4096})
	d.list(perpetual(1), 100)
	d.ok(msg.Deposit(1, 1_000_000*fixed.Coin), msg.Deposit(2, 1_000_000*fixed.Coin))
	for id := msg.AccountID(11); id <= 610; id++ {
		d.ok(msg.Deposit(id, 15*fixed.Coin), msg.Limit(1, 1, msg.Sell, 100, 1), msg.Limit(id, 1, msg.Buy, 100, 1))
	}
	for d.do(msg.SetMark(1, 101)); d.count(msg.SweepPending) != 0; d.do(msg.Tick()) { // all get their wires
	}
	var called []int
	d.do(msg.SetMark(1, 91)) // 6 over 4.55
	called = append(called, d.count(msg.MarginCall))
	if e := d.first(msg.SweepPending); e.Qty != 344 {
		t.Errorf("%s", e.String())
	}
	if s, _ := d.Account(600); s.State != msg.RungOK {
		t.Fatal("the last is called already")
	}
	d.do(msg.CancelAll(600, 0, 0)) // before his own command he is
	called = append(called, d.count(msg.MarginCall))
	d.stands(600, msg.RungCall1)
	d.do(msg.Tick())
	called = append(called, d.count(msg.MarginCall))
	if called[0] != 256 || called[1] < 256 || called[1] > 257 || called[0]+called[1]+called[2] != 600 || d.count(msg.SweepPending) != 0 {
		t.Errorf("called: %v", called)
	}
}

// TestSlicesMoveNoMark holds that what the ladder trades is neither the last trade nor heard by a mark, earns no rebate, and is told to
// makers alone.
func TestSlicesMoveNoMark(t *testing.T) { // M-38, M-45, M-48
	d := held(t, 1450*fixed.Coin)
	d.ok(msg.SetFees(1, msg.Fees{Maker: -fixed.BasisPoint, Taker: fixed.Percent}), msg.Limit(2, 1, msg.Buy, 89, 5), msg.Limit(2, 1, msg.Buy, 89, 30))
	d.ok(msg.SetMark(1, 89)) // 350 over 445
	e := d.first(msg.LiquidationSlice)
	if e.Account != 5 || e.Side != msg.Sell || e.Closeout().Position != 100-e.Qty || e.Index >= d.first(msg.Traded).Index {
		t.Errorf("%s", e.String())
	}
	sold := fixed.Lots(0)
	for i := range d.last {
		if e := &d.last[i]; e.Kind == msg.Traded {
			f := e.Fill()
			if sold += e.Qty; e.Account != 2 || f.Fee != 0 || f.Peer != 0 || !f.Maker {
				t.Errorf("%s", e.String())
			}
		}
	}
	if m, _ := d.Market(1); sold != e.Qty || m.Last != 100 || m.Mark != 89 {
		t.Errorf("%d of %d told; %+v", sold, e.Qty, m)
	}
	d.sound()
}

// TestOwnOrdersDoNotShield holds that an owner cannot keep his account from being sold by standing before it with another one.
func TestOwnOrdersDoNotShield(t *testing.T) { // M-49
	d := held(t, 1450*fixed.Coin)
	d.ok(msg.OpenAccount(6, 5, msg.AllGroups), msg.Deposit(6, 10_000*fixed.Coin), msg.Limit(6, 1, msg.Buy, 89, 1), msg.Limit(2, 1, msg.Buy, 89, 500))
	d.ok(msg.SetMark(1, 89))
	if d.count(msg.LiquidationSlice) != 1 || d.first(msg.Canceled).Account != 6 || d.first(msg.Canceled).Reason != msg.CanceledBySTP {
		t.Errorf("%v", d.last)
	}
	d.sound()
}

// TestClosedMarketIsNoStall holds that a pool waits while its market is halted, and is taken over there only when it has nothing.
func TestClosedMarketIsNoStall(t *testing.T) { // M-49, M-70
	d := held(t, 1450*fixed.Coin)
	d.ok(msg.SetPhase(1, msg.Halted), msg.SetMark(1, 89))
	d.stands(5, msg.RungLiquidating)
	d.at += fixed.Minute
	d.ok(msg.Tick())
	d.stands(5, msg.RungLiquidating)
	d.ok(msg.SetPhase(1, msg.Continuous))
	for range 3 {
		d.at += fixed.Second
		d.ok(msg.Tick())
	}
	if d.count(msg.Takeover) != 1 {
		t.Errorf("%v", d.last)
	}
	d = held(t, 1450*fixed.Coin)
	d.ok(msg.SetPhase(1, msg.Halted), msg.SetMark(1, 80))
	if d.count(msg.Takeover)+d.count(msg.AdlStarted) != 1 {
		t.Errorf("%v", d.last)
	}
}

// TestManyOrdersGoFirst holds that a pool whose orders do not go with one command is sold when they are out.
func TestManyOrdersGoFirst(t *testing.T) { // A-16, M-48
	d := held(t, 1450*fixed.Coin)
	d.ok(msg.Limit(2, 1, msg.Buy, 89, 500))
	for range 300 {
		d.ok(with(msg.Limit(5, 1, msg.Sell, 150, 1), msg.FlagReduceOnly, msg.GTC))
	}
	canceled := 0
	d.do(msg.SetMark(1, 89))
	for d.count(msg.LiquidationSlice) == 0 {
		if canceled += d.count(msg.Canceled); d.count(msg.Canceled) == 0 {
			t.Fatalf("%d canceled, and nothing sold: %v", canceled, d.last)
		}
		d.do(msg.Tick())
	}
	if canceled += d.count(msg.Canceled); canceled != 300 || d.first(msg.OrdersCanceledByRisk).Qty != 300 {
		t.Errorf("%d canceled", canceled)
	}
	d.sound()
}

// TestManyWinners holds that a deleveraging which has to ask more winners than a command can tell of goes on with the next.
func TestManyWinners(t *testing.T) { // A-16, M-53, M-54, I-21, I-22
	d := newDesk(t, Limits{Instruments: 1, Accounts: 400, Events: 256})
	d.list(perpetual(1), 100)
	d.ok(msg.Deposit(1, 3_000*fixed.Coin))
	for id := msg.AccountID(11); id <= 210; id++ {
		d.ok(msg.Deposit(id, 100*fixed.Coin), msg.Limit(1, 1, msg.Buy, 100, 1), msg.Limit(id, 1, msg.Sell, 100, 1))
	}
	d.ok(msg.SetRule(0, msg.AdlBand, int64(5*fixed.Percent)), msg.SetRule(0, msg.FundEventCap, 0))
	filled, pools, cut := fixed.Lots(0), 0, fixed.Money(0)
	d.do(msg.SetMark(1, 80)) // 3,000 - 4,000; bankrupt at 85, closed at 84
	for n := 0; ; n++ {
		for i := range d.last {
			switch e := &d.last[i]; e.Kind {
			case msg.AdlFill:
				filled += e.Qty
				pools++
				if e.Price != 84 || e.Closeout().Position != 0 {
					t.Fatalf("%s", e.String())
				}
			case msg.Socialized:
				cut += e.Balance().Amount
			}
		}
		d.sound()
		if filled == 200 && d.jobs.shedding.pool == 0 {
			break
		}
		if n == 40 {
			t.Fatalf("%d lots after 40 commands", filled)
		}
		d.do(msg.Tick())
	}
	if v := d.VenueAccounts(); pools != 200 || cut-v.Deficit != 200*fixed.Coin || cut == 0 {
		t.Errorf("%d pools, gains cut by %s, deficit %s", pools, cut, v.Deficit)
	}
	d.stands(1, msg.RungOK)
}

// TestFlatDebtIsSettled holds that an account without positions is settled at once when its assets no longer cover what it owes, and its
// orders do not stay.
func TestFlatDebtIsSettled(t *testing.T) { // M-46, I-07
	d := pledged(t)
	d.ok(msg.PayFund(500*fixed.Coin), msg.Limit(2, 1, msg.Sell, 100, 80), msg.Limit(1, 1, msg.Buy, 100, 80))
	d.ok(msg.SetMark(1, 91), msg.Limit(2, 1, msg.Buy, 91, 80), msg.Limit(1, 1, msg.Sell, 91, 80), msg.Limit(1, 1, msg.Buy, 1, 1))
	d.ok(index(20)) // 180 - 720
	if s, _ := d.Account(1); s.Cash != 0 || s.State != msg.RungOK || s.Positions != 0 {
		t.Errorf("%+v", s)
	}
	if v := d.VenueAccounts(); v.Fund != 0 || v.Deficit != -220*fixed.Coin || d.count(msg.FundDraw) != 1 || d.count(msg.DeficitBooked) != 1 {
		t.Errorf("%+v, %v", v, d.last)
	}
	d.refused(msg.RejectWithdrawalsPaused, msg.Withdraw(2, 1))
	d.sound()
}

// TestPatienceEndsBelowMaintenanceAlone holds that a pool which has its maintenance again is not taken over for want of buyers,
// however long it is sold towards the target; below maintenance it is.
func TestPatienceEndsBelowMaintenanceAlone(t *testing.T) { // M-49
	d := held(t, 1450*fixed.Coin)
	d.ok(msg.SetRule(0, msg.LadderTarget, int64(150*fixed.Percent)), msg.SetMark(1, 89)) // 350 over 445
	d.stands(5, msg.RungLiquidating)
	d.ok(msg.SetMark(1, 91)) // 550 over 455
	for range 8 {
		d.at += fixed.Second
		d.ok(msg.Tick())
	}
	d.stands(5, msg.RungLiquidating)
	if p, _ := d.Position(5, 1); p.Qty != 100 {
		t.Fatalf("%+v", p)
	}
	d.ok(msg.SetMark(1, 89))
	for range 4 {
		d.at += fixed.Second
		d.ok(msg.Tick())
	}
	if p, _ := d.Position(5, 1); p.Qty != 0 {
		t.Errorf("%+v", p)
	}
	if p, _ := d.Position(msg.FundAccount, 1); p.Qty != 100 {
		t.Errorf("the fund holds %+v", p)
	}
	d.sound()
}

// TestOverdueStepsAreNotCaughtUp holds that steps at which the fund could sell nothing are passed over when time has leapt: a
// command does not work off those of a day.
func TestOverdueStepsAreNotCaughtUp(t *testing.T) { // M-48, A-16
	d := held(t, 1450*fixed.Coin)
	d.ok(msg.PayFund(1000*fixed.Coin), msg.SetMark(1, 85)) // -50 over 425
	if p, _ := d.Position(msg.FundAccount, 1); p.Qty != 100 {
		t.Fatalf("the fund holds %+v", p)
	}
	d.at += 20 * fixed.Hour
	d.ok(msg.Tick())
	if at, ok := d.NextDue(); !ok || at < d.at || at > d.at+fixed.Second {
		t.Errorf("the next step is due at %d, it is %d", at, d.at)
	}
}

// TestWinnersAccountIsLookedAt holds that an account to which an isolated winner hands its margin is examined: its call ends.
func TestWinnersAccountIsLookedAt(t *testing.T) { // M-24, M-53, I-20
	d := held(t, 1500*fixed.Coin)
	d.ok(msg.Deposit(6, 700*fixed.Coin), msg.Limit(2, 1, msg.Buy, 100, 50), isolated(msg.Limit(6, 1, msg.Sell, 100, 50)))
	d.trade(2, 6, 2, 100, 20)
	d.ok(msg.SetMark(2, 97)) // 140 over 97
	d.stands(6, msg.RungCall1)
	d.ok(msg.SetMark(1, 80)) // account 5 has -500, and the fund nothing
	if c := d.first(msg.AdlFill); c.Account != 6 || c.Qty != 50 {
		t.Fatalf("%s", c.String())
	}
	d.ok(msg.Tick())
	d.stands(6, msg.RungOK)
	d.sound()
}
