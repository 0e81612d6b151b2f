package journal

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Datasync is fdatasync. After it has failed the page cache shows what the disk does not have: nobody asks twice (D-28).
func (f diskFile) Datasync() error {
	for {
		err := unix.Fdatasync(int(f.Fd()))
		if !errors.Is(err, unix.EINTR) {
			return f.failed("fdatasync", err)
		}
	}
}

// reserve asks for the room in one piece, so that a disk that is full says so before anything is written. File systems that
// cannot do it find out while they write.
func (f diskFile) reserve(off, n int64) error {
	if n <= 0 {
		return nil
	}
	for {
		err := unix.Fallocate(int(f.Fd()), 0, off, n)
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.ENOSYS):
			return nil
		default:
			return f.failed("fallocate", err)
		}
	}
}

// DropCache leaves alone what is not written yet.
func (f diskFile) DropCache(off, n int64) error {
	return f.failed("fadvise", unix.Fadvise(int(f.Fd()), off, n, unix.FADV_DONTNEED))
}

func (f diskFile) failed(call string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %s: %w", call, f.Name(), err)
}
