package gateway

import (
	"bytes"
	"crypto/ed25519"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node"
	"github.com/lockstep-exchange/lockstep/ring"
	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// world is a gateway without sockets around a model of the core: time stands still until somebody waits, and what was done is written
// down, one line a frame that the venue sent.
type world struct {
	t      testing.TB
	now    fixed.Nanos
	node   *node.Node
	step   node.Inline
	reader *node.Reader
	core   *model
	roster *Roster
	peers  map[string]*peer
	at     *peer
	lines  []string
	chunk  int    // bytes that come at once; 0: all
	batch  []byte // not nil: what the client says is kept back and sent in one go
	nonces byte
}

// peer is a client on one connection.
type peer struct {
	w     *world
	name  string
	link  *Link
	nonce [32]byte // of the venue
	id    [16]byte
	got   []byte // all that the venue has sent
	read  int
	shut  bool
}

const (
	firm   = 2 // a trader's key, of owner 7
	risk   = 3 // a risk manager's, of owner 7
	copier = 4 // a drop copy's, of owner 7
	rival  = 5 // a trader's, of owner 8
	secret = 6 // a trader's with HMAC, of owner 7
	epoch  = fixed.Nanos(1_790_000_000_000_000_000)
)

// private is the key that belongs to a number.
func private(id uint64) ed25519.PrivateKey {
	seed := bytes.Repeat([]byte{byte(id)}, ed25519.SeedSize)
	return ed25519.NewKeyFromSeed(seed)
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, now: epoch, core: &model{stamps: map[msg.KeyID]fixed.Nanos{}, last: map[msg.KeyID]msg.Ref{}}, peers: map[string]*peer{}}
	var err error
	w.node, err = node.New(node.Config{Ports: 4, Lane: 16, Out: 256, Clock: func() fixed.Nanos { return w.now },
		Handler: func(lanes []*ring.Lane[msg.Request], out *ring.Ring[msg.Event]) node.Poller {
			w.core.lanes, w.core.out = ring.NewFanIn(lanes, 16), out
			return w.core
		}})
	if err != nil {
		t.Fatal(err)
	}
	if w.reader, err = w.node.Reader(true); err != nil {
		t.Fatal(err)
	}
	w.step = w.node.Inline()
	keys, err := NewKeys(1, private(1), map[msg.KeyID][]byte{secret: private(secret).Seed()})
	if err != nil {
		t.Fatal(err)
	}
	ports := []*node.Port{w.node.Port(0), w.node.Port(1), w.node.Port(2)}
	w.roster = NewRoster(Terms{Shard: 9, Retain: 1 << 12, Random: func(b []byte) {
		w.nonces++
		for i := range b {
			b[i] = w.nonces
		}
	}}, keys, engine.Limits{Instruments: 4, Accounts: 16, Sessions: 8}, ports)
	for _, k := range []msg.KeyChange{{Key: firm, Role: msg.RoleTrader, Owner: 7}, {Key: risk, Role: msg.RoleRiskManager, Owner: 7},
		{Key: copier, Role: msg.RoleDropCopy, Owner: 7}, {Key: rival, Role: msg.RoleTrader, Owner: 8}, {Key: secret, Role: msg.RoleTrader, Owner: 7}} {
		k.Scheme = uint8(gen.SignatureSchemeEd25519)
		if k.Key == secret {
			k.Scheme = uint8(gen.SignatureSchemeHmacSha256)
		} else {
			k.Public = [32]byte(private(uint64(k.Key)).Public().(ed25519.PublicKey))
		}
		c := msg.SetKey(k)
		if err := w.node.Port(3).Send(&c.Request); err != nil {
			t.Fatal(err)
		}
	}
	w.settle()
	return w
}

// dial makes a connection and lets it act from now on.
func (w *world) dial(name string) {
	p := &peer{w: w, name: name, link: w.roster.NewLink(w.now)}
	w.peers[name], w.at = p, p
}

// settle lets the core answer and links go on until nothing moves.
func (w *world) settle() {
	for w.answer() || w.goOn() {
	}
}

// answer lets the core answer what waits.
func (w *world) answer() (moved bool) {
	for w.step.Hot(w.now) > 0 {
		moved = true
		for ev := w.reader.Next(); ev != nil; ev = w.reader.Next() {
			w.roster.Hear(ev, w.now)
		}
		w.reader.Release()
	}
	w.roster.Touched(func(*Link) {})
	return moved
}

