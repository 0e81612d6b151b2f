package stress

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"

	"github.com/lockstep-exchange/lockstep/fixed"
)

// The page: one HTML file without a script or a request to anywhere, for who decides and does not run anything. Paper shows all of
// it, and both light and dark are drawn.

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"odd":     func(i int) bool { return i%2 == 1 },
	"number":  grouped,
	"capital": func(text string) string { return strings.ToUpper(text[:1]) + text[1:] },
}).Parse(pageText))

// Origin says how a report came about, for who wants it again.
type Origin struct {
	Command string // as it was typed
	Version string // of the binary
}

// grouped parts the thousands of a count.
func grouped(n any) string {
	switch n := n.(type) {
	case int:
		return group(int64(n))
	case int64:
		return group(n)
	}
	return fmt.Sprint(n)
}

// pageView is what the page's template reads.
type pageView struct {
	*Report
	Origin
	Title     string
	Short     []string
	Tiles     []tileView
	Marks     []string
	Rows      []rowView
	Charts    []chartView
	Timelines []timelineView
	Lost      []accountView
	Rules     []ruleView
	Moves     []moveView
	More      int // instruments that no chart has room for
}

type tileView struct {
	Name   string
	Rule   string
	Values []string
}

type rowView struct {
	Label, Rule string
	Values      []string
	Gap         string // of two modes
}

type moveView struct {
	Instrument
	Low, High, Last string
}

type timelineView struct {
	Mode    string
	Mark    string
	All     int
	Moments []Moment
}

type accountView struct {
	Story
	Sentences []string
	Rows      []chapterView
}

type chapterView struct {
	Mark, Mode, Outcome         string
	Before, After, Change       string
	Calls, Liquidations, Slices int
	Slippage, Fees              string
}

type ruleView struct{ Rule, Says string }

// WritePage writes the report as one HTML page.
func (p *Report) WritePage(w io.Writer, o Origin) error {
	v := pageView{Report: p, Origin: o, Title: p.Book.Name + " under " + p.Scenario.Name, Short: p.short(), Tiles: p.tiles(), Rows: p.rows(), Charts: p.charts(),
		More: max(0, len(p.Instruments)-linesMax)}
	for _, m := range p.Modes {
		v.Marks = append(v.Marks, letter(m.Mode))
	}
	for i, m := range p.Modes {
		v.Timelines = append(v.Timelines, timelineView{Mode: m.Mode, Mark: letter(m.Mode), All: len(p.runs[i].collect.records), Moments: m.Moments})
	}
	for _, in := range p.Instruments {
		v.Moves = append(v.Moves, moveView{in, in.moves[0], in.moves[1], in.moves[2]})
	}
	for _, s := range p.Worst {
		v.Lost = append(v.Lost, newAccountView(s))
	}
	v.Rules = p.rules()
	return page.Execute(w, v)
}

// letter is the mark of a mode.
func letter(mode string) string { return strings.ToUpper(mode[:1]) }

func newAccountView(s Story) accountView {
	v := accountView{Story: s}
	for i, text := range s.Why {
		if i < len(s.Modes) {
			mode, rest, _ := strings.Cut(text, ": ")
			text = strings.ToUpper(mode[:1]) + mode[1:] + ": " + rest
		}
		v.Sentences = append(v.Sentences, sentence(text))
	}
	for _, m := range s.Modes {
		v.Rows = append(v.Rows, chapterView{letter(m.Mode), m.Mode, m.Outcome, money(m.before), money(m.after), signed(m.change), m.Calls,
			m.Liquidations, m.Slices, money(m.slippage), money(m.fees)})
	}
	return v
}

// short is the report in a few sentences.
func (p *Report) short() (lines []string) {
	for _, m := range p.Modes {
		f := func(name string) string { return m.Figures.find(name).String() }
		n := func(name string) int64 { return m.Figures.find(name).Value }
		text := fmt.Sprintf("Under %s margin %s of %s accounts were called and %s were sold or closed out; those who lost, lost %s.", m.Mode, f("called"),
			group(int64(p.Accounts)), f("liquidated"), f("lost"))
		text += fmt.Sprintf(" The insurance fund paid %s and ends at %s.", f("insurance"), f("fund"))
		if n("adl") > 0 {
			text += fmt.Sprintf(" It declined %s pools, for which winning positions were cut %s times.", f("adl"), f("fills"))
		} else {
			text += " No winner was cut."
		}
		if n("deficit") > 0 {
			text += fmt.Sprintf(" A loss of %s is covered by nobody.", f("deficit"))
		} else {
			text += " No loss is left uncovered."
		}
		lines = append(lines, text)
	}
	return lines
}

// tiles are the figures that are looked at first.
func (p *Report) tiles() (tiles []tileView) {
	for _, name := range []string{"called", "liquidated", "insurance", "adl", "deficit"} {
		f := p.Modes[0].Figures.find(name)
		t := tileView{Name: f.Label, Rule: f.Rule}
		for _, m := range p.Modes {
			t.Values = append(t.Values, m.Figures.find(name).String())
		}
		tiles = append(tiles, t)
	}
	return tiles
}

