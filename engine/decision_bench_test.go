package engine

// What the decision records cite (docs/decisions). Variants take turns in short rounds inside one run, forth and back, and a
// figure is the median over rounds, so that what else the machine does hits all of them alike; ratios are of medians, to the
// first variant.
//
//	go test -run '^$' -bench Decision -benchtime 300x ./engine

import (
	"cmp"
	"math/bits"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/lockstep-exchange/lockstep/clearing"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/ring"
)

// option is one way to do the same: run does a round of it, which counts as operations; ready, where there is one, prepares it
// and is not timed.
type option struct {
	name       string
	operations int
	run        func()
	ready      func()
}

// inTurns runs the options round after round and reports medians in ns an operation.
func inTurns(b *testing.B, options ...option) {
	b.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	runtime.GC()
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	times := make([][]float64, len(options))
	forth := true
	for b.Loop() {
		for i := range options {
			if !forth {
				i = len(options) - 1 - i
			}
			o := &options[i]
			if o.ready != nil {
				o.ready()
			}
			start := time.Now()
			o.run()
			times[i] = append(times[i], float64(time.Since(start).Nanoseconds())/float64(o.operations))
		}
		forth = !forth
	}
	b.ReportMetric(0, "ns/op") // the sum over all options says nothing
	base := 0.0
	for i, o := range options {
		slices.SortFunc(times[i], cmp.Compare[float64])
		median := times[i][len(times[i])/2]
		if i == 0 {
			base = median
		}
		b.ReportMetric(median, o.name+"-ns")
		b.ReportMetric(median/base, o.name+"-ratio")
	}
}

// dice is a generator of the benchmarks; the seed is not 0.
type dice uint64

const diceSeed = 0x9E3779B97F4A7C15

func (d *dice) below(n uint64) uint64 {
	v := uint64(*d)
	v ^= v << 13
	v ^= v >> 7
	v ^= v << 17
	*d = dice(v)
	hi, _ := bits.Mul64(v, n)
	return hi
}

// wide is a request with a third line, as an envelope would need it that travels in the command.
type wide struct {
	msg.Request
	_ msg.Rare // the envelope
}

// BenchmarkDecisionCommandSize hands plain orders, which use one line, through lanes whose slots are two or three lines
// (docs/decisions/0001): on one thread in batches of 32, and from one thread to another.
func BenchmarkDecisionCommandSize(b *testing.B) {
	c := msg.Limit(1, 1, msg.Buy, 50_000, 1)
	var kept msg.Request
	for _, size := range []int{64, 256, 4096} {
		two, err := ring.NewLane[msg.Request](size)
		if err != nil {
			b.Fatal(err)
		}
		three, err := ring.NewLane[wide](size)
		if err != nil {
			b.Fatal(err)
		}
		const batches, batch = 256, 32
		inTwo := func() {
			for range batches {
				for range batch {
					two.Claim().CopyFrom(&c.Request)
				}
				two.Publish()
				for range batch {
					kept.CopyFrom(two.Next())
				}
				two.Release()
			}
		}
		inThree := func() {
			for range batches {
				for range batch {
					three.Claim().CopyFrom(&c.Request)
				}
				three.Publish()
				for range batch {
					kept.CopyFrom(&three.Next().Request)
				}
				three.Release()
			}
		}
		b.Run("inline/slots="+strconv.Itoa(size), func(b *testing.B) {
			inTurns(b, option{name: "128B", operations: batches * batch, run: inTwo}, option{name: "192B", operations: batches * batch, run: inThree})
		})
		b.Run("threads/slots="+strconv.Itoa(size), func(b *testing.B) {
			if runtime.GOMAXPROCS(0) < 2 || size == 64 {
				b.Skip("needs two cores, and a lane that holds more than the consumer is behind")
			}
			far := make(chan func())
			defer close(far)
			go func() {
				runtime.LockOSThread()
				for f := range far {
					f()
					far <- nil
				}
			}()
			const records = 4096
			acrossTwo := func() {
				far <- func() {
					for range records {
						r := two.Next()
						for ; r == nil; r = two.Next() {
							ring.Pause()
						}
						kept.CopyFrom(r)
						two.Release()
					}
				}
				for range records {
					r := two.Claim()
					for ; r == nil; r = two.Claim() {
						ring.Pause()
					}
					r.CopyFrom(&c.Request)
					two.Publish()
				}
				<-far
			}
			acrossThree := func() {
				far <- func() {
					for range records {
						r := three.Next()
						for ; r == nil; r = three.Next() {
							ring.Pause()
						}
						kept.CopyFrom(&r.Request)
						three.Release()
					}
				}
				for range records {
					r := three.Claim()
					for ; r == nil; r = three.Claim() {
						ring.Pause()
					}
					r.CopyFrom(&c.Request)
					three.Publish()
				}
				<-far
			}
			inTurns(b, option{name: "128B", operations: records, run: acrossTwo}, option{name: "192B", operations: records, run: acrossThree})
		})
	}
}

