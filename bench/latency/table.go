package latency

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Row is the figures of one tag of one log. A percentile with too few samples behind it is absent.
type Row struct {
	Log   string
	Tag   string
	Count int64
	P     []*int64 // ns, in the order of Percentiles
	Max   int64    // ns
}

// Rows are the figures of the logs, log by log and tag by tag.
func Rows(logs ...*Log) (rows []Row) {
	for _, log := range logs {
		for _, tag := range log.Tags {
			rows = append(rows, row(log.Name, tag))
		}
	}
	return rows
}

func row(log string, tag *Tag) Row {
	r := Row{Log: log, Tag: tag.Name, Count: tag.Total.TotalCount(), Max: tag.Total.Max()}
	for _, p := range Percentiles {
		r.P = append(r.P, figure(p, tag.Total))
	}
	return r
}

func figure(p Percentile, h *hdrhistogram.Histogram) *int64 {
	if ns, ok := p.Of(h); ok {
		return &ns
	}
	return nil
}

// MarshalJSON writes {"log","tag","count","p50",...,"max"}, latencies in ns and null where the samples are too few.
func (r Row) MarshalJSON() ([]byte, error) {
	var b strings.Builder
	fmt.Fprintf(&b, `{"log":%s,"tag":%s,"count":%d`, quote(r.Log), quote(r.Tag), r.Count)
	for i, p := range Percentiles {
		fmt.Fprintf(&b, `,"%s":%s`, p.Name, number(r.P[i]))
	}
	fmt.Fprintf(&b, `,"max":%d}`, r.Max)
	return []byte(b.String()), nil
}

func quote(s string) string {
	b, _ := json.Marshal(s) // a string always can
	return string(b)
}

func number(ns *int64) string {
	if ns == nil {
		return "null"
	}
	return strconv.FormatInt(*ns, 10)
}

// cell is a latency as a table shows it.
func cell(ns *int64) string {
	if ns == nil {
		return "-"
	}
	return Format(*ns)
}

// group writes a count in groups of three digits: 1,234,567.
func group(n int64) string {
	digits := strconv.FormatInt(n, 10)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// tagName is the name as a table shows it.
func tagName(tag string) string {
	if tag == "" {
		return "(none)"
	}
	return tag
}

// Table writes the rows as a table: one line a row, "-" where the samples are too few.
func Table(w io.Writer, rows []Row) error {
	lines := [][]string{{"log", "tag", "count"}}
	for _, p := range Percentiles {
		lines[0] = append(lines[0], p.Name)
	}
	lines[0] = append(lines[0], "max")
	for _, r := range rows {
		line := []string{r.Log, tagName(r.Tag), group(r.Count)}
		for _, p := range r.P {
			line = append(line, cell(p))
		}
		lines = append(lines, append(line, Format(r.Max)))
	}
	return align(w, lines, 2)
}

// align writes lines in columns: the first left ones to the left, the others to the right.
func align(w io.Writer, lines [][]string, left int) error {
	widths := make([]int, len(lines[0]))
	for _, line := range lines {
		for i, word := range line {
			widths[i] = max(widths[i], utf8.RuneCountInString(word))
		}
	}
	var out strings.Builder
	for _, line := range lines {
		var text strings.Builder
		for i, word := range line {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(word))
			if i < left {
				word += pad
			} else {
				word = pad + word
			}
			text.WriteString(word + "  ")
		}
		out.WriteString(strings.TrimRight(text.String(), " ") + "\n")
	}
	_, err := io.WriteString(w, out.String())
	return err
}
