package journal_test

import (
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node/journal"
	"github.com/lockstep-exchange/lockstep/ring"
	"github.com/lockstep-exchange/lockstep/sim/disk"
)

// way is a way in which the journal gets to know what the hot loop has sequenced.
type way struct {
	name    string
	engine  *engine.Engine
	lane    *ring.Lane[msg.Request]
	commits func() // after each group
	note    func(c *msg.Command)
	place   func() *msg.Command // where the next command is sequenced
	slot    func() *msg.Request // the same, where the number is not part of the record
	drain   func(frame []byte) int
	kept    [128]msg.Command
	times   []float64
}

// BenchmarkDecisionSequenced measures what the hot loop pays for each way, on plain orders and cancels taken out of a lane in groups
// of eight. The journal's side runs on a thread of its own and copies the lines in use, or runs in between.
func BenchmarkDecisionSequenced(b *testing.B) {
	const turn = 4096
	setup, day := tape(b, 48*turn)
	for _, mode := range []struct {
		name    string
		threads bool
		pauses  int // of the journal's thread between two batches
	}{{"journal=between", false, 0}, {"journal=sync", true, 2_000}, {"journal=spin", true, 1}} {
		threads, pauses := mode.threads, mode.pauses
		b.Run(mode.name, func(b *testing.B) {
			var ways []*way
			for _, name := range []string{"none", "ring 1024", "ring 4096", "ring 16384", "lane 4096", "lane in place", "ring in place", "order list"} {
				ways = append(ways, newWay(b, name, setup))
			}
			quit, done := make(chan struct{}), make(chan struct{})
			turnOf := make(chan *way)
			go func() {
				defer close(done)
				runtime.LockOSThread()
				frame := make([]byte, 128<<10)
				var now *way
				for {
					select {
					case now = <-turnOf:
					case <-quit:
						return
					default:
					}
					if now != nil {
						now.drain(frame)
					}
					for range pauses { // as long as a sync takes
						ring.Pause()
					}
				}
			}()
			frame := make([]byte, 128<<10)
			var events []msg.Event
			for range b.N {
				for at := 0; at+turn <= len(day); at += turn {
					order := slices.Clone(ways)
					if at/turn%2 == 1 {
						slices.Reverse(order)
					}
					for _, w := range order {
						if threads {
							turnOf <- w
						}
						total := time.Duration(0)
						for k := at; k < at+turn; k += 256 {
							for i := k; i < k+256; i++ {
								w.lane.Claim().CopyFrom(&day[i].Request)
							}
							w.lane.Publish()
							start := time.Now()
							events = w.run(256, events)
							total += time.Since(start)
							if !threads {
								w.drain(frame)
							}
						}
						w.times = append(w.times, float64(total.Nanoseconds())/turn)
					}
				}
				if b.N > 1 { // the ids of the tape belong to a fresh engine
					for _, w := range ways {
						w.engine = started(b, setup)
					}
				}
			}
			close(quit)
			<-done
			median := func(t []float64) float64 { t = slices.Clone(t); slices.Sort(t); return t[len(t)/2] }
			base := median(ways[0].times)
			for _, w := range ways {
				b.Logf("%-14s %6.1f ns a command, %+5.1f", w.name, median(w.times), median(w.times)-base)
			}
		})
	}
}

func started(b *testing.B, setup []msg.Command) *engine.Engine {
	e := newVenue(b)
	for i := range setup {
		c := setup[i]
		e.Apply(&c, nil)
	}
	return e
}

