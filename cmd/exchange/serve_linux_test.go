package main

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/lockstep-exchange/lockstep/client"
	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node/gateway"
	"github.com/lockstep-exchange/lockstep/node/journal"
	"github.com/lockstep-exchange/lockstep/serve"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// A venue that is killed while a client trades on it: the client goes on by itself, knows of each of its orders what became of it, and the
// journal says the same.

// served writes the files of a venue with one trader, and gives the folder, the trader's key and the venue's.
func served(t *testing.T, shell gateway.Shell) (dir string, trader ed25519.PrivateKey, venue ed25519.PublicKey) {
	t.Helper()
	dir = t.TempDir()
	public, err := serve.NewKey(filepath.Join(dir, "trader.key"))
	if err != nil {
		t.Fatal(err)
	}
	if trader, err = serve.ReadKey(filepath.Join(dir, "trader.key")); err != nil {
		t.Fatal(err)
	}
	if venue, err = serve.NewKey(filepath.Join(dir, "venue.key")); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"exchange.toml": "data_dir = \"data\"\nseed = { file = \"venue.toml\" }\nlisten = { orders = \"127.0.0.1:0\" }\n" +
			"gateway = { key = \"venue.key\", shell = \"" + shell.String() + "\", lanes = 4, retain_kib = 8, session_rate = 1000000, session_burst = 1000000 }\njournal = { segment_mib = 1 }\n",
		"venue.toml": fmt.Sprintf("[limits]\naccounts = 16\norders = 100000\nsessions = 16\n[[market]]\nname = \"BTC-USD-PERP\"\ntick = \"0.1\"\nlot = \"0.001\"\nprice = \"50000\"\n"+
			"max-open-orders = 100000\n[[account]]\nid = 1\nowner = 7\ndeposit = \"1000000000\"\n[[key]]\nid = 2\nowner = 7\npublic = \"%x\"\n", public),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir, trader, venue
}

func TestServedAndKilled(t *testing.T) {
	for _, shell := range []gateway.Shell{gateway.Net, gateway.Spin, gateway.Fused} {
		t.Run(shell.String(), func(t *testing.T) { servedAndKilled(t, shell) })
	}
}

func servedAndKilled(t *testing.T, shell gateway.Shell) {
	rounds := *kills
	if rounds == 0 {
		rounds = 8
		if testing.Short() {
			rounds = 3
		}
	}
	dir, trader, venue := served(t, shell)
	var address atomic.Pointer[string]
	start := func() *life {
		t.Helper()
		l := begin(t, dir, []string{"serve", "--config", filepath.Join(dir, "exchange.toml"), "--json"})
		line, err := l.out.ReadBytes('\n')
		var said struct{ Orders string }
		if err != nil || json.Unmarshal(line, &said) != nil {
			t.Fatalf("the venue does not start: %v\n%s", err, l.errors.String())
		}
		address.Store(&said.Orders)
		return l
	}
	l := start()
	c, err := client.Dial(t.Context(), client.Link{Pause: time.Millisecond, Open: func(ctx context.Context) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", *address.Load())
	}}, client.Config{Key: client.Key{ID: 2, Private: trader}, Venue: venue, OnLoss: client.KeepOrders, Takeover: true, Orders: 1 << 17, Pending: 1 << 12})
	if err != nil {
		t.Fatal(err)
	}
	fate := map[msg.Ref]string{}
	placed := 0
	take := func(e *client.Event) {
		t.Helper()
		if e == nil {
			return
		}
		said := ""
		switch {
		case e.Kind == client.NotApplied:
			said = "not applied"
		case e.Kind == client.Report && e.Template == gen.TemplateOrderAccepted:
			said = "accepted"
		case e.Kind == client.Report && e.Template == gen.TemplateOrderCanceled: // nobody is on the other side
			return
		case e.Kind == client.Report || e.Kind == client.Missed || e.Kind == client.LogonRefused || e.Kind == client.Finished:
			code, _ := e.Reject()
			t.Fatalf("%v, template %d, code %d: %v", e.Kind, e.Template, code, e.Err)
		default:
			return
		}
		if was := fate[e.Request.Ref]; was != "" {
			t.Fatalf("order %d is %s, and was %s", e.Request.Ref, said, was)
		}
		fate[e.Request.Ref] = said
	}
	random := rand.New(rand.NewPCG(*chaos, 7))
	for range rounds {
		for end := time.Now().Add(time.Duration(20+random.IntN(150)) * time.Millisecond); time.Now().Before(end); {
			for range random.IntN(5) {
				if _, err := c.Place(&client.NewOrder{Account: 1, Instrument: 1, Side: gen.SideBuy, TIF: gen.TimeInForceIOC, Price: 490_000, Qty: 1}, c.Now()); err != nil {
					break // it is not bound, or not sure yet
				}
				placed++
			}
			c.Flush()
			take(c.Wait(time.Millisecond))
		}
		if err := l.cmd.Process.Signal(syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		_ = l.cmd.Wait() // it was killed
		l = start()
	}
	for end := time.Now().Add(30 * time.Second); len(fate) < placed && time.Now().Before(end); {
		take(c.Wait(10 * time.Millisecond))
	}
	if len(fate) != placed {
		t.Fatalf("of %d orders %d are known", placed, len(fate))
	}
	c.Close()
	if err := l.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := l.cmd.Wait(); err != nil {
		t.Fatalf("it stops with %v\n%s", err, l.errors.String())
	}
	held := acceptedIn(t, filepath.Join(dir, "data"))
	accepted := 0
	for ref, said := range fate {
		if said == "accepted" {
			accepted++
		}
		if held[ref] != (said == "accepted") {
			t.Errorf("order %d is %s, and in the journal %v", ref, said, held[ref])
		}
	}
	if len(held) != accepted {
		t.Errorf("the journal accepts %d orders, the client knows of %d", len(held), accepted)
	}
	t.Logf("%d kills, %d orders: %d accepted", rounds, placed, accepted)
}

// acceptedIn replays a journal: the orders that it accepts, each once.
func acceptedIn(t *testing.T, dir string) map[msg.Ref]bool {
	t.Helper()
	r, err := journal.NewReader(journal.Disk{}, dir)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	e, err := engine.New(r.Genesis().Limits)
	if err != nil {
		t.Fatal(err)
	}
	held := map[msg.Ref]bool{}
	var events []msg.Event
	for r.Next() {
		for i := range r.Commands() {
			events = e.Apply(&r.Commands()[i], events[:0])
			for j := range events {
				if ev := &events[j]; ev.Kind == msg.Accepted {
					if held[ev.Ref] {
						t.Errorf("order %d is accepted twice", ev.Ref)
					}
					held[ev.Ref] = true
				}
			}
		}
	}
	if err := r.Err(); err != nil {
		t.Fatal(err)
	}
	return held
}
