package engine

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Funding: when the premium is sampled and when it is paid (M-40 to M-42). What follows from a payment for those who hold
// the instrument is clearing's.

// impactLevels is how many levels of a side a sample looks at; what lies behind them is too far away to be had at once.
const impactLevels = 512

// fund is a sample or a payment of an instrument that was due at a time, the sample first.
func (e *Engine) fund(id msg.InstrumentID, at fixed.Nanos) {
	p, in := &e.prices[id], &e.instruments[id]
	f := &p.funding
	open := p.index > 0 && market.Permits(in.Health, market.PayFunding)
	if f.SampleDue(at) && open && in.Phase == msg.Continuous {
		bid, ask := e.impact(id, msg.Buy), e.impact(id, msg.Sell)
		f.AddSample(f.Premium(p.index, in.TickLot, &bid, &ask))
	}
	if f.PaymentDue(at) {
		next := *f
		step, r := next.Settle(p.index, in.TickLot)
		if open && r == 0 && e.house.CanFund(id, int64(step)) {
			*f = next
			e.settled(e.emit(msg.FundingSettled), id, step)
		} else {
			f.Skip()
		}
	}
	e.due(fundingTimer, uint32(id), f.Due(at))
}

// impact is how deep the impact notional of an instrument reaches into a side; no price where that is too thin.
func (e *Engine) impact(id msg.InstrumentID, side msg.Side) market.Impact {
	i, _ := e.books[id].Impact(side, e.prices[id].funding.Reach(e.instruments[id].TickLot), impactLevels)
	return market.Impact(i)
}

// settleFunding is a payment by command, at the whole rate. An instrument without an underlying has no price but its mark.
func (e *Engine) settleFunding(c *msg.Command) {
	in, r := e.instrument(c.Instr), msg.Reject(0)
	switch {
	case in == nil:
		r = msg.RejectUnknownInstrument
	case in.Type != msg.Perpetual:
		r = msg.RejectInvalidParameter
	case !market.Permits(in.Health, market.PayFunding):
		r = msg.RejectOracleFrozen
	}
	step := market.FundingIndex(0)
	if r == 0 {
		p := &e.prices[c.Instr]
		next, index := p.funding, p.index
		if p.underlying == 0 {
			index = in.Mark
		}
		if step, r = next.Pay(c.FundingRate(), index, in.TickLot); r == 0 && !e.house.CanFund(c.Instr, int64(step)) {
			r = msg.RejectOverflow
		}
		if r == 0 {
			p.funding = next
		}
	}
	if r != 0 {
		e.refuse(c, r, 0, int64(c.FundingRate()))
		return
	}
	e.settled(e.answer(msg.FundingSettled, c), c.Instr, step)
}

// settled lets all who hold an instrument owe a step, and tells of it.
func (e *Engine) settled(ev *msg.Event, id msg.InstrumentID, step market.FundingIndex) {
	e.house.Fund(id, int64(step))
	e.house.Moved(id)
	p, in := &e.prices[id], &e.instruments[id]
	index := fixed.Money(0)
	if u := e.quote(p.underlying); u != nil {
		index = u.Index
	} else {
		index, _ = fixed.Notional(in.UnitLots, in.Mark, in.TickLot)
	}
	ev.Instr, ev.Qty = id, e.house.Interest(id)
	ev.SetFundingStep(msg.FundingStep{Rate: p.funding.Rate, Index: index, Step: int64(step), Sum: int64(p.funding.Index)})
}
