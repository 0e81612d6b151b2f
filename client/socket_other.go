//go:build !unix

package client

import "net"

// socket is how a connection is read and written without waiting; here there is none, and it is done with deadlines.
type socket struct{}

func socketOf(net.Conn) socket { return socket{} }

func (*socket) read([]byte) (int, error)  { return 0, errNoSocket }
func (*socket) write([]byte) (int, error) { return 0, errNoSocket }
