package capture

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

var rewrite = flag.Bool("rewrite", false, "write the captures of testdata anew")

var (
	client = netip.MustParseAddrPort("10.0.0.2:40000")
	venue  = netip.MustParseAddrPort("10.0.0.1:9001")
	feeder = netip.MustParseAddrPort("10.0.0.1:9100")
	group  = netip.MustParseAddrPort("239.1.1.1:9100")
)

// golden is the frame of one of wire's golden files.
func golden(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "testdata", name+".hex"))
	if err != nil {
		t.Fatal(err)
	}
	var digits []byte
	for line := range bytes.Lines(text) {
		code, _, _ := bytes.Cut(line, []byte("#"))
		digits = append(digits, bytes.TrimSpace(code)...)
	}
	b, err := hex.DecodeString(string(digits))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// ethernet wraps a payload as TCP or UDP over IPv4 over Ethernet.
func ethernet(from, to netip.AddrPort, protocol byte, transport []byte) []byte {
	b := append(make([]byte, 12), 0x08, 0x00)
	b = append(b, 0x45, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(20+len(transport)))
	b = append(b, 0, 0, 0x40, 0, 64, protocol, 0, 0)
	b = append(append(b, from.Addr().AsSlice()...), to.Addr().AsSlice()...)
	return append(b, transport...)
}

func tcp(from, to netip.AddrPort, sequence uint32, flags byte, payload []byte) []byte {
	b := binary.BigEndian.AppendUint16(nil, from.Port())
	b = binary.BigEndian.AppendUint16(b, to.Port())
	b = binary.BigEndian.AppendUint32(b, sequence)
	b = append(b, 0, 0, 0, 0, 5<<4, flags, 1, 0, 0, 0, 0, 0)
	return ethernet(from, to, protocolTCP, append(b, payload...))
}

func udp(from, to netip.AddrPort, payload []byte) []byte {
	b := binary.BigEndian.AppendUint16(nil, from.Port())
	b = binary.BigEndian.AppendUint16(b, to.Port())
	b = binary.BigEndian.AppendUint16(b, uint16(8+len(payload)))
	return ethernet(from, to, protocolUDP, append(append(b, 0, 0), payload...))
}

// session is an hour of a firm in ten packets: what it sends comes in pieces, twice and in the wrong order.
func session(t testing.TB) (packets [][]byte) {
	order, cancel := golden(t, "NewOrder"), golden(t, "Cancel")
	sent := slices.Concat(order, cancel, order)
	reply := slices.Concat(golden(t, "OrderAccepted"), golden(t, "Trade"))
	p := wire.NewPacker(wire.NameSession([3]byte{'B', 'T', 'C'}, 1, 1), 7)
	for _, name := range []string{"OrderAdd", "OrderDelete"} {
		m, _ := wire.Open(golden(t, name))
		block, _ := p.Add(m.Header)
		copy(block, m.Block)
	}
	datagram := bytes.Clone(p.Datagram())
	start := uint32(0xFFFFFFF0) // the sequence numbers wrap
	return [][]byte{
		tcp(client, venue, start-1, 2, nil),
		tcp(client, venue, start, 0x18, sent[:70]),
		tcp(venue, client, 4_000, 0x18, reply[:20]),
		tcp(client, venue, start+100, 0x18, sent[100:]), // early
		tcp(client, venue, start, 0x18, sent[:70]),      // again
		tcp(client, venue, start+60, 0x18, sent[60:110]),
		append(make([]byte, 12), 0x08, 0x06, 1, 2, 3), // ARP
		tcp(venue, client, 4_020, 0x18, reply[20:]),
		tcp(client, venue, start+uint32(len(sent)), 0x11, nil),
		udp(feeder, group, datagram),
		udp(feeder, group, p.AppendHeartbeat(nil)),
	}
}

// asPcap and asPcapng are the two formats; the n-th packet comes n microseconds after the second 1,700,000,000.
func asPcap(order binary.AppendByteOrder, packets [][]byte) []byte {
	b := order.AppendUint32(nil, 0xA1B2C3D4)
	b = order.AppendUint32(b, 4<<16|2)
	b = append(b, make([]byte, 8)...)
	b = order.AppendUint32(b, MaxPacket)
	b = order.AppendUint32(b, linkEthernet)
	for n, p := range packets {
		b = order.AppendUint32(b, 1_700_000_000)
		b = order.AppendUint32(b, uint32(n))
		b = order.AppendUint32(b, uint32(len(p)))
		b = order.AppendUint32(b, uint32(len(p)))
		b = append(b, p...)
	}
	return b
}

