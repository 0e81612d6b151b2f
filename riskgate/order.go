package riskgate

import (
	"github.com/lockstep-exchange/lockstep/clearing"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/margin"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

const (
	// MaxPrice and MaxQty bound what an order may state.
	MaxPrice fixed.Ticks = 1 << 55
	MaxQty   fixed.Lots  = 1 << 55

	maxOpen = 1<<16 - 1 // orders that a Position can count
)

// Formed checks the fields of an order or an amend before anybody looks at who sends it.
func Formed(r *msg.Request) msg.Reject {
	if r.Kind == msg.KindLimit && r.Side-1 <= 1 && r.TIF <= msg.FOK && r.STP <= msg.STPNone && r.Flags == 0 &&
		uint64(r.Qty-1) < uint64(MaxQty) && uint64(r.Price-1) < uint64(MaxPrice) {
		return 0 // a plain order
	}
	return formed(r)
}

func formed(r *msg.Request) msg.Reject {
	const known = msg.FlagPostOnly | msg.FlagSlide | msg.FlagReduceOnly | msg.FlagLeaves
	switch {
	case r.Flags&^known != 0:
		return msg.RejectReservedBits
	case r.Qty <= 0 || r.Qty > MaxQty || r.Price < 0 || r.Price > MaxPrice:
		return msg.RejectValueOutOfRange
	case r.Kind == msg.KindAmend:
		if r.Price == 0 || r.Flags&^msg.FlagLeaves != 0 {
			return msg.RejectValueOutOfRange
		}
		return 0
	case r.Side != msg.Buy && r.Side != msg.Sell,
		r.STP > msg.STPNone || r.TIF > msg.GTD || r.Flags&msg.FlagLeaves != 0,
		r.Kind == msg.KindMarket && r.TIF != msg.IOC && r.TIF != msg.FOK,
		r.Kind != msg.KindMarket && r.Price == 0,
		r.Kind == msg.KindLimit && r.TIF == msg.GTD,
		r.Flags&(msg.FlagPostOnly|msg.FlagSlide) != 0 && (r.TIF == msg.IOC || r.TIF == msg.FOK):
		return msg.RejectValueOutOfRange
	case r.Kind == msg.KindPlace:
		ext := r.OrderExt()
		if ext.Min < 0 || ext.Min > r.Qty || r.TIF == msg.GTD && ext.Expire <= r.Time || r.TIF != msg.GTD && ext.Expire != 0 ||
			ext.Min > 0 && r.Flags&(msg.FlagPostOnly|msg.FlagSlide) != 0 {
			return msg.RejectValueOutOfRange
		}
	}
	return 0
}

// sized checks steps, size and notional, and puts the effective limit of a market order.
func sized(o *Order, in *market.Instrument) msg.Reject {
	if in.PriceStep > 1 && !fixed.MultipleOf(o.Limit, in.PriceStep) {
		o.Bound, o.Actual = int64(in.PriceStep), int64(o.Limit)
		return msg.RejectOffTick
	}
	if in.QtyStep > 1 && !fixed.MultipleOf(o.Qty, in.QtyStep) {
		o.Bound, o.Actual = int64(in.QtyStep), int64(o.Qty)
		return msg.RejectOffLot
	}
	if in.MaxQty != 0 && o.Qty > in.MaxQty {
		o.Bound, o.Actual = int64(in.MaxQty), int64(o.Qty)
		return msg.RejectOrderSizeLimit
	}
	if o.Market {
		if r := protected(o, in); r != 0 {
			return r
		}
	}
	if in.MaxNotional|in.MinNotional == 0 {
		return 0 // credit finds what does not fit
	}
	return notional(o, in)
}

// protected puts the limit of a market order (M-18). Without a mark there is none to be had.
func protected(o *Order, in *market.Instrument) msg.Reject {
	if in.Mark == 0 {
		return closed(in, o.ReduceOnly)
	}
	o.Limit = in.Protection(o.Side, o.Limit)
	if o.Limit <= 0 || o.Limit > MaxPrice {
		return msg.RejectOverflow
	}
	return 0
}

// notional checks the order's value at its limit.
func notional(o *Order, in *market.Instrument) msg.Reject {
	n, ok := fixed.Notional(o.Qty, o.Limit, in.TickLot)
	switch {
	case !ok:
		return msg.RejectOverflow
	case in.MaxNotional != 0 && n > in.MaxNotional:
		o.Bound, o.Actual = int64(in.MaxNotional), int64(n)
		return msg.RejectNotionalLimit
	case n < in.MinNotional:
		o.Bound, o.Actual = int64(in.MinNotional), int64(n)
		return msg.RejectNotionalLimit
	}
	return 0
}

// counted checks the number of the account's open orders.
func counted(o *Order, in *market.Instrument, p *clearing.Position) msg.Reject {
	if in.MaxOpen == 0 && p.Open < maxOpen || !o.Rests {
		return 0
	}
	limit := int64(maxOpen)
	if in.MaxOpen != 0 {
		limit = min(limit, in.MaxOpen)
	}
	if int64(p.Open) >= limit {
		o.Bound, o.Actual = limit, int64(p.Open)+1
		return msg.RejectOpenOrderLimit
	}
	return 0
}

// closed refuses what the phase or a missing mark forbids (M-33, M-34).
func closed(in *market.Instrument, reducing bool) msg.Reject {
	switch {
	case in.Phase != msg.Continuous && (in.Phase != msg.ReduceOnly || !reducing):
		return msg.RejectMarketHalted
	case in.Mark == 0:
		return msg.RejectNoMark
	}
	return 0
}

// outside refuses a price beyond the band (M-73).
func (o *Order) outside(in *market.Instrument) msg.Reject {
	o.Bound, o.Actual = int64(in.High), int64(o.Limit)
	if o.Side == msg.Sell {
		o.Bound = int64(in.Low)
	}
	return msg.RejectPriceOutsideBand
}

// reduceOnly cuts a reduce-only order to the position that it can reduce, and refuses one that the kill switch lets in only
// if it reduces. A spot sell never opens anything: what it may sell is what credit looks at.
func (o *Order) reduceOnly(in *market.Instrument, reducing bool) msg.Reject {
	if !o.ReduceOnly {
		if !reducing {
			return msg.RejectAccountReduceOnly
		}
		return 0
	}
	held := o.Exposure.Qty
	if o.Side == msg.Buy {
		held = -held
	}
	if held <= 0 {
		o.Bound, o.Actual = 0, int64(o.Qty)
		return msg.RejectWouldNotReduce
	}
	if !margin.Margined(in) {
		o.ReduceOnly = false
		return 0
	}
	o.Qty = min(o.Qty, held)
	return 0
}

// capped checks the owner's position and the instrument's open interest, both with the order filled (M-71).
func (g *Gate) capped(o *Order, in *market.Instrument) msg.Reject {
	if in.MaxPosition != 0 {
		if r := g.positionCap(o, in); r != 0 {
			return r
		}
	}
	if in.MaxInterest == 0 || !margin.Margined(in) {
		return 0
	}
	held := o.Exposure.Qty
	after := held + o.Qty
	if o.Side == msg.Sell {
		after = held - o.Qty
	}
	opened := max(fixed.Abs(after)-fixed.Abs(held), 0)
	if interest := g.House.Interest(o.Instr) + opened; opened > 0 && interest > in.MaxInterest {
		o.Bound, o.Actual = int64(in.MaxInterest), int64(interest)
		return msg.RejectOpenInterestLimit
	}
	return 0
}

// positionCap checks what the owner would hold with all his open orders of the side, and this one, filled.
func (g *Gate) positionCap(o *Order, in *market.Instrument) msg.Reject {
	_, long, short := g.House.OwnerLots(o.Account.Owner, o.Instr)
	would := long + o.Qty
	if o.Side == msg.Sell {
		would = o.Qty - short
	}
	if o.Old != nil && !o.Old.ReduceOnly {
		would -= o.Old.Leaves
	}
	if would > in.MaxPosition {
		o.Bound, o.Actual = int64(in.MaxPosition), int64(would)
		return msg.RejectPositionLimit
	}
	return 0
}
