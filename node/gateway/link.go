package gateway

import (
	"encoding/binary"
	"slices"
	"sync"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/tape/feed"
	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// Link is one connection, as a step function: bytes and the time go in, bytes and commands come out.
//
//	connected ──Negotiate──> asking ──yes──> negotiated ──Establish──> asking ──yes──> established
//	    └───────────Establish of a session that is known──────────────────^               │ Terminate, by either side
//	                                                                                   closing ──its answer, or its time──> over
//
//	read(l.Room()); l.Filled(n, now)     until l.Blocked(): then nothing is read, and Advance goes on when it can
//	l.Advance(now)                       now and then: its timers
//	write(l.Unsent()); l.Sent(n, now)    until l.Over(): then the socket is closed
//	l.Lost(now)                          when it was closed; and Advance until l.Done()
//
// What a frame asks of the core goes into the lane of the session, at the end of a step all at once. A frame for which the lane has no
// room waits in its place, and all behind it; so nothing that was read is dropped, and the order of bytes decides alone about what is
// answered, however they were cut.
type Link struct {
	mu      sync.Mutex
	roster  *Roster
	stream  *wire.Stream
	held    []byte // a frame that waits
	out     []byte // frames to be sent, from the beginning of one on
	sent    int    // bytes of out that are sent
	frameAt int    // where the session message in out begins that is being written
	state   linkState
	asking  bool          // the core has not answered
	urgent  bool          // something is owed, and the lane knows
	owed    []msg.Command // what had no room in the lane
	lane    *lane         // held by the step under way; nil: it is not
	row     *Row          // of the session, from Negotiate or Establish on

	// Of the logon.
	nonce     [32]byte // of the venue, to be in the Establish
	nonced    bool
	request   logonRequest
	keepalive fixed.Nanos
	rebind    bool // the Bind is to be said again
	granted   bool // the core has said yes to the Negotiate
	failed    bool // authentication failed, for who counts

	// Of an established session.
	next      uint64 // number of the next report
	sequenced bool   // business messages may come
	finish    finish
	recalling *request // of the retransmission that is under way
	again     []byte   // room for what is sent again

	// Of a session of market data (feed.go); then row is nil.
	listens *listener
	asked   uint64 // the number of the client's next request
	shot    feed.Snapshot

	born, heard, spoke, began, moved, until fixed.Nanos
	flaws                                   [flawsMax]fixed.Nanos
	flawed                                  int

	touched bool // the reader's
	owner   any  // whose it is, for who is given it by Touched
}

type linkState uint8

const (
	connected linkState = iota
	negotiated
	established
	closing // a Terminate is sent and not answered
	over
)

// finish is how far the end of a session for good has come.
type finish uint8

const (
	lives     finish = iota
	clientEnd        // its client has finished; what it sent is not all answered
	bothEnd          // so has the venue
	finished         // and its client has all of it
)

// Times (W-14, W-15, W-48) and sizes.
const (
	helloTime      = 2 * fixed.Second  // from connecting to the first whole frame
	establishTime  = 5 * fixed.Second  // from Negotiate to Establish
	frameTime      = fixed.Second      // for one frame
	keepaliveMin   = fixed.Second / 10 // of a client's interval
	keepaliveMax   = 60 * fixed.Second //
	stallTime      = fixed.Second / 4  // without a byte that moves
	outMax         = 1 << 20           // bytes that wait to be sent
	flawsMax       = 10                // format errors in flawTime
	flawTime       = fixed.Second      //
	strangerFrame  = 512               // the longest frame before logon
	strangerBuffer = 1 << 10           // of the stream before it
	linkBuffer     = 16 << 10          // and after
	answerTime     = 5 * fixed.Second  // for an answer of the core to a logon
)

// Reasons that complete the codes of Terminate (W-26).
const (
	reasonIdle      = "120 idle"
	reasonLower     = "121 sequence lower"
	reasonMode      = "122 not sequenced"
	reasonIllegal   = "123 illegal message"
	reasonTakenOver = "124 taken over"
	reasonSlow      = "125 slow reader"
	reasonFlaws     = "126 too many format errors"
	reasonRate      = "127 rate"
	reasonClock     = "128 clock"
	reasonShutdown  = "129 shutdown"
	reasonNumber    = "104 sequence mismatch"
	reasonRevoked   = "201 not permitted"
)

// NewLink begins a connection.
func (r *Roster) NewLink(now fixed.Nanos) *Link {
	return &Link{roster: r, stream: wire.NewStream(strangerBuffer, strangerFrame), born: now, heard: now, spoke: now, moved: now}
}

// Room is where the next bytes go; it is not to be asked for while Blocked.
func (l *Link) Room() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.stream.Room()
}

