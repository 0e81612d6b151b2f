package msg

import "github.com/lockstep-exchange/lockstep/fixed"

// The sessions of clients: their keys, and what becomes of a session from its negotiation to its end. A gateway says it, in
// the lane of the session and by session 0, and names the session that is meant; what it says is answered by an event of that
// session. So who may do what, what was received and what was sent is a function of the sequence.
//
//	           Negotiate        Bind                 Unbind              EndGrace
//	  nothing ───────────> open ─────> bound ─────────────────> unbound ───────────> unbound, its orders gone
//	                                     ^ <──────────── Bind ───┘
//	                                     Finalize ──> final: its row may be negotiated again by the same key

// KeyID names the key that a client signs with, and is the row of its record; on the wire it is the keyId.
type KeyID uint32

// Role is what a key is for.
type Role uint8

const (
	_               Role = iota // of no key; a key that is set to it is revoked
	RoleTrader                  // orders, cancels, margin and kill switch of its own accounts
	RoleRiskManager             // cancels, margin and kill switch of any account in its scope, and no orders
	RoleDropCopy                // reads the reports of its accounts
	RoleAuditor                 // reads everything in its scope
	RoleOperator                // the kill switch of instruments and the venue
	RoleTreasury                // money, which no message of a session moves
	roleEnd
)

// KeyChange is a key as it is from now on.
type KeyChange struct {
	Key     KeyID     // from 1 on, below Limits.Sessions
	Role    Role      // 0: it is revoked, and its sessions end
	Scheme  uint8     // of its signatures: 1 Ed25519, 2 HMAC-SHA256
	Owner   OwnerID   // for whose accounts it acts; 0: anybody's, for who is no trader. A key that was set keeps its owner
	Account AccountID // the only one for which it acts; 0: all of its owner
	Public  [32]byte  // the public key of Ed25519; zero with HMAC, whose secret is in no journal
}

// SetKey adds, changes or revokes a key.
func SetKey(k KeyChange) Command {
	c := Command{Request: Request{Kind: KindSetKey, Account: k.Account}}
	c.Rare[0] = uint64(k.Role) | uint64(k.Scheme)<<8 | uint64(k.Key)<<32
	c.Rare[1] = uint64(k.Owner)
	for i, b := range k.Public {
		c.Rare[2+i/8] |= uint64(b) << (i % 8 * 8)
	}
	return c
}

// KeyChange is that of a KindSetKey.
func (r *Request) KeyChange() KeyChange {
	k := KeyChange{Key: KeyID(r.Rare[0] >> 32), Role: Role(r.Rare[0]), Scheme: uint8(r.Rare[0] >> 8), Owner: OwnerID(r.Rare[1]),
		Account: r.Account}
	for i := range k.Public {
		k.Public[i] = byte(r.Rare[2+i/8] >> (i % 8 * 8))
	}
	return k
}

// SessionKind is what a session carries.
type SessionKind uint8

const (
	_           SessionKind = iota
	OrderEntry              // every message of a client
	RiskControl             // mass cancel, kill switch and the like
	DropCopy                // every report of an owner
	FeedReplay              // market data again
	FeedSnapshot
	sessionKindEnd
)

// CancelMode says on which loss of contact the orders of a session go.
type CancelMode uint8

const (
	CancelNever       CancelMode = iota
	CancelOnLoss                 // the connection was lost
	CancelOnTerminate            // either side ended it
	CancelOnBoth
	cancelModeEnd
)

// Negotiation is what is negotiated once, for the life of a session.
type Negotiation struct {
	Session     SessionID // the row that it is to have
	Key         KeyID
	Kind        SessionKind
	Version     uint16      // of the schema, as its client announced it
	Cancel      CancelMode  //
	CancelFlags uint16      // bit 0: protective orders go too
	Window      uint32      // the grace before orders go, in ms; up to 60,000
	UUID        [16]byte    // the client's name of the session
	Stamp       fixed.Nanos // of the logon; above that of the key's last one
}

