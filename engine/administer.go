package engine

import (
	"github.com/lockstep-exchange/lockstep/book"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/margin"
	"github.com/lockstep-exchange/lockstep/msg"
)

// administer applies the commands that are not about one order. But for CancelAll they are the venue's: a session other than
// the embedder's has no right to them.
//
//go:noinline
func (e *Engine) administer(c *msg.Command) {
	if c.Kind == msg.KindCancelAll {
		e.cancelAll(c)
		return
	}
	if c.Session != 0 {
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
	case msg.KindSetTier, msg.KindSetFees, msg.KindSetRule:
		e.setRule(c)
	case msg.KindSetFeeTier:
		e.setFeeTier(c)
	case msg.KindSetPhase:
		e.setPhase(c)
	case msg.KindSetEntry:
		e.setEntry(c)
	case msg.KindOpenSession, msg.KindCloseSession:
		e.setSession(c)
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
	in := &e.instruments[c.Instr]
	if r := in.List(c.Listing()); r != 0 {
		e.refuse(c, r, 0, 0)
		return
	}
	if e.house.Tiered() {
		in.SetTiered()
	}
	e.books[c.Instr] = book.New(e.store, c.Instr, in.Start)
	e.answer(msg.InstrumentListed, c).Rare = c.Rare
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
	e.answer(kind, c).Rare = c.Rare
}

// setInstrument sets a bracket, the fees or a parameter of an instrument, unless a position that is there could require
// more than may be required.
func (e *Engine) setInstrument(c *msg.Command) (kind msg.EventKind, r msg.Reject) {
	next := e.instruments[c.Instr]
	switch c.Kind {
	case msg.KindSetTier:
		kind, r = msg.TierSet, next.SetTier(c.Tier())
	case msg.KindSetFees:
		kind, r = msg.FeesSet, next.SetFees(c.Fees())
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
	in := &e.instruments[c.Instr]
	from := in.Phase
	if r := in.SetPhase(c.Phase()); r != 0 {
		e.refuse(c, r, 0, 0)
		return
	}
	e.answer(msg.PhaseChanged, c).SetPhaseStep(msg.PhaseStep{From: from, To: in.Phase})
}

// mark marks an instrument. It costs the same whoever holds it.
func (e *Engine) mark(c *msg.Command) {
	r := msg.Reject(0)
	switch {
	case e.bookOf(c.Instr) == nil:
		r = msg.RejectUnknownInstrument
	default:
		r = e.canMark(c.Instr, c.Price)
	}
	if r != 0 {
		e.refuse(c, r, 0, int64(c.Price))
		return
	}
	if e.instruments[c.Instr].SetMark(c.Price) {
		e.house.Remark()
	}
	e.answer(msg.MarkUpdated, c).Price = c.Price
}

// canMark refuses a mark at which the largest position that was there would be worth, or require, more than one may.
func (e *Engine) canMark(id msg.InstrumentID, mark fixed.Ticks) msg.Reject {
	in := &e.instruments[id]
	if r := in.CanMark(mark, e.house.Peak(id), e.house.Bound()); r != 0 || in.SlopeInitial == 0 {
		return r
	}
	next := *in
	next.SetMark(mark)
	if !margin.Bears(&next, e.house.Peak(id), e.house.Bound()) {
		return msg.RejectOverflow
	}
	return 0
}

// setSession opens or closes a door. Opening one that is open fences who had it (D-92).
func (e *Engine) setSession(c *msg.Command) {
	op := c.Opening()
	if op.Session == 0 || !e.gate.Sessions.Has(op.Session) {
		e.refuse(c, msg.RejectTableFull, int64(e.limits.Sessions)-1, int64(op.Session))
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
	s.Open, s.Owner = kind == msg.SessionOpened, op.Owner
	ev := e.answer(kind, c)
	ev.Session, ev.Rare = op.Session, c.Rare
}
