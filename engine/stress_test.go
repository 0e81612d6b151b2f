package engine

import (
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// TestStressChangesNothing asks for shocks of all sizes all along random days: the state is what it was, and the same question has
// the same answer.
func TestStressChangesNothing(t *testing.T) { // M-75
	for i, d := range days[:8] {
		seed := xorshift(uint64(i)*0x9E3779B97F4A7C15 + 99)
		tr, a := newTrader(d, &seed), newDesk(t, d.limits)
		for _, c := range tr.opening() {
			a.at = max(c.Time, a.now)
			tr.see(&c, a.do(c))
		}
		for range 6 {
			for range 150 {
				c := tr.next()
				a.at = max(c.Time, a.now)
				tr.see(&c, a.do(c))
			}
			trial := Trial{Account: msg.AccountID(tr.below(4)), Depth: tr.below(4), Mode: msg.Mode(tr.below(3)),
				Shocks: []Shock{{1, fixed.Rate(tr.below(120)-60) * fixed.Percent}, {2, fixed.Rate(tr.below(80)-40) * fixed.Percent}}}
			before := a.Hash()
			o := a.Stress(trial)
			if a.Hash() != before {
				t.Fatalf("%s, seq %d: a stress changes the state", d.name, a.seq)
			}
			if again := a.Stress(trial); o != again {
				t.Fatalf("%s, seq %d: %+v, and then %+v", d.name, a.seq, o, again)
			}
			if o.Shortfall < 0 || o.Liquidated < 0 || o.FundUsed < 0 {
				t.Errorf("%s: %+v", d.name, o)
			}
		}
	}
}

// TestStressExample is the example of the rule.
func TestStressExample(t *testing.T) { // M-75, T-9
	d := onIndex(t, Limits{Instruments: 2})
	before := d.Stress(Trial{Account: 1})
	d.swap(1, 100, 1)
	o := d.Stress(Trial{Account: 1, Shocks: []Shock{{1, -30 * fixed.Percent}}})
	flat := d.Stress(Trial{Account: 1})
	if p, _ := d.Position(1, 1); p.Qty == 0 || o.Equity-flat.Equity != -30*fixed.Coin*fixed.Money(p.Qty) || flat.Equity != before.Equity {
		t.Errorf("%+v, %+v, %+v", before, flat, o)
	}
}
