package clearing

import (
	"math/bits"

	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/ring"
)

// The positions are a hash table in place: a row is found from account and instrument alone, without a look at the
// account's line, so that both misses overlap. Collisions go to the next row. Half of the rows are always free.
//
// Words: the path of a position are the rows from its home up to the one before its own. past counts, for each row, the
// paths that it lies on, so a search ends at the row that nobody has gone past, whoever left meanwhile.
//
//	home(account, instr) ──> [ other ][ free ][ ours  ][ other ][ free ]
//	past                         2       1       0        0        0      a search for a fourth ends at ours
//
// Positions do not move, since claims name their rows. Marks in place of the counts would add up until no search ends.
//
// With many accounts most rows come and go without a trade, and what counts is how many lines that touches. Two sets of rows, a bit each
// and so near at hand, spare the others: passed are the rows whose count is above 0, worn those of which the ledger may hold what
// outlives lots and orders. Who writes such a field of a Ledger adds
// its row.

// rowSet is a set of rows.
type rowSet []uint64

func (s rowSet) has(row uint32) bool { return s[row>>6]>>(row&63)&1 != 0 }
func (s rowSet) add(row uint32)      { s[row>>6] |= 1 << (row & 63) }
func (s rowSet) remove(row uint32)   { s[row>>6] &^= 1 << (row & 63) }

// home is where a path begins. Accounts whose numbers follow one another lie evenly about the table, as steps of the golden ratio do;
// each thousand of them in each instrument begins somewhere else, so that no two numbers have much to do with each other.
func (h *House) home(account msg.AccountID, instr msg.InstrumentID) uint32 {
	begin := (uint64(account)>>10<<16 | uint64(instr)) * 0xC2B2AE3D27D4EB4F
	hi, _ := bits.Mul64(uint64(account)*0x9E3779B97F4A7C15+(begin^begin<<32), uint64(len(h.rows)-1))
	return uint32(hi) + 1
}

func (h *House) after(row uint32) uint32 {
	if row++; int(row) < len(h.rows) {
		return row
	}
	return 1
}

// Find is the row of an account in an instrument, 0 where it has none.
func (h *House) Find(account msg.AccountID, instr msg.InstrumentID) uint32 {
	row := h.home(account, instr)
	for range len(h.rows) {
		p := &h.rows[row]
		if p.Account == account && uint32(p.Instr) == uint32(instr) {
			return row
		}
		if !h.passed.has(row) {
			return 0
		}
		row = h.after(row)
	}
	return 0
}

// FindAtHome is Find that looks no farther than where it is most often found, small enough to be inlined; 0: ask Find.
func (h *House) FindAtHome(account msg.AccountID, instr msg.InstrumentID) uint32 {
	row := h.home(account, instr)
	if p := &h.rows[row]; p.Account != account || uint32(p.Instr) != uint32(instr) {
		return 0
	}
	return row
}

// CanTake reports whether an account without a row in an instrument may take one.
func (h *House) CanTake(account msg.AccountID) bool {
	return h.live < h.limits.Positions && uint32(h.accounts[account].Held) < h.limits.AccountPositions
}

// Take is the row of an account in an instrument, a new one where it has none; the caller has asked CanTake. Tidy
// undoes it.
func (h *House) Take(account msg.AccountID, instr msg.InstrumentID) uint32 {
	row, free := h.look(account, instr)
	if row == 0 {
		h.occupy(free, account, instr)
		return free
	}
	return row
}

// look is Find that finds, where there is no row, the one that would be taken.
func (h *House) look(account msg.AccountID, instr msg.InstrumentID) (row, free uint32) {
	row = h.home(account, instr)
	for range len(h.rows) {
		p := &h.rows[row]
		if p.Account == account && uint32(p.Instr) == uint32(instr) {
			return row, 0
		}
		if p.Account == 0 && free == 0 {
			free = row
		}
		if !h.passed.has(row) {
			break
		}
		row = h.after(row)
	}
	for ; free == 0; row = h.after(row) {
		if h.rows[row].Account == 0 {
			free = row
		}
	}
	return 0, free
}

// occupy makes a free row, the first on the way from its home, the position of an account in an instrument.
func (h *House) occupy(row uint32, account msg.AccountID, instr msg.InstrumentID) {
	for on := h.home(account, instr); on != row; on = h.after(on) {
		h.past[on]++
		h.passed.add(on)
	}
	a := &h.accounts[account]
	h.rows[row] = Position{Account: account, Instr: uint16(instr), Next: a.Positions}
	if a.Positions != 0 {
		h.ledgers[a.Positions].Prev = row
		h.worn.add(a.Positions)
	}
	if sum := h.funding[instr]; sum != 0 {
		h.ledgers[row].FundingSum = sum
		h.worn.add(row)
	}
	if h.instruments[instr].Asks&market.AskOthers != 0 {
		a.Epoch = 0
	}
	a.Positions = row
	a.Held++
	if account != h.fund {
		h.live++
	}
}

// Tidy gives a row back when nothing is left in it: flat, and no orders. One with a chosen leverage stays, to remember it; it
// is no longer isolated.
func (h *House) Tidy(row uint32) {
	if p := &h.rows[row]; p.Qty == 0 && p.Open == 0 {
		if p.Mode != 0 {
			if h.ledgers[row].Rung != msg.RungOK {
				return // once it has been examined
			}
			h.dissolve(row)
		}
		if p.Leverage != 0 {
			h.setMode(row, 0)
			return
		}
		h.giveBack(row)
	}
}

func (h *House) giveBack(row uint32) {
	p := &h.rows[row]
	for on := h.home(p.Account, msg.InstrumentID(p.Instr)); on != row; on = h.after(on) {
		if h.past[on]--; h.past[on] == 0 {
			h.passed.remove(on)
		}
	}
	a, prev := &h.accounts[p.Account], uint32(0)
	if h.worn.has(row) {
		l := &h.ledgers[row]
		prev = l.Prev
		a.Initial -= l.Initial // of a loose position: an exact one that is empty requires nothing
		a.Maintenance -= l.Maintenance
		*l = Ledger{}
		h.wires.cutAll(p.Instr, row)
		h.worn.remove(row)
	}
	if a.Loose == row {
		a.Loose = 0
	}
	if prev != 0 {
		h.rows[prev].Next = p.Next
	} else {
		a.Positions = p.Next
	}
	if p.Next != 0 {
		h.ledgers[p.Next].Prev = prev
	}
	a.Held--
	if p.Account != h.fund {
		h.live--
	}
	*p = Position{}
}

// Foresee asks for the first lines that a command of an account in an instrument will need. It changes nothing.
func (h *House) Foresee(account msg.AccountID, instr msg.InstrumentID) {
	if uint64(account) < uint64(len(h.accounts)) {
		ring.Prefetch((*int64)(&h.accounts[account].Cash))
		ring.Prefetch((*int64)(&h.rows[h.home(account, instr)].Qty))
	}
}

// ForeseeClaim asks for the claim of an order.
func (h *House) ForeseeClaim(order uint32) { ring.Prefetch((*int64)(&h.claims[order].Reserved)) }

// ForeseeFill asks for what a fill of an order of an account will need, row being its position.
func (h *House) ForeseeFill(account msg.AccountID, row uint32) {
	ring.Prefetch((*int64)(&h.accounts[account].Cash))
	ring.Prefetch((*int64)(&h.statements[account].Realized))
	ring.Prefetch((*int64)(&h.rows[row].Qty))
	ring.Prefetch((*int64)(&h.ledgers[row].Cost))
}
