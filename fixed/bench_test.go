package fixed_test

import (
	"slices"
	"testing"
	"time"

	"github.com/lockstep-exchange/lockstep/fixed"
)

// uncheckedCeil is the baseline: the same product and rounding with nothing looked at.
//
//go:noinline
func uncheckedCeil(r fixed.Rate, amount fixed.Money) fixed.Money {
	return (amount*fixed.Money(r) + fixed.Money(fixed.One) - 1) / fixed.Money(fixed.One)
}

//go:noinline
func checkedCeil(r fixed.Rate, amount fixed.Money) fixed.Money {
	m, ok := r.Ceil(amount)
	if !ok {
		return -1
	}
	return m
}

// BenchmarkRateCeil reports what the check costs: nanoseconds of Rate.Ceil and of the unchecked product, and the median
// of their ratio over alternating blocks, so that a machine that slows down slows both. // T-11
func BenchmarkRateCeil(b *testing.B) {
	const block = 1 << 14
	var amounts [256]fixed.Money
	for i := range amounts {
		amounts[i] = fixed.Money(i+1) * 7_919_000 // products below 2^63, as the unchecked one needs
	}
	run := func(ceil func(fixed.Rate, fixed.Money) fixed.Money) (sum fixed.Money, ns float64) {
		start := time.Now()
		for i := range block {
			sum += ceil(500_000, amounts[i%len(amounts)])
		}
		return sum, float64(time.Since(start)) / block
	}
	var checked, unchecked, ratios []float64
	for b.Loop() {
		want, base := run(uncheckedCeil)
		got, ns := run(checkedCeil)
		if got != want {
			b.Fatalf("the sums differ: %v and %v", got, want)
		}
		checked, unchecked, ratios = append(checked, ns), append(unchecked, base), append(ratios, ns/base)
	}
	median := func(v []float64) float64 { slices.Sort(v); return v[len(v)/2] }
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(checked), "checked-ns")
	b.ReportMetric(median(unchecked), "unchecked-ns")
	b.ReportMetric(median(ratios), "ratio")
}

func BenchmarkDivFloor(b *testing.B) {
	w := fixed.MulWide(1<<55, 1<<40)
	for b.Loop() {
		w.DivFloor(1_000_000_007 << 20)
	}
}
