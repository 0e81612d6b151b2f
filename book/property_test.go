package book

import (
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"pgregory.net/rapid"
)

// TestPriority holds, of whatever sequence of orders, cancels and takers: the book is not crossed; a side is walked from
// its best price on, and at a price in the order in which orders came; fills come in that order, none beyond the taker's
// limit or above what was wanted; no lot is lost.
func TestPriority(t *testing.T) { // T-3
	rapid.Check(t, func(t *rapid.T) {
		b := New(NewStore(300, 300, 600), 1, 0)
		width := rapid.SampledFrom([]int64{1, 5, 80, 1 << 20}).Draw(t, "width")
		came := map[uint32]int{} // by handle
		open := fixed.Lots(0)
		for i := range rapid.IntRange(1, 120).Draw(t, "steps") {
			side := msg.Side(rapid.IntRange(1, 2).Draw(t, "side"))
			limit := fixed.Ticks(rapid.Int64Range(-width, width).Draw(t, "price"))
			lots := fixed.Lots(rapid.Int64Range(1, 20).Draw(t, "lots"))
			if rapid.IntRange(0, 3).Draw(t, "act") == 0 {
				if h := b.First(side); h != 0 {
					open -= b.store.Order(h).Leaves
					b.Unlink(h)
					b.store.Free(h)
				}
				continue
			}
			taker := Taker{Side: side, Limit: limit, Leaves: lots, Room: 1000, STP: msg.STPNone}
			fills := b.Match(&taker, nil)
			traded := checkFills(t, side, limit, fills, came)
			if traded+taker.Leaves != lots {
				t.Fatalf("%d lots came, %d traded, %d are left", lots, traded, taker.Leaves)
			}
			open -= traded
			if taker.Leaves > 0 {
				h := place(b, side, limit, taker.Leaves)
				came[h] = i
				open += taker.Leaves
			}
			if err := b.check(); err != nil {
				t.Fatal(err)
			}
			if sum := checkWalk(t, b, msg.Buy, came) + checkWalk(t, b, msg.Sell, came); sum != open {
				t.Fatalf("%d lots are open, want %d", sum, open)
			}
		}
	})
}

// checkFills holds that fills are in priority, within the limit, and whole but for the last.
func checkFills(t *rapid.T, side msg.Side, limit fixed.Ticks, fills []Fill, came map[uint32]int) (traded fixed.Lots) {
	rests := side.Opposite()
	for i, f := range fills {
		traded += f.Qty
		if !reaches(side, limit, f.Price) {
			t.Fatalf("fill %d at %d is beyond %d", i, f.Price, limit)
		}
		if f.Leaves > 0 && i != len(fills)-1 {
			t.Fatalf("fill %d leaves %d, and another follows", i, f.Leaves)
		}
		if i == 0 {
			continue
		}
		last := fills[i-1]
		if a, z := rank(rests, last.Price), rank(rests, f.Price); a > z || a == z && came[last.Handle] >= came[f.Handle] {
			t.Fatalf("fill %d (%d, came %d) follows (%d, came %d)", i, f.Price, came[f.Handle], last.Price, came[last.Handle])
		}
	}
	return traded
}

// checkWalk holds that a side is walked in priority and returns its lots.
func checkWalk(t *rapid.T, b *Book, side msg.Side, came map[uint32]int) (open fixed.Lots) {
	var last *Ticket
	lastCame := 0
	for h := b.First(side); h != 0; h = b.NextOf(h) {
		o := b.store.Ticket(h)
		open += b.store.Order(h).Leaves
		if last != nil {
			a, z := rank(side, last.Price), rank(side, o.Price)
			if a > z || a == z && lastCame >= came[h] {
				t.Fatalf("order at %d, came %d, follows one at %d, came %d", o.Price, came[h], last.Price, lastCame)
			}
		}
		last, lastCame = o, came[h]
	}
	return open
}
