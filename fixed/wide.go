package fixed

import "math/bits"

// Wide is a signed 128-bit integer in two's complement: the room in which products live until a division with a named
// rounding brings them back. Sums of Wide wrap only beyond 2^127, which no product of two bounded units reaches.
type Wide struct {
	Hi int64
	Lo uint64
}

// Widen is v as a Wide.
func Widen(v int64) Wide { return Wide{v >> 63, uint64(v)} }

// MulWide is a·b, exact.
func MulWide(a, b int64) Wide {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	hi -= uint64(a>>63)&uint64(b) + uint64(b>>63)&uint64(a)
	return Wide{int64(hi), lo}
}

// Add is w + v.
func (w Wide) Add(v Wide) Wide {
	lo, carry := bits.Add64(w.Lo, v.Lo, 0)
	hi, _ := bits.Add64(uint64(w.Hi), uint64(v.Hi), carry)
	return Wide{int64(hi), lo}
}

// Sub is w - v.
func (w Wide) Sub(v Wide) Wide {
	lo, borrow := bits.Sub64(w.Lo, v.Lo, 0)
	hi, _ := bits.Sub64(uint64(w.Hi), uint64(v.Hi), borrow)
	return Wide{int64(hi), lo}
}

// Neg is -w.
func (w Wide) Neg() Wide { return Wide{}.Sub(w) }

// Cmp is -1, 0 or +1 as w is below, equal to or above v.
func (w Wide) Cmp(v Wide) int {
	switch {
	case w.Hi < v.Hi || w.Hi == v.Hi && w.Lo < v.Lo:
		return -1
	case w == v:
		return 0
	}
	return 1
}

// Sign is -1, 0 or +1.
func (w Wide) Sign() int {
	switch {
	case w.Hi < 0:
		return -1
	case w.Hi == 0 && w.Lo == 0:
		return 0
	}
	return 1
}

// Int64 is w as an int64; ok is false when it does not fit. -2^63 counts as not fitting, here and in every division, so
// that every result can be negated.
func (w Wide) Int64() (v int64, ok bool) {
	return int64(w.Lo), w.Hi == int64(w.Lo)>>63 && w.Lo != 1<<63
}

// divide returns the quotient toward zero of |w| / |d|, the remainder, and whether the true quotient is negative.
// ok is false when d is zero or the quotient does not fit 63 bits.
func (w Wide) divide(d int64) (quo, rem uint64, neg, ok bool) {
	neg = (w.Hi < 0) != (d < 0)
	if w.Hi < 0 {
		w = w.Neg()
	}
	u := uint64(d)
	if d < 0 {
		u = -u
	}
	if uint64(w.Hi) >= u { // d is zero, or the quotient needs more than 64 bits
		return 0, 0, neg, false
	}
	quo, rem = bits.Div64(uint64(w.Hi), w.Lo, u)
	return quo, rem, neg, quo <= MaxInt64
}

// signed turns a magnitude back.
func signed(quo uint64, neg bool) int64 {
	if neg {
		return -int64(quo)
	}
	return int64(quo)
}

// DivFloor is w / d rounded toward minus infinity. ok is false when d is zero or the result does not fit.
func (w Wide) DivFloor(d int64) (v int64, ok bool) {
	quo, rem, neg, ok := w.divide(d)
	if neg && rem != 0 {
		quo++
	}
	return signed(quo, neg), ok && quo <= MaxInt64
}

// DivCeil is w / d rounded toward plus infinity. ok is false when d is zero or the result does not fit.
func (w Wide) DivCeil(d int64) (v int64, ok bool) {
	quo, rem, neg, ok := w.divide(d)
	if !neg && rem != 0 {
		quo++
	}
	return signed(quo, neg), ok && quo <= MaxInt64
}

// DivTowardZero is w / d with the fraction dropped. ok is false when d is zero or the result does not fit.
func (w Wide) DivTowardZero(d int64) (v int64, ok bool) {
	quo, _, neg, ok := w.divide(d)
	return signed(quo, neg), ok
}

// DivHalfEven is w / d rounded to the nearest integer, ties to the even one. ok is false when d is zero or the result
// does not fit.
func (w Wide) DivHalfEven(d int64) (v int64, ok bool) {
	quo, rem, neg, ok := w.divide(d)
	u := uint64(d)
	if d < 0 {
		u = -u
	}
	if other := u - rem; rem > other || rem == other && quo&1 == 1 {
		quo++
	}
	return signed(quo, neg), ok && quo <= MaxInt64
}
