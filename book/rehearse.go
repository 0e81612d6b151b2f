package book

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// A rehearsal is a match that changes nothing: what a taker would trade against the book as it is. It asks the same in the
// same order as Match does, see match.go, and uses up Room alike, so a match on the unchanged book trades what was rehearsed.
//
// A maker that is reduce-only or posts stops it with StopAsk, as it stops a match. The engine writes to May how many lots that maker may still
// trade, 0 if it would be canceled, and rehearses on; nothing else of the rehearsal is touched meanwhile. What earlier
// parts of the rehearsal did to the maker's position is the engine's to add up, from the parts' handles.

// Rehearsal is an incoming order in Rehearse, and what would become of it.
type Rehearsal struct {
	Taker
	May fixed.Lots // answer to StopAsk: lots that the maker Ask may trade
}

// Part is what would trade with one maker.
type Part struct {
	Price  fixed.Ticks
	Qty    fixed.Lots
	Handle uint32 // of the maker
}

// Rehearse appends to parts what r would trade, maker by maker, until it is done or stopped; of Taker it writes all that Match
// writes. It allocates only if parts has no capacity left: there is at most one part for each unit of Room.
func (b *Book) Rehearse(r *Rehearsal, parts []Part) []Part {
	st := b.store
	rests := r.Side.Opposite()
	limit := rank(rests, r.Limit)
	h, answered := b.First(rests), r.Stop == StopAsk
	if answered {
		h = r.Ask
	}
	r.Stop = StopDone
	for ; r.Leaves > 0 && h != 0 && rank(rests, st.tickets[h].Price) <= limit; h = b.NextOf(h) {
		if r.Room <= 0 {
			r.Stop = StopBound
			break
		}
		o := &st.orders[h]
		open := o.Leaves
		switch {
		case answered:
			open, answered = min(open, r.May), false
		case o.Flags&Expires != 0 && st.expiry.at[h] <= r.Now:
			open = 0
		case o.Owner == r.Owner && o.Owner != 0 && r.STP != msg.STPNone:
			if r.STP == msg.STPCancelNewest {
				r.Stop = StopSelf
				return parts
			}
			open = 0
			r.rehearseOwn(o)
		case (o.Flags|r.Wary)&asked != 0 && r.Allow != h:
			r.Stop, r.Ask = StopAsk, h
			return parts
		}
		r.Room--
		if q := min(open, r.Leaves); q > 0 {
			r.Leaves -= q
			parts = append(parts, Part{st.tickets[h].Price, q, h})
		}
		if r.Stop != StopDone {
			break
		}
	}
	return parts
}

// rehearseOwn is what self-trade prevention does to the taker at a maker of its owner that goes or shrinks.
func (r *Rehearsal) rehearseOwn(o *Order) {
	switch r.STP {
	case msg.STPCancelBoth:
		r.Stop = StopSelf
	case msg.STPDecrement:
		q := min(r.Leaves, o.Leaves)
		r.Leaves -= q
		r.Decremented += q
	}
}
