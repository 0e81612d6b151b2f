package riskgate

import (
	"github.com/lockstep-exchange/lockstep/clearing"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/margin"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// credit checks that equity covers the requirement with the order counted as resting in full at its limit (M-16); x is
// the exposure without the order. Pre-trade cost equals fill cost, so what is accepted here cannot fail at a fill.
func (g *Gate) credit(o *Order, in *market.Instrument, p *clearing.Position, x *margin.Exposure, reducing bool) msg.Reject {
	o.Terms = margin.TermsOf(in, o.Side, o.Limit)
	n, ok := fixed.Notional(o.Qty, o.Limit, in.TickLot)
	reserve, fits := o.Terms.Reserve(in, o.Qty, o.Limit)
	bound := g.House.Bound()
	if !ok || !fits || n > bound || reserve > bound {
		return msg.RejectOverflow
	}
	if !margin.Margined(in) && o.Side == msg.Sell && x.Sells+o.Qty > x.Qty {
		o.Bound, o.Actual = int64(x.Qty-x.Sells), int64(o.Qty)
		return msg.RejectInsufficientFunds
	}
	if !o.ReduceOnly {
		if o.Side == msg.Buy {
			x.Buys += o.Qty
			x.BuyReserve += reserve
		} else {
			x.Sells += o.Qty
			x.SellReserve += reserve
		}
	}
	most := max(fixed.Abs(x.Qty+x.Buys), fixed.Abs(x.Qty-x.Sells))
	value, ok := fixed.Mul(int64(most), int64(in.LotValue))
	requirement, fits := margin.Requirement(in, x)
	if !ok || !fits || fixed.Money(value) > bound || x.BuyReserve > bound || x.SellReserve > bound {
		return msg.RejectOverflow
	}
	a := g.House.Account(o.Account)
	free, more := a.Free(), requirement-p.Initial
	switch {
	case free < 0:
		if r := g.underInitial(o, in, a, p, reducing); r != 0 {
			return r
		}
	case more > free && !reducing:
		o.Bound, o.Actual = int64(free), int64(more)
		return msg.RejectInsufficientMargin
	}
	g.House.Witness(o.Instr, most)
	return 0
}

// underInitial decides on an order of an account whose equity is below its initial requirement (M-17): it must reduce, and
// filled in full at its limit, fee paid, it must leave maintenance no higher and equity over maintenance no lower.
//
//go:noinline
func (g *Gate) underInitial(o *Order, in *market.Instrument, a *clearing.Account, p *clearing.Position, reducing bool) msg.Reject {
	if !reducing {
		o.Bound, o.Actual = int64(a.Initial), int64(a.Equity())
		return msg.RejectAccountReduceOnly
	}
	delta, loss := o.Qty, o.Limit-in.Mark
	if o.Side == msg.Sell {
		delta, loss = -o.Qty, in.Mark-o.Limit
	}
	if !margin.Margined(in) { // a spot sell: its asset counts nothing, its proceeds are cash
		loss = -o.Limit
	}
	lost, _ := fixed.Notional(o.Qty, loss, in.TickLot)
	n, _ := fixed.Notional(o.Qty, o.Limit, in.TickLot)
	fee, _ := in.Reserve.Ceil(n)
	held, ok := margin.Maintenance(in, p.Qty)
	left, fits := margin.Maintenance(in, p.Qty+delta)
	if !ok || !fits {
		return msg.RejectOverflow
	}
	equity, maintenance := a.Equity(), a.Maintenance
	equityAfter, maintenanceAfter := equity-lost-fee, maintenance-held+left
	better := fixed.MulWide(int64(equityAfter), int64(maintenance)).Cmp(fixed.MulWide(int64(equity), int64(maintenanceAfter))) >= 0
	if maintenance == 0 && maintenanceAfter == 0 {
		better = equityAfter > equity
	}
	if maintenanceAfter > maintenance || !better {
		o.Bound, o.Actual = int64(equity), int64(equityAfter)
		return msg.RejectWouldWorsenHealth
	}
	return 0
}
