package engine

import (
	"testing"
	"time"

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

// guarded is a table whose chunks are copied before they are written to while a snapshot is active: the other way, which was measured
// and not taken (docs/decisions/0017-snapshots-by-a-shadow.md).
type guarded struct {
	rows   [][8]uint64
	active bool
	copied []uint64 // by chunk of 64 KiB, a bit
	spare  [][8]uint64
}

const rowsOfChunk = 1024

//go:noinline
func (g *guarded) copyChunk(row uint32) {
	chunk := row / rowsOfChunk
	if g.copied[chunk>>6]>>(chunk&63)&1 == 0 {
		g.copied[chunk>>6] |= 1 << (chunk & 63)
		copy(g.spare[chunk*rowsOfChunk:], g.rows[chunk*rowsOfChunk:(chunk+1)*rowsOfChunk])
	}
}

func (g *guarded) touch(row uint32) {
	if g.active {
		g.copyChunk(row)
	}
}

// BenchmarkCopyOnWrite writes to four rows of a table of 64 MiB at a time, as a plain order does to its tables, without a guard, with
// one that is idle, and with one that is active.
func BenchmarkCopyOnWrite(b *testing.B) {
	g := &guarded{rows: make([][8]uint64, 1<<20), copied: make([]uint64, 16), spare: make([][8]uint64, 1<<20)}
	for i := range g.rows {
		g.rows[i][0], g.spare[i][0] = 1, 1
	}
	write := func(b *testing.B, guard bool) {
		x := uint32(1)
		for b.Loop() {
			for range 4 {
				x = x*1664525 + 1013904223
				row := x >> 12
				if guard {
					g.touch(row)
				}
				g.rows[row][3]++
			}
		}
	}
	b.Run("plain", func(b *testing.B) { write(b, false) })
	b.Run("idle", func(b *testing.B) { write(b, true) })
	b.Run("active", func(b *testing.B) {
		g.active = true
		longest := time.Duration(0)
		for chunk := range uint32(16) {
			start := time.Now()
			g.touch(chunk*rowsOfChunk + 5)
			longest = max(longest, time.Since(start))
		}
		write(b, true)
		b.ReportMetric(float64(longest.Nanoseconds()), "ns-of-a-first-touch")
		g.active = false
		clear(g.copied)
	})
}
