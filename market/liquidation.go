package market

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Liquidation says how positions in an instrument are sold: at what price (M-31), how much at a time (M-48), for what fee
// (M-50).
type Liquidation struct {
	Fraction  fixed.Rate  // of the position in one slice; above 0
	Full      fixed.Money // up to this notional a slice is the whole position
	Min       fixed.Lots  // of a slice; at least 1
	Cap       fixed.Money // notional of a slice; above 0
	BookShare fixed.Rate  // of the depth at the limit that a slice takes; above 0
	Fee       fixed.Rate  // of a slice's value, to the fund
	Spread    fixed.Rate  // of maintenance, by which the price leaves the mark at most
	Adjust    fixed.Rate  // how fast it leaves it; of the shortage in maintenance, up to MaxRate
}

// MaxRate bounds the rates that may be above 100 %: with it no product of a requirement leaves 128 bits.
const MaxRate = 10 * fixed.One

// Sellable reports whether phase and health let the ladder sell (M-33, M-70). A step in which it may sell nothing is no step in which
// nobody bought.
func (in *Instrument) Sellable() bool {
	return (in.Phase == msg.Continuous || in.Phase == msg.ReduceOnly) && Permits(in.Health, Liquidate)
}

// newLiquidation is what the margin rules say where nobody has said anything.
func newLiquidation() Liquidation {
	return Liquidation{Fraction: 25 * fixed.Percent, Full: 10_000 * fixed.Coin, Min: 1, Cap: 1_000_000 * fixed.Coin,
		BookShare: fixed.One, Fee: 50 * fixed.BasisPoint, Spread: 10 * fixed.Percent, Adjust: fixed.One}
}

// set sets one parameter; its value is not below 0.
func (l *Liquidation) set(s msg.Setting) msg.Reject {
	rate, amount, ok := fixed.Rate(s.Value), fixed.Money(s.Value), true
	part := rate > 0 && rate <= fixed.One
	switch s.Rule {
	case msg.LiqFraction:
		ok = give(&l.Fraction, rate, part)
	case msg.LiqFull:
		l.Full = amount
	case msg.LiqMin:
		ok = give(&l.Min, fixed.Lots(s.Value), s.Value > 0)
	case msg.LiqCap:
		ok = give(&l.Cap, amount, amount > 0)
	case msg.LiqBookShare:
		ok = give(&l.BookShare, rate, part)
	case msg.LiqFee:
		ok = give(&l.Fee, rate, rate < fixed.One)
	case msg.LiqSpread:
		ok = give(&l.Spread, rate, rate <= fixed.One)
	case msg.LiqAdjust:
		ok = give(&l.Adjust, rate, rate <= MaxRate)
	default:
		ok = false
	}
	if !ok {
		return msg.RejectInvalidParameter
	}
	return 0
}

// give writes v where it is good, and reports whether it was.
func give[T ~int64](to *T, v T, good bool) bool {
	if good {
		*to = v
	}
	return good
}

func (l *Liquidation) hash(d *fixed.Digest) {
	for _, v := range [...]int64{int64(l.Fraction), int64(l.Full), int64(l.Min), int64(l.Cap), int64(l.BookShare), int64(l.Fee),
		int64(l.Spread), int64(l.Adjust)} {
		d.Word(uint64(v))
	}
}
