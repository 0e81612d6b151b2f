package demo

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/replay"
)

// The market of the demo: a perpetual on an index of three sources, with a composite mark and funding. Fees are those of the
// venue that was recorded, so that a recorded trade costs its account about what it cost in truth. Leverage is what the
// venues with the highest offer, and funding, of eight hours elsewhere, is paid each minute, so that minutes have something
// to show.
const (
	makers = 8 // accounts 1..makers; takers follow

	tickLot  = fixed.Coin / 10_000 // 0.1 USDT of 0.001 BTC
	unitLots = 1_000               // to a bitcoin

	band     = fixed.Percent
	makerFee = -fixed.BasisPoint / 2
	takerFee = 4 * fixed.BasisPoint

	fundingEvery  = fixed.Minute
	fundingSample = 5 * fixed.Second
	fundingRate   = fixed.BasisPoint // of a minute, where the premium is small

	spreadMax = 50 * fixed.Millisecond // over which the changes of one depth message are sent
)

const instrument msg.InstrumentID = 1

// tiers are up to 250-fold leverage for little, and twentyfold for much.
var tiers = []msg.Tier{
	{UpTo: 250_000 * fixed.Coin, Initial: 40 * fixed.BasisPoint, Maintenance: 25 * fixed.BasisPoint},
	{UpTo: 5_000_000 * fixed.Coin, Initial: 2 * fixed.Percent, Maintenance: fixed.Percent},
	{Initial: 5 * fixed.Percent, Maintenance: 5 * fixed.Percent / 2},
}

// script is the flow of the demo, worked out before its first command is sent: every command with the recorded time at
// which it is due. It is a function of the recording and the options alone.
type script struct {
	limits   engine.Limits
	requests []msg.Request // the first opening of them open the market and are not paced
	opening  int
	quotes   []quote
	book     map[place]fixed.Lots // the recorded book at the end
	hash     uint64               // of an engine that was given the commands one by one, without threads
	trades   int                  // recorded
	accounts int                  // makers and takers
}

// Commands are those of the demo for whoever drives something else with its market: how large the engine has to be, and every command
// with the recorded time at which it is due. accounts is that of the takers, 1..AccountsMax.
func Commands(ctx context.Context, accounts int, seed uint64) (engine.Limits, []msg.Request, error) {
	rec, err := replay.OpenBundled()
	if err != nil {
		return engine.Limits{}, nil, err
	}
	d, err := load(ctx, rec, 0)
	if err != nil {
		return engine.Limits{}, nil, err
	}
	s, err := write(d, accounts, seed)
	if err != nil {
		return engine.Limits{}, nil, err
	}
	return s.limits, s.requests, nil
}

// quote is what the recording says is best when a command is done.
type quote struct {
	after    int    // commands of the script
	update   uint64 // of the recording
	bid, ask replay.Level
}

// place is a price of a side.
type place struct {
	side  msg.Side
	price fixed.Ticks
}

// start and end are the recorded times between which the script runs.
func (s *script) start() fixed.Nanos { return s.requests[s.opening].Time }
func (s *script) end() fixed.Nanos   { return s.requests[len(s.requests)-1].Time }

// writer writes a script. It has an engine of its own, to which it gives each command as it writes it; so it knows, as
// real traders do from their replies, which orders stand and what they are called.
type writer struct {
	script   *script
	engine   *engine.Engine
	events   []msg.Event
	view     *view
	chance   *rand.PCG
	recorded map[place]fixed.Lots
	touched  []place // where something was taken since the last depth message, and not put back yet
	now      fixed.Nanos
	oracle   oracle
}

// write works out the flow of a recorded day for takers accounts beside the makers'.
func write(d *day, takers int, seed uint64) (*script, error) {
	s := &script{accounts: makers + takers, limits: engine.Limits{Instruments: 1, Underlyings: 1, Accounts: uint32(makers + takers),
		Positions: uint32(makers + takers), Orders: 1 << 16, Events: 1 << 10, Sessions: 1, AccountPositions: 1, OwnerAccounts: 1}}
	eng, err := engine.New(s.limits)
	if err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	w := &writer{script: s, engine: eng, view: newView(s), chance: rand.NewPCG(seed, 0), recorded: map[place]fixed.Lots{},
		oracle: newOracle(d.events[0].Time, seed)}
	w.open(&d.events[0])
	w.play(d.events[1:])
	if len(s.requests) == s.opening {
		return nil, &UsageError{"nothing happens in the duration that was asked for, expected a longer one"}
	}
	s.expect(d.tickers)
	s.book, s.hash = w.recorded, eng.Hash()
	return s, nil
}

