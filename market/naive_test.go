package market_test

import (
	"math/big"
	"slices"
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
	"pgregory.net/rapid"
)

// The naive twins: the rules of index, mark and funding in rational numbers over plain lists, rounded once where the rule
// says so. They know no slots, no rings and no words.

func whole(v int64) *big.Rat { return new(big.Rat).SetInt64(v) }

// floorRat is the greatest integer not above r.
func floorRat(r *big.Rat) int64 { return new(big.Int).Div(r.Num(), r.Denom()).Int64() }

// cutRat is r without its fraction.
func cutRat(r *big.Rat) int64 { return new(big.Int).Quo(r.Num(), r.Denom()).Int64() }

// naiveMedian is the median of prices, floored.
func naiveMedian(prices []int64) int64 {
	sorted := slices.Clone(prices)
	slices.Sort(sorted)
	n := len(sorted)
	sum := new(big.Rat).Add(whole(sorted[(n-1)/2]), whole(sorted[n/2]))
	return floorRat(sum.Quo(sum, whole(2)))
}

// naiveFar reports whether a and b are farther apart than the rate of m.
func naiveFar(a, b, m int64, rate fixed.Rate) bool {
	off, bound := new(big.Rat).Sub(whole(a), whole(b)), new(big.Rat).Mul(whole(m), big.NewRat(int64(rate), int64(fixed.One)))
	return off.Abs(off).Cmp(bound.Abs(bound)) > 0
}

// naiveIndex is the index of fresh prices and how many agree; 0 of them where they do not (M-32, M-33).
func naiveIndex(fresh []int64, outlier fixed.Rate) (index int64, agree int) {
	if len(fresh) == 0 {
		return 0, 0
	}
	m := naiveMedian(fresh)
	var rest []int64
	for _, p := range fresh {
		if len(fresh) < 3 || !naiveFar(p, m, m, outlier) {
			rest = append(rest, p)
		}
	}
	if len(rest) == 0 || len(fresh) == 2 && naiveFar(fresh[0], fresh[1], m, outlier) {
		return 0, 0
	}
	return naiveMedian(rest), len(rest)
}

// naiveOracle replays a list of reports up to a time, nanosecond by nanosecond.
type naiveOracle struct {
	sources int
	price   map[int]int64
	at      map[int]fixed.Nanos
	index   int64
	health  msg.Health
	frozen  fixed.Nanos
}

func (o *naiveOracle) look(now fixed.Nanos, v *market.Venue) {
	if len(o.at) == 0 {
		return
	}
	var fresh []int64
	for source, at := range o.at {
		if v.OracleStale == 0 || now-at < v.OracleStale {
			fresh = append(fresh, o.price[source])
		}
	}
	index, agree := naiveIndex(fresh, v.OracleOutlier)
	switch {
	case agree > o.sources/2 && index > 0:
		o.index, o.health = index, msg.Degraded
		if agree == o.sources {
			o.health = msg.Good
		}
	case agree > o.sources/2:
		o.health = msg.OracleHalted
	case o.health == msg.OracleHalted:
	case o.health != msg.Frozen:
		o.health, o.frozen = msg.Frozen, now
		fallthrough
	default:
		if now-o.frozen >= v.OracleHalt {
			o.health = msg.OracleHalted
		}
	}
}

