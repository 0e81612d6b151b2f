package book

import (
	"math/big"
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// impactPrice is the impact price of notional n on a side, by the words of M-40, over its levels: whole levels while they fit,
// the last level the rest; nil where the side is too thin. m is the value of a tick of a lot.
func impactPrice(levels []Depth, n, m int64) *big.Rat {
	spent, lots, want := new(big.Int), new(big.Int), big.NewInt(n)
	for _, l := range levels {
		p := big.NewInt(int64(l.Price))
		worth := new(big.Int).Mul(p, big.NewInt(int64(l.Qty)))
		worth.Mul(worth, big.NewInt(m))
		if after := new(big.Int).Add(spent, worth); after.Cmp(want) < 0 {
			spent = after
			lots.Add(lots, big.NewInt(int64(l.Qty)))
			continue
		}
		den := new(big.Int).Mul(lots, p)
		den.Mul(den, big.NewInt(m)).Add(den, want).Sub(den, spent)
		return new(big.Rat).SetFrac(new(big.Int).Mul(want, p), den)
	}
	return nil
}

// price is the impact price of what the book answered.
func (i Impact) price(n, m int64) *big.Rat {
	p := big.NewInt(int64(i.Price))
	den := new(big.Int).Mul(big.NewInt(int64(i.Lots)), p)
	den.Mul(den, big.NewInt(m)).Add(den, big.NewInt(n))
	den.Sub(den, new(big.Int).Mul(big.NewInt(i.TickLots), big.NewInt(m)))
	return new(big.Rat).SetFrac(new(big.Int).Mul(big.NewInt(n), p), den)
}

func TestImpactExamples(t *testing.T) { // M-40
	b := sells(maker{price: 100, lots: 5}, maker{price: 100, lots: 1}, maker{price: 101, lots: 3}, maker{price: 110, lots: 2})
	for _, c := range []struct {
		name     string
		tickLots int64
		room     int
		want     Impact
		ok       bool
	}{
		{"one tick-lot", 1, 9, Impact{0, 0, 100}, true},
		{"the first level to its last lot", 600, 9, Impact{0, 0, 100}, true},
		{"one more", 601, 9, Impact{6, 600, 101}, true},
		{"two levels", 903, 9, Impact{6, 600, 101}, true},
		{"all", 1123, 9, Impact{9, 903, 110}, true},
		{"too thin by one", 1124, 9, Impact{}, false},
		{"within the room", 903, 2, Impact{6, 600, 101}, true},
		{"beyond the room", 904, 2, Impact{}, false},
		{"no room", 1, 0, Impact{}, false},
	} {
		if got, ok := b.Impact(msg.Sell, c.tickLots, c.room); got != c.want || ok != c.ok {
			t.Errorf("%s: %+v %v, want %+v %v", c.name, got, ok, c.want, c.ok)
		}
	}
	if got, ok := b.Impact(msg.Buy, 1, 9); ok {
		t.Errorf("an empty side: %+v", got)
	}
	bid := New(NewStore(50, 50, 200), 1, 100)
	place(bid, msg.Buy, 101, 10)
	if i, ok := bid.Impact(msg.Buy, 1000, 9); !ok || i.price(1000, 1).Cmp(big.NewRat(101, 1)) != 0 {
		t.Errorf("bid 101 for n: %+v %v", i, ok)
	}
}

// TestImpactOfLevelsBeyondAllValues holds that a level worth more than fits reaches whatever is asked for.
func TestImpactOfLevelsBeyondAllValues(t *testing.T) {
	b := sells(maker{price: 7, lots: 3}, maker{price: 1 << 55, lots: 1 << 55})
	if got, ok := b.Impact(msg.Sell, fixed.MaxInt64, 9); !ok || got != (Impact{3, 21, 1 << 55}) {
		t.Errorf("%+v %v", got, ok)
	}
	below := sells(maker{price: -3, lots: 3}, maker{price: 5, lots: 1})
	if got, ok := below.Impact(msg.Sell, 1, 9); ok {
		t.Errorf("a level without a positive price: %+v", got)
	}
}

func TestLotsWithin(t *testing.T) { // M-48
	b := sells(maker{price: 100, lots: 5}, maker{price: 100, lots: 1, flags: ReduceOnly}, maker{price: 103, lots: 3})
	place(b, msg.Buy, 90, 4)
	place(b, msg.Buy, 88, 7)
	for _, c := range []struct {
		side  msg.Side
		limit fixed.Ticks
		room  int
		want  fixed.Lots
	}{
		{msg.Sell, 99, 9, 0}, {msg.Sell, 100, 9, 6}, {msg.Sell, 102, 9, 6}, {msg.Sell, 103, 9, 9}, {msg.Sell, 103, 1, 6}, {msg.Sell, 103, 0, 0},
		{msg.Buy, 91, 9, 0}, {msg.Buy, 90, 9, 4}, {msg.Buy, 89, 9, 4}, {msg.Buy, 88, 9, 11}, {msg.Buy, 1, 9, 11},
	} {
		if got := b.LotsWithin(c.side, c.limit, c.room); got != c.want {
			t.Errorf("side %d, limit %d, room %d: %d lots, want %d", c.side, c.limit, c.room, got, c.want)
		}
	}
}

// TestDepthAgainstNaive asks random books and their levels the same.
func TestDepthAgainstNaive(t *testing.T) { // M-40, M-48
	seed := xorshift(0x2545F4914F6CDD1D)
	t.Logf("seed %#x", uint64(seed))
	reached := 0
	for range 3000 {
		b := New(NewStore(100, 100, 300), 1, 5000)
		for range seed.below(40) {
			place(b, msg.Side(1+seed.below(2)), fixed.Ticks(1+seed.below(1+seed.below(10_000))), fixed.Lots(1+seed.below(20)))
		}
		for _, side := range [2]msg.Side{msg.Buy, msg.Sell} {
			room := int(1 + seed.below(30))
			levels := b.Levels(side, nil, room)
			n, m := 1+seed.below(1+seed.below(900_000_000)), 1+seed.below(700)
			want := impactPrice(levels, n, m)
			tickLots, _ := fixed.MulDivCeil(n, 1, m)
			got, ok := b.Impact(side, tickLots, room)
			if ok != (want != nil) || ok && got.price(n, m).Cmp(want) != 0 {
				t.Fatalf("impact of %d at %d a tick-lot: %+v %v, want %v\n%s", n, m, got, ok, want, b.Append(nil, 50))
			}
			if ok {
				reached++
			}
			limit, sum := fixed.Ticks(seed.below(11_000)), fixed.Lots(0)
			for _, l := range levels {
				if reaches(side.Opposite(), limit, l.Price) {
					sum += l.Qty
				}
			}
			if got := b.LotsWithin(side, limit, room); got != sum {
				t.Fatalf("side %d within %d: %d lots, want %d\n%s", side, limit, got, sum, b.Append(nil, 50))
			}
		}
	}
	if reached < 1000 {
		t.Errorf("only %d of the notionals were reached", reached)
	}
}
