package clearing

import (
	"cmp"
	"math/bits"
	"slices"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/margin"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Pools under watch: of which pools the ladder has to be asked, and when (M-46, M-58).
//
//	wired     its trip-wires stand; nobody looks until one of them is crossed          wires.go
//	touched   something of it has changed: it has no wires, and is looked at when a mark, a funding sum or a rule moves next
//	queued    it has to be examined before anything else, with the others by account and instrument
//
//	fill, payment, mode ──> touched ──> at the command's end: certainly ok? then that is all
//	                           |                              else queued ──> examined ──> touched, as it was
//	mark, sum, rule moves ─────┴──> crossed wires, then the touched ──> queued ──> examined ──> wired
//
// So a fill costs a flag, however often a pool is filled between two marks, and wires are laid when they first may matter. Of what
// marks and rules move only so many are queued as the command may examine: the others stay where they are, their wires crossed,
// or at the head of the touched, and come with the next command. The lists lead through the pools, so there is always room.
//
// Suspects are those that the present command touched; that list is scratch, and empty between two commands.

// Pool names a pool: a cross pool by its account, and above all accounts an isolated position by its row.
type Pool uint32

// Watch is what the ladder keeps of a pool besides its rung.
type Watch struct {
	Deadline fixed.Nanos // of a first call: when it becomes the second; 0: never
	next     Pool        // in its list
	prev     Pool
	Stall    uint32 // steps in a row that closed nothing
	Late     bool   // a second call that came by deadline
}

// The bits of Statement.Watch and Ledger.Watch.
const (
	touched uint8 = 1 << iota // it has no wires, and is in that list
	queued                    // it is in that list instead
	suspect                   // it is among the suspects
	called                    // its rung is not ok: each fill makes it a suspect
	due                       // in the queue: it is to be wired when it has been examined
)

// ranked is a pool with its order.
type ranked struct {
	order uint64
	pool  Pool
}

// suspects is how many pools may come together in one command.
func (l *Limits) suspects() uint32 { return l.Touched + market.MaxSweep }

// poolList is a list of pools, first in, first out.
type poolList struct {
	first, last Pool
	count       uint32
}

// PoolOf is the pool of a row's position.
func (h *House) PoolOf(row uint32) Pool {
	p := &h.rows[row]
	if p.Mode == 0 {
		return Pool(p.Account)
	}
	return h.child(row)
}

// Cross is the cross pool of an account.
func Cross(id msg.AccountID) Pool { return Pool(id) }

// child is the pool of an isolated position.
func (h *House) child(row uint32) Pool { return Pool(len(h.accounts)) + Pool(row) }

// Members are the account of a pool and, of an isolated one, its row; else 0.
func (h *House) Members(p Pool) (id msg.AccountID, row uint32) {
	if n := Pool(len(h.accounts)); p >= n {
		row = uint32(p - n)
		return h.rows[row].Account, row
	}
	return msg.AccountID(p), 0
}

// Pools is how many pools there can be.
func (h *House) Pools() int { return len(h.watches) }

// Rows is how many rows the table of positions has, row 0 among them.
func (h *House) Rows() uint32 { return uint32(len(h.rows)) }

// Order is where a pool comes among others: the fund's first, then by account, then by instrument, a cross pool before the
// isolated ones (M-48).
func (h *House) Order(p Pool) uint64 {
	id, row := h.Members(p)
	if id == h.fund {
		id = 0
	}
	return uint64(id)<<16 | uint64(h.rows[row].Instr)
}

// Watch is what the ladder keeps of a pool.
func (h *House) Watch(p Pool) *Watch { return &h.watches[p] }

// bits are those of a pool.
func (h *House) bits(p Pool) *uint8 {
	if n := Pool(len(h.accounts)); p >= n {
		h.worn.add(uint32(p - n))
		return &h.ledgers[p-n].Watch
	}
	return &h.statements[p].Watch
}

// bitsOf is what bits holds.
func (h *House) bitsOf(p Pool) uint8 {
	if n := Pool(len(h.accounts)); p >= n {
		return h.ledgers[p-n].Watch
	}
	return h.statements[p].Watch
}

// Rung is where a pool stands.
func (h *House) Rung(p Pool) msg.Rung {
	if id, row := h.Members(p); row == 0 {
		return h.accounts[id].Rung
	} else {
		return h.ledgers[row].Rung
	}
}

// SetRung lets a pool stand on a rung, and its watch begin there anew.
func (h *House) SetRung(p Pool, r msg.Rung) {
	id, row := h.Members(p)
	if row == 0 {
		h.accounts[id].Rung = r
		h.permit(id)
	} else {
		h.ledgers[row].Rung = r
	}
	b := h.bits(p)
	*b &^= called
	if r != msg.RungOK {
		*b |= called
	}
	w := &h.watches[p]
	w.Deadline, w.Stall, w.Late = 0, 0, false
}

// disturb notes that a pool has changed. The fund's record is none.
//
//go:noinline
func (h *House) disturb(p Pool) {
	if p == Pool(h.fund) {
		return
	}
	b := h.bits(p)
	if *b&(touched|queued) == 0 {
		*b |= touched
		h.push(&h.touched, p)
	}
	if *b&suspect == 0 {
		*b |= suspect
		h.suspects = append(h.suspects, ranked{pool: p})
		h.restless = true
	}
}

// Disturb notes that the cross pool of an account has changed otherwise than by a fill.
func (h *House) Disturb(id msg.AccountID) { h.disturb(Pool(id)) }

// DisturbRow is Disturb for the pool of a row's position.
func (h *House) DisturbRow(row uint32) { h.disturb(h.PoolOf(row)) }

func (h *House) push(l *poolList, p Pool) { h.insert(l, p, 0) }

// insert puts a pool into a list before another one, 0: to its end.
func (h *House) insert(l *poolList, p, before Pool) {
	w, prev := &h.watches[p], l.last
	if before != 0 {
		prev = h.watches[before].prev
		h.watches[before].prev = p
	} else {
		l.last = p
	}
	w.next, w.prev = before, prev
	if prev != 0 {
		h.watches[prev].next = p
	} else {
		l.first = p
	}
	l.count++
}

func (h *House) pull(l *poolList, p Pool) {
	w := &h.watches[p]
	if w.prev != 0 {
		h.watches[w.prev].next = w.next
	} else {
		l.first = w.next
	}
	if w.next != 0 {
		h.watches[w.next].prev = w.prev
	} else {
		l.last = w.prev
	}
	w.next, w.prev = 0, 0
	l.count--
}

// unqueue takes a pool out of whatever list it is in.
func (h *House) unqueue(p Pool) {
	switch b := h.bits(p); {
	case *b&touched != 0:
		*b &^= touched
		h.pull(&h.touched, p)
	case *b&queued != 0:
		*b &^= queued | due
		if h.at == p {
			h.at = h.watches[p].next
		}
		h.pull(&h.queue, p)
	}
}

// dissolve forgets the pool of an isolated position that is one no longer.
func (h *House) dissolve(row uint32) {
	p := h.child(row)
	h.unqueue(p)
	*h.bits(p) &= suspect
	h.ledgers[row].Rung = 0
	h.watches[p] = Watch{}
}

// Gather queues all suspects that are not certainly ok, and of the others whom a move has brought into question as many as leave the
// queue no longer than room.
func (h *House) Gather(v *market.Venue, room int) {
	found := h.suspects[:0]
	for _, s := range h.suspects {
		p, b := s.pool, h.bits(s.pool)
		*b &^= suspect
		if *b&touched != 0 && !h.sound(p, v) {
			h.unqueue(p)
			*b |= queued
			found = append(found, ranked{h.Order(p), p})
		}
	}
	h.suspects = found
	for int(h.queue.count)+len(h.suspects) < room {
		p, ok := h.questioned()
		if !ok {
			break
		}
		h.unqueue(p)
		*h.bits(p) |= queued | due
		h.suspects = append(h.suspects, ranked{h.Order(p), p})
	}
	h.enqueue(h.suspects)
	h.suspects = h.suspects[:0]
}

// questioned is the next pool that a move has brought into question: of instruments that moved the crossed wires, which are taken up, then
// those of the touched that have to be looked at.
func (h *House) questioned() (p Pool, ok bool) {
	for i := range h.shifted {
		for h.shifted[i] != 0 {
			if row := h.tripped(i<<6 + bits.TrailingZeros64(h.shifted[i])); row != 0 {
				p = h.PoolOf(row)
				h.unwire(p)
				h.wires.cutAll(h.rows[row].Instr, row)
				return p, true
			}
			h.shifted[i] &= h.shifted[i] - 1
		}
	}
	if h.stale != 0 && h.touched.first != 0 {
		h.stale--
		return h.touched.first, true
	}
	h.stale = 0
	return 0, false
}

// enqueue puts pools into the queue, each in its order.
func (h *House) enqueue(pools []ranked) {
	if len(pools) > 1 {
		slices.SortStableFunc(pools, func(p, q ranked) int { return cmp.Compare(p.order, q.order) })
	}
	next := h.queue.first
	for _, p := range pools {
		for next != 0 && h.Order(next) < p.order {
			next = h.watches[next].next
		}
		h.insert(&h.queue, p.pool, next)
		if p.order > h.last && (h.at == 0 || p.order < h.Order(h.at)) {
			h.at = p.pool
		}
	}
}

// Begin lets Next begin with the first of the queue.
func (h *House) Begin() { h.at, h.last = h.queue.first, 0 }

// Next is the next of the queue to be examined, and after the last the first again; ok is false when it is empty.
func (h *House) Next() (p Pool, ok bool) {
	if h.at == 0 {
		h.at = h.queue.first
	}
	if p = h.at; p == 0 {
		return 0, false
	}
	h.at, h.last = h.watches[p].next, h.Order(p)
	return p, true
}

// sound reports whether a pool that the present command touched stands on no rung and has no reason to.
func (h *House) sound(p Pool, v *market.Venue) bool {
	if *h.bits(p)&called != 0 {
		return false
	}
	id, row := h.Members(p)
	a := &h.accounts[id]
	if a.Epoch != h.epoch && row == 0 {
		return false
	}
	if row == 0 {
		h.tighten(a)
	}
	equity, maintenance := h.standing(p)
	return equity > 0 && margin.Covers(equity, maintenance, v.Ladder.Call1) || equity == 0 && maintenance == 0 && !h.borrows(p)
}

// standing is the equity of a pool and its maintenance, of an account that has been touched.
func (h *House) standing(p Pool) (equity, maintenance fixed.Money) {
	id, row := h.Members(p)
	if row == 0 {
		a := &h.accounts[id]
		return a.Equity(), a.Maintenance
	}
	q := &h.rows[row]
	in := &h.instruments[q.Instr]
	maintenance, _ = margin.Maintenance(in, q.Qty)
	return h.childEquity(row, q, in), maintenance
}

// Standing is standing for others.
func (h *House) Standing(p Pool) (equity, maintenance fixed.Money) { return h.standing(p) }

// borrows reports whether a pool has a leg.
func (h *House) borrows(p Pool) bool { return h.LegOf(p, 0) != 0 }

// LegOf is the first leg of a pool after one of its rows, 0 to begin with; 0: there is none. A leg is a position that holds
// something borrowed.
func (h *House) LegOf(p Pool, after uint32) uint32 {
	row := h.partOf(p, after)
	for row != 0 && !margin.Margined(&h.instruments[h.rows[row].Instr]) {
		row = h.partOf(p, row)
	}
	return row
}

// partOf is LegOf for assets too.
func (h *House) partOf(p Pool, after uint32) uint32 {
	id, row := h.Members(p)
	if row != 0 {
		if after == 0 && h.rows[row].Qty != 0 {
			return row
		}
		return 0
	}
	next := h.accounts[id].Positions
	if after != 0 {
		next = h.rows[after].Next
	}
	for ; next != 0; next = h.rows[next].Next {
		if q := &h.rows[next]; q.Mode == 0 && q.Qty != 0 {
			return next
		}
	}
	return 0
}

// Moved notes that the mark, the index or the funding sum of an instrument, or what its health forbids, is another: wires may be
// crossed, and all that is touched has to be examined.
func (h *House) Moved(instr msg.InstrumentID) {
	h.shifted.add(uint32(instr))
	h.stale = h.touched.count
	h.restless = true
}

// Review lets all pools be examined, since a rule moved.
func (h *House) Review() { h.review, h.restless = 1, true }

// Calm says from which multiple of maintenance on equity is ok for certain: the least power of two that the first call's threshold does
// not exceed. Shifted down by it, equity is compared, and nothing can overflow.
func (h *House) Calm(call1 fixed.Rate) {
	for h.calm = 0; fixed.One<<h.calm < call1; h.calm++ {
	}
}

// Restless reports whether a pool may wait to be examined.
func (h *House) Restless() bool { return h.restless }

// Calmed finds out whether any waits still, once the suspects are gathered.
func (h *House) Calmed() {
	h.restless = h.queue.count != 0 || h.stale != 0 || h.review != 0
	for _, w := range h.shifted {
		h.restless = h.restless || w != 0
	}
}

// Reviewing reports whether a review goes on.
func (h *House) Reviewing() bool { return h.review != 0 }

// Hush forgets the suspects.
func (h *House) Hush() {
	for _, s := range h.suspects {
		*h.bits(s.pool) &^= suspect
	}
	h.suspects, h.restless = h.suspects[:0], false
}

// RowPool names a position by its row whether it is isolated or not: the fund's, which are not.
func (h *House) RowPool(row uint32) Pool { return h.child(row) }

// Waiting is how many pools wait, at least 1 where any does; of crossed wires no more than most are counted.
func (h *House) Waiting(most int) (count int) {
	count = int(h.queue.count + h.stale)
	for i, w := range h.shifted {
		for ; w != 0; w &= w - 1 {
			count += h.crossings(i<<6+bits.TrailingZeros64(w), most-count)
		}
	}
	if count == 0 && h.review != 0 {
		return 1
	}
	return count
}

// Advance lets the pools of up to n accounts more be examined in a review. It reports whether any was found.
func (h *House) Advance(n int) (found bool) {
	for ; h.review != 0 && n > 0 && !found; n-- {
		id := h.review
		if h.review++; h.review > h.opened {
			h.review = 0
		}
		a := &h.accounts[id]
		if a.Owner == 0 || a.Positions == 0 && a.Rung == 0 && a.Cash >= 0 {
			continue
		}
		h.Postpone(Pool(id))
		for row := a.Positions; row != 0; row = h.rows[row].Next {
			if h.rows[row].Mode != 0 && (h.rows[row].Qty != 0 || h.ledgers[row].Rung != 0) {
				h.Postpone(h.child(row))
			}
		}
		found, h.stale = true, h.touched.count
	}
	return found
}

// Rewire lets a pool that has been examined be: one that was filled is touched again, as it was, and another has new wires, unless it
// is held.
func (h *House) Rewire(p Pool, v *market.Venue, held bool) {
	switch b := *h.bits(p); {
	case b&queued != 0 && b&due == 0:
		h.Release(p)
	case held:
		h.Postpone(p)
	default:
		h.Wire(p, v)
	}
}

// Release lets a pool that was examined after a fill be touched, as it was.
func (h *House) Release(p Pool) {
	if b := h.bits(p); *b&queued != 0 {
		h.unqueue(p)
		*b |= touched
		h.push(&h.touched, p)
	}
}
