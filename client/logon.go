package client

import (
	"time"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// Logging in. A new session is negotiated and established, with a challenge of the venue's in between:
//
//	Negotiate(id, credentials, our nonce)        -->
//	                                             <--  NegotiationResponse(challenge: its nonce, its signature)
//	Establish(id, credentials, its nonce)        -->
//	                                             <--  EstablishmentAck(number of its next message)
//	RetransmitRequest, where something is missing, and Sequence(number of our next request)  -->
//
// A session that the venue knows begins with Establish, under a nonce of our own.

// negotiate opens a new session.
func (s *Session) negotiate() {
	s.config.Random(s.id[:])
	s.id[6], s.id[8] = s.id[6]&0x0F|0x40, s.id[8]&0x3F|0x80 // RFC 4122, version 4
	s.config.Random(s.nonce[:])
	s.state, s.named = negotiating, true
	start := len(s.out)
	m := gen.AsNegotiate(s.put(gen.TemplateNegotiate, len(gen.Negotiate{})))
	*m.SessionID() = s.id
	m.SetTimestamp(s.timestamp())
	m.SetClientFlow(s.flow.client)
	s.putCredentials(start, &s.nonce)
}

// establish binds the session to the connection. challenge is the venue's nonce; nil: it was negotiated on an earlier one.
func (s *Session) establish(challenge *[32]byte) {
	if challenge == nil {
		s.config.Random(s.nonce[:])
		challenge = &s.nonce
	}
	s.state, s.began = establishing, s.now
	start := len(s.out)
	m := gen.AsEstablish(s.put(gen.TemplateEstablish, len(gen.Establish{})))
	*m.SessionID() = s.id
	m.SetTimestamp(s.timestamp())
	m.SetKeepaliveInterval(uint32(s.config.Keepalive / time.Millisecond))
	m.SetNextSeqNo(wire.NoTime)
	s.putCredentials(start, challenge)
	s.taking = true // from now on it may be bound, whatever we learn of it
}

// putCredentials ends the frame that began at start with credentials that are signed together with it.
func (s *Session) putCredentials(start int, nonce *[32]byte) {
	c := &s.config
	var b [credentialsSize]byte
	gen.Header{Block: uint16(len(gen.AuthCredentials{})), Template: gen.TemplateAuthCredentials, Schema: gen.SchemaCredentials, Version: gen.VersionCredentials}.Put((*[8]byte)(b[:]))
	m := gen.AsAuthCredentials(b[gen.HeaderSize:])
	m.SetKeyID(c.Key.ID)
	*m.Nonce() = *nonce
	m.SetCodWindowMs(uint32(c.Window / time.Millisecond))
	m.SetChannel(c.Channel)
	if c.Protected {
		m.SetCodFlags(gen.CancelOnDisconnectFlagsIncludeProtective)
	}
	m.SetShardID(c.Shard)
	m.SetOeVersion(gen.VersionOrderEntry)
	m.SetMdVersion(gen.VersionMarketData)
	m.SetScheme(gen.SignatureSchemeEd25519)
	m.SetCodMode(c.OnLoss.wire())
	if s.taking {
		m.SetTakeover(gen.YesNoYes)
	}
	m.SetKind(c.Kind)
	copy(m.ClientName()[:], c.Name)
	c.Key.sign(s.out[start+wire.MessageAt:], b[:])
	s.putData(start, b[:])
}

// negotiated takes the venue's answer to Negotiate: it has to be to this one, and to prove who says so.
func (s *Session) negotiated(frame []byte, m *wire.Message) {
	r := gen.AsNegotiationResponse(m.Block)
	challenge, fault := wire.OpenRecord(m.Data)
	switch {
	case s.state != negotiating || *r.SessionID() != s.id || r.RequestTimestamp() != s.stamp:
		s.illegal("NegotiationResponse to no request")
		return
	case fault.Kind != 0 || challenge.Schema != gen.SchemaCredentials || challenge.Template != gen.TemplateVenueChallenge:
		s.illegal("NegotiationResponse without a challenge")
		return
	case r.ServerFlow() != s.flow.server:
		s.illegal("another flow than the kind of session has")
		return
	case !s.config.AnyVenue && !proven(s.config.Venue, frame[wire.MessageAt:m.Offset+len(m.Block)], &s.nonce, m.Data):
		s.final = true
		s.close(ErrVenue)
		return
	}
	c := gen.AsVenueChallenge(challenge.Block)
	if c.MinVersion() > gen.VersionOrderEntry {
		s.final = true
		s.close(ErrVersion)
		return
	}
	if last := c.LastClOrdID(); last < 1<<64-1 {
		s.lastRef = max(s.lastRef, msg.Ref(last))
	}
	s.establish(c.ServerNonce())
}

// acknowledged takes the EstablishmentAck: the session is bound, and what is missing is asked for.
func (s *Session) acknowledged(m *gen.EstablishmentAck) {
	if s.state != establishing || *m.SessionID() != s.id || m.RequestTimestamp() != s.stamp {
		s.illegal("EstablishmentAck to no request")
		return
	}
	next := m.NextSeqNo()
	if s.flow.server != gen.FlowTypeRecoverable {
		next = 0
	} else if next == 0 || next == wire.NoTime || next < s.arrive.expected {
		s.illegal("EstablishmentAck takes numbers back")
		return
	}
	s.state, s.known, s.up = bound, true, true
	s.first = s.next
	s.peer = fixed.Nanos(m.KeepaliveInterval()) * fixed.Nanos(time.Millisecond)
	s.arrive.bind(next)
	s.note(Event{Kind: Bound, Number: next})
	if s.recovering = !s.recovered(); !s.recovering {
		s.note(Event{Kind: Recovered, Number: next})
	}
	s.ask()
	if s.flow.client == gen.FlowTypeIdempotent && !s.arrive.asking {
		s.putSequence()
	}
	if s.finishing {
		s.putFinished()
	}
}

// refused takes the venue's refusal to let the session in. Where it is for good, another attempt would fare no better.
func (s *Session) refused(stage string, code uint8, forGood bool, reason []byte) {
	if s.state != negotiating && s.state != establishing {
		s.illegal("a refusal of a logon that is over")
		return
	}
	if !s.known && (stage == "Negotiate" || gen.EstablishmentRejectCode(code) == gen.EstablishmentRejectCodeUnnegotiated) {
		s.named = false // there is no such session: the next one may be another
		forGood = forGood && stage == "Negotiate"
	}
	s.final = forGood
	r := &Refused{Stage: stage, Code: code, Reason: string(reason)}
	s.note(Event{Kind: LogonRefused, Err: r})
	s.close(r)
}
