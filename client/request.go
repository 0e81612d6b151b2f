package client

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// Requests: orders, replaces, cancels, quotes. Each returns its client id, under which its answer comes, or why it was not sent;
// what was not sent has no number and no effect. Client ids rise with every request of a key, also over its sessions.

// NewOrder is an order to place. The zero value of a field that is not called needed means none, or what the instrument says.
type NewOrder struct {
	Ref        msg.Ref // client id, above all before it; 0: the session picks one
	Account    msg.AccountID
	Instrument msg.InstrumentID // needed
	Side       gen.Side         // needed
	Type       gen.OrdType      // 0: limit
	TIF        gen.TimeInForce
	STP        gen.SelfTrade
	Flags      gen.OrderFlags
	Price      int64 // of a market order its protection, wire.None for none
	Qty        int64 // above 0

	Extra // the order is sent as NewOrderExt where any of it is set
}

// Extra is what only some orders have.
type Extra struct {
	MinQty     int64
	Expire     fixed.Nanos // with TIF GTD
	TriggerPx  int64
	Trigger    gen.TriggerSource
	DisplayQty int64
	Peg        gen.PegReference
	PegOffset  int64
	STPGroup   uint32
	LinkID     uint64
	Tag        uint64
	MMPGroup   uint16
}

// admit says whether a request of a template may be sent: this is where all refusals stand. Cancels and controls go while the
// session recovers, what may add to positions does not.
func (s *Session) admit(template uint16, size int) error {
	switch {
	case s.state != bound || s.finishing:
		return ErrNotBound
	case !s.knows(template):
		return ErrKind
	case s.recovering && (template <= gen.TemplateReplace || template == gen.TemplateMassQuote):
		return ErrRecovering
	case s.pending.full():
		return ErrPending
	}
	if len(s.out)+size+reserve > cap(s.out) {
		s.pack()
		if len(s.out)+size+reserve > cap(s.out) {
			return ErrSend
		}
	}
	return nil
}

// knows reports whether the session's kind has requests of a template.
func (s *Session) knows(template uint16) bool {
	switch s.config.Kind {
	case gen.SessionKindOrderEntry:
		return template <= gen.TemplatePositionControl
	case gen.SessionKindRiskControl:
		return template == gen.TemplateMassCancel || template >= gen.TemplateEntryControl && template <= gen.TemplatePositionControl && template != gen.TemplateOrderStatusRequest
	case gen.SessionKindSnapshot:
		return template == gen.TemplateSnapshotRequest
	}
	return false
}

// pick is the client id of a request: the wanted one, or one above all before it; 0 where the wanted one is not above them.
func (s *Session) pick(want msg.Ref, now fixed.Nanos) msg.Ref {
	if want == 0 {
		want = max(s.lastRef+1, msg.Ref(now))
	}
	if want <= s.lastRef {
		return 0
	}
	return want
}

// open takes the number of a request that has been admitted, and appends its frame, whose block is to be filled in.
func (s *Session) open(template uint16, size int, ref msg.Ref, order uint32, now fixed.Nanos) (block []byte, number uint32) {
	schema, version := uint16(gen.SchemaOrderEntry), uint16(gen.VersionOrderEntry)
	if template == gen.TemplateSnapshotRequest {
		schema, version = gen.SchemaMarketData, gen.VersionMarketData
	}
	s.now = max(s.now, now)
	s.said, s.lastRef = s.now, ref
	number = uint32(s.next)
	s.pending.add(Request{s.next, ref, template}, order)
	s.next++
	s.out, block = wire.AppendFrame(s.out, gen.Header{Block: uint16(size), Template: template, Schema: schema, Version: version})
	return block, number
}

// Place sends an order.
func (s *Session) Place(o *NewOrder, now fixed.Nanos) (msg.Ref, error) {
	template, size := uint16(gen.TemplateNewOrder), len(gen.NewOrder{})
	if o.Extra != (Extra{}) {
		template, size = gen.TemplateNewOrderExt, len(gen.NewOrderExt{})
	}
	if err := s.admit(template, wire.BlockAt+size); err != nil {
		return 0, err
	}
	if s.orders.full() {
		return 0, ErrOrders
	}
	ref := s.pick(o.Ref, now)
	if ref == 0 {
		return 0, ErrRef
	}
	kind := max(o.Type, gen.OrdTypeLimit)

	row := s.orders.add(Order{Ref: ref, Price: o.Price, Leaves: o.Qty, Account: o.Account, Instrument: o.Instrument, Flags: o.Flags,
		Side: o.Side, Type: kind, TIF: o.TIF, STP: o.STP, State: Sent})
	block, number := s.open(template, size, ref, row, now)
	m := gen.AsNewOrder(block) // an extended order begins with the fields of a plain one
	m.SetClOrdID(uint64(ref))
	m.SetPrice(o.Price)
	m.SetQty(o.Qty)
	m.SetSendingTime(uint64(now))
	m.SetSeqNum(number)
	m.SetInstrumentID(uint32(o.Instrument))
	m.SetAccountID(uint32(o.Account))
	m.SetSide(o.Side)
	m.SetOrdType(kind)
	m.SetTif(o.TIF)
	m.SetStp(o.STP)
	m.SetFlags(o.Flags)
	if template == gen.TemplateNewOrderExt {
		o.Extra.put(gen.AsNewOrderExt(block))
	}
	return ref, nil
}

