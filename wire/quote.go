package wire

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// Mass quotes: one message becomes as many requests as it has entries, and the events that answer them become one report (W-51).
//
//	MassQuote  root | entry | entry | entry      ── QuoteEntry ──> Quote 1 of 3, Quote 2 of 3, Quote 3 of 3
//	MassQuoteAck root | entry | entry | entry    <── AppendQuoteAck ── QuoteAnswered 1 of 3, 2 of 3, 3 of 3
//
// A flaw of form refuses the message. A price that is no multiple of a tick, or a quantity that is none of a lot, refuses its side alone.

// massQuote looks whether a mass quote is sound, its entries too. Field numbers are those of the root.
func massQuote(m *Message) Refusal {
	if field, flaw := gen.AsMassQuote(m.Block).Check(); flaw != gen.Sound {
		return flawed(field, flaw)
	}
	for i := range m.Group.Count {
		e := gen.AsMassQuoteEntry(m.Group.At(i))
		for _, side := range [...]struct{ qty, price int64 }{{e.BidQty(), e.BidPx()}, {e.AskQty(), e.AskPx()}} {
			switch {
			case side.qty < 0:
				return refuse(msg.RejectValueOutOfRange, NoField, 0, side.qty)
			case side.qty > 0 && side.price == None:
				return refuse(msg.RejectValueOutOfRange, NoField, None, None)
			}
		}
	}
	return Refusal{}
}

// QuoteInstrument is the instrument of an entry of a mass quote, in whose scale it is.
func QuoteInstrument(m *Message, i int) msg.InstrumentID {
	return msg.InstrumentID(gen.AsMassQuoteEntry(m.Group.At(i)).InstrumentID())
}

// QuoteEntry makes a request of an entry, counted from 0, of a mass quote that ToRequest does not refuse. All of r is written.
func QuoteEntry(m *Message, i int, s *Scale, r *msg.Request) {
	root, e := gen.AsMassQuote(m.Block), gen.AsMassQuoteEntry(m.Group.At(i))
	q := msg.Quotation{Group: root.MmpGroup(), Index: uint8(i), Count: uint8(m.Group.Count), Entry: e.EntryID()}
	q.Bid, q.BidQty, q.BidNo = quoted(e.BidPx(), e.BidQty(), s)
	q.Ask, q.AskQty, q.AskNo = quoted(e.AskPx(), e.AskQty(), s)
	if q.AskNo == msg.RejectOffTick {
		q.Ask++ // above what was said, so that it crosses no bid which that did not
	}
	c := msg.Quote(msg.AccountID(root.AccountID()), msg.InstrumentID(e.InstrumentID()), q)
	c.Ref, c.STP = msg.Ref(root.QuoteID()), msg.STP(root.Stp())
	if root.Flags()&gen.QuoteFlagsPostOnly != 0 {
		c.Flags = msg.FlagPostOnly
	}
	*r = c.Request
}

// quoted is one side of an entry. What is no multiple is told in ticks or lots below it, with the reject; a price of an ask in ticks above.
func quoted(price, qty int64, s *Scale) (p fixed.Ticks, q fixed.Lots, no msg.Reject) {
	if qty == 0 {
		return 0, 0, 0
	}
	p, ok := s.Ticks(price)
	if !ok {
		no = msg.RejectOffTick
	}
	if q, ok = s.Lots(qty); !ok {
		q = max(q, 1) // it is wanted
		if no == 0 {
			no = msg.RejectOffLot
		}
	}
	return p, q, no
}

// Of the frame of a MassQuoteAck.
const quoteAckEntry = len(gen.MassQuoteAckEntry{})

// AppendQuoteAck appends the frame that answers a mass quote, of its answers, entry by entry; the last of them is the report. They are
// of one command, so nothing but the number of the report is to be known besides.
func AppendQuoteAck(dst []byte, answers []msg.Event, number uint64) []byte {
	last := &answers[len(answers)-1]
	a := last.QuoteAnswer()
	start := len(dst)
	out, block := AppendFrame(dst, gen.Header{Block: uint16(len(gen.MassQuoteAck{})), Template: gen.TemplateMassQuoteAck, Schema: gen.SchemaOrderEntry,
		Version: reportVersion})
	m := gen.AsMassQuoteAck(block)
	m.SetSeqNum(number)
	m.SetTransactTime(uint64(last.Time))
	m.SetQuoteID(uint64(last.Ref))
	m.SetEngineSeq(uint64(last.Seq))
	m.SetAccountID(uint32(last.Account))
	m.SetRefSeqNum(a.Number)
	m.SetMmpGroup(a.Group)
	out, group := AppendGroup(out, start, quoteAckEntry, len(answers))
	for i := range answers {
		ev, e := &answers[i], gen.AsMassQuoteAckEntry(group.At(i))
		a := ev.QuoteAnswer()
		e.SetBidOrderID(uint64(ev.Order))
		e.SetAskOrderID(uint64(a.Ask))
		e.SetInstrumentID(uint32(ev.Instr))
		e.SetBidCode(gen.RejectCode(a.BidNo.Code()))
		e.SetAskCode(gen.RejectCode(a.AskNo.Code()))
	}
	return AppendData(out, start, nil)
}
