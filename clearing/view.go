package clearing

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/margin"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Summary is an account at the present marks, for those who look. Its money is that of the cross pool; Realized and Fees are
// those of isolated positions too.
type Summary struct {
	Owner        msg.OwnerID
	Cash         fixed.Money
	Equity       fixed.Money
	Initial      fixed.Money
	Maintenance  fixed.Money
	Free         fixed.Money // may be negative
	ReduceOnly   bool        // equity is below initial: no order may open anything (M-46)
	Withdrawable fixed.Money
	Realized     fixed.Money // so far
	Fees         fixed.Money // so far
	Funding      fixed.Money // received so far, below zero paid
	Rebate       fixed.Money // pending
	Positions    int
}

// Summary values an account without touching it. ok is false when it is not open.
func (h *House) Summary(id msg.AccountID, v *market.Venue) (s Summary, ok bool) {
	if h.Account(id) == nil {
		return Summary{}, false
	}
	a, st := h.accounts[id], &h.statements[id]
	rebate := st.Rebate
	if a.Pending && st.RebateDay != h.day {
		a.Cash, rebate = a.Cash+rebate, 0
	}
	funding := st.Funding
	a.Profit, a.Initial, a.Maintenance = 0, 0, 0
	for row := a.Positions; row != 0; row = h.rows[row].Next {
		p := h.position(row)
		m, _ := h.owes(&h.rows[row], &h.ledgers[row])
		funding -= m
		if p.Mode == msg.ModeIsolated {
			a.Initial += h.rows[row].Initial
			continue
		}
		a.Cash -= m
		a.Profit += p.Profit
		a.Initial += p.Initial
		a.Maintenance += p.Maintenance
	}
	return Summary{Owner: a.Owner, Cash: a.Cash, Equity: a.Equity(), Initial: a.Initial, Maintenance: a.Maintenance,
		Free: a.Free(), ReduceOnly: a.Free() < 0, Withdrawable: h.withdrawable(&a, v), Realized: st.Realized, Fees: st.Fees,
		Funding: funding, Rebate: rebate,
		Positions: int(a.Held)}, true
}

// Holding is a position at the present mark, for those who look.
type Holding struct {
	Mode        msg.Mode     // cross or isolated
	Leverage    msg.Leverage // chosen; 0: none
	Instr       msg.InstrumentID
	Open        int // resting orders
	Qty         fixed.Lots
	Buys, Sells fixed.Lots  // open, reduce-only orders apart
	Cost        fixed.Money // entry price · quantity · tick-lot
	Profit      fixed.Money // unrealized
	Margin      fixed.Money // cash of an isolated position
	Initial     fixed.Money // of an isolated position its lots' alone; what its orders hold is the account's
	Maintenance fixed.Money
}

// Holding values a position without touching it. ok is false when the account has neither lots nor orders in the instrument.
func (h *House) Holding(id msg.AccountID, instr msg.InstrumentID) (p Holding, ok bool) {
	row := h.Find(id, instr)
	if p := &h.rows[row]; id == 0 || p.Qty == 0 && p.Open == 0 {
		return Holding{}, false
	}
	return h.position(row), true
}

func (h *House) position(row uint32) Holding {
	p, l := &h.rows[row], &h.ledgers[row]
	in := &h.instruments[p.Instr]
	c := h.Conditions(p, in, 0)
	owed, _ := h.owes(p, l)
	q := Holding{Instr: msg.InstrumentID(p.Instr), Mode: msg.ModeCross, Leverage: p.Leverage, Open: int(p.Open), Qty: p.Qty, Buys: p.Buys,
		Sells: p.Sells, Cost: l.Cost, Profit: h.profit(row, p, in), Margin: l.Margin}
	if p.Mode != 0 {
		q.Margin -= owed
	}
	q.Maintenance, _ = margin.Maintenance(in, p.Qty)
	if p.Mode != 0 {
		q.Mode = p.Mode
		q.Initial, _ = margin.InitialUnder(in, p.Qty, &c)
	} else {
		q.Initial, _ = margin.RequirementUnder(in, &p.Exposure, &c)
	}
	return q
}

// Leverage is the leverage that an account chose in an instrument, 0 for none.
func (h *House) Leverage(id msg.AccountID, instr msg.InstrumentID) msg.Leverage {
	return h.rows[h.Find(id, instr)].Leverage
}