// TestOracleAgainstNaive drives an underlying and its twin through the same reports. The twin looks at every nanosecond; the
// underlying is woken when it asks for it, or much later.
func TestOracleAgainstNaive(t *testing.T) { // M-32, M-33, T-1
	rapid.Check(t, func(t *rapid.T) {
		sources := rapid.IntRange(1, market.MaxSources).Draw(t, "sources")
		f := fed(t, uint8(sources), rule(msg.OracleStale, rapid.Int64Range(0, 12).Draw(t, "stale")),
			rule(msg.OracleHalt, rapid.Int64Range(0, 9).Draw(t, "halt")), rule(msg.OracleOutlier, percent(float64(rapid.IntRange(0, 20).Draw(t, "outlier")))))
		twin := &naiveOracle{sources: sources, price: map[int]int64{}, at: map[int]fixed.Nanos{}}
		lazy := rapid.Bool().Draw(t, "lazy")
		for range rapid.IntRange(1, 25).Draw(t, "steps") {
			for range rapid.IntRange(0, 8).Draw(t, "gap") {
				f.now++
				due := f.u.Due(&f.venue)
				health, index := twin.health, twin.index
				twin.look(f.now, &f.venue)
				if (health != twin.health || index != twin.index) && !lazy && due != f.now {
					t.Fatalf("at %d the twin goes from %v %d to %v %d, due was %d", f.now, health, index, twin.health, twin.index, due)
				}
				if due == f.now && !lazy {
					f.u.Advance(f.now, &f.venue)
				}
			}
			source := rapid.IntRange(0, sources).Draw(t, "source")
			price := rapid.OneOf(rapid.Int64Range(90, 110), rapid.Int64Range(-3, 1000)).Draw(t, "price")
			f.report(uint8(source), fixed.Money(price))
			for s := 1; s <= sources; s++ {
				if source == 0 || s == source {
					twin.price[s], twin.at[s] = price, f.now
				}
			}
			twin.look(f.now, &f.venue)
			if int64(f.u.Index) != twin.index || f.u.Health != twin.health {
				t.Fatalf("at %d: %d and %v, the twin says %d and %v", f.now, f.u.Index, f.u.Health, twin.index, twin.health)
			}
		}
	})
}

// TestOneBadSource holds that among sources that agree within half of the outlier distance, one more that says anything at all
// leaves the index within their range and no worse than Degraded.
func TestOneBadSource(t *testing.T) { // I-23
	rapid.Check(t, func(t *rapid.T) {
		sources := rapid.IntRange(3, market.MaxSources).Draw(t, "sources")
		f := fed(t, uint8(sources))
		low, high := int64(fixed.MaxInt64), int64(0)
		for s := 2; s <= sources; s++ {
			p := rapid.Int64Range(100_000, 102_500).Draw(t, "good")
			low, high = min(low, p), max(high, p)
			f.report(uint8(s), fixed.Money(p))
		}
		f.report(1, fixed.Money(rapid.OneOf(rapid.Int64Range(90_000, 115_000), rapid.Int64()).Draw(t, "bad")))
		if got := int64(f.u.Index); got < low || got > high || f.u.Health > msg.Degraded {
			t.Fatalf("index %d and %v, the others lie in %d..%d", got, f.u.Health, low, high)
		}
	})
}

// naiveTrade is one trade that counts.
type naiveTrade struct {
	at    fixed.Nanos
	price fixed.Ticks
	qty   fixed.Lots
}

// naiveMean is the mean of the trades in the window by size and age (M-35); ok is false where they weigh nothing.
func naiveMean(trades []naiveTrade, now, window fixed.Nanos, decay fixed.Rate) (fixed.Ticks, bool) {
	num, den := new(big.Rat), new(big.Rat)
	for _, x := range trades {
		age := int64(now - x.at)
		if age > int64(window) {
			continue
		}
		lost := new(big.Rat).Mul(whole(int64(decay)), big.NewRat(age, int64(window)))
		weight := whole((int64(fixed.One) - floorRat(lost)))
		weight.Mul(weight, whole(int64(x.qty)))
		den.Add(den, weight)
		num.Add(num, weight.Mul(weight, whole(int64(x.price))))
	}
	if den.Sign() == 0 {
		return 0, false
	}
	return fixed.Ticks(floorRat(num.Quo(num, den))), true
}

