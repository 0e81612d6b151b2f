// Package capture reads recorded traffic: what went over TCP and UDP, out of the files that tcpdump and its like write.
//
//	pcap, pcapng --Reader--> frames of a link --> IPv4, IPv6 --> Segment (TCP) or datagram (UDP)
//	                                                              |
//	                                                           Assembler: the bytes of each direction, in order, once
//
// Words: a flow is one direction of a TCP connection, or all datagrams from one address to another. A packet that is not
// TCP or UDP over IP is skipped and counted; so is a fragment, since orders and datagrams of the feed fit a packet.
// transcript.go makes messages of all that, and of files that hold nothing but frames.
package capture

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net/netip"
	"time"
)

// Packet is one segment of TCP or datagram of UDP.
type Packet struct {
	Number   int // in the file, from 1 on
	Offset   int64
	Time     time.Time
	Flow     Flow
	Payload  []byte // good until the next packet is read
	TCP      bool
	Sequence uint32 // TCP: of the first byte
	SYN, FIN bool   // TCP
	RST      bool   // TCP
}

// Flow is where a packet comes from and goes to.
type Flow struct{ From, To netip.AddrPort }

// String is from>to.
func (f Flow) String() string { return f.From.String() + ">" + f.To.String() }

// MaxPacket is the greatest packet that is read, in bytes.
const MaxPacket = 1 << 18

// Reader reads the packets of a file.
type Reader struct {
	Skipped int // packets that were no TCP or UDP, or fragments

	in     *bufio.Reader
	order  binary.ByteOrder
	offset int64 // read so far
	number int
	buffer []byte
	next   func() (*raw, error)

	links []link // pcapng: by interface
}

// link is what an interface carries, and how its times are counted.
type link struct {
	kind uint32
	per  uint64 // ticks a second
}

// raw is a packet as the link had it.
type raw struct {
	offset int64
	time   time.Time
	link   uint32
	data   []byte
	cut    bool // the file holds less of it than there was
}

// Is reports whether a file that begins with these bytes, at least four, is a capture.
func Is(head []byte) bool {
	if len(head) < 4 {
		return false
	}
	switch binary.LittleEndian.Uint32(head) {
	case 0xA1B2C3D4, 0xD4C3B2A1, 0xA1B23C4D, 0x4D3CB2A1, 0x0A0D0D0A:
		return true
	}
	return false
}

// NewReader reads the head of a file.
func NewReader(in io.Reader) (*Reader, error) {
	r := &Reader{in: bufio.NewReaderSize(in, 1<<16)}
	head, err := r.in.Peek(4)
	if err != nil || !Is(head) {
		return nil, fmt.Errorf("offset 0: not a capture: it begins with neither the magic number of pcap nor that of pcapng")
	}
	if binary.LittleEndian.Uint32(head) == 0x0A0D0D0A {
		r.next = r.nextBlock
		return r, nil
	}
	return r, r.pcapHead()
}

// Next is the next packet of TCP or UDP; io.EOF behind the last. Other errors name the offset in the file.
func (r *Reader) Next() (*Packet, error) {
	for {
		frame, err := r.next()
		if err != nil {
			return nil, err
		}
		r.number++
		p := &Packet{Number: r.number, Offset: frame.offset, Time: frame.time}
		if frame.cut || !p.parse(frame.link, frame.data) {
			r.Skipped++
			continue
		}
		return p, nil
	}
}

// take reads n bytes into the buffer.
func (r *Reader) take(n int) ([]byte, error) {
	if cap(r.buffer) < n {
		r.buffer = make([]byte, n)
	}
	b := r.buffer[:n]
	got, err := io.ReadFull(r.in, b)
	r.offset += int64(got)
	if err == io.ErrUnexpectedEOF || err == io.EOF && got > 0 {
		return nil, r.fault("the file ends inside a packet: got %d bytes, want %d", got, n)
	}
	return b, err
}

func (r *Reader) fault(format string, args ...any) error {
	return fmt.Errorf("offset %d: %s", r.offset, fmt.Sprintf(format, args...))
}
