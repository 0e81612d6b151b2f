package journal_test

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node/journal"
	"github.com/lockstep-exchange/lockstep/sim/disk"
)

// TestTwoGoodSnapshotsAreKept damages the newest snapshot and lets the exchange go on until it has written another. A damaged one does not
// count: the older stays until there are two again that hold, so that the loss of the newest is no loss.
func TestTwoGoodSnapshotsAreKept(t *testing.T) { // D-45
	files, commands, _ := full(t)
	names := filesOf(t, files, ".snap")
	size := len(files.Get(filepath.Join(dir, names[1])))
	more := trading(2, 4400)[len(commands):]
	for _, at := range []int{0, 700, 1100, size - 1} { // the magic, the rest of the header, a chunk, the last one
		broken := files.Clone()
		broken.Edit(filepath.Join(dir, names[1]), func(b []byte) { b[at] ^= 1 })
		k, err := begin(t, broken, 32<<10)
		k.must(err)
		for batch := range slices.Chunk(more, 16) {
			if err := k.do(batch); err != nil {
				t.Fatalf("byte %d of %s: %v", at, names[1], err)
			}
			if k.shadow.Last().File != "" {
				break
			}
		}
		newest := k.shadow.Last().File
		if newest == "" {
			t.Fatal("no case: no snapshot was written")
		}
		seq := k.writer.Durable()
		k.close()
		broken.Edit(filepath.Join(dir, newest), func(b []byte) { b[min(at, len(b)-1)] ^= 1 })
		k, err = begin(t, broken, 32<<10)
		if err != nil {
			t.Fatalf("byte %d of %s, and then of %s: %v", at, names[1], newest, err)
		}
		if k.found.Snapshot.File != names[0] || k.engine.Seq() != seq {
			t.Errorf("byte %d: restored %q, seq %d, expected %q and %d", at, k.found.Snapshot.File, k.engine.Seq(), names[0], seq)
		}
		k.close()
	}
}

// TestSnapshotsOfShortRuns starts anew before a run has written as many bytes as are between two snapshots: what earlier runs wrote counts.
func TestSnapshotsOfShortRuns(t *testing.T) { // D-46
	commands, files := trading(7, 9000), disk.New(room)
	for from := 0; from < len(commands); from += 450 { // about one segment and a half, where four are between two snapshots
		k, err := begin(t, files, 64<<10)
		k.must(err)
		if behind := k.found.Commands; behind > 3600 {
			t.Fatalf("a start behind %d replays %d commands", from, behind)
		}
		k.must(k.do(commands[from : from+450]))
		k.close()
	}
	if len(filesOf(t, files, ".snap")) == 0 {
		t.Error("no snapshot was ever written")
	}
}

// TestSnapshotIsTriedAgain takes the room away for one snapshot: the next segment brings the next try, not the next round.
func TestSnapshotIsTriedAgain(t *testing.T) { // D-54
	files := disk.New(room)
	k, err := begin(t, &noRoom{files}, 64<<10)
	k.must(err)
	commands := trading(8, 4000)
	tries := []int(nil)
	for n, batch := range slices.Collect(slices.Chunk(commands, 16)) {
		missed := k.shadow.Missed()
		k.must(k.do(batch))
		if k.shadow.Missed() > missed {
			tries = append(tries, n)
		}
	}
	segments := len(filesOf(t, files, ".seg")) - 1
	if want := segments - 3; len(tries) != want {
		t.Errorf("%d tries in %d closed segments, expected one with each from the fourth on, %d", len(tries), segments, want)
	}
	k.close()
}

// TestSnapshotNeverLeads loses the power under ack none, again and again: whatever of the journal is lost, the start comes to a state that
// the exchange had, even where a snapshot had been written.
func TestSnapshotNeverLeads(t *testing.T) { // D-31, D-45
	commands := trading(9, 2400)
	restored := 0
	for seed := range uint64(60) {
		files := disk.New(room)
		chance := rand.New(rand.NewPCG(seed, 4))
		for round := range 3 {
			k, err := beginNone(t, files, 32<<10)
			if err != nil {
				t.Fatalf("seed %d, round %d: %v", seed, round, err)
			}
			seq := k.engine.Seq()
			if got, want := k.engine.Hash(), after(t, commands, seq).Hash(); got != want {
				t.Fatalf("seed %d, round %d: state %016x behind %d, expected %016x", seed, round, got, seq, want)
			}
			if k.found.Snapshot.File != "" {
				restored++
			}
			k.must(k.do(commands[seq:min(len(commands), int(seq)+600+chance.IntN(400))]))
			files.PowerLoss(chance)
		}
	}
	if restored == 0 {
		t.Error("no start had a snapshot")
	}
}

// beginNone is begin with ack none.
func beginNone(t *testing.T, files journal.FS, every int64) (*keeper, error) {
	t.Helper()
	k := &keeper{t: t, files: files}
	var err error
	if k.engine, err = engine.New(limits); err != nil {
		t.Fatal(err)
	}
	c := small(files)
	c.Mode = journal.None
	c.Restore = func(s *journal.Snapshot, take func() []byte) (func(), error) {
		e, err := engine.Restore(limits, take)
		return func() { k.engine, k.told = e, s.Chronicle }, err
	}
	k.writer, k.found, err = journal.Open(c, func(commands []msg.Command) error { return into(k.engine)(commands) })
	if err != nil {
		return k, err
	}
	k.shadow, err = journal.NewShadow(files, dir, k.engine.Fork(), k.writer.Place(), k.told, every)
	return k, err
}

