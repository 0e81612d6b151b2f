package market

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Funding ties a perpetual to its index: where it trades above it, longs pay shorts, and where below, shorts pay longs
// (M-40 to M-42). Here is the rate, and the sum of what one lot has paid since the beginning; who owes how much of it is
// clearing's.
//
//	book, index --(each funding-sample)--> premium, one sample
//	samples     --(each funding-interval)--> trimmed mean A --> F = clamp((A + clamp(I - A, low, high)) · scale, min, max)
//	F, index    -------------------------> step of Index, 1e-6 Money a lot: positions owe lots · (Index - Index at entry)
//
// When. Samples and payments are due at the whole multiples of their spans of engine time, so on a venue whose time is that
// of the day an hourly payment comes on the hour. Where both are due the sample is the first. A payment at such a time is
// for the whole of interval/base of the rate, however long the instrument has been listed. Where interval is 0 neither is
// ever due, and funding is by command alone.
//
// A sample is taken in continuous trading alone, and while Permits(health, PayFunding); it is skipped in every other phase, and
// while the index is Frozen or OracleHalted or there is none. A skipped sample leaves nothing behind: the mean is over
// those that were taken, not over those that were due. A side of the book too thin for funding-impact is not a reason to
// skip. It gives no price, and so its half of the premium is 0: where nobody offers enough to trade against, nothing is to
// be paid for.
//
//	phase         index                book             sample
//	continuous    good, degraded       both deep        the premium
//	continuous    good, degraded       a side thin      the other side's half of it, or 0
//	continuous    frozen, halted, none                  skipped
//	any other                                           skipped
//
// A payment asks for the index alone: while Permits(health, PayFunding) does not hold it is passed over, and the samples of its
// interval are dropped with it. Of phases it knows nothing, for positions are held in all of them. An interval without
// samples has a mean of 0, and pays what interest and clamps make of that.
//
// At most MaxSamples go into one payment. Where funding-interval has more of funding-sample, only every second, third, or
// n-th of them is due, so that the samples lie evenly over the interval.

// MaxSamples is how many samples of the premium one payment may rest on: a day of minutes.
const MaxSamples = 1440

// MaxImpact bounds funding-impact. A side whose whole levels are worth more than 1000 times that at its last price is too
// thin as well: its last price is no price.
const MaxImpact = 1_000_000_000 * fixed.Coin

// FundingIndex is what one lot long has paid since it was listed, in 1e-6 Money; it falls where shorts pay.
type FundingIndex int64

// Funding is the funding of one perpetual. Only the methods of this package write the fields.
type Funding struct {
	Index FundingIndex
	Rate  fixed.Rate // of the last payment, per base; by command: of the whole payment; 0 where it was passed over

	Interval   fixed.Nanos // between payments; 0: by command alone
	Base       fixed.Nanos // to which rates refer
	Sample     fixed.Nanos // between samples
	Trim       fixed.Rate  // of the samples, dropped at either end
	Impact     fixed.Money // notional of the impact prices
	PremiumCap fixed.Rate
	Interest   fixed.Rate
	Scale      fixed.Rate
	Low, High  fixed.Rate // clamps of interest less mean
	Min, Max   fixed.Rate // of the rate

	// Invariant: the first count samples are in order, and none is beyond One.
	samples [MaxSamples]int32 // Rates
	count   uint64
}

// List makes the funding of an instrument, with the defaults of the margin rules.
func (f *Funding) List() {
	*f = Funding{Interval: fixed.Hour, Base: 8 * fixed.Hour, Sample: fixed.Minute, Impact: 5000 * fixed.Coin,
		PremiumCap: 10 * fixed.Percent, Scale: fixed.One, Low: -5 * fixed.BasisPoint, High: 5 * fixed.BasisPoint,
		Min: -4 * fixed.Percent, Max: 4 * fixed.Percent}
}

// FundingRule reports whether it is Funding.SetRule that sets the rule.
func FundingRule(r msg.Rule) bool { return r >= msg.FundingInterval && r <= msg.FundingMax }

// SetRule sets one parameter. Interval and base are whole milliseconds; a lower bound is never above its upper one.
func (f *Funding) SetRule(s msg.Setting) msg.Reject {
	low, high := f.bounds(s.Rule)
	if s.Value < low || s.Value > high {
		return msg.RejectInvalidParameter
	}
	rate, span := fixed.Rate(s.Value), fixed.Nanos(s.Value)
	if (s.Rule == msg.FundingInterval || s.Rule == msg.FundingBase) && span%fixed.Millisecond != 0 {
		return msg.RejectInvalidParameter
	}

	switch s.Rule {
	case msg.FundingInterval:
		f.Interval = span
	case msg.FundingBase:
		f.Base = span
	case msg.FundingSample:
		f.Sample = span
	case msg.FundingTrim:
		f.Trim = rate
	case msg.FundingImpact:
		f.Impact = fixed.Money(s.Value)
	case msg.FundingPremiumCap:
		f.PremiumCap = rate
	case msg.FundingInterest:
		f.Interest = rate
	case msg.FundingScale:
		f.Scale = rate
	case msg.FundingClampLow:
		f.Low = rate
	case msg.FundingClampHigh:
		f.High = rate
	case msg.FundingMin:
		f.Min = rate
	case msg.FundingMax:
		f.Max = rate
	default:
		return msg.RejectInvalidParameter
	}
	return 0
}

