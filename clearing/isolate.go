package clearing

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/margin"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Isolated positions: a position with cash of its own, the child, beside its account's cross pool, the parent (M-21 to M-28).
//
// Words: an order's hold is what it would post if it opened all its lots; of one that reduces, the lots that find something
// to reduce are free. The hold of the position is that of its buys or of its sells, whichever is more, and stands in the
// parent's initial requirement. No cash moves before a fill.
//
//	priority    1st       2nd       3rd        a sell of 5, 4 and 6 lots, 7 being held long
//	lots      [.....]   [..##]    [######]     . free   # held
//
// Which lots are free depends on the order of priority, so the open orders of either side stand in a list of it. The sum over
// a side of what its orders hold when none of them is free is in the exposure; a side that cannot open holds nothing, one that
// cannot reduce holds that sum, and only of one that does both the free ones in front are walked. A position has at most
// MaxHolds orders.
//
// Invariant: without lots Margin is 0, and without lots and orders the position is cross.

// MaxHolds bounds the open orders of an isolated position, and of one that is to be isolated.
const MaxHolds = 512

// Candidate is an order that asks to join those of an isolated position.
type Candidate struct {
	Side   msg.Side
	Limit  fixed.Ticks
	Price  fixed.Ticks // at which it is held: the limit, or what it may be filled at where that is dearer
	Leaves fixed.Lots
	Rate   fixed.Rate
	Terms  margin.Terms
	Old    uint32 // the resting order that it takes the place of; 0: none
}

// Weigh tells what the orders of a position would hold with another one among them, and whether the child would survive to
// have all of that side filled (M-22), and to have those filled that come before any of the orders behind the new one: they
// may be all that ever fills (I-12). ok is false when a figure does not fit. Its work is bounded by MaxHolds.
func (h *House) Weigh(row uint32, in *market.Instrument, n *Candidate) (hold fixed.Money, carried, ok bool) {
	p := &h.rows[row]
	w := margin.Holds{Free: p.reducible(n.Side)}
	free, asked := w.Free, false
	equity := h.childEquity(row, p, in)
	carried = true
	order := h.ledgers[row].First[n.Side&1]
	for ok = true; ok && (order != 0 || !asked); {
		o := &h.holds[order]
		if !asked && (order == 0 || before(n.Side, n.Limit, o.Limit)) {
			_, ok = w.Add(in, n.Leaves, n.Price, n.Rate, n.Terms)
			asked = true
		} else {
			if order != n.Old {
				c := &h.claims[order]
				_, ok = w.Add(in, o.Lots, o.Price, o.Rate, margin.Terms{Loss: c.Loss, Fee: c.Fee})
			}
			order = o.Next
		}
		if asked && carried {
			carried = p.carried(in, &w, free, equity)
		}
	}
	return max(w.Held, h.heldBy(row, p, in, n.Side.Opposite())), carried, ok
}

// carried reports whether the child, with that equity, survives when the orders of a side that w has added up, of which free
// lots could reduce, are filled at their limits. Between two orders it does where it does at both: maintenance is convex.
func (p *Position) carried(in *market.Instrument, w *margin.Holds, free fixed.Lots, equity fixed.Money) bool {
	after := fixed.Abs(p.Qty) + w.Opens
	if free > 0 { // a flip gives back all that the child had
		equity, after = 0, w.Opens
	}
	return w.Opens == 0 || w.Carries(in, after, equity)
}

// before reports whether an order of a side at p is before one at q that came earlier.
func before(side msg.Side, p, q fixed.Ticks) bool {
	if side == msg.Buy {
		return p > q
	}
	return p < q
}

// reducible are the lots of a side that would reduce the position.
func (p *Position) reducible(side msg.Side) fixed.Lots {
	if side == msg.Buy {
		return max(0, -p.Qty)
	}
	return max(0, p.Qty)
}

// held is what the orders of an isolated position hold.
func (h *House) held(row uint32, p *Position, in *market.Instrument) fixed.Money {
	return max(h.heldBy(row, p, in, msg.Buy), h.heldBy(row, p, in, msg.Sell))
}

