package gateway

import (
	"sync"
	"sync/atomic"

	"github.com/lockstep-exchange/lockstep/node"
)

// lane is a door of the node, shared by the sessions that have it. What is said of sessions goes before their messages: who fills the
// lane keeps nobody from logging on or from being unbound.
type lane struct {
	mu     sync.Mutex
	port   *node.Port
	urgent atomic.Int32 // links that have something to say of their session, and found no room
}
