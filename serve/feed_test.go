package serve

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lockstep-exchange/lockstep/client"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/tape/feed"
	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// freePort is a port of this machine for datagrams that nobody uses, of those that are given to nobody who does not ask for one by number.
func freePort(t *testing.T) netip.AddrPort {
	t.Helper()
	for range 100 {
		at := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(10_000+rand.IntN(20_000)))
		conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(at))
		if err == nil {
			_ = conn.Close() // it was only a question
			return at
		}
	}
	t.Fatal("a hundred ports are taken")
	return netip.AddrPort{}
}

// A venue publishes what is traded on it, and after a restart goes on with the next number of the same session; who was not there before asks
// for all of it, what was published before the restart too.
func TestServedFeed(t *testing.T) {
	lines := []netip.AddrPort{freePort(t), freePort(t)}
	file := folder(t, func(exchange, venue string) (string, string) {
		return exchange + fmt.Sprintf(`feed = { channel = "BTC", epoch = 35, lines = ["%s", "%s"], requests = "127.0.0.1:0", networks = ["127.0.0.0/8"], history_log2 = 12 }
`, lines[0], lines[1]), venue
	})
	private, err := ReadKey(filepath.Join(filepath.Dir(file), "trader.key"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := ReadKey(filepath.Join(filepath.Dir(file), "venue.key"))
	if err != nil {
		t.Fatal(err)
	}
	next := uint64(1)
	for _, kept := range []bool{false, true} {
		c, err := Load(file)
		if err != nil {
			t.Fatal(err)
		}
		s, err := Start(c)
		if err != nil {
			t.Fatal(err)
		}
		if says := string(s.Append(nil)); !strings.Contains(says, fmt.Sprintf("market data of BTC00000Z0 to %s %s, to be asked for again at 127.0.0.1:", lines[0], lines[1])) {
			t.Errorf("it says\n%s", says)
		}
		if _, from := s.told.server.Numbers(); kept && from != next {
			t.Errorf("after a restart the next record is %d, want %d", from, next)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		ended := make(chan error, 1)
		go func() { ended <- s.Run(ctx) }()
		var r *client.Receiver
		heard := make(chan uint64, 1000)
		r, err = client.NewReceiver(client.Feed{Lines: lines, Requests: s.told.server.RequestsAt()},
			client.MarketConfig{Channel: [3]byte{'B', 'T', 'C'}, First: 1, Instruments: []msg.InstrumentID{1}, Window: 1 << 12}, nil,
			func(number uint64, _ *wire.Message) { heard <- number })
		if err != nil {
			t.Fatal(err)
		}
		var hearing sync.WaitGroup
		hearing.Go(func() { _ = r.Run(ctx) })
		trade(t, s.Orders, private, key.Public().(ed25519.PublicKey))
		_, told := s.told.server.Numbers()
		for kept && told <= next && ctx.Err() == nil { // who trades hears of it first (W-56)
			_, told = s.told.server.Numbers()
		}
		for number, last := uint64(0), told-1; number < last; {
			select {
			case number = <-heard:
			case <-ctx.Done():
				t.Fatalf("heard record %d, want %d", number, last)
			}
		}
		for ready := false; !ready && ctx.Err() == nil; { // the last record that was told may stand in the middle of an event
			r.Look(func(m *client.Market) { ready = m.Book(1).Ready() })
		}
		r.Look(func(m *client.Market) {
			if b := m.Book(1); !b.Ready() || m.Counts().Passed != 0 || b.Definition().InstrumentID() != 1 || kept && told <= next {
				t.Errorf("the book waits for %d, %v: %+v", b.Next(), b.Err(), m.Counts())
			}
		})
		_ = r.Close()
		hearing.Wait()
		cancel()
		if err := <-ended; err != nil && ctx.Err() == nil {
			t.Error(err)
		}
		_, next = s.told.publisher.Numbers()
	}
}

func TestFaultsOfTheFeed(t *testing.T) {
	good := `feed = { channel = "BTC", lines = ["239.1.1.1:9100"] }`
	for _, c := range []struct{ from, to, want string }{
		{`channel = "BTC", `, ``, `[feed] has no channel, expected channel = "BTC"`},
		{`"BTC"`, `"BT"`, `[feed] channel is "BT", expected three of A..Z and 0..9`},
		{`["239.1.1.1:9100"]`, `[]`, `[feed] has no lines, expected lines = ["239.1.1.1:9100"`},
		{`"BTC"`, `"btc"`, `[feed] channel is "btc", expected three of A..Z and 0..9`},
		{`9100"`, `9100", "239.1.1.2"`, `[feed] lines is "239.1.1.2", expected an address and a port`},
		{` }`, `, requests = "127.0.0.1:1" }`, `[feed] has no networks, expected networks = ["10.1.0.0/16"]`},
		{` }`, `, networks = ["here"] }`, `[feed] networks has "here", expected a network`},
		{` }`, `, epoch = 3000000000 }`, `[feed] epoch is 3000000000, expected a whole number from 0 to 2176782335`},
		{` }`, `, interfase = "lo" }`, `[feed] interfase is no key here; did you mean interface?`},
	} {
		_, err := Load(folder(t, func(exchange, venue string) (string, string) {
			return exchange + strings.Replace(good, c.from, c.to, 1) + "\n", venue
		}))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s for %s: got %v, want %s", c.to, c.from, err, c.want)
		}
	}
}

// Who comes late gets the book by a snapshot session, and who wants every record gets those from before by a replay session; then both follow the
// datagrams (rungs 3 and 4).
func TestServedReplayAndSnapshot(t *testing.T) {
	lines := []netip.AddrPort{freePort(t), freePort(t)}
	var readers []ed25519.PrivateKey // each has a key of its own: logons of one key that overlap may come to the venue in another order
	file := folder(t, func(exchange, venue string) (string, string) {
		for id := 3; id <= 4; id++ {
			public, private, err := ed25519.GenerateKey(nil)
			if err != nil {
				t.Fatal(err)
			}
			readers = append(readers, private)
			venue += fmt.Sprintf("[[key]]\nid = %d\nowner = 7\npublic = \"%x\"\n", id, public)
		}
		return exchange + fmt.Sprintf("feed = { channel = \"BTC\", lines = [\"%s\", \"%s\"], history_log2 = 12 }\n", lines[0], lines[1]), venue
	})
	private, err := ReadKey(filepath.Join(filepath.Dir(file), "trader.key"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := ReadKey(filepath.Join(filepath.Dir(file), "venue.key"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Start(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	maker, err := client.Dial(ctx, client.Link{Network: "tcp", Address: s.Orders}, client.Config{Key: client.Key{ID: 2, Private: private}, Venue: key.Public().(ed25519.PublicKey)})
	if err != nil {
		t.Fatal(err)
	}
	defer maker.Close()
	rest := func(price int64) {
		t.Helper()
		if _, err := maker.Place(&client.NewOrder{Account: 1, Instrument: 1, Side: gen.SideBuy, Price: price, Qty: 3}, maker.Now()); err != nil {
			t.Fatal(err)
		}
		maker.Flush()
		for e := maker.Wait(20 * time.Second); e == nil || e.Template != gen.TemplateOrderAccepted; e = maker.Wait(20 * time.Second) {
			if e != nil && (e.Err != nil || e.Template == gen.TemplateReject) {
				t.Fatalf("%v, %+v", e.Kind, e.Err)
			}
		}
	}
	rest(499_000) // which nobody hears

	type hearing struct {
		receiver *client.Receiver
		heard    chan uint64
	}
	var running sync.WaitGroup
	var all []hearing
	for i, first := range []uint64{0, 1} {
		h := hearing{heard: make(chan uint64, 1000)}
		sessions := client.NewSessions(client.Link{Network: "tcp", Address: s.Orders},
			client.Config{Key: client.Key{ID: uint64(3 + i), Private: readers[i]}, Venue: key.Public().(ed25519.PublicKey)})
		h.receiver, err = client.NewReceiver(client.Feed{Lines: lines[i : i+1]},
			client.MarketConfig{Channel: [3]byte{'B', 'T', 'C'}, First: first, Instruments: []msg.InstrumentID{1}, Window: 1 << 12}, sessions,
			func(number uint64, _ *wire.Message) { h.heard <- number })
		if err != nil {
			t.Fatal(err)
		}
		running.Go(func() { _ = h.receiver.Run(ctx) })
		running.Go(func() {
			if err := sessions.Run(ctx, h.receiver); err != nil && ctx.Err() == nil {
				t.Error(err)
			}
		})
		all = append(all, h)
	}
	rest(498_000)
	var snapshot feed.Snapshot
	var book *client.Book
	for book == nil || book.Count() < 2 { // what is accepted is published a little later
		if book = client.NewBook(1, 0, 64); !s.told.server.Snapshot(1, &snapshot) || ctx.Err() != nil {
			t.Fatal("two orders rest, and were not published")
		}
		for b := snapshot.Append(nil, 0); len(b) > 0; {
			size := 2 + int(b[0])<<8 + int(b[1])
			m, _ := wire.OpenRecord(b[2:size])
			if err := book.Load(&m); err != nil {
				t.Fatal(err)
			}
			b = b[size:]
		}
	}
	next := snapshot.Next()
	for i, h := range all {
		for ready := false; !ready; {
			select {
			case <-h.heard:
			case <-time.After(20 * time.Millisecond): // a snapshot may have had all of it
			case <-ctx.Done():
				h.receiver.Look(func(m *client.Market) {
					t.Logf("reader %d: waits for %d of %d, %v, %+v", i, m.Book(1).Next(), next, m.Book(1).Err(), m.Counts())
				})
				t.Fatal("no book")
			}
			h.receiver.Look(func(m *client.Market) {
				b := m.Book(1)
				if ready = b.Ready() && b.Next() == next; ready && (b.Checksum() != book.Checksum() || b.Count() != book.Count() || b.Count() != 2) {
					t.Errorf("reader %d: %d orders with checksum %016x, want %d with %016x", i, b.Count(), b.Checksum(), book.Count(), book.Checksum())
				}
				if counts := m.Counts(); ready && (i == 0 && counts.Snapshots == 0 || i == 1 && (counts.Replays == 0 || counts.Records != next-1)) {
					t.Errorf("reader %d: %+v", i, counts)
				}
			})
		}
	}
	cancel()
	running.Wait()
	if err := <-ended; err != nil && ctx.Err() == nil {
		t.Error(err)
	}
}
