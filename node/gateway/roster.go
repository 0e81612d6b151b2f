package gateway

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node"
	"github.com/lockstep-exchange/lockstep/wire"
)

// Roster is what the gateway knows of the core: sessions, keys, scales of instruments, owners of accounts. It is a fold of released
// events over what the engine held when it started, and nothing else; see Hear.
type Roster struct {
	terms  Terms
	keys   *Keys
	lanes  []*lane // the first is reserved for risk control (D-99)
	scales []atomic.Pointer[wire.Scale]

	rows []atomic.Pointer[Row] // by msg.SessionID; nil: never negotiated

	mu     sync.Mutex
	free   int                           // no row below is free
	spare  map[msg.KeyID][]msg.SessionID // rows whose sessions have ended for good: those of a key are taken again by its next ones
	byID   map[[16]byte]*Row
	places map[bound]*Row // the session that was bound last

	listeners listeners

	hearing sync.Mutex // of what follows
	scribe  scribe
	owners  []msg.OwnerID // by account
	copies  []*Row        // drop copies that live
	frame   []byte
	now     fixed.Nanos // of the last event
	unsaid  []*Row      // that have reports their links have not been given
	touched []*Link
	graces  []*Row  // that wait for the end of their grace
	owed    []owing // what had no room in its lane
}

// owing is a command of the roster's own.
type owing struct {
	row     *Row
	command msg.Command
}

// Row is one session.
type Row struct {
	id    msg.SessionID
	terms msg.Negotiation // as negotiated
	owner msg.OwnerID     // of the key; 0: anybody
	lane  *lane

	// Guarded by the roster's mutex.
	stage  stage
	since  fixed.Nanos // when it was unbound last; 0: it is bound, or has not been yet
	lost   msg.Why     // why the link is gone from which asker takes the session; 0: it is not, or the core knows
	stamp  fixed.Nanos // of the logon for which the core is asked
	asker  *Link       // for which the core is asked to negotiate or to bind
	former *Row        // that had this place, until the core has said yes

	link  atomic.Pointer[Link] // that it is bound to
	taken atomic.Bool          // another link asks for it: the one that it is bound to says nothing more
	grace fixed.Nanos          // when its orders go; guarded by hearing
	begun bool                 // it has been bound, and so has reports; guarded by hearing

	// Of the link that it is bound to, and of the reader while there is none.
	client uint64 // the number of the message that is expected next
	rates  [classes]bucket

	answered atomic.Uint64  // the last number of the client whose answer its link has been given
	last     *atomic.Uint64 // the highest client id of its key

	// Of the reader of events.
	heard uint64 // the last number of the client that has been answered
	given uint64 // the number of the first report that the link has not been given
	waits bool   // it is among the roster's unsaid

	mu   sync.Mutex
	tail tail
	old  tail // what was brought about again, the last of it; empty: nothing
}

// again appends count reports from a number on, where they are at hand. The row's mutex is held.
func (row *Row) again(dst []byte, from uint64, count int) (out []byte, ok bool) {
	if upto := row.tail.first; from < upto {
		old := int(min(uint64(count), upto-from))
		if !row.old.has(from, old) {
			return dst, false
		}
		dst = append(dst, row.old.of(from, old)...)
		from, count = from+uint64(old), count-old
	}
	if count == 0 {
		return dst, true
	}
	if !row.tail.has(from, count) {
		return dst, false
	}
	return append(dst, row.tail.of(from, count)...), true
}

// stage is how far a session has come.
type stage uint8

const (
	asked stage = iota // the core has not said yes
	open               // negotiated, and perhaps bound
	final              // it has ended for good
)

// Terms are those on which a venue serves.
type Terms struct {
	Shard  uint16
	Rates  Rates
	Retain int                     // bytes of reports that are kept of each session, for who asks for them again; 0: 256 KiB
	Random func([]byte)            // fills its argument; for nonces
	Aside  func(check func()) bool // has a signature checked where that holds up nobody, and waits for it; false: it was not checked. nil: at once
	Market Market                  // for sessions of market data; nil: there are none
	Recall bool                    // older reports are brought about again by who looks at Link.Wants; false: they are gone
}

const (
	retainDefault = 256 << 10
	clockSlack    = 5 * fixed.Second // how far a client's time may be from the venue's
)

// NewRoster makes a roster that knows nothing as yet. limits are those of the engine. ports are doors of its node that nobody else uses:
// the first is for risk control, the others for all else; two at least.
func NewRoster(t Terms, keys *Keys, limits engine.Limits, ports []*node.Port) *Roster {
	if len(ports) < 2 {
		panic("gateway: fewer than two ports")
	}
	t.Rates.complete()
	if t.Retain == 0 {
		t.Retain = retainDefault
	}
	if t.Aside == nil {
		t.Aside = here
	}
	r := &Roster{terms: t, keys: keys, scales: make([]atomic.Pointer[wire.Scale], limits.Instruments+1), rows: make([]atomic.Pointer[Row], limits.Sessions),
		free: 1, spare: map[msg.KeyID][]msg.SessionID{}, byID: map[[16]byte]*Row{}, places: map[bound]*Row{}, owners: make([]msg.OwnerID, limits.Accounts+1)}
	r.listeners = listeners{market: t.Market, known: map[[16]byte]*listener{}, bound: map[bound]*Link{}, asked: map[asking]fixed.Nanos{}}
	for _, p := range ports {
		r.lanes = append(r.lanes, &lane{port: p})
	}
	return r
}

