package wire_test

import (
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

var cents = &wire.Scale{Tick: 5, Lot: 10, PriceExp: -2, QtyExp: -3}

// plainOrder is an order that is well.
func plainOrder() *gen.NewOrder {
	m := new(gen.NewOrder)
	m.SetClOrdID(77)
	m.SetPrice(5_000)
	m.SetQty(30)
	m.SetInstrumentID(3)
	m.SetAccountID(9)
	m.SetSide(gen.SideSell)
	m.SetOrdType(gen.OrdTypeLimit)
	return m
}

func TestNewOrder(t *testing.T) {
	for _, c := range []struct {
		name string
		set  func(m *gen.NewOrder)
		want string // the request as it prints
	}{
		{"limit", func(m *gen.NewOrder) {}, "Limit ref=77 account=9 instr=3 sell 3@1000 gtc"},
		{"all that is carried", func(m *gen.NewOrder) {
			m.SetTif(gen.TimeInForceIOC)
			m.SetStp(gen.SelfTradeDecrement)
			m.SetFlags(gen.OrderFlagsPostOnly | gen.OrderFlagsPostOnlySlide | gen.OrderFlagsReduceOnly | gen.OrderFlagsIsolated)
		}, "Limit ref=77 account=9 instr=3 sell 3@1000 ioc stp=decrement post-only+slide+reduce-only+isolated"},
		{"a price below zero", func(m *gen.NewOrder) { m.SetPrice(-25); m.SetSide(gen.SideBuy) }, "Limit ref=77 account=9 instr=3 buy 3@-5 gtc"},
		{"market", func(m *gen.NewOrder) {
			m.SetOrdType(gen.OrdTypeMarket)
			m.SetPrice(wire.None)
			m.SetTif(gen.TimeInForceIOC)
		},
			"Market ref=77 account=9 instr=3 sell 3 ioc"},
		{"that persists", func(m *gen.NewOrder) {
			m.SetFlags(gen.OrderFlagsPersistOnDisconnect | gen.OrderFlagsIsolated | gen.OrderFlagsReduceOnly)
		},
			"Limit ref=77 account=9 instr=3 sell 3@1000 gtc reduce-only+isolated+persist"},
		{"market with protection", func(m *gen.NewOrder) { m.SetOrdType(gen.OrdTypeMarket); m.SetTif(gen.TimeInForceFOK) },
			"Market ref=77 account=9 instr=3 sell 3 fok protect=1000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := plainOrder()
			c.set(m)
			r := msg.Request{Time: 5, Order: 6, Session: 7}
			if no := wire.NewOrder(m, cents, &r); no.Reject != 0 || r.String() != c.want {
				t.Errorf("got %s, %s, want %s", r.String(), no.Reject.Name(), c.want)
			}
		})
	}
}

func TestNewOrderIsRefused(t *testing.T) {
	for _, c := range []struct {
		name string
		set  func(m *gen.NewOrder)
		want wire.Refusal
	}{
		{"no side", func(m *gen.NewOrder) { m.SetSide(0) }, no(msg.RejectValueOutOfRange, 7, wire.None, wire.None)},
		{"reserved bit", func(m *gen.NewOrder) { m.SetFlags(1 << 10); m.SetSide(0) }, no(msg.RejectReservedBits, 11, wire.None, wire.None)},
		{"display quantity", func(m *gen.NewOrder) { m.SetFlags(gen.OrderFlagsDisplayQtyInUse) }, no(msg.RejectReservedBits, 11, wire.None, wire.None)},
		{"GTD without a time", func(m *gen.NewOrder) { m.SetTif(gen.TimeInForceGTD) }, no(msg.RejectValueOutOfRange, 9, wire.None, 3)},
		{"no quantity", func(m *gen.NewOrder) { m.SetQty(0) }, no(msg.RejectValueOutOfRange, 2, 1, 0)},
		{"no price", func(m *gen.NewOrder) { m.SetPrice(wire.None) }, no(msg.RejectValueOutOfRange, 1, wire.None, wire.None)},
		{"stop", func(m *gen.NewOrder) { m.SetOrdType(gen.OrdTypeStopLimit) }, no(msg.RejectNotSupported, 8, wire.None, 4)},
		{"close", func(m *gen.NewOrder) { m.SetFlags(gen.OrderFlagsClosePosition) }, no(msg.RejectNotSupported, 11, 0x37, 8)},
		{"off tick", func(m *gen.NewOrder) { m.SetPrice(5_001) }, no(msg.RejectOffTick, 1, 5, 5_001)},
		{"off lot", func(m *gen.NewOrder) { m.SetQty(31) }, no(msg.RejectOffLot, 2, 10, 31)},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := plainOrder()
			c.set(m)
			var r msg.Request
			if got := wire.NewOrder(m, cents, &r); got != c.want {
				t.Errorf("got %+v (%s), want %+v", got, got.Reject.Name(), c.want)
			}
		})
	}
}

