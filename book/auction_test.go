package book

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// TestIndicative holds each rule that picks the tick, one after the other.
func TestIndicative(t *testing.T) { // M-70
	type row struct {
		side  msg.Side
		lots  fixed.Lots
		price fixed.Ticks
	}
	const buy, sell = msg.Buy, msg.Sell
	drawn := []row{{buy, 5, 103}, {buy, 3, 102}, {buy, 6, 100}, {sell, 4, 100}, {sell, 4, 101}, {sell, 9, 104}}
	for _, c := range []struct {
		name       string
		rows       []row
		near, step fixed.Ticks
		price      fixed.Ticks
		volume     fixed.Lots
	}{
		{"as drawn, from below", drawn, 1, 1, 101, 8},
		{"as drawn, from above", drawn, 200, 1, 102, 8},
		{"most volume", []row{{buy, 9, 110}, {buy, 1, 120}, {sell, 10, 105}, {sell, 2, 100}}, 130, 1, 110, 10},
		{"as many bids are left everywhere", []row{{buy, 9, 110}, {sell, 4, 100}}, 105, 1, 105, 4},
		{"least imbalance: bids are left, and more below", []row{{buy, 9, 110}, {buy, 1, 104}, {sell, 4, 100}}, 1, 1, 105, 4},
		{"as many asks are left everywhere", []row{{buy, 4, 110}, {sell, 9, 100}}, 105, 1, 105, 4},
		{"least imbalance: asks are left, and more above", []row{{buy, 4, 110}, {sell, 9, 100}, {sell, 1, 107}}, 200, 1, 106, 4},
		{"neighbors, the bid is less", []row{{buy, 4, 110}, {sell, 4, 100}, {buy, 2, 104}, {sell, 3, 105}}, 200, 1, 104, 4},
		{"neighbors, the ask is less", []row{{buy, 4, 110}, {sell, 4, 100}, {buy, 3, 104}, {sell, 2, 105}}, 1, 1, 105, 4},
		{"neighbors alike, from below", []row{{buy, 4, 110}, {sell, 4, 100}, {buy, 2, 104}, {sell, 2, 105}}, 1, 1, 100, 4},
		{"neighbors alike, from above", []row{{buy, 4, 110}, {sell, 4, 100}, {buy, 2, 104}, {sell, 2, 105}}, 200, 1, 110, 4},
		{"nearest to the mark", []row{{buy, 4, 110}, {sell, 4, 100}}, 107, 1, 107, 4},
		{"the nearest on the step", []row{{buy, 4, 110}, {sell, 4, 100}}, 107, 5, 105, 4},
		{"the nearest on the step, above", []row{{buy, 4, 110}, {sell, 4, 100}}, 108, 5, 110, 4},
		{"two on the step, the lower", []row{{buy, 4, 110}, {sell, 4, 100}}, 104, 8, 104, 4},
		{"two on the step equally near, the lower", []row{{buy, 4, 110}, {sell, 4, 100}}, 105, 10, 100, 4},
		{"none on the step", []row{{buy, 4, 104}, {sell, 4, 101}}, 103, 5, 103, 4},
		{"touching", []row{{buy, 4, 104}, {sell, 1, 104}}, 1, 1, 104, 1},
		{"not crossed", []row{{buy, 4, 104}, {sell, 1, 105}}, 1, 1, 0, 0},
		{"one side alone", []row{{buy, 4, 104}}, 1, 1, 0, 0},
	} {
		b := New(NewStore(50, 50, 200), 1, 100)
		for _, r := range c.rows {
			place(b, r.side, r.price, r.lots)
		}
		price, volume, ok := b.Indicative(c.near, c.step, 50)
		if price != c.price || volume != c.volume || ok != (c.volume != 0) {
			t.Errorf("%s: %d lots at %d, want %d at %d", c.name, volume, price, c.volume, c.price)
		}
	}
}

