package engine

import (
	"math/big"
	"slices"

	"github.com/lockstep-exchange/lockstep/fixed"
)

// The part of the twin that closes winners against a pool that nobody takes over (M-53), and shares what is missing (M-54).

// shareOut gives d lots to those who have a weight, each no more than it holds: round by round what falls to it by weight, and who
// is full drops out. In a round that fills nobody the lots left over go one each by the largest remainder, then in the order in
// which they stand. When no weight is left, lots weigh.
func shareOut(d fixed.Lots, weights []*big.Int, holds []fixed.Lots) []fixed.Lots {
	given := make([]fixed.Lots, len(holds))
	rest := slices.Clone(weights)
	for d > 0 {
		active, sum := []int{}, new(big.Int)
		for j := range rest {
			if rest[j].Sign() > 0 && given[j] < holds[j] {
				active = append(active, j)
				sum.Add(sum, rest[j])
			}
		}
		if len(active) == 0 { // by lots
			for j := range holds {
				rest[j] = big.NewInt(int64(holds[j] - given[j]))
				if rest[j].Sign() > 0 {
					active = append(active, j)
					sum.Add(sum, rest[j])
				}
			}
		}
		if len(active) == 0 {
			return given
		}
		remainders, full, round := map[int]*big.Int{}, false, d
		for _, j := range active {
			whole, left := new(big.Int).QuoRem(new(big.Int).Mul(big.NewInt(int64(round)), rest[j]), sum, new(big.Int))
			gives := min(holds[j]-given[j], fixed.Lots(small(whole)))
			given[j] += gives
			d -= gives
			remainders[j], full = left, full || given[j] == holds[j]
		}
		if full {
			continue
		}
		slices.SortStableFunc(active, func(i, j int) int { return remainders[j].Cmp(remainders[i]) })
		for _, j := range active[:d] {
			given[j]++
		}
		return given
	}
	return given
}

// adlWeight is how much a winner's position weighs (M-53).
func adlWeight(profit, notional, equity fixed.Money) *big.Int {
	if profit <= 0 {
		return new(big.Int)
	}
	return quotient(product(int64(profit), int64(notional)), big.NewInt(int64(max(equity, 1))))
}

// socialize shares what is missing among gains: what each is paid of its own, and what then still is missing (M-54).
func socialize(missing fixed.Money, gains []fixed.Money) (paid []fixed.Money, uncovered fixed.Money) {
	sum := fixed.Money(0)
	for _, g := range gains {
		sum += g
	}
	collected := max(0, sum-missing)
	paid = make([]fixed.Money, len(gains))
	left := collected
	for j, g := range gains {
		if j == len(gains)-1 {
			paid[j] = left
			break
		}
		paid[j] = fixed.Money(floorOf(product(int64(g), int64(collected)), int64(sum)))
		left -= paid[j]
	}
	return paid, max(0, missing-sum)
}

// adlPrice is where a leg is closed: at its bankruptcy price, no farther from the mark than the band lets it (M-53).
func (in *naiveInstrument) adlPrice(q fixed.Lots, equity, maintenance fixed.Money, band fixed.Rate) fixed.Ticks {
	one := int64(fixed.One)
	low := max(1, fixed.Ticks(ceilOf(product(int64(in.mark), one-int64(band)), one)))
	high := fixed.Ticks(floorOf(product(int64(in.mark), one+int64(band)), one))
	p := in.bankruptcy(q, equity, maintenance)
	return min(max(p, low), high)
}
