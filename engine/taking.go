package engine

import (
	"github.com/lockstep-exchange/lockstep/book"
	"github.com/lockstep-exchange/lockstep/clearing"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// taking is a taker on his way through those that he meets.
type taking struct {
	clearing.Taking
	order  *book.Order
	ticket *book.Ticket
	h      uint32     // of the order
	leaves fixed.Lots // of it, as far as its trades are settled
	plain  bool       // its trades may go the short way
}

// trades reports whether the trades of a taker may go the short way: he and his instrument are plain, and no maker is paid.
func trades(in *market.Instrument, p *clearing.Position) bool {
	return in.Plain && p.Asks == 0 && in.Maker >= 0 && in.MarkMode != msg.MarkComposite
}

// settlePlain settles fills the short way, from the first on, and tells both sides of each, the maker's first. It returns how many it
// settled: the next one is no trade, or its maker has to go the long way.
//
// Both events are written word by word: a structure would be filled, copied and read again.
func (e *Engine) settlePlain(k *taking, fills []book.Fill) (n int) {
	ticket, order := k.ticket, k.order
	id := msg.OrderID(order.Gen)<<32 | msg.OrderID(k.h)
	out := e.out[e.told:]
	for ; n < len(fills); n++ {
		f := &fills[n]
		if f.Kind != book.Trade || !e.house.Trade(&k.Taking, f.Handle, f.Qty, f.Leaves, f.Price) {
			break
		}
		e.trades++
		k.leaves -= f.Qty
		filled := ticket.Filled + f.Qty
		ticket.Filled = filled
		at := e.told
		e.told = at + 2

		ev := &out[2*n]
		r := &ev.Rare
		r[0], r[1], r[2], r[3] = uint64(f.Leaves), uint64(f.Filled), uint64(e.trades), uint64(id)
		r[4], r[5], r[6], r[7] = uint64(k.Maker.Fee), uint64(k.Maker.Realized), uint64(k.Maker.Held), 1
		ev.Seq, ev.Time, ev.Order, ev.Ref, ev.Price, ev.Qty = e.seq, e.now, f.Maker, f.Ref, f.Price, f.Qty
		ev.Account, ev.Instr, ev.Session, ev.Index = f.Account, ticket.Instr, f.Session, uint16(at-e.first)
		ev.Reject, ev.Reason, ev.Kind, ev.Side = 0, 0, msg.Traded, k.Side.Opposite()
		ev = &out[2*n+1]
		r = &ev.Rare
		r[0], r[1], r[2], r[3] = uint64(k.leaves), uint64(filled), uint64(e.trades), uint64(f.Maker)
		r[4], r[5], r[6], r[7] = uint64(k.Taker.Fee), uint64(k.Taker.Realized), uint64(k.Taker.Held), 0
		ev.Seq, ev.Time, ev.Order, ev.Ref, ev.Price, ev.Qty = e.seq, e.now, id, ticket.Ref, f.Price, f.Qty
		ev.Account, ev.Instr, ev.Session, ev.Index = ticket.Account, ticket.Instr, order.Session, uint16(at+1-e.first)
		ev.Reject, ev.Reason, ev.Kind, ev.Side = 0, 0, msg.Traded, k.Side

		k.Instrument.Last = f.Price
		if k.Emptied || e.jobs.walks != 0 && f.Leaves == 0 {
			e.gone(f.Handle, k.MakerRow)
		}
	}
	return n
}

// gone forgets a maker that has traded in full, and tidies up after it.
//
//go:noinline
func (e *Engine) gone(h, row uint32) {
	e.jobs.leave(e.house, h)
	e.tidy(row)
}
