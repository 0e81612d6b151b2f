package margin_test

import (
	"math/big"
	"slices"
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/margin"
	"github.com/lockstep-exchange/lockstep/msg"
	"pgregory.net/rapid"
)

// winners reads pairs of weight and lots, accounts from 1 on.
func winners(rows ...[2]int64) (list []margin.Winner) {
	for i, r := range rows {
		list = append(list, margin.Winner{Account: msg.AccountID(i + 1), Weight: fixed.Money(r[0]), Lots: fixed.Lots(r[1])})
	}
	return list
}

func given(list []margin.Winner) (lots []fixed.Lots) {
	for _, w := range list {
		lots = append(lots, w.Given)
	}
	return lots
}

// TestAllocate holds the worked example, caps, ties, and who comes when no weight is left.
func TestAllocate(t *testing.T) { // M-53, I-21, T-9
	for _, c := range []struct {
		name string
		d    fixed.Lots
		from []margin.Winner
		want []fixed.Lots
		left fixed.Lots
	}{
		{"remainders tie", 10, winners([2]int64{3, 100}, [2]int64{1, 100}), []fixed.Lots{8, 2}, 0},
		{"the larger remainder", 10, winners([2]int64{100, 100}, [2]int64{39, 100}), []fixed.Lots{7, 3}, 0}, // 7.19 and 2.81
		{"two shorts", 50, winners([2]int64{1_000_000_000, 60}, [2]int64{315_789_473, 40}), []fixed.Lots{38, 12}, 0},
		{"all of both", 100, winners([2]int64{1_371_428_571, 60}, [2]int64{376_470_588, 40}), []fixed.Lots{60, 40}, 0},
		{"one drops out", 10, winners([2]int64{6, 1}, [2]int64{3, 100}, [2]int64{1, 100}), []fixed.Lots{1, 7, 2}, 0},
		{"no weight", 5, winners([2]int64{0, 6}, [2]int64{0, 4}), []fixed.Lots{3, 2}, 0},
		{"no weight left", 10, winners([2]int64{5, 3}, [2]int64{0, 8}, [2]int64{0, 8}), []fixed.Lots{3, 4, 3}, 0},
		{"weights hold", 3, winners([2]int64{5, 3}, [2]int64{0, 8}), []fixed.Lots{3, 0}, 0},
		{"too few", 30, winners([2]int64{5, 3}, [2]int64{0, 8}), []fixed.Lots{3, 8}, 19},
		{"nobody", 3, nil, nil, 3},
		{"nothing", 0, winners([2]int64{5, 3}), []fixed.Lots{0}, 0},
		{"highest weights", 4, winners([2]int64{fixed.MaxInt64, 9}, [2]int64{fixed.MaxInt64, 9}, [2]int64{fixed.MaxInt64, 9}), []fixed.Lots{2, 1, 1}, 0},
	} {
		if left := margin.Allocate(c.d, c.from); left != c.left || !slices.Equal(given(c.from), c.want) {
			t.Errorf("%s: %v and %d left, want %v and %d", c.name, given(c.from), left, c.want, c.left)
		}
	}
	// A tie goes to the lower account, wherever it stands.
	list := winners([2]int64{1, 9}, [2]int64{1, 9})
	list[0].Account = 7
	if margin.Allocate(3, list); list[0].Given != 1 || list[1].Given != 2 {
		t.Errorf("tie: %v", given(list))
	}
}

// allocated is the text of the rule with integers without end.
func allocated(d int64, list []margin.Winner) (lots []int64) {
	lots = make([]int64, len(list))
	for _, byLots := range []bool{false, true} {
		weight := func(i int) int64 {
			switch {
			case byLots && list[i].Weight == 0:
				return int64(list[i].Lots)
			case !byLots:
				return int64(list[i].Weight)
			}
			return 0
		}
		for d > 0 {
			all := new(big.Int)
			var in []int
			for i := range list {
				if weight(i) > 0 && lots[i] < int64(list[i].Lots) {
					all.Add(all, whole(weight(i)))
					in = append(in, i)
				}
			}
			if len(in) == 0 {
				break
			}
			round, capped := d, false
			rest := make([]*big.Int, len(list))
			for _, i := range in {
				share, m := new(big.Int).DivMod(times(whole(round), weight(i)), all, new(big.Int))
				rest[i] = m
				n := min(share.Int64(), int64(list[i].Lots)-lots[i])
				lots[i] += n
				d -= n
				capped = capped || lots[i] == int64(list[i].Lots)
			}
			if capped {
				continue
			}
			slices.SortStableFunc(in, func(a, b int) int {
				if c := rest[b].Cmp(rest[a]); c != 0 {
					return c
				}
				return int(list[a].Account) - int(list[b].Account)
			})
			for _, i := range in[:d] {
				lots[i]++
			}
			d = 0
		}
	}
	return lots
}

