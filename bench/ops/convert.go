package ops

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"fmt"
	"io"
	"os"
	"strconv"
)

// The text form of the matching consensus streams, plain or bzip2, one message a
// line and no header:
//
//	N,side,ioc,qty,id,price    a new order; side 0 buys, 1 sells; ioc 0 or 1
//	M,id,qty,price             replace: qty is the new open quantity
//	C,id                       cancel
//
// Ids become id + 1, so that 0 stays "none". A cancel carries the side, quantity
// and price of the order's first record, a replace its side.

// Open reads a stream from a file of either form, told apart by its content:
// OPS1, or consensus text. What is wrong with the contents comes back as a
// *FormatError with the record or line.
func Open(path string) (*Stream, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	br := bufio.NewReaderSize(f, 1<<20)
	head, err := br.Peek(3)
	switch {
	case err != nil && err != io.EOF:
		return nil, err
	case bytes.HasPrefix(head, []byte("BZh")):
		return Convert(bzip2.NewReader(br), path)
	case bytes.HasPrefix(head, []byte("N,")), bytes.HasPrefix(head, []byte("M,")), bytes.HasPrefix(head, []byte("C,")):
		return Convert(br, path)
	}
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return Read(br, path, st.Size())
}

// Convert reads a consensus text, not compressed; name stands for it in errors.
// The result has no prefill and carries what the oracle answers.
func Convert(r io.Reader, name string) (*Stream, error) {
	s := &Stream{}
	sc := bufio.NewScanner(r)
	line := 0
	for sc.Scan() {
		line++
		o, err := parse(sc.Bytes())
		if err != nil {
			return nil, &FormatError{name, fmt.Sprintf("line %d", line), err.Error()}
		}
		s.MaxID = max(s.MaxID, o.ID)
		s.Ops = append(s.Ops, o)
	}
	if err := sc.Err(); err != nil {
		return nil, &FormatError{name, fmt.Sprintf("line %d", line+1), err.Error()}
	}
	if n := uint64(len(s.Ops)); s.MaxID > 2*n+sparse {
		return nil, &FormatError{name, "end of file", fmt.Sprintf("largest id is %d after %d messages, expected dense ids", s.MaxID-1, n)}
	}
	if err := s.complete(name); err != nil {
		return nil, err
	}
	b := NewOracle(s.MaxID)
	for i := range s.Ops {
		b.Apply(&s.Ops[i])
		s.Ops[i].Trades = uint32(len(b.Fills))
	}
	s.Want = b.Result
	return s, nil
}

// parse decodes one line.
func parse(line []byte) (o Op, err error) {
	line = bytes.TrimSpace(line)
	var fields [6][]byte
	n := 0
	for rest, more := line, true; more; n++ {
		if n == len(fields) {
			return o, fmt.Errorf("more than 6 fields in %q", line)
		}
		fields[n], rest, more = bytes.Cut(rest, []byte{','})
	}
	number := func(field int, name string, high uint64) (v uint64) {
		if err != nil {
			return 0
		}
		if v, err = strconv.ParseUint(string(fields[field]), 10, 64); err != nil || v > high {
			err = fmt.Errorf("%s is %q, expected 0 to %d", name, fields[field], high)
		}
		return v
	}
	const (
		maxQty   = 1<<32 - 1
		maxID    = 1<<32 - 2
		maxPrice = 1<<63 - 1
	)
	switch kind := string(fields[0]); {
	case kind == "N" && n == 6:
		o.Side = Side(number(1, "side", 1))
		o.Kind = New + Kind(number(2, "ioc", 1))
		o.Qty = uint32(number(3, "quantity", maxQty))
		o.ID = number(4, "order id", maxID) + 1
		o.Price = int64(number(5, "price", maxPrice))
	case kind == "M" && n == 4:
		o.Kind = Replace
		o.ID = number(1, "order id", maxID) + 1
		o.Qty = uint32(number(2, "quantity", maxQty))
		o.Price = int64(number(3, "price", maxPrice))
	case kind == "C" && n == 2:
		o.Kind = Cancel
		o.ID = number(1, "order id", maxID) + 1
	default:
		return o, fmt.Errorf("found %q, expected N with 6 fields, M with 4 or C with 2", line)
	}
	return o, err
}

// complete gives cancels and replaces what the text does not repeat, and refuses
// an id that is entered twice.
func (s *Stream) complete(name string) error {
	first := make([]uint32, s.MaxID+1) // 1 + index of the record that entered the id
	for i := range s.Ops {
		o := &s.Ops[i]
		if o.Kind <= IOC {
			if first[o.ID] != 0 {
				return &FormatError{name, fmt.Sprintf("line %d", i+1), fmt.Sprintf("order id %d was entered in line %d already", o.ID-1, first[o.ID])}
			}
			first[o.ID] = uint32(i + 1)
			continue
		}
		if first[o.ID] == 0 {
			continue // never entered: a reject, with nothing to repeat
		}
		f := &s.Ops[first[o.ID]-1]
		o.Side = f.Side
		if o.Kind == Cancel {
			o.Qty, o.Price = f.Qty, f.Price
		}
	}
	return nil
}
