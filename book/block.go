package book

import (
	"math/bits"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/tidwall/btree"
)

// One side of a book: price levels in blocks of 64, found by price, walked in priority.
//
// Words: the rank of a price is the price among asks and its negative among bids, so on either side the lower rank is the
// better one and the code is one. Rank>>6 is the key of a block, rank&63 the slot in it.
//
//	btree.Map key -> block            touched only when a block comes or goes
//	   |   finger cache in front: key & 63 -> block
//	   v
//	block  [ bits | key | next prev | newer older ] [ 64 level handles ]
//	   |    blocks are linked in key order, empty ones too
//	   v
//	level  [ rank | qty | head tail | count | block ]
//	   |    orders are linked in time order
//	   v
//	Order
//
//	first           head
//	  |              |
//	[ --- ] <-> [ -x-x ] <-> [ --- ] <-> [ x-xx ] <-> 0        - no level, x a level
//	   `----- empty, by age: oldest ... newest ----'
//
// A block that loses its last level stays where it is, in case the price comes back; the side keeps at most spare of
// those and retires the one that has been empty longest, at most retireMax a call. So a walk from one level to the next
// passes a bounded number of empty blocks.
//
// Invariants: bit i of a block is set if and only if slot i has a level; a level has at least one order; best is the rank
// of the first level, head its block; a finger is 0 or names a block of this side.
const (
	span      = 64 // levels of a block
	fingers   = 64
	spare     = 64
	retireMax = 2

	nowhere = fixed.MaxInt64 // the best rank of an empty side
	noKey   = fixed.MinInt64 // the key of row 0 and of free rows; no price has it
)

type level struct {
	rank  int64
	qty   fixed.Lots // sum of the leaves
	head  uint32     // first order
	tail  uint32     // last order
	count uint32     // orders
	block uint32
}

type block struct {
	bits         uint64
	key          int64
	next, prev   uint32 // in key order; 0: none
	newer, older uint32 // among the empty ones of its side, by when they became empty; 0: none
	_            [4]uint64
	levels       [span]uint32
}

type half struct {
	best           int64
	head           uint32
	first          uint32 // block with the lowest key
	oldest, newest uint32 // empty blocks
	empty          uint32 // how many
	_              uint32
	finger         [fingers]uint32
	tree           btree.Map[int64, uint32]
}

// rank of a price on the side on which it rests.
func rank(side msg.Side, price fixed.Ticks) int64 {
	sign := -int64(side & 1)
	return (int64(price) ^ sign) - sign
}

// price is the inverse of rank.
func price(side msg.Side, rank int64) fixed.Ticks {
	sign := -int64(side & 1)
	return fixed.Ticks((rank ^ sign) - sign)
}

// blockOf is the block of a key, 0 when there is none.
func (b *Book) blockOf(s *half, key int64) uint32 {
	f := &s.finger[uint64(key)%fingers]
	if b.store.blocks[*f].key == key {
		return *f
	}
	h, _ := s.tree.Get(key)
	if h != 0 {
		*f = h
	}
	return h
}

// room reports whether a block for a new key can be had.
func (b *Book) room(s *half) bool { return !b.store.blockRows.full() || s.empty > 1 }

// addBlock makes the block of a key that has none. It is empty and counts as such.
//
//go:noinline
func (b *Book) addBlock(s *half, key int64) uint32 {
	for n := 0; n < retireMax && s.empty > spare; n++ {
		b.retire(s)
	}
	if b.store.blockRows.full() && s.empty > 1 {
		b.retire(s)
	}
	h := b.store.blockRows.take()
	if h == 0 {
		panic("book: no row for a block; Link needs CanRest")
	}
	var prev uint32
	s.tree.Descend(key, func(_ int64, v uint32) bool {
		prev = v
		return false
	})
	blocks := b.store.blocks
	k := &blocks[h]
	k.key, k.bits, k.prev, k.next = key, 0, prev, s.first
	if prev != 0 {
		k.next = blocks[prev].next
		blocks[prev].next = h
	} else {
		s.first = h
	}
	if k.next != 0 {
		blocks[k.next].prev = h
	}
	s.tree.Set(key, h)
	s.finger[uint64(key)%fingers] = h
	b.store.emptied(s, h)
	return h
}

