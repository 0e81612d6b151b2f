package engine

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/margin"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// The index of an underlying, its health, and what follows for the instruments on it (M-32, M-33).
//
//	report ──> underlying ──> index, health ──> of each of its instruments: mark, prohibitions, phase
//	silence ────^ oracleTimer
//
// All instruments of an underlying follow at once, with the command or timer that moved it. So that this is bounded, an
// underlying has no more of them than a sixteenth of the events of one command: with left-over work before it, a report still
// finds room to mark all of them and to move their phases.
//
// A mark that cannot follow is kept: the index is less than a tick, or so high that a position which was there would be
// worth more than one may. Then the instrument is frozen for itself, whatever the health of the index: nobody adds risk,
// pays funding or is liquidated at a price that is known to be wrong, and whoever wants may reduce.

// quoted is an underlying with the instruments on it.
type quoted struct {
	market.Underlying
	first msg.InstrumentID // the last one listed; the others follow by priced.next
	count uint32
}

// priced is where the prices of an instrument come from, what its mark is made of, and its funding.
type priced struct {
	underlying msg.UnderlyingID // 0: none
	next       msg.InstrumentID // of the same underlying
	index      fixed.Ticks      // of the underlying in ticks; 0: none
	stuck      bool             // the mark cannot follow the index
	halted     bool             // the phase is halted for the health of the index alone
	marker     market.Marker
	funding    market.Funding
}

func (p *priced) hash(d *fixed.Digest) {
	d.Pair(uint32(p.underlying), uint32(p.next))
	d.Word(uint64(p.index))
	d.Pair(word(p.stuck), word(p.halted))
	p.marker.Hash(d)
	p.funding.Hash(d)
}

func word(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}

// instrumentsOf is how many instruments an underlying may have.
func (e *Engine) instrumentsOf() uint32 { return e.limits.Events / 16 }

// quote is an underlying that is listed, else nil.
func (e *Engine) quote(id msg.UnderlyingID) *quoted {
	if int(id) >= len(e.underlyings) || e.underlyings[id].Sources == 0 {
		return nil
	}
	return &e.underlyings[id]
}

// listUnderlying brings an underlying into being, without an index.
func (e *Engine) listUnderlying(c *msg.Command) {
	u := c.Underlying()
	if u.ID == 0 || int(u.ID) >= len(e.underlyings) {
		e.refuse(c, msg.RejectTableFull, int64(e.limits.Underlyings), int64(u.ID))
		return
	}
	if r := e.underlyings[u.ID].List(u); r != 0 {
		e.refuse(c, r, 0, int64(u.Sources))
		return
	}
	e.answer(msg.UnderlyingListed, c).Rare = c.Rare
}

// canPrice refuses a listing on an underlying that there is not or that has no room, and a mark from one that it has not.
func (e *Engine) canPrice(l *msg.Listing) msg.Reject {
	u := e.quote(l.Underlying)
	switch {
	case l.Mark > msg.MarkComposite, u == nil && (l.Underlying != 0 || l.Mark != msg.MarkManual):
		return msg.RejectInvalidParameter
	case u != nil && u.count == e.instrumentsOf():
		return msg.RejectTableFull
	}
	return 0
}

// price ties an instrument that has just been listed to its underlying; canPrice has been asked.
func (e *Engine) price(id msg.InstrumentID, l *msg.Listing) {
	p, in := &e.prices[id], &e.instruments[id]
	p.marker.List(l.Mark)
	p.funding.List()
	in.SetMarkMode(l.Mark)
	if l.Underlying == 0 {
		return
	}
	u := &e.underlyings[l.Underlying]
	p.underlying, p.next = l.Underlying, u.first
	u.first = id
	u.count++
	e.schedule(id, e.now)
	if u.Health != 0 {
		e.lead(id, u, e.now, true)
	}
}

