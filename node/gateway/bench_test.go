package gateway

import (
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// BenchmarkRoundTrip is one order after another over the loopback: from before its bytes are written until its report has been read. Beside it
// the same bytes through a connection whose other end sends them back.
func BenchmarkRoundTrip(b *testing.B) {
	b.Run("echo", func(b *testing.B) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			b.Fatal(err)
		}
		defer l.Close()
		go func() {
			s, err := l.Accept()
			if err != nil {
				return
			}
			buffer := make([]byte, 4096)
			for {
				n, err := s.Read(buffer)
				if err != nil {
					return
				}
				s.Write(buffer[:n])
			}
		}()
		s, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			b.Fatal(err)
		}
		defer s.Close()
		frame, back := make([]byte, 64), make([]byte, 64)
		for b.Loop() {
			s.Write(frame)
			if _, err := io.ReadFull(s, back); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("order", func(b *testing.B) {
		c, order := benchVenue(b)
		back := make([]byte, reportSize)
		n := uint32(0)
		for b.Loop() {
			n++
			order.next(n)
			c.socket.Write(order.frame)
			if _, err := io.ReadFull(c.socket, back); err != nil {
				b.Fatal(err)
			}
		}
		if got := c.describe(back); got != fmt.Sprintf("%d Reject 404 of %d", n, n) {
			b.Fatalf("the last report is %s", got)
		}
	})
}

// BenchmarkPipelined is one connection on which orders are written without waiting for their reports, 64 at a time; their reports are read meanwhile.
func BenchmarkPipelined(b *testing.B) {
	c, order := benchVenue(b)
	const batch = 64
	read := make(chan error, 1)
	start := time.Now()
	buffer := make([]byte, 0, batch*64)
	n := uint32(0)
	count := b.N
	go func() {
		_, err := io.CopyN(io.Discard, c.socket, int64(count)*reportSize)
		read <- err
	}()
	b.ResetTimer()
	for int(n) < count {
		buffer = buffer[:0]
		for range min(batch, count-int(n)) {
			n++
			order.next(n)
			buffer = append(buffer, order.frame...)
		}
		if _, err := c.socket.Write(buffer); err != nil {
			b.Fatal(err)
		}
	}
	if err := <-read; err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(count)/time.Since(start).Seconds(), "orders/s")
}

// reportSize is the length of the one report that each order has.
const reportSize = int64(wire.BlockAt + len(gen.Reject{}))

// template is an order that goes the whole way through the core and is refused by the book, being post-only and crossing: so it can be sent
// for ever, and has one report.
type template struct {
	frame []byte
	m     *gen.NewOrder
}

func newTemplate(frame []byte) *template {
	return &template{frame, gen.AsNewOrder(frame[wire.BlockAt:])}
}

func (o *template) next(n uint32) {
	o.m.SetSeqNum(n)
	o.m.SetClOrdID(uint64(n))
}

func benchVenue(b *testing.B) (*caller, *template) {
	v := newVenue(b, setting{rates: Rates{Orders: Rate{1 << 30, 1 << 30}}})
	maker, c := v.call(), v.call()
	maker.enter("id=MAKER key=5 keepalive=60000")
	maker.say("order 1 account=2 side=2 price=50")
	maker.expect("1 OrderAccepted 101")
	c.enter("id=ABC keepalive=60000")
	return c, newTemplate(c.words("order 1 flags=1"))
}
