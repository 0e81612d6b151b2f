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

// Add sets aside what leaves lots of a resting order need and puts the order at the head of its account's list.
func (h *House) Add(r Resting, row uint32, in *market.Instrument, t margin.Terms, leaves fixed.Lots) {
	p, c := &h.rows[row], &h.claims[r.Order]
	a := &h.accounts[p.Account]
	c.Terms, c.Position, c.Prev, c.Next = t, row, 0, a.Orders
	if a.Orders != 0 {
		h.claims[a.Orders].Prev = r.Order
	}
	a.Orders = r.Order
	p.Open++
	if r.ReduceOnly {
		h.ledgers[row].ReduceOnly++
		return
	}
	m, _ := t.Reserve(in, leaves, r.Limit)
	expose(p, r.Side, leaves, m)
	h.require(p, in)
}

// Remove frees what leaves lots of a resting order had set aside and takes it off its account's list. The row is not
// tidied.
func (h *House) Remove(r Resting, in *market.Instrument, leaves fixed.Lots) {
	h.Unlist(r)
	if r.ReduceOnly {
		return
	}
	c := &h.claims[r.Order]
	p := &h.rows[c.Position]
	m, _ := c.Reserve(in, leaves, r.Limit)
	expose(p, r.Side, -leaves, -m)
	h.require(p, in)
}

// Unlist takes an order of which nothing is open any more off its account's list.
func (h *House) Unlist(r Resting) {
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
	before, _ := c.Reserve(in, leaves+by, r.Limit)
	after := fixed.Money(0)
	if leaves != 0 {
		after, _ = c.Reserve(in, leaves, r.Limit)
	}
	expose(p, r.Side, -by, after-before)
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
