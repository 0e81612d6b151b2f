package riskgate

import (
	"github.com/lockstep-exchange/lockstep/clearing"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/margin"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// An order is isolated or cross, and so is a position with its orders; the two must agree (M-01). What an isolated order may
// open is held of its account's free equity, and posted to the position as it opens (M-21 to M-23); what it may close is the
// position's own affair, and weighed against the position's own equity and requirements (M-17).

// admitIsolated is Admit from the count of orders on, where the position or the order is isolated; p is the position.
//
//go:noinline
func (g *Gate) admitIsolated(r *msg.Request, o *Order, p *clearing.Position) msg.Reject {
	in, x := o.Instrument, &o.Exposure
	*x = p.Exposure
	if o.Old.Order != 0 {
		o.Asks = market.AskMode // an amended order is what it was
		if !o.Old.ReduceOnly {
			x.Add(o.Side, -o.Old.Leaves, -g.House.Claim(o.Old.Order).Reserved)
		}
	} else if most := min(in.MaxOpen, clearing.MaxHolds); int64(p.Open) >= most && o.Rests {
		return o.refuse(msg.RejectOpenOrderLimit, most, int64(p.Open)+1)
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
	switch {
	case o.Limit > in.High && o.Side == msg.Buy:
		return o.refuse(msg.RejectPriceOutsideBand, int64(in.High), int64(o.Limit))
	case o.Limit < in.Low && o.Side == msg.Sell:
		return o.refuse(msg.RejectPriceOutsideBand, int64(in.Low), int64(o.Limit))
	case o.Asks&market.AskMode == 0, p.Mode == 0 && (p.Qty != 0 || p.Open != 0), !margin.Margined(in):
		return msg.RejectModeConflict
	}
	if reject := g.restricted(r, o, in); reject != 0 {
		return reject
	}
	return g.hold(r, o, p)
}

// hold checks that the account's free equity covers what the order makes the position's orders hold, and that the position
// would survive to have them filled (M-16, M-22). A reducing order holds nothing; where the position has less than its initial
// requirement, it is asked what it does to the position (M-17).
func (g *Gate) hold(r *msg.Request, o *Order, p *clearing.Position) msg.Reject {
	in, equity, initial, maintenance := o.Instrument, fixed.Money(0), fixed.Money(0), fixed.Money(0)
	if o.Row != 0 {
		equity, initial, maintenance = g.House.Pool(r.Account, o.Row)
	}
	held := g.House.Ledger(o.Row).Initial
	hold, carried := held, true
	if !o.ReduceOnly { // which can never open
		ok := false
		if hold, carried, ok = g.weigh(r, o, p); !ok {
			return msg.RejectOverflow
		}
	}
	free, more := o.Account.Free(), hold-held
	switch {
	case o.reducing && equity >= initial:
		t := margin.TermsAt(in, o.Side, o.Limit, g.reserve(o, in))
		if cost, ok := t.Reserve(in, o.Qty, o.Limit); !ok || cost > equity {
			return g.tightenIsolated(r, o, p, cost, equity)
		}
		return 0
	case o.reducing:
		n, _ := fixed.NotionalShort(o.Qty, o.Limit, in.TickLot) // a reduce-only order has been cut
		return g.worsens(o, in, p, n, equity, maintenance)
	case equity < initial || g.House.Ledger(o.Row).Rung >= msg.RungCall2:
		return o.refuse(msg.RejectAccountReduceOnly, int64(initial), int64(equity))
	case free < 0:
		return o.refuse(msg.RejectAccountReduceOnly, int64(o.Account.Initial), int64(o.Account.Equity()))
	case more > free:
		return o.refuse(msg.RejectInsufficientMargin, int64(free), int64(more))
	case !carried:
		return o.refuse(msg.RejectInsufficientMargin, int64(free), int64(more))
	}
	return 0
}

// tightenIsolated is tighten for an isolated order, which is then weighed at the price at which it works. It only reduces: it is carried.
func (g *Gate) tightenIsolated(r *msg.Request, o *Order, p *clearing.Position, cost, equity fixed.Money) msg.Reject {
	if reject := g.tighten(o, o.Instrument, cost, equity); reject != 0 || o.ReduceOnly {
		return reject
	}
	o.Exposure = p.Exposure
	if o.Old.Order != 0 {
		o.Exposure.Add(o.Side, -o.Old.Leaves, -g.House.Claim(o.Old.Order).Reserved)
	}
	if _, _, ok := g.weigh(r, o, p); !ok {
		return msg.RejectOverflow
	}
	return 0
}

// weigh fixes the rate of an order, and tells what the position's orders would hold with it and whether the position would
// survive to have its side filled. ok is false when a figure does not fit.
func (g *Gate) weigh(r *msg.Request, o *Order, p *clearing.Position) (hold fixed.Money, carried, ok bool) {
	in, x, bound := o.Instrument, &o.Exposure, g.House.Bound()
	w := clearing.Candidate{Side: o.Side, Limit: o.Limit, Price: o.Limit, Leaves: o.Qty, Terms: margin.TermsOf(in, o.Side, o.Limit),
		Old: o.Old.Order}
	if in.Asks&market.AskFees != 0 {
		w.Terms = g.terms(o, in)
	}
	if o.Side == msg.Sell {
		w.Price = max(o.Limit, o.Meets)
	}
	open := o.Qty + x.Buys
	if o.Side == msg.Sell {
		open = o.Qty + x.Sells
	}
	c := g.conditions(r, o, p)
	if w.Rate, ok = margin.IsolatedRate(in, fixed.Abs(x.Qty)+open, &c); !ok {
		return 0, false, false
	}
	full, ok := margin.Held(in, o.Qty, w.Price, w.Rate, fixed.Rate(w.Terms.Fee))
	if !ok || full > bound {
		return 0, false, false
	}
	x.Add(o.Side, o.Qty, full)
	alone := max(fixed.Abs(x.Qty)+open, x.Buys, x.Sells)
	value, fits := fixed.MulShort(int64(alone), int64(in.LotValue))
	if !fits || value > int64(bound) || x.BuyReserve > bound || x.SellReserve > bound || !margin.Bears(in, alone, bound) {
		return 0, false, false
	}
	o.Terms, o.Rate, o.Most = w.Terms, w.Rate, alone
	return g.House.Weigh(o.Row, in, &w)
}
