package client

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"time"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/wire"
)

// Client is a session on a connection, which it makes anew when it is lost. It belongs to one goroutine, which sends by the
// methods of Session and Flush, and takes events from Poll, Wait or Serve:
//
//	c, err := client.Dial(ctx, client.Link{Network: "tcp", Address: "venue:7001"}, config)
//	c.Place(&order, c.Now())
//	c.Flush()                        // requests since the last flush leave in one write
//	for !c.Over() {
//		if e := c.Poll(); e != nil { // never waits; Wait does
//			...
//		}
//	}
//
// Poll and Flush allocate nothing while the connection lasts.
type Client struct {
	*Session
	link   Link
	conn   net.Conn
	socket socket // of conn, for reads and writes that do not wait; zero where it has none
	packs  bool   // conn keeps the bounds of what is written: a packet holds whole frames
	timed  bool   // conn has a read deadline
	dead   bool   // conn can bring no more: it is closed once its events are taken

	dialed  chan dialed // of the dialing that is going on; nil for none
	retryAt fixed.Nanos
	pause   time.Duration
	ctx     context.Context // ends when the client is closed
	cancel  context.CancelFunc
}

// Link says where the venue is.
type Link struct {
	Network, Address string        // as net.Dial takes them; "unixpacket" and a path for a venue on this machine
	TLS              *tls.Config   // nil: a clear connection
	Pause            time.Duration // before a connection is made anew; each failure doubles it, up to 5 s. Default 20 ms

	Open func(ctx context.Context) (net.Conn, error) // instead of Network, Address and TLS
}

const pauseMax = 5 * time.Second

// glance is how long Poll looks at a connection that has no socket of its own: one of TLS, say.
const glance = 20 * time.Microsecond

type dialed struct {
	conn net.Conn
	err  error
}

// Dial connects and logs in. It returns once the session is bound, or with what the venue has against it; what a resumed session has
// missed comes as events. ctx bounds the dialing alone.
func Dial(ctx context.Context, l Link, c Config) (*Client, error) {
	s, err := NewSession(c)
	if err != nil {
		return nil, err
	}
	if l.Pause == 0 {
		l.Pause = 20 * time.Millisecond
	}
	k := &Client{Session: s, link: l, pause: l.Pause}
	k.ctx, k.cancel = context.WithCancel(context.Background())
	conn, err := k.open(ctx)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(0, 1)) })
	defer stop()
	k.take(conn)
	if err := k.logIn(ctx); err != nil {
		k.end()
		return nil, err
	}
	if !stop() { // ctx ended in between, and the connection has no time any more
		k.end()
		return nil, ctx.Err()
	}
	return k, nil
}

