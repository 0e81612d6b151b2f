package engine

import (
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// protected is a desk on which account 1 quotes in two instruments, in a group with limits. A lot of either is a tenth of a unit.
func protected(t *testing.T, p msg.Protection) *desk {
	t.Helper()
	d := crowded(t, Limits{Instruments: 2, Accounts: 9, Orders: 2000, Events: 256})
	d.at = fixed.Hour
	p.Group = 7
	d.ok(msg.SetProtection(1, p))
	d.requote()
	return d
}

// requote quotes 9 lots on either side of both instruments.
func (d *desk) requote() (answers []msg.Event) {
	for _, c := range quotes(1, two(90, 110, 9), two(90, 110, 9)) {
		c.Rare[2] |= 7 << 16
		answers = append(answers, acks(d.do(c))...)
	}
	return answers
}

// hit sells lots into the quote of an instrument.
func (d *desk) hit(instr msg.InstrumentID, side msg.Side, lots fixed.Lots) []msg.Event {
	price := fixed.Ticks(90)
	if side == msg.Buy {
		price = 110
	}
	d.ok(with(msg.Limit(2, instr, side, price, lots), 0, msg.IOC))
	return d.last
}

// unit is how many billionths of a unit a lot is here.
func (d *desk) unit() int64 { return billion / max(int64(d.instruments[1].UnitLots), 1) }

// TestProtectionLimits trades one lot less than a limit, as much, and one more, by quantity and by what is bought less sold.
func TestProtectionLimits(t *testing.T) { // D-108
	for _, c := range []struct {
		name       string
		qty, delta int64 // in lots
		hits       []fixed.Lots
		trips      int // with which hit, from 1 on; 0: none
	}{
		{"one below", 6, 0, []fixed.Lots{5}, 0},
		{"reached", 6, 0, []fixed.Lots{6}, 1},
		{"one above", 6, 0, []fixed.Lots{7}, 1},
		{"reached by the second", 6, 0, []fixed.Lots{5, 1}, 2},
		{"either side counts", 6, 0, []fixed.Lots{3, -2, 1}, 3},
		{"delta: one below", 0, 4, []fixed.Lots{3}, 0},
		{"delta: reached", 0, 4, []fixed.Lots{4}, 1},
		{"delta: what is sold makes up for it", 0, 4, []fixed.Lots{3, -3, 3, -3, 3, -3}, 0},
		{"delta: short", 0, 4, []fixed.Lots{3, -3, -3, -1}, 4},
		{"both", 8, 4, []fixed.Lots{3, -3, 2}, 3},
	} {
		d := protected(t, msg.Protection{Qty: 1 << 50, Window: fixed.Second})
		unit := d.unit()
		d.ok(msg.SetProtection(1, msg.Protection{Group: 7, Qty: c.qty * unit, Delta: c.delta * unit, Window: fixed.Second}))
		tripped := 0
		for i, lots := range c.hits {
			side := msg.Sell
			if lots < 0 {
				side, lots = msg.Buy, -lots
			}
			d.requote()
			if d.hit(msg.InstrumentID(1+i%2), side, lots); d.count(msg.ProtectionTripped) > 0 && tripped == 0 {
				tripped = i + 1
			}
		}
		if tripped != c.trips {
			t.Errorf("%s: it trips with hit %d, want %d", c.name, tripped, c.trips)
		}
		if rest := d.resting(0); (rest == 0) != (c.trips != 0) {
			t.Errorf("%s: %d orders rest", c.name, rest)
		}
		d.sound()
	}
}

// TestProtectionWindow counts a trade for the window at least and an eighth longer at most.
func TestProtectionWindow(t *testing.T) {
	for _, c := range []struct {
		after fixed.Nanos
		trips bool
	}{{0, true}, {fixed.Second, true}, {fixed.Second + fixed.Second/8 - 1, true}, {fixed.Second + fixed.Second/8, false}, {fixed.Hour, false}} {
		d := protected(t, msg.Protection{Qty: 1 << 50, Window: fixed.Second})
		d.ok(msg.SetProtection(1, msg.Protection{Group: 7, Qty: 6 * d.unit(), Window: fixed.Second}))
		d.requote()
		d.hit(1, msg.Sell, 5)
		d.at += c.after
		d.requote()
		if d.hit(1, msg.Sell, 1); d.count(msg.ProtectionTripped) == 1 != c.trips {
			t.Errorf("%v later: it trips %v", c.after, !c.trips)
		}
	}
}

// TestProtectionTrips takes out all quotes of the group, in every instrument, with the command that brought the trade, and no other order;
// then none comes in until the freeze is over, or the limits are set again.
func TestProtectionTrips(t *testing.T) { // D-108
	for _, freeze := range []fixed.Nanos{0, 5 * fixed.Second} {
		d := protected(t, msg.Protection{Qty: 1 << 50, Window: fixed.Second})
		unit := d.unit()
		d.ok(msg.SetProtection(1, msg.Protection{Group: 7, Qty: 5 * unit, Window: fixed.Second, Freeze: freeze}))
		own := d.order(msg.Limit(1, 1, msg.Buy, 80, 1))
		events := d.hit(2, msg.Sell, 6)
		var told msg.Event
		canceled := 0
		for i := range events {
			switch ev := &events[i]; {
			case ev.Kind == msg.ProtectionTripped:
				told = *ev
			case ev.Kind == msg.Canceled && ev.Reason == msg.CanceledByProtection:
				canceled++
			}
		}
		until := d.at + freeze
		if freeze == 0 {
			until = 0
		}
		if canceled != 4 || told.Instr != 2 || told.Account != 1 || told.Trip() != (msg.Trip{Traded: 6 * unit, Until: until, Group: 7}) || !told.Reports() {
			t.Errorf("%d canceled, %s", canceled, &told)
		}
		if d.store.Find(own) == 0 || d.resting(0) != 1 {
			t.Error("an order of another kind has gone, or one of the quote has not")
		}
		for _, ev := range d.requote() {
			if a := ev.QuoteAnswer(); a.BidNo != msg.RejectMmpFrozen || a.AskNo != msg.RejectMmpFrozen || ev.Order != 0 {
				t.Errorf("%s", &ev)
			}
		}
		if _, frozen, ok := d.Protection(1, 7); !ok || frozen == 0 {
			t.Error("it is not frozen")
		}
		back := restored(t, d.limits, image(d.Engine))
		if back.Hash() != d.Hash() {
			t.Error("restored it is another")
		}
		if freeze != 0 {
			d.at += freeze - 1
			if d.requote()[0].QuoteAnswer().BidNo != msg.RejectMmpFrozen {
				t.Error("it thaws too early")
			}
			d.at++
		} else {
			d.at += fixed.Day
			if d.requote()[0].QuoteAnswer().BidNo != msg.RejectMmpFrozen {
				t.Error("it thaws by itself")
			}
			d.ok(msg.SetProtection(1, msg.Protection{Group: 7, Qty: 5 * unit, Window: fixed.Second}))
		}
		if d.requote()[0].Order == 0 {
			t.Error("it does not thaw")
		}
		d.sound()
	}
}

// TestProtectionOfManyQuotes trips a group with more orders beside it than one command looks at, while mass cancels of others fill the queue: it
// goes before them, nothing comes in meanwhile, and it survives a snapshot in the middle.
func TestProtectionOfManyQuotes(t *testing.T) {
	d := newDesk(t, Limits{Instruments: 2, Accounts: 9, Orders: 1 << 14, Events: 256, Jobs: 1})
	d.list(perpetual(1), 100)
	d.list(perpetual(2), 100)
	for id := msg.AccountID(1); id <= 3; id++ {
		d.ok(msg.Deposit(id, 10_000_000*fixed.Coin))
	}
	d.ok(msg.SetProtection(1, msg.Protection{Group: 7, Qty: 1, Window: fixed.Second}))
	d.requote()
	for range 700 {
		d.ok(msg.Limit(1, 1, msg.Buy, 70, 1), msg.Limit(3, 1, msg.Buy, 60, 1))
	}
	d.ok(msg.CancelAll(3, 0, 0)) // it has the one place
	d.hit(1, msg.Sell, 1)
	if d.count(msg.ProtectionTripped) != 1 || d.jobs.at(0).reason != msg.CanceledByProtection {
		t.Fatalf("%v", d.last)
	}
	for tries := 0; ; tries++ {
		bid, ask := d.Quote(1, 2)
		if bid|ask == 0 {
			break
		}
		if back := restored(t, d.limits, image(d.Engine)); back.Hash() != d.Hash() || tries > 10 {
			t.Fatal("restored it is another, or it does not end")
		}
		d.ok(msg.Tick())
	}
	d.sound()
}

// TestProtectionIsBounded holds what limits there can be, and how many groups.
func TestProtectionIsBounded(t *testing.T) {
	d, one, three := membership(t)
	good := msg.Protection{Group: 1, Qty: 5, Window: fixed.Second}
	for _, bad := range []func(*msg.Protection){
		func(p *msg.Protection) { p.Group = 0 }, func(p *msg.Protection) { p.Qty = 0 }, func(p *msg.Protection) { p.Qty = -1 },
		func(p *msg.Protection) { p.Delta = -1 }, func(p *msg.Protection) { p.Window = -1 }, func(p *msg.Protection) { p.Window = windowMax + 1 },
		func(p *msg.Protection) { p.Freeze = -1 }, func(p *msg.Protection) { p.Freeze = freezeMax + 1 },
	} {
		p := good
		bad(&p)
		one.refuses(msg.RejectValueOutOfRange, msg.SetProtection(1, p))
	}
	three.refuses(msg.RejectNotPermitted, msg.SetProtection(1, good))
	three.refuses(msg.RejectValueOutOfRange, msg.SetProtection(1, msg.Protection{Group: 1, Window: fixed.Second})) // its form is looked at first (W-59)
	one.takes(msg.SetProtection(1, msg.Protection{Group: 9}))                                                      // nothing is there, and nothing comes to be
	for g := uint16(1); g <= guardsPerOwner; g++ {
		good.Group = g
		one.takes(msg.SetProtection(1, good))
	}
	good.Group++
	one.refuses(msg.RejectTableFull, msg.SetProtection(1, good))
	three.takes(msg.SetProtection(3, good))
	one.takes(msg.SetProtection(1, msg.Protection{Group: 5}))
	one.takes(msg.SetProtection(1, good))
	if _, _, ok := d.Protection(1, 5); ok || d.guards.live != guardsPerOwner+1 {
		t.Errorf("%d groups", d.guards.live)
	}
	q := two(90, 110, 1)
	q.Group = 5
	list := acks(one.say(quotes(1, q)))
	if list[0].QuoteAnswer().BidNo != msg.RejectInvalidParameter { // a group that is not protected is none
		t.Errorf("%s", &list[0])
	}
}

// TestProtectionBeforeTheCommand lets left-over work trip a group, a liquidation that sells into its quote: the quotes go before the command that has
// let it, whatever that says of the group.
func TestProtectionBeforeTheCommand(t *testing.T) { // M-48, D-108
	good := msg.Protection{Group: 7, Qty: 1, Window: fixed.Second, Freeze: fixed.Second}
	again := quotes(1, two(88, 110, 1))[0]
	again.Rare[2] |= 7 << 16
	for _, c := range []msg.Command{msg.Tick(), msg.SetProtection(1, msg.Protection{Group: 7}), msg.SetProtection(1, good), again, msg.Limit(5, 2, msg.Buy, 90, 1)} {
		d := held(t, 1450*fixed.Coin)
		d.ok(msg.SetMark(1, 89))
		d.stands(5, msg.RungLiquidating)
		d.ok(msg.SetProtection(1, good))
		q := two(89, 110, 1)
		q.Group = 7
		d.do(quotes(1, q)[0])
		if d.resting(0) != 2 || d.count(msg.Traded) != 0 {
			t.Fatalf("%v", d.last)
		}
		d.at += fixed.Second
		events := d.do(c)
		trip, gone, answer := -1, -1, len(events)
		for i := range events {
			switch ev := &events[i]; {
			case ev.Kind == msg.ProtectionTripped:
				trip = i
			case ev.Kind == msg.Canceled && ev.Reason == msg.CanceledByProtection:
				gone = i
			case ev.Kind == msg.ProtectionSet || ev.Kind == msg.QuoteAnswered || ev.Kind == msg.Rejected:
				answer = i
			}
		}
		if trip < 0 || gone < trip || gone > answer {
			t.Errorf("%s: tripped by event %d, the other side goes with %d, it is answered by %d", c.String(), trip, gone, answer)
		}
		if c.Kind == msg.KindQuote && events[answer].QuoteAnswer().BidNo != msg.RejectMmpFrozen {
			t.Errorf("%s", &events[answer])
		}
		if _, until, ok := d.Protection(1, 7); c.Kind == msg.KindSetProtection && (until != 0 || ok != (c.Protection().Window > 0)) {
			t.Errorf("%s: it is frozen until %d", c.String(), until)
		}
		d.sound()
	}
}

// TestProtectionWithinAnEntry trips a group by the first side of an entry: the other one does not come in.
func TestProtectionWithinAnEntry(t *testing.T) { // D-108
	d := protected(t, msg.Protection{Qty: 1 << 50, Window: fixed.Second})
	d.ok(msg.SetProtection(1, msg.Protection{Group: 7, Qty: 1, Window: fixed.Second, Freeze: fixed.Second}))
	d.ok(msg.Limit(2, 1, msg.Buy, 100, 1), msg.Limit(2, 1, msg.Sell, 101, 1))
	q := two(101, 111, 9) // buys what is offered
	q.Group = 7
	list := acks(d.do(quotes(1, q)[0]))
	if a := list[0].QuoteAnswer(); list[0].Order == 0 || a.BidNo != 0 || a.AskNo != msg.RejectMmpFrozen || a.Ask != 0 || d.count(msg.ProtectionTripped) != 1 {
		t.Errorf("%s", &list[0])
	}
	d.sound()
}

// TestProtectionKeepsNoKillOut lets a group trip while mass cancels of others have all places: its owner's kill switch has one all the same.
func TestProtectionKeepsNoKillOut(t *testing.T) { // W-45
	d := newDesk(t, Limits{Instruments: 2, Accounts: 9, Orders: 1 << 14, Events: 256, Jobs: 1})
	d.list(perpetual(1), 100)
	d.list(perpetual(2), 100)
	for id := msg.AccountID(1); id <= 3; id++ {
		d.ok(msg.Deposit(id, 10_000_000*fixed.Coin))
	}
	d.ok(msg.SetKey(keyOf(1, msg.RoleTrader, 1)), msg.SetProtection(1, msg.Protection{Group: 7, Qty: 1, Window: fixed.Second}))
	one := d.logon(11, 1, msg.OrderEntry, nil)
	d.requote()
	for range 1500 {
		d.ok(msg.Limit(1, 1, msg.Buy, 70, 1), msg.Limit(3, 1, msg.Buy, 60, 1))
	}
	d.ok(msg.CancelAll(3, 0, 0)) // it has the one place
	d.hit(1, msg.Sell, 1)
	if !d.jobs.full() || d.jobs.at(0).reason != msg.CanceledByProtection {
		t.Fatal("the group has tripped, and nothing is under way")
	}
	one.takes(msg.SetEntry(1, 0, msg.Entry{Scope: msg.ScopeAccount, Action: msg.BlockAndCancel}))
	one.refuses(msg.RejectTableFull, msg.SetEntry(1, 0, msg.Entry{Scope: msg.ScopeAccount, Action: msg.BlockAndCancel}))
	d.sound()
}

// TestProtectionOfAmendedQuotes amends a side of a quote, in its place and away from it, and as a taker: it stays in its group.
func TestProtectionOfAmendedQuotes(t *testing.T) { // D-108
	for _, c := range []struct {
		name  string
		price fixed.Ticks
		lots  fixed.Lots
		meets bool // an offer, at once
	}{{"fewer lots", 90, 5, false}, {"another price", 91, 9, false}, {"it trades as it comes", 100, 9, true}} {
		d := protected(t, msg.Protection{Qty: 1 << 50, Window: fixed.Second})
		d.ok(msg.SetProtection(1, msg.Protection{Group: 7, Qty: 1, Window: fixed.Second}))
		d.ok(msg.Limit(2, 1, msg.Sell, 100, 1))
		bid, _ := d.Quote(1, 1)
		d.ok(msg.Amend(1, 1, bid, c.price, c.lots))
		if trips := d.count(msg.ProtectionTripped); c.meets != (trips == 1) {
			t.Fatalf("%s: it trips %d times with the amend", c.name, trips)
		}
		if !c.meets {
			if now, _ := d.Quote(1, 1); now != bid {
				t.Errorf("%s: the bid is %v, it was %v", c.name, now, bid)
			}
			d.ok(with(msg.Limit(2, 1, msg.Sell, 90, 1), 0, msg.IOC))
			if d.count(msg.Traded) != 2 || d.count(msg.ProtectionTripped) != 1 {
				t.Errorf("%s: %v", c.name, d.last)
			}
		}
		if b, a := d.Quote(1, 1); b|a != 0 {
			t.Errorf("%s: %v and %v are still quoted", c.name, b, a)
		}
		d.sound()
	}
}

// TestProtectionThatWaits trips two groups while mass cancels of others have all places: the second waits for the first, over a snapshot too, and
// then tells of the trade and the session that it was, as if it had not; of none where another one has its row by then.
func TestProtectionThatWaits(t *testing.T) { // A-16, W-20
	for _, session := range []msg.SessionID{11, 0} {
		d := newDesk(t, Limits{Instruments: 2, Accounts: 9, Orders: 1 << 14, Events: 256, Jobs: 1})
		d.list(perpetual(1), 100)
		d.list(perpetual(2), 100)
		for id := msg.AccountID(1); id <= 3; id++ {
			d.ok(msg.Deposit(id, 10_000_000*fixed.Coin))
		}
		d.ok(msg.SetKey(keyOf(1, msg.RoleTrader, 1)))
		one := d.logon(11, 1, msg.OrderEntry, nil)
		for i, q := range quotes(1, two(90, 110, 9), two(90, 110, 9)) {
			d.ok(msg.SetProtection(1, msg.Protection{Group: uint16(7 + i), Qty: 1, Window: fixed.Second, Freeze: fixed.Second}))
			q.Rare[2] = 1<<8 | uint64(7+i)<<16
			one.say([]msg.Command{q})
		}
		for range 1500 {
			d.ok(msg.Limit(1, 1, msg.Buy, 70, 1), msg.Limit(3, 1, msg.Buy, 60, 1))
		}
		d.ok(msg.CancelAll(3, 0, 0)) // it has the one place
		d.hit(1, msg.Sell, 1)
		d.hit(2, msg.Sell, 1)
		if d.count(msg.ProtectionTripped) != 0 {
			t.Fatal("the second does not wait")
		}
		if session == 0 {
			d.ok(msg.Finalize(11))
			d.again(11, 1, msg.OrderEntry, nil)
		}
		for tries := 0; d.count(msg.ProtectionTripped) == 0; tries++ {
			back := restored(t, d.limits, image(d.Engine))
			if back.Hash() != d.Hash() || tries > 40 {
				t.Fatal("restored it is another, or it does not end")
			}
			d.ok(msg.Tick())
		}
		if ev := d.first(msg.ProtectionTripped); ev.Session != session || ev.Instr != 2 || ev.Account != 1 || ev.Trip().Group != 8 || ev.Trip().Traded != d.unit() {
			t.Errorf("%s", ev)
		}
		d.sound()
	}
}