// TestAuctionSelfTrades holds which of two orders of one owner is the incoming one, and whose mode counts.
func TestAuctionSelfTrades(t *testing.T) { // M-18, M-70
	for _, c := range []struct {
		name     string
		bid, ask msg.STP
		last     msg.Side // who came last, and crossed
		want     []string
	}{
		{"newest, the ask", msg.STPNone, msg.STPCancelNewest, msg.Sell, []string{"2 loses 3, has 0"}},
		{"newest, the bid", msg.STPCancelNewest, msg.STPNone, msg.Buy, []string{"1 loses 5, has 0"}},
		{"oldest", msg.STPNone, msg.STPCancelOldest, msg.Sell, []string{"1 loses 5, has 0"}},
		{"both", msg.STPCancelBoth, msg.STPNone, msg.Buy, []string{"1 loses 5, has 0", "2 loses 3, has 0"}},
		{"decrement", msg.STPDecrement, msg.STPNone, msg.Buy, []string{"1 loses 3, has 2", "2 loses 3, has 0"}},
		{"none asked for by the last", msg.STPCancelBoth, msg.STPNone, msg.Sell, []string{"1 and 2 trade 3 at 100, have 2 and 0 of 3 and 3"}},
	} {
		b := New(NewStore(50, 50, 200), 1, 100)
		bid, ask := place(b, msg.Buy, 100, 5), place(b, msg.Sell, 100, 3)
		for h, mode := range map[uint32]msg.STP{bid: c.bid, ask: c.ask} {
			o := b.store.Order(h)
			o.Owner, o.Flags = 7, o.Flags.WithSTP(mode)
			b.store.Ticket(h).Ref = msg.Ref(o.Side)
		}
		late := bid
		if c.last == msg.Sell {
			late = ask
		}
		b.store.SetArrival(late, 1)
		var a Auction
		turn, got := Turn{Near: 100, Step: 1, Room: 9}, []string(nil)
		for _, p := range b.Uncross(&a, &turn, nil) {
			got = append(got, tell(p)...)
		}
		if diff := cmp.Diff(c.want, got); diff != "" || turn.Stop != StopDone {
			t.Errorf("%s: stop %d (-want +got)\n%s", c.name, turn.Stop, diff)
		}
	}
}

// TestHashSeesTheAuction changes what an auction depends on, one thing at a time.
func TestHashSeesTheAuction(t *testing.T) {
	b := New(NewStore(50, 50, 200), 1, 100)
	calm, bid := place(b, msg.Sell, 105, 3), place(b, msg.Buy, 104, 3)
	before := b.sum()
	b.store.SetArrival(calm, 9)
	if b.sum() != before {
		t.Error("an arrival counts where the book is not crossed")
	}
	b.Unlink(bid)
	b.store.Ticket(bid).Price = 106
	b.rest(bid)
	before = b.sum()
	b.store.SetArrival(bid, 10)
	if b.sum() == before {
		t.Error("an arrival does not count where the book is crossed")
	}
	seen := map[uint64]bool{}
	for _, a := range []Auction{{}, {Price: 1}, {Found: true}, {begun: true}, {bid: used{rank: 1}}, {bid: used{lots: 1}}, {bid: used{last: 1}},
		{ask: used{rank: 1}}, {ask: used{lots: 1}}, {ask: used{last: 1}}} {
		var d fixed.Digest
		if a.Hash(&d); seen[d.Sum()] {
			t.Errorf("%+v has the hash of another", a)
		}
		seen[d.Sum()] = true
	}
}

// naiveAuction is a call auction over a list, by the words of M-70: every tick is tried, and each time the list is searched for the
// order that is first. It knows when each order came.
type naiveAuction struct {
	orders []*naiveOrder
	came   map[msg.OrderID]int
}

// lots are those bid at a tick or higher, and offered there or lower.
func (n *naiveAuction) lots(tick fixed.Ticks) (wanted, offered fixed.Lots) {
	for _, o := range n.orders {
		switch {
		case o.Side == msg.Buy && o.Price >= tick:
			wanted += o.Leaves
		case o.Side == msg.Sell && o.Price <= tick:
			offered += o.Leaves
		}
	}
	return wanted, offered
}

