package engine

import (
	"cmp"
	"slices"

	"github.com/lockstep-exchange/lockstep/clearing"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/margin"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Deleveraging a pool: each leg is closed at its bankruptcy price, within a band around the mark, against the fund's own lots on the
// other side and then against winners (M-53). What the price could not cover the fund pays within its caps, then the gains that were
// realized by it, and what is missing then nobody covers (M-54).

// Who wins is found by looking at all positions, which are too many for one command:
//
//	leg ──> rows from 1 on, rowsMax a command ──> all seen? those found are ranked as they stand then ──> closed, and told
//	 ^                                                                                                      |
//	 `────────────────────────────── lots are left: rows from 1 on, again ──────────────────────────────────'
//
// Meanwhile the market goes on. Who was found and has gone is left out; who comes to win behind the search is found by the next
// one. When nobody who was found is still there, the next search looks at all positions at once: nobody can run from it for ever.

// adl is what is known of the pool that is being closed.
type adl struct {
	rank  uint32 // of the last winner who was told
	leg   uint32 // whose winners are looked for; 0: nobody's
	row   uint32 // from which the search goes on
	whole bool   // it is not broken off
}

func (e *Engine) hashAdl(d *fixed.Digest) {
	a := &e.adl
	d.Pair(a.rank, a.leg)
	d.Pair(a.row, word(a.whole))
	for _, list := range [...][]margin.Winner{e.gains, e.found} {
		d.Word(uint64(len(list)))
		for i := range list {
			w := &list[i]
			d.Pair(uint32(w.Account), w.Row)
			d.Word(uint64(w.Weight))
			d.Word(uint64(w.Lots))
			d.Word(uint64(w.Gain))
			d.Word(uint64(w.Moved))
		}
	}
}

// deleverage goes on closing a pool, and reports whether it is out of the world.
func (e *Engine) deleverage(p clearing.Pool) bool {
	id, row := e.house.Members(p)
	e.touch(id)
	for leg := e.firstLeg(p); leg != 0; leg = e.firstLeg(p) {
		if e.spare() < examRoom+eventsPerCut*len(e.gains) {
			return false
		}
		q := e.house.Position(leg)
		in := &e.instruments[q.Instr]
		equity, maintenance := e.house.Standing(p)
		price := margin.AdlPrice(in, q.Qty, equity, maintenance, e.venue.Fund.AdlBand)
		e.closeAgainstFund(leg, price)
		if q.Qty != 0 && !e.closeAgainstWinners(leg, price) {
			return false
		}
		if row == 0 && q.Qty == 0 {
			e.tidy(leg)
		}
	}
	if e.spare() < examRoom+eventsPerCut*len(e.gains) {
		return false
	}
	m := e.house.Strip(p)
	e.fundGets(m)
	if m < 0 {
		e.socialize(-m)
	}
	e.fundEarned()
	e.gains, e.found, e.adl = e.gains[:0], e.found[:0], adl{}
	e.leave(p)
	return true
}

// firstLeg is the leg of a pool that comes first by instrument, 0 where none is left.
func (e *Engine) firstLeg(p clearing.Pool) (first uint32) {
	for row := e.house.LegOf(p, 0); row != 0; row = e.house.LegOf(p, row) {
		q := e.house.Position(row)
		if first == 0 || q.Instr < e.house.Position(first).Instr {
			first = row
		}
	}
	return first
}

// closeAgainstFund closes as much of a leg as the fund has on the other side.
func (e *Engine) closeAgainstFund(leg uint32, price fixed.Ticks) {
	q := e.house.Position(leg)
	instr := msg.InstrumentID(q.Instr)
	row := e.house.Find(e.house.FundID(), instr)
	own := e.house.Position(row).Qty
	if own == 0 || (own < 0) == (q.Qty < 0) {
		return
	}
	d := min(fixed.Abs(own), fixed.Abs(q.Qty))
	if q.Qty < 0 {
		d = -d
	}
	e.house.SettleFund(row)
	e.house.Close(leg, -d, price)
	realized := e.house.Close(row, d, price)
	ev := e.emit(msg.AdlFill)
	ev.Account, ev.Instr, ev.Side, ev.Price, ev.Qty = msg.FundAccount, instr, closing(own), price, fixed.Abs(d)
	ev.SetCloseout(&msg.Closeout{Realized: realized, Position: e.house.Position(row).Qty})
	e.fundEarned()
	if e.house.Position(row).Qty == 0 {
		e.timers.clear(ladderTimer, uint32(e.house.RowPool(row)))
		e.house.Tidy(row)
	}
}

// eventsPerWinner is how many events a winner brings at most: funding and a rebate of his account, his fill, the margin that it
// moves, and what is cut of his gain, of the part that moved and of the other.
const eventsPerWinner, eventsPerCut = 6, 2

// closeAgainstWinners closes what is left of a leg against winners, and reports whether it could do all of it.
func (e *Engine) closeAgainstWinners(leg uint32, price fixed.Ticks) bool {
	q := e.house.Position(leg)
	instr := msg.InstrumentID(q.Instr)
	for q.Qty != 0 {
		room := (e.spare()-examRoom)/eventsPerWinner - len(e.gains)
		if !e.findWinners(leg) || room <= 0 {
			return false
		}
		winners := e.house.Rank(instr, q.Qty, e.found)
		if len(winners) == 0 && e.adl.whole {
			panic("engine: lots that nobody holds the other side of")
		}
		e.found, e.adl.leg, e.adl.whole = e.found[:0], 0, len(winners) == 0
		winners = winners[:min(room, len(winners))]
		margin.Allocate(fixed.Abs(q.Qty), winners)
		for i := range winners {
			if w := &winners[i]; w.Given != 0 {
				e.closeWinner(leg, w, price)
			}
		}
	}
	return true
}

// rowsMax is how many positions are looked at for winners in one command.
const rowsMax = 4096

// findWinners looks on for those who win against a leg, and reports whether all positions have been looked at.
func (e *Engine) findWinners(leg uint32) bool {
	if e.searched != e.seq {
		e.searched, e.rows = e.seq, e.stride
	}
	a, q, all := &e.adl, e.house.Position(leg), e.house.Rows()
	if a.leg != leg {
		a.leg, a.row, e.found = leg, 1, e.found[:0]
	}
	to := min(a.row+e.rows, all)
	if a.whole {
		to = all
	}
	e.found = e.house.Winners(msg.InstrumentID(q.Instr), q.Qty, a.row, to, e.found, e.foundMax())
	e.rows -= min(to-a.row, e.rows)
	a.row = to
	return to == all
}

// foundMax is how many winners are asked at a time.
func (e *Engine) foundMax() int { return int(e.limits.Events / 8) }

// closeWinner closes lots of a leg against a winner.
func (e *Engine) closeWinner(leg uint32, w *margin.Winner, price fixed.Ticks) {
	e.touch(w.Account)
	q := e.house.Position(leg)
	d := w.Given // signed as what the leg closes
	if q.Qty > 0 {
		d = -d
	}
	e.house.Close(leg, d, price)
	isolated := e.house.Position(w.Row).Mode != 0
	share := fixed.Money(0)
	if isolated {
		share = e.house.Share(w.Row, w.Given, price)
	}
	e.house.DisturbRow(w.Row)
	if isolated { // which hands over to the account
		e.house.Disturb(w.Account)
	}
	realized := e.house.Close(w.Row, -d, price)
	e.adl.rank++
	ev := e.emit(msg.AdlFill)
	ev.Account, ev.Instr, ev.Side, ev.Price, ev.Qty = w.Account, msg.InstrumentID(q.Instr), closing(d), price, w.Given
	ev.SetCloseout(&msg.Closeout{Realized: realized, Position: e.house.Position(w.Row).Qty, Rank: e.adl.rank, Isolated: isolated})
	e.shed(w.Row, -d)
	if isolated && e.house.Position(w.Row).Qty == 0 {
		share = e.house.GiveBack(w.Row)
	} else if share != 0 {
		e.house.Hand(w.Row, share)
	}
	e.tellMoved(w.Account, msg.InstrumentID(q.Instr), -share)
	if e.house.Short() != 0 {
		e.cover()
	}
	e.gained(w, isolated, realized, share)
	e.tidy(w.Row)
}

// gained notes what a pool has gained by the deleveraging so far, and what of it moved to the account; row 0 is a cross pool.
func (e *Engine) gained(w *margin.Winner, isolated bool, realized, moved fixed.Money) {
	g := margin.Winner{Account: w.Account, Gain: realized, Moved: moved}
	if isolated {
		g.Row = w.Row
	}
	if realized <= 0 {
		return
	}
	for i := range e.gains {
		if o := &e.gains[i]; o.Account == g.Account && o.Row == g.Row {
			o.Gain += g.Gain
			o.Moved += g.Moved
			return
		}
	}
	if len(e.gains) < e.gainsMax() {
		e.gains = append(e.gains, g)
	}
}

// gainsMax is of how many pools the gains are noted.
func (e *Engine) gainsMax() int { return int(e.limits.Events / 16) }

// socialize finds who pays what a pool lacks: the fund within its caps, then the gains, then nobody.
func (e *Engine) socialize(short fixed.Money) {
	draw := min(short, e.house.Allowed(&e.venue))
	if draw != 0 {
		e.fundPays(draw, draw)
	}
	if short -= draw; short == 0 {
		return
	}
	slices.SortStableFunc(e.gains, func(a, b margin.Winner) int { return cmp.Compare(a.Account, b.Account) })
	missing := margin.Socialize(short, e.gains)
	for i := range e.gains {
		w := &e.gains[i]
		account, own := e.house.TakeBack(w)
		e.tellCut(w.Account, 0, account)
		e.tellCut(w.Account, msg.InstrumentID(e.house.Position(w.Row).Instr), own)
	}
	e.fundPays(missing, 0)
}

// tellCut tells of what a gain was cut by, in an account or in an isolated position of it.
func (e *Engine) tellCut(id msg.AccountID, instr msg.InstrumentID, m fixed.Money) {
	if m == 0 {
		return
	}
	ev := e.emit(msg.Socialized)
	ev.Account, ev.Instr = id, instr
	ev.SetBalance(msg.Balance{Amount: m, Cash: e.house.Account(id).Cash})
}
