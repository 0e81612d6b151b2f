package riskgate

import (
	"github.com/lockstep-exchange/lockstep/clearing"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Meter says which quota a message draws from, so that orders never starve cancels.
type Meter uint8

const (
	Orders  Meter = iota // new orders and amends
	Cancels              // four times the rate and burst of orders
	Quotes               // out of that of orders: an entry of a mass quote costs five eighths of one
)

// cancelShare is by how much the quota of cancels is wider.
const cancelShare = 4

// Enter lets a message of an account in: rate, rights, account, client id, instrument (W-59). enters says that it brings in
// an order, which the kill switch can forbid. It writes what it finds to o; with RejectRateLimited Bound is the time to the
// next token, in Nanos.
func (g *Gate) Enter(r *msg.Request, o *Order, m Meter, enters bool) msg.Reject {
	a := g.House.Account(r.Account)
	if a == nil {
		return g.stranger(r)
	}
	in := g.listed(r.Instr)
	o.Account, o.Instrument = a, in
	if g.Venue.MessageRate != 0 {
		if reject := g.meter(r, o, a, m); reject != 0 {
			return reject
		}
	}
	if r.Session != 0 && !g.mayAct(r, a) {
		return msg.RejectNotPermitted
	}
	last, repeated := g.Use(r)
	if enters && (in == nil || a.May>>(in.Group&31)&1 == 0 || g.Venue.Entry|in.Entry != 0) {
		if reject := g.Entry(r.Account, o); reject != 0 {
			return reject
		}
	}
	if repeated {
		return o.refuse(msg.RejectDuplicateClientID, int64(last), int64(r.Ref))
	}
	if in == nil && r.Instr != 0 {
		return msg.RejectUnknownInstrument
	}
	return 0
}

// draws reports whether a client numbers his messages that become commands of a kind by his client id (W-25). Others have ids that he
// alone reads.
func draws(k msg.Kind) bool {
	switch k {
	case msg.KindLimit, msg.KindMarket, msg.KindPlace, msg.KindAmend, msg.KindCancel, msg.KindQuote:
		return true
	}
	return false
}

// Use takes the client id of a message. It returns the last one before it, of the session or its key, and whether r's is not
// above that (D-36). No id repeats nothing; a session that is not in the table has none to compare with, and may do nothing either.
func (g *Gate) Use(r *msg.Request) (last msg.Ref, repeated bool) {
	if r.Ref == 0 || int(r.Session) >= len(g.Sessions) {
		return 0, false
	}
	s := &g.Sessions[r.Session]
	if s.Key != 0 && !draws(r.Kind) {
		return 0, false
	}
	used := g.last(s)
	last = *used
	if r.Ref <= last {
		return last, true
	}
	*used = r.Ref
	return last, false
}

// listed is an instrument that is listed, else nil.
func (g *Gate) listed(id msg.InstrumentID) *market.Instrument {
	if uint64(id) >= uint64(len(g.Instruments)) || g.Instruments[id].Type == 0 {
		return nil
	}
	return &g.Instruments[id]
}

// stranger refuses a message for an account that is not open.
func (g *Gate) stranger(r *msg.Request) msg.Reject {
	if r.Session != 0 && !g.Permits(r) {
		return msg.RejectNotPermitted
	}
	return msg.RejectUnknownAccount
}

// Permits reports whether a session may give a command of that kind at all.
func (g *Gate) Permits(r *msg.Request) bool {
	return g.Sessions.Has(r.Session) && g.Sessions[r.Session].May&Needs(r.Kind) != 0
}

// mayAct reports whether a session may give a command for an account.
func (g *Gate) mayAct(r *msg.Request, a *clearing.Account) bool {
	return g.Permits(r) && g.Sessions[r.Session].Owns(r.Account, a)
}

// Entry asks whether the account that Enter found may bring an order into the instrument at all: its permission for the
// instrument's group, and the kill switch of the venue, the owner, the account and the instrument, the strictest of those that
// are turned (W-45).
func (g *Gate) Entry(id msg.AccountID, o *Order) msg.Reject {
	s := g.House.Statement(id)
	if in := o.Instrument; in != nil && s.Groups>>(in.Group&31)&1 == 0 {
		return msg.RejectNotPermitted
	}
	worst := max(Strictness(g.Venue.Entry), Strictness(s.Entry), Strictness(g.House.Owner(o.Account.Owner).Entry))
	if o.Instrument != nil {
		worst = max(worst, Strictness(o.Instrument.Entry))
	}
	if o.Account.Rung >= msg.RungCall2 {
		worst = max(worst, 1)
	}
	if worst == 2 {
		return msg.RejectEntryBlocked
	}
	o.Reduce = worst == 1
	return 0
}

// Strictness is how much a turn of the kill switch forbids: 2 new orders, 1 those that do not reduce.
func Strictness(a msg.Action) int {
	switch a {
	case msg.Block, msg.BlockAndCancel:
		return 2
	case msg.ReduceEntry:
		return 1
	}
	return 0
}

// meter takes a token of an account's quota, or refuses where there is none (W-47). A quota is the time at which the next
// message would come if the sender kept to the rate; it may run ahead of now by what the burst allows. Who may not speak for
// the account takes no token of it.
func (g *Gate) meter(r *msg.Request, o *Order, a *clearing.Account, m Meter) msg.Reject {
	gap, burst := fixed.Second/fixed.Nanos(g.Venue.MessageRate), fixed.Nanos(g.Venue.MessageBurst)
	if m == Cancels {
		gap, burst = max(gap/cancelShare, 1), burst*cancelShare
	}
	cost := gap
	if m == Quotes {
		m, cost = Orders, max(gap*fixed.Nanos(r.Quotation().Count)*5/8, 1)
	}
	quota := &g.House.Statement(r.Account).Quota[m]
	next := max(*quota, r.Time)
	if ahead := next - r.Time - (burst-1)*gap; ahead > 0 {
		return o.refuse(msg.RejectRateLimited, int64(ahead), 0)
	}
	if r.Session == 0 || g.mayAct(r, a) {
		*quota = next + cost
	}
	return 0
}
