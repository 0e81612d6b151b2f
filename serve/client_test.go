package serve_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"flag"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lockstep-exchange/lockstep/client"
	"github.com/lockstep-exchange/lockstep/node/gateway"
	"github.com/lockstep-exchange/lockstep/serve"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

var breakings = flag.Int("serve.breaks", 0, "connections that break in TestClientOnBreakingConnections; 0: 1,000, or 30 with -short")

// venue serves a demonstration until the test ends, with a trader's key 1 and a drop copy's key 3 of the same owner.
func venue(t *testing.T) (address string, public ed25519.PublicKey) {
	c, err := serve.Demonstration(t.TempDir(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c.Rates.Orders = gateway.Rate{Second: 1 << 20, Burst: 1 << 20}
	s, err := serve.Start(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	key, err := hex.DecodeString(serve.VenuePublic())
	if err != nil {
		t.Fatal(err)
	}
	return s.Orders, key
}

// breaking is an address behind which connections to another one break, each after so many bytes as chance has it; after so many of
// them they hold.
type breaking struct {
	address string
	broken  atomic.Int64
}

func newBreaking(t *testing.T, to string, breaks int, seed uint64) *breaking {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &breaking{address: l.Addr().String()}
	dice := rand.New(rand.NewPCG(seed, 4))
	var all sync.WaitGroup
	all.Go(func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			left := int64(1 + dice.IntN(8_000))
			if b.broken.Load() >= int64(breaks) {
				left = 1 << 40
			}
			far, err := net.Dial("tcp", to)
			if err != nil {
				near.Close()
				continue
			}
			var bytes atomic.Int64
			bytes.Store(left)
			carry := func(from, to net.Conn) {
				buffer := make([]byte, 700)
				for {
					n, err := from.Read(buffer)
					if after := bytes.Add(-int64(n)); after < 0 {
						n, err = max(n+int(after), 0), io.ErrClosedPipe
					}
					if n > 0 {
						to.Write(buffer[:n])
					}
					if err != nil {
						near.Close()
						far.Close()
						return
					}
				}
			}
			all.Go(func() { carry(near, far) })
			all.Go(func() { carry(far, near); b.broken.Add(1) })
		}
	})
	t.Cleanup(func() { l.Close(); all.Wait() })
	return b
}

// fates are what became of requests, by client id.
type fates map[uint64]string

// fate is what a first response says, and of which request; "" where a report is none.
func fate(e *client.Event) (ref uint64, what string) {
	if e.Kind != client.Report {
		return 0, ""
	}
	switch e.Template {
	case gen.TemplateOrderAccepted:
		return gen.AsOrderAccepted(e.Block).ClOrdID(), "accepted"
	case gen.TemplateOrderReplaced:
		return gen.AsOrderReplaced(e.Block).ClOrdID(), "replaced"
	case gen.TemplateOrderCanceled:
		if c := gen.AsOrderCanceled(e.Block); c.Reason() == gen.CancelReasonUser { // others are canceled by the request of an order
			return c.RequestClOrdID(), "canceled"
		}
	case gen.TemplateReject:
		r := gen.AsReject(e.Block)
		return r.ClOrdID(), "rejected " + strconv.Itoa(int(r.Code()))
	}
	return 0, ""
}

// copied is what a drop copy tells of the requests, once it has told of all that are known to have been applied. Its numbers have no
// gap.
func copied(t *testing.T, copies *client.Client, known fates) fates {
	told, number := fates{}, uint64(0)
	missing := 0
	for _, what := range known {
		if what != "not applied" {
			missing++
		}
	}
	for end := time.Now().Add(time.Minute); missing > 0; {
		if time.Now().After(end) {
			t.Fatalf("the drop copy tells nothing of %d requests", missing)
		}
		e := copies.Wait(time.Second)
		if e == nil || e.Kind != client.Report {
			continue
		}
		if number != 0 && e.Number != number+1 {
			t.Fatalf("report %d of the drop copy after %d", e.Number, number)
		}
		number = e.Number
		if ref, what := fate(e); what != "" {
			if told[ref] != "" {
				t.Fatalf("request %d was %s, and then %s", ref, told[ref], what)
			}
			if told[ref] = what; known[ref] != "not applied" {
				missing--
			}
		}
	}
	return told
}

// follow logs in as the drop copy.
func follow(t *testing.T, address string, public ed25519.PublicKey) *client.Client {
	c, err := client.Dial(t.Context(), client.Link{Network: "tcp", Address: address}, client.Config{Key: client.Key{ID: 3, Private: serve.DevelopmentKey(3)},
		Venue: public, Kind: gen.SessionKindDropCopy, Patience: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// same holds what a client knows to what the drop copy tells.
func same(t *testing.T, known, told fates) {
	missed := 0
	for ref, what := range known {
		if what == "not applied" {
			missed++
			what = ""
		}
		if told[ref] != what {
			t.Errorf("request %d is known as %q, and the drop copy says %q", ref, what, told[ref])
		}
	}
	for ref, what := range told {
		if known[ref] == "" {
			t.Errorf("request %d was %s, and the client knows nothing of it", ref, what)
		}
	}
	t.Logf("%d requests, of which %d never came there", len(known), missed)
}

// A client whose connections break again and again knows in the end of every request what became of it, and the firm's drop copy says
// the same: nothing is lost, nothing is done twice.
func TestClientOnBreakingConnections(t *testing.T) {
	breaks := *breakings
	switch {
	case breaks == 0 && testing.Short():
		breaks = 30
	case breaks == 0:
		breaks = 1000
	}
	const seed = 1
	address, public := venue(t)
	copies := follow(t, address, public)
	line := newBreaking(t, address, breaks, seed)
	config := client.Config{Key: client.Key{ID: 1, Private: serve.DevelopmentKey(1)}, Venue: public, Takeover: true, OnLoss: client.KeepOrders,
		Patience: time.Minute}
	link := client.Link{Network: "tcp", Address: line.address, Pause: time.Millisecond}
	c, err := client.Dial(t.Context(), link, config)
	for err != nil && line.broken.Load() < int64(breaks) {
		c, err = client.Dial(t.Context(), link, config)
	}
	if err != nil {
		t.Fatal(err)
	}
	dice := rand.New(rand.NewPCG(seed, 5))
	known, asked := fates{}, 0
	limit := 2*time.Minute + time.Duration(breaks)*100*time.Millisecond
	for end := time.Now().Add(limit); line.broken.Load() < int64(breaks) || !c.Bound() || c.Recovering() || c.Unanswered() > 0; {
		if time.Now().After(end) {
			t.Fatalf("after %v %d connections are broken, bound %v, %d requests unanswered: %v", limit, line.broken.Load(), c.Bound(), c.Unanswered(), c.Err())
		}
		if c.Bound() && !c.Recovering() && c.Unanswered() < 20 && line.broken.Load() < int64(breaks) {
			o := client.NewOrder{Account: 1, Instrument: 1, Side: gen.Side(1 + dice.IntN(2)), Qty: 1 + dice.Int64N(5)}
			if o.Price = 599_990 - dice.Int64N(50); o.Side == gen.SideSell {
				o.Price += 70
			}
			if _, err := c.Place(&o, c.Now()); err == nil {
				asked++
			}
			for old := range c.Orders() {
				if old.State == client.Working && dice.IntN(4) == 0 {
					if _, err := c.Cancel(old.Ref, c.Now()); err == nil {
						asked++
					}
					break
				}
			}
			c.Flush()
		}
		if e := c.Wait(time.Millisecond); e != nil && e.Request.Ref != 0 {
			_, what := fate(e)
			if e.Kind == client.NotApplied {
				what = "not applied"
			}
			if known[uint64(e.Request.Ref)] != "" || what == "" {
				t.Fatalf("request %d is %q, and now %q by template %d", e.Request.Ref, known[uint64(e.Request.Ref)], what, e.Template)
			}
			known[uint64(e.Request.Ref)] = what
		}
	}
	c.Close()
	if len(known) != asked || asked < breaks {
		t.Errorf("%d of %d requests are known", len(known), asked)
	}
	same(t, known, copied(t, copies, known))
}

// The same with the client in Python, which shares no code with this one or the venue.
func TestPythonOnBreakingConnections(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3 on this machine")
	}
	if out, err := exec.Command(python, "-c", "import sys, cryptography; assert sys.version_info >= (3, 10)").CombinedOutput(); err != nil {
		t.Skipf("python3 is too old, or has no package cryptography: %s", out)
	}
	address, public := venue(t)
	copies := follow(t, address, public)
	line := newBreaking(t, address, 15, 2)
	host, port, _ := net.SplitHostPort(line.address)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	run := exec.CommandContext(ctx, python, "tests/live.py", host, port, "1", hex.EncodeToString(serve.DevelopmentKey(1).Seed()), hex.EncodeToString(public),
		"0", "1", "1", "600000", "2", "300")
	run.Dir, run.Env = "../clients/python", append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	var faults strings.Builder
	run.Stderr = &faults
	out, err := run.Output()
	if err != nil {
		t.Fatalf("%v\n%s%s", err, out, faults.String())
	}
	known := fates{}
	for line := range bytes.Lines(out) {
		var request struct {
			Ref           uint64
			Name, Outcome string
		}
		if err := json.Unmarshal(line, &request); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		known[request.Ref] = request.Outcome
	}
	if len(known) != 300 {
		t.Errorf("%d requests", len(known))
	}
	same(t, known, copied(t, copies, known))
}
