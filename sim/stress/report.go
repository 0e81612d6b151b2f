package stress

import (
	"fmt"
	"slices"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/sim/scenario"
)

// Report is what came of a book. As JSON it is described by docs/schema/stress-compare.schema.json.
type Report struct {
	Book        Source       `json:"book"`
	Scenario    Source       `json:"scenario"`
	Seed        uint64       `json:"seed"`
	Settlement  string       `json:"settlement"`
	Accounts    int          `json:"accounts"`
	Positions   int          `json:"positions"`
	From        string       `json:"from"`
	To          string       `json:"to"`
	Step        string       `json:"step"`
	Steps       int64        `json:"steps"`
	Partial     bool         `json:"partial"`
	Instruments []Instrument `json:"instruments"`
	Modes       []Outcome    `json:"modes"`
	Worst       []Story      `json:"worst"`
	Assumptions []string     `json:"assumptions"`
	Limits      []string     `json:"limits"`
	runs        []*run
}

// Instrument is what happened to a price.
type Instrument struct {
	Name    string `json:"name"`
	Open    string `json:"open"`
	Lowest  string `json:"lowest"`
	Highest string `json:"highest"`
	End     string `json:"end"`
	moves   [3]string
}

// Outcome is what came of the book under one mode.
type Outcome struct {
	Mode     string   `json:"mode"`
	Figures  Figures  `json:"figures"`
	State    string   `json:"state"` // hash of the engine at the end
	Commands int64    `json:"commands"`
	Events   int64    `json:"events"`
	Moments  []Moment `json:"moments"` // the ones of most weight, in order
}

const (
	worstMax    = 10
	timelineMax = 40 // moments of a mode in a report
)

// report puts together what runs have come to.
func report(o *Options, runs []*run) *Report {
	r := runs[0]
	p := &Report{Book: o.Book.Source, Scenario: o.Shock.Source, Seed: o.Seed, Settlement: o.Book.Settlement, Accounts: len(r.accounts),
		Positions: r.positions, From: r.label(r.start), To: r.label(r.start + fixed.Nanos(r.steps)*o.Shock.step),
		Step: scenario.FormatSpan(o.Shock.step), Steps: r.steps, Instruments: []Instrument{}, Modes: []Outcome{}, Worst: []Story{}, runs: runs}
	for _, in := range o.Book.instruments {
		low, high, end := r.collect.lowest[in.id], r.collect.highest[in.id], r.collect.marks[in.id]
		p.Instruments = append(p.Instruments, Instrument{Name: in.name, Open: in.at(in.price), Lowest: in.at(low), Highest: in.at(high), End: in.at(end),
			moves: [3]string{move(in.price, low), move(in.price, high), move(in.price, end)}})
	}
	for _, r := range runs {
		p.Modes = append(p.Modes, Outcome{Mode: r.mode.String(), Figures: r.figures(), State: fmt.Sprintf("%016x", r.eng.Hash()),
			Commands: r.commands, Events: r.told, Moments: r.timeline()})
	}
	for _, a := range worst(runs, worstMax) {
		p.Worst = append(p.Worst, story(a, runs))
	}
	p.Assumptions, p.Limits = assumptions(o, r), limitations(runs)
	return p
}

// weight is how much a record says about a book: the more, the sooner it stands in a timeline.
func (r *run) weight(c *record) fixed.Money {
	const top = fixed.Money(1 << 62)
	switch c.Kind {
	case msg.OracleHealth, msg.PhaseChanged, msg.DeficitBooked:
		return top
	case msg.AdlStarted, msg.Takeover:
		return top/2 + fixed.Abs(c.Equity)
	case msg.FundDraw, msg.Socialized:
		return top/4 + fixed.Abs(c.Amount)
	case msg.LiquidationStarted:
		return c.Maintenance * 4
	case msg.LiquidationSlice:
		return fixed.Abs(c.Amount)
	case msg.MarginCall:
		return c.Maintenance * 2
	case msg.AdlFill:
		return fixed.Abs(c.Amount)
	case msg.FundIncome:
		return c.Amount / 4
	}
	return 0
}

