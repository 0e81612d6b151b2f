package market

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// The mark of an instrument that does not get it by command: it follows the index, or is composed of what the index, the
// book and the trades say (M-34 to M-38).
//
//	                 +-- basis   index + smoothed distance of the book's middle from it
//	at each step, ---+-- book    median of best bid, best ask and last trade          --> those that are fresh
//	and where the    +-- trades  mean by size and age, over the window                         |
//	index moved                                                        median or weighted mean |
//	                                                                                           v
//	                                             mark in force --> velocity clamp, where it is closed --> mark
//
// Between two steps a mark is constant: a trade is only written down. Of a trade that must not move a mark (M-38) a Marker
// is not told at all, and so it is not the last one of the book input either.
//
// Trades are summed by the instant at which they were made, in a ring. As long as the window holds trades of no more than
// MaxInstants instants, the mean is exact. When the ring is full, the instants that share one of MaxInstants/2 equal slots
// of the window become one, at the latest of their times: a trade then counts for younger than it is, by less than
// window/128, half a second of the default minute. It is state like any other: equal commands give equal sums.

// MaxInstants is how many instants at which there were trades a window tells apart; a power of two.
const MaxInstants = 256

// Marker is how one instrument is marked, and what that needs to know. Only the methods of this package write the fields.
type Marker struct {
	Mode     msg.MarkMode
	Inputs   uint8 // bits of msg.MarkBasis, MarkBook and MarkTrades
	Weighted bool  // the mean of the inputs by their weights, else their median
	began    bool  // there was an input once
	stood    bool  // both sides stood once, and book is their median
	traded   bool  // last is one

	Weights  [markInputs]int64
	Stale    fixed.Nanos // 0: never
	Window   fixed.Nanos
	Decay    fixed.Rate
	EMA      fixed.Nanos
	Velocity fixed.Rate // a second

	at     fixed.Nanos // of the last recomputation, from which the clamp counts
	book   fixed.Ticks
	bookAt fixed.Nanos // when both sides stood last, of the times at which they were looked at
	last   fixed.Ticks // price of the last trade
	emaAt  fixed.Nanos // the last whole step of the basis
	basis  fixed.Wide  // sum of (middle - index) · 2^16, each less by e^(-1/150) per step since
	weight int64       // the same sum of 2^16

	// Invariant: the times of the count instants from head on rise.
	head, count uint16
	instants    [MaxInstants]instant
}

// markInputs is how many inputs there are; the bit of an input is 1 shifted by its index.
const markInputs = 3

// instant is the trades of one instant.
type instant struct {
	at    fixed.Nanos
	lots  fixed.Wide // sum of lots
	value fixed.Wide // sum of lots · price
}

// Sight is what a recomputation looks at.
type Sight struct {
	Mark     fixed.Ticks // in force; 0: none
	Index    fixed.Ticks // by Instrument.IndexTicks; 0: none
	IndexAt  fixed.Nanos // of the underlying
	Health   msg.Health  // of the underlying
	Bid, Ask fixed.Ticks // the best, where Both
	Both     bool        // both sides of the book stand
}

// List makes the marker of an instrument that is marked in that way, with the defaults of the margin rules.
// RejectInvalidParameter for a mode that there is not.
func (m *Marker) List(mode msg.MarkMode) msg.Reject {
	if mode > msg.MarkComposite {
		return msg.RejectInvalidParameter
	}
	*m = Marker{Mode: mode, Inputs: msg.MarkBasis | msg.MarkBook | msg.MarkTrades, Weights: [markInputs]int64{1, 1, 1},
		Window: fixed.Minute, EMA: 150 * fixed.Second, Velocity: 2 * fixed.Percent}
	return 0
}

// MarkRule reports whether it is Marker.SetRule that sets the rule.
func MarkRule(r msg.Rule) bool { return r >= msg.MarkFrom && r <= msg.MarkVelocity }

