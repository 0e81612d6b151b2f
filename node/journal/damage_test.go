package journal_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node/journal"
	"github.com/lockstep-exchange/lockstep/sim/disk"
)

// laid is a frame of a journal that is whole: what the rules of damage are worked out from.
type laid struct {
	segment, number int
	off, end        int64 // the bytes that it takes
	used            int64 // where its padding begins
	kind            journal.FrameKind
	seq             msg.Seq // of the last command up to here
	head            journal.Hash
}

// layout is a journal frame by frame, and its files.
type layout struct {
	names  []string
	size   int64 // of each segment
	frames []laid
}

// layoutOf reads a journal that is whole. The used bytes of a frame are up to the last one that is not zero: the naive way.
func layoutOf(t testing.TB, files *disk.Disk) (l layout) {
	t.Helper()
	r, err := journal.NewReader(files, dir)
	if err != nil {
		t.Fatal(err)
	}
	for r.Next() {
		p := r.Place()
		if int(p.Segment) == len(l.names) {
			l.names = append(l.names, p.File)
		}
		b := files.Get(filepath.Join(dir, p.File))
		l.size = int64(len(b))
		payload := int64(b[p.Last+44]) | int64(b[p.Last+45])<<8 | int64(b[p.Last+46])<<16
		l.frames = append(l.frames, laid{int(p.Segment), int(p.Frame), p.Last, p.Offset, p.Last + 128 + payload, p.Kind, p.Seq, p.Head})
	}
	if r.Err() != nil {
		t.Fatal(r.Err())
	}
	return l
}

// lastIn is the last frame that begins in a segment, before off.
func (l *layout) lastIn(segment int, off int64) laid {
	last := laid{segment: -1}
	for _, f := range l.frames {
		if f.segment < segment || f.segment == segment && f.off < off {
			last = f
		}
	}
	return last
}

// short is 1 where everything is looked at, and how far to go from one to the next where time is short.
func short(step int) int {
	if testing.Short() {
		return step
	}
	return 1
}

// A crash may cut the stream of bytes anywhere. Whatever was acknowledged before is there, and nothing else but, whole, the one
// frame that was being written (G-02).
func TestCrashAtEveryByte(t *testing.T) { // D-01, D-14, D-24
	whole := disk.New(room)
	c := small(whole)
	c.Segment = 32 << 10
	commands := someCommands(3, 2_350)
	w, _, _ := open(t, c)
	for done := 0; done < len(commands); { // batches of 1 to 40, as they come
		n, err := feed(w, commands[done:min(done+1+done%40, len(commands))], 64)
		if err != nil {
			t.Fatal(err)
		}
		done += n
	}
	l := layoutOf(t, whole)
	stream := int64(len(l.names)-1)*l.size + l.frames[len(l.frames)-1].end
	if stream < 256<<10 {
		t.Fatalf("the journal has %d bytes, expected 256 KiB", stream)
	}
	step, cuts, distinct := short(97), 0, 0
	kinds := map[string]int{}
	for s, name := range l.names {
		files, path := whole.Clone(), filepath.Join(dir, name)
		for _, later := range l.names[s+1:] {
			if err := files.Remove(filepath.Join(dir, later)); err != nil {
				t.Fatal(err)
			}
		}
		full := files.Get(path)
		begin := int64(1)
		if s == 0 {
			begin = 513 // there was no epoch before this header: TestCrashAtEveryCall
		}
		files.Edit(path, func(b []byte) { clear(b[begin-1:]) })
		r, err := journal.NewReader(files, dir)
		if err != nil {
			t.Fatal(err)
		}
		before := l.lastIn(s, 0)
		from := before.seq + 1
		next := slices.IndexFunc(l.frames, func(f laid) bool { return f.segment == s })
		for cut := begin; cut <= int64(len(full)); cut++ {
			cuts++
			if full[cut-1] == 0 {
				continue // as the cut before
			}
			files.Edit(path, func(b []byte) { b[cut-1] = full[cut-1] })
			if next < len(l.frames) && l.frames[next].off < cut && l.frames[next].segment == s {
				before = l.frames[next]
				next++
			}
			if cuts%step != 0 && cut > 513 {
				continue
			}
			distinct++
			if err := r.Seek(from); err != nil {
				t.Fatal(err)
			}
			for r.Next() {
			}
			tail := r.Tail()
			class := crashed(l, before, s, cut, full, &tail, r.Err())
			if class == "" {
				t.Fatalf("segment %d cut at byte %d: %v, tail %+v, expected the frame at %d to be the last or torn", s, cut, r.Err(), tail, before.off)
			}
			kinds[class]++
			if distinct%20_011 == 0 || cut == 100 || cut >= 508 && cut <= 513 {
				reopen(t, files.Clone(), c, commands, tail.Seq)
			}
		}
	}
	t.Logf("%d cuts, %d of them different and looked at: %v", cuts, distinct, kinds)
	if kinds["torn"] == 0 || kinds["clean"] == 0 || kinds["header"] == 0 {
		t.Errorf("some kind of cut was never seen: %v", kinds)
	}
}

