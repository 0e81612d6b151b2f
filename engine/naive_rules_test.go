package engine

import (
	"fmt"
	"math/big"
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// The worked examples of the rules of distress, told to the twin itself (T-9).

// sold is an instrument of the twin with one maintenance rate, at a mark; a tick and lot is worth m.
func sold(mark fixed.Ticks, m fixed.Money, maintenance fixed.Rate, rules ...int64) *naiveInstrument {
	in := &naiveInstrument{listing: msg.Listing{Type: msg.Perpetual, TickLot: m}, mark: mark, rules: map[msg.Rule]int64{},
		tiers: []msg.Tier{{Initial: fixed.One, Maintenance: maintenance}}}
	for k := 0; k+1 < len(rules); k += 2 {
		in.rules[msg.Rule(rules[k])] = rules[k+1]
	}
	return in
}

// TestNaivePrices holds the twin to the examples of M-30, M-31 and M-49.
func TestNaivePrices(t *testing.T) { // T-9, M-30, M-31, M-49
	in := sold(50_000, fixed.Coin/100, 10*fixed.Percent)
	for _, c := range []struct {
		q     fixed.Lots
		value fixed.Money
		price fixed.Ticks
	}{{10, 4501 * fixed.Coin, 45_010}, {-10, -5499 * fixed.Coin, 54_990}} {
		if v := in.bankruptcyValue(c.q, 10, 499*fixed.Coin, 500*fixed.Coin); v.Cmp(big.NewInt(int64(c.value))) != 0 {
			t.Errorf("V of %d lots is %s, want %d", c.q, v, c.value)
		}
		if p := in.bankruptcy(c.q, 499*fixed.Coin, 500*fixed.Coin); p != c.price {
			t.Errorf("bankruptcy of %d lots is %d, want %d", c.q, p, c.price)
		}
	}
	fine := sold(10_000, fixed.Coin/100, 10*fixed.Percent) // a tick is 0.01
	if p := fine.fillable(4, 30*fixed.Coin, 40*fixed.Coin); p != 9_975 {
		t.Errorf("fillable is %d, want 9975: 0.25 below 100", p)
	}
	if p := fine.fillable(-4, 30*fixed.Coin, 40*fixed.Coin); p != 10_025 {
		t.Errorf("fillable of a short is %d, want 10025", p)
	}
	// Fillable 970, bankruptcy 980: MM 50 on 1 lot at 1,000 with E 20, and a spread that takes 30 at c = 60 %.
	steep := sold(1_000, fixed.Coin, 5*fixed.Percent, int64(msg.LiqSpread), int64(fixed.One))
	if f, b, l := steep.fillable(1, 20*fixed.Coin, 50*fixed.Coin), steep.bankruptcy(1, 20*fixed.Coin, 50*fixed.Coin),
		steep.limit(1, 20*fixed.Coin, 50*fixed.Coin); f != 970 || b != 980 || l != 980 {
		t.Errorf("fillable %d, bankruptcy %d, limit %d, want 970, 980, 980", f, b, l)
	}
}

// TestNaiveSlices holds the twin to the examples of M-48 and M-50, and to the story of the ladder.
func TestNaiveSlices(t *testing.T) { // T-9, M-48, M-50
	in := sold(50, fixed.Coin, 10*fixed.Percent, int64(msg.LiqFee), 0)
	// MM 500 of 100 lots and a target of 100 %: s = 20 means E 480; at the mark a lot brings 5.
	if lots, ok := in.cure(100, 50, 480*fixed.Coin, 500*fixed.Coin, fixed.One); !ok || lots.Int64() != 4 {
		t.Errorf("cure %s %v, want 4", lots, ok)
	}
	if lots, ok := in.cure(100, 45, 480*fixed.Coin, 500*fixed.Coin, fixed.One); ok {
		t.Errorf("a lot that loses what it frees cures with %s", lots)
	}
	// 1 unit of 1,000 lots at 47,300.0 with E 2,300 and MM 2,365: limit 47,293.6 on a tick of 0.1, and 0.128 cure it.
	story := sold(473_000, 100, 5*fixed.Percent)
	limit := story.limit(1000, 2_300*fixed.Coin, 2_365*fixed.Coin)
	lots, ok := story.cure(1000, limit, 2_300*fixed.Coin, 2_365*fixed.Coin, 110*fixed.Percent)
	if limit != 472_936 || !ok || lots.Int64() != 128 {
		t.Errorf("limit %d, cure %s, want 472936 and 128", limit, lots)
	}
	if got := story.sliceLots(1000, 5000, lots); got != 128 {
		t.Errorf("a slice of %d lots, want 128", got)
	}
	if got := story.sliceLots(1000, 5000, nil); got != 250 {
		t.Errorf("a slice of %d lots without a cure, want a quarter", got)
	}
	if got := story.sliceLots(1000, 0, nil); got != 1 {
		t.Errorf("a slice of %d lots into an empty book, want 1", got)
	}
	if got := story.liquidationFee(1000, 128, 473_000*100*128, 2_300*fixed.Coin, 2_365*fixed.Coin); got != 30_272_000 {
		t.Errorf("fee %s, want 30.272", got)
	}
	// Fill 5,000, V 4,990, 0.5 %: min(25, 10). V of 1 lot at 5,000 is 4,990 where E and MM are 10.
	fee := sold(5_000, fixed.Coin, fixed.Percent/5)
	if got := fee.liquidationFee(1, 1, 5_000*fixed.Coin, 10*fixed.Coin, 10*fixed.Coin); got != 10*fixed.Coin {
		t.Errorf("fee %s, want 10", got)
	}
}

// TestNaiveSharing holds the twin to the examples of M-53 and M-54 and to the story of the fund.
func TestNaiveSharing(t *testing.T) { // T-9, M-53, M-54, I-21, I-22
	bigs := func(v ...int64) (list []*big.Int) {
		for _, x := range v {
			list = append(list, big.NewInt(x))
		}
		return list
	}
	for _, c := range []struct {
		d       fixed.Lots
		weights []int64
		holds   []fixed.Lots
		want    []fixed.Lots
	}{
		{10, []int64{3, 1}, []fixed.Lots{100, 100}, []fixed.Lots{8, 2}},
		{50, []int64{1_000_000_000, 315_789_473}, []fixed.Lots{60, 40}, []fixed.Lots{38, 12}},
		{10, []int64{3, 1}, []fixed.Lots{4, 100}, []fixed.Lots{4, 6}},
		{10, []int64{1, 0}, []fixed.Lots{4, 100}, []fixed.Lots{4, 6}},
		{10, []int64{0, 0, 0}, []fixed.Lots{10, 20, 0}, []fixed.Lots{3, 7, 0}},
		{10, []int64{0, 0}, []fixed.Lots{5, 5}, []fixed.Lots{5, 5}},
	} {
		if got := shareOut(c.d, bigs(c.weights...), c.holds); fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%d lots by %v among %v: %v, want %v", c.d, c.weights, c.holds, got, c.want)
		}
	}
	// Shorts of 6 and 4 from 800, mark 500: profits 1,800 and 1,200, equity 5,400 and 7,600.
	if w := adlWeight(1800*fixed.Coin, 3000*fixed.Coin, 5400*fixed.Coin); w.Int64() != int64(1000*fixed.Coin) {
		t.Errorf("weight %s, want 1000", w)
	}
	if w := adlWeight(1200*fixed.Coin, 2000*fixed.Coin, 7600*fixed.Coin); w.Int64() != 315_789_473 {
		t.Errorf("weight %s, want 315.789473", w)
	}
	// Ten long with 1,000 from 1,000, mark 800; five long with 500 from 800, mark 500.
	for _, c := range []struct {
		mark   fixed.Ticks
		q      fixed.Lots
		equity fixed.Money
		band   fixed.Rate
		want   fixed.Ticks
	}{{800, 10, -1000 * fixed.Coin, fixed.One, 900}, {500, 5, -1000 * fixed.Coin, fixed.One, 700}, {500, 5, -1000 * fixed.Coin, 10 * fixed.Percent, 550},
		{500, -5, -1000 * fixed.Coin, 10 * fixed.Percent, 450}, {500, -5, -3000 * fixed.Coin, fixed.One, 1}} {
		in := sold(c.mark, fixed.Coin, 5*fixed.Percent)
		if got := in.adlPrice(c.q, c.equity, in.maintenance(c.q), c.band); got != c.want {
			t.Errorf("%d lots at %d with %s are closed at %d, want %d", c.q, c.mark, c.equity, got, c.want)
		}
	}
	for _, c := range []struct {
		missing   fixed.Money
		gains     []fixed.Money
		paid      []fixed.Money
		uncovered fixed.Money
	}{
		{100, []fixed.Money{300, 100}, []fixed.Money{225, 75}, 0},
		{500, []fixed.Money{300, 100}, []fixed.Money{0, 0}, 100},
		{1, []fixed.Money{1, 1, 1}, []fixed.Money{0, 0, 2}, 0},
	} {
		paid, uncovered := socialize(c.missing, c.gains)
		if fmt.Sprint(paid) != fmt.Sprint(c.paid) || uncovered != c.uncovered {
			t.Errorf("%d missing of %v: paid %v, uncovered %d, want %v and %d", c.missing, c.gains, paid, uncovered, c.paid, c.uncovered)
		}
	}
}

