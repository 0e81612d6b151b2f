package journal_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node/journal"
	"github.com/lockstep-exchange/lockstep/sim/disk"
)

// day is a day of a journal on a disk that may fail: a start, batches, seals, spares, several segments, an end. It returns what
// was acknowledged.
func day(files journal.FS, commands []msg.Command) (acked msg.Seq, held []msg.Command, err error) {
	c := small(files)
	c.Ahead, c.Spares = 32, 1
	w, found, err := journal.Open(c, keep(&held))
	if err != nil {
		return found.Place.Seq, held, err
	}
	for at, batch := len(held), 1; at < len(commands) && err == nil; batch = batch%23 + 1 {
		at += min(batch, len(commands)-at)
		_, err = feed(w, commands[len(held):][w.Durable()-msg.Seq(len(held)):at-len(held)], 32)
		if err == nil && batch%5 == 0 {
			_, err = w.Step(1 << 50)
		}
		if err == nil && batch%7 == 0 {
			_, err = w.Prepare()
		}
	}
	closed := w.Close()
	if err == nil {
		err = closed
	}
	return w.Durable(), held, err
}

// writes are the calls that change something.
var writes = []string{"Rename", "Remove", "SyncDir", "WriteAt", "Zero", "Datasync", "Sync"}

// Any call fails, once. The journal stops there: nothing is written any more and nothing acknowledged. The next start
// finds all that was (G-04); so does one after a power loss, and one that was itself cut short by another (D-27).
func TestCrashAtEveryCall(t *testing.T) { // D-01, D-02, D-26, D-27, D-28
	commands := someCommands(6, 700)
	counting := disk.FailAt(disk.New(room), 0, nil)
	if _, _, err := day(counting, commands); err != nil {
		t.Fatal(err)
	}
	calls := counting.Calls()
	seen := map[string]int{}
	for n := 1; n <= calls; n++ {
		for _, injected := range []error{syscall.EIO, syscall.ENOSPC} {
			platter := disk.New(room)
			failing := disk.FailAt(platter, n, injected)
			fail, name, later := failing.Fail, "", []string(nil)
			failing.Fail = func(c disk.Call) error {
				if c.Number == n {
					name = c.Name
				}
				if c.Number > n && name != "" && slices.Contains(writes, c.Name) {
					later = append(later, c.Name+" "+c.File)
				}
				return fail(c)
			}
			acked, _, err := day(failing, commands)
			what := fmt.Sprintf("call %d of %d, %s, %v", n, calls, name, injected)
			spared := errors.Is(injected, syscall.ENOSPC) && slices.Contains([]string{"Open", "Zero", "Sync", "WriteAt", "Close", "Remove"}, name)
			var storage *journal.StorageError
			switch {
			case err == nil:
				if !spared || acked != msg.Seq(len(commands)) {
					t.Fatalf("%s: no error, acknowledged %d", what, acked)
				}
				seen["spared"]++
			case !errors.As(err, &storage) && !spared:
				t.Fatalf("%s: %v, expected a StorageError", what, err)
			case storage != nil && storage.ExitCode() != 8:
				t.Fatalf("%s: exit code %d", what, storage.ExitCode())
			case len(later) > 0 && !spared:
				t.Fatalf("%s: %v, and then still %q", what, err, later)
			}
			seen[name]++
			survive(t, what, platter, commands, acked, uint64(n))
		}
	}
	t.Logf("%d calls: %v", calls, seen)
	for _, name := range append([]string{"Open", "List", "Lock", "Close", "ReadAt", "Free", "spared"}, writes...) {
		if seen[name] == 0 {
			t.Errorf("no %s ever failed", name)
		}
	}
}