// columns are accounts and positions as struct of arrays: a field an array, the row the same in all of them.
type columns struct {
	cash, profit, initial               []fixed.Money
	epoch                               []uint64
	owner, groups                       []uint32
	entry, ownerEntry                   []uint8
	account                             []uint32
	qty, buys, sells                    []fixed.Lots
	buyReserve, sellReserve, required   []fixed.Money
	maintenance, cost, positionMaintain []fixed.Money
}

func newColumns(n uint64) *columns {
	money := func() []fixed.Money { return make([]fixed.Money, n) }
	lots := func() []fixed.Lots { return make([]fixed.Lots, n) }
	c := &columns{cash: money(), profit: money(), initial: money(), epoch: make([]uint64, n), owner: make([]uint32, n),
		groups: make([]uint32, n), entry: make([]uint8, n), ownerEntry: make([]uint8, n), account: make([]uint32, n), qty: lots(),
		buys: lots(), sells: lots(), buyReserve: money(), sellReserve: money(), required: money(), maintenance: money(), cost: money(),
		positionMaintain: money()}
	for i := range n {
		c.cash[i], c.groups[i], c.owner[i], c.account[i], c.qty[i] = 1, 1, uint32(i), uint32(i), 1
		c.profit[i], c.initial[i], c.epoch[i], c.buys[i], c.sells[i], c.buyReserve[i] = 1, 1, 1, 1, 1, 1
		c.sellReserve[i], c.required[i], c.maintenance[i], c.cost[i], c.positionMaintain[i] = 1, 1, 1, 1, 1
		c.entry[i], c.ownerEntry[i] = 0, 0
	}
	return c
}

// joined is a position with its ledger beside it, and an account with its statement: two lines each.
type joined struct {
	clearing.Position
	clearing.Ledger
	_ [32]byte
}

type joinedAccount struct {
	clearing.Account
	clearing.Statement
}

