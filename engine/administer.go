package engine

import (
	"github.com/lockstep-exchange/lockstep/book"
	"github.com/lockstep-exchange/lockstep/margin"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/riskgate"
)

// administer applies the commands that are not about one order. But for CancelAll and those about the margin of a position
// they are the venue's: a session other than the embedder's has no right to them.
//
//go:noinline
func (e *Engine) administer(c *msg.Command) {
	switch c.Kind {
	case msg.KindCancelAll:
		e.cancelAll(c)
		return
	case msg.KindSetLeverage, msg.KindIsolate, msg.KindCross, msg.KindMoveMargin:
		e.remargin(c)
		return
	case msg.KindRefuse:
		e.refuseAsked(c)
		return
	case msg.KindSetDeadMan:
		e.setDeadMan(c)
		return
	case msg.KindAskOrder:
		e.askOrder(c)
		return
	case msg.KindAskOrders:
		e.askOrders(c)
		return
	case msg.KindAskMargin:
		e.askMargin(c)
		return
	case msg.KindSetProtection:
		e.setProtection(c)
		return
	case msg.KindQuote:
		e.takeQuote(c)
		return
	}
	if c.Session != 0 && (c.Kind != msg.KindSetEntry || !e.gate.Permits(&c.Request)) {
		e.refuse(c, msg.RejectNotPermitted, 0, 0)
		return
	}
	if !c.Sound() {
		e.refuse(c, msg.RejectValueOutOfRange, 0, 0)
		return
	}
	if last, repeated := e.gate.Use(&c.Request); repeated {
		e.refuse(c, msg.RejectDuplicateClientID, int64(last), int64(c.Ref))
		return
	}
	switch c.Kind {
	case msg.KindSetMark:
		e.mark(c)
	case msg.KindListUnderlying:
		e.listUnderlying(c)
	case msg.KindReport:
		e.report(c)
	case msg.KindSettleFunding:
		e.settleFunding(c)
	case msg.KindTick:
		e.answer(msg.Ticked, c)
	case msg.KindOpenAccount:
		e.openAccount(c)
	case msg.KindDeposit:
		e.deposit(c)
	case msg.KindPayFund:
		e.payFund(c)
	case msg.KindWithdraw:
		e.withdraw(c)
	case msg.KindTransfer:
		e.transfer(c)
	case msg.KindDepositAsset, msg.KindWithdrawAsset:
		e.moveAsset(c)
	case msg.KindList:
		e.list(c)
	case msg.KindSetTier, msg.KindSetFees, msg.KindSetRule, msg.KindSetConcentration:
		e.setRule(c)
	case msg.KindSetFeeTier:
		e.setFeeTier(c)
	case msg.KindSetPhase:
		e.setPhase(c)
	case msg.KindSetEntry:
		e.setEntry(c)
	case msg.KindOpenSession, msg.KindCloseSession:
		e.setSession(c)
	case msg.KindSetKey:
		e.setKey(c)
	case msg.KindNegotiate, msg.KindBind, msg.KindUnbind, msg.KindEndGrace, msg.KindFinalize, msg.KindMiss:
		e.ofSession(c)
	case msg.KindCheckpoint:
		e.answer(msg.Checkpointed, c).Rare = c.Rare
	case msg.KindSetStorage:
		from := e.venue.Storage
		e.venue.Storage = c.Storage()
		e.answer(msg.StorageChanged, c).SetStorageStep(msg.StorageStep{From: from, To: e.venue.Storage})
	case msg.KindMaintain:
		e.answer(msg.Maintained, c).Rare = c.Rare
	default:
		e.refuse(c, msg.RejectNotSupported, 0, int64(c.Kind))
	}
}

// list brings an instrument into being; its book allocates.
func (e *Engine) list(c *msg.Command) {
	if c.Instr == 0 || uint64(c.Instr) >= uint64(len(e.instruments)) {
		e.refuse(c, msg.RejectTableFull, int64(e.limits.Instruments), int64(c.Instr))
		return
	}
	in, l := &e.instruments[c.Instr], c.Listing()
	r := e.canPrice(&l)
	if r == 0 {
		r = in.List(l)
	}
	if r != 0 {
		e.refuse(c, r, 0, 0)
		return
	}
	if e.house.Tiered() {
		in.SetTiered()
	}
	e.books[c.Instr] = book.New(e.store, c.Instr, in.Start)
	e.answer(msg.InstrumentListed, c).Rare = c.Rare
	e.price(c.Instr, &l)
}

// setRule sets a bracket, the fees or a parameter, of an instrument or the venue. Accounts are valued anew when they are
// next touched.
func (e *Engine) setRule(c *msg.Command) {
	kind, r := msg.RuleSet, msg.Reject(0)
	switch {
	case c.Instr == 0 && c.Kind == msg.KindSetRule:
		r = e.venue.SetRule(c.Setting())
	case e.bookOf(c.Instr) == nil:
		r = msg.RejectUnknownInstrument
	default:
		kind, r = e.setInstrument(c)
	}
	if r != 0 {
		e.refuse(c, r, 0, 0)
		return
	}
	e.house.Remark()
	if weighs(c) {
		e.house.Review()
		e.house.Calm(e.venue.Ladder.Call1)
	}
	e.answer(kind, c).Rare = c.Rare
	e.reprice(c)
}

