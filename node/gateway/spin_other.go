//go:build !linux

package gateway

// pollsSockets says that sockets can be polled here, and takesPackets that a packet that is too long is noticed.
const (
	pollsSockets = false
	takesPackets = false
)

// spinner is of no use here: Open refuses the shells that have one.
type spinner struct{}

func newSpinner(*Gateway) (*spinner, error) { return nil, ErrShell }
func (*spinner) adopt(*conn) bool           { return false }
func (*spinner) run()                       {}
func (*spinner) Step() bool                 { return false }
func (*spinner) Sleep(int)                  {}
func (*spinner) close()                     {}

func (c *conn) push()   {}
func (c *conn) hangUp() {}

func receiveFrom(fd uintptr, b []byte, packets bool) (n int, again bool) { return 0, false }
