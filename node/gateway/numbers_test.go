package gateway

import (
	"testing"

	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node"
)

// The gateway numbers the reports of each session as the core does, command by command: of drop copies also what the venue did to an owner's accounts,
// and none of a session that had the row before.
func TestNumbersAsTheCoreHasThem(t *testing.T) { // W-29, W-58
	w := newWorld(t)
	e, err := engine.New(venueLimits)
	if err != nil {
		t.Fatal(err)
	}
	r := NewRoster(Terms{Shard: 9, Random: func([]byte) {}}, w.roster.keys, e.Limits(), []*node.Port{w.node.Port(0), w.node.Port(1)})
	at, numbers, events := epoch, map[msg.SessionID]uint32{}, []msg.Event(nil)
	say := func(c msg.Command) {
		t.Helper()
		if at++; c.Session != 0 {
			numbers[c.Session]++
			c.Ref = msg.Ref(at - epoch)
			c.SetEnvelope(msg.Envelope{SeqNum: numbers[c.Session], Template: 100, Ingress: at})
		}
		c.Seq, c.Time = e.Seq()+1, at
		events = e.Apply(&c, events[:0])
		for i := range events {
			r.Hear(&events[i], at)
		}
		for id := range msg.SessionID(venueLimits.Sessions) {
			s, ok := e.Session(id)
			if row := r.rows[id].Load(); ok && row.tail.next != s.Server {
				t.Fatalf("%s: the next report of session %d has number %d here and %d in the core", c.String(), id, row.tail.next, s.Server)
			}
		}
	}
	by := func(id msg.SessionID, c msg.Command) {
		t.Helper()
		c.Session = id
		say(c)
	}
	begin := func(id msg.SessionID, key msg.KeyID, kind msg.SessionKind) {
		t.Helper()
		numbers[id] = 0
		say(msg.Negotiate(msg.Negotiation{Session: id, Key: key, Kind: kind, Version: 1, UUID: [16]byte{byte(id), byte(at)}, Stamp: at}))
		say(msg.Tick())
		say(msg.Bind(msg.Binding{Session: id, Stamp: at}))
	}
	for _, c := range seed(t) {
		say(c)
	}
	const venue, auditor, chief = 60, 61, 62
	say(msg.SetKey(msg.KeyChange{Key: chief, Role: msg.RoleRiskManager, Owner: 7, Scheme: 1}))
	say(msg.SetKey(msg.KeyChange{Key: venue, Role: msg.RoleRiskManager, Scheme: 1}))
	say(msg.SetKey(msg.KeyChange{Key: auditor, Role: msg.RoleAuditor, Scheme: 1}))
	begin(1, firm, msg.OrderEntry)
	begin(2, rival, msg.OrderEntry)
	begin(3, venue, msg.RiskControl)
	begin(4, copier, msg.DropCopy)
	begin(5, auditor, msg.DropCopy)
	for range 3 {
		by(1, msg.Limit(1, 1, msg.Buy, 49, 5))
		by(2, msg.Limit(2, 1, msg.Sell, 49, 1))
	}
	for _, c := range []msg.Command{msg.CancelAll(2, 0, 0), msg.SetLeverage(1, 1, 500), msg.SetLeverage(1, 1, 1),
		msg.SetEntry(0, 0, msg.Entry{Scope: msg.ScopeOwner, Owner: 8, Action: msg.BlockAndCancel}),
		msg.SetEntry(0, 1, msg.Entry{Scope: msg.ScopeInstrument, Action: msg.Block})} {
		by(3, c)
	}
	if got := r.rows[4].Load().tail.next - 1; got != 8 { // three orders, three fills, two of what the venue did
		t.Errorf("the owner's drop copy has %d reports", got)
	}
	say(msg.SetEntry(0, 1, msg.Entry{Scope: msg.ScopeInstrument, Action: msg.Unblock}))
	say(msg.SetEntry(0, 0, msg.Entry{Scope: msg.ScopeOwner, Owner: 8, Action: msg.Unblock}))
	by(2, msg.CancelAll(2, 0, 0))
	by(1, msg.Limit(1, 1, msg.Buy, 48, 5))
	before := r.rows[3].Load().tail.next
	by(3, msg.CancelAll(1, 0, 0)) // each order is told to its session alone
	if got := r.rows[3].Load().tail.next - before; got != 1 {
		t.Errorf("a mass cancel of others' orders has %d answers", got)
	}
	begin(7, chief, msg.OrderEntry)
	by(1, msg.Limit(1, 1, msg.Buy, 48, 5))
	rests := events[1].Order
	by(7, msg.Amend(0, 1, rests, 48, 4)) // who names another session's order has his answer (W-20)
	by(7, msg.Cancel(0, 1, rests))
	if got, other := r.rows[7].Load().tail.next-1, r.rows[1].Load().tail.next; got != 2 || other < 3 {
		t.Errorf("an amend and a cancel of another session's order have %d answers", got)
	}
	say(msg.Unbind(1, msg.UnbindLost))
	say(msg.Finalize(1))
	say(msg.Negotiate(msg.Negotiation{Session: 1, Key: firm, Kind: msg.OrderEntry, Version: 1, UUID: [16]byte{9}, Stamp: at}))
	by(2, msg.Limit(2, 1, msg.Sell, 49, 1)) // with an order of the session that had the row
	say(msg.Bind(msg.Binding{Session: 1, Stamp: at}))
	by(2, msg.Limit(2, 1, msg.Sell, 49, 1))
	say(msg.Negotiate(msg.Negotiation{Session: 6, Key: copier, Kind: msg.DropCopy, Version: 1, UUID: [16]byte{10}, Stamp: at}))
	at += fixed.Minute
	say(msg.Tick())
	if r.rows[6].Load().stage != final || len(r.copies) != 2 {
		t.Errorf("a session that was never bound: stage %d, %d drop copies", r.rows[6].Load().stage, len(r.copies))
	}
}
