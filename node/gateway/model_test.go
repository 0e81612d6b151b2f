package gateway

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/ring"
)

// model is the core as the gateway sees it, in a few lines: sessions and their numbers, and an answer to whatever comes. It takes any
// order and trades nothing. Tests that are about the protocol alone run against it, and those of the whole exchange against the engine.
type model struct {
	lanes    *ring.FanIn[msg.Request]
	out      *ring.Ring[msg.Event]
	seq      msg.Seq
	sessions [16]modelSession
	stamps   map[msg.KeyID]fixed.Nanos
	last     map[msg.KeyID]msg.Ref
	refuses  msg.Reject // of the next Bind
	log      []msg.Request
}

type modelSession struct {
	msg.Negotiation
	negotiated, bound, final bool
	client, server           uint64
}

// Poll applies what waits, up to 32 commands.
func (m *model) Poll(fixed.Nanos) int {
	n := 0
	for ; n < 32; n++ {
		r := m.lanes.Next()
		if r == nil {
			break
		}
		m.seq++
		m.log = append(m.log, *r)
		m.apply(r)
	}
	m.lanes.Release()
	m.out.Publish()
	return n
}

func (m *model) say(kind msg.EventKind, session msg.SessionID, r *msg.Request) *msg.Event {
	ev := m.out.Claim()
	*ev = msg.Event{Seq: m.seq, Time: r.Time, Ref: r.Ref, Account: r.Account, Instr: r.Instr, Session: session, Kind: kind}
	return ev
}

func (m *model) no(reject msg.Reject, session msg.SessionID, r *msg.Request) {
	ev := m.say(msg.Rejected, session, r)
	ev.Reject = reject
	ev.SetRefusal(msg.Refusal{Asked: r.Kind})
}

// tell is a report to a session.
func (m *model) tell(kind msg.EventKind, s *modelSession, r *msg.Request) *msg.Event {
	s.server++
	return m.say(kind, s.Session, r)
}

func (m *model) apply(r *msg.Request) {
	switch {
	case r.Kind == msg.KindSetKey:
		m.say(msg.KeySet, 0, r).Rare = r.Rare
	case r.Kind.AboutSession():
		m.administer(r)
	default:
		m.answer(r)
	}
}

func (m *model) administer(r *msg.Request) {
	s := &m.sessions[r.Meant()]
	switch r.Kind {
	case msg.KindNegotiate:
		n := r.Negotiation()
		if n.Stamp <= m.stamps[n.Key] {
			m.no(msg.RejectStaleSendingTime, n.Session, r)
			return
		}
		m.stamps[n.Key] = n.Stamp
		*s = modelSession{Negotiation: n, negotiated: true, client: 1, server: 1}
		m.say(msg.SessionNegotiated, n.Session, r).Rare = r.Rare
	case msg.KindBind:
		b := r.Binding()
		reject := m.refuses
		m.refuses = 0
		switch {
		case reject != 0:
		case b.Stamp <= m.stamps[s.Key]:
			reject = msg.RejectStaleSendingTime
		case s.final || !s.negotiated:
			reject = msg.RejectNotPermitted
		case s.bound && !b.TakeOver:
			reject = msg.RejectModeConflict
		}
		if reject != 0 {
			m.no(reject, s.Session, r)
			return
		}
		m.stamps[s.Key], s.bound = b.Stamp, true
		m.say(msg.SessionBound, s.Session, r).SetBound(msg.Bound{Client: s.client, Server: s.server, Last: m.last[s.Key], Stamp: b.Stamp})
	case msg.KindUnbind:
		if !s.bound {
			m.no(msg.RejectNotPermitted, s.Session, r)
			return
		}
		s.bound = false
		u := msg.Unbound{Why: r.Unbinding().Why}
		if s.Window > 0 {
			u.Goes, u.Grace = true, r.Time+fixed.Nanos(s.Window)*fixed.Millisecond
		}
		m.say(msg.SessionUnbound, s.Session, r).SetUnbound(u)
	case msg.KindEndGrace:
		m.say(msg.GraceEnded, s.Session, r)
	case msg.KindFinalize:
		s.final = true
		m.say(msg.SessionFinalized, s.Session, r)
	case msg.KindMiss:
		missing := r.Missing()
		if missing.From != s.client {
			m.no(msg.RejectSequenceMismatch, s.Session, r)
			return
		}
		s.client += missing.Count
		m.tell(msg.MessagesMissed, s, r).SetMissing(missing)
	}
}

// answer answers a message of a client.
func (m *model) answer(r *msg.Request) {
	if r.Session == 0 {
		return
	}
	s := &m.sessions[r.Session]
	if r.Envelope().SeqNum != uint32(s.client) || !s.bound {
		m.no(msg.RejectSequenceMismatch, s.Session, r)
		return
	}
	s.client++
	m.last[s.Key] = max(m.last[s.Key], r.Ref)
	m.say(msg.Received, s.Session, r).SetReceived(r)
	switch r.Kind {
	case msg.KindRefuse:
		f := r.Refused()
		ev := m.tell(msg.Rejected, s, r)
		ev.Reject = f.Reject
		ev.SetRefusal(msg.Refusal{Limit: f.Limit, Actual: f.Actual, Asked: msg.KindRefuse, Field: f.Field})
	case msg.KindLimit, msg.KindMarket, msg.KindPlace:
		ev := m.tell(msg.Accepted, s, r)
		ev.Order, ev.Price, ev.Qty, ev.Side = msg.OrderID(m.seq), r.Price, r.Qty, r.Side
	case msg.KindCancelAll:
		m.tell(msg.MassCanceled, s, r).Rare = msg.SetEntry(r.Account, r.Instr, msg.Entry{Scope: msg.ScopeAccount}).Rare
	case msg.KindSetEntry:
		m.tell(msg.EntryChanged, s, r).Rare = r.Rare
	default:
		ev := m.tell(msg.Rejected, s, r)
		ev.Reject = msg.RejectUnknownOrder
		ev.SetRefusal(msg.Refusal{Asked: r.Kind})
	}
}
