package riskgate_test

import (
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Every control at its limit: the last that passes, the first that does not, and what is told of it (D-108).

const day = fixed.Day

// TestMessageRate spends a burst, waits for the next token to the nanosecond, and then keeps to the rate.
func TestMessageRate(t *testing.T) { // W-46, W-47
	d := open(t)
	const gap = fixed.Second / 10
	plain := msg.Limit(1, 1, msg.Buy, 90, 1)
	d.ok(msg.SetRule(0, msg.MessageBurst, 5), msg.SetRule(0, msg.MessageRate, 10))
	d.at += day
	d.ok(plain, plain, plain, plain, plain)
	d.refused(msg.RejectRateLimited, int64(gap), 0, plain)
	d.refused(msg.RejectRateLimited, int64(gap), 0, msg.Amend(1, 1, 1, 90, 2)) // from the same quota
	d.at += gap - 1
	d.refused(msg.RejectRateLimited, 1, 0, plain)
	d.at++
	d.ok(plain)
	d.refused(msg.RejectRateLimited, int64(gap), 0, plain) // a refused message takes no token
	for range 20 {
		d.at += gap
		d.ok(plain)
		d.no(msg.RejectRateLimited, plain)
	}
	d.at += 3 * gap // three more, not five
	d.ok(plain, plain, plain)
	d.no(msg.RejectRateLimited, plain)
	d.at += day // the quota fills up to the burst, no further
	d.ok(plain, plain, plain, plain, plain)
	d.no(msg.RejectRateLimited, plain)

	d.ok(msg.Limit(2, 1, msg.Buy, 90, 1))                             // another account of the owner has its own
	d.ok(msg.Deposit(1, 1), msg.SetMark(1, 100), msg.SetMark(1, 101)) // the venue is not metered
	d.ok(msg.SetRule(0, msg.MessageRate, 0))
	for range 30 {
		d.ok(plain)
	}
}

// TestCancelRate holds that cancels have a quota of their own, four times as wide, which orders cannot starve.
func TestCancelRate(t *testing.T) { // W-46
	d := open(t)
	const gap = fixed.Second / 10
	id := d.order(msg.Limit(1, 1, msg.Buy, 90, 1))
	d.ok(msg.SetRule(0, msg.MessageBurst, 2), msg.SetRule(0, msg.MessageRate, 10))
	d.at += day
	plain := msg.Limit(1, 1, msg.Buy, 90, 1)
	d.ok(plain, plain)
	d.no(msg.RejectRateLimited, plain)
	d.ok(msg.Cancel(1, 1, id), msg.CancelAll(1, 1, msg.Sell))
	for range 6 {
		d.no(msg.RejectTooLate, msg.Cancel(1, 1, id)) // refused further on, and yet it takes a token
	}
	d.refused(msg.RejectRateLimited, int64(gap/4), 0, msg.Cancel(1, 1, id))
	d.refused(msg.RejectRateLimited, int64(gap/4), 0, msg.CancelAll(1, 0, 0))
	d.at += gap/4 - 1
	d.refused(msg.RejectRateLimited, 1, 0, msg.CancelAll(1, 0, 0))
	d.at++
	d.ok(msg.CancelAll(1, 0, 0))
	d.no(msg.RejectRateLimited, plain)
}

// TestRateTokens holds which messages take a token: all from whom may speak for the account, whatever they are told.
func TestRateTokens(t *testing.T) { // W-59
	for _, c := range []struct {
		name    string
		command msg.Command
		want    msg.Reject
		takes   bool
	}{
		{"format", msg.Limit(1, 1, msg.Buy, 90, 0), msg.RejectValueOutOfRange, false},
		{"no right", by(msg.Limit(1, 1, msg.Buy, 90, 1), 7, 0), msg.RejectNotPermitted, false},
		{"old id", by(msg.Limit(1, 1, msg.Buy, 90, 1), 0, 4), msg.RejectDuplicateClientID, true},
		{"no instrument", msg.Limit(1, 9, msg.Buy, 90, 1), msg.RejectUnknownInstrument, true},
		{"no margin", msg.Limit(1, 1, msg.Buy, 100, 1<<24), msg.RejectInsufficientMargin, true},
		{"no order", msg.Amend(1, 1, 1<<40, 90, 1), msg.RejectUnknownOrder, true},
	} {
		d := open(t)
		d.ok(by(msg.Limit(1, 1, msg.Buy, 90, 1), 0, 4), msg.SetRule(0, msg.MessageBurst, 1), msg.SetRule(0, msg.MessageRate, 1))
		d.at += day
		d.no(c.want, c.command)
		if got := d.do(msg.Limit(1, 1, msg.Buy, 90, 1)) == msg.RejectRateLimited; got != c.takes {
			t.Errorf("%s: took a token: %v, want %v", c.name, got, c.takes)
		}
	}
}

// TestSessionRights holds for whom a session may speak, from its opening to its end.
func TestSessionRights(t *testing.T) { // D-92, D-94
	d := open(t)
	mine, other := msg.Limit(1, 1, msg.Buy, 90, 1), msg.Limit(3, 1, msg.Buy, 90, 1)
	d.no(msg.RejectNotPermitted, by(mine, 1, 0)) // not open yet
	d.ok(msg.OpenSession(1, 2), by(mine, 1, 0), by(msg.Limit(2, 1, msg.Buy, 90, 1), 1, 0))
	d.no(msg.RejectNotPermitted, by(other, 1, 0), by(other, 255, 0), by(mine, 256, 0), by(mine, 2, 0))
	id := d.order(other)
	d.no(msg.RejectNotPermitted, by(msg.Cancel(3, 1, id), 1, 0), by(msg.Amend(3, 1, id, 90, 2), 1, 0), by(msg.CancelAll(3, 0, 0), 1, 0))
	d.no(msg.RejectUnknownOrder, by(msg.Cancel(1, 1, id), 1, 0)) // one's own name on another's order
	d.no(msg.RejectNotPermitted, by(msg.Deposit(1, 1), 1, 0), by(msg.Withdraw(1, 1), 1, 0), by(msg.Transfer(1, 2, 1), 1, 0),
		by(msg.SetMark(1, 100), 1, 0), by(msg.SetPhase(1, msg.Halted), 1, 0), by(msg.SetRule(1, msg.Band, 0), 1, 0), by(msg.Tick(), 1, 0),
		by(msg.SetEntry(1, 0, msg.Entry{Scope: msg.ScopeAccount, Action: msg.Unblock}), 1, 0), by(msg.OpenAccount(1, 2, 0), 1, 0))
	d.ok(msg.OpenSession(1, 3)) // fences who had it
	d.no(msg.RejectNotPermitted, by(mine, 1, 0))
	d.ok(by(other, 1, 0), msg.CloseSession(1))
	d.no(msg.RejectNotPermitted, by(other, 1, 0), by(msg.Limit(77, 1, msg.Buy, 90, 1), 1, 0))
	d.no(msg.RejectUnknownAccount, msg.OpenSession(1, 7), msg.OpenSession(1, 0), msg.Limit(77, 1, msg.Buy, 90, 1))
	d.ok(other)
}

// TestGroups holds an account to the groups in which it may trade.
func TestGroups(t *testing.T) { // G-11
	d := open(t)
	for group, id := range map[uint8]msg.InstrumentID{0: 2, 31: 3} {
		s := perpetual(id)
		s.Group = group
		d.list(s, 100)
		buy := msg.Limit(1, id, msg.Buy, 90, 2)
		d.ok(msg.OpenAccount(1, 2, 1<<group))
		kept := d.order(buy)
		d.ok(msg.OpenAccount(1, 2, ^uint32(1<<group)))
		d.no(msg.RejectNotPermitted, buy, msg.Amend(1, id, kept, 91, 1))
		d.ok(msg.Amend(1, id, kept, 90, 1), msg.Cancel(1, id, kept)) // to leave is never forbidden
	}
}

// TestKillSwitch turns each scope each way.
func TestKillSwitch(t *testing.T) { // W-45
	for _, c := range []struct {
		name  string
		scope msg.Scope
		entry func(msg.Action) msg.Command
		other msg.Command // an order that is out of the scope; none: everything is in it
	}{
		{"account", msg.ScopeAccount, func(a msg.Action) msg.Command {
			return msg.SetEntry(1, 0, msg.Entry{Scope: msg.ScopeAccount, Action: a})
		}, msg.Limit(2, 1, msg.Buy, 90, 1)},
		{"owner", msg.ScopeOwner, func(a msg.Action) msg.Command {
			return msg.SetEntry(0, 0, msg.Entry{Scope: msg.ScopeOwner, Action: a, Owner: 2})
		}, msg.Limit(3, 1, msg.Buy, 90, 1)},
		{"instrument", msg.ScopeInstrument, func(a msg.Action) msg.Command {
			return msg.SetEntry(0, 1, msg.Entry{Scope: msg.ScopeInstrument, Action: a})
		}, msg.Limit(1, 2, msg.Buy, 90, 1)},
		{"venue", msg.ScopeVenue, func(a msg.Action) msg.Command {
			return msg.SetEntry(0, 0, msg.Entry{Scope: msg.ScopeVenue, Action: a})
		}, msg.Command{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := open(t)
			d.list(perpetual(2), 100)
			d.hold(1, 10)
			buy, sell := msg.Limit(1, 1, msg.Buy, 90, 1), msg.Limit(1, 1, msg.Sell, 110, 1)
			kept := d.order(msg.Limit(1, 1, msg.Buy, 90, 5))
			outside := func() {
				t.Helper()
				if c.other.Kind != 0 {
					d.ok(c.other)
				}
			}

			d.ok(c.entry(msg.Block))
			d.no(msg.RejectEntryBlocked, buy, sell, msg.Market(1, 1, msg.Sell, 1, 0), with(msg.Place(1, 1, msg.Buy, 90, 1, msg.OrderExt{}), 0, msg.GTC),
				with(sell, msg.FlagReduceOnly, msg.GTC), msg.Amend(1, 1, kept, 91, 5))
			d.ok(msg.Amend(1, 1, kept, 90, 4)) // what rests may shrink, and go
			outside()

			d.ok(c.entry(msg.ReduceEntry))
			d.refused(msg.RejectAccountReduceOnly, 0, 0, buy)
			d.refused(msg.RejectAccountReduceOnly, 0, 0, msg.Limit(1, 1, msg.Sell, 110, 11))
			d.no(msg.RejectAccountReduceOnly, msg.Amend(1, 1, kept, 91, 4))
			half := d.order(msg.Limit(1, 1, msg.Sell, 110, 6))
			d.no(msg.RejectAccountReduceOnly, msg.Limit(1, 1, msg.Sell, 110, 5)) // 11 of 10 with the other
			d.ok(msg.Limit(1, 1, msg.Sell, 110, 4), with(msg.Limit(1, 1, msg.Sell, 110, 99), msg.FlagReduceOnly, msg.GTC), msg.Amend(1, 1, half, 111, 6))
			outside()

			d.ok(c.entry(msg.BlockAndCancel))
			if p, _ := d.Position(1, 1); p.Open != 0 {
				t.Errorf("%d orders are left", p.Open)
			}
			d.no(msg.RejectEntryBlocked, buy, sell)
			outside()

			d.ok(c.entry(msg.Unblock), buy, sell)
			d.no(msg.RejectValueOutOfRange, c.entry(0), c.entry(msg.Unblock+1))
		})
	}
	d := open(t)
	d.ok(msg.SetEntry(0, 0, msg.Entry{Scope: msg.ScopeVenue, Action: msg.ReduceEntry}), msg.SetEntry(1, 0, msg.Entry{Scope: msg.ScopeAccount, Action: msg.Block}))
	d.no(msg.RejectEntryBlocked, msg.Limit(1, 1, msg.Buy, 90, 1)) // of two turns the stricter one counts
	d.no(msg.RejectAccountReduceOnly, msg.Limit(2, 1, msg.Buy, 90, 1))
	d.no(msg.RejectUnknownAccount, msg.SetEntry(77, 0, msg.Entry{Scope: msg.ScopeAccount, Action: msg.Block}),
		msg.SetEntry(0, 0, msg.Entry{Scope: msg.ScopeOwner, Action: msg.Block, Owner: 7}))
	d.no(msg.RejectUnknownInstrument, msg.SetEntry(0, 9, msg.Entry{Scope: msg.ScopeInstrument, Action: msg.Block}))
	d.no(msg.RejectValueOutOfRange, msg.SetEntry(1, 1, msg.Entry{Scope: 0, Action: msg.Block}), msg.SetEntry(1, 1, msg.Entry{Scope: 5, Action: msg.Block}))
}

// TestClientID holds that a message is done once: its id must be above the last, and is used up by whatever passes the
// rights, refused further on or not.
func TestClientID(t *testing.T) { // D-36, W-59
	d := open(t)
	buy := msg.Limit(1, 1, msg.Buy, 90, 1)
	d.ok(msg.OpenSession(1, 2), msg.OpenSession(2, 2), by(buy, 1, 10))
	d.refused(msg.RejectDuplicateClientID, 10, 10, by(buy, 1, 10)) // a retry
	d.refused(msg.RejectDuplicateClientID, 10, 9, by(buy, 1, 9))
	d.ok(by(buy, 1, 11), by(buy, 2, 1), by(buy, 0, 5), by(buy, 1, 0), by(buy, 1, 0)) // each session counts for itself; 0 is none
	d.no(msg.RejectInsufficientMargin, by(msg.Limit(1, 1, msg.Buy, 100, 1<<24), 1, 20))
	d.refused(msg.RejectDuplicateClientID, 20, 20, by(buy, 1, 20)) // refused, and yet used up
	d.no(msg.RejectUnknownInstrument, by(msg.Limit(1, 9, msg.Buy, 90, 1), 1, 21))
	d.no(msg.RejectTooLate, by(msg.Cancel(1, 1, d.canceled()), 1, 22))
	d.refused(msg.RejectDuplicateClientID, 22, 22, by(msg.CancelAll(1, 0, 0), 1, 22))
	d.ok(by(msg.CancelAll(1, 0, msg.Sell), 1, 23))

	d.no(msg.RejectValueOutOfRange, by(msg.Limit(1, 1, msg.Buy, 90, -1), 1, 30)) // what does not get so far keeps its id
	d.no(msg.RejectNotPermitted, by(msg.Limit(3, 1, msg.Buy, 90, 1), 1, 30))
	d.ok(msg.SetEntry(1, 0, msg.Entry{Scope: msg.ScopeAccount, Action: msg.Block}))
	d.no(msg.RejectEntryBlocked, by(buy, 1, 29)) // used up all the same
	d.ok(msg.SetEntry(1, 0, msg.Entry{Scope: msg.ScopeAccount, Action: msg.Unblock}))
	d.refused(msg.RejectDuplicateClientID, 29, 29, by(buy, 1, 29))
	d.ok(by(buy, 1, 30))

	d.ok(msg.CloseSession(1), msg.OpenSession(1, 2)) // an id outlives its session's end
	d.refused(msg.RejectDuplicateClientID, 30, 30, by(buy, 1, 30))
	d.ok(by(buy, 1, 1<<63))
	d.no(msg.RejectDuplicateClientID, by(buy, 1, 1<<63-1))
	d.ok(by(buy, 1, 1<<64-1))
}

// canceled is the id of an order that is no more.
func (d *desk) canceled() msg.OrderID {
	id := d.order(msg.Limit(1, 1, msg.Buy, 90, 1))
	d.ok(msg.Cancel(1, 1, id))
	return id
}

// TestSteps holds price and quantity to their steps.
func TestSteps(t *testing.T) { // W-59
	d := open(t)
	d.ok(msg.SetRule(1, msg.PriceStep, 5), msg.SetRule(1, msg.QtyStep, 3))
	for _, c := range []struct {
		price fixed.Ticks
		qty   fixed.Lots
		want  msg.Reject
	}{{90, 3, 0}, {95, 6, 0}, {91, 3, msg.RejectOffTick}, {89, 3, msg.RejectOffTick}, {90, 2, msg.RejectOffLot}, {90, 4, msg.RejectOffLot},
		{91, 4, msg.RejectOffTick}} {
		if got := d.do(msg.Limit(1, 1, msg.Buy, c.price, c.qty)); got != c.want {
			t.Errorf("%d at %d: %q, want %q", c.qty, c.price, got.Name(), c.want.Name())
		}
	}
	d.refused(msg.RejectOffTick, 5, 91, msg.Limit(1, 1, msg.Buy, 91, 3))
	d.refused(msg.RejectOffLot, 3, 4, msg.Limit(1, 1, msg.Buy, 90, 4))
	id := d.order(msg.Limit(1, 1, msg.Buy, 85, 9))
	d.no(msg.RejectOffTick, msg.Amend(1, 1, id, 86, 9), msg.Market(1, 1, msg.Buy, 3, 101))
	d.no(msg.RejectOffLot, msg.Amend(1, 1, id, 85, 8), msg.Amend(1, 1, id, 80, 8), msg.Market(1, 1, msg.Buy, 4, 100))
	d.ok(msg.Amend(1, 1, id, 85, 6), msg.Amend(1, 1, id, 80, 12), msg.SetRule(1, msg.PriceStep, 0), msg.SetRule(1, msg.QtyStep, 0),
		msg.Limit(1, 1, msg.Buy, 91, 1))
}

// TestOrderSize holds an order to the largest quantity, and to notional between its bounds.
func TestOrderSize(t *testing.T) { // D-108
	d := open(t)
	d.ok(msg.SetRule(1, msg.MaxOrderQty, 50))
	d.ok(msg.Limit(1, 1, msg.Buy, 90, 50))
	d.refused(msg.RejectOrderSizeLimit, 50, 51, msg.Limit(1, 1, msg.Buy, 90, 51))
	d.no(msg.RejectOrderSizeLimit, msg.Market(1, 1, msg.Buy, 51, 0), with(msg.Limit(1, 1, msg.Buy, 90, 51), msg.FlagReduceOnly, msg.GTC))
	id := d.order(msg.Limit(1, 1, msg.Buy, 90, 1))
	d.no(msg.RejectOrderSizeLimit, msg.Amend(1, 1, id, 90, 51))
	d.ok(msg.Amend(1, 1, id, 90, 50), msg.SetRule(1, msg.MaxOrderQty, 0), msg.Limit(1, 1, msg.Buy, 90, 51))

	coin := int64(fixed.Coin)
	d.ok(msg.SetRule(1, msg.MaxOrderNotional, 900*coin), msg.SetRule(1, msg.MinOrderNotional, 90*coin))
	d.ok(msg.Limit(1, 1, msg.Buy, 90, 10), msg.Limit(1, 1, msg.Buy, 90, 1))
	d.refused(msg.RejectNotionalLimit, 900*coin, 910*coin, msg.Limit(1, 1, msg.Buy, 91, 10))
	d.refused(msg.RejectNotionalLimit, 90*coin, 89*coin, msg.Limit(1, 1, msg.Buy, 89, 1))
	d.ok(msg.SetRule(1, msg.MaxOrderNotional, 900*coin-1))
	d.refused(msg.RejectNotionalLimit, 900*coin-1, 900*coin, msg.Limit(1, 1, msg.Buy, 90, 10))
	d.ok(msg.SetRule(1, msg.MinOrderNotional, 90*coin+1))
	d.refused(msg.RejectNotionalLimit, 90*coin+1, 90*coin, msg.Limit(1, 1, msg.Buy, 90, 1))
	d.refused(msg.RejectNotionalLimit, 900*coin-1, 990*coin, msg.Market(1, 1, msg.Buy, 9, 0)) // at the price that protects it
}

// TestOverflow holds that a notional is refused which does not fit, and one that is beyond what a position may come to.
func TestOverflow(t *testing.T) { // A-23, D-108
	d := open(t)
	bound := fixed.Lots(1<<61/256) / fixed.Lots(100*fixed.Coin) // at 100, with 256 positions an account
	d.no(msg.RejectOverflow, msg.Limit(1, 1, msg.Buy, 100, bound+1), msg.Limit(1, 1, msg.Buy, 1<<55, 1<<55), msg.Limit(1, 1, msg.Sell, 1<<55, 1<<55))
	d.no(msg.RejectInsufficientMargin, msg.Limit(1, 1, msg.Buy, 100, bound))
	d.no(msg.RejectValueOutOfRange, msg.Limit(1, 1, msg.Buy, 1<<55+1, 1), msg.Limit(1, 1, msg.Buy, 1, 1<<55+1), msg.Limit(1, 1, msg.Buy, 1, 0),
		msg.Limit(1, 1, msg.Buy, 1, -1), msg.Limit(1, 1, msg.Buy, 0, 1), msg.Limit(1, 1, msg.Buy, -1, 1))
}

// TestOpenOrders holds an account to the number of its open orders in an instrument.
func TestOpenOrders(t *testing.T) { // M section 15
	d := open(t)
	d.list(perpetual(2), 100)
	d.ok(msg.SetRule(1, msg.MaxOpenOrders, 3))
	buy := msg.Limit(1, 1, msg.Buy, 90, 1)
	d.ok(buy, buy)
	third := d.order(buy)
	d.refused(msg.RejectOpenOrderLimit, 3, 4, buy)
	d.no(msg.RejectOpenOrderLimit, with(msg.Place(1, 1, msg.Sell, 110, 1, msg.OrderExt{Expire: d.at + 9}), 0, msg.GTD))
	d.ok(with(buy, 0, msg.IOC), msg.Market(1, 1, msg.Buy, 1, 0)) // which do not rest
	d.ok(msg.Amend(1, 1, third, 91, 2), msg.Limit(1, 2, msg.Buy, 90, 1), msg.Limit(2, 1, msg.Buy, 90, 1))
	d.ok(msg.Cancel(1, 1, third), buy)
	d.no(msg.RejectOpenOrderLimit, buy)
	d.ok(msg.SetRule(1, msg.MaxOpenOrders, 0), buy)
}

// TestPhases goes through the phases with each sort of order.
func TestPhases(t *testing.T) { // M-70
	for _, c := range []struct {
		phase           msg.Phase
		plain, reducing msg.Reject
	}{
		{msg.Closed, msg.RejectMarketHalted, msg.RejectMarketHalted},
		{msg.Continuous, 0, 0},
		{msg.ReduceOnly, msg.RejectMarketHalted, 0},
		{msg.Halted, msg.RejectMarketHalted, msg.RejectMarketHalted},
	} {
		d := open(t)
		d.hold(1, 10)
		kept := d.order(msg.Limit(1, 1, msg.Buy, 90, 5))
		d.ok(msg.SetPhase(1, c.phase))
		d.no(c.plain, msg.Limit(1, 1, msg.Buy, 90, 1), msg.Market(1, 1, msg.Buy, 1, 0), msg.Limit(1, 1, msg.Sell, 110, 11), msg.Amend(1, 1, kept, 91, 5))
		d.no(c.reducing, msg.Limit(1, 1, msg.Sell, 110, 2), with(msg.Limit(1, 1, msg.Sell, 110, 2), msg.FlagReduceOnly, msg.GTC), msg.Market(1, 1, msg.Sell, 1, 0))
		if c.phase == msg.ReduceOnly {
			d.no(msg.RejectWouldNotReduce, with(msg.Limit(1, 1, msg.Buy, 90, 2), msg.FlagReduceOnly, msg.GTC))
		}
		price := fixed.Ticks(90)
		if c.plain == 0 {
			price = 91
		}
		d.ok(msg.Amend(1, 1, kept, price, 1), msg.CancelAll(1, 0, 0)) // to leave is never forbidden
	}
	d := open(t)
	d.no(msg.RejectInvalidParameter, msg.SetPhase(1, 1), msg.SetPhase(1, msg.Halted+1)) // a call auction is not there yet
}

// TestNoMark holds that an order needs a mark, and that there is none before the first.
func TestNoMark(t *testing.T) { // M-34
	d := open(t)
	d.list(perpetual(2), 0)
	d.refused(msg.RejectNoMark, 0, 0, msg.Limit(1, 2, msg.Buy, 100, 1))
	d.no(msg.RejectNoMark, msg.Market(1, 2, msg.Sell, 1, 0))
	d.no(msg.RejectInvalidParameter, msg.SetMark(2, 0), msg.SetMark(2, -1))
	d.ok(msg.SetPhase(2, msg.Halted))
	d.no(msg.RejectMarketHalted, msg.Limit(1, 2, msg.Buy, 100, 1), msg.Market(1, 2, msg.Sell, 1, 0)) // which comes first
	d.ok(msg.SetPhase(2, msg.Continuous), msg.SetMark(2, 1), msg.Limit(1, 2, msg.Buy, 1, 1))
}

// TestBand walks both edges of the band, while the mark moves.
func TestBand(t *testing.T) { // M-73, D-108
	d := open(t)
	d.ok(msg.SetMark(1, 1000), msg.SetRule(1, msg.Band, int64(3*fixed.Percent)))
	for _, c := range []struct{ mark, low, high fixed.Ticks }{{1000, 970, 1030}, {1001, 971, 1031}, {999, 970, 1028}, {1000, 970, 1030}} {
		d.ok(msg.SetMark(1, c.mark))
		id := d.order(msg.Limit(1, 1, msg.Buy, c.high, 1))
		d.refused(msg.RejectPriceOutsideBand, int64(c.high), int64(c.high+1), msg.Limit(1, 1, msg.Buy, c.high+1, 1))
		d.no(msg.RejectPriceOutsideBand, msg.Amend(1, 1, id, c.high+1, 1))
		d.ok(msg.Cancel(1, 1, id), msg.Limit(1, 1, msg.Buy, 1, 1)) // a cheap buy is nobody's error
		id = d.order(msg.Limit(1, 1, msg.Sell, c.low, 1))
		d.refused(msg.RejectPriceOutsideBand, int64(c.low), int64(c.low-1), msg.Limit(1, 1, msg.Sell, c.low-1, 1))
		d.ok(msg.Cancel(1, 1, id), msg.Limit(1, 1, msg.Sell, 5000, 1), msg.CancelAll(1, 0, 0))
	}
	d.ok(msg.SetRule(1, msg.Band, 0), msg.Limit(1, 1, msg.Buy, 1031, 1))
}

// TestReduceOnly cuts an order to the position and refuses one that has nothing to reduce.
func TestReduceOnly(t *testing.T) { // MARGIN section 16
	d := open(t)
	reduce := func(side msg.Side, qty fixed.Lots) msg.Command {
		price := fixed.Ticks(90)
		if side == msg.Sell {
			price = 110
		}
		return with(msg.Limit(1, 1, side, price, qty), msg.FlagReduceOnly, msg.GTC)
	}
	d.refused(msg.RejectWouldNotReduce, 0, 5, reduce(msg.Buy, 5)) // flat
	d.no(msg.RejectWouldNotReduce, reduce(msg.Sell, 5))
	for _, lots := range []fixed.Lots{10, -20} { // long 10, then short 10
		d.hold(1, lots)
		side := msg.Sell
		if lots < 0 {
			side = msg.Buy
		}
		d.refused(msg.RejectWouldNotReduce, 0, 1, reduce(side.Opposite(), 1))
		for _, c := range []struct{ asked, got fixed.Lots }{{9, 9}, {10, 10}, {11, 10}, {1 << 20, 10}} {
			if d.order(reduce(side, c.asked)); d.last[0].Qty != c.got {
				t.Errorf("%d asked, %d taken in, want %d", c.asked, d.last[0].Qty, c.got)
			}
		}
		if p, _ := d.Position(1, 1); p.Buys != 0 || p.Sells != 0 || p.Initial != 100*fixed.Coin || p.Open != 4 {
			t.Errorf("reduce-only orders are in the exposure: %+v", p)
		}
		d.ok(msg.CancelAll(1, 0, 0))
	}
}

// TestPositionCap counts what all accounts of an owner hold and have open on the side.
func TestPositionCap(t *testing.T) { // M-71
	d := open(t)
	d.ok(msg.SetRule(1, msg.MaxPosition, 10))
	d.hold(1, 4)
	d.ok(msg.Limit(2, 1, msg.Buy, 90, 4)) // accounts 1 and 2 are one owner's: 8
	d.ok(msg.Limit(1, 1, msg.Sell, 110, 3))
	d.refused(msg.RejectPositionLimit, 10, 11, msg.Limit(1, 1, msg.Buy, 90, 3)) // the sell is no promise to sell
	id := d.order(msg.Limit(1, 1, msg.Buy, 90, 2))
	d.refused(msg.RejectPositionLimit, 10, 11, msg.Limit(2, 1, msg.Buy, 90, 1))
	d.refused(msg.RejectPositionLimit, 10, 11, msg.Amend(1, 1, id, 91, 3))
	d.ok(msg.Amend(1, 1, id, 91, 2))
	d.ok(msg.Limit(3, 1, msg.Buy, 90, 10)) // another owner

	d.refused(msg.RejectPositionLimit, 10, 11, msg.Limit(2, 1, msg.Sell, 110, 12)) // -4 held by all, less 3 open
	d.ok(msg.Limit(2, 1, msg.Sell, 110, 11))
	d.no(msg.RejectPositionLimit, msg.Limit(2, 1, msg.Sell, 110, 1))
	d.ok(msg.Limit(1, 1, msg.Sell, 110, 1)) // which only reduces account 1's 4
	d.ok(msg.SetRule(1, msg.MaxPosition, 1), with(msg.Limit(1, 1, msg.Sell, 110, 4), msg.FlagReduceOnly, msg.GTC))
	d.ok(msg.SetRule(1, msg.MaxPosition, 0), msg.Limit(1, 1, msg.Buy, 90, 100))
}

// TestInterestCap counts the lots that an order would open over all accounts.
func TestInterestCap(t *testing.T) { // M-71
	d := open(t)
	d.ok(msg.SetRule(1, msg.MaxOpenInterest, 10))
	d.hold(1, 8)
	d.ok(msg.Limit(3, 1, msg.Buy, 90, 2), msg.Limit(3, 1, msg.Sell, 110, 2))
	d.refused(msg.RejectOpenInterestLimit, 10, 11, msg.Limit(3, 1, msg.Buy, 90, 3))
	d.refused(msg.RejectOpenInterestLimit, 10, 11, msg.Limit(3, 1, msg.Sell, 110, 3))
	d.refused(msg.RejectOpenInterestLimit, 10, 11, msg.Limit(1, 1, msg.Sell, 110, 11)) // closes 8 and opens 3
	d.ok(msg.Limit(1, 1, msg.Sell, 110, 10))
	d.ok(msg.SetRule(1, msg.MaxOpenInterest, 1), msg.Limit(5, 1, msg.Buy, 90, 8)) // reducing is free
	d.no(msg.RejectOpenInterestLimit, msg.Limit(3, 1, msg.Buy, 90, 1))
}

// TestMargin holds admission to the unit of Money.
func TestMargin(t *testing.T) { // M-16, T-9
	for _, c := range []struct {
		equity fixed.Money
		want   msg.Reject
	}{{1000 * fixed.Coin, 0}, {1000*fixed.Coin - 1, msg.RejectInsufficientMargin}, {1000*fixed.Coin + 1, 0}} {
		d := open(t)
		d.ok(msg.Deposit(6, c.equity))
		if got := d.do(msg.Limit(6, 1, msg.Buy, 100, 100)); got != c.want { // initial 1,000
			t.Errorf("equity %s against 1,000: %q, want %q", c.equity, got.Name(), c.want.Name())
		}
		if c.want != 0 {
			if f := d.last[0].Refusal(); f.Limit != int64(c.equity) || f.Actual != int64(1000*fixed.Coin) {
				t.Errorf("%+v", f)
			}
		}
	}
	// Entry loss and fee count to the unit as well.
	d := open(t)
	d.ok(msg.SetFees(1, msg.Fees{Taker: fixed.Percent / 10}), msg.Deposit(6, 10_000_000+1_000_000+101_000-1))
	d.no(msg.RejectInsufficientMargin, msg.Limit(6, 1, msg.Buy, 101, 1))
	d.ok(msg.Deposit(6, 1), msg.Limit(6, 1, msg.Buy, 101, 1))
	d.no(msg.RejectInsufficientMargin, msg.Limit(6, 1, msg.Buy, 1, 1))
}

// TestReducingNeedsNoMargin lets an account with nothing free bring in what only reduces, and not a lot more.
func TestReducingNeedsNoMargin(t *testing.T) { // M-16
	d := open(t)
	d.ok(msg.Deposit(6, 100*fixed.Coin))
	d.hold(6, 10) // initial 100: nothing is free
	d.no(msg.RejectInsufficientMargin, msg.Limit(6, 1, msg.Buy, 100, 1))
	d.ok(msg.Limit(6, 1, msg.Sell, 101, 6), msg.Limit(6, 1, msg.Sell, 101, 4))
	d.ok(msg.Limit(6, 1, msg.Sell, 120, 10), msg.CancelAll(6, 0, 0)) // |10 - 20| lots are no more than 10
	d.no(msg.RejectInsufficientMargin, msg.Limit(6, 1, msg.Sell, 120, 21))
	d.ok(msg.Limit(6, 1, msg.Sell, 120, 20), msg.CancelAll(6, 0, 0))
	d.ok(msg.Limit(6, 1, msg.Sell, 1, 10)) // even far through the mark: what it costs is equity, and it only reduces
}

// TestUnderInitial holds the cases of the margin rules for an account whose equity is below its requirement.
func TestUnderInitial(t *testing.T) { // M-17, T-9
	for _, c := range []struct {
		name        string
		maintenance fixed.Rate  // of an instrument at 20 a lot
		deposit     int64       // coins; the position is long 1 from 40
		limit       fixed.Ticks // of a sell of it all
		want        msg.Reject
		from, to    int64 // equity before and after it
	}{
		{"(-2, 0) to (-1, 0)", 0, 18, 21, 0, -2, -1},
		{"(-1, 0) to (-1, 0)", 0, 19, 20, msg.RejectWouldWorsenHealth, -1, -1},
		{"(-2, 1) to (-1, 0)", 5 * fixed.Percent, 18, 21, msg.RejectWouldWorsenHealth, -2, -1},
		{"(-2, 1) to (0, 0)", 5 * fixed.Percent, 18, 22, 0, -2, 0},
		{"(1, 1) to (0, 0)", 5 * fixed.Percent, 21, 19, 0, 1, 0},
		{"(1, 1) to (-1, 0)", 5 * fixed.Percent, 21, 18, msg.RejectWouldWorsenHealth, 1, -1},
	} {
		d := open(t)
		s := perpetual(2)
		s.Initial, s.Maintenance = 20*fixed.Percent, c.maintenance
		s.Underlying = 1
		d.ok(msg.ListUnderlying(msg.Underlying{ID: 1, Sources: 2}))
		d.list(s, 40)
		d.ok(msg.Deposit(6, fixed.Money(c.deposit)*fixed.Coin), msg.Limit(5, 2, msg.Sell, 40, 1), msg.Limit(6, 2, msg.Buy, 40, 1))
		if c.from <= 0 {
			d.freeze() // or the fund would take it over
		}
		d.ok(msg.SetMark(2, 20))
		a, _ := d.Account(6)
		if a.Equity != fixed.Money(c.from)*fixed.Coin || a.Free >= 0 {
			t.Fatalf("%s: equity %s, free %s", c.name, a.Equity, a.Free)
		}
		if c.from > 0 { // it must reduce
			d.no(msg.RejectAccountReduceOnly, msg.Limit(6, 2, msg.Buy, 1, 1), msg.Limit(6, 2, msg.Sell, 21, 2))
		}
		d.refused(msg.RejectAccountReduceOnly, int64(a.Initial), int64(a.Equity), msg.Limit(6, 1, msg.Sell, 100, 1))
		if got := d.do(msg.Limit(6, 2, msg.Sell, c.limit, 1)); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got.Name(), c.want.Name())
		}
		if c.want != 0 {
			if f := d.last[0].Refusal(); f.Limit != c.from*int64(fixed.Coin) || f.Actual != c.to*int64(fixed.Coin) {
				t.Errorf("%s: %+v", c.name, f)
			}
		}
	}
}

