package client

import (
	"strings"

	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// How it ends. A binding ends by Terminate, which is answered in kind and after which whoever began closes; the session itself
// goes on with the next one. A session ends by both sides saying that they have sent all and received all:
//
//	FinishedSending(last number)    -->
//	                                <--  FinishedReceiving
//	                                <--  FinishedSending(last number)
//	FinishedReceiving, Terminate    -->
//	                                <--  Terminate

// Close ends the binding; the session can be bound again by another program that has its Resume.
func (s *Session) Close() {
	s.goodbye = true
	switch s.state {
	case bound:
		s.terminate(gen.TerminationCodeFinished, "", ErrClosed)
	case idle:
		s.err, s.final = ErrClosed, true
	default:
		s.close(ErrClosed)
	}
}

// Finish ends the session for good, once all that either side has sent has been received. It takes no more requests.
func (s *Session) Finish() error {
	if s.state != bound {
		return ErrNotBound
	}
	if !s.finishing {
		s.finishing = true
		if s.flow.client == gen.FlowTypeNone {
			s.received = true
		}
		s.putFinished()
	}
	return nil
}

// putFinished says that no more requests follow.
func (s *Session) putFinished() {
	m := gen.AsFinishedSending(s.put(gen.TemplateFinishedSending, len(gen.FinishedSending{})))
	*m.SessionID() = s.id
	m.SetLastSeqNo(s.next - 1)
	if s.flow.client == gen.FlowTypeNone {
		m.SetLastSeqNo(wire.NoTime)
	}
}

// venueFinished takes that the venue has said all. It is answered once all of it has been shown; until then the venue repeats it.
func (s *Session) venueFinished(m *gen.FinishedSending) {
	if last := m.LastSeqNo(); s.flow.server == gen.FlowTypeRecoverable && last != wire.NoTime {
		if last+1 < s.arrive.live {
			s.illegal("FinishedSending takes numbers back")
			return
		}
		if s.arrive.live = last + 1; s.arrive.missing() > 0 || s.arrive.heldCount > 0 {
			s.ask()
			return
		}
	}
	*gen.AsFinishedReceiving(s.put(gen.TemplateFinishedReceiving, len(gen.FinishedReceiving{}))).SessionID() = s.id
	s.finished = true
	s.finish()
}

// finish terminates a session that both sides have finished.
func (s *Session) finish() {
	if !s.finishing || !s.received || !s.finished || s.state != bound {
		return
	}
	s.final = true
	s.note(Event{Kind: Finished})
	s.terminate(gen.TerminationCodeFinished, "", ErrFinished)
}

// terminate ends the binding from our side.
func (s *Session) terminate(code gen.TerminationCode, reason string, why error) {
	s.err = why
	s.putTerminate(code, reason)
	s.state, s.began = terminating, s.now
}

func (s *Session) putTerminate(code gen.TerminationCode, reason string) {
	m := gen.AsTerminate(s.put(gen.TemplateTerminate, len(gen.Terminate{})))
	*m.SessionID() = s.id
	m.SetCode(code)
	s.putData(len(s.out)-wire.BlockAt-len(gen.Terminate{}), []byte(reason))
}

// terminated takes a Terminate: the answer to ours, or the venue's own, which is answered.
func (s *Session) terminated(m *wire.Message) {
	t := gen.AsTerminate(m.Block)
	if s.state == terminating {
		s.close(s.err)
		return
	}
	e := &Ended{Code: t.Code(), Reason: string(m.Data)}
	if s.state == bound {
		s.putTerminate(gen.TerminationCodeFinished, "")
	}
	s.final = s.final || e.forGood()
	s.note(Event{Kind: Terminated, Err: e})
	s.close(e)
}

// forGood reports whether a session that is ended so is not to be bound again by itself: another program has taken it, or the
// client has done what it must not, and would do it again.
func (e *Ended) forGood() bool {
	for _, code := range [...]string{"104", "121", "122", "123", "124", "126"} {
		if strings.HasPrefix(e.Reason, code) {
			return true
		}
	}
	return false
}

// illegal ends the binding since the venue says what it must not.
func (s *Session) illegal(what string) {
	e := &Ended{Code: gen.TerminationCodeUnspecifiedError, Reason: "123 " + what, Ours: true}
	if s.state == bound {
		s.putTerminate(e.Code, e.Reason)
	}
	s.close(e)
}

// close ends the binding without waiting for anybody.
func (s *Session) close(why error) {
	s.err = why
	s.state = closing
}
