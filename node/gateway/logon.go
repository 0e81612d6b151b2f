package gateway

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// How a connection gets a session: Negotiate, once in the life of a session, and Establish, on each connection (W-16, W-34 to W-38). What
// can be said here is said at once; what depends on the order of things is asked of the core, and its answer is what counts:
//
//	frame ──> whole? key and signature? ──> clock, shard, kind, flow, version ──> row ──> the core ──> answer
//	              no: Credentials, and nothing else      no: Unspecified, and why
//
// Every refusal ends the connection, but a second Establish of a session that is established here.

// logonRequest is the Negotiate or Establish that is being answered.
type logonRequest struct {
	id        [16]byte
	stamp     uint64
	nonce     [32]byte // of the client
	keepalive uint32   // ms
	takeOver  bool
}

// bind is the command of an Establish.
func (q *logonRequest) bind(row *Row) msg.Command {
	return msg.Bind(msg.Binding{Session: row.id, TakeOver: q.takeOver, Stamp: fixed.Nanos(q.stamp)})
}

// credentials looks at the Credentials of a logon and at their signature; nil: they prove nothing. frame is the frame of m.
func (l *Link) credentials(m *wire.Message, frame []byte) (c *gen.AuthCredentials, who key) {
	size := gen.HeaderSize + len(gen.AuthCredentials{})
	inner, fault := wire.OpenRecord(m.Data)
	if len(m.Data) != size || fault.Kind != 0 || inner.Schema != gen.SchemaCredentials || inner.Template != gen.TemplateAuthCredentials {
		l.failed = true
		return nil, who
	}
	c = gen.AsAuthCredentials(inner.Block)
	who, ok := l.roster.keys.prove(frame[wire.MessageAt:m.Offset+len(m.Block)], m.Data, l.roster.terms.Aside)
	if _, flaw := c.Check(); !ok || flaw != gen.Sound {
		l.failed = true
		return nil, who
	}
	return c, who
}

// timely reports whether a logon's time is near the venue's and above that of the key's last one.
func timely(stamp uint64, who *key, now fixed.Nanos) bool {
	return stamp < 1<<63 && fixed.Abs(int64(stamp)-int64(now)) <= int64(clockSlack) && fixed.Nanos(stamp) > who.stamp
}

// random reports whether an id is a UUID of version 4 (RFC 4122).
func random(id *[16]byte) bool { return id[6]>>4 == 4 && id[8]>>6 == 2 }

// negotiate answers a Negotiate.
func (l *Link) negotiate(m *wire.Message, frame []byte, now fixed.Nanos) {
	n := gen.AsNegotiate(m.Block)
	l.request = logonRequest{id: *n.SessionID(), stamp: n.Timestamp()}
	no := func(code gen.NegotiationRejectCode, reason string) { l.rejectNegotiation(code, reason, now) }
	c, who := l.credentials(m, frame)
	if c == nil || !who.permits(msg.SessionKind(c.Kind())) && !l.roster.hears(who.Role, msg.SessionKind(c.Kind())) {
		l.failed = true
		no(gen.NegotiationRejectCodeCredentials, "")
		return
	}
	_, flaw := n.Check()
	switch {
	case !timely(n.Timestamp(), &who, now):
		no(gen.NegotiationRejectCodeUnspecified, reasonClock)
	case flaw != gen.Sound || n.ClientFlow() != clientFlow(msg.SessionKind(c.Kind())):
		no(gen.NegotiationRejectCodeFlowTypeNotSupported, "")
	case !random(n.SessionID()):
		no(gen.NegotiationRejectCodeUnspecified, "the session id is no UUID of version 4")
	case c.ShardID() != l.roster.terms.Shard:
		no(gen.NegotiationRejectCodeUnspecified, "another shard")
	case c.OeVersion() < minVersion:
		no(gen.NegotiationRejectCodeUnspecified, "the version of schema 7001 is not served")
	case c.CodWindowMs() > msg.GraceMax:
		no(gen.NegotiationRejectCodeUnspecified, "codWindowMs is above 60000")
	case l.roster.hears(who.Role, msg.SessionKind(c.Kind())):
		l.negotiateListener(c, &who, now)
	default:
		l.askNegotiate(c, &who, now)
	}
}

