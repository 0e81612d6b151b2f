package node

import (
	"errors"
	"math"

	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node/journal"
)

// The journal of a node. What a command brings about may leave when it is applied and, in mode fsync, durable (A-5, D-32):
//
//	sequenced ──┬──> applied   the hot thread: at once
//	            └──> durable   the journal's thread: a batch, one write, one sync
//	                    └──> release = min(applied, durable): as far as a Reader gives events
//
// Every outlet of a node is a Reader, so there is one gate and no side door. The hot thread runs ahead of the disk by as much as the
// sequenced lane and the out ring hold; where either is full it takes nothing, and then the lanes of the producers fill (D-09).
//
// How it ends. The disk fails: the journal's thread writes nothing more, durable stays where it is, the hot thread is told and ends,
// and Err is a *journal.StorageError (D-28). The engine panics: what was sequenced is made durable, the command that broke it included,
// so that a replay shows what happened; the journal has no clean shutdown then. The shadow finds that the journal does not say what was
// written, or cannot write beside it: the same as when the disk fails, and Err is what it found. Stop: everything is made durable, and a clean
// shutdown says so.

// keep lets the journal run, if there is one.
func (n *Node) keep() error {
	if n.journal == nil {
		return nil
	}
	thread, err := journal.Start(n.journal, n.advance, n.keeper)
	if err != nil {
		return err
	}
	n.thread = thread
	if n.config.shadow != nil {
		n.following.Go(n.follow)
	}
	n.watching.Go(func() {
		<-thread.Done()
		if n.journal.Err() != nil {
			n.broken.Store(true)
			n.hot.Wake()
		}
	})
	return nil
}

// advance is called on the journal's thread after each batch: readers may have something to read, and the hot thread may have room.
func (n *Node) advance() {
	if n.gated {
		n.wakeReaders()
	}
	n.hot.Wake()
}

// released is the last command whose events may leave.
func (n *Node) released() msg.Seq {
	if !n.gated {
		return math.MaxUint64
	}
	return n.journal.Durable()
}

// putDown ends a node that has no threads: what waits in its lanes is applied as far as there is room, and the journal is closed.
func (n *Node) putDown() error {
	if n.stopping.Swap(true) && n.finished.Load() {
		return nil
	}
	if n.journal == nil || n.journal.Err() == nil {
		for n.inline && n.poll() {
		}
	}
	n.finished.Store(true)
	if n.journal == nil {
		return nil
	}
	return errors.Join(n.unfollow(), n.journal.Close())
}

// endJournal makes durable what was sequenced, on the hot thread, which has nothing else to do any more.
func (n *Node) endJournal() {
	if n.thread == nil {
		return
	}
	if err := n.unfollow(); n.fault == nil { // before the folder is given back
		n.fault = err
	}
	if n.fault != nil {
		_ = n.thread.Halt() // what went wrong first counts
		return
	}
	n.fault = n.thread.Stop()
}
