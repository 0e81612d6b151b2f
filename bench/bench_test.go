package bench

import (
	"context"
	"errors"
	"fmt"
	"testing"
)

// The benchmarks are the figures of the report, for go test -bench: an iteration is
// one round of a race, and each reports the median of the first entry in ns/op and
// its ratio to every other.

const benchTimed = 1_000_000

// race reports entries[0] against the rest.
func race(b *testing.B, entries ...Entry) {
	b.Helper()
	h := NewHarness(context.Background(), 1)
	all := make([]Measure, len(entries))
	for b.Loop() {
		m, err := h.Race(b.Name(), entries)
		if err != nil {
			b.Fatal(err)
		}
		for i := range m {
			if m[i].Err != nil {
				b.Fatal(m[i].Err)
			}
			all[i].Ns = append(all[i].Ns, m[i].Ns...)
			all[i].Allocs += m[i].Allocs
			all[i].Applied += m[i].Applied
			all[i].Probe.Add(m[i].Probe)
		}
	}
	b.ReportMetric(all[0].Median(), "ns/op")
	b.ReportMetric(float64(all[0].Allocs)/float64(all[0].Applied), "allocs/op")
	b.ReportMetric(100*all[0].Probe.Lost(), "%lost")
	for i := 1; i < len(all); i++ {
		b.ReportMetric(all[0].Median()/all[i].Median(), "x/"+entries[i].Name)
	}
}

// BenchmarkBook is goals 1 and 2.
func BenchmarkBook(b *testing.B) {
	for _, profile := range []string{"b10k", "ec1k", "b100k"} {
		b.Run(profile, func(b *testing.B) {
			p := short(b, profile, benchTimed, 1)
			race(b, Bare(p), Ladder(p), Map(p))
		})
	}
}

// BenchmarkEngine is goals 3 and 4.
func BenchmarkEngine(b *testing.B) {
	p := short(b, "b10k", benchTimed, 1)
	for _, accounts := range []uint32{usualAccounts, manyAccounts} {
		b.Run(fmt.Sprintf("accounts=%d", accounts), func(b *testing.B) {
			race(b, Whole(p, accounts), Ladder(p), Bare(p), RiskLadder(p, accounts))
		})
	}
}

// BenchmarkInstruments is goal 4b, each of its parts.
func BenchmarkInstruments(b *testing.B) {
	p := short(b, "b10k", benchTimed, manyInstruments)
	race(b, Whole(p, manyAccounts), Bare(p), Map(p))
}

// BenchmarkChecks is goal 18.
func BenchmarkChecks(b *testing.B) {
	p := short(b, "b10k", benchTimed, 1)
	race(b, Whole(p, usualAccounts), Unchecked(p, usualAccounts))
}

// BenchmarkCommand is goal 7: the percentiles of one command.
func BenchmarkCommand(b *testing.B) {
	p := short(b, "b10k", benchTimed, 1)
	h := NewHarness(context.Background(), 1)
	all := map[string][]float64{}
	for b.Loop() {
		d, err := h.Distribution(b.Name(), Whole(p, usualAccounts))
		if err != nil {
			b.Fatal(err)
		}
		if d.Err != nil {
			b.Fatal(d.Err)
		}
		for _, name := range []string{"p50", "p99", "p99.9", "p99.99"} {
			if ns, ok := d.Within(name); ok {
				all[name] = append(all[name], ns)
			}
		}
	}
	b.ReportMetric(0, "ns/op")
	for name, ns := range all {
		b.ReportMetric(median(ns), name+"-ns")
	}
}

// BenchmarkPipeline is goals 8, 11 and 12, and their twins.
func BenchmarkPipeline(b *testing.B) {
	rec, err := Record(short(b, "b10k", benchTimed/4, 1), usualAccounts)
	if err != nil {
		b.Fatal(err)
	}
	h := NewHarness(context.Background(), 1)
	b.Run("round trip", func(b *testing.B) {
		passes(b, func() (*Pass, error) { return h.RoundTrip(200_000) })
	})
	for _, how := range []Sending{Closed, {Rate: rates[0]}, {Rate: rates[1]}, {Flood: true}} {
		for _, empty := range []bool{false, true} {
			b.Run(fmt.Sprintf("%v/empty=%v", how, empty), func(b *testing.B) {
				passes(b, func() (*Pass, error) {
					return h.Through(Pipe{Recording: rec, Empty: empty}, how, len(rec.Requests))
				})
			})
		}
	}
}

// passes reports the percentiles and the rate of what make returns.
func passes(b *testing.B, make func() (*Pass, error)) {
	var all []*Pass
	var ns []float64
	for b.Loop() {
		p, err := make()
		if errors.Is(err, ErrFewCores) {
			b.Skip(err)
		}
		if err != nil {
			b.Fatal(err)
		}
		all, ns = append(all, p), append(ns, p.Ns)
	}
	b.ReportMetric(median(ns), "ns/op")
	b.ReportMetric(100*lostIn(all), "%lost")
	for _, name := range []string{"p50", "p99", "p99.9"} {
		if v := middle(all, name); v > 0 {
			b.ReportMetric(v, name+"-ns")
		}
	}
}
