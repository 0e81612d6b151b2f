package engine

import (
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// pledged is a desk with a perpetual 1 and a spot instrument 3 whose asset, on an underlying of its own, counts for nine
// tenths; both are worth 100 a lot. Account 1 has ten lots of the asset and no money.
func pledged(t *testing.T) *desk {
	t.Helper()
	d := newDesk(t, Limits{Instruments: 3, Accounts: 8})
	d.at = fixed.Hour
	d.list(perpetual(1), 100)
	d.ok(msg.ListUnderlying(msg.Underlying{ID: 1, Sources: 2}),
		msg.List(3, msg.Listing{Type: msg.Spot, TickLot: fixed.Coin, UnitLots: 1, Underlying: 1, Mark: msg.MarkIndex}),
		msg.SetPhase(3, msg.Continuous), index(100), msg.SetRule(3, msg.CollateralHaircut, int64(10*fixed.Percent)))
	for id := msg.AccountID(1); id <= 4; id++ {
		d.ok(msg.OpenAccount(id, 0, msg.AllGroups), msg.DepositAsset(id, 3, 10))
	}
	for id := msg.AccountID(2); id <= 4; id++ {
		d.ok(msg.Deposit(id, 100_000*fixed.Coin))
	}
	return d
}

// TestCollateralBears holds that an asset bears a position, follows its index, and leaves only as far as it is not needed.
func TestCollateralBears(t *testing.T) { // M-03, M-15, M-16, M-19
	d := pledged(t)
	figures := func(equity, initial, free, withdrawable int64) {
		t.Helper()
		s, _ := d.Account(1)
		if s.Equity != coins(equity*100) || s.Initial != coins(initial*100) || s.Free != coins(free*100) || s.Withdrawable != coins(withdrawable*100) {
			t.Fatalf("%+v", s)
		}
	}
	figures(900, 0, 900, 0)
	d.ok(msg.Limit(2, 1, msg.Sell, 100, 90), msg.Limit(1, 1, msg.Buy, 100, 90))
	figures(900, 900, 0, 0)
	d.refused(msg.RejectInsufficientMargin, msg.Limit(1, 1, msg.Buy, 100, 1))
	d.refused(msg.RejectInsufficientFunds, msg.WithdrawAsset(1, 3, 1))
	d.ok(index(120))
	figures(1080, 900, 180, 0)
	d.ok(msg.WithdrawAsset(1, 3, 1))
	figures(972, 900, 72, 0)
	d.refused(msg.RejectInsufficientFunds, msg.WithdrawAsset(1, 3, 1))
	d.ok(index(90))
	figures(729, 900, -171, 0)
	d.ok(msg.SetRule(3, msg.CollateralHaircut, int64(40*fixed.Percent)))
	figures(486, 900, -414, 0)
	d.ok(msg.SetRule(3, msg.CollateralHaircut, 0))
	figures(810, 900, -90, 0)
	p, _ := d.Position(1, 3)
	if p.Collateral != coins(81_000) {
		t.Errorf("%+v", p)
	}
	d.sound()
}

// TestCollateralIsSold holds that selling an asset costs nothing where it brings what it counts, the fee paid, that the
// difference is set aside where it brings less, and that who is below initial may sell it where that helps.
func TestCollateralIsSold(t *testing.T) { // M-03, M-14, M-16, M-17
	d := pledged(t)
	d.ok(msg.SetFees(3, msg.Fees{Taker: fixed.Percent, Maker: fixed.Percent}), msg.Limit(2, 1, msg.Sell, 100, 80), msg.Limit(1, 1, msg.Buy, 100, 80))
	free := func(want int64) {
		t.Helper()
		if s, _ := d.Account(1); s.Free != coins(want) {
			t.Fatalf("%s free, want %s: %+v", s.Free, coins(want), s)
		}
	}
	free(100_00)
	dear := d.order(msg.Limit(1, 3, msg.Sell, 91, 5)) // 91 less 0.91 is above 90
	free(100_00)
	cheap := d.order(msg.Limit(1, 3, msg.Sell, 80, 5)) // 5 · (10 + 0.80)
	free(100_00 - 54_00)
	d.ok(msg.Cancel(1, 3, dear))
	d.refused(msg.RejectInsufficientMargin, msg.Limit(1, 3, msg.Sell, 80, 5))
	d.ok(msg.Limit(1, 3, msg.Sell, 81, 4)) // 4 · (9 + 0.81)
	free(100_00 - 54_00 - 39_24)
	d.ok(msg.Limit(3, 3, msg.Buy, 85, 9))
	free(100_00 - 54_00 - 39_24)
	if s, _ := d.Account(1); s.Cash != coins((400+324)*100-4_00-3_24) {
		t.Errorf("%+v", s)
	}
	_ = cheap

	d.ok(msg.SetMark(1, 99), msg.SetMark(1, 98)) // 160 lost: below initial
	free(100_00 - 54_00 - 39_24 - 160_00 + 16_00)
	d.refused(msg.RejectWouldWorsenHealth, msg.Limit(1, 3, msg.Sell, 90, 1))
	d.ok(msg.Limit(1, 3, msg.Sell, 91, 1))
	d.sound()
}

// TestCollateralNeverFailsAtAFill sells assets at random limits to whoever takes them: an order that came in while there was
// something free never takes what is free below zero, whether it trades at once or later.
func TestCollateralNeverFailsAtAFill(t *testing.T) { // I-12, I-04
	for _, seed := range []xorshift{7, 0xC0FFEE} {
		x, d := seed, pledged(t)
		d.ok(msg.SetFees(3, msg.Fees{Taker: fixed.Percent, Maker: 2 * fixed.BasisPoint}), msg.SetRule(3, msg.CollateralHaircut, int64(7*fixed.Percent)+12345))
		d.ok(msg.Limit(2, 1, msg.Sell, 100, 60), msg.Limit(1, 1, msg.Buy, 100, 60))
		accepted := 0
		for step := range 3000 {
			before, _ := d.Account(1)
			switch x.below(8) {
			case 0:
				d.do(msg.DepositAsset(1, 3, fixed.Lots(1+x.below(4))))
			case 1:
				d.do(msg.WithdrawAsset(1, 3, fixed.Lots(1+x.below(4))))
			case 2, 3:
				d.do(msg.Limit(3, 3, msg.Buy, fixed.Ticks(80+x.below(25)), fixed.Lots(1+x.below(6))))
			case 4:
				d.do(msg.CancelAll(pick2(&x, 1, 3), 3, 0))
			case 5:
				d.do(msg.Limit(1, 1, msg.Side(1+x.below(2)), 100, fixed.Lots(1+x.below(5))))
				d.do(msg.CancelAll(1, 1, 0))
			default:
				d.do(msg.Limit(1, 3, msg.Sell, fixed.Ticks(80+x.below(25)), fixed.Lots(1+x.below(6))))
				accepted += d.count(msg.Accepted)
			}
			if s, _ := d.Account(1); s.Free < 0 || s.Equity < 0 && before.Equity >= 0 {
				t.Fatalf("seed %#x, step %d: %s: %+v", uint64(seed), step, d.last[0].String(), s)
			}
			d.sound()
		}
		if accepted < 100 {
			t.Errorf("%d sells were accepted", accepted)
		}
	}
}

func pick2(x *xorshift, a, b msg.AccountID) msg.AccountID {
	if x.below(2) == 0 {
		return a
	}
	return b
}
