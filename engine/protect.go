package engine

import (
	"github.com/lockstep-exchange/lockstep/book"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/riskgate"
)

// Market-maker protection (D-108). The quotes of an account stand in groups; what a group trades is counted over a window of sequenced time,
// and where it reaches a limit the group trips: no quote of it comes in any more, and those that stand go, ahead of other mass cancels, with
// the command that brought the trade. What one command may not take out goes with the next ones.
//
//	window    eight slices and the one under way: a trade counts for the window at least, and an eighth longer at most
//
//	          | -8 | -7 | -6 | -5 | -4 | -3 | -2 | -1 |  0 |
//	            ^ the oldest that counts                ^ now
//
//	guards    by row: a group; those of an account are a list
//
// A limit is reached, not passed: who states 10 has traded 10 at most, and what one more order took on its way.

// guard is a group of an account, with its limits and what it has traded.
type guard struct {
	msg.Protection
	qty, delta [guardSlices + 1]int64 // by slice, in billionths of a unit
	slice      int64                  // the one under way
	until      fixed.Nanos            // no quotes come in before; 0: it has not tripped
	account    msg.AccountID          // 0: a free row
	next       uint32                 // of the same account
}

const (
	guardSlices = 8
	// guardsPerOwner is how many groups the accounts of an owner have at most, so that no one of them has all.
	guardsPerOwner = 32
	// guardsPerSession is how many groups there are, to a session.
	guardsPerSession = 2
	// windowMax is the longest window, and freezeMax the longest freeze.
	windowMax = fixed.Hour
	freezeMax = fixed.Day
	// tripsMax is how many groups trip with one command at once; more trip with the next.
	tripsMax = 16
	// billion is units to a unit of a limit.
	billion = 1_000_000_000
)

// guards are the groups of all accounts.
type guards struct {
	rows  []guard  // row 0 is none
	first []uint32 // by account
	live  int
}

func newGuards(l *Limits) guards {
	g := guards{rows: make([]guard, guardsPerSession*l.Sessions+1), first: make([]uint32, uint64(l.Accounts)+1)}
	for i := range g.rows {
		g.rows[i].until = 0
	}
	return g
}

// find is the row of a group, 0 where there is none.
func (g *guards) find(account msg.AccountID, group uint16) uint32 {
	row := g.first[account]
	for row != 0 && g.rows[row].Group != group {
		row = g.rows[row].next
	}
	return row
}

// setProtection states the limits of a group, or ends it.
func (e *Engine) setProtection(c *msg.Command) {
	p := c.Protection()
	var o riskgate.Order
	r := msg.Reject(0)
	if !c.Sound() || p.Group == 0 || p.Window < 0 || p.Window > windowMax || p.Freeze < 0 || p.Freeze > freezeMax || p.Qty < 0 || p.Delta < 0 ||
		p.Window > 0 && p.Qty == 0 && p.Delta == 0 {
		r = msg.RejectValueOutOfRange
	} else {
		r = e.gate.Enter(&c.Request, &o, riskgate.Cancels, false)
	}
	row := uint32(0)
	if r == 0 {
		if row = e.guards.find(c.Account, p.Group); row == 0 && p.Window > 0 {
			if row = e.freeGuard(o.Account.Owner); row == 0 {
				r = msg.RejectTableFull
			}
		}
	}
	if r != 0 {
		e.refuse(c, r, o.Bound, o.Actual)
		return
	}

	g := &e.guards.rows[row]
	switch {
	case p.Window == 0 && row != 0:
		e.timers.clear(guardTimer, row)
		e.guards.leave(row)
	case p.Window > 0:
		e.timers.clear(guardTimer, row)
		if g.account == 0 {
			g.account, g.next = c.Account, e.guards.first[c.Account]
			e.guards.first[c.Account] = row
			e.guards.live++
		}
		*g = guard{Protection: p, account: g.account, next: g.next}
	}
	e.answer(msg.ProtectionSet, c).Rare = msg.Rare{c.Rare[0], c.Rare[1], c.Rare[2], c.Rare[3], c.Rare[4]}
}

