package replay

import (
	"github.com/tidwall/btree"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// queues is the order book as somebody sees it who is told every event and nothing else: each order, in its place. It
// takes no part in matching; it is what the recorded answers are compared with.
//
//	halves[side] -- price, best first --> row -- FIFO --> standing, standing, ...
//
// An order that has just come or moved is incoming: it stands when the events of its command are all told, so that the
// book is right after every single trade.
//
// Invariant: no row is empty, and a row's qty is the sum of its orders' leaves.
type queues struct {
	orders   []standing // by handle; of orders that do not stand, id is 0
	halves   [2]btree.Map[int64, *row]
	incoming standing // leaves 0: none
}

// row is one price.
type row struct {
	price      fixed.Ticks
	qty        fixed.Lots
	head, tail uint32 // handles; 0: none
}

// standing is an order in the book.
type standing struct {
	id         msg.OrderID
	side       msg.Side
	price      fixed.Ticks
	leaves     fixed.Lots
	next, prev uint32
	row        *row
}

// key orders the prices of a side, the best first.
func key(side msg.Side, price fixed.Ticks) int64 {
	if side == msg.Buy {
		return -int64(price)
	}
	return int64(price)
}

func (q *queues) half(side msg.Side) *btree.Map[int64, *row] { return &q.halves[side&1] }

// order is a standing order, or nil.
func (q *queues) order(id msg.OrderID) *standing {
	h := id.Handle()
	if int(h) >= len(q.orders) || h == 0 || q.orders[h].id != id {
		return nil
	}
	return &q.orders[h]
}

// fold takes in one event.
func (q *queues) fold(ev *msg.Event) {
	switch ev.Kind {
	case msg.Accepted:
		q.incoming = standing{id: ev.Order, side: ev.Side, price: ev.Price, leaves: ev.Qty}
	case msg.Traded:
		q.shrink(ev.Order, ev.Fill().Leaves)
	case msg.Canceled:
		q.shrink(ev.Order, ev.Change().Leaves)
	case msg.Expired:
		q.shrink(ev.Order, 0)
	case msg.Amended:
		if ev.Change().Kept {
			q.shrink(ev.Order, ev.Qty)
		} else {
			q.shrink(ev.Order, 0)
			q.incoming = standing{id: ev.Order, side: ev.Side, price: ev.Price, leaves: ev.Qty}
		}
	}
}

// settle ends the events of a command: what is left of an incoming order stands.
func (q *queues) settle() {
	if q.incoming.leaves == 0 {
		return
	}
	h := q.incoming.id.Handle()
	for int(h) >= len(q.orders) {
		q.orders = append(q.orders, standing{})
	}
	q.orders[h] = q.incoming
	q.incoming = standing{}
	q.join(h)
}

// shrink leaves an order with less, in its place; with nothing it is gone.
func (q *queues) shrink(id msg.OrderID, leaves fixed.Lots) {
	if q.incoming.id == id && q.incoming.leaves > 0 {
		q.incoming.leaves = leaves
		return
	}
	o := q.order(id)
	if o == nil {
		return
	}
	if leaves == 0 {
		q.leave(id.Handle())
		*o = standing{}
		return
	}
	o.row.qty -= o.leaves - leaves
	o.leaves = leaves
}

// join puts an order at the tail of its price.
func (q *queues) join(h uint32) {
	o := &q.orders[h]
	half := q.half(o.side)
	r, ok := half.Get(key(o.side, o.price))
	if !ok {
		r = &row{price: o.price}
		half.Set(key(o.side, o.price), r)
	}
	o.row, o.prev, o.next = r, r.tail, 0
	if r.tail != 0 {
		q.orders[r.tail].next = h
	} else {
		r.head = h
	}
	r.tail = h
	r.qty += o.leaves
}

// leave takes an order out of its price.
func (q *queues) leave(h uint32) {
	o := &q.orders[h]
	r := o.row
	if o.prev != 0 {
		q.orders[o.prev].next = o.next
	} else {
		r.head = o.next
	}
	if o.next != 0 {
		q.orders[o.next].prev = o.prev
	} else {
		r.tail = o.prev
	}
	if r.qty -= o.leaves; r.head == 0 {
		q.half(o.side).Delete(key(o.side, o.price))
	}
}

// at is the row of a price, or nil.
func (q *queues) at(side msg.Side, price fixed.Ticks) *row {
	r, _ := q.half(side).Get(key(side, price))
	return r
}

// best appends the best levels of a side to dst, at most count of them.
func (q *queues) best(side msg.Side, count int, dst []Level) []Level {
	if count <= 0 {
		return dst
	}
	q.half(side).Scan(func(_ int64, r *row) bool {
		dst = append(dst, Level{r.price, r.qty})
		count--
		return count > 0
	})
	return dst
}

// after is the handle of the order that follows h in priority on its side, 0 for none.
func (q *queues) after(h uint32) (next uint32) {
	o := &q.orders[h]
	if o.next != 0 {
		return o.next
	}
	q.half(o.side).Ascend(key(o.side, o.price)+1, func(_ int64, r *row) bool {
		next = r.head
		return false
	})
	return next
}

// first is the handle of the first order in priority on a side, 0 for none.
func (q *queues) first(side msg.Side) uint32 {
	_, r, ok := q.half(side).Min()
	if !ok {
		return 0
	}
	return r.head
}
