package gateway

import (
	"encoding/binary"
	"maps"
	"sync"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/tape/feed"
	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// Sessions of market data: replay (kind 4) and snapshot (kind 5). They change nothing in the core, so the core is not asked about them and
// the journal has nothing of them: a session is known here alone, as long as this process runs. Its logon is that of all others.
//
//	replay     client: no messages       venue: records of the channel under their numbers, asked for again and live
//	snapshot   client: SnapshotRequest   venue: the records of a snapshot, without numbers, or a Reject

// Market is where market data comes from: a channel.Server.
type Market interface {
	Records(dst []byte, from uint64, count int) (out []byte, n int, first, next uint64)
	Numbers() (first, next uint64)
	Snapshot(id msg.InstrumentID, into *feed.Snapshot) (ok bool)
}

// Kinds of session that the core does not know.
const (
	replaySession   = msg.SessionKind(gen.SessionKindReplay)
	snapshotSession = msg.SessionKind(gen.SessionKindSnapshot)
)

// listener is a session of market data.
type listener struct {
	id   [16]byte
	key  msg.KeyID
	kind msg.SessionKind
}

// listeners are those that were negotiated.
type listeners struct {
	market Market // nil: nobody is let in

	mu    sync.Mutex
	known map[[16]byte]*listener
	order [listenersMax][16]byte // in the order in which they were negotiated, round and round; the oldest goes for a new one
	count int
	bound map[bound]*Link
	asked map[asking]fixed.Nanos // when a snapshot was given last
}

// bound is a place for one binding: a key has one of each kind.
type bound struct {
	key  msg.KeyID
	kind msg.SessionKind
}

type asking struct {
	key   msg.KeyID
	instr msg.InstrumentID
}

const (
	listenersMax  = 4096
	snapshotEvery = fixed.Second // one of an instrument for a key
	replayAhead   = 256 << 10    // bytes of live records that wait for a reader
	feedOutMax    = 64 << 20     // bytes that wait in all: a large book's snapshot
	replayBatch   = 2000         // records that are sent again at once
)

// hears reports whether a session is one of market data, and the role may have it: whoever has a key may listen.
func (r *Roster) hears(role msg.Role, kind msg.SessionKind) bool {
	return r.listeners.market != nil && role != 0 && (kind == replaySession || kind == snapshotSession)
}

// introduce makes a session known; false where its id is used.
func (r *Roster) introduce(s *listener) bool {
	if r.find(&s.id) != nil {
		return false
	}
	ls := &r.listeners
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if ls.known[s.id] != nil {
		return false
	}
	place := &ls.order[ls.count%listenersMax]
	delete(ls.known, *place)
	*place = s.id
	ls.known[s.id] = s
	ls.count++
	return true
}

// listener is a session that is known; nil: it is not one of market data.
func (r *Roster) listener(id *[16]byte) *listener {
	ls := &r.listeners
	ls.mu.Lock()
	defer ls.mu.Unlock()
	return ls.known[*id]
}

// attach binds a session to a link. The one that had the place of its key is told at its next step; false where it has not to give way.
func (r *Roster) attach(l *Link, s *listener, takeOver bool) bool {
	ls := &r.listeners
	ls.mu.Lock()
	defer ls.mu.Unlock()
	place := bound{s.key, s.kind}
	if ls.bound[place] != nil && !takeOver {
		return false
	}
	ls.bound[place] = l
	return true
}

// holds reports whether a link has the place of its session still.
func (r *Roster) holds(l *Link) bool {
	ls := &r.listeners
	ls.mu.Lock()
	defer ls.mu.Unlock()
	return ls.bound[bound{l.listens.key, l.listens.kind}] == l
}

// detach gives a place back.
func (r *Roster) detach(l *Link) {
	ls := &r.listeners
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if place := (bound{l.listens.key, l.listens.kind}); ls.bound[place] == l {
		delete(ls.bound, place)
	}
}

// due is how long a key has to wait for a snapshot of an instrument; 0: it may have one, and has it now.
func (r *Roster) due(key msg.KeyID, id msg.InstrumentID, now fixed.Nanos) fixed.Nanos {
	ls := &r.listeners
	ls.mu.Lock()
	defer ls.mu.Unlock()
	at, ok := ls.asked[asking{key, id}]
	if ok && now-at < snapshotEvery {
		return at + snapshotEvery - now
	}
	if len(ls.asked) >= listenersMax { // what is older than a second holds up nobody any more
		maps.DeleteFunc(ls.asked, func(_ asking, at fixed.Nanos) bool { return now-at >= snapshotEvery })
		if len(ls.asked) >= listenersMax {
			return snapshotEvery
		}
	}
	ls.asked[asking{key, id}] = now
	return 0
}

// negotiateListener answers the Negotiate of a session of market data, whose credentials hold.
func (l *Link) negotiateListener(c *gen.AuthCredentials, who *key, now fixed.Nanos) {
	s := &listener{l.request.id, who.Key, msg.SessionKind(c.Kind())}
	if !l.roster.introduce(s) {
		l.rejectNegotiation(gen.NegotiationRejectCodeDuplicateID, "", now)
		return
	}
	l.roster.keys.stamped(who.Key, fixed.Nanos(l.request.stamp))
	l.listens, l.request.nonce = s, *c.Nonce()
	flow := gen.FlowTypeRecoverable
	if s.kind == snapshotSession {
		flow = gen.FlowTypeUnsequenced
	}
	l.challenge(flow, who.Key, now)
}

// establishListener binds a session of market data.
func (l *Link) establishListener(s *listener, takeOver bool, now fixed.Nanos) {
	l.roster.keys.stamped(s.key, fixed.Nanos(l.request.stamp))
	if !l.roster.attach(l, s, takeOver) {
		l.rejectEstablishment(gen.EstablishmentRejectCodeAlreadyEstablished, "", now)
		l.end()
		return
	}
	l.listens, l.state, l.nonced, l.heard = s, established, false, now
	l.keepalive = fixed.Nanos(l.request.keepalive) * fixed.Millisecond
	next := wire.NoTime
	if s.kind == replaySession {
		_, l.next = l.roster.listeners.market.Numbers()
		next = l.next
	}
	l.stream.Widen(linkBuffer, wire.MaxInbound)
	l.acknowledge(next, now)
}

// listening takes a session message of market data.
func (l *Link) listening(m *wire.Message, now fixed.Nanos) {
	replays := l.listens.kind == replaySession
	switch m.Template {
	case gen.TemplateSequence:
		next := gen.AsSequence(m.Block).NextSeqNo()
		switch {
		case replays:
			l.illegal(now)
		case next < l.asked:
			l.terminate(gen.TerminationCodeUnspecifiedError, reasonLower, msg.UnbindTerminated, now)
		default: // nothing waits for what is passed over
			l.asked, l.sequenced = next, true
		}
		return
	case gen.TemplateUnsequencedHeartbeat:
		if !replays {
			l.illegal(now)
		}
		return
	}
	l.sequenced = false
	switch m.Template {
	case gen.TemplateRetransmitRequest:
		l.replay(gen.AsRetransmitRequest(m.Block), now)
	case gen.TemplateTerminate:
		l.terminate(gen.TerminationCodeFinished, "", msg.UnbindTerminated, now)
	case gen.TemplateEstablish:
		e := gen.AsEstablish(m.Block)
		l.request = logonRequest{id: *e.SessionID(), stamp: e.Timestamp()}
		l.rejectEstablishment(gen.EstablishmentRejectCodeAlreadyEstablished, "", now)
		l.pulse(now)
	default:
		l.illegal(now)
	}
}

// pulse says that the venue is there, and where messages have numbers the next one.
func (l *Link) pulse(now fixed.Nanos) {
	if l.listens.kind == replaySession {
		l.resume(now)
		return
	}
	l.open(gen.TemplateUnsequencedHeartbeat, 0, now)
}

// replay takes a RetransmitRequest of a replay session (W-22): numbers are those of the channel, whichever session asks.
func (l *Link) replay(m *gen.RetransmitRequest, now fixed.Nanos) {
	from, count := m.FromSeqNo(), m.Count()
	no := func(code gen.RetransmitRejectCode) { l.rejectRetransmission(m.SessionID(), m.Timestamp(), code, now) }
	other := l.roster.listener(m.SessionID())
	switch {
	case l.listens.kind != replaySession:
		l.illegal(now)
	case other == nil || other.key != l.listens.key || other.kind != replaySession:
		no(gen.RetransmitRejectCodeInvalidSession)
	case count < 1 || count > replayBatch:
		no(gen.RetransmitRejectCodeRequestLimitExceeded)
	case from >= l.next || uint64(count) > l.next-from:
		l.terminate(gen.TerminationCodeReRequestOutOfBounds, "", msg.UnbindTerminated, now)
	default:
		records, n, _, _ := l.roster.listeners.market.Records(l.again[:0], from, int(count))
		if l.again = records[:0]; n == 0 {
			no(gen.RetransmitRejectCodeOutOfRange)
			return
		}
		_, block := l.open(gen.TemplateRetransmission, len(gen.Retransmission{}), now)
		a := gen.AsRetransmission(block)
		*a.SessionID() = *m.SessionID()
		a.SetRequestTimestamp(m.Timestamp())
		a.SetNextSeqNo(from)
		a.SetCount(uint32(n))
		l.frame(records)
		l.resume(now)
	}
}

// frame sends records, each in a frame.
func (l *Link) frame(records []byte) {
	for len(records) > 0 {
		size := int(binary.BigEndian.Uint16(records))
		out, block := wire.AppendFrame(l.out, gen.ReadHeader((*[gen.HeaderSize]byte)(records[2:])))
		copy(block, records[2+gen.HeaderSize:2+size])
		l.out, records = out, records[2+size:]
	}
}

// attendListener does what is due for a session of market data: live records go out; one whose key was revoked, whose place another has taken, or
// that is too far behind, ends.
func (l *Link) attendListener(now fixed.Nanos) {
	if l.roster.keys.get(l.listens.key).Role == 0 {
		l.terminate(gen.TerminationCodeUnspecifiedError, reasonRevoked, 0, now)
		return
	}
	if !l.roster.holds(l) {
		l.terminate(gen.TerminationCodeUnspecifiedError, reasonTakenOver, 0, now)
		return
	}
	for l.listens.kind == replaySession && len(l.out)-l.sent < replayAhead {
		records, n, first, _ := l.roster.listeners.market.Records(l.again[:0], l.next, replayBatch)
		if l.again = records[:0]; n == 0 {
			if l.next < first {
				l.terminate(gen.TerminationCodeUnspecifiedError, reasonSlow, msg.UnbindTerminated, now)
			}
			return
		}
		if len(l.out) == l.sent {
			l.moved = now
		}
		l.frame(records)
		l.next += uint64(n)
		l.spoke = now
	}
}

// snapshot answers a SnapshotRequest.
func (l *Link) snapshot(frame []byte, now fixed.Nanos) {
	m, fault := wire.Open(frame)
	switch {
	case l.listens.kind != snapshotSession || fault.Kind != 0 || m.Template != gen.TemplateSnapshotRequest:
		l.illegal(now)
		return
	case !l.sequenced:
		l.terminate(gen.TerminationCodeUnspecifiedError, reasonMode, msg.UnbindTerminated, now)
		return
	}
	q := gen.AsSnapshotRequest(m.Block)
	if q.SeqNum() != uint32(l.asked) {
		l.terminate(gen.TerminationCodeUnspecifiedError, reasonNumber, msg.UnbindTerminated, now)
		return
	}
	l.asked++
	l.spoke = now
	if len(l.out) == l.sent {
		l.moved = now
	}
	id := msg.InstrumentID(q.InstrumentID())
	no := wire.Refusal{Field: wire.NoField, Limit: wire.None, Actual: wire.None}
	if _, flaw := q.Check(); flaw != gen.Sound {
		no.Reject = msg.RejectReservedBits
	} else if wait := l.roster.due(l.listens.key, id, now); wait != 0 {
		no.Reject, no.Limit = msg.RejectRateLimited, int64(wait)
	} else if !l.roster.listeners.market.Snapshot(id, &l.shot) {
		no.Reject = msg.RejectUnknownInstrument
	}
	if no.Reject != 0 {
		ev := msg.Event{Kind: msg.Rejected, Time: now, Ref: msg.Ref(q.RequestID()), Instr: id, Reject: no.Reject}
		l.out = wire.AppendRefusal(l.out, &ev, &wire.Envelope{RefSeq: q.SeqNum(), Template: m.Template, Ingress: uint64(now)}, no)
		return
	}
	l.again = l.shot.Append(l.again[:0], q.RequestID())
	l.frame(l.again)
}
