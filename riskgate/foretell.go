package riskgate

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/margin"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Foretell is what an order that Admit has let in would do to its account's cross margin (W-53, M-16, M-75). It changes nothing, and is found from
// what Admit found. Initial margin is with the order resting in full, which is what it is admitted on; maintenance and liquidation price
// are with it filled in full at its limit, its fee paid. A price that there is not is 0, and a figure that
// does not fit the present one.
func (g *Gate) Foretell(o *Order) (f msg.Forecast) {
	in, a, p := o.Instrument, o.Account, g.House.Position(o.Row)
	f.More = o.Requirement - g.House.Ledger(o.Row).Initial
	f.Initial = a.Initial + f.More
	f.Available = a.Equity() - f.Initial
	f.Maintenance = a.Maintenance
	delta, loss := o.Qty, o.Limit-in.Mark
	if o.Side == msg.Sell {
		delta, loss = -o.Qty, in.Mark-o.Limit
	}
	held, ok := margin.Maintenance(in, p.Qty)
	left, fits := margin.Maintenance(in, p.Qty+delta)
	if !ok || !fits || !margin.Margined(in) {
		return f
	}
	f.Maintenance += left - held
	lost, ok := fixed.Notional(o.Qty, loss, in.TickLot)
	n, whole := fixed.Notional(o.Qty, o.Limit, in.TickLot)
	fee, fits := g.reserve(o, in).Ceil(n)
	if ok && whole && fits {
		if price, has := margin.LiquidationPrice(in, p.Qty+delta, a.Equity()-lost-fee, f.Maintenance); has {
			f.Liquidation = price
		}
	}
	return f
}

// Stand is the account's margin as it stands: the forecast of an order that is refused.
func (g *Gate) Stand(o *Order) msg.Forecast {
	a := o.Account
	return msg.Forecast{Initial: a.Initial, Maintenance: a.Maintenance, Available: a.Free()}
}
