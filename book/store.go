package book

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Store holds the rows of a shard: orders and their tickets, price levels and blocks of 64 levels, made once and shared by
// all its books. A row is named by its handle, a uint32; handle 0 is none, and row 0 of the orders is written to in place
// of a neighbor that is not there, and never read.
//
// Words: a row is free or taken; a taken order row is an order; an order that stands in a queue rests.
//
//	            1   2   3   4   5   6
//	orders    [ * | * | - | * | - | - ]      * taken, - free: what a queue needs
//	tickets   [ * | * | ? | * | ? | ? ]      what else is to be known of the order
//	free  [ 0 | 6 | 3 | 5 ]                  a stack: the next Alloc takes 5, then 3, then 6, then there is none
//	                    ^ top
//
// Invariant: a row is either taken or on the stack, once. A free order row is zero but for Gen; its ticket is
// what it was.
type Store struct {
	orders  []Order
	tickets []Ticket
	levels  []level
	blocks  []block
	slots   []slots // by block

	orderRows, levelRows, blockRows rows

	expiry   expiry
	arrivals []msg.Seq // by handle, see auction.go
	tags     []Tag     // by handle, see tag.go
}

// rows hands out the handles of one slab, the last one given back first.
type rows struct {
	free []uint32 // a stack on top of a 0
	top  uint32   // how many rows are free
}

func newRows(count uint32) rows {
	r := rows{free: make([]uint32, uint64(count)+1), top: count}
	for i := range count {
		r.free[i+1] = count - i
	}
	return r
}

// take is a free row, 0 when there is none.
func (r *rows) take() uint32 {
	h := r.free[r.top]
	if h != 0 {
		r.top--
	}
	return h
}

// give puts a taken row on top of the stack.
func (r *rows) give(h uint32) {
	r.top++
	r.free[r.top] = h
}

func (r *rows) full() bool { return r.top == 0 }

// NewStore makes the slabs of a shard, with rows 1 to n of each kind usable, and touches their pages; nothing in the
// package allocates orders, levels or blocks after it. A level needs a block, 64 prices share one, and a book keeps up to
// 64 empty ones a side: with levels + 128 blocks a book a level never lacks one, with fewer a price far from all others
// may. An order takes 100 bytes, a level 36, a block 292.
func NewStore(orders, levels, blocks uint32) *Store {
	s := &Store{
		orders:    make([]Order, uint64(orders)+1),
		tickets:   make([]Ticket, uint64(orders)+1),
		blocks:    make([]block, uint64(blocks)+1),
		slots:     make([]slots, uint64(blocks)+1),
		levels:    make([]level, uint64(levels)+1),
		orderRows: newRows(orders),
		blockRows: newRows(blocks),
		levelRows: newRows(levels),
		expiry:    newExpiry(orders),
		arrivals:  make([]msg.Seq, uint64(orders)+1),
		tags:      make([]Tag, uint64(orders)+1),
	}
	for i := range s.orders {
		s.orders[i], s.tickets[i], s.arrivals[i], s.tags[i] = Order{}, Ticket{}, 0, Tag{}
	}
	for i := range s.blocks {
		s.blocks[i], s.slots[i] = block{key: noKey}, slots{}
	}
	for i := range s.levels {
		s.levels[i] = level{}
	}
	return s
}

// Order is a resting order, or one on its way into the book: the half of it that is needed to find, to rank and to remove it,
// see Ticket for the other. The engine writes it after Alloc and reads it; Next, Prev, Level and Gen are the book's, and so is
// Leaves while it rests.
type Order struct {
	Leaves  fixed.Lots    // open; above 0 while it rests
	Next    uint32        // while it rests: the order behind it in its level; 0: it is the last
	Prev    uint32        // while it rests: the order before it; 0: it is the first
	Level   uint32        // its level; not 0 if and only if it rests
	Gen     uint32        // how often the row has been freed
	Owner   msg.OwnerID   // whom self-trade prevention compares; 0: nobody
	Session msg.SessionID //
	Side    msg.Side      // 0: the row is no order
	Flags   Flags         //
}

