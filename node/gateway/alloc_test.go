package gateway

import (
	"io"
	"runtime"
	"testing"
)

// An order and its report allocate nothing, whichever thread moves their bytes (L-32).
func TestOrdersAllocateNothing(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates by itself")
	}
	everyWay(t, ordersAllocateNothing)
}

func ordersAllocateNothing(t *testing.T, way way) {
	v := newVenue(t, setting{way: way, rates: Rates{Orders: Rate{1 << 30, 1 << 30}}})
	maker, c := v.call(), v.call()
	maker.enter("id=MAKER key=5 keepalive=60000")
	maker.say("order 1 account=2 side=2 price=50")
	maker.expect("1 OrderAccepted 101")
	c.enter("id=ABC keepalive=60000")
	order := newTemplate(c.words("order 1 flags=1"))
	back := make([]byte, reportSize)
	n := uint32(0)
	trips := func(count int) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range count {
			n++
			order.next(n)
			if _, err := c.socket.Write(order.frame); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(c.socket, back); err != nil {
				t.Fatal(err)
			}
		}
		runtime.ReadMemStats(&after)
		return after.Mallocs - before.Mallocs
	}
	trips(5000) // buffers grow to what they need
	const count = 5000
	least := trips(count)
	for range 4 { // what else the process does allocates too
		least = min(least, trips(count))
	}
	if least > count/50 {
		t.Errorf("%d orders allocate %d objects", count, least)
	}
}
