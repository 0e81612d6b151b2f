package demo

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// What becomes of pools that are short of margin, as the events tell it: their rungs, what was sold of them, and what the
// insurance fund earned and paid.

// ladder counts.
type ladder struct {
	rungs   []msg.Rung  // by account, of the pool that its position is in
	on      [16]int64   // accounts on each of them but ok
	calls   [16]int64   // by the rung that was entered
	cleared int64       // calls that were taken back
	ended   int64       // liquidations
	slices  int64       //
	sold    fixed.Lots  // by slices
	fees    fixed.Money // of them, to the fund
	adl     int64       // pools that others' positions closed
	fills   int64       // of those others
	cut     int64       // gains that were cut
	fund    fixed.Money // the insurance fund
	income  fixed.Money // what it was paid, from outside too
	draw    fixed.Money // what it paid
	deficit fixed.Money // 0 or less

	selling forced
	closing *account // by others' positions
}

// rungs are how many accounts with a position stand on each rung.
type rungs struct{ ok, call1, call2, liquidating int64 }

// stand counts them.
func (v *view) stand() rungs {
	on := &v.ladder.on
	r := rungs{call1: on[msg.RungCall1], call2: on[msg.RungCall2], liquidating: on[msg.RungLiquidating] + on[msg.RungADL]}
	r.ok = v.held - r.call1 - r.call2 - r.liquidating
	return r
}

// forced is a slice of which trades are still to be told: they follow it, maker by maker.
type forced struct {
	account *account
	left    fixed.Lots
	sells   bool
}

// fall takes in an event of the ladder.
func (v *view) fall(ev *msg.Event) {
	l, a := &v.ladder, v.of(ev.Account)
	switch ev.Kind {
	case msg.MarginCall, msg.LiquidationStarted:
		l.calls[ev.RungStep().To&15]++
		l.stand(ev.Account, ev.RungStep().To)
	case msg.MarginCallCleared:
		l.cleared++
		l.stand(ev.Account, ev.RungStep().To)
	case msg.LiquidationEnded:
		l.ended++
		l.stand(ev.Account, ev.RungStep().To)
		if a.exposure.Qty == 0 && a.isolated { // what is left of it goes back
			a.cash += max(a.margin, 0)
			a.margin = 0
		}
	case msg.Takeover:
		l.calls[msg.RungTakeover]++
		l.stand(ev.Account, msg.RungOK)
		v.fill(v.of(msg.FundAccount), a.exposure.Qty, 0, 0)
		v.fill(a, -a.exposure.Qty, 0, 0)
		*a.purse() = 0
	case msg.LiquidationSlice:
		v.slice(ev, a)
	case msg.AdlStarted:
		l.adl++
		l.closing = a
		l.stand(ev.Account, msg.RungADL)
	case msg.AdlFill:
		v.deleverage(ev, a)
	case msg.Socialized:
		l.cut++
		a.cash -= ev.Balance().Amount
	case msg.FundIncome:
		l.income += ev.Balance().Amount
		l.fund = ev.Balance().Cash
	case msg.FundDraw:
		l.draw += ev.Balance().Amount
		l.fund = ev.Balance().Cash
	case msg.DeficitBooked:
		l.deficit = ev.Balance().Cash
	}
}

// stand notes the rung of a pool.
func (l *ladder) stand(id msg.AccountID, to msg.Rung) {
	l.on[l.rungs[id]&15]--
	l.rungs[id] = to
	l.on[to&15]++
}

// slice takes in that lots of a pool were closed; its trades are told after it.
func (v *view) slice(ev *msg.Event, a *account) {
	l := &v.ladder
	c := ev.Closeout()
	l.slices++
	l.sold += ev.Qty
	l.fees += c.Fee
	*a.purse() -= c.Fee
	l.selling = forced{account: a, left: ev.Qty, sells: ev.Side == msg.Sell}
}

// sell takes in a trade of a slice, of which only the maker's side is told; sold reports whether it was one.
func (v *view) sell(ev *msg.Event) (sold bool) {
	s := &v.ladder.selling
	if s.left == 0 {
		return false
	}
	delta := ev.Qty
	if s.sells {
		delta = -delta
	}
	v.fill(s.account, delta, v.value(delta, ev.Price), 0)
	s.left -= ev.Qty
	return true
}

// deleverage takes in that lots of somebody who had won were closed against a pool that nobody bought.
func (v *view) deleverage(ev *msg.Event, a *account) {
	l := &v.ladder
	l.fills++
	delta := ev.Closeout().Position - a.exposure.Qty
	v.fill(a, delta, v.value(delta, ev.Price), 0)
	if c := l.closing; c != nil {
		if v.fill(c, -delta, -v.value(delta, ev.Price), 0); c.exposure.Qty == 0 {
			*c.purse() = 0 // the fund has what is left
		}
	}
}
