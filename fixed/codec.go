package fixed

import (
	"encoding/binary"
	"strconv"
)

// Codec writes the tables of a state as bytes, or reads them back: one description of a record does both, so that neither can
// forget what the other knows.
//
//	func (o *Order) code(c *fixed.Codec) {      writing: the fields into the stream
//		fixed.Word(c, &o.Leaves)                reading: out of it
//		fixed.Half(c, &o.Next)
//	}
//
// The stream is a row of tables and ends with the digest of all words before it; all numbers are little-endian, on every
// machine. A table is
//
//	 0 name, 16 bytes, padded with zeros | 16 how many rows u64
//	24 for each 64 rows a word in which bit i says that row i is not as it was made, and those rows, in their order
//
// Where a stream ends early, says something impossible or has another digest, the codec keeps what it met first and reads
// zeros from there on; Err tells. It never panics, and allocates but one buffer.
type Codec struct {
	reading bool
	buf     []byte
	at, end int // the next byte of buf; how many there are
	piece   []byte
	put     func([]byte) bool
	take    func() []byte
	stopped bool // put wants no more
	sum     Digest
	done    uint64 // bytes before buf
	table   string
	row     int
	wrong   *Misread
}

// Misread is what is wrong with a stream, and where.
type Misread struct {
	Table  string
	Row    int
	Offset uint64 // in the stream, in bytes
	What   string
}

func (m *Misread) Error() string {
	return "snapshot: table " + m.Table + ", row " + strconv.Itoa(m.Row) + ", byte " + strconv.FormatUint(m.Offset, 10) + ": " + m.What
}

// codecSize is how many bytes are handed over at a time, at most.
const codecSize = 64 << 10

// NewWriter hands over the bytes of a stream piece by piece, each good until put returns; when put returns false it ends.
func NewWriter(put func([]byte) bool) *Codec {
	return &Codec{put: put, buf: make([]byte, codecSize), end: codecSize}
}

// NewReader reads a stream that comes in pieces of any size; take gives the next one, an empty one at the end.
func NewReader(take func() []byte) *Codec {
	return &Codec{take: take, buf: make([]byte, codecSize), reading: true}
}

// Reading reports whether records are read, and not written.
func (c *Codec) Reading() bool { return c.reading }

// Err is what was wrong first, or nil.
func (c *Codec) Err() error {
	if c.wrong == nil {
		return nil
	}
	return c.wrong
}

// Refuse notes that the present table says something impossible in a row.
func (c *Codec) Refuse(row int, what string) {
	if c.wrong == nil {
		c.wrong = &Misread{c.table, row, c.done + uint64(c.at), what}
	}
}

// Within refuses a value above a bound, and returns whether it is within.
func (c *Codec) Within(row int, what string, v, most uint64) bool {
	if v > most {
		c.Refuse(row, what+" "+strconv.FormatUint(v, 10)+", expected up to "+strconv.FormatUint(most, 10))
		return false
	}
	return true
}

// Begin names the table of what is refused from here on.
func (c *Codec) Begin(table string) { c.table, c.row = table, 0 }

// Row is the row of the present table that is coded.
func (c *Codec) Row() int { return c.row }

// next is room for the next n bytes, or they themselves; n is small.
func (c *Codec) next(n int) []byte {
	if c.end-c.at < n {
		c.turn(n)
	}
	b := c.buf[c.at : c.at+n]
	c.at += n
	return b
}

// turn hands over what was written, or takes in what is to be read, so that n bytes follow.
//
//go:noinline
func (c *Codec) turn(n int) {
	c.fold(c.at &^ 7)
	rest := copy(c.buf, c.buf[c.at&^7:c.end])
	c.at &= 7
	if !c.reading {
		return
	}
	for c.end = rest; c.end < len(c.buf); {
		if len(c.piece) == 0 {
			if c.piece = c.take(); len(c.piece) == 0 {
				break
			}
		}
		moved := copy(c.buf[c.end:], c.piece)
		c.end, c.piece = c.end+moved, c.piece[moved:]
	}
	if c.end-c.at < n {
		c.Refuse(c.row, "the stream ends here")
		clear(c.buf)
		c.at, c.end = 0, len(c.buf)
	}
}

// fold folds the first n bytes of the buffer, whole words, into the digest, and hands them over where they were written.
func (c *Codec) fold(n int) {
	for b := c.buf[:n]; len(b) >= 8; b = b[8:] {
		c.sum.Word(binary.LittleEndian.Uint64(b))
	}
	if !c.reading && !c.stopped && n > 0 {
		c.stopped = !c.put(c.buf[:n])
	}
	c.done += uint64(n)
}

