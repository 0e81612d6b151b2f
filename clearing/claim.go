package clearing

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/margin"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Resting is an open order as clearing sees it.
type Resting struct {
	Order      uint32 // handle
	Side       msg.Side
	ReduceOnly bool // it stays out of the requirement: it can never open
	Limit      fixed.Ticks
}

// Add puts a resting order at the head of its account's list and sets aside what its leaves need.
func (h *House) Add(r Resting, row uint32, in *market.Instrument, t margin.Terms, leaves fixed.Lots) {
	reserved := fixed.Money(0)
	if !r.ReduceOnly {
		reserved, _ = t.Reserve(in, leaves, r.Limit)
	}
	p := h.enlist(r, row, t, reserved)
	if r.ReduceOnly {
		h.ledgers[row].ReduceOnly++
		return
	}
	expose(p, r.Side, leaves, reserved)
	h.require(p, in)
}

// AddWhole is Add for an order that rests just as the gate admitted it: what it sets aside, the exposure with it and the
// requirement are known already. It is not reduce-only.
func (h *House) AddWhole(r Resting, row uint32, t margin.Terms, reserved fixed.Money, x *margin.Exposure, requirement fixed.Money) {
	p := h.enlist(r, row, t, reserved)
	p.Qty, p.Buys, p.Sells, p.BuyReserve, p.SellReserve = x.Qty, x.Buys, x.Sells, x.BuyReserve, x.SellReserve
	h.accounts[p.Account].Initial += requirement - p.Initial
	p.Initial = requirement
}

// enlist writes the claim of an order and puts it at the head of its account's list.
func (h *House) enlist(r Resting, row uint32, t margin.Terms, reserved fixed.Money) *Position {
	p, c := &h.rows[row], &h.claims[r.Order]
	a := &h.accounts[p.Account]
	c.Reserved, c.Loss, c.Fee, c.Position, c.Prev, c.Next = reserved, t.Loss, t.Fee, row, 0, a.Orders
	if a.Orders != 0 {
		h.claims[a.Orders].Prev = r.Order
	}
	a.Orders = r.Order
	p.Open++
	return p
}

// Remove frees what a resting order of leaves lots had set aside and takes it off its account's list. The row is not
// tidied.
func (h *House) Remove(r Resting, in *market.Instrument, leaves fixed.Lots) {
	h.unlist(r)
	if r.ReduceOnly {
		return
	}
	c := &h.claims[r.Order]
	p := &h.rows[c.Position]
	expose(p, r.Side, -leaves, -c.Reserved)
	h.require(p, in)
}

// unlist takes an order off its account's list. Its claim stays readable until the row is used again.
func (h *House) unlist(r Resting) {
	c := &h.claims[r.Order]
	p := &h.rows[c.Position]
	if c.Prev != 0 {
		h.claims[c.Prev].Next = c.Next
	} else {
		h.accounts[p.Account].Orders = c.Next
	}
	if c.Next != 0 {
		h.claims[c.Next].Prev = c.Prev
	}
	p.Open--
	if r.ReduceOnly {
		h.ledgers[c.Position].ReduceOnly--
	}
}

// Shrink frees what by lots of a resting order had set aside; leaves are open after it.
func (h *House) Shrink(r Resting, in *market.Instrument, by, leaves fixed.Lots) {
	if r.ReduceOnly {
		return
	}
	p := &h.rows[h.claims[r.Order].Position]
	h.free(r, p, in, by, leaves)
	h.require(p, in)
}

// free takes by lots of a resting order out of the exposure.
func (h *House) free(r Resting, p *Position, in *market.Instrument, by, leaves fixed.Lots) {
	c := &h.claims[r.Order]
	before := c.Reserved
	c.Reserved = 0
	if leaves != 0 {
		c.Reserved, _ = margin.Terms{Loss: c.Loss, Fee: c.Fee}.Reserve(in, leaves, r.Limit)
	}
	expose(p, r.Side, -by, c.Reserved-before)
}

func expose(p *Position, side msg.Side, lots fixed.Lots, reserve fixed.Money) {
	if side == msg.Buy {
		p.Buys += lots
		p.BuyReserve += reserve
	} else {
		p.Sells += lots
		p.SellReserve += reserve
	}
}

// require carries a change of exposure into the account's initial requirement.
func (h *House) require(p *Position, in *market.Instrument) {
	m, _ := margin.Requirement(in, &p.Exposure)
	h.accounts[p.Account].Initial += m - p.Initial
	p.Initial = m
}
