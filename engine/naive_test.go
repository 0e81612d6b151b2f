package engine

import (
	"cmp"
	"math/big"
	"slices"

	"github.com/lockstep-exchange/lockstep/book"
	"github.com/lockstep-exchange/lockstep/clearing"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// naive is the twin of an engine (S-15, T-1): an exchange written from the rules of margin, wire and durability alone, with
// maps, slices and whole numbers of any size. It keeps no sum and no index. What a position sets aside is added up from its
// orders, what an account owns and owes from its positions, the best price is looked for among all orders, and every
// reason to refuse is collected before the first in order of precedence answers. It predicts every event and figure.
//
// What rests here is resting in the engine; an order in hand is neither in its queue nor in what its account sets aside.
type naive struct {
	left        fixed.Money // scratch of withdrawable
	limits      Limits
	seq         msg.Seq
	now         fixed.Nanos
	instruments map[msg.InstrumentID]*naiveInstrument
	accounts    map[msg.AccountID]*naiveAccount
	owners      map[msg.OwnerID]*naiveOwner
	sessions    map[msg.SessionID]*naiveSession

	entry          msg.Action
	rate, burst    int64
	haircut, leave fixed.Rate

	orders    []*naiveOrder        // all that rest, in the order in which they took their places
	issued    map[msg.OrderID]bool // every id there ever was
	rows      map[uint32]uint32    // generation by handle
	freed     []uint32             // handles, the last one given back goes first
	fresh     uint32               // handles below have been used
	places    int                  // taken so far, in queues
	trades    msg.TradeID          //
	jobs      []*naiveJob          //
	fees      fixed.Money          // @fees
	rebates   fixed.Money          // @rebates
	fund      fixed.Money          // @fund
	uncovered fixed.Money          // -@deficit
	paidIn    fixed.Money          // less paid out
	assetsIn  map[msg.InstrumentID]fixed.Lots

	prices naivePrices
	timers []naiveTimer
	short  fixed.Money // that positions could not pay when they were closed by this command
	hand   *naiveOrder // that is being worked

	out []msg.Event
}

type naiveInstrument struct {
	listing msg.Listing
	phase   msg.Phase
	entry   msg.Action
	mark    fixed.Ticks
	tiers   []msg.Tier
	staged  []msg.Tier
	fees    msg.Fees
	rules   map[msg.Rule]int64

	shares, stagedShares []msg.Concentration
	naivePriced
}

type naiveAccount struct {
	id        msg.AccountID
	owner     msg.OwnerID
	groups    uint32
	entry     msg.Action
	cash      fixed.Money
	realized  fixed.Money
	fees      fixed.Money
	funding   fixed.Money // received so far
	rebate    fixed.Money
	rebateDay int64
	debt      [2]fixed.Nanos // of the quotas of orders and cancels, at debtAt
	debtAt    [2]fixed.Nanos
	qty       map[msg.InstrumentID]fixed.Lots
	cost      map[msg.InstrumentID]fixed.Money
	alone     map[msg.InstrumentID]*alone
	funded    map[msg.InstrumentID]int64 // the sum of steps up to which funding was paid
	list      []*naiveOrder              // its open orders, oldest first; an amended one keeps its place
}

type naiveOwner struct {
	accounts []msg.AccountID // newest first
	entry    msg.Action
}

type naiveSession struct {
	open  bool
	owner msg.OwnerID
	last  msg.Ref
}

type naiveOrder struct {
	id         msg.OrderID
	ref        msg.Ref
	account    *naiveAccount
	instr      msg.InstrumentID
	session    msg.SessionID
	side       msg.Side
	stp        msg.STP
	price      fixed.Ticks
	leaves     fixed.Lots
	filled     fixed.Lots
	expire     fixed.Nanos
	loss       fixed.Ticks // set aside a lot (M-14), as when it was accepted
	fee        fixed.Rate
	rate       *big.Int // at which it posts margin, of an isolated one
	reduceOnly bool
	postOnly   bool
	slide      bool
	rests      bool
	place      int
	moved      fixed.Money // into its isolated position, by fills that have not been told of
}

// naiveJob is a mass cancel: the orders that are meant, newest first, account by account.
type naiveJob struct {
	entry    msg.Entry
	asker    msg.AccountID
	instr    msg.InstrumentID
	side     msg.Side
	reason   msg.Reason
	ref      msg.Ref
	session  msg.SessionID
	canceled fixed.Lots
	accounts []msg.AccountID // still to come, the first one under way
	pending  []*naiveOrder   // of the one under way
}

func newNaive(l Limits) *naive {
	return &naive{limits: l, instruments: map[msg.InstrumentID]*naiveInstrument{}, accounts: map[msg.AccountID]*naiveAccount{},
		owners: map[msg.OwnerID]*naiveOwner{}, sessions: map[msg.SessionID]*naiveSession{0: {}}, burst: 1, haircut: fixed.One,
		leave: 10 * fixed.Percent, issued: map[msg.OrderID]bool{}, rows: map[uint32]uint32{}, fresh: 1,
		assetsIn: map[msg.InstrumentID]fixed.Lots{}, prices: newNaivePrices()}
}

// Arithmetic.

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

// What there is.

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
		Free: equity - initial, ReduceOnly: equity < initial, Withdrawable: n.withdrawable(&now), Realized: a.realized, Fees: a.fees,
		Funding: now.funding, Rebate: now.rebate}
	for _, i := range n.ids() {
		if a.qty[i] != 0 || n.open(a, i) > 0 {
			s.Positions++
		}
	}
	return s, true
}

