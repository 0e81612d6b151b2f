package gen_test

import (
	"archive/zip"
	"bufio"
	"bytes"
	"encoding/binary"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/schema"
)

var messages = flag.Int("messages", 2_000, "how many of each message the differential test sends through sbe-tool's codecs")

// The judge from outside: sbe-tool, the reference implementation of SBE, generates Java codecs from the same XML, warnings
// being errors. A program, written here for the messages there are, takes each message apart with them, says what every field
// holds, and puts the message together again with their encoder.
//
//	draft --our codec--> bytes --their decoder--> values --their encoder--> bytes
//	  '------------------------------------------- equal      equal -----------'--our codec--> the draft
//
// LOCKSTEP_SBE_TOOL is the class path of sbe-tool and what it needs; .ci/run fetches it. Without it the test is skipped.
func TestAgainstSbeTool(t *testing.T) {
	classes := os.Getenv("LOCKSTEP_SBE_TOOL")
	if classes == "" {
		t.Skip("LOCKSTEP_SBE_TOOL is not the class path of sbe-tool: bash .ci/run sbe-tool fetches it")
	}
	judge := startJudge(t, classes)
	for _, c := range types {
		m := schema.Find(c.schema, c.template)
		t.Run(m.Name, func(t *testing.T) {
			seed := uint64(c.template) + 1_000
			dice := newDice(seed)
			const batch = 500
			for sent := 0; sent < *messages; sent += batch {
				drafts := make([]*draft, min(batch, *messages-sent))
				var all []byte
				for i := range drafts {
					drafts[i] = dice.draft(m)
					body := build(t, drafts[i], c.message, c.entry)[wire.MessageAt:]
					all = append(binary.BigEndian.AppendUint32(all, uint32(len(body))), body...)
				}
				judge.send(t, all)
				for _, d := range drafts {
					judge.compare(t, d, c.message, c.entry, seed)
				}
			}
		})
	}
}

// judge is the Java program at work.
type judge struct {
	in  io.WriteCloser
	out *bufio.Reader
	log *bytes.Buffer
}

// startJudge generates, compiles and starts it.
func startJudge(t *testing.T, classes string) *judge {
	t.Helper()
	folder := t.TempDir()
	run := func(name string, args ...string) {
		if text, err := exec.Command(name, args...).CombinedOutput(); err != nil {
			t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, text)
		}
	}
	xsd := filepath.Join(folder, "sbe.xsd")
	unpackXSD(t, classes, xsd)
	for _, name := range schema.Files {
		run("java", "-cp", classes, "-Dsbe.validation.xsd="+xsd, "-Dsbe.validation.stop.on.error=true", "-Dsbe.validation.warnings.fatal=true", "-Dsbe.target.language=Java",
			"-Dsbe.output.dir="+folder, "uk.co.real_logic.sbe.SbeTool", filepath.Join("..", "schema", name))
	}
	program := filepath.Join(folder, "Judge.java")
	if err := os.WriteFile(program, []byte(judgeText()), 0o644); err != nil {
		t.Fatal(err)
	}
	run("javac", "-nowarn", "-cp", classes+string(os.PathListSeparator)+folder, "-sourcepath", folder, "-d", folder, program)
	j := &judge{log: new(bytes.Buffer)}
	cmd := exec.Command("java", "--add-opens", "java.base/jdk.internal.misc=ALL-UNNAMED", "-cp", classes+string(os.PathListSeparator)+folder, "Judge")
	cmd.Stderr = j.log
	var err error
	if j.in, err = cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	j.out = bufio.NewReaderSize(out, 1<<20)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		j.in.Close()
		if err := cmd.Wait(); err != nil && !t.Failed() {
			t.Errorf("%v\n%s", err, j.log)
		}
	})
	return j
}

