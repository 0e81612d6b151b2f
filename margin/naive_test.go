package margin_test

import (
	"math/big"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/margin"
	"github.com/lockstep-exchange/lockstep/msg"
)

// The twin of the requirements: the sentences of the margin rules again, in integers without end. A bracket is charged for
// the part of the notional that lies in it, so there is no deduction that could be wrong; what has no int64 is nil.

// terms is an instrument as the twin sees it.
type terms struct {
	kind             msg.InstrumentType
	tickLot          fixed.Money
	unitLots         fixed.Lots
	mark             fixed.Ticks
	tiers            []msg.Tier // the last one without UpTo
	slopeInitial     fixed.Rate
	slopeMaintenance fixed.Rate
	maker, taker     fixed.Rate
}

func whole(v int64) *big.Int { return big.NewInt(v) }

func times(a *big.Int, v int64) *big.Int { return new(big.Int).Mul(a, whole(v)) }

// up is a / b rounded toward plus infinity.
func up(a, b *big.Int) *big.Int {
	q, m := new(big.Int).DivMod(a, b, new(big.Int)) // Euclidean: 0 <= m
	if m.Sign() != 0 {
		q.Add(q, whole(1))
	}
	return q
}

// fits is v, or nil where one of the values has no place in a unit; -2^63 has none.
func fits(v *big.Int, others ...*big.Int) *big.Int {
	for _, w := range append(others, v) {
		if w == nil || !w.IsInt64() || w.Int64() == fixed.MinInt64 {
			return nil
		}
	}
	return v
}

// worth is lots · price · tick-lot.
func (i *terms) worth(lots fixed.Lots, price fixed.Ticks) *big.Int {
	return times(times(whole(int64(lots)), int64(price)), int64(i.tickLot))
}

// tiered is T(N) (M-06).
func (i *terms) tiered(n *big.Int, rate func(msg.Tier) fixed.Rate) *big.Int {
	sum, from := new(big.Int), new(big.Int)
	for _, t := range i.tiers {
		part := n
		if upTo := whole(int64(t.UpTo)); t.UpTo != 0 && n.Cmp(upTo) > 0 {
			part = upTo
		}
		part = new(big.Int).Sub(part, from)
		if part.Sign() <= 0 {
			break
		}
		sum.Add(sum, times(part, int64(rate(t))))
		from = whole(int64(t.UpTo))
	}
	return up(sum, whole(int64(fixed.One)))
}

// charge is T(N) + S(lots) (M-07) of a size, nil where it or something on the way to it does not fit.
func (i *terms) charge(lots fixed.Lots, slope fixed.Rate, rate func(msg.Tier) fixed.Rate) *big.Int {
	n := new(big.Int).Abs(i.worth(lots, i.mark))
	t := i.tiered(n, rate)
	if slope == 0 {
		return fits(t, n)
	}
	steep := times(new(big.Int).Abs(whole(int64(lots))), int64(slope))
	units := times(whole(int64(max(i.unitLots, 1))), int64(fixed.One))
	s := up(new(big.Int).Mul(n, steep), units)
	return fits(new(big.Int).Add(t, s), n, t, s, steep, units)
}

// initial is IMf (M-12).
func (i *terms) initial(lots fixed.Lots) *big.Int {
	return i.charge(lots, i.slopeInitial, func(t msg.Tier) fixed.Rate { return t.Initial })
}

// maintenance is MM (M-08).
func (i *terms) maintenance(lots fixed.Lots) *big.Int {
	if i.kind == msg.Spot {
		return new(big.Int)
	}
	return i.charge(lots, i.slopeMaintenance, func(t msg.Tier) fixed.Rate { return t.Maintenance })
}

// reserve is what leaves lots at limit set aside (M-14), given the loss a lot and the fee rate.
func (i *terms) reserve(t margin.Terms, leaves fixed.Lots, limit fixed.Ticks) *big.Int {
	loss := i.worth(leaves, t.Loss)
	if t.Fee == 0 {
		return fits(loss)
	}
	n := i.worth(leaves, limit)
	fee := up(times(n, int64(t.Fee)), whole(int64(fixed.One)))
	return fits(new(big.Int).Add(loss, fee), loss, n, fee)
}

// requirement is IM_i of an exposure (M-13, M-14); of a spot instrument the cost of its buys and what
// its sells give up.
func (i *terms) requirement(x margin.Exposure) *big.Int {
	if i.kind == msg.Spot {
		return fits(new(big.Int).Add(whole(int64(x.BuyReserve)), whole(int64(x.SellReserve))))
	}
	size := max(x.Qty+x.Buys, -x.Qty-x.Buys, x.Qty-x.Sells, x.Sells-x.Qty)
	sum := i.initial(size)
	if sum == nil {
		return nil
	}
	sum = new(big.Int).Set(sum)
	if x.Buys > max(-x.Qty, 0) {
		sum.Add(sum, whole(int64(x.BuyReserve)))
	}
	if x.Sells > max(x.Qty, 0) {
		sum.Add(sum, whole(int64(x.SellReserve)))
	}
	return fits(sum)
}
