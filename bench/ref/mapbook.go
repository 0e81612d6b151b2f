package ref

import (
	"github.com/lockstep-exchange/lockstep/bench/ops"
	core "github.com/lockstep-exchange/lockstep/book"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/tidwall/btree"
)

// MapBook is a book with one tree entry a price, which is how a B-tree is mostly used. It has the order rows, the ids, the
// queues and the fills of package book, and the best level at hand; what it lacks are the blocks of 64 prices. So the
// difference between the two is what the blocks bring.
//
//	btree.Map  rank -> row of a level          rank: the price among asks, its negative among bids
//	level      { rank, qty, head, tail, count }
//	order      in a book.Store; Level names its level, Next and Prev its neighbors
type MapBook struct {
	ops.Result
	Rejects uint64 // cancels and replaces of what did not rest

	store  *core.Store
	sides  [2]ranks // asks, bids
	levels []priceLevel
	free   []uint32      // rows of levels, the last one is taken first
	ids    []msg.OrderID // by id of the stream
	fills  []core.Fill
}

// ranks is one side: its tree and, so that best needs no search, its first level.
type ranks struct {
	tree btree.Map[int64, uint32]
	best int64 // rank of the first level; worst where there is none
	head uint32
}

const worst = fixed.MaxInt64

type priceLevel struct {
	rank       int64
	qty        fixed.Lots
	head, tail uint32
	count      uint32
	_          uint32
}

// Peak returns the largest number of orders of s that rest at once. It plays the whole stream.
func Peak(s *ops.Stream) uint32 {
	b := ops.NewOracle(s.MaxID)
	peak := 0
	for i := range s.Ops {
		b.Apply(&s.Ops[i])
		peak = max(peak, b.Resting())
	}
	return uint32(peak)
}

// NewMapBook returns an empty book for the ids of s, with rows for so many resting orders: at least Peak of s.
func NewMapBook(s *ops.Stream, orders uint32) *MapBook {
	b := &MapBook{
		Result: ops.NoTrades(),
		store:  core.NewStore(orders, 0, 0),
		levels: make([]priceLevel, uint64(orders)+1),
		free:   make([]uint32, orders),
		ids:    make([]msg.OrderID, s.MaxID+1),
		fills:  make([]core.Fill, 0, 64),
	}
	for i := range b.ids { // touch the pages before a clock starts
		b.ids[i] = 0
	}
	for i := range b.free {
		b.levels[i+1] = priceLevel{}
		b.free[i] = orders - uint32(i)
	}
	b.sides[0].best, b.sides[1].best = worst, worst
	return b
}

// Run applies every operation of list.
func (b *MapBook) Run(list []ops.Op) {
	for i := range list {
		b.Apply(&list[i])
	}
}

// Counts returns the result, the rejects, and 0 refusals: there is no risk here.
func (b *MapBook) Counts() (r ops.Result, rejects, refused uint64) { return b.Result, b.Rejects, 0 }

// Apply executes one operation.
func (b *MapBook) Apply(op *ops.Op) {
	h, side := uint32(0), msg.Side(op.Side)+msg.Buy
	if op.Kind >= ops.Cancel {
		h = b.store.Find(b.ids[op.ID])
		if h == 0 {
			b.Rejects++
			return
		}
		side = b.store.Order(h).Side
		b.unlink(h)
		if op.Kind == ops.Cancel {
			b.store.Free(h)
			return
		}
	}
	leaves := fixed.Lots(op.Qty)
	if limit := rankOf(side.Opposite(), op.Price); b.sides[side.Opposite()&1].best <= limit {
		leaves = b.match(op, side, limit, leaves)
	}
	if leaves == 0 || op.Kind == ops.IOC {
		if h != 0 {
			b.store.Free(h)
		}
		return
	}
	b.rest(op, h, side, leaves)
}