// End closes a stream. Reading it refuses another digest, and bytes that follow.
func (c *Codec) End() {
	c.Begin("end")
	pad := uint8(0)
	for c.at&7 != 0 {
		if Byte(c, &pad); pad != 0 {
			c.Refuse(0, "something else than zeros up to the digest")
			break
		}
	}
	c.fold(c.at)
	rest := copy(c.buf, c.buf[c.at:c.end])
	c.at = 0
	if c.reading {
		c.end = rest
	}
	sum := c.sum.Sum()
	read := sum
	Word(c, &read)
	if !c.reading {
		c.fold(c.at)
		return
	}
	if read != sum {
		c.Refuse(0, "digest "+strconv.FormatUint(read, 16)+", expected "+strconv.FormatUint(sum, 16))
	}
	if c.at != c.end || len(c.piece) > 0 || len(c.take()) > 0 {
		c.Refuse(0, "the stream goes on, expected its end")
	}
}

// Word codes 64 bits.
func Word[T ~int64 | ~uint64](c *Codec, v *T) {
	b := c.next(8)
	if c.reading {
		*v = T(binary.LittleEndian.Uint64(b))
	} else {
		binary.LittleEndian.PutUint64(b, uint64(*v))
	}
}

// Half codes 32 bits.
func Half[T ~int32 | ~uint32](c *Codec, v *T) {
	b := c.next(4)
	if c.reading {
		*v = T(binary.LittleEndian.Uint32(b))
	} else {
		binary.LittleEndian.PutUint32(b, uint32(*v))
	}
}

// Quarter codes 16 bits.
func Quarter[T ~int16 | ~uint16](c *Codec, v *T) {
	b := c.next(2)
	if c.reading {
		*v = T(binary.LittleEndian.Uint16(b))
	} else {
		binary.LittleEndian.PutUint16(b, uint16(*v))
	}
}

// Byte codes 8 bits.
func Byte[T ~int8 | ~uint8](c *Codec, v *T) {
	b := c.next(1)
	if c.reading {
		*v = T(b[0])
	} else {
		b[0] = uint8(*v)
	}
}

// Flag codes a truth value as one byte, 0 or 1.
func (c *Codec) Flag(v *bool) {
	b := uint8(0)
	if *v {
		b = 1
	}
	Byte(c, &b)
	if c.Within(c.row, "a flag of", uint64(b), 1) {
		*v = b == 1
	}
}

// Wide codes 128 bits.
func (c *Codec) Wide(v *Wide) {
	Word(c, &v.Hi)
	Word(c, &v.Lo)
}

// Bytes codes bytes as they are.
func (c *Codec) Bytes(b []byte) {
	for i := range b {
		Byte(c, &b[i])
	}
}

// Words codes numbers of 64 bits.
func Words[T ~int64 | ~uint64](c *Codec, list []T) {
	for i := range list {
		Word(c, &list[i])
	}
}

// Halves codes numbers of 32 bits.
func Halves[T ~int32 | ~uint32](c *Codec, list []T) {
	for i := range list {
		Half(c, &list[i])
	}
}

// Open codes the head of a table that has count rows, up to most, and returns how many it has.
func (c *Codec) Open(name string, count, most int) int {
	c.Begin(name)
	var head, want [16]byte
	copy(want[:], name)
	head = want
	c.Bytes(head[:])
	n := uint64(count)
	Word(c, &n)
	if head != want {
		c.Refuse(0, "another table, or none, expected this one")
		return 0
	}
	if !c.Within(0, "rows:", n, uint64(most)) {
		return 0
	}
	return int(n)
}

// Rows codes a table of records that were all made as fresh is. Those that still are take a bit. Reading it leaves them alone,
// and refuses another number of rows.
func Rows[T comparable](c *Codec, name string, rows []T, fresh T, code func(*T, *Codec)) {
	if n := c.Open(name, len(rows), len(rows)); n != len(rows) {
		c.Refuse(0, strconv.Itoa(n)+" rows, expected "+strconv.Itoa(len(rows)))
		return
	}
	for first := 0; first < len(rows) && c.wrong == nil && !c.stopped; first += 64 {
		group := rows[first:min(first+64, len(rows))]
		used := uint64(0)
		if !c.reading {
			for i := range group {
				if group[i] != fresh {
					used |= 1 << i
				}
			}
		}
		Word(c, &used)
		if len(group) < 64 && used>>len(group) != 0 {
			c.Refuse(first, "a row behind the last one")
			return
		}
		for i := range group {
			if used>>i&1 == 1 {
				c.row = first + i
				code(&group[i], c)
			}
		}
	}
}

// List codes the first count numbers of a list and returns how many there are, up to its length.
func List[T ~int32 | ~uint32](c *Codec, name string, list []T, count int) int {
	count = c.Open(name, count, len(list))
	for i := range list[:count] {
		if c.row = i; c.wrong != nil {
			return 0
		}
		Half(c, &list[i])
	}
	return count
}