// put writes what only extended orders have.
func (x *Extra) put(m *gen.NewOrderExt) {
	m.SetTrigSource(x.Trigger)
	m.SetPegRef(x.Peg)
	m.SetStpGroup(x.STPGroup)
	m.SetTriggerPx(x.TriggerPx)
	m.SetDisplayQty(x.DisplayQty)
	m.SetMinQty(x.MinQty)
	m.SetExpireTime(uint64(x.Expire))
	m.SetPegOffset(x.PegOffset)
	m.SetLinkID(x.LinkID)
	m.SetStrategyTag(x.Tag)
	m.SetMmpGroup(x.MMPGroup)
}

// Replace asks for another price and quantity of an order of the table; qty is all of it, what has traded included, or with
// leaves what is to be open. Less quantity at an equal price keeps the order's place.
func (s *Session) Replace(order msg.Ref, price, qty int64, leaves bool, now fixed.Nanos) (msg.Ref, error) {
	size := len(gen.Replace{})
	if err := s.admit(gen.TemplateReplace, wire.BlockAt+size); err != nil {
		return 0, err
	}
	o, ok := s.Order(order)
	if !ok || o.State.Over() {
		return 0, ErrOrder
	}
	if o.ID == 0 {
		return 0, ErrUnanswered
	}
	ref := s.pick(0, now)

	block, number := s.open(gen.TemplateReplace, size, ref, 0, now)
	m := gen.AsReplace(block)
	m.SetClOrdID(uint64(ref))
	m.SetOrderID(uint64(o.ID))
	m.SetPrice(price)
	m.SetQty(qty)
	m.SetSendingTime(uint64(now))
	m.SetSeqNum(number)
	m.SetInstrumentID(uint32(o.Instrument))
	if leaves {
		m.SetFlags(gen.ReplaceFlagsQtyIsLeaves)
	}
	return ref, nil
}

// Cancel asks for an order of the table to be taken out: by the venue's id, or by the client's where that is not known yet.
func (s *Session) Cancel(order msg.Ref, now fixed.Nanos) (msg.Ref, error) {
	if err := s.admit(gen.TemplateCancel, wire.BlockAt+len(gen.Cancel{})); err != nil {
		return 0, err
	}
	o, ok := s.Order(order)
	if !ok || o.State.Over() {
		return 0, ErrOrder
	}
	ref := s.pick(0, now)

	block, number := s.open(gen.TemplateCancel, len(gen.Cancel{}), ref, 0, now)
	m := gen.AsCancel(block)
	m.SetClOrdID(uint64(ref))
	m.SetOrderID(uint64(o.ID))
	if o.ID == 0 {
		m.SetOrigClOrdID(uint64(o.Ref))
		m.SetFlags(gen.CancelFlagsByClOrdID)
	}
	m.SetSeqNum(number)
	m.SetInstrumentID(uint32(o.Instrument))
	return ref, nil
}

// CancelID asks for an order to be taken out that is not in the table, by the venue's id.
func (s *Session) CancelID(instrument msg.InstrumentID, id msg.OrderID, now fixed.Nanos) (msg.Ref, error) {
	if err := s.admit(gen.TemplateCancel, wire.BlockAt+len(gen.Cancel{})); err != nil {
		return 0, err
	}
	ref := s.pick(0, now)

	block, number := s.open(gen.TemplateCancel, len(gen.Cancel{}), ref, 0, now)
	m := gen.AsCancel(block)
	m.SetClOrdID(uint64(ref))
	m.SetOrderID(uint64(id))
	m.SetSeqNum(number)
	m.SetInstrumentID(uint32(instrument))
	return ref, nil
}

// Quotes are two-sided quotes, which replace the key's earlier ones on these instruments. Fills come as Trade reports with the
// ids that MassQuoteAck names; quotes are not in the order table.
type Quotes struct {
	Account  msg.AccountID
	MMPGroup uint16
	STP      gen.SelfTrade
	PostOnly bool
	Entries  []Quote // 1 to 16
}

// Quote is one instrument's; quantity 0 cancels a side.
type Quote struct {
	BidPx, BidQty, AskPx, AskQty int64
	Instrument                   msg.InstrumentID
	ID                           uint32 // the caller's, for nobody else
}

// Quote sends quotes.
func (s *Session) Quote(q *Quotes, now fixed.Nanos) (msg.Ref, error) {
	const entry = 40
	size := len(gen.MassQuote{})
	if len(q.Entries) < 1 || len(q.Entries) > 16 {
		return 0, ErrEntries
	}
	if err := s.admit(gen.TemplateMassQuote, wire.BlockAt+size+4+entry*len(q.Entries)+2); err != nil {
		return 0, err
	}
	ref := s.pick(0, now)

	start := len(s.out)
	block, number := s.open(gen.TemplateMassQuote, size, ref, 0, now)
	m := gen.AsMassQuote(block)
	m.SetQuoteID(uint64(ref))
	m.SetSendingTime(uint64(now))
	m.SetSeqNum(number)
	m.SetAccountID(uint32(q.Account))
	m.SetMmpGroup(q.MMPGroup)
	m.SetStp(q.STP)
	if q.PostOnly {
		m.SetFlags(gen.QuoteFlagsPostOnly)
	}
	var group wire.Group
	s.out, group = wire.AppendGroup(s.out, start, entry, len(q.Entries))
	for i := range q.Entries {
		from, e := &q.Entries[i], gen.AsMassQuoteEntry(group.At(i))
		e.SetBidPx(from.BidPx)
		e.SetBidQty(from.BidQty)
		e.SetAskPx(from.AskPx)
		e.SetAskQty(from.AskQty)
		e.SetInstrumentID(uint32(from.Instrument))
		e.SetEntryID(from.ID)
	}
	s.out = wire.AppendData(s.out, start, nil)
	return ref, nil
}
