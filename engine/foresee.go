package engine

import (
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/ring"
)

// With many accounts, orders or books it is waiting for memory that the time goes to. Who has several commands at hand says
// so: he calls Foresee for each of a few, then Approach for each of them, and then applies them. So their misses overlap, which one
// after the other they cannot. docs/decisions/0007 has the figures.

const (
	// foreseeFrom is how many accounts, positions or orders are more than the nearer caches hold.
	foreseeFrom = 1 << 14
	// approachFrom is how many books and instruments are.
	approachFrom = 1 << 5
)

// Foresees reports whether the tables are so large that Foresee pays for itself.
func (e *Engine) Foresees() bool { return e.afar }

// Foresee asks for the first lines that a command will need that is soon to be applied. It changes nothing.
func (e *Engine) Foresee(r *msg.Request) {
	e.house.Foresee(r.Account, r.Instr)
	if h := r.Order.Handle(); h != 0 && h <= e.limits.Orders {
		e.store.Foresee(h)
		e.house.ForeseeClaim(h)
	}
	if b := e.bookOf(r.Instr); e.wide && b != nil {
		in := &e.instruments[r.Instr]
		ring.Prefetch((*int64)(&in.Mark))
		ring.Prefetch(&in.MaxOpen)
		b.Foresee(r.Side, r.Price)
	}
}

// Approach asks for the lines that the first ones lead to, where there are so many books that these are far away too. It
// changes nothing.
func (e *Engine) Approach(r *msg.Request) {
	if e.wide {
		e.approach(r)
	}
}

func (e *Engine) approach(r *msg.Request) {
	if h := r.Order.Handle(); h != 0 && h <= e.limits.Orders {
		e.store.Approach(h)
	} else if b := e.bookOf(r.Instr); b != nil {
		b.Approach(r.Side, r.Price)
	}
}

// foreseeFills loads what all the fills of a match will need, so that their misses overlap.
func (e *Engine) foreseeFills(taker msg.AccountID, row uint32) {
	e.house.ForeseeFill(taker, row)
	for i := range e.fills {
		e.house.ForeseeFill(e.fills[i].Account, e.house.Claim(e.fills[i].Handle).Position)
	}
}
