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
}

// NewVenue is the venue with the defaults of the margin rules.
func NewVenue() Venue {
	return Venue{MessageBurst: 1, ProfitHaircut: fixed.One, WithdrawMargin: 10 * fixed.Percent}
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
}
