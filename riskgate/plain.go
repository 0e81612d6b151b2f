package riskgate

import (
	"github.com/lockstep-exchange/lockstep/clearing"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// The short way through the gate, for what most messages are: a plain order, or a cancel, of an account and in an
// instrument that no rare rule is about. It asks what Formed, Enter and Admit ask, in any order, since it never refuses: who
// does not pass goes the long way and is answered there. So it may only ever say yes where they do, and finds what they
// would find; a test walks both ways and compares.
//
// The functions call no other, so that all that they find stays in registers.

// Passes lets a message in that Enter would, of one who has a right: its account, whose sums are those of the present marks, its
// instrument and the last client id; nil where the long way has to tell. The client id is not taken yet; see Take.
func (g *Gate) Passes(r *msg.Request, right Rights) (a *clearing.Account, in *market.Instrument, last *msg.Ref) {
	a = g.House.Fresh(r.Account)
	if a == nil || uint64(r.Instr) >= uint64(len(g.Instruments)) || int(r.Session) >= len(g.Sessions) {
		return nil, nil, nil
	}
	in, last = &g.Instruments[r.Instr], &g.Sessions[r.Session].Last
	if r.Session != 0 {
		s := &g.Sessions[r.Session]
		if s.May&right == 0 || s.Owner != a.Owner || s.Account != 0 && s.Account != r.Account {
			return nil, nil, nil
		}
		if s.Key != 0 {
			last = &g.Keys[s.Key].Last
		}
	}
	if !in.Plain || g.Venue.MessageRate != 0 || r.Ref != 0 && r.Ref <= *last {
		return nil, nil, nil
	}
	return a, in, last
}

// Rests is Passes for a new order, and asks besides whether it is a plain one, which may rest in full, within what an order
// may be, and what its account may bring in. Only what House.Rest asks is not asked. n is the order's value at its limit.
func (g *Gate) Rests(r *msg.Request) (a *clearing.Account, in *market.Instrument, last *msg.Ref, n fixed.Money) {
	a = g.House.Fresh(r.Account)
	if a == nil || uint64(r.Instr) >= uint64(len(g.Instruments)) || int(r.Session) >= len(g.Sessions) {
		return nil, nil, nil, 0
	}
	in, last = &g.Instruments[r.Instr], &g.Sessions[r.Session].Last
	if r.Session != 0 {
		s := &g.Sessions[r.Session]
		if s.May&MayOrder == 0 || s.Owner != a.Owner || s.Account != 0 && s.Account != r.Account {
			return nil, nil, nil, 0
		}
		if s.Key != 0 {
			last = &g.Keys[s.Key].Last
		}
	}
	span := &in.Spans[r.Side&1]
	n = fixed.Money(int64(r.Qty) * int64(r.Price) * int64(in.TickLot))
	if a.May&in.Opens == 0 || r.Side-1 > 1 || r.TIF > msg.IOC || r.STP > msg.STPNone || r.Flags != 0 ||
		g.Venue.MessageRate != 0 || g.Venue.Entry != 0 || g.Venue.Storage != 0 || r.Ref != 0 && r.Ref <= *last ||
		uint64(r.Price-span.Low) > span.Width || uint64(r.Qty-1) >= uint64(in.PlainQty) ||
		n > in.MaxNotional || n < in.MinNotional || n > g.House.Bound() {
		return nil, nil, nil, 0
	}
	return a, in, last, n
}

// Moves is what Rests asks besides of an order that Passes and is to have leaves lots at limit from now on. n is its value there.
func (g *Gate) Moves(a *clearing.Account, in *market.Instrument, side msg.Side, limit fixed.Ticks, leaves fixed.Lots) (n fixed.Money, ok bool) {
	span := &in.Spans[side&1]
	n = fixed.Money(int64(leaves) * int64(limit) * int64(in.TickLot))
	return n, a.May&in.Opens != 0 && g.Venue.Entry == 0 && g.Venue.Storage == 0 &&
		uint64(limit-span.Low) <= span.Width && uint64(leaves-1) < uint64(in.PlainQty) &&
		n <= in.MaxNotional && n >= in.MinNotional && n <= g.House.Bound()
}

// Take takes the client id of a message that passed and goes on.
func Take(last *msg.Ref, id msg.Ref) {
	if id != 0 {
		*last = id
	}
}
