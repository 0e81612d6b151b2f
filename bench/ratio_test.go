package bench

import (
	"flag"
	"fmt"
	"testing"
)

var ratios = flag.Bool("bench.ratios", false, "run the tests that compare times")

// miss is how far above its bound a ratio may lie before a shared machine is no
// excuse. Where a goal is missed the bound is wider than the goal: it then guards
// against getting worse, and says nothing about the goal.
const miss = 1.5

// attempts is how often a gross miss has to be seen.
const attempts = 3

// TestRatio fails where a figure misses its bound grossly, three times in a row. It
// compares the time that the thread ran where the system tells it, so that other
// work on the machine counts as little as can be. Run it with -bench.ratios.
func TestRatio(t *testing.T) {
	if !*ratios {
		t.Skip("times are compared with -bench.ratios only")
	}
	const timed, rounds = 500_000, 5
	for _, c := range []struct {
		goal, profile string
		instruments   int
		bound         float64 // what the goal asks for, or where it is missed what was reached
		one, other    func(*Plan) Entry
	}{
		{"1", "b10k", 1, 1.30, Bare, Ladder},
		{"1", "ec1k", 1, 1.45, Bare, Ladder},
		{"1", "b100k", 1, 1.9, Bare, Ladder},
		{"2", "b10k", 1, 0.70, Bare, Map},
		{"2", "ec1k", 1, 0.70, Bare, Map},
		{"2", "b100k", 1, 1.00, Bare, Map},
		{"3", "b10k", 1, 5.5, whole(usualAccounts), Ladder},
		{"3", "b10k", 1, 5.0, whole(usualAccounts), Bare},
		{"4", "b10k", 1, 4.5, whole(manyAccounts), func(p *Plan) Entry { return RiskLadder(p, manyAccounts) }},
		{"18", "b10k", 1, 1.05, whole(usualAccounts), func(p *Plan) Entry { return Unchecked(p, usualAccounts) }},
	} {
		p := short(t, c.profile, timed, c.instruments)
		one, other := c.one(p), c.other(p)
		t.Run(fmt.Sprintf("%s/%s/%s_over_%s", c.goal, c.profile, one.Name, other.Name), func(t *testing.T) {
			h := quiet(t, rounds)
			for range attempts {
				m, err := h.Race("ratio", []Entry{one, other})
				if err != nil {
					t.Fatal(err)
				}
				for i := range m {
					if m[i].Err != nil {
						t.Fatal(m[i].Err)
					}
				}
				r := ratio(&m[0], &m[1])
				t.Logf("%.3f, at most %.2f", r, c.bound)
				if r <= miss*c.bound {
					return
				}
			}
			t.Errorf("more than %.2f times %.2f, %d times of %d", miss, c.bound, attempts, attempts)
		})
	}
}

func whole(accounts uint32) func(*Plan) Entry {
	return func(p *Plan) Entry { return Whole(p, accounts) }
}

// ratio is that of medians, by the threads' own time where it is told.
func ratio(a, b *Measure) float64 {
	if own := median(b.Own); own > 0 {
		return median(a.Own) / own
	}
	return a.Median() / b.Median()
}
