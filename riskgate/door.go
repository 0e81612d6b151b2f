package riskgate

import (
	"github.com/lockstep-exchange/lockstep/clearing"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Lane says which quota a message draws from, so that orders never starve cancels.
type Lane uint8

const (
	Unmetered Lane = iota // the venue's own
	Orders                // new orders and amends
	Cancels               // four times the rate and burst of orders
)

// cancelShare is by how much the quota of cancels is wider.
const cancelShare = 4

// Enter lets a message of an account in: rate, rights, account, client id, instrument (W-59). instr 0 is for messages that
// name none. enters says that it may bring in an order, which the kill switch can forbid. reduce is true where the kill
// switch lets only reducing orders in. The account is touched by the caller. wait is the time to the next token when the
// rate refuses.
func (g *Gate) Enter(r *msg.Request, now fixed.Nanos, lane Lane, enters bool) (reject msg.Reject, reduce bool, wait fixed.Nanos) {
	a := g.House.Account(r.Account)
	if a == nil {
		return g.stranger(r), false, 0
	}
	if g.Venue.MessageRate != 0 && lane != Unmetered {
		if wait = g.meter(r.Account, now, lane); wait > 0 {
			return msg.RejectRateLimited, false, wait
		}
	}
	if r.Session != 0 && !g.mayAct(r.Session, a) {
		return msg.RejectNotPermitted, false, 0
	}
	if enters {
		if reject, reduce = g.Entry(r, a); reject != 0 {
			return reject, false, 0
		}
	}
	if reject = g.number(r); reject != 0 {
		return reject, false, 0
	}
	if r.Instr != 0 && g.listed(r.Instr) == nil {
		return msg.RejectUnknownInstrument, false, 0
	}
	return 0, reduce, 0
}

// stranger refuses a message for an account that is not open.
func (g *Gate) stranger(r *msg.Request) msg.Reject {
	if r.Session != 0 && (!g.Sessions.Has(r.Session) || !g.Sessions[r.Session].Open) {
		return msg.RejectNotPermitted
	}
	return msg.RejectUnknownAccount
}

// mayAct reports whether a session may speak for an account.
func (g *Gate) mayAct(id msg.SessionID, a *clearing.Account) bool {
	return g.Sessions.Has(id) && g.Sessions[id].Open && g.Sessions[id].Owner == a.Owner
}

// listed is an instrument that is listed, else nil.
func (g *Gate) listed(id msg.InstrumentID) *market.Instrument {
	if uint64(id) >= uint64(len(g.Instruments)) || g.Instruments[id].Type == 0 {
		return nil
	}
	return &g.Instruments[id]
}

// Entry asks whether an account may bring an order into an instrument at all: its permission for the instrument's group,
// and the kill switch of the venue, the owner, the account and the instrument (W-45). reduce says that only reducing
// orders may come in.
func (g *Gate) Entry(r *msg.Request, a *clearing.Account) (reject msg.Reject, reduce bool) {
	worst := max(strictness(g.Venue.Entry), strictness(a.Entry), strictness(g.House.Owner(a.Owner).Entry))
	if in := g.listed(r.Instr); in != nil {
		if a.Groups>>in.Group&1 == 0 {
			return msg.RejectNotPermitted, false
		}
		worst = max(worst, strictness(in.Entry))
	}
	switch worst {
	case 2:
		return msg.RejectEntryBlocked, false
	case 1:
		return 0, true
	}
	return 0, false
}

func strictness(a msg.Action) int {
	switch a {
	case msg.Block, msg.BlockAndCancel:
		return 2
	case msg.ReduceEntry:
		return 1
	}
	return 0
}

// number takes the client id of a message: above the session's last, or refused (D-36). 0 is no id.
func (g *Gate) number(r *msg.Request) msg.Reject {
	if r.Ref == 0 {
		return 0
	}
	if !g.Sessions.Has(r.Session) {
		return msg.RejectNotPermitted
	}
	s := &g.Sessions[r.Session]
	if r.Ref <= s.Last {
		return msg.RejectDuplicateClientID
	}
	s.Last = r.Ref
	return 0
}

// meter takes a token of an account's quota, or returns how long there is none. A quota is the time at which the next
// message would come if the sender kept to the rate; it may run ahead of now by what the burst allows.
func (g *Gate) meter(id msg.AccountID, now fixed.Nanos, lane Lane) (wait fixed.Nanos) {
	gap, burst := fixed.Second/fixed.Nanos(g.Venue.MessageRate), fixed.Nanos(g.Venue.MessageBurst)
	if lane == Cancels {
		gap, burst = max(gap/cancelShare, 1), burst*cancelShare
	}
	quota := &g.House.Statement(id).Quota[lane-Orders]
	next := max(*quota, now)
	if ahead := next - now - (burst-1)*gap; ahead > 0 {
		return ahead
	}
	*quota = next + gap
	return 0
}