// timeline are the moments of most weight, in their order.
func (r *run) timeline() []Moment {
	records := r.collect.records
	at := make([]int, len(records))
	for i := range at {
		at[i] = i
	}
	if len(at) > timelineMax {
		slices.SortStableFunc(at, func(i, j int) int {
			switch a, b := r.weight(&records[i]), r.weight(&records[j]); {
			case a > b:
				return -1
			case a < b:
				return 1
			}
			return i - j
		})
		at = at[:timelineMax]
		slices.Sort(at)
	}
	moments := make([]Moment, 0, len(at))
	for _, i := range at {
		moments = append(moments, r.moment(&records[i]))
	}
	return moments
}

// assumptions are those that the figures rest on, so that nobody has to look for them.
func assumptions(o *Options, r *run) []string {
	s, m := o.Shock, o.Shock.maker
	all := []string{
		"Every account opens at the book's prices, by trades with a counterparty that holds whatever the book does not balance; nobody pays fees for that.",
		"Prices are moves from the book's own: the same shock moves every book by the same part of it.",
		fmt.Sprintf("All sources report together, every %s, unless they are silenced.", scenario.FormatSpan(s.step)),
		fmt.Sprintf("A market maker quotes %d levels a side worth %s %s each, the first %s from the price, %s apart; he follows the price without delay and puts back what was taken after %s.",
			m.levels, money(m.depth), o.Book.Settlement, percent(m.spread/2, 2), percent(m.gap, 2), scenario.FormatSpan(m.refill)),
		"Nobody answers a call: no account brings in money, closes a position or trades.",
	}
	if o.Book.posts {
		all = append(all, "Under isolated margin an account's whole deposit is posted, in parts as its positions' initial margin.")
	} else {
		all = append(all, "Under isolated margin a position has its initial margin, or what the book states; the rest lies free in its account.")
	}
	if len(s.thin) > 0 {
		all = append(all, "For a while the maker quotes less than that, as the scenario says.")
	}
	for _, p := range s.paths {
		if p.recorded() {
			all = append(all, "The path is made of recorded bars of traded prices, which are no mark prices: a bar that rose goes from open by low and high to close, one that fell by high and low.")
			break
		}
	}
	switch f := &s.funding; {
	case f.every == 0:
		all = append(all, "No funding is paid.")
	case f.records != nil:
		all = append(all, fmt.Sprintf("Funding is paid every %s at the recorded mean rate of the day.", scenario.FormatSpan(f.every)))
	default:
		all = append(all, fmt.Sprintf("Funding of %s is paid every %s.", percent(f.rate, 4), scenario.FormatSpan(f.every)))
	}
	if r.unmade > 0 {
		all = append(all, fmt.Sprintf("%s of funding were refused while an index was frozen.", plural(int(r.unmade), "payment")))
	}
	return all
}

// limitations are what the figures do not say.
func limitations(runs []*run) (all []string) {
	for _, r := range runs {
		below := 0
		for _, a := range r.accounts {
			if r.collect.of(a.id).after < 0 {
				below++
			}
		}
		if below > 0 {
			all = append(all, fmt.Sprintf("Under %s margin the equity of %s is below zero at the end: nothing of it was settled, and a venue would have to cover it.", r.mode, plural(below, "account")))
		}
	}
	return append(all,
		"Portfolio margin is not compared: the engine does not have it yet. Cross margin here adds the requirements of legs and nets nothing between them.",
		"The market maker never runs out of money or nerve; deleveraging may reach him and the counterparty, whose positions are no part of the book.",
		"Everyone else stands still: no panic, no arbitrage, no order that rests when the shock begins.",
		"Slippage is what slices fetched against the mark of their moment; what the shock itself cost is in the change of equity.",
		"A figure is of this book, this path and this seed. Another seed draws other customers and other noise.")
}
