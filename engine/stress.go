package engine

import (
	"cmp"
	"slices"

	"github.com/lockstep-exchange/lockstep/clearing"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/margin"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Stress: what a shock of prices would do to an account, or to all, answered as what-if is: by letting it happen on a fork (M-75).
//
//	fork ──> books thinned ──> margin mode as asked ──> marks and indices moved ──> Equity, Initial, Maintenance, State
//	                                                          |
//	                                                          `──> the ladder runs until nobody is being sold: Shortfall, Liquidated, FundUsed
//
// On the fork marks stand still after the shock, nothing is reported and no funding is paid, so that what is told is the shock's alone.

// Shock moves the index of an underlying, and the marks of all instruments on it, by a rate above -1.
type Shock struct {
	Underlying msg.UnderlyingID
	Move       fixed.Rate
}

// Trial says what to try.
type Trial struct {
	Account msg.AccountID // whose figures are asked for; 0: those of all
	Shocks  []Shock
	Depth   int64    // every resting order has 1/Depth of its lots left, rounded down; 0 and 1: all
	Mode    msg.Mode // every position is margined so, where that can be; 0: as it is
}

// Outcome is what a trial came to. Figures of several accounts are added up, and State is the worst.
type Outcome struct {
	Equity      fixed.Money // at the shock, isolated positions apart
	Initial     fixed.Money // likewise
	Maintenance fixed.Money // likewise
	State       msg.Rung    // where the shock brings a pool, an isolated one too
	Shortfall   fixed.Money // what pools lacked when they were taken over, closed or settled
	Liquidated  fixed.Money // worth, at the shocked marks, of what was sold, taken over and closed of them
	FundUsed    fixed.Money // paid by the fund, whoever it was for
	Restless    bool        // somebody was still being sold when it was given up
}

// stressTicks is how often time moves on at most until a trial is given up: to the next thing that is due.
const stressTicks = 20_000

// Stress says what a trial comes to. It costs a fork of the engine and what happens on it, and changes nothing.
func (e *Engine) Stress(t Trial) (o Outcome) {
	f := e.Fork()
	f.venue.MessageRate = 0
	f.thin(t.Depth)
	f.standStill()
	if t.Mode != 0 {
		f.margined(t.Mode)
	}
	f.shock(t.Shocks)
	f.settleDown(f.weighAll(&t, &o), &o)
	return o
}

// thin leaves every resting order a part of its lots.
func (e *Engine) thin(depth int64) {
	if depth <= 1 {
		return
	}
	e.out = make([]msg.Event, e.limits.Events)
	for id := range e.books {
		b := e.bookOf(msg.InstrumentID(id))
		for _, side := range [...]msg.Side{msg.Buy, msg.Sell} {
			if b == nil {
				continue
			}
			for h := b.First(side); h != 0; {
				next, o, t := b.NextOf(h), e.store.Order(h), e.store.Ticket(h)
				left, _ := fixed.MulDivFloor(int64(o.Leaves), 1, depth)
				e.first, e.told = 0, 0
				e.touch(t.Account)
				if left == 0 {
					e.take(b, &e.instruments[id], h, msg.CanceledByMarket, nil)
				} else if by := o.Leaves - fixed.Lots(left); by > 0 {
					b.Reduce(h, by)
					e.house.Shrink(resting(h, o, t.Price), &e.instruments[id], by, o.Leaves)
				}
				h = next
			}
		}
	}
}

// standStill lets nothing fall due any more but what is the ladder's.
func (e *Engine) standStill() {
	for n := range e.limits.Underlyings + 1 {
		e.timers.clear(oracleTimer, n)
	}
	for n := range e.limits.Instruments + 1 {
		e.timers.clear(markTimer, n)
		e.timers.clear(fundingTimer, n)
	}
}

// margined gives every position a margin mode, where it may have it.
func (e *Engine) margined(m msg.Mode) {
	for id := msg.AccountID(1); uint32(id) <= e.limits.Accounts; id++ {
		a := e.house.Account(id)
		if a == nil {
			continue
		}
		for row := a.Positions; row != 0; {
			p := e.house.Position(row)
			instr, next := msg.InstrumentID(p.Instr), p.Next
			switch {
			case p.Qty == 0 || !margin.Margined(&e.instruments[instr]):
			case m == msg.ModeIsolated && p.Mode == 0:
				e.next(msg.IsolateDefault(id, instr))
			case m == msg.ModeCross && p.Mode != 0:
				e.next(msg.Cross(id, instr))
			}
			row = next
		}
	}
}

// shock moves indices and marks at once. A mark that a position could not bear stays.
func (e *Engine) shock(shocks []Shock) {
	for _, s := range shocks {
		u := e.quote(s.Underlying)
		if u == nil {
			continue
		}
		if v, ok := fixed.MulDivFloor(int64(u.Index), int64(fixed.One+s.Move), int64(fixed.One)); ok && v > 0 {
			u.Index = fixed.Money(v)
		}
		for id := u.first; id != 0; id = e.prices[id].next {
			in := &e.instruments[id]
			if u.Index > 0 {
				in.SetIndex(u.Index)
				e.prices[id].index = in.IndexTicks(u.Index)
			}
			if mark, ok := s.Move.ScaleFloor(in.Mark); ok && in.Mark != 0 && e.canMark(id, mark) == 0 {
				in.SetMark(mark)
			}
			e.house.Moved(id)
		}
	}
	e.house.Remark()
}

// weighed is a pool and what of its positions has not been sold yet, worth at the shocked marks. They are kept in order of account, then
// of instrument; 0 is a cross pool.
type weighed struct {
	account msg.AccountID
	instr   msg.InstrumentID
	rest    fixed.Money
}

func (w weighed) compare(o weighed) int {
	return cmp.Or(cmp.Compare(w.account, o.account), cmp.Compare(w.instr, o.instr))
}

// weighAll says what is owned and required at the shocked marks, before anything is sold, and what may be.
func (e *Engine) weighAll(t *Trial, o *Outcome) (pools []weighed) {
	e.out, e.first, e.told = make([]msg.Event, e.limits.Events), 0, 0
	for id := msg.AccountID(1); uint32(id) <= e.limits.Accounts; id++ {
		a := e.house.Account(id)
		if a == nil || t.Account != 0 && t.Account != id {
			continue
		}
		e.told = 0
		e.touch(id)
		o.Equity += a.Equity()
		o.Initial += a.Initial
		o.Maintenance += a.Maintenance
		o.State = max(o.State, e.house.Judge(clearing.Cross(id), &e.venue, e.now).To)
		cross := len(pools)
		pools = append(pools, weighed{account: id})
		for row := a.Positions; row != 0; row = e.house.Position(row).Next {
			p := e.house.Position(row)
			worth := fixed.Abs(margin.Value(&e.instruments[p.Instr], p.Qty))
			if p.Mode == 0 {
				pools[cross].rest += worth
				continue
			}
			o.State = max(o.State, e.house.Judge(e.house.PoolOf(row), &e.venue, e.now).To)
			pools = append(pools, weighed{id, msg.InstrumentID(p.Instr), worth})
		}
	}
	slices.SortStableFunc(pools, weighed.compare)
	return pools
}

// settleDown lets the ladder run until nobody is being sold.
func (e *Engine) settleDown(pools []weighed, o *Outcome) {
	for range stressTicks {
		for _, ev := range e.next(msg.Tick()) {
			e.sold(&ev, pools, o)
		}
		if !e.house.Restless() && e.jobs.shedding.pool == 0 {
			due, ok := e.NextDue()
			if !ok || !e.selling() {
				return
			}
			e.now = due
		}
	}
	o.Restless = true
}

// sold adds up what an event of the ladder tells.
func (e *Engine) sold(ev *msg.Event, pools []weighed, o *Outcome) {
	if ev.Kind == msg.FundDraw {
		o.FundUsed += ev.Balance().Amount
		return
	}
	isolated := ev.Kind == msg.LiquidationSlice && ev.Closeout().Isolated || ev.Kind != msg.LiquidationSlice && ev.RungStep().Isolated
	w := weighed{account: ev.Account}
	if isolated {
		w.instr = ev.Instr
	}
	i, found := slices.BinarySearchFunc(pools, w, weighed.compare)
	if !found {
		return
	}
	switch ev.Kind {
	case msg.LiquidationSlice:
		worth := fixed.Abs(margin.Value(&e.instruments[ev.Instr], ev.Qty))
		o.Liquidated += worth
		pools[i].rest -= worth
	case msg.Takeover, msg.AdlStarted:
		o.Shortfall += max(0, -ev.RungStep().Equity)
		o.Liquidated += pools[i].rest
		pools[i].rest = 0
	}
}

// selling reports whether a pool is being sold.
func (e *Engine) selling() bool {
	for id := msg.AccountID(1); uint32(id) <= e.limits.Accounts; id++ {
		a := e.house.Account(id)
		if a == nil {
			continue
		}
		if a.Rung >= msg.RungLiquidating {
			return true
		}
		for row := a.Positions; row != 0; row = e.house.Position(row).Next {
			if e.house.Ledger(row).Rung >= msg.RungLiquidating {
				return true
			}
		}
	}
	return false
}