func asPcapng(order binary.AppendByteOrder, packets [][]byte) []byte {
	block := func(b []byte, kind uint32, body []byte) []byte {
		for len(body)%4 != 0 {
			body = append(body, 0)
		}
		b = order.AppendUint32(b, kind)
		b = order.AppendUint32(b, uint32(12+len(body)))
		b = append(b, body...)
		return order.AppendUint32(b, uint32(12+len(body)))
	}
	head := order.AppendUint32(nil, 0x1A2B3C4D)
	head = order.AppendUint32(head, 1)
	head = append(head, 255, 255, 255, 255, 255, 255, 255, 255)
	b := block(nil, 0x0A0D0D0A, head)
	link := order.AppendUint32(order.AppendUint16(order.AppendUint16(nil, linkEthernet), 0), 0)
	link = append(order.AppendUint16(order.AppendUint16(link, 9), 1), 9, 0, 0, 0) // nanoseconds
	b = block(b, 1, append(link, 0, 0, 0, 0))
	b = block(b, 5, make([]byte, 12)) // statistics: skipped
	for n, p := range packets {
		at := uint64(1_700_000_000_000_000_000 + n*1_000)
		body := order.AppendUint32(nil, 0)
		body = order.AppendUint32(body, uint32(at>>32))
		body = order.AppendUint32(body, uint32(at))
		body = order.AppendUint32(body, uint32(len(p)))
		body = order.AppendUint32(body, uint32(len(p)))
		b = block(b, 6, append(body, p...))
	}
	return b
}