// GraceMax is the longest Window, in ms.
const GraceMax = 60_000

// Negotiate begins a session.
func Negotiate(n Negotiation) Command {
	c := Command{Request: Request{Kind: KindNegotiate}}
	c.Rare[0] = uint64(n.Session) | uint64(n.Kind)<<16 | uint64(n.Cancel)<<24 | uint64(n.Version)<<32 | uint64(n.CancelFlags)<<48
	c.Rare[1] = uint64(n.Key) | uint64(n.Window)<<32
	for i, b := range n.UUID {
		c.Rare[2+i/8] |= uint64(b) << (i % 8 * 8)
	}
	c.Rare[4] = uint64(n.Stamp)
	return c
}

// Negotiation is that of a KindNegotiate.
func (r *Request) Negotiation() Negotiation {
	w := r.Rare[0]
	n := Negotiation{Session: SessionID(w), Kind: SessionKind(w >> 16), Cancel: CancelMode(w >> 24), Version: uint16(w >> 32),
		CancelFlags: uint16(w >> 48), Key: KeyID(r.Rare[1]), Window: uint32(r.Rare[1] >> 32), Stamp: fixed.Nanos(r.Rare[4])}
	for i := range n.UUID {
		n.UUID[i] = byte(r.Rare[2+i/8] >> (i % 8 * 8))
	}
	return n
}

// SetNegotiated writes what was negotiated, and the last client id of the key, as line 2 of a SessionNegotiated.
func (e *Event) SetNegotiated(r *Request, last Ref) {
	e.Rare = r.Rare
	e.Rare[5], e.Rare[6], e.Rare[7] = uint64(last), 0, 0
}

// Last is the last client id of the key of a SessionNegotiated.
func (e *Event) Last() Ref { return Ref(e.Rare[5]) }

// Binding is a connection that a session has from now on.
type Binding struct {
	Session  SessionID
	TakeOver bool        // from the connection that it may have already
	Stamp    fixed.Nanos // of the logon; above that of the key's last one
}

// Bind binds a session to a connection.
func Bind(b Binding) Command {
	return Command{Request: Request{Kind: KindBind, Rare: Rare{uint64(b.Session), bit(b.TakeOver), uint64(b.Stamp)}}}
}

// Binding is that of a KindBind.
func (r *Request) Binding() Binding {
	return Binding{SessionID(r.Rare[0]), r.Rare[1] == 1, fixed.Nanos(r.Rare[2])}
}

// Why is why a session has lost its connection.
type Why uint8

const (
	_                Why = iota
	UnbindTerminated     // either side said so, a venue that shuts down too
	UnbindLost           // it closed, or nothing came for too long
	whyEnd
)

// Unbinding is the end of a connection.
type Unbinding struct {
	Session SessionID
	Why     Why
}

// Unbind ends the connection of a session.
func Unbind(session SessionID, why Why) Command {
	return Command{Request: Request{Kind: KindUnbind, Rare: Rare{uint64(session), uint64(why)}}}
}

// Unbinding is that of a KindUnbind.
func (r *Request) Unbinding() Unbinding { return Unbinding{SessionID(r.Rare[0]), Why(r.Rare[1])} }

// EndGrace says that the time to bind a session again is over: its orders go.
func EndGrace(session SessionID) Command {
	return Command{Request: Request{Kind: KindEndGrace, Rare: Rare{uint64(session)}}}
}

// Finalize ends a session for good. Its orders stay.
func Finalize(session SessionID) Command {
	return Command{Request: Request{Kind: KindFinalize, Rare: Rare{uint64(session)}}}
}

// Missing are messages of a client that will not come.
type Missing struct {
	Session SessionID
	From    uint64 // the number that was expected
	Count   uint64
}

// Miss states that messages are missing: the next one expected is the one after them.
func Miss(m Missing) Command {
	return Command{Request: Request{Kind: KindMiss, Rare: Rare{uint64(m.Session), m.From, m.Count}}}
}