// TestAllocateAgainstNaive compares with the text, and holds that exactly the lots asked for are closed where they are there,
// and nobody's position is turned.
func TestAllocateAgainstNaive(t *testing.T) { // M-53, I-21
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 8).Draw(t, "winners")
		small := rapid.Bool().Draw(t, "small")
		top, lots := int64(fixed.MaxInt64), int64(1)<<58
		if small {
			top, lots = 12, 9
		}
		var list []margin.Winner
		there := int64(0)
		for i := range n {
			w := margin.Winner{Account: msg.AccountID((i*5)%8 + 1), Lots: fixed.Lots(rapid.Int64Range(0, lots).Draw(t, "lots")),
				Weight: fixed.Money(rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Range(0, top)).Draw(t, "weight"))}
			there += int64(w.Lots)
			list = append(list, w)
		}
		d := rapid.Int64Range(0, there+there/4+2).Draw(t, "d")
		left := margin.Allocate(fixed.Lots(d), list)
		want, sum := allocated(d, list), int64(left)
		for i, w := range list {
			if int64(w.Given) != want[i] || w.Given > w.Lots || w.Given < 0 {
				t.Fatalf("%d shared as %v, want %v", d, given(list), want)
			}
			sum += int64(w.Given)
		}
		if sum != d || int64(left) != max(0, d-there) {
			t.Fatalf("%d of %d there: %v and %d left", d, there, given(list), left)
		}
	})
}

