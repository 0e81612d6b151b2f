package engine

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// setFeeTier stages a row of the fee tiers. With the last one the table is in force, and every owner in the row of what he
// traded up to the last day cut.
func (e *Engine) setFeeTier(c *msg.Command) {
	t := c.FeeTier()
	if r := e.house.SetFeeTier(t); r != 0 {
		e.refuse(c, r, 0, 0)
		return
	}
	e.answer(msg.FeeTierSet, c).Rare = c.Rare
	if !t.Last {
		return
	}
	for id := range e.instruments {
		if e.instruments[id].Type != 0 {
			e.instruments[id].SetTiered()
		}
	}
	e.tellTiers(c.Time)
}

// tellTiers lets every owner be told of the row in which he is now, a few at a time.
func (e *Engine) tellTiers(at fixed.Nanos) { e.set(tierTimer, 0, 1, at) }

// ownersPerStep is how many owners a step looks at.
const ownersPerStep = 8

// tellTier goes on from an owner: it tells the first one whose row has changed, and comes again for the others.
func (e *Engine) tellTier(owner msg.OwnerID, at fixed.Nanos) {
	for range ownersPerStep {
		if uint32(owner) > e.limits.Accounts {
			return
		}
		s, changed := msg.TierStep{}, false
		if e.house.Owner(owner) != nil {
			s, changed = e.house.ChangedTier(owner)
		}
		owner++
		if changed {
			e.emit(msg.FeeTierChanged).SetTierStep(s)
			break
		}
	}
	e.set(tierTimer, 0, uint64(owner), at)
}
