package engine

import (
	"flag"
	"fmt"
	"testing"

	"github.com/lockstep-exchange/lockstep/clearing"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

var (
	twinCommands   = flag.Int("engine.twin", 240_000, "commands of TestEngineAgainstNaive, over all its days")
	shrinkCommands = flag.Int("engine.shrink", 400_000, "commands that are tried to make a stream shorter in which engine and twin differ")
	firstSeed      = flag.Uint64("engine.seed", usualSeed, "seed of the first random day; the others follow from it")
)

// usualSeed is that of days on which all happens that is to be looked at; with another one something rare may not.
const usualSeed = 0x9E3779B97F4A7C15

// chance draws numbers below n, n > 0: a generator in tests, the input in fuzzing.
type chance interface{ below(n int64) int64 }

// xorshift is a generator; the seed is not 0.
type xorshift uint64

func (x *xorshift) below(n int64) int64 {
	v := uint64(*x)
	v ^= v << 13
	v ^= v >> 7
	v ^= v << 17
	*x = xorshift(v)
	return int64(v >> 11 % uint64(n))
}

// trader draws the commands of a day. It sees events, as a trader does, and nothing of the state.
type trader struct {
	chance
	day
	at     fixed.Nanos
	refs   [8]msg.Ref
	mids   [4]fixed.Ticks
	ids    []msg.OrderID // seen in Accepted, the latest last
	whose  map[msg.OrderID]msg.Command
	gone   map[msg.OrderID]bool
	later  []later
	queue  []msg.Command               // that come before anything else
	quoted map[[2]uint32]msg.Quotation // by account and instrument: the last
	mode   map[[2]uint32]bool          // by account and instrument: whether the last that was heard of it was isolated
}

// later is a command that sets right, some commands on, what another has turned.
type later struct {
	in      int64
	command msg.Command
}

// day says what a day is like.
type day struct {
	name     string
	limits   Limits
	accounts int64 // 1..accounts trade; owners are the odd ones
	lots     int64 // of an order, at most
	money    int64 // of a deposit, in hundredths of a coin, at most
	width    int64 // a price lies up to this far from the mark
	calm     int64 // of 100 commands are plain orders and cancels
	leap     int64 // one in leap commands comes hours later
	floods   int64 // one in floods commands is a flood, which see; 0: none
	priced   int64 // of 100 commands are about prices and funding; 0: all marks are by command
	apart    int64 // of 100 commands are about leverage and isolated margin, besides the few of any day
	crash    int64 // of 100 commands are about distress: marks that leap, thin accounts, the ladder's parameters
	broke    bool  // the fund has nothing, or keeps it
	small    bool  // a command looks at few pools
	quoting  int64 // of 100 commands begin mass quotes
}

var days = []day{
	{name: "plain", limits: Limits{Instruments: 3, Accounts: 8, Orders: 64, Events: 256}, accounts: 6, lots: 40, money: 500,
		width: 8, calm: 85, leap: 400},
	{name: "poor", limits: Limits{Instruments: 3, Accounts: 8, Orders: 64, Events: 256}, accounts: 4, lots: 60, money: 150,
		width: 25, calm: 70, leap: 60},
	{name: "tight tables", limits: Limits{Instruments: 3, Accounts: 6, Orders: 14, Levels: 7, Positions: 6, AccountPositions: 2, Events: 256,
		Sessions: 3, OwnerAccounts: 2, Jobs: 2}, accounts: 7, lots: 12, money: 200, width: 9, calm: 70, leap: 200},
	{name: "ruled", limits: Limits{Instruments: 3, Accounts: 8, Orders: 64, Events: 256}, accounts: 6, lots: 30, money: 250,
		width: 10, calm: 40, leap: 50},
	{name: "priced", limits: Limits{Instruments: 4, Accounts: 8, Orders: 64, Events: 256}, accounts: 6, lots: 30, money: 900,
		width: 8, calm: 75, leap: 150, priced: 12},
	{name: "priced and ruled", limits: Limits{Instruments: 4, Underlyings: 3, Accounts: 8, Orders: 64, Events: 256}, accounts: 5, lots: 50, money: 400,
		width: 14, calm: 45, leap: 400, priced: 40},
	{name: "isolated", limits: Limits{Instruments: 3, Accounts: 8, Orders: 64, Events: 256}, accounts: 5, lots: 30, money: 600,
		width: 7, calm: 85, leap: 300, apart: 8},
	{name: "isolated, priced", limits: Limits{Instruments: 3, Accounts: 8, Orders: 64, Events: 256}, accounts: 4, lots: 60, money: 300,
		width: 16, calm: 75, leap: 300, apart: 12, priced: 5},
	{name: "crowded", limits: Limits{Instruments: 3, Accounts: 4, Orders: 1200, Events: 256, Jobs: 4}, accounts: 3, lots: 3, money: 300_000,
		width: 4, calm: 93, leap: 1 << 40},
	{name: "flooded", limits: Limits{Instruments: 3, Accounts: 4, Orders: 1200, Events: 256}, accounts: 3, lots: 3, money: 300_000,
		width: 4, calm: 90, leap: 1 << 40, floods: 120},
	{name: "flooded, long commands", limits: Limits{Instruments: 3, Accounts: 4, Orders: 1200, Events: 4096, Jobs: 2}, accounts: 3, lots: 3,
		money: 300_000, width: 4, calm: 90, leap: 1 << 40, floods: 120},
	{name: "undisturbed", limits: Limits{Instruments: 3, Accounts: 8, Orders: 256, Events: 256}, accounts: 8, lots: 40, money: 90_000,
		width: 9, calm: 100, leap: 1 << 40},
	{name: "quoted", limits: Limits{Instruments: 3, Accounts: 8, Orders: 64, Events: 256}, accounts: 6, lots: 20, money: 900,
		width: 5, calm: 80, leap: 300, quoting: 25},
	{name: "quoted and ruled", limits: Limits{Instruments: 3, Accounts: 8, Orders: 20, Levels: 9, Positions: 9, Events: 256}, accounts: 5, lots: 30, money: 300,
		width: 8, calm: 50, leap: 60, quoting: 30, apart: 5},
}

func newTrader(d day, c chance) *trader {
	return &trader{chance: c, day: d, at: 20 * fixed.Hour, mids: [4]fixed.Ticks{0, 100, 1000, 50}, whose: map[msg.OrderID]msg.Command{}, gone: map[msg.OrderID]bool{},
		mode: map[[2]uint32]bool{}, quoted: map[[2]uint32]msg.Quotation{}}
}

func (t *trader) percent(p int64) bool { return t.below(100) < p }

func pick[T any](t *trader, from ...T) T { return from[t.below(int64(len(from)))] }

// opening are the first commands of a day: two perpetuals, one of them with brackets, slope and a rebate, and one spot
// instrument.
func (t *trader) opening() []msg.Command {
	list := func(id msg.InstrumentID, l msg.Listing, maker, taker fixed.Rate) []msg.Command {
		return []msg.Command{msg.List(id, l), msg.SetFees(id, msg.Fees{Maker: maker, Taker: taker}), msg.SetPhase(id, msg.Continuous),
			msg.SetMark(id, t.mids[id])}
	}
	var out []msg.Command
	first := msg.Listing{Type: msg.Perpetual, TickLot: 10_000, UnitLots: 10, Start: 100, STP: msg.STPCancelNewest}
	second := msg.Listing{Type: msg.Perpetual, TickLot: 700, UnitLots: 3, Start: 1000, Group: 1}
	third := msg.Listing{Type: msg.Spot, TickLot: 2_300, Start: 50, Group: 2, STP: msg.STPDecrement}
	if t.priced > 0 {
		out = append(out, msg.ListUnderlying(msg.Underlying{ID: 1, Sources: 3}), msg.ListUnderlying(msg.Underlying{ID: 2, Sources: 2}),
			msg.ListUnderlying(msg.Underlying{ID: 3, Sources: 1}),
			msg.ReportPrice(msg.Report{Underlying: 2, Price: second.TickLot * fixed.Money(second.UnitLots*1000), Confidence: fixed.One}))
		first.Underlying, first.Mark = 1, msg.MarkIndex
		second.Underlying, second.Mark = 2, msg.MarkComposite
		third.Underlying = 3
	}
	out = append(out, list(1, first, fixed.BasisPoint, 5*fixed.BasisPoint)...)
	out = append(out, list(2, second, -3*fixed.BasisPoint, 7*fixed.BasisPoint+13)...)
	out = append(out, list(3, third, -fixed.BasisPoint, fixed.BasisPoint)...)
	if t.priced > 0 {
		out = append(out, msg.SetRule(1, msg.FundingInterval, int64(7*fixed.Minute)), msg.SetRule(2, msg.FundingInterval, int64(fixed.Hour)),
			msg.SetRule(2, msg.FundingImpact, int64(2*fixed.Coin)), msg.SetRule(1, msg.FundingImpact, 1_000_000), t.report(1, 0), t.report(2, 0), t.report(3, 0),
			msg.SetRule(3, msg.CollateralHaircut, int64(20*fixed.Percent)))
	}
	out = append(out,
		msg.SetTier(2, msg.Tier{UpTo: 2 * fixed.Coin, Initial: 3 * fixed.Percent, Maintenance: fixed.Percent}),
		msg.SetTier(2, msg.Tier{Index: 1, UpTo: 9 * fixed.Coin, Initial: 33*fixed.Percent + 1, Maintenance: 2 * fixed.Percent}),
		msg.SetTier(2, msg.Tier{Index: 2, Initial: 50 * fixed.Percent, Maintenance: 25 * fixed.Percent}),
		msg.SetRule(2, msg.SlopeInitial, 90_000), msg.SetRule(2, msg.SlopeMaintenance, 40_007))
	for id := msg.AccountID(1); id <= msg.AccountID(t.accounts); id++ {
		owner := msg.OwnerID(id | 1)
		if id > 5 {
			owner = 0
		}
		out = append(out, msg.OpenAccount(id, owner, msg.AllGroups), t.deposit(id), msg.DepositAsset(id, 3, fixed.Lots(1+t.below(200))))
	}
	out = append(out, msg.OpenSession(1, 1), msg.OpenSession(2, 3), msg.OpenSession(3, 5))
	if t.crash > 0 {
		out = append(out, t.gloom()...)
	}
	return out
}

func (t *trader) deposit(id msg.AccountID) msg.Command {
	return msg.Deposit(id, fixed.Money(1+t.below(t.money))*10_000)
}

func (t *trader) account() msg.AccountID { return msg.AccountID(1 + t.below(t.accounts)) }

func (t *trader) instrument() msg.InstrumentID {
	if t.percent(1) {
		return pick(t, msg.InstrumentID(0), 4, 65_537)
	}
	return msg.InstrumentID(1 + t.below(3))
}

// price draws a price near the mark, as bold as the width allows.
func (t *trader) price(id msg.InstrumentID, side msg.Side) fixed.Ticks {
	mid := t.mids[id&3]
	d := fixed.Ticks(t.below(t.below(t.width)+1) - t.below(3))
	if side == msg.Buy {
		d = -d
	}
	if t.percent(1) {
		return fixed.Ticks(t.below(3))
	}
	return mid + d
}

func (t *trader) side() msg.Side { return pick(t, msg.Buy, msg.Sell) }

// next is the next command, stamped with its time.
func (t *trader) next() msg.Command {
	if t.floods > 0 && len(t.queue) == 0 && t.below(t.floods) == 0 {
		t.queue = t.flood(int(t.below(3)))
	}
	if len(t.queue) > 0 {
		c := t.queue[0]
		t.queue = t.queue[1:]
		return c
	}
	t.at += fixed.Nanos(t.below(int64(fixed.Second / 10)))
	if t.below(t.leap) == 0 {
		t.at += fixed.Nanos(t.below(int64(30 * fixed.Hour)))
	}
	c := t.draw()
	c.Time = t.at
	if c.Session == 0 && t.percent(30) && (c.Kind <= msg.KindCancelAll || c.Kind == msg.KindQuote) || t.percent(1) {
		c.Session = msg.SessionID(c.Account|1)/2 + 1 // that of its owner, mostly
		if t.percent(8) {
			c.Session = pick(t, msg.SessionID(1), 2, 3, 4, 300)
		}
	}
	if c.Kind == msg.KindSetProtection { // which no door has
		c.Session = 0
	}
	if t.percent(40) {
		s := c.Session & 7
		if t.refs[s]++; t.percent(3) {
			t.refs[s] -= msg.Ref(t.below(3))
		}
		c.Ref = t.refs[s]
	}
	if c.Kind == msg.KindQuote {
		return t.quotes(c)
	}
	return c
}

// undo sets a turn right some commands later, twice, for the first may come too early.
func (t *trader) undo(turn, right msg.Command) msg.Command {
	for range 2 {
		t.later = append(t.later, later{5 + t.below(40), right})
	}
	return turn
}

func (t *trader) draw() msg.Command {
	for i := range t.later {
		if t.later[i].in--; t.later[i].in <= 0 {
			c := t.later[i].command
			t.later = append(t.later[:i], t.later[i+1:]...)
			return c
		}
	}
	if t.quoting > 0 && t.percent(t.quoting) {
		if t.percent(20) {
			return t.protection()
		}
		c := msg.Quote(t.account(), 0, msg.Quotation{})
		c.STP, c.Flags = msg.STP(t.below(6)), pick(t, 0, 0, 0, msg.FlagPostOnly, msg.FlagPostOnly, msg.FlagSlide)
		return c
	}
	if t.crash > 0 && t.percent(t.crash) {
		return t.distress()
	}
	if t.percent(t.priced) {
		return t.prices()
	}
	if t.percent(t.apart) {
		return t.remargin(t.account(), msg.InstrumentID(1+t.below(2)))
	}
	if t.percent(t.calm) {
		switch {
		case t.percent(25):
			return t.recall(msg.KindCancel)
		case t.percent(15):
			return t.recall(msg.KindAmend)
		}
		return t.order()
	}
	id, in := t.account(), t.instrument()
	switch t.below(23) {
	case 18, 19, 20, 21:
		return t.remargin(id, in)
	case 22:
		return t.crowd(in)
	case 0, 1, 2:
		if in > 0 && in < 4 {
			up, down := t.below(t.width+1), t.below(t.width+1)
			t.mids[in] = max(5, t.mids[in]+fixed.Ticks(up-down))
			return msg.SetMark(in, t.mids[in])
		}
		return msg.SetMark(in, fixed.Ticks(t.below(3)))
	case 3, 4:
		return t.deposit(id)
	case 5:
		return pick(t, msg.Withdraw(id, fixed.Money(t.below(t.money)*10_000)), msg.Withdraw(id, fixed.Money(t.below(t.money)*1_000)))
	case 6:
		return msg.Transfer(id, t.account(), fixed.Money(t.below(t.money)*5_000))
	case 7:
		return pick(t, msg.DepositAsset(id, 3, fixed.Lots(t.below(t.lots))), msg.WithdrawAsset(id, in, fixed.Lots(t.below(t.lots))),
			msg.DepositAsset(id, in, fixed.Lots(t.below(t.lots))))
	case 8:
		return msg.CancelAll(id, pick(t, 0, 0, in), pick(t, 0, 0, msg.Buy, msg.Sell, 3))
	case 9, 10:
		en := msg.Entry{Scope: msg.Scope(t.below(6)), Action: pick(t, msg.Block, msg.BlockAndCancel, msg.ReduceEntry, msg.ReduceEntry,
			msg.Action(t.below(7))), Owner: msg.OwnerID(t.below(7))}
		right := en
		right.Action = msg.Unblock
		return t.undo(msg.SetEntry(id, in, en), msg.SetEntry(id, in, right))
	case 11:
		return t.undo(msg.SetPhase(in, pick(t, msg.ReduceOnly, msg.ReduceOnly, msg.Phase(t.below(6)))), msg.SetPhase(in, msg.Continuous))
	case 12:
		taker := fixed.Rate(t.below(2 * int64(fixed.Percent)))
		return t.undo(msg.SetFees(in, msg.Fees{Maker: taker - fixed.Rate(t.below(4*int64(fixed.Percent))), Taker: taker}),
			msg.SetFees(in, msg.Fees{Maker: -fixed.BasisPoint * fixed.Rate(t.below(4)), Taker: 7*fixed.BasisPoint + 13}))
	case 13, 14:
		return t.rule(in)
	case 15:
		return t.undo(msg.SetTier(in, msg.Tier{Index: uint8(t.below(3)), UpTo: fixed.Money(t.below(3) * t.below(9_000_000)),
			Initial: fixed.Rate(t.below(int64(fixed.One / 2))), Maintenance: fixed.Rate(t.below(int64(fixed.One / 8)))}),
			msg.SetTier(in, msg.Tier{Initial: 7 * fixed.Percent, Maintenance: 4 * fixed.Percent}))
	case 16:
		s := msg.SessionID(t.below(4))
		return t.undo(pick(t, msg.OpenSession(s, msg.OwnerID(t.below(7))), msg.CloseSession(s)), msg.OpenSession(s, msg.OwnerID(2*s-1)))
	}
	switch t.below(6) {
	case 3:
		return pick(t, t.undo(msg.SetStorage(msg.Storage(t.below(4))), msg.SetStorage(msg.StorageNormal)), msg.Maintain(),
			msg.SetCheckpoint(msg.Checkpoint{Upto: msg.Seq(t.below(t.money)), Hash: uint64(t.below(t.money))}), msg.Tick())
	case 5:
		return t.feeTiers()
	case 4:
		return msg.PayFund(fixed.Money(t.below(t.money)*2_000) - 1)
	case 0:
		who, owner := msg.AccountID(t.below(10)), msg.OwnerID(t.below(10))
		return t.undo(msg.OpenAccount(who, pick(t, owner, msg.OwnerID(who|1)), pick(t, msg.AllGroups, 0b101, 0b110)),
			msg.OpenAccount(who, msg.OwnerID(who|1), msg.AllGroups))
	case 1:
		return msg.List(in, msg.Listing{Type: msg.Spot, TickLot: 1})
	case 2:
		return msg.Command{Request: msg.Request{Kind: 77}}
	}
	return msg.Tick()
}

// report draws what a source says of an underlying, 0 all of them: most of the time near where its instrument trades.
func (t *trader) report(id msg.UnderlyingID, source uint8) msg.Command {
	unit := [4]fixed.Money{1, 100_000, 2_100, 2_300}[id&3]
	if t.percent(30) {
		up, down := t.below(t.width+1), t.below(t.width+1)
		t.mids[id&3] = max(5, t.mids[id&3]+fixed.Ticks(up-down))
	}
	price := fixed.Money(t.mids[id&3])*unit + fixed.Money(t.below(int64(unit)))
	switch t.below(40) {
	case 0:
		price = price * 3 / 2
	case 1:
		price = fixed.Money(t.below(3) - 1)
	case 2:
		price = fixed.Money(t.below(int64(unit) * 2))
	}
	confidence := fixed.One - fixed.Rate(t.below(3)*t.below(int64(fixed.One)))
	return msg.ReportPrice(msg.Report{Underlying: id, Source: source, Price: price, Confidence: confidence})
}

// prices draws a report, a payment of funding, or a parameter of either.
func (t *trader) prices() msg.Command {
	in := msg.InstrumentID(1 + t.below(3))
	switch t.below(12) {
	case 0, 1, 2, 3:
		return t.report(msg.UnderlyingID(1+t.below(3)), 0)
	case 4, 5, 6:
		return t.report(msg.UnderlyingID(t.below(4)), uint8(t.below(5)))
	case 7, 8:
		return msg.SettleFunding(in, fixed.Rate(t.below(int64(fixed.Percent))-int64(fixed.Percent)/2)*fixed.Rate(1+t.below(9)))
	case 9:
		t.at += fixed.Nanos(t.below(int64(5 * fixed.Minute)))
		return msg.Tick()
	case 10:
		return t.priceRule(in)
	}
	switch t.below(4) {
	case 0:
		return msg.ListUnderlying(msg.Underlying{ID: msg.UnderlyingID(t.below(6)), Sources: uint8(t.below(10))})
	case 1:
		return msg.List(4, msg.Listing{Type: msg.Perpetual, TickLot: fixed.Money(1 + t.below(100_000)), UnitLots: 1, Underlying: msg.UnderlyingID(t.below(4)),
			Mark: msg.MarkMode(t.below(4))})
	}
	return msg.SetPhase(in, msg.Continuous)
}

// priceRule draws a parameter of oracles, marks or funding, and takes some of them back later.
func (t *trader) priceRule(in msg.InstrumentID) msg.Command {
	second, percent := int64(fixed.Second), int64(fixed.Percent)
	type setting struct {
		venue       bool
		rule        msg.Rule
		value, back int64
	}
	s := pick(t,
		setting{true, msg.OracleStale, t.below(200) * second, 0}, setting{true, msg.OracleOutlier, t.below(20) * percent, 5 * percent},
		setting{true, msg.OracleHalt, t.below(90) * second, 60 * second}, setting{true, msg.MarkStep, t.below(8) * second, second},
		setting{true, msg.OracleConfidence, t.below(3 * int64(fixed.One)), percent},
		setting{false, msg.MarkFrom, t.below(4), int64(in % 3)}, setting{false, msg.CollateralHaircut, t.below(110) * percent, 20 * percent}, setting{false, msg.MarkInputs, t.below(9), 7}, setting{false, msg.MarkCombine, t.below(3), 0},
		setting{false, msg.MarkWeightBook, t.below(4), 1}, setting{false, msg.MarkStale, t.below(60) * second, 0},
		setting{false, msg.MarkWindow, t.below(90) * second, 60 * second}, setting{false, msg.MarkDecay, t.below(110) * percent, 0},
		setting{false, msg.MarkVelocity, t.below(10) * percent, 2 * percent}, setting{false, msg.MarkEMA, t.below(200) * second, 150 * second},
		setting{false, msg.FundingInterval, t.below(5) * 111 * second, 420 * second}, setting{false, msg.FundingSample, t.below(90) * second, 60 * second},
		setting{false, msg.FundingBase, t.below(9) * 3600 * second, 8 * 3600 * second}, setting{false, msg.FundingTrim, t.below(60) * percent, 0},
		setting{false, msg.FundingImpact, t.below(5_000_000), 1_000_000}, setting{false, msg.FundingInterest, t.below(percent), 0},
		setting{false, msg.FundingMax, t.below(8) * percent, 4 * percent}, setting{false, msg.FundingMin, -t.below(8) * percent, -4 * percent})
	if s.venue {
		in = 0
	}
	if t.percent(50) {
		return msg.SetRule(in, s.rule, s.value)
	}
	return t.undo(msg.SetRule(in, s.rule, s.value), msg.SetRule(in, s.rule, s.back))
}

// feeTiers draws the rows of a table, most of them in order.
func (t *trader) feeTiers() msg.Command {
	var rows []msg.Command
	count := 1 + t.below(3)
	for i := range count {
		taker := fixed.Rate(t.below(int64(fixed.Percent)))
		row := msg.FeeTier{Index: uint8(i), Volume: fixed.Money(i * (1 + t.below(400_000_000))), Last: i == count-1,
			Fees: msg.Fees{Taker: taker, Maker: fixed.Rate(t.below(int64(fixed.Percent))) - taker}}
		if t.percent(70) && i > 0 {
			row.Fees.Maker = row.Fees.Taker / 2
		}
		if t.percent(10) {
			row.Index, row.Last = uint8(t.below(17)), t.percent(50)
		}
		rows = append(rows, msg.SetFeeTier(row))
	}
	for _, c := range rows[1:] {
		t.later = append(t.later, later{1, c})
	}
	return rows[0]
}

// order draws a new order.
func (t *trader) order() (c msg.Command) {
	id, in, side := t.account(), t.instrument(), t.side()
	qty := fixed.Lots(1 + t.below(t.below(t.lots)+1))
	flags := msg.Flags(0)
	for _, f := range []msg.Flags{msg.FlagPostOnly, msg.FlagSlide} {
		if t.percent(6) {
			flags |= f
		}
	}
	if t.percent(12) {
		flags |= msg.FlagReduceOnly
	}
	if isolated := t.mode[[2]uint32{uint32(id), uint32(in)}]; isolated != t.percent(4) {
		flags |= msg.FlagIsolated
	}
	switch t.below(10) {
	case 0:
		c = msg.Market(id, in, side, qty, pick(t, 0, 0, t.price(in, side.Opposite())))
		c.TIF = pick(t, msg.IOC, msg.IOC, msg.FOK)
		flags &= msg.FlagReduceOnly | msg.FlagIsolated
	case 1, 2:
		ext, tif := msg.OrderExt{}, msg.GTC
		if t.percent(60) {
			tif, ext.Expire = msg.GTD, t.at+fixed.Nanos(t.below(3*int64(fixed.Second)))
		}
		if t.percent(40) {
			ext.Min = fixed.Lots(t.below(int64(qty) + 1))
		}
		c = msg.Place(id, in, side, t.price(in, side), qty, ext)
		c.TIF = tif
	default:
		c = msg.Limit(id, in, side, t.price(in, side), qty)
		if t.percent(20) {
			c.TIF = pick(t, msg.IOC, msg.FOK)
			c.Price = t.price(in, side.Opposite())
		}
	}
	c.Flags = flags
	c.STP = msg.STP(t.below(6))
	if t.percent(1) {
		c.Flags, c.STP, c.TIF = msg.Flags(t.below(1<<12)), msg.STP(t.below(8)), msg.TIF(t.below(6))
	}
	return c
}

// recall draws a cancel or an amend of an order that was seen.
func (t *trader) recall(kind msg.Kind) msg.Command {
	if len(t.ids) == 0 {
		return msg.Cancel(t.account(), 1, msg.OrderID(t.below(100)))
	}
	id := msg.OrderID(0)
	for range 6 { // mostly one that still rests
		k := len(t.ids) - 1 - int(t.below(min(int64(len(t.ids)), 60)))
		if t.percent(10) {
			k = int(t.below(int64(len(t.ids))))
		}
		if id = t.ids[k]; !t.gone[id] || t.percent(10) {
			break
		}
	}
	was := t.whose[id]
	if t.percent(2) {
		was.Account, was.Instr, id = t.account(), t.instrument(), id+msg.OrderID(t.below(3))<<32
	}
	if kind == msg.KindCancel {
		return msg.Cancel(was.Account, was.Instr, id)
	}
	price, qty := t.price(was.Instr, was.Side), fixed.Lots(1+t.below(t.lots))
	if t.percent(40) {
		price, qty = was.Price, fixed.Lots(1+t.below(int64(was.Qty)))
	}
	c := msg.Amend(was.Account, was.Instr, id, price, qty)
	if t.percent(50) {
		c.Flags = msg.FlagLeaves
	}
	return c
}

// remargin draws a command about the margin of a position.
func (t *trader) remargin(id msg.AccountID, in msg.InstrumentID) msg.Command {
	cash := fixed.Money(t.below(t.money) * 1_000)
	switch t.below(10) {
	case 0, 1:
		return msg.SetLeverage(id, in, msg.Leverage(pick(t, 0, 100+t.below(3000), 100+t.below(500), t.below(101), t.below(1<<17))))
	case 2, 3:
		return msg.IsolateDefault(id, in)
	case 4:
		return msg.Isolate(id, in, pick(t, cash, cash/10, -1))
	case 5, 6:
		return msg.Cross(id, in)
	}
	return msg.MoveMargin(id, in, pick(t, cash, cash/10, cash/100, -cash, -cash/10, -cash/100))
}

// crowd draws what open interest does to initial, and takes it back later.
func (t *trader) crowd(in msg.InstrumentID) msg.Command {
	switch t.below(4) {
	case 0:
		return t.undo(msg.SetRule(in, msg.IsolatedNoRemove, t.below(3)), msg.SetRule(in, msg.IsolatedNoRemove, 0))
	case 1:
		row := msg.Concentration{Index: uint8(t.below(2)), Last: t.percent(70), Share: fixed.Rate(t.below(int64(fixed.One / 2))),
			Rate: fixed.Rate(t.below(int64(fixed.One / 5)))}
		return t.undo(msg.SetConcentration(in, row), msg.SetConcentration(in, msg.Concentration{Last: true}))
	case 2:
		return t.undo(msg.SetRule(in, msg.InterestLow, t.below(50*int64(fixed.Coin))), msg.SetRule(in, msg.InterestLow, 0))
	}
	return t.undo(msg.SetRule(in, msg.InterestHigh, t.below(200*int64(fixed.Coin))), msg.SetRule(in, msg.InterestHigh, 0))
}

// rule draws a parameter, and takes it back later.
func (t *trader) rule(in msg.InstrumentID) msg.Command {
	r := msg.Rule(t.below(18))
	v, back := int64(0), int64(0)
	switch r {
	case msg.Band, msg.MarketRange:
		v = t.below(int64(30 * fixed.Percent))
		if r == msg.MarketRange {
			back = int64(10 * fixed.Percent)
		}
	case msg.SlopeInitial, msg.SlopeMaintenance:
		v = t.below(200_000)
	case msg.PriceStep, msg.QtyStep:
		v = pick[int64](t, 2, 5)
	case msg.MaxOrderQty:
		v = 1 + t.lots/3
	case msg.MaxOrderNotional:
		v = t.below(40_000_000)
	case msg.MinOrderNotional:
		v = t.below(3_000_000)
	case msg.MaxOpenOrders:
		v = 1 + t.below(8)
	case msg.MaxPosition, msg.MaxOpenInterest:
		v = t.below(2 * t.lots)
	case msg.MessageRate:
		in, v = 0, 1+t.below(20)
	case msg.MessageBurst:
		in, v, back = 0, 1+t.below(4), 2
	case msg.ProfitHaircut, msg.WithdrawMargin:
		in, v = 0, t.below(int64(fixed.One)+1)
		back = v / 2
	default:
		v = t.below(5) - 1
	}
	return t.undo(msg.SetRule(in, r, v), msg.SetRule(in, r, back))
}

// see lets the trader look at the events of its command.
func (t *trader) see(c *msg.Command, events []msg.Event) {
	for i := range events {
		switch e := &events[i]; e.Kind {
		case msg.ModeChanged:
			t.mode[[2]uint32{uint32(e.Account), uint32(e.Instr)}] = e.ModeStep().To == msg.ModeIsolated
		case msg.Accepted:
			t.mode[[2]uint32{uint32(e.Account), uint32(e.Instr)}] = c.Flags&msg.FlagIsolated != 0
			if len(t.ids) == 4096 { // who remembers everything grows old
				for _, id := range t.ids[:2048] {
					delete(t.whose, id)
					delete(t.gone, id)
				}
				t.ids = append(t.ids[:0], t.ids[2048:]...)
			}
			t.ids = append(t.ids, e.Order)
			was := *c
			was.Price, was.Qty, was.Account, was.Instr = e.Price, e.Qty, e.Account, e.Instr
			t.whose[e.Order] = was
		case msg.Traded:
			t.gone[e.Order] = e.Fill().Leaves == 0
		case msg.Canceled:
			t.gone[e.Order] = e.Change().Leaves == 0
		case msg.Expired:
			t.gone[e.Order] = true
		}
	}
}

// pair is an engine and its twin.
type pair struct {
	e    *Engine
	n    *naive
	out  []msg.Event
	late *Engine // the engine when it had seen to what was due before the present command
}

func newPair(l Limits) (*pair, error) {
	e, err := New(l)
	if err != nil {
		return nil, err
	}
	p := &pair{e: e, n: newNaive(e.limits)}
	p.n.done = p.done
	return p, nil
}

// done reports whether the engine has seen to a timer: it is set for later, or no more. The command itself may have set it since.
func (p *pair) done(t *naiveTimer) bool {
	e := p.late
	kind, k := timerKind(t.kind), uint32(t.id)
	switch account, instr := msg.AccountID(t.id>>32), msg.InstrumentID(t.id); {
	case t.kind == naiveTierTimer:
		k = 0
	case t.kind < naiveDeadlineTimer:
	case account == 0: // the fund's
		kind, k = ladderTimer, uint32(e.house.RowPool(e.house.Find(msg.AccountID(e.limits.Accounts)+1, instr)))
	case instr == 0:
		kind, k = ladderTimer, uint32(clearing.Cross(account))
	default:
		kind, k = ladderTimer, uint32(e.house.RowPool(e.house.Find(account, instr)))
	}
	set := e.timers.isSet(kind, k)
	slot := e.timers.base[kind] + k
	return !set || e.timers.at[slot] > t.at || t.kind == naiveTierTimer && e.timers.key[slot]&(1<<idBits-1) != t.id
}

// look lets a copy of the engine see to what is due before a command.
func (p *pair) look(c *msg.Command) {
	p.late, p.n.early = p.e, int(p.e.limits.Events)
	if p.e.earliest() > c.Time {
		return
	}
	p.late = p.e.Fork()
	p.late.seq, p.late.now, p.late.out = c.Seq, c.Time, make([]msg.Event, p.e.limits.Events)
	p.late.first, p.late.told = 0, 0
	if p.late.quoting.count != 0 && !p.late.continues(c) {
		p.late.answerQuote()
	}
	p.late.carryOn()
	p.n.early = p.late.told
}

// apply gives both a command and says where they differ.
func (p *pair) apply(c msg.Command, all bool) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%s: panic: %v", c.String(), r)
		}
	}()
	c.Seq = p.e.seq + 1
	c.Time = max(c.Time, p.e.now)
	p.look(&c)
	p.out = p.e.Apply(&c, p.out[:0])
	p.n.heard = p.out
	want := p.n.apply(&c)
	for i := range max(len(want), len(p.out)) {
		if i >= len(want) || i >= len(p.out) || !p.out[i].Equal(&want[i]) {
			return fmt.Errorf("%s: event %d:%s\nwant:%s", c.String(), i, around(p.out, i), around(want, i))
		}
	}
	if all {
		err = p.compare()
	} else {
		err = p.account(c.Account)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", c.String(), err)
	}
	return nil
}

