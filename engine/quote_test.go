package engine

import (
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/ring"
)

// quotes are the entries of a mass quote.
func quotes(account msg.AccountID, entries ...msg.Quotation) (list []msg.Command) {
	for i, q := range entries {
		q.Index, q.Count = uint8(i), uint8(len(entries))
		list = append(list, msg.Quote(account, msg.InstrumentID(1+i), q))
	}
	return list
}

// two is a quote with a lot or more on either side.
func two(bid, ask fixed.Ticks, lots fixed.Lots) msg.Quotation {
	return msg.Quotation{Bid: bid, BidQty: lots, Ask: ask, AskQty: lots}
}

// say sends entries as one message.
func (m *member) say(entries []msg.Command) (events []msg.Event) {
	m.number++
	m.ref++
	for _, c := range entries {
		c.Ref = m.ref
		events = append(events, m.sendAs(c, m.number)...)
	}
	return events
}

// acks are the answers of a mass quote among events.
func acks(events []msg.Event) (list []msg.Event) {
	for i := range events {
		if events[i].Kind == msg.QuoteAnswered {
			list = append(list, events[i])
		}
	}
	return list
}

// TestMassQuote sends quotes in two instruments as one message: it has one number and one report, at its end, which says what stands where.
func TestMassQuote(t *testing.T) { // W-20, W-51
	d, one, three := membership(t)
	server := d.server(11)
	events := one.say(quotes(1, two(90, 110, 5), two(95, 105, 3)))
	list := acks(events)
	if len(list) != 2 || list[0].Reports() || !list[1].Reports() || d.server(11) != server+1 || one.number != 1 {
		t.Fatalf("the next report is %d, after %d: %v", d.server(11), server, events)
	}
	if s, _ := d.Session(11); s.Next != 2 {
		t.Errorf("the next message has number %d", s.Next)
	}
	for i, ev := range list {
		a := ev.QuoteAnswer()
		bid, ask := d.Quote(1, msg.InstrumentID(i+1))
		if bid == 0 || ev.Order != bid || a.Ask != ask || a.BidNo|a.AskNo != 0 || a.Number != 1 || ev.Ref != one.ref || ev.Seq != d.seq || int(a.Index) != i {
			t.Errorf("%s, and the quote is %v, %v", &ev, bid, ask)
		}
	}
	received := 0
	for i := range events {
		if events[i].Kind == msg.Received {
			if received++; events[i].Receipt().More != (received == 1) {
				t.Errorf("%s", &events[i])
			}
		}
	}
	if received != 2 {
		t.Errorf("received %d times", received)
	}
	bid, _ := d.Quote(1, 1)
	three.takes(msg.Limit(3, 1, msg.Sell, 90, 2))
	if d.server(11) != server+2 {
		t.Error("a fill of a quote is no report")
	}
	one.say(quotes(1, two(90, 111, 3))) // the bid stays where it is, the ask moves
	if now, _ := d.Quote(1, 1); now != bid || d.OpenOrders() != 4 {
		t.Errorf("the bid is %v, it was %v; %d orders rest", now, bid, d.OpenOrders())
	}
	one.ref--
	if events := one.say(quotes(1, two(80, 120, 1), two(80, 120, 1))); len(acks(events)) != 0 || refusal(events[:2]) != msg.RejectDuplicateClientID {
		t.Errorf("a quote id that was used: %v", events)
	}
	if got := d.server(11); got != server+4 {
		t.Errorf("the next report is %d, want %d: a message that is refused has one", got, server+4)
	}
	one.takes(msg.Cancel(0, 1, bid)) // an order like any other
	one.takes(msg.CancelAll(1, 0, 0))
	if d.OpenOrders() != 0 {
		t.Errorf("%d orders rest", d.OpenOrders())
	}
	d.sound()
}

