package engine

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// GoldenDays are the days whose commands golden journals hold (golden_test.go): between them all kinds, all events, and all rejects that
// an engine gives.
var GoldenDays = []struct {
	Name string
	day  day
	last []msg.Command // at its end
}{
	{"plain", days[0], nil},
	{"poor", days[1], []msg.Command{msg.Deposit(1, 1<<62), msg.Deposit(1, 1<<62), msg.Deposit(2, 1<<62)}},
	{"tables", days[2], nil},
	{"ruled", days[3], nil},
	{"priced", days[4], nil},
	{"crowded", days[8], nil},
	{"recorded", recorded, nil},
	{"crashes", darkDays[3], nil},
	{"unbought", darkDays[4], nil},
	{"broke", darkDays[5], nil},
	{"corners", day{limits: days[0].limits}, corners()},
	{"clients", day{limits: Limits{Instruments: 2, Accounts: 9, Orders: 200, Events: 256, Sessions: 8}}, goldenClients()},
}

// goldenClients are keys and sessions, from a logon to the end: orders in their numbers and out of them, refusals before the core, a mass
// cancel that goes on, connections that are lost and taken over, and orders that go with them.
func goldenClients() (list []msg.Command) {
	for id := msg.InstrumentID(1); id <= 2; id++ {
		s := perpetual(id)
		list = append(append(list, s.Append(nil)...), msg.SetPhase(id, msg.Continuous), msg.SetMark(id, 100))
	}
	for id := msg.AccountID(1); id <= 4; id++ {
		list = append(list, msg.OpenAccount(id, msg.OwnerID(id|1), msg.AllGroups), msg.Deposit(id, 10_000_000*fixed.Coin))
	}
	stamp, ref := fixed.Nanos(0), msg.Ref(0)
	begin := func(id msg.SessionID, key msg.KeyID, kind msg.SessionKind, cancel msg.CancelMode, window uint32) {
		n := msg.Negotiation{Session: id, Key: key, Kind: kind, Version: 1, UUID: [16]byte{byte(id)}, Cancel: cancel, Window: window, Stamp: stamp + 1}
		stamp += 2
		list = append(list, msg.Negotiate(n), msg.Bind(msg.Binding{Session: id, Stamp: stamp}))
	}
	send := func(id msg.SessionID, number uint32, c msg.Command) {
		ref++
		c.Session, c.Ref = id, ref
		c.SetEnvelope(msg.Envelope{SeqNum: number, Template: 100, Ingress: fixed.Nanos(ref), Sending: fixed.Nanos(ref) - 1})
		list = append(list, c)
	}
	list = append(list, msg.SetKey(keyOf(1, msg.RoleTrader, 1)), msg.SetKey(keyOf(2, msg.RoleTrader, 3)), msg.SetKey(keyOf(3, msg.RoleRiskManager, 0)),
		msg.SetKey(keyOf(4, msg.RoleDropCopy, 1)))
	begin(1, 1, msg.OrderEntry, msg.CancelOnBoth, 5000)
	begin(2, 2, msg.OrderEntry, msg.CancelOnLoss, 0)
	begin(3, 3, msg.RiskControl, msg.CancelNever, 0)
	begin(4, 4, msg.DropCopy, msg.CancelNever, 0)
	send(1, 1, msg.Limit(1, 1, msg.Sell, 100, 5))
	send(2, 1, msg.Limit(3, 1, msg.Buy, 100, 3))
	send(2, 3, msg.Limit(3, 1, msg.Buy, 100, 3)) // SequenceMismatch
	list = append(list, msg.Miss(msg.Missing{Session: 2, From: 2, Count: 3}))
	send(2, 5, msg.Refuse(0, 3, 1, 0, msg.Refused{Reject: msg.RejectOffLot, Field: 3, Limit: 10, Actual: 15}))
	send(2, 6, msg.Amend(0, 1, 1, 99, 4))
	send(2, 7, msg.Cancel(0, 1, 2))
	for i := range uint32(70) {
		send(2, 8+i, msg.Limit(3, 1, msg.Buy, 90, 1))
	}
	send(2, 78, msg.CancelAll(3, 0, 0))
	send(3, 1, msg.SetEntry(3, 0, msg.Entry{Scope: msg.ScopeAccount, Action: msg.ReduceEntry}))
	send(3, 2, msg.Limit(3, 1, msg.Buy, 90, 1))
	send(1, 2, msg.SetDeadMan(1, 2*fixed.Second))
	send(1, 3, with(msg.Limit(1, 1, msg.Sell, 101, 1), msg.FlagPersist, msg.GTC))
	send(1, 4, msg.AskOrder(1, 0, ref))
	entry := func(index, count uint8, bid, ask fixed.Ticks) {
		ref--
		send(1, 5, msg.Quote(1, msg.InstrumentID(1+index), msg.Quotation{Bid: bid, BidQty: 2, Ask: ask, AskQty: 3, Index: index, Count: count, Entry: 9}))
	}
	ref++
	entry(0, 2, 90, 110)
	entry(1, 2, 120, 110)
	send(1, 6, msg.SetProtection(1, msg.Protection{Group: 7, Qty: 1, Window: fixed.Second}))
	guarded := func(number uint32) {
		send(1, number, msg.Quote(1, 2, msg.Quotation{Bid: 90, BidQty: 2, Ask: 110, AskQty: 3, Count: 1, Group: 7}))
	}
	guarded(7)
	send(2, 79, msg.Limit(3, 2, msg.Sell, 90, 1))
	list = append(list, msg.Limit(2, 2, msg.Sell, 90, 1)) // the quote trips
	guarded(8)
	send(1, 9, msg.AskOrders(1))
	send(1, 10, msg.AskMargin(1, 1, msg.Buy, 95, 7))
	late := msg.Tick()
	late.Time = 5 * fixed.Second
	over, lapsed := msg.EndGrace(1), msg.Tick()
	over.Time, lapsed.Time = 10*fixed.Second, 2*fixed.Minute
	list = append(list, late, msg.Bind(msg.Binding{Session: 2, Stamp: 1}), // StaleSendingTime
		msg.Bind(msg.Binding{Session: 2, Stamp: 50, TakeOver: true}), msg.Unbind(2, msg.UnbindLost), msg.Unbind(1, msg.UnbindLost), over,
		msg.Finalize(2), msg.SetKey(msg.KeyChange{Key: 4}),
		msg.Negotiate(msg.Negotiation{Session: 2, Key: 2, Kind: msg.OrderEntry, Version: 1, UUID: [16]byte{5}, Stamp: 60}), lapsed) // nobody binds it
	return list
}

