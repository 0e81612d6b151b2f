package clearing

import (
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/margin"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
	"pgregory.net/rapid"
)

// The worked examples of the margin rules, with the same numbers.

// bench is a house with one perpetual at a mark and accounts of owners of their own.
func bench(t rapid.TB, tickLot fixed.Money, mark fixed.Ticks, accounts uint32) (*House, *market.Instrument) {
	t.Helper()
	instruments := make([]market.Instrument, 3)
	for id := range instruments[1:] {
		if r := instruments[id+1].List(msg.Listing{Type: msg.Perpetual, TickLot: tickLot}); r != 0 {
			t.Fatal(r.Name())
		}
		instruments[id+1].SetMark(mark)
	}
	h := New(Limits{Accounts: accounts, Positions: 16, Orders: 16, AccountPositions: 4, OwnerAccounts: 1}, instruments)
	for id := msg.AccountID(1); id <= msg.AccountID(accounts); id++ {
		h.Open(id, 0, msg.AllGroups)
	}
	return h, &instruments[1]
}

// fill books lots to an account, as a taker without fee.
func fill(h *House, in *market.Instrument, id msg.AccountID, delta fixed.Lots, price fixed.Ticks) (realized fixed.Money) {
	row := h.Take(id, 1)
	h.Touch(id)
	realized = h.Fill(0, row, in, delta, price, 0)
	h.Settle(row, in)
	h.Tidy(row)
	return realized
}

func look(t rapid.TB, h *House, id msg.AccountID) Summary {
	t.Helper()
	v := market.NewVenue()
	s, ok := h.Summary(id, &v)
	if !ok {
		t.Fatalf("account %d is not open", id)
	}
	return s
}

// TestEquity opens a position at the mark: equity is what was paid in, to the unit.
func TestEquity(t *testing.T) { // M-03
	h, in := bench(t, fixed.Coin, 50_000, 2)
	h.Deposit(1, 60_000*fixed.Coin+1)
	fill(h, in, 1, 1, 50_000)
	if s := look(t, h, 1); s.Equity != 60_000_000_001 || s.Cash != 60_000_000_001 {
		t.Errorf("%+v", s)
	}
	in.SetMark(52_000)
	h.Remark()
	if s := look(t, h, 1); s.Equity != 62_000_000_001 || s.Cash != 60_000_000_001 {
		t.Errorf("%+v", s)
	}
}

// TestRealization releases the cost of what closes, rounded up.
func TestRealization(t *testing.T) { // M-04
	h, in := bench(t, 1, 1, 2)
	fill(h, in, 1, 1, 2)
	fill(h, in, 1, 2, 4) // long 3 with cost 10
	if realized := fill(h, in, 1, -1, 5); realized != 1 {
		t.Errorf("realized %d, want 1", realized)
	}
	if p, _ := h.Holding(1, 1); p.Cost != 6 || p.Qty != 2 || look(t, h, 1).Cash != 1 {
		t.Errorf("%+v with cash %d, want cost 6 and cash 1", p, look(t, h, 1).Cash)
	}
	fill(h, in, 2, -1, 2)
	fill(h, in, 2, -2, 4) // short 3 with cost -10: a third of it is -3.33, rounded up -3
	if realized := fill(h, in, 2, 1, 5); realized != -5+3 {
		t.Errorf("realized %d, want -2", realized)
	}
	if p, _ := h.Holding(2, 1); p.Cost != -7 || p.Qty != -2 {
		t.Errorf("%+v, want cost -7", p)
	}
	fill(h, in, 2, 2, 5)
	if _, held := h.Holding(2, 1); held || h.Ledger(1) == nil {
		t.Error("a flat position without orders is still held")
	}
}

// TestFeesOfATrade books a fee and a rebate to the venue's accounts.
func TestFeesOfATrade(t *testing.T) { // M-05
	h, in := bench(t, fixed.Coin, 100, 2)
	in.SetFees(msg.Fees{Maker: -fixed.Percent / 2, Taker: 3 * fixed.Percent / 2})
	taker, maker := charge(100*fixed.Coin, in.Taker, in.Maker, false)
	h.Collect(taker, maker, 2)
	if taker != 1_500_000 || maker != -500_000 || h.Venue.Fees != 1_000_000 || h.Venue.Rebates != 500_000 {
		t.Errorf("taker pays %s, maker %s, venue %+v", taker, maker, h.Venue)
	}
	if s := look(t, h, 2); s.Rebate != 500_000 || s.Cash != 0 || s.Equity != 0 {
		t.Errorf("a pending rebate is not equity: %+v", s)
	}
}

