package engine

import (
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// The first stories of the margin rules, through the whole engine, with their numbers; marks come by command, and what
// needs a chosen leverage is left out.

const (
	maker msg.AccountID = 1 + iota
	alice
	bob
	carol
)

// figures are what a story expects of an account or a position; -1: nothing.
type figures struct{ cash, equity, initial, maintenance, free, fees, realized fixed.Money }

var unsaid = figures{-1, -1, -1, -1, -1, -1, -1}

func (d *desk) account(id msg.AccountID, change func(*figures)) {
	d.t.Helper()
	want := unsaid
	change(&want)
	s, _ := d.Account(id)
	for _, c := range []struct {
		name      string
		got, want fixed.Money
	}{{"cash", s.Cash, want.cash}, {"equity", s.Equity, want.equity}, {"initial", s.Initial, want.initial}, {"maintenance", s.Maintenance, want.maintenance},
		{"free", s.Free, want.free}, {"fees", s.Fees, want.fees}, {"realized", s.Realized, want.realized}} {
		if c.want != -1 && c.got != c.want {
			d.t.Errorf("seq %d: account %d: %s %s, want %s", d.seq, id, c.name, c.got, c.want)
		}
	}
}

func (d *desk) position(id msg.AccountID, instr msg.InstrumentID, initial, maintenance fixed.Money) {
	d.t.Helper()
	p, _ := d.Position(id, instr)
	if initial != -1 && p.Initial != initial || maintenance != -1 && p.Maintenance != maintenance {
		d.t.Errorf("seq %d: account %d in %d: initial %s, maintenance %s, want %s and %s", d.seq, id, instr, p.Initial, p.Maintenance, initial, maintenance)
	}
}

// trade lets one account sell to another at a price.
func (d *desk) trade(seller, buyer msg.AccountID, instr msg.InstrumentID, price fixed.Ticks, qty fixed.Lots) {
	d.t.Helper()
	d.ok(msg.Limit(seller, instr, msg.Sell, price, qty), msg.Limit(buyer, instr, msg.Buy, price, qty))
}

// coins reads an amount in hundredths.
func coins(hundredths int64) fixed.Money { return fixed.Money(hundredths) * fixed.Coin / 100 }

// TestStoryOfACrossAccount follows a cross account from its deposit to a partial close.
func TestStoryOfACrossAccount(t *testing.T) { // M-03, M-04, M-15
	d := newDesk(t, Limits{Instruments: 1, Accounts: 4})
	d.list(market.Spec{ID: 1, Type: msg.Perpetual, TickLot: 100, UnitLots: 1000, Initial: 5 * fixed.Percent, Maintenance: 25 * fixed.Percent / 10}, 500_000)
	d.ok(msg.Deposit(alice, 60_000*fixed.Coin+1), msg.Deposit(maker, 1_000_000*fixed.Coin), msg.Limit(maker, 1, msg.Sell, 500_000, 2000),
		msg.Limit(alice, 1, msg.Buy, 500_000, 1000))
	d.account(alice, func(f *figures) {
		f.cash, f.equity, f.initial, f.maintenance, f.free = 60_000_000_001, 60_000_000_001, coins(2500_00), coins(1250_00), 57_500_000_001
	})
	d.ok(msg.Limit(alice, 1, msg.Buy, 500_000, 1000))
	d.account(alice, func(f *figures) { f.equity, f.initial, f.maintenance = 60_000_000_001, coins(5000_00), coins(2500_00) })
	d.ok(msg.SetMark(1, 520_000))
	if p, _ := d.Position(alice, 1); p.Qty != 2000 || p.Cost != coins(100_000_00) || p.Profit != coins(4000_00) {
		t.Errorf("%+v", p)
	}
	d.ok(msg.Limit(maker, 1, msg.Buy, 520_000, 500), msg.Limit(alice, 1, msg.Sell, 520_000, 500))
	if p, _ := d.Position(alice, 1); p.Qty != 1500 || p.Cost != coins(75_000_00) || p.Profit != coins(3000_00) {
		t.Errorf("%+v", p)
	}
	d.account(alice, func(f *figures) { f.cash, f.realized, f.equity = 61_000_000_001, coins(1000_00), 64_000_000_001 })
	d.sound()
}

// TestStoryOfTiers reproduces published margin tables.
func TestStoryOfTiers(t *testing.T) { // M-06, M-07, M-08
	d := newDesk(t, Limits{Instruments: 6, Accounts: 4})
	tier := func(upTo int64, initial, maintenance fixed.Rate) msg.Tier {
		return msg.Tier{UpTo: fixed.Money(upTo) * fixed.Coin, Initial: initial, Maintenance: maintenance}
	}
	const p, tenth = fixed.Percent, fixed.Percent / 10
	perp := func(id msg.InstrumentID, tickLot fixed.Money, tiers ...msg.Tier) market.Spec {
		return market.Spec{ID: id, Type: msg.Perpetual, TickLot: tickLot, Tiers: tiers}
	}
	sloped := func(s market.Spec, slope int64) market.Spec {
		s.Rules = []msg.Setting{{Rule: msg.SlopeInitial, Value: slope}, {Rule: msg.SlopeMaintenance, Value: slope}}
		return s
	}
	d.list(perp(1, fixed.Coin, tier(150_000_000, 25*tenth, 125*tenth/10), tier(0, 5*p, 25*tenth)), 50_000)
	d.list(perp(2, fixed.Coin/100, tier(20_000, 10*p, 5*p), tier(100_000, 20*p, 10*p), tier(0, 333_333_333, 166_666_667)), 100)
	d.list(perp(3, fixed.Coin/10_000, tier(10, 2*p, p), tier(20, 4*p, 2*p), tier(30, 6*p, 3*p), tier(40, 8*p, 4*p), tier(0, 10*p, 5*p)), 100)
	d.list(sloped(perp(4, fixed.Coin, tier(0, 2*p, p)), 50_000), 100_000)
	d.list(sloped(perp(5, fixed.Coin, tier(0, 4*p, 2*p)), 5_000), 200)
	d.list(perp(6, fixed.Coin, tier(0, 5*p, 25*tenth)), 100)
	d.ok(msg.Deposit(maker, 100_000_000*fixed.Coin), msg.Deposit(alice, 50_000_000*fixed.Coin), msg.Deposit(bob, 50_000_000*fixed.Coin),
		msg.Deposit(carol, 50_000_000*fixed.Coin))
	d.trade(maker, alice, 1, 50_000, 3000)
	d.position(alice, 1, coins(3_750_000_00), coins(1_875_000_00))
	d.trade(maker, alice, 1, 50_000, 1000)
	d.position(alice, 1, coins(6_250_000_00), coins(3_125_000_00))
	d.trade(maker, bob, 2, 100, 20_000)
	d.position(bob, 2, -1, coins(1000_00))
	d.trade(maker, bob, 2, 100, 80_000)
	d.position(bob, 2, -1, coins(9000_00))
	d.trade(maker, bob, 2, 100, 50_000)
	d.position(bob, 2, -1, 17_333_333_350)
	d.trade(maker, bob, 3, 100, 2500)
	d.position(bob, 3, -1, coins(45))
	d.trade(maker, carol, 4, 100_000, 25)
	d.position(carol, 4, coins(53_125_00), coins(28_125_00))
	d.trade(maker, carol, 4, 100_000, 325)
	d.position(carol, 4, coins(1_312_500_00), -1)
	d.trade(maker, carol, 5, 200, 25)
	d.position(carol, 5, 200_625_000, 100_625_000)
	d.trade(maker, carol, 5, 200, 5975)
	d.position(carol, 5, coins(84_000_00), -1)
	d.trade(maker, bob, 6, 100, 100)
	d.position(bob, 6, coins(500_00), coins(250_00))
	d.sound()
}

// TestStoryOfRoundingAndFees loses nothing to rounding: requirements and fees round up.
func TestStoryOfRoundingAndFees(t *testing.T) { // M-04, M-06, M-43, M-45
	d := newDesk(t, Limits{Instruments: 5, Accounts: 4})
	perp := func(id msg.InstrumentID, tickLot fixed.Money, initial, maintenance, makerFee, taker fixed.Rate) market.Spec {
		return market.Spec{ID: id, Type: msg.Perpetual, TickLot: tickLot, Initial: initial, Maintenance: maintenance, Maker: makerFee, Taker: taker}
	}
	const p = fixed.Percent
	d.list(perp(1, 1, 10*p, 5*p, 0, 0), 1)
	d.list(perp(2, 1, 567_243_000, 20*p, 0, 0), 1)
	d.list(perp(3, 1, 20*p, 10*p, 0, 0), 1)
	d.list(perp(4, fixed.Coin, 10*p, 5*p, p/2, p/5), 1002)
	d.list(perp(5, 1, 10*p, 5*p, 0, p/5), 1)
	for _, id := range []msg.AccountID{maker, alice, bob} {
		d.ok(msg.Deposit(id, 10_000*fixed.Coin))
	}
	d.trade(maker, alice, 1, 1, 1)
	d.position(alice, 1, 1, 1)
	d.trade(maker, alice, 2, 1, 123_456)
	d.position(alice, 2, 70_030, -1)
	d.trade(maker, alice, 3, 1, 500_000)
	d.position(alice, 3, 100_000, -1)
	d.account(alice, func(f *figures) { f.cash, f.fees = coins(10_000_00), 0 })
	d.trade(maker, bob, 4, 1002, 3)
	d.account(bob, func(f *figures) { f.cash, f.fees = 9_993_988_000, 6_012_000 })
	d.account(maker, func(f *figures) { f.cash, f.fees = 9_984_970_000, 15_030_000 })
	if fees := d.VenueAccounts().Fees; fees != 21_042_000 {
		t.Errorf("fees %s, want 21.042", fees)
	}
	d.trade(maker, bob, 5, 1, 1)
	d.account(bob, func(f *figures) { f.fees = 6_012_001 })
	d.sound()
}

// TestStoryOfOpenOrders follows resting orders through the requirement.
func TestStoryOfOpenOrders(t *testing.T) { // M-13, M-14, M-16
	d := newDesk(t, Limits{Instruments: 2, Accounts: 4})
	d.list(perpetual(1), 100)
	fees := perpetual(2)
	fees.Taker, fees.Maker = fixed.Percent/10, fixed.Percent/50
	d.list(fees, 100)
	d.ok(msg.Deposit(alice, 200*fixed.Coin), msg.Deposit(bob, 100*fixed.Coin), msg.Deposit(maker, 100_000*fixed.Coin))
	initial := func(hundredths int64) {
		t.Helper()
		d.account(alice, func(f *figures) { f.initial, f.free = coins(hundredths), coins(200_00-hundredths) })
	}
	d.trade(maker, alice, 1, 100, 5)
	initial(50_00)
	buy := d.order(msg.Limit(alice, 1, msg.Buy, 99, 3)) // 5 + 3 lots at risk
	initial(80_00)
	d.ok(msg.Limit(alice, 1, msg.Sell, 101, 5)) // only reduces: free
	initial(80_00)
	large := d.order(msg.Limit(alice, 1, msg.Sell, 102, 15)) // |5 - 20| is 15 lots
	initial(150_00)
	d.refused(msg.RejectInsufficientMargin, msg.Limit(alice, 1, msg.Sell, 103, 6)) // 21 lots are 210
	d.ok(msg.Cancel(alice, 1, buy))
	bold := d.order(msg.Limit(alice, 1, msg.Sell, 98, 1)) // 16 lots, and 2 through the mark
	initial(162_00)
	d.ok(msg.Cancel(alice, 1, bold), msg.Cancel(alice, 1, large))
	initial(50_00)

	d.ok(msg.Limit(bob, 2, msg.Buy, 100, 9)) // 90, and 0.9 for the fee
	d.account(bob, func(f *figures) { f.initial, f.free = coins(90_90), coins(9_10) })
	d.refused(msg.RejectInsufficientMargin, msg.Limit(bob, 2, msg.Buy, 100, 1))
	d.ok(msg.Limit(maker, 2, msg.Sell, 100, 9)) // the resting side pays the smaller fee, and the reserve ends
	d.account(bob, func(f *figures) { f.cash, f.initial, f.fees = coins(99_82), coins(90_00), coins(18) })
	d.sound()
}
