package stress

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// One account long a bitcoin at 50,000, initial 10 %, maintenance 5 %, and a fall by 4, 6 and 7 %. What follows is worked out by hand
// from the margin rules; nothing here is taken from a run.
const (
	oneLong = `name = "one"
[venue]
fund = "1000"
[[instrument]]
name = "BTC-USD-PERP"
price = "50000"
tick = "1"
lot = "0.01"
liq-full = "100000"
[[account]]
name = "long"
deposit = "5500"
position = [{ instrument = "BTC-USD-PERP", qty = "1" }]
`
	threeSteps = `name = "steps"
[[path]]
points = ["1m -4%", "2m -6%", "3m -7%"]
[maker]
spread = "2bp"
levels = 1
depth = "100000"
`
)

// Cross. At 48,000 equity 3,500 is 145.8 % of maintenance 2,400: first call. At 47,000 it is 2,500 of 2,350: second. At 46,500 it is 2,000 of
// 2,325, and the pool is sold: fillable at 46,468 (M-31: 325/2,325 of the way, of 10 % of maintenance), the maker bids 46,495. To be well at
// 110 % it is 557.5 short, and a bitcoin that is sold cures 2,557.5 - 32 - 232.34 (M-48): 0.25 go. Slippage 0.25 · 5, fee 0.5 % of
// 11,623.75. Then 1,940.63125 of 1,743.75 is 111.3 %.
//
// Isolated, with the 5,000 of M-23. At 48,000 3,000 of 2,400: first call. At 47,000 2,000 of 2,350: sold, fillable at 46,966, bid 46,995, 585
// short, a bitcoin cures 2,585 - 34 - 234.83: 0.26 go; slippage 1.3, fee 0.5 % of 12,218.7. At 46,500 1,567.6065 of 1,720.5 for 0.74: sold
// again, fillable at 46,480, bid 46,495, 324.9435 short, a bitcoin cures 2,557.5 - 20 - 232.4: 0.15 go; slippage 0.75, fee 0.5 % of 6,974.25.
func TestLiquidationByHand(t *testing.T) { // M-31, M-46, M-48, M-50
	b, err := ParseBook("one", []byte(oneLong))
	if err != nil {
		t.Fatal(err)
	}
	s, err := ParseShock("steps", []byte(threeSteps))
	if err != nil {
		t.Fatal(err)
	}
	p := compareOf(t, Options{Book: b, Shock: s, Modes: both, Seed: 1})
	for mode, want := range []map[string]int64{
		{"initial": 5_000_000_000, "posted": 5_500_000_000, "calls": 2, "calls2": 1, "called": 1, "liquidations": 1, "liquidated": 1, "slices": 1,
			"sold": 11_623_750_000, "slippage": 1_250_000, "fees": 58_118_750, "income": 58_118_750, "fund": 1_058_118_750, "insurance": 0,
			"takeovers": 0, "adl": 0, "deficit": 0, "broke": 0, "lost": 5_500_000_000 - 1_940_631_250, "gained": 0},
		{"initial": 5_000_000_000, "posted": 5_000_000_000, "calls": 1, "calls2": 0, "called": 1, "liquidations": 2, "liquidated": 1, "slices": 2,
			"sold": 12_218_700_000 + 6_974_250_000, "slippage": 2_050_000, "fees": 61_093_500 + 34_871_250, "fund": 1_095_964_750, "insurance": 0,
			"takeovers": 0, "adl": 0, "deficit": 0, "broke": 0, "lost": 5_000_000_000 - 1_531_985_250, "gained": 0},
	} {
		for name, value := range want {
			if got := p.Modes[mode].Figures.find(name); got.Value != value {
				t.Errorf("%s: %s is %d, expected %d", p.Modes[mode].Mode, name, got.Value, value)
			}
		}
	}
	var told []string
	for _, m := range p.Modes[0].Moments {
		told = append(told, fmt.Sprintf("%s %s %s: %s (%s)", m.Time, m.Kind, m.Account, m.Text, m.Rule))
	}
	want := `00:01:00 MarginCall long: the account is called (call1): equity 3,500, maintenance 2,400 (M-46)
00:02:00 MarginCall long: the account is called (call2): equity 2,500, maintenance 2,350 (M-46)
00:03:00 LiquidationStarted long: liquidation of the account begins: equity 2,000, maintenance 2,325 (M-46)
00:03:00 LiquidationSlice long: sold 0.25 BTC-USD-PERP at 46495, mark 46500: slippage 1.25, fee 58.12, 0.75 left (M-48)
00:03:00 FundIncome @venue: the fund receives 58.12 for long and has 1,058 (M-50)
00:03:00 LiquidationEnded long: liquidation of the account ends (call2): equity 1,941, maintenance 1,744 (M-47)`
	if got := strings.Join(told, "\n"); got != want {
		t.Errorf("got\n%s\nexpected\n%s", got, want)
	}
}

