package engine

import (
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// foretell asks, and gives the answer.
func (d *desk) foretell(c msg.Command) msg.Event {
	d.t.Helper()
	for _, ev := range d.do(msg.AskMargin(c.Account, c.Instr, c.Side, c.Price, c.Qty)) {
		if ev.Kind == msg.MarginForecast || ev.Kind == msg.Rejected {
			return ev
		}
	}
	d.t.Fatalf("%s: no answer: %v", c.String(), d.last)
	return msg.Event{}
}

// TestForecastIsWhatHappens asks on random days what a limit order would do to margin, and then places it: what is refused is refused for that,
// what rests leaves what was said available; the largest order that is named passes the gate, and one a step larger does not. Asking changes
// nothing.
func TestForecastIsWhatHappens(t *testing.T) { // I-14, W-53, M-75
	asked, rested, refused, bounds := 0, 0, 0, 0
	for i, d := range []day{days[0], days[1], days[3], days[4], days[12]} {
		seed := xorshift(uint64(i)*0x9E3779B97F4A7C15 + 4711)
		t.Logf("%s: seed %#x", d.name, uint64(seed))
		tr, desk := newTrader(d, &seed), newDesk(t, d.limits)
		for _, c := range tr.opening() {
			desk.at = max(c.Time, desk.now)
			tr.see(&c, desk.do(c))
		}
		for range 6000 {
			c := tr.next()
			desk.at = max(c.Time, desk.now)
			if c.Kind != msg.KindLimit || c.Price == 0 || c.Flags != 0 || c.TIF != msg.GTC || c.Session != 0 || desk.house.Account(c.Account) == nil || desk.venue.MessageRate != 0 {
				tr.see(&c, desk.do(c))
				continue
			}
			c.Ref = 0
			desk.do(msg.Tick())
			desk.touch(c.Account)
			due, _ := desk.NextDue()
			restless := due <= desk.now // then the question lets left-over work go on
			seq, before := desk.seq, desk.Hash()
			said := desk.foretell(c)
			desk.Engine.seq = seq
			if !restless && desk.Hash() != before {
				t.Fatalf("%s: asking has changed something", c.String())
			}
			desk.Engine.seq = seq + 1
			if asked++; said.Kind == msg.Rejected {
				if desk.do(c); refusal(desk.last) == 0 {
					t.Fatalf("%s: refused to be asked about as %s, and accepted", c.String(), said.Reject.Name())
				}
				continue
			}
			f := said.Forecast()
			if in := &desk.instruments[c.Instr]; f.Most > 0 && in.Type != 0 {
				bounds++
				one := c
				if one.Qty = f.Most; !desk.Fork().passes(sequencedOn(desk.Engine, one)) {
					t.Fatalf("%s: %d lots are said to pass", c.String(), f.Most)
				}
				if one.Qty += in.QtyStep; desk.Fork().passes(sequencedOn(desk.Engine, one)) {
					t.Fatalf("%s: %d lots pass, and %d are said to be the most", c.String(), one.Qty, f.Most)
				}
			}
			crosses := desk.books[c.Instr].Crosses(c.Side, c.Price)
			events := desk.do(c)
			tr.see(&c, events)
			got := refusal(events)
			switch {
			case got != said.Reject && (said.Reject != 0 || got != msg.RejectTableFull && got != msg.RejectWouldCross):
				t.Fatalf("%s: %q was foretold, %q came", c.String(), said.Reject.Name(), got.Name())
			case got != 0:
				refused++
			case !crosses && len(events) == 1:
				rested++
				// where initial margin rises with open interest an order is admitted on what it is once it has been filled (M-16)
				others := desk.instruments[c.Instr].Asks&market.AskOthers != 0
				if a, _ := desk.Account(c.Account); a.Initial > f.Initial || !others && (a.Initial != f.Initial || a.Equity-a.Initial != f.Available) {
					t.Fatalf("%s: initial %s, available %s were foretold, %s and %s came", c.String(), f.Initial, f.Available, a.Initial, a.Equity-a.Initial)
				}
			}
		}
	}
	if asked < 1500 || rested < 700 || refused < 300 || bounds < 500 {
		t.Errorf("%d asked, %d rested, %d were refused, %d bounds: it shows little", asked, rested, refused, bounds)
	}
}

// sequencedOn is a command as the next one of an engine.
func sequencedOn(e *Engine, c msg.Command) *msg.Command {
	c.Seq, c.Time = e.seq+1, e.now
	return &c
}

// TestForecastFilled holds maintenance and liquidation price of an order that is filled in full at its limit to what they are then.
func TestForecastFilled(t *testing.T) {
	d := crowded(t, Limits{Instruments: 2, Accounts: 9, Orders: 200, Events: 256})
	d.ok(msg.Limit(2, 1, msg.Sell, 100, 5000))
	for _, lots := range []fixed.Lots{1, 10, 1000} {
		said := d.foretell(msg.Limit(1, 1, msg.Buy, 100, lots))
		f := said.Forecast()
		d.ok(msg.Limit(1, 1, msg.Buy, 100, lots))
		a, _ := d.Account(1)
		prices, _ := d.Prices(1, 1)
		if a.Maintenance != f.Maintenance || prices.Liquidation != f.Liquidation {
			t.Errorf("%d lots: maintenance %s, liquidation %d were foretold, %s and %d came", lots, f.Maintenance, f.Liquidation, a.Maintenance, prices.Liquidation)
		}
	}
	if said := d.foretell(msg.Market(1, 1, msg.Buy, 5, 0)); said.Reject != 0 || said.Forecast().Most == 0 {
		t.Errorf("%s", &said)
	}
	if said := d.foretell(msg.Limit(1, 9, msg.Buy, 100, 5)); said.Reject != msg.RejectUnknownInstrument || said.Kind != msg.Rejected {
		t.Errorf("%s", &said)
	}
	if said := d.foretell(msg.Limit(9, 9, 3, 100, 5)); said.Reject != msg.RejectValueOutOfRange { // before anybody is asked about (W-59)
		t.Errorf("%s", &said)
	}
	if said := d.foretell(msg.Limit(1, 1, 3, 100, 5)); said.Reject != msg.RejectValueOutOfRange {
		t.Errorf("%s", &said)
	}
	d.ok(msg.SetEntry(1, 0, msg.Entry{Scope: msg.ScopeAccount, Action: msg.Block}))
	if said := d.foretell(msg.Limit(1, 1, msg.Buy, 100, 5)); said.Kind != msg.MarginForecast || said.Reject != msg.RejectEntryBlocked || said.Forecast().Most != 0 {
		t.Errorf("%s", &said)
	}
}

// TestAskOrders lists no order, one, as many as a command states, and many more: each once, the latest first, one of them the last; those
// that go in between are not in it, nor those that come.
func TestAskOrders(t *testing.T) { // A-16, W-20
	for _, count := range []int{0, 1, listMax, listMax + 1, 700} {
		d, one, _ := membership(t)
		for i := range count {
			one.takes(msg.Limit(1, msg.InstrumentID(1+i%2), msg.Buy, 90, 1))
		}
		server := d.server(11)
		events := append([]msg.Event(nil), one.takes(msg.AskOrders(1))...)
		asked := one.ref
		if events[1].Kind != msg.OrderStated || events[1].Standing().Request != asked {
			t.Fatalf("%d orders: the first answer is %s", count, &events[1])
		}
		if count == 700 {
			one.refuses(msg.RejectRateLimited, msg.AskOrders(1))
			if back := restored(t, d.limits, image(d.Engine)); back.Hash() != d.Hash() {
				t.Error("restored it is another")
			}
			events = append(events, d.last...)
			one.takes(msg.Limit(1, 1, msg.Buy, 80, 1)) // it comes too late
			events = append(events, d.last...)
		}
		for tries := 0; d.jobs.count > 0; tries++ {
			d.ok(msg.Tick())
			if events = append(events, d.last...); tries > 20 {
				t.Fatal("it does not end")
			}
		}
		stated, last, latest := 0, 0, msg.Ref(1<<62)
		for i := range events {
			ev := &events[i]
			if ev.Kind != msg.OrderStated {
				continue
			}
			if ev.Order != 0 {
				if stated++; ev.Ref >= latest {
					t.Errorf("%s behind one of %d", ev, latest)
				}
				latest = ev.Ref
			}
			if !ev.Standing().More {
				last++
			}
		}
		if stated != count || last != 1 || d.server(11)-server < uint64(max(count, 1)) {
			t.Errorf("%d orders: %d are stated, %d say that they are the last", count, stated, last)
		}
	}

	d, one, _ := membership(t)
	for range 300 {
		one.takes(msg.Limit(1, 1, msg.Buy, 90, 1))
	}
	events := append([]msg.Event(nil), one.takes(msg.AskOrders(1))...)
	d.ok(msg.SetEntry(1, 0, msg.Entry{Scope: msg.ScopeAccount, Action: msg.BlockAndCancel})) // goes first: what is left to list is gone
	events = append(events, d.last...)
	for d.jobs.count > 0 {
		d.ok(msg.Tick())
		events = append(events, d.last...)
	}
	last := 0
	for i := range events {
		if ev := &events[i]; ev.Kind == msg.OrderStated && !ev.Standing().More {
			last++
		}
	}
	if d.OpenOrders() != 0 || last != 1 {
		t.Errorf("%d orders rest, and %d say that they are the last", d.OpenOrders(), last)
	}
}

// TestListsKeepNoCancelBack lets accounts ask for many orders: mass cancels are done before their lists, and have half of the places.
func TestListsKeepNoCancelBack(t *testing.T) { // W-46
	d := newDesk(t, Limits{Instruments: 2, Accounts: 9, Orders: 1 << 14, Events: 256, Jobs: 4})
	d.list(perpetual(1), 100)
	for id := msg.AccountID(1); id <= 5; id++ {
		d.ok(msg.Deposit(id, 10_000_000*fixed.Coin))
		for n := 0; n < 1500 && (n < 20 || id < 4); n++ {
			d.ok(msg.Limit(id, 1, msg.Buy, 70, 1))
		}
	}
	d.ok(msg.AskOrders(1), msg.AskOrders(2))
	d.refused(msg.RejectTableFull, msg.AskOrders(3))
	open := d.OpenOrders()
	if d.ok(msg.CancelAll(4, 0, 0)); d.count(msg.MassCanceled) != 1 || d.OpenOrders() != open-20 {
		t.Errorf("%d of 20 orders are out", open-d.OpenOrders())
	}
	if has, _ := d.jobs.lists(1); !has {
		t.Error("the list was done before")
	}
	d.ok(msg.CancelAll(5, 0, 0))
	stated := 0
	for tries := 0; d.jobs.count > 0; tries++ {
		if back := restored(t, d.limits, image(d.Engine)); back.Hash() != d.Hash() || tries > 200 {
			t.Fatal("restored it is another, or it does not end")
		}
		d.ok(msg.Tick())
		stated += d.count(msg.OrderStated)
	}
	if stated < 2000 {
		t.Errorf("%d orders are stated", stated)
	}
	d.sound()
}
