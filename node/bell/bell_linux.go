package bell

import (
	"encoding/binary"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// bell is an eventfd: a counter in the kernel. Ringing adds one; hearing waits until it is not zero and clears it.
type bell struct {
	file *os.File
	fd   int32
}

func newBell() (bell, error) {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
	if err != nil {
		return bell{}, fmt.Errorf("bell: eventfd: %w", err)
	}
	return bell{os.NewFile(uintptr(fd), "bell"), int32(fd)}, nil
}

// ring never blocks: the counter is read long before it overflows. After close it does nothing.
func (b bell) ring() {
	var one [8]byte
	binary.NativeEndian.PutUint64(one[:], 1)
	_, _ = b.file.Write(one[:]) // fails only after close, when nobody hears it any more
}

// hear blocks the thread until the bell has rung, is closed, or limit is over.
func (b bell) hear(limit time.Duration) {
	if limit >= 0 {
		fds := [1]unix.PollFd{{Fd: b.fd, Events: unix.POLLIN}}
		ms := (limit + time.Millisecond - 1) / time.Millisecond
		if n, err := unix.Poll(fds[:], int(min(ms, 1<<30))); n == 0 || err != nil {
			return // a failure is a wake for nothing
		}
	}
	var count [8]byte
	_, _ = b.file.Read(count[:]) // likewise
}

// descriptor can be read when the bell has rung.
func (b bell) descriptor() int { return int(b.fd) }

// clear hears the bell if it has rung.
func (b bell) clear() {
	b.hear(0)
}

// close ends the bell. The counter goes when the last one that hears it is through, so it rings once more.
func (b bell) close() {
	b.ring()
	_ = b.file.Close() // an eventfd has nothing to flush
}
