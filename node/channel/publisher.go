package channel

import (
	"fmt"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/tape/feed"
	"github.com/lockstep-exchange/lockstep/wire"
)

// Publisher makes the datagrams of a channel. Events go in one by one, in their order; datagrams come out by Next, when they are
// full, or after Flush. One goroutine at a time uses it.
//
//	for ev := reader.Next(); ev != nil; ev = reader.Next() {
//		p.Take(ev)
//		for d := p.Next(now); d != nil; d = p.Next(now) { send(d) }
//	}
//	reader.Release()
//	p.Flush()
//	for d := p.Next(now); ...
//
// Invariant: what has been told but is in no datagram yet is the open datagram's records and what waits, in this order.
type Publisher struct {
	tape    *feed.Tape
	packer  *wire.Packer
	history *history
	events  []msg.Event // of the command under way
	records []byte      // of a command, while they are written
	waiting []byte      // records that are still to be packed; a part of records
	flush   bool        // the open datagram goes, full or not
	sent    fixed.Nanos
	session wire.SessionName
}

// Config says what a channel is called and what it keeps.
type Config struct {
	Limits   feed.Limits
	Name     [3]byte // of the channel
	Epoch    uint32  // below 36^6; another one for another journal
	Revision uint8   // of the feed, 0..9
	History  int     // records that are kept for who asks again, a power of two from 1,024 on; 0: 2^20, which take 72 MiB
}

// heartbeat is after how much silence the next number is said.
const heartbeat = fixed.Second

// New makes a publisher that has sent nothing: its next number is 1. The error names the field of c that is out of range.
func New(c Config) (*Publisher, error) {
	if c.History == 0 {
		c.History = 1 << 20
	}
	switch {
	case c.History < historyMin || c.History&(c.History-1) != 0:
		return nil, fmt.Errorf("channel: History is %d, expected a power of two from %d on", c.History, historyMin)
	case uint64(c.Epoch) >= 36*36*36*36*36*36:
		return nil, fmt.Errorf("channel: Epoch is %d, expected less than 36^6", c.Epoch)
	case c.Revision > 9:
		return nil, fmt.Errorf("channel: Revision is %d, expected 0..9", c.Revision)
	}
	if !Named(c.Name) {
		return nil, fmt.Errorf("channel: Name is %q, expected three of A..Z and 0..9", c.Name[:])
	}
	name := wire.NameSession(c.Name, c.Epoch, c.Revision)
	return &Publisher{tape: feed.New(c.Limits), packer: wire.NewPacker(name, 1), history: newHistory(c.History), session: name}, nil
}

// Named reports whether a channel may be called so: by three of A..Z and 0..9.
func Named(name [3]byte) bool {
	for _, b := range name {
		if (b < 'A' || b > 'Z') && (b < '0' || b > '9') {
			return false
		}
	}
	return true
}

// Session is the name under which the channel goes out.
func (p *Publisher) Session() wire.SessionName { return p.session }

// Replay takes in the events of a command that was published before this start: nothing of it is sent again.
func (p *Publisher) Replay(events []msg.Event) {
	p.records = p.tape.Append(p.records[:0], events)
	p.history.add(p.records)
	p.packer.Skip(p.tape.Next())
}

// Take takes in the next event. A command is told when an event of another one comes, or by Flush.
func (p *Publisher) Take(ev *msg.Event) {
	if len(p.events) > 0 && p.events[0].Seq != ev.Seq {
		p.tell()
	}
	p.events = append(p.events, msg.Event{})
	ev.CopyTo(&p.events[len(p.events)-1])
}

// tell tells of the command under way. What waits has been packed before: Next is called until it gives nothing.
func (p *Publisher) tell() {
	if len(p.waiting) > 0 {
		panic("channel: a command is told before the last one is packed")
	}
	p.records = p.tape.Append(p.records[:0], p.events)
	p.events = p.events[:0]
	p.history.add(p.records)
	p.waiting = p.records
}

// Flush says that nothing more is at hand: the command under way is whole, and what is told goes out.
func (p *Publisher) Flush() {
	if len(p.events) > 0 {
		p.tell()
	}
	p.flush = true
}

// Next is the next datagram to be sent, or nil; it is good until the following call. It has to be called until it gives nil after each Take and
// each Flush. now is any clock that does not run back; it counts for heartbeats.
func (p *Publisher) Next(now fixed.Nanos) (datagram []byte) {
	if p.waiting = p.packer.AddRecords(p.waiting); len(p.waiting) > 0 {
		p.sent = now
		return p.packer.Datagram()
	}
	if p.flush {
		p.flush = false
		if datagram = p.packer.Datagram(); datagram != nil {
			p.sent = now
		}
	}
	return datagram
}

// Heartbeat appends a heartbeat to dst where nothing was sent for a second; else it returns dst as it is.
func (p *Publisher) Heartbeat(dst []byte, now fixed.Nanos) []byte {
	if now-p.sent < heartbeat {
		return dst
	}
	p.sent = now
	return p.packer.AppendHeartbeat(dst)
}

// AppendEnd appends the datagram that ends the session; nothing comes behind it.
func (p *Publisher) AppendEnd(dst []byte) []byte { return p.packer.AppendEnd(dst) }

// Numbers are the first record that is kept for who asks, and the number of the next one.
func (p *Publisher) Numbers() (first, next uint64) { return p.history.first, p.history.next }

// AppendDatagram appends a datagram of kept records from a number on, count at most and as many as fit; ok is false where the first of them is not
// kept.
func (p *Publisher) AppendDatagram(dst []byte, from uint64, count int) (out []byte, ok bool) {
	record := p.history.record(from)
	if record == nil || count < 1 {
		return dst, false
	}
	at := len(dst)
	out = wire.AppendRequest(dst, p.session, from, 0)
	n := 0
	for ; n < count && record != nil && len(out)-at+len(record) <= wire.MaxDatagram; n++ {
		out = append(out, record...)
		record = p.history.record(from + uint64(n) + 1)
	}
	wire.AppendRequest(out[:at], p.session, from, uint16(n))
	return out, true
}

// AppendRecords appends kept records from a number on, count at most, each as it stands in a datagram: length, header, block. It returns how
// many there were.
func (p *Publisher) AppendRecords(dst []byte, from uint64, count int) (out []byte, n int) {
	for ; n < count; n++ {
		record := p.history.record(from + uint64(n))
		if record == nil {
			break
		}
		dst = append(dst, record...)
	}
	return dst, n
}

// Snapshot copies what was told of an instrument, up to the last whole command; ok is false where it is not listed.
func (p *Publisher) Snapshot(id msg.InstrumentID, s *feed.Snapshot) (ok bool) {
	return p.tape.Take(id, s)
}
