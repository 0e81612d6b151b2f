package engine

import (
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// venue is an engine with so many orders that rest, of a hundredth as many accounts, in 64 instruments.
func venue(b testing.TB, orders uint32) *Engine {
	accounts := max(orders/100, 1)
	e, err := New(Limits{Instruments: 64, Accounts: accounts, Positions: 64 * accounts, Orders: orders, Levels: 1 << 16})
	if err != nil {
		b.Fatal(err)
	}
	e.SetChecks(false)
	var out []msg.Event
	do := func(c msg.Command) {
		c.Seq, c.Time = e.seq+1, fixed.Hour
		if out = e.Apply(&c, out[:0]); refusal(out) != 0 {
			b.Fatalf("%s: %s", c.String(), refusal(out).Name())
		}
	}
	for id := msg.InstrumentID(1); id <= 64; id++ {
		spec := perpetual(id)
		for _, c := range spec.Append(nil) {
			do(c)
		}
		do(msg.SetPhase(id, msg.Continuous))
		do(msg.SetMark(id, 10_000))
	}
	for id := msg.AccountID(1); uint32(id) <= accounts; id++ {
		do(msg.Deposit(id, 1<<44))
	}
	seed := xorshift(5)
	for n := range orders {
		away := fixed.Ticks(1 + seed.below(400))
		side, price := msg.Buy, 10_000-away
		if n%2 == 0 {
			side, price = msg.Sell, 10_000+away
		}
		do(msg.Limit(msg.AccountID(n/100%accounts)+1, msg.InstrumentID(n%64)+1, side, price, fixed.Lots(1+seed.below(9))))
	}
	return e
}

// BenchmarkSnapshot writes and restores the state of a venue with a million orders, and forks it:
//
//	go test ./engine -run xxx -bench Snapshot -benchtime 5x
func BenchmarkSnapshot(b *testing.B) {
	e := venue(b, 1_000_000)
	var file []byte
	put := func(piece []byte) bool {
		file = append(file, piece...)
		return true
	}
	e.Snapshot(put)
	b.Run("write", func(b *testing.B) {
		for b.Loop() {
			file = file[:0]
			e.Snapshot(put)
		}
		b.SetBytes(int64(len(file)))
	})
	b.Run("hash", func(b *testing.B) {
		for b.Loop() {
			e.Hash()
		}
		b.SetBytes(int64(len(file)))
	})
	b.Run("new", func(b *testing.B) {
		for b.Loop() {
			if _, err := New(e.limits); err != nil {
				b.Fatal(err)
			}
		}
		b.SetBytes(int64(len(file)))
	})
	b.Run("restore", func(b *testing.B) {
		for b.Loop() {
			restored(b, e.limits, file)
		}
		b.SetBytes(int64(len(file)))
	})
	b.Run("fork", func(b *testing.B) {
		for b.Loop() {
			e.Fork()
		}
		b.SetBytes(int64(len(file)))
	})
}
