package replay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Feed is what a Binance recording held.
type Feed struct {
	Depth   int64 `json:"depth"`   // depth events applied
	Dropped int64 `json:"dropped"` // depth events older than the snapshot
	Gaps    int64 `json:"gaps"`    // places where an update is missing
	Tickers int64 `json:"tickers"`
	Trades  int64 `json:"trades"`
}

// BinanceOrder puts a snapshot and depth events into the order in which they make a book: depth events wait for the
// snapshot, and those that it already contains are dropped. The zero value is ready.
type BinanceOrder struct {
	Dropped, Gaps int64 // depth events older than the snapshot; places where an update is missing

	waiting []BinanceEvent
	ready   []BinanceEvent
	last    uint64 // update id of the book; 0 before the snapshot
	chained bool   // a depth event has followed the snapshot
}

// Push takes the next snapshot or depth event of the recording and returns the events to apply now, in order: a snapshot
// first, as absolute levels like the others. They are valid until the next Push. A second snapshot is a flaw.
func (o *BinanceOrder) Push(ev *BinanceEvent) ([]BinanceEvent, error) {
	o.ready = o.ready[:0]
	switch {
	case ev.Kind == BinanceSnapshot && o.last != 0:
		return nil, flaw{fmt.Sprintf("a second snapshot, of update %d", ev.Last), "one"}
	case ev.Kind == BinanceSnapshot:
		o.last = ev.Last
		o.ready = append(o.ready, *ev)
		for i := range o.waiting {
			o.keep(&o.waiting[i])
		}
		o.waiting = nil
	case ev.Kind == BinanceDepth && o.last == 0:
		held := *ev
		held.Bids, held.Asks = slices.Clone(ev.Bids), slices.Clone(ev.Asks)
		o.waiting = append(o.waiting, held)
	case ev.Kind == BinanceDepth:
		o.keep(ev)
	}
	return o.ready, nil
}

// keep decides on a depth event when there is a book.
func (o *BinanceOrder) keep(ev *BinanceEvent) {
	if !o.chained && ev.Last < o.last {
		o.Dropped++
		return
	}
	follows := ev.First == o.last+1
	switch {
	case !o.chained: // the first may reach back behind the snapshot
		follows = ev.First <= o.last+1
	case ev.Perpetual:
		follows = ev.Previous == o.last
	}
	if !follows {
		o.Gaps++
	}
	o.last, o.chained = ev.Last, true
	o.ready = append(o.ready, *ev)
}

// Binance is the replay of a recording of Binance's depth, ticker and trade streams. Each level is one order; a level's
// change places, amends or cancels it. After every depth event the best bid and ask are compared with the ticker of the
// largest update id that is not above the event's, wherever in the recording that ticker stands: lines come in the order
// in which they were received, which is not that of the updates.
type Binance struct {
	Files     []string
	Tick, Lot Step
}

// Replay runs the recording. It keeps two levels for each ticker and depth event in memory. The error is an *InputError,
// or the context's with a partial Result.
func (b Binance) Replay(ctx context.Context, watch Watch) (*Result, error) {
	src, err := Open(b.Files...)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	run := &binanceRun{
		result: &Result{Format: "binance", Files: b.Files, Feed: &Feed{}},
		orders: map[place]msg.OrderID{}, src: src,
	}
	pacer := watcher{ctx: ctx, src: src, watch: watch}
	reader, ev := BinanceReader{src, b.Tick, b.Lot}, BinanceEvent{}
	for {
		if err := reader.Read(&ev); errors.Is(err, io.EOF) {
			return run.finish(nil)
		} else if err != nil {
			return nil, err
		}
		if err := run.event(&ev); err != nil {
			return nil, err
		}
		if pacer.step() {
			run.result.Partial = true
			return run.finish(ctx.Err())
		}
	}
}

// quoted is the best bid and ask at an update, and where the recording says so.
type quoted struct {
	update   uint64
	bid, ask Level
	where    string
}

