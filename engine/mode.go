package engine

import (
	"github.com/lockstep-exchange/lockstep/book"
	"github.com/lockstep-exchange/lockstep/clearing"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/margin"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/riskgate"
)

// What an account says about the margin of one of its positions: its leverage, whether it is isolated, what lies beside it.

// remargin applies such a command; a session may give it for an account of its owner.
func (e *Engine) remargin(c *msg.Command) {
	if i := c.Isolation(); !c.Sound() || c.Kind == msg.KindIsolate && i.Margin < 0 || c.Kind == msg.KindMoveMargin && i.Margin == 0 {
		e.refuse(c, msg.RejectValueOutOfRange, 0, int64(i.Margin))
		return
	}
	var o riskgate.Order
	r := e.gate.Enter(&c.Request, &o, riskgate.Orders, false)
	switch {
	case r != 0:
	case o.Instrument == nil:
		r = msg.RejectUnknownInstrument
	case !margin.Margined(o.Instrument): // what is paid in full is neither levered nor isolated
		r = msg.RejectNotSupported
	}
	if r != 0 {
		e.refuse(c, r, o.Bound, o.Actual)
		return
	}

	e.touch(c.Account)
	row := e.house.Find(c.Account, c.Instr)
	switch c.Kind {
	case msg.KindSetLeverage:
		e.setLeverage(c, &o, row)
	case msg.KindIsolate:
		e.isolate(c, &o, row)
	case msg.KindCross:
		e.cross(c, &o, row)
	case msg.KindMoveMargin:
		e.moveMargin(c, &o, row)
	}
}

// setLeverage notes the leverage that an account chooses in an instrument, and holds to it what it has there (M-09). Where it
// has nothing, it takes a position that is flat: the choice has to be remembered somewhere.
func (e *Engine) setLeverage(c *msg.Command, o *riskgate.Order, row uint32) {
	x, r := c.Leverage(), msg.Reject(0)
	switch _, ok := margin.LeverageRate(o.Instrument, x); {
	case !ok:
		r = msg.RejectLeverageOutOfRange
	case row != 0:
		r = e.house.CanLever(row, x, o.Instrument)
	case x != 0 && !e.house.CanTake(c.Account):
		r = msg.RejectTableFull
	}
	if r != 0 {
		e.refuse(c, r, 0, int64(x))
		return
	}

	if row == 0 && x != 0 {
		row = e.house.Take(c.Account, c.Instr)
	}
	if row != 0 {
		e.house.SetLeverage(row, x, o.Instrument)
		e.house.Tidy(row)
	}
	e.answer(msg.LeverageSet, c).Rare = msg.Rare{c.Rare[0]}
}

// isolate gives a position margin of its own (M-26).
func (e *Engine) isolate(c *msg.Command, o *riskgate.Order, row uint32) {
	i, in := c.Isolation(), o.Instrument
	p := e.house.Position(row)
	switch {
	case p.Mode != 0:
		e.refuse(c, msg.RejectModeConflict, 0, 0)
		return
	case p.Qty == 0:
		e.refuse(c, msg.RejectNoPosition, 0, 0)
		return
	}
	ok, r := true, msg.Reject(0)
	if !i.Stated {
		i.Margin, ok = e.house.IsolationMargin(row, in)
	}
	switch {
	case !ok:
		r = msg.RejectOverflow
	case !e.lineUp(row):
		r = msg.RejectOpenOrderLimit
		o.Bound, o.Actual = clearing.MaxHolds, int64(p.Open)
	default:
		r = e.house.Isolate(row, in, i.Margin)
		o.Actual = int64(i.Margin)
	}
	if r != 0 {
		e.house.Disperse(row)
		e.refuse(c, r, o.Bound, o.Actual)
		return
	}
	e.post(row, book.Posts)
	e.modeChanged(c, msg.ModeCross, msg.ModeIsolated, i.Margin)
}

// cross gives an isolated position back to its account (M-27).
func (e *Engine) cross(c *msg.Command, o *riskgate.Order, row uint32) {
	r := e.apart(row)
	l := e.house.Ledger(row)
	own, rung := l.Margin, l.Rung
	if r == 0 {
		e.post(row, 0) // before they are dispersed
		if r = e.house.Cross(row, o.Instrument); r != 0 {
			e.post(row, book.Posts)
		}
	}
	if r != 0 {
		e.refuse(c, r, 0, 0)
		return
	}
	e.modeChanged(c, msg.ModeIsolated, msg.ModeCross, own)
	if rung != msg.RungOK {
		e.merged(c, row, rung)
	}
}

// post lets the lined up orders of a position post margin when they trade, or not.
func (e *Engine) post(row uint32, posts book.Flags) {
	for _, first := range e.house.Ledger(row).First {
		for h := first; h != 0; h = e.house.Hold(h).Next {
			o := e.store.Order(h)
			o.Flags = o.Flags&^book.Posts | posts
		}
	}
}

// moveMargin moves cash into an isolated position, or out of it (M-28).
func (e *Engine) moveMargin(c *msg.Command, o *riskgate.Order, row uint32) {
	add, bound := c.Isolation().Margin, fixed.Money(0)
	r := e.apart(row)
	if r == 0 {
		r, bound = e.house.MoveMargin(row, o.Instrument, add, clearing.ProfitHaircut(o.Instrument, &e.venue))
	}
	if r != 0 {
		e.refuse(c, r, int64(bound), int64(add))
		return
	}
	e.tellMoved(c.Account, c.Instr, add)
	ev := &e.out[e.told-1]
	ev.Ref, ev.Session = c.Ref, c.Session
}

