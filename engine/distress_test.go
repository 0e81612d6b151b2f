package engine

import (
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Days on which accounts come into distress: marks that leap and come back, accounts with little, books without buyers, a fund
// that has little and may pay less, oracles that freeze, more pools at once than a command looks at.

var darkDays = []day{
	{name: "called", limits: Limits{Instruments: 3, Accounts: 8, Orders: 256, Events: 4096}, accounts: 6, lots: 30, money: 1_200,
		width: 12, calm: 93, leap: 700, crash: 25},
	{name: "crashes", limits: Limits{Instruments: 3, Accounts: 8, Orders: 256, Events: 4096}, accounts: 8, lots: 60, money: 1_500,
		width: 30, calm: 97, leap: 900, crash: 30},
	{name: "crashes, isolated", limits: Limits{Instruments: 3, Accounts: 8, Orders: 256, Events: 4096}, accounts: 6, lots: 40, money: 2_400,
		width: 20, calm: 95, leap: 900, crash: 25, apart: 12},
	{name: "crashes of an index", limits: Limits{Instruments: 3, Accounts: 8, Orders: 256, Events: 4096}, accounts: 6, lots: 40, money: 1_500,
		width: 20, calm: 90, leap: 900, crash: 25, priced: 15, apart: 3},
	{name: "nobody buys", limits: Limits{Instruments: 3, Accounts: 8, Orders: 256, Events: 4096}, accounts: 7, lots: 90, money: 1_000,
		width: 6, calm: 97, leap: 1200, crash: 45},
	{name: "a fund of nothing", limits: Limits{Instruments: 3, Accounts: 8, Orders: 256, Events: 4096}, accounts: 8, lots: 90, money: 900,
		width: 12, calm: 98, leap: 1500, crash: 40, apart: 4, broke: true},
	{name: "all at once", limits: Limits{Instruments: 3, Accounts: 32, Orders: 256, Events: 4096}, accounts: 30, lots: 30, money: 700,
		width: 25, calm: 97, leap: 1200, crash: 18, small: true},
}

// gloom are the last commands of the opening of a dark day: a fund with little in it, rich accounts, and slices of which more
// than one is needed.
func (t *trader) gloom() []msg.Command {
	out := []msg.Command{msg.Deposit(1, 20_000*fixed.Coin), msg.Deposit(2, 2_000*fixed.Coin)}
	if t.broke {
		out = append(out, msg.SetRule(0, msg.AdlBand, int64(3*fixed.Percent)), msg.SetRule(0, msg.FundInventory, 0))
	} else {
		out = append(out, msg.PayFund(fixed.Money(1+t.below(40))*fixed.Coin))
	}
	for id := msg.InstrumentID(1); id <= 2; id++ {
		out = append(out, msg.SetRule(id, msg.LiqFull, int64(6*fixed.Coin)))
	}
	if t.small {
		out = append(out, msg.SetRule(0, msg.SweepLimit, 1+t.below(6)))
	}
	return out
}

// distress draws a command that brings accounts into distress, or helps them out of it.
func (t *trader) distress() msg.Command {
	in := msg.InstrumentID(1 + t.below(2))
	switch t.below(24) {
	case 0, 1, 2, 3, 4, 5:
		return t.leapMark(in, 3+t.below(3)*t.below(6))
	case 6:
		return t.leapMark(in, 8+t.below(25))
	case 7, 8, 9: // time for slices
		t.at += fixed.Nanos(t.below(int64(3 * fixed.Second)))
		return msg.Tick()
	case 10:
		t.at += fixed.Nanos(t.below(int64(40 * fixed.Minute)))
		return msg.Tick()
	case 11, 12: // those with little take much
		c := msg.Limit(3+msg.AccountID(t.below(t.accounts-2)), in, t.side(), t.price(in, t.side()), fixed.Lots(1+t.below(4*t.lots)))
		if t.mode[[2]uint32{uint32(c.Account), uint32(in)}] {
			c.Flags |= msg.FlagIsolated
		}
		return c
	case 13, 14: // the rich stand ready
		return msg.Limit(1, in, t.side(), t.price(in, t.side()), fixed.Lots(1+t.below(3*t.lots)))
	case 15:
		return msg.CancelAll(pick(t, 1, t.account()), 0, 0)
	case 16, 17:
		return msg.Withdraw(3+msg.AccountID(t.below(t.accounts-2)), fixed.Money(1+t.below(t.money))*3_000)
	case 18:
		return msg.Deposit(t.account(), fixed.Money(1+t.below(t.money))*2_000)
	case 19:
		if t.broke && t.percent(80) { // what is left in the fund stays there
			return msg.SetRule(0, msg.FundMin, pick(t, 0, t.below(60*int64(fixed.Coin)), 1<<40))
		}
		return msg.PayFund(fixed.Money(1+t.below(5)) * fixed.Coin)
	case 20:
		return msg.Transfer(t.account(), t.account(), fixed.Money(1+t.below(t.money))*5_000)
	case 21:
		return t.ladderRule(in)
	case 22:
		return t.undo(msg.SetPhase(in, pick(t, msg.Halted, msg.Closed, msg.ReduceOnly)), msg.SetPhase(in, msg.Continuous))
	}
	return msg.SettleFunding(in, fixed.Rate(t.below(int64(2*fixed.Percent))-int64(fixed.Percent)))
}

// leapMark moves a mark by up to so many percent, to where its orders will follow; where there is an index, that.
func (t *trader) leapMark(in msg.InstrumentID, percent int64) msg.Command {
	home := [4]fixed.Ticks{0, 100, 1000, 50}[in]
	by := fixed.Ticks(int64(t.mids[in]) * t.below(percent+1) / 100)
	if up := t.mids[in] < home; up == t.percent(70) {
		t.mids[in] += by
	} else {
		t.mids[in] -= by
	}
	t.mids[in] = max(t.mids[in], home/4)
	if t.priced > 0 {
		c := t.report(msg.UnderlyingID(in), 0)
		return c
	}
	return msg.SetMark(in, t.mids[in])
}

// ladderRule draws a parameter of the ladder, of slices or of the fund, and takes it back later.
func (t *trader) ladderRule(in msg.InstrumentID) msg.Command {
	percent, second, coin := int64(fixed.Percent), int64(fixed.Second), int64(fixed.Coin)
	type setting struct {
		venue       bool
		rule        msg.Rule
		value, back int64
	}
	s := pick(t,
		setting{true, msg.LadderCall1, (135 + t.below(40)) * percent, 150 * percent}, setting{true, msg.LadderCall1Exit, (145 + t.below(60)) * percent, 160 * percent},
		setting{true, msg.LadderCall2, (95 + t.below(40)) * percent, 125 * percent}, setting{true, msg.LadderCall2Exit, (120 + t.below(50)) * percent, 135 * percent},
		setting{true, msg.LadderCall1Deadline, t.below(3600) * second, 3600 * second}, setting{true, msg.LadderTarget, (95 + t.below(60)) * percent, 110 * percent},
		setting{true, msg.LiqStep, t.below(4) * second, second}, setting{true, msg.LiqStall, t.below(5), 3},
		setting{true, msg.FundEventCap, t.below(3 * coin), 1<<63 - 1}, setting{true, msg.FundDayCap, t.below(8 * coin), 1<<63 - 1},
		setting{true, msg.FundMin, t.below(60 * coin), 0}, setting{true, msg.FundInventory, t.below(60 * coin), 1<<63 - 1},
		setting{true, msg.FundRange, t.below(60) * percent, 5 * percent}, setting{true, msg.AdlBand, t.below(101) * percent, 100 * percent},
		setting{true, msg.SweepLimit, 1 + t.below(6), 1 + t.below(4)}, setting{true, msg.WireFunding, t.below(101) * percent, 25 * percent},
		setting{false, msg.LiqFraction, t.below(101) * percent, 25 * percent}, setting{false, msg.LiqFull, t.below(30 * coin), 6 * coin},
		setting{false, msg.LiqMin, t.below(6), 1}, setting{false, msg.LiqCap, t.below(20 * coin), 1_000_000 * coin},
		setting{false, msg.LiqBookShare, t.below(101) * percent, 100 * percent}, setting{false, msg.LiqFee, t.below(4) * percent / 2, percent / 2},
		setting{false, msg.LiqSpread, t.below(101) * percent, 10 * percent}, setting{false, msg.LiqAdjust, t.below(300) * percent, 100 * percent},
		setting{false, msg.Band, t.below(30) * percent, 0})
	if s.venue {
		in = 0
	}
	if s.rule == msg.SweepLimit && !t.small {
		s.value, s.back = 100+t.below(1<<17), 256
	}
	if t.broke && (s.rule == msg.AdlBand || s.rule == msg.FundInventory) {
		s.back = t.below(3) * percent
	}
	return t.undo(msg.SetRule(in, s.rule, s.value), msg.SetRule(in, s.rule, s.back))
}

// TestDistressAgainstNaive lets engine and twin go through dark days: every event of each command, and every figure and rung
// after most. Each kind of event of the ladder must come up, or the days say nothing about it.
func TestDistressAgainstNaive(t *testing.T) { // S-15, T-1, M-33, M-38, M-45 to M-50, M-52 to M-54, M-56 to M-58, I-16 to I-22
	told := map[msg.EventKind]int{}
	for i, d := range darkDays {
		d.follow(t, uint64(i+40), told)
	}
	if *firstSeed != usualSeed {
		return
	}
	if told[seized] == 0 {
		t.Error("no asset goes to the fund in any of the days")
	}
	for kind := msg.MarginCall; kind <= msg.SweepPending; kind++ {
		if told[kind] == 0 && !testing.Short() { // a fifth of the days does not show all of them
			t.Errorf("no event of kind %d in any of the days", kind)
		}
	}
}