// weighs reports whether a rule may move a pool on the ladder, or its wires.
func weighs(c *msg.Command) bool {
	if c.Kind != msg.KindSetRule {
		return c.Kind == msg.KindSetTier && c.Tier().UpTo == 0
	}
	switch c.Setting().Rule {
	case msg.LadderCall1, msg.LadderCall1Exit, msg.LadderCall2, msg.LadderCall2Exit, msg.LadderTarget, msg.SlopeMaintenance,
		msg.CollateralHaircut, msg.WireFunding:
		return true
	}
	return false
}

// reprice lets prices follow a parameter that has changed.
func (e *Engine) reprice(c *msg.Command) {
	if c.Kind != msg.KindSetRule {
		return
	}
	switch rule := c.Setting().Rule; {
	case c.Instr != 0 && market.MarkRule(rule):
		e.schedule(c.Instr, c.Time)
		if rule == msg.MarkFrom && e.prices[c.Instr].index != 0 {
			e.remark(c.Instr, c.Time)
			e.permit(c.Instr)
		}
	case c.Instr != 0 && market.FundingRule(rule):
		e.schedule(c.Instr, c.Time)
	case rule == msg.MarkStep:
		for id := range e.instruments {
			e.schedule(msg.InstrumentID(id), c.Time)
		}
	case rule == msg.OracleStale || rule == msg.OracleOutlier || rule == msg.OracleHalt:
		e.recheck()
	}
}

// setInstrument sets a bracket, the fees or a parameter of an instrument, unless a position that is there could require
// more than may be required.
func (e *Engine) setInstrument(c *msg.Command) (kind msg.EventKind, r msg.Reject) {
	next := e.instruments[c.Instr]
	switch rule := c.Setting().Rule; {
	case c.Kind == msg.KindSetRule && market.MarkRule(rule):
		return msg.RuleSet, e.setMarkRule(c)
	case c.Kind == msg.KindSetRule && market.FundingRule(rule):
		return msg.RuleSet, e.prices[c.Instr].funding.SetRule(c.Setting())
	}
	switch c.Kind {
	case msg.KindSetTier:
		kind, r = msg.TierSet, next.SetTier(c.Tier())
	case msg.KindSetFees:
		kind, r = msg.FeesSet, next.SetFees(c.Fees())
	case msg.KindSetConcentration:
		kind, r = msg.ConcentrationSet, next.SetConcentration(c.Concentration())
	default:
		kind, r = msg.RuleSet, next.SetRule(c.Setting())
	}
	if r == 0 && !margin.Bears(&next, e.house.Peak(c.Instr), e.house.Bound()) {
		r = msg.RejectOverflow
	}
	if r == 0 {
		e.instruments[c.Instr] = next
	}
	return kind, r
}

func (e *Engine) setPhase(c *msg.Command) {
	if e.bookOf(c.Instr) == nil {
		e.refuse(c, msg.RejectUnknownInstrument, 0, 0)
		return
	}
	in, to := &e.instruments[c.Instr], c.Phase()
	from := in.Phase
	r := msg.Reject(0)
	switch {
	case to != msg.Closed && to != msg.Halted && !market.Permits(in.Health, market.Trade):
		r = msg.RejectMarketHalted
	case to == msg.CallAuction:
		r = msg.RejectInvalidParameter
	default:
		r = in.SetPhase(to)
	}
	if r != 0 {
		e.refuse(c, r, 0, 0)
		return
	}
	e.prices[c.Instr].halted = false
	e.answer(msg.PhaseChanged, c).SetPhaseStep(msg.PhaseStep{From: from, To: in.Phase})
}

// setSession opens or closes a door. Opening one that is open fences who had it (D-92).
func (e *Engine) setSession(c *msg.Command) {
	op := c.Opening()
	if op.Session == 0 || !e.gate.Sessions.Has(op.Session) {
		e.refuse(c, msg.RejectTableFull, int64(e.limits.Sessions)-1, int64(op.Session))
		return
	}
	if e.gate.Sessions.Keyed(op.Session) {
		e.refuse(c, msg.RejectModeConflict, 0, int64(op.Session))
		return
	}
	kind := msg.SessionClosed
	if c.Kind == msg.KindOpenSession {
		if e.house.Owner(op.Owner) == nil {
			e.refuse(c, msg.RejectUnknownAccount, 0, int64(op.Owner))
			return
		}
		kind = msg.SessionOpened
	}

	s := &e.gate.Sessions[op.Session]
	s.May, s.Owner = 0, op.Owner
	if kind == msg.SessionOpened {
		s.May = riskgate.DoorRights
	}
	ev := e.answer(kind, c)
	ev.Session, ev.Rare = op.Session, c.Rare
}