// binanceRun is a replay under way.
type binanceRun struct {
	venue   *venue
	result  *Result
	src     *Source
	order   BinanceOrder
	orders  map[place]msg.OrderID // that stand, one a level
	tickers []quoted              // the recording's
	own     []quoted              // ours, after each depth event
	levels  []Level               // scratch
}

func (r *binanceRun) event(ev *BinanceEvent) error {
	r.result.Messages++
	switch ev.Kind {
	case BinanceTicker:
		r.result.Tickers++
		r.tickers = append(r.tickers, quoted{update: ev.Last, bid: ev.Bids[0], ask: ev.Asks[0]})
		return nil
	case BinanceTrade:
		r.result.Trades++
		return nil
	case BinanceOther:
		return nil
	}
	ready, err := r.order.Push(ev)
	if err != nil {
		return r.src.At(err)
	}
	for i := range ready {
		if err := r.apply(&ready[i]); err != nil {
			return err
		}
	}
	return nil
}

// apply applies the levels of a snapshot or depth event.
func (r *binanceRun) apply(ev *BinanceEvent) (err error) {
	if r.venue == nil {
		if len(ev.Bids) == 0 || len(ev.Asks) == 0 {
			return r.src.At(flaw{"a snapshot with an empty side", "bids and asks"})
		}
		if r.venue, err = openVenue("BINANCE", ev.Bids[0].Price, whole); err != nil {
			return err
		}
	}
	r.venue.at(ev.Time)
	// What goes or shrinks goes first: the market may have moved through prices where the other side still stands.
	for _, grows := range [2]bool{false, true} {
		r.side(msg.Buy, ev.Bids, grows)
		r.side(msg.Sell, ev.Asks, grows)
	}
	if ev.Kind == BinanceDepth {
		r.result.Feed.Depth++
		r.own = append(r.own, quoted{ev.Last, r.best(msg.Buy), r.best(msg.Sell), r.src.where()})
	}
	return nil
}

// side gives levels of a side their new quantities: those that grow, or those that do not.
func (r *binanceRun) side(side msg.Side, levels []Level, grows bool) {
	for _, l := range levels {
		at := place{side, l.Price}
		had := fixed.Lots(0)
		id, stands := r.orders[at]
		if stands {
			had = r.venue.book.order(id).leaves
		}
		if (l.Qty > had) != grows {
			continue
		}
		switch {
		case l.Qty == had:
		case !stands:
			id, ev := r.venue.rest(side, l.Price, l.Qty)
			if ev != nil {
				r.result.refuses(r.src.where(), ev.Reject)
				continue
			}
			r.orders[at] = id
		case l.Qty == 0:
			r.venue.drop(id)
			delete(r.orders, at)
		default:
			if ev := r.venue.change(id, l.Price, l.Qty); ev != nil {
				r.result.refuses(r.src.where(), ev.Reject)
			}
		}
	}
}

// best is the best level of a side here.
func (r *binanceRun) best(side msg.Side) Level {
	r.levels = r.venue.book.best(side, 1, r.levels[:0])
	if len(r.levels) == 0 {
		return Level{}
	}
	return r.levels[0]
}

// finish compares our quotes with the recording's.
func (r *binanceRun) finish(stopped error) (*Result, error) {
	r.result.Dropped, r.result.Gaps = r.order.Dropped, r.order.Gaps
	slices.SortStableFunc(r.tickers, func(a, b quoted) int { return compareUpdates(a, b.update) })
	for _, own := range r.own {
		i, found := slices.BinarySearchFunc(r.tickers, own.update, compareUpdates)
		if !found {
			i--
		}
		if i < 0 {
			continue // no ticker is as old
		}
		r.result.Compared++
		if want := r.tickers[i]; own.bid != want.bid || own.ask != want.ask {
			r.result.differs("%s: best is %v / %v, expected %v / %v by the ticker of update %d", own.where, own.bid, own.ask, want.bid, want.ask, want.update)
		}
	}
	return r.venue.finish(r.result, stopped)
}

func compareUpdates(q quoted, update uint64) int {
	switch {
	case q.update < update:
		return -1
	case q.update > update:
		return 1
	}
	return 0
}
