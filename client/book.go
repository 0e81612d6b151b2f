package client

import (
	"fmt"
	"iter"
	"slices"

	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// Book is an instrument's order book, order by order, from the records of the feed and from snapshots.
//
//	bids, asks   | level | level | best |      sorted, the best last, so that most changes are near the end
//	                | head, tail
//	rows         order <-> order <-> order     in the order in which they trade
//
// A book begins at the first record of a channel (NewBook), or with a snapshot (Load), and takes the channel record by record from
// there on (Apply). It checks what it is told: a record that does not fit, or a gap in the numbers, breaks it until the next
// snapshot.
//
// Invariant: sum is the checksum (W-65) of the orders in it; a level that is in a ladder has orders.
//
// Nothing is allocated but where the book grows beyond what it has ever been.
type Book struct {
	instrument msg.InstrumentID
	next       uint64 // the number of the next record; 0: the book waits for a snapshot
	settled    bool   // the last record ended an event
	broken     error
	loading    *gen.SnapshotBegin // of the snapshot that is coming, nil for none; it is begun
	begun      gen.SnapshotBegin

	rows  []bookRow // row 0 is none
	free  uint32
	byID  index
	sides [2]ladder // bids, asks
	sum   uint64

	definition gen.InstrumentDefinition
	status     gen.InstrumentStatus
	mark       gen.MarkFunding
}

// BookOrder is an order of the book.
type BookOrder struct {
	ID       msg.OrderID
	Price    int64
	Qty      int64
	Priority uint64 // the number of the record that gave it its place
	Side     gen.Side
}

type bookRow struct {
	BookOrder
	next, prev uint32
}

// Level is all orders at a price.
type Level struct {
	Price, Qty int64
	Orders     int
	head, tail uint32
}

// ladder is the levels of a side; the best is the last.
type ladder struct {
	levels []Level
	falls  bool // prices fall toward the best: asks
}

// NewBook is the empty book of an instrument before the first record of its channel; with next 0 it waits for a snapshot. Room for so
// many orders is there from the start.
func NewBook(instrument msg.InstrumentID, next uint64, orders int) *Book {
	b := &Book{instrument: instrument, next: next, settled: true, rows: make([]bookRow, 1, orders+1), byID: newIndex(max(orders, 1))}
	for i := range b.sides {
		b.sides[i] = ladder{make([]Level, 0, max(orders/8, 64)), i == 1}
	}
	return b
}

// Ready reports whether the book is that of the venue behind a whole event: nothing is missing, broken or half told.
func (b *Book) Ready() bool { return b.next != 0 && b.settled && b.broken == nil && b.loading == nil }

// Next is the number of the record that the book waits for; 0 while it needs a snapshot.
func (b *Book) Next() uint64 {
	if b.broken != nil {
		return 0
	}
	return b.next
}

// Err is what broke the book.
func (b *Book) Err() error { return b.broken }

// Checksum is that of W-65 over all orders.
func (b *Book) Checksum() uint64 { return b.sum }

// Count is how many orders the book has.
func (b *Book) Count() int { return b.byID.count }

// Definition, Status and Mark are the last that were told of the instrument; their InstrumentID is 0 until one was.
func (b *Book) Definition() *gen.InstrumentDefinition { return &b.definition }

// Status is documented at Definition.
func (b *Book) Status() *gen.InstrumentStatus { return &b.status }

// Mark is documented at Definition.
func (b *Book) Mark() *gen.MarkFunding { return &b.mark }

// Order is an order of the book by its id.
func (b *Book) Order(id msg.OrderID) (o BookOrder, ok bool) {
	row := b.byID.find(uint64(id))
	return b.rows[row].BookOrder, row != 0
}

// Best is the best level of a side; ok is false where the side is empty.
func (b *Book) Best(side gen.Side) (l Level, ok bool) {
	levels := b.side(side).levels
	if len(levels) == 0 {
		return Level{}, false
	}
	return levels[len(levels)-1], true
}

// Depth goes through the levels of a side, the best first.
func (b *Book) Depth(side gen.Side) iter.Seq[Level] {
	levels := b.side(side).levels
	return func(yield func(Level) bool) {
		for i := len(levels) - 1; i >= 0; i-- {
			if !yield(levels[i]) {
				return
			}
		}
	}
}

// Queue goes through the orders of a level, the first to trade first.
func (b *Book) Queue(l Level) iter.Seq[BookOrder] {
	return func(yield func(BookOrder) bool) {
		for row := l.head; row != 0; row = b.rows[row].next {
			if !yield(b.rows[row].BookOrder) {
				return
			}
		}
	}
}

func (b *Book) side(side gen.Side) *ladder { return &b.sides[(side-1)&1] }

// Apply takes a record of the channel, whosever it is: all of them, in the order of their numbers. Records that the book already
// has are passed over. An error breaks the book.
func (b *Book) Apply(number uint64, m *wire.Message) error {
	switch {
	case b.broken != nil || b.next == 0 || number < b.next:
		return b.broken
	case number > b.next:
		return b.fail(number, m, "follows", b.next-1)
	case b.loading != nil:
		return b.fail(number, m, "comes inside a snapshot, behind", b.next-1)
	}
	b.next++
	b.settled = flagsOf(m)&gen.MarketFlagsLast != 0
	return b.record(number, m)
}

// Load takes a record of a snapshot, whose records have no numbers. Behind its end the book goes on with Next. A snapshot of
// another instrument is passed over.
func (b *Book) Load(m *wire.Message) error {
	if m.Template == gen.TemplateSnapshotBegin {
		begin := gen.AsSnapshotBegin(m.Block)
		if msg.InstrumentID(begin.InstrumentID()) != b.instrument {
			return nil
		}
		b.begun, b.broken, b.settled = *begin, nil, false
		b.loading = &b.begun
		b.empty()
		return nil
	}
	if b.loading == nil {
		return nil
	}
	if m.Template != gen.TemplateSnapshotEnd {
		return b.record(0, m)
	}
	end := gen.AsSnapshotEnd(m.Block)
	b.loading = nil
	switch {
	case uint64(end.Orders()) != uint64(b.Count()) || end.Orders() != b.begun.Orders():
		return b.fail(0, m, "counts other orders than came, which were", uint64(b.Count()))
	case end.Checksum() != b.sum:
		return b.fail(0, m, "has another checksum than its orders, which have", b.sum)
	case end.NextChannelSeq() != b.begun.NextChannelSeq() || end.NextChannelSeq() == 0:
		return b.fail(0, m, "goes on with another record than its beginning says, which is", b.begun.NextChannelSeq())
	}
	b.next, b.settled = end.NextChannelSeq(), true
	return nil
}

// fail breaks the book.
func (b *Book) fail(number uint64, m *wire.Message, what string, against uint64) error {
	b.broken = fmt.Errorf("client: book of instrument %d: record %d (template %d) %s %d", b.instrument, number, m.Template, what, against)
	b.loading = nil
	return b.broken
}

// empty takes all orders out.
func (b *Book) empty() {
	b.rows, b.free, b.sum = b.rows[:1], 0, 0
	b.byID.clear()
	b.sides[0].levels, b.sides[1].levels = b.sides[0].levels[:0], b.sides[1].levels[:0]
}

// flagsOf are the flags of a record of the feed. Each template has them elsewhere.
func flagsOf(m *wire.Message) gen.MarketFlags {
	switch m.Template {
	case gen.TemplateOrderAdd:
		return gen.AsOrderAdd(m.Block).Flags()
	case gen.TemplateOrderReduce:
		return gen.AsOrderReduce(m.Block).Flags()
	case gen.TemplateOrderMove:
		return gen.AsOrderMove(m.Block).Flags()
	case gen.TemplateOrderDelete:
		return gen.AsOrderDelete(m.Block).Flags()
	case gen.TemplateOrderExecuted:
		return gen.AsOrderExecuted(m.Block).Flags()
	case gen.TemplateTradeSummary:
		return gen.AsTradeSummary(m.Block).Flags()
	case gen.TemplateMarkFunding:
		return gen.AsMarkFunding(m.Block).Flags()
	case gen.TemplateInstrumentStatus:
		return gen.AsInstrumentStatus(m.Block).Flags()
	case gen.TemplateInstrumentDefinition:
		return gen.AsInstrumentDefinition(m.Block).Flags()
	case gen.TemplateLiquidationPrint:
		return gen.AsLiquidationPrint(m.Block).Flags()
	case gen.TemplateChannelReset:
		return gen.AsChannelReset(m.Block).Flags()
	}
	return 0
}

// record takes a record of the channel or of a snapshot. What is of no book, or of a template that is not known, changes nothing.
func (b *Book) record(number uint64, m *wire.Message) error {
	if m.Schema != gen.SchemaMarketData {
		return nil
	}
	switch m.Template {
	case gen.TemplateOrderAdd:
		o := gen.AsOrderAdd(m.Block)
		return b.enter(number, m, BookOrder{msg.OrderID(o.OrderID()), o.Price(), o.Qty(), number, o.Side()}, o.InstrumentID())
	case gen.TemplateSnapshotOrder:
		o := gen.AsSnapshotOrder(m.Block)
		return b.enter(number, m, BookOrder{msg.OrderID(o.OrderID()), o.Price(), o.Qty(), o.Priority(), o.Side()}, o.InstrumentID())
	case gen.TemplateOrderMove:
		o := gen.AsOrderMove(m.Block)
		if row, err := b.row(number, m, o.OrderID(), o.InstrumentID()); row == 0 {
			return err
		} else if err := b.shrink(number, m, row, 0); err != nil {
			return err
		}
		return b.enter(number, m, BookOrder{msg.OrderID(o.OrderID()), o.Price(), o.Qty(), number, o.Side()}, o.InstrumentID())
	case gen.TemplateOrderDelete:
		o := gen.AsOrderDelete(m.Block)
		row, err := b.row(number, m, o.OrderID(), o.InstrumentID())
		if row == 0 {
			return err
		}
		return b.shrink(number, m, row, 0)
	case gen.TemplateOrderReduce:
		o := gen.AsOrderReduce(m.Block)
		row, err := b.row(number, m, o.OrderID(), o.InstrumentID())
		if row == 0 {
			return err
		}
		return b.shrink(number, m, row, o.NewQty())
	case gen.TemplateOrderExecuted:
		o := gen.AsOrderExecuted(m.Block)
		row, err := b.row(number, m, o.OrderID(), o.InstrumentID())
		if row == 0 {
			return err
		}
		return b.shrink(number, m, row, b.rows[row].Qty-o.Qty())
	case gen.TemplateInstrumentDefinition:
		if d := gen.AsInstrumentDefinition(m.Block); msg.InstrumentID(d.InstrumentID()) == b.instrument {
			b.definition = *d
		}
	case gen.TemplateInstrumentStatus:
		if d := gen.AsInstrumentStatus(m.Block); msg.InstrumentID(d.InstrumentID()) == b.instrument {
			b.status = *d
		}
	case gen.TemplateMarkFunding:
		if d := gen.AsMarkFunding(m.Block); msg.InstrumentID(d.InstrumentID()) == b.instrument {
			b.mark = *d
		}
	case gen.TemplateChannelReset:
		return b.fail(number, m, "resets the channel to epoch", uint64(gen.AsChannelReset(m.Block).NewEpoch()))
	}
	return nil
}

// enter puts an order at the tail of its level.
func (b *Book) enter(number uint64, m *wire.Message, o BookOrder, instrument uint32) error {
	switch {
	case msg.InstrumentID(instrument) != b.instrument:
		return nil
	case o.ID == 0 || b.byID.find(uint64(o.ID)) != 0:
		return b.fail(number, m, "adds an order that is there already", uint64(o.ID))
	case o.Qty <= 0 || !o.Side.Known():
		return b.fail(number, m, "adds an order without quantity or side", uint64(o.ID))
	}
	side := b.side(o.Side)
	at, found := side.find(o.Price)
	if found && b.rows[side.levels[at].tail].Priority >= o.Priority {
		return b.fail(number, m, "puts an order behind a later one", uint64(o.ID))
	}

	row := b.take()
	b.rows[row] = bookRow{BookOrder: o}
	b.byID.put(uint64(o.ID), row)
	b.sum += o.sum()
	if !found {
		side.insert(at, Level{Price: o.Price})
	}
	l := &side.levels[at]
	if b.rows[row].prev = l.tail; l.tail != 0 {
		b.rows[l.tail].next = row
	} else {
		l.head = row
	}
	l.tail = row
	l.Qty += o.Qty
	l.Orders++
	return nil
}

// take takes a free row.
func (b *Book) take() (row uint32) {
	if row = b.free; row != 0 {
		b.free = b.rows[row].next
		return row
	}
	b.rows = append(b.rows, bookRow{})
	return uint32(len(b.rows) - 1)
}

// sum is what an order adds to the checksum.
func (o *BookOrder) sum() uint64 { return wire.OrderSum(uint64(o.ID), o.Price, o.Qty, o.Priority) }

// row is the row of an order that a record speaks of; 0 where it is another instrument's, and with an error where there is none.
func (b *Book) row(number uint64, m *wire.Message, id uint64, instrument uint32) (uint32, error) {
	if msg.InstrumentID(instrument) != b.instrument {
		return 0, nil
	}
	row := b.byID.find(id)
	if row == 0 {
		return 0, b.fail(number, m, "speaks of an order that is not there", id)
	}
	return row, nil
}

// shrink leaves an order with less; with nothing it is out of the book.
func (b *Book) shrink(number uint64, m *wire.Message, row uint32, left int64) error {
	o := &b.rows[row]
	if left < 0 || left >= o.Qty {
		return b.fail(number, m, "takes more than there is, or nothing, of order", uint64(o.ID))
	}

	side := b.side(o.Side)
	at, _ := side.find(o.Price)
	l := &side.levels[at]
	b.sum -= o.sum()
	l.Qty -= o.Qty - left
	if o.Qty = left; left > 0 {
		b.sum += o.sum()
		return nil
	}
	b.unlink(l, row)
	if l.Orders--; l.Orders == 0 {
		side.remove(at)
	}
	b.byID.remove(uint64(o.ID))
	b.rows[row] = bookRow{next: b.free}
	b.free = row
	return nil
}

func (b *Book) unlink(l *Level, row uint32) {
	o := &b.rows[row]
	if o.prev != 0 {
		b.rows[o.prev].next = o.next
	} else {
		l.head = o.next
	}
	if o.next != 0 {
		b.rows[o.next].prev = o.prev
	} else {
		l.tail = o.prev
	}
}

// below reports whether a price is worse than another on this side.
func (s *ladder) below(a, b int64) bool {
	if s.falls {
		return a > b
	}
	return a < b
}

// find is where the level of a price is, or would be: it steps back from the best, further each time, and then halves.
func (s *ladder) find(price int64) (at int, found bool) {
	low, high := 0, len(s.levels)
	for step := 1; step <= high; step *= 2 {
		if s.below(s.levels[high-step].Price, price) {
			low = high - step + 1
			break
		}
		high -= step
	}
	for low < high {
		if middle := (low + high) / 2; s.below(s.levels[middle].Price, price) {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low, low < len(s.levels) && s.levels[low].Price == price
}

func (s *ladder) insert(at int, l Level) { s.levels = slices.Insert(s.levels, at, l) }

func (s *ladder) remove(at int) { s.levels = slices.Delete(s.levels, at, at+1) }
