package msg_test

import (
	"testing"

	"github.com/lockstep-exchange/lockstep/msg"
)

// wireCodes is the list of codes and names that clients know: a code is never reused, a name never changes. // X-11
var wireCodes = map[uint16]string{
	100: "UnknownTemplate", 101: "BadBlock", 102: "ValueOutOfRange", 103: "ReservedBits", 104: "SequenceMismatch",
	105: "StaleSendingTime", 106: "UnsupportedVersion",
	200: "RateLimited", 201: "NotPermitted", 202: "EntryBlocked", 203: "UnknownAccount", 204: "DuplicateClientID",
	205: "ShuttingDown", 206: "OtherShard", 207: "Busy", 208: "BusyStorage", 209: "ViewBehind", 210: "TooOld",
	300: "InsufficientMargin", 301: "PositionLimit", 302: "OrderSizeLimit", 303: "OpenOrderLimit",
	304: "PriceOutsideBand", 306: "NoMark", 307: "WouldNotReduce", 309: "ModeConflict", 310: "LeverageOutOfRange",
	311: "NotionalLimit", 312: "Overflow", 313: "OpenInterestLimit", 315: "WouldWorsenHealth", 316: "AccountReduceOnly",
	317: "StressReduceOnly", 318: "StorageReduceOnly", 319: "OracleFrozen", 320: "MarginLocked", 321: "NoPosition",
	322: "InsufficientFunds", 323: "WithdrawalsPaused", 324: "BucketLimit",
	400: "UnknownInstrument", 401: "MarketHalted", 402: "OffTick", 403: "OffLot", 404: "WouldCross", 405: "Unfillable",
	406: "UnknownOrder", 407: "TooLate", 408: "PegNotAllowed", 409: "TriggerCrossed", 410: "MmpFrozen", 411: "BadLink",
	412: "TableFull", 413: "NotSupported", 414: "InvalidParameter",
	500: "Internal",
}

func TestRejectsAreThoseOfTheWire(t *testing.T) {
	count := 0
	for _, c := range constants(t) {
		if c.typ != "Reject" {
			continue
		}
		count++
		r := msg.Reject(c.value)
		if want, ok := wireCodes[r.Code()]; !ok || r.Name() != want {
			t.Errorf("%s is code %d, name %s; the wire says %q", c.name, r.Code(), r.Name(), want)
		}
		if got, ok := msg.RejectByCode(r.Code()); !ok || got != r {
			t.Errorf("RejectByCode(%d) = %v, %v; want %v", r.Code(), got, ok, r)
		}
		if got, ok := msg.RejectByName(r.Name()); !ok || got != r {
			t.Errorf("RejectByName(%s) = %v, %v; want %v", r.Name(), got, ok, r)
		}
		if r.Text() == "" || r.Hint() == "" || r.Layer() < 1 || r.Layer() > 5 {
			t.Errorf("%s lacks words: %q, %q, layer %d", c.name, r.Text(), r.Hint(), r.Layer())
		}
	}
	if count != len(wireCodes) {
		t.Errorf("there are %d rejects, the wire has %d", count, len(wireCodes))
	}
}

// Checks run in this order and the first failure answers. // W-59, M-18
func TestRejectsStandInOrderOfPrecedence(t *testing.T) {
	order := []msg.Reject{
		msg.RejectBadBlock,           // format
		msg.RejectUnsupportedVersion, // version
		msg.RejectRateLimited,        // rate
		msg.RejectNotPermitted,       // rights
		msg.RejectUnknownAccount,     // account
		msg.RejectDuplicateClientID,  // client id
		msg.RejectUnknownInstrument,  // instrument
		msg.RejectOffTick,            // tick
		msg.RejectOffLot,             // lot
		msg.RejectOrderSizeLimit,     // size
		msg.RejectOverflow,           // notional that does not fit
		msg.RejectNotionalLimit,      // notional
		msg.RejectOpenOrderLimit,     // counts
		msg.RejectMarketHalted,       // phase
		msg.RejectOracleFrozen,       // oracle
		msg.RejectNoMark,             // mark
		msg.RejectPriceOutsideBand,   // band
		msg.RejectModeConflict,       // mode
		msg.RejectPositionLimit,      // caps
		msg.RejectOpenInterestLimit,  // caps
		msg.RejectBucketLimit,        // bucket
		msg.RejectAccountReduceOnly,  // margin, under initial
		msg.RejectWouldWorsenHealth,  // margin, under initial and reducing
		msg.RejectInsufficientMargin, // margin
		msg.RejectUnknownOrder,       // book
		msg.RejectWouldCross,         // book
		msg.RejectInvalidParameter,   // parameters
		msg.RejectTableFull,          // table full
		msg.RejectInternal,           // internal
	}
	for i := 1; i < len(order); i++ {
		if order[i] <= order[i-1] {
			t.Errorf("%v does not stand after %v", order[i], order[i-1])
		}
	}
	if order[0] == 0 {
		t.Error("a reject is 0, which is none")
	}
}

