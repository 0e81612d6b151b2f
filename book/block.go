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
// better one and the code is one. Rank>>6 is the key of a block, rank&63 the slot in it. A level exists while orders stand
// at its price.
//
//	btree.Map  key -> block            touched only when a block comes or goes, or a finger is wrong
//	   |       finger cache in front of it: key mod 256 -> block
//	   v
//	block      [ bits | key | next prev | newer older ]   [ 64 level handles ]    bit i: slot i has a level
//	   |       blocks are linked in key order, empty ones too; their slots lie apart, so that the blocks
//	   |       of a book, which a search for the next level walks, are few lines side by side
//	   v
//	level      [ rank | qty | head tail | count | block ]                         two to a line
//	   |       orders are linked in time order
//	   v
//	Order
//
//	first           head
//	  |              |
//	[ --- ] <-> [ -x-x ] <-> [ --- ] <-> [ x-xx ] <-> 0         - no level, x a level
//	   `----- empty, by age: oldest ... newest ----'
//
// A block that loses its last level stays where it is, in case the price comes back. A side keeps spare empty blocks;
// beyond them it retires those that have been empty longest, at most retireMax a call, so that a walk from one level to
// the next passes a bounded number of them and no call has much to tidy up.
//
// Invariants: a level has at least one order; best is the rank of the first level and head its block; a finger is 0 or
// names a block of its side; block 0 has no levels and no key.
const (
	span      = 64 // levels of a block
	spanBits  = 6
	fingers   = 256
	spare     = 64
	retireMax = 2
	degree    = 128 // of the trees: a node of 255 keys, so that a market splits none before it is as wide as 16,000 ticks

	nowhere = fixed.MaxInt64 // the best rank of an empty side
	noKey   = fixed.MinInt64 // the key of row 0 and of free rows; no price has it
)

type level struct {
	rank  int64
	qty   fixed.Lots // sum of the leaves
	head  uint32     // first order
	tail  uint32     // last order
	count uint32     // orders
	block uint32     // in which it is
}

type block struct {
	bits         uint64
	key          int64
	next, prev   uint32 // in key order; 0: none
	newer, older uint32 // among the empty ones of its side, by when they became empty; 0: none
}

// slots are the handles of a block's levels; 0: no orders there.
type slots [span]uint32

// half is what nearly every command asks of a side: half a line.
type half struct {
	best           int64
	head           uint32
	first          uint32 // block with the lowest key
	oldest, newest uint32 // empty blocks
	empty          uint32 // how many
	side           uint32 // 0 of the asks, 1 of the bids
}

// index is how blocks of a side are found by their key.
type index struct {
	finger [fingers]uint32
	tree   btree.Map[int64, uint32]
	seek   btree.MapIter[int64, uint32] // on the tree; kept for the memory of its path
}

func (b *Book) index(s *half) *index { return &b.indexes[s.side&1] }

// plant makes the tree an empty one.
func (x *index) plant() {
	x.tree = *btree.NewMap[int64, uint32](degree)
	x.seek = x.tree.Iter()
}

// stretch gives the root of a tree that has few keys its full room, by putting in keys that no price has, and taking them out
// again: later keys find it.
func (x *index) stretch() {
	const far = int64(1) << 60
	before := x.tree.Len()
	for n := before; n < 2*degree-1; n++ {
		x.tree.Set(far+int64(n), 0)
	}
	for n := before; n < 2*degree-1; n++ {
		x.tree.Delete(far + int64(n))
	}
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
	x := b.index(s)
	finger := &x.finger[uint64(key)%fingers]
	if b.store.blocks[*finger].key == key {
		return *finger
	}
	h, ok := x.tree.Get(key)
	if ok {
		*finger = h
	}
	return h
}

// blockRoom reports whether addBlock finds a row: a free one, or that of another empty block.
func (b *Book) blockRoom(s *half) bool { return !b.store.blockRows.full() || s.empty > 1 }

// addBlock makes the block of a key that has none. It is empty and counts as such.
func (b *Book) addBlock(s *half, key int64) {
	b.trim(s)
	if b.store.blockRows.full() && s.empty > 1 {
		b.retire(s)
	}
	h := b.store.blockRows.take()
	if h == 0 {
		panic("book: no row for a block; Link needs CanRest")
	}
	b.insert(s, h, key)
	x := b.index(s)
	x.tree.Set(key, h)
	x.finger[uint64(key)%fingers] = h
	b.store.emptied(s, h)
}

// insert links block h, which is free, before the first one with a higher key.
func (b *Book) insert(s *half, h uint32, key int64) {
	st, seek := b.store, &b.index(s).seek
	k := &st.blocks[h]
	k.key = key
	switch {
	case seek.Seek(key):
		k.next = seek.Value()
		k.prev = st.blocks[k.next].prev
		st.blocks[k.next].prev = h
	case seek.Last():
		k.prev = seek.Value()
	}
	if k.prev != 0 {
		st.blocks[k.prev].next = h
	} else {
		s.first = h
	}
}

// trim retires empty blocks beyond the spare ones, a few at a time. The tree never loses its last key by it, and so never
// its root.
func (b *Book) trim(s *half) {
	for n := 0; n < retireMax && s.empty > spare; n++ {
		b.retire(s)
	}
}

// retire gives the block that has been empty longest back.
func (b *Book) retire(s *half) {
	h, blocks := s.oldest, b.store.blocks
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
	x := b.index(s)
	if finger := &x.finger[uint64(k.key)%fingers]; *finger == h {
		*finger = 0
	}
	x.tree.Delete(k.key)
	k.key, k.next, k.prev = noKey, 0, 0 // the slots are all 0 by now
	b.store.blockRows.give(h)
}

// emptied enters a block without levels as the newest of the empty ones.
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

// vacate says that block h has lost its last level.
//
//go:noinline
func (b *Book) vacate(s *half, h uint32) {
	if s.head == h {
		s.head, s.best = b.firstFrom(h)
	}
	b.store.emptied(s, h)
}

// firstFrom is the first block at or after h that has levels, and the rank of its first one.
func (b *Book) firstFrom(h uint32) (head uint32, best int64) {
	for ; h != 0; h = b.store.blocks[h].next {
		if k := &b.store.blocks[h]; k.bits != 0 {
			return h, k.key<<spanBits + int64(bits.TrailingZeros64(k.bits))
		}
	}
	return 0, nowhere
}

// firstLevel is the level of the best price, 0 when there is none.
func (b *Book) firstLevel(s *half) uint32 { return b.store.slots[s.head][uint64(s.best)%span] }

// nextLevel is the level after row in priority, 0 when it is the last.
func (b *Book) nextLevel(row uint32) uint32 {
	l := &b.store.levels[row]
	k := &b.store.blocks[l.block]
	after := k.bits &^ (2<<(uint64(l.rank)%span) - 1)
	if after != 0 {
		return b.store.slots[l.block][bits.TrailingZeros64(after)]
	}
	h, best := b.firstFrom(k.next)
	return b.store.slots[h][uint64(best)%span]
}
