package engine

import (
	"testing"

	"github.com/lockstep-exchange/lockstep/clearing"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// TestPrices holds the prices that matter to a position: of an isolated one by its own margin, of a cross one by all that its
// account has; none where there is nothing to be closed, or where no price is low enough.
func TestPrices(t *testing.T) { // M-29, M-30, M-31, T-9
	d := newDesk(t, Limits{})
	s := perpetual(1) // ticks of 0.1, lots of one
	s.TickLot, s.Initial, s.Maintenance = fixed.Coin/10, 2*fixed.Percent, fixed.Percent/2
	d.list(s, 200_000)
	other := s
	other.ID = 2
	d.list(other, 200_000)
	isolated := func(c msg.Command) msg.Command { return with(c, msg.FlagIsolated, msg.GTC) }
	d.ok(msg.Deposit(1, 100_000*fixed.Coin), msg.Deposit(2, 100_000*fixed.Coin), msg.Deposit(3, 500*fixed.Coin),
		msg.Limit(1, 1, msg.Sell, 200_000, 1), isolated(msg.Limit(2, 1, msg.Buy, 200_000, 1)),
		msg.Limit(1, 2, msg.Buy, 200_000, 1), msg.Limit(3, 2, msg.Sell, 200_000, 1))
	for _, c := range []struct {
		name    string
		account msg.AccountID
		instr   msg.InstrumentID
		want    clearing.Prices
	}{
		{"isolated long, 400 for 20,000", 2, 1, clearing.Prices{Liquidation: 196_985, Bankruptcy: 196_000, Fillable: 200_000}},
		{"cross short, 500 for 20,000", 3, 2, clearing.Prices{Liquidation: 203_980, Bankruptcy: 205_000, Fillable: 200_000}},
		{"cross long with a lot of money", 1, 2, clearing.Prices{Liquidation: 0, Bankruptcy: 0, Fillable: 200_000}},
	} {
		if got, ok := d.Prices(c.account, c.instr); !ok || got != c.want {
			t.Errorf("%s: %+v %v, want %+v", c.name, got, ok, c.want)
		}
	}
	if p, ok := d.Prices(3, 1); ok || p != (clearing.Prices{}) {
		t.Errorf("prices of no position: %+v", p)
	}

	// I-28: at the price the pool is safe, a tick further it is not.
	safe := func(account msg.AccountID, instr msg.InstrumentID, mark fixed.Ticks) bool {
		f := d.Fork()
		f.next(msg.SetMark(instr, mark))
		p, _ := f.Position(account, instr)
		if p.Mode == msg.ModeIsolated {
			return p.Margin+p.Profit >= p.Maintenance
		}
		a, _ := f.Account(account)
		return a.Equity >= a.Maintenance
	}
	if !safe(2, 1, 196_985) || safe(2, 1, 196_984) || !safe(3, 2, 203_980) || safe(3, 2, 203_981) {
		t.Error("the liquidation price is not the last that is safe")
	}

	// Below maintenance the price to be offered leaves the mark: 50 of 98.25 are left, so 49.1 % of the tenth of 98.25 away.
	d.ok(msg.SetMark(1, 196_500))
	if p, _ := d.Prices(2, 1); p.Fillable != 196_500-48 || p.Bankruptcy != 196_000 {
		t.Errorf("%+v", p)
	}
}
