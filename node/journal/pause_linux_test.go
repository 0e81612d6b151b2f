package journal_test

import (
	"flag"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node/journal"
	"golang.org/x/sys/unix"
)

var pauseOrders = flag.Int("pause-orders", 1_000_000, "orders that rest in the engine of BenchmarkPause")

// resting is an engine in which so many orders rest, of a hundredth as many accounts, in 64 instruments.
func resting(tb testing.TB, orders int) *engine.Engine {
	accounts := max(orders/100, 1)
	e, err := engine.New(engine.Limits{Instruments: 64, Accounts: uint32(accounts), Positions: uint32(64 * accounts), Orders: uint32(orders + 64), Levels: 1 << 16})
	if err != nil {
		tb.Fatal(err)
	}
	e.SetChecks(false)
	var out []msg.Event
	do := func(c msg.Command) {
		c.Seq, c.Time = e.Seq()+1, fixed.Hour
		if out = e.Apply(&c, out[:0]); out[len(out)-1].Kind == msg.Rejected {
			tb.Fatalf("%s: %s", c.String(), out[len(out)-1].String())
		}
	}
	for id := msg.InstrumentID(1); id <= 64; id++ {
		spec := market.Spec{ID: id, Type: msg.Perpetual, TickLot: fixed.Coin, Initial: 10 * fixed.Percent, Maintenance: 5 * fixed.Percent}
		for _, c := range spec.Append(nil) {
			do(c)
		}
		do(msg.SetPhase(id, msg.Continuous))
		do(msg.SetMark(id, 10_000))
	}
	for id := msg.AccountID(1); int(id) <= accounts; id++ {
		do(msg.Deposit(id, 1<<44))
	}
	for n := range orders {
		do(restingOrder(n, accounts))
	}
	return e
}

// restingOrder is the n-th order of a book in which none meets another.
func restingOrder(n, accounts int) msg.Command {
	away := fixed.Ticks(1 + n*7919%400)
	side, price := msg.Buy, 10_000-away
	if n/64%2 == 0 {
		side, price = msg.Sell, 10_000+away
	}
	return msg.Limit(msg.AccountID(n/100%accounts)+1, msg.InstrumentID(n%64)+1, side, price, 5)
}

// BenchmarkPause asks how long an engine with much state keeps a command waiting while a snapshot is made, for each way of D-42 and
// for none: one thread places and cancels an order every ten microseconds, and notes by how much each was late.
//
//	go test ./node/journal -run xxx -bench Pause -benchtime 1x -pause-orders 3000000
func BenchmarkPause(b *testing.B) {
	e := resting(b, *pauseOrders)
	shadow := e.Fork()
	dir := b.TempDir()
	file, err := journal.Publish(journal.Disk{}, dir, shadow)
	if err != nil {
		b.Fatal(err)
	}
	runtime.GC()
	b.Logf("%d orders, %d MiB of snapshot", *pauseOrders, file.Size>>20)
	for _, way := range []string{"none", "stop", "shadow", "none again"} {
		b.Run(way, func(b *testing.B) {
			for b.Loop() {
				late := paced(b, e, way, func() {
					if _, err := journal.Publish(journal.Disk{}, dir, shadow); err != nil {
						b.Error(err)
					}
				})
				slices.Sort(late)
				for _, p := range []struct {
					name string
					at   float64
				}{{"p50", 0.5}, {"p99", 0.99}, {"p99.9", 0.999}, {"p99.99", 0.9999}} {
					b.ReportMetric(float64(late[int(p.at*float64(len(late)-1))].Nanoseconds())/1e3, p.name+"-µs")
				}
				b.ReportMetric(float64(late[len(late)-1].Nanoseconds())/1e3, "max-µs")
			}
		})
	}
	b.Run("verify", func(b *testing.B) {
		b.SetBytes(file.Size)
		for b.Loop() {
			if err := journal.Check(journal.Disk{}, dir, file); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("load", func(b *testing.B) {
		b.SetBytes(file.Size)
		for b.Loop() {
			if err := journal.Load(journal.Disk{}, dir, file, func(take func() []byte) error {
				_, err := engine.Restore(e.Limits(), take)
				return err
			}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// onCore keeps the calling thread on a core, as a node does.
func onCore(b *testing.B, core int) {
	var set unix.CPUSet
	set.Set(core)
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		b.Error(err)
	}
}

// paced applies commands on a thread of its own for five seconds, and gives by how much each was done late. After one second a
// snapshot begins.
func paced(b *testing.B, e *engine.Engine, way string, publish func()) (late []time.Duration) {
	const every = 10 * time.Microsecond
	var over atomic.Bool
	if way == "shadow" {
		go func() {
			runtime.LockOSThread()
			onCore(b, 0)
			_ = unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), 19)
			time.Sleep(time.Second)
			publish()
			over.Store(true)
		}()
	}
	done := make(chan struct{})
	late = make([]time.Duration, 0, 1<<20)
	go func() {
		defer close(done)
		runtime.LockOSThread()
		onCore(b, runtime.NumCPU()-1)
		var out []msg.Event
		accounts := *pauseOrders / 100
		start := time.Now()
		stopped := way != "stop"
		for n := 0; ; n++ {
			due := time.Duration(n) * every
			for time.Since(start) < due {
			}
			if due > 5*time.Second && (way != "shadow" || over.Load()) || len(late) == 1<<20 {
				break
			}
			if !stopped && due > time.Second {
				stopped = true
				runtime.KeepAlive(e.Fork())
			}
			c := restingOrder(n, accounts)
			c.Seq, c.Time = e.Seq()+1, e.Now()
			out = e.Apply(&c, out[:0])
			cancel := msg.Cancel(c.Account, c.Instr, out[0].Order)
			cancel.Seq, cancel.Time = e.Seq()+1, e.Now()
			out = e.Apply(&cancel, out[:0])
			late = append(late, time.Since(start)-due)
		}
	}()
	<-done
	for way == "shadow" && !over.Load() {
		runtime.Gosched()
	}
	return late
}
