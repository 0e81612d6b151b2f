//go:build !linux

package bench

import "io"

// connectSpinning knows no sockets to spin on.
func (h *Harness) connectSpinning() (near, far io.ReadWriteCloser, err error) {
	return nil, nil, ErrNoSpin
}

// dialSpinning knows none either.
func (h *Harness) dialSpinning(network, address string) (duplex, error) { return nil, ErrNoSpin }
