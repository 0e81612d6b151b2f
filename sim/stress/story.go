package stress

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Stories: what happened to an account and why, in sentences that each name the rule they rest on. They are put together from the
// events of the run and the account's figures before and after; nothing is worked out a second time.

// Moment is one event of a run for people.
type Moment struct {
	Seq     uint64 `json:"seq"`
	Time    string `json:"time"`
	Kind    string `json:"kind"`
	Account string `json:"account"`
	Text    string `json:"text"`
	Rule    string `json:"rule"`
}

// rules are those by which the events of the ladder come about.
var ruleOf = map[msg.EventKind]string{
	msg.MarginCall: "M-46", msg.MarginCallCleared: "M-47", msg.LiquidationStarted: "M-46",
	msg.LiquidationSlice: "M-48", msg.LiquidationEnded: "M-47", msg.Takeover: "M-52", msg.FundDraw: "M-52", msg.FundIncome: "M-50",
	msg.AdlStarted: "M-53", msg.AdlFill: "M-53", msg.Socialized: "M-54", msg.DeficitBooked: "M-54", msg.OracleHealth: "M-33",
	msg.PhaseChanged: "M-70",
}

// rule is that of a record. A second call that time has made of a first one is the deadline's.
func (c *record) rule() string {
	if c.late {
		return "M-47"
	}
	return ruleOf[c.Kind]
}

// instrumentOf is the instrument of a record, nil without one.
func (r *run) instrumentOf(c *record) *instrument {
	if c.Instr == 0 || int(c.Instr) > len(r.book.instruments) {
		return nil
	}
	return r.book.instruments[c.Instr-1]
}

// moment tells of a record.
func (r *run) moment(c *record) Moment {
	return Moment{Seq: uint64(c.Seq), Time: r.label(c.Time), Kind: c.Kind.String(), Account: r.accountName(c.Account), Text: r.tell(c), Rule: c.rule()}
}

// place names the pool of a record.
func (r *run) place(c *record) string {
	if in := r.instrumentOf(c); c.Isolated && in != nil {
		return "the isolated position in " + in.name
	}
	return "the account"
}

// tell is what a record says.
func (r *run) tell(c *record) string {
	in := r.instrumentOf(c)
	standing := fmt.Sprintf("equity %s, maintenance %s", money(c.Equity), money(c.Maintenance))
	switch c.Kind {
	case msg.MarginCall:
		if c.rule() == "M-47" {
			return fmt.Sprintf("%s is called a second time, its first call being past its deadline: %s", r.place(c), standing)
		}
		return fmt.Sprintf("%s is called (%s): %s", r.place(c), c.To, standing)
	case msg.MarginCallCleared:
		return fmt.Sprintf("%s is better off (%s): %s", r.place(c), c.To, standing)
	case msg.LiquidationStarted:
		return fmt.Sprintf("liquidation of %s begins: %s", r.place(c), standing)
	case msg.LiquidationEnded:
		return fmt.Sprintf("liquidation of %s ends (%s): %s", r.place(c), c.To, standing)
	case msg.LiquidationSlice:
		verb := "sold"
		if c.Side == msg.Buy {
			verb = "bought back"
		}
		return fmt.Sprintf("%s %s %s at %s, mark %s: slippage %s, fee %s, %s left", verb, in.lots(c.Qty), in.name, in.at(c.Price), in.at(c.Mark),
			money(c.Amount), money(c.Fee), in.lots(fixed.Abs(c.Position)))
	case msg.Takeover:
		return fmt.Sprintf("the fund takes %s over: %s", r.place(c), standing)
	case msg.FundDraw:
		return fmt.Sprintf("the fund pays %s%s and has %s left", money(c.Amount), r.forCause(c), money(c.Balance))
	case msg.FundIncome:
		return fmt.Sprintf("the fund receives %s%s and has %s", money(c.Amount), r.forCause(c), money(c.Balance))
	case msg.AdlStarted:
		return fmt.Sprintf("the fund declines: winners close %s, %s", r.place(c), standing)
	case msg.AdlFill:
		return fmt.Sprintf("%s %s of a winning position are closed at %s%s, mark %s", in.lots(c.Qty), in.name, in.at(c.Price), r.forCause(c), in.at(c.Mark))
	case msg.Socialized:
		return fmt.Sprintf("%s of its gain goes to a shortfall%s", money(fixed.Abs(c.Amount)), r.forCause(c))
	case msg.DeficitBooked:
		return fmt.Sprintf("%s%s are covered by nobody, the deficit is %s", money(c.Amount), r.forCause(c), money(fixed.Abs(c.Balance)))
	case msg.OracleHealth:
		return fmt.Sprintf("the index is %s", c.health)
	case msg.PhaseChanged:
		return fmt.Sprintf("%s is in phase %s", in.name, c.phase)
	}
	return c.Kind.String()
}