// price is the tick of most volume, then of least imbalance, then on the step, then nearest to near, then the lower.
func (n *naiveAuction) price(near, step fixed.Ticks) (best fixed.Ticks, volume fixed.Lots) {
	low, high := fixed.Ticks(fixed.MaxInt64), fixed.Ticks(fixed.MinInt64)
	for _, o := range n.orders {
		low, high = min(low, o.Price), max(high, o.Price)
	}
	var least [4]int64
	for tick := low; tick <= high; tick++ {
		wanted, offered := n.lots(tick)
		off := int64(0)
		if tick%step != 0 {
			off = 1
		}
		key := [4]int64{-int64(min(wanted, offered)), int64(fixed.Abs(wanted - offered)), off, int64(fixed.Abs(tick - near))}
		if tick == low || slices.Compare(key[:], least[:]) < 0 {
			least, best = key, tick
		}
	}
	return best, fixed.Lots(-least[0])
}

// first is the order of a side with priority, nil when there is none.
func (n *naiveAuction) first(side msg.Side) (best *naiveOrder) {
	for _, o := range n.orders {
		if o.Side != side {
			continue
		}
		if best == nil || o.Price != best.Price && reaches(side.Opposite(), best.Price, o.Price) ||
			o.Price == best.Price && n.came[o.id] < n.came[best.id] {
			best = o
		}
	}
	return best
}

func (n *naiveAuction) crossed() bool {
	bid, ask := n.first(msg.Buy), n.first(msg.Sell)
	return bid != nil && ask != nil && bid.Price >= ask.Price
}

func (n *naiveAuction) remove(o *naiveOrder) {
	n.orders = slices.DeleteFunc(n.orders, func(p *naiveOrder) bool { return p == o })
}

// uncross tells what happens, in words; may says how many lots reduce-only orders may trade when they are first met.
func (n *naiveAuction) uncross(near, step fixed.Ticks, may map[msg.OrderID]fixed.Lots) (told []string) {
	say := func(format string, a ...any) { told = append(told, fmt.Sprintf(format, a...)) }
	cut := func(o *naiveOrder, q fixed.Lots) {
		if o.Leaves -= q; o.Leaves == 0 {
			n.remove(o)
		}
		say("%d loses %d, has %d", o.Ref, q, o.Leaves)
	}
	asked := map[msg.OrderID]bool{}
	for n.crossed() {
		price, _ := n.price(near, step)
		for {
			bid, ask := n.first(msg.Buy), n.first(msg.Sell)
			if bid == nil || ask == nil || bid.Price < price || ask.Price > price {
				break
			}
			q := min(bid.Leaves, ask.Leaves)
			later, earlier := bid, ask
			if n.came[ask.id] > n.came[bid.id] {
				later, earlier = ask, bid
			}
			if mode := later.Flags.STP(); bid.Owner == ask.Owner && bid.Owner != 0 && mode != msg.STPNone {
				switch mode {
				case msg.STPCancelNewest:
					cut(later, later.Leaves)
				case msg.STPCancelOldest:
					cut(earlier, earlier.Leaves)
				case msg.STPCancelBoth:
					cut(bid, bid.Leaves)
					cut(ask, ask.Leaves)
				case msg.STPDecrement:
					cut(bid, q)
					cut(ask, q)
				}
				continue
			}
			if o := bid; o.Flags&ReduceOnly != 0 && !asked[o.id] || ask.Flags&ReduceOnly != 0 && !asked[ask.id] {
				if o.Flags&ReduceOnly == 0 || asked[o.id] {
					o = ask
				}
				asked[o.id] = true
				if over := o.Leaves - may[o.id]; over > 0 {
					cut(o, over)
				}
				continue
			}
			bid.Leaves -= q
			ask.Leaves -= q
			bid.Filled += q
			ask.Filled += q
			say("%d and %d trade %d at %d, have %d and %d of %d and %d", bid.Ref, ask.Ref, q, price, bid.Leaves, ask.Leaves, bid.Filled, ask.Filled)
			for _, o := range [2]*naiveOrder{bid, ask} {
				if o.Leaves == 0 {
					n.remove(o)
				}
			}
		}
	}
	return told
}

// call is a crossed book and its twin.
type call struct {
	chance
	book *Book
	twin naiveAuction
	may  map[msg.OrderID]fixed.Lots
	step fixed.Ticks
	near fixed.Ticks
}

