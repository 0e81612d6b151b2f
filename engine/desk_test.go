package engine

import (
	"testing"

	"github.com/lockstep-exchange/lockstep/book"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// desk sits before an engine: it stamps commands, keeps their events and says at once what was not expected.
type desk struct {
	*Engine
	t    testing.TB
	at   fixed.Nanos // the time of the next command
	last []msg.Event // of the last command
}

func newDesk(t testing.TB, l Limits) *desk {
	t.Helper()
	e, err := New(l)
	if err != nil {
		t.Fatal(err)
	}
	return &desk{Engine: e, t: t}
}

// do applies a command and returns its events, which are good until the next one.
func (d *desk) do(c msg.Command) []msg.Event {
	c.Seq, c.Time = d.seq+1, d.at
	d.last = d.Apply(&c, d.last[:0])
	return d.last
}

// ok applies commands, none of which may be refused.
func (d *desk) ok(commands ...msg.Command) {
	d.t.Helper()
	for _, c := range commands {
		if r := refusal(d.do(c)); r != 0 {
			d.t.Fatalf("%s: refused as %s", c.String(), r.Name())
		}
	}
}

// refused applies a command that must be refused with want, as its last event.
func (d *desk) refused(want msg.Reject, c msg.Command) msg.Refusal {
	d.t.Helper()
	events := d.do(c)
	if got := refusal(events); got != want {
		d.t.Fatalf("%s: %q, want %q", c.String(), got.Name(), want.Name())
	}
	return events[len(events)-1].Refusal()
}

// order applies an order that must be accepted and returns its id.
func (d *desk) order(c msg.Command) msg.OrderID {
	d.t.Helper()
	d.ok(c)
	for i := range d.last {
		if d.last[i].Kind == msg.Accepted {
			return d.last[i].Order
		}
	}
	d.t.Fatalf("%s: no Accepted", c.String())
	return 0
}

// refusal is why the last command was refused, 0 when it was not.
func refusal(events []msg.Event) msg.Reject {
	for i := range events {
		if events[i].Kind == msg.Rejected {
			return events[i].Reject
		}
	}
	return 0
}

// count is how many events of a kind the last command brought.
func (d *desk) count(kind msg.EventKind) (n int) {
	for i := range d.last {
		if d.last[i].Kind == kind {
			n++
		}
	}
	return n
}

// list lists an instrument and lets it trade at a mark.
func (d *desk) list(s market.Spec, mark fixed.Ticks) {
	d.t.Helper()
	d.ok(s.Append(nil)...)
	d.ok(msg.SetPhase(s.ID, msg.Continuous), msg.SetMark(s.ID, mark))
}

// perpetual is a plain one: 10 % initial and 5 % maintenance, a coin a tick and lot.
func perpetual(id msg.InstrumentID) market.Spec {
	return market.Spec{ID: id, Type: msg.Perpetual, TickLot: fixed.Coin, Initial: 10 * fixed.Percent, Maintenance: 5 * fixed.Percent}
}

// with gives an order flags and a time in force.
func with(c msg.Command, flags msg.Flags, tif msg.TIF) msg.Command {
	c.Flags, c.TIF = flags, tif
	return c
}

// sound fails if money or lots are missing, a book is crossed, or a sum of an account differs from its parts.
func (d *desk) sound() {
	d.t.Helper()
	if money, lots := d.Imbalance(); money != 0 || lots != 0 {
		d.t.Fatalf("seq %d: %s of money and %d lots are missing", d.seq, money, lots)
	}
	for id := range d.instruments {
		if b := d.books[id]; b != nil {
			bid, ok := b.Best(msg.Buy)
			ask, both := b.Best(msg.Sell)
			if ok && both && bid >= ask {
				d.t.Fatalf("seq %d: book %d is crossed: %d, %d", d.seq, id, bid, ask)
			}
		}
	}
	for id := msg.AccountID(1); id <= msg.AccountID(d.limits.Accounts); id++ {
		if d.house.Account(id) != nil {
			d.house.Check(id)
			d.listed(id)
		}
	}
}

// listed fails if the list of an account's open orders and what its positions count of them are not the orders that rest.
func (d *desk) listed(id msg.AccountID) {
	d.t.Helper()
	type counts struct{ open, reduceOnly uint32 }
	found := map[uint32]counts{}
	newer := uint32(0)
	for h := d.house.Account(id).Orders; h != 0; h = d.house.Claim(h).Next {
		c, o, k := d.house.Claim(h), d.store.Order(h), d.store.Ticket(h)
		p := d.house.Position(c.Position)
		if k.Account != id || o.Leaves <= 0 || c.Prev != newer || p.Account != id || uint32(p.Instr) != uint32(k.Instr) {
			d.t.Fatalf("seq %d: claim %d of account %d is %+v of %+v, %+v", d.seq, h, id, *c, *o, *k)
		}
		n := found[c.Position]
		n.open++
		if o.Flags&book.ReduceOnly != 0 {
			n.reduceOnly++
		}
		found[c.Position], newer = n, h
	}
	for row := d.house.Account(id).Positions; row != 0; row = d.house.Position(row).Next {
		got := counts{uint32(d.house.Position(row).Open), d.house.Ledger(row).ReduceOnly}
		if got != found[row] {
			d.t.Fatalf("seq %d: account %d in %d counts %+v orders, want %+v", d.seq, id, d.house.Position(row).Instr, got, found[row])
		}
		delete(found, row)
	}
	if len(found) != 0 {
		d.t.Fatalf("seq %d: account %d has orders in rows that are not its own: %v", d.seq, id, found)
	}
}
