package engine

import (
	"cmp"
	"slices"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// The part of the twin that is the ladder's rungs (M-46, M-47). It has no wires: whenever something has happened it adds up
// what every pool owns and requires, and looks whether it stands where it should.

// poolID names a pool: what an account has across its instruments, or its isolated position in one (M-01).
type poolID struct {
	account msg.AccountID
	instr   msg.InstrumentID // 0: across
}

// naivePool is where a pool stands.
type naivePool struct {
	rung   msg.Rung
	late   bool  // the second call came because the first one's deadline had passed
	passed bool  // the deadline of the first call
	stalls int64 // steps in a row that sold nothing
}

// pool is where a pool stands; it is there to be written to.
func (n *naive) pool(k poolID) *naivePool {
	if n.pools[k] == nil {
		n.pools[k] = &naivePool{}
	}
	return n.pools[k]
}

// poolOf is the pool of a position.
func (a *naiveAccount) poolOf(id msg.InstrumentID) poolID {
	if a.own(id).isolated {
		return poolID{a.id, id}
	}
	return poolID{account: a.id}
}

// poolIDs are all pools there are, in order of account, then of instrument.
func (n *naive) poolIDs() (list []poolID) {
	for id, a := range n.accounts {
		list = append(list, poolID{account: id})
		for i := range n.instruments {
			if k := (poolID{id, i}); a.own(i).isolated || n.pool(k).rung != msg.RungOK { // it was one until now
				list = append(list, k)
			}
		}
	}
	slices.SortFunc(list, poolID.compare)
	return list
}

func (k poolID) compare(o poolID) int {
	return cmp.Or(cmp.Compare(k.account, o.account), cmp.Compare(k.instr, o.instr))
}

// legs are the positions of a pool.
func (n *naive) legs(k poolID) (list []msg.InstrumentID) {
	a := n.accounts[k.account]
	for _, id := range n.ids() {
		if n.instruments[id].perpetual() && a.qty[id] != 0 && a.poolOf(id) == k {
			list = append(list, id)
		}
	}
	return list
}

// standing is E and MM of a pool, with what it owes in funding paid, and a rebate of a past day its own.
func (n *naive) standing(k poolID) (equity, maintenance fixed.Money) {
	a := *n.accounts[k.account]
	if k.instr != 0 && a.poolOf(k.instr) != k {
		return 0, 0 // it has been merged
	}
	if k.instr != 0 {
		owed, _ := n.owed(&a, k.instr)
		equity, _, maintenance = n.child(&a, k.instr)
		return equity - owed, maintenance
	}
	for _, id := range n.ids() {
		if !a.own(id).isolated {
			owed, _ := n.owed(&a, id)
			a.cash -= owed
		}
	}
	if a.rebate > 0 && a.rebateDay != n.day() {
		a.cash += a.rebate
	}
	equity, _, maintenance = n.figures(&a)
	return equity, maintenance
}

// reduces reports whether nothing that adds risk is taken for a pool (M-46).
func (n *naive) reduces(k poolID, equity, initial fixed.Money) bool {
	return equity < initial || n.pool(k).rung >= msg.RungCall2
}

// covers reports whether E is at least so much of MM.
func covers(equity, maintenance fixed.Money, rate fixed.Rate) bool {
	return product(int64(equity), int64(fixed.One)).Cmp(product(int64(maintenance), int64(rate))) >= 0
}

// fall is the rung of a pool that comes from above (M-46).
func (n *naive) fall(equity, maintenance fixed.Money, legs bool) msg.Rung {
	l := &n.prices.venue.Ladder
	switch {
	case !legs:
		return msg.RungOK
	case equity <= 0:
		return msg.RungTakeover
	case !covers(equity, maintenance, fixed.One):
		return msg.RungLiquidating
	case !covers(equity, maintenance, l.Call2):
		return msg.RungCall2
	case !covers(equity, maintenance, l.Call1):
		return msg.RungCall1
	}
	return msg.RungOK
}

// rise is the rung of a pool that stands on one and is not worse than it (M-47).
func (n *naive) rise(p *naivePool, equity, maintenance fixed.Money) msg.Rung {
	l := &n.prices.venue.Ladder
	out := covers(equity, maintenance, l.Call1Exit)
	half := covers(equity, maintenance, l.Call2Exit)
	switch p.rung {
	case msg.RungLiquidating:
		if !covers(equity, maintenance, l.Target) {
			return p.rung
		}
		fallthrough
	case msg.RungCall2:
		switch late := p.rung == msg.RungCall2 && p.late; {
		case out:
			return msg.RungOK
		case half && !late:
			return msg.RungCall1
		}
		return msg.RungCall2
	case msg.RungCall1:
		switch {
		case out:
			return msg.RungOK
		case p.passed:
			return msg.RungCall2
		}
	}
	return p.rung
}

// next is the rung on which a pool ought to stand.
func (n *naive) nextRung(k poolID) (next msg.Rung, equity, maintenance fixed.Money) {
	p, legs := n.pool(k), n.legs(k)
	equity, maintenance = n.standing(k)
	if len(legs) == 0 {
		return msg.RungOK, equity, maintenance
	}
	next = n.fall(equity, maintenance, true)
	if next <= p.rung {
		next = n.rise(p, equity, maintenance)
	}
	if next > p.rung && n.doubted(k) {
		next = p.rung
	}
	return next, equity, maintenance
}

// doubted reports whether a pool is stepped down no further, since a price of it is in doubt (M-33).
func (n *naive) doubted(k poolID) bool {
	return slices.ContainsFunc(n.legs(k), func(id msg.InstrumentID) bool { return n.health(id) >= msg.Frozen })
}