// BenchmarkDecisionAccounts does to an account and its position what the gate, a fill and a mark do, with the record of one
// line that clearing has, the same record with its rarer half beside it, and a struct of arrays (docs/decisions/0003). All
// find their rows without a look elsewhere; "listed" finds its position by a row number in the account's line.
func BenchmarkDecisionAccounts(b *testing.B) {
	for _, n := range []uint64{1 << 10, 1 << 20} {
		b.Logf("seed %#x", uint64(diceSeed))
		accounts, statements := make([]clearing.Account, n), make([]clearing.Statement, n)
		positions, ledgers := make([]clearing.Position, n), make([]clearing.Ledger, n)
		whole, wholeAccounts := make([]joined, n), make([]joinedAccount, n)
		c := newColumns(n)
		for i := range accounts {
			accounts[i].Cash, accounts[i].Positions, accounts[i].Owner, accounts[i].May = 1, uint32(i*7919)&uint32(n-1), 1, 1
			statements[i].Fees, positions[i].Qty, ledgers[i].Cost = 1, 1, 1
			wholeAccounts[i].Account, whole[i].Position.Qty = accounts[i], 1
		}
		const draws = 512
		seed := dice(diceSeed)
		pick := make([]uint32, draws)
		draw := func() {
			for i := range pick {
				pick[i] = uint32(seed.below(n))
			}
		}
		// The place of a position in the table comes from the account's id, as a hash would give it.
		at := func(id uint32) uint32 { return (id * 0x9E3779B1) & uint32(n-1) }
		gate := func(a *clearing.Account, p *clearing.Position) {
			if a.Owner != 0 && a.May&1 != 0 && a.Epoch != 1<<63 {
				more := fixed.Money(max(p.Qty+p.Buys, p.Sells-p.Qty)) + p.BuyReserve + p.SellReserve
				if a.Cash+a.Profit-a.Initial > more-p.Room-1<<60 {
					p.Buys++
					p.BuyReserve++
					a.Initial++
					p.Room++
				}
			}
		}
		fill := func(a *clearing.Account, s *clearing.Statement, p *clearing.Position, l *clearing.Ledger) {
			p.Qty++
			l.Cost += 2
			p.Buys--
			p.BuyReserve--
			a.Cash--
			a.Profit++
			a.Initial++
			l.Initial++
			a.Maintenance++
			l.Maintenance++
			s.Realized++
			s.Fees++
		}
		name := "accounts=" + strconv.FormatUint(n, 10)
		b.Run("gate/"+name, func(b *testing.B) {
			inTurns(b, option{name: "lines", operations: draws, ready: draw, run: func() {
				for _, id := range pick {
					gate(&accounts[id], &positions[at(id)])
				}
			}}, option{name: "joined", operations: draws, ready: draw, run: func() {
				for _, id := range pick {
					gate(&wholeAccounts[id].Account, &whole[at(id)].Position)
				}
			}}, option{name: "listed", operations: draws, ready: draw, run: func() {
				for _, id := range pick {
					a := &accounts[id]
					gate(a, &positions[a.Positions])
				}
			}}, option{name: "columns", operations: draws, ready: draw, run: func() {
				for _, i := range pick {
					r := at(i)
					if c.entry[i]|c.ownerEntry[i] == 0 && c.owner[i] != 1<<31 && c.groups[i]&1 != 0 && c.epoch[i] != 1<<63 && c.account[r] != 1<<31 {
						more := fixed.Money(max(c.qty[r]+c.buys[r], c.sells[r]-c.qty[r])) + c.buyReserve[r] + c.sellReserve[r]
						if c.cash[i]+c.profit[i]-c.initial[i] > more-c.required[r]-1<<60 {
							c.buys[r]++
							c.buyReserve[r]++
							c.initial[i]++
							c.required[r]++
						}
					}
				}
			}})
		})
		b.Run("fill/"+name, func(b *testing.B) {
			inTurns(b, option{name: "lines", operations: draws, ready: draw, run: func() {
				for _, id := range pick {
					fill(&accounts[id], &statements[id], &positions[at(id)], &ledgers[at(id)])
				}
			}}, option{name: "joined", operations: draws, ready: draw, run: func() {
				for _, id := range pick {
					a, p := &wholeAccounts[id], &whole[at(id)]
					fill(&a.Account, &a.Statement, &p.Position, &p.Ledger)
				}
			}}, option{name: "columns", operations: draws, ready: draw, run: func() {
				for _, i := range pick {
					r := at(i)
					c.qty[r]++
					c.cost[r] += 2
					c.buys[r]--
					c.buyReserve[r]--
					c.cash[i]--
					c.profit[i]++
					c.initial[i]++
					c.required[r]++
					c.maintenance[i]++
					c.positionMaintain[r]++
					statements[i].Realized++
					statements[i].Fees++
				}
			}})
		})
		b.Run("mark/"+name, func(b *testing.B) { // all positions of an instrument, 4,096 a round
			const swept = 4096
			from := uint64(0)
			next := func() uint64 {
				from = (from + swept) % max(n, swept)
				return from % n
			}
			rounds := swept / min(swept, n)
			length := min(swept, n)
			inTurns(b, option{name: "lines", operations: swept, run: func() {
				for range rounds {
					f := next()
					for i := f; i < f+length; i++ {
						accounts[i].Profit += fixed.Money(positions[i].Qty) * 3
					}
				}
			}}, option{name: "columns", operations: swept, run: func() {
				for range rounds {
					f := next()
					for i := f; i < f+length; i++ {
						c.profit[i] += fixed.Money(c.qty[i]) * 3
					}
				}
			}})
		})
	}
}

