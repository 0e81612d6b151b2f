package clearing

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/margin"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Trip-wires: at what mark, or funding sum, a pool must be looked at next (M-56, M-57). What it may lose until its next threshold
// is shared out among the positions in it, a part to funding and the rest to prices; a position's wire is where its part is used up.
// While no wire of a pool was crossed its losses add up to at most the whole, so it has crossed no threshold.
//
// Each instrument has four heaps, and each of them the wire that is crossed first on top:
//
//	              [ key ]            keys rise with the way to go:
//	             /       \             mark falls, sum falls    key = -level
//	        [ key ]     [ key ]        mark rises, sum rises    key = level
//	         /    \       /           crossed: key <= where the mark or the sum is now, signed alike
//
// They are leftist: the way down on the right is never longer than the one on the left, so merging two goes down the right sides
// alone, in O(log n). A wire that goes leaves its two heaps below to be merged in its place. All wires lie in one slab; a position has up to
// four of them. The slab has room for three a position, which is more than calm pools need; a pool that finds none stays touched, and is
// examined at every move instead.
//
// Order: by key, then account; in one heap an account has one position at most. Of an asset that is collateral the mark is its index.

// ways are the heaps of an instrument.
const (
	markFalls uint8 = iota
	markRises
	sumFalls
	sumRises
	ways
)

// wire is one node.
type wire struct {
	key         int64
	up          uint32 // parent; 0: it is on top
	left, right uint32
	row         uint32
	account     msg.AccountID
	rank        uint8 // how long the way down on the right is
	way         uint8
	_           [2]uint8
}

// wires are all wires of a shard.
type wires struct {
	nodes []wire // 0 is none
	free  uint32 // the first of those that are free, through left
	tops  []uint32
	of    [][ways]uint32 // by row
}

func newWires(instruments, rows int, most uint32) wires {
	w := wires{nodes: make([]wire, most+1), tops: make([]uint32, instruments*int(ways)), of: make([][ways]uint32, rows)}
	for n := uint32(1); n < most; n++ {
		w.nodes[n].left = n + 1
	}
	if most > 0 {
		w.free = 1
	}
	for i := range w.of {
		w.of[i] = [ways]uint32{}
	}
	return w
}

// before is the order of a heap.
func (w *wires) before(a, b uint32) bool {
	m, n := &w.nodes[a], &w.nodes[b]
	return m.key < n.key || m.key == n.key && m.account < n.account
}

// merge makes one heap of two, and returns its top.
func (w *wires) merge(a, b uint32) uint32 {
	top, last := uint32(0), uint32(0) // what has been merged from above, and where it ends
	for a != 0 && b != 0 {
		if w.before(b, a) {
			a, b = b, a
		}
		if last == 0 {
			top = a
		} else {
			w.nodes[last].right = a
		}
		w.nodes[a].up = last
		last, a = a, w.nodes[a].right
	}
	rest := a | b
	if last == 0 {
		if rest != 0 {
			w.nodes[rest].up = 0
		}
		return rest
	}
	w.nodes[last].right = rest
	if rest != 0 {
		w.nodes[rest].up = last
	}
	for n := last; n != 0; n = w.nodes[n].up {
		w.lean(n)
	}
	return top
}

// lean puts the shorter way of a node to its right, and reports whether its rank is another now.
func (w *wires) lean(n uint32) bool {
	k := &w.nodes[n]
	if w.rank(k.left) < w.rank(k.right) {
		k.left, k.right = k.right, k.left
	}
	rank := w.rank(k.right) + 1
	changed := rank != k.rank
	k.rank = rank
	return changed
}

func (w *wires) rank(n uint32) uint8 {
	if n == 0 {
		return 0
	}
	return w.nodes[n].rank
}

// lay lays a wire of a row, or moves it; ok is false where there is no room for one more.
func (w *wires) lay(instr uint16, row uint32, account msg.AccountID, way uint8, key int64) (ok bool) {
	n := w.of[row][way]
	if n != 0 {
		if w.nodes[n].key == key {
			return true
		}
		w.detach(instr, n)
	} else {
		if n = w.free; n == 0 {
			return false
		}
		w.free = w.nodes[n].left
		w.of[row][way] = n
	}
	w.nodes[n] = wire{key: key, row: row, account: account, rank: 1, way: way}
	top := &w.tops[int(instr)*int(ways)+int(way)]
	*top = w.merge(*top, n)
	return true
}

