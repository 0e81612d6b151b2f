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
