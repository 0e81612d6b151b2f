package feed

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// What is told of an instrument besides its orders: what it is (312), whether and within which prices it trades (311), what it is
// worth (310), and what the ladder closed in it (313).
//
//	InstrumentListed, TierSet, RuleSet ──────────────> definition, where it says something new
//	PhaseChanged; a band that moves with rule or mark ─> status
//	MarkUpdated, FundingSettled ─────────────────────> mark, at once
//	IndexUpdated, OracleHealth ──────────────────────> mark, at the end of the command, unless it was told meanwhile
//	LiquidationSlice, AdlFill ───────────────────────> print
//
// Nothing is left out for having changed again soon.

// quote is what was told of an underlying. That of underlying 0 stays empty.
type quote struct {
	index  fixed.Money // of one unit; 0: none yet
	health msg.Health  // 0: none yet
}

// instrument is what was told of one.
type instrument struct {
	scale      wire.Scale
	rules      market.Instrument // as far as definition and band need them
	funding    market.Funding    // as far as the time of the next payment does
	underlying msg.UnderlyingID
	index      fixed.Ticks // 0: none yet
	health     msg.Health  // of the index; 0: none yet
	paid       bool        // funding has been settled
	rate       fixed.Rate  // of the last payment
	interest   fixed.Lots  // held long, as of the last mark or payment
	known      bool        // there was one
	stale      bool        // index or health were not told yet

	definedAt, phasedAt, markedAt fixed.Nanos // when they were told

	// Of the told book.
	first  uint32 // handle of one of its orders; 0: none
	orders uint32
	sum    uint64
}

// state takes in an event of an instrument's rules and prices, and tells what is new.
func (t *Tape) state(ev *msg.Event) {
	switch ev.Kind {
	case msg.InstrumentListed:
		t.list(ev)
	case msg.TierSet, msg.RuleSet:
		if ev.Instr != 0 {
			t.rule(ev)
		}
	case msg.PhaseChanged:
		t.instruments[ev.Instr].rules.SetPhase(ev.PhaseStep().To)
		t.status(ev.Instr)
	case msg.MarkUpdated:
		t.marked(ev)
	case msg.FundingSettled:
		in := &t.instruments[ev.Instr]
		in.paid, in.rate = true, ev.FundingStep().Rate
		in.interest, in.known = ev.Qty, true
		t.tellMark(ev.Instr)
	case msg.IndexUpdated:
		step := ev.IndexStep()
		t.quotes[step.Underlying].index = step.Index
		t.follow(step.Underlying)
	case msg.OracleHealth:
		step := ev.HealthStep()
		t.quotes[step.Underlying].health = step.To
		t.follow(step.Underlying)
	}
}

// follow lets the instruments on an underlying have its index and health.
func (t *Tape) follow(id msg.UnderlyingID) {
	for i := range t.instruments {
		if t.instruments[i].underlying == id && id != 0 {
			t.lead(msg.InstrumentID(i))
		}
	}
}

// lead brings an instrument to the index and the health of its underlying.
func (t *Tape) lead(id msg.InstrumentID) {
	in := &t.instruments[id]
	q := &t.quotes[in.underlying]
	in.health = q.health
	if q.index != 0 {
		in.index = in.rules.IndexTicks(q.index)
	}
	if !in.stale {
		in.stale = true
		t.stale = append(t.stale, id)
	}
}

// list tells what an instrument is.
func (t *Tape) list(ev *msg.Event) {
	asked := msg.Request{Rare: ev.Rare}
	l, in := asked.Listing(), &t.instruments[ev.Instr]
	in.scale = wire.ScaleOf(l.TickLot, l.UnitLots)
	in.rules.List(l)
	in.funding.List()
	in.underlying = l.Underlying
	t.define(ev.Instr)
	if t.quotes[in.underlying].health != 0 {
		t.lead(ev.Instr)
	}
}

// rule takes in a bracket or a parameter. Those of marks and the ladder are nobody's business here.
func (t *Tape) rule(ev *msg.Event) {
	asked := msg.Request{Rare: ev.Rare}
	in := &t.instruments[ev.Instr]
	before, low, high := in.terms(), in.rules.Low, in.rules.High
	switch rule := asked.Setting().Rule; {
	case ev.Kind == msg.TierSet:
		in.rules.SetTier(asked.Tier())
	case market.FundingRule(rule):
		in.funding.SetRule(asked.Setting())
	case rule == msg.Band || rule == msg.MaxOrderQty || rule == msg.MinOrderNotional:
		in.rules.SetRule(asked.Setting())
	}
	if in.terms() != before {
		t.define(ev.Instr)
	}
	if low != in.rules.Low || high != in.rules.High {
		t.status(ev.Instr)
	}
}

// terms are what of a definition may change.
type terms struct {
	maxQty               fixed.Lots
	minNotional          fixed.Money
	initial, maintenance fixed.Rate // of the first bracket
}

func (in *instrument) terms() terms {
	r := &in.rules
	return terms{r.MaxQty, r.MinNotional, r.Table[0].Initial, r.Table[0].Maintenance}
}

// marked takes in a mark, and with it the band around it.
func (t *Tape) marked(ev *msg.Event) {
	in := &t.instruments[ev.Instr]
	low, high := in.rules.Low, in.rules.High
	in.rules.SetMark(ev.Price)
	in.interest, in.known = ev.Qty, true
	t.tellMark(ev.Instr)
	if low != in.rules.Low || high != in.rules.High {
		t.status(ev.Instr)
	}
}

// refresh tells the marks that are left to be told at the end of a command.
func (t *Tape) refresh() {
	for _, id := range t.stale {
		if t.instruments[id].stale {
			t.tellMark(id)
		}
	}
	t.stale = t.stale[:0]
}