// logIn waits until the session is bound, or cannot be.
func (c *Client) logIn(ctx context.Context) error {
	for c.login(); c.state == negotiating || c.state == establishing; c.login() {
		if c.send(); !c.dead {
			c.wait(time.Unix(0, int64(c.Deadline())))
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if c.dead {
			c.login()
			return cmp.Or(c.Err(), ErrLost)
		}
		c.Tick(c.Now())
	}
	c.send()
	if c.state != bound {
		return c.Err()
	}
	return nil
}

// login takes what has come before the session is bound. None of it are reports.
func (s *Session) login() {
	for s.state == negotiating || s.state == establishing {
		if frame, _ := s.arriving(); frame == nil {
			return
		}
	}
}

// Now is the time that requests are stamped with: nanoseconds since 1970.
func (c *Client) Now() fixed.Nanos { return fixed.Nanos(time.Now().UnixNano()) }

// open makes a connection.
func (c *Client) open(ctx context.Context) (net.Conn, error) {
	if c.link.Open != nil {
		return c.link.Open(ctx)
	}
	if c.link.TLS != nil {
		return (&tls.Dialer{Config: c.link.TLS}).DialContext(ctx, c.link.Network, c.link.Address)
	}
	return new(net.Dialer).DialContext(ctx, c.link.Network, c.link.Address)
}

// take has the session log in on a connection.
func (c *Client) take(conn net.Conn) {
	c.conn, c.dead, c.timed = conn, false, false
	c.socket = socketOf(conn)
	c.packs = conn.LocalAddr().Network() == "unixpacket"
	c.Connected(c.Now())
	c.send()
}

// Flush writes what requests have put out. What the connection does not take now is written by the next Poll or Wait.
func (c *Client) Flush() { c.send() }

func (c *Client) send() {
	for c.conn != nil && !c.dead {
		b := c.portion()
		if len(b) == 0 {
			return
		}
		n, err := c.socket.write(b)
		if err == errNoSocket {
			c.conn.SetWriteDeadline(time.Now().Add(c.config.Patience))
			n, err = c.conn.Write(b)
		}
		c.Wrote(n)
		c.dead = err != nil
		if n < len(b) {
			return
		}
	}
}

// packetMax bounds a packet: a venue has room for so much, however much it has read.
const packetMax = 8 << 10

// portion is what is written at once: all that there is, or what makes a packet of whole frames.
func (c *Client) portion() []byte {
	if c.packs {
		return wire.Packet(c.Output(), packetMax)
	}
	return c.Output()
}

// Poll is the next event, nil where there is none now. It does not wait.
func (c *Client) Poll() *Event {
	if e := c.advance(); e != nil || c.conn == nil {
		return e
	}
	if c.timed {
		c.timed = false
		c.conn.SetReadDeadline(time.Time{})
	}
	n, err := c.socket.read(c.Room())
	if err == errNoSocket {
		c.wait(time.Now().Add(glance))
	} else {
		c.came(n, err)
	}
	return c.advance()
}

// Wait is the next event, nil where none comes within a time.
func (c *Client) Wait(limit time.Duration) *Event {
	until := time.Now().Add(limit)
	for {
		if e := c.advance(); e != nil || c.Over() && c.conn == nil || !time.Now().Before(until) {
			return e
		}
		next := time.Unix(0, int64(min(c.Deadline(), fixed.Nanos(until.UnixNano()))))
		switch {
		case c.conn != nil && len(c.Output()) > 0: // the connection did not take it: now it has to
			c.conn.SetWriteDeadline(next)
			n, err := c.conn.Write(c.portion())
			c.Wrote(n)
			c.dead = err != nil && !isTimeout(err)
		case c.conn != nil:
			c.wait(next)
		default:
			c.sleep(until)
		}
	}
}

// Serve hands all events to a function until the session is over, or ctx ends; then the session is closed, but not finished. It
// returns why.
func (c *Client) Serve(ctx context.Context, handle func(*Event)) error {
	for ctx.Err() == nil {
		switch e := c.Wait(50 * time.Millisecond); {
		case e != nil:
			handle(e)
		case c.Over() && c.conn == nil:
			return c.Err()
		}
	}
	c.Close()
	return ctx.Err()
}

// Close ends the binding, waits for the venue to agree, and closes the connection. Events that come meanwhile are dropped: who
// wants them calls Session.Close and goes on with Wait until it is Over.
func (c *Client) Close() {
	c.Session.Close()
	for until := time.Now().Add(c.config.Keepalive); c.conn != nil && time.Now().Before(until); {
		c.Wait(time.Until(until))
	}
	c.end()
}

// end lets go of everything.
func (c *Client) end() {
	c.cancel()
	if c.conn != nil {
		c.conn.Close()
		c.conn = nil
		c.Disconnected(c.Now())
	}
	if c.dialed != nil {
		if d := <-c.dialed; d.conn != nil {
			d.conn.Close()
		}
		c.dialed = nil
	}
}

// advance is the next event of what is here; it lets time pass, writes what there is to write, and sees to it that there is a
// connection.
func (c *Client) advance() *Event {
	if e := c.Next(); e != nil {
		return e
	}
	now := c.Now()
	if c.conn == nil {
		return c.reconnect(now)
	}
	c.Tick(now)
	c.send()
	if !c.dead && (!c.Closing() || len(c.Output()) > 0) {
		return c.Next()
	}
	if e := c.Next(); e != nil { // what has come before the end
		return e
	}
	c.conn.Close()
	c.conn = nil
	c.Disconnected(now)
	c.retryAt = now + fixed.Nanos(c.pause)
	c.pause = min(2*c.pause, pauseMax)
	return c.Next()
}

// reconnect makes a connection in the background, and takes it when it is there.
func (c *Client) reconnect(now fixed.Nanos) *Event {
	if c.Over() {
		return nil
	}
	if c.dialed == nil {
		if now >= c.retryAt {
			c.dialed = make(chan dialed, 1)
			go func(done chan<- dialed) {
				conn, err := c.open(c.ctx)
				done <- dialed{conn, err}
			}(c.dialed)
		}
		return nil
	}
	select {
	case d := <-c.dialed:
		c.dialed = nil
		if d.err != nil {
			c.retryAt = now + fixed.Nanos(c.pause)
			c.pause = min(2*c.pause, pauseMax)
			return nil
		}
		c.take(d.conn)
	default:
	}
	return nil
}

// sleep waits for the dialing to end, or for its turn, no longer than until a time.
func (c *Client) sleep(until time.Time) {
	if c.dialed == nil {
		if at := time.Unix(0, int64(c.retryAt)); at.Before(until) {
			until = at
		}
		time.Sleep(time.Until(until))
		return
	}
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case d := <-c.dialed:
		c.dialed <- d
	case <-timer.C:
	}
}

// wait reads what comes, no longer than until a time.
func (c *Client) wait(until time.Time) {
	c.conn.SetReadDeadline(until)
	c.timed = true
	n, err := c.conn.Read(c.Room())
	if isTimeout(err) {
		err = nil
	}
	c.came(n, err)
}

// came takes n bytes that were read into Room.
func (c *Client) came(n int, err error) {
	if n > 0 {
		c.Received(n, c.Now())
		if c.state == bound {
			c.pause = c.link.Pause
		}
	}
	c.dead = c.dead || err != nil
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

var errNoSocket = errors.New("client: the connection has no socket to poll")
