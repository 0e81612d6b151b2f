package stress

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Looks at the state between two commands: what an account is worth, and how a run stands now and then.

// worth is an account, its isolated positions and all.
type worth struct {
	equity      fixed.Money // all it has
	behind      fixed.Money // equity of its pools with positions: what stands behind them
	initial     fixed.Money // that they require
	maintenance fixed.Money
}

// value is what an account is worth now.
func (r *run) value(a *account) (v worth) {
	s, _ := r.eng.Account(a.id)
	v.equity = s.Equity
	held := false
	for _, p := range a.positions {
		h, ok := r.eng.Position(a.id, p.in.id)
		switch {
		case !ok:
		case h.Mode == msg.ModeIsolated:
			v.equity += h.Margin + h.Profit
			v.behind += h.Margin + h.Profit
			v.initial += h.Initial
			v.maintenance += h.Maintenance
		case h.Qty != 0:
			held = true
		}
	}
	if held {
		v.behind += s.Equity
		v.initial += s.Initial
		v.maintenance += s.Maintenance
	}
	return v
}

// samplesMax is about how often a run is looked at as a whole.
const samplesMax = 240

// series is how a run stood at each look.
type series struct {
	times  []fixed.Nanos
	marks  [][]fixed.Ticks // by instrument, from 0 on
	usage  []fixed.Rate    // initial over what stands behind it; at most usageMax
	calls  []int64         // so far
	sales  []int64         // liquidations so far
	fund   []fixed.Money
	losses []fixed.Money // of the deficit, 0 or more
}

// usageMax is what usage is where nothing stands behind what is required, or less than a tenth of it.
const usageMax = 10 * fixed.One

// sample looks at the run as a whole.
func (r *run) sample() {
	s, c := &r.series, r.collect
	s.times = append(s.times, r.now)
	for i := range r.book.instruments {
		if len(s.marks) <= i {
			s.marks = append(s.marks, nil)
		}
		s.marks[i] = append(s.marks[i], c.marks[i+1])
	}
	var sum worth
	for _, a := range r.accounts {
		v := r.value(a)
		sum.behind += v.behind
		sum.initial += v.initial
	}
	s.usage = append(s.usage, share(sum.initial, sum.behind))
	s.calls = append(s.calls, c.calls1+c.calls2)
	s.sales = append(s.sales, c.started)
	venue := r.eng.VenueAccounts()
	s.fund = append(s.fund, venue.Fund)
	s.losses = append(s.losses, -venue.Deficit)
}

// share is a part of a whole; usageMax where it would be more, or there is no whole.
func share(part, whole fixed.Money) fixed.Rate {
	if part == 0 {
		return 0
	}
	if whole <= 0 {
		return usageMax
	}
	r, ok := fixed.MulDivHalfEven(int64(part), int64(fixed.One), int64(whole))
	if !ok {
		return usageMax
	}
	return min(fixed.Rate(r), usageMax)
}
