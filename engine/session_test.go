package engine

import (
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// member is a client's session before a desk: it numbers what it sends.
type member struct {
	*desk
	id     msg.SessionID
	number uint32
	ref    msg.Ref
}

// send is a command as the session's next message.
func (m *member) send(c msg.Command) []msg.Event {
	m.number++
	m.ref++
	c.Ref = m.ref
	return m.sendAs(c, m.number)
}

// sendAs is a command in a number.
func (m *member) sendAs(c msg.Command, number uint32) []msg.Event {
	c.Session = m.id
	c.SetEnvelope(msg.Envelope{SeqNum: number, Template: 100, Ingress: m.at - 5, Sending: m.at - 9})
	return m.do(c)
}

// takes sends what must not be refused.
func (m *member) takes(c msg.Command) []msg.Event {
	m.t.Helper()
	events := m.send(c)
	if r := refusal(events); r != 0 {
		m.t.Fatalf("%s: refused as %s", c.String(), r.Name())
	}
	return events
}

// refuses sends what must be refused.
func (m *member) refuses(want msg.Reject, c msg.Command) msg.Refusal {
	m.t.Helper()
	events := m.send(c)
	if got := refusal(events); got != want {
		m.t.Fatalf("%s: %q, want %q", c.String(), got.Name(), want.Name())
	}
	return events[len(events)-1].Refusal()
}

// trader is a key of an owner.
func keyOf(id msg.KeyID, role msg.Role, owner msg.OwnerID) msg.KeyChange {
	return msg.KeyChange{Key: id, Role: role, Scheme: 1, Owner: owner, Public: [32]byte{byte(id), 31: 7}}
}

// logon is a session of a key that is bound at once.
func (d *desk) logon(id msg.SessionID, key msg.KeyID, kind msg.SessionKind, terms func(*msg.Negotiation)) *member {
	d.t.Helper()
	d.at++
	n := msg.Negotiation{Session: id, Key: key, Kind: kind, Version: 1, UUID: [16]byte{byte(id), byte(id >> 8), 9}, Stamp: d.at}
	if terms != nil {
		terms(&n)
	}
	d.ok(msg.Negotiate(n))
	d.at++
	d.ok(msg.Bind(msg.Binding{Session: id, Stamp: d.at}))
	return &member{desk: d, id: id, ref: d.gate.Keys[key].Last}
}

// membership is a crowded desk with a trader's key for owner 1, one for owner 3, and a session of each.
func membership(t *testing.T) (d *desk, one, three *member) {
	t.Helper()
	d = crowded(t, Limits{Instruments: 2, Accounts: 9, Orders: 2000, Events: 256})
	d.at = fixed.Hour
	d.ok(msg.SetKey(keyOf(1, msg.RoleTrader, 1)), msg.SetKey(keyOf(3, msg.RoleTrader, 3)))
	return d, d.logon(11, 1, msg.OrderEntry, nil), d.logon(13, 3, msg.OrderEntry, nil)
}

// server is the number of the next report of a session.
func (d *desk) server(id msg.SessionID) uint64 {
	d.t.Helper()
	s, ok := d.Session(id)
	if !ok {
		d.t.Fatalf("there is no session %d", id)
	}
	return s.Server
}

// TestSessionNumbers follows the numbers of two sessions through orders, fills and refusals.
func TestSessionNumbers(t *testing.T) { // W-18, W-20, W-29
	d, one, three := membership(t)
	events := one.takes(msg.Limit(1, 1, msg.Sell, 100, 5))
	if len(events) != 2 || events[0].Kind != msg.Received || events[1].Kind != msg.Accepted {
		t.Fatalf("an order brings %v", events)
	}
	want := msg.Envelope{SeqNum: 1, Template: 100, Ingress: d.at - 5, Sending: d.at - 9}
	if got := events[0].Envelope(); got != want || events[0].Receipt().Asked != msg.KindLimit || events[0].Ref != 1 || events[0].Session != 11 {
		t.Errorf("received %s, want envelope %+v", &events[0], want)
	}
	three.takes(msg.Limit(2, 1, msg.Buy, 100, 3)) // either is told of the trade
	one.refuses(msg.RejectUnknownInstrument, msg.Limit(1, 9, msg.Sell, 100, 5))
	for _, c := range []struct {
		id           msg.SessionID
		next, server uint64
	}{{11, 3, 4}, {13, 2, 3}} {
		s, _ := d.Session(c.id)
		if s.Next != c.next || s.Server != c.server || !s.Bound || s.Final {
			t.Errorf("session %d: %+v, want %d from the client and %d to it", c.id, s, c.next, c.server)
		}
	}

	before := d.Hash()
	for _, number := range []uint32{0, 2, 4, 1<<32 - 1} { // 3 is the next
		events = one.sendAs(msg.Limit(1, 1, msg.Sell, 100, 5), number)
		if len(events) != 1 || events[0].Reject != msg.RejectSequenceMismatch || events[0].Reports() {
			t.Fatalf("number %d: %v", number, events)
		}
		if f := events[0].Refusal(); f.Limit != 3 || f.Actual != int64(number) {
			t.Errorf("number %d: %+v", number, f)
		}
	}
	d.Engine.seq -= 4
	if d.Hash() != before {
		t.Error("messages out of number have changed something")
	}
	d.Engine.seq += 4
	d.clients.rows[11].next, one.number = 1<<32-1, 1<<32-2
	one.takes(msg.Limit(1, 1, msg.Sell, 101, 1))
	one.takes(msg.Limit(1, 1, msg.Sell, 101, 1)) // number 2^32, whose low 32 bits are 0
	if s, _ := d.Session(11); s.Next != 1<<32+1 {
		t.Errorf("the next number is %d", s.Next)
	}
}

// TestOneClientIDPerKey lets two sessions of a key count with one client id, and doors with their own.
func TestOneClientIDPerKey(t *testing.T) { // W-25, D-36
	d, one, _ := membership(t)
	risk := d.logon(12, 1, msg.RiskControl, nil)
	one.ref = 40
	one.takes(msg.Limit(1, 1, msg.Buy, 90, 1)) // 41
	risk.ref = 6
	risk.takes(msg.CancelAll(1, 0, 0)) // which has an id of its own
	d.ok(msg.Unbind(11, msg.UnbindLost))
	again := d.logon(14, 1, msg.OrderEntry, nil)
	again.ref = 40
	if f := again.refuses(msg.RejectDuplicateClientID, msg.Limit(1, 1, msg.Buy, 90, 1)); f.Limit != 41 || f.Actual != 41 {
		t.Errorf("%+v", f)
	}
	again.takes(msg.Limit(1, 1, msg.Buy, 90, 1)) // 42
	again.ref--
	again.refuses(msg.RejectDuplicateClientID, msg.Cancel(0, 1, 99))
	again.refuses(msg.RejectUnknownOrder, msg.Cancel(0, 1, 99)) // 43
	d.ok(msg.OpenSession(2, 1), by(msg.Limit(1, 1, msg.Buy, 90, 1), 2, 1))
	if k, _ := d.Key(1); k.Last != 43 {
		t.Errorf("the key's last client id is %d", k.Last)
	}
}

// by is a command of a door with a client id.
func by(c msg.Command, session msg.SessionID, ref msg.Ref) msg.Command {
	c.Session, c.Ref = session, ref
	return c
}

// TestOrderNamesItsAccount amends and cancels without saying whose the order is.
func TestOrderNamesItsAccount(t *testing.T) {
	_, one, three := membership(t)
	one.takes(msg.Limit(1, 1, msg.Buy, 90, 5))
	id := one.last[1].Order
	if one.takes(msg.Amend(0, 1, id, 91, 4)); one.last[1].Kind != msg.Amended || one.last[1].Account != 1 {
		t.Errorf("%v", one.last)
	}
	three.refuses(msg.RejectUnknownOrder, msg.Cancel(0, 1, id))
	three.refuses(msg.RejectNotPermitted, msg.Cancel(1, 1, id))
	one.refuses(msg.RejectUnknownOrder, msg.Cancel(0, 2, id)) // of another instrument
	one.takes(msg.Cancel(0, 1, id))
	one.refuses(msg.RejectTooLate, msg.Cancel(0, 1, id))
	one.refuses(msg.RejectUnknownOrder, msg.Cancel(0, 1, 0))
	one.ref--
	one.refuses(msg.RejectDuplicateClientID, msg.Cancel(0, 1, id))
}

// TestGap goes on behind messages that will not come, and tells of it in a number of the session.
func TestGap(t *testing.T) { // W-18
	d, one, _ := membership(t)
	d.refused(msg.RejectSequenceMismatch, msg.Miss(msg.Missing{Session: 11, From: 2, Count: 3}))
	d.refused(msg.RejectValueOutOfRange, msg.Miss(msg.Missing{Session: 11, From: 1}))
	d.refused(msg.RejectValueOutOfRange, msg.Miss(msg.Missing{Session: 11, From: 1, Count: 1 << 63}))
	d.refused(msg.RejectNotPermitted, msg.Miss(msg.Missing{Session: 12, From: 1, Count: 1}))
	d.ok(msg.Miss(msg.Missing{Session: 11, From: 1, Count: 3}))
	if got := d.last[0]; got.Kind != msg.MessagesMissed || got.Missing() != (msg.Missing{Session: 11, From: 1, Count: 3}) {
		t.Errorf("%s", &got)
	}
	if d.server(11) != 2 {
		t.Errorf("the next report has number %d, want 2", d.server(11))
	}
	one.number = 3
	one.takes(msg.Limit(1, 1, msg.Buy, 90, 1))

	const last = 1 << 63 // numbers end there, and begin anew nowhere
	d.clients.rows[11].next = last - 1
	d.refused(msg.RejectValueOutOfRange, msg.Miss(msg.Missing{Session: 11, From: last - 1, Count: 2}))
	d.ok(msg.Miss(msg.Missing{Session: 11, From: last - 1, Count: 1}))
	d.refused(msg.RejectValueOutOfRange, msg.Miss(msg.Missing{Session: 11, From: last, Count: 1}))
	d.refused(msg.RejectValueOutOfRange, msg.Miss(msg.Missing{Session: 11, From: last, Count: last}))
}

// TestRefusedBefore answers messages that were refused before they became commands: with what was found, or with what the gate
// would have said first; each in its number.
func TestRefusedBefore(t *testing.T) { // W-28, W-59
	d, one, _ := membership(t)
	no := msg.Refused{Reject: msg.RejectOffTick, Field: 2, Instead: msg.KindLimit, Limit: 5, Actual: 7}
	if f := one.refuses(msg.RejectOffTick, msg.Refuse(0, 1, 1, 0, no)); f != (msg.Refusal{Limit: 5, Actual: 7, Asked: msg.KindRefuse, Field: 2}) {
		t.Errorf("%+v", f)
	}
	if got := one.last[0]; got.Kind != msg.Received || got.Receipt().Asked != msg.KindRefuse {
		t.Errorf("%v", one.last)
	}
	one.refuses(msg.RejectUnknownInstrument, msg.Refuse(0, 1, 9, 0, no))
	one.refuses(msg.RejectUnknownAccount, msg.Refuse(0, 9, 1, 0, no))
	one.refuses(msg.RejectNotPermitted, msg.Refuse(0, 2, 1, 0, no))
	one.ref = 1 // what the gate would not let act has used no client id
	one.refuses(msg.RejectDuplicateClientID, msg.Refuse(0, 1, 1, 0, no))
	one.ref--
	one.refuses(msg.RejectDuplicateClientID, msg.Refuse(0, 0, 0, 0, no)) // it names no account
	one.refuses(msg.RejectOffTick, msg.Refuse(0, 0, 0, 0, no))
	k, _ := d.Key(1)
	one.ref = 3
	one.refuses(msg.RejectReservedBits, msg.Refuse(0, 9, 9, 0, msg.Refused{Reject: msg.RejectReservedBits})) // which uses no client id
	one.refuses(msg.RejectRateLimited, msg.Refuse(0, 9, 9, 0, msg.Refused{Reject: msg.RejectRateLimited, Limit: 12}))
	if after, _ := d.Key(1); after.Last != k.Last {
		t.Errorf("a message that failed the checks of format has used client id %d", after.Last)
	}
	one.refuses(msg.RejectValueOutOfRange, msg.Refuse(0, 1, 1, 0, msg.Refused{}))
	no.Instead = msg.KindAmend
	one.ref--
	one.refuses(msg.RejectOffTick, msg.Refuse(0, 1, 1, 0, no))
	risk := d.logon(12, 1, msg.RiskControl, nil)
	risk.refuses(msg.RejectNotPermitted, msg.Refuse(0, 1, 1, 0, no)) // its kind of session carries no amends
	no.Instead, risk.ref = msg.KindCancelAll, 0
	risk.refuses(msg.RejectOffTick, msg.Refuse(0, 1, 1, 0, no)) // its id is no client id of the key's
	s, _ := d.Session(11)
	if s.Next != 12 || s.Server != 12 {
		t.Errorf("%d came and %d went: %+v", s.Next-1, s.Server-1, s)
	}
	d.refused(msg.RejectValueOutOfRange, msg.Refuse(0, 1, 1, 0, no)) // nobody's
}

// TestRefusedBeforeDrawsFromItsQuota takes a token of the account, of cancels where it asked to cancel.
func TestRefusedBeforeDrawsFromItsQuota(t *testing.T) { // W-46
	d, one, _ := membership(t)
	d.ok(msg.SetRule(0, msg.MessageBurst, 1), msg.SetRule(0, msg.MessageRate, 1))
	no := msg.Refused{Reject: msg.RejectNotSupported, Instead: msg.KindLimit}
	one.refuses(msg.RejectNotSupported, msg.Refuse(0, 1, 1, 0, no))
	one.refuses(msg.RejectRateLimited, msg.Refuse(0, 1, 1, 0, no))
	for at, kind := range []msg.Kind{msg.KindCancel, msg.KindCancelAll, msg.KindSetDeadMan, msg.KindCancel} {
		no.Instead = kind
		if f := one.refuses(msg.RejectNotSupported, msg.Refuse(0, 1, 1, 0, no)); f.Asked != msg.KindRefuse {
			t.Errorf("%d: %+v", at, f)
		}
	}
	one.refuses(msg.RejectRateLimited, msg.Refuse(0, 1, 1, 0, no))
	one.refuses(msg.RejectRateLimited, msg.SetDeadMan(1, 0)) // of the same
}

// TestMassCancelIsAnsweredAtItsPlace cancels more orders than one command does: the answer comes with the command, the end later.
func TestMassCancelIsAnsweredAtItsPlace(t *testing.T) { // W-20
	d, one, _ := membership(t)
	for range 300 {
		one.takes(msg.Limit(1, 1, msg.Buy, 90, 1))
	}
	server := d.server(11)
	one.takes(msg.CancelAll(1, 0, 0))
	last := d.last[len(d.last)-1]
	canceled := d.count(msg.Canceled)
	if last.Kind != msg.MassCancelBegun || last.Qty != fixed.Lots(canceled) || last.Ref != one.ref || canceled == 300 {
		t.Fatalf("%s after %d cancels", &last, canceled)
	}
	asked := one.ref
	for d.count(msg.MassCanceled) == 0 {
		one.takes(msg.Limit(1, 1, msg.Buy, 80, 1))
		canceled += d.count(msg.Canceled)
	}
	if end := d.last[len(d.last)-1-1]; canceled != 300 || d.count(msg.MassCancelBegun) != 0 {
		t.Errorf("%d canceled, then %s", canceled, &end)
	}
	if got, want := d.server(11), server+300+2+uint64(one.ref-asked); got != want {
		t.Errorf("the next report has number %d, want %d", got, want)
	}
	for range 3 {
		one.takes(msg.Limit(1, 1, msg.Buy, 90, 1))
	}
	one.takes(msg.CancelAll(1, 0, 0))
	if d.count(msg.MassCancelBegun) != 0 || d.count(msg.MassCanceled) != 1 {
		t.Errorf("%v", d.last)
	}
}

// TestDropCopies numbers the reports of an owner for each of his drop copies, and those of everybody for who reads everything.
func TestDropCopies(t *testing.T) { // W-58
	d, one, three := membership(t)
	d.ok(msg.SetKey(keyOf(5, msg.RoleDropCopy, 1)), msg.SetKey(keyOf(6, msg.RoleAuditor, 0)))
	d.logon(15, 5, msg.DropCopy, nil)
	d.logon(17, 1, msg.DropCopy, nil)
	d.logon(16, 6, msg.DropCopy, nil)
	want := func(ones, all uint64) {
		t.Helper()
		if d.server(15) != ones || d.server(17) != ones || d.server(16) != all {
			t.Fatalf("next are %d and %d of owner 1, %d of all, want %d and %d", d.server(15), d.server(17), d.server(16), ones, all)
		}
	}
	one.takes(msg.Limit(1, 1, msg.Sell, 100, 5))
	want(2, 2)
	three.takes(msg.Limit(3, 1, msg.Buy, 100, 3)) // accepted and traded, and the maker
	want(3, 5)
	three.refuses(msg.RejectNotPermitted, msg.Limit(1, 1, msg.Buy, 100, 3)) // of owner 3, whatever account it names
	want(3, 6)
	d.ok(msg.Limit(1, 1, msg.Buy, 90, 1)) // by the embedder, for an account of owner 1
	want(4, 7)
	d.ok(msg.Miss(msg.Missing{Session: 11, From: 2, Count: 1})) // concerns nobody but the session
	want(4, 7)
	d.ok(msg.Finalize(17))
	d.ok(msg.Limit(1, 1, msg.Buy, 90, 1))
	if got, _ := d.Session(17); d.server(15) != 5 || !got.Final || got.Server != 4 {
		t.Errorf("after its end a drop copy counts on: %+v", got)
	}
}

// TestLogon holds what may be negotiated and bound, and when.
func TestLogon(t *testing.T) { // W-16, W-37
	d, _, _ := membership(t)
	d.at += 100
	at := d.at
	n := msg.Negotiation{Session: 20, Key: 1, Kind: msg.OrderEntry, UUID: [16]byte{20}, Stamp: at}
	bad := func(want msg.Reject, change func(*msg.Negotiation)) {
		t.Helper()
		m := n
		change(&m)
		if d.refused(want, msg.Negotiate(m)); d.last[0].Session != m.Session || d.last[0].Reports() {
			t.Errorf("%s", &d.last[0])
		}
	}
	bad(msg.RejectTableFull, func(n *msg.Negotiation) { n.Session = 0 })
	bad(msg.RejectTableFull, func(n *msg.Negotiation) { n.Session = 256 })
	bad(msg.RejectNotPermitted, func(n *msg.Negotiation) { n.Key = 2 })
	bad(msg.RejectNotPermitted, func(n *msg.Negotiation) { n.Key = 0 })
	bad(msg.RejectNotPermitted, func(n *msg.Negotiation) { n.Key = 1 << 31 })
	bad(msg.RejectValueOutOfRange, func(n *msg.Negotiation) { n.Kind = 0 })
	bad(msg.RejectValueOutOfRange, func(n *msg.Negotiation) { n.Kind = 6 })
	bad(msg.RejectValueOutOfRange, func(n *msg.Negotiation) { n.Cancel = 4 })
	bad(msg.RejectValueOutOfRange, func(n *msg.Negotiation) { n.Window = msg.GraceMax + 1 })
	k, _ := d.Key(1)
	bad(msg.RejectStaleSendingTime, func(n *msg.Negotiation) { n.Stamp = k.Stamp })
	bad(msg.RejectModeConflict, func(n *msg.Negotiation) { n.Session = 11 })
	bad(msg.RejectModeConflict, func(n *msg.Negotiation) { n.Session = 13 })
	bad(msg.RejectDuplicateClientID, func(n *msg.Negotiation) { n.UUID = [16]byte{11, 0, 9} })
	d.ok(msg.OpenSession(21, 1))
	bad(msg.RejectModeConflict, func(n *msg.Negotiation) { n.Session = 21 })
	d.refused(msg.RejectModeConflict, msg.OpenSession(11, 1))
	d.refused(msg.RejectModeConflict, msg.CloseSession(11))
	d.ok(msg.Negotiate(n))

	d.refused(msg.RejectStaleSendingTime, msg.Bind(msg.Binding{Session: 20, Stamp: at}))
	d.refused(msg.RejectNotPermitted, msg.Bind(msg.Binding{Session: 22, Stamp: at + 1}))
	d.refused(msg.RejectModeConflict, msg.Bind(msg.Binding{Session: 20, Stamp: at + 1})) // session 11 has the key's connection
	d.ok(msg.Bind(msg.Binding{Session: 20, Stamp: at + 1, TakeOver: true}))
	if d.last[0].Kind != msg.SessionUnbound || d.last[0].Session != 11 || d.last[1].Bound() != (msg.Bound{Client: 1, Server: 1, Stamp: at + 1}) {
		t.Errorf("%v", d.last)
	}
	d.refused(msg.RejectModeConflict, msg.Bind(msg.Binding{Session: 20, Stamp: at + 2}))
	d.ok(msg.Bind(msg.Binding{Session: 20, Stamp: at + 2, TakeOver: true}))
	if len(d.last) != 1 || !d.last[0].Bound().TookOver {
		t.Errorf("%v", d.last)
	}
	d.refused(msg.RejectModeConflict, msg.Unbind(11, msg.UnbindLost))
	d.refused(msg.RejectValueOutOfRange, msg.Unbind(20, 0))
	d.refused(msg.RejectValueOutOfRange, msg.Unbind(20, 3))
	d.ok(msg.Unbind(20, msg.UnbindLost))
	one := &member{desk: d, id: 20}
	one.refuses(msg.RejectSequenceMismatch, msg.Limit(1, 1, msg.Buy, 90, 1)) // it has no connection
	d.ok(msg.Finalize(20))
	d.refused(msg.RejectNotPermitted, msg.Finalize(20))
	d.refused(msg.RejectNotPermitted, msg.Bind(msg.Binding{Session: 20, Stamp: at + 3}))

	n.Stamp = at + 3
	bad(msg.RejectDuplicateClientID, func(n *msg.Negotiation) {}) // a name is negotiated once
	bad(msg.RejectModeConflict, func(n *msg.Negotiation) { n.Key, n.UUID = 3, [16]byte{21} })
	n.UUID = [16]byte{21}
	d.ok(msg.Negotiate(n)) // the row is free for its key

	n.Session, n.UUID, n.Stamp = 11, [16]byte{22}, at+4
	bad(msg.RejectModeConflict, func(*msg.Negotiation) {})
	d.at += fixed.Day // session 11 has been away for so long that it is forgotten
	d.ok(msg.Negotiate(n))
	for of, id := 1, msg.SessionID(30); of < sessionsPerKey; of, id = of+1, id+1 {
		n.Session, n.Stamp, n.UUID = id, n.Stamp+1, [16]byte{byte(id), 1}
		d.ok(msg.Negotiate(n))
	}
	n.Session, n.Stamp, n.UUID = 60, n.Stamp+1, [16]byte{60, 1}
	bad(msg.RejectTableFull, func(*msg.Negotiation) {})
}

// TestKeys holds which keys there can be, and what becomes of the sessions of one that changes.
func TestKeys(t *testing.T) { // D-94
	d, one, _ := membership(t)
	for _, c := range []struct {
		want msg.Reject
		k    msg.KeyChange
	}{
		{msg.RejectTableFull, keyOf(0, msg.RoleTrader, 1)},
		{msg.RejectTableFull, keyOf(256, msg.RoleTrader, 1)},
		{msg.RejectValueOutOfRange, keyOf(9, 7, 1)},
		{msg.RejectInvalidParameter, msg.KeyChange{Key: 9}},
		{msg.RejectUnknownAccount, keyOf(9, msg.RoleTrader, 0)},
		{msg.RejectUnknownAccount, keyOf(9, msg.RoleTrader, 2)}, // who has no account
		{msg.RejectUnknownAccount, msg.KeyChange{Key: 9, Role: msg.RoleTrader, Owner: 1, Account: 2}},
		{msg.RejectUnknownAccount, msg.KeyChange{Key: 9, Role: msg.RoleRiskManager, Account: 2}},
		{msg.RejectInvalidParameter, keyOf(1, msg.RoleTrader, 3)}, // it keeps its owner
	} {
		d.refused(c.want, msg.SetKey(c.k))
	}
	k := keyOf(3, msg.RoleTrader, 3)
	k.Account = 2
	d.ok(msg.SetKey(k))
	three := &member{desk: d, id: 13}
	three.takes(msg.Limit(2, 1, msg.Buy, 90, 1))
	three.refuses(msg.RejectNotPermitted, msg.Limit(3, 1, msg.Buy, 90, 1)) // the owner's, and not the key's any more
	if got := d.gate.Keys[3].Public; got != k.Public {
		t.Errorf("public key %x", got)
	}
	one.takes(msg.Limit(1, 1, msg.Buy, 90, 1))
	d.ok(msg.SetKey(msg.KeyChange{Key: 1}))
	if d.count(msg.SessionFinalized) != 1 || d.last[0].Kind != msg.KeySet {
		t.Errorf("%v", d.last)
	}
	if _, ok := d.Key(1); ok {
		t.Error("a key that was revoked is there")
	}
	one.refuses(msg.RejectSequenceMismatch, msg.Limit(1, 1, msg.Buy, 90, 1))
	d.ok(msg.SetKey(keyOf(1, msg.RoleRiskManager, 1)))
	if k, _ := d.Key(1); k.Last != 1 {
		t.Errorf("a key that is set anew has forgotten its client id: %+v", k)
	}
}

// TestKeyWaitsForRoom sets a key with a command that has told so much already that the ends of its sessions would find no room.
func TestKeyWaitsForRoom(t *testing.T) {
	d, _, _ := membership(t)
	d.at++
	n := msg.Negotiation{Key: 1, Kind: msg.OrderEntry}
	for id := msg.SessionID(20); id < 20+sessionsPerKey-1; id++ {
		d.at++
		n.Session, n.UUID, n.Stamp = id, [16]byte{byte(id), 5}, d.at
		d.ok(msg.Negotiate(n))
	}
	revoke := msg.SetKey(msg.KeyChange{Key: 1})
	for _, left := range []int{eventsBesides + 2*sessionsPerKey, eventsBesides + 1 + 2*sessionsPerKey} {
		d.out, d.Engine.first = make([]msg.Event, d.limits.Events), 0
		d.told = int(d.limits.Events) - left
		d.setKey(&revoke)
		_, there := d.Key(1)
		if busy := d.out[d.told-1].Reject == msg.RejectBusy; busy != there || busy != (left == eventsBesides+2*sessionsPerKey) {
			t.Errorf("room for %d events: busy %v, the key is there %v", left, busy, there)
		}
	}
	if s, _ := d.Session(34); !s.Final {
		t.Errorf("%+v", s)
	}
}

// resting is how many orders of a session rest.
func (d *desk) resting(id msg.SessionID) (n int) {
	for h := uint32(1); h <= d.limits.Orders; h++ {
		if o := d.store.Order(h); o.Side != 0 && o.Session == id {
			n++
		}
	}
	return n
}

// TestCancelOnDisconnect parts sessions with every mode from their connections, each way, with and without a window.
func TestCancelOnDisconnect(t *testing.T) { // W-42
	for mode := msg.CancelNever; mode <= msg.CancelOnBoth; mode++ {
		for _, why := range []msg.Why{msg.UnbindTerminated, msg.UnbindLost} {
			for _, window := range []uint32{0, 1, msg.GraceMax} {
				d, _, three := membership(t)
				d.ok(msg.Finalize(11))
				one := d.logon(14, 1, msg.OrderEntry, func(n *msg.Negotiation) { n.Cancel, n.Window = mode, window })
				for range 3 {
					one.takes(msg.Limit(1, 1, msg.Buy, 90, 1))
					three.takes(msg.Limit(3, 1, msg.Buy, 90, 1))
					d.ok(msg.Limit(1, 2, msg.Buy, 90, 1)) // of the same account, by another way
				}
				goes := mode == msg.CancelOnBoth || mode == msg.CancelOnLoss && why == msg.UnbindLost || mode == msg.CancelOnTerminate && why == msg.UnbindTerminated
				d.ok(msg.Unbind(14, why))
				u := d.last[0].Unbound()
				want := msg.Unbound{Why: why, Goes: goes}
				if goes && window != 0 {
					want.Grace = d.at + fixed.Nanos(window)*fixed.Millisecond
				}
				left := 3
				if goes && window == 0 {
					left = 0
				}
				if u != want || d.resting(14) != left {
					t.Fatalf("%v, %v, window %d: %+v, %d orders left, want %+v and %d", mode, why, window, u, d.resting(14), want, left)
				}
				if !goes || window == 0 {
					d.refused(msg.RejectModeConflict, msg.EndGrace(14))
				} else {
					d.at = want.Grace - 1
					d.refused(msg.RejectModeConflict, msg.EndGrace(14)) // it has until then
					d.at = want.Grace
					d.ok(msg.EndGrace(14))
					for i := range d.last {
						if ev := &d.last[i]; ev.Kind == msg.Canceled && (ev.Reason != msg.CanceledByDisconnect || ev.Session != 14 || ev.Change().Request != 0) {
							t.Errorf("%s", ev)
						}
					}
				}
				if goes && d.resting(14) != 0 || !goes && d.resting(14) != 3 || d.resting(13) != 3 || d.resting(0) != 3 {
					t.Errorf("%v, %v: %d orders of it rest, %d of another's, %d of nobody's", mode, why, d.resting(14), d.resting(13), d.resting(0))
				}
				if s, _ := d.Session(14); goes && s.Server != 1+3+3 {
					t.Errorf("the next report is %d: canceled orders are reports of a session without a connection too", s.Server)
				}
				d.sound()
			}
		}
	}
}

// TestBoundInTime keeps the orders of a session that comes back before its grace ends.
func TestBoundInTime(t *testing.T) { // W-42
	d, _, _ := membership(t)
	d.ok(msg.Finalize(11))
	one := d.logon(14, 1, msg.OrderEntry, func(n *msg.Negotiation) { n.Cancel, n.Window = msg.CancelOnBoth, 5000 })
	one.takes(msg.Limit(1, 1, msg.Buy, 90, 1))
	d.ok(msg.Unbind(14, msg.UnbindLost))
	if s, _ := d.Session(14); !s.Goes || s.Grace != d.at+5*fixed.Second || s.Bound {
		t.Errorf("%+v", s)
	}
	d.ok(msg.Bind(msg.Binding{Session: 14, Stamp: d.at + 1}))
	d.refused(msg.RejectModeConflict, msg.EndGrace(14))
	if d.resting(14) != 1 {
		t.Error("its order is gone")
	}
	one.takes(msg.Limit(1, 1, msg.Buy, 90, 1))
	d.ok(msg.Unbind(14, msg.UnbindLost), msg.Finalize(14)) // nobody can bind it any more
	if d.resting(14) != 0 {
		t.Error("orders outlive the end of a session whose orders go")
	}
}

// TestManyOrdersGo takes out more orders than one command does; until they are out the session is not bound again.
func TestManyOrdersGo(t *testing.T) {
	d, _, _ := membership(t)
	d.ok(msg.Finalize(11))
	one := d.logon(14, 1, msg.OrderEntry, func(n *msg.Negotiation) { n.Cancel = msg.CancelOnBoth })
	for range 300 {
		one.takes(msg.Limit(1, 1, msg.Buy, 90, 1))
	}
	d.ok(msg.Unbind(14, msg.UnbindLost))
	if d.resting(14) == 0 {
		t.Fatal("all went with one command")
	}
	d.refused(msg.RejectEntryBlocked, msg.Bind(msg.Binding{Session: 14, Stamp: d.at + 1}))
	for tries := 0; d.resting(14) != 0; tries++ {
		if d.do(msg.Tick()); tries > 5 {
			t.Fatal("they do not go")
		}
	}
	d.ok(msg.Bind(msg.Binding{Session: 14, Stamp: d.at + 1}))
}

// TestOrdersWaitForAPlace lets the orders of more sessions go at once than there are places for mass cancels: all of them go.
func TestOrdersWaitForAPlace(t *testing.T) {
	const sessions = 40
	d := newDesk(t, Limits{Instruments: 1, Accounts: sessions, Orders: 1 << 14, Events: 256, Jobs: 1})
	d.list(perpetual(1), 100)
	for id := msg.AccountID(1); id <= sessions; id++ {
		d.ok(msg.Deposit(id, 1_000_000*fixed.Coin), msg.SetKey(keyOf(msg.KeyID(id), msg.RoleTrader, msg.OwnerID(id))))
		m := d.logon(msg.SessionID(id), msg.KeyID(id), msg.OrderEntry, func(n *msg.Negotiation) { n.Cancel = msg.CancelOnLoss })
		for range 300 {
			m.takes(msg.Limit(id, 1, msg.Buy, 90, 1))
		}
	}
	waited := false
	for id := msg.SessionID(1); id <= sessions; id++ {
		d.ok(msg.Unbind(id, msg.UnbindLost))
		waited = waited || d.timers.isSet(emptyTimer, uint32(id))
		if back := restored(t, d.limits, image(d.Engine)); id%10 == 0 && back.Hash() != d.Hash() {
			t.Fatal("restored it is another")
		}
	}
	if !waited {
		t.Error("there was a place for all of them")
	}
	for tries := 0; d.OpenOrders() != 0; tries++ {
		if d.do(msg.Tick()); tries > 1000 {
			t.Fatalf("%d orders do not go", d.OpenOrders())
		}
	}
}

// TestRevokedKeyInASnapshot revokes a key in the name of an owner and an account that there are not: neither stays, and the state comes back.
func TestRevokedKeyInASnapshot(t *testing.T) { // D-94, D-39
	d, _, _ := membership(t)
	d.ok(msg.SetKey(msg.KeyChange{Key: 1, Owner: 3_000_000_000, Account: 4_000_000_000}))
	if k := d.gate.Keys[1]; k.Role != 0 || k.Owner != 1 || k.Account != 0 {
		t.Errorf("%+v", k)
	}
	if back := restored(t, d.limits, image(d.Engine)); back.Hash() != d.Hash() {
		t.Error("another state comes back")
	}
}

// TestDisconnectAfterAKeyIsNarrowed lets all orders of a session go, also those of accounts for which its key is not any more.
func TestDisconnectAfterAKeyIsNarrowed(t *testing.T) { // W-42
	d, _, _ := membership(t)
	d.ok(msg.Finalize(13))
	three := d.logon(15, 3, msg.OrderEntry, func(n *msg.Negotiation) { n.Cancel = msg.CancelOnBoth })
	three.takes(msg.Limit(2, 1, msg.Buy, 90, 1))
	three.takes(msg.Limit(3, 1, msg.Buy, 90, 1))
	d.ok(msg.Limit(3, 1, msg.Buy, 89, 1)) // nobody's
	k := keyOf(3, msg.RoleTrader, 3)
	k.Account = 2
	d.ok(msg.SetKey(k), msg.Unbind(15, msg.UnbindLost))
	if d.resting(15) != 0 || d.OpenOrders() != 1 {
		t.Errorf("%d orders of the session rest, %d in all", d.resting(15), d.OpenOrders())
	}
}

// TestKillSwitchAmongLostConnections leaves the places of the kill switch to it, however many connections are lost and deadlines pass.
func TestKillSwitchAmongLostConnections(t *testing.T) { // D-99
	const accounts = 40
	d := newDesk(t, Limits{Instruments: 1, Accounts: accounts, Orders: 1 << 14, Events: 256, Jobs: 1})
	d.list(perpetual(1), 100)
	for id := msg.AccountID(1); id <= accounts; id++ {
		d.ok(msg.Deposit(id, 1_000_000*fixed.Coin), msg.SetDeadMan(id, 2*fixed.Second))
	}
	d.ok(msg.SetKey(keyOf(1, msg.RoleTrader, d.house.Account(1).Owner)))
	one := d.logon(11, 1, msg.OrderEntry, func(n *msg.Negotiation) { n.Cancel = msg.CancelOnBoth })
	one.takes(msg.Limit(1, 1, msg.Buy, 90, 1))
	for id := msg.AccountID(1); id <= accounts; id++ {
		for range 200 {
			d.ok(msg.Limit(id, 1, msg.Buy, 90, 1))
		}
	}
	d.ok(msg.CancelAll(2, 0, 0)) // it goes on
	d.ok(msg.Unbind(11, msg.UnbindLost))
	if d.jobs.full() != d.emptying(11) || d.jobs.count > 1 {
		t.Errorf("%d under way, the session's orders go: %v", d.jobs.count, d.emptying(11))
	}
	d.at = 2 * fixed.Second
	d.ok(msg.Tick())
	d.ok(msg.SetEntry(0, 0, msg.Entry{Scope: msg.ScopeVenue, Action: msg.BlockAndCancel}))
	for tries := 0; d.OpenOrders() != 0; tries++ {
		if d.ok(msg.Tick()); tries > 1000 {
			t.Fatalf("%d orders", d.OpenOrders())
		}
	}
}

// TestNumbersBeforeASessionsTurn lets an order expire with the command that binds its session again, and one with that which begins a drop
// copy: the session is told the number behind that report, and the drop copy has none of it.
func TestNumbersBeforeASessionsTurn(t *testing.T) { // W-29
	d, one, _ := membership(t)
	d.ok(msg.SetKey(keyOf(2, msg.RoleDropCopy, 1)))
	d.at++
	for after := range fixed.Nanos(2) {
		one.takes(with(msg.Place(1, 1, msg.Buy, 90, 1, msg.OrderExt{Expire: d.at + fixed.Second + after}), 0, msg.GTD))
	}
	d.ok(msg.Unbind(11, msg.UnbindLost))
	d.at += fixed.Second
	d.ok(msg.Bind(msg.Binding{Session: 11, Stamp: d.at}))
	if d.last[0].Kind != msg.Expired || d.last[1].Kind != msg.SessionBound || d.last[1].Bound().Server != 4 || d.server(11) != 4 {
		t.Errorf("the next report has number %d: %v", d.server(11), d.last)
	}
	d.at++
	d.ok(msg.Negotiate(msg.Negotiation{Session: 22, Key: 2, Kind: msg.DropCopy, Version: 1, UUID: [16]byte{22}, Stamp: d.at}))
	if d.last[0].Kind != msg.Expired || d.server(11) != 5 || d.server(22) != 1 {
		t.Errorf("the next reports have numbers %d and %d: %v", d.server(11), d.server(22), d.last)
	}
}
