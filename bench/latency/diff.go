package latency

import (
	"fmt"
	"io"
)

// Delta is one figure of one tag in two logs.
type Delta struct {
	Tag    string   `json:"tag"`
	Figure string   `json:"figure"` // count, p50 ... p99.99, max
	A      *int64   `json:"a"`      // ns, or samples; nil where the log has no such tag or too few samples
	B      *int64   `json:"b"`
	Change *float64 `json:"change"` // percent of A; nil where one is missing or A is 0
}

// Diff compares two logs, tag by tag in the order of a, then those that only b has.
func Diff(a, b *Log) (deltas []Delta) {
	for _, tag := range a.Tags {
		deltas = append(deltas, tagDeltas(tag.Name, tag, b.Tag(tag.Name))...)
	}
	for _, tag := range b.Tags {
		if a.Tag(tag.Name) == nil {
			deltas = append(deltas, tagDeltas(tag.Name, nil, tag)...)
		}
	}
	return deltas
}

// tagDeltas are the figures of a tag; one side may be nil.
func tagDeltas(name string, a, b *Tag) (deltas []Delta) {
	figures := []string{"count"}
	for _, p := range Percentiles {
		figures = append(figures, p.Name)
	}
	for _, f := range append(figures, "max") {
		deltas = append(deltas, delta(name, f, a.figure(f), b.figure(f)))
	}
	return deltas
}

func delta(tag, figure string, a, b *int64) Delta {
	d := Delta{Tag: tag, Figure: figure, A: a, B: b}
	if a != nil && b != nil && *a != 0 {
		change := 100 * float64(*b-*a) / float64(*a)
		d.Change = &change
	}
	return d
}

// figure is count, min, max or a percentile of the tag; nil where it has none. t may be nil.
func (t *Tag) figure(name string) *int64 {
	if t == nil {
		return nil
	}
	var v int64
	switch name {
	case "count":
		v = t.Total.TotalCount()
	case "min":
		v = t.Total.Min()
	case "max":
		v = t.Total.Max()
	default:
		p, err := ParsePercentile(name)
		if err != nil {
			return nil
		}
		return figure(p, t.Total)
	}
	return &v
}

// WriteDiff writes deltas as a table.
func WriteDiff(w io.Writer, a, b *Log, deltas []Delta) error {
	lines := [][]string{{"tag", "figure", a.Name, b.Name, "change"}}
	for _, d := range deltas {
		show := cell
		if d.Figure == "count" {
			show = func(n *int64) string {
				if n == nil {
					return "-"
				}
				return group(*n)
			}
		}
		lines = append(lines, []string{tagName(d.Tag), d.Figure, show(d.A), show(d.B), d.change()})
	}
	return align(w, lines, 2)
}

// change is the change as a table shows it.
func (d Delta) change() string {
	if d.Change == nil {
		return "-"
	}
	return fmt.Sprintf("%+.1f%%", *d.Change)
}
