package engine

import (
	"github.com/lockstep-exchange/lockstep/book"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/riskgate"
)

// Quotes (W-51). An account has one quote in an instrument, of one key: an order of each side at most, which are orders like any others. An
// entry of a mass quote says what it is from now on, side by side:
//
//	as it is, at the same price        nothing happens, it keeps its place
//	fewer lots at the same price       it keeps its place
//	anything else                      the old order goes, then the new one comes, under an id of its own
//	nothing                            the old order goes
//	refused                            the old order goes: a price that its maker has given up is worse than none
//
// Both old orders go before the first new one comes, so that a quote that moves never meets itself.
//
//	quotes      by position row: the ids of its two orders, and the key. An order that has gone is found to be no more, by its id; so
//	            nobody has to say it, and the row of a position that is another one's by now has no quote
//	quoting     the mass quote under way: what became of its entries so far, until the last one tells it

// quote is what an account quotes in an instrument.
type quote struct {
	bid, ask msg.OrderID
	key      msg.KeyID
	_        uint32
}

// quoting is a mass quote of which an entry has come. Whatever comes before the next one ends it.
type quoting struct {
	answers   [msg.QuoteMax]outcome
	ref       msg.Ref
	account   msg.AccountID
	number    uint32 // the client's, of the message
	session   msg.SessionID
	group     uint16
	at, count uint8 // entries so far, of how many; count 0: there is none under way
	void      bool  // it was refused as a whole, and is answered
}

// outcome is what became of an entry.
type outcome struct {
	bid, ask     msg.OrderID
	instr        msg.InstrumentID
	bidNo, askNo msg.Reject
	_            uint16
}

// quoteRoom is how many events are kept back while a side of a quote trades: for the other side, and for the answers.
const quoteRoom = eventsBesides + msg.QuoteMax

// continues reports whether a command is the next entry of the mass quote under way.
func (e *Engine) continues(c *msg.Command) bool {
	r, q := &e.quoting, c.Quotation()
	return c.Kind == msg.KindQuote && c.Session == r.session && c.Ref == r.ref && c.Account == r.account && q.Group == r.group &&
		q.Index == r.at && q.Count == r.count && r.at < r.count && c.Envelope().SeqNum == r.number
}

// takeQuote takes an entry of a mass quote.
func (e *Engine) takeQuote(c *msg.Command) {
	q, r := c.Quotation(), &e.quoting
	if r.count == 0 && !e.beginQuote(c, &q) {
		return
	}
	if !r.void {
		r.answers[r.at] = e.quoteEntry(c, &q)
	}
	r.at++
	if r.at == r.count && e.spare() >= int(r.count) { // else with the next command
		e.answerQuote()
	}
	if r.count != 0 {
		e.wake = 0
	}
}

// beginQuote asks what is asked of a mass quote as a whole: form, rate, rights, account and client id. One that is refused is answered, and
// its other entries do nothing. It is false where there are none that could be told from anything else.
func (e *Engine) beginQuote(c *msg.Command, q *msg.Quotation) bool {
	if q.Index != 0 || q.Count == 0 || q.Count > msg.QuoteMax {
		e.refuse(c, msg.RejectValueOutOfRange, msg.QuoteMax, int64(q.Count))
		return false
	}
	var o riskgate.Order
	no := quoteFormed(c)
	if no == 0 {
		door := c.Request // what it quotes is asked entry by entry
		door.Instr = 0
		no = e.gate.Enter(&door, &o, riskgate.Quotes, false)
	}
	if no != 0 {
		e.refuse(c, no, o.Bound, o.Actual)
	}
	e.quoting = quoting{ref: c.Ref, account: c.Account, number: c.Envelope().SeqNum, session: c.Session, group: q.Group, count: q.Count, void: no != 0}
	return true
}

// quoteFormed asks what makes no sense in an entry whatever stands in the book.
func quoteFormed(c *msg.Command) msg.Reject {
	if c.Flags&^msg.FlagPostOnly != 0 {
		return msg.RejectReservedBits
	}
	if c.STP > msg.STPNone || !c.Sound() {
		return msg.RejectValueOutOfRange
	}
	return 0
}

// answerQuote tells what became of a mass quote. Entries that have not come were lost with the venue's going down between two of them.
func (e *Engine) answerQuote() {
	r := &e.quoting
	for i := uint8(0); i < r.count && !r.void; i++ {
		a := &r.answers[i]
		if i >= r.at {
			a.bidNo, a.askNo = msg.RejectShuttingDown, msg.RejectShuttingDown
		}
		ev := e.emit(msg.QuoteAnswered)
		ev.Order, ev.Ref, ev.Account, ev.Instr, ev.Session = a.bid, r.ref, r.account, a.instr, r.session
		ev.SetQuoteAnswer(msg.QuoteAnswer{Ask: a.ask, BidNo: a.bidNo, AskNo: a.askNo, Group: r.group, Index: i, Count: r.count, Number: r.number})
	}
	*r = quoting{}
}