func (t *Tape) define(id msg.InstrumentID) {
	in := &t.instruments[id]
	in.definedAt = t.now
	in.putDefinition(t.open(gen.TemplateInstrumentDefinition, len(gen.InstrumentDefinition{}), 87), id, 0)
}

func (t *Tape) status(id msg.InstrumentID) {
	in := &t.instruments[id]
	in.phasedAt = t.now
	in.putStatus(t.open(gen.TemplateInstrumentStatus, len(gen.InstrumentStatus{}), 34), id, 0)
}

func (t *Tape) tellMark(id msg.InstrumentID) {
	in := &t.instruments[id]
	in.markedAt, in.stale = t.now, false
	in.putMark(t.open(gen.TemplateMarkFunding, len(gen.MarkFunding{}), 53), id, 0)
}

// putDefinition fills in what an instrument is.
func (in *instrument) putDefinition(block []byte, id msg.InstrumentID, flags gen.MarketFlags) {
	r, s := &in.rules, &in.scale
	m := gen.AsInstrumentDefinition(block)
	m.SetTick(s.Tick)
	m.SetLot(s.Lot)
	m.SetTickLotValue(int64(r.TickLot))
	m.SetMaxQty(wire.None)
	if r.MaxQty != fixed.MaxInt64 {
		m.SetMaxQty(s.Qty(r.MaxQty))
	}
	m.SetMinNotional(int64(r.MinNotional))
	m.SetTime(uint64(in.definedAt))
	m.SetInitRate(int64(r.Table[0].Initial))
	m.SetMaintRate(int64(r.Table[0].Maintenance))
	m.SetStrike(wire.None)
	m.SetExpiry(wire.NoTime)
	m.SetInstrumentID(uint32(id))
	m.SetPxExp(s.PriceExp)
	m.SetQtyExp(s.QtyExp)
	m.SetInstrumentType(gen.InstrumentType(r.Type))
	m.SetFlags(flags)
	*m.Symbol() = r.Symbol
}

// putStatus fills in the phase of an instrument and the band in which it trades.
func (in *instrument) putStatus(block []byte, id msg.InstrumentID, flags gen.MarketFlags) {
	s := &in.scale
	m := gen.AsInstrumentStatus(block)
	m.SetBandLow(wire.None)
	if in.rules.Low != fixed.MinInt64 {
		m.SetBandLow(s.Price(in.rules.Low))
	}
	m.SetBandHigh(wire.None)
	if in.rules.High != fixed.MaxInt64 {
		m.SetBandHigh(s.Price(in.rules.High))
	}
	m.SetTime(uint64(in.phasedAt))
	m.SetInstrumentID(uint32(id))
	m.SetState(gen.Phase(in.rules.Phase))
	m.SetFlags(flags)
}

// putMark fills in what an instrument is worth, and what its longs pay.
func (in *instrument) putMark(block []byte, id msg.InstrumentID, flags gen.MarketFlags) {
	s := &in.scale
	m := gen.AsMarkFunding(block)
	m.SetMarkPx(orNone(s, in.rules.Mark))
	m.SetIndexPx(orNone(s, in.index))
	m.SetFundRate(wire.None)
	if in.paid {
		m.SetFundRate(int64(in.rate))
	}
	m.SetNextFunding(wire.NoTime)
	if due := in.funding.NextPayment(in.markedAt); due != market.Never && in.underlying != 0 && in.rules.Type == msg.Perpetual {
		m.SetNextFunding(uint64(due))
	}
	m.SetOpenInterest(wire.None)
	if in.known {
		m.SetOpenInterest(s.Qty(in.interest))
	}
	m.SetTime(uint64(in.markedAt))
	m.SetInstrumentID(uint32(id))
	m.SetState(none)
	if in.health != 0 {
		m.SetState(gen.OracleState(in.health - msg.Good))
	}
	m.SetFlags(flags)
}

// orNone is a price that may not be there yet.
func orNone(s *wire.Scale, p fixed.Ticks) int64 {
	if p == 0 {
		return wire.None
	}
	return s.Price(p)
}

// print tells of lots that the ladder closed, whose they were is not told: of a pool in liquidation, of what the fund has taken
// over from one, or of who wins against one.
func (t *Tape) print(events []msg.Event, i int) {
	ev := &events[i]
	s := &t.instruments[ev.Instr].scale
	m := gen.AsLiquidationPrint(t.open(gen.TemplateLiquidationPrint, len(gen.LiquidationPrint{}), 38))
	m.SetPrice(s.Price(ev.Price))
	m.SetQty(s.Qty(ev.Qty))
	m.SetTradeID(wire.NoTime)
	m.SetTime(uint64(ev.Time))
	m.SetInstrumentID(uint32(ev.Instr))
	m.SetSide(gen.Side(ev.Side))
	switch {
	case ev.Kind == msg.AdlFill:
		m.SetKind(gen.LiquidationKindADL)
	case ev.Account == msg.FundAccount:
		m.SetKind(gen.LiquidationKindTakeover)
	default:
		m.SetKind(gen.LiquidationKindLiquidation)
	}
	m.SetFlags(gen.MarketFlagsForced)
	if ev.Kind == msg.LiquidationSlice {
		m.SetTradeID(firstTrade(events[i:]))
	}
}

// firstTrade is the first trade among events; a slice stands before its own.
func firstTrade(events []msg.Event) uint64 {
	for i := range events {
		if events[i].Kind == msg.Traded {
			return uint64(events[i].Fill().Trade)
		}
	}
	return wire.NoTime
}