// A fall to 40,000 within a step, which leaves 1 - 0.2 of a bitcoin and nothing in either pool. Cross: equity -4,500, the fund has 1,000 and
// declines; the short that the account traded with closes it at the bankruptcy price of 44,500, so the account ends with nothing and the
// fund pays nothing. Isolated: -5,000 in the child, bankrupt at 45,000, and the 500 outside stay.
func TestDeleveragingByHand(t *testing.T) { // M-30, M-52, M-53
	b, err := ParseBook("one", []byte(oneLong))
	if err != nil {
		t.Fatal(err)
	}
	s, err := ParseShock("gap", []byte("name = \"gap\"\n[[path]]\npoints = [\"1m -20%\"]\n"))
	if err != nil {
		t.Fatal(err)
	}
	p := compareOf(t, Options{Book: b, Shock: s, Modes: both, Seed: 1})
	for mode, want := range []map[string]int64{
		{"takeovers": 0, "adl": 1, "fills": 1, "deleveraged": 44_500 * int64(fixed.Coin), "insurance": 0, "fund": 1000 * int64(fixed.Coin), "deficit": 0,
			"liquidated": 1, "broke": 1, "lost": 5_500 * int64(fixed.Coin)},
		{"takeovers": 0, "adl": 1, "fills": 1, "deleveraged": 45_000 * int64(fixed.Coin), "insurance": 0, "fund": 1000 * int64(fixed.Coin), "deficit": 0,
			"liquidated": 1, "broke": 0, "lost": 5_000 * int64(fixed.Coin)},
	} {
		for name, value := range want {
			if got := p.Modes[mode].Figures.find(name); got.Value != value {
				t.Errorf("%s: %s is %d, expected %d", p.Modes[mode].Mode, name, got.Value, value)
			}
		}
	}
	if w := p.Worst[0]; w.Rule != "M-23" || w.Modes[0].Outcome != "deleveraged" || w.Verdict != "isolated left it 500 better off than cross" {
		t.Errorf("%+v", w)
	}
}

// Whatever the shock, what some lose others have: the equity of the book, of counterparty and maker, the fund and the venue's balances are
// together what was paid in, to the unit. It is counted from outside, by what can be looked up, once the fund has sold what it took over.
func TestMoneyFromOutside(t *testing.T) { // I-01
	counted := 0
	for _, name := range []string{"gap-down", "v-shape", "short-squeeze", "oracle-freeze", "liquidity-vanishes", "corr-to-one"} {
		for _, mode := range both {
			b := bookOf(t, "institutional")
			r, err := newRun(t.Context(), b, shockOf(t, name), b.draw(b.Seed), mode, b.Seed)
			if err != nil {
				t.Fatal(err)
			}
			if err := r.walkThrough(func(int64) {}); err != nil {
				t.Fatal(err)
			}
			paid, there := b.fund+2*deepPocket, fixed.Money(0)
			lots := make([]fixed.Lots, len(b.instruments)+1)
			for _, a := range r.accounts {
				paid += a.deposit
				there += r.value(a).equity
				for _, p := range a.positions {
					h, _ := r.eng.Position(a.id, p.in.id)
					lots[p.in.id] += h.Qty
				}
			}
			for _, id := range []msg.AccountID{r.counterparty, r.maker} {
				s, _ := r.eng.Account(id)
				there += s.Equity
				for _, in := range b.instruments {
					h, _ := r.eng.Position(id, in.id)
					lots[in.id] += h.Qty
				}
			}
			v := r.eng.VenueAccounts()
			there += v.Fund + v.Fees + v.Funding + v.Rebates + v.Deficit
			if slices.ContainsFunc(lots, func(n fixed.Lots) bool { return n != 0 }) {
				continue // the fund still holds something, at a cost that cannot be looked up
			}
			if counted++; paid != there {
				t.Errorf("%s, %s: %s were paid in and %s are there", name, mode, paid, there)
			}
		}
	}
	if counted < 6 {
		t.Errorf("money was counted %d times, expected 6 of 12 at least", counted)
	}
}
