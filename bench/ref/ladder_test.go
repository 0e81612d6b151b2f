package ref

import (
	"strings"
	"testing"
	"unsafe"

	"github.com/lockstep-exchange/lockstep/bench/ops"
)

// book is what the harness asks of a reference.
type book interface {
	Run([]ops.Op)
	Apply(*ops.Op)
	Counts() (r ops.Result, rejects, refused uint64)
}

func stream(t testing.TB, p ops.Profile, timed uint64) *ops.Stream {
	t.Helper()
	s, err := ops.Generate(p, timed, ops.Seed)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestLaddersDoTheWork holds that the references report what every stream asks
// for, and that the one with risk refuses nobody.
func TestLaddersDoTheWork(t *testing.T) {
	for _, p := range append(ops.Profiles(), ops.Profile{Name: "tight", Resting: 60, Range: 12, Add: 40, Cancel: 25, Replace: 20, IOC: 15, MaxQty: 9, MaxIOCQty: 40, Through: 8, Accounts: 10}) {
		s := stream(t, p, 100_000)
		for name, fresh := range map[string]func() (book, error){
			"ladder":       func() (book, error) { return NewLadder(s) },
			"risk/8":       func() (book, error) { return NewRiskLadder(s, 8) },
			"risk/1024":    func() (book, error) { return NewRiskLadder(s, 1024) },
			"risk/1048576": func() (book, error) { return NewRiskLadder(s, 1<<20) },
		} {
			b, err := fresh()
			if err != nil {
				t.Fatal(err)
			}
			b.Run(s.Ops)
			got, rejects, refused := b.Counts()
			if err := s.Check(got); err != nil || rejects != 0 || refused != 0 {
				t.Errorf("%s on %s: %d rejects, %d refused, %v", name, p.Name, rejects, refused, err)
			}
		}
	}
}

// TestLadderRejects holds that operations on what does not rest change nothing.
func TestLadderRejects(t *testing.T) {
	s, err := ops.Convert(strings.NewReader("N,0,0,5,0,10\nN,1,1,9,1,10\nC,0\nM,0,5,10\nC,1\nN,0,0,5,2,10\nM,2,5,11\nN,1,0,5,3,11\n"), "hand")
	if err != nil {
		t.Fatal(err)
	}
	b, err := NewLadder(s)
	if err != nil {
		t.Fatal(err)
	}
	b.Run(s.Ops)
	if err := s.Check(b.Result); err != nil || b.Rejects != 3 {
		t.Errorf("%d rejects, want 3; %v", b.Rejects, err)
	}
}

func TestLaddersRefuseWhatTheyCannotHold(t *testing.T) {
	high := &ops.Stream{MaxID: 1, Ops: []ops.Op{{ID: 1, Price: ticks, Qty: 1}}}
	if _, err := NewLadder(high); err == nil {
		t.Error("a price above the ladder is accepted")
	}
	low := &ops.Stream{MaxID: 1, Ops: []ops.Op{{ID: 1, Price: -1, Qty: 1}}}
	if _, err := NewRiskLadder(low, 1024); err == nil {
		t.Error("a price below the ladder is accepted")
	}
	for _, n := range []uint32{0, 3, 1000} {
		if _, err := NewRiskLadder(&ops.Stream{}, n); err == nil {
			t.Errorf("%d accounts are accepted", n)
		}
	}
}

// TestRiskLadderRefuses holds that the gate is one: without equity an order does
// not enter, and a replaced one is gone.
func TestRiskLadderRefuses(t *testing.T) {
	s := stream(t, ops.Profiles()[0], 1_000)
	r, err := NewRiskLadder(s, 1024)
	if err != nil {
		t.Fatal(err)
	}
	for i := range r.accounts {
		r.accounts[i].equity = 0
	}
	r.Run(s.Ops)
	if r.Refused == 0 || r.Trades != 0 {
		t.Errorf("%d refused and %d trades without equity", r.Refused, r.Trades)
	}
}

func TestLaddersDoNotAllocate(t *testing.T) {
	s := stream(t, ops.Profiles()[2], 10_000)
	l, _ := NewLadder(s)
	r, _ := NewRiskLadder(s, 1024)
	for _, b := range []book{l, r} {
		left := s.Ops // a stream is applied once: ids are never reused
		chunk := func() { b.Run(left[:1_000]); left = left[1_000:] }
		if n := testing.AllocsPerRun(9, chunk); n != 0 {
			t.Errorf("%T allocates %v times", b, n)
		}
	}
}

func TestAccountIsALine(t *testing.T) {
	if n := unsafe.Sizeof(account{}); n != 64 {
		t.Errorf("an account is %d bytes, want 64", n)
	}
}