// newCall draws orders that come to rest whether they cross or not, some after a book that does not cross, and some that move.
func newCall(c chance) *call {
	w := &call{chance: c, book: New(NewStore(200, 200, 500), 1, 1000), twin: naiveAuction{came: map[msg.OrderID]int{}},
		may: map[msg.OrderID]fixed.Lots{}, step: 1}
	st, width, owners, lots := w.book.store, 1+c.below(300), 1+c.below(6), 1+c.below(20)
	if c.below(3) == 0 {
		w.step = fixed.Ticks(1 + c.below(7))
	}
	w.near = 850 + fixed.Ticks(c.below(300))
	before := c.below(20) // come while the book is not crossed, and have no arrival
	for i := range 2 + c.below(60) {
		h := st.Alloc()
		o, t := st.Order(h), st.Ticket(h)
		o.Side = msg.Side(1 + c.below(2))
		up, down := c.below(width), c.below(width)
		t.Price, o.Leaves = 1000+fixed.Ticks(up-down), fixed.Lots(1+c.below(lots))
		if c.below(4) != 0 {
			t.Price -= t.Price % w.step
		}
		o.Owner, t.Ref, t.Instr, t.Account = msg.OwnerID(c.below(owners)), msg.Ref(i+1), 1, msg.AccountID(i)
		o.Flags = o.Flags.WithSTP(stpModes[c.below(5)])
		if c.below(6) == 0 {
			o.Flags |= ReduceOnly
			w.may[st.ID(h)] = fixed.Lots(c.below(int64(o.Leaves) + 2))
		}
		if i < before && w.book.Crosses(o.Side, t.Price) {
			st.Free(h)
			continue
		}
		w.rest(&naiveOrder{Order: *o, Ticket: *t, id: st.ID(h), handle: h}, int(i))
	}
	for i := range c.below(10) {
		if n := w.twin.orders[c.below(int64(len(w.twin.orders)))]; c.below(2) == 0 {
			w.book.Unlink(n.handle)
			w.twin.remove(n)
			n.Price += fixed.Ticks(c.below(9) - 4)
			st.Ticket(n.handle).Price = n.Price
			w.rest(n, int(100+i))
		}
	}
	return w
}

// rest lets an order rest in both.
func (w *call) rest(n *naiveOrder, at int) {
	if w.book.Crosses(n.Side, n.Price) {
		w.book.store.SetArrival(n.handle, msg.Seq(at+1))
	}
	w.book.Link(n.handle, n.Side, n.Price)
	w.twin.orders = append(w.twin.orders, n)
	w.twin.came[n.id] = at
}

// uncross lets the book uncross in turns of a drawn room, and tells what happens in words.
func (w *call) uncross() (told []string, err error) {
	var a Auction
	b := w.book
	for turns := 0; ; turns++ {
		t := Turn{Near: w.near, Step: w.step, Room: int(1 + w.below(1+w.below(20)))}
		for {
			before := t.Room
			pairs := b.Uncross(&a, &t, nil)
			if len(pairs) > before-t.Room || t.Room < 0 || turns > 1000 {
				return nil, fmt.Errorf("turn %d: %d pairs, room for %d, %d are left", turns, len(pairs), before, t.Room)
			}
			for _, p := range pairs {
				told = append(told, tell(p)...)
			}
			if t.Stop != StopAsk {
				break
			}
			told = append(told, w.answer(&t)...)
		}
		if err := b.sound(); err != nil {
			return nil, err
		}
		if t.Stop == StopDone {
			return told, nil
		}
	}
}

// answer approves a reduce-only order, or trims or cancels it.
func (w *call) answer(t *Turn) (told []string) {
	st := w.book.store
	o, may := st.Order(t.Ask), w.may[st.ID(t.Ask)]
	t.Allow[o.Side&1] = t.Ask
	if over := o.Leaves - may; over > 0 {
		told = append(told, fmt.Sprintf("%d loses %d, has %d", st.Ticket(t.Ask).Ref, over, may))
		w.may[st.ID(t.Ask)] = may
		if may == 0 {
			w.book.Unlink(t.Ask)
			st.Free(t.Ask)
		} else {
			w.book.Reduce(t.Ask, over)
		}
	}
	if may > 0 { // asked again in another turn it may still trade what it has left
		w.may[st.ID(t.Ask)] = fixed.MaxInt64
	}
	return told
}

