// Package riskgate says no before anything has changed. It asks, in this order, and the first refusal answers (W-59,
// M-18); so one input has one reject:
//
//	Formed   the fields by themselves                                          order.go
//	Enter    rate · rights and kill switch · account · client id · instrument  door.go
//	Admit    price step and lot step · size · notional · count                 order.go
//	         phase · mark · band · reduce-only · caps                          order.go
//	         margin: equity against the requirement with the order in it       credit.go
//	         the same, where position or order are isolated                    isolated.go
//
// Post-only, fill-or-kill and a full table are the book's and the engine's to refuse, after the gate. A message that passes
// the rate has used its token, and one that passes rights and kill switch its client id, whether it is refused further on
// or not; a refused order changes nothing else.
package riskgate

import (
	"github.com/lockstep-exchange/lockstep/clearing"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/margin"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Gate reads the state of a shard. All but the throttle's quotas and the last client ids is others' to write.
type Gate struct {
	House       *clearing.House
	Instruments []market.Instrument // by id
	Venue       *market.Venue
	Sessions    Sessions
	Keys        Keys // by id; 0 is none
}

// Order is an order, or a message about one, on its way through the gate.
type Order struct {
	// Found by Enter.
	Account    *clearing.Account
	Instrument *market.Instrument // nil where the message names none
	Reduce     bool               // the kill switch, or the account's second call, lets it in only if it reduces

	// Said to Admit.
	Side       msg.Side
	Market     bool        // Limit is the asker's protection price, 0 for none; the gate puts the effective one
	ReduceOnly bool        // the gate cuts Qty to what can be reduced, and clears it where it means nothing
	Rests      bool        // it counts as one more open order
	Limit      fixed.Ticks //
	Qty        fixed.Lots  // open quantity
	Old        Replaced    // the resting order that it takes the place of; none for a new one
	Asks       market.Asks // AskMode: it is to be isolated
	Meets      fixed.Ticks // of an isolated sell the price that it may trade at besides its limit, 0: none

	// Found by Admit.
	Row         uint32          // the account's position, 0: none yet
	reducing    bool            // it can only bring the position nearer to zero
	Terms       margin.Terms    // what the order sets aside a lot
	Reserved    fixed.Money     // what it sets aside, resting in full
	Exposure    margin.Exposure // of the position with the order resting in full
	Requirement fixed.Money     // of that exposure
	Most        fixed.Lots      // that it may come to, whatever trades: for House.Witness when the order is in
	Rate        fixed.Rate      // at which an isolated order posts margin

	// Found with a refusal: the limit and what was there, in the unit of the field.
	Bound, Actual int64
}

// Replaced is a resting order that is being amended; Order 0 is none.
type Replaced struct {
	Leaves     fixed.Lots
	Order      uint32 // handle
	ReduceOnly bool
}

// Admit decides on an order that Enter let in, of an account that is touched.
func (g *Gate) Admit(r *msg.Request, o *Order) msg.Reject {
	in := o.Instrument
	if in.Asks&market.AskSteps != 0 || o.Market {
		if reject := o.prepare(in); reject != 0 {
			return reject
		}
	}
	n, ok := fixed.NotionalShort(o.Qty, o.Limit, in.TickLot)
	if o.Qty > in.MaxQty || !ok || n > g.House.Bound() || n > in.MaxNotional || n < in.MinNotional {
		return o.missized(in, n, ok && n <= g.House.Bound())
	}
	o.Row = g.House.Find(r.Account, r.Instr)
	p := g.House.Position(o.Row)
	asks := in.Asks | p.Asks | o.Asks
	if asks&market.AskMode != 0 {
		return g.admitIsolated(r, o, p)
	}
	x := &o.Exposure
	x.Qty, x.Buys, x.Sells, x.BuyReserve, x.SellReserve = p.Qty, p.Buys, p.Sells, p.BuyReserve, p.SellReserve
	if o.Old.Order != 0 {
		if !o.Old.ReduceOnly {
			x.Add(o.Side, -o.Old.Leaves, -g.House.Claim(o.Old.Order).Reserved)
		}
	} else if int64(p.Open) >= in.MaxOpen && o.Rests {
		return o.refuse(msg.RejectOpenOrderLimit, in.MaxOpen, int64(p.Open)+1)
	}
	o.reducing = o.reduces()
	if in.Asks&market.AskPhase != 0 {
		if reject := closed(in, o.reducing || o.ReduceOnly); reject != 0 {
			return reject
		}
	}
	if g.Venue.Storage != msg.StorageNormal && !o.reducing && !o.ReduceOnly {
		return msg.RejectStorageReduceOnly
	}
	if o.Limit > in.High && o.Side == msg.Buy {
		return o.refuse(msg.RejectPriceOutsideBand, int64(in.High), int64(o.Limit))
	}
	if o.Limit < in.Low && o.Side == msg.Sell {
		return o.refuse(msg.RejectPriceOutsideBand, int64(in.Low), int64(o.Limit))
	}
	if o.ReduceOnly || o.Reduce || in.Asks&market.AskCaps != 0 {
		if reject := g.restricted(r, o, in); reject != 0 {
			return reject
		}
		n, _ = fixed.NotionalShort(o.Qty, o.Limit, in.TickLot)
	}
	return g.credit(r, o, p, n, asks)
}

// restricted asks what few orders are asked: reduce-only, caps, and the kill switch's reduce-only.
func (g *Gate) restricted(r *msg.Request, o *Order, in *market.Instrument) msg.Reject {
	if o.ReduceOnly {
		if reject := o.reduceOnly(in); reject != 0 {
			return reject
		}
		o.reducing = true
	}
	if o.reducing {
		return 0
	}
	if reject := g.capped(r, o, in); reject != 0 {
		return reject
	}
	switch {
	case !o.Reduce:
	case o.Account.Rung >= msg.RungCall2:
		return o.refuse(msg.RejectAccountReduceOnly, int64(o.Account.Initial), int64(o.Account.Equity()))
	default:
		return msg.RejectAccountReduceOnly
	}
	return 0
}

// refuse notes the limit and what was found, and is the reject.
func (o *Order) refuse(r msg.Reject, bound, actual int64) msg.Reject {
	o.Bound, o.Actual = bound, actual
	return r
}

// reduces reports whether an order can only bring the position nearer to zero: it is on the other side, and all open lots
// of that side with it are no more than the position (M-16).
func (o *Order) reduces() bool {
	x := &o.Exposure
	buy := -fixed.Lots(o.Side & 1)
	against, held := x.Buys&buy|x.Sells&^buy, (x.Qty^buy)-buy // what a sell can reduce; of a buy the other way round
	return against+o.Qty <= held
}
