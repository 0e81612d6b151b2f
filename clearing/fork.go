package clearing

import (
	"slices"

	"github.com/lockstep-exchange/lockstep/market"
)

// Fork is a copy of the house over a copy of its instruments; it shares no memory with it. It allocates as much as the house
// has.
func (h *House) Fork(instruments []market.Instrument) *House {
	c := *h
	c.instruments = instruments
	c.accounts, c.statements, c.owners = slices.Clone(h.accounts), slices.Clone(h.statements), slices.Clone(h.owners)
	c.rows, c.past, c.ledgers, c.claims = slices.Clone(h.rows), slices.Clone(h.past), slices.Clone(h.ledgers), slices.Clone(h.claims)
	c.passed, c.worn = slices.Clone(h.passed), slices.Clone(h.worn)
	c.interest, c.peak, c.assets = slices.Clone(h.interest), slices.Clone(h.peak), slices.Clone(h.assets)
	c.holds = slices.Clone(h.holds)
	c.watches, c.shifted, c.wires = slices.Clone(h.watches), slices.Clone(h.shifted), h.wires.fork()
	c.suspects = make([]ranked, 0, h.limits.suspects())
	c.funding, c.volumes = slices.Clone(h.funding), slices.Clone(h.volumes)
	return &c
}

// fork is a copy of the wires.
func (w *wires) fork() wires {
	c := *w
	c.nodes, c.tops, c.of = slices.Clone(w.nodes), slices.Clone(w.tops), slices.Clone(w.of)
	return c
}
