package margin

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Rest is what TermsOf, Reserve and Requirement find for an order of qty lots at limit, worth n, that comes to rest beside x
// in an instrument that is plain: what it sets aside, what is required with it, its loss a lot, and the most lots that the
// position may come to whatever trades. n is at most bound; ok is false where a figure is above bound or has to be found the
// long way. It is one function because it is the heart of most commands.
func (x *Exposure) Rest(in *market.Instrument, side msg.Side, limit fixed.Ticks, qty fixed.Lots, n, bound fixed.Money) (reserved, requirement fixed.Money, loss fixed.Ticks, most fixed.Lots, ok bool) {
	sell := -int64(side >> 1) // all ones for a sell
	against := (int64(limit-in.Mark) ^ sell) - sell
	loss = fixed.Ticks(against &^ (against >> 63))
	fee, fits := in.Reserve.CeilShort(n)
	// A loss is below the limit, or below the mark of a sell: there it may be more than n.
	lost, lostFits := fixed.NotionalShort(qty, loss, in.TickLot)
	reserved = fee + lost

	buys, sells := x.Buys+qty&^fixed.Lots(sell), x.Sells+qty&fixed.Lots(sell)
	buyReserve, sellReserve := x.BuyReserve+reserved&^fixed.Money(sell), x.SellReserve+reserved&fixed.Money(sell)
	long, short := x.Qty+buys, sells-x.Qty
	outcome := max(fixed.Abs(long), fixed.Abs(short))
	most = max(outcome, buys, sells) // a reduce-only order may close what stands against a side
	value, valueFits := fixed.MulShort(int64(most), int64(in.LotValue))
	requirement, plain := fixed.CeilOne(outcome, in.InitialLot)
	if !fits || !lostFits || !valueFits || !plain || lost > bound || value > int64(bound) || buyReserve > bound || sellReserve > bound {
		return 0, 0, 0, 0, false
	}
	requirement += buyReserve & fixed.Money((-buys&-long)>>63)
	requirement += sellReserve & fixed.Money((-sells&-short)>>63)
	return reserved, requirement, loss, most, true
}

// Without is Requirement for an exposure that loses lots of a side and what they set aside, in an instrument that is plain;
// it writes the exposure. ok is false where the long way has to be gone, and then nothing is written.
func (x *Exposure) Without(in *market.Instrument, side msg.Side, lots fixed.Lots, reserved fixed.Money) (requirement fixed.Money, ok bool) {
	sell := -int64(side >> 1)
	buys, sells := x.Buys-lots&^fixed.Lots(sell), x.Sells-lots&fixed.Lots(sell)
	buyReserve, sellReserve := x.BuyReserve-reserved&^fixed.Money(sell), x.SellReserve-reserved&fixed.Money(sell)
	long, short := x.Qty+buys, sells-x.Qty
	requirement, ok = fixed.CeilOne(max(fixed.Abs(long), fixed.Abs(short)), in.InitialLot)
	if !ok {
		return 0, false
	}
	x.Buys, x.Sells, x.BuyReserve, x.SellReserve = buys, sells, buyReserve, sellReserve
	requirement += buyReserve & fixed.Money((-buys&-long)>>63)
	requirement += sellReserve & fixed.Money((-sells&-short)>>63)
	return requirement, true
}

// Required is Requirement in an instrument that is plain, of an exposure whose parts are within the gate's bounds. It is small
// enough to be inlined; ok is false where the long way has to be gone.
func (x *Exposure) Required(in *market.Instrument) (m fixed.Money, ok bool) {
	long, short := x.Qty+x.Buys, x.Sells-x.Qty
	m, ok = fixed.CeilOne(max(fixed.Abs(long), fixed.Abs(short)), in.InitialLot)
	m += x.BuyReserve & fixed.Money((-x.Buys&-long)>>63)
	return m + x.SellReserve&fixed.Money((-x.Sells&-short)>>63), ok
}
