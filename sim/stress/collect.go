package stress

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// What a run is told: the collector folds the events of the engine and of nothing else into what was called, sold and paid. Where an event
// of the fund names no account, the pool that was last spoken of in the same command is its cause.

// record is one event that somebody may ask about.
type record struct {
	Seq         msg.Seq
	Time        fixed.Nanos
	Kind        msg.EventKind
	Account     msg.AccountID // 0: the venue
	Instr       msg.InstrumentID
	Isolated    bool
	From, To    msg.Rung
	Side        msg.Side
	Qty         fixed.Lots
	Price       fixed.Ticks
	Mark        fixed.Ticks // of Instr, 0 where there is none
	Equity      fixed.Money
	Maintenance fixed.Money
	Amount      fixed.Money // moved; of a slice what the mark would have paid more
	Fee         fixed.Money
	Position    fixed.Lots  // left
	Balance     fixed.Money // of the fund, or the deficit, after it
	health      msg.Health
	phase       msg.Phase
	cause       msg.AccountID // of an event of the fund
	late        bool          // a second call that time has made of a first one
}

// tally is what came to one account.
type tally struct {
	calls1, calls2, cleared int
	liquidations, slices    int
	takeovers, adl, fills   int // adl: its own pool was closed; fills: its winning positions were
	slippage, fees          fixed.Money
	socialized              fixed.Money
	worst                   msg.Rung
	initial                 fixed.Money // at the start
	posted                  fixed.Money // at the start: what stands behind its positions
	before, after           fixed.Money // equity, isolated positions and all
	records                 []int       // of its own
}

// pool is an account, or with an instrument its isolated position there.
type pool struct {
	account msg.AccountID
	instr   msg.InstrumentID
}

// collector is a fold over the events of a run.
type collector struct {
	deadlines       map[pool]fixed.Nanos // of first calls
	book            []tally              // by account id, counterparty and maker too
	records         []record
	marks           []fixed.Ticks // by instrument
	lowest, highest []fixed.Ticks // marks so far
	tickLot         []fixed.Money
	opened          bool // the opening is over

	calls1, calls2          int64
	started, slices         int64
	takeovers, adl, fills   int64
	sold, slippage, fees    fixed.Money
	drawn, income           fixed.Money
	fund, fundLow           fixed.Money
	adlNotional, socialized fixed.Money
	called, liquidated      int64 // accounts
	touched                 []bool
	maker                   msg.AccountID
	cause                   msg.AccountID
	causeSeq                msg.Seq
}

func newCollector(b *Book, accounts int) *collector {
	c := &collector{deadlines: map[pool]fixed.Nanos{}, book: make([]tally, accounts+3), marks: make([]fixed.Ticks, len(b.instruments)+1),
		lowest: make([]fixed.Ticks, len(b.instruments)+1), highest: make([]fixed.Ticks, len(b.instruments)+1),
		tickLot: make([]fixed.Money, len(b.instruments)+1), touched: make([]bool, len(b.instruments)+1)}
	for _, in := range b.instruments {
		c.tickLot[in.id] = in.tickLot
	}
	return c
}

// of is the tally of an account; the fund has one that nobody reads.
func (c *collector) of(id msg.AccountID) *tally {
	if uint64(id) >= uint64(len(c.book)) {
		id = 0
	}
	return &c.book[id]
}

// fold takes in one event.
func (c *collector) fold(ev *msg.Event) {
	switch ev.Kind {
	case msg.MarkUpdated:
		c.mark(ev.Instr, ev.Price)
	case msg.Traded:
		if ev.Account == c.maker {
			c.touched[ev.Instr] = true
		}
	case msg.MarginCall, msg.MarginCallCleared, msg.LiquidationStarted, msg.LiquidationEnded, msg.Takeover, msg.AdlStarted:
		c.step(ev)
	case msg.LiquidationSlice:
		c.slice(ev)
	case msg.AdlFill:
		c.close(ev)
	case msg.FundDraw, msg.FundIncome, msg.DeficitBooked, msg.Socialized:
		c.pay(ev)
	case msg.OracleHealth:
		r := c.note(ev)
		r.health = ev.HealthStep().To
	case msg.PhaseChanged:
		r := c.note(ev)
		r.phase = ev.PhaseStep().To
	}
}

// mark takes in a mark.
func (c *collector) mark(id msg.InstrumentID, p fixed.Ticks) {
	c.marks[id] = p
	c.highest[id] = max(c.highest[id], p)
	if c.lowest[id] == 0 || p < c.lowest[id] {
		c.lowest[id] = p
	}
}

