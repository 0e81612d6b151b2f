package book

import (
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

// place enters an order that does not cross and returns its handle.
func place(b *Book, side msg.Side, price fixed.Ticks, lots fixed.Lots) uint32 {
	h := b.store.Alloc()
	o, t := b.store.Order(h), b.store.Ticket(h)
	o.Side, o.Leaves, t.Price, t.Instr = side, lots, price, b.instr
	b.Link(h, side, price)
	return h
}

// TestLadder holds the drawing of a book against testdata/ladder.golden.
func TestLadder(t *testing.T) { // S-13, T-2
	b := New(NewStore(100, 100, 200), 1, 50_000)
	var got []byte
	draw := func(title string, levels int) {
		got = append(got, title...)
		got = append(got, '\n')
		got = b.Append(got, levels)
	}
	draw("an empty book", 5)
	place(b, msg.Sell, 50_010, 7)
	place(b, msg.Sell, 50_010, 5)
	place(b, msg.Sell, 50_005, 3)
	place(b, msg.Sell, 1<<40, 1)
	first := place(b, msg.Buy, 50_000, 4)
	place(b, msg.Buy, 50_000, 1_000_000)
	place(b, msg.Buy, -12, 9)
	draw("both sides, a negative price and one far away", 5)
	draw("the best level of each", 1)
	b.Reduce(first, 3)
	taker := Taker{Side: msg.Buy, Limit: 50_010, Leaves: 9, Room: 10, STP: msg.STPNone}
	b.Match(&taker, nil)
	draw("after 3 lots less and a buy of 9", 5)

	const golden = "testdata/ladder.golden"
	if *rewrite {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("the ladder differs (-want +got):\n%s", diff)
	}
}
