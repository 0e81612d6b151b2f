package wire_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"encoding/hex"

	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
	"github.com/lockstep-exchange/lockstep/wire/schema"
)

// goldens are the frames of testdata: every message there is.
func goldens(t testing.TB) (frames [][]byte) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("testdata", "*.hex"))
	if err != nil || len(names) == 0 {
		t.Fatal("no golden bytes", err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var digits []byte
		for line := range bytes.Lines(text) {
			code, _, _ := bytes.Cut(line, []byte("#"))
			digits = append(digits, bytes.TrimSpace(code)...)
		}
		frame, err := hex.DecodeString(string(digits))
		if err != nil {
			t.Fatal(err)
		}
		frames = append(frames, frame)
	}
	return frames
}

// W-72: whatever the bytes are, nothing panics, what is opened lies inside the frame, the codecs and the schema agree on
// whether it is a message, and a request comes of it or a refusal with a code.
func FuzzOpen(f *testing.F) {
	for _, frame := range goldens(f) {
		f.Add(frame)
		f.Add(frame[:len(frame)-1])
	}
	scale := &wire.Scale{Tick: 5, Lot: 10}
	f.Fuzz(func(t *testing.T, frame []byte) {
		size, fault := wire.NextFrame(frame, wire.MaxOutbound)
		if size == 0 {
			return
		}
		m, fault := wire.Open(frame[:size])
		_, err := schema.AppendText(nil, frame[wire.MessageAt:size])
		if (fault.Kind == 0) != (err == nil) {
			t.Fatalf("codec: %v, schema: %v", fault, err)
		}
		if fault.Kind != 0 {
			if fault.Offset < 0 || fault.Offset > size {
				t.Fatalf("%v lies outside of a frame of %d bytes", fault, size)
			}
			return
		}
		for i := range m.Group.Count {
			_ = m.Group.At(i)
		}
		var r msg.Request
		no := wire.ToRequest(&m, 7, scale, &r)
		if no.Reject == 0 && m.Schema == gen.SchemaOrderEntry && m.Template == gen.TemplateMassQuote {
			for i := range m.Group.Count {
				wire.QuoteEntry(&m, i, scale, &r)
			}
		}
		if no.Reject == 0 && (m.Template >= 200 || r.Kind == 0) {
			t.Fatalf("template %d became %s", m.Template, r.String())
		}
		if no.Reject != 0 && no.Reject.Code() == 0 {
			t.Fatalf("a refusal without a code: %+v", no)
		}
		wire.Head(&m)
	})
}

// W-72: the same bytes in other pieces give the same frames, and the same fault in the same place.
func FuzzStream(f *testing.F) {
	all := bytes.Join(goldens(f), nil)[:1_500]
	f.Add(all, uint8(7))
	f.Add(all[:200], uint8(1))
	f.Add([]byte{0, 0, 0, 3, 0xEB, 0x50, 0, 0}, uint8(3))
	f.Fuzz(func(t *testing.T, b []byte, step uint8) {
		const limit = 512
		var want [][]byte
		var wantFault wire.Fault
		for rest := b; ; {
			size, fault := wire.NextFrame(rest, limit)
			if size == 0 {
				wantFault = fault
				break
			}
			want, rest = append(want, rest[:size]), rest[size:]
		}
		s := wire.NewStream(limit, limit)
		for rest := b; len(rest) > 0; {
			room := s.Room()
			if room == nil {
				break
			}
			if len(room) == 0 {
				t.Fatal("no room, and no fault")
			}
			n := copy(room[:min(len(room), int(step)+1)], rest)
			s.Filled(n)
			rest = rest[n:]
			for {
				frame, fault := s.Next()
				if frame == nil {
					if fault.Kind != 0 && fault != wantFault {
						t.Fatalf("fault %v, want %v", fault, wantFault)
					}
					break
				}
				if len(want) == 0 || !bytes.Equal(frame, want[0]) {
					t.Fatalf("frame %x is not the next one", frame)
				}
				want = want[1:]
			}
		}
		if len(want) != 0 {
			t.Fatalf("%d frames are missing", len(want))
		}
	})
}

// A datagram that opens packs again to the same bytes.
func FuzzDatagram(f *testing.F) {
	p := wire.NewPacker(wire.NameSession([3]byte{'B', 'T', 'C'}, 7, 1), 100)
	f.Add(p.AppendHeartbeat(nil))
	f.Add(p.AppendEnd(nil))
	f.Add(wire.AppendRequest(nil, wire.SessionName{}, 5, 6))
	for _, frame := range goldens(f) {
		m, fault := wire.Open(frame)
		if fault.Kind != 0 {
			f.Fatal(fault)
		}
		if m.Schema == gen.SchemaMarketData {
			block, _ := p.Add(m.Header)
			copy(block, m.Block)
		}
	}
	f.Add(bytes.Clone(p.Datagram()))
	f.Fuzz(func(t *testing.T, b []byte) {
		wire.OpenRequest(b)
		d, fault := wire.OpenDatagram(b, wire.MaxDatagram)
		if fault.Kind != 0 {
			if fault.Offset < 0 || fault.Offset > len(b) {
				t.Fatalf("%v lies outside of %d bytes", fault, len(b))
			}
			return
		}
		count := d.Count
		switch {
		case d.End:
			count = wire.EndOfSession
		}
		again := wire.AppendRequest(nil, d.Session, d.Sequence, uint16(count))
		for record := d.Record(); record != nil; record = d.Record() {
			again = append(again, byte(len(record)>>8), byte(len(record)))
			again = append(again, record...)
			wire.OpenRecord(record)
		}
		if !bytes.Equal(again, b) {
			t.Fatalf("%x became %x", b, again)
		}
	})
}
