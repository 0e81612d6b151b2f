package ring

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func offer(t testing.TB, l *Lane[body], producer, from, count uint64) {
	t.Helper()
	for n := from; n < from+count; n++ {
		b := l.Claim()
		if b == nil {
			t.Fatalf("lane %d is full at record %d", producer, n)
		}
		b.fill(producer, n)
	}
	l.Publish()
}

func lanesOf(t testing.TB, count, size int) []*Lane[body] {
	lanes := make([]*Lane[body], count)
	for i := range lanes {
		lanes[i] = lane(t, size)
	}
	return lanes
}

// A busy lane gives its take and then waits for the others.
func TestFanInTakesTurns(t *testing.T) { // L-19
	for _, count := range []int{4, 64, 65, 130} { // polled, then with bells of two and three words
		lanes := lanesOf(t, count, 64)
		f := NewFanIn(lanes, 16)
		last := uint64(count - 1)
		offer(t, lanes[0], 0, 0, 40)
		offer(t, lanes[2], 2, 0, 3)
		offer(t, lanes[last], last, 0, 17)
		var turns []uint64 // lane, records; lane, records; ...
		for r := f.Next(); r != nil; r = f.Next() {
			if len(turns) == 0 || turns[len(turns)-2] != r.Producer {
				turns = append(turns, r.Producer, 0)
			}
			turns[len(turns)-1]++
		}
		if want := []uint64{0, 16, 2, 3, last, 16, 0, 16, last, 1, 0, 8}; !slices.Equal(turns, want) {
			t.Errorf("%d lanes: turns %v, want %v", count, turns, want)
		}
	}
}

// A consumer that releases in the middle of a turn does not start the turn anew.
func TestFanInReleaseKeepsTheTurn(t *testing.T) {
	for _, count := range []int{2, 70} {
		lanes := lanesOf(t, count, 64)
		f := NewFanIn(lanes, 16)
		offer(t, lanes[0], 0, 0, 64)
		offer(t, lanes[1], 1, 0, 1)
		for i := range 16 {
			if r := f.Next(); r.Producer != 0 {
				t.Fatalf("record %d came from lane %d", i, r.Producer)
			}
			f.Release()
		}
		if r := f.Next(); r.Producer != 1 {
			t.Fatalf("%d lanes: lane 0 had a second turn before lane 1 had one", count)
		}
	}
}

// The slots of a lane come back when its turn ends, and on Release.
func TestFanInGivesSlotsBack(t *testing.T) {
	lanes := lanesOf(t, 2, 8)
	f := NewFanIn(lanes, 4)
	offer(t, lanes[0], 0, 0, 8)
	for range 4 {
		f.Next()
	}
	if lanes[0].Claim() != nil {
		t.Fatal("a record was given back while the consumer held it")
	}
	f.Next() // ends the first turn and begins the second
	offer(t, lanes[0], 0, 8, 4)
	if lanes[0].Claim() != nil {
		t.Fatal("the fifth record was given back while the consumer held it")
	}
	f.Release()
	if lanes[0].Claim() == nil {
		t.Fatal("Release gave nothing back")
	}
}

func TestNewFanInRefuses(t *testing.T) {
	for name, make := range map[string]func(){
		"no lanes":      func() { NewFanIn([]*Lane[body]{}, 16) },
		"take of 0":     func() { NewFanIn(lanesOf(t, 1, 2), 0) },
		"take above 32": func() { NewFanIn(lanesOf(t, 1, 2), 33) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			make()
		}()
	}
}

// TestFanInModel compares a fan-in with one queue for each lane: order inside a lane, nothing lost, no lane passed over for
// longer than a take of each other one.
func TestFanInModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		count := rapid.SampledFrom([]int{1, 2, 5, 64, 65, 128, 129}).Draw(t, "lanes")
		take := rapid.IntRange(1, 32).Draw(t, "take")
		lanes := make([]*Lane[body], count)
		for i := range lanes {
			lanes[i], _ = NewLane[body](16)
		}
		f := NewFanIn(lanes, take)
		sent, got := make([]uint64, count), make([]uint64, count)
		waited := make([]int, count) // records given to others while this lane had some
		t.Repeat(map[string]func(*rapid.T){
			"send": func(t *rapid.T) {
				p := rapid.IntRange(0, count-1).Draw(t, "lane")
				for range rapid.IntRange(1, 16).Draw(t, "records") {
					b := lanes[p].Claim()
					if b == nil {
						break
					}
					b.fill(uint64(p), sent[p])
					sent[p]++
				}
				lanes[p].Publish()
			},
			"receive": func(t *rapid.T) {
				for range rapid.IntRange(1, 40).Draw(t, "records") {
					left := uint64(0)
					for p := range sent {
						left += sent[p] - got[p]
					}
					r := f.Next()
					if (r == nil) != (left == 0) {
						t.Fatalf("%d records are left, got %v", left, r)
					}
					if r == nil {
						return
					}
					if !r.check(r.Producer, got[r.Producer]) {
						t.Fatalf("lane %d: want record %d, got %+v", r.Producer, got[r.Producer], *r)
					}
					got[r.Producer]++
					for p := range waited {
						waited[p]++
						if uint64(p) == r.Producer || sent[p] == got[p] {
							waited[p] = 0
						}
						if waited[p] > take*count {
							t.Fatalf("lane %d waited for %d records of others", p, waited[p])
						}
					}
				}
			},
			"release": func(*rapid.T) { f.Release() },
		})
	})
}
