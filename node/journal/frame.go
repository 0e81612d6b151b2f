package journal

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// A frame is what is written and made durable at once: a header, the commands of a batch, and zeros up to the alignment of its
// segment (D-15). All numbers are little-endian.
//
//	  0 magic u32 | 4 kind u8 | 5 format u8 | 6 command schema u16
//	  8 first seq u64 (without commands: the next) | 16 epoch u64 | 24 frame number u64, from 1 without a gap
//	 32 engine time of the first command i64 (without commands: of the last) | 40 count u32 | 44 payload bytes u32
//	 48 logic version u32 | 52 flags u32, none yet | 56 shard u64 | 64 hash of the frame before, 32 bytes | 96 zero, 24 bytes
//	120 CRC32C of the payload | 124 CRC32C of bytes 0-123
//	128 the commands, as packed.go draws them; in schema 1 each 64 or 128 bytes, as msg.Command draws them
//
// The hash of a frame is the SHA-256 of header and payload (D-17). The checksums find damage of bits; the chain of hashes finds
// frames that were lost, exchanged, misdirected, old or edited.

const (
	frameMagic  = 0x4653_4b4c // "LKSF"
	frameFormat = 1
	schema      = 2 // of commands: in 1 they were not packed, and a session's short ones had one line
	logic       = 1 // of the engine

	headerSize = 128
	lineSize   = msg.CommandSize / 2

	countMax   = 512
	payloadMax = 64 << 10
	sectorSize = 512
	alignMax   = 4096
	// frameMax is the largest frame there can be: beyond it nothing of a torn one can lie.
	frameMax = (headerSize + payloadMax + alignMax - 1) / alignMax * alignMax
)

// FrameKind says what a frame is for.
type FrameKind uint8

const (
	_        FrameKind = iota
	Batch              // commands
	Seal               // confirms the batch before it: later damage to that is no tear (D-20)
	End                // the journal goes on in the next segment
	Shutdown           // the process ended in order
	Gap                // commands are missing: written by a salvage, never by an exchange
	frameKinds
)

var frameNames = [frameKinds]string{Batch: "batch", Seal: "seal", End: "segment end", Shutdown: "clean shutdown", Gap: "gap"}

func (k FrameKind) String() string {
	if k == 0 || k >= frameKinds {
		return fmt.Sprintf("kind %d", uint8(k))
	}
	return frameNames[k]
}

// Hash is the SHA-256 of a frame, or of the genesis record where no frame is yet.
type Hash [sha256.Size]byte

func (h Hash) String() string { return fmt.Sprintf("%x", h[:]) }

// castagnoli is the polynomial that processors have an instruction for.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func crc(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

// header is the header of a frame, but for what is the same in all of them.
type header struct {
	kind     FrameKind
	format   uint8
	schema   uint16
	first    msg.Seq
	epoch    uint64
	number   uint64
	time     fixed.Nanos
	count    uint32
	size     uint32 // of the payload
	logic    uint32
	flags    uint32
	shard    uint64
	previous Hash
	check    uint32 // of the payload
}

// put writes the header in front of its payload, which lies behind it in b, and returns the hash of the frame.
func (h *header) put(b []byte) Hash {
	le := binary.LittleEndian
	b = b[:headerSize+int(h.size)]
	le.PutUint32(b, frameMagic)
	b[4], b[5] = byte(h.kind), h.format
	le.PutUint16(b[6:], h.schema)
	le.PutUint64(b[8:], uint64(h.first))
	le.PutUint64(b[16:], h.epoch)
	le.PutUint64(b[24:], h.number)
	le.PutUint64(b[32:], uint64(h.time))
	le.PutUint32(b[40:], h.count)
	le.PutUint32(b[44:], h.size)
	le.PutUint32(b[48:], h.logic)
	le.PutUint32(b[52:], h.flags)
	le.PutUint64(b[56:], h.shard)
	copy(b[64:96], h.previous[:])
	clear(b[96:120])
	le.PutUint32(b[120:], crc(b[headerSize:]))
	le.PutUint32(b[124:], crc(b[:124]))
	return sha256.Sum256(b)
}

