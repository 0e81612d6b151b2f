package fixed_test

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/lockstep-exchange/lockstep/fixed"
)

// sameWide holds the sums and comparisons of Wide against their definitions, modulo 2^128.
func sameWide(t failer, w, v fixed.Wide) {
	t.Helper()
	a, b := bigWide(w), bigWide(v)
	if got, want := w.Add(v), wrapped(new(big.Int).Add(a, b)); got != want {
		t.Fatalf("%v + %v = %v, want %v", w, v, got, want)
	}
	if got, want := w.Sub(v), wrapped(new(big.Int).Sub(a, b)); got != want {
		t.Fatalf("%v - %v = %v, want %v", w, v, got, want)
	}
	if got, want := w.Neg(), wrapped(new(big.Int).Neg(a)); got != want {
		t.Fatalf("-%v = %v, want %v", w, got, want)
	}
	if got, want := w.Cmp(v), a.Cmp(b); got != want {
		t.Fatalf("%v Cmp %v = %d, want %d", w, v, got, want)
	}
	if got, want := w.Sign(), a.Sign(); got != want {
		t.Fatalf("%v Sign = %d, want %d", w, got, want)
	}
	got, ok := w.Int64()
	same(t, "Int64", got, ok, a)
	got, ok = w.DivWideFloor(v)
	var want *big.Int
	if b.Sign() != 0 {
		want = floor(exact(a, b))
	}
	same(t, "DivWideFloor", got, ok, want)
	if got, want := w.Mul(int64(v.Lo)), wrapped(new(big.Int).Mul(a, integer(int64(v.Lo)))); got != want {
		t.Fatalf("%v · %d = %v, want %v", w, int64(v.Lo), got, want)
	}
	for _, n := range []uint{0, 1, 32, 63} {
		if got, want := w.ShiftRight(n), wrapped(floor(exact(a, new(big.Int).Lsh(integer(1), n)))); got != want {
			t.Fatalf("%v >> %d = %v, want %v", w, n, got, want)
		}
	}
}

// sameProduct holds Widen and MulWide against their definitions.
func sameProduct(t failer, a, b int64) {
	t.Helper()
	if got := fixed.Widen(a); got != wrapped(integer(a)) {
		t.Fatalf("Widen(%d) = %v", a, got)
	}
	if got, want := fixed.MulWide(a, b), wrapped(product(a, b)); got != want {
		t.Fatalf("MulWide(%d, %d) = %v, want %v", a, b, got, want)
	}
}

func TestWideAtTheEdges(t *testing.T) {
	for _, a := range edges {
		for _, b := range edges {
			sameProduct(t, a, b)
			w := fixed.Wide{Hi: a, Lo: uint64(b)}
			sameWide(t, w, w)
			sameWide(t, w, w.Neg())
			for _, c := range edges {
				sameWide(t, w, fixed.Wide{Hi: c, Lo: uint64(a)})
				sameWide(t, w, fixed.Widen(c))
				sameDiv(t, w, c)
			}
		}
	}
}

func TestWideIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, v, d := anyWide().Draw(t, "w"), anyWide().Draw(t, "v"), anyInt64().Draw(t, "d")
		sameWide(t, w, v)
		sameDiv(t, w, d)
		sameProduct(t, w.Hi, v.Hi)
	})
}

// A quotient next to a whole number, a half and the end of the range: num = quo·d + rem with chosen parts.
func TestDivisionNextToItsTurns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		quo, d := anyInt64().Draw(t, "quo"), anyInt64().Draw(t, "d")
		half := fixed.MulWide(quo, d).Add(fixed.Widen(d / 2))
		off := fixed.Widen(rapid.Int64Range(-2, 2).Draw(t, "off"))
		sameDiv(t, fixed.MulWide(quo, d).Add(off), d)
		sameDiv(t, half.Add(off), d)
		wide := fixed.MulWide(d, rapid.Int64Range(-1<<32, 1<<32).Draw(t, "wide"))
		sameWide(t, wide.Mul(quo>>33).Add(off), wide)
	})
}

func FuzzWide(f *testing.F) {
	for i, a := range edges {
		b, c, d := edges[(i*7+3)%len(edges)], edges[(i*5+1)%len(edges)], edges[(i*11+2)%len(edges)]
		f.Add(a, uint64(b), c, uint64(d), b)
	}
	f.Fuzz(func(t *testing.T, hi int64, lo uint64, hi2 int64, lo2 uint64, d int64) {
		w, v := fixed.Wide{Hi: hi, Lo: lo}, fixed.Wide{Hi: hi2, Lo: lo2}
		sameWide(t, w, v)
		sameDiv(t, w, d)
		sameProduct(t, hi, d)
	})
}
