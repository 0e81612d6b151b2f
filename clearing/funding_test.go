package clearing

import (
	"math/big"
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// paid is a house over one perpetual with accounts that hold lots of it at no cost.
func paid(t *testing.T, lots ...fixed.Lots) (*House, *market.Instrument) {
	t.Helper()
	instruments := make([]market.Instrument, 2)
	in := &instruments[1]
	if r := in.List(msg.Listing{Type: msg.Perpetual, TickLot: 1}); r != 0 {
		t.Fatal(r.Name())
	}
	in.SetMark(1)
	h := New(Limits{Accounts: uint32(len(lots)), Positions: uint32(len(lots)), Orders: 1, AccountPositions: 1, OwnerAccounts: 1}, instruments)
	for i, q := range lots {
		id := msg.AccountID(i + 1)
		if r := h.Open(id, 0, msg.AllGroups); r != 0 {
			t.Fatal(r.Name())
		}
		h.Deposit(id, 1_000_000)
		row := h.Take(id, 1)
		h.Fill(0, row, in, q, 1, 0)
		h.Settle(row, in)
	}
	return h, in
}

// funded is what an account has received, touched or not.
func funded(t *testing.T, h *House, id msg.AccountID) fixed.Money {
	t.Helper()
	v := market.NewVenue()
	s, ok := h.Summary(id, &v)
	if !ok {
		t.Fatalf("account %d is not open", id)
	}
	return s.Funding
}

// TestFundingExamples are the examples of M-42: what longs pay shorts get, and what rounding leaves has a place.
func TestFundingExamples(t *testing.T) { // M-42, I-03
	for _, c := range []struct {
		name  string
		lots  []fixed.Lots
		steps []int64 // in 1e-6 Money a lot
		want  []fixed.Money
		left  fixed.Money // in @funding when all are settled
	}{
		{"75 a unit", []fixed.Lots{2, 1, 1, -2, -2}, []int64{75_000_000}, []fixed.Money{-150, -75, -75, 150, 150}, 0},
		{"half a unit a lot", []fixed.Lots{1, 1, 1, -3}, []int64{500_000}, []fixed.Money{0, 0, 0, 1}, -1},
		{"two halves are one", []fixed.Lots{1, -1}, []int64{500_000, 500_000}, []fixed.Money{-1, 1}, 0},
		{"there and back", []fixed.Lots{7, -7}, []int64{333_333, -333_333}, []fixed.Money{0, 0}, 0},
		{"shorts pay", []fixed.Lots{3, -3}, []int64{-6_250_000}, []fixed.Money{18, -18}, 0},
	} {
		h, _ := paid(t, c.lots...)
		for _, s := range c.steps {
			h.Fund(1, s)
		}
		for i, want := range c.want {
			id := msg.AccountID(i + 1)
			if got := funded(t, h, id); got != want {
				t.Errorf("%s: before its touch account %d has %d, want %d", c.name, id, got, want)
			}
			if _, got, _ := h.Touch(id); got != -want {
				t.Errorf("%s: account %d pays %d, want %d", c.name, id, got, -want)
			}
			if a := h.Account(id); a.Cash != 1_000_000+want || h.Statement(id).Funding != want || funded(t, h, id) != want {
				t.Errorf("%s: account %d has %d in cash, %d funding, want %d", c.name, id, a.Cash, h.Statement(id).Funding, want)
			}
		}
		if h.Venue.Funding != c.left || h.Imbalance() != 0 {
			t.Errorf("%s: %d left in @funding, want %d; %d missing", c.name, h.Venue.Funding, c.left, h.Imbalance())
		}
	}
}

// TestLazyFundingIsEager lets positions change hands while payments come, in a house that settles whom it touches and in one
// that settles everybody at once, in whole numbers of any size. All that anybody can see of the first is the second, but for
// one unit a settlement that the first has not cut off yet; and two payments are one of their sum.
func TestLazyFundingIsEager(t *testing.T) { // M-42, I-01, I-03
	for _, seed := range []xorshift{5, 0xFEED, 0x12345678} {
		x := seed
		h, in := paid(t, make([]fixed.Lots, 6)...)
		exact := make([]*big.Int, 7) // received, in 1e-6 Money
		touched := make([]int64, 7)
		for i := range exact {
			exact[i] = new(big.Int)
		}
		lots := make([]fixed.Lots, 7)
		for step := range 4000 {
			switch x.below(4) {
			case 0, 1: // a trade between two: both are touched
				from, to := msg.AccountID(1+x.below(6)), msg.AccountID(1+x.below(6))
				q := fixed.Lots(1 + x.below(50))
				if from == to {
					continue
				}
				for id, d := range map[msg.AccountID]fixed.Lots{from: -q, to: q} {
					h.Touch(id)
					touched[id]++
					row := h.Take(id, 1)
					h.Fill(0, row, in, d, 1, 0)
					h.Settle(row, in)
					h.Tidy(row)
					lots[id] += d
				}
			case 2: // a payment, whole or in two parts
				s := x.below(9_000_000) - 4_500_000
				part := x.below(4_500_000)
				if x.below(2) == 0 {
					part = 0
				}
				if !h.CanFund(1, s) {
					t.Fatal("a small step does not fit")
				}
				h.Fund(1, s-part)
				h.Fund(1, part)
				for id := 1; id <= 6; id++ {
					exact[id].Sub(exact[id], product(int64(lots[id]), s))
				}
			case 3:
				id := msg.AccountID(1 + x.below(6))
				h.Touch(id)
				touched[id]++
			}
			for id := msg.AccountID(1); id <= 6; id++ {
				got := product(int64(funded(t, h, id)), 1_000_000)
				off := got.Sub(got, exact[id])
				if off.CmpAbs(product(touched[id]+1, 1_000_000)) >= 0 {
					t.Fatalf("seed %#x, step %d: account %d is off by %s millionths after %d touches", uint64(seed), step, id, off, touched[id])
				}
				if lots[id] == 0 && touched[id] == 0 && funded(t, h, id) != 0 {
					t.Fatalf("who never held anything was paid")
				}
			}
			if h.Imbalance() != 0 {
				t.Fatalf("seed %#x, step %d: %d missing", uint64(seed), step, h.Imbalance())
			}
			if x.below(40) == 0 {
				before := h.Settled()
				m := h.EvenFunding()
				if v := h.Settled(); v.Funding != before.Funding-m || v.Fund-v.Deficit != before.Fund-before.Deficit+m || v.Fund < 0 || h.Imbalance() != 0 {
					t.Fatalf("evened out %d: %+v, before %+v", m, v, before)
				}
			}
		}
		for id := msg.AccountID(1); id <= 6; id++ {
			h.Touch(id)
		}
		h.EvenFunding()
		if v := h.Venue; v.Funding > 0 || v.Funding < 0 && v.Fund != 0 {
			t.Errorf("seed %#x: %+v: all are settled and evened out, and something is left that the fund could bear", uint64(seed), v)
		}
	}
}

// TestCanFund holds that a step is refused at which the largest position there was could owe more than there may be money.
func TestCanFund(t *testing.T) { // M-42
	h, _ := paid(t, 1)

	h.Witness(1, 1<<40)
	bound := new(big.Int).Quo(product(int64(MaxDeposits), 1_000_000), big.NewInt(1<<40)).Int64()
	for _, c := range []struct {
		step int64
		want bool
	}{{bound, true}, {bound + 1, false}, {-bound, true}, {-bound - 1, false}, {fixed.MaxInt64, false}, {fixed.MinInt64, false}, {0, true}} {
		if got := h.CanFund(1, c.step); got != c.want {
			t.Errorf("a step of %d: %v, want %v", c.step, got, c.want)
		}
	}
	h.Fund(1, bound)
	if h.CanFund(1, 1) || !h.CanFund(1, -1) {
		t.Error("the sum is at its bound")
	}
}