// here has a signature checked at once.
func here(check func()) bool {
	check()
	return true
}

// Learn makes the roster know what an engine holds that does not run: the state from which the events to come go on.
func (r *Roster) Learn(e *engine.Engine) {
	r.hearing.Lock()
	defer r.hearing.Unlock()
	for id := range r.scales {
		if in, ok := e.Instrument(msg.InstrumentID(id)); ok {
			r.setScale(msg.InstrumentID(id), wire.ScaleOf(in.TickLot, in.UnitLots))
		}
	}
	for id := range r.owners {
		if a, ok := e.Account(msg.AccountID(id)); ok {
			r.owners[id] = a.Owner
		}
	}
	for id := range r.rows {
		if k, ok := e.Key(msg.KeyID(id)); ok {
			r.keys.set(msg.KeyChange{Key: msg.KeyID(id), Role: k.Role, Scheme: k.Scheme, Owner: k.Owner, Account: k.Account, Public: k.Public}, k.Last, k.Stamp)
		}
	}
	for id := range r.rows {
		if s, ok := e.Session(msg.SessionID(id)); ok {
			r.restore(msg.SessionID(id), &s, e.Now())
		}
	}
}

// restore makes the row of a session that the core knows. One that is bound was so to a connection of before: it is lost.
func (r *Roster) restore(id msg.SessionID, s *engine.SessionState, now fixed.Nanos) {
	row := r.row(&msg.Negotiation{Session: id, Key: s.Key, Kind: s.Kind, Version: s.Version, Cancel: s.Cancel, CancelFlags: s.CancelFlags,
		Window: s.Window, UUID: s.UUID}, s.Owner)
	row.stage, row.client, row.since, row.begun = open, s.Next, now, s.Begun
	row.heard, row.given = s.Next-1, s.Server
	row.answered.Store(row.heard)
	row.tail.begin(s.Server)
	if s.Final {
		r.retire(row)
		return
	}
	r.enlist(row)
	switch {
	case s.Bound:
		r.owe(row, msg.Unbind(id, msg.UnbindLost))
	case s.Goes:
		row.grace = s.Grace
		r.graces = append(r.graces, row)
	}
}

// row makes the row of a negotiation.
func (r *Roster) row(n *msg.Negotiation, owner msg.OwnerID) *Row {
	row := &Row{id: n.Session, terms: *n, owner: owner, lane: r.laneOf(n), last: r.keys.lastOf(n.Key), client: 1, given: 1}
	row.tail.limit = r.terms.Retain
	row.tail.begin(1)
	r.rows[n.Session].Store(row)
	r.byID[n.UUID] = row
	return row
}

// laneOf is the lane of a session, the same whatever happens to it.
func (r *Roster) laneOf(n *msg.Negotiation) *lane {
	if n.Kind == msg.RiskControl {
		return r.lanes[0]
	}
	return r.lanes[1+int(n.Session)%(len(r.lanes)-1)]
}

// enlist puts a drop copy among those that are told everything.
func (r *Roster) enlist(row *Row) {
	if row.terms.Kind == msg.DropCopy && row.stage == open {
		r.copies = append(r.copies, row)
	}
}

// delist takes it out again.
func (r *Roster) delist(row *Row) {
	if i := slices.Index(r.copies, row); i >= 0 {
		r.copies = slices.Delete(r.copies, i, i+1)
	}
}

// scale is that of an instrument; of one that is not listed ticks and lots.
func (r *Roster) scale(id msg.InstrumentID) *wire.Scale {
	if int(id) < len(r.scales) {
		if s := r.scales[id].Load(); s != nil {
			return s
		}
	}
	return &unscaled
}

var unscaled = wire.Scale{Tick: 1, Lot: 1}

func (r *Roster) setScale(id msg.InstrumentID, s wire.Scale) {
	if int(id) < len(r.scales) {
		r.scales[id].Store(&s)
	}
}

// find is the session of an id, nil where there is none that lives.
func (r *Roster) find(id *[16]byte) *Row {
	r.mu.Lock()
	defer r.mu.Unlock()
	if row := r.byID[*id]; row != nil && row.stage == open && r.rows[row.id].Load() == row { // else another one has its place, or is about to
		return row
	}
	return nil
}

// forgetAfter is how long a session may be away before its key may give its place to another one; the core's figure.
const forgetAfter = fixed.Day

