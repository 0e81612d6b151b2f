package book

import (
	"slices"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/tidwall/btree"
)

// naive is the twin of a book: one tree entry a price, a slice of orders at each, no handles, no ranks, no bits. It says
// again, in the obvious way, what the book must do.
type naive struct {
	bids, asks btree.Map[fixed.Ticks, []*naiveOrder]
	orders     map[msg.OrderID]*naiveOrder // all that rest
}

type naiveOrder struct {
	Order
	Ticket
	id     msg.OrderID
	handle uint32
	expire fixed.Nanos
}

func newNaive() *naive { return &naive{orders: map[msg.OrderID]*naiveOrder{}} }

func (n *naive) side(side msg.Side) *btree.Map[fixed.Ticks, []*naiveOrder] {
	if side == msg.Buy {
		return &n.bids
	}
	return &n.asks
}

// walk visits the levels of a side, best first.
func (n *naive) walk(side msg.Side, visit func(fixed.Ticks, []*naiveOrder) bool) {
	if side == msg.Buy {
		n.bids.Reverse(visit)
		return
	}
	n.asks.Scan(visit)
}

func (n *naive) front(side msg.Side) *naiveOrder {
	var first *naiveOrder
	n.walk(side, func(_ fixed.Ticks, queue []*naiveOrder) bool {
		first = queue[0]
		return false
	})
	return first
}

func (n *naive) crosses(side msg.Side, limit fixed.Ticks) bool {
	maker := n.front(side.Opposite())
	return maker != nil && reaches(side, limit, maker.Price)
}

// reaches reports whether a taker of a side with a limit may trade at a price.
func reaches(side msg.Side, limit, price fixed.Ticks) bool {
	if side == msg.Buy {
		return price <= limit
	}
	return price >= limit
}

func (n *naive) link(o *naiveOrder) {
	queue, _ := n.side(o.Side).Get(o.Price)
	n.side(o.Side).Set(o.Price, append(queue, o))
	n.orders[o.id] = o
}

func (n *naive) unlink(o *naiveOrder) {
	queue, _ := n.side(o.Side).Get(o.Price)
	i := slices.Index(queue, o)
	queue = slices.Delete(queue, i, i+1)
	if len(queue) == 0 {
		n.side(o.Side).Delete(o.Price)
	} else {
		n.side(o.Side).Set(o.Price, queue)
	}
	delete(n.orders, o.id)
}

// due is the resting order that expires first, if it is due.
func (n *naive) due(now fixed.Nanos) *naiveOrder {
	var first *naiveOrder
	for _, o := range n.orders {
		if o.expire == 0 || o.expire > now {
			continue
		}
		if first == nil || o.expire < first.expire || o.expire == first.expire && o.id < first.id {
			first = o
		}
	}
	return first
}

// verdict is what the rules say of a taker that meets a maker: what happens to the maker, and whether the taker stops.
func verdict(t *Taker, maker *naiveOrder) (kind FillKind, stop Stop) {
	if maker.expire != 0 && maker.expire <= t.Now {
		return MakerExpired, 0
	}
	if maker.Owner != 0 && maker.Owner == t.Owner {
		switch t.STP {
		case msg.STPCancelNewest:
			return 0, StopSelf
		case msg.STPCancelOldest:
			return SelfCanceled, 0
		case msg.STPCancelBoth:
			return SelfCanceled, StopSelf
		case msg.STPDecrement:
			return SelfReduced, 0
		}
	}
	if maker.Flags&ReduceOnly != 0 && maker.handle != t.Allow {
		return 0, StopAsk
	}
	return Trade, 0
}

func (n *naive) match(t *Taker) (fills []Fill) {
	for {
		maker := n.front(t.Side.Opposite())
		if t.Leaves == 0 || maker == nil || !reaches(t.Side, t.Limit, maker.Price) {
			t.Stop = StopDone
			return fills
		}
		if t.Room == 0 {
			t.Stop = StopBound
			return fills
		}
		kind, stop := verdict(t, maker)
		if kind != 0 {
			t.Room--
			fills = append(fills, n.hit(t, maker, kind))
		}
		if stop == StopAsk {
			t.Ask = maker.handle
		}
		if stop != 0 {
			t.Stop = stop
			return fills
		}
	}
}

func (n *naive) hit(t *Taker, maker *naiveOrder, kind FillKind) Fill {
	lots := maker.Leaves
	if kind == Trade || kind == SelfReduced {
		lots = min(maker.Leaves, t.Leaves)
		t.Leaves -= lots
	}
	maker.Leaves -= lots
	if kind == Trade {
		maker.Filled += lots
	}
	if kind == SelfReduced {
		t.Decremented += lots
		if maker.Leaves == 0 {
			kind = SelfCanceled
		}
	}
	if kind == MakerExpired || kind == SelfCanceled {
		maker.Leaves = 0
	}
	if maker.Leaves == 0 {
		n.unlink(maker)
	}
	return Fill{Maker: maker.id, Ref: maker.Ref, Price: maker.Price, Qty: lots, Leaves: maker.Leaves, Filled: maker.Filled,
		Account: maker.Account, Handle: maker.handle, Owner: maker.Owner, Session: maker.Session, Kind: kind, Flags: maker.Flags}
}

// tradable is how many lots would trade for t if no reduce-only maker traded any, at most want: a match over copies.
func (n *naive) tradable(t Taker, want fixed.Lots) (traded fixed.Lots) {
	n.walk(t.Side.Opposite(), func(price fixed.Ticks, queue []*naiveOrder) bool {
		if !reaches(t.Side, t.Limit, price) {
			return false
		}
		for _, maker := range queue {
			if traded >= want || t.Room == 0 {
				return false
			}
			kind, stop := verdict(&t, maker)
			switch kind {
			case Trade:
				traded += min(maker.Leaves, t.Leaves)
				t.Leaves -= min(maker.Leaves, t.Leaves)
			case SelfReduced:
				t.Leaves -= min(maker.Leaves, t.Leaves)
			}
			t.Room--
			if stop == StopSelf {
				return false
			}
		}
		return true
	})
	return traded
}

// depth is every level of a side, best first.
func (n *naive) depth(side msg.Side) (levels []Depth) {
	n.walk(side, func(price fixed.Ticks, queue []*naiveOrder) bool {
		d := Depth{Price: price, Orders: uint32(len(queue))}
		for _, o := range queue {
			d.Qty += o.Leaves
		}
		levels = append(levels, d)
		return true
	})
	return levels
}
