package journal_test

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node/journal"
	"github.com/lockstep-exchange/lockstep/sim/disk"
)

// refit makes the checksums of a frame right again.
func refit(b []byte) {
	table := crc32.MakeTable(crc32.Castagnoli)
	if n := binary.LittleEndian.Uint32(b[44:]); int(n) <= len(b)-128 {
		binary.LittleEndian.PutUint32(b[120:], crc32.Checksum(b[128:128+n], table))
	}
	binary.LittleEndian.PutUint32(b[124:], crc32.Checksum(b[:124], table))
}

// FuzzReader edits a journal: four bytes an edit, where (u16, over all segments), what, and whether the checksums of the frame or
// of the header are made right again. It reads without a panic, says what is wrong in the right way, and hands over nothing that
// was not written, but for the last frame that it hands over, which no other has confirmed.
func FuzzReader(f *testing.F) { // D-16, D-71
	f.Add([]byte{})
	f.Add([]byte{2, 10, 1, 0})
	f.Add([]byte{2, 44, 255, 1})
	f.Add([]byte{2, 5, 2, 1, 2, 6, 3, 1})
	f.Add([]byte{2, 43, 255, 1, 70, 0, 1, 0})
	f.Add([]byte{0, 68, 1, 2, 0, 4, 9, 2})
	f.Add([]byte{48, 48, 48, 1})
	whole := disk.New(room)
	c := small(whole)
	commands := someCommands(16, 300)
	w, _, err := journal.Open(c, nil)
	if err != nil {
		f.Fatal(err)
	}
	if _, err := feed(w, commands, 11); err != nil {
		f.Fatal(err)
	}
	l := layoutOf(f, whole)
	f.Fuzz(func(t *testing.T, edits []byte) {
		files := whole.Clone()
		for ; len(edits) >= 4; edits = edits[4:] {
			at := int64(binary.BigEndian.Uint16(edits)) % (int64(len(l.names)) * l.size)
			segment, off := int(at/l.size), at%l.size
			files.Edit(filepath.Join(dir, l.names[segment]), func(b []byte) {
				b[off] ^= edits[2]
				switch i := slices.IndexFunc(l.frames, func(f laid) bool { return f.segment == segment && f.off <= off && off < f.end }); {
				case edits[3]&1 != 0 && i >= 0:
					refit(b[l.frames[i].off:l.frames[i].end])
				case edits[3]&2 != 0 && off < 512:
					binary.LittleEndian.PutUint32(b[508:], crc32.Checksum(b[:508], crc32.MakeTable(crc32.Castagnoli)))
				}
			})
		}
		r, err := journal.NewReader(files, dir)
		var held []msg.Command
		confirmed := 0 // by a frame that follows
		for err == nil && r.Next() {
			confirmed = len(held)
			held = append(held, r.Commands()...)
		}
		if err == nil {
			err = r.Err()
		}
		var corrupt *journal.Corrupt
		var unknown *journal.Unknown
		if err != nil && !errors.As(err, &corrupt) && !errors.As(err, &unknown) {
			t.Fatalf("%v: expected Corrupt or Unknown", err)
		}
		if !slices.Equal(held[:confirmed], commands[:confirmed]) {
			t.Fatal("a command was handed over that was not written")
		}
	})
}

// Power fails while the last frame is being written: any of its sectors may be old or new. Nothing before it is lost (G-02).
func TestSectorSubsets(t *testing.T) { // D-03, D-24
	whole := disk.New(room)
	c := small(whole)
	commands := someCommands(17, 330)
	w, _, _ := open(t, c)
	if _, err := feed(w, commands, 40); err != nil {
		t.Fatal(err)
	}
	l := layoutOf(t, whole)
	chance := rand.New(rand.NewPCG(5, 5))
	subsets, torn := 0, 0
	for i := len(l.frames) - 1; i > 0 && l.frames[i].segment == l.frames[len(l.frames)-1].segment; i-- {
		last, before := l.frames[i], l.frames[i-1]
		path := filepath.Join(dir, l.names[last.segment])
		full := whole.Get(path)
		whole.Edit(path, func(b []byte) { clear(b[last.off:]) })
		sectors := int((last.end - last.off) / 512)
		r, err := journal.NewReader(whole, dir)
		if err != nil {
			t.Fatal(err)
		}
		for range min(1<<sectors, 3_000) {
			set := chance.Uint64()
			for s := range int64(sectors) {
				at := last.off + s*512
				whole.Edit(path, func(b []byte) {
					clear(b[at : at+512])
					if set>>s&1 != 0 {
						copy(b[at:at+512], full[at:])
					}
				})
			}
			if err := r.Seek(before.seq + 1); err != nil {
				t.Fatal(err)
			}
			for r.Next() {
			}
			complete := slices.Equal(whole.Get(path)[last.off:last.end], full[last.off:last.end])
			want := before
			if complete {
				want = last
			}
			tail := r.Tail()
			if r.Err() != nil || tail.Seq != want.seq || tail.Head != want.head || (tail.Torn > 0) == (complete || set<<(64-sectors) == 0) {
				t.Fatalf("frame %d, sectors %b of %d: %v, %+v", last.number, set, sectors, r.Err(), tail)
			}
			subsets++
			if tail.Torn > 0 {
				torn++
			}
		}
		whole.Edit(path, func(b []byte) { clear(b[last.off:]) })
	}
	if torn == 0 || torn == subsets {
		t.Errorf("%d of %d subsets tear the frame", torn, subsets)
	}
	t.Logf("%d subsets, %d torn", subsets, torn)
}
