package msg

import "github.com/lockstep-exchange/lockstep/fixed"

// Questions that are answered at their place in the sequence, and change nothing but the numbers of their session (W-53).

// AskOrder asks how an order of an account stands; by its client's id where order is 0, and then it is the latest of those that rest.
// An account of 0 is that of the order.
func AskOrder(account AccountID, order OrderID, placed Ref) Command {
	return Command{Request: Request{Kind: KindAskOrder, Account: account, Order: order, Rare: Rare{uint64(placed)}}}
}

// Placed is the client's id of the order that a KindAskOrder asks for.
func (r *Request) Placed() Ref { return Ref(r.Rare[0]) }

// Standing is what an OrderStated adds. Its Ref is the client's id of the order, its Session that which asked.
type Standing struct {
	Filled  fixed.Lots // traded so far
	Request Ref        // of the question
	TIF     TIF        // GTC, or GTD
	STP     STP        // never STPDefault: what it came to
	Flags   Flags      // of the order
	More    bool       // more of a list follow
}

// SetStanding writes s as line 2.
func (e *Event) SetStanding(s Standing) {
	e.Rare = Rare{uint64(s.Filled), uint64(s.Request), uint64(s.TIF) | uint64(s.STP)<<8 | bit(s.More)<<16 | uint64(s.Flags)<<32}
}

// Standing is that of an OrderStated.
func (e *Event) Standing() Standing {
	w := e.Rare[2]
	return Standing{fixed.Lots(e.Rare[0]), Ref(e.Rare[1]), TIF(w), STP(w >> 8), Flags(w >> 32), w>>16&1 == 1}
}

// append writes the standing.
func (s Standing) append(dst []byte) []byte {
	dst = appendInt(dst, " filled=", s.Filled)
	dst = appendID(dst, " request=", s.Request)
	dst = appendWord(dst, " ", s.TIF.String())
	if s.STP != STPDefault {
		dst = appendWord(dst, " stp=", s.STP.String())
	}
	if s.Flags != 0 {
		dst = s.Flags.append(append(dst, ' '))
	}
	if s.More {
		dst = append(dst, " more"...)
	}
	return dst
}

// AskOrders asks how all resting orders of an account stand, the latest first. Each is an OrderStated, the last of which says so; where there
// are many, those behind the first come with later commands.
func AskOrders(account AccountID) Command {
	return Command{Request: Request{Kind: KindAskOrders, Account: account}}
}

// AskMargin asks what an order would do to the cross margin of an account, and how large it may be at most; price 0 is a market order.
func AskMargin(account AccountID, instr InstrumentID, side Side, price fixed.Ticks, qty fixed.Lots) Command {
	return Command{Request: Request{Kind: KindAskMargin, Account: account, Instr: instr, Side: side, Price: price, Qty: qty}}
}

// Forecast is what a MarginForecast adds; its Reject is why the order would be refused, and then the figures are the present ones.
type Forecast struct {
	Initial     fixed.Money // with the order resting in full
	Maintenance fixed.Money // with it filled in full at its limit
	Available   fixed.Money // equity less Initial
	More        fixed.Money // initial margin that it takes
	Liquidation fixed.Ticks // with it filled; 0: none
	Most        fixed.Lots  // with which such an order would be let in now; 0: with none
}

// SetForecast writes f as line 2.
func (e *Event) SetForecast(f *Forecast) {
	e.Rare = Rare{uint64(f.Initial), uint64(f.Maintenance), uint64(f.Available), uint64(f.More), uint64(f.Liquidation), uint64(f.Most)}
}

// Forecast is that of a MarginForecast.
func (e *Event) Forecast() Forecast {
	r := &e.Rare
	return Forecast{fixed.Money(r[0]), fixed.Money(r[1]), fixed.Money(r[2]), fixed.Money(r[3]), fixed.Ticks(r[4]), fixed.Lots(r[5])}
}

// append writes the forecast.
func (f Forecast) append(dst []byte) []byte {
	dst = appendMoney(dst, " initial=", f.Initial)
	dst = appendMoney(dst, " maintenance=", f.Maintenance)
	dst = appendMoney(dst, " available=", f.Available)
	dst = appendMoney(dst, " more=", f.More)
	dst = appendInt(dst, " liquidation=", f.Liquidation)
	return appendInt(dst, " most=", f.Most)
}
