//go:build unix

package client

import (
	"io"
	"net"
	"syscall"
)

// socket reads and writes a connection without waiting, past the poller of the runtime, which only knows how to wait. Its two
// functions are made once, so that a call allocates nothing.
type socket struct {
	raw         syscall.RawConn // nil: there is none
	calls       *calls
	reads, puts func(fd uintptr) bool
}

type calls struct {
	bytes []byte
	n     int
	err   error
}

// socketOf is the socket of a connection; the zero value where it has none that bytes can be read from as they are.
func socketOf(conn net.Conn) socket {
	var raw syscall.RawConn
	var err error
	switch c := conn.(type) {
	case *net.TCPConn:
		raw, err = c.SyscallConn()
	case *net.UnixConn:
		raw, err = c.SyscallConn()
	default:
		return socket{}
	}
	if err != nil {
		return socket{}
	}
	c := &calls{}
	return socket{raw: raw, calls: c,
		reads: func(fd uintptr) bool { c.n, c.err = syscall.Read(int(fd), c.bytes); return true },
		puts:  func(fd uintptr) bool { c.n, c.err = syscall.Write(int(fd), c.bytes); return true },
	}
}

// read reads what is there; 0 and no error is nothing yet.
func (s *socket) read(b []byte) (n int, err error) {
	if s.raw == nil {
		return 0, errNoSocket
	}
	s.calls.bytes = b
	if err := s.raw.Read(s.reads); err != nil {
		return 0, err
	}
	if s.calls.n == 0 && s.calls.err == nil && len(b) > 0 {
		return 0, io.EOF
	}
	return s.calls.done()
}

// write writes what fits.
func (s *socket) write(b []byte) (n int, err error) {
	if s.raw == nil {
		return 0, errNoSocket
	}
	s.calls.bytes = b
	if err := s.raw.Write(s.puts); err != nil {
		return 0, err
	}
	return s.calls.done()
}

// done is what a call came to: that there is nothing, or no room, is no error.
func (c *calls) done() (n int, err error) {
	if c.err == syscall.EAGAIN || c.err == syscall.EINTR {
		return 0, nil
	}
	return max(c.n, 0), c.err
}
