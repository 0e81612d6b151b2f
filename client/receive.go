package client

import (
	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// What the venue says is numbered, and shown in the order of the numbers without a gap. After a loss some of it is missing; it is
// asked for in batches, while the connection goes on bringing the newest:
//
//	numbers   ... shown | asked for ... | not asked yet ... | held, as they came live ... | dropped for want of room | next live
//	                    ^expected                           ^heldFirst                                                 ^live
//
// The held ones are shown once everything before them has been; those that were dropped are then asked for like any other gap.
//
// Invariant: expected <= heldFirst <= live where anything is held; one request is out at most.
type arrival struct {
	expected  uint64 // the number of the next message to be shown; 0: none has been asked for yet
	live      uint64 // the number of the next message that comes live
	target    uint64 // what the acknowledgment of the binding said: all below it is from before
	asking    bool   // a RetransmitRequest is out, or its messages are coming
	wanted    uint64 // how many were asked for
	stamped   uint64 // the request's Timestamp
	repeating uint64 // messages that are still to come again
	repeated  bool   // the request has been answered: the next Sequence ends it
	repeat    uint64 // the number of the next of them

	held      []byte // frames, one behind another
	heldAt    int    // of the next one to be shown
	heldFirst uint64 // its number
	heldCount uint64
}

// disconnect forgets what belongs to a connection.
func (a *arrival) disconnect() {
	a.asking, a.repeating, a.repeated = false, 0, false
	a.held, a.heldAt, a.heldCount = a.held[:0], 0, 0
}

// bind begins a binding in which the next live message has a number.
func (a *arrival) bind(next uint64) {
	if a.expected == 0 {
		a.expected = next
	}
	a.live, a.target = next, next
}

// hold keeps a live message that comes before its turn, where it follows what is held and fits.
func (a *arrival) hold(number uint64, frame []byte) {
	if a.heldCount == 0 {
		a.held, a.heldAt, a.heldFirst = a.held[:0], 0, number
	}
	if number == a.heldFirst+a.heldCount && len(a.held)+len(frame) <= cap(a.held) {
		a.held = append(a.held, frame...)
		a.heldCount++
	}
}

// due is the held frame whose turn it is; nil where there is none.
func (a *arrival) due() []byte {
	if a.heldCount == 0 || a.heldFirst != a.expected {
		return nil
	}
	rest := a.held[a.heldAt:]
	size, _ := wire.NextFrame(rest, wire.MaxOutbound)
	a.heldAt += size
	a.heldFirst++
	a.heldCount--
	return rest[:size:size]
}

// missing is how many messages from expected on are to be asked for.
func (a *arrival) missing() uint64 {
	if a.heldCount > 0 {
		return a.heldFirst - a.expected
	}
	return a.live - a.expected
}

// ask asks for what is missing. The numbers of the requests are told anew behind it (W-17).
func (s *Session) ask() {
	a := &s.arrive
	if s.flow.server != gen.FlowTypeRecoverable || a.asking || s.state != bound || a.missing() == 0 {
		return
	}
	a.asking, a.wanted, a.stamped = true, min(a.missing(), s.flow.batch), s.timestamp()
	m := gen.AsRetransmitRequest(s.put(gen.TemplateRetransmitRequest, len(gen.RetransmitRequest{})))
	*m.SessionID() = s.id
	m.SetTimestamp(a.stamped)
	m.SetFromSeqNo(a.expected)
	m.SetCount(uint32(a.wanted))
	if s.flow.client == gen.FlowTypeIdempotent {
		s.putSequence()
	}
}

// Next is the next event, nil when there is none until more bytes, time or requests come. The event and what it points to are
// good until the next call.
func (s *Session) Next() *Event {
	s.orders.sweep()
	for {
		switch {
		case s.gap.count > 0:
			return s.tellGap()
		case len(s.notes) > 0:
			s.event = s.notes[0]
			s.notes = s.notes[:copy(s.notes, s.notes[1:])]
			return &s.event
		case s.recovering && s.recovered():
			s.recovering = false
			s.event = Event{Kind: Recovered, Number: s.arrive.expected}
			return &s.event
		}
		frame, number := s.arrive.due(), s.arrive.expected
		if frame == nil {
			if frame, number = s.arriving(); frame == nil {
				return nil
			}
			if number == nothing {
				continue
			}
		}
		if ev := s.show(frame, number); ev != nil {
			return ev
		}
	}
}

// recovered reports whether everything from before the binding is known.
func (s *Session) recovered() bool {
	return s.state == bound && s.arrive.expected >= s.arrive.target && (s.pending.count() == 0 || s.pending.first >= s.first)
}

// nothing is the number of a frame that there is nothing to show of.
const nothing = 1<<64 - 1

// arriving takes the next frame off the connection: what is numbered and has its turn is returned with its number, all else
// is dealt with.
func (s *Session) arriving() (frame []byte, number uint64) {
	if s.state == idle || s.state == closing {
		return nil, 0
	}
	frame, fault := s.stream.Next()
	if frame == nil {
		if fault.Kind != 0 {
			s.illegal(fault.Kind.Text())
		}
		return nil, 0
	}
	h := gen.ReadHeader((*[gen.HeaderSize]byte)(frame[wire.MessageAt:]))
	if h.Schema == gen.SchemaSession && h.Template != gen.TemplateApplied && h.Template != gen.TemplateNotApplied {
		s.control(frame)
		return frame, nothing
	}
	if s.state != bound && s.state != terminating {
		s.illegal("a message before the session is bound")
		return frame, nothing
	}
	if s.flow.server == gen.FlowTypeUnsequenced {
		return frame, 0
	}
	return frame, s.number(frame, h)
}

// number gives a frame its number, and nothing to one that has no turn yet or has had it.
func (s *Session) number(frame []byte, h gen.Header) (number uint64) {
	a := &s.arrive
	again := a.repeating > 0
	if again {
		number = a.repeat
		a.repeat++
		a.repeating--
	} else {
		number = a.live
		a.live++
	}
	if h.Schema == gen.SchemaOrderEntry && repeated(frame) != number {
		s.illegal("a report whose number is not the one that it has")
		return nothing
	}
	switch {
	case number == a.expected:
		return number
	case number > a.expected && !again:
		a.hold(number, frame)
		s.ask()
	}
	return nothing
}

// repeated is the number that a report says itself; it is the first field of all of them.
func repeated(frame []byte) uint64 {
	if len(frame) < wire.BlockAt+8 {
		return nothing
	}
	return gen.AsSequence(frame[wire.BlockAt:]).NextSeqNo()
}

// control takes a message of the session itself.
func (s *Session) control(frame []byte) {
	m, fault := wire.Open(frame)
	if fault.Kind != 0 {
		s.illegal(fault.Kind.Text())
		return
	}
	switch m.Template {
	case gen.TemplateNegotiationResponse:
		s.negotiated(frame, &m)
	case gen.TemplateNegotiationReject:
		code := gen.AsNegotiationReject(m.Block).Code()
		s.refused("Negotiate", uint8(code), code != gen.NegotiationRejectCodeUnspecified, m.Data)
	case gen.TemplateEstablishmentAck:
		s.acknowledged(gen.AsEstablishmentAck(m.Block))
	case gen.TemplateEstablishmentReject:
		code := gen.AsEstablishmentReject(m.Block).Code()
		passing := code == gen.EstablishmentRejectCodeUnspecified || code == gen.EstablishmentRejectCodeAlreadyEstablished
		s.refused("Establish", uint8(code), !passing, m.Data)
	case gen.TemplateTerminate:
		s.terminated(&m)
	default:
		if s.state != bound && s.state != terminating {
			s.illegal("a message before the session is bound")
			return
		}
		s.controlBound(&m)
	}
}

// controlBound takes what may come once the session is bound.
func (s *Session) controlBound(m *wire.Message) {
	switch m.Template {
	case gen.TemplateSequence:
		s.sequenced(gen.AsSequence(m.Block).NextSeqNo())
	case gen.TemplateUnsequencedHeartbeat:
	case gen.TemplateRetransmission:
		s.retransmitted(gen.AsRetransmission(m.Block))
	case gen.TemplateRetransmitReject:
		s.notRetransmitted(gen.AsRetransmitReject(m.Block))
	case gen.TemplateFinishedSending:
		s.venueFinished(gen.AsFinishedSending(m.Block))
	case gen.TemplateFinishedReceiving:
		s.received = s.finishing
		s.finish()
	default:
		s.illegal("a message that a venue does not send")
	}
}

// sequenced takes the number of the next live message.
func (s *Session) sequenced(next uint64) {
	a := &s.arrive
	switch {
	case s.flow.server != gen.FlowTypeRecoverable || a.repeating > 0:
		s.illegal("a Sequence that has no place here")
	case next < a.live:
		s.terminate(gen.TerminationCodeUnspecifiedError, "121 sequence lower", &Ended{Reason: "121 sequence lower", Ours: true})
	default:
		a.live = next
		if a.repeated {
			a.asking, a.repeated = false, false
		}
		s.ask()
	}
}

// retransmitted takes the head of messages that come again.
func (s *Session) retransmitted(m *gen.Retransmission) {
	a := &s.arrive
	if !a.asking || a.repeated || m.RequestTimestamp() != a.stamped || m.NextSeqNo() != a.expected || m.Count() == 0 || uint64(m.Count()) > a.wanted {
		s.illegal("a Retransmission that was not asked for")
		return
	}
	a.repeat, a.repeating, a.repeated = m.NextSeqNo(), uint64(m.Count()), true
}

// notRetransmitted gives up what the venue no longer keeps.
func (s *Session) notRetransmitted(m *gen.RetransmitReject) {
	a := &s.arrive
	if !a.asking || a.repeated || m.RequestTimestamp() != a.stamped {
		s.illegal("a RetransmitReject to no request")
		return
	}
	s.note(Event{Kind: Missed, Number: a.expected, Count: a.missing()})
	a.expected += a.missing()
	a.asking = false
	s.ask()
}

// gap is the requests of a NotApplied that are not told yet.
type gap struct{ from, count uint64 }

// tellGap tells of the first of them: of one that the session knows by itself, of others together.
func (s *Session) tellGap() *Event {
	g := &s.gap
	s.event = Event{Kind: NotApplied, Number: g.from, Count: 1}
	if p := s.pending.at(g.from); p != nil {
		s.event.Request = p.request
		s.orders.dropped(p, &s.event)
		s.pending.settle(g.from)
	} else {
		s.event.Count = g.count
		if g.from < s.pending.first {
			s.event.Count = min(g.count, s.pending.first-g.from)
		}
	}
	g.from += s.event.Count
	g.count -= s.event.Count
	return &s.event
}

// show makes the event of a message whose turn it is; nil where there is nothing to tell of it.
func (s *Session) show(frame []byte, number uint64) *Event {
	if number != 0 {
		s.arrive.expected = number + 1
	}
	m, fault := wire.Open(frame)
	switch {
	case fault.Kind == wire.MessageTemplate: // of a newer version: told as it is, for whoever knows it
		m.Block = frame[wire.BlockAt:]
	case fault.Kind != 0:
		s.illegal(fault.Kind.Text())
		return nil
	}
	s.event = Event{Kind: Report, Message: m, Number: number}
	switch {
	case m.Schema == gen.SchemaSession && m.Template == gen.TemplateNotApplied:
		n := gen.AsNotApplied(m.Block)
		s.gap = gap{n.FromSeqNo(), uint64(n.Count())}
		if n.FromSeqNo() > s.next || s.next-n.FromSeqNo() < s.gap.count {
			s.gap = gap{}
			s.illegal("NotApplied of numbers that were never used")
		}
		if s.gap.count == 0 {
			return nil
		}
		return s.tellGap()
	case m.Schema == gen.SchemaOrderEntry && fault.Kind == 0:
		s.follow(&m)
	case m.Schema == gen.SchemaMarketData && fault.Kind == 0 && m.Template == gen.TemplateSnapshotBegin:
		s.answered(gen.TemplateSnapshotRequest, gen.AsSnapshotBegin(m.Block).RequestID())
	}
	s.ask()
	return &s.event
}