// side is one side of an entry, on its way.
type side struct {
	price fixed.Ticks
	qty   fixed.Lots
	old   uint32      // the order that stands there, 0: none
	id    msg.OrderID // of what stands there after it
	no    msg.Reject
	side  msg.Side
	stays bool // it is as it was, or smaller
}

// quoteEntry makes an account's quote in an instrument what an entry says.
func (e *Engine) quoteEntry(c *msg.Command, q *msg.Quotation) outcome {
	bid := side{side: msg.Buy, price: q.Bid, qty: q.BidQty, no: q.BidNo}
	ask := side{side: msg.Sell, price: q.Ask, qty: q.AskQty, no: q.AskNo}
	in, no := e.instrument(c.Instr), quoteFormed(c)
	if no == 0 && in == nil {
		no = msg.RejectUnknownInstrument
	}
	if no == 0 {
		no = e.findQuote(c, &bid, &ask)
	}
	if no != 0 { // nothing changes
		return outcome{instr: c.Instr, bidNo: no, askNo: no}
	}

	o := riskgate.Order{Account: e.house.Account(c.Account), Instrument: in}
	no = earlier(e.gate.Entry(c.Account, &o), e.guarded(c.Account, q.Group))
	if e.spare() < quoteRoom {
		no = msg.RejectBusy
	}
	crossed := bid.qty > 0 && ask.qty > 0 && bid.price >= ask.price
	bid.judge(no, crossed)
	ask.judge(no, crossed)
	if !e.house.Current(o.Account) {
		e.touch(c.Account)
	}
	e.kept = quoteRoom
	for _, s := range [...]*side{&bid, &ask} {
		s.stays = s.old != 0 && s.qty > 0 && s.no == 0 && e.stays(c, q.Group, in, s)
	}
	for _, s := range [...]*side{&bid, &ask} {
		if s.old != 0 && !s.stays {
			e.take(e.books[c.Instr], in, s.old, msg.CanceledByQuote, c)
			s.id = 0
		}
	}
	for _, s := range [...]*side{&bid, &ask} {
		if s.qty == 0 || s.no != 0 || s.stays {
			continue
		}
		if s.no = e.guarded(c.Account, q.Group); s.no == 0 { // the first one may have tripped it
			e.placeSide(c, q.Group, o, s)
		}
	}
	e.kept = 0
	if row := e.house.Find(c.Account, c.Instr); row != 0 {
		e.quotes[row] = quote{bid: bid.id, ask: ask.id, key: e.gate.Sessions[c.Session].Key}
	}
	return outcome{instr: c.Instr, bid: bid.id, ask: ask.id, bidNo: bid.no, askNo: ask.no}
}

// findQuote finds the orders that an account's quote has. Those of another key are not to be replaced.
func (e *Engine) findQuote(c *msg.Command, bid, ask *side) msg.Reject {
	row := e.house.Find(c.Account, c.Instr)
	if row == 0 {
		return 0
	}
	held := &e.quotes[row]
	bid.id, bid.old = e.standing(held.bid, c)
	ask.id, ask.old = e.standing(held.ask, c)
	if bid.old|ask.old != 0 && held.key != e.gate.Sessions[c.Session].Key {
		return msg.RejectModeConflict
	}
	return 0
}

// standing is an order of a quote that is still there.
func (e *Engine) standing(id msg.OrderID, c *msg.Command) (msg.OrderID, uint32) {
	h := e.store.Find(id)
	if h == 0 || e.store.Ticket(h).Account != c.Account || e.store.Ticket(h).Instr != c.Instr {
		return 0, 0
	}
	return id, h
}

// judge is what is to be said against a side that is wanted, the earliest in precedence; no is what holds for both. The price of one that was
// refused before is only near to what was said.
func (s *side) judge(no msg.Reject, crossed bool) {
	if s.qty == 0 {
		s.no = 0
		return
	}
	if s.no == 0 && (s.qty < 0 || s.qty > riskgate.MaxQty || s.price <= 0 || s.price > riskgate.MaxPrice) {
		s.no = msg.RejectValueOutOfRange
	}
	s.no = earlier(s.no, no)
	if crossed {
		s.no = earlier(s.no, msg.RejectWouldCross)
	}
}