// Filled says that n bytes have come.
func (l *Link) Filled(n int, now fixed.Nanos) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stream.Filled(n)
	l.run(now)
}

// Blocked reports whether no more is to be read until Advance has got on: the core has to answer first, or a lane to have room.
func (l *Link) Blocked() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.stops()
}

// stops is Blocked with the link's mutex held. One that is closing reads on, for the answer to its Terminate, but no further than what nobody looks at yet.
func (l *Link) stops() bool {
	return l.blocked() && (l.state < closing || l.state == closing && l.stream.Waiting() > 0)
}

func (l *Link) blocked() bool { return l.asking || len(l.owed) > 0 || l.held != nil }

// Over reports whether the socket is to be closed as soon as all is sent.
func (l *Link) Over() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state == over
}

// Done reports whether nothing is left to be done for a connection that is over.
func (l *Link) Done() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state == over && len(l.owed) == 0
}

// Failed reports whether a logon has failed here; it is true once.
func (l *Link) Failed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	failed := l.failed
	l.failed = false
	return failed
}

// Established reports whether a session is bound.
func (l *Link) Established() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state == established
}

// trades reports whether a session of the core is bound.
func (l *Link) trades() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state == established && l.row != nil
}

// spoiled says that bytes are lost that have come.
func (l *Link) spoiled(now fixed.Nanos) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.torn(now)
	l.handOver()
}

// idle reports whether nothing is to be sent, and ended whether it is over besides.
func (l *Link) idle() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sent == len(l.out)
}

func (l *Link) ended() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state == over && l.sent == len(l.out)
}

// answered reports whether there is nothing to wait for: all that the client has sent is answered. In a session of market data it is at once.
func (l *Link) answered() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state != established || l.row == nil || l.row.answered.Load()+1 >= l.row.client
}

// Unsent is what is to be sent; it is good until the next call of any method.
func (l *Link) Unsent() []byte { return l.out[l.sent:] }

// run does what waits, frame by frame.
func (l *Link) run(now fixed.Nanos) {
	whole := false
	for l.state != over && !l.asking && l.pay(now) {
		frame := l.held
		l.held = nil
		if frame == nil {
			var fault wire.Fault
			if frame, fault = l.stream.Next(); fault.Kind != 0 {
				l.torn(now)
				break
			}
		}
		if frame == nil {
			break
		}
		l.heard, whole = now, true
		if !l.take(frame, now) {
			l.held = frame
			break
		}
		if l.state == established && len(l.out)-l.sent > outMax { // what is asked for again is longer than the request
			l.stalled(now)
		}
	}
	switch {
	case l.stream.Waiting() == 0 || l.blocked():
		l.began = 0
	case whole || l.began == 0:
		l.began = now
	}
	l.handOver()
}

// claim is a slot of the session's lane for a message that becomes n requests, nil when there is no room for all of them.
func (l *Link) claim(n int) *msg.Request {
	l.enter()
	if l.lane.urgent.Load() > 0 || l.row.taken.Load() || n > 1 && !l.lane.port.Room(n) {
		return nil
	}
	return l.lane.port.Claim()
}

// enter takes the session's lane for the rest of the step.
func (l *Link) enter() {
	if l.lane == nil {
		l.lane = l.row.lane
		l.lane.mu.Lock()
	}
}

// handOver gives the core what was claimed in this step.
func (l *Link) handOver() {
	if l.lane != nil {
		l.lane.port.Publish()
		l.lane.mu.Unlock()
		l.lane = nil
	}
}

// say says a command of the gateway, now or as soon as there is room.
func (l *Link) say(c msg.Command, now fixed.Nanos) {
	l.owed = append(l.owed, c)
	l.pay(now)
}

// pay says what is owed; false when there is no room for all of it.
func (l *Link) pay(now fixed.Nanos) bool {
	for len(l.owed) > 0 {
		l.enter()
		if u := &l.owed[0]; u.Kind == msg.KindUnbind && l.roster.succeeded(l, l.row, u.Unbinding().Why) || u.Kind == msg.KindMiss && l.row.elsewhere(l) {
			l.owed = l.owed[1:]
			continue
		}
		if l.owed[0].Kind == msg.KindMiss && l.row.taken.Load() { // as a message: not behind the Bind
			return false
		}
		slot := l.lane.port.Claim()
		if slot == nil {
			l.hurry(true)
			return false
		}
		slot.CopyFrom(&l.owed[0].Request)
		slot.Time = now
		l.owed = l.owed[1:]
	}
	l.owed = nil
	l.hurry(false)
	return true
}

