package msg

import (
	"strconv"

	"github.com/lockstep-exchange/lockstep/fixed"
)

// How a command or an event reads: one line, the fields that its kind uses by name, in a fixed order, and no others.
//
//	#12 Limit account=1 instr=1 buy 3@50010 gtc
//	 |    |       |        |     |     |     `-- then flags, line 2, and last the time where it is stamped
//	 |    |       |        |     |     `-------- what the kind asks for
//	 |    |       |        |     `-------------- lots@ticks
//	 |    |       `--------+-------------------- who and what; an id that is 0 is left out, 0 is none
//	 |    `------------------------------------- kind
//	 `------------------------------------------ Seq; of an event Seq.Index
//
// Ticks, lots and times are integers in their unit, money has its six decimals, a rate its nine. Append allocates only
// when dst lacks room.

// Append writes the command as one line without a line end.
func (c *Command) Append(dst []byte) []byte {
	dst = strconv.AppendUint(append(dst, '#'), uint64(c.Seq), 10)
	return c.Request.Append(append(dst, ' '))
}

// String is Append as a string; it allocates.
func (c *Command) String() string { return string(c.Append(nil)) }

// Append writes the request as one line without a line end: the command without its number.
func (r *Request) Append(dst []byte) []byte {
	dst = append(dst, r.Kind.String()...)
	dst = appendParty(dst, r.Session, r.Ref, r.Account, r.Instr, r.Order)
	dst = r.appendTerms(dst)
	if r.STP != STPDefault {
		dst = appendWord(dst, " stp=", r.STP.String())
	}
	if r.Flags != 0 {
		dst = r.Flags.append(append(dst, ' '))
	}
	dst = r.Envelope().append(r.appendRare(dst))
	if r.Time != 0 {
		dst = appendInt(dst, " time=", r.Time)
	}
	return dst
}

// String is Append as a string; it allocates.
func (r *Request) String() string { return string(r.Append(nil)) }

// appendTerms writes what line 1 says of price, quantity, side and time in force.
func (r *Request) appendTerms(dst []byte) []byte {
	switch r.Kind {
	case KindLimit, KindPlace:
		dst = appendWord(dst, " ", r.Side.String())
		dst = appendLots(dst, r.Qty, r.Price)
		dst = appendWord(dst, " ", r.TIF.String())
	case KindMarket:
		dst = appendWord(dst, " ", r.Side.String())
		dst = appendInt(dst, " ", r.Qty)
		dst = appendWord(dst, " ", r.TIF.String())
		if r.Price != 0 {
			dst = appendInt(dst, " protect=", r.Price)
		}
	case KindAskMargin:
		dst = appendLots(appendWord(dst, " ", r.Side.String()), r.Qty, r.Price)
	case KindAmend:
		dst = appendLots(dst, r.Qty, r.Price)
	case KindCancelAll:
		if r.Side != 0 {
			dst = appendWord(dst, " ", r.Side.String())
		}
	case KindSetMark:
		dst = appendInt(dst, " price=", r.Price)
	case KindDepositAsset, KindWithdrawAsset:
		dst = appendInt(dst, " qty=", r.Qty)
	}
	return dst
}

// appendRare writes line 2.
func (r *Request) appendRare(dst []byte) []byte {
	switch r.Kind {
	case KindPlace:
		ext := r.OrderExt()
		dst = appendInt(dst, " min=", ext.Min)
		dst = appendInt(dst, " expire=", ext.Expire)
	case KindDeposit, KindWithdraw:
		p := r.Payment()
		dst = appendMoney(dst, " amount=", p.Amount)
		dst = appendID(dst, " external=", p.External)
	case KindTransfer:
		p := r.Payment()
		dst = appendMoney(dst, " amount=", p.Amount)
		dst = appendUint(dst, " to=", p.To)
		dst = appendID(dst, " external=", p.External)
	case KindDepositAsset, KindWithdrawAsset:
		dst = appendID(dst, " external=", r.Payment().External)
	case KindOpenAccount:
		dst = r.Opening().append(dst)
	case KindOpenSession, KindCloseSession:
		dst = r.Opening().appendSession(dst)
	case KindList:
		dst = r.Listing().append(dst)
	case KindSetTier:
		dst = r.Tier().append(dst)
	case KindSetFees:
		dst = r.Fees().append(dst)
	case KindSetRule:
		dst = r.Setting().append(dst)
	case KindSetPhase:
		dst = appendWord(dst, " to=", r.Phase().String())
	case KindSetEntry:
		dst = r.Entry().append(dst)
	default:
		dst = r.appendRisk(dst)
	}
	return dst
}

