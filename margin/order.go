package margin

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

const spot = msg.Spot

// Terms are what an order sets aside per lot, fixed when it is accepted (M-14).
type Terms struct {
	Loss fixed.Ticks // how far the limit lies on the losing side of the mark; of a spot buy the whole limit, of a sell of collateral what it counts above the limit
	Fee  uint32      // a Rate up to One: the higher of taker and maker, at least 0; of a spot sell mostly 0: proceeds pay it
}

// TermsOf are the terms of an order of side at limit, at the present mark and the instrument's fees.
func TermsOf(in *market.Instrument, side msg.Side, limit fixed.Ticks) Terms {
	return TermsAt(in, side, limit, in.Reserve)
}

// TermsAt is TermsOf for who pays fee at most.
func TermsAt(in *market.Instrument, side msg.Side, limit fixed.Ticks, fee fixed.Rate) Terms {
	if Margined(in) {
		sell := -fixed.Ticks(side >> 1)
		loss := (limit - in.Mark ^ sell) - sell // of a sell the other way round
		return Terms{Loss: max(0, loss), Fee: uint32(fee)}
	}
	switch {
	case side == msg.Buy:
		return Terms{Loss: limit, Fee: uint32(fee)}
	case Pledged(in):
		return surrender(in, limit, fee)
	}
	return Terms{}
}

// ReservePlain is what lots lots of an order of a side at limit, worth n there, set aside, and the Loss of its terms: TermsOf and
// ReserveOf at once. The instrument is plain, and the order within its Spans and PlainQty.
func ReservePlain(in *market.Instrument, side msg.Side, limit fixed.Ticks, lots fixed.Lots, n fixed.Money) (m fixed.Money, loss fixed.Ticks) {
	sell := -int64(side >> 1) // all ones for a sell
	against := (int64(limit-in.Mark) ^ sell) - sell
	loss = fixed.Ticks(against &^ (against >> 63))
	m, _ = in.Reserve.CeilShort(n)
	return m + fixed.Money(int64(lots)*int64(loss)*int64(in.TickLot)), loss
}

// Reserve is what leaves lots of an order at limit set aside: leaves·loss·tick-lot + Ceil(leaves·limit·tick-lot·fee).
func (t Terms) Reserve(in *market.Instrument, leaves fixed.Lots, limit fixed.Ticks) (m fixed.Money, ok bool) {
	n, ok := fixed.NotionalShort(leaves, limit, in.TickLot)
	if !ok {
		return 0, false
	}
	return t.ReserveOf(in, leaves, n)
}

// ReserveOf is Reserve for leaves lots whose notional at the limit is n.
func (t Terms) ReserveOf(in *market.Instrument, leaves fixed.Lots, n fixed.Money) (m fixed.Money, ok bool) {
	if m, ok = fixed.Rate(t.Fee).CeilShort(n); !ok {
		if m, ok = fixed.Rate(t.Fee).Ceil(n); !ok {
			return 0, false
		}
	}
	if t.Loss == 0 {
		return m, true
	}
	lost, ok := fixed.NotionalShort(leaves, t.Loss, in.TickLot)
	return m + lost, ok && m <= fixed.MaxInt64-lost
}
