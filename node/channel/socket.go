package channel

import (
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

// Line is where a copy of every datagram goes: a multicast group, or the address of one reader.
type Line struct {
	To        netip.AddrPort
	Interface string // by which a group is reached; empty: the system's choice
	Hops      int    // routers that a group's datagrams may pass; 0: none, they stay in the local network
}

// sender is the socket of a line.
type sender struct {
	conn *net.UDPConn
	to   netip.AddrPort
}

// sendBuffer is what a socket may hold until the network has taken it: some milliseconds of a busy feed.
const sendBuffer = 1 << 20

// dial opens the socket of a line.
func dial(l Line) (sender, error) {
	if !l.To.IsValid() || l.To.Port() == 0 || l.To.Addr().IsUnspecified() {
		return sender{}, fmt.Errorf("channel: line %s: expected an address and a port", l.To)
	}
	network := "udp4"
	if l.To.Addr().Is6() {
		network = "udp6"
	}
	conn, err := net.ListenUDP(network, nil)
	if err != nil {
		return sender{}, fmt.Errorf("channel: line %s: %w", l.To, err)
	}
	if err = conn.SetWriteBuffer(sendBuffer); err == nil && l.To.Addr().IsMulticast() {
		err = l.group(conn)
	}
	if err != nil {
		_ = conn.Close() // what went wrong first counts
		return sender{}, fmt.Errorf("channel: line %s: %w", l.To, err)
	}
	return sender{conn, l.To}, nil
}

// group sets by which interface and how far a group's datagrams go. Readers on this machine get them too.
func (l *Line) group(conn *net.UDPConn) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	options := l.options4
	if l.To.Addr().Is6() {
		options = l.options6
	}
	var failed error
	if err := raw.Control(func(fd uintptr) { failed = options(int(fd)) }); err != nil {
		return err
	}
	return failed
}

func (l *Line) options4(fd int) error {
	if l.Interface != "" {
		at, err := address4(l.Interface)
		if err != nil {
			return err
		}
		if err := unix.SetsockoptInet4Addr(fd, syscall.IPPROTO_IP, syscall.IP_MULTICAST_IF, at); err != nil {
			return fmt.Errorf("interface %s: %w", l.Interface, err)
		}
	}
	return unix.SetsockoptInt(fd, syscall.IPPROTO_IP, syscall.IP_MULTICAST_TTL, 1+l.Hops)
}

func (l *Line) options6(fd int) error {
	if l.Interface != "" {
		i, err := net.InterfaceByName(l.Interface)
		if err != nil {
			return fmt.Errorf("interface %s: %w", l.Interface, err)
		}
		if err := unix.SetsockoptInt(fd, syscall.IPPROTO_IPV6, syscall.IPV6_MULTICAST_IF, i.Index); err != nil {
			return fmt.Errorf("interface %s: %w", l.Interface, err)
		}
	}
	return unix.SetsockoptInt(fd, syscall.IPPROTO_IPV6, syscall.IPV6_MULTICAST_HOPS, 1+l.Hops)
}

// address4 is the first IPv4 address of an interface.
func address4(name string) (a [4]byte, err error) {
	i, err := net.InterfaceByName(name)
	if err != nil {
		return a, fmt.Errorf("interface %s: %w", name, err)
	}
	all, err := i.Addrs()
	if err != nil {
		return a, fmt.Errorf("interface %s: %w", name, err)
	}
	for _, at := range all {
		if n, ok := at.(*net.IPNet); ok && n.IP.To4() != nil {
			return [4]byte(n.IP.To4()), nil
		}
	}
	return a, fmt.Errorf("interface %s: expected one with an IPv4 address", name)
}
