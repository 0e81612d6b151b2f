package fixed

import "math/bits"

// Digest folds 64-bit words, in order, into one: the hash of a state. Two states with equal words have equal digests;
// unequal ones differ but by chance 2^-64. It is no defence against somebody who chooses the words. Zero is ready.
type Digest struct{ sum, count uint64 }

// Word folds w in.
func (d *Digest) Word(w uint64) {
	d.count++
	hi, lo := bits.Mul64(d.sum^w^0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93+d.count<<1)
	d.sum = hi ^ lo ^ bits.RotateLeft64(w, 29)
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