// TestUnderInitialPaysTheFee counts the fee of the fill in what an order does to health.
func TestUnderInitialPaysTheFee(t *testing.T) { // M-17
	d := open(t)
	s := perpetual(2)
	s.Maintenance, s.Taker, s.Underlying = 0, fixed.Percent, 1
	d.ok(msg.ListUnderlying(msg.Underlying{ID: 1, Sources: 2}))
	d.list(s, 40)
	d.ok(msg.Deposit(6, 19*fixed.Coin), msg.Limit(5, 2, msg.Sell, 40, 1), msg.Limit(6, 2, msg.Buy, 40, 1))
	d.freeze()
	d.ok(msg.SetMark(2, 20))
	d.no(msg.RejectWouldWorsenHealth, msg.Limit(6, 2, msg.Sell, 20, 1))
	d.ok(msg.Limit(6, 2, msg.Sell, 21, 1)) // gains 1 and pays 0.21
}

// TestMarketOrder holds where a market order may trade: to the edge of the range or band, and not beyond its own bound.
func TestMarketOrder(t *testing.T) { // M-18
	for _, c := range []struct {
		name         string
		rule         msg.Rule
		value        fixed.Rate
		side         msg.Side
		protect      fixed.Ticks
		price, limit fixed.Ticks
	}{
		{"buy, range", msg.MarketRange, 10 * fixed.Percent, msg.Buy, 0, 110, 110},
		{"sell, range", msg.MarketRange, 10 * fixed.Percent, msg.Sell, 0, 90, 90},
		{"buy, band", msg.Band, 3 * fixed.Percent, msg.Buy, 0, 103, 103},
		{"sell, band", msg.Band, 3 * fixed.Percent, msg.Sell, 0, 97, 97},
		{"buy, bound", msg.Band, 3 * fixed.Percent, msg.Buy, 102, 102, 102},
		{"sell, bound", msg.Band, 3 * fixed.Percent, msg.Sell, 98, 98, 98},
		{"buy, bound beyond", msg.Band, 3 * fixed.Percent, msg.Buy, 150, 103, 103},
		{"sell, bound beyond", msg.Band, 3 * fixed.Percent, msg.Sell, 50, 97, 97},
	} {
		d := open(t)
		d.ok(msg.SetRule(1, c.rule, int64(c.value)))
		beyond := c.limit + 1
		if c.side == msg.Sell {
			beyond = c.limit - 1
		}
		rests := func(price fixed.Ticks) msg.OrderID {
			return d.order(msg.Limit(3, 1, c.side.Opposite(), price, 1))
		}
		at := rests(c.limit)
		rests(beyond)
		d.ok(msg.Market(1, 1, c.side, 5, c.protect))
		if d.last[0].Price != c.price || d.last[1].Order != at || d.last[len(d.last)-1].Reason != msg.CanceledRemainder || d.last[len(d.last)-1].Qty != 4 {
			t.Errorf("%s: %v", c.name, d.last)
		}
	}
}

