package wire

import (
	"encoding/binary"

	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// A datagram of the feed (MoldUDP64), all big-endian but the records' messages:
//
//	 0         10         18      20
//	 | session | sequence | count | length | header | block | length | header | block | ...
//	 | char10  | u64      | u16   | u16    |   8    |       |
//
// sequence is the number of the first record; each record has one number more than the one before it. Count 0 is a
// heartbeat: it has no records, and sequence is the next number. Count 65535 ends the session, with the next number too.
// A request for what was missed is the header alone, in which count is how many records are wanted.

// Sizes of datagrams, in bytes.
const (
	DatagramHead = 20
	MaxDatagram  = 1400
	recordHead   = 2
)

// EndOfSession is the count of the datagram that ends a session.
const EndOfSession = 0xFFFF

// SessionName names a feed and its epoch: channel char3, epoch in base 36 char6, revision char1.
type SessionName [10]byte

// NameSession is the name of a channel's session. epoch is below 36^6.
func NameSession(channel [3]byte, epoch uint32, revision uint8) (s SessionName) {
	copy(s[:], channel[:])
	for i := 8; i >= 3; i-- {
		s[i] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[epoch%36]
		epoch /= 36
	}
	s[9] = '0' + revision%10
	return s
}

// Datagram is a datagram of the feed, in place.
type Datagram struct {
	Session  SessionName
	Sequence uint64 // of the first record, or the next number where there is none
	Count    int    // records
	End      bool   // the session ends
	records  []byte
}

// OpenDatagram looks at the bytes of a datagram of at most limit bytes. Lengths are checked here, all of them, so Record
// cannot fail; the messages in it are looked at by OpenRecord.
func OpenDatagram(b []byte, limit int) (d Datagram, f Fault) {
	switch {
	case len(b) < DatagramHead:
		return d, Fault{DatagramShort, 0, len(b), DatagramHead}
	case len(b) > limit:
		return d, Fault{DatagramLong, 0, len(b), limit}
	}
	d.Session = SessionName(b)
	d.Sequence = binary.BigEndian.Uint64(b[10:])
	d.Count = int(binary.BigEndian.Uint16(b[18:]))
	if d.Count == EndOfSession {
		d.Count, d.End = 0, true
	}
	if d.Sequence > 1<<64-1-uint64(d.Count) {
		return d, Fault{DatagramSequence, 10, d.Count, 0}
	}
	at := DatagramHead
	for range d.Count {
		if len(b) < at+recordHead {
			return d, Fault{DatagramCut, at, len(b), at + recordHead}
		}
		end := at + recordHead + int(binary.BigEndian.Uint16(b[at:]))
		if len(b) < end {
			return d, Fault{DatagramCut, at, len(b), end}
		}
		at = end
	}
	if at != len(b) {
		return d, Fault{DatagramTail, at, len(b), at}
	}
	d.records = b[DatagramHead:]
	return d, Fault{}
}

// Record is the next record, nil behind the last. d moves on.
func (d *Datagram) Record() (record []byte) {
	if len(d.records) == 0 {
		return nil
	}
	end := recordHead + int(binary.BigEndian.Uint16(d.records))
	record, d.records = d.records[recordHead:end:end], d.records[end:]
	return record
}

// Packer fills datagrams of one session. Its next number is a function of what was packed and nothing else.
type Packer struct {
	session SessionName
	next    uint64 // the number of the next record
	count   int    // records in the open datagram
	bytes   []byte // the open datagram, from its header on
}

// NewPacker packs for a session, from a number on.
func NewPacker(session SessionName, next uint64) *Packer {
	return &Packer{session: session, next: next, bytes: make([]byte, DatagramHead, MaxDatagram)}
}

// Next is the number of the next record.
func (p *Packer) Next() uint64 { return p.next }

// Skip goes on with a later number: those before it were sent some other time. No record may be open.
func (p *Packer) Skip(next uint64) {
	if p.count != 0 || next < p.next {
		panic("wire: a packer goes back, or skips what it holds")
	}
	p.next = next
}

// Add opens a record in the datagram; block is to be filled in. ok is false where it no longer fits: send what Datagram
// returns, and add again.
func (p *Packer) Add(h gen.Header) (block []byte, ok bool) {
	at, size := len(p.bytes), gen.HeaderSize+int(h.Block)
	if at+recordHead+size > MaxDatagram || p.count == EndOfSession-1 {
		return nil, false
	}
	p.bytes = binary.BigEndian.AppendUint16(p.bytes, uint16(size))
	p.bytes, block = AppendRecord(p.bytes, h)
	p.count++
	p.next++
	return block, true
}

// AddRecords adds records as a feed.Tape writes them, as many as fit, and returns the others: send what Datagram returns, and
// add those.
func (p *Packer) AddRecords(records []byte) (rest []byte) {
	for len(records) > 0 && p.count < EndOfSession-1 {
		size := recordHead + int(binary.BigEndian.Uint16(records))
		if len(p.bytes)+size > MaxDatagram {
			break
		}
		p.bytes, records = append(p.bytes, records[:size]...), records[size:]
		p.count++
		p.next++
	}
	return records
}

// Datagram is what has been added, closed; nil where that is nothing. It is good until the next Add.
func (p *Packer) Datagram() []byte {
	if p.count == 0 {
		return nil
	}
	b := p.bytes
	putDatagramHead(b, p.session, p.next-uint64(p.count), uint16(p.count))
	p.bytes, p.count = p.bytes[:DatagramHead], 0
	return b
}

// AppendHeartbeat appends a heartbeat: the next number, and no record.
func (p *Packer) AppendHeartbeat(dst []byte) []byte {
	return AppendRequest(dst, p.session, p.next-uint64(p.count), 0)
}

// AppendEnd appends the datagram that ends the session.
func (p *Packer) AppendEnd(dst []byte) []byte {
	return AppendRequest(dst, p.session, p.next-uint64(p.count), EndOfSession)
}

// AppendRequest appends a request for count records from a number on; a heartbeat and the end of a session look the same.
func AppendRequest(dst []byte, session SessionName, sequence uint64, count uint16) []byte {
	out := grow(dst, DatagramHead)
	putDatagramHead(out[len(dst):], session, sequence, count)
	return out
}

// Request is what a reader of the feed asks for again.
type Request struct {
	Session  SessionName
	Sequence uint64
	Count    int // above 0
}

// OpenRequest looks at a request for records.
func OpenRequest(b []byte) (r Request, f Fault) {
	switch {
	case len(b) < DatagramHead:
		return r, Fault{DatagramShort, 0, len(b), DatagramHead}
	case len(b) > DatagramHead:
		return r, Fault{DatagramTail, DatagramHead, len(b), DatagramHead}
	}
	r = Request{SessionName(b), binary.BigEndian.Uint64(b[10:]), int(binary.BigEndian.Uint16(b[18:]))}
	switch {
	case r.Count == 0 || r.Count == EndOfSession:
		return r, Fault{GroupCount, 18, r.Count, 1}
	case r.Sequence > 1<<64-1-uint64(r.Count):
		return r, Fault{DatagramSequence, 10, r.Count, 0}
	}
	return r, Fault{}
}

func putDatagramHead(b []byte, session SessionName, sequence uint64, count uint16) {
	copy(b, session[:])
	binary.BigEndian.PutUint64(b[10:], sequence)
	binary.BigEndian.PutUint16(b[18:], count)
}
