package gateway

import (
	"runtime"
	"time"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/node"
)

// What strangers may cost. To look at a signature takes 0.1 ms of a core, whether it holds or not, and so does a handshake of TLS; anybody may
// ask for it as often as he can connect. So there are few places for it, each of which rests nine times as long as it was used, and signatures
// are looked at by threads that give way to others. Those that are in have the rest of the machine.

// restTimes is how many times as long as it was used a place rests.
const restTimes = 9

// check is the life of a thread that looks at strangers' bytes. It is never unlocked from its goroutine, so it ends with it, its priority too.
func (g *Gateway) check() {
	runtime.LockOSThread()
	node.GiveWay(5)
	for {
		select {
		case <-g.quit:
			return
		case do := <-g.checks:
			since := g.enter()
			do()
			g.leave(since)
		}
	}
}

// checked has a stranger's bytes looked at, and waits for it; false where the gateway has ended.
func (g *Gateway) checked(do func()) bool {
	done := make(chan struct{})
	select {
	case g.checks <- func() { do(); close(done) }:
		<-done
		return true
	case <-g.quit:
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
