package serve_test

import (
	"crypto/ed25519"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/lockstep-exchange/lockstep/client"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node/gateway"
	"github.com/lockstep-exchange/lockstep/serve"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// The SDK trades by TCP and by a Unix socket on a venue of each shell, with a journal in mode fsync. More is sent in one go than a packet holds.
func TestServedByEachShell(t *testing.T) {
	const orders = 500
	for _, shell := range []gateway.Shell{gateway.Net, gateway.Spin, gateway.Fused} {
		c, err := serve.Demonstration(t.TempDir(), "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		c.Shell, c.Local = shell, filepath.Join(t.TempDir(), "orders.socket")
		s, err := serve.Start(c)
		if err != nil {
			t.Fatal(err)
		}
		for key, link := range map[msg.AccountID]client.Link{1: {Network: "tcp", Address: s.Orders}, 2: {Network: "unixpacket", Address: s.Local}} {
			k, err := client.Dial(t.Context(), link, client.Config{Key: client.Key{ID: uint64(key), Private: serve.DevelopmentKey(int(key))},
				Venue: serve.DevelopmentKey(16).Public().(ed25519.PublicKey)})
			if err != nil {
				t.Fatalf("%s, %s: %v", shell, link.Network, err)
			}
			for i := range orders {
				o := client.NewOrder{Account: key, Instrument: 1, Side: gen.SideBuy, TIF: gen.TimeInForceIOC, Price: 590_000 - int64(i), Qty: 1}
				if _, err := k.Place(&o, k.Now()); err != nil {
					t.Fatal(err)
				}
			}
			k.Flush()
			accepted := 0
			for end := time.Now().Add(time.Minute); k.Unanswered() > 0 && time.Now().Before(end) && !k.Over(); {
				if e := k.Wait(time.Second); e != nil && e.Kind == client.Report && e.Template == gen.TemplateOrderAccepted {
					accepted++
				}
			}
			if accepted != orders {
				t.Errorf("%s, %s: %d of %d orders are accepted: %v", shell, link.Network, accepted, orders, k.Err())
			}
			k.Close()
		}
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	}
}

// A Unix socket that is left of a process that was killed is taken away; one at which somebody listens, packets or not, is not ours to take.
func TestSocketOfAnother(t *testing.T) {
	for _, x := range []struct {
		network        string
		listens, taken bool
	}{{"unixpacket", false, false}, {"unixpacket", true, true}, {"unix", true, true}} {
		c, err := serve.Demonstration(t.TempDir(), "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		c.Local = filepath.Join(t.TempDir(), "orders.socket")
		l, err := net.ListenUnix(x.network, &net.UnixAddr{Name: c.Local, Net: x.network})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if !x.listens {
			l.SetUnlinkOnClose(false)
			l.Close()
		}
		s, err := serve.Start(c)
		if (err != nil) != x.taken {
			t.Errorf("%s, of somebody who listens %v: %v", x.network, x.listens, err)
		}
		if err == nil {
			if err := s.Stop(); err != nil {
				t.Error(err)
			}
		}
		if !x.taken {
			continue
		}
		if conn, err := net.Dial(x.network, c.Local); err != nil {
			t.Errorf("who listened is reached no more: %v", err)
		} else {
			conn.Close()
		}
	}
}
