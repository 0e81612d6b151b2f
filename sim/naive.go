package sim

import (
	"slices"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// naiveBooks are the plain books of a venue, told by events alone: a list of prices on each side, and at each price a list of orders
// in the order in which they came. Each fill has to be that of the first order of the best price, at its price, and for as much as
// both sides have; nothing may rest where it could trade.
type naiveBooks struct {
	world  *world
	sides  map[msg.InstrumentID]*[2]naiveSide
	orders map[msg.OrderID]*naiveOrder
	hand   *naiveOrder // the order that this command works: it rests when the command is over
	shrunk bool        // self-trade prevention may have shrunk it, which is told in the end
	spare  []*naiveOrder
}

// naiveSide are the prices of one side, the best first.
type naiveSide []naiveLevel

type naiveLevel struct {
	price  fixed.Ticks
	orders []*naiveOrder // first come first
}

type naiveOrder struct {
	id     msg.OrderID
	instr  msg.InstrumentID
	side   msg.Side
	price  fixed.Ticks
	leaves fixed.Lots
	rests  bool
}

func newNaiveBooks(w *world) naiveBooks {
	return naiveBooks{world: w, sides: map[msg.InstrumentID]*[2]naiveSide{}, orders: map[msg.OrderID]*naiveOrder{}}
}

func (b *naiveBooks) side(id msg.InstrumentID, side msg.Side) *naiveSide {
	s := b.sides[id]
	if s == nil {
		s = new([2]naiveSide)
		b.sides[id] = s
	}
	return &s[side-msg.Buy]
}

// bolder reports whether price a of a side comes before b.
func bolder(side msg.Side, a, b fixed.Ticks) bool {
	if side == msg.Buy {
		return a > b
	}
	return a < b
}

func (b *naiveBooks) wrong(e *msg.Event, what string, want any) {
	b.world.find("naive book", "%s: expected %s %v", e.String(), what, want)
}

// event follows one event.
func (b *naiveBooks) event(e *msg.Event) {
	switch e.Kind {
	case msg.Accepted, msg.QuotePlaced:
		if b.orders[e.Order] != nil {
			b.wrong(e, "an order id that is", "not in use")
			return
		}
		o := b.take()
		*o = naiveOrder{id: e.Order, instr: e.Instr, side: e.Side, price: e.Price, leaves: e.Qty}
		b.orders[e.Order] = o
		b.work(o)
	case msg.Traded:
		b.traded(e)
	case msg.Amended:
		b.amended(e)
	case msg.Canceled, msg.Expired:
		b.canceled(e)
	case msg.LiquidationSlice: // an order that nobody sees trades: whatever came before is over
		b.settle()
	}
}

func (b *naiveBooks) take() *naiveOrder {
	if n := len(b.spare); n > 0 {
		o := b.spare[n-1]
		b.spare = b.spare[:n-1]
		return o
	}
	return new(naiveOrder)
}

// work takes an order in hand.
func (b *naiveBooks) work(o *naiveOrder) {
	b.settle()
	b.hand = o
}

// settle lets the order in hand rest, or forgets it where nothing is left.
func (b *naiveBooks) settle() {
	o := b.hand
	b.hand, b.shrunk = nil, false
	if o == nil {
		return
	}
	if o.leaves == 0 {
		b.forget(o)
		return
	}
	b.rest(o)
}

// close ends a command.
func (b *naiveBooks) close() {
	o := b.hand
	if o == nil {
		return
	}
	instr, side, price, left := o.instr, o.side, o.price, o.leaves
	b.settle()
	if other := *b.side(instr, side.Opposite()); left > 0 && len(other) > 0 && !bolder(side.Opposite(), other[0].price, price) && other[0].price != price {
		return
	} else if left > 0 && len(other) > 0 {
		b.world.find("naive book", "order %d rests at %d in instrument %d, though %d is there to trade with", o.id, price, instr, other[0].price)
	}
}

func (b *naiveBooks) rest(o *naiveOrder) {
	s := b.side(o.instr, o.side)
	at, found := slices.BinarySearchFunc(*s, o.price, func(l naiveLevel, p fixed.Ticks) int {
		switch {
		case l.price == p:
			return 0
		case bolder(o.side, l.price, p):
			return -1
		}
		return 1
	})
	if !found {
		*s = slices.Insert(*s, at, naiveLevel{price: o.price})
	}
	(*s)[at].orders = append((*s)[at].orders, o)
	o.rests = true
}

// lift takes an order out of its queue.
func (b *naiveBooks) lift(o *naiveOrder) {
	if !o.rests {
		return
	}
	o.rests = false
	s := b.side(o.instr, o.side)
	at := slices.IndexFunc(*s, func(l naiveLevel) bool { return l.price == o.price })
	l := &(*s)[at]
	l.orders = slices.DeleteFunc(l.orders, func(p *naiveOrder) bool { return p == o })
	if len(l.orders) == 0 {
		*s = slices.Delete(*s, at, at+1)
	}
}

func (b *naiveBooks) forget(o *naiveOrder) {
	b.lift(o)
	delete(b.orders, o.id)
	b.spare = append(b.spare, o)
}

// traded holds the maker's side of a trade to priority, and either side to what it has.
func (b *naiveBooks) traded(e *msg.Event) {
	f := e.Fill()
	o := b.orders[e.Order]
	if o == nil {
		b.wrong(e, "an order that", "is there")
		return
	}
	if !f.Maker {
		if o != b.hand {
			b.wrong(e, "the order in hand", "to take")
			return
		}
		if bolder(o.side, e.Price, o.price) {
			b.wrong(e, "a price not beyond", o.price)
		}
		b.fill(e, o, f.Leaves)
		return
	}
	s := *b.side(e.Instr, e.Side)
	if len(s) == 0 || s[0].orders[0] != o {
		first := "none"
		if len(s) > 0 {
			first = s[0].orders[0].id.String()
		}
		b.wrong(e, "the first order of the best price,", first)
		return
	}
	if e.Price != o.price {
		b.wrong(e, "price", o.price)
	}
	if t := b.hand; t != nil && !b.shrunk && e.Qty != min(o.leaves, t.leaves) {
		b.wrong(e, "quantity", min(o.leaves, t.leaves))
	}
	b.fill(e, o, f.Leaves)
	if o.leaves == 0 {
		b.forget(o)
	}
}

func (b *naiveBooks) fill(e *msg.Event, o *naiveOrder, leaves fixed.Lots) {
	o.leaves -= e.Qty
	if o.leaves != leaves && !b.shrunk || o.leaves < 0 {
		b.wrong(e, "leaves", o.leaves)
	}
	o.leaves = leaves
}

// amended holds an amend to its place: fewer lots at the same price keep it, everything else goes to the tail.
func (b *naiveBooks) amended(e *msg.Event) {
	o := b.orders[e.Order]
	if o == nil {
		b.wrong(e, "an order that", "is there")
		return
	}
	c := e.Change()
	if asked := b.world.asked(c.Asker, c.Request); asked != nil { // one that slides or only reduces may get another price and fewer lots
		left := asked.Qty
		if asked.Flags&msg.FlagLeaves == 0 {
			left -= c.Filled
		}
		if keeps := asked.Price == o.price && left < o.leaves; c.Kept != keeps {
			b.wrong(e, "that it keeps its place:", keeps)
		}
	}
	o.leaves = c.Leaves
	if c.Kept {
		return
	}
	b.lift(o)
	o.price = e.Price
	b.work(o)
}

func (b *naiveBooks) canceled(e *msg.Event) {
	o := b.orders[e.Order]
	if o == nil {
		b.wrong(e, "an order that", "is there")
		return
	}
	leaves := fixed.Lots(0)
	if e.Kind == msg.Canceled {
		leaves = e.Change().Leaves
	}
	if e.Reason == msg.CanceledBySTP {
		b.shrunk = true
	}
	o.leaves = leaves
	if leaves == 0 && o != b.hand {
		b.forget(o)
	}
}
