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

// Mul is w·k; the caller knows that it lies within 2^127.
func (w Wide) Mul(k int64) Wide {
	hi, lo := bits.Mul64(w.Lo, uint64(k))
	hi += uint64(w.Hi)*uint64(k) - uint64(k>>63)&w.Lo
	return Wide{int64(hi), lo}
}

// ShiftRight is w / 2^n rounded toward minus infinity; n is below 64.
func (w Wide) ShiftRight(n uint) Wide { return Wide{w.Hi >> n, w.Lo>>n | uint64(w.Hi)<<(64-n)} }

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

// DivWideFloor is w / d rounded toward minus infinity, of two Wides. ok is false when d is zero or the result does not fit.
func (w Wide) DivWideFloor(d Wide) (v int64, ok bool) {
	neg := (w.Hi < 0) != (d.Hi < 0)
	if w.Hi < 0 {
		w = w.Neg()
	}
	if d.Hi < 0 {
		d = d.Neg()
	}
	if d.Hi == 0 && uint64(w.Hi) >= d.Lo { // d is zero, or the quotient needs more than 64 bits
		return 0, false
	}
	quo, rem := divMagnitudes(uint64(w.Hi), w.Lo, uint64(d.Hi), d.Lo)
	ok = quo <= MaxInt64
	if neg && rem {
		quo++
	}
	return signed(quo, neg), ok && quo <= MaxInt64
}

// divMagnitudes is the quotient of two unsigned 128-bit numbers, where it fits 64 bits, and whether there is a remainder.
func divMagnitudes(hi, lo, dhi, dlo uint64) (quo uint64, rem bool) {
	if dhi == 0 {
		quo, left := bits.Div64(hi, lo, dlo)
		return quo, left != 0
	}
	// The leading 64 bits of the divisor, rounded down, give a quotient that is at most one too high; one less is at most one
	// too low.
	shift := uint(bits.LeadingZeros64(dhi))
	quo, _ = bits.Div64(hi>>1, hi<<63|lo>>1, dhi<<shift|dlo>>1>>(63-shift))
	if quo >>= 63 - shift; quo > 0 {
		quo--
	}
	over, below := bits.Mul64(quo, dlo)
	lo, borrow := bits.Sub64(lo, below, 0)
	hi, _ = bits.Sub64(hi, over+quo*dhi, borrow)
	if hi > dhi || hi == dhi && lo >= dlo {
		quo++
		lo, borrow = bits.Sub64(lo, dlo, 0)
		hi, _ = bits.Sub64(hi, dhi, borrow)
	}
	return quo, hi|lo != 0
}
