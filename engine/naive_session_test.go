package engine

import (
	"fmt"
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// The naive twin of keys and sessions: maps by name, every number kept by looking at all events, and no trick of the engine's.

type naiveKey struct {
	role        msg.Role
	owner       msg.OwnerID
	account     msg.AccountID
	last        msg.Ref
	stamp       fixed.Nanos
	ever, alive bool
}

type naiveMember struct {
	key          msg.KeyID
	kind         msg.SessionKind
	uuid         [16]byte
	mode         msg.CancelMode
	window       uint32
	next, server uint64
	state        string // "new", "bound", "away", "over"
	since        fixed.Nanos
	armed        bool
	lapsing      bool // it was never bound, and its time is over: its end comes with this command
}

type naiveMembers struct {
	*desk
	keys     map[msg.KeyID]*naiveKey
	sessions map[msg.SessionID]*naiveMember
	going    map[msg.SessionID]bool // orders are still being taken out
	strange  map[msg.SessionID]bool // or are still those of a session that had the row before
	lasting  map[msg.OrderID]bool   // orders that outlive a connection
}

// carries is the table of D-94 and W-20: who may have which sessions.
func carries(role msg.Role, account msg.AccountID, kind msg.SessionKind) bool {
	if kind == msg.DropCopy && account != 0 {
		return false
	}
	may := map[msg.Role]string{msg.RoleTrader: "12345", msg.RoleRiskManager: "12345", msg.RoleDropCopy: "345", msg.RoleAuditor: "345",
		msg.RoleOperator: "245", msg.RoleTreasury: "45"}
	for _, k := range may[role] {
		if msg.SessionKind(k-'0') == kind {
			return true
		}
	}
	return false
}

// expects is what a command of the gateway must be refused with, 0 when it must not.
func (n *naiveMembers) expects(c *msg.Command) msg.Reject {
	s := n.sessions[c.Meant()]
	switch c.Kind {
	case msg.KindSetKey:
		k := c.KeyChange()
		was := n.keys[k.Key]
		switch {
		case k.Key == 0 || uint32(k.Key) >= n.limits.Sessions:
			return msg.RejectTableFull
		case k.Role == 0 && (was == nil || !was.alive):
			return msg.RejectInvalidParameter
		case k.Role == 0:
			return 0
		case was != nil && was.ever && was.owner != k.Owner:
			return msg.RejectInvalidParameter
		case k.Owner != 0 && n.house.Owner(k.Owner) == nil, k.Role == msg.RoleTrader && k.Owner == 0:
			return msg.RejectUnknownAccount
		}
		return 0
	case msg.KindNegotiate:
		g := c.Negotiation()
		k := n.keys[g.Key]
		if g.Session == 0 || uint32(g.Session) >= n.limits.Sessions {
			return msg.RejectTableFull
		}
		if k == nil || !k.alive || !carries(k.role, k.account, g.Kind) {
			return msg.RejectNotPermitted
		}
		if g.Stamp <= k.stamp {
			return msg.RejectStaleSendingTime
		}
		if s != nil && (s.key != g.Key || s.state != "over" && !n.forgotten(s)) {
			return msg.RejectModeConflict
		}
		of := 0
		for id, o := range n.sessions {
			if o.uuid == g.UUID {
				return msg.RejectDuplicateClientID
			}
			if id != g.Session && o.key == g.Key && o.state != "over" {
				of++
			}
		}
		if of >= 16 && n.longestAway(&g) == 0 {
			return msg.RejectTableFull
		}
		return 0
	}
	if s == nil || s.state == "over" {
		return msg.RejectNotPermitted
	}
	switch c.Kind {
	case msg.KindBind:
		b := c.Binding()
		taken := false
		for _, o := range n.sessions {
			taken = taken || o.state == "bound" && o.key == s.key && o.kind == s.kind
		}
		switch {
		case b.Stamp <= n.keys[s.key].stamp:
			return msg.RejectStaleSendingTime
		case taken && !b.TakeOver:
			return msg.RejectModeConflict
		case n.going[c.Meant()] || n.strange[c.Meant()]:
			return msg.RejectEntryBlocked
		}
	case msg.KindUnbind:
		if s.state != "bound" {
			return msg.RejectModeConflict
		}
	case msg.KindEndGrace:
		if s.state != "away" || !s.armed || n.at < s.since+fixed.Nanos(s.window)*fixed.Millisecond {
			return msg.RejectModeConflict
		}
	case msg.KindMiss:
		m := c.Missing()
		if s.state != "bound" || m.From != s.next {
			return msg.RejectSequenceMismatch
		}
		if m.Count == 0 {
			return msg.RejectValueOutOfRange
		}
	}
	return 0
}

// forgotten reports whether a session has been away for so long that another one may have its place.
func (n *naiveMembers) forgotten(s *naiveMember) bool {
	return s.state == "away" && !s.armed && s.since+24*fixed.Hour <= n.at
}

// longestAway is which session gives way to a negotiation of a key that has as many as there may be, 0 where none does.
func (n *naiveMembers) longestAway(g *msg.Negotiation) (oldest msg.SessionID) {
	of := 0
	for id := range msg.SessionID(n.limits.Sessions) {
		s := n.sessions[id]
		if s == nil || id == g.Session || s.key != g.Key || s.state == "over" {
			continue
		}
		of++
		if n.forgotten(s) && (oldest == 0 || s.since < n.sessions[oldest].since) {
			oldest = id
		}
	}
	if of < 16 {
		return 0
	}
	return oldest
}

// part is the end of a connection.
func (n *naiveMembers) part(id msg.SessionID, why msg.Why) {
	s := n.sessions[id]
	s.state, s.since = "away", n.at
	s.armed = s.mode == 3 || s.mode == 1 && why == msg.UnbindLost || s.mode == 2 && why == msg.UnbindTerminated
	if s.armed && s.window == 0 {
		s.armed, n.going[id] = false, true
	}
}

// over ends a session.
func (n *naiveMembers) over(id msg.SessionID) {
	s := n.sessions[id]
	if s.state == "bound" {
		n.part(id, msg.UnbindTerminated)
	}
	if s.armed {
		s.armed, n.going[id] = false, true
	}
	s.state = "over"
}

// follow does what a command of the gateway does.
func (n *naiveMembers) follow(c *msg.Command) {
	s := n.sessions[c.Meant()]
	switch c.Kind {
	case msg.KindSetKey:
		k := c.KeyChange()
		was := n.keys[k.Key]
		if was == nil {
			was = &naiveKey{}
			n.keys[k.Key] = was
		}
		was.role, was.alive, was.ever = k.Role, k.Role != 0, true
		if k.Role != 0 {
			was.owner = k.Owner
		}
		if was.account = k.Account; k.Role == 0 {
			was.account = 0
		}
		for id := range msg.SessionID(n.limits.Sessions) {
			if o := n.sessions[id]; o != nil && o.key == k.Key && o.state != "over" && !carries(k.Role, k.Account, o.kind) {
				n.over(id)
			}
		}
	case msg.KindNegotiate:
		g := c.Negotiation()
		if oldest := n.longestAway(&g); oldest != 0 {
			n.over(oldest)
		}
		n.keys[g.Key].stamp = g.Stamp
		if s != nil && s.kind == msg.OrderEntry {
			n.strange[g.Session] = true
		}
		n.sessions[g.Session] = &naiveMember{since: n.at, key: g.Key, kind: g.Kind, uuid: g.UUID, mode: g.Cancel, window: g.Window, next: 1, server: 1, state: "new"}
	case msg.KindBind:
		n.keys[s.key].stamp = c.Binding().Stamp
		for id, o := range n.sessions {
			if o != s && o.state == "bound" && o.key == s.key && o.kind == s.kind {
				n.part(id, msg.UnbindTerminated)
			}
		}
		s.state, s.armed = "bound", false
	case msg.KindUnbind:
		n.part(c.Meant(), c.Unbinding().Why)
	case msg.KindEndGrace:
		s.armed, n.going[c.Meant()] = false, true
	case msg.KindFinalize:
		n.over(c.Meant())
	case msg.KindMiss:
		s.next += c.Missing().Count
	}
}

// answers are the events that can be the first response to a message, by the table of W-20.
var answers = map[msg.EventKind]bool{msg.Accepted: true, msg.Amended: true, msg.Canceled: true, msg.Rejected: true, msg.MassCanceled: true,
	msg.MassCancelBegun: true, msg.EntryChanged: true, msg.LeverageSet: true, msg.ModeChanged: true, msg.MarginMoved: true}

// reported are the events that a party is told of, by the table of docs/WIRE.md.
var reported = map[msg.EventKind]bool{msg.Traded: true, msg.Expired: true, msg.MessagesMissed: true, msg.MarginCall: true, msg.MarginCallCleared: true,
	msg.LiquidationStarted: true, msg.LiquidationSlice: true, msg.LiquidationEnded: true, msg.Takeover: true, msg.AdlStarted: true,
	msg.AdlFill: true, msg.FundingPaid: true}

// count counts the reports of a command.
func (n *naiveMembers) count(events []msg.Event) {
	for i := range events {
		ev := &events[i]
		if s := n.sessions[ev.Session]; ev.Kind == msg.SessionFinalized && s.lapsing {
			s.lapsing = false
		}
		own := ev.Kind == msg.LeverageSet || ev.Kind == msg.ModeChanged || ev.Kind == msg.MarginMoved
		if !reported[ev.Kind] && (!answers[ev.Kind] || own && ev.Session == 0) {
			continue
		}
		if ev.Kind == msg.Rejected && (!ev.Refusal().Asked.FromClient() || ev.Reject == msg.RejectSequenceMismatch) {
			continue
		}
		s, owner := n.sessions[ev.Session], msg.OwnerID(0)
		if s != nil {
			owner = n.keys[s.key].owner
			if s.state == "bound" || s.state == "away" {
				s.server++
			}
		}
		if of := ev.Change(); ev.Kind == msg.Amended || ev.Kind == msg.Canceled && ev.Reason == msg.CanceledByUser {
			if asker := n.sessions[of.Asker]; asker != nil && of.Asker != ev.Session && (asker.state == "bound" || asker.state == "away") {
				asker.server++
			}
		}
		if a := n.house.Account(ev.Account); owner == 0 && a != nil {
			owner = a.Owner
		} else if turn := ev.Kind == msg.EntryChanged || ev.Kind == msg.MassCanceled; owner == 0 && turn {
			owner = msg.OwnerID(ev.Rare[2])
		}
		if ev.Kind == msg.MessagesMissed {
			continue
		}
		for _, o := range n.sessions {
			if of := n.keys[o.key].owner; o.kind == msg.DropCopy && (o.state != "over" || o.lapsing) && (of == owner || of == 0) {
				o.server++
			}
		}
	}
}

// reach counts what left-over work has told before the command had its turn, by the sessions of before, and returns the rest.
func (n *naiveMembers) reach(c *msg.Command, events []msg.Event) ([]msg.Event, error) {
	turn := map[msg.EventKind]bool{msg.KeySet: true, msg.SessionNegotiated: true, msg.SessionUnbound: true, msg.SessionBound: true,
		msg.GraceEnded: true, msg.SessionFinalized: true, msg.MessagesMissed: true}
	at := 0
	for !turn[events[at].Kind] || events[at].Kind == msg.SessionFinalized && n.sessions[events[at].Session].lapsing {
		at++
	}
	n.count(events[:at])
	for i := range events {
		if s := n.sessions[c.Meant()]; events[i].Kind == msg.SessionBound && events[i].Bound().Server != s.server {
			return nil, fmt.Errorf("%s, and the next report has number %d", &events[i], s.server)
		}
	}
	return events[at:], nil
}

// play applies a command to both and compares.
func (n *naiveMembers) play(c msg.Command) error {
	c.Seq, c.Time = n.seq+1, n.at
	kept, still := map[msg.SessionID]int{}, map[msg.OrderID]bool{}
	for id := range n.sessions {
		if !n.going[id] {
			kept[id] = n.resting(id)
		}
		for _, o := range n.ordersOf(id) {
			if n.lasting[o] {
				still[o] = true
			}
		}
	}
	for _, s := range n.sessions {
		if s.state == "new" && s.since+60*fixed.Second <= n.at {
			s.state, s.lapsing = "over", true
		}
	}
	gateway := c.Kind == msg.KindSetKey || c.Kind.AboutSession()
	want := msg.Reject(0)
	if gateway {
		want = n.expects(&c)
	}
	s := n.sessions[c.Session]
	proper := s != nil && s.state == "bound" && c.Kind.FromClient() && c.Envelope().SeqNum == uint32(s.next)
	events, err := n.do(c), error(nil)
	if gateway {
		if got := refusal(events); got != want {
			return fmt.Errorf("%q, want %q", got.Name(), want.Name())
		}
		if want == 0 {
			if events, err = n.reach(&c, events); err != nil {
				return err
			}
			n.follow(&c)
		}
	}
	if s != nil {
		k := n.keys[s.key]
		switch received := n.desk.count(msg.Received); {
		case proper != (received == 1):
			return fmt.Errorf("received %d times, in its number and bound: %v", received, proper)
		case !proper && !gateway && refusal(events) == 0:
			return fmt.Errorf("a message out of number, or of no kind of a client's, is not refused: %v", events)
		case proper:
			s.next++
			first := 0
			for i, after := range events {
				if after.Kind == msg.Received {
					for _, ev := range events[i+1:] {
						mine := ev.Ref == c.Ref || ev.Kind == msg.Amended || ev.Kind == msg.Canceled
						if ev.Kind == msg.Amended || ev.Kind == msg.Canceled {
							mine = ev.Change().Request == c.Ref && ev.Change().Asker == c.Session && c.Kind != msg.KindCancelAll && c.Kind != msg.KindSetEntry
						}
						if ev.Kind == msg.MassCanceled && c.Kind == msg.KindSetEntry {
							mine = false
						}
						if mine && answers[ev.Kind] {
							first++
						}
					}
				}
			}
			if first != 1 {
				return fmt.Errorf("%d first responses: %v", first, events)
			}
			order := c.Kind == msg.KindLimit || c.Kind == msg.KindAmend || c.Kind == msg.KindCancel
			if order && c.Ref <= k.last && c.Ref != 0 && refusal(events) == 0 {
				return fmt.Errorf("client id %d is taken again, the last one was %d", c.Ref, k.last)
			}
			if now, _ := n.Key(s.key); now.Last < k.last || now.Last != k.last && now.Last != c.Ref {
				return fmt.Errorf("the key's last client id is %d after %d and %d", now.Last, k.last, c.Ref)
			} else {
				k.last = now.Last
			}
		}
	}
	n.count(events)
	for id, o := range n.sessions {
		if o.lapsing {
			return fmt.Errorf("session %d was never bound, and is not over", id)
		}
	}
	for id, was := range kept {
		if now := n.resting(id); n.going[id] && now > was {
			return fmt.Errorf("session %d has %d orders, of %d", id, now, was)
		}
	}
	for i := range events {
		ev := &events[i]
		if ev.Kind == msg.Accepted && c.Flags&msg.FlagPersist != 0 {
			n.lasting[ev.Order] = true
		}
		if alone := ev.Reason == msg.CanceledByDisconnect || ev.Reason == msg.CanceledByDeadMan; ev.Kind == msg.Canceled && alone && still[ev.Order] {
			return fmt.Errorf("%v: an order that outlives a connection", ev)
		}
	}
	for id := range n.going {
		if n.emptying(id) {
			continue
		}
		for _, o := range n.ordersOf(id) {
			if !n.lasting[o] {
				return fmt.Errorf("session %d has lost its connection, and order %v rests", id, o)
			}
		}
		delete(n.going, id)
	}
	for id := range n.strange {
		if n.emptying(id) {
			continue
		}
		if left := n.ordersOf(id); len(left) > 0 {
			return fmt.Errorf("session %d has orders of another one that had its row: %v", id, left)
		}
		delete(n.strange, id)
	}
	return n.same()
}

// ordersOf are the orders of a session that rest.
func (n *naiveMembers) ordersOf(id msg.SessionID) (list []msg.OrderID) {
	for h := uint32(1); h <= n.limits.Orders; h++ {
		if o := n.store.Order(h); o.Side != 0 && o.Session == id {
			list = append(list, n.store.ID(h))
		}
	}
	return list
}

// same compares what is known of sessions and keys.
func (n *naiveMembers) same() error {
	for id, s := range n.sessions {
		got, ok := n.Session(id)
		want := SessionState{UUID: s.uuid, Key: s.key, Owner: n.keys[s.key].owner, Kind: s.kind, Version: 1, Cancel: s.mode, Window: s.window,
			Next: s.next, Server: s.server, Bound: s.state == "bound", Final: s.state == "over", Begun: s.state != "new", Goes: s.armed}
		if s.armed {
			want.Grace = s.since + fixed.Nanos(s.window)*fixed.Millisecond
		}
		if !ok || got != want {
			return fmt.Errorf("session %d is %+v, want %+v", id, got, want)
		}
	}
	for id := range msg.SessionID(n.limits.Sessions) {
		if _, ok := n.Session(id); ok != (n.sessions[id] != nil) {
			return fmt.Errorf("session %d is there: %v", id, ok)
		}
	}
	return nil
}

// TestSessionsAgainstNaive plays random days of gateways and clients: logons that are stale, doubled or out of place, messages out of
// number, orders that trade between sessions, lost connections with all terms; and restores a snapshot every now and then.
func TestSessionsAgainstNaive(t *testing.T) { // D-36, W-28, W-29
	commands := 8000 / thin(1)
	seen := map[msg.EventKind]int{}
	for day := range 6 {
		seed := xorshift(uint64(day)*0x9E3779B97F4A7C15 + 1971)
		t.Logf("day %d: seed %#x", day, uint64(seed))
		d := newDesk(t, Limits{Instruments: 2, Accounts: 9, Orders: 400, Events: 256, Sessions: uint32(6 + 6*day), Jobs: uint32(1 + day%2)})
		d.list(perpetual(1), 100)
		d.list(perpetual(2), 100)
		for id := msg.AccountID(1); id <= 8; id++ {
			d.ok(msg.OpenAccount(id, msg.OwnerID(id|1), msg.AllGroups), msg.Deposit(id, 10_000_000*fixed.Coin))
		}
		n := &naiveMembers{desk: d, keys: map[msg.KeyID]*naiveKey{}, sessions: map[msg.SessionID]*naiveMember{}, going: map[msg.SessionID]bool{}, strange: map[msg.SessionID]bool{},
			lasting: map[msg.OrderID]bool{}}
		g := &membersDice{xorshift: &seed, n: n}
		for k := range commands {
			if seed.below(3) == 0 {
				d.at += fixed.Nanos(seed.below(int64(fixed.Second)))
			}
			if seed.below(400) == 0 {
				d.at += fixed.Day
			}
			c := g.next()
			if err := n.play(c); err != nil {
				t.Fatalf("day %d, command %d: %s: %v", day, k, c.String(), err)
			}
			for i := range d.last {
				seen[d.last[i].Kind]++
			}
			if k%500 == 499 {
				d.Engine = restored(t, d.limits, image(d.Engine))
			}
		}
		d.sound()
	}
	t.Logf("%v", seen)
	for _, kind := range []msg.EventKind{msg.Received, msg.Traded, msg.Amended, msg.Canceled, msg.KeySet, msg.SessionNegotiated, msg.SessionBound,
		msg.SessionUnbound, msg.GraceEnded, msg.SessionFinalized, msg.MessagesMissed, msg.MassCanceled} {
		if seen[kind] < commands/200 {
			t.Errorf("%v was seen %d times", kind, seen[kind])
		}
	}
}

// membersDice draws what gateways and clients say.
type membersDice struct {
	*xorshift
	n    *naiveMembers
	ref  msg.Ref
	uuid byte
}

// bound is a session that has a connection, mostly; which one it is depends on nothing but the draw.
func (g *membersDice) bound() msg.SessionID {
	id := g.session()
	if g.below(8) == 0 {
		return id
	}
	for range g.n.limits.Sessions {
		if s := g.n.sessions[id]; s != nil && s.state == "bound" && s.kind < msg.DropCopy {
			return id
		}
		id = (id + 1) % msg.SessionID(g.n.limits.Sessions)
	}
	return id
}

func (g *membersDice) session() msg.SessionID {
	return msg.SessionID(g.below(int64(g.n.limits.Sessions) + 1))
}

func (g *membersDice) next() (c msg.Command) {
	stamp := g.n.at + fixed.Nanos(g.below(20))
	switch g.below(24) {
	case 0:
		owner := msg.OwnerID(1 + 2*g.below(3))
		key := msg.KeyID(g.below(5))
		if k := g.n.keys[key]; k != nil && g.below(5) != 0 {
			owner = k.owner
		} else if g.below(5) == 0 {
			owner = 0
		}
		role := msg.Role(1 + g.below(2)*g.below(6))
		if g.below(12) == 0 {
			role = 0
		}
		if g.ref > 20 && g.below(4) != 0 {
			return msg.Tick()
		}
		k := keyOf(key, role, owner)
		if owner != 0 && g.below(5) == 0 {
			k.Account = msg.AccountID(owner)
		}
		return msg.SetKey(k)
	case 1, 2:
		g.uuid++
		return msg.Negotiate(msg.Negotiation{Session: g.session(), Key: msg.KeyID(g.below(5)), Kind: msg.SessionKind(1 + g.below(2)*g.below(5)), Version: 1,
			UUID: [16]byte{g.uuid, byte(g.ref), byte(g.below(2))}, Cancel: msg.CancelMode(g.below(4)), Window: uint32(g.below(2) * g.below(3000)), Stamp: stamp})
	case 3, 4, 5:
		return msg.Bind(msg.Binding{Session: g.session(), TakeOver: g.below(3) == 0, Stamp: stamp})
	case 6:
		return msg.Unbind(g.session(), msg.Why(1+g.below(2)))
	case 7:
		id := g.session()
		for range g.n.limits.Sessions {
			if s := g.n.sessions[id]; s != nil && s.armed {
				break
			}
			id = (id + 1) % msg.SessionID(g.n.limits.Sessions)
		}
		return msg.EndGrace(id)
	case 8:
		if g.below(2) == 0 {
			return msg.SetEntry(msg.AccountID(1+g.below(8)), 0, msg.Entry{Scope: msg.ScopeAccount, Action: msg.Unblock})
		}
		if g.below(6) == 0 {
			return msg.Finalize(g.session())
		}
		return msg.Tick()
	case 9:
		id := g.session()
		m := msg.Missing{Session: id, From: uint64(g.below(9)), Count: uint64(g.below(3))}
		if s := g.n.sessions[id]; s != nil && g.below(3) != 0 {
			m.From = s.next
		}
		return msg.Miss(m)
	}
	account, instr, side := msg.AccountID(1+g.below(8)), msg.InstrumentID(1+g.below(2)), msg.Side(1+g.below(2))
	order := msg.OrderID(g.below(3))<<32 | msg.OrderID(1+g.below(60))
	if at := uint32(1 + g.below(100)); g.n.store.Order(at).Side != 0 && g.below(5) != 0 {
		order, instr = g.n.store.ID(at), g.n.store.Ticket(at).Instr
	}
	switch g.below(9) {
	case 0:
		c = msg.CancelAll(account, 0, 0)
	case 1:
		c = msg.Cancel(account*msg.AccountID(g.below(2)), instr, order)
	case 2:
		c = msg.Amend(account*msg.AccountID(g.below(2)), instr, order, fixed.Ticks(95+g.below(10)), fixed.Lots(1+g.below(5)))
	case 3:
		c = msg.Refuse(0, account*msg.AccountID(g.below(2)), instr, 0, msg.Refused{Reject: msg.Reject(1 + g.below(50)), Instead: msg.Kind(g.below(6))})
	case 4:
		if c = msg.SetLeverage(account, instr, 500); g.below(10) == 0 {
			c = msg.SetEntry(account, 0, msg.Entry{Scope: msg.ScopeAccount, Action: msg.ReduceEntry})
		}
	default:
		c = msg.Limit(account, instr, side, fixed.Ticks(95+g.below(10)), fixed.Lots(1+g.below(5)))
		if g.below(3) == 0 {
			c.Flags = msg.FlagPersist
		}
	}
	if g.below(12) == 0 {
		return c // the embedder's
	}
	if c.Session = g.bound(); g.below(4) != 0 && c.Account != 0 {
		if s := g.n.sessions[c.Session]; s != nil && g.n.keys[s.key].owner != 0 {
			c.Account = msg.AccountID(g.n.keys[s.key].owner)
		}
	}
	if s := g.n.sessions[c.Session]; c.Order != 0 && s != nil && g.below(4) != 0 {
		for at := uint32(1); at < 100; at++ { // one of its owner's
			if o := g.n.store.Order(at); o.Side != 0 && o.Owner == g.n.keys[s.key].owner && (o.Session == c.Session || g.below(9) == 0) {
				c.Order, c.Instr, c.Account = g.n.store.ID(at), g.n.store.Ticket(at).Instr, g.n.store.Ticket(at).Account*msg.AccountID(g.below(2))
				break
			}
		}
	}
	number := uint32(g.below(6))
	if s := g.n.sessions[c.Session]; s != nil && g.below(10) != 0 {
		number = uint32(s.next)
	}
	if g.ref++; g.below(15) != 0 {
		c.Ref = g.ref
	} else if g.ref > 5 {
		c.Ref = g.ref - 5
	}
	c.SetEnvelope(msg.Envelope{SeqNum: number, Template: 100, Ingress: g.n.at})
	return c
}
