package journal_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node/journal"
	"github.com/lockstep-exchange/lockstep/sim/disk"
)

// trading is a day of n commands that leave something behind: orders, positions, ids, times.
func trading(seed uint64, n int) (list []msg.Command) {
	chance := rand.New(rand.NewPCG(seed, 9))
	spec := market.Spec{ID: 1, Type: msg.Perpetual, TickLot: fixed.Coin, Initial: 10 * fixed.Percent, Maintenance: 5 * fixed.Percent}
	list = append(spec.Append(nil), msg.SetPhase(1, msg.Continuous), msg.SetMark(1, 100))
	for id := msg.AccountID(1); id <= 6; id++ {
		list = append(list, msg.Deposit(id, 1_000_000*fixed.Coin))
	}
	for len(list) < n {
		id, price := msg.AccountID(1+chance.IntN(6)), fixed.Ticks(90+chance.IntN(21))
		side := []msg.Side{msg.Buy, msg.Sell}[chance.IntN(2)]
		switch chance.IntN(12) {
		case 0:
			list = append(list, msg.CancelAll(id, 1, side))
		case 1:
			list = append(list, msg.SetMark(1, fixed.Ticks(95+chance.IntN(11))))
		default:
			list = append(list, msg.Limit(id, 1, side, price, fixed.Lots(1+chance.IntN(5))))
		}
	}
	list = list[:n]
	for i := range list {
		list[i].Seq, list[i].Time = msg.Seq(i+1), fixed.Nanos(i)*fixed.Millisecond
	}
	return list
}

// keeper is a journal with an engine and a shadow, as an exchange has them.
type keeper struct {
	t      *testing.T
	files  journal.FS
	writer *journal.Writer
	engine *engine.Engine
	shadow *journal.Shadow
	found  journal.Recovery
	told   journal.Chronicle
}

