package feed_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// world is an engine with three instruments and what its traders and prices might do next: two perpetuals on one index, one of which
// has a composite mark, and one that is marked by command. Money is short, so that the ladder has work.
type world struct {
	*engine.Engine
	dice   *rand.Rand
	seq    msg.Seq
	now    fixed.Nanos
	price  fixed.Ticks
	events []msg.Event
	live   []msg.OrderID
	of     map[msg.OrderID]*msg.Event
	opens  []msg.Command // still to be sent before anything is drawn
}

const (
	instruments = 3
	traders     = 10
)

// limits are those of a world's engine.
var limits = engine.Limits{Instruments: instruments, Underlyings: 1, Accounts: 16, Positions: 64, Orders: 1 << 10, Levels: 1 << 10, Events: 1 << 12}

func newWorld(t testing.TB, seed uint64) *world {
	e, err := engine.New(limits)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{Engine: e, dice: rand.New(rand.NewPCG(seed, 7)), price: 1_000, of: map[msg.OrderID]*msg.Event{}}
	w.opens = append(w.opens, msg.ListUnderlying(msg.Underlying{ID: 1, Sources: 1}))
	for id := msg.InstrumentID(1); id <= instruments; id++ {
		spec := market.Spec{ID: id, Symbol: "PERP", Type: msg.Perpetual, TickLot: 100, Initial: 10 * fixed.Percent, Maintenance: 5 * fixed.Percent,
			Rules: []msg.Setting{{Rule: msg.FundingInterval, Value: int64(fixed.Minute)}}}
		switch id {
		case 1:
			spec.Underlying, spec.Mark = 1, msg.MarkIndex
		case 2: // 20 of its lots are a unit, and a tick of a unit is worth as much as in the others
			spec.Underlying, spec.Mark, spec.UnitLots, spec.TickLot = 1, msg.MarkComposite, 20, 5
		}
		w.opens = append(spec.Append(w.opens), msg.SetPhase(id, msg.Continuous))
	}
	w.opens = append(w.opens, msg.SetMark(3, 1_000), msg.ReportPrice(msg.Report{Underlying: 1, Price: 1_000 * 100, Confidence: fixed.One}),
		msg.SetRule(0, msg.LiqStep, int64(10*fixed.Millisecond)), msg.SetRule(0, msg.LiqStall, 2), msg.PayFund(fixed.Coin))
	if seed%3 == 0 { // the fund takes nothing over, and winners close what nobody buys
		w.opens = append(w.opens, msg.SetRule(0, msg.FundInventory, 0))
	}
	for a := msg.AccountID(1); a <= traders; a++ {
		w.opens = append(w.opens, msg.Deposit(a, fixed.Money(1+w.dice.IntN(4))*fixed.Coin))
	}
	return w
}

// next applies the next command of the world.
func (w *world) next() (c msg.Command, events []msg.Event) {
	if len(w.opens) > 0 {
		c, w.opens = w.opens[0], w.opens[1:]
	} else {
		c = w.draw()
	}
	w.seq++
	w.now += fixed.Nanos(w.dice.IntN(int(20 * fixed.Millisecond)))
	if w.dice.IntN(500) == 0 {
		w.now += fixed.Minute
	}
	c.Seq, c.Time, c.Ref = w.seq, w.now, msg.Ref(w.seq)
	w.events = w.Apply(&c, w.events[:0])
	for i := range w.events {
		if ev := w.events[i]; ev.Kind == msg.Accepted {
			w.live = append(w.live, ev.Order)
			w.of[ev.Order] = &ev
		}
	}
	if len(w.live) > 300 {
		w.live = slices.Delete(w.live, 0, 150)
	}
	return c, w.events
}

