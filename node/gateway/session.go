package gateway

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// The messages of the session layer, on a connection that has a session or wants one (W-16 to W-27).

// session takes a session message.
func (l *Link) session(frame []byte, now fixed.Nanos) {
	m, fault := wire.Open(frame)
	switch {
	case fault.Kind != 0 && l.state < established:
		l.end()
	case fault.Kind != 0:
		l.illegal(now)
	case l.state == closing:
		if m.Template == gen.TemplateTerminate {
			l.end()
		}
	case l.state == established && l.listens != nil:
		l.listening(&m, now)
	case l.state == established:
		l.inSession(&m, now)
	case m.Template == gen.TemplateNegotiate && l.state == connected:
		l.negotiate(&m, frame, now)
	case m.Template == gen.TemplateEstablish:
		l.establish(&m, frame, now)
	default:
		l.illegal(now)
	}
}

// inSession takes one of an established session.
func (l *Link) inSession(m *wire.Message, now fixed.Nanos) {
	numbered := l.row.terms.Kind != msg.DropCopy
	switch m.Template {
	case gen.TemplateSequence:
		if !numbered || l.finish != lives {
			l.illegal(now)
			return
		}
		l.sequence(gen.AsSequence(m.Block).NextSeqNo(), now)
		return
	case gen.TemplateUnsequencedHeartbeat:
		if numbered {
			l.illegal(now)
		}
		return
	}
	l.sequenced = false
	switch m.Template {
	case gen.TemplateRetransmitRequest:
		l.retransmit(gen.AsRetransmitRequest(m.Block), now)
	case gen.TemplateTerminate:
		l.terminated(now)
	case gen.TemplateEstablish:
		e := gen.AsEstablish(m.Block)
		l.request = logonRequest{id: *e.SessionID(), stamp: e.Timestamp()}
		l.rejectEstablishment(gen.EstablishmentRejectCodeAlreadyEstablished, "", now)
		l.resume(now)
	case gen.TemplateFinishedSending:
		l.finishedSending(gen.AsFinishedSending(m.Block), now)
	case gen.TemplateFinishedReceiving:
		if l.finish != bothEnd || *gen.AsFinishedReceiving(m.Block).SessionID() != l.row.terms.UUID {
			l.illegal(now)
			return
		}
		l.finish = finished
	default:
		l.illegal(now)
	}
}

// sequence takes the number that the client's next message has (W-17, W-18).
func (l *Link) sequence(next uint64, now fixed.Nanos) {
	row := l.row
	switch {
	case next < row.client || next-row.client >= 1<<32:
		l.terminate(gen.TerminationCodeUnspecifiedError, reasonLower, msg.UnbindTerminated, now)
		return
	case next > row.client:
		l.miss(next, now)
	}
	l.sequenced = true
}

// miss says that numbers up to one will not come.
func (l *Link) miss(next uint64, now fixed.Nanos) {
	row := l.row
	l.say(msg.Miss(msg.Missing{Session: row.id, From: row.client, Count: next - row.client}), now)
	row.client = next
}

// resume goes back to numbered messages after one of the session layer.
func (l *Link) resume(now fixed.Nanos) {
	_, block := l.open(gen.TemplateSequence, len(gen.Sequence{}), now)
	gen.AsSequence(block).SetNextSeqNo(l.next)
}

// heartbeat says that the venue is there.
func (l *Link) heartbeat(now fixed.Nanos) {
	switch {
	case l.listens != nil:
		l.pulse(now)
	case l.finish == bothEnd:
		l.sayFinished(now)
	default:
		l.resume(now)
	}
}

// terminated answers the client's Terminate; the client closes then (W-26).
func (l *Link) terminated(now fixed.Nanos) {
	switch l.finish {
	case lives:
		l.terminate(gen.TerminationCodeFinished, "", msg.UnbindTerminated, now)
	case finished:
		l.terminate(gen.TerminationCodeFinished, "", msg.UnbindTerminated, now)
		l.say(msg.Finalize(l.row.id), now)
	default:
		l.terminate(gen.TerminationCodeUnspecifiedError, reasonIllegal, msg.UnbindTerminated, now)
	}
}

// finishedSending takes the end of the client's messages; it may come again as a heartbeat.
func (l *Link) finishedSending(m *gen.FinishedSending, now fixed.Nanos) {
	last := m.LastSeqNo()
	if *m.SessionID() != l.row.terms.UUID {
		l.illegal(now)
		return
	}
	if l.finish != lives {
		return
	}
	if l.row.terms.Kind != msg.DropCopy && last != wire.NoTime {
		next := last + 1
		switch {
		case next < l.row.client || next-l.row.client >= 1<<32:
			l.terminate(gen.TerminationCodeUnspecifiedError, reasonLower, msg.UnbindTerminated, now)
			return
		case next > l.row.client:
			l.miss(next, now)
		}
	}
	l.finish = clientEnd
	l.winding(now)
}

