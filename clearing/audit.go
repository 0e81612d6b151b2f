package clearing

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/margin"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Imbalance is by how much the sum of cash - cost over all accounts and of the venue's own misses deposits less
// withdrawals (I-01); it is 0 or the house is broken. It walks every table.
func (h *House) Imbalance() fixed.Money {
	v := &h.Venue
	sum := v.Fees + v.Rebates + v.Fund + v.Funding + v.Deficit - h.deposited
	for i := range h.accounts {
		sum += h.accounts[i].Cash
	}
	for i := range h.ledgers {
		sum += h.ledgers[i].Margin - h.ledgers[i].Cost
	}
	return sum
}

// LotsImbalance is by how much the positions in an instrument miss what must be in them: nothing of a perpetual (I-02), of
// a spot instrument the assets deposited. It walks every table.
func (h *House) LotsImbalance(instr msg.InstrumentID) fixed.Lots {
	sum := -h.assets[instr]
	for i := range h.rows {
		if h.rows[i].Instr == uint16(instr) {
			sum += h.rows[i].Qty
		}
	}
	return sum
}

// Check compares an account's incremental sums with a full recomputation at its marks (I-11) and panics where they differ:
// a difference is our own fault. It returns what its cross pool has to maintain, what is loose included. An account that waits to be
// valued anew is not compared.
func (h *House) Check(id msg.AccountID) (kept fixed.Money) {
	kept, wrong := h.audit(id)
	if wrong != "" {
		panic("clearing: " + wrong)
	}
	return kept
}

// audit is what is wrong with the sums of an account, "" where nothing is, and what its cross pool has to maintain.
func (h *House) audit(id msg.AccountID) (kept fixed.Money, wrong string) {
	a := &h.accounts[id]
	if a.Epoch != h.epoch {
		return 0, ""
	}
	fresh, held, behind := Account{}, uint16(0), fixed.Money(0)
	for row := a.Positions; row != 0; row = h.rows[row].Next {
		p, l := &h.rows[row], &h.ledgers[row]
		in := &h.instruments[p.Instr]
		held++
		if p.Mode != 0 {
			isolated, wrong := h.auditIsolated(row)
			if wrong != "" {
				return 0, wrong
			}
			fresh.Initial += isolated
			continue
		}
		c := h.Conditions(p, in, 0)
		initial, ok := margin.RequirementUnder(in, &p.Exposure, &c)
		maintenance, fits := margin.Maintenance(in, p.Qty)
		if !ok || !fits {
			return 0, "a requirement does not fit Money; the gate bounds every position"
		}
		kept += maintenance
		if a.Loose == row {
			behind = initial - l.Initial
			initial, maintenance = l.Initial, l.Maintenance
		}
		if p.Account != id || p.Buys < 0 || p.Sells < 0 || p.BuyReserve < 0 || p.SellReserve < 0 || p.Qty == 0 && l.Cost != 0 {
			return 0, "a position's exposure is below zero, or flat with a cost"
		}
		fresh.Initial += initial
		fresh.Maintenance += maintenance
		fresh.Profit += margin.Value(in, p.Qty) - l.Cost + h.counts(p, in)
	}
	if fresh.Initial != a.Initial || fresh.Maintenance != a.Maintenance || fresh.Profit != a.Profit || held != a.Held {
		return 0, "an account's incremental sums differ from its positions"
	}
	if room := h.rows[a.Loose].Room; a.Loose != 0 && room > max(0, a.Free()-behind) {
		return 0, "a loose position claims more room than its account has"
	}
	return kept, ""
}

// auditIsolated is what the orders of an isolated position hold, each of them walked in order of priority; wrong says where
// the lists, their sums or the position's cash are not what they must be.
func (h *House) auditIsolated(row uint32) (held fixed.Money, wrong string) {
	p, l := &h.rows[row], &h.ledgers[row]
	var sides [2]margin.Holds
	for _, side := range [...]msg.Side{msg.Buy, msg.Sell} {
		w := &sides[side&1]
		w.Free = p.reducible(side)
		lots, reserve, prev := fixed.Lots(0), fixed.Money(0), uint32(0)
		for order := l.First[side&1]; order != 0; order = h.holds[order].Next {
			o, c := &h.holds[order], &h.claims[order]
			if c.Position != row || o.Prev != prev || o.Lots <= 0 || prev != 0 && before(side, o.Limit, h.holds[prev].Limit) {
				return 0, "an isolated order stands where it does not belong"
			}
			if _, ok := w.Add(&h.instruments[p.Instr], o.Lots, o.Price, o.Rate, margin.Terms{Loss: c.Loss, Fee: c.Fee}); !ok {
				return 0, "a hold does not fit Money; the gate bounds every position"
			}
			lots += o.Lots
			reserve += c.Reserved
			prev = order
		}
		if side == msg.Buy && (lots != p.Buys || reserve != p.BuyReserve) || side == msg.Sell && (lots != p.Sells || reserve != p.SellReserve) {
			return 0, "the orders of an isolated position are not those of its exposure"
		}
	}
	if p.Qty == 0 && (l.Cost != 0 || l.Rung == msg.RungOK && (l.Margin != 0 || p.Open == 0)) || l.Maintenance != 0 || l.Initial != max(sides[0].Held, sides[1].Held) {
		return 0, "an isolated position holds what it must not, or has cash without lots"
	}
	return l.Initial, ""
}

