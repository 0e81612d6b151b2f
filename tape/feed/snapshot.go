package feed

import (
	"cmp"
	"slices"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// A snapshot is the whole of one instrument between two commands, as records:
//
//	SnapshotBegin, InstrumentDefinition, InstrumentStatus, MarkFunding, SnapshotOrder ..., SnapshotEnd
//
// Orders come bids first, each side from its best price on, at one price in the order in which they trade. Whoever applies the channel
// from nextChannelSeq on has the live book. The records have no numbers of the channel.
//
// Taking one copies, on the goroutine of the tape; writing it sorts, on any.

// Snapshot is a copy of what was told of one instrument. It can be taken into again and again, and keeps its room.
type Snapshot struct {
	id         msg.InstrumentID
	instrument instrument
	orders     []order
	next       uint64      // the number of the record with which the channel goes on
	seq        msg.Seq     // of the last command that it has
	now        fixed.Nanos // its time
}

// Take copies what was told of an instrument into s; ok is false where it was not listed.
func (t *Tape) Take(id msg.InstrumentID, s *Snapshot) (ok bool) {
	if int64(id) >= int64(len(t.instruments)) || t.instruments[id].rules.Type == 0 {
		return false
	}
	s.id, s.instrument, s.orders = id, t.instruments[id], s.orders[:0]
	s.next, s.seq, s.now = t.next, t.seq, t.now
	for h := t.instruments[id].first; h != 0; h = t.told[h].next {
		s.orders = append(s.orders, t.told[h])
	}
	return true
}

// Next is the number of the record with which the channel goes on behind the snapshot.
func (s *Snapshot) Next() uint64 { return s.next }

// Append appends the records of the snapshot, which answer a request; 0: nobody asked.
func (s *Snapshot) Append(dst []byte, request uint64) []byte {
	slices.SortStableFunc(s.orders, before)
	in := &s.instrument
	dst, block := appendRecord(dst, gen.TemplateSnapshotBegin, len(gen.SnapshotBegin{}))
	b := gen.AsSnapshotBegin(block)
	b.SetNextChannelSeq(s.next)
	b.SetEngineSeq(uint64(s.seq))
	b.SetTime(uint64(s.now))
	b.SetRequestID(request)
	b.SetOrders(in.orders)
	b.SetInstrumentID(uint32(s.id))
	b.SetFlags(gen.MarketFlagsSnapshot)
	dst = s.appendState(dst)
	for i := range s.orders {
		dst = s.appendOrder(dst, &s.orders[i])
	}
	dst, block = appendRecord(dst, gen.TemplateSnapshotEnd, len(gen.SnapshotEnd{}))
	e := gen.AsSnapshotEnd(block)
	e.SetNextChannelSeq(s.next)
	e.SetChecksum(in.sum)
	e.SetOrders(in.orders)
	e.SetFlags(gen.MarketFlagsSnapshot | gen.MarketFlagsLast)
	return dst
}

// before is the order in which orders of a snapshot come.
func before(a, b order) int {
	price := cmp.Compare(a.price, b.price)
	if a.side == msg.Buy {
		price = -price
	}
	return cmp.Or(cmp.Compare(a.side, b.side), price, cmp.Compare(a.priority, b.priority))
}

// appendState appends what the instrument is, how it trades, and what it is worth.
func (s *Snapshot) appendState(dst []byte) []byte {
	in := &s.instrument
	dst, block := appendRecord(dst, gen.TemplateInstrumentDefinition, len(gen.InstrumentDefinition{}))
	in.putDefinition(block, s.id, gen.MarketFlagsSnapshot)
	dst, block = appendRecord(dst, gen.TemplateInstrumentStatus, len(gen.InstrumentStatus{}))
	in.putStatus(block, s.id, gen.MarketFlagsSnapshot)
	dst, block = appendRecord(dst, gen.TemplateMarkFunding, len(gen.MarkFunding{}))
	in.putMark(block, s.id, gen.MarketFlagsSnapshot)
	return dst
}

func (s *Snapshot) appendOrder(dst []byte, o *order) []byte {
	scale := &s.instrument.scale
	dst, block := appendRecord(dst, gen.TemplateSnapshotOrder, len(gen.SnapshotOrder{}))
	m := gen.AsSnapshotOrder(block)
	m.SetOrderID(uint64(o.id))
	m.SetPrice(scale.Price(o.price))
	m.SetQty(scale.Qty(o.leaves))
	m.SetPriority(o.priority)
	m.SetInstrumentID(uint32(s.id))
	m.SetSide(gen.Side(o.side))
	m.SetFlags(gen.MarketFlagsSnapshot)
	return dst
}
