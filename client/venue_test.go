package client_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/lockstep-exchange/lockstep/client"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// venue is the other end of a session: FIXP as docs/WIRE.md has it, before a toy market. It knows nothing of package client and
// keeps, beside what it says, what is true: which requests it has applied.
//
// The toy market: an order with an odd quantity trades one lot at once, one with a price below 0 is refused, all others rest. What is
// applied is told when it is released, not before.
type venue struct {
	t        testing.TB
	private  ed25519.PrivateKey
	client   ed25519.PublicKey
	sessions map[[16]byte]*served
	stamp    uint64 // the last Timestamp of the key
	lastRef  uint64

	// The connection.
	in       *wire.Stream
	out      []byte
	bound    *served
	open     *served // negotiated on this connection, not established yet
	nonce    [32]byte
	greeted  bool              // the client has sent a Sequence
	cut      bool              // the venue wants the connection closed
	applied  map[uint64]string // by client id
	orders   map[uint64]*resting
	byRef    map[uint64]uint64
	orderSeq uint64
	slow     bool // released messages wait for release
}

type served struct {
	id       [16]byte
	kind     gen.SessionKind
	expected uint64   // next number of the client
	log      [][]byte // what is said in the session, from number 1 on
	released int      // of them
	final    bool
	oldest   int // messages below it are no longer kept
}

type resting struct {
	ref, id            uint64
	price, qty, traded int64
	instr, account     uint32
	side               gen.Side
}

var (
	clientKey = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32))
	venueKey  = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{9}, 32))
)

func newVenue(t testing.TB) *venue {
	return &venue{t: t, private: venueKey, client: clientKey.Public().(ed25519.PublicKey), sessions: map[[16]byte]*served{},
		applied: map[uint64]string{}, orders: map[uint64]*resting{}, byRef: map[uint64]uint64{}}
}

// connect begins another connection; what was bound stays bound until somebody takes it over.
func (v *venue) connect() {
	v.in, v.out, v.open, v.greeted, v.cut = wire.NewStream(1<<14, wire.MaxInbound), nil, nil, false, false
	v.bound = nil
}

// take takes bytes of the client.
func (v *venue) take(b []byte) {
	for len(b) > 0 && !v.cut {
		n := copy(v.in.Room(), b)
		v.in.Filled(n)
		b = b[n:]
		for {
			frame, fault := v.in.Next()
			if fault.Kind != 0 {
				v.t.Fatal("the client sends ", fault.Error())
			}
			if frame == nil || v.cut {
				break
			}
			v.frame(frame)
		}
	}
}

func (v *venue) frame(frame []byte) {
	m, fault := wire.Open(frame)
	if fault.Kind != 0 {
		v.t.Fatal("the client sends ", fault.Error())
	}
	switch {
	case m.Schema == gen.SchemaSession && m.Template == gen.TemplateNegotiate:
		v.negotiate(frame, &m)
	case m.Schema == gen.SchemaSession && m.Template == gen.TemplateEstablish:
		v.establish(frame, &m)
	case v.bound == nil:
		v.t.Fatalf("template %d of schema %d before Establish", m.Template, m.Schema)
	case m.Schema == gen.SchemaSession:
		v.control(&m)
	default:
		v.business(&m)
	}
}

func (v *venue) put(template uint16, size int) []byte {
	var block []byte
	v.out, block = wire.AppendFrame(v.out, gen.Header{Block: uint16(size), Template: template, Schema: gen.SchemaSession})
	return block
}

// authentic checks the credentials of a logon: rights, proof, the order of Timestamps.
func (v *venue) authentic(frame []byte, m *wire.Message, stamp uint64) *gen.AuthCredentials {
	c, fault := wire.OpenRecord(m.Data)
	if fault.Kind != 0 || c.Template != gen.TemplateAuthCredentials {
		v.t.Fatal("no credentials in a logon")
	}
	a := gen.AsAuthCredentials(c.Block)
	if field, flaw := a.Check(); flaw != gen.Sound {
		v.t.Fatal("field ", field, " of the credentials is flawed")
	}
	proof := wire.AppendClientProof(nil, frame[wire.MessageAt:m.Offset+len(m.Block)], m.Data)
	if !ed25519.Verify(v.client, proof, a.Signature()[:]) || stamp <= v.stamp {
		return nil
	}
	v.stamp = stamp
	return a
}

