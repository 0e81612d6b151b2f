package book

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// maker is a resting sell order in a test.
type maker struct {
	price  fixed.Ticks
	lots   fixed.Lots
	owner  msg.OwnerID
	flags  Flags
	expire fixed.Nanos
}

// sells is a book with such orders; the first has Ref 1.
func sells(makers ...maker) *Book {
	b := New(NewStore(50, 50, 200), 1, 100)
	for i, m := range makers {
		h := b.store.Alloc()
		o, t := b.store.Order(h), b.store.Ticket(h)
		o.Side, o.Leaves, o.Owner, o.Flags = msg.Sell, m.lots, m.owner, m.flags
		t.Price, t.Ref, t.Instr = m.price, msg.Ref(i+1), 1
		b.store.SetExpire(h, m.expire)
		b.rest(h)
	}
	return b
}

// told is a fill in short: which maker, what happened, at which price, lots, what the maker has left.
func told(fills []Fill) (out []string) {
	kinds := [...]string{Trade: "trade", SelfCanceled: "self-canceled", SelfReduced: "self-reduced", MakerExpired: "expired"}
	for _, f := range fills {
		out = append(out, fmt.Sprintf("%d %s %d@%d leaves %d", f.Ref, kinds[f.Kind], f.Qty, f.Price, f.Leaves))
	}
	return out
}

func buy(limit fixed.Ticks, lots fixed.Lots) Taker {
	return Taker{Side: msg.Buy, Limit: limit, Leaves: lots, Room: 100, STP: msg.STPNone, Now: 1000}
}