// TestQuoteSides holds what becomes of each side of an entry: it stays, it shrinks in its place, it moves, it goes, it is refused.
func TestQuoteSides(t *testing.T) { // W-51
	d := crowded(t, Limits{Instruments: 2, Accounts: 9, Orders: 200, Events: 256})
	other := d.order(msg.Limit(2, 1, msg.Buy, 90, 5))
	d.do(quotes(1, two(90, 110, 5))[0])
	bid, ask := d.Quote(1, 1)
	behind := d.order(msg.Limit(2, 1, msg.Buy, 90, 5))
	queue := func() (list []msg.OrderID) {
		for _, r := range d.Queue(1, msg.Buy, nil) {
			list = append(list, r.Order)
		}
		return list
	}
	for _, c := range []struct {
		name        string
		q           msg.Quotation
		bids        []msg.OrderID // in their order; 0: a new one
		keeps       bool          // the ask
		no          [2]msg.Reject
		told        int // of orders
		open, total fixed.Lots
	}{
		{"as it is", two(90, 110, 5), []msg.OrderID{other, bid, behind}, true, [2]msg.Reject{}, 0, 5, 0},
		{"fewer", two(90, 110, 4), []msg.OrderID{other, bid, behind}, true, [2]msg.Reject{}, 2, 4, 0},
		{"one side moves", two(90, 111, 4), []msg.OrderID{other, bid, behind}, false, [2]msg.Reject{}, 2, 4, 0},
		{"more", two(90, 111, 6), []msg.OrderID{other, behind, 0}, false, [2]msg.Reject{}, 4, 6, 0},
		{"one side goes", msg.Quotation{Ask: 111, AskQty: 6}, []msg.OrderID{other, behind}, true, [2]msg.Reject{}, 1, 0, 0},
		{"refused before", msg.Quotation{Bid: 89, BidQty: 2, Ask: 111, AskQty: 6, AskNo: msg.RejectOffTick}, []msg.OrderID{other, behind, 0}, false,
			[2]msg.Reject{0, msg.RejectOffTick}, 2, 2, 0},
		{"crossed in itself", two(100, 100, 2), []msg.OrderID{other, behind}, false, [2]msg.Reject{msg.RejectWouldCross, msg.RejectWouldCross}, 1, 0, 0},
		{"no price", msg.Quotation{BidQty: 1, Ask: 112, AskQty: 1}, []msg.OrderID{other, behind}, false, [2]msg.Reject{msg.RejectValueOutOfRange, 0}, 1, 0, 0},
		{"below nothing", msg.Quotation{Bid: 90, BidQty: 1, Ask: 112, AskQty: -1}, []msg.OrderID{other, behind, 0}, false,
			[2]msg.Reject{0, msg.RejectValueOutOfRange}, 2, 1, 0},
		{"nothing", msg.Quotation{}, []msg.OrderID{other, behind}, false, [2]msg.Reject{}, 1, 0, 0},
	} {
		was := ask
		events := d.do(quotes(1, c.q)[0])
		list := acks(events)
		bid, ask = d.Quote(1, 1)
		if len(list) != 1 || list[0].QuoteAnswer().BidNo != c.no[0] || list[0].QuoteAnswer().AskNo != c.no[1] || list[0].Order != bid ||
			list[0].QuoteAnswer().Ask != ask || len(events)-1 != c.told {
			t.Errorf("%s: %v", c.name, events)
		}
		for i, id := range queue() {
			if i >= len(c.bids) || id != c.bids[i] && (c.bids[i] != 0 || id != bid) {
				t.Errorf("%s: the queue is %v, want %v", c.name, queue(), c.bids)
			}
		}
		if len(queue()) != len(c.bids) || (ask == was && was != 0) != c.keeps {
			t.Errorf("%s: the queue is %v, want %v; the ask is %v, it was %v", c.name, queue(), c.bids, ask, was)
		}
		if bid != 0 && d.store.Order(bid.Handle()).Leaves != c.open {
			t.Errorf("%s: %d lots are bid, want %d", c.name, d.store.Order(bid.Handle()).Leaves, c.open)
		}
		d.sound()
	}
	d.do(quotes(1, two(90, 110, 1), two(90, 110, 1))[0])
	events := d.do(msg.Quote(1, 9, msg.Quotation{Bid: 1, BidQty: 1, Index: 1, Count: 2}))
	if list := acks(events); len(list) != 2 || list[1].QuoteAnswer().AskNo != msg.RejectUnknownInstrument || list[0].Order == 0 {
		t.Errorf("%v", events)
	}
	d.ok(msg.SetEntry(1, 0, msg.Entry{Scope: msg.ScopeAccount, Action: msg.Block}))
	if list := acks(d.do(quotes(1, two(91, 110, 1))[0])); list[0].QuoteAnswer().BidNo != msg.RejectEntryBlocked || list[0].Order != 0 {
		t.Errorf("%v", list)
	}
}

