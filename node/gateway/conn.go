package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/wire"
)

// conn is the socket of a link. One goroutine reads; whoever brings something about writes, as much as the socket takes (move). What it does
// not take a second goroutine sends, which is there from then on. Where a spinner has taken the socket over there is neither.
type conn struct {
	gate    *Gateway
	link    *Link
	socket  net.Conn
	under   net.Conn        // the one beneath TLS; else the same. To close it takes no time
	raw     syscall.RawConn // of a socket in clear; nil: only the second goroutine may write
	packets bool            // it keeps the bounds of what is written (SEQPACKET)
	place   place

	wake    chan struct{} // for the reading goroutine, where it waits for an answer of the core
	flushes chan struct{} // for the sending one
	begin   sync.Once     // of the sending one
	stuck   atomic.Bool   // the sending one has something to send
	last    sync.Once     // of the last word
	closed  atomic.Bool   // it is said
	gone    chan struct{} // closed when nobody reads any more
	left    sync.Once     // of closing gone

	room []byte // into which a packet is being read
	came int    // what came
	next func(fd uintptr) bool
	puts func(fd uintptr) // made once, so that a call allocates nothing

	polled atomic.Bool // a spinner has it
	at     int         // its place there
	fd     int         // which then is its; -1: closed. Guarded by the link's mutex, as the next three
	armed  bool        // it is told when the socket takes more
	parked bool        // it does not read: the link waits for the core
	deaf   bool        // nor is it told anything: the other side is gone

	over      fixed.Nanos // of who looks at the timers: when it found that the link is over
	recalling atomic.Bool // older reports are being brought about again
}

// sendMax is how much TLS is given at a time, packetMax the length of a packet, unless one frame is longer, and packetMost the longest
// packet for which there is always room, once a session is established; before it is strangerFrame.
const (
	sendMax    = 64 << 10
	packetMax  = 16 << 10
	packetMost = linkBuffer - wire.MaxInbound
)

func newConn(g *Gateway, socket net.Conn, secure *tls.Config, at place, now fixed.Nanos) *conn {
	c := &conn{gate: g, link: g.roster.NewLink(now), socket: socket, under: socket, packets: inPackets(socket), place: at, fd: -1, wake: make(chan struct{}, 1),
		flushes: make(chan struct{}, 1), gone: make(chan struct{})}
	c.link.owner = c
	c.next = func(fd uintptr) bool {
		var again bool
		c.came, again = receiveFrom(fd, c.room, true)
		return !again
	}
	c.puts = func(fd uintptr) { c.write(fd) }
	if secure != nil {
		c.socket = tls.Server(&greeting{Conn: socket, conn: c}, secure)
	} else {
		c.raw = rawOf(socket)
	}
	return c
}

// inPackets reports whether a socket keeps the bounds of what is written.
func inPackets(socket net.Conn) bool { return socket.LocalAddr().Network() == "unixpacket" }

// run reads until the connection is over, or a spinner has it.
func (c *conn) run() {
	if c.greet() && c.converse() {
		return
	}
	_ = c.socket.Close() // nobody is to be told
	c.leave()
}

// greeting is the socket beneath TLS. While a handshake lasts its goroutine has a place for strangers, but for the time that it waits for the
// client.
type greeting struct {
	net.Conn
	conn  *conn
	over  bool
	since fixed.Nanos
}

func (s *greeting) Read(b []byte) (int, error) {
	if s.over {
		return s.Conn.Read(b)
	}
	s.conn.gate.leave(s.since)
	n, err := s.Conn.Read(b)
	s.since = s.conn.gate.enter()
	return n, err
}

// greet does the handshake of TLS, which has its time; false where it comes to nothing.
func (c *conn) greet() bool {
	secure, is := c.socket.(*tls.Conn)
	if !is {
		return true
	}
	defer c.gate.shaken(c.place)
	beneath := secure.NetConn().(*greeting)
	beneath.since = c.gate.enter()
	ctx, enough := context.WithTimeout(context.Background(), shakeTime)
	err := secure.HandshakeContext(ctx)
	enough()
	beneath.over = true
	c.gate.leave(beneath.since)
	if err != nil {
		c.link.Lost(c.gate.clock())
	}
	return err == nil
}