// TestAllocateAllocatesNothing holds that the shares are made in place.
func TestAllocateAllocatesNothing(t *testing.T) { // T-5
	list := winners([2]int64{3, 5}, [2]int64{1, 100}, [2]int64{0, 100}, [2]int64{7, 1})
	if n := testing.AllocsPerRun(100, func() { margin.Allocate(90, list); margin.Socialize(0, list) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestWinnerWeight holds the weights of two shorts, and the ends.
func TestWinnerWeight(t *testing.T) { // M-53
	coin := fixed.Coin
	for _, c := range []struct{ profit, notional, equity, want fixed.Money }{
		{1800 * coin, 3000 * coin, 5400 * coin, 1000 * coin}, {1200 * coin, 2000 * coin, 7600 * coin, 315_789_473},
		{0, 5, 5, 0}, {-1, 5, 5, 0}, {6, 5, 0, 30}, {6, 5, -9, 30}, {1 << 40, 1 << 40, 1, fixed.MaxInt64},
	} {
		if got := margin.WinnerWeight(c.profit, c.notional, c.equity); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
}

// TestBefore holds the order of rank.
func TestBefore(t *testing.T) { // M-53
	list := []margin.Winner{{Account: 3, Weight: 9, Lots: 1}, {Account: 1, Weight: 5, Lots: 7}, {Account: 2, Weight: 5, Lots: 6}, {Account: 4, Weight: 5, Lots: 6}}
	for i := range list {
		for j := range list {
			if list[i].Before(&list[j]) != (i < j) {
				t.Errorf("%+v before %+v: %v", list[i], list[j], i >= j)
			}
		}
	}
}

// TestAdlPrice holds bankruptcy, the band around the mark, and a pool that has no maintenance.
func TestAdlPrice(t *testing.T) { // M-53, T-9
	coin := fixed.Coin
	tenth := terms{kind: msg.Perpetual, tickLot: coin / 10, mark: 800, tiers: tiers([3]int64{0, 10 * percent, 5 * percent})}
	in := tenth.instrument(t) // 100 lots are worth 8,000
	mm := 400 * coin
	for _, c := range []struct {
		name                string
		lots                fixed.Lots
		equity, maintenance fixed.Money
		band                int64
		want                fixed.Ticks
	}{
		{"a long that owes 1,000", 100, -1000 * coin, mm, 100 * percent, 900},
		{"a short that owes 1,000", -100, -1000 * coin, mm, 100 * percent, 700},
		{"clamped above", 100, -1000 * coin, mm, 5 * percent, 840},
		{"clamped below", -100, -1000 * coin, mm, 5 * percent, 760},
		{"a short that owes more than all", -100, -9000 * coin, mm, 100 * percent, 1},
		{"a long that owes more than all", 100, -9000 * coin, mm, 100 * percent, 1600},
		{"something left", 100, 100 * coin, mm, 100 * percent, 790},
		{"no maintenance", 100, -5, 0, 100 * percent, 801},
	} {
		if got := margin.AdlPrice(in, c.lots, c.equity, c.maintenance, fixed.Rate(c.band)); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

// TestSocialize holds the worked example, and that whoever rounds, nobody gains by it.
func TestSocialize(t *testing.T) { // M-54, I-22, T-9
	gained := func(gains ...fixed.Money) (list []margin.Winner) {
		for i, g := range gains {
			list = append(list, margin.Winner{Account: msg.AccountID(i + 1), Gain: g})
		}
		return list
	}
	pays := func(list []margin.Winner) (p []fixed.Money) {
		for _, w := range list {
			p = append(p, w.Gain)
		}
		return p
	}
	for _, c := range []struct {
		shortfall fixed.Money
		gains     []fixed.Money
		want      []fixed.Money
		missing   fixed.Money
	}{
		{100, []fixed.Money{300, 100}, []fixed.Money{75, 25}, 0}, // 225 and 75 are kept
		{400, []fixed.Money{300, 100}, []fixed.Money{300, 100}, 0},
		{401, []fixed.Money{300, 100}, []fixed.Money{300, 100}, 1},
		{0, []fixed.Money{300, 100}, []fixed.Money{0, 0}, 0},
		{1, []fixed.Money{3, 3, 3}, []fixed.Money{1, 0, 0}, 0}, // 8 are kept: 2, 2 and the rest 4, of which 3 is the last one's gain
		{1, []fixed.Money{3, 3, 0}, []fixed.Money{1, 0, 0}, 0}, // the last gained nothing, so the one before him has the rest
		{1, []fixed.Money{3, -4, 3}, []fixed.Money{1, 0, 0}, 0},
		{5, nil, nil, 5}, {5, []fixed.Money{0}, []fixed.Money{0}, 5},
	} {
		list := gained(c.gains...)
		if missing := margin.Socialize(c.shortfall, list); missing != c.missing || !slices.Equal(pays(list), c.want) {
			t.Errorf("%d of %v: paid %v, %d missing, want %v and %d", c.shortfall, c.gains, pays(list), missing, c.want, c.missing)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		gain := rapid.OneOf(rapid.Int64Range(-3, 9), rapid.Int64Range(0, 1<<58))
		var list []margin.Winner
		sum := fixed.Money(0)
		for i := range rapid.IntRange(0, 6).Draw(t, "winners") {
			g := fixed.Money(gain.Draw(t, "gain"))
			list = append(list, margin.Winner{Account: msg.AccountID(i + 1), Gain: g})
			sum += max(0, g)
		}
		before := slices.Clone(list)
		shortfall := fixed.Money(rapid.OneOf(rapid.Int64Range(0, int64(sum)), rapid.Int64Range(0, 20)).Draw(t, "shortfall"))
		missing, paid := margin.Socialize(shortfall, list), fixed.Money(0)
		for i, w := range list {
			if w.Gain < 0 || w.Gain > max(0, before[i].Gain) {
				t.Fatalf("%d gained, %d paid", before[i].Gain, w.Gain)
			}
			paid += w.Gain
		}
		if paid+missing != shortfall || missing != max(0, shortfall-sum) {
			t.Fatalf("%d short of %d: paid %d, missing %d", shortfall, sum, paid, missing)
		}
	})
}