// around are the events about the one at i.
func around(events []msg.Event, i int) (text string) {
	for k := max(0, i-4); k < min(len(events), i+8); k++ {
		text += "\n     " + events[k].String()
	}
	return text
}

// account compares every figure of an account.
func (p *pair) account(id msg.AccountID) error {
	got, ok := p.e.Account(id)
	want, wanted := p.n.summary(id)
	if ok != wanted || got != want {
		return fmt.Errorf("account %d:\n     %+v\nwant %+v", id, got, want)
	}
	return p.positions(id)
}

// positions compares the positions of an account, or what the fund holds.
func (p *pair) positions(id msg.AccountID) error {
	for i := msg.InstrumentID(0); i <= 4; i++ {
		got, ok := p.e.Position(id, i)
		want, wanted := p.n.holding(id, i)
		if ok != wanted || got != want {
			return fmt.Errorf("account %d in %d:\n     %+v %v\nwant %+v %v", id, i, got, ok, want, wanted)
		}
	}
	return nil
}

// compare compares every figure that the engine shows.
func (p *pair) compare() error {
	for id := msg.AccountID(0); id <= msg.AccountID(p.e.limits.Accounts)+1; id++ {
		if err := p.account(id); err != nil {
			return err
		}
	}
	if err := p.positions(msg.FundAccount); err != nil {
		return err
	}
	for i := msg.InstrumentID(1); i <= 4; i++ {
		in := p.n.instruments[i]
		if in == nil {
			continue
		}
		m, _ := p.e.Market(i)
		if want := (Market{Mark: in.mark, Index: in.index, Last: in.last, Phase: in.phase, Oracle: p.n.health(i), Funding: in.funding.Rate,
			Sum: in.sum, Interest: m.Interest, Orders: m.Orders}); m != want {
			return fmt.Errorf("market of %d:\n     %+v\nwant %+v", i, m, want)
		}
		if got, want := m.Interest, p.n.interest(i); in.perpetual() && got != want {
			return fmt.Errorf("open interest of %d: %d, want %d", i, got, want)
		}
		for _, side := range []msg.Side{msg.Buy, msg.Sell} {
			got, want := p.e.Depth(i, side, nil, 1<<20), p.n.depth(i, side)
			if fmt.Sprint(got) != fmt.Sprint(want) {
				return fmt.Errorf("side %d of %d:\n     %v\nwant %v", side, i, got, want)
			}
			first, wanted := p.e.First(i, side), msg.OrderID(0)
			if o := p.n.first(i, side); o != nil {
				wanted = o.id
			}
			if first != wanted {
				return fmt.Errorf("first on side %d of %d: %x, want %x", side, i, uint64(first), uint64(wanted))
			}
		}
	}
	if at, ok := p.e.NextDue(); p.n.behind() && (!ok || at > p.n.now) {
		return fmt.Errorf("the engine has nothing due before %d, and something is overdue", at)
	}
	reviewed := p.n.waiting > 0 && p.e.house.Reviewing()               // then who comes up later is not counted yet
	if list := p.n.misplaced(); len(list) > p.n.waiting && !reviewed { // I-20
		k := list[0]
		next, equity, maintenance := p.n.nextRung(k)
		return fmt.Errorf("%d pools wait, and %d stand where they should not: of account %d in %d, with equity %s over %s on %s, should be on %s", p.n.waiting,
			len(list), k.account, k.instr, equity, maintenance, p.n.pool(k).rung, next)
	}
	if got, want := p.e.VenueAccounts(), p.n.venue(); got != want {
		return fmt.Errorf("venue: %+v, want %+v", got, want)
	}
	if got, want := p.e.OpenOrders(), uint32(len(p.n.orders)); got != want {
		return fmt.Errorf("%d orders, want %d", got, want)
	}
	if money, lots := p.e.Imbalance(); money != 0 || lots != 0 {
		return fmt.Errorf("%s and %d lots are missing", money, lots)
	}
	return nil
}

