package bench

import (
	"errors"
	"runtime"
	"testing"
)

// TestBounce holds that each way to bounce brings every byte back, and times each trip once.
func TestBounce(t *testing.T) {
	for _, how := range []Echo{EchoRaw, EchoApart, EchoNet} {
		p, err := quiet(t, 1).Bounce(how, 200)
		if how == EchoRaw && runtime.GOOS != "linux" {
			if !errors.Is(err, ErrNoSpin) {
				t.Errorf("%s: %v", how, err)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", how, err)
		}
		if n := p.Total.TotalCount(); n != 200 || p.Ns <= 0 {
			t.Errorf("%s: %d trips of %v ns", how, n, p.Ns)
		}
	}
}

// liar is an end that brings other bytes than were sent.
type liar struct{}

func (liar) Read(b []byte) (int, error)  { return len(b), nil }
func (liar) Write(b []byte) (int, error) { return len(b), nil }

// TestBounceBites holds that an echo of something else is found.
func TestBounceBites(t *testing.T) {
	var differs *DiffersError
	if _, err := quiet(t, 1).bounce(liar{}, 2); !errors.As(err, &differs) {
		t.Errorf("error is %v, want that it differs", err)
	}
}
