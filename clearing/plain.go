package clearing

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// What an order that only rests or goes changes in a plain position: the short way of Add and Remove.

// Rest is Add for an order of lots lots of a side that sets reserved aside, as the gate found: requirement is that of its
// position with it.
func (h *House) Rest(order, row uint32, a *Account, p *Position, side msg.Side, lots fixed.Lots, reserved, requirement fixed.Money) *Claim {
	c, next := &h.claims[order], a.Orders
	c.Reserved, c.Next, c.Prev, c.Position = reserved, next, 0, row
	a.Orders = order
	h.claims[next].Prev = order
	p.Open++
	p.Add(side, lots, reserved)
	a.Initial += requirement - p.Initial
	p.Initial = requirement
	return c
}

// Leave is Remove for an order of lots lots of a side, neither reduce-only nor isolated, in a plain instrument. It reports
// whether nothing is left of the position.
func (h *House) Leave(c *Claim, a *Account, p *Position, in *market.Instrument, side msg.Side, lots fixed.Lots) (empty bool) {
	requirement, ok := p.Without(in, side, lots, c.Reserved)
	if !ok {
		p.Add(side, -lots, -c.Reserved)
		h.require(c.Position, p, in)
		requirement = p.Initial
	}
	h.unlist(c, a)
	open := p.Open - 1
	p.Open = open
	a.Initial += requirement - p.Initial
	p.Initial = requirement
	return p.Qty == 0 && open == 0
}
