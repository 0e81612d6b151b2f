package bench

import (
	"errors"
	"io"

	"golang.org/x/sys/unix"
)

// spinning is a socket that is asked again and again instead of waited for.
type spinning struct {
	fd    int
	pause func()
}

// connectSpinning is both ends of a connection of spinning sockets.
func (h *Harness) connectSpinning() (near, far io.ReadWriteCloser, err error) {
	const kind = unix.SOCK_STREAM | unix.SOCK_CLOEXEC
	l, err := unix.Socket(unix.AF_INET, kind, 0)
	if err != nil {
		return nil, nil, err
	}
	defer unix.Close(l)
	here := &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}
	if err := errors.Join(unix.Bind(l, here), unix.Listen(l, 1)); err != nil {
		return nil, nil, err
	}
	at, err := unix.Getsockname(l)
	if err != nil {
		return nil, nil, err
	}
	a, err := unix.Socket(unix.AF_INET, kind, 0)
	if err != nil {
		return nil, nil, err
	}
	if err := unix.Connect(a, at); err != nil {
		return nil, nil, errors.Join(err, unix.Close(a))
	}
	b, _, err := unix.Accept4(l, unix.SOCK_CLOEXEC)
	if err != nil {
		return nil, nil, errors.Join(err, unix.Close(a))
	}
	for _, fd := range [...]int{a, b} {
		err = errors.Join(err, unix.SetNonblock(fd, true), unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1))
	}
	if err != nil {
		return nil, nil, errors.Join(err, unix.Close(a), unix.Close(b))
	}
	return &spinning{a, h.pause}, &spinning{b, h.pause}, nil
}

// Read spins until something has come.
func (s *spinning) Read(b []byte) (int, error) {
	for {
		n, err := unix.Read(s.fd, b)
		switch {
		case err == unix.EAGAIN || err == unix.EINTR:
			s.pause()
		case err == nil && n == 0:
			return 0, io.EOF
		default:
			return max(n, 0), err
		}
	}
}

// Write spins until all has gone.
func (s *spinning) Write(b []byte) (sent int, err error) {
	for sent < len(b) {
		n, err := unix.Write(s.fd, b[sent:])
		switch {
		case err == unix.EAGAIN || err == unix.EINTR:
			s.pause()
		case err != nil:
			return sent, err
		default:
			sent += n
		}
	}
	return sent, nil
}

// Close closes the socket.
func (s *spinning) Close() error { return unix.Close(s.fd) }
