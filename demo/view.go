package demo

import (
	"github.com/tidwall/btree"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/margin"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/replay"
)

// view is the market as somebody sees it who is told every event and nothing else: the book, what every account holds and
// has open, and what was paid. Both ends of the demo have one: the traders, to know which of their orders stand, and the
// audience, to say what happened.
//
//	sides[side] -- price, best first --> level -- oldest to newest --> order, order, ...
//	accounts[account]                    what it owns, its position and open orders
//
// An order that has just come or moved is incoming: it stands when all events of its command are told.
//
// Invariant: no level is empty, and a level's qty is the sum of its orders' leaves.
type view struct {
	instrument market.Instrument
	orders     []order // by handle; of those that do not stand, id is 0
	levels     []level // row 0 is none; free ones are linked by head
	free       uint32
	sides      [2]btree.Map[int64, uint32]
	incoming   order // leaves 0: none
	ledger
	ladder ladder
	oracle oracleView

	seq   msg.Seq     // of the last event
	now   fixed.Nanos // its time
	tally tally
}

// oracleView is what is told of the index.
type oracleView struct {
	health   msg.Health
	index    fixed.Money // of a bitcoin
	steps    int64       // of the index
	degraded int64       // times
	frozen   int64       // times
}

// tally counts what happened.
type tally struct {
	events   int64
	kinds    [256]int64 // by msg.EventKind
	rejects  [256]int64 // by msg.Reject
	refused  fixed.Lots // of orders that were rejected
	unfilled fixed.Lots // of orders that could not trade at once and may not rest
	volume   fixed.Lots // traded
	turnover fixed.Money
	fees     fixed.Money // paid by takers and makers
	rebates  fixed.Money // earned by makers
}

// order is one that stands.
type order struct {
	id         msg.OrderID
	account    msg.AccountID
	side       msg.Side
	price      fixed.Ticks
	leaves     fixed.Lots
	terms      margin.Terms
	level      uint32
	next, prev uint32 // handles, by age
}

// level is a price with orders.
type level struct {
	price      fixed.Ticks
	qty        fixed.Lots
	head, tail uint32 // handles, the oldest and the newest
}

// newView is the view of a script's market before its first event.
func newView(s *script) *view {
	orders := s.limits.Orders + 1
	v := &view{orders: make([]order, orders), levels: make([]level, 1, orders),
		ledger: ledger{accounts: make([]account, s.accounts+1)}, ladder: ladder{rungs: make([]msg.Rung, s.accounts+1)}}
	for id := range v.accounts {
		v.accounts[id].isolated = roleOf(msg.AccountID(id)).isolates()
	}
	return v
}

// key orders the prices of a side, the best first.
func key(side msg.Side, price fixed.Ticks) int64 {
	if side == msg.Buy {
		return -int64(price)
	}
	return int64(price)
}

func (v *view) half(side msg.Side) *btree.Map[int64, uint32] { return &v.sides[side&1] }

// fold takes in one event.
func (v *view) fold(ev *msg.Event) {
	if ev.Seq != v.seq {
		v.settle()
		v.seq, v.now = ev.Seq, ev.Time
	}
	v.tally.events++
	v.tally.kinds[ev.Kind]++
	switch ev.Kind {
	case msg.Accepted, msg.QuotePlaced:
		v.incoming = order{id: ev.Order, account: ev.Account, side: ev.Side, price: ev.Price, leaves: ev.Qty,
			terms: margin.TermsOf(&v.instrument, ev.Side, ev.Price)}
	case msg.Traded:
		v.trade(ev)
	case msg.Canceled:
		v.shrink(ev.Order, ev.Change().Leaves)
		if ev.Reason == msg.CanceledRemainder {
			v.tally.unfilled += ev.Qty
		}
	case msg.Amended:
		v.amend(ev)
	case msg.Rejected:
		v.tally.rejects[ev.Reject]++
		v.tally.refused += ev.Qty
	case msg.OracleHealth, msg.IndexUpdated:
		v.oracle.fold(ev)
	case msg.MarkUpdated:
		v.instrument.SetMark(ev.Price)
	case msg.InstrumentListed, msg.TierSet, msg.FeesSet, msg.RuleSet:
		v.rule(ev)
	case msg.Deposited, msg.LeverageSet, msg.MarginMoved, msg.FundingSettled, msg.FundingPaid:
		v.own(ev)
	default:
		v.fall(ev)
	}
}

// fold takes in what is told of the index.
func (o *oracleView) fold(ev *msg.Event) {
	if ev.Kind == msg.IndexUpdated {
		o.index = ev.IndexStep().Index
		o.steps++
		return
	}
	switch o.health = ev.HealthStep().To; o.health {
	case msg.Degraded:
		o.degraded++
	case msg.Frozen:
		o.frozen++
	}
}

// settle ends the events of a command: what is left of an incoming order stands.
func (v *view) settle() {
	if v.incoming.leaves == 0 {
		return
	}
	h := v.incoming.id.Handle()
	v.orders[h] = v.incoming
	v.incoming.leaves = 0
	v.join(h)
}

