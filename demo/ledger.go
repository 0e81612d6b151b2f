package demo

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/margin"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// ledger is what every account owns, as somebody works it out who is told every event and nothing else. A pool is money that
// stands for positions together: that of an account, or the margin beside its isolated position.
//
//	cash      deposits, fees, funding, what was traded by a cross position      of the account
//	margin    what moved in and out, and the same of an isolated one            of the position
//
// Both are less what the lots cost, so a pool's equity is what stands there and what its lots are worth at the mark, less the
// funding that they owe: none of it has to be rounded, and all of it can be compared with the engine's to the unit.
type ledger struct {
	accounts []account  // by id; 0 is the insurance fund, as far as it has taken positions over
	interest fixed.Lots // long lots
	held     int64      // accounts with a position

	payments int   // of funding
	sum      int64 // of all its steps, 1e-6 Money a lot
	rate     fixed.Rate
	paid     fixed.Money // by accounts that were touched since
	received fixed.Money
}

// account is what one account owns.
type account struct {
	exposure margin.Exposure
	deposit  fixed.Money
	cash     fixed.Money
	margin   fixed.Money
	settled  int64 // sum of the steps at which its funding was paid last
	leverage msg.Leverage
	isolated bool
}

// own takes in an event of money or of margin, but for trades.
func (l *ledger) own(ev *msg.Event) {
	a := l.of(ev.Account)
	switch ev.Kind {
	case msg.Deposited:
		m := ev.Balance().Amount
		a.deposit += m
		a.cash += m
	case msg.LeverageSet:
		a.leverage = (&msg.Request{Rare: ev.Rare}).Leverage()
	case msg.MarginMoved:
		m := ev.Balance().Amount
		a.cash -= m
		a.margin += m
	case msg.FundingSettled:
		s := ev.FundingStep()
		l.sum, l.rate = s.Sum, s.Rate
		l.payments++
	case msg.FundingPaid:
		m := ev.Balance().Amount
		l.paid -= min(m, 0)
		l.received += max(m, 0)
		*a.purse() += m
		a.settled = l.sum
	}
}

// of is an account of the ledger.
func (l *ledger) of(id msg.AccountID) *account {
	if id == msg.FundAccount {
		return &l.accounts[0]
	}
	return &l.accounts[id]
}

// purse is the money that stands for the position.
func (a *account) purse() *fixed.Money {
	if a.isolated {
		return &a.margin
	}
	return &a.cash
}

// fill takes in lots that an account bought, below zero sold, for a value, below zero got, at a price and for a fee.
func (l *ledger) fill(a *account, delta fixed.Lots, value, fee fixed.Money) {
	held := a.exposure.Qty
	if held == 0 {
		a.settled = l.sum
	}
	closes := fixed.Lots(0)
	if (held < 0) != (delta < 0) {
		closes = min(fixed.Abs(held), fixed.Abs(delta))
	}
	own, rest := fixed.Money(0), fee
	if a.isolated {
		own, rest = margin.SplitFee(fee, closes, fixed.Abs(delta))
	}
	a.cash -= rest
	*a.purse() -= own + value
	a.exposure.Qty = held + delta
	if a != &l.accounts[0] {
		l.held += open(a.exposure.Qty) - open(held)
	}
	l.interest += max(a.exposure.Qty, 0) - max(held, 0)
}

// accrued is the funding that an account owes and has not paid, below zero what it will get.
func (l *ledger) accrued(a *account) fixed.Money {
	steps := fixed.MulWide(int64(a.exposure.Qty), l.sum-a.settled)
	m, _ := steps.DivTowardZero(1_000_000)
	return fixed.Money(m)
}

// pool is the equity of the pool that the position of an account is in, and what it has to be.
func (l *ledger) pool(a *account, in *market.Instrument) (equity, maintenance fixed.Money) {
	m, _ := margin.Maintenance(in, a.exposure.Qty)
	return *a.purse() + margin.Value(in, a.exposure.Qty) - l.accrued(a), m
}

// equity is all that an account owns.
func (l *ledger) equity(a *account, in *market.Instrument) (all fixed.Money) {
	all, _ = l.pool(a, in)
	if a.isolated {
		all += a.cash
	}
	return all
}

// requirement is the initial margin of an account, open orders included; there is none before there is an instrument. An
// isolated position has no open orders here: takers' are immediate.
func (l *ledger) requirement(a *account, in *market.Instrument) fixed.Money {
	if in.Type == 0 {
		return 0
	}
	x, _ := margin.LeverageRate(in, a.leverage)
	m, _ := margin.RequirementUnder(in, &a.exposure, &margin.Conditions{Leverage: x})
	return m
}

// open is 1 for a position that there is.
func open(q fixed.Lots) int64 {
	if q == 0 {
		return 0
	}
	return 1
}
