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
func (g *Gate) credit(r *msg.Request, o *Order, in *market.Instrument, p *clearing.Position, n fixed.Money, reducing bool) msg.Reject {
	x, ok := &o.Exposure, false
	bound := g.House.Bound()
	o.Terms = margin.TermsOf(in, o.Side, o.Limit)
	if o.Reserved, ok = o.Terms.ReserveOf(in, o.Qty, n); !ok {
		return msg.RejectOverflow
	}
	if !o.ReduceOnly { // which can never open, and stays out of the exposure
		x.Add(o.Side, o.Qty, o.Reserved)
	}
	if in.Type == msg.Spot && o.Side == msg.Sell && x.Sells > x.Qty {
		return o.refuse(msg.RejectInsufficientFunds, int64(x.Qty-x.Sells+o.Qty), int64(o.Qty))
	}
	// A reduce-only order may close what stands against a side, so each side counts by itself too.
	most := max(fixed.Abs(x.Qty+x.Buys), fixed.Abs(x.Qty-x.Sells), x.Buys, x.Sells)
	value, ok := fixed.NotionalShort(most, 1, in.LotValue)
	if !ok || value > bound || x.BuyReserve > bound || x.SellReserve > bound {
		return msg.RejectOverflow
	}
	if in.SlopeInitial != 0 && !margin.Bears(in, most, bound) {
		return msg.RejectOverflow
	}
	if o.Requirement, ok = margin.Requirement(in, x); !ok {
		return msg.RejectOverflow
	}
	free, more := o.Account.Free(), o.Requirement-p.Initial
	if free < 0 {
		if r := g.underInitial(o, in, p, n, reducing); r != 0 {
			return r
		}
	} else if more > free && !reducing {
		return o.refuse(msg.RejectInsufficientMargin, int64(free), int64(more))
	}
	g.House.Witness(r.Instr, most)
	return 0
}

// underInitial decides on an order of notional n of an account whose equity is below its initial requirement (M-17): it
// must reduce, and filled in full at its limit, fee paid, it must leave maintenance no higher and equity over maintenance
// no lower.
//
//go:noinline
func (g *Gate) underInitial(o *Order, in *market.Instrument, p *clearing.Position, n fixed.Money, reducing bool) msg.Reject {
	a := o.Account
	if !reducing {
		return o.refuse(msg.RejectAccountReduceOnly, int64(a.Initial), int64(a.Equity()))
	}
	delta, loss := o.Qty, o.Limit-in.Mark
	if o.Side == msg.Sell {
		delta, loss = -o.Qty, in.Mark-o.Limit
	}
	if !margin.Margined(in) { // a spot sell: its asset counts nothing, its proceeds are cash
		loss = -o.Limit
	}
	lost, ok := fixed.Notional(o.Qty, loss, in.TickLot)
	fee, fits := in.Reserve.Ceil(n)
	held, fitsHeld := margin.Maintenance(in, p.Qty)
	left, fitsLeft := margin.Maintenance(in, p.Qty+delta)
	if !ok || !fits || !fitsHeld || !fitsLeft {
		return msg.RejectOverflow
	}
	equity, maintenance := a.Equity(), a.Maintenance
	equityAfter, maintenanceAfter := equity-lost-fee, maintenance-held+left
	better := fixed.MulWide(int64(equityAfter), int64(maintenance)).Cmp(fixed.MulWide(int64(equity), int64(maintenanceAfter))) >= 0
	if maintenance == 0 && maintenanceAfter == 0 {
		better = equityAfter > equity
	}
	if maintenanceAfter > maintenance || !better {
		return o.refuse(msg.RejectWouldWorsenHealth, int64(equity), int64(equityAfter))
	}
	return 0
}
