package bench

import (
	"fmt"

	"github.com/lockstep-exchange/lockstep/bench/ops"
	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// WholeEngine drives the whole engine inline from a stream: gate, book, margin,
// fees, and every event written. Each operation becomes one command in one slot
// that is used again and again; results are read from the events alone.
//
//	op -> command { owner of the op, engine id of the order } -> Engine.Apply -> events
//	   Accepted   ids[op.ID] = engine id, back[row of it] = op.ID
//	   Traded     of the maker: one trade, its id by back[row]
//	   Rejected   counted: of an order that does not rest, or anything else
//
// Every account holds collateral enough that none is refused.
type WholeEngine struct {
	ops.Result
	Rejects uint64 // cancels and replaces of what did not rest
	Refused uint64 // anything else that the engine refused

	engine *engine.Engine
	next   msg.Command
	ahead  [group]msg.Request // what foresee tells of
	events []msg.Event        // room for those of one command
	ids    []msg.OrderID      // by id of the stream
	back   []uint32           // by row of the engine, the id of the stream
	acts   []act              // by operation
	at     int                // the operation that comes next
	mask   uint32
	books  uint64
}

// The rates of the instruments: what a maker and a taker pay.
const (
	makerFee = fixed.BasisPoint
	takerFee = 5 * fixed.BasisPoint
)

// collateral is what all accounts hold together.
const collateral fixed.Money = 1 << 60

// EngineLimits returns the limits of an engine that has room for all of p with so
// many accounts.
func EngineLimits(p *Plan, accounts uint32) engine.Limits {
	positions := min(uint64(accounts)*uint64(p.Instruments), p.Stream.MaxID)
	return engine.Limits{
		Instruments:      uint32(p.Instruments),
		Accounts:         accounts,
		Positions:        uint32(max(positions, 1)),
		Orders:           uint32(p.Resting) + 1,
		Events:           uint32(min(max(6*p.Meets+64, 1<<9), 1<<16)),
		AccountPositions: uint32(min(max(p.Instruments, 256), 1<<16-1)),
	}
}

// NewWholeEngine returns an engine with the instruments of p listed, marked and
// open, and with a power of two of accounts.
func NewWholeEngine(p *Plan, accounts uint32) (*WholeEngine, error) {
	if accounts == 0 || accounts&(accounts-1) != 0 {
		return nil, unusable("accounts are %d, expected a power of two", accounts)
	}
	limits := EngineLimits(p, accounts)
	e, err := engine.New(limits)
	if err != nil {
		return nil, err
	}
	w := &WholeEngine{
		Result: ops.NoTrades(),
		engine: e,
		events: make([]msg.Event, limits.Events),
		ids:    make([]msg.OrderID, p.Stream.MaxID+1),
		back:   make([]uint32, limits.Orders+1),
		acts:   p.acts,
		mask:   accounts - 1,
		books:  uint64(p.Instruments),
	}
	for i := range w.ids { // touch the pages before a clock starts
		w.ids[i] = 0
	}
	for i := range w.events {
		w.events[i].Seq = 0
	}
	w.events = w.events[:0]
	for i := range w.back {
		w.back[i] = 0
	}
	return w, w.open(p, accounts)
}

// SetChecks turns the engine's self-checks on or off.
func (w *WholeEngine) SetChecks(on bool) { w.engine.SetChecks(on) }

// open makes the venue ready.
func (w *WholeEngine) open(p *Plan, accounts uint32) error {
	for _, c := range opening(p, accounts) {
		if err := w.administer(c); err != nil {
			return err
		}
	}
	return nil
}

// opening is the commands that make the venue ready: instruments listed and marked, accounts paid in.
func opening(p *Plan, accounts uint32) (list []msg.Command) {
	start := fixed.Ticks(p.Start())
	for i := range p.Instruments {
		id := msg.InstrumentID(i + 1)
		spec := market.Spec{ID: id, Type: msg.Perpetual, TickLot: 100, Start: start,
			Initial: 10 * fixed.Percent, Maintenance: 5 * fixed.Percent, Maker: makerFee, Taker: takerFee}
		list = append(append(list, spec.Append(nil)...), msg.SetPhase(id, msg.Continuous), msg.SetMark(id, start))
	}
	for i := range accounts {
		list = append(list, msg.Deposit(msg.AccountID(i+1), collateral/fixed.Money(accounts)))
	}
	return list
}

// administer applies a command that nobody may refuse.
func (w *WholeEngine) administer(c msg.Command) error {
	w.next = c
	for _, ev := range w.apply() {
		if ev.Kind == msg.Rejected {
			return fmt.Errorf("the engine refused to be set up: %s", ev.String())
		}
	}
	w.next = msg.Command{}
	return nil
}

// apply stamps the next command and applies it. A microsecond passes each time.
func (w *WholeEngine) apply() []msg.Event {
	seq := w.engine.Seq() + 1
	w.next.Seq, w.next.Time, w.next.Ref = seq, fixed.Nanos(seq)*fixed.Microsecond, msg.Ref(seq)
	return w.engine.Apply(&w.next, w.events)
}

// group is how many operations at hand the engine is told of ahead, as many as engine.Loop takes from its lanes at a time.
const group = 8

// Run applies every operation of list, telling the engine of a group ahead as engine.Loop does.
func (w *WholeEngine) Run(list []ops.Op) {
	if !w.engine.Foresees() {
		for i := range list {
			w.Apply(&list[i])
		}
		return
	}
	for i := range list {
		if i%group == 0 {
			w.foresee(list[i:min(i+group, len(list))])
		}
		w.Apply(&list[i])
	}
}

// foresee tells the engine what the next operations name: account, instrument, side and price, and the order where it is known already.
func (w *WholeEngine) foresee(list []ops.Op) {
	for i := range list {
		op, r := &list[i], &w.ahead[i]
		r.Account = msg.AccountID(op.Owner(w.mask)) + 1
		r.Instr = msg.InstrumentID(op.Instrument(w.books)) + 1
		r.Order, r.Side, r.Price = w.ids[op.ID], msg.Side(op.Side)+msg.Buy, fixed.Ticks(op.Price)
		w.engine.Foresee(r)
	}
	for i := range list {
		w.engine.Approach(&w.ahead[i])
	}
}

// Apply executes one operation. Operations must come in the order of the stream.
func (w *WholeEngine) Apply(op *ops.Op) {
	how := w.acts[w.at]
	w.at++
	w.address(op)
	if how != asRecorded {
		w.twice(op, how)
		return
	}
	w.word(op)
	w.read(op, w.apply())
}

// address makes the next command one of op's owner, in op's instrument.
func (w *WholeEngine) address(op *ops.Op) {
	w.next.Account = msg.AccountID(op.Owner(w.mask)) + 1
	w.next.Instr = msg.InstrumentID(op.Instrument(w.books)) + 1
}

// order is what a command says besides owner, instrument, side, price and quantity, by the kind of its operation. It is looked
// up and not branched on: which kind comes next is as good as chance, and the guess would be counted as the engine's. For
// the same reason side, price and quantity are said of a cancel too, which asks for none of them.
type order struct {
	kind  msg.Kind
	tif   msg.TIF
	flags msg.Flags
}

var orders = [4]order{
	ops.New:     {kind: msg.KindLimit},
	ops.IOC:     {kind: msg.KindLimit, tif: msg.IOC},
	ops.Cancel:  {kind: msg.KindCancel},
	ops.Replace: {kind: msg.KindAmend, flags: msg.FlagLeaves},
}

// word makes the next command what op asks for, as it was recorded.
func (w *WholeEngine) word(op *ops.Op) { w.say(op, orders[op.Kind&3]) }

// say makes the next command an order of op's, of an id that has none yet or of the one that has it.
func (w *WholeEngine) say(op *ops.Op, o order) {
	c := &w.next
	c.Kind, c.TIF, c.Flags, c.Order = o.kind, o.tif, o.flags, w.ids[op.ID]
	c.Price, c.Qty, c.Side = fixed.Ticks(op.Price), fixed.Lots(op.Qty), msg.Side(op.Side)+msg.Buy
}

// twice drives a replace as a cancel, and then as a new order under the same id of
// the stream.
//
//go:noinline
func (w *WholeEngine) twice(op *ops.Op, how act) {
	w.say(op, orders[ops.Cancel])
	rejects := w.Rejects
	w.read(op, w.apply())
	if how == cancelOnly || w.Rejects != rejects {
		return
	}
	w.say(op, orders[ops.New])
	w.next.Order = 0
	w.read(op, w.apply())
}

// read takes the result out of the events of one command. The first is about its own order; trades follow.
func (w *WholeEngine) read(op *ops.Op, events []msg.Event) {
	own := &events[0]
	if own.Kind == msg.Rejected {
		w.refused(own.Reject)
		return
	}
	w.ids[op.ID] = own.Order
	w.back[own.Order.Handle()] = uint32(op.ID)
	for i := 1; i < len(events); i++ {
		if ev := &events[i]; ev.Kind == msg.Traded && ev.Fill().Maker {
			w.Trade(op.ID, uint64(w.back[ev.Order.Handle()]), int64(ev.Price), uint64(ev.Qty))
		}
	}
}

// refused counts an operation that the engine refused.
func (w *WholeEngine) refused(why msg.Reject) {
	if why == msg.RejectUnknownOrder || why == msg.RejectTooLate {
		w.Rejects++
	} else {
		w.Refused++
	}
}

// Counts returns the result, the rejects and the refusals.
func (w *WholeEngine) Counts() (r ops.Result, rejects, refused uint64) {
	return w.Result, w.Rejects, w.Refused
}

// Audit returns an error when money or lots were made or lost. It walks every
// table.
func (w *WholeEngine) Audit() error {
	if money, lots := w.engine.Imbalance(); money != 0 || lots != 0 {
		return fmt.Errorf("money is off by %v and positions by %d lots, expected 0 and 0", money, lots)
	}
	return nil
}