// report takes in what a source says.
func (e *Engine) report(c *msg.Command) {
	r := c.Report()
	u := e.quote(r.Underlying)
	if u == nil {
		e.refuse(c, msg.RejectInvalidParameter, 0, int64(r.Underlying))
		return
	}
	change, no := u.Report(r, c.Time, &e.venue)
	if no != 0 {
		e.refuse(c, no, int64(u.Sources), int64(r.Source))
		return
	}
	told := e.told
	e.changed(r.Underlying, u, change, c.Time, c)
	if e.told == told { // what left-over work told of answers nobody
		e.answer(msg.Ticked, c)
	}
}

// silence lets the time pass at which an index changes although nobody has said anything.
func (e *Engine) silence(id msg.UnderlyingID, at fixed.Nanos) {
	u := &e.underlyings[id]
	e.changed(id, u, u.Advance(at, &e.venue), at, nil)
}

// recheck lets every index be judged anew, since a rule about them has changed: before the next command.
func (e *Engine) recheck() {
	for id := range e.underlyings {
		if e.underlyings[id].Health != 0 {
			e.set(oracleTimer, uint32(id), uint64(id), e.now)
		}
	}
}

// changed tells what has become of an index, and lets its instruments follow. c is the command that changed it, or nil.
func (e *Engine) changed(id msg.UnderlyingID, u *quoted, change market.OracleChange, at fixed.Nanos, c *msg.Command) {
	if due := u.Due(&e.venue); due != market.Never {
		e.set(oracleTimer, uint32(id), uint64(id), due)
	} else {
		e.timers.clear(oracleTimer, uint32(id))
	}
	if change.From != change.To {
		e.tellOf(msg.OracleHealth, c).SetHealthStep(msg.HealthStep{Underlying: id, From: change.From, To: change.To})
	}
	if change.Moved {
		e.tellOf(msg.IndexUpdated, c).SetIndexStep(msg.IndexStep{Underlying: id, Index: u.Index, Confidence: u.Confidence})
	}
	if !change.Moved && change.From == change.To {
		return
	}
	for instr := u.first; instr != 0; instr = e.prices[instr].next {
		e.lead(instr, u, at, change.Moved)
	}
}

// tellOf opens an event that a command or, with nil, time has brought about.
func (e *Engine) tellOf(kind msg.EventKind, c *msg.Command) *msg.Event {
	if c != nil {
		return e.answer(kind, c)
	}
	return e.emit(kind)
}

// lead brings an instrument to the index and the health of its underlying.
func (e *Engine) lead(id msg.InstrumentID, u *quoted, at fixed.Nanos, moved bool) {
	p, in := &e.prices[id], &e.instruments[id]
	if moved && u.Index != 0 {
		p.index = in.IndexTicks(u.Index)
		if in.SetIndex(u.Index); margin.Pledged(in) {
			e.house.Remark()
			e.house.Moved(id)
		}
		e.remark(id, at)
	}
	e.permit(id)
	switch {
	case u.Health == msg.OracleHalted && in.Phase != msg.Closed && in.Phase != msg.Halted:
		p.halted = true
		e.move(id, msg.Halted)
	case u.Health != msg.OracleHalted && p.halted:
		p.halted = false
		e.move(id, msg.CallAuction)
	}
}

// permit lets the gate know what the health of the index forbids.
func (e *Engine) permit(id msg.InstrumentID) {
	p := &e.prices[id]
	health := e.underlyings[p.underlying].Health
	if p.stuck {
		health = max(health, msg.Frozen)
	}
	if in := &e.instruments[id]; in.Health != health {
		in.SetHealth(health)
		e.house.Moved(id)
	}
}

// move moves an instrument to a phase and tells of it.
func (e *Engine) move(id msg.InstrumentID, to msg.Phase) {
	in := &e.instruments[id]
	from := in.Phase
	in.SetPhase(to)
	ev := e.emit(msg.PhaseChanged)
	ev.Instr = id
	ev.SetPhaseStep(msg.PhaseStep{From: from, To: to})
}
