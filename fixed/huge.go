package fixed

import "math/bits"

// Huge is an unsigned 256-bit integer, lowest word first: the room for the few exact comparisons and divisions whose
// products outgrow a Wide. Results wrap only beyond 2^256, which no product of four words reaches.
type Huge [4]uint64

// Huge is w, which is not below zero.
func (w Wide) Huge() Huge { return Huge{w.Lo, uint64(w.Hi)} }

// Times is h · f.
func (h Huge) Times(f uint64) (p Huge) {
	carry := uint64(0)
	for i, word := range h {
		hi, lo := bits.Mul64(word, f)
		lo, over := bits.Add64(lo, carry, 0)
		p[i], carry = lo, hi+over
	}
	return p
}

// Add is h + g.
func (h Huge) Add(g Huge) (sum Huge) {
	carry := uint64(0)
	for i := range h {
		sum[i], carry = bits.Add64(h[i], g[i], carry)
	}
	return sum
}

// Sub is h - g, which is not below zero.
func (h Huge) Sub(g Huge) (rest Huge) {
	borrow := uint64(0)
	for i := range h {
		rest[i], borrow = bits.Sub64(h[i], g[i], borrow)
	}
	return rest
}

// Floor is h / d rounded down, and what is left; d is above 0.
func (h Huge) Floor(d uint64) (quo Huge, rem uint64) {
	for i := len(h) - 1; i >= 0; i-- {
		quo[i], rem = bits.Div64(rem, h[i], d)
	}
	return quo, rem
}

// Cmp is -1, 0 or +1 as h is below, equal to or above g.
func (h Huge) Cmp(g Huge) int {
	for i := len(h) - 1; i >= 0; i-- {
		switch {
		case h[i] < g[i]:
			return -1
		case h[i] > g[i]:
			return 1
		}
	}
	return 0
}

// Int64 is h as an int64; ok is false when it does not fit.
func (h Huge) Int64() (v int64, ok bool) { return int64(h[0]), h[0] <= MaxInt64 && h[1]|h[2]|h[3] == 0 }
