package engine

import (
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/riskgate"
)

// What becomes of keys and sessions. A gateway asks early what is asked here, and this is what holds: it is asked of the sequenced
// state, so two gateways, a restart, or a connection that was taken over see one answer.

// setKey adds, changes or revokes a key.
func (e *Engine) setKey(c *msg.Command) {
	n := c.KeyChange()
	r := e.canSetKey(&n)
	if r == 0 && e.spare() < 1+2*sessionsPerKey { // work left over has told so much that the ends of its sessions might have no room
		r = msg.RejectBusy
	}
	if r != 0 {
		e.refuse(c, r, 0, int64(n.Key))
		return
	}

	e.count()
	k := &e.gate.Keys[n.Key]
	k.Role, k.Scheme, k.Account, k.Public = n.Role, n.Scheme, 0, n.Public
	if n.Role != 0 { // of a key that goes neither has been asked
		k.Owner, k.Account = n.Owner, n.Account
	}
	e.answer(msg.KeySet, c).Rare = c.Rare
	for id := range e.gate.Sessions {
		s, row := &e.gate.Sessions[id], &e.clients.rows[id]
		switch {
		case s.Key != n.Key || row.state == finalized:
		case !riskgate.Carries(k, row.kind):
			e.endSession(msg.SessionID(id))
		default:
			s.Account = n.Account
			if row.state == bound {
				s.May = riskgate.RightsOf(k, row.kind)
			}
		}
	}
}

// canSetKey refuses a key that there cannot be. A key that was set keeps its owner, for its sessions' orders are his.
func (e *Engine) canSetKey(n *msg.KeyChange) msg.Reject {
	if n.Key == 0 || uint64(n.Key) >= uint64(len(e.gate.Keys)) {
		return msg.RejectTableFull
	}
	k := &e.gate.Keys[n.Key]
	owned := n.Owner != 0 && e.house.Owner(n.Owner) != nil
	switch {
	case n.Role > msg.RoleTreasury:
		return msg.RejectValueOutOfRange
	case n.Role == 0 && k.Role == 0:
		return msg.RejectInvalidParameter
	case n.Role == 0:
		return 0
	case *k != (riskgate.Key{}) && k.Owner != n.Owner:
		return msg.RejectInvalidParameter
	case n.Owner != 0 && !owned, n.Role == msg.RoleTrader && !owned:
		return msg.RejectUnknownAccount
	case n.Account != 0 && (e.house.Account(n.Account) == nil || e.house.Account(n.Account).Owner != n.Owner):
		return msg.RejectUnknownAccount
	}
	return 0
}

// ofSession applies a command about a session. What is refused is told to that session's gateway.
func (e *Engine) ofSession(c *msg.Command) {
	e.count()
	var r msg.Reject
	switch c.Kind {
	case msg.KindNegotiate:
		r = e.negotiate(c)
	case msg.KindBind:
		r = e.bind(c)
	case msg.KindUnbind:
		r = e.unbind(c)
	case msg.KindEndGrace:
		r = e.endGrace(c)
	case msg.KindFinalize:
		r = e.finalize(c)
	case msg.KindMiss:
		r = e.miss(c)
	}
	if r != 0 {
		e.refuse(c, r, 0, 0)
		e.out[e.told-1].Session = c.Meant()
	}
}

// tellSession opens the event that answers a command about a session.
func (e *Engine) tellSession(kind msg.EventKind, id msg.SessionID) *msg.Event {
	ev := e.emit(kind)
	ev.Session = id
	ev.Rare = msg.Rare{}
	return ev
}

