package book

import (
	"math/bits"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Matching: an incoming order, the taker, meets resting ones, the makers, in order of price and then time, and trades at
// the maker's price.
//
// At the front of the opposite side stands one maker, and what happens to it is asked in this order:
//
//	its time has come             it is removed                                MakerExpired
//	it is the taker's own         what the taker's STP mode says               SelfCanceled, SelfReduced, StopSelf
//	it is reduce-only, or posts   the engine is asked, once for each           StopAsk
//	or the taker is wary
//	else                          the smaller of both leaves is traded         Trade

// Taker is an incoming order in Match, and what Match reports of it.
type Taker struct {
	Limit       fixed.Ticks // worst price
	Leaves      fixed.Lots  // in: lots wanted; out: lots left
	Decremented fixed.Lots  // out: lots that STP took off, added up
	Now         fixed.Nanos // makers whose expiry is not after it are gone
	Owner       msg.OwnerID // 0: nobody's
	Room        int         // in: makers that it may still change; out: how many are left
	Allow       uint32      // the maker that has been approved
	Wary        Flags       // Posts: the engine is asked of each maker, 0: only of those whose flags say so
	Ask         uint32      // out with StopAsk: the maker in front
	Side        msg.Side
	STP         msg.STP // resolved: never STPDefault
	Stop        Stop    // out
}

// Stop says why a match ended.
type Stop uint8

const (
	_         Stop = iota
	StopDone       // nothing crosses any more, or Leaves is 0
	StopBound      // Room is used up and more crosses
	StopSelf       // self-trade prevention ends the taker; Leaves is to be canceled
	StopAsk        // the maker in front, Ask, is reduce-only or posts: trim or cancel it or not, set Allow, match again
)

// Fill is what a match did to one maker.
type Fill struct {
	Maker   msg.OrderID
	Ref     msg.Ref // of the maker
	Price   fixed.Ticks
	Qty     fixed.Lots // traded, canceled or taken off
	Leaves  fixed.Lots // of the maker, after it
	Filled  fixed.Lots // of the maker, after it
	Account msg.AccountID
	Handle  uint32      // row of the maker; already free again when Leaves is 0
	Owner   msg.OwnerID // of the maker
	Session msg.SessionID
	Kind    FillKind
	Flags   Flags // of the maker
}

// FillKind says what happened to the maker.
type FillKind uint8

const (
	_            FillKind = iota
	Trade                 // Qty lots changed hands
	SelfCanceled          // STP removed it with Qty lots open
	SelfReduced           // STP took Qty lots off; it keeps its place
	MakerExpired          // its time had come; removed with Qty lots open
)

// Match lets t meet what rests until it is done or stopped, and appends to fills what happened to each maker, at most one
// entry for each unit of Room. Makers with nothing left are unlinked and freed; their rows are not reused before the next
// Alloc. It allocates only if fills has no capacity left.
func (b *Book) Match(t *Taker, fills []Fill) []Fill {
	rests := t.Side.Opposite()
	s, limit := b.side(rests), rank(rests, t.Limit)
	own := uint64(t.Owner)
	if own == 0 || t.STP == msg.STPNone {
		own = 1 << 32 // no maker's
	}
	st := b.store
	orders, tickets := st.orders, st.tickets
	t.Stop = StopDone
	for t.Leaves > 0 && s.best <= limit {
		if t.Room <= 0 {
			t.Stop = StopBound
			break
		}
		row := b.firstLevel(s)
		l := &st.levels[row]
		h := l.head
		o, k := &orders[h], &tickets[h]
		kind, q := Trade, min(t.Leaves, o.Leaves)
		if (o.Flags|t.Wary)&(asked|Expires) != 0 || uint64(o.Owner) == own {
			kind, q = b.meet(t, h)
			if kind == 0 {
				break
			}
		}

		if kind == Trade {
			t.Leaves -= q
			k.Filled += q
		}
		t.Room--
		left := o.Leaves - q
		fills = append(fills, Fill{}) // written in place: a literal is built elsewhere and copied, and stalls
		f := &fills[len(fills)-1]
		f.Maker, f.Ref, f.Handle, f.Kind = msg.OrderID(o.Gen)<<32|msg.OrderID(h), k.Ref, h, kind
		f.Price, f.Qty, f.Leaves, f.Filled = k.Price, q, left, k.Filled
		f.Account, f.Owner, f.Session, f.Flags = k.Account, o.Owner, o.Session, o.Flags
		l.qty -= q
		if o.Leaves = left; left == 0 {
			b.removeFirst(s, l, row, h)
		}
		if t.Stop != StopDone {
			break
		}
	}
	b.trim(s)
	return fills
}

// meet says what happens between t and a maker in front that is not plain, and to how many lots; 0: nothing, and t is
// stopped. What is no trade it takes off t itself.
//
//go:noinline
func (b *Book) meet(t *Taker, h uint32) (FillKind, fixed.Lots) {
	o := &b.store.orders[h]
	if o.Flags&Expires != 0 && b.store.expiry.at[h] <= t.Now {
		return MakerExpired, o.Leaves
	}
	if o.Owner == t.Owner && o.Owner != 0 && t.STP != msg.STPNone {
		return b.meetOwn(t, o)
	}
	if (o.Flags|t.Wary)&asked != 0 && t.Allow != h {
		t.Stop, t.Ask = StopAsk, h
		return 0, 0
	}
	return Trade, min(t.Leaves, o.Leaves)
}

// meetOwn is meet for a maker of the taker's owner.
func (b *Book) meetOwn(t *Taker, o *Order) (FillKind, fixed.Lots) {
	switch t.STP {
	case msg.STPCancelOldest:
		return SelfCanceled, o.Leaves
	case msg.STPCancelBoth:
		t.Stop = StopSelf
		return SelfCanceled, o.Leaves
	case msg.STPDecrement:
		q := min(t.Leaves, o.Leaves)
		t.Leaves -= q
		t.Decremented += q
		if q == o.Leaves {
			return SelfCanceled, q
		}
		return SelfReduced, q
	}
	t.Stop = StopSelf
	return 0, 0
}

// removeFirst unlinks and frees the first order of a side, with whose lots its level does not count any more. If its level and block
// go with it, Match tidies up at its end.
func (b *Book) removeFirst(s *half, l *level, row, h uint32) {
	st := b.store
	o := &st.orders[h]
	next := o.Next
	l.head = next
	l.count--
	st.orders[next].Prev = 0
	if o.Flags&Expires != 0 {
		st.unschedule(h)
		st.expiry.at[h] = 0
	}
	st.vacate(h, o)
	if next != 0 {
		return
	}

	k := &st.blocks[s.head]
	st.slots[s.head][uint64(s.best)%span] = 0
	k.bits &= k.bits - 1
	st.levelRows.give(row)
	if k.bits == 0 {
		b.vacate(s, s.head)
		return
	}
	s.best = k.key<<spanBits + int64(bits.TrailingZeros64(k.bits))
}

// Fillable reports whether at least need lots would trade for t now: under its limit and Room, past expired makers and
// those of its own owner. A maker that is reduce-only or posts counts as 0 lots, since how many it may trade is not known here; so
// what is promised is always had. Nothing changes.
func (b *Book) Fillable(t *Taker, need fixed.Lots) bool {
	rests := t.Side.Opposite()
	limit := rank(rests, t.Limit)
	leaves, room := t.Leaves, t.Room
	for h := b.First(rests); need > 0 && h != 0 && room > 0; h = b.NextOf(h) {
		o := &b.store.orders[h]
		if rank(rests, b.store.tickets[h].Price) > limit {
			break
		}
		room--
		if o.Flags&Expires != 0 && b.store.expiry.at[h] <= t.Now {
			continue
		}
		q := min(o.Leaves, leaves)
		if o.Owner == t.Owner && t.Owner != 0 && t.STP != msg.STPNone {
			switch t.STP {
			case msg.STPCancelOldest:
				continue
			case msg.STPDecrement:
				leaves -= q
				continue
			}
			break
		}
		if (o.Flags|t.Wary)&asked != 0 {
			continue
		}
		need -= q
		leaves -= q
	}
	return need <= 0
}
