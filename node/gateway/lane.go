package gateway

import (
	"sync"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node"
)

// lane is a door of the node, shared by the sessions that have it.
type lane struct {
	mu   sync.Mutex
	port *node.Port
}

// say hands over one command; false when there is no room.
func (l *lane) say(c *msg.Command, now fixed.Nanos) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	slot := l.port.Claim()
	if slot == nil {
		return false
	}
	slot.CopyFrom(&c.Request)
	slot.Time = now
	l.port.Publish()
	return true
}