// reserve takes a row for a session that is to be negotiated by a link: one that nobody had, or else one of the same key that has ended
// for good or was away for a day. twice says that there is a session of this id already; both nil and false that no row is free.
func (r *Roster) reserve(n *msg.Negotiation, owner msg.OwnerID, l *Link) (row *Row, twice bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byID[n.UUID] != nil {
		return nil, true
	}
	at := r.place(n)
	if at == 0 {
		return nil, false
	}
	n.Session = msg.SessionID(at)
	former := r.rows[at].Load()
	row = r.row(n, owner)
	row.asker, row.former = l, former
	return row, false
}

// retire notes that a session has ended for good; the roster's mutex is held.
func (r *Roster) retire(row *Row) {
	row.stage = final
	r.spare[row.terms.Key] = append(r.spare[row.terms.Key], row.id)
}

// place is a row for a negotiation, one that its key has had and needs no more before one that is free: however many sessions a key begins and
// ends, it leaves rows to the others. 0: there is none.
func (r *Roster) place(n *msg.Negotiation) int {
	for ids := r.spare[n.Key]; len(ids) > 0; ids = r.spare[n.Key] {
		id := ids[len(ids)-1]
		r.spare[n.Key] = ids[:len(ids)-1]
		if old := r.rows[id].Load(); old.stage == final && old.asker == nil && old.terms.Key == n.Key {
			return int(id)
		}
	}
	for ; r.free < len(r.rows); r.free++ {
		if r.rows[r.free].Load() == nil {
			return r.free
		}
	}
	for id := 1; id < len(r.rows); id++ {
		old := r.rows[id].Load()
		if old.terms.Key == n.Key && old.asker == nil && (old.stage == final || old.since != 0 && n.Stamp-old.since > forgetAfter+clockSlack) {
			return id
		}
	}
	return 0
}

// ask notes that a link asks the core to bind a row, by the stamp of its logon; false when another one does. What the link says that had the
// row before has to come before the Bind, for that tells which number is expected next: so it says nothing from now on.
func (r *Roster) ask(row *Row, l *Link, stamp uint64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if row.asker != nil {
		return false
	}
	row.asker, row.stamp = l, fixed.Nanos(stamp)
	row.taken.Store(true)
	return true
}

// elsewhere reports whether another link has the session.
func (row *Row) elsewhere(l *Link) bool {
	other := row.link.Load()
	return other != nil && other != l
}

// succeeded reports whether another link has the session of one that is gone, or asks for it: then its Bind has the last word, and the end of
// this one may not come behind it. It is asked with the lane held, as the Bind is said.
func (r *Roster) succeeded(l *Link, row *Row, why msg.Why) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if row.elsewhere(l) {
		return true
	}
	if row.asker == nil || row.asker == l {
		return false
	}
	row.lost = why
	return true
}

// forget takes a link out of all rows: its connection is over.
func (r *Roster) forget(l *Link, row *Row) {
	row.link.CompareAndSwap(l, nil)
	r.mu.Lock()
	defer r.mu.Unlock()
	if row.asker == l {
		row.asker = nil
		row.taken.Store(false)
	}
}

// rival is another session that the key of a row has bound in the same kind, or the row itself where it is bound; nil: neither.
func (r *Roster) rival(row *Row) *Row {
	r.mu.Lock()
	defer r.mu.Unlock()
	if other := r.places[bound{row.terms.Key, row.terms.Kind}]; other != nil && other.link.Load() != nil {
		return other
	}
	return nil
}

// pay says what the roster owes; false when there is no room. The end of a session that somebody has bound meanwhile, or is about to, is not
// said any more.
func (r *Roster) pay(s *owing, now fixed.Nanos) bool {
	l := s.row.lane
	l.mu.Lock()
	defer l.mu.Unlock()
	if s.command.Kind == msg.KindUnbind && r.succeeded(nil, s.row, s.command.Unbinding().Why) {
		return true
	}
	slot := l.port.Claim()
	if slot == nil {
		return false
	}
	slot.CopyFrom(&s.command.Request)
	slot.Time = now
	l.port.Publish()
	return true
}

// Owes reports whether the roster has commands that found no room.
func (r *Roster) Owes() bool {
	r.hearing.Lock()
	defer r.hearing.Unlock()
	return len(r.owed) > 0
}

// owe sequences a command of the roster's own as soon as its lane has room.
func (r *Roster) owe(row *Row, c msg.Command) { r.owed = append(r.owed, owing{row, c}) }

// Advance does what the time has come for: graces that are over, and commands that had no room.
func (r *Roster) Advance(now fixed.Nanos) {
	r.hearing.Lock()
	defer r.hearing.Unlock()
	kept := r.graces[:0]
	for _, row := range r.graces {
		switch {
		case row.grace == 0:
		case row.grace <= now:
			row.grace = 0
			r.owe(row, msg.EndGrace(row.id))
		default:
			kept = append(kept, row)
		}
	}
	r.graces = kept
	late := r.owed[:0]
	for _, s := range r.owed {
		if len(late) > 0 || !r.pay(&s, now) {
			late = append(late, s)
		}
	}
	r.owed = late
}
