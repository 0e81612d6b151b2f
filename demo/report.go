package demo

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lockstep-exchange/lockstep/bench"
	"github.com/lockstep-exchange/lockstep/bench/latency"
	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node"
	"github.com/lockstep-exchange/lockstep/replay"
)

// Report is what happened. Amounts are decimal text, so that no digit is lost: money in USDT, quantities in BTC.
type Report struct {
	Recording string    `json:"recording"`
	Symbol    string    `json:"symbol"`
	From      time.Time `json:"from"` // recorded
	To        time.Time `json:"to"`
	Rate      float64   `json:"rate"` // recorded time to a unit of the clock's; 0: without any pace
	Makers    int       `json:"makers"`
	Takers    int       `json:"takers"`
	Seed      uint64    `json:"seed"`
	Partial   bool      `json:"partial"` // interrupted: the rest was not sent

	Ack      string         `json:"ack"`      // what an event waited for before it left: fsync; none; none, no journal
	Recovery *node.Recovery `json:"recovery"` // what the start found and did; null without a journal
	Resumed  int64          `json:"resumed"`  // commands that the journal held, those of the opening included

	Opening   int64   `json:"opening"` // commands that opened the market
	Commands  int64   `json:"commands"`
	New       int64   `json:"new"`
	Amends    int64   `json:"amends"`
	Cancels   int64   `json:"cancels"`
	Reports   int64   `json:"reports"` // of the sources of the index
	Ticks     int64   `json:"ticks"`   // of the clock
	Events    int64   `json:"events"`  // the opening's too
	Seconds   float64 `json:"seconds"`
	PerSecond float64 `json:"per_second"` // of those that this run sent

	Latency *Latency `json:"latency"` // null: without any pace nothing is measured

	Flow    Flow     `json:"flow"`
	Rejects []Reject `json:"rejects"` // most frequent first

	Oracle  Oracle  `json:"oracle"`
	Funding Funding `json:"funding"`
	Margin  Margin  `json:"margin"`

	Money    Money     `json:"money"`
	Accounts []Account `json:"accounts"` // the largest gains, then the largest losses

	Checks  []Check `json:"checks"`
	State   string  `json:"state"` // the hash of everything the engine holds
	Machine string  `json:"machine"`
}

// Latency is what the clock said, in nanoseconds, from the time at which a command was due to its first event.
type Latency struct {
	Engine  latency.Row `json:"engine"`
	Empty   latency.Row `json:"empty"`   // the same pipeline and arrivals with an empty handler
	Floor   Floor       `json:"floor"`   // an empty loop
	Core    int         `json:"core"`    // of the hot thread; -1: not pinned
	Waiting string      `json:"waiting"` // how the hot thread waits: spin or park
}

// Floor is what an empty loop finds that the machine takes away.
type Floor struct {
	OverNs    int64   `json:"over_ns"`    // gaps above this count
	PerSecond float64 `json:"per_second"` // gaps
	Lost      float64 `json:"lost"`       // share of time in gaps
	LongestNs int64   `json:"longest_ns"`
	Void      bool    `json:"void"` // too much of it for the figures to be the exchange's
}

// Flow is what became of the recorded trades.
type Flow struct {
	Orders   int64  `json:"orders"` // of takers, one a recorded trade
	Refused  int64  `json:"refused"`
	Asked    string `json:"asked_btc"`
	Traded   string `json:"traded_btc"`
	Denied   string `json:"refused_btc"`
	Unfilled string `json:"unfilled_btc"` // nothing left at the recorded price
	Trades   int64  `json:"trades"`
	Turnover string `json:"turnover_usdt"`
}

// Reject is a reason for a refusal and how often it was given.
type Reject struct {
	Reject string `json:"reject"`
	Code   uint16 `json:"code"`
	Count  int64  `json:"count"`
	text   string
}

// Money is who has what at the end, in USDT. The first seven add up to the eighth, nothing.
type Money struct {
	Makers   string `json:"makers"` // change of equity
	Takers   string `json:"takers"` // change of equity
	Fees     string `json:"fees"`   // the venue's, rebates deducted
	Rebates  string `json:"rebates"`
	Fund     string `json:"fund"`    // change of the insurance fund
	Funding  string `json:"funding"` // what rounding left of it
	Deficit  string `json:"deficit"` // losses that nobody covered
	Sum      string `json:"sum"`
	Interest string `json:"open_interest_btc"`
	Required string `json:"initial_margin"` // of all accounts, open orders included
	Short    int    `json:"below_initial"`  // accounts
}

// Account is an account and what it gained or lost.
type Account struct {
	ID       msg.AccountID `json:"account"`
	Role     string        `json:"role"`
	Deposit  string        `json:"deposit"`
	Change   string        `json:"change"` // of equity, since the deposit
	Position string        `json:"position_btc"`
	change   fixed.Money
}

