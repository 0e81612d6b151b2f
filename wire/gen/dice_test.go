package gen_test

import (
	"encoding/binary"
	"math/rand/v2"
	"reflect"
	"strings"

	"github.com/lockstep-exchange/lockstep/wire/gen"
	"github.com/lockstep-exchange/lockstep/wire/schema"
)

// A second way to make messages: by the schema and nothing else, with dice for the values. draft is a message in values, bytes
// its layout; the codecs are asked for the same by their names.

// draft is a message before it is bytes.
type draft struct {
	message *schema.Message
	fields  [][]byte   // of the block, by field
	entries [][][]byte // of the group, by entry and field
	data    []byte
}

// dice draws a value for each field: now and then null, the least or the greatest, and only what a codec of another hand
// accepts too, so enums have a name and reserved bytes are zero.
type dice struct{ *rand.Rand }

func newDice(seed uint64) dice { return dice{rand.New(rand.NewPCG(seed, seed))} }

func (d dice) field(f *schema.Field) []byte {
	b := make([]byte, f.Size())
	switch {
	case f.Reserved:
	case f.Enum != nil && f.Optional && d.IntN(8) == 0:
		put(b, f.Primitive.Null())
	case f.Enum != nil:
		put(b, f.Enum.Values[d.IntN(len(f.Enum.Values))].Number)
	case f.Set != nil:
		put(b, d.Uint64()&f.Set.Mask())
	case f.Primitive == schema.Char:
		for i := range d.IntN(len(b) + 1) {
			b[i] = byte(' ' + d.IntN(95))
		}
	case f.Length > 1:
		for i := range b {
			b[i] = byte(d.Uint32())
		}
	default:
		put(b, d.number(f.Primitive))
	}
	return b
}

// number is any value, with a taste for the edges.
func (d dice) number(p schema.Primitive) uint64 {
	top := uint64(1) << (8*p.Size() - 1)
	switch d.IntN(8) {
	case 0:
		return p.Null()
	case 1:
		return top - 1
	case 2:
		return top
	case 3:
		return 0
	case 4:
		return top<<1 - 1
	}
	return d.Uint64() >> d.IntN(64)
}

func (d dice) draft(m *schema.Message) *draft {
	out := &draft{message: m}
	for i := range m.Fields {
		out.fields = append(out.fields, d.field(&m.Fields[i]))
	}
	for i := range m.Groups {
		g := &m.Groups[i]
		for range g.Min + d.IntN(g.Max-g.Min+1) {
			var entry [][]byte
			for k := range g.Fields {
				entry = append(entry, d.field(&g.Fields[k]))
			}
			out.entries = append(out.entries, entry)
		}
	}
	for i := range m.Data {
		out.data = make([]byte, d.IntN(min(m.Data[i].Max, 300)+1))
		for k := range out.data {
			out.data[k] = byte('a' + d.IntN(26))
		}
	}
	return out
}

func put(b []byte, v uint64) {
	for i := range b {
		b[i] = byte(v >> (8 * i))
	}
}

// bytes is the message from its SBE header on, laid out by the schema.
func (d *draft) bytes() []byte {
	m := d.message
	out := binary.LittleEndian.AppendUint16(nil, uint16(m.Block))
	out = binary.LittleEndian.AppendUint16(out, m.ID)
	out = binary.LittleEndian.AppendUint16(out, m.Schema.ID)
	out = binary.LittleEndian.AppendUint16(out, m.Schema.Version)
	out = appendBlock(out, m.Fields, d.fields, m.Block)
	for i := range m.Groups {
		g := &m.Groups[i]
		out = binary.LittleEndian.AppendUint16(out, uint16(g.Block))
		out = binary.LittleEndian.AppendUint16(out, uint16(len(d.entries)))
		for _, entry := range d.entries {
			out = appendBlock(out, g.Fields, entry, g.Block)
		}
	}
	if len(m.Data) > 0 {
		out = binary.LittleEndian.AppendUint16(out, uint16(len(d.data)))
		out = append(out, d.data...)
	}
	return out
}

func appendBlock(out []byte, fields []schema.Field, values [][]byte, size int) []byte {
	block := make([]byte, size)
	for i := range fields {
		copy(block[fields[i].Offset:], values[i])
	}
	return append(out, block...)
}

// method is a codec's method for a field; the zero Value where it has none.
func method(codec any, prefix string, f *schema.Field) reflect.Value {
	name := strings.ToUpper(f.Name[:1]) + f.Name[1:]
	if stem, ok := strings.CutSuffix(name, "Id"); ok {
		name = stem + "ID"
	}
	return reflect.ValueOf(codec).MethodByName(prefix + name)
}

// write fills a codec field by field, by its setters.
func write(codec any, fields []schema.Field, values [][]byte) {
	for i := range fields {
		f := &fields[i]
		if f.Reserved {
			continue
		}
		if f.Length > 1 {
			view := method(codec, "", f).Call(nil)[0].Elem()
			reflect.Copy(view, reflect.ValueOf(values[i]))
			continue
		}
		set := method(codec, "Set", f)
		set.Call([]reflect.Value{number(set.Type().In(0), f, values[i])})
	}
}

// number is a value as the type of a codec.
func number(t reflect.Type, f *schema.Field, raw []byte) reflect.Value {
	v := reflect.New(t).Elem()
	if t.Kind() >= reflect.Int && t.Kind() <= reflect.Int64 {
		shift := 64 - 8*f.Primitive.Size()
		v.SetInt(int64(schema.Bits(raw)<<shift) >> shift)
	} else {
		v.SetUint(schema.Bits(raw))
	}
	return v
}

// read compares every getter of a codec with the values; it names the first that differs.
func read(codec any, fields []schema.Field, values [][]byte) (differs string) {
	for i := range fields {
		f := &fields[i]
		if f.Reserved {
			continue
		}
		got := method(codec, "", f).Call(nil)[0]
		same := false
		if f.Length > 1 {
			same = got.Elem().Len() == f.Length
			for k := range got.Elem().Len() {
				same = same && byte(got.Elem().Index(k).Uint()) == values[i][k]
			}
		} else {
			same = got.Equal(number(got.Type(), f, values[i]))
		}
		if !same {
			return f.Name
		}
	}
	return ""
}

// block is a codec's bytes.
func block(codec any) []byte {
	return reflect.ValueOf(codec).Elem().Slice(0, reflect.ValueOf(codec).Elem().Len()).Bytes()
}

// check calls a codec's Check; one without has nothing to find.
func check(codec any) (field uint8, flaw gen.Flaw) {
	m := reflect.ValueOf(codec).MethodByName("Check")
	if !m.IsValid() {
		return 0, gen.Sound
	}
	out := m.Call(nil)
	return uint8(out[0].Uint()), gen.Flaw(out[1].Uint())
}
