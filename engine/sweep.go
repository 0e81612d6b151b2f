package engine

import (
	"github.com/lockstep-exchange/lockstep/clearing"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Sweeping: whoever may have crossed a threshold of the ladder is examined (M-46, M-58).
//
//	after a command, and after each timer
//	   those whom it filled or paid and who are not certainly ok     by account and instrument
//	   crossed wires                                                 by instrument, level, account
//	   those without wires, where a mark, a sum or a rule moved      as they were touched
//	   everybody, where a rule moved                                 by account
//
// One command examines no more than sweep-limit pools. The rest waits in the state, and the next command goes on with it before
// anything else; an account whose own command comes is examined before that.

// A command looks at reviewMax accounts in a review, a few at a time: most have nothing to be examined.
const reviewMax, reviewStep = 4096, 64

// examRoom is how many events an examination may need besides orders canceled and makers met.
const examRoom = 48

// sweep examines whoever waits, as far as this command may.
//
//go:noinline
func (e *Engine) sweep() {
	if e.still {
		e.house.Hush()
		return
	}
	if e.swept != e.seq {
		e.swept, e.budget, e.reviewed = e.seq, e.venue.Sweep.Limit, 0
	}
	e.house.Begin()
	for e.sweepOne() {
	}
	e.house.Gather(&e.venue, 0)
	e.house.Calmed()
}

// sweepOne examines one pool, and reports whether there may be more to do that this command may do.
func (e *Engine) sweepOne() bool {
	if e.jobs.shedding.pool != 0 && !e.attend() {
		return false
	}
	e.house.Gather(&e.venue, int(e.budget))
	if e.budget <= 0 || e.spare() < examRoom {
		return false
	}
	p, ok := e.house.Next()
	if ok {
		e.budget--
		e.examine(p)
		return true
	}
	if e.reviewed >= reviewMax || !e.house.Reviewing() {
		return false
	}
	e.reviewed += reviewStep
	e.house.Advance(reviewStep)
	return true
}

// spare is how many events this command may still tell.
func (e *Engine) spare() int { return int(e.limits.Events) - (e.told - e.first) - eventsBesides }

// waits tells how many pools wait to be examined.
//
//go:noinline
func (e *Engine) waits() {
	e.wake = 0
	if n := e.house.Waiting(sweepCount); n > 0 {
		ev := e.emit(msg.SweepPending)
		ev.Qty, ev.Rare = fixed.Lots(n), msg.Rare{}
	}
}

// sweepCount is how many crossed wires are counted at most.
const sweepCount = 1000

// ahead examines the pools of an account whose command comes, while others wait.
func (e *Engine) ahead(id msg.AccountID) {
	if e.house.Account(id) == nil || e.jobs.shedding.pool != 0 {
		return
	}
	e.examine(clearing.Cross(id))
	for row := e.house.Account(id).Positions; row != 0 && e.jobs.shedding.pool == 0; {
		next := e.house.Position(row).Next
		if p := e.house.PoolOf(row); p != clearing.Cross(id) {
			e.examine(p)
		}
		row = next
	}
}

// examine looks at a pool: it goes to the rung where it belongs, and what that asks for is begun. Then it has new wires, or where it
// was filled alone waits without them for the next move.
func (e *Engine) examine(p clearing.Pool) {
	id, row := e.house.Members(p)
	e.look(id)
	j := e.house.Judge(p, &e.venue, e.called(p))
	if j.To == j.From {
		e.settle(p, &j)
		return
	}
	if j.To == msg.RungTakeover {
		e.takeOver(p, j.From)
		return
	}
	e.enter(p, &j)
	switch {
	case j.To == msg.RungLiquidating:
		e.begin(p, j.From, true)
		e.attend()
		return
	case j.To == msg.RungCall2 && j.From < j.To:
		e.begin(p, j.From, false)
		if !e.attend() {
			return
		}
	case j.To == msg.RungOK && row != 0 && e.house.Position(row).Qty == 0:
		e.end(row)
		return
	}
	e.settle(p, &j)
}

// called is the time at which a pool is judged. The deadline of a first call does not come before its timer, even where time has leapt beyond
// it: what is due earlier finds the orders of the pool.
func (e *Engine) called(p clearing.Pool) fixed.Nanos {
	if e.house.Rung(p) == msg.RungCall1 && e.timers.isSet(ladderTimer, uint32(p)) {
		return 0
	}
	return e.asOf
}

// settle lets a pool that stands where it belongs be, once it has been settled where it has nothing but a debt (M-46).
func (e *Engine) settle(p clearing.Pool, j *clearing.Verdict) {
	if e.house.Insolvent(p) > 0 {
		e.begin(p, j.To, true)
		if !e.attend() {
			return
		}
	}
	e.house.Rewire(p, &e.venue, j.Held)
}

// enter lets a pool stand on another rung, and tells of it.
func (e *Engine) enter(p clearing.Pool, j *clearing.Verdict) {
	deadline := e.house.Enter(p, j, &e.venue, e.asOf)
	kind := msg.MarginCall
	switch {
	case j.To == msg.RungLiquidating:
		kind = msg.LiquidationStarted
	case j.From == msg.RungLiquidating:
		kind = msg.LiquidationEnded
	case j.To < j.From:
		kind = msg.MarginCallCleared
	}
	e.timers.clear(ladderTimer, uint32(p))
	if deadline != 0 {
		e.set(ladderTimer, uint32(p), e.house.Order(p), deadline)
	}
	e.tellStep(kind, p, &msg.RungStep{From: j.From, To: j.To, Deadline: deadline, Equity: j.Equity, Maintenance: j.Maintenance})
}

// tellStep tells of a step of a pool on the ladder.
func (e *Engine) tellStep(kind msg.EventKind, p clearing.Pool, s *msg.RungStep) {
	ev := e.emit(kind)
	id, row := e.house.Members(p)
	ev.Account = id
	if row != 0 {
		ev.Instr, s.Isolated = msg.InstrumentID(e.house.Position(row).Instr), true
	}
	ev.SetRungStep(s)
}

// end lets an isolated position that is flat and ok be one no longer.
func (e *Engine) end(row uint32) {
	q := e.house.Position(row)
	if m := e.house.GiveBack(row); m != 0 {
		e.tellMoved(q.Account, msg.InstrumentID(q.Instr), -m)
	}
	if e.house.Short() != 0 {
		e.cover()
	}
	e.house.Release(e.house.PoolOf(row))
	e.tidy(row)
}
