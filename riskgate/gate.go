// Package riskgate says no before anything has changed. Admit asks, in this order, and the first refusal answers (W-59,
// M-18); so one input has one reject:
//
//	format · rate · rights and kill switch · account · client id          door.go
//	instrument · price step and lot step · size · notional · count         order.go
//	phase · mark · band · reduce-only · caps                               order.go
//	margin: equity against the requirement with the order as it stands     credit.go
//
// Post-only, fill-or-kill and a full table are the book's and the engine's to refuse, after the gate. What passes the rate
// has used its token and its client id, refused further on or not; a refused order changes nothing else.
package riskgate

import (
	"github.com/lockstep-exchange/lockstep/clearing"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/margin"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Gate reads the state of a shard. All but the throttle's quotas and the sessions' last client ids is others' to write.
type Gate struct {
	House       *clearing.House
	Instruments []market.Instrument // by id
	Venue       *market.Venue
	Sessions    Sessions
}

// Order is an order at the gate: what is asked, and what the gate found.
type Order struct {
	Account    msg.AccountID
	Instr      msg.InstrumentID
	Side       msg.Side
	Market     bool // Limit is the asker's protection price, 0 for none; the gate puts the effective one
	ReduceOnly bool // the gate cuts Qty to what can be reduced, and clears it where it means nothing
	Reduce     bool // the kill switch lets it in only if it reduces
	Rests      bool // it counts as one more open order
	Limit      fixed.Ticks
	Qty        fixed.Lots // open quantity

	Old *Replaced // the resting order that it takes the place of; nil for a new one

	Terms         margin.Terms // out: what it sets aside a lot
	Row           uint32       // out: the account's position, 0: none yet
	Bound, Actual int64        // out, with a refusal: the limit and what was found, in the unit of the field
}

// Replaced is a resting order that is being amended.
type Replaced struct {
	Limit      fixed.Ticks
	Leaves     fixed.Lots
	Order      uint32 // handle
	ReduceOnly bool
}

// Admit decides on an order of an account that Enter let in. It writes the out fields of o.
func (g *Gate) Admit(o *Order) msg.Reject {
	in := &g.Instruments[o.Instr]
	if r := sized(o, in); r != 0 {
		return r
	}
	o.Row = g.House.Find(o.Account, o.Instr)
	p := g.House.Position(o.Row)
	if o.Old != nil || in.MaxOpen != 0 || p.Open == maxOpen {
		if r := counted(o, in, p); r != 0 {
			return r
		}
	}
	x := p.Exposure
	if o.Old != nil {
		g.without(o, in, &x)
	}
	reducing := reduces(o, &x)
	if r := open(o, in, reducing); r != 0 {
		return r
	}
	if o.Reduce && !reducing && !o.ReduceOnly {
		return msg.RejectAccountReduceOnly
	}
	if o.ReduceOnly {
		if r := reduceOnly(o, in, &x); r != 0 {
			return r
		}
		reducing = true
	}
	if !reducing {
		if r := g.capped(o, in, &x); r != 0 {
			return r
		}
	}
	return g.credit(o, in, p, &x, reducing)
}

// reduces reports whether an order can only bring the position nearer to zero: it is on the other side, and all open lots
// of that side with it are no more than the position (M-16).
func reduces(o *Order, x *margin.Exposure) bool {
	if o.Side == msg.Buy {
		return x.Qty < 0 && x.Buys+o.Qty <= -x.Qty
	}
	return x.Qty > 0 && x.Sells+o.Qty <= x.Qty
}

// without takes the order that is being replaced out of a copy of the exposure.
func (g *Gate) without(o *Order, in *market.Instrument, x *margin.Exposure) {
	if o.Old.ReduceOnly {
		return
	}
	m, _ := g.House.Claim(o.Old.Order).Reserve(in, o.Old.Leaves, o.Old.Limit)
	if o.Side == msg.Buy {
		x.Buys -= o.Old.Leaves
		x.BuyReserve -= m
	} else {
		x.Sells -= o.Old.Leaves
		x.SellReserve -= m
	}
}
