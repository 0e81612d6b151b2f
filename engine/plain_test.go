package engine

import (
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// ways are two engines in step, of which one goes the long way with everything.
type ways struct {
	short, long *Engine
	got, want   []msg.Event
	open        int // commands that found the short way open
	fresh       int // orders that found it open and brought a position about
	moved       int // amends that found it open, lost their place and came to rest
	traded      int // trades that found it open: plain both, and no rebate
}

func newWays(t *testing.T, l Limits) *ways {
	t.Helper()
	short, err := New(l)
	if err != nil {
		t.Fatal(err)
	}
	long, _ := New(l)
	return &ways{short: short, long: long}
}

// apply applies a command to both and compares what they tell.
func (w *ways) apply(t *testing.T, c msg.Command) {
	t.Helper()
	c.Seq, c.Time = w.short.seq+1, max(c.Time, w.short.now)
	for i := range w.long.instruments {
		w.long.instruments[i].Plain, w.long.instruments[i].Opens = false, 0
	}
	plain := int(c.Instr) < len(w.short.instruments) && w.short.instruments[c.Instr].Plain
	if plain && (c.Kind == msg.KindLimit || c.Kind == msg.KindCancel || c.Kind == msg.KindAmend) {
		w.open++
	}
	vacant := w.short.house.Find(c.Account, c.Instr) == 0
	w.want, w.got = w.long.Apply(&c, w.want[:0]), w.short.Apply(&c, w.got[:0])
	if len(w.want) != len(w.got) {
		t.Fatalf("%s: %d events the long way, %d the short one", c.String(), len(w.want), len(w.got))
	}
	for i := range w.want {
		if !w.want[i].Equal(&w.got[i]) {
			t.Fatalf("%s:\n%s the long way\n%s the short one", c.String(), w.want[i].String(), w.got[i].String())
		}
		if plain && vacant && c.Kind == msg.KindLimit && w.got[i].Kind == msg.Accepted {
			w.fresh++
		}
		if plain && len(w.got) == 1 && w.got[i].Kind == msg.Amended && !w.got[i].Change().Kept {
			w.moved++
		}
		if plain && w.got[i].Kind == msg.Traded && w.met(&w.got[i], &c) {
			w.traded++
		}
	}
}

// met reports whether an event is a trade of a maker without a rebate, and neither side's position has anything unusual.
func (w *ways) met(ev *msg.Event, c *msg.Command) bool {
	f, h := ev.Fill(), w.short.house
	asks := h.Position(h.Find(ev.Account, ev.Instr)).Asks | h.Position(h.Find(c.Account, ev.Instr)).Asks
	return f.Maker && f.Fee >= 0 && asks == 0 && w.short.instruments[ev.Instr].MarkMode == msg.MarkManual
}

// same compares the states.
func (w *ways) same(t *testing.T) {
	t.Helper()
	if a, b := w.long.Hash(), w.short.Hash(); a != b {
		t.Fatalf("after %d commands the state is %016x the long way and %016x the short one", w.short.seq, a, b)
	}
	for id := msg.AccountID(1); uint32(id) <= w.short.limits.Accounts; id++ {
		for _, e := range []*Engine{w.long, w.short} {
			if e.house.Account(id) != nil {
				e.house.Check(id)
			}
		}
	}
}

// TestShortWay walks every command of random days and of a recorded one both ways, the short one and the long one.
func TestShortWay(t *testing.T) {
	const commands = 12_000
	open, fresh, moved, traded := 0, 0, 0, 0
	for i, d := range days {
		seed := xorshift(uint64(i)*0x9E3779B97F4A7C15 + 77)
		t.Logf("%s: seed %#x", d.name, uint64(seed))
		tr, w := newTrader(d, &seed), newWays(t, d.limits)
		for _, c := range tr.opening() {
			w.apply(t, c)
			tr.see(&c, w.got)
		}
		for k := range commands {
			c := tr.next()
			w.apply(t, c)
			tr.see(&c, w.got)
			if k%500 == 0 {
				w.same(t)
			}
		}
		w.same(t)
		open, fresh, moved, traded = open+w.open, fresh+w.fresh, moved+w.moved, traded+w.traded
	}
	recording, err := readRecording(recorded, dayFile, dayLength)
	if err != nil {
		t.Fatal(err)
	}
	w := newWays(t, recorded.limits)
	for _, c := range recording {
		w.apply(t, c)
	}
	w.same(t)
	t.Logf("%d commands, %d new positions, %d amends and %d trades of random days, %d, %d, %d and %d of the recorded one found the short way open",
		open, fresh, moved, traded, w.open, w.fresh, w.moved, w.traded)
	if open < commands/3 || w.open < len(recording)/20 ||
		fresh < 100 || moved < 150 || traded < 500 || w.moved < 50 || w.traded < 100 {
		t.Error("too few commands found the short way open: this test shows little")
	}
}

// TestShortWayNearTheLimit walks days both ways on which every account has collateral for a few orders only, so that what the
// short way may take for granted runs out all the time: in two instruments, whose marks move now and then.
func TestShortWayNearTheLimit(t *testing.T) {
	const accounts, commands = 12, 30_000
	for _, begin := range []uint64{3, 0xC0FFEE} {
		seed := xorshift(begin * 0x9E3779B97F4A7C15)
		t.Logf("seed %#x", uint64(seed))
		w := newWays(t, Limits{Instruments: 2, Accounts: accounts, Orders: 512, Events: 512})
		for id := msg.InstrumentID(1); id <= 2; id++ {
			spec := market.Spec{ID: id, Type: msg.Perpetual, TickLot: 1000, Start: 1000, Initial: 10 * fixed.Percent,
				Maintenance: 5 * fixed.Percent, Maker: fixed.BasisPoint, Taker: 5 * fixed.BasisPoint}
			for _, c := range spec.Append(nil) {
				w.apply(t, c)
			}
			w.apply(t, msg.SetMark(id, 1000))
			w.apply(t, msg.SetPhase(id, msg.Continuous))
		}
		for id := range msg.AccountID(accounts) {
			w.apply(t, msg.Deposit(id+1, fixed.Money(20_000_000+seed.below(80_000_000))))
		}
		var open []msg.Event // Accepted, of orders that may still be there
		accepted, refused := 0, 0
		for k := range commands {
			account, instr := msg.AccountID(seed.below(accounts)+1), msg.InstrumentID(seed.below(2)+1)
			price, qty := fixed.Ticks(960+seed.below(80)), fixed.Lots(seed.below(60)+1)
			c := msg.Limit(account, instr, msg.Buy+msg.Side(seed.below(2)), price, qty)
			if at := 0; len(open) > 0 {
				at = int(seed.below(int64(len(open))))
				switch o := &open[at]; seed.below(10) {
				case 0, 1, 2:
					c = msg.Cancel(o.Account, o.Instr, o.Order)
				case 3:
					c = msg.Amend(o.Account, o.Instr, o.Order, price, qty)
				case 4:
					c.TIF = msg.IOC
				}
				if seed.below(4) == 0 || len(open) > 400 {
					open[at] = open[len(open)-1]
					open = open[:len(open)-1]
				}
			}
			if seed.below(200) == 0 {
				c = msg.SetMark(instr, fixed.Ticks(980+seed.below(40)))
			}
			w.apply(t, c)
			switch w.got[0].Kind {
			case msg.Accepted:
				accepted++
				open = append(open, w.got[0])
			case msg.Rejected:
				if r := w.got[0].Reject; r == msg.RejectInsufficientMargin || r == msg.RejectAccountReduceOnly {
					refused++
				}
			}
			if k%100 == 0 {
				w.same(t)
			}
		}
		w.same(t)
		t.Logf("%d orders accepted, %d refused for want of margin, %d trades", accepted, refused, w.traded)
		if accepted < commands/5 || refused < commands/20 || w.traded < commands/20 {
			t.Error("the accounts are not near enough to the limit, or too near: this test shows little")
		}
	}
}

// TestChecksLeaveLooseWhatIs holds that the self-checks of a command leave its account as loose as it was: else its next order would have to measure
// again how much room there is.
func TestChecksLeaveLooseWhatIs(t *testing.T) {
	d := newDesk(t, Limits{Instruments: 1, Accounts: 4})
	d.list(perpetual(1), 100)
	d.ok(msg.Deposit(1, 100_000*fixed.Coin), msg.Deposit(2, 100_000*fixed.Coin))
	for i := range 4 * checkEvery {
		id := msg.AccountID(1 + i%2)
		d.ok(msg.Limit(id, 1, msg.Side(1+i%2), 100, 1))
		if d.house.Account(id).Loose == 0 {
			t.Fatalf("seq %d: account %d is not loose any more", d.seq, id)
		}
	}
}
