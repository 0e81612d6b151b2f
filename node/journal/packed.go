package journal

import (
	"encoding/binary"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// A command on the disk takes as many bytes as its fields have something to say (docs/decisions/0021-packed-commands.md). All numbers are
// little-endian; a size is two bits, the field of lowest bits first: 0 is no byte and the value 0, 1 two bytes, 2 four, 3 eight.
//
//	0 kind u8 | 1 sizes of nine fields, 18 bits, and 6 bits zero
//	4 time since the command before (since that of the header for the first) · order · ref · price · qty · account · instr ·
//	  session u16, flags u16 · side u8, tif u8, stp u8
//	  and where the command has a second line: sizes of its eight words u16, and the words
//
// A number below zero takes eight bytes. The seq is not written: a frame says that of its first command, and they have no gap.

const (
	packedHead   = 4
	packedWide   = 5 // fields of up to eight bytes
	packedNarrow = 4 // of up to four
	packedFields = packedWide + packedNarrow
	// commandMax is how many bytes a command takes at most.
	commandMax = packedHead + packedWide*8 + packedNarrow*4 + 2 + len(msg.Rare{})*8
	// packSlack is how many bytes more may be written or read behind it: fields move eight at a time.
	packSlack = 8
)

// sizes are the bytes of a size, masks what counts of eight that are read, and least is the lowest value that needs it.
var (
	sizes = [4]int{0, 2, 4, 8}
	masks = [4]uint64{0, 1<<16 - 1, 1<<32 - 1, 1<<64 - 1}
	least = [4]uint64{0, 1, 1 << 16, 1 << 32}
)

// measure is the size of a field and the bytes that it is. Without a branch: what fields say is chance.
func measure(v uint64) (size uint32, width int) {
	var some, more, most uint32
	if v != 0 {
		some = 1
	}
	if v>>16 != 0 {
		more = 1
	}
	if v>>32 != 0 {
		most = 1
	}
	return some + more + most, int(some+more+most+most) * 2
}

// pack writes a command behind one whose time is before, and returns how many bytes it takes. b has room for commandMax and packSlack.
func pack(b []byte, before fixed.Nanos, c *msg.Request) int {
	le := binary.LittleEndian
	b = b[:commandMax+packSlack]
	head, at := uint32(c.Kind), packedHead

	v := uint64(c.Time - before)
	size, width := measure(v)
	le.PutUint64(b[at:], v)
	head, at = head|size<<8, at+width

	v = uint64(c.Order)
	size, width = measure(v)
	le.PutUint64(b[at:], v)
	head, at = head|size<<10, at+width

	v = uint64(c.Ref)
	size, width = measure(v)
	le.PutUint64(b[at:], v)
	head, at = head|size<<12, at+width

	v = uint64(c.Price)
	size, width = measure(v)
	le.PutUint64(b[at:], v)
	head, at = head|size<<14, at+width

	v = uint64(c.Qty)
	size, width = measure(v)
	le.PutUint64(b[at:], v)
	head, at = head|size<<16, at+width

	v = uint64(c.Account)
	size, width = measure(v)
	le.PutUint64(b[at:], v)
	head, at = head|size<<18, at+width

	v = uint64(c.Instr)
	size, width = measure(v)
	le.PutUint64(b[at:], v)
	head, at = head|size<<20, at+width

	v = uint64(c.Session) | uint64(c.Flags)<<16
	size, width = measure(v)
	le.PutUint64(b[at:], v)
	head, at = head|size<<22, at+width

	v = uint64(c.Side) | uint64(c.TIF)<<8 | uint64(c.STP)<<16
	size, width = measure(v)
	le.PutUint64(b[at:], v)
	head, at = head|size<<24, at+width

	le.PutUint32(b, head)
	if c.Lines() < 2 {
		return at
	}
	return packLine(b, at, &c.Rare)
}

// packLine writes the second line from at on, and returns where it ends.
func packLine(b []byte, at int, line *msg.Rare) int {
	le := binary.LittleEndian
	head, start := uint32(0), at
	at += 2
	for i, v := range line {
		size, width := measure(v)
		le.PutUint64(b[at:], v)
		head |= size << (2 * i)
		at += width
	}
	le.PutUint16(b[start:], uint16(head))
	return at
}

// unpack reads a command behind one whose time is before, and returns how many bytes it takes, 0 where they are none that pack writes: a
// command has one form, so that equal commands are equal bytes.
// b has commandMax and packSlack bytes; what lies behind the command is not looked at.
func unpack(b []byte, before fixed.Nanos, c *msg.Command) int {
	le := binary.LittleEndian
	const firstNarrow = 1 << (8 + 2*packedWide)
	head, at := le.Uint32(b), packedHead
	if head>>(8+2*packedFields) != 0 || head&(head>>1)&(firstNarrow|firstNarrow<<2|firstNarrow<<4|firstNarrow<<6) != 0 {
		return 0
	}
	var f [packedFields]uint64
	for i := range f {
		size := head >> (8 + 2*i) & 3
		f[i] = le.Uint64(b[at:]) & masks[size]
		if f[i] < least[size] {
			return 0
		}
		at += sizes[size]
	}
	if f[8]>>24 != 0 {
		return 0
	}
	c.Time, c.Order, c.Ref = before+fixed.Nanos(f[0]), msg.OrderID(f[1]), msg.Ref(f[2])
	c.Price, c.Qty, c.Account, c.Instr = fixed.Ticks(f[3]), fixed.Lots(f[4]), msg.AccountID(f[5]), msg.InstrumentID(f[6])
	c.Session, c.Flags = msg.SessionID(f[7]), msg.Flags(f[7]>>16)
	c.Kind, c.Side, c.TIF, c.STP = msg.Kind(head), msg.Side(f[8]), msg.TIF(f[8]>>8), msg.STP(f[8]>>16)
	if c.Lines() < 2 {
		c.Rare = msg.Rare{}
		return at
	}
	head = uint32(le.Uint16(b[at:]))
	at += 2
	for i := range c.Rare {
		size := head >> (2 * i) & 3
		c.Rare[i] = le.Uint64(b[at:]) & masks[size]
		if c.Rare[i] < least[size] {
			return 0
		}
		at += sizes[size]
	}
	return at
}
