package bench

import (
	"github.com/lockstep-exchange/lockstep/bench/ops"
	"github.com/lockstep-exchange/lockstep/book"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// BareBook drives package book from a stream: no gate, no accounts, no events.
// Orders are found by the ids that the book gave them, as a venue would; the array
// from id of the stream to id of the book is part of what is timed.
//
//	op -> ids[op.ID] -> Store.Find -> Unlink, Free
//	op -> Crosses, Match -> fills -> Result
//	op -> Alloc -> Link -> ids[op.ID]
type BareBook struct {
	ops.Result
	Rejects uint64 // cancels and replaces of what did not rest

	store *book.Store
	books []*book.Book
	ids   []msg.OrderID // by id of the stream
	fills []book.Fill
	taker book.Taker
}

// fillRoom is how many makers are met in one call.
const fillRoom = 1 << 10

// NewBareBook returns empty books for p.
func NewBareBook(p *Plan) *BareBook {
	orders := uint32(p.Resting) + 1
	b := &BareBook{
		Result: ops.NoTrades(),
		store:  book.NewStore(orders, orders, orders+uint32(p.Instruments)*128),
		ids:    make([]msg.OrderID, p.Stream.MaxID+1),
		fills:  make([]book.Fill, 0, fillRoom),
		taker:  book.Taker{STP: msg.STPNone},
	}
	for i := range b.ids { // touch the pages before a clock starts
		b.ids[i] = 0
	}
	for i := range p.Instruments {
		b.books = append(b.books, book.New(b.store, msg.InstrumentID(i+1), fixed.Ticks(p.Start())))
	}
	return b
}

// Run applies every operation of list.
func (b *BareBook) Run(list []ops.Op) {
	if len(b.books) > 1 {
		for i := range list {
			b.Apply(&list[i])
		}
		return
	}
	only := b.books[0]
	for i := range list {
		b.apply(only, &list[i])
	}
}

// Apply executes one operation.
func (b *BareBook) Apply(op *ops.Op) {
	b.apply(b.books[op.Instrument(uint64(len(b.books)))], op)
}

// Counts returns the result, the rejects, and 0 refusals: there is no risk here.
func (b *BareBook) Counts() (r ops.Result, rejects, refused uint64) { return b.Result, b.Rejects, 0 }

// Rests reports whether an order of the stream rests, and at which side and price.
func (b *BareBook) Rests(id uint64) (side ops.Side, price int64, ok bool) {
	h := b.store.Find(b.ids[id])
	if h == 0 {
		return 0, 0, false
	}
	return ops.Side(b.store.Order(h).Side - msg.Buy), int64(b.store.Ticket(h).Price), true
}

func (b *BareBook) apply(k *book.Book, op *ops.Op) {
	h := uint32(0)
	if op.Kind >= ops.Cancel {
		h = b.store.Find(b.ids[op.ID])
		if h == 0 {
			b.Rejects++
			return
		}
		k.Unlink(h)
		if op.Kind == ops.Cancel {
			b.store.Free(h)
			return
		}
	}
	side, price, leaves := msg.Side(op.Side)+msg.Buy, fixed.Ticks(op.Price), fixed.Lots(op.Qty)
	if k.Crosses(side, price) {
		leaves = b.match(k, op, side, price, leaves)
	}
	if leaves == 0 || op.Kind == ops.IOC {
		if h != 0 {
			b.store.Free(h)
		}
		return
	}
	if h == 0 {
		h = b.store.Alloc()
		b.ids[op.ID] = b.store.ID(h)
	}
	o, t := b.store.Order(h), b.store.Ticket(h)
	o.Leaves, o.Side = leaves, side
	t.Price, t.Filled, t.Ref, t.Account, t.Instr = price, 0, msg.Ref(op.ID), msg.AccountID(op.Account), 1
	k.Link(h, side, price)
}

// match lets an operation trade and returns what is left of it.
func (b *BareBook) match(k *book.Book, op *ops.Op, side msg.Side, price fixed.Ticks, leaves fixed.Lots) fixed.Lots {
	t := &b.taker
	t.Side, t.Limit, t.Leaves = side, price, leaves
	for {
		t.Room = fillRoom
		b.fills = k.Match(t, b.fills[:0])
		for i := range b.fills {
			f := &b.fills[i]
			b.Trade(op.ID, uint64(f.Ref), int64(f.Price), uint64(f.Qty))
		}
		if t.Stop != book.StopBound {
			return t.Leaves
		}
	}
}

// ReportHash returns the SHA-256 of the report text of p's stream as the bare
// book answers it, and whether that is what the oracle writes.
func ReportHash(p *Plan) (hash string, equal bool) {
	b, r := NewBareBook(p), ops.NewReports()
	for i := range p.Stream.Ops {
		op := &p.Stream.Ops[i]
		side, price, rests := b.Rests(op.ID)
		r.Begin(op)
		b.fills = b.fills[:0]
		b.Apply(op)
		for i := range b.fills {
			f := &b.fills[i]
			r.Trade(uint64(f.Ref), int64(f.Price), uint64(f.Qty))
		}
		if op.Kind >= ops.Cancel && !rests {
			r.Reject()
		} else {
			r.Accept(side, price)
		}
	}
	hash = r.Hash()
	return hash, hash == p.Stream.ReportHash()
}
