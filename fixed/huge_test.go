package fixed_test

import (
	"math/big"
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"pgregory.net/rapid"
)

// wholeHuge is h without end.
func wholeHuge(h fixed.Huge) *big.Int {
	v := new(big.Int)
	for i := len(h) - 1; i >= 0; i-- {
		v.Lsh(v, 64).Or(v, new(big.Int).SetUint64(h[i]))
	}
	return v
}

// TestHugeAgainstBig compares every operation with integers without end, modulo 2^256.
func TestHugeAgainstBig(t *testing.T) {
	wrap := new(big.Int).Lsh(big.NewInt(1), 256)
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.OneOf(rapid.Uint64(), rapid.SampledFrom([]uint64{0, 1, 1<<63 - 1, 1 << 63, 1<<64 - 1}))
		huge := func(name string) (h fixed.Huge) {
			for i := range rapid.IntRange(0, 4).Draw(t, name+" words") {
				h[i] = word.Draw(t, name)
			}
			return h
		}
		h, g, f := huge("h"), huge("g"), word.Draw(t, "f")
		a, b, factor := wholeHuge(h), wholeHuge(g), new(big.Int).SetUint64(f)
		equal := func(what string, got fixed.Huge, want *big.Int) {
			if wholeHuge(got).Cmp(new(big.Int).Mod(want, wrap)) != 0 {
				t.Fatalf("%s: %v, want %v", what, wholeHuge(got), want)
			}
		}
		equal("Times", h.Times(f), new(big.Int).Mul(a, factor))
		equal("Add", h.Add(g), new(big.Int).Add(a, b))
		equal("Sub", h.Sub(g), new(big.Int).Sub(a, b))
		if h.Cmp(g) != a.Cmp(b) {
			t.Fatalf("Cmp: %d, want %d", h.Cmp(g), a.Cmp(b))
		}
		if f != 0 {
			quo, rem := h.Floor(f)
			wantQuo, wantRem := new(big.Int).QuoRem(a, factor, new(big.Int))
			equal("Floor", quo, wantQuo)
			if rem != wantRem.Uint64() {
				t.Fatalf("rest %d, want %v", rem, wantRem)
			}
		}
		if v, ok := h.Int64(); ok != a.IsInt64() || ok && v != a.Int64() {
			t.Fatalf("Int64: %d %v, want %v", v, ok, a)
		}
		if w := (fixed.Wide{Hi: int64(g[1] >> 1), Lo: g[0]}); wholeHuge(w.Huge()).Cmp(wholeHuge(fixed.Huge{g[0], g[1] >> 1})) != 0 {
			t.Fatalf("Wide.Huge of %v is %v", w, w.Huge())
		}
	})
}