// note keeps an event.
func (c *collector) note(ev *msg.Event) *record {
	r := record{Seq: ev.Seq, Time: ev.Time, Kind: ev.Kind, Account: ev.Account, Instr: ev.Instr, Side: ev.Side, Qty: ev.Qty,
		Price: ev.Price}
	if int(ev.Instr) < len(c.marks) {
		r.Mark = c.marks[ev.Instr]
	}
	if !c.opened {
		return &r
	}
	c.records = append(c.records, r)
	if ev.Account != 0 && ev.Account != msg.FundAccount {
		t := c.of(ev.Account)
		t.records = append(t.records, len(c.records)-1)
	}
	return &c.records[len(c.records)-1]
}

// step takes in that a pool is on another rung.
func (c *collector) step(ev *msg.Event) {
	s := ev.RungStep()
	r := c.note(ev)
	r.Isolated, r.From, r.To, r.Equity, r.Maintenance = s.Isolated, s.From, s.To, s.Equity, s.Maintenance
	c.cause, c.causeSeq = ev.Account, ev.Seq
	t := c.of(ev.Account)
	first := t.worst
	t.worst = max(t.worst, s.To)
	switch ev.Kind {
	case msg.MarginCall:
		if first == msg.RungOK {
			c.called++
		}
		of := pool{account: ev.Account}
		if s.Isolated {
			of.instr = ev.Instr
		}
		if due := c.deadlines[of]; s.To == msg.RungCall2 {
			r.late = due != 0 && ev.Time >= due
		}
		c.deadlines[of] = s.Deadline
		if s.To == msg.RungCall1 {
			c.calls1++
			t.calls1++
		} else {
			c.calls2++
			t.calls2++
		}
	case msg.MarginCallCleared:
		t.cleared++
	case msg.LiquidationStarted:
		c.shut(t)
		c.started++
		t.liquidations++
	case msg.Takeover:
		c.shut(t)
		c.takeovers++
		t.takeovers++
	case msg.AdlStarted:
		c.shut(t)
		c.adl++
		t.adl++
	}
}

// shut counts an account the first time that a pool of it is to be closed.
func (c *collector) shut(t *tally) {
	if !t.closed() {
		c.liquidated++
	}
}

// closed reports whether a pool of the account was sold, taken over or closed against winners.
func (t *tally) closed() bool { return t.liquidations+t.takeovers+t.adl > 0 }

// slice takes in that lots of a pool, or of the fund, were sold: what the mark would have paid more is slippage.
func (c *collector) slice(ev *msg.Event) {
	out := ev.Closeout()
	r := c.note(ev)
	worse := r.Mark - ev.Price
	if ev.Side == msg.Buy {
		worse = -worse
	}
	lots := int64(ev.Qty) * int64(c.tickLot[ev.Instr])
	r.Amount, r.Fee, r.Position, r.Isolated = fixed.Money(lots*int64(worse)), out.Fee, out.Position, out.Isolated
	if ev.Account == msg.FundAccount {
		return
	}
	c.cause, c.causeSeq = ev.Account, ev.Seq
	t := c.of(ev.Account)
	t.slices++
	t.slippage += r.Amount
	t.fees += out.Fee
	c.slices++
	c.slippage += r.Amount
	c.fees += out.Fee
	c.sold += fixed.Money(lots * int64(ev.Price))
}

// close takes in that lots of a winner were closed against a pool.
func (c *collector) close(ev *msg.Event) {
	out := ev.Closeout()
	r := c.note(ev)
	r.Position, r.Amount, r.Isolated = out.Position, out.Realized, out.Isolated
	if c.causeSeq != 0 {
		r.cause = c.cause
	}
	c.fills++
	c.adlNotional += fixed.Money(int64(ev.Qty) * int64(c.tickLot[ev.Instr]) * int64(ev.Price))
	if ev.Account == msg.FundAccount {
		return
	}
	c.of(ev.Account).fills++
}

// pay takes in that the fund paid or was paid, that a gain was cut, or that nobody covers a loss.
func (c *collector) pay(ev *msg.Event) {
	b := ev.Balance()
	r := c.note(ev)
	r.Amount, r.Balance = b.Amount, b.Cash
	if c.causeSeq == ev.Seq {
		r.cause = c.cause
	}
	switch ev.Kind {
	case msg.FundDraw:
		c.fund = b.Cash
		c.fundLow = min(c.fundLow, b.Cash)
		c.drawn += b.Amount
	case msg.FundIncome:
		c.fund = b.Cash
		if c.opened {
			c.income += b.Amount
		}
	case msg.Socialized:
		c.socialized += b.Amount
		c.of(ev.Account).socialized += b.Amount
	}
}
