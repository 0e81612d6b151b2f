package stress

import (
	"context"
	"fmt"

	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// run is one book under one mode on its way through a shock. It says commands and listens; what happens is the engine's.
//
//	step ── time passes: ticks at what is due, the maker puts back what was taken
//	     ── the maker quotes around the new price, then the sources report it
//	     ── funding, where it is due
//	     ── money and lots are counted: none may be missing
type run struct {
	ctx       context.Context
	book      *Book
	shock     *Shock
	mode      msg.Mode
	seed      uint64
	accounts  []*account
	eng       *engine.Engine
	collect   *collector
	events    []msg.Event
	start     fixed.Nanos
	now       fixed.Nanos
	steps     int64
	commands  int64
	told      int64
	positions int
	unmade    int64 // funding payments that were refused

	counterparty, maker msg.AccountID
	walks               []*walk // by underlying
	prices              []fixed.Money
	refill              fixed.Nanos // when the maker puts back what was taken; 0: nothing was
	funding             fixed.Nanos // when the next payment is due
	series              series
}

func newRun(ctx context.Context, b *Book, s *Shock, accounts []*account, mode msg.Mode, seed uint64) (*run, error) {
	eng, err := engine.New(b.limits(accounts))
	if err != nil {
		return nil, err
	}
	r := &run{ctx: ctx, book: b, shock: s, mode: mode, seed: seed, accounts: accounts, eng: eng, collect: newCollector(b, len(accounts)),
		start: s.start(), now: s.start(), walks: make([]*walk, len(b.instruments)+1), prices: make([]fixed.Money, len(b.instruments)+1)}
	r.steps = int64(s.duration() / s.step)
	return r, nil
}

// send applies a command and returns why it was refused.
func (r *run) send(c msg.Command) (refused msg.Reject) {
	r.commands++
	c.Seq, c.Time = r.eng.Seq()+1, r.now
	r.events = r.eng.Apply(&c, r.events[:0])
	r.told += int64(len(r.events))
	for i := range r.events {
		ev := &r.events[i]
		if ev.Kind == msg.Rejected && ev.Refusal().Asked == c.Kind {
			refused = ev.Reject
		}
		r.collect.fold(ev)
	}
	return refused
}

// walkThrough takes all steps; progress is told after each.
func (r *run) walkThrough(progress func(int64)) error {
	if err := r.open(); err != nil {
		return err
	}
	for _, in := range r.book.instruments {
		r.quote(in)
	}
	if f := &r.shock.funding; f.every > 0 {
		r.funding = (r.start/f.every + 1) * f.every
	}
	every := max(1, r.steps/samplesMax)
	r.sample()
	for k := int64(1); k <= r.steps; k++ {
		if r.ctx.Err() != nil {
			return r.ctx.Err()
		}
		if err := r.pass(r.start + fixed.Nanos(k)*r.shock.step); err != nil {
			return err
		}
		r.move()
		if k%every == 0 || k == r.steps {
			r.sample()
		}
		if err := r.conserved(); err != nil {
			return err
		}
		progress(k)
	}
	for _, a := range r.accounts {
		r.collect.of(a.id).after = r.value(a).equity
	}
	return nil
}

// conserved counts all money and all lots (I-01, I-02).
func (r *run) conserved() error {
	if money, lots := r.eng.Imbalance(); money != 0 || lots != 0 {
		return fmt.Errorf("stress: %s and %d lots are missing at %s, expected none", money, lots, r.label(r.now))
	}
	return nil
}

// ticksMax is how often an engine may say that there is work left at one moment: far more than a book of a million accounts has.
const ticksMax = 1_000_000

// pass lets time go by until at: whatever falls due happens at its own time. The error is a defect of the engine's.
func (r *run) pass(until fixed.Nanos) error {
	for at, ticks := r.now, 0; ; ticks++ {
		if at != r.now {
			at, ticks = r.now, 0
		}
		if ticks > ticksMax {
			return fmt.Errorf("stress: the engine has work left at %s after %d ticks, expected an end", r.label(r.now), ticksMax)
		}
		due, ok := r.eng.NextDue()
		mend := r.mends()
		switch {
		case ok && due <= until && due <= mend:
			r.now = max(r.now, due)
			r.send(msg.Tick())
		case mend <= until:
			r.now = max(r.now, mend)
			r.mend()
		default:
			r.now = until
			return nil
		}
	}
}

// move takes prices one step on, an underlying at a time: the maker quotes around the new price, then the sources report it. So no mark is
// behind its own book, and none ahead.
func (r *run) move() {
	t := r.now - r.start
	var again []*instrument
	for id := 1; id < len(r.walks); id++ {
		w := r.walks[id]
		if w == nil {
			continue
		}
		r.prices[id] = w.next(t)
		for _, in := range r.book.instruments {
			if int(in.underlying.id) == id && !r.quote(in) {
				again = append(again, in)
			}
		}
		if !r.shock.mute(w.name, t) {
			r.send(msg.ReportPrice(msg.Report{Underlying: msg.UnderlyingID(id), Price: r.prices[id], Confidence: fixed.One}))
		}
	}
	for _, in := range r.book.instruments {
		if m, _ := r.eng.Market(in.id); m.Phase == msg.CallAuction { // the oracle is well again: the venue opens
			r.send(msg.SetPhase(in.id, msg.Continuous))
			again = append(again, in)
		}
	}
	for _, in := range again { // a band, or a halt, has refused what the new mark allows
		r.quote(in)
	}
	r.fund()
}

// fund settles the funding that is due.
func (r *run) fund() {
	f := &r.shock.funding
	for ; r.funding != 0 && r.funding <= r.now; r.funding += f.every {
		rate := f.rateAt(r.funding)
		for _, in := range r.book.instruments {
			if rate != 0 && r.send(msg.SettleFunding(in.id, rate)) != 0 {
				r.unmade++
			}
		}
	}
}

// price is where an instrument would trade now, in ticks.
func (r *run) price(in *instrument) fixed.Ticks {
	p, _ := fixed.MulDivFloor(int64(r.prices[in.underlying.id]), 1, int64(in.tickLot)*int64(in.unitLots))
	return max(fixed.Ticks(p), 1)
}

// quote lets the maker quote an instrument anew; whole is false where some of it was refused.
func (r *run) quote(in *instrument) (whole bool) {
	r.send(msg.CancelAll(r.maker, in.id, 0))
	m, p := r.shock.thinned(r.now-r.start), r.price(in)
	whole = true
	for i := range m.levels {
		away := m.spread/2 + fixed.Rate(i)*m.gap
		bid, _ := (-away).ScaleFloor(p)
		ask, _ := away.ScaleCeil(p)
		for _, q := range []struct {
			side  msg.Side
			price fixed.Ticks
		}{{msg.Buy, bid}, {msg.Sell, max(ask, bid+1)}} {
			if q.price < 1 {
				continue
			}
			if lots := fixed.Lots(m.depth / (fixed.Money(q.price) * in.tickLot)); lots > 0 {
				whole = r.send(msg.Limit(r.maker, in.id, q.side, q.price, lots)) == 0 && whole
			}
		}
	}
	r.collect.touched[in.id] = false
	return whole
}

// mends is when the maker puts back what was taken from him; far away where nothing was.
func (r *run) mends() fixed.Nanos {
	for _, in := range r.book.instruments {
		if r.collect.touched[in.id] {
			if r.refill == 0 {
				r.refill = r.now + r.shock.maker.refill
			}
			return r.refill
		}
	}
	r.refill = 0
	return engine.MaxTime
}

// mend puts it back.
func (r *run) mend() {
	r.refill = 0
	for _, in := range r.book.instruments {
		if r.collect.touched[in.id] {
			r.quote(in)
		}
	}
}
