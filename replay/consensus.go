package replay

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// ConsensusKind is what a line of a consensus stream asks for; it is the line's first letter.
type ConsensusKind byte

// The three kinds of line.
const (
	ConsensusNew    ConsensusKind = 'N'
	ConsensusCancel ConsensusKind = 'C'
	ConsensusModify ConsensusKind = 'M'
)

// ConsensusMessage is one line of a consensus stream:
//
//	N,side(0 buy 1 sell),ioc(0/1),qty,order,price     a new limit order
//	C,order                                           cancel
//	M,order,qty,price                                 modify: new open quantity and price, place in the queue lost
//
// What the kind does not carry is zero.
type ConsensusMessage struct {
	Kind  ConsensusKind
	Side  msg.Side
	IOC   bool
	Order uint64
	Qty   fixed.Lots
	Price fixed.Ticks
}

// ConsensusReader reads a consensus stream.
type ConsensusReader struct{ *Source }

// Read fills m with the next message. The error is io.EOF at the end, else an *InputError.
func (r ConsensusReader) Read(m *ConsensusMessage) error {
	line, err := r.Next()
	if err != nil {
		return err
	}
	if err := parseConsensus(line, m); err != nil {
		return r.At(err)
	}
	return nil
}

func parseConsensus(line []byte, m *ConsensusMessage) error {
	*m = ConsensusMessage{}
	if len(line) < 2 || line[1] != ',' {
		return flaw{"line starts " + quote(line[:min(len(line), 2)]), "N, C or M and a comma"}
	}
	m.Kind = ConsensusKind(line[0])
	switch m.Kind {
	case ConsensusNew:
		return parseConsensusNew(line, m)
	case ConsensusCancel:
		var f [2][]byte
		if err := split(line, f[:], "C,order"); err != nil {
			return err
		}
		return parseOrder(f[1], m)
	case ConsensusModify:
		var f [4][]byte
		if err := split(line, f[:], "M,order,qty,price"); err != nil {
			return err
		}
		if err := parseOrder(f[1], m); err != nil {
			return err
		}
		return parseTerms(f[2], f[3], m)
	}
	return flaw{"kind " + quote(line[:1]), "N, C or M"}
}

func parseConsensusNew(line []byte, m *ConsensusMessage) error {
	var f [6][]byte
	if err := split(line, f[:], "N,side,ioc,qty,order,price"); err != nil {
		return err
	}
	side, err := integer(f[1], "side", 0, 1)
	if err != nil {
		return err
	}
	ioc, err := integer(f[2], "ioc", 0, 1)
	if err != nil {
		return err
	}
	m.Side, m.IOC = msg.Buy+msg.Side(side), ioc == 1
	if err := parseOrder(f[4], m); err != nil {
		return err
	}
	return parseTerms(f[3], f[5], m)
}

func parseOrder(field []byte, m *ConsensusMessage) error {
	order, err := integer(field, "order", 0, fixed.MaxInt64)
	m.Order = uint64(order)
	return err
}

func parseTerms(qty, price []byte, m *ConsensusMessage) error {
	q, err := integer(qty, "qty", 1, bound)
	if err != nil {
		return err
	}
	p, err := integer(price, "price", 1, bound)
	m.Qty, m.Price = fixed.Lots(q), fixed.Ticks(p)
	return err
}