// cut takes up a wire of a row.
func (w *wires) cut(instr uint16, row uint32, way uint8) {
	n := w.of[row][way]
	if n == 0 {
		return
	}
	w.detach(instr, n)
	w.of[row][way] = 0
	w.nodes[n] = wire{left: w.free}
	w.free = n
}

// detach takes a node out of its heap.
func (w *wires) detach(instr uint16, n uint32) {
	k := &w.nodes[n]
	up := k.up
	below := w.merge(k.left, k.right)
	if below != 0 {
		w.nodes[below].up = up
	}
	if up == 0 {
		w.tops[int(instr)*int(ways)+int(k.way)] = below
		return
	}
	if p := &w.nodes[up]; p.left == n {
		p.left = below
	} else {
		p.right = below
	}
	for m := up; m != 0 && w.lean(m); m = w.nodes[m].up {
	}
}

// cutAll takes up all wires of a row.
func (w *wires) cutAll(instr uint16, row uint32) {
	if w.of[row] == ([ways]uint32{}) {
		return
	}
	for way := range ways {
		w.cut(instr, row, way)
	}
}

// level is where the mark, or the sum, that a way looks at stands, signed as its keys.
func (h *House) level(instr int, way uint8) int64 {
	in := &h.instruments[instr]
	level := h.funding[instr]
	if way <= markRises {
		level = int64(in.Mark)
		if !margin.Margined(in) {
			level = int64(in.Index)
		}
	}
	if way == markFalls || way == sumFalls {
		return -level
	}
	return level
}

// tripped is the row of the wire that was crossed first in an instrument, 0 where none was.
func (h *House) tripped(instr int) uint32 {
	for way := range ways {
		if n := h.wires.tops[instr*int(ways)+int(way)]; n != 0 && h.wires.nodes[n].key <= h.level(instr, way) {
			return h.wires.nodes[n].row
		}
	}
	return 0
}

// crossings counts the wires of an instrument that were crossed, up to most.
func (h *House) crossings(instr int, most int) (count int) {
	for way := range ways {
		count += h.countCrossed(h.wires.tops[instr*int(ways)+int(way)], h.level(instr, way), most-count)
	}
	return count
}

// countCrossed counts the nodes from n on whose key is not above level, up to most.
func (h *House) countCrossed(n uint32, level int64, most int) (count int) {
	if n == 0 || most <= 0 || h.wires.nodes[n].key > level {
		return 0
	}
	k := &h.wires.nodes[n]
	count = 1 + h.countCrossed(k.right, level, most-1)
	return count + h.countCrossed(k.left, level, most-count)
}

// unwire takes up all wires of a pool.
func (h *House) unwire(p Pool) {
	for row := h.partOf(p, 0); row != 0; row = h.partOf(p, row) {
		h.wires.cutAll(h.rows[row].Instr, row)
	}
}

// Wire lays the wires of a pool that has been examined, and takes it out of its list. Where they cannot be laid it goes to the end of the touched.
func (h *House) Wire(p Pool, v *market.Venue) {
	h.unqueue(p)
	if h.lay(p, v) {
		return
	}
	h.Postpone(p)
}

// Postpone puts a pool to the end of the touched, without wires.
func (h *House) Postpone(p Pool) {
	h.unqueue(p)
	h.unwire(p)
	*h.bits(p) |= touched
	h.push(&h.touched, p)
}

// lay lays the wires of a pool; false: it has passed its threshold, or there is no room.
func (h *House) lay(p Pool, v *market.Venue) bool {
	equity, maintenance := h.standing(p)
	if id, row := h.Members(p); row == 0 && h.accounts[id].Pending && h.accounts[id].Rung != msg.RungOK {
		return false // a rebate will help it at the day cut
	}
	whole := fixed.Wide{}
	for row := h.partOf(p, 0); row != 0; row = h.partOf(p, row) {
		whole = whole.Add(fixed.Widen(int64(h.weight(row))))
	}
	if whole.Sign() == 0 {
		h.unwire(p)
		return true
	}
	g, ok := h.gap(p, v, equity, maintenance)
	if !ok {
		return false
	}
	for row := h.partOf(p, 0); row != 0; row = h.partOf(p, row) {
		if !h.layLeg(row, &g, whole) {
			return false
		}
	}
	return true
}

// weight is what a leg counts by when a distance is shared out.
func (h *House) weight(row uint32) fixed.Money {
	q := &h.rows[row]
	in := &h.instruments[q.Instr]
	if margin.Margined(in) {
		return fixed.Abs(margin.Value(in, q.Qty))
	}
	return h.counts(q, in)
}