func (r *run) forCause(c *record) string {
	if c.cause == 0 || c.cause == c.Account {
		return ""
	}
	return " for " + r.accountName(c.cause)
}

// Story is one account, side by side under every mode.
type Story struct {
	Account   uint32    `json:"account"`
	Name      string    `json:"name"`
	Deposit   string    `json:"deposit"`
	Positions string    `json:"positions"`
	Modes     []Chapter `json:"modes"`
	Verdict   string    `json:"verdict"` // which mode left it better off, and by how much
	Rule      string    `json:"rule"`    // by which that came about
	Why       []string  `json:"why"`     // a sentence for each mode, and with two one that compares
}

// Chapter is what happened to an account under one mode.
type Chapter struct {
	Mode                                  string   `json:"mode"`
	Outcome                               string   `json:"outcome"`
	Before                                string   `json:"equity_before"`
	After                                 string   `json:"equity_after"`
	Change                                string   `json:"change"`
	Calls                                 int      `json:"calls"`
	Liquidations                          int      `json:"liquidations"`
	Slices                                int      `json:"slices"`
	Slippage                              string   `json:"slippage"`
	Fees                                  string   `json:"fees"`
	Moments                               []Moment `json:"moments"` // the first ones
	before, after, change, slippage, fees fixed.Money
}

// outcome is the worst that came to an account.
func (t *tally) outcome() string {
	switch {
	case t.adl > 0:
		return "deleveraged"
	case t.takeovers > 0:
		return "taken over"
	case t.liquidations > 0:
		return "liquidated"
	case t.fills > 0:
		return "winner cut"
	case t.calls1+t.calls2 > 0:
		return "called"
	}
	return "untouched"
}

// momentsMax is how many moments of an account a report holds under one mode.
const momentsMax = 12

// chapter is what happened to an account in a run.
func (r *run) chapter(a *account) Chapter {
	t := r.collect.of(a.id)
	c := Chapter{Mode: r.mode.String(), Outcome: t.outcome(), Before: t.before.String(), After: t.after.String(), before: t.before, after: t.after, change: t.after - t.before, slippage: t.slippage, fees: t.fees,
		Change: (t.after - t.before).String(), Calls: t.calls1 + t.calls2, Liquidations: t.liquidations, Slices: t.slices,
		Slippage: t.slippage.String(), Fees: t.fees.String(), Moments: []Moment{}}
	for _, i := range t.records[:min(len(t.records), momentsMax)] {
		c.Moments = append(c.Moments, r.moment(&r.collect.records[i]))
	}
	return c
}

// why is the sentence of an account in a run.
func (r *run) why(a *account) string {
	t := r.collect.of(a.id)
	var parts []string
	say := func(rule, format string, args ...any) {
		parts = append(parts, fmt.Sprintf(format, args...)+" (rule "+rule+")")
	}
	first := map[msg.EventKind]*record{}
	for _, i := range t.records {
		c := &r.collect.records[i]
		if first[c.Kind] == nil {
			first[c.Kind] = c
		}
	}
	if c := first[msg.MarginCall]; c != nil {
		say(c.rule(), "first called at %s: equity of %s was %s, maintenance %s", r.label(c.Time), r.place(c), money(c.Equity), money(c.Maintenance))
	}
	if c := first[msg.LiquidationStarted]; c != nil {
		say("M-46", "liquidation of %s began at %s at equity %s below maintenance %s%s", r.place(c), r.label(c.Time), money(c.Equity), money(c.Maintenance), r.moved(a, c))
	}
	if t.slices > 0 {
		say("M-48", "%s cost %s of slippage and %s of fees", plural(t.slices, "slice"), money(t.slippage), money(t.fees))
	}
	if c := first[msg.Takeover]; c != nil {
		say("M-52", "the fund took %s over at %s with equity %s", r.place(c), r.label(c.Time), money(c.Equity))
	}
	if c := first[msg.AdlStarted]; c != nil {
		say("M-53", "the fund declined, and winners closed %s at %s", r.place(c), r.label(c.Time))
	}
	if c := first[msg.AdlFill]; c != nil && t.fills > 0 {
		say("M-53", "its winning position was cut %s, first at %s%s", times(t.fills), r.label(c.Time), r.forCause(c))
	}
	if t.socialized != 0 {
		say("M-54", "%s of its gains went to shortfalls", money(fixed.Abs(t.socialized)))
	}
	if len(parts) == 0 {
		say("M-46", "never called")
	}
	if r.mode == msg.ModeIsolated && t.closed() && t.after > 0 {
		say("M-23", "no more than its own margin could be lost with it, and the account ends with %s", money(t.after))
	}
	return strings.Join(parts, "; ")
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return group(int64(n)) + " times"
}

