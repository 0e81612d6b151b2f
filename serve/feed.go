package serve

import (
	"fmt"
	"net/netip"
	"sync"

	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node"
	"github.com/lockstep-exchange/lockstep/node/channel"
	"github.com/lockstep-exchange/lockstep/node/gateway"
	"github.com/lockstep-exchange/lockstep/sim/strict"
	"github.com/lockstep-exchange/lockstep/tape/feed"
)

// Market data of a venue. Its numbers are a function of the journal, so a start replays all of it: with a feed there are no snapshots of the
// engine, and nothing is freed.

// Feed is what the table feed of exchange.toml says.
type Feed struct {
	Channel [3]byte
	Epoch   uint32 // another one for another journal
	History int    // records that are kept for who asks again; 0: 2^20
	Sockets channel.Sockets
}

// feed reads where market data goes.
func (l *loading) feed(t *strict.Table) {
	in := t.One("feed")
	if in == nil {
		return
	}
	f := &Feed{Epoch: uint32(in.Whole("epoch", false, 0, 36*36*36*36*36*36-1, 1)), History: 1 << in.Whole("history_log2", false, 10, 26, 20)}
	if name, v := in.Text("channel", `"BTC"`, true); v != nil {
		if copy(f.Channel[:], name); len(name) != len(f.Channel) || !channel.Named(f.Channel) {
			in.Fault("channel", v, `is %q, expected three of A..Z and 0..9, as in "BTC"`, name)
		}
	}
	by, _ := in.Text("interface", `"eth0"`, false)
	hops := int(in.Whole("hops", false, 0, 254, 0))
	lines := in.Texts("lines")
	if len(lines) < 1 || len(lines) > 2 {
		in.Missing("lines", `lines = ["239.1.1.1:9100", "239.1.1.2:9100"], one or two of them`)
	}
	for _, v := range lines {
		f.Sockets.Lines = append(f.Sockets.Lines, channel.Line{To: endpoint(in, "lines", v), Interface: by, Hops: hops})
	}
	if text, v := in.Text("requests", `"10.0.0.5:9101"`, false); v != nil {
		v.Text = text
		f.Sockets.Requests = endpoint(in, "requests", v)
	}
	for _, v := range in.Texts("networks") {
		p, err := netip.ParsePrefix(v.Text)
		if err != nil {
			in.Fault("networks", v, `has %q, expected a network, as in "10.1.0.0/16"`, v.Text)
		}
		f.Sockets.Networks = append(f.Sockets.Networks, p)
	}
	if f.Sockets.Requests.IsValid() && len(f.Sockets.Networks) == 0 {
		in.Missing("networks", `networks = ["10.1.0.0/16"]: those who may ask at requests`)
	}
	in.Close()
	l.c.Feed = f
}

// endpoint is an address with its port.
func endpoint(in *strict.Table, key string, v *strict.Value) netip.AddrPort {
	a, err := netip.ParseAddrPort(v.Text)
	if err != nil {
		in.Fault(key, v, `is %q, expected an address and a port, as in "239.1.1.1:9100"`, v.Text)
	}
	return a
}

// told publishes what a venue tells. nil tells nobody.
type told struct {
	feed      *Feed
	publisher *channel.Publisher
	server    *channel.Server
	reader    *node.Reader
	running   sync.WaitGroup
}

// newTold is that of a venue with such limits; nil without a feed.
func newTold(f *Feed, l engine.Limits) (*told, error) {
	if f == nil {
		return nil, nil
	}
	l, err := l.Complete()
	if err != nil {
		return nil, err
	}
	p, err := channel.New(channel.Config{Name: f.Channel, Epoch: f.Epoch, History: f.History,
		Limits: feed.Limits{Instruments: l.Instruments, Underlyings: l.Underlyings, Orders: l.Orders}})
	return &told{feed: f, publisher: p}, err
}

// replay is for node.Venue.Replayed; nil without a feed.
func (t *told) replay() func(*msg.Command, []msg.Event) {
	if t == nil {
		return nil
	}
	return func(_ *msg.Command, events []msg.Event) { t.publisher.Replay(events) }
}

// open opens the sockets, before a node is started.
func (t *told) open(n *node.Node) (err error) {
	if t == nil {
		return nil
	}
	if t.reader, err = n.Reader(true); err != nil {
		return err
	}
	if t.server, err = channel.Open(t.publisher, t.feed.Sockets); err != nil {
		return unfit{err}
	}
	return nil
}

// market is where sessions of market data have it from; nil without a feed.
func (t *told) market() gateway.Market {
	if t == nil {
		return nil
	}
	return t.server
}

// run publishes, from the start of the node on until it stops.
func (t *told) run() {
	if t != nil {
		t.running.Go(func() { t.server.Run(t.reader) })
	}
}

// close waits until everything is published, behind the stop of the node. The session of the channel goes on at the next start.
func (t *told) close() error {
	if t == nil || t.server == nil {
		return nil
	}
	t.running.Wait()
	return t.server.Close()
}

// append appends where market data goes, as a line for people.
func (t *told) append(dst []byte) []byte {
	if t == nil {
		return dst
	}
	session := t.publisher.Session()
	dst = fmt.Appendf(dst, "market data of %s to", session[:])
	for _, l := range t.feed.Sockets.Lines {
		dst = fmt.Appendf(dst, " %s", l.To)
	}
	if at := t.server.RequestsAt(); at.IsValid() {
		dst = fmt.Appendf(dst, ", to be asked for again at %s", at)
	}
	_, next := t.server.Numbers()
	return fmt.Appendf(dst, "; the next record is %d\n", next)
}