// Ticket is what an order says besides: what is told of it, and what it costs. It lies apart, in the row of the same handle,
// so that a queue of many orders keeps more of them in the caches. The engine writes all of it after Alloc, Filled too;
// while the order rests, Price and Filled are the book's.
type Ticket struct {
	Price   fixed.Ticks      // its limit
	Filled  fixed.Lots       // traded so far
	Ref     msg.Ref          // the client's id
	Account msg.AccountID    //
	Instr   msg.InstrumentID //
}

// Flags are the properties of an order that outlive its entry.
type Flags uint8

const (
	ReduceOnly Flags  = 1 << iota // it may only bring a position nearer to zero
	Expires                       // it has a time in the store, see SetExpire
	PostOnly                      // it must not take when an amend moves it
	Slide                         // instead of taking it moves behind the opposite best
	stpShift   = iota             // three bits for the STP mode begin here
	stpMask    = Flags(7 << stpShift)
	Posts      = Flags(1 << (stpShift + 3)) // its trades take margin out of other money than its position's

	asked = ReduceOnly | Posts // whether it may trade the engine says, when it is in front
)

// STP is the mode of self-trade prevention that the order brought with it.
func (f Flags) STP() msg.STP { return msg.STP(f & stpMask >> stpShift) }

// WithSTP is f with the mode m.
func (f Flags) WithSTP(m msg.STP) Flags { return f&^stpMask | Flags(m)<<stpShift&stpMask }

// Alloc takes a row for a new order; 0 when all are taken. The order is zero but for Gen; its ticket is whatever the last
// order of the row had there.
func (s *Store) Alloc() uint32 { return s.orderRows.take() }

// Take is Alloc of a row that is known, since Next named it.
func (s *Store) Take(h uint32) (*Order, *Ticket) {
	s.orderRows.top--
	return &s.orders[h], &s.tickets[h]
}

// Next is the row that the next Alloc takes; 0 when all are taken.
func (s *Store) Next() uint32 { return s.orderRows.free[s.orderRows.top] }

// Free gives the row of an order that does not rest back. Its id is dead from here on and its expiry forgotten. Gen wraps
// after 2^32 uses of one row.
func (s *Store) Free(h uint32) {
	o := &s.orders[h]
	if o.Level != 0 || h == 0 {
		panic("book: free of an order that rests, or of none")
	}
	if o.Flags&Expires != 0 {
		s.expiry.at[h] = 0
	}
	s.vacate(h, o)
}

// vacate gives the row h of an order that neither rests nor expires back.
func (s *Store) vacate(h uint32, o *Order) {
	gen := o.Gen + 1
	*o = Order{} // in place: a literal with Gen is built elsewhere and copied, and stalls
	o.Gen = gen
	s.orderRows.give(h)
}

// Order is the row h, for h that Alloc returned.
func (s *Store) Order(h uint32) *Order { return &s.orders[h] }

// Ticket is the ticket of the order in row h.
func (s *Store) Ticket(h uint32) *Ticket { return &s.tickets[h] }

// ID is the id of the order in row h.
func (s *Store) ID(h uint32) msg.OrderID { return msg.OrderID(s.orders[h].Gen)<<32 | msg.OrderID(h) }

// Find is the handle of the order with that id, 0 when there is none such or no more. A row counts as an order from when
// its Side is written.
func (s *Store) Find(id msg.OrderID) uint32 {
	h := id.Handle()
	if uint64(h) >= uint64(len(s.orders)) {
		return 0
	}
	if o := &s.orders[h]; o.Gen != id.Generation() || o.Side == 0 {
		return 0
	}
	return h
}

// Roomy reports whether any order can rest at any price of any book: no table is full. CanRest knows more when one is.
func (s *Store) Roomy() bool {
	return !s.orderRows.full() && !s.levelRows.full() && !s.blockRows.full()
}

// Live is how many order rows are taken.
func (s *Store) Live() uint32 { return uint32(len(s.orders)-1) - s.orderRows.top }
