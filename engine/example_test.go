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
