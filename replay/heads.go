package replay

import (
	"context"
	"errors"
	"io"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Records are what a market-by-order recording held.
type Records struct {
	Snapshot int64 `json:"snapshot"` // orders of the book at its start
	Strays   int64 `json:"strays"`   // records that do not fit the book: unknown orders, or orders entered twice
}

// MBO is the replay of a market-by-order recording. Its answers are the fills: when an order was filled, it must have been
// the first of its price, if both queues are kept by the same rules. Each fill is compared with our queue.
//
// The recording says by itself what traded: fills do not change the book, the cancels and modifies that follow do. And
// its book may stand crossed, before the open. So bids and asks rest in two instruments, and every queue is the engine's.
//
// Several orders may be filled before the first of them is taken out of the book. So one that is filled whole, and still
// stands, no longer counts as the first.
type MBO struct {
	Files []string
	Tick  Step // of prices; zero: the largest on which all prices lie, found by reading the files once more
}

// Replay runs the recording. The error is an *InputError, or the context's with a partial Result.
func (m MBO) Replay(ctx context.Context, watch Watch) (*Result, error) {
	if m.Tick == (Step{}) {
		tick, err := mboTick(ctx, m.Files)
		if err != nil {
			return nil, err
		}
		m.Tick = tick
	}
	src, err := Open(m.Files...)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	run := &mboRun{
		result: &Result{Format: "mbo", Files: m.Files, Executions: &Executions{}, Records: &Records{}},
		src:    src, orders: map[uint64]msg.OrderID{}, filled: map[msg.OrderID]fixed.Lots{},
	}
	pacer := watcher{ctx: ctx, src: src, watch: watch}
	reader, rec := MBOReader{Source: src, Step: m.Tick}, MBORecord{}
	for {
		if err := reader.Read(&rec); errors.Is(err, io.EOF) {
			return run.venue.finish(run.result, nil)
		} else if err != nil {
			return nil, err
		}
		if err := run.record(&rec); err != nil {
			return nil, err
		}
		if pacer.step() {
			run.result.Partial = true
			return run.venue.finish(run.result, ctx.Err())
		}
	}
}

// mboTick is the greatest common divisor of the prices in the files.
func mboTick(ctx context.Context, files []string) (Step, error) {
	src, err := Open(files...)
	if err != nil {
		return Step{}, err
	}
	defer src.Close()
	reader, rec := MBOReader{Source: src, Step: Step{1, 9}}, MBORecord{}
	pacer, tick := watcher{ctx: ctx, src: src}, int64(0)
	for {
		switch err := reader.Read(&rec); {
		case errors.Is(err, io.EOF):
			return nanoStep(max(tick, 1)), nil
		case err != nil:
			return Step{}, err
		}
		for a := fixed.Abs(int64(rec.Price)); a != 0; {
			tick, a = a, tick%a
		}
		if pacer.step() {
			return Step{}, ctx.Err()
		}
	}
}

// nanoStep is a step of so many 1e-9.
func nanoStep(units int64) Step {
	places := 9
	for places > 0 && units%10 == 0 {
		units, places = units/10, places-1
	}
	return Step{units, places}
}

// mboRun is a replay under way.
type mboRun struct {
	venue  *venue // nil before the first order
	result *Result
	src    *Source
	orders map[uint64]msg.OrderID     // that stand, by the recording's id
	filled map[msg.OrderID]fixed.Lots // of orders that stand: filled, and not yet taken out
	ended  bool                       // the last record was the last of its event
}

func (r *mboRun) record(rec *MBORecord) (err error) {
	if r.venue == nil && rec.Action == MBOAdd {
		if r.venue, err = openVenue("MBO", max(rec.Price, 1), halved); err != nil {
			return err
		}
	}
	if r.venue != nil {
		r.venue.at(rec.Time)
	}
	r.result.Messages++
	switch rec.Action {
	case MBOAdd:
		r.add(rec)
	case MBOCancel:
		r.cancel(rec)
	case MBOModify:
		r.modify(rec)
	case MBOClear:
		r.clear()
	case MBOTrade, MBOFill:
		if r.ended {
			clear(r.filled) // what the last event filled without taking it out stays in the book
		}
		if rec.Action == MBOFill {
			r.fill(rec)
		}
	}
	r.ended = rec.Flags&MBOLast != 0
	return nil
}

// standing is an order that stands here by its id in the recording, or nil.
func (r *mboRun) standing(order uint64) *standing {
	if id, known := r.orders[order]; known {
		return r.venue.book.order(id)
	}
	return nil
}

func (r *mboRun) add(rec *MBORecord) {
	if o := r.standing(rec.Order); o != nil {
		r.result.Strays++
		r.remove(rec.Order, o)
	}
	if rec.Flags&MBOSnapshot != 0 {
		r.result.Snapshot++
	}
	id, ev := r.venue.rest(rec.Side, rec.Price, rec.Size)
	if ev != nil {
		r.result.refuses(r.src.where(), ev.Reject)
		return
	}
	r.orders[rec.Order] = id
}

func (r *mboRun) cancel(rec *MBORecord) {
	o := r.standing(rec.Order)
	switch {
	case o == nil:
		r.result.Strays++
	case rec.Size >= o.leaves:
		r.remove(rec.Order, o)
	default:
		delete(r.filled, o.id)
		r.venue.change(o.id, o.price, o.leaves-rec.Size)
	}
}

// modify changes an order. One that nobody has seen has come to stand now.
func (r *mboRun) modify(rec *MBORecord) {
	o := r.standing(rec.Order)
	switch {
	case o == nil && r.venue == nil:
		r.result.Strays++
		return
	case o == nil:
		r.result.Strays++
		r.add(rec)
		return
	}
	delete(r.filled, o.id)
	if rec.Price == o.price && rec.Size == o.leaves {
		return // to the engine that would be a new place in the queue
	}
	if ev := r.venue.change(o.id, rec.Price, rec.Size); ev != nil {
		r.result.refuses(r.src.where(), ev.Reject)
	}
}

func (r *mboRun) remove(order uint64, o *standing) {
	delete(r.orders, order)
	delete(r.filled, o.id)
	r.venue.drop(o.id)
}

func (r *mboRun) clear() {
	clear(r.orders)
	clear(r.filled)
	for _, side := range [2]msg.Side{msg.Buy, msg.Sell} {
		for r.venue != nil && r.venue.book.first(side) != 0 {
			r.venue.drop(r.venue.book.orders[r.venue.book.first(side)].id)
		}
	}
}

// fill compares the order of a fill with the first of its price here.
func (r *mboRun) fill(rec *MBORecord) {
	r.result.Fills++
	r.result.Compared++
	o := r.standing(rec.Order)
	if o == nil {
		r.result.Anonymous++
		r.result.differs("%s: order %d was filled, expected an order that stands", r.src.where(), rec.Order)
		return
	}
	head := r.head(o.side, rec.Price)
	r.filled[o.id] += rec.Size
	if head == nil || head.id != o.id {
		r.result.differs("%s: order %d was filled, expected the first of its price", r.src.where(), rec.Order)
		return
	}
	r.result.AtHead++
}

// head is the first order at a price that is not filled whole already, or nil.
func (r *mboRun) head(side msg.Side, price fixed.Ticks) *standing {
	at := r.venue.book.at(side, price)
	if at == nil {
		return nil
	}
	for h := at.head; h != 0; h = r.venue.book.orders[h].next {
		o := &r.venue.book.orders[h]
		if r.filled[o.id] < o.leaves {
			return o
		}
	}
	return nil
}