// Check is something that must hold.
type Check struct {
	Name  string `json:"check"`
	Holds bool   `json:"holds"`
	Found string `json:"found"`
}

// CheckError says which checks do not hold.
type CheckError struct{ Failed []Check }

func (e *CheckError) Error() string {
	var words []string
	for _, c := range e.Failed {
		words = append(words, c.Name+": "+c.Found)
	}
	return "demo: " + strings.Join(words, "; ")
}

// ExitCode is that of an expectation not met.
func (e *CheckError) ExitCode() int { return 3 }

// unmet is an error when a check does not hold.
func (r *Report) unmet() error {
	failed := slices.Clone(r.Checks)
	failed = slices.DeleteFunc(failed, func(c Check) bool { return c.Holds })
	if len(failed) == 0 {
		return nil
	}
	return &CheckError{failed}
}

// report sums up a run. The engine stands still.
func (r *run) report() (*Report, error) {
	s, v := r.script, r.view
	played := s.requests[min(s.opening, r.sent):r.sent]
	p := &Report{Recording: replay.BundledName, Symbol: replay.BundledSymbol, From: date(s.start()), To: date(max(v.now, s.start())),
		Rate: r.speed.rate, Makers: makers, Takers: r.options.Accounts, Seed: r.options.Seed, Partial: r.sent < len(s.requests),
		Opening: int64(r.sent - len(played)), Commands: int64(len(played)), Events: v.tally.events,
		Seconds: r.took.Seconds(), State: fmt.Sprintf("%016x", r.engine.Hash()), Machine: bench.Machine()}
	p.Ack = r.status.Ack
	if r.kept != nil {
		p.Recovery, p.Resumed = r.kept.recovery, int64(r.kept.found)
	}
	if r.took > 0 {
		p.PerSecond = float64(p.Commands-max(p.Resumed-p.Opening, 0)) / p.Seconds
	}
	for i := range played {
		p.count(&played[i])
	}
	r.measure(p)
	r.flow(p)
	r.settle(p)
	r.risk(p)
	return p, r.check(p)
}

func date(t fixed.Nanos) time.Time { return time.Unix(0, int64(t)).UTC() }

// count counts a command.
func (p *Report) count(c *msg.Request) {
	switch c.Kind {
	case msg.KindLimit:
		p.New++
		if c.Account > makers {
			p.Flow.Orders++
		}
	case msg.KindAmend:
		p.Amends++
	case msg.KindCancel:
		p.Cancels++
	case msg.KindReport:
		p.Reports++
	case msg.KindTick:
		p.Ticks++
	}
}

// measure reports the clock's figures.
func (r *run) measure(p *Report) {
	if r.total == nil {
		return
	}
	rows := latency.Rows(&latency.Log{Name: "demo", Tags: []*latency.Tag{{Name: "engine", Total: r.total}, {Name: "empty", Total: r.twin}}})
	p.Latency = &Latency{Engine: rows[0], Empty: rows[1], Core: r.status.Core, Waiting: r.status.Idle.String(),
		Floor: Floor{OverNs: int64(bench.GapOver), PerSecond: float64(r.probe.Gaps) / r.probe.Spun.Seconds(), Lost: r.probe.Lost(),
			LongestNs: int64(r.probe.Longest), Void: r.probe.Void()}}
}

// flow reports what became of the orders.
func (r *run) flow(p *Report) {
	t := &r.view.tally
	p.Flow.Refused, p.Flow.Trades = t.kinds[msg.Rejected], t.kinds[msg.Traded]/2
	p.Flow.Traded, p.Flow.Denied, p.Flow.Unfilled = btc(t.volume), btc(t.refused), btc(t.unfilled)
	p.Flow.Asked = btc(t.volume + t.refused + t.unfilled)
	p.Flow.Turnover = t.turnover.String()
	p.Rejects = []Reject{}
	for i, count := range t.rejects {
		if reject := msg.Reject(i); count > 0 {
			p.Rejects = append(p.Rejects, Reject{reject.Upper(), reject.Code(), count, reject.Text()})
		}
	}
	slices.SortStableFunc(p.Rejects, func(a, b Reject) int { return cmp.Compare(b.Count, a.Count) })
}