func (n *naive) holding(account msg.AccountID, id msg.InstrumentID) (h clearing.Holding, ok bool) {
	a, in := n.accounts[account], n.instruments[id]
	if a == nil || in == nil || a.qty[id] == 0 && n.open(a, id) == 0 {
		return h, false
	}
	x, own := n.exposure(a, id, nil), a.own(id)
	h = clearing.Holding{Mode: msg.ModeCross, Leverage: own.leverage, Margin: own.margin, Instr: id, Open: n.open(a, id), Qty: x.qty,
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
	for _, a := range n.accounts {
		lots += max(0, a.qty[id])
	}
	return lots
}

func (n *naive) day() int64 { return int64(n.now / fixed.Day) }

// first is the order of a side that has priority: the best price, then the earliest place.
func (n *naive) first(id msg.InstrumentID, side msg.Side) (best *naiveOrder) {
	for _, o := range n.orders {
		if o.instr == id && o.side == side && (best == nil || o.price != best.price && reaches(side, o.price, best.price) ||
			o.price == best.price && o.place < best.place) {
			best = o
		}
	}
	return best
}

// reaches reports whether a price is at another or, for an order of that side, bolder.
func reaches(side msg.Side, price, other fixed.Ticks) bool {
	if side == msg.Buy {
		return price >= other
	}
	return price <= other
}

func (n *naive) crosses(id msg.InstrumentID, side msg.Side, limit fixed.Ticks) bool {
	best := n.first(id, side.Opposite())
	return best != nil && reaches(side, limit, best.price)
}

// canRest reports whether there is a level, or room for one.
func (n *naive) canRest(id msg.InstrumentID, side msg.Side, price fixed.Ticks) bool {
	type level struct {
		id    msg.InstrumentID
		side  msg.Side
		price fixed.Ticks
	}
	levels := map[level]bool{}
	for _, o := range n.orders {
		levels[level{o.instr, o.side, o.price}] = true
	}
	return levels[level{id, side, price}] || uint32(len(levels)) < n.limits.Levels
}

func (n *naive) depth(id msg.InstrumentID, side msg.Side) (levels []book.Depth) {
	byPrice := map[fixed.Ticks]*book.Depth{}
	for _, o := range n.orders {
		if o.instr == id && o.side == side {
			if byPrice[o.price] == nil {
				byPrice[o.price] = &book.Depth{Price: o.price}
			}
			byPrice[o.price].Qty += o.leaves
			byPrice[o.price].Orders++
		}
	}
	for _, l := range byPrice {
		levels = append(levels, *l)
	}
	slices.SortFunc(levels, func(a, b book.Depth) int {
		if a.Price != b.Price && reaches(side, a.Price, b.Price) {
			return -1
		}
		return 1
	})
	return levels
}

// Rows and ids.

func (n *naive) newID() msg.OrderID {
	h := n.fresh
	if k := len(n.freed); k > 0 {
		h = n.freed[k-1]
		n.freed = n.freed[:k-1]
	} else {
		n.fresh++
	}
	id := msg.OrderID(n.rows[h])<<32 | msg.OrderID(h)
	n.issued[id] = true
	return id
}

func (n *naive) free(o *naiveOrder) {
	n.rows[o.id.Handle()]++
	n.freed = append(n.freed, o.id.Handle())
}

// rest gives an order its place; it joins its account's list unless it is in it.
func (n *naive) rest(o *naiveOrder) {
	n.places++
	o.rests, o.place = true, n.places
	n.orders = append(n.orders, o)
	if !slices.Contains(o.account.list, o) {
		o.account.list = append(o.account.list, o)
	}
}

// lift takes an order out of its queue, not out of its account's list.
func (n *naive) lift(o *naiveOrder) {
	o.rests = false
	n.orders = slices.DeleteFunc(n.orders, func(p *naiveOrder) bool { return p == o })
}

// remove ends an order.
func (n *naive) remove(o *naiveOrder) {
	n.lift(o)
	o.account.list = slices.DeleteFunc(o.account.list, func(p *naiveOrder) bool { return p == o })
	n.free(o)
	n.tidy(o.account, o.instr)
}

// Events.

func (n *naive) emit(e msg.Event) *msg.Event {
	e.Seq, e.Time, e.Index = n.seq, n.now, uint16(len(n.out))
	n.out = append(n.out, e)
	return &n.out[len(n.out)-1]
}

func (n *naive) answer(kind msg.EventKind, c *msg.Command) *msg.Event {
	return n.emit(msg.Event{Kind: kind, Ref: c.Ref, Account: c.Account, Instr: c.Instr, Session: c.Session})
}

func (n *naive) refuse(c *msg.Command, r msg.Reject, limit, actual int64) {
	e := n.answer(msg.Rejected, c)
	e.Order, e.Price, e.Qty, e.Side, e.Reject = c.Order, c.Price, c.Qty, c.Side, r
	e.SetRefusal(msg.Refusal{Limit: limit, Actual: actual, Asked: c.Kind})
}

// about is an event about an order.
func (n *naive) about(kind msg.EventKind, o *naiveOrder, qty fixed.Lots) *msg.Event {
	return n.emit(msg.Event{Kind: kind, Order: o.id, Ref: o.ref, Price: o.price, Qty: qty, Account: o.account.id, Instr: o.instr,
		Session: o.session, Side: o.side})
}

func (n *naive) canceled(o *naiveOrder, qty, leaves fixed.Lots, reason msg.Reason, request msg.Ref, asker msg.SessionID) {
	e := n.about(msg.Canceled, o, qty)
	e.Reason = reason
	e.SetChange(&msg.Change{Filled: o.filled, Leaves: leaves, Request: request, Asker: asker})
}

// touch lets funding be paid (M-42) and the rebates of past days vest (M-45).
func (n *naive) touch(a *naiveAccount) {
	n.pay(a)
	if a.rebate == 0 || a.rebateDay == n.day() {
		return
	}
	a.cash += a.rebate
	n.rebates -= a.rebate
	e := n.emit(msg.Event{Kind: msg.RebateVested, Account: a.id})
	e.SetBalance(msg.Balance{Amount: a.rebate, Cash: a.cash})
	a.rebate = 0
}

// apply predicts the events of a command.
func (n *naive) apply(c *msg.Command) []msg.Event {
	n.seq, n.out = c.Seq, n.out[:0]
	before := n.day()
	n.now = c.Time
	if n.day() != before || c.Seq == 1 {
		n.cut()
	}
	n.workDue()
	n.runJobs()
	switch c.Kind {
	case msg.KindLimit, msg.KindMarket, msg.KindPlace:
		n.placeOrder(c)
	case msg.KindAmend:
		n.amend(c)
	case msg.KindCancel:
		n.cancel(c)
	case msg.KindCancelAll:
		n.cancelAll(c)
	case msg.KindSetLeverage, msg.KindIsolate, msg.KindCross, msg.KindMoveMargin:
		n.remargin(c)
	default:
		n.administer(c)
	}
	n.runJobs()
	if len(n.out) == 0 {
		n.answer(msg.Ticked, c)
	}
	return n.out
}

// steps is how many orders left-over work may look at now.
func (n *naive) steps() int { return min(256, (int(n.limits.Events)-len(n.out)-16)/4) }

// naiveTimer is what time brings: the lower kind first, then the lower id.
type naiveTimer struct {
	at   fixed.Nanos
	kind int
	id   uint64
	most int // events that it may bring
	do   func()
}

// workDue does what is due, in order of time, an order that expires before anything else of that time.
func (n *naive) workDue() {
	for range n.steps() {
		var due *naiveOrder
		for _, o := range n.orders {
			if o.expire != 0 && o.expire <= n.now && (due == nil || o.expire < due.expire || o.expire == due.expire && o.id < due.id) {
				due = o
			}
		}
		slices.SortFunc(n.timers, func(a, b naiveTimer) int {
			return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.kind, b.kind), cmp.Compare(a.id, b.id))
		})
		timed := len(n.timers) > 0 && n.timers[0].at <= n.now
		switch {
		case due != nil && (!timed || due.expire <= n.timers[0].at):
			if len(n.out)+3 > int(n.limits.Events)/2 {
				return
			}
			n.touch(due.account)
			n.about(msg.Expired, due, due.leaves).SetChange(&msg.Change{Filled: due.filled})
			n.remove(due)
		case timed && len(n.out)+n.timers[0].most <= int(n.limits.Events)/2:
			first := n.timers[0]
			n.timers = n.timers[1:]
			first.do()
		default:
			return
		}
	}
}

