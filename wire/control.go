package wire

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// How control messages become requests: mass cancel, kill switch, dead-man, positions. And the one door for all of order entry.

const (
	massAccount, massScope, massFlags             = 2, 5, 7
	massGroup, massMMP                            = 4, 9
	entryScope                                    = 4
	deadManDeadline                               = 1
	mmpWindow, mmpFreeze                          = 3, 4
	statusOrder, statusClient, statusAccount      = 1, 2, 4
	whatIfPrice, whatIfQty, whatIfLeverage        = 1, 2, 3
	whatIfMode                                    = 8
	positionDelta, positionLeverage, positionMode = 1, 2, 7
)

// MassCancel makes a request of a mass cancel. The core cancels by account, with instrument and side; owner is whose
// session it is.
func MassCancel(m *gen.MassCancel, owner msg.OwnerID, r *msg.Request) Refusal {
	if field, flaw := m.Check(); flaw != gen.Sound {
		return flawed(field, flaw)
	}
	block := m.Flags()&gen.MassCancelFlagsBlockEntry != 0
	switch {
	case m.GroupID() != 0:
		return refuse(msg.RejectNotSupported, massGroup, None, None)
	case m.MmpGroup() != 0:
		return refuse(msg.RejectNotSupported, massMMP, None, None)
	case m.Scope() == gen.ScopeAccount && m.AccountID() == 0:
		return refuse(msg.RejectValueOutOfRange, massAccount, 1, 0)
	case m.Scope() == gen.ScopeGroup, m.Scope() != gen.ScopeAccount && !block:
		return refuse(msg.RejectNotSupported, massScope, int64(gen.ScopeAccount), int64(m.Scope()))
	case block && (m.Side() != gen.SideFilterBoth || m.Scope() == gen.ScopeAccount && m.InstrumentID() != 0):
		return refuse(msg.RejectNotSupported, massFlags, None, None)
	}
	account, instr := msg.AccountID(m.AccountID()), msg.InstrumentID(m.InstrumentID())
	c := msg.CancelAll(account, instr, msg.Side(m.Side()))
	if block {
		c = msg.SetEntry(account, instr, entry(m.Scope(), msg.BlockAndCancel, owner))
	}
	c.Ref = msg.Ref(m.RequestID())
	*r = c.Request
	return Refusal{}
}

// EntryControl makes a request of a turn of the kill switch.
func EntryControl(m *gen.EntryControl, owner msg.OwnerID, r *msg.Request) Refusal {
	if field, flaw := m.Check(); flaw != gen.Sound {
		return flawed(field, flaw)
	}
	if m.Scope() == gen.ScopeGroup {
		return refuse(msg.RejectNotSupported, entryScope, None, int64(m.Scope()))
	}
	c := msg.SetEntry(msg.AccountID(m.AccountID()), msg.InstrumentID(m.InstrumentID()), entry(m.Scope(), msg.Action(m.Action()), owner))
	c.Ref = msg.Ref(m.RequestID())
	*r = c.Request
	return Refusal{}
}

// entry is a turn of the kill switch; its numbers are those of the wire.
func entry(scope gen.Scope, action msg.Action, owner msg.OwnerID) msg.Entry {
	e := msg.Entry{Scope: msg.Scope(scope), Action: action}
	if e.Scope == msg.ScopeOwner {
		e.Owner = owner
	}
	return e
}

// DeadMan makes a request of a dead-man. How far ahead its deadline may be the core asks, in its own time.
func DeadMan(m *gen.DeadMan, r *msg.Request) Refusal {
	if field, flaw := m.Check(); flaw != gen.Sound {
		return flawed(field, flaw)
	}
	deadline := m.Deadline()
	switch {
	case deadline == NoTime:
		deadline = 0
	case deadline >= 1<<63:
		return refuse(msg.RejectValueOutOfRange, deadManDeadline, None, None)
	}
	c := msg.SetDeadMan(msg.AccountID(m.AccountID()), fixed.Nanos(deadline))
	c.Ref = msg.Ref(m.RequestID())
	*r = c.Request
	return Refusal{}
}

