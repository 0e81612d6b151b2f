package journal

import (
	"errors"
	"io"
)

// FS is all that the journal asks of a disk (D-59). Three things stand behind it: Disk, which is the operating system's; the
// simulated one of sim/disk, which tears, forgets and lies as it is told; and one that counts calls and fails the n-th.
// One suite holds them to the same contract.
//
// Names are whole paths. Errors keep what the system said: fs.ErrNotExist where a file is missing, fs.ErrExist where O_EXCL
// found one, syscall.ENOSPC where there was no room.
type FS interface {
	// Open opens a file; flag is O_RDONLY or O_RDWR of package os, with O_CREATE and O_EXCL where wanted.
	Open(name string, flag int) (File, error)
	// Rename puts a file in the place of another, at once or not at all.
	Rename(from, to string) error
	Remove(name string) error
	// List gives the files of a folder, in the order of their names. Folders in it are left out.
	List(dir string) ([]Entry, error)
	// SyncDir makes durable what was created, renamed or removed in a folder.
	SyncDir(dir string) error
	// Free is how many bytes more the folder can take.
	Free(dir string) (uint64, error)
	// Lock makes the file where there is none, and locks it for the caller alone until it is closed or the process ends. It fails
	// with ErrLocked where somebody holds it.
	Lock(name string) (io.Closer, error)
}

// File is an open file of an FS. Two threads do not use one at a time.
type File interface {
	io.ReaderAt // n below len(p) comes with an error
	io.WriterAt // likewise
	io.Closer
	// Datasync makes the contents durable, Sync also all that the file system knows of the file.
	Datasync() error
	Sync() error
	Size() (int64, error)
	// Zero writes zeros from off on, n of them, where the file ends too: real ones, so that a later write there needs no room.
	Zero(off, n int64) error
	// DropCache asks that what is read next comes from the disk, where the platform can.
	DropCache(off, n int64) error
}

// Entry is a file in a folder.
type Entry struct {
	Name string // without the folder
	Size int64
}

// ErrLocked says that somebody else holds a lock.
var ErrLocked = errors.New("journal: locked by another process")
