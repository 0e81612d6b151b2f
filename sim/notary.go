package sim

import (
	"encoding/binary"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// notary keeps what the sequence says of the sessions of clients, from released events alone: which numbers came, what each session and
// each drop copy has to be told and under which number, whose orders go when a connection does. Everything a client is told, and
// everything it believes, is held to that.
//
//	released ──event──> note envelopes, owners, scales
//	                      ├─> Received, MessagesMissed: the client's numbers, one after the other, each as it was sent
//	                      ├─> bound, unbound, grace: which orders may go by a lost connection, and which have to
//	                      └─> a report: its bytes, for the session that it names, and for each drop copy of its owner
type notary struct {
	world  *world
	flows  map[[16]byte]*flow
	rows   []*flow // by session: who has it now; nil: no client
	copies []*flow // drop copies that live, in the order in which they came
	owners []msg.OwnerID
	scales []wire.Scale
	roles  []keyNote // by key
	orders map[msg.OrderID]noted
	men    []fixed.Nanos // by account: the deadline of its dead-man; 0: none
	dying  []bool        // by account: its dead-man has expired

	seq     msg.Seq // the command of the last Received
	session msg.SessionID
	asked   msg.Request
	env     msg.Envelope
	answers [msg.QuoteMax]msg.Event // of a mass quote, which make one report
	frame   []byte
}

// keyNote is what is known of a key.
type keyNote struct {
	role  msg.Role
	owner msg.OwnerID
	last  msg.Ref // the highest client id that had an effect
}

// noted is an order of a client's session.
type noted struct {
	flow    *flow
	ref     msg.Ref
	instr   msg.InstrumentID
	persist bool
	quote   bool
}

// flow is one session of a client, for its whole life.
type flow struct {
	id     [16]byte
	row    msg.SessionID
	key    msg.KeyID
	owner  msg.OwnerID // 0: anybody
	kind   msg.SessionKind
	cancel msg.CancelMode
	window fixed.Nanos
	bound  bool
	begun  bool // it was bound once: reports are counted from then on
	final  bool
	goes   bool        // unbound: its orders go when the grace is over
	grace  fixed.Nanos // when that is
	leaves bool        // its orders are going
	going  int         // orders that go when it does
	stay   int         // orders that do not
	next   uint64      // the number that is expected from the client
	more   bool        // more entries of its last message may come
	entry  msg.Seq     // the command that brought the last of them
	quotes int         // of going
	truth  []uint64    // of each report so far, by number - 1
	told   []bool      // whether it was sent, ever
	sent   []message   // by the client, by number - 1
}

func newNotary(w *world) notary {
	l := &w.options.Limits
	n := notary{world: w, flows: map[[16]byte]*flow{}, rows: make([]*flow, l.Sessions), owners: make([]msg.OwnerID, l.Accounts+1),
		scales: make([]wire.Scale, l.Instruments+1), roles: make([]keyNote, l.Sessions), orders: map[msg.OrderID]noted{},
		men: make([]fixed.Nanos, l.Accounts+1), dying: make([]bool, l.Accounts+1)}
	for i := range n.scales {
		n.scales[i] = wire.Scale{Tick: 1, Lot: 1}
	}
	return n
}

// at is who has a session; nil: no client.
func (n *notary) at(id msg.SessionID) *flow {
	if int(id) < len(n.rows) {
		return n.rows[id]
	}
	return nil
}

// scale is that of an instrument; of one that there cannot be ticks and lots.
func (n *notary) scale(id msg.InstrumentID) *wire.Scale {
	if int(id) < len(n.scales) {
		return &n.scales[id]
	}
	return &n.scales[0]
}

// event reads one released event.
func (n *notary) event(e *msg.Event) {
	switch e.Kind {
	case msg.InstrumentListed:
		asked := msg.Request{Rare: e.Rare}
		l := asked.Listing()
		n.scales[e.Instr] = wire.ScaleOf(l.TickLot, l.UnitLots)
	case msg.AccountOpened:
		n.owners[e.Account] = msg.OwnerID(e.Rare[0])
	case msg.KeySet:
		asked := msg.Request{Account: e.Account, Rare: e.Rare}
		k := asked.KeyChange()
		n.roles[k.Key].role = k.Role
		if k.Role != 0 {
			n.roles[k.Key].owner = k.Owner
		}
	case msg.Received:
		n.received(e)
	case msg.MessagesMissed:
		n.missed(e)
	case msg.SessionNegotiated:
		n.negotiated(e)
	case msg.SessionBound, msg.SessionUnbound, msg.GraceEnded, msg.SessionFinalized:
		if f := n.at(e.Session); f != nil {
			f.turn(n, e)
		}
	case msg.Accepted, msg.QuotePlaced, msg.Canceled, msg.Expired, msg.Traded, msg.DeadManSet, msg.DeadManExpired:
		n.order(e)
	case msg.QuoteAnswered:
		n.quoted(e)
	}
	if e.Reports() {
		n.report(e)
	}
}

// received holds the client's numbers to their order, and what came under one to what was sent under it.
func (n *notary) received(e *msg.Event) {
	w, f := n.world, n.at(e.Session)
	receipt := e.Receipt()
	n.seq, n.session, n.env = e.Seq, e.Session, e.Envelope()
	n.asked = msg.Request{Kind: receipt.Asked, TIF: receipt.TIF, STP: receipt.STP, Flags: receipt.Flags}
	if f == nil {
		w.find("exactly once", "%s: there is no such session", e.String())
		return
	}
	if f.more && n.env.SeqNum == uint32(f.next-1) { // one more entry of the mass quote that has this number
		f.more, f.entry = receipt.More, e.Seq
		w.note(quoted, !f.more)
		return
	}
	if uint32(f.next) != n.env.SeqNum || !f.bound {
		w.find("exactly once", "%s: expected number %d of a session that is bound (%t)", e.String(), f.next, f.bound)
	}
	f.more, f.entry = receipt.More, e.Seq
	f.next++
	m := f.message(f.next - 1)
	if m == nil { // of the intruder, who keeps no book
		return
	}
	if m.ref != e.Ref || m.template != n.env.Template || m.fate != 0 {
		w.find("exactly once", "%s: number %d was sent as id %d, template %d, and was %s", e.String(), f.next-1, m.ref, m.template, m.fate)
	}
	m.fate = came
}

// quoted keeps an answer to an entry of a mass quote. Nothing but the end of the venue's process comes between two of them (W-51).
func (n *notary) quoted(e *msg.Event) {
	a := e.QuoteAnswer()
	n.answers[a.Index] = *e
	f := n.at(e.Session)
	if f == nil || a.BidNo != msg.RejectShuttingDown {
		return
	}
	if n.world.reached[quoteCut]++; f.entry != n.world.watch.resumed {
		n.world.find("mass quote", "%s: the entry before was command %d, and the venue has begun behind command %d", e.String(), f.entry, n.world.watch.resumed)
	}
}

// missed holds a gap to what was sent.
func (n *notary) missed(e *msg.Event) {
	w, f, gap := n.world, n.at(e.Session), e.Missing()
	if f == nil || gap.From != f.next {
		w.find("exactly once", "%s: numbers from %d on are missing, expected number %d", e.String(), gap.From, f.next)
		return
	}
	w.reached[numbersMissed]++
	for ; f.next < gap.From+gap.Count; f.next++ {
		if m := f.message(f.next); m != nil {
			m.fate = lost
		}
	}
}

// negotiated begins a session.
func (n *notary) negotiated(e *msg.Event) {
	asked := msg.Request{Rare: e.Rare}
	t := asked.Negotiation()
	f := n.flow(t.UUID)
	if f.row != 0 {
		n.world.find("exactly once", "%s: session %x was negotiated before", e.String(), t.UUID)
		return
	}
	*f = flow{id: t.UUID, row: t.Session, key: t.Key, owner: n.roles[t.Key].owner, kind: t.Kind, cancel: t.Cancel,
		window: fixed.Nanos(t.Window) * fixed.Millisecond, next: 1, sent: f.sent}
	if old := n.rows[t.Session]; old != nil {
		n.delist(old)
	}
	n.rows[t.Session] = f
	if f.kind == msg.DropCopy {
		n.copies = append(n.copies, f)
	}
}

// flow is the session of an id.
func (n *notary) flow(id [16]byte) *flow {
	f := n.flows[id]
	if f == nil {
		f = &flow{id: id}
		n.flows[id] = f
	}
	return f
}

// delist takes a drop copy out.
func (n *notary) delist(f *flow) {
	for i := range n.copies {
		if n.copies[i] == f {
			n.copies = append(n.copies[:i], n.copies[i+1:]...)
			return
		}
	}
}

// turn is a connection that a session gets or loses. Whether its orders go was negotiated, and nothing else decides it (W-42).
func (f *flow) turn(n *notary, e *msg.Event) {
	w := n.world
	switch e.Kind {
	case msg.SessionBound:
		w.note(tookOver, e.Bound().TookOver)
		w.note(boundInGrace, f.goes)
		w.note(boundAgain, f.next > 1 || len(f.truth) > 0)
		if f.leaves && f.going > 0 {
			w.find("disconnect", "%s: %d orders were to go before", e.String(), f.going)
		}
		if b := e.Bound(); b.Client != f.next || b.Server != uint64(len(f.truth))+1 {
			w.find("exactly once", "%s: says numbers %d and %d, expected %d and %d", e.String(), b.Client, b.Server, f.next, len(f.truth)+1)
		}
		f.bound, f.begun, f.goes, f.leaves, f.grace = true, true, false, false, 0
	case msg.SessionUnbound:
		u := e.Unbound()
		goes := f.cancel == msg.CancelOnBoth || f.cancel == msg.CancelOnLoss && u.Why == msg.UnbindLost ||
			f.cancel == msg.CancelOnTerminate && u.Why == msg.UnbindTerminated
		grace := fixed.Nanos(0)
		if goes && f.window > 0 {
			grace = e.Time + f.window
		}
		if u.Goes != goes || u.Grace != grace {
			w.find("disconnect", "%s: its orders go: %t, at %d; expected %t, at %d", e.String(), u.Goes, u.Grace, goes, grace)
		}
		f.bound, f.goes, f.grace, f.leaves = false, goes && grace != 0, grace, goes && grace == 0
	case msg.GraceEnded:
		w.reached[graceEnded]++
		if !f.goes || e.Time < f.grace {
			w.find("disconnect", "%s: its grace is over at %d, and its orders go: %t", e.String(), f.grace, f.goes)
		}
		f.goes, f.leaves = false, true
	case msg.SessionFinalized:
		w.reached[sessionFinished]++
		f.leaves = f.leaves || f.goes
		f.goes, f.bound, f.final = false, false, true
		n.delist(f)
	}
}

// order follows whose orders there are, and why they go.
func (n *notary) order(e *msg.Event) {
	w := n.world
	switch e.Kind {
	case msg.DeadManSet:
		n.men[e.Account] = fixed.Nanos(e.Rare[0])
		return
	case msg.DeadManExpired:
		w.reached[deadMan]++
		if at := n.men[e.Account]; at == 0 || at > e.Time {
			w.find("disconnect", "%s: its dead-man is set to %d", e.String(), at)
		}
		n.men[e.Account], n.dying[e.Account] = 0, true
		return
	case msg.Accepted, msg.QuotePlaced:
		f := n.at(e.Session)
		if f == nil {
			return
		}
		if !n.mayOrder(f, e.Account) {
			w.find("rights", "%s: key %d has role %d, and session kind %d", e.String(), f.key, n.roles[f.key].role, f.kind)
		}
		if k := &n.roles[f.key]; e.Ref <= k.last && (e.Kind == msg.Accepted || e.Ref < k.last) {
			w.find("exactly once", "%s: key %d had id %d before", e.String(), f.key, k.last)
		} else {
			k.last = max(e.Ref, k.last)
		}
		o := noted{f, e.Ref, e.Instr, e.Kind == msg.Accepted && n.asked.Flags&msg.FlagPersist != 0, e.Kind == msg.QuotePlaced}
		n.orders[e.Order] = o
		f.count(&o, 1)
		return
	}
	o, ok := n.orders[e.Order]
	if e.Kind == msg.Canceled {
		switch {
		case e.Reason == msg.CanceledByDisconnect && (!ok || o.persist || !o.flow.leaves):
			w.find("disconnect", "%s: of a session that is bound or keeps its orders", e.String())
		case e.Reason == msg.CanceledByDisconnect:
			w.reached[canceledByLoss]++
		case e.Reason == msg.CanceledByDeadMan && (!n.dying[e.Account] || o.persist):
			w.find("disconnect", "%s: its dead-man has not expired, or it outlives it", e.String())
		}
	}
	if over(e) && ok {
		delete(n.orders, e.Order)
		o.flow.count(&o, -1)
	}
}

// count counts an order of a session.
func (f *flow) count(o *noted, by int) {
	if o.persist {
		f.stay += by
	} else {
		f.going += by
	}
	if o.quote {
		f.quotes += by
	}
}

// over reports whether nothing is left of an order.
func over(e *msg.Event) bool {
	switch e.Kind {
	case msg.Expired:
		return true
	case msg.Canceled:
		return e.Change().Leaves == 0
	case msg.Traded:
		return e.Fill().Leaves == 0
	}
	return false
}

// mayOrder reports whether a session may bring orders of an account (D-94).
func (n *notary) mayOrder(f *flow, account msg.AccountID) bool {
	return f.kind == msg.OrderEntry && n.roles[f.key].role == msg.RoleTrader && n.owners[account] == n.roles[f.key].owner
}

// report writes down what a session, and the drop copies of its owner, have to be told.
func (n *notary) report(e *msg.Event) {
	env, asked := wire.Envelope{Ingress: wire.NoTime, Sending: wire.NoTime}, &msg.Request{}
	if e.Seq == n.seq {
		asked = &n.asked
		if e.Session == n.session {
			env = wire.Envelope{Ingress: orNone(n.env.Ingress), Sending: orNone(n.env.Sending), RefSeq: n.env.SeqNum, Template: n.env.Template}
		}
	}
	n.frame = n.frame[:0]
	switch e.Kind {
	case msg.QuoteAnswered:
		n.frame = wire.AppendQuoteAck(n.frame, n.answers[:e.QuoteAnswer().Count], 0)
	case msg.MessagesMissed:
		gap := e.Missing()
		out, block := wire.AppendFrame(n.frame, gen.Header{Block: uint16(len(gen.NotApplied{})), Template: gen.TemplateNotApplied,
			Schema: gen.SchemaSession, Version: gen.VersionSession})
		gen.AsNotApplied(block).SetFromSeqNo(gap.From)
		gen.AsNotApplied(block).SetCount(uint32(gap.Count))
		n.frame = out
	default:
		n.frame, _ = wire.AppendReport(n.frame, e, asked, &env, n.scale(e.Instr))
	}
	owner := msg.OwnerID(0)
	if f := n.at(e.Session); f != nil {
		owner = f.owner
		if f.begun && !f.final {
			f.add(n.frame)
		}
	}
	if f := n.at(asker(e)); f != nil && f.begun && !f.final {
		f.add(n.frame)
		n.world.reached[answeredElsewhere]++
	}
	if owner == 0 && int(e.Account) < len(n.owners) {
		owner = n.owners[e.Account]
	}
	if turn := e.Kind == msg.EntryChanged || e.Kind == msg.MassCanceled; owner == 0 && turn {
		owner = msg.OwnerID(e.Rare[2])
	}
	if !e.Copies() {
		return
	}
	for _, f := range n.copies {
		if f.owner == 0 || f.owner == owner {
			f.add(n.frame)
		}
	}
}

// asker is the session whose message a report answers, where it is another than the one whose order it is about; 0: none.
func asker(e *msg.Event) msg.SessionID {
	if e.Kind == msg.Amended || e.Kind == msg.Canceled && e.Reason == msg.CanceledByUser {
		if by := e.Change().Asker; by != e.Session {
			return by
		}
	}
	return 0
}

func orNone(t fixed.Nanos) uint64 {
	if t == 0 {
		return wire.NoTime
	}
	return uint64(t)
}

// add writes down the next report.
func (f *flow) add(frame []byte) {
	if binary.LittleEndian.Uint16(frame[wire.MessageAt+4:]) == gen.SchemaOrderEntry {
		binary.LittleEndian.PutUint64(frame[wire.BlockAt:], uint64(len(f.truth))+1)
	}
	f.truth = append(f.truth, digestOfBytes(frame))
	f.told = append(f.told, false)
}

// tell is a report that is sent under a number, for the first time or again.
func (f *flow) tell(w *world, number uint64, digest uint64) {
	switch {
	case number == 0 || number > uint64(len(f.truth)):
		w.find("recoverable flow", "session %d is told report %d, and the sequence has %d for it", f.row, number, len(f.truth))
	case f.truth[number-1] != digest && f.told[number-1]:
		w.find("recoverable flow", "report %d of session %d comes again as other bytes", number, f.row)
	case f.truth[number-1] != digest:
		w.find("recoverable flow", "report %d of session %d is not what the sequence says", number, f.row)
	default:
		f.told[number-1] = true
	}
}

// promise is the number that is said to be the next: none that a crash could take back (W-31).
func (f *flow) promise(w *world, next uint64) {
	if next == 0 || next > uint64(len(f.truth))+1 {
		w.find("recoverable flow", "session %d is promised report %d next, and the sequence has %d for it", f.row, next, len(f.truth))
	}
}

// digestOfBytes folds bytes.
func digestOfBytes(b []byte) uint64 {
	var d fixed.Digest
	d.Word(uint64(len(b)))
	for ; len(b) >= 8; b = b[8:] {
		d.Word(binary.LittleEndian.Uint64(b))
	}
	last := uint64(0)
	for _, c := range b {
		last = last<<8 | uint64(c)
	}
	d.Word(last)
	return d.Sum()
}
