package gateway

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"time"

	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node"
	"github.com/lockstep-exchange/lockstep/node/journal"
	"github.com/lockstep-exchange/lockstep/ring"
)

// Gateway is the sockets around a roster.
//
//	accept ──> conn: a goroutine that reads, decodes and claims, all that has come at once ──> lane
//	node's reader ──> one goroutine: Hear all that is released, then one write a connection that is concerned
//	ticker ──> every 10 ms: timers, what waited, who is over
//
// Who writes to a connection writes what the socket takes and never waits for it; what it does not take, a goroutine of the connection
// sends when it can (W-48). So the reader of events is held up by nobody. That is the shell Net; of the others see spin_linux.go.
type Gateway struct {
	config Config
	roster *Roster
	reader *node.Reader
	clock  func() fixed.Nanos
	limits engine.Limits

	hearing sync.Mutex // of who reads events
	gated   bool       // events wait for the disk
	spin    *spinner   // with the shells Spin and Fused

	logons  chan struct{} // a place in it lets a stranger cost something (strangers.go)
	checks  chan *check   // for the threads that look at signatures
	recalls chan struct{} // and one in this lets older reports be brought about again

	mu        sync.Mutex
	conns     map[*conn]struct{}
	byPlace   map[place]int
	shaking   map[place]int // handshakes of TLS that are under way
	failures  map[place]failures
	replays   map[msg.KeyID]*bucket // of who asked for what only a replay brings about
	forgiven  fixed.Nanos           // when those that count no longer were forgotten last
	listeners []net.Listener
	stopping  bool

	work sync.WaitGroup
	down chan struct{} // closed when it stops: strangers have come too late
	quit chan struct{}
	done <-chan struct{} // the node's
}

// Config says how a gateway serves. Zero fields take their defaults.
type Config struct {
	Terms      Terms
	Keys       *Keys
	Ports      []*node.Port   // doors of the node that nobody else uses, two at least
	Ack        journal.Mode   // of the node
	Journal    Journal        // of the node; none: what is older than Terms.Retain is gone
	Shell      Shell          // which threads move the bytes of established sessions in clear
	Spins      bool           // that of Spin never sleeps: it has a core of its own
	Most       int            // connections at a time; 4,096
	PerAddress int            // of one address, or of one network /64 of IPv6; 1,024
	Clear      []netip.Prefix // networks from which a connection may come without TLS, besides this machine (W-40)
}

// failures are the logons of one address that have failed in a minute (W-39).
type failures struct {
	since fixed.Nanos
	count int
}

const (
	tickTime     = 10 * time.Millisecond
	failuresMax  = 5
	failuresTime = 60 * fixed.Second
	lingerTime   = time.Second // for a client to close after the last word

	shakeTime = 2 * time.Second // for a handshake of TLS
	shakesMax = 16              // handshakes of one place at a time
)

// Open makes a gateway for a node that does not run yet, of what its engine holds. It listens to nothing before Serve.
func Open(n *node.Node, c Config) (*Gateway, error) {
	if len(c.Ports) < 2 {
		return nil, errors.New("gateway: fewer than two ports, expected one for risk control and one for orders at least")
	}
	if c.Most == 0 {
		c.Most = 4096
	}
	if c.PerAddress == 0 {
		c.PerAddress = 1024
	}
	if c.Terms.Random == nil {
		c.Terms.Random = func(b []byte) { rand.Read(b) } // it never fails
	}
	if err := c.Shell.Known(); err != nil {
		return nil, fmt.Errorf("gateway: %w", err)
	}
	reader, err := n.Reader(true)
	if err != nil {
		return nil, err
	}
	c.Terms.Recall = c.Journal.Files != nil
	g := &Gateway{config: c, reader: reader, limits: n.Engine().Limits(), recalls: make(chan struct{}, 1), clock: c.Ports[0].Now, logons: make(chan struct{}, max(runtime.GOMAXPROCS(0)-1, 1)), checks: make(chan *check),
		conns: map[*conn]struct{}{}, byPlace: map[place]int{}, shaking: map[place]int{}, failures: map[place]failures{}, replays: map[msg.KeyID]*bucket{}, down: make(chan struct{}), quit: make(chan struct{}), done: n.Done()}
	c.Terms.Aside = g.checked
	g.roster = NewRoster(c.Terms, c.Keys, g.limits, c.Ports)
	g.roster.Learn(n.Engine())
	if c.Shell != Net {
		if g.spin, err = newSpinner(g); err != nil {
			return nil, fmt.Errorf("gateway: shell %s: %w", c.Shell, err)
		}
	}
	if c.Shell == Fused {
		n.Join(g.spin)
		g.hearing.Lock() // the hot thread reads events, from its first step on
	}
	return g, nil
}

