package market_test

import (
	"reflect"
	"testing"
	"unsafe"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// bound is a parameter, a value and the answer.
type bound struct {
	rule  msg.Rule
	value int64
	ok    bool
}

const (
	one       = int64(fixed.One)
	hundredth = int64(fixed.Percent)
	highest   = fixed.MaxInt64
)

// TestLiquidationBounds goes over the bounds of each parameter of a liquidation, one unit inside and one outside; what is
// refused leaves no trace.
func TestLiquidationBounds(t *testing.T) { // M-28, M-31, M-48, M-50, I-26
	for _, b := range []bound{
		{msg.LiqFraction, 0, false}, {msg.LiqFraction, 1, true}, {msg.LiqFraction, one, true}, {msg.LiqFraction, one + 1, false},
		{msg.LiqFull, 0, true}, {msg.LiqFull, -1, false}, {msg.LiqFull, highest, true},
		{msg.LiqMin, 0, false}, {msg.LiqMin, 1, true}, {msg.LiqCap, 0, false}, {msg.LiqCap, 1, true},
		{msg.LiqBookShare, 0, false}, {msg.LiqBookShare, one, true}, {msg.LiqBookShare, one + 1, false},
		{msg.LiqFee, 0, true}, {msg.LiqFee, one - 1, true}, {msg.LiqFee, one, false},
		{msg.LiqSpread, 0, true}, {msg.LiqSpread, one, true}, {msg.LiqSpread, one + 1, false},
		{msg.LiqAdjust, 0, true}, {msg.LiqAdjust, int64(market.MaxRate), true}, {msg.LiqAdjust, int64(market.MaxRate) + 1, false},
		{msg.CollateralHaircut, 0, true}, {msg.CollateralHaircut, one, true}, {msg.CollateralHaircut, one + 1, false},
		{msg.IsolatedNoRemove, 0, true}, {msg.IsolatedNoRemove, 1, true}, {msg.IsolatedNoRemove, 2, false},
		{msg.InterestLow, 5, true}, {msg.InterestHigh, 5, true}, {msg.LadderCall1, one, false}, {msg.SweepLimit, 5, false},
	} {
		in := listed(t)
		before := *in
		r := in.SetRule(msg.Setting{Rule: b.rule, Value: b.value})
		if (r == 0) != b.ok || r != 0 && (*in != before || r != msg.RejectInvalidParameter) {
			t.Errorf("%s = %d: %q", b.rule, b.value, r.Name())
		}
	}
}

// TestInterestBounds holds that the lower bound of the open interest stays below the upper one, and that only an upper one
// makes initial depend on it.
func TestInterestBounds(t *testing.T) { // M-10
	in := listed(t)
	in.SetMark(100)
	if in.Asks&market.AskOthers != 0 || in.InitialLot == 0 {
		t.Fatal("a plain instrument asks for what others hold")
	}
	for _, s := range []struct {
		bound
		asks bool
	}{
		{bound{msg.InterestLow, 10, true}, false}, {bound{msg.InterestHigh, 10, false}, false}, {bound{msg.InterestHigh, 11, true}, true},
		{bound{msg.InterestLow, 11, false}, true}, {bound{msg.InterestLow, 0, true}, true}, {bound{msg.InterestHigh, 0, true}, false},
	} {
		r := in.SetRule(msg.Setting{Rule: s.rule, Value: s.value})
		if asks := in.Asks&market.AskOthers != 0; (r == 0) != s.ok || asks != s.asks || asks != (in.InitialLot == 0) {
			t.Errorf("%s = %d: %q, asks %v", s.rule, s.value, r.Name(), asks)
		}
	}
}

// TestConcentrationComesAsOneTable holds that a table takes effect with its last row, that a row out of turn is refused
// without harm, and how the table goes away.
func TestConcentrationComesAsOneTable(t *testing.T) { // M-11
	in := listed(t)
	in.SetMark(100)
	row := func(index int, share, rate int64, last bool) msg.Concentration {
		return msg.Concentration{Index: uint8(index), Share: fixed.Rate(share), Rate: fixed.Rate(rate), Last: last}
	}
	for i, s := range []struct {
		row   msg.Concentration
		ok    bool
		count uint8
	}{
		{row(1, 5, 5, true), false, 0}, // out of turn
		{row(0, 25*hundredth, 5*hundredth, false), true, 0},
		{row(1, 25*hundredth, 6*hundredth, true), false, 0},   // share does not rise
		{row(1, 30*hundredth, 5*hundredth-1, true), false, 0}, // rate falls
		{row(2, 30*hundredth, 6*hundredth, true), false, 0},   // out of turn
		{row(1, 30*hundredth, 5*hundredth, true), true, 2},    // in force
		{row(1, 40*hundredth, 5*hundredth, true), false, 2},   // nothing is staged
		{row(0, one+1, 1, true), false, 2},                    // share above all
		{row(0, 1, one+1, true), false, 2},                    // rate above all
		{row(0, -1, 1, true), false, 2},                       // below 0
		{row(0, 1, -1, true), false, 2},                       // below 0
		{row(market.MaxShares, one, one, true), false, 2},     // too many
		{row(0, 0, 0, true), true, 0},                         // gone
		{row(0, 0, one, true), true, 1},                       // for everybody
		{row(0, 10*hundredth, 1*hundredth, false), true, 1},   // begun
		{row(0, 20*hundredth, 2*hundredth, true), true, 1},    // and begun anew
	} {
		before := *in
		r := in.SetConcentration(s.row)
		if (r == 0) != s.ok || in.Crowding.Count != s.count || r != 0 && *in != before {
			t.Fatalf("step %d: %q, %d rows", i, r.Name(), in.Crowding.Count)
		}
		if asks := in.Asks&market.AskOthers != 0; asks != (s.count > 0) || asks != (in.InitialLot == 0) {
			t.Fatalf("step %d: asks %v with %d rows", i, asks, s.count)
		}
	}
	if in.Crowding.Rows != [market.MaxShares]market.Share{{Share: fixed.Rate(20 * hundredth), Rate: fixed.Rate(2 * hundredth)}} {
		t.Errorf("rows %+v", in.Crowding.Rows)
	}
	for i := range market.MaxShares {
		if r := in.SetConcentration(row(i, int64(i), int64(i), i == market.MaxShares-1)); r != 0 {
			t.Fatalf("row %d: %s", i, r.Name())
		}
	}
	if in.Crowding.Count != market.MaxShares {
		t.Errorf("%d rows, want %d", in.Crowding.Count, market.MaxShares)
	}
}

// TestDistressBounds goes over the bounds of the venue's parameters for pools in distress, and the order of the ladder's
// thresholds.
func TestDistressBounds(t *testing.T) { // M-46 to M-48, M-52, M-53, M-56, M-58, I-26
	top := int64(market.MaxRate)
	for _, b := range []bound{
		{msg.LadderCall1, 125 * hundredth, true}, {msg.LadderCall1, 125*hundredth - 1, false},
		{msg.LadderCall1, 160 * hundredth, true}, {msg.LadderCall1, 160*hundredth + 1, false},
		{msg.LadderCall1Exit, 150 * hundredth, true}, {msg.LadderCall1Exit, 150*hundredth - 1, false},
		{msg.LadderCall1Exit, top, true}, {msg.LadderCall1Exit, top + 1, false},
		{msg.LadderCall2, one, true}, {msg.LadderCall2, one - 1, false},
		{msg.LadderCall2, 135 * hundredth, true}, {msg.LadderCall2, 135*hundredth + 1, false},
		{msg.LadderCall2Exit, 125 * hundredth, true}, {msg.LadderCall2Exit, 125*hundredth - 1, false},
		{msg.LadderCall2Exit, 160 * hundredth, true}, {msg.LadderCall2Exit, 160*hundredth + 1, false},
		{msg.LadderTarget, one, true}, {msg.LadderTarget, one - 1, false}, {msg.LadderTarget, top, true}, {msg.LadderTarget, top + 1, false},
		{msg.LadderCall1Deadline, 0, false}, {msg.LadderCall1Deadline, 1, true},
		{msg.LadderCall1Deadline, int64(market.LongestPeriod) + 1, false},
		{msg.LiqStep, int64(market.ShortestPeriod), true}, {msg.LiqStep, int64(market.ShortestPeriod) - 1, false},
		{msg.LiqStep, int64(market.LongestPeriod), true}, {msg.LiqStep, int64(market.LongestPeriod) + 1, false},
		{msg.LiqStall, 0, false}, {msg.LiqStall, 1, true},
		{msg.FundEventCap, 0, true}, {msg.FundEventCap, highest, true}, {msg.FundEventCap, -1, false},
		{msg.FundDayCap, 0, true}, {msg.FundMin, 1, true}, {msg.FundInventory, 0, true},
		{msg.FundRange, 0, true}, {msg.FundRange, one - 1, true}, {msg.FundRange, one, false},
		{msg.AdlBand, 0, true}, {msg.AdlBand, one, true}, {msg.AdlBand, one + 1, false},
		{msg.SweepLimit, 0, false}, {msg.SweepLimit, 1, true}, {msg.SweepLimit, market.MaxSweep, true}, {msg.SweepLimit, market.MaxSweep + 1, false},
		{msg.WireFunding, 0, true}, {msg.WireFunding, one, true}, {msg.WireFunding, one + 1, false},
		{msg.LiqFee, 1, false},
	} {
		v := market.NewVenue()
		before := v
		r := v.SetRule(msg.Setting{Rule: b.rule, Value: b.value})
		if (r == 0) != b.ok || r != 0 && (v != before || r != msg.RejectInvalidParameter) {
			t.Errorf("%s = %d: %q", b.rule, b.value, r.Name())
		}
	}
}

// TestRareHash changes every word of the structs that hold the rare parameters, and asks for another hash.
func TestRareHash(t *testing.T) {
	sum := func(h interface{ Hash(*fixed.Digest) }) uint64 {
		var d fixed.Digest
		h.Hash(&d)
		return d.Sum()
	}
	in := listed(t)
	crowd := func(index uint8, last bool) {
		in.SetConcentration(msg.Concentration{Index: index, Share: fixed.Rate(index + 1), Rate: 1, Last: last})
	}
	crowd(0, false)
	crowd(1, true)
	crowd(0, false) // one waits
	v := market.NewVenue()
	for _, part := range []struct {
		name string
		typ  reflect.Type
		at   unsafe.Pointer
		of   interface{ Hash(*fixed.Digest) }
	}{
		{"Liquidation", reflect.TypeFor[market.Liquidation](), unsafe.Pointer(&in.Liquidation), in},
		{"Crowding", reflect.TypeFor[market.Crowding](), unsafe.Pointer(&in.Crowding), in},
		{"Ladder", reflect.TypeFor[market.Ladder](), unsafe.Pointer(&v.Ladder), &v},
		{"Fund", reflect.TypeFor[market.Fund](), unsafe.Pointer(&v.Fund), &v},
		{"Sweep", reflect.TypeFor[market.Sweep](), unsafe.Pointer(&v.Sweep), &v},
	} {
		for i := range part.typ.NumField() {
			word := (*byte)(unsafe.Add(part.at, part.typ.Field(i).Offset))
			before := sum(part.of)
			*word ^= 1
			if sum(part.of) == before {
				t.Errorf("the hash does not see %s.%s", part.name, part.typ.Field(i).Name)
			}
			*word ^= 1
		}
	}
	second := in.Crowding.Rows[1]
	before := sum(in)
	in.Crowding.Rows[1].Rate++
	if sum(in) == before || second == in.Crowding.Rows[1] {
		t.Error("the hash does not see the rate of a row")
	}
}
