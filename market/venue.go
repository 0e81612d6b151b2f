package market

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Venue is what holds for all instruments.
type Venue struct {
	MessageRate    int64       // messages a second of an account; 0: no throttle
	MessageBurst   int64       // messages at once of an account
	ProfitHaircut  fixed.Rate  // of unrealized profit, which cannot be withdrawn (M-19)
	WithdrawMargin fixed.Rate  // of notional, which a withdrawal leaves behind (M-19)
	Entry          msg.Action  // of the kill switch; 0: open
	Storage        msg.Storage // room of the journal; above normal only risk that falls is let in

	OracleStale      fixed.Nanos // age from which a report is no longer fresh; 0: never (M-32)
	OracleOutlier    fixed.Rate  // of the median: how far a source may lie from it (M-32)
	OracleHalt       fixed.Nanos // how long an index is frozen until it is halted (M-33)
	OracleConfidence fixed.Rate  // below it the confidence of an index is low (M-66)
	MarkStep         fixed.Nanos // between recomputations of composite marks (M-34)

	Ladder Ladder
	Fund   Fund
	Sweep  Sweep
}

// NewVenue is the venue with the defaults of the margin rules.
func NewVenue() Venue {
	return Venue{MessageBurst: 1, ProfitHaircut: fixed.One, WithdrawMargin: 10 * fixed.Percent,
		OracleOutlier: 5 * fixed.Percent, OracleHalt: fixed.Minute, OracleConfidence: 50 * fixed.Percent, MarkStep: fixed.Second,
		Ladder: newLadder(), Fund: newFund(), Sweep: newSweep()}
}

// SetRule sets one parameter of the venue.
func (v *Venue) SetRule(s msg.Setting) msg.Reject {
	if s.Value < 0 {
		return msg.RejectInvalidParameter
	}
	switch s.Rule {
	case msg.MessageRate:
		if s.Value > int64(fixed.Second) {
			return msg.RejectInvalidParameter
		}
		v.MessageRate = s.Value
	case msg.MessageBurst:
		if s.Value == 0 || s.Value > 1_000_000 {
			return msg.RejectInvalidParameter
		}
		v.MessageBurst = s.Value
	case msg.ProfitHaircut:
		if fixed.Rate(s.Value) > fixed.One {
			return msg.RejectInvalidParameter
		}
		v.ProfitHaircut = fixed.Rate(s.Value)
	case msg.WithdrawMargin:
		if fixed.Rate(s.Value) > fixed.One {
			return msg.RejectInvalidParameter
		}
		v.WithdrawMargin = fixed.Rate(s.Value)
	case msg.OracleStale, msg.OracleOutlier, msg.OracleHalt, msg.OracleConfidence, msg.MarkStep:
		return v.setPrices(s)
	default:
		return v.setDistress(s)
	}
	return 0
}

// Hash folds the venue into d.
func (v *Venue) Hash(d *fixed.Digest) {
	d.Word(uint64(v.MessageRate))
	d.Word(uint64(v.MessageBurst))
	d.Word(uint64(v.ProfitHaircut))
	d.Word(uint64(v.WithdrawMargin))
	d.Pair(uint32(v.Storage), uint32(v.Entry))
	d.Word(uint64(v.OracleStale))
	d.Word(uint64(v.OracleOutlier))
	d.Word(uint64(v.OracleHalt))
	d.Word(uint64(v.OracleConfidence))
	d.Word(uint64(v.MarkStep))
	v.Ladder.hash(d)
	v.Fund.hash(d)
	v.Sweep.hash(d)
}

// Every period lies within these, so that work which comes again and again is bounded, and sums of times never wrap.
const (
	ShortestPeriod = fixed.Millisecond
	LongestPeriod  = 30 * fixed.Day
)

// setPrices sets one parameter of oracles and marks; its value is not below 0.
func (v *Venue) setPrices(s msg.Setting) msg.Reject {
	rate, span := fixed.Rate(s.Value), fixed.Nanos(s.Value)
	switch {
	case s.Rule == msg.OracleStale && span <= LongestPeriod:
		v.OracleStale = span
	case s.Rule == msg.OracleHalt && span <= LongestPeriod:
		v.OracleHalt = span
	case s.Rule == msg.MarkStep && span >= ShortestPeriod && span <= LongestPeriod:
		v.MarkStep = span
	case s.Rule == msg.OracleOutlier && rate <= fixed.One:
		v.OracleOutlier = rate
	case s.Rule == msg.OracleConfidence && rate <= fixed.One:
		v.OracleConfidence = rate
	default:
		return msg.RejectInvalidParameter
	}
	return 0
}
