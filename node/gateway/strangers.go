package gateway

import (
	"runtime"
	"time"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/node"
)

// What strangers may cost. To check a signature takes 0.1 ms of a core, whether it holds or not, and so does a handshake of TLS; anybody may
// ask for it as often as he can connect. So there are few places for it, each of which rests nine times as long as it was used, and signatures
// are checked by threads that give way to others. Those that are in have the rest of the machine. Such a thread has nothing that others wait for:
// who waits for it has but the mutex of his own link, which nobody else waits for (Link.tryAdvance).

// restTimes is how many times as long as it was used a place rests.
const restTimes = 9

// check is a signature that is to be checked.
type check struct {
	do   func()
	did  bool
	over chan struct{}
}

// look is the life of a thread that checks signatures. It is never unlocked from its goroutine, so it ends with it, its priority too.
func (g *Gateway) look() {
	runtime.LockOSThread()
	node.GiveWay(5)
	for {
		select {
		case <-g.down:
			return
		case c := <-g.checks:
			select {
			case g.logons <- struct{}{}:
				since := g.clock()
				c.do()
				c.did = true
				g.leave(since)
			case <-g.down:
			}
			close(c.over)
		}
	}
}

// checked has a signature checked, and waits for it; false where the gateway stops.
func (g *Gateway) checked(do func()) bool {
	c := &check{do: do, over: make(chan struct{})}
	select {
	case g.checks <- c:
		<-c.over
		return c.did
	case <-g.down:
		return false
	}
}

// enter waits for a place, and leave gives it back.
func (g *Gateway) enter() (since fixed.Nanos) {
	g.logons <- struct{}{}
	return g.clock()
}

func (g *Gateway) leave(since fixed.Nanos) {
	time.AfterFunc(restTimes*time.Duration(g.clock()-since), func() { <-g.logons })
}

// shaken counts a handshake that is over, well or not.
func (g *Gateway) shaken(at place) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shaking[at]--; g.shaking[at] == 0 {
		delete(g.shaking, at)
	}
}