func no(reject msg.Reject, field uint8, limit, actual int64) wire.Refusal {
	return wire.Refusal{Reject: reject, Field: field, Limit: limit, Actual: actual}
}

func TestNewOrderExt(t *testing.T) {
	extended := func() *gen.NewOrderExt {
		m := new(gen.NewOrderExt)
		copy(m[:50], plainOrder()[:])
		return m
	}
	for _, c := range []struct {
		name string
		set  func(m *gen.NewOrderExt)
		want string
	}{
		{"plain", func(m *gen.NewOrderExt) {}, "Place ref=77 account=9 instr=3 sell 3@1000 gtc min=0 expire=0"},
		{"good till", func(m *gen.NewOrderExt) { m.SetTif(gen.TimeInForceGTD); m.SetExpireTime(123) },
			"Place ref=77 account=9 instr=3 sell 3@1000 gtd min=0 expire=123"},
		{"minimum", func(m *gen.NewOrderExt) { m.SetMinQty(20); m.SetExpireTime(wire.NoTime) }, "Place ref=77 account=9 instr=3 sell 3@1000 gtc min=2 expire=0"},
		{"market", func(m *gen.NewOrderExt) { m.SetOrdType(gen.OrdTypeMarket); m.SetTif(gen.TimeInForceIOC) },
			"Market ref=77 account=9 instr=3 sell 3 ioc protect=1000"},
		{"peg", func(m *gen.NewOrderExt) { m.SetPegRef(gen.PegReferenceMid) }, "NotSupported 13"},
		{"trigger", func(m *gen.NewOrderExt) { m.SetTriggerPx(5) }, "NotSupported 15"},
		{"iceberg", func(m *gen.NewOrderExt) { m.SetDisplayQty(10) }, "NotSupported 16"},
		{"link", func(m *gen.NewOrderExt) { m.SetLinkID(10) }, "NotSupported 20"},
		{"tag", func(m *gen.NewOrderExt) { m.SetStrategyTag(1) }, "NotSupported 21"},
		{"group", func(m *gen.NewOrderExt) { m.SetMmpGroup(1) }, "NotSupported 22"},
		{"an odd minimum", func(m *gen.NewOrderExt) { m.SetMinQty(11) }, "OffLot 17"},
		{"expiry without GTD", func(m *gen.NewOrderExt) { m.SetExpireTime(5) }, "ValueOutOfRange 18"},
		{"GTD without expiry", func(m *gen.NewOrderExt) { m.SetTif(gen.TimeInForceGTD); m.SetExpireTime(wire.NoTime) }, "ValueOutOfRange 18"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := extended()
			c.set(m)
			var r msg.Request
			check(t, wire.NewOrderExt(m, cents, &r), &r, c.want)
		})
	}
}

