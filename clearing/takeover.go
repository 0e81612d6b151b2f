package clearing

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/margin"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// The insurance fund: what it takes over and what it pays (M-52), and how it comes to its money.
//
// It has no account of its own that anybody could name, but a record behind all others, for the positions that it has taken over. Its
// money is Venue.Fund; what its record earns or loses moves there at once, so the record's cash is 0 between two commands. Nothing
// asks the fund for margin.
//
//	pool    assets             ── for what they count ──> @fund   the same lots; its money goes down by what it pays
//	        cash, lots at cost ── at the mark ──────────> @fund   lots at the mark, and equity: income, or below 0 a draw
//
// The assets go first, so that what is left of the pool is money alone. What they count was in equity: as long as the fund has the
// money for them the pool's equity stays as it is.

// FundID is the account number of the fund's record, above all that can be opened.
func (h *House) FundID() msg.AccountID { return h.fund }

// Allowed is how much the fund may pay for one pool: its caps, and what it has above its minimum (M-52).
func (h *House) Allowed(v *market.Venue) fixed.Money {
	return max(0, min(v.Fund.EventCap, v.Fund.DayCap-h.drawn, h.Venue.Fund-v.Fund.Min))
}

// Draw takes m from the fund, no more than it has.
func (h *House) Draw(m fixed.Money) {
	h.Venue.Fund -= m
	h.drawn += m
}

// Uncovered books a loss that nobody covers.
func (h *House) Uncovered(m fixed.Money) { h.Venue.Deficit -= m }

// Inventory is what the fund's lots are worth at the marks, its assets apart: those are owned, not borrowed.
func (h *House) Inventory() (n fixed.Money) {
	for row := h.accounts[h.fund].Positions; row != 0; row = h.rows[row].Next {
		if margin.Margined(&h.instruments[h.rows[row].Instr]) {
			n += h.worth(row)
		}
	}
	return n
}

// worth is what the lots of a row are worth at the mark.
func (h *House) worth(row uint32) fixed.Money {
	q := &h.rows[row]
	in := &h.instruments[q.Instr]
	n, _ := fixed.Notional(fixed.Abs(q.Qty), in.Mark, in.TickLot)
	return n
}

// CanTakeOver reports whether the fund may take a pool over (M-52): its caps cover what the pool lacks, and its inventory stays
// within its limit.
func (h *House) CanTakeOver(p Pool, v *market.Venue) bool {
	if equity, _ := h.standing(p); equity < 0 && -equity > h.Allowed(v) {
		return false
	}
	if v.Fund.Inventory == fixed.MaxInt64 {
		return true
	}
	after := h.Inventory()
	for row := h.LegOf(p, 0); row != 0; row = h.LegOf(p, row) {
		q := &h.rows[row]
		own := &h.rows[h.Find(h.fund, msg.InstrumentID(q.Instr))]
		in := &h.instruments[q.Instr]
		both, _ := fixed.Notional(fixed.Abs(own.Qty+q.Qty), in.Mark, in.TickLot)
		before, _ := fixed.Notional(fixed.Abs(own.Qty), in.Mark, in.TickLot)
		after += both - before
	}
	return after <= v.Fund.Inventory
}

// NextAsset is the asset of a pool that goes to the fund next, by instrument: first those that count in equity, and where the pool
// lacks something then, those too that do not; 0: there is none. Its account has been touched.
func (h *House) NextAsset(p Pool) (asset uint32) {
	id, child := h.Members(p)
	if child != 0 {
		return 0
	}
	lacks, counts := h.accounts[id].Equity() < 0, false
	for row := h.partOf(p, 0); row != 0; row = h.partOf(p, row) {
		q := &h.rows[row]
		in := &h.instruments[q.Instr]
		pledged := margin.Pledged(in)
		switch {
		case margin.Margined(in), !pledged && (!lacks || counts):
		case asset == 0, pledged && !counts, q.Instr < h.rows[asset].Instr:
			asset, counts = row, pledged
		}
	}
	return asset
}

// TakeAsset moves an asset of a cross pool to the fund, which pays for it what it counts in equity, as far as it has that above its
// minimum. It returns the fund's row.
func (h *House) TakeAsset(row uint32, v *market.Venue) (taken uint32, paid fixed.Money) {
	q := &h.rows[row]
	instr, lots := msg.InstrumentID(q.Instr), q.Qty
	in := &h.instruments[instr]
	paid = max(0, min(h.counts(q, in), h.Venue.Fund-v.Fund.Min))
	h.wires.cutAll(q.Instr, row)
	h.hold(q, in, -lots)
	h.accounts[q.Account].Cash += paid
	h.Venue.Fund -= paid
	taken = h.Take(h.fund, instr)
	h.rows[taken].Qty += lots
	return taken, paid
}

