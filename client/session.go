package client

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// The states of a session:
//
//	idle --Connected--> negotiating --NegotiationResponse--> establishing --EstablishmentAck--> bound
//	 ^                                                            ^                               |
//	 |                  known to the venue: Connected ------------+          Terminate, a fault,  |
//	 |                                                                       silence, Close       v
//	 +--------- Disconnected --------------------------------------------------------- terminating, closing
//
// Invariant: an id that the venue may know is bound, and bound again, until the session is finished; no other is negotiated
// meanwhile, since sessions are a table of the venue's. Only where it was never bound and the venue says that it does not know it
// another one is negotiated: nothing was asked under it.

type state uint8

const (
	idle         state = iota // there is no connection
	negotiating               // Negotiate is out
	establishing              // Establish is out
	bound                     // requests may be sent
	terminating               // Terminate is out, its answer is not in
	closing                   // the connection is to be closed once Output is written
)

// OnLoss says what the venue does with the orders of a session that loses its connection or ends.
type OnLoss uint8

const (
	CancelAlways    OnLoss = iota // cancel them in either case
	CancelOnLoss                  // when the connection is lost without a Terminate
	CancelOnGoodbye               // when either side sends a Terminate
	KeepOrders                    // leave them
)

// wire is the value of the wire.
func (o OnLoss) wire() gen.CancelOnDisconnect {
	return [...]gen.CancelOnDisconnect{gen.CancelOnDisconnectBoth, gen.CancelOnDisconnectOnDisconnect, gen.CancelOnDisconnectOnTerminate, gen.CancelOnDisconnectNever}[o]
}

// Resume is what a program has to keep of a session to go on with it in another process.
type Resume struct {
	Session  [16]byte // its id; zero: a new one
	Next     uint64   // the number of the next request. It may be higher than that: numbers that were never used are told as NotApplied
	Expected uint64   // the number of the next message of the venue. 0: the first; in a drop copy or replay the next one live
}

// Config says who logs in, for what, and how large the tables are. The zero value of each field that is not called needed
// is its default.
type Config struct {
	Key      Key               // needed
	Venue    ed25519.PublicKey // the venue's key, needed unless AnyVenue
	AnyVenue bool              // do not ask the venue who it is
	Kind     gen.SessionKind   // what for; default order entry
	Name     string            // up to 16 bytes, for the venue's operators
	Shard    uint16            // where the instruments are
	Channel  uint32            // of the feed, for a replay

	Keepalive time.Duration // 100 ms to 60 s, default 1 s: how long the session is silent at most
	Patience  time.Duration // how long an answer to a logon may take, default 5 s
	OnLoss    OnLoss
	Window    time.Duration // 0 to 60 s: how long after a loss the orders stay, so that the session can bind again
	Protected bool          // reduce-only protective orders go as well
	Takeover  bool          // end the key's other binding of this kind, where there is one
	Resume    Resume

	Orders  int // rows of the order table, default 4,096
	Pending int // requests without an answer, a power of two, default 1,024
	Held    int // bytes of messages that are kept while earlier ones are asked for again, default 1 MiB
	Send    int // bytes of output that may wait, default 64 KiB
	Receive int // bytes of the receive buffer, default 256 KiB

	Random func([]byte) // fills in nonces and ids, default crypto/rand
}

func (c *Config) complete() error {
	if err := c.Key.check(); err != nil {
		return err
	}
	if c.Random == nil {
		c.Random = func(b []byte) { rand.Read(b) }
	}
	for _, d := range []struct {
		value, standard any
	}{{&c.Keepalive, time.Second}, {&c.Patience, 5 * time.Second}, {&c.Kind, gen.SessionKindOrderEntry}, {&c.Orders, 1 << 12},
		{&c.Pending, 1 << 10}, {&c.Held, 1 << 20}, {&c.Send, 1 << 16}, {&c.Receive, 1 << 18}} {
		switch v := d.value.(type) {
		case *time.Duration:
			if *v == 0 {
				*v = d.standard.(time.Duration)
			}
		case *int:
			if *v == 0 {
				*v = d.standard.(int)
			}
		case *gen.SessionKind:
			if *v == 0 {
				*v = d.standard.(gen.SessionKind)
			}
		}
	}
	for _, r := range []struct {
		name             string
		value, low, high int64
	}{
		{"Kind", int64(c.Kind), 1, 5}, {"Name", int64(len(c.Name)), 0, 16}, {"OnLoss", int64(c.OnLoss), 0, int64(KeepOrders)},
		{"Keepalive", int64(c.Keepalive), int64(100 * time.Millisecond), int64(time.Minute)},
		{"Patience", int64(c.Patience), int64(time.Millisecond), int64(time.Hour)}, {"Window", int64(c.Window), 0, int64(time.Minute)},
		{"Orders", int64(c.Orders), 1, 1 << 24}, {"Pending", int64(c.Pending), 1, 1 << 24}, {"Held", int64(c.Held), wire.MaxOutbound, 1 << 30},
		{"Send", int64(c.Send), wire.MaxInbound, 1 << 30}, {"Receive", int64(c.Receive), wire.MaxOutbound, 1 << 30},
	} {
		if r.value < r.low || r.value > r.high {
			return fmt.Errorf("client: %s is %d, expected %d to %d", r.name, r.value, r.low, r.high)
		}
	}
	switch {
	case c.Pending&(c.Pending-1) != 0:
		return fmt.Errorf("client: Pending is %d, expected a power of two", c.Pending)
	case c.AnyVenue && c.Venue != nil:
		return errors.New("client: Venue and AnyVenue exclude each other")
	case !c.AnyVenue && len(c.Venue) != ed25519.PublicKeySize:
		return errors.New("client: Venue is no Ed25519 public key of 32 bytes; AnyVenue does without the proof of who the venue is")
	case !c.AnyVenue && wire.WeakKey(c.Venue):
		return errors.New("client: Venue is a key with which anybody can sign, expected the one that the venue has published")
	}
	return nil
}

