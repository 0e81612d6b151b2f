package engine

import (
	"github.com/lockstep-exchange/lockstep/book"
	"github.com/lockstep-exchange/lockstep/clearing"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Views read the state between two commands, on the engine's thread, and change nothing.

// NextDue is the earliest time at which a Tick would do something; it is Now where work is left over. ok is false when
// nothing will happen any more before MaxTime.
func (e *Engine) NextDue() (at fixed.Nanos, ok bool) {
	if e.jobs.walks != 0 || e.house.Restless() || e.quoting.count != 0 {
		return e.now, true
	}
	at = max(e.earliest(), e.now)
	return at, at <= MaxTime
}

// Account is an account at the present marks. ok is false when it is not open.
func (e *Engine) Account(id msg.AccountID) (s clearing.Summary, ok bool) {
	return e.house.Summary(id, &e.venue)
}

// Position is a position at the present mark, of msg.FundAccount what the fund has taken over. ok is false when the account has
// neither lots nor orders in the instrument.
func (e *Engine) Position(account msg.AccountID, instr msg.InstrumentID) (p clearing.Holding, ok bool) {
	switch {
	case account == msg.FundAccount:
		account = msg.AccountID(e.limits.Accounts) + 1
	case uint32(account) > e.limits.Accounts:
		return p, false
	}
	return e.house.Holding(account, instr)
}

// Prices are those at which a position is in danger. ok is false when the account holds no lots in the instrument.
func (e *Engine) Prices(account msg.AccountID, instr msg.InstrumentID) (p clearing.Prices, ok bool) {
	return e.house.Prices(account, instr, &e.venue)
}

// Leverage is the leverage that an account chose in an instrument; 0: none.
func (e *Engine) Leverage(account msg.AccountID, instr msg.InstrumentID) msg.Leverage {
	return e.house.Leverage(account, instr)
}

// Instrument is the rules and prices of an instrument; ok is false when it is not listed.
func (e *Engine) Instrument(id msg.InstrumentID) (in market.Instrument, ok bool) {
	if e.bookOf(id) == nil {
		return market.Instrument{}, false
	}
	return e.instruments[id], true
}

// Market is what can be seen of an instrument.
type Market struct {
	Mark, Index, Last fixed.Ticks // 0: none yet; the last is the price of the last trade
	Phase             msg.Phase
	Oracle            msg.Health // of the index; of an instrument whose mark cannot follow it at least frozen
	Funding           fixed.Rate // of the last payment, per funding base
	Sum               int64      // of all funding steps, in 1e-6 Money a lot
	Interest          fixed.Lots // long lots over all accounts
	Orders            uint32     // resting
}

// Market is what can be seen of an instrument, its orders counted one by one; ok is false when it is not listed.
func (e *Engine) Market(id msg.InstrumentID) (m Market, ok bool) {
	in := e.instrument(id)
	if in == nil {
		return Market{}, false
	}
	p, orders := &e.prices[id], uint32(0)
	for _, side := range [...]msg.Side{msg.Buy, msg.Sell} {
		for h := e.books[id].First(side); h != 0; h = e.books[id].NextOf(h) {
			orders++
		}
	}
	return Market{Mark: in.Mark, Index: p.index, Last: in.Last, Phase: in.Phase, Oracle: in.Health, Funding: p.funding.Rate,
		Sum: e.house.Funding(id), Interest: e.house.Interest(id), Orders: orders}, true
}

// OpenInterest is the long lots of an instrument over all accounts.
func (e *Engine) OpenInterest(id msg.InstrumentID) fixed.Lots {
	if e.bookOf(id) == nil {
		return 0
	}
	return e.house.Interest(id)
}

// Best is the best price of a side; ok is false when nothing rests there.
func (e *Engine) Best(id msg.InstrumentID, side msg.Side) (price fixed.Ticks, ok bool) {
	if b := e.bookOf(id); b != nil {
		return b.Best(side)
	}
	return 0, false
}

// Depth appends up to max levels of a side to dst, the best first.
func (e *Engine) Depth(id msg.InstrumentID, side msg.Side, dst []book.Depth, max int) []book.Depth {
	if b := e.bookOf(id); b != nil {
		return b.Levels(side, dst, max)
	}
	return dst
}

// Resting is an order as it stands in a book.
type Resting struct {
	Order msg.OrderID
	Price fixed.Ticks
	Qty   fixed.Lots // open
}

// Queue appends the orders of a side to dst, in the order in which they trade.
func (e *Engine) Queue(id msg.InstrumentID, side msg.Side, dst []Resting) []Resting {
	b := e.bookOf(id)
	if b == nil {
		return dst
	}
	for h := b.First(side); h != 0; h = b.NextOf(h) {
		dst = append(dst, Resting{e.store.ID(h), e.store.Ticket(h).Price, e.store.Order(h).Leaves})
	}
	return dst
}

// Ladder appends a picture of a book, up to levels a side, to dst.
func (e *Engine) Ladder(id msg.InstrumentID, dst []byte, levels int) []byte {
	if b := e.bookOf(id); b != nil {
		return b.Append(dst, levels)
	}
	return dst
}

// First is the order of a side that is first in priority, 0 when none rests.
func (e *Engine) First(id msg.InstrumentID, side msg.Side) msg.OrderID {
	b := e.bookOf(id)
	if b == nil {
		return 0
	}
	if h := b.First(side); h != 0 {
		return e.store.ID(h)
	}
	return 0
}

// OpenOrders is how many orders rest in all books.
func (e *Engine) OpenOrders() uint32 { return e.store.Live() }

// VenueAccounts are the venue's own balances, with every position's funding paid. It walks every position.
func (e *Engine) VenueAccounts() clearing.Venue { return e.house.Settled() }

// Imbalance is what misses in the sum of all money (I-01) and, summed in lots over the instruments, of all positions
// (I-02). Both are 0, or money was made or lost. It walks every table.
func (e *Engine) Imbalance() (money fixed.Money, lots fixed.Lots) {
	for id := range e.instruments {
		if e.instruments[id].Type != 0 {
			lots += fixed.Abs(e.house.LotsImbalance(msg.InstrumentID(id)))
		}
	}
	return e.house.Imbalance(), lots
}