// heldBy is what the orders of one side hold.
func (h *House) heldBy(row uint32, p *Position, in *market.Instrument, side msg.Side) fixed.Money {
	lots, sum, free := p.Buys, p.BuyReserve, p.reducible(side)
	if side == msg.Sell {
		lots, sum = p.Sells, p.SellReserve
	}
	if lots <= free {
		return 0
	}
	for order := h.ledgers[row].First[side&1]; free > 0; order = h.holds[order].Next {
		o, c := &h.holds[order], &h.claims[order]
		part := min(free, o.Lots)
		free -= part
		left, _ := margin.Held(in, o.Lots-part, o.Price, o.Rate, fixed.Rate(c.Fee))
		sum -= c.Reserved - left
	}
	return sum
}

// SetRate fixes the rate at which an order will post margin; it is said before the order trades or rests.
func (h *House) SetRate(order uint32, r fixed.Rate) { h.holds[order].Rate = r }

// line puts an order that comes to rest into its side's list, behind all that are as good, and returns what it holds when
// none of its lots is free.
//
//go:noinline
func (h *House) line(r *Resting, row uint32, in *market.Instrument, t *margin.Terms, leaves fixed.Lots) fixed.Money {
	o := &h.holds[r.Order]
	o.Limit, o.Price, o.Lots = r.Limit, r.Limit, leaves
	at, behind := uint32(0), h.ledgers[row].First[r.Side&1]
	for behind != 0 && !before(r.Side, r.Limit, h.holds[behind].Limit) {
		at, behind = behind, h.holds[behind].Next
	}
	h.lineAfter(at, r.Order, row, r.Side)
	m, _ := margin.Held(in, leaves, o.Price, o.Rate, fixed.Rate(t.Fee))
	return m
}

// lineAfter puts an order behind another one of its side's list; at 0 it becomes the first.
func (h *House) lineAfter(at, order, row uint32, side msg.Side) {
	o, first := &h.holds[order], &h.ledgers[row].First[side&1]
	o.Prev = at
	if at == 0 {
		o.Next, *first = *first, order
	} else {
		o.Next, h.holds[at].Next = h.holds[at].Next, order
	}
	if o.Next != 0 {
		h.holds[o.Next].Prev = order
	}
}

// unline takes an order out of its side's list.
//
//go:noinline
func (h *House) unline(order, row uint32, side msg.Side) {
	o := &h.holds[order]
	if o.Prev != 0 {
		h.holds[o.Prev].Next = o.Next
	} else {
		h.ledgers[row].First[side&1] = o.Next
	}
	if o.Next != 0 {
		h.holds[o.Next].Prev = o.Prev
	}
	*o = Hold{Rate: o.Rate}
}

// shorten leaves an order of an isolated position leaves lots, and returns what it holds when none of them is free.
//
//go:noinline
func (h *House) shorten(r Resting, in *market.Instrument, leaves fixed.Lots) fixed.Money {
	o, c := &h.holds[r.Order], &h.claims[r.Order]
	if leaves == 0 {
		h.unline(r.Order, c.Position, r.Side)
		return 0
	}
	o.Lots = leaves
	m, _ := margin.Held(in, leaves, o.Price, o.Rate, fixed.Rate(c.Fee))
	return m
}

// fillIsolated is Fill of an isolated position: what closes gives the parent its share of the child's equity at the price of
// the fill (M-24), what opens takes margin from the parent (M-23), and a flip does the one and then the other (M-25). moved
// is what went into the child.
func (h *House) fillIsolated(order, row uint32, in *market.Instrument, delta fixed.Lots, price fixed.Ticks, fee fixed.Money) (realized, moved fixed.Money) {
	p, l := &h.rows[row], &h.ledgers[row]
	a := &h.accounts[p.Account]
	h.disturb(h.child(row))
	h.disturb(Pool(p.Account))
	held := p.Qty
	closes := fixed.Lots(0)
	if held != 0 && (held < 0) != (delta < 0) {
		closes = min(fixed.Abs(delta), fixed.Abs(held))
	}
	child, parent := margin.SplitFee(fee, closes, fixed.Abs(delta))
	a.Cash -= parent
	opens := delta
	if closes != 0 {
		closed := closes // signed as the position
		if held < 0 {
			closed = -closes
		}
		opens = delta + closed
		l.Margin -= child
		equity, _ := margin.EquityAt(in, l.Margin, l.Cost, 0, held, price)
		out := margin.Release(equity, closes, fixed.Abs(held))
		realized = l.realize(in, closed, held, price)
		l.Margin += realized - out
		a.Cash += out
		moved -= out
		if closed == held {
			h.forgive(l)
		}
	}
	if opens != 0 {
		t, _ := margin.Posting(in, fixed.Abs(opens), price, h.holds[order].Rate)
		l.Cost += fixed.Money(int64(opens) * int64(price) * int64(in.TickLot))
		l.Margin += t
		a.Cash -= t
		moved += t
	}
	p.Qty = held + delta
	h.interest[p.Instr] += max(p.Qty, 0) - max(held, 0)
	return realized, moved
}

