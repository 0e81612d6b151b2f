package margin

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// What an order may cost its pool when it is filled away from the mark (M-16): an order that can only reduce needs no initial margin, but it
// works no farther than where its pool is bankrupt.
//
//	        mark          calm                     worst
//	sell  ----|-------------|-------------------------|------> down
//	          closing lots frees more       filled in full here, fee paid,
//	          maintenance than it costs     the pool has nothing left

// Left is what a pool with equity has when lots of a side are filled at price and a fee is paid, of both valued at the mark. ok is false
// when a figure does not fit.
func Left(in *market.Instrument, side msg.Side, lots fixed.Lots, price fixed.Ticks, fee fixed.Rate, equity fixed.Money) (left fixed.Money, ok bool) {
	loss := price - in.Mark
	if side == msg.Sell {
		loss = -loss
	}
	lost, ok := fixed.Notional(lots, loss, in.TickLot)
	n, fits := fixed.Notional(lots, price, in.TickLot)
	if !ok || !fits {
		return 0, false
	}
	paid, fits := fee.Ceil(n)
	sum, ok := fixed.Widen(int64(equity)).Sub(fixed.Widen(int64(lost))).Sub(fixed.Widen(int64(paid))).Int64()
	return fixed.Money(sum), ok && fits
}

// Worst is the worst price, a whole step, at which lots of a side can be filled in full, the fee paid, so that a pool with equity has 0 or
// more left:
//
//	sell  Ceil(n / (lots·m))    n = Ceil((lots·P·m - equity)·1e9 / (1e9 - fee))
//	buy   Floor(n / (lots·m))   n = Floor((lots·P·m + equity)·1e9 / (1e9 + fee))
//
// ok is false where there is none above 0 that an order may state.
func Worst(in *market.Instrument, side msg.Side, lots fixed.Lots, fee fixed.Rate, equity fixed.Money) (p fixed.Ticks, ok bool) {
	perTick, ok := fixed.Mul(int64(lots), int64(in.TickLot))
	value, fits := fixed.Mul(int64(lots), int64(in.LotValue))
	if !ok || !fits || perTick <= 0 {
		return 0, false
	}
	if side == msg.Sell {
		if fee >= fixed.One || fixed.Money(value) <= equity {
			return 0, false
		}
		n, ok := fixed.MulDivCeil(value-int64(equity), int64(fixed.One), int64(fixed.One-fee))
		price, fits := fixed.Widen(n).DivCeil(perTick)
		if !ok || !fits || price > int64(market.MaxPrice-in.PriceStep) {
			return 0, false
		}
		return fixed.RoundDown(fixed.Ticks(price)+in.PriceStep-1, in.PriceStep), true
	}
	most, ok := fixed.Widen(value).Add(fixed.Widen(int64(equity))).Int64()
	n, fits := fixed.MulDivFloor(most, int64(fixed.One), int64(fixed.One+fee))
	price := fixed.RoundDown(fixed.Ticks(n/perTick), in.PriceStep)
	return price, ok && fits && price > 0
}