// TestTradesAgainstNaive holds the mean of trades to the unit as long as the ring has room, sizes up to the largest notional
// that the gate lets pass.
func TestTradesAgainstNaive(t *testing.T) { // M-35, T-1
	rapid.Check(t, func(t *rapid.T) {
		window := fixed.Nanos(rapid.Int64Range(int64(fixed.Millisecond), int64(fixed.Minute)).Draw(t, "window"))
		decay := fixed.Rate(rapid.Int64Range(0, int64(fixed.One)).Draw(t, "decay"))
		d := composite(t, 1000, rule(msg.MarkInputs, msg.MarkTrades), rule(msg.MarkWindow, int64(window)), rule(msg.MarkDecay, int64(decay)))
		d.venue.OracleOutlier = fixed.One
		d.s.Index = 1
		var trades []naiveTrade
		for range rapid.IntRange(1, 40).Draw(t, "trades") {
			if gap := rapid.IntRange(0, 3).Draw(t, "gap"); gap > 0 {
				d.now += fixed.Nanos(rapid.Int64Range(0, int64(window)/int64(gap*gap*2)).Draw(t, "wait"))
			}
			price := fixed.Ticks(1) << rapid.IntRange(0, 40).Draw(t, "magnitude")
			price += fixed.Ticks(rapid.Int64Range(0, int64(price-1)).Draw(t, "price"))
			x := naiveTrade{d.now, price, fixed.Lots(rapid.Int64Range(1, fixed.MaxInt64/int64(price)).Draw(t, "lots"))}
			trades = append(trades, x)
			d.m.Trade(x.at, x.price, x.qty)
			d.s.Mark = 0 // nothing to clamp against
			d.recompute()
			if want, ok := naiveMean(trades, d.now, window, decay); ok && d.s.Mark != want {
				t.Fatalf("at %d: %d, the twin says %d", d.now, d.s.Mark, want)
			}
		}
	})
}

// naiveMark is a composite mark by the text of its rules, over lists that are never cut.
type naiveMark struct {
	m         *market.Marker // for its parameters
	trades    []naiveTrade
	num       *big.Int
	den       *big.Int
	step      fixed.Nanos // of the last sample of the basis, in whole steps since the first
	book      int64
	bookAt    fixed.Nanos
	stood     bool
	began     bool
	clampedAt fixed.Nanos
}

// look is the mark at now.
func (n *naiveMark) look(now fixed.Nanos, s *market.Sight, v *market.Venue) int64 {
	if s.Index <= 0 || s.Health >= msg.Frozen {
		return int64(s.Mark)
	}
	if s.Both {
		n.sample(now, naiveMedian([]int64{int64(s.Bid), int64(s.Ask)})-int64(s.Index))
		stand := []int64{int64(s.Bid), int64(s.Ask)}
		if k := len(n.trades); k > 0 {
			stand = append(stand, int64(n.trades[k-1].price))
		}
		n.book, n.bookAt, n.stood = naiveMedian(stand), now, true
	}
	// price, time and weight of each input there is
	var inputs [][3]int64
	if n.m.Inputs&msg.MarkBasis != 0 {
		basis := int64(0)
		if n.den.Sign() != 0 {
			basis = new(big.Int).Quo(n.num, n.den).Int64()
		}
		inputs = append(inputs, [3]int64{int64(s.Index) + basis, int64(s.IndexAt), n.m.Weights[0]})
	}
	if n.m.Inputs&msg.MarkBook != 0 && n.stood {
		inputs = append(inputs, [3]int64{n.book, int64(n.bookAt), n.m.Weights[1]})
	}
	if n.m.Inputs&msg.MarkTrades != 0 {
		if mean, ok := naiveMean(n.trades, now, n.m.Window, n.m.Decay); ok {
			inputs = append(inputs, [3]int64{int64(mean), int64(n.trades[len(n.trades)-1].at), n.m.Weights[2]})
		}
	}
	n.began = n.began || len(inputs) > 0
	var prices []int64
	sum, weights := new(big.Rat), new(big.Rat)
	for _, i := range inputs {
		if n.m.Stale == 0 || int64(now)-i[1] < int64(n.m.Stale) {
			prices = append(prices, i[0])
			sum.Add(sum, new(big.Rat).Mul(whole(i[0]), whole(i[2])))
			weights.Add(weights, whole(i[2]))
		}
	}
	value := int64(s.Index)
	switch {
	case !n.began:
	case len(prices) == 0 || n.m.Weighted && weights.Sign() == 0:
		return int64(s.Mark)
	case n.m.Weighted:
		value = floorRat(sum.Quo(sum, weights))
	default:
		value = naiveMedian(prices)
	}
	if value <= 0 {
		return int64(s.Mark)
	}
	return n.clamp(now, value, s, v)
}