// Mass cancels.

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
			if j.reason == msg.CanceledReduceOnly {
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
				j.reason == msg.CanceledReduceOnly && (!o.reduceOnly || o.reducible() > 0) {
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

// objection is a reason to refuse, with the limit and what was found.
type objection struct {
	reject        msg.Reject
	limit, actual int64
}

// objections are all that apply.
type objections []objection

func (o *objections) when(applies bool, r msg.Reject, limit, actual int64) {
	if applies {
		*o = append(*o, objection{r, limit, actual})
	}
}

// first is the one that stands first in the order of precedence; among equals the one found first.
func (o objections) first() (f objection) {
	for _, p := range o {
		if f.reject == 0 || p.reject < f.reject {
			f = p
		}
	}
	return f
}

// enter is the door (W-59): rate, rights and kill switch, account, client id, instrument. meter: 0 orders, 1 cancels. It
// is done when it has told why not. reduce says that the kill switch lets only reducing orders in.
func (n *naive) enter(c *msg.Command, meter int, enters bool) (done, reduce bool) {
	a, s := n.accounts[c.Account], n.sessions[c.Session]
	if a == nil {
		if c.Session != 0 && (s == nil || !s.open) {
			n.refuse(c, msg.RejectNotPermitted, 0, 0)
		} else {
			n.refuse(c, msg.RejectUnknownAccount, 0, 0)
		}
		return true, false
	}
	if n.rate != 0 {
		gap, burst := int64(fixed.Second)/n.rate, n.burst
		if meter == 1 {
			gap, burst = max(gap/4, 1), 4*burst
		}
		debt := max(0, a.debt[meter]-(n.now-a.debtAt[meter]))
		if over := debt - fixed.Nanos((burst-1)*gap); over > 0 {
			n.refuse(c, msg.RejectRateLimited, int64(over), 0)
			return true, false
		}
		if c.Session == 0 || s != nil && s.open && s.owner == a.owner {
			a.debt[meter], a.debtAt[meter] = debt+fixed.Nanos(gap), n.now
		}
	}
	if c.Session != 0 && (s == nil || !s.open || s.owner != a.owner) {
		n.refuse(c, msg.RejectNotPermitted, 0, 0)
		return true, false
	}
	last := s.last
	if c.Ref > last {
		s.last = c.Ref
	}
	if enters {
		var no objections
		if reduce = n.entryOf(c.Instr, a, &no); len(no) > 0 {
			n.refuse(c, no.first().reject, 0, 0)
			return true, false
		}
	}
	if c.Ref != 0 && c.Ref <= last {
		n.refuse(c, msg.RejectDuplicateClientID, int64(last), int64(c.Ref))
		return true, false
	}
	if c.Instr != 0 && n.instruments[c.Instr] == nil {
		n.refuse(c, msg.RejectUnknownInstrument, 0, 0)
		return true, false
	}
	return false, reduce
}

// entryOf asks permission and kill switch for a new order.
func (n *naive) entryOf(id msg.InstrumentID, a *naiveAccount, no *objections) (reduce bool) {
	turns := []msg.Action{n.entry, a.entry, n.owners[a.owner].entry}
	if in := n.instruments[id]; in != nil {
		no.when(a.groups>>in.listing.Group&1 == 0, msg.RejectNotPermitted, 0, 0)
		turns = append(turns, in.entry)
	}
	for _, t := range turns {
		no.when(t == msg.Block || t == msg.BlockAndCancel, msg.RejectEntryBlocked, 0, 0)
		reduce = reduce || t == msg.ReduceEntry
	}
	return reduce
}

// formed checks what a command says by itself.
func (n *naive) formed(c *msg.Command) msg.Reject {
	var no objections
	amend, ext := c.Kind == msg.KindAmend, msg.OrderExt{}
	if c.Kind == msg.KindPlace {
		ext = c.OrderExt()
	}
	const most = 1 << 55
	bad := func(b bool) { no.when(b, msg.RejectValueOutOfRange, 0, 0) }
	no.when(c.Flags&^(msg.FlagPostOnly|msg.FlagSlide|msg.FlagReduceOnly|msg.FlagIsolated|msg.FlagLeaves) != 0, msg.RejectReservedBits, 0, 0)
	bad(c.Qty <= 0 || c.Qty > most || c.Price < 0 || c.Price > most)
	bad(c.Price == 0 && c.Kind != msg.KindMarket)
	if amend {
		bad(c.Flags&^msg.FlagLeaves != 0)
		return no.first().reject
	}
	passive := c.Flags&(msg.FlagPostOnly|msg.FlagSlide) != 0
	bad(c.Side != msg.Buy && c.Side != msg.Sell)
	bad(c.STP > msg.STPNone || c.TIF > msg.GTD || c.Flags&msg.FlagLeaves != 0)
	bad(c.Kind == msg.KindMarket && c.TIF != msg.IOC && c.TIF != msg.FOK)
	bad(c.Kind == msg.KindLimit && c.TIF == msg.GTD)
	bad(passive && (c.TIF == msg.IOC || c.TIF == msg.FOK))
	bad(ext.Min < 0 || ext.Min > c.Qty || ext.Min > 0 && passive)
	bad(c.Kind == msg.KindPlace && (c.TIF == msg.GTD && ext.Expire <= n.now || c.TIF != msg.GTD && ext.Expire != 0))
	return no.first().reject
}

// wish is an order at the gate.
type wish struct {
	account    *naiveAccount
	instr      msg.InstrumentID
	side       msg.Side
	limit      fixed.Ticks
	qty        fixed.Lots
	market     bool
	reduceOnly bool
	isolated   bool
	reduce     bool // the kill switch wants it to reduce
	rests      bool
	old        *naiveOrder // that it takes the place of
}

// admit says why an order may not come in, or cuts and prices it (W-59, M-16 to M-18).
func (n *naive) admit(w *wish) (no objections) {
	a, in := w.account, n.instruments[w.instr]
	step, lot := in.step(msg.PriceStep), in.step(msg.QtyStep)
	no.when(int64(w.limit)%step != 0, msg.RejectOffTick, step, int64(w.limit))
	no.when(int64(w.qty)%lot != 0, msg.RejectOffLot, lot, int64(w.qty))
	most := in.rules[msg.MaxOrderQty]
	no.when(most != 0 && int64(w.qty) > most, msg.RejectOrderSizeLimit, most, int64(w.qty))
	x := n.exposure(a, w.instr, w.old)
	reducing := w.side == msg.Buy && x.buys+w.qty <= -x.qty || w.side == msg.Sell && x.sells+w.qty <= x.qty
	if in.mark == 0 && w.market { // nothing further can be said of an order without a price
		no.when(in.phase != msg.Continuous && (in.phase != msg.ReduceOnly || !w.reduceOnly), msg.RejectMarketHalted, 0, 0)
		no.when(n.health(w.instr) >= msg.Frozen && !w.reduceOnly, msg.RejectOracleFrozen, 0, 0)
		no.when(true, msg.RejectNoMark, 0, 0)
		return no
	}
	if w.market {
		w.limit = in.protection(w.side, w.limit)
	}

	notional := in.worth(w.qty, w.limit)
	least, largest := in.rules[msg.MinOrderNotional], in.rules[msg.MaxOrderNotional]
	no.when(largest != 0 && int64(notional) > largest, msg.RejectNotionalLimit, largest, int64(notional))
	no.when(int64(notional) < least, msg.RejectNotionalLimit, least, int64(notional))
	count, open := in.rules[msg.MaxOpenOrders], int64(n.open(a, w.instr))
	no.when(w.old == nil && w.rests && count != 0 && open >= count, msg.RejectOpenOrderLimit, count, open+1)
	no.when(in.phase != msg.Continuous && (in.phase != msg.ReduceOnly || !reducing && !w.reduceOnly), msg.RejectMarketHalted, 0, 0)
	no.when(n.health(w.instr) >= msg.Frozen && !reducing && !w.reduceOnly, msg.RejectOracleFrozen, 0, 0)
	no.when(in.mark == 0, msg.RejectNoMark, 0, 0)
	low, high := in.edges()
	no.when(w.side == msg.Buy && w.limit > high, msg.RejectPriceOutsideBand, int64(high), int64(w.limit))
	no.when(w.side == msg.Sell && w.limit < low, msg.RejectPriceOutsideBand, int64(low), int64(w.limit))
	busy, isolated := a.qty[w.instr] != 0 || open != 0, a.own(w.instr).isolated
	no.when(w.isolated && !in.perpetual() || busy && w.isolated != isolated, msg.RejectModeConflict, 0, 0)
	if len(no) > 0 {
		return no
	}

	if w.reduceOnly {
		held := x.qty
		if w.side == msg.Buy {
			held = -held
		}
		no.when(held <= 0, msg.RejectWouldNotReduce, 0, int64(w.qty))
		if len(no) > 0 {
			return no
		}
		if in.perpetual() {
			w.qty = min(w.qty, held)
		} else {
			w.reduceOnly = false // a spot sell opens nothing
		}
		reducing = true
	}
	if !reducing {
		n.caps(w, x, &no)
		no.when(w.reduce, msg.RejectAccountReduceOnly, 0, 0)
	}
	if in.mark != 0 && w.isolated {
		n.isolatedCredit(w, x, reducing, &no)
	} else if in.mark != 0 {
		n.credit(w, x, reducing, &no)
	}
	return no
}

// caps are M-71: the owner's lots, and the lots of all, with the order filled.
func (n *naive) caps(w *wish, x exposure, no *objections) {
	in := n.instruments[w.instr]
	if most := in.rules[msg.MaxPosition]; most != 0 {
		would := w.qty
		for _, id := range n.owners[w.account.owner].accounts {
			y := n.exposure(n.accounts[id], w.instr, w.old)
			if w.side == msg.Buy {
				would += y.qty + y.buys
			} else {
				would += y.sells - y.qty
			}
		}
		no.when(int64(would) > most, msg.RejectPositionLimit, most, int64(would))
	}
	if most := in.rules[msg.MaxOpenInterest]; most != 0 && in.perpetual() {
		closes := min(w.qty, max(0, x.qty))
		if w.side == msg.Buy {
			closes = min(w.qty, max(0, -x.qty))
		}
		opens := w.qty - closes
		would := n.interest(w.instr) + opens
		no.when(opens > 0 && int64(would) > most, msg.RejectOpenInterestLimit, most, int64(would))
	}
}

// credit is M-16 and M-17; x is without the order.
func (n *naive) credit(w *wish, x exposure, reducing bool, no *objections) {
	a, in := w.account, n.instruments[w.instr]
	equity, initial, maintenance := n.figures(a)
	fees := n.feesOf(in, a.owner)
	loss, fee := in.terms(w.side, w.limit, fees)
	reserve := in.reserve(w.qty, w.limit, loss, fee)
	y := x
	if w.side == msg.Buy {
		y.buys, y.buyReserve = x.buys+w.qty, x.buyReserve+reserve
	} else {
		y.sells, y.sellReserve = x.sells+w.qty, x.sellReserve+reserve
	}
	no.when(!in.perpetual() && y.sells > x.qty, msg.RejectInsufficientFunds, int64(x.qty-x.sells), int64(w.qty))
	if w.reduceOnly {
		y = x
	}
	delta := w.qty
	if w.side == msg.Sell {
		delta = -w.qty
	}
	more := in.requirementUnder(y, n.conditions(a, w.instr, delta)) - in.requirementUnder(n.exposure(a, w.instr, nil), n.conditions(a, w.instr, 0))
	if equity >= initial {
		no.when((!reducing || !in.perpetual()) && initial+more > equity, msg.RejectInsufficientMargin, int64(equity-initial), int64(more))
		return
	}
	if !reducing {
		no.when(true, msg.RejectAccountReduceOnly, int64(initial), int64(equity))
		return
	}
	n.worsens(w, x, equity, maintenance, no)
}

// worsens is M-17 for a reducing order of a pool with that equity and maintenance.
func (n *naive) worsens(w *wish, x exposure, equity, maintenance fixed.Money, no *objections) {
	in := n.instruments[w.instr]
	fees := n.feesOf(in, w.account.owner)
	paid := fixed.Money(ceilOf(share(in.worth(w.qty, w.limit), max(0, fees.Maker, fees.Taker)), int64(fixed.One)))
	after, gained := x.qty+w.qty, in.worth(w.qty, in.mark-w.limit)
	if w.side == msg.Sell {
		after, gained = x.qty-w.qty, in.worth(w.qty, w.limit-in.mark)
	}
	if !in.perpetual() {
		gained = in.worth(w.qty, w.limit) - in.collateral(x.qty) + in.collateral(after)
	}
	equityAfter := equity + gained - paid
	maintenanceAfter := maintenance - in.maintenance(x.qty) + in.maintenance(after)
	healthy := product(int64(equityAfter), int64(maintenance)).Cmp(product(int64(equity), int64(maintenanceAfter))) >= 0
	if maintenance == 0 && maintenanceAfter == 0 {
		healthy = equityAfter > equity
	}
	no.when(maintenanceAfter > maintenance || !healthy, msg.RejectWouldWorsenHealth, int64(equity), int64(equityAfter))
}

// slid is the price of a sliding order.
func (n *naive) slid(id msg.InstrumentID, side msg.Side, price fixed.Ticks) fixed.Ticks {
	step := fixed.Ticks(n.instruments[id].step(msg.PriceStep))
	if !n.crosses(id, side, price) || price%step != 0 {
		return price
	}
	best := n.first(id, side.Opposite()).price
	behind := best - best%step + step
	if side == msg.Buy {
		for behind = best - 1; behind%step != 0; behind-- {
		}
	}
	if behind <= 0 || behind > 1<<55 {
		return price
	}
	return behind
}

// room is how many makers a command may meet when it has told k events.
func (n *naive) room(k int) int { return (int(n.limits.Events) - k - 16) / 6 }

func (n *naive) placeOrder(c *msg.Command) {
	if r := n.formed(c); r != 0 {
		n.refuse(c, r, 0, 0)
		return
	}
	done, reduce := n.enter(c, 0, true)
	if done {
		return
	}
	in, a := n.instruments[c.Instr], n.accounts[c.Account]
	if in == nil {
		n.refuse(c, msg.RejectUnknownInstrument, 0, 0)
		return
	}
	n.touch(a)
	w := wish{account: a, instr: c.Instr, side: c.Side, limit: c.Price, qty: c.Qty, market: c.Kind == msg.KindMarket,
		reduceOnly: c.Flags&msg.FlagReduceOnly != 0, isolated: c.Flags&msg.FlagIsolated != 0, reduce: reduce, rests: c.TIF == msg.GTC || c.TIF == msg.GTD}
	if c.Flags&msg.FlagSlide != 0 {
		w.limit = n.slid(c.Instr, c.Side, c.Price)
	}
	no := n.admit(&w)
	if len(no) > 0 {
		f := no.first()
		n.refuse(c, f.reject, f.limit, f.actual)
		return
	}

	o := &naiveOrder{ref: c.Ref, account: a, instr: c.Instr, session: c.Session, side: c.Side, stp: c.STP, price: w.limit, leaves: w.qty,
		reduceOnly: w.reduceOnly, postOnly: c.Flags&msg.FlagPostOnly != 0, slide: c.Flags&msg.FlagSlide != 0}
	if o.stp == msg.STPDefault {
		if o.stp = in.listing.STP; o.stp == msg.STPDefault {
			o.stp = msg.STPNone
		}
	}
	o.loss, o.fee = in.terms(c.Side, w.limit, n.feesOf(in, a.owner))
	if w.isolated {
		o.rate = n.rateFor(&w, n.exposure(a, c.Instr, nil))
	}
	ext := msg.OrderExt{}
	if c.Kind == msg.KindPlace {
		ext = c.OrderExt()
	}
	need := min(ext.Min, w.qty)
	if c.TIF == msg.FOK {
		need = w.qty
	}
	no.when(n.crosses(c.Instr, c.Side, w.limit) && (o.postOnly || o.slide), msg.RejectWouldCross, 0, 0)
	no.when(need > 0 && n.tradable(o, n.room(len(n.out)+1)) < need, msg.RejectUnfillable, 0, 0)
	no.when(!n.canHold(a, c.Instr) || uint32(len(n.orders)) == n.limits.Orders || w.rests && !n.canRest(c.Instr, c.Side, w.limit),
		msg.RejectTableFull, 0, 0)
	if len(no) > 0 {
		n.refuse(c, no.first().reject, 0, 0)
		return
	}
	if c.TIF == msg.GTD {
		o.expire = ext.Expire
	}
	o.id = n.newID()
	n.about(msg.Accepted, o, o.leaves)
	a.own(c.Instr).isolated = w.isolated
	n.work(c, o, w.rests, false)
}

// tradable is how many lots an order would trade at least: what reduce-only makers might do does not count.
func (n *naive) tradable(o *naiveOrder, room int) (lots fixed.Lots) {
	leaves := o.leaves
	makers := slices.Clone(n.orders)
	makers = slices.DeleteFunc(makers, func(m *naiveOrder) bool {
		return m.instr != o.instr || m.side == o.side || !reaches(o.side, o.price, m.price)
	})
	slices.SortFunc(makers, func(p, q *naiveOrder) int {
		if p.price == q.price {
			return p.place - q.place
		}
		if reaches(o.side, p.price, q.price) {
			return 1
		}
		return -1
	})
	for _, m := range makers[:min(max(room, 0), len(makers))] {
		q := min(m.leaves, leaves)
		switch own := m.account.owner == o.account.owner && o.stp != msg.STPNone; {
		case m.expire != 0 && m.expire <= n.now, own && o.stp == msg.STPCancelOldest:
		case own && o.stp == msg.STPDecrement:
			leaves -= q
		case own:
			return lots
		case m.reduceOnly:
		default:
			lots += q
			leaves -= q
		}
	}
	return lots
}

// work lets an order trade, and rest or be canceled.
func (n *naive) work(c *msg.Command, o *naiveOrder, rests, listed bool) {
	before, a := o.account.qty[o.instr], o.account
	n.hand = o
	stop, decremented := n.match(o, n.room(len(n.out)))
	if stop != stopNothingThere {
		n.shed(a, o.instr, before)
	}
	if decremented > 0 {
		n.canceled(o, decremented, o.leaves, msg.CanceledBySTP, 0, 0)
	}
	n.movedMargin(a, o.instr, o.moved)
	n.payShort()
	n.hand, o.moved = nil, 0
	if o.leaves > 0 && rests && (stop == stopNothingThere || stop == stopDone) {
		n.rest(o)
		return
	}
	if o.leaves > 0 {
		reason := msg.CanceledRemainder
		switch stop {
		case stopSelf:
			reason = msg.CanceledBySTP
		case stopBound:
			reason = msg.CanceledEventBound
		}
		n.canceled(o, o.leaves, 0, reason, c.Ref, c.Session)
	}
	if listed {
		a.list = slices.DeleteFunc(a.list, func(p *naiveOrder) bool { return p == o })
	}
	n.free(o)
	n.tidy(a, o.instr)
}

type naiveStop int

const (
	stopNothingThere naiveStop = iota // nothing crossed from the start
	stopDone
	stopSelf
	stopBound
)

// match lets o meet the makers in order of priority.
func (n *naive) match(o *naiveOrder, room int) (stop naiveStop, decremented fixed.Lots) {
	if !n.crosses(o.instr, o.side, o.price) {
		return stopNothingThere, 0
	}
	for o.leaves > 0 && n.crosses(o.instr, o.side, o.price) {
		if room == 0 {
			return stopBound, decremented
		}
		m := n.first(o.instr, o.side.Opposite())
		if m.expire != 0 && m.expire <= n.now {
			room--
			n.touch(m.account)
			n.about(msg.Expired, m, m.leaves).SetChange(&msg.Change{Filled: m.filled})
			n.remove(m)
			continue
		}
		if m.account.owner == o.account.owner && o.stp != msg.STPNone {
			q := m.leaves
			switch o.stp {
			case msg.STPCancelNewest:
				return stopSelf, decremented
			case msg.STPDecrement:
				q = min(q, o.leaves)
				o.leaves -= q
				decremented += q
			}
			room--
			n.touch(m.account)
			m.leaves -= q
			n.canceled(m, q, m.leaves, msg.CanceledBySTP, 0, 0)
			if m.leaves == 0 {
				n.remove(m)
			}
			if o.stp == msg.STPCancelBoth {
				return stopSelf, decremented
			}
			continue
		}
		if m.reduceOnly {
			can := m.reducible()
			if can == 0 {
				room--
				n.canceled(m, m.leaves, 0, msg.CanceledReduceOnly, 0, 0)
				n.remove(m)
				continue
			}
			if over := m.leaves - can; over > 0 {
				m.leaves = can
				n.canceled(m, over, can, msg.CanceledReduceOnly, 0, 0)
			}
		}
		room--
		n.trade(o, m)
	}
	return stopDone, decremented
}

// trade lets o take from m.
func (n *naive) trade(o, m *naiveOrder) {
	in, q, price := n.instruments[o.instr], min(o.leaves, m.leaves), m.price
	value := in.worth(q, price)
	takerRate, makerRate := n.feesOf(in, o.account.owner).Taker, n.feesOf(in, m.account.owner).Maker
	takerFee := fixed.Money(ceilOf(share(value, takerRate), int64(fixed.One)))
	makerFee := fixed.Money(ceilOf(share(value, max(0, makerRate)), int64(fixed.One)))
	if makerRate < 0 && o.account.owner != m.account.owner {
		makerFee = -min(takerFee, fixed.Money(floorOf(share(value, -makerRate), int64(fixed.One))))
	}
	n.turnover(o.account.owner, m.account.owner, value)
	in.last = price
	if o.account.owner != m.account.owner {
		in.marker.Trade(n.now, price, q)
	}
	n.touch(m.account)
	n.trades++
	n.fees += takerFee + makerFee
	if makerFee < 0 {
		n.rebates -= makerFee
		m.account.rebate -= makerFee
		m.account.rebateDay = n.day()
	}
	o.leaves -= q
	m.leaves -= q
	n.fill(m, o, q, price, makerFee, true)
	n.fill(o, m, q, price, takerFee, false)
	n.movedMargin(m.account, m.instr, m.moved)
	m.moved = 0
	if m.leaves == 0 {
		n.tidy(m.account, m.instr)
	}
}

// fill books one side of a trade and tells of it; a maker with nothing left is gone before the taker is told.
func (n *naive) fill(o, peer *naiveOrder, q fixed.Lots, price fixed.Ticks, fee fixed.Money, maker bool) {
	a := o.account
	before := a.qty[o.instr]
	realized, moved := fixed.Money(0), fixed.Money(0)
	if a.own(o.instr).isolated {
		realized, moved = n.settleIsolated(o, q, price, max(fee, 0))
		o.moved += moved
	} else {
		realized = n.settle(a, o.instr, o.side, q, price)
		a.cash -= max(fee, 0)
	}
	a.realized += realized
	a.fees += max(fee, 0)
	o.filled += q
	e := n.about(msg.Traded, o, q)
	e.Price = price
	e.SetFill(&msg.Fill{Leaves: o.leaves, Filled: o.filled, Trade: n.trades, Peer: peer.id, Fee: fee, Realized: realized,
		Position: a.qty[o.instr], Maker: maker})
	if !maker {
		return
	}
	if o.leaves == 0 {
		n.remove(o)
	}
	n.shed(a, o.instr, before)
}

// settle is M-04, in cash for a spot instrument.
func (n *naive) settle(a *naiveAccount, id msg.InstrumentID, side msg.Side, q fixed.Lots, price fixed.Ticks) (realized fixed.Money) {
	in, sign := n.instruments[id], fixed.Lots(1)
	if side == msg.Sell {
		sign = -1
	}
	if !in.perpetual() {
		a.cash -= in.worth(sign*q, price)
		a.qty[id] += sign * q
		return 0
	}
	held := a.qty[id]
	if held == 0 {
		a.funded[id] = in.sum
	}
	closes := fixed.Lots(0)
	if held*sign < 0 {
		closes = min(q, max(held, -held))
		released := fixed.Money(ceilOf(product(int64(a.cost[id]), int64(closes)), int64(max(held, -held))))
		realized = in.worth(-sign*closes, price) - released
		a.cost[id] -= released
	}
	a.cost[id] += in.worth(sign*(q-closes), price)
	a.cash += realized
	a.qty[id] = held + sign*q
	return realized
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