// TestSpotFunds holds that a spot buy is paid in full and a spot sell has what it sells.
func TestSpotFunds(t *testing.T) {
	d := open(t)
	d.list(market.Spec{ID: 3, Type: msg.Spot, TickLot: fixed.Coin, Taker: fixed.Percent}, 50)
	d.ok(msg.Deposit(6, 505*fixed.Coin)) // ten at 50, and the fee
	d.no(msg.RejectInsufficientMargin, msg.Limit(6, 3, msg.Buy, 51, 10))
	id := d.order(msg.Limit(6, 3, msg.Buy, 50, 10))
	d.refused(msg.RejectInsufficientMargin, 0, 1_010_000, msg.Limit(6, 3, msg.Buy, 1, 1))
	d.ok(msg.Cancel(6, 3, id), msg.DepositAsset(6, 3, 8))

	d.refused(msg.RejectInsufficientFunds, 8, 9, msg.Limit(6, 3, msg.Sell, 60, 9))
	d.ok(msg.Limit(6, 3, msg.Sell, 60, 5))
	d.refused(msg.RejectInsufficientFunds, 3, 4, msg.Limit(6, 3, msg.Sell, 60, 4)) // five are promised
	d.no(msg.RejectInsufficientFunds, msg.Market(6, 3, msg.Sell, 4, 0), with(msg.Limit(6, 3, msg.Sell, 60, 4), msg.FlagReduceOnly, msg.GTC))
	d.no(msg.RejectWouldNotReduce, with(msg.Limit(6, 3, msg.Buy, 40, 1), msg.FlagReduceOnly, msg.GTC))
	d.ok(msg.Limit(6, 3, msg.Sell, 60, 3))
	d.no(msg.RejectInsufficientFunds, msg.WithdrawAsset(6, 3, 1))
	d.ok(msg.CancelAll(6, 0, 0), msg.WithdrawAsset(6, 3, 8))

	// A buyer pays with all he has, a seller gets it, less the fees.
	d.ok(msg.DepositAsset(5, 3, 10), msg.Limit(5, 3, msg.Sell, 50, 10), msg.Limit(6, 3, msg.Buy, 50, 10))
	a, _ := d.Account(6)
	p, _ := d.Position(6, 3)
	if a.Cash != 0 || p.Qty != 10 || a.Equity != 0 {
		t.Errorf("%+v %+v", a, p)
	}
}

