package engine

import (
	"slices"

	"github.com/lockstep-exchange/lockstep/msg"
)

// The part of the twin that ends and changes orders.

// order is the one of an id that rests, nil where there is none.
func (n *naive) order(id msg.OrderID) *naiveOrder {
	for _, o := range n.orders {
		if o.id == id {
			return o
		}
	}
	return nil
}

// find is the order that a command names, or why there is none.
func (n *naive) find(c *msg.Command) (*naiveOrder, msg.Reject) {
	for _, o := range n.orders {
		if o.id == c.Order {
			switch {
			case o.account.id != c.Account || o.instr != c.Instr:
				return nil, msg.RejectUnknownOrder
			case o.expire != 0 && o.expire <= n.now:
				return nil, msg.RejectTooLate
			}
			return o, 0
		}
	}
	if n.issued[c.Order] {
		return nil, msg.RejectTooLate
	}
	return nil, msg.RejectUnknownOrder
}

func (n *naive) cancel(c *msg.Command) {
	if done, _ := n.enter(c, 1, false); done {
		return
	}
	o, r := n.find(c)
	if r != 0 {
		n.refuse(c, r, 0, 0)
		return
	}
	n.touch(o.account)
	n.canceled(o, o.leaves, 0, msg.CanceledByUser, c.Ref, c.Session)
	n.remove(o)
}

func (n *naive) amend(c *msg.Command) {
	if r := n.formed(c); r != 0 {
		n.refuse(c, r, 0, 0)
		return
	}
	if done, _ := n.enter(c, 0, false); done {
		return
	}
	o, r := n.find(c)
	if r != 0 {
		n.refuse(c, r, 0, 0)
		return
	}
	n.touch(o.account)
	in, leaves := n.instruments[o.instr], c.Qty
	if c.Flags&msg.FlagLeaves == 0 {
		leaves -= o.filled
	}
	switch {
	case leaves <= 0:
		n.canceled(o, o.leaves, 0, msg.CanceledByUser, c.Ref, c.Session)
		n.remove(o)
		return
	case c.Price == o.price && leaves < o.leaves:
		if lot := in.step(msg.QtyStep); int64(leaves)%lot != 0 {
			n.refuse(c, msg.RejectOffLot, lot, int64(leaves))
			return
		}
		o.leaves = leaves
		n.amended(c, o, true)
		return
	}
	w := wish{account: o.account, instr: o.instr, side: o.side, limit: c.Price, qty: leaves, reduceOnly: o.reduceOnly, rests: true, old: o,
		isolated: o.account.own(o.instr).isolated}
	if o.slide {
		w.limit = n.slid(o.instr, o.side, c.Price)
	}
	var no objections
	if w.reduce = n.entryOf(o.instr, o.account, &no); len(no) == 0 {
		no = n.admit(&w)
	}
	if len(no) == 0 {
		no.when(n.crosses(o.instr, o.side, w.limit) && (o.postOnly || o.slide), msg.RejectWouldCross, 0, 0)
		no.when(!n.canRest(o.instr, o.side, w.limit), msg.RejectTableFull, 0, 0)
	}
	if len(no) > 0 {
		f := no.first()
		n.refuse(c, f.reject, f.limit, f.actual)
		return
	}
	n.lift(o)
	o.price, o.leaves, o.reduceOnly = w.limit, w.qty, w.reduceOnly
	o.loss, o.fee = in.terms(o.side, w.limit, n.feesOf(in, o.account.owner))
	if w.isolated {
		o.rate = n.rateFor(&w, n.exposure(o.account, o.instr, o))
	}
	n.amended(c, o, false)
	n.work(c, o, true, true)
}

func (n *naive) amended(c *msg.Command, o *naiveOrder, kept bool) {
	n.about(msg.Amended, o, o.leaves).SetChange(&msg.Change{Filled: o.filled, Leaves: o.leaves, Request: c.Ref, Asker: c.Session, Kept: kept})
}

func (n *naive) cancelAll(c *msg.Command) {
	if c.Side > msg.Sell {
		n.refuse(c, msg.RejectValueOutOfRange, 0, 0)
		return
	}
	if done, _ := n.enter(c, 1, false); done {
		return
	}
	if slices.ContainsFunc(n.jobs, func(j *naiveJob) bool { return j.asker == c.Account && j.reason == msg.CanceledByMass }) {
		n.refuse(c, msg.RejectRateLimited, 0, 0)
		return
	}
	if n.jobsFull() {
		n.refuse(c, msg.RejectTableFull, 0, 0)
		return
	}
	n.touch(n.accounts[c.Account])
	j := &naiveJob{entry: msg.Entry{Scope: msg.ScopeAccount}, asker: c.Account, instr: c.Instr, side: c.Side, reason: msg.CanceledByMass,
		ref: c.Ref, session: c.Session, accounts: []msg.AccountID{c.Account}}
	n.begin(j)
	n.jobs = append(n.jobs, j)
}
