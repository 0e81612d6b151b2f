package book

import (
	"bytes"
	"flag"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

var twinOps = flag.Int("book.ops", 10_000_000, "operations of TestBookAgainstNaive, over all its mixes")

// chance draws numbers below n, n > 0: a generator in tests, the input in fuzzing.
type chance interface{ below(n int64) int64 }

// xorshift is a generator; the seed is not 0.
type xorshift uint64

func (x *xorshift) below(n int64) int64 {
	v := uint64(*x)
	v ^= v << 13
	v ^= v >> 7
	v ^= v << 17
	*x = xorshift(v)
	return int64(v >> 11 % uint64(n))
}

// mix says what a market looks like.
type mix struct {
	name    string
	mid     fixed.Ticks
	width   int64 // a price lies up to this far from the mid
	grid    int64 // prices lie this far apart
	drift   int64 // the mid moves up to this far a step
	resting int   // more orders than this, and cancels prevail
	lots    int64 // of an order, at most
	owners  int64 // 1: nobody has an owner
	special int64 // percent of orders that are reduce-only, expire, are fill-or-kill or have little room; each
	orders  uint32
	levels  uint32
	blocks  uint32
}

var mixes = []mix{
	{name: "dense", mid: 1000, width: 40, grid: 1, drift: 1, resting: 300, lots: 50, owners: 1, special: 0, orders: 1000, levels: 500, blocks: 700},
	{name: "wandering", mid: 50_000, width: 300, grid: 1, drift: 40, resting: 200, lots: 30, owners: 6, special: 10, orders: 1000, levels: 800, blocks: 1000},
	{name: "sparse", mid: 1 << 40, width: 1 << 22, grid: 1 << 14, drift: 1 << 16, resting: 150, lots: 20, owners: 4, special: 10, orders: 600, levels: 500, blocks: 700},
	{name: "flapping", mid: 64, width: 400, grid: 32, drift: 64, resting: 12, lots: 5, owners: 3, special: 5, orders: 64, levels: 64, blocks: 300},
	{name: "around zero", mid: 0, width: 200, grid: 3, drift: 5, resting: 100, lots: 9, owners: 3, special: 20, orders: 400, levels: 300, blocks: 500},
	{name: "far up", mid: 1<<55 - 2000, width: 1000, grid: 1, drift: 2, resting: 80, lots: 100, owners: 3, special: 10, orders: 400, levels: 300, blocks: 500},
	{name: "far down", mid: -1<<55 + 2000, width: 1000, grid: 1, drift: 2, resting: 80, lots: 100, owners: 3, special: 10, orders: 400, levels: 300, blocks: 500},
	{name: "full", mid: 9000, width: 5000, grid: 7, drift: 30, resting: 60, lots: 9, owners: 3, special: 10, orders: 48, levels: 30, blocks: 12},
	{name: "few levels", mid: 9000, width: 300, grid: 1, drift: 3, resting: 60, lots: 9, owners: 3, special: 5, orders: 70, levels: 25, blocks: 200},
}

// world is a book and its twin, and asks both the same.
type world struct {
	mix
	chance
	store *Store
	book  *Book
	twin  *naive
	live  []msg.OrderID // of resting orders, in no order
	place map[msg.OrderID]int
	now   fixed.Nanos
	ref   msg.Ref
	fills []Fill
	parts []Part                // what a match has traded
	may   map[uint32]fixed.Lots // what a rehearsal was told that reduce-only makers may trade

	in, traded, gone fixed.Lots // lots entered; traded, both sides; canceled, expired or refused
}

func newWorld(m mix, c chance) *world {
	s := NewStore(m.orders, m.levels, m.blocks)
	return &world{mix: m, chance: c, store: s, book: New(s, 1, m.mid), twin: newNaive(), place: map[msg.OrderID]int{}, now: 1}
}

// percent is true in p of 100 cases.
func (w *world) percent(p int64) bool { return p > 0 && w.below(100) < p }

// step does one operation on both and compares what they answer.
func (w *world) step() error {
	if w.percent(10) {
		w.mid += fixed.Ticks(w.below(2*w.drift+1) - w.drift)
		w.mid = min(max(w.mid, -1<<55+3000), 1<<55-3000)
	}
	act := w.below(100)
	if len(w.live) > w.resting && act < 45 {
		act += 45
	}
	var err error
	switch {
	case len(w.live) == 0 || act < 60:
		err = w.enter()
	case act < 85:
		err = w.cancel()
	case act < 90:
		w.reduce()
	case act < 96:
		err = w.amend()
	default:
		err = w.pass()
	}
	if err != nil {
		return err
	}
	return w.top()
}

// price draws a price for a side: mostly on its own side of the mid.
func (w *world) price(side msg.Side) fixed.Ticks {
	d := w.below(w.below(w.width)+1) / w.grid * w.grid
	if w.percent(15) {
		d = -d / 4
	}
	if side == msg.Buy {
		d = -d
	}
	return w.mid/fixed.Ticks(w.grid)*fixed.Ticks(w.grid) + fixed.Ticks(d)
}

var stpModes = []msg.STP{msg.STPCancelNewest, msg.STPCancelOldest, msg.STPCancelBoth, msg.STPDecrement, msg.STPNone}

// enter brings a new order: it trades, and what is left of it rests, or not.
func (w *world) enter() error {
	side := msg.Side(1 + w.below(2))
	h := w.store.Alloc()
	if full := int(w.orders) == len(w.live); (h == 0) != full {
		return fmt.Errorf("Alloc: %d with %d of %d rows taken", h, len(w.live), w.orders)
	}
	if h == 0 {
		return nil
	}
	w.ref++
	o, ticket := w.store.Order(h), w.store.Ticket(h)
	if *o != (Order{Gen: o.Gen}) {
		return fmt.Errorf("Alloc: row %d: %+v", h, *o)
	}
	ticket.Price, ticket.Filled, ticket.Instr = w.price(side), 0, 1
	o.Leaves, o.Side = fixed.Lots(1+w.below(w.lots)), side
	ticket.Ref, ticket.Account, o.Session = w.ref, msg.AccountID(w.ref%97), msg.SessionID(w.ref%7)
	o.Owner = msg.OwnerID(w.below(w.owners))
	o.Flags = Flags(0).WithSTP(stpModes[w.below(5)])
	if w.percent(w.special) {
		o.Flags |= ReduceOnly
	}
	if w.percent(w.special) {
		w.store.SetExpire(h, w.now+fixed.Nanos(1+w.below(20)))
	}
	w.in += o.Leaves
	n := &naiveOrder{Order: *o, Ticket: *ticket, id: w.store.ID(h), handle: h, expire: w.store.Expire(h)}
	if w.store.Find(n.id) != h {
		return fmt.Errorf("Find(%x): not row %d", uint64(n.id), h)
	}
	n.Level, n.Gen = 0, 0
	return w.work(n, w.percent(20))
}

// work lets an order that does not rest trade and, unless it is immediate, rest.
func (w *world) work(n *naiveOrder, immediate bool) error {
	o, ticket := w.store.Order(n.handle), w.store.Ticket(n.handle)
	t := Taker{Limit: ticket.Price, Leaves: o.Leaves, Now: w.now, Owner: o.Owner, Room: 100, Side: o.Side, STP: o.Flags.STP()}
	if w.percent(w.special) {
		t.Room = int(w.below(4))
	}
	need := fixed.Lots(0)
	if w.percent(w.special) {
		need = 1 + fixed.Lots(w.below(int64(o.Leaves)))
		want := w.twin.tradable(t, need) >= need
		if got := w.book.Fillable(&t, need); got != want {
			return fmt.Errorf("Fillable(%+v, %d): %v, want %v", t, need, got, want)
		}
		if !want {
			return w.discard(n, o.Leaves)
		}
	}
	traded, err := w.match(&t)
	if err != nil {
		return err
	}
	if traded < need {
		return fmt.Errorf("Fillable promised %d lots, %d were had", need, traded)
	}
	ticket.Filled += traded
	o.Leaves = t.Leaves
	w.gone += t.Decremented
	crosses := w.book.Crosses(o.Side, ticket.Price)
	if want := w.twin.crosses(o.Side, ticket.Price); crosses != want {
		return fmt.Errorf("Crosses(%d, %d): %v, want %v", o.Side, ticket.Price, crosses, want)
	}
	room, err := w.canRest(o.Side, ticket.Price)
	if err != nil {
		return err
	}
	if immediate || o.Leaves == 0 || crosses || !room {
		return w.discard(n, o.Leaves)
	}
	return w.rest(n)
}

// match runs a taker to its end on both, settling what reduce-only makers ask.
func (w *world) match(t *Taker) (traded fixed.Lots, err error) {
	w.may = nil
	if w.percent(2 * w.special) {
		r, parts := w.rehearse(*t)
		defer func() {
			if err == nil {
				err = w.rehearsed(r, parts, t)
			}
		}()
	}
	w.parts = w.parts[:0]
	for {
		twin := *t
		w.fills = w.book.Match(t, w.fills[:0])
		want := w.twin.match(&twin)
		if t.Stop != StopAsk {
			t.Ask = twin.Ask
		}
		if *t != twin || !slices.Equal(w.fills, want) {
			return 0, fmt.Errorf("match differs from the twin (-):\n%s%s", cmp.Diff(twin, *t), cmp.Diff(want, w.fills))
		}
		for _, f := range w.fills {
			if f.Kind == Trade {
				traded += f.Qty
				w.traded += 2 * f.Qty
				w.parts = append(w.parts, Part{f.Price, f.Qty, f.Handle})
			} else {
				w.gone += f.Qty
			}
			if f.Leaves == 0 {
				w.forget(f.Maker)
				if w.store.Find(f.Maker) != 0 {
					return 0, fmt.Errorf("Find(%x) after it was filled", uint64(f.Maker))
				}
			}
		}
		if t.Stop != StopAsk {
			return traded, nil
		}
		if err := w.settle(t); err != nil {
			return 0, err
		}
	}
}

// settle answers a reduce-only maker's question: it is canceled, or trimmed, or may trade all it has. A rehearsal has been
// told the same before.
func (w *world) settle(t *Taker) error {
	o := w.store.Order(t.Ask)
	n := w.twin.orders[w.store.ID(t.Ask)]
	if n == nil || o.Flags&ReduceOnly == 0 {
		return fmt.Errorf("asked of order %d: %+v", t.Ask, *o)
	}
	may, told := w.may[t.Ask]
	if !told {
		may = w.mayTrade(o)
	}
	if may == 0 {
		t.Room--
		w.twin.unlink(n)
		w.book.Unlink(t.Ask)
		return w.discard(n, o.Leaves)
	}
	if may < o.Leaves {
		w.shrink(n, o.Leaves-may)
	}
	t.Allow = t.Ask
	return nil
}

// mayTrade draws how much a reduce-only maker may still trade.
func (w *world) mayTrade(o *Order) fixed.Lots {
	switch {
	case w.percent(30):
		return 0
	case w.percent(50):
		return 1 + fixed.Lots(w.below(int64(o.Leaves)))
	}
	return o.Leaves
}

// rehearse rehearses a match to its end and notes what it was told of reduce-only makers.
func (w *world) rehearse(t Taker) (r Rehearsal, parts []Part) {
	r.Taker, w.may = t, map[uint32]fixed.Lots{}
	for {
		parts = w.book.Rehearse(&r, parts)
		if r.Stop != StopAsk {
			return r, parts
		}
		r.May = w.mayTrade(w.store.Order(r.Ask))
		w.may[r.Ask] = r.May
	}
}

// rehearsed holds that a match did what was rehearsed.
func (w *world) rehearsed(r Rehearsal, parts []Part, t *Taker) error {
	was := *t
	was.Ask, was.Allow = r.Ask, r.Allow
	if was != r.Taker || !slices.Equal(parts, w.parts) {
		return fmt.Errorf("a match differs from its rehearsal (-):\n%s%s", cmp.Diff(r.Taker, was), cmp.Diff(parts, w.parts))
	}
	return nil
}

// canRest asks for room; where blocks abound, the levels alone decide.
func (w *world) canRest(side msg.Side, price fixed.Ticks) (bool, error) {
	room := w.book.CanRest(side, price)
	_, exists := w.twin.side(side).Get(price)
	want := exists || w.twin.bids.Len()+w.twin.asks.Len() < int(w.levels)
	if w.store.Roomy() && !room {
		return false, fmt.Errorf("CanRest(%d, %d) is false in a roomy store", side, price)
	}
	if room && !want || !room && want && w.blocks >= w.levels+2*spare {
		return false, fmt.Errorf("CanRest(%d, %d): %v, want %v", side, price, room, want)
	}
	return room, nil
}

// rest links an order in both.
func (w *world) rest(n *naiveOrder) error {
	o, t := w.store.Order(n.handle), w.store.Ticket(n.handle)
	n.Price, n.Leaves, n.Filled = t.Price, o.Leaves, t.Filled
	w.book.Link(n.handle, n.Side, n.Price)
	w.twin.link(n)
	if _, again := w.place[n.id]; again {
		return fmt.Errorf("id %x is in use twice", uint64(n.id))
	}
	w.place[n.id] = len(w.live)
	w.live = append(w.live, n.id)
	if o.Level == 0 {
		return fmt.Errorf("order %d was linked and does not rest", n.handle)
	}
	return nil
}

// discard frees the row of an order that does not rest.
func (w *world) discard(n *naiveOrder, open fixed.Lots) error {
	w.gone += open
	w.forget(n.id)
	w.store.Free(n.handle)
	if w.store.Find(n.id) != 0 || w.store.Find(n.id+1<<32) != 0 {
		return fmt.Errorf("Find(%x) after Free", uint64(n.id))
	}
	return nil
}

func (w *world) forget(id msg.OrderID) {
	i, ok := w.place[id]
	if !ok {
		return
	}
	last := w.live[len(w.live)-1]
	w.live[i], w.place[last] = last, i
	w.live = w.live[:len(w.live)-1]
	delete(w.place, id)
}

func (w *world) any() *naiveOrder { return w.twin.orders[w.live[w.below(int64(len(w.live)))]] }

func (w *world) cancel() error {
	n := w.any()
	if h := w.store.Find(n.id); h != n.handle {
		return fmt.Errorf("Find(%x): %d, want %d", uint64(n.id), h, n.handle)
	}
	w.book.Unlink(n.handle)
	w.twin.unlink(n)
	return w.discard(n, n.Leaves)
}

func (w *world) reduce() {
	if n := w.any(); n.Leaves > 1 {
		w.shrink(n, 1+fixed.Lots(w.below(int64(n.Leaves-1))))
	}
}

func (w *world) shrink(n *naiveOrder, by fixed.Lots) {
	w.book.Reduce(n.handle, by)
	n.Leaves -= by
	w.gone += by
}

// amend takes an order out and lets it work again at another price, sometimes with another time.
func (w *world) amend() error {
	n := w.any()
	if w.percent(20) {
		n.expire = fixed.Nanos(w.below(2)) * (w.now + fixed.Nanos(w.below(20)))
		w.store.SetExpire(n.handle, n.expire)
		n.Flags = w.store.Order(n.handle).Flags
	}
	w.book.Unlink(n.handle)
	w.twin.unlink(n)
	w.forget(n.id)
	w.store.Ticket(n.handle).Price = w.price(n.Side)
	return w.work(n, false)
}

// pass lets time pass and takes out what is due.
func (w *world) pass() error {
	w.now += fixed.Nanos(w.below(10))
	if w.percent(50) { // whoever is met first finds them expired
		return nil
	}
	for {
		n, h := w.twin.due(w.now), w.store.Due(w.now)
		if n == nil && h == 0 {
			return nil
		}
		if n == nil || n.handle != h || n.expire != w.store.Expire(h) {
			return fmt.Errorf("Due(%d): %d, want %+v", w.now, h, n)
		}
		w.book.Unlink(h)
		w.twin.unlink(n)
		if err := w.discard(n, n.Leaves); err != nil {
			return err
		}
	}
}

// top compares the best of both sides.
func (w *world) top() error {
	for _, side := range [2]msg.Side{msg.Buy, msg.Sell} {
		best, ok := w.book.Best(side)
		n := w.twin.front(side)
		if ok != (n != nil) || ok && best != n.Price {
			return fmt.Errorf("Best(%d): %d %v, want %+v", side, best, ok, n)
		}
	}
	return nil
}

// compare compares everything there is, and checks all invariants.
func (w *world) compare() error {
	if err := w.store.check(); err != nil {
		return err
	}
	if err := w.book.check(); err != nil {
		return err
	}
	open := fixed.Lots(0)
	for _, side := range [2]msg.Side{msg.Buy, msg.Sell} {
		got, want := w.book.Levels(side, nil, 1<<30), w.twin.depth(side)
		if !slices.Equal(got, want) {
			return fmt.Errorf("depth of side %d (-want +got):\n%s", side, cmp.Diff(want, got))
		}
		if top := w.book.Levels(side, nil, 3); !slices.Equal(top, want[:min(3, len(want))]) {
			return fmt.Errorf("three levels of side %d: %v", side, top)
		}
		h := w.book.First(side)
		var err error
		w.twin.walk(side, func(_ fixed.Ticks, queue []*naiveOrder) bool {
			for _, n := range queue {
				o, ticket := *w.store.Order(h), *w.store.Ticket(h)
				o.Next, o.Prev, o.Level, o.Gen = 0, 0, 0, 0
				if h != n.handle || o != n.Order || ticket != n.Ticket {
					err = fmt.Errorf("side %d: order %d, want %d (-want +got):\n%s", side, h, n.handle, cmp.Diff(n.Order, o)+cmp.Diff(n.Ticket, ticket))
					return false
				}
				open += o.Leaves
				h = w.book.NextOf(h)
			}
			return true
		})
		if err == nil && h != 0 {
			err = fmt.Errorf("side %d: order %d is one too many", side, h)
		}
		if err != nil {
			return err
		}
	}
	if w.store.Live() != uint32(len(w.live)) {
		return fmt.Errorf("%d rows taken, %d orders", w.store.Live(), len(w.live))
	}
	if w.in != w.traded+w.gone+open {
		return fmt.Errorf("lots: %d in, %d traded, %d gone, %d open", w.in, w.traded, w.gone, open)
	}
	return nil
}

// run makes steps, and compares everything every so often and at the end.
func (w *world) run(steps, every int) error {
	for i := range steps {
		err := w.step()
		if err == nil && (i%every == every-1 || i == steps-1) {
			err = w.compare()
		}
		if err != nil {
			return fmt.Errorf("step %d: %w\n%s", i, err, w.book.Append(nil, 5))
		}
	}
	return nil
}

// TestBookAgainstNaive lets book and twin answer the same operations: every fill, every taker, every best price after each
// of them, and all there is every now and then.
func TestBookAgainstNaive(t *testing.T) { // S-15, L-11
	for i, m := range mixes {
		seed := xorshift(0x9E3779B97F4A7C15 + uint64(i)*0x2545F4914F6CDD1D)
		t.Run(m.name, func(t *testing.T) {
			t.Logf("seed %#x, %d operations", uint64(seed), *twinOps/len(mixes))
			w := newWorld(m, &seed)
			if err := w.run(*twinOps/len(mixes), 1021); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// bytesChance draws from the input of a fuzzer; a used up input draws 0.
type bytesChance struct{ rest []byte }

func (c *bytesChance) below(n int64) int64 {
	v := uint64(0)
	for bound := uint64(n - 1); bound > 0 && len(c.rest) > 0; bound >>= 8 {
		v = v<<8 | uint64(c.rest[0])
		c.rest = c.rest[1:]
	}
	return int64(v % uint64(n))
}

// FuzzBookAgainstNaive reads its input as draws: the mix first, then operations until it is used up.
func FuzzBookAgainstNaive(f *testing.F) { // T-4
	f.Add([]byte{0})
	f.Add(bytes.Repeat([]byte{3, 1, 200, 7, 40}, 60))
	for i := range mixes {
		seed := xorshift(i + 1)
		input := []byte{byte(i)}
		for range 400 {
			input = append(input, byte(seed.below(256)))
		}
		f.Add(input)
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		c := &bytesChance{input}
		w := newWorld(mixes[c.below(int64(len(mixes)))], c)
		for steps := 1; len(c.rest) > 0 && steps < 1000; steps++ {
			err := w.step()
			if err == nil && (steps%64 == 0 || len(c.rest) == 0) {
				err = w.compare()
			}
			if err != nil {
				t.Fatalf("step %d: %v", steps, err)
			}
		}
	})
}
