package gateway

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// How events become reports. One reader of the node calls Hear with each released event and Touched when there are no more, which gives
// the connections that have something to send:
//
//	event ──> scribe: a frame, once ──> the session that it names ──> tail, under its next number ──> link
//	                                ──> the session that has asked, where it names another
//	                                ──> each drop copy of its owner ──> tail, under its next number ──> link

// scribe writes reports. What an event's command said comes ahead of it in a Received; so a frame is a function of the events.
type scribe struct {
	seq     msg.Seq
	session msg.SessionID
	asked   msg.Request
	env     msg.Envelope
	answers [msg.QuoteMax]msg.Event // of the mass quote that is being answered, which make one report
}

// note remembers the command that is being answered.
func (s *scribe) note(ev *msg.Event) {
	if ev.Kind == msg.QuoteAnswered {
		s.answers[ev.QuoteAnswer().Index] = *ev
	}
	if ev.Kind != msg.Received {
		return
	}
	receipt := ev.Receipt()
	s.seq, s.session, s.env = ev.Seq, ev.Session, ev.Envelope()
	s.asked = msg.Request{Kind: receipt.Asked, TIF: receipt.TIF, STP: receipt.STP, Flags: receipt.Flags}
}

// append appends the frame of a report, its number 0. ok is false for what has none.
func (s *scribe) append(dst []byte, ev *msg.Event, scale *wire.Scale) (out []byte, ok bool) {
	if ev.Kind == msg.MessagesMissed {
		return appendNotApplied(dst, ev.Missing()), true
	}
	if ev.Kind == msg.QuoteAnswered {
		return wire.AppendQuoteAck(dst, s.answers[:ev.QuoteAnswer().Count], 0), true
	}
	env, asked := wire.Envelope{Ingress: wire.NoTime, Sending: wire.NoTime}, &msg.Request{}
	if ev.Seq == s.seq {
		asked = &s.asked
		if ev.Session == s.session {
			env = wire.Envelope{Ingress: said(s.env.Ingress), Sending: said(s.env.Sending), RefSeq: s.env.SeqNum, Template: s.env.Template}
		}
	}
	return wire.AppendReport(dst, ev, asked, &env, scale)
}

// said is a time on the wire; 0 is none.
func said(t fixed.Nanos) uint64 {
	if t == 0 {
		return wire.NoTime
	}
	return uint64(t)
}

// appendNotApplied appends a NotApplied: the one message of the session layer that is a report.
func appendNotApplied(dst []byte, missing msg.Missing) []byte {
	out, block := wire.AppendFrame(dst, gen.Header{Block: uint16(len(gen.NotApplied{})), Template: gen.TemplateNotApplied, Schema: gen.SchemaSession,
		Version: gen.VersionSession})
	m := gen.AsNotApplied(block)
	m.SetFromSeqNo(missing.From)
	m.SetCount(uint32(missing.Count))
	return out
}

// Hear takes one released event, in its order.
func (r *Roster) Hear(ev *msg.Event, now fixed.Nanos) {
	r.hearing.Lock()
	defer r.hearing.Unlock()
	r.hear(ev, now)
}

// hear is Hear for who is the reader already.
func (r *Roster) hear(ev *msg.Event, now fixed.Nanos) {
	r.now = now
	r.scribe.note(ev)
	switch ev.Kind {
	case msg.Received:
		if row := r.at(ev.Session); row != nil {
			if !ev.Receipt().More {
				row.heard++
			}
			used(row.last, ev.Ref)
			r.wait(row)
		}
	case msg.InstrumentListed:
		asked := msg.Request{Rare: ev.Rare}
		listing := asked.Listing()
		r.setScale(ev.Instr, wire.ScaleOf(listing.TickLot, listing.UnitLots))
	case msg.AccountOpened:
		r.owners[ev.Account] = msg.OwnerID(ev.Rare[0])
	case msg.KeySet:
		asked := msg.Request{Account: ev.Account, Rare: ev.Rare}
		r.keys.set(asked.KeyChange(), 0, 0)
	case msg.SessionNegotiated:
		r.negotiated(ev)
	case msg.SessionBound:
		r.bound(ev, now)
	case msg.SessionUnbound:
		r.unbound(ev)
	case msg.SessionFinalized:
		r.finalized(ev, now)
	case msg.MessagesMissed:
		if row := r.at(ev.Session); row != nil {
			row.heard += ev.Missing().Count
			r.wait(row)
		}
	case msg.Rejected:
		if ev.Refusal().Asked.AboutSession() {
			r.refused(ev, now)
		}
	}
	if ev.Reports() {
		r.report(ev)
	}
}

