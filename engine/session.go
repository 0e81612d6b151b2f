package engine

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/riskgate"
)

// The sessions of clients (D-36, W-28, W-29): which numbers came and were sent, and who is there.
//
//	gate.Keys        what a key may do, its last client id and logon
//	gate.Sessions    what a session may do at present, and for whom: all that an order is asked
//	clients.rows     the rest of a session, row by row
//
// A command of a client comes in the number that its session expects, or has no effect. What it brings about follows a Received, with
// its envelope; each event that is a report takes one number of the session that it names, one of the session that it answers where that is
// another, and one of each drop copy of the owner. Sessions without a key have no numbers, and where there is nobody to count for nothing is counted.

// sessionState is where a session stands. The zero one is of a row that no client has had.
type sessionState uint8

const (
	_          sessionState = iota
	negotiated              // no connection yet
	bound                   // it has a connection
	unbound                 // it has lost it
	finalized               // it is over
	sessionStates
)

// session is what a client's session has besides what the gate knows of it.
type session struct {
	uuid    [16]byte
	next    uint64      // the number expected from the client
	server  uint64      // the number of the next report
	since   fixed.Nanos // since when it is unbound, or negotiated and never bound
	window  uint32      // the grace before its orders go, in ms
	terms   uint16      // flags of cancel on disconnect
	version uint16      // of the schema, as its client announced it
	kind    msg.SessionKind
	cancel  msg.CancelMode
	state   sessionState
	goes    bool          // unbound: its orders go when the grace ends
	copies  msg.SessionID // the next drop copy of the same owner
	_       [2]uint8
}

const (
	// forgetAfter is how long a session that is unbound keeps its row against a new one of its key.
	forgetAfter = fixed.Day
	// lapseAfter is how long a session that was negotiated waits for its first connection: then it is over.
	lapseAfter = msg.GraceMax * fixed.Millisecond
	// sessionsPerKey is how many sessions a key has at most that are not finalized. One more takes the place of the one that has been
	// away the longest, of those that are away for forgetAfter.
	sessionsPerKey = 16
)

// clients are the sessions of clients.
type clients struct {
	rows   []session       // by session
	copies []msg.SessionID // by owner: its first drop copy; of 0: those of everything
	live   int             // sessions that are counted for
}

func newClients(l *Limits) clients {
	return clients{rows: make([]session, l.Sessions), copies: make([]msg.SessionID, uint64(l.Accounts)+1)}
}

// enlist lets a session that was negotiated be counted for.
func (k *clients) enlist(id msg.SessionID, owner msg.OwnerID) {
	k.live++
	if k.rows[id].kind == msg.DropCopy {
		k.rows[id].copies, k.copies[owner] = k.copies[owner], id
	}
}

// strike lets a session not be counted for any more.
func (k *clients) strike(id msg.SessionID, owner msg.OwnerID) {
	k.live--
	if k.rows[id].kind != msg.DropCopy {
		return
	}
	at := &k.copies[owner]
	for *at != id {
		at = &k.rows[*at].copies
	}
	*at, k.rows[id].copies = k.rows[id].copies, 0
}

// receive lets a command of a session in, and is the command that is to be done: itself, or for one that names its order alone one
// with the account of that. It is nil where the command has been answered.
//
//go:noinline
func (e *Engine) receive(c *msg.Command) *msg.Command {
	if !e.gate.Sessions.Keyed(c.Session) {
		return c
	}
	s, number := &e.clients.rows[c.Session], c.Envelope().SeqNum
	next := s.next
	if e.quoting.count != 0 { // it is the next entry, in the number of the first
		next--
	}
	switch {
	case !c.Kind.FromClient():
		e.refuse(c, msg.RejectNotPermitted, 0, 0)
		return nil
	case s.state != bound || number != uint32(next):
		e.refuse(c, msg.RejectSequenceMismatch, int64(uint32(s.next)), int64(number))
		return nil
	}
	s.next = next + 1
	ev := e.answer(msg.Received, c)
	ev.Order = c.Order
	ev.SetReceived(&c.Request)
	if c.Account == 0 && (c.Kind == msg.KindCancel || c.Kind == msg.KindAmend || c.Kind == msg.KindAskOrder) {
		return e.accounted(c)
	}
	return c
}

// accounted is a command that names its order and no account, with the account of the order.
func (e *Engine) accounted(c *msg.Command) *msg.Command {
	h := e.store.Find(c.Order)
	if h != 0 {
		id := e.store.Ticket(h).Account
		if e.gate.Sessions[c.Session].Owns(id, e.house.Account(id)) {
			e.asked = *c
			e.asked.Account = id
			return &e.asked
		}
	}
	last, repeated := msg.Ref(0), false
	if !e.gate.Permits(&c.Request) {
		e.refuse(c, msg.RejectNotPermitted, 0, 0)
		return nil
	}
	if last, repeated = e.gate.Use(&c.Request); repeated {
		e.refuse(c, msg.RejectDuplicateClientID, int64(last), int64(c.Ref))
		return nil
	}
	r := msg.RejectUnknownOrder
	if row := c.Order.Handle(); h == 0 && row != 0 && row <= e.limits.Orders && c.Order.Generation() < e.store.Order(row).Gen {
		r = msg.RejectTooLate
	}
	e.refuse(c, r, 0, 0)
	return nil
}

// number counts the reports of the command, once a mass cancel that goes on has been answered.
//
//go:noinline
func (e *Engine) number(c *msg.Command) {
	if e.sweeps {
		e.sweeps = false
		e.answerSweep(c)
	}
	e.count()
}