// tell is what happened to a pair, in the words of the twin.
func tell(p Pair) (told []string) {
	if p.Bid.Kind == Trade {
		return []string{fmt.Sprintf("%d and %d trade %d at %d, have %d and %d of %d and %d", p.Bid.Ref, p.Ask.Ref, p.Bid.Qty, p.Price,
			p.Bid.Leaves, p.Ask.Leaves, p.Bid.Filled, p.Ask.Filled)}
	}
	for _, f := range [2]Fill{p.Bid, p.Ask} {
		if f.Kind != 0 {
			told = append(told, fmt.Sprintf("%d loses %d, has %d", f.Ref, f.Qty, f.Leaves))
		}
	}
	return told
}

// compare lets both uncross and says where they differ.
func (w *call) compare() (trades, rounds int, err error) {
	drawn := w.book.Append(nil, 50)
	fail := func(format string, a ...any) (int, int, error) {
		return 0, 0, fmt.Errorf("%s\nnear %d, step %d\n%s", fmt.Sprintf(format, a...), w.near, w.step, drawn)
	}
	if got, want := w.book.Crossed(), w.twin.crossed(); got != want {
		return fail("crossed: %v, want %v", got, want)
	}
	price, volume, ok := w.book.Indicative(w.near, w.step, 1000)
	if ok != w.twin.crossed() {
		return fail("an indicative price: %v", ok)
	}
	if p, v := w.twin.price(w.near, w.step); ok && (price != p || volume != v) {
		return fail("indicative %d lots at %d, want %d at %d", volume, price, v, p)
	}
	if p, v, ok := w.book.Indicative(w.near, w.step, int(w.below(10))); ok {
		bid, _ := w.book.Best(msg.Buy)
		ask, _ := w.book.Best(msg.Sell)
		if p < ask || p > bid || v > volume {
			return fail("a short search: %d lots at %d", v, p)
		}
	}
	want := w.twin.uncross(w.near, w.step, w.may)
	got, err := w.uncross()
	if err != nil {
		return fail("%v", err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		return fail("(-want +got)\n%s", diff)
	}
	if err := w.book.check(); err != nil {
		return fail("%v", err)
	}
	open := 0
	for _, side := range [2]msg.Side{msg.Buy, msg.Sell} {
		for h := w.book.First(side); h != 0; h = w.book.NextOf(h) {
			open++
		}
	}
	if open != len(w.twin.orders) || int(w.book.store.Live()) != open {
		return fail("%d orders are left, want %d", open, len(w.twin.orders))
	}
	prices := map[string]bool{}
	for _, line := range got {
		var x, y, q, p int
		if n, _ := fmt.Sscanf(line, "%d and %d trade %d at %d", &x, &y, &q, &p); n == 4 {
			trades++
			prices[fmt.Sprint(p)] = true
		}
	}
	return trades, len(prices), nil
}

// TestAuctionAgainstNaive lets book and twin uncross the same orders: every trade, and every order that is taken out.
func TestAuctionAgainstNaive(t *testing.T) { // M-70, S-15
	seed := xorshift(0x9E3779B97F4A7C15)
	t.Logf("seed %#x", uint64(seed))
	trades, again := 0, 0
	for i := range 3000 {
		n, rounds, err := newCall(&seed).compare()
		if err != nil {
			t.Fatalf("auction %d: %v", i, err)
		}
		trades += n
		if rounds > 1 {
			again++
		}
	}
	t.Logf("%d trades, %d auctions of more than one round", trades, again)
	if trades < 10_000 || again < 100 {
		t.Error("too little has happened")
	}
}

// TestAuctionWhileOrdersLeave cancels and cuts orders between the turns of an auction that needs many. Nobody trades beyond
// his limit, nothing is lost, and at the end no bid reaches an ask.
func TestAuctionWhileOrdersLeave(t *testing.T) {
	seed := xorshift(0x2545F4914F6CDD1D)
	t.Logf("seed %#x", uint64(seed))
	for i := range 700 {
		b := New(NewStore(300, 300, 700), 1, 1000)
		limits, open := map[msg.Ref]fixed.Ticks{}, fixed.Lots(0)
		var rows []uint32
		for k := range 200 {
			side := msg.Side(1 + seed.below(2))
			up, down := seed.below(400), seed.below(400)
			h := place(b, side, 1000+fixed.Ticks(up-down), fixed.Lots(1+seed.below(9)))
			t := b.store.Ticket(h)
			t.Ref = msg.Ref(k + 1)
			limits[t.Ref] = t.Price
			open += b.store.Order(h).Leaves
			rows = append(rows, h)
		}
		var a Auction
		for turns := 0; ; turns++ {
			turn := Turn{Near: 1000, Step: 1, Room: 1}
			for _, p := range b.Uncross(&a, &turn, nil) {
				open -= 2 * p.Bid.Qty
				if p.Bid.Kind != Trade || limits[p.Bid.Ref] < p.Price || limits[p.Ask.Ref] > p.Price || p.Ask.Qty != p.Bid.Qty {
					t.Fatalf("auction %d: %v at %d", i, tell(p), p.Price)
				}
			}
			for _, h := range rows {
				o := b.store.Order(h)
				if o.Side == 0 || seed.below(10) != 0 {
					continue
				}
				if by := 1 + fixed.Lots(seed.below(int64(o.Leaves))); by < o.Leaves {
					b.Reduce(h, by)
					open -= by
					continue
				}
				open -= o.Leaves
				b.Unlink(h)
				b.store.Free(h)
			}
			if err := b.sound(); err != nil {
				t.Fatalf("auction %d, turn %d: %v", i, turns, err)
			}
			if turn.Stop == StopDone {
				break
			}
			if turns > 1000 {
				t.Fatalf("auction %d does not end\n%s", i, b.Append(nil, 50))
			}
		}
		for _, side := range [2]msg.Side{msg.Buy, msg.Sell} {
			open -= b.LotsWithin(side, price(side, 1<<40), 300)
		}
		if err := b.check(); err != nil || open != 0 {
			t.Fatalf("auction %d: %v, %d lots are missing", i, err, open)
		}
	}
}

// TestLevelFrom looks for levels from ranks that have none, in blocks that are empty, gone or never were.
func TestLevelFrom(t *testing.T) {
	seed := xorshift(0x9E3779B97F4A7C15)
	b := New(NewStore(300, 300, 700), 1, 1000)
	for i := range 20_000 {
		side := msg.Side(1 + seed.below(2))
		if first := b.First(side); first != 0 && seed.below(3) == 0 {
			b.Unlink(first)
			b.store.Free(first)
		} else if b.store.Live() < 20 {
			place(b, side, fixed.Ticks(seed.below(3000)), 1)
		}
		from, want := fixed.Ticks(seed.below(3300)-100), uint32(0)
		for row := b.firstLevel(b.side(side)); row != 0 && want == 0; row = b.nextLevel(row) {
			if b.store.levels[row].rank >= rank(side, from) {
				want = row
			}
		}
		if got := b.levelFrom(b.side(side), rank(side, from)); got != want {
			t.Fatalf("step %d: from %d: level %d, want %d\n%s", i, from, got, want, b.Append(nil, 50))
		}
	}
}

// TestUnused holds what a search makes of a level that has lost lots, or gone, since it was used in part.
func TestUnused(t *testing.T) {
	for _, c := range []struct {
		lose, lots fixed.Lots
		at         fixed.Ticks
	}{{0, 4, 100}, {5, 4, 100}, {6, 0, 101}, {7, 0, 101}, {10, 0, 101}} {
		b := sells(maker{price: 100, lots: 10}, maker{price: 101, lots: 1})
		if c.lose < 10 {
			b.Reduce(b.First(msg.Sell), c.lose)
		} else {
			b.Unlink(b.First(msg.Sell))
		}
		u := used{rank: 100, lots: 4}
		if row := b.unused(msg.Sell, &u); b.priceOf(msg.Sell, row) != c.at || u.rank != int64(c.at) || u.lots != c.lots {
			t.Errorf("%d of 10 lots lost: from %d, %+v", c.lose, b.priceOf(msg.Sell, row), u)
		}
	}
}

func FuzzAuctionAgainstNaive(f *testing.F) { // T-4
	f.Add([]byte{0})
	f.Add(bytes.Repeat([]byte{1, 7, 200, 40}, 100))
	f.Fuzz(func(t *testing.T, input []byte) {
		if _, _, err := newCall(&bytesChance{input}).compare(); err != nil {
			t.Fatal(err)
		}
	})
}
