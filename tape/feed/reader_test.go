package feed_test

import (
	"cmp"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/tape/feed"
	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// reader is the naive reader of a feed: it knows records and their numbers and nothing else, and holds them to what a feed
// promises.
type reader struct {
	t      testing.TB
	number uint64 // of the next record
	orders map[uint64]*standing
	sweep  struct {
		qty, worst int64
		trade      uint64
		fills      uint32
		side       gen.Side
	}
	seen   map[uint16]int
	kinds  map[gen.LiquidationKind]int
	marks  map[uint32]*gen.MarkFunding
	status map[uint32]*gen.InstrumentStatus
	define map[uint32]*gen.InstrumentDefinition

	interested int                        // marks at which lots were held
	interest   map[msg.InstrumentID]int64 // the engine's, after the last command that marked and traded nothing
}

type standing struct {
	id, priority uint64
	price, qty   int64
	instr        uint32
	side         gen.Side
}

func newReader(t testing.TB) *reader {
	return &reader{t: t, number: 1, orders: map[uint64]*standing{}, seen: map[uint16]int{}, kinds: map[gen.LiquidationKind]int{}, marks: map[uint32]*gen.MarkFunding{},
		status: map[uint32]*gen.InstrumentStatus{}, define: map[uint32]*gen.InstrumentDefinition{}, interest: map[msg.InstrumentID]int64{}}
}

// records takes in what one command gave. W-60: the last of them says that the book is consistent, and no other does.
func (r *reader) records(b []byte) {
	for len(b) > 0 {
		size := 2 + int(binary.BigEndian.Uint16(b))
		m, fault := wire.OpenRecord(b[2:size])
		if fault.Kind != 0 {
			r.t.Fatal(fault)
		}
		b = b[size:]
		flags := r.record(&m)
		r.number++
		if (flags&gen.MarketFlagsLast != 0) != (len(b) == 0) {
			r.t.Fatalf("record %d, with %d bytes behind it, has flags %d", r.number-1, len(b), flags)
		}
	}
	if r.sweep.fills > 0 {
		r.t.Fatalf("%d trades of a sweep are missing", r.sweep.fills)
	}
}

func (r *reader) find(id uint64) *standing {
	o := r.orders[id]
	if o == nil {
		r.t.Fatalf("record %d speaks of order %d, which does not stand", r.number, id)
	}
	return o
}

func (r *reader) record(m *wire.Message) gen.MarketFlags {
	r.seen[m.Template]++
	if r.sweep.fills > 0 && m.Template != gen.TemplateOrderExecuted {
		r.t.Fatalf("template %d inside a sweep", m.Template)
	}
	switch m.Template {
	case gen.TemplateOrderAdd:
		o := gen.AsOrderAdd(m.Block)
		if r.orders[o.OrderID()] != nil {
			r.t.Fatalf("order %d is added twice", o.OrderID())
		}
		r.orders[o.OrderID()] = &standing{o.OrderID(), r.number, o.Price(), o.Qty(), o.InstrumentID(), o.Side()}
		return o.Flags()
	case gen.TemplateOrderReduce:
		o := gen.AsOrderReduce(m.Block)
		if old := r.find(o.OrderID()); o.NewQty() >= old.qty || o.NewQty() <= 0 || old.instr != o.InstrumentID() {
			r.t.Fatalf("order %d is reduced from %d to %d", o.OrderID(), old.qty, o.NewQty())
		}
		r.orders[o.OrderID()].qty = o.NewQty()
		return o.Flags()
	case gen.TemplateOrderMove:
		o := gen.AsOrderMove(m.Block)
		r.find(o.OrderID())
		r.orders[o.OrderID()] = &standing{o.OrderID(), r.number, o.Price(), o.Qty(), o.InstrumentID(), o.Side()}
		return o.Flags()
	case gen.TemplateOrderDelete:
		o := gen.AsOrderDelete(m.Block)
		r.find(o.OrderID())
		delete(r.orders, o.OrderID())
		return o.Flags()
	case gen.TemplateTradeSummary:
		s := gen.AsTradeSummary(m.Block)
		r.sweep.qty, r.sweep.worst, r.sweep.trade, r.sweep.fills, r.sweep.side = s.AggressorQty(), s.WorstPx(), s.FirstTradeID(), s.Fills(), s.Side()
		return s.Flags()
	case gen.TemplateOrderExecuted:
		return r.executed(gen.AsOrderExecuted(m.Block))
	}
	return r.state(m)
}

// state keeps what is told of an instrument.
func (r *reader) state(m *wire.Message) gen.MarketFlags {
	switch m.Template {
	case gen.TemplateMarkFunding:
		o := *gen.AsMarkFunding(m.Block)
		r.marks[o.InstrumentID()] = &o
		return o.Flags()
	case gen.TemplateInstrumentStatus:
		o := *gen.AsInstrumentStatus(m.Block)
		r.status[o.InstrumentID()] = &o
		return o.Flags()
	case gen.TemplateInstrumentDefinition:
		o := *gen.AsInstrumentDefinition(m.Block)
		r.define[o.InstrumentID()] = &o
		return o.Flags()
	case gen.TemplateLiquidationPrint:
		o := gen.AsLiquidationPrint(m.Block)
		r.kinds[o.Kind()]++
		return o.Flags()
	}
	r.t.Fatalf("template %d in the feed", m.Template)
	return 0
}

// executed holds W-61: a sweep is as long as its summary says, its trades are numbered on, its last price is the worst, and it takes
// from the other side's first order at the best price.
func (r *reader) executed(o *gen.OrderExecuted) gen.MarketFlags {
	s := &r.sweep
	if s.fills == 0 || o.TradeID() != s.trade || o.Side() == s.side {
		r.t.Fatalf("trade %d is not the one announced: %+v", o.TradeID(), *s)
	}
	s.fills--
	s.trade++
	s.qty -= o.Qty()
	if s.fills == 0 && (s.qty != 0 || s.worst != o.Price()) {
		r.t.Fatalf("a sweep announced %d more than it traded, down to %d, and ended at %d", s.qty, s.worst, o.Price())
	}
	resting := r.find(o.OrderID())
	if resting.price != o.Price() {
		r.t.Fatalf("order %d trades at %d, and rests at %d", o.OrderID(), o.Price(), resting.price)
	}
	if queue := r.queue(resting.instr, resting.side); queue[0] != resting {
		r.t.Fatalf("order %d trades before order %d", o.OrderID(), queue[0].id)
	}
	if resting.qty -= o.Qty(); resting.qty == 0 {
		delete(r.orders, o.OrderID())
	}
	return o.Flags()
}

// queue is a side of a book in the order in which it trades.
func (r *reader) queue(instr uint32, side gen.Side) (q []*standing) {
	for _, o := range r.orders {
		if o.instr == instr && o.side == side {
			q = append(q, o)
		}
	}
	slices.SortFunc(q, func(a, b *standing) int {
		price := cmp.Compare(a.price, b.price)
		if side == gen.SideBuy {
			price = -price
		}
		return cmp.Or(price, cmp.Compare(a.priority, b.priority))
	})
	return q
}

// compare holds the book of an instrument to the engine's, order by order, and its checksum to the tape's: W-65 over the engine's
// orders, with the priorities that were told.
func (r *reader) compare(e *engine.Engine, tape *feed.Tape, id msg.InstrumentID) {
	in, _ := e.Instrument(id)
	s := wire.ScaleOf(in.TickLot, in.UnitLots)
	sum, count := uint64(0), uint32(0)
	for _, side := range []msg.Side{msg.Buy, msg.Sell} {
		got, want := r.queue(uint32(id), gen.Side(side)), e.Queue(id, side, nil)
		if len(got) != len(want) {
			r.t.Fatalf("instrument %d, side %d: %d orders were told, want %d", id, side, len(got), len(want))
		}
		for i, w := range want {
			o := standing{uint64(w.Order), got[i].priority, s.Price(w.Price), s.Qty(w.Qty), uint32(id), gen.Side(side)}
			if *got[i] != o {
				r.t.Fatalf("instrument %d, side %d, place %d: told %+v, want %+v", id, side, i, *got[i], o)
			}
			sum += wire.OrderSum(o.id, o.price, o.qty, o.priority)
			count++
		}
	}
	if tape.Checksum(id) != sum || tape.Orders(id) != count {
		r.t.Fatalf("instrument %d: checksum %016x of %d orders, want %016x of %d", id, tape.Checksum(id), tape.Orders(id), sum, count)
	}
}

// witness notes the open interest at marks and payments. Where positions changed in the same command it was another one then, and is not known.
func (r *reader) witness(e *engine.Engine, events []msg.Event) {
	moved := false
	for i := range events {
		switch events[i].Kind {
		case msg.Traded, msg.AdlFill, msg.Takeover:
			moved = true
		}
	}
	for i := range events {
		if id := events[i].Instr; events[i].Kind == msg.MarkUpdated || events[i].Kind == msg.FundingSettled {
			in, _ := e.Instrument(id)
			s := wire.ScaleOf(in.TickLot, in.UnitLots)
			if r.interest[id] = s.Qty(e.OpenInterest(id)); moved {
				delete(r.interest, id)
			} else if r.interest[id] > 0 {
				r.interested++
			}
		}
	}
}

// compareState holds what was told of an instrument to what the engine shows.
func (r *reader) compareState(e *engine.Engine, id msg.InstrumentID) {
	in, listed := e.Instrument(id)
	d := r.define[uint32(id)]
	if listed != (d != nil) {
		r.t.Fatalf("instrument %d: listed is %v, and told is %v", id, listed, d != nil)
	}
	if !listed {
		return
	}
	s := wire.ScaleOf(in.TickLot, in.UnitLots)
	maxQty := wire.None
	if in.MaxQty != fixed.MaxInt64 {
		maxQty = s.Qty(in.MaxQty)
	}
	if d.MaxQty() != maxQty || d.MinNotional() != int64(in.MinNotional) || d.InitRate() != int64(in.Table[0].Initial) ||
		d.MaintRate() != int64(in.Table[0].Maintenance) || d.TickLotValue() != int64(in.TickLot) || d.Tick() != s.Tick || d.Lot() != s.Lot {
		r.t.Fatalf("instrument %d is told as %x", id, *d)
	}
	if st := r.status[uint32(id)]; st != nil {
		low, high := wire.None, wire.None
		if in.Low != fixed.MinInt64 {
			low = s.Price(in.Low)
		}
		if in.High != fixed.MaxInt64 {
			high = s.Price(in.High)
		}
		if st.State() != gen.Phase(in.Phase) || st.BandLow() != low || st.BandHigh() != high {
			r.t.Fatalf("instrument %d: phase %d in %d..%d was told, want %d in %d..%d", id, st.State(), st.BandLow(), st.BandHigh(), in.Phase, low, high)
		}
	} else if in.Phase != msg.Closed {
		r.t.Fatalf("instrument %d: its phase was not told", id)
	}
	r.compareMark(e, id, s)
}

func (r *reader) compareMark(e *engine.Engine, id msg.InstrumentID, s wire.Scale) {
	k, now := r.marks[uint32(id)], engine.Market{}
	now, _ = e.Market(id)
	if k == nil {
		if now.Mark != 0 || now.Index != 0 {
			r.t.Fatalf("instrument %d: mark %d was not told", id, now.Mark)
		}
		return
	}
	if want, ok := r.interest[id]; ok && k.OpenInterest() != want {
		r.t.Fatalf("instrument %d: an open interest of %d was told, want %d", id, k.OpenInterest(), want)
	}
	none := func(p fixed.Ticks) int64 {
		if p == 0 {
			return wire.None
		}
		return s.Price(p)
	}
	if k.MarkPx() != none(now.Mark) || k.IndexPx() != none(now.Index) {
		r.t.Fatalf("instrument %d: mark %d and index %d were told, want %d and %d", id, k.MarkPx(), k.IndexPx(), none(now.Mark), none(now.Index))
	}
	if state := k.State(); now.Oracle == 0 && state != 255 || now.Oracle != 0 && state != gen.OracleState(now.Oracle-msg.Good) && now.Oracle != msg.Frozen {
		r.t.Fatalf("instrument %d: state %d of its index was told, want %v", id, state, now.Oracle)
	}
}
