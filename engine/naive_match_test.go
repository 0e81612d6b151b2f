package engine

import (
	"slices"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// The part of the twin that trades: a new order, whom it meets, and what each fill books.

// room is how many makers a command may meet when it has told k events.
func (n *naive) room(k int) int { return (int(n.limits.Events) - k - 16 - n.kept) / 6 }

func (n *naive) placeOrder(c *msg.Command) {
	if r := n.formed(c); r != 0 {
		n.refuse(c, r, 0, 0)
		return
	}
	done, reduce := n.enter(c, 0, true)
	if done {
		return
	}
	in, a := n.instruments[c.Instr], n.accounts[c.Account]
	if in == nil {
		n.refuse(c, msg.RejectUnknownInstrument, 0, 0)
		return
	}
	n.touch(a)
	if _, f := n.takeIn(c, a, in, reduce, msg.Accepted, 0); f.reject != 0 {
		n.refuse(c, f.reject, f.limit, f.actual)
	}
}

// takeIn takes an order in that has come through the door, or says why not.
func (n *naive) takeIn(c *msg.Command, a *naiveAccount, in *naiveInstrument, reduce bool, told msg.EventKind, group uint16) (msg.OrderID, objection) {
	w := wish{account: a, instr: c.Instr, side: c.Side, limit: c.Price, qty: c.Qty, market: c.Kind == msg.KindMarket,
		reduceOnly: c.Flags&msg.FlagReduceOnly != 0, isolated: c.Flags&msg.FlagIsolated != 0, reduce: reduce, rests: c.TIF == msg.GTC || c.TIF == msg.GTD}
	if c.Flags&msg.FlagSlide != 0 {
		w.limit = n.slid(c.Instr, c.Side, c.Price)
	}
	no := n.admit(&w)
	if len(no) > 0 {
		return 0, no.first()
	}

	o := &naiveOrder{group: group, ref: c.Ref, account: a, instr: c.Instr, session: c.Session, side: c.Side, stp: c.STP, price: w.limit, leaves: w.qty,
		reduceOnly: w.reduceOnly, postOnly: c.Flags&msg.FlagPostOnly != 0, slide: c.Flags&msg.FlagSlide != 0}
	if o.stp == msg.STPDefault {
		if o.stp = in.listing.STP; o.stp == msg.STPDefault {
			o.stp = msg.STPNone
		}
	}
	o.loss, o.fee = in.terms(c.Side, w.limit, n.feesOf(in, a.owner))
	if w.isolated {
		o.rate = n.rateFor(&w, n.exposure(a, c.Instr, nil))
	}
	ext := msg.OrderExt{}
	if c.Kind == msg.KindPlace {
		ext = c.OrderExt()
	}
	need := min(ext.Min, w.qty)
	if c.TIF == msg.FOK {
		need = w.qty
	}
	no.when(n.crosses(c.Instr, c.Side, w.limit) && (o.postOnly || o.slide), msg.RejectWouldCross, 0, 0)
	no.when(need > 0 && n.tradable(o, n.room(len(n.out)+1)) < need, msg.RejectUnfillable, 0, 0)
	no.when(!n.canHold(a, c.Instr) || uint32(len(n.orders)) == n.limits.Orders || w.rests && !n.canRest(c.Instr, c.Side, w.limit),
		msg.RejectTableFull, 0, 0)
	if len(no) > 0 {
		return 0, objection{reject: no.first().reject}
	}
	if c.TIF == msg.GTD {
		o.expire = ext.Expire
	}
	o.id = n.newID()
	n.about(told, o, o.leaves)
	a.own(c.Instr).isolated = w.isolated
	n.work(c, o, w.rests, false)
	return o.id, objection{}
}

// tradable is how many lots an order would trade at least: what reduce-only makers might do does not count, nor what those might
// that lack the margin to post.
func (n *naive) tradable(o *naiveOrder, room int) (lots fixed.Lots) {
	leaves := o.leaves
	makers := slices.Clone(n.orders)
	makers = slices.DeleteFunc(makers, func(m *naiveOrder) bool {
		return m.instr != o.instr || m.side == o.side || !reaches(o.side, o.price, m.price)
	})
	slices.SortFunc(makers, func(p, q *naiveOrder) int {
		if p.price == q.price {
			return p.place - q.place
		}
		if reaches(o.side, p.price, q.price) {
			return 1
		}
		return -1
	})
	for _, m := range makers[:min(max(room, 0), len(makers))] {
		q := min(m.leaves, leaves)
		switch own := m.account.owner == o.account.owner && o.stp != msg.STPNone; {
		case m.expire != 0 && m.expire <= n.now, own && o.stp == msg.STPCancelOldest:
		case own && o.stp == msg.STPDecrement:
			leaves -= q
		case own:
			return lots
		case m.reduceOnly, n.strays(m), m.account.own(m.instr).isolated && !n.affords(m.account):
		default:
			lots += q
			leaves -= q
		}
	}
	return lots
}

// work lets an order trade, and rest or be canceled.
func (n *naive) work(c *msg.Command, o *naiveOrder, rests, listed bool) {
	before, a := o.account.qty[o.instr], o.account
	n.hand = o
	filled := o.filled
	stop, decremented := n.match(o, n.room(len(n.out)))
	n.guard(o, o.filled-filled)
	if stop != stopNothingThere {
		n.shed(a, o.instr, before)
	}
	if decremented > 0 {
		n.canceled(o, decremented, o.leaves, msg.CanceledBySTP, 0, 0)
	}
	n.movedMargin(a, o.instr, o.moved)
	n.payShort()
	n.hand, o.moved = nil, 0
	if o.leaves > 0 && rests && (stop == stopNothingThere || stop == stopDone) {
		n.rest(o)
		return
	}
	if o.leaves > 0 {
		reason := msg.CanceledRemainder
		switch stop {
		case stopSelf:
			reason = msg.CanceledBySTP
		case stopBound:
			reason = msg.CanceledEventBound
		}
		n.canceled(o, o.leaves, 0, reason, c.Ref, c.Session)
	}
	if listed {
		a.list = slices.DeleteFunc(a.list, func(p *naiveOrder) bool { return p == o })
	}
	n.free(o)
	n.tidy(a, o.instr)
}

type naiveStop int

const (
	stopNothingThere naiveStop = iota // nothing crossed from the start
	stopDone
	stopSelf
	stopBound
)

// match lets o meet the makers in order of priority.
func (n *naive) match(o *naiveOrder, room int) (stop naiveStop, decremented fixed.Lots) {
	if !n.crosses(o.instr, o.side, o.price) {
		return stopNothingThere, 0
	}
	for o.leaves > 0 && n.crosses(o.instr, o.side, o.price) {
		if room == 0 {
			return stopBound, decremented
		}
		m := n.first(o.instr, o.side.Opposite())
		if m.expire != 0 && m.expire <= n.now {
			room--
			n.touch(m.account)
			n.about(msg.Expired, m, m.leaves).SetChange(&msg.Change{Filled: m.filled})
			n.remove(m)
			continue
		}
		if m.account.owner == o.account.owner && o.stp != msg.STPNone {
			q := m.leaves
			switch o.stp {
			case msg.STPCancelNewest:
				return stopSelf, decremented
			case msg.STPDecrement:
				q = min(q, o.leaves)
				o.leaves -= q
				decremented += q
			}
			room--
			n.touch(m.account)
			m.leaves -= q
			n.canceled(m, q, m.leaves, msg.CanceledBySTP, 0, 0)
			if m.leaves == 0 {
				n.remove(m)
			}
			if o.stp == msg.STPCancelBoth {
				return stopSelf, decremented
			}
			continue
		}
		room--
		if n.trim(m) {
			n.trade(o, m)
		}
	}
	return stopDone, decremented
}

// trim cancels what a maker may not trade, and reports whether anything is left: it may only reduce, or it would post margin that
// its account does not have (M-22).
func (n *naive) trim(m *naiveOrder) bool {
	reason := msg.CanceledReduceOnly
	if n.strays(m) && !n.survives(m) {
		n.touch(m.account)
		n.canceled(m, m.leaves, 0, msg.CanceledByRisk, 0, 0)
		n.remove(m)
		return false
	}
	switch {
	case m.reduceOnly:
	case m.account.own(m.instr).isolated:
		n.touch(m.account)
		if n.affords(m.account) {
			return true
		}
		reason = msg.CanceledByRisk
	default:
		return true
	}
	can := min(m.reducible(), m.leaves)
	if over := m.leaves - can; over > 0 {
		m.leaves = can
		n.canceled(m, over, can, reason, 0, 0)
	}
	if can == 0 {
		n.remove(m)
	}
	return can > 0
}

// affords reports whether an account has its initial margin.
func (n *naive) affords(a *naiveAccount) bool {
	equity, _ := n.standing(poolID{account: a.id})
	_, initial, _ := n.figures(a)
	return equity >= initial
}

// trade lets o take from m.
func (n *naive) trade(o, m *naiveOrder) {
	in, q, price := n.instruments[o.instr], min(o.leaves, m.leaves), m.price
	value := in.worth(q, price)
	takerRate, makerRate := n.feesOf(in, o.account.owner).Taker, n.feesOf(in, m.account.owner).Maker
	takerFee := fixed.Money(ceilOf(share(value, takerRate), int64(fixed.One)))
	makerFee := fixed.Money(ceilOf(share(value, max(0, makerRate)), int64(fixed.One)))
	if makerRate < 0 && o.account.owner != m.account.owner {
		makerFee = -min(takerFee, fixed.Money(floorOf(share(value, -makerRate), int64(fixed.One))))
	}
	n.turnover(o.account.owner, m.account.owner, value)
	in.last = price
	if o.account.owner != m.account.owner {
		in.marker.Trade(n.now, price, q)
	}
	n.touch(m.account)
	n.trades++
	n.fees += takerFee + makerFee
	if makerFee < 0 {
		n.rebates -= makerFee
		m.account.rebate -= makerFee
		m.account.rebateDay = n.day()
	}
	o.leaves -= q
	m.leaves -= q
	n.fill(m, o, q, price, makerFee, true)
	n.fill(o, m, q, price, takerFee, false)
	n.movedMargin(m.account, m.instr, m.moved)
	m.moved = 0
	if m.leaves == 0 {
		n.tidy(m.account, m.instr)
	}
}

// fill books one side of a trade and tells of it; a maker with nothing left is gone before the taker is told.
func (n *naive) fill(o, peer *naiveOrder, q fixed.Lots, price fixed.Ticks, fee fixed.Money, maker bool) {
	a := o.account
	before := a.qty[o.instr]
	realized, moved := fixed.Money(0), fixed.Money(0)
	if a.own(o.instr).isolated {
		realized, moved = n.settleIsolated(o, q, price, max(fee, 0))
		o.moved += moved
	} else {
		realized = n.settle(a, o.instr, o.side, q, price)
		a.cash -= max(fee, 0)
	}
	a.realized += realized
	a.fees += max(fee, 0)
	o.filled += q
	e := n.about(msg.Traded, o, q)
	e.Price = price
	e.SetFill(&msg.Fill{Leaves: o.leaves, Filled: o.filled, Trade: n.trades, Peer: peer.id, Fee: fee, Realized: realized,
		Position: a.qty[o.instr], Maker: maker})
	if !maker {
		return
	}
	n.guard(o, q)
	if o.leaves == 0 {
		n.remove(o)
	}
	n.shed(a, o.instr, before)
}

// settle is M-04, in cash for a spot instrument.
func (n *naive) settle(a *naiveAccount, id msg.InstrumentID, side msg.Side, q fixed.Lots, price fixed.Ticks) (realized fixed.Money) {
	in, sign := n.instruments[id], fixed.Lots(1)
	if side == msg.Sell {
		sign = -1
	}
	if !in.perpetual() {
		a.cash -= in.worth(sign*q, price)
		a.qty[id] += sign * q
		return 0
	}
	held := a.qty[id]
	if held == 0 {
		a.funded[id] = in.sum
	}
	closes := fixed.Lots(0)
	if held*sign < 0 {
		closes = min(q, max(held, -held))
		released := fixed.Money(ceilOf(product(int64(a.cost[id]), int64(closes)), int64(max(held, -held))))
		realized = in.worth(-sign*closes, price) - released
		a.cost[id] -= released
	}
	a.cost[id] += in.worth(sign*(q-closes), price)
	a.cash += realized
	a.qty[id] = held + sign*q
	return realized
}
