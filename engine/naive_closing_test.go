package engine

import (
	"math/big"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// The part of the twin that keeps an order from costing its pool more than it has (M-16): the price at which one that reduces works, and
// who is asked before it trades far from the mark.

// left is what equity comes to when lots of a side are filled at a price for a fee.
func (in *naiveInstrument) left(side msg.Side, lots fixed.Lots, price fixed.Ticks, fee fixed.Rate, equity fixed.Money) *big.Int {
	lot, away := int64(in.listing.TickLot), price-in.mark
	if side == msg.Sell {
		away = -away
	}
	paid := quotientUp(product(int64(lots), int64(price), lot, int64(fee)), big.NewInt(int64(fixed.One)))
	sum := big.NewInt(int64(equity))
	return sum.Sub(sum, product(int64(lots), int64(away), lot)).Sub(sum, paid)
}

// tightened is the worst price from a limit on at which a reducing order leaves its pool something, or nothing; 0: there is none. Prices are
// tried by halves: what is good at one is good at every better one.
func (in *naiveInstrument) tightened(side msg.Side, lots fixed.Lots, limit fixed.Ticks, fee fixed.Rate, equity fixed.Money) fixed.Ticks {
	good := func(p fixed.Ticks) bool { return in.left(side, lots, p, fee, equity).Sign() >= 0 }
	step := fixed.Ticks(in.step(msg.PriceStep))
	if good(limit) {
		return limit
	}
	if side == msg.Buy {
		bad, fine := limit/step+1, fixed.Ticks(0)
		for bad-fine > 1 {
			if middle := (bad + fine) / 2; good(middle * step) {
				fine = middle
			} else {
				bad = middle
			}
		}
		return fine * step
	}
	bad, fine := (limit-1)/step, (1<<55)/step
	if !good(fine * step) {
		return 0
	}
	for fine-bad > 1 {
		if middle := (bad + fine) / 2; good(middle * step) {
			fine = middle
		} else {
			bad = middle
		}
	}
	return fine * step
}

// tighten lets a reducing order of a pool with that equity work at the price at which it may.
func (n *naive) tighten(w *wish, equity fixed.Money, no *objections) {
	in := n.instruments[w.instr]
	fees := n.feesOf(in, w.account.owner)
	fee := max(0, fees.Maker, fees.Taker)
	loss, _ := in.terms(w.side, w.limit, fees)
	cost := in.reserve(w.qty, w.limit, loss, fee)
	if cost <= equity {
		return
	}
	p := in.tightened(w.side, w.qty, w.limit, fee, equity)
	no.when(p == 0, msg.RejectInsufficientMargin, int64(equity), int64(cost))
	if p != 0 {
		w.limit = p
	}
}

// strays reports whether a resting order is farther on its losing side of the mark than closing it frees maintenance for.
func (n *naive) strays(o *naiveOrder) bool {
	in := n.instruments[o.instr]
	if !in.perpetual() || in.mark == 0 {
		return false
	}
	away := in.mark - o.price
	if o.side == msg.Buy {
		away = -away
	}
	calm := fixed.Ticks(0)
	fee := max(0, in.fees.Maker, in.fees.Taker)
	if freed := in.tiers[0].Maintenance - fee; freed > 0 && len(n.prices.tiers) == 0 {
		calm = max(0, fixed.Ticks(floorOf(product(int64(in.mark), int64(freed)), int64(fixed.One+fee)))-1)
	}
	return away > calm
}

// survives reports whether a pool has something left, or nothing, when an order of it is filled in full.
func (n *naive) survives(o *naiveOrder) bool {
	a, in, lots := o.account, n.instruments[o.instr], o.leaves
	if o.reduceOnly {
		lots = min(lots, o.reducible())
	}
	equity, _ := n.standing(a.poolOf(o.instr))
	fee, closes := max(0, n.feesOf(in, a.owner).Maker), lots
	if a.own(o.instr).isolated {
		closes = min(lots, o.reducible())
	}
	if closes > 0 {
		if in.left(o.side, closes, o.price, fee, equity).Sign() < 0 {
			return false
		}
		equity = 0
	}
	if closes == lots {
		return true
	}
	posted := fixed.Money(floorOf(in.part(lots-closes, o.price, o.rate), int64(fixed.One)))
	return in.left(o.side, lots-closes, o.price, 0, equity+posted).Sign() >= 0
}