// winding goes on with the end of a session: once all is answered that the client has sent, the venue has nothing more to say.
func (l *Link) winding(now fixed.Nanos) {
	if l.finish != clientEnd || l.blocked() || l.row.answered.Load()+1 != l.row.client {
		return
	}
	_, block := l.open(gen.TemplateFinishedReceiving, len(gen.FinishedReceiving{}), now)
	*gen.AsFinishedReceiving(block).SessionID() = l.row.terms.UUID
	l.finish = bothEnd
	l.sayFinished(now)
}

// sayFinished says that no more reports will come.
func (l *Link) sayFinished(now fixed.Nanos) {
	_, block := l.open(gen.TemplateFinishedSending, len(gen.FinishedSending{}), now)
	m := gen.AsFinishedSending(block)
	*m.SessionID() = l.row.terms.UUID
	m.SetLastSeqNo(l.next - 1)
}

// request is a retransmission that a client has asked for.
type request struct {
	row   *Row
	stamp uint64
	from  uint64
	count int
}

// Of one retransmission (W-22).
const (
	requestMax = 2000 // messages that may be asked for
	batchMax   = 64   // messages that are sent at once
)

// retransmit takes a RetransmitRequest (W-22, W-23).
func (l *Link) retransmit(m *gen.RetransmitRequest, now fixed.Nanos) {
	from, count := m.FromSeqNo(), m.Count()
	no := func(code gen.RetransmitRejectCode) { l.rejectRetransmission(m.SessionID(), m.Timestamp(), code, now) }
	if l.recalling != nil {
		l.terminate(gen.TerminationCodeReRequestInProgress, "", msg.UnbindTerminated, now)
		return
	}
	row, next := l.row, l.next
	if *m.SessionID() != row.terms.UUID {
		row = l.roster.find(m.SessionID())
		if row == nil || row.terms.Key != l.row.terms.Key || row.terms.Kind != l.row.terms.Kind {
			no(gen.RetransmitRejectCodeInvalidSession)
			return
		}
		row.mu.Lock()
		next = row.tail.next
		row.mu.Unlock()
	}
	switch {
	case count < 1 || count > requestMax:
		no(gen.RetransmitRejectCodeRequestLimitExceeded)
	case from >= next || uint64(count) > next-from:
		l.terminate(gen.TerminationCodeReRequestOutOfBounds, "", msg.UnbindTerminated, now)
	case from == 0:
		no(gen.RetransmitRejectCodeOutOfRange)
	default:
		l.recalling = &request{row, m.Timestamp(), from, int(min(count, batchMax))}
		if !l.recalled(now) && !l.roster.terms.Recall {
			l.recalling = nil
			no(gen.RetransmitRejectCodeOutOfRange)
		}
	}
}

// Wants is what has to be brought about again before the request under way can be answered: reports of a session from a number on, up to
// where its tail begins at the latest.
func (l *Link) Wants() (row *Row, from uint64, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.recalling == nil || l.state != established {
		return nil, 0, false
	}
	return l.recalling.row, l.recalling.from, true
}

// Recalled answers the request under way, after the row has been given what it wanted, or was found to be gone.
func (l *Link) Recalled(now fixed.Nanos) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.recalling == nil || l.state != established || l.recalled(now) {
		return
	}
	q := l.recalling
	l.recalling = nil
	l.rejectRetransmission(&q.row.terms.UUID, q.stamp, gen.RetransmitRejectCodeOutOfRange, now)
}

// recalled answers the request under way where the reports are at hand.
func (l *Link) recalled(now fixed.Nanos) bool {
	q := l.recalling
	q.row.mu.Lock()
	defer q.row.mu.Unlock()
	frames, ok := q.row.again(l.again[:0], q.from, q.count)
	if l.again = frames[:0]; !ok {
		return false
	}
	l.recalling = nil
	_, block := l.open(gen.TemplateRetransmission, len(gen.Retransmission{}), now)
	m := gen.AsRetransmission(block)
	*m.SessionID() = q.row.terms.UUID
	m.SetRequestTimestamp(q.stamp)
	m.SetNextSeqNo(q.from)
	m.SetCount(uint32(q.count))
	l.out = append(l.out, frames...)
	l.resume(now)
	return true
}

// rejectRetransmission says that nothing is sent again.
func (l *Link) rejectRetransmission(id *[16]byte, stamp uint64, code gen.RetransmitRejectCode, now fixed.Nanos) {
	out, block := l.open(gen.TemplateRetransmitReject, len(gen.RetransmitReject{}), now)
	m := gen.AsRetransmitReject(block)
	*m.SessionID() = *id
	m.SetRequestTimestamp(stamp)
	m.SetCode(code)
	l.out = wire.AppendData(out, l.frameAt, nil)
	l.resume(now)
}
