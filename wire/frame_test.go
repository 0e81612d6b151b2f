package wire_test

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// faultAt is a fault, short.
func faultAt(kind wire.FaultKind, offset, got, want int) wire.Fault {
	return wire.Fault{Kind: kind, Offset: offset, Got: got, Want: want}
}

// goldenOf is the golden frame of a template.
func goldenOf(t testing.TB, schema, template uint16) []byte {
	t.Helper()
	for _, frame := range goldens(t) {
		if h := gen.ReadHeader((*[8]byte)(frame[wire.MessageAt:])); h.Schema == schema && h.Template == template {
			return frame
		}
	}
	t.Fatalf("no golden bytes of %d of schema %d", template, schema)
	return nil
}

// Each way to harm a frame has its fault, its place, and its answer.
func TestFaultsOfFrames(t *testing.T) {
	order := goldenOf(t, gen.SchemaOrderEntry, gen.TemplateNewOrder)
	quote := goldenOf(t, gen.SchemaOrderEntry, gen.TemplateMassQuote)
	leave := goldenOf(t, gen.SchemaSession, gen.TemplateTerminate)
	u16 := binary.LittleEndian.PutUint16
	for _, c := range []struct {
		name   string
		frame  []byte
		harm   func(b []byte) []byte
		want   wire.Fault
		reject msg.Reject
	}{
		{"short", order, func(b []byte) []byte { b[3] = 13; return b }, faultAt(wire.FrameShort, 0, 13, 14), 0},
		{"long", order, func(b []byte) []byte { b[2] = 0x10; b[3] = 1; return b }, faultAt(wire.FrameLong, 0, 4097, 4096), 0},
		{"encoding", order, func(b []byte) []byte { b[5] = 0x51; return b }, faultAt(wire.FrameEncoding, 4, 0xEB51, 0xEB50), 0},
		{"schema", order, func(b []byte) []byte { u16(b[10:], 7003); return b }, faultAt(wire.MessageSchema, 10, 7003, 7001), 0},
		{"template", order, func(b []byte) []byte { u16(b[8:], 199); return b }, faultAt(wire.MessageTemplate, 8, 199, 0), msg.RejectUnknownTemplate},
		{"block short", order, func(b []byte) []byte { u16(b[6:], 49); return b }, faultAt(wire.BlockShort, 6, 49, 50), msg.RejectBadBlock},
		{"block beyond", order, func(b []byte) []byte { u16(b[6:], 51); return b }, faultAt(wire.MessageCut, 6, 65, 64), msg.RejectBadBlock},
		{"tail", order, func(b []byte) []byte { b[3]++; return append(b, 0) }, faultAt(wire.MessageTail, 64, 65, 64), msg.RejectBadBlock},
		{"no entries", quote, func(b []byte) []byte { u16(b[44:], 0); return b }, faultAt(wire.GroupCount, 44, 0, 1), msg.RejectBadBlock},
		{"too many", quote, func(b []byte) []byte { u16(b[44:], 17); return b }, faultAt(wire.GroupCount, 44, 17, 16), msg.RejectBadBlock},
		{"entries beyond", quote, func(b []byte) []byte { u16(b[44:], 3); return b }, faultAt(wire.MessageCut, 42, 166, 128), msg.RejectBadBlock},
		{"entry short", quote, func(b []byte) []byte { u16(b[42:], 39); return b }, faultAt(wire.GroupEntry, 42, 39, 40), msg.RejectBadBlock},
		{"memo", quote, func(b []byte) []byte { u16(b[126:], 1); b[3]++; return append(b, 0) }, faultAt(wire.DataLong, 126, 1, 0), msg.RejectBadBlock},
		{"data beyond", leave, func(b []byte) []byte { u16(b[31:], 13); return b }, faultAt(wire.MessageCut, 31, 46, 45), msg.RejectBadBlock},
		{"data without length", leave, func(b []byte) []byte { b[3] = 32; return b[:32] }, faultAt(wire.MessageCut, 31, 33, 32), msg.RejectBadBlock},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := c.harm(bytes.Clone(c.frame))
			size, fault := wire.NextFrame(b, wire.MaxInbound)
			if fault.Kind == 0 {
				_, fault = wire.Open(b[:size])
			}
			if fault != c.want || fault.Kind.Reject() != c.reject {
				t.Errorf("got %+v (%s), want %+v", fault, fault.Error(), c.want)
			}
		})
	}
}

// W-68: what a block and an entry have beyond the version that is known is skipped.
func TestLongerBlocksAreRead(t *testing.T) {
	quote := goldenOf(t, gen.SchemaOrderEntry, gen.TemplateMassQuote)
	const root, entry = 14 + 28, 40
	longer := slices.Concat(quote[:root], make([]byte, 8), quote[root:root+4])
	for i := range 2 {
		longer = slices.Concat(longer, quote[root+4+i*entry:][:entry], make([]byte, 16))
	}
	longer = append(longer, 0, 0)
	binary.BigEndian.PutUint32(longer, uint32(len(longer)))
	binary.LittleEndian.PutUint16(longer[6:], 28+8)
	binary.LittleEndian.PutUint16(longer[12:], 9)
	binary.LittleEndian.PutUint16(longer[root+8:], entry+16)
	m, fault := wire.Open(longer)
	if fault.Kind != 0 {
		t.Fatal(fault)
	}
	known, _ := wire.Open(quote)
	if *gen.AsMassQuote(m.Block) != *gen.AsMassQuote(known.Block) || m.Version != 9 {
		t.Error("the root differs")
	}
	for i := range 2 {
		if *gen.AsMassQuoteEntry(m.Group.At(i)) != *gen.AsMassQuoteEntry(known.Group.At(i)) {
			t.Errorf("entry %d differs", i)
		}
	}
}

