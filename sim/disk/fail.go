package disk

import (
	"io"
	"sync"

	"github.com/lockstep-exchange/lockstep/node/journal"
)

// Call is one call of a file system.
type Call struct {
	Number int    // among all calls, from 1
	Name   string // of the method
	File   string
}

// Failing is a file system whose calls fail when Fail says so; each call asks it first. A write that fails has been done by
// half, a sync that fails has stored nothing and yet left everything clean. Several goroutines may use it; Fail is asked by one at a
// time.
type Failing struct {
	journal.FS
	Fail  func(Call) error
	mu    sync.Mutex
	calls int
}

// FailAt fails the n-th call.
func FailAt(files journal.FS, n int, err error) *Failing {
	return &Failing{FS: files, Fail: func(c Call) error {
		if c.Number == n {
			return err
		}
		return nil
	}}
}

// Calls is how many calls there were.
func (f *Failing) Calls() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls
}

func (f *Failing) ask(name, file string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	return f.Fail(Call{f.calls, name, file})
}

func (f *Failing) Open(name string, flag int) (journal.File, error) {
	if err := f.ask("Open", name); err != nil {
		return nil, err
	}
	file, err := f.FS.Open(name, flag)
	if err != nil {
		return nil, err
	}
	return &failingFile{file, f, name}, nil
}

func (f *Failing) Rename(from, to string) error {
	if err := f.ask("Rename", from); err != nil {
		return err
	}
	return f.FS.Rename(from, to)
}

func (f *Failing) Remove(name string) error {
	if err := f.ask("Remove", name); err != nil {
		return err
	}
	return f.FS.Remove(name)
}

func (f *Failing) List(dir string) ([]journal.Entry, error) {
	if err := f.ask("List", dir); err != nil {
		return nil, err
	}
	return f.FS.List(dir)
}

func (f *Failing) SyncDir(dir string) error {
	if err := f.ask("SyncDir", dir); err != nil {
		return err
	}
	return f.FS.SyncDir(dir)
}

func (f *Failing) Free(dir string) (uint64, error) {
	if err := f.ask("Free", dir); err != nil {
		return 0, err
	}
	return f.FS.Free(dir)
}

func (f *Failing) Lock(name string) (io.Closer, error) {
	if err := f.ask("Lock", name); err != nil {
		return nil, err
	}
	return f.FS.Lock(name)
}

type failingFile struct {
	journal.File
	files *Failing
	name  string
}

func (f *failingFile) ReadAt(b []byte, off int64) (int, error) {
	if err := f.files.ask("ReadAt", f.name); err != nil {
		n, _ := f.File.ReadAt(b[:len(b)/2], off)
		return n, err
	}
	return f.File.ReadAt(b, off)
}

func (f *failingFile) WriteAt(b []byte, off int64) (int, error) {
	if err := f.files.ask("WriteAt", f.name); err != nil {
		n, _ := f.File.WriteAt(b[:len(b)/2], off)
		return n, err
	}
	return f.File.WriteAt(b, off)
}

func (f *failingFile) Zero(off, n int64) error {
	if err := f.files.ask("Zero", f.name); err != nil {
		_ = f.File.Zero(off, n/2) // it fails in any case
		return err
	}
	return f.File.Zero(off, n)
}

func (f *failingFile) Datasync() error { return f.sync("Datasync", f.File.Datasync) }
func (f *failingFile) Sync() error     { return f.sync("Sync", f.File.Sync) }

func (f *failingFile) sync(name string, sync func() error) error {
	err := f.files.ask(name, f.name)
	if err == nil {
		return sync()
	}
	if simulated, ok := f.File.(*file); ok {
		simulated.forget()
	}
	return err
}

func (f *failingFile) DropCache(off, n int64) error {
	if err := f.files.ask("DropCache", f.name); err != nil {
		return err
	}
	return f.File.DropCache(off, n)
}

func (f *failingFile) Size() (int64, error) {
	if err := f.files.ask("Size", f.name); err != nil {
		return 0, err
	}
	return f.File.Size()
}

func (f *failingFile) Close() error {
	if err := f.files.ask("Close", f.name); err != nil {
		_ = f.File.Close() // the descriptor is gone in any case
		return err
	}
	return f.File.Close()
}
