package margin

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Deleveraging: at what price a pool that nobody takes is closed, and whose positions close it (M-53, M-54).

// Winner is a position that may close another one.
type Winner struct {
	Account msg.AccountID
	Row     uint32      // of its position
	Weight  fixed.Money // from WinnerWeight
	Lots    fixed.Lots  // that it has, in absolute numbers
	Given   fixed.Lots  // of them, to be closed
	Gain    fixed.Money // that it realizes by it, 0 or more
	Moved   fixed.Money // from an isolated one to its account by it (M-24)
	rest    fixed.Wide  // what the Floor of its last share has left; below 0: made up for
}

// WinnerWeight is Floor(profit · notional / max(equity, 1)), 0 without profit: who won much with little of his own comes
// first. One that does not fit Money is the highest there is.
func WinnerWeight(profit, notional, equity fixed.Money) fixed.Money {
	if profit <= 0 {
		return 0
	}
	w, ok := fixed.MulDivFloor(int64(profit), int64(notional), int64(max(equity, 1)))
	if !ok {
		return fixed.MaxInt64
	}
	return fixed.Money(w)
}

// Before is the order in which winners are preferred where there is no room for all: by weight, then lots, then account.
func (w *Winner) Before(o *Winner) bool {
	switch {
	case w.Weight != o.Weight:
		return w.Weight > o.Weight
	case w.Lots != o.Lots:
		return w.Lots > o.Lots
	}
	return w.Account < o.Account
}

// Allocate shares d lots out among winners by their weights (M-53). Each round gives everyone the Floor of his share of what is
// left; who has no more lots drops out and the rest is shared again; a round in which nobody does ends it, and the lots that
// its Floors left go one each by largest remainder, ties by account. Who has no weight is asked when no weight is left, by
// lots. It returns the lots that nobody has. The work grows with the square of the winners; nothing is allocated.
func Allocate(d fixed.Lots, winners []Winner) (left fixed.Lots) {
	for i := range winners {
		winners[i].Given = 0
	}
	return share(share(d, winners, false), winners, true)
}

// share is Allocate among those with a weight, or byLots among those without.
func share(d fixed.Lots, winners []Winner, byLots bool) (left fixed.Lots) {
	for d > 0 {
		all := fixed.Wide{}
		for i := range winners {
			all = all.Add(fixed.Widen(winners[i].claim(byLots)))
		}
		if all.Sign() == 0 {
			return d
		}
		asked, capped := d, false
		for i := range winners {
			w := &winners[i]
			claim := w.claim(byLots)
			if claim == 0 {
				continue
			}
			whole := fixed.MulWide(int64(asked), claim)
			v, _ := whole.DivWideFloor(all) // no more than was asked
			n := min(fixed.Lots(v), w.Lots-w.Given)
			given := all.Huge().Times(uint64(v))
			w.rest = whole.Sub(fixed.Wide{Hi: int64(given[1]), Lo: given[0]})
			w.Given += n
			d -= n
			capped = capped || w.Given == w.Lots
		}
		if !capped {
			spread(d, winners, byLots)
			return 0
		}
	}
	return 0
}

// claim is what a winner counts by: nothing once all of his lots are given.
func (w *Winner) claim(byLots bool) int64 {
	switch {
	case w.Given == w.Lots, byLots && w.Weight != 0:
		return 0
	case byLots:
		return int64(w.Lots)
	}
	return int64(w.Weight)
}

// spread gives the lots that the Floors of the last round have left, fewer than there are claims, one each.
func spread(d fixed.Lots, winners []Winner, byLots bool) {
	for ; d > 0; d-- {
		best := -1
		for i := range winners {
			w := &winners[i]
			if w.claim(byLots) == 0 || w.rest.Sign() < 0 {
				continue
			}
			if best >= 0 {
				c := w.rest.Cmp(winners[best].rest)
				if c < 0 || c == 0 && w.Account > winners[best].Account {
					continue
				}
			}
			best = i
		}
		winners[best].Given++
		winners[best].rest = fixed.Widen(-1)
	}
}

// AdlPrice is the price at which a leg is closed against others': bankruptcy, within the band around the mark, and at least 1
// (M-53).
func AdlPrice(in *market.Instrument, lots fixed.Lots, equity, maintenance fixed.Money, band fixed.Rate) fixed.Ticks {
	p := in.Mark
	if v, ok := Bankruptcy(in, lots, fixed.Abs(lots), equity, maintenance); ok {
		if p, ok = perLot(in, lots, v); !ok {
			p = in.Mark
		}
	}
	low, _ := (-band).ScaleCeil(in.Mark)
	high, ok := band.ScaleFloor(in.Mark)
	if !ok {
		high = fixed.MaxInt64
	}
	return max(min(max(p, low), high), 1)
}

// Socialize splits a shortfall among those who gained, no more than they gained (M-54): each keeps Floor(gain·C/Σgain) of C =
// max(0, Σgain - shortfall), the last of account order the remainder; what would be more than his gain goes to the one before
// him, so that nobody gains by it. It turns Gain into what each pays and returns what is still missing. winners are in order
// of account; their gains together fit Money.
func Socialize(shortfall fixed.Money, winners []Winner) (missing fixed.Money) {
	sum := fixed.Money(0)
	for i := range winners {
		sum += max(0, winners[i].Gain)
	}
	kept := max(0, sum-shortfall)
	left := kept
	for i := range winners {
		w := &winners[i]
		w.Gain = max(0, w.Gain)
		keeps, _ := fixed.MulDivFloor(int64(w.Gain), int64(kept), int64(max(sum, 1)))
		w.Gain -= fixed.Money(keeps)
		left -= fixed.Money(keeps)
	}
	for i := len(winners) - 1; left > 0; i-- {
		more := min(left, winners[i].Gain)
		winners[i].Gain -= more
		left -= more
	}
	return max(0, shortfall-sum)
}