// goOn lets links go on that were held up.
func (w *world) goOn() (moved bool) {
	for _, p := range w.peers {
		if p.link.Blocked() {
			before := p.link.stream.Passed()
			p.link.Advance(w.now)
			moved = moved || !p.link.Blocked() || p.link.stream.Passed() != before
		}
	}
	return moved
}

// send gives the venue bytes, in pieces where the world says so.
func (p *peer) send(b []byte) {
	for len(b) > 0 && !p.shut {
		for i := 0; p.link.Blocked() && i < 100; i++ {
			p.w.answer()
			p.w.goOn()
		}
		if p.link.Over() {
			break
		}
		room := p.link.Room()
		n := len(b)
		if p.w.chunk > 0 {
			n = min(n, p.w.chunk)
		}
		n = copy(room[:min(n, len(room))], b)
		b = b[n:]
		p.link.Filled(n, p.w.now)
	}
	p.w.settle()
	p.hear()
}

// hear reads what the venue has sent and writes it down.
func (p *peer) hear() {
	p.got = append(p.got, p.link.Unsent()...)
	p.link.Sent(len(p.link.Unsent()), p.w.now)
	for p.read < len(p.got) {
		size := int(binary.BigEndian.Uint32(p.got[p.read:]))
		frame := p.got[p.read : p.read+size]
		p.read += size
		p.w.lines = append(p.w.lines, p.name+" "+p.describe(frame))
	}
	if p.link.Over() && !p.shut {
		p.shut = true
		p.w.lines = append(p.w.lines, p.name+" closed")
	}
}

// describe is a line about a frame of the venue.
func (p *peer) describe(frame []byte) string {
	m, fault := wire.Open(frame)
	if fault.Kind != 0 {
		p.w.t.Fatalf("the venue has sent %x: %v", frame, fault)
	}
	if m.Schema == gen.SchemaOrderEntry {
		n := binary.LittleEndian.Uint64(m.Block)
		switch m.Template {
		case gen.TemplateOrderAccepted:
			return fmt.Sprintf("%d OrderAccepted %d", n, gen.AsOrderAccepted(m.Block).ClOrdID())
		case gen.TemplateReject:
			r := gen.AsReject(m.Block)
			return fmt.Sprintf("%d Reject %d of %d", n, r.Code(), r.RefSeqNum())
		case gen.TemplateTrade:
			r := gen.AsTrade(m.Block)
			return fmt.Sprintf("%d Trade %d of %d at %d leaves %d position %d", n, r.LastQty(), r.ClOrdID(), r.LastPx(), r.LeavesQty(), r.PositionAfter())
		case gen.TemplateOrderCanceled:
			r := gen.AsOrderCanceled(m.Block)
			return fmt.Sprintf("%d OrderCanceled %d reason %d", n, r.ClOrdID(), r.Reason())
		case gen.TemplateMassCancelReport:
			return fmt.Sprintf("%d MassCancelReport", n)
		case gen.TemplateControlAck:
			return fmt.Sprintf("%d ControlAck", n)
		}
		return fmt.Sprintf("%d template %d", n, m.Template)
	}
	if m.Schema == gen.SchemaMarketData {
		switch m.Template {
		case gen.TemplateOrderDelete:
			return fmt.Sprintf("OrderDelete %d", gen.AsOrderDelete(m.Block).OrderID())
		case gen.TemplateSnapshotBegin:
			b := gen.AsSnapshotBegin(m.Block)
			return fmt.Sprintf("SnapshotBegin of %d for %d, next %d", b.InstrumentID(), b.RequestID(), b.NextChannelSeq())
		case gen.TemplateSnapshotEnd:
			return fmt.Sprintf("SnapshotEnd of %d orders", gen.AsSnapshotEnd(m.Block).Orders())
		}
		return fmt.Sprintf("record %d", m.Template)
	}
	switch m.Template {
	case gen.TemplateUnsequencedHeartbeat:
		return "UnsequencedHeartbeat"
	case gen.TemplateNegotiationResponse:
		c, _ := wire.OpenRecord(m.Data)
		challenge := gen.AsVenueChallenge(c.Block)
		p.nonce = *challenge.ServerNonce()
		return fmt.Sprintf("NegotiationResponse flow=%d last=%d", gen.AsNegotiationResponse(m.Block).ServerFlow(), challenge.LastClOrdID())
	case gen.TemplateNegotiationReject:
		return fmt.Sprintf("NegotiationReject %d %s", gen.AsNegotiationReject(m.Block).Code(), m.Data)
	case gen.TemplateEstablishmentAck:
		return fmt.Sprintf("EstablishmentAck %d", gen.AsEstablishmentAck(m.Block).NextSeqNo())
	case gen.TemplateEstablishmentReject:
		return fmt.Sprintf("EstablishmentReject %d %s", gen.AsEstablishmentReject(m.Block).Code(), m.Data)
	case gen.TemplateSequence:
		return fmt.Sprintf("Sequence %d", gen.AsSequence(m.Block).NextSeqNo())
	case gen.TemplateRetransmission:
		r := gen.AsRetransmission(m.Block)
		return fmt.Sprintf("Retransmission %d+%d", r.NextSeqNo(), r.Count())
	case gen.TemplateRetransmitReject:
		return fmt.Sprintf("RetransmitReject %d", gen.AsRetransmitReject(m.Block).Code())
	case gen.TemplateTerminate:
		return fmt.Sprintf("Terminate %d %s", gen.AsTerminate(m.Block).Code(), m.Data)
	case gen.TemplateFinishedSending:
		return fmt.Sprintf("FinishedSending %d", gen.AsFinishedSending(m.Block).LastSeqNo())
	case gen.TemplateFinishedReceiving:
		return "FinishedReceiving"
	case gen.TemplateNotApplied:
		a := gen.AsNotApplied(m.Block)
		return fmt.Sprintf("NotApplied %d+%d", a.FromSeqNo(), a.Count())
	}
	return fmt.Sprintf("template %d of the session layer", m.Template)
}