// TestQuoteEntryForm holds each entry to its form, not the first alone: one that is flawed changes nothing, and the others are as they say.
func TestQuoteEntryForm(t *testing.T) { // A-15, W-51
	for _, c := range []struct {
		bend func(*msg.Command)
		no   msg.Reject
	}{
		{func(c *msg.Command) { c.STP = msg.STPNone + 1 }, msg.RejectValueOutOfRange},
		{func(c *msg.Command) { c.Rare[3] |= 1 << 32 }, msg.RejectValueOutOfRange},
		{func(c *msg.Command) { c.Flags = msg.FlagPersist }, msg.RejectReservedBits},
		{func(c *msg.Command) { c.Flags = msg.FlagPostOnly | msg.FlagIsolated }, msg.RejectReservedBits},
		{func(c *msg.Command) { c.Flags = msg.FlagPostOnly; c.STP = msg.STPNone }, 0},
	} {
		d := crowded(t, Limits{Instruments: 2, Accounts: 9, Orders: 200, Events: 256})
		for _, entry := range quotes(1, two(90, 110, 5), two(90, 110, 5)) {
			d.do(entry)
		}
		bid, ask := d.Quote(1, 2)
		list := quotes(1, two(91, 111, 4), two(91, 111, 4))
		c.bend(&list[1])
		d.do(list[0])
		answers := acks(d.do(list[1]))
		if len(answers) != 2 || answers[0].Order == 0 {
			t.Fatalf("%v", answers)
		}
		if a := answers[1].QuoteAnswer(); a.BidNo != c.no || a.AskNo != c.no {
			t.Errorf("%s, want %s", &answers[1], c.no.Name())
		}
		if b, a := d.Quote(1, 2); c.no != 0 && (b != bid || a != ask) || c.no == 0 && (b == bid || a == ask) {
			t.Errorf("%s: the quote is %v, %v, it was %v, %v", c.no.Name(), b, a, bid, ask)
		}
		d.sound()
	}
}

// TestQuoteRefusedBefore tells a side that was refused before it became a command why it was, not what the price says to which it was rounded.
func TestQuoteRefusedBefore(t *testing.T) { // W-59
	d := crowded(t, Limits{Instruments: 2, Accounts: 9, Orders: 200, Events: 256})
	q := two(0, 110, 5)
	q.BidNo = msg.RejectOffTick // it was half a tick
	if a := acks(d.do(quotes(1, q)[0]))[0].QuoteAnswer(); a.BidNo != msg.RejectOffTick || a.AskNo != 0 || a.Ask == 0 {
		t.Errorf("%+v", a)
	}
}

// TestQuoteOfAnotherKey refuses to replace a quote that another key of the same account has, until it is gone.
func TestQuoteOfAnotherKey(t *testing.T) { // W-51
	d, one, _ := membership(t)
	d.ok(msg.SetKey(keyOf(2, msg.RoleTrader, 1)))
	other := d.logon(12, 2, msg.OrderEntry, nil)
	one.say(quotes(1, two(90, 110, 5)))
	bid, ask := d.Quote(1, 1)
	list := acks(other.say(quotes(1, two(91, 109, 5))))
	if a := list[0].QuoteAnswer(); a.BidNo != msg.RejectModeConflict || a.AskNo != msg.RejectModeConflict || a.Ask != 0 {
		t.Errorf("%s", &list[0])
	}
	if b, a := d.Quote(1, 1); b != bid || a != ask {
		t.Error("it has changed")
	}
	one.say(quotes(1, msg.Quotation{}))
	if list := acks(other.say(quotes(1, two(91, 109, 5)))); list[0].Order == 0 {
		t.Errorf("%s", &list[0])
	}
}