// check compares a refusal, as name and field, or the request.
func check(t *testing.T, no wire.Refusal, r *msg.Request, want string) {
	t.Helper()
	got := r.String()
	if no.Reject != 0 {
		got = no.Reject.Name() + " " + string(appendNumber(nil, no.Field))
	}
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func appendNumber(dst []byte, n uint8) []byte {
	if n >= 10 {
		dst = appendNumber(dst, n/10)
	}
	return append(dst, '0'+n%10)
}

func TestReplaceAndCancel(t *testing.T) {
	replace := new(gen.Replace)
	replace.SetClOrdID(78)
	replace.SetOrderID(1<<32 | 5)
	replace.SetPrice(105)
	replace.SetQty(40)
	replace.SetInstrumentID(3)
	replace.SetFlags(gen.ReplaceFlagsQtyIsLeaves)
	var r msg.Request
	check(t, wire.Replace(replace, cents, &r), &r, "Amend ref=78 instr=3 order=1:5 4@21 leaves")
	replace.SetFlags(1)
	check(t, wire.Replace(replace, cents, &r), &r, "ReservedBits 7")

	cancel := new(gen.Cancel)
	cancel.SetClOrdID(79)
	cancel.SetOrderID(5)
	cancel.SetInstrumentID(3)
	check(t, wire.Cancel(cancel, &r), &r, "Cancel ref=79 instr=3 order=0:5")
	cancel.SetFlags(gen.CancelFlagsByClOrdID)
	check(t, wire.Cancel(cancel, &r), &r, "ValueOutOfRange 1")
	cancel.SetOrderID(0)
	cancel.SetOrigClOrdID(77)
	check(t, wire.Cancel(cancel, &r), &r, "NotSupported 5")
}

func TestControls(t *testing.T) {
	var r msg.Request
	mass := new(gen.MassCancel)
	mass.SetRequestID(80)
	mass.SetScope(gen.ScopeAccount)
	mass.SetAccountID(9)
	mass.SetInstrumentID(3)
	mass.SetSide(gen.SideFilterBuy)
	check(t, wire.MassCancel(mass, 4, &r), &r, "CancelAll ref=80 account=9 instr=3 buy")
	mass.SetScope(gen.ScopeFirm)
	check(t, wire.MassCancel(mass, 4, &r), &r, "NotSupported 5")

	entry := new(gen.EntryControl)
	entry.SetRequestID(81)
	entry.SetAction(gen.EntryActionBlockAndCancel)
	entry.SetScope(gen.ScopeFirm)
	check(t, wire.EntryControl(entry, 4, &r), &r, "SetEntry ref=81 block-and-cancel scope=owner owner=4")

	dead := new(gen.DeadMan)
	dead.SetRequestID(83)
	dead.SetAccountID(9)
	for _, c := range []struct {
		deadline uint64
		want     string
	}{{5, "SetDeadMan ref=83 account=9 deadline=5"}, {0, "SetDeadMan ref=83 account=9 deadline=0"}, {wire.NoTime, "SetDeadMan ref=83 account=9 deadline=0"},
		{1<<63 - 1, "SetDeadMan ref=83 account=9 deadline=9223372036854775807"}, {1 << 63, "ValueOutOfRange 1"}} {
		dead.SetDeadline(c.deadline)
		check(t, wire.DeadMan(dead, &r), &r, c.want)
	}
	dead[24] = 1
	check(t, wire.DeadMan(dead, &r), &r, "ReservedBits 4")

	ask := new(gen.OrderStatusRequest)
	ask.SetRequestID(84)
	ask.SetOrderID(1<<32 | 5)
	check(t, wire.OrderStatus(ask, &r), &r, "AskOrder ref=84 order=1:5")
	ask.SetClOrdID(7)
	check(t, wire.OrderStatus(ask, &r), &r, "ValueOutOfRange 2")
	ask.SetOrderID(0)
	check(t, wire.OrderStatus(ask, &r), &r, "ValueOutOfRange 4")
	ask.SetAccountID(9)
	check(t, wire.OrderStatus(ask, &r), &r, "AskOrder ref=84 account=9 placed=7")
	ask.SetClOrdID(0)
	check(t, wire.OrderStatus(ask, &r), &r, "ValueOutOfRange 1")
	ask.SetFlags(gen.StatusFlagsAllOpenOrders)
	check(t, wire.OrderStatus(ask, &r), &r, "AskOrders ref=84 account=9")
	ask.SetOrderID(1)
	check(t, wire.OrderStatus(ask, &r), &r, "ValueOutOfRange 1")
	ask.SetOrderID(0)
	ask.SetAccountID(0)
	check(t, wire.OrderStatus(ask, &r), &r, "ValueOutOfRange 4")

	margin := new(gen.WhatIfMargin)
	margin.SetRequestID(85)
	margin.SetAccountID(9)
	margin.SetInstrumentID(3)
	margin.SetSide(gen.SideSell)
	margin.SetPrice(500)
	margin.SetQty(30)
	check(t, wire.WhatIfMargin(margin, cents, &r), &r, "AskMargin ref=85 account=9 instr=3 sell 3@100")
	margin.SetPrice(wire.None)
	check(t, wire.WhatIfMargin(margin, cents, &r), &r, "AskMargin ref=85 account=9 instr=3 sell 3@0")
	margin.SetPrice(501)
	check(t, wire.WhatIfMargin(margin, cents, &r), &r, "OffTick 1")
	margin.SetPrice(500)
	margin.SetQty(31)
	check(t, wire.WhatIfMargin(margin, cents, &r), &r, "OffLot 2")
	margin.SetQty(0)
	check(t, wire.WhatIfMargin(margin, cents, &r), &r, "ValueOutOfRange 2")
	margin.SetQty(30)
	margin.SetLeverage(1)
	check(t, wire.WhatIfMargin(margin, cents, &r), &r, "NotSupported 3")
	margin.SetLeverage(0)
	margin.SetMarginMode(gen.MarginModeIsolated)
	check(t, wire.WhatIfMargin(margin, cents, &r), &r, "NotSupported 8")

	mmp := new(gen.MmpConfig)
	mmp.SetRequestID(86)
	mmp.SetAccountID(9)
	mmp.SetMmpGroup(7)
	mmp.SetQtyLimit(5)
	mmp.SetDeltaLimit(6)
	mmp.SetWindowNs(1000)
	mmp.SetFreezeNs(wire.NoTime)
	check(t, wire.MmpConfig(mmp, &r), &r, "SetProtection ref=86 account=9 mmp=7 qty=5 delta=6 window=1000 freeze=0")
	mmp.SetFreezeNs(1 << 63)
	check(t, wire.MmpConfig(mmp, &r), &r, "ValueOutOfRange 4")
	mmp.SetWindowNs(1 << 63)
	check(t, wire.MmpConfig(mmp, &r), &r, "ValueOutOfRange 3")

	position := func(delta, leverage int64, mode gen.MarginMode) string {
		m := new(gen.PositionControl)
		m.SetRequestID(82)
		m.SetAccountID(9)
		m.SetInstrumentID(3)
		m.SetIsolatedDelta(delta)
		m.SetLeverage(leverage)
		m.SetMarginMode(mode)
		var r msg.Request
		if no := wire.PositionControl(m, &r); no.Reject != 0 {
			return no.Reject.Name()
		}
		return r.String()
	}
	for _, c := range []struct{ got, want string }{
		{position(wire.None, 20*int64(fixed.One), 0), "SetLeverage ref=82 account=9 instr=3 x=20.00"},
		{position(0, 12_340_000_000, 0), "SetLeverage ref=82 account=9 instr=3 x=12.34"},
		{position(0, 12_345_000_000, 0), "LeverageOutOfRange"},
		{position(0, -1, 0), "LeverageOutOfRange"},
		{position(wire.None, 0, gen.MarginModeIsolated), "Isolate ref=82 account=9 instr=3"},
		{position(1_500_000, 0, gen.MarginModeIsolated), "Isolate ref=82 account=9 instr=3 margin=1.500000"},
		{position(-1, 0, gen.MarginModeIsolated), "ValueOutOfRange"},
		{position(wire.None, 0, gen.MarginModeCross), "Cross ref=82 account=9 instr=3"},
		{position(-2_000_000, 0, 0), "MoveMargin ref=82 account=9 instr=3 add=-2.000000"},
		{position(wire.None, 0, 0), "ValueOutOfRange"},
		{position(5, 20*int64(fixed.One), 0), "NotSupported"},
		{position(wire.None, 0, gen.MarginModePortfolio), "NotSupported"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}
