package book

import (
	"math/bits"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Call auctions: orders have come to rest without trading, bids may stand above asks, and then all that can trade does so
// at one price (M-70).
//
// Words: a book is crossed while a bid reaches an ask. The volume at a tick is the smaller of the lots bid there or higher
// and those offered there or lower, the imbalance the larger less the smaller. To search is to find the price, to settle
// is to trade at it. Both go on over several commands where one may not do it all; an Auction is how far they have come.
//
//	  bids           asks
//	 5 at 103       4 at 100     The search uses both sides up from their best levels while those cross. What is used up is
//	 3 at 102       4 at 101     the volume, here 4 + 1 + 3 = 8. From 101 to 102, the worst levels with a part in it, every
//	 6 at 100       9 at 104     tick trades that much; of them those between the next levels, 100 and 104, leave nobody
//	                             out. So it is 101 or 102, whichever is nearer to the mark.
//
// Orders that self-trade prevention or a lack of position takes out while the auction settles have been counted by the
// search. Where the book is still crossed when all is done at the price there is another round, at a price of its own. New
// orders stay out until the end; those that leave meanwhile may have been counted by a search that was under way.
//
// Of two orders of one owner that meet, the one that came to cross the other is the incoming one, and its STP mode says
// what happens, as in Match. Which that is, arrivals say: an order that crosses when it comes to rest is given the number
// of its command. Two orders that have none do not cross, and one from an earlier auction is below any of this one.

// Auction is how far the uncrossing of a book has come. The zero value has yet to begin.
type Auction struct {
	Price fixed.Ticks // of the round, if Found
	Found bool        // the search is over
	begun bool
	bid   used
	ask   used
}

// used is how far a search has used a side up.
type used struct {
	rank int64      // of the first level that is not used up
	lots fixed.Lots // used of that level
	last int64      // rank of the last level with a part in the volume
}

// Turn is what one command gives to an auction, and what it learns.
type Turn struct {
	Near  fixed.Ticks // the mark
	Step  fixed.Ticks // of prices, at least 1
	Room  int         // in: pairs that may still meet, a search counting as one; out: how many are left
	Allow [2]uint32   // by side & 1: the order that has been approved
	Ask   uint32      // out with StopAsk: an order in front that is reduce-only or posts
	Stop  Stop        // out: StopDone, nothing crosses any more; StopBound, Room is used up; StopAsk
}

// Pair is a bid and an ask that met. Either both traded at Price, or self-trade prevention took out or cut one or both; a Kind
// of 0 says that nothing happened to one. The Price of a Fill is its order's limit.
type Pair struct {
	Price    fixed.Ticks
	Bid, Ask Fill
}

// levelsPerRoom is how many levels a search may pass for one pair, which is so much more work.
const levelsPerRoom = 8

// Crossed reports whether a bid reaches an ask, as it may in a call auction.
func (b *Book) Crossed() bool {
	bid := b.side(msg.Buy).best
	return bid != nowhere && b.side(msg.Sell).best <= -bid
}

// SetArrival notes that order h came, or was moved, by command at to where it crosses the other side.
func (s *Store) SetArrival(h uint32, at msg.Seq) { s.arrivals[h] = at }

// Indicative is the price at which a call auction would trade if it ended now, and how many lots: the tick of most volume,
// then of least imbalance, then on the step if there is one, then nearest to near, then the lower. ok is false where the
// book is not crossed. The search passes at most so many levels; if more cross, the price is one between those that it
// came to, and more lots would trade.
func (b *Book) Indicative(near, step fixed.Ticks, levels int) (price fixed.Ticks, volume fixed.Lots, ok bool) {
	if !b.Crossed() {
		return 0, 0, false
	}
	var a Auction
	volume, over := b.search(&a, levels)
	low, high := b.ticks(&a, over)
	return nearest(low, high, near, step), volume, true
}

// Uncross lets bids and asks meet until no bid reaches an ask or t is stopped, and appends to pairs what happened to them,
// at most one for each unit of Room. Orders with nothing left are unlinked and freed; their rows are not reused before the
// next Alloc. The caller has taken out what is due. It allocates only if pairs has no capacity left.
func (b *Book) Uncross(a *Auction, t *Turn, pairs []Pair) []Pair {
	bids, asks := b.side(msg.Buy), b.side(msg.Sell)
	t.Stop = StopDone
	for b.Crossed() {
		if t.Room <= 0 {
			t.Stop = StopBound
			break
		}
		if !a.Found {
			b.find(a, t)
			continue
		}
		if bids.best > -int64(a.Price) || asks.best > int64(a.Price) {
			*a = Auction{} // all is done at this price: another round
			continue
		}
		pairs = append(pairs, Pair{})
		p := &pairs[len(pairs)-1]
		p.Price = a.Price
		bid, ask := b.First(msg.Buy), b.First(msg.Sell)
		if !b.meetBoth(t, p, bid, ask) {
			pairs = pairs[:len(pairs)-1]
			break
		}
		t.Room--
		b.hit(bids, bid, &p.Bid)
		b.hit(asks, ask, &p.Ask)
	}
	if t.Stop == StopDone {
		*a = Auction{}
	}
	b.trim(bids)
	b.trim(asks)
	return pairs
}

// find goes on with the search for the price; the book is crossed. It takes one of Room, or all of it where that is not
// enough.
func (b *Book) find(a *Auction, t *Turn) {
	if _, over := b.search(a, t.Room*levelsPerRoom); !over {
		t.Room = 0
		return
	}
	low, high := b.ticks(a, true)
	*a = Auction{Price: nearest(low, high, t.Near, t.Step), Found: true}
	t.Room--
}

// search uses both sides up, best level against best level, while they cross; it passes at most so many levels. It returns
// the lots used by it, and whether it is over.
func (b *Book) search(a *Auction, levels int) (volume fixed.Lots, over bool) {
	if !a.begun {
		a.begun, a.bid.rank, a.ask.rank = true, b.side(msg.Buy).best, b.side(msg.Sell).best
	}
	st := b.store
	bid, ask := b.unused(msg.Buy, &a.bid), b.unused(msg.Sell, &a.ask)
	for bid != 0 && ask != 0 && st.levels[bid].rank+st.levels[ask].rank <= 0 {
		if levels <= 0 {
			return volume, false
		}
		q := min(st.levels[bid].qty-a.bid.lots, st.levels[ask].qty-a.ask.lots)
		bid, ask = b.use(&a.bid, bid, q), b.use(&a.ask, ask, q)
		volume += q
		levels--
	}
	return volume, true
}

// use takes q lots of a level, and is the level from which the next come.
func (b *Book) use(u *used, row uint32, q fixed.Lots) uint32 {
	l := &b.store.levels[row]
	u.last, u.rank = l.rank, l.rank
	if u.lots += q; u.lots < l.qty {
		return row
	}
	return b.skip(u, row)
}

// skip leaves a level behind, and is the next one; 0: there is none.
func (b *Book) skip(u *used, row uint32) uint32 {
	row = b.nextLevel(row)
	u.rank, u.lots = nowhere, 0
	if row != 0 {
		u.rank = b.store.levels[row].rank
	}
	return row
}

// unused is the level from which the next lots come; 0: there is none. Orders may have left since u was written.
func (b *Book) unused(side msg.Side, u *used) uint32 {
	row := b.levelFrom(b.side(side), u.rank)
	if row == 0 {
		u.rank, u.lots = nowhere, 0
		return 0
	}
	l := &b.store.levels[row]
	if l.rank != u.rank {
		u.rank, u.lots = l.rank, 0
	}
	if u.lots >= l.qty {
		return b.skip(u, row)
	}
	return row
}

// levelFrom is the first level of a side that is not before a rank; 0: there is none.
func (b *Book) levelFrom(s *half, rank int64) uint32 {
	if rank <= s.best {
		return b.firstLevel(s)
	}
	seek := &b.index(s).seek
	if rank == nowhere || !seek.Seek(rank>>spanBits) {
		return 0
	}
	h := seek.Value()
	if k := &b.store.blocks[h]; k.key == rank>>spanBits {
		if slots := k.bits >> (uint64(rank) % span) << (uint64(rank) % span); slots != 0 {
			return b.store.slots[h][bits.TrailingZeros64(slots)]
		}
		h = k.next
	}
	h, best := b.firstFrom(h)
	return b.store.slots[h][uint64(best)%span]
}

// ticks are the lowest and the highest tick at which volume is most and imbalance least, after a search. Where it is not
// over they are those between the levels that it has come to.
//
// Between the worst levels used, every tick trades the volume. What is left of a level that was used in part is an imbalance
// at all of them, to which each further level of its side adds, while none of the other side lies there. If none was used
// in part the imbalance is 0 between the next two levels; and where they are neighbors, and so leave no tick between them,
// it is the lots of the one or of the other, and least up to the level behind that one.
func (b *Book) ticks(a *Auction, over bool) (low, high fixed.Ticks) {
	bid, ask := b.unused(msg.Buy, &a.bid), b.unused(msg.Sell, &a.ask)
	lower, upper := b.priceOf(msg.Buy, bid), b.priceOf(msg.Sell, ask)
	if !over {
		return upper, lower
	}
	low, high = price(msg.Sell, a.ask.last), price(msg.Buy, a.bid.last)
	switch {
	case a.bid.lots > 0:
		return max(low, b.priceOf(msg.Buy, b.nextLevel(bid))+1), high
	case a.ask.lots > 0:
		return low, min(high, b.priceOf(msg.Sell, b.nextLevel(ask))-1)
	case lower+1 <= upper-1:
		return max(low, lower+1), min(high, upper-1)
	}
	wanted, offered := b.store.levels[bid].qty, b.store.levels[ask].qty
	switch {
	case wanted < offered:
		return max(low, b.priceOf(msg.Buy, b.nextLevel(bid))+1), lower
	case wanted > offered:
		return upper, min(high, b.priceOf(msg.Sell, b.nextLevel(ask))-1)
	}
	return max(low, b.priceOf(msg.Buy, b.nextLevel(bid))+1), min(high, b.priceOf(msg.Sell, b.nextLevel(ask))-1)
}

// priceOf is the price of a level; of none it is one beyond all that side's.
func (b *Book) priceOf(side msg.Side, row uint32) fixed.Ticks {
	if row == 0 {
		return price(side, nowhere)
	}
	return price(side, b.store.levels[row].rank)
}

// nearest is the tick from low to high that is nearest to near, on the step where one of them is; of two the lower.
func nearest(low, high, near, step fixed.Ticks) fixed.Ticks {
	p := min(max(near, low), high)
	down := fixed.RoundDown(p, step)
	if down == p {
		return p
	}
	up := down + step
	switch {
	case down < low && up > high:
		return p
	case down < low || up <= high && up-near < near-down:
		return up
	}
	return down
}

// meetBoth says what happens between a bid and an ask that meet: the Kind and Qty of either. It is false where t is
// stopped by a question.
func (b *Book) meetBoth(t *Turn, p *Pair, bid, ask uint32) bool {
	x, y := &b.store.orders[bid], &b.store.orders[ask]
	q := min(x.Leaves, y.Leaves)
	if x.Owner == y.Owner && x.Owner != 0 {
		later, earlier, comes, rests := &p.Bid, &p.Ask, x, y
		if b.store.arrivals[ask] > b.store.arrivals[bid] {
			later, earlier, comes, rests = &p.Ask, &p.Bid, y, x
		}
		switch comes.Flags.STP() {
		case msg.STPNone:
		case msg.STPCancelOldest:
			earlier.Kind, earlier.Qty = SelfCanceled, rests.Leaves
			return true
		case msg.STPCancelBoth:
			earlier.Kind, earlier.Qty = SelfCanceled, rests.Leaves
			later.Kind, later.Qty = SelfCanceled, comes.Leaves
			return true
		case msg.STPDecrement:
			p.Bid.Kind, p.Ask.Kind, p.Bid.Qty, p.Ask.Qty = reduced(x, q), reduced(y, q), q, q
			return true
		default:
			later.Kind, later.Qty = SelfCanceled, comes.Leaves
			return true
		}
	}
	for _, h := range [2]uint32{bid, ask} {
		if o := &b.store.orders[h]; o.Flags&asked != 0 && t.Allow[o.Side&1] != h {
			t.Stop, t.Ask = StopAsk, h
			return false
		}
	}
	p.Bid.Kind, p.Ask.Kind, p.Bid.Qty, p.Ask.Qty = Trade, Trade, q, q
	return true
}

// reduced is what happens to an order of which self-trade prevention takes q lots.
func reduced(o *Order, q fixed.Lots) FillKind {
	if q == o.Leaves {
		return SelfCanceled
	}
	return SelfReduced
}

// hit does what f says to order h, the first of its side, and fills in the rest of f.
func (b *Book) hit(s *half, h uint32, f *Fill) {
	if f.Kind == 0 {
		return
	}
	o, k := &b.store.orders[h], &b.store.tickets[h]
	if f.Kind == Trade {
		k.Filled += f.Qty
	}
	f.Maker, f.Ref, f.Handle, f.Price, f.Leaves, f.Filled = b.store.ID(h), k.Ref, h, k.Price, o.Leaves-f.Qty, k.Filled
	f.Account, f.Owner, f.Session, f.Flags = k.Account, o.Owner, o.Session, o.Flags
	if f.Leaves > 0 {
		b.Reduce(h, f.Qty)
		return
	}
	l := &b.store.levels[o.Level]
	l.qty -= f.Qty
	b.removeFirst(s, l, o.Level, h)
}

// Hash folds how far the auction has come into d.
func (a *Auction) Hash(d *fixed.Digest) {
	d.Word(uint64(a.Price))
	flags := uint64(0)
	if a.Found {
		flags |= 1
	}
	if a.begun {
		flags |= 2
	}
	d.Word(flags)
	for _, u := range [2]*used{&a.bid, &a.ask} {
		d.Word(uint64(u.rank))
		d.Word(uint64(u.lots))
		d.Word(uint64(u.last))
	}
}
