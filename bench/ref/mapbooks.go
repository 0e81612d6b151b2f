package ref

import "github.com/lockstep-exchange/lockstep/bench/ops"

// MapBooks spreads a stream over many plain-map books that share their order rows
// and ids, as the books of a shard do.
type MapBooks struct {
	ops.Result

	books []MapBook
}

// NewMapBooks returns empty books for the ids of s: with rows for so many resting
// orders in all, and so many in any one of them.
func NewMapBooks(s *ops.Stream, instruments int, orders, deepest uint32) *MapBooks {
	first := NewMapBook(s, orders)
	m := &MapBooks{Result: ops.NoTrades(), books: make([]MapBook, instruments)}
	for i := range m.books {
		b := &m.books[i]
		b.store, b.ids, b.fills = first.store, first.ids, first.fills
		b.levels, b.free = make([]priceLevel, uint64(deepest)+1), make([]uint32, deepest)
		for row := range b.free {
			b.levels[row+1] = priceLevel{}
			b.free[row] = deepest - uint32(row)
		}
		b.sides[0].best, b.sides[1].best = worst, worst
	}
	return m
}

// Run applies every operation of list.
func (m *MapBooks) Run(list []ops.Op) {
	for i := range list {
		m.Apply(&list[i])
	}
}

// Apply executes one operation. The result goes from book to book, so that its
// checksum is over all trades in order.
func (m *MapBooks) Apply(op *ops.Op) {
	b := &m.books[op.Instrument(uint64(len(m.books)))]
	b.Result = m.Result
	b.Apply(op)
	m.Result = b.Result
}

// Counts returns the result, the rejects, and 0 refusals: there is no risk here.
func (m *MapBooks) Counts() (r ops.Result, rejects, refused uint64) {
	for i := range m.books {
		rejects += m.books[i].Rejects
	}
	return m.Result, rejects, 0
}
