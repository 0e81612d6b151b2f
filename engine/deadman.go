package engine

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/riskgate"
)

// The dead-man of an account (W-44): a deadline in engine time, which whoever minds the account puts off again and again. When a command
// comes at or after it, whatever it is, the account's orders go. The deadline is a timer and nothing else, so it is in the
// state, and it survives a lost connection and a restart.

// setDeadMan arms the dead-man of an account, puts it off, or disarms it with a deadline of 0.
func (e *Engine) setDeadMan(c *msg.Command) {
	var o riskgate.Order
	if r := e.gate.Enter(&c.Request, &o, riskgate.Cancels, false); r != 0 {
		e.refuse(c, r, o.Bound, o.Actual)
		return
	}
	at := c.Deadline()
	if at != 0 && (at < c.Time+msg.DeadlineMin || at > c.Time+msg.DeadlineMax) {
		bound := c.Time + msg.DeadlineMin
		if at > bound {
			bound = c.Time + msg.DeadlineMax
		}
		e.refuse(c, msg.RejectValueOutOfRange, int64(bound), int64(at))
		return
	}

	if at == 0 {
		e.timers.clear(deadManTimer, uint32(c.Account))
	} else {
		e.set(deadManTimer, uint32(c.Account), uint64(c.Account), at)
	}
	e.answer(msg.DeadManSet, c).Rare = msg.Rare{uint64(at)}
}

// expireDeadMan lets the orders of an account go whose deadline has passed.
func (e *Engine) expireDeadMan(id msg.AccountID, at fixed.Nanos) {
	ev := e.emit(msg.DeadManExpired)
	ev.Account, ev.Rare = id, msg.Rare{uint64(at)}
	e.jobs.push(job{scope: msg.ScopeAccount, account: id, cursor: e.house.Account(id).Orders, reason: msg.CanceledByDeadMan})
}

// Deadline is when the orders of an account go; 0: its dead-man is not armed.
func (e *Engine) Deadline(id msg.AccountID) fixed.Nanos {
	if uint32(id) > e.limits.Accounts || !e.timers.isSet(deadManTimer, uint32(id)) {
		return 0
	}
	return e.timers.at[e.timers.base[deadManTimer]+uint32(id)]
}