// BenchmarkDecisionEventBound sends the largest order that one command carries out under a bound on events: it sweeps as many
// makers as there is room for, each with an account of his own (docs/decisions/0005). An operation is a maker.
func BenchmarkDecisionEventBound(b *testing.B) {
	var options []option
	for _, bound := range []uint32{256, 1024, 4096, 16_384} {
		d := newDesk(b, Limits{Instruments: 1, Accounts: 1 << 13, Orders: 1 << 14, Events: bound})
		d.list(perpetual(1), 100)
		makers := (int(bound) - 1 - eventsBesides) / eventsPerMaker
		taker, side := msg.AccountID(makers+1), msg.Sell
		for id := range taker {
			d.ok(msg.Deposit(id+1, 1<<44))
		}
		var sweep msg.Command
		rest := func() { // sides change in turn, so that positions go to and fro
			if d.OpenOrders() != 0 || sweep.Kind != 0 && d.count(msg.Traded) != 2*makers {
				b.Fatalf("Events %d: the sweep met %d makers and left %d, want %d and 0", bound, d.count(msg.Traded)/2, d.OpenOrders(), makers)
			}
			side = side.Opposite()
			for id := range msg.AccountID(makers) {
				d.ok(msg.Limit(id+1, 1, side.Opposite(), 100, 1))
			}
			sweep = msg.Limit(taker, 1, side, 100, fixed.Lots(makers))
		}
		options = append(options, option{name: "makers" + strconv.Itoa(makers), operations: makers, ready: rest, run: func() { d.do(sweep) }})
	}
	inTurns(b, options...)
}

// crowd is an engine with many accounts and 4,096 orders that rest far from the middle. A batch of commands cancels the oldest
// of them and places new ones, in turn, each of an account of its own.
type crowd struct {
	*Engine
	dice dice
	size uint64
	open [4096]struct {
		order   msg.OrderID
		account msg.AccountID
	}
	oldest int
	ref    msg.Ref
	events []msg.Event
	batch  [256]msg.Command
}

func newCrowd(b *testing.B, accounts uint32) *crowd {
	d := newDesk(b, Limits{Instruments: 1, Accounts: accounts, Positions: max(accounts/2, 1<<13), Orders: 1 << 14, Levels: 1 << 12,
		Events: 256, OwnerAccounts: 1<<16 - 1})
	d.list(perpetual(1), 50_000)
	for id := range msg.AccountID(accounts) {
		if accounts <= 1<<10 { // one session can speak for all of them
			d.ok(msg.OpenAccount(id+1, 1, msg.AllGroups))
		}
		d.ok(msg.Deposit(id+1, 1_000_000*fixed.Coin))
	}
	b.Logf("seed %#x", uint64(diceSeed))
	c := &crowd{Engine: d.Engine, dice: diceSeed, size: uint64(accounts), events: make([]msg.Event, 0, 1<<12)}
	for i := range c.open {
		o := c.place()
		c.open[i].account, c.open[i].order = o.Account, d.order(o)
	}
	return c
}

// place is an order that rests, 500 to 700 ticks from the middle.
func (c *crowd) place() msg.Command {
	side, price := msg.Buy, fixed.Ticks(49_500-c.dice.below(200))
	if c.dice.below(2) == 1 {
		side, price = msg.Sell, fixed.Ticks(50_500+c.dice.below(200))
	}
	return msg.Limit(msg.AccountID(1+c.dice.below(c.size)), 1, side, price, 1)
}