// Start lets the gateway hear, after the node was started.
func (g *Gateway) Start() {
	g.gated = g.config.Ack == journal.Fsync && g.config.Journal.Files != nil
	switch g.config.Shell {
	case Net:
		g.work.Go(g.hear)
	case Spin:
		g.work.Go(g.spin.run)
	case Fused:
		g.work.Go(g.follow)
	}
	g.work.Go(g.tick)
	for range cap(g.logons) {
		g.work.Go(g.look)
	}
}

// follow hands over what is left when the hot thread has ended.
func (g *Gateway) follow() {
	<-g.done
	g.pass()
	g.hearing.Unlock()
	g.abandon()
}

// hear hands over what the node releases until it has stopped.
func (g *Gateway) hear() {
	g.hearing.Lock()
	for g.reader.WaitShared(&g.hearing) {
		g.pass()
	}
	g.hearing.Unlock()
	g.abandon()
}

// pass hands over what is released now, and reports whether there was anything; g.hearing is held.
func (g *Gateway) pass() bool {
	ev := g.reader.Next()
	if ev == nil {
		return false
	}
	r, now := g.roster, g.clock()
	r.hearing.Lock()
	defer r.hearing.Unlock()
	for ; ev != nil; ev = g.reader.Next() {
		r.hear(ev, now)
	}
	g.reader.Release()
	r.handOut(func(l *Link) { l.owner.(*conn).heard() })
	return true
}

// stayTime is how long who has sent something stays for the answers. An engine needs less; waking another goroutine costs more.
const stayTime = 20 * fixed.Microsecond

// stay hands over what is released until a link has its answers, in the place of the goroutine that hears, unless somebody else does already.
// Where answers wait for the disk it is of no use.
func (g *Gateway) stay(l *Link) {
	if g.gated || !g.hearing.TryLock() {
		return
	}
	g.reader.Relieve(func() {
		for end := g.clock() + stayTime; !l.answered() && g.clock() < end; ring.Pause() {
			g.pass()
		}
	})
	g.hearing.Unlock()
}

// tick looks at timers until the gateway ends.
func (g *Gateway) tick() {
	t := time.NewTicker(tickTime)
	defer t.Stop()
	var all []*conn
	for {
		select {
		case <-g.quit:
			return
		case <-t.C:
		}
		now := g.clock()
		if g.spin == nil {
			g.roster.Advance(now)
		}
		g.forgive(now)
		all = g.list(all[:0])
		for _, c := range all {
			if c.polled.Load() { // its spinner does
				continue
			}
			c.attend(now)
			if c.isGone() && c.link.Done() {
				g.forget(c)
			}
		}
		clear(all)
	}
}

// list appends the connections there are.
func (g *Gateway) list(dst []*conn) []*conn {
	g.mu.Lock()
	defer g.mu.Unlock()
	for c := range g.conns {
		dst = append(dst, c)
	}
	return dst
}

// Serve takes connections of a listener until it is closed or the gateway stops; with secure they are TLS 1.3 (W-40). It returns nil when
// the gateway has stopped.
func (g *Gateway) Serve(listener net.Listener, secure *tls.Config) error {
	g.mu.Lock()
	if g.stopping {
		g.mu.Unlock()
		return listener.Close()
	}
	g.listeners = append(g.listeners, listener)
	g.mu.Unlock()
	for {
		socket, err := listener.Accept()
		if err != nil {
			g.mu.Lock()
			stopping := g.stopping
			g.mu.Unlock()
			switch {
			case stopping:
				return nil
			case errors.Is(err, net.ErrClosed):
				return err
			}
			time.Sleep(tickTime) // no descriptor is free, say: others may close theirs
			continue
		}
		g.admit(socket, secure)
	}
}

// admit begins a connection, or closes it where there are too many or its address has failed too often.
func (g *Gateway) admit(socket net.Conn, secure *tls.Config) {
	address := addressOf(socket)
	at := placeOf(address)
	now := g.clock()
	g.mu.Lock()
	defer g.mu.Unlock()
	f := g.failures[at]
	if now-f.since >= failuresTime {
		delete(g.failures, at)
		f = failures{}
	}
	if secure == nil && !g.mayBeClear(address) || g.stopping || len(g.conns) >= g.config.Most || g.byPlace[at] >= g.config.PerAddress || f.count >= failuresMax && address.IsValid() ||
		secure != nil && g.shaking[at] >= shakesMax || inPackets(socket) && !takesPackets {
		_ = socket.Close()
		return
	}
	c := newConn(g, socket, secure, at, now)
	g.conns[c] = struct{}{}
	g.byPlace[at]++
	if secure != nil {
		g.shaking[at]++
	}
	g.work.Go(c.run)
}

