package book

import (
	"fmt"
	"math/bits"

	"github.com/lockstep-exchange/lockstep/msg"
)

// rest links an order at its own side and price.
func (b *Book) rest(h uint32) { b.Link(h, b.store.Order(h).Side, b.store.Ticket(h).Price) }

// check walks the whole book and returns the first broken invariant. It trusts no count and no link.
func (b *Book) check() error {
	if err := b.sound(); err != nil {
		return err
	}
	bid, hasBid := b.Best(msg.Buy)
	ask, hasAsk := b.Best(msg.Sell)
	if hasBid && hasAsk && bid >= ask {
		return fmt.Errorf("crossed: bid %d, ask %d", bid, ask)
	}
	return nil
}

// sound is check for a book that waits for an auction, and may be crossed.
func (b *Book) sound() error {
	for _, side := range [2]msg.Side{msg.Buy, msg.Sell} {
		if err := b.checkSide(side); err != nil {
			return fmt.Errorf("side %d: %w", side, err)
		}
	}
	return nil
}

func (b *Book) checkSide(side msg.Side) error {
	s, st := b.side(side), b.store
	count, empty, prev, best, head := 0, uint32(0), uint32(0), int64(nowhere), uint32(0)
	for h := s.first; h != 0; h = st.blocks[h].next {
		k := &st.blocks[h]
		if k.prev != prev {
			return fmt.Errorf("block %d: prev %d, want %d", h, k.prev, prev)
		}
		if prev != 0 && st.blocks[prev].key >= k.key {
			return fmt.Errorf("block %d: key %d is not above %d", h, k.key, st.blocks[prev].key)
		}
		if got, _ := b.index(s).tree.Get(k.key); got != h {
			return fmt.Errorf("tree: key %d is block %d, want %d", k.key, got, h)
		}
		if k.bits == 0 {
			empty++
		} else if head == 0 {
			head, best = h, k.key*span+int64(bits.TrailingZeros64(k.bits))
		}
		if err := b.checkBlock(side, h); err != nil {
			return fmt.Errorf("block %d: %w", h, err)
		}
		count++
		prev = h
	}
	if count != b.index(s).tree.Len() {
		return fmt.Errorf("%d blocks linked, %d in the tree", count, b.index(s).tree.Len())
	}
	if s.best != best || s.head != head {
		return fmt.Errorf("best %d in block %d, want %d in %d", s.best, s.head, best, head)
	}
	for i, h := range b.index(s).finger {
		if h == 0 {
			continue
		}
		k := &st.blocks[h]
		if got, _ := b.index(s).tree.Get(k.key); got != h || uint64(k.key)%fingers != uint64(i) {
			return fmt.Errorf("finger %d names block %d of key %d", i, h, k.key)
		}
	}
	older := uint32(0)
	for h := s.oldest; h != 0; h = st.blocks[h].newer {
		if k := &st.blocks[h]; k.bits != 0 || k.older != older {
			return fmt.Errorf("block %d among the empty: bits %x, older %d, want %d", h, k.bits, k.older, older)
		}
		older = h
		empty--
	}
	if empty != 0 || s.newest != older {
		return fmt.Errorf("%d empty blocks are not listed; newest %d, want %d", int32(empty), s.newest, older)
	}
	return nil
}

func (b *Book) checkBlock(side msg.Side, h uint32) error {
	st := b.store
	k := &st.blocks[h]
	for i, row := range st.slots[h] {
		if k.bits>>i&1 == 0 {
			if row != 0 {
				return fmt.Errorf("slot %d: level %d without its bit", i, row)
			}
			continue
		}
		l := &st.levels[row]
		if l.rank != k.key<<spanBits+int64(i) || l.block != h {
			return fmt.Errorf("slot %d: %+v", i, *l)
		}
		qty, count, prev := l.qty, l.count, uint32(0)
		for h := l.head; h != 0; h = st.orders[h].Next {
			o := &st.orders[h]
			if o.Level != row || o.Prev != prev || o.Side != side || rank(side, st.tickets[h].Price) != l.rank || o.Leaves <= 0 {
				return fmt.Errorf("slot %d: order %d: %+v", i, h, *o)
			}
			qty -= o.Leaves
			count--
			prev = h
		}
		if qty != 0 || count != 0 || l.tail != prev || prev == 0 {
			return fmt.Errorf("slot %d: %d lots and %d orders off, tail %d, want %d", i, qty, int32(count), l.tail, prev)
		}
	}
	return nil
}

// check walks the store and returns the first broken invariant.
func (s *Store) check() error {
	free := make(map[uint32]bool)
	for _, h := range s.orderRows.free[1 : s.orderRows.top+1] {
		if free[h] || h == 0 {
			return fmt.Errorf("row %d is free twice", h)
		}
		free[h] = true
		if o := &s.orders[h]; *o != (Order{Gen: o.Gen}) {
			return fmt.Errorf("free row %d: %+v", h, *o)
		}
	}
	scheduled := uint32(0)
	for h := uint32(1); h < uint32(len(s.orders)); h++ {
		o, e := &s.orders[h], &s.expiry
		if (o.Flags&Expires != 0) != (e.at[h] != 0) {
			return fmt.Errorf("order %d: flags %x, expires at %d", h, o.Flags, e.at[h])
		}
		if o.Level == 0 || e.at[h] == 0 {
			continue
		}
		scheduled++
		i := e.place[h]
		if i >= e.count || e.heap[i] != h || i > 0 && s.before(h, e.heap[(i-1)/2]) {
			return fmt.Errorf("order %d is out of place in the heap", h)
		}
	}
	if scheduled != s.expiry.count {
		return fmt.Errorf("%d orders in the heap, want %d", s.expiry.count, scheduled)
	}
	return nil
}
