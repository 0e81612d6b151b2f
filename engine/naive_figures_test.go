package engine

import (
	"math/big"
	"slices"

	"github.com/lockstep-exchange/lockstep/clearing"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// The part of the twin that is arithmetic and figures: what a position requires, what an account owns and owes. Each figure is
// added up from its parts whenever somebody asks.

func product(factors ...int64) *big.Int {
	p := big.NewInt(1)
	for _, f := range factors {
		p.Mul(p, big.NewInt(f))
	}
	return p
}

func small(v *big.Int) int64 {
	if !v.IsInt64() {
		panic("naive: a figure is too large for this twin: " + v.String())
	}
	return v.Int64()
}

// floorOf and ceilOf are a / d, d above 0.
func floorOf(a *big.Int, d int64) int64 {
	return small(new(big.Int).Div(a, big.NewInt(d))) // Euclidean: d is above 0
}

func ceilOf(a *big.Int, d int64) int64 { return -floorOf(new(big.Int).Neg(a), d) }

func (in *naiveInstrument) worth(lots fixed.Lots, price fixed.Ticks) fixed.Money {
	return fixed.Money(small(product(int64(lots), int64(price), int64(in.listing.TickLot))))
}

func share(m fixed.Money, r fixed.Rate) *big.Int { return product(int64(m), int64(r)) }

func (in *naiveInstrument) perpetual() bool { return in.listing.Type == msg.Perpetual }

func (in *naiveInstrument) step(r msg.Rule) int64 { return max(in.rules[r], 1) }

// charge is T(N) + S(lots) (M-06, M-07): each bracket is charged for the part of the notional that lies in it.
func (in *naiveInstrument) charge(lots fixed.Lots, slope fixed.Rate, rate func(msg.Tier) fixed.Rate) fixed.Money {
	lots = max(lots, -lots)
	n, from, sum := in.worth(lots, in.mark), fixed.Money(0), new(big.Int)
	for _, t := range in.tiers {
		upTo := n
		if t.UpTo != 0 {
			upTo = min(n, t.UpTo)
		}
		if upTo > from {
			sum.Add(sum, share(upTo-from, rate(t)))
		}
		from = t.UpTo
	}
	units := product(max(int64(in.listing.UnitLots), 1), int64(fixed.One))
	sloped := new(big.Int).Neg(product(int64(n), int64(lots), int64(slope)))
	sloped.Div(sloped, units)
	return fixed.Money(ceilOf(sum, int64(fixed.One)) - small(sloped))
}

func (in *naiveInstrument) initial(lots fixed.Lots) fixed.Money {
	return in.charge(lots, fixed.Rate(in.rules[msg.SlopeInitial]), func(t msg.Tier) fixed.Rate { return t.Initial })
}

// maintenance is MM of a position (M-08).
func (in *naiveInstrument) maintenance(lots fixed.Lots) fixed.Money {
	if !in.perpetual() {
		return 0
	}
	return in.charge(lots, fixed.Rate(in.rules[msg.SlopeMaintenance]), func(t msg.Tier) fixed.Rate { return t.Maintenance })
}

// reserve is what leaves lots at a limit set aside (M-14).
func (in *naiveInstrument) reserve(leaves fixed.Lots, limit, loss fixed.Ticks, fee fixed.Rate) fixed.Money {
	return in.worth(leaves, loss) + fixed.Money(ceilOf(share(in.worth(leaves, limit), fee), int64(fixed.One)))
}

// terms are the loss a lot and the fee rate that an order of one who pays these fees sets aside.
func (in *naiveInstrument) terms(side msg.Side, limit fixed.Ticks, fees msg.Fees) (loss fixed.Ticks, fee fixed.Rate) {
	switch fee = max(0, fees.Maker, fees.Taker); {
	case in.perpetual() && side == msg.Buy:
		return max(0, limit-in.mark), fee
	case in.perpetual():
		return max(0, in.mark-limit), fee
	case side == msg.Buy:
		return limit, fee
	}
	return in.surrender(limit, fee)
}

// edges are the band (M-73).
func (in *naiveInstrument) edges() (low, high fixed.Ticks) {
	b := in.rules[msg.Band]
	if b == 0 || in.mark == 0 {
		return fixed.MinInt64, fixed.MaxInt64
	}
	return fixed.Ticks(ceilOf(product(int64(in.mark), int64(fixed.One)-b), int64(fixed.One))),
		fixed.Ticks(floorOf(product(int64(in.mark), int64(fixed.One)+b), int64(fixed.One)))
}

// protection bounds a market order (M-18).
func (in *naiveInstrument) protection(side msg.Side, protect fixed.Ticks) fixed.Ticks {
	r := in.rules[msg.Band]
	if r == 0 {
		if r = in.rules[msg.MarketRange]; r == 0 {
			r = int64(10 * fixed.Percent)
		}
	}
	if side == msg.Buy {
		edge := fixed.Ticks(floorOf(product(int64(in.mark), int64(fixed.One)+r), int64(fixed.One)))
		if protect != 0 {
			edge = min(edge, protect)
		}
		return edge
	}
	edge := fixed.Ticks(ceilOf(product(int64(in.mark), int64(fixed.One)-r), int64(fixed.One)))
	return max(edge, protect, 1)
}

// exposure is a position with its open orders, but for reduce-only ones, those in hand and one that is left out.
type exposure struct {
	qty, buys, sells        fixed.Lots
	buyReserve, sellReserve fixed.Money
}

func (n *naive) exposure(a *naiveAccount, id msg.InstrumentID, without *naiveOrder) (x exposure) {
	in := n.instruments[id]
	x.qty = a.qty[id]
	for _, o := range a.list {
		if o.instr != id || o.reduceOnly || o == without || !o.rests {
			continue
		}
		m := in.reserve(o.leaves, o.price, o.loss, o.fee)
		if o.side == msg.Buy {
			x.buys += o.leaves
			x.buyReserve += m
		} else {
			x.sells += o.leaves
			x.sellReserve += m
		}
	}
	return x
}

// requirement is IM_i (M-13, M-14); of a spot instrument what its open buys cost.
func (in *naiveInstrument) requirement(x exposure) fixed.Money {
	if !in.perpetual() {
		return x.buyReserve + x.sellReserve
	}
	long, short := x.qty+x.buys, x.qty-x.sells
	m := in.initial(max(long, -long, short, -short))
	if x.buys > max(-x.qty, 0) {
		m += x.buyReserve
	}
	if x.sells > max(x.qty, 0) {
		m += x.sellReserve
	}
	return m
}

// profit is unrealized, of one position.
func (n *naive) profit(a *naiveAccount, id msg.InstrumentID) fixed.Money {
	in := n.instruments[id]
	if !in.perpetual() {
		return 0
	}
	return in.worth(a.qty[id], in.mark) - a.cost[id]
}

// ids are the instruments, in order.
func (n *naive) ids() (ids []msg.InstrumentID) {
	for id := range n.instruments {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// figures are the equity and the two requirements of an account (M-03, M-15).
func (n *naive) figures(a *naiveAccount) (equity, initial, maintenance fixed.Money) {
	equity = a.cash
	for _, id := range n.ids() {
		if a.own(id).isolated {
			initial += n.hold(a, id)
			continue
		}
		equity += n.profit(a, id) + n.instruments[id].collateral(a.qty[id])
		initial += n.instruments[id].requirementUnder(n.exposure(a, id, nil), n.conditions(a, id, 0))
		maintenance += n.instruments[id].maintenance(a.qty[id])
	}
	return equity, initial, maintenance
}

// withdrawable is what may leave an account (M-19).
func (n *naive) withdrawable(a *naiveAccount) fixed.Money {
	equity, initial, _ := n.figures(a)
	notional, held := fixed.Money(0), fixed.Money(0)
	for _, id := range n.ids() {
		in := n.instruments[id]
		if !in.perpetual() || a.own(id).isolated {
			continue
		}
		v, haircut := in.worth(a.qty[id], in.mark), n.haircut
		if n.health(id) >= msg.Degraded {
			haircut = fixed.One
		}
		notional += max(v, -v)
		held += fixed.Money(ceilOf(share(max(0, n.profit(a, id)), haircut), int64(fixed.One)))
	}
	w := max(initial, fixed.Money(ceilOf(share(notional, n.leave), int64(fixed.One))))
	n.left = equity - held - w
	return max(0, min(a.cash, n.left))
}

// beyond is what equity without the haircut of profit leaves above what a withdrawal leaves behind.
func (n *naive) beyond(a *naiveAccount) fixed.Money {
	n.withdrawable(a)
	return n.left
}

// summary is an account as the engine shows it; a rebate of a past day is cash already.
func (n *naive) summary(id msg.AccountID) (s clearing.Summary, ok bool) {
	a := n.accounts[id]
	if a == nil {
		return s, false
	}
	now := *a
	if a.rebate > 0 && a.rebateDay != n.day() {
		now.cash, now.rebate = a.cash+a.rebate, 0
	}
	for _, i := range n.ids() {
		m, _ := n.owed(a, i)
		if !a.own(i).isolated {
			now.cash -= m
		}
		now.funding -= m
	}
	equity, initial, maintenance := n.figures(&now)
	s = clearing.Summary{Owner: a.owner, Cash: now.cash, Equity: equity, Initial: initial, Maintenance: maintenance,
		Free: equity - initial, State: n.pool(poolID{account: id}).rung, ReduceOnly: n.reduces(poolID{account: id}, equity, initial),
		Withdrawable: n.withdrawable(&now), Realized: a.realized, Fees: a.fees, Funding: now.funding,
		Rebate: now.rebate}
	for _, i := range n.ids() {
		if a.qty[i] != 0 || n.open(a, i) > 0 {
			s.Positions++
		}
	}
	return s, true
}

func (n *naive) holding(account msg.AccountID, id msg.InstrumentID) (h clearing.Holding, ok bool) {
	a, in := n.accounts[account], n.instruments[id]
	if account == msg.FundAccount {
		a = n.inventory
	}
	if a == nil || in == nil || a.qty[id] == 0 && n.open(a, id) == 0 {
		return h, false
	}
	x, own := n.exposure(a, id, nil), a.own(id)
	h = clearing.Holding{Mode: msg.ModeCross, State: n.pool(a.poolOf(id)).rung, Leverage: own.leverage, Margin: own.margin, Instr: id, Open: n.open(a, id), Qty: x.qty,
		Buys: x.buys, Sells: x.sells, Cost: a.cost[id], Profit: n.profit(a, id),
		Collateral: in.collateral(x.qty),
		Initial:    in.requirementUnder(x, n.conditions(a, id, 0)), Maintenance: in.maintenance(x.qty)}
	if own.isolated {
		owed, _ := n.owed(a, id)
		h.Margin -= owed
		h.Mode, h.Initial = msg.ModeIsolated, in.initialUnder(x.qty, n.conditions(a, id, 0))
	}
	return h, true
}

// open is how many orders of an account rest in an instrument.
func (n *naive) open(a *naiveAccount, id msg.InstrumentID) (count int) {
	for _, o := range a.list {
		if o.instr == id {
			count++
		}
	}
	return count
}

// held reports whether an account has a row of positions for an instrument.
func (n *naive) held(a *naiveAccount, id msg.InstrumentID) bool {
	return a.qty[id] != 0 || n.open(a, id) > 0 || a.own(id).leverage != 0
}

// canHold reports whether it has one, or may have one.
func (n *naive) canHold(a *naiveAccount, id msg.InstrumentID) bool {
	if n.held(a, id) {
		return true
	}
	own, all := uint32(0), uint32(0)
	for _, b := range n.accounts {
		for i := range n.instruments {
			if n.held(b, i) {
				all++
				if a == b {
					own++
				}
			}
		}
	}
	return own < n.limits.AccountPositions && all < n.limits.Positions
}

func (n *naive) interest(id msg.InstrumentID) (lots fixed.Lots) {
	if !n.instruments[id].perpetual() {
		return 0
	}
	for _, a := range n.holders() {
		lots += max(0, a.qty[id])
	}
	return lots
}

func (n *naive) day() int64 { return int64(n.now / fixed.Day) }