func (v *venue) negotiate(frame []byte, m *wire.Message) {
	n := gen.AsNegotiate(m.Block)
	a := v.authentic(frame, m, n.Timestamp())
	if a == nil || v.sessions[*n.SessionID()] != nil {
		r := gen.AsNegotiationReject(v.put(gen.TemplateNegotiationReject, 25))
		*r.SessionID() = *n.SessionID()
		r.SetRequestTimestamp(n.Timestamp())
		v.out = wire.AppendData(v.out, len(v.out)-wire.BlockAt-25, nil)
		v.cut = true
		return
	}
	v.open = &served{id: *n.SessionID(), kind: a.Kind(), expected: 1}
	v.sessions[v.open.id] = v.open
	v.nonce[0]++
	start := len(v.out)
	r := gen.AsNegotiationResponse(v.put(gen.TemplateNegotiationResponse, 25))
	*r.SessionID() = v.open.id
	r.SetRequestTimestamp(n.Timestamp())
	r.SetServerFlow(gen.FlowTypeRecoverable)
	challenge, block := wire.AppendRecord(nil, gen.Header{Block: 128, Template: gen.TemplateVenueChallenge, Schema: gen.SchemaCredentials, Version: 1})
	c := gen.AsVenueChallenge(block)
	*c.ServerNonce() = v.nonce
	c.SetLastClOrdID(v.lastRef)
	c.SetMinVersion(1)
	c.SetMaxVersion(1)
	*c.Signature() = [64]byte(ed25519.Sign(v.private, wire.AppendVenueProof(nil, v.out[start+wire.MessageAt:], a.Nonce(), challenge)))
	v.out = wire.AppendData(v.out, start, challenge)
}

func (v *venue) establish(frame []byte, m *wire.Message) {
	e := gen.AsEstablish(m.Block)
	a := v.authentic(frame, m, e.Timestamp())
	s := v.sessions[*e.SessionID()]
	switch {
	case a == nil:
		v.refuse(e, gen.EstablishmentRejectCodeCredentials)
		return
	case s == nil || s.final:
		v.refuse(e, gen.EstablishmentRejectCodeUnnegotiated)
		return
	case v.open == s && *a.Nonce() != v.nonce:
		v.refuse(e, gen.EstablishmentRejectCodeCredentials)
		return
	case v.open != s && a.Takeover() != gen.YesNoYes:
		v.refuse(e, gen.EstablishmentRejectCodeAlreadyEstablished)
		return
	}
	v.bound, v.greeted = s, false
	r := gen.AsEstablishmentAck(v.put(gen.TemplateEstablishmentAck, 36))
	*r.SessionID() = s.id
	r.SetRequestTimestamp(e.Timestamp())
	r.SetKeepaliveInterval(1_000)
	r.SetNextSeqNo(uint64(s.released) + 1)
}

func (v *venue) refuse(e *gen.Establish, code gen.EstablishmentRejectCode) {
	r := gen.AsEstablishmentReject(v.put(gen.TemplateEstablishmentReject, 25))
	*r.SessionID() = *e.SessionID()
	r.SetRequestTimestamp(e.Timestamp())
	r.SetCode(code)
	v.out = wire.AppendData(v.out, len(v.out)-wire.BlockAt-25, []byte("no"))
	v.cut = true
}

func (v *venue) terminate(code gen.TerminationCode, reason string) {
	t := gen.AsTerminate(v.put(gen.TemplateTerminate, 17))
	*t.SessionID() = v.bound.id
	t.SetCode(code)
	v.out = wire.AppendData(v.out, len(v.out)-wire.BlockAt-17, []byte(reason))
}

func (v *venue) putSequence() {
	gen.AsSequence(v.put(gen.TemplateSequence, 8)).SetNextSeqNo(uint64(v.bound.released) + 1)
}

