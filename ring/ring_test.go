package ring

import (
	"runtime"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

// event is a record of a ring: one line.
type event struct {
	body
	_ uint64
}

func ringOf(t testing.TB, size int) *Ring[event] {
	t.Helper()
	r, err := NewRing[event](size)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestNewRingRefusesSizes(t *testing.T) {
	for _, size := range []int{-8, 0, 4, 9, 1<<20 + 1, 1 << 21} {
		if r, err := NewRing[event](size); err == nil || r != nil {
			t.Errorf("NewRing(%d) gave a ring, want an error", size)
		}
	}
	for _, size := range []int{8, 16, 1 << 12} {
		if r := ringOf(t, size); r.Size() != size {
			t.Errorf("NewRing(%d) has %d slots", size, r.Size())
		}
	}
	if _, err := NewRing[[3]uint64](8); err == nil {
		t.Error("a record of 24 bytes was accepted, want an error")
	}
	if _, err := NewRing[struct{}](8); err == nil {
		t.Error("an empty record was accepted, want an error")
	}
}

func TestRingGatesOnTheSlowestRequiredReader(t *testing.T) { // L-21
	r := ringOf(t, 8)
	fast, slow := r.Reader(true), r.Reader(true)
	if !r.Room(8) || r.Room(9) {
		t.Fatal("an empty ring of 8 has room for 8 and no more")
	}
	for n := range uint64(8) {
		r.Claim().fill(0, n)
	}
	if r.Claim() != nil || r.Room(1) {
		t.Fatal("a ninth claim succeeded in a ring of 8")
	}
	if fast.Next() != nil || fast.Ready() {
		t.Fatal("a claimed record was seen before it was published")
	}
	r.Publish()
	for n := range uint64(8) {
		if e := fast.Next(); !e.check(0, n) {
			t.Fatalf("record %d: got %+v", n, *e)
		}
	}
	fast.Release()
	if r.Claim() != nil {
		t.Fatal("a slot was reused that the slow reader has not released")
	}
	slow.Next()
	slow.Next()
	slow.Next()
	slow.Release()
	if !r.Room(3) || r.Room(4) {
		t.Fatal("the slow reader released 3 slots")
	}
	for n := range uint64(3) {
		r.Claim().fill(0, 8+n)
	}
	if r.Claim() != nil {
		t.Fatal("the slow reader released 3 slots, the fourth was claimed")
	}
}

func TestRingWithoutRequiredReadersIsNeverFull(t *testing.T) {
	r := ringOf(t, 16)
	for n := range uint64(1000) {
		if !r.Room(16) {
			t.Fatalf("no room at record %d", n)
		}
		r.Claim().fill(0, n)
		r.Publish()
	}
}

func TestReaderAfterTheFirstClaimPanics(t *testing.T) {
	r := ringOf(t, 8)
	r.Claim()
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	r.Reader(true)
}

// An optional reader that lags a lap is cut off and told. What it holds stays as it was, and nobody else notices.
func TestOptionalReaderIsCutOff(t *testing.T) { // L-21
	r := ringOf(t, 64) // pages of 8
	required, keeps, lags, never := r.Reader(true), r.Reader(false), r.Reader(false), r.Reader(false)
	var held *event
	for n := range uint64(1000) {
		r.Claim().fill(0, n)
		r.Publish()
		if e := required.Next(); !e.check(0, n) {
			t.Fatalf("required: want record %d, got %+v", n, *e)
		}
		required.Release()
		if e := keeps.Next(); !e.check(0, n) {
			t.Fatalf("optional: want record %d, got %+v", n, *e)
		}
		if n < 20 {
			held = lags.Next()
		}
		if lost := n >= 64; never.Lost() != lost {
			t.Fatalf("after record %d: the reader that never read has Lost %v, want %v", n, never.Lost(), lost)
		}
		if lost := n >= 64+16; lags.Lost() != lost {
			t.Fatalf("after record %d: the reader that stopped at 20 has Lost %v, want %v", n, lags.Lost(), lost)
		}
		if !held.check(0, min(n, 19)) {
			t.Fatalf("after record %d: the held record 19 was overwritten: %+v", n, *held)
		}
	}
	if keeps.Lost() || required.Lost() {
		t.Error("a reader that kept up was cut off")
	}
	for n := uint64(20); n < 24; n++ { // the rest of its page
		if e := lags.Next(); e == nil || !e.check(0, n) {
			t.Fatalf("the rest of the page: want record %d, got %v", n, e)
		}
	}
	for range 2 {
		if lags.Next() != nil || !lags.Lost() {
			t.Error("a reader that was cut off goes on")
		}
	}
	for n := range uint64(8) {
		if e := never.Next(); e == nil || !e.check(0, n) {
			t.Fatalf("the first page: want record %d, got %v", n, e)
		}
	}
	if never.Next() != nil {
		t.Error("a reader that was cut off goes on")
	}
}

// TestRingModel compares a ring with a slice that keeps everything: claims succeed exactly when no required reader is in
// the way; every reader sees every record once, in order; an optional one may lose all from some page on, but only when it
// lagged by more than seven eighths of the ring.
func TestRingModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := uint64(1) << rapid.IntRange(3, 6).Draw(t, "log size")
		r, err := NewRing[event](int(size))
		if err != nil {
			t.Fatal(err)
		}
		type model struct {
			*Reader[event]
			required              bool
			taken, released, lags uint64 // lags: the longest way behind the claims
		}
		readers := make([]*model, rapid.IntRange(0, 4).Draw(t, "readers"))
		for i := range readers {
			required := rapid.Bool().Draw(t, "required")
			readers[i] = &model{Reader: r.Reader(required), required: required}
		}
		var claimed, published uint64
		free := func() uint64 {
			f := published + size - claimed
			for _, m := range readers {
				if m.required {
					f = min(f, m.released+size-claimed)
				}
			}
			return f
		}
		actions := map[string]func(*rapid.T){
			"claim": func(t *rapid.T) {
				for range rapid.IntRange(1, 20).Draw(t, "claims") {
					e := r.Claim()
					if (e == nil) != (free() == 0) {
						t.Fatalf("claim with %d free slots: got %v", free(), e)
					}
					if e == nil {
						return
					}
					e.fill(5, claimed)
					claimed++
					for _, m := range readers {
						m.lags = max(m.lags, claimed-m.taken)
					}
				}
			},
			"room": func(t *rapid.T) {
				n := rapid.IntRange(0, int(size)).Draw(t, "n")
				if r.Room(n) != (uint64(n) <= free()) {
					t.Fatalf("Room(%d) is %v with %d free slots", n, r.Room(n), free())
				}
			},
			"publish": func(*rapid.T) {
				r.Publish()
				published = claimed
			},
			"read": func(t *rapid.T) {
				if len(readers) == 0 {
					return
				}
				m := readers[rapid.IntRange(0, len(readers)-1).Draw(t, "reader")]
				for range rapid.IntRange(1, 20).Draw(t, "records") {
					e := m.Next()
					if e == nil {
						if m.taken != published && !m.Lost() {
							t.Fatalf("next with %d records gave nothing", published-m.taken)
						}
						break
					}
					if m.taken == published || !e.check(5, m.taken) {
						t.Fatalf("want record %d of %d, got %+v", m.taken, published, *e)
					}
					m.taken++
				}
				if m.Lost() && (m.required || m.lags <= size-size/8) {
					t.Fatalf("cut off a reader that lagged by %d at most", m.lags)
				}
			},
			"release": func(t *rapid.T) {
				if len(readers) == 0 {
					return
				}
				m := readers[rapid.IntRange(0, len(readers)-1).Draw(t, "reader")]
				m.Release()
				m.released = m.taken
			},
		}
		t.Repeat(actions)
	})
}

