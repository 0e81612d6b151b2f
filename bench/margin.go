package bench

import (
	"fmt"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/lockstep-exchange/lockstep/bench/latency"
	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/margin"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// What a mark costs a crowd that holds the instrument (goal 6). Every account is long a lot against one desk and has its trip-wires laid.
//
//	quiet    the mark goes up and down by a tick, and crosses no wire. Over the same with a thousand accounts, and over W
//	crash    it falls through the wires of a thousand: orders of others follow at once, while those are examined 256 a command.
//	         Over the same orders without a crash
//	scan     what the same question costs who asks every account: the twin of the wires

const (
	crowdMark  fixed.Ticks = 10_000
	crowdCrash fixed.Ticks = 9_150 // the thin ones are called at 9,214 and sold from 8,947 on
	crowdThin              = 1_000
	crowdRich              = 100 // coins; a lot is worth 100
	crowdPoor              = 15
)

// Holders is an engine in which accounts hold an instrument.
type Holders struct {
	engine   *engine.Engine
	command  msg.Command
	out      []msg.Event
	accounts uint32 // from 3 on; 1 is the desk, 2 trades
}

// NewHolders lets so many accounts be long a lot, thin of them with little margin.
func NewHolders(accounts, thin uint32) (*Holders, error) {
	e, err := engine.New(engine.Limits{Instruments: 1, Accounts: accounts + 2, Positions: accounts + 2, Orders: 1 << 10, Events: 1 << 10, AccountPositions: 256})
	if err != nil {
		return nil, err
	}
	h := &Holders{engine: e, out: make([]msg.Event, 0, 1<<10), accounts: accounts}
	spec := market.Spec{ID: 1, Type: msg.Perpetual, TickLot: fixed.Coin / 100, Start: crowdMark, Initial: 10 * fixed.Percent, Maintenance: 5 * fixed.Percent}
	for _, c := range append(spec.Append(nil), msg.SetPhase(1, msg.Continuous), msg.SetMark(1, crowdMark), msg.Deposit(1, 1<<30*fixed.Coin),
		msg.Deposit(2, 1<<20*fixed.Coin), msg.SetRule(0, msg.SweepLimit, market.MaxSweep)) {
		h.do(c)
	}
	every := max(accounts/max(thin, 1), 1)
	for i := range accounts {
		money := fixed.Money(crowdRich)
		if i%every == 0 && i/every < thin {
			money = crowdPoor
		}
		id := msg.AccountID(i + 3)
		h.do(msg.Deposit(id, money*fixed.Coin))
		h.do(msg.Limit(1, 1, msg.Sell, crowdMark, 1))
		h.do(msg.Limit(id, 1, msg.Buy, crowdMark, 1))
	}
	for tick := fixed.Ticks(1); ; tick ^= 1 { // until every pool has its wires
		h.do(msg.SetMark(1, crowdMark+tick))
		if h.told(msg.SweepPending) == 0 && tick == 0 {
			break
		}
		for h.told(msg.SweepPending) != 0 {
			h.do(msg.Tick())
		}
	}
	h.do(msg.SetRule(0, msg.SweepLimit, 256))
	if n := e.OpenInterest(1); n != fixed.Lots(accounts) {
		return nil, fmt.Errorf("bench: %d lots are held, expected %d", n, accounts)
	}
	return h, nil
}

func (h *Holders) do(c msg.Command) {
	h.command = c
	h.command.Seq, h.command.Time = h.engine.Seq()+1, h.engine.Now()
	h.out = h.engine.Apply(&h.command, h.out[:0])
}

// told is how many events of a kind the last command brought.
func (h *Holders) told(kind msg.EventKind) (n int) {
	for i := range h.out {
		if h.out[i].Kind == kind {
			n++
		}
	}
	return n
}

// Quiet moves the mark n times by a tick: the mean in nanoseconds, and each one in a histogram. It fails where a move
// brings anything but its own event.
func (h *Holders) Quiet(c *Clock, n int) (mean float64, each *hdrhistogram.Histogram, err error) {
	each = latency.NewHistogram()
	from := c.Read()
	for i := range n {
		h.do(msg.SetMark(1, crowdMark+fixed.Ticks(i&1)))
		if len(h.out) != 1 {
			return 0, nil, fmt.Errorf("bench: a mark that crosses no wire tells of %d events", len(h.out))
		}
	}
	mean = c.Nanos(c.Read()-from) / float64(n)
	for i := range n {
		from := c.Read()
		h.do(msg.SetMark(1, crowdMark+fixed.Ticks(i&1)))
		if err := record(each, c, from); err != nil {
			return 0, nil, err
		}
	}
	return mean, each, nil
}

func record(h *hdrhistogram.Histogram, c *Clock, from uint64) error {
	return h.RecordValue(min(max(int64(c.Nanos(c.Read()-from)), latency.Lowest), latency.Highest))
}

// Orders lets n orders and cancels of the trader follow a mark, into a histogram. It returns how many accounts were called, by one
// command at most, and how long the mark itself took.
func (h *Holders) Orders(c *Clock, mark fixed.Ticks, n int, each *hdrhistogram.Histogram) (called, most int, ns float64, err error) {
	count := func() {
		k := h.told(msg.MarginCall)
		called += k
		most = max(most, k)
	}
	from := c.Read()
	h.do(msg.SetMark(1, mark))
	ns = c.Nanos(c.Read() - from)
	count()
	for range n / 2 {
		for _, cancels := range []bool{false, true} {
			command := msg.Limit(2, 1, msg.Buy, crowdCrash-1000, 1)
			if cancels {
				command = msg.Cancel(2, 1, h.resting())
			}
			from := c.Read()
			h.do(command)
			if err := record(each, c, from); err != nil {
				return 0, 0, 0, err
			}
			count()
		}
	}
	return called, most, ns, nil
}

// resting is the order that the last command accepted.
func (h *Holders) resting() msg.OrderID {
	for i := range h.out {
		if h.out[i].Kind == msg.Accepted {
			return h.out[i].Order
		}
	}
	return 0
}

// Scan asks every account whether it is to be called, and returns how many are and how long it took.
func (h *Holders) Scan(c *Clock) (called int, ns float64) {
	from := c.Read()
	for id := msg.AccountID(1); uint32(id) <= h.accounts+2; id++ {
		if s, _ := h.engine.Account(id); !margin.Covers(s.Equity, s.Maintenance, 150*fixed.Percent) {
			called++
		}
	}
	return called, c.Nanos(c.Read() - from)
}

// marginFigures are the rounds of goal 6.
type marginFigures struct {
	few, many, p99, calm, storm, crash, scan []float64
	called, most                             int
}

// Margins makes the figures of marks: goal 6.
func (s *Suite) Margins() error {
	s.Report.Mode = "inline"
	return s.run(s.margins)
}

func (s *Suite) margins() error {
	p, err := s.generated("b10k", 1)
	if err != nil {
		return err
	}
	w, err := s.race("b10k", Whole(p, usualAccounts))
	if err != nil {
		return err
	}
	defer s.Harness.Hold()()
	s.Harness.progress("a crowd", 0, s.Harness.Rounds)
	few, err := NewHolders(1<<10, 0)
	if err != nil {
		return err
	}
	many, err := NewHolders(s.Crowd, min(crowdThin, s.Crowd/2))
	if err != nil {
		return err
	}
	var f marginFigures
	lost := s.Harness.clock.Spin(probeSpan)
	for i := range s.Harness.Rounds {
		if err := s.Harness.Context.Err(); err != nil {
			return err
		}
		if err := s.marginRound(few, many, &f); err != nil {
			return err
		}
		s.Harness.progress("a crowd", i+1, s.Harness.Rounds)
	}
	lost.Add(s.Harness.clock.Spin(probeSpan))
	s.marginReport(&f, &w[0], lost.Lost())
	return nil
}

// marginOrders is how many orders follow a crash.
const marginOrders = 10_000

func (s *Suite) marginRound(few, many *Holders, f *marginFigures) error {
	c, n := s.Harness.clock, int(min(s.Timed, 200_000))
	mean, _, err := few.Quiet(c, n)
	if err != nil {
		return err
	}
	f.few = append(f.few, mean)
	mean, each, err := many.Quiet(c, n)
	if err != nil {
		return err
	}
	f.many = append(f.many, mean)
	f.p99 = append(f.p99, float64(each.ValueAtQuantile(99)))

	calm, storm := latency.NewHistogram(), latency.NewHistogram()
	if _, _, _, err := many.Orders(c, crowdMark, marginOrders, calm); err != nil {
		return err
	}
	called, most, first, err := many.Orders(c, crowdCrash, marginOrders, storm)
	if err != nil {
		return err
	}
	found, ns := many.Scan(c)
	if called != found {
		return fmt.Errorf("bench: %d accounts were called, a full scan finds %d", called, found)
	}
	f.called, f.most, f.scan, f.crash = called, max(f.most, most), append(f.scan, ns), append(f.crash, first)
	f.calm, f.storm = append(f.calm, float64(calm.ValueAtQuantile(99))), append(f.storm, float64(storm.ValueAtQuantile(99)))
	for range 2 { // they are ok again, and everybody has wires
		for many.do(msg.SetMark(1, crowdMark)); many.told(msg.SweepPending) != 0; many.do(msg.Tick()) {
		}
		many.do(msg.SetMark(1, crowdMark+1))
	}
	return nil
}

func (s *Suite) marginReport(f *marginFigures, w *Measure, lost float64) {
	name := fmt.Sprintf("a mark that crosses no wire, %d accounts", s.Crowd)
	s.add(goal{"6", 3, 1.5, false}.ratio(name, "ns", median(f.many), "1024 accounts", median(f.few), lost),
		goal{"6", 5, 2, false}.ratio(name, "ns", median(f.many), "W", w.Median(), lost),
		goal{"6", 5_000, 1_000, false}.exact(name+", p99 (clock included)", "ns", median(f.p99)))
	order := goal{"6", 2, 1.2, false}.ratio(fmt.Sprintf("%d orders after a mark that crosses %d wires, p99", marginOrders, f.called), "ns", median(f.storm),
		"the same orders without", median(f.calm), lost)
	if f.most > 256 {
		order.Verdict = Missed
	}
	order.Note = fmt.Sprintf("at most %d accounts were called by one command; sweep-limit is 256", f.most)
	s.add(order, goal{}.exact(fmt.Sprintf("a mark that crosses %d wires, itself", f.called), "ns", median(f.crash)), goal{}.ratio("a mark, by asking every account", "ns", median(f.scan), name, median(f.many), lost))
}