func (v *venue) control(m *wire.Message) {
	s := v.bound
	switch m.Template {
	case gen.TemplateSequence:
		v.greeted = true
		n := gen.AsSequence(m.Block).NextSeqNo()
		switch {
		case n < s.expected:
			v.t.Fatalf("the client says that request %d is next, %d is expected", n, s.expected)
		case n > s.expected:
			frame, block := wire.AppendFrame(nil, gen.Header{Block: 12, Template: gen.TemplateNotApplied, Schema: gen.SchemaSession})
			g := gen.AsNotApplied(block)
			g.SetFromSeqNo(s.expected)
			g.SetCount(uint32(n - s.expected))
			s.expected = n
			v.tell(frame)
		}
	case gen.TemplateRetransmitRequest:
		v.greeted = false
		v.retransmit(gen.AsRetransmitRequest(m.Block))
	case gen.TemplateFinishedSending:
		v.greeted = false
		if last := gen.AsFinishedSending(m.Block).LastSeqNo(); last+1 != s.expected {
			v.t.Fatalf("the client has sent up to %d, %d is expected", last, s.expected)
		}
		*gen.AsFinishedReceiving(v.put(gen.TemplateFinishedReceiving, 16)).SessionID() = s.id
		f := gen.AsFinishedSending(v.put(gen.TemplateFinishedSending, 24))
		*f.SessionID() = s.id
		f.SetLastSeqNo(uint64(s.released))
		s.final = true
	case gen.TemplateFinishedReceiving:
	case gen.TemplateTerminate:
		v.terminate(gen.TerminationCodeFinished, "")
		v.cut = true
	default:
		v.t.Fatalf("template %d in a session", m.Template)
	}
}

// retransmit answers as W-22 says: at most 64, between a Retransmission and a Sequence.
func (v *venue) retransmit(r *gen.RetransmitRequest) {
	s := v.bound
	from, count := int(r.FromSeqNo()), int(r.Count())
	if count < 1 || count > 2_000 || from < 1 || from+count > s.released+1 {
		v.t.Fatalf("the client asks for %d messages from %d on of %d", count, from, s.released)
	}
	if from < s.oldest {
		j := gen.AsRetransmitReject(v.put(gen.TemplateRetransmitReject, 25))
		*j.SessionID() = s.id
		j.SetRequestTimestamp(r.Timestamp())
		j.SetCode(gen.RetransmitRejectCodeOutOfRange)
		v.out = wire.AppendData(v.out, len(v.out)-wire.BlockAt-25, nil)
		return
	}
	count = min(count, 64)
	a := gen.AsRetransmission(v.put(gen.TemplateRetransmission, 36))
	*a.SessionID() = s.id
	a.SetRequestTimestamp(r.Timestamp())
	a.SetNextSeqNo(uint64(from))
	a.SetCount(uint32(count))
	for _, frame := range s.log[from-1 : from-1+count] {
		v.out = append(v.out, frame...)
	}
	v.putSequence()
}

// tell says something in the session: it has its number now, and is sent when it is released.
func (v *venue) tell(frame []byte) {
	s := v.bound
	s.log = append(s.log, frame)
	if h := gen.ReadHeader((*[8]byte)(frame[wire.MessageAt:])); h.Schema == gen.SchemaOrderEntry {
		binary.LittleEndian.PutUint64(frame[wire.BlockAt:], uint64(len(s.log)))
	}
	if !v.slow {
		v.release(len(s.log))
	}
}

// release sends what the bound session has said, up to a number.
func (v *venue) release(upTo int) {
	s := v.bound
	for ; s.released < min(upTo, len(s.log)); s.released++ {
		v.out = append(v.out, s.log[s.released]...)
	}
}

func (v *venue) report(template uint16, size int, o *resting) []byte {
	frame, block := wire.AppendFrame(nil, gen.Header{Block: uint16(size), Template: template, Schema: gen.SchemaOrderEntry, Version: 1})
	if o != nil {
		c := gen.AsOrderAccepted(append(block[:48:48], make([]byte, 50)...)) // the first 48 bytes are common
		c.SetOrderID(o.id)
		c.SetClOrdID(o.ref)
		c.SetInstrumentID(o.instr)
		c.SetAccountID(o.account)
		copy(block, c[:48])
	}
	return frame
}

func (v *venue) business(m *wire.Message) {
	s := v.bound
	h, ok := wire.Head(m)
	if !ok && m.Template == gen.TemplateSnapshotRequest {
		h.SeqNum, ok = gen.AsSnapshotRequest(m.Block).SeqNum(), true
	}
	switch {
	case !ok || !v.greeted:
		v.t.Fatalf("template %d outside of sequenced mode", m.Template)
	case h.SeqNum != uint32(s.expected):
		v.t.Fatalf("request %d comes where %d is expected", h.SeqNum, s.expected)
	}
	s.expected++
	if h.Ref != 0 {
		if v.applied[uint64(h.Ref)] != "" {
			v.t.Fatalf("request %d is sent twice", h.Ref)
		}
		if uint64(h.Ref) <= v.lastRef {
			v.t.Fatalf("request %d after %d", h.Ref, v.lastRef)
		}
		v.lastRef = uint64(h.Ref)
	}
	v.apply(m, uint64(h.Ref), h.SeqNum)
}

