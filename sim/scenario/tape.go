package scenario

import (
	"encoding/binary"
	"fmt"
	"math/bits"

	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// The recorded commands of a run, and what comes of them elsewhere. A page of commands goes to a second engine as it is, and
// as bytes to the roll, from which a third engine is driven when the day is over.
//
//	record: a mask of the sixteen 64-bit words of a command that are not zero, then these words, little-endian
//
// A tick takes 26 bytes of it.

// tape records the commands of a run.
type tape struct {
	second *engine.Engine
	page   []msg.Command
	roll   []byte
	events []msg.Event
}

// pageSize is how many commands wait at most before the second engine gets them.
const pageSize = 1024

// record keeps a command.
func (t *tape) record(c *msg.Command) {
	t.page = append(t.page, *c)
	if len(t.page) == pageSize {
		t.turn()
	}
}

// turn ends a page.
func (t *tape) turn() {
	for i := range t.page {
		c := t.page[i]
		t.roll = encode(t.roll, &c)
		t.events = t.second.Apply(&c, t.events[:0])
	}
	t.page = t.page[:0]
}

// replay drives an engine from the roll.
func (t *tape) replay(eng *engine.Engine) error {
	for rest := t.roll; len(rest) > 0; {
		var c msg.Command
		n := decode(rest, &c)
		if n == 0 {
			return fmt.Errorf("the record of command %d is torn", eng.Seq()+1)
		}
		t.events = eng.Apply(&c, t.events[:0])
		rest = rest[n:]
	}
	return nil
}

// words are a command as sixteen words.
func words(c *msg.Command) (w [16]uint64) {
	w = [16]uint64{uint64(c.Seq), uint64(c.Time), uint64(c.Order), uint64(c.Ref), uint64(c.Price), uint64(c.Qty),
		uint64(c.Account)<<32 | uint64(c.Instr),
		uint64(c.Session)<<48 | uint64(c.Flags)<<32 | uint64(c.Kind)<<24 | uint64(c.Side)<<16 | uint64(c.TIF)<<8 | uint64(c.STP)}
	if c.Lines() > 1 {
		copy(w[8:], c.Rare[:])
	}
	return w
}

// unpack is the command whose words they are.
func unpack(w *[16]uint64) (c msg.Command) {
	c.Seq, c.Time, c.Order, c.Ref = msg.Seq(w[0]), fixed.Nanos(w[1]), msg.OrderID(w[2]), msg.Ref(w[3])
	c.Price, c.Qty = fixed.Ticks(w[4]), fixed.Lots(w[5])
	c.Account, c.Instr = msg.AccountID(w[6]>>32), msg.InstrumentID(uint32(w[6]))
	c.Session, c.Flags = msg.SessionID(w[7]>>48), msg.Flags(w[7]>>32)
	c.Kind, c.Side, c.TIF, c.STP = msg.Kind(w[7]>>24), msg.Side(w[7]>>16), msg.TIF(w[7]>>8), msg.STP(w[7])
	copy(c.Rare[:], w[8:])
	return c
}

// encode appends the record of a command.
func encode(dst []byte, c *msg.Command) []byte {
	all := words(c)
	mask := uint16(0)
	for i, w := range all {
		if w != 0 {
			mask |= 1 << i
		}
	}
	dst = binary.LittleEndian.AppendUint16(dst, mask)
	for _, w := range all {
		if w != 0 {
			dst = binary.LittleEndian.AppendUint64(dst, w)
		}
	}
	return dst
}

// decode reads the record at the head of src and returns its size, 0 when it is torn.
func decode(src []byte, c *msg.Command) (n int) {
	if len(src) < 2 {
		return 0
	}
	mask := binary.LittleEndian.Uint16(src)
	if n = 2 + 8*bits.OnesCount16(mask); len(src) < n {
		return 0
	}
	var all [16]uint64
	at := 2
	for i := range all {
		if mask&(1<<i) != 0 {
			all[i] = binary.LittleEndian.Uint64(src[at:])
			at += 8
		}
	}
	*c = unpack(&all)
	return n
}