// TestNaiveRungs walks the twin's rungs along the story of the ladder.
func TestNaiveRungs(t *testing.T) { // T-9, M-46, M-47
	n := newNaive(Limits{})
	n.prices.venue = market.NewVenue()
	p := &naivePool{}
	for _, c := range []struct {
		equity, maintenance fixed.Money // in coins
		want                msg.Rung
	}{
		{500, 500, msg.RungCall2}, {499, 500, msg.RungLiquidating}, {2_270, 2_063, msg.RungCall2}, {3_388, 2_420, msg.RungCall1},
		{3_800, 2_440, msg.RungCall1}, {4_000, 2_450, msg.RungOK}, {3_000, 2_400, msg.RungCall1}, {2_900, 2_395, msg.RungCall2},
		{0, 2_395, msg.RungTakeover},
	} {
		next := n.fall(c.equity*fixed.Coin, c.maintenance*fixed.Coin, true)
		if next <= p.rung {
			next = n.rise(p, c.equity*fixed.Coin, c.maintenance*fixed.Coin)
		}
		if next != c.want {
			t.Errorf("%d over %d from %s: %s, want %s", c.equity, c.maintenance, p.rung, next, c.want)
		}
		p.rung = next
	}
	for _, c := range []struct {
		p                   naivePool
		equity, maintenance fixed.Money
		want                msg.Rung
	}{
		{naivePool{rung: msg.RungCall1}, 155, 100, msg.RungCall1}, {naivePool{rung: msg.RungCall1, passed: true}, 155, 100, msg.RungCall2},
		{naivePool{rung: msg.RungCall1, passed: true}, 160, 100, msg.RungOK}, {naivePool{rung: msg.RungCall2, late: true}, 159, 100, msg.RungCall2},
		{naivePool{rung: msg.RungCall2, late: true}, 160, 100, msg.RungOK}, {naivePool{rung: msg.RungCall2}, 134, 100, msg.RungCall2},
		{naivePool{rung: msg.RungLiquidating}, 109, 100, msg.RungLiquidating}, {naivePool{rung: msg.RungLiquidating}, 130, 100, msg.RungCall2},
	} {
		if got := n.rise(&c.p, c.equity, c.maintenance); got != c.want {
			t.Errorf("%+v at %d over %d: %s, want %s", c.p, c.equity, c.maintenance, got, c.want)
		}
	}
}