// unpackXSD takes the XML schema of SBE schemas out of the jar of sbe-tool.
func unpackXSD(t *testing.T, classes, to string) {
	t.Helper()
	for _, jar := range filepath.SplitList(classes) {
		if !strings.Contains(filepath.Base(jar), "sbe-tool") {
			continue
		}
		r, err := zip.OpenReader(jar)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		text, err := fs.ReadFile(r, "fpl/sbe.xsd")
		if err == nil {
			err = os.WriteFile(to, text, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Fatalf("LOCKSTEP_SBE_TOOL is %q, expected a class path with sbe-tool in it", classes)
}

// send hands messages over. The program answers each before it reads the next, so a batch is handed over on the side.
func (j *judge) send(t *testing.T, b []byte) {
	go func() {
		if _, err := j.in.Write(b); err != nil {
			t.Error(err)
		}
	}()
}

func (j *judge) piece(t *testing.T) []byte {
	t.Helper()
	var size [4]byte
	if _, err := io.ReadFull(j.out, size[:]); err != nil {
		t.Fatalf("%v\n%s", err, j.log)
	}
	b := make([]byte, binary.BigEndian.Uint32(size[:]))
	if _, err := io.ReadFull(j.out, b); err != nil {
		t.Fatalf("%v\n%s", err, j.log)
	}
	return b
}

// compare reads the answer to a draft: what their decoder found in each field, and what their encoder made of that.
func (j *judge) compare(t *testing.T, d *draft, message, entry any, seed uint64) {
	t.Helper()
	values, again := j.piece(t), j.piece(t)
	if want := d.values(); !bytes.Equal(values, want) {
		t.Fatalf("seed %d: %x: their decoder finds\n%x\nwant\n%x", seed, d.bytes(), values, want)
	}
	if want := d.bytes(); !bytes.Equal(again, want) {
		t.Fatalf("seed %d: their encoder writes\n%x\nwant\n%x", seed, again, want)
	}
	opened, fault := wire.OpenRecord(again)
	if fault.Kind != 0 {
		t.Fatalf("seed %d: %x: %v", seed, again, fault)
	}
	copy(block(message), opened.Block)
	if name := read(message, d.message.Fields, d.fields); name != "" {
		t.Fatalf("seed %d: %s of %x differs", seed, name, again)
	}
	for i := range d.entries {
		copy(block(entry), opened.Group.At(i))
		if name := read(entry, d.message.Groups[0].Fields, d.entries[i]); name != "" {
			t.Fatalf("seed %d: %s of entry %d of %x differs", seed, name, i, again)
		}
	}
}

// values are the fields as the judge tells them: numbers as 64 bits big-endian, arrays as they are.
func (d *draft) values() (out []byte) {
	fields := func(fields []schema.Field, values [][]byte) {
		for i := range fields {
			f := &fields[i]
			if f.Length > 1 {
				out = append(out, values[i]...)
				continue
			}
			bits := schema.Bits(values[i])
			if f.Primitive.Signed() {
				shift := 64 - 8*f.Primitive.Size()
				bits = uint64(int64(bits<<shift) >> shift)
			}
			out = binary.BigEndian.AppendUint64(out, bits)
		}
	}
	fields(d.message.Fields, d.fields)
	for i := range d.message.Groups {
		out = binary.BigEndian.AppendUint64(out, uint64(len(d.entries)))
		for _, entry := range d.entries {
			fields(d.message.Groups[i].Fields, entry)
		}
	}
	for range d.message.Data {
		out = append(binary.BigEndian.AppendUint64(out, uint64(len(d.data))), d.data...)
	}
	return out
}

// judgeText is the program.
func judgeText() string {
	var methods, cases strings.Builder
	for _, c := range types {
		m := schema.Find(c.schema, c.template)
		pkg := m.Schema.Package + "."
		fmt.Fprintf(&cases, "      case %d: size = m%d(in, out, f); break;\n", int(m.Schema.ID)<<16|int(m.ID), int(m.Schema.ID)<<16|int(m.ID))
		fmt.Fprintf(&methods, "  static int m%d(UnsafeBuffer in, UnsafeBuffer out, ByteBuffer f) {\n", int(m.Schema.ID)<<16|int(m.ID))
		fmt.Fprintf(&methods, "    var d = new %s%sDecoder(); d.wrapAndApplyHeader(in, 0, new %sMessageHeaderDecoder());\n", pkg, m.Name, pkg)
		fmt.Fprintf(&methods, "    var e = new %s%sEncoder(); e.wrapAndApplyHeader(out, 0, new %sMessageHeaderEncoder());\n", pkg, m.Name, pkg)
		judgeFields(&methods, "d", "e", m.Fields)
		for i := range m.Groups {
			name := m.Groups[i].Name
			fmt.Fprintf(&methods, "    var g = d.%s(); f.putLong(g.count()); var w = e.%sCount(g.count());\n    while (g.hasNext()) { g.next(); w.next();\n", name, name)
			judgeFields(&methods, "g", "w", m.Groups[i].Fields)
			fmt.Fprintf(&methods, "    }\n")
		}
		for i := range m.Data {
			name := m.Data[i].Name
			fmt.Fprintf(&methods, "    { byte[] b = new byte[d.%sLength()]; d.get%s(b, 0, b.length); f.putLong(b.length); f.put(b); e.put%s(b, 0, b.length); }\n",
				small(name), capital(name), capital(name))
		}
		fmt.Fprintf(&methods, "    return %sMessageHeaderEncoder.ENCODED_LENGTH + e.encodedLength();\n  }\n", pkg)
	}
	return `import java.io.*;
import java.nio.ByteBuffer;
import org.agrona.concurrent.UnsafeBuffer;

public class Judge {
  public static void main(String[] args) throws IOException {
    var from = new DataInputStream(new BufferedInputStream(System.in, 1 << 20));
    var to = new DataOutputStream(new BufferedOutputStream(System.out, 1 << 20));
    byte[] bytes = new byte[1 << 16];
    var in = new UnsafeBuffer(bytes);
    byte[] made = new byte[1 << 16];
    var out = new UnsafeBuffer(made);
    var f = ByteBuffer.allocate(1 << 16);
    while (true) {
      if (from.available() == 0) to.flush();
      int length;
      try { length = from.readInt(); } catch (EOFException end) { break; }
      from.readFully(bytes, 0, length);
      f.clear();
      int size;
      switch ((in.getShort(4) & 0xFFFF) << 16 | in.getShort(2) & 0xFFFF) {
` + cases.String() + `      default: throw new IOException("no such message");
      }
      to.writeInt(f.position());
      to.write(f.array(), 0, f.position());
      to.writeInt(size);
      to.write(made, 0, size);
    }
    to.flush();
  }

` + methods.String() + "}\n"
}

// judgeFields reads every field from one flyweight, tells it, and writes it into another.
func judgeFields(out *strings.Builder, from, to string, fields []schema.Field) {
	for i := range fields {
		f := &fields[i]
		name := small(f.Name)
		switch {
		case f.Length > 1 && f.Primitive == schema.Char:
			fmt.Fprintf(out, "    { byte[] b = new byte[%d]; %s.get%s(b, 0); f.put(b); %s.put%s(b, 0); }\n",
				f.Length, from, capital(f.Name), to, capital(f.Name))
		case f.Length > 1:
			fmt.Fprintf(out, "    { byte[] b = new byte[%d]; %s.get%s(b, 0, %d); f.put(b); %s.put%s(b, 0, %d); }\n",
				f.Length, from, capital(f.Name), f.Length, to, capital(f.Name), f.Length)
		case f.Enum != nil:
			fmt.Fprintf(out, "    { var v = %s.%s(); f.putLong(v.value()); %s.%s(v); }\n", from, name, to, name)
		case f.Set != nil:
			fmt.Fprintf(out, "    { var v = %s.%s(); f.putLong(v.getRaw()); var s = %s.%s(); s.clear();", from, name, to, name)
			for _, bit := range f.Set.Bits {
				fmt.Fprintf(out, " s.%s(v.%s());", bit.Name, bit.Name)
			}
			fmt.Fprintf(out, " }\n")
		default:
			fmt.Fprintf(out, "    { var v = %s.%s(); f.putLong(v); %s.%s(v); }\n", from, name, to, name)
		}
	}
}

func small(name string) string   { return strings.ToLower(name[:1]) + name[1:] }
func capital(name string) string { return strings.ToUpper(name[:1]) + name[1:] }
