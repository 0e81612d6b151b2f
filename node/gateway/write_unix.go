//go:build unix

package gateway

import "syscall"

// writesRaw says that sockets can be written to without waiting.
const writesRaw = true

// writeTo writes what a socket takes now. again says that it may take more later.
func writeTo(fd uintptr, b []byte) (n int, again bool) {
	for {
		n, err := syscall.Write(int(fd), b)
		switch err {
		case nil:
			return n, true
		case syscall.EINTR:
		case syscall.EAGAIN:
			return 0, true
		default:
			return 0, false
		}
	}
}
