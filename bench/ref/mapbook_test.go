package ref

import (
	"strings"
	"testing"

	"github.com/lockstep-exchange/lockstep/bench/ops"
)

// TestMapBookDoesTheWork holds that the plain book reports what every stream asks for.
func TestMapBookDoesTheWork(t *testing.T) { // L-11, L-54
	profiles := append(ops.Profiles(),
		ops.Profile{Name: "tight", Resting: 60, Range: 12, Add: 40, Cancel: 25, Replace: 20, IOC: 15, MaxQty: 9, MaxIOCQty: 40, Through: 8, Accounts: 10})
	for _, p := range profiles {
		s := stream(t, p, 100_000)
		b := NewMapBook(s, Peak(s))
		b.Run(s.Ops)
		got, rejects, refused := b.Counts()
		if err := s.Check(got); err != nil || rejects != 0 || refused != 0 {
			t.Errorf("%s: %d rejects, %d refused, %v", p.Name, rejects, refused, err)
		}
	}
}

// TestMapBookRejects holds that operations on what does not rest change nothing.
func TestMapBookRejects(t *testing.T) {
	s, err := ops.Convert(strings.NewReader("N,0,0,5,0,10\nN,1,1,9,1,10\nC,0\nM,0,5,10\nC,1\nN,0,0,5,2,10\nM,2,5,11\nN,1,0,5,3,11\n"), "hand")
	if err != nil {
		t.Fatal(err)
	}
	b := NewMapBook(s, Peak(s))
	b.Run(s.Ops)
	if err := s.Check(b.Result); err != nil || b.Rejects != 3 {
		t.Errorf("%d rejects, want 3; %v", b.Rejects, err)
	}
}
