package clearing

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/margin"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// CanDeposit refuses an amount that is none, or that the venue has no room for.
func (h *House) CanDeposit(m fixed.Money) msg.Reject {
	if m <= 0 {
		return msg.RejectValueOutOfRange
	}
	if m > MaxDeposits-h.deposited {
		return msg.RejectOverflow
	}
	return 0
}

// Deposit credits an account that is open and touched; the caller has asked CanDeposit.
func (h *House) Deposit(id msg.AccountID, m fixed.Money) {
	h.deposited += m
	h.accounts[id].Cash += m
	h.disturb(Pool(id))
}

// PayFund credits the insurance fund from outside; the caller has asked CanDeposit.
func (h *House) PayFund(m fixed.Money) {
	h.deposited += m
	h.Earn(m)
}

// Earn gives the fund m, 0 or more, that is in the venue already: the deficit is repaid first (M-54).
func (h *House) Earn(m fixed.Money) {
	repaid := min(m, -h.Venue.Deficit)
	h.Venue.Deficit += repaid
	h.Venue.Fund += m - repaid
}

// Paused reports whether nothing may leave the venue, nor go from owner to owner: losses were not covered, or a pool that
// waits for the fund lacks more than there is (M-19).
func (h *House) Paused() bool { return h.Venue.Deficit < 0 || h.shortfall > h.Venue.Fund }

// Withdraw debits an account that is open and touched; m is above 0.
func (h *House) Withdraw(id msg.AccountID, m fixed.Money, v *market.Venue) msg.Reject {
	if h.Paused() {
		return msg.RejectWithdrawalsPaused
	}
	if m > h.Withdrawable(id, v) {
		return msg.RejectInsufficientFunds
	}
	h.deposited -= m
	h.accounts[id].Cash -= m
	h.disturb(Pool(id))
	return 0
}

// Transfer moves m, above 0, between two different accounts that are open and touched.
func (h *House) Transfer(from, to msg.AccountID, m fixed.Money, v *market.Venue) msg.Reject {
	if h.Paused() && h.accounts[from].Owner != h.accounts[to].Owner {
		return msg.RejectWithdrawalsPaused
	}
	if m > h.Transferable(from, to, v) {
		return msg.RejectInsufficientFunds
	}
	h.accounts[from].Cash -= m
	h.accounts[to].Cash += m
	h.disturb(Pool(from))
	h.disturb(Pool(to))
	return 0
}

// Withdrawable is what may leave an account that is touched: of its cash, what equity without the haircut share of
// unrealized profit leaves above the initial requirement and a share of notional (M-19).
func (h *House) Withdrawable(id msg.AccountID, v *market.Venue) fixed.Money {
	return h.withdrawable(&h.accounts[id], v)
}

// AssetLeaves reports whether lots of an asset may leave an account that is touched. What is left of cash and collateral is
// not below zero: profit that has not been realized does not leave as an asset that was bought with it. And equity without
// the haircut share of that profit covers what a withdrawal leaves behind (M-19).
func (h *House) AssetLeaves(row uint32, lots fixed.Lots, v *market.Venue) bool {
	p := h.rows[row]
	a, in := &h.accounts[p.Account], &h.instruments[p.Instr]
	lost := h.counts(&p, in)
	p.Qty -= lots
	lost -= h.counts(&p, in)
	own := a.Cash - lost
	for row := a.Positions; row != 0; row = h.rows[row].Next {
		own += h.counts(&h.rows[row], &h.instruments[h.rows[row].Instr])
	}
	return own >= 0 && h.beyond(a, v) >= lost
}

func (h *House) withdrawable(a *Account, v *market.Venue) fixed.Money {
	return max(0, min(a.Cash, h.beyond(a, v)))
}

// beyond is what equity without the haircut share of unrealized profit leaves above the initial requirement and a share of
// notional; it may be negative. Where the index is in doubt no unrealized profit counts (M-33).
func (h *House) beyond(a *Account, v *market.Venue) fixed.Money {
	haircut, notional := fixed.Money(0), fixed.Money(0)
	for row := a.Positions; row != 0; row = h.rows[row].Next {
		p := &h.rows[row]
		if p.Mode != 0 {
			continue
		}
		in := &h.instruments[p.Instr]
		value := margin.Value(in, p.Qty)
		cut, _ := ProfitHaircut(in, v).Ceil(max(0, value-h.ledgers[row].Cost))
		haircut += cut
		notional += fixed.Abs(value)
	}
	leave, _ := v.WithdrawMargin.Ceil(notional)
	return a.Equity() - haircut - max(a.Initial, leave)
}

// Transferable is what may move from one account to another: as Withdrawable, but between accounts of one owner all that
// is free (M-20).
func (h *House) Transferable(from, to msg.AccountID, v *market.Venue) fixed.Money {
	a := &h.accounts[from]
	if a.Owner != h.accounts[to].Owner {
		return h.Withdrawable(from, v)
	}
	return max(0, min(a.Cash, a.Free()))
}

// AssetRoom is how many lots of a spot instrument's asset the venue has room for.
func (h *House) AssetRoom(instr msg.InstrumentID) fixed.Lots { return MaxLots - h.assets[instr] }

// AssetFree is how many lots of its asset no open sell of a spot position has promised.
func (h *House) AssetFree(row uint32) fixed.Lots { return h.rows[row].Qty - h.rows[row].Sells }

// DepositAsset credits lots of a spot instrument's asset to a row of it, of an account that is touched; the caller has asked
// AssetRoom.
func (h *House) DepositAsset(row uint32, lots fixed.Lots) {
	p := &h.rows[row]
	h.assets[p.Instr] += lots
	h.disturb(Pool(p.Account))
	h.hold(p, &h.instruments[p.Instr], lots)
}

// WithdrawAsset debits lots of a spot instrument's asset; the caller has asked AssetFree and AssetLeaves.
func (h *House) WithdrawAsset(row uint32, lots fixed.Lots) {
	p := &h.rows[row]
	h.assets[p.Instr] -= lots
	h.disturb(Pool(p.Account))
	h.hold(p, &h.instruments[p.Instr], -lots)
}

// MaxLots bounds the lots of one asset in the venue.
const MaxLots fixed.Lots = 1 << 60

// ProfitHaircut is the part of an unrealized profit in an instrument that may not be taken out: all of it while the health of
// the index forbids that (M-33).
func ProfitHaircut(in *market.Instrument, v *market.Venue) fixed.Rate {
	if !market.Permits(in.Health, market.WithdrawProfit) {
		return fixed.One
	}
	return v.ProfitHaircut
}
