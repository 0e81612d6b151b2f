package fixed

import "math/bits"

// MulDivFloor is a·b/d rounded toward minus infinity, through 128 bits. ok is false when d is zero or the result does
// not fit.
func MulDivFloor(a, b, d int64) (v int64, ok bool) { return MulWide(a, b).DivFloor(d) }

// MulDivCeil is a·b/d rounded toward plus infinity, through 128 bits. ok is false when d is zero or the result does not
// fit.
func MulDivCeil(a, b, d int64) (v int64, ok bool) { return MulWide(a, b).DivCeil(d) }

// MulDivTowardZero is a·b/d with the fraction dropped, through 128 bits. ok is false when d is zero or the result does
// not fit.
func MulDivTowardZero(a, b, d int64) (v int64, ok bool) { return MulWide(a, b).DivTowardZero(d) }

// MulDivHalfEven is a·b/d rounded to the nearest integer, ties to the even one, through 128 bits. ok is false when d is
// zero or the result does not fit.
func MulDivHalfEven(a, b, d int64) (v int64, ok bool) { return MulWide(a, b).DivHalfEven(d) }

// Mul is a·b; ok is false when it does not fit.
func Mul(a, b int64) (v int64, ok bool) { return MulWide(a, b).Int64() }

// MulShort is a·b where neither is below zero; it is small enough to be inlined. ok is false too when one is.
func MulShort(a, b int64) (v int64, ok bool) {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	return int64(lo), hi|lo>>63 == 0
}

// Abs is |v|; the caller knows that v is above -2^63.
func Abs[T ~int64](v T) T {
	sign := v >> 63
	return (v ^ sign) - sign
}

// Notional is lots · price · tickLot in Money, exact and signed like lots · price; tickLot is at least 1. ok is false when
// it does not fit.
func Notional(lots Lots, price Ticks, tickLot Money) (n Money, ok bool) {
	value, ok := Mul(int64(lots), int64(price))
	if !ok {
		return 0, false
	}
	v, ok := Mul(value, int64(tickLot))
	return Money(v), ok
}

// NotionalShort is Notional where no factor is below zero; it is small enough to be inlined. ok is false too when one is.
func NotionalShort(lots Lots, price Ticks, tickLot Money) (n Money, ok bool) {
	over, value := bits.Mul64(uint64(lots), uint64(price))
	more, v := bits.Mul64(value, uint64(tickLot))
	return Money(v), over|more|v>>63 == 0
}

// Ceil is amount · r in Money, rounded up. ok is false when it does not fit.
func (r Rate) Ceil(amount Money) (m Money, ok bool) {
	if m, ok = r.CeilShort(amount); ok {
		return m, true
	}
	v, ok := MulDivCeil(int64(amount), int64(r), int64(One))
	return Money(v), ok
}

// CeilShort is Ceil where amount · r fits one word; it is small enough to be inlined. Where ok is false Ceil may still know.
func (r Rate) CeilShort(amount Money) (m Money, ok bool) {
	// A factor below zero is 2^63 or more as a word, so it passes only times zero.
	hi, lo := bits.Mul64(uint64(amount), uint64(r))
	return Money((lo + uint64(One-1)) / uint64(One)), hi|lo>>63 == 0
}

// Floor is amount · r in Money, rounded down. ok is false when it does not fit.
func (r Rate) Floor(amount Money) (m Money, ok bool) {
	if hi, lo := bits.Mul64(uint64(amount), uint64(r)); hi|lo>>63 == 0 {
		return Money(lo / uint64(One)), true
	}
	v, ok := MulDivFloor(int64(amount), int64(r), int64(One))
	return Money(v), ok
}

// CeilOne is n · perLot / 1e9 rounded up, of perLot in billionths of Money; it is small enough to be inlined. ok is false
// when the product does not fit one word or n is below zero.
func CeilOne(n Lots, perLot uint64) (m Money, ok bool) {
	hi, lo := bits.Mul64(uint64(n), perLot)
	return Money((lo + uint64(One-1)) / uint64(One)), hi|lo>>63 == 0
}

// PartCeil is v · part / whole rounded up, for 0 <= part <= whole; it is small enough to be inlined and has no branch on a sign.
// A whole of 0 counts as 1. ok is false when the product does not fit one word, and then MulDivCeil knows.
func PartCeil(v Money, part, whole Lots) (m Money, ok bool) {
	sign := v >> 63
	hi, lo := bits.Mul64(uint64((v^sign)-sign), uint64(part))
	below := uint64(max(whole, 1) - 1)
	return (Money((lo+below&^uint64(sign))/(below+1)) ^ sign) - sign, hi|lo>>63 == 0
}

// ScaleFloor is price · (1 + r) in ticks, rounded down; r may be negative. ok is false when it does not fit.
func (r Rate) ScaleFloor(price Ticks) (p Ticks, ok bool) {
	v, ok := r.scale(price).DivFloor(int64(One))
	return Ticks(v), ok
}

// ScaleCeil is price · (1 + r) in ticks, rounded up; r may be negative. ok is false when it does not fit.
func (r Rate) ScaleCeil(price Ticks) (p Ticks, ok bool) {
	v, ok := r.scale(price).DivCeil(int64(One))
	return Ticks(v), ok
}

// scale is price · (One + r), exact for every r: the sum is made in 128 bits.
func (r Rate) scale(price Ticks) Wide {
	return MulWide(int64(price), int64(One)).Add(MulWide(int64(price), int64(r)))
}

// MultipleOf reports whether v is a whole number of steps; step is above 0.
func MultipleOf[T ~int64](v, step T) bool { return v%step == 0 }

// RoundDown is v brought down to a whole number of steps; v is not below zero, step is above 0.
func RoundDown[T ~int64](v, step T) T { return v - v%step }
