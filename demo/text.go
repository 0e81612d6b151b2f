package demo

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/lockstep-exchange/lockstep/bench"
	"github.com/lockstep-exchange/lockstep/bench/latency"
)

// WriteText writes the report for people.
func (p *Report) WriteText(w io.Writer) error {
	var b strings.Builder
	p.title(&b)
	p.work(&b)
	p.times(&b)
	p.orders(&b)
	p.balances(&b)
	p.verdicts(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

func (p *Report) title(b *strings.Builder) {
	if p.Partial {
		fmt.Fprintf(b, "PARTIAL: interrupted, the rest of the recording was not played\n")
	}
	pace := fmt.Sprintf("%.4g times as fast", p.Rate)
	if p.Rate == 0 {
		pace = "without any pace"
	}
	fmt.Fprintf(b, "%s, recorded %s to %s UTC, played %s in %.1f s\n", p.Symbol,
		p.From.Format(time.DateTime), p.To.Format(time.TimeOnly), pace, p.Seconds)
	fmt.Fprintf(b, "%d makers keep the recorded book, %s takers send the recorded trades, seed %d\n", p.Makers, group(int64(p.Takers)), p.Seed)
}

// section begins a part of the report.
func section(b *strings.Builder, name string) { fmt.Fprintf(b, "\n%s\n", name) }

func (p *Report) work(b *strings.Builder) {
	section(b, "commands")
	rows := [][]string{
		{"in all", group(p.Commands), fmt.Sprintf("%s a second, after %s to open the market", group(int64(p.PerSecond)), group(p.Opening))},
		{"new orders", group(p.New), ""},
		{"amends", group(p.Amends), ""},
		{"cancels", group(p.Cancels), ""},
		{"marks", group(p.Marks), "one each 100 ms of recorded time"},
	}
	table(b, rows, "lrl")
}

func (p *Report) times(b *strings.Builder) {
	section(b, "latency, from the time a command was due to its first event on another thread")
	l := p.Latency
	if l == nil {
		fmt.Fprintf(b, "  not measured: without any pace it is the time in a full queue\n")
		return
	}
	head := []string{"", "count"}
	for _, q := range latency.Percentiles {
		head = append(head, q.Name)
	}
	rows := [][]string{append(head, "max")}
	for _, r := range []struct {
		name string
		row  latency.Row
	}{{"engine", l.Engine}, {"empty handler", l.Empty}} {
		row := []string{r.name, group(r.row.Count)}
		for _, ns := range r.row.P {
			if ns == nil {
				row = append(row, "-")
			} else {
				row = append(row, latency.Format(*ns))
			}
		}
		rows = append(rows, append(row, latency.Format(r.row.Max)))
	}
	table(b, rows, "lrrrrrrr")
	where := fmt.Sprintf("pinned to core %d", l.Core)
	if l.Core < 0 {
		where = "not pinned"
	}
	fmt.Fprintf(b, "  the machine takes %.2f%% of an empty loop: %.0f gaps over %s a second, the longest %s\n",
		100*l.Floor.Lost, l.Floor.PerSecond, latency.Format(l.Floor.OverNs), latency.Format(l.Floor.LongestNs))
	if l.Floor.Void {
		fmt.Fprintf(b, "  that is more than %g%%: the figures above are those of a busy machine\n", 100*bench.VoidAbove)
	}
	fmt.Fprintf(b, "  %s; hot thread %s, waiting by %s; no journal\n", p.Machine, where, l.Waiting)
}

func (p *Report) orders(b *strings.Builder) {
	section(b, "takers' orders")
	f := &p.Flow
	table(b, [][]string{
		{"", "orders", "BTC", ""},
		{"asked", group(f.Orders), commas(f.Asked), "one for each recorded trade, immediate or cancel at its price"},
		{"traded", "", commas(f.Traded), fmt.Sprintf("in %s trades, %s USDT", group(f.Trades), commas(cents(f.Turnover)))},
		{"not filled", "", commas(f.Unfilled), "nothing left at the recorded price: the recorded book is told each 50 ms only"},
		{"refused", group(f.Refused), commas(f.Denied), ""},
	}, "lrrl")
	section(b, "refusals")
	rows := [][]string{}
	for _, r := range p.Rejects {
		rows = append(rows, []string{r.Reject, group(r.Count), r.text})
	}
	if len(rows) == 0 {
		fmt.Fprintf(b, "  none\n")
	}
	table(b, rows, "lrl")
}

func (p *Report) balances(b *strings.Builder) {
	section(b, "money, USDT")
	m := &p.Money
	table(b, [][]string{
		{"makers", signed(m.Makers), "change of equity"},
		{"takers", signed(m.Takers), "change of equity"},
		{"venue", signed(m.Fees), "fees, rebates deducted"},
		{"rebates", signed(m.Rebates), "earned by makers, paid at the end of the day"},
		{"sum", m.Sum, ""},
	}, "lrl")
	fmt.Fprintf(b, "\n  open interest %s BTC; initial margin %s USDT, open orders included; accounts below theirs: %d\n",
		commas(m.Interest), commas(cents(m.Required)), m.Short)
	section(b, "largest changes of equity, USDT")
	rows := [][]string{{"account", "", "change", "deposit", "position, BTC"}}
	for _, a := range p.Accounts {
		rows = append(rows, []string{fmt.Sprint(a.ID), a.Role, signed(cents(a.Change)), commas(cents(a.Deposit)), a.Position})
	}
	table(b, rows, "rlrrr")
}

func (p *Report) verdicts(b *strings.Builder) {
	section(b, "checks")
	rows := [][]string{}
	for _, c := range p.Checks {
		verdict := "ok"
		if !c.Holds {
			verdict = "FAILED"
		}
		rows = append(rows, []string{verdict, c.Name, c.Found})
	}
	table(b, rows, "lll")
	fmt.Fprintf(b, "\nstate %s\n", p.State)
}

// cents is an amount of six decimals cut to two.
func cents(amount string) string { return amount[:max(0, len(amount)-4)] }

// signed is a number with its sign.
func signed(number string) string {
	if !strings.HasPrefix(number, "-") {
		number = "+" + number
	}
	return number[:1] + commas(number[1:])
}

// table writes rows in columns, indented: "l" to the left, "r" to the right. The last column is never padded.
func table(b *strings.Builder, rows [][]string, sides string) {
	widths := make([]int, len(sides))
	for _, row := range rows {
		for i, word := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(word))
		}
	}
	for _, row := range rows {
		var line strings.Builder
		for i, word := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(word))
			if sides[i] == 'l' {
				word += pad
			} else {
				word = pad + word
			}
			line.WriteString("  " + word)
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
}
