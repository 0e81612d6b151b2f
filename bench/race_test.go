package bench

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/lockstep-exchange/lockstep/bench/ops"
)

// short makes a plan of a published profile.
func short(t testing.TB, profile string, timed uint64, instruments int) *Plan {
	t.Helper()
	p, err := ops.Named(profile)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ops.Generate(p, timed, ops.Seed)
	if err != nil {
		t.Fatal(err)
	}
	return NewPlan(profile, s, instruments)
}

// quiet is a harness for tests: not pinned, and void runs are not repeated.
func quiet(t testing.TB, rounds int) *Harness {
	t.Helper()
	h := NewHarness(context.Background(), rounds)
	h.Core, h.Repeats = -1, 0
	return h
}

// everyone is every competitor on p.
func everyone(p *Plan) []Entry {
	list := []Entry{Bare(p), Map(p), Whole(p, 8), Whole(p, 1024), Unchecked(p, 1024)}
	if p.Instruments == 1 {
		list = append(list, Ladder(p), RiskLadder(p, 1024))
	}
	return list
}

// TestDriversDoTheWork holds L-54: every driver reports the trades, volume and
// checksum of every stream, and refuses nothing.
func TestDriversDoTheWork(t *testing.T) {
	for _, profile := range []string{"b10k", "b100k", "ec1k"} {
		for _, instruments := range []int{1, 100} {
			p := short(t, profile, 20_000, instruments)
			measures, err := quiet(t, 1).Race(profile, everyone(p))
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range measures {
				if m.Err != nil {
					t.Error(m.Err)
				}
				if m.Refused != 0 || m.Rejects != p.Rejects || len(m.Ns) != 1 {
					t.Errorf("%s on %s over %d: %d refused, %d rejects, %d runs", m.Name, profile, instruments, m.Refused, m.Rejects, len(m.Ns))
				}
			}
		}
	}
}

// TestDriversReject holds that what does not rest is rejected alike by all, with
// amends that our engine would keep in place, and replaces for nothing.
func TestDriversReject(t *testing.T) {
	const text = "N,0,0,5,0,10\nN,0,0,7,1,10\nM,0,3,10\nN,1,0,4,2,10\nC,0\nM,0,5,10\nC,1\nC,1\nN,1,1,9,3,9\nC,3\nN,0,0,5,4,10\nM,4,0,10\nM,4,1,10\nN,1,0,5,5,11\nM,5,5,11\nM,5,6,11\n"
	s, err := ops.Convert(strings.NewReader(text), "hand")
	if err != nil {
		t.Fatal(err)
	}
	p := NewPlan("hand", s, 1)
	measures, err := quiet(t, 1).Race("hand", everyone(p))
	if err != nil {
		t.Fatal(err)
	}
	oracle, _ := s.Verify("hand")
	if oracle.Rejects == 0 || s.Want.Trades == 0 {
		t.Fatal("the stream tests nothing")
	}
	for _, m := range measures {
		if m.Err != nil {
			t.Error(m.Err)
		}
		if m.Rejects != oracle.Rejects || m.Refused != 0 {
			t.Errorf("%s: %d rejects, want %d; %d refused", m.Name, m.Rejects, oracle.Rejects, m.Refused)
		}
	}
}

// TestWrongResultHasNoTime holds that a driver that does other work is found, and
// that the others go on.
func TestWrongResultHasNoTime(t *testing.T) {
	p := short(t, "ec1k", 5_000, 1)
	p.Want.Volume++
	q := short(t, "ec1k", 5_000, 1)
	measures, err := quiet(t, 3).Race("wrong", []Entry{Ladder(p), Bare(q), Whole(p, 1024)})
	if err != nil {
		t.Fatal(err)
	}
	for i, bad := range []bool{true, false, true} {
		m := &measures[i]
		var differs *DiffersError
		if got := errors.As(m.Err, &differs); got != bad {
			t.Errorf("%s: error is %v, want one: %v", m.Name, m.Err, bad)
		}
		if (len(m.Ns) == 0) != bad || bad != (m.Median() == 0) {
			t.Errorf("%s: has %d times", m.Name, len(m.Ns))
		}
	}
	d, err := quiet(t, 1).Distribution("wrong", Whole(p, 1024))
	if err != nil || d.Err == nil || d.Total.TotalCount() != 0 {
		t.Errorf("a wrong pass has percentiles: %v %v", err, d.Err)
	}
	if _, ok := d.At("p50"); ok {
		t.Error("a wrong pass has a median")
	}
}

// TestRaceAlternates holds the order A B, B A, A B.
func TestRaceAlternates(t *testing.T) {
	p := short(t, "ec1k", 1_000, 1)
	var order strings.Builder
	entry := func(name string) Entry {
		e := Bare(p)
		fresh := e.Fresh
		return Entry{name, p, func() (Driver, error) { order.WriteString(name); return fresh() }}
	}
	if _, err := quiet(t, 3).Race("order", []Entry{entry("A"), entry("B")}); err != nil {
		t.Fatal(err)
	}
	if order.String() != "ABBAAB" {
		t.Errorf("order is %s, want ABBAAB", order.String())
	}
}

func TestRaceStops(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	h := quiet(t, 3)
	h.Context = ctx
	h.Report = func(_ string, done, _ int) {
		if done == 1 {
			stop()
		}
	}
	p := short(t, "ec1k", 1_000, 1)
	if _, err := h.Race("stop", []Entry{Bare(p)}); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v, want canceled", err)
	}
}

// TestReportHash holds that the bare book answers message for message as the
// oracle does, and that the hash sees a difference.
func TestReportHash(t *testing.T) {
	p := short(t, "ec1k", 20_000, 1)
	hash, equal := ReportHash(p)
	if !equal || len(hash) != 64 {
		t.Errorf("hash %s is not the oracle's", hash)
	}
	q := short(t, "ec1k", 20_001, 1)
	if other, _ := ReportHash(q); other == hash {
		t.Error("a stream with one operation more has the same hash")
	}
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		in   []float64
		want float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{4, 1}, 2.5}, {[]float64{9, 1, 5}, 5}} {
		if got := median(c.in); got != c.want {
			t.Errorf("median of %v is %v, want %v", c.in, got, c.want)
		}
	}
}

// What every run allocates counts, what only some do is the process's.
func TestAllocated(t *testing.T) {
	for _, c := range []struct {
		runs []uint64
		want uint64
	}{{[]uint64{3, 3, 3}, 9}, {[]uint64{0, 7, 0}, 0}, {[]uint64{7, 2, 9}, 6}, {[]uint64{5}, 5}} {
		var m Measure
		for _, objects := range c.runs {
			m.allocated(objects)
		}
		if m.Allocs != c.want {
			t.Errorf("%v: %d, expected %d", c.runs, m.Allocs, c.want)
		}
	}
}
