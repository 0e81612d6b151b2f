package stress

import (
	"strconv"

	"github.com/lockstep-exchange/lockstep/fixed"
)

// Figure is one row of the comparison: what it is, by which rule, and in which unit. Its value is Money where it is money, else a count
// or, for a rate, billionths.
type Figure struct {
	Name  string // as --require and JSON call it
	Label string // as a table does
	Rule  string
	Unit  Unit
	Value int64
}

// Unit is what a figure counts.
type Unit uint8

const (
	Count Unit = iota
	Amount
	Share
)

// String is the figure for people.
func (f *Figure) String() string {
	switch f.Unit {
	case Amount:
		return money(fixed.Money(f.Value))
	case Share:
		if f.Value >= int64(usageMax) {
			return "1,000 % or more"
		}
		return percent(fixed.Rate(f.Value), 1)
	}
	return group(f.Value)
}

// exact is the figure as JSON and CSV have it.
func (f *Figure) exact() string {
	switch f.Unit {
	case Amount:
		return fixed.Money(f.Value).String()
	case Share:
		return fixed.Rate(f.Value).String()
	}
	return strconv.FormatInt(f.Value, 10)
}

// Figures are those of one mode, in the order of the table.
type Figures []Figure

// MarshalJSON is an object of figures by name: amounts and rates are strings, counts are numbers.
func (f Figures) MarshalJSON() ([]byte, error) {
	dst := []byte{'{'}
	for i := range f {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(append(append(dst, '"'), f[i].Name...), '"', ':')
		if f[i].Unit == Count {
			dst = append(dst, f[i].exact()...)
		} else {
			dst = append(append(append(dst, '"'), f[i].exact()...), '"')
		}
	}
	return append(dst, '}'), nil
}

// find is a figure by name, nil without one.
func (f Figures) find(name string) *Figure {
	for i := range f {
		if f[i].Name == name {
			return &f[i]
		}
	}
	return nil
}

// figures are what a run came to.
func (r *run) figures() Figures {
	c := r.collect
	venue := r.eng.VenueAccounts()
	var initial, posted, lost, gained fixed.Money
	var broke int64
	for _, a := range r.accounts {
		t := c.of(a.id)
		initial += t.initial
		posted += t.posted
		if d := t.after - t.before; d < 0 {
			lost -= d
		} else {
			gained += d
		}
		if t.after <= 0 {
			broke++
		}
	}
	peak := fixed.Rate(0)
	for _, u := range r.series.usage {
		peak = max(peak, u)
	}
	amount := func(name, label, rule string, m fixed.Money) Figure {
		return Figure{name, label, rule, Amount, int64(m)}
	}
	count := func(name, label, rule string, n int64) Figure { return Figure{name, label, rule, Count, n} }
	return Figures{
		amount("initial", "initial requirement", "M-12", initial),
		amount("posted", "money behind the positions", "M-15", posted),
		{"usage", "highest margin usage", "M-15", Share, int64(peak)},
		count("calls", "margin calls", "M-46", c.calls1+c.calls2),
		count("calls2", "of these second calls", "M-46", c.calls2),
		count("called", "accounts called", "M-46", c.called),
		count("liquidations", "liquidations", "M-48", c.started),
		count("liquidated", "accounts sold or closed out", "M-46", c.liquidated),
		count("slices", "slices sold", "M-48", c.slices),
		amount("sold", "sold for", "M-48", c.sold),
		amount("slippage", "slippage paid", "M-49", c.slippage),
		amount("fees", "liquidation fees", "M-50", c.fees),
		count("takeovers", "takeovers by the fund", "M-52", c.takeovers),
		amount("insurance", "insurance fund used", "M-52", c.drawn),
		amount("income", "insurance fund income", "M-50", c.income),
		amount("fund", "insurance fund at the end", "M-52", venue.Fund),
		amount("low", "insurance fund at its lowest", "M-52", c.fundLow),
		count("adl", "pools deleveraged", "M-53", c.adl),
		count("fills", "cuts of winning positions", "M-53", c.fills),
		amount("deleveraged", "closed against winners", "M-53", c.adlNotional),
		amount("socialized", "gains cut for shortfalls", "M-54", c.socialized),
		amount("deficit", "deficit nobody covers", "M-54", -venue.Deficit),
		count("broke", "accounts left with nothing", "M-03", broke),
		amount("lost", "lost by those who lost", "M-03", lost),
		amount("gained", "gained by those who gained", "M-03", gained),
	}
}

// figureNames are the names of all figures, in the order of the table.
var figureNames = []string{"initial", "posted", "usage", "calls", "calls2", "called", "liquidations", "liquidated", "slices", "sold", "slippage",
	"fees", "takeovers", "insurance", "income", "fund", "low", "adl", "fills", "deleveraged", "socialized", "deficit", "broke",
	"lost", "gained"}