// rule takes in what the instrument is.
func (v *view) rule(ev *msg.Event) {
	r := msg.Request{Instr: ev.Instr, Rare: ev.Rare}
	switch ev.Kind {
	case msg.InstrumentListed:
		v.instrument.List(r.Listing())
	case msg.TierSet:
		v.instrument.SetTier(r.Tier())
	case msg.FeesSet:
		v.instrument.SetFees(r.Fees())
	case msg.RuleSet:
		if ev.Instr == instrument {
			v.instrument.SetRule(r.Setting())
		}
	}
}

// trade takes in one side of a trade.
func (v *view) trade(ev *msg.Event) {
	f := ev.Fill()
	v.shrink(ev.Order, f.Leaves)
	delta, fee := ev.Qty, max(f.Fee, 0) // a rebate is not the account's before the day is over
	if ev.Side == msg.Sell {
		delta = -delta
	}
	v.fill(v.of(ev.Account), delta, v.value(delta, ev.Price), fee)
	if f.Fee < 0 {
		v.tally.rebates -= f.Fee
	} else {
		v.tally.fees += f.Fee
	}
	if f.Maker {
		v.sell(ev)
		v.tally.volume += ev.Qty
		v.tally.turnover += v.value(ev.Qty, ev.Price)
	}
}

// value is what lots cost at a price.
func (v *view) value(lots fixed.Lots, price fixed.Ticks) fixed.Money {
	return fixed.Money(int64(lots) * int64(price) * int64(v.instrument.TickLot))
}

// amend takes in what an order has become.
func (v *view) amend(ev *msg.Event) {
	if ev.Change().Kept {
		v.shrink(ev.Order, ev.Qty)
		return
	}
	o := *v.order(ev.Order)
	v.shrink(ev.Order, 0)
	o.price, o.leaves, o.terms = ev.Price, ev.Qty, margin.TermsOf(&v.instrument, o.side, ev.Price)
	v.incoming = o
}

// order is one that stands, or nil.
func (v *view) order(id msg.OrderID) *order {
	if o := &v.orders[id.Handle()]; id != 0 && o.id == id {
		return o
	}
	return nil
}

// shrink leaves an order with less, in its place; with nothing it is gone.
func (v *view) shrink(id msg.OrderID, leaves fixed.Lots) {
	if v.incoming.leaves > 0 && v.incoming.id == id {
		v.incoming.leaves = leaves
		return
	}
	o := v.order(id)
	if o == nil {
		return
	}
	v.expose(o, -1)
	v.levels[o.level].qty -= o.leaves - leaves
	o.leaves = leaves
	if leaves == 0 {
		v.leave(id.Handle())
		return
	}
	v.expose(o, 1)
}

// expose adds what an order sets aside to its account's exposure (M-13, M-14), or takes it off again.
func (v *view) expose(o *order, sign int64) {
	x := &v.accounts[o.account].exposure
	reserve, _ := o.terms.Reserve(&v.instrument, o.leaves, o.price)
	if o.side == msg.Buy {
		x.Buys += fixed.Lots(sign) * o.leaves
		x.BuyReserve += fixed.Money(sign) * reserve
	} else {
		x.Sells += fixed.Lots(sign) * o.leaves
		x.SellReserve += fixed.Money(sign) * reserve
	}
}

// join puts an order at the tail of its price.
func (v *view) join(h uint32) {
	o := &v.orders[h]
	row, ok := v.half(o.side).Get(key(o.side, o.price))
	if !ok {
		row = v.open(o.side, o.price)
	}
	l := &v.levels[row]
	o.level, o.prev, o.next = row, l.tail, 0
	if l.tail != 0 {
		v.orders[l.tail].next = h
	} else {
		l.head = h
	}
	l.tail = h
	l.qty += o.leaves
	v.expose(o, 1)
}

// open makes an empty level.
func (v *view) open(side msg.Side, price fixed.Ticks) uint32 {
	row := v.free
	if row == 0 {
		row = uint32(len(v.levels))
		v.levels = append(v.levels, level{})
	} else {
		v.free = v.levels[row].head
	}
	v.levels[row] = level{price: price}
	v.half(side).Set(key(side, price), row)
	return row
}

// leave takes an order out of its price.
func (v *view) leave(h uint32) {
	o := &v.orders[h]
	l := &v.levels[o.level]
	if o.prev != 0 {
		v.orders[o.prev].next = o.next
	} else {
		l.head = o.next
	}
	if o.next != 0 {
		v.orders[o.next].prev = o.prev
	} else {
		l.tail = o.prev
	}
	if l.head == 0 {
		v.half(o.side).Delete(key(o.side, l.price))
		l.head, v.free = v.free, o.level
	}
	*o = order{}
}

// at is the level of a price; where there is none it is empty.
func (v *view) at(side msg.Side, price fixed.Ticks) level {
	row, ok := v.half(side).Get(key(side, price))
	if !ok {
		return level{}
	}
	return v.levels[row]
}

// best is the best level of a side; where there is none it is empty.
func (v *view) best(side msg.Side) replay.Level {
	_, row, ok := v.half(side).Min()
	if !ok {
		return replay.Level{}
	}
	return replay.Level{Price: v.levels[row].price, Qty: v.levels[row].qty}
}

// required is the initial margin that all accounts together need at the present mark, open orders included (M-13).
func (v *view) required() (sum fixed.Money) {
	for i := range v.accounts {
		sum += v.requirement(&v.accounts[i], &v.instrument)
	}
	return sum
}

// standing is how many levels there are.
func (v *view) standing() int { return v.sides[0].Len() + v.sides[1].Len() }