// moved is how far the marks of an account's positions had moved by a record, where it says one.
func (r *run) moved(a *account, c *record) string {
	in := r.instrumentOf(c)
	if in == nil && len(a.positions) == 1 {
		in = a.positions[0].in
	}
	if in == nil {
		return ""
	}
	mark := c.Mark
	if mark == 0 {
		if mark = r.markAt(in, c.Time); mark == 0 {
			return ""
		}
	}
	return fmt.Sprintf(", %s at %s (%s)", in.name, in.at(mark), move(in.price, mark))
}

// markAt is the mark of an instrument at the look before a time.
func (r *run) markAt(in *instrument, t fixed.Nanos) fixed.Ticks {
	s := &r.series
	i, found := slices.BinarySearch(s.times, t)
	if !found {
		i--
	}
	if i < 0 {
		return 0
	}
	return s.marks[in.id-1][i]
}

// verdict is what made the difference between modes, and by which rule.
type verdict struct{ text, rule, why string }

// compare says what made the difference between two modes; of one mode, what came to the account.
func compare(a *account, runs []*run) verdict {
	best, worst := runs[0], runs[0]
	lost := func(r *run) fixed.Money { t := r.collect.of(a.id); return t.after - t.before }
	for _, r := range runs[1:] {
		if lost(r) > lost(best) {
			best = r
		}
		if lost(r) < lost(worst) {
			worst = r
		}
	}
	b, w := best.collect.of(a.id), worst.collect.of(a.id)
	if len(runs) == 1 {
		return verdict{fmt.Sprintf("%s: %s, %s", worst.mode, w.outcome(), signed(lost(worst))), w.rule(), ""}
	}
	gap := lost(best) - lost(worst)
	if gap == 0 {
		return verdict{fmt.Sprintf("%s under either mode, %s", w.outcome(), signed(lost(worst))), w.rule(), "the mode made no difference"}
	}
	v := verdict{text: fmt.Sprintf("%s left it %s better off than %s", best.mode, money(gap), worst.mode)}
	switch isolated := best.mode == msg.ModeIsolated; {
	case isolated && w.closed():
		v.rule, v.why = "M-23", "what was posted beside its position was all that could be lost, while under cross all it has stands behind every leg"
	case isolated && b.closed():
		v.rule, v.why = "M-52", "its isolated position was closed when its own margin was used up, and what the price did afterwards was no longer its affair"
	case !isolated && w.closed() && !b.closed():
		v.rule, v.why = "M-15", "all that it has carried the loss until the price came back, while the isolated position's own margin did not last"
	case b.fills != w.fills:
		v.rule, v.why = "M-53", "deleveraging closed other parts of its winning position"
	case b.closed() || w.closed():
		v.rule, v.why = "M-48", "it was sold at other times and prices"
	default:
		v.rule, v.why = "M-42", "funding and rounding fell otherwise"
	}
	return v
}

// rule is that of the worst that came to an account.
func (t *tally) rule() string {
	switch {
	case t.adl > 0 || t.fills > 0 && !t.closed():
		return "M-53"
	case t.takeovers > 0:
		return "M-52"
	case t.liquidations > 0:
		return "M-48"
	}
	return "M-46"
}

// worst are the accounts that lost most under any mode, at most n.
func worst(runs []*run, n int) (all []*account) {
	all = slices.Clone(runs[0].accounts)
	least := func(a *account) (m fixed.Money) {
		for i, r := range runs {
			if t := r.collect.of(a.id); i == 0 || t.after-t.before < m {
				m = t.after - t.before
			}
		}
		return m
	}
	slices.SortStableFunc(all, func(a, b *account) int { return cmp.Or(cmp.Compare(least(a), least(b)), cmp.Compare(a.id, b.id)) })
	return all[:min(n, len(all))]
}

// story is an account under every mode.
func story(a *account, runs []*run) Story {
	s := Story{Account: uint32(a.id), Name: a.name, Deposit: a.deposit.String(), Modes: []Chapter{}, Why: []string{}}
	var held []string
	for _, p := range a.positions {
		held = append(held, p.in.lots(p.qty)+" "+p.in.name)
	}
	s.Positions = strings.Join(held, ", ")
	for _, r := range runs {
		s.Modes = append(s.Modes, r.chapter(a))
		s.Why = append(s.Why, fmt.Sprintf("%s: %s", r.mode, r.why(a)))
	}
	v := compare(a, runs)
	s.Verdict, s.Rule = v.text, v.rule
	if v.why != "" {
		s.Why = append(s.Why, v.why)
	}
	return s
}
