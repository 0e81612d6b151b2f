package clearing

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/margin"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Funding: what longs pay shorts, or below zero get from them, at one instant for all who hold an instrument (M-42).
//
// Words: a step is one payment, in 1e-6 Money a lot; the sum of an instrument are all its steps so far. Nobody is paid at
// once: a step raises the sum, and each position remembers the sum at which it was settled last.
//
//	instrument   sum        0 ── +75 ──> 75 ─────── -20 ──> 55
//	position     its sum    0 ..................... touched: pays q · 55, its sum is 55
//
// So a step costs the same whoever holds the instrument, and every account that is touched is settled before anything else
// is read of it; one that the ladder only looks at, once any of its positions owes a unit. A position's part is rounded toward zero; what was cut off is the remainder. Since longs and shorts are
// equal in lots, remainder and what is not settled yet is exactly what @funding holds; at the day cut whole units of the
// remainder go to the fund or come from it.

// fundingUnit is how many units of a step make one of Money.
const fundingUnit = 1_000_000

// Funding is the sum of the funding steps of an instrument, in 1e-6 Money a lot.
func (h *House) Funding(instr msg.InstrumentID) int64 { return h.funding[instr] }

// CanFund reports whether a step leaves a sum at which no position that was ever there could owe more than one may.
func (h *House) CanFund(instr msg.InstrumentID, step int64) bool {
	sum, ok := fixed.Widen(h.funding[instr]).Add(fixed.Widen(step)).Int64()
	if !ok {
		return false
	}
	owed := fixed.MulWide(fixed.Abs(sum), int64(max(h.peak[instr], 1)))
	return owed.Cmp(fixed.MulWide(int64(MaxDeposits), fundingUnit)) <= 0
}

// Fund takes one step of an instrument; the caller has asked CanFund. Accounts pay and are paid when they are next touched.
func (h *House) Fund(instr msg.InstrumentID, step int64) {
	if step != 0 {
		h.funding[instr] += step
		h.epoch++
	}
}

// owes is what lots that were settled at a sum pay by now, below zero what they get, and the remainder, in 1e-6 Money, that
// they do not pay for rounding.
func (h *House) owes(p *Position, l *Ledger) (m fixed.Money, rest int64) {
	steps := fixed.MulWide(int64(p.Qty), h.funding[p.Instr]).Sub(fixed.MulWide(int64(p.Qty), l.FundingSum))
	paid, ok := steps.DivTowardZero(fundingUnit)
	if !ok {
		panic("clearing: a funding payment does not fit Money; CanFund bounds every sum")
	}
	rest, _ = steps.Sub(fixed.MulWide(paid, fundingUnit)).Int64()
	return fixed.Money(paid), rest
}

// settleFunding lets a position pay what it owes, out of the cash that margins it, and returns it.
//
//go:noinline
func (h *House) settleFunding(p *Position, l *Ledger) fixed.Money {
	m, rest := h.owes(p, l)
	l.FundingSum = h.funding[p.Instr]
	h.Venue.Funding += m
	h.remainder += rest
	if p.Mode == msg.ModeIsolated {
		l.Margin -= m
	} else {
		h.accounts[p.Account].Cash -= m
	}
	h.statements[p.Account].Funding -= m
	return m
}

// owesPart reports whether a position owes, or is owed, something that is less than a unit.
func (h *House) owesPart(p *Position, l *Ledger) bool {
	m, rest := h.owes(p, l)
	return m == 0 && rest != 0
}

// settleParts settles the positions that owe less than a unit where others have paid; where none has they stay as they are, and the
// account is not up to date.
//
//go:noinline
func (h *House) settleParts(a *Account, paid bool) {
	if !paid {
		a.Epoch = 0
		return
	}
	for row := a.Positions; row != 0; row = h.rows[row].Next {
		if p, l := &h.rows[row], &h.ledgers[row]; l.FundingSum != h.funding[p.Instr] {
			h.settleFunding(p, l)
			h.worn.add(row)
		}
	}
}

// EvenFunding moves the whole units of the remainder from @funding to the fund, or below zero, as far as the fund has them,
// from it (M-42). It returns what moved.
func (h *House) EvenFunding() fixed.Money {
	m := fixed.Money(-h.remainder / fundingUnit)
	m = max(m, -h.Venue.Fund)
	h.remainder += int64(m) * fundingUnit
	h.Venue.Funding -= m
	if m < 0 {
		h.Venue.Fund += m
		return m
	}
	h.Earn(m)
	return m
}

// Settled are the venue's accounts as if every position had been settled. It walks every table.
func (h *House) Settled() Venue {
	v, owed := h.Venue, fixed.Money(0)
	for row := range h.rows {
		if p := &h.rows[row]; p.Account != 0 && margin.Margined(&h.instruments[p.Instr]) {
			m, _ := h.owes(p, &h.ledgers[row])
			v.Funding += m
			if p.Account == h.fund {
				owed += m
			}
		}
	}
	paid := min(max(owed, 0), v.Fund)
	v.Fund -= paid
	v.Deficit -= max(owed, 0) - paid
	repaid := min(max(-owed, 0), -v.Deficit)
	v.Deficit += repaid
	v.Fund += max(-owed, 0) - repaid
	return v
}