// draw is a command as somebody sends it: mostly orders around the price, some of which meet, amends and cancels.
func (w *world) draw() msg.Command {
	d := w.dice
	switch n := d.IntN(100); {
	case n < 35 && len(w.live) > 0:
		ev := w.of[w.live[d.IntN(len(w.live))]]
		if d.IntN(3) == 0 {
			return msg.Cancel(ev.Account, ev.Instr, ev.Order)
		}
		return msg.Amend(ev.Account, ev.Instr, ev.Order, ev.Price+fixed.Ticks(d.IntN(5)-2), fixed.Lots(1+d.IntN(20)))
	case n < 38:
		return msg.CancelAll(w.account(), msg.InstrumentID(d.IntN(instruments+1)), msg.Side(d.IntN(3)))
	case n < 46:
		return w.quote()
	case n < 49:
		return w.administer()
	}
	return w.order()
}

func (w *world) account() msg.AccountID { return msg.AccountID(1 + w.dice.IntN(traders)) }

// quote moves the price, now and then by much.
func (w *world) quote() msg.Command {
	step := w.price / 200
	if w.dice.IntN(20) == 0 {
		step = w.price / 12
	}
	w.price = min(4_000, max(200, w.price+fixed.Ticks(w.dice.IntN(int(2*step+3)))-step-1))
	if w.dice.IntN(3) == 0 {
		return msg.SetMark(3, w.price)
	}
	confidence, price := fixed.One, fixed.Money(w.price)*100
	if w.dice.IntN(100) == 0 {
		price = 0 // which halts
	}
	return msg.ReportPrice(msg.Report{Underlying: 1, Price: price, Confidence: confidence})
}

// administer is what a venue does, and who margins his positions.
func (w *world) administer() msg.Command {
	d := w.dice
	id := msg.InstrumentID(1 + d.IntN(instruments))
	switch d.IntN(18) {
	case 14, 15, 16, 17:
		return msg.Deposit(w.account(), fixed.Coin)
	case 0:
		return msg.SetPhase(id, msg.Phase(d.IntN(5)))
	case 1, 2, 3:
		return msg.SetPhase(id, msg.Continuous)
	case 4:
		return msg.SetRule(id, msg.Band, int64(fixed.Rate(d.IntN(4))*5*fixed.Percent))
	case 5:
		return msg.SetRule(id, msg.MaxOrderQty, int64(d.IntN(2)*100))
	case 6:
		return msg.SetTier(id, msg.Tier{Initial: fixed.Rate(8+d.IntN(4)) * fixed.Percent, Maintenance: 5 * fixed.Percent})
	case 7:
		return msg.SettleFunding(id, fixed.Rate(d.IntN(20)-10)*fixed.BasisPoint)
	case 8:
		return msg.SetEntry(w.account(), 0, msg.Entry{Action: msg.BlockAndCancel, Scope: msg.ScopeAccount})
	case 9, 10:
		return msg.SetEntry(w.account(), 0, msg.Entry{Action: msg.Unblock, Scope: msg.ScopeAccount})
	case 11:
		return msg.IsolateDefault(w.account(), id)
	case 12:
		return msg.Deposit(w.account(), fixed.Coin)
	}
	return msg.SetRule(id, msg.MinOrderNotional, int64(d.IntN(2)*100))
}

// order is one of any kind.
func (w *world) order() msg.Command {
	d := w.dice
	id, price, qty := msg.InstrumentID(1+d.IntN(instruments)), w.price+fixed.Ticks(d.IntN(21)-10), fixed.Lots(1+d.IntN(20))
	c := msg.Limit(w.account(), id, msg.Side(1+d.IntN(2)), price, qty)
	c.STP = msg.STP(d.IntN(6))
	switch d.IntN(14) {
	case 0:
		c.Flags = msg.FlagPostOnly
	case 1:
		c.Flags = msg.FlagSlide
	case 2:
		c.Flags = msg.FlagReduceOnly
	case 3:
		return msg.Market(c.Account, id, c.Side, qty, 0)
	case 4:
		c = msg.Place(c.Account, id, c.Side, price, qty, msg.OrderExt{Expire: w.now + fixed.Nanos(d.IntN(int(fixed.Second)))})
		c.TIF = msg.GTD
	case 5:
		c.TIF = msg.IOC
	case 6:
		c.TIF = msg.FOK
	case 7:
		c = msg.Place(c.Account, id, c.Side, price, qty, msg.OrderExt{Min: qty/2 + 1})
	}
	return c
}
