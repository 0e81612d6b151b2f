package ops

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"os"
)

// The OPS1 file: 64 bytes of header, then records of 32 bytes. The picture and
// the offsets stand in the package comment.

const (
	headerSize = 64
	recordSize = 32
	version    = 1
	magic      = "MEOPS\x00\x00\x01"
)

// sparse is how far the largest id may lie beyond the number of records: ids are
// dense, so a larger one is a damaged header, and tables are sized by it.
const sparse = 1 << 16

// A FormatError says what is wrong with a file, and where.
type FormatError struct {
	File   string
	Where  string // "header", "record 17" or "line 18"
	Reason string // what was found and what was expected
}

func (e *FormatError) Error() string { return e.File + ": " + e.Where + ": " + e.Reason }

// ExitCode is that of unreadable input.
func (e *FormatError) ExitCode() int { return 2 }

// Read decodes an OPS1 stream of size bytes; name stands for it in errors, which
// are *FormatErrors.
func Read(r io.Reader, name string, size int64) (*Stream, error) {
	br := bufio.NewReaderSize(r, 1<<20)
	s, n, err := readHeader(br, name, size)
	if err != nil {
		return nil, err
	}
	s.Ops = make([]Op, n)
	var rec [recordSize]byte
	for i := range s.Ops {
		if _, err := io.ReadFull(br, rec[:]); err != nil {
			return nil, recordError(name, i, "cut off: %v", err)
		}
		o := &s.Ops[i]
		o.decode(&rec)
		switch {
		case o.Kind > Replace:
			return nil, recordError(name, i, "operation is %d, expected 0 to 3", o.Kind)
		case o.Side > Sell:
			return nil, recordError(name, i, "side is %d, expected 0 or 1", o.Side)
		case o.ID == 0 || o.ID > s.MaxID:
			return nil, recordError(name, i, "order id is %d, expected 1 to %d", o.ID, s.MaxID)
		}
	}
	return s, nil
}

// readHeader returns the stream without its operations, and their number.
func readHeader(r io.Reader, name string, size int64) (*Stream, uint64, error) {
	bad := func(format string, a ...any) (*Stream, uint64, error) {
		return nil, 0, &FormatError{name, "header", fmt.Sprintf(format, a...)}
	}
	var h [headerSize]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return bad("cut off: %v, expected %d bytes", err, headerSize)
	}
	u64 := func(at int) uint64 { return binary.LittleEndian.Uint64(h[at:]) }
	prefill, timed := u64(16), u64(24)
	n := uint64(size-headerSize) / recordSize
	switch v, rs := binary.LittleEndian.Uint32(h[8:]), binary.LittleEndian.Uint32(h[12:]); {
	case string(h[:8]) != magic:
		return bad("magic is %q, expected %q", h[:8], magic)
	case v != version:
		return bad("version is %d, expected %d", v, version)
	case rs != recordSize:
		return bad("record size is %d, expected %d", rs, recordSize)
	case prefill > n || timed != n-prefill || uint64(size) != headerSize+n*recordSize:
		return bad("prefill %d and timed %d do not agree with a file of %d bytes, expected %d+%d*(prefill+timed)",
			prefill, timed, size, headerSize, recordSize)
	case u64(32) > 2*n+sparse:
		return bad("largest id is %d in a file of %d records, expected dense ids", u64(32), n)
	}
	return &Stream{Prefill: prefill, MaxID: u64(32), Want: Result{u64(40), u64(48), Sum(u64(56))}}, n, nil
}

func recordError(name string, i int, format string, a ...any) error {
	return &FormatError{name, fmt.Sprintf("record %d", i), fmt.Sprintf(format, a...)}
}

func (o *Op) decode(b *[recordSize]byte) {
	o.Kind, o.Side = Kind(b[0]), Side(b[1])
	o.Symbol = binary.LittleEndian.Uint16(b[2:])
	o.Qty = binary.LittleEndian.Uint32(b[4:])
	o.ID = binary.LittleEndian.Uint64(b[8:])
	o.Price = int64(binary.LittleEndian.Uint64(b[16:]))
	o.Account = binary.LittleEndian.Uint32(b[24:])
	o.Trades = binary.LittleEndian.Uint32(b[28:])
}

func (o *Op) encode(b *[recordSize]byte) {
	b[0], b[1] = byte(o.Kind), byte(o.Side)
	binary.LittleEndian.PutUint16(b[2:], o.Symbol)
	binary.LittleEndian.PutUint32(b[4:], o.Qty)
	binary.LittleEndian.PutUint64(b[8:], o.ID)
	binary.LittleEndian.PutUint64(b[16:], uint64(o.Price))
	binary.LittleEndian.PutUint32(b[24:], o.Account)
	binary.LittleEndian.PutUint32(b[28:], o.Trades)
}

// WriteTo writes the OPS1 file of s and returns its size.
func (s *Stream) WriteTo(w io.Writer) (int64, error) {
	var h [headerSize]byte
	copy(h[:], magic)
	binary.LittleEndian.PutUint32(h[8:], version)
	binary.LittleEndian.PutUint32(h[12:], recordSize)
	for i, v := range []uint64{s.Prefill, uint64(len(s.Timed())), s.MaxID, s.Want.Trades, s.Want.Volume, uint64(s.Want.Sum)} {
		binary.LittleEndian.PutUint64(h[16+8*i:], v)
	}
	bw := bufio.NewWriterSize(w, 1<<20)
	n, err := bw.Write(h[:])
	total := int64(n)
	var rec [recordSize]byte
	for i := 0; err == nil && i < len(s.Ops); i++ {
		s.Ops[i].encode(&rec)
		n, err = bw.Write(rec[:])
		total += int64(n)
	}
	if err != nil {
		return total, err
	}
	return total, bw.Flush()
}

// WriteFile writes the OPS1 file of s.
func (s *Stream) WriteFile(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if _, err := s.WriteTo(f); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