// crashed names what a cut in frame last has led to, or gives "" where that is wrong.
func crashed(l layout, last laid, segment int, cut int64, full []byte, tail *journal.Tail, err error) string {
	if err != nil {
		return ""
	}
	kept := l.lastIn(segment, last.off)
	if last.segment != segment {
		kept = last
	}
	rest := full[cut:]
	if last.segment == segment {
		rest = full[min(cut, last.end):last.end]
	}
	complete := cut >= 512 && len(slices.Compact(append([]byte{0}, rest...))) == 1 // all that is missing is zero
	switch {
	case cut < 512 && tail.Seq == kept.seq && tail.Head == kept.head && tail.Header:
		return "header"
	case cut == 512 && tail.Torn == 0 && tail.Seq == kept.seq:
		return "clean"
	case complete && tail.Seq == last.seq && tail.Head == last.head && tail.Torn == 0:
		return "clean"
	case !complete && cut > 512 && tail.Seq == kept.seq && (tail.Head == kept.head || kept.segment < 0) && tail.Torn > 0 && tail.Offset == last.off:
		return "torn"
	}
	return ""
}

// reopen opens what a crash has left, goes on, and looks at the whole.
func reopen(t *testing.T, files *disk.Disk, c journal.Config, commands []msg.Command, seq msg.Seq) {
	t.Helper()
	files.Kill()
	c.FS = files
	w, _, held := open(t, c)
	equal(t, held, commands[:seq])
	if _, err := feed(w, commands[seq:], 17); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	held, _, err := read(files)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, held, commands)
}

// One bit of the journal flips. It is detected wherever it is; what cannot be told from a tear is the last frame alone, and
// costs no command but its own (G-03).
func TestEveryBitFlip(t *testing.T) { // D-20, D-21, D-24, D-25
	for _, end := range []string{"batch", "seal", "shutdown"} {
		t.Run("end="+end, func(t *testing.T) {
			files := disk.New(room)
			c := small(files)
			commands := someCommands(4, 375)
			w, _, _ := open(t, c)
			if _, err := feed(w, commands, 20); err != nil {
				t.Fatal(err)
			}
			switch end {
			case "seal":
				if _, err := w.Step(1 << 40); err != nil {
					t.Fatal(err)
				}
			case "shutdown":
				if err := w.Close(); err != nil {
					t.Fatal(err)
				}
			}
			flipAll(t, files, end)
		})
	}
}

