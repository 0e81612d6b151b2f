package engine

import (
	"math/big"
	"slices"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// The part of the twin that is leverage, crowding and isolated margin. Who holds what is walked order by order, as the rules
// say it; nothing is summed up beforehand.

// alone is what an account has in an instrument besides lots and orders.
type alone struct {
	leverage msg.Leverage
	isolated bool
	margin   fixed.Money // cash of the child
}

// own is what an account has besides; it is there to be written to.
func (a *naiveAccount) own(id msg.InstrumentID) *alone {
	if a.alone == nil {
		a.alone = map[msg.InstrumentID]*alone{}
	}
	if a.alone[id] == nil {
		a.alone[id] = &alone{}
	}
	return a.alone[id]
}

// conditions are what raises initial margin: chosen leverage, open interest, the owner's share of it, once the account holds
// delta lots more (M-09 to M-11, M-16).
type conditions struct{ leverage, interest, concentration *big.Int }

func (n *naive) conditions(a *naiveAccount, id msg.InstrumentID, delta fixed.Lots) (c conditions) {
	in, one := n.instruments[id], int64(fixed.One)
	c = conditions{new(big.Int), new(big.Int), new(big.Int)}
	if a.own(id).leverage == 0 && in.rules[msg.InterestHigh] == 0 && len(in.shares) == 0 {
		return c
	}
	if x := a.own(id).leverage; x != 0 {
		c.leverage.SetInt64(ceilOf(product(100, one), int64(x)))
	}
	held := a.qty[id]
	opens := delta
	switch {
	case held > 0 && delta < 0:
		opens = max(-delta-held, 0)
	case held < 0 && delta > 0:
		opens = max(delta+held, 0)
	case delta < 0:
		opens = -delta
	}
	interest := n.interest(id) + opens
	if high := in.rules[msg.InterestHigh]; high != 0 {
		low, value := in.rules[msg.InterestLow], int64(in.worth(interest, in.mark))
		first := int64(in.tiers[0].Initial)
		part := min(max(value-low, 0), high-low)
		c.interest.SetInt64(first + floorOf(product(one-first, part), high-low))
	}
	long, short := fixed.Lots(0), fixed.Lots(0)
	for _, b := range n.accounts {
		if b.owner != a.owner {
			continue
		}
		q := b.qty[id]
		if b == a {
			q += delta
		}
		long += max(q, 0)
		short += max(-q, 0)
	}
	if lots := max(long, short); lots > 0 {
		s := one
		if interest > 0 {
			s = floorOf(product(int64(lots), one), int64(interest))
		}
		for _, row := range in.shares {
			if s >= int64(row.Share) {
				c.concentration.SetInt64(int64(row.Rate))
			}
		}
	}
	return c
}

// initialUnder is IMf (M-12).
func (in *naiveInstrument) initialUnder(lots fixed.Lots, c conditions) fixed.Money {
	lots = max(lots, -lots)
	value := in.worth(lots, in.mark)
	tiers := in.charge(lots, 0, func(t msg.Tier) fixed.Rate { return t.Initial })
	slope := in.charge(lots, fixed.Rate(in.rules[msg.SlopeInitial]), func(msg.Tier) fixed.Rate { return 0 })
	most := int64(tiers)
	for _, r := range []*big.Int{c.leverage, c.interest} {
		most = max(most, ceilOf(new(big.Int).Mul(r, big.NewInt(int64(value))), int64(fixed.One)))
	}
	return fixed.Money(most) + slope + fixed.Money(ceilOf(new(big.Int).Mul(c.concentration, big.NewInt(int64(value))), int64(fixed.One)))
}

// requirementUnder is IM_i (M-13, M-14) of a cross position.
func (in *naiveInstrument) requirementUnder(x exposure, c conditions) fixed.Money {
	m := in.requirement(x)
	if !in.perpetual() || c.leverage.Sign()+c.interest.Sign()+c.concentration.Sign() == 0 {
		return m
	}
	long, short := x.qty+x.buys, x.qty-x.sells
	most := max(long, -long, short, -short)
	return m - in.initial(most) + in.initialUnder(most, c)
}

// rateOf is the rate of an isolated order (M-21); lots are those of the position and the open ones of its side.
func (in *naiveInstrument) rateOf(lots fixed.Lots, c conditions) *big.Int {
	value, from := in.worth(lots, in.mark), fixed.Money(0)
	r := new(big.Int)
	for _, t := range in.tiers {
		if value > from && (t.UpTo == 0 || value <= t.UpTo) {
			r.SetInt64(int64(t.Initial))
		}
		from = t.UpTo
	}
	for _, other := range []*big.Int{c.leverage, c.interest} {
		if other.Cmp(r) > 0 {
			r.Set(other)
		}
	}
	steep := ceilOf(product(2, in.rules[msg.SlopeInitial], int64(lots)), max(int64(in.listing.UnitLots), 1))
	return r.Add(r, big.NewInt(steep)).Add(r, c.concentration)
}

// part is what lots of an isolated order at price come to at a rate, and in whole units of Money.
func (in *naiveInstrument) part(lots fixed.Lots, price fixed.Ticks, rate *big.Int) *big.Int {
	return new(big.Int).Mul(big.NewInt(int64(in.worth(lots, price))), rate)
}

// isolatedOrder is an order as its hold sees it.
type isolatedOrder struct {
	limit, price, loss fixed.Ticks
	lots               fixed.Lots
	rate               *big.Int
	fee                fixed.Rate
	place              int
}

// side are the open orders of one side in their order of priority, but for reduce-only ones and one that is left out.
func (n *naive) side(a *naiveAccount, id msg.InstrumentID, side msg.Side, without *naiveOrder) (list []isolatedOrder) {
	for _, o := range a.list {
		if o.instr == id && o.side == side && !o.reduceOnly && o.rests && o != without {
			list = append(list, isolatedOrder{o.price, o.price, o.loss, o.leaves, o.rate, o.fee, o.place})
		}
	}
	inPriority(list, side)
	return list
}

func inPriority(list []isolatedOrder, side msg.Side) {
	slices.SortFunc(list, func(p, q isolatedOrder) int {
		switch {
		case p.limit == q.limit:
			return p.place - q.place
		case reaches(side, p.limit, q.limit):
			return -1
		}
		return 1
	})
}

// sideHeld is what orders of one side hold beside q lots, and whether the child, with its equity, survives to have them all
// filled (M-22) and, order by order, to have only the first of them filled, those before from being as they were (I-12).
func (in *naiveInstrument) sideHeld(q fixed.Lots, equity fixed.Money, side msg.Side, list []isolatedOrder, from int) (held fixed.Money, carried bool) {
	for k := from; k < len(list); k++ {
		if _, survives := in.sideFilled(q, equity, side, list[:k+1]); !survives {
			held, _ = in.sideFilled(q, equity, side, list)
			return held, false
		}
	}
	held, _ = in.sideFilled(q, equity, side, list)
	return held, true
}

// sideFilled is sideHeld for orders that are all filled.
func (in *naiveInstrument) sideFilled(q fixed.Lots, equity fixed.Money, side msg.Side, list []isolatedOrder) (held fixed.Money, carried bool) {
	free := max(q, 0)
	if side == msg.Buy {
		free = max(-q, 0)
	}
	flips, opened := free > 0, fixed.Lots(0)
	posted, lost := fixed.Money(0), fixed.Money(0)
	for _, o := range list {
		opens := max(0, o.lots-free)
		free = max(0, free-o.lots)
		held += fixed.Money(ceilOf(in.part(opens, o.price, o.rate), int64(fixed.One)))
		held += fixed.Money(ceilOf(share(in.worth(opens, o.price), o.fee), int64(fixed.One)))
		posted += fixed.Money(floorOf(in.part(opens, o.price, o.rate), int64(fixed.One)))
		lost += in.worth(opens, o.loss)
		opened += opens
	}
	if opened == 0 {
		return held, true
	}
	after := opened
	if flips {
		equity = 0
	} else {
		after += max(q, -q)
	}
	return held, equity+posted-lost >= in.maintenance(after)
}

// hold is what the orders of an isolated position hold of the account's money.
func (n *naive) hold(a *naiveAccount, id msg.InstrumentID) fixed.Money {
	in := n.instruments[id]
	buys, _ := in.sideHeld(a.qty[id], 0, msg.Buy, n.side(a, id, msg.Buy, nil), 0)
	sells, _ := in.sideHeld(a.qty[id], 0, msg.Sell, n.side(a, id, msg.Sell, nil), 0)
	return max(buys, sells)
}

// child are the figures of an isolated position.
func (n *naive) child(a *naiveAccount, id msg.InstrumentID) (equity, initial, maintenance fixed.Money) {
	in := n.instruments[id]
	return a.own(id).margin + n.profit(a, id), in.initialUnder(a.qty[id], n.conditions(a, id, 0)), in.maintenance(a.qty[id])
}

// rateFor is the rate of an order at the gate.
func (n *naive) rateFor(w *wish, x exposure) *big.Int {
	lots, delta := x.buys, w.qty
	if w.side == msg.Sell {
		lots, delta = x.sells, -w.qty
	}
	return n.instruments[w.instr].rateOf(max(x.qty, -x.qty)+lots+w.qty, n.conditions(w.account, w.instr, delta))
}

// isolatedCredit is M-16, M-17 and M-22 for an isolated order; x is without it.
func (n *naive) isolatedCredit(w *wish, x exposure, reducing bool, no *objections) {
	a, in := w.account, n.instruments[w.instr]
	equity, initial, maintenance := n.child(a, w.instr)
	if reducing {
		if equity < initial {
			n.worsens(w, x, equity, maintenance, no)
		} else {
			n.tighten(w, equity, no)
		}
		return
	}
	mine, mineInitial, _ := n.figures(a)
	loss, fee := in.terms(w.side, w.limit, n.feesOf(in, a.owner))
	o := isolatedOrder{limit: w.limit, price: w.limit, loss: loss, lots: w.qty, rate: n.rateFor(w, x), fee: fee, place: 1 << 60}
	if best := n.first(w.instr, msg.Buy); w.side == msg.Sell && best != nil {
		o.price = max(w.limit, best.price)
	}
	list := append(n.side(a, w.instr, w.side, w.old), o)
	inPriority(list, w.side)
	at := slices.IndexFunc(list, func(p isolatedOrder) bool { return p.place == o.place })
	held, carried := in.sideHeld(x.qty, equity, w.side, list, at)
	other, _ := in.sideHeld(x.qty, 0, w.side.Opposite(), n.side(a, w.instr, w.side.Opposite(), nil), 0)
	more := max(held, other)
	if a.own(w.instr).isolated {
		more -= n.hold(a, w.instr)
	}
	free := mine - mineInitial
	no.when(n.pool(poolID{account: a.id}).rung >= msg.RungCall2, msg.RejectAccountReduceOnly, int64(mineInitial), int64(mine))
	no.when(n.reduces(poolID{a.id, w.instr}, equity, initial), msg.RejectAccountReduceOnly, int64(initial), int64(equity))
	no.when(n.reduces(poolID{account: a.id}, mine, mineInitial), msg.RejectAccountReduceOnly, int64(mineInitial), int64(mine))
	no.when(more > free || !carried, msg.RejectInsufficientMargin, int64(free), int64(more))
}

// settleIsolated is M-23 to M-25. It returns what was realized and what moved into the child.
func (n *naive) settleIsolated(o *naiveOrder, q fixed.Lots, price fixed.Ticks, fee fixed.Money) (realized, moved fixed.Money) {
	a, id := o.account, o.instr
	in, own, sign := n.instruments[id], a.own(id), fixed.Lots(1)
	if o.side == msg.Sell {
		sign = -1
	}
	held := a.qty[id]
	if held == 0 {
		a.funded[id] = in.sum
	}
	closes := fixed.Lots(0)
	if held*sign < 0 {
		closes = min(q, max(held, -held))
	}
	if closes > 0 {
		share := fixed.Money(floorOf(product(int64(fee), int64(closes)), int64(q)))
		fee -= share
		own.margin -= share
		equity := own.margin - a.cost[id] + in.worth(held, price)
		out := fixed.Money(max(0, floorOf(product(int64(equity), int64(closes)), int64(max(held, -held)))))
		released := fixed.Money(ceilOf(product(int64(a.cost[id]), int64(closes)), int64(max(held, -held))))
		realized = in.worth(-sign*closes, price) - released
		a.cost[id] -= released
		own.margin += realized - out
		a.cash += out
		moved -= out
		a.qty[id] += sign * closes
		if a.qty[id] == 0 && own.margin < 0 {
			n.short -= own.margin
			own.margin = 0
		}
	}
	a.cash -= fee
	if opens := q - closes; opens > 0 {
		t := fixed.Money(floorOf(in.part(opens, price, o.rate), int64(fixed.One)))
		a.cash -= t
		own.margin += t
		moved += t
		a.cost[id] += in.worth(sign*opens, price)
		a.qty[id] += sign * opens
	}
	return realized, moved
}

// movedMargin tells of margin that moved.
func (n *naive) movedMargin(a *naiveAccount, id msg.InstrumentID, m fixed.Money) {
	if m != 0 {
		n.emit(msg.Event{Kind: msg.MarginMoved, Account: a.id, Instr: id}).SetBalance(msg.Balance{Amount: m, Cash: a.cash})
	}
}

// payShort lets the fund pay what closed positions could not (M-52).
func (n *naive) payShort() {
	if n.short > 0 {
		n.cover(n.short)
	}
	n.short = 0
}

// tidy lets a position that has nothing left be cross again.
func (n *naive) tidy(a *naiveAccount, id msg.InstrumentID) {
	if a.qty[id] == 0 && n.open(a, id) == 0 && (n.hand == nil || n.hand.account != a || n.hand.instr != id) {
		a.own(id).isolated = false
	}
}

// remargin is M-09 and M-26 to M-28.
func (n *naive) remargin(c *msg.Command) {
	i := c.Isolation()
	if !c.Sound() || c.Kind == msg.KindIsolate && i.Margin < 0 || c.Kind == msg.KindMoveMargin && i.Margin == 0 {
		n.refuse(c, msg.RejectValueOutOfRange, 0, int64(i.Margin))
		return
	}
	if done, _ := n.enter(c, 0, false); done {
		return
	}
	a, in := n.accounts[c.Account], n.instruments[c.Instr]
	switch {
	case in == nil:
		n.refuse(c, msg.RejectUnknownInstrument, 0, 0)
		return
	case !in.perpetual():
		n.refuse(c, msg.RejectNotSupported, 0, 0)
		return
	}
	n.touch(a)
	switch c.Kind {
	case msg.KindSetLeverage:
		n.setLeverage(c, a, in)
	case msg.KindIsolate:
		n.isolate(c, a, in)
	case msg.KindCross:
		n.crossOver(c, a)
	default:
		n.moveMargin(c, a, in)
	}
}

func (n *naive) setLeverage(c *msg.Command, a *naiveAccount, in *naiveInstrument) {
	x, own := c.Leverage(), a.own(c.Instr)
	no := objections{}
	no.when(x != 0 && (x < 100 || ceilOf(product(100, int64(fixed.One)), int64(x)) < int64(in.tiers[0].Initial)),
		msg.RejectLeverageOutOfRange, 0, 0)
	no.when(x != 0 && !n.canHold(a, c.Instr), msg.RejectTableFull, 0, 0)
	if len(no) == 0 {
		pool := func() (equity, initial fixed.Money) {
			if own.isolated {
				equity, initial, _ = n.child(a, c.Instr)
			} else {
				equity, initial, _ = n.figures(a)
			}
			return equity, initial
		}
		was := own.leverage
		_, before := pool()
		own.leverage = x
		equity, after := pool()
		own.leverage = was
		no.when(after > before && after > equity, msg.RejectInsufficientMargin, 0, 0)
	}
	if len(no) > 0 {
		n.refuse(c, no.first().reject, 0, int64(x))
		return
	}
	own.leverage = x
	n.answer(msg.LeverageSet, c).Rare = c.Rare
}

func (n *naive) isolate(c *msg.Command, a *naiveAccount, in *naiveInstrument) {
	own, q, x := a.own(c.Instr), a.qty[c.Instr], c.Isolation().Margin
	switch {
	case own.isolated:
		n.refuse(c, msg.RejectModeConflict, 0, 0)
		return
	case q == 0:
		n.refuse(c, msg.RejectNoPosition, 0, 0)
		return
	}
	conds := n.conditions(a, c.Instr, 0)
	initial, profit := in.initialUnder(q, conds), n.profit(a, c.Instr)
	if !c.Isolation().Stated {
		x = initial + max(0, -profit)
	}
	enough, hold := x+profit >= initial, fixed.Money(0)
	rates := map[*naiveOrder]*big.Int{}
	for _, side := range []msg.Side{msg.Buy, msg.Sell} {
		list, lots := n.side(a, c.Instr, side, nil), max(q, -q)
		for i := range list {
			lots += list[i].lots
			list[i].rate = in.rateOf(lots, conds)
			for _, o := range a.list {
				if o.rests && o.place == list[i].place {
					rates[o] = list[i].rate
				}
			}
		}
		held, carried := in.sideHeld(q, x+profit, side, list, 0)
		hold, enough = max(hold, held), enough && carried
	}
	equity, required, _ := n.figures(a)
	required += hold - in.requirementUnder(n.exposure(a, c.Instr, nil), conds)
	if !enough || equity-x-profit < required {
		n.refuse(c, msg.RejectInsufficientMargin, 0, int64(x))
		return
	}
	a.cash -= x
	own.isolated, own.margin = true, x
	for o, r := range rates {
		o.rate = r
	}
	n.answer(msg.ModeChanged, c).SetModeStep(msg.ModeStep{From: msg.ModeCross, To: msg.ModeIsolated, Margin: x, Cash: a.cash})
}

// apartFrom is why a position that is not isolated, or not there, cannot be asked for its margin.
func (n *naive) apartFrom(c *msg.Command, a *naiveAccount) msg.Reject {
	switch {
	case a.qty[c.Instr] == 0:
		return msg.RejectNoPosition
	case !a.own(c.Instr).isolated:
		return msg.RejectModeConflict
	}
	return 0
}

func (n *naive) crossOver(c *msg.Command, a *naiveAccount) {
	r, own := n.apartFrom(c, a), a.own(c.Instr)
	was := *own
	if r == 0 {
		a.cash += was.margin
		own.isolated, own.margin = false, 0
		if equity, initial, _ := n.figures(a); equity < initial {
			a.cash -= was.margin
			*own = was
			r = msg.RejectInsufficientMargin
		}
	}
	if r != 0 {
		n.refuse(c, r, 0, 0)
		return
	}
	n.answer(msg.ModeChanged, c).SetModeStep(msg.ModeStep{From: msg.ModeIsolated, To: msg.ModeCross, Margin: was.margin, Cash: a.cash})
}

func (n *naive) moveMargin(c *msg.Command, a *naiveAccount, in *naiveInstrument) {
	r, add, bound := n.apartFrom(c, a), c.Isolation().Margin, fixed.Money(0)
	haircut := n.haircut
	if n.health(c.Instr) >= msg.Degraded {
		haircut = fixed.One
	}
	if r == 0 && add > 0 {
		equity, initial, _ := n.figures(a)
		if add > equity-initial {
			r, bound = msg.RejectInsufficientMargin, max(0, equity-initial)
		}
	} else if r == 0 {
		equity, initial, _ := n.child(a, c.Instr)
		kept := fixed.Money(ceilOf(share(max(0, n.profit(a, c.Instr)), haircut), int64(fixed.One)))
		switch {
		case in.rules[msg.IsolatedNoRemove] != 0:
			r = msg.RejectMarginLocked
		case equity+add-kept < initial:
			r, bound = msg.RejectInsufficientMargin, -max(0, equity-kept-initial)
		}
	}
	if r != 0 {
		n.refuse(c, r, int64(bound), int64(add))
		return
	}
	a.cash -= add
	a.own(c.Instr).margin += add
	n.answer(msg.MarginMoved, c).SetBalance(msg.Balance{Amount: add, Cash: a.cash})
}

// setConcentration states a row of the concentration add-on (M-11).
func (in *naiveInstrument) setConcentration(c msg.Concentration) bool {
	k := int(c.Index)
	if k > 7 || k != 0 && k != len(in.stagedShares) || c.Share < 0 || c.Share > fixed.One || c.Rate < 0 || c.Rate > fixed.One {
		return false
	}
	if k > 0 {
		if before := in.stagedShares[k-1]; c.Share <= before.Share || c.Rate < before.Rate {
			return false
		}
	}
	in.stagedShares = append(in.stagedShares[:k:k], c)
	if c.Last {
		in.shares, in.stagedShares = in.stagedShares, nil
	}
	return true
}