// rows are the comparison.
func (p *Report) rows() (rows []rowView) {
	for i, f := range p.Modes[0].Figures {
		r := rowView{Label: f.Label, Rule: f.Rule}
		for _, m := range p.Modes {
			r.Values = append(r.Values, m.Figures[i].String())
		}
		if len(p.Modes) == 2 {
			g := f
			if g.Value = p.Modes[1].Figures[i].Value - f.Value; g.Value != 0 {
				if r.Gap = g.String(); g.Unit == Share {
					r.Gap = strings.TrimSuffix(r.Gap, " %") + " points"
				}
				if g.Value > 0 {
					r.Gap = "+" + r.Gap
				}
			}
		}
		rows = append(rows, r)
	}
	return rows
}

// charts are the courses of prices, usage, calls, liquidations and the fund.
func (p *Report) charts() (charts []chartView) {
	first := p.runs[0]
	base := drawing{times: first.series.times, start: first.start, dated: first.shock.dated()}
	prices := base
	prices.title, prices.say, prices.write = "Prices", "Marks, as a change from the prices at which the book is opened.", writePercent
	for i, in := range first.book.instruments[:min(len(first.book.instruments), linesMax)] {
		l := line{name: in.name, mark: in.name[:1]}
		for _, m := range first.series.marks[i] {
			l.values = append(l.values, 100*(float64(m)/float64(in.price)-1))
		}
		prices.lines = append(prices.lines, l)
	}
	charts = append(charts, prices.chart(true))
	for _, c := range []struct {
		title, say string
		write      func(float64) string
		steps      bool
		cap        float64
		of         func(*series) []float64
	}{
		{"Margin usage", "Initial requirement over the equity that stands behind it, all positions together; at 100 % nothing is free.", writePercent, false, 150,
			func(s *series) []float64 { return scaled(s.usage, float64(fixed.Percent)) }},
		{"Margin calls", "So far, first and second ones.", writeCount, true, 0, func(s *series) []float64 { return scaled(s.calls, 1) }},
		{"Liquidations", "So far, by pools: an account under cross margin, a position under isolated.", writeCount, true, 0,
			func(s *series) []float64 { return scaled(s.sales, 1) }},
		{"Insurance fund", "Its balance, in " + p.Settlement + ".", writeShort, true, 0, func(s *series) []float64 { return scaled(s.fund, float64(fixed.Coin)) }},
		{"Deficit", "Losses that nobody covers, in " + p.Settlement + ".", writeShort, true, 0, func(s *series) []float64 { return scaled(s.losses, float64(fixed.Coin)) }},
	} {
		d := base
		d.title, d.say, d.write, d.cap, d.floor = c.title, c.say, c.write, c.cap, c.title != "Insurance fund"
		most := 0.0
		for _, r := range p.runs {
			l := line{name: r.mode.String(), mark: letter(r.mode.String()), steps: c.steps, values: c.of(&r.series)}
			most = max(most, slices.Max(l.values))
			d.lines = append(d.lines, l)
		}
		if c.title == "Deficit" && most == 0 {
			continue
		}
		charts = append(charts, d.chart(false))
	}
	return charts
}

// scaled is a series in another unit.
func scaled[T ~int64](values []T, unit float64) []float64 {
	all := make([]float64, len(values))
	for i, v := range values {
		all[i] = float64(v) / unit
	}
	return all
}

// rules are those that the page names, with what they say.
func (p *Report) rules() (rules []ruleView) {
	named := map[string]bool{}
	for _, f := range p.Modes[0].Figures {
		named[f.Rule] = true
	}
	for _, m := range p.Modes {
		for _, moment := range m.Moments {
			named[moment.Rule] = true
		}
	}
	for _, s := range p.Worst {
		named[s.Rule] = true
		for _, text := range s.Why {
			for rule := range sayings {
				named[rule] = named[rule] || strings.Contains(text, rule)
			}
		}
	}
	for rule, says := range sayings {
		if named[rule] {
			rules = append(rules, ruleView{rule, says})
		}
	}
	slices.SortFunc(rules, func(a, b ruleView) int { return strings.Compare(a.Rule, b.Rule) })
	return rules
}

// sayings are the rules of margin in a sentence each; docs/MARGIN.md has them in full.
var sayings = map[string]string{
	"M-03": "Equity is cash, unrealized profit and loss, and funding that is owed.",
	"M-12": "Each position requires an initial margin that grows with its size.",
	"M-15": "A pool's requirement is the sum over its positions; all of its equity stands behind each of them.",
	"M-23": "An isolated position is posted its initial margin, and no more is behind it.",
	"M-33": "While sources disagree or are silent the index is frozen: nothing is sold, nothing taken over.",
	"M-42": "Longs pay shorts the funding rate, or the other way.",
	"M-46": "Equity over maintenance decides the rung: first call, second call, liquidation, takeover.",
	"M-47": "A rung is left at a better health than it was entered at; a first call becomes a second after its deadline.",
	"M-48": "A pool in liquidation is sold slice by slice, until it is well again.",
	"M-49": "No slice is sold beyond the price at which the pool would be bankrupt; steps without a fill count.",
	"M-50": "A slice pays a fee to the insurance fund, never more than is left.",
	"M-52": "What cannot be sold the insurance fund takes over with all its equity, within its caps.",
	"M-53": "Where the fund declines, those who won most close the position.",
	"M-54": "A shortfall beyond that is paid by the fund, then by the gains of this deleveraging; the rest is a deficit.",
	"M-70": "An instrument is in a phase: open, halted, in a call auction.",
}
