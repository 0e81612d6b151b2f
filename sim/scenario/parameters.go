package scenario

import (
	"cmp"
	"math/big"
	"slices"
	"strings"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// The parameters of the venue and of instruments, by the names that the margin rules give them. Each is one SetRule in the
// unit of its rule; tables (tiers, fees) are commands of their own.

// unit is what a parameter's value counts, and so how it is written.
type unit uint8

const (
	aRate unit = iota
	anAmount
	aTime
	aCount
	aQuantity // of the instrument
	aTruth
)

// parameter is one of them.
type parameter struct {
	name     string
	unit     unit
	none     bool  // the word none is a value: 0, or with a highest that
	highest  int64 // what none means where it is not 0
	standard int64 // the default, where the order of commands depends on it
}

const unbounded = fixed.MaxInt64

var (
	venueParameters = []parameter{
		{name: "message-rate", unit: aCount, none: true}, {name: "message-burst", unit: aCount, none: true},
		{name: "upnl-haircut"}, {name: "withdraw-margin"},
		{name: "oracle-stale", unit: aTime}, {name: "oracle-outlier"}, {name: "oracle-halt", unit: aTime}, {name: "oracle-confidence"},
		{name: "mark-step", unit: aTime},
		{name: "ladder-call1", standard: 150 * percent}, {name: "ladder-call1-exit", standard: 160 * percent},
		{name: "ladder-call2", standard: 125 * percent}, {name: "ladder-call2-exit", standard: 135 * percent},
		{name: "ladder-call1-deadline", unit: aTime}, {name: "ladder-target"},
		{name: "liq-step", unit: aTime}, {name: "liq-stall", unit: aCount},
		{name: "fund-event-cap", unit: anAmount, none: true, highest: unbounded}, {name: "fund-day-cap", unit: anAmount, none: true, highest: unbounded},
		{name: "fund-min", unit: anAmount}, {name: "fund-inventory", unit: anAmount, none: true, highest: unbounded}, {name: "fund-range"},
		{name: "adl-band"}, {name: "sweep-limit", unit: aCount}, {name: "wire-funding"},
	}
	instrumentParameters = []parameter{
		{name: "slope-initial"}, {name: "slope-maintenance"},
		{name: "oi-low", unit: anAmount}, {name: "oi-high", unit: anAmount},
		{name: "max-position", unit: aQuantity, none: true}, {name: "max-oi", unit: aQuantity, none: true},
		{name: "band", none: true}, {name: "market-range"},
		{name: "max-order-qty", unit: aQuantity, none: true}, {name: "max-order-notional", unit: anAmount, none: true},
		{name: "min-order-notional", unit: anAmount, none: true}, {name: "max-open-orders", unit: aCount, none: true},
		{name: "isolated-no-remove", unit: aTruth},
		{name: "mark-stale", unit: aTime}, {name: "mark-window", unit: aTime}, {name: "mark-decay"}, {name: "mark-ema", unit: aTime},
		{name: "mark-velocity"},
		{name: "funding-interval", unit: aTime}, {name: "funding-base", unit: aTime}, {name: "funding-sample", unit: aTime},
		{name: "funding-trim"}, {name: "funding-impact", unit: anAmount}, {name: "funding-premium-cap"},
		{name: "funding-interest"}, {name: "funding-scale"},
		{name: "funding-clamp-low", standard: -5 * percent / 100}, {name: "funding-clamp-high", standard: 5 * percent / 100},
		{name: "funding-min", standard: -4 * percent}, {name: "funding-max", standard: 4 * percent},
		{name: "liq-fraction"}, {name: "liq-full", unit: anAmount}, {name: "liq-min", unit: aQuantity}, {name: "liq-cap", unit: anAmount},
		{name: "liq-book-share"}, {name: "liq-fee"}, {name: "liq-spread"}, {name: "liq-adjust"},
	}
	// ladders are parameters that must stay in this order, the lowest first.
	ladders = [][]string{
		{"slope-maintenance", "slope-initial"}, {"oi-low", "oi-high"},
		{"funding-clamp-low", "funding-clamp-high"}, {"funding-min", "funding-max"},
		{"ladder-call2", "ladder-call2-exit", "ladder-call1", "ladder-call1-exit"},
	}
	// laterVenue and laterInstrument are the parameters of rules that are not built yet.
	laterVenue = []string{"ladder-auction", "auction-window", "pm-range", "pm-extreme", "pm-extreme-weight", "pm-vol-up", "pm-vol-down",
		"pm-array-move", "pm-vega", "pm-delta-net", "pm-delta-hedged", "pm-kappa-0", "pm-kappa-1", "pm-kappa-2", "pm-kappa-3", "pm-mm", "pm-im",
		"pm-min-equity", "pm-confidence", "stress-window", "stress-quiet", "stress-move-1", "stress-move-2", "stress-move-3",
		"stress-gap-1", "stress-gap-2", "stress-gap-3", "stress-liquidation-1", "stress-liquidation-2", "stress-liquidation-3",
		"stress-fund-1", "stress-fund-2", "stress-fund-3", "stress-initial-1", "stress-initial-2", "stress-initial-3",
		"auto-isolate", "isolation-window"}
	laterInstrument = []string{"settle-window", "pm-contingency", "pm-short-option", "va-band", "va-window", "va-time"}
)

const percent = int64(fixed.Percent)

// rules are the engine's parameters by name.
var rules = func() map[string]msg.Rule {
	byName := map[string]msg.Rule{}
	for r := msg.Rule(1); r != 0; r++ {
		byName[r.String()] = r
	}
	return byName
}()

// setting is a parameter and what it is to be.
type setting struct {
	*parameter
	value int64
}

// valueKey is a parameter of an instrument, or of the venue with a nil one.
type valueKey struct {
	instrument *instrument
	name       string
}

// settings reads those of the parameters that a statement states; in is nil for the venue's.
func (a *args) settings(parameters []parameter, later []string, in *instrument) (set []setting) {
	a.later(later...)
	for i := range parameters {
		q := &parameters[i]
		p := a.find(q.name)
		if p == nil {
			continue
		}
		if pending[q.name] {
			a.lacks(q.name)
			continue
		}
		value := q.highest
		if !q.none || p.value != "none" {
			value = a.value(q, p, in)
		}
		set = append(set, setting{q, value})
	}
	return set
}

// value reads the value of a parameter in its rule's unit.
func (a *args) value(q *parameter, p *pair, in *instrument) int64 {
	switch q.unit {
	case anAmount:
		return int64(a.amount(p, p.value))
	case aTime:
		return int64(a.time(p.at, p.key, p.value))
	case aCount:
		r, ok := decimal(p.value)
		n, fits := int64(0), false
		if ok {
			n, fits = count(r, one)
		}
		if !fits || n < 0 {
			a.fault(p.at, "%s is %s, expected a whole number from 0 on", p.key, quote(p.value))
		}
		return n
	case aQuantity:
		if in == nil {
			return 0
		}
		return int64(a.lots(p, p.value, in))
	case aTruth:
		if p.value != "true" && p.value != "false" {
			a.fault(p.at, "%s is %s, expected true or false", p.key, quote(p.value))
		}
		if p.value == "true" {
			return 1
		}
		return 0
	}
	return int64(a.fraction(p, p.value))
}

// set sends settings in an order in which none is refused for the sake of another that comes behind it. in is nil for the
// venue's. It returns the first refusal.
func (w *world) set(in *instrument, set []setting) (refused msg.Reject) {
	id := msg.InstrumentID(0)
	if in != nil {
		id = in.id
	}
	for _, s := range inOrder(set, func(p *parameter) int64 { return w.value(in, p) }) {
		c := msg.SetRule(id, rules[s.name], s.value)
		r := w.apply(&c)
		if r == 0 {
			w.values[valueKey{in, s.name}] = s.value
		}
		refused = cmp.Or(refused, r)
	}
	return refused
}

// inOrder sorts settings: of parameters that must stay in order, first what rises above its present value, from the top down,
// then what falls, from the bottom up. So they are in order after each of them, if they are before and after all.
func inOrder(set []setting, present func(*parameter) int64) []setting {
	place := func(s setting) (ladder, rank int) {
		for n, l := range ladders {
			if i := slices.Index(l, s.name); i >= 0 {
				if s.value > present(s.parameter) {
					return n + 1, -i - 1
				}
				return n + 1, i
			}
		}
		return 0, 0
	}
	sorted := slices.Clone(set)
	slices.SortStableFunc(sorted, func(x, y setting) int {
		xn, xi := place(x)
		yn, yi := place(y)
		return cmp.Or(cmp.Compare(xn, yn), cmp.Compare(xi, yi))
	})
	return sorted
}

// value is what a parameter is now.
func (w *world) value(in *instrument, q *parameter) int64 {
	if v, set := w.values[valueKey{in, q.name}]; set {
		return v
	}
	return q.standard
}

// tiers reads UPTO/INITIAL/MAINTENANCE,... whose last UPTO is inf.
func (a *args) tiers() (tiers []msg.Tier) {
	const form = "UPTO/INITIAL/MAINTENANCE,... with inf as the last UPTO, as in 1000000/5%/2.5%,inf/10%/5%"
	p := a.find("tiers")
	if p == nil {
		return nil
	}
	rows := strings.Split(p.value, ",")
	for i, row := range rows {
		parts := strings.Split(row, "/")
		if len(parts) != 3 {
			a.fault(p.at, "tiers has the row %s, expected %s", quote(row), form)
			return nil
		}
		t := msg.Tier{Index: uint8(i), Initial: a.fraction(p, parts[1]), Maintenance: a.fraction(p, parts[2])}
		last := i == len(rows)-1
		switch {
		case last != (parts[0] == "inf"):
			a.fault(p.at, "tiers has the row %s, expected %s", quote(row), form)
			return nil
		case !last:
			if t.UpTo = a.amount(p, parts[0]); t.UpTo <= 0 {
				a.fault(p.at, "tiers reaches up to %s, expected a notional above 0", quote(parts[0]))
			}
		}
		tiers = append(tiers, t)
	}
	const most = 16
	if len(tiers) > most {
		a.fault(p.at, "tiers has %d rows, expected at most %d", len(tiers), most)
		return nil
	}
	return tiers
}

// fees are the rates that a statement states.
type fees struct {
	maker, taker       fixed.Rate
	hasMaker, hasTaker bool
}

func (a *args) fees() (f fees) {
	f.maker, f.hasMaker = a.rate("maker", false), a.given("maker") != nil
	f.taker, f.hasTaker = a.rate("taker", false), a.given("taker") != nil
	return f
}

// setFees states the fee rates of an instrument; what is not stated stays.
func (w *world) setFees(in *instrument, f fees) (refused msg.Reject) {
	if !f.hasMaker && !f.hasTaker {
		return 0
	}
	now, _ := w.eng.Instrument(in.id)
	if !f.hasMaker {
		f.maker = now.Maker
	}
	if !f.hasTaker {
		f.taker = now.Taker
	}
	c := msg.SetFees(in.id, msg.Fees{Maker: f.maker, Taker: f.taker})
	return w.apply(&c)
}

// setTiers states a table of margin brackets.
func (w *world) setTiers(in *instrument, tiers []msg.Tier) (refused msg.Reject) {
	for _, t := range tiers {
		c := msg.SetTier(in.id, t)
		if refused = w.apply(&c); refused != 0 {
			return refused
		}
	}
	return 0
}

// positiveStep reads the step of prices or quantities.
func (a *args) positiveStep(key string) *big.Rat {
	r := a.number(key, "STEP", true)
	if p := a.given(key); p != nil && r != nil && r.Sign() <= 0 {
		a.fault(p.at, "%s is %s, expected a step above 0", key, quote(p.value))
		return nil
	}
	return r
}

// setTable sends the rows of tables, up to the first that is refused.
func (w *world) setTable(rows []msg.Command) (refused msg.Reject) {
	for i := range rows {
		c := rows[i]
		if refused = w.apply(&c); refused != 0 {
			return refused
		}
	}
	return 0
}

var markModes = map[string]msg.MarkMode{"manual": msg.MarkManual, "index": msg.MarkIndex, "composite": msg.MarkComposite}

// markMode reads where the mark comes from.
func (a *args) markMode(standard string) msg.MarkMode {
	p := a.find("mark")
	if p == nil {
		if pending[a.verb+" mark="+standard] {
			a.lacks("mark=" + standard)
		}
		return markModes[standard]
	}
	m, ok := markModes[p.value]
	switch {
	case !ok:
		a.fault(p.at, "mark is %s, expected composite, index or manual%s", quote(p.value), meant(p.value, []string{"composite", "index", "manual"}))
	case pending[a.verb+" mark="+p.value]:
		a.lacks("mark=" + p.value)
	}
	return m
}

// table reads a comma list of rows whose columns are parted by sep.
func (a *args) table(key, sep, form string, columns, most int) (rows [][]string, p *pair) {
	if p = a.find(key); p == nil || p.value == "none" {
		return nil, p
	}
	if pending[key] {
		a.lacks(key)
	}
	for row := range strings.SplitSeq(p.value, ",") {
		parts := strings.Split(row, sep)
		if len(parts) != columns {
			a.fault(p.at, "%s has the row %s, expected %s", key, quote(row), form)
			return nil, nil
		}
		rows = append(rows, parts)
	}
	if len(rows) > most {
		a.fault(p.at, "%s has %d rows, expected at most %d", key, len(rows), most)
		return nil, nil
	}
	return rows, p
}

const mostRows = 256 // a row's index is a byte

// feeTiers reads the table of the venue's fee tiers.
func (a *args) feeTiers() (rows []msg.Command) {
	cells, p := a.table("fee-tiers", "/", "VOLUME/MAKER/TAKER,..., as in 0/1bp/5bp,25000000/-1bp/2.5bp", 3, mostRows)
	if p != nil && cells == nil && a.tiered {
		a.fault(p.at, "fee-tiers is \"none\", expected rows: a table that is in force can be replaced, and does not go away")
	}
	a.tiered = a.tiered || cells != nil
	for i, c := range cells {
		rows = append(rows, msg.SetFeeTier(msg.FeeTier{Index: uint8(i), Last: i == len(cells)-1, Volume: a.amount(p, c[0]),
			Fees: msg.Fees{Maker: a.fraction(p, c[1]), Taker: a.fraction(p, c[2])}}))
	}
	return rows
}

// instrumentTables reads the parameters of an instrument that are lists.
func (a *args) instrumentTables(in *instrument) (rows []msg.Command) {
	id := msg.InstrumentID(0)
	if in != nil {
		id = in.id
	}
	cells, p := a.table("concentration", ":", "SHARE:RATE,..., as in 25%:5%,50%:10%", 2, mostRows)
	if p != nil && cells == nil {
		cells = [][]string{{"0", "0"}}
	}
	for i, c := range cells {
		rows = append(rows, msg.SetConcentration(id, msg.Concentration{Index: uint8(i), Last: i == len(cells)-1,
			Share: a.fraction(p, c[0]), Rate: a.fraction(p, c[1])}))
	}
	return a.inputs(id, rows)
}

// The words for what a composite mark is made of, by bit, and how, by number.
var (
	markInputs   = []string{"basis", "book", "trades"}
	markCombines = []string{"median", "weighted"}
)

// inputs reads what a composite mark is made of.
func (a *args) inputs(id msg.InstrumentID, rows []msg.Command) []msg.Command {
	cells, p := a.table("mark-inputs", ",", "basis, book and trades", 1, len(markInputs))
	bits := int64(0)
	for _, c := range cells {
		i := slices.Index(markInputs, c[0])
		switch {
		case c[0] == "external":
			a.lacks("mark-inputs=external")
		case i < 0:
			a.fault(p.at, "mark-inputs has %s, expected a comma list of basis, book and trades%s", quote(c[0]), meant(c[0], markInputs))
		case bits&(1<<i) != 0:
			a.fault(p.at, "mark-inputs has %s twice", quote(c[0]))
		default:
			bits |= 1 << i // as msg.MarkBasis, msg.MarkBook and msg.MarkTrades are
		}
	}
	if cells != nil {
		rows = append(rows, msg.SetRule(id, msg.MarkInputs, bits))
	}
	if p := a.find("mark-combine"); p != nil {
		i := slices.Index(markCombines, p.value)
		if i < 0 {
			a.fault(p.at, "mark-combine is %s, expected median or weighted", quote(p.value))
		} else if pending["mark-combine"] {
			a.lacks("mark-combine")
		}
		rows = append(rows, msg.SetRule(id, msg.MarkCombine, int64(i)))
	}
	return a.markWeights(id, rows)
}

// markWeights reads the weights of basis, book and trades.
func (a *args) markWeights(id msg.InstrumentID, rows []msg.Command) []msg.Command {
	p := a.find("mark-weights")
	if p == nil {
		return rows
	}
	if pending["mark-weights"] {
		a.lacks("mark-weights")
	}
	parts := strings.Split(p.value, ",")
	weights := []msg.Rule{msg.MarkWeightBasis, msg.MarkWeightBook, msg.MarkWeightTrades}
	if len(parts) != len(weights) {
		a.fault(p.at, "mark-weights is %s, expected three whole numbers for basis, book and trades, as in 1,1,2", quote(p.value))
		return rows
	}
	var zeros []msg.Command // they come last, so that on the way there is always a weight
	for i, text := range parts {
		n, fits := int64(0), false
		if r, ok := decimal(text); ok {
			n, fits = count(r, one)
		}
		if !fits || n < 0 {
			a.fault(p.at, "mark-weights has %s, expected a whole number from 0 on", quote(text))
		}
		if set := msg.SetRule(id, weights[i], n); n == 0 {
			zeros = append(zeros, set)
		} else {
			rows = append(rows, set)
		}
	}
	return append(rows, zeros...)
}
