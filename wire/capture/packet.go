package capture

import (
	"encoding/binary"
	"net/netip"
)

// From the link to the payload. Anything else than TCP or UDP in one piece is no packet for us.

// Link types of the captures that are read.
const (
	linkNull     = 0
	linkEthernet = 1
	linkRaw      = 101
	linkSLL      = 113
	linkIPv4     = 228
	linkIPv6     = 229
	linkSLL2     = 276
)

const (
	etherIPv4, etherIPv6         = 0x0800, 0x86DD
	etherVLAN, etherQinQ         = 0x8100, 0x88A8
	protocolTCP, protocolUDP     = 6, 17
	hopByHop, routing, destOpts6 = 0, 43, 60
)

// parse fills in the packet; ok is false for what is skipped.
func (p *Packet) parse(link uint32, b []byte) (ok bool) {
	kind := -1
	switch {
	case link == linkEthernet && len(b) >= 14:
		kind, b = int(binary.BigEndian.Uint16(b[12:])), b[14:]
	case link == linkSLL && len(b) >= 16:
		kind, b = int(binary.BigEndian.Uint16(b[14:])), b[16:]
	case link == linkSLL2 && len(b) >= 20:
		kind, b = int(binary.BigEndian.Uint16(b)), b[20:]
	case link == linkNull && len(b) >= 4:
		b = b[4:]
	case link == linkRaw || link == linkIPv4 || link == linkIPv6:
	default:
		return false
	}
	for (kind == etherVLAN || kind == etherQinQ) && len(b) >= 4 {
		kind, b = int(binary.BigEndian.Uint16(b[2:])), b[4:]
	}
	switch {
	case len(b) == 0 || kind >= 0 && kind != etherIPv4 && kind != etherIPv6:
		return false
	case b[0]>>4 == 4:
		return p.parse4(b)
	case b[0]>>4 == 6:
		return p.parse6(b)
	}
	return false
}

func (p *Packet) parse4(b []byte) bool {
	if len(b) < 20 {
		return false
	}
	head, total := int(b[0]&15)*4, int(binary.BigEndian.Uint16(b[2:]))
	fragment := binary.BigEndian.Uint16(b[6:]) & 0x3FFF // more fragments, or not the first
	if head < 20 || total < head || total > len(b) || fragment != 0 {
		return false
	}
	from, to := netip.AddrFrom4([4]byte(b[12:16])), netip.AddrFrom4([4]byte(b[16:20]))
	return p.transport(int(b[9]), from, to, b[head:total])
}

func (p *Packet) parse6(b []byte) bool {
	if len(b) < 40 {
		return false
	}
	next, length := int(b[6]), int(binary.BigEndian.Uint16(b[4:]))
	if len(b) < 40+length {
		return false
	}
	from, to := netip.AddrFrom16([16]byte(b[8:24])), netip.AddrFrom16([16]byte(b[24:40]))
	b = b[40 : 40+length]
	for next == hopByHop || next == routing || next == destOpts6 {
		if len(b) < 8 || len(b) < 8+int(b[1])*8 {
			return false
		}
		next, b = int(b[0]), b[8+int(b[1])*8:]
	}
	return p.transport(next, from, to, b)
}

func (p *Packet) transport(protocol int, from, to netip.Addr, b []byte) bool {
	if len(b) < 8 {
		return false
	}
	p.Flow = Flow{netip.AddrPortFrom(from, binary.BigEndian.Uint16(b)), netip.AddrPortFrom(to, binary.BigEndian.Uint16(b[2:]))}
	switch protocol {
	case protocolUDP:
		length := int(binary.BigEndian.Uint16(b[4:]))
		if length < 8 || length > len(b) {
			return false
		}
		p.Payload = b[8:length]
		return true
	case protocolTCP:
		if len(b) < 20 {
			return false
		}
		head := int(b[12]>>4) * 4
		if head < 20 || head > len(b) {
			return false
		}
		p.TCP, p.Sequence, p.Payload = true, binary.BigEndian.Uint32(b[4:]), b[head:]
		p.FIN, p.SYN, p.RST = b[13]&1 != 0, b[13]&2 != 0, b[13]&4 != 0
		return true
	}
	return false
}
