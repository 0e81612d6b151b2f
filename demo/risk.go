package demo

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// What the report says of risk: the prices that margin rests on, funding, and who was called and sold.

// Oracle is the index and the mark. Prices are USDT.
type Oracle struct {
	Sources  int    `json:"sources"`
	Steps    int64  `json:"steps"`    // how often the index moved
	Marks    int64  `json:"marks"`    // how often the mark did
	Degraded int64  `json:"degraded"` // how often most sources agreed, and not all
	Frozen   int64  `json:"frozen"`   // how often fewer did
	Health   string `json:"health"`   // at the end
	Index    string `json:"index"`
	Mark     string `json:"mark"`
}

// Funding is what longs and shorts paid each other, in USDT.
type Funding struct {
	Payments int    `json:"payments"`
	Rate     string `json:"rate"` // of the last one, per one
	Paid     string `json:"paid"` // by accounts that were touched since
	Received string `json:"received"`
}

// Margin is who stands where on the ladder, and what has come of it. Money is USDT.
type Margin struct {
	Cross       int64   `json:"cross"`    // accounts with a position at the end, margined by all they have
	Isolated    int64   `json:"isolated"` // or by what lies beside it
	OK          int64   `json:"ok"`       // these, by rung
	Call1       int64   `json:"call1"`
	Call2       int64   `json:"call2"`
	Liquidating int64   `json:"liquidating"`
	Nearest     []Range `json:"nearest"` // these, by how far the mark is from where they are liquidated

	Calls1    int64  `json:"first_calls"`
	Calls2    int64  `json:"second_calls"`
	Cleared   int64  `json:"calls_cleared"`
	Started   int64  `json:"liquidations"`
	Ended     int64  `json:"liquidations_ended"`
	Slices    int64  `json:"slices"`
	Sold      string `json:"sliced_btc"`
	Fees      string `json:"liquidation_fees"`
	Takeovers int64  `json:"takeovers"`
	ADL       int64  `json:"adl"`       // pools that were closed against winners
	Fills     int64  `json:"adl_fills"` // winners
	Before    string `json:"fund_before"`
	After     string `json:"fund_after"`
}

// Range is how many accounts lie within a range of distances.
type Range struct {
	Distance string `json:"distance"`
	Accounts int    `json:"accounts"`
}

// risk reports what was told of risk.
func (r *run) risk(p *Report) {
	v := r.view
	o, l, t := &v.oracle, &v.ladder, &v.tally
	p.Oracle = Oracle{Sources: sources, Steps: o.steps, Marks: t.kinds[msg.MarkUpdated], Degraded: o.degraded, Frozen: o.frozen,
		Health: o.health.String(), Index: cents(o.index.String()), Mark: usdt(v.instrument.Mark)}
	p.Funding = Funding{Payments: v.payments, Rate: fixed.Money(v.rate / 1000).String(), Paid: v.paid.String(), Received: v.received.String()}
	stand := v.stand()
	p.Margin = Margin{OK: stand.ok, Call1: stand.call1, Call2: stand.call2, Liquidating: stand.liquidating, Nearest: []Range{},
		Calls1: l.calls[msg.RungCall1], Calls2: l.calls[msg.RungCall2], Cleared: l.cleared, Started: l.calls[msg.RungLiquidating],
		Ended: l.ended, Slices: l.slices, Sold: btc(l.sold), Fees: l.fees.String(), Takeovers: l.calls[msg.RungTakeover],
		ADL: l.adl, Fills: l.fills, Before: fundPaidIn.String(), After: r.engine.VenueAccounts().Fund.String()}
	for id := range v.accounts[1:] {
		switch a := &v.accounts[id+1]; {
		case a.exposure.Qty == 0:
		case a.isolated:
			p.Margin.Isolated++
		default:
			p.Margin.Cross++
		}
	}
	var s survey
	s.whole(v)
	for i, n := range s.distances {
		if n > 0 {
			p.Margin.Nearest = append(p.Margin.Nearest, Range{boundNames[i], n})
		}
	}
}
