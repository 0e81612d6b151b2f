package replay

import (
	"bytes"
	"fmt"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// LobsterType is what happened, as the LOBSTER files number it.
type LobsterType uint8

// The types of message. Hidden executions, crosses and halts leave the visible book as it is.
const (
	LobsterNew     LobsterType = 1 + iota // a limit order comes to rest
	LobsterReduce                         // Size lots less of it; its place is kept
	LobsterDelete                         // the rest of it, Size lots, is gone
	LobsterExecute                        // Size lots of it traded
	LobsterHidden                         // an execution of a hidden order
	LobsterCross                          // a cross trade
	LobsterHalt                           // a trading halt begins or ends
)

// LobsterMessage is one line of a LOBSTER message file: time, type, order id, size, price x 10,000, direction.
type LobsterMessage struct {
	Time  fixed.Nanos // after midnight
	Type  LobsterType
	Order uint64
	Size  fixed.Lots
	Price fixed.Ticks // whole ticks of the reader's step; 0 where the type leaves the book alone
	Side  msg.Side    // of the resting order, executions included; 0 where the type leaves the book alone
}

// lobsterPlaces is the scale of prices in LOBSTER files: they are integers of 1/10,000.
const lobsterPlaces = 4

// lobsterEmpty is the price of a level that does not exist, negative among bids.
const lobsterEmpty = 9_999_999_999

// LobsterReader reads a LOBSTER message file. Prices must lie on Step.
type LobsterReader struct {
	*Source
	Step Step
}

// Read fills m with the next message. The error is io.EOF at the end, else an *InputError.
func (r LobsterReader) Read(m *LobsterMessage) error {
	line, err := r.Next()
	if err != nil {
		return err
	}
	if err := parseLobster(line, r.Step, m); err != nil {
		return r.At(err)
	}
	return nil
}

func parseLobster(line []byte, step Step, m *LobsterMessage) error {
	*m = LobsterMessage{}
	var f [6][]byte
	if err := split(line, f[:], "time,type,order,size,price,direction"); err != nil {
		return err
	}
	time, err := decimal(f[0], "time", 9, 1, 0, int64(2*fixed.Day))
	if err != nil {
		return err
	}
	kind, err := integer(f[1], "type", int64(LobsterNew), int64(LobsterHalt))
	if err != nil {
		return err
	}
	m.Time, m.Type = fixed.Nanos(time), LobsterType(kind)
	if m.Type >= LobsterHidden {
		return nil
	}
	order, err := integer(f[2], "order", 1, fixed.MaxInt64)
	if err != nil {
		return err
	}
	size, err := integer(f[3], "size", 1, bound)
	if err != nil {
		return err
	}
	price, err := lobsterPrice(f[4], step)
	if err != nil {
		return err
	}
	m.Order, m.Size, m.Price = uint64(order), fixed.Lots(size), price
	switch {
	case bytes.Equal(f[5], []byte("1")):
		m.Side = msg.Buy
	case bytes.Equal(f[5], []byte("-1")):
		m.Side = msg.Sell
	default:
		return flaw{"direction is " + quote(f[5]), "1 or -1"}
	}
	return nil
}

// lobsterPrice reads an integer of 1/10,000 as ticks.
func lobsterPrice(field []byte, step Step) (fixed.Ticks, error) {
	v, err := integer(field, "price", 1, bound)
	if err != nil {
		return 0, err
	}
	unit := step.lobster()
	if v%unit != 0 {
		return 0, flaw{"price " + string(field) + " is off the tick", fmt.Sprintf("a multiple of %d", unit)}
	}
	return fixed.Ticks(v / unit), nil
}

// lobster is the step in units of 1/10,000, at least one.
func (s Step) lobster() int64 {
	units := s.Units
	for range lobsterPlaces - s.Places {
		units *= 10
	}
	return units
}

// Level is a price and how much rests there; a Qty of 0 means that there is none.
type Level struct {
	Price fixed.Ticks
	Qty   fixed.Lots
}

// String is the level in lots and ticks, as 3@50000.
func (l Level) String() string {
	if l.Qty == 0 {
		return "none"
	}
	return fmt.Sprintf("%d@%d", l.Qty, l.Price)
}

// LobsterRow is one line of a LOBSTER book file: the best levels after the message of the same line, best first.
type LobsterRow struct{ Asks, Bids []Level }

// LobsterBookReader reads a LOBSTER book file. The first line says how many levels there are.
type LobsterBookReader struct {
	*Source
	Step   Step
	fields [][]byte
}

// Read fills row with the next line. The error is io.EOF at the end, else an *InputError.
func (r *LobsterBookReader) Read(row *LobsterRow) error {
	line, err := r.Next()
	if err != nil {
		return err
	}
	if r.fields == nil {
		n := bytes.Count(line, []byte{','}) + 1
		if n%4 != 0 {
			return r.At(flaw{fmt.Sprintf("%d columns", n), "four a level: ask price, ask size, bid price, bid size"})
		}
		r.fields = make([][]byte, n)
	}
	if err := parseLobsterRow(line, r.Step, r.fields, row); err != nil {
		return r.At(err)
	}
	return nil
}

func parseLobsterRow(line []byte, step Step, fields [][]byte, row *LobsterRow) error {
	row.Asks, row.Bids = row.Asks[:0], row.Bids[:0]
	if err := split(line, fields, "as many as in the first line"); err != nil {
		return err
	}
	for i := 0; i < len(fields); i += 4 {
		ask, err := lobsterLevel(fields[i], fields[i+1], step, lobsterEmpty)
		if err != nil {
			return err
		}
		bid, err := lobsterLevel(fields[i+2], fields[i+3], step, -lobsterEmpty)
		if err != nil {
			return err
		}
		row.Asks, row.Bids = append(row.Asks, ask), append(row.Bids, bid)
	}
	return nil
}

func lobsterLevel(price, size []byte, step Step, empty int64) (Level, error) {
	qty, err := integer(size, "size", 0, bound)
	if err != nil {
		return Level{}, err
	}
	if qty == 0 {
		if _, err := integer(price, "price of an empty level", empty, empty); err != nil {
			return Level{}, err
		}
		return Level{}, nil
	}
	p, err := lobsterPrice(price, step)
	return Level{p, fixed.Lots(qty)}, err
}