// freeGuard is a free row for a group of an owner, 0 where there is none, or he has as many as he may.
func (e *Engine) freeGuard(owner msg.OwnerID) (row uint32) {
	of := 0
	for i := len(e.guards.rows) - 1; i > 0; i-- {
		switch g := &e.guards.rows[i]; {
		case g.account == 0:
			row = uint32(i)
		case e.house.Account(g.account).Owner == owner:
			of++
		}
	}
	if of >= guardsPerOwner {
		return 0
	}
	return row
}

// leave frees a row.
func (g *guards) leave(row uint32) {
	at := &g.first[g.rows[row].account]
	for *at != row {
		at = &g.rows[*at].next
	}
	*at = g.rows[row].next
	g.rows[row] = guard{}
	g.live--
}

// guarded is why no quote comes into a group now, 0 where it may.
func (e *Engine) guarded(account msg.AccountID, group uint16) msg.Reject {
	if group == 0 {
		return 0
	}
	row := e.guards.find(account, group)
	switch {
	case row == 0:
		return msg.RejectInvalidParameter
	case e.guards.rows[row].until > e.now:
		return msg.RejectMmpFrozen
	}
	return 0
}

// guardFills counts the trades of makers that are in groups.
func (e *Engine) guardFills(instr msg.InstrumentID, maker msg.Side) {
	for i := range e.fills {
		if f := &e.fills[i]; f.Kind == book.Trade {
			if group := e.store.TagOf(f.Maker).Group; group != 0 {
				e.guardTrade(f.Account, group, instr, maker, f.Qty, f.Session)
			}
		}
	}
}

// guardTrade counts a trade of a group, which may trip it.
func (e *Engine) guardTrade(account msg.AccountID, group uint16, instr msg.InstrumentID, side msg.Side, lots fixed.Lots, session msg.SessionID) {
	row := e.guards.find(account, group)
	if row == 0 || lots == 0 {
		return
	}
	const most = 1 << 58 // of a slice: their sum fits
	units, ok := fixed.MulDivCeil(int64(lots), billion, max(int64(e.instruments[instr].UnitLots), 1))
	if !ok || units > most {
		units = most
	}
	g := &e.guards.rows[row]
	g.turn(e.now)
	slot := g.slice % (guardSlices + 1)
	g.qty[slot] = min(g.qty[slot]+units, most)
	if side == msg.Sell {
		units = -units
	}
	g.delta[slot] = max(-most, min(g.delta[slot]+units, most))
	traded, delta := g.traded()
	if g.until > e.now || (g.Qty == 0 || traded < g.Qty) && (g.Delta == 0 || fixed.Abs(delta) < g.Delta) {
		return
	}
	g.until = MaxTime
	if g.Freeze != 0 {
		g.until = min(e.now+g.Freeze, MaxTime)
	}
	t := trip{row: row, instr: instr, session: session}
	if e.trips < tripsMax {
		e.tripped[e.trips] = t
		e.trips++
		return
	}
	e.set(guardTimer, row, t.id(), e.now)
}

// turn lets slices that are over their time be empty.
func (g *guard) turn(now fixed.Nanos) {
	at := int64(now / max(g.Window/guardSlices, 1))
	for n := 0; g.slice < at && n <= guardSlices; n++ {
		g.slice++
		g.qty[g.slice%(guardSlices+1)], g.delta[g.slice%(guardSlices+1)] = 0, 0
	}
	g.slice = at
}

// traded is what counts at present: traded on either side, and bought less sold.
func (g *guard) traded() (qty, delta int64) {
	for i := range g.qty {
		qty += g.qty[i]
		delta += g.delta[i]
	}
	return qty, delta
}

// trip is a group that has reached a limit, and where.
type trip struct {
	row     uint32
	instr   msg.InstrumentID
	session msg.SessionID
}

// id is a trip as the id of its timer: what it has to tell when it comes to that.
func (t trip) id() uint64 { return uint64(t.row)<<32 | uint64(t.instr)<<16 | uint64(t.session) }

// tripOf is the trip of an id.
func tripOf(id uint64) trip {
	return trip{row: uint32(id >> 32), instr: msg.InstrumentID(id >> 16 & 0xFFFF), session: msg.SessionID(id)}
}

