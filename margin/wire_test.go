package margin_test

import (
	"math/big"
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/margin"
	"github.com/lockstep-exchange/lockstep/msg"
	"pgregory.net/rapid"
)

// TestLossWire holds the worked example of the rule: a long loses on the way down, and its maintenance falls with it.
func TestLossWire(t *testing.T) { // M-56, T-9
	plain := terms{kind: msg.Perpetual, tickLot: 1, mark: 1000, tiers: tiers([3]int64{0, 10 * percent, 5 * percent})}
	in := plain.instrument(t)
	if p, ok := margin.LossWire(in, 1, 150*fixed.Percent, 100, true); !ok || p != 899 {
		t.Errorf("long 1, S 100: %d %v, want 101 ticks below 1000", p, ok)
	}
	if p, ok := margin.LossWire(in, 1, 150*fixed.Percent, 100, false); ok {
		t.Errorf("a long has a wire above, at %d", p)
	}
	// a short loses a tick, and what 150 % of 5 % of it is: of 100 it bears 93
	if p, ok := margin.LossWire(in, -1, 150*fixed.Percent, 100, false); !ok || p < 1093 || p > 1095 {
		t.Errorf("short 1, S 100: %d %v", p, ok)
	}
	if _, ok := margin.LossWire(in, 1, fixed.One, 1000, true); ok {
		t.Error("a long that bears a fall to nothing has a wire")
	}
	// maintenance of 0.85, then of 1.64, is 1, then 2: of a rise of one tick 101 % of a unit is lost
	odd := terms{kind: msg.Perpetual, tickLot: 1, mark: 5, tiers: tiers([3]int64{1, 40 * percent, 17 * percent}, [3]int64{0, 100 * percent, 40 * percent})}
	if p, ok := margin.LossWire(odd.instrument(t), 1, 101*fixed.Percent, 0, false); !ok || p != 6 {
		t.Errorf("long 1 that bears nothing: %d %v, want 6, since what is rounded up may cost it a unit", p, ok)
	}
}

// product is a product of any size.
func product(factors ...int64) *big.Int {
	p := big.NewInt(1)
	for _, f := range factors {
		p.Mul(p, big.NewInt(f))
	}
	return p
}

// loses is what a leg loses when its mark moves, with the growth of θ times its maintenance, in 1e-9 Money.
func (i *terms) loses(lots fixed.Lots, threshold fixed.Rate, p fixed.Ticks, t testing.TB) (l *big.Int, ok bool) {
	now, then := i.instrument(t), *i
	then.mark = p
	in := then.instrument(t)
	a, fits := margin.Maintenance(now, lots)
	b, fitsToo := margin.Maintenance(in, lots)
	l = product(int64(lots), int64(i.mark-p), int64(i.tickLot), int64(fixed.One))
	grown := product(int64(b-a), int64(threshold))
	return l.Add(l, grown), fits && fitsToo
}

// TestWiresBoundLosses holds the proof: at every mark before the wires a leg has lost no more than its part; and short of its gain
// wires it has not gained the distance.
func TestWiresBoundLosses(t *testing.T) { // M-57
	wires := 0
	rapid.Check(t, func(rt *rapid.T) {
		i := terms{kind: msg.Perpetual, tickLot: fixed.Money(rapid.Int64Range(1, 20_000).Draw(rt, "tick-lot")), mark: fixed.Ticks(rapid.Int64Range(1, 400).Draw(rt, "mark")),
			tiers: tiers([3]int64{rapid.Int64Range(1, 200).Draw(rt, "up to"), 40 * percent, rapid.Int64Range(0, 40).Draw(rt, "rate") * percent},
				[3]int64{0, 100 * percent, rapid.Int64Range(40, 100).Draw(rt, "rate above") * percent})}
		lots := fixed.Lots(rapid.Int64Range(1, 40).Draw(rt, "lots"))
		if rapid.Bool().Draw(rt, "short") {
			lots = -lots
		}
		threshold := fixed.Rate(rapid.Int64Range(0, 200).Draw(rt, "threshold")) * fixed.Percent
		part := fixed.Money(rapid.Int64Range(0, 50_000_000).Draw(rt, "part"))
		in := i.instrument(t)
		for _, below := range []bool{true, false} {
			step := fixed.Ticks(1)
			if below {
				step = -1
			}
			loss, has := margin.LossWire(in, lots, threshold, part, below)
			gain, gains := margin.GainWire(in, lots, threshold, part+1, below)
			if has {
				wires++
			}
			for p := i.mark + step; p > 0 && p < 3*i.mark; p += step {
				l, ok := i.loses(lots, threshold, p, t)
				if !ok {
					break
				}
				beyond := has && (below && p <= loss || !below && p >= loss)
				if !beyond && l.Cmp(product(int64(part), int64(fixed.One))) > 0 {
					rt.Fatalf("at %d of %d the leg has lost %v, its part is %s, the wire is at %d %v", p, i.mark, l, part, loss, has)
				}
				beyond = gains && (below && p <= gain || !below && p >= gain)
				if g := l.Neg(l); !beyond && g.Cmp(product(int64(part+1), int64(fixed.One))) >= 0 {
					rt.Fatalf("at %d of %d the leg has gained %v of %s, the wire is at %d %v", p, i.mark, g, part+1, gain, gains)
				}
			}
		}
	})
	if wires == 0 {
		t.Error("no wire in any case")
	}
}

// TestFundingReach holds that lots owe no more than their part up to the reach, and may at the next unit.
func TestFundingReach(t *testing.T) { // M-56
	for _, c := range []struct {
		lots fixed.Lots
		m    fixed.Money
		want int64
	}{{1, 0, 0}, {1, 1, 0}, {1, 2, 1_000_000}, {-4, 5, 1_000_000}, {3, 2, 333_333}} {
		if got := margin.FundingReach(c.lots, c.m); got != c.want {
			t.Errorf("%d lots, %d: %d, want %d", c.lots, c.m, got, c.want)
		}
	}
}
