package load_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/lockstep-exchange/lockstep/bench/latency"
	"github.com/lockstep-exchange/lockstep/bench/load"
	"github.com/lockstep-exchange/lockstep/client"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node/gateway"
	"github.com/lockstep-exchange/lockstep/serve"
)

// connected is two clients of a venue that serves until the test ends.
func connected(t *testing.T) (clients []*client.Client) {
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
	venue, err := hex.DecodeString(serve.VenuePublic())
	if err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= 2; n++ {
		k, err := client.Dial(t.Context(), client.Link{Network: "tcp", Address: s.Orders}, client.Config{Key: client.Key{ID: uint64(n), Private: serve.DevelopmentKey(n)}, Venue: venue, Patience: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(k.Close)
		for k.Recovering() {
			k.Wait(time.Second)
		}
		clients = append(clients, k)
	}
	return clients
}

func plan(how load.Sending) load.Plan {
	return load.Plan{Sending: how, Rate: 2_000, Duration: 200 * time.Millisecond, Warmup: 20 * time.Millisecond, Mix: load.Usual, Seed: 3, Instrument: 1,
		Accounts: []msg.AccountID{1, 2}, Mid: 600_000, Tick: 1, Lot: 1, Depth: 20, Resting: 50}
}

// Whatever is sent in the time that is measured is answered and timed once, in every stage; what is not measured is not.
func TestEveryAnswerIsTimed(t *testing.T) {
	clients := connected(t)
	for _, how := range []load.Sending{load.Open, load.Closed, load.Flooded} {
		r, err := load.Run(t.Context(), plan(how), clients)
		if err != nil {
			t.Fatal(err)
		}
		if r.Sent == 0 || r.Answered != r.Sent || r.Unanswered != 0 || r.NotApplied != 0 || r.Losses != 0 || r.Partial {
			t.Errorf("%v: %+v", how, r)
		}
		if how == load.Open && (r.Sent < 399 || r.Sent > 401 || r.Unsent != 0) { // whatever the machine does
			t.Errorf("%d requests of 2000 a second in 0.2 s, and %d unsent", r.Sent, r.Unsent)
		}
		var text bytes.Buffer
		if err := r.Write(&text); err != nil {
			t.Fatal(err)
		}
		log, err := latency.Read(&text, "run")
		if err != nil {
			t.Fatal(err)
		}
		for name, least := range map[string]int{"total": r.Answered, "late": r.Answered, "back": r.Answered, "in": 1, "gateway": 1} {
			if tag := log.Tag(name); tag == nil || int(tag.Total.TotalCount()) < least || int(tag.Total.TotalCount()) > r.Answered {
				t.Errorf("%v: tag %s has not the times of %d answers: %+v", how, name, r.Answered, tag)
			}
		}
		if total, late := log.Tag("total"), log.Tag("late"); total.Total.Max() < late.Total.Max() {
			t.Errorf("%v: sent later than answered", how)
		}
	}
}

// Who interrupts a run has what was sent until then.
func TestInterrupted(t *testing.T) {
	clients := connected(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p := plan(load.Open)
	p.Duration = time.Hour
	r, err := load.Run(ctx, p, clients)
	if err != nil || !r.Partial {
		t.Errorf("%+v, %v", r, err)
	}
}

// What cannot be sent is refused, and what is wrong with it is named.
func TestPlansThatAreRefused(t *testing.T) {
	for want, harm := range map[string]func(p *load.Plan){
		"Rate": func(p *load.Plan) { p.Rate = 0 }, "Duration": func(p *load.Plan) { p.Duration = 0 }, "Accounts": func(p *load.Plan) { p.Accounts = nil },
		"Mix": func(p *load.Plan) { p.Mix = load.Mix{Cancel: 1} }, "Depth": func(p *load.Plan) { p.Depth = 0 }, "Tick": func(p *load.Plan) { p.Tick = 0 },
	} {
		p := plan(load.Open)
		harm(&p)
		if err := p.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	if _, err := load.Run(t.Context(), plan(load.Open), nil); err == nil {
		t.Error("a run without connections")
	}
	for text, want := range map[string]load.Mix{"place=1": {Place: 1}, "cancel=3,ioc=2": {Cancel: 3, IOC: 2}, load.Usual.String(): load.Usual} {
		if m, err := load.ParseMix(text); err != nil || m != want {
			t.Errorf("%q is %+v, %v", text, m, err)
		}
	}
	for _, text := range []string{"", "place", "cancel=1", "place=-1", "place=1,sell=2", "place=x"} {
		if _, err := load.ParseMix(text); err == nil {
			t.Errorf("%q is a mix", text)
		}
	}
}
