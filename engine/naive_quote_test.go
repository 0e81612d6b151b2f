package engine

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// The part of the twin that quotes (W-51): a quote is the ids of two orders that may be gone, and a mass quote a list of what was said of its
// entries until all are there.

// naiveQuote is what an account quotes in an instrument.
type naiveQuote struct{ bid, ask msg.OrderID }

// naiveQuoting is a mass quote under way.
type naiveQuoting struct {
	first   msg.Command
	void    bool
	answers []msg.Event
}

// interrupts reports whether a command is not the one that the mass quote under way waits for.
func (n *naive) interrupts(c *msg.Command) bool {
	if n.quoting == nil {
		return false
	}
	q, f, of := c.Quotation(), &n.quoting.first, n.quoting.first.Quotation()
	next := c.Kind == msg.KindQuote && c.Session == f.Session && c.Ref == f.Ref && c.Account == f.Account && q.Group == of.Group && q.Count == of.Count &&
		int(q.Index) == len(n.quoting.answers) && len(n.quoting.answers) < int(of.Count)
	return !next
}

// endQuote answers the mass quote under way, whatever there is of it.
func (n *naive) endQuote() {
	of := n.quoting.first.Quotation()
	for i := range of.Count {
		if n.quoting.void {
			break
		}
		e := n.emit(msg.Event{Kind: msg.QuoteAnswered, Ref: n.quoting.first.Ref, Account: n.quoting.first.Account, Session: n.quoting.first.Session})
		a := msg.QuoteAnswer{BidNo: msg.RejectShuttingDown, AskNo: msg.RejectShuttingDown}
		if int(i) < len(n.quoting.answers) {
			e.Order, e.Instr, a = n.quoting.answers[i].Order, n.quoting.answers[i].Instr, n.quoting.answers[i].QuoteAnswer()
		}
		a.Group, a.Index, a.Count = of.Group, i, of.Count
		e.SetQuoteAnswer(a)
	}
	n.quoting = nil
}

func (n *naive) quote(c *msg.Command) {
	q := c.Quotation()
	if n.quoting == nil {
		if q.Index != 0 || q.Count == 0 || q.Count > 16 {
			n.refuse(c, msg.RejectValueOutOfRange, 16, int64(q.Count))
			return
		}
		n.quoting = &naiveQuoting{first: *c}
		switch {
		case c.Flags&^msg.FlagPostOnly != 0:
			n.refuse(c, msg.RejectReservedBits, 0, 0)
			n.quoting.void = true
		case c.STP > msg.STPNone:
			n.refuse(c, msg.RejectValueOutOfRange, 0, 0)
			n.quoting.void = true
		default:
			door := *c
			door.Instr = 0
			if n.quoting.void, _ = n.enter(&door, 2, false); n.quoting.void {
				n.out[len(n.out)-1].Instr = c.Instr
			}
		}
	}
	answer := msg.Event{Instr: c.Instr}
	if !n.quoting.void {
		n.quoteEntry(c, &q, &answer)
	}
	n.quoting.answers = append(n.quoting.answers, answer)
	if len(n.quoting.answers) == int(q.Count) && int(n.limits.Events)-len(n.out)-16 >= int(q.Count) {
		n.endQuote()
	}
}

