package engine

import (
	"fmt"

	"github.com/lockstep-exchange/lockstep/clearing"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/margin"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// What must be true of the ladder after every command, and the full scan that the trip-wires save.

// distressed reports whether the ladder did something to an account.
func distressed(events []msg.Event, id msg.AccountID) bool {
	for i := range events {
		if e := &events[i]; e.Account == id && e.Kind >= msg.MarginCall && e.Kind < msg.SweepPending {
			return true
		}
	}
	return false
}

// onTheLadder holds what the events of the ladder say against its rules, and every pool against its rung.
func (o *observer) onTheLadder(events []msg.Event) error { // I-05, I-16, I-17, I-20, I-21, I-22
	if v := o.VenueAccounts(); v.Fund < 0 || v.Deficit > 0 || o.house.Venue.Fund < 0 || o.house.Venue.Deficit > 0 {
		return fmt.Errorf("fund %s, deficit %s", v.Fund, v.Deficit)
	}
	for i := range events {
		if err := o.forced(&events[i]); err != nil {
			return fmt.Errorf("event %d, %s: %w", i, events[i].String(), err)
		}
	}
	if !o.house.Restless() && o.jobs.shedding.pool == 0 && o.earliest() > o.now {
		return o.scan()
	}
	return nil
}

// forced holds one event of the ladder against its rules.
func (o *observer) forced(e *msg.Event) error {
	switch e.Kind {
	case msg.LiquidationStarted:
		if s := e.RungStep(); s.Maintenance <= 0 || s.Equity >= s.Maintenance || s.To != msg.RungLiquidating {
			return fmt.Errorf("a liquidation of a pool that is not below maintenance")
		}
	case msg.Takeover, msg.AdlStarted:
		if s := e.RungStep(); s.Equity > 0 && s.From != msg.RungLiquidating {
			return fmt.Errorf("a takeover of a pool that has something and was not being sold")
		}
	case msg.LiquidationSlice:
		c := e.Closeout()
		if e.Side == msg.Sell && e.Price < c.Limit || e.Side == msg.Buy && e.Price > c.Limit || e.Qty <= 0 || c.Fee < 0 {
			return fmt.Errorf("a slice beyond its limit, or of nothing")
		}
	case msg.FundDraw, msg.FundIncome, msg.DeficitBooked, msg.Socialized:
		if e.Balance().Amount <= 0 {
			return fmt.Errorf("an amount that is none")
		}
	case msg.AdlFill:
		if c := e.Closeout(); e.Side == msg.Buy && c.Position > 0 || e.Side == msg.Sell && c.Position < 0 {
			return fmt.Errorf("a position that was turned")
		}
	}
	return nil
}

// scan looks at every pool, whatever wires it has, and says which one does not stand where it should.
func (o *observer) scan() error { // I-20, M-57
	for id := msg.AccountID(1); uint32(id) <= o.limits.Accounts; id++ {
		s, ok := o.Account(id)
		if !ok {
			continue
		}
		if err := o.stands(clearing.Cross(id), s.Equity, s.Maintenance, s.State); err != nil {
			return err
		}
		for instr := range o.instruments {
			if p, ok := o.Position(id, msg.InstrumentID(instr)); ok && p.Mode == msg.ModeIsolated {
				row := o.house.Find(id, msg.InstrumentID(instr))
				if err := o.stands(o.house.PoolOf(row), p.Margin+p.Profit, p.Maintenance, p.State); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// stands says how a pool that is not where it belongs is not.
func (o *observer) stands(p clearing.Pool, equity, maintenance fixed.Money, rung msg.Rung) error {
	l, w := &o.venue.Ladder, o.house.Watch(p)
	covers := func(r fixed.Rate) bool { return margin.Covers(equity, maintenance, r) }
	borrowed, held := false, false
	for leg := o.house.LegOf(p, 0); leg != 0; leg = o.house.LegOf(p, leg) {
		borrowed = true
		held = held || !market.Permits(o.instruments[o.house.Position(leg).Instr].Health, market.Liquidate)
	}
	worse, better := false, false
	switch rung {
	case msg.RungOK:
		worse = !covers(l.Call1) || equity <= 0
	case msg.RungCall1:
		worse, better = !covers(l.Call2) || w.Deadline <= o.now, covers(l.Call1Exit)
	case msg.RungCall2:
		worse, better = !covers(fixed.One), covers(l.Call1Exit) || !w.Late && covers(l.Call2Exit)
	case msg.RungLiquidating:
		worse, better = equity <= 0, covers(l.Target)
	default:
		return fmt.Errorf("pool %d rests on the rung %s", p, rung)
	}
	switch {
	case !borrowed && (rung != msg.RungOK || equity < 0), borrowed && (better || worse && !held):
		return fmt.Errorf("pool %d has %s, requires %s and is %s", p, equity, maintenance, rung)
	}
	return nil
}
