package schema

// Messages printed by their schema: one line for people, or one object of JSON. Nothing of the codecs is used, so that what
// is printed is a second opinion on them.

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
)

// Fault is a message that cannot be read.
type Fault struct {
	Offset int // from the start of the SBE header
	What   string
}

func (f *Fault) Error() string { return fmt.Sprintf("offset %d: %s", f.Offset, f.What) }

func faulty(offset int, format string, args ...any) error {
	return &Fault{offset, fmt.Sprintf(format, args...)}
}

// headerSize is the size of the SBE header in bytes.
const headerSize = 8

// visitor sees a message part by part.
type visitor interface {
	message(m *Message, version uint16)
	value(f *Field, raw []byte)
	group(g *Group)
	entry(i int)
	endEntry()
	endGroup()
	data(d *Data, raw []byte)
	end()
}

// AppendText writes the message that b holds from its SBE header on, as one line without an end: name and fields.
func AppendText(dst []byte, b []byte) ([]byte, error) {
	m, err := locate(b)
	if err != nil {
		return dst, err
	}
	return m.AppendText(dst, b)
}

// AppendJSON writes it as one object: message, schema, template, version, and each field by its name; a field that is none is
// null.
func AppendJSON(dst []byte, b []byte) ([]byte, error) {
	m, err := locate(b)
	if err != nil {
		return dst, err
	}
	p := &jsonPrinter{dst: dst}
	err = m.walk(b, p)
	return p.dst, err
}

// AppendText is AppendText for a message that is known to be this one.
func (m *Message) AppendText(dst []byte, b []byte) ([]byte, error) {
	p := &textPrinter{dst: dst}
	err := m.walk(b, p)
	return p.dst, err
}

// locate is the message that b holds by its header.
func locate(b []byte) (*Message, error) {
	if len(b) < headerSize {
		return nil, faulty(0, "a header has %d bytes, got %d", headerSize, len(b))
	}
	template, id := binary.LittleEndian.Uint16(b[2:]), binary.LittleEndian.Uint16(b[4:])
	m := Find(id, template)
	switch {
	case !Known(id):
		return nil, faulty(4, "unknown schema %d", id)
	case m == nil:
		return nil, faulty(2, "schema %d has no template %d", id, template)
	}
	return m, nil
}

// walk reads a message and shows it to v. Fields that the message's version does not have are left out; what is longer than
// the schema knows is skipped.
func (m *Message) walk(b []byte, v visitor) error {
	if len(b) < headerSize {
		return faulty(0, "a header has %d bytes, got %d", headerSize, len(b))
	}
	block, version := int(binary.LittleEndian.Uint16(b)), binary.LittleEndian.Uint16(b[6:])
	switch {
	case block < m.BlockAt(version):
		return faulty(0, "block of %s version %d has %d bytes, got %d", m.Name, version, m.BlockAt(version), block)
	case len(b) < headerSize+block:
		return faulty(0, "block of %d bytes, but %d are left", block, len(b)-headerSize)
	}
	v.message(m, version)
	walkFields(m.Fields, version, b[headerSize:], v)
	at := headerSize + block
	for i := range m.Groups {
		g := &m.Groups[i]
		if len(b) < at+4 {
			return faulty(at, "%s: the head of a group has 4 bytes, got %d", g.Name, len(b)-at)
		}
		entry, count := int(binary.LittleEndian.Uint16(b[at:])), int(binary.LittleEndian.Uint16(b[at+2:]))
		switch {
		case entry < g.BlockAt(version):
			return faulty(at, "%s: an entry has %d bytes, got %d", g.Name, g.BlockAt(version), entry)
		case count < g.Min || count > g.Max:
			return faulty(at+2, "%s: expected %d to %d entries, got %d", g.Name, g.Min, g.Max, count)
		case len(b) < at+4+entry*count:
			return faulty(at, "%s: %d entries of %d bytes, but %d are left", g.Name, count, entry, len(b)-at-4)
		}
		at += 4
		v.group(g)
		for n := range count {
			v.entry(n)
			walkFields(g.Fields, version, b[at:], v)
			v.endEntry()
			at += entry
		}
		v.endGroup()
	}
	for i := range m.Data {
		d := &m.Data[i]
		if len(b) < at+2 {
			return faulty(at, "%s: its length has 2 bytes, got %d", d.Name, len(b)-at)
		}
		length := int(binary.LittleEndian.Uint16(b[at:]))
		switch {
		case length > d.Max:
			return faulty(at, "%s: expected at most %d bytes, got %d", d.Name, d.Max, length)
		case len(b) < at+2+length:
			return faulty(at, "%s: %d bytes, but %d are left", d.Name, length, len(b)-at-2)
		}
		v.data(d, b[at+2:][:length])
		at += 2 + length
	}
	if at != len(b) {
		return faulty(at, "%s ends here, and %d bytes follow", m.Name, len(b)-at)
	}
	v.end()
	return nil
}

func walkFields(fields []Field, version uint16, block []byte, v visitor) {
	for i := range fields {
		if f := &fields[i]; f.Since <= version {
			v.value(f, block[f.Offset:][:f.Size()])
		}
	}
}

// Bits are the bits of an element.
func Bits(raw []byte) (bits uint64) {
	for i := len(raw) - 1; i >= 0; i-- {
		bits = bits<<8 | uint64(raw[i])
	}
	return bits
}

// number writes bits as a number.
func (p Primitive) number(dst []byte, bits uint64) []byte {
	if p.Signed() {
		shift := 64 - 8*p.Size()
		return strconv.AppendInt(dst, int64(bits<<shift)>>shift, 10)
	}
	return strconv.AppendUint(dst, bits, 10)
}

