package bench

import (
	"errors"
	"io"
	"net/netip"

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

// dialSpinning connects a spinning socket to an address of this machine, tcp or unixpacket.
func (h *Harness) dialSpinning(network, address string) (duplex, error) {
	family, kind, to := unix.AF_UNIX, unix.SOCK_SEQPACKET, unix.Sockaddr(&unix.SockaddrUnix{Name: address})
	if network == "tcp" {
		at, err := netip.ParseAddrPort(address)
		if err != nil {
			return nil, err
		}
		family, kind, to = unix.AF_INET, unix.SOCK_STREAM, &unix.SockaddrInet4{Addr: at.Addr().As4(), Port: int(at.Port())}
	}
	fd, err := unix.Socket(family, kind|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	err = errors.Join(unix.Connect(fd, to), unix.SetNonblock(fd, true))
	if network == "tcp" {
		err = errors.Join(err, unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1))
	}
	if err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	return &spinning{fd, h.pause}, nil
}

// Try reads what is there; 0: nothing.
func (s *spinning) Try(b []byte) (int, error) {
	n, err := unix.Read(s.fd, b)
	switch {
	case err == unix.EAGAIN || err == unix.EINTR:
		return 0, nil
	case err == nil && n == 0:
		return 0, io.EOF
	}
	return max(n, 0), err
}

// Put writes what fits; 0: nothing does.
func (s *spinning) Put(b []byte) (int, error) {
	n, err := unix.Write(s.fd, b)
	if err == unix.EAGAIN || err == unix.EINTR {
		return 0, nil
	}
	return max(n, 0), err
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
