package fixed

import "math/bits"

// Digest folds 64-bit words, in order, into one: the hash of a state. Two states with equal words have equal digests;
// unequal ones differ but by chance 2^-64. It is no defence against somebody who chooses the words. Zero is ready.
type Digest struct{ sum, count uint64 }

// Word folds w in. Words wait for each other, so what does not need the sum is put together first, and the high half, which comes
// last, is added last.
func (d *Digest) Word(w uint64) {
	d.count++
	hi, lo := bits.Mul64(d.sum^(w^0x9E3779B97F4A7C15), 0xD6E8FEB86659FD93+d.count<<1)
	d.sum = hi ^ (lo ^ bits.RotateLeft64(w, 29))
}

// Four mixes four words into one. It needs no sum, so a row of them takes hardly more time than their multiplications, where as many
// words folded in one by one wait for each other: for records that are folded in as a whole.
func Four(a, b, c, e uint64) uint64 {
	hi, lo := bits.Mul64(a^0x9E3779B97F4A7C15, b^0xA0761D6478BD642F)
	hj, lp := bits.Mul64(c^0xE7037ED1A0B428DB, e^0x8EBC6AF09C88C6E3)
	return hi ^ lo ^ bits.RotateLeft64(hj^lp, 21)
}

// Pair folds two 32-bit words in.
func (d *Digest) Pair(a, b uint32) { d.Word(uint64(a)<<32 | uint64(b)) }

// Sum is the digest of the words so far.
func (d *Digest) Sum() uint64 {
	hi, lo := bits.Mul64(d.sum^d.count, 0xC2B2AE3D27D4EB4F)
	return hi ^ lo ^ d.sum
}

// Parts are what a digest has come to; DigestOf makes it go on from there.
func (d *Digest) Parts() (sum, count uint64) { return d.sum, d.count }

// DigestOf is the digest with those Parts.
func DigestOf(sum, count uint64) Digest { return Digest{sum, count} }
