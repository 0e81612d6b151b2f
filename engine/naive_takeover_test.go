package engine

import (
	"cmp"
	"math/big"
	"slices"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// The part of the twin that is the fund: what it takes over, what it pays, what it sells (M-52), and whom it leaves to the
// winners (M-53, M-54).

// affordable is how much the fund may pay now (M-52).
func (n *naive) affordable() fixed.Money {
	f := &n.prices.venue.Fund
	return max(0, min(f.EventCap, f.DayCap-n.drawn[n.day()], n.fund-f.Min))
}

// draw lets the fund pay.
func (n *naive) draw(m fixed.Money) {
	if m <= 0 {
		return
	}
	n.fund -= m
	n.drawn[n.day()] += m
	n.emit(msg.Event{Kind: msg.FundDraw}).SetBalance(msg.Balance{Amount: m, Cash: n.fund})
}

// income lets the fund be paid.
func (n *naive) income(m fixed.Money) {
	if m <= 0 {
		return
	}
	n.earn(m)
	n.emit(msg.Event{Kind: msg.FundIncome}).SetBalance(msg.Balance{Amount: m, Cash: n.fund})
}

// book books what nobody covers.
func (n *naive) book(m fixed.Money) {
	if m <= 0 {
		return
	}
	n.uncovered += m
	n.emit(msg.Event{Kind: msg.DeficitBooked}).SetBalance(msg.Balance{Amount: m, Cash: -n.uncovered})
}

// cover lets the fund pay what it may, and books the rest.
func (n *naive) cover(missing fixed.Money) {
	paid := min(missing, n.affordable())
	n.draw(paid)
	n.book(missing - paid)
}

// settleFlat settles an account that has no positions and owes (M-46).
func (n *naive) settleFlat(a *naiveAccount) {
	n.touch(a)
	n.cancelPool(poolID{account: a.id}, func(*naiveOrder) bool { return true })
	n.takeAssets(a)
	equity, _ := n.standing(poolID{account: a.id})
	a.cash -= equity
	n.cover(-equity)
}

// settleAny settles the first account of those that have no positions and owe for which the fund pays, or books, so much.
func (n *naive) settleAny(amount fixed.Money) bool {
	for _, k := range n.poolIDs() {
		equity, _ := n.standing(k)
		if k.instr != 0 || len(n.legs(k)) > 0 || equity >= 0 {
			continue
		}
		if paid := min(-equity, n.affordable()); paid == amount || paid == 0 && -equity == amount {
			n.settleFlat(n.accounts[k.account])
			return true
		}
	}
	return false
}

// stocked is the notional that the fund would hold with the legs of a pool.
func (n *naive) stocked(k poolID) *big.Int {
	sum := new(big.Int)
	for _, id := range n.ids() {
		if !n.instruments[id].perpetual() {
			continue
		}
		q := n.inventory.qty[id]
		for _, leg := range n.legs(k) {
			if leg == id {
				q += n.accounts[k.account].qty[id]
			}
		}
		sum.Add(sum, product(int64(magnitude(q)), int64(n.instruments[id].mark), int64(n.instruments[id].listing.TickLot)))
	}
	return sum
}

// takeOver lets the fund take a pool, or the winners where it may not.
func (n *naive) takeOver(k poolID, p *naivePool) {
	a := n.accounts[k.account]
	n.touch(a)
	n.cancelPool(k, func(*naiveOrder) bool { return true })
	if k.instr == 0 {
		n.takeAssets(a)
	}
	equity, maintenance := n.standing(k)
	missing := max(0, -equity)
	if missing > 0 && missing > n.affordable() || n.stocked(k).Cmp(big.NewInt(int64(n.prices.venue.Fund.Inventory))) > 0 {
		n.deleverage(k, p, equity, maintenance)
		return
	}
	n.stepped(msg.Takeover, k, msg.RungStep{From: p.rung, To: msg.RungTakeover, Equity: equity, Maintenance: maintenance})
	for _, id := range n.legs(k) {
		q := a.qty[id]
		n.close(a, id, closingSide(q), magnitude(q), n.instruments[id].mark)
		n.stock(id, closingSide(-q), magnitude(q), n.instruments[id].mark)
		n.stepInventory(id, n.asOf)
	}
	n.empty(k, equity)
	n.income(equity)
	n.draw(missing)
	n.turned()
	n.forget(k)
}

// empty takes all that a pool has, or gives what it lacks.
func (n *naive) empty(k poolID, equity fixed.Money) {
	a := n.accounts[k.account]
	if k.instr == 0 {
		a.cash -= equity
		return
	}
	a.own(k.instr).margin -= equity
	n.tidy(a, k.instr)
}

// stock books a fill of the fund's inventory; turned tells what it has brought.
func (n *naive) stock(id msg.InstrumentID, side msg.Side, q fixed.Lots, price fixed.Ticks) (realized fixed.Money) {
	n.payInventory(id)
	realized = n.settle(n.inventory, id, side, q, price)
	n.brought += n.inventory.cash
	n.inventory.cash = 0
	return realized
}

// takeAssets lets the fund buy what an account has of assets at what they count in its equity, as far as its money goes; those that
// count nothing come along where the account lacks something then (M-52).
func (n *naive) takeAssets(a *naiveAccount) {
	for _, counting := range []bool{true, false} {
		equity, _ := n.standing(poolID{account: a.id})
		if !counting && equity >= 0 {
			return
		}
		for _, id := range n.ids() {
			in, lots := n.instruments[id], a.qty[id]
			if in.perpetual() || lots == 0 || counting && (in.counted() == 0 || in.unit == 0) {
				continue
			}
			paid := min(in.collateral(lots), max(0, n.fund-n.prices.venue.Fund.Min))
			a.cash, a.qty[id] = a.cash+paid, 0
			n.fund, n.inventory.qty[id] = n.fund-paid, n.inventory.qty[id]+lots
			n.emit(msg.Event{Kind: msg.Transferred, Account: a.id, Instr: id, Qty: lots}).
				SetBalance(msg.Balance{Amount: paid, Cash: a.cash, Peer: msg.FundAccount})
			n.emit(msg.Event{Kind: msg.Transferred, Account: msg.FundAccount, Instr: id, Qty: lots}).
				SetBalance(msg.Balance{Amount: -paid, Cash: n.fund, Lots: n.inventory.qty[id], Peer: a.id})
			n.stepInventory(id, n.asOf)
		}
	}
}

// payInventory lets the fund's lots in an instrument pay the funding that they owe.
func (n *naive) payInventory(id msg.InstrumentID) {
	owed, rest := n.owed(n.inventory, id)
	n.inventory.funded[id] = n.instruments[id].sum
	n.prices.funding += owed
	n.prices.rest.Add(n.prices.rest, rest)
	n.brought -= owed
}

// turned lets the fund have what a fill of its inventory has brought, its funding paid; what that loses beyond the fund is nobody's (M-52).
func (n *naive) turned() {
	n.income(n.brought)
	if lost := -n.brought; lost > 0 {
		paid := min(lost, n.fund)
		n.draw(paid)
		n.book(lost - paid)
	}
	n.brought = 0
}

// deleverage closes a pool against the fund's inventory and the positions of winners.
func (n *naive) deleverage(k poolID, p *naivePool, equity, maintenance fixed.Money) {
	a := n.accounts[k.account]
	n.stepped(msg.AdlStarted, k, msg.RungStep{From: p.rung, To: msg.RungADL, Equity: equity, Maintenance: maintenance})
	gains := []gain{}
	rank := uint32(0)
	for _, id := range n.legs(k) {
		in, q := n.instruments[id], a.qty[id]
		equity, maintenance := n.standing(k)
		price, side, left := in.adlPrice(q, equity, maintenance, n.prices.venue.Fund.AdlBand), closingSide(q), magnitude(q)
		if own := n.inventory.qty[id]; own != 0 && closingSide(own) != side {
			d := min(left, magnitude(own))
			realized := n.stock(id, closingSide(own), d, price)
			n.deleveraged(n.inventory, id, closingSide(own), d, price, realized, 0)
			n.stepInventory(id, n.asOf)
			n.turned()
			left -= d
		}
		list := n.winners(id, q)
		weights, holds := []*big.Int{}, []fixed.Lots{}
		for _, w := range list {
			weights, holds = append(weights, w.weight), append(holds, w.holds)
		}
		for j, d := range shareOut(left, weights, holds) {
			list[j].closes = d
		}
		slices.SortStableFunc(list, func(v, w winner) int { return cmp.Or(w.weight.Cmp(v.weight), cmp.Compare(w.holds, v.holds)) })
		for _, v := range list {
			d := v.closes
			if d == 0 {
				continue
			}
			w := n.accounts[v.id]
			n.touch(w)
			key, before := w.poolOf(id), w.qty[id]
			realized, moved := n.closeWinner(w, id, d, price)
			gains = gained(gains, key, realized, -moved)
			rank++
			n.deleveraged(w, id, closingSide(before), d, price, realized, rank)
			n.movedMargin(w, id, moved)
			n.payShort()
			n.shed(w, id, before)
			n.tidy(w, id)
		}
		n.close(a, id, side, magnitude(q), price)
	}
	left, _ := n.standing(k)
	n.empty(k, left)
	n.income(left)
	if left < 0 {
		paid := min(-left, n.affordable())
		n.draw(paid)
		n.socialized(-left-paid, gains)
	}
	n.forget(k)
}

// closeWinner closes lots of a winner's position as any fill would that reduces it (M-04, M-24), and free of fees.
func (n *naive) closeWinner(w *naiveAccount, id msg.InstrumentID, d fixed.Lots, price fixed.Ticks) (realized, moved fixed.Money) {
	if !w.own(id).isolated {
		return n.close(w, id, closingSide(w.qty[id]), d, price), 0
	}
	o := &naiveOrder{account: w, instr: id, side: closingSide(w.qty[id])}
	realized, moved = n.settleIsolated(o, d, price, 0)
	w.realized += realized
	return realized, moved
}

// winner is one who holds against a position that is closed.
type winner struct {
	id     msg.AccountID
	weight *big.Int
	holds  fixed.Lots
	closes fixed.Lots
}

// winners are those who hold against a position, with their weights (M-53), by account. They are closed in the order of their
// weights, the heaviest first, then who holds most.
func (n *naive) winners(id msg.InstrumentID, q fixed.Lots) (list []winner) {
	for _, k := range n.poolIDs() {
		w := n.accounts[k.account]
		if w.qty[id] == 0 || w.poolOf(id) != k || w.qty[id] > 0 == (q > 0) {
			continue
		}
		equity, _ := n.standing(k)
		notional := magnitude(n.instruments[id].worth(w.qty[id], n.instruments[id].mark))
		list = append(list, winner{id: k.account, weight: adlWeight(n.profit(w, id), notional, equity), holds: magnitude(w.qty[id])})
	}
	return list
}

func (n *naive) deleveraged(a *naiveAccount, id msg.InstrumentID, side msg.Side, d fixed.Lots, price fixed.Ticks, realized fixed.Money, rank uint32) {
	e := n.emit(msg.Event{Kind: msg.AdlFill, Account: a.id, Instr: id, Side: side, Qty: d, Price: price})
	e.SetCloseout(&msg.Closeout{Realized: realized, Position: a.qty[id], Rank: rank, Isolated: a.own(id).isolated})
}

// gain is what a pool has gained by a deleveraging.
type gain struct {
	pool  poolID
	sum   fixed.Money
	moved fixed.Money // out of an isolated position
}

// gained adds what a pool has gained.
func gained(list []gain, k poolID, realized, moved fixed.Money) []gain {
	at := slices.IndexFunc(list, func(g gain) bool { return g.pool == k })
	switch {
	case realized <= 0:
	case at >= 0:
		list[at].sum += realized
		list[at].moved += moved
	default:
		list = append(list, gain{k, realized, moved})
	}
	return list
}

// socialized takes what is missing from what winners have gained by this deleveraging, by account, and of one account as they
// were closed (M-54).
func (n *naive) socialized(missing fixed.Money, gains []gain) {
	if missing == 0 {
		return
	}
	slices.SortStableFunc(gains, func(g, h gain) int { return cmp.Compare(g.pool.account, h.pool.account) })
	list := []fixed.Money{}
	for _, g := range gains {
		list = append(list, g.sum)
	}
	paid, uncovered := socialize(missing, list)
	for j, g := range gains {
		k, a, cut := g.pool, n.accounts[g.pool.account], list[j]-paid[j]
		kept := fixed.Money(0) // by the isolated position
		if own := a.own(k.instr); k.instr != 0 && own.isolated && a.qty[k.instr] != 0 {
			kept = max(0, cut-g.moved)
			own.margin -= kept
		}
		a.cash -= cut - kept
		if cut > kept {
			n.emit(msg.Event{Kind: msg.Socialized, Account: k.account}).SetBalance(msg.Balance{Amount: cut - kept, Cash: a.cash})
		}
		if kept > 0 {
			n.emit(msg.Event{Kind: msg.Socialized, Account: k.account, Instr: k.instr}).SetBalance(msg.Balance{Amount: kept, Cash: a.cash})
		}
	}
	n.book(uncovered)
}

// stepInventory says when the fund sells next in an instrument: a step from a time, unless that is said already; never where it
// holds nothing.
func (n *naive) stepInventory(id msg.InstrumentID, at fixed.Nanos) {
	if n.inventory.qty[id] == 0 {
		n.at(market.Never, naiveSliceTimer, uint64(id), 0, nil)
		return
	}
	at += n.prices.venue.Ladder.Step
	if !slices.ContainsFunc(n.timers, func(t naiveTimer) bool { return t.kind == naiveSliceTimer && t.id == uint64(id) }) {
		n.at(at, naiveSliceTimer, uint64(id), 64, func() { n.inventorySlice(id, at) })
	}
}

// inventorySlice lets the fund sell one slice of what it holds (M-52).
func (n *naive) inventorySlice(id msg.InstrumentID, at fixed.Nanos) {
	sold := false
	if q := n.inventory.qty[id]; q != 0 && n.sliceable(id) {
		in, r := n.instruments[id], int64(n.prices.venue.Fund.Range)
		limit := max(1, fixed.Ticks(ceilOf(product(int64(in.mark), int64(fixed.One)-r), int64(fixed.One))))
		if q < 0 {
			limit = fixed.Ticks(floorOf(product(int64(in.mark), int64(fixed.One)+r), int64(fixed.One)))
		}
		if n.crosses(id, closingSide(q), limit) {
			n.payInventory(id)
		}
		sold = n.sell(n.inventory, id, limit, in.sliceLots(q, n.depthAt(id, q, limit), nil), nil)
	}
	if !sold { // and no more would those that are overdue
		at = n.passOver(at)
	}
	n.stepInventory(id, at)
}