// isNull reports whether a value is none.
func (f *Field) isNull(bits uint64) bool {
	return f.Optional && f.Length == 1 && bits == f.Primitive.Null()
}

// trimmed is text without the zeros behind it.
func trimmed(raw []byte) string {
	for len(raw) > 0 && raw[len(raw)-1] == 0 {
		raw = raw[:len(raw)-1]
	}
	return string(raw)
}

// textPrinter writes name=value, with zero reserved fields left out.
type textPrinter struct{ dst []byte }

func (p *textPrinter) message(m *Message, version uint16) {
	p.dst = append(p.dst, m.Name...)
	if version != m.Schema.Version {
		p.dst = fmt.Appendf(p.dst, " version=%d", version)
	}
}

func (p *textPrinter) value(f *Field, raw []byte) {
	bits := Bits(raw)
	if f.Reserved && bits == 0 {
		return
	}
	p.dst = append(append(append(p.dst, ' '), f.Name...), '=')
	switch {
	case f.Primitive == Char && f.Enum == nil:
		p.dst = strconv.AppendQuote(p.dst, trimmed(raw))
	case f.Length > 1:
		p.dst = hex.AppendEncode(p.dst, raw)
	case f.isNull(bits):
		p.dst = append(p.dst, "none"...)
	case f.Enum != nil && f.Enum.NameOf(bits) != "":
		p.dst = append(p.dst, f.Enum.NameOf(bits)...)
	case f.Set != nil:
		p.dst = f.Set.append(p.dst, bits)
	default:
		p.dst = f.Primitive.number(p.dst, bits)
	}
}

// append writes the names of bits, with a bar between them; - for none.
func (s *Set) append(dst []byte, bits uint64) []byte {
	if bits == 0 {
		return append(dst, '-')
	}
	for _, b := range s.Bits {
		if bits>>b.Number&1 == 1 {
			dst = append(append(dst, b.Name...), '|')
		}
	}
	if rest := bits &^ s.Mask(); rest != 0 {
		dst = fmt.Appendf(dst, "%#x|", rest)
	}
	return dst[:len(dst)-1]
}

func (p *textPrinter) group(g *Group) { p.dst = fmt.Appendf(p.dst, " %s=[", g.Name) }
func (p *textPrinter) entry(int)      { p.dst = append(p.dst, '{') }
func (p *textPrinter) endEntry()      { p.dst = append(p.dst, " }"...) }
func (p *textPrinter) endGroup()      { p.dst = append(p.dst, ']') }
func (p *textPrinter) end()           {}

func (p *textPrinter) data(d *Data, raw []byte) {
	switch {
	case d.Max == 0:
	case d.Text:
		p.dst = fmt.Appendf(p.dst, " %s=%q", d.Name, raw)
	default:
		p.dst = fmt.Appendf(p.dst, " %s=%x", d.Name, raw)
	}
}

// jsonPrinter writes an object.
type jsonPrinter struct {
	dst   []byte
	first bool // no comma is due
}

func (p *jsonPrinter) key(name string) {
	if !p.first {
		p.dst = append(p.dst, ',')
	}
	p.first = false
	p.dst = append(appendString(p.dst, name), ':')
}

func (p *jsonPrinter) message(m *Message, version uint16) {
	p.dst = fmt.Appendf(p.dst, `{"message":%q,"schema":%d,"template":%d,"version":%d`, m.Name, m.Schema.ID, m.ID, version)
}

func (p *jsonPrinter) value(f *Field, raw []byte) {
	p.key(f.Name)
	bits := Bits(raw)
	switch {
	case f.Primitive == Char && f.Enum == nil:
		p.dst = appendString(p.dst, trimmed(raw))
	case f.Length > 1:
		p.dst = appendString(p.dst, hex.EncodeToString(raw))
	case f.isNull(bits):
		p.dst = append(p.dst, "null"...)
	case f.Enum != nil && f.Enum.NameOf(bits) != "":
		p.dst = appendString(p.dst, f.Enum.NameOf(bits))
	case f.Set != nil:
		p.dst = append(p.dst, '[')
		for _, b := range f.Set.Bits {
			if bits>>b.Number&1 == 1 {
				p.dst = append(appendString(p.dst, b.Name), ',')
				bits &^= 1 << b.Number
			}
		}
		if bits != 0 {
			p.dst = append(strconv.AppendUint(p.dst, bits, 10), ',')
		}
		if p.dst[len(p.dst)-1] == ',' {
			p.dst = p.dst[:len(p.dst)-1]
		}
		p.dst = append(p.dst, ']')
	default:
		p.dst = f.Primitive.number(p.dst, bits)
	}
}

func (p *jsonPrinter) group(g *Group) { p.key(g.Name); p.dst = append(p.dst, '[') }

func (p *jsonPrinter) entry(i int) {
	if i > 0 {
		p.dst = append(p.dst, ',')
	}
	p.dst = append(p.dst, '{')
	p.first = true
}

func (p *jsonPrinter) endEntry() { p.dst = append(p.dst, '}'); p.first = false }
func (p *jsonPrinter) endGroup() { p.dst = append(p.dst, ']') }
func (p *jsonPrinter) end()      { p.dst = append(p.dst, '}') }

func (p *jsonPrinter) data(d *Data, raw []byte) {
	switch p.key(d.Name); {
	case d.Text:
		p.dst = appendString(p.dst, string(raw))
	default:
		p.dst = appendString(p.dst, hex.EncodeToString(raw))
	}
}

// appendString writes a string of JSON; bytes that are no UTF-8 are replaced.
func appendString(dst []byte, s string) []byte {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string always has a form
	}
	return append(dst, text...)
}
