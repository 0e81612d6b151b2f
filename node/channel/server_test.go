package channel_test

import (
	"bytes"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node/channel"
	"github.com/lockstep-exchange/lockstep/tape/feed"
	"github.com/lockstep-exchange/lockstep/wire"
)

// told is what a node would give a reader: some commands at a time.
type told struct {
	batches [][]msg.Event
	at      int
}

func (r *told) Wait() bool { return len(r.batches) > 0 }

func (r *told) Next() *msg.Event {
	if r.at == len(r.batches[0]) {
		return nil
	}
	r.at++
	return &r.batches[0][r.at-1]
}

func (r *told) Release() {
	if r.at == len(r.batches[0]) {
		r.batches, r.at = r.batches[1:], 0
	}
}

// listen opens a socket on this machine.
func listen(t *testing.T) (*net.UDPConn, netip.AddrPort) {
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetReadBuffer(4 << 20); err != nil {
		t.Fatal(err)
	}
	return conn, conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

// hear reads a datagram, which has to come before long.
func hear(t *testing.T, conn *net.UDPConn) []byte {
	b := make([]byte, 2048)
	if err := conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	n, err := conn.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return b[:n]
}

// W-10: both lines carry the same datagrams, which have every record; who asks gets one again; and the end is said.
func TestServerPublishesOnBothLines(t *testing.T) {
	defer goleak.VerifyNone(t)
	commands := day(t, 8, 400)
	a, toA := listen(t)
	b, toB := listen(t)
	p := newPublisher(t, config)
	s, err := channel.Open(p, channel.Sockets{Lines: []channel.Line{{To: toA}, {To: toB}}, Requests: netip.MustParseAddrPort("127.0.0.1:0"),
		Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	if err != nil {
		t.Fatal(err)
	}
	events := &told{}
	for i := 0; i < len(commands); i += 4 {
		var batch []msg.Event
		for _, c := range commands[i:min(i+4, len(commands))] {
			batch = append(batch, c...)
		}
		events.batches = append(events.batches, batch)
	}
	s.Run(events)
	s.End()
	var datagrams [][]byte
	for {
		one, other := hear(t, a), hear(t, b)
		if !bytes.Equal(one, other) {
			t.Fatal("the lines differ")
		}
		d, fault := wire.OpenDatagram(one, wire.MaxDatagram)
		if fault.Kind != 0 {
			t.Fatal(fault)
		}
		if d.End {
			break
		}
		if d.Count > 0 { // a slow machine hears heartbeats too
			datagrams = append(datagrams, one)
		}
	}
	tape, want := feed.New(config.Limits), []byte(nil)
	for _, c := range commands {
		want = tape.Append(want, c)
	}
	if got := join(records(t, datagrams, 1)); !bytes.Equal(got, want) {
		t.Errorf("%d bytes of records, want %d", len(got), len(want))
	}
	ask, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(s.RequestsAt()))
	if err != nil {
		t.Fatal(err)
	}
	defer ask.Close()
	for _, request := range [][]byte{[]byte("no request"), wire.AppendRequest(nil, p.Session(), 10, 3)} {
		if _, err := ask.Write(request); err != nil {
			t.Fatal(err)
		}
	}
	if d, fault := wire.OpenDatagram(hear(t, ask), wire.MaxDatagram); fault.Kind != 0 || d.Sequence != 10 || d.Count != 3 {
		t.Errorf("answer %+v, %v", d, fault)
	}
	if sent := s.Sent(); sent.Failed != 0 || sent.Requests.Answered != 1 || sent.Requests.Malformed != 1 {
		t.Errorf("sent %+v", sent)
	}
	all, n, first, next := s.Records(nil, 5, 2)
	if n != 2 || first != 1 || next != tape.Next() || !bytes.Contains(want, all) {
		t.Errorf("records %d of %d..%d", n, first, next)
	}
	var snapshot feed.Snapshot
	if !s.Snapshot(1, &snapshot) || snapshot.Next() != next || s.Snapshot(2, &snapshot) {
		t.Error("snapshots are others")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestSocketsAreRefused(t *testing.T) {
	taken, at := listen(t)
	defer taken.Close()
	for what, c := range map[string]channel.Sockets{
		"requests": {Requests: at},
		"line":     {Lines: []channel.Line{{To: netip.MustParseAddrPort("127.0.0.1:0")}}},
		"absent0":  {Lines: []channel.Line{{To: netip.MustParseAddrPort("239.1.1.1:9000"), Interface: "absent0"}}},
		"absent1":  {Lines: []channel.Line{{To: netip.MustParseAddrPort("[ff02::1:1]:9000"), Interface: "absent1"}}},
	} {
		if s, err := channel.Open(newPublisher(t, config), c); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v, %v", what, s, err)
		}
	}
}