// retire gives the block that has been empty longest back.
func (b *Book) retire(s *half) {
	h := s.oldest
	blocks := b.store.blocks
	b.store.filled(s, h)
	k := &blocks[h]
	if k.prev != 0 {
		blocks[k.prev].next = k.next
	} else {
		s.first = k.next
	}
	if k.next != 0 {
		blocks[k.next].prev = k.prev
	}
	if f := &s.finger[uint64(k.key)%fingers]; *f == h {
		*f = 0
	}
	s.tree.Delete(k.key)
	*k = block{key: noKey}
	b.store.blockRows.give(h)
}

// emptied enters a block that has no level as the newest of the empty ones.
func (st *Store) emptied(s *half, h uint32) {
	k := &st.blocks[h]
	k.older, k.newer = s.newest, 0
	if s.newest != 0 {
		st.blocks[s.newest].newer = h
	} else {
		s.oldest = h
	}
	s.newest = h
	s.empty++
}

// filled takes a block out of the empty ones.
func (st *Store) filled(s *half, h uint32) {
	k := &st.blocks[h]
	if k.older != 0 {
		st.blocks[k.older].newer = k.newer
	} else {
		s.oldest = k.newer
	}
	if k.newer != 0 {
		st.blocks[k.newer].older = k.older
	} else {
		s.newest = k.older
	}
	k.older, k.newer = 0, 0
	s.empty--
}

// addLevel makes the level of a rank that has none, in block h, with one order in it.
//
//go:noinline
func (b *Book) addLevel(s *half, h uint32, rank int64, o uint32, qty fixed.Lots) uint32 {
	row := b.store.levelRows.take()
	if row == 0 {
		panic("book: no row for a level; Link needs CanRest")
	}
	b.store.levels[row] = level{rank: rank, qty: qty, head: o, tail: o, count: 1, block: h}
	k := &b.store.blocks[h]
	if k.bits == 0 {
		b.store.filled(s, h)
	}
	k.bits |= 1 << (uint64(rank) % span)
	k.levels[uint64(rank)%span] = row
	if rank < s.best {
		s.best, s.head = rank, h
	}
	return row
}

// dropLevel takes a level out that has lost its last order.
//
//go:noinline
func (b *Book) dropLevel(s *half, row uint32) {
	l := &b.store.levels[row]
	h, gone := l.block, l.rank
	k := &b.store.blocks[h]
	k.bits &^= 1 << (uint64(gone) % span)
	k.levels[uint64(gone)%span] = 0
	b.store.levelRows.give(row)
	if gone == s.best {
		s.head, s.best = b.firstFrom(h)
	}
	if k.bits == 0 {
		b.store.emptied(s, h)
	}
}

// firstFrom is the first block at or after h that has a level, and the rank of its first level.
func (b *Book) firstFrom(h uint32) (head uint32, best int64) {
	for ; h != 0; h = b.store.blocks[h].next {
		if k := &b.store.blocks[h]; k.bits != 0 {
			return h, k.key*span + int64(bits.TrailingZeros64(k.bits))
		}
	}
	return 0, nowhere
}

// nextLevel is the level after row in priority, 0 when it is the last.
func (b *Book) nextLevel(row uint32) uint32 {
	l := &b.store.levels[row]
	k := &b.store.blocks[l.block]
	after := k.bits &^ (2<<(uint64(l.rank)%span) - 1)
	if after != 0 {
		return k.levels[bits.TrailingZeros64(after)]
	}
	h, best := b.firstFrom(k.next)
	if h == 0 {
		return 0
	}
	return b.store.blocks[h].levels[uint64(best)%span]
}
