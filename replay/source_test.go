package replay

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lockstep-exchange/lockstep/testdata"
)

// lines reads a source to its end or to its first error.
func lines(s *Source, err error) (all []string, _ error) {
	for err == nil {
		var line []byte
		if line, err = s.Next(); err == nil {
			all = append(all, string(line))
		}
	}
	if err == io.EOF {
		err = nil
	}
	return all, err
}

func TestSourceReadsFilesInOrder(t *testing.T) {
	first, second, third := write(t, "a", "1\r\n2"), write(t, "b", packed(t, "3\n4\n")), write(t, "c", "5\n\n6")
	got, err := lines(Open(first, second, third))
	if err != nil || strings.Join(got, "|") != "1|2|3|4|5||6" {
		t.Fatalf("%q, %v", got, err)
	}
}

func TestSourceReadsLongLines(t *testing.T) {
	long := strings.Repeat("x", 300_000)
	got, err := lines(NewSource(strings.NewReader("a\n"+long+"\nb\n"+long), "f"))
	if err != nil || len(got) != 4 || got[1] != long || got[3] != long || got[2] != "b" {
		t.Fatalf("%d lines, %v", len(got), err)
	}
	_, err = lines(NewSource(strings.NewReader("a\n"+strings.Repeat("x", longestLine+1)), "f"))
	if err == nil || err.Error() != "f:2: a line of more than 16777216 bytes, expected lines of text" {
		t.Fatal(err)
	}
}

func TestSourceSaysWhatIsWrongAndWhere(t *testing.T) {
	zipped := packed(t, strings.Repeat("one line and another\n", 5_000))
	flipped := []byte(zipped)
	flipped[len(flipped)-6] ^= 1 // of the checksum
	bundled := string(testdata.Binance)
	folder := t.TempDir()
	for _, c := range []struct{ name, file, want string }{
		{"missing", filepath.Join(folder, "none"), "none: no such file or directory, expected a file that can be read"},
		{"folder", folder, ": is a directory, expected a file"},
		{"empty", write(t, "f", ""), "f: is empty, expected a recording"},
		{"zstd", write(t, "f", "\x28\xb5\x2f\xfdxx"), "f: is packed with zstd, expected a plain, gzip or bzip2 file"},
		{"torn gzip header", write(t, "f", zipped[:5]), "f:1: the gzip header is damaged or torn off, expected a gzip file"},
		{"torn gzip", write(t, "f", zipped[:len(zipped)-10]), ": the gzip stream is torn off, expected its end"},
		{"torn checksum", write(t, "f", zipped[:len(zipped)-2]), "f:5001: the gzip stream is torn off, expected its end"},
		{"bad checksum", write(t, "f", string(flipped)), "f:5001: the gzip stream is damaged: gzip: invalid checksum, expected one that unpacks"},
		{"rubbish behind gzip", write(t, "f", zipped+"rubbish"), ": the gzip stream is "},
		{"torn bzip2", write(t, "f", bundled[:len(bundled)/2]), ": the bzip2 stream is torn off, expected its end"},
		{"damaged bzip2", write(t, "f", bundled[:9]+"xxxx"+bundled[13:]), "f:1: the bzip2 stream is damaged: "},
	} {
		_, err := lines(Open(c.file))
		var bad *InputError
		if !errors.As(err, &bad) || !strings.Contains(err.Error(), c.want) || bad.ExitCode() != 2 {
			t.Errorf("%s: %v, expected %q", c.name, err, c.want)
		}
	}
}

// A second file that is missing is found before the first is read.
func TestSourceLooksAtAllFilesFirst(t *testing.T) {
	if _, err := Open(write(t, "a", "1\n"), filepath.Join(t.TempDir(), "none")); err == nil {
		t.Fatal("opened")
	}
}

func TestSourceCountsBytes(t *testing.T) {
	name := write(t, "a", packed(t, strings.Repeat("line\n", 1000)))
	src, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	readAll(t, func() error { _, err := src.Next(); return err })
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if read, total := src.Done(); read != total || total != info.Size() {
		t.Fatalf("%d of %d bytes read, the file has %d", read, total, info.Size())
	}
}

func TestParseStep(t *testing.T) {
	for text, want := range map[string]Step{"0.01": {1, 2}, "0.25": {25, 2}, "1": {1, 0}, "10": {10, 0}, "0.010": {1, 2}, "0.000000001": {1, 9}, "2.5": {25, 1}} {
		if got, err := ParseStep(text); err != nil || got != want {
			t.Errorf("%s: %+v, %v, expected %+v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "0", "-1", "x", "0.0000000001", "1e3", "."} {
		if got, err := ParseStep(text); err == nil {
			t.Errorf("%q is read as %+v", text, got)
		}
	}
	for step, want := range map[Step]string{{1, 2}: "0.01", {25, 2}: "0.25", {10, 0}: "10", {1, 0}: "1", {25, 1}: "2.5"} {
		if step.String() != want {
			t.Errorf("%+v prints as %s, expected %s", step, step, want)
		}
	}
}

// The recording in the binary is whole, and each of its lines stands in the source, in the same order.
func TestBundledRecording(t *testing.T) {
	r, err := OpenBundled()
	if err != nil {
		t.Fatal(err)
	}
	var (
		ev    BinanceEvent
		kinds [5]int
		order BinanceOrder
		kept  int
	)
	readAll(t, func() error {
		err := r.Read(&ev)
		if err != nil {
			return err
		}
		kinds[ev.Kind]++
		ready, err := order.Push(&ev)
		kept += len(ready)
		return err
	})
	if kinds != [5]int{0, 1, 3_996, 3_433, 7_732} || kept != 3_993 || order.Dropped != 4 || order.Gaps != 0 {
		t.Errorf("kinds %v, %d kept, %d dropped, %d gaps", kinds, kept, order.Dropped, order.Gaps)
	}
	if size := len(testdata.Binance); size > 1<<20 {
		t.Errorf("%d bytes, expected at most 1 MiB", size)
	}
}

func TestBundledRecordingIsAnExcerpt(t *testing.T) {
	whole, err := Open(shared(t, "binance-l2-20240808", "usdm_btcusdt_20240808.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer whole.Close()
	cut, err := lines(NewSource(bytes.NewReader(testdata.Binance), BundledName))
	if err != nil {
		t.Fatal(err)
	}
	for n, line := range cut {
		for {
			from, err := whole.Next()
			if err != nil {
				t.Fatalf("line %d is not in the source: %v", n+1, err)
			}
			if string(from) == line {
				break
			}
		}
	}
}