// TestQuoteCutOff loses the entries of a mass quote behind one of them, as a crash between two writes of the journal does, at every place and
// from a snapshot too: the next command answers it, and its number is used.
func TestQuoteCutOff(t *testing.T) { // W-20
	for cut := 1; cut < 3; cut++ {
		d, one, _ := membership(t)
		one.say(quotes(1, two(90, 110, 5), two(90, 110, 5), two(90, 110, 5))[:cut])
		if at, ok := d.NextDue(); !ok || at != d.now {
			t.Error("nothing is due")
		}
		back := restored(t, d.limits, image(d.Engine))
		if back.Hash() != d.Hash() {
			t.Fatal("restored it is another")
		}
		fork := d.Fork()
		tick := msg.Tick()
		tick.Seq, tick.Time = d.seq+1, d.at
		if got := acks(back.Apply(&tick, nil)); len(got) != 3 {
			t.Errorf("restored, it is answered by %v", got)
		}
		server := d.server(11)
		list := acks(one.takes(msg.Limit(1, 1, msg.Buy, 80, 1)))
		if len(list) != 3 || d.server(11) != server+2 || d.last[0].Kind != msg.QuoteAnswered {
			t.Fatalf("%v", d.last)
		}
		for i := range list {
			a := list[i].QuoteAnswer()
			if lost := i >= cut; lost != (a.BidNo == msg.RejectShuttingDown) || lost != (list[i].Order == 0) || a.Number != 1 {
				t.Errorf("cut at %d: %s", cut, &list[i])
			}
		}
		if fork.Apply(&tick, nil); fork.quoting.count != 0 {
			t.Error("a fork goes on with it")
		}
	}
	d, one, _ := membership(t)
	late := quotes(1, two(90, 110, 5), two(90, 110, 5))
	one.say(late[1:]) // an entry without its first
	if refusal(d.last) != msg.RejectValueOutOfRange || d.OpenOrders() != 0 {
		t.Errorf("%v", d.last)
	}
}

// TestQuotesTrade lets both sides of a quote trade as takers, with as many makers as there is room for.
func TestQuotesTrade(t *testing.T) {
	d := crowded(t, Limits{Instruments: 2, Accounts: 9, Orders: 400, Events: 256})
	for range 60 {
		d.ok(msg.Limit(2, 1, msg.Sell, 100, 1))
	}
	events := d.do(quotes(1, msg.Quotation{Bid: 100, BidQty: 60, Ask: 101, AskQty: 5})[0])
	list := acks(events)
	if len(list) != 1 || list[0].QuoteAnswer().Ask == 0 || list[0].Order == 0 || len(events) > 256 {
		t.Fatalf("%d events, %v", len(events), list)
	}
	bound := 0
	for i := range events {
		if events[i].Kind == msg.Canceled && events[i].Reason == msg.CanceledEventBound {
			bound++
		}
	}
	if bound != 1 || d.count(msg.Traded) < 50 {
		t.Errorf("%d trades, canceled at the bound %d times", d.count(msg.Traded), bound)
	}
	d.sound()
}

