package clearing

import (
	"slices"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/margin"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Deleveraging: whose positions close that of a pool which nobody took over (M-53). The rules of sharing out are margin's; here is
// who stands on the other side.

// Winners collects in dst the positions opposite to lots of an instrument, the fund's apart, among the rows from..to-1, with their
// weights: the most preferred ones where there are more than most. dst is a heap until Rank has been asked.
func (h *House) Winners(instr msg.InstrumentID, lots fixed.Lots, from, to uint32, dst []margin.Winner, most int) []margin.Winner {
	for row := from; row < to; row++ {
		if w := (margin.Winner{Row: row}); h.wins(instr, lots, &w) {
			dst = prefer(dst, w, most)
		}
	}
	return dst
}

// wins weighs the position of a row, and reports whether it is opposite to lots of an instrument.
func (h *House) wins(instr msg.InstrumentID, lots fixed.Lots, w *margin.Winner) bool {
	q := &h.rows[w.Row]
	if q.Instr != uint16(instr) || q.Qty == 0 || (q.Qty < 0) == (lots < 0) || q.Account == h.fund || q.Account == 0 {
		return false
	}
	w.Account, w.Lots, w.Weight = q.Account, fixed.Abs(q.Qty), 0
	in := &h.instruments[instr]
	if profit := h.profit(w.Row, q, in); profit > 0 {
		w.Weight = margin.WinnerWeight(profit, fixed.Abs(margin.Value(in, q.Qty)), h.presentEquity(h.PoolOf(w.Row)))
	}
	return true
}

// Rank weighs those who were collected as they stand now, leaves out who wins no more, and puts them in order of preference.
func (h *House) Rank(instr msg.InstrumentID, lots fixed.Lots, found []margin.Winner) []margin.Winner {
	still := found[:0]
	for i := range found {
		if w := found[i]; h.wins(instr, lots, &w) && w.Account == found[i].Account {
			still = append(still, w)
		}
	}
	slices.SortStableFunc(still, func(a, b margin.Winner) int {
		switch {
		case a.Before(&b):
			return -1
		case b.Before(&a):
			return 1
		}
		return 0
	})
	return still
}

// prefer puts one more into a heap of which the least preferred is on top, in the place of that one where there is no room.
func prefer(dst []margin.Winner, w margin.Winner, most int) []margin.Winner {
	if len(dst) < most {
		dst = append(dst, w)
		for i := len(dst) - 1; i > 0; {
			parent := (i - 1) / 2
			if !dst[parent].Before(&dst[i]) {
				break
			}
			dst[parent], dst[i] = dst[i], dst[parent]
			i = parent
		}
		return dst
	}
	if !w.Before(&dst[0]) {
		return dst
	}
	dst[0] = w
	for i := 0; ; {
		child := 2*i + 1
		if child >= len(dst) {
			break
		}
		if child+1 < len(dst) && dst[child].Before(&dst[child+1]) {
			child++
		}
		if !dst[i].Before(&dst[child]) {
			break
		}
		dst[i], dst[child] = dst[child], dst[i]
		i = child
	}
	return dst
}

// presentEquity is the equity of a pool at the present marks, its account touched or not.
func (h *House) presentEquity(p Pool) fixed.Money {
	id, row := h.Members(p)
	if row != 0 {
		q := &h.rows[row]
		owed, _ := h.owes(q, &h.ledgers[row])
		return h.childEquity(row, q, &h.instruments[q.Instr]) - owed
	}
	a := &h.accounts[id]
	equity := a.Cash
	if s := &h.statements[id]; a.Pending && int64(s.RebateDay) != h.day {
		equity += s.Rebate
	}
	for row := a.Positions; row != 0; row = h.rows[row].Next {
		q := &h.rows[row]
		if q.Mode != 0 {
			continue
		}
		in := &h.instruments[q.Instr]
		owed, _ := h.owes(q, &h.ledgers[row])
		equity += margin.Value(in, q.Qty) - h.ledgers[row].Cost + h.counts(q, in) - owed
	}
	return equity
}

// Share is what an isolated position, of which d of lots lots are about to be closed at a price, gives its account of its equity (M-24).
func (h *House) Share(row uint32, d fixed.Lots, price fixed.Ticks) fixed.Money {
	q, l := &h.rows[row], &h.ledgers[row]
	equity, _ := margin.EquityAt(&h.instruments[q.Instr], l.Margin, l.Cost, 0, q.Qty, price)
	return margin.Release(equity, d, fixed.Abs(q.Qty))
}

// Hand moves cash from an isolated position to its account.
func (h *House) Hand(row uint32, m fixed.Money) {
	h.ledgers[row].Margin -= m
	h.accounts[h.rows[row].Account].Cash += m
	h.disturb(Pool(h.rows[row].Account))
}
