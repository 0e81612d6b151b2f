package wire_test

import (
	"encoding/binary"
	"testing"

	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

var sink uint64

// orders are many frames, each where the next one of a buffer would be.
func orders(b *testing.B) []byte {
	order := goldenOf(b, gen.SchemaOrderEntry, gen.TemplateNewOrder)
	m := gen.AsNewOrder(order[wire.BlockAt:])
	*m = *plainOrder()
	var all []byte
	for i := range uint64(256) {
		m.SetClOrdID(i)
		all = append(all, order...)
	}
	return all
}

// BenchmarkCopy64 is the baseline of goal 16: 64 bytes from one place to another.
func BenchmarkCopy64(b *testing.B) {
	all := orders(b)
	var to [64]byte
	for i := range b.N {
		copy(to[:], all[i&255<<6:][:64])
		sink += binary.LittleEndian.Uint64(to[8:])
	}
}

// BenchmarkDecodeNewOrder is goal 16: from the frame to all fields read and checked.
func BenchmarkDecodeNewOrder(b *testing.B) {
	all := orders(b)
	b.ReportAllocs()
	for i := range b.N {
		size, _ := wire.NextFrame(all[i&255<<6:], wire.MaxInbound)
		o := wire.PlainOrder(all[i&255<<6:][:size])
		if o == nil {
			b.Fatal("not an order")
		}
		if _, flaw := o.Check(); flaw != 0 {
			b.Fatal("flaw")
		}
		sink += o.ClOrdID() + uint64(o.Price()) + uint64(o.Qty()) + o.SendingTime() + uint64(o.SeqNum()) + uint64(o.InstrumentID()) +
			uint64(o.AccountID()) + uint64(o.Side()) + uint64(o.OrdType()) + uint64(o.Tif()) + uint64(o.Stp()) + uint64(o.Flags())
	}
}

// BenchmarkNewOrderToRequest is the same, on to a request in ticks and lots.
func BenchmarkNewOrderToRequest(b *testing.B) {
	all := orders(b)
	var r msg.Request
	b.ReportAllocs()
	for i := range b.N {
		size, _ := wire.NextFrame(all[i&255<<6:], wire.MaxInbound)
		if no := wire.NewOrder(wire.PlainOrder(all[i&255<<6:][:size]), cents, &r); no.Reject != 0 {
			b.Fatal(no)
		}
		sink += uint64(r.Ref)
	}
}

// BenchmarkAnyToRequest is the way that every message may go.
func BenchmarkAnyToRequest(b *testing.B) {
	all := orders(b)
	var r msg.Request
	b.ReportAllocs()
	for i := range b.N {
		size, _ := wire.NextFrame(all[i&255<<6:], wire.MaxInbound)
		m, fault := wire.Open(all[i&255<<6:][:size])
		if no := wire.ToRequest(&m, 1, cents, &r); fault.Kind != 0 || no.Reject != 0 {
			b.Fatal(fault, no)
		}
		sink += uint64(r.Ref)
	}
}

// BenchmarkReport is W-78: an event as a frame.
func BenchmarkReport(b *testing.B) {
	env := &wire.Envelope{SeqNum: 1, Ingress: 2, Sending: 3, RefSeq: 4, Template: gen.TemplateNewOrder}
	c := msg.Limit(2, 3, msg.Sell, 100, 3)
	for _, kind := range []msg.EventKind{msg.Accepted, msg.Traded, msg.Canceled, msg.Rejected} {
		ev := &msg.Event{Kind: kind, Seq: 6, Time: 8, Order: 5, Ref: 77, Price: 100, Qty: 3, Account: 2, Instr: 3, Side: msg.Sell, Reject: msg.RejectNoMark}
		b.Run(kind.String(), func(b *testing.B) {
			buffer := make([]byte, 0, 256)
			b.ReportAllocs()
			for range b.N {
				out, _ := wire.AppendReport(buffer, ev, &c.Request, env, cents)
				sink += uint64(len(out))
			}
		})
	}
}
