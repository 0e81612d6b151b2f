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
}

// SetStanding writes s as line 2.
func (e *Event) SetStanding(s Standing) {
	e.Rare = Rare{uint64(s.Filled), uint64(s.Request), uint64(s.TIF) | uint64(s.STP)<<8 | uint64(s.Flags)<<32}
}

// Standing is that of an OrderStated.
func (e *Event) Standing() Standing {
	w := e.Rare[2]
	return Standing{fixed.Lots(e.Rare[0]), Ref(e.Rare[1]), TIF(w), STP(w >> 8), Flags(w >> 32)}
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
	return dst
}
