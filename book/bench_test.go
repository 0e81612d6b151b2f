package book_test

import (
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/lockstep-exchange/lockstep/bench/ops"
	"github.com/lockstep-exchange/lockstep/bench/ref"
	"github.com/lockstep-exchange/lockstep/book"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Run applies every operation of list.
func (d *driver) Run(list []ops.Op) {
	for i := range list {
		d.apply(&list[i])
	}
}

// Counts returns the result, the rejects, and 0 refusals.
func (d *driver) Counts() (r ops.Result, rejects, refused uint64) { return d.Result, d.rejects, 0 }

// BenchmarkStream plays the published streams, a short piece of each, on the book, the plain-map book and the reference
// ladder by turns, forth and back. It reports the book's time an operation, and its ratios to the two. Each piece of a
// thousand operations counts with its fastest round, so that other programs on the machine disturb the ratio little; what
// they do to the caches stays.
//
//	go test -run '^$' -bench Stream -benchtime 10x ./book
func BenchmarkStream(b *testing.B) { // L-53, T-11
	for _, p := range ops.Profiles() {
		b.Run(p.Name, func(b *testing.B) {
			s, err := ops.Generate(p, 500_000, ops.Seed)
			if err != nil {
				b.Fatal(err)
			}
			contestants := []contestant{
				{"book", func() player { return newDriver(s.MaxID, ref.Peak(s), 131072) }, nil},
				{"map", func() player { return ref.NewMapBook(s, ref.Peak(s)) }, nil},
				{"ladder", func() player { l, _ := ref.NewLadder(s); return l }, nil},
			}
			defer debug.SetGCPercent(debug.SetGCPercent(-1))
			for round := range b.N {
				slices.Reverse(contestants)
				for i := range contestants {
					if err := contestants[i].play(s); err != nil {
						b.Fatalf("round %d: %s: %v", round, contestants[i].name, err)
					}
				}
			}
			ns := map[string]float64{}
			for _, c := range contestants {
				sum := time.Duration(0)
				for _, d := range c.fastest {
					sum += d
				}
				ns[c.name] = float64(sum.Nanoseconds()) / float64(len(s.Timed()))
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(ns["book"], "ns/command")
			b.ReportMetric(ns["book"]/ns["ladder"], "of-ladder")
			b.ReportMetric(ns["book"]/ns["map"], "of-map")
		})
	}
}

type player interface {
	Run([]ops.Op)
	Counts() (r ops.Result, rejects, refused uint64)
}

type contestant struct {
	name    string
	fresh   func() player
	fastest []time.Duration // by piece
}

const piece = 1000

// play plays the stream once and keeps, of every piece, the fastest time so far.
func (c *contestant) play(s *ops.Stream) error {
	p := c.fresh()
	p.Run(s.Before())
	runtime.GC()
	i := 0
	for part := range slices.Chunk(s.Timed(), piece) {
		start := time.Now()
		p.Run(part)
		took := time.Since(start)
		if i == len(c.fastest) {
			c.fastest = append(c.fastest, took)
		}
		c.fastest[i] = min(c.fastest[i], took)
		i++
	}
	result, _, _ := p.Counts()
	return s.Check(result)
}

// BenchmarkPlaceResting enters orders behind others and cancels them, in books of so many levels.
func BenchmarkPlaceResting(b *testing.B) {
	for _, levels := range []int{1, 10, 100, 1000, 10_000} {
		b.Run("levels="+strconv.Itoa(levels), func(b *testing.B) {
			s := book.NewStore(uint32(2*levels+10), uint32(levels+10), uint32(levels+300))
			k := book.New(s, 1, 0)
			enter := func(price int) uint32 {
				h := s.Alloc()
				o, t := s.Order(h), s.Ticket(h)
				o.Side, o.Leaves, t.Price, t.Instr = msg.Sell, 1, fixed.Ticks(price), 1
				k.Link(h, msg.Sell, t.Price)
				return h
			}
			for i := range levels {
				enter(i)
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				h := enter(i * 7919 % levels)
				k.Unlink(h)
				s.Free(h)
			}
		})
	}
}
