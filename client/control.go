package client

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// Requests that are no orders: mass cancel, kill switch, dead-man, market-maker protection, questions, positions, snapshots.

// MassCancel says which orders are to be taken out.
type MassCancel struct {
	Scope      gen.Scope // 0: the account
	Account    msg.AccountID
	Instrument msg.InstrumentID // 0: all
	Side       gen.SideFilter
	Group      uint32
	MMPGroup   uint16
	Protective bool // reduce-only protective orders as well
	Block      bool // let no new ones in
}

// MassCancel takes orders out.
func (s *Session) MassCancel(c *MassCancel, now fixed.Nanos) (msg.Ref, error) {
	if err := s.admit(gen.TemplateMassCancel, wire.BlockAt+len(gen.MassCancel{})); err != nil {
		return 0, err
	}
	ref := s.pick(0, now)

	block, number := s.open(gen.TemplateMassCancel, len(gen.MassCancel{}), ref, 0, now)
	m := gen.AsMassCancel(block)
	m.SetRequestID(uint64(ref))
	m.SetSeqNum(number)
	m.SetAccountID(uint32(c.Account))
	m.SetInstrumentID(uint32(c.Instrument))
	m.SetGroupID(c.Group)
	m.SetScope(max(c.Scope, gen.ScopeAccount))
	m.SetSide(c.Side)
	var flags gen.MassCancelFlags
	if c.Protective {
		flags |= gen.MassCancelFlagsIncludeProtective
	}
	if c.Block {
		flags |= gen.MassCancelFlagsBlockEntry
	}
	m.SetFlags(flags)
	m.SetMmpGroup(c.MMPGroup)
	return ref, nil
}

// Entry turns the kill switch of an account, of the firm or of an instrument.
func (s *Session) Entry(scope gen.Scope, account msg.AccountID, instrument msg.InstrumentID, action gen.EntryAction, now fixed.Nanos) (msg.Ref, error) {
	if err := s.admit(gen.TemplateEntryControl, wire.BlockAt+len(gen.EntryControl{})); err != nil {
		return 0, err
	}
	ref := s.pick(0, now)

	block, number := s.open(gen.TemplateEntryControl, len(gen.EntryControl{}), ref, 0, now)
	m := gen.AsEntryControl(block)
	m.SetRequestID(uint64(ref))
	m.SetSeqNum(number)
	m.SetAccountID(uint32(account))
	m.SetInstrumentID(uint32(instrument))
	m.SetAction(action)
	m.SetScope(scope)
	return ref, nil
}

// DeadMan has everything of an account canceled at a time of the venue, unless another DeadMan comes before; 0 disarms it.
func (s *Session) DeadMan(account msg.AccountID, deadline, now fixed.Nanos) (msg.Ref, error) {
	if err := s.admit(gen.TemplateDeadMan, wire.BlockAt+len(gen.DeadMan{})); err != nil {
		return 0, err
	}
	ref := s.pick(0, now)

	block, number := s.open(gen.TemplateDeadMan, len(gen.DeadMan{}), ref, 0, now)
	m := gen.AsDeadMan(block)
	m.SetRequestID(uint64(ref))
	m.SetSeqNum(number)
	m.SetAccountID(uint32(account))
	m.SetDeadline(uint64(deadline))
	return ref, nil
}

// Protection is the limits of a group of a market maker: what may trade within a window before its quotes are taken out, in billionths of a
// unit. To set it again is to go on after it has tripped.
type Protection struct {
	Account        msg.AccountID
	Group          uint16
	Qty, Delta     int64
	Window, Freeze fixed.Nanos
}

// Protect sets the limits of market-maker protection.
func (s *Session) Protect(p *Protection, now fixed.Nanos) (msg.Ref, error) {
	if err := s.admit(gen.TemplateMmpConfig, wire.BlockAt+len(gen.MmpConfig{})); err != nil {
		return 0, err
	}
	ref := s.pick(0, now)

	block, number := s.open(gen.TemplateMmpConfig, len(gen.MmpConfig{}), ref, 0, now)
	m := gen.AsMmpConfig(block)
	m.SetRequestID(uint64(ref))
	m.SetSeqNum(number)
	m.SetAccountID(uint32(p.Account))
	m.SetMmpGroup(p.Group)
	m.SetQtyLimit(p.Qty)
	m.SetDeltaLimit(p.Delta)
	m.SetWindowNs(uint64(p.Window))
	m.SetFreezeNs(uint64(p.Freeze))
	return ref, nil
}