// clientFlow is what a client has to promise for its messages.
func clientFlow(kind msg.SessionKind) gen.FlowType {
	if kind == msg.DropCopy || kind == replaySession {
		return gen.FlowTypeNone
	}
	return gen.FlowTypeIdempotent
}

// askNegotiate asks the core for a session.
func (l *Link) askNegotiate(c *gen.AuthCredentials, who *key, now fixed.Nanos) {
	q := &l.request
	q.nonce = *c.Nonce()
	n := msg.Negotiation{Key: who.Key, Kind: msg.SessionKind(c.Kind()), Version: min(c.OeVersion(), gen.VersionOrderEntry), Cancel: msg.CancelMode(c.CodMode()),
		CancelFlags: uint16(c.CodFlags()), Window: c.CodWindowMs(), UUID: q.id, Stamp: fixed.Nanos(q.stamp)}
	row, twice := l.roster.reserve(&n, who.Owner, l)
	switch {
	case twice:
		l.rejectNegotiation(gen.NegotiationRejectCodeDuplicateID, "", now)
		return
	case row == nil:
		l.rejectNegotiation(gen.NegotiationRejectCodeUnspecified, "there is no room for another session", now)
		return
	}
	l.row, l.asking, l.until = row, true, now+answerTime
	l.say(msg.Negotiate(n), now)
}

// negotiated is the core's yes. It is answered at the next step: to sign takes long, and who reads events has others to serve.
func (l *Link) negotiated() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.granted = l.state == connected && l.asking
}

// challenge answers a Negotiate by a yes.
func (l *Link) challenge(flow gen.FlowType, by msg.KeyID, now fixed.Nanos) {
	l.state, l.until = negotiated, now+establishTime
	l.roster.terms.Random(l.nonce[:])
	l.nonced = true
	out, block := l.open(gen.TemplateNegotiationResponse, len(gen.NegotiationResponse{}), now)
	m := gen.AsNegotiationResponse(block)
	*m.SessionID() = l.request.id
	m.SetRequestTimestamp(l.request.stamp)
	m.SetServerFlow(flow)
	var room [256]byte
	who := l.roster.keys.get(by)
	challenge := l.roster.keys.challenge(room[:0], out[l.frameAt+wire.MessageAt:], &l.request.nonce, &l.nonce, msg.Ref(who.last.Load()), now)
	l.out = wire.AppendData(out, l.frameAt, challenge)
}

// rejectNegotiation says no to a Negotiate, and ends the connection.
func (l *Link) rejectNegotiation(code gen.NegotiationRejectCode, reason string, now fixed.Nanos) {
	out, block := l.open(gen.TemplateNegotiationReject, len(gen.NegotiationReject{}), now)
	m := gen.AsNegotiationReject(block)
	*m.SessionID() = l.request.id
	m.SetRequestTimestamp(l.request.stamp)
	m.SetCode(code)
	l.out = wire.AppendData(out, l.frameAt, []byte(reason))
	l.end()
}

