package stress

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// WriteText writes the report for people: the comparison, the prices, and why the accounts fared as they did that lost most.
func (p *Report) WriteText(w io.Writer) error {
	var b strings.Builder
	if p.Partial {
		fmt.Fprintf(&b, "PARTIAL: interrupted, not every mode was run to its end\n")
	}
	fmt.Fprintf(&b, "book      %s: %s\nscenario  %s: %s\n", p.Book.Name, p.Book.Title, p.Scenario.Name, p.Scenario.Title)
	fmt.Fprintf(&b, "          %s accounts, %s positions, %s to %s in steps of %s, seed %d, money in %s\n\n", group(int64(p.Accounts)),
		group(int64(p.Positions)), p.From, p.To, p.Step, p.Seed, p.Settlement)
	head := []string{""}
	for _, m := range p.Modes {
		head = append(head, m.Mode)
	}
	rows := [][]string{append(head, "rule")}
	for i, f := range p.Modes[0].Figures {
		row := []string{f.Label}
		for _, m := range p.Modes {
			row = append(row, m.Figures[i].String())
		}
		rows = append(rows, append(row, f.Rule))
	}
	columned(&b, rows, "l"+strings.Repeat("r", len(p.Modes))+"l")
	b.WriteString("\n")
	rows = [][]string{{"", "opens at", "lowest", "", "highest", "", "ends at", ""}}
	for _, in := range p.Instruments {
		rows = append(rows, []string{in.Name, in.Open, in.Lowest, in.moves[0], in.Highest, in.moves[1], in.End, in.moves[2]})
	}
	columned(&b, rows, "lrrrrrrr")
	b.WriteString("\n")
	for i := range p.Worst[:min(len(p.Worst), whyMax)] {
		p.Worst[i].why(&b)
	}
	for _, m := range p.Modes {
		fmt.Fprintf(&b, "state     %s %s after %s commands\n", m.State, m.Mode, group(m.Commands))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// whyMax is of how many accounts the terminal shows why.
const whyMax = 5

// why writes why an account fared as it did: the verdict with its rule, and a paragraph for each mode.
func (s *Story) why(b *strings.Builder) {
	fmt.Fprintf(b, "why: account %d (%s, %s) %s, rule %s\n", s.Account, s.Name, s.Positions, s.Verdict, s.Rule)
	for i, text := range s.Why {
		if i < len(s.Modes) {
			m := &s.Modes[i]
			_, rest, _ := strings.Cut(text, ": ")
			text = fmt.Sprintf("%s: %s, %s, equity %s. %s", m.Mode, m.Outcome, signed(m.change), money(m.after), sentence(rest))
		} else {
			text = sentence(text)
		}
		wrap(b, text, "  ", 118)
	}
	b.WriteString("\n")
}

// wrap writes words in lines that are no longer than width, indented.
func wrap(b *strings.Builder, text, indent string, width int) {
	line := indent
	for _, word := range strings.Fields(text) {
		if len(line)+len(word) > width && line != indent {
			b.WriteString(strings.TrimRight(line, " ") + "\n")
			line = indent + indent
		}
		line += word + " "
	}
	b.WriteString(strings.TrimRight(line, " ") + "\n")
}

// columned writes rows in columns: "l" to the left, "r" to the right. The last column is never padded.
func columned(b *strings.Builder, rows [][]string, sides string) {
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
			line.WriteString(word + "  ")
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
}
