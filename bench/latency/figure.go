package latency

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Percentile is one point of a distribution, and how many samples it takes to speak of it.
type Percentile struct {
	Name  string  // as in p99.9
	Value float64 // as in 99.9
	Needs int64   // 10 / (1 - Value/100): fewer samples, and it is noise
}

// Percentiles are those of every table.
var Percentiles = []Percentile{percentile("50"), percentile("90"), percentile("99"), percentile("99.9"), percentile("99.99")}

// percentile is the percentile of a decimal number that is known to be one.
func percentile(number string) Percentile {
	p, err := ParsePercentile("p" + number)
	if err != nil {
		panic(err)
	}
	return p
}

// ParsePercentile reads p50, p99.9 and the like: above 0, below 100, with up to six decimals.
func ParsePercentile(name string) (Percentile, error) {
	number, named := strings.CutPrefix(name, "p")
	whole, fraction, dotted := strings.Cut(number, ".")
	scaled, err := strconv.ParseUint(whole+fraction, 10, 32)
	if !named || err != nil || whole == "" || dotted && fraction == "" || len(fraction) > 6 {
		return Percentile{}, fmt.Errorf("%q is no percentile, expected one like p99.9", name)
	}
	hundred := 100 * int64(math.Pow10(len(fraction)))
	above := hundred - int64(scaled) // of hundred: the share of samples beyond the percentile
	if above <= 0 || scaled == 0 {
		return Percentile{}, fmt.Errorf("%q is no percentile, expected one above p0 and below p100", name)
	}
	value, err := strconv.ParseFloat(number, 64)
	return Percentile{"p" + number, value, (10*hundred + above - 1) / above}, err
}

// Of is the percentile of a histogram in ns; ok is false when the samples are too few.
func (p Percentile) Of(h *hdrhistogram.Histogram) (ns int64, ok bool) {
	if h.TotalCount() < p.Needs {
		return 0, false
	}
	return h.ValueAtPercentile(p.Value), true
}

// Format writes a latency with three digits, as many as the histograms have: 412ns, 12.3us, 1.20ms, 2.31s.
func Format(ns int64) string {
	v, unit := float64(ns), "ns"
	for _, larger := range []string{"us", "ms", "s"} {
		if v < 999.5 {
			break
		}
		v, unit = v/1000, larger
	}
	decimals := 0
	switch {
	case unit == "ns" || v >= 99.95:
	case v >= 9.995:
		decimals = 1
	default:
		decimals = 2
	}
	return strconv.FormatFloat(v, 'f', decimals, 64) + unit
}
