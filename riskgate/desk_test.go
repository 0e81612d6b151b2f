package riskgate_test

import (
	"testing"

	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// desk sits before an engine, where the gate stands: what the gate says is what a sender is told.
type desk struct {
	*engine.Engine
	t    *testing.T
	at   fixed.Nanos
	last []msg.Event
}

func newDesk(t *testing.T, l engine.Limits) *desk {
	t.Helper()
	e, err := engine.New(l)
	if err != nil {
		t.Fatal(err)
	}
	return &desk{Engine: e, t: t, at: fixed.Hour}
}

// do applies a command and returns why it was refused, 0 when it was not.
func (d *desk) do(c msg.Command) msg.Reject {
	c.Seq, c.Time = d.Seq()+1, d.at
	d.last = d.Apply(&c, d.last[:0])
	for i := range d.last {
		if d.last[i].Kind == msg.Rejected {
			return d.last[i].Reject
		}
	}
	return 0
}

func (d *desk) ok(commands ...msg.Command) {
	d.t.Helper()
	for _, c := range commands {
		if r := d.do(c); r != 0 {
			d.t.Fatalf("%s: refused as %s", c.String(), r.Name())
		}
	}
}

// refused holds that a command is refused with want, and the limit and what was found.
func (d *desk) refused(want msg.Reject, limit, actual int64, c msg.Command) {
	d.t.Helper()
	if r := d.do(c); r != want {
		d.t.Fatalf("%s: %q, want %q", c.String(), r.Name(), want.Name())
	}
	if f := d.last[len(d.last)-1].Refusal(); f.Limit != limit || f.Actual != actual || f.Asked != c.Kind {
		d.t.Fatalf("%s: limit %d, actual %d, want %d and %d", c.String(), f.Limit, f.Actual, limit, actual)
	}
}

// no is refused without regard to the numbers.
func (d *desk) no(want msg.Reject, commands ...msg.Command) {
	d.t.Helper()
	for _, c := range commands {
		if r := d.do(c); r != want {
			d.t.Fatalf("%s: %q, want %q", c.String(), r.Name(), want.Name())
		}
	}
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

func (d *desk) list(s market.Spec, mark fixed.Ticks) {
	d.t.Helper()
	d.ok(s.Append(nil)...)
	d.ok(msg.SetPhase(s.ID, msg.Continuous))
	if mark != 0 {
		d.ok(msg.SetMark(s.ID, mark))
	}
}

// perpetual is a plain one: 10 % initial and 5 % maintenance, a coin a tick and lot.
func perpetual(id msg.InstrumentID) market.Spec {
	return market.Spec{ID: id, Type: msg.Perpetual, TickLot: fixed.Coin, Initial: 10 * fixed.Percent, Maintenance: 5 * fixed.Percent}
}

// open is a desk with a perpetual at a mark of 100 and accounts that can pay for everything; 1 and 2 are one owner's.
func open(t *testing.T) *desk {
	t.Helper()
	d := newDesk(t, engine.Limits{Instruments: 4, Accounts: 8, Orders: 256, Events: 256})
	d.list(perpetual(1), 100)
	for id := msg.AccountID(1); id <= 5; id++ {
		d.ok(msg.OpenAccount(id, max(2, msg.OwnerID(id)), msg.AllGroups), msg.Deposit(id, 1_000_000*fixed.Coin))
	}
	return d
}

// hold gives an account a position at the mark, against account 5.
func (d *desk) hold(id msg.AccountID, lots fixed.Lots) {
	d.t.Helper()
	in, _ := d.Instrument(1)
	if lots > 0 {
		d.ok(msg.Limit(5, 1, msg.Sell, in.Mark, lots), msg.Limit(id, 1, msg.Buy, in.Mark, lots))
		return
	}
	d.ok(msg.Limit(5, 1, msg.Buy, in.Mark, -lots), msg.Limit(id, 1, msg.Sell, in.Mark, -lots))
}

func with(c msg.Command, flags msg.Flags, tif msg.TIF) msg.Command {
	c.Flags, c.TIF = flags, tif
	return c
}

func by(c msg.Command, session msg.SessionID, ref msg.Ref) msg.Command {
	c.Session, c.Ref = session, ref
	return c
}

// freeze lets two sources of the first underlying disagree: while they do, nobody is taken over.
func (d *desk) freeze() {
	d.t.Helper()
	for source := range uint8(2) {
		d.ok(msg.ReportPrice(msg.Report{Underlying: 1, Source: source + 1, Price: fixed.Money(source+1) * 100 * fixed.Coin, Confidence: fixed.One}))
	}
}