// AskOrder asks how an order stands: by the venue's id, or where that is 0 by the client's.
func (s *Session) AskOrder(account msg.AccountID, id msg.OrderID, order msg.Ref, now fixed.Nanos) (msg.Ref, error) {
	return s.askStatus(account, id, order, 0, now)
}

// AskOrders asks for all open orders of an account; each becomes a report, and a row of the order table where it has none.
func (s *Session) AskOrders(account msg.AccountID, now fixed.Nanos) (msg.Ref, error) {
	return s.askStatus(account, 0, 0, gen.StatusFlagsAllOpenOrders, now)
}

func (s *Session) askStatus(account msg.AccountID, id msg.OrderID, order msg.Ref, flags gen.StatusFlags, now fixed.Nanos) (msg.Ref, error) {
	if err := s.admit(gen.TemplateOrderStatusRequest, wire.BlockAt+len(gen.OrderStatusRequest{})); err != nil {
		return 0, err
	}
	ref := s.pick(0, now)

	block, number := s.open(gen.TemplateOrderStatusRequest, len(gen.OrderStatusRequest{}), ref, 0, now)
	m := gen.AsOrderStatusRequest(block)
	m.SetRequestID(uint64(ref))
	m.SetSeqNum(number)
	m.SetAccountID(uint32(account))
	m.SetOrderID(uint64(id))
	m.SetClOrdID(uint64(order))
	m.SetFlags(flags)
	return ref, nil
}

// WhatIf is an order that is only thought of, under a margin mode and a leverage in billionths; 0 is what the account has.
type WhatIf struct {
	Account    msg.AccountID
	Instrument msg.InstrumentID
	Side       gen.Side
	Mode       gen.MarginMode
	Price, Qty int64
	Leverage   int64
}

// AskMargin asks what margin would be after an order.
func (s *Session) AskMargin(w *WhatIf, now fixed.Nanos) (msg.Ref, error) {
	if err := s.admit(gen.TemplateWhatIfMargin, wire.BlockAt+len(gen.WhatIfMargin{})); err != nil {
		return 0, err
	}
	ref := s.pick(0, now)

	block, number := s.open(gen.TemplateWhatIfMargin, len(gen.WhatIfMargin{}), ref, 0, now)
	m := gen.AsWhatIfMargin(block)
	m.SetRequestID(uint64(ref))
	m.SetSeqNum(number)
	m.SetAccountID(uint32(w.Account))
	m.SetInstrumentID(uint32(w.Instrument))
	m.SetSide(w.Side)
	m.SetMarginMode(w.Mode)
	m.SetPrice(w.Price)
	m.SetQty(w.Qty)
	m.SetLeverage(w.Leverage)
	return ref, nil
}

// Position is what is to change about a position: its leverage, its margin mode, or the margin that is set aside for it. One at
// a time.
type Position struct {
	Account    msg.AccountID
	Instrument msg.InstrumentID
	Leverage   int64 // in billionths; 0: unchanged
	Mode       gen.MarginMode
	Margin     int64 // money to set aside, below 0 to take back; with Mode isolated wire.None for what the venue asks
}

// SetPosition changes leverage, mode or margin of a position.
func (s *Session) SetPosition(p *Position, now fixed.Nanos) (msg.Ref, error) {
	if err := s.admit(gen.TemplatePositionControl, wire.BlockAt+len(gen.PositionControl{})); err != nil {
		return 0, err
	}
	ref := s.pick(0, now)

	block, number := s.open(gen.TemplatePositionControl, len(gen.PositionControl{}), ref, 0, now)
	m := gen.AsPositionControl(block)
	m.SetRequestID(uint64(ref))
	m.SetSeqNum(number)
	m.SetAccountID(uint32(p.Account))
	m.SetInstrumentID(uint32(p.Instrument))
	m.SetLeverage(p.Leverage)
	m.SetMarginMode(p.Mode)
	m.SetIsolatedDelta(p.Margin)
	return ref, nil
}

// AskSnapshot asks for the book of an instrument.
func (s *Session) AskSnapshot(instrument msg.InstrumentID, now fixed.Nanos) (msg.Ref, error) {
	if err := s.admit(gen.TemplateSnapshotRequest, wire.BlockAt+len(gen.SnapshotRequest{})); err != nil {
		return 0, err
	}
	ref := s.pick(0, now)

	block, number := s.open(gen.TemplateSnapshotRequest, len(gen.SnapshotRequest{}), ref, 0, now)
	m := gen.AsSnapshotRequest(block)
	m.SetRequestID(uint64(ref))
	m.SetSeqNum(number)
	m.SetInstrumentID(uint32(instrument))
	return ref, nil
}