// hurry says whether what is owed waits for room.
func (l *Link) hurry(waits bool) {
	if waits == l.urgent {
		return
	}
	l.urgent = waits
	if waits {
		l.row.lane.urgent.Add(1)
	} else {
		l.row.lane.urgent.Add(-1)
	}
}

// take takes one frame; false when it has to wait.
func (l *Link) take(frame []byte, now fixed.Nanos) bool {
	switch binary.LittleEndian.Uint16(frame[wire.MessageAt+4:]) {
	case gen.SchemaSession:
		l.session(frame, now)
	case gen.SchemaOrderEntry:
		switch {
		case l.state == closing:
		case l.state != established || l.finish != lives || l.listens != nil:
			l.illegal(now)
		default:
			return l.business(frame, now)
		}
	case gen.SchemaMarketData:
		switch {
		case l.state == closing:
		case l.state != established || l.listens == nil:
			l.illegal(now)
		default:
			l.snapshot(frame, now)
		}
	default:
		if l.state != closing {
			l.illegal(now)
		}
	}
	return true
}

// torn ends a connection of which nobody knows where the next frame begins.
func (l *Link) torn(now fixed.Nanos) {
	if l.state == established {
		l.terminate(gen.TerminationCodeUnspecifiedError, reasonIllegal, msg.UnbindTerminated, now)
	}
	l.end()
}

// illegal answers a message that may not come now.
func (l *Link) illegal(now fixed.Nanos) {
	l.terminate(gen.TerminationCodeUnspecifiedError, reasonIllegal, msg.UnbindTerminated, now)
}

// Advance does what the time has come for, and goes on with what waited.
func (l *Link) Advance(now fixed.Nanos) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.advance(now)
}

// tryAdvance is Advance unless somebody is at work on the link: he may check a signature or write a snapshot, and others wait for who asks.
func (l *Link) tryAdvance(now fixed.Nanos) bool {
	if !l.mu.TryLock() {
		return false
	}
	defer l.mu.Unlock()
	l.advance(now)
	return true
}

// advance is Advance with the link's mutex held.
func (l *Link) advance(now fixed.Nanos) {
	defer l.handOver()
	if l.state == over {
		l.pay(now)
		return
	}
	if l.rebind {
		l.rebind = false
		l.say(l.request.bind(l.row), now)
	}
	if l.granted {
		l.granted, l.asking = false, false
		l.challenge(gen.FlowTypeRecoverable, l.row.terms.Key, now)
	}
	if l.blocked() {
		l.heard = now // what he says is not being read
		l.pay(now)
	}
	if !l.asking && (l.blocked() || l.stream.Waiting() > 0) {
		l.run(now)
	}
	l.clocks(now)
	if l.state == established && l.listens != nil {
		l.attendListener(now)
	}
	if l.state == established {
		l.winding(now)
		l.stalled(now)
	}
}

// clocks looks at the timers.
func (l *Link) clocks(now fixed.Nanos) {
	switch {
	case l.state == closing && now >= l.until:
		l.end()
	case l.state == over || l.state == closing:
	case l.began != 0 && now-l.began >= frameTime: // the rest of it does not come: that is the line's fault, not the client's
		if l.state == established {
			l.terminate(gen.TerminationCodeUnspecifiedError, reasonIdle, msg.UnbindLost, now)
		}
		l.end()
	case l.asking && l.state != established && now >= l.until:
		l.end()
	case l.asking:
	case l.state == connected && now-l.born >= helloTime:
		l.end()
	case l.state == negotiated && now >= l.until:
		l.end()
	case l.state != established:
	case now-l.heard >= 2*l.keepalive+fixed.Second:
		l.terminate(gen.TerminationCodeUnspecifiedError, reasonIdle, msg.UnbindLost, now)
	case now-l.spoke >= l.keepalive:
		l.heartbeat(now)
	}
}

