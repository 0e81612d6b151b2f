package wire_test

import (
	"testing"

	"github.com/lockstep-exchange/lockstep/wire"
)

// W-65: the step is that of splitmix64, whose first outputs from seed 0 are published; the sum of an order is pinned.
func TestOrderSum(t *testing.T) {
	const first = 0xE220A8397B1DCDAF // splitmix64 from 0
	if got := wire.OrderSum(0, 0, 0, 0); got == first {
		t.Error("one step instead of four")
	}
	// m(0) is that first output; with it as price the second step begins at 0 again, and so on.
	f := uint64(first)
	if got := wire.OrderSum(0, int64(f), int64(f), first); got != first {
		t.Errorf("got %016x, want %016x", got, uint64(first))
	}
	if wire.OrderSum(1, 2, 3, 4) == wire.OrderSum(1, 3, 2, 4) || wire.OrderSum(1, 2, 3, 4) == wire.OrderSum(1, 2, 3, 5) {
		t.Error("places do not count")
	}
}
