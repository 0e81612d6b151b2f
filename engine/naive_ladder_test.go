package engine

import (
	"math/big"
	"slices"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// The part of the twin that is what becomes of a pool on each rung: calls, cancels, slices, and the inventory that the fund
// sells (M-46 to M-50, M-52).

// Kinds of timers of the ladder, behind those of prices.
const (
	naiveDeadlineTimer = naiveFundingTimer + 1 + iota
	naiveSliceTimer
)

func (k poolID) number() uint64 { return uint64(k.account)<<32 | uint64(k.instr) }

// distress lets pools come to where they should stand. Wires decide who is looked at when, and the twin has none: it takes the
// next pool from what the engine has told, and finds by itself whether that pool was to be stepped and all that comes of it.
// Who was passed over shows in misplaced.
func (n *naive) distress() { n.distressUpTo(len(n.heard)) }

// distressUpTo is distress that takes no more than so many of the events for those of pools that were looked at.
func (n *naive) distressUpTo(most int) {
	for len(n.out) < min(most, len(n.heard)) {
		e := &n.heard[len(n.out)]
		if e.Kind == msg.SweepPending && len(n.out) == len(n.heard)-1 {
			n.waiting = int(e.Qty)
			n.emit(msg.Event{Kind: msg.SweepPending, Qty: e.Qty})
			return
		}
		if e.Kind == msg.FundDraw || e.Kind == msg.DeficitBooked {
			if !n.settleAny(e.Balance().Amount) {
				return
			}
			continue
		}
		k, ok := n.named(e)
		if !ok {
			return
		}
		before := len(n.out)
		n.look(n.accounts[k.account])
		if len(n.out) == before && !n.examine(k) {
			return
		}
	}
}

// named is the pool that an event is about, if it is one that looking at a pool brings about.
func (n *naive) named(e *msg.Event) (k poolID, ok bool) {
	k = poolID{account: e.Account}
	switch e.Kind {
	case msg.FundingPaid, msg.RebateVested:
	case msg.Transferred:
		if e.Instr == 0 || e.Account == msg.FundAccount {
			return k, false
		}
	case msg.Canceled:
		o := n.order(e.Order)
		if o == nil || e.Reason != msg.CanceledByRisk {
			return k, false
		}
		k = o.account.poolOf(o.instr)
	case msg.MarginCall, msg.MarginCallCleared, msg.LiquidationStarted, msg.LiquidationEnded, msg.Takeover, msg.AdlStarted:
		if e.RungStep().Isolated {
			k.instr = e.Instr
		}
	default:
		return k, false
	}
	return k, n.accounts[k.account] != nil
}

// overdue says what of that which is due is done next: how much of it one command does depends on how many pools it has looked at
// (M-58), so the twin does what the engine has done, in the order of time, and tells what it has told.
func (n *naive) overdue(due *naiveOrder) (expires, fires bool) {
	fires = len(n.timers) > 0 && n.timers[0].at <= n.now && n.done(&n.timers[0])
	if due == nil || fires && n.timers[0].at < due.expire {
		return false, fires
	}
	early := n.heard[:min(n.early, len(n.heard))]
	for _, e := range early[min(len(n.out), len(early)):] {
		if e.Kind == msg.Expired {
			expires = e.Order == due.id
		}
		if e.Kind != msg.FundingPaid && e.Kind != msg.RebateVested {
			break
		}
	}
	return expires, fires
}

// behind reports whether anything is overdue.
func (n *naive) behind() bool {
	return slices.ContainsFunc(n.timers, func(t naiveTimer) bool { return t.at <= n.now }) ||
		slices.ContainsFunc(n.orders, func(o *naiveOrder) bool { return o.expire != 0 && o.expire <= n.now })
}

// misplaced are the pools that stand where they should not.
func (n *naive) misplaced() (list []poolID) {
	for _, k := range n.poolIDs() {
		if next, _, _ := n.nextRung(k); next != n.pool(k).rung {
			list = append(list, k)
		}
	}
	return list
}

// examine lets one pool come to where it should stand, and reports whether it stood elsewhere.
func (n *naive) examine(k poolID) bool {
	p := n.pool(k)
	next, equity, maintenance := n.nextRung(k)
	if next != p.rung {
		n.step(k, p, next, equity, maintenance)
		return true
	}
	if k.instr == 0 && equity < 0 && len(n.legs(k)) == 0 {
		n.settleFlat(n.accounts[k.account])
		return true
	}
	return false
}

// stepped tells of a pool that has gone from one rung to another.
func (n *naive) stepped(kind msg.EventKind, k poolID, s msg.RungStep) {
	s.Isolated = k.instr != 0
	n.emit(msg.Event{Kind: kind, Account: k.account, Instr: k.instr}).SetRungStep(&s)
}

// step brings a pool from its rung to another.
func (n *naive) step(k poolID, p *naivePool, next msg.Rung, equity, maintenance fixed.Money) {
	s := msg.RungStep{From: p.rung, To: next, Equity: equity, Maintenance: maintenance}
	kind := msg.MarginCall
	switch {
	case next < p.rung && p.rung == msg.RungLiquidating:
		kind = msg.LiquidationEnded
	case next < p.rung:
		kind = msg.MarginCallCleared
	case next == msg.RungLiquidating:
		kind = msg.LiquidationStarted
	case next == msg.RungTakeover:
		n.takeOver(k, p)
		return
	}
	if next == msg.RungCall1 {
		s.Deadline = n.asOf + n.prices.venue.Ladder.Deadline
	}
	p.late = p.rung == msg.RungCall1 && next == msg.RungCall2 && covers(equity, maintenance, n.prices.venue.Ladder.Call2)
	p.rung, p.passed, p.stalls = next, false, 0
	n.at(market.Never, naiveDeadlineTimer, k.number(), 0, nil)
	n.at(market.Never, naiveSliceTimer, k.number(), 0, nil)
	if next == msg.RungCall1 {
		n.at(s.Deadline, naiveDeadlineTimer, k.number(), 4, func() { p.passed = true })
	}
	n.stepped(kind, k, s)
	if a := n.accounts[k.account]; k.instr != 0 && a.own(k.instr).isolated && len(n.legs(k)) == 0 {
		n.goHome(k)
	}
	switch {
	case next == msg.RungCall2 && kind == msg.MarginCall:
		n.cancelPool(k, n.adds)
	case kind == msg.LiquidationStarted:
		n.cancelPool(k, func(*naiveOrder) bool { return true })
		n.slice(k, n.asOf)
	}
}

// goHome gives an account what an isolated position has left when it has been closed (M-24).
func (n *naive) goHome(k poolID) {
	a := n.accounts[k.account]
	own := a.own(k.instr)
	left := own.margin
	own.margin = 0
	a.cash += left
	n.movedMargin(a, k.instr, -left)
	n.tidy(a, k.instr)
}

// forget lets go of a pool that is no more.
func (n *naive) forget(k poolID) {
	*n.pool(k) = naivePool{}
	n.at(market.Never, naiveDeadlineTimer, k.number(), 0, nil)
	n.at(market.Never, naiveSliceTimer, k.number(), 0, nil)
}

// adds reports whether an order stands on a side that can add risk (M-47).
func (n *naive) adds(o *naiveOrder) bool {
	x := n.exposure(o.account, o.instr, nil)
	switch {
	case o.reduceOnly:
		return false
	case o.side == msg.Buy:
		return x.buys > max(-x.qty, 0)
	}
	return x.sells > max(x.qty, 0)
}

// cancelPool cancels those orders of a pool that are meant, the latest first.
func (n *naive) cancelPool(k poolID, meant func(*naiveOrder) bool) {
	a, list := n.accounts[k.account], []*naiveOrder{}
	for _, o := range a.list {
		if a.poolOf(o.instr) == k && meant(o) {
			list = append(list, o)
		}
	}
	slices.Reverse(list)
	for _, o := range list {
		n.canceled(o, o.leaves, 0, msg.CanceledByRisk, 0, 0)
		n.remove(o)
	}
	if len(list) > 0 {
		n.emit(msg.Event{Kind: msg.OrdersCanceledByRisk, Account: k.account, Instr: k.instr, Qty: fixed.Lots(len(list))})
	}
}

// sliceable reports whether a slice may be sent in an instrument (M-33, M-70).
func (n *naive) sliceable(id msg.InstrumentID) bool {
	in := n.instruments[id]
	return n.health(id) < msg.Frozen && (in.phase == msg.Continuous || in.phase == msg.ReduceOnly)
}

// slice sends the slice of a pool that is due at a time, and says when the next one is due.
func (n *naive) slice(k poolID, at fixed.Nanos) {
	p, a := n.pool(k), n.accounts[k.account]
	if p.rung != msg.RungLiquidating {
		return
	}
	n.touch(a)
	leg := msg.InstrumentID(0)
	for _, id := range n.legs(k) {
		if n.sliceable(id) && (leg == 0 || n.instruments[id].maintenance(a.qty[id]) > n.instruments[leg].maintenance(a.qty[leg])) {
			leg = id
		}
	}
	if leg != 0 {
		in, q := n.instruments[leg], a.qty[leg]
		equity, maintenance := n.standing(k)
		limit := in.limit(q, equity, maintenance)
		cure, ok := in.cure(q, limit, equity, maintenance, n.prices.venue.Ladder.Target)
		if !ok {
			cure = nil
		}
		p.stalls++
		if n.sell(a, leg, limit, in.sliceLots(q, n.depthAt(leg, q, limit), cure), func(s *sale) {
			s.fee = in.liquidationFee(q, s.lots, s.value, equity, maintenance)
			n.charge(a, leg, s.fee)
		}) {
			p.stalls = 0
		}
		if equity, maintenance = n.standing(k); equity >= maintenance { // safe again: it is only sold on to the target
			p.stalls = 0
		}
	} else { // nothing is sent, whatever is overdue
		at = n.passOver(at)
	}
	if next, _, _ := n.nextRung(k); next == msg.RungLiquidating && p.stalls >= n.prices.venue.Ladder.Stall && !n.doubted(k) {
		n.takeOver(k, p)
		return
	}
	at += n.prices.venue.Ladder.Step
	n.at(at, naiveSliceTimer, k.number(), 64, func() { n.slice(k, at) })
}

// passOver is the last of the steps from one on that are overdue: where one can do nothing the others cannot either.
func (n *naive) passOver(at fixed.Nanos) fixed.Nanos {
	for step := n.prices.venue.Ladder.Step; at+step < n.now; {
		at += step
	}
	return at
}

// charge takes a fee from the pool of a position.
func (n *naive) charge(a *naiveAccount, id msg.InstrumentID, fee fixed.Money) {
	if own := a.own(id); own.isolated {
		own.margin -= fee
	} else {
		a.cash -= fee
	}
	a.fees += fee
}

// depthAt is how many lots a position can be sold into at a limit.
func (n *naive) depthAt(id msg.InstrumentID, q fixed.Lots, limit fixed.Ticks) (lots fixed.Lots) {
	side := closingSide(q)
	for _, o := range n.orders {
		if o.instr == id && o.side != side && reaches(side, limit, o.price) {
			lots += o.leaves
		}
	}
	return lots
}

// closingSide is the side that closes a position.
func closingSide(q fixed.Lots) msg.Side {
	if q > 0 {
		return msg.Sell
	}
	return msg.Buy
}

// sale is what a slice has sold.
type sale struct {
	lots     fixed.Lots
	value    fixed.Money
	realized fixed.Money
	fee      fixed.Money
}

// sell closes up to so many lots of a position against the book, no worse than a limit, and reports whether it closed any. Its
// fills move no mark, pay no rebate and add no volume (M-38, M-45); an order of the same owner goes before it is met (M-18). The
// slice is told before those whom it met.
func (n *naive) sell(a *naiveAccount, id msg.InstrumentID, limit fixed.Ticks, lots fixed.Lots, charge func(*sale)) bool {
	in, side, told, s := n.instruments[id], closingSide(a.qty[id]), len(n.out), sale{}
	n.emit(msg.Event{Kind: msg.LiquidationSlice, Account: a.id, Instr: id, Side: side})
	for room := n.room(len(n.out)); lots > 0 && room > 0 && n.crosses(id, side, limit); room-- {
		m := n.first(id, side.Opposite())
		switch {
		case m.expire != 0 && m.expire <= n.now:
			n.touch(m.account)
			n.about(msg.Expired, m, m.leaves).SetChange(&msg.Change{Filled: m.filled})
			n.remove(m)
			continue
		case m.account.owner == a.owner:
			n.touch(m.account)
			n.canceled(m, m.leaves, 0, msg.CanceledBySTP, 0, 0)
			n.remove(m)
			continue
		case !n.trim(m):
			continue
		}
		q := min(lots, m.leaves)
		value := in.worth(q, m.price)
		fee := fixed.Money(ceilOf(share(value, max(0, n.feesOf(in, m.account.owner).Maker)), int64(fixed.One)))
		n.touch(m.account)
		n.trades++
		n.fees += fee
		m.leaves -= q
		n.fill(m, &naiveOrder{}, q, m.price, fee, true)
		n.movedMargin(m.account, m.instr, m.moved)
		m.moved = 0
		if m.leaves == 0 {
			n.tidy(m.account, m.instr)
		}
		s.realized += n.close(a, id, side, q, m.price)
		s.lots += q
		s.value += value
		lots -= q
	}
	if s.lots == 0 { // there is nothing to tell but of those who had to go
		n.out = slices.Delete(n.out, told, told+1)
		for k := told; k < len(n.out); k++ {
			n.out[k].Index--
		}
		n.turned()
		return false
	}
	if a != n.inventory {
		charge(&s)
	}
	slice := &n.out[told]
	slice.Qty, slice.Price = s.lots, fixed.Ticks(floorOf(big.NewInt(int64(s.value)), int64(in.worth(s.lots, 1))))
	slice.SetCloseout(&msg.Closeout{Fee: s.fee, Realized: s.realized, Position: a.qty[id], Limit: limit, Isolated: a.own(id).isolated})
	n.turned()
	n.income(s.fee)
	return true
}

// close closes lots of a position at a price; what it realizes stays in its pool.
func (n *naive) close(a *naiveAccount, id msg.InstrumentID, side msg.Side, q fixed.Lots, price fixed.Ticks) (realized fixed.Money) {
	if a == n.inventory {
		return n.stock(id, side, q, price)
	}
	before := a.cash
	realized = n.settle(a, id, side, q, price)
	if own := a.own(id); own.isolated {
		a.cash = before
		own.margin += realized
	}
	a.realized += realized
	return realized
}
