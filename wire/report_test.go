package wire_test

import (
	"strings"
	"testing"

	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
	"github.com/lockstep-exchange/lockstep/wire/schema"
)

// said is a report as it prints, without what all have in common.
func said(t *testing.T, ev *msg.Event, asked *msg.Request, env *wire.Envelope) string {
	t.Helper()
	frame, ok := wire.AppendReport(nil, ev, asked, env, cents)
	if !ok {
		return "nothing"
	}
	if _, fault := wire.Open(frame); fault.Kind != 0 {
		t.Fatal(fault)
	}
	text, err := schema.AppendText(nil, frame[wire.MessageAt:])
	if err != nil {
		t.Fatal(err)
	}
	return strings.Replace(string(text), " seqNum=9 transactTime=8 orderId=4294967301 clOrdId=77 engineSeq=6 instrumentId=3 accountId=2", "", 1)
}

func TestReports(t *testing.T) {
	base := func(kind msg.EventKind) *msg.Event {
		return &msg.Event{Kind: kind, Seq: 6, Time: 8, Order: 1<<32 | 5, Ref: 77, Price: 100, Qty: 3, Account: 2, Instr: 3, Side: msg.Sell}
	}
	env := &wire.Envelope{SeqNum: 9, Ingress: 5, Sending: wire.NoTime, RefSeq: 4, Template: gen.TemplateNewOrder}
	c := msg.Limit(2, 3, msg.Sell, 100, 3)
	c.Flags, c.TIF, c.STP = msg.FlagPostOnly|msg.FlagIsolated, msg.GTD, msg.STPNone
	for _, test := range []struct {
		name  string
		event func() *msg.Event
		want  string
	}{
		{"accepted", func() *msg.Event { return base(msg.Accepted) },
			"OrderAccepted price=500 leavesQty=30 ingressTime=5 clientTime=none side=Sell ordType=Limit tif=GTD stp=Default flags=postOnly|isolated ordStatus=New marginMode=Isolated marginAfter=none"},
		{"replaced", func() *msg.Event {
			ev := base(msg.Amended)
			ev.SetChange(&msg.Change{Filled: 2, Leaves: 3, Request: 88, Kept: true})
			return ev
		}, "OrderReplaced seqNum=9 transactTime=8 orderId=4294967301 clOrdId=88 engineSeq=6 instrumentId=3 accountId=2 price=500 leavesQty=30 ingressTime=5 clientTime=none origClOrdId=77 cumQty=20 priorityKept=Yes ordStatus=PartlyFilled"},
		{"canceled", func() *msg.Event {
			ev := base(msg.Canceled)
			ev.Reason = msg.CanceledBySTP
			ev.SetChange(&msg.Change{Filled: 2, Request: 88})
			return ev
		}, "OrderCanceled canceledQty=30 cumQty=20 requestClOrdId=88 reason=SelfTrade ordStatus=Canceled"},
		{"decremented", func() *msg.Event {
			ev := base(msg.Canceled)
			ev.Reason = msg.CanceledBySTP
			ev.SetChange(&msg.Change{Leaves: 1})
			return ev
		}, "OrderCanceled canceledQty=30 cumQty=0 requestClOrdId=0 reason=SelfTrade ordStatus=New"},
		{"expired", func() *msg.Event { ev := base(msg.Expired); ev.SetChange(&msg.Change{}); return ev },
			"OrderCanceled canceledQty=30 cumQty=0 requestClOrdId=0 reason=Expiry ordStatus=Canceled"},
		{"trade", func() *msg.Event {
			ev := base(msg.Traded)
			ev.SetFill(&msg.Fill{Leaves: 1, Filled: 4, Trade: 11, Fee: -5, Position: -4, Maker: true})
			return ev
		}, "Trade tradeId=11 lastPx=500 lastQty=30 leavesQty=10 cumQty=40 fee=-5 positionAfter=-40 ingressTime=5 side=Sell liquidity=Maker"},
		{"margin", func() *msg.Event {
			ev := base(msg.Rejected)
			ev.Reject = msg.RejectInsufficientMargin
			ev.SetRefusal(msg.Refusal{Limit: 7, Actual: 8, Asked: msg.KindLimit})
			return ev
		}, "Reject limitValue=7 actualValue=8 ingressTime=5 refSeqNum=4 code=InsufficientMargin refTemplate=100 layer=Risk fieldIndex=255"},
		{"band", func() *msg.Event {
			ev := base(msg.Rejected)
			ev.Reject = msg.RejectPriceOutsideBand
			ev.SetRefusal(msg.Refusal{Limit: 90, Actual: 100, Asked: msg.KindLimit})
			return ev
		}, "Reject limitValue=450 actualValue=500 ingressTime=5 refSeqNum=4 code=PriceOutsideBand refTemplate=100 layer=Risk fieldIndex=255"},
		{"unknown order", func() *msg.Event {
			ev := base(msg.Rejected)
			ev.Reject = msg.RejectUnknownOrder
			ev.SetRefusal(msg.Refusal{Asked: msg.KindCancel})
			return ev
		}, "Reject limitValue=none actualValue=none ingressTime=5 refSeqNum=4 code=UnknownOrder refTemplate=100 layer=Engine fieldIndex=255"},
		{"before the core", func() *msg.Event {
			ev := base(msg.Rejected)
			ev.Reject = msg.RejectOffTick
			ev.SetRefusal(msg.Refusal{Limit: 5, Actual: 7, Asked: msg.KindRefuse, Field: 2})
			return ev
		}, "Reject limitValue=5 actualValue=7 ingressTime=5 refSeqNum=4 code=OffTick refTemplate=100 layer=Risk fieldIndex=1"},
		{"out of sequence", func() *msg.Event {
			ev := base(msg.Rejected)
			ev.Reject = msg.RejectSequenceMismatch
			ev.SetRefusal(msg.Refusal{Asked: msg.KindLimit})
			return ev
		}, "nothing"},
		{"mass cancel that goes on", func() *msg.Event { ev := base(msg.MassCancelBegun); ev.Rare[0] = uint64(msg.ScopeAccount); return ev },
			"MassCancelReport requestId=77 canceled=3 failed=0 scope=Account status=Partial"},
		{"mass cancel", func() *msg.Event { ev := base(msg.MassCanceled); ev.Rare[0] = uint64(msg.ScopeAccount); return ev },
			"MassCancelReport requestId=77 canceled=3 failed=0 scope=Account status=Complete"},
		{"kill switch", func() *msg.Event {
			ev := base(msg.EntryChanged)
			ev.Rare[0], ev.Rare[1] = uint64(msg.ScopeOwner), uint64(msg.ReduceEntry)
			return ev
		}, "ControlAck requestId=77 refTemplate=100 action=ReduceOnly scope=Firm"},
		{"order status", func() *msg.Event {
			ev := base(msg.OrderStated)
			ev.SetStanding(msg.Standing{Filled: 4, Request: 78, TIF: msg.GTD, STP: msg.STPNone, Flags: msg.FlagPersist | msg.FlagPostOnly})
			return ev
		}, "OrderStatus price=500 leavesQty=30 cumQty=40 side=Sell ordType=Limit tif=GTD stp=Default flags=postOnly|persistOnDisconnect ordStatus=PartlyFilled lastInList=Yes requestId=78"},
		{"order status in a list", func() *msg.Event {
			ev := base(msg.OrderStated)
			ev.SetStanding(msg.Standing{Request: 78, More: true})
			return ev
		}, "OrderStatus price=500 leavesQty=30 cumQty=0 side=Sell ordType=Limit tif=GTC stp=Default flags=- ordStatus=New lastInList=No requestId=78"},
		{"protection", func() *msg.Event { return base(msg.ProtectionSet) }, "ControlAck requestId=77 refTemplate=100 action=none scope=none"},
		{"a group that trips", func() *msg.Event {
			ev := base(msg.ProtectionTripped)
			ev.SetTrip(msg.Trip{Traded: 9, Until: 12, Group: 7})
			return ev
		}, "MmpTriggered tradedQty=9 freezeUntil=12 mmpGroup=7"},
		{"a group that does not thaw", func() *msg.Event {
			ev := base(msg.ProtectionTripped)
			ev.SetTrip(msg.Trip{Traded: 9, Group: 7})
			return ev
		}, "MmpTriggered tradedQty=9 freezeUntil=18446744073709551615 mmpGroup=7"},
		{"forecast", func() *msg.Event {
			ev := base(msg.MarginForecast)
			ev.SetForecast(&msg.Forecast{Initial: 1, Maintenance: 2, Available: -3, More: 4, Liquidation: 90, Most: 5})
			return ev
		}, "WhatIfResult requestId=77 initAfter=1 maintAfter=2 availAfter=-3 liqPxAfter=450 maxQty=50 orderInit=4 code=None"},
		{"forecast of what is refused", func() *msg.Event {
			ev := base(msg.MarginForecast)
			ev.Reject = msg.RejectInsufficientMargin
			ev.SetForecast(&msg.Forecast{})
			return ev
		}, "WhatIfResult requestId=77 initAfter=0 maintAfter=0 availAfter=0 liqPxAfter=none maxQty=0 orderInit=0 code=InsufficientMargin"},
		{"by the venue", func() *msg.Event {
			ev := base(msg.EntryChanged)
			ev.Rare[0], ev.Rare[1] = uint64(msg.ScopeVenue), uint64(msg.Block)
			return ev
		}, "ControlAck requestId=77 refTemplate=100 action=Block scope=none"},
		{"rung", func() *msg.Event {
			ev := base(msg.MarginCall)
			ev.SetRungStep(&msg.RungStep{To: msg.RungCall2, Equity: 5, Maintenance: 6})
			return ev
		}, "LiquidationNotice qty=none refPx=none bankruptPx=none equity=5 maint=6 liqId=none insuranceUsed=none stage=Call2 side=none"},
		{"funding", func() *msg.Event { ev := base(msg.FundingPaid); ev.SetBalance(msg.Balance{Amount: -6}); return ev },
			"FundingSettled rate=none position=none markPx=none payment=-6 fundingId=0"},
		{"a mark", func() *msg.Event { return base(msg.MarkUpdated) }, "nothing"},
		{"leverage by the venue", func() *msg.Event { return base(msg.LeverageSet) }, "nothing"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := said(t, test.event(), &c.Request, env); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// The codes and reasons of the schema are those of the core, name by name.
// TestReportsAreThoseOfTheCore holds that what takes a number of a session has a frame, and nothing else has: but for what is
// said in a message of the session layer.
func TestReportsAreThoseOfTheCore(t *testing.T) { // W-29
	reports := 0
	for kind := range 256 {
		for _, session := range []msg.SessionID{0, 4} {
			for _, asked := range []msg.Kind{msg.KindLimit, msg.KindDeposit, msg.KindRefuse, msg.KindBind} {
				ev := msg.Event{Kind: msg.EventKind(kind), Session: session, Reject: msg.RejectNoMark}
				if ev.Kind == msg.MessagesMissed {
					continue
				}
				if ev.Kind == msg.Rejected {
					ev.SetRefusal(msg.Refusal{Asked: asked})
				}
				_, ok := wire.AppendReport(nil, &ev, &msg.Request{}, &wire.Envelope{}, &wire.Scale{Tick: 1, Lot: 1})
				if ok != ev.Reports() {
					t.Errorf("%v of session %d, asked %v: a frame %v, a report %v", ev.Kind, session, asked, ok, ev.Reports())
				}
				if ok {
					reports++
				}
			}
		}
	}
	if reports == 0 {
		t.Error("nothing is a report")
	}
}

func TestCodesAndReasonsAreTheCores(t *testing.T) {
	enum := func(name string) *schema.Enum {
		for _, s := range schema.All() {
			for _, e := range s.Enums {
				if e.Name == name {
					return e
				}
			}
		}
		t.Fatalf("no enum %s", name)
		return nil
	}
	codes, n := enum("RejectCode"), 1
	for r := msg.Reject(1); r.Code() != 0; r++ {
		if got := codes.NameOf(uint64(r.Code())); got != r.Name() {
			t.Errorf("%d is %q on the wire, %q in the core", r.Code(), got, r.Name())
		}
		n++
	}
	if len(codes.Values) != n {
		t.Errorf("%d codes on the wire, %d in the core", len(codes.Values), n)
	}
	reasons, n := enum("CancelReason"), 0
	for r := msg.Reason(1); r.Name() != ""; r++ {
		if got := reasons.NameOf(uint64(r)); got != r.Name() {
			t.Errorf("reason %d is %q on the wire, %q in the core", r, got, r.Name())
		}
		n++
	}
	if len(reasons.Values) != n {
		t.Errorf("%d reasons on the wire, %d in the core", len(reasons.Values), n)
	}
	for name, core := range map[string][]uint8{
		"Rung":        {uint8(msg.RungOK), uint8(msg.RungCall1), uint8(msg.RungCall2), uint8(msg.RungLiquidating), 4, uint8(msg.RungTakeover), uint8(msg.RungADL)},
		"Phase":       {uint8(msg.Closed), uint8(msg.CallAuction), uint8(msg.Continuous), uint8(msg.ReduceOnly), uint8(msg.Halted)},
		"OracleState": {uint8(msg.Good) - 1, uint8(msg.Degraded) - 1, uint8(msg.Frozen) - 1, uint8(msg.OracleHalted) - 1},
		"SelfTrade":   {uint8(msg.STPDefault), uint8(msg.STPCancelNewest), uint8(msg.STPCancelOldest), uint8(msg.STPCancelBoth), uint8(msg.STPDecrement)},
	} {
		for i, v := range core {
			if enum(name).Values[i].Number != uint64(v) {
				t.Errorf("%s %d is %d in the core", name, enum(name).Values[i].Number, v)
			}
		}
	}
}
