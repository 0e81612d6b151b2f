package msg

import "github.com/lockstep-exchange/lockstep/fixed"

// Mass quotes (W-51). A message of up to QuoteMax entries is as many commands in a row, one for each, with nothing between them; they share
// Ref, Account, Session, Flags, STP and envelope. What became of each is told by the last of them, entry by entry:
//
//	Quote 1 of 3 ── Received(more) ── QuotePlaced, Traded, Canceled ...
//	Quote 2 of 3 ── Received(more) ── ...
//	Quote 3 of 3 ── Received       ── ... ── QuoteAnswered 1 of 3, 2 of 3, 3 of 3: the last one is the report, of all
//
// Where the commands behind the first are missing, since a crash cut them off, the next command answers what there is.

// QuoteMax is how many entries a mass quote has at most.
const QuoteMax = 16

// Quotation is an entry of a mass quote: what its account quotes in its instrument from now on. Its Bid and BidQty are the command's Price
// and Qty.
type Quotation struct {
	Bid, Ask       fixed.Ticks
	BidQty, AskQty fixed.Lots // open from now on; 0: that side is taken out
	BidNo, AskNo   Reject     // why a side was refused before it became a command; 0: it was not
	Group          uint16     // of market-maker protection; 0: none
	Index, Count   uint8      // which entry it is, from 0 on, of how many
	Entry          uint32     // its client's name of it
}

// Quote is an entry of a mass quote.
func Quote(account AccountID, instr InstrumentID, q Quotation) Command {
	return Command{Request: Request{Kind: KindQuote, Account: account, Instr: instr, Price: q.Bid, Qty: q.BidQty,
		Rare: Rare{uint64(q.Ask), uint64(q.AskQty),
			uint64(q.Index) | uint64(q.Count)<<8 | uint64(q.Group)<<16 | uint64(q.Entry)<<32,
			uint64(q.BidNo.Code()) | uint64(q.AskNo.Code())<<16}}}
}

// Quotation is that of a KindQuote.
func (r *Request) Quotation() Quotation {
	w := r.Rare[2]
	q := Quotation{Bid: r.Price, BidQty: r.Qty, Ask: fixed.Ticks(r.Rare[0]), AskQty: fixed.Lots(r.Rare[1]), Index: uint8(w), Count: uint8(w >> 8),
		Group: uint16(w >> 16), Entry: uint32(w >> 32)}
	q.BidNo, _ = RejectByCode(uint16(r.Rare[3]))
	q.AskNo, _ = RejectByCode(uint16(r.Rare[3] >> 16))
	return q
}

// Follows reports whether a command has others of the same message behind it: the entries of a mass quote.
func (r *Request) Follows() bool {
	return r.Kind == KindQuote && uint8(r.Rare[2])+1 < uint8(r.Rare[2]>>8)
}

// QuoteAnswer is what a QuoteAnswered says of an entry. The event's Order is the bid, its Ref the quote's id.
type QuoteAnswer struct {
	Ask          OrderID // 0, as a bid of 0: there is none now
	BidNo, AskNo Reject  // why; 0: none was wanted, or it is there
	Group        uint16
	Index, Count uint8  // which entry it is, from 0 on, of how many
	Number       uint32 // its client's number of the message
}

// SetQuoteAnswer writes a as line 2.
func (e *Event) SetQuoteAnswer(a QuoteAnswer) {
	e.Rare = Rare{uint64(a.Ask), uint64(a.BidNo) | uint64(a.AskNo)<<8 | uint64(a.Index)<<16 | uint64(a.Count)<<24 | uint64(a.Group)<<32, uint64(a.Number)}
}

// QuoteAnswer is that of a QuoteAnswered.
func (e *Event) QuoteAnswer() QuoteAnswer {
	w := e.Rare[1]
	return QuoteAnswer{OrderID(e.Rare[0]), Reject(w), Reject(w >> 8), uint16(w >> 32), uint8(w >> 16), uint8(w >> 24), uint32(e.Rare[2])}
}

// Whole reports whether it is the answer to the last entry, and so to the message.
func (a *QuoteAnswer) Whole() bool { return a.Index+1 == a.Count }

// append writes the entry.
func (q Quotation) append(dst []byte) []byte {
	dst = appendUint(append(dst, " entry="...), "", q.Index)
	dst = appendUint(dst, "/", q.Count)
	dst = appendQuoted(dst, " bid=", q.BidQty, q.Bid, q.BidNo)
	dst = appendQuoted(dst, " ask=", q.AskQty, q.Ask, q.AskNo)
	dst = appendID(dst, " mmp=", q.Group)
	return appendID(dst, " name=", q.Entry)
}

// appendQuoted writes a side of a quote, as in 3@50010.
func appendQuoted(dst []byte, name string, qty fixed.Lots, price fixed.Ticks, no Reject) []byte {
	dst = appendInt(appendInt(dst, name, qty), "@", price)
	if no != 0 {
		dst = appendWord(dst, ":", no.String())
	}
	return dst
}

// append writes the answer.
func (a QuoteAnswer) append(dst []byte) []byte {
	dst = appendUint(append(dst, " entry="...), "", a.Index)
	dst = appendUint(dst, "/", a.Count)
	if a.Ask != 0 {
		dst = a.Ask.Append(append(dst, " ask="...))
	}
	if a.BidNo != 0 {
		dst = appendWord(dst, " bid-reject=", a.BidNo.String())
	}
	if a.AskNo != 0 {
		dst = appendWord(dst, " ask-reject=", a.AskNo.String())
	}
	dst = appendID(dst, " mmp=", a.Group)
	return appendID(dst, " number=", a.Number)
}