func (v *venue) reject(m *wire.Message, ref uint64, seq uint32, code gen.RejectCode) {
	v.applied[ref] = fmt.Sprint("rejected ", code)
	frame := v.report(gen.TemplateReject, 82, &resting{ref: ref})
	r := gen.AsReject(frame[wire.BlockAt:])
	r.SetRefSeqNum(seq)
	r.SetCode(code)
	r.SetRefTemplate(m.Template)
	v.tell(frame)
}

func (v *venue) apply(m *wire.Message, ref uint64, seq uint32) {
	switch m.Template {
	case gen.TemplateNewOrder, gen.TemplateNewOrderExt:
		v.place(gen.AsNewOrder(m.Block), m, ref, seq)
	case gen.TemplateReplace:
		r := gen.AsReplace(m.Block)
		o := v.orders[r.OrderID()]
		if o == nil {
			v.reject(m, ref, seq, gen.RejectCodeUnknownOrder)
			return
		}
		if r.Qty() <= o.traded { // as much as is wanted has traded
			v.applied[ref] = "canceled"
			v.cancel(o, ref, gen.CancelReasonUser)
			return
		}
		v.applied[ref] = "replaced"
		o.price, o.qty = r.Price(), r.Qty()
		frame := v.report(gen.TemplateOrderReplaced, 98, o)
		a := gen.AsOrderReplaced(frame[wire.BlockAt:])
		a.SetClOrdID(ref)
		a.SetOrigClOrdID(o.ref)
		a.SetPrice(o.price)
		a.SetLeavesQty(o.qty - o.traded)
		a.SetCumQty(o.traded)
		v.tell(frame)
	case gen.TemplateCancel:
		c := gen.AsCancel(m.Block)
		id := c.OrderID()
		if id == 0 {
			id = v.byRef[c.OrigClOrdID()]
		}
		o := v.orders[id]
		if o == nil {
			v.reject(m, ref, seq, gen.RejectCodeUnknownOrder)
			return
		}
		v.applied[ref] = "canceled"
		v.cancel(o, ref, gen.CancelReasonUser)
	case gen.TemplateMassCancel:
		v.applied[ref] = "mass"
		n := uint32(0)
		for id := uint64(1); id <= v.orderSeq; id++ {
			if o := v.orders[id]; o != nil {
				v.cancel(o, 0, gen.CancelReasonMassCancel)
				n++
			}
		}
		frame := v.report(gen.TemplateMassCancelReport, 66, nil)
		a := gen.AsMassCancelReport(frame[wire.BlockAt:])
		a.SetRequestID(ref)
		a.SetCanceled(n)
		v.tell(frame)
	case gen.TemplateMassQuote:
		v.applied[ref] = "quoted"
		frame, block := wire.AppendFrame(nil, gen.Header{Block: 44, Template: gen.TemplateMassQuoteAck, Schema: gen.SchemaOrderEntry, Version: 1})
		gen.AsMassQuoteAck(block).SetQuoteID(ref)
		frame, _ = wire.AppendGroup(frame, 0, 24, m.Group.Count)
		v.tell(wire.AppendData(frame, 0, nil))
	case gen.TemplateWhatIfMargin:
		v.applied[ref] = "asked"
		frame := v.report(gen.TemplateWhatIfResult, 106, nil)
		gen.AsWhatIfResult(frame[wire.BlockAt:]).SetRequestID(ref)
		v.tell(frame)
	case gen.TemplateOrderStatusRequest:
		v.applied[ref] = "asked"
		for id := uint64(1); id <= v.orderSeq; id++ {
			if o := v.orders[id]; o != nil {
				frame := v.report(gen.TemplateOrderStatus, 90, o)
				a := gen.AsOrderStatus(frame[wire.BlockAt:])
				a.SetRequestID(ref)
				a.SetPrice(o.price)
				a.SetLeavesQty(o.qty - o.traded)
				a.SetCumQty(o.traded)
				a.SetSide(o.side)
				a.SetOrdType(gen.OrdTypeLimit)
				v.tell(frame)
			}
		}
	default:
		v.applied[ref] = "controlled"
		frame := v.report(gen.TemplateControlAck, 66, nil)
		a := gen.AsControlAck(frame[wire.BlockAt:])
		a.SetRequestID(ref)
		a.SetRefTemplate(m.Template)
		v.tell(frame)
	}
}

