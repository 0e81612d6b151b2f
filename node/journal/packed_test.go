package journal

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// drawWord is a number of a random length.
func drawWord(r *rand.Rand) uint64 { return r.Uint64() >> r.IntN(65) }

// drawRequest is any request that there can be, also of kinds that nobody has.
func drawRequest(r *rand.Rand) (q msg.Request) {
	q = msg.Request{Time: fixed.Nanos(drawWord(r) >> 1), Order: msg.OrderID(drawWord(r)), Ref: msg.Ref(drawWord(r)), Price: fixed.Ticks(drawWord(r)),
		Qty: fixed.Lots(drawWord(r)), Account: msg.AccountID(drawWord(r)), Instr: msg.InstrumentID(drawWord(r)),
		Session: msg.SessionID(drawWord(r)), Flags: msg.Flags(drawWord(r)), Kind: msg.Kind(drawWord(r)), Side: msg.Side(drawWord(r)),
		TIF: msg.TIF(drawWord(r)), STP: msg.STP(drawWord(r))}
	if q.Lines() > 1 {
		for i := range q.Rare {
			q.Rare[i] = drawWord(r)
		}
	}
	return q
}

// Whatever a command says comes back, and nothing of what lies behind it.
func TestPacked(t *testing.T) {
	const seed = 5
	r := rand.New(rand.NewPCG(seed, 0))
	b := make([]byte, commandMax+packSlack)
	longest := 0
	for i := range 200_000 {
		for k := range b {
			b[k] = byte(r.Uint32())
		}
		want, before := drawRequest(r), fixed.Nanos(drawWord(r)>>1)
		n := pack(b, before, &want)
		longest = max(longest, n)
		for k := n; k < len(b); k++ {
			b[k] = byte(r.Uint32())
		}
		got := msg.Command{Request: drawRequest(r)}
		if m := unpack(b, before, &got); m != n || got.Request != want {
			t.Fatalf("seed %d, %d: %d bytes of %d\n got %+v\nwant %+v", seed, i, m, n, got.Request, want)
		}
	}
	if longest != commandMax {
		t.Errorf("the longest took %d bytes, expected %d", longest, commandMax)
	}
}

// A plain order takes a third of what it has in memory at most, whatever the day.
func TestPackedIsShort(t *testing.T) {
	b := make([]byte, commandMax+packSlack)
	order := msg.Limit(123_456, 789, msg.Sell, 6_000_000, 40_000)
	order.Time = 1_800_000_000_000_000_000
	if n := pack(b, order.Time-3_000_000_000, &order.Request); n != 22 {
		t.Errorf("%d bytes", n)
	}
	cancel := msg.Cancel(123_456, 789, 77<<32|5)
	if n := pack(b, 0, &cancel.Request); n != 18 {
		t.Errorf("%d bytes", n)
	}
	session := order
	session.Session, session.Ref = 9, 1_000_000
	session.SetEnvelope(msg.Envelope{SeqNum: 70_000, Template: 100, Ingress: order.Time, Sending: order.Time})
	if n := pack(b, order.Time, &session.Request); n != 50 {
		t.Errorf("%d bytes", n)
	}
}

// TestPackedHasOneForm refuses fields that take more bytes than they need, each of them by each size.
func TestPackedHasOneForm(t *testing.T) {
	for field := range packedFields + len(msg.Rare{}) {
		for size := range 4 {
			for value, least := range map[uint64]int{0: 0, 1: 1, 1<<16 - 1: 1, 1 << 16: 2, 1<<32 - 1: 2, 1 << 32: 3, 1<<64 - 1: 3} {
				narrow := field >= packedWide && field < packedFields
				if narrow && (value > 1<<24-1 || size == 3) || value&masks[size] != value {
					continue
				}
				var b [commandMax + packSlack]byte
				head, at := uint32(msg.KindPlace), packedHead
				if field >= packedFields {
					at += 2
					binary.LittleEndian.PutUint16(b[packedHead:], uint16(size<<(2*(field-packedFields))))
				} else {
					head |= uint32(size) << (8 + 2*field)
				}
				binary.LittleEndian.PutUint32(b[:], head)
				binary.LittleEndian.PutUint64(b[at:], value)
				if field < packedFields {
					clear(b[at+sizes[size]:])
				}
				var c msg.Command
				if n := unpack(b[:], 0, &c); (n != 0) != (size == least) {
					t.Errorf("field %d, size %d, value %d: %d bytes", field, size, value, n)
				}
			}
		}
	}
}

// FuzzUnpack reads any bytes: it looks at no more than it has, and what it makes of them is written as the same bytes.
func FuzzUnpack(f *testing.F) {
	order := msg.Limit(1, 2, msg.Buy, 3, 4)
	b := make([]byte, commandMax+packSlack)
	f.Add(b[:pack(b, 0, &order.Request)])
	f.Add([]byte{255, 255, 255, 3})
	f.Fuzz(func(t *testing.T, edits []byte) {
		b := make([]byte, commandMax+packSlack)
		copy(b, edits)
		var c, again msg.Command
		n := unpack(b, 7, &c)
		if n == 0 {
			return
		}
		if n > commandMax {
			t.Fatalf("%d bytes", n)
		}
		out := make([]byte, commandMax+packSlack)
		if m := pack(out, 7, &c.Request); m != n || !bytes.Equal(out[:m], b[:n]) || unpack(out, 7, &again) != m || again != c {
			t.Fatalf("%d bytes became %d\n%+v\n%+v", n, m, c, again)
		}
	})
}

func BenchmarkPack(b *testing.B) {
	buf := make([]byte, commandMax+packSlack)
	order := msg.Limit(123_456, 789, msg.Sell, 6_000_000, 40_000)
	b.Run("pack", func(b *testing.B) {
		for range b.N {
			pack(buf, 0, &order.Request)
		}
	})
	var c msg.Command
	b.Run("unpack", func(b *testing.B) {
		for range b.N {
			unpack(buf, 0, &c)
		}
	})
	b.Run("lines", func(b *testing.B) {
		for range b.N {
			putLines(buf, 1, &order.Request)
		}
	})
	b.Run("read lines", func(b *testing.B) {
		for range b.N {
			getLines(buf, 1, &c)
		}
	})
}
