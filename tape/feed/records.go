package feed

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// What is told of the book, order by order. An incoming order is not told before it has traded; what is left of it then is:
//
//	events    Accepted 7 @ 100   Traded (maker 3, taker 3)   Traded (maker 2, taker 2)
//	records   TradeSummary 5   OrderExecuted 3   OrderExecuted 2   OrderAdd 2 @ 100 (last)
//
// Invariant: applied to the book that a command found, the records give the book that it leaves, and the last one says so.

// incoming is the order that the command brings or moves, as far as it is not in the told book.
type incoming struct {
	order  msg.OrderID
	event  *msg.Event // its Accepted, QuotePlaced or Amended; nil: there is none
	leaves fixed.Lots
}

// sweep is the trades of one incoming order, told one after another. Whatever else changes the told book ends it.
type sweep struct {
	instr msg.InstrumentID
	side  msg.Side // of its makers; 0: there is none
	flags gen.MarketFlags
}

// forced is how much of a slice of the ladder is still to be told: its makers come behind it.
type forced struct {
	instr msg.InstrumentID
	left  fixed.Lots
}

// none stands for an enum that is none.
const none = 1<<8 - 1

// rest adds what is left of the incoming order to the book.
func (t *Tape) rest() {
	ev, leaves := t.taker.event, t.taker.leaves
	t.taker = incoming{}
	if ev == nil || leaves == 0 {
		return
	}
	s := &t.instruments[ev.Instr].scale
	m := gen.AsOrderAdd(t.open(gen.TemplateOrderAdd, len(gen.OrderAdd{}), 37))
	m.SetOrderID(uint64(ev.Order))
	m.SetPrice(s.Price(ev.Price))
	m.SetQty(s.Qty(leaves))
	m.SetTime(uint64(ev.Time))
	m.SetInstrumentID(uint32(ev.Instr))
	m.SetSide(gen.Side(ev.Side))
	t.enter(ev, leaves)
}

// amended tells of an order that shrinks in its place, or goes to the tail of a level. One that trades on the way, or is
// canceled, leaves the book first and comes back with what is left.
func (t *Tape) amended(events []msg.Event, i int) {
	t.rest()
	ev := &events[i]
	if ev.Change().Kept {
		t.reduce(ev, ev.Qty, none)
		return
	}
	for k := i + 1; k < len(events); k++ {
		if o := &events[k]; o.Order == ev.Order && (o.Kind == msg.Traded || o.Kind == msg.Canceled) {
			t.remove(ev, none)
			t.taker = incoming{ev.Order, ev, ev.Qty}
			return
		}
	}
	s := &t.instruments[ev.Instr].scale
	m := gen.AsOrderMove(t.open(gen.TemplateOrderMove, len(gen.OrderMove{}), 37))
	m.SetOrderID(uint64(ev.Order))
	m.SetPrice(s.Price(ev.Price))
	m.SetQty(s.Qty(ev.Qty))
	m.SetTime(uint64(ev.Time))
	m.SetInstrumentID(uint32(ev.Instr))
	m.SetSide(gen.Side(ev.Side))
	t.shrink(ev.Order, 0)
	t.enter(ev, ev.Qty)
}

func (t *Tape) reduce(ev *msg.Event, leaves fixed.Lots, reason gen.CancelReason) {
	m := gen.AsOrderReduce(t.open(gen.TemplateOrderReduce, len(gen.OrderReduce{}), 29))
	m.SetOrderID(uint64(ev.Order))
	m.SetNewQty(t.instruments[ev.Instr].scale.Qty(leaves))
	m.SetTime(uint64(ev.Time))
	m.SetInstrumentID(uint32(ev.Instr))
	m.SetReason(reason)
	t.shrink(ev.Order, leaves)
}

