package wire

import (
	"encoding/binary"

	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// What a firm is told: an event of the core as a report. A frame is a function of the event, of the request that the event's
// command was, of the envelope in which it came, and of the scale, and of nothing else; so a report that is asked for
// again is the same to the byte. Which events are reports says msg.Event.Reports. A drop copy is the same reports under numbers of its own.

// Envelope is what travels beside a command: what a report says and the core has no use for.
type Envelope struct {
	SeqNum   uint64 // of the report, in the session that it goes to
	Ingress  uint64 // when the message reached the venue; NoTime: it came from inside
	Sending  uint64 // when its client sent it; NoTime: it does not say
	RefSeq   uint32 // the message's own number
	Template uint16 // the message's template; 0: it came from inside
}

const reportVersion = gen.VersionOrderEntry

// AppendReport appends the frame of an event's report. asked is the request of the event's command, for what only it knows
// of an order that is accepted. ok is false, and dst as it was, where an event has no report, or is the answer to a mass quote, whose
// report is of several (AppendQuoteAck).
func AppendReport(dst []byte, ev *msg.Event, asked *msg.Request, env *Envelope, s *Scale) (out []byte, ok bool) {
	switch ev.Kind {
	case msg.Accepted:
		return appendAccepted(dst, ev, asked, env, s), true
	case msg.Amended:
		return appendReplaced(dst, ev, env, s), true
	case msg.Canceled, msg.Expired:
		return appendCanceled(dst, ev, env, s), true
	case msg.Traded:
		return appendTrade(dst, ev, env, s), true
	case msg.Rejected:
		if !ev.Reports() {
			return dst, false
		}
		return appendReject(dst, ev, env, s), true
	case msg.MassCanceled, msg.MassCancelBegun:
		return appendMassCancel(dst, ev, env), true
	case msg.EntryChanged:
		e := turn(ev)
		return appendAck(dst, ev, env, gen.EntryAction(e.Action), wireScope(e.Scope)), true
	case msg.OrderStated:
		return appendStatus(dst, ev, env, s), true
	case msg.MarginForecast:
		return appendForecast(dst, ev, env, s), true
	case msg.ProtectionTripped:
		return appendTripped(dst, ev, env), true
	case msg.DeadManSet, msg.ProtectionSet:
		return appendAck(dst, ev, env, noEnum, noEnum), true
	case msg.LeverageSet, msg.ModeChanged, msg.MarginMoved:
		if !ev.Reports() {
			return dst, false
		}
		return appendAck(dst, ev, env, noEnum, noEnum), true
	case msg.MarginCall, msg.MarginCallCleared, msg.LiquidationStarted, msg.LiquidationEnded, msg.Takeover, msg.AdlStarted:
		return appendRung(dst, ev, env), true
	case msg.LiquidationSlice, msg.AdlFill:
		return appendCloseout(dst, ev, env, s), true
	case msg.FundingPaid:
		return appendFunding(dst, ev, env), true
	}
	return dst, false
}

// noEnum stands for an enum that is none.
const noEnum = 1<<8 - 1

// report opens a frame of a template and writes the 48 bytes that all reports share.
func report(dst []byte, template uint16, size int, ev *msg.Event, env *Envelope) (out, block []byte) {
	out, block = AppendFrame(dst, gen.Header{Block: uint16(size), Template: template, Schema: gen.SchemaOrderEntry, Version: reportVersion})
	common((*[commonSize]byte)(block), ev, env)
	return out, block
}

// commonSize is how much of its block a report shares with all others.
const commonSize = 48

// common writes the shared fields: 0 seqNum, 8 transactTime, 16 orderId, 24 clOrdId, 32 engineSeq, 40 instrumentId, 44 accountId.
func common(b *[commonSize]byte, ev *msg.Event, env *Envelope) {
	binary.LittleEndian.PutUint64(b[0:], env.SeqNum)
	binary.LittleEndian.PutUint64(b[8:], uint64(ev.Time))
	binary.LittleEndian.PutUint64(b[16:], uint64(ev.Order))
	binary.LittleEndian.PutUint64(b[24:], uint64(ev.Ref))
	binary.LittleEndian.PutUint64(b[32:], uint64(ev.Seq))
	binary.LittleEndian.PutUint32(b[40:], uint32(ev.Instr))
	binary.LittleEndian.PutUint32(b[44:], uint32(ev.Account))
}

func appendAccepted(dst []byte, ev *msg.Event, asked *msg.Request, env *Envelope, s *Scale) []byte {
	out, block := report(dst, gen.TemplateOrderAccepted, len(gen.OrderAccepted{}), ev, env)
	m := gen.AsOrderAccepted(block)
	m.SetPrice(s.Price(ev.Price))
	m.SetLeavesQty(s.Qty(ev.Qty))
	m.SetIngressTime(env.Ingress)
	m.SetClientTime(env.Sending)
	m.SetSide(gen.Side(ev.Side))
	m.SetOrdType(gen.OrdTypeLimit)
	if asked.Kind == msg.KindMarket {
		m.SetOrdType(gen.OrdTypeMarket)
	}
	m.SetTif(gen.TimeInForce(asked.TIF))
	if asked.STP <= msg.STPDecrement { // that an owner may trade with himself cannot be said on the wire
		m.SetStp(gen.SelfTrade(asked.STP))
	}
	m.SetFlags(wireFlags(asked.Flags))
	m.SetOrdStatus(gen.OrdStatusNew)
	if asked.Flags&msg.FlagIsolated != 0 {
		m.SetMarginMode(gen.MarginModeIsolated)
	}
	m.SetMarginAfter(None)
	return out
}

// appendStatus tells how an order stands; the one that was asked for, or the last of a list, says that it is the last.
func appendStatus(dst []byte, ev *msg.Event, env *Envelope, s *Scale) []byte {
	standing := ev.Standing()
	out, block := report(dst, gen.TemplateOrderStatus, len(gen.OrderStatus{}), ev, env)
	m := gen.AsOrderStatus(block)
	m.SetPrice(s.Price(ev.Price))
	m.SetLeavesQty(s.Qty(ev.Qty))
	m.SetCumQty(s.Qty(standing.Filled))
	m.SetSide(gen.Side(ev.Side))
	m.SetOrdType(gen.OrdTypeLimit)
	m.SetTif(gen.TimeInForce(standing.TIF))
	if standing.STP <= msg.STPDecrement {
		m.SetStp(gen.SelfTrade(standing.STP))
	}
	m.SetFlags(wireFlags(standing.Flags))
	m.SetOrdStatus(status(int64(ev.Qty), int64(standing.Filled)))
	if !standing.More {
		m.SetLastInList(gen.YesNoYes)
	}
	m.SetRequestID(uint64(standing.Request))
	return out
}

// status is the state of an order of which so much is open and traded.
func status(leaves, filled int64) gen.OrdStatus {
	switch {
	case leaves == 0:
		return gen.OrdStatusFilled
	case filled > 0:
		return gen.OrdStatusPartlyFilled
	}
	return gen.OrdStatusNew
}

func appendReplaced(dst []byte, ev *msg.Event, env *Envelope, s *Scale) []byte {
	change := ev.Change()
	out, block := report(dst, gen.TemplateOrderReplaced, len(gen.OrderReplaced{}), ev, env)
	m := gen.AsOrderReplaced(block)
	m.SetClOrdID(uint64(change.Request))
	m.SetPrice(s.Price(ev.Price))
	m.SetLeavesQty(s.Qty(ev.Qty))
	m.SetIngressTime(env.Ingress)
	m.SetClientTime(env.Sending)
	m.SetOrigClOrdID(uint64(ev.Ref))
	m.SetCumQty(s.Qty(change.Filled))
	if change.Kept {
		m.SetPriorityKept(gen.YesNoYes)
	}
	m.SetOrdStatus(status(int64(ev.Qty), int64(change.Filled)))
	return out
}

func appendCanceled(dst []byte, ev *msg.Event, env *Envelope, s *Scale) []byte {
	change := ev.Change()
	out, block := report(dst, gen.TemplateOrderCanceled, len(gen.OrderCanceled{}), ev, env)
	m := gen.AsOrderCanceled(block)
	m.SetCanceledQty(s.Qty(ev.Qty))
	m.SetCumQty(s.Qty(change.Filled))
	m.SetRequestClOrdID(uint64(change.Request))
	m.SetReason(CancelReason(ev))
	m.SetOrdStatus(gen.OrdStatusCanceled)
	if change.Leaves > 0 {
		m.SetOrdStatus(status(int64(change.Leaves), int64(change.Filled)))
	}
	return out
}

// CancelReason is why an order was canceled; its time having come is one more of them on the wire.
func CancelReason(ev *msg.Event) gen.CancelReason {
	if ev.Kind == msg.Expired {
		return gen.CancelReasonExpiry
	}
	return gen.CancelReason(ev.Reason)
}

func appendTrade(dst []byte, ev *msg.Event, env *Envelope, s *Scale) []byte {
	fill := ev.Fill()
	out, block := report(dst, gen.TemplateTrade, len(gen.Trade{}), ev, env)
	m := gen.AsTrade(block)
	m.SetTradeID(uint64(fill.Trade))
	m.SetLastPx(s.Price(ev.Price))
	m.SetLastQty(s.Qty(ev.Qty))
	m.SetLeavesQty(s.Qty(fill.Leaves))
	m.SetCumQty(s.Qty(fill.Filled))
	m.SetFee(int64(fill.Fee))
	m.SetPositionAfter(s.Qty(fill.Position))
	m.SetIngressTime(env.Ingress)
	m.SetSide(gen.Side(ev.Side))
	m.SetLiquidity(gen.LiquidityTaker)
	if fill.Maker {
		m.SetLiquidity(gen.LiquidityMaker)
	}
	return out
}

func appendReject(dst []byte, ev *msg.Event, env *Envelope, s *Scale) []byte {
	refusal := ev.Refusal()
	limit, actual, field := refusal.Limit, refusal.Actual, uint8(NoField)
	if refusal.Field != 0 {
		field = refusal.Field - 1
	}
	switch {
	case limit == 0 && actual == 0:
		limit, actual = None, None
	case refusal.Asked == msg.KindRefuse: // they never were in the core's units
	case pricesIn(ev.Reject):
		limit, actual = scaled(limit, s.Tick), scaled(actual, s.Tick)
	case lotsIn(ev.Reject, refusal.Asked):
		limit, actual = scaled(limit, s.Lot), scaled(actual, s.Lot)
	}
	return AppendRefusal(dst, ev, env, Refusal{ev.Reject, field, limit, actual})
}

// pricesIn and lotsIn say what the two numbers of a refusal count in the core: ticks, lots, or (neither) what they count on
// the wire as well.
func pricesIn(r msg.Reject) bool { return r == msg.RejectOffTick || r == msg.RejectPriceOutsideBand }

func lotsIn(r msg.Reject, asked msg.Kind) bool {
	switch r {
	case msg.RejectOffLot, msg.RejectOrderSizeLimit, msg.RejectPositionLimit, msg.RejectOpenInterestLimit, msg.RejectWouldNotReduce:
		return true
	case msg.RejectInsufficientFunds: // of an order: assets to sell
		return asked == msg.KindLimit || asked == msg.KindMarket || asked == msg.KindPlace || asked == msg.KindAmend
	}
	return false
}

// AppendRefusal appends the Reject of a message that became no request, or of a Rejected. of says when, and whose message
// it was; the numbers of the refusal are in the units of the wire.
func AppendRefusal(dst []byte, of *msg.Event, env *Envelope, no Refusal) []byte {
	out, block := report(dst, gen.TemplateReject, len(gen.Reject{}), of, env)
	m := gen.AsReject(block)
	m.SetLimitValue(no.Limit)
	m.SetActualValue(no.Actual)
	m.SetIngressTime(env.Ingress)
	m.SetRefSeqNum(env.RefSeq)
	m.SetCode(gen.RejectCode(no.Reject.Code()))
	m.SetRefTemplate(env.Template)
	m.SetLayer(gen.Layer(no.Reject.Layer()))
	m.SetFieldIndex(no.Field)
	return out
}

// turn is the turn of the kill switch, or the mass cancel, that an event tells of.
func turn(ev *msg.Event) msg.Entry {
	asked := msg.Request{Rare: ev.Rare}
	return asked.Entry()
}

// wireScope is how far something reached; what the venue did for all of it is none of the wire's scopes.
func wireScope(s msg.Scope) gen.Scope {
	if s == msg.ScopeVenue {
		return noEnum
	}
	return gen.Scope(s)
}

func appendMassCancel(dst []byte, ev *msg.Event, env *Envelope) []byte {
	out, block := report(dst, gen.TemplateMassCancelReport, len(gen.MassCancelReport{}), ev, env)
	m := gen.AsMassCancelReport(block)
	m.SetRequestID(uint64(ev.Ref))
	m.SetCanceled(uint32(min(int64(ev.Qty), 1<<32-1)))
	if ev.Kind == msg.MassCancelBegun {
		m.SetStatus(gen.MassCancelStatusPartial)
	}
	m.SetScope(wireScope(turn(ev).Scope))
	return out
}

func appendAck(dst []byte, ev *msg.Event, env *Envelope, action gen.EntryAction, scope gen.Scope) []byte {
	out, block := report(dst, gen.TemplateControlAck, len(gen.ControlAck{}), ev, env)
	m := gen.AsControlAck(block)
	m.SetRequestID(uint64(ev.Ref))
	m.SetRefTemplate(env.Template)
	m.SetAction(action)
	m.SetScope(scope)
	return out
}

// appendForecast tells what an order would do to the margin of its account.
func appendForecast(dst []byte, ev *msg.Event, env *Envelope, s *Scale) []byte {
	f := ev.Forecast()
	out, block := report(dst, gen.TemplateWhatIfResult, len(gen.WhatIfResult{}), ev, env)
	m := gen.AsWhatIfResult(block)
	m.SetRequestID(uint64(ev.Ref))
	m.SetInitAfter(int64(f.Initial))
	m.SetMaintAfter(int64(f.Maintenance))
	m.SetAvailAfter(int64(f.Available))
	m.SetLiqPxAfter(None)
	if f.Liquidation != 0 {
		m.SetLiqPxAfter(s.Price(f.Liquidation))
	}
	m.SetMaxQty(s.Qty(f.Most))
	m.SetOrderInit(int64(f.More))
	m.SetCode(gen.RejectCode(ev.Reject.Code()))
	return out
}

// appendTripped tells of a group of quotes that market-maker protection takes out.
func appendTripped(dst []byte, ev *msg.Event, env *Envelope) []byte {
	trip := ev.Trip()
	out, block := report(dst, gen.TemplateMmpTriggered, len(gen.MmpTriggered{}), ev, env)
	m := gen.AsMmpTriggered(block)
	m.SetTradedQty(trip.Traded)
	m.SetFreezeUntil(uint64(trip.Until))
	if trip.Until == 0 {
		m.SetFreezeUntil(NoTime)
	}
	m.SetMmpGroup(trip.Group)
	return out
}

// notice opens a LiquidationNotice in which nothing is said yet.
func notice(dst []byte, ev *msg.Event, env *Envelope) (out []byte, m *gen.LiquidationNotice) {
	out, block := report(dst, gen.TemplateLiquidationNotice, len(gen.LiquidationNotice{}), ev, env)
	m = gen.AsLiquidationNotice(block)
	m.SetQty(None)
	m.SetRefPx(None)
	m.SetBankruptPx(None)
	m.SetEquity(None)
	m.SetMaint(None)
	m.SetLiqID(NoTime)
	m.SetInsuranceUsed(None)
	m.SetSide(noEnum)
	return out, m
}

// appendRung tells of a step on the ladder; instrument 0 is the account as a whole.
func appendRung(dst []byte, ev *msg.Event, env *Envelope) []byte {
	step := ev.RungStep()
	out, m := notice(dst, ev, env)
	m.SetEquity(int64(step.Equity))
	m.SetMaint(int64(step.Maintenance))
	m.SetStage(gen.Rung(step.To))
	return out
}

// appendCloseout tells of lots that were closed on the ladder.
func appendCloseout(dst []byte, ev *msg.Event, env *Envelope, s *Scale) []byte {
	out, m := notice(dst, ev, env)
	m.SetQty(s.Qty(ev.Qty))
	m.SetRefPx(s.Price(ev.Price))
	m.SetStage(gen.RungLiquidating)
	if ev.Kind == msg.AdlFill {
		m.SetStage(gen.RungADL)
	}
	if ev.Side != 0 {
		m.SetSide(gen.Side(ev.Side))
	}
	return out
}

// appendFunding tells of a payment; at which rate and on which position it was due is in the core's sums and not told apart.
func appendFunding(dst []byte, ev *msg.Event, env *Envelope) []byte {
	out, block := report(dst, gen.TemplateFundingSettled, len(gen.FundingSettled{}), ev, env)
	m := gen.AsFundingSettled(block)
	m.SetRate(None)
	m.SetPosition(None)
	m.SetMarkPx(None)
	m.SetPayment(int64(ev.Balance().Amount))
	return out
}
