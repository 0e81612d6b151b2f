package clearing

import (
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

func tier(i int, volume fixed.Money, maker, taker fixed.Rate, last bool) msg.FeeTier {
	return msg.FeeTier{Index: uint8(i), Volume: volume, Fees: msg.Fees{Maker: maker, Taker: taker}, Last: last}
}

// TestSetFeeTier goes over the bounds of a table, one step inside and one outside.
func TestSetFeeTier(t *testing.T) { // M-44
	const bp = fixed.BasisPoint
	for _, c := range []struct {
		name string
		rows []msg.FeeTier
		want msg.Reject // of the last row
	}{
		{"the example", []msg.FeeTier{tier(0, 0, bp, 5*bp, false), tier(1, 25_000_000*fixed.Coin, -bp, 5*bp/2, true)}, 0},
		{"one row", []msg.FeeTier{tier(0, 0, -bp, bp, true)}, 0},
		{"maker of one row above taker of another", []msg.FeeTier{tier(0, 0, bp, 5*bp, false), tier(1, 1, -2*bp, 2*bp-1, true)}, msg.RejectInvalidParameter},
		{"as much", []msg.FeeTier{tier(0, 0, -2*bp, 5*bp, false), tier(1, 1, 0, 2*bp, true)}, 0},
		{"taker of a later row below maker of a former", []msg.FeeTier{tier(0, 0, -2*bp, 5*bp, false), tier(1, 1, 0, 2*bp-1, true)}, msg.RejectInvalidParameter},
		{"volume above 0 first", []msg.FeeTier{tier(0, 1, bp, bp, true)}, msg.RejectInvalidParameter},
		{"volume that stays", []msg.FeeTier{tier(0, 0, bp, bp, false), tier(1, 7, bp, bp, false), tier(2, 7, bp, bp, true)}, msg.RejectInvalidParameter},
		{"volume that rises by one", []msg.FeeTier{tier(0, 0, bp, bp, false), tier(1, 7, bp, bp, false), tier(2, 8, bp, bp, true)}, 0},
		{"a row left out", []msg.FeeTier{tier(0, 0, bp, bp, false), tier(2, 7, bp, bp, true)}, msg.RejectInvalidParameter},
		{"taker paid", []msg.FeeTier{tier(0, 0, bp, -1, true)}, msg.RejectInvalidParameter},
		{"taker of one", []msg.FeeTier{tier(0, 0, -fixed.One, fixed.One, true)}, 0},
		{"taker above one", []msg.FeeTier{tier(0, 0, 0, fixed.One+1, true)}, msg.RejectInvalidParameter},
		{"maker above one", []msg.FeeTier{tier(0, 0, fixed.One+1, fixed.One, true)}, msg.RejectInvalidParameter},
		{"maker far below", []msg.FeeTier{tier(0, 0, fixed.MinInt64, 1, true)}, msg.RejectInvalidParameter},
	} {
		h, _ := paid(t, 1)
		got := msg.Reject(0)
		for _, r := range c.rows {
			got = h.SetFeeTier(r)
		}
		if got != c.want || h.Tiered() != (c.want == 0) {
			t.Errorf("%s: %q, tiered %v, want %q", c.name, got.Name(), h.Tiered(), c.want.Name())
		}
	}
	h, _ := paid(t, 1)
	for i := range MaxFeeTiers {
		r := tier(i, fixed.Money(i), bp, bp, i == MaxFeeTiers-1)
		if i == MaxFeeTiers-1 {
			more := r
			more.Last = false
			if h.SetFeeTier(more) == 0 {
				t.Error("more rows than there may be")
			}
		}
		if got := h.SetFeeTier(r); got != 0 {
			t.Errorf("row %d: %s", i, got.Name())
		}
	}
}

// TestVolumeAgainstSums lets owners trade on random days; their volume is the sum of the thirty days before today, whoever
// asks for it and when.
func TestVolumeAgainstSums(t *testing.T) { // M-44
	for _, seed := range []xorshift{9, 0xBEEF} {
		x := seed
		h, _ := paid(t, 1, -1, 0)
		h.SetFeeTier(tier(0, 0, 1, 1000, false))
		h.SetFeeTier(tier(1, 500_000, 1, 500, false))
		h.SetFeeTier(tier(2, 2_000_000, 1, 100, true))
		traded := map[msg.OwnerID]map[int64]fixed.Money{1: {}, 2: {}, 3: {}}
		day := int64(0)
		for step := range 5000 {
			if x.below(5) == 0 {
				day += x.below(3)
				if x.below(50) == 0 {
					day += x.below(70)
				}
				h.StartDay(fixed.Nanos(day)*fixed.Day + 7)
			}
			volume := func(owner msg.OwnerID) (m fixed.Money) {
				for d := day - 30; d < day; d++ {
					m += traded[owner][d]
				}
				return m
			}
			for owner := msg.OwnerID(1); owner <= 3; owner++ {
				want := fixed.Rate(1000)
				if v := volume(owner); v >= 2_000_000 {
					want = 100
				} else if v >= 500_000 {
					want = 500
				}
				if got := h.FeesOf(owner).Taker; got != want || h.ReserveOf(owner) != want {
					t.Fatalf("seed %#x, step %d, day %d: owner %d pays %d, want %d at a volume of %d", uint64(seed), step, day, owner, got, want, volume(owner))
				}
				if x.below(9) == 0 {
					if s, _ := h.ChangedTier(owner); s.Volume != volume(owner) {
						t.Fatalf("seed %#x, step %d: volume %d, want %d", uint64(seed), step, s.Volume, volume(owner))
					}
					if _, again := h.ChangedTier(owner); again {
						t.Fatal("the same row is told twice")
					}
				}
			}
			taker, maker := msg.OwnerID(1+x.below(3)), msg.OwnerID(1+x.below(3))
			n := fixed.Money(x.below(90_000))
			rate := h.FeesOf(taker).Taker
			fee, rebate := h.ChargeOwners(n, taker, maker)
			if want, _ := rate.Ceil(n); fee != want || rebate < 0 {
				t.Fatalf("charged %d and %d for %d, want %d", fee, rebate, n, want)
			}
			if taker != maker {
				traded[taker][day] += n
				traded[maker][day] += n
			}
		}
	}
}

// TestVolumeDoesNotWrap holds that a volume beyond all money stays in the last row.
func TestVolumeDoesNotWrap(t *testing.T) { // M-44
	h, _ := paid(t, 1, -1)
	h.SetFeeTier(tier(0, 0, 5, 5, false))
	h.SetFeeTier(tier(1, fixed.MaxInt64, 1, 1, true))
	for range 3 {
		h.ChargeOwners(fixed.MaxInt64/2+1, 1, 2)
	}
	h.StartDay(fixed.Day)
	if got := h.FeesOf(1).Taker; got != 1 {
		t.Errorf("pays %d", got)
	}
}

// TestTieredRebate holds that a rebate is bounded by what the taker pays, both by the rows of their owners, and that there is
// none within an owner.
func TestTieredRebate(t *testing.T) { // M-45, I-27
	const bp = fixed.BasisPoint
	h, _ := paid(t, 1, -1)
	h.SetFeeTier(tier(0, 0, -bp, 5*bp, false))
	h.SetFeeTier(tier(1, 1_000_000, -bp, bp, true))
	for _, c := range []struct {
		taker, maker        msg.OwnerID
		n                   fixed.Money
		wantTaker, wantMake fixed.Money
	}{{1, 2, 10_000, 5, -1}, {2, 1, 15_000, 8, -1}, {1, 1, 10_000, 5, 0}, {1, 2, 1, 1, 0}} {
		if taker, maker := h.ChargeOwners(c.n, c.taker, c.maker); taker != c.wantTaker || maker != c.wantMake {
			t.Errorf("%+v: %d and %d", c, taker, maker)
		}
	}
}
