package book

import (
	"runtime/debug"
	"runtime/metrics"
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// allocated is how many objects the heap has ever had.
func allocated() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/allocs:objects"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

// TestNothingAllocates holds each operation on a warm book to none.
func TestNothingAllocates(t *testing.T) { // A-20, L-49, T-5
	b := New(NewStore(1000, 1000, 1200), 1, 1000)
	fills := make([]Fill, 0, 64)
	depth := make([]Depth, 0, 64)
	parts := make([]Part, 0, 64)
	pairs := make([]Pair, 0, 64)
	for i := range fixed.Ticks(50) {
		place(b, msg.Sell, 1010+i, 5)
		place(b, msg.Buy, 990-i, 5)
	}
	enter := func(side msg.Side, price fixed.Ticks, expire fixed.Nanos) uint32 {
		h := b.store.Alloc()
		o, t := b.store.Order(h), b.store.Ticket(h)
		o.Side, o.Leaves, t.Price, t.Instr = side, 5, price, 1
		b.store.SetExpire(h, expire)
		b.Link(h, side, price)
		return h
	}
	leave := func(h uint32) {
		b.Unlink(h)
		b.store.Free(h)
	}
	price := fixed.Ticks(0)
	for name, act := range map[string]func(){
		"enter and leave":           func() { leave(enter(msg.Buy, 980, 0)) },
		"a level comes and goes":    func() { leave(enter(msg.Sell, 1200, 0)) },
		"a block empties and fills": func() { leave(enter(msg.Sell, 2100, 0)) },
		"a block comes and goes":    func() { price++; leave(enter(msg.Sell, 100_000+price%200*64, 0)) },
		"an order that expires":     func() { leave(enter(msg.Buy, 980, 77)) },
		"an order that is due":      func() { enter(msg.Buy, 980, 77); leave(b.store.Due(77)) },
		"a reduction":               func() { h := enter(msg.Buy, 980, 0); b.Reduce(h, 2); leave(h) },
		"a trade":                   func() { enter(msg.Sell, 1000, 0); take(b, msg.Buy, 1000, 5, fills) },
		"a sweep":                   func() { take(b, msg.Buy, 1020, 20, fills); enter(msg.Sell, 1010, 0); enter(msg.Sell, 1011, 0) },
		"an amend":                  func() { h := b.First(msg.Buy); b.Unlink(h); b.rest(h) },
		"a question about room":     func() { b.CanRest(msg.Buy, -1<<50) },
		"a question about fills":    func() { t := taker(msg.Buy, 1100, 100); b.Fillable(&t, 100) },
		"a rehearsal":               func() { parts = b.Rehearse(&Rehearsal{Taker: taker(msg.Buy, 1100, 100)}, parts[:0]) },
		"an impact":                 func() { b.Impact(msg.Sell, 100_000, 50) },
		"lots within a limit":       func() { b.LotsWithin(msg.Sell, 1030, 50) },
		"an auction": func() {
			enter(msg.Buy, 1010, 0)
			enter(msg.Sell, 990, 0)
			var a Auction
			pairs = b.Uncross(&a, &Turn{Near: 1000, Step: 1, Room: 9}, pairs[:0])
		},
		"an indicative price":        func() { b.Indicative(1000, 1, 50) },
		"depth":                      func() { depth = b.Levels(msg.Buy, depth[:0], 50) },
		"the hash":                   func() { b.sum() },
		"the first and the next one": func() { b.NextOf(b.First(msg.Buy)) },
	} {
		for range 400 {
			act()
		}
		if n := testing.AllocsPerRun(300, act); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	if err := b.check(); err != nil {
		t.Error(err)
	}
}

func taker(side msg.Side, limit fixed.Ticks, lots fixed.Lots) Taker {
	return Taker{Side: side, Limit: limit, Leaves: lots, Room: 1000, STP: msg.STPNone}
}

func take(b *Book, side msg.Side, limit fixed.Ticks, lots fixed.Lots, fills []Fill) {
	t := taker(side, limit, lots)
	b.Match(&t, fills[:0])
}

// TestSoak runs a million operations on markets that stay and on markets that wander, and counts what the heap gives. In
// the first kind it is nothing. In the second the tree splits nodes, which is the one allocation that the core has.
func TestSoak(t *testing.T) { // L-10, L-49
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	for _, c := range []struct {
		name           string
		width, a, z    int64 // prices lie up to width from a mid that goes to and fro between a and z
		step           int64 // ticks that it moves every 16 operations
		mostPerMillion uint64
	}{
		{"stays", 500, 0, 1, 1, 0},
		{"drifts within the warm blocks", 500, -1000, 1000, 1, 0},
		{"wanders and comes back", 500, -200_000, 200_000, 7, 1_000},
		{"gaps", 300, -50_000_000, 50_000_000, 20_000, 25_000},
	} {
		const ops = 1_000_000
		seed := xorshift(0xA5A5A5)
		b := New(NewStore(3000, 3000, 3300), 1, 0)
		m := newSoak(b, &seed, c.width)
		m.run(50_000, c.a, c.z, c.step)
		before := allocated()
		m.run(ops, c.a, c.z, c.step)
		n := allocated() - before
		t.Logf("%s: %d allocations in %d operations, %d trades, %d blocks in the trees", c.name, n, ops, m.trades, b.indexes[0].tree.Len()+b.indexes[1].tree.Len())
		if n > c.mostPerMillion {
			t.Errorf("%s: %d allocations, at most %d are expected", c.name, n, c.mostPerMillion)
		}
		if err := b.check(); err != nil {
			t.Error(err)
		}
	}
}

// soak enters and cancels orders around a moving mid.
type soak struct {
	*Book
	*xorshift
	width, mid, way int64
	live            []msg.OrderID // a ring: the oldest is canceled
	next            int
	fills           []Fill
	trades          int
}

func newSoak(b *Book, x *xorshift, width int64) *soak {
	return &soak{Book: b, xorshift: x, width: width, way: 1, live: make([]msg.OrderID, 1500), fills: make([]Fill, 0, 1000)}
}

func (m *soak) run(steps int, a, z, step int64) {
	for i := range steps {
		if i%16 == 0 {
			m.mid += m.way * step
			if m.mid <= a || m.mid >= z {
				m.way = -m.way
				m.mid = min(max(m.mid, a), z)
			}
		}
		m.step()
	}
}

func (m *soak) step() {
	slot := &m.live[m.next%len(m.live)]
	m.next++
	if h := m.store.Find(*slot); h != 0 {
		m.Unlink(h)
		m.store.Free(h)
	}
	side := msg.Side(1 + m.below(2))
	d := m.below(m.width) - 5
	if side == msg.Buy {
		d = -d
	}
	t := taker(side, fixed.Ticks(m.mid+d), fixed.Lots(1+m.below(9)))
	if m.Crosses(side, t.Limit) {
		m.fills = m.Match(&t, m.fills[:0])
		m.trades += len(m.fills)
	}
	if t.Leaves > 0 && t.Stop <= StopDone {
		h := m.store.Alloc()
		o, ticket := m.store.Order(h), m.store.Ticket(h)
		o.Side, o.Leaves, ticket.Price, ticket.Instr = side, t.Leaves, t.Limit, 1
		m.Link(h, side, t.Limit)
		*slot = m.store.ID(h)
	}
}