func flipAll(t *testing.T, files *disk.Disk, end string) {
	l := layoutOf(t, files)
	if len(l.names) != 4 {
		t.Fatalf("%d segments of %d bytes, expected 4 of 16,384: 64 KiB", len(l.names), l.size)
	}
	last := l.frames[len(l.frames)-1]
	if last.kind.String() != map[string]string{"batch": "batch", "seal": "seal", "shutdown": "clean shutdown"}[end] {
		t.Fatalf("the last frame is a %v", last.kind)
	}
	step := short(101)
	if end != "batch" {
		step = max(step, 37)
	}
	seen := map[string]int{}
	r, err := journal.NewReader(files, dir)
	if err != nil {
		t.Fatal(err)
	}
	for s, name := range l.names {
		path := filepath.Join(dir, name)
		from := l.lastIn(s, 0).seq + 1
		for bit := s % step; bit < int(l.size)*8; bit += step {
			files.Edit(path, func(b []byte) { b[bit/8] ^= 1 << (bit % 8) })
			err := r.Seek(from)
			for err == nil && r.Next() {
			}
			if err == nil {
				err = r.Err()
			}
			tail := r.Tail()
			got := "undetected"
			var corrupt *journal.Corrupt
			switch {
			case errors.As(err, &corrupt):
				got = "corrupt"
			case err != nil:
				got = err.Error()
			case tail.Torn > 0 && tail.Seq == last.seq && tail.Head == last.head:
				got = "torn, nothing lost"
			case tail.Torn > 0 && tail.Offset == last.off && tail.Segment == uint64(last.segment):
				got = "torn, the last frame lost"
			}
			want, at := flipped(l, last, s, int64(bit/8))
			if got != want || corrupt != nil && (corrupt.File != name || corrupt.Offset < at || corrupt.Offset > at+int64(bit/8)) {
				t.Fatalf("bit %d of byte %d of %s: %s (%v, tail %+v), expected %s at offset %d", bit%8, bit/8, name, got, err, tail, want, at)
			}
			seen[got]++
			files.Edit(path, func(b []byte) { b[bit/8] ^= 1 << (bit % 8) })
		}
	}
	t.Logf("%v", seen)
	if end == "batch" && seen["torn, the last frame lost"] == 0 || seen["corrupt"] == 0 {
		t.Errorf("some class was never seen: %v", seen)
	}
}

// flipped is what the rules say of a flipped bit: the class, and the offset that a refusal names at the least.
func flipped(l layout, last laid, segment int, off int64) (class string, at int64) {
	if off < 512 {
		return "corrupt", 0
	}
	for _, f := range l.frames {
		if f.segment != segment || off < f.off || off >= f.end {
			continue
		}
		switch {
		case off >= f.used: // padding: no tear leaves bits there
			return "corrupt", f.used
		case f.number != last.number:
			return "corrupt", f.off
		}
		return "torn, the last frame lost", 0
	}
	if segment != last.segment || last.kind == journal.Shutdown {
		return "corrupt", 0
	}
	return "torn, nothing lost", 0
}

// Every bit of the small files counts too.
func TestFlipsOfTheSmallFiles(t *testing.T) { // D-02
	files := disk.New(room)
	writeDown(t, small(files), someCommands(5, 10), 4)
	for _, name := range []string{"GENESIS", "EPOCH"} {
		path := filepath.Join(dir, name)
		for bit := range 8 * len(files.Get(path)) {
			files.Edit(path, func(b []byte) { b[bit/8] ^= 1 << (bit % 8) })
			_, _, err := journal.Open(small(files), func([]msg.Command) error { t.Fatal("a command was handed over"); return nil })
			var corrupt *journal.Corrupt
			if !errors.As(err, &corrupt) || corrupt.File != name || corrupt.ExitCode() != 6 {
				t.Fatalf("bit %d of %s: %v", bit, name, err)
			}
			files.Edit(path, func(b []byte) { b[bit/8] ^= 1 << (bit % 8) })
		}
	}
	if _, _, err := read(files); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"GENESIS", "EPOCH", fmt.Sprintf("7-%016x.seg", 0)} {
		lost := files.Clone()
		if err := lost.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		_, _, err := journal.Open(small(lost), nil)
		var corrupt *journal.Corrupt
		if !errors.As(err, &corrupt) {
			t.Errorf("without %s: %v, expected a refusal", name, err)
		}
	}
}
