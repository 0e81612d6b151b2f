package demo

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node"
	"github.com/lockstep-exchange/lockstep/node/journal"
)

// A demo that survives: with a folder of its own it journals, and goes on where it ended, whatever ended it. What the journal holds
// tells the courier which commands of the script were sequenced, and the view what came of them; the rest is still to be sent. So every
// command of the script is sequenced once, however often the process dies.
//
//	script   [ found in the journal | sent by this run ...............]
//	acks                            [ a line for each that is answered ]
//
// An ack is written when the events of a command have been read, so when they have left the exchange: with ack fsync they survive
// whatever comes. It is one line,
//
//	SEQ DIGEST      the number of the command, and the digest of its events, 16 hexadecimal digits

const (
	segmentSize = 4 << 20
	currency    = "USDT"
	cluster     = 0x64656d6f // "demo"
)

// kept is the durable side of a run.
type kept struct {
	recovery *node.Recovery
	found    int // commands of the script that the journal held
	strange  error
}

// recover opens the exchange of the folder. The courier hears what the journal holds as if it had read it.
func (r *run) recover(c *courier) (*node.Node, error) {
	if err := makeFolder(r.options.Data); err != nil {
		return nil, err
	}
	k := &kept{}
	v := node.Venue{Limits: r.script.limits, Currency: currency, Cluster: cluster, Shard: 1, Ack: r.options.Ack, Segment: segmentSize,
		Replayed: func(command *msg.Command, events []msg.Event) {
			r.told.replay(events)
			if k.strange == nil {
				k.strange = c.replay(command, events)
			}
		}}
	n, recovery, err := node.Open(r.options.Data, v, node.Config{Lane: lane, Idle: node.Spin})
	if err != nil {
		return nil, err
	}
	if k.strange != nil {
		return nil, errors.Join(k.strange, n.Stop(context.Background()))
	}
	c.complete()
	k.recovery, k.found = recovery, c.next
	r.kept, r.engine = k, n.Engine()
	if r.options.Found != nil {
		r.options.Found(recovery)
	}
	return n, nil
}

// makeFolder makes a folder where there is none, with those above it. Each new name is synced: a journal survives no longer than the
// folder that it is in.
func makeFolder(dir string) error {
	if err := os.Mkdir(dir, 0o700); errors.Is(err, fs.ErrNotExist) {
		if err := makeFolder(filepath.Dir(dir)); err != nil {
			return err
		}
		return makeFolder(dir)
	} else if err != nil {
		return os.MkdirAll(dir, 0o700) // it is there, or something else is
	}
	return journal.Disk{}.SyncDir(filepath.Dir(dir))
}

// replay takes in a command that the journal holds. It has to be the next one of the script, or the node's own.
func (c *courier) replay(command *msg.Command, events []msg.Event) error {
	switch {
	case command.Kind.Own():
	case c.next == len(c.script.requests) || command.Request != c.script.requests[c.next]:
		return &journal.Misfit{Message: fmt.Sprintf("demo: the journal holds %v where the script goes on otherwise: it is that of a demo with other options", command)}
	default:
		c.next++
	}
	for i := range events {
		c.take(&events[i])
	}
	return nil
}

// acks writes what was acknowledged.
type acks struct {
	out    *bufio.Writer
	digest fixed.Digest
	seq    msg.Seq // whose events are folded; 0: none
	err    error
}

// fold takes in an event that has left the exchange.
func (a *acks) fold(ev *msg.Event) {
	a.seq = ev.Seq
	ev.Hash(&a.digest)
}

// complete ends the events of a command.
func (a *acks) complete() {
	if a.seq == 0 || a.err != nil {
		return
	}
	_, a.err = fmt.Fprintf(a.out, "%d %016x\n", a.seq, a.digest.Sum())
	a.digest, a.seq = fixed.Digest{}, 0
}

// flush hands over what is complete.
func (a *acks) flush() {
	if a.err == nil {
		a.err = a.out.Flush()
	}
}

// written is what a journal is found to hold, besides what the node says for itself.
type written struct {
	state  uint64 // in which a replay ends
	script int    // commands of the script, from the first one on and in order
	other  int    // commands that do not belong there
}

// reread replays the journal.
func (r *run) reread() (w written, err error) {
	reader, err := journal.NewReader(journal.Disk{}, r.options.Data)
	if err != nil {
		return w, err
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	eng, err := engine.New(reader.Genesis().Limits)
	if err != nil {
		return w, err
	}
	var events []msg.Event
	for reader.Next() {
		for i := range reader.Commands() {
			c := &reader.Commands()[i]
			events = eng.Apply(c, events[:0])
			switch {
			case c.Kind.Own():
			case w.script < len(r.script.requests) && c.Request == r.script.requests[w.script]:
				w.script++
			default:
				w.other++
			}
		}
	}
	w.state = eng.Hash()
	return w, reader.Err()
}
