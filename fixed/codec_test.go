package fixed

import (
	"bytes"
	"encoding/hex"
	"testing"
)

type sample struct {
	Word    int64
	Half    uint32
	Quarter uint16
	Byte    uint8
	Flag    bool
	Wide    Wide
}

func (s *sample) code(c *Codec) {
	Word(c, &s.Word)
	Half(c, &s.Half)
	Quarter(c, &s.Quarter)
	Byte(c, &s.Byte)
	c.Flag(&s.Flag)
	c.Wide(&s.Wide)
}

func written(rows []sample) (b []byte) {
	c := NewWriter(func(piece []byte) bool {
		b = append(b, piece...)
		return true
	})
	Rows(c, "samples", rows, sample{}, (*sample).code)
	c.End()
	return b
}

func readBack(rows []sample, b []byte, size int) error {
	c := NewReader(func() (piece []byte) {
		n := min(size, len(b))
		piece, b = b[:n], b[n:]
		return piece
	})
	Rows(c, "samples", rows, sample{}, (*sample).code)
	c.End()
	return c.Err()
}

// TestCodecBytes holds the bytes of a stream: they are the format.
func TestCodecBytes(t *testing.T) {
	got := hex.EncodeToString(written([]sample{{}, {-2, 0x01020304, 0x0506, 7, true, Wide{1, 2}}}))
	const want = "73616d706c6573000000000000000000" + "0200000000000000" + "0200000000000000" +
		"feffffffffffffff" + "04030201" + "0605" + "07" + "01" + "0100000000000000" + "0200000000000000"
	if got[:len(want)] != want || len(got) != len(want)+16 {
		t.Errorf("got  %s\nwant %s and a digest", got, want)
	}
}

// TestCodecReadsBack writes tables of many sizes and reads them back in pieces of many sizes; each byte less, each byte more and
// each bit that is turned is refused.
func TestCodecReadsBack(t *testing.T) {
	for _, n := range []int{0, 1, 63, 64, 65, 3000} {
		rows := make([]sample, n)
		for i := range rows {
			if i%3 != 0 {
				rows[i] = sample{int64(i), uint32(i), uint16(i), uint8(i), i%2 == 0, Wide{int64(i), 1}}
			}
		}
		b := written(rows)
		for _, size := range []int{1, 7, 4096, 1 << 20} {
			back := make([]sample, n)
			if err := readBack(back, b, size); err != nil {
				t.Fatalf("%d rows in pieces of %d: %v", n, size, err)
			}
			for i := range rows {
				if rows[i] != back[i] {
					t.Fatalf("%d rows in pieces of %d: row %d is %+v, want %+v", n, size, i, back[i], rows[i])
				}
			}
		}
		if n == 0 || n > 65 {
			continue
		}
		for cut := range b {
			if readBack(make([]sample, n), b[:cut], 64) == nil {
				t.Fatalf("%d rows: the first %d bytes of %d are taken", n, cut, len(b))
			}
		}
		if readBack(make([]sample, n), append(bytes.Clone(b), 0), 64) == nil || readBack(make([]sample, n+1), b, 64) == nil {
			t.Errorf("%d rows: a byte more, or a table with another number of rows, is taken", n)
		}
		for bit := range 8 * len(b) {
			c := bytes.Clone(b)
			c[bit/8] ^= 1 << (bit % 8)
			if readBack(make([]sample, n), c, 64) == nil {
				t.Fatalf("%d rows: bit %d is turned, and nobody minds", n, bit)
			}
		}
	}
}

// TestCodecStops ends a stream that nobody wants any more.
func TestCodecStops(t *testing.T) {
	calls := 0
	c := NewWriter(func([]byte) bool {
		calls++
		return false
	})
	rows := make([]sample, 100_000)
	for i := range rows {
		rows[i].Word = 1
	}
	Rows(c, "samples", rows, sample{}, (*sample).code)
	c.End()
	if calls != 1 {
		t.Errorf("%d pieces after the first was refused", calls-1)
	}
}