// negotiate begins a session in a row that no other session holds. Orders that rest of one that had it before are nobody's from then on:
// until they are, the new one is not bound, and has no reports.
func (e *Engine) negotiate(c *msg.Command) msg.Reject {
	n := c.Negotiation()
	if n.Session == 0 || !e.gate.Sessions.Has(n.Session) {
		return msg.RejectTableFull
	}
	if n.Key == 0 || uint64(n.Key) >= uint64(len(e.gate.Keys)) || !riskgate.Carries(&e.gate.Keys[n.Key], n.Kind) {
		return msg.RejectNotPermitted
	}
	k, s, row := &e.gate.Keys[n.Key], &e.gate.Sessions[n.Session], &e.clients.rows[n.Session]
	switch {
	case n.Kind < msg.OrderEntry || n.Kind > msg.FeedSnapshot || n.Cancel > msg.CancelOnBoth || n.Window > msg.GraceMax || n.Stamp <= 0:
		return msg.RejectValueOutOfRange
	case n.Stamp <= k.Stamp:
		return msg.RejectStaleSendingTime
	case s.Key == 0 && *s != (riskgate.Session{}), s.Key != 0 && (s.Key != n.Key || !e.forgotten(n.Session)):
		return msg.RejectModeConflict
	}
	of, oldest := 0, msg.SessionID(0)
	for id := range e.clients.rows {
		o := &e.clients.rows[id]
		if o.state != 0 && o.uuid == n.UUID {
			return msg.RejectDuplicateClientID
		}
		if o.state != 0 && o.state != finalized && e.gate.Sessions[id].Key == n.Key && msg.SessionID(id) != n.Session {
			of++
			if e.forgotten(msg.SessionID(id)) && (oldest == 0 || o.since < e.clients.rows[oldest].since) {
				oldest = msg.SessionID(id)
			}
		}
	}
	if of >= sessionsPerKey && oldest == 0 {
		return msg.RejectTableFull
	}

	if of >= sessionsPerKey {
		e.endSession(oldest)
	}
	had := row.state != 0 && row.kind == msg.OrderEntry
	if row.state != 0 && row.state != finalized {
		e.clients.strike(n.Session, s.Owner)
	}
	k.Stamp = n.Stamp
	*s = riskgate.Session{Owner: k.Owner, Key: n.Key, Account: k.Account}
	*row = session{uuid: n.UUID, next: 1, server: 1, window: n.Window, terms: n.CancelFlags, version: n.Version, kind: n.Kind,
		cancel: n.Cancel, state: negotiated, since: e.now}
	e.clients.enlist(n.Session, k.Owner)
	e.set(lapseTimer, uint32(n.Session), uint64(n.Session), e.now+lapseAfter)
	e.jobs.disown(n.Session)
	e.disownTrips(n.Session)
	if had {
		e.disown(n.Session)
	}
	e.tellSession(msg.SessionNegotiated, n.Session).SetNegotiated(&c.Request, k.Last)
	return 0
}

// forgotten reports whether a row may be had by another session of its key.
func (e *Engine) forgotten(id msg.SessionID) bool {
	row := &e.clients.rows[id]
	return row.state == finalized || row.state == unbound && !row.goes && row.since+forgetAfter <= e.now
}

// live is a session that is not over, else nil.
func (e *Engine) live(id msg.SessionID) *session {
	if !e.gate.Sessions.Keyed(id) || e.clients.rows[id].state == finalized {
		return nil
	}
	return &e.clients.rows[id]
}

// bind gives a session a connection. A key has one a kind: who takes over takes it from the session that has it (W-16).
func (e *Engine) bind(c *msg.Command) msg.Reject {
	b := c.Binding()
	row := e.live(b.Session)
	if row == nil {
		return msg.RejectNotPermitted
	}
	s := &e.gate.Sessions[b.Session]
	k := &e.gate.Keys[s.Key]
	has := e.has(s.Key, row.kind)
	switch {
	case b.Stamp <= k.Stamp:
		return msg.RejectStaleSendingTime
	case has != 0 && !b.TakeOver:
		return msg.RejectModeConflict
	case e.emptying(b.Session): // orders that it lost, or that were never its own, are still in its row
		return msg.RejectEntryBlocked
	}

	k.Stamp = b.Stamp
	if has != 0 && has != b.Session {
		e.part(has, msg.UnbindTerminated)
	}
	row.state, row.since, row.goes = bound, 0, false
	e.timers.clear(lapseTimer, uint32(b.Session))
	s.May = riskgate.RightsOf(k, row.kind)
	e.tellSession(msg.SessionBound, b.Session).SetBound(msg.Bound{Client: row.next, Server: row.server, Last: k.Last, Stamp: b.Stamp,
		TookOver: has == b.Session})
	return 0
}

// has is the session of a kind of a key that has a connection, 0 where none has.
func (e *Engine) has(key msg.KeyID, kind msg.SessionKind) msg.SessionID {
	for id := range e.clients.rows {
		if row := &e.clients.rows[id]; row.state == bound && row.kind == kind && e.gate.Sessions[id].Key == key {
			return msg.SessionID(id)
		}
	}
	return 0
}

// unbind ends a connection.
func (e *Engine) unbind(c *msg.Command) msg.Reject {
	u := c.Unbinding()
	row := e.live(u.Session)
	switch {
	case row == nil:
		return msg.RejectNotPermitted
	case u.Why < msg.UnbindTerminated || u.Why > msg.UnbindLost:
		return msg.RejectValueOutOfRange
	case row.state != bound:
		return msg.RejectModeConflict
	}
	e.part(u.Session, u.Why)
	return 0
}

