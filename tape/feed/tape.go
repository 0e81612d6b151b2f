// Package feed is what everybody is told: a fold from the events of an engine to the numbered records of its market data.
//
//	tape.go      the fold: events of one command in, records out
//	records.go   what the records of the book say: orders that come, shrink, move, trade and go
//	state.go     what the records of an instrument say: definition, status, mark, index, funding, prints of the ladder
//	told.go      the book as it was told, and its checksum
//	snapshot.go  the whole of one instrument, for who comes late
//
// Words: a record is u16 length, header and block, as it stands in a datagram; its number is its place in the channel, from 1
// on; what was told is what a reader knows who has every record.
//
// Invariant: records and numbers are a function of the events, so of the journal. A tape that is given the events of a replay
// goes on with the number and the book with which the first one stopped.
//
// A tape has no clock, no thread and no socket, and after New it allocates nothing but the caller's buffers.
package feed

import (
	"encoding/binary"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// Limits bound the tables of a tape. They are those of the engine.
type Limits struct {
	Instruments uint32 // ids 1..Instruments
	Underlyings uint32 // ids 1..Underlyings
	Orders      uint32 // resting at one time
}

// Tape is the market data of one shard. One goroutine at a time uses it.
type Tape struct {
	instruments []instrument // by id
	quotes      []quote      // by id of the underlying
	stale       []msg.InstrumentID
	told        []order // by handle; of those that do not stand, id is 0
	next        uint64  // the number of the next record
	seq         msg.Seq // of the last command
	now         fixed.Nanos

	// Of the command that is being told.
	dst    []byte
	flags  int // where the flags of the last record stand in dst; 0: there is none yet
	taker  incoming
	sweep  sweep
	forced forced
}

// New makes a tape that has told nothing.
func New(l Limits) *Tape {
	return &Tape{instruments: make([]instrument, l.Instruments+1), quotes: make([]quote, l.Underlyings+1),
		stale: make([]msg.InstrumentID, 0, l.Instruments), told: make([]order, l.Orders+1), next: 1}
}

// Next is the number of the next record.
func (t *Tape) Next() uint64 { return t.next }

// Seq is the last command that was told of.
func (t *Tape) Seq() msg.Seq { return t.seq }

// Append appends the records of the events of one command, in their order, and remembers what was told. The last of them says
// that the book is consistent; many commands have none.
func (t *Tape) Append(dst []byte, events []msg.Event) []byte {
	if len(events) == 0 {
		return dst
	}
	t.dst, t.flags, t.sweep, t.forced = dst, 0, sweep{}, forced{}
	t.seq, t.now = events[0].Seq, events[0].Time
	for i := range events {
		t.take(events, i)
	}
	t.rest()
	t.refresh()
	if t.flags > 0 {
		t.dst[t.flags] |= byte(gen.MarketFlagsLast)
	}
	dst, t.dst = t.dst, nil
	return dst
}

// open appends a record. The flags of market data stand at different places, so each caller says where its own do.
func (t *Tape) open(template uint16, size, flags int) (block []byte) {
	t.dst, block = appendRecord(t.dst, template, size)
	t.flags = len(t.dst) - size + flags
	t.next++
	return block
}

// appendRecord appends a record whose block is to be filled in.
func appendRecord(dst []byte, template uint16, size int) (out, block []byte) {
	out = binary.BigEndian.AppendUint16(dst, uint16(gen.HeaderSize+size))
	return wire.AppendRecord(out, gen.Header{Block: uint16(size), Template: template, Schema: gen.SchemaMarketData, Version: gen.VersionMarketData})
}

// take tells one event; those behind it are looked at where they belong to it.
func (t *Tape) take(events []msg.Event, i int) {
	ev := &events[i]
	if ends(ev) {
		t.sweep = sweep{}
	}
	switch ev.Kind {
	case msg.Accepted, msg.QuotePlaced:
		t.rest()
		t.taker = incoming{ev.Order, ev, ev.Qty}
	case msg.Amended:
		t.amended(events, i)
	case msg.Traded:
		t.traded(events, i)
	case msg.Canceled, msg.Expired:
		t.canceled(ev)
	case msg.LiquidationSlice:
		t.forced = forced{ev.Instr, ev.Qty}
		t.print(events, i)
	case msg.AdlFill:
		t.print(events, i)
	default:
		t.state(ev)
	}
}