// prepare writes the next batch; of a session, and with client ids where ids says so.
func (c *crowd) prepare(session msg.SessionID, ids bool) {
	for i := 0; i < len(c.batch); i += 2 {
		old := &c.open[(c.oldest+i/2)%len(c.open)]
		c.batch[i], c.batch[i+1] = msg.Cancel(old.account, 1, old.order), c.place()
	}
	for i := range c.batch {
		c.batch[i].Session = session
		if ids {
			c.ref++
			c.batch[i].Ref = c.ref
		}
	}
}

// apply applies the batch in groups that are foreseen; groups of 1 are not.
func (c *crowd) apply(b *testing.B, group int) {
	for from := 0; from < len(c.batch); from += group {
		for i := from; i < from+group && group > 1; i++ {
			c.Foresee(&c.batch[i].Request)
		}
		for i := from; i < from+group && group > 1; i++ {
			c.Approach(&c.batch[i].Request)
		}
		for i := from; i < from+group; i++ {
			r := &c.batch[i]
			r.Seq = c.seq + 1
			c.events = c.Apply(r, c.events[:0])
			first := &c.events[0]
			if first.Kind == msg.Received {
				first = &c.events[1]
			}
			switch first.Kind {
			case msg.Accepted:
				o := &c.open[c.oldest]
				o.order, o.account = first.Order, r.Account
				c.oldest = (c.oldest + 1) % len(c.open)
			case msg.Canceled:
			default:
				b.Fatalf("%s: %s", r.String(), c.events[0].String())
			}
		}
	}
}

// BenchmarkDecisionSessions applies orders and cancels without client ids, with ids by the embedder's own door, with ids by a session
// that speaks for their accounts (docs/decisions/0006), and by a client's session, whose numbers are counted and whose messages have an
// envelope (docs/decisions/0020).
func BenchmarkDecisionSessions(b *testing.B) {
	c := newCrowd(b, 1<<10)
	number := uint32(0)
	run := func() { c.apply(b, 1) }
	refs := [3]msg.Ref{}
	for _, open := range []msg.Command{msg.OpenSession(1, 1), msg.SetKey(keyOf(1, msg.RoleTrader, 1)),
		msg.Negotiate(msg.Negotiation{Session: 2, Key: 1, Kind: msg.OrderEntry, Stamp: 1}), msg.Bind(msg.Binding{Session: 2, Stamp: 2})} {
		open.Seq, open.Time = c.seq+1, c.now
		if r := refusal(c.Apply(&open, nil)); r != 0 {
			b.Fatalf("%s: %s", open.String(), r.Name())
		}
	}
	by := func(session msg.SessionID, ids bool) func() {
		return func() {
			c.ref = refs[session]
			c.prepare(session, ids)
			refs[session] = c.ref
			for i := range c.batch {
				if session == 2 {
					number++
					c.batch[i].SetEnvelope(msg.Envelope{SeqNum: number, Template: 100})
				}
			}
		}
	}
	inTurns(b, option{name: "none", operations: len(c.batch), ready: by(0, false), run: run},
		option{name: "ref", operations: len(c.batch), ready: by(0, true), run: run},
		option{name: "session", operations: len(c.batch), ready: by(1, true), run: run},
		option{name: "client", operations: len(c.batch), ready: by(2, true), run: run})
}

// BenchmarkDecisionForesee applies orders and cancels one by one, and in groups whose first lines are loaded ahead
// (docs/decisions/0007).
func BenchmarkDecisionForesee(b *testing.B) {
	for _, accounts := range []uint32{1 << 10, 1 << 20} {
		b.Run("accounts="+strconv.Itoa(int(accounts)), func(b *testing.B) {
			c := newCrowd(b, accounts)
			var options []option
			for _, group := range []int{1, 2, 4, 8, 16} {
				options = append(options, option{name: "group" + strconv.Itoa(group), operations: len(c.batch),
					ready: func() { c.prepare(0, false) }, run: func() { c.apply(b, group) }})
			}
			inTurns(b, options...)
		})
	}
}
