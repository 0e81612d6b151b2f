package engine

import (
	"strconv"

	"github.com/lockstep-exchange/lockstep/book"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/margin"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/riskgate"
)

// A snapshot is the state of an engine as bytes: all that can change an event or an answer, and nothing else (D-38). Who restores
// it goes on where the other stood: the same events, the same order ids, the same hash.
//
//	engine ── Snapshot ──> pieces of bytes ──> whoever keeps them ──> pieces of bytes ── Restore ──> engine
//
// The bytes are tables in the order of code, below; fixed.Codec draws them. What is stored of a package and what is built anew
// from it, its snapshot.go says. Scratch of the engine is neither.

// snapshotFormat is the version of the bytes. It goes up whenever code, or what it calls, stores something else.
const snapshotFormat = 7

// Snapshot hands over the state as bytes, in pieces of at most 64 KiB that are good until put returns; put returns false to
// end it early. It reads every table, and the engine must not be used meanwhile. Equal histories give equal bytes.
func (e *Engine) Snapshot(put func(piece []byte) bool) {
	c := fixed.NewWriter(put)
	hash := e.Hash()
	e.code(c, &hash)
	c.End()
}

// Restore makes an engine of the bytes of a snapshot, which come in pieces of any size; take gives the next one, and an empty
// one at the end. Limits are those that the engine must have; they bound what is allocated, whatever the bytes are. The error
// says what limit is out of range, or in which table, row and byte the snapshot is not one of such an engine (fixed.Misread).
func Restore(limits Limits, take func() []byte) (*Engine, error) {
	e, err := New(limits)
	if err != nil {
		return nil, err
	}
	c := fixed.NewReader(take)
	hash := uint64(0)
	e.code(c, &hash)
	c.End()
	if err := c.Err(); err != nil {
		return nil, err
	}
	if got := e.Hash(); got != hash {
		c.Begin("engine")
		c.Refuse(0, "state hash "+strconv.FormatUint(hash, 16)+", the tables have "+strconv.FormatUint(got, 16))
	}
	if err := c.Err(); err != nil {
		return nil, err
	}
	return e, nil
}

// code is the list of all that is state: Fork copies it, Hash covers it. A table that is added is one line here, or in the Code
// of the package that has it.
func (e *Engine) code(c *fixed.Codec, hash *uint64) {
	if format := c.Open("lockstep state", snapshotFormat, 1<<31-1); format != snapshotFormat {
		c.Refuse(0, "format "+strconv.Itoa(format)+", expected "+strconv.Itoa(snapshotFormat))
		return
	}
	e.limits.code(c)
	c.Open("engine", 1, 1)
	fixed.Word(c, hash)
	fixed.Word(c, &e.seq)
	fixed.Word(c, &e.now)
	fixed.Word(c, &e.trades)
	e.venue.Code(c)
	fixed.Rows(c, "instruments", e.instruments, market.Instrument{}, (*market.Instrument).Code)
	fixed.Rows(c, "prices", e.prices, priced{}, (*priced).code)
	fixed.Rows(c, "underlyings", e.underlyings, quoted{}, (*quoted).code)
	e.store.Code(c)
	e.codeBooks(c)
	e.house.Code(c)
	e.gate.Sessions.Code(c)
	e.gate.Keys.Code(c)
	fixed.Rows(c, "clients", e.clients.rows, session{}, (*session).code)
	e.jobs.code(c)
	fixed.Rows(c, "quotes", e.quotes, quote{}, (*quote).code)
	e.quoting.code(c)
	fixed.Rows(c, "guards", e.guards.rows, guard{}, (*guard).code)
	e.timers.code(c)
	e.codeDistress(c)
	if c.Reading() && c.Err() == nil {
		e.relate(c)
	}
}

// code codes the limits, and refuses others than the engine has.
func (l *Limits) code(c *fixed.Codec) {
	mine := l.all()
	c.Open("limits", len(mine), len(mine))
	for i, v := range mine {
		had := *v
		if fixed.Half(c, &had); had != *v {
			c.Refuse(i, "limit "+strconv.FormatUint(uint64(had), 10)+", expected "+strconv.FormatUint(uint64(*v), 10))
		}
	}
}

func (p *priced) code(c *fixed.Codec) {
	fixed.Quarter(c, &p.underlying)
	fixed.Half(c, &p.next)
	fixed.Word(c, &p.index)
	c.Flag(&p.stuck)
	c.Flag(&p.halted)
	p.marker.Code(c)
	p.funding.Code(c)
}

func (u *quoted) code(c *fixed.Codec) {
	u.Underlying.Code(c)
	fixed.Half(c, &u.first)
	fixed.Half(c, &u.count)
}

