package clearing

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/margin"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// What an order that rests, moves or goes changes in a plain position of a plain instrument: the short way of Add, Replace and Remove;
// that of trades is in taking.go. Requirements follow when somebody asks for them, see loose.go.

// Rest lets a new order of lots lots of a side at limit, worth n there, rest in a position, if what the gate would ask of its
// account and position holds for certain. Order 0 is one that will not rest now: it is only asked for. ok is false where the
// long way has to be gone, and then nothing has changed.
//
// Sides are told apart by masks, since which comes next is as good as chance; and where Room has to be measured it begins
// again after it, so that nothing has to be kept.
func (h *House) Rest(order, row uint32, a *Account, in *market.Instrument, side msg.Side, limit fixed.Ticks, lots fixed.Lots, n fixed.Money) (ok bool) {
	p := &h.rows[row]
	reserved, loss := margin.ReservePlain(in, side, limit, lots, n)
	need := reserved + fixed.Money(int64(lots)*int64(in.PerLot))
	sell := -int64(side >> 1)
	held := (p.Qty ^ fixed.Lots(sell)) - fixed.Lots(sell)                             // above zero where it is of the order's side
	most := lots + p.Buys&^fixed.Lots(sell) + p.Sells&fixed.Lots(sell) + max(held, 0) // a reduce-only order may close what stands against a side
	all := reserved + p.BuyReserve&^fixed.Money(sell) + p.SellReserve&fixed.Money(sell)
	if p.Asks != 0 || int64(p.Open) >= in.MaxOpen || all > h.bound {
		return false
	}
	if a.Loose != row || need > p.Room || most > h.peak[p.Instr] {
		return h.measure(row, a, p, need) && h.raise(in, p.Instr, most) && h.Rest(order, row, a, in, side, limit, lots, n)
	}

	p.Room -= need
	if order == 0 {
		return true
	}
	p.Buys += lots &^ fixed.Lots(sell)
	p.Sells += lots & fixed.Lots(sell)
	p.BuyReserve += reserved &^ fixed.Money(sell)
	p.SellReserve += reserved & fixed.Money(sell)
	p.Open++
	c, next := &h.claims[order], a.Orders
	c.Reserved, c.Loss, c.Fee, c.Next, c.Prev, c.Position = reserved, loss, uint32(in.Reserve), next, 0, row
	a.Orders = order
	h.claims[next].Prev = order
	return true
}

// Move lets an order that rests with old lots rest with lots lots at limit, worth n there, as Rest does; it keeps its place in its
// account's list.
func (h *House) Move(c *Claim, a *Account, in *market.Instrument, side msg.Side, limit fixed.Ticks, lots, old fixed.Lots, n fixed.Money) (ok bool) {
	p := &h.rows[c.Position]
	reserved, loss := margin.ReservePlain(in, side, limit, lots, n)
	more, moreReserved := lots-old, reserved-c.Reserved
	need := max(1, moreReserved+fixed.Money(int64(max(0, more))*int64(in.PerLot)))
	sell := -int64(side >> 1)
	held := (p.Qty ^ fixed.Lots(sell)) - fixed.Lots(sell)
	most := more + p.Buys&^fixed.Lots(sell) + p.Sells&fixed.Lots(sell) + max(held, 0)
	all := moreReserved + p.BuyReserve&^fixed.Money(sell) + p.SellReserve&fixed.Money(sell)
	if p.Asks != 0 || all > h.bound {
		return false
	}
	if a.Loose != c.Position || need > p.Room || most > h.peak[p.Instr] {
		return h.measure(c.Position, a, p, need) && h.raise(in, p.Instr, most) && h.Move(c, a, in, side, limit, lots, old, n)
	}

	p.Room -= need
	p.Add(side, more, moreReserved)
	c.Reserved, c.Loss, c.Fee = reserved, loss, uint32(in.Reserve)
	return true
}

// Stay is Add for what is left of an order for which Rest was asked as order 0, and which has traded meanwhile.
func (h *House) Stay(order, row uint32, a *Account, in *market.Instrument, side msg.Side, limit fixed.Ticks, leaves fixed.Lots) {
	p := &h.rows[row]
	n := fixed.Money(int64(leaves) * int64(limit) * int64(in.TickLot))
	reserved, loss := margin.ReservePlain(in, side, limit, leaves, n)
	h.loosen(row, a, p)
	h.enlist(order, row, a, &margin.Terms{Loss: loss, Fee: uint32(in.Reserve)}, reserved)
	p.Open++
	p.Add(side, leaves, reserved)
}

// Leave is Remove for an order of lots lots of a side, neither reduce-only nor isolated, in a plain instrument. It reports
// whether nothing is left of the position.
func (h *House) Leave(c *Claim, a *Account, p *Position, side msg.Side, lots fixed.Lots) (empty bool) {
	h.unlist(c, a)
	h.loosen(c.Position, a, p)
	p.Add(side, -lots, -c.Reserved)
	p.Open--
	return p.Qty == 0 && p.Open == 0
}
