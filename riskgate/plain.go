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

// Passes lets a message in that Enter would: its account, up to date, and its instrument; nil where the long way has to tell.
// The client id is not taken yet; see Take.
func (g *Gate) Passes(r *msg.Request) (a *clearing.Account, in *market.Instrument) {
	a = g.House.Fresh(r.Account)
	if a == nil || uint64(r.Instr) >= uint64(len(g.Instruments)) || int(r.Session) >= len(g.Sessions) {
		return nil, nil
	}
	in = &g.Instruments[r.Instr]
	s := &g.Sessions[r.Session]
	if !in.Plain || g.Venue.MessageRate != 0 ||
		r.Session != 0 && (!s.Open || s.Owner != a.Owner) || r.Ref != 0 && r.Ref <= s.Last {
		return nil, nil
	}
	return a, in
}

// Rests is Passes for a new order, and asks besides whether it is a plain one, which may rest in full, within what an order
// may be, and what its account may bring in. Only margin is not asked; see clearing.House.Rest. n is the order's value at its limit;
// row 0 says that its position is not at its home, or nowhere.
func (g *Gate) Rests(r *msg.Request) (a *clearing.Account, in *market.Instrument, row uint32, n fixed.Money) {
	if r.Side-1 > 1 || r.TIF > msg.IOC || r.STP > msg.STPNone || r.Flags != 0 {
		return nil, nil, 0, 0
	}
	a = g.House.Fresh(r.Account)
	if a == nil || uint64(r.Instr) >= uint64(len(g.Instruments)) || int(r.Session) >= len(g.Sessions) {
		return nil, nil, 0, 0
	}
	in = &g.Instruments[r.Instr]
	s := &g.Sessions[r.Session]
	if !in.Plain || g.Venue.MessageRate != 0 ||
		r.Session != 0 && (!s.Open || s.Owner != a.Owner) || r.Ref != 0 && r.Ref <= s.Last ||
		g.Venue.Entry|a.Entry|a.OwnerEntry != 0 || a.Groups>>(in.Group&31)&1 == 0 {
		return nil, nil, 0, 0
	}
	span := &in.Spans[r.Side&1]
	n, fits := fixed.NotionalShort(r.Qty, r.Price, in.TickLot)
	if uint64(r.Price-span.Low) > span.Width || uint64(r.Qty-1) >= uint64(min(in.MaxQty, MaxQty)) || !fits ||
		n > in.MaxNotional || n < in.MinNotional || n > g.House.Bound() {
		return nil, nil, 0, 0
	}
	row = g.House.FindAtHome(r.Account, r.Instr)
	if int64(g.House.Position(row).Open) >= in.MaxOpen {
		return nil, nil, 0, 0
	}
	return a, in, row, n
}

// Moves is what Rests asks besides of an order that Passes and is to have leaves lots at limit from now on. n is its value there.
func (g *Gate) Moves(a *clearing.Account, in *market.Instrument, side msg.Side, limit fixed.Ticks, leaves fixed.Lots) (n fixed.Money, ok bool) {
	span := &in.Spans[side&1]
	n, fits := fixed.NotionalShort(leaves, limit, in.TickLot)
	return n, fits && uint64(limit-span.Low) <= span.Width && uint64(leaves-1) < uint64(min(in.MaxQty, MaxQty)) &&
		n <= in.MaxNotional && n >= in.MinNotional && n <= g.House.Bound() &&
		g.Venue.Entry|a.Entry|a.OwnerEntry == 0 && a.Groups>>(in.Group&31)&1 != 0
}

// Take takes the client id of a message that passed and goes on.
func (g *Gate) Take(r *msg.Request) {
	if r.Ref != 0 {
		g.Sessions[r.Session].Last = r.Ref
	}
}
