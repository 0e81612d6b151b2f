package riskgate

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/margin"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

const (
	// MaxPrice and MaxQty bound what an order may state.
	MaxPrice            = market.MaxPrice
	MaxQty   fixed.Lots = 1 << 55
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
	const known = msg.FlagPostOnly | msg.FlagSlide | msg.FlagReduceOnly | msg.FlagIsolated | msg.FlagPersist | msg.FlagLeaves
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

// prepare asks what comes before the value of an order: steps, and of a market order its size and its limit.
func (o *Order) prepare(in *market.Instrument) msg.Reject {
	if !fixed.MultipleOf(o.Limit, in.PriceStep) {
		return o.refuse(msg.RejectOffTick, int64(in.PriceStep), int64(o.Limit))
	}
	if !fixed.MultipleOf(o.Qty, in.QtyStep) {
		return o.refuse(msg.RejectOffLot, int64(in.QtyStep), int64(o.Qty))
	}
	if !o.Market {
		return 0
	}
	if o.Qty > in.MaxQty {
		return o.refuse(msg.RejectOrderSizeLimit, int64(in.MaxQty), int64(o.Qty))
	}
	return o.protect(in)
}

// protect puts the limit of a market order (M-18). Without a mark there is none to be had.
func (o *Order) protect(in *market.Instrument) msg.Reject {
	if in.Mark == 0 {
		return closed(in, o.ReduceOnly)
	}
	o.Limit = in.Protection(o.Side, o.Limit)
	if o.Limit <= 0 || o.Limit > MaxPrice {
		return msg.RejectOverflow
	}
	return 0
}

// missized says which limit of one order its quantity or its value n passes; fits is false when n is beyond all values.
func (o *Order) missized(in *market.Instrument, n fixed.Money, fits bool) msg.Reject {
	switch {
	case o.Qty > in.MaxQty:
		return o.refuse(msg.RejectOrderSizeLimit, int64(in.MaxQty), int64(o.Qty))
	case !fits:
		return msg.RejectOverflow
	case n > in.MaxNotional:
		return o.refuse(msg.RejectNotionalLimit, int64(in.MaxNotional), int64(n))
	}
	return o.refuse(msg.RejectNotionalLimit, int64(in.MinNotional), int64(n))
}

// closed refuses what the phase, the health of the index or a missing mark forbids (M-33, M-34).
func closed(in *market.Instrument, reducing bool) msg.Reject {
	switch {
	case in.Phase != msg.Continuous && (in.Phase != msg.ReduceOnly || !reducing):
		return msg.RejectMarketHalted
	case !reducing && !market.Permits(in.Health, market.AddRisk):
		return msg.RejectOracleFrozen
	case in.Mark == 0:
		return msg.RejectNoMark
	}
	return 0
}

// reduceOnly cuts a reduce-only order to the position that it can reduce. A spot sell never opens anything: what it may
// sell is what credit looks at.
func (o *Order) reduceOnly(in *market.Instrument) msg.Reject {
	held := o.Exposure.Qty
	if o.Side == msg.Buy {
		held = -held
	}
	if held <= 0 {
		return o.refuse(msg.RejectWouldNotReduce, 0, int64(o.Qty))
	}
	if !margin.Margined(in) {
		o.ReduceOnly = false
		return 0
	}
	o.Qty = min(o.Qty, held)
	return 0
}

// capped checks the owner's position and the instrument's open interest, both with the order filled (M-71).
func (g *Gate) capped(r *msg.Request, o *Order, in *market.Instrument) msg.Reject {
	if in.MaxPosition != 0 {
		if reject := g.positionCap(r, o, in); reject != 0 {
			return reject
		}
	}
	if in.MaxInterest == 0 || !margin.Margined(in) {
		return 0
	}
	against := o.Exposure.Qty // what the order closes before it opens
	if o.Side == msg.Buy {
		against = -against
	}
	opened := o.Qty - min(max(against, 0), o.Qty)
	if interest := g.House.Interest(r.Instr) + opened; opened > 0 && interest > in.MaxInterest {
		return o.refuse(msg.RejectOpenInterestLimit, int64(in.MaxInterest), int64(interest))
	}
	return 0
}

// positionCap checks what the owner would hold with all his open orders of the side, and this one, filled.
func (g *Gate) positionCap(r *msg.Request, o *Order, in *market.Instrument) msg.Reject {
	_, long, short := g.House.OwnerLots(o.Account.Owner, r.Instr)
	would := long + o.Qty
	if o.Side == msg.Sell {
		would = o.Qty - short
	}
	if !o.Old.ReduceOnly { // and 0 lots where there is none
		would -= o.Old.Leaves
	}
	if would > in.MaxPosition {
		return o.refuse(msg.RejectPositionLimit, int64(in.MaxPosition), int64(would))
	}
	return 0
}
