package ring

import (
	"runtime"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

// body is a record of a lane: with its ready word it fills one line.
type body struct {
	Producer, Number, Sum uint64
	Rest                  [4]uint64
}

// fill writes record n of producer p; check reports whether b is that record and nothing of another one.
func (b *body) fill(p, n uint64) {
	b.Producer, b.Number = p, n
	for i := range b.Rest {
		b.Rest[i] = n*0x9E3779B97F4A7C15 + uint64(i)
	}
	b.Sum = b.sum()
}

func (b *body) sum() uint64 {
	s := b.Producer*31 + b.Number
	for _, w := range b.Rest {
		s = s*31 + w
	}
	return s
}

func (b *body) check(p, n uint64) bool { return b.Producer == p && b.Number == n && b.Sum == b.sum() }

func lane(t testing.TB, size int) *Lane[body] {
	t.Helper()
	l, err := NewLane[body](size)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// scaled is n, or a twentieth of it where the test is to be short or the race detector slows every access.
func scaled(n int) int {
	if testing.Short() || raceDetector {
		return n / 20
	}
	return n
}

func TestNewLaneRefusesSizes(t *testing.T) { // L-25
	for _, size := range []int{-4, 0, 1, 3, 6, 4095, 8192} {
		if l, err := NewLane[body](size); err == nil || l != nil {
			t.Errorf("NewLane(%d) gave a lane, want an error", size)
		}
	}
	for _, size := range []int{2, 4, 64, 4096} {
		if l := lane(t, size); l.Size() != size {
			t.Errorf("NewLane(%d) has %d slots", size, l.Size())
		}
	}
	if _, err := NewLane[uint64](8); err == nil {
		t.Error("a slot of 16 bytes was accepted, want an error")
	}
}

func TestLaneFullAndEmpty(t *testing.T) {
	l := lane(t, 4)
	if l.Next() != nil || l.Ready() {
		t.Fatal("a new lane has a record")
	}
	for n := uint64(1); n <= 4; n++ {
		l.Claim().fill(0, n)
	}
	if l.Claim() != nil {
		t.Fatal("a fifth claim succeeded in a lane of 4")
	}
	if l.Next() != nil {
		t.Fatal("a claimed record was seen before it was published")
	}
	l.Publish()
	for n := uint64(1); n <= 4; n++ {
		if r := l.Next(); r == nil || !r.check(0, n) {
			t.Fatalf("record %d: got %+v", n, r)
		}
	}
	if l.Next() != nil {
		t.Fatal("a record was read twice: stale ready word")
	}
	if l.Claim() != nil {
		t.Fatal("a slot was reused before it was released")
	}
	l.Release()
	if l.Claim() == nil {
		t.Fatal("no slot after Release")
	}
}

// A ready word of an earlier lap is never taken for the expected position, whatever the number of laps and the batch.
func TestLaneStaleWords(t *testing.T) { // L-17
	for _, size := range []int{2, 8, 64} {
		l := lane(t, size)
		sent, got := uint64(0), uint64(0)
		for round := range 40 * size {
			for range 1 + round%size {
				l.Claim().fill(7, sent)
				sent++
			}
			if l.Next() != nil {
				t.Fatalf("size %d, round %d: an unpublished slot was read", size, round)
			}
			l.Publish()
			l.Publish() // publishes nothing
			for r := l.Next(); r != nil; r = l.Next() {
				if !r.check(7, got) {
					t.Fatalf("size %d: want record %d, got %+v", size, got, *r)
				}
				got++
			}
			l.Release()
		}
		if got != sent {
			t.Fatalf("size %d: %d sent, %d received", size, sent, got)
		}
	}
}

// TestLaneModel compares a lane with a slice queue under any order of operations, batches, full and empty included.
func TestLaneModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := 1 << rapid.IntRange(1, 5).Draw(t, "log size")
		l, err := NewLane[body](size)
		if err != nil {
			t.Fatal(err)
		}
		var claimed, published, taken, released uint64 // counts
		t.Repeat(map[string]func(*rapid.T){
			"claim": func(t *rapid.T) {
				b := l.Claim()
				if full := claimed-released == uint64(size); full != (b == nil) {
					t.Fatalf("claim with %d of %d slots in use: got %v", claimed-released, size, b)
				}
				if b != nil {
					b.fill(3, claimed)
					claimed++
				}
			},
			"publish": func(*rapid.T) {
				l.Publish()
				published = claimed
			},
			"next": func(t *rapid.T) {
				if l.Ready() != (taken < published) {
					t.Fatalf("Ready is %v with %d records", l.Ready(), published-taken)
				}
				r := l.Next()
				if (r != nil) != (taken < published) {
					t.Fatalf("next with %d records: got %v", published-taken, r)
				}
				if r != nil {
					if !r.check(3, taken) {
						t.Fatalf("want record %d, got %+v", taken, *r)
					}
					taken++
				}
			},
			"release": func(*rapid.T) {
				l.Release()
				released = taken
			},
		})
	})
}

// TestFanInStress sends records of several producers through lanes of several sizes: none is lost, doubled, torn or out of
// its producer's order.
func TestFanInStress(t *testing.T) { // L-55
	for _, c := range []struct{ producers, size, records int }{
		{1, 2, 50_000}, {1, 1024, 1_000_000}, {2, 16, 100_000}, {4, 64, 200_000}, {8, 256, 200_000}, {20, 64, 20_000}, {70, 8, 2_000},
	} {
		lanes := make([]*Lane[body], c.producers)
		for i := range lanes {
			lanes[i] = lane(t, c.size)
		}
		f := NewFanIn(lanes, 16)
		each := uint64(scaled(c.records))
		var senders sync.WaitGroup
		for p, l := range lanes {
			senders.Go(func() { send(t, l, uint64(p), each) })
		}

		next := make([]uint64, c.producers)
		for left, idle := each*uint64(c.producers), 0; left > 0; {
			r := f.Next()
			if r == nil {
				if idle++; idle == patience/c.producers {
					t.Fatalf("%d producers: nothing comes any more, %d records are missing", c.producers, left)
				}
				runtime.Gosched()
				continue
			}
			idle = 0
			if p := r.Producer; p >= uint64(c.producers) || !r.check(p, next[p]) {
				t.Fatalf("%d producers: want record %d, got %+v", c.producers, next[p], *r)
			}
			next[r.Producer]++
			left--
		}
		senders.Wait()
		if r := f.Next(); r != nil {
			t.Fatalf("%d producers: a record too many: %+v", c.producers, *r)
		}
	}
}

// patience is how often in a row the threads of a test look in vain before it takes records for lost.
const patience = 20_000_000

// send fills a lane with records 0..each-1, in batches of every size up to 33. It gives up when the test has failed.
func send(t *testing.T, l *Lane[body], producer, each uint64) {
	for n := uint64(0); n < each && !t.Failed(); {
		for range 1 + n%33 {
			if n == each {
				break
			}
			b := l.Claim()
			if b == nil {
				break
			}
			b.fill(producer, n)
			n++
		}
		l.Publish()
		if l.claimed == l.limit {
			runtime.Gosched()
		}
	}
}
