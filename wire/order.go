package wire

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// How a message of order entry becomes a request of the core. Three questions, in the order of the rejects:
//
//	1  format        reserved bits, values, ranges        100 to 106
//	2  what is here  what the core does not have          413
//	3  tick and lot  prices and quantities to scale       402, 403
//
// A session's rights, rates and client ids are asked between 1 and 2, by others; so a refusal of 2 or 3 is only the answer
// where nobody refuses before. Reject is an ordinal in order of precedence, so the smaller one wins.
//
// What the core has no field for is refused and never dropped: an order that would work otherwise than it says is worse than
// none. A Replace and a Cancel name their order by its id alone; the account is put in by who knows whose session it is.

// Refusal says why a message becomes no request.
type Refusal struct {
	Reject        msg.Reject
	Field         uint8 // which field of the message's table, from 0 on; NoField: none
	Limit, Actual int64 // in the field's own unit; None: no meaning
}

// NoField is the field of a refusal that is about the message as a whole.
const NoField = 255

// Heading is what every message of a client begins with, wherever it stands in the block.
type Heading struct {
	SeqNum    uint32
	Sending   uint64 // when it was sent; 0 or NoTime: it is not said
	SendingAt uint8  // which field that is, from 0 on; NoField: it has none
	Ref       msg.Ref
	Instr     msg.InstrumentID // whose scale its prices are in; 0: none
	Account   msg.AccountID    // that it names; 0: none
	Order     msg.OrderID      // that it names; 0: none
}

func refuse(reject msg.Reject, field uint8, limit, actual int64) Refusal {
	return Refusal{reject, field, limit, actual}
}

// flawed is the refusal for what a Check found.
func flawed(field uint8, flaw gen.Flaw) Refusal {
	switch flaw {
	case gen.Sound:
		return Refusal{}
	case gen.Reserved:
		return refuse(msg.RejectReservedBits, field, None, None)
	}
	return refuse(msg.RejectValueOutOfRange, field, None, None)
}

// Fields of the tables that a refusal names.
const (
	orderPrice, orderQty, orderType, orderTIF, orderFlags    = 1, 2, 8, 9, 11
	extSource, extPeg, extSTPGroup, extTrigger, extDisplay   = 12, 13, 14, 15, 16
	extMin, extExpire, extPegOffset, extLink, extTag, extMMP = 17, 18, 19, 20, 21, 22
	replaceOrder, replacePrice, replaceQty                   = 1, 2, 3
	cancelOrder, cancelOriginal, cancelFlags                 = 1, 2, 5
)

// carried are the order flags that the core knows.
const carried = gen.OrderFlagsPostOnly | gen.OrderFlagsPostOnlySlide | gen.OrderFlagsReduceOnly | gen.OrderFlagsIsolated |
	gen.OrderFlagsPersistOnDisconnect

// flags are the flags of an order as the core has them: bits 0 to 2 are the same, isolated is bit 4 on the wire and 3 there, persist is
// bit 5 and 12.
func flags(f gen.OrderFlags) msg.Flags {
	return msg.Flags(f&7) | msg.Flags(f&gen.OrderFlagsIsolated)>>1 | msg.Flags(f&gen.OrderFlagsPersistOnDisconnect)<<7
}

// wireFlags is flags the other way round.
func wireFlags(f msg.Flags) gen.OrderFlags {
	return gen.OrderFlags(f&7) | gen.OrderFlags(f&msg.FlagIsolated)<<1 | gen.OrderFlags(f&msg.FlagPersist)>>7
}

// terms are what NewOrder and NewOrderExt share.
type terms struct {
	price, qty int64
	ordType    gen.OrdType
	tif        gen.TimeInForce
	flags      gen.OrderFlags
}

// fill writes side-independent terms into a request, or refuses.
func (t *terms) fill(r *msg.Request, s *Scale) Refusal {
	switch {
	case t.qty < 1:
		return refuse(msg.RejectValueOutOfRange, orderQty, 1, t.qty)
	case t.ordType == gen.OrdTypeMarket && t.price == None:
		t.price = 0
	case t.price == None:
		return refuse(msg.RejectValueOutOfRange, orderPrice, None, None)
	}
	switch {
	case t.ordType > gen.OrdTypeMarket:
		return refuse(msg.RejectNotSupported, orderType, None, int64(t.ordType))
	case t.flags&^carried != 0:
		return refuse(msg.RejectNotSupported, orderFlags, int64(carried), int64(t.flags))
	}
	var ok bool
	if r.Price, ok = s.Ticks(t.price); !ok {
		return refuse(msg.RejectOffTick, orderPrice, s.Tick, t.price)
	}
	if r.Qty, ok = s.Lots(t.qty); !ok {
		return refuse(msg.RejectOffLot, orderQty, s.Lot, t.qty)
	}
	r.Flags, r.TIF = flags(t.flags), msg.TIF(t.tif)
	return Refusal{}
}

// NewOrder makes a request of a plain order. Line 1 of r is written, and nothing else.
func NewOrder(m *gen.NewOrder, s *Scale, r *msg.Request) Refusal {
	if field, flaw := m.Check(); flaw != gen.Sound {
		return flawed(field, flaw)
	}
	if m.Flags()&gen.OrderFlagsDisplayQtyInUse != 0 {
		return refuse(msg.RejectReservedBits, orderFlags, None, None)
	}
	if m.Tif() == gen.TimeInForceGTD { // there is no time in it
		return refuse(msg.RejectValueOutOfRange, orderTIF, None, int64(gen.TimeInForceGTD))
	}
	t := terms{m.Price(), m.Qty(), m.OrdType(), m.Tif(), m.Flags()}
	if no := t.fill(r, s); no.Reject != 0 {
		return no
	}
	r.Time, r.Order, r.Session = 0, 0, 0
	r.Ref, r.Account, r.Instr = msg.Ref(m.ClOrdID()), msg.AccountID(m.AccountID()), msg.InstrumentID(m.InstrumentID())
	r.Side, r.STP, r.Kind = msg.Side(m.Side()), msg.STP(m.Stp()), msg.KindLimit
	if t.ordType == gen.OrdTypeMarket {
		r.Kind = msg.KindMarket
	}
	return Refusal{}
}

