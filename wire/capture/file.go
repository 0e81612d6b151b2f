package capture

import (
	"encoding/binary"
	"io"
	"time"
)

// The two formats of files. pcap: a head of 24 bytes, then records of 16 bytes and a packet. pcapng: blocks, of which a
// section begins the byte order anew, an interface says what its packets are, and packets name their interface.

func (r *Reader) pcapHead() error {
	b, err := r.take(24)
	if err != nil {
		return err
	}
	r.order = binary.ByteOrder(binary.LittleEndian)
	magic := binary.LittleEndian.Uint32(b)
	if magic == 0xD4C3B2A1 || magic == 0x4D3CB2A1 {
		r.order = binary.BigEndian
	}
	tick := time.Microsecond
	if r.order.Uint32(b) == 0xA1B23C4D {
		tick = time.Nanosecond
	}
	kind := r.order.Uint32(b[20:]) & 0x0FFFFFFF
	r.next = func() (*raw, error) { return r.nextRecord(kind, tick) }
	return nil
}

func (r *Reader) nextRecord(kind uint32, tick time.Duration) (*raw, error) {
	at := r.offset
	b, err := r.take(16)
	if err != nil {
		return nil, err
	}
	p := &raw{offset: at, link: kind}
	p.time = time.Unix(int64(r.order.Uint32(b)), int64(r.order.Uint32(b[4:]))*int64(tick)).UTC()
	kept, whole := r.order.Uint32(b[8:]), r.order.Uint32(b[12:])
	if kept > MaxPacket {
		return nil, r.fault("a packet of %d bytes, expected at most %d", kept, MaxPacket)
	}
	p.cut = kept < whole
	p.data, err = r.body(int(kept))
	return p, err
}

// body is take where the end of the file is a fault.
func (r *Reader) body(n int) ([]byte, error) {
	b, err := r.take(n)
	if err == io.EOF && n > 0 {
		return nil, r.fault("the file ends inside a packet: got 0 bytes, want %d", n)
	}
	if err == io.EOF {
		err = nil
	}
	return b, err
}

// nextBlock reads blocks up to the next packet.
func (r *Reader) nextBlock() (*raw, error) {
	for {
		at := r.offset
		b, err := r.take(8)
		if err != nil {
			return nil, err
		}
		kind := binary.LittleEndian.Uint32(b) // of a section the same in both orders
		var length uint32
		if kind == 0x0A0D0D0A {
			head := [8]byte(b)
			magic, err := r.body(4)
			if err != nil {
				return nil, err
			}
			switch binary.LittleEndian.Uint32(magic) {
			case 0x1A2B3C4D:
				r.order = binary.LittleEndian
			case 0x4D3C2B1A:
				r.order = binary.BigEndian
			default:
				return nil, r.fault("a section of pcapng without its byte-order magic")
			}
			r.links = r.links[:0]
			length = r.order.Uint32(head[4:])
			if length < 28 || length > MaxPacket {
				return nil, r.fault("a section head of %d bytes, expected 28 to %d", length, MaxPacket)
			}
			if _, err := r.body(int(length) - 12); err != nil {
				return nil, err
			}
			continue
		}
		if r.order == nil {
			return nil, r.fault("a block of pcapng before any section")
		}
		kind, length = r.order.Uint32(b), r.order.Uint32(b[4:])
		if length < 12 || length%4 != 0 || length > MaxPacket+64 {
			return nil, r.fault("a block of %d bytes, expected 12 to %d", length, MaxPacket+64)
		}
		body, err := r.body(int(length) - 8)
		if err != nil {
			return nil, err
		}
		body = body[:len(body)-4]
		if kind == 1 {
			if err := r.addLink(body); err != nil {
				return nil, err
			}
			continue
		}
		if kind != 6 && kind != 3 {
			continue
		}
		p, err := r.packetBlock(kind, body)
		if err != nil {
			return nil, err
		}
		p.offset = at
		return p, nil
	}
}

// addLink reads an interface; option 9 says how its times are counted.
func (r *Reader) addLink(body []byte) error {
	if len(body) < 8 {
		return r.fault("an interface block of %d bytes, expected 8 or more", len(body))
	}
	l := link{kind: uint32(r.order.Uint16(body)), per: 1_000_000}
	for options := body[8:]; len(options) >= 4; {
		code, length := r.order.Uint16(options), int(r.order.Uint16(options[2:]))
		if code == 0 || len(options) < 4+length {
			break
		}
		if code == 9 && length >= 1 {
			l.per = 1
			for range options[4] & 0x7F {
				if options[4]&0x80 != 0 {
					l.per *= 2
				} else {
					l.per *= 10
				}
			}
			if l.per == 0 || l.per > 1e18 {
				return r.fault("times of an interface with resolution %#x are not supported", options[4])
			}
		}
		options = options[min(len(options), 4+(length+3)/4*4):]
	}
	r.links = append(r.links, l)
	return nil
}

// packetBlock reads an enhanced (6) or simple (3) packet block.
func (r *Reader) packetBlock(kind uint32, body []byte) (*raw, error) {
	head := 20
	if kind == 3 {
		head = 4
	}
	if len(body) < head {
		return nil, r.fault("a packet block of %d bytes, expected %d or more", len(body), head)
	}
	var index, kept, whole uint32
	p := &raw{}
	if kind == 6 {
		index, kept, whole = r.order.Uint32(body), r.order.Uint32(body[12:]), r.order.Uint32(body[16:])
	} else {
		whole = r.order.Uint32(body)
		kept = min(whole, uint32(len(body)-head))
	}
	if int(index) >= len(r.links) || int(kept) > len(body)-head {
		return nil, r.fault("a packet of interface %d with %d bytes, expected one of %d interfaces and at most %d bytes",
			index, kept, len(r.links), len(body)-head)
	}
	l := r.links[index]
	if kind == 6 {
		ticks := uint64(r.order.Uint32(body[4:]))<<32 | uint64(r.order.Uint32(body[8:]))
		seconds, rest := ticks/l.per, ticks%l.per
		p.time = time.Unix(int64(seconds), int64(float64(rest)/float64(l.per)*1e9)).UTC()
		if 1_000_000_000%l.per == 0 {
			p.time = time.Unix(int64(seconds), int64(rest*(1_000_000_000/l.per))).UTC()
		}
	}
	p.link, p.cut, p.data = l.kind, kept < whole, body[head:head+int(kept)]
	return p, nil
}