// liveDisk lets the exchange write a little whenever a segment is read, as it does beside a reader that has to wait.
type liveDisk struct {
	journal.FS
	meanwhile func()
}

func (l *liveDisk) Open(name string, flag int) (journal.File, error) {
	f, err := l.FS.Open(name, flag)
	if err == nil && strings.HasSuffix(name, ".seg") {
		f = &liveFile{f, l}
	}
	return f, err
}

type liveFile struct {
	journal.File
	disk *liveDisk
}

func (f *liveFile) ReadAt(b []byte, off int64) (int, error) {
	n, err := f.File.ReadAt(b, off)
	f.disk.meanwhile()
	return n, err
}

// TestReadingBesideAWriter reads a journal while its exchange writes as much as it can between any two reads: what is found is a prefix,
// and never damage.
func TestReadingBesideAWriter(t *testing.T) {
	for _, rest := range []int{0, 40, 300} { // commands that are there before
		files := disk.New(room)
		c := small(files)
		c.Segment, c.Batch, c.Ahead = 1<<20, 64<<10, 1024
		w, _, err := journal.Open(c, nil)
		if err != nil {
			t.Fatal(err)
		}
		commands := someCommands(5, 6000)
		at, err := feed(w, commands[:rest], 40)
		if err != nil {
			t.Fatal(err)
		}
		live := &liveDisk{files, func() {
			n, err := feed(w, commands[at:min(at+2500, len(commands))], 500)
			if at += n; err != nil {
				t.Fatal(err)
			}
		}}
		r, err := journal.NewReader(live, dir)
		if err != nil {
			t.Fatal(err)
		}
		seen := 0
		for r.Next() {
			for _, got := range r.Commands() {
				if got != commands[seen] {
					t.Fatalf("command %d is %v, expected %v", seen+1, got, commands[seen])
				}
				seen++
			}
		}
		if r.Err() != nil || seen < rest {
			t.Errorf("%d commands were there, %d were read: %v", rest, seen, r.Err())
		}
		if err := errors.Join(r.Close(), w.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestUnreadableSnapshot lets the disk fail where the newer snapshot lies: the older one is restored, with a warning. Where neither can be
// read the disk is to blame, not what is on it.
func TestUnreadableSnapshot(t *testing.T) { // D-45
	files, commands, _ := full(t)
	names := filesOf(t, files, ".snap")
	unreadable := func(bad ...string) journal.FS {
		return &disk.Failing{FS: files.Clone(), Fail: func(c disk.Call) error {
			if c.Name == "ReadAt" && slices.Contains(bad, filepath.Base(c.File)) {
				return syscall.EIO
			}
			return nil
		}}
	}
	k, err := begin(t, unreadable(names[1]), 1<<40)
	k.must(err)
	if f := &k.found; f.Snapshot.File != names[0] || len(f.Passed) != 1 || int(k.engine.Seq()) != len(commands) {
		t.Errorf("restored %q, seq %d, passed over %q", f.Snapshot.File, k.engine.Seq(), f.Passed)
	}
	k.close()
	_, err = begin(t, unreadable(names...), 1<<40)
	if storage := (*journal.StorageError)(nil); !errors.As(err, &storage) || !errors.Is(err, syscall.EIO) {
		t.Errorf("no snapshot can be read, and the start gives %v", err)
	}
}

// TestSnapshotOfNoPlace gives a snapshot a place that there cannot be, with sums that are right: it is passed over, whatever is in it.
func TestSnapshotOfNoPlace(t *testing.T) { // D-71
	files, _, found := full(t)
	le := binary.LittleEndian
	for what, change := range map[string]func(b []byte){
		"far behind the last frame": func(b []byte) { le.PutUint64(b[32:], 1<<40) },
		"before the file":           func(b []byte) { le.PutUint64(b[32:], 1<<63); le.PutUint64(b[40:], 1<<63-512) },
		"no last frame":             func(b []byte) { le.PutUint64(b[32:], 512); le.PutUint64(b[40:], 0) },
		"between sectors":           func(b []byte) { b[32]++; b[40]++ },
		"behind a batch":            func(b []byte) { b[108] = byte(journal.Batch) },
	} {
		bad := files.Clone()
		bad.Edit(filepath.Join(dir, found.Snapshot.File), func(b []byte) {
			change(b)
			le.PutUint32(b[1020:], crc32.Checksum(b[:1020], crc32.MakeTable(crc32.Castagnoli)))
		})
		k, err := begin(t, bad, 1<<40)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if len(k.found.Passed) != 1 || !strings.Contains(k.found.Passed[0], "a place behind an end frame") {
			t.Errorf("%s: passed over %q", what, k.found.Passed)
		}
		k.close()
	}
}
