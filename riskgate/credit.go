package riskgate

import (
	"github.com/lockstep-exchange/lockstep/clearing"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/margin"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// credit checks that equity covers the requirement with the order counted as resting in full at its limit (M-16). Pre-trade
// cost equals fill cost, so what is accepted here cannot fail at a fill.
func (g *Gate) credit(r *msg.Request, o *Order, p *clearing.Position, n fixed.Money, asks market.Asks) msg.Reject {
	in, x, bound := o.Instrument, &o.Exposure, g.House.Bound()
	t := margin.TermsOf(in, o.Side, o.Limit)
	if in.Asks&market.AskFees != 0 {
		t = g.terms(o, in)
	}
	reserved, ok := fixed.Rate(t.Fee).CeilShort(n)
	if t.Loss != 0 || !ok {
		if reserved, ok = t.ReserveOf(in, o.Qty, n); !ok {
			return msg.RejectOverflow
		}
	}
	if o.reducing && reserved > o.Account.Equity() && o.Account.Free() >= 0 && margin.Margined(in) {
		if reject := g.tighten(o, in, reserved, o.Account.Equity()); reject != 0 {
			return reject
		}
		t = margin.TermsAt(in, o.Side, o.Limit, fixed.Rate(t.Fee))
		reserved, _ = t.Reserve(in, o.Qty, o.Limit)
	}
	o.Terms.Loss, o.Terms.Fee, o.Reserved = t.Loss, t.Fee, reserved
	if !o.ReduceOnly { // which can never open, and stays out of the exposure
		x.Add(o.Side, o.Qty, reserved)
	}
	long, short := x.Qty+x.Buys, x.Sells-x.Qty
	most := max(fixed.Abs(long), fixed.Abs(short))
	alone := max(most, x.Buys, x.Sells) // a reduce-only order may close what stands against a side
	if value, ok := fixed.MulShort(int64(alone), int64(in.LotValue)); !ok || value > int64(bound) ||
		x.BuyReserve > bound || x.SellReserve > bound {
		return msg.RejectOverflow
	}
	if o.Requirement, ok = x.Plain(in, most, long, short); asks&market.AskMargin != 0 || !ok {
		if reject := g.require(r, o, p, alone, asks); reject != 0 {
			return reject
		}
	}
	if free, more := o.Account.Free(), o.Requirement-g.House.Ledger(o.Row).Initial; free < 0 || more > free {
		if reject := g.strained(o, in, p, n, free, more); reject != 0 {
			return reject
		}
	}
	if asks&market.AskMargin != 0 && !margin.Margined(in) && o.Side == msg.Sell && x.Sells > x.Qty {
		return o.refuse(msg.RejectInsufficientFunds, int64(x.Qty-x.Sells+o.Qty), int64(o.Qty))
	}
	if margin.Margined(in) { // a mark does not value what is paid in full
		o.Most = alone
	}
	return 0
}

// tighten lets a reducing order that would cost more than the equity of its pool, filled in full at its limit, work no farther than where the
// pool has nothing left (M-16). Where there is no such price it is refused. One whose fee alone costs more, and whose price brings that, stays as
// it is.
//
//go:noinline
func (g *Gate) tighten(o *Order, in *market.Instrument, cost, equity fixed.Money) msg.Reject {
	fee := g.reserve(o, in)
	if left, ok := margin.Left(in, o.Side, o.Qty, o.Limit, fee, equity); ok && left >= 0 {
		return 0
	}
	p, ok := margin.Worst(in, o.Side, o.Qty, fee, equity)
	if !ok {
		return o.refuse(msg.RejectInsufficientMargin, int64(equity), int64(cost))
	}
	o.Limit = p
	return 0
}

// terms are those of an order where owners have fee rates of their own (M-44).
//
//go:noinline
func (g *Gate) terms(o *Order, in *market.Instrument) margin.Terms {
	return margin.TermsAt(in, o.Side, o.Limit, g.reserve(o, in))
}

// reserve is the highest rate that an order may have to pay.
func (g *Gate) reserve(o *Order, in *market.Instrument) fixed.Rate {
	if g.House.Tiered() {
		return g.House.ReserveOf(o.Account.Owner)
	}
	return in.Reserve
}

// require finds the requirement of an exposure that is not plain: spot, with brackets or a slope, with a chosen leverage, or
// of an instrument whose initial depends on what others hold. most is the most lots that it may come to.
func (g *Gate) require(r *msg.Request, o *Order, p *clearing.Position, most fixed.Lots, asks market.Asks) msg.Reject {
	in, x, ok := o.Instrument, &o.Exposure, false
	if (in.SlopeInitial != 0 || asks&market.AskOthers != 0) && !margin.Bears(in, most, g.House.Bound()) {
		return msg.RejectOverflow
	}
	if asks&(market.AskOthers|market.AskLeverage) == 0 {
		o.Requirement, ok = margin.Requirement(in, x)
	} else {
		c := g.conditions(r, o, p)
		o.Requirement, ok = margin.RequirementUnder(in, x, &c)
	}
	if !ok {
		return msg.RejectOverflow
	}
	return 0
}

// conditions are those of initial margin when the order has been filled in full; one that is reduce-only opens nothing.
func (g *Gate) conditions(r *msg.Request, o *Order, p *clearing.Position) margin.Conditions {
	held := *p
	held.Account, held.Instr = r.Account, uint16(r.Instr) // where there is no row yet
	delta := o.Qty
	if o.Side == msg.Sell {
		delta = -delta
	}
	return g.House.Conditions(&held, o.Instrument, delta)
}

// strained decides on an order that requires more than is free: it passes if it reduces, and if equity covers the initial
// requirement before it, or it helps (M-16, M-17).
//
//go:noinline
func (g *Gate) strained(o *Order, in *market.Instrument, p *clearing.Position, n, free, more fixed.Money) msg.Reject {
	switch {
	case free < 0:
		if !o.reducing {
			return o.refuse(msg.RejectAccountReduceOnly, int64(o.Account.Initial), int64(o.Account.Equity()))
		}
		return g.worsens(o, in, p, n, o.Account.Equity(), o.Account.Maintenance)
	case o.reducing && margin.Margined(in): // what sells collateral below what it counts reduces nothing
		return 0
	}
	return o.refuse(msg.RejectInsufficientMargin, int64(free), int64(more))
}

// worsens decides on a reducing order of notional n of a pool whose equity is below its initial requirement (M-17): filled in
// full at its limit, fee paid, it must leave maintenance no higher and equity over maintenance no lower.
func (g *Gate) worsens(o *Order, in *market.Instrument, p *clearing.Position, n, equity, maintenance fixed.Money) msg.Reject {
	delta, loss := o.Qty, o.Limit-in.Mark
	if o.Side == msg.Sell {
		delta, loss = -o.Qty, in.Mark-o.Limit
	}
	counted := fixed.Money(0)
	if !margin.Margined(in) { // a spot sell: its proceeds are cash, and its asset counts no more
		loss = -o.Limit
		counted = margin.Collateral(in, p.Qty, g.House.Bound()) - margin.Collateral(in, p.Qty-o.Qty, g.House.Bound())
	}
	lost, ok := fixed.Notional(o.Qty, loss, in.TickLot)
	fee, fits := g.reserve(o, in).Ceil(n)
	held, fitsHeld := margin.Maintenance(in, p.Qty)
	left, fitsLeft := margin.Maintenance(in, p.Qty+delta)
	if !ok || !fits || !fitsHeld || !fitsLeft {
		return msg.RejectOverflow
	}
	equityAfter, maintenanceAfter := equity-lost-counted-fee, maintenance-held+left
	better := fixed.MulWide(int64(equityAfter), int64(maintenance)).Cmp(fixed.MulWide(int64(equity), int64(maintenanceAfter))) >= 0
	if maintenance == 0 && maintenanceAfter == 0 {
		better = equityAfter > equity
	}
	if maintenanceAfter > maintenance || !better {
		return o.refuse(msg.RejectWouldWorsenHealth, int64(equity), int64(equityAfter))
	}
	return 0
}
