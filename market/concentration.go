package market

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// What raises an instrument's initial margin by what others hold: open interest as a whole (M-10), and an owner's share of
// it (M-11). Maintenance never depends on either. Both are off in a new instrument.
//
//	interest   rate          share of it     rate added
//	0  .. Low  tiers alone   0    .. 25 %    0
//	Low.. High rises         25 % .. 40 %    5 %
//	High..     100 %         40 % ..         9 %

// MaxShares is how many rows a concentration table may have.
const MaxShares = 8

// Share is one row of a concentration table: its rate holds from Share on, up to the next row's.
type Share struct {
	Share fixed.Rate // of the open interest
	Rate  fixed.Rate // added to initial
}

// Crowding is what raises initial margin.
type Crowding struct {
	Low, High fixed.Money // value of the open interest; High 0: off
	Rows      [MaxShares]Share
	next      [MaxShares]Share // the first staged are waiting for the last
	Count     uint8            // rows in force
	staged    uint8
}

// SetConcentration stages one row of the concentration table; the last one puts the staged table into force. Shares must
// rise from row to row, rates must not fall, neither may exceed 100 %. A single row of 0 and 0 is no table.
func (in *Instrument) SetConcentration(c msg.Concentration) msg.Reject {
	o, i := &in.Crowding, int(c.Index)
	if i >= MaxShares || i != 0 && i != int(o.staged) || c.Share < 0 || c.Share > fixed.One || c.Rate < 0 || c.Rate > fixed.One ||
		i != 0 && (c.Share <= o.next[i-1].Share || c.Rate < o.next[i-1].Rate) {
		return msg.RejectInvalidParameter
	}
	o.next[i] = Share{c.Share, c.Rate}
	o.staged = uint8(i) + 1
	if !c.Last {
		return 0
	}
	o.Rows, o.Count = [MaxShares]Share{}, 0
	if i != 0 || c.Rate != 0 {
		copy(o.Rows[:], o.next[:o.staged])
		o.Count = o.staged
	}
	o.next, o.staged = [MaxShares]Share{}, 0
	in.derive()
	return 0
}

// setInterest sets where open interest begins to raise initial, or where it has raised it to 100 %. Of two that are set
// the first is the lower; to move both up, the upper one goes first.
func (o *Crowding) setInterest(s msg.Setting) msg.Reject {
	low, high := o.Low, o.High
	if s.Rule == msg.InterestLow {
		low = fixed.Money(s.Value)
	} else {
		high = fixed.Money(s.Value)
	}
	if high != 0 && low >= high {
		return msg.RejectInvalidParameter
	}
	o.Low, o.High = low, high
	return 0
}

// floats reports whether initial margin depends on what others hold.
func (o *Crowding) floats() bool { return o.High != 0 || o.Count != 0 }

func (o *Crowding) hash(d *fixed.Digest) {
	d.Word(uint64(o.Low))
	d.Word(uint64(o.High))
	d.Word(uint64(o.Count) | uint64(o.staged)<<8)
	for _, rows := range [...][]Share{o.Rows[:o.Count], o.next[:o.staged]} {
		for _, r := range rows {
			d.Word(uint64(r.Share))
			d.Word(uint64(r.Rate))
		}
	}
}
