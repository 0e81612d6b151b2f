// Package engine is the exchange of one shard: it decides who is asked in which order. A command goes down the house once
// and comes up as events; nothing calls back.
//
//	Apply ── left-over work ── gate ── book ── clearing ── events
//	            expiries,      no, or   who     what it      what everyone
//	            mass cancels   yes      trades  costs whom   is told
//
// One thread at a time uses an Engine. It has no goroutine, clock, log or file; equal Limits and equal commands give equal
// events and an equal Hash, whatever the machine, the build or the batches in which the commands came.
package engine

import (
	"slices"

	"github.com/lockstep-exchange/lockstep/book"
	"github.com/lockstep-exchange/lockstep/clearing"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/margin"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/riskgate"
)

// Engine is the state of a shard. All tables are made by New; Apply allocates nothing, but for the price index of an
// instrument when it is listed, and when its market wanders where it never was.
type Engine struct {
	limits      Limits
	seq         msg.Seq
	now         fixed.Nanos
	trades      msg.TradeID
	instruments []market.Instrument // by id
	books       []*book.Book        // by id, nil where nothing is listed
	prices      []priced            // by id
	underlyings []quoted            // by id
	store       *book.Store
	house       *clearing.House
	venue       market.Venue
	gate        riskgate.Gate
	clients     clients
	jobs        jobs
	quotes      []quote // by position row
	quoting     quoting
	guards      guards
	timers      timers
	adl         adl             // of the pool that is attended to
	gains       []margin.Winner // realized by it so far
	found       []margin.Winner // of those who may close it

	// Scratch, not state.
	asOf      fixed.Nanos // when what happens now was due
	swept     msg.Seq     // the command for which budget counts
	budget    int64       // pools that it may still examine
	reviewed  int         // accounts that it has looked at in a review
	searched  msg.Seq     // the command for which rows counts
	rows      uint32      // positions at which it may still look for winners
	wake      fixed.Nanos // nothing is due and no work is left over before it
	out       []msg.Event // the caller's, with room for all that this command may tell
	first     int         // where its events begin
	told      int         // where the next one goes
	counted   int         // up to where sessions have counted
	fills     []book.Fill
	parts     []book.Part
	asked     msg.Command    // of a client, with the account of its order
	sweeps    bool           // a client's mass cancel has begun
	working   uint32         // the position of the order that is being worked: not to be given back meanwhile
	tripped   [tripsMax]trip // groups that have reached a limit with this command, and have not been told of
	trips     int
	kept      int  // events that are kept back while an order trades
	still     bool // nobody is examined: tests of what lies below the ladder
	unchecked bool
	stride    uint32 // rowsMax, less in tests
	afar      bool   // the tables are beyond the nearer caches
	wide      bool   // and so are the instruments and their books
}

// New makes an engine with nothing listed and nobody in it. It allocates every table and touches its pages. The error names
// the limit that is out of range.
func New(limits Limits) (*Engine, error) {
	l, err := limits.Complete()
	if err != nil {
		return nil, err
	}
	e := &Engine{
		limits:      l,
		instruments: make([]market.Instrument, l.Instruments+1),
		books:       make([]*book.Book, l.Instruments+1),
		prices:      make([]priced, l.Instruments+1),
		underlyings: make([]quoted, l.Underlyings+1),
		store:       book.NewStore(l.Orders, l.Levels, l.blocks()),
		venue:       market.NewVenue(),
		fills:       newFills(l.Events),
		parts:       make([]book.Part, 0, l.Events),
		jobs:        newJobs(l.Jobs),
		afar:        max(l.Accounts, l.Positions, l.Orders) > foreseeFrom,
		wide:        l.Instruments > approachFrom,
		stride:      rowsMax,
	}
	e.house = clearing.New(clearing.Limits{Accounts: l.Accounts, Positions: l.Positions, Orders: l.Orders,
		AccountPositions: l.AccountPositions, OwnerAccounts: l.OwnerAccounts,
		Touched: 2*l.Events + 64}, e.instruments)
	e.house.Calm(e.venue.Ladder.Call1)
	e.timers = newTimers(l.timers(uint32(e.house.Pools())))
	e.gains, e.found = make([]margin.Winner, 0, e.gainsMax()), make([]margin.Winner, 0, e.foundMax())
	e.gate = riskgate.Gate{House: e.house, Instruments: e.instruments, Venue: &e.venue,
		Sessions: make(riskgate.Sessions, l.Sessions), Keys: make(riskgate.Keys, l.Sessions)}
	e.clients = newClients(&l)
	e.quotes = newQuotes(e.house.Rows())
	e.guards = newGuards(&l)
	return e, nil
}

