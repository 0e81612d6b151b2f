package book

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// What stands on a side, asked by those who value it: how far a notional reaches, and how much there is up to a limit. Both
// count the open lots of whole levels, as everybody sees them; what a reduce-only order among them may still trade is
// known to Rehearse alone. Both look at no more than room levels, and what lies beyond those is as if it were not there.
//
//	rank      1    2    3    4
//	lots     [ 5 ][ 3 ][ 9 ][ 2 ]
//	           `-whole-'  ^ Price: here the notional is reached, with part of this level

// Impact says how deep a notional reaches into a side (M-40).
type Impact struct {
	Lots     fixed.Lots  // of the levels that are used up before the last
	TickLots int64       // Σ price · lots of those, below the notional
	Price    fixed.Ticks // of the last level, which brings the rest
}

// Impact walks a side until a notional is reached. The notional is in tick-lots, above 0: an amount divided by the value of
// one tick of one lot, and rounded up, which asks the same of whole levels as the amount does. ok is false where the side
// is too thin for it within room levels; so it is if a level has no positive price.
func (b *Book) Impact(side msg.Side, tickLots int64, room int) (i Impact, ok bool) {
	st := b.store
	for row := b.firstLevel(b.side(side)); row != 0 && room > 0; row = b.nextLevel(row) {
		l := &st.levels[row]
		i.Price = price(side, l.rank)
		if i.Price <= 0 {
			break
		}
		worth, fits := fixed.Mul(int64(i.Price), int64(l.qty))
		if !fits || worth >= tickLots-i.TickLots {
			return i, true
		}
		i.Lots += l.qty
		i.TickLots += worth
		room--
	}
	return Impact{}, false
}

// LotsWithin is how many lots of a side are open at a limit or better (M-48). The side is that of the resting orders: for a
// seller with a limit it is Buy.
func (b *Book) LotsWithin(side msg.Side, limit fixed.Ticks, room int) (lots fixed.Lots) {
	st, worst := b.store, rank(side, limit)
	for row := b.firstLevel(b.side(side)); row != 0 && room > 0; row = b.nextLevel(row) {
		l := &st.levels[row]
		if l.rank > worst {
			break
		}
		lots += l.qty
		room--
	}
	return lots
}
