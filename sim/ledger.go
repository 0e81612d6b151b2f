package sim

import (
	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// ledger adds up, in whole numbers, what events say of money: what came in and went out, and what each account paid and made. Where
// everything that was applied has been released, the engine's accounts must say the same, and hold to the unit what came in.
type ledger struct {
	world    *world
	in       fixed.Money           // deposits and payments into the fund, less withdrawals
	fees     fixed.Money           // taken from accounts, rebates apart
	accounts []statement           // by account
	position map[holder]fixed.Lots // that events have told
	taken    bool                  // the fund has positions, or had
}

// statement is what events say of one account.
type statement struct {
	fees, realized fixed.Money
}

// holder is an account in an instrument.
type holder struct {
	account msg.AccountID
	instr   msg.InstrumentID
}

func newLedger(w *world) ledger {
	return ledger{world: w, accounts: make([]statement, w.options.Limits.Accounts+1), position: map[holder]fixed.Lots{}}
}

// event enters one event.
func (l *ledger) event(e *msg.Event) {
	switch e.Kind {
	case msg.Deposited:
		l.in += e.Balance().Amount
	case msg.Withdrawn:
		l.in -= e.Balance().Amount
	case msg.FundIncome:
		if e.Ref != 0 { // somebody paid it; else it is the venue's own
			l.in += e.Balance().Amount
		}
	case msg.Traded:
		f := e.Fill()
		a := &l.accounts[e.Account]
		a.realized += f.Realized
		a.fees += max(f.Fee, 0)
		l.fees += max(f.Fee, 0)
		l.position[holder{e.Account, e.Instr}] = f.Position
	case msg.LiquidationSlice, msg.AdlFill:
		if e.Account == msg.FundAccount {
			return
		}
		c := e.Closeout()
		l.accounts[e.Account].fees += c.Fee
		l.position[holder{e.Account, e.Instr}] = c.Position
	case msg.Takeover, msg.AdlStarted: // what becomes of the lots of the pool is not told one by one
		l.taken = true
		for i := range msg.InstrumentID(l.world.options.Limits.Instruments + 1) {
			delete(l.position, holder{e.Account, i})
		}
	}
}

// reconcile compares the ledger with an engine that is where the ledger is.
func (l *ledger) reconcile(eng *engine.Engine) {
	w := l.world
	venue := eng.VenueAccounts()
	sum := venue.Fees + venue.Rebates + venue.Fund + venue.Deficit
	for id := msg.AccountID(1); id < msg.AccountID(len(l.accounts)); id++ {
		s, ok := eng.Account(id)
		if !ok {
			continue
		}
		if s.Fees != l.accounts[id].fees {
			w.find("ledger", "account %d has paid fees of %s, and its trades say %s", id, s.Fees, l.accounts[id].fees)
		}
		sum += s.Cash
		for i := msg.InstrumentID(1); i <= msg.InstrumentID(w.options.Limits.Instruments); i++ {
			p, held := eng.Position(id, i)
			if held {
				sum += p.Margin - p.Cost
			}
			if want, told := l.position[holder{id, i}]; told && p.Qty != want && isPerpetual(eng, i) {
				w.find("ledger", "account %d holds %d lots in instrument %d, and its trades say %d", id, p.Qty, i, want)
			}
		}
	}
	sum += venue.Funding
	if sum != l.in && !l.taken { // what the fund's positions cost cannot be seen from outside
		w.find("ledger", "the venue holds %s, and %s came in", sum, l.in)
	}
	if money, lots := eng.Imbalance(); money != 0 || lots != 0 {
		w.find("ledger", "%s of money and %d lots are missing", money, lots)
	}
	if venue.Fund < 0 {
		w.find("ledger", "the fund holds %s, expected not below zero", venue.Fund)
	}
}

func isPerpetual(eng *engine.Engine, id msg.InstrumentID) bool {
	in, ok := eng.Instrument(id)
	return ok && in.Type == msg.Perpetual
}