func (n *naiveMark) sample(now fixed.Nanos, distance int64) {
	step := n.m.EMA / 150
	gap := int64((now - n.step) / step)
	switch {
	case n.den.Sign() == 0 || gap > 4095:
		n.num, n.den, n.step = new(big.Int), new(big.Int), now
	case gap == 0:
		return
	default:
		n.step += fixed.Nanos(gap) * step
		for j, k := range []int64{4266429413, 4238081149, 4181948450, 4071903610, 3860424974, 3469847371, 2803243878, 1829624231, 779406360,
			141438626, 4657750, 5051} {
			if gap>>j&1 == 1 {
				for _, x := range []*big.Int{n.num, n.den} {
					x.Mul(x, big.NewInt(k)).Div(x, big.NewInt(1<<32)) // Euclidean, and so floored
				}
			}
		}
	}
	n.num.Add(n.num, new(big.Int).Mul(big.NewInt(distance), big.NewInt(1<<16)))
	n.den.Add(n.den, big.NewInt(1<<16))
}

func (n *naiveMark) clamp(now fixed.Nanos, value int64, s *market.Sight, v *market.Venue) int64 {
	mark := int64(s.Mark)
	if mark == 0 || s.Health <= msg.Good && !naiveFar(value, int64(s.Index), int64(s.Index), v.OracleOutlier) {
		n.clampedAt = now
		return value
	}
	span := min(int64(now-n.clampedAt), int64(10*fixed.Second))
	reach := new(big.Rat).Mul(whole(mark), big.NewRat(int64(n.m.Velocity), int64(fixed.One)))
	most := floorRat(reach.Mul(reach, big.NewRat(span, int64(fixed.Second))))
	if most > 0 || value == mark {
		n.clampedAt = now
	}
	return max(mark-most, min(mark+most, value))
}

