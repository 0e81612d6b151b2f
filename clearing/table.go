package clearing

import (
	"math/bits"

	"github.com/lockstep-exchange/lockstep/margin"
	"github.com/lockstep-exchange/lockstep/msg"
)

// The positions are a hash table in place: a row is found from account and instrument alone, without a look at the
// account's line, so that both misses overlap. Collisions go to the next row. A row that is given back leaves a mark, so
// that searches go on behind it; marks that end a run are wiped at once. A third of the rows is always free.
//
//	home(account, instr) ──> [ other ][ gone ][ ours ][ free ]     search stops at ours or free

// gone is the Account of a row that was given back inside a run.
const gone = ^msg.AccountID(0)

func (h *House) home(account msg.AccountID, instr msg.InstrumentID) uint32 {
	mixed := (uint64(account)<<16 ^ uint64(instr)) * 0x9E3779B97F4A7C15
	mixed ^= mixed >> 32
	hi, _ := bits.Mul64(mixed*0xD6E8FEB86659FD93, uint64(len(h.rows)-1))
	return uint32(hi) + 1
}

func (h *House) after(row uint32) uint32 {
	if row++; int(row) < len(h.rows) {
		return row
	}
	return 1
}

func (h *House) before(row uint32) uint32 {
	if row > 1 {
		return row - 1
	}
	return uint32(len(h.rows) - 1)
}

// Find is the row of an account in an instrument, 0 where it has none.
func (h *House) Find(account msg.AccountID, instr msg.InstrumentID) uint32 {
	for row := h.home(account, instr); ; row = h.after(row) {
		p := &h.rows[row]
		if p.Account == account && p.Instr == uint16(instr) {
			return row
		}
		if p.Account == 0 {
			return 0
		}
	}
}

// CanTake reports whether an account without a row in an instrument may take one.
func (h *House) CanTake(account msg.AccountID) bool {
	return h.live < h.limits.Positions && uint32(h.accounts[account].Held) < h.limits.AccountPositions
}

// Take is the row of an account in an instrument, a new one where it has none; the caller has asked CanTake.
func (h *House) Take(account msg.AccountID, instr msg.InstrumentID) uint32 {
	free := uint32(0)
	row := h.home(account, instr)
	for ; h.rows[row].Account != 0; row = h.after(row) {
		p := &h.rows[row]
		if p.Account == account && p.Instr == uint16(instr) {
			return row
		}
		if p.Account == gone && free == 0 {
			free = row
		}
	}
	if free != 0 {
		row = free
	}
	a := &h.accounts[account]
	h.rows[row] = Position{Account: account, Instr: uint16(instr), Next: a.Positions}
	if a.Positions != 0 {
		h.rows[a.Positions].Prev = row
	}
	a.Positions = row
	a.Held++
	h.live++
	return row
}

// Tidy gives a row back when nothing is left in it: flat, and no orders.
func (h *House) Tidy(row uint32) {
	if p := &h.rows[row]; p.Qty == 0 && p.Open == 0 {
		h.giveBack(row)
	}
}

func (h *House) giveBack(row uint32) {
	p := &h.rows[row]
	a := &h.accounts[p.Account]
	if p.Prev != 0 {
		h.rows[p.Prev].Next = p.Next
	} else {
		a.Positions = p.Next
	}
	if p.Next != 0 {
		h.rows[p.Next].Prev = p.Prev
	}
	a.Held--
	h.live--
	p.Next, p.Prev, p.Instr = 0, 0, 0
	p.Exposure, p.Initial = margin.Exposure{}, 0
	p.Account = gone
	if h.rows[h.after(row)].Account != 0 {
		return
	}
	for ; h.rows[row].Account == gone; row = h.before(row) {
		h.rows[row].Account = 0
	}
}
