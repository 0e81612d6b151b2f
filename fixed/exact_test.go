package fixed_test

import (
	"math/big"

	"pgregory.net/rapid"

	"github.com/lockstep-exchange/lockstep/fixed"
)

// The naive twin of the package: every result is the exact rational number, rounded once, by the book. It knows
// nothing of words, carries or bounds but for fits.

// exact is num/den.
func exact(num, den *big.Int) *big.Rat { return new(big.Rat).SetFrac(num, den) }

func integer(v int64) *big.Int { return big.NewInt(v) }

func product(factors ...int64) *big.Int {
	p := integer(1)
	for _, f := range factors {
		p.Mul(p, integer(f))
	}
	return p
}

// floor is the greatest integer that is not above r. A big.Rat keeps its denominator above zero, and Div of an Int is
// Euclidean: with such a divisor it is the floor.
func floor(r *big.Rat) *big.Int { return new(big.Int).Div(r.Num(), r.Denom()) }

func ceil(r *big.Rat) *big.Int {
	neg := floor(new(big.Rat).Neg(r))
	return neg.Neg(neg)
}

func towardZero(r *big.Rat) *big.Int {
	if r.Sign() < 0 {
		return ceil(r)
	}
	return floor(r)
}

func halfEven(r *big.Rat) *big.Int {
	low, high := floor(r), ceil(r)
	below := new(big.Rat).Sub(r, new(big.Rat).SetInt(low))
	above := new(big.Rat).Sub(new(big.Rat).SetInt(high), r)
	switch below.Cmp(above) {
	case -1:
		return low
	case 1:
		return high
	}
	if low.Bit(0) == 0 {
		return low
	}
	return high
}

// fits is the range of every result: it can be negated, so -2^63 is outside.
func fits(v *big.Int) bool { return v.IsInt64() && v.Int64() != fixed.MinInt64 }

// bigWide is w as a big.Int.
func bigWide(w fixed.Wide) *big.Int {
	v := new(big.Int).Lsh(integer(w.Hi), 64)
	return v.Add(v, new(big.Int).SetUint64(w.Lo))
}

// wrapped is v as a Wide, modulo 2^128.
func wrapped(v *big.Int) fixed.Wide {
	low := new(big.Int).And(v, new(big.Int).SetUint64(1<<64-1)) // And takes a negative Int as two's complement
	high := new(big.Int).Rsh(v, 64)
	high.And(high, new(big.Int).SetUint64(1<<64-1))
	return fixed.Wide{Hi: int64(high.Uint64()), Lo: low.Uint64()}
}

// edges are the values at which carries, signs, fast paths and ranges turn.
var edges = []int64{0, 1, -1, 2, -2, 3, -3, 7, 10, 500_000_000, 999_999_999, 1_000_000_000, -1_000_000_000, 1_000_000_001,
	1<<31 - 1, 1 << 31, -1 << 31, 1<<32 - 1, 1 << 32, 1<<32 + 1, -1 << 32, 3_037_000_499, 3_037_000_500, -3_037_000_500,
	1 << 62, -1 << 62, 1<<62 - 1, fixed.MaxInt64 - 1_000_000_000, fixed.MaxInt64 - 1, fixed.MaxInt64, fixed.MinInt64,
	fixed.MinInt64 + 1, fixed.MinInt64 + 1_000_000_000}

// anyInt64 draws an edge, a number next to a power of two, a small one or any.
func anyInt64() *rapid.Generator[int64] {
	return rapid.OneOf(rapid.SampledFrom(edges), rapid.Int64Range(-20, 20), rapid.Int64(),
		rapid.Custom(func(t *rapid.T) int64 {
			power := int64(1) << rapid.IntRange(0, 63).Draw(t, "bit")
			return power + rapid.Int64Range(-2, 2).Draw(t, "off")
		}))
}

func anyWide() *rapid.Generator[fixed.Wide] {
	return rapid.Custom(func(t *rapid.T) fixed.Wide {
		return fixed.Wide{Hi: anyInt64().Draw(t, "hi"), Lo: uint64(anyInt64().Draw(t, "lo"))}
	})
}
