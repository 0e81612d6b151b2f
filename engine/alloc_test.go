package engine

import (
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// drill applies commands without a byte of its own.
type drill struct {
	*Engine
	command msg.Command
	out     []msg.Event
	at      fixed.Nanos
	odd     int
	asked   [256]int // by kind of command
	told    [256]int // by kind of event
}

func newDrill(t *testing.T) *drill {
	e, err := New(Limits{Instruments: 4, Accounts: 16, Orders: 4096, Events: 1024})
	if err != nil {
		t.Fatal(err)
	}
	d := &drill{Engine: e, out: make([]msg.Event, 0, 1024), at: fixed.Hour}
	perp := market.Spec{ID: 1, Type: msg.Perpetual, TickLot: 100, Start: 1000, Initial: 10 * fixed.Percent, Maintenance: 5 * fixed.Percent,
		Maker: -fixed.BasisPoint, Taker: 5 * fixed.BasisPoint, STP: msg.STPCancelNewest}
	tiered := market.Spec{ID: 2, Type: msg.Perpetual, TickLot: 100, Start: 1000, Tiers: []msg.Tier{
		{UpTo: fixed.Coin, Initial: 2 * fixed.Percent, Maintenance: fixed.Percent}, {Initial: 5 * fixed.Percent, Maintenance: 2 * fixed.Percent}},
		Rules: []msg.Setting{{Rule: msg.SlopeInitial, Value: 50_000}, {Rule: msg.Band, Value: int64(20 * fixed.Percent)}}}
	spot := market.Spec{ID: 3, Type: msg.Spot, TickLot: 100, Start: 1000, Taker: fixed.BasisPoint}
	day := spot.Append(tiered.Append(perp.Append(nil)))
	for id := msg.InstrumentID(1); id <= 3; id++ {
		day = append(day, msg.SetPhase(id, msg.Continuous), msg.SetMark(id, 1000))
	}
	composed := market.Spec{ID: 4, Type: msg.Perpetual, TickLot: 100, Start: 1000, Underlying: 1, Mark: msg.MarkComposite}
	day = append(day, msg.ListUnderlying(msg.Underlying{ID: 1, Sources: 1}))
	day = append(composed.Append(day), msg.SetPhase(4, msg.Continuous), source1(100_000))
	for id := msg.AccountID(1); id <= 8; id++ {
		day = append(day, msg.OpenAccount(id, msg.OwnerID(id|1), msg.AllGroups), msg.Deposit(id, 1_000_000*fixed.Coin), msg.DepositAsset(id, 3, 1_000_000))
	}
	d.must(t, append(day, msg.OpenSession(1, 1))...)
	return d
}

// do applies one command.
func (d *drill) do(c *msg.Command) []msg.Event {
	d.command = *c
	d.command.Seq, d.command.Time = d.seq+1, d.at
	d.out = d.Apply(&d.command, d.out[:0])
	d.asked[c.Kind]++
	for i := range d.out {
		d.told[d.out[i].Kind]++
	}
	return d.out
}

func (d *drill) must(t *testing.T, commands ...msg.Command) {
	t.Helper()
	for i := range commands {
		if r := refusal(d.do(&commands[i])); r != 0 {
			t.Fatalf("%s: %s", commands[i].String(), r.Name())
		}
	}
}

// source1 is what the one source of underlying 1 says.
func source1(price fixed.Money) msg.Command {
	return msg.ReportPrice(msg.Report{Underlying: 1, Price: price, Confidence: fixed.One})
}

// rest places an order and returns its id.
func (d *drill) rest(c msg.Command) msg.OrderID { return d.do(&c)[0].Order }

func (d *drill) run(c msg.Command) { d.do(&c) }

// distress lets account 10 be long with little money at a mark while something happens, and clears up behind it.
func (d *drill) distress(mark fixed.Ticks, happens func()) {
	d.run(msg.Deposit(10, 120_000))
	d.rest(msg.Limit(1, 1, msg.Sell, mark, 10))
	d.rest(msg.Limit(10, 1, msg.Buy, mark, 10))
	happens()
	d.run(msg.SetMark(1, mark))
	d.run(msg.CancelAll(10, 0, 0))
	d.run(msg.CancelAll(3, 0, 0))
	d.rest(msg.Limit(1, 1, msg.Buy, mark, 10))
	d.rest(with(msg.Limit(10, 1, msg.Sell, mark, 10), msg.FlagReduceOnly, msg.IOC))
	d.run(msg.CancelAll(1, 0, 0))
	s, _ := d.Account(10)
	d.run(msg.Withdraw(10, max(s.Withdrawable, 1)))
	if v := d.VenueAccounts(); v.Deficit < 0 {
		d.run(msg.PayFund(-v.Deficit))
	}
}

// drills are what an engine is asked to do again and again: every kind of command, every way in which an order can end, and
// refusals. Each leaves things as they were, so that it can be repeated; list is the one that is left out, for it makes
// the price index of a new book.
var drills = []struct {
	name string
	do   func(*drill)
}{
	{"reports, marks and funding", func(d *drill) {
		d.rest(msg.Limit(1, 4, msg.Sell, 1000, 5))
		d.rest(msg.Limit(3, 4, msg.Buy, 1000, 5))
		d.run(source1(90_000))
		d.run(source1(0))
		d.at += 2 * fixed.Minute
		d.run(msg.Tick())
		d.run(msg.SettleFunding(4, fixed.BasisPoint))
		d.run(source1(100_000))
		d.run(msg.SetPhase(4, msg.Continuous))
		d.at += 2 * fixed.Hour
		for range 8 {
			d.run(msg.Tick())
		}
		d.run(msg.SettleFunding(4, -fixed.BasisPoint))
		d.rest(msg.Limit(3, 4, msg.Sell, 1000, 5))
		d.rest(msg.Limit(1, 4, msg.Buy, 1000, 5))
		d.run(msg.SetRule(4, msg.MarkCombine, 1))
		d.run(msg.SetRule(0, msg.OracleOutlier, int64(5*fixed.Percent)))
		d.run(msg.ListUnderlying(msg.Underlying{ID: 1, Sources: 1}))
		d.run(msg.PayFund(1))
		d.run(msg.SetFeeTier(msg.FeeTier{}))
	}},
	{"a pool is called, sold and cured", func(d *drill) {
		d.distress(1000, func() {
			d.rest(msg.Limit(10, 1, msg.Sell, 1200, 11))
			d.run(msg.SetRule(0, msg.SweepLimit, 1))
			d.run(msg.SetMark(1, 945))
			d.run(msg.SetRule(0, msg.SweepLimit, 256))
			d.run(msg.SetMark(1, 1000))
			d.run(msg.SetMark(1, 937))
			d.rest(msg.Limit(3, 1, msg.Buy, 925, 4))
			d.run(msg.SetMark(1, 925))
			d.at += fixed.Second
			d.run(msg.Tick())
		})
	}},
	{"a pool goes to the fund", func(d *drill) {
		d.distress(1000, func() {
			d.run(msg.PayFund(fixed.Coin))
			d.run(msg.SetMark(1, 850))
			d.rest(msg.Limit(3, 1, msg.Buy, 840, 500))
			d.at += 2 * fixed.Second
			d.run(msg.Tick())
		})
	}},
	{"a pool is closed against winners", func(d *drill) {
		d.run(msg.SetRule(0, msg.FundEventCap, 0))
		d.run(msg.SetRule(0, msg.AdlBand, int64(10*fixed.Percent)))
		d.distress(1000, func() { d.run(msg.SetMark(1, 800)) })
		d.run(msg.SetMark(1, 1150)) // and against one who has gained less than it lacks
		d.distress(1150, func() { d.run(msg.SetMark(1, 850)) })
		d.run(msg.SetMark(1, 1000))
		d.run(msg.SetRule(0, msg.FundEventCap, fixed.MaxInt64))
		d.run(msg.SetRule(0, msg.AdlBand, int64(fixed.One)))
	}},
	{"limit rests, cancel", func(d *drill) { d.run(msg.Cancel(1, 1, d.rest(msg.Limit(1, 1, msg.Buy, 990, 5)))) }},
	{"limit trades", func(d *drill) {
		d.rest(msg.Limit(1, 1, msg.Sell, 1000, 5))
		d.rest(msg.Limit(3, 1, msg.Buy, 1000, 5))
		d.rest(msg.Limit(3, 1, msg.Sell, 1000, 5))
		d.rest(msg.Limit(1, 1, msg.Buy, 1000, 5))
	}},
	{"limit trades, brackets and slope", func(d *drill) {
		d.rest(msg.Limit(1, 2, msg.Sell, 1000, 50))
		d.rest(msg.Limit(3, 2, msg.Buy, 1000, 50))
		d.rest(msg.Limit(3, 2, msg.Sell, 1000, 50))
		d.rest(msg.Limit(1, 2, msg.Buy, 1000, 50))
	}},
	{"limit trades spot", func(d *drill) {
		d.rest(msg.Limit(1, 3, msg.Sell, 1000, 5))
		d.rest(msg.Limit(3, 3, msg.Buy, 1000, 5))
		d.rest(msg.Limit(3, 3, msg.Sell, 1000, 5))
		d.rest(msg.Limit(1, 3, msg.Buy, 1000, 5))
	}},
	{"sweep of many levels", func(d *drill) {
		for k := range fixed.Ticks(40) {
			d.rest(msg.Limit(1, 1, msg.Sell, 1000+k*70, 1))
			d.rest(msg.Limit(3, 1, msg.Buy, 990-k, 1))
		}
		d.run(msg.Market(5, 1, msg.Buy, 20, 0))
		d.run(with(msg.Limit(5, 1, msg.Sell, 900, 20), 0, msg.IOC))
		d.run(msg.CancelAll(1, 0, 0))
		d.run(msg.CancelAll(3, 1, msg.Buy))
		d.run(msg.Tick())
	}},
	{"market, fill or kill", func(d *drill) {
		d.rest(msg.Limit(1, 1, msg.Sell, 1000, 5))
		d.run(with(msg.Market(3, 1, msg.Buy, 6, 0), 0, msg.FOK))
		d.run(with(msg.Limit(3, 1, msg.Buy, 1000, 5), 0, msg.FOK))
		d.rest(msg.Limit(3, 1, msg.Sell, 1000, 5))
		d.run(msg.Market(1, 1, msg.Buy, 5, 1000))
	}},
	{"place, expires", func(d *drill) {
		d.rest(with(msg.Place(1, 1, msg.Buy, 980, 5, msg.OrderExt{Expire: d.at + 10}), 0, msg.GTD))
		d.rest(with(msg.Place(1, 1, msg.Buy, 981, 5, msg.OrderExt{Expire: d.at + 5}), 0, msg.GTD))
		d.at += 20
		d.run(msg.Tick())
	}},
	{"place with a minimum, post-only, slide", func(d *drill) {
		d.rest(msg.Limit(1, 1, msg.Sell, 1000, 5))
		d.run(msg.Place(3, 1, msg.Buy, 1000, 9, msg.OrderExt{Min: 6}))
		d.run(with(msg.Limit(3, 1, msg.Buy, 1000, 9), msg.FlagPostOnly, msg.GTC))
		slid := d.rest(with(msg.Limit(3, 1, msg.Buy, 1000, 9), msg.FlagSlide, msg.GTC))
		d.run(msg.Cancel(3, 1, slid))
		d.run(msg.CancelAll(1, 1, 0))
	}},
	{"self-trade prevention", func(d *drill) {
		for _, stp := range [...]msg.STP{msg.STPCancelNewest, msg.STPCancelOldest, msg.STPCancelBoth, msg.STPDecrement, msg.STPNone} {
			d.rest(msg.Limit(1, 1, msg.Sell, 1000, 5))
			c := msg.Limit(1, 1, msg.Buy, 1000, 3)
			c.STP = stp
			d.run(c)
			d.run(msg.CancelAll(1, 1, 0))
		}
	}},
	{"isolated margin", func(d *drill) {
		d.run(msg.SetLeverage(5, 1, 500))
		d.run(msg.SetConcentration(1, msg.Concentration{Share: 1, Rate: 1, Last: true}))
		d.run(msg.SetRule(1, msg.InterestHigh, int64(fixed.Coin)))
		d.rest(msg.Limit(1, 1, msg.Sell, 1000, 50))
		d.rest(isolated(msg.Limit(5, 1, msg.Buy, 1000, 50)))
		id := d.rest(isolated(msg.Limit(5, 1, msg.Sell, 1010, 60)))
		d.rest(isolated(msg.Limit(5, 1, msg.Sell, 1009, 5)))
		d.rest(isolated(msg.Limit(5, 1, msg.Buy, 980, 60)))
		d.run(msg.Amend(5, 1, id, 1009, 55))
		d.run(msg.MoveMargin(5, 1, 5_000))
		d.run(msg.MoveMargin(5, 1, -4_000))
		d.run(msg.Cross(5, 1))
		d.run(msg.IsolateDefault(5, 1))
		d.run(msg.IsolateDefault(5, 1))
		d.rest(isolated(msg.Limit(5, 1, msg.Sell, 900, 70)))
		d.rest(msg.Limit(1, 1, msg.Buy, 1000, 70))
		d.run(msg.CancelAll(5, 0, 0))
		d.rest(msg.Limit(1, 1, msg.Sell, 1000, 20))
		d.rest(isolated(msg.Limit(5, 1, msg.Buy, 1000, 20)))
		d.run(msg.SetLeverage(5, 1, 0))
		d.run(msg.SetRule(1, msg.InterestHigh, 0))
		d.run(msg.SetConcentration(1, msg.Concentration{Last: true}))
		d.run(msg.CancelAll(1, 0, 0))
	}},
	{"amend", func(d *drill) {
		id := d.rest(msg.Limit(1, 1, msg.Buy, 990, 50))
		d.run(msg.Amend(1, 1, id, 990, 40))
		d.run(msg.Amend(1, 1, id, 980, 45))
		d.run(msg.Amend(1, 1, id, 980, 60))
		d.rest(msg.Limit(3, 1, msg.Sell, 1000, 5))
		d.run(msg.Amend(1, 1, id, 1000, 5))
		d.rest(msg.Limit(1, 1, msg.Sell, 1000, 5))
		d.rest(msg.Limit(3, 1, msg.Buy, 1000, 5))
	}},
	{"reduce-only, cut, asked and shed", func(d *drill) {
		d.rest(msg.Limit(1, 1, msg.Sell, 1000, 5))
		d.rest(msg.Limit(4, 1, msg.Buy, 1000, 5))
		d.rest(with(msg.Limit(4, 1, msg.Sell, 1001, 50), msg.FlagReduceOnly, msg.GTC))
		d.rest(with(msg.Limit(4, 1, msg.Sell, 1002, 5), msg.FlagReduceOnly, msg.GTC))
		d.rest(msg.Limit(1, 1, msg.Buy, 1001, 3))
		d.rest(msg.Limit(1, 1, msg.Buy, 1002, 4))
		d.run(msg.Tick())
		d.run(msg.CancelAll(1, 0, 0))
		d.run(msg.CancelAll(4, 0, 0))
	}},
	{"mark, rebates vest", func(d *drill) {
		d.rest(msg.Limit(1, 1, msg.Sell, 1000, 500))
		d.rest(msg.Limit(3, 1, msg.Buy, 1000, 500))
		d.odd ^= 1
		d.run(msg.SetMark(1, 1000+fixed.Ticks(d.odd)))
		d.at += fixed.Day
		d.rest(msg.Limit(3, 1, msg.Sell, 1000, 500))
		d.rest(msg.Limit(1, 1, msg.Buy, 1000, 500))
	}},
	{"money", func(d *drill) {
		d.run(msg.Deposit(2, 500))
		d.run(msg.Withdraw(2, 300))
		d.run(msg.Transfer(2, 4, 200))
		d.run(msg.DepositAsset(2, 3, 9))
		d.run(msg.WithdrawAsset(2, 3, 9))
		d.run(msg.Withdraw(2, 1<<60))
	}},
	{"rules", func(d *drill) {
		d.run(msg.SetTier(1, msg.Tier{UpTo: 50, Initial: 10 * fixed.Percent, Maintenance: 5 * fixed.Percent}))
		d.run(msg.SetTier(1, msg.Tier{Initial: 10 * fixed.Percent, Maintenance: 5 * fixed.Percent}))
		d.run(msg.SetFees(1, msg.Fees{Maker: -fixed.BasisPoint, Taker: 5 * fixed.BasisPoint}))
		d.run(msg.SetRule(1, msg.MaxOrderQty, 1<<40))
		d.run(msg.SetRule(0, msg.MessageBurst, 50))
		d.run(msg.SetPhase(1, msg.Halted))
		d.run(msg.SetPhase(1, msg.Continuous))
	}},
	{"kill switch", func(d *drill) {
		for scope := msg.ScopeAccount; scope <= msg.ScopeVenue; scope++ {
			d.rest(msg.Limit(1, 1, msg.Buy, 990, 5))
			d.rest(msg.Limit(1, 2, msg.Sell, 1010, 5))
			for _, action := range [...]msg.Action{msg.ReduceEntry, msg.Block, msg.BlockAndCancel, msg.Unblock} {
				d.run(msg.SetEntry(1, 1, msg.Entry{Scope: scope, Action: action, Owner: 1}))
			}
			d.run(msg.Tick())
		}
		d.run(msg.CancelAll(1, 0, 0))
	}},
	{"accounts and sessions", func(d *drill) {
		d.run(msg.OpenAccount(2, 3, msg.AllGroups))
		d.run(msg.OpenSession(5, 3))
		d.run(msg.CloseSession(5))
	}},
	{"quotes", func(d *drill) {
		say := func(count uint8, entries ...msg.Quotation) {
			for i, q := range entries {
				q.Index, q.Count = uint8(i), count
				d.run(msg.Quote(1, 1, q))
			}
		}
		d.run(msg.Limit(2, 1, msg.Sell, 1000, 2))
		say(2, two(900, 1100, 3), two(900, 1100, 2))
		say(1, two(1000, 1200, 2)) // the bid trades
		d.run(msg.Limit(1, 1, msg.Sell, 800, 2))
		d.run(msg.Limit(2, 1, msg.Buy, 800, 2))
		say(1, two(1000, 900, 2))
		say(2, two(900, 1100, 2)) // cut off
		d.run(msg.SetProtection(1, msg.Protection{Group: 7, Qty: 1, Window: fixed.Second}))
		guarded := two(900, 1100, 2)
		guarded.Group = 7
		say(1, guarded)
		d.run(msg.Limit(2, 1, msg.Sell, 900, 1))
		say(1, guarded)
		d.run(msg.Limit(1, 1, msg.Sell, 900, 1))
		d.run(msg.Limit(2, 1, msg.Buy, 900, 1))
		d.run(msg.SetProtection(1, msg.Protection{Group: 7}))
		d.run(msg.CancelAll(1, 0, 0))
		d.run(msg.CancelAll(2, 0, 0))
	}},
	{"clients", func(d *drill) {
		d.odd++
		d.at += 10
		k := keyOf(1, msg.RoleTrader, 1)
		d.run(msg.SetKey(k))
		n := msg.Negotiation{Session: 9, Key: 1, Kind: msg.OrderEntry, Cancel: msg.CancelOnBoth, Window: 1000,
			UUID: [16]byte{byte(d.odd), byte(d.odd >> 8), byte(d.odd >> 16), 1}, Stamp: d.at}
		d.run(msg.Negotiate(n))
		n.Session, n.Kind, n.UUID[3], n.Stamp = 10, msg.DropCopy, 2, d.at+1
		d.run(msg.Negotiate(n))
		d.run(msg.Bind(msg.Binding{Session: 9, Stamp: d.at + 2}))
		number := uint32(0)
		send := func(c msg.Command) []msg.Event {
			number++
			c.Session = 9
			c.SetEnvelope(msg.Envelope{SeqNum: number, Template: 100, Ingress: d.at})
			return d.do(&c)
		}
		id := send(msg.Limit(1, 1, msg.Buy, 900, 5))[1].Order
		send(msg.Amend(0, 1, id, 901, 5))
		send(msg.Cancel(0, 1, id))
		send(msg.Cancel(0, 1, id))
		send(msg.Refuse(0, 1, 1, 0, msg.Refused{Reject: msg.RejectOffTick, Field: 2}))
		send(msg.CancelAll(1, 0, 0))
		send(msg.SetEntry(1, 0, msg.Entry{Scope: msg.ScopeAccount, Action: msg.Block}))
		d.run(msg.SetEntry(1, 0, msg.Entry{Scope: msg.ScopeAccount, Action: msg.Unblock}))
		for range 300 {
			send(msg.Limit(1, 1, msg.Buy, 900, 1))
		}
		send(msg.CancelAll(1, 0, 0))
		for range 3 {
			d.run(msg.Tick())
		}
		send(msg.SetDeadMan(1, d.at+2*fixed.Second))
		send(msg.SetDeadMan(1, 0))
		send(msg.AskOrder(1, 0, 77))
		send(msg.AskMargin(1, 1, msg.Buy, 900, 5))
		send(msg.AskMargin(1, 1, msg.Buy, 0, 5))
		send(msg.AskOrders(1))
		asked := send(msg.Limit(1, 1, msg.Buy, 900, 1))[1].Order
		send(msg.AskOrder(0, asked, 0))
		send(msg.Cancel(0, 1, asked))
		send(msg.SetDeadMan(1, d.at+2*fixed.Second))
		send(with(msg.Limit(1, 1, msg.Buy, 900, 1), msg.FlagPersist, msg.GTC))
		send(msg.Limit(1, 1, msg.Buy, 900, 1))
		d.at += 3 * fixed.Second
		d.run(msg.Tick())
		send(msg.CancelAll(1, 0, 0))
		for range 300 {
			send(msg.Limit(1, 1, msg.Buy, 900, 1))
		}
		number--
		send(msg.Tick())
		d.run(msg.Miss(msg.Missing{Session: 9, From: uint64(number) + 1, Count: 2}))
		d.run(msg.Unbind(9, msg.UnbindLost))
		d.at += msg.GraceMax * fixed.Millisecond
		d.run(msg.EndGrace(9))
		for range 3 {
			d.run(msg.Tick())
		}
		d.run(msg.Finalize(9))
		d.run(msg.SetKey(msg.KeyChange{Key: 1}))
	}},
	{"refusals", func(d *drill) {
		d.run(msg.Limit(99, 1, msg.Buy, 1000, 1))
		d.run(msg.Limit(1, 9, msg.Buy, 1000, 1))
		d.run(msg.Limit(1, 1, msg.Buy, 0, 1))
		d.run(msg.Limit(1, 1, msg.Buy, 1<<50, 1<<50))
		d.run(msg.Limit(1, 2, msg.Buy, 1500, 1))
		d.run(msg.Limit(1, 1, msg.Buy, 1000, 1<<40))
		d.run(msg.Cancel(1, 1, 12345))
		d.run(msg.Amend(1, 1, 12345, 5, 5))
		d.run(msg.SetMark(1, -1))
		d.run(msg.SetRule(1, 99, 0))
		d.run(msg.Command{Request: msg.Request{Kind: 200}})
	}},
}

// TestApplyDoesNotAllocate holds that a warm engine allocates nothing, whatever it is asked. A drill goes twice over the
// ground before it is counted, so that what it needs once is there.
func TestApplyDoesNotAllocate(t *testing.T) { // A-20, T-5
	if raceDetector {
		t.Skip("the race detector allocates")
	}
	d := newDrill(t)
	d.asked, d.told = [256]int{}, [256]int{}
	for _, c := range drills {
		money, lots := d.Imbalance()
		c.do(d)
		c.do(d)
		for range 20 {
			if n := testing.AllocsPerRun(20, func() { c.do(d) }); n != 0 {
				t.Errorf("%s: %v allocations", c.name, n)
			}
		}
		if afterMoney, afterLots := d.Imbalance(); money != afterMoney || lots != afterLots || money != 0 || lots != 0 {
			t.Errorf("%s: %s and %d lots are missing", c.name, afterMoney, afterLots)
		}
	}
	if d.OpenOrders() != 0 {
		t.Errorf("%d orders are left: the drills do not leave things as they were", d.OpenOrders())
	}
	for k := msg.KindLimit; k <= msg.KindCloseSession; k++ {
		if d.asked[k] == 0 && k != msg.KindList {
			t.Errorf("no drill asks for kind %d", k)
		}
	}
	for k := msg.KindSetKey; k <= msg.KindAskMargin; k++ {
		if d.asked[k] == 0 {
			t.Errorf("no drill asks for kind %d", k)
		}
	}
	for k := msg.Received; k <= msg.MarginForecast; k++ {
		if d.told[k] == 0 {
			t.Errorf("no drill brings about event kind %d", k)
		}
	}
	for k := msg.Accepted; k <= msg.SweepPending; k++ {
		if d.told[k] == 0 && k != msg.InstrumentListed && k != msg.UnderlyingListed && k != msg.FeeTierChanged {
			t.Errorf("no drill brings about event kind %d", k)
		}
	}
}
