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
	p := &h.rows[row]
	reserved := fixed.Money(0)
	if !r.ReduceOnly {
		reserved = h.reserve(&r, row, p, in, &t, leaves)
	}
	h.enlist(r.Order, row, &h.accounts[p.Account], &t, reserved)
	p.Open++
	if r.ReduceOnly {
		h.ledgers[row].ReduceOnly++
		return
	}
	p.Add(r.Side, leaves, reserved)
	h.require(row, p, in)
}

// reserve is what leaves lots of an order that comes to rest set aside; one of an isolated position takes its place among
// the others.
func (h *House) reserve(r *Resting, row uint32, p *Position, in *market.Instrument, t *margin.Terms, leaves fixed.Lots) (m fixed.Money) {
	if p.Asks&market.AskMode != 0 {
		return h.line(r, row, in, t, leaves)
	}
	m, _ = t.Reserve(in, leaves, r.Limit)
	return m
}

// AddWhole is Add for an order that rests just as the gate admitted it: what it sets aside, the exposure with it and the
// requirement are known already. It is not reduce-only.
func (h *House) AddWhole(order, row uint32, a *Account, t *margin.Terms, reserved fixed.Money, x *margin.Exposure, requirement fixed.Money) {
	p := &h.rows[row]
	h.enlist(order, row, a, t, reserved)
	p.Open++
	p.Buys, p.Sells, p.BuyReserve, p.SellReserve = x.Buys, x.Sells, x.BuyReserve, x.SellReserve
	h.carry(row, a, requirement)
}

// enlist writes the claim of an order and puts it at the head of its account's list.
func (h *House) enlist(order, row uint32, a *Account, t *margin.Terms, reserved fixed.Money) {
	c, next := &h.claims[order], a.Orders
	c.Reserved, c.Loss, c.Fee, c.Next, c.Prev, c.Position = reserved, t.Loss, t.Fee, next, 0, row
	a.Orders = order
	h.claims[next].Prev = order
}

// Replace lets an order that rests set aside, from now on, what the gate admitted in its stead; it keeps its place in its
// account's list, so that a mass cancel that has not come to it yet still does. It is not reduce-only.
func (h *House) Replace(order uint32, a *Account, t *margin.Terms, reserved fixed.Money, x *margin.Exposure, requirement fixed.Money) {
	c := &h.claims[order]
	p := &h.rows[c.Position]
	c.Reserved, c.Loss, c.Fee = reserved, t.Loss, t.Fee
	p.Buys, p.Sells, p.BuyReserve, p.SellReserve = x.Buys, x.Sells, x.BuyReserve, x.SellReserve
	h.carry(c.Position, a, requirement)
}

// Suspend frees what a resting order of leaves lots had set aside while it works as a taker; it keeps its place in its
// account's list until Resume or Unlist.
func (h *House) Suspend(r Resting, in *market.Instrument, leaves fixed.Lots) {
	c := &h.claims[r.Order]
	if r.ReduceOnly {
		return
	}
	p := &h.rows[c.Position]
	p.Add(r.Side, -leaves, -c.Reserved)
	c.Reserved = 0
	if p.Asks&market.AskMode != 0 {
		h.unline(r.Order, c.Position, r.Side)
	}
	h.require(c.Position, p, in)
}

// Resume sets aside what the leaves of a suspended order need that rests again.
func (h *House) Resume(r Resting, in *market.Instrument, t margin.Terms, leaves fixed.Lots) {
	c := &h.claims[r.Order]
	c.Loss, c.Fee = t.Loss, t.Fee
	if r.ReduceOnly {
		return
	}
	p := &h.rows[c.Position]
	c.Reserved = h.reserve(&r, c.Position, p, in, &t, leaves)
	p.Add(r.Side, leaves, c.Reserved)
	h.require(c.Position, p, in)
}

// Unlist takes a suspended order off its account's list. The row is not tidied.
func (h *House) Unlist(r Resting) {
	c := &h.claims[r.Order]
	p := &h.rows[c.Position]
	h.unlist(c, &h.accounts[p.Account])
	p.Open--
	if r.ReduceOnly {
		h.ledgers[c.Position].ReduceOnly--
	}
}

// Remove frees what a resting order of leaves lots had set aside and takes it off its account's list. The row is not
// tidied.
func (h *House) Remove(r Resting, in *market.Instrument, leaves fixed.Lots) {
	c := &h.claims[r.Order]
	p := &h.rows[c.Position]
	a := &h.accounts[p.Account]
	h.unlist(c, a)
	p.Open--
	if r.ReduceOnly {
		h.ledgers[c.Position].ReduceOnly--
		return
	}
	p.Add(r.Side, -leaves, -c.Reserved)
	if (p.Asks|in.Asks)&rare != 0 {
		if p.Asks&market.AskMode != 0 {
			h.unline(r.Order, c.Position, r.Side)
		}
		h.require(c.Position, p, in)
		return
	}
	m, _ := margin.Requirement(in, &p.Exposure)
	h.carry(c.Position, a, m)
}

// unlist takes a claim off its account's list. It stays readable until the row is used again. Where there is no neighbor,
// claim 0, which is nobody's, takes the write: cheaper than to ask.
func (h *House) unlist(c *Claim, a *Account) {
	first, prev, next := a.Orders, c.Prev, c.Next
	if prev == 0 {
		first = next
	}
	a.Orders = first
	h.claims[prev].Next = next
	h.claims[next].Prev = prev
}

// Shrink frees what by lots of a resting order had set aside; leaves are open after it.
func (h *House) Shrink(r Resting, in *market.Instrument, by, leaves fixed.Lots) {
	if r.ReduceOnly {
		return
	}
	row := h.claims[r.Order].Position
	p := &h.rows[row]
	h.free(r, p, in, by, leaves)
	h.require(row, p, in)
}

// free takes by lots of a resting order out of the exposure.
func (h *House) free(r Resting, p *Position, in *market.Instrument, by, leaves fixed.Lots) {
	c := &h.claims[r.Order]
	before := c.Reserved
	c.Reserved = 0
	if p.Asks&market.AskMode != 0 {
		c.Reserved = h.shorten(r, in, leaves)
	} else if leaves != 0 {
		c.Reserved, _ = margin.Terms{Loss: c.Loss, Fee: c.Fee}.Reserve(in, leaves, r.Limit)
	}
	p.Add(r.Side, -by, c.Reserved-before)
}