// SetRule sets one parameter. Of inputs there is at least one, and of weights one above 0. A mode that needs an index is
// the caller's to refuse where there is no underlying.
func (m *Marker) SetRule(s msg.Setting) msg.Reject {
	least, most := int64(0), int64(fixed.One)
	switch s.Rule {
	case msg.MarkFrom:
		most = int64(msg.MarkComposite)
	case msg.MarkInputs:
		least, most = 1, 1<<markInputs-1
	case msg.MarkCombine:
		most = 1
	case msg.MarkWeightBasis, msg.MarkWeightBook, msg.MarkWeightTrades:
		most = 1_000_000
	case msg.MarkStale:
		most = int64(LongestPeriod)
	case msg.MarkWindow:
		least, most = int64(ShortestPeriod), int64(LongestPeriod)
	case msg.MarkEMA:
		least, most = emaSteps*int64(ShortestPeriod), int64(LongestPeriod)
	}
	if s.Value < least || s.Value > most {
		return msg.RejectInvalidParameter
	}

	switch s.Rule {
	case msg.MarkFrom:
		m.Mode = msg.MarkMode(s.Value)
	case msg.MarkInputs:
		m.Inputs = uint8(s.Value)
	case msg.MarkCombine:
		m.Weighted = s.Value == 1
	case msg.MarkWeightBasis, msg.MarkWeightBook, msg.MarkWeightTrades:
		weights := m.Weights
		weights[s.Rule-msg.MarkWeightBasis] = s.Value
		if weights == [markInputs]int64{} {
			return msg.RejectInvalidParameter
		}
		m.Weights = weights
	case msg.MarkStale:
		m.Stale = fixed.Nanos(s.Value)
	case msg.MarkWindow:
		m.Window = fixed.Nanos(s.Value)
	case msg.MarkDecay:
		m.Decay = fixed.Rate(s.Value)
	case msg.MarkEMA:
		m.EMA = fixed.Nanos(s.Value)
	case msg.MarkVelocity:
		m.Velocity = fixed.Rate(s.Value)
	default:
		return msg.RejectInvalidParameter
	}
	return 0
}

// Due is when the mark is to be recomputed next after a time from 0 on: at the whole multiples of mark-step where it is
// composite, else Never. One recomputation later than several of them stands for all.
func (m *Marker) Due(after fixed.Nanos, v *Venue) fixed.Nanos {
	if m.Mode != msg.MarkComposite {
		return Never
	}
	return next(after, v.MarkStep)
}

// Trade writes down a trade that may move the mark (M-38) at the next recomputation.
func (m *Marker) Trade(now fixed.Nanos, price fixed.Ticks, qty fixed.Lots) {
	if m.Mode != msg.MarkComposite {
		return
	}
	m.last, m.traded = price, true
	m.expire(now)
	if m.count == 0 || m.nth(m.count-1).at != now {
		if m.count == MaxInstants {
			m.crowd()
		}
		*m.nth(m.count) = instant{at: now}
		m.count++
	}
	m.nth(m.count - 1).add(&instant{lots: fixed.Widen(int64(qty)), value: fixed.MulWide(int64(qty), int64(price))})
}

// Recompute is the mark from now on: to be asked when Due comes and when the index has moved. It is s.Mark where the mark
// stays: if it is set by command, if there is no index, while the index is Frozen or OracleHalted, and if no input is fresh.
// The caller asks Instrument.CanMark before it marks.
func (m *Marker) Recompute(now fixed.Nanos, s *Sight, v *Venue) fixed.Ticks {
	switch {
	case m.Mode == msg.MarkManual || s.Index <= 0:
		return s.Mark
	case m.Mode == msg.MarkIndex:
		return s.Index
	case s.Health >= msg.Frozen:
		return s.Mark
	}
	now = m.notBefore(now)
	m.look(now, s)
	value, ok := m.combine(now, s)
	if !ok || value <= 0 {
		return s.Mark
	}
	return m.clamp(now, value, s, v)
}