// differ runs commands on a fresh pair and returns the first difference.
func differ(l Limits, commands []msg.Command, every int) error {
	p, err := newPair(l)
	if err != nil {
		return err
	}
	for i, c := range commands {
		if err := p.apply(c, (i+1)%every == 0 || i == len(commands)-1); err != nil {
			return fmt.Errorf("command %d: %w", i, err)
		}
	}
	return nil
}

// shrink leaves out of a stream that shows a difference all that it can do without, as far as it gets.
func shrink(commands []msg.Command, fails func([]msg.Command) bool) []msg.Command {
	left := *shrinkCommands
	for size := len(commands) / 2; size > 0; size /= 2 {
		for from := 0; from < len(commands); {
			if left -= len(commands); left < 0 {
				return commands
			}
			fewer := append(append([]msg.Command(nil), commands[:from]...), commands[min(from+size, len(commands)):]...)
			if fails(fewer) {
				commands = fewer
			} else {
				from += size
			}
		}
	}
	return commands
}

// report shrinks a failing stream and prints what is left.
func report(t *testing.T, l Limits, commands []msg.Command, err error) {
	t.Helper()
	text := ""
	short := shrink(commands, func(c []msg.Command) bool { return differ(l, c, 1) != nil })
	for _, c := range short {
		text += "\n\t" + c.String()
		text += fmt.Sprintf(" time=%d", c.Time)
	}
	t.Fatalf("%v\nlimits %+v\nshortest:%s\n%v", err, l, text, differ(l, short, 1))
}

