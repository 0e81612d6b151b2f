package wire

import (
	"encoding/binary"

	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// What everybody is told: the events of one command as the book by order. Records are appended as they stand in a datagram,
// u16 length, header, block, so that a packer only cuts.
//
// An incoming order is not told before it has traded; what is left of it then is:
//
//	events    Accepted 7 @ 100   Traded (maker 3, taker 3)   Traded (maker 2, taker 2)
//	records   TradeSummary 5   OrderExecuted 3   OrderExecuted 2   OrderAdd 2 @ 100 (last)
//
// Invariant: applied to the book that a command found, the records give the book that it leaves, and the last one says so.

// incoming is the order that the command brings or moves, as far as it is not in the told book.
type incoming struct {
	order  msg.OrderID
	event  *msg.Event // its Accepted or Amended; nil: there is none
	leaves int64      // lots
}

// marketWriter is AppendMarket at work.
type marketWriter struct {
	dst    []byte
	flags  int // where the flags of the last record stand in dst; 0: there is none yet
	scales []Scale
	taker  incoming
	sweep  sweep
}

// sweep is the trades of one incoming order, told one after another. Whatever else changes the told book ends it.
type sweep struct {
	instr msg.InstrumentID
	side  msg.Side // of its makers; 0: there is none
	flags gen.MarketFlags
}

// AppendMarket appends the records of the events of one command, in their order. scales are those of the instruments by id;
// an instrument without one is counted in ticks and lots.
func AppendMarket(dst []byte, events []msg.Event, scales []Scale) []byte {
	w := marketWriter{dst: dst, scales: scales}
	for i := range events {
		w.take(events, i)
	}
	w.rest()
	if w.flags > 0 {
		w.dst[w.flags] |= byte(gen.MarketFlagsLast)
	}
	return w.dst
}

func (w *marketWriter) scale(id msg.InstrumentID) Scale {
	if int(id) < len(w.scales) && w.scales[id].Tick > 0 {
		return w.scales[id]
	}
	return Scale{Tick: 1, Lot: 1}
}

// open appends a record. The flags of market data stand at different places, so each caller says where its own do.
func (w *marketWriter) open(template uint16, size, flags int) (block []byte) {
	w.dst = binary.BigEndian.AppendUint16(w.dst, uint16(gen.HeaderSize+size))
	w.dst, block = AppendRecord(w.dst, gen.Header{Block: uint16(size), Template: template, Schema: gen.SchemaMarketData, Version: gen.VersionMarketData})
	w.flags = len(w.dst) - size + flags
	return block
}

// take tells one event; those behind it are looked at where they belong to it.
func (w *marketWriter) take(events []msg.Event, i int) {
	ev := &events[i]
	if changes(ev) {
		w.sweep = sweep{}
	}
	switch ev.Kind {
	case msg.Accepted:
		w.rest()
		w.taker = incoming{ev.Order, ev, int64(ev.Qty)}
	case msg.Amended:
		w.amended(events, i)
	case msg.Traded:
		w.traded(events, i)
	case msg.Canceled, msg.Expired:
		w.canceled(ev)
	case msg.MarkUpdated:
		w.mark(ev)
	case msg.PhaseChanged:
		w.phase(ev)
	case msg.InstrumentListed:
		w.listed(ev)
	case msg.LiquidationSlice, msg.AdlFill:
		w.print(ev)
	}
}

// rest adds what is left of the incoming order to the book.
func (w *marketWriter) rest() {
	ev := w.taker.event
	w.taker.event = nil
	if ev == nil || w.taker.leaves == 0 {
		return
	}
	s := w.scale(ev.Instr)
	m := gen.AsOrderAdd(w.open(gen.TemplateOrderAdd, len(gen.OrderAdd{}), 37))
	m.SetOrderID(uint64(ev.Order))
	m.SetPrice(s.Price(ev.Price))
	m.SetQty(scaled(w.taker.leaves, s.Lot))
	m.SetTime(uint64(ev.Time))
	m.SetInstrumentID(uint32(ev.Instr))
	m.SetSide(gen.Side(ev.Side))
}

// amended tells of an order that shrinks in its place, or goes to the tail of a level. One that trades on the way, or is
// canceled, leaves the book first and comes back with what is left.
func (w *marketWriter) amended(events []msg.Event, i int) {
	w.rest()
	ev := &events[i]
	s := w.scale(ev.Instr)
	if ev.Change().Kept {
		w.reduce(ev, s.Qty(ev.Qty), noEnum)
		return
	}
	for k := i + 1; k < len(events); k++ {
		if o := &events[k]; o.Order == ev.Order && (o.Kind == msg.Traded || o.Kind == msg.Canceled) {
			w.remove(ev, noEnum)
			w.taker = incoming{ev.Order, ev, int64(ev.Qty)}
			return
		}
	}
	m := gen.AsOrderMove(w.open(gen.TemplateOrderMove, len(gen.OrderMove{}), 37))
	m.SetOrderID(uint64(ev.Order))
	m.SetPrice(s.Price(ev.Price))
	m.SetQty(s.Qty(ev.Qty))
	m.SetTime(uint64(ev.Time))
	m.SetInstrumentID(uint32(ev.Instr))
	m.SetSide(gen.Side(ev.Side))
}

func (w *marketWriter) reduce(ev *msg.Event, leaves int64, reason gen.CancelReason) {
	m := gen.AsOrderReduce(w.open(gen.TemplateOrderReduce, len(gen.OrderReduce{}), 29))
	m.SetOrderID(uint64(ev.Order))
	m.SetNewQty(leaves)
	m.SetTime(uint64(ev.Time))
	m.SetInstrumentID(uint32(ev.Instr))
	m.SetReason(reason)
}

func (w *marketWriter) remove(ev *msg.Event, reason gen.CancelReason) {
	m := gen.AsOrderDelete(w.open(gen.TemplateOrderDelete, len(gen.OrderDelete{}), 21))
	m.SetOrderID(uint64(ev.Order))
	m.SetTime(uint64(ev.Time))
	m.SetInstrumentID(uint32(ev.Instr))
	m.SetReason(reason)
}

// canceled tells of an order that leaves the book or shrinks; of the incoming one there is nothing to tell.
func (w *marketWriter) canceled(ev *msg.Event) {
	leaves := int64(ev.Change().Leaves)
	if ev.Kind == msg.Expired {
		leaves = 0
	}
	switch s := w.scale(ev.Instr); {
	case w.taker.event != nil && w.taker.order == ev.Order:
		w.taker.leaves = leaves
	case leaves > 0:
		w.reduce(ev, scaled(leaves, s.Lot), reason(ev))
	default:
		w.remove(ev, reason(ev))
	}
}

// traded tells of one side of a trade: of the maker it is told, of the taker only how much is left. The first maker of a
// sweep brings the summary of it.
func (w *marketWriter) traded(events []msg.Event, i int) {
	ev := &events[i]
	fill := ev.Fill()
	if !fill.Maker {
		if w.taker.event != nil && w.taker.order == ev.Order {
			w.taker.leaves = int64(fill.Leaves)
		}
		return
	}
	if w.sweep.instr != ev.Instr || w.sweep.side != ev.Side {
		w.sweep = sweep{ev.Instr, ev.Side, forced(events, ev.Instr)}
		w.summary(events, i)
	}
	s := w.scale(ev.Instr)
	m := gen.AsOrderExecuted(w.open(gen.TemplateOrderExecuted, len(gen.OrderExecuted{}), 45))
	m.SetOrderID(uint64(ev.Order))
	m.SetPrice(s.Price(ev.Price))
	m.SetQty(s.Qty(ev.Qty))
	m.SetTradeID(uint64(fill.Trade))
	m.SetTime(uint64(ev.Time))
	m.SetInstrumentID(uint32(ev.Instr))
	m.SetSide(gen.Side(ev.Side))
	m.SetFlags(w.sweep.flags)
}

// changes reports whether an event ends a sweep: it changes the told book, and is no trade of it.
func changes(ev *msg.Event) bool {
	switch ev.Kind {
	case msg.Accepted, msg.Amended, msg.Canceled, msg.Expired:
		return true
	}
	return false
}

// summary tells what the sweep that begins with a maker's trade takes in all.
func (w *marketWriter) summary(events []msg.Event, i int) {
	ev := &events[i]
	var lots int64
	fills, worst := uint32(0), ev.Price
	for k := i; k < len(events) && !changes(&events[k]); k++ {
		o := &events[k]
		if o.Kind != msg.Traded || !o.Fill().Maker {
			continue
		}
		if o.Instr != ev.Instr || o.Side != ev.Side {
			break
		}
		lots += int64(o.Qty)
		worst = o.Price
		fills++
	}
	s := w.scale(ev.Instr)
	m := gen.AsTradeSummary(w.open(gen.TemplateTradeSummary, len(gen.TradeSummary{}), 41))
	m.SetAggressorQty(scaled(lots, s.Lot))
	m.SetWorstPx(s.Price(worst))
	m.SetFirstTradeID(uint64(ev.Fill().Trade))
	m.SetTime(uint64(ev.Time))
	m.SetFills(fills)
	m.SetInstrumentID(uint32(ev.Instr))
	m.SetSide(gen.Side(ev.Side.Opposite()))
	m.SetFlags(w.sweep.flags)
}

// forced marks trades that the ladder brought about.
func forced(events []msg.Event, instr msg.InstrumentID) gen.MarketFlags {
	for i := range events {
		if events[i].Kind == msg.LiquidationSlice && events[i].Instr == instr {
			return gen.MarketFlagsForced
		}
	}
	return 0
}

// mark tells the mark; index, funding and open interest are not in the event.
func (w *marketWriter) mark(ev *msg.Event) {
	s := w.scale(ev.Instr)
	m := gen.AsMarkFunding(w.open(gen.TemplateMarkFunding, len(gen.MarkFunding{}), 53))
	m.SetMarkPx(s.Price(ev.Price))
	m.SetIndexPx(None)
	m.SetFundRate(None)
	m.SetNextFunding(NoTime)
	m.SetOpenInterest(None)
	m.SetTime(uint64(ev.Time))
	m.SetInstrumentID(uint32(ev.Instr))
	m.SetState(noEnum)
}

func (w *marketWriter) phase(ev *msg.Event) {
	m := gen.AsInstrumentStatus(w.open(gen.TemplateInstrumentStatus, len(gen.InstrumentStatus{}), 34))
	m.SetBandLow(None)
	m.SetBandHigh(None)
	m.SetTime(uint64(ev.Time))
	m.SetInstrumentID(uint32(ev.Instr))
	m.SetState(gen.Phase(ev.PhaseStep().To))
}

// listed tells what an instrument is; what may change later, limits and rates, is none.
func (w *marketWriter) listed(ev *msg.Event) {
	asked := msg.Request{Rare: ev.Rare}
	l, s := asked.Listing(), w.scale(ev.Instr)
	m := gen.AsInstrumentDefinition(w.open(gen.TemplateInstrumentDefinition, len(gen.InstrumentDefinition{}), 87))
	m.SetTick(s.Tick)
	m.SetLot(s.Lot)
	m.SetTickLotValue(int64(l.TickLot))
	m.SetMaxQty(None)
	m.SetMinNotional(None)
	m.SetTime(uint64(ev.Time))
	m.SetInitRate(None)
	m.SetMaintRate(None)
	m.SetStrike(None)
	m.SetExpiry(NoTime)
	m.SetInstrumentID(uint32(ev.Instr))
	m.SetPxExp(s.PriceExp)
	m.SetQtyExp(s.QtyExp)
	m.SetInstrumentType(gen.InstrumentType(l.Type))
	*m.Symbol() = l.Symbol
}

// print tells of lots that the ladder closed. Whose they were is not told.
func (w *marketWriter) print(ev *msg.Event) {
	if ev.Side == 0 || ev.Qty == 0 {
		return
	}
	s := w.scale(ev.Instr)
	m := gen.AsLiquidationPrint(w.open(gen.TemplateLiquidationPrint, len(gen.LiquidationPrint{}), 38))
	m.SetPrice(s.Price(ev.Price))
	m.SetQty(s.Qty(ev.Qty))
	m.SetTradeID(NoTime)
	m.SetTime(uint64(ev.Time))
	m.SetInstrumentID(uint32(ev.Instr))
	m.SetSide(gen.Side(ev.Side))
	m.SetKind(gen.LiquidationKindLiquidation)
	if ev.Kind == msg.AdlFill {
		m.SetKind(gen.LiquidationKindADL)
	}
	m.SetFlags(gen.MarketFlagsForced)
}
