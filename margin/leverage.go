package margin

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// hundredths are the parts of a leverage: 100 is onefold.
const hundredths = 100

// LeverageRate is the initial rate that leverage x in the instrument asks for: Ceil(1 / x), or 0 where none is chosen
// (M-09). ok is false, for RejectLeverageOutOfRange, when x is below onefold or higher than the first bracket allows; the
// rate is that of x all the same.
func LeverageRate(in *market.Instrument, x msg.Leverage) (r fixed.Rate, ok bool) {
	if x == 0 {
		return 0, true
	}
	v, _ := fixed.MulDivCeil(int64(fixed.One), hundredths, int64(x))
	r = fixed.Rate(v)
	return r, x >= hundredths && r >= in.Table[0].Initial
}
