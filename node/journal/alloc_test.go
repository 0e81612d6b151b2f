package journal_test

import (
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node/journal"
	"github.com/lockstep-exchange/lockstep/sim/disk"
)

// A batch costs no allocation, on either side of the lane, on the disk of the machine and on a simulated one.
func TestBatchAllocatesNothing(t *testing.T) { // L-32
	for name, files := range map[string]journal.FS{"machine": journal.Disk{}, "simulated": disk.New(room)} {
		t.Run(name, func(t *testing.T) {
			c := small(files)
			c.Segment, c.Dir = 1<<20, t.TempDir()
			c.Mode = journal.None // the syncs of a machine take long and allocate no more than a write does
			w, _, _ := open(t, c)
			one, two := msg.Limit(1, 1, msg.Buy, 50_000, 3), msg.Deposit(1, fixed.Coin)
			seq := msg.Seq(0)
			allocations := testing.AllocsPerRun(100, func() {
				for range 8 {
					for _, r := range []*msg.Command{&one, &two} {
						seq++
						r.Seq = seq
						if !w.Append(r) {
							t.Fatal("the lane is full")
						}
					}
				}
				w.Publish()
				if n, err := w.Step(0); n != 16 || err != nil {
					t.Fatal(n, err)
				}
				w.Release(w.Durable())
				_ = w.Mark()
			})
			if allocations != 0 {
				t.Errorf("%v allocations a batch", allocations)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// Reading costs no allocation a frame.
func TestReadingAllocatesNothing(t *testing.T) {
	files := disk.New(room)
	c := small(files)
	c.Segment = 1 << 20
	writeDown(t, c, someCommands(13, 2_000), 9)
	r, err := journal.NewReader(files, dir)
	if err != nil {
		t.Fatal(err)
	}
	r.Next()
	if allocations := testing.AllocsPerRun(100, func() {
		if !r.Next() {
			t.Fatal(r.Err())
		}
	}); allocations != 0 {
		t.Errorf("%v allocations a frame", allocations)
	}
}
