package book

import (
	"math/bits"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// What a snapshot has of a store and its books (D-38), and what is built anew from it (D-39).
//
//	stored     rows as they lie, the queues and the blocks by their forward links, the empty blocks by age, the free rows in order,
//	           generations, times, arrivals, tags
//	built anew links back, sums of levels, best prices, the trees, the heap of expiries
//	left out   fingers, and what a level says that nobody uses
//
// Building follows every link once, and refuses one that names no row, a row twice, or one that is free. So what has been built
// is a book, whatever the bytes were.

// Code writes the rows of a store, or reads them into a new one of the same limits.
func (s *Store) Code(c *fixed.Codec) {
	fixed.Rows(c, "orders", s.orders[1:], Order{}, (*Order).code)
	fixed.Rows(c, "tickets", s.tickets[1:], Ticket{}, (*Ticket).code)
	fixed.Rows(c, "levels", s.levels[1:], level{}, (*level).code)
	fixed.Rows(c, "blocks", s.blocks[1:], block{key: noKey}, s.codeBlock)
	fixed.Rows(c, "expiries", s.expiry.at[1:], 0, codeTime)
	fixed.Rows(c, "arrivals", s.arrivals[1:], 0, codeSeq)
	fixed.Rows(c, "tags", s.tags[1:], Tag{}, (*Tag).code)
	s.orderRows.code(c, "free orders")
	s.levelRows.code(c, "free levels")
	s.blockRows.code(c, "free blocks")
}

func codeTime(at *fixed.Nanos, c *fixed.Codec) { fixed.Word(c, at) }
func codeSeq(seq *msg.Seq, c *fixed.Codec)     { fixed.Word(c, seq) }

func (o *Order) code(c *fixed.Codec) {
	fixed.Word(c, &o.Leaves)
	fixed.Half(c, &o.Next)
	fixed.Half(c, &o.Gen)
	fixed.Half(c, &o.Owner)
	fixed.Quarter(c, &o.Session)
	fixed.Byte(c, &o.Side)
	fixed.Byte(c, &o.Flags)
}

func (t *Ticket) code(c *fixed.Codec) {
	fixed.Word(c, &t.Price)
	fixed.Word(c, &t.Filled)
	fixed.Word(c, &t.Ref)
	fixed.Half(c, &t.Account)
	fixed.Half(c, &t.Instr)
}

func (l *level) code(c *fixed.Codec) {
	fixed.Word(c, &l.rank)
	fixed.Half(c, &l.head)
}

func (k *block) code(c *fixed.Codec) {
	fixed.Word(c, &k.key)
	fixed.Half(c, &k.next)
	fixed.Half(c, &k.newer)
	fixed.Word(c, &k.bits)
}

// codeBlock codes a block, with the handles of the levels that it has.
func (s *Store) codeBlock(k *block, c *fixed.Codec) {
	k.code(c)
	row := &s.slots[c.Row()+1]
	for left := k.bits; left != 0; left &= left - 1 {
		fixed.Half(c, &row[bits.TrailingZeros64(left)])
	}
}

func (r *rows) code(c *fixed.Codec, name string) {
	r.top = uint32(fixed.List(c, name, r.free[1:], int(r.top)))
	if !c.Reading() {
		return
	}
	seen := make([]uint64, len(r.free)>>6+1)
	for i, h := range r.free[1 : r.top+1] {
		if h == 0 || uint64(h) >= uint64(len(r.free)) || seen[h>>6]>>(h&63)&1 == 1 {
			c.Refuse(i, "no row, or one that is in the list already")
			return
		}
		seen[h>>6] |= 1 << (h & 63)
	}
}

// Code writes where the queues and the empty blocks of a book begin, or reads it and builds the book anew.
func (b *Book) Code(c *fixed.Codec) {
	for i := range b.sides {
		s := &b.sides[i]
		fixed.Half(c, &s.first)
		fixed.Half(c, &s.oldest)
	}
	if c.Reading() && c.Err() == nil {
		c.Begin("books")
		for _, side := range [...]msg.Side{msg.Sell, msg.Buy} {
			if what := b.rebuild(side); what != "" {
				c.Refuse(int(b.instr), what)
				return
			}
		}
	}
}

// Blank is a book without blocks, for Code to build.
func Blank(s *Store, instr msg.InstrumentID) *Book { return bare(s, instr) }

// rebuild builds one side from its blocks, and says what is wrong with it.
func (b *Book) rebuild(side msg.Side) string {
	s, st := b.side(side), b.store
	x := b.index(s)
	x.plant()
	last, prev, empties := int64(noKey), uint32(0), uint32(0)
	for h := s.first; h != 0; h = st.blocks[h].next {
		if uint64(h) >= uint64(len(st.blocks)) || st.blocks[h].key <= last || st.blocks[h].key < fixed.MinInt64>>spanBits || st.blocks[h].key > fixed.MaxInt64>>spanBits {
			return "its blocks are not in order"
		}
		k := &st.blocks[h]
		k.prev, k.older = prev, 0
		last, prev = k.key, h
		x.tree.Set(k.key, h)
		if k.bits == 0 {
			empties++
			continue
		}
		if s.head == 0 {
			s.head, s.best = h, k.key<<spanBits+int64(bits.TrailingZeros64(k.bits))
		}
		for left := k.bits; left != 0; left &= left - 1 {
			if what := b.requeue(side, h, bits.TrailingZeros64(left)); what != "" {
				return what
			}
		}
	}
	x.stretch()
	for h := s.oldest; h != 0; h = st.blocks[h].newer {
		if uint64(h) >= uint64(len(st.blocks)) || s.empty == empties || st.blocks[h].bits != 0 || b.isNot(s, h) {
			return "its empty blocks are not those in the list"
		}
		st.blocks[h].older = s.newest
		s.newest = h
		s.empty++
	}
	if s.empty != empties {
		return "an empty block is missing from the list"
	}
	return ""
}

// isNot reports whether a block is none of a side's.
func (b *Book) isNot(s *half, h uint32) bool {
	at, ok := b.index(s).tree.Get(b.store.blocks[h].key)
	return !ok || at != h
}

// requeue builds the level in a slot of block at, and the queue at it.
func (b *Book) requeue(side msg.Side, at uint32, slot int) string {
	st := b.store
	k := &st.blocks[at]
	row := st.slots[at][slot]
	if row == 0 || uint64(row) >= uint64(len(st.levels)) || st.levels[row].count != 0 || st.levels[row].rank != k.key<<spanBits+int64(slot) {
		return "a level is not that of its price"
	}
	l := &st.levels[row]
	l.qty, l.tail, l.block = 0, 0, at
	for h := l.head; h != 0; h = st.orders[h].Next {
		if uint64(h) >= uint64(len(st.orders)) {
			return "a queue names an order that there is not"
		}
		o, t := &st.orders[h], &st.tickets[h]
		sum := l.qty + o.Leaves
		if o.Level != 0 || o.Side != side || o.Leaves <= 0 || sum < 0 || rank(side, t.Price) != l.rank || t.Instr != b.instr ||
			(o.Flags&Expires != 0) != (st.expiry.at[h] != 0) {
			return "a queue names an order that does not belong there"
		}
		o.Level, o.Prev = row, l.tail
		l.qty, l.tail = sum, h
		l.count++
		if o.Flags&Expires != 0 {
			st.schedule(h)
		}
	}
	if l.count == 0 {
		return "a level has no orders"
	}
	return ""
}

// Verify says what is wrong with the free rows of a store of which all books have been read: a row is free or stands somewhere.
func (s *Store) Verify(c *fixed.Codec) {
	c.Begin("free orders")
	for _, h := range s.orderRows.free[1 : s.orderRows.top+1] {
		if s.orders[h] != (Order{Gen: s.orders[h].Gen}) || s.expiry.at[h] != 0 {
			c.Refuse(int(h), "the row of an order is free")
			return
		}
	}
	c.Begin("free levels")
	for _, row := range s.levelRows.free[1 : s.levelRows.top+1] {
		if s.levels[row].count != 0 {
			c.Refuse(int(row), "the row of a level with orders is free")
			return
		}
	}
	c.Begin("free blocks")
	for _, h := range s.blockRows.free[1 : s.blockRows.top+1] {
		if s.blocks[h] != (block{key: noKey}) {
			c.Refuse(int(h), "the row of a block is free")
			return
		}
	}
}
