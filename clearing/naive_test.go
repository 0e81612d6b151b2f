package clearing

import (
	"fmt"
	"math/big"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/margin"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// naive is the twin of a House: maps of what everybody owns, and nothing that is kept in step. Every figure is added up
// when it is asked for, from fills, balances and open orders, in whole numbers of any size.
type naive struct {
	instruments []market.Instrument
	accounts    map[msg.AccountID]*naiveAccount
	resting     map[uint32]*naiveOrder
	fees        *big.Int
	paidIn      *big.Int
	day         int64
}

type naiveAccount struct {
	owner          msg.OwnerID
	cash           *big.Int
	realized, fees *big.Int
	rebate         *big.Int
	rebateDay      int64
	qty            map[msg.InstrumentID]fixed.Lots
	cost           map[msg.InstrumentID]*big.Int
}

type naiveOrder struct {
	Resting
	account   msg.AccountID
	instr     msg.InstrumentID
	terms     margin.Terms
	leaves    fixed.Lots
	suspended bool
}

func newNaive(instruments []market.Instrument) *naive {
	return &naive{instruments: instruments, accounts: map[msg.AccountID]*naiveAccount{}, resting: map[uint32]*naiveOrder{},
		fees: new(big.Int), paidIn: new(big.Int)}
}

func (n *naive) open(id msg.AccountID, owner msg.OwnerID) {
	n.accounts[id] = &naiveAccount{owner: owner, cash: new(big.Int), realized: new(big.Int), fees: new(big.Int), rebate: new(big.Int),
		qty: map[msg.InstrumentID]fixed.Lots{}, cost: map[msg.InstrumentID]*big.Int{}}
}

func product(factors ...int64) *big.Int {
	p := big.NewInt(1)
	for _, f := range factors {
		p.Mul(p, big.NewInt(f))
	}
	return p
}

// up is a / d rounded toward plus infinity, d not 0.
func up(a, d *big.Int) *big.Int {
	if d.Sign() < 0 {
		a, d = new(big.Int).Neg(a), new(big.Int).Neg(d)
	}
	q := new(big.Int).Neg(a)
	return q.Neg(q.Div(q, d)) // Euclidean: toward minus infinity, d being above 0
}

func money(v *big.Int) fixed.Money {
	if !v.IsInt64() {
		panic("a balance does not fit: " + v.String())
	}
	return fixed.Money(v.Int64())
}

func (n *naive) worth(id msg.InstrumentID, lots fixed.Lots, price fixed.Ticks) *big.Int {
	return product(int64(lots), int64(price), int64(n.instruments[id].TickLot))
}

// costOf is the signed sum of fills that a position is left with.
func (a *naiveAccount) costOf(id msg.InstrumentID) *big.Int {
	if a.cost[id] == nil {
		a.cost[id] = new(big.Int)
	}
	return a.cost[id]
}

// vest gives an account the rebates of past days.
func (n *naive) vest(id msg.AccountID) (vested fixed.Money) {
	a := n.accounts[id]
	if a.rebateDay == n.day {
		return 0
	}
	vested = money(a.rebate)
	a.cash.Add(a.cash, a.rebate)
	a.rebate = new(big.Int)
	return vested
}

// fill is M-04: the part that closes releases its share of the cost, rounded up, and the rest adds to it.
func (n *naive) fill(id msg.AccountID, instr msg.InstrumentID, delta fixed.Lots, price fixed.Ticks, fee fixed.Money) (realized fixed.Money) {
	a := n.accounts[id]
	held := a.qty[instr]
	a.qty[instr] += delta
	a.cash.Sub(a.cash, product(int64(fee)))
	if n.instruments[instr].Type == msg.Spot {
		a.cash.Sub(a.cash, n.worth(instr, delta, price))
		return 0
	}
	closes := fixed.Lots(0) // signed like the fill
	switch {
	case held > 0 && delta < 0:
		closes = max(delta, -held)
	case held < 0 && delta > 0:
		closes = min(delta, -held)
	}
	cost := a.costOf(instr)
	gain := new(big.Int)
	if closes != 0 {
		released := up(new(big.Int).Mul(cost, product(int64(closes))), product(-int64(held)))
		gain.Sub(n.worth(instr, -closes, price), released)
		cost.Sub(cost, released)
	}
	cost.Add(cost, n.worth(instr, delta-closes, price))
	a.cash.Add(a.cash, gain)
	return money(gain)
}

// exposure is a position with what its open orders set aside.
func (n *naive) exposure(id msg.AccountID, instr msg.InstrumentID) (x margin.Exposure, open int) {
	x.Qty = n.accounts[id].qty[instr]
	for _, o := range n.resting {
		if o.account != id || o.instr != instr {
			continue
		}
		open++
		if o.ReduceOnly || o.suspended {
			continue
		}
		reserve, ok := o.terms.Reserve(&n.instruments[instr], o.leaves, o.Limit)
		if !ok {
			panic("a reserve does not fit")
		}
		if o.Side == msg.Buy {
			x.Buys += o.leaves
			x.BuyReserve += reserve
		} else {
			x.Sells += o.leaves
			x.SellReserve += reserve
		}
	}
	return x, open
}

// holding adds up one position.
func (n *naive) holding(id msg.AccountID, instr msg.InstrumentID) (h Holding, ok bool) {
	in, a := &n.instruments[instr], n.accounts[id]
	x, open := n.exposure(id, instr)
	initial, fits := margin.Requirement(in, &x)
	maintenance, fitsToo := margin.Maintenance(in, x.Qty)
	if !fits || !fitsToo {
		panic("a requirement does not fit")
	}
	h = Holding{Mode: msg.ModeCross, Instr: instr, Open: open, Qty: x.Qty, Buys: x.Buys, Sells: x.Sells, Initial: initial, Maintenance: maintenance}
	if in.Type != msg.Spot {
		h.Cost = money(a.costOf(instr))
		h.Profit = money(new(big.Int).Sub(n.worth(instr, x.Qty, in.Mark), a.costOf(instr)))
	}
	return h, x.Qty != 0 || open > 0
}

// summary adds up an account (M-03, M-15, M-19).
func (n *naive) summary(id msg.AccountID, v *market.Venue) Summary {
	a := n.accounts[id]
	s := Summary{Owner: a.owner, Cash: money(a.cash), Rebate: money(a.rebate), Realized: money(a.realized), Fees: money(a.fees)}
	if a.rebateDay != n.day {
		s.Cash, s.Rebate = s.Cash+s.Rebate, 0
	}
	s.Equity = s.Cash
	cut, notional := new(big.Int), new(big.Int)
	for i := range n.instruments {
		if n.instruments[i].Type == 0 {
			continue
		}
		h, held := n.holding(id, msg.InstrumentID(i))
		if held {
			s.Positions++
		}
		s.Equity += h.Profit
		s.Initial += h.Initial
		s.Maintenance += h.Maintenance
		if h.Profit > 0 {
			cut.Add(cut, up(product(int64(h.Profit), int64(v.ProfitHaircut)), product(int64(fixed.One))))
		}
		if n.instruments[i].Type != msg.Spot {
			notional.Add(notional, new(big.Int).Abs(n.worth(msg.InstrumentID(i), h.Qty, n.instruments[i].Mark)))
		}
	}
	s.Free = s.Equity - s.Initial
	s.ReduceOnly = s.Equity < s.Initial
	left := max(s.Initial, money(up(notional.Mul(notional, product(int64(v.WithdrawMargin))), product(int64(fixed.One)))))
	s.Withdrawable = max(0, min(s.Cash, s.Equity-money(cut)-left))
	return s
}

// compare asks house and twin for every figure there is.
func (n *naive) compare(h *House, v *market.Venue) error {
	rebates := new(big.Int)
	total := new(big.Int).Set(n.fees)
	for id, a := range n.accounts {
		rebates.Add(rebates, a.rebate)
		total.Add(total, a.cash)
		for i := range n.instruments {
			if n.instruments[i].Type == 0 {
				continue
			}
			instr := msg.InstrumentID(i)
			total.Sub(total, a.costOf(instr))
			got, ok := h.Holding(id, instr)
			want, held := n.holding(id, instr)
			if ok != held || held && got != want {
				return fmt.Errorf("account %d in %d:\n     %+v %v\nwant %+v %v", id, i, got, ok, want, held)
			}
		}
		got, _ := h.Summary(id, v)
		if want := n.summary(id, v); got != want {
			return fmt.Errorf("account %d:\n     %+v\nwant %+v", id, got, want)
		}
		h.Check(id)
	}
	if total.Add(total, rebates).Cmp(n.paidIn) != 0 {
		return fmt.Errorf("the twin has %s and was paid %s", total, n.paidIn)
	}
	if got, want := h.Venue, (Venue{Fees: money(n.fees), Rebates: money(rebates)}); got != want {
		return fmt.Errorf("venue: %+v, want %+v", got, want)
	}
	if missing := h.Imbalance(); missing != 0 {
		return fmt.Errorf("%s of money is missing", missing)
	}
	for i := range n.instruments {
		if n.instruments[i].Type == 0 {
			continue
		}
		long := fixed.Lots(0)
		for _, a := range n.accounts {
			long += max(0, a.qty[msg.InstrumentID(i)])
		}
		if got := h.Interest(msg.InstrumentID(i)); n.instruments[i].Type != msg.Spot && got != long {
			return fmt.Errorf("open interest of %d: %d, want %d", i, got, long)
		}
		if missing := h.LotsImbalance(msg.InstrumentID(i)); missing != 0 {
			return fmt.Errorf("%d lots of %d are missing", missing, i)
		}
	}
	return nil
}
