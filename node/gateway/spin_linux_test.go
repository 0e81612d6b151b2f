package gateway

import (
	"net"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/wire"
)

// stepped is a spinner that a test steps, at the time of a world.
func stepped(t *testing.T) (*world, *spinner) {
	t.Helper()
	w := newWorld(t)
	s, err := newSpinner(&Gateway{roster: w.roster, clock: func() fixed.Nanos { return w.now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	s.gate.spin = s
	return w, s
}

// without is a connection of a spinner whose socket is closed.
func (s *spinner) without(now fixed.Nanos) *conn {
	c := &conn{gate: s.gate, link: s.gate.roster.NewLink(now), fd: -1, gone: make(chan struct{})}
	c.polled.Store(true)
	return c
}

// established is a connection of a goroutine that a spinner may adopt, and its other side.
func (s *spinner) established(t *testing.T, now fixed.Nanos) (*conn, net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	there, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { there.Close() })
	here, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	c := newConn(s.gate, here, nil, place{}, now)
	c.link.state, c.link.keepalive = established, keepaliveMax
	c.link.stream.Widen(linkBuffer, wire.MaxInbound)
	return c, there
}

// descriptors is how many this process has.
func descriptors(t *testing.T) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip(err)
	}
	return len(all)
}

// Before a spinner sleeps it looks at the timers of all, however many there are, unless there is something else to do (W-14, W-15).
func TestTimersBeforeSleep(t *testing.T) {
	const many = 3000
	due := func(s *spinner) (n int) {
		for _, c := range s.all {
			if c.link.Over() {
				n++
			}
		}
		return n
	}
	w, s := stepped(t)
	for range many {
		s.all = append(s.all, s.without(w.now))
	}
	w.now += helloTime
	var bell [2]int
	if err := unix.Pipe2(bell[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	defer unix.Close(bell[0])
	defer unix.Close(bell[1])
	if _, err := unix.Write(bell[1], []byte{1}); err != nil {
		t.Fatal(err)
	}
	s.nextAt = w.now
	s.attend(w.now)
	if s.Sleep(bell[0]); due(s) != attendMost {
		t.Errorf("the timers of %d are looked at although the bell has rung, expected %d", due(s), attendMost)
	}
	if _, err := unix.Read(bell[0], make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if s.Sleep(bell[0]); due(s) != many {
		t.Errorf("the timers of %d of %d are looked at", due(s), many)
	}
}

// Where turns do much, more timers are looked at in one.
func TestTimersThatAreLate(t *testing.T) {
	w, s := stepped(t)
	for range 1000 {
		s.all = append(s.all, s.without(w.now))
	}
	s.at, s.nextAt = len(s.all), w.now
	for _, c := range []struct {
		after fixed.Nanos
		at    int
	}{{0, attendMost}, {lateTime, 2 * attendMost}, {lateTime, 2*attendMost + attendLate}} {
		w.now += c.after
		if s.attend(w.now); s.at != c.at {
			t.Errorf("the timers of %d are looked at, expected %d", s.at, c.at)
		}
	}
}

// Links that wait for the core are gone on with a few in a turn, and all in turn: many of them hold up nobody.
func TestHeldInTurn(t *testing.T) {
	w, s := stepped(t)
	for range 3 * heldMost {
		c := s.without(w.now)
		c.link.state, c.link.asking, c.link.keepalive = established, true, keepaliveMax
		c.fd, c.parked = 1<<20, true
		s.held = append(s.held, c)
	}
	all := append([]*conn(nil), s.held...)
	for turn := 1; turn <= 3; turn++ {
		w.now++
		s.goOn()
		n := 0
		for _, c := range all {
			if c.link.heard == w.now {
				n++
			}
			if turn == 3 && c.link.heard == epoch {
				t.Error("one is never gone on with")
			}
		}
		if n != heldMost || len(s.held) != len(all) {
			t.Errorf("turn %d: %d are gone on with, expected %d; %d are held", turn, n, heldMost, len(s.held))
		}
	}
	for _, c := range all {
		c.link.asking = false
		c.fd = -1
	}
	for range 3 {
		s.goOn()
	}
	if len(s.held) != 0 {
		t.Errorf("%d are held for ever", len(s.held))
	}
}

// A connection that has ended while it was to be adopted stays with its goroutine, and costs no descriptor.
func TestAdoptWhatHasEnded(t *testing.T) {
	w, s := stepped(t)
	c, _ := s.established(t, w.now)
	before := descriptors(t)
	c.link.Lost(w.now)
	if s.adopt(c) || c.polled.Load() || s.arrivals.Load() != 0 {
		t.Error("it is adopted")
	}
	if n := descriptors(t); n != before {
		t.Errorf("%d descriptors, before %d", n, before)
	}
	_ = c.socket.Close()
}

// What is said while a connection changes hands goes out when it is welcomed; and nothing of it is left when it is forgotten.
func TestWelcome(t *testing.T) {
	w, s := stepped(t)
	c, there := s.established(t, w.now)
	if !s.adopt(c) {
		t.Fatal("it is not adopted")
	}
	c.link.out = append(c.link.out, "said"...)
	s.welcome()
	there.SetReadDeadline(time.Now().Add(time.Minute))
	b := make([]byte, 16)
	if n, err := there.Read(b); string(b[:n]) != "said" {
		t.Errorf("%q comes, %v", b[:n], err)
	}
	if s.conn[c.at] != c || len(s.all) != 1 {
		t.Fatal("it is not welcomed")
	}
	s.lose(c)
	if s.attend(w.now); len(s.all) != 0 || s.conn[c.at] != nil {
		t.Error("it is lost and not forgotten")
	}
}
