// Package ref holds the books that a figure is compared with. None of them is a
// venue's book; each answers how fast one idea is in plain Go on this machine.
//
//	Ladder       prices bounded, one array slot a tick, no risk: the floor of plain code
//	RiskLadder   the same with the least margin check that deserves the name: the floor with risk
//	MapBook      one tree entry a price: what a book costs without price blocks
//
// All of them take the operations of a stream one by one and count what they
// trade in an ops.Result. None allocates after its constructor but for the tree
// of MapBook.
package ref

import (
	"fmt"
	"math/bits"

	"github.com/lockstep-exchange/lockstep/bench/ops"
)

// Ladder is a direct-indexed tick ladder with a three-level bitmap a side,
// intrusive FIFO lists and orders indexed by the ids of the stream.
//
//	top  1 word      a bit for 4,096 ticks   --+
//	mid  64 words    a bit for 64 ticks      --+--> best price in three bit scans
//	low  4,096 words a bit for one tick      --+
//	levels [tick] { head, tail } -> orders [id] { price, qty, prev, next }
type Ladder struct {
	ops.Result
	Rejects uint64 // cancels and replaces of what did not rest

	bids, asks half
	orders     []resting
}

// ticks is the number of prices of a Ladder: 0 to ticks-1.
const ticks = 1 << 18

type resting struct {
	price      int32
	qty        uint32
	prev, next uint32 // ids, 0 is none
	side       ops.Side
	rests      bool
}

type level struct{ head, tail uint32 } // ids, 0 is none

type half struct {
	levels [ticks]level
	low    [ticks / 64]uint64
	mid    [ticks / 4096]uint64
	top    uint64
}

// NewLadder returns an empty ladder for the ids and prices of s, or an error when
// these are outside its bounds.
func NewLadder(s *ops.Stream) (*Ladder, error) {
	b := &Ladder{}
	return b, b.prepare(s)
}

func (b *Ladder) prepare(s *ops.Stream) error {
	if low, high, ok := s.Span(); ok && (low < 0 || high >= ticks) {
		return bounds("prices are %d to %d, the reference ladder holds 0 to %d", low, high, ticks-1)
	}
	if s.MaxID >= 1<<32 {
		return bounds("largest id is %d, the reference ladder holds up to %d", s.MaxID, uint32(1<<32-1))
	}
	b.Result = ops.NoTrades()
	b.orders = make([]resting, s.MaxID+1)
	for i := range b.orders { // touch the pages before a clock starts
		b.orders[i].qty = 0
	}
	return nil
}

// BoundsError says that a stream or a number is outside what a reference holds.
type BoundsError struct{ Reason string }

func (e *BoundsError) Error() string { return e.Reason }

// ExitCode is that of unusable input.
func (e *BoundsError) ExitCode() int { return 2 }

func bounds(format string, a ...any) error { return &BoundsError{fmt.Sprintf(format, a...)} }

// Run applies every operation of list.
func (b *Ladder) Run(list []ops.Op) {
	for i := range list {
		b.Apply(&list[i])
	}
}

// Apply executes one operation.
func (b *Ladder) Apply(op *ops.Op) {
	id := uint32(op.ID)
	o := &b.orders[id]
	side := op.Side
	if op.Kind >= ops.Cancel {
		if !o.rests {
			b.Rejects++
			return
		}
		side = o.side
		b.unlink(o)
		if op.Kind == ops.Cancel {
			return
		}
	}
	qty := b.match(id, side, int32(op.Price), op.Qty)
	if qty > 0 && op.Kind != ops.IOC {
		o.price, o.qty, o.side = int32(op.Price), qty, side
		b.link(id, o)
	}
}

// Counts returns the result, the rejects, and 0 refusals: there is no risk here.
func (b *Ladder) Counts() (r ops.Result, rejects, refused uint64) { return b.Result, b.Rejects, 0 }

func (b *Ladder) match(taker uint32, side ops.Side, price int32, qty uint32) uint32 {
	for qty > 0 {
		p, l := b.front(side, price)
		if l == nil {
			break
		}
		for qty > 0 && l.head != 0 {
			maker := l.head
			m := &b.orders[maker]
			traded := min(qty, m.qty)
			b.Trade(uint64(taker), uint64(maker), int64(p), uint64(traded))
			qty -= traded
			m.qty -= traded
			if m.qty == 0 {
				b.unlink(m)
			}
		}
	}
	return qty
}

// front returns the best level that an order of side may take up to its price,
// nil when there is none.
func (b *Ladder) front(side ops.Side, price int32) (int32, *level) {
	if side == ops.Buy {
		p := b.asks.lowest()
		if p < 0 || p > price {
			return 0, nil
		}
		return p, &b.asks.levels[p]
	}
	p := b.bids.highest()
	if p < 0 || p < price {
		return 0, nil
	}
	return p, &b.bids.levels[p]
}

func (b *Ladder) half(side ops.Side) *half {
	if side == ops.Buy {
		return &b.bids
	}
	return &b.asks
}

func (b *Ladder) link(id uint32, o *resting) {
	h := b.half(o.side)
	l := &h.levels[o.price]
	o.prev, o.next, o.rests = l.tail, 0, true
	if l.tail != 0 {
		b.orders[l.tail].next = id
	} else {
		l.head = id
		h.set(o.price)
	}
	l.tail = id
}

func (b *Ladder) unlink(o *resting) {
	h := b.half(o.side)
	l := &h.levels[o.price]
	if o.prev != 0 {
		b.orders[o.prev].next = o.next
	} else {
		l.head = o.next
	}
	if o.next != 0 {
		b.orders[o.next].prev = o.prev
	} else {
		l.tail = o.prev
	}
	if l.head == 0 {
		h.clear(o.price)
	}
	o.rests = false
}

func (h *half) set(p int32) {
	h.low[p>>6] |= 1 << (p & 63)
	h.mid[p>>12] |= 1 << ((p >> 6) & 63)
	h.top |= 1 << (p >> 12)
}

func (h *half) clear(p int32) {
	h.low[p>>6] &^= 1 << (p & 63)
	if h.low[p>>6] == 0 {
		h.mid[p>>12] &^= 1 << ((p >> 6) & 63)
		if h.mid[p>>12] == 0 {
			h.top &^= 1 << (p >> 12)
		}
	}
}

// highest returns the highest price with an order, -1 when there is none.
func (h *half) highest() int32 {
	if h.top == 0 {
		return -1
	}
	i := 63 - bits.LeadingZeros64(h.top)
	j := i<<6 | (63 - bits.LeadingZeros64(h.mid[i]))
	return int32(j<<6 | (63 - bits.LeadingZeros64(h.low[j])))
}

// lowest returns the lowest price with an order, -1 when there is none.
func (h *half) lowest() int32 {
	if h.top == 0 {
		return -1
	}
	i := bits.TrailingZeros64(h.top)
	j := i<<6 | bits.TrailingZeros64(h.mid[i])
	return int32(j<<6 | bits.TrailingZeros64(h.low[j]))
}
