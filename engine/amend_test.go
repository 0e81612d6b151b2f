package engine

import (
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// TestAmendAndPlace holds which amends keep their place in the queue: fewer lots at the same price, and nothing else.
func TestAmendAndPlace(t *testing.T) { // W-50
	for _, c := range []struct {
		name  string
		price fixed.Ticks
		qty   fixed.Lots
		kept  bool
	}{
		{"fewer lots", 100, 9, true},
		{"one lot", 100, 1, true},
		{"as many lots", 100, 10, false},
		{"more lots", 100, 11, false},
		{"fewer lots, better price", 101, 5, false},
		{"fewer lots, worse price", 99, 5, false},
	} {
		for _, partly := range []fixed.Lots{0, 4} { // filled before it
			d := crowded(t, Limits{Instruments: 2, Accounts: 9})
			first := d.order(msg.Limit(1, 1, msg.Buy, 100, 10+partly))
			second := d.order(msg.Limit(2, 1, msg.Buy, c.price, 10))
			if partly > 0 {
				d.ok(msg.Limit(3, 1, msg.Sell, 100, partly))
				if c.price == 101 { // the better one was met
					continue
				}
			}
			d.ok(msg.Amend(1, 1, first, c.price, c.qty+partly)) // the total, filled lots included
			if e := d.last[0]; e.Kind != msg.Amended || e.Change().Kept != c.kept || e.Qty != c.qty || e.Change().Filled != partly || e.Price != c.price {
				t.Errorf("%s: %s", c.name, e.String())
			}
			if front := d.First(1, msg.Buy); c.price == 100 && (front == first) != c.kept || c.price != 100 && front != second {
				t.Errorf("%s: %x is first", c.name, uint64(front))
			}
			d.sound()
		}
	}
}

// TestAmendToWhatIsFilled asks for no more than has traded already: there is nothing left to wait for.
func TestAmendToWhatIsFilled(t *testing.T) { // W-50
	for _, c := range []struct {
		flags    msg.Flags
		qty      fixed.Lots
		canceled bool
	}{{0, 4, true}, {0, 3, true}, {0, 5, false}, {msg.FlagLeaves, 1, false}, {msg.FlagLeaves, 4, false}} {
		d := crowded(t, Limits{Instruments: 2, Accounts: 9})
		id := d.order(msg.Limit(1, 1, msg.Buy, 100, 10))
		d.ok(msg.Limit(2, 1, msg.Sell, 100, 4))
		amend := msg.Amend(1, 1, id, 100, c.qty)
		amend.Flags, amend.Ref = c.flags, 9
		d.ok(amend)
		e := d.last[0]
		if c.canceled && (e.Kind != msg.Canceled || e.Reason != msg.CanceledByUser || e.Qty != 6 || e.Change().Request != 9 || d.OpenOrders() != 0) {
			t.Errorf("to %d: %s", c.qty, e.String())
		}
		if !c.canceled && (e.Kind != msg.Amended || d.OpenOrders() != 1) {
			t.Errorf("to %d: %s", c.qty, e.String())
		}
		d.sound()
	}
}

// TestAmendTrades lets an amended order cross: it trades as a taker at once, and rests with what is left at its new price.
func TestAmendTrades(t *testing.T) { // W-50
	d := crowded(t, Limits{Instruments: 2, Accounts: 9})
	id := d.order(msg.Limit(1, 1, msg.Buy, 95, 10))
	d.ok(msg.Limit(2, 1, msg.Sell, 100, 4), msg.Amend(1, 1, id, 100, 12))
	if d.count(msg.Traded) != 2 || d.last[2].Fill().Maker || d.last[2].Fill().Leaves != 8 || d.First(1, msg.Buy) != id {
		t.Fatalf("%v", d.last)
	}
	p, _ := d.Position(1, 1)
	if p.Qty != 4 || p.Buys != 8 {
		t.Fatalf("%+v", p)
	}
	d.ok(msg.Limit(2, 1, msg.Sell, 101, 50), msg.Amend(1, 1, id, 101, 12))
	if p, _ := d.Position(1, 1); p.Qty != 12 || p.Buys != 0 || d.store.Find(id) != 0 {
		t.Fatalf("%+v", p)
	}
	d.refused(msg.RejectTooLate, msg.Amend(1, 1, id, 101, 12))
	d.refused(msg.RejectUnknownOrder, msg.Amend(1, 1, id+1<<40, 101, 12))
	d.sound()
}
