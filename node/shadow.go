package node

import (
	"runtime"
	"time"
)

// The shadow of a node: a second engine that follows the closed segments of the journal and writes snapshots of itself, so that the
// engine that trades never stands still for one (docs/decisions/0017-snapshots-by-a-shadow.md). It has a thread of its own, of
// the lowest priority, and no other thread waits for it. What it finds wrong ends the node: the disk has refused something, or the
// journal does not say what was written into it.

// followEvery is how often the shadow looks for a segment that has been closed.
const followEvery = 250 * time.Millisecond

// follow is the life of the shadow's thread.
func (n *Node) follow() {
	runtime.LockOSThread() // until it ends: nothing else may run at its priority
	GiveWay(19)
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for {
		did, err := n.config.shadow.Step()
		if err != nil {
			n.doubt.Store(&err)
			n.journal.Doubt(err) // nothing more is promised
			n.thread.Wake()
			n.broken.Store(true)
			n.hot.Wake()
			return
		}
		if did {
			continue
		}
		select {
		case <-tick.C:
		case <-n.unfollowed:
			return
		}
	}
}

// unfollow ends the shadow and gives what it ended by, if it did.
func (n *Node) unfollow() (err error) {
	if n.config.shadow == nil {
		return nil
	}
	n.unfollowing.Do(func() {
		n.config.shadow.Stop()
		close(n.unfollowed)
		n.following.Wait()
		err = n.config.shadow.Close()
	})
	if doubt := n.doubt.Load(); doubt != nil {
		return *doubt
	}
	return err
}