// Missing are the messages of a KindMiss.
func (r *Request) Missing() Missing { return Missing{SessionID(r.Rare[0]), r.Rare[1], r.Rare[2]} }

// Meant is the session that a command about sessions is about.
func (r *Request) Meant() SessionID { return SessionID(r.Rare[0]) }

// AboutSession reports whether a command of this kind is about the session that it names.
func (k Kind) AboutSession() bool { return k >= KindNegotiate && k <= KindMiss }

// Refused is a message of a client that was refused before it became a command (W-28). Line 1 says what is known of what it
// asked for.
type Refused struct {
	Reject        Reject
	Field         uint8 // 1 + where the field stands in the message's table; 0: none
	Instead       Kind  // of which it would have become a command: whose right, quota and client id it needs; 0: of none
	Limit, Actual int64 // in the unit of the wire
}

// Refuse is the command that takes the place of a message that was refused. Whoever sends it sets Session and envelope. It holds
// the code of the reject, which outlives this build.
func Refuse(ref Ref, account AccountID, instr InstrumentID, order OrderID, f Refused) Command {
	return Command{Request: Request{Kind: KindRefuse, Ref: ref, Account: account, Instr: instr, Order: order,
		Rare: Rare{uint64(f.Reject.Code()) | uint64(f.Field)<<16 | uint64(f.Instead)<<24, uint64(f.Limit), uint64(f.Actual)}}}
}

// Refused is that of a KindRefuse.
func (r *Request) Refused() Refused {
	w := r.Rare[0]
	reject, _ := RejectByCode(uint16(w))
	return Refused{reject, uint8(w >> 16), Kind(w >> 24), int64(r.Rare[1]), int64(r.Rare[2])}
}

// Bound is what a SessionBound says.
type Bound struct {
	Client   uint64 // the number that is expected next from the client
	Server   uint64 // the number of the next report
	Last     Ref    // the key's last
	Stamp    fixed.Nanos
	TookOver bool
}

// SetBound writes b as line 2.
func (e *Event) SetBound(b Bound) {
	e.Rare = Rare{b.Client, b.Server, uint64(b.Last), uint64(b.Stamp), bit(b.TookOver)}
}

// Bound is that of a SessionBound.
func (e *Event) Bound() Bound {
	r := &e.Rare
	return Bound{r[0], r[1], Ref(r[2]), fixed.Nanos(r[3]), r[4] == 1}
}

// Unbound is what a SessionUnbound says.
type Unbound struct {
	Why   Why
	Goes  bool        // its orders go: at once where Grace is 0
	Grace fixed.Nanos // when EndGrace is due unless the session is bound again
}

// SetUnbound writes u as line 2.
func (e *Event) SetUnbound(u Unbound) { e.Rare = Rare{uint64(u.Why), bit(u.Goes), uint64(u.Grace)} }

// Unbound is that of a SessionUnbound.
func (e *Event) Unbound() Unbound {
	return Unbound{Why(e.Rare[0]), e.Rare[1] == 1, fixed.Nanos(e.Rare[2])}
}

// SetMissing writes the numbers of m as line 2 of a MessagesMissed, whose Session is that of m.
func (e *Event) SetMissing(m Missing) { e.Rare = Rare{m.From, m.Count} }

// Missing are the messages of a MessagesMissed.
func (e *Event) Missing() Missing { return Missing{e.Session, e.Rare[0], e.Rare[1]} }

// SetDeadMan states the engine time at which the orders of an account go, unless another one is stated before (W-44); 0: they stay.
func SetDeadMan(account AccountID, deadline fixed.Nanos) Command {
	return Command{Request: Request{Kind: KindSetDeadMan, Account: account, Rare: Rare{uint64(deadline)}}}
}

// Deadline is that of a KindSetDeadMan.
func (r *Request) Deadline() fixed.Nanos { return fixed.Nanos(r.Rare[0]) }

// A deadline is so far ahead when it is stated.
const (
	DeadlineMin = fixed.Second
	DeadlineMax = 300 * fixed.Second
)
