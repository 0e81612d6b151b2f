package client_test

import (
	"bytes"
	"context"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/lockstep-exchange/lockstep/client"
	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node/channel"
	"github.com/lockstep-exchange/lockstep/node/journal"
	"github.com/lockstep-exchange/lockstep/tape/feed"
	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

var loopback = netip.MustParseAddrPort("127.0.0.1:0")

// broadcast is a venue's channel on this machine, and the events that it is about to publish.
type broadcast struct {
	engine  *engine.Engine
	events  [][]msg.Event
	publish *channel.Publisher
	server  *channel.Server
	at      int
	stop    int // commands after which Wait says that there are no more
}

func newBroadcast(t *testing.T, folder string, lines ...netip.AddrPort) *broadcast {
	j, err := journal.NewReader(journal.Disk{}, "../engine/testdata/golden/"+folder)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	b := &broadcast{}
	if b.engine, err = engine.New(j.Genesis().Limits); err != nil {
		t.Fatal(err)
	}
	for j.Next() {
		for i := range j.Commands() {
			b.events = append(b.events, b.engine.Apply(&j.Commands()[i], nil))
		}
	}
	if b.publish, err = channel.New(channel.Config{Limits: limitsOf(b.engine.Limits()), Name: channelName, History: 1 << 14}); err != nil {
		t.Fatal(err)
	}
	sockets := channel.Sockets{Requests: loopback, Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	for _, at := range lines {
		sockets.Lines = append(sockets.Lines, channel.Line{To: at})
	}
	if b.server, err = channel.Open(b.publish, sockets); err != nil {
		t.Fatal(err)
	}
	return b
}

// told is one command's events at a time.
type told struct {
	*broadcast
	n int
}

func (r *told) Wait() bool { return r.at < r.stop }

func (r *told) Next() *msg.Event {
	if r.n == len(r.events[r.at]) {
		return nil
	}
	r.n++
	return &r.events[r.at][r.n-1]
}

func (r *told) Release() {
	if r.n == len(r.events[r.at]) {
		r.at, r.n = r.at+1, 0
	}
}

// run publishes commands up to a number.
func (b *broadcast) run(to int) {
	b.stop = to
	b.server.Run(&told{broadcast: b})
}

// records are all that were published.
func (b *broadcast) records() (all [][]byte) {
	tape := feed.New(limitsOf(b.engine.Limits()))
	for _, events := range b.events {
		for records := tape.Append(nil, events); len(records) > 0; {
			size := 2 + int(records[0])<<8 + int(records[1])
			all, records = append(all, records[2:size]), records[size:]
		}
	}
	return all
}

// heard is what a receiver was told.
type heard struct {
	mu      sync.Mutex
	numbers []uint64
	blocks  [][]byte
}

func (h *heard) handle(number uint64, m *wire.Message) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.numbers, h.blocks = append(h.numbers, number), append(h.blocks, bytes.Clone(m.Block))
}

// desk answers a receiver's asks for what datagrams cannot bring, as sessions would.
type desk struct {
	server   *channel.Server
	receiver *client.Receiver
	asks     chan func()
}

func (d *desk) Replay(from uint64, count int) {
	d.asks <- func() {
		b, n, _, _ := d.server.Records(nil, from, count)
		for i := range n {
			size := 2 + int(b[0])<<8 + int(b[1])
			d.receiver.Replayed(from+uint64(i), b[2:size])
			b = b[size:]
		}
	}
}

func (d *desk) Snapshot(id msg.InstrumentID) {
	d.asks <- func() {
		var s feed.Snapshot
		if !d.server.Snapshot(id, &s) {
			d.receiver.Refused(client.Ask{Kind: client.AskSnapshot, Instrument: id})
			return
		}
		for b := s.Append(nil, 1); len(b) > 0; {
			size := 2 + int(b[0])<<8 + int(b[1])
			if err := d.receiver.Snapshot(b[2:size]); err != nil {
				panic(err)
			}
			b = b[size:]
		}
	}
}

// A receiver that is there from the start, and one that comes late, hear over sockets what was published: the one all of it, though most was sent
// before it listened, the other what comes behind its snapshots; and both have the venue's books.
func TestReceiverHearsAChannel(t *testing.T) {
	defer goleak.VerifyNone(t)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	ids := []msg.InstrumentID{1, 2, 3}
	first, second := &heard{}, &heard{}
	var lines []netip.AddrPort
	helper := &desk{asks: make(chan func(), 100)}
	open := func(h *heard, c client.MarketConfig, requests netip.AddrPort, recovery client.Recovery, at ...netip.AddrPort) *client.Receiver {
		c.Channel, c.Instruments, c.Window = channelName, ids, 1<<12
		r, err := client.NewReceiver(client.Feed{Lines: at, Requests: requests}, c, recovery, h.handle)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	reserve := func() netip.AddrPort { // an address of this machine that is free
		conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(loopback))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		return conn.LocalAddr().(*net.UDPAddr).AddrPort()
	}
	for range 3 {
		lines = append(lines, reserve())
	}
	b := newBroadcast(t, "recorded", lines...)
	b.run(len(b.events) / 2) // which nobody hears

	one := open(first, client.MarketConfig{First: 1}, b.server.RequestsAt(), nil, lines[0], lines[1])
	late := open(second, client.MarketConfig{}, netip.AddrPort{}, helper, lines[2])
	if got := one.Addresses(); !slices.Equal(got, lines[:2]) {
		t.Errorf("lines at %v, want %v", got, lines[:2])
	}
	helper.server, helper.receiver = b.server, late
	var running, helping sync.WaitGroup
	running.Go(func() {
		if err := one.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	running.Go(func() {
		if err := late.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	helping.Go(func() {
		for ask := range helper.asks {
			ask()
		}
	})
	b.run(len(b.events))
	b.server.End()
	running.Wait()
	close(helper.asks)
	helping.Wait()

	all := b.records()
	if len(first.numbers) != len(all) {
		t.Fatalf("heard %d records, want %d", len(first.numbers), len(all))
	}
	for i, block := range first.blocks {
		if first.numbers[i] != uint64(i+1) || !bytes.Equal(block, all[i][8:]) {
			t.Fatalf("record %d is another one", first.numbers[i])
		}
	}
	for i, block := range second.blocks {
		if !bytes.Equal(block, all[second.numbers[i]-1][8:]) {
			t.Fatalf("late: record %d is another one", second.numbers[i])
		}
	}
	for _, id := range ids {
		var s feed.Snapshot
		if !b.server.Snapshot(id, &s) {
			continue
		}
		end := s.Append(nil, 0)
		m, _ := wire.OpenRecord(end[len(end)-30:])
		for name, r := range map[string]*client.Receiver{"from the start": one, "late": late} {
			r.Look(func(market *client.Market) {
				if got := market.Book(id); !got.Ready() || got.Checksum() != checksumOf(&m) {
					t.Errorf("%s: the book of instrument %d has checksum %016x, want %016x: %v, %+v", name, id, got.Checksum(), checksumOf(&m), got.Err(), market.Counts())
				}
			})
		}
	}
	if err := b.server.Close(); err != nil {
		t.Error(err)
	}
}

// A receiver hears a multicast group, where this machine has one.
func TestReceiverHearsAGroup(t *testing.T) {
	group := netip.MustParseAddrPort("239.255.77.77:39177")
	h := &heard{}
	r, err := client.NewReceiver(client.Feed{Lines: []netip.AddrPort{group}}, client.MarketConfig{Channel: channelName, First: 1}, nil, h.handle)
	if err != nil {
		t.Skipf("no multicast here: %v", err)
	}
	b := newBroadcast(t, "plain", group)
	defer b.server.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	var running sync.WaitGroup
	running.Go(func() { err = r.Run(ctx) })
	b.run(len(b.events))
	b.server.End()
	running.Wait()
	if sent := b.server.Sent(); err != nil && (sent.Failed > 0 || len(h.numbers) == 0) {
		t.Skipf("multicast does not come through here: %d datagrams failed, %d records heard", sent.Failed, len(h.numbers))
	}
	if all := b.records(); err != nil || len(h.numbers) != len(all) {
		t.Errorf("heard %d records of a group, want %d: %v", len(h.numbers), len(all), err)
	}
}

func TestReceiverIsRefused(t *testing.T) {
	none := func(uint64, *wire.Message) {}
	for what, f := range map[string]client.Feed{
		"line 192.0.2.1:9": {Lines: []netip.AddrPort{loopback, netip.MustParseAddrPort("192.0.2.1:9")}},
		"absent0":          {Lines: []netip.AddrPort{netip.MustParseAddrPort("239.1.1.1:9")}, Interface: "absent0"},
	} {
		if r, err := client.NewReceiver(f, client.MarketConfig{}, nil, none); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v, %v", what, r, err)
		}
	}
	if _, err := client.NewReceiver(client.Feed{}, client.MarketConfig{Window: 3}, nil, none); err == nil {
		t.Error("a window of 3")
	}
}

// checksumOf is that of a SnapshotEnd.
func checksumOf(m *wire.Message) uint64 { return gen.AsSnapshotEnd(m.Block).Checksum() }
