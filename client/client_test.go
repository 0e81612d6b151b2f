package client_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/lockstep-exchange/lockstep/client"
	"github.com/lockstep-exchange/lockstep/msg"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// host serves a venue on connections, one at a time. cuts says behind how many bytes, read and written together, a connection
// is closed; nil or 0: never.
type host struct {
	v    *venue
	mu   sync.Mutex // held while the venue works
	cuts func() int
}

func (h *host) serve(conn net.Conn) {
	defer conn.Close()
	h.mu.Lock()
	h.v.connect()
	left := 0
	if h.cuts != nil {
		left = h.cuts()
	}
	h.mu.Unlock()
	cut := func(b []byte) []byte {
		if left == 0 {
			return b
		}
		b = b[:min(left, len(b))]
		if left -= len(b); left == 0 {
			left = -1
		}
		return b
	}
	buffer := make([]byte, 1<<12)
	for left >= 0 {
		n, err := conn.Read(buffer)
		if err != nil {
			return
		}
		h.mu.Lock()
		h.v.take(cut(buffer[:n]))
		out := h.v.out
		h.v.out = nil
		over := h.v.cut
		h.mu.Unlock()
		if left >= 0 && len(out) > 0 {
			conn.Write(cut(out))
		}
		if over {
			io.Copy(io.Discard, conn)
			return
		}
	}
}

// listen serves the venue on TCP until the test ends.
func (h *host) listen(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Skip("no loopback: ", err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			h.serve(conn)
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return l.Addr().String()
}

// A client on a real connection that breaks again and again goes on by itself, by Poll as by Wait; at the end every request is known
// as what it was.
func TestClientOnBreakingConnections(t *testing.T) {
	for name, poll := range map[string]bool{"poll": true, "wait": false} {
		t.Run(name, func(t *testing.T) {
			dice := rand.New(rand.NewPCG(3, 3))
			h := &host{v: newVenue(t)}
			breaks := 0
			h.cuts = func() int {
				if breaks == 40 {
					return 0
				}
				breaks++
				return 1 + dice.IntN(4_000)
			}
			address := h.listen(t)
			c, err := dial(address, poll)
			for errors.Is(err, client.ErrLost) {
				c, err = dial(address, poll)
			}
			if err != nil {
				t.Fatal(err)
			}
			p := &pair{t: t, s: c.Session, v: h.v, known: map[msg.Ref]string{}, orders: map[msg.Ref]client.Order{}}
			tr := &trader{p, rand.New(rand.NewPCG(4, 4)), nil}
			over := func() bool {
				h.mu.Lock()
				defer h.mu.Unlock()
				return breaks == 40 && c.Bound() && !c.Recovering() && c.Unanswered() == 0
			}
			for !over() {
				p.now = c.Now()
				if !c.Recovering() {
					tr.act()
					c.Flush()
				}
				p.event(next(c, poll))
			}
			h.mu.Lock()
			p.agree(tr.sent)
			h.mu.Unlock()
			c.Close()
			if !c.Over() || c.Err() != client.ErrClosed {
				t.Errorf("closed: %v", c.Err())
			}
		})
	}
}

func dial(address string, poll bool) (*client.Client, error) {
	c := config(21)
	c.Takeover = true
	link := client.Link{Network: "tcp", Address: address, Pause: time.Microsecond}
	if !poll {
		link.Open = func(ctx context.Context) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", address)
		}
	}
	return client.Dial(context.Background(), link, c)
}

func next(c *client.Client, poll bool) *client.Event {
	if !poll {
		return c.Wait(100 * time.Microsecond)
	}
	e := c.Poll()
	if e == nil {
		runtime.Gosched()
	}
	return e
}

// What a client does when the venue refuses it, does not answer, or is not there.
func TestDialFails(t *testing.T) {
	h := &host{v: newVenue(t)}
	h.v.client = venueKey.Public().(ed25519.PublicKey)
	var refused *client.Refused
	if _, err := dial(h.listen(t), false); !errors.As(err, &refused) {
		t.Errorf("a key that the venue does not know: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	silent := client.Link{Open: func(context.Context) (net.Conn, error) {
		cancel()
		near, _ := net.Pipe()
		return near, nil
	}}
	if _, err := client.Dial(ctx, silent, config(1)); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that ended: %v", err)
	}
	nowhere := errors.New("nowhere")
	none := client.Link{Open: func(context.Context) (net.Conn, error) { return nil, nowhere }}
	if _, err := client.Dial(context.Background(), none, config(1)); err != nowhere {
		t.Errorf("a venue that is not there: %v", err)
	}
}

// A venue that falls silent is given up after its time, and logged in to again; the client says that it lives meanwhile.
func TestClientGivesUpASilentVenue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &host{v: newVenue(t)}
		var served sync.WaitGroup
		var silent atomic.Bool
		link := client.Link{Open: func(context.Context) (net.Conn, error) {
			near, far := net.Pipe()
			served.Go(func() { h.serve(deaf{far, &silent}) })
			return near, nil
		}}
		c, err := client.Dial(t.Context(), link, config(1))
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		silent.Store(true)
		var lost *client.Event
		for lost == nil {
			if e := c.Wait(time.Minute); e != nil && e.Kind == client.Lost {
				lost = e
			}
		}
		if lost.Err != client.ErrIdle {
			t.Errorf("lost for %v", lost.Err)
		}
		if after := time.Since(began); after < 3*time.Second || after > 5*time.Second {
			t.Errorf("given up after %v, want 3 s and the second for the answer to Terminate", after)
		}
		silent.Store(false)
		for !c.Bound() {
			c.Wait(time.Second)
		}
		c.Close()
		served.Wait()
	})
}

// deaf is a connection whose venue says nothing while it is silent.
type deaf struct {
	net.Conn
	silent *atomic.Bool
}

func (d deaf) Write(b []byte) (int, error) {
	if d.silent.Load() {
		return len(b), nil
	}
	return d.Conn.Write(b)
}

// A canceled context ends Serve with a Terminate.
func TestServe(t *testing.T) {
	h := &host{v: newVenue(t)}
	c, err := dial(h.listen(t), true)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	answered := 0
	err = c.Serve(ctx, func(e *client.Event) {
		switch {
		case e.Kind == client.Recovered:
			for range 10 {
				must(t)(c.Place(limit(5, 2), c.Now()))
			}
		case e.Request.Ref != 0:
			if answered++; answered == 10 {
				cancel()
			}
		}
	})
	if !errors.Is(err, context.Canceled) || answered != 10 || !c.Over() {
		t.Errorf("served until %v, with %d answers", err, answered)
	}
}