// earlier is which of two rejects comes first in precedence; 0 is none.
func earlier(a, b msg.Reject) msg.Reject {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// stays reports whether a side keeps its order and its place, and takes out the lots that it is to have no more.
func (e *Engine) stays(c *msg.Command, group uint16, in *market.Instrument, s *side) bool {
	o, t := e.store.Order(s.old), e.store.Ticket(s.old)
	if t.Price != s.price || s.qty > o.Leaves || o.Flags&book.PostOnly != 0 != (c.Flags&msg.FlagPostOnly != 0) ||
		o.Flags.STP() != resolve(c.STP, in) || e.store.Tag(s.old).Group != group || !fixed.MultipleOf(s.qty, in.QtyStep) {
		return false
	}
	if by := o.Leaves - s.qty; by > 0 {
		e.books[c.Instr].Reduce(s.old, by)
		e.house.Shrink(resting(s.old, o, t.Price), in, by, s.qty)
		e.canceled(s.old, o, t, by, s.qty, msg.CanceledByQuote, c)
	}
	return true
}

// placeSide brings the order of a side in, for an account that Entry let in with o.
func (e *Engine) placeSide(c *msg.Command, group uint16, o riskgate.Order, s *side) {
	e.asked = msg.Command{Seq: c.Seq, Request: msg.Request{Time: c.Time, Kind: msg.KindLimit, Ref: c.Ref, Account: c.Account, Instr: c.Instr,
		Session: c.Session, Side: s.side, Price: s.price, Qty: s.qty, Flags: c.Flags, STP: c.STP}}
	s.id, s.no = e.takeIn(&e.asked, e.books[c.Instr], &o, msg.QuotePlaced, group)
}

// Quote is what an account quotes in an instrument: the orders of either side that are still there, 0 for none.
func (e *Engine) Quote(account msg.AccountID, instr msg.InstrumentID) (bid, ask msg.OrderID) {
	if uint32(account) > e.limits.Accounts || e.bookOf(instr) == nil {
		return 0, 0
	}
	row := e.house.Find(account, instr)
	if row == 0 {
		return 0, 0
	}
	of := msg.Command{Request: msg.Request{Account: account, Instr: instr}}
	bid, _ = e.standing(e.quotes[row].bid, &of)
	ask, _ = e.standing(e.quotes[row].ask, &of)
	return bid, ask
}

func (r *quoting) hash(d *fixed.Digest) {
	if r.count == 0 {
		return
	}
	d.Word(uint64(r.ref))
	d.Pair(uint32(r.account), r.number)
	d.Word(uint64(r.session)<<48 | uint64(r.group)<<32 | uint64(r.at)<<16 | uint64(r.count)<<8 | uint64(word(r.void)))
	for i := range r.at {
		a := &r.answers[i]
		d.Word(uint64(a.bid))
		d.Word(uint64(a.ask))
		d.Word(uint64(a.instr)<<16 | uint64(a.bidNo)<<8 | uint64(a.askNo))
	}
}

func (r *quoting) code(c *fixed.Codec) {
	c.Open("quoting", 1, 1)
	fixed.Word(c, &r.ref)
	fixed.Half(c, &r.account)
	fixed.Half(c, &r.number)
	fixed.Quarter(c, &r.session)
	fixed.Quarter(c, &r.group)
	fixed.Byte(c, &r.at)
	fixed.Byte(c, &r.count)
	c.Flag(&r.void)
	for i := range r.answers {
		a := &r.answers[i]
		fixed.Word(c, &a.bid)
		fixed.Word(c, &a.ask)
		fixed.Half(c, &a.instr)
		fixed.Byte(c, &a.bidNo)
		fixed.Byte(c, &a.askNo)
	}
}

func (q *quote) code(c *fixed.Codec) {
	fixed.Word(c, &q.bid)
	fixed.Word(c, &q.ask)
	fixed.Half(c, &q.key)
}

// hashQuotes folds what every account quotes into d.
func (e *Engine) hashQuotes(d *fixed.Digest) {
	for row := range e.quotes {
		if q := &e.quotes[row]; *q != (quote{}) {
			d.Pair(uint32(row), uint32(q.key))
			d.Word(uint64(q.bid))
			d.Word(uint64(q.ask))
		}
	}
	e.quoting.hash(d)
}

// relateQuotes refuses quotes of keys that there are not, and a mass quote that cannot be under way.
func (e *Engine) relateQuotes(c *fixed.Codec) {
	c.Begin("quotes")
	for row := range e.quotes {
		if q := &e.quotes[row]; uint64(q.key) >= uint64(len(e.gate.Keys)) || row == 0 && *q != (quote{}) {
			c.Refuse(row, "a quote of a key or position that there is not")
			return
		}
	}
	c.Begin("quoting")
	if r := &e.quoting; r.count > msg.QuoteMax || r.at > r.count || uint32(r.account) > e.limits.Accounts || !e.gate.Sessions.Has(r.session) {
		c.Refuse(0, "a mass quote that cannot be under way")
	}
}
