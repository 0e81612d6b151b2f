package engine

import (
	"github.com/lockstep-exchange/lockstep/book"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/riskgate"
)

// cancelAll takes out the orders that an account has now. MassCanceled follows when the last is out, with this command or
// a later one.
func (e *Engine) cancelAll(c *msg.Command) {
	var o riskgate.Order
	r := msg.RejectValueOutOfRange
	if c.Side <= msg.Sell {
		r = e.gate.Enter(&c.Request, &o, riskgate.Cancels, false)
	}
	switch {
	case r != 0:
	case e.jobs.of(c.Account):
		r = msg.RejectRateLimited // one at a time; it ends within a few commands
	case e.jobs.full():
		r = msg.RejectTableFull
	}
	if r != 0 {
		e.refuse(c, r, o.Bound, o.Actual)
		return
	}

	e.touch(c.Account)
	e.jobs.push(job{scope: msg.ScopeAccount, account: c.Account, instr: c.Instr, side: c.Side, asker: c.Account,
		ref: c.Ref, session: c.Session, cursor: e.house.Account(c.Account).Orders, reason: msg.CanceledByMass})
	e.sweeps = e.gate.Sessions.Keyed(c.Session)
}

// answerSweep answers a client's mass cancel that goes on with the next commands: each message has one answer at its place.
func (e *Engine) answerSweep(c *msg.Command) {
	for i := range e.jobs.count {
		if j := e.jobs.at(i); j.reason == msg.CanceledByMass && j.asker == c.Account {
			ev := e.answer(msg.MassCancelBegun, c)
			ev.Qty, ev.Side, ev.Rare = j.canceled, c.Side, msg.Rare{uint64(j.scope)}
			return
		}
	}
}

// setEntry turns the kill switch of a scope. What it cancels goes with this command and, beyond what one command may do,
// with the next ones; until then the scope cannot be opened again.
func (e *Engine) setEntry(c *msg.Command) {
	en := c.Entry()
	r := msg.Reject(0)
	if c.Session != 0 {
		r = e.mayTurn(c, en)
	}
	if r == 0 {
		r = e.entryAllowed(c, en)
	}
	if r != 0 {
		e.refuse(c, r, 0, 0)
		return
	}

	state := en.Action
	if state == msg.Unblock {
		state = 0
	}
	switch en.Scope {
	case msg.ScopeAccount:
		e.house.SetEntry(c.Account, state)
	case msg.ScopeOwner:
		e.house.SetOwnerEntry(en.Owner, state)
	case msg.ScopeInstrument:
		e.instruments[c.Instr].SetEntry(state)
	case msg.ScopeVenue:
		e.venue.Entry = state
	}
	ev := e.answer(msg.EntryChanged, c)
	ev.Rare = msg.Rare{c.Rare[0], c.Rare[1], c.Rare[2]}
	emptied := e.jobs.over(en.Scope, c.Account, en.Owner, c.Instr)
	if en.Action == msg.BlockAndCancel && (c.Session == 0 || !emptied) {
		e.jobs.push(e.killing(c, en))
	}
}

// mayTurn refuses a session the turn of a kill switch that is not in its scope, and to open what is closed: that is the venue's to do
// (D-94).
func (e *Engine) mayTurn(c *msg.Command, en msg.Entry) msg.Reject {
	s := &e.gate.Sessions[c.Session]
	was := msg.Action(0)
	switch en.Scope {
	case msg.ScopeAccount:
		a := e.house.Account(c.Account)
		if s.May&riskgate.MayKill == 0 || a != nil && !s.Owns(c.Account, a) {
			return msg.RejectNotPermitted
		} else if a == nil {
			return msg.RejectUnknownAccount
		}
		was = e.house.Statement(c.Account).Entry
	case msg.ScopeOwner:
		if s.May&riskgate.MayKill == 0 || s.Account != 0 || s.Owner != 0 && s.Owner != en.Owner {
			return msg.RejectNotPermitted
		}
		if o := e.house.Owner(en.Owner); o != nil {
			was = o.Entry
		}
	case msg.ScopeInstrument, msg.ScopeVenue:
		if s.May&riskgate.MayHalt == 0 {
			return msg.RejectNotPermitted
		}
		if was = e.venue.Entry; en.Scope == msg.ScopeInstrument && e.bookOf(c.Instr) != nil {
			was = e.instruments[c.Instr].Entry
		}
	}
	if riskgate.Strictness(en.Action) < riskgate.Strictness(was) || en.Action == msg.Unblock {
		return msg.RejectNotPermitted
	}
	return 0
}

// entryAllowed refuses a turn that names nobody, or that opens what is still being emptied.
func (e *Engine) entryAllowed(c *msg.Command, en msg.Entry) msg.Reject {
	switch {
	case en.Action < msg.Block || en.Action > msg.Unblock:
		return msg.RejectValueOutOfRange
	case en.Scope == msg.ScopeAccount && e.house.Account(c.Account) == nil,
		en.Scope == msg.ScopeOwner && e.house.Owner(en.Owner) == nil:
		return msg.RejectUnknownAccount
	case en.Scope == msg.ScopeInstrument && e.bookOf(c.Instr) == nil:
		return msg.RejectUnknownInstrument
	case en.Scope < msg.ScopeAccount || en.Scope > msg.ScopeVenue:
		return msg.RejectValueOutOfRange
	case en.Action == msg.BlockAndCancel && e.jobs.fullOf(msg.CanceledByKill, e.gate.Sessions[c.Session].Owner):
		return msg.RejectTableFull
	case (en.Action == msg.Unblock || en.Action == msg.ReduceEntry) && e.jobs.over(en.Scope, c.Account, en.Owner, c.Instr):
		return msg.RejectEntryBlocked
	}
	return 0
}

// killing is the job that empties a scope.
func (e *Engine) killing(c *msg.Command, en msg.Entry) job {
	j := job{scope: en.Scope, asker: c.Account, ref: c.Ref, session: c.Session, reason: msg.CanceledByKill}
	switch en.Scope {
	case msg.ScopeAccount:
		j.account, j.owner = c.Account, e.house.Account(c.Account).Owner
		j.cursor = e.house.Account(c.Account).Orders
	case msg.ScopeOwner:
		j.owner, j.account = en.Owner, e.house.Owner(en.Owner).First
		j.cursor = e.house.Account(j.account).Orders
	case msg.ScopeInstrument:
		j.instr = c.Instr
	}
	return j
}

// idle reports whether a reduce-only order has nothing to reduce.
func (e *Engine) idle(h uint32) bool {
	o := e.store.Order(h)
	if o.Flags&book.ReduceOnly == 0 {
		return false
	}
	held := e.house.Position(e.house.Claim(h).Position).Qty
	if o.Side == msg.Buy {
		held = -held
	}
	return held <= 0
}
