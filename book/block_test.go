package book

import (
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// far is the price of the i-th block of a side, a block's width and more from the others.
func far(i int) fixed.Ticks { return fixed.Ticks(1_000_000 + 1000*i) }

// scattered is a book with one sell order in each of so many blocks.
func scattered(blocks int) *Book {
	b := New(NewStore(uint32(blocks)+100, uint32(blocks)+100, uint32(blocks)+300), 1, 0)
	for i := range blocks {
		place(b, msg.Sell, far(i), 1)
	}
	return b
}

// TestEmptyBlocksAreBounded holds that cancels leave at most the spare blocks empty, that the one that has been empty longest
// goes first, and that no call retires more than two.
func TestEmptyBlocksAreBounded(t *testing.T) { // L-08
	const blocks = 1000
	b := scattered(blocks)
	s := b.side(msg.Sell)
	for i := range blocks {
		was := b.index(s).tree.Len()
		h := b.First(msg.Sell)
		b.Unlink(h)
		b.store.Free(h)
		if s.empty > spare || was-b.index(s).tree.Len() > retireMax {
			t.Fatalf("cancel %d: %d blocks are empty, %d were retired", i, s.empty, was-b.index(s).tree.Len())
		}
	}
	if s.empty != spare || b.index(s).tree.Len() != spare {
		t.Fatalf("%d blocks are empty, %d in the tree, want %d", s.empty, b.index(s).tree.Len(), spare)
	}
	for i := range spare {
		if h, ok := b.index(s).tree.Get(rank(msg.Sell, far(blocks-1-i)) >> spanBits); !ok || b.store.blocks[h].bits != 0 {
			t.Errorf("block %d from the end is gone", i)
		}
	}
	if err := b.check(); err != nil {
		t.Error(err)
	}
}

// TestSweepLeavesTidyingToOthers holds that a taker that empties many blocks retires two of them, and that later calls
// bring the number down again.
func TestSweepLeavesTidyingToOthers(t *testing.T) { // L-08, A-16
	const blocks, swept = 700, 300
	b := scattered(blocks)
	s := b.side(msg.Sell)
	was := b.index(s).tree.Len()
	taker := taker(msg.Buy, far(swept-1), swept)
	b.Match(&taker, nil)
	if taker.Leaves != 0 || was-b.index(s).tree.Len() != retireMax {
		t.Fatalf("%d lots are left, %d blocks were retired", taker.Leaves, was-b.index(s).tree.Len())
	}
	was, empty := b.index(s).tree.Len(), s.empty
	place(b, msg.Sell, far(5000), 1)
	if was+1-b.index(s).tree.Len() != retireMax || empty-s.empty != retireMax {
		t.Errorf("a new block retired %d", was+1-b.index(s).tree.Len())
	}
	for s.empty > spare {
		empty = s.empty
		h := b.First(msg.Sell)
		b.Unlink(h)
		b.store.Free(h)
		if s.empty+retireMax != empty+1 && s.empty != spare {
			t.Fatalf("%d blocks are empty after %d", s.empty, empty)
		}
	}
	if err := b.check(); err != nil {
		t.Error(err)
	}
}

// TestFullBlocks holds that a book without free blocks takes that of an empty one, but never its last.
func TestFullBlocks(t *testing.T) { // L-09, L-12
	b := New(NewStore(100, 100, 4), 1, 0) // a block a side around 0
	if n := b.index(b.side(msg.Sell)).tree.Len(); n != 1 {
		t.Fatalf("%d blocks to begin with", n)
	}
	var orders []uint32
	for i := 0; b.CanRest(msg.Sell, far(i)); i++ {
		orders = append(orders, place(b, msg.Sell, far(i), 1))
	}
	if len(orders) != 2 {
		t.Errorf("%d new blocks, want the 2 free ones", len(orders))
	}
	if b.CanRest(msg.Sell, far(9)) || !b.CanRest(msg.Sell, far(0)+1) || b.store.Roomy() {
		t.Error("room where there is none, or none where there is")
	}
	b.Unlink(orders[0])
	if !b.CanRest(msg.Sell, far(9)) {
		t.Fatal("no room beside an empty block")
	}
	place(b, msg.Sell, far(9), 1)
	if b.CanRest(msg.Buy, -far(9)) {
		t.Error("the last block of a side is given away")
	}
	if err := b.check(); err != nil {
		t.Error(err)
	}
}

// TestNewWarmsTheTree holds the blocks of a new book.
func TestNewWarmsTheTree(t *testing.T) { // L-10
	b := New(NewStore(10, 10, 1000), 1, 50_000)
	for _, side := range [2]msg.Side{msg.Buy, msg.Sell} {
		s := b.side(side)
		if b.index(s).tree.Len() != spare || s.empty != spare {
			t.Errorf("side %d: %d blocks, %d empty, want %d", side, b.index(s).tree.Len(), s.empty, spare)
		}
		for _, price := range []fixed.Ticks{48_100, 50_000, 51_900} {
			if b.blockOf(s, rank(side, price)>>spanBits) == 0 {
				t.Errorf("side %d: no block at %d", side, price)
			}
		}
	}
}
