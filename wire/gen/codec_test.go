package gen_test

import (
	"bytes"
	"testing"

	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
	"github.com/lockstep-exchange/lockstep/wire/schema"
)

const rounds = 2_000

// build is a draft as the codecs make it, in a frame.
func build(t *testing.T, d *draft, codec, entry any) []byte {
	t.Helper()
	m := d.message
	clear(block(codec))
	write(codec, m.Fields, d.fields)
	frame, at := wire.AppendFrame(nil, gen.Header{Block: uint16(m.Block), Template: m.ID, Schema: m.Schema.ID, Version: m.Schema.Version})
	copy(at, block(codec))
	if entry != nil {
		var g wire.Group
		frame, g = wire.AppendGroup(frame, 0, m.Groups[0].Block, len(d.entries))
		for i := range d.entries {
			clear(block(entry))
			write(entry, m.Groups[0].Fields, d.entries[i])
			copy(g.At(i), block(entry))
		}
	}
	if len(m.Data) > 0 {
		frame = wire.AppendData(frame, 0, d.data)
	}
	return frame
}

// Codecs and schema lay out every message alike, and a frame opens to what was put in.
func TestCodecsAgreeWithSchema(t *testing.T) {
	for _, c := range types {
		m := schema.Find(c.schema, c.template)
		t.Run(m.Name, func(t *testing.T) {
			dice := newDice(uint64(c.template))
			for range rounds {
				d := dice.draft(m)
				frame := build(t, d, c.message, c.entry)
				if want := d.bytes(); !bytes.Equal(frame[wire.MessageAt:], want) {
					t.Fatalf("codec\n%x\nschema\n%x", frame[wire.MessageAt:], want)
				}
				opened, fault := wire.Open(frame)
				if fault.Kind != 0 {
					t.Fatalf("%x: %v", frame, fault)
				}
				clear(block(c.message))
				copy(block(c.message), opened.Block)
				if name := read(c.message, m.Fields, d.fields); name != "" {
					t.Fatalf("%s of %x differs", name, frame)
				}
				if field, flaw := check(c.message); flaw != gen.Sound {
					t.Fatalf("%x: field %d has flaw %d", frame, field, flaw)
				}
				for i := range d.entries {
					copy(block(c.entry), opened.Group.At(i))
					if name := read(c.entry, m.Groups[0].Fields, d.entries[i]); name != "" {
						t.Fatalf("%s of entry %d of %x differs", name, i, frame)
					}
				}
				if !bytes.Equal(opened.Data, d.data) {
					t.Fatalf("data %x, want %x", opened.Data, d.data)
				}
				if size, fault := wire.NextFrame(frame, len(frame)); size != len(frame) || fault.Kind != 0 {
					t.Fatalf("frame of %d bytes: got %d, %v", len(frame), size, fault)
				}
				if _, err := schema.AppendText(nil, frame[wire.MessageAt:]); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// W-69: each reserved byte and bit, and each value without a name, is found in its field, and reserved ones go first.
func TestCheckFindsEachFlaw(t *testing.T) {
	found := 0
	for _, c := range types {
		m := schema.Find(c.schema, c.template)
		dice := newDice(1)
		for i := range m.Fields {
			f := &m.Fields[i]
			var bad []uint64
			want := gen.Reserved
			switch {
			case f.Reserved:
				for bit := range 8 * f.Size() {
					bad = append(bad, 1<<bit)
				}
			case f.Set != nil:
				for bit := range 8 * f.Size() {
					if f.Set.Mask()>>bit&1 == 0 {
						bad = append(bad, 1<<bit|f.Set.Mask())
					}
				}
			case f.Enum != nil:
				want = gen.Unknown
				for v := range uint64(1) << (8 * min(f.Size(), 2)) {
					if f.Enum.NameOf(v) == "" && !(f.Optional && v == f.Primitive.Null()) {
						bad = append(bad, v)
					}
				}
			}
			for _, v := range bad {
				d := dice.draft(m)
				clear(block(c.message))
				write(c.message, m.Fields, d.fields)
				put(block(c.message)[f.Offset:][:f.Size()], v)
				if field, flaw := check(c.message); int(field) != i || flaw != want {
					t.Fatalf("%s.%s = %#x: found field %d, flaw %d, want %d, %d", m.Name, f.Name, v, field, flaw, i, want)
				}
				found++
			}
		}
	}
	if found < 1000 {
		t.Errorf("only %d flaws were tried", found)
	}
}

// A block that is a byte short is no message.
func TestShortBlockIsNone(t *testing.T) {
	if gen.AsNewOrder(make([]byte, 49)) != nil || gen.AsNewOrder(make([]byte, 50)) == nil || gen.AsNewOrder(make([]byte, 58)) == nil {
		t.Error("AsNewOrder: expected a view of 50 bytes or more, and none of 49")
	}
}
