package gen_test

import (
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/schema"
)

var rewrite = flag.Bool("rewrite", false, "write the golden bytes anew")

const goldenFolder = "../testdata"

// sample is a message whose every field is told apart from its neighbors by eye.
func sample(m *schema.Message) *draft {
	n := uint64(0)
	fill := func(fields []schema.Field) (values [][]byte) {
		for i := range fields {
			f := &fields[i]
			b := make([]byte, f.Size())
			n++
			switch {
			case f.Reserved:
			case f.Enum != nil:
				put(b, f.Enum.Values[int(n)%len(f.Enum.Values)].Number)
			case f.Set != nil:
				put(b, 1<<f.Set.Bits[int(n)%len(f.Set.Bits)].Number)
			case f.Primitive == schema.Char:
				copy(b, strings.ToUpper(f.Name))
			case f.Length > 1:
				for k := range b {
					b[k] = byte(k + int(n)<<4)
				}
			case f.Primitive.Signed() && f.Optional && n%2 == 0:
				put(b, f.Primitive.Null())
			case f.Primitive.Size() == 1:
				put(b, n)
			default:
				put(b, n*1_000+uint64(m.ID))
			}
			values = append(values, b)
		}
		return values
	}
	d := &draft{message: m, fields: fill(m.Fields)}
	for i := range m.Groups {
		d.entries = [][][]byte{fill(m.Groups[i].Fields), fill(m.Groups[i].Fields)}
	}
	if len(m.Data) > 0 && m.Data[0].Max > 0 {
		d.data = []byte("what follows")
	}
	return d
}

// golden is the frame in hexadecimal digits, field by field with its offset, name and value.
func golden(d *draft, frame []byte) []byte {
	m := d.message
	var out bytes.Buffer
	text, err := schema.AppendText(nil, frame[wire.MessageAt:])
	if err != nil {
		panic(err)
	}
	fmt.Fprintf(&out, "# %s\n", text)
	at := 0
	line := func(size int, format string, args ...any) {
		fmt.Fprintf(&out, "%-24x # %s\n", frame[at:at+size], fmt.Sprintf(format, args...))
		at += size
	}
	line(4, "frame: length %d", len(frame))
	line(2, "frame: SBE")
	line(2, "header: block of %d bytes", m.Block)
	line(2, "header: template %d", m.ID)
	line(2, "header: schema %d", m.Schema.ID)
	line(2, "header: version %d", m.Schema.Version)
	fields := func(fields []schema.Field) {
		for i := range fields {
			line(fields[i].Size(), "%d %s", fields[i].Offset, fields[i].Name)
		}
	}
	fields(m.Fields)
	for i := range m.Groups {
		line(2, "%s: entries of %d bytes", m.Groups[i].Name, m.Groups[i].Block)
		line(2, "%s: %d of them", m.Groups[i].Name, len(d.entries))
		for range d.entries {
			fields(m.Groups[i].Fields)
		}
	}
	for i := range m.Data {
		line(2, "%s: %d bytes", m.Data[i].Name, len(d.data))
		if len(d.data) > 0 {
			line(len(d.data), "%s", m.Data[i].Name)
		}
	}
	return out.Bytes()
}

// unhex reads a golden file.
func unhex(t *testing.T, text []byte) []byte {
	t.Helper()
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

// Every message has its bytes in the tree; what was on the wire once stays what it was (W-67).
func TestGoldenBytes(t *testing.T) {
	var names []string
	for _, c := range types {
		m := schema.Find(c.schema, c.template)
		name := filepath.Join(goldenFolder, m.Name+".hex")
		names = append(names, m.Name+".hex")
		d := sample(m)
		frame := build(t, d, c.message, c.entry)
		if *rewrite {
			if err := os.WriteFile(name, golden(d, frame), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := unhex(t, text); !bytes.Equal(got, frame) {
			t.Errorf("%s: the codec writes\n%x\nand it holds\n%x", name, frame, got)
		}
		if !bytes.Equal(text, golden(d, frame)) {
			t.Errorf("%s: its remarks are stale, run go test ./wire/gen -rewrite and look at the difference", name)
		}
	}
	files, err := os.ReadDir(goldenFolder)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if filepath.Ext(f.Name()) == ".hex" && !slices.Contains(names, f.Name()) {
			t.Errorf("%s belongs to no message", f.Name())
		}
	}
}
