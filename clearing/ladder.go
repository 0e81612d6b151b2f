package clearing

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/margin"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// The ladder: on which rung a pool stands (M-46, M-47).
//
//	            < call1          < call2            < 100 %               nothing left, or nobody buys
//	  ok ───────────> call1 ───────────> call2 ───────────> liquidating ───────────> takeover ──> adl
//	   ^               | ^ after its       | ^                  |                     where the fund declines
//	   |  >= call1-exit| | deadline: call2,| | >= target: as if |
//	   `───────────────' | and late        | | from call2       |
//	   ^                 `─────────────────' `──────────────────'
//	   `─── >= call1-exit, which alone ends a late call2
//
// A worse rung is entered at once, however many are between; each is left at a better health than it was entered at. While the
// health of an index forbids liquidation, a pool with lots in it goes up but not down (M-33).

// Verdict is where a pool belongs.
type Verdict struct {
	From, To    msg.Rung
	Late        bool // To is a second call that comes by deadline
	Held        bool // it would go down if the health of an index did not forbid it
	Equity      fixed.Money
	Maintenance fixed.Money
}

// Judge says on which rung a pool belongs at a time. Its account has been touched.
func (h *House) Judge(p Pool, v *market.Venue, now fixed.Nanos) (j Verdict) {
	j.Equity, j.Maintenance = h.standing(p)
	j.From = h.Rung(p)
	if !h.borrows(p) {
		j.To = msg.RungOK
		return j
	}
	j.To = h.rest(p, &j, &v.Ladder, now)
	worst := h.fallen(p, &j, &v.Ladder)
	if worst > j.From {
		j.To, j.Late = worst, false
	}
	if j.To > j.From && h.Holds(p) {
		j.To, j.Late, j.Held = j.From, false, true
	}
	return j
}

// fallen is the rung that a pool's health has fallen to.
func (h *House) fallen(p Pool, j *Verdict, l *market.Ladder) msg.Rung {
	switch {
	case j.Equity <= 0:
		return msg.RungTakeover
	case j.Maintenance == 0:
		return msg.RungOK
	case j.Equity < j.Maintenance:
		return msg.RungLiquidating
	case !margin.Covers(j.Equity, j.Maintenance, l.Call2):
		return msg.RungCall2
	case !margin.Covers(j.Equity, j.Maintenance, l.Call1):
		return msg.RungCall1
	}
	return msg.RungOK
}

// rest is the rung of a pool that falls no further: where it stands, or a better one whose exit it has reached, or the second call for
// want of an answer to the first.
func (h *House) rest(p Pool, j *Verdict, l *market.Ladder, now fixed.Nanos) msg.Rung {
	w := &h.watches[p]
	switch j.From {
	case msg.RungCall1:
		switch {
		case j.reached(l.Call1Exit):
			return msg.RungOK
		case w.Deadline != 0 && now >= w.Deadline:
			j.Late = true
			return msg.RungCall2
		}
	case msg.RungCall2:
		switch {
		case j.reached(l.Call1Exit):
			return msg.RungOK
		case !w.Late && j.reached(l.Call2Exit):
			return msg.RungCall1
		}
	case msg.RungLiquidating:
		switch {
		case !j.reached(l.Target):
		case j.reached(l.Call1Exit):
			return msg.RungOK
		case j.reached(l.Call2Exit):
			return msg.RungCall1
		default:
			return msg.RungCall2
		}
	}
	return j.From
}

// reached reports whether health is at an exit, or above it.
func (j *Verdict) reached(exit fixed.Rate) bool { return margin.Covers(j.Equity, j.Maintenance, exit) }

// Holds reports whether the health of an index, of an instrument in which a pool has lots, forbids its liquidation (M-33).
func (h *House) Holds(p Pool) bool {
	for row := h.LegOf(p, 0); row != 0; row = h.LegOf(p, row) {
		if !market.Permits(h.instruments[h.rows[row].Instr].Health, market.Liquidate) {
			return true
		}
	}
	return false
}

// Enter lets a pool stand on the rung of a verdict. Of a first call it returns when it becomes the second, else 0.
func (h *House) Enter(p Pool, j *Verdict, v *market.Venue, now fixed.Nanos) (deadline fixed.Nanos) {
	h.SetRung(p, j.To)
	w := &h.watches[p]
	w.Late = j.Late
	if j.To == msg.RungCall1 {
		w.Deadline = now + v.Ladder.Deadline
	}
	return w.Deadline
}

// Largest is the leg of a pool with the highest maintenance, ties by instrument, of those that can be sold now (M-49); 0: there is none.
func (h *House) Largest(p Pool) (leg uint32) {
	most := fixed.Money(-1)
	for row := h.LegOf(p, 0); row != 0; row = h.LegOf(p, row) {
		q := &h.rows[row]
		in := &h.instruments[q.Instr]
		if !in.Sellable() {
			continue
		}
		m, _ := margin.Maintenance(in, q.Qty)
		if m > most || m == most && q.Instr < h.rows[leg].Instr {
			leg, most = row, m
		}
	}
	return leg
}

// Risk are the sides of a pool's orders that can open something.
const (
	riskBuys uint8 = 1 << iota
	riskSells
)

// Shed notes of each position of a pool which sides of its open orders go: all, or those that can increase risk (M-47). It
// reports whether there is any.
func (h *House) Shed(p Pool, all bool) (any bool) {
	id, row := h.Members(p)
	if row != 0 {
		return h.shed(row, all)
	}
	for row = h.accounts[id].Positions; row != 0; row = h.rows[row].Next {
		if h.rows[row].Mode == 0 && h.shed(row, all) {
			any = true
		}
	}
	return any
}

func (h *House) shed(row uint32, all bool) bool {
	q, l := &h.rows[row], &h.ledgers[row]
	l.Shed = 0
	if all && q.Open != 0 {
		l.Shed = riskBuys | riskSells
	}
	if q.Buys > max(-q.Qty, 0) {
		l.Shed |= riskBuys
	}
	if q.Sells > max(q.Qty, 0) {
		l.Shed |= riskSells
	}
	if l.Shed != 0 {
		h.worn.add(row)
	}
	return l.Shed != 0
}

// Sheds reports whether an order of a side goes with those that Shed has noted. A reduce-only order opens nothing: it goes only if
// all do.
func (h *House) Sheds(p Pool, order uint32, side msg.Side, reduceOnly, all bool) bool {
	row := h.claims[order].Position
	if h.PoolOf(row) != p || reduceOnly && !all {
		return false
	}
	if side == msg.Buy {
		return h.ledgers[row].Shed&riskBuys != 0
	}
	return h.ledgers[row].Shed&riskSells != 0
}

// Await notes what a pool lacks that waits for the fund, since withdrawals wait too where that is more than the fund has (M-19); with
// pool 0 none waits.
func (h *House) Await(p Pool) {
	h.shortfall = 0
	if p != 0 {
		equity, _ := h.standing(p)
		h.shortfall = max(0, -equity)
	}
}