// at is the row of a session, nil where there is none.
func (r *Roster) at(id msg.SessionID) *Row {
	if int(id) >= len(r.rows) {
		return nil
	}
	return r.rows[id].Load()
}

// report sends a report to whom it concerns.
func (r *Roster) report(ev *msg.Event) {
	frame, ok := r.scribe.append(r.frame[:0], ev, r.scale(ev.Instr))
	if !ok {
		return
	}
	r.frame = frame // its number is that of whom it is sent to
	row := r.at(ev.Session)
	if row != nil && row.stage == open && row.begun {
		r.send(row, frame)
	}
	if asker := r.at(ev.Elsewhere()); asker != nil && asker.stage == open && asker.begun {
		r.send(asker, frame)
	}
	if !ev.Copies() {
		return
	}
	owner := r.party(ev, row)
	for _, row := range r.copies {
		if row.owner == 0 || row.owner == owner {
			r.send(row, frame)
		}
	}
}

// party is the owner whom a report concerns, as the core has it; row is that of its session, or nil.
func (r *Roster) party(ev *msg.Event, row *Row) msg.OwnerID {
	if row != nil && row.stage != asked && row.owner != 0 {
		return row.owner
	}
	if int(ev.Account) < len(r.owners) && r.owners[ev.Account] != 0 {
		return r.owners[ev.Account]
	}
	return ev.About()
}

// send gives a report to one session: its next number, its tail. Its link is given all that there is at once.
func (r *Roster) send(row *Row, frame []byte) {
	if row.tail.full(len(frame)) {
		r.give(row)
	}
	row.mu.Lock()
	row.tail.add(frame)
	row.mu.Unlock()
	r.wait(row)
}

// wait notes that a row has something for its link.
func (r *Roster) wait(row *Row) {
	if !row.waits {
		row.waits = true
		r.unsaid = append(r.unsaid, row)
	}
}

// give gives a row's link what it has not been given. The reader of events alone adds to the tail, so it reads it as it is.
func (r *Roster) give(row *Row) {
	from, next := row.given, row.tail.next
	row.given = next
	if l := row.link.Load(); l != nil {
		if from < next {
			l.deliver(row.tail.of(from, int(next-from)), next-from, r.now)
		}
		r.touch(l)
	}
	row.answered.Store(row.heard)
}

func (r *Roster) touch(l *Link) {
	if !l.touched {
		l.touched = true
		r.touched = append(r.touched, l)
	}
}

// Touched gives each link that has something to send since the last time to use.
func (r *Roster) Touched(use func(*Link)) {
	r.hearing.Lock()
	defer r.hearing.Unlock()
	r.handOut(use)
}

// handOut is Touched for who is the reader already.
func (r *Roster) handOut(use func(*Link)) {
	for i, row := range r.unsaid {
		row.waits = false
		r.unsaid[i] = nil
		r.give(row)
	}
	r.unsaid = r.unsaid[:0]
	for i, l := range r.touched {
		l.touched = false
		r.touched[i] = nil
		use(l)
	}
	r.touched = r.touched[:0]
}

// negotiated is the core's yes to a Negotiate. A row that nobody here asked for is made: another one did, before.
func (r *Roster) negotiated(ev *msg.Event) {
	asked := msg.Request{Rare: ev.Rare}
	n := asked.Negotiation()
	r.mu.Lock()
	row := r.rows[n.Session].Load()
	if row == nil || row.terms.UUID != n.UUID {
		former := row
		row = r.row(&n, r.keys.get(n.Key).Owner)
		row.former = former
	}
	asker, former := row.asker, row.former
	row.stage, row.asker, row.former = open, nil, nil
	if former != nil { // its id names nothing any more, and the row another session
		delete(r.byID, former.terms.UUID)
	}
	r.mu.Unlock()
	r.delist(former)
	r.enlist(row)
	r.keys.stamped(n.Key, n.Stamp)
	used(row.last, ev.Last())
	if asker != nil {
		asker.negotiated()
		r.touch(asker)
	}
}

