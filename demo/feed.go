package demo

import (
	"fmt"
	"sync"
	"time"

	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node"
	"github.com/lockstep-exchange/lockstep/node/channel"
	"github.com/lockstep-exchange/lockstep/tape/feed"
)

// The market data of the demo, for whoever listens: one channel, BTC, on the sockets that were asked for.

// keptEpoch is that of a channel whose exchange has a folder: it goes on with its numbers at every start. One in memory begins anew each
// time, and so has another each time.
const keptEpoch = 1

// broadcast publishes what the exchange tells.
type broadcast struct {
	publisher *channel.Publisher
	server    *channel.Server
	reader    *node.Reader
	running   sync.WaitGroup
	whole     bool // nothing will come behind it
}

// newBroadcast is for an exchange of so many orders, in memory or in a folder.
func newBroadcast(l engine.Limits, kept bool) (*broadcast, error) {
	epoch := uint32(keptEpoch)
	if !kept {
		epoch = uint32(time.Now().Unix())
	}
	p, err := channel.New(channel.Config{Limits: feed.Limits{Instruments: l.Instruments, Underlyings: l.Underlyings, Orders: l.Orders},
		Name: [3]byte{'B', 'T', 'C'}, Epoch: epoch})
	if err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	return &broadcast{publisher: p, whole: !kept}, nil
}

// replay takes in what was published before this start.
func (b *broadcast) replay(events []msg.Event) {
	if b != nil {
		b.publisher.Replay(events)
	}
}

// open opens the sockets, before a node is started.
func (b *broadcast) open(n *node.Node, s channel.Sockets) (err error) {
	if b.reader, err = n.Reader(true); err != nil {
		return err
	}
	b.server, err = channel.Open(b.publisher, s)
	return err
}

// run publishes what a node tells from its start on, until it stops.
func (b *broadcast) run() {
	if b != nil {
		b.running.Go(func() { b.server.Run(b.reader) })
	}
}

// end waits until everything is published, and closes the sockets. The node has stopped, or was never started.
func (b *broadcast) end() error {
	if b == nil || b.server == nil {
		return nil
	}
	b.running.Wait()
	if b.whole {
		b.server.End()
	}
	return b.server.Close()
}
