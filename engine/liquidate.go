package engine

import (
	"github.com/lockstep-exchange/lockstep/book"
	"github.com/lockstep-exchange/lockstep/clearing"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/margin"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// What the ladder does to a pool: its orders go, its positions are sold slice by slice, the fund takes over what nobody buys, and
// where the fund declines winners close it (M-47 to M-54).
//
//	second call    the orders that can open something go
//	liquidating    all orders go ──> slice ──liq-step──> slice ... until cured, flat, or stalled
//	takeover       all orders go ──> @fund takes lots and equity ──liq-step──> slices of the fund's own
//	                             `──> or: closed against winners, fund and gains pay what is missing
//
// One pool at a time is attended to: while its orders are still going, or winners are still to be found, no other is looked at, and no
// timer fires. What trades here moves no mark (M-38), earns no rebate (M-45), and is nobody's order: makers alone are told of a trade, behind
// the slice that met them.

// shedding is the pool that is attended to; pool 0 is none.
type shedding struct {
	pool     clearing.Pool
	cursor   uint32     // the next order of its account's list that is looked at
	canceled fixed.Lots // orders so far
	all      bool       // all of its orders go, not only those that can open something
	from     msg.Rung   // where it stood before
}

// begin lets a pool be attended to: its orders go first.
func (e *Engine) begin(p clearing.Pool, from msg.Rung, all bool) {
	s := shedding{pool: p, from: from, all: all}
	if id, _ := e.house.Members(p); e.house.Shed(p, all) {
		s.cursor = e.house.Account(id).Orders
	}
	e.jobs.shedding = s
	e.jobs.walks++
}

// attend goes on with the pool that is attended to, and reports whether that is done.
func (e *Engine) attend() bool {
	s := &e.jobs.shedding
	p, from := s.pool, s.from
	id, row := e.house.Members(p)
	if e.spare() >= examRoom {
		e.look(id) // marks and funding may have moved since an earlier command left off
	}
	if !e.shedOrders(s) || e.spare() < stepRoom {
		e.wake = 0
		return false
	}
	if s.canceled != 0 {
		ev := e.emit(msg.OrdersCanceledByRisk)
		ev.Account, ev.Qty, ev.Rare = id, s.canceled, msg.Rare{}
		if row != 0 {
			ev.Instr = msg.InstrumentID(e.house.Position(row).Instr)
		}
		s.canceled = 0
	}
	if e.house.Insolvent(p) > 0 && !e.takeAssets(p) || e.house.Rung(p) == msg.RungTakeover && !e.resolve(p, from) || e.house.Rung(p) == msg.RungADL && !e.deleverage(p) {
		e.wake = 0
		return false
	}
	e.jobs.shedding = shedding{}
	e.jobs.walks--
	switch {
	case e.house.Insolvent(p) > 0:
		e.settleFlat(p)
	case e.house.Rung(p) == msg.RungLiquidating:
		e.step(p)
	}
	return true
}

// stepRoom is how many events a step needs that meets some makers: one that found no buyer for want of room would try patience.
const stepRoom = examRoom + 16*eventsPerMaker

// dismiss lets nobody be attended to: the pool is one no longer.
func (e *Engine) dismiss() {
	e.jobs.shedding = shedding{}
	e.jobs.walks--
	e.house.Await(0)
	e.gains, e.found, e.adl = e.gains[:0], e.found[:0], adl{}
}

// shedOrders cancels the orders that have to go, as many as this command may, those too that came meanwhile; it reports whether
// all are out.
func (e *Engine) shedOrders(s *shedding) bool {
	for left := min(stepsMax, (e.spare()-examRoom)/4); s.cursor != 0 || e.moreToShed(s); left-- {
		if left <= 0 {
			return false
		}
		h := s.cursor
		o, t := e.store.Order(h), e.store.Ticket(h)
		if !e.house.Sheds(s.pool, h, o.Side, o.Flags&book.ReduceOnly != 0, s.all) {
			s.cursor = e.house.Claim(h).Next
			continue
		}
		s.canceled++
		e.take(e.books[t.Instr], &e.instruments[t.Instr], h, msg.CanceledByRisk, nil)
	}
	return true
}

// moreToShed looks for orders to be canceled from the latest on.
func (e *Engine) moreToShed(s *shedding) bool {
	if id, _ := e.house.Members(s.pool); e.house.Shed(s.pool, s.all) {
		s.cursor = e.house.Account(id).Orders
	}
	return s.cursor != 0
}

// tick does what the timer of a pool, or of a position of the fund, is for.
func (e *Engine) tick(p clearing.Pool) {
	id, row := e.house.Members(p)
	switch {
	case id == e.house.FundID():
		e.dispose(row)
	case e.house.Account(id) == nil:
	case e.house.Rung(p) == msg.RungLiquidating:
		e.step(p)
	case e.house.Rung(p) == msg.RungCall1:
		e.examine(p)
	}
}

// step is one step of a liquidation: a slice where the market takes any, and the end of patience where it has taken none for too
// long (M-48, M-49).
func (e *Engine) step(p clearing.Pool) {
	id, _ := e.house.Members(p)
	e.touch(id)
	w := e.house.Watch(p)
	if leg := e.house.Largest(p); leg != 0 {
		if w.Stall++; e.slice(p, leg) || e.safe(p) {
			w.Stall = 0
		}
		e.set(ladderTimer, uint32(p), e.house.Order(p), e.asOf+e.venue.Ladder.Step)
	} else { // and nothing would be sent at the steps that are overdue by now
		e.set(ladderTimer, uint32(p), e.house.Order(p), e.afterIdle())
	}
	e.examine(p)
	if e.house.Rung(p) == msg.RungLiquidating && int64(w.Stall) >= e.venue.Ladder.Stall && !e.house.Holds(p) {
		e.takeOver(p, msg.RungLiquidating)
	}
}

// safe reports whether a pool that is being sold has equity for its maintenance again: then nobody's patience ends.
func (e *Engine) safe(p clearing.Pool) bool {
	equity, maintenance := e.house.Standing(p)
	return equity >= maintenance
}

// slice sells a part of a leg, and reports whether anything was bought.
func (e *Engine) slice(p clearing.Pool, row uint32) bool {
	q := e.house.Position(row)
	id, instr := msg.InstrumentID(q.Instr), q.Instr
	in := &e.instruments[id]
	equity, maintenance := e.house.Standing(p)
	held := q.Qty
	limit := margin.SliceLimit(in, held, equity, maintenance)
	side := closing(held)
	depth := e.books[instr].LotsWithin(side.Opposite(), limit, depthLevels)
	if depth == 0 {
		return false
	}
	n := margin.Slice(in, held, limit, depth, equity, maintenance, e.venue.Ladder.Target)
	account := q.Account
	f := e.force(row, side, limit, n, e.house.Account(account).Owner)
	if f.lots == 0 {
		return false
	}
	value := f.value
	if held < 0 {
		value = -value
	}
	fee := margin.SliceFee(in, held, f.lots, value, equity, maintenance)
	e.house.ChargePool(p, fee)
	f.tell(e, account, msg.Closeout{Fee: fee, Position: e.house.Position(row).Qty, Limit: limit, Isolated: q.Mode != 0})
	e.house.DisturbRow(row)
	e.fundGets(fee)
	if q.Mode == 0 {
		e.tidy(row)
	}
	return true
}

// depthLevels is how many levels of a side a slice looks at.
const depthLevels = 512

// closing is the side that closes lots.
func closing(lots fixed.Lots) msg.Side {
	if lots > 0 {
		return msg.Sell
	}
	return msg.Buy
}

// forced is what was traded by force.
type forced struct {
	at       int // of the event that tells of it
	instr    msg.InstrumentID
	side     msg.Side
	lots     fixed.Lots
	value    fixed.Money // 0 or more
	realized fixed.Money
}

// force lets lots of a position trade down to a limit, and settles every maker. It keeps room for the event that tells of it before those
// of the trades; where nothing traded there is none.
func (e *Engine) force(row uint32, side msg.Side, limit fixed.Ticks, n fixed.Lots, owner msg.OwnerID) (f forced) {
	q := e.house.Position(row)
	f.at, f.instr, f.side = e.told, msg.InstrumentID(q.Instr), side
	b, in := e.books[f.instr], &e.instruments[f.instr]
	e.told++
	t := book.Taker{Limit: limit, Leaves: n, Now: e.now, Owner: owner, Room: e.room(examRoom), Side: side, STP: msg.STPCancelOldest}
	t.Wary = wary(b, in, side.Opposite())
	for {
		e.fills = b.Match(&t, e.fills[:0])
		for i := range e.fills {
			m := &e.fills[i]
			if m.Kind != book.Trade {
				e.displaced(in, side.Opposite(), m)
				continue
			}
			e.meetForced(&f, row, in, m)
		}
		if e.guards.live != 0 {
			e.guardFills(f.instr, side.Opposite())
		}
		if t.Stop != book.StopAsk {
			break
		}
		e.ask(b, in, &t)
	}
	if f.lots == 0 {
		e.told--
		copy(e.out[f.at:e.told], e.out[f.at+1:e.told+1])
		for i := f.at; i < e.told; i++ {
			e.out[i].Index--
		}
	}
	return f
}

// meetForced settles one trade of a forced taker and tells its maker, who pays his fee and earns no rebate (M-45).
func (e *Engine) meetForced(f *forced, row uint32, in *market.Instrument, m *book.Fill) {
	e.trades++
	if !e.house.Current(e.house.Account(m.Account)) {
		e.touch(m.Account)
	}
	value := fixed.Money(int64(m.Qty) * int64(m.Price) * int64(in.TickLot))
	rate := in.Maker
	if in.Asks&market.AskFees != 0 {
		rate = e.house.FeesOf(m.Owner).Maker
	}
	fee, _ := max(rate, 0).Ceil(value)
	e.house.Collect(0, fee, m.Account)
	makerRow := e.house.Claim(m.Handle).Position
	realized := e.house.FillResting(makerOf(m, f.side), in, m.Qty, m.Leaves, m.Price, fee)
	e.house.State(m.Account, realized, fee)
	ev := e.emit(msg.Traded)
	ev.Order, ev.Ref, ev.Price, ev.Qty = m.Maker, m.Ref, m.Price, m.Qty
	ev.Account, ev.Instr, ev.Session, ev.Side = m.Account, f.instr, m.Session, f.side.Opposite()
	ev.SetFill(&msg.Fill{Leaves: m.Leaves, Filled: m.Filled, Trade: e.trades, Fee: fee, Realized: realized,
		Position: e.house.Position(makerRow).Qty, Maker: true})

	delta := m.Qty
	if f.side == msg.Sell {
		delta = -delta
	}
	e.shed(makerRow, -delta)
	f.realized += e.house.Close(row, delta, m.Price)
	f.lots += m.Qty
	f.value += value
	if e.house.Position(makerRow).Asks&market.AskMode != 0 {
		e.tellMoved(m.Account, f.instr, e.house.TakeMovedResting())
	}
	if m.Leaves == 0 {
		if e.jobs.walks != 0 {
			e.jobs.leave(e.house, m.Handle)
		}
		e.tidy(makerRow)
	}
	if e.house.Short() != 0 {
		e.cover()
	}
}

// tell fills in the event that tells of what was traded, at its average price, rounded down.
func (f *forced) tell(e *Engine, account msg.AccountID, c msg.Closeout) {
	ev := &e.out[f.at]
	ev.Seq, ev.Time, ev.Index = e.seq, e.now, uint16(f.at-e.first)
	ev.Order, ev.Ref, ev.Session, ev.Reject, ev.Reason = 0, 0, 0, 0, 0
	ev.Kind, ev.Account, ev.Instr, ev.Side, ev.Qty = msg.LiquidationSlice, account, f.instr, f.side, f.lots
	perTick := int64(f.lots) * int64(e.instruments[f.instr].TickLot)
	price, _ := fixed.MulDivFloor(int64(f.value), 1, perTick)
	ev.Price = fixed.Ticks(price)
	c.Realized = f.realized
	ev.SetCloseout(&c)
}

// dispose sells a part of a position of the fund, within its range around the mark (M-52).
func (e *Engine) dispose(row uint32) {
	q := e.house.Position(row)
	instr := msg.InstrumentID(q.Instr)
	in := &e.instruments[instr]
	if q.Qty == 0 {
		e.house.Tidy(row)
		return
	}
	before := q.Qty
	if in.Sellable() {
		e.sellInventory(row, q.Qty, in)
	}
	switch next := e.asOf + e.venue.Ladder.Step; q.Qty {
	case 0:
		e.house.Tidy(row)
	case before: // and the steps that are overdue by now would find no more
		e.offer(row, e.afterIdle())
	default:
		e.offer(row, next)
	}
}

// afterIdle is when the next step is due after one that could do nothing: those that are overdue by now could do no more, and are
// passed over.
func (e *Engine) afterIdle() fixed.Nanos {
	step := e.venue.Ladder.Step
	return e.asOf + max(1, (e.now-e.asOf+step-1)/step)*step
}

// offer lets the fund sell from a position at a time.
func (e *Engine) offer(row uint32, at fixed.Nanos) {
	p := e.house.RowPool(row)
	e.set(ladderTimer, uint32(p), e.house.Order(p), at)
}

func (e *Engine) sellInventory(row uint32, held fixed.Lots, in *market.Instrument) {
	side, limit := closing(held), fixed.Ticks(0)
	if side == msg.Sell {
		limit, _ = (-e.venue.Fund.Range).ScaleCeil(in.Mark)
		limit = max(limit, 1)
	} else if v, ok := e.venue.Fund.Range.ScaleFloor(in.Mark); ok {
		limit = v
	} else {
		limit = in.Mark
	}
	instr := e.house.Position(row).Instr
	depth := e.books[instr].LotsWithin(side.Opposite(), limit, depthLevels)
	n := margin.Share(in, held)
	if share, ok := fixed.MulDivFloor(int64(depth), int64(in.Liquidation.BookShare), int64(fixed.One)); ok {
		n = min(n, fixed.Lots(share))
	}
	if depth == 0 {
		return
	}
	e.house.SettleFund(row)
	f := e.force(row, side, limit, max(n, 1), 0)
	if f.lots != 0 {
		f.tell(e, msg.FundAccount, msg.Closeout{Position: e.house.Position(row).Qty, Limit: limit})
	}
	e.fundEarned()
}

// fundGets books what the fund was paid.
func (e *Engine) fundGets(m fixed.Money) {
	if m <= 0 {
		return
	}
	e.house.Earn(m)
	e.emit(msg.FundIncome).SetBalance(msg.Balance{Amount: m, Cash: e.house.Venue.Fund})
}

// fundPays lets the fund pay up to most of m, and books the rest as a loss that nobody covers.
func (e *Engine) fundPays(m, most fixed.Money) {
	draw := max(0, min(m, most, e.house.Venue.Fund))
	if draw != 0 {
		e.house.Draw(draw)
		e.emit(msg.FundDraw).SetBalance(msg.Balance{Amount: draw, Cash: e.house.Venue.Fund})
	}
	if m > draw {
		e.house.Uncovered(m - draw)
		e.emit(msg.DeficitBooked).SetBalance(msg.Balance{Amount: m - draw, Cash: e.house.Venue.Deficit})
	}
}

// fundEarned books what the fund's positions have earned or lost. No cap bounds what it loses of its own.
func (e *Engine) fundEarned() {
	if m := e.house.TakeEarned(); m >= 0 {
		e.fundGets(m)
	} else {
		e.fundPays(-m, fixed.MaxInt64)
	}
}

// takeOver lets a pool go to the fund, or to winners: its orders go first.
func (e *Engine) takeOver(p clearing.Pool, from msg.Rung) {
	e.house.SetRung(p, msg.RungTakeover)
	e.timers.clear(ladderTimer, uint32(p))
	e.house.Await(p)
	e.begin(p, from, true)
	e.attend()
}

// takeAssets lets the fund have the assets of a pool that it is about to take over or to settle, for what they count (M-52), and
// reports whether it has all of them.
func (e *Engine) takeAssets(p clearing.Pool) bool {
	for row := e.house.NextAsset(p); row != 0 && e.spare() >= examRoom; row = e.house.NextAsset(p) {
		e.takeAsset(row)
	}
	return e.spare() >= examRoom
}

// takeAsset moves one asset to the fund and tells both sides. The fund sells it from the next step on.
func (e *Engine) takeAsset(row uint32) {
	q := e.house.Position(row)
	id, instr, lots := q.Account, msg.InstrumentID(q.Instr), q.Qty
	taken, paid := e.house.TakeAsset(row, &e.venue)
	ev := e.emit(msg.Transferred)
	ev.Account, ev.Instr, ev.Qty = id, instr, lots
	ev.SetBalance(msg.Balance{Amount: paid, Cash: e.house.Account(id).Cash, Peer: msg.FundAccount})
	ev = e.emit(msg.Transferred)
	ev.Account, ev.Instr, ev.Qty = msg.FundAccount, instr, lots
	ev.SetBalance(msg.Balance{Amount: -paid, Cash: e.house.Venue.Fund, Lots: e.house.Position(taken).Qty, Peer: id})
	if !e.timers.isSet(ladderTimer, uint32(e.house.RowPool(taken))) {
		e.offer(taken, e.asOf+e.venue.Ladder.Step)
	}
	e.tidy(row)
}

// resolve lets the fund take a pool over that has nothing left, or that nobody buys; where it declines winners close it. It reports
// whether the pool is out of the world.
func (e *Engine) resolve(p clearing.Pool, from msg.Rung) bool {
	id, _ := e.house.Members(p)
	e.touch(id)
	if !e.takeAssets(p) {
		return false
	}
	equity, maintenance := e.house.Standing(p)
	step := msg.RungStep{From: from, To: msg.RungTakeover, Equity: equity, Maintenance: maintenance}
	if !e.house.CanTakeOver(p, &e.venue) {
		step.To = msg.RungADL
		e.house.SetRung(p, msg.RungADL)
		e.tellStep(msg.AdlStarted, p, &step)
		e.adl = adl{}
		return true
	}
	e.tellStep(msg.Takeover, p, &step)
	e.handOver(p)
	m := e.house.Strip(p)
	e.fundGets(m)
	if m < 0 {
		e.fundPays(-m, fixed.MaxInt64)
	}
	e.fundEarned()
	e.leave(p)
	return true
}

// handOver moves all legs of a pool to the fund, which sells them from the next step on.
func (e *Engine) handOver(p clearing.Pool) {
	_, row := e.house.Members(p)
	for leg := e.house.LegOf(p, 0); leg != 0; leg = e.house.LegOf(p, 0) {
		taken := e.house.HandOver(leg)
		if t := uint32(e.house.RowPool(taken)); e.house.Position(taken).Qty == 0 {
			e.timers.clear(ladderTimer, t)
			e.house.Tidy(taken)
		} else if !e.timers.isSet(ladderTimer, t) {
			e.offer(taken, e.asOf+e.venue.Ladder.Step)
		}
		if row == 0 {
			e.tidy(leg)
		}
	}
}

// leave lets a pool that has neither lots nor money be ok.
func (e *Engine) leave(p clearing.Pool) {
	_, row := e.house.Members(p)
	e.house.Await(0)
	e.timers.clear(ladderTimer, uint32(p))
	e.house.SetRung(p, msg.RungOK)
	e.house.Release(p)
	if row != 0 {
		e.tidy(row)
	}
}

// settleFlat settles a cross pool that has nothing but a debt (M-46): the fund pays it within its caps.
func (e *Engine) settleFlat(p clearing.Pool) {
	if m := e.house.Strip(p); m < 0 {
		e.fundPays(-m, e.house.Allowed(&e.venue))
	}
}
