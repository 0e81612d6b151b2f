package msg_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// What a constructor of keys and sessions is given, the accessor of its kind gives back, whatever the values.
func TestSessionConstructorAndAccessorAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		agree := func(name string, got, want any) {
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("%s differs (-want +got):\n%s", name, diff)
			}
		}
		key, agreed, binding := drawn[msg.KeyChange](t), drawn[msg.Negotiation](t), drawn[msg.Binding](t)
		missing, refused := drawn[msg.Missing](t), drawn[msg.Refused](t)
		why := msg.Unbinding{Session: drawn[msg.SessionID](t), Why: drawn[msg.Why](t)}
		c := msg.SetKey(key)
		agree("KeyChange", c.KeyChange(), key)
		c = msg.Negotiate(agreed)
		agree("Negotiation", c.Negotiation(), agreed)
		agree("Meant", c.Meant(), agreed.Session)
		c = msg.Bind(binding)
		agree("Binding", c.Binding(), binding)
		agree("Meant", c.Meant(), binding.Session)
		c = msg.Unbind(why.Session, why.Why)
		agree("Unbinding", c.Unbinding(), why)
		agree("Meant", c.Meant(), why.Session)
		deadline := drawn[fixed.Nanos](t)
		c = msg.SetDeadMan(1, deadline)
		agree("Deadline", c.Deadline(), deadline)
		placed, standing := drawn[msg.Ref](t), drawn[msg.Standing](t)
		c = msg.AskOrder(1, 2, placed)
		agree("Placed", c.Placed(), placed)
		c = msg.Miss(missing)
		agree("Missing", c.Missing(), missing)
		agree("Meant", c.Meant(), missing.Session)
		if refused.Reject %= msg.RejectInternal + 1; refused.Reject.Code() == 0 {
			refused.Reject = 0
		}
		c = msg.Refuse(1, 2, 3, 4, refused)
		agree("Refused", c.Refused(), refused)

		e := drawn[msg.Event](t)
		bound, unbound := drawn[msg.Bound](t), drawn[msg.Unbound](t)
		e.SetStanding(standing)
		agree("Standing", e.Standing(), standing)
		e.SetBound(bound)
		agree("Bound", e.Bound(), bound)
		e.SetUnbound(unbound)
		agree("Unbound", e.Unbound(), unbound)
		missing.Session = e.Session
		e.SetMissing(missing)
		agree("Missing", e.Missing(), missing)
	})
}

// An envelope leaves what the kind says alone, and what the kind says leaves the envelope alone: they have no word in common.
func TestEnvelopeHasWordsOfItsOwn(t *testing.T) {
	seen := 0
	for _, c := range commands() {
		if !c.Kind.FromClient() {
			c.Session, c.Rare = 4, msg.Rare{1, 2, 3, 4, 5, 6, 7, 8}
			if got := c.Envelope(); got != (msg.Envelope{}) {
				t.Errorf("%v, which no client sends, has an envelope: %+v", c.Kind, got)
			}
			continue
		}
		seen++
		c.Session = 0
		if got := c.Envelope(); got != (msg.Envelope{}) {
			t.Errorf("%v of session 0 has an envelope: %+v", c.Kind, got)
		}
		c.Session = 4
		c.SetEnvelope(msg.Envelope{})
		bare := c.Rare
		for _, w := range bare[5:] {
			if w != 0 {
				t.Errorf("%v says something in words 5 to 7: %v", c.Kind, bare)
			}
		}
		c.SetEnvelope(envelope)
		if got := c.Envelope(); got != envelope {
			t.Errorf("%v: envelope %+v, want %+v", c.Kind, got, envelope)
		}
		if c.Lines() != 2 {
			t.Errorf("%v of a session has %d lines", c.Kind, c.Lines())
		}
		if [5]uint64(c.Rare[:5]) != [5]uint64(bare[:5]) {
			t.Errorf("%v: the envelope changed what the kind says", c.Kind)
		}
		var copied msg.Request
		if copied.CopyFrom(&c.Request); copied != c.Request {
			t.Errorf("%v: the copy of a session's command differs", c.Kind)
		}
		e := msg.Event{Kind: msg.Received}
		e.SetReceived(&c.Request)
		if got := e.Envelope(); got != envelope {
			t.Errorf("%v: received in envelope %+v, want %+v", c.Kind, got, envelope)
		}
		if got, want := e.Receipt(), (msg.Receipt{Asked: c.Kind, TIF: c.TIF, STP: c.STP, Flags: c.Flags,
			More: c.Kind == msg.KindQuote && c.Quotation().Index+1 < c.Quotation().Count}); got != want {
			t.Errorf("receipt %+v, want %+v", got, want)
		}
	}
	if seen < 12 {
		t.Errorf("%d kinds of clients, want 12 or more", seen)
	}
}

// A report takes a number; what is said of the venue, of its gateway and out of sequence takes none.
func TestReports(t *testing.T) {
	rejected := func(asked msg.Kind, r msg.Reject) msg.Event {
		e := msg.Event{Kind: msg.Rejected, Session: 4, Reject: r}
		e.SetRefusal(msg.Refusal{Asked: asked})
		return e
	}
	for _, c := range []struct {
		name            string
		e               msg.Event
		reports, copies bool
	}{
		{"an order is in", msg.Event{Kind: msg.Accepted, Session: 4}, true, true},
		{"a fill", msg.Event{Kind: msg.Traded, Session: 4}, true, true},
		{"a fill of nobody's session", msg.Event{Kind: msg.Traded}, true, true},
		{"missed messages", msg.Event{Kind: msg.MessagesMissed, Session: 4}, true, false},
		{"a refused order", rejected(msg.KindLimit, msg.RejectNoMark), true, true},
		{"a refusal before the core", rejected(msg.KindRefuse, msg.RejectBadBlock), true, true},
		{"a message out of sequence", rejected(msg.KindLimit, msg.RejectSequenceMismatch), false, false},
		{"a refused binding", rejected(msg.KindBind, msg.RejectModeConflict), false, false},
		{"margin that a session moved", msg.Event{Kind: msg.MarginMoved, Session: 4}, true, true},
		{"margin that a fill moved", msg.Event{Kind: msg.MarginMoved}, false, false},
		{"a margin call", msg.Event{Kind: msg.MarginCall}, true, true},
		{"a receipt", msg.Event{Kind: msg.Received, Session: 4}, false, false},
		{"a binding", msg.Event{Kind: msg.SessionBound, Session: 4}, false, false},
		{"a mark", msg.Event{Kind: msg.MarkUpdated}, false, false},
	} {
		if c.e.Reports() != c.reports || c.e.Copies() != c.copies {
			t.Errorf("%s: reports %v, copies %v, want %v and %v", c.name, c.e.Reports(), c.e.Copies(), c.reports, c.copies)
		}
	}
}