// TestFeeRounding holds the examples of fees and rebates.
func TestFeeRounding(t *testing.T) { // M-43, M-45
	const percent, bp = fixed.Percent, fixed.BasisPoint
	for _, c := range []struct {
		maker, taker fixed.Rate
		n            fixed.Money
		same         bool
		wantTaker    fixed.Money
		wantMaker    fixed.Money
	}{
		{0, percent / 5, 1, false, 1, 0}, // 0.2 % of one unit is one unit
		{percent / 2, percent / 5, 3 * 1002 * fixed.Coin, false, 6_012_000, 15_030_000},
		{-bp, bp, 10_000 * fixed.Coin, false, fixed.Coin, -fixed.Coin},
		{-bp, bp, 9_999, false, 1, 0}, // a rebate rounds down
		{-bp, bp, 10_001, false, 2, -1},
		{-bp, bp, 10_000 * fixed.Coin, true, fixed.Coin, 0}, // none between accounts of one owner
		{bp, bp, 10_000 * fixed.Coin, true, fixed.Coin, fixed.Coin},
		{0, 0, 1 << 60, false, 0, 0},
	} {
		_, in := bench(t, fixed.Coin, 1, 1)
		if r := in.SetFees(msg.Fees{Maker: c.maker, Taker: c.taker}); r != 0 {
			t.Fatal(r.Name())
		}
		if taker, maker := charge(c.n, in.Taker, in.Maker, c.same); taker != c.wantTaker || maker != c.wantMaker {
			t.Errorf("%+v: taker %d, maker %d", c, taker, maker)
		}
	}
	// A rule gives no rebate above the taker's fee; where rates moved apart, a trade's rebate stops at its fee.
	in := market.Instrument{Maker: -bp, Taker: bp / 2}
	if taker, maker := charge(10_000*fixed.Coin, in.Taker, in.Maker, false); taker != 500_000 || maker != -500_000 {
		t.Errorf("maker -1 bp against a taker at 0.5 bp: %s and %s, want a rebate of 0.5 bp", taker, maker)
	}
}

// TestFree holds the worked example of what is free.
func TestFree(t *testing.T) { // M-15
	h, in := bench(t, fixed.Coin, 50_000, 1)
	h.Deposit(1, 20_000*fixed.Coin)
	fill(h, in, 1, 1, 50_000)
	if s := look(t, h, 1); s.Initial != 5_000*fixed.Coin || s.Free != 15_000*fixed.Coin || s.Maintenance != 2_500*fixed.Coin {
		t.Errorf("%+v", s)
	}
}

// TestWithdrawable holds the worked examples of withdrawals, and of transfers within an owner and to another.
func TestWithdrawable(t *testing.T) { // M-19, M-20
	h, in := bench(t, fixed.Coin, 46, 2)
	v := market.NewVenue()
	in.SetTier(msg.Tier{Initial: 10 * fixed.Percent, Maintenance: 5 * fixed.Percent})
	h.Deposit(1, 1_000*fixed.Coin)
	fill(h, in, 1, 100, 46)
	in.SetMark(50) // notional 5,000, profit 400, initial 500
	h.Remark()
	s := look(t, h, 1)
	if s.Cash != 1_000*fixed.Coin || s.Initial != 500*fixed.Coin || s.Equity != 1_400*fixed.Coin || s.Withdrawable != 500*fixed.Coin {
		t.Errorf("%+v", s)
	}
	h.Touch(1)
	h.Touch(2)
	if got := h.Transferable(1, 2, &v); got != 500*fixed.Coin {
		t.Errorf("transferable to another owner: %s, want 500", got)
	}
	h.accounts[2].Owner = 1
	if got := h.Transferable(1, 2, &v); got != 900*fixed.Coin {
		t.Errorf("transferable to an own account: %s, want 900", got)
	}
	h.accounts[2].Owner = 2
	v.ProfitHaircut = 0
	if got := h.Withdrawable(1, &v); got != 900*fixed.Coin {
		t.Errorf("withdrawable without a haircut: %s, want 900", got)
	}
	v.WithdrawMargin = 20 * fixed.Percent
	if got := h.Withdrawable(1, &v); got != 400*fixed.Coin {
		t.Errorf("withdrawable with a fifth of notional left behind: %s, want 400", got)
	}
	if r := h.Withdraw(1, 400*fixed.Coin+1, &v); r != msg.RejectInsufficientFunds {
		t.Errorf("one unit more: %q", r.Name())
	}
	if r := h.Withdraw(1, 400*fixed.Coin, &v); r != 0 || h.Deposited() != 600*fixed.Coin || look(t, h, 1).Cash != 600*fixed.Coin {
		t.Errorf("all of it: %q, %s left in the venue", r.Name(), h.Deposited())
	}
}

