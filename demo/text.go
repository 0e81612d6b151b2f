package demo

import (
	"fmt"
	"io"
	"strconv"
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
	p.prices(&b)
	p.ladder(&b)
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
		{"in all", group(p.Commands), fmt.Sprintf("%s a second, after %s to open the market; ack %s", group(int64(p.PerSecond)), group(p.Opening), p.Ack)},
		{"new orders", group(p.New), ""},
		{"amends", group(p.Amends), ""},
		{"cancels", group(p.Cancels), ""},
		{"prices", group(p.Reports), "reports of three sources, one each 100 ms of recorded time"},
		{"ticks", group(p.Ticks), "when something is due: a mark, a funding payment, a slice of a liquidation"},
	}
	if p.Recovery != nil {
		rows = append(rows, []string{"recovered", group(p.Resumed), fmt.Sprintf("found in the journal, epoch %d", p.Recovery.Epoch)})
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
	fmt.Fprintf(b, "  %s; hot thread %s, waiting by %s; ack %s\n", p.Machine, where, l.Waiting, p.Ack)
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

func (p *Report) prices(b *strings.Builder) {
	section(b, "prices and funding, USDT")
	o, f := &p.Oracle, &p.Funding
	table(b, [][]string{
		{"index", commas(o.Index), fmt.Sprintf("of %d sources, moved %s times", o.Sources, group(o.Steps))},
		{"mark", commas(o.Mark), fmt.Sprintf("of index, book and trades, moved %s times", group(o.Marks))},
		{"health", o.Health, fmt.Sprintf("%s times degraded on the way, when a source lied or fell silent; %s times frozen", group(o.Degraded), group(o.Frozen))},
		{"funding", percent(f.Rate), fmt.Sprintf("at the last of %d payments, one a minute; who was touched since paid %s or received %s",
			f.Payments, commas(cents(f.Paid)), commas(cents(f.Received)))},
	}, "lrl")
}

func (p *Report) ladder(b *strings.Builder) {
	section(b, "margin")
	m := &p.Margin
	table(b, [][]string{
		{"positions", group(m.Cross + m.Isolated), fmt.Sprintf("%s cross, %s isolated", group(m.Cross), group(m.Isolated))},
		{"ok", group(m.OK), ""},
		{"call 1", group(m.Call1), fmt.Sprintf("after %s first calls", group(m.Calls1))},
		{"call 2", group(m.Call2), fmt.Sprintf("after %s second calls; %s calls were cleared", group(m.Calls2), group(m.Cleared))},
		{"liquidating", group(m.Liquidating), fmt.Sprintf("after %s liquidations, %s ended: %s slices of %s BTC, fees %s USDT",
			group(m.Started), group(m.Ended), group(m.Slices), commas(m.Sold), commas(cents(m.Fees)))},
		{"takeovers", group(m.Takeovers), "by the insurance fund"},
		{"deleveraged", group(m.ADL), fmt.Sprintf("against %s who had won", group(m.Fills))},
		{"fund", commas(cents(m.After)), fmt.Sprintf("USDT, %s before", commas(cents(m.Before)))},
	}, "lrl")
	var words []string
	for _, r := range m.Nearest {
		words = append(words, fmt.Sprintf("%s: %s", r.Distance, group(int64(r.Accounts))))
	}
	fmt.Fprintf(b, "\n  from the mark to liquidation, accounts: %s\n", strings.Join(words, "  "))
}

func (p *Report) balances(b *strings.Builder) {
	section(b, "money, USDT")
	m := &p.Money
	table(b, [][]string{
		{"makers", signed(m.Makers), "change of equity"},
		{"takers", signed(m.Takers), "change of equity"},
		{"venue", signed(m.Fees), "fees, rebates deducted"},
		{"rebates", signed(m.Rebates), "earned by makers, paid at the end of the day"},
		{"fund", signed(m.Fund), "change of the insurance fund"},
		{"funding", signed(m.Funding), "what rounding left of it"},
		{"deficit", m.Deficit, "losses that nobody covered"},
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

// percent is a rate of six decimals for people.
func percent(rate string) string {
	r, err := strconv.ParseFloat(rate, 64)
	if err != nil {
		return rate
	}
	return fmt.Sprintf("%.4f%%", 100*r)
}

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