// notBefore is a time, or that of the latest that the marker has seen where that is later: a step that is overdue comes when a report or a trade
// of now has been heard already, and no time goes by backwards.
func (m *Marker) notBefore(now fixed.Nanos) fixed.Nanos {
	now = max(now, m.at, m.bookAt)
	if m.count != 0 {
		now = max(now, m.nth(m.count-1).at)
	}
	return now
}

// look takes in the book: its median, and a sample of the basis where a step of it has gone by.
func (m *Marker) look(now fixed.Nanos, s *Sight) {
	if !s.Both {
		return
	}
	middle := fixed.Middle(s.Bid, s.Ask)
	m.sample(now, fixed.Widen(int64(middle)).Sub(fixed.Widen(int64(s.Index))))
	m.book, m.bookAt, m.stood = middle, now, true
	if m.traded {
		m.book = max(min(s.Bid, s.Ask), min(max(s.Bid, s.Ask), m.last))
	}
}

// combine is what the fresh inputs come to, or the index until there is an input; ok is false where none is fresh.
func (m *Marker) combine(now fixed.Nanos, s *Sight) (value fixed.Ticks, ok bool) {
	var prices [markInputs]fixed.Ticks // of the fresh, in order
	var sum fixed.Wide
	weights, count := int64(0), 0
	for i := range markInputs {
		if m.Inputs>>i&1 == 0 {
			continue
		}
		price, at, there := m.input(i, now, s)
		m.began = m.began || there
		if !there || m.Stale != 0 && now-at >= m.Stale {
			continue
		}
		sum = sum.Add(fixed.MulWide(int64(price), m.Weights[i]))
		weights += m.Weights[i]
		count++
		place(prices[:count], price)
	}
	switch {
	case !m.began:
		return s.Index, true
	case count == 0:
		return 0, false
	case m.Weighted:
		mean, ok := sum.DivFloor(weights)
		return fixed.Ticks(mean), ok
	}
	return median(prices[:count]), true
}

// input is the price of an input, its time, and whether there is one.
func (m *Marker) input(i int, now fixed.Nanos, s *Sight) (price fixed.Ticks, at fixed.Nanos, there bool) {
	switch 1 << i {
	case msg.MarkBasis:
		p, fits := fixed.Widen(int64(s.Index)).Add(fixed.Widen(int64(m.distance()))).Int64()
		return fixed.Ticks(p), s.IndexAt, fits
	case msg.MarkBook:
		return m.book, m.bookAt, m.stood
	}
	m.expire(now)
	if m.count == 0 {
		return 0, 0, false
	}
	price, there = m.mean(now)
	return price, m.nth(m.count - 1).at, there
}

// clamp is how far the mark may follow a value (M-37). A recomputation that may not move it by a tick does not count as
// one, so that frequent ones cannot hold it in place.
func (m *Marker) clamp(now fixed.Nanos, value fixed.Ticks, s *Sight, v *Venue) fixed.Ticks {
	if s.Mark == 0 || s.Health <= msg.Good && within(value, s.Index, s.Index, v.OracleOutlier) {
		m.at = now
		return value
	}
	const longest = 10 * fixed.Second
	most, fits := fixed.MulWide(int64(s.Mark), int64(m.Velocity)).Mul(int64(min(now-m.at, longest))).
		DivFloor(int64(fixed.One) * int64(fixed.Second))
	if !fits {
		most = fixed.MaxInt64
	}
	if most == 0 && value != s.Mark {
		return s.Mark
	}
	m.at = now
	return s.Mark + max(-fixed.Ticks(most), min(fixed.Ticks(most), value-s.Mark))
}

// nth is an instant by its place from the oldest on.
func (m *Marker) nth(i uint16) *instant { return &m.instants[(m.head+i)%MaxInstants] }

func (t *instant) add(o *instant) { t.lots, t.value = t.lots.Add(o.lots), t.value.Add(o.value) }

