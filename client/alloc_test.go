package client_test

import (
	"testing"

	"github.com/lockstep-exchange/lockstep/client"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// L-32: no request and no report allocates, from the call to its bytes and from the bytes to the event.
func TestNothingAllocates(t *testing.T) {
	p := newPair(t, config(1))
	p.carry()
	p.s.Place(limit(5, 2), p.now)
	p.carry()
	// answers is what the venue says, made before anything is counted: for each round an order that rests and is canceled.
	const rounds = 200
	var answers [][]byte
	refs := make([]msg.Ref, 0, 4*rounds)
	number := p.numbers
	say := func(template uint16, size int, fill func(b []byte)) {
		number++
		frame, block := wire.AppendFrame(nil, gen.Header{Block: uint16(size), Template: template, Schema: gen.SchemaOrderEntry, Version: 1})
		gen.AsSequence(block).SetNextSeqNo(number)
		fill(block)
		answers[len(answers)-1] = append(answers[len(answers)-1], frame...)
	}
	now := p.now
	for i := range uint64(2 * rounds) {
		answers = append(answers, nil)
		ref, id := uint64(now)+10*i+1, 1_000+i
		say(gen.TemplateOrderAccepted, 98, func(b []byte) {
			m := gen.AsOrderAccepted(b)
			m.SetClOrdID(ref)
			m.SetOrderID(id)
			m.SetLeavesQty(4)
		})
		say(gen.TemplateTrade, 114, func(b []byte) {
			m := gen.AsTrade(b)
			m.SetClOrdID(ref)
			m.SetOrderID(id)
			m.SetLeavesQty(3)
			m.SetCumQty(1)
		})
		say(gen.TemplateOrderReplaced, 98, func(b []byte) {
			m := gen.AsOrderReplaced(b)
			m.SetClOrdID(ref + 1)
			m.SetOrderID(id)
			m.SetLeavesQty(2)
			m.SetCumQty(1)
		})
		say(gen.TemplateOrderCanceled, 74, func(b []byte) {
			m := gen.AsOrderCanceled(b)
			m.SetRequestClOrdID(ref + 2)
			m.SetOrderID(id)
			m.SetCanceledQty(2)
			m.SetOrdStatus(gen.OrdStatusCanceled)
		})
		say(gen.TemplateMassQuoteAck, 44, func(b []byte) { gen.AsMassQuoteAck(b).SetQuoteID(ref + 3) })
		last := answers[len(answers)-1]
		start := len(last) - wire.BlockAt - 44
		last, _ = wire.AppendGroup(last, start, 24, 1)
		answers[len(answers)-1] = wire.AppendData(last, start, nil)
	}
	order := limit(7, 4)
	quotes := &client.Quotes{Account: 3, Entries: make([]client.Quote, 1)}
	turn, events := 0, 0
	round := func() {
		at := now + 10*fixed.Nanos(turn)
		ref, err := p.s.Place(order, at+1)
		if err != nil {
			t.Fatal(err)
		}
		refs = append(refs, ref)
		p.s.Wrote(len(p.s.Output()))
		half := len(answers[turn]) / 2
		for i, part := range [][]byte{answers[turn][:half], answers[turn][half:]} {
			p.s.Received(copy(p.s.Room(), part), at)
			for e := p.s.Next(); e != nil; e = p.s.Next() {
				if e.Template == gen.TemplateOrderAccepted {
					p.s.Replace(ref, 8, 3, false, at+2)
					p.s.Cancel(ref, at+3)
					p.s.Quote(quotes, at+4)
				}
				events++
			}
			p.s.Wrote(len(p.s.Output()))
			if i == 1 && p.s.Unanswered() != 0 {
				t.Fatalf("round %d: %d unanswered", turn, p.s.Unanswered())
			}
		}
		p.s.Tick(at)
		turn++
	}
	if n := testing.AllocsPerRun(rounds, round); n != 0 {
		t.Errorf("%v allocations in a round of four requests and five reports", n)
	}
	if events != 5*turn {
		t.Errorf("%d events in %d rounds", events, turn)
	}
}

// The same on a socket, whose other end says nothing: Place, Flush, Poll.
func TestPollAllocatesNothing(t *testing.T) {
	h := &host{v: newVenue(t)}
	c, err := dial(h.listen(t), true)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for e := c.Poll(); e == nil || e.Kind != client.Recovered; {
		e = c.Poll()
	}
	h.mu.Lock() // from here on the venue waits
	defer h.mu.Unlock()
	order := limit(7, 4)
	if n := testing.AllocsPerRun(50, func() {
		if _, err := c.Place(order, c.Now()); err != nil {
			t.Fatal(err)
		}
		c.Flush()
		if e := c.Poll(); e != nil {
			t.Fatal(e.Kind)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// A book that has once been as large as it gets allocates nothing more.
func TestBookAllocatesNothing(t *testing.T) {
	b := client.NewBook(instrument, 1, 100)
	number := uint64(0)
	add := record(t, gen.TemplateOrderAdd, 38, func(b []byte) { putAdd(b, client.BookOrder{ID: 1, Price: 5, Qty: 3, Side: gen.SideBuy}, instrument) })
	move := record(t, gen.TemplateOrderMove, 38, func(b []byte) { putAdd(b, client.BookOrder{ID: 1, Price: 6, Qty: 3, Side: gen.SideBuy}, instrument) })
	remove := record(t, gen.TemplateOrderDelete, 22, func(b []byte) {
		gen.AsOrderDelete(b).SetOrderID(1)
		gen.AsOrderDelete(b).SetInstrumentID(instrument)
	})
	if n := testing.AllocsPerRun(1_000, func() {
		for _, m := range []*wire.Message{add, move, remove} {
			number++
			if err := b.Apply(number, m); err != nil {
				t.Fatal(err)
			}
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