// TestRebatesVestAtTheDayCut holds that a rebate is pending until the first touch on a later day, whatever happens on its
// own day, and that looking at it does not change it.
func TestRebatesVestAtTheDayCut(t *testing.T) { // M-45
	h, _ := bench(t, 1, 1, 1)
	day := func(now fixed.Nanos) {
		if now >= h.Cut() {
			h.StartDay(now)
		}
	}
	day(3*fixed.Day + 23*fixed.Hour)
	h.Touch(1)
	h.Collect(10, -4, 1)
	day(4*fixed.Day - 1)
	if got, _, _ := h.Touch(1); got != 0 || look(t, h, 1).Rebate != 4 {
		t.Errorf("%d vested before the day was over", got)
	}
	h.Collect(10, -3, 1)
	day(4 * fixed.Day)
	if s := look(t, h, 1); s.Cash != 7 || s.Rebate != 0 || h.Venue.Rebates != 7 {
		t.Errorf("at the cut: %+v, venue %+v", s, h.Venue)
	}
	if got, _, _ := h.Touch(1); got != 7 || h.Venue.Rebates != 0 {
		t.Errorf("%d vested, want 7; venue %+v", got, h.Venue)
	}
	if got, _, _ := h.Touch(1); got != 0 {
		t.Errorf("%d vested twice", got)
	}
	h.Collect(10, -2, 1)
	day(9 * fixed.Day)
	if got, _, _ := h.Touch(1); got != 2 || look(t, h, 1).Cash != 9 {
		t.Errorf("%d vested days later, want 2", got)
	}
}

// TestNoFreeMoney holds that opening and closing at one price, in any pieces, never raises equity, and that many small
// fills cost at least what one large one does.
func TestNoFreeMoney(t *testing.T) { // I-04
	rapid.Check(t, func(t *rapid.T) {
		h, in := bench(t, 7, 100, 2)
		in.SetFees(msg.Fees{Taker: fixed.Rate(rapid.Int64Range(0, int64(fixed.Percent)).Draw(t, "taker"))})
		price := fixed.Ticks(rapid.Int64Range(1, 300).Draw(t, "price"))
		sign := fixed.Lots(rapid.SampledFrom([]int64{-1, 1}).Draw(t, "sign"))
		pieces := rapid.SliceOfN(rapid.Int64Range(1, 50), 1, 12).Draw(t, "pieces")
		total, small := fixed.Lots(0), fixed.Money(0)
		book := func(id msg.AccountID, lots fixed.Lots) fixed.Money {
			n, _ := fixed.Notional(fixed.Abs(lots), price, in.TickLot)
			fee, _ := charge(n, in.Taker, in.Maker, false)
			row := h.Take(id, 1)
			h.Touch(id)
			h.Fill(0, row, in, lots, price, fee)
			h.Settle(row, in)
			return fee
		}
		for _, p := range pieces {
			total += fixed.Lots(p)
			small += book(1, sign*fixed.Lots(p))
		}
		large := book(2, sign*total)
		if small < large {
			t.Fatalf("%d in pieces, %d at once", small, large)
		}
		in.SetMark(fixed.Ticks(rapid.Int64Range(1, 300).Draw(t, "mark")))
		h.Remark()
		for left := total; left > 0; {
			p := min(left, fixed.Lots(rapid.Int64Range(1, 50).Draw(t, "closed")))
			book(1, -sign*p)
			left -= p
		}
		a := h.accounts[1]
		if p, _ := h.Holding(1, 1); p.Qty != 0 || p.Cost != 0 || a.Cash > 0 || a.Equity() > 0 {
			t.Fatalf("%+v with cash %d and equity %d, want flat and no more than before", p, a.Cash, a.Equity())
		}
	})
}

// TestReservesFollowTheirOrders holds the reserve of a resting order to its terms, through fills of any size.
func TestReservesFollowTheirOrders(t *testing.T) { // M-14
	h, in := bench(t, fixed.Coin, 100, 2)
	in.SetFees(msg.Fees{Taker: fixed.Percent / 10})
	r := Resting{Order: 3, Side: msg.Buy, Limit: 101}
	terms := margin.TermsOf(in, msg.Buy, 101)
	h.Add(r, h.Take(1, 1), in, terms, 10)
	for leaves := fixed.Lots(10); leaves > 0; leaves-- {
		want, _ := terms.Reserve(in, leaves, 101)
		if p := h.Position(h.Find(1, 1)); p.BuyReserve != want || p.Buys != leaves {
			t.Fatalf("%d lots open: %+v, want a reserve of %s", leaves, p, want)
		}
		h.FillResting(r, in, 1, leaves-1, 101, 0)
	}
	if p, _ := h.Holding(1, 1); p.Buys != 0 || p.Open != 0 || p.Qty != 10 {
		t.Errorf("%+v", p)
	}
}
