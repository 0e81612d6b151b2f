package disk_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/lockstep-exchange/lockstep/node/journal"
	"github.com/lockstep-exchange/lockstep/sim/disk"
)

// TestContract holds every file system to the same contract.
func TestContract(t *testing.T) { // D-59
	for name, files := range map[string]journal.FS{
		"machine":   journal.Disk{},
		"simulated": disk.New(1 << 20),
		"failing":   disk.FailAt(disk.New(1<<20), 0, nil),
	} {
		t.Run(name, func(t *testing.T) { contract(t, files, t.TempDir()) })
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func contract(t *testing.T, files journal.FS, dir string) {
	path := func(name string) string { return filepath.Join(dir, name) }
	if _, err := files.Open(path("a"), os.O_RDWR); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file is opened: %v", err)
	}
	a, err := files.Open(path("a"), os.O_RDWR|os.O_CREATE|os.O_EXCL)
	must(t, err)
	if _, err := files.Open(path("a"), os.O_RDWR|os.O_CREATE|os.O_EXCL); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a file is made twice: %v", err)
	}
	must(t, a.Zero(0, 5_000))
	must(t, a.Zero(4_990, 20))
	n, err := a.WriteAt([]byte("lockstep"), 1_020)
	if n != 8 || err != nil {
		t.Fatal(n, err)
	}
	must(t, a.Datasync())
	must(t, a.Sync())
	must(t, a.DropCache(0, 5_010))
	if size, err := a.Size(); size != 5_010 || err != nil {
		t.Errorf("the size is %d, %v", size, err)
	}
	b := make([]byte, 10)
	if n, err := a.ReadAt(b, 1_019); n != 10 || err != nil || string(b) != "\x00lockstep\x00" {
		t.Errorf("read %q, %v", b[:n], err)
	}
	if n, err := a.ReadAt(b, 5_005); n != 5 || !errors.Is(err, io.EOF) || !bytes.Equal(b[:n], make([]byte, 5)) {
		t.Errorf("read %d bytes at the end, %v", n, err)
	}
	if n, err := a.ReadAt(b, 6_000); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("read %d bytes behind the end, %v", n, err)
	}
	must(t, a.Close())
	if err := a.Close(); err == nil {
		t.Error("a file is closed twice")
	}
	if _, err := a.WriteAt(b, 0); err == nil {
		t.Error("a closed file is written to")
	}
	readOnly, err := files.Open(path("a"), os.O_RDONLY)
	must(t, err)
	if _, err := readOnly.WriteAt(b, 0); err == nil {
		t.Error("a file that was opened for reading is written to")
	}
	must(t, readOnly.Close())

	other, err := files.Open(path("b"), os.O_RDWR|os.O_CREATE)
	must(t, err)
	must(t, other.Close())
	must(t, files.SyncDir(dir))
	must(t, files.Rename(path("a"), path("b")))
	if err := files.Rename(path("a"), path("c")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file is renamed: %v", err)
	}
	lock, err := files.Lock(path("LOCK"))
	must(t, err)
	if _, err := files.Lock(path("LOCK")); !errors.Is(err, journal.ErrLocked) {
		t.Errorf("locked twice: %v", err)
	}
	must(t, lock.Close())
	lock, err = files.Lock(path("LOCK"))
	must(t, err)
	list, err := files.List(dir)
	must(t, err)
	if len(list) != 2 || list[0] != (journal.Entry{Name: "LOCK"}) || list[1] != (journal.Entry{Name: "b", Size: 5_010}) {
		t.Errorf("the folder holds %v", list)
	}
	must(t, files.Remove(path("b")))
	if err := files.Remove(path("b")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("removed twice: %v", err)
	}
	if free, err := files.Free(dir); err != nil || free == 0 {
		t.Errorf("%d bytes are free, %v", free, err)
	}
	must(t, lock.Close())
}

// What was synced survives a power loss, what was not comes in any mixture of sectors, and names come in the order of their changes.
func TestPowerLoss(t *testing.T) { // D-03, D-63
	sectors, names := map[string]int{}, map[string]int{}
	for seed := range uint64(200) {
		d := disk.New(1 << 20)
		f, err := d.Open("/x/a", os.O_RDWR|os.O_CREATE)
		must(t, err)
		must(t, f.Zero(0, 2_048))
		must(t, f.Sync())
		must(t, d.SyncDir("/x"))
		_, err = f.WriteAt(bytes.Repeat([]byte{1}, 1_024), 512)
		must(t, err)
		_, err = d.Open("/x/b", os.O_RDWR|os.O_CREATE)
		must(t, err)
		must(t, d.Rename("/x/b", "/x/c"))
		d.PowerLoss(rand.New(rand.NewPCG(seed, 1)))
		if _, err := f.Size(); err == nil {
			t.Fatal("an open file survived")
		}
		b := d.Get("/x/a")
		if len(b) != 2_048 || !bytes.Equal(b[:512], make([]byte, 512)) || !bytes.Equal(b[1_536:], make([]byte, 512)) {
			t.Fatalf("seed %d: what was synced is gone", seed)
		}
		left := ""
		for s := 512; s < 1_536; s += 512 {
			switch {
			case bytes.Equal(b[s:s+512], make([]byte, 512)):
				left += "0"
			case bytes.Equal(b[s:s+512], bytes.Repeat([]byte{1}, 512)):
				left += "1"
			default:
				t.Fatalf("seed %d: half a sector", seed)
			}
		}
		sectors[left]++
		list, _ := d.List("/x")
		name := ""
		for _, e := range list {
			name += e.Name
		}
		names[name]++
	}
	if len(sectors) != 4 || len(names) != 3 || names["a"] == 0 || names["ab"] == 0 || names["ac"] == 0 {
		t.Errorf("sectors %v, names %v", sectors, names)
	}
}

// A sync that fails leaves what it should have stored readable, and not stored (D-63).
func TestFailedSync(t *testing.T) {
	d := disk.New(1 << 20)
	failing := disk.FailAt(d, 3, syscall.EIO)
	f, err := failing.Open("/a", os.O_RDWR|os.O_CREATE)
	must(t, err)
	_, err = f.WriteAt([]byte("x"), 0)
	must(t, err)
	if err := f.Datasync(); !errors.Is(err, syscall.EIO) {
		t.Fatal(err)
	}
	if string(d.Get("/a")) != "x" {
		t.Error("it cannot be read back")
	}
	must(t, f.Datasync()) // it seems to be well now
	must(t, f.DropCache(0, 1))
	if string(d.Get("/a")) != "\x00" {
		t.Error("it was stored")
	}
}

// A full disk takes what fits.
func TestRoom(t *testing.T) {
	d := disk.New(1_000)
	f, err := d.Open("/a", os.O_RDWR|os.O_CREATE)
	must(t, err)
	if n, err := f.WriteAt(make([]byte, 1_200), 0); n != 1_000 || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("wrote %d bytes, %v", n, err)
	}
	if free, _ := d.Free("/"); free != 0 {
		t.Errorf("%d bytes are free", free)
	}
	must(t, d.Remove("/a"))
	if free, _ := d.Free("/"); free != 1_000 {
		t.Errorf("%d bytes are free after all was removed", free)
	}
}