func newWay(b *testing.B, name string, setup []msg.Command) *way {
	w := &way{name: name, engine: started(b, setup), commits: func() {}, note: nil, drain: func([]byte) int { return 0 }}
	lane, err := ring.NewLane[msg.Request](256)
	if err != nil {
		b.Fatal(err)
	}
	w.lane = lane
	next := 0
	w.place = func() *msg.Command { next++; return &w.kept[next%128] }
	sized := map[string]int{"ring 1024": 1024, "ring 4096": 4096, "ring 16384": 16384, "ring in place": 4096}
	switch {
	case sized[name] > 0:
		r, err := ring.NewRing[msg.Command](sized[name])
		if err != nil {
			b.Fatal(err)
		}
		reader := r.Reader(true)
		w.commits = r.Publish
		w.drain = func(frame []byte) (n int) {
			for c := reader.Next(); c != nil; c = reader.Next() {
				putLine(frame[n%512*128:], &c.Request)
				n++
			}
			reader.Release()
			return n
		}
		claim := func() *msg.Command {
			for {
				if c := r.Claim(); c != nil {
					return c
				}
			}
		}
		if name == "ring in place" {
			w.place = claim
			break
		}
		w.note = func(c *msg.Command) {
			slot := claim()
			slot.Seq = c.Seq
			slot.Request.CopyFrom(&c.Request)
		}
	case name == "lane 4096", name == "lane in place":
		l, err := ring.NewLane[msg.Request](4096)
		if err != nil {
			b.Fatal(err)
		}
		w.commits = l.Publish
		claim := func() *msg.Request {
			for {
				if slot := l.Claim(); slot != nil {
					return slot
				}
			}
		}
		if name == "lane in place" {
			w.slot = claim
		} else {
			w.note = func(c *msg.Command) { claim().CopyFrom(&c.Request) }
		}
		w.drain = func(frame []byte) (n int) {
			for r := l.Next(); r != nil; r = l.Next() {
				putLine(frame[n%512*128:], r)
				n++
			}
			l.Release()
			return n
		}
	case name == "order list":
		// Which lane, and when: what a journal that reads the lanes would need besides. That the lanes have to keep their requests
		// until they are on the disk is not in the figure.
		list := make([]uint64, 4096)
		next := 0
		w.note = func(c *msg.Command) { list[next&4095] = uint64(c.Time)<<10 | 1; next++ }
	}
	return w
}

func putLine(frame []byte, r *msg.Request) {
	frame[0] = byte(r.Kind)
	for i, v := range [...]uint64{uint64(r.Time), uint64(r.Order), uint64(r.Ref), uint64(r.Price), uint64(r.Qty), uint64(r.Account), uint64(r.Instr)} {
		frame[8+8*i] = byte(v)
	}
}

// run is the hot loop: groups of eight, stamped, noted, applied.
func (w *way) run(n int, events []msg.Event) []msg.Event {
	if w.slot != nil {
		return w.runInPlace(n, events)
	}
	var group [8]*msg.Command
	for done := 0; done < n; done += len(group) {
		for i := range group {
			group[i] = w.place()
			group[i].Request.CopyFrom(w.lane.Next())
		}
		w.lane.Release()
		for i, c := range group {
			c.Seq, c.Time = w.engine.Seq()+msg.Seq(i+1), max(c.Time, w.engine.Now())
			w.note(c)
		}
		w.commits()
		for _, c := range group {
			events = w.engine.Apply(c, events[:0])
		}
	}
	return events
}

// runInPlace is run where a command lies in a lane: the engine gets it by way of one command that is used again and again.
func (w *way) runInPlace(n int, events []msg.Event) []msg.Event {
	var group [8]*msg.Request
	for done := 0; done < n; done += len(group) {
		for i := range group {
			group[i] = w.slot()
			group[i].CopyFrom(w.lane.Next())
			group[i].Time = max(group[i].Time, w.engine.Now())
		}
		w.lane.Release()
		w.commits()
		for _, r := range group {
			c := &w.kept[0]
			c.Seq = w.engine.Seq() + 1
			c.Request.CopyFrom(r)
			events = w.engine.Apply(c, events[:0])
		}
	}
	return events
}

// BenchmarkBatch is what the journal's thread does for a batch besides the sync, in the order of the disk: nothing of it waits.
func BenchmarkBatch(b *testing.B) {
	for _, size := range []int{1, 64, 512} {
		b.Run(map[int]string{1: "commands=1", 64: "commands=64", 512: "commands=512"}[size], func(b *testing.B) {
			c := small(disk.New(4 << 30))
			c.Segment, c.Batch, c.Ahead, c.Mode = 1<<30, 64<<10, 1024, journal.None
			w, _, err := journal.Open(c, nil)
			if err != nil {
				b.Fatal(err)
			}
			one := msg.Limit(1, 1, msg.Buy, 50_000, 3)
			b.ResetTimer()
			for range b.N {
				for range size {
					one.Seq++
					w.Append(&one)
				}
				w.Publish()
				if _, err := w.Step(0); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*size), "ns/command")
		})
	}
}