// Hash folds the house into d: everything that can change a later output. What accounts and positions require is not in it, since
// exposures, marks and rules say it.
func (h *House) Hash(d *fixed.Digest) {
	v := &h.Venue
	for _, m := range [...]fixed.Money{v.Fees, v.Rebates, v.Fund, v.Funding, v.Deficit} {
		d.Word(uint64(m))
	}
	d.Word(uint64(h.deposited))
	d.Word(uint64(h.remainder))
	d.Word(h.epoch)
	d.Word(uint64(h.day))
	h.tiers.hash(d)
	h.staged.hash(d)
	h.hashWatch(d)
	for id := range h.accounts {
		if h.accounts[id].Owner != 0 || msg.AccountID(id) == h.fund {
			d.Word(uint64(id))
			h.hashAccount(d, msg.AccountID(id))
		}
	}
	for i := range h.owners {
		if o := &h.owners[i]; o.Accounts != 0 || o.Entry != 0 {
			d.Word(uint64(i))
			d.Word(uint64(o.First)<<32 | uint64(o.Accounts)<<16 | uint64(o.Entry))
			h.volumes[i].hash(d)
		}
	}
	for i := range h.interest {
		d.Word(uint64(h.interest[i]))
		d.Word(uint64(h.peak[i]))
		d.Word(uint64(h.assets[i]))
		d.Word(uint64(h.funding[i]))
	}
}

func (h *House) hashAccount(d *fixed.Digest, id msg.AccountID) {
	a, s := &h.accounts[id], &h.statements[id]
	for _, m := range [...]fixed.Money{a.Cash, a.Profit, s.Realized, s.Fees, s.Rebate, s.Funding} {
		d.Word(uint64(m))
	}
	d.Word(a.Epoch)
	d.Word(uint64(s.RebateDay))
	d.Word(uint64(s.Quota[0]))
	d.Word(uint64(s.Quota[1]))
	d.Pair(uint32(a.Owner), s.Groups)
	d.Pair(uint32(s.Entry), uint32(s.Next))
	d.Word(uint64(s.Watch)<<8 | uint64(a.Rung))
	h.watches[id].hash(d)
	for row := a.Positions; row != 0; row = h.rows[row].Next {
		p, l := &h.rows[row], &h.ledgers[row]
		d.Word(uint64(p.Instr)<<16 | uint64(p.Open))
		d.Word(uint64(p.Leverage)<<16 | uint64(p.Mode)<<8 | uint64(l.Rung))
		d.Word(uint64(l.Watch)<<8 | uint64(l.Shed))
		if p.Mode != 0 {
			h.watches[h.child(row)].hash(d)
		}
		for way, n := range h.wires.of[row] {
			if n != 0 {
				d.Word(uint64(way) + 1)
				d.Word(uint64(h.wires.nodes[n].key))
			}
		}
		for _, v := range [...]int64{int64(p.Qty), int64(p.Buys), int64(p.Sells), int64(p.BuyReserve), int64(p.SellReserve),
			int64(l.Cost), l.FundingSum, int64(l.Margin),
			int64(l.ReduceOnly)} {
			d.Word(uint64(v))
		}
	}
	for order := a.Orders; order != 0; order = h.claims[order].Next {
		c := &h.claims[order]
		d.Word(uint64(order))
		d.Word(uint64(c.Loss))
		d.Word(uint64(c.Fee))
		d.Word(uint64(c.Reserved))
		if h.rows[c.Position].Mode != 0 {
			d.Word(uint64(h.holds[order].Rate))
			d.Word(uint64(h.holds[order].Price))
		}
	}
}

// CheckRung panics where the cross pool of an account that is up to date, with so much to maintain, does not stand where its health says,
// deadlines apart. Mostly it is ok by far, and how loose the account is stays as it is; else it is judged.
func (h *House) CheckRung(id msg.AccountID, kept fixed.Money, v *market.Venue) {
	a := &h.accounts[id]
	if a.Rung == msg.RungOK && a.Equity()>>(h.calm&63) > kept {
		return
	}
	h.tighten(a)
	if j := h.Judge(Pool(id), v, 0); j.To != j.From && !j.Held {
		panic("clearing: a pool does not stand on the rung where it belongs")
	}
}

// hashWatch folds in which pools are under watch, and in which order.
func (h *House) hashWatch(d *fixed.Digest) {
	for _, l := range [...]poolList{h.touched, h.queue} {
		d.Word(uint64(l.count))
		for p := l.first; p != 0; p = h.watches[p].next {
			d.Word(h.Order(p))
		}
	}
	for _, w := range h.shifted {
		d.Word(w)
	}
	d.Pair(h.stale, uint32(h.review))
	d.Word(uint64(h.drawn))
	d.Word(uint64(h.shortfall))
}

// hash folds in what the ladder keeps of a pool, but for its place in a list.
func (w *Watch) hash(d *fixed.Digest) {
	if w.Deadline == 0 && w.Stall == 0 && !w.Late {
		return
	}
	late := uint64(0)
	if w.Late {
		late = 1
	}
	d.Word(uint64(w.Deadline))
	d.Word(uint64(w.Stall)<<1 | late)
}
