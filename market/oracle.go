package market

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// The oracle: up to eight sources report the price of one underlying, and out of their reports come an index and its
// health (M-32, M-33).
//
//	fresh   a report younger than oracle-stale; only the latest report of a source counts
//	agree   the fresh reports, without those farther than oracle-outlier from their median. Nobody can say which of two is
//	        the liar: two that lie farther apart than that do not agree
//	index   the median of those that agree, as long as they are more than half of the configured sources
//
//	           all agree            fewer agree, and yet a majority        no majority            for oracle-halt
//	  Good <-------------> ... <-------------> Degraded <-------------> Frozen -------------> OracleHalted
//	                                  back from anywhere, at once, when a majority agrees
//
// A majority that agrees on a price of 0 or less halts at once: no margin can be computed at such a price. One source that
// says so is an outlier like any other. The index is always above 0; while it is Frozen or OracleHalted it keeps its last
// value. Halted is left only by a majority that agrees on a price: silence after it is no improvement.

// MaxSources is how many sources an underlying may have.
const MaxSources = 8

// Never is the time at which what never happens is due.
const Never fixed.Nanos = fixed.MaxInt64

// Underlying is what its sources have said of one underlying, and what follows. A zero Sources means that it is not listed.
// Only the methods of this package write the fields.
type Underlying struct {
	Index      fixed.Money // of one unit; 0: none yet
	Confidence fixed.Rate  // the least of the sources that agreed on the index
	IndexAt    fixed.Nanos // when the index moved last, or a source that agrees confirmed it
	Health     msg.Health  // 0: nothing was reported yet
	Sources    uint8       // configured; the first of reports are theirs
	Symbol     [24]byte

	seen    fixed.Nanos // when health and index were last judged
	frozen  fixed.Nanos // since when no majority agrees, while Health is Frozen
	reports [MaxSources]report
}

// report is the latest report of a source.
type report struct {
	at         fixed.Nanos
	price      fixed.Money
	confidence fixed.Rate
	made       uint64 // 1: there is one
}

// OracleChange is what a report, or time, has changed.
type OracleChange struct {
	Moved    bool       // the index has another value
	From, To msg.Health // alike where the health stayed
}

// List brings the underlying into being, without an index, with u.Sources sources, 1..8. RejectInvalidParameter where that
// is out of range or it is there already.
func (u *Underlying) List(l msg.Underlying) msg.Reject {
	if u.Sources != 0 || l.Sources == 0 || l.Sources > MaxSources {
		return msg.RejectInvalidParameter
	}
	*u = Underlying{Sources: l.Sources, Symbol: l.Symbol}
	return 0
}

// Report takes in what a source says at now, or with source 0 what all say at once. The price may be any; a source that is
// not configured or a confidence outside 0..One is RejectInvalidParameter.
func (u *Underlying) Report(r msg.Report, now fixed.Nanos, v *Venue) (c OracleChange, no msg.Reject) {
	if r.Source > u.Sources || u.Sources == 0 || r.Confidence < 0 || r.Confidence > fixed.One {
		return c, msg.RejectInvalidParameter
	}

	index, from := u.Index, u.Health
	if u.Health != 0 {
		u.pass(now, v)
	}
	for i := range u.reports[:u.Sources] {
		if r.Source == 0 || int(r.Source) == i+1 {
			u.reports[i] = report{at: now, price: r.Price, confidence: r.Confidence, made: 1}
		}
	}
	u.judge(now, v)
	if u.Index != 0 && u.Health <= msg.Degraded && within(r.Price, u.Index, u.Index, v.OracleOutlier) {
		u.IndexAt = now
	}
	return OracleChange{Moved: u.Index != index, From: from, To: u.Health}, 0
}

// Due is the next time at which health or index may change without a report; Never where they cannot.
func (u *Underlying) Due(v *Venue) fixed.Nanos {
	due := Never
	for i := range u.reports {
		if at := after(u.reports[i].at, v.OracleStale); u.reports[i].made == 1 && v.OracleStale != 0 && at > u.seen {
			due = min(due, at)
		}
	}
	if u.Health == msg.Frozen {
		due = min(due, after(u.frozen, v.OracleHalt))
	}
	return due
}

// Advance lets time pass up to now, with all that falls due on the way at its own time. It is to be called when Due comes,
// and after a rule of the venue about oracles has changed.
func (u *Underlying) Advance(now fixed.Nanos, v *Venue) OracleChange {
	index, from := u.Index, u.Health
	if u.Health != 0 {
		u.pass(now, v)
		u.judge(now, v)
	}
	return OracleChange{Moved: u.Index != index, From: from, To: u.Health}
}

// pass judges at each time that falls due until now. Each turn takes one report or the freeze out of Due, so it ends.
func (u *Underlying) pass(now fixed.Nanos, v *Venue) {
	for at := u.Due(v); at <= now && at != Never; at = u.Due(v) {
		u.judge(max(at, u.seen), v)
	}
}

// judge finds health and index as they are at now.
func (u *Underlying) judge(now fixed.Nanos, v *Venue) {
	u.seen = now
	index, confidence, agree := u.agreement(now, v)
	switch {
	case 2*agree <= int(u.Sources):
		if u.Health < msg.Frozen {
			u.Health, u.frozen = msg.Frozen, now
		}
		if u.Health == msg.Frozen && after(u.frozen, v.OracleHalt) <= now {
			u.Health = msg.OracleHalted
		}
		return
	case index <= 0:
		u.Health = msg.OracleHalted
		return
	case agree == int(u.Sources):
		u.Health = msg.Good
	default:
		u.Health = msg.Degraded
	}
	if u.Index != index {
		u.Index, u.IndexAt = index, now
	}
	u.Confidence = confidence
}