// NewOrderExt makes a request of an extended order: of what it adds, the core has minimum quantity and expiry.
func NewOrderExt(m *gen.NewOrderExt, s *Scale, r *msg.Request) Refusal {
	if field, flaw := m.Check(); flaw != gen.Sound {
		return flawed(field, flaw)
	}
	expire := m.ExpireTime()
	gtd := m.Tif() == gen.TimeInForceGTD
	switch {
	case m.MinQty() < 0:
		return refuse(msg.RejectValueOutOfRange, extMin, 0, m.MinQty())
	case gtd && expire >= 1<<63:
		return refuse(msg.RejectValueOutOfRange, extExpire, None, None)
	case !gtd && expire != 0 && expire != NoTime:
		return refuse(msg.RejectValueOutOfRange, extExpire, 0, int64(expire))
	}
	for _, absent := range [...]struct {
		field uint8
		there bool
	}{
		{extSource, m.TrigSource() != 0}, {extPeg, m.PegRef() != 0}, {extSTPGroup, m.StpGroup() != 0},
		{extTrigger, m.TriggerPx() != 0 && m.TriggerPx() != None}, {extDisplay, m.DisplayQty() != 0},
		{extPegOffset, m.PegOffset() != 0}, {extLink, m.LinkID() != 0}, {extTag, m.StrategyTag() != 0}, {extMMP, m.MmpGroup() != 0},
		{extMin, m.OrdType() == gen.OrdTypeMarket && m.MinQty() != 0},
	} {
		if absent.there {
			return refuse(msg.RejectNotSupported, absent.field, None, None)
		}
	}
	t := terms{m.Price(), m.Qty(), m.OrdType(), m.Tif(), m.Flags()}
	if no := t.fill(r, s); no.Reject != 0 {
		return no
	}
	least, ok := s.Lots(m.MinQty())
	if !ok {
		return refuse(msg.RejectOffLot, extMin, s.Lot, m.MinQty())
	}
	if !gtd {
		expire = 0
	}
	var c msg.Command
	account, instr, side := msg.AccountID(m.AccountID()), msg.InstrumentID(m.InstrumentID()), msg.Side(m.Side())
	if t.ordType == gen.OrdTypeMarket {
		c = msg.Market(account, instr, side, r.Qty, r.Price)
	} else {
		c = msg.Place(account, instr, side, r.Price, r.Qty, msg.OrderExt{Min: least, Expire: fixed.Nanos(expire)})
	}
	c.Flags, c.TIF, c.STP, c.Ref = r.Flags, r.TIF, msg.STP(m.Stp()), msg.Ref(m.ClOrdID())
	*r = c.Request
	return Refusal{}
}

// Replace makes a request of a replace. Its account is missing.
func Replace(m *gen.Replace, s *Scale, r *msg.Request) Refusal {
	if field, flaw := m.Check(); flaw != gen.Sound {
		return flawed(field, flaw)
	}
	switch {
	case m.OrderID() == 0:
		return refuse(msg.RejectValueOutOfRange, replaceOrder, 1, 0)
	case m.Price() == None:
		return refuse(msg.RejectValueOutOfRange, replacePrice, None, None)
	case m.Qty() < 1:
		return refuse(msg.RejectValueOutOfRange, replaceQty, 1, m.Qty())
	}
	price, ok := s.Ticks(m.Price())
	if !ok {
		return refuse(msg.RejectOffTick, replacePrice, s.Tick, m.Price())
	}
	qty, ok := s.Lots(m.Qty())
	if !ok {
		return refuse(msg.RejectOffLot, replaceQty, s.Lot, m.Qty())
	}
	c := msg.Amend(0, msg.InstrumentID(m.InstrumentID()), msg.OrderID(m.OrderID()), price, qty)
	c.Ref = msg.Ref(m.ClOrdID())
	if m.Flags()&gen.ReplaceFlagsQtyIsLeaves != 0 {
		c.Flags = msg.FlagLeaves
	}
	r.CopyFrom(&c.Request)
	return Refusal{}
}

// Cancel makes a request of a cancel. Its account is missing. To find an order by its client's id is not in the core.
func Cancel(m *gen.Cancel, r *msg.Request) Refusal {
	if field, flaw := m.Check(); flaw != gen.Sound {
		return flawed(field, flaw)
	}
	byClient := m.Flags()&gen.CancelFlagsByClOrdID != 0
	switch {
	case !byClient && m.OrderID() == 0:
		return refuse(msg.RejectValueOutOfRange, cancelOrder, 1, 0)
	case byClient && m.OrderID() != 0:
		return refuse(msg.RejectValueOutOfRange, cancelOrder, 0, int64(m.OrderID()))
	case byClient && m.OrigClOrdID() == 0:
		return refuse(msg.RejectValueOutOfRange, cancelOriginal, 1, 0)
	case byClient:
		return refuse(msg.RejectNotSupported, cancelFlags, None, None)
	}
	c := msg.Cancel(0, msg.InstrumentID(m.InstrumentID()), msg.OrderID(m.OrderID()))
	c.Ref = msg.Ref(m.ClOrdID())
	r.CopyFrom(&c.Request)
	return Refusal{}
}
