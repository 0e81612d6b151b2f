package engine

import (
	"github.com/lockstep-exchange/lockstep/clearing"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Work left over: a command does a bounded part of it, and what remains is a cursor in the state that the next
// command carries on, whatever it is, before anything of its own.
//
//	what is due       orders that expire and timers, in order of time, an order before a timer of the same time
//	mass cancels      a queue of jobs, the urgent ones first, then first come first done, then lists of orders
//
// One compare finds out whether there is any: wake is the earliest time at which something is due, or 0 where work waits.
// It may be too early, when what it stood for has gone, and is never too late; carryOn finds it anew.
//
// A job over an account walks its list of claims from where it stood when the job came towards older ones; new orders go
// to the head of the list and are not met. A job over an instrument or the venue takes the first order of each side until
// there is none, since entry is blocked before it starts.

// stepsMax is how many orders left-over work looks at in one command.
const stepsMax = 256

// job is a mass cancel under way.
type job struct {
	account  msg.AccountID    // whose list is walked; 0: that of no account
	owner    msg.OwnerID      // whose list, with ScopeOwner; of an urgent one of an account its owner
	instr    msg.InstrumentID // ScopeInstrument, ScopeVenue: the book that is emptied; else a filter, 0: all
	cursor   uint32           // the next order of the list
	canceled fixed.Lots       // orders so far
	ref      msg.Ref          // of the command that asked
	asker    msg.AccountID
	session  msg.SessionID // that asked, or whose orders go
	scope    msg.Scope
	side     msg.Side // a filter, 0: both
	reason   msg.Reason
	group    uint16 // with CanceledByProtection: of the quotes that go
	lists    bool   // it states the orders, and takes none
}

// noReason is that of a job that takes no orders: it lets those of a session that lost its row be nobody's, or lists them.
const noReason msg.Reason = 0

// alone reports whether nobody asked for a job: a connection or a dead-man did not go on, a group has tripped.
func (j *job) alone() bool {
	return j.ofRow() || j.reason == msg.CanceledByDeadMan || j.reason == msg.CanceledByProtection
}

// ofRow reports whether a job is about the orders of a session.
func (j *job) ofRow() bool {
	return j.reason == msg.CanceledByDisconnect || j.reason == noReason && !j.lists
}

// jobs is a bounded queue of jobs.
type jobs struct {
	ring        []job
	head, count int
	shedding    shedding // the pool that the ladder attends to
	walks       int      // how many walk along a list of orders: the jobs, and the ladder
}

// killSlots are kept for the kill switch, and for market-maker protection: no crowd of mass cancels, lost connections or dead-men may stand in its way. As many again are
// kept for the venue's own turns of it: no crowd of clients may stand in their way, and no client alone in that of the others.
const killSlots = 16

func newJobs(n uint32) jobs { return jobs{ring: make([]job, n+2*killSlots)} }

// full reports whether there is no room for one more that is no turn of the kill switch.
func (q *jobs) full() bool { return q.count >= len(q.ring)-2*killSlots }

// fullOf reports whether there is no room for one more urgent job of a reason: of an owner, or with owner 0 by the venue. Where others have all
// places that are everybody's, an owner has one of each reason.
func (q *jobs) fullOf(reason msg.Reason, owner msg.OwnerID) bool {
	if owner == 0 {
		return q.count == len(q.ring)
	}
	if q.count >= len(q.ring)-killSlots {
		return true
	}
	for i := 0; q.full() && i < q.count; i++ {
		if j := q.at(i); j.reason == reason && j.owner == owner {
			return true
		}
	}
	return false
}

// disown takes a session that is over out of the jobs that it asked for: nobody waits for their answers, and its row is another one's.
func (q *jobs) disown(id msg.SessionID) {
	for i := range q.count {
		if j := q.at(i); j.session == id && !j.ofRow() {
			j.session = 0
		}
	}
}

// of reports whether an account has a mass cancel under way that it asked for.
func (q *jobs) of(account msg.AccountID) bool {
	for i := 0; i < q.count; i++ {
		if j := q.at(i); j.asker == account && j.reason == msg.CanceledByMass {
			return true
		}
	}
	return false
}

// lists reports whether a list of an account's orders is under way, and whether there is room for one more: half of the places at most are for
// lists.
func (q *jobs) lists(account msg.AccountID) (has, full bool) {
	n := 0
	for i := range q.count {
		if j := q.at(i); j.lists {
			n++
			has = has || j.asker == account
		}
	}
	return has, q.full() || 2*n >= len(q.ring)-2*killSlots
}

func (q *jobs) at(i int) *job { return &q.ring[(q.head+i)%len(q.ring)] }

// urgent reports whether a job goes before others: of the kill switch, or of market-maker protection.
func (j *job) urgent() bool {
	return j.reason == msg.CanceledByKill || j.reason == msg.CanceledByProtection
}

// push puts a job at the end of the queue, but before lists; one that is urgent at its front.
func (q *jobs) push(j job) {
	q.count++
	q.walks++
	if j.urgent() {
		q.head = (q.head + len(q.ring) - 1) % len(q.ring)
		*q.at(0) = j
		return
	}
	at := q.count - 1
	for ; at > 0 && !j.lists && q.at(at-1).lists; at-- {
		*q.at(at) = *q.at(at - 1)
	}
	*q.at(at) = j
}

func (q *jobs) pop() {
	q.ring[q.head] = job{}
	q.head = (q.head + 1) % len(q.ring)
	q.count--
	q.walks--
}

// leave moves the cursors that stand on an order that is about to leave its list.
func (q *jobs) leave(house *clearing.House, order uint32) {
	if q.shedding.cursor == order && order != 0 {
		q.shedding.cursor = house.Claim(order).Next
	}
	for i := 0; i < q.count; i++ {
		if j := q.at(i); j.cursor == order {
			j.cursor = house.Claim(order).Next
		}
	}
}

// over reports whether a job of a scope is still under way; id is the scope's owner, account or instrument.
func (q *jobs) over(scope msg.Scope, account msg.AccountID, owner msg.OwnerID, instr msg.InstrumentID) bool {
	for i := 0; i < q.count; i++ {
		j := q.at(i)
		if j.scope == scope && j.reason == msg.CanceledByKill && (scope == msg.ScopeVenue ||
			scope == msg.ScopeAccount && j.asker == account || scope == msg.ScopeOwner && j.owner == owner ||
			scope == msg.ScopeInstrument && j.instr == instr) {
			return true
		}
	}
	return false
}

func (q *jobs) hash(d *fixed.Digest) {
	if s := &q.shedding; s.pool != 0 {
		d.Pair(uint32(s.pool), s.cursor)
		d.Word(uint64(s.canceled))
		d.Word(uint64(s.from)<<1 | uint64(word(s.all)))
	}
	for i := 0; i < q.count; i++ {
		j := q.at(i)
		d.Pair(uint32(j.account), uint32(j.owner))
		d.Pair(uint32(j.instr), j.cursor)
		d.Word(uint64(j.canceled))
		d.Word(uint64(j.ref))
		d.Pair(uint32(j.asker), uint32(j.session))
		d.Word(uint64(word(j.lists))<<48 | uint64(j.group)<<32 | uint64(j.scope)<<16 | uint64(j.side)<<8 | uint64(j.reason))
	}
}

// eventsPerStep is how many events a step of left-over work brings at most: funding and a rebate of the account that it
// touches, and its own.
const eventsPerStep = 3

// steps is how many orders left-over work may look at now.
func (e *Engine) steps() int {
	return min(stepsMax, (int(e.limits.Events)-(e.told-e.first)-eventsBesides)/4)
}

// carryOn starts the day and does the left-over work that waits when a command comes.
//
//go:noinline
func (e *Engine) carryOn() {
	if e.now > MaxTime {
		outOfSequence()
	}
	e.asOf = e.now
	if e.now >= e.house.Cut() {
		e.startDay()
	}
	if e.house.Restless() || e.jobs.shedding.pool != 0 {
		e.sweep()
	}
	for left := e.steps(); left > 0 && !e.house.Restless() && e.jobs.shedding.pool == 0; left-- {
		if !e.nextDue() {
			break
		}
		if e.house.Restless() {
			e.sweep()
		}
	}
	e.asOf = e.now
	e.trip() // before the command, which may be about the group
	e.runJobs()
	if e.house.Restless() {
		e.sweep()
	}
	e.wake = 0
	if e.jobs.walks == 0 && !e.house.Restless() && e.quoting.count == 0 {
		e.wake = min(e.earliest(), MaxTime+1)
	}
}

// follow does what follows from a command: pools that it moved are examined, and mass cancels go on.
//
//go:noinline
func (e *Engine) follow() {
	e.asOf = e.now
	if e.house.Restless() {
		e.sweep()
	}
	e.trip()
	if e.jobs.walks != 0 {
		e.runJobs()
		e.wake = 0
		if e.house.Restless() {
			e.sweep()
		}
		e.trip()
	}
	if e.house.Restless() {
		e.waits()
	}
}

// startDay is the work of a day cut that is not left to later touches: the fund evens out what rounding left of funding, and
// owners come into the fee tiers of what they traded.
func (e *Engine) startDay() {
	e.house.StartDay(e.now)
	if m := e.house.EvenFunding(); m != 0 {
		kind := msg.FundIncome
		if m < 0 {
			kind = msg.FundDraw
		}
		e.emit(kind).SetBalance(msg.Balance{Amount: fixed.Abs(m), Cash: e.house.Venue.Fund})
	}
	if e.house.Tiered() {
		e.tellTiers(e.now)
	}
}

// earliest is the time at which something is due next: the day cut at the latest.
func (e *Engine) earliest() fixed.Nanos {
	at := e.house.Cut()
	if h := e.store.Soonest(); h != 0 {
		at = min(at, e.store.Expire(h))
	}
	if due, _, _, _, ok := e.timers.earliest(); ok {
		at = min(at, due)
	}
	return at
}

// nextDue does the one thing that is due first, and reports whether there was any for which half of the command's events have
// room. What a timer does it does as of the time at which it was due, however late the command comes that lets it.
func (e *Engine) nextDue() bool {
	at, kind, n, id, set := e.timers.earliest()
	room := int(e.limits.Events)/2 - (e.told - e.first)
	if h := e.store.Due(e.now); h != 0 && (!set || e.store.Expire(h) <= at) {
		if room < eventsPerStep {
			return false
		}
		e.expire(h)
		return true
	}
	if !set || at > e.now || room < e.tells(kind, n) || (kind == emptyTimer || kind == deadManTimer) && e.jobs.full() || kind == guardTimer && !e.trippable(n) {
		return false
	}
	e.timers.clear(kind, n)
	e.asOf = at
	e.fire(kind, n, id, at)
	return true
}

// expire takes out an order that has reached its time.
func (e *Engine) expire(h uint32) {
	o, t := e.store.Order(h), e.store.Ticket(h)
	e.asOf = e.store.Expire(h)
	e.touch(t.Account)
	e.tell(msg.Expired, h, o, t, o.Leaves).SetChange(&msg.Change{Filled: t.Filled})
	e.remove(e.books[t.Instr], &e.instruments[t.Instr], h, o, t, e.house.Claim(h).Position)
}

// runJobs goes on with the mass cancels.
//
//go:noinline
func (e *Engine) runJobs() {
	for left := e.steps(); left > 0 && e.jobs.count > 0; left-- {
		j := e.jobs.at(0)
		if j.lists {
			if e.stateNext(j, 1); j.cursor == 0 {
				e.jobs.pop()
			}
			continue
		}
		h := e.nextOf(j)
		if h == 0 {
			e.finished(j)
			e.jobs.pop()
			continue
		}
		t := e.store.Ticket(h)
		if !e.meant(j, h) {
			e.pass(j, h)
			continue
		}
		j.canceled++
		e.touch(t.Account)
		by := &msg.Command{Request: msg.Request{Ref: j.ref, Session: j.session}}
		if j.alone() {
			by = nil
		}
		e.take(e.books[t.Instr], &e.instruments[t.Instr], h, j.reason, by)
	}
}

// nextOf is the next order that a job looks at, 0 when it is done.
func (e *Engine) nextOf(j *job) uint32 {
	switch j.scope {
	case msg.ScopeInstrument:
		return e.front(j.instr)
	case msg.ScopeVenue:
		for ; int(j.instr) < len(e.books); j.instr++ {
			if h := e.front(j.instr); h != 0 {
				return h
			}
		}
		return 0
	case msg.ScopeOwner:
		for j.cursor == 0 && j.account != 0 {
			if j.account = e.house.Statement(j.account).Next; j.account != 0 {
				j.cursor = e.house.Account(j.account).Orders
			}
		}
	}
	return j.cursor
}

// front is the first order of a book, bids before asks.
func (e *Engine) front(id msg.InstrumentID) uint32 {
	b := e.bookOf(id)
	if b == nil {
		return 0
	}
	if h := b.First(msg.Buy); h != 0 {
		return h
	}
	return b.First(msg.Sell)
}

// meant reports whether a job takes an order that it looks at.
func (e *Engine) meant(j *job, h uint32) bool {
	if j.scope == msg.ScopeInstrument || j.scope == msg.ScopeVenue {
		return true
	}
	if j.instr != 0 && e.store.Ticket(h).Instr != j.instr || j.side != 0 && e.store.Order(h).Side != j.side {
		return false
	}
	switch j.reason {
	case msg.CanceledReduceOnly:
		return e.idle(h)
	case msg.CanceledByDisconnect:
		return e.store.Order(h).Session == j.session && !e.store.Tag(h).Persist
	case msg.CanceledByDeadMan:
		return !e.store.Tag(h).Persist
	case msg.CanceledByProtection:
		return e.store.Tag(h).Group == j.group
	case noReason:
		return false
	}
	return true
}

// finished tells who asked for a mass cancel that it is done; what the engine does on its own account has no end to tell.
func (e *Engine) finished(j *job) {
	if j.reason == msg.CanceledReduceOnly || j.alone() {
		return
	}
	ev := e.emit(msg.MassCanceled)
	ev.Ref, ev.Account, ev.Session, ev.Qty, ev.Side = j.ref, j.asker, j.session, j.canceled, j.side
	if j.scope != msg.ScopeVenue {
		ev.Instr = j.instr
	}
	ev.Rare = msg.Rare{uint64(j.scope)}
	if j.scope == msg.ScopeOwner {
		ev.Rare[2] = uint64(j.owner)
	}
}

// shed starts a job over the reduce-only orders of a position that a fill of delta lots has closed or turned: there is
// nothing left for them. Where no job is to be had, they go when they are met.
func (e *Engine) shed(row uint32, delta fixed.Lots) {
	p := e.house.Position(row)
	before := p.Qty - delta
	if before == 0 || p.Qty != 0 && (p.Qty < 0) == (before < 0) || e.house.Ledger(row).ReduceOnly == 0 || e.jobs.full() {
		return
	}
	e.jobs.push(job{scope: msg.ScopeAccount, account: p.Account, instr: msg.InstrumentID(p.Instr), asker: p.Account,
		cursor: e.house.Account(p.Account).Orders, reason: msg.CanceledReduceOnly})
}