// TestEngineAgainstNaive lets engine and twin answer the same commands: every event of each, and every figure after most.
func TestEngineAgainstNaive(t *testing.T) { // S-15, T-1, I-11, W-59, M-03 to M-20, M-43, M-45
	for i, d := range days {
		d.follow(t, uint64(i), map[msg.EventKind]int{})
	}
}

// seized stands for an asset that went to the fund, which is told as a transfer.
const seized msg.EventKind = 255

// follow lets an engine and its twin go through a day, and counts the events that are told.
func (d day) follow(t *testing.T, number uint64, sum map[msg.EventKind]int) {
	count, every := *twinCommands/len(days), 8
	if testing.Short() {
		count /= 5
	}
	if d.limits.Orders > 1000 {
		count, every = count/4, 64
	}
	seed := xorshift(*firstSeed + number*0x2545F4914F6CDD1D)
	t.Run(d.name, func(t *testing.T) {
		t.Logf("seed %#x, %d commands", uint64(seed), count)
		tr := newTrader(d, &seed)
		p, err := newPair(d.limits)
		if err != nil {
			t.Fatal(err)
		}
		commands := tr.opening()
		refused, told := map[msg.Reject]int{}, map[msg.EventKind]int{}
		for k := 0; k < len(commands) || k < count; k++ {
			if k == len(commands) {
				commands = append(commands, tr.next())
			}
			if err := p.apply(commands[k], k%every == 0); err != nil {
				report(t, d.limits, commands[:k+1], fmt.Errorf("command %d: %w", k, err))
			}
			tr.see(&commands[k], p.out)
			for _, e := range p.out {
				told[e.Kind]++
				if sum[e.Kind]++; e.Kind == msg.Transferred && e.Instr != 0 {
					sum[seized]++
				}
				if e.Kind == msg.Rejected {
					refused[e.Reject]++
				}
			}
		}
		text := ""
		for r := msg.Reject(0); r < 255; r++ {
			if refused[r] > 0 {
				text += fmt.Sprintf(" %s %d", r.Name(), refused[r])
			}
		}
		t.Logf("told: %v; refused:%s", told, text)
		for _, kind := range []msg.EventKind{msg.MarginMoved, msg.ModeChanged, msg.LeverageSet} {
			if d.apart > 0 && told[kind] < count*int(d.apart)/20_000 {
				t.Errorf("only %d events %d: the day says nothing about isolated margin", told[kind], kind)
			}
		}
	})
}