// codeBooks codes the books of the instruments that are listed.
func (e *Engine) codeBooks(c *fixed.Codec) {
	listed := 0
	for id := range e.instruments {
		if e.instruments[id].Type != 0 {
			listed++
		}
	}
	if n := c.Open("books", listed, listed); n != listed || e.instruments[0].Type != 0 {
		c.Refuse(0, "another number of books than of instruments")
		return
	}
	for id := range e.instruments {
		if e.instruments[id].Type == 0 || c.Err() != nil {
			continue
		}
		if c.Reading() {
			e.books[id] = book.Blank(e.store, msg.InstrumentID(id))
		}
		e.books[id].Code(c)
	}
	if c.Reading() && c.Err() == nil {
		e.store.Verify(c)
	}
}

// code codes the mass cancels under way, the next one first.
func (q *jobs) code(c *fixed.Codec) {
	q.count = c.Open("jobs", q.count, len(q.ring))
	for i := 0; i < q.count && c.Err() == nil; i++ {
		j := q.at(i)
		fixed.Half(c, &j.account)
		fixed.Half(c, &j.owner)
		fixed.Half(c, &j.instr)
		fixed.Half(c, &j.cursor)
		fixed.Word(c, &j.canceled)
		fixed.Word(c, &j.ref)
		fixed.Half(c, &j.asker)
		fixed.Quarter(c, &j.session)
		fixed.Byte(c, &j.scope)
		fixed.Byte(c, &j.side)
		fixed.Byte(c, &j.reason)
		fixed.Quarter(c, &j.group)
		c.Flag(&j.lists)
	}
}

// codeDistress codes the pool that the ladder attends to, and what is known of it.
func (e *Engine) codeDistress(c *fixed.Codec) {
	s := &e.jobs.shedding
	c.Open("distress", 1, 1)
	fixed.Half(c, &s.pool)
	fixed.Half(c, &s.cursor)
	fixed.Word(c, &s.canceled)
	c.Flag(&s.all)
	fixed.Byte(c, &s.from)
	fixed.Half(c, &e.adl.rank)
	fixed.Half(c, &e.adl.leg)
	fixed.Half(c, &e.adl.row)
	c.Flag(&e.adl.whole)
	e.gains = codeWinners(c, "gains", e.gains, e.gainsMax())
	e.found = codeWinners(c, "winners", e.found, e.foundMax())
	if c.Reading() {
		if e.jobs.walks = e.jobs.count; s.pool != 0 {
			e.jobs.walks++
		}
		e.house.Calm(e.venue.Ladder.Call1)
	}
}

func codeWinners(c *fixed.Codec, table string, list []margin.Winner, most int) []margin.Winner {
	count := c.Open(table, len(list), most)
	for i := 0; i < count && c.Err() == nil; i++ {
		if c.Reading() {
			list = append(list, margin.Winner{})
		}
		w := &list[i]
		fixed.Half(c, &w.Account)
		fixed.Half(c, &w.Row)
		fixed.Word(c, &w.Weight)
		fixed.Word(c, &w.Lots)
		fixed.Word(c, &w.Gain)
		fixed.Word(c, &w.Moved)
	}
	return list
}

// code codes the timers that are set, by slot.
func (t *timers) code(c *fixed.Codec) {
	set := c.Open("timers", int(t.count), len(t.at))
	if c.Reading() {
		t.read(c, set)
		return
	}
	for slot := range t.at {
		if t.place[slot] != 0 {
			at := uint32(slot)
			fixed.Half(c, &at)
			fixed.Word(c, &t.at[slot])
			fixed.Word(c, &t.key[slot])
		}
	}
}

func (t *timers) read(c *fixed.Codec, set int) {
	for i := range set {
		slot, at, key := uint32(0), fixed.Nanos(0), uint64(0)
		fixed.Half(c, &slot)
		fixed.Word(c, &at)
		fixed.Word(c, &key)
		if c.Err() != nil {
			return
		}
		kind := timerKind(key >> idBits)
		if kind >= timerKinds || slot < t.base[kind] || slot >= t.base[kind+1] || t.place[slot] != 0 {
			c.Refuse(i, "a slot that is not one of its kind, or twice")
			return
		}
		t.set(kind, slot-t.base[kind], key&(1<<idBits-1), at)
	}
}

func (s *session) code(c *fixed.Codec) {
	c.Bytes(s.uuid[:])
	fixed.Word(c, &s.next)
	fixed.Word(c, &s.server)
	fixed.Word(c, &s.since)
	fixed.Half(c, &s.window)
	fixed.Quarter(c, &s.terms)
	fixed.Quarter(c, &s.version)
	fixed.Byte(c, &s.kind)
	fixed.Byte(c, &s.cancel)
	fixed.Byte(c, &s.state)
	c.Flag(&s.goes)
}