// apart refuses what only an isolated position that is held can be asked.
func (e *Engine) apart(row uint32) msg.Reject {
	switch p := e.house.Position(row); {
	case p.Qty == 0:
		return msg.RejectNoPosition
	case p.Mode == 0:
		return msg.RejectModeConflict
	}
	return 0
}

// modeChanged tells of a position that is margined otherwise now.
func (e *Engine) modeChanged(c *msg.Command, from, to msg.Mode, own fixed.Money) {
	e.answer(msg.ModeChanged, c).SetModeStep(msg.ModeStep{From: from, To: to, Margin: own, Cash: e.house.Account(c.Account).Cash})
}

// seclude makes ready for an isolated order that has been accepted.
//
//go:noinline
func (e *Engine) seclude(h uint32, o *riskgate.Order) {
	e.house.Seclude(o.Row)
	e.house.SetRate(h, o.Rate)
}

// tellMoved tells of cash that has moved from an account into its isolated position, below 0 out of it.
//
//go:noinline
func (e *Engine) tellMoved(account msg.AccountID, instr msg.InstrumentID, m fixed.Money) {
	if m == 0 {
		return
	}
	ev := e.emit(msg.MarginMoved)
	ev.Account, ev.Instr = account, instr
	ev.SetBalance(msg.Balance{Amount: m, Cash: e.house.Account(account).Cash})
}

// cover lets the fund pay what isolated positions could not when they were closed; the rest stays a deficit (M-52).
//
//go:noinline
func (e *Engine) cover() {
	short, v := e.house.TakeShort(), &e.house.Venue
	draw := min(short, e.house.Allowed(&e.venue))
	if draw != 0 {
		e.house.Draw(draw)
		v.Deficit += draw
		e.emit(msg.FundDraw).SetBalance(msg.Balance{Amount: draw, Cash: v.Fund})
	}
	if draw != short {
		e.emit(msg.DeficitBooked).SetBalance(msg.Balance{Amount: short - draw, Cash: v.Deficit})
	}
}

// What lineUp looks at, at most.
const (
	claimsMax    = 4096 // of the account's open orders
	neighborsMax = 4096 // in the queues of those that have a price in common
)

// lineUp lines up the open orders of a position, but for reduce-only ones, in their order of priority. It reports whether
// they are few enough to be found.
//
// The account's list is not in the order of priority, since an amended order keeps its place in it. Price alone says who is
// first; of two at one price the queue of that price does.
func (e *Engine) lineUp(row uint32) bool {
	p := e.house.Position(row)
	if p.Open > clearing.MaxHolds {
		return false
	}
	left, neighbors := p.Open, neighborsMax
	claims := 0
	for h := e.house.Account(p.Account).Orders; h != 0 && left != 0; h = e.house.Claim(h).Next {
		if claims++; claims > claimsMax {
			return false
		}
		if e.house.Claim(h).Position != row {
			continue
		}
		left--
		o := e.store.Order(h)
		if o.Flags&book.ReduceOnly != 0 {
			continue
		}
		r := resting(h, o, e.store.Ticket(h).Price)
		at, ok := e.before(&r, o, row, &neighbors)
		if !ok {
			return false
		}
		e.house.Line(at, r, row, o.Leaves)
	}
	return true
}

// before is the order that is lined up last before an order, 0 when it is the first of its side.
func (e *Engine) before(r *clearing.Resting, o *book.Order, row uint32, neighbors *int) (at uint32, ok bool) {
	first := e.house.Ledger(row).First[r.Side&1]
	for next := first; next != 0; next = e.house.Hold(next).Next {
		if limit := e.house.Hold(next).Limit; limit == r.Limit {
			return e.among(o, row, neighbors)
		} else if (r.Side == msg.Buy) == (limit < r.Limit) {
			break
		}
		at = next
	}
	return at, true
}

// among is before for an order at whose price others of the position are lined up: it looks for the nearest of them in the
// queue, at either side by turns.
func (e *Engine) among(o *book.Order, row uint32, neighbors *int) (at uint32, ok bool) {
	ahead, behind := o.Prev, o.Next
	for ; *neighbors > 0; *neighbors-- {
		if ahead != 0 {
			if e.lined(ahead, row) {
				return ahead, true
			}
			ahead = e.store.Order(ahead).Prev
		}
		if behind != 0 {
			if e.lined(behind, row) {
				return e.house.Hold(behind).Prev, true
			}
			behind = e.store.Order(behind).Next
		}
	}
	return 0, false
}

// lined reports whether an order is lined up for a position.
func (e *Engine) lined(h, row uint32) bool {
	return e.house.Claim(h).Position == row && e.house.Hold(h).Lots != 0
}

// merged tells that the pool of an isolated position, which stood on a rung, is one with its account's.
func (e *Engine) merged(c *msg.Command, row uint32, rung msg.Rung) {
	kind := msg.MarginCallCleared
	if rung == msg.RungLiquidating {
		kind = msg.LiquidationEnded
	}
	e.timers.clear(ladderTimer, uint32(e.house.RowPool(row)))
	if e.jobs.shedding.pool == e.house.RowPool(row) {
		e.dismiss()
	}
	ev := e.emit(kind)
	ev.Account, ev.Instr = c.Account, c.Instr
	ev.SetRungStep(&msg.RungStep{From: rung, To: msg.RungOK, Isolated: true})
}