// settle reports who has what.
func (r *run) settle(p *Report) {
	var (
		sums     [2]fixed.Money // makers, takers
		required fixed.Money
		accounts []Account
		agreed   int64
		count    int64
	)
	for id := msg.AccountID(1); int(id) <= r.script.accounts; id++ {
		a, open := r.engine.Account(id)
		if !open {
			continue
		}
		side := 0
		if id > makers {
			side = 1
		}
		held, _ := r.engine.Position(id, instrument)
		owned := &r.view.accounts[id]
		deposit, equity := owned.deposit, a.Equity
		required += a.Initial
		if held.Mode == msg.ModeIsolated {
			equity += held.Margin + held.Profit
			required += held.Initial
		}
		if equity == r.view.equity(owned, &r.view.instrument) {
			agreed++
		}
		count++
		sums[side] += equity - deposit
		if a.Free < 0 {
			p.Money.Short++
		}
		accounts = append(accounts, Account{id, roleOf(id).String(), deposit.String(), (equity - deposit).String(), btc(held.Qty), equity - deposit})
	}
	venue := r.engine.VenueAccounts()
	p.Money.Makers, p.Money.Takers = sums[0].String(), sums[1].String()
	p.Money.Fees, p.Money.Rebates = venue.Fees.String(), venue.Rebates.String()
	p.Money.Fund, p.Money.Funding, p.Money.Deficit = (venue.Fund - fundPaidIn).String(), venue.Funding.String(), venue.Deficit.String()
	p.Money.Sum = (sums[0] + sums[1] + venue.Fees + venue.Rebates + venue.Fund - fundPaidIn + venue.Funding + venue.Deficit).String()
	p.Money.Interest, p.Money.Required = btc(r.engine.OpenInterest(instrument)), required.String()
	p.Accounts = extremes(accounts)
	seen := r.view.required()
	p.hold("equity", agreed == count, "of %s of %s accounts as the events tell it, to the unit", group(agreed), group(count))
	fund := &r.view.ladder
	p.hold("fund", fund.fund == venue.Fund && fund.deficit <= venue.Deficit, "%s USDT by the events, %s by the engine", fund.fund, venue.Fund)
	p.hold("margin", seen == required, "%s USDT by the events, %s by the engine", seen, required)
}

// extremesCount is how many accounts are shown of either end.
const extremesCount = 3

// extremes are the accounts that gained and lost most.
func extremes(accounts []Account) []Account {
	slices.SortStableFunc(accounts, func(a, b Account) int { return cmp.Compare(b.change, a.change) })
	if len(accounts) <= 2*extremesCount {
		return accounts
	}
	return slices.Concat(accounts[:extremesCount], accounts[len(accounts)-extremesCount:])
}

// hold notes a check.
func (p *Report) hold(name string, holds bool, format string, args ...any) {
	p.Checks = append(p.Checks, Check{name, holds, fmt.Sprintf(format, args...)})
}

// check looks whether everything is as it must be.
func (r *run) check(p *Report) error {
	money, missing := r.engine.Imbalance()
	p.hold("money", money == 0, "%s USDT missing", money)
	p.hold("lots", missing == 0, "%d lots missing", missing)
	p.hold("quotes", r.equal == r.quotes && (r.quotes > 0 || p.Partial), "best bid and ask as recorded after %s of %s depth messages", group(int64(r.equal)), group(int64(r.quotes)))
	if !p.Partial {
		equal := r.levels()
		p.hold("book", equal == len(r.script.book) && equal == r.view.standing(), "%s of %s levels as recorded at the end, %s stand",
			group(int64(equal)), group(int64(len(r.script.book))), group(int64(r.view.standing())))
	}
	if r.kept != nil {
		return r.checkJournal(p)
	}
	inline, err := r.script.state(r.sent)
	if err != nil {
		return err
	}
	p.hold("state", inline == r.engine.Hash(), "the same %s commands without threads give %016x", group(int64(r.sent)), inline)
	return nil
}

// checkJournal compares what the journal holds with the script and the engine.
func (r *run) checkJournal(p *Report) error {
	w, err := r.reread()
	if err != nil {
		return err
	}
	p.hold("journal", w.script == r.sent && w.other == 0, "holds %s of %s commands that were sent, each once and in order, and %d others",
		group(int64(w.script)), group(int64(r.sent)), w.other)
	p.hold("state", w.state == r.engine.Hash(), "a replay of the journal gives %016x", w.state)
	return nil
}

// levels is how many recorded levels stand as they were recorded.
func (r *run) levels() (equal int) {
	for at, qty := range r.script.book {
		if r.view.at(at.side, at.price).qty == qty {
			equal++
		}
	}
	return equal
}

// state is the hash of an engine that is given the first count commands one by one.
func (s *script) state(count int) (uint64, error) {
	if count == len(s.requests) {
		return s.hash, nil
	}
	eng, err := engine.New(s.limits)
	if err != nil {
		return 0, fmt.Errorf("demo: %w", err)
	}
	events := make([]msg.Event, 0, s.limits.Events)
	for i := range s.requests[:count] {
		c := msg.Command{Seq: msg.Seq(i + 1), Request: s.requests[i]}
		events = eng.Apply(&c, events[:0])
	}
	return eng.Hash(), nil
}

// btc is a quantity as a decimal.
func btc(q fixed.Lots) string {
	sign := ""
	if q < 0 {
		sign, q = "-", -q
	}
	return fmt.Sprintf("%s%d.%03d", sign, q/unitLots, q%unitLots)
}