// converse is run up to the end; true where a spinner goes on.
func (c *conn) converse() (adopted bool) {
	for !c.link.Over() {
		n, err := c.read(c.link.Room())
		now := c.gate.clock()
		if n > 0 {
			c.take(n, now)
			c.move()
			c.gate.stay(c.link)
			c.hold()
			if c.gate.spin != nil && c.raw != nil && !c.stuck.Load() && c.link.trades() && c.gate.spin.adopt(c) {
				return true
			}
		}
		if err != nil {
			c.link.Lost(c.gate.clock())
			return false
		}
	}
	c.move()
	_, _ = io.Copy(io.Discard, c.socket) // until the client closes, or the time of the last word is over
	return false
}

// errPacket says that a packet was longer than the room for it.
var errPacket = errors.New("gateway: a packet that is too long")

// read reads what has come.
func (c *conn) read(room []byte) (int, error) {
	if !c.packets {
		return c.socket.Read(room)
	}
	c.room = room
	switch err := c.raw.Read(c.next); {
	case err != nil:
		return 0, err
	case c.came == 0:
		return 0, io.EOF
	case c.came > len(room):
		c.link.spoiled(c.gate.clock())
		c.move()
		return 0, errPacket
	}
	return c.came, nil
}

// portion is what is written next: all that there is, or what makes a packet. The link's mutex is held.
func (c *conn) portion() []byte {
	b := c.link.out[c.link.sent:]
	if c.packets {
		return wire.Packet(b, packetMax)
	}
	return b
}

// take hands over bytes. A stranger whose signature is to be checked waits for his turn.
func (c *conn) take(n int, now fixed.Nanos) {
	c.link.Filled(n, now)
	if c.link.Failed() {
		c.gate.failed(c.place)
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
	if c.polled.Load() {
		c.push()
		return
	}
	if !c.stuck.Load() && !c.attempt() {
		c.stuck.Store(true)
		c.begin.Do(func() { c.gate.work.Go(c.send) })
		select {
		case c.flushes <- struct{}{}:
		default:
		}
	}
	if c.raw != nil && c.link.ended() {
		c.close()
	}
}

// attend looks at the timers of a connection.
func (c *conn) attend(now fixed.Nanos) {
	if !c.link.tryAdvance(now) {
		return
	}
	c.move()
	if c.late(now) {
		c.drop()
	}
	if row, from, ok := c.link.Wants(); ok && !c.recalling.Load() && c.gate.mayRecall(row.terms.Key, now) {
		c.recalling.Store(true)
		c.gate.work.Go(func() { c.recall(row, from) })
	}
}

// late reports whether the client has had the time of the last word, and does not close.
func (c *conn) late(now fixed.Nanos) bool {
	switch {
	case !c.link.Over():
		return false
	case c.over == 0:
		c.over = now
	}
	if c.polled.Load() {
		return now-c.over > fixed.Nanos(lingerTime)
	}
	return now-c.over > 2*fixed.Nanos(lingerTime) // its goroutine has not noticed
}

// drop closes the socket at once.
func (c *conn) drop() {
	_ = c.under.Close() // a spinner's is closed already
	if c.polled.Load() {
		c.link.mu.Lock()
		c.hangUp()
		c.link.mu.Unlock()
	}
}

// leave says that nobody reads any more.
func (c *conn) leave() { c.left.Do(func() { close(c.gone) }) }

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
func (c *conn) attempt() bool {
	if c.raw == nil {
		return c.settled()
	}
	if c.link.idle() {
		return true
	}
	if err := c.raw.Control(c.puts); err != nil {
		return true // it is closed: the reading goroutine knows
	}
	return c.link.idle()
}

// write writes what there is; true when nothing is left or nothing can be written any more.
func (c *conn) write(fd uintptr) bool {
	l := c.link
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.sent < len(l.out) {
		n, again := writeTo(fd, c.portion())
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
		case <-c.flushes:
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
