package market

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// The venue's rules for pools in distress: when they are called and sold (Ladder), who pays (Fund), and how much a command
// may do about it (Sweep).
//
// Invariant of a Ladder: 100 % <= Call2 <= Call1, Call2 <= Call2Exit <= Call1Exit, Call1 <= Call1Exit, 100 % <= Target.
//
//	100 %       Call2   Call2Exit  Call1   Call1Exit
//	--|-----------|---------|--------|---------|-----> equity / maintenance
//	   liquidating  call2     call1 or call2     ok

// Ladder are the thresholds of equity over maintenance (M-46, M-47), and the pace of a liquidation (M-48, M-49).
type Ladder struct {
	Call1     fixed.Rate // below it the first call comes
	Call1Exit fixed.Rate // at it the first call ends
	Call2     fixed.Rate
	Call2Exit fixed.Rate
	Target    fixed.Rate  // at it a liquidation ends
	Deadline  fixed.Nanos // after which the first call is the second; above 0
	Step      fixed.Nanos // between slices; at least ShortestPeriod
	Stall     int64       // steps in a row without a fill until takeover; above 0
}

// Fund bounds what the insurance fund does (M-52) and the price of deleveraging (M-53).
type Fund struct {
	EventCap  fixed.Money // paid for one pool; the highest Money: no bound
	DayCap    fixed.Money // paid in a day; the highest Money: no bound
	Min       fixed.Money // stays in the fund
	Inventory fixed.Money // notional that it may hold; the highest Money: no bound
	Range     fixed.Rate  // around the mark, in which it sells
	AdlBand   fixed.Rate  // around the mark, in which positions are closed against each other
}

// Sweep bounds the work of a command (M-58), and says how trip-wires are laid (M-56).
type Sweep struct {
	Limit   int64      // pools examined; 1 to MaxSweep
	Funding fixed.Rate // of a pool's distance to a threshold, left to funding
}

// MaxSweep is the highest Limit of a Sweep.
const MaxSweep = 1 << 16

func newLadder() Ladder {
	return Ladder{Call1: 150 * fixed.Percent, Call1Exit: 160 * fixed.Percent, Call2: 125 * fixed.Percent,
		Call2Exit: 135 * fixed.Percent, Target: 110 * fixed.Percent, Deadline: fixed.Hour, Step: fixed.Second, Stall: 3}
}

func newFund() Fund {
	return Fund{EventCap: fixed.MaxInt64, DayCap: fixed.MaxInt64, Inventory: fixed.MaxInt64, Range: 5 * fixed.Percent,
		AdlBand: fixed.One}
}

func newSweep() Sweep { return Sweep{Limit: 256, Funding: 25 * fixed.Percent} }

// set sets one parameter, if the ladder is one with it; known is false when it is none of a ladder's.
func (l *Ladder) set(s msg.Setting) (known, ok bool) {
	next, rate := *l, fixed.Rate(s.Value)
	switch s.Rule {
	case msg.LadderCall1:
		next.Call1 = rate
	case msg.LadderCall1Exit:
		next.Call1Exit = rate
	case msg.LadderCall2:
		next.Call2 = rate
	case msg.LadderCall2Exit:
		next.Call2Exit = rate
	case msg.LadderTarget:
		next.Target = rate
	case msg.LadderCall1Deadline:
		next.Deadline = fixed.Nanos(s.Value)
	case msg.LiqStep:
		next.Step = fixed.Nanos(s.Value)
	case msg.LiqStall:
		next.Stall = s.Value
	default:
		return false, false
	}
	if !next.stands() {
		return true, false
	}
	*l = next
	return true, true
}

// stands reports whether the invariant holds.
func (l *Ladder) stands() bool {
	return fixed.One <= l.Call2 && l.Call2 <= l.Call1 && l.Call2 <= l.Call2Exit && l.Call2Exit <= l.Call1Exit &&
		l.Call1 <= l.Call1Exit && l.Call1Exit <= MaxRate && fixed.One <= l.Target && l.Target <= MaxRate &&
		l.Deadline > 0 && l.Deadline <= LongestPeriod && l.Step >= ShortestPeriod && l.Step <= LongestPeriod && l.Stall > 0
}

// set sets one parameter, if its value is within its range; known is false when it is none of a fund's.
func (f *Fund) set(s msg.Setting) (known, ok bool) {
	rate, amount := fixed.Rate(s.Value), fixed.Money(s.Value)
	switch ok = true; s.Rule {
	case msg.FundEventCap:
		f.EventCap = amount
	case msg.FundDayCap:
		f.DayCap = amount
	case msg.FundMin:
		f.Min = amount
	case msg.FundInventory:
		f.Inventory = amount
	case msg.FundRange:
		ok = give(&f.Range, rate, rate < fixed.One)
	case msg.AdlBand:
		ok = give(&f.AdlBand, rate, rate <= fixed.One)
	default:
		return false, false
	}
	return true, ok
}

// set is the same of a sweep.
func (w *Sweep) set(s msg.Setting) (known, ok bool) {
	switch s.Rule {
	case msg.SweepLimit:
		return true, give(&w.Limit, s.Value, s.Value > 0 && s.Value <= MaxSweep)
	case msg.WireFunding:
		return true, give(&w.Funding, fixed.Rate(s.Value), fixed.Rate(s.Value) <= fixed.One)
	}
	return false, false
}

// setDistress sets a parameter of ladder, fund or sweep; its value is not below 0.
func (v *Venue) setDistress(s msg.Setting) msg.Reject {
	known, ok := v.Ladder.set(s)
	if !known {
		known, ok = v.Fund.set(s)
	}
	if !known {
		_, ok = v.Sweep.set(s)
	}
	if !ok {
		return msg.RejectInvalidParameter
	}
	return 0
}

func (l *Ladder) hash(d *fixed.Digest) {
	for _, v := range [...]int64{int64(l.Call1), int64(l.Call1Exit), int64(l.Call2), int64(l.Call2Exit), int64(l.Target),
		int64(l.Deadline), int64(l.Step), l.Stall} {
		d.Word(uint64(v))
	}
}

func (f *Fund) hash(d *fixed.Digest) {
	for _, v := range [...]int64{int64(f.EventCap), int64(f.DayCap), int64(f.Min), int64(f.Inventory), int64(f.Range),
		int64(f.AdlBand)} {
		d.Word(uint64(v))
	}
}

func (w *Sweep) hash(d *fixed.Digest) {
	d.Word(uint64(w.Limit))
	d.Word(uint64(w.Funding))
}