// OrderStatus makes a request of a question for one order, or for all open ones of an account.
func OrderStatus(m *gen.OrderStatusRequest, r *msg.Request) Refusal {
	if field, flaw := m.Check(); flaw != gen.Sound {
		return flawed(field, flaw)
	}
	switch {
	case m.Flags()&gen.StatusFlagsAllOpenOrders != 0:
		return allOrders(m, r)
	case m.OrderID() == 0 && m.ClOrdID() == 0:
		return refuse(msg.RejectValueOutOfRange, statusOrder, 1, 0)
	case m.OrderID() != 0 && m.ClOrdID() != 0:
		return refuse(msg.RejectValueOutOfRange, statusClient, 0, int64(m.ClOrdID()))
	case m.OrderID() == 0 && m.AccountID() == 0:
		return refuse(msg.RejectValueOutOfRange, statusAccount, 1, 0)
	}
	c := msg.AskOrder(msg.AccountID(m.AccountID()), msg.OrderID(m.OrderID()), msg.Ref(m.ClOrdID()))
	c.Ref = msg.Ref(m.RequestID())
	*r = c.Request
	return Refusal{}
}

// allOrders makes a request of a question for all open orders of an account, which it has to name.
func allOrders(m *gen.OrderStatusRequest, r *msg.Request) Refusal {
	switch {
	case m.OrderID() != 0:
		return refuse(msg.RejectValueOutOfRange, statusOrder, 0, int64(m.OrderID()))
	case m.ClOrdID() != 0:
		return refuse(msg.RejectValueOutOfRange, statusClient, 0, int64(m.ClOrdID()))
	case m.AccountID() == 0:
		return refuse(msg.RejectValueOutOfRange, statusAccount, 1, 0)
	}
	c := msg.AskOrders(msg.AccountID(m.AccountID()))
	c.Ref = msg.Ref(m.RequestID())
	*r = c.Request
	return Refusal{}
}

// WhatIfMargin makes a request of a question of margin. Another leverage or mode than the account has is not asked about.
func WhatIfMargin(m *gen.WhatIfMargin, s *Scale, r *msg.Request) Refusal {
	if field, flaw := m.Check(); flaw != gen.Sound {
		return flawed(field, flaw)
	}
	price := m.Price()
	switch {
	case m.Qty() < 1:
		return refuse(msg.RejectValueOutOfRange, whatIfQty, 1, m.Qty())
	case price == None:
		price = 0
	case m.Leverage() != 0:
		return refuse(msg.RejectNotSupported, whatIfLeverage, 0, m.Leverage())
	case m.MarginMode() > gen.MarginModeCross:
		return refuse(msg.RejectNotSupported, whatIfMode, int64(gen.MarginModeCross), int64(m.MarginMode()))
	}
	ticks, ok := s.Ticks(price)
	if !ok {
		return refuse(msg.RejectOffTick, whatIfPrice, s.Tick, price)
	}
	lots, ok := s.Lots(m.Qty())
	if !ok {
		return refuse(msg.RejectOffLot, whatIfQty, s.Lot, m.Qty())
	}
	c := msg.AskMargin(msg.AccountID(m.AccountID()), msg.InstrumentID(m.InstrumentID()), msg.Side(m.Side()), ticks, lots)
	c.Ref = msg.Ref(m.RequestID())
	*r = c.Request
	return Refusal{}
}

// MmpConfig makes a request of limits of market-maker protection. Their ranges the core asks.
func MmpConfig(m *gen.MmpConfig, r *msg.Request) Refusal {
	window, freeze := m.WindowNs(), m.FreezeNs()
	switch {
	case window >= 1<<63:
		return refuse(msg.RejectValueOutOfRange, mmpWindow, None, None)
	case freeze == NoTime:
		freeze = 0
	case freeze >= 1<<63:
		return refuse(msg.RejectValueOutOfRange, mmpFreeze, None, None)
	}
	c := msg.SetProtection(msg.AccountID(m.AccountID()), msg.Protection{Group: m.MmpGroup(), Qty: m.QtyLimit(), Delta: m.DeltaLimit(),
		Window: fixed.Nanos(window), Freeze: fixed.Nanos(freeze)})
	c.Ref = msg.Ref(m.RequestID())
	*r = c.Request
	return Refusal{}
}

// leverageUnit is a hundredth of leverage, the core's unit, in billionths.
const leverageUnit = 10_000_000

