package engine

import (
	"math/big"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// The part of the twin that says how a leg is sold: at what price (M-30, M-31, M-49), how much of it (M-48), for what fee (M-50).

// quotient is num/den toward minus infinity, den above 0.
func quotient(num, den *big.Int) *big.Int { return new(big.Int).Div(num, den) }

// quotientUp is num/den toward plus infinity, den above 0.
func quotientUp(num, den *big.Int) *big.Int {
	return new(big.Int).Neg(quotient(new(big.Int).Neg(num), den))
}

func magnitude[T ~int64](v T) T { return max(v, -v) }

// bankruptcyValue is V of closing d lots of a leg of q: what may be received for them, below 0 paid, so that equity over
// maintenance stays as it is (M-30). A pool that requires nothing gives all that it has for its last lots.
func (in *naiveInstrument) bankruptcyValue(q, d fixed.Lots, equity, maintenance fixed.Money) *big.Int {
	freed := in.maintenance(q) - in.maintenance(magnitude(q)-d)
	if maintenance == 0 {
		freed, maintenance = fixed.Money(d), fixed.Money(magnitude(q))
	}
	v := big.NewInt(int64(in.worth(d, in.mark)))
	if q < 0 {
		v.Neg(v)
	}
	return v.Sub(v, quotient(product(int64(equity), int64(freed)), big.NewInt(int64(maintenance))))
}

// bankruptcy is the price at which all of a leg can be closed so, 0 where there is none (M-30).
func (in *naiveInstrument) bankruptcy(q fixed.Lots, equity, maintenance fixed.Money) fixed.Ticks {
	v := in.bankruptcyValue(q, magnitude(q), equity, maintenance)
	lot := product(int64(magnitude(q)), int64(in.listing.TickLot))
	p := quotientUp(v, lot)
	if q < 0 {
		p = quotient(v.Neg(v), lot)
	}
	if !p.IsInt64() || p.Sign() <= 0 {
		return 0
	}
	return fixed.Ticks(p.Int64())
}

// fillable is the price that slides from the mark as equity goes (M-31).
func (in *naiveInstrument) fillable(q fixed.Lots, equity, maintenance fixed.Money) fixed.Ticks {
	if maintenance <= 0 {
		return in.mark
	}
	l, one := in.liquidation(), int64(fixed.One)
	c := quotient(product(int64(maintenance-equity), l.adjust), big.NewInt(int64(maintenance)))
	if c.Sign() < 0 {
		c.SetInt64(0)
	}
	if c.Cmp(big.NewInt(one)) > 0 {
		c.SetInt64(one)
	}
	u := quotient(c.Mul(c, big.NewInt(l.spread)), big.NewInt(one))
	away := quotient(u.Mul(u, big.NewInt(int64(in.maintenance(q)))), product(one, int64(magnitude(q)), int64(in.listing.TickLot)))
	if q < 0 {
		return in.mark + fixed.Ticks(small(away))
	}
	return in.mark - fixed.Ticks(small(away))
}

// limit is the worst price that a slice of a leg may have: fillable, neither beyond bankruptcy nor outside the band (M-49).
func (in *naiveInstrument) limit(q fixed.Lots, equity, maintenance fixed.Money) fixed.Ticks {
	p, stop := in.fillable(q, equity, maintenance), in.bankruptcy(q, equity, maintenance)
	low, high := in.edges()
	if q > 0 {
		return max(p, stop, low, 1)
	}
	if stop != 0 {
		p = min(p, stop)
	}
	return min(p, high)
}

// naiveLiquidation is what an instrument says of slices, in whole numbers.
type naiveLiquidation struct{ fraction, full, least, cap, share, fee, spread, adjust int64 }

// liquidation are the instrument's parameters of slices, with their defaults.
func (in *naiveInstrument) liquidation() naiveLiquidation {
	said := func(r msg.Rule, otherwise int64) int64 {
		if v, ok := in.rules[r]; ok {
			return v
		}
		return otherwise
	}
	percent, coin := int64(fixed.Percent), int64(fixed.Coin)
	return naiveLiquidation{fraction: said(msg.LiqFraction, 25*percent), full: said(msg.LiqFull, 10_000*coin), least: said(msg.LiqMin, 1),
		cap: said(msg.LiqCap, 1_000_000*coin), share: said(msg.LiqBookShare, 100*percent), fee: said(msg.LiqFee, percent/2),
		spread: said(msg.LiqSpread, 10*percent), adjust: said(msg.LiqAdjust, 100*percent)}
}

// want is how much of a leg a step would sell (M-48).
func (in *naiveInstrument) want(q fixed.Lots) fixed.Lots {
	l, lots := in.liquidation(), int64(magnitude(q))
	if int64(magnitude(in.worth(q, in.mark))) <= l.full {
		return fixed.Lots(lots)
	}
	return fixed.Lots(min(lots, max(l.least, ceilOf(product(lots, l.fraction), int64(fixed.One)))))
}

// bracketRate is the maintenance rate of the bracket in which a notional lies.
func (in *naiveInstrument) bracketRate(value fixed.Money) int64 {
	from := fixed.Money(0)
	for _, t := range in.tiers {
		if value > from && (t.UpTo == 0 || value <= t.UpTo) {
			return int64(t.Maintenance)
		}
		from = t.UpTo
	}
	return 0
}

// cure is how many lots, closed at a limit, bring the pool to the target; ok is false where none do (M-48).
func (in *naiveInstrument) cure(q fixed.Lots, limit fixed.Ticks, equity, maintenance fixed.Money, target fixed.Rate) (lots *big.Int, ok bool) {
	units, one, lot := max(int64(in.listing.UnitLots), 1), int64(fixed.One), int64(in.listing.TickLot)
	short := ceilOf(share(maintenance, target), one) - int64(equity)
	scale := product(units, one, one) // of rates, their product and the slope
	rate := product(in.bracketRate(magnitude(in.worth(q, in.mark))), units)
	rate.Add(rate, product(in.rules[msg.SlopeMaintenance], int64(magnitude(q))))
	gain := rate.Mul(rate, product(int64(target), int64(in.mark), lot))
	gain.Sub(gain, new(big.Int).Mul(product(int64(magnitude(in.mark-limit)), lot), scale))
	gain.Sub(gain, product(int64(limit), lot, in.liquidation().fee, units, one))
	if gain.Sign() <= 0 {
		return nil, false
	}
	return quotientUp(scale.Mul(scale, big.NewInt(short)), gain), true
}

// sliceLots is how many lots of a leg a step tries to sell where depth lots stand at the limit or better (M-48). Inventory of
// the fund is sold without regard to any cure.
func (in *naiveInstrument) sliceLots(q fixed.Lots, depth fixed.Lots, cure *big.Int) fixed.Lots {
	l := in.liquidation()
	lots := min(int64(in.want(q)), floorOf(product(int64(depth), l.share), int64(fixed.One)),
		floorOf(big.NewInt(l.cap), int64(in.worth(1, in.mark))))
	if cure != nil && cure.Cmp(big.NewInt(lots)) < 0 {
		lots = cure.Int64()
	}
	return fixed.Lots(max(lots, 1))
}

// liquidationFee is what the fund takes of a slice that closed d lots for value, with the pool's figures before it (M-50).
func (in *naiveInstrument) liquidationFee(q, d fixed.Lots, value, equity, maintenance fixed.Money) fixed.Money {
	fill := big.NewInt(int64(value))
	if q < 0 {
		fill.Neg(fill)
	}
	left := fill.Sub(fill, in.bankruptcyValue(q, d, equity, maintenance))
	most := big.NewInt(floorOf(product(int64(value), in.liquidation().fee), int64(fixed.One)))
	if left.Cmp(most) > 0 {
		left = most
	}
	return fixed.Money(small(left))
}
