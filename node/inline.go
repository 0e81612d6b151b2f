package node

import (
	"github.com/lockstep-exchange/lockstep/fixed"
)

// Inline drives a node without threads, step by step and in whatever order its owner likes: what ships, on one goroutine, so that a
// simulation with a clock and a disk of its own can stop between any two steps (D-60). Each method is one step of the thread that its
// name says.
//
//	n, found, err := node.Open("/data", node.Venue{Files: simulated, ...}, node.Config{Clock: clock, ...})
//	step := n.Inline()
//	n.Port(0).Send(...); step.Hot(now); step.Journal(now); reader.Next() ...
type Inline struct{ node *Node }

// Inline is the steps of a node that has not been started; afterwards Start fails. Stop ends it in order; to end as a killed process does,
// end the process of the simulated disk and forget the node.
func (n *Node) Inline() Inline {
	if n.started {
		panic("node: steps of a node that runs")
	}
	n.inline = true
	return Inline{n}
}

// Hot is one poll of the hot thread: it returns how many commands were applied. now is as in engine.Loop.Poll. A broken invariant panics.
func (i Inline) Hot(now fixed.Nanos) int {
	if i.node.journal != nil && i.node.journal.Err() != nil {
		return 0
	}
	return i.node.pollAt(now)
}

// Journal is one step of the journal's thread: at most one batch becomes durable, and what the node has to say for itself is said. It returns
// how many commands were in the batch. now is as in journal.Writer.Step. The error is a *journal.StorageError, and final.
func (i Inline) Journal(now fixed.Nanos) (int, error) {
	if i.node.journal == nil {
		return 0, nil
	}
	commands, err := i.node.journal.Step(now)
	if err == nil {
		i.node.keeper.Do()
	}
	return commands, err
}

// Prepare is one step of the thread that makes spare segments: it reports whether it made one. The error is as Journal's.
func (i Inline) Prepare() (bool, error) {
	if i.node.journal == nil {
		return false, nil
	}
	return i.node.journal.Prepare()
}

// Shadow is one step of the thread that writes snapshots: it reports whether there was anything to do. The error is final: what the disk
// has refused, or that the journal does not say what was written into it.
func (i Inline) Shadow() (bool, error) {
	if i.node.config.shadow == nil {
		return false, nil
	}
	return i.node.config.shadow.Step()
}

// Idle reports whether there is nothing to do for Hot and Journal.
func (i Inline) Idle() bool {
	return i.node.drained() && (i.node.journal == nil || !i.node.journal.Waits() && !i.node.keeper.Ready())
}