// part takes its connection from a session that has one. Its orders go now, later or not at all, as was negotiated (W-42).
func (e *Engine) part(id msg.SessionID, why msg.Why) {
	row := &e.clients.rows[id]
	e.gate.Sessions[id].May = 0
	row.state, row.since = unbound, e.now
	row.goes = row.cancel == msg.CancelOnBoth || row.cancel == msg.CancelOnLoss && why == msg.UnbindLost ||
		row.cancel == msg.CancelOnTerminate && why == msg.UnbindTerminated
	u := msg.Unbound{Why: why, Goes: row.goes}
	if row.goes && row.window != 0 {
		u.Grace = row.grace()
	}
	e.tellSession(msg.SessionUnbound, id).SetUnbound(u)
	if row.goes && row.window == 0 {
		e.empty(id)
	}
}

// endGrace lets the orders of a session go that was not bound again in time.
func (e *Engine) endGrace(c *msg.Command) msg.Reject {
	row := e.live(c.Meant())
	switch {
	case row == nil:
		return msg.RejectNotPermitted
	case row.state != unbound || !row.goes || e.now < row.grace():
		return msg.RejectModeConflict
	}
	e.tellSession(msg.GraceEnded, c.Meant())
	e.empty(c.Meant())
	return 0
}

// finalize ends a session for good.
func (e *Engine) finalize(c *msg.Command) msg.Reject {
	if e.live(c.Meant()) == nil {
		return msg.RejectNotPermitted
	}
	e.endSession(c.Meant())
	return 0
}

// endSession ends a session that is not over. Nobody will bind it again: orders that are to go do not wait.
func (e *Engine) endSession(id msg.SessionID) {
	row, s := &e.clients.rows[id], &e.gate.Sessions[id]
	if row.state == bound {
		e.part(id, msg.UnbindTerminated)
	}
	goes := row.goes
	s.May = 0
	e.clients.strike(id, s.Owner)
	e.timers.clear(lapseTimer, uint32(id))
	row.state = finalized
	e.tellSession(msg.SessionFinalized, id)
	if goes {
		e.empty(id)
	}
}

// miss goes on behind messages of a client that will not come.
func (e *Engine) miss(c *msg.Command) msg.Reject {
	m := c.Missing()
	row := e.live(m.Session)
	switch {
	case row == nil:
		return msg.RejectNotPermitted
	case row.state != bound || m.From != row.next:
		return msg.RejectSequenceMismatch
	case m.Count == 0 || row.next > 1<<63 || m.Count > 1<<63-row.next:
		return msg.RejectValueOutOfRange
	}
	row.next += m.Count
	e.tellSession(msg.MessagesMissed, m.Session).SetMissing(m)
	return 0
}

// lapse ends a session that has not been bound in its time.
func (e *Engine) lapse(id msg.SessionID) {
	e.count()
	e.endSession(id)
}

// empty lets the orders of a session go, in all accounts of its owner: its key may have been for more of them when they came. Where there
// is no place for one more mass cancel it waits for one.
func (e *Engine) empty(id msg.SessionID) {
	e.clients.rows[id].goes = false
	if e.jobs.full() {
		e.set(emptyTimer, uint32(id), uint64(id), e.now)
		return
	}
	e.walk(id, msg.CanceledByDisconnect)
}

// disowning marks the emptyTimer of a session whose row still has the orders of another one.
const disowning = 1 << 16

// disown lets the orders in the row of a session be nobody's: they are of another one that had it. Where they were to go anyhow, and wait for it,
// that does it.
func (e *Engine) disown(id msg.SessionID) {
	switch {
	case e.timers.isSet(emptyTimer, uint32(id)):
	case e.jobs.full():
		e.set(emptyTimer, uint32(id), uint64(id)|disowning, e.now)
	default:
		e.walk(id, noReason)
	}
}

// walk begins a job along the orders of the owner of a session.
func (e *Engine) walk(id msg.SessionID, reason msg.Reason) {
	owner := e.gate.Sessions[id].Owner
	if o := e.house.Owner(owner); o != nil {
		e.jobs.push(job{scope: msg.ScopeOwner, owner: owner, account: o.First, cursor: e.house.Account(o.First).Orders, session: id, reason: reason})
	}
}

// pass leaves an order where it is that a job does not take. One of a session that does not have it any more is nobody's: another one has the
// row, or had it and is over before it was bound, or the next one will.
func (e *Engine) pass(j *job, h uint32) {
	o := e.store.Order(h)
	if state := e.clients.rows[j.session].state; j.ofRow() && o.Session == j.session && (state == negotiated || state == finalized) {
		o.Session = 0
	}
	j.cursor = e.house.Claim(h).Next
}

// emptying reports whether there are orders in the row of a session that are still to go, or to be nobody's.
func (e *Engine) emptying(id msg.SessionID) bool {
	if e.timers.isSet(emptyTimer, uint32(id)) {
		return true
	}
	for i := range e.jobs.count {
		if j := e.jobs.at(i); j.ofRow() && j.session == id {
			return true
		}
	}
	return false
}