// Session is one session of a key. All methods belong to one goroutine at a time.
type Session struct {
	config Config
	flow   flow
	state  state
	err    error // why the binding, or the session, ended
	final  bool  // it cannot be bound again
	now    fixed.Nanos

	id         [16]byte
	named      bool // the venue may know the id: it stood in a Negotiate
	known      bool // it was bound once
	taking     bool // an earlier connection of ours may still be bound
	nonce      [32]byte
	stamp      uint64 // the last Timestamp sent
	began      fixed.Nanos
	heard      fixed.Nanos // when the last bytes came
	said       fixed.Nanos // when the last frame was put out
	peer       fixed.Nanos // the venue's keep-alive
	finishing  bool        // FinishedSending is out
	received   bool        // the venue has received all
	finished   bool        // all of the venue's has been received
	goodbye    bool        // Close was called
	recovering bool        // not every request from before the binding is known
	up         bool        // the connection has been bound

	next    uint64 // number of the next request
	first   uint64 // number of the first request of this binding
	lastRef msg.Ref
	pending pending
	orders  orders

	stream *wire.Stream
	arrive arrival
	out    []byte // frames that are not written yet begin at sent
	sent   int

	notes []Event // of the session's own, not shown yet
	gap   gap     // NotApplied that is being told
	event Event
}

// flow is what a kind of session promises.
type flow struct {
	client gen.FlowType
	server gen.FlowType
	batch  uint64 // messages that may be asked for at once
}

// flows are those of the kinds, from 1 on.
var flows = [...]flow{
	gen.SessionKindOrderEntry:  {gen.FlowTypeIdempotent, gen.FlowTypeRecoverable, 64},
	gen.SessionKindRiskControl: {gen.FlowTypeIdempotent, gen.FlowTypeRecoverable, 64},
	gen.SessionKindDropCopy:    {gen.FlowTypeNone, gen.FlowTypeRecoverable, 64},
	gen.SessionKindReplay:      {gen.FlowTypeNone, gen.FlowTypeRecoverable, 2_000},
	gen.SessionKindSnapshot:    {gen.FlowTypeIdempotent, gen.FlowTypeUnsequenced, 0},
}

// NewSession makes a session that has no connection yet. The error names the field of c that is wrong.
func NewSession(c Config) (*Session, error) {
	if err := c.complete(); err != nil {
		return nil, err
	}
	s := &Session{config: c, flow: flows[c.Kind], next: max(c.Resume.Next, 1), taking: c.Takeover}
	s.id, s.known = c.Resume.Session, c.Resume.Session != [16]byte{}
	s.named = s.known
	s.first = s.next
	s.pending = newPending(c.Pending, s.next)
	s.orders = newOrders(c.Orders)
	s.stream = wire.NewStream(c.Receive, wire.MaxOutbound)
	s.out = make([]byte, 0, c.Send+reserve)
	s.notes = make([]Event, 0, 8)
	s.arrive = arrival{expected: c.Resume.Expected, held: make([]byte, 0, c.Held)}
	if s.arrive.expected == 0 && (c.Kind == gen.SessionKindOrderEntry || c.Kind == gen.SessionKindRiskControl) {
		s.arrive.expected = 1
	}
	return s, nil
}

// reserve is the room in the output that requests leave to messages of the session itself.
const reserve = 4096

// Connected says that there is a new connection: logging in begins.
func (s *Session) Connected(now fixed.Nanos) {
	if s.state != idle || s.final {
		panic("client: a session that is connected or over gets a connection")
	}
	s.now, s.began, s.heard = now, now, now
	s.err = nil
	s.stream.Reset()
	s.out, s.sent = s.out[:0], 0
	s.arrive.disconnect()
	if s.named {
		s.establish(nil)
	} else {
		s.negotiate()
	}
}

// Disconnected says that the connection is gone. Events of frames that were received before are still to be had from Next, and
// should be taken before.
func (s *Session) Disconnected(now fixed.Nanos) {
	if s.state == idle {
		return
	}
	s.now = now
	if s.state == bound {
		s.err = ErrLost
	}
	if s.goodbye {
		s.final = true
	}
	wasBound := s.up
	s.state, s.up = idle, false
	s.out, s.sent = s.out[:0], 0
	if wasBound {
		s.note(Event{Kind: Lost, Err: s.err})
	}
}