// None, and a number beyond the table, have no words; what is no code or name is not found.
func TestNoReject(t *testing.T) {
	for _, r := range []msg.Reject{0, 255} {
		if r.Code() != 0 || r.Name() != "" || r.Upper() != "" || r.Text() != "" || r.Hint() != "" || r.Layer() != 0 {
			t.Errorf("reject %d has words", uint8(r))
		}
	}
	for _, r := range []msg.Reason{0, 255} {
		if r.Name() != "" || r.Upper() != "" || r.Text() != "" {
			t.Errorf("reason %d has words", uint8(r))
		}
	}
	for _, code := range []uint16{0, 99, 305, 308, 314, 499, 501, 65535} {
		if r, ok := msg.RejectByCode(code); ok || r != 0 {
			t.Errorf("RejectByCode(%d) = %v, %v", code, r, ok)
		}
	}
	for _, name := range []string{"", "None", "insufficientmargin", "INSUFFICIENT_MARGIN", "RejectNoMark"} {
		if r, ok := msg.RejectByName(name); ok || r != 0 {
			t.Errorf("RejectByName(%q) = %v, %v", name, r, ok)
		}
	}
}

func TestUpperNames(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{msg.RejectInsufficientMargin.Upper(), "INSUFFICIENT_MARGIN"}, {msg.RejectViewBehind.Upper(), "VIEW_BEHIND"},
		{msg.RejectDuplicateClientID.Upper(), "DUPLICATE_CLIENT_ID"}, {msg.RejectTooOld.Upper(), "TOO_OLD"},
		{msg.RejectInternal.Upper(), "INTERNAL"}, {msg.CanceledByMass.Upper(), "MASS_CANCEL"},
	} {
		if c.got != c.want {
			t.Errorf("got %s, want %s", c.got, c.want)
		}
	}
}

// The reasons have the numbers of the wire.
func TestReasonsAreThoseOfTheWire(t *testing.T) {
	for r, want := range map[msg.Reason]string{msg.CanceledByUser: "User", msg.CanceledByMass: "MassCancel",
		msg.CanceledRemainder: "Remainder", msg.CanceledBySTP: "SelfTrade", msg.CanceledExpired: "Expiry",
		msg.CanceledPostOnly: "PostOnly", 7: "Disconnect", 8: "DeadMan", msg.CanceledByKill: "KillSwitch",
		10: "Protection", msg.CanceledReduceOnly: "ReduceOnly", 12: "Liquidation",
		msg.CanceledByMarket: "InstrumentState", 14: "LinkedOrder", 15: "Operator", msg.CanceledEventBound: "EventBound",
		msg.CanceledByQuote: "Quote"} {
		if r.Name() != want || r.Text() == "" {
			t.Errorf("reason %d is %q (%q), want %q", uint8(r), r.Name(), r.Text(), want)
		}
	}
	for _, c := range constants(t) {
		if c.typ == "Reason" && msg.Reason(c.value).Name() == "" {
			t.Errorf("%s has no name", c.name)
		}
	}
}

func TestRejectWordsAllocateNothing(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() {
		for r := range msg.Reject(255) {
			_, _, _ = r.Code(), r.Text(), r.Layer()
			_, _ = msg.RejectByCode(r.Code())
			_, _ = msg.RejectByName(r.Name())
		}
	}); n != 0 {
		t.Errorf("looking words up allocates %v times", n)
	}
}