// begin opens the journal with snapshots, and lets a shadow follow from where it stands.
func begin(t *testing.T, files journal.FS, every int64) (*keeper, error) {
	t.Helper()
	k := &keeper{t: t, files: files}
	var err error
	if k.engine, err = engine.New(limits); err != nil {
		t.Fatal(err)
	}
	c := small(files)
	c.Restore = func(s *journal.Snapshot, take func() []byte) (func(), error) {
		e, err := engine.Restore(limits, take)
		return func() { k.engine, k.told = e, s.Chronicle }, err
	}
	k.writer, k.found, err = journal.Open(c, func(commands []msg.Command) error {
		for i := range commands {
			if err := k.told.Replay(&commands[i], k.engine.Apply(&commands[i], nil)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return k, err
	}
	k.shadow, err = journal.NewShadow(files, dir, k.engine.Fork(), k.writer.Place(), k.told, every)
	return k, err
}

// do journals and applies commands; the shadow does all that it can after each batch.
func (k *keeper) do(commands []msg.Command) error {
	for batch := range slices.Chunk(commands, 16) {
		n, err := feed(k.writer, batch, 16)
		for i := range batch[:n] {
			k.engine.Apply(&batch[i], nil)
		}
		if err != nil {
			return err
		}
		for {
			did, err := k.shadow.Step()
			if err != nil {
				return err
			}
			if !did {
				break
			}
		}
	}
	return nil
}

func (k *keeper) must(err error) {
	k.t.Helper()
	if err != nil {
		k.t.Fatal(err)
	}
}

func (k *keeper) close() {
	k.t.Helper()
	k.must(k.shadow.Close())
	k.must(k.writer.Close())
}

// files of an ending in the folder.
func filesOf(t *testing.T, files journal.FS, end string) (names []string) {
	t.Helper()
	list, err := files.List(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		if strings.HasSuffix(e.Name, end) {
			names = append(names, e.Name)
		}
	}
	return names
}

// after is the state that all commands up to seq lead to, replayed without any journal.
func after(t *testing.T, commands []msg.Command, seq msg.Seq) *engine.Engine {
	t.Helper()
	e, err := engine.New(limits)
	if err != nil {
		t.Fatal(err)
	}
	if err := into(e)(commands[:seq]); err != nil {
		t.Fatal(err)
	}
	return e
}

// TestSnapshotAndTail runs a day with snapshots, starting anew now and then. Each start restores the newest and replays what is
// behind it; state, free rows and next ids are those of a full replay; two snapshots are kept, and the segments that they need.
func TestSnapshotAndTail(t *testing.T) { // D-45, D-50, A-18
	commands := trading(1, 3000)
	files := disk.New(room)
	for from := 0; from < len(commands); from += 500 {
		k, err := begin(t, files, 32<<10)
		k.must(err)
		if got, want := k.engine.Hash(), after(t, commands, msg.Seq(from)).Hash(); got != want || int(k.engine.Seq()) != from {
			t.Fatalf("start behind %d: seq %d, state %016x, want %016x; %+v", from, k.engine.Seq(), got, want, k.found)
		}
		if from > 1000 && (k.found.Snapshot.File == "" || k.found.Commands != uint64(from)-uint64(k.found.Snapshot.Place.Seq)) {
			t.Errorf("start behind %d: %d commands replayed behind snapshot %q", from, k.found.Commands, k.found.Snapshot.File)
		}
		k.must(k.do(commands[from : from+500]))
		k.close()
	}
	shots, segments := filesOf(t, files, ".snap"), filesOf(t, files, ".seg")
	if len(shots) != 2 || segments[0] == "7-0000000000000000.seg" {
		t.Fatalf("kept: %v and %v", shots, segments)
	}
	r, err := journal.NewReader(files, dir)
	if err != nil {
		t.Fatal(err)
	}
	good, wrong := r.Snapshots()
	if len(good) != 2 || len(wrong) != 0 || !r.Partial() {
		t.Fatalf("%v, %v", good, wrong)
	}
	for _, s := range good {
		var e *engine.Engine
		if err := r.Load(&s, func(take func() []byte) (err error) {
			e, err = engine.Restore(limits, take)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if want := after(t, commands, s.Place.Seq); e.Hash() != s.State || e.Hash() != want.Hash() {
			t.Errorf("%s: state %016x, restored %016x, replayed %016x", s.File, s.State, e.Hash(), want.Hash())
		}
	}
}

// full is a folder with two snapshots and a tail behind them.
func full(t *testing.T) (*disk.Disk, []msg.Command, journal.Recovery) {
	t.Helper()
	commands, files := trading(2, 2400), disk.New(room)
	k, err := begin(t, files, 32<<10)
	k.must(err)
	k.must(k.do(commands))
	k.close()
	k, err = begin(t, files, 32<<10)
	k.must(err)
	found := k.found
	k.close()
	if len(filesOf(t, files, ".snap")) != 2 || len(found.Passed) != 0 || found.Commands == 0 {
		t.Fatalf("no case: %v, %+v", filesOf(t, files, ".snap"), found)
	}
	return files, commands, found
}

// TestBadSnapshot damages the newer snapshot: the start says so and takes the older one; and with both damaged it refuses, since
// the first segments are gone.
func TestBadSnapshot(t *testing.T) { // D-45, B-11
	files, commands, good := full(t)
	names := filesOf(t, files, ".snap")
	size := len(files.Get(filepath.Join(dir, names[1])))
	chance := rand.New(rand.NewPCG(3, 3))
	want := after(t, commands, msg.Seq(len(commands))).Hash()
	for range 200 {
		bit := chance.IntN(8 * size)
		broken := files.Clone()
		broken.Edit(filepath.Join(dir, names[1]), func(b []byte) { b[bit/8] ^= 1 << (bit % 8) })
		k, err := begin(t, broken, 32<<10)
		k.must(err)
		if f := &k.found; f.Snapshot.File != names[0] || len(f.Passed) != 1 || !strings.HasPrefix(f.Passed[0], names[1]+": ") || f.Commands <= good.Commands {
			t.Fatalf("bit %d: restored %q, passed over %q", bit, f.Snapshot.File, f.Passed)
		}
		if k.engine.Hash() != want {
			t.Fatalf("bit %d: state %016x, want %016x", bit, k.engine.Hash(), want)
		}
		k.close()
		broken.Edit(filepath.Join(dir, names[0]), func(b []byte) { b[bit%len(b)] ^= 1 })
		_, err = begin(t, broken, 32<<10)
		if none := (*journal.NoSnapshot)(nil); !errors.As(err, &none) || none.ExitCode() != 6 || len(none.Wrong) != 2 {
			t.Fatalf("bit %d: both are damaged, and the start gives %v", bit, err)
		}
	}
}

// TestSnapshotEdited changes a snapshot and makes the checksum of the chunk right: the sum of the whole tells.
func TestSnapshotEdited(t *testing.T) { // D-44
	files, _, _ := full(t)
	name := filesOf(t, files, ".snap")[1]
	files.Edit(filepath.Join(dir, name), func(b []byte) {
		const head = 1024
		b[head+500] ^= 1
		size := binary.LittleEndian.Uint32(b[head:])
		binary.LittleEndian.PutUint32(b[head+4:], crc32.Checksum(b[head+8:head+8+size], crc32.MakeTable(crc32.Castagnoli)))
	})
	r, err := journal.NewReader(files, dir)
	if err != nil {
		t.Fatal(err)
	}
	good, wrong := r.Snapshots()
	corrupt := (*journal.Corrupt)(nil)
	if len(good) != 1 || len(wrong) != 1 || !errors.As(wrong[0], &corrupt) || corrupt.File != name || corrupt.Offset != 176 {
		t.Errorf("%d hold, wrong is %v", len(good), wrong)
	}
}

// TestSnapshotOfAnother gives a journal the snapshots of another one, and one of a history that it has not.
func TestSnapshotOfAnother(t *testing.T) {
	files, _, _ := full(t)
	names := filesOf(t, files, ".snap")
	other := files.Clone()
	short := disk.New(room)
	k, err := begin(t, short, 1<<40)
	k.must(err)
	k.must(k.do(trading(5, 100)))
	k.close()
	short.Put(filepath.Join(dir, names[1]), other.Get(filepath.Join(dir, names[1])))
	k, err = begin(t, short, 1<<40)
	if k.must(err); k.found.Snapshot.File != "" || len(k.found.Passed) != 1 || k.found.Commands != 100 {
		t.Errorf("a snapshot of a later history: %+v", k.found)
	}
	k.close()
}

// TestCrashWhileSnapshotting fails each call of a run with snapshots in turn, then cuts the power. Whatever the moment, the next start
// comes to the state of all that was acknowledged.
func TestCrashWhileSnapshotting(t *testing.T) { // D-01, D-27, D-44, B-11
	commands := trading(4, 1200)
	var moments []int // at which a snapshot takes its place
	counted := &disk.Failing{FS: disk.New(room), Fail: func(c disk.Call) error {
		if c.Name == "Rename" && strings.Contains(c.File, ".snap") {
			moments = append(moments, c.Number, c.Number+1, c.Number+2)
		}
		return nil
	}}
	run := func(files journal.FS) (acked msg.Seq, published int) {
		k, err := begin(t, files, 16<<10)
		if err == nil {
			last := ""
			for batch := range slices.Chunk(commands, 16) {
				if err = k.do(batch); k.shadow.Last().File != last {
					last = k.shadow.Last().File
					published++
				}
				if err != nil {
					break
				}
			}
		}
		if k.writer != nil {
			acked = k.writer.Durable()
			_ = k.writer.Halt()
		}
		return acked, published
	}
	run(counted)
	step := max(1, counted.Calls()/120)
	if testing.Short() {
		step *= 8
	}
	for n := 1; n <= counted.Calls(); n += step {
		moments = append(moments, n)
	}
	snapshots := 0
	for _, n := range moments {
		platter := disk.New(room)
		acked, published := run(disk.FailAt(platter, n, syscall.EIO))
		platter.PowerLoss(rand.New(rand.NewPCG(uint64(n), 2)))
		if published > 0 {
			r, err := journal.NewReader(platter, dir)
			if err != nil {
				t.Fatalf("call %d of %d failed: %v", n, counted.Calls(), err)
			}
			good, _ := r.Snapshots()
			if len(good) < min(2, published) {
				t.Fatalf("call %d of %d failed: %d snapshots were published, and %d are left", n, counted.Calls(), published, len(good))
			}
			for _, s := range good {
				if err := r.Resume(s.Place); err != nil {
					t.Fatalf("call %d of %d failed: %s is there, and its segment is not: %v", n, counted.Calls(), s.File, err)
				}
			}
			_ = r.Close()
		}
		k, err := begin(t, platter, 16<<10)
		if err != nil {
			t.Fatalf("call %d of %d failed: the next start gives %v", n, counted.Calls(), err)
		}
		seq := k.engine.Seq()
		if seq < acked || k.engine.Hash() != after(t, commands, seq).Hash() {
			t.Fatalf("call %d failed: %d acknowledged, %d recovered", n, acked, seq)
		}
		if k.found.Snapshot.File != "" {
			snapshots++
		}
		k.must(k.do(commands[seq:]))
		k.close()
		if left := filesOf(t, platter, ".tmp"); len(left) > 0 {
			t.Fatalf("call %d failed: %v is left", n, left)
		}
	}
	if snapshots == 0 {
		t.Error("no start had a snapshot")
	}
}

// TestSnapshotWithoutRoom fills the disk: a snapshot that does not fit leaves nothing behind, and the exchange goes on.
func TestSnapshotWithoutRoom(t *testing.T) { // D-54
	files := disk.New(room)
	k, err := begin(t, &noRoom{files}, 16<<10)
	k.must(err)
	k.must(k.do(trading(6, 1000)))
	if k.shadow.Missed() == 0 || len(filesOf(t, files, ".snap"))+len(filesOf(t, files, ".snap.tmp")) != 0 {
		t.Errorf("%d missed, the folder has %v", k.shadow.Missed(), filesOf(t, files, ""))
	}
	k.close()
}

// noRoom is a disk on which no snapshot finds room.
type noRoom struct{ journal.FS }

func (n *noRoom) Open(name string, flag int) (journal.File, error) {
	f, err := n.FS.Open(name, flag)
	if err == nil && strings.Contains(name, ".snap") {
		f = fullFile{f}
	}
	return f, err
}

type fullFile struct{ journal.File }

func (fullFile) WriteAt([]byte, int64) (int, error) {
	return 0, fmt.Errorf("write: %w", syscall.ENOSPC)
}

// TestSnapshotHeader holds where a snapshot says what it is, and that another byte there passes it over.
func TestSnapshotHeader(t *testing.T) {
	files, _, found := full(t)
	b := files.Get(filepath.Join(dir, found.Snapshot.File))
	if string(b[:4]) != "LKSN" || b[4] != 1 || len(found.Snapshot.Binary) == 0 {
		t.Errorf("the header begins with % x", b[:8])
	}
	k, err := begin(t, files, 1<<40)
	k.must(err)
	k.close()
	newer := files.Clone()
	newer.Edit(filepath.Join(dir, found.Snapshot.File), func(b []byte) { b[4] = 2 })
	k, err = begin(t, newer, 1<<40)
	if k.must(err); len(k.found.Passed) != 1 {
		t.Errorf("a damaged header: %+v", k.found.Passed)
	}
	k.close()
}
