package engine_test

import (
	"fmt"

	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// What would an order do to my margin? The answer is found by doing it, on a fork: the engine does not notice.
func ExampleEngine_WhatIf() {
	eng, err := engine.New(engine.Limits{Instruments: 1, Accounts: 4, Orders: 64})
	if err != nil {
		panic(err)
	}
	spec := market.Spec{ID: 1, Symbol: "BTC-USD-PERP", Type: msg.Perpetual, TickLot: 100, UnitLots: 1000,
		Initial: 10 * fixed.Percent, Maintenance: 5 * fixed.Percent}
	day := append(spec.Append(nil), msg.SetPhase(1, msg.Continuous), msg.SetMark(1, 500_000),
		msg.Deposit(1, 100_000*fixed.Coin), msg.Deposit(2, 12_000*fixed.Coin),
		msg.Limit(1, 1, msg.Sell, 500_000, 600), msg.Limit(1, 1, msg.Sell, 501_000, 900))
	for i := range day {
		day[i].Seq = msg.Seq(i + 1)
		eng.Apply(&day[i], nil)
	}

	buy := msg.Market(2, 1, msg.Buy, 1000, 0)
	f := eng.WhatIf(buy)
	fmt.Println("1 BTC costs", f.Paid, "and leaves", f.Account.Free, "free of", f.Account.Equity)
	fmt.Println("the largest that passes:", eng.Largest(buy), "lots")
	lots, _ := eng.Reach(1, msg.Buy, 40_000*fixed.Coin)
	fmt.Println("40,000 buys", lots, "lots and requires", eng.WhatIf(msg.Market(2, 1, msg.Buy, lots, 0)).Account.Initial)
	buy.Qty = 5000
	fmt.Println("5 BTC:", eng.WhatIf(buy).Reject)
	// Output:
	// 1 BTC costs 50040.000000 and leaves 6960.000000 free of 11960.000000
	// the largest that passes: 1200 lots
	// 40,000 buys 800 lots and requires 4000.000000
	// 5 BTC: InsufficientMargin
}
