package book

import "slices"

// Fork is a copy of the store that shares no memory with it. It allocates as much as the store has.
func (s *Store) Fork() *Store {
	c := new(Store)
	*c = *s
	c.orders, c.levels, c.blocks = slices.Clone(s.orders), slices.Clone(s.levels), slices.Clone(s.blocks)
	for _, r := range [...]*rows{&c.orderRows, &c.levelRows, &c.blockRows} {
		r.free = slices.Clone(r.free)
	}
	c.expiry.at, c.expiry.heap, c.expiry.place = slices.Clone(s.expiry.at), slices.Clone(s.expiry.heap), slices.Clone(s.expiry.place)
	c.slots = slices.Clone(s.slots)
	c.tickets, c.arrivals, c.tags = slices.Clone(s.tickets), slices.Clone(s.arrivals), slices.Clone(s.tags)
	return c
}

// Fork is a copy of the book over a fork of its store. The trees are built anew: sharing their nodes would make later
// writes to either copy them.
func (b *Book) Fork(s *Store) *Book {
	c := new(Book)
	*c = *b
	c.store = s
	for i := range c.sides {
		h, x := &c.sides[i], &c.indexes[i]
		x.plant()
		for row := h.first; row != 0; row = s.blocks[row].next {
			x.tree.Set(s.blocks[row].key, row)
		}
		x.stretch()
	}
	return c
}
