package gateway

import (
	"crypto/tls"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/lockstep-exchange/lockstep/fixed"
)

// conn is the socket of a link. One goroutine reads; whoever brings something about writes, as much as the socket takes (move). What it does
// not take a second goroutine sends, which is there from then on.
type conn struct {
	gate    *Gateway
	link    *Link
	socket  net.Conn
	under   net.Conn        // the one beneath TLS; else the same. To close it takes no time
	raw     syscall.RawConn // of plain TCP; nil: only the second goroutine may write
	address netip.Addr

	wake   chan struct{} // for the reading goroutine, where it waits for an answer of the core
	flush  chan struct{} // for the sending one
	begin  sync.Once     // of the sending one
	stuck  atomic.Bool   // the sending one has something to send
	last   sync.Once     // of the last word
	closed atomic.Bool   // it is said
	gone   chan struct{} // closed when the reading one has ended

	over      fixed.Nanos // the ticker's: when it found that the link is over
	recalling atomic.Bool // older reports are being brought about again
}

// sendMax is how much TLS is given at a time.
const sendMax = 64 << 10

func newConn(g *Gateway, socket net.Conn, secure *tls.Config, address netip.Addr, now fixed.Nanos) *conn {
	c := &conn{gate: g, link: g.roster.NewLink(now), socket: socket, under: socket, address: address, wake: make(chan struct{}, 1), flush: make(chan struct{}, 1),
		gone: make(chan struct{})}
	c.link.owner = c
	if secure != nil {
		c.socket = tls.Server(socket, secure)
	} else {
		c.raw = rawOf(socket)
	}
	return c
}

// run reads until the connection is over.
func (c *conn) run() {
	defer close(c.gone)
	defer c.socket.Close()
	for !c.link.Over() {
		n, err := c.socket.Read(c.link.Room())
		now := c.gate.clock()
		if n > 0 {
			c.take(n, now)
			c.move()
			c.gate.stay(c.link)
			c.hold()
		}
		if err != nil {
			c.link.Lost(c.gate.clock())
			return
		}
	}
	c.move()
	_, _ = io.Copy(io.Discard, c.socket) // until the client closes, or the time of the last word is over
}

// take hands over bytes. Those of a stranger wait for their turn: a signature takes long.
func (c *conn) take(n int, now fixed.Nanos) {
	if c.link.Established() {
		c.link.Filled(n, now)
		return
	}
	c.gate.logons <- struct{}{}
	c.link.Filled(n, now)
	<-c.gate.logons
	if c.link.Failed() {
		c.gate.failed(c.address)
	}
}

// hold waits while no more is to be read.
func (c *conn) hold() {
	const shortest, longest = 20 * time.Microsecond, 500 * time.Microsecond
	pause := shortest
	for c.link.Blocked() {
		t := time.NewTimer(pause)
		select {
		case <-c.wake:
		case <-t.C:
		}
		t.Stop()
		pause = min(2*pause, longest)
		c.link.Advance(c.gate.clock())
		c.move()
	}
}

// heard is move for who has told the link something: its reading goroutine may wait for it.
func (c *conn) heard() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
	c.move()
}

// move writes what the socket takes, and sees to the rest.
func (c *conn) move() {
	if !c.stuck.Load() && !c.attempt() {
		c.stuck.Store(true)
		c.begin.Do(func() { c.gate.work.Go(c.send) })
		select {
		case c.flush <- struct{}{}:
		default:
		}
	}
	if c.raw != nil && c.link.ended() {
		c.close()
	}
}

// attend is what the ticker does for a connection.
func (c *conn) attend(now fixed.Nanos) {
	c.link.Advance(now)
	c.move()
	switch {
	case !c.link.Over():
	case c.over == 0:
		c.over = now
	case now-c.over > 2*fixed.Nanos(lingerTime):
		_ = c.under.Close() // he does not read, and does not close
	}
	if row, from, ok := c.link.Wants(); ok && !c.recalling.Swap(true) {
		c.gate.work.Go(func() { c.recall(row, from) })
	}
	if c.isGone() && c.link.Done() {
		c.gate.forget(c)
	}
}

// recall brings older reports about again, one connection at a time: it is a replay.
func (c *conn) recall(row *Row, from uint64) {
	g := c.gate
	g.recalls <- struct{}{}
	_ = g.roster.Recall(&g.config.Journal, g.limits, row, from, g.quit) // what is not there is refused
	<-g.recalls
	c.link.Recalled(g.clock())
	c.recalling.Store(false)
	c.move()
}

// attempt writes without waiting; false when something is left.
func (c *conn) attempt() (all bool) {
	if c.raw == nil {
		return c.settled()
	}
	if err := c.raw.Control(func(fd uintptr) { all = c.write(fd) }); err != nil {
		return true // it is closed: the reading goroutine knows
	}
	return all
}

// write writes what there is; true when nothing is left or nothing can be written any more.
func (c *conn) write(fd uintptr) bool {
	l := c.link
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.sent < len(l.out) {
		n, again := writeTo(fd, l.out[l.sent:])
		switch {
		case n > 0:
			l.Sent(n, c.gate.clock())
		case again:
			return false
		default: // it is closed: the reading goroutine is told as well
			l.Sent(len(l.out)-l.sent, c.gate.clock())
		}
	}
	return true
}

// send sends what was left, each time that something is.
func (c *conn) send() {
	var room []byte
	for {
		select {
		case <-c.flush:
		case <-c.gone:
			return
		}
		for !c.link.idle() {
			var err error
			if c.raw != nil {
				err = c.raw.Write(c.write)
			} else {
				room, err = c.sendCopy(room)
			}
			if err != nil {
				return // the reading goroutine is told as well
			}
		}
		if c.link.ended() {
			c.close()
		}
		c.stuck.Store(false)
		if !c.settled() { // something has come meanwhile
			c.move()
		}
	}
}

// settled reports whether nothing is to be sent, the last word included.
func (c *conn) settled() bool { return c.link.idle() && (!c.link.ended() || c.closed.Load()) }

// sendCopy sends a copy of what there is: TLS takes its time.
func (c *conn) sendCopy(room []byte) ([]byte, error) {
	l := c.link
	l.mu.Lock()
	room = append(room[:0], l.out[l.sent:min(len(l.out), l.sent+sendMax)]...)
	l.Sent(len(room), c.gate.clock()) // it is on its way: nothing of it can be taken back
	l.mu.Unlock()
	_, err := c.socket.Write(room)
	return room, err
}

// close says the last word: the venue sends nothing more, and the client has a moment to close.
func (c *conn) close() {
	c.last.Do(func() {
		if w, ok := c.socket.(interface{ CloseWrite() error }); ok {
			_ = w.CloseWrite() // what is lost is told by reading
		}
		_ = c.socket.SetReadDeadline(time.Now().Add(lingerTime))
		c.closed.Store(true)
	})
}

// isGone reports whether nobody reads any more.
func (c *conn) isGone() bool {
	select {
	case <-c.gone:
		return true
	default:
		return false
	}
}

// rawOf is the descriptor of a socket that can be written to without waiting; nil where there is none.
func rawOf(socket net.Conn) syscall.RawConn {
	if !writesRaw {
		return nil
	}
	s, ok := socket.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return nil
	}
	return raw
}