// establish answers an Establish on a connection that has no session yet, or has negotiated one.
func (l *Link) establish(m *wire.Message, frame []byte, now fixed.Nanos) {
	e := gen.AsEstablish(m.Block)
	l.request = logonRequest{id: *e.SessionID(), stamp: e.Timestamp(), keepalive: e.KeepaliveInterval()}
	no := func(code gen.EstablishmentRejectCode, reason string) {
		l.rejectEstablishment(code, reason, now)
		l.end()
	}
	c, who := l.credentials(m, frame)
	if c == nil || l.nonced && *c.Nonce() != l.nonce {
		l.failed = true
		no(gen.EstablishmentRejectCodeCredentials, "")
		return
	}
	row, listens := l.roster.find(e.SessionID()), l.roster.listener(e.SessionID())
	keepalive := fixed.Nanos(e.KeepaliveInterval()) * fixed.Millisecond
	switch {
	case row == nil && listens == nil || l.row != nil && l.row != row || l.listens != nil && l.listens != listens:
		no(gen.EstablishmentRejectCodeUnnegotiated, "")
	case listens != nil && (listens.key != who.Key || listens.kind != msg.SessionKind(c.Kind())):
		l.failed = true
		no(gen.EstablishmentRejectCodeCredentials, "")
	case row != nil && (row.terms.Key != who.Key || row.terms.Kind != msg.SessionKind(c.Kind()) || !who.permits(row.terms.Kind)):
		l.failed = true
		no(gen.EstablishmentRejectCodeCredentials, "")
	case !timely(e.Timestamp(), &who, now):
		no(gen.EstablishmentRejectCodeUnspecified, reasonClock)
	case c.ShardID() != l.roster.terms.Shard:
		no(gen.EstablishmentRejectCodeUnspecified, "another shard")
	case keepalive < keepaliveMin || keepalive > keepaliveMax:
		no(gen.EstablishmentRejectCodeKeepaliveInterval, "expected 100 to 60000 ms")
	case listens != nil:
		l.establishListener(listens, c.Takeover() == gen.YesNoYes, now)
	case c.Takeover() != gen.YesNoYes && l.roster.rival(row) != nil, !l.roster.ask(row, l, e.Timestamp()):
		no(gen.EstablishmentRejectCodeAlreadyEstablished, "")
	default:
		l.request.takeOver = c.Takeover() == gen.YesNoYes
		l.row, l.keepalive, l.asking, l.until = row, keepalive, true, now+answerTime
		l.say(l.request.bind(row), now)
	}
}

// bound is the core's yes: from here on reports go to this connection. false when it is over already.
func (l *Link) bound(b *msg.Bound, now fixed.Nanos) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state >= established || !l.asking {
		return false
	}
	l.asking, l.state, l.nonced = false, established, false
	l.next, l.heard = b.Server, now
	l.row.client = b.Client
	l.row.link.Store(l)
	l.stream.Widen(linkBuffer, wire.MaxInbound)
	l.acknowledge(b.Server, now)
	return true
}

// acknowledge answers an Establish by a yes.
func (l *Link) acknowledge(next uint64, now fixed.Nanos) {
	_, block := l.open(gen.TemplateEstablishmentAck, len(gen.EstablishmentAck{}), now)
	m := gen.AsEstablishmentAck(block)
	*m.SessionID() = l.request.id
	m.SetRequestTimestamp(l.request.stamp)
	m.SetKeepaliveInterval(l.request.keepalive)
	m.SetNextSeqNo(next)
}

// bindAgain says the Bind once more at the next step: orders of the last connection are still being taken out.
func (l *Link) bindAgain(now fixed.Nanos) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rebind = l.asking && l.state < established
}

// refused is the core's no.
func (l *Link) refused(negotiation bool, reject msg.Reject, now fixed.Nanos) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state >= established || !l.asking {
		return
	}
	l.asking = false
	n, e, reason := logonFault(reject)
	if negotiation {
		l.rejectNegotiation(n, reason, now)
		return
	}
	l.rejectEstablishment(e, reason, now)
	l.end()
}

// rejectEstablishment says no to an Establish.
func (l *Link) rejectEstablishment(code gen.EstablishmentRejectCode, reason string, now fixed.Nanos) {
	out, block := l.open(gen.TemplateEstablishmentReject, len(gen.EstablishmentReject{}), now)
	m := gen.AsEstablishmentReject(block)
	*m.SessionID() = l.request.id
	m.SetRequestTimestamp(l.request.stamp)
	m.SetCode(code)
	l.out = wire.AppendData(out, l.frameAt, []byte(reason))
}
