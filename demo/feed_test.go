package demo

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/lockstep-exchange/lockstep/client"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node/channel"
	"github.com/lockstep-exchange/lockstep/tape/feed"
	"github.com/lockstep-exchange/lockstep/wire"
)

// free is an address of this machine that nobody uses.
func free(t *testing.T) netip.AddrPort {
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

// The channel of a demo has the engine's book in the end, and who listens hears it. One that goes on in a folder replays to the same numbers, and
// says nothing twice.
func TestDemoIsHeard(t *testing.T) {
	s := scriptOf(t, 200, 3)
	lines, requests := []netip.AddrPort{free(t), free(t)}, free(t)
	o := Options{Max: true, Accounts: 200, Seed: 3, Feed: &channel.Sockets{Lines: []channel.Line{{To: lines[0]}, {To: lines[1]}},
		Requests: requests, Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}}
	r, err := client.NewReceiver(client.Feed{Lines: lines, Requests: requests}, client.MarketConfig{Channel: [3]byte{'B', 'T', 'C'},
		Instruments: []msg.InstrumentID{instrument}, First: 1, Window: 1 << 19}, nil, func(uint64, *wire.Message) {})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	var hearing sync.WaitGroup
	hearing.Go(func() { _ = r.Run(ctx) })
	play := func(o Options) *run {
		p := &run{script: s, options: o, speed: s.speed(&o), ctx: ctx}
		if err := p.play(); err != nil {
			t.Fatal(err)
		}
		return p
	}
	first := play(o)
	_ = r.Close() // what it has not heard by now it asks for in vain: the demo has closed its sockets
	hearing.Wait()
	_, next := first.told.publisher.Numbers()
	if sent := first.told.server.Sent(); sent.Failed != 0 || next < 5_000 {
		t.Errorf("%d records, %+v", next-1, sent)
	}
	r.Look(func(m *client.Market) {
		if c, b := m.Counts(), m.Book(instrument); c.Records == 0 || c.Malformed+c.Foreign+c.Passed != 0 || b.Err() != nil || b.Next() == next && !b.Ready() {
			t.Errorf("heard %+v, %v", c, b.Err())
		}
	})
	var snapshot feed.Snapshot
	if !first.told.publisher.Snapshot(instrument, &snapshot) {
		t.Fatal("no snapshot")
	}
	book := client.NewBook(instrument, 0, 1<<12)
	for b := snapshot.Append(nil, 0); len(b) > 0; {
		size := 2 + int(b[0])<<8 + int(b[1])
		m, _ := wire.OpenRecord(b[2:size])
		if err := book.Load(&m); err != nil {
			t.Fatal(err)
		}
		b = b[size:]
	}
	if orders := int(first.engine.OpenOrders()); !book.Ready() || book.Next() != next || book.Count() != orders || orders < 100 {
		t.Errorf("a book of %d orders was told, want %d", book.Count(), orders)
	}

	o.Data = t.TempDir()
	for range 2 {
		again := play(o)
		if _, got := again.told.publisher.Numbers(); got != next {
			t.Errorf("in a folder the next record is %d, want %d", got, next)
		}
		if again.kept.recovery.Commands > 0 && again.told.server.Sent().Datagrams > 100 {
			t.Errorf("%d datagrams after everything was replayed", again.told.server.Sent().Datagrams)
		}
	}
}
