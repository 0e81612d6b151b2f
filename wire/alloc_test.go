package wire_test

import (
	"testing"

	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// W-72, W-78: nothing on the way of a message allocates, be it sound or not.
func TestNothingAllocates(t *testing.T) {
	frames := goldens(t)
	var r msg.Request
	stream := wire.NewStream(1<<16, 1<<12)
	packer := wire.NewPacker(wire.SessionName{}, 1)
	buffer := make([]byte, 0, 1<<16)
	var events []msg.Event
	for kind := msg.EventKind(1); kind <= msg.Maintained; kind++ {
		events = append(events, msg.Event{Kind: kind, Seq: 1, Order: 2, Price: 100, Qty: 5, Account: 1, Instr: 1, Side: msg.Buy})
	}
	for name, work := range map[string]func(){
		"stream, open, request": func() {
			for _, frame := range frames {
				stream.Filled(copy(stream.Room(), frame))
				got, _ := stream.Next()
				m, _ := wire.Open(got)
				wire.ToRequest(&m, 1, cents, &r)
				wire.Head(&m)
			}
		},
		"damaged": func() {
			for _, frame := range frames {
				for cut := range frame {
					wire.NextFrame(frame[:cut], wire.MaxInbound)
					wire.Open(frame[:cut])
				}
			}
		},
		"frames": func() {
			out := buffer
			for _, frame := range frames {
				h := gen.ReadHeader((*[8]byte)(frame[6:]))
				out, _ = wire.AppendFrame(out, h)
			}
		},
		"reports": func() {
			for i := range events {
				wire.AppendReport(buffer, &events[i], &r, &wire.Envelope{}, cents)
			}
		},
		"datagrams": func() {
			for range 10 {
				block, _ := packer.Add(gen.Header{Block: 22, Template: gen.TemplateOrderDelete, Schema: gen.SchemaMarketData, Version: 1})
				gen.AsOrderDelete(block).SetTime(1)
			}
			d, _ := wire.OpenDatagram(packer.Datagram(), wire.MaxDatagram)
			for record := d.Record(); record != nil; record = d.Record() {
				wire.OpenRecord(record)
			}
		},
	} {
		if n := testing.AllocsPerRun(20, work); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
