package gateway

import (
	"errors"
	"fmt"
)

// Shell is which threads move the bytes of established sessions in clear. What is said and when is the same: both shells drive the same
// links. Connections that have not logged on, and those over TLS, have goroutines with either.
//
//	Net    a goroutine a connection; whoever brings something about writes              runs everywhere
//	Spin   one thread reads and writes all sockets, and reads events                    Linux; a core to spare, or wakes cost as much as with Net
//	Fused  the hot thread does, between two polls of the core                           Linux; two cores: no hand-over at all
type Shell uint8

const (
	Net Shell = iota
	Spin
	Fused
)

// Shells are their names, in order.
var Shells = [...]string{"net", "spin", "fused"}

func (s Shell) String() string { return Shells[s] }

// ErrShell says that the system has no such shell.
var ErrShell = errors.New("sockets are polled on Linux alone, expected net")

// Known refuses a shell that there is not, or not here.
func (s Shell) Known() error {
	switch {
	case int(s) >= len(Shells):
		return fmt.Errorf("shell %d, expected 0 to %d", s, len(Shells)-1)
	case s != Net && !pollsSockets:
		return fmt.Errorf("shell %s: %w", s, ErrShell)
	}
	return nil
}
