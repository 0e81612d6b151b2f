package channel

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/tape/feed"
)

// Server is a Publisher with sockets. Events are published on the goroutine of Run; heartbeats and answers have goroutines of their own,
// and whoever wants records or a snapshot calls from any. One lock is between them, held for a batch of events, or for one answer.
type Server struct {
	mu        sync.Mutex
	publisher *Publisher
	desk      *Desk
	lines     []sender
	requests  *net.UDPConn // nil: nobody can ask
	sent      Sent
	buffer    []byte
	start     time.Time
	quit      chan struct{}
	helpers   sync.WaitGroup
	closing   sync.Once
}

// Sockets say where a channel is to be had. Lines carry the same datagrams, each whole.
type Sockets struct {
	Lines    []Line         // A and B
	Requests netip.AddrPort // where readers ask for records again; none: they cannot
	Networks []netip.Prefix // who may ask
}

// Sent counts what went out.
type Sent struct {
	Datagrams uint64 // on each line
	Failed    uint64 // that a socket has refused: on that line they are lost
	Requests  Counts
}

// Events is where released events come from: a node.Reader.
type Events interface {
	Wait() bool
	Next() *msg.Event
	Release()
}

// Open opens the sockets of a publisher, which from now on is the server's. The error names the socket that cannot be had.
func Open(p *Publisher, c Sockets) (*Server, error) {
	s := &Server{publisher: p, desk: NewDesk(c.Networks), buffer: make([]byte, 0, 2048), start: time.Now(), quit: make(chan struct{})}
	for _, l := range c.Lines {
		line, err := dial(l)
		if err != nil {
			return nil, errors.Join(err, s.shut())
		}
		s.lines = append(s.lines, line)
	}
	if c.Requests.IsValid() {
		conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(c.Requests))
		if err != nil {
			return nil, errors.Join(fmt.Errorf("channel: requests: %w", err), s.shut())
		}
		s.requests = conn
		s.helpers.Go(s.answer)
	}
	s.helpers.Go(s.beat)
	return s, nil
}

// RequestsAt is the address at which readers ask, as the system gave it; none where they cannot.
func (s *Server) RequestsAt() (at netip.AddrPort) {
	if s.requests == nil {
		return at
	}
	return s.requests.LocalAddr().(*net.UDPAddr).AddrPort()
}

// now is the time since the server was opened.
func (s *Server) now() fixed.Nanos { return fixed.Nanos(time.Since(s.start)) }

// Run publishes events until there are none any more. What is at hand goes out at once; nothing waits for a datagram to be full.
func (s *Server) Run(events Events) {
	for events.Wait() {
		s.publish(events)
	}
}

func (s *Server) publish(events Events) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for ev := events.Next(); ev != nil; ev = events.Next() {
		s.publisher.Take(ev)
		s.drain()
	}
	events.Release()
	s.publisher.Flush()
	s.drain()
}

// drain sends what is to be sent.
func (s *Server) drain() {
	now := s.now()
	for d := s.publisher.Next(now); d != nil; d = s.publisher.Next(now) {
		s.send(d)
	}
}

// send sends a datagram on each line. One that a socket refuses is lost on that line, as one that the network loses is.
func (s *Server) send(datagram []byte) {
	s.sent.Datagrams++
	for _, l := range s.lines {
		if _, err := l.conn.WriteToUDPAddrPort(datagram, l.to); err != nil {
			s.sent.Failed++
		}
	}
}

// beat says the next number where nothing else is said.
func (s *Server) beat() {
	t := time.NewTicker(time.Duration(heartbeat / 4))
	defer t.Stop()
	for {
		select {
		case <-s.quit:
			return
		case <-t.C:
			s.mu.Lock()
			if b := s.publisher.Heartbeat(s.buffer[:0], s.now()); len(b) > 0 {
				s.send(b)
			}
			s.mu.Unlock()
		}
	}
}

// answer hears who asks for records again, until the socket is closed.
func (s *Server) answer() {
	request, out := make([]byte, 64), make([]byte, 0, 2048)
	for {
		n, source, err := s.requests.ReadFromUDPAddrPort(request)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // what an earlier answer met: a reader that has gone
		}
		s.mu.Lock()
		answer, ok := s.desk.Answer(out[:0], s.publisher, source.Addr(), request[:n], s.now())
		s.mu.Unlock()
		if ok {
			_, _ = s.requests.WriteToUDPAddrPort(answer, source) // who does not get it asks again
		}
	}
}

// Records appends kept records from a number on, count at most, as Publisher.AppendRecords does, and says which numbers are to be had.
func (s *Server) Records(dst []byte, from uint64, count int) (out []byte, n int, first, next uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out, n = s.publisher.AppendRecords(dst, from, count)
	first, next = s.publisher.Numbers()
	return out, n, first, next
}

// Numbers are the first record that is kept, and the number of the next one.
func (s *Server) Numbers() (first, next uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.publisher.Numbers()
}

// Snapshot is Publisher.Snapshot.
func (s *Server) Snapshot(id msg.InstrumentID, into *feed.Snapshot) (ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.publisher.Snapshot(id, into)
}

// Sent is what went out so far.
func (s *Server) Sent() Sent {
	s.mu.Lock()
	defer s.mu.Unlock()
	sent := s.sent
	sent.Requests = s.desk.Counts
	return sent
}

// End says that the session has ended: nothing will ever come under its name again. A restart that goes on with it does not say so. It is said three times, for
// what is said last nobody can miss by its number.
func (s *Server) End() {
	s.mu.Lock()
	defer s.mu.Unlock()
	end := s.publisher.AppendEnd(s.buffer[:0])
	for range 3 {
		s.send(end)
	}
}

// Close closes the sockets and ends the server's goroutines. Run has returned before.
func (s *Server) Close() (err error) {
	s.closing.Do(func() {
		close(s.quit)
		err = s.shut()
		s.helpers.Wait()
	})
	return err
}

// shut closes what sockets there are.
func (s *Server) shut() (err error) {
	for _, l := range s.lines {
		err = errors.Join(err, l.conn.Close())
	}
	if s.requests != nil {
		err = errors.Join(err, s.requests.Close())
	}
	return err
}