func (v *venue) place(m *gen.NewOrder, whole *wire.Message, ref uint64, seq uint32) {
	if m.Price() < 0 {
		v.reject(whole, ref, seq, gen.RejectCodePriceOutsideBand)
		return
	}
	v.orderSeq++
	o := &resting{ref: ref, id: v.orderSeq, price: m.Price(), qty: m.Qty(), instr: m.InstrumentID(), account: m.AccountID(), side: m.Side()}
	v.applied[ref] = "accepted"
	v.orders[o.id], v.byRef[ref] = o, o.id
	frame := v.report(gen.TemplateOrderAccepted, 98, o)
	a := gen.AsOrderAccepted(frame[wire.BlockAt:])
	a.SetPrice(o.price)
	a.SetLeavesQty(o.qty)
	a.SetSide(o.side)
	a.SetOrdType(m.OrdType())
	a.SetTif(m.Tif())
	v.tell(frame)
	if o.qty%2 == 1 {
		v.trade(o, 1)
	}
}

// trade lets an order trade.
func (v *venue) trade(o *resting, qty int64) {
	o.traded += qty
	frame := v.report(gen.TemplateTrade, 114, o)
	a := gen.AsTrade(frame[wire.BlockAt:])
	a.SetLastPx(o.price)
	a.SetLastQty(qty)
	a.SetLeavesQty(o.qty - o.traded)
	a.SetCumQty(o.traded)
	a.SetSide(o.side)
	v.tell(frame)
	if o.qty == o.traded {
		delete(v.orders, o.id)
	}
}

func (v *venue) cancel(o *resting, by uint64, why gen.CancelReason) {
	frame := v.report(gen.TemplateOrderCanceled, 74, o)
	a := gen.AsOrderCanceled(frame[wire.BlockAt:])
	a.SetCanceledQty(o.qty - o.traded)
	a.SetCumQty(o.traded)
	a.SetRequestClOrdID(by)
	a.SetReason(why)
	a.SetOrdStatus(gen.OrdStatusCanceled)
	v.tell(frame)
	delete(v.orders, o.id)
}

// config is a client of the venue; its chance comes from a seed.
func config(seed uint64) client.Config {
	dice := rand.New(rand.NewPCG(seed, 1))
	return client.Config{Key: client.Key{ID: 5, Private: clientKey}, Venue: venueKey.Public().(ed25519.PublicKey), Name: "test", Pending: 64, Orders: 64,
		Random: func(b []byte) {
			for i := range b {
				b[i] = byte(dice.Uint32())
			}
		}}
}

// pair is a session and a venue with a wire between them that can be cut after any number of bytes.
type pair struct {
	t       testing.TB
	s       *client.Session
	v       *venue
	now     fixed.Nanos
	up      bool
	piece   int   // bytes that travel at once; 0: all there are
	toVenue int64 // bytes until the wire is cut on the way there; -1: never
	toUs    int64
	known   map[msg.Ref]string // what the session has told of each request
	orders  map[msg.Ref]client.Order
	bounds  int
	recover int
	numbers uint64 // the number of the last report
	missed  uint64
	done    []client.Kind
}

func newPair(t testing.TB, c client.Config) *pair {
	s, err := client.NewSession(c)
	if err != nil {
		t.Fatal(err)
	}
	return &pair{t: t, s: s, v: newVenue(t), now: 1_000_000, toVenue: -1, toUs: -1, known: map[msg.Ref]string{}, orders: map[msg.Ref]client.Order{}}
}

// carry moves bytes both ways until neither side has any, connecting first where that is needed.
func (p *pair) carry() {
	for range 1_000_000 {
		p.now += 1_000
		if !p.up {
			if p.s.Over() {
				return
			}
			p.v.connect()
			p.s.Connected(p.now)
			p.up = true
		}
		moved := p.there()
		moved = p.back() || moved
		p.drain()
		if p.s.Closing() && len(p.s.Output()) == 0 || p.v.cut && len(p.v.out) == 0 {
			p.lose()
			continue
		}
		if !p.up || p.s.Over() && !p.s.Closing() {
			continue
		}
		if !moved && len(p.s.Output()) == 0 && len(p.v.out) == 0 {
			return
		}
	}
	p.t.Fatal("the session and the venue do not come to rest")
}

func (p *pair) lose() {
	p.drain()
	p.s.Disconnected(p.now)
	p.drain()
	p.up = false
}

