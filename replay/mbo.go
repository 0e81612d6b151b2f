package replay

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// MBOAction is what a market-by-order record says; it is the letter in the file.
type MBOAction byte

// The actions. Trades and fills tell what happened; the book changes with the cancels and modifies that follow them.
const (
	MBOAdd    MBOAction = 'A' // an order comes to rest at the tail of its price
	MBOCancel MBOAction = 'C' // Size lots of an order are gone
	MBOModify MBOAction = 'M' // an order has this price and size now
	MBOTrade  MBOAction = 'T' // an aggressor traded
	MBOFill   MBOAction = 'F' // Size lots of a resting order were filled
	MBOClear  MBOAction = 'R' // the book is empty now
	MBONone   MBOAction = 'N' // nothing, but the flags
)

// Flags of a record.
const (
	MBOSnapshot = 32  // part of the book at the start of the recording
	MBOLast     = 128 // the last record of its event
)

// MBORecord is one line of a market-by-order file.
type MBORecord struct {
	Time   fixed.Nanos // ts_event; 0 where the file has none
	Action MBOAction
	Side   msg.Side // 0 where the file says N; a fill's is not needed, since its order has one
	Order  uint64
	Price  fixed.Ticks // whole ticks of the reader's step; 0 where the action needs none
	Size   fixed.Lots
	Flags  uint8
}

// The columns of ours.
const (
	mboAction = iota
	mboSide
	mboOrder
	mboPrice
	mboSize
	mboFlags
	mboTime // from here on a file may do without
	mboSequence
	mboReceived
	mboColumns
	mboNeeded = mboTime
)

// mboNames are their names in a header; the order there is free, and a column of another name is skipped.
var mboNames = [mboColumns]string{"action", "side", "order_id", "price_1e9", "size", "flags", "ts_event", "sequence", "ts_recv"}

// mboLayout says in which column of the file each of ours stands; -1: in none.
type mboLayout struct {
	at    [mboColumns]int
	width int
}

func parseMBOHeader(line []byte) (mboLayout, error) {
	names := strings.Split(string(line), ",")
	layout := mboLayout{width: len(names)}
	for i, name := range mboNames {
		layout.at[i] = slices.Index(names, name)
		switch {
		case layout.at[i] < 0 && i < mboNeeded:
			return layout, flaw{"no column " + name, "a header naming " + strings.Join(mboNames[:mboNeeded], ",")}
		case layout.at[i] >= 0 && slices.Contains(names[layout.at[i]+1:], name):
			return layout, flaw{"two columns " + name, "one"}
		}
	}
	return layout, nil
}

// MBOReader reads a market-by-order file with a header. Each file of the recording has one. Prices are integers of 1e-9
// and must lie on Step.
type MBOReader struct {
	*Source
	Step   Step
	layout mboLayout
	fields [][]byte
}

// Read fills m with the next record. The error is io.EOF at the end, else an *InputError.
func (r *MBOReader) Read(m *MBORecord) error {
	line, err := r.Next()
	if err != nil {
		return err
	}
	if r.line == 1 {
		if r.layout, err = parseMBOHeader(line); err != nil {
			return r.At(err)
		}
		r.fields = make([][]byte, r.layout.width)
		return r.Read(m)
	}
	if err := parseMBO(line, &r.layout, r.fields, r.Step, m); err != nil {
		return r.At(err)
	}
	return nil
}

func parseMBO(line []byte, layout *mboLayout, fields [][]byte, step Step, m *MBORecord) error {
	*m = MBORecord{}
	if err := split(line, fields, "as many as in the header"); err != nil {
		return err
	}
	var f [mboColumns][]byte
	for i, at := range layout.at {
		if at >= 0 {
			f[i] = fields[at]
		}
	}
	if len(f[mboAction]) != 1 || !bytes.ContainsAny(f[mboAction], "ACMTFRN") {
		return flaw{"action is " + quote(f[mboAction]), "one of A C M T F R N"}
	}
	m.Action = MBOAction(f[mboAction][0])
	flags, err := integer(f[mboFlags], "flags", 0, 255)
	if err != nil {
		return err
	}
	m.Flags = uint8(flags)
	if err := parseMBOTimes(&f, m); err != nil {
		return err
	}
	return parseMBOOrder(&f, step, m)
}

// parseMBOTimes reads the columns that a file may do without.
func parseMBOTimes(f *[mboColumns][]byte, m *MBORecord) error {
	for _, column := range [...]int{mboTime, mboSequence, mboReceived} {
		if f[column] == nil {
			continue
		}
		v, err := integer(f[column], mboNames[column], 0, fixed.MaxInt64)
		if err != nil {
			return err
		}
		if column == mboTime {
			m.Time = fixed.Nanos(v)
		}
	}
	return nil
}

// parseMBOOrder reads what the action needs, and nothing else: the rest may be anything.
func parseMBOOrder(f *[mboColumns][]byte, step Step, m *MBORecord) error {
	switch side := f[mboSide]; {
	case bytes.Equal(side, []byte("B")):
		m.Side = msg.Buy
	case bytes.Equal(side, []byte("A")):
		m.Side = msg.Sell
	case !bytes.Equal(side, []byte("N")):
		return flaw{"side is " + quote(side), "B, A or N"}
	}
	if m.Action == MBOClear || m.Action == MBONone {
		return nil
	}
	size, err := integer(f[mboSize], "size", 1, bound)
	if err != nil {
		return err
	}
	m.Size = fixed.Lots(size)
	if m.Action == MBOTrade {
		return nil
	}
	order, err := integer(f[mboOrder], "order_id", 1, fixed.MaxInt64)
	if err != nil {
		return err
	}
	m.Order = uint64(order)
	if m.Action == MBOCancel {
		return nil
	}
	if m.Side == 0 && m.Action != MBOFill {
		return flaw{"side is " + quote(f[mboSide]), "B or A with action " + string(f[mboAction])}
	}
	price, err := integer(f[mboPrice], "price_1e9", -fixed.MaxInt64/2, fixed.MaxInt64/2)
	if err != nil {
		return err
	}
	unit := step.nano()
	if price%unit != 0 {
		return flaw{"price_1e9 " + string(f[mboPrice]) + " is off the tick", fmt.Sprintf("a multiple of %d", unit)}
	}
	m.Price = fixed.Ticks(price / unit)
	return nil
}

// nano is the step in units of 1e-9.
func (s Step) nano() int64 {
	units := s.Units
	for range 9 - s.Places {
		units *= 10
	}
	return units
}
