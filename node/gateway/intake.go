package gateway

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// What a client's business message becomes: a command, always. Where it is refused here the command says so, so that the refusal has its
// place in the sequence and a replay answers the same (W-28):
//
//	number ──> format ──> age ──> version ──> rate ──> rights ──> what the core does not have, tick and lot ──> the core
//	  │          1xx      105       106       200       201              413, 402, 403
//	  └─ another than expected: Terminate, and nothing is consumed
//
// Account, client id and instrument are the core's to ask, between rights and the last: it answers with what comes first (W-59).

// class is what a message draws its rate from.
type class uint8

const (
	orders class = iota
	cancels
	quotes
	entries
	queries
	control
	classes
	free // nothing holds it up
)

// rate is that of a class.
func (r *Rates) of(c class) Rate {
	return [classes]Rate{r.Orders, r.Cancels, r.Quotes, r.Entries, r.Queries, r.Control}[c]
}

// classOf is the class of a message.
func classOf(m *wire.Message) class {
	switch m.Template {
	case gen.TemplateCancel, gen.TemplateMassCancel:
		return cancels
	case gen.TemplateMassQuote:
		return quotes
	case gen.TemplateOrderStatusRequest, gen.TemplateWhatIfMargin:
		return queries
	case gen.TemplateEntryControl:
		if a := gen.AsEntryControl(m.Block).Action(); a == gen.EntryActionBlock || a == gen.EntryActionBlockAndCancel {
			return free
		}
		return control
	case gen.TemplateDeadMan, gen.TemplateMmpConfig, gen.TemplatePositionControl:
		return control
	}
	return orders
}

// ofRisk reports whether a template may come on a session of risk control.
func ofRisk(template uint16) bool {
	return template == gen.TemplateMassCancel || template >= gen.TemplateEntryControl && template <= gen.TemplatePositionControl
}

// business takes a message of schema 7001; false when the lane has no room.
func (l *Link) business(frame []byte, now fixed.Nanos) bool {
	row := l.row
	if !l.sequenced {
		l.terminate(gen.TerminationCodeUnspecifiedError, l.modeReason(), msg.UnbindTerminated, now)
		return true
	}
	var (
		head  wire.Heading
		known bool
		fault wire.Fault
		m     wire.Message
	)
	plain := wire.PlainOrder(frame)
	if plain != nil {
		head, known = headOf(plain), true
	} else if m, fault = wire.Open(frame); fault.Kind == 0 {
		head, known = wire.Head(&m)
	}
	if known && head.SeqNum != uint32(row.client) {
		l.terminate(gen.TerminationCodeUnspecifiedError, reasonNumber, msg.UnbindTerminated, now)
		return true
	}
	n := 1
	if plain == nil && fault.Kind == 0 && known && m.Template == gen.TemplateMassQuote {
		n = min(m.Group.Count, l.row.lane.port.Size())
	}
	slot := l.claim(n)
	if slot == nil {
		return false
	}
	slot.Rare = msg.Rare{} // of an old request
	var no wire.Refusal
	flood, template := false, m.Template
	if plain != nil {
		template = gen.TemplateNewOrder
		no, flood = l.judge(wire.NewOrder(plain, l.roster.scale(head.Instr), slot), orders, 1, &head, now)
		no = l.permit(template, no)
	} else {
		no, flood = l.refusal(&m, fault, &head, known, slot, now)
	}
	if template == gen.TemplateMassQuote && no.Reject == 0 {
		l.quote(&m, &head, slot, now)
	} else {
		l.seal(slot, template, &head, no, now)
	}
	switch {
	case flood:
		l.terminate(gen.TerminationCodeUnspecifiedError, reasonRate, msg.UnbindTerminated, now)
	case no.Reject.Code()/100 == 1 && l.flaw(now):
		l.terminate(gen.TerminationCodeUnspecifiedError, reasonFlaws, msg.UnbindTerminated, now)
	}
	return true
}

// modeReason says why a business message may not come now.
func (l *Link) modeReason() string {
	if l.row.terms.Kind == msg.DropCopy {
		return reasonIllegal
	}
	return reasonMode
}

// headOf is what Head would read of a plain order.
func headOf(o *gen.NewOrder) wire.Heading {
	return wire.Heading{SeqNum: o.SeqNum(), Sending: o.SendingTime(), SendingAt: 3, Ref: msg.Ref(o.ClOrdID()), Instr: msg.InstrumentID(o.InstrumentID()),
		Account: msg.AccountID(o.AccountID())}
}