// bound is the core's yes to a Bind. Who had the session, or another of its kind, is shown out.
func (r *Roster) bound(ev *msg.Event, now fixed.Nanos) {
	row, b := r.at(ev.Session), ev.Bound()
	if row == nil {
		return
	}
	r.give(row)
	if old := r.rival(row); old != nil {
		r.give(old)
		if l := old.link.Load(); l != nil {
			l.takenOver(now)
			r.touch(l)
		}
	}
	r.mu.Lock()
	asker := row.asker
	if asker != nil && row.stamp != b.Stamp { // it is the answer to one that is gone
		asker = nil
	}
	row.since = 0
	r.places[bound{row.terms.Key, row.terms.Kind}] = row
	r.mu.Unlock()
	row.grace, row.begun = 0, true
	r.keys.stamped(row.terms.Key, b.Stamp)
	row.mu.Lock()
	if row.tail.next != b.Server {
		row.tail.begin(b.Server)
	}
	row.mu.Unlock()
	row.heard, row.given = b.Client-1, b.Server
	row.answered.Store(row.heard)
	has := asker != nil && asker.bound(&b, now)
	r.mu.Lock()
	if row.asker == asker || row.asker == nil { // only now: until it has the session it asks for it, so the old one's end never comes between
		row.asker, row.lost = nil, 0
		row.taken.Store(false)
	}
	r.mu.Unlock()
	if !has { // it is gone already
		r.owe(row, msg.Unbind(row.id, msg.UnbindLost))
		return
	}
	r.touch(asker)
}

// unbound is the end of a connection in the core, from which on the grace runs.
func (r *Roster) unbound(ev *msg.Event) {
	if row := r.at(ev.Session); row != nil {
		r.mu.Lock()
		row.since = ev.Time
		r.mu.Unlock()
		if u := ev.Unbound(); u.Goes && u.Grace != 0 {
			row.grace = u.Grace
			r.graces = append(r.graces, row)
		}
	}
}

// finalized is the end of a session.
func (r *Roster) finalized(ev *msg.Event, now fixed.Nanos) {
	row := r.at(ev.Session)
	if row == nil {
		return
	}
	r.mu.Lock()
	r.retire(row)
	r.mu.Unlock()
	r.delist(row)
	r.give(row)
	if l := row.link.Load(); l != nil { // nobody has said that it is to end: its key may not have it any more
		l.revoked(now)
		r.touch(l)
	}
}

// refused is the core's no to what was said of a session.
func (r *Roster) refused(ev *msg.Event, now fixed.Nanos) {
	row := r.at(ev.Session)
	asked := ev.Refusal().Asked
	if row == nil || asked != msg.KindNegotiate && asked != msg.KindBind {
		return
	}
	if asked == msg.KindBind && ev.Reject == msg.RejectEntryBlocked { // its orders are still going
		r.mu.Lock()
		again := row.asker
		r.mu.Unlock()
		if again != nil {
			again.bindAgain(now)
			r.touch(again)
		}
		return
	}
	r.mu.Lock()
	asker, lost := row.asker, row.lost
	row.asker, row.lost = nil, 0
	row.taken.Store(false)
	if asked == msg.KindNegotiate && row.stage == 0 {
		if r.rows[row.id].Store(row.former); row.former != nil && row.former.stage == final {
			r.retire(row.former)
		}
		r.free = min(r.free, int(row.id))
		delete(r.byID, row.terms.UUID)
	}
	r.mu.Unlock()
	if lost != 0 { // nobody has it now
		r.owe(row, msg.Unbind(row.id, lost))
	}
	if asker != nil {
		asker.refused(asked == msg.KindNegotiate, ev.Reject, now)
		r.touch(asker)
	}
}

// reject of a logon that the core has refused, and why.
func logonFault(reject msg.Reject) (negotiation gen.NegotiationRejectCode, establishment gen.EstablishmentRejectCode, reason string) {
	switch reject {
	case msg.RejectStaleSendingTime:
		return gen.NegotiationRejectCodeUnspecified, gen.EstablishmentRejectCodeUnspecified, reasonClock
	case msg.RejectModeConflict:
		return gen.NegotiationRejectCodeDuplicateID, gen.EstablishmentRejectCodeAlreadyEstablished, ""
	case msg.RejectNotPermitted:
		return gen.NegotiationRejectCodeCredentials, gen.EstablishmentRejectCodeCredentials, ""
	}
	return gen.NegotiationRejectCodeUnspecified, gen.EstablishmentRejectCodeUnspecified, reject.Upper()
}
