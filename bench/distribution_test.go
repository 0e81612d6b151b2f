package bench

import (
	"math"
	"testing"

	"github.com/lockstep-exchange/lockstep/bench/latency"
)

// TestWithinAStep reads what lasts 20 to 60 ns by a clock that moves by 10: its percentiles are those of the time, not of the clock.
func TestWithinAStep(t *testing.T) {
	v := &Distribution{Total: latency.NewHistogram(), step: 10}
	for begun := range 10 { // ns after the clock has moved
		for took := range 4_000 {
			reading := (begun*100 + 2_000 + took) / 1_000 * 10
			if err := v.Total.RecordValue(int64(reading)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, want := range map[string]float64{"p25": 30, "p50": 40, "p75": 50} {
		whole, _ := v.At(name)
		got, ok := v.Within(name)
		if !ok || math.Abs(got-want) > 1.5 {
			t.Errorf("%s is %.1f ns, told as %.0f by the clock, want %.0f", name, got, whole, want)
		}
	}
	if ns, ok := v.Within("p99.999"); ok {
		t.Errorf("p99.999 of %d samples is %v", v.Total.TotalCount(), ns)
	}
}

func TestStepOfAClock(t *testing.T) {
	spread := make([]uint64, 1000) // a counter that moves by one, read now and then
	coarse := make([]uint64, 1000) // and one that moves by 25.96
	for i := range spread {
		spread[i] = uint64(22 + i*i%37)
		coarse[i] = uint64([]float64{1, 1, 2, 1, 3}[i%5] * 25.96)
	}
	for _, c := range []struct {
		name string
		gaps []uint64
		want uint64
	}{{"none", []uint64{0, 0}, 1}, {"spread", spread, 1}, {"coarse", coarse, 25}} {
		if got := step(c.gaps); got != c.want {
			t.Errorf("step of the gaps of %s is %d, want %d", c.name, got, c.want)
		}
	}
}