// say writes a command and gives it to the writer's own engine. Where makers traded, the book is to be put right.
func (w *writer) say(c msg.Command) {
	s := w.script
	c.Time = w.now
	s.requests = append(s.requests, c.Request)
	c.Seq = msg.Seq(len(s.requests))
	w.events = w.engine.Apply(&c, w.events[:0])
	for i := range w.events {
		e := &w.events[i]
		w.view.fold(e)
		if e.Kind == msg.Traded && e.Fill().Maker {
			w.touched = append(w.touched, place{e.Side, e.Price})
		}
	}
	w.view.settle()
}

// pass lets time go by until at: sources report in their turn, and whenever the engine has something to do, a tick says what
// time it is. So nobody's order finds that the market has moved just in front of it.
func (w *writer) pass(at fixed.Nanos) {
	for {
		due, ok := w.engine.NextDue()
		switch {
		case ok && due <= min(at, w.oracle.due):
			w.now = max(w.now, due)
			w.say(msg.Tick())
		case w.oracle.due <= at:
			w.now = max(w.now, w.oracle.due)
			if r, ok := w.oracle.next(w.middle()); ok {
				w.say(msg.ReportPrice(r))
			}
		default:
			w.now = max(w.now, at)
			return
		}
	}
}

// open lists the instrument, brings in the accounts and their money, and lets the makers place the snapshot.
func (w *writer) open(snapshot *replay.BinanceEvent) {
	w.now = snapshot.Time
	u := msg.Underlying{ID: underlying, Sources: sources}
	copy(u.Symbol[:], "BTC")
	w.say(msg.ListUnderlying(u))
	w.say(msg.SetRule(0, msg.OracleStale, int64(staleAfter)))
	spec := market.Spec{ID: instrument, Symbol: replay.BundledSymbol, Type: msg.Perpetual,
		TickLot: tickLot, UnitLots: unitLots, Start: snapshot.Bids[0].Price, Underlying: underlying, Mark: msg.MarkComposite,
		Tiers: tiers, Maker: makerFee, Taker: takerFee,
		Rules: []msg.Setting{{Rule: msg.Band, Value: int64(band)},
			{Rule: msg.FundingInterval, Value: int64(fundingEvery)}, {Rule: msg.FundingBase, Value: int64(fundingEvery)},
			{Rule: msg.FundingSample, Value: int64(fundingSample)}, {Rule: msg.FundingInterest, Value: int64(fundingRate)}}}
	for _, c := range spec.Append(nil) {
		w.say(c)
	}
	w.say(msg.ReportPrice(msg.Report{Underlying: underlying, Price: unitPrice(middle(snapshot.Bids[0], snapshot.Asks[0])),
		Confidence: fixed.One}))
	w.say(msg.SetPhase(instrument, msg.Continuous))
	w.say(msg.PayFund(fundPaidIn))
	for id := msg.AccountID(1); int(id) < w.script.accounts+1; id++ {
		w.say(msg.Deposit(id, w.stake(id)))
		if roleOf(id) == isolated {
			w.say(msg.SetLeverage(id, instrument, leverages[w.chance.Uint64()%uint64(len(leverages))]))
		}
	}
	w.depth(snapshot, w.now)
	w.script.opening = len(w.script.requests)
}

// middle is the price in the middle, in whole ticks.
func middle(bid, ask replay.Level) fixed.Ticks { return (bid.Price + ask.Price) / 2 }

// middle is the price in the middle of the book as it stands.
func (w *writer) middle() fixed.Ticks { return middle(w.view.best(msg.Buy), w.view.best(msg.Sell)) }

