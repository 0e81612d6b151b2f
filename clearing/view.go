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
	State        msg.Rung    // where its cross pool stands on the ladder
	ReduceOnly   bool        // equity is below initial, or it is in the second call or below: no order may open anything (M-46)
	Withdrawable fixed.Money
	Realized     fixed.Money // so far
	Fees         fixed.Money // so far
	Funding      fixed.Money // received so far, below zero paid
	Rebate       fixed.Money // pending
	Positions    int         // with lots or orders
}

// Summary values an account without touching it. ok is false when it is not open.
func (h *House) Summary(id msg.AccountID, v *market.Venue) (s Summary, ok bool) {
	if h.Account(id) == nil {
		return Summary{}, false
	}
	a, st := h.accounts[id], &h.statements[id]
	rebate := st.Rebate
	if a.Pending && int64(st.RebateDay) != h.day {
		a.Cash, rebate = a.Cash+rebate, 0
	}
	funding := st.Funding
	a.Profit, a.Initial, a.Maintenance = 0, 0, 0
	positions := 0
	for row := a.Positions; row != 0; row = h.rows[row].Next {
		p := h.position(row)
		if p.Qty != 0 || p.Open != 0 { // else it remembers a leverage
			positions++
		}
		m, _ := h.owes(&h.rows[row], &h.ledgers[row])
		funding -= m
		if p.Mode == msg.ModeIsolated {
			a.Initial += h.ledgers[row].Initial
			continue
		}
		a.Cash -= m
		a.Profit += p.Profit + p.Collateral
		a.Initial += p.Initial
		a.Maintenance += p.Maintenance
	}
	return Summary{Owner: a.Owner, Cash: a.Cash, Equity: a.Equity(), Initial: a.Initial, Maintenance: a.Maintenance,
		Free: a.Free(), State: a.Rung, ReduceOnly: a.Free() < 0 || a.Rung >= msg.RungCall2, Withdrawable: h.withdrawable(&a, v), Realized: st.Realized, Fees: st.Fees,
		Funding: funding, Rebate: rebate,
		Positions: positions}, true
}

// Holding is a position at the present mark, for those who look.
type Holding struct {
	Mode        msg.Mode     // cross or isolated
	State       msg.Rung     // of the pool that it is in
	Leverage    msg.Leverage // chosen; 0: none
	Instr       msg.InstrumentID
	Open        int // resting orders
	Qty         fixed.Lots
	Buys, Sells fixed.Lots  // open, reduce-only orders apart
	Cost        fixed.Money // entry price · quantity · tick-lot
	Profit      fixed.Money // unrealized
	Collateral  fixed.Money // what an asset counts in equity
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
	q := Holding{Instr: msg.InstrumentID(p.Instr), Mode: msg.ModeCross, State: h.Rung(h.PoolOf(row)), Leverage: p.Leverage, Open: int(p.Open), Qty: p.Qty, Buys: p.Buys,
		Sells: p.Sells, Cost: l.Cost, Profit: h.profit(row, p, in), Collateral: h.counts(p, in), Margin: l.Margin}
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

// Prices are those at which a position is in danger; 0 is none.
type Prices struct {
	Liquidation fixed.Ticks // the last mark at which its pool is safe if only this instrument moves (M-29)
	Bankruptcy  fixed.Ticks // at which all of it can be closed and equity over maintenance stays (M-30)
	Fillable    fixed.Ticks // at which it would be offered in liquidation (M-31)
}

// Prices finds the prices of a position by its pool, without touching it. ok is false when the account holds no lots in the
// instrument, or the instrument is paid in full.
func (h *House) Prices(id msg.AccountID, instr msg.InstrumentID, v *market.Venue) (q Prices, ok bool) {
	p, _ := h.Holding(id, instr)
	if p.Qty == 0 || !margin.Margined(&h.instruments[instr]) {
		return Prices{}, false
	}
	in := &h.instruments[instr]
	equity, maintenance := p.Margin+p.Profit, p.Maintenance
	if p.Mode == msg.ModeCross {
		s, _ := h.Summary(id, v)
		equity, maintenance = s.Equity, s.Maintenance
	}
	if liq, has := margin.LiquidationPrice(in, p.Qty, equity, maintenance); has {
		q.Liquidation = liq
	}
	if value, has := margin.Bankruptcy(in, p.Qty, fixed.Abs(p.Qty), equity, maintenance); has {
		if bankruptcy, has := margin.BankruptcyPrice(in, p.Qty, value); has {
			q.Bankruptcy = bankruptcy
		}
	}
	q.Fillable = margin.Fillable(in, p.Qty, equity, maintenance)
	return q, true
}

// Leverage is the leverage that an account chose in an instrument, 0 for none.
func (h *House) Leverage(id msg.AccountID, instr msg.InstrumentID) msg.Leverage {
	return h.rows[h.Find(id, instr)].Leverage
}