// TestMarkAgainstNaive drives a marker and its twin through the same day, under any parameters.
func TestMarkAgainstNaive(t *testing.T) { // M-34 to M-37, T-1
	one := int64(fixed.One)
	rapid.Check(t, func(t *rapid.T) {
		draw := func(r msg.Rule, low, high int64) msg.Setting {
			return rule(r, rapid.Int64Range(low, high).Draw(t, r.String()))
		}
		d := composite(t, 0, draw(msg.MarkInputs, 1, 7), draw(msg.MarkCombine, 0, 1), draw(msg.MarkWeightBasis, 0, 3), draw(msg.MarkWeightBook, 0, 3),
			draw(msg.MarkWeightTrades, 1, 3), draw(msg.MarkStale, 0, 9*int64(fixed.Second)), draw(msg.MarkWindow, int64(fixed.Second), 20*int64(fixed.Second)),
			draw(msg.MarkDecay, 0, one), draw(msg.MarkEMA, int64(fixed.Second), 300*int64(fixed.Second)), draw(msg.MarkVelocity, 0, one/10))
		if rapid.Bool().Draw(t, "never stale") {
			d.m.SetRule(rule(msg.MarkStale, 0))
		}
		twin := &naiveMark{m: &d.m, num: new(big.Int), den: new(big.Int)}
		around := rapid.Int64Range(5, 1<<30).Draw(t, "around")
		price := rapid.Int64Range(around-around/9, around+around/9)
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			switch rapid.IntRange(0, 5).Draw(t, "what") {
			case 0:
				d.s.Index, d.s.IndexAt = fixed.Ticks(price.Draw(t, "index")), d.now
			case 1:
				d.s.Health = rapid.SampledFrom([]msg.Health{msg.Good, msg.Good, msg.Degraded, msg.Frozen, msg.OracleHalted}).Draw(t, "health")
			case 2:
				bid := price.Draw(t, "bid")
				d.book(fixed.Ticks(bid), fixed.Ticks(bid+rapid.Int64Range(1, around/9+1).Draw(t, "spread")))
			case 3:
				d.s.Both = false
			default:
				x := naiveTrade{d.now, fixed.Ticks(price.Draw(t, "price")), fixed.Lots(rapid.Int64Range(1, 1000).Draw(t, "lots"))}
				twin.trades = append(twin.trades, x)
				d.m.Trade(x.at, x.price, x.qty)
			}
			d.now += fixed.Nanos(rapid.OneOf(rapid.Just(int64(fixed.Second)), rapid.Int64Range(0, int64(fixed.Second)),
				rapid.Int64Range(0, int64(30*fixed.Second)), rapid.Int64Range(0, int64(fixed.Day))).Draw(t, "wait"))
			want := twin.look(d.now, &d.s, &d.venue)
			if d.recompute(); int64(d.s.Mark) != want {
				t.Fatalf("at %d the mark is %d, the twin says %d", d.now, d.s.Mark, want)
			}
		}
	})
}

// TestCrowdedWindow holds that with more instants than there is room the mean stays that of trades which are younger by less
// than a slot: it lies between the extremes of the twin's, with each trade made at its own time or up to a slot later.
func TestCrowdedWindow(t *testing.T) { // M-35
	const window, slot = fixed.Minute, fixed.Minute * 2 / market.MaxInstants
	rapid.Check(t, func(t *rapid.T) {
		d := composite(t, 1, rule(msg.MarkInputs, msg.MarkTrades), rule(msg.MarkWindow, int64(window)))
		var trades []naiveTrade
		mean := func(age fixed.Nanos) fixed.Ticks {
			sum, count := int64(0), int64(0)
			for _, x := range trades {
				if d.now-x.at <= age {
					sum, count = sum+int64(x.price), count+1
				}
			}
			return fixed.Ticks(sum / count)
		}
		price := fixed.Ticks(10_000)
		gap := rapid.Int64Range(int64(window)/300, int64(window)/150).Draw(t, "gap")
		waits := rapid.SliceOfN(rapid.Int64Range(1, gap), 7, 7).Draw(t, "waits")
		waits = append(waits, gap)
		for i := range 1200 {
			d.now += fixed.Nanos(waits[i%len(waits)])
			price += 1000 // rising, so that a window that keeps old trades has a lower mean
			trades = append(trades, naiveTrade{d.now, price, 1})
			d.m.Trade(d.now, price, 1)
			if i%71 != 0 {
				continue
			}
			d.s.Mark = 0
			d.recompute()
			low, high := mean(window+slot), mean(window)
			if d.s.Mark < low || d.s.Mark > high {
				t.Fatalf("after trade %d the mean is %d, want %d..%d", i, d.s.Mark, low, high)
			}
		}
	})
}

// naivePremium is the premium of a book and an index in ticks (M-40).
func naivePremium(f *market.Funding, index fixed.Ticks, tickLot fixed.Money, bid, ask []level) fixed.Rate {
	at := whole(int64(index))
	over, under := new(big.Rat), new(big.Rat)
	if p := naiveImpact(bid, tickLot, f.Impact); p != nil && p.Cmp(at) > 0 {
		over.Sub(p, at)
	}
	if p := naiveImpact(ask, tickLot, f.Impact); p != nil && p.Cmp(at) < 0 {
		under.Sub(at, p)
	}
	over.Sub(over, under)
	rate := fixed.Rate(cutRat(over.Quo(over.Mul(over, whole(int64(fixed.One))), at)))
	return max(-f.PremiumCap, min(f.PremiumCap, rate))
}

