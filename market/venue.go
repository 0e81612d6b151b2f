package market

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Venue is what holds for all instruments.
type Venue struct {
	MessageRate    int64      // messages a second of an account; 0: no throttle
	MessageBurst   int64      // messages at once of an account
	ProfitHaircut  fixed.Rate // of unrealized profit, which cannot be withdrawn (M-19)
	WithdrawMargin fixed.Rate // of notional, which a withdrawal leaves behind (M-19)
	Entry          msg.Action // of the kill switch; 0: open

	OracleStale      fixed.Nanos // age from which a report is no longer fresh; 0: never (M-32)
	OracleOutlier    fixed.Rate  // of the median: how far a source may lie from it (M-32)
	OracleHalt       fixed.Nanos // how long an index is frozen until it is halted (M-33)
	OracleConfidence fixed.Rate  // below it the confidence of an index is low (M-66)
	MarkStep         fixed.Nanos // between recomputations of composite marks (M-34)
}

// NewVenue is the venue with the defaults of the margin rules.
func NewVenue() Venue {
	return Venue{MessageBurst: 1, ProfitHaircut: fixed.One, WithdrawMargin: 10 * fixed.Percent,
		OracleOutlier: 5 * fixed.Percent, OracleHalt: fixed.Minute, OracleConfidence: 50 * fixed.Percent, MarkStep: fixed.Second}
}

// Every period lies within these, so that work which comes again and again is bounded, and sums of times never wrap.
const (
	ShortestPeriod = fixed.Millisecond
	LongestPeriod  = 30 * fixed.Day
)

// SetRule sets one parameter of the venue.
func (v *Venue) SetRule(s msg.Setting) msg.Reject {
	least, most := int64(0), int64(fixed.One)
	switch s.Rule {
	case msg.MessageRate:
		most = int64(fixed.Second)
	case msg.MessageBurst:
		least, most = 1, 1_000_000
	case msg.OracleStale, msg.OracleHalt:
		most = int64(LongestPeriod)
	case msg.MarkStep:
		least, most = int64(ShortestPeriod), int64(LongestPeriod)
	}
	if s.Value < least || s.Value > most {
		return msg.RejectInvalidParameter
	}

	switch s.Rule {
	case msg.MessageRate:
		v.MessageRate = s.Value
	case msg.MessageBurst:
		v.MessageBurst = s.Value
	case msg.ProfitHaircut:
		v.ProfitHaircut = fixed.Rate(s.Value)
	case msg.WithdrawMargin:
		v.WithdrawMargin = fixed.Rate(s.Value)
	case msg.OracleStale:
		v.OracleStale = fixed.Nanos(s.Value)
	case msg.OracleOutlier:
		v.OracleOutlier = fixed.Rate(s.Value)
	case msg.OracleHalt:
		v.OracleHalt = fixed.Nanos(s.Value)
	case msg.OracleConfidence:
		v.OracleConfidence = fixed.Rate(s.Value)
	case msg.MarkStep:
		v.MarkStep = fixed.Nanos(s.Value)
	default:
		return msg.RejectInvalidParameter
	}
	return 0
}

// Hash folds the venue into d.
func (v *Venue) Hash(d *fixed.Digest) {
	d.Word(uint64(v.MessageRate))
	d.Word(uint64(v.MessageBurst))
	d.Word(uint64(v.ProfitHaircut))
	d.Word(uint64(v.WithdrawMargin))
	d.Word(uint64(v.Entry))
	d.Word(uint64(v.OracleStale))
	d.Word(uint64(v.OracleOutlier))
	d.Word(uint64(v.OracleHalt))
	d.Word(uint64(v.OracleConfidence))
	d.Word(uint64(v.MarkStep))
}
