package fixed_test

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/lockstep-exchange/lockstep/fixed"
)

// A failer is what a test, a property and a fuzz target have in common.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// same fails unless got is want where want fits, and ok says whether it does. A nil want is a division by zero.
func same(t failer, what string, got int64, ok bool, want *big.Int) {
	t.Helper()
	switch {
	case want == nil || !fits(want):
		if ok {
			t.Fatalf("%s = %d, ok; want not ok: the exact result is %v", what, got, want)
		}
	case !ok || got != want.Int64():
		t.Fatalf("%s = %d, %v; want %v", what, got, ok, want)
	}
}

// roundings pairs each division with its definition. // S-11
var roundings = []struct {
	name   string
	muldiv func(a, b, d int64) (int64, bool)
	div    func(w fixed.Wide, d int64) (int64, bool)
	exact  func(*big.Rat) *big.Int
}{
	{"Floor", fixed.MulDivFloor, fixed.Wide.DivFloor, floor},
	{"Ceil", fixed.MulDivCeil, fixed.Wide.DivCeil, ceil},
	{"TowardZero", fixed.MulDivTowardZero, fixed.Wide.DivTowardZero, towardZero},
	{"HalfEven", fixed.MulDivHalfEven, fixed.Wide.DivHalfEven, halfEven},
}

// sameMulDiv holds every rounding of a·b/d against its definition.
func sameMulDiv(t failer, a, b, d int64) {
	t.Helper()
	for _, r := range roundings {
		var want *big.Int
		if d != 0 {
			want = r.exact(exact(product(a, b), integer(d)))
		}
		got, ok := r.muldiv(a, b, d)
		same(t, "MulDiv"+r.name, got, ok, want)
	}
}

// sameDiv holds every rounding of w/d against its definition.
func sameDiv(t failer, w fixed.Wide, d int64) {
	t.Helper()
	for _, r := range roundings {
		var want *big.Int
		if d != 0 {
			want = r.exact(exact(bigWide(w), integer(d)))
		}
		got, ok := r.div(w, d)
		same(t, "Div"+r.name, got, ok, want)
	}
}

// sameMul holds Mul and Abs against their definitions.
func sameMul(t failer, a, b int64) {
	t.Helper()
	got, ok := fixed.Mul(a, b)
	same(t, "Mul", got, ok, product(a, b))
	if a != fixed.MinInt64 {
		same(t, "Abs", fixed.Abs(a), true, new(big.Int).Abs(integer(a)))
	}
}

// sameNotional holds Notional against its definition; the value of a tick is at least one unit.
func sameNotional(t failer, lots, price, tickLot int64) {
	t.Helper()
	if tickLot < 1 {
		return
	}
	got, ok := fixed.Notional(fixed.Lots(lots), fixed.Ticks(price), fixed.Money(tickLot))
	same(t, "Notional", int64(got), ok, product(lots, price, tickLot))
}

// sameRate holds the four functions of Rate against their definitions.
func sameRate(t failer, amount, rate int64) {
	t.Helper()
	one := integer(int64(fixed.One))
	part := exact(product(amount, rate), one)
	scaled := exact(new(big.Int).Mul(integer(amount), new(big.Int).Add(one, integer(rate))), one)
	r := fixed.Rate(rate)

	m, ok := r.Ceil(fixed.Money(amount))
	same(t, "Rate.Ceil", int64(m), ok, ceil(part))
	m, ok = r.Floor(fixed.Money(amount))
	same(t, "Rate.Floor", int64(m), ok, floor(part))
	p, ok := r.ScaleCeil(fixed.Ticks(amount))
	same(t, "Rate.ScaleCeil", int64(p), ok, ceil(scaled))
	p, ok = r.ScaleFloor(fixed.Ticks(amount))
	same(t, "Rate.ScaleFloor", int64(p), ok, floor(scaled))
}

func TestRoundingsByHand(t *testing.T) {
	for _, c := range []struct{ num, den, floor, ceil, towardZero, halfEven int64 }{
		{7, 2, 3, 4, 3, 4}, {5, 2, 2, 3, 2, 2}, {-5, 2, -3, -2, -2, -2}, {-7, 2, -4, -3, -3, -4},
		{7, -2, -4, -3, -3, -4}, {-7, -2, 3, 4, 3, 4}, {1, 3, 0, 1, 0, 0}, {-1, 3, -1, 0, 0, 0},
		{2, 3, 0, 1, 0, 1}, {-2, 3, -1, 0, 0, -1}, {1, 2, 0, 1, 0, 0}, {-1, 2, -1, 0, 0, 0},
		{6, 3, 2, 2, 2, 2}, {-6, 3, -2, -2, -2, -2}, {0, -5, 0, 0, 0, 0}, {3, 2, 1, 2, 1, 2},
	} {
		want := []int64{c.floor, c.ceil, c.towardZero, c.halfEven}
		for i, r := range roundings {
			if got, ok := r.muldiv(c.num, 1, c.den); !ok || got != want[i] {
				t.Errorf("%s(%d/%d) = %d, %v; want %d", r.name, c.num, c.den, got, ok, want[i])
			}
		}
	}
}

// The edges in all combinations: signs, carries, the ends of the range, division by zero.
func TestArithmeticAtTheEdges(t *testing.T) {
	for _, a := range edges {
		for _, b := range edges {
			sameMul(t, a, b)
			sameRate(t, a, b)
			sameDiv(t, fixed.Wide{Hi: a, Lo: uint64(b)}, 1_000_000_000)
			for _, d := range edges {
				sameMulDiv(t, a, b, d)
				sameNotional(t, a, b, d)
			}
		}
	}
}