// survive starts the journal again after a kill, after a power loss, and after a power loss in the middle of the start after a
// power loss.
func survive(t *testing.T, what string, platter *disk.Disk, commands []msg.Command, acked msg.Seq, seed uint64) {
	t.Helper()
	whole := func(how string, d *disk.Disk, acked msg.Seq) {
		t.Helper()
		var held []msg.Command
		c := small(d)
		w, _, err := journal.Open(c, keep(&held))
		if err != nil {
			t.Fatalf("%s, then %s: %v", what, how, err)
		}
		if len(held) < int(acked) || len(held) > len(commands) || !slices.Equal(held, commands[:len(held)]) {
			t.Fatalf("%s, then %s: %d commands are left, acknowledged were %d", what, how, len(held), acked)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	killed := platter.Clone()
	killed.Kill()
	whole("a kill", killed, acked)
	chance := rand.New(rand.NewPCG(seed, 7))
	platter.PowerLoss(chance)
	whole("a power loss", platter.Clone(), acked)
	again := platter.Clone()
	_, held, _ := day(disk.FailAt(again, 1+chance.IntN(60), syscall.EIO), commands[:acked])
	again.PowerLoss(chance)
	whole(fmt.Sprintf("two power losses, the second after %d commands", len(held)), again, acked)
}

// A full disk stops the making of spares, not the exchange; where the last segment is full too, commands wait, and go on when
// there is room again.
func TestDiskFull(t *testing.T) { // D-51, D-52, D-53, D-54
	files := disk.New(room)
	c := small(files)
	c.Segment, c.Ahead, c.Batch = 64<<10, 16, 2048
	w, _, _ := open(t, c)
	for range 2 {
		if made, err := w.Prepare(); !made || err != nil {
			t.Fatal(made, err)
		}
	}
	if w.Mark() != journal.Roomy {
		t.Fatalf("mark %v with room to spare", w.Mark())
	}
	files.SetRoom(0)
	if made, err := w.Prepare(); made || err != nil || w.Mark() != journal.Soft {
		t.Fatalf("two spares and no room: %v %v, mark %v", made, err, w.Mark())
	}
	commands := someCommands(8, 6_000)
	done, hard := 0, -1
	for !w.Stalled() {
		n := 0
		for n < 16 && w.Append(&commands[done+n]) {
			n++
		}
		w.Publish()
		for w.Waits() && !w.Stalled() {
			if _, err := w.Step(0); err != nil {
				t.Fatal(err)
			}
		}
		done += n
		if w.Mark() == journal.Hard && hard < 0 {
			hard = done
			// What the lane holds and one command more, each in a frame of its own, still fits.
			for i := range c.Ahead + 1 {
				if !w.Append(&commands[done+i]) {
					t.Fatal("the lane is full")
				}
				w.Publish()
				if n, err := w.Step(0); n != 1 || err != nil {
					t.Fatalf("command %d after the hard mark: %d, %v", i, n, err)
				}
			}
			done += c.Ahead + 1
		}
	}
	if hard < 0 {
		t.Fatal("the hard mark was never reached")
	}
	acked := w.Durable()
	if n, err := w.Step(0); n != 0 || err != nil || w.Durable() != acked {
		t.Fatalf("without room: %d, %v", n, err)
	}
	if made, err := w.Prepare(); made || err != nil || w.Mark() != journal.Hard {
		t.Fatalf("without room: %v %v, mark %v", made, err, w.Mark())
	}
	files.SetRoom(room)
	for w.Spares() < 2 {
		if made, err := w.Prepare(); !made || err != nil {
			t.Fatal(made, err)
		}
	}
	if w.Mark() != journal.Roomy {
		t.Fatalf("mark %v after there is room again", w.Mark())
	}
	for w.Waits() {
		if _, err := w.Step(0); err != nil {
			t.Fatal(err)
		}
	}
	if w.Durable() != msg.Seq(done) {
		t.Fatalf("durable %d, expected %d", w.Durable(), done)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	held, _, err := read(files)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, held, commands[:done])
}

// A second process is refused, and changes nothing.
func TestOneProcessAtATime(t *testing.T) { // D-29
	files := disk.New(room)
	w, _, _ := open(t, small(files))
	before := files.Clone()
	_, _, err := journal.Open(small(files), nil)
	var running *journal.Running
	if !errors.As(err, &running) || running.ExitCode() != 9 {
		t.Fatalf("the second start: %v", err)
	}
	list, _ := files.List(dir)
	for _, e := range list {
		if name := filepath.Join(dir, e.Name); !slices.Equal(files.Get(name), before.Get(name)) {
			t.Errorf("%s has changed", name)
		}
	}
	if _, err := feed(w, someCommands(9, 10), 3); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if w, found, held := open(t, small(files)); len(held) != 10 || found.Epoch != 2 {
		t.Fatalf("afterwards: %+v", found)
	} else if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// What waits for the disk is not released; in mode none nothing waits.
func TestRelease(t *testing.T) { // D-32
	for _, mode := range []journal.Mode{journal.Fsync, journal.None} {
		c := small(disk.New(room))
		c.Mode = mode
		w, _, _ := open(t, c)
		commands := someCommands(10, 5)
		for i := range commands {
			w.Append(&commands[i])
		}
		w.Publish()
		want := map[journal.Mode]msg.Seq{journal.Fsync: 0, journal.None: 3}[mode]
		if got := w.Release(3); got != want {
			t.Errorf("%v: released up to %d before the sync, expected %d", mode, got, want)
		}
		if _, err := w.Step(0); err != nil {
			t.Fatal(err)
		}
		for applied, want := range []msg.Seq{0, 1, 2, 3, 4, 5} {
			if got := w.Release(msg.Seq(applied)); got != want {
				t.Errorf("%v: released up to %d of %d, expected %d", mode, got, applied, want)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// A journal that promised nothing keeps its longest prefix, and says what it dropped. It does not become one that promises.
func TestModeNone(t *testing.T) { // D-31
	commands := someCommands(11, 600)
	files := disk.New(room)
	c := small(files)
	c.Mode = journal.None
	writeDown(t, c, commands, 16)
	l := layoutOf(t, files)
	hit := l.frames[len(l.frames)/2]
	files.Edit(filepath.Join(dir, l.names[hit.segment]), func(b []byte) { b[hit.off+200] ^= 4 })
	kept := l.frames[len(l.frames)/2-1].seq

	other := small(files)
	var misfit *journal.Misfit
	if _, _, err := journal.Open(other, nil); !errors.As(err, &misfit) || misfit.ExitCode() != 2 {
		t.Fatalf("opened in mode fsync: %v", err)
	}
	w, found, held := open(t, c)
	equal(t, held, commands[:kept])
	if found.Dropped == 0 {
		t.Errorf("%+v", found)
	}
	if _, err := feed(w, commands[kept:], 5); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	held, tail, err := read(files)
	if err != nil || tail.Dropped != 0 {
		t.Fatal(err, tail)
	}
	equal(t, held, commands)
}

// A journal is opened as what it is.
func TestMisfits(t *testing.T) {
	files := disk.New(room)
	writeDown(t, small(files), someCommands(12, 3), 3)
	for what, change := range map[string]func(*journal.Config){
		"cluster":   func(c *journal.Config) { c.Genesis.Cluster++ },
		"shard":     func(c *journal.Config) { c.Genesis.Shard++ },
		"currency":  func(c *journal.Config) { c.Genesis.Currency = "EUR" },
		"limits":    func(c *journal.Config) { c.Genesis.Limits.Jobs++ },
		"no limit":  func(c *journal.Config) { c.Genesis.Limits.Jobs = 0 },
		"no name":   func(c *journal.Config) { c.Genesis.Currency = "" },
		"long name": func(c *journal.Config) { c.Genesis.Currency = strings.Repeat("x", 25) },
		"mode":      func(c *journal.Config) { c.Mode = 2 },
		"none":      func(c *journal.Config) { c.Mode = journal.None },
		"segment":   func(c *journal.Config) { c.Segment = 16<<10 - 4096 },
		"sectors":   func(c *journal.Config) { c.Segment = 16<<10 + 512 },
		"huge":      func(c *journal.Config) { c.Segment = 1<<30 + 4096 },
		"alignment": func(c *journal.Config) { c.Alignment = 1024 },
		"batch":     func(c *journal.Config) { c.Batch = 125 },
		"batches":   func(c *journal.Config) { c.Batch = 64<<10 + 1 },
		"ring":      func(c *journal.Config) { c.Ahead = 12 },
		"spares":    func(c *journal.Config) { c.Spares = -1 },
		"no folder": func(c *journal.Config) { c.Dir = "" },
	} {
		c := small(files)
		change(&c)
		var misfit *journal.Misfit
		if _, _, err := journal.Open(c, nil); !errors.As(err, &misfit) {
			t.Errorf("%s: %v, expected a Misfit", what, err)
		}
	}
	if _, _, err := read(files); err != nil {
		t.Fatal(err)
	}
}