// TestFormat goes over what a message may not say, whoever sends it.
func TestFormat(t *testing.T) { // W-59
	d := open(t)
	buy := msg.Limit(1, 1, msg.Buy, 90, 2)
	change := func(f func(*msg.Command)) msg.Command {
		c := buy
		f(&c)
		return c
	}
	place := func(tif msg.TIF, flags msg.Flags, ext msg.OrderExt) msg.Command {
		return with(msg.Place(1, 1, msg.Buy, 90, 2, ext), flags, tif)
	}
	d.no(msg.RejectReservedBits, change(func(c *msg.Command) { c.Flags = 1 << 4 }), change(func(c *msg.Command) { c.Flags = 1 << 14 }), change(func(c *msg.Command) { c.Flags = 1 << 15 }),
		change(func(c *msg.Command) { c.Flags, c.Qty = 1<<11, 0 }))
	d.no(msg.RejectValueOutOfRange,
		change(func(c *msg.Command) { c.Side = 0 }), change(func(c *msg.Command) { c.Side = 3 }), change(func(c *msg.Command) { c.STP = msg.STPNone + 1 }),
		change(func(c *msg.Command) { c.TIF = msg.GTD + 1 }), change(func(c *msg.Command) { c.TIF = msg.GTD }),
		change(func(c *msg.Command) { c.Flags = msg.FlagLeaves }), with(buy, msg.FlagPostOnly, msg.IOC), with(buy, msg.FlagSlide, msg.FOK),
		with(msg.Market(1, 1, msg.Buy, 1, 0), 0, msg.GTC), with(msg.Market(1, 1, msg.Buy, 1, 0), msg.FlagPostOnly, msg.IOC), msg.Market(1, 1, msg.Buy, 1, -1),
		place(msg.GTD, 0, msg.OrderExt{}), place(msg.GTD, 0, msg.OrderExt{Expire: d.at}), place(msg.GTC, 0, msg.OrderExt{Expire: d.at + 1}),
		place(msg.GTC, 0, msg.OrderExt{Min: 3}), place(msg.GTC, 0, msg.OrderExt{Min: -1}), place(msg.GTC, msg.FlagPostOnly, msg.OrderExt{Min: 1}),
		msg.Amend(1, 1, 1, 0, 1), msg.Amend(1, 1, 1, 1, 0), with(msg.Amend(1, 1, 1, 1, 1), msg.FlagReduceOnly, 0), msg.CancelAll(1, 1, 3))
	d.ok(buy, place(msg.GTD, 0, msg.OrderExt{Expire: d.at + 1}), place(msg.IOC, 0, msg.OrderExt{}), with(buy, msg.FlagPostOnly|msg.FlagSlide, msg.GTC))
}