func TestMatch(t *testing.T) {
	own := func(stp msg.STP, lots fixed.Lots) Taker {
		t := buy(105, lots)
		t.Owner, t.STP = 7, stp
		return t
	}
	room := func(t Taker, n int) Taker {
		t.Room = n
		return t
	}
	ours := []maker{{price: 100, lots: 5}, {price: 100, lots: 4, owner: 7}, {price: 101, lots: 6}}
	for _, c := range []struct {
		name   string
		makers []maker
		taker  Taker
		want   []string
		stop   Stop
		leaves fixed.Lots
		off    fixed.Lots // decremented
	}{
		{"price before time, at the makers' prices", []maker{{price: 102, lots: 1}, {price: 101, lots: 2}, {price: 101, lots: 3}}, buy(105, 6),
			[]string{"2 trade 2@101 leaves 0", "3 trade 3@101 leaves 0", "1 trade 1@102 leaves 0"}, StopDone, 0, 0},
		{"within the limit", []maker{{price: 100, lots: 1}, {price: 106, lots: 1}}, buy(105, 2), []string{"1 trade 1@100 leaves 0"}, StopDone, 1, 0},
		{"a maker keeps what is left", []maker{{price: 100, lots: 9}}, buy(100, 4), []string{"1 trade 4@100 leaves 5"}, StopDone, 0, 0},
		{"nothing crosses", []maker{{price: 106, lots: 9}}, buy(105, 4), nil, StopDone, 4, 0},
		{"room for two", []maker{{price: 100, lots: 1}, {price: 100, lots: 1}, {price: 100, lots: 1}}, room(buy(100, 3), 2),
			[]string{"1 trade 1@100 leaves 0", "2 trade 1@100 leaves 0"}, StopBound, 1, 0},
		{"just enough room", []maker{{price: 100, lots: 1}, {price: 100, lots: 1}}, room(buy(100, 3), 2),
			[]string{"1 trade 1@100 leaves 0", "2 trade 1@100 leaves 0"}, StopDone, 1, 0},
		{"no room", ours, room(buy(100, 3), 0), nil, StopBound, 3, 0},
		{"own maker, none", ours, own(msg.STPNone, 12), []string{"1 trade 5@100 leaves 0", "2 trade 4@100 leaves 0", "3 trade 3@101 leaves 3"}, StopDone, 0, 0},
		{"own maker, newest", ours, own(msg.STPCancelNewest, 12), []string{"1 trade 5@100 leaves 0"}, StopSelf, 7, 0},
		{"own maker, oldest", ours, own(msg.STPCancelOldest, 12),
			[]string{"1 trade 5@100 leaves 0", "2 self-canceled 4@100 leaves 0", "3 trade 6@101 leaves 0"}, StopDone, 1, 0},
		{"own maker, both", ours, own(msg.STPCancelBoth, 12), []string{"1 trade 5@100 leaves 0", "2 self-canceled 4@100 leaves 0"}, StopSelf, 7, 0},
		{"own maker, decrement, the maker is smaller", ours, own(msg.STPDecrement, 12),
			[]string{"1 trade 5@100 leaves 0", "2 self-canceled 4@100 leaves 0", "3 trade 3@101 leaves 3"}, StopDone, 0, 4},
		{"own maker, decrement, the maker is larger", ours, own(msg.STPDecrement, 8),
			[]string{"1 trade 5@100 leaves 0", "2 self-reduced 3@100 leaves 1"}, StopDone, 0, 3},
		{"own maker, decrement, equal", ours, own(msg.STPDecrement, 9),
			[]string{"1 trade 5@100 leaves 0", "2 self-canceled 4@100 leaves 0"}, StopDone, 0, 4},
		{"nobody is nobody's own", []maker{{price: 100, lots: 2}}, func() Taker { t := buy(100, 2); t.STP = msg.STPCancelBoth; return t }(),
			[]string{"1 trade 2@100 leaves 0"}, StopDone, 0, 0},
		{"expired makers go", []maker{{price: 100, lots: 2, expire: 1000}, {price: 100, lots: 3, expire: 1001}}, buy(100, 2),
			[]string{"1 expired 2@100 leaves 0", "2 trade 2@100 leaves 1"}, StopDone, 0, 0},
		{"an expired own maker is expired", []maker{{price: 100, lots: 2, owner: 7, expire: 1}}, own(msg.STPCancelNewest, 5),
			[]string{"1 expired 2@100 leaves 0"}, StopDone, 5, 0},
		{"an own reduce-only maker is own", []maker{{price: 100, lots: 2, owner: 7, flags: ReduceOnly}}, own(msg.STPCancelOldest, 5),
			[]string{"1 self-canceled 2@100 leaves 0"}, StopDone, 5, 0},
		{"a reduce-only maker is asked for", []maker{{price: 100, lots: 1}, {price: 100, lots: 2, flags: ReduceOnly}}, buy(100, 5),
			[]string{"1 trade 1@100 leaves 0"}, StopAsk, 4, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, taker := sells(c.makers...), c.taker
			fills := b.Match(&taker, nil)
			if diff := cmp.Diff(c.want, told(fills)); diff != "" {
				t.Errorf("fills (-want +got):\n%s", diff)
			}
			if taker.Stop != c.stop || taker.Leaves != c.leaves || taker.Decremented != c.off || taker.Room != c.taker.Room-len(fills) {
				t.Errorf("taker %+v, want stop %d, leaves %d, decremented %d", taker, c.stop, c.leaves, c.off)
			}
			if err := b.check(); err != nil {
				t.Error(err)
			}
			if err := b.store.check(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestMatchAsks holds the whole of a question: a reduce-only maker is trimmed and allowed, the next one canceled.
func TestMatchAsks(t *testing.T) {
	b := sells(maker{price: 100, lots: 5, flags: ReduceOnly}, maker{price: 100, lots: 6, flags: ReduceOnly}, maker{price: 100, lots: 9})
	taker := buy(100, 10)
	fills := b.Match(&taker, nil)
	if taker.Stop != StopAsk || b.store.Ticket(taker.Ask).Ref != 1 || len(fills) != 0 {
		t.Fatalf("taker %+v, fills %v", taker, told(fills))
	}
	b.Reduce(taker.Ask, 3)
	taker.Allow = taker.Ask
	fills = b.Match(&taker, fills)
	if taker.Stop != StopAsk || b.store.Ticket(taker.Ask).Ref != 2 || taker.Leaves != 8 {
		t.Fatalf("taker %+v, fills %v", taker, told(fills))
	}
	b.Unlink(taker.Ask)
	b.store.Free(taker.Ask)
	fills = b.Match(&taker, fills)
	if diff := cmp.Diff([]string{"1 trade 2@100 leaves 0", "3 trade 8@100 leaves 1"}, told(fills)); diff != "" || taker.Stop != StopDone {
		t.Errorf("taker %+v (-want +got):\n%s", taker, diff)
	}
}

// TestFillable holds that what is promised is what trades, and that reduce-only makers promise nothing.
func TestFillable(t *testing.T) {
	makers := []maker{{price: 100, lots: 5}, {price: 100, lots: 4, owner: 7}, {price: 101, lots: 6, flags: ReduceOnly},
		{price: 101, lots: 3, expire: 500}, {price: 102, lots: 2}, {price: 110, lots: 50}}
	for _, c := range []struct {
		name  string
		limit fixed.Ticks
		lots  fixed.Lots
		stp   msg.STP
		room  int
		most  fixed.Lots
	}{
		{"all under the limit", 105, 30, msg.STPNone, 100, 11},
		{"the first price", 100, 30, msg.STPNone, 100, 9},
		{"no price", 99, 30, msg.STPNone, 100, 0},
		{"three makers", 105, 30, msg.STPNone, 3, 9},
		{"four makers of five", 105, 30, msg.STPNone, 4, 9},
		{"past an own maker", 105, 30, msg.STPCancelOldest, 100, 7},
		{"up to an own maker", 105, 30, msg.STPCancelNewest, 100, 5},
		{"up to an own maker, that goes too", 105, 30, msg.STPCancelBoth, 100, 5},
		{"less what is decremented", 105, 10, msg.STPDecrement, 100, 6},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := sells(makers...)
			taker := buy(c.limit, c.lots)
			taker.Owner, taker.STP, taker.Room = 7, c.stp, c.room
			before := taker
			if !b.Fillable(&taker, c.most) || b.Fillable(&taker, c.most+1) {
				t.Errorf("%d lots: %v, one more: %v", c.most, b.Fillable(&taker, c.most), b.Fillable(&taker, c.most+1))
			}
			if taker != before {
				t.Errorf("the taker changed: %+v", taker)
			}
		})
	}
}

// TestDue holds the order of expiry: time and then id, resting orders only.
func TestDue(t *testing.T) {
	b := sells(maker{price: 100, lots: 1, expire: 30}, maker{price: 101, lots: 1, expire: 10}, maker{price: 102, lots: 1},
		maker{price: 103, lots: 1, expire: 10}, maker{price: 104, lots: 1, expire: 20})
	s := b.store
	waiting := s.Alloc()
	s.SetExpire(waiting, 5) // does not rest
	if h := s.Due(9); h != 0 {
		t.Errorf("order %d is due at 9", h)
	}
	var order []msg.Ref
	for h := s.Due(25); h != 0; h = s.Due(25) {
		order = append(order, s.Ticket(h).Ref)
		b.Unlink(h)
		s.Free(h)
	}
	if want := []msg.Ref{2, 4, 5}; !slices.Equal(order, want) {
		t.Errorf("due are %v, want %v", order, want)
	}
	first := b.First(msg.Sell)
	s.SetExpire(first, 12)
	if s.Due(12) != first || s.Expire(first) != 12 {
		t.Errorf("a new time is not kept: %d at %d", s.Due(12), s.Expire(first))
	}
	s.SetExpire(first, 0)
	if s.Due(1<<60) != 0 || s.Order(first).Flags&Expires != 0 {
		t.Error("a time that was taken away is kept")
	}
}

// TestFlags holds that the STP mode and the other flags do not disturb each other.
func TestFlags(t *testing.T) {
	all := ReduceOnly | Expires | PostOnly | Slide
	for _, f := range []Flags{0, all, ReduceOnly, Slide} {
		for _, m := range append(stpModes, msg.STPDefault) {
			if g := f.WithSTP(msg.STPNone).WithSTP(m); g.STP() != m || g&all != f {
				t.Errorf("flags %x with mode %d: %x, mode %d", f, m, g, g.STP())
			}
		}
	}
}

// TestFind holds that an id finds its order while that is in its row, and whatever else is asked finds nothing.
func TestFind(t *testing.T) { // L-13
	s := NewStore(3, 3, 3)
	h := s.Alloc()
	if s.Find(s.ID(h)) != 0 {
		t.Error("a row without a side is an order")
	}
	s.Order(h).Side = msg.Buy
	id := s.ID(h)
	if s.Find(id) != h {
		t.Error("an order is not found")
	}
	for _, other := range []msg.OrderID{0, 2, 3, 4, 5, 1 << 31, 1<<32 - 1, id + 1<<32, id - 1<<32, ^msg.OrderID(0)} {
		if got := s.Find(other); got != 0 {
			t.Errorf("Find(%x) is %d", uint64(other), got)
		}
	}
	s.Free(h)
	again := s.Alloc()
	s.Order(again).Side = msg.Buy
	if again != h || s.Find(id) != 0 || s.Find(s.ID(h)) != h || s.ID(h) != id+1<<32 {
		t.Errorf("row %d after row %d: id %x after %x", again, h, uint64(s.ID(again)), uint64(id))
	}
}

// TestRowsComeBackLast holds the order in which rows are taken.
func TestRowsComeBackLast(t *testing.T) { // L-12
	s := NewStore(4, 4, 4)
	var got []uint32
	take := func() { got = append(got, s.Alloc()) }
	take()
	take()
	take()
	s.Free(1)
	s.Free(3)
	for range 4 {
		take()
	}
	if want := []uint32{1, 2, 3, 3, 1, 4, 0}; !slices.Equal(got, want) {
		t.Errorf("rows %v, want %v", got, want)
	}
	if s.Live() != 4 {
		t.Errorf("%d rows are taken, want 4", s.Live())
	}
}

// TestFreeRefusesARestingOrder holds that a broken promise is found where it is broken.
func TestFreeRefusesARestingOrder(t *testing.T) { // S-5
	b := sells(maker{price: 100, lots: 1})
	defer func() {
		if recover() == nil {
			t.Error("the row of a resting order was given back")
		}
	}()
	b.store.Free(b.First(msg.Sell))
}