// newFills is room for n fills. Like every other table it has been written to page by page, so that no command pays for the
// first use of one (L-12).
func newFills(n uint32) []book.Fill {
	fills := make([]book.Fill, n)
	for i := range fills {
		fills[i].Qty = 0
	}
	return fills[:0]
}

// newQuotes is a table for n positions, touched likewise.
func newQuotes(n uint32) []quote {
	quotes := make([]quote, n)
	for i := range quotes {
		quotes[i].key = 0
	}
	return quotes
}

// newEvents is room for n events, touched likewise.
func newEvents(n uint32) []msg.Event {
	events := make([]msg.Event, n)
	for i := range events {
		events[i].Seq = 0
	}
	return events[:0]
}

// Limits are the engine's, defaults filled in.
func (e *Engine) Limits() Limits { return e.limits }

// Seq is the number of the last command applied.
func (e *Engine) Seq() msg.Seq { return e.seq }

// Now is the time of the last command applied.
func (e *Engine) Now() fixed.Nanos { return e.now }

// Storage is what was said last of the room that the journal has.
func (e *Engine) Storage() msg.Storage { return e.venue.Storage }

// SetChecks turns the self-checks of Apply on, as they are from the start, or off, to measure what they cost. They compare
// each sixteenth command's account with a full recomputation, its rung with its health, and its book with the rule that it is never
// crossed, and panic where they differ: a broken invariant is our own fault, and nothing after it can be trusted.
func (e *Engine) SetChecks(on bool) { e.unchecked = !on }

// MaxTime is the latest engine time, in the year 2116: days, quotas and expiries beyond it still fit.
const MaxTime fixed.Nanos = 1 << 62

// Apply applies one stamped command and appends its events to out, at most Limits.Events of them and at least one. The
// command's Seq is one above the last, and its Time not below: anything else is a fault of the caller, and panics. It
// allocates only if out has no room for Limits.Events more.
func (e *Engine) Apply(c *msg.Command, out []msg.Event) []msg.Event {
	if c.Seq != e.seq+1 || c.Time < e.now {
		outOfSequence()
	}
	e.seq, e.now = c.Seq, c.Time
	e.first, e.told, e.counted = len(out), len(out), len(out)
	e.out = slices.Grow(out, int(e.limits.Events))[:len(out)+int(e.limits.Events)]
	if c.Time >= e.wake {
		if e.quoting.count != 0 && !e.continues(c) {
			e.answerQuote()
		}
		e.carryOn()
		if e.house.Restless() {
			e.ahead(c.Account)
		}
		e.trip()
	}
	turn := c
	if c.Session != 0 {
		turn = e.receive(c)
	}
	if turn != nil {
		switch turn.Kind {
		case msg.KindLimit:
			if !e.placePlain(turn) {
				e.place(turn)
			}
		case msg.KindCancel:
			if !e.cancelPlain(turn) {
				e.cancel(turn)
			}
		case msg.KindMarket, msg.KindPlace:
			e.place(turn)
		case msg.KindAmend:
			if !e.amendPlain(turn) {
				e.amend(turn)
			}
		default:
			e.administer(turn)
		}
	}
	if e.house.Restless() || e.jobs.walks != 0 || e.trips != 0 {
		e.follow()
	}
	if e.told == e.first {
		e.answer(msg.Ticked, c) // nothing has changed, or a mass cancel has not come to an order of its own yet
	}
	if e.clients.live != 0 {
		e.number(c)
	}
	if c.Seq%checkEvery == 0 && !e.unchecked {
		e.check(c)
	}
	return e.out[:e.told]
}

const checkEvery = 16

func outOfSequence() {
	panic("engine: a command out of sequence: Seq must be the last plus one, Time must not run back nor pass MaxTime")
}

// check is the self-check of one command.
func (e *Engine) check(c *msg.Command) {
	if e.house.Account(c.Account) != nil {
		kept := e.house.Check(c.Account)
		if e.house.Fresh(c.Account) != nil && !e.house.Restless() && e.jobs.shedding.pool == 0 && !e.still {
			e.house.CheckRung(c.Account, kept, &e.venue)
		}
	}
	if b := e.bookOf(c.Instr); b != nil {
		if bid, ok := b.Best(msg.Buy); ok && b.Crosses(msg.Sell, bid) && b.Crosses(msg.Buy, bid) {
			panic("engine: a book is crossed")
		}
	}
}

// bookOf is the book of a listed instrument, else nil.
func (e *Engine) bookOf(id msg.InstrumentID) *book.Book {
	if uint64(id) >= uint64(len(e.books)) {
		return nil
	}
	return e.books[id]
}

// instrument is a listed instrument, else nil.
func (e *Engine) instrument(id msg.InstrumentID) *market.Instrument {
	if e.bookOf(id) == nil {
		return nil
	}
	return &e.instruments[id]
}

