package replay

import (
	"fmt"
	"slices"

	"github.com/lockstep-exchange/lockstep/book"
	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Recordings do not say who sent an order, so two accounts of two owners stand for everybody: one buys, one sells. They
// are rich enough that the gate, which is on, never refuses for margin what the recorded market let in.
const (
	buyer      msg.AccountID = 1
	seller     msg.AccountID = 2
	collateral               = 1_000_000_000_000 * fixed.Coin
)

// account is who stands for everybody on a side.
func account(side msg.Side) msg.AccountID {
	if side == msg.Buy {
		return buyer
	}
	return seller
}

// shape says in how many instruments a recording is kept.
type shape uint8

const (
	whole  shape = iota // one: orders that cross trade
	halved              // bids in one and asks in another: orders stand as recorded, crossed or not, and nothing trades
)

// venue is a whole engine, open for trading, and the book as its events tell it.
type venue struct {
	eng    *engine.Engine
	shape  shape
	seq    msg.Seq
	now    fixed.Nanos
	events []msg.Event
	book   queues
	told   func(maker *msg.Event) // hears of each trade when the book has heard of it; may be nil
}

const (
	ordersMost = 1 << 17 // that may rest at one time; an account counts half as many in one instrument
	levelsMost = 1 << 16
	eventsMost = 1 << 14 // of one command
)

// openVenue opens a venue marked at a price. The mark stays there: it prices the margin, not the orders.
func openVenue(symbol string, mark fixed.Ticks, shape shape) (*venue, error) {
	limits := engine.Limits{Instruments: 2, Accounts: 2, Positions: 4,
		AccountPositions: 2, // the fewer an account may have, the larger each may be
		Orders:           ordersMost, Levels: levelsMost, Events: eventsMost}
	eng, err := engine.New(limits)
	if err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	v := &venue{eng: eng, shape: shape, events: make([]msg.Event, 0, eventsMost)}
	v.book.orders = make([]standing, 1) // no order has handle 0
	opening := []msg.Command{msg.OpenAccount(buyer, 1, msg.AllGroups), msg.OpenAccount(seller, 2, msg.AllGroups),
		msg.Deposit(buyer, collateral), msg.Deposit(seller, collateral)}
	for id := v.instrument(msg.Buy); id <= v.instrument(msg.Sell); id++ {
		spec := market.Spec{ID: id, Symbol: symbol, Type: msg.Perpetual, TickLot: 1, Start: mark,
			Initial: 10 * fixed.Percent, Maintenance: 5 * fixed.Percent}
		opening = append(spec.Append(opening), msg.SetMark(id, mark), msg.SetPhase(id, msg.Continuous))
	}
	for _, c := range opening {
		if ev := refusal(v.apply(c)); ev != nil {
			return nil, fmt.Errorf("replay: the engine refuses to open: %s", ev)
		}
	}
	return v, nil
}

// instrument is where the orders of a side are.
func (v *venue) instrument(side msg.Side) msg.InstrumentID {
	if v.shape == halved && side == msg.Sell {
		return 2
	}
	return 1
}

// at moves the venue's time to a recorded one; it never runs back.
func (v *venue) at(now fixed.Nanos) { v.now = max(v.now, now) }

// apply has the engine do one command. The events are valid until the next.
func (v *venue) apply(c msg.Command) []msg.Event {
	v.seq++
	c.Seq, c.Time = v.seq, v.now
	v.events = v.eng.Apply(&c, v.events[:0])
	for i := range v.events {
		v.book.fold(&v.events[i])
		if v.told != nil && v.events[i].Kind == msg.Traded && v.events[i].Fill().Maker {
			v.told(&v.events[i])
		}
	}
	v.book.settle()
	for _, side := range [2]msg.Side{msg.Buy, msg.Sell} {
		if first := v.eng.First(v.instrument(side), side); first != v.book.orders[v.book.first(side)].id {
			panic("replay: the events tell of another first order than the engine's")
		}
	}
	return v.events
}

// refusal is the event that refuses the command, or nil.
func refusal(events []msg.Event) *msg.Event {
	for i := range events {
		if events[i].Kind == msg.Rejected {
			return &events[i]
		}
	}
	return nil
}

// rest places an order that must not trade and returns its id, or the refusal.
func (v *venue) rest(side msg.Side, price fixed.Ticks, qty fixed.Lots) (msg.OrderID, *msg.Event) {
	c := msg.Limit(account(side), v.instrument(side), side, price, qty)
	c.Flags = msg.FlagPostOnly
	events := v.apply(c)
	if ev := refusal(events); ev != nil {
		return 0, ev
	}
	return accepted(events), nil
}

// accepted is the order that a command brought in, or 0.
func accepted(events []msg.Event) msg.OrderID {
	for i := range events {
		if events[i].Kind == msg.Accepted {
			return events[i].Order
		}
	}
	return 0
}

// drop cancels a standing order.
func (v *venue) drop(id msg.OrderID) *msg.Event {
	o := v.book.order(id)
	return refusal(v.apply(msg.Cancel(account(o.side), v.instrument(o.side), id)))
}

// change gives a standing order a price and an open quantity; fewer lots at its price keep its place.
func (v *venue) change(id msg.OrderID, price fixed.Ticks, leaves fixed.Lots) *msg.Event {
	o := v.book.order(id)
	c := msg.Amend(account(o.side), v.instrument(o.side), id, price, leaves)
	c.Flags = msg.FlagLeaves
	return refusal(v.apply(c))
}

// finish completes a result with the engine's state, when the whole book that the events told is the engine's own.
// stopped is why the replay ended early, or nil; v is nil where nothing came to be.
func (v *venue) finish(result *Result, stopped error) (*Result, error) {
	if v == nil {
		return result, stopped
	}
	for _, side := range [2]msg.Side{msg.Buy, msg.Sell} {
		told := v.book.best(side, ordersMost, nil)
		own := v.eng.Depth(v.instrument(side), side, nil, ordersMost)
		if !slices.EqualFunc(told, own, func(a Level, b book.Depth) bool { return a.Price == b.Price && a.Qty == b.Qty }) {
			return nil, fmt.Errorf("replay: the %s side that the events tell of is not the engine's", side)
		}
	}
	result.State = fmt.Sprintf("%016x", v.eng.Hash())
	return result, stopped
}