// Room is where the next bytes of the connection go.
func (s *Session) Room() []byte { return s.stream.Room() }

// Received says that n bytes were put into Room. Next has what they bring.
func (s *Session) Received(n int, now fixed.Nanos) {
	s.stream.Filled(n)
	s.now, s.heard = now, now
}

// Output is what is to be written to the connection.
func (s *Session) Output() []byte { return s.out[s.sent:] }

// Wrote says how much of Output was written.
func (s *Session) Wrote(n int) {
	if s.sent += n; s.sent == len(s.out) {
		s.out, s.sent = s.out[:0], 0
	}
}

// Closing reports whether the connection is to be closed, once Output is written.
func (s *Session) Closing() bool { return s.state == closing }

// Bound reports whether requests may be sent.
func (s *Session) Bound() bool { return s.state == bound && !s.finishing }

// Recovering reports whether something from before the binding is not known yet.
func (s *Session) Recovering() bool { return s.recovering }

// Over reports whether the session cannot be bound again; Err says why.
func (s *Session) Over() bool { return s.final }

// Err is why the last binding ended, nil while nothing is wrong.
func (s *Session) Err() error { return s.err }

// Resume is what another process needs to go on with the session, as far as events have been taken from Next.
func (s *Session) Resume() Resume {
	if !s.known {
		return Resume{}
	}
	return Resume{s.id, s.next, s.arrive.expected}
}

// Unanswered is how many requests have neither a first response nor NotApplied.
func (s *Session) Unanswered() int { return s.pending.count() }

// idleMargin is what is added to twice the venue's keep-alive before its silence counts as loss.
const idleMargin = fixed.Nanos(time.Second)

// Deadline is when Tick wants to be called at the latest.
func (s *Session) Deadline() fixed.Nanos {
	switch s.state {
	case negotiating, establishing:
		return s.began + fixed.Nanos(s.config.Patience)
	case bound:
		return min(s.said+fixed.Nanos(s.config.Keepalive), s.heard+2*s.peer+idleMargin)
	case terminating:
		return s.began + fixed.Nanos(s.config.Keepalive)
	}
	return 1<<63 - 1
}

// Tick lets time pass: heartbeats are sent, and a venue that is silent is given up.
func (s *Session) Tick(now fixed.Nanos) {
	s.now = max(s.now, now)
	switch s.state {
	case negotiating, establishing:
		if s.now >= s.began+fixed.Nanos(s.config.Patience) {
			s.close(ErrTimeout)
		}
	case bound:
		if s.now >= s.heard+2*s.peer+idleMargin {
			s.terminate(gen.TerminationCodeUnspecifiedError, "120 idle", ErrIdle)
		} else if s.now >= s.said+fixed.Nanos(s.config.Keepalive) {
			s.beat()
		}
	case terminating:
		if s.now >= s.began+fixed.Nanos(s.config.Keepalive) {
			s.close(s.err)
		}
	}
}

// beat says that the session is alive.
func (s *Session) beat() {
	switch {
	case s.finishing && !s.received:
		s.putFinished()
	case s.flow.client == gen.FlowTypeIdempotent:
		s.putSequence()
	default:
		s.put(gen.TemplateUnsequencedHeartbeat, 0)
	}
}

// frameRoom is the most that a frame of the session takes, with its data.
const frameRoom = 512

// put appends a frame of the session schema and returns its block. A venue that does not read what the session itself has to
// say is given up: then nothing of it matters any more.
func (s *Session) put(template uint16, size int) (block []byte) {
	if len(s.out)+frameRoom > cap(s.out) {
		s.pack()
	}
	if len(s.out)+frameRoom > cap(s.out) {
		s.close(ErrStuck)
		s.out = s.out[:0]
	}
	s.out, block = wire.AppendFrame(s.out, gen.Header{Block: uint16(size), Template: template, Schema: gen.SchemaSession, Version: gen.VersionSession})
	s.said = s.now
	return block
}

// putData appends the data of the frame that ends the output and began at start.
func (s *Session) putData(start int, data []byte) { s.out = wire.AppendData(s.out, start, data) }

// pack moves what is not written to the front.
func (s *Session) pack() {
	s.out = s.out[:copy(s.out[:cap(s.out)], s.out[s.sent:])]
	s.sent = 0
}

// putSequence says the number of the next request.
func (s *Session) putSequence() {
	gen.AsSequence(s.put(gen.TemplateSequence, len(gen.Sequence{}))).SetNextSeqNo(s.next)
}

// timestamp is a Timestamp above all before it.
func (s *Session) timestamp() uint64 {
	s.stamp = max(s.stamp+1, uint64(s.now))
	return s.stamp
}

// note keeps an event of the session's own for Next.
func (s *Session) note(e Event) { s.notes = append(s.notes, e) }