// expire drops the instants that have left the window; one that is as old as the window is still in.
func (m *Marker) expire(now fixed.Nanos) {
	for m.count > 0 && now-m.nth(0).at > m.Window {
		m.head, m.count = (m.head+1)%MaxInstants, m.count-1
	}
}

// crowd makes one of the instants that share a slot. All lie within the window, so that at most MaxInstants/2 + 1 are left.
func (m *Marker) crowd() {
	slot := m.Window / (MaxInstants / 2)
	kept := uint16(0)
	for i := uint16(1); i < m.count; i++ {
		t, into := *m.nth(i), m.nth(kept)
		if t.at/slot == into.at/slot {
			into.add(&t)
			into.at = t.at
			continue
		}
		kept++
		*m.nth(kept) = t
	}
	m.count = kept + 1
}

// mean is the mean price of the window by size and age; ok is false where the weight of all that is in it has gone.
func (m *Marker) mean(now fixed.Nanos) (price fixed.Ticks, ok bool) {
	var value, lots fixed.Wide
	for i := range m.count {
		t := m.nth(i)
		lost, _ := fixed.MulDivFloor(int64(m.Decay), int64(now-t.at), int64(m.Window))
		left := int64(fixed.One) - lost
		value, lots = value.Add(t.value.Mul(left)), lots.Add(t.lots.Mul(left))
	}
	p, ok := value.DivWideFloor(lots)
	return fixed.Ticks(p), ok
}

// emaSteps is how many steps of the basis go into mark-ema: in one of them a sample loses the factor e^(-1/150).
const emaSteps = 150

// fading are 2^32 · e^(-2^j/150): what is left after 2^j steps.
var fading = [12]int64{4266429413, 4238081149, 4181948450, 4071903610, 3860424974, 3469847371, 2803243878, 1829624231,
	779406360, 141438626, 4657750, 5051}

// sample adds the book's distance from the index to the basis, once in a step. What was before fades by the steps that have
// gone by; after 4096 of them nothing is left.
func (m *Marker) sample(now fixed.Nanos, distance fixed.Wide) {
	step := m.EMA / emaSteps
	steps := (now - m.emaAt) / step
	switch {
	case m.weight == 0 || steps >= 1<<len(fading):
		m.basis, m.weight, m.emaAt = fixed.Wide{}, 0, now
	case steps == 0:
		return
	default:
		m.emaAt += steps * step
		for j, left := range fading {
			if steps>>j&1 == 1 {
				m.basis, m.weight = m.basis.Mul(left).ShiftRight(32), m.weight*left>>32
			}
		}
	}
	m.basis = m.basis.Add(distance.Mul(1 << 16))
	m.weight += 1 << 16
}

// distance is the smoothed distance of the book's middle from the index; 0 while there is no sample.
func (m *Marker) distance() fixed.Ticks {
	if m.weight == 0 {
		return 0
	}
	d, _ := m.basis.DivTowardZero(m.weight)
	return fixed.Ticks(d)
}

// Hash folds the marker into d.
func (m *Marker) Hash(d *fixed.Digest) {
	d.Word(uint64(m.Mode) | uint64(m.Inputs)<<8 | flag(m.Weighted)<<16 | flag(m.began)<<17 | flag(m.stood)<<18 |
		flag(m.traded)<<19 | uint64(m.head)<<32 | uint64(m.count)<<48)
	for _, v := range [...]int64{m.Weights[0], m.Weights[1], m.Weights[2], int64(m.Stale), int64(m.Window), int64(m.Decay),
		int64(m.EMA), int64(m.Velocity), int64(m.at), int64(m.book), int64(m.bookAt), int64(m.last), int64(m.emaAt), m.weight} {
		d.Word(uint64(v))
	}
	hashWide(d, m.basis)
	for i := range m.count {
		t := m.nth(i)
		d.Word(uint64(t.at))
		hashWide(d, t.lots)
		hashWide(d, t.value)
	}
}

func hashWide(d *fixed.Digest, w fixed.Wide) {
	d.Word(uint64(w.Hi))
	d.Word(w.Lo)
}

func flag(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}