// naiveImpact is the mean price of a notional taken from a side; nil where the side is too thin.
func naiveImpact(side []level, tickLot, notional fixed.Money) *big.Rat {
	left, lots := whole(int64(notional)), new(big.Rat)
	for _, l := range side {
		if l.price <= 0 || l.price > 1<<50 {
			return nil
		}
		one := new(big.Rat).Mul(whole(int64(l.price)), whole(int64(tickLot))) // a lot of the level
		there := new(big.Rat).Mul(one, whole(int64(l.lots)))
		if there.Cmp(left) >= 0 {
			lots.Add(lots, left.Quo(left, one))
			p := new(big.Rat).Quo(whole(int64(notional)), whole(int64(tickLot)))
			return p.Quo(p, lots)
		}
		lots.Add(lots, whole(int64(l.lots)))
		left.Sub(left, there)
	}
	return nil
}

// TestPremiumAgainstNaive holds the premium to the last digit, over books of any shape that is not crossed.
func TestPremiumAgainstNaive(t *testing.T) { // M-40, T-1
	rapid.Check(t, func(t *rapid.T) {
		tickLot := fixed.Money(rapid.Int64Range(1, 1_000_000).Draw(t, "tick-lot"))
		f := funded(t, rule(msg.FundingImpact, rapid.Int64Range(1, int64(market.MaxImpact)).Draw(t, "impact")),
			rule(msg.FundingPremiumCap, rapid.Int64Range(0, int64(fixed.One)).Draw(t, "cap")))
		middle := rapid.Int64Range(2, 1<<40).Draw(t, "middle")
		index := fixed.Ticks(rapid.Int64Range(max(1, middle-middle/8), middle+middle/8).Draw(t, "index"))
		side := func(name string, sign int64) (levels []level) {
			price := middle
			for range rapid.IntRange(0, 5).Draw(t, name) {
				price += sign * rapid.Int64Range(1, middle/8+1).Draw(t, "apart")
				if price <= 0 {
					break
				}
				most := max(1, min(int64(f.Impact)/2/price, 1<<40)/int64(tickLot)+1)
				levels = append(levels, level{fixed.Ticks(price), fixed.Lots(rapid.Int64Range(1, most).Draw(t, "lots"))})
			}
			if rapid.Bool().Draw(t, "deep") && price > 0 {
				levels = append(levels, level{fixed.Ticks(price), fixed.Lots(int64(f.Impact)/price + 1)})
			}
			return levels
		}
		bid, ask := side("bids", -1), side("asks", 1)
		got := f.Premium(index, tickLot, walk(f, tickLot, bid...), walk(f, tickLot, ask...))
		if want := naivePremium(f, index, tickLot, bid, ask); got != want {
			t.Fatalf("premium %v, the twin says %v", got, want)
		}
	})
}

// naiveRate is the rate of samples (M-41).
func naiveRate(f *market.Funding, samples []int64) fixed.Rate {
	sorted := slices.Clone(samples)
	slices.Sort(sorted)
	n := int64(len(sorted))
	k := floorRat(new(big.Rat).Mul(whole(2*n), big.NewRat(int64(f.Trim), int64(fixed.One))))
	if k < n {
		sorted = sorted[k/2:]
		sorted = sorted[:int64(len(sorted))-(k-k/2)]
	}
	a := int64(0)
	if len(sorted) > 0 {
		sum := new(big.Rat)
		for _, s := range sorted {
			sum.Add(sum, whole(s))
		}
		a = cutRat(sum.Quo(sum, whole(int64(len(sorted)))))
	}
	d := int64(f.Interest) - a
	d = max(int64(f.Low), min(int64(f.High), d))
	r := cutRat(new(big.Rat).Mul(whole(a+d), big.NewRat(int64(f.Scale), int64(fixed.One))))
	return fixed.Rate(max(int64(f.Min), min(int64(f.Max), r)))
}