// forgive books what a child without lots owes as a deficit: its loss stops at its own money (M-52).
func (h *House) forgive(l *Ledger) {
	if l.Margin < 0 {
		h.Venue.Deficit += l.Margin
		h.short -= l.Margin
		l.Margin = 0
	}
}

// fillTaking is Fill of an isolated position.
//
//go:noinline
func (h *House) fillTaking(order, row uint32, in *market.Instrument, delta fixed.Lots, price fixed.Ticks, fee fixed.Money) fixed.Money {
	realized, moved := h.fillIsolated(order, row, in, delta, price, fee)
	h.moved += moved
	return realized
}

// TakeMoved is what the fills of the order that comes have moved into its position since it was last asked, below 0 out of
// it.
func (h *House) TakeMoved() (moved fixed.Money) {
	moved, h.moved = h.moved, 0
	return moved
}

// TakeMovedResting is TakeMoved of a resting order's fill.
func (h *House) TakeMovedResting() (moved fixed.Money) {
	moved, h.movedResting = h.movedResting, 0
	return moved
}

// Short is what isolated positions could not pay when they were closed by this command; it stands in the deficit.
func (h *House) Short() fixed.Money { return h.short }

// TakeShort is Short, and forgets it.
func (h *House) TakeShort() (short fixed.Money) {
	short, h.short = h.short, 0
	return short
}

// Seclude makes a position that is flat and without orders isolated: the first order of it is about to come in.
func (h *House) Seclude(row uint32) { h.setMode(row, msg.ModeIsolated) }

func (h *House) setMode(row uint32, m msg.Mode) {
	p := &h.rows[row]
	p.Mode = m
	p.ask()
	if m == 0 && h.instruments[p.Instr].Asks&market.AskOthers != 0 { // from now on it is the account whose sums float
		h.accounts[p.Account].Epoch = 0
	}
}

// childEquity is the equity of an isolated position at the mark.
func (h *House) childEquity(row uint32, p *Position, in *market.Instrument) fixed.Money {
	l := &h.ledgers[row]
	return l.Margin + margin.Value(in, p.Qty) - l.Cost
}

// Pool is the equity and the requirements of a pool: of the account, which has been touched, for row 0, else of the isolated
// position of that row (M-15).
func (h *House) Pool(account msg.AccountID, row uint32) (equity, initial, maintenance fixed.Money) {
	if row == 0 {
		a := &h.accounts[account]
		return a.Equity(), a.Initial, a.Maintenance
	}
	p := &h.rows[row]
	in := &h.instruments[p.Instr]
	c := h.Conditions(p, in, 0)
	initial, _ = margin.InitialUnder(in, p.Qty, &c)
	maintenance, _ = margin.Maintenance(in, p.Qty)
	return h.childEquity(row, p, in), initial, maintenance
}

// Survives reports whether a pool has 0 or more left when lots of a resting order of it are filled at a price, its fee paid; of an isolated
// one also what the order opens, with the margin that it posts (M-16, M-22). Nothing changes.
func (h *House) Survives(order uint32, side msg.Side, lots fixed.Lots, price fixed.Ticks, fee fixed.Rate) bool {
	row := h.claims[order].Position
	q := &h.rows[row]
	in := &h.instruments[q.Instr]
	equity := h.presentEquity(h.PoolOf(row))
	closes := min(lots, q.reducible(side))
	if q.Mode == 0 {
		closes = lots
	}
	if closes != 0 {
		left, ok := margin.Left(in, side, closes, price, fee, equity)
		if !ok || left < 0 {
			return false
		}
		equity = 0
	}
	if closes == lots {
		return true
	}
	posted, ok := margin.Posting(in, lots-closes, price, h.holds[order].Rate)
	left, fits := margin.Left(in, side, lots-closes, price, 0, equity+posted)
	return ok && fits && left >= 0
}