// refusal makes a request of a message, or says why not.
func (l *Link) refusal(m *wire.Message, fault wire.Fault, head *wire.Heading, known bool, slot *msg.Request, now fixed.Nanos) (no wire.Refusal, flood bool) {
	switch {
	case fault.Kind != 0:
		return wire.Refusal{Reject: fault.Kind.Reject(), Field: wire.NoField, Limit: wire.None, Actual: wire.None}, false
	case !known:
		return wire.Refusal{Reject: msg.RejectUnknownTemplate, Field: wire.NoField, Limit: wire.None, Actual: int64(m.Template)}, false
	}
	no = wire.ToRequest(m, l.row.owner, l.roster.scale(head.Instr), slot)
	if formal := no.Reject != 0 && no.Reject < msg.RejectUnsupportedVersion; !formal && (m.Version < minVersion || m.Version > gen.VersionOrderEntry) {
		return wire.Refusal{Reject: msg.RejectUnsupportedVersion, Field: wire.NoField, Limit: gen.VersionOrderEntry, Actual: int64(m.Version)}, false
	}
	n := int64(1)
	if m.Template == gen.TemplateMassQuote {
		n = int64(m.Group.Count)
		if most := l.row.lane.port.Size(); m.Group.Count > most && no.Reject == 0 { // its entries go into the lane together
			no = wire.Refusal{Reject: msg.RejectNotSupported, Field: wire.NoField, Limit: int64(most), Actual: n}
		}
	}
	no, flood = l.judge(no, classOf(m), n, head, now)
	return l.permit(m.Template, no), flood
}

// permit refuses what may not come in a session of this kind, unless it is refused before.
func (l *Link) permit(template uint16, no wire.Refusal) wire.Refusal {
	if l.row.terms.Kind == msg.RiskControl && !ofRisk(template) && (no.Reject == 0 || no.Reject > msg.RejectNotPermitted) {
		return wire.Refusal{Reject: msg.RejectNotPermitted, Field: wire.NoField, Limit: wire.None, Actual: wire.None}
	}
	return no
}

// judge asks of age and rate, where nothing refuses a message before. n is the entries of a mass quote.
func (l *Link) judge(no wire.Refusal, c class, n int64, head *wire.Heading, now fixed.Nanos) (wire.Refusal, bool) {
	if no.Reject != 0 && no.Reject < msg.RejectStaleSendingTime {
		return no, false
	}
	if s := sending(head.Sending); s != 0 && fixed.Abs(int64(now-s)) > int64(clockSlack) {
		return wire.Refusal{Reject: msg.RejectStaleSendingTime, Field: head.SendingAt, Limit: int64(clockSlack), Actual: int64(now - s)}, false
	}
	if c == free {
		return no, false
	}
	wait, flood := l.row.rates[c].take(now, 1, l.roster.terms.Rates.of(c))
	if c == quotes && wait == 0 {
		var floods bool
		wait, floods = l.row.rates[entries].take(now, n, l.roster.terms.Rates.Entries)
		flood = flood || floods
	}
	if wait > 0 && (no.Reject == 0 || no.Reject > msg.RejectRateLimited) {
		no = wire.Refusal{Reject: msg.RejectRateLimited, Field: wire.NoField, Limit: int64(wait), Actual: wire.None}
	}
	return no, flood
}

// seal makes the slot of a message whole: as the command that it asks for, or as its refusal. The number is consumed.
func (l *Link) seal(slot *msg.Request, template uint16, head *wire.Heading, no wire.Refusal, now fixed.Nanos) {
	row := l.row
	if no.Reject != 0 {
		f := msg.Refused{Reject: no.Reject, Limit: no.Limit, Actual: no.Actual, Instead: wire.KindOf(template)}
		if no.Field != wire.NoField {
			f.Field = no.Field + 1
		}
		c := msg.Refuse(head.Ref, head.Account, head.Instr, head.Order, f)
		slot.CopyFrom(&c.Request)
	}
	slot.Session, slot.Time = row.id, now
	slot.SetEnvelope(msg.Envelope{SeqNum: uint32(row.client), Template: template, Ingress: now, Sending: sending(head.Sending)})
	row.client++
}

// quote makes the slots of a mass quote whole, entry by entry, one behind the other: there is room for all of them. The number is consumed.
func (l *Link) quote(m *wire.Message, head *wire.Heading, slot *msg.Request, now fixed.Nanos) {
	env := msg.Envelope{SeqNum: uint32(l.row.client), Template: m.Template, Ingress: now, Sending: sending(head.Sending)}
	for i := range m.Group.Count {
		if i > 0 {
			slot = l.lane.port.Claim()
		}
		wire.QuoteEntry(m, i, l.roster.scale(wire.QuoteInstrument(m, i)), slot)
		slot.Session, slot.Time = l.row.id, now
		slot.SetEnvelope(env)
	}
	l.row.client++
}

// sending is the time that a client says; 0: it does not.
func sending(t uint64) fixed.Nanos {
	if t >= 1<<63 {
		return 0
	}
	return fixed.Nanos(t)
}

// flaw counts a format error; true at the tenth within a second.
func (l *Link) flaw(now fixed.Nanos) bool {
	oldest := &l.flaws[l.flawed%flawsMax]
	full := l.flawed >= flawsMax-1
	first := l.flaws[(l.flawed+1)%flawsMax]
	*oldest = now
	l.flawed++
	return full && now-first < flawTime
}