// TestRateAgainstNaive holds rate and step to the last digit under any parameters.
func TestRateAgainstNaive(t *testing.T) { // M-41, M-42, T-1
	one := int64(fixed.One)
	rapid.Check(t, func(t *rapid.T) {
		draw := func(r msg.Rule, low, high int64) msg.Setting {
			return rule(r, rapid.Int64Range(low, high).Draw(t, r.String()))
		}
		f := funded(t, draw(msg.FundingTrim, 0, one/2), draw(msg.FundingInterest, -one, one), draw(msg.FundingScale, 0, 3*one),
			draw(msg.FundingClampLow, -one, 0), draw(msg.FundingClampHigh, 0, one), draw(msg.FundingMin, -one, 0), draw(msg.FundingMax, 0, one))
		period := rapid.Int64Range(1, int64(market.LongestPeriod/fixed.Millisecond))
		f.SetRule(rule(msg.FundingInterval, int64(fixed.Millisecond)*period.Draw(t, "interval")))
		f.SetRule(rule(msg.FundingBase, int64(fixed.Millisecond)*period.Draw(t, "base")))
		samples := rapid.SliceOfN(rapid.Int64Range(-one, one), 0, 30).Draw(t, "samples")
		for _, s := range samples {
			f.AddSample(fixed.Rate(s))
		}
		want := naiveRate(f, samples)
		index, tickLot := fixed.Ticks(rapid.Int64Range(1, 1<<50).Draw(t, "index")), fixed.Money(rapid.Int64Range(1, 1<<12).Draw(t, "tick-lot"))
		step, r := f.Settle(index, tickLot)
		exact := new(big.Rat).Mul(whole(int64(index)*int64(tickLot)), big.NewRat(int64(want), 1000))
		exact.Mul(exact, big.NewRat(int64(f.Interval), int64(f.Base)))
		if fits := new(big.Int).Quo(exact.Num(), exact.Denom()).IsInt64(); fits != (r == 0) {
			t.Fatalf("%q, and yet it fits: %v", r.Name(), fits)
		}
		if r == 0 && (f.Rate != want || int64(step) != cutRat(exact) || f.Index != step) {
			t.Fatalf("rate %v and step %d, the twin says %v and %d", f.Rate, step, want, cutRat(exact))
		}
	})
}

// TestFundingSums holds that what is paid and what is got differ by less than a unit a position, and that two halves of a
// payment are one but for a unit.
func TestFundingSums(t *testing.T) { // I-03
	rapid.Check(t, func(t *rapid.T) {
		a := market.FundingIndex(rapid.Int64Range(-1<<40, 1<<40).Draw(t, "step"))
		b := market.FundingIndex(rapid.Int64Range(-1<<40, 1<<40).Draw(t, "step"))
		lots := rapid.SliceOfN(rapid.Int64Range(-1<<20, 1<<20), 1, 9).Draw(t, "lots")
		net, paid := int64(0), fixed.Money(0)
		for i, q := range append(lots, 0) {
			if i == len(lots) {
				q = -net // the position that makes the lots even
			}
			net += q
			whole, ok := market.Accrued(fixed.Lots(q), 0, a+b)
			first, _ := market.Accrued(fixed.Lots(q), 0, a)
			second, _ := market.Accrued(fixed.Lots(q), a, a+b)
			if off := whole - first - second; !ok || off < -1 || off > 1 {
				t.Fatalf("%d lots: %d in one, %d and %d in two", q, whole, first, second)
			}
			paid += whole
		}
		if even := fixed.Money(len(lots) + 1); paid <= -even || paid >= even {
			t.Fatalf("%d positions leave %d", even, paid)
		}
	})
}