// there moves bytes to the venue.
func (p *pair) there() bool {
	b := p.s.Output()
	if p.piece > 0 {
		b = b[:min(p.piece, len(b))]
	}
	n := len(b)
	if p.toVenue >= 0 && int64(n) >= p.toVenue {
		b = b[:p.toVenue]
	}
	p.v.take(b)
	if p.toVenue >= 0 {
		if p.toVenue -= int64(len(b)); p.toVenue == 0 {
			p.toVenue = -1
			p.lose()
			return true
		}
	}
	p.s.Wrote(n)
	return n > 0
}

// back moves bytes from the venue.
func (p *pair) back() bool {
	if !p.up {
		return true
	}
	b := p.v.out
	if p.piece > 0 {
		b = b[:min(p.piece, len(b))]
	}
	if p.toUs >= 0 && int64(len(b)) >= p.toUs {
		b = b[:p.toUs]
	}
	n := copy(p.s.Room(), b)
	p.s.Received(n, p.now)
	p.v.out = p.v.out[n:]
	if p.toUs >= 0 {
		if p.toUs -= int64(n); p.toUs == 0 {
			p.toUs = -1
			p.lose()
			return true
		}
	}
	return n > 0
}

// drain takes all events.
func (p *pair) drain() {
	for e := p.s.Next(); e != nil; e = p.s.Next() {
		p.event(e)
	}
}

// event holds what the session tells to what it promises.
func (p *pair) event(e *client.Event) {
	if e == nil {
		return
	}
	switch e.Kind {
	case client.Bound:
		p.bounds++
	case client.Recovered:
		p.recover++
	case client.Missed:
		p.missed += e.Count
		p.numbers += e.Count
	case client.Report:
		if e.Number != p.numbers+1 && p.numbers != 0 {
			p.t.Fatalf("report %d after %d", e.Number, p.numbers)
		}
		p.numbers = e.Number
	case client.NotApplied:
		p.numbers = p.s.Resume().Expected - 1
		if e.Request.Ref != 0 {
			p.learn(e.Request.Ref, "not applied")
		}
	}
	if e.Kind == client.Report && e.Request.Ref != 0 {
		p.learn(e.Request.Ref, said(e))
	}
	if e.Order.Ref != 0 {
		p.orders[e.Order.Ref] = e.Order
	}
	p.done = append(p.done, e.Kind)
}

// learn notes what became of a request; that is told once.
func (p *pair) learn(ref msg.Ref, what string) {
	if old := p.known[ref]; old != "" {
		p.t.Fatalf("request %d is told as %s, and then as %s", ref, old, what)
	}
	p.known[ref] = what
}

// said is a first response in the words of the venue.
func said(e *client.Event) string {
	switch e.Template {
	case gen.TemplateOrderAccepted:
		return "accepted"
	case gen.TemplateOrderReplaced:
		return "replaced"
	case gen.TemplateOrderCanceled:
		return "canceled"
	case gen.TemplateMassCancelReport:
		return "mass"
	case gen.TemplateMassQuoteAck:
		return "quoted"
	case gen.TemplateWhatIfResult, gen.TemplateOrderStatus:
		return "asked"
	case gen.TemplateControlAck:
		return "controlled"
	case gen.TemplateReject:
		code, _ := e.Reject()
		return fmt.Sprint("rejected ", code)
	}
	return fmt.Sprint("template ", e.Template)
}

// agree holds what the session knows to what is true at the venue.
func (p *pair) agree(sent []msg.Ref) {
	p.t.Helper()
	if p.s.Recovering() || p.s.Unanswered() != 0 {
		p.t.Fatalf("%d requests are not known", p.s.Unanswered())
	}
	for _, ref := range sent {
		want := p.v.applied[uint64(ref)]
		if want == "" {
			want = "not applied"
		}
		if got := p.known[ref]; got != want {
			p.t.Fatalf("request %d is known as %q, and was %q", ref, got, want)
		}
	}
	if len(p.v.sessions) != 1 {
		p.t.Fatalf("%d sessions were negotiated", len(p.v.sessions))
	}
	open := 0
	for o := range p.s.Orders() {
		open++
		true := p.v.orders[uint64(o.ID)]
		if true == nil || uint64(o.Ref) != true.ref || o.Price != true.price || o.Leaves != true.qty-true.traded || o.Filled != true.traded || o.State != client.Working {
			p.t.Fatalf("order %+v is %+v at the venue", o, true)
		}
	}
	if open != len(p.v.orders) {
		p.t.Fatalf("%d orders are open, %d at the venue", open, len(p.v.orders))
	}
}