// emit opens the next event of this command; the caller fills in what its kind says. Everything in line 1 is set.
func (e *Engine) emit(kind msg.EventKind) *msg.Event {
	n := e.told
	ev := &e.out[n]
	e.told = n + 1
	ev.Seq, ev.Time = e.seq, e.now
	ev.Order, ev.Ref, ev.Price, ev.Qty = 0, 0, 0, 0
	ev.Account, ev.Instr = 0, 0
	ev.Session, ev.Index, ev.Reject, ev.Reason, ev.Kind, ev.Side = 0, uint16(n-e.first), 0, 0, kind, 0
	return ev
}

// event opens the next event of this command, which does not say more yet than which it is.
func (e *Engine) event() (ev *msg.Event) {
	at := e.told
	ev = &e.out[at]
	ev.Seq, ev.Time, ev.Index = e.seq, e.now, uint16(at-e.first)
	e.told = at + 1
	return
}

// tell opens the next event of this command about an order: all that line 1 has, qty lots being the event's. It is small
// enough to be inlined.
func (e *Engine) tell(kind msg.EventKind, h uint32, o *book.Order, t *book.Ticket, qty fixed.Lots) (ev *msg.Event) {
	ev = e.event()
	ev.Order, ev.Qty, ev.Session, ev.Side = msg.OrderID(o.Gen)<<32|msg.OrderID(h), qty, o.Session, o.Side
	ev.Ref, ev.Price, ev.Account, ev.Instr = t.Ref, t.Price, t.Account, t.Instr
	ev.Kind, ev.Reason, ev.Reject = kind, 0, 0
	return
}

// answer opens an event that answers a command.
func (e *Engine) answer(kind msg.EventKind, c *msg.Command) *msg.Event {
	ev := e.emit(kind)
	ev.Ref, ev.Account, ev.Instr, ev.Session = c.Ref, c.Account, c.Instr, c.Session
	return ev
}

// refuse answers a command with a reject.
//
//go:noinline
func (e *Engine) refuse(c *msg.Command, r msg.Reject, bound, actual int64) {
	ev := e.answer(msg.Rejected, c)
	ev.Order, ev.Price, ev.Qty, ev.Side, ev.Reject = c.Order, c.Price, c.Qty, c.Side, r
	ev.SetRefusal(msg.Refusal{Limit: bound, Actual: actual, Asked: c.Kind})
}

// touch brings an account up to date, and tells of the rebate that vested and the funding that was paid by it.
func (e *Engine) touch(id msg.AccountID) {
	if vested, funding, paid := e.house.Touch(id); paid || vested != 0 {
		e.updated(id, vested, funding, paid)
	}
}

// look is touch for the ladder, which looks at accounts that have done nothing.
func (e *Engine) look(id msg.AccountID) {
	if vested, funding, paid := e.house.Look(id); paid || vested != 0 {
		e.updated(id, vested, funding, paid)
	}
}

//go:noinline
func (e *Engine) updated(id msg.AccountID, vested, funding fixed.Money, paid bool) {
	cash := e.house.Account(id).Cash
	if paid {
		ev := e.emit(msg.FundingPaid)
		ev.Account = id
		ev.SetBalance(msg.Balance{Amount: -funding, Cash: cash - vested})
	}
	if vested != 0 {
		ev := e.emit(msg.RebateVested)
		ev.Account = id
		ev.SetBalance(msg.Balance{Amount: vested, Cash: cash})
	}
}

// Hash is the hash of the whole state. It walks every table.
func (e *Engine) Hash() uint64 {
	var d fixed.Digest
	e.limits.hash(&d)
	d.Word(uint64(e.seq))
	d.Word(uint64(e.now))
	d.Word(uint64(e.trades))
	e.venue.Hash(&d)
	for id := range e.instruments {
		if e.instruments[id].Type != 0 {
			d.Word(uint64(id))
			e.instruments[id].Hash(&d)
			e.books[id].Hash(&d)
			e.prices[id].hash(&d)
		}
	}
	for id := range e.underlyings {
		if u := &e.underlyings[id]; u.Sources != 0 {
			d.Word(uint64(id))
			u.Hash(&d)
			d.Pair(uint32(u.first), u.count)
		}
	}
	e.store.Hash(&d)
	e.house.Hash(&d)
	e.gate.Sessions.Hash(&d)
	e.gate.Keys.Hash(&d)
	e.clients.hash(&d)
	e.jobs.hash(&d)
	e.hashQuotes(&d)
	e.guards.hash(&d)
	e.hashAdl(&d)
	e.timers.hash(&d)
	return d.Sum()
}
