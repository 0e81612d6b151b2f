package engine

import (
	"cmp"
	"math/big"
	"slices"

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
	asOf        fixed.Nanos // when what happens now was due; now, but for timers
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
	storage   msg.Storage          // of the journal
	jobs      []*naiveJob          //
	fees      fixed.Money          // @fees
	rebates   fixed.Money          // @rebates
	fund      fixed.Money          // @fund
	uncovered fixed.Money          // -@deficit
	paidIn    fixed.Money          // less paid out
	assetsIn  map[msg.InstrumentID]fixed.Lots
	pools     map[poolID]*naivePool // where they stand on the ladder
	inventory *naiveAccount         // what the fund has taken over; its cash is the fund's
	drawn     map[int64]fixed.Money // from the fund, by day

	prices  naivePrices
	timers  []naiveTimer
	brought fixed.Money              // by the fund's inventory, and not told of yet
	short   fixed.Money              // that positions could not pay when they were closed by this command
	hand    *naiveOrder              // that is being worked
	quotes  map[[2]uint32]naiveQuote // by account and instrument
	quoting *naiveQuoting
	guards  map[[2]uint32]*naiveGuard // by account and group
	trips   []naiveTrip
	kept    int // events that are kept back while a quote trades

	out     []msg.Event
	heard   []msg.Event            // what the engine has told of this command: the twin takes from it which pool is looked at next
	waiting int                    // pools that the engine has not looked at yet, by its own account
	early   int                    // so many of those events come before the command itself is looked at
	done    func(*naiveTimer) bool // whether the engine has seen to a timer
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
	group      uint16
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
	group    uint16
	canceled fixed.Lots
	accounts []msg.AccountID // still to come, the first one under way
	pending  []*naiveOrder   // of the one under way
}

func newNaive(l Limits) *naive {
	return &naive{limits: l, instruments: map[msg.InstrumentID]*naiveInstrument{}, accounts: map[msg.AccountID]*naiveAccount{},
		owners: map[msg.OwnerID]*naiveOwner{}, sessions: map[msg.SessionID]*naiveSession{0: {}}, burst: 1, haircut: fixed.One,
		leave: 10 * fixed.Percent, issued: map[msg.OrderID]bool{}, rows: map[uint32]uint32{}, fresh: 1,
		assetsIn: map[msg.InstrumentID]fixed.Lots{}, pools: map[poolID]*naivePool{},
		inventory: newNaiveAccount(msg.FundAccount, 0, 0), drawn: map[int64]fixed.Money{}, quotes: map[[2]uint32]naiveQuote{}, guards: map[[2]uint32]*naiveGuard{}, prices: newNaivePrices()}
}

func newNaiveAccount(id msg.AccountID, owner msg.OwnerID, groups uint32) *naiveAccount {
	return &naiveAccount{id: id, owner: owner, groups: groups, qty: map[msg.InstrumentID]fixed.Lots{}, cost: map[msg.InstrumentID]fixed.Money{},
		funded: map[msg.InstrumentID]int64{}}
}

// holders are the accounts and the fund.
func (n *naive) holders() (list []*naiveAccount) {
	for _, a := range n.accounts {
		list = append(list, a)
	}
	return append(list, n.inventory)
}

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

// touch lets funding be paid (M-42) and rebates vest.
func (n *naive) touch(a *naiveAccount) {
	n.pay(a)
	n.vest(a)
}

// look is touch for the ladder: where no position owes a unit none is settled (M-42).
func (n *naive) look(a *naiveAccount) {
	if slices.ContainsFunc(n.ids(), func(id msg.InstrumentID) bool { m, _ := n.owed(a, id); return m != 0 }) {
		n.pay(a)
	}
	n.vest(a)
}

// vest lets the rebates of past days vest (M-45).
func (n *naive) vest(a *naiveAccount) {
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
	if n.now = c.Time; n.interrupts(c) {
		n.endQuote()
	}
	n.now, n.asOf, n.waiting = c.Time, c.Time, 0
	if n.day() != before || c.Seq == 1 {
		n.cut()
	}
	n.distressUpTo(n.early)
	n.workDue()
	n.trip()
	n.runJobs()
	n.distress()
	n.trip()
	switch c.Kind {
	case msg.KindLimit, msg.KindMarket, msg.KindPlace:
		n.placeOrder(c)
	case msg.KindQuote:
		n.quote(c)
	case msg.KindSetProtection:
		n.setProtection(c)
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
	n.distress()
	n.trip()
	n.runJobs()
	n.distress()
	n.trip()
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
	for range min(256, (int(n.limits.Events)-16)/4) {
		var due *naiveOrder
		for _, o := range n.orders {
			if o.expire != 0 && o.expire <= n.now && (due == nil || o.expire < due.expire || o.expire == due.expire && o.id < due.id) {
				due = o
			}
		}
		slices.SortFunc(n.timers, func(a, b naiveTimer) int {
			return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.kind, b.kind), cmp.Compare(a.id, b.id))
		})
		switch expires, fires := n.overdue(due); {
		case expires:
			n.touch(due.account)
			n.about(msg.Expired, due, due.leaves).SetChange(&msg.Change{Filled: due.filled})
			n.remove(due)
		case fires:
			first := n.timers[0]
			n.timers = n.timers[1:]
			n.asOf = first.at
			first.do()
			n.distressUpTo(n.early)
			n.asOf = n.now
		default:
			return
		}
	}
}

// Mass cancels.