// relateClients refuses sessions of keys and owners that there are not, and lists the drop copies.
func (e *Engine) relateClients(c *fixed.Codec) {
	c.Begin("keys")
	for id := range e.gate.Keys {
		if k := &e.gate.Keys[id]; k.Role > msg.RoleTreasury || uint32(k.Owner) > e.limits.Accounts || uint32(k.Account) > e.limits.Accounts ||
			id == 0 && *k != (riskgate.Key{}) {
			c.Refuse(id, "a key of a role, owner or account that there is not")
			return
		}
	}
	c.Begin("clients")
	for id := range e.clients.rows {
		row, s := &e.clients.rows[id], &e.gate.Sessions[id]
		switch {
		case uint64(s.Key) >= uint64(len(e.gate.Keys)), (row.state != 0) != (s.Key != 0), row.state >= sessionStates,
			uint32(s.Owner) > e.limits.Accounts, row.state == 0 && *row != (session{}), row.kind > msg.FeedSnapshot:
			c.Refuse(id, "a session that has no key, or is of none")
			return
		case row.state != 0 && row.state != finalized:
			e.clients.enlist(msg.SessionID(id), s.Owner)
		}
	}
}

// relate refuses what names something that there is not.
func (e *Engine) relate(c *fixed.Codec) {
	e.relateClients(c)
	e.relateQuotes(c)
	e.relateGuards(c)
	c.Begin("engine")
	if e.now < 0 || e.now > MaxTime {
		c.Refuse(0, "the time is none")
	}
	c.Begin("underlyings")
	for id := range e.underlyings {
		u, n := &e.underlyings[id], uint32(0)
		for at := u.first; at != 0 && n <= u.count; at = e.prices[at].next {
			if e.bookOf(at) == nil || e.prices[at].underlying != msg.UnderlyingID(id) {
				n = u.count
			}
			n++
		}
		if n != u.count || u.Sources == 0 && u.count != 0 {
			c.Refuse(id, "the instruments in its list are not its own")
			return
		}
	}
	c.Begin("prices")
	for id := range e.prices {
		if p := &e.prices[id]; int(p.underlying) >= len(e.underlyings) || *p != (priced{}) && e.bookOf(msg.InstrumentID(id)) == nil {
			c.Refuse(id, "of an instrument or underlying that is not listed")
			return
		}
	}
	c.Begin("jobs")
	for i := range e.jobs.count {
		j := e.jobs.at(i)
		if j.cursor > e.limits.Orders || uint32(j.account) > e.limits.Accounts || uint32(j.asker) > e.limits.Accounts ||
			uint32(j.owner) > e.limits.Accounts || uint32(j.session) >= e.limits.Sessions || j.instr != 0 && e.bookOf(j.instr) == nil {
			c.Refuse(i, "a mass cancel of something that there is not")
			return
		}
	}
	c.Begin("distress")
	if s := &e.jobs.shedding; int64(s.pool) >= int64(e.house.Pools()) || s.cursor > e.limits.Orders {
		c.Refuse(0, "a pool that there is not")
	}
	c.Begin("winners")
	for i := range e.found {
		if w := &e.found[i]; e.house.Account(w.Account) == nil || w.Row >= e.house.Rows() {
			c.Refuse(i, "of nobody")
			return
		}
	}
	if max(e.adl.leg, e.adl.row) > e.house.Rows() {
		c.Refuse(0, "a search beyond all positions")
	}
	c.Begin("gains")
	for i := range e.gains {
		if g := &e.gains[i]; e.house.Account(g.Account) == nil || int(g.Row) >= e.house.Pools() {
			c.Refuse(i, "of nobody")
			return
		}
	}
	c.Begin("timers")
	for i, slot := range e.timers.heap[:e.timers.count] {
		if !e.canFire(slot) {
			c.Refuse(i, "a timer of something that there is not")
			return
		}
	}
}

// canFire reports whether there is what a timer is of.
func (e *Engine) canFire(slot uint32) bool {
	kind, id := timerKind(e.timers.key[slot]>>idBits), e.timers.key[slot]&(1<<idBits-1)
	n := slot - e.timers.base[kind]
	switch kind {
	case tierTimer:
		return id <= uint64(e.limits.Accounts)+1
	case oracleTimer:
		return e.quote(msg.UnderlyingID(n)) != nil
	case markTimer, fundingTimer:
		return e.bookOf(msg.InstrumentID(n)) != nil
	case emptyTimer, lapseTimer:
		return e.gate.Sessions.Keyed(msg.SessionID(n))
	case guardTimer:
		return e.guards.rows[n].account != 0 && tripOf(id).row == n && e.gate.Sessions.Has(tripOf(id).session)
	case deadManTimer:
		return e.house.Account(msg.AccountID(n)) != nil
	}
	return true
}
