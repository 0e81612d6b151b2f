package engine

import (
	"math/big"
	"slices"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// The part of the twin that is prices: what becomes of reports, time and trades, and what funding everybody owes. How an index,
// a composite mark and a rate are computed is held by twins of their own in market, so those are taken from there; who is
// told what and when, who pays whom, and what is forbidden is found here from the rules.

// naiveUnderlying is an underlying with its instruments, the last one listed first.
type naiveUnderlying struct {
	market.Underlying
	on []msg.InstrumentID
}

// naivePriced is where the prices of an instrument come from.
type naivePriced struct {
	underlying msg.UnderlyingID
	index      fixed.Ticks
	unit       fixed.Money // the index in money
	last       fixed.Ticks
	stuck      bool // its mark cannot follow
	halted     bool // by the health alone
	marker     market.Marker
	funding    market.Funding
	sum        int64 // of all steps
}

// Kinds of timers, in the order of those due at one time.
const (
	naiveTierTimer = iota
	naiveOracleTimer
	naiveMarkTimer
	naiveFundingTimer
)

// at lets something be done when its time comes, instead of what was to be done under that kind and id before.
func (n *naive) at(at fixed.Nanos, kind int, id uint64, most int, do func()) {
	n.timers = slices.DeleteFunc(n.timers, func(t naiveTimer) bool { return t.kind == kind && t.id == id })
	if at != market.Never {
		n.timers = append(n.timers, naiveTimer{at, kind, id, most, do})
	}
}

// health is what is to be thought of an instrument's prices (M-33).
func (n *naive) health(id msg.InstrumentID) msg.Health {
	in, h := n.instruments[id], msg.Health(0)
	if in.underlying != 0 {
		h = n.prices.underlyings[in.underlying].Health
	}
	if in.stuck {
		h = max(h, msg.Frozen)
	}
	return h
}

func (n *naive) listUnderlying(c *msg.Command) {
	u := c.Underlying()
	switch {
	case u.ID == 0 || uint32(u.ID) > n.limits.Underlyings:
		n.refuse(c, msg.RejectTableFull, int64(n.limits.Underlyings), int64(u.ID))
		return
	case n.prices.underlyings[u.ID] != nil, u.Sources == 0, u.Sources > 8:
		n.refuse(c, msg.RejectInvalidParameter, 0, int64(u.Sources))
		return
	}
	n.prices.underlyings[u.ID] = &naiveUnderlying{}
	n.prices.underlyings[u.ID].List(u)
	n.answer(msg.UnderlyingListed, c).Rare = c.Rare
}

// priceable says why an instrument cannot be listed with such prices.
func (n *naive) priceable(l msg.Listing) msg.Reject {
	u := n.prices.underlyings[l.Underlying]
	switch {
	case l.Underlying != 0 && u == nil, l.Mark > 2, l.Mark != 0 && l.Underlying == 0:
		return msg.RejectInvalidParameter
	case u != nil && len(u.on) == int(n.limits.Events/16):
		return msg.RejectTableFull
	}
	return 0
}

// priced ties a new instrument to its underlying.
func (n *naive) priced(id msg.InstrumentID) {
	in := n.instruments[id]
	in.marker.List(in.listing.Mark)
	in.funding.List()
	if in.underlying = in.listing.Underlying; in.underlying == 0 {
		return
	}
	u := n.prices.underlyings[in.underlying]
	u.on = append([]msg.InstrumentID{id}, u.on...)
	n.schedule(id)
	if u.Health != 0 {
		n.follow(id, n.now, true)
	}
}

func (n *naive) report(c *msg.Command) {
	r := c.Report()
	u := n.prices.underlyings[r.Underlying]
	if u == nil {
		n.refuse(c, msg.RejectInvalidParameter, 0, int64(r.Underlying))
		return
	}
	change, no := u.Report(r, n.now, &n.prices.venue)
	if no != 0 {
		n.refuse(c, no, int64(u.Sources), int64(r.Source))
		return
	}
	told := len(n.out)
	n.moved(r.Underlying, change, n.now, c.Ref, c.Session)
	if len(n.out) == told {
		n.answer(msg.Ticked, c)
	}
}

// moved tells what has become of an index, and lets everything follow.
func (n *naive) moved(id msg.UnderlyingID, change market.OracleChange, at fixed.Nanos, ref msg.Ref, session msg.SessionID) {
	u := n.prices.underlyings[id]
	n.silence(id, u.Due(&n.prices.venue))
	if change.From != change.To {
		n.emit(msg.Event{Kind: msg.OracleHealth, Ref: ref, Session: session}).
			SetHealthStep(msg.HealthStep{Underlying: id, From: change.From, To: change.To})
	}
	if change.Moved {
		n.emit(msg.Event{Kind: msg.IndexUpdated, Ref: ref, Session: session}).
			SetIndexStep(msg.IndexStep{Underlying: id, Index: u.Index, Confidence: u.Confidence})
	}
	for _, instr := range u.on {
		if change.Moved || change.From != change.To {
			n.follow(instr, at, change.Moved)
		}
	}
}

// silence lets an index be looked at again at a time.
func (n *naive) silence(id msg.UnderlyingID, at fixed.Nanos) {
	u := n.prices.underlyings[id]
	n.at(at, naiveOracleTimer, uint64(id), 2+2*len(u.on), func() { n.moved(id, u.Advance(at, &n.prices.venue), at, 0, 0) })
}

// follow brings an instrument to its index.
func (n *naive) follow(id msg.InstrumentID, at fixed.Nanos, moved bool) {
	in := n.instruments[id]
	u := n.prices.underlyings[in.underlying]
	if moved && u.Index != 0 {
		unit := product(int64(in.listing.TickLot), max(int64(in.listing.UnitLots), 1))
		in.index = fixed.Ticks(small(new(big.Int).Div(big.NewInt(int64(u.Index)), unit)))
		in.unit = u.Index
		n.remark(id, at)
	}
	if u.Health == msg.OracleHalted && in.phase != msg.Halted && in.phase != msg.Closed {
		in.halted = true
		n.phase(id, msg.Halted)
	} else if u.Health != msg.OracleHalted && in.halted {
		in.halted = false
		n.phase(id, msg.CallAuction)
	}
}

func (n *naive) phase(id msg.InstrumentID, to msg.Phase) {
	in := n.instruments[id]
	n.emit(msg.Event{Kind: msg.PhaseChanged, Instr: id}).SetPhaseStep(msg.PhaseStep{From: in.phase, To: to})
	in.phase = to
}

// remark finds the mark of an instrument anew (M-34). An index below a tick is no mark.
func (n *naive) remark(id msg.InstrumentID, at fixed.Nanos) {
	in := n.instruments[id]
	u := n.prices.underlyings[in.underlying]
	s := market.Sight{Mark: in.mark, Index: in.index, IndexAt: u.IndexAt, Health: u.Health}
	if bid, ask := n.first(id, msg.Buy), n.first(id, msg.Sell); bid != nil && ask != nil {
		s.Bid, s.Ask, s.Both = bid.price, ask.price, true
	}
	mark := in.marker.Recompute(at, &s, &n.prices.venue)
	in.stuck = in.marker.Mode != msg.MarkManual && u.Index != 0 && in.index <= 0
	if !in.stuck && mark != in.mark {
		in.mark = mark
		e := n.emit(msg.Event{Kind: msg.MarkUpdated, Instr: id})
		e.Price, e.Qty = mark, n.interest(id)
	}
}

// overdueTimer reports whether something is to be done by now.
func (n *naive) overdueTimer(kind int, id msg.InstrumentID) bool {
	return slices.ContainsFunc(n.timers, func(t naiveTimer) bool { return t.kind == kind && t.id == uint64(id) && t.at <= n.now })
}

// schedule sets the timers of an instrument, but for those that are overdue.
func (n *naive) schedule(id msg.InstrumentID) {
	in := n.instruments[id]
	if in.underlying == 0 {
		return
	}
	if !n.overdueTimer(naiveMarkTimer, id) {
		n.stepMark(id, in.marker.Due(n.now, &n.prices.venue))
	}
	if in.perpetual() && !n.overdueTimer(naiveFundingTimer, id) {
		n.nextFunding(id, in.funding.Due(n.now))
	}
}

func (n *naive) stepMark(id msg.InstrumentID, at fixed.Nanos) {
	n.at(at, naiveMarkTimer, uint64(id), 3, func() {
		n.remark(id, at)
		next, step := n.instruments[id].marker.Due(at, &n.prices.venue), n.prices.venue.MarkStep
		if next <= n.now-step { // time has leapt: the last step stands for those before it
			next = n.now / step * step
		}
		n.stepMark(id, next)
	})
}

// nextFunding is a sample and a payment (M-40 to M-42).
func (n *naive) nextFunding(id msg.InstrumentID, at fixed.Nanos) {
	in := n.instruments[id]
	n.at(at, naiveFundingTimer, uint64(id), 3, func() {
		pays := in.index > 0 && n.health(id) < msg.Frozen
		if in.funding.SampleDue(at) && pays && in.phase == msg.Continuous {
			bid, ask := n.impact(id, msg.Buy), n.impact(id, msg.Sell)
			in.funding.AddSample(in.funding.Premium(in.index, in.listing.TickLot, &bid, &ask))
		}
		switch {
		case in.funding.PaymentDue(at) && pays:
			step, _ := in.funding.Settle(in.index, in.listing.TickLot)
			n.settled(id, step, msg.Event{})
		case in.funding.PaymentDue(at):
			in.funding.Skip()
		}
		n.nextFunding(id, in.funding.Due(at))
	})
}

// impact walks down a side until the notional is reached (M-40).
func (n *naive) impact(id msg.InstrumentID, side msg.Side) (i market.Impact) {
	in := n.instruments[id]
	for _, l := range n.depth(id, side) {
		taken := product(int64(in.listing.TickLot), i.TickLots)
		taken.Add(taken, product(int64(in.listing.TickLot), int64(l.Price), int64(l.Qty)))
		if taken.Cmp(big.NewInt(int64(in.funding.Impact))) >= 0 {
			i.Price = l.Price
			return i
		}
		i.Lots += l.Qty
		i.TickLots += int64(l.Price) * int64(l.Qty)
	}
	return market.Impact{}
}

func (n *naive) settleFunding(c *msg.Command) {
	in := n.instruments[c.Instr]
	var no objections
	no.when(in == nil, msg.RejectUnknownInstrument, 0, 0)
	step := market.FundingIndex(0)
	if in != nil {
		index := in.index
		if in.underlying == 0 {
			index = in.mark
		}
		no.when(n.health(c.Instr) >= msg.Frozen && in.perpetual(), msg.RejectOracleFrozen, 0, 0)
		no.when(!in.perpetual(), msg.RejectInvalidParameter, 0, 0)
		if len(no) == 0 {
			r := msg.Reject(0)
			step, r = in.funding.Pay(c.FundingRate(), index, in.listing.TickLot)
			no.when(r != 0, r, 0, 0)
		}
	}
	if len(no) > 0 {
		n.refuse(c, no.first().reject, 0, int64(c.FundingRate()))
		return
	}
	n.settled(c.Instr, step, msg.Event{Ref: c.Ref, Session: c.Session, Account: c.Account})
}

// settled lets everybody who holds an instrument owe a step.
func (n *naive) settled(id msg.InstrumentID, step market.FundingIndex, e msg.Event) {
	in := n.instruments[id]
	in.sum += int64(step)
	index := fixed.Money(small(product(int64(in.mark), int64(in.listing.TickLot), max(int64(in.listing.UnitLots), 1))))
	if in.underlying != 0 {
		index = n.prices.underlyings[in.underlying].Index
	}
	e.Kind, e.Instr, e.Qty = msg.FundingSettled, id, n.interest(id)
	n.emit(e).SetFundingStep(msg.FundingStep{Rate: in.funding.Rate, Index: index, Step: int64(step), Sum: in.sum})
}

// owed is what a position has not paid yet, toward zero, and what rounding cuts off it in 1e-6 Money (M-42).
func (n *naive) owed(a *naiveAccount, id msg.InstrumentID) (m fixed.Money, rest *big.Int) {
	exact := product(int64(a.qty[id]), n.instruments[id].sum-a.funded[id])
	whole, rest := new(big.Int).QuoRem(exact, big.NewInt(1_000_000), new(big.Int))
	return fixed.Money(small(whole)), rest
}

// pay lets an account pay what it owes.
func (n *naive) pay(a *naiveAccount) {
	total, paid := fixed.Money(0), false
	for _, id := range n.ids() {
		m, rest := n.owed(a, id)
		paid = paid || m != 0
		a.funded[id] = n.instruments[id].sum
		if own := a.own(id); own.isolated {
			own.margin -= m
		} else {
			a.cash -= m
		}
		a.funding -= m
		n.prices.funding += m
		n.prices.rest.Add(n.prices.rest, rest)
		total += m
	}
	if paid {
		n.emit(msg.Event{Kind: msg.FundingPaid, Account: a.id}).SetBalance(msg.Balance{Amount: -total, Cash: a.cash})
	}
}

// even lets the fund take the whole units that rounding left, or give them (M-42).
func (n *naive) even() {
	m := fixed.Money(-small(new(big.Int).Quo(n.prices.rest, big.NewInt(1_000_000))))
	if m < -n.fund {
		m = -n.fund
	}
	if m == 0 {
		return
	}
	n.prices.rest.Add(n.prices.rest, product(int64(m), 1_000_000))
	n.prices.funding -= m
	if m < 0 {
		n.fund += m
		n.emit(msg.Event{Kind: msg.FundDraw}).SetBalance(msg.Balance{Amount: -m, Cash: n.fund})
		return
	}
	n.earn(m)
	n.emit(msg.Event{Kind: msg.FundIncome}).SetBalance(msg.Balance{Amount: m, Cash: n.fund})
}

// setPrices sets a parameter of marks or funding.
func (n *naive) setPrices(id msg.InstrumentID, s msg.Setting) msg.Reject {
	in := n.instruments[id]
	if market.FundingRule(s.Rule) {
		return in.funding.SetRule(s)
	}
	if s.Rule == msg.MarkFrom && s.Value != 0 {
		switch {
		case in.underlying == 0:
			return msg.RejectInvalidParameter
		case in.index == 0 && in.mark != 0:
			return msg.RejectNoMark
		}
	}
	return in.marker.SetRule(s)
}

// reprice lets timers and marks follow a parameter.
func (n *naive) reprice(id msg.InstrumentID, r msg.Rule) {
	switch {
	case id != 0 && (market.MarkRule(r) || market.FundingRule(r)):
		n.schedule(id)
		if r == msg.MarkFrom && n.instruments[id].index != 0 {
			n.remark(id, n.now)
		}
	case r == msg.MarkStep:
		for _, id := range n.ids() {
			n.schedule(id)
		}
	case r == msg.OracleStale || r == msg.OracleOutlier || r == msg.OracleHalt:
		for id, u := range n.prices.underlyings {
			if u.Health != 0 {
				n.silence(id, n.now)
			}
		}
	}
}

// Assets as collateral (M-03).

// counted is the share of an asset's value that counts.
func (in *naiveInstrument) counted() int64 {
	haircut, said := in.rules[msg.CollateralHaircut]
	if in.perpetual() || !said {
		return 0
	}
	return int64(fixed.One) - haircut
}

// collateral is what lots of an asset count in equity; more than there is cannot be sold, and counts nothing.
func (in *naiveInstrument) collateral(lots fixed.Lots) fixed.Money {
	value := product(int64(max(lots, 0)), int64(in.unit), in.counted())
	return fixed.Money(small(value.Div(value, product(max(int64(in.listing.UnitLots), 1), int64(fixed.One)))))
}

// surrender is what a sell of an asset at a limit sets aside a lot, and the fee with it: nothing where the proceeds of a
// lot, the fee paid, are no less than what it counts in whole ticks.
func (in *naiveInstrument) surrender(limit fixed.Ticks, fee fixed.Rate) (fixed.Ticks, fixed.Rate) {
	unit := product(int64(in.unit), in.counted())
	money := ceilOf(unit, int64(fixed.One))
	counts := fixed.Ticks(ceilOf(big.NewInt(money), int64(in.listing.TickLot)*max(int64(in.listing.UnitLots), 1)))
	brings := limit - fixed.Ticks(ceilOf(product(int64(limit), int64(fee)), int64(fixed.One)))
	if brings >= counts {
		return 0, 0
	}
	return max(0, counts-limit), fee
}

// assetLeaves reports whether lots of an asset may leave: what is left of cash and collateral is not below zero, and covers
// what a withdrawal leaves behind (M-19).
func (n *naive) assetLeaves(a *naiveAccount, id msg.InstrumentID, lots fixed.Lots) bool {
	in, own := n.instruments[id], a.cash
	lost := in.collateral(a.qty[id]) - in.collateral(a.qty[id]-lots)
	for _, i := range n.ids() {
		own += n.instruments[i].collateral(a.qty[i])
	}
	return own >= lost && n.beyond(a) >= lost
}