// append writes the opening of an account.
func (o Opening) append(dst []byte) []byte {
	dst = appendUint(dst, " owner=", o.Owner)
	if o.Groups == AllGroups {
		return append(dst, " groups=all"...)
	}
	return strconv.AppendUint(append(dst, " groups=0x"...), uint64(o.Groups), 16)
}

// appendSession writes the opening or the end of a session.
func (o Opening) appendSession(dst []byte) []byte {
	dst = appendUint(dst, " door=", o.Session)
	return appendID(dst, " owner=", o.Owner)
}

// appendSymbol writes a symbol; one that is not plain text is escaped.
func appendSymbol(dst []byte, symbol [24]byte) []byte {
	n := len(symbol)
	for n > 0 && symbol[n-1] == 0 {
		n--
	}
	return strconv.AppendQuoteToASCII(append(dst, " symbol="...), string(symbol[:n]))
}

// append writes the listing.
func (l Listing) append(dst []byte) []byte {
	dst = appendSymbol(dst, l.Symbol)
	dst = appendWord(dst, " type=", l.Type.String())
	dst = appendMoney(dst, " tick-lot=", l.TickLot)
	dst = appendInt(dst, " unit-lots=", l.UnitLots)
	dst = appendInt(dst, " start=", l.Start)
	dst = appendWord(dst, " stp=", l.STP.String())
	dst = appendUint(dst, " group=", l.Group)
	dst = appendID(dst, " underlying=", l.Underlying)
	return appendWord(dst, " mark=", l.Mark.String())
}

// append writes the bracket.
func (t Tier) append(dst []byte) []byte {
	dst = appendUint(dst, " tier=", t.Index)
	if t.UpTo == 0 {
		dst = append(dst, " up-to=inf"...)
	} else {
		dst = appendMoney(dst, " up-to=", t.UpTo)
	}
	dst = appendRate(dst, " initial=", t.Initial)
	return appendRate(dst, " maintenance=", t.Maintenance)
}

// append writes the rates.
func (f Fees) append(dst []byte) []byte {
	dst = appendRate(dst, " maker=", f.Maker)
	return appendRate(dst, " taker=", f.Taker)
}

// append writes the turn of the kill switch.
func (e Entry) append(dst []byte) []byte {
	dst = appendWord(dst, " ", e.Action.String())
	dst = appendWord(dst, " scope=", e.Scope.String())
	return appendID(dst, " owner=", e.Owner)
}

// appendParty writes who and what is meant, each where there is one.
func appendParty(dst []byte, session SessionID, ref Ref, account AccountID, instr InstrumentID, order OrderID) []byte {
	dst = appendID(dst, " session=", session)
	dst = appendID(dst, " ref=", ref)
	dst = appendID(dst, " account=", account)
	dst = appendID(dst, " instr=", instr)
	if order != 0 {
		dst = order.Append(append(dst, " order="...))
	}
	return dst
}

// appendID writes a name and an id, or nothing for the id 0.
func appendID[T ~uint16 | ~uint32 | ~uint64](dst []byte, name string, id T) []byte {
	if id == 0 {
		return dst
	}
	return appendUint(dst, name, id)
}

// appendUint writes a name and a number.
func appendUint[T ~uint8 | ~uint16 | ~uint32 | ~uint64](dst []byte, name string, v T) []byte {
	return strconv.AppendUint(append(dst, name...), uint64(v), 10)
}

// appendInt writes a name and a number.
func appendInt[T ~int64](dst []byte, name string, v T) []byte {
	return strconv.AppendInt(append(dst, name...), int64(v), 10)
}

// appendMoney writes a name and an amount.
func appendMoney(dst []byte, name string, m fixed.Money) []byte {
	return m.Append(append(dst, name...))
}

// appendRate writes a name and a rate.
func appendRate(dst []byte, name string, r fixed.Rate) []byte { return r.Append(append(dst, name...)) }

// appendWord writes a name and a word.
func appendWord(dst []byte, name, word string) []byte { return append(append(dst, name...), word...) }

// appendLots writes a quantity and a price, as in 3@50010.
func appendLots(dst []byte, qty fixed.Lots, price fixed.Ticks) []byte {
	return appendInt(appendInt(dst, " ", qty), "@", price)
}