// quoteEntry makes a quote what an entry says.
func (n *naive) quoteEntry(c *msg.Command, q *msg.Quotation, answer *msg.Event) {
	in, a := n.instruments[c.Instr], n.accounts[c.Account]
	if no := c.Flags &^ msg.FlagPostOnly; no != 0 || c.STP > msg.STPNone {
		r := msg.RejectValueOutOfRange
		if no != 0 {
			r = msg.RejectReservedBits
		}
		answer.SetQuoteAnswer(msg.QuoteAnswer{BidNo: r, AskNo: r})
		return
	}
	if in == nil {
		answer.SetQuoteAnswer(msg.QuoteAnswer{BidNo: msg.RejectUnknownInstrument, AskNo: msg.RejectUnknownInstrument})
		return
	}
	var door objections
	reduce := n.entryOf(c.Instr, a, &door)
	door.when(n.guardedBy(c.Account, q.Group) != 0, n.guardedBy(c.Account, q.Group), 0, 0)
	if int(n.limits.Events)-len(n.out)-16 < 32 {
		door = objections{{reject: msg.RejectBusy}}
	}
	n.touch(a)
	place := [2]uint32{uint32(c.Account), uint32(c.Instr)}
	held := n.quotes[place]
	type side struct {
		side   msg.Side
		price  fixed.Ticks
		qty    fixed.Lots
		old    *naiveOrder
		no     objections
		stands msg.OrderID
		keeps  bool
	}
	sides := []*side{{side: msg.Buy, price: q.Bid, qty: q.BidQty, old: n.order(held.bid)}, {side: msg.Sell, price: q.Ask, qty: q.AskQty, old: n.order(held.ask)}}
	for i, early := range []msg.Reject{q.BidNo, q.AskNo} {
		s := sides[i]
		if s.qty == 0 {
			continue
		}
		s.no = append(s.no, door...)
		s.no.when(early != 0, early, 0, 0)
		s.no.when(early == 0 && (s.qty < 0 || s.qty > 1<<55 || s.price <= 0 || s.price > 1<<55), msg.RejectValueOutOfRange, 0, 0)
		s.no.when(q.BidQty > 0 && q.AskQty > 0 && q.Bid >= q.Ask, msg.RejectWouldCross, 0, 0)
	}
	stp := c.STP
	if stp == msg.STPDefault {
		if stp = in.listing.STP; stp == msg.STPDefault {
			stp = msg.STPNone
		}
	}
	for _, s := range sides {
		o := s.old
		if o == nil || len(s.no) > 0 || s.qty == 0 || s.qty > o.leaves || s.price != o.price || o.postOnly != (c.Flags&msg.FlagPostOnly != 0) || o.stp != stp ||
			int64(s.qty)%in.step(msg.QtyStep) != 0 || o.group != q.Group {
			continue
		}
		s.keeps, s.stands = true, o.id
		if by := o.leaves - s.qty; by > 0 {
			o.leaves = s.qty
			n.canceled(o, by, o.leaves, msg.CanceledByQuote, c.Ref, c.Session)
		}
	}
	for _, s := range sides {
		if s.old != nil && !s.keeps {
			n.canceled(s.old, s.old.leaves, 0, msg.CanceledByQuote, c.Ref, c.Session)
			n.remove(s.old)
		}
	}
	n.kept = 32
	for _, s := range sides {
		if s.keeps || s.qty == 0 || len(s.no) > 0 {
			continue
		}
		if no := n.guardedBy(c.Account, q.Group); no != 0 {
			s.no = objections{{reject: no}}
			continue
		}
		one := *c
		one.Kind, one.Side, one.Price, one.Qty, one.TIF = msg.KindLimit, s.side, s.price, s.qty, msg.GTC
		id, f := n.takeIn(&one, a, in, reduce, msg.QuotePlaced, q.Group)
		if s.stands = id; f.reject != 0 {
			s.no = objections{f}
		}
	}
	n.kept = 0
	n.quotes[place] = naiveQuote{sides[0].stands, sides[1].stands}
	answer.Order = sides[0].stands
	answer.SetQuoteAnswer(msg.QuoteAnswer{Ask: sides[1].stands, BidNo: sides[0].no.first().reject, AskNo: sides[1].no.first().reject})
}

// quotes draws the entries of a mass quote, the first of which is asked as c: often what was quoted before, or less of it.
func (t *trader) quotes(c msg.Command) msg.Command {
	count, group := 1+t.below(4), uint16(t.below(3))
	var all []msg.Command
	for i := range count {
		in := t.instrument()
		place := [2]uint32{uint32(c.Account), uint32(in)}
		q, again := t.quoted[place]
		switch {
		case again && t.percent(40):
			if t.percent(50) {
				q.BidQty = max(q.BidQty-fixed.Lots(t.below(3)), 0)
			}
			if t.percent(30) {
				q.Ask += fixed.Ticks(t.below(3))
			}
		default:
			q = msg.Quotation{Bid: t.price(in, msg.Buy), Ask: t.price(in, msg.Sell), BidQty: fixed.Lots(t.below(t.lots)), AskQty: fixed.Lots(t.below(t.lots))}
			if q.Bid >= q.Ask && t.percent(90) {
				q.Ask = q.Bid + 1 + fixed.Ticks(t.below(4))
			}
		}
		if t.percent(3) {
			q.BidNo = msg.RejectOffTick
		}
		if t.percent(2) {
			q.AskQty = -1
		}
		t.quoted[place] = q
		q.Index, q.Count, q.Group = uint8(i), uint8(count), group
		e := msg.Quote(c.Account, in, q)
		e.Session, e.Ref, e.Time, e.STP, e.Flags = c.Session, c.Ref, c.Time, c.STP, c.Flags
		all = append(all, e)
	}
	if t.percent(6) { // it is cut off, or begins in the middle
		all = all[:1+t.below(count)]
	} else if t.percent(3) && count > 1 {
		all = all[1:]
	}
	t.queue = append(t.queue, all[1:]...)
	return all[0]
}
