package book_test

import (
	"testing"

	"github.com/lockstep-exchange/lockstep/bench/ops"
	"github.com/lockstep-exchange/lockstep/book"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// driver plays an OPS1 stream on a bare book: ids of the stream become ids of the book and back.
type driver struct {
	store *book.Store
	book  *book.Book
	ids   []msg.OrderID // by stream id
	fills []book.Fill
	taker book.Taker
	ops.Result
	rejects uint64
}

const fillRoom = 1 << 10

func newDriver(maxID uint64, orders uint32, start fixed.Ticks) *driver {
	d := &driver{store: book.NewStore(orders, orders, orders+256), ids: make([]msg.OrderID, maxID+1),
		fills: make([]book.Fill, 0, fillRoom), Result: ops.NoTrades()}
	for i := range d.ids {
		d.ids[i] = 0
	}
	d.book = book.New(d.store, 1, start)
	d.taker.STP = msg.STPNone
	return d
}

func (d *driver) apply(op *ops.Op) {
	h := uint32(0)
	if op.Kind >= ops.Cancel {
		h = d.store.Find(d.ids[op.ID])
		if h == 0 {
			d.rejects++
			return
		}
		d.book.Unlink(h)
		if op.Kind == ops.Cancel {
			d.store.Free(h)
			return
		}
	}
	side, price, leaves := msg.Side(op.Side+1), fixed.Ticks(op.Price), fixed.Lots(op.Qty)
	if d.book.Crosses(side, price) {
		leaves = d.match(op, side, price, leaves)
	}
	if leaves == 0 || op.Kind == ops.IOC {
		if h != 0 {
			d.store.Free(h)
		}
		return
	}
	if h == 0 {
		h = d.store.Alloc()
		if h == 0 {
			panic("driver: the store is too small for the stream")
		}
		d.ids[op.ID] = d.store.ID(h)
	}
	o, t := d.store.Order(h), d.store.Ticket(h)
	o.Leaves, o.Side = leaves, side
	t.Price, t.Filled, t.Ref, t.Account, t.Instr = price, 0, msg.Ref(op.ID), msg.AccountID(op.Account), 1
	d.book.Link(h, side, price)
}

func (d *driver) match(op *ops.Op, side msg.Side, price fixed.Ticks, leaves fixed.Lots) fixed.Lots {
	t := &d.taker
	t.Side, t.Limit, t.Leaves = side, price, leaves
	for {
		t.Room = fillRoom
		d.fills = d.book.Match(t, d.fills[:0])
		for i := range d.fills {
			f := &d.fills[i]
			d.Trade(op.ID, uint64(f.Ref), int64(f.Price), uint64(f.Qty))
		}
		if t.Stop != book.StopBound {
			return t.Leaves
		}
	}
}

// TestStreams holds that the book does the work of the published short streams: equal trades, volume and checksum.
func TestStreams(t *testing.T) {
	for _, p := range ops.Profiles() {
		s, err := ops.Generate(p, 100_000, ops.Seed)
		if err != nil {
			t.Fatal(err)
		}
		d := newDriver(s.MaxID, uint32(2*p.Resting), 131072)
		for i := range s.Ops {
			d.apply(&s.Ops[i])
		}
		if err := s.Check(d.Result); err != nil {
			t.Errorf("%s: %v", p.Name, err)
		}
	}
}