// TestQuotesStayTogether lets two lanes bring orders and mass quotes, and a node its own commands: the entries of a quote have consecutive
// numbers, whatever the batches.
func TestQuotesStayTogether(t *testing.T) { // W-51
	for _, journaled := range []int{0, 16, 64} {
		d := crowded(t, Limits{Instruments: 2, Accounts: 9, Orders: 4000, Events: 256})
		var lanes []*ring.Lane[msg.Request]
		for range 3 {
			lane, err := ring.NewLane[msg.Request](64)
			if err != nil {
				t.Fatal(err)
			}
			lanes = append(lanes, lane)
		}
		out, err := ring.NewRing[msg.Event](1 << 14)
		if err != nil {
			t.Fatal(err)
		}
		reader := out.Reader(true)
		l := NewLoop(d.Engine, lanes[:2], out)
		l.Obey(lanes[2])
		var sequenced *ring.Lane[msg.Request]
		if journaled > 0 {
			sequenced, err = ring.NewLane[msg.Request](journaled)
			if err != nil {
				t.Fatal(err)
			}
			l.Record(sequenced)
		}
		seed := xorshift(77)
		next, run, runs := uint8(0), msg.Request{}, 0
		for round := range 4000 {
			for i, lane := range lanes[:2] {
				n := int(1 + seed.below(16))
				if seed.below(2) == 0 || !lane.RoomFor(n) {
					if lane.Room() {
						c := msg.Limit(msg.AccountID(i+1), 1, msg.Buy, 50, 1)
						lane.Claim().CopyFrom(&c.Request)
						lane.Publish()
					}
					continue
				}
				for k := range n {
					q := two(90, 110, 1)
					q.Index, q.Count = uint8(k), uint8(n)
					c := msg.Quote(msg.AccountID(i+1), 1, q)
					c.Ref = msg.Ref(round + 1)
					lane.Claim().CopyFrom(&c.Request)
				}
				lane.Publish()
			}
			if own := lanes[2]; seed.below(3) == 0 && own.Room() {
				c := msg.SetStorage(msg.StorageNormal)
				own.Claim().CopyFrom(&c.Request)
				own.Publish()
			}
			l.Poll(0)
			for sequenced != nil {
				r := sequenced.Next()
				if r == nil {
					break
				}
				q := r.Quotation()
				switch {
				case next > 0 && (r.Kind != msg.KindQuote || q.Index != next || r.Account != run.Account || r.Ref != run.Ref):
					t.Fatalf("%s comes into a mass quote of %s", r, &run)
				case r.Kind == msg.KindQuote && q.Index == 0:
					run = *r
				}
				if next = 0; r.Follows() {
					next = q.Index + 1
				} else if r.Kind == msg.KindQuote {
					runs++
				}
			}
			if sequenced != nil {
				sequenced.Release()
			}
			for e := reader.Next(); e != nil; e = reader.Next() {
				if a := e.QuoteAnswer(); e.Kind == msg.QuoteAnswered && a.BidNo == msg.RejectShuttingDown {
					t.Fatalf("a mass quote was torn: %s", e)
				}
			}
			reader.Release()
		}
		if sequenced != nil && runs < 100 {
			t.Errorf("%d mass quotes", runs)
		}
	}
}

// TestQuoteWithoutEnd fills a lane with entries that all say more are to follow: a batch stays a batch, and the node's own commands have their turn.
func TestQuoteWithoutEnd(t *testing.T) {
	for _, count := range []uint8{2, msg.QuoteMax, 255} {
		d := crowded(t, Limits{Instruments: 2, Accounts: 9, Orders: 4000, Events: 256})
		var lanes [2]*ring.Lane[msg.Request]
		for i := range lanes {
			var err error
			if lanes[i], err = ring.NewLane[msg.Request](512); err != nil {
				t.Fatal(err)
			}
		}
		out, err := ring.NewRing[msg.Event](1 << 14)
		if err != nil {
			t.Fatal(err)
		}
		l := NewLoop(d.Engine, lanes[:1], out)
		l.Obey(lanes[1])
		for range lanes[0].Size() {
			c := msg.Quote(1, 1, msg.Quotation{Bid: 90, BidQty: 1, Count: count})
			lanes[0].Claim().CopyFrom(&c.Request)
		}
		lanes[0].Publish()
		tick := msg.Tick()
		lanes[1].Claim().CopyFrom(&tick.Request)
		l.more = 1 // somebody's message is under way
		lanes[1].Publish()
		applied, taken := 0, false
		for range 100 {
			n := l.Poll(0)
			if applied += n; n > batchMax+msg.QuoteMax {
				t.Fatalf("%d entries of %d: a batch of %d", applied, count, n)
			}
			if !taken && !lanes[1].Ready() {
				if taken = true; applied > 2*(batchMax+msg.QuoteMax) {
					t.Errorf("entries of %d: the node's own command comes after %d", count, applied)
				}
			}
		}
		if applied != lanes[0].Size()+1 {
			t.Errorf("entries of %d: %d applied", count, applied)
		}
	}
}