// gap is how far a pool is from its thresholds.
type gap struct {
	below, exit   fixed.Rate  // the thresholds; exit 0: it is ok, there is none
	loss, sumLoss fixed.Money // that prices, and funding, may cost it
	gain, sumGain fixed.Money // that they must bring it
}

// gap finds the distances of a pool. ok is false where it is beyond the next threshold.
func (h *House) gap(p Pool, v *market.Venue, equity, maintenance fixed.Money) (g gap, ok bool) {
	l := &v.Ladder
	spare := equity
	switch h.Rung(p) {
	case msg.RungOK:
		g.below = l.Call1
	case msg.RungCall1:
		g.below, g.exit = l.Call2, l.Call1Exit
	case msg.RungCall2:
		g.below, g.exit = fixed.One, l.Call2Exit
		if h.watches[p].Late {
			g.exit = l.Call1Exit
		}
	case msg.RungLiquidating:
		g.exit = l.Target
		spare = equity - 1 // nothing left is a takeover
	default:
		return g, false
	}
	if maintenance == 0 {
		spare = equity - 1
	} else if g.below != 0 {
		if spare, ok = margin.Spare(equity, maintenance, g.below); !ok {
			return g, false
		}
	}
	if spare < 0 {
		return g, false
	}
	g.loss, g.sumLoss = shares(spare, v.Sweep.Funding)
	if g.exit != 0 {
		above, ok := margin.Spare(equity, maintenance, g.exit)
		if !ok || above >= 0 {
			return g, false
		}
		g.gain, g.sumGain = shares(-above, v.Sweep.Funding)
	}
	return g, true
}

// shares splits a distance between prices and funding.
func shares(m fixed.Money, funding fixed.Rate) (prices, sums fixed.Money) {
	sums, _ = funding.Floor(m)
	return m - sums, sums
}

// levels are where the wires of a leg go, as keys.
type levels struct {
	key [ways]int64
	has [ways]bool
}

// set notes a level of a way, if it is one and comes before what is noted.
func (l *levels) set(way uint8, level int64, ok bool) {
	if way == markFalls || way == sumFalls {
		level = -level
	}
	if ok && (!l.has[way] || level < l.key[way]) {
		l.key[way], l.has[way] = level, true
	}
}

// layLeg lays the wires of one leg.
func (h *House) layLeg(row uint32, g *gap, whole fixed.Wide) bool {
	q := &h.rows[row]
	in := &h.instruments[q.Instr]
	weight, l := int64(h.weight(row)), levels{}
	loss, gain := part(g.loss, weight, whole), part(g.gain, weight, whole)
	if margin.Margined(in) {
		l.marks(in, q.Qty, g, loss, gain)
		l.sums(h.funding[q.Instr], q.Qty, g, part(g.sumLoss, weight, whole), part(g.sumGain, weight, whole))
	} else if margin.Pledged(in) {
		level, ok := margin.IndexWire(in, q.Qty, loss)
		l.set(markFalls, int64(level), ok)
		l.set(markRises, int64(in.Index)+1, g.exit != 0)
	}
	h.worn.add(row)
	for way := range ways {
		if !l.has[way] {
			h.wires.cut(q.Instr, row, way)
		} else if !h.wires.lay(q.Instr, row, q.Account, way, l.key[way]) {
			return false
		}
	}
	return true
}

// part is the part of a distance that falls to a weight of the whole.
func part(m fixed.Money, weight int64, whole fixed.Wide) fixed.Money {
	v, _ := fixed.MulWide(int64(m), weight).DivWideFloor(whole)
	return fixed.Money(v)
}

// marks notes at which marks a leg has lost or gained its part.
func (l *levels) marks(in *market.Instrument, lots fixed.Lots, g *gap, loss, gain fixed.Money) {
	for way, below := range [...]bool{markFalls: true, markRises: false} {
		level, ok := margin.LossWire(in, lots, g.below, loss, below)
		l.set(uint8(way), int64(level), ok)
		if g.exit != 0 {
			level, ok = margin.GainWire(in, lots, g.exit, gain, below)
			l.set(uint8(way), int64(level), ok)
		}
	}
}

// sums notes at which funding sums it has: a long pays as the sum rises.
func (l *levels) sums(sum int64, lots fixed.Lots, g *gap, loss, gain fixed.Money) {
	pays, gets, sign := sumRises, sumFalls, int64(1)
	if lots < 0 {
		pays, gets, sign = sumFalls, sumRises, -1
	}
	l.set(pays, sum+sign*(margin.FundingReach(lots, loss)+1), true)
	l.set(gets, sum-sign*(margin.FundingReach(lots, gain)+1), g.exit != 0)
}