// parse reads a header and reports whether its checksum is right. What it says is looked at by others.
func (h *header) parse(b []byte) bool {
	le := binary.LittleEndian
	if le.Uint32(b) != frameMagic || le.Uint32(b[124:]) != crc(b[:124]) {
		return false
	}

	h.kind, h.format, h.schema = FrameKind(b[4]), b[5], le.Uint16(b[6:])
	h.first, h.epoch, h.number = msg.Seq(le.Uint64(b[8:])), le.Uint64(b[16:]), le.Uint64(b[24:])
	h.time = fixed.Nanos(le.Uint64(b[32:]))
	h.count, h.size, h.logic, h.flags = le.Uint32(b[40:]), le.Uint32(b[44:]), le.Uint32(b[48:]), le.Uint32(b[52:])
	h.shard, h.check = le.Uint64(b[56:]), le.Uint32(b[120:])
	copy(h.previous[:], b[64:96])
	return true
}

// bounded reports whether the lengths are possible (D-16): from here on they may be used.
func (h *header) bounded() bool {
	least, most := uint32(packedHead), uint32(commandMax)
	if h.schema == 1 {
		least, most = lineSize, 2*lineSize
	}
	return h.count <= countMax && h.size <= payloadMax && h.size >= least*h.count && h.size <= most*h.count && (h.kind == Batch) == (h.count > 0)
}

// aligned is how many bytes a frame takes in a segment.
func aligned(payload, alignment int) int {
	return (headerSize + payload + alignment - 1) / alignment * alignment
}

// putLines writes the lines in use, and returns how many bytes they take.
func putLines(b []byte, seq msg.Seq, c *msg.Request) int {
	le := binary.LittleEndian
	b = b[:msg.CommandSize]
	le.PutUint64(b, uint64(seq))
	le.PutUint64(b[8:], uint64(c.Time))
	le.PutUint64(b[16:], uint64(c.Order))
	le.PutUint64(b[24:], uint64(c.Ref))
	le.PutUint64(b[32:], uint64(c.Price))
	le.PutUint64(b[40:], uint64(c.Qty))
	le.PutUint32(b[48:], uint32(c.Account))
	le.PutUint32(b[52:], uint32(c.Instr))
	le.PutUint16(b[56:], uint16(c.Session))
	le.PutUint16(b[58:], uint16(c.Flags))
	b[60], b[61], b[62], b[63] = byte(c.Kind), byte(c.Side), byte(c.TIF), byte(c.STP)
	if c.Lines() < 2 {
		return lineSize
	}
	for i, w := range c.Rare {
		le.PutUint64(b[lineSize+8*i:], w)
	}
	return msg.CommandSize
}

// getLines reads a command of schema 1 and returns how many bytes it took, 0 where b ends too early or its seq is another.
func getLines(b []byte, seq msg.Seq, c *msg.Command) int {
	if len(b) < lineSize {
		return 0
	}
	le := binary.LittleEndian
	*c = msg.Command{Seq: msg.Seq(le.Uint64(b)), Request: msg.Request{
		Time: fixed.Nanos(le.Uint64(b[8:])), Order: msg.OrderID(le.Uint64(b[16:])), Ref: msg.Ref(le.Uint64(b[24:])),
		Price: fixed.Ticks(le.Uint64(b[32:])), Qty: fixed.Lots(le.Uint64(b[40:])),
		Account: msg.AccountID(le.Uint32(b[48:])), Instr: msg.InstrumentID(le.Uint32(b[52:])),
		Session: msg.SessionID(le.Uint16(b[56:])), Flags: msg.Flags(le.Uint16(b[58:])),
		Kind: msg.Kind(b[60]), Side: msg.Side(b[61]), TIF: msg.TIF(b[62]), STP: msg.STP(b[63])}}
	switch {
	case c.Seq != seq:
		return 0
	case c.Kind.Short():
		return lineSize
	case len(b) < msg.CommandSize:
		return 0
	}
	for i := range c.Rare {
		c.Rare[i] = le.Uint64(b[lineSize+8*i:])
	}
	return msg.CommandSize
}
