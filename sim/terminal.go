package sim

import (
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"strings"

	sdk "github.com/lockstep-exchange/lockstep/client"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// terminal is one session of a desk: the client that ships (sdk.Session), on one line after another.
//
//	no line ──dial──> line ──> logs in, recovers what it has missed ──> asks ... ──> the line is gone: dials again
//	   ^                         its process ends and begins anew with what it has kept (reborn)
//	   └──────────────────────────── the line may stay behind, and what is under way in it still come
type terminal struct {
	world   *world
	number  int
	desk    *desk
	config  sdk.Config
	session *sdk.Session
	line    *line       // nil: none
	dial    fixed.Nanos // not before it
	deaf    fixed.Nanos // it reads nothing until then
	closing fixed.Nanos // it closes then, whatever is not written; 0: it does not close
	partial bool        // its table lacks orders of an earlier process
	left    bool        // it is going for good
	way     wayOut      // how
	flow    *flow       // its session, from when it was bound first
}

// message is one that was sent in a session: under its number there is one, and one answer.
type message struct {
	ref      msg.Ref
	template uint16
	fate     fate // as the sequence says
	outcome  fate // as its client knows
}

// fate is what became of a message.
type fate uint8

const (
	unknown fate = iota
	came         // the venue had it, and has answered
	lost         // the venue never had it, and never will
)

func (f fate) String() string { return [...]string{"not answered", "answered", "not applied"}[f] }

// message is the one with a number; nil: none was sent.
func (f *flow) message(number uint64) *message {
	if number == 0 || number > uint64(len(f.sent)) {
		return nil
	}
	return &f.sent[number-1]
}

func (t *terminal) actor() int { return t.world.terminalActors + t.number }

// clock is the time of its machine.
func (t *terminal) clock() fixed.Nanos { return t.world.now + t.desk.skew }

// venueKey is the number of the key with which the venue proves itself; those of desks follow it.
const venueKey = 1

// private is the private key of a number.
func private(id uint64) ed25519.PrivateKey {
	var seed [ed25519.SeedSize]byte
	binary.LittleEndian.PutUint64(seed[:], id)
	return ed25519.NewKeyFromSeed(seed[:])
}

// begin makes its process, which goes on with what an earlier one has kept.
func (t *terminal) begin(kept sdk.Resume) {
	t.config.Resume, t.config.Takeover = kept, kept.Session != [16]byte{}
	s, err := sdk.NewSession(t.config)
	if err != nil {
		panic(err)
	}
	t.session = s
}

// act is a step.
func (t *terminal) act() {
	w := t.world
	if t.left {
		t.leave()
	} else if t.line == nil {
		t.connect()
	}
	if l := t.line; l != nil {
		l.down.arrive(w.now)
		if w.now >= t.deaf {
			t.read()
		}
		t.session.Tick(t.clock())
		t.learn()
		t.ask()
		t.write()
		switch {
		case l.down.over(w.now), t.session.Closing() && (len(t.session.Output()) == 0 || t.closing != 0 && w.now >= t.closing):
			t.hang(false)
		case t.session.Closing() && t.closing == 0: // the last word has to be written, but not for ever
			t.closing = w.now + fixed.Nanos(t.config.Patience)
		}
	}
	t.appoint()
}

// appoint makes the next appointment.
func (t *terminal) appoint() {
	w := t.world
	if t.line == nil {
		if !t.left {
			w.agenda.set(t.actor(), max(t.dial, w.now+1))
		}
		return
	}
	at := w.now + 5*fixed.Millisecond + t.pace()
	if due := t.session.Deadline(); due != never {
		at = min(at, due-t.desk.skew)
	}
	if t.desk.wants(t) {
		at = min(at, w.now+t.pace())
	}
	w.agenda.set(t.actor(), max(at, w.now+fixed.Microsecond))
}

// pace is how long it thinks.
func (t *terminal) pace() fixed.Nanos { return t.world.around(t.world.options.Think) }

// connect dials.
func (t *terminal) connect() {
	w := t.world
	if w.now < t.dial {
		return
	}
	t.dial = w.now + w.around(pick(w.chance, fixed.Millisecond, 20*fixed.Millisecond))
	if w.gate.roster == nil || w.now < w.shard.frozen {
		return // refused
	}
	if t.session.Over() {
		t.again()
	}
	for _, l := range w.lines[t.number*linesPerTerminal:][:linesPerTerminal] {
		if l.free() {
			t.desk.skew = w.skew + t.desk.off
			t.line = l
			l.open(t)
			t.session.Connected(t.clock())
			return
		}
	}
}

// again is a new process for a session that does not go on by itself.
func (t *terminal) again() {
	kept := t.session.Resume()
	t.world.reached[sessionOver]++
	if t.flow == nil || t.flow.final || errors.Is(t.session.Err(), sdk.ErrFinished) {
		kept = sdk.Resume{}
		t.flow = nil
	}
	t.partial = true
	t.begin(kept)
}

// reborn is the end of its process, and a new one. What lies on the line stays there, or the line is closed.
func (t *terminal) reborn() {
	w := t.world
	t.learn()
	kept := t.session.Resume()
	if t.flow != nil && kept.Session == [16]byte{} { // it was bound by an earlier process, and not yet by this one
		return
	}
	if t.line != nil {
		t.ask() // its last words are under way when the next one begins
		t.write()
		kept = t.session.Resume()
		t.hang(w.percent(60))
	}
	t.partial = true
	t.begin(kept)
	t.dial = w.now + w.around(pick(w.chance, 10*fixed.Microsecond, 5*fixed.Millisecond))
	w.agenda.set(t.actor(), t.dial)
}

// leave goes for good, in its way. What it finishes it finishes, on a new line where the old one breaks.
func (t *terminal) leave() {
	switch {
	case t.way == finishes && !t.session.Over():
		if t.line == nil {
			t.connect()
		}
		_ = t.session.Finish() // as soon as it is bound
		t.world.agenda.set(t.actor(), t.world.now+fixed.Millisecond)
	case t.line == nil:
	case t.way == closes:
		t.session.Close()
	case t.way == breaks:
		t.hang(false)
	case t.way == dies:
		t.hang(true)
	}
}

// hang gives the line up; silent: nobody is told.
func (t *terminal) hang(silent bool) {
	w := t.world
	l := t.line
	t.line, t.closing = nil, 0
	t.learn()
	t.session.Disconnected(t.clock())
	t.learn()
	l.leave(silent)
	t.dial = w.now + w.around(pick(w.chance, 50*fixed.Microsecond, fixed.Millisecond, 50*fixed.Millisecond))
}

// read takes what has come.
func (t *terminal) read() {
	w, l := t.world, t.line
	for l.down.arrived > 0 {
		room := t.session.Room()
		n := l.down.take(room, w.piece(l.down.arrived))
		if n == 0 {
			return
		}
		t.session.Received(n, t.clock())
		t.learn()
	}
}

// write gives the line what it takes.
func (t *terminal) write() {
	w, l := t.world, t.line
	for b := t.session.Output(); len(b) > 0; b = t.session.Output() {
		n := l.up.write(b, l.travel())
		if l.up.shut {
			n = len(b) // it is broken, and he will hear of it
		}
		if n == 0 {
			break
		}
		t.session.Wrote(n)
	}
	w.agenda.set(l.actor(), max(min(l.up.next(w.now), l.down.next(w.now)), w.now+1))
}

// learn takes what the session has learned.
func (t *terminal) learn() {
	for e := t.session.Next(); e != nil; e = t.session.Next() {
		t.hear(e)
	}
}

// hear takes one event.
func (t *terminal) hear(e *sdk.Event) {
	w := t.world
	switch e.Kind {
	case sdk.Bound:
		if kept := t.session.Resume(); t.flow == nil || t.flow.id != kept.Session {
			t.flow = w.notary.flow(kept.Session)
		}
	case sdk.Report:
		if e.Schema == gen.SchemaOrderEntry && t.config.Kind != gen.SessionKindDropCopy {
			t.reported(e)
		}
	case sdk.NotApplied:
		for n := e.Number; n < e.Number+e.Count; n++ {
			t.settle(n, lost)
		}
		t.desk.dropped(t, e)
	case sdk.Missed:
		w.find("recoverable flow", "%d reports from number %d on cannot be had any more", e.Count, e.Number)
	case sdk.Terminated, sdk.Lost:
		t.honest(e.Err)
	case sdk.LogonRefused:
		w.reached[logonRefused]++
	}
}

// honest holds the venue to it that nothing is found wrong with a client that does what it may, and finds nothing wrong with it.
func (t *terminal) honest(err error) {
	var ended *sdk.Ended
	if !errors.As(err, &ended) {
		return
	}
	for _, code := range [...]string{"104", "121", "122", "123"} {
		if strings.HasPrefix(ended.Reason, code) {
			t.world.find("protocol", "%s: %v", t, ended)
		}
	}
}

// reported finds the message of which a report is the first answer (W-20). It does not ask the session, which may have forgotten it.
func (t *terminal) reported(e *sdk.Event) {
	if t.flow == nil {
		return
	}
	var ref uint64
	var meant func(template uint16) bool
	is := func(these ...uint16) func(uint16) bool {
		return func(template uint16) bool {
			for _, one := range these {
				if one == template {
					return true
				}
			}
			return false
		}
	}
	switch e.Template {
	case gen.TemplateOrderAccepted:
		ref, meant = gen.AsOrderAccepted(e.Block).ClOrdID(), is(gen.TemplateNewOrder, gen.TemplateNewOrderExt)
	case gen.TemplateOrderReplaced:
		ref, meant = gen.AsOrderReplaced(e.Block).ClOrdID(), is(gen.TemplateReplace)
	case gen.TemplateOrderCanceled:
		ref, meant = gen.AsOrderCanceled(e.Block).RequestClOrdID(), is(gen.TemplateCancel, gen.TemplateReplace)
	case gen.TemplateMassCancelReport:
		ref, meant = gen.AsMassCancelReport(e.Block).RequestID(), is(gen.TemplateMassCancel)
	case gen.TemplateOrderStatus:
		ref, meant = gen.AsOrderStatus(e.Block).RequestID(), is(gen.TemplateOrderStatusRequest)
	case gen.TemplateWhatIfResult:
		ref, meant = gen.AsWhatIfResult(e.Block).RequestID(), is(gen.TemplateWhatIfMargin)
	case gen.TemplateMassQuoteAck:
		ref, meant = gen.AsMassQuoteAck(e.Block).QuoteID(), is(gen.TemplateMassQuote)
	case gen.TemplateControlAck:
		ref, meant = gen.AsControlAck(e.Block).RequestID(), is(gen.AsControlAck(e.Block).RefTemplate())
	case gen.TemplateReject:
		t.rejected(gen.AsReject(e.Block))
		return
	default:
		return
	}
	if n := t.flow.find(msg.Ref(ref), meant); n != 0 {
		t.settle(n, came)
	}
}

// find is the number of the message of an id, the first that is not answered where there are several; 0: there is none.
func (f *flow) find(ref msg.Ref, meant func(uint16) bool) (number uint64) {
	for n := len(f.sent); n > 0; n-- {
		if m := &f.sent[n-1]; m.ref == ref && meant(m.template) && (number == 0 || m.outcome == unknown) {
			number = uint64(n)
		}
	}
	return number
}

// rejected finds the message that a Reject refuses: by its number, of which it has the low half.
func (t *terminal) rejected(r *gen.Reject) {
	if r.Code() == gen.RejectCode(msg.RejectStaleSendingTime.Code()) {
		t.desk.skew = t.world.skew + t.desk.off // it sets its clock
	}
	if m := t.flow.message(uint64(r.RefSeqNum())); m != nil && m.template == r.RefTemplate() {
		t.settle(uint64(r.RefSeqNum()), came)
	}
}

// settle notes what has become of a message. It is told once, and as the sequence says.
func (t *terminal) settle(number uint64, what fate) {
	w := t.world
	m := t.flow.message(number)
	switch {
	case m == nil:
		return // of a number that was skipped
	case m.outcome == unknown && m.fate != what:
		w.find("exactly once", "message %d of session %d is %s, and the sequence says %s", number, t.flow.row, what, m.fate)
	case m.outcome != unknown && !m.again(what):
		w.find("exactly once", "message %d of session %d (template %d, id %d) is %s, and was %s before", number, t.flow.row, m.template, m.ref, what, m.outcome)
	}
	m.outcome = what
}

// again reports whether an answer may be followed by another: a mass cancel says when it is done, margin that moves each of its steps, and an
// order that was replaced may have gone by the same message.
func (m *message) again(what fate) bool {
	return what == came && m.outcome == came &&
		(m.template == gen.TemplateMassCancel || m.template == gen.TemplatePositionControl || m.template == gen.TemplateReplace)
}

// ask lets the desk ask for something.
func (t *terminal) ask() {
	w := t.world
	if w.healing || t.left || !t.session.Bound() || t.flow == nil {
		return
	}
	for t.desk.wants(t) {
		before := t.session.Resume().Next
		ref, template, err := t.desk.request(t)
		if after := t.session.Resume().Next; after != before {
			t.flow.sent = append(t.flow.sent, message{ref: ref, template: template})
			if uint64(len(t.flow.sent)) != before {
				w.find("exactly once", "message %d of session %d is sent under number %d", len(t.flow.sent), t.flow.row, before)
			}
		}
		if err != nil || w.percent(70) {
			return
		}
	}
}
