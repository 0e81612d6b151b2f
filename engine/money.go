package engine

import (
	"github.com/lockstep-exchange/lockstep/margin"
	"github.com/lockstep-exchange/lockstep/msg"
)

// openAccount opens an account, or changes the groups of an open one.
func (e *Engine) openAccount(c *msg.Command) {
	op := c.Opening()
	if r := e.house.Open(c.Account, op.Owner, op.Groups); r != 0 {
		e.refuse(c, r, 0, int64(c.Account))
		return
	}
	e.opened(c, op.Groups)
}

// opened tells of an account with the owner that stands behind it.
func (e *Engine) opened(c *msg.Command, groups uint32) {
	e.answer(msg.AccountOpened, c).Rare = msg.Rare{uint64(e.house.Account(c.Account).Owner), uint64(groups)}
}

// deposit credits an account; the first one opens it.
func (e *Engine) deposit(c *msg.Command) {
	pay := c.Payment()
	if r := e.house.CanDeposit(pay.Amount); r != 0 {
		e.refuse(c, r, 0, int64(pay.Amount))
		return
	}
	if e.house.Account(c.Account) == nil {
		r := msg.RejectUnknownAccount // another account's owner bears this number
		if e.house.Owner(msg.OwnerID(c.Account)) == nil {
			r = e.house.Open(c.Account, 0, msg.AllGroups)
		}
		if r != 0 {
			e.refuse(c, r, 0, int64(c.Account))
			return
		}
		e.opened(c, msg.AllGroups)
	}
	e.touch(c.Account)
	e.house.Deposit(c.Account, pay.Amount)
	e.moved(msg.Deposited, c, msg.Balance{Amount: pay.Amount, External: pay.External})
}

// payFund pays into the insurance fund, from outside.
func (e *Engine) payFund(c *msg.Command) {
	pay := c.Payment()
	if r := e.house.CanDeposit(pay.Amount); r != 0 {
		e.refuse(c, r, 0, int64(pay.Amount))
		return
	}
	e.house.PayFund(pay.Amount)
	e.answer(msg.FundIncome, c).SetBalance(msg.Balance{Amount: pay.Amount, Cash: e.house.Venue.Fund, External: pay.External})
}

func (e *Engine) withdraw(c *msg.Command) {
	pay := c.Payment()
	switch {
	case pay.Amount <= 0:
		e.refuse(c, msg.RejectValueOutOfRange, 0, int64(pay.Amount))
		return
	case e.house.Account(c.Account) == nil:
		e.refuse(c, msg.RejectUnknownAccount, 0, int64(c.Account))
		return
	}
	e.touch(c.Account)
	if r := e.house.Withdraw(c.Account, pay.Amount, &e.venue); r != 0 {
		e.refuse(c, r, int64(e.house.Withdrawable(c.Account, &e.venue)), int64(pay.Amount))
		return
	}
	e.moved(msg.Withdrawn, c, msg.Balance{Amount: pay.Amount, External: pay.External})
}

func (e *Engine) transfer(c *msg.Command) {
	pay := c.Payment()
	switch {
	case pay.Amount <= 0 || pay.To == c.Account:
		e.refuse(c, msg.RejectValueOutOfRange, 0, int64(pay.Amount))
		return
	case e.house.Account(c.Account) == nil || e.house.Account(pay.To) == nil:
		e.refuse(c, msg.RejectUnknownAccount, 0, int64(pay.To))
		return
	}
	e.touch(c.Account)
	e.touch(pay.To)
	if r := e.house.Transfer(c.Account, pay.To, pay.Amount, &e.venue); r != 0 {
		e.refuse(c, r, int64(e.house.Transferable(c.Account, pay.To, &e.venue)), int64(pay.Amount))
		return
	}
	e.moved(msg.Transferred, c, msg.Balance{Amount: -pay.Amount, Peer: pay.To, External: pay.External})
	to := *c
	to.Account = pay.To
	e.moved(msg.Transferred, &to, msg.Balance{Amount: pay.Amount, Peer: c.Account, External: pay.External})
}

// moved tells of money that has moved in an account.
func (e *Engine) moved(kind msg.EventKind, c *msg.Command, b msg.Balance) {
	b.Cash = e.house.Account(c.Account).Cash
	e.answer(kind, c).SetBalance(b)
}

// moveAsset credits or debits the asset of a spot instrument.
func (e *Engine) moveAsset(c *msg.Command) {
	if e.house.Account(c.Account) != nil {
		e.touch(c.Account)
	}
	if r := e.assetMovable(c); r != 0 {
		e.refuse(c, r, 0, int64(c.Qty))
		return
	}

	row, kind := e.house.Find(c.Account, c.Instr), msg.AssetWithdrawn
	if c.Kind == msg.KindDepositAsset {
		row, kind = e.house.Take(c.Account, c.Instr), msg.AssetDeposited
		e.house.DepositAsset(row, c.Qty)
	} else {
		e.house.WithdrawAsset(row, c.Qty)
	}
	held := e.house.Position(row).Qty
	e.house.Tidy(row)
	ev := e.answer(kind, c)
	ev.Qty = c.Qty
	ev.SetBalance(msg.Balance{Lots: held, Cash: e.house.Account(c.Account).Cash, External: c.Payment().External})
}

// assetMovable refuses a movement of an asset that there is not, or that nobody has or can take.
func (e *Engine) assetMovable(c *msg.Command) msg.Reject {
	switch {
	case c.Qty <= 0:
		return msg.RejectValueOutOfRange
	case e.house.Account(c.Account) == nil:
		return msg.RejectUnknownAccount
	case e.bookOf(c.Instr) == nil || margin.Margined(&e.instruments[c.Instr]):
		return msg.RejectUnknownInstrument
	}
	row := e.house.Find(c.Account, c.Instr)
	if c.Kind == msg.KindWithdrawAsset {
		if e.house.Paused() {
			return msg.RejectWithdrawalsPaused
		}
		if c.Qty > e.house.AssetFree(row) || !e.house.AssetLeaves(row, c.Qty, &e.venue) {
			return msg.RejectInsufficientFunds
		}
		return 0
	}
	if c.Qty > e.house.AssetRoom(c.Instr) {
		return msg.RejectOverflow
	}
	if row == 0 && !e.house.CanTake(c.Account) {
		return msg.RejectTableFull
	}
	return 0
}