// TestRingStress runs one producer against required readers, optional ones that keep up and optional ones that stall, on
// threads of their own.
func TestRingStress(t *testing.T) { // L-55
	for _, c := range []struct{ size, required, optional, records int }{
		{8, 1, 0, 50_000}, {1024, 1, 0, 1_000_000}, {64, 3, 0, 100_000}, {256, 2, 3, 200_000}, {8, 1, 2, 50_000},
	} {
		r := ringOf(t, c.size)
		records := uint64(scaled(c.records))
		var readers sync.WaitGroup
		for range c.required {
			reader := r.Reader(true)
			readers.Go(func() {
				if got, _ := follow(t, reader, records, records); got != records {
					t.Errorf("a required reader of %d slots got %d of %d records", c.size, got, records)
				}
			})
		}
		for i := range c.optional {
			reader := r.Reader(false)
			stall := records / uint64(i+2)
			readers.Go(func() {
				if got, lost := follow(t, reader, records, stall); got != records && !lost {
					t.Errorf("an optional reader of %d slots stopped at %d of %d records and was not told", c.size, got, records)
				}
			})
		}

		for n := uint64(0); n < records && !t.Failed(); {
			for range 1 + n%21 {
				if n == records {
					break
				}
				e := r.Claim()
				if e == nil {
					runtime.Gosched()
					break
				}
				e.fill(9, n)
				n++
			}
			r.Publish()
		}
		readers.Wait()
	}
}

// follow reads records 0..records-1 and checks each. At record stall it holds one and yields often, as a slow reader does.
func follow(t *testing.T, r *Reader[event], records, stall uint64) (got uint64, lost bool) {
	for idle := 0; got < records && !t.Failed(); {
		e := r.Next()
		if e == nil {
			r.Release()
			if r.Lost() {
				return got, true
			}
			if idle++; idle == patience {
				t.Error("nothing comes any more")
			}
			runtime.Gosched()
			continue
		}
		idle = 0
		if got == stall {
			for range 2000 {
				runtime.Gosched()
			}
		}
		if !e.check(9, got) {
			t.Errorf("want record %d, got %+v", got, *e)
			return got, false
		}
		got++
		if got%31 == 0 {
			r.Release()
		}
	}
	r.Release()
	return got, false
}
