package engine

import (
	"slices"

	"github.com/lockstep-exchange/lockstep/book"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// The part of the twin that is the books: a list of orders, searched whenever somebody asks.

// first is the order of a side that has priority: the best price, then the earliest place.
func (n *naive) first(id msg.InstrumentID, side msg.Side) (best *naiveOrder) {
	for _, o := range n.orders {
		if o.instr == id && o.side == side && (best == nil || o.price != best.price && reaches(side, o.price, best.price) ||
			o.price == best.price && o.place < best.place) {
			best = o
		}
	}
	return best
}

// reaches reports whether a price is at another or, for an order of that side, bolder.
func reaches(side msg.Side, price, other fixed.Ticks) bool {
	if side == msg.Buy {
		return price >= other
	}
	return price <= other
}

func (n *naive) crosses(id msg.InstrumentID, side msg.Side, limit fixed.Ticks) bool {
	best := n.first(id, side.Opposite())
	return best != nil && reaches(side, limit, best.price)
}

// canRest reports whether there is a level, or room for one.
func (n *naive) canRest(id msg.InstrumentID, side msg.Side, price fixed.Ticks) bool {
	type level struct {
		id    msg.InstrumentID
		side  msg.Side
		price fixed.Ticks
	}
	levels := map[level]bool{}
	for _, o := range n.orders {
		levels[level{o.instr, o.side, o.price}] = true
	}
	return levels[level{id, side, price}] || uint32(len(levels)) < n.limits.Levels
}

func (n *naive) depth(id msg.InstrumentID, side msg.Side) (levels []book.Depth) {
	byPrice := map[fixed.Ticks]*book.Depth{}
	for _, o := range n.orders {
		if o.instr == id && o.side == side {
			if byPrice[o.price] == nil {
				byPrice[o.price] = &book.Depth{Price: o.price}
			}
			byPrice[o.price].Qty += o.leaves
			byPrice[o.price].Orders++
		}
	}
	for _, l := range byPrice {
		levels = append(levels, *l)
	}
	slices.SortFunc(levels, func(a, b book.Depth) int {
		if a.Price != b.Price && reaches(side, a.Price, b.Price) {
			return -1
		}
		return 1
	})
	return levels
}

// Rows and ids.

func (n *naive) newID() msg.OrderID {
	h := n.fresh
	if k := len(n.freed); k > 0 {
		h = n.freed[k-1]
		n.freed = n.freed[:k-1]
	} else {
		n.fresh++
	}
	id := msg.OrderID(n.rows[h])<<32 | msg.OrderID(h)
	n.issued[id] = true
	return id
}

func (n *naive) free(o *naiveOrder) {
	n.rows[o.id.Handle()]++
	n.freed = append(n.freed, o.id.Handle())
}

// rest gives an order its place; it joins its account's list unless it is in it.
func (n *naive) rest(o *naiveOrder) {
	n.places++
	o.rests, o.place = true, n.places
	n.orders = append(n.orders, o)
	if !slices.Contains(o.account.list, o) {
		o.account.list = append(o.account.list, o)
	}
}

// lift takes an order out of its queue, not out of its account's list.
func (n *naive) lift(o *naiveOrder) {
	o.rests = false
	n.orders = slices.DeleteFunc(n.orders, func(p *naiveOrder) bool { return p == o })
}

// remove ends an order.
func (n *naive) remove(o *naiveOrder) {
	n.lift(o)
	o.account.list = slices.DeleteFunc(o.account.list, func(p *naiveOrder) bool { return p == o })
	n.free(o)
	n.tidy(o.account, o.instr)
}
