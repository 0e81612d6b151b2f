package gateway

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
)

// A bucket lets the burst through, then the rate; who keeps to what it says is never refused again (W-46, W-47).
func TestBucket(t *testing.T) {
	var b bucket
	rate := Rate{Second: 100, Burst: 10}
	now := epoch
	for i := range 10 {
		if wait, _ := b.take(now, 1, rate); wait != 0 {
			t.Fatalf("message %d of the burst waits %d", i, wait)
		}
	}
	for range 1000 {
		wait, flood := b.take(now, 1, rate)
		if wait != 10*fixed.Millisecond || flood {
			t.Fatalf("wait %d, flood %v, expected 10 ms", wait, flood)
		}
		now += wait
		if wait, flood := b.take(now, 1, rate); wait != 0 || flood {
			t.Fatalf("on time: wait %d, flood %v", wait, flood)
		}
	}
	if wait, _ := b.take(now-1+10*fixed.Millisecond, 1, rate); wait != 1 {
		t.Errorf("a nanosecond early: wait %d", wait)
	}
	if wait, _ := b.take(now, 11, rate); wait <= 0 {
		t.Error("eleven at once pass a burst of ten")
	}
}

// More than twice the rate for three seconds is a flood; up to twice is not, and a pause forgives.
func TestFlood(t *testing.T) {
	for _, c := range []struct {
		name    string
		seconds []int64 // messages in each
		want    bool
	}{
		{"twice the rate", []int64{200, 200, 200, 200, 200}, false},
		{"more for two seconds", []int64{201, 201, 200, 201, 201, 200}, false},
		{"more for three", []int64{201, 201, 201, 1}, true},
		{"with a pause", []int64{201, 201, 0, 201, 201, 1}, false},
	} {
		var b bucket
		flooded := false
		for s, n := range c.seconds {
			for i := range n {
				_, flood := b.take(epoch+fixed.Nanos(s)*fixed.Second+fixed.Nanos(i)*fixed.Millisecond, 1, Rate{100, 10})
				flooded = flooded || flood
			}
		}
		if flooded != c.want {
			t.Errorf("%s: flood %v", c.name, flooded)
		}
	}
}

// Each class has a bucket of its own: orders starve no cancel, and nothing holds up the kill switch. What is refused is answered in its place,
// and who goes on is shown out.
func TestTiers(t *testing.T) {
	w := newWorld(t)
	w.roster.terms.Rates = Rates{Orders: Rate{10, 2}}
	w.roster.terms.Rates.complete()
	w.run(in)
	got := w.run("order 1\norder 2\norder 3\ncancel 4\nblock 5\nblock 6")
	want := "a 1 OrderAccepted 101\na 2 OrderAccepted 102\na 3 Reject 200 of 3\na 4 Reject 406 of 4\na 5 ControlAck\na 6 ControlAck"
	if got != want {
		t.Fatalf("got\n%s\nwant\n%s", got, want)
	}
	var script strings.Builder
	n := 7
	for range 4 {
		for range 50 {
			fmt.Fprintf(&script, "order %d\n", n)
			n++
			script.WriteString("wait 20ms\n")
		}
	}
	if got := w.run(script.String()); !strings.HasSuffix(got, "Terminate 1 127 rate\na closed") {
		t.Errorf("got\n%s", got[max(0, len(got)-300):])
	}
}

// Ten format errors within a second end the connection, nine do not. The tenth is answered as well, but not on this connection.
func TestFormatErrors(t *testing.T) {
	script := func(n int, pause string) (s string) {
		for i := range n {
			s += fmt.Sprintf("order %d side=9\nwait %s\n", i+1, pause)
		}
		return s
	}
	for _, c := range []struct {
		n     int
		pause string
		ends  bool
	}{{9, "10ms", false}, {10, "10ms", true}, {30, "120ms", false}} {
		w := newWorld(t)
		w.run(in)
		got := w.run(script(c.n, c.pause))
		if strings.Contains(got, "126 too many format errors") != c.ends || strings.Count(got, "Reject 102") != c.n-int(b2u(c.ends)) || w.core.sessions[1].server != uint64(c.n)+1 {
			t.Errorf("%d errors, one each %s: got\n%s", c.n, c.pause, got)
		}
	}
}
