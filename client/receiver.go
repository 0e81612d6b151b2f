package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/wire"
)

// Receiver is a Market with sockets: it hears both lines of a channel, asks the venue for what both have lost, and hands out records.
//
//	line A ──> goroutine ─┐
//	line B ──> goroutine ─┼─ one lock ─> Market ─> handle(number, record)
//	answers ─> goroutine ─┤                 `────> requests ──> the venue
//	time ────> goroutine ─┘                  `───> Recovery: replays and snapshots
type Receiver struct {
	mu       sync.Mutex
	market   *Market
	recovery Recovery // nil: there is none
	handle   func(number uint64, m *wire.Message)
	lines    []*net.UDPConn
	requests *net.UDPConn // nil: nobody is asked
	start    time.Time
	request  []byte
	wake     chan struct{}
	due      fixed.Nanos // when watch wakes next; never: it does not
}

// Feed says where a channel is to be heard.
type Feed struct {
	Lines     []netip.AddrPort // A and B: multicast groups, or addresses of this machine to which a copy is sent
	Interface string           // by which groups are heard; empty: the system's choice
	Requests  netip.AddrPort   // of the venue, where records are asked for again; none: MeansAgain is left out
}

// Recovery asks for what datagrams cannot bring. Its methods are called under the lock of the receiver, and so do not wait: what comes is
// given to Replayed and Snapshot later, and a no to Refused.
type Recovery interface {
	Replay(from uint64, count int)
	Snapshot(instrument msg.InstrumentID)
}

// receiveBuffer is what a line may bring while its goroutine does something else.
const receiveBuffer = 4 << 20

// NewReceiver opens the sockets of a channel. handle is told each record, in order and once, with the books as they are behind it: under the lock, so
// it may look at books, and is not to wait. recovery may be nil; c.Means are set here. The error names what is out of range, or the socket that
// cannot be had.
func NewReceiver(f Feed, c MarketConfig, recovery Recovery, handle func(number uint64, m *wire.Message)) (*Receiver, error) {
	if c.Means = 0; f.Requests.IsValid() {
		c.Means = MeansAgain
	}
	if recovery != nil {
		c.Means |= MeansReplay | MeansSnapshot
	}
	m, err := NewMarket(c)
	if err != nil {
		return nil, err
	}
	r := &Receiver{market: m, recovery: recovery, handle: handle, start: time.Now(), wake: make(chan struct{}, 1), due: never}
	for _, at := range f.Lines {
		conn, err := hearing(at, f.Interface)
		if err != nil {
			return nil, errors.Join(err, r.Close())
		}
		r.lines = append(r.lines, conn)
	}
	if f.Requests.IsValid() {
		if r.requests, err = net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(f.Requests)); err != nil {
			return nil, errors.Join(fmt.Errorf("client: requests: %w", err), r.Close())
		}
	}
	return r, nil
}

// hearing opens a socket on which a line is heard.
func hearing(at netip.AddrPort, name string) (conn *net.UDPConn, err error) {
	to := net.UDPAddrFromAddrPort(at)
	if at.Addr().IsMulticast() {
		var by *net.Interface
		if name != "" {
			if by, err = net.InterfaceByName(name); err != nil {
				return nil, fmt.Errorf("client: line %s: interface %s: %w", at, name, err)
			}
		}
		conn, err = net.ListenMulticastUDP("udp", by, to)
	} else {
		conn, err = net.ListenUDP("udp", to)
	}
	if err == nil {
		err = conn.SetReadBuffer(receiveBuffer)
	}
	if err != nil {
		return nil, fmt.Errorf("client: line %s: %w", at, err)
	}
	return conn, nil
}

// Addresses are those on which the lines are heard, as the system gave them.
func (r *Receiver) Addresses() (all []netip.AddrPort) {
	for _, conn := range r.lines {
		all = append(all, conn.LocalAddr().(*net.UDPAddr).AddrPort())
	}
	return all
}

func (r *Receiver) now() fixed.Nanos { return fixed.Nanos(time.Since(r.start)) }

// Run hears until ctx ends, the receiver is closed, or the session of the channel has ended and everything in it was given. Then it closes the
// sockets.
func (r *Receiver) Run(ctx context.Context) error {
	defer context.AfterFunc(ctx, func() { _ = r.Close() })()
	var hearers sync.WaitGroup
	over := make(chan struct{})
	for _, conn := range append(r.lines[:len(r.lines):len(r.lines)], r.requests) {
		if conn != nil {
			hearers.Go(func() { r.hear(conn) })
		}
	}
	timer := sync.WaitGroup{}
	timer.Go(func() { r.watch(over) })
	hearers.Wait()
	close(over)
	timer.Wait()
	return ctx.Err()
}

// hear takes the datagrams of a socket, until it is closed.
func (r *Receiver) hear(conn *net.UDPConn) {
	b := make([]byte, 1<<16)
	for {
		n, err := conn.Read(b)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // nobody hears requests at the moment
		}
		r.mu.Lock()
		r.market.Datagram(b[:n], r.now())
		r.advance()
		r.mu.Unlock()
	}
}

// advance hands out what there is, and asks for what there is not.
func (r *Receiver) advance() {
	for number, m, ok := r.market.Next(); ok; number, m, ok = r.market.Next() {
		r.handle(number, &m)
	}
	for a, ok := r.market.Ask(r.now()); ok; a, ok = r.market.Ask(r.now()) {
		switch a.Kind {
		case AskAgain:
			r.request = r.market.AppendAsk(r.request[:0], a)
			_, _ = r.requests.Write(r.request) // what does not arrive is asked for again
		case AskReplay:
			r.recovery.Replay(a.From, a.Count)
		case AskSnapshot:
			r.recovery.Snapshot(a.Instrument)
		}
	}
	if r.market.Ended() {
		_ = r.Close() // Run says how it ended
		return
	}
	if due, ok := r.market.Due(); ok && (r.due == never || due < r.due) {
		r.due = due
		select {
		case r.wake <- struct{}{}:
		default:
		}
	}
}

// watch advances when something is due that nothing has come for.
func (r *Receiver) watch(over <-chan struct{}) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-over:
			return
		case <-r.wake:
		case <-timer.C:
		}
		r.mu.Lock()
		if r.due != never && r.now() >= r.due {
			r.due = never
			r.advance()
		}
		if r.due != never {
			timer.Reset(time.Duration(max(r.due-r.now(), 0)))
		}
		r.mu.Unlock()
	}
}

// Replayed gives a record of a replay: its number, header and block.
func (r *Receiver) Replayed(number uint64, b []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.market.Replayed(number, b, r.now())
	r.advance()
}

// Snapshot gives the next record of a snapshot, as Market.Snapshot takes it.
func (r *Receiver) Snapshot(b []byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	err := r.market.Snapshot(b)
	r.advance()
	return err
}

// Refused says that the venue does not do what was asked.
func (r *Receiver) Refused(a Ask) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.market.Refused(a, r.now())
	r.advance()
}

// Look shows the market between two records: to do, while nothing comes.
func (r *Receiver) Look(look func(*Market)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	look(r.market)
}

// Close closes the sockets; Run returns.
func (r *Receiver) Close() (err error) {
	for _, conn := range append(r.lines[:len(r.lines):len(r.lines)], r.requests) {
		if conn != nil {
			if e := conn.Close(); e != nil && !errors.Is(e, net.ErrClosed) {
				err = errors.Join(err, e)
			}
		}
	}
	return err
}
