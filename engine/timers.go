package engine

import (
	"github.com/lockstep-exchange/lockstep/clearing"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Timers: what the engine does because time has passed. Orders that expire are the store's to know; everything else that
// falls due has a timer here.
//
// Words: a timer is a slot, and each slot belongs to a kind. It is set when it has a time. The earliest is the set one
// that comes first by due time, then kind, then id: a total order, so that equal histories do equal things.
//
//	kind   by its number: what is done; among those due at one time the lower kind goes first
//	slot   base[kind] + n: an index below, at New as many as there can ever be
//	at     by slot     when it is due
//	key    by slot     kind<<56 | id, which breaks ties; id is what the kind says, in the order in which equals shall go
//	heap   [0, count)  slots that are set, the parent of i is (i-1)/2 and is not after it
//	place  by slot     1 + its index in the heap, 0 when it is not set
//
// Setting and clearing cost O(log count). A timer that is done is cleared before its work starts; work that goes on sets it
// again.
type timers struct {
	at    []fixed.Nanos
	key   []uint64
	heap  []uint32
	place []uint32
	count uint32
	base  [timerKinds + 1]uint32
}

// timerKind is what a timer does.
type timerKind uint8

const (
	tierTimer    timerKind = iota // 0: owners are told of their fee tiers; id is the next one
	oracleTimer                   // by underlying: the index changes although nobody speaks
	markTimer                     // by instrument: a step of a composite mark
	fundingTimer                  // by instrument: a sample of the premium or a payment
	ladderTimer                   // by pool: its first call is the second, or its next slice is due; of the fund, by row
	emptyTimer                    // by session: its orders go, or are no more its own, and wait for a place among the mass cancels
	deadManTimer                  // by account: its dead-man
	lapseTimer                    // by session: it has been negotiated and not bound
	guardTimer                    // by group of quotes: it has tripped, and waits for a place among the mass cancels
	timerKinds                    // how many there are
)

const idBits = 56

// newTimers makes timers of which none is set; slots says how many of each kind there are.
func newTimers(slots [timerKinds]uint32) timers {
	t := timers{}
	for kind, n := range slots {
		t.base[kind+1] = t.base[kind] + n
	}
	n := t.base[timerKinds]
	t.at, t.key, t.heap, t.place = make([]fixed.Nanos, n), make([]uint64, n), make([]uint32, n), make([]uint32, n)
	for i := range t.at {
		t.at[i], t.key[i], t.heap[i], t.place[i] = 0, 0, 0, 0
	}
	return t
}

// set lets timer n of a kind fall due at a time, whether it is set or not.
func (t *timers) set(kind timerKind, n uint32, id uint64, at fixed.Nanos) {
	t.clear(kind, n)
	slot := t.base[kind] + n
	t.at[slot], t.key[slot] = at, uint64(kind)<<idBits|id
	t.count++
	t.rise(slot, t.count-1)
}

// clear lets timer n of a kind never fall due.
func (t *timers) clear(kind timerKind, n uint32) {
	slot := t.base[kind] + n
	if t.place[slot] == 0 {
		return
	}
	gap := t.place[slot] - 1
	t.count--
	last := t.heap[t.count]
	t.place[slot], t.at[slot], t.key[slot] = 0, 0, 0
	if last == slot {
		return
	}
	if gap > 0 && t.before(last, t.heap[(gap-1)/2]) {
		t.rise(last, gap)
		return
	}
	t.sink(last, gap)
}

// isSet reports whether timer n of a kind is set.
func (t *timers) isSet(kind timerKind, n uint32) bool { return t.place[t.base[kind]+n] != 0 }

// overdue reports whether timer n of a kind is set for a time or before it.
func (t *timers) overdue(kind timerKind, n uint32, at fixed.Nanos) bool {
	return t.isSet(kind, n) && t.at[t.base[kind]+n] <= at
}

// earliest is when the first timer falls due, and what it is: its kind, its number and its id. ok is false when none is set.
func (t *timers) earliest() (at fixed.Nanos, kind timerKind, n uint32, id uint64, ok bool) {
	if t.count == 0 {
		return 0, 0, 0, 0, false
	}
	slot := t.heap[0]
	kind = timerKind(t.key[slot] >> idBits)
	return t.at[slot], kind, slot - t.base[kind], t.key[slot] & (1<<idBits - 1), true
}

// before is the order of the heap.
func (t *timers) before(a, b uint32) bool {
	return t.at[a] < t.at[b] || t.at[a] == t.at[b] && t.key[a] < t.key[b]
}

// rise puts a slot at index i or above.
func (t *timers) rise(slot, i uint32) {
	for i > 0 {
		parent := (i - 1) / 2
		if !t.before(slot, t.heap[parent]) {
			break
		}
		t.heap[i] = t.heap[parent]
		t.place[t.heap[i]] = i + 1
		i = parent
	}
	t.heap[i], t.place[slot] = slot, i+1
}

// sink puts a slot at index i or below.
func (t *timers) sink(slot, i uint32) {
	for {
		child := 2*i + 1
		if child >= t.count {
			break
		}
		if child+1 < t.count && t.before(t.heap[child+1], t.heap[child]) {
			child++
		}
		if !t.before(t.heap[child], slot) {
			break
		}
		t.heap[i] = t.heap[child]
		t.place[t.heap[i]] = i + 1
		i = child
	}
	t.heap[i], t.place[slot] = slot, i+1
}

// hash folds in what is set, slot by slot: where a slot lies in the heap follows from it.
func (t *timers) hash(d *fixed.Digest) {
	for slot, place := range t.place {
		if place != 0 {
			d.Word(uint64(slot))
			d.Word(uint64(t.at[slot]))
			d.Word(t.key[slot])
		}
	}
}

// set sets a timer of the engine.
func (e *Engine) set(kind timerKind, n uint32, id uint64, at fixed.Nanos) {
	e.timers.set(kind, n, id, at)
	e.wake = min(e.wake, at)
}

// fire does what a timer that was due at a time is for.
func (e *Engine) fire(kind timerKind, n uint32, id uint64, at fixed.Nanos) {
	switch kind {
	case tierTimer:
		e.tellTier(msg.OwnerID(id), at)
	case oracleTimer:
		e.silence(msg.UnderlyingID(n), at)
	case markTimer:
		e.stepMark(msg.InstrumentID(n), at)
	case fundingTimer:
		e.fund(msg.InstrumentID(n), at)
	case ladderTimer:
		e.tick(clearing.Pool(n))
	case emptyTimer:
		if id&disowning != 0 {
			e.disown(msg.SessionID(n))
			return
		}
		e.empty(msg.SessionID(n))
	case guardTimer:
		e.takeOut(tripOf(id))
	case lapseTimer:
		e.lapse(msg.SessionID(n))
	case deadManTimer:
		e.expireDeadMan(msg.AccountID(n), at)
	}
}

// tells is how many events a timer may bring.
func (e *Engine) tells(kind timerKind, n uint32) int {
	if kind == oracleTimer { // health, index, and of each instrument its mark and its phase
		return 2 + 2*int(e.underlyings[n].count)
	}
	if kind == ladderTimer {
		return examRoom + eventsBesides
	}
	return eventsPerStep
}