// told is everything a capture says, a line each.
func told(t testing.TB, b []byte) (lines []string, skipped int) {
	t.Helper()
	skipped, err := ReadCapture(bytes.NewReader(b), 0, func(f *Found) error {
		h := gen.Header{}
		if f.Body != nil {
			h = gen.ReadHeader((*[8]byte)(f.Body))
		}
		lines = append(lines, fmt.Sprintf("%d %s @%d #%d %d %s %v", f.Time.Nanosecond(), f.Flow, f.Offset, f.Number, h.Template, f.Note, f.Fault))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines, skipped
}

// Either format, in either byte order, gives every message once, in its order, at its place.
func TestCaptures(t *testing.T) {
	packets := session(t)
	want := []string{
		"1000 10.0.0.2:40000>10.0.0.1:9001 @0 #0 100  <nil>",
		"5000 10.0.0.2:40000>10.0.0.1:9001 @64 #0 103  <nil>",
		"5000 10.0.0.2:40000>10.0.0.1:9001 @112 #0 100  <nil>",
		"7000 10.0.0.1:9001>10.0.0.2:40000 @0 #0 200  <nil>",
		"7000 10.0.0.1:9001>10.0.0.2:40000 @112 #0 203  <nil>",
		"9000 10.0.0.1:9100>239.1.1.1:9100 @22 #7 300  <nil>",
		"9000 10.0.0.1:9100>239.1.1.1:9100 @70 #8 303  <nil>",
		"10000 10.0.0.1:9100>239.1.1.1:9100 @0 #0 0 heartbeat session=BTC0000011 next=9 <nil>",
	}
	for name, b := range map[string][]byte{
		"session.pcap":   asPcap(binary.LittleEndian, packets),
		"big.pcap":       asPcap(binary.BigEndian, packets),
		"session.pcapng": asPcapng(binary.LittleEndian, packets),
		"big.pcapng":     asPcapng(binary.BigEndian, packets),
	} {
		if got, skipped := told(t, b); !slices.Equal(got, want) || skipped != 1 {
			t.Errorf("%s: skipped %d, got\n%q\nwant\n%q", name, skipped, got, want)
		}
		kept := filepath.Join("testdata", name)
		if name[:3] == "big" {
			continue
		}
		if *rewrite {
			if err := os.WriteFile(kept, b, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if old, err := os.ReadFile(kept); err != nil || !bytes.Equal(old, b) {
			t.Errorf("%s is stale (%v): run go test ./wire/capture -rewrite", kept, err)
		}
	}
}

// frames.raw is every golden frame, one after another.
func TestRawFrames(t *testing.T) {
	names, err := filepath.Glob(filepath.Join("..", "testdata", "*.hex"))
	if err != nil {
		t.Fatal(err)
	}
	var all []byte
	for _, name := range names {
		all = append(all, golden(t, filepath.Base(name[:len(name)-4]))...)
	}
	kept := filepath.Join("testdata", "frames.raw")
	if *rewrite {
		if err := os.WriteFile(kept, all, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if old, err := os.ReadFile(kept); err != nil || !bytes.Equal(old, all) {
		t.Errorf("%s is stale (%v): run go test ./wire/capture -rewrite", kept, err)
	}
	seen := 0
	if err := ReadRaw(iotest{bytes.NewReader(all)}, wire.MaxOutbound, func(f *Found) error {
		if f.Fault != nil {
			t.Error(f.Fault)
		}
		seen++
		return nil
	}); err != nil || seen != len(names) {
		t.Errorf("%d messages of %d, %v", seen, len(names), err)
	}
}

// iotest reads a byte at a time.
type iotest struct{ io.Reader }

func (r iotest) Read(b []byte) (int, error) { return r.Reader.Read(b[:min(1, len(b))]) }

// Whatever way a stream was cut, doubled and swapped, it comes out as it went in.
func TestAssemblerAgainstTheStream(t *testing.T) {
	for seed := range uint64(300) {
		dice := rand.New(rand.NewPCG(seed, 1))
		sent := make([]byte, dice.IntN(2_000)+1)
		for i := range sent {
			sent[i] = byte(dice.Uint32())
		}
		start := dice.Uint32()
		var packets []*Packet
		for at := 0; at < len(sent); {
			from := max(0, at-dice.IntN(20))
			to := min(len(sent), at+1+dice.IntN(200))
			for range 1 + dice.IntN(2) {
				packets = append(packets, &Packet{Flow: Flow{client, venue}, TCP: true, Sequence: start + 1 + uint32(from), Payload: sent[from:to]})
			}
			at = to
		}
		dice.Shuffle(len(packets), func(i, k int) { packets[i], packets[k] = packets[k], packets[i] })
		a := NewAssembler()
		a.Add(&Packet{Flow: Flow{client, venue}, TCP: true, Sequence: start, SYN: true})
		var got []byte
		for _, p := range packets {
			b, _, err := a.Add(p)
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			got = append(got, b...)
		}
		if !bytes.Equal(got, sent) || len(a.Rest()) != 0 {
			t.Fatalf("seed %d: %d bytes became %d", seed, len(sent), len(got))
		}
	}
}

// What is missing is told, and the flow goes on behind it.
func TestGapIsTold(t *testing.T) {
	order := golden(t, "NewOrder")
	packets := [][]byte{tcp(client, venue, 1, 2, nil), tcp(client, venue, 2+64, 0x18, order)}
	got, _ := told(t, asPcap(binary.LittleEndian, packets))
	if want := []string{"0 10.0.0.2:40000>10.0.0.1:9001 @0 #0 0  10.0.0.2:40000>10.0.0.1:9001: 64 bytes are missing"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	big := make([]byte, 1<<15)
	packets = packets[:1]
	for i := range uint32(34) {
		packets = append(packets, tcp(client, venue, 2+64+i<<15, 0x18, big))
	}
	a, told := NewAssembler(), 0
	r, err := NewReader(bytes.NewReader(asPcap(binary.LittleEndian, packets)))
	if err != nil {
		t.Fatal(err)
	}
	for p, err := r.Next(); err == nil; p, err = r.Next() {
		if _, _, gap := a.Add(p); gap != nil {
			told++
		}
	}
	if told != 1 {
		t.Errorf("told %d gaps, want 1", told)
	}
}

// FuzzCapture: no file makes the reader panic or take memory without bound.
func FuzzCapture(f *testing.F) {
	f.Add(asPcap(binary.LittleEndian, session(f)))
	f.Add(asPcapng(binary.BigEndian, session(f)))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, err := ReadCapture(bytes.NewReader(b), 0, func(f *Found) error { return nil })
		if errors.Is(err, io.EOF) {
			t.Fatal("the end of the file is no error")
		}
	})
}