// agreement is the median of the sources that agree at now, their least confidence, and how many they are.
func (u *Underlying) agreement(now fixed.Nanos, v *Venue) (index fixed.Money, confidence fixed.Rate, agree int) {
	var prices [MaxSources]fixed.Money // of the fresh, in order
	fresh := 0
	for i := range u.reports[:u.Sources] {
		if !u.fresh(i, now, v) {
			continue
		}
		fresh++
		place(prices[:fresh], u.reports[i].price)
	}
	low, high := 0, fresh // those that agree lie next to one another
	switch {
	case fresh == 0:
		return 0, 0, 0
	case fresh == 2 && !within(prices[0], prices[1], median(prices[:2]), v.OracleOutlier):
		return 0, 0, 0
	case fresh > 2:
		middle := median(prices[:fresh])
		for low < high && !within(prices[low], middle, middle, v.OracleOutlier) {
			low++
		}
		for low < high && !within(prices[high-1], middle, middle, v.OracleOutlier) {
			high--
		}
	}
	if low == high {
		return 0, 0, 0
	}
	confidence = fixed.One
	for i := range u.reports[:u.Sources] {
		if r := &u.reports[i]; u.fresh(i, now, v) && r.price >= prices[low] && r.price <= prices[high-1] {
			confidence = min(confidence, r.confidence)
		}
	}
	return median(prices[low:high]), confidence, high - low
}

// fresh reports whether the latest report of a source is younger than oracle-stale at now.
func (u *Underlying) fresh(i int, now fixed.Nanos, v *Venue) bool {
	r := &u.reports[i]
	return r.made == 1 && (v.OracleStale == 0 || now-r.at < v.OracleStale)
}

// within reports whether a and b lie no farther apart than the rate of a price.
func within[T ~int64](a, b, of T, rate fixed.Rate) bool {
	apart, bound := fixed.Widen(int64(a)).Sub(fixed.Widen(int64(b))), fixed.MulWide(int64(of), int64(rate))
	if apart.Sign() < 0 {
		apart = apart.Neg()
	}
	if bound.Sign() < 0 {
		bound = bound.Neg()
	}
	return apart.Mul(int64(fixed.One)).Cmp(bound) <= 0
}

// median is the middle of numbers in order; of two in the middle the mean, rounded down.
func median[T ~int64](sorted []T) T {
	half := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[half]
	}
	return fixed.Middle(sorted[half-1], sorted[half])
}

// place puts v where it belongs among numbers in order, of which the last place is free.
func place[T ~int32 | ~int64](sorted []T, v T) {
	at := len(sorted) - 1
	for ; at > 0 && sorted[at-1] > v; at-- {
		sorted[at] = sorted[at-1]
	}
	sorted[at] = v
}

// after is a time and a span after it, or Never where that is beyond all times.
func after(at, span fixed.Nanos) fixed.Nanos {
	if at > Never-span {
		return Never
	}
	return at + span
}

// next is the next whole multiple of a span above 0 after a time from 0 on.
func next(at, span fixed.Nanos) fixed.Nanos { return after(at-at%span, span) }

// Permission is something that the health of an index may forbid. The order is that of M-33: what a better health forbids,
// a worse one forbids too.
type Permission uint8

const (
	WithdrawProfit Permission = iota // unrealized profit counts in what may be withdrawn
	AddRisk                          // orders that do not reduce (RejectOracleFrozen)
	PayFunding                       // samples of the premium, and payments
	Liquidate                        // a step down the ladder, a takeover
	Trade                            // anything but cancels (RejectMarketHalted): the phase is msg.Halted
)

// Permits reports whether the health permits it. While nothing was reported all is permitted; what needs an index lacks
// its mark then.
func Permits(h msg.Health, p Permission) bool {
	switch {
	case h >= msg.OracleHalted:
		return false
	case h == msg.Frozen:
		return p > Liquidate
	case h == msg.Degraded:
		return p > WithdrawProfit
	}
	return true
}

// IndexTicks is the index of a unit as a price of the instrument, rounded down (M-32); 0 where it is less than a tick.
func (in *Instrument) IndexTicks(index fixed.Money) fixed.Ticks {
	p, _ := fixed.Widen(int64(index)).DivWideFloor(fixed.MulWide(int64(in.TickLot), int64(in.UnitLots)))
	return fixed.Ticks(p)
}

// Hash folds the underlying into d.
func (u *Underlying) Hash(d *fixed.Digest) {
	for _, v := range [...]int64{int64(u.Index), int64(u.Confidence), int64(u.IndexAt), int64(u.seen), int64(u.frozen)} {
		d.Word(uint64(v))
	}
	d.Word(uint64(u.Health) | uint64(u.Sources)<<8)
	hashSymbol(d, &u.Symbol)
	for i := range u.reports {
		r := &u.reports[i]
		d.Word(uint64(r.at))
		d.Word(uint64(r.price))
		d.Word(uint64(r.confidence))
		d.Word(r.made)
	}
}
