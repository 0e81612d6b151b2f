// Package fixed is the arithmetic of the exchange: five integer units, products through 128 bits, and divisions whose
// rounding is in their name. Nothing in it can lose a unit silently: what does not fit is reported, never wrapped.
//
//	Ticks  price      whole ticks of an instrument
//	Lots   quantity   whole lots of an instrument; signed where it is a position
//	Money  1e-6       of the settlement currency
//	Rate   1e-9       one is 1_000_000_000
//	Nanos  1e-9 s     engine time since the Unix epoch
//
// A tick times a lot times the instrument's TickLot is a whole number of Money units, so a notional is exact.
package fixed

import "strconv"

type (
	// Ticks is a price in whole ticks of its instrument.
	Ticks int64
	// Lots is a quantity in whole lots of its instrument; a position is long above zero and short below.
	Lots int64
	// Money is an amount in millionths of the settlement currency.
	Money int64
	// Rate is a fraction in billionths: One is 100 %.
	Rate int64
	// Nanos is engine time, in nanoseconds since the Unix epoch, or a duration in nanoseconds.
	Nanos int64
)

const (
	// Coin is one unit of the settlement currency.
	Coin Money = 1_000_000

	// One is a rate of 100 %.
	One Rate = 1_000_000_000
	// Percent is a rate of 1 %.
	Percent = One / 100
	// BasisPoint is a rate of 0.01 %.
	BasisPoint = One / 10_000

	// Microsecond, Millisecond, Second, Hour and Day are durations.
	Microsecond Nanos = 1_000
	Millisecond       = 1_000 * Microsecond
	Second            = 1_000 * Millisecond
	Minute            = 60 * Second
	Hour              = 60 * Minute
	Day               = 24 * Hour

	// MaxInt64 and MinInt64 are the bounds of every unit.
	MaxInt64 = 1<<63 - 1
	MinInt64 = -1 << 63
)

// Middle is the mean of two amounts of one unit, rounded toward minus infinity.
func Middle[T ~int64](a, b T) T { return a>>1 + b>>1 + a&b&1 }

// Append writes m with its six decimals, as in -12.000345.
func (m Money) Append(dst []byte) []byte { return appendDecimal(dst, int64(m), 6) }

// String is Append as a string; it allocates and stands for tests and screens.
func (m Money) String() string { return string(m.Append(nil)) }

// Append writes r with its nine decimals, as in 0.000500000.
func (r Rate) Append(dst []byte) []byte { return appendDecimal(dst, int64(r), 9) }

// String is Append as a string; it allocates and stands for tests and screens.
func (r Rate) String() string { return string(r.Append(nil)) }

// appendDecimal writes v / 10^places at full scale.
func appendDecimal(dst []byte, v int64, places int) []byte {
	u := uint64(v)
	if v < 0 {
		dst = append(dst, '-')
		u = -u
	}
	unit := uint64(1)
	for range places {
		unit *= 10
	}
	dst = strconv.AppendUint(dst, u/unit, 10)
	dst = append(dst, '.')
	for rest := u % unit; unit > 1; {
		unit /= 10
		dst = append(dst, byte('0'+rest/unit))
		rest %= unit
	}
	return dst
}