// Every function's range ends before -2^63, so that each result can be negated.
func TestSmallestInt64DoesNotFit(t *testing.T) {
	const half = -1 << 62
	if v, ok := fixed.Mul(half, 2); ok {
		t.Errorf("Mul(-2^62, 2) = %d, ok", v)
	}
	if v, ok := fixed.Widen(fixed.MinInt64).Int64(); ok {
		t.Errorf("Int64 of -2^63 = %d, ok", v)
	}
	if v, ok := fixed.Notional(half, 2, 1); ok {
		t.Errorf("Notional(-2^62, 2, 1) = %d, ok", v)
	}
	if v, ok := fixed.One.Ceil(fixed.MinInt64); ok {
		t.Errorf("One.Ceil(-2^63) = %d, ok", v)
	}
	for _, r := range roundings {
		if v, ok := r.muldiv(half, 2, 1); ok {
			t.Errorf("MulDiv%s(-2^62, 2, 1) = %d, ok", r.name, v)
		}
		if v, ok := r.muldiv(half, -2, 1); ok {
			t.Errorf("MulDiv%s(-2^62, -2, 1) = %d, ok", r.name, v)
		}
	}
}

func TestArithmeticIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, d := anyInt64().Draw(t, "a"), anyInt64().Draw(t, "b"), anyInt64().Draw(t, "d")
		sameMul(t, a, b)
		sameMulDiv(t, a, b, d)
		sameNotional(t, a, b, d)
		sameRate(t, a, b)
	})
}

// Amounts and rates as they occur: the path without 128 bits.
func TestRateOfOrdinaryAmounts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		amount := rapid.Int64Range(-1e15, 1e15).Draw(t, "amount")
		rate := rapid.Int64Range(-2e9, 2e9).Draw(t, "rate")
		sameRate(t, amount, rate)
	})
}

// The payer bears the rounding: what is charged is never less than what is credited, by at most one unit.
func TestCeilAndFloorDifferByAtMostOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		amount := fixed.Money(rapid.Int64Range(0, 1e18).Draw(t, "amount"))
		rate := fixed.Rate(rapid.Int64Range(0, 1e9).Draw(t, "rate"))
		up, ok := rate.Ceil(amount)
		down, okDown := rate.Floor(amount)
		if !ok || !okDown || up < down || up > down+1 || up > amount {
			t.Fatalf("%v of %v: ceil %v, floor %v", rate, amount, up, down)
		}
	})
}

// MultipleOf is what is left over by the definition, zero and negative values included.
func TestMultipleOf(t *testing.T) {
	for _, c := range []struct {
		v, step int64
		want    bool
	}{{0, 5, true}, {10, 5, true}, {-10, 5, true}, {11, 5, false}, {-11, 5, false}, {4, 5, false}, {7, 1, true}} {
		if got := fixed.MultipleOf(fixed.Ticks(c.v), fixed.Ticks(c.step)); got != c.want {
			t.Errorf("MultipleOf(%d, %d) = %v", c.v, c.step, got)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		v, step := anyInt64().Draw(t, "v"), max(anyInt64().Draw(t, "step"), 1)
		if rapid.Bool().Draw(t, "multiple") {
			v -= v % step
		}
		if got, want := fixed.MultipleOf(v, step), exact(integer(v), integer(step)).IsInt(); got != want {
			t.Fatalf("MultipleOf(%d, %d) = %v, want %v", v, step, got, want)
		}
	})
}

func FuzzMulDiv(f *testing.F) {
	for i, a := range edges {
		f.Add(a, edges[(i*7+3)%len(edges)], edges[(i*5+1)%len(edges)])
	}
	f.Fuzz(func(t *testing.T, a, b, d int64) {
		sameMul(t, a, b)
		sameMulDiv(t, a, b, d)
		sameNotional(t, a, b, d)
	})
}

func FuzzRate(f *testing.F) {
	for i, a := range edges {
		f.Add(a, edges[(i*7+3)%len(edges)])
	}
	f.Fuzz(func(t *testing.T, amount, rate int64) { sameRate(t, amount, rate) })
}

// TestPartCeil holds the part of an amount against the long division, both ways to say "it does not fit" included.
func TestPartCeil(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := fixed.Money(rapid.OneOf(rapid.Int64Range(-1e12, 1e12), rapid.Int64()).Draw(t, "v"))
		whole := fixed.Lots(rapid.OneOf(rapid.Int64Range(0, 1e6), rapid.Int64Range(0, fixed.MaxInt64)).Draw(t, "whole"))
		part := fixed.Lots(rapid.Int64Range(0, int64(whole)).Draw(t, "part"))
		m, ok := fixed.PartCeil(v, part, whole)
		magnitude := new(big.Int).Abs(product(int64(v), int64(part)))
		if ok != magnitude.IsInt64() {
			t.Fatalf("PartCeil(%d, %d, %d) says %v; |v·part| is %v", v, part, whole, ok, magnitude)
		}
		if want, _ := fixed.MulDivCeil(int64(v), int64(part), int64(max(whole, 1))); ok && int64(m) != want {
			t.Fatalf("PartCeil(%d, %d, %d) = %d; want %d", v, part, whole, m, want)
		}
	})
}