// bounds are the least and the highest value of a parameter.
func (f *Funding) bounds(r msg.Rule) (low, high int64) {
	const one = int64(fixed.One)
	switch r {
	case msg.FundingInterval:
		return 0, int64(LongestPeriod)
	case msg.FundingBase, msg.FundingSample:
		return int64(ShortestPeriod), int64(LongestPeriod)
	case msg.FundingTrim:
		return 0, one / 2
	case msg.FundingImpact:
		return 1, int64(MaxImpact)
	case msg.FundingInterest:
		return -one, one
	case msg.FundingScale:
		return 0, 100 * one
	case msg.FundingClampLow:
		return -one, int64(f.High)
	case msg.FundingClampHigh:
		return int64(f.Low), one
	case msg.FundingMin:
		return -one, int64(f.Max)
	case msg.FundingMax:
		return int64(f.Min), one
	}
	return 0, one // FundingPremiumCap
}

// Due is when a sample or a payment is due next after a time from 0 on; Never where funding is by command alone.
func (f *Funding) Due(after fixed.Nanos) fixed.Nanos {
	if f.Interval == 0 {
		return Never
	}
	return min(next(after, f.spacing()), next(after, f.Interval))
}

// SampleDue reports whether a sample is due at that very time, and PaymentDue whether a payment is, after it.
func (f *Funding) SampleDue(at fixed.Nanos) bool  { return f.Interval != 0 && at%f.spacing() == 0 }
func (f *Funding) PaymentDue(at fixed.Nanos) bool { return f.Interval != 0 && at%f.Interval == 0 }

// NextPayment is when a payment is due next after a time from 0 on; Never where funding is by command alone.
func (f *Funding) NextPayment(after fixed.Nanos) fixed.Nanos {
	if f.Interval == 0 {
		return Never
	}
	return next(after, f.Interval)
}

// spacing is the least multiple of funding-sample of which no more than MaxSamples fall into an interval.
func (f *Funding) spacing() fixed.Nanos {
	most := f.Sample * MaxSamples
	return f.Sample * max(1, (f.Interval+most-1)/most)
}

// Impact is how deep the impact notional reaches into a side of the book, as the book says it.
type Impact struct {
	Lots     fixed.Lots  // of the levels that it takes whole
	TickLots int64       // Σ price · lots of those, worth less than the notional
	Price    fixed.Ticks // of the last level, which brings the rest; 0: the side is too thin
}

// Reach is the impact notional in tick-lots, rounded up: what the book is asked for.
func (f *Funding) Reach(tickLot fixed.Money) int64 {
	reach, _ := fixed.MulDivCeil(int64(f.Impact), 1, int64(tickLot))
	return reach
}

// Premium is the sample that the two sides and the index give, within ±PremiumCap (M-40). The index is in ticks, above 0;
// the book is not crossed, so that it lies above at most one of the impact prices' sides.
func (f *Funding) Premium(index fixed.Ticks, tickLot fixed.Money, bid, ask *Impact) fixed.Rate {
	if over, ok := f.term(index, tickLot, bid); ok && over > 0 {
		return over
	}
	if under, ok := f.term(index, tickLot, ask); ok && under < 0 {
		return under
	}
	return 0
}

// term is (impact price - index) / index toward zero, within ±PremiumCap; ok is false where the side gives no price.
// The impact price is n·p / D with D = m·lots·p + n - spent: what the notional takes, worth at the last price.
func (f *Funding) term(index fixed.Ticks, tickLot fixed.Money, i *Impact) (r fixed.Rate, ok bool) {
	whole, fits := fixed.Notional(i.Lots, i.Price, tickLot)
	spent, _ := fixed.Mul(i.TickLots, int64(tickLot))
	if i.Price <= 0 || !fits || whole > 999*MaxImpact {
		return 0, false
	}
	base := fixed.MulWide(int64(whole+f.Impact)-spent, int64(index))
	off := fixed.MulWide(int64(f.Impact), int64(i.Price)).Sub(base)
	return max(-f.PremiumCap, min(f.PremiumCap, ratio(off, base))), true
}

// ratio is w / d toward zero, at most One either way. d is above 0 and below 2^123, so that each digit has room.
func ratio(w, d fixed.Wide) fixed.Rate {
	sign := int64(1)
	if w.Sign() < 0 {
		w, sign = w.Neg(), -1
	}
	if w.Cmp(d) >= 0 {
		return fixed.One * fixed.Rate(sign)
	}
	quo := int64(0)
	for unit := int64(fixed.One); unit > 1; unit /= 10 {
		w = w.Mul(10)
		digit, _ := w.DivWideFloor(d)
		w, quo = w.Sub(d.Mul(digit)), 10*quo+digit
	}
	return fixed.Rate(sign * quo)
}