// HandOver moves one leg of a pool to the fund, at the mark, and returns the fund's row.
func (h *House) HandOver(row uint32) (taken uint32) {
	q := &h.rows[row]
	instr, lots := msg.InstrumentID(q.Instr), q.Qty
	in := &h.instruments[instr]
	h.wires.cutAll(q.Instr, row)
	h.Close(row, -lots, in.Mark)
	taken = h.Take(h.fund, instr)
	if l := &h.ledgers[taken]; l.FundingSum != h.funding[instr] {
		h.settleFunding(&h.rows[taken], l)
	}
	h.worn.add(taken)
	h.Close(taken, lots, in.Mark)
	return taken
}

// Strip takes the equity of a pool without legs out of it, and returns it; below 0 it is what the pool lacked.
func (h *House) Strip(p Pool) (m fixed.Money) {
	m, _ = h.standing(p)
	h.chargePool(p, m)
	return m
}

func (h *House) chargePool(p Pool, m fixed.Money) {
	id, row := h.Members(p)
	if row != 0 {
		h.ledgers[row].Margin -= m
	} else {
		h.accounts[id].Cash -= m
	}
}

// Close closes lots of a position, or opens them, at a price and without a fee, and returns the profit realized. What it brings
// stays in the pool. The account has been touched.
func (h *House) Close(row uint32, delta fixed.Lots, price fixed.Ticks) (realized fixed.Money) {
	q, l := &h.rows[row], &h.ledgers[row]
	in := &h.instruments[q.Instr]
	h.worn.add(row)
	switch {
	case q.Account == h.fund:
		realized = h.Fill(0, row, in, delta, price, 0)
		h.forget()
	case q.Mode == 0:
		h.tighten(&h.accounts[q.Account])
		realized = h.Fill(0, row, in, delta, price, 0)
		h.Settle(row, in)
	default:
		held := q.Qty
		realized = l.realize(in, -delta, held, price)
		l.Margin += realized
		q.Qty = held + delta
		h.interest[q.Instr] += max(q.Qty, 0) - max(held, 0)
		h.require(row, q, in)
	}
	h.State(q.Account, realized, 0)
	return realized
}

// ChargePool takes a fee out of the money of a pool.
func (h *House) ChargePool(p Pool, fee fixed.Money) {
	id, _ := h.Members(p)
	h.chargePool(p, fee)
	h.statements[id].Fees += fee
}

// GiveBack moves what an isolated position without lots has to its account, and returns it. What it owes nobody pays here: it is
// short, see Short.
func (h *House) GiveBack(row uint32) (m fixed.Money) {
	l := &h.ledgers[row]
	h.forgive(l)
	if m, l.Margin = l.Margin, 0; m != 0 {
		h.accounts[h.rows[row].Account].Cash += m
		h.disturb(Pool(h.rows[row].Account))
	}
	return m
}

// TakeBack takes a part of a gain back from where it went: from the account, as far as it was moved there, and what is more from the
// isolated position that kept it, own, as long as that is held.
func (h *House) TakeBack(w *margin.Winner) (account, own fixed.Money) {
	q, a := &h.rows[w.Row], &h.accounts[w.Account]
	account = w.Gain
	if q.Account == w.Account && q.Mode != 0 && q.Qty != 0 {
		account = min(w.Gain, w.Moved)
		own = w.Gain - account
		h.ledgers[w.Row].Margin -= own
		h.disturb(h.child(w.Row))
	}
	h.tighten(a)
	a.Cash -= account
	h.disturb(Pool(w.Account))
	return account, own
}

// forget lets nobody believe that the sums of the fund's record mean anything.
func (h *House) forget() {
	a := &h.accounts[h.fund]
	a.Profit, a.Initial, a.Maintenance, a.Epoch, a.Loose = 0, 0, 0, 0, 0
}

// TakeEarned is what the fund's positions have earned since it was last asked, below 0 lost; it has still to be booked.
func (h *House) TakeEarned() (m fixed.Money) {
	a := &h.accounts[h.fund]
	m, a.Cash = a.Cash, 0
	return m
}

// SettleFund pays the funding that the fund's lots in a row owe, which TakeEarned then says.
func (h *House) SettleFund(row uint32) {
	if l := &h.ledgers[row]; l.FundingSum != h.funding[h.rows[row].Instr] {
		h.settleFunding(&h.rows[row], l)
	}
}

// Insolvent is what a cross pool without legs owes, 0 where it owes nothing (M-46). Its account has been touched.
func (h *House) Insolvent(p Pool) fixed.Money {
	id, row := h.Members(p)
	if row != 0 || h.accounts[id].Equity() >= 0 || h.borrows(p) {
		return 0
	}
	return -h.accounts[id].Equity()
}
