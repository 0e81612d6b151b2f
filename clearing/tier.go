package clearing

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Fee tiers: who trades much pays less. Where the venue has a table of them, the row of an owner replaces the fee rates of
// every instrument (M-44). It is the last row whose volume is not above his own, which is what all his accounts traded in
// the thirty days before the last day cut; each side of a trade counts for its own. Volume counts from the first table on.
//
//	days    [ d-30 ][ d-29 ] ... [ d-1 ] | today
//	          \________ volume ________/   counts from tomorrow on
//
// The ring is turned when an owner trades, or the day's work comes to him, by as many days as have passed. Who only asks
// turns a copy.

// MaxFeeTiers is how many rows a table of fee tiers may have.
const MaxFeeTiers = 16

// volumeDays is how many days count.
const volumeDays = 30

// feeTable is a table of fee tiers.
type feeTable struct {
	rows  [MaxFeeTiers]feeTier
	count uint8
}

type feeTier struct {
	volume fixed.Money
	fees   msg.Fees
}

// volume is what an owner traded.
type volume struct {
	days  [volumeDays]fixed.Money // by day modulo the ring; that of today is in now
	now   fixed.Money
	sum   fixed.Money // of days
	today int64       // which day now is of
	row   uint8       // of the fee tiers, as it was told last
}

// SetFeeTier stages one row of the fee tiers; the last one puts the table into force. Volumes rise from 0; no row pays a
// taker, and no maker of one row is paid more than the taker of any other pays (M-45).
func (h *House) SetFeeTier(t msg.FeeTier) msg.Reject {
	s := &h.staged
	if int(t.Index) >= MaxFeeTiers || t.Index != 0 && t.Index != s.count || !t.Last && int(t.Index) == MaxFeeTiers-1 ||
		(t.Volume == 0) != (t.Index == 0) || t.Volume < 0 || t.Index != 0 && t.Volume <= s.rows[t.Index-1].volume ||
		t.Fees.Taker < 0 || t.Fees.Taker > fixed.One || t.Fees.Maker > fixed.One || t.Fees.Maker < -fixed.One {
		return msg.RejectInvalidParameter
	}
	least := t.Fees
	for i := range s.rows[:t.Index] {
		least.Maker, least.Taker = min(least.Maker, s.rows[i].fees.Maker), min(least.Taker, s.rows[i].fees.Taker)
	}
	if least.Maker+least.Taker < 0 {
		return msg.RejectInvalidParameter
	}
	s.rows[t.Index], s.count = feeTier{t.Volume, t.Fees}, t.Index+1
	if t.Last {
		h.tiers, h.staged, h.tiered = *s, feeTable{}, true
	}
	return 0
}

// Tiered reports whether the venue has fee tiers.
func (h *House) Tiered() bool { return h.tiered }

// FeesOf are the fee rates of an owner; the venue has fee tiers.
func (h *House) FeesOf(owner msg.OwnerID) msg.Fees {
	v := h.volumes[owner]
	v.turn(h.day)
	return h.tiers.rows[h.tiers.row(v.sum)].fees
}

// ReserveOf is the rate that an order of an owner sets aside for its fee (M-14); the venue has fee tiers.
func (h *House) ReserveOf(owner msg.OwnerID) fixed.Rate {
	f := h.FeesOf(owner)
	return max(0, f.Maker, f.Taker)
}

// ChangedTier brings the volume of an owner up to date and reports whether his row is another than was told last.
func (h *House) ChangedTier(owner msg.OwnerID) (s msg.TierStep, changed bool) {
	v := &h.volumes[owner]
	v.turn(h.day)
	row := h.tiers.row(v.sum)
	changed = row != v.row
	v.row = row
	return msg.TierStep{Owner: owner, Row: row, Volume: v.sum}, changed
}

// ChargeOwners is Charge where the venue has fee tiers, by the rates of both owners; each side of a trade between two of them
// adds to its volume.
//
//go:noinline
func (h *House) ChargeOwners(n fixed.Money, taker, maker msg.OwnerID) (takerFee, makerFee fixed.Money) {
	takerFee, makerFee = charge(n, h.FeesOf(taker).Taker, h.FeesOf(maker).Maker, taker == maker)
	if taker != maker {
		h.volumes[taker].add(h.day, n)
		h.volumes[maker].add(h.day, n)
	}
	return takerFee, makerFee
}

// add adds a trade of notional n to the volume of a day.
func (v *volume) add(day int64, n fixed.Money) {
	v.turn(day)
	v.now = sum(v.now, n)
}

// turn brings the ring to a day.
func (v *volume) turn(day int64) {
	if v.today == day {
		return
	}
	v.days[v.today%volumeDays] = v.now
	v.now = 0
	for d := v.today + 1; d < min(day, v.today+1+volumeDays); d++ {
		v.days[d%volumeDays] = 0
	}
	v.today, v.sum = day, 0
	for _, m := range v.days {
		v.sum = sum(v.sum, m)
	}
}

// sum is a + b, both from 0 on, or the highest Money: volume of that size is in the last row anyway.
func sum(a, b fixed.Money) fixed.Money {
	if a > fixed.MaxInt64-b {
		return fixed.MaxInt64
	}
	return a + b
}

// row is the last row whose volume is not above one.
func (t *feeTable) row(volume fixed.Money) (row uint8) {
	for row+1 < t.count && t.rows[row+1].volume <= volume {
		row++
	}
	return row
}

func (t *feeTable) hash(d *fixed.Digest) {
	d.Word(uint64(t.count))
	for i := range t.rows[:t.count] {
		r := &t.rows[i]
		d.Word(uint64(r.volume))
		d.Word(uint64(r.fees.Maker))
		d.Word(uint64(r.fees.Taker))
	}
}

// hash folds the volume into d; that of an owner who never traded is nothing.
func (v *volume) hash(d *fixed.Digest) {
	if v.now|v.sum == 0 && v.row == 0 {
		return
	}
	for _, m := range v.days {
		d.Word(uint64(m))
	}
	d.Word(uint64(v.now))
	d.Word(uint64(v.today))
	d.Word(uint64(v.row))
}