// AddSample adds a premium to the samples of the interval. Beyond MaxSamples, where a rule made the interval longer after
// many were taken, it is lost.
func (f *Funding) AddSample(premium fixed.Rate) {
	if f.count == MaxSamples {
		return
	}
	f.count++
	place(f.samples[:f.count], int32(premium))
}

// Estimate is the rate per base that the samples so far come to (M-41).
func (f *Funding) Estimate() fixed.Rate {
	mean := f.mean()
	damped := mean + max(f.Low, min(f.High, f.Interest-mean))
	rate, _ := fixed.MulDivTowardZero(int64(damped), int64(f.Scale), int64(fixed.One))
	return max(f.Min, min(f.Max, fixed.Rate(rate)))
}

// mean is the mean of the samples toward zero, without those that are trimmed; 0 without samples.
func (f *Funding) mean() fixed.Rate {
	kept := f.samples[:f.count]
	drop, _ := fixed.MulDivFloor(2*int64(f.count), int64(f.Trim), int64(fixed.One))
	if drop < int64(f.count) {
		kept = kept[drop/2 : int64(f.count)-(drop-drop/2)]
	}
	sum := int64(0)
	for _, s := range kept {
		sum += int64(s)
	}
	mean, _ := fixed.Widen(sum).DivTowardZero(int64(len(kept)))
	return fixed.Rate(mean)
}

// Settle ends an interval: it pays the rate of its samples for interval/base, at an index in ticks above 0 (M-42). step is by
// how much Index moved. RejectOverflow where that does not fit: then nothing is paid, and the interval has ended all the
// same.
func (f *Funding) Settle(index fixed.Ticks, tickLot fixed.Money) (step FundingIndex, no msg.Reject) {
	rate := f.Estimate()
	f.Skip()
	return f.pay(rate, index, tickLot, f.Interval, f.Base)
}

// Skip ends an interval without a payment: its samples are dropped.
func (f *Funding) Skip() {
	f.count, f.Rate = 0, 0
}

// Pay is a payment by command: the whole rate at once, at an index in ticks. The samples stay. RejectNoMark without an
// index, RejectInvalidParameter beyond Min..Max, RejectOverflow where Index does not fit.
func (f *Funding) Pay(rate fixed.Rate, index fixed.Ticks, tickLot fixed.Money) (step FundingIndex, no msg.Reject) {
	switch {
	case rate < f.Min || rate > f.Max:
		return 0, msg.RejectInvalidParameter
	case index <= 0:
		return 0, msg.RejectNoMark
	}
	return f.pay(rate, index, tickLot, 1, 1)
}

// pay moves Index by index · tickLot · rate · interval/base, toward zero.
func (f *Funding) pay(rate fixed.Rate, index fixed.Ticks, tickLot fixed.Money, interval, base fixed.Nanos) (FundingIndex, msg.Reject) {
	if interval != base { // in milliseconds the product of rate and interval has room in a word
		interval, base = interval/fixed.Millisecond, base/fixed.Millisecond
	} else {
		interval, base = 1, 1
	}
	lot, fits := fixed.Notional(1, index, tickLot)
	const perUnit = 1000 // a Rate is 1e-9, a FundingIndex 1e-6 Money
	step, ok := fixed.MulDivTowardZero(int64(lot), int64(rate)*int64(interval), int64(base)*perUnit)
	sum, whole := fixed.Widen(int64(f.Index)).Add(fixed.Widen(step)).Int64()
	if !fits || !ok || !whole {
		return 0, msg.RejectOverflow
	}
	f.Index, f.Rate = FundingIndex(sum), rate
	return FundingIndex(step), 0
}

// Accrued is what a position of q signed lots has come to owe between two values of Index, toward zero: above 0 it pays
// (M-42). ok is false where that does not fit.
func Accrued(q fixed.Lots, from, to FundingIndex) (owed fixed.Money, ok bool) {
	moved, fits := fixed.Widen(int64(to)).Sub(fixed.Widen(int64(from))).Int64()
	v, ok := fixed.MulDivTowardZero(int64(q), moved, int64(fixed.Coin))
	return fixed.Money(v), fits && ok
}

// Hash folds the funding into d.
func (f *Funding) Hash(d *fixed.Digest) {
	for _, v := range [...]int64{int64(f.Index), int64(f.Rate), int64(f.Interval), int64(f.Base), int64(f.Sample),
		int64(f.Trim), int64(f.Impact), int64(f.PremiumCap), int64(f.Interest), int64(f.Scale), int64(f.Low), int64(f.High),
		int64(f.Min), int64(f.Max)} {
		d.Word(uint64(v))
	}
	d.Word(f.count)
	for _, s := range f.samples[:min(f.count, MaxSamples)] {
		d.Word(uint64(s))
	}
}
