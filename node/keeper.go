package node

import (
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node/journal"
	"github.com/lockstep-exchange/lockstep/ring"
)

// keeper says what a node has to say in its own sequence, on the journal's thread between two batches (journal.Work). It reads
// every event, durable or not, for what it sequences is released no earlier than anything else.
//
//	out ring ──events──> Chronicle ──each 4,096 commands──┐
//	journal.Mark ──────> another than was said ───────────┼──> own lane ──> Loop, before all others
//	Node.Maintain ────────────────────────────────────────┘
//
// Disk full (D-51 to D-53). Soft: few spares are left and there is no room for another; the engine refuses orders that add risk. Hard: no
// spare is left, and of the segment only what the sequenced lane may hold; the loop takes nothing more but what comes from here. When there
// is room again, spares are made first, and then the mark, and with it the storage, is normal. Everything of it is sequenced, so a replay
// refuses what was refused.
type keeper struct {
	node      *Node
	events    *ring.Reader[msg.Event]
	chronicle journal.Chronicle
	stated    msg.Seq     // the last checkpoint that was sequenced
	said      msg.Storage // the last storage that was sequenced
}

// ownSlots are those of the lane of the node's own commands.
const ownSlots = 64

func newKeeper(n *Node, c *Config) *keeper {
	return &keeper{node: n, events: n.out.Reader(true), chronicle: c.chronicle, stated: c.chronicle.Latest().Upto, said: c.Engine.Storage()}
}

// Ready reports whether Do would do something.
func (k *keeper) Ready() bool { return k.events.Ready() || k.storage() != k.said }

// Do folds the events that there are and sequences what is to be said.
func (k *keeper) Do() {
	read := false
	for ev := k.events.Next(); ev != nil; ev = k.events.Next() {
		k.chronicle.Fold(ev)
		if ev.Kind == msg.StorageChanged {
			k.node.storage.Store(uint32(ev.StorageStep().To))
		}
		read = true
	}
	if read {
		k.events.Release()
		k.node.hot.Wake() // it may have waited for room
	}
	if latest := k.chronicle.Latest(); latest.Upto > k.stated && k.node.say(msg.SetCheckpoint(latest)) {
		k.stated = latest.Upto
	}
	if storage := k.storage(); storage != k.said && k.node.say(msg.SetStorage(storage)) {
		k.said = storage
	}
}

// storage is what the journal's mark comes to.
func (k *keeper) storage() msg.Storage {
	switch k.node.journal.Mark() {
	case journal.Hard:
		return msg.StorageHard
	case journal.Soft:
		return msg.StorageSoft
	}
	return msg.StorageNormal
}

// say sequences a command of the node's own; false when the lane is full.
func (n *Node) say(c msg.Command) bool {
	n.saying.Lock()
	defer n.saying.Unlock()
	slot := n.own.Claim()
	if slot == nil {
		return false
	}
	slot.CopyFrom(&c.Request)
	n.own.Publish()
	n.hot.Wake()
	return true
}

// Maintain lets the node, and everyone who runs the same sequence, rest for a moment, in which garbage is collected: some milliseconds in
// which nothing is taken. Any goroutine may call it. It fails with ErrStopped, or ErrFull when it has been asked too often.
func (n *Node) Maintain() error {
	switch {
	case n.stopping.Load():
		return ErrStopped
	case n.own == nil || !n.say(msg.Maintain()):
		return ErrFull
	}
	return nil
}