// corners are what random days seldom come to: an instrument without a mark, a limit on open orders, margin that may not be taken out, a
// deficit that stops withdrawals, a node's command in a session.
func corners() (list []msg.Command) {
	for id := msg.InstrumentID(1); id <= 2; id++ {
		spec := market.Spec{ID: id, Type: msg.Perpetual, TickLot: fixed.Coin, Initial: 10 * fixed.Percent, Maintenance: 5 * fixed.Percent}
		list = append(append(list, spec.Append(nil)...), msg.SetPhase(id, msg.Continuous))
	}
	return append(list, msg.SetMark(1, 100),
		msg.Deposit(1, 50_000*fixed.Coin), msg.Deposit(2, 50_000*fixed.Coin), msg.Deposit(3, 6_000*fixed.Coin), msg.Deposit(5, 1_450*fixed.Coin),
		msg.Limit(1, 2, msg.Buy, 100, 1),                                                                       // NoMark
		msg.SetRule(1, msg.MaxOpenOrders, 1), msg.Limit(1, 1, msg.Buy, 50, 1), msg.Limit(1, 1, msg.Buy, 51, 1), // OpenOrderLimit
		msg.CancelAll(1, 0, 0), msg.SetRule(1, msg.MaxOpenOrders, 0),
		msg.Limit(1, 1, msg.Sell, 100, 1), isolated(msg.Limit(3, 1, msg.Buy, 100, 1)), msg.MoveMargin(3, 1, 1_000*fixed.Coin),
		msg.SetRule(1, msg.IsolatedNoRemove, 1), msg.MoveMargin(3, 1, -1), // MarginLocked
		msg.Limit(1, 1, msg.Sell, 100, 100), msg.Limit(5, 1, msg.Buy, 100, 100),
		msg.SetRule(0, msg.AdlBand, int64(fixed.Percent)), msg.Limit(1, 1, msg.Buy, 84, 100), msg.Limit(2, 1, msg.Sell, 84, 100),
		msg.SetMark(1, 84), msg.Withdraw(2, 1), // WithdrawalsPaused: who closes account 5 has gained nothing
		inSession(msg.SetCheckpoint(msg.Checkpoint{Upto: 1})), inSession(msg.SetStorage(msg.StorageHard)), inSession(msg.Maintain()),
		msg.SetStorage(msg.StorageSoft), msg.Limit(2, 1, msg.Buy, 50, 1), msg.SetStorage(msg.StorageNormal), msg.Maintain())
}

// inSession is a command as a member's session sends it.
func inSession(c msg.Command) msg.Command {
	c.Session = 1
	return c
}

// Golden draws the commands of a golden journal. keep is told what each would bring about and says whether it is sequenced.
func Golden(number, count int, keep func(*msg.Command, []msg.Event) bool) (Limits, []msg.Command, error) {
	g := &GoldenDays[number]
	seed := xorshift(0x6A09E667F3BCC909 + uint64(number))
	tr := newTrader(g.day, &seed)
	e, err := New(g.day.limits)
	if err != nil {
		return g.day.limits, nil, err
	}
	queue := []msg.Command(nil)
	if g.day.accounts > 0 {
		queue = tr.opening()
	} else {
		count = 0
	}
	var commands []msg.Command
	var out []msg.Event
	for n := range count + len(g.last) {
		switch {
		case n == count:
			queue = g.last
		case len(queue) == 0:
			queue = append(queue, tr.next())
		}
		c := queue[0]
		queue = queue[1:]
		c.Seq, c.Time = e.Seq()+1, max(c.Time, e.Now())
		if c.Lines() == 1 {
			c.Rare = msg.Rare{}
		}
		if out = e.Fork().Apply(&c, out[:0]); n >= count || keep(&c, out) {
			out = e.Apply(&c, out[:0])
			commands = append(commands, c)
			tr.see(&c, out)
		}
	}
	return e.Limits(), commands, nil
}