// disownTrips lets groups that wait to be told of not be told to a session that is over: its row is another one's.
func (e *Engine) disownTrips(id msg.SessionID) {
	for row := range e.guards.rows {
		if e.guards.live == 0 || !e.timers.isSet(guardTimer, uint32(row)) {
			continue
		}
		slot := e.timers.base[guardTimer] + uint32(row)
		if t := tripOf(e.timers.key[slot] & (1<<idBits - 1)); t.session == id {
			t.session = 0
			e.set(guardTimer, t.row, t.id(), e.timers.at[slot])
		}
	}
}

// trip begins to take out the quotes of the groups that have reached a limit. One for which there is no place, or no room to tell it,
// waits for the next command.
func (e *Engine) trip() {
	for _, t := range e.tripped[:e.trips] {
		if !e.trippable(t.row) {
			e.set(guardTimer, t.row, t.id(), e.now)
			continue
		}
		e.takeOut(t)
	}
	e.trips = 0
}

// trippable reports whether there is a place for the mass cancel of a group, and room to tell it.
func (e *Engine) trippable(row uint32) bool {
	return e.spare() > 0 && !e.jobs.fullOf(msg.CanceledByProtection, e.house.Account(e.guards.rows[row].account).Owner)
}

// takeOut tells that a group has tripped, and begins to take out its quotes.
func (e *Engine) takeOut(t trip) {
	g := &e.guards.rows[t.row]
	traded, _ := g.traded()
	ev := e.emit(msg.ProtectionTripped)
	ev.Account, ev.Instr, ev.Session = g.account, t.instr, t.session
	told := msg.Trip{Traded: traded, Until: g.until, Group: g.Group}
	if g.Freeze == 0 {
		told.Until = 0
	}
	ev.SetTrip(told)
	e.jobs.push(job{scope: msg.ScopeAccount, account: g.account, owner: e.house.Account(g.account).Owner, group: g.Group,
		cursor: e.house.Account(g.account).Orders, reason: msg.CanceledByProtection})
}

// Protection is the limits of a group of an account, and until when it is frozen, 0 where it is not; ok is false where there is no such group.
func (e *Engine) Protection(account msg.AccountID, group uint16) (p msg.Protection, until fixed.Nanos, ok bool) {
	if uint32(account) > e.limits.Accounts {
		return p, 0, false
	}
	row := e.guards.find(account, group)
	if row == 0 || group == 0 {
		return p, 0, false
	}
	g := &e.guards.rows[row]
	if until = g.until; until <= e.now {
		until = 0
	}
	return g.Protection, until, true
}

func (g *guards) hash(d *fixed.Digest) {
	for row := range g.rows {
		r := &g.rows[row]
		if r.account == 0 {
			continue
		}
		d.Pair(uint32(row), uint32(r.account))
		d.Word(uint64(r.Group))
		for _, w := range [...]int64{r.Qty, r.Delta, int64(r.Window), int64(r.Freeze), r.slice, int64(r.until)} {
			d.Word(uint64(w))
		}
		for i := range r.qty {
			d.Word(uint64(r.qty[i]))
			d.Word(uint64(r.delta[i]))
		}
	}
}

func (g *guard) code(c *fixed.Codec) {
	fixed.Half(c, &g.account)
	fixed.Quarter(c, &g.Group)
	fixed.Word(c, &g.Qty)
	fixed.Word(c, &g.Delta)
	fixed.Word(c, &g.Window)
	fixed.Word(c, &g.Freeze)
	fixed.Words(c, g.qty[:])
	fixed.Words(c, g.delta[:])
	fixed.Word(c, &g.slice)
	fixed.Word(c, &g.until)
}

// relateGuards refuses groups of accounts that there are not, and lists those of each account.
func (e *Engine) relateGuards(c *fixed.Codec) {
	c.Begin("guards")
	for row := range e.guards.rows {
		g := &e.guards.rows[row]
		if *g == (guard{}) {
			continue
		}
		if row == 0 || uint32(g.account) > e.limits.Accounts || e.house.Account(g.account) == nil || g.Group == 0 || g.Window <= 0 ||
			e.guards.find(g.account, g.Group) != 0 {
			c.Refuse(row, "a group of an account that there is not, or twice")
			return
		}
		g.next, e.guards.first[g.account] = e.guards.first[g.account], uint32(row)
		e.guards.live++
	}
}
