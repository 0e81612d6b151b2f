package wire

import (
	"encoding/binary"
	"slices"

	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// A frame, as it stands in a stream of bytes (SOFH 1.0, then SBE 1.0):
//
//	 0        4      6      8         10        12       14
//	 | length | type | block | template | schema | version | block ... | group or none | data or none |
//	 | u32 BE | u16  | u16    u16        u16      u16   LE |           | entry u16, count u16, entries | length u16, bytes |
//	          | BE eb50
//
// length counts the whole frame. It must be 14 + block + group + data, exactly. A reader that knows an older version of a
// message skips what its block and entries have beyond that.

// Sizes of frames, in bytes.
const (
	FrameHead   = 6                          // length and encoding type
	MessageAt   = FrameHead                  // where the SBE header begins
	BlockAt     = FrameHead + gen.HeaderSize // where the block begins; the least length of a frame
	MaxInbound  = 4096                       // the greatest length of a frame from a client
	MaxOutbound = 65535                      // and of one to a client
)

// Encoding is the encoding type of SBE, little-endian.
const Encoding = 0xEB50

// Message is one message in place: its header, and views of what is in it. Shape and sizes have been looked at; what the
// fields say has not.
type Message struct {
	gen.Header
	Block  []byte // as long as the header says, and at least as long as its version needs
	Group  Group
	Data   []byte
	Offset int // of the block from the start of the frame or record
}

// Group is the entries of a message.
type Group struct {
	Entry, Count int // bytes of one, and how many
	Bytes        []byte
}

// At is one entry, counted from 0.
func (g *Group) At(i int) []byte { return g.Bytes[i*g.Entry:][:g.Entry] }

// Packet is the frames that b begins with, as far as they fit into so many bytes; the first one in any case. b holds whole frames alone.
func Packet(b []byte, most int) []byte {
	if len(b) <= most {
		return b
	}
	n := 0
	for n < len(b) {
		size := int(binary.BigEndian.Uint32(b[n:]))
		if n > 0 && n+size > most {
			break
		}
		n += size
	}
	return b[:n]
}

// NextFrame looks for a whole frame at the start of b, of at most limit bytes. It returns its length, or 0 as long as it is
// incomplete. After a fault the stream cannot be read on: nothing says where the next frame begins.
func NextFrame(b []byte, limit int) (size int, f Fault) {
	if len(b) < FrameHead {
		return 0, Fault{}
	}
	length := binary.BigEndian.Uint32(b)
	switch {
	case length < BlockAt:
		return 0, Fault{FrameShort, 0, int(length), BlockAt}
	case uint64(length) > uint64(limit):
		return 0, Fault{FrameLong, 0, int(length), limit}
	}
	if kind := binary.BigEndian.Uint16(b[4:]); kind != Encoding {
		return 0, Fault{FrameEncoding, 4, int(kind), Encoding}
	}
	if len(b) < int(length) {
		return 0, Fault{}
	}
	return int(length), Fault{}
}

// Open looks at a frame that NextFrame has found. Every size in it is checked here, once.
func Open(frame []byte) (m Message, f Fault) { return open(frame, MessageAt) }

// OpenRecord looks at a message without frame: a record of a datagram, or the credentials of a session.
func OpenRecord(record []byte) (m Message, f Fault) { return open(record, 0) }

// plainHead is the header of a NewOrder of the newest version, as the word that it is in a frame.
const plainHead = uint64(len(gen.NewOrder{})) | gen.TemplateNewOrder<<16 | gen.SchemaOrderEntry<<32 | gen.VersionOrderEntry<<48

// PlainOrder is Open for what most frames are: it is the NewOrder of the newest version in a frame that NextFrame has found,
// and nil where the frame is anything else, which is then Open's to look at.
func PlainOrder(frame []byte) *gen.NewOrder {
	if len(frame) != BlockAt+len(gen.NewOrder{}) || binary.LittleEndian.Uint64(frame[MessageAt:]) != plainHead {
		return nil
	}
	return (*gen.NewOrder)(frame[BlockAt:])
}

// open looks at the message that begins at an offset of b and ends where b does.
func open(b []byte, at int) (m Message, f Fault) {
	if len(b) < at+gen.HeaderSize {
		return m, Fault{MessageCut, at, len(b), at + gen.HeaderSize}
	}
	m.Header = gen.ReadHeader((*[gen.HeaderSize]byte)(b[at:]))
	m.Offset = at + gen.HeaderSize
	shape, ok := gen.ShapeOf(m.Schema, m.Template, m.Version)
	end := m.Offset + int(m.Header.Block)
	switch {
	case !ok && !knownSchema(m.Schema):
		return m, Fault{MessageSchema, at + 4, int(m.Schema), gen.SchemaOrderEntry}
	case !ok:
		return m, Fault{MessageTemplate, at + 2, int(m.Template), 0}
	case m.Header.Block < shape.Block:
		return m, Fault{BlockShort, at, int(m.Header.Block), int(shape.Block)}
	case end > len(b):
		return m, Fault{MessageCut, at, end, len(b)}
	}
	m.Block = b[m.Offset:end:end]
	if shape.Entry == 0 && !shape.Data {
		if end != len(b) {
			return m, Fault{MessageTail, end, len(b), end}
		}
		return m, Fault{}
	}
	return m.openTail(b, end, shape)
}

// openTail looks at group and data, which begin at an offset of b.
func (m *Message) openTail(b []byte, at int, shape gen.Shape) (Message, Fault) {
	if shape.Entry != 0 {
		if len(b) < at+4 {
			return *m, Fault{MessageCut, at, at + 4, len(b)}
		}
		entry, count := binary.LittleEndian.Uint16(b[at:]), binary.LittleEndian.Uint16(b[at+2:])
		end := at + 4 + int(entry)*int(count)
		switch {
		case count < shape.Min:
			return *m, Fault{GroupCount, at + 2, int(count), int(shape.Min)}
		case count > shape.Max:
			return *m, Fault{GroupCount, at + 2, int(count), int(shape.Max)}
		case entry < shape.Entry:
			return *m, Fault{GroupEntry, at, int(entry), int(shape.Entry)}
		case end > len(b):
			return *m, Fault{MessageCut, at, end, len(b)}
		}
		m.Group = Group{int(entry), int(count), b[at+4 : end : end]}
		at = end
	}
	if shape.Data {
		if len(b) < at+2 {
			return *m, Fault{MessageCut, at, at + 2, len(b)}
		}
		length := binary.LittleEndian.Uint16(b[at:])
		end := at + 2 + int(length)
		switch {
		case length > shape.DataMax:
			return *m, Fault{DataLong, at, int(length), int(shape.DataMax)}
		case end > len(b):
			return *m, Fault{MessageCut, at, end, len(b)}
		}
		m.Data = b[at+2 : end : end]
		at = end
	}
	if at != len(b) {
		return *m, Fault{MessageTail, at, len(b), at}
	}
	return *m, Fault{}
}

func knownSchema(id uint16) bool {
	return id == gen.SchemaOrderEntry || id == gen.SchemaMarketData || id == gen.SchemaSession || id == gen.SchemaCredentials
}

// Reject is how the venue answers a fault of a whole frame in an established session: by a Reject of class 1xx. 0 where
// there is no answer but to close: nothing says where the next frame begins.
func (k FaultKind) Reject() msg.Reject {
	switch k {
	case MessageTemplate:
		return msg.RejectUnknownTemplate
	case MessageVersion:
		return msg.RejectUnsupportedVersion
	case BlockShort, GroupEntry, GroupCount, MessageCut, DataLong, MessageTail:
		return msg.RejectBadBlock
	case FieldReserved:
		return msg.RejectReservedBits
	case FieldValue:
		return msg.RejectValueOutOfRange
	}
	return 0
}

// AppendFrame appends a frame of a message that has neither group nor data, its block zero, and returns the block to be
// filled in. It allocates only where dst lacks room.
func AppendFrame(dst []byte, h gen.Header) (out, block []byte) {
	size := BlockAt + int(h.Block)
	out = grow(dst, size)
	frame := out[len(dst):]
	putFrameHead(frame, size)
	h.Put((*[gen.HeaderSize]byte)(frame[MessageAt:]))
	return out, frame[BlockAt:]
}

// AppendGroup appends a group to the frame that began at start and ends dst: count entries, zero, to be filled in.
func AppendGroup(dst []byte, start, entry, count int) (out []byte, g Group) {
	size := 4 + entry*count
	out = grow(dst, size)
	b := out[len(dst):]
	binary.LittleEndian.PutUint16(b, uint16(entry))
	binary.LittleEndian.PutUint16(b[2:], uint16(count))
	putFrameHead(out[start:], len(out)-start)
	return out, Group{entry, count, b[4:]}
}

// AppendData appends data to the frame that began at start and ends dst. data is at most 65,534 bytes long.
func AppendData(dst []byte, start int, data []byte) []byte {
	dst = binary.LittleEndian.AppendUint16(dst, uint16(len(data)))
	dst = append(dst, data...)
	putFrameHead(dst[start:], len(dst)-start)
	return dst
}

func putFrameHead(frame []byte, size int) {
	binary.BigEndian.PutUint32(frame, uint32(size))
	binary.BigEndian.PutUint16(frame[4:], Encoding)
}

// AppendRecord appends a record without frame: header and block, the block zero, to be filled in.
func AppendRecord(dst []byte, h gen.Header) (out, block []byte) {
	out = grow(dst, gen.HeaderSize+int(h.Block))
	record := out[len(dst):]
	h.Put((*[gen.HeaderSize]byte)(record))
	return out, record[gen.HeaderSize:]
}

// grow makes dst longer by zero bytes.
func grow(dst []byte, by int) []byte {
	out := slices.Grow(dst, by)[:len(dst)+by]
	clear(out[len(dst):])
	return out
}