// mayBeClear reports whether what an address says may be read on the way.
func (g *Gateway) mayBeClear(address netip.Addr) bool {
	if address.IsLoopback() || !address.IsValid() {
		return true
	}
	for _, network := range g.config.Clear {
		if network.Contains(address) {
			return true
		}
	}
	return false
}

// place is from where a connection comes, as far as it is counted: an address, or a whole network /64 of IPv6, whose addresses a single machine
// may have all. Whoever comes by a Unix socket comes from the one place that has no address.
type place netip.Prefix

// placeOf is the place of an address.
func placeOf(a netip.Addr) place {
	bits := a.BitLen()
	if a.Is6() {
		bits = 64
	}
	p, err := a.WithZone("").Prefix(bits)
	if err != nil { // there is no address
		return place{}
	}
	return place(p)
}

// addressOf is the address on the other side; a Unix socket has none, and is of this machine.
func addressOf(socket interface{ RemoteAddr() net.Addr }) netip.Addr {
	if a, err := netip.ParseAddrPort(socket.RemoteAddr().String()); err == nil {
		return a.Addr().Unmap()
	}
	return netip.Addr{}
}

// replayRate is how often a key may have older reports brought about again, each time up to recallBytes: who asks more often waits.
var replayRate = Rate{Second: 1, Burst: 8}

// mayRecall reports whether a replay for a key may begin.
func (g *Gateway) mayRecall(key msg.KeyID, now fixed.Nanos) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	b := g.replays[key]
	if b == nil {
		b = &bucket{}
		g.replays[key] = b
	}
	wait, _ := b.take(now, 1, replayRate)
	return wait == 0
}

// failed counts a logon that has failed.
func (g *Gateway) failed(at place) {
	g.mu.Lock()
	defer g.mu.Unlock()
	f := g.failures[at]
	if now := g.clock(); f.count == 0 || now-f.since >= failuresTime {
		f = failures{since: now}
	}
	f.count++
	if f.count == failuresMax {
		f.since = g.clock() // refused from now on
	}
	g.failures[at] = f
}

// forgive forgets failures that count no longer: an attacker may have as many addresses as he likes.
func (g *Gateway) forgive(now fixed.Nanos) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if now-g.forgiven < failuresTime {
		return
	}
	g.forgiven = now
	maps.DeleteFunc(g.failures, func(_ place, f failures) bool { return now-f.since >= failuresTime })
}

// forget drops a connection of which nothing is left.
func (g *Gateway) forget(c *conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, there := g.conns[c]; !there {
		return
	}
	delete(g.conns, c)
	if g.byPlace[c.place]--; g.byPlace[c.place] == 0 {
		delete(g.byPlace, c.place)
	}
}

// Connections is how many there are.
func (g *Gateway) Connections() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.conns)
}

// Shutdown tells every client that the venue goes down, and closes what is left when they have answered or ctx ends. Then all that came of it
// lies in the lanes, the node may be stopped, and Wait returns when it has.
func (g *Gateway) Shutdown(ctx context.Context) {
	g.close()
	for _, c := range g.list(nil) {
		c.link.Shutdown(g.clock())
		c.move()
	}
	t := time.NewTicker(tickTime)
	defer t.Stop()
	for g.Connections() > 0 || g.roster.Owes() {
		select {
		case <-ctx.Done():
			g.abandon()
			return
		case <-t.C:
		}
	}
}

// close lets nobody in any more.
func (g *Gateway) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.stopping {
		return
	}
	g.stopping = true
	close(g.down)
	for _, l := range g.listeners {
		_ = l.Close() // nobody is to be told
	}
}

// abandon closes every connection at once.
func (g *Gateway) abandon() {
	g.close()
	for _, c := range g.list(nil) {
		c.link.Lost(g.clock())
		c.drop()
	}
}

// Wait waits for the goroutines of a gateway that was shut down and whose node has stopped.
func (g *Gateway) Wait() {
	close(g.quit)
	g.work.Wait()
	if g.spin != nil {
		g.spin.close()
	}
}