// Every fault has words, and they say what was found and what was expected.
func TestFaultWords(t *testing.T) {
	got := wire.Fault{Kind: wire.BlockShort, Offset: 6, Got: 49, Want: 50}.Error()
	if want := "offset 6: block is too short: got 49, want 50"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for k := wire.FrameShort; k.Text() != "" || k < wire.DatagramSequence; k++ {
		if k.Text() == "" {
			t.Errorf("fault %d has no words", k)
		}
	}
}

// Blocks are aligned in the buffer of a stream (W-12), however the frames before them were cut.
func TestStreamCompacts(t *testing.T) {
	order := goldenOf(t, gen.SchemaOrderEntry, gen.TemplateNewOrder)
	s := wire.NewStream(256, 128)
	sent := bytes.Repeat(order, 50)
	frames := 0
	for len(sent) > 0 {
		n := copy(s.Room(), sent)
		s.Filled(n)
		sent = sent[n:]
		for {
			frame, fault := s.Next()
			if fault.Kind != 0 {
				t.Fatal(fault)
			}
			if frame == nil {
				break
			}
			if !bytes.Equal(frame, order) {
				t.Fatalf("frame %d is %x", frames, frame)
			}
			frames++
		}
	}
	if frames != 50 || s.Waiting() != 0 || s.Passed() != 50*64 {
		t.Errorf("%d frames, %d bytes waiting, %d passed", frames, s.Waiting(), s.Passed())
	}
}

// PlainOrder takes a plain order of the newest version, and leaves all else to Open.
func TestPlainOrder(t *testing.T) {
	for _, frame := range goldens(t) {
		m, _ := wire.Open(frame)
		want := m.Schema == gen.SchemaOrderEntry && m.Template == gen.TemplateNewOrder
		o := wire.PlainOrder(frame)
		if (o != nil) != want {
			t.Errorf("%x: got %v", frame, o)
		}
		if o == nil {
			continue
		}
		if *o != *gen.AsNewOrder(m.Block) {
			t.Error("it is another order")
		}
		for i := range frame[6:14] {
			frame[6+i]++
			if wire.PlainOrder(frame) != nil {
				t.Errorf("another header, %x, is taken for it", frame[6:14])
			}
			frame[6+i]--
		}
	}
}

// A stream that is widened goes on where it was, and takes longer frames than before.
func TestStreamWidens(t *testing.T) {
	order := goldenOf(t, gen.SchemaOrderEntry, gen.TemplateNewOrder)
	s := wire.NewStream(100, 64)
	s.Filled(copy(s.Room(), order))
	first, _ := s.Next()
	s.Filled(copy(s.Room(), order[:40]))
	s.Widen(1000, 200)
	s.Filled(copy(s.Room(), order[40:]))
	second, _ := s.Next()
	second = bytes.Clone(second)
	long, _ := wire.AppendFrame(nil, gen.Header{Block: 180})
	s.Filled(copy(s.Room(), long))
	third, fault := s.Next()
	if !bytes.Equal(first, order) || !bytes.Equal(second, order) || !bytes.Equal(third, long) || fault.Kind != 0 || s.Waiting() != 0 || s.Passed() != 322 {
		t.Errorf("got %x, %x, %x, %v, %d waiting, %d passed", first, second, third, fault, s.Waiting(), s.Passed())
	}
}

// A stream that is reset begins another connection, whatever was left of the last one.
func TestStreamIsReset(t *testing.T) {
	order := goldenOf(t, gen.SchemaOrderEntry, gen.TemplateNewOrder)
	s := wire.NewStream(512, 512)
	for _, left := range [][]byte{order[:9], {0, 0, 0, 3, 0xEB, 0x50}, nil} {
		s.Filled(copy(s.Room(), left))
		s.Next()
		s.Reset()
		if s.Waiting() != 0 || s.Passed() != 0 {
			t.Errorf("%d bytes wait, %d have passed", s.Waiting(), s.Passed())
		}
		s.Filled(copy(s.Room(), order))
		if frame, fault := s.Next(); !bytes.Equal(frame, order) || fault.Kind != 0 {
			t.Errorf("behind %x: %v", left, fault.Error())
		}
	}
}

// A packet is whole frames, as many as fit, and one that is longer alone.
func TestPacket(t *testing.T) {
	var b []byte
	for _, size := range []int{20, 30, 50, 200, 40} {
		b = append(b, binary.BigEndian.AppendUint32(nil, uint32(size))...)
		b = append(b, make([]byte, size-4)...)
	}
	for _, want := range []int{100, 200, 40} {
		got := wire.Packet(b, 100)
		if len(got) != want {
			t.Fatalf("%d bytes of %d, want %d", len(got), len(b), want)
		}
		b = b[want:]
	}
	if len(wire.Packet(b, 100)) != 0 {
		t.Error("a packet of nothing")
	}
}
