package node_test

import (
	"context"
	"fmt"
	"os"

	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node"
)

// An exchange that survives: what a Reader gives is on the disk, and the next Open goes on where this one ended, however it ended.
func ExampleOpen() {
	dir, err := os.MkdirTemp("", "exchange")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)

	spec := market.Spec{ID: 1, Symbol: "BTC-USD-PERP", Type: msg.Perpetual, TickLot: 100,
		Initial: 10 * fixed.Percent, Maintenance: 5 * fixed.Percent}
	venue := node.Venue{Currency: "USD", Segment: 1 << 20,
		Limits: engine.Limits{Instruments: 8, Accounts: 1 << 10, Orders: 1 << 12, Levels: 1 << 10, Events: 1 << 10},
		Seed: append(spec.Append(nil), msg.SetPhase(1, msg.Continuous), msg.SetMark(1, 50_000),
			msg.Deposit(1, 1_000*fixed.Coin), msg.Deposit(2, 1_000*fixed.Coin))}

	day := []msg.Command{msg.Limit(1, 1, msg.Sell, 50_000, 5), msg.Limit(2, 1, msg.Buy, 50_010, 3)}
	for _, c := range day { // each by a process of its own
		n, found, err := node.Open(dir, venue, node.Config{Clock: func() fixed.Nanos { return 7 }})
		if err != nil {
			panic(err) // it names its exit code: another process runs here, the journal is damaged, the disk failed
		}
		fmt.Println("epoch", found.Epoch, "seq", found.Seq, "ack", found.Ack)
		events, err := n.Reader(true)
		if err != nil {
			panic(err)
		}
		if err := n.Start(); err != nil {
			panic(err)
		}
		if err := n.Port(0).Send(&c.Request); err != nil {
			panic(err)
		}
		stopped := make(chan error)
		go func() { stopped <- n.Stop(context.Background()) }()
		for events.Wait() {
			for e := events.Next(); e != nil; e = events.Next() {
				fmt.Println(e)
			}
			events.Release()
		}
		if err := <-stopped; err != nil {
			panic(err)
		}
	}
	// Output:
	// epoch 1 seq 6 ack fsync
	// #7.0 Accepted account=1 instr=1 order=0:1 sell 5@50000 time=7
	// epoch 2 seq 7 ack fsync
	// #8.0 Accepted account=2 instr=1 order=0:2 buy 3@50010 time=7
	// #8.1 Traded account=1 instr=1 order=0:1 sell 3@50000 leaves=2 filled=3 trade=1 peer=0:2 maker fee=0.000000 realized=0.000000 position=-3 time=7
	// #8.2 Traded account=2 instr=1 order=0:2 buy 3@50000 leaves=0 filled=3 trade=1 peer=0:1 taker fee=0.000000 realized=0.000000 position=3 time=7
}
