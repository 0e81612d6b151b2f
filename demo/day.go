package demo

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/replay"
)

// day is a recording in memory.
type day struct {
	events  []replay.BinanceEvent // the snapshot, and the depth messages and trades after it, in the order that makes a market
	tickers []quote               // by update
}

// late is how much later than the depth message that it answers a ticker may have been received.
const late = 5 * fixed.Second

// load reads a recording: all of it, or what happens within a duration from its snapshot if that is above 0.
func load(ctx context.Context, rec *replay.BinanceReader, duration time.Duration) (*day, error) {
	var (
		d     day
		order replay.BinanceOrder
		ev    replay.BinanceEvent
		end   = fixed.Nanos(fixed.MaxInt64)
	)
	for ev.Time < end || ev.Time-end < late {
		if err := cmp.Or(ctx.Err(), rec.Read(&ev)); err == io.EOF {
			break
		} else if err != nil {
			return nil, err
		}
		switch {
		case ev.Kind == replay.BinanceTicker:
			d.tickers = append(d.tickers, quote{update: ev.Last, bid: ev.Bids[0], ask: ev.Asks[0]})
		case ev.Time >= end:
		case ev.Kind == replay.BinanceTrade && len(d.events) > 0:
			d.events = append(d.events, replay.BinanceEvent{Kind: ev.Kind, Time: ev.Time, Price: ev.Price, Qty: ev.Qty, Taker: ev.Taker})
		case ev.Kind == replay.BinanceDepth || ev.Kind == replay.BinanceSnapshot:
			ready, err := order.Push(&ev)
			if err != nil {
				return nil, rec.At(err)
			}
			d.add(ready, ev.Time)
		}
		if ev.Kind == replay.BinanceSnapshot && duration > 0 {
			end = ev.Time + fixed.Nanos(duration)
		}
	}
	if len(d.events) == 0 || len(d.events[0].Bids) == 0 || len(d.events[0].Asks) == 0 {
		return nil, errors.New("demo: a recording without a snapshot of both sides")
	}
	for len(d.events) > 1 && d.events[len(d.events)-1].Kind == replay.BinanceTrade {
		d.events = d.events[:len(d.events)-1] // what a trade takes only the next depth message puts right
	}
	slices.SortStableFunc(d.tickers, func(a, b quote) int { return cmp.Compare(a.update, b.update) })
	return &d, nil
}

// add keeps depth events as of a time: what has waited for the snapshot happens with it.
func (d *day) add(events []replay.BinanceEvent, at fixed.Nanos) {
	for _, ev := range events {
		ev.Time, ev.Bids, ev.Asks = at, slices.Clone(ev.Bids), slices.Clone(ev.Asks)
		d.events = append(d.events, ev)
	}
}
