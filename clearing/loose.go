package clearing

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/margin"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// What a position requires is the dearest question of most commands, and mostly nobody wants to know: the account can bear much
// more. So what a plain order or fill changes is not carried into requirements at once.
//
// Words: a position is loose while its account's sums, and its ledger, may be behind what it requires by now; at most one of an
// account is, that of Account.Loose. To tighten it is to carry in what it requires. Room is how much more may be required of the
// account for certain while the position is loose:
//
//	Room <= Free - what the reserves of both its sides come to beyond those that count now,    or Room <= 0
//
// Since then both sides count as if they could open, an order costs Room no more than its reserve and the initial
// requirement of its lots alone, whatever else there is. A cancel, or lots that fill a resting order, never raise a requirement;
// what a fill loses comes off Room too. So the gate says yes by one comparison, and only where Room is short, or where somebody
// is about to look, is the position tightened. Touch tightens: whoever has touched an account reads sums that are exact.
//
// None of it is state: how loose an account is changes no event and no answer.

// loosen makes a position the loose one of its account, without Room unless it has been so before.
func (h *House) loosen(row uint32, a *Account, p *Position) {
	if a.Loose != row {
		h.turn(row, a, p)
	}
}

//go:noinline
func (h *House) turn(row uint32, a *Account, p *Position) {
	h.tighten(a)
	a.Loose, p.Room = row, 0
}

// Tighten brings the sums of an account up to its exposures.
func (h *House) Tighten(id msg.AccountID) { h.tighten(&h.accounts[id]) }

// tighten carries what the loose position of an account requires into the sums, where there is one.
func (h *House) tighten(a *Account) {
	if row := a.Loose; row != 0 {
		h.settle(row, a, &h.rows[row])
		a.Loose = 0
	}
}

// settle carries what a cross position requires into its account's sums.
//
//go:noinline
func (h *House) settle(row uint32, a *Account, p *Position) {
	in := &h.instruments[p.Instr]
	initial := h.initial(row, p, in)
	maintenance, _ := margin.Maintenance(in, p.Qty)
	if initial|maintenance == 0 && !h.worn.has(row) {
		return // as the ledger says
	}
	l := &h.ledgers[row]
	a.Initial += initial - l.Initial
	a.Maintenance += maintenance - l.Maintenance
	l.Initial, l.Maintenance = initial, maintenance
	h.worn.add(row)
}

// measure makes a plain position the loose one, finds its Room anew, and reports whether that is need or more.
//
//go:noinline
func (h *House) measure(row uint32, a *Account, p *Position, need fixed.Money) bool {
	if a.Loose != row {
		h.tighten(a)
	}
	h.settle(row, a, p)
	buys, sells := p.Opening(p.Qty+p.Buys, p.Sells-p.Qty)
	a.Loose, p.Room = row, a.Free()-(p.BuyReserve-buys)-(p.SellReserve-sells)
	return need <= p.Room
}

// Seat is Take for a plain order, 0 where none can be taken: a new position, which has nothing in it yet, is the loose one, and its
// Room all that the account has free. The account's sums are those of the present marks.
func (h *House) Seat(account msg.AccountID, instr msg.InstrumentID) uint32 {
	row, free := h.look(account, instr)
	if row != 0 || !h.CanTake(account) {
		return row
	}
	a := &h.accounts[account]
	h.tighten(a)
	h.occupy(free, account, instr)
	a.Loose, h.rows[free].Room = free, a.Free()
	return free
}

// raise lets a position of a plain instrument come to lots, even if none has come to so many before, if they can be valued and
// required.
//
//go:noinline
func (h *House) raise(in *market.Instrument, instr uint16, lots fixed.Lots) bool {
	value, ok := fixed.MulShort(int64(lots), int64(in.LotValue))
	if !ok || value > int64(h.bound) {
		return false
	}
	if _, ok = fixed.CeilOne(lots, in.InitialLot); ok {
		h.Witness(msg.InstrumentID(instr), lots)
	}
	return ok
}
