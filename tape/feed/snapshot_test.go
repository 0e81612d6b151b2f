package feed_test

import (
	"encoding/binary"
	"maps"
	"slices"
	"testing"

	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/tape/feed"
	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// load has a reader begin with a snapshot. It holds W-64: what comes in which order, flags, count, checksum.
func (r *reader) load(b []byte, request uint64) (next uint64) {
	var order []uint16
	var last *standing
	count, sum := uint32(0), uint64(0)
	for len(b) > 0 {
		size := 2 + int(binary.BigEndian.Uint16(b))
		m, fault := wire.OpenRecord(b[2:size])
		if fault.Kind != 0 {
			r.t.Fatal(fault)
		}
		if b = b[size:]; len(order) == 0 || order[len(order)-1] != m.Template {
			order = append(order, m.Template)
		}
		flags, want := gen.MarketFlags(0), gen.MarketFlagsSnapshot
		switch m.Template {
		case gen.TemplateSnapshotBegin:
			o := gen.AsSnapshotBegin(m.Block)
			flags, next, count = o.Flags(), o.NextChannelSeq(), o.Orders()
			if o.RequestID() != request {
				r.t.Fatalf("the snapshot answers request %d, want %d", o.RequestID(), request)
			}
		case gen.TemplateSnapshotOrder:
			o := gen.AsSnapshotOrder(m.Block)
			s := &standing{o.OrderID(), o.Priority(), o.Price(), o.Qty(), o.InstrumentID(), o.Side()}
			r.orders[s.id] = s
			if last != nil && !follows(last, s) {
				r.t.Fatalf("order %+v comes behind %+v", *s, *last)
			}
			count, last, flags = count-1, s, o.Flags()
			sum += wire.OrderSum(s.id, s.price, s.qty, s.priority)
		case gen.TemplateSnapshotEnd:
			o := gen.AsSnapshotEnd(m.Block)
			flags, want = o.Flags(), gen.MarketFlagsSnapshot|gen.MarketFlagsLast
			if count != 0 || o.Checksum() != sum || o.NextChannelSeq() != next || len(b) != 0 {
				r.t.Fatalf("the snapshot ends with checksum %016x and %d orders missing, want %016x", o.Checksum(), count, sum)
			}
		default:
			flags = r.state(&m)
		}
		if flags != want {
			r.t.Fatalf("template %d of a snapshot has flags %d", m.Template, flags)
		}
	}
	want := []uint16{gen.TemplateSnapshotBegin, gen.TemplateInstrumentDefinition, gen.TemplateInstrumentStatus, gen.TemplateMarkFunding}
	if last != nil {
		want = append(want, gen.TemplateSnapshotOrder)
	}
	if want = append(want, gen.TemplateSnapshotEnd); !slices.Equal(order, want) {
		r.t.Fatalf("templates of a snapshot %d, want %d", order, want)
	}
	r.number = next
	return next
}

// follows reports whether b may come behind a: bids first, each side from its best price on, at a price by age.
func follows(a, b *standing) bool {
	switch {
	case a.side != b.side:
		return a.side == gen.SideBuy
	case a.price != b.price:
		return (a.price > b.price) == (a.side == gen.SideBuy)
	}
	return a.priority < b.priority
}

// W-64: who loads a snapshot at any moment and applies the channel from its next number on has, after every command, what he has who
// was there from the start.
func TestSnapshotAndChannelGiveTheBook(t *testing.T) {
	for seed := range uint64(6) {
		w := newWorld(t, seed)
		tape := feed.New(feed.Limits{Instruments: instruments, Underlyings: 1, Orders: limits.Orders})
		first := newReader(t)
		late := []*reader{}
		var snapshot feed.Snapshot
		if tape.Take(1, &snapshot) || tape.Take(instruments+1, &snapshot) {
			t.Fatal("a snapshot of an instrument that is not listed")
		}
		var buffer []byte
		for n := range 3_000 {
			_, events := w.next()
			buffer = tape.Append(buffer[:0], events)
			first.records(buffer)
			for _, r := range late {
				r.records(buffer)
			}
			if n%600 != 599 {
				continue
			}
			r := newReader(t)
			for id := msg.InstrumentID(1); id <= instruments; id++ {
				if !tape.Take(id, &snapshot) || snapshot.Next() != tape.Next() {
					t.Fatalf("seed %d: no snapshot of instrument %d", seed, id)
				}
				if next := r.load(snapshot.Append(nil, uint64(n)), uint64(n)); next != tape.Next() {
					t.Fatalf("seed %d: the channel goes on with %d, want %d", seed, next, tape.Next())
				}
			}
			late = append(late, r)
		}
		for _, r := range late {
			equal := func(a, b *standing) bool { return *a == *b }
			if !maps.EqualFunc(first.orders, r.orders, equal) {
				t.Fatalf("seed %d: %d orders, want %d", seed, len(r.orders), len(first.orders))
			}
			for id := msg.InstrumentID(1); id <= instruments; id++ {
				r.compare(w.Engine, tape, id)
				if *r.define[uint32(id)] != withFlags(first.define[uint32(id)], r.define[uint32(id)]) {
					t.Fatalf("seed %d: instrument %d is another one", seed, id)
				}
				r.compareState(w.Engine, id)
			}
		}
	}
}

// withFlags is a with the flags of b.
func withFlags(a, b *gen.InstrumentDefinition) gen.InstrumentDefinition {
	c := *a
	c.SetFlags(b.Flags())
	return c
}

// W-63: a second tape that is given the same events says the same, to the byte.
func TestRecordsAreAFunctionOfTheEvents(t *testing.T) {
	w := newWorld(t, 99)
	l := feed.Limits{Instruments: instruments, Underlyings: 1, Orders: limits.Orders}
	a, b := feed.New(l), feed.New(l)
	var one, other []byte
	for range 2_000 {
		_, events := w.next()
		one, other = a.Append(one, events), b.Append(other, slices.Clone(events))
	}
	if !slices.Equal(one, other) || a.Next() != b.Next() || a.Seq() != w.seq {
		t.Error("two tapes differ")
	}
}

// Neither a command nor a snapshot allocates, once buffers have their size.
func TestNothingAllocates(t *testing.T) {
	w := newWorld(t, 5)
	l := feed.Limits{Instruments: instruments, Underlyings: 1, Orders: limits.Orders}
	tape := feed.New(l)
	buffer := make([]byte, 0, 1<<20)
	var day [][]msg.Event
	for n := range 6_000 {
		_, events := w.next()
		if n < 1_000 {
			tape.Append(buffer, events)
			continue
		}
		day = append(day, slices.Clone(events))
	}
	next := 0
	if n := testing.AllocsPerRun(len(day)-1, func() { tape.Append(buffer, day[next]); next++ }); n != 0 {
		t.Errorf("%v allocations a command", n)
	}
	var s feed.Snapshot
	tape.Take(1, &s)
	s.Append(buffer, 0)
	if n := testing.AllocsPerRun(20, func() { tape.Take(1, &s); s.Append(buffer, 0) }); n != 0 {
		t.Errorf("%v allocations a snapshot", n)
	}
}

// BenchmarkAppend is what the fold costs a command.
func BenchmarkAppend(b *testing.B) {
	w := newWorld(b, 5)
	var day [][]msg.Event
	for range 20_000 {
		_, events := w.next()
		day = append(day, slices.Clone(events))
	}
	buffer := make([]byte, 0, 1<<20)
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; {
		b.StopTimer()
		tape := feed.New(feed.Limits{Instruments: instruments, Underlyings: 1, Orders: limits.Orders})
		b.StartTimer()
		for i := 0; i < len(day) && n < b.N; i++ {
			tape.Append(buffer, day[i])
			n++
		}
	}
}