// rest links what is left of an operation, in row h or, if that is 0, in a new one.
func (b *MapBook) rest(op *ops.Op, h uint32, side msg.Side, leaves fixed.Lots) {
	if h == 0 {
		h = b.store.Alloc()
		if h == 0 {
			panic("ref: more orders rest than NewMapBook was told")
		}
		b.ids[op.ID] = b.store.ID(h)
	}
	o, t := b.store.Order(h), b.store.Ticket(h)
	o.Leaves, o.Side = leaves, side
	t.Price, t.Filled, t.Ref, t.Account, t.Instr = fixed.Ticks(op.Price), 0, msg.Ref(op.ID), msg.AccountID(op.Account), 1
	b.link(h, o, op.Price)
}

// match trades op against the other side and returns what is left of it.
func (b *MapBook) match(op *ops.Op, side msg.Side, limit int64, leaves fixed.Lots) fixed.Lots {
	b.fills = b.fills[:0]
	s := &b.sides[side.Opposite()&1]
	for leaves > 0 && s.best <= limit {
		h := b.levels[s.head].head
		o, t := b.store.Order(h), b.store.Ticket(h)
		traded := min(leaves, o.Leaves)
		leaves -= traded
		t.Filled += traded
		b.fills = append(b.fills, core.Fill{Maker: b.store.ID(h), Ref: t.Ref, Price: t.Price, Qty: traded,
			Leaves: o.Leaves - traded, Filled: t.Filled, Account: t.Account, Handle: h, Kind: core.Trade})
		if traded < o.Leaves {
			o.Leaves -= traded
			b.levels[s.head].qty -= traded
			break
		}
		b.unlink(h)
		b.store.Free(h)
	}
	for i := range b.fills {
		f := &b.fills[i]
		b.Trade(op.ID, uint64(f.Ref), int64(f.Price), uint64(f.Qty))
	}
	return leaves
}

func (b *MapBook) link(h uint32, o *core.Order, price int64) {
	s, rank := &b.sides[o.Side&1], rankOf(o.Side, price)
	row, _ := s.tree.Get(rank)
	if row == 0 {
		row = b.addLevel(s, rank)
	}
	l := &b.levels[row]
	o.Level, o.Prev, o.Next = row, l.tail, 0
	if l.tail != 0 {
		b.store.Order(l.tail).Next = h
	} else {
		l.head = h
	}
	l.tail = h
	l.qty += o.Leaves
	l.count++
}

func (b *MapBook) unlink(h uint32) {
	o := b.store.Order(h)
	l := &b.levels[o.Level]
	l.qty -= o.Leaves
	l.count--
	if o.Prev != 0 {
		b.store.Order(o.Prev).Next = o.Next
	} else {
		l.head = o.Next
	}
	if o.Next != 0 {
		b.store.Order(o.Next).Prev = o.Prev
	} else {
		l.tail = o.Prev
	}
	if l.count == 0 {
		b.dropLevel(&b.sides[o.Side&1], o.Level)
	}
	o.Next, o.Prev, o.Level = 0, 0, 0
}

func (b *MapBook) addLevel(s *ranks, rank int64) uint32 {
	row := b.free[len(b.free)-1]
	b.free = b.free[:len(b.free)-1]
	b.levels[row] = priceLevel{rank: rank}
	s.tree.Set(rank, row)
	if rank < s.best {
		s.best, s.head = rank, row
	}
	return row
}

func (b *MapBook) dropLevel(s *ranks, row uint32) {
	s.tree.Delete(b.levels[row].rank)
	b.free = append(b.free, row)
	if row != s.head {
		return
	}
	best, head, ok := s.tree.Min()
	if !ok {
		best, head = worst, 0
	}
	s.best, s.head = best, head
}

// rankOf is the price among asks and its negative among bids, so that the best rank is the lowest.
func rankOf(side msg.Side, price int64) int64 {
	if side == msg.Buy {
		return -price
	}
	return price
}
