package ops

import "github.com/tidwall/btree"

// Oracle matches as the stream's rules say, in the plainest way that keeps up
// with a stream of millions: one entry a price in a tree, a list of orders
// behind each, first come first served. Its answers are what files carry and
// what every faster book is compared with.
//
//	books        instrument -> bids, asks: price -> queue { head, tail }
//	             best = smallest key; bids are keyed by -price
//	orders       id -> { price, qty, side, prev, next, rests }
//
// A trade prints at the maker's price, one trade a maker. An account may trade
// with itself. A stream is of one instrument; spread over several it is another
// piece of work, with results of its own (Op.Instrument).
type Oracle struct {
	Result
	Rejects uint64 // cancels and replaces of what did not rest
	Fills   []Fill // of the last operation, in match order; overwritten by the next

	books           [][2]btree.Map[int64, *queue] // by instrument, then side
	orders          []order
	resting, levels int
}

// Fill is one trade of the operation that was applied last.
type Fill struct {
	Maker uint64
	Price int64
	Qty   uint32
	Done  bool // nothing of the maker rests any more
}

type queue struct{ head, tail uint32 }

type order struct {
	price      int64
	qty        uint32
	prev, next uint32 // ids, 0 is none
	side       Side
	rests      bool
}

// NewOracle returns an empty book for ids up to maxID.
func NewOracle(maxID uint64) *Oracle { return NewOracles(maxID, 1) }

// NewOracles returns the empty books of a number of instruments, for ids up to
// maxID.
func NewOracles(maxID uint64, instruments int) *Oracle {
	return &Oracle{Result: NoTrades(), books: make([][2]btree.Map[int64, *queue], instruments), orders: make([]order, maxID+1)}
}

// Resting returns the number of resting orders.
func (b *Oracle) Resting() int { return b.resting }

// Levels returns the number of prices at which something rests.
func (b *Oracle) Levels() int { return b.levels }

// Rests reports whether order id rests, and at which side and price.
func (b *Oracle) Rests(id uint64) (side Side, price int64, ok bool) {
	o := &b.orders[id]
	return o.side, o.price, o.rests
}

// Open returns the open lots of order id, 0 when it does not rest.
func (b *Oracle) Open(id uint64) uint32 {
	if o := &b.orders[id]; o.rests {
		return o.qty
	}
	return 0
}

// Apply executes one operation and reports whether it was accepted.
func (b *Oracle) Apply(op *Op) bool {
	b.Fills = b.Fills[:0]
	o := &b.orders[op.ID]
	side := op.Side
	if op.Kind >= Cancel {
		if !o.rests {
			b.Rejects++
			return false
		}
		side = o.side
		b.unlink(op.ID, o)
		if op.Kind == Cancel {
			return true
		}
	}
	qty := b.match(op, side)
	if qty > 0 && op.Kind != IOC {
		o.price, o.qty, o.side = op.Price, qty, side
		b.link(op.ID, o)
	}
	return true
}

// match trades op against the other side and returns what is left of it.
func (b *Oracle) match(op *Op, side Side) uint32 {
	qty := op.Qty
	for qty > 0 {
		k, q, ok := b.half(op.ID, side^1).Min()
		if !ok || k > key(side^1, op.Price) {
			break
		}
		maker := q.head
		m := &b.orders[maker]
		traded := min(qty, m.qty)
		qty -= traded
		m.qty -= traded
		b.Trade(op.ID, uint64(maker), m.price, uint64(traded))
		b.Fills = append(b.Fills, Fill{uint64(maker), m.price, traded, m.qty == 0})
		if m.qty == 0 {
			b.unlink(uint64(maker), m)
		}
	}
	return qty
}

func (b *Oracle) half(id uint64, side Side) *btree.Map[int64, *queue] {
	return &b.books[id%uint64(len(b.books))][side]
}

// key is the price as the tree of a side orders it: the best is the smallest.
func key(side Side, price int64) int64 {
	if side == Buy {
		return -price
	}
	return price
}

func (b *Oracle) link(id uint64, o *order) {
	half, k := b.half(id, o.side), key(o.side, o.price)
	q, ok := half.Get(k)
	if !ok {
		q = &queue{}
		half.Set(k, q)
		b.levels++
	}
	o.prev, o.next, o.rests = q.tail, 0, true
	if q.tail == 0 {
		q.head = uint32(id)
	} else {
		b.orders[q.tail].next = uint32(id)
	}
	q.tail = uint32(id)
	b.resting++
}

func (b *Oracle) unlink(id uint64, o *order) {
	half, k := b.half(id, o.side), key(o.side, o.price)
	q, _ := half.Get(k)
	if o.prev == 0 {
		q.head = o.next
	} else {
		b.orders[o.prev].next = o.next
	}
	if o.next == 0 {
		q.tail = o.prev
	} else {
		b.orders[o.next].prev = o.prev
	}
	if q.head == 0 {
		half.Delete(k)
		b.levels--
	}
	o.rests = false
	b.resting--
}

// Verify replays s and returns an error that names the first record, or the
// total, that disagrees with it. A blind stream agrees with everything. The
// oracle comes back for its other figures.
func (s *Stream) Verify(name string) (*Oracle, error) {
	b := NewOracle(s.MaxID)
	for i := range s.Ops {
		o := &s.Ops[i]
		b.Apply(o)
		if got := uint32(len(b.Fills)); got != o.Trades && !s.Blind() {
			return b, recordError(name, i, "causes %d trades, the record says %d", got, o.Trades)
		}
	}
	if err := s.Check(b.Result); err != nil {
		return b, &FormatError{name, "header", err.Error()}
	}
	return b, nil
}
