package clearing

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/margin"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// What a position requires of its account. Nearly all require what tiers and slope say. The others are
//
//	isolated         its open orders hold, and nothing more                            isolate.go
//	with leverage    it requires no less than the leverage that was chosen (M-09)
//	floating         its instrument's initial depends on what others hold (M-10, M-11)
//
// The requirement of a floating position is not kept from one command to the next, since any fill of anybody moves it: the
// account's Epoch is that of no marks, so each touch values it anew.

// rare are the questions of which one is asked of any position that is not plain.
const rare = market.AskOthers | market.AskLeverage | market.AskMode

// require carries a change of a position into its account's initial requirement.
func (h *House) require(row uint32, p *Position, in *market.Instrument) {
	h.carry(row, &h.accounts[p.Account], h.initial(row, p, in))
}

// carry makes the initial requirement of a position m, in its account's too.
func (h *House) carry(row uint32, a *Account, m fixed.Money) {
	l := &h.ledgers[row]
	a.Initial += m - l.Initial
	h.setInitial(row, l, m)
}

func (h *House) setInitial(row uint32, l *Ledger, m fixed.Money) {
	if l.Initial = m; m != 0 {
		h.worn.add(row)
	}
}

// initial is the position's part of its account's initial requirement.
func (h *House) initial(row uint32, p *Position, in *market.Instrument) (m fixed.Money) {
	if (p.Asks|in.Asks)&rare == 0 {
		m, _ = margin.Requirement(in, &p.Exposure)
		return m
	}
	return h.unusual(row, p, in)
}

// unusual is initial of a position that is not plain.
//
//go:noinline
func (h *House) unusual(row uint32, p *Position, in *market.Instrument) fixed.Money {
	if p.Asks&market.AskMode != 0 {
		return h.held(row, p, in)
	}
	c := h.Conditions(p, in, 0)
	m, _ := margin.RequirementUnder(in, &p.Exposure, &c)
	return m
}

// Conditions are those of a position's initial margin (M-09 to M-11) once an order of its account for delta lots, signed,
// has been filled in full: open interest has grown by the lots that it opens, and its owner holds them.
func (h *House) Conditions(p *Position, in *market.Instrument, delta fixed.Lots) (c margin.Conditions) {
	c.Leverage, _ = margin.LeverageRate(in, p.Leverage)
	if in.Asks&market.AskOthers == 0 {
		return c
	}
	after := p.Qty + delta
	opened := max(0, fixed.Abs(after)-fixed.Abs(p.Qty))
	if p.Qty != 0 && (p.Qty < 0) != (after < 0) { // a flip opens all that it ends with
		opened = fixed.Abs(after)
	}
	interest := h.interest[p.Instr] + opened
	c.Interest = margin.InterestRate(in, interest)
	if in.Crowding.Count != 0 {
		long, short := h.owned(h.accounts[p.Account].Owner, msg.InstrumentID(p.Instr))
		long += max(after, 0) - max(p.Qty, 0)
		short += max(-after, 0) - max(-p.Qty, 0)
		c.Concentration = margin.ConcentrationRate(in, max(long, short), interest)
	}
	return c
}

// owned are the lots that the accounts of an owner hold in an instrument, long ones and short ones apart: he does not
// crowd it less for holding both.
func (h *House) owned(owner msg.OwnerID, instr msg.InstrumentID) (long, short fixed.Lots) {
	for id := h.owners[owner].First; id != 0; id = h.statements[id].Next {
		q := h.rows[h.Find(id, instr)].Qty
		long += max(q, 0)
		short += max(-q, 0)
	}
	return long, short
}

// ask derives what a position has to be asked.
func (p *Position) ask() {
	p.Asks = 0
	if p.Leverage != 0 {
		p.Asks |= market.AskLeverage | market.AskMargin
	}
	if p.Mode != 0 {
		p.Asks |= market.AskMode
	}
}

// SetLeverage sets the leverage that an account chose for a position; the caller has asked CanLever.
func (h *House) SetLeverage(row uint32, x msg.Leverage, in *market.Instrument) {
	p := &h.rows[row]
	p.Leverage = x
	p.ask()
	h.require(row, p, in)
}

// CanLever refuses a leverage at which equity would not cover what it makes the pool require, unless it requires no more
// than it did (M-09).
func (h *House) CanLever(row uint32, x msg.Leverage, in *market.Instrument) msg.Reject {
	p := h.rows[row]
	p.Leverage = x
	p.ask()
	c := h.Conditions(&p, in, 0)
	if p.Mode != 0 {
		equity, initial, _ := h.Pool(p.Account, row)
		then, ok := margin.InitialUnder(in, p.Qty, &c)
		return covers(equity, initial, then, ok)
	}
	a := &h.accounts[p.Account]
	then, ok := margin.RequirementUnder(in, &p.Exposure, &c)
	return covers(a.Equity(), a.Initial, a.Initial-h.ledgers[row].Initial+then, ok)
}

// covers refuses a requirement that has grown beyond equity, or that does not fit.
func covers(equity, before, after fixed.Money, ok bool) msg.Reject {
	switch {
	case !ok:
		return msg.RejectOverflow
	case after > before && after > equity:
		return msg.RejectInsufficientMargin
	}
	return 0
}