// uuid is the session id that a word stands for.
func uuid(word string) (id [16]byte) {
	if word == "000" {
		return id
	}
	copy(id[:], word)
	id[6], id[8] = 0x40|id[6]&15, 0x80|id[8]&63
	return id
}

// words are the arguments of a line of a script, with defaults.
type words map[string]string

func (a words) text(key, or string) string {
	if v, ok := a[key]; ok {
		return v
	}
	return or
}

func (a words) number(t testing.TB, key string, or uint64) uint64 {
	v, ok := a[key]
	if !ok {
		return or
	}
	n, err := strconv.ParseUint(v, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// run runs a script, one step a line, and gives back what the venue sent meanwhile.
func (w *world) run(script string) string {
	w.lines = nil
	for line := range strings.Lines(script) {
		if line = strings.TrimSpace(line); line != "" {
			w.do(strings.Fields(line))
		}
	}
	return strings.Join(w.lines, "\n")
}

// do does one step: a message of the client, "connect NAME", "wait DURATION" or "close".
func (w *world) do(line []string) {
	a := words{}
	plain := []string{}
	for _, word := range line[1:] {
		if key, value, ok := strings.Cut(word, "="); ok {
			a[key] = value
		} else {
			plain = append(plain, word)
		}
	}
	n := func(i int) uint64 {
		v, err := strconv.ParseUint(plain[i], 10, 64)
		if err != nil {
			w.t.Fatal(err)
		}
		return v
	}
	switch line[0] {
	case "connect":
		w.dial(plain[0])
		return
	case "as":
		w.at = w.peers[plain[0]]
		return
	case "wait":
		d, err := time.ParseDuration(plain[0])
		if err != nil {
			w.t.Fatal(err)
		}
		w.wait(fixed.Nanos(d))
		return
	case "close":
		w.at.shut = true
		w.at.link.Lost(w.now)
		w.settle()
		return
	case "refuse-bind":
		for r := msg.Reject(1); r.Name() != ""; r++ {
			if r.Name() == plain[0] {
				w.core.refuses = r
			}
		}
		return
	}
	p := w.at
	frame := w.frame(p, line[0], a, n)
	if w.batch != nil {
		w.batch = append(w.batch, frame...)
		return
	}
	p.send(frame)
}

// wait lets time pass in small steps.
func (w *world) wait(d fixed.Nanos) {
	for end := w.now + d; w.now < end; {
		w.now = min(w.now+10*fixed.Millisecond, end)
		w.roster.Advance(w.now)
		for _, name := range []string{"a", "b", "c"} {
			if p := w.peers[name]; p != nil {
				p.link.Advance(w.now)
				w.settle()
				p.hear()
			}
		}
		w.settle()
	}
}

// frame is a message of a client.
func (w *world) frame(p *peer, name string, a words, n func(int) uint64) []byte {
	open := func(schema, template uint16, size int) ([]byte, []byte) {
		return wire.AppendFrame(nil, gen.Header{Block: uint16(size), Template: template, Schema: schema, Version: map[uint16]uint16{gen.SchemaSession: 0}[schema] + b2u(schema != gen.SchemaSession)})
	}
	session := func(template uint16, size int) ([]byte, []byte) { return open(gen.SchemaSession, template, size) }
	w.now++ // no two logons have the same time
	stamp := uint64(w.now)
	if skew, err := time.ParseDuration(a.text("skew", "0s")); err == nil {
		stamp += uint64(skew)
	}
	if a["stamp"] != "" {
		stamp = a.number(w.t, "stamp", 0)
	}
	switch name {
	case "negotiate":
		out, block := session(gen.TemplateNegotiate, len(gen.Negotiate{}))
		m := gen.AsNegotiate(block)
		p.id = uuid(a.text("id", "ABC"))
		*m.SessionID() = p.id
		m.SetTimestamp(stamp)
		flow := gen.FlowTypeIdempotent
		if kind := a.text("kind", "1"); kind == "3" || kind == "4" {
			flow = gen.FlowTypeNone
		}
		m.SetClientFlow(gen.FlowType(a.number(w.t, "flow", uint64(flow))))
		return w.credentials(p, out, a)
	case "establish":
		out, block := session(gen.TemplateEstablish, len(gen.Establish{}))
		m := gen.AsEstablish(block)
		p.id = uuid(a.text("id", "ABC"))
		*m.SessionID() = p.id
		m.SetTimestamp(stamp)
		m.SetKeepaliveInterval(uint32(a.number(w.t, "keepalive", 1000)))
		m.SetNextSeqNo(a.number(w.t, "next", 1))
		return w.credentials(p, out, a)
	case "sequence":
		out, block := session(gen.TemplateSequence, len(gen.Sequence{}))
		gen.AsSequence(block).SetNextSeqNo(n(0))
		return out
	case "heartbeat":
		out, _ := session(gen.TemplateUnsequencedHeartbeat, 0)
		return out
	case "terminate":
		out, block := session(gen.TemplateTerminate, len(gen.Terminate{}))
		*gen.AsTerminate(block).SessionID() = p.id
		return wire.AppendData(out, 0, nil)
	case "retransmit":
		out, block := session(gen.TemplateRetransmitRequest, len(gen.RetransmitRequest{}))
		m := gen.AsRetransmitRequest(block)
		*m.SessionID() = p.id
		if a["id"] != "" {
			*m.SessionID() = uuid(a["id"])
		}
		m.SetTimestamp(stamp)
		m.SetFromSeqNo(n(0))
		m.SetCount(uint32(n(1)))
		return out
	case "finished-sending":
		out, block := session(gen.TemplateFinishedSending, len(gen.FinishedSending{}))
		m := gen.AsFinishedSending(block)
		*m.SessionID() = p.id
		m.SetLastSeqNo(n(0))
		return out
	case "finished-receiving":
		out, block := session(gen.TemplateFinishedReceiving, len(gen.FinishedReceiving{}))
		*gen.AsFinishedReceiving(block).SessionID() = p.id
		return out
	case "session-message": // of a template that only the venue sends, or nobody
		out, _ := session(uint16(n(0)), int(n(1)))
		if a["data"] != "" {
			out = wire.AppendData(out, 0, nil)
		}
		return out
	case "order":
		out, block := open(gen.SchemaOrderEntry, gen.TemplateNewOrder, len(gen.NewOrder{}))
		m := gen.AsNewOrder(block)
		m.SetSeqNum(uint32(n(0)))
		m.SetClOrdID(a.number(w.t, "ref", 100+n(0)))
		m.SetPrice(int64(a.number(w.t, "price", 50)))
		m.SetQty(int64(a.number(w.t, "qty", 5)))
		m.SetInstrumentID(1)
		m.SetAccountID(uint32(a.number(w.t, "account", 1)))
		m.SetSide(gen.Side(a.number(w.t, "side", 1)))
		m.SetOrdType(gen.OrdType(a.number(w.t, "type", 1)))
		m.SetFlags(gen.OrderFlags(a.number(w.t, "flags", 0)))
		if a["sent"] != "" {
			d, _ := time.ParseDuration(a["sent"])
			m.SetSendingTime(uint64(w.now) + uint64(d))
		}
		return out
	case "quote": // twice in the one instrument: the second replaces the first
		out, block := open(gen.SchemaOrderEntry, gen.TemplateMassQuote, len(gen.MassQuote{}))
		m := gen.AsMassQuote(block)
		m.SetSeqNum(uint32(n(0)))
		m.SetQuoteID(100 + n(0))
		m.SetAccountID(1)
		out, group := wire.AppendGroup(out, 0, len(gen.MassQuoteEntry{}), 2)
		for i := range 2 {
			e := gen.AsMassQuoteEntry(group.At(i))
			e.SetBidPx(40 - int64(i))
			e.SetBidQty(1)
			e.SetAskPx(90)
			e.SetAskQty(1)
			e.SetInstrumentID(1)
		}
		return wire.AppendData(out, 0, nil)
	case "cancel":
		out, block := open(gen.SchemaOrderEntry, gen.TemplateCancel, len(gen.Cancel{}))
		m := gen.AsCancel(block)
		m.SetSeqNum(uint32(n(0)))
		m.SetClOrdID(100 + n(0))
		m.SetOrderID(1<<32 | 1)
		return out
	case "block":
		out, block := open(gen.SchemaOrderEntry, gen.TemplateEntryControl, len(gen.EntryControl{}))
		m := gen.AsEntryControl(block)
		m.SetSeqNum(uint32(n(0)))
		m.SetAction(gen.EntryActionBlock)
		m.SetScope(gen.ScopeFirm)
		return out
	case "snapshot":
		out, block := open(gen.SchemaMarketData, gen.TemplateSnapshotRequest, len(gen.SnapshotRequest{}))
		m := gen.AsSnapshotRequest(block)
		m.SetSeqNum(uint32(n(0)))
		m.SetInstrumentID(uint32(n(1)))
		m.SetRequestID(a.number(w.t, "request", 77))
		binary.LittleEndian.PutUint16(block[16:], uint16(a.number(w.t, "flags", 0)))
		return out
	case "bytes":
		b := make([]byte, a.number(w.t, "n", 1))
		for i := range b {
			b[i] = byte(a.number(w.t, "of", 0))
		}
		return b
	}
	w.t.Fatalf("a step %q: no such", name)
	return nil
}

func b2u(b bool) uint16 {
	if b {
		return 1
	}
	return 0
}

// credentials completes a Negotiate or Establish.
func (w *world) credentials(p *peer, frame []byte, a words) []byte {
	inner, block := wire.AppendRecord(nil, gen.Header{Block: uint16(len(gen.AuthCredentials{})), Template: gen.TemplateAuthCredentials, Schema: gen.SchemaCredentials, Version: gen.VersionCredentials})
	c := gen.AsAuthCredentials(block)
	id := a.number(w.t, "key", firm)
	c.SetKeyID(id)
	for i := range c.Nonce() {
		c.Nonce()[i] = byte(w.now)
	}
	if p.nonce != [32]byte{} && a.text("nonce", "right") == "right" {
		*c.Nonce() = p.nonce
	}
	c.SetShardID(uint16(a.number(w.t, "shard", 9)))
	c.SetOeVersion(uint16(a.number(w.t, "version", 1)))
	c.SetMdVersion(1)
	c.SetKind(gen.SessionKind(a.number(w.t, "kind", 1)))
	c.SetTakeover(gen.YesNo(a.number(w.t, "takeover", 0)))
	c.SetCodWindowMs(uint32(a.number(w.t, "window", 0)))
	c.SetCodMode(gen.CancelOnDisconnect(a.number(w.t, "cod", 3)))
	c.SetScheme(gen.SignatureSchemeEd25519)
	if id == secret {
		c.SetScheme(gen.SignatureSchemeHmacSha256)
	}
	c.SetScheme(gen.SignatureScheme(a.number(w.t, "scheme", uint64(c.Scheme()))))
	signed := wire.AppendClientProof(nil, frame[wire.MessageAt:], inner)
	if c.Scheme() == gen.SignatureSchemeHmacSha256 {
		copy(c.Signature()[:], macOf(private(id).Seed(), signed))
	} else {
		copy(c.Signature()[:], ed25519.Sign(private(a.number(w.t, "signer", id)), signed))
	}
	if a["cut"] != "" {
		inner = inner[:len(inner)-8]
	}
	return wire.AppendData(frame, 0, inner)
}
