package wire_test

import (
	"bytes"
	"testing"

	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// The head of a datagram, byte by byte (W-09, W-10).
func TestDatagramBytes(t *testing.T) {
	name := wire.NameSession([3]byte{'B', 'T', 'C'}, 36*36+35, 2)
	if string(name[:]) != "BTC00010Z2" {
		t.Errorf("session %s, want BTC00010Z2", name[:])
	}
	p := wire.NewPacker(name, 258)
	block, ok := p.Add(gen.Header{Block: 14, Template: gen.TemplateChannelReset, Schema: gen.SchemaMarketData, Version: 1})
	if !ok || len(block) != 14 {
		t.Fatal("no room in an empty datagram")
	}
	gen.AsChannelReset(block).SetTime(5)
	want := []byte("BTC00010Z2\x00\x00\x00\x00\x00\x00\x01\x02\x00\x01\x00\x16\x0e\x00\x43\x01\x5a\x1b\x01\x00\x05\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00")
	if got := p.Datagram(); !bytes.Equal(got, want) {
		t.Errorf("got\n%x\nwant\n%x", got, want)
	}
	if got := p.AppendHeartbeat(nil); !bytes.Equal(got, []byte("BTC00010Z2\x00\x00\x00\x00\x00\x00\x01\x03\x00\x00")) {
		t.Errorf("heartbeat %x", got)
	}
	if got := p.AppendEnd(nil); !bytes.Equal(got, []byte("BTC00010Z2\x00\x00\x00\x00\x00\x00\x01\x03\xff\xff")) {
		t.Errorf("end %x", got)
	}
	if p.Datagram() != nil {
		t.Error("a datagram of nothing")
	}
}

// feed packs n records of one size, numbered from 1 on, into datagrams; the time of a record is its number.
func feed(n int) (datagrams [][]byte, name wire.SessionName) {
	name = wire.NameSession([3]byte{'E', 'T', 'H'}, 1, 0)
	p := wire.NewPacker(name, 1)
	for i := 1; i <= n; {
		block, ok := p.Add(gen.Header{Block: 22, Template: gen.TemplateOrderDelete, Schema: gen.SchemaMarketData, Version: 1})
		if !ok {
			datagrams = append(datagrams, bytes.Clone(p.Datagram()))
			continue
		}
		gen.AsOrderDelete(block).SetTime(uint64(i))
		i++
	}
	return append(datagrams, bytes.Clone(p.Datagram())), name
}

func TestFaultsOfDatagrams(t *testing.T) {
	datagrams, _ := feed(3)
	good := datagrams[0]
	for _, c := range []struct {
		name string
		harm func(b []byte) []byte
		want wire.Fault
	}{
		{"short", func(b []byte) []byte { return b[:19] }, faultAt(wire.DatagramShort, 0, 19, 20)},
		{"long", func(b []byte) []byte { return append(b, make([]byte, 1400)...) }, faultAt(wire.DatagramLong, 0, 1516, 1400)},
		{"cut", func(b []byte) []byte { return b[:115] }, faultAt(wire.DatagramCut, 84, 115, 116)},
		{"cut at a length", func(b []byte) []byte { return b[:85] }, faultAt(wire.DatagramCut, 84, 85, 86)},
		{"tail", func(b []byte) []byte { return append(b, 0) }, faultAt(wire.DatagramTail, 116, 117, 116)},
		{"numbers", func(b []byte) []byte { copy(b[10:], "\xff\xff\xff\xff\xff\xff\xff\xfd"); return b }, faultAt(wire.DatagramSequence, 10, 3, 0)},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, fault := wire.OpenDatagram(c.harm(bytes.Clone(good)), wire.MaxDatagram); fault != c.want {
				t.Errorf("got %+v, want %+v", fault, c.want)
			}
		})
	}
}

func TestRequests(t *testing.T) {
	name := wire.NameSession([3]byte{'B', 'T', 'C'}, 1, 0)
	r, fault := wire.OpenRequest(wire.AppendRequest(nil, name, 77, 12))
	if fault.Kind != 0 || r != (wire.Request{Session: name, Sequence: 77, Count: 12}) {
		t.Errorf("got %+v, %v", r, fault)
	}
	for _, b := range [][]byte{wire.AppendRequest(nil, name, 77, 0), wire.AppendRequest(nil, name, 77, 0xFFFF), wire.AppendRequest(nil, name, 1<<64-1, 2),
		make([]byte, 19), make([]byte, 21)} {
		if _, fault := wire.OpenRequest(b); fault.Kind == 0 {
			t.Errorf("%x is no request", b)
		}
	}
}
