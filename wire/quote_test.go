package wire_test

import (
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// TestQuoteOffTick rounds a price that is no multiple of a tick away from the other side, so that an entry crosses where its own prices do and
// nowhere else.
func TestQuoteOffTick(t *testing.T) { // W-03, W-51
	const none = msg.Reject(0)
	for _, c := range []struct {
		bid, ask     int64
		ticks        [2]fixed.Ticks
		bidNo, askNo msg.Reject
	}{
		{100, 110, [2]fixed.Ticks{10, 11}, none, none},
		{105, 110, [2]fixed.Ticks{10, 11}, msg.RejectOffTick, none},
		{100, 105, [2]fixed.Ticks{10, 11}, none, msg.RejectOffTick},
		{105, 100, [2]fixed.Ticks{10, 10}, msg.RejectOffTick, none},
		{5, 110, [2]fixed.Ticks{0, 11}, msg.RejectOffTick, none},
	} {
		frame, block := wire.AppendFrame(nil, gen.Header{Block: uint16(len(gen.MassQuote{})), Template: gen.TemplateMassQuote,
			Schema: gen.SchemaOrderEntry, Version: gen.VersionOrderEntry})
		gen.AsMassQuote(block).SetAccountID(7)
		frame, group := wire.AppendGroup(frame, 0, len(gen.MassQuoteEntry{}), 1)
		e := gen.AsMassQuoteEntry(group.At(0))
		e.SetBidPx(c.bid)
		e.SetBidQty(1)
		e.SetAskPx(c.ask)
		e.SetAskQty(1)
		e.SetInstrumentID(3)
		frame = wire.AppendData(frame, 0, nil)
		m, fault := wire.Open(frame)
		if fault.Kind != 0 {
			t.Fatal(fault)
		}
		var r msg.Request
		wire.QuoteEntry(&m, 0, &wire.Scale{Tick: 10, Lot: 1}, &r)
		if q := r.Quotation(); q.Bid != c.ticks[0] || q.Ask != c.ticks[1] || q.BidNo != c.bidNo || q.AskNo != c.askNo {
			t.Errorf("%d, %d become %s", c.bid, c.ask, &r)
		}
	}
}