// stalled shows out who does not read (W-48). What is whole of what waits to be sent is thrown away; the flow is recoverable.
func (l *Link) stalled(now fixed.Nanos) {
	unsent := len(l.out) - l.sent
	most := outMax
	if l.listens != nil {
		most = feedOutMax
	}
	if unsent <= most && (unsent == 0 || now-l.moved < stallTime) {
		return
	}
	end := 0
	for end < l.sent {
		end += int(binary.BigEndian.Uint32(l.out[end:]))
	}
	l.out = l.out[:end]
	l.terminate(gen.TerminationCodeUnspecifiedError, reasonSlow, msg.UnbindTerminated, now)
	l.until = now + stallTime
}

// Sent says that n bytes of Unsent are sent.
func (l *Link) Sent(n int, now fixed.Nanos) {
	l.sent += n
	if n > 0 {
		l.moved = now
	}
	if l.sent == len(l.out) {
		l.out, l.sent = l.out[:0], 0
	}
}

// Lost says that the connection is gone.
func (l *Link) Lost(now fixed.Nanos) {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.handOver()
	if l.state == established && l.row != nil {
		l.owed = slices.DeleteFunc(l.owed, func(c msg.Command) bool { return c.Kind == msg.KindMiss }) // the next Sequence tells of them
		l.say(msg.Unbind(l.row.id, msg.UnbindLost), now)
	}
	l.end()
	l.out, l.sent = nil, 0
}

// end is the end of the connection; what is to be sent still is.
func (l *Link) end() {
	if l.row != nil {
		l.roster.forget(l, l.row)
	}
	if l.listens != nil {
		l.roster.detach(l)
	}
	l.state, l.held, l.recalling, l.asking, l.granted = over, nil, nil, false, false
}

// terminate says that the connection ends, and for which reason; an established session is unbound, with why 0 the core knows already. Who has to answer gets one keepalive for it.
func (l *Link) terminate(code gen.TerminationCode, reason string, why msg.Why, now fixed.Nanos) {
	was := l.state
	if was >= closing {
		return
	}
	out, block := l.open(gen.TemplateTerminate, len(gen.Terminate{}), now)
	m := gen.AsTerminate(block)
	if l.row != nil {
		*m.SessionID() = l.row.terms.UUID
	}
	if l.listens != nil {
		*m.SessionID() = l.listens.id
	}
	m.SetCode(code)
	l.out = wire.AppendData(out, l.frameAt, []byte(reason))
	l.state, l.held, l.until = closing, nil, now+l.keepalive
	if was != established {
		l.end()
		return
	}
	if l.listens != nil {
		l.roster.detach(l)
		return
	}
	l.roster.forget(l, l.row)
	if why != 0 {
		l.say(msg.Unbind(l.row.id, why), now)
	}
}

// open opens a session message; the caller fills in its block, and appends data where it has some.
func (l *Link) open(template uint16, size int, now fixed.Nanos) (out, block []byte) {
	l.frameAt, l.spoke = len(l.out), now
	if len(l.out) == l.sent {
		l.moved = now
	}
	l.out, block = wire.AppendFrame(l.out, gen.Header{Block: uint16(size), Template: template, Schema: gen.SchemaSession, Version: gen.VersionSession})
	return l.out, block
}

// deliver sends reports, count of them.
func (l *Link) deliver(frames []byte, count uint64, now fixed.Nanos) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state != established || l.finish >= bothEnd {
		return
	}
	if len(l.out) == l.sent {
		l.moved = now
	}
	l.out = append(l.out, frames...)
	l.next += count
	l.spoke = now
	if len(l.out)-l.sent > outMax {
		l.stalled(now)
		l.handOver()
	}
}

// takenOver tells a client that another connection has its session now, and revoked that its session has ended in the core.
func (l *Link) takenOver(now fixed.Nanos) { l.dismiss(reasonTakenOver, now) }

func (l *Link) revoked(now fixed.Nanos) { l.dismiss(reasonRevoked, now) }

// dismiss ends a connection whose session is not its own any more: nothing is said of it to the core.
func (l *Link) dismiss(reason string, now fixed.Nanos) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state != established {
		return
	}
	l.owed = nil
	l.hurry(false)
	l.terminate(gen.TerminationCodeUnspecifiedError, reason, 0, now)
	l.handOver()
}

// Shutdown tells a client that the venue goes down (W-27). The session stays as it is.
func (l *Link) Shutdown(now fixed.Nanos) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state == established {
		l.terminate(gen.TerminationCodeFinished, reasonShutdown, msg.UnbindTerminated, now)
	} else if l.state != closing {
		l.end()
	}
	l.handOver()
}
