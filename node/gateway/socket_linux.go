package gateway

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Calls that never wait, past the runtime's scheduler, which would have to be told before and after.

// takesPackets says that a packet that is too long is noticed.
const takesPackets = true

// receiveFrom reads what has come. again says that nothing has, as yet; neither n nor again that the other side has closed. Of a packet that is
// longer than b n is its whole length, and the end is lost.
func receiveFrom(fd uintptr, b []byte, packets bool) (n int, again bool) {
	flags := uintptr(unix.MSG_DONTWAIT)
	if packets {
		flags |= unix.MSG_TRUNC
	}
	got, _, err := unix.RawSyscall6(unix.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), flags, 0, 0)
	if err != 0 {
		return 0, err == unix.EAGAIN || err == unix.EINTR
	}
	return int(got), false
}

// sendTo writes what a socket takes now. again says that it may take more later.
func sendTo(fd uintptr, b []byte) (n int, again bool) {
	for {
		sent, _, err := unix.RawSyscall6(unix.SYS_SENDTO, fd, uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
		switch err {
		case 0:
			return int(sent), true
		case unix.EINTR:
		case unix.EAGAIN:
			return 0, true
		default:
			return 0, false
		}
	}
}

// pollNow is epoll_wait without waiting.
func pollNow(fd int, events *[64]unix.EpollEvent) int {
	n, _, err := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(fd), uintptr(unsafe.Pointer(events)), uintptr(len(events)), 0, 0, 0)
	if err != 0 {
		return 0
	}
	return int(n)
}
