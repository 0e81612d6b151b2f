package engine

import (
	"slices"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// The part of the twin that is mass cancels: the kill switch, CancelAll, and reduce-only orders whose position has gone.

func (n *naive) jobsFull() bool { return uint32(len(n.jobs)) >= n.limits.Jobs }

// begin starts the list of the next account of a job.
func (n *naive) begin(j *naiveJob) {
	j.pending = nil
	if len(j.accounts) > 0 {
		j.pending = slices.Clone(n.accounts[j.accounts[0]].list)
		slices.Reverse(j.pending)
	}
}

// next is the order that a job looks at, nil when it is done.
func (n *naive) next(j *naiveJob) *naiveOrder {
	switch j.entry.Scope {
	case msg.ScopeInstrument:
		if o := n.first(j.instr, msg.Buy); o != nil {
			return o
		}
		return n.first(j.instr, msg.Sell)
	case msg.ScopeVenue:
		for _, id := range n.ids() {
			if o := n.first(id, msg.Buy); o != nil {
				return o
			}
			if o := n.first(id, msg.Sell); o != nil {
				return o
			}
		}
		return nil
	}
	for {
		for len(j.pending) > 0 && !j.pending[0].rests {
			j.pending = j.pending[1:]
		}
		if len(j.pending) > 0 {
			return j.pending[0]
		}
		if len(j.accounts) < 2 {
			return nil
		}
		j.accounts = j.accounts[1:]
		n.begin(j)
	}
}

func (n *naive) runJobs() {
	for range n.steps() {
		if len(n.jobs) == 0 {
			return
		}
		j := n.jobs[0]
		o := n.next(j)
		if o == nil {
			n.jobs = n.jobs[1:]
			if j.reason == msg.CanceledReduceOnly || j.reason == msg.CanceledByProtection {
				continue
			}
			e := n.emit(msg.Event{Kind: msg.MassCanceled, Ref: j.ref, Account: j.asker, Session: j.session, Qty: j.canceled, Side: j.side})
			if j.entry.Scope != msg.ScopeVenue {
				e.Instr = j.instr
			}
			e.Rare = msg.Rare{uint64(j.entry.Scope)}
			if j.entry.Scope == msg.ScopeOwner {
				e.Rare[2] = uint64(j.entry.Owner)
			}
			continue
		}
		if j.entry.Scope != msg.ScopeInstrument && j.entry.Scope != msg.ScopeVenue {
			j.pending = j.pending[1:]
			if j.instr != 0 && o.instr != j.instr || j.side != 0 && o.side != j.side ||
				j.reason == msg.CanceledByProtection && o.group != j.group || j.reason == msg.CanceledReduceOnly && (!o.reduceOnly || o.reducible() > 0) {
				continue
			}
		}
		j.canceled++
		n.touch(o.account)
		n.canceled(o, o.leaves, 0, j.reason, j.ref, j.session)
		n.remove(o)
	}
}

// reducible is how many lots of the position an order can reduce.
func (o *naiveOrder) reducible() fixed.Lots {
	held := o.account.qty[o.instr]
	if o.side == msg.Buy {
		held = -held
	}
	return max(held, 0)
}

// shed starts a job over the reduce-only orders of a position that went from before to what it is now.
func (n *naive) shed(a *naiveAccount, id msg.InstrumentID, before fixed.Lots) {
	now := a.qty[id]
	any := slices.ContainsFunc(a.list, func(o *naiveOrder) bool { return o.instr == id && o.reduceOnly })
	if before == 0 || before > 0 && now > 0 || before < 0 && now < 0 || !any || n.jobsFull() {
		return
	}
	j := &naiveJob{entry: msg.Entry{Scope: msg.ScopeAccount}, asker: a.id, instr: id, reason: msg.CanceledReduceOnly, accounts: []msg.AccountID{a.id}}
	n.begin(j)
	n.jobs = append(n.jobs, j)
}