// PositionControl makes a request of a position control: leverage, or mode with or without margin, or margin that moves. One
// message is one command, so to ask for leverage and for another of them at once is refused.
func PositionControl(m *gen.PositionControl, r *msg.Request) Refusal {
	if field, flaw := m.Check(); flaw != gen.Sound {
		return flawed(field, flaw)
	}
	account, instr := msg.AccountID(m.AccountID()), msg.InstrumentID(m.InstrumentID())
	delta, leverage, mode := m.IsolatedDelta(), m.Leverage(), m.MarginMode()
	stated := delta != None
	var c msg.Command
	switch {
	case leverage < 0 || leverage/leverageUnit >= 1<<16:
		return refuse(msg.RejectLeverageOutOfRange, positionLeverage, None, leverage)
	case leverage%leverageUnit != 0:
		return refuse(msg.RejectLeverageOutOfRange, positionLeverage, leverageUnit, leverage)
	case leverage != 0 && (stated && delta != 0 || mode != gen.MarginModeAccount):
		return refuse(msg.RejectNotSupported, positionLeverage, None, None)
	case mode == gen.MarginModePortfolio:
		return refuse(msg.RejectNotSupported, positionMode, None, int64(mode))
	case leverage != 0:
		c = msg.SetLeverage(account, instr, msg.Leverage(leverage/leverageUnit))
	case mode == gen.MarginModeCross && stated && delta != 0:
		return refuse(msg.RejectValueOutOfRange, positionDelta, 0, delta)
	case mode == gen.MarginModeCross:
		c = msg.Cross(account, instr)
	case mode == gen.MarginModeIsolated && !stated:
		c = msg.IsolateDefault(account, instr)
	case mode == gen.MarginModeIsolated && delta < 0:
		return refuse(msg.RejectValueOutOfRange, positionDelta, 0, delta)
	case mode == gen.MarginModeIsolated:
		c = msg.Isolate(account, instr, fixed.Money(delta))
	case !stated || delta == 0:
		return refuse(msg.RejectValueOutOfRange, positionMode, None, None)
	default:
		c = msg.MoveMargin(account, instr, fixed.Money(delta))
	}
	c.Ref = msg.Ref(m.RequestID())
	*r = c.Request
	return Refusal{}
}

// Head reads what a gateway asks of a message before anything else; ok is false for what is no message of a client.
func Head(m *Message) (h Heading, ok bool) {
	if m.Schema != gen.SchemaOrderEntry {
		return h, false
	}
	h.Sending, h.SendingAt = NoTime, NoField
	switch m.Template {
	case gen.TemplateNewOrder:
		o := gen.AsNewOrder(m.Block)
		h.SeqNum, h.Ref, h.Instr, h.Account = o.SeqNum(), msg.Ref(o.ClOrdID()), msg.InstrumentID(o.InstrumentID()), msg.AccountID(o.AccountID())
		h.Sending, h.SendingAt = o.SendingTime(), 3
	case gen.TemplateNewOrderExt:
		o := gen.AsNewOrderExt(m.Block)
		h.SeqNum, h.Ref, h.Instr, h.Account = o.SeqNum(), msg.Ref(o.ClOrdID()), msg.InstrumentID(o.InstrumentID()), msg.AccountID(o.AccountID())
		h.Sending, h.SendingAt = o.SendingTime(), 3
	case gen.TemplateReplace:
		o := gen.AsReplace(m.Block)
		h.SeqNum, h.Ref, h.Instr, h.Order = o.SeqNum(), msg.Ref(o.ClOrdID()), msg.InstrumentID(o.InstrumentID()), msg.OrderID(o.OrderID())
		h.Sending, h.SendingAt = o.SendingTime(), 4
	case gen.TemplateCancel:
		o := gen.AsCancel(m.Block)
		h.SeqNum, h.Ref, h.Instr, h.Order = o.SeqNum(), msg.Ref(o.ClOrdID()), msg.InstrumentID(o.InstrumentID()), msg.OrderID(o.OrderID())
	case gen.TemplateMassCancel:
		o := gen.AsMassCancel(m.Block)
		h.SeqNum, h.Ref, h.Instr, h.Account = o.SeqNum(), msg.Ref(o.RequestID()), msg.InstrumentID(o.InstrumentID()), msg.AccountID(o.AccountID())
	case gen.TemplateMassQuote:
		o := gen.AsMassQuote(m.Block)
		h.SeqNum, h.Ref, h.Account = o.SeqNum(), msg.Ref(o.QuoteID()), msg.AccountID(o.AccountID())
		h.Sending, h.SendingAt = o.SendingTime(), 1
	case gen.TemplateEntryControl:
		o := gen.AsEntryControl(m.Block)
		h.SeqNum, h.Ref, h.Instr, h.Account = o.SeqNum(), msg.Ref(o.RequestID()), msg.InstrumentID(o.InstrumentID()), msg.AccountID(o.AccountID())
	case gen.TemplateDeadMan:
		o := gen.AsDeadMan(m.Block)
		h.SeqNum, h.Ref, h.Account = o.SeqNum(), msg.Ref(o.RequestID()), msg.AccountID(o.AccountID())
	case gen.TemplateMmpConfig:
		o := gen.AsMmpConfig(m.Block)
		h.SeqNum, h.Ref, h.Account = o.SeqNum(), msg.Ref(o.RequestID()), msg.AccountID(o.AccountID())
	case gen.TemplateOrderStatusRequest:
		o := gen.AsOrderStatusRequest(m.Block)
		h.SeqNum, h.Ref, h.Account, h.Order = o.SeqNum(), msg.Ref(o.RequestID()), msg.AccountID(o.AccountID()), msg.OrderID(o.OrderID())
	case gen.TemplateWhatIfMargin:
		o := gen.AsWhatIfMargin(m.Block)
		h.SeqNum, h.Ref, h.Instr, h.Account = o.SeqNum(), msg.Ref(o.RequestID()), msg.InstrumentID(o.InstrumentID()), msg.AccountID(o.AccountID())
	case gen.TemplatePositionControl:
		o := gen.AsPositionControl(m.Block)
		h.SeqNum, h.Ref, h.Instr, h.Account = o.SeqNum(), msg.Ref(o.RequestID()), msg.InstrumentID(o.InstrumentID()), msg.AccountID(o.AccountID())
	default:
		return h, false
	}
	return h, true
}