// count counts the reports among the events that have been told since it was called last. Left-over work tells some before a command about
// sessions has its turn: they are counted by the sessions that there were, and before one is told its numbers.
func (e *Engine) count() {
	for ; e.counted < e.told; e.counted++ {
		ev := &e.out[e.counted]
		if !ev.Reports() {
			continue
		}
		for _, id := range [...]msg.SessionID{ev.Session, ev.Elsewhere()} {
			if e.gate.Sessions.Keyed(id) {
				if s := &e.clients.rows[id]; s.state == bound || s.state == unbound {
					s.server++
				}
			}
		}
		if !ev.Copies() {
			continue
		}
		owner := e.Party(ev)
		for id := e.clients.copies[owner]; id != 0; id = e.clients.rows[id].copies {
			e.clients.rows[id].server++
		}
		if owner != 0 {
			for id := e.clients.copies[0]; id != 0; id = e.clients.rows[id].copies {
				e.clients.rows[id].server++
			}
		}
	}
}

// Party is the owner whom a report concerns (W-58): that of its session; where that acts for anybody, as the venue's own does, or there is none,
// that of its account, or the owner whom the report is about.
func (e *Engine) Party(ev *msg.Event) msg.OwnerID {
	if e.gate.Sessions.Keyed(ev.Session) && e.gate.Sessions[ev.Session].Owner != 0 {
		return e.gate.Sessions[ev.Session].Owner
	}
	if a := e.house.Account(ev.Account); a != nil {
		return a.Owner
	}
	return ev.About()
}

// refuseAsked answers a message that was refused before it became a command, unless the gate has an earlier reason (W-25, W-59): what it
// would have asked of the command that it stands for.
func (e *Engine) refuseAsked(c *msg.Command) {
	f, stands := c.Refused(), c.Request
	stands.Kind = f.Instead
	var o riskgate.Order
	r := msg.Reject(0)
	switch {
	case c.Session == 0 || !c.Sound() || f.Reject == 0:
		e.refuse(c, msg.RejectValueOutOfRange, 0, int64(c.Rare[0]&0xFFFF))
		return
	case f.Reject <= msg.RejectRateLimited: // the message uses no client id
	case !e.gate.Permits(&stands):
		r = msg.RejectNotPermitted
	case c.Account == 0 || f.Instead == msg.KindSetEntry:
		if last, repeated := e.gate.Use(&stands); repeated {
			r, o.Bound, o.Actual = msg.RejectDuplicateClientID, int64(last), int64(c.Ref)
		}
	default:
		r = e.gate.Enter(&stands, &o, meterOf(f.Instead), false)
	}
	if r != 0 && r < f.Reject {
		e.refuse(c, r, o.Bound, o.Actual)
		return
	}
	ev := e.answer(msg.Rejected, c)
	ev.Order, ev.Reject = c.Order, f.Reject
	ev.SetRefusal(msg.Refusal{Limit: f.Limit, Actual: f.Actual, Asked: c.Kind, Field: f.Field})
}

// meterOf is the quota that commands of a kind draw from.
func meterOf(k msg.Kind) riskgate.Meter {
	switch k {
	case msg.KindCancel, msg.KindCancelAll, msg.KindSetDeadMan, msg.KindSetProtection:
		return riskgate.Cancels
	}
	return riskgate.Orders
}

// SessionState is a client's session as a gateway has to know it.
type SessionState struct {
	UUID         [16]byte
	Key          msg.KeyID
	Owner        msg.OwnerID
	Kind         msg.SessionKind
	Version      uint16
	Cancel       msg.CancelMode
	CancelFlags  uint16
	Window       uint32      // in ms
	Next         uint64      // the number expected from the client
	Server       uint64      // the number of the next report
	Bound, Final bool        // neither: it waits to be bound
	Begun        bool        // it has been bound, and so has reports
	Goes         bool        // its orders go when the grace ends
	Grace        fixed.Nanos // when that is
}

// Session is a session of a client. ok is false where the row has had none, or is a door of the embedder's.
func (e *Engine) Session(id msg.SessionID) (s SessionState, ok bool) {
	if !e.gate.Sessions.Keyed(id) {
		return s, false
	}
	row, gate := &e.clients.rows[id], &e.gate.Sessions[id]
	s = SessionState{UUID: row.uuid, Key: gate.Key, Owner: gate.Owner, Kind: row.kind, Version: row.version, Cancel: row.cancel,
		CancelFlags: row.terms, Window: row.window, Next: row.next, Server: row.server, Bound: row.state == bound,
		Final: row.state == finalized, Begun: row.state != negotiated, Goes: row.goes}
	if row.goes {
		s.Grace = row.grace()
	}
	return s, true
}

// grace is when the time to bind an unbound session again is over.
func (s *session) grace() fixed.Nanos { return s.since + fixed.Nanos(s.window)*fixed.Millisecond }

// Key is a key as it is. ok is false where there is none, or it has been revoked.
func (e *Engine) Key(id msg.KeyID) (k riskgate.Key, ok bool) {
	if uint64(id) >= uint64(len(e.gate.Keys)) || e.gate.Keys[id].Role == 0 {
		return k, false
	}
	return e.gate.Keys[id], true
}

func (k *clients) hash(d *fixed.Digest) {
	for id := range k.rows {
		s := &k.rows[id]
		if s.state == 0 {
			continue
		}
		d.Word(uint64(id))
		for _, half := range [...][]byte{s.uuid[:8], s.uuid[8:]} {
			w := uint64(0)
			for i, b := range half {
				w |= uint64(b) << (8 * i)
			}
			d.Word(w)
		}
		d.Word(s.next)
		d.Word(s.server)
		d.Word(uint64(s.since))
		d.Word(uint64(s.window)<<32 | uint64(s.terms)<<16 | uint64(s.version))
		d.Word(uint64(s.kind)<<24 | uint64(s.cancel)<<16 | uint64(s.state)<<8 | uint64(word(s.goes)))
	}
}
