package engine_test

import (
	"fmt"

	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// A trading day in the embedder's own process: configuration, deposits and orders are commands, and events come back.
func Example() {
	eng, err := engine.New(engine.Limits{Instruments: 8, Accounts: 1 << 10, Positions: 1 << 12,
		Orders: 1 << 16, Levels: 1 << 14, Events: 1 << 12})
	if err != nil {
		panic(err)
	}
	spec := market.Spec{ID: 1, Symbol: "BTC-USD-PERP", Type: msg.Perpetual, TickLot: 100, // Money per tick and lot
		Initial: 10 * fixed.Percent, Maintenance: 5 * fixed.Percent}
	day := append(spec.Append(nil), // configuration is commands
		msg.SetPhase(1, msg.Continuous), msg.SetMark(1, 50_000), // without a mark no order
		msg.Deposit(1, 1_000*fixed.Coin), msg.Deposit(2, 1_000*fixed.Coin),
		msg.Limit(1, 1, msg.Sell, 50_000, 5), // account, instrument, side, ticks, lots
		msg.Limit(2, 1, msg.Buy, 50_010, 3))
	events := make([]msg.Event, 0, 1<<12)
	for i := range day {
		day[i].Seq, day[i].Time = msg.Seq(i+1), fixed.Nanos(i)
		events = eng.Apply(&day[i], events)
	}
	for _, ev := range events[len(events)-4:] {
		fmt.Println(ev.String())
	}
	buyer, _ := eng.Account(2)
	fmt.Println("initial", buyer.Initial, "free", buyer.Free)
	// Output:
	// #7.0 Accepted account=1 instr=1 order=0:1 sell 5@50000 time=6
	// #8.0 Accepted account=2 instr=1 order=0:2 buy 3@50010 time=7
	// #8.1 Traded account=1 instr=1 order=0:1 sell 3@50000 leaves=2 filled=3 trade=1 peer=0:2 maker fee=0.000000 realized=0.000000 position=-3 time=7
	// #8.2 Traded account=2 instr=1 order=0:2 buy 3@50000 leaves=0 filled=3 trade=1 peer=0:1 taker fee=0.000000 realized=0.000000 position=3 time=7
	// initial 1.500000 free 998.500000
}

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