// KindOf is of which kind a message of a template becomes a command, the first where there are several; 0: of none.
func KindOf(template uint16) msg.Kind {
	switch template {
	case gen.TemplateNewOrder, gen.TemplateNewOrderExt:
		return msg.KindLimit
	case gen.TemplateReplace:
		return msg.KindAmend
	case gen.TemplateCancel:
		return msg.KindCancel
	case gen.TemplateMassCancel:
		return msg.KindCancelAll
	case gen.TemplateEntryControl:
		return msg.KindSetEntry
	case gen.TemplateDeadMan:
		return msg.KindSetDeadMan
	case gen.TemplateOrderStatusRequest:
		return msg.KindAskOrder
	case gen.TemplateMmpConfig:
		return msg.KindSetProtection
	case gen.TemplateWhatIfMargin:
		return msg.KindAskMargin
	case gen.TemplateMassQuote:
		return msg.KindQuote
	case gen.TemplatePositionControl:
		return msg.KindSetLeverage
	}
	return 0
}

// ToRequest makes a request of any message of a client, for a session of owner. s is the scale of the instrument that Head
// names; it is not looked at where the message has no price. What is no message of a client is refused as RejectUnknownTemplate. A mass
// quote is looked at as a whole, and r is left as it was: QuoteEntry makes its requests.
func ToRequest(m *Message, owner msg.OwnerID, s *Scale, r *msg.Request) Refusal {
	if m.Schema != gen.SchemaOrderEntry {
		return refuse(msg.RejectUnknownTemplate, NoField, None, int64(m.Template))
	}
	switch m.Template {
	case gen.TemplateNewOrder:
		return NewOrder(gen.AsNewOrder(m.Block), s, r)
	case gen.TemplateNewOrderExt:
		return NewOrderExt(gen.AsNewOrderExt(m.Block), s, r)
	case gen.TemplateReplace:
		return Replace(gen.AsReplace(m.Block), s, r)
	case gen.TemplateCancel:
		return Cancel(gen.AsCancel(m.Block), r)
	case gen.TemplateMassCancel:
		return MassCancel(gen.AsMassCancel(m.Block), owner, r)
	case gen.TemplateEntryControl:
		return EntryControl(gen.AsEntryControl(m.Block), owner, r)
	case gen.TemplatePositionControl:
		return PositionControl(gen.AsPositionControl(m.Block), r)
	case gen.TemplateDeadMan:
		return DeadMan(gen.AsDeadMan(m.Block), r)
	case gen.TemplateMassQuote:
		return massQuote(m)
	case gen.TemplateMmpConfig:
		return MmpConfig(gen.AsMmpConfig(m.Block), r)
	case gen.TemplateOrderStatusRequest:
		return OrderStatus(gen.AsOrderStatusRequest(m.Block), r)
	case gen.TemplateWhatIfMargin:
		return WhatIfMargin(gen.AsWhatIfMargin(m.Block), s, r)
	}
	return refuse(msg.RejectUnknownTemplate, NoField, None, int64(m.Template))
}
