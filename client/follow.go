package client

import (
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// What a report changes: the request that it answers, if it is a first response, and the order that it speaks of.
//
//	first response to   NewOrder, NewOrderExt   OrderAccepted, Reject
//	                    Replace                 OrderReplaced, OrderCanceled where no more was wanted than had traded, Reject
//	                    Cancel                  OrderCanceled, Reject
//	                    MassCancel              MassCancelReport, ControlAck where it blocks, Reject
//	                    MassQuote               MassQuoteAck, Reject
//	                    OrderStatusRequest      OrderStatus, Reject
//	                    WhatIfMargin            WhatIfResult, Reject
//	                    the other controls      ControlAck, Reject
//	                    SnapshotRequest         SnapshotBegin, Reject

// follow takes a report of order entry.
func (s *Session) follow(m *wire.Message) {
	switch m.Template {
	case gen.TemplateOrderAccepted:
		s.accepted(gen.AsOrderAccepted(m.Block))
	case gen.TemplateOrderReplaced:
		s.replaced(gen.AsOrderReplaced(m.Block))
	case gen.TemplateOrderCanceled:
		s.canceled(gen.AsOrderCanceled(m.Block))
	case gen.TemplateTrade:
		s.traded(gen.AsTrade(m.Block))
	case gen.TemplateReject:
		s.rejected(gen.AsReject(m.Block))
	case gen.TemplateOrderTriggered:
		t := gen.AsOrderTriggered(m.Block)
		if row := s.row(t.OrderID(), t.ClOrdID()); row != 0 {
			s.orders.rows[row].State = Working
			s.told(row)
		}
	case gen.TemplateMassCancelReport:
		s.answered(gen.TemplateMassCancel, gen.AsMassCancelReport(m.Block).RequestID())
	case gen.TemplateMassQuoteAck:
		s.answered(gen.TemplateMassQuote, gen.AsMassQuoteAck(m.Block).QuoteID())
	case gen.TemplateOrderStatus:
		s.status(gen.AsOrderStatus(m.Block))
	case gen.TemplateControlAck:
		c := gen.AsControlAck(m.Block)
		s.answered(c.RefTemplate(), c.RequestID())
	case gen.TemplateWhatIfResult:
		s.answered(gen.TemplateWhatIfMargin, gen.AsWhatIfResult(m.Block).RequestID())
	}
}

// answered says that the event is the first response to a request, where that still waits, and returns the row of the order
// that the request places.
func (s *Session) answered(template uint16, ref uint64) (order uint32) {
	if p := s.pending.find(template, msg.Ref(ref)); p != nil {
		return s.settle(p)
	}
	return 0
}

func (s *Session) settle(p *row) (order uint32) {
	s.event.Request = p.request
	s.pending.settle(p.request.Number)
	return p.order
}

// row is the row of an order by the venue's id, or by the client's; 0 for none. A drop copy tells of orders of others, under
// client ids of theirs: there is no table of them.
func (s *Session) row(id, ref uint64) uint32 {
	if s.config.Kind != gen.SessionKindOrderEntry {
		return 0
	}
	if row := s.orders.byID.find(id); row != 0 || ref == 0 {
		return row
	}
	if row := s.orders.byRef.find(ref); s.orders.rows[row].ID == 0 || id == 0 {
		return row
	}
	return 0 // it is another session's, under the same client id: it was canceled or replaced from here
}

// told puts the order into the event.
func (s *Session) told(row uint32) {
	s.orders.rows[row].Number = s.event.Number
	s.orders.tell(row, &s.event)
}

// adopt takes an order into the table that another process has sent.
func (s *Session) adopt(o Order) (row uint32) {
	if s.config.Kind != gen.SessionKindOrderEntry || o.Ref == 0 || s.orders.full() {
		return 0
	}
	s.lastRef = max(s.lastRef, o.Ref)
	return s.orders.add(o)
}

func (s *Session) accepted(m *gen.OrderAccepted) {
	row := s.answered(gen.TemplateNewOrder, m.ClOrdID())
	if row == 0 {
		row = s.answered(gen.TemplateNewOrderExt, m.ClOrdID())
	}
	if row == 0 {
		row = s.row(0, m.ClOrdID())
	}
	if row == 0 {
		row = s.adopt(Order{Ref: msg.Ref(m.ClOrdID()), Account: msg.AccountID(m.AccountID()), Instrument: msg.InstrumentID(m.InstrumentID()),
			Side: m.Side(), Type: m.OrdType(), TIF: m.Tif(), STP: m.Stp(), State: Sent})
	}
	if row == 0 {
		return
	}
	s.orders.named(row, msg.OrderID(m.OrderID()))
	o := &s.orders.rows[row].Order
	o.Price, o.Leaves, o.Flags, o.State = m.Price(), m.LeavesQty(), m.Flags(), Working
	if m.OrdStatus() == gen.OrdStatusWaitingForTrigger {
		o.State = Waiting
	}
	s.told(row)
}

func (s *Session) replaced(m *gen.OrderReplaced) {
	s.answered(gen.TemplateReplace, m.ClOrdID())
	row := s.row(m.OrderID(), m.OrigClOrdID())
	if row == 0 {
		return
	}
	s.orders.named(row, msg.OrderID(m.OrderID()))
	o := &s.orders.rows[row].Order
	o.Price = m.Price()
	o.left(m.LeavesQty(), m.CumQty())
	s.told(row)
}

// left says what is open and what has traded; nothing open is filled.
func (o *Order) left(leaves, filled int64) {
	o.Leaves, o.Filled = leaves, filled
	if leaves == 0 {
		o.State = Filled
	}
}

func (s *Session) canceled(m *gen.OrderCanceled) {
	if ref := m.RequestClOrdID(); ref != 0 { // client ids are of one request
		s.answered(gen.TemplateCancel, ref)
		s.answered(gen.TemplateReplace, ref)
	}
	row := s.row(m.OrderID(), m.ClOrdID())
	if row == 0 {
		return
	}
	o := &s.orders.rows[row].Order
	o.Leaves, o.Filled = max(o.Leaves-m.CanceledQty(), 0), m.CumQty()
	if m.OrdStatus() == gen.OrdStatusCanceled {
		o.Leaves, o.State = 0, Canceled
	}
	s.told(row)
}

func (s *Session) traded(m *gen.Trade) {
	row := s.row(m.OrderID(), m.ClOrdID())
	if row == 0 {
		return
	}
	s.orders.rows[row].left(m.LeavesQty(), m.CumQty())
	s.told(row)
}

func (s *Session) rejected(m *gen.Reject) {
	if s.flow.client != gen.FlowTypeIdempotent {
		return
	}
	p := s.pending.low(m.RefSeqNum())
	if p == nil || p.request.Template != m.RefTemplate() {
		return
	}
	if row := s.settle(p); row != 0 {
		s.orders.rows[row].State = Rejected
		s.told(row)
	}
}

func (s *Session) status(m *gen.OrderStatus) {
	s.answered(gen.TemplateOrderStatusRequest, m.RequestID())
	row := s.row(m.OrderID(), m.ClOrdID())
	if row == 0 && m.OrderID() != 0 {
		row = s.adopt(Order{Ref: msg.Ref(m.ClOrdID()), Account: msg.AccountID(m.AccountID()), Instrument: msg.InstrumentID(m.InstrumentID()),
			Side: m.Side(), Type: m.OrdType(), TIF: m.Tif(), STP: m.Stp(), State: Sent})
	}
	if row == 0 {
		return
	}
	s.orders.named(row, msg.OrderID(m.OrderID()))
	o := &s.orders.rows[row].Order
	o.Price, o.Leaves, o.Filled, o.Flags = m.Price(), m.LeavesQty(), m.CumQty(), m.Flags()
	switch m.OrdStatus() {
	case gen.OrdStatusFilled:
		o.State = Filled
	case gen.OrdStatusCanceled:
		o.State = Canceled
	case gen.OrdStatusRejected:
		o.State = Rejected
	case gen.OrdStatusWaitingForTrigger:
		o.State = Waiting
	default:
		o.State = Working
	}
	s.told(row)
}
