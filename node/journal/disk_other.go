//go:build !linux

package journal

// Where there is no fdatasync, fsync does, and more slowly; os.File.Sync asks for the strongest that the system has.

func (f diskFile) Datasync() error { return f.Sync() }

// reserve leaves it to the writing of zeros to find out whether there is room.
func (f diskFile) reserve(off, n int64) error { return nil }

// DropCache is not to be had.
func (f diskFile) DropCache(off, n int64) error { return nil }
