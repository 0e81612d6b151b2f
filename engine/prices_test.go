package engine

import (
	"reflect"
	"testing"
	"unsafe"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// onIndex lists underlying 1 with three sources and instruments 1 and 2 on it, by index and composite, at an index of 100
// ticks, and opens accounts 1 to 4 with a million each. A lot is a unit, a tick of it a coin.
func onIndex(t *testing.T, l Limits) *desk {
	t.Helper()
	d := newDesk(t, l)
	d.at = 3 * fixed.Hour
	d.ok(msg.ListUnderlying(msg.Underlying{ID: 1, Sources: 3}))
	for i, mode := range []msg.MarkMode{msg.MarkIndex, msg.MarkComposite} {
		id := msg.InstrumentID(i + 1)
		d.ok(msg.List(id, msg.Listing{Type: msg.Perpetual, TickLot: fixed.Coin, UnitLots: 1, Underlying: 1, Mark: mode}),
			msg.SetPhase(id, msg.Continuous), msg.SetRule(id, msg.FundingInterval, 0))
	}
	d.ok(index(100))
	for id := msg.AccountID(1); id <= 4; id++ {
		d.ok(msg.Deposit(id, 1_000_000*fixed.Coin))
	}
	return d
}

// index is what all sources of underlying 1 say; source what one does.
func index(price fixed.Money) msg.Command { return source(0, price) }

func source(n uint8, price fixed.Money) msg.Command {
	return msg.ReportPrice(msg.Report{Underlying: 1, Source: n, Price: price * fixed.Coin, Confidence: fixed.One})
}

// swap lets account 1 sell to account 2.
func (d *desk) swap(id msg.InstrumentID, price fixed.Ticks, qty fixed.Lots) {
	d.t.Helper()
	d.ok(msg.Limit(1, id, msg.Sell, price, qty), msg.Limit(2, id, msg.Buy, price, qty))
}

// market is what can be seen of a listed instrument.
func (d *desk) market(id msg.InstrumentID) Market {
	d.t.Helper()
	m, ok := d.Market(id)
	if !ok {
		d.t.Fatalf("instrument %d is not listed", id)
	}
	return m
}

// TestIndexLeadsItsInstruments holds that an index that moves marks each of its instruments at once, tells it in order, and
// that the sum of an account follows.
func TestIndexLeadsItsInstruments(t *testing.T) { // M-32, M-34
	d := onIndex(t, Limits{Instruments: 3})
	d.swap(1, 100, 10)
	events := d.do(index(110))
	kinds := []msg.EventKind{msg.IndexUpdated, msg.MarkUpdated, msg.MarkUpdated}
	for i := range events {
		if i >= len(kinds) || events[i].Kind != kinds[i] {
			t.Fatalf("event %d is %s", i, events[i].String())
		}
	}
	if m := d.market(1); m.Mark != 110 || m.Index != 110 || m.Last != 100 || m.Oracle != msg.Good {
		t.Errorf("%+v", m)
	}
	if s, _ := d.Account(2); s.Equity != 1_000_100*fixed.Coin {
		t.Errorf("the buyer has %s", s.Equity)
	}
	if d.do(index(110)); d.count(msg.Ticked) != 1 || len(d.last) != 1 {
		t.Errorf("the same again: %s", d.last[0].String())
	}
	d.refused(msg.RejectInvalidParameter, msg.SetMark(1, 100))
	d.refused(msg.RejectInvalidParameter, source(4, 100))
	d.refused(msg.RejectInvalidParameter, msg.ReportPrice(msg.Report{Underlying: 2, Price: 1}))
	d.refused(msg.RejectInvalidParameter, msg.SetRule(1, msg.MarkFrom, 7))
	d.sound()
}

// TestLateListing holds that who is listed on an index that is there follows it from the start.
func TestLateListing(t *testing.T) { // M-34
	d := onIndex(t, Limits{Instruments: 4})
	on := msg.Listing{Type: msg.Perpetual, TickLot: fixed.Coin / 4, UnitLots: 1, Underlying: 1, Mark: msg.MarkIndex}
	d.ok(msg.List(3, on))
	if m := d.market(3); m.Mark != 400 || m.Oracle != msg.Good {
		t.Errorf("%+v, want a mark of 400", m)
	}
	on.Underlying = 2
	d.refused(msg.RejectInvalidParameter, msg.List(4, on))
	on.Underlying = 0
	d.refused(msg.RejectInvalidParameter, msg.List(4, on))
	on.Mark = 3
	d.refused(msg.RejectInvalidParameter, msg.List(4, on))
	d.refused(msg.RejectTableFull, msg.ListUnderlying(msg.Underlying{ID: 5, Sources: 1}))
	d.refused(msg.RejectInvalidParameter, msg.ListUnderlying(msg.Underlying{ID: 1, Sources: 1}))
	d.refused(msg.RejectInvalidParameter, msg.ListUnderlying(msg.Underlying{ID: 2, Sources: 9}))
}

// TestUnderlyingBearsASixteenth holds that an underlying has no more instruments than may follow in one command.
func TestUnderlyingBearsASixteenth(t *testing.T) {
	d := newDesk(t, Limits{Instruments: 40, Events: 256})
	d.ok(msg.ListUnderlying(msg.Underlying{ID: 1, Sources: 1}))
	on := msg.Listing{Type: msg.Perpetual, TickLot: fixed.Coin, UnitLots: 1, Underlying: 1, Mark: msg.MarkIndex}
	for id := msg.InstrumentID(1); id <= 16; id++ {
		d.ok(msg.List(id, on), msg.SetPhase(id, msg.Continuous))
	}
	d.refused(msg.RejectTableFull, msg.List(17, on))
	if d.do(index(50)); len(d.last) != 2+16 {
		t.Errorf("%d events, want health, index and 16 marks", len(d.last))
	}
	if d.do(index(0)); len(d.last) != 1+16 || d.count(msg.PhaseChanged) != 16 {
		t.Errorf("%d events, want health and 16 phases", len(d.last))
	}
	d.at += fixed.Hour
	if d.do(index(60)); len(d.last) != 2+32 {
		t.Errorf("%d events, want health, index, 16 marks and 16 phases", len(d.last))
	}
}

// TestReportAfterMuchLeftOver lets orders expire, indexes fall silent, funding and rebates be paid and a mass cancel go on, all
// before reports of an underlying with as many instruments as it may have: there is room for everything, in parts.
func TestReportAfterMuchLeftOver(t *testing.T) {
	const each = 16
	d := newDesk(t, Limits{Instruments: 3 * each, Underlyings: 3, Accounts: 200, Orders: 4000, Events: 256})
	d.at = fixed.Hour
	price := func(u msg.UnderlyingID, price fixed.Money) msg.Command {
		return msg.ReportPrice(msg.Report{Underlying: u, Price: price * fixed.Coin, Confidence: fixed.One})
	}
	for u := msg.UnderlyingID(1); u <= 3; u++ {
		d.ok(msg.ListUnderlying(msg.Underlying{ID: u, Sources: 1}), price(u, 100))
		for i := range msg.InstrumentID(each) {
			id := msg.InstrumentID(u-1)*each + i + 1
			d.ok(msg.List(id, msg.Listing{Type: msg.Perpetual, TickLot: fixed.Coin, UnitLots: 1, Underlying: u, Mark: msg.MarkIndex}),
				msg.SetFees(id, msg.Fees{Maker: -fixed.BasisPoint, Taker: fixed.Percent}), msg.SetPhase(id, msg.Continuous))
		}
	}
	expire := d.at + 4*fixed.Hour
	for id := msg.AccountID(1); id <= 200; id++ {
		d.ok(msg.Deposit(id, 1_000_000*fixed.Coin))
		for range 4 {
			d.ok(with(msg.Place(id, 1, msg.Buy, 50, 1, msg.OrderExt{Expire: expire}), 0, msg.GTD))
		}
		if id%2 == 0 { // a rebate and funding wait for everybody
			d.ok(msg.Limit(id-1, 2, msg.Sell, 100, 5), msg.Limit(id, 2, msg.Buy, 100, 5), msg.Limit(id, 2, msg.Sell, 100, 1), msg.Limit(id-1, 2, msg.Buy, 100, 1))
		}
	}
	d.ok(msg.SetRule(0, msg.OracleStale, int64(4*fixed.Hour)), msg.SetRule(0, msg.OracleHalt, int64(fixed.Hour)))
	told := map[msg.EventKind]int{}
	d.ok(msg.SettleFunding(2, fixed.BasisPoint))
	for i := range d.last {
		told[d.last[i].Kind]++
	}
	d.do(msg.SetEntry(0, 0, msg.Entry{Scope: msg.ScopeVenue, Action: msg.BlockAndCancel}))
	d.at += 30 * fixed.Hour
	for u := msg.UnderlyingID(1); u <= 3; u++ {
		for range 12 {
			d.ok(price(u, fixed.Money(d.seq%2)*fixed.Money(100+d.seq%7))) // halted, and back again
			for i := range d.last {
				told[d.last[i].Kind]++
			}
		}
	}
	for at, ok := d.NextDue(); ok && at <= d.at; at, ok = d.NextDue() {
		d.ok(msg.Tick())
	}
	if told[msg.PhaseChanged] < 3*each || told[msg.FundingPaid] == 0 || told[msg.RebateVested] == 0 || d.OpenOrders() != 0 {
		t.Errorf("%v, and %d orders still rest", told, d.OpenOrders())
	}
	d.sound()
}

// TestHealthForbids walks down the healths and holds what each forbids (M-33), and that all comes back at once.
func TestHealthForbids(t *testing.T) { // M-33, I-24
	d := onIndex(t, Limits{Instruments: 2})
	d.ok(msg.SetRule(0, msg.OracleStale, int64(30*fixed.Second)))
	d.swap(1, 100, 10)
	d.ok(msg.Limit(1, 1, msg.Sell, 105, 1))

	d.ok(source(3, 500))
	if m := d.market(1); m.Oracle != msg.Degraded {
		t.Fatalf("one of three lies: %s", m.Oracle)
	}
	d.ok(msg.Limit(2, 1, msg.Buy, 99, 1), msg.SettleFunding(1, fixed.BasisPoint))

	d.at += 29 * fixed.Second
	d.ok(source(1, 100))
	d.at += fixed.Second
	d.ok(msg.Tick())
	if m := d.market(1); m.Oracle != msg.Frozen || m.Mark != 100 || d.count(msg.OracleHealth) != 1 {
		t.Fatalf("two of three are silent: %+v", m)
	}
	d.refused(msg.RejectOracleFrozen, msg.Limit(2, 1, msg.Buy, 99, 1))
	d.refused(msg.RejectOracleFrozen, msg.SettleFunding(1, fixed.BasisPoint))
	d.ok(msg.Limit(2, 1, msg.Sell, 120, 3), with(msg.Limit(1, 1, msg.Buy, 90, 3), msg.FlagReduceOnly, msg.GTC))
	d.ok(source(1, 40)) // alone, it moves nothing
	if m := d.market(1); m.Mark != 100 {
		t.Fatalf("one of three moved the mark: %+v", m)
	}

	if at, _ := d.NextDue(); at != d.at+fixed.Second { // a composite mark steps each second
		t.Fatalf("next due %d", at-d.at)
	}
	d.at += fixed.Minute - 1
	d.ok(msg.Tick())
	if m := d.market(1); m.Oracle != msg.Frozen {
		t.Fatalf("just before a minute: %s", m.Oracle)
	}
	d.at++
	d.ok(msg.Tick())
	if m := d.market(1); m.Oracle != msg.OracleHalted || m.Phase != msg.Halted || d.count(msg.PhaseChanged) != 2 {
		t.Fatalf("frozen for a minute: %+v, %d phases", m, d.count(msg.PhaseChanged))
	}
	d.refused(msg.RejectMarketHalted, msg.Limit(2, 1, msg.Sell, 120, 1))
	d.refused(msg.RejectMarketHalted, msg.SetPhase(1, msg.Continuous))
	d.ok(msg.Cancel(1, 1, d.First(1, msg.Sell)))
	d.ok(msg.SetPhase(2, msg.Halted)) // the venue's own halt

	d.ok(index(102))
	if m := d.market(1); m.Oracle != msg.Good || m.Phase != msg.CallAuction || m.Mark != 102 {
		t.Fatalf("all agree again: %+v", m)
	}
	if m := d.market(2); m.Phase != msg.Halted {
		t.Fatalf("the venue has halted it, and yet it is in %s", m.Phase)
	}
	d.ok(msg.SetPhase(1, msg.Continuous), msg.Limit(2, 1, msg.Buy, 99, 1))
	d.sound()
}

// TestProfitStaysWhereTheIndexIsInDoubt holds that unrealized profit is not withdrawn while an index is degraded, whatever
// the haircut, and that a deficit stops everything that leaves an owner.
func TestProfitStaysWhereTheIndexIsInDoubt(t *testing.T) { // M-19, M-20, M-33
	d := onIndex(t, Limits{Instruments: 2})
	d.ok(msg.OpenAccount(6, 2, msg.AllGroups), msg.SetRule(0, msg.ProfitHaircut, 0), msg.SetRule(0, msg.WithdrawMargin, 0))
	d.swap(1, 100, 100)
	d.ok(index(120))
	withdrawable := func() fixed.Money { s, _ := d.Account(2); return s.Withdrawable }
	free := fixed.Money(1_000_000)*fixed.Coin + 2_000*fixed.Coin - 1_200*fixed.Coin
	if got := withdrawable(); got != min(free, 1_000_000*fixed.Coin) {
		t.Errorf("%s may leave, want all cash", got)
	}
	d.ok(source(3, 500))
	if got, want := withdrawable(), free-2_000*fixed.Coin; got != want {
		t.Errorf("degraded: %s may leave, want %s", got, want)
	}
	d.house.Venue.Deficit, d.house.Venue.Fees = -1, 1
	d.refused(msg.RejectWithdrawalsPaused, msg.Withdraw(2, 1))
	d.refused(msg.RejectWithdrawalsPaused, msg.Transfer(2, 3, 1))
	d.ok(msg.Transfer(2, 6, 1))
	d.ok(msg.PayFund(1), msg.Withdraw(2, 1))
	d.sound()
}

// TestStuckMark holds that a mark stays where it is when it cannot follow its index, and that the instrument is frozen for
// itself until it can.
func TestStuckMark(t *testing.T) { // M-34, I-01
	d := onIndex(t, Limits{Instruments: 3, AccountPositions: 4})
	d.ok(msg.List(3, msg.Listing{Type: msg.Perpetual, TickLot: fixed.Coin, UnitLots: 1, Underlying: 1, Mark: msg.MarkIndex}),
		msg.SetPhase(3, msg.Continuous))
	d.swap(3, 100, 1000)
	d.ok(msg.ReportPrice(msg.Report{Underlying: 1, Price: fixed.Coin / 2, Confidence: fixed.One}))
	for id := msg.InstrumentID(1); id <= 3; id++ {
		if m := d.market(id); m.Mark != 100 || m.Index != 0 || m.Oracle != msg.Frozen {
			t.Errorf("below a tick, instrument %d: %+v", id, m)
		}
	}
	d.refused(msg.RejectOracleFrozen, msg.Limit(2, 3, msg.Buy, 99, 1))
	d.refused(msg.RejectOracleFrozen, msg.SettleFunding(3, fixed.BasisPoint))
	d.ok(msg.Limit(2, 3, msg.Sell, 120, 3))

	d.ok(msg.ReportPrice(msg.Report{Underlying: 1, Price: 1 << 58, Confidence: fixed.One}))
	if m := d.market(3); m.Mark != 100 || m.Oracle != msg.Frozen {
		t.Errorf("too dear for a position of 1000 lots: %+v", m)
	}
	if m := d.market(1); m.Oracle != msg.Good || m.Mark != 1<<58/fixed.Ticks(fixed.Coin) {
		t.Errorf("instrument 1 can follow: %+v", m)
	}
	d.ok(index(101))
	if m := d.market(3); m.Mark != 101 || m.Oracle != msg.Good {
		t.Errorf("it can follow again: %+v", m)
	}
	d.sound()
}

// TestMarkHearsOfTrades holds that a composite mark steps by time, by trades of two owners alone, and not by one that is
// forced.
func TestMarkHearsOfTrades(t *testing.T) { // M-34, M-35, M-38
	d := onIndex(t, Limits{Instruments: 2})
	d.ok(msg.OpenAccount(6, 1, msg.AllGroups), msg.Deposit(6, 1_000_000*fixed.Coin), msg.SetRule(2, msg.MarkInputs, msg.MarkTrades))
	step := func(want fixed.Ticks) {
		t.Helper()
		if m := d.market(2); m.Mark != 100 && d.at == 0 {
			t.Fatalf("a trade moved the mark by itself: %+v", m)
		}
		d.at += fixed.Second
		d.ok(msg.Tick())
		if m := d.market(2); m.Mark != want {
			t.Fatalf("mark %d, want %d", m.Mark, want)
		}
	}
	d.ok(with(msg.Limit(1, 2, msg.Sell, 104, 5), 0, msg.GTC))
	own := msg.Limit(6, 2, msg.Buy, 104, 5)
	own.STP = msg.STPNone
	d.ok(own)
	step(100)
	d.swap(2, 102, 5)
	if m := d.market(2); m.Mark != 100 || m.Last != 102 {
		t.Fatalf("before the step: %+v", m)
	}
	step(102)
	d.ok(msg.SetRule(2, msg.MarkFrom, int64(msg.MarkIndex)))
	if m := d.market(2); m.Mark != 100 {
		t.Fatalf("by index again: %+v", m)
	}
	d.ok(msg.SetRule(2, msg.MarkFrom, int64(msg.MarkManual)), msg.SetMark(2, 97))
	d.ok(index(105))
	if m := d.market(2); m.Mark != 97 || m.Index != 105 {
		t.Fatalf("by command: %+v", m)
	}
}

// TestLeapOfTime holds that a leap of time costs a composite mark two steps, not one for each second.
func TestLeapOfTime(t *testing.T) { // A-16, M-36
	d := onIndex(t, Limits{Instruments: 2})
	d.at += 29 * fixed.Day
	d.ok(msg.Tick())
	if at, _ := d.NextDue(); at <= d.at {
		t.Errorf("work is left over after a leap: next due %d, now %d", at, d.at)
	}
}

// TestHashSeesPrices flips a bit of each field that prices, funding, fee tiers and timers add to the state.
func TestHashSeesPrices(t *testing.T) {
	d := onIndex(t, Limits{Instruments: 3})
	d.ok(msg.SetFeeTier(msg.FeeTier{Fees: msg.Fees{Taker: fixed.BasisPoint}}),
		msg.SetFeeTier(msg.FeeTier{Index: 1, Volume: 100, Fees: msg.Fees{Taker: fixed.BasisPoint}, Last: true}))
	d.swap(1, 100, 10)
	d.ok(msg.SettleFunding(1, fixed.BasisPoint/3))
	d.at += fixed.Day
	d.ok(msg.Tick())
	d.swap(1, 100, 10)
	d.ok(msg.SetFeeTier(msg.FeeTier{Fees: msg.Fees{Taker: 7}}))
	want := d.Hash()
	ownHash := map[string]string{"marker": "market's", "funding": "market's", "Underlying": "market's"}
	for _, r := range []struct {
		name string
		at   unsafe.Pointer
		typ  reflect.Type
	}{
		{"priced", unsafe.Pointer(&d.prices[2]), reflect.TypeFor[priced]()},
		{"quoted", unsafe.Pointer(&d.underlyings[1]), reflect.TypeFor[quoted]()},
	} {
		flip(t, d, r.name, r.at, r.typ, ownHash, want)
	}
	_, kind, n, _, set := d.timers.earliest()
	slot := d.timers.base[kind] + n
	for name, b := range map[string]*byte{
		"the index of an underlying": (*byte)(unsafe.Pointer(&d.underlyings[1].Index)), "a marker": (*byte)(unsafe.Pointer(&d.prices[2].marker.Window)),
		"the funding of an instrument": (*byte)(unsafe.Pointer(&d.prices[1].funding.Index)), "the mode of a mark": (*byte)(unsafe.Pointer(&d.instruments[1].MarkMode)),
		"the health of an instrument": (*byte)(unsafe.Pointer(&d.instruments[1].Health)), "the last price": (*byte)(unsafe.Pointer(&d.instruments[1].Last)),
		"the time of a timer": (*byte)(unsafe.Pointer(&d.timers.at[slot])), "the id of a timer": (*byte)(unsafe.Pointer(&d.timers.key[slot])),
	} {
		if !set || !sees(d, b, want) {
			t.Errorf("the hash does not see %s", name)
		}
	}
	if d.Hash() != want {
		t.Fatal("the bits were not put back")
	}
}

// TestOverdueStepMovesNoMarkBack lets reports come while steps of a composite mark are overdue behind much else: when they come at last no time
// goes by, and the mark stays where the reports have moved it.
func TestOverdueStepMovesNoMarkBack(t *testing.T) { // M-34, M-37, A-16
	d := onIndex(t, Limits{Instruments: 2, Events: 256})
	d.ok(msg.SetRule(1, msg.FundingInterval, int64(fixed.Hour)))
	d.at += 4*fixed.Hour + fixed.Second/2
	d.ok(msg.Tick(), source(3, 150), source(1, 101)) // degraded: the mark has a speed
	d.at += 8 * fixed.Second
	d.ok(source(2, 101))
	for at, ok := d.NextDue(); ok && at <= d.at; at, ok = d.NextDue() {
		if d.ok(msg.Tick()); d.count(msg.MarkUpdated) != 0 {
			t.Errorf("%v", d.last)
		}
	}
	if m := d.market(2); m.Mark != 101 || m.Oracle != msg.Degraded {
		t.Errorf("%+v, want a mark of 101", m)
	}
}