// play writes what is recorded.
func (w *writer) play(events []replay.BinanceEvent) {
	for i := range events {
		w.pass(max(events[i].Time, w.now))
		if events[i].Kind == replay.BinanceTrade {
			w.trade(&events[i])
			continue
		}
		until := w.now + spreadMax
		if i+1 < len(events) {
			until = max(w.now, min(until, events[i+1].Time))
		}
		w.depth(&events[i], until)
	}
}

// trade lets one of the takers send what somebody sent when this trade came about. Whether he may is the gate's affair.
func (w *writer) trade(ev *replay.BinanceEvent) {
	id := w.taker(ev.Taker)
	c := msg.Limit(id, instrument, ev.Taker, ev.Price, ev.Qty)
	c.TIF = msg.IOC
	if roleOf(id).isolates() {
		c.Flags = msg.FlagIsolated
	}
	w.script.trades++
	w.say(c)
}

// depth lets the makers bring the book to what a depth message says, one price after the other, evenly until a time: the
// message sums up what came one by one. Where trades took something that the recording has not yet told of, it stands
// again until it does.
func (w *writer) depth(ev *replay.BinanceEvent, until fixed.Nanos) {
	for _, l := range ev.Bids {
		w.record(place{msg.Buy, l.Price}, l.Qty)
	}
	for _, l := range ev.Asks {
		w.record(place{msg.Sell, l.Price}, l.Qty)
	}
	step := (until - w.now) / fixed.Nanos(len(w.touched)+1)
	for len(w.touched) > 0 { // again, where a liquidation takes something meanwhile
		told := w.touched
		w.touched = nil
		// What goes or shrinks goes first: the market may have moved through prices where the other side still stands.
		for _, p := range told {
			w.cut(p, step)
		}
		for _, p := range told {
			w.grow(p, step)
		}
		step = 0
	}
	w.script.quotes = append(w.script.quotes, quote{after: len(w.script.requests), update: ev.Last})
}

// record notes what the recording has at a price.
func (w *writer) record(p place, qty fixed.Lots) {
	if qty == 0 {
		delete(w.recorded, p)
	} else {
		w.recorded[p] = qty
	}
	w.touched = append(w.touched, p)
}

// grow has some maker add what a price lacks: to his order if it is the newest there, else with a new one.
func (w *writer) grow(p place, step fixed.Nanos) {
	if w.view.at(p.side, p.price).qty >= w.recorded[p] {
		return
	}
	w.pass(w.now + step)
	l := w.view.at(p.side, p.price)
	by := w.recorded[p] - l.qty
	maker := 1 + msg.AccountID(w.chance.Uint64()%makers)
	if newest := &w.view.orders[l.tail]; l.tail != 0 && newest.account == maker {
		c := msg.Amend(maker, instrument, newest.id, p.price, newest.leaves+by)
		c.Flags = msg.FlagLeaves
		w.say(c)
		return
	}
	c := msg.Limit(maker, instrument, p.side, p.price, by)
	c.Flags = msg.FlagPostOnly
	w.say(c)
}

// cut has the makers take lots off a price that has too many, the newest orders first.
func (w *writer) cut(p place, step fixed.Nanos) {
	if w.view.at(p.side, p.price).qty <= w.recorded[p] {
		return
	}
	w.pass(w.now + step)
	for {
		l := w.view.at(p.side, p.price)
		by := l.qty - w.recorded[p]
		if by <= 0 {
			return
		}
		o := w.view.orders[l.tail]
		if o.leaves > by {
			c := msg.Amend(o.account, instrument, o.id, o.price, o.leaves-by)
			c.Flags = msg.FlagLeaves
			w.say(c)
			return
		}
		w.say(msg.Cancel(o.account, instrument, o.id))
	}
}

// expect finds what the recording says was best after each depth message: the ticker of the largest update that is not
// above the message's. Messages before the first ticker have no answer.
func (s *script) expect(tickers []quote) {
	answered := s.quotes[:0]
	for _, q := range s.quotes {
		i, found := slices.BinarySearchFunc(tickers, q.update, func(t quote, update uint64) int { return cmp.Compare(t.update, update) })
		if !found {
			i--
		}
		if i >= 0 {
			q.bid, q.ask = tickers[i].bid, tickers[i].ask
			answered = append(answered, q)
		}
	}
	s.quotes = answered
}
