package serve

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lockstep-exchange/lockstep/client"
	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// folder writes the two files of a venue, with keys of its own, and gives the path of the first. change changes what they say.
func folder(t *testing.T, change func(exchange, venue string) (string, string)) string {
	t.Helper()
	dir := t.TempDir()
	trader, err := NewKey(filepath.Join(dir, "trader.key"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewKey(filepath.Join(dir, "venue.key")); err != nil {
		t.Fatal(err)
	}
	exchange := `data_dir = "data"
seed = { file = "venue.toml" }
listen = { orders = "127.0.0.1:0" }
gateway = { key = "venue.key", lanes = 4, lane_slots = 64 }
journal = { segment_mib = 1 }
`
	venue := fmt.Sprintf(`currency = "USDC"
[limits]
accounts = 64
orders = 4096
sessions = 64
[[market]]
name = "BTC-USD-PERP"
tick = "0.1"
lot = "0.001"
price = "50000"
maker = "0.01%%"
taker = "0.05%%"
[[account]]
id = 1
owner = 7
deposit = "100000"
[[key]]
id = 2
owner = 7
public = "%x"
`, trader)
	if change != nil {
		exchange, venue = change(exchange, venue)
	}
	for name, text := range map[string]string{"exchange.toml": exchange, "venue.toml": venue} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "exchange.toml")
}

// Every fault of the two files has its line, and says what was expected.
func TestFaultsOfTheFiles(t *testing.T) {
	swap := func(from, to string) func(string, string) (string, string) {
		return func(exchange, venue string) (string, string) {
			if !strings.Contains(exchange+venue, from) {
				t.Fatalf("nothing to change: %s", from)
			}
			return strings.Replace(exchange, from, to, 1), strings.Replace(venue, from, to, 1)
		}
	}
	for _, c := range []struct{ from, to, want string }{
		{`data_dir = "data"`, ``, `exchange.toml:1:1: has no data_dir, expected data_dir = "data"`},
		{`data_dir`, `data_dri`, `exchange.toml:1:1: data_dri is no key here; did you mean data_dir?`},
		{`orders = "127.0.0.1:0"`, `orders = "127.0.0.1"`, `exchange.toml:3:21: [listen] orders is "127.0.0.1", expected an address and a port`},
		{`orders = "127.0.0.1:0"`, `orders = "0.0.0.0:7001"`, `exchange.toml:3:21: [listen] orders is "0.0.0.0:7001", where anybody could read`},
		{`orders = "127.0.0.1:0"`, `orders = "0.0.0.0:7001", clear_networks = ["x"]`, `exchange.toml:3:55: [listen] clear_networks has "x", expected a network`},
		{`orders = "127.0.0.1:0"`, `orders_tls = "127.0.0.1:0"`, `has no tls, expected tls = { certificate`},
		{`{ orders = "127.0.0.1:0" }`, `{}`, `[listen] has no orders, expected orders = "127.0.0.1:7001", or orders_unix or orders_tls`},
		{`lanes = 4`, `shell = "quick"`, `exchange.toml:4:40: [gateway] shell is "quick", expected net, spin or fused`},
		{`lanes = 4`, `shell = 2`, `exchange.toml:4:40: [gateway] shell is 2 without quotes, expected a string`},
		{`lanes = 4`, `lanes = 1`, `[gateway] lanes is 1, expected a whole number from 2 to 256 without quotes`},
		{`"venue.key"`, `"other.key"`, `other.key: no such file or directory`},
		{`"venue.toml"`, `"venue2.toml"`, `venue2.toml: no such file or directory, expected a venue`},
		{`tick = "0.1"`, `tick = 0.1`, `venue.toml:8:8: [market] tick is 0.1 without quotes, expected a string`},
		{`maker = "0.01%"`, `makr = "0.01%"`, `venue.toml:11:1: [market] makr is no key here; did you mean maker?`},
		{`price = "50000"`, `price = "50000.05"`, `[market] price is "50000.05", expected a whole multiple of 0.1`},
		{`lot = "0.001"`, `lot = "0.0000001"`, `[market] a tick of a lot is not a whole multiple of 0.000001`},
		{`deposit = "100000"`, `deposit = "-1"`, `[account] deposit is "-1", expected an amount from 0 on`},
		{`id = 2`, `id = 2
role = "traitor"`, `[key] role is "traitor", expected trader or risk-manager or drop-copy or auditor or operator; did you mean trader?`},
		{"id = 2\nowner = 7", "id = 2", `[key] has no owner, expected owner = 7`},
		{`public = "`, `public = "zz`, `expected the 64 hexadecimal digits`},
		{"id = 2\nowner = 7", "id = 99\nowner = 7", `the engine refuses`},
	} {
		if _, err := Load(folder(t, swap(c.from, c.to))); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s for %s: got %v, want %s", c.to, c.from, err, c.want)
		}
	}
	_, err := Load(folder(t, func(exchange, venue string) (string, string) {
		i := strings.Index(venue, "public")
		return exchange, venue[:i] + fmt.Sprintf("public = \"%x\"\n", DevelopmentKey(3).Public())
	}))
	if err == nil || !strings.Contains(err.Error(), "is a development key") {
		t.Errorf("a development key: %v", err)
	}
	_, err = Load(folder(t, func(exchange, venue string) (string, string) {
		i := strings.Index(venue, "public")
		return exchange, venue[:i] + fmt.Sprintf("public = \"%064x\"\n", 0)
	}))
	if err == nil || !strings.Contains(err.Error(), "[key] public is a key with which anybody can sign") {
		t.Errorf("a placeholder: %v", err)
	}
	file := folder(t, nil)
	if err := os.Chmod(filepath.Join(filepath.Dir(file), "venue.key"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(file); err == nil || !strings.Contains(err.Error(), "may be read by others") {
		t.Errorf("a key for everybody: %v", err)
	}
	for mode, want := range map[os.FileMode]string{0o640: "venue.pem.key may be read by others", 0o600: "PEM"} {
		file = folder(t, func(exchange, venue string) (string, string) {
			return strings.Replace(exchange, `orders = "127.0.0.1:0" }`, "orders_tls = \"127.0.0.1:0\" }\ntls = { certificate = \"venue.pem\", key = \"venue.pem.key\" }", 1), venue
		})
		for _, name := range []string{"venue.pem", "venue.pem.key"} {
			if err := os.WriteFile(filepath.Join(filepath.Dir(file), name), nil, mode); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := Load(file); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("a key of TLS with mode %v: %v", mode, err)
		}
	}
	file = folder(t, func(exchange, venue string) (string, string) {
		return strings.Replace(exchange, "lanes = 4", "lanes = 1", 1), strings.Replace(venue, "id = 1", "id = 0", 1)
	})
	if _, err := Load(file); err == nil || !strings.Contains(err.Error(), "lanes is 1") || !strings.Contains(err.Error(), "id is 0") {
		t.Errorf("two faults in two files: %v", err)
	}
}

// A venue is served, a client trades on it, it goes down and comes back as it was; with another seed it does not.
func TestServed(t *testing.T) {
	file := folder(t, nil)
	start := func() (*Served, func()) {
		t.Helper()
		c, err := Load(file)
		if err != nil {
			t.Fatal(err)
		}
		s, err := Start(c)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.Run(ctx) }()
		return s, func() {
			cancel()
			select {
			case err := <-ended:
				if err != nil {
					t.Error(err)
				}
			case <-time.After(20 * time.Second):
				t.Error("it does not stop")
			}
		}
	}
	s, stop := start()
	if !s.Recovery.Created || !strings.Contains(string(s.Append(nil)), "orders at "+s.Orders) {
		t.Errorf("it says\n%s", s.Append(nil))
	}
	private, err := ReadKey(filepath.Join(filepath.Dir(file), "trader.key"))
	if err != nil {
		t.Fatal(err)
	}
	venuePrivate, err := ReadKey(filepath.Join(filepath.Dir(file), "venue.key"))
	if err != nil {
		t.Fatal(err)
	}
	trade(t, s.Orders, private, venuePrivate.Public().(ed25519.PublicKey))
	state := s.Recovery.State
	stop()
	s, stop = start()
	if s.Recovery.Created || s.Recovery.State == "" || s.Recovery.Seeded != 0 {
		t.Errorf("it recovers %+v, before %s", s.Recovery, state)
	}
	taken, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Start(taken); err == nil || !strings.Contains(err.Error(), "running") {
		t.Errorf("a second process on one folder: %v", err)
	}
	stop()
	venue := filepath.Join(filepath.Dir(file), "venue.toml")
	text, _ := os.ReadFile(venue)
	if err := os.WriteFile(venue, []byte(strings.Replace(string(text), "100000", "200000", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Start(c); err == nil || !strings.Contains(err.Error(), "seed") {
		t.Errorf("another seed: %v", err)
	}
}

// The demonstration has a market, and its keys are let in; it listens to nobody outside, and its keys open no other venue.
func TestDemonstration(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", "10.1.2.3:7001", "here"} {
		if _, err := Demonstration(t.TempDir(), address); err == nil {
			t.Errorf("%s is taken", address)
		}
	}
	c, err := Demonstration(t.TempDir(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s, err := Start(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 2)
	go func() { ended <- s.Run(ctx) }()
	quoting, enough := context.WithCancel(ctx)
	go func() { ended <- Quote(quoting, s.Orders, 1) }()
	taker, err := client.Dial(ctx, client.Link{Network: "tcp", Address: s.Orders}, client.Config{Key: client.Key{ID: 1, Private: DevelopmentKey(1)},
		Venue: DevelopmentKey(venueKey).Public().(ed25519.PublicKey)})
	if err != nil {
		t.Fatal(err)
	}
	traded := false
	for end := time.Now().Add(10 * time.Second); !traded && time.Now().Before(end); {
		e := taker.Wait(20 * time.Millisecond)
		switch {
		case e != nil && e.Kind == client.Report && e.Template == gen.TemplateTrade:
			traded = true
		case e == nil && taker.Bound() && !taker.Recovering():
			if _, err := taker.Place(&client.NewOrder{Account: 1, Instrument: 1, Side: gen.SideBuy, Type: gen.OrdTypeMarket, TIF: gen.TimeInForceIOC, Price: wire.None, Qty: 1}, taker.Now()); err != nil {
				t.Fatal(err)
			}
			taker.Flush()
		}
	}
	if !traded {
		t.Error("nobody trades with a visitor")
	}
	taker.Close()
	enough()
	if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("the maker: %v", err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// trade places an order by the SDK and sees it accepted.
func trade(t *testing.T, address string, private ed25519.PrivateKey, venue ed25519.PublicKey) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	c, err := client.Dial(ctx, client.Link{Network: "tcp", Address: address}, client.Config{Key: client.Key{ID: 2, Private: private}, Venue: venue})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); {
		e := c.Wait(time.Second)
		switch {
		case e == nil:
		case e.Kind == client.Recovered:
			if _, err := c.Place(&client.NewOrder{Account: 1, Instrument: 1, Side: gen.SideBuy, Price: 499_990, Qty: 5}, c.Now()); err != nil {
				t.Fatal(err)
			}
		case e.Kind == client.Report && e.Template == gen.TemplateOrderAccepted:
			if got := gen.AsOrderAccepted(e.Block).Price(); got != 499_990 {
				t.Errorf("accepted at %d", got)
			}
			return
		case e.Kind == client.Report:
			t.Fatalf("a report of template %d", e.Template)
		}
	}
	t.Fatal("no answer")
}

// An address that is taken is a fault of the surroundings.
func TestAddressTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := Load(folder(t, func(exchange, venue string) (string, string) {
		return strings.Replace(exchange, "127.0.0.1:0", l.Addr().String(), 1), venue
	}))
	if err != nil {
		t.Fatal(err)
	}
	_, err = Start(c)
	var coded interface{ ExitCode() int }
	if !errors.As(err, &coded) || coded.ExitCode() != 9 {
		t.Errorf("got %v", err)
	}
}
