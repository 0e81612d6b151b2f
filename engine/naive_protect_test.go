package engine

import (
	"math/big"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// The part of the twin that protects market makers (D-108): every trade of a group is kept for ever, with its time, and added up anew.

type naiveGuard struct {
	msg.Protection
	trades []naiveGuarded
	until  fixed.Nanos
}

type naiveGuarded struct {
	at         fixed.Nanos
	qty, delta int64
}

type naiveTrip struct {
	account *naiveAccount
	guard   *naiveGuard
	instr   msg.InstrumentID
	session msg.SessionID
}

func (n *naive) setProtection(c *msg.Command) {
	p := c.Protection()
	if p.Group == 0 || p.Window < 0 || p.Window > fixed.Hour || p.Freeze < 0 || p.Freeze > fixed.Day || p.Qty < 0 || p.Delta < 0 ||
		p.Window > 0 && p.Qty|p.Delta == 0 {
		n.refuse(c, msg.RejectValueOutOfRange, 0, 0)
		return
	}
	if done, _ := n.enter(c, 1, false); done {
		return
	}
	place := [2]uint32{uint32(c.Account), uint32(p.Group)}
	if delete(n.guards, place); p.Window > 0 {
		n.guards[place] = &naiveGuard{Protection: p}
	}
	n.answer(msg.ProtectionSet, c).Rare = c.Rare
}

// counted is what a group has traded in the slice under way and the eight before it.
func (g *naiveGuard) counted(now fixed.Nanos) (qty, delta int64) {
	slice := max(g.Window/8, 1)
	for _, t := range g.trades {
		if t.at/slice >= now/slice-8 {
			qty += t.qty
			delta += t.delta
		}
	}
	return qty, max(delta, -delta)
}

// guard counts a trade of an order.
func (n *naive) guard(o *naiveOrder, lots fixed.Lots) {
	g := n.guards[[2]uint32{uint32(o.account.id), uint32(o.group)}]
	if o.group == 0 || g == nil || lots == 0 {
		return
	}
	units := max(int64(n.instruments[o.instr].listing.UnitLots), 1)
	q := new(big.Int).Mul(big.NewInt(int64(lots)), big.NewInt(1_000_000_000))
	q.Add(q, big.NewInt(units-1)).Quo(q, big.NewInt(units))
	t := naiveGuarded{at: n.now, qty: q.Int64(), delta: q.Int64()}
	if o.side == msg.Sell {
		t.delta = -t.delta
	}
	g.trades = append(g.trades, t)
	qty, delta := g.counted(n.now)
	if n.now < g.until || (g.Qty == 0 || qty < g.Qty) && (g.Delta == 0 || delta < g.Delta) {
		return
	}
	if g.until = MaxTime; g.Freeze > 0 {
		g.until = n.now + g.Freeze
	}
	n.trips = append(n.trips, naiveTrip{o.account, g, o.instr, o.session})
}

// trip tells of groups that have reached a limit, and takes out what they quote.
func (n *naive) trip() {
	for _, t := range n.trips {
		qty, _ := t.guard.counted(n.now)
		e := n.emit(msg.Event{Kind: msg.ProtectionTripped, Account: t.account.id, Instr: t.instr, Session: t.session})
		told := msg.Trip{Traded: qty, Until: t.guard.until, Group: t.guard.Group}
		if t.guard.Freeze == 0 {
			told.Until = 0
		}
		e.SetTrip(told)
		j := &naiveJob{entry: msg.Entry{Scope: msg.ScopeAccount}, asker: t.account.id, reason: msg.CanceledByProtection, group: t.guard.Group,
			accounts: []msg.AccountID{t.account.id}}
		n.begin(j)
		n.jobs = append([]*naiveJob{j}, n.jobs...)
	}
	n.trips = nil
}

// guardedBy is why no quote comes into a group, 0 where it may.
func (n *naive) guardedBy(account msg.AccountID, group uint16) msg.Reject {
	g := n.guards[[2]uint32{uint32(account), uint32(group)}]
	switch {
	case group == 0:
		return 0
	case g == nil:
		return msg.RejectInvalidParameter
	case n.now < g.until:
		return msg.RejectMmpFrozen
	}
	return 0
}

// protection draws limits of a group.
func (t *trader) protection() msg.Command {
	p := msg.Protection{Group: uint16(1 + t.below(2)), Qty: t.below(60) * 100_000_000, Delta: t.below(40) * 100_000_000,
		Window: fixed.Nanos(1+t.below(8)) * fixed.Second / 2, Freeze: fixed.Nanos(t.below(4)) * fixed.Second}
	switch t.below(12) {
	case 0:
		p.Window = 0
	case 1:
		p.Window = fixed.Hour + fixed.Nanos(t.below(2))
	case 2:
		p.Group--
	case 3:
		p.Qty = -t.below(2)
	}
	return msg.SetProtection(t.account(), p)
}