func (t *Tape) remove(ev *msg.Event, reason gen.CancelReason) {
	m := gen.AsOrderDelete(t.open(gen.TemplateOrderDelete, len(gen.OrderDelete{}), 21))
	m.SetOrderID(uint64(ev.Order))
	m.SetTime(uint64(ev.Time))
	m.SetInstrumentID(uint32(ev.Instr))
	m.SetReason(reason)
	t.shrink(ev.Order, 0)
}

// canceled tells of an order that leaves the book or shrinks; of the incoming one there is nothing to tell.
func (t *Tape) canceled(ev *msg.Event) {
	leaves := ev.Change().Leaves
	if ev.Kind == msg.Expired {
		leaves = 0
	}
	switch {
	case t.taker.event != nil && t.taker.order == ev.Order:
		t.taker.leaves = leaves
	case leaves > 0:
		t.reduce(ev, leaves, wire.CancelReason(ev))
	default:
		t.remove(ev, wire.CancelReason(ev))
	}
}

// traded tells of one side of a trade: of the maker it is told, of the taker only how much is left. The first maker of a
// sweep brings the summary of it.
func (t *Tape) traded(events []msg.Event, i int) {
	ev := &events[i]
	fill := ev.Fill()
	if !fill.Maker {
		if t.taker.event != nil && t.taker.order == ev.Order {
			t.taker.leaves = fill.Leaves
		}
		return
	}
	if t.sweep.instr != ev.Instr || t.sweep.side != ev.Side {
		t.sweep = sweep{instr: ev.Instr, side: ev.Side}
		if t.forced.left > 0 && t.forced.instr == ev.Instr {
			t.sweep.flags = gen.MarketFlagsForced
		}
		t.summary(events, i)
	}
	if t.forced.instr == ev.Instr {
		t.forced.left -= ev.Qty
	}
	s := &t.instruments[ev.Instr].scale
	m := gen.AsOrderExecuted(t.open(gen.TemplateOrderExecuted, len(gen.OrderExecuted{}), 45))
	m.SetOrderID(uint64(ev.Order))
	m.SetPrice(s.Price(ev.Price))
	m.SetQty(s.Qty(ev.Qty))
	m.SetTradeID(uint64(fill.Trade))
	m.SetTime(uint64(ev.Time))
	m.SetInstrumentID(uint32(ev.Instr))
	m.SetSide(gen.Side(ev.Side))
	m.SetFlags(t.sweep.flags)
	t.shrink(ev.Order, fill.Leaves)
}

// ends reports whether an event ends a sweep: it changes the told book and is no trade of it, or somebody else trades on.
func ends(ev *msg.Event) bool {
	switch ev.Kind {
	case msg.Accepted, msg.QuotePlaced, msg.Amended, msg.Canceled, msg.Expired, msg.LiquidationSlice:
		return true
	}
	return false
}

// summary tells what the sweep that begins with a maker's trade takes in all.
func (t *Tape) summary(events []msg.Event, i int) {
	ev := &events[i]
	lots, fills, worst := fixed.Lots(0), uint32(0), ev.Price
	for k := i; k < len(events) && !ends(&events[k]); k++ {
		o := &events[k]
		if o.Kind != msg.Traded || !o.Fill().Maker {
			continue
		}
		if o.Instr != ev.Instr || o.Side != ev.Side {
			break
		}
		lots += o.Qty
		worst = o.Price
		fills++
	}
	s := &t.instruments[ev.Instr].scale
	m := gen.AsTradeSummary(t.open(gen.TemplateTradeSummary, len(gen.TradeSummary{}), 41))
	m.SetAggressorQty(s.Qty(lots))
	m.SetWorstPx(s.Price(worst))
	m.SetFirstTradeID(uint64(ev.Fill().Trade))
	m.SetTime(uint64(ev.Time))
	m.SetFills(fills)
	m.SetInstrumentID(uint32(ev.Instr))
	m.SetSide(gen.Side(ev.Side.Opposite()))
	m.SetFlags(t.sweep.flags)
}
