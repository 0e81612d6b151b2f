package bench

import (
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"runtime/debug"

	"github.com/lockstep-exchange/lockstep/bench/latency"
)

// E: 64 bytes go over a TCP connection of the machine to itself, to another thread, and come back. What a gateway adds to that is
// its own.
//
//	raw    both ends spin on their sockets, each on a core of its own
//	apart  Go's net package, both goroutines tied to a core each: every byte that comes wakes a thread on another core
//	net    Go's net package, where the runtime puts its goroutines

// Echo is a way to bounce bytes.
type Echo string

const (
	EchoRaw   Echo = "raw"
	EchoApart Echo = "apart"
	EchoNet   Echo = "net"
)

// echoSize is what bounces: a plain order, framed.
const echoSize = 64

// ErrNoSpin says that sockets are not spun on here.
var ErrNoSpin = errors.New("spinning on sockets is known on Linux alone")

// Bounce is E: n times there and back. It fails with ErrFewCores where two cores are asked for and not there, and with
// ErrNoSpin.
func (h *Harness) Bounce(how Echo, n int) (*Pass, error) {
	if err := h.Context.Err(); err != nil {
		return nil, err
	}
	if how != EchoNet && h.Core >= 0 && len(h.cores) < 2 {
		return nil, ErrFewCores
	}
	connect := connectNet
	if how == EchoRaw {
		connect = h.connectSpinning
	}
	near, far, err := connect()
	if err != nil {
		return nil, err
	}
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	stay, sit := func() (leave func()) { return func() {} }, func() (leave func()) { return func() {} }
	if how != EchoNet && h.Core >= 0 {
		stay = func() func() { return occupy(h.Core, h.cores) }
		sit = func() func() { return settle(h.beside(h.Core)) }
	}
	ready, gone := make(chan struct{}), make(chan error, 1)
	go func() {
		defer stay()()
		close(ready)
		gone <- echo(far)
	}()
	<-ready
	leave := sit()
	p, err := h.bounce(near, n)
	leave()
	err = errors.Join(err, near.Close())
	return p, errors.Join(err, <-gone, far.Close())
}

// echo sends back what comes, until the other end is closed.
func echo(far io.ReadWriter) error {
	b := make([]byte, echoSize)
	for {
		if _, err := io.ReadFull(far, b); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		if _, err := far.Write(b); err != nil {
			return err
		}
	}
}

// bounce sends and waits, n times.
func (h *Harness) bounce(near io.ReadWriter, n int) (*Pass, error) {
	took := make([]uint64, n)
	for i := range took { // touch the pages before the clock starts
		took[i] = 0
	}
	sent, came := make([]byte, echoSize), make([]byte, echoSize)
	p := &Pass{Total: latency.NewHistogram(), Probe: h.clock.Spin(probeSpan)}
	began := h.clock.Read()
	for i := range took {
		sent[0], sent[1], sent[2] = byte(i), byte(i>>8), byte(i>>16)
		from := h.clock.Read()
		if _, err := near.Write(sent); err != nil {
			return nil, err
		}
		if _, err := io.ReadFull(near, came); err != nil {
			return nil, err
		}
		took[i] = h.clock.Read() - from
		if [echoSize]byte(came) != [echoSize]byte(sent) {
			return nil, &DiffersError{Plan: "echo", Why: fmt.Sprintf("round trip %d brought %x, sent was %x", i, came, sent)}
		}
	}
	p.Ns = h.clock.Nanos(h.clock.Read()-began) / float64(n)
	p.Probe.Add(h.clock.Spin(probeSpan))
	return p, h.clock.fill(p.Total, took)
}

// connectNet is both ends of a connection of package net.
func connectNet() (near, far io.ReadWriteCloser, err error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	defer l.Close()
	if near, err = net.Dial("tcp4", l.Addr().String()); err != nil {
		return nil, nil, err
	}
	if far, err = l.Accept(); err != nil {
		return nil, nil, errors.Join(err, near.Close())
	}
	return near, far, nil
}

// echoes makes the figures of E.
func (s *Suite) echoes() error {
	for _, e := range []struct {
		how   Echo
		name  string
		trips int
	}{
		{EchoRaw, "E: 64 bytes over TCP loopback and back, both ends spin", s.Trips},
		{EchoApart, "E: the same with Go's net, a core for each end", s.Trips / 10},
		{EchoNet, "E: the same with Go's net, wherever it runs", s.Trips / 4},
	} {
		var passes []*Pass
		for i := range s.Harness.Rounds {
			s.Harness.progress("echo, "+string(e.how), i, s.Harness.Rounds)
			p, err := s.Harness.Bounce(e.how, max(e.trips, 1))
			if errors.Is(err, ErrFewCores) || errors.Is(err, ErrNoSpin) {
				s.add(goal{}.none(e.name, err.Error()))
				break
			}
			if err != nil {
				return err
			}
			passes = append(passes, p)
		}
		for _, name := range []string{"p50", "p99", "p99.9"} {
			if len(passes) > 0 {
				f := goal{}.exact(e.name+", "+name, "ns", middle(passes, name))
				f.Lost = share(lostIn(passes))
				s.add(f)
			}
		}
	}
	return nil
}

// Echoes makes the figures of E alone.
func (s *Suite) Echoes() error {
	s.Report.Mode = "threaded"
	return s.run(s.echoes)
}
