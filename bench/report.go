package bench

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Verdict is what a figure is against its goal.
type Verdict string

const (
	Stretch     Verdict = "stretch"      // as good as hoped for
	Met         Verdict = "met"          // as good as it must be
	Missed      Verdict = "missed"       // not
	Void        Verdict = "void"         // the machine was elsewhere: Lost is above VoidAbove
	NotMeasured Verdict = "not measured" // Note says why
	NoGoal      Verdict = ""             // told for its own sake
)

// Figure is one number against its baseline. A pointer is nil where nothing was
// measured.
type Figure struct {
	Goal     string   `json:"goal"` // number of the goal; empty: none
	Name     string   `json:"figure"`
	Unit     string   `json:"unit"`
	Value    *float64 `json:"value"`
	Over     string   `json:"over"` // what the baseline is
	Baseline *float64 `json:"baseline"`
	Ratio    *float64 `json:"ratio"`
	Must     *float64 `json:"must"`
	Stretch  *float64 `json:"stretch"`
	AtLeast  bool     `json:"at_least"`  // the ratio is to be at least must, not at most
	OwnRatio *float64 `json:"own_ratio"` // the ratio by the time that the threads ran, where it is known
	Lost     *float64 `json:"lost"`      // share of time that the empty loop lost around the runs: the noise floor
	Verdict  Verdict  `json:"verdict"`
	Note     string   `json:"note,omitempty"`
}

// Report is the figures of one run.
type Report struct {
	Machine string   `json:"machine"`
	Ack     string   `json:"ack"`  // which acknowledgement the figures are of
	Mode    string   `json:"mode"` // inline, threaded or both
	Rounds  int      `json:"rounds"`
	Clock   float64  `json:"clock_ns"` // cost of one reading, contained in every percentile
	Noise   Noise    `json:"noise"`
	Figures []Figure `json:"figures"`
	Counts  bool     `json:"counts"` // goals 1 and 2 hold, so that a slow book flatters nobody
	Partial bool     `json:"partial"`
}

// Noise is what an empty pinned loop lost before the first figure.
type Noise struct {
	Seconds float64 `json:"seconds"`
	Gaps    int     `json:"gaps"` // of more than 10 us
	Lost    float64 `json:"lost"` // share of the time
	Longest float64 `json:"longest_ns"`
	Void    bool    `json:"void"` // too much for any tail to mean something
}

func noise(p Probe) Noise {
	return Noise{p.Spun.Seconds(), p.Gaps, p.Lost(), float64(p.Longest.Nanoseconds()), p.Void()}
}

// goal is a bound of a ratio.
type goal struct {
	number        string
	must, stretch float64
	atLeast       bool // of the ratio, not at most
}

// ratio makes the figure of value over baseline.
func (g goal) ratio(name, unit string, value float64, over string, baseline float64, lost float64) Figure {
	f := g.figure(name, unit)
	f.Over = over
	f.Value, f.Baseline, f.Lost = some(value), some(baseline), share(lost)
	if baseline <= 0 {
		f.Verdict, f.Note = NotMeasured, "the baseline is 0"
		return f
	}
	r := value / baseline
	f.Ratio = share(r)
	f.Verdict = g.judge(r)
	if f.Verdict != NoGoal && lost > VoidAbove {
		f.Verdict = Void
	}
	return f
}

// exact makes the figure of a number that is its own measure.
func (g goal) exact(name, unit string, value float64) Figure {
	f := g.figure(name, unit)
	f.Value = some(value)
	if g.number != "" {
		f.Ratio, f.Verdict = f.Value, g.judge(value)
	}
	return f
}

// none makes the figure of what was not measured.
func (g goal) none(name, why string) Figure {
	f := g.figure(name, "")
	f.Verdict, f.Note = NotMeasured, why
	return f
}

func (g goal) figure(name, unit string) Figure {
	f := Figure{Goal: g.number, Name: name, Unit: unit, AtLeast: g.atLeast}
	if g.number != "" {
		f.Must, f.Stretch = some(g.must), some(g.stretch)
	}
	return f
}

func (g goal) judge(r float64) Verdict {
	within := func(bound float64) bool {
		if g.atLeast {
			return r >= bound
		}
		return r <= bound
	}
	switch {
	case g.number == "":
		return NoGoal
	case within(g.stretch):
		return Stretch
	case within(g.must):
		return Met
	}
	return Missed
}

// share is a pointer to v with four decimals.
func share(v float64) *float64 {
	r, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'f', 4, 64), 64)
	return &r
}

// Missed returns how many figures miss their must.
func (r *Report) Missed() (n int) {
	for i := range r.Figures {
		if r.Figures[i].Verdict == Missed {
			n++
		}
	}
	return n
}

// settle decides whether the ratios count: goals 1 and 2 were measured and hold.
func (r *Report) settle() {
	measured, missed := 0, 0
	for i := range r.Figures {
		if f := &r.Figures[i]; f.Goal == "1" || f.Goal == "2" {
			switch f.Verdict {
			case Met, Stretch:
				measured++
			default:
				missed++
			}
		}
	}
	r.Counts = measured > 0 && missed == 0
}

// Append writes the report as a table for people; colored marks what is missed in
// red and what is met in green.
func (r *Report) Append(dst []byte, colored bool) []byte {
	rows := [][]string{{"goal", "figure", "value", "baseline", "ratio", "must", "stretch", "verdict", "lost"}}
	for i := range r.Figures {
		rows = append(rows, r.Figures[i].row())
	}
	width := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	for i, row := range rows {
		dst = appendRow(dst, row, width)
		if i > 0 {
			dst = paint(dst, r.Figures[i-1].Verdict, colored)
		}
		dst = append(dst, '\n')
		if i > 0 {
			dst = r.Figures[i-1].appendNotes(dst, width[0])
		}
	}
	return r.appendFoot(dst)
}

// appendNotes writes what stands below the line of a figure.
func (f *Figure) appendNotes(dst []byte, indent int) []byte {
	if f.Note != "" {
		dst = fmt.Appendf(dst, "%*s  %s\n", indent, "", f.Note)
	}
	if f.Verdict == Void && f.OwnRatio != nil {
		dst = fmt.Appendf(dst, "%*s  by the time that the threads ran the ratio is %.3f\n", indent, "", *f.OwnRatio)
	}
	return dst
}

func (r *Report) appendFoot(dst []byte) []byte {
	dst = fmt.Appendf(dst, "\nmachine  %s\nmode     %s, ack=%s, %d rounds, medians; clock %.1f ns a reading, contained in every percentile\n",
		r.Machine, r.Mode, r.Ack, r.Rounds, r.Clock)
	dst = fmt.Appendf(dst, "noise    an empty pinned loop lost %.2f%% of %.2f s in %d gaps, the longest %.1f us",
		100*r.Noise.Lost, r.Noise.Seconds, r.Noise.Gaps, r.Noise.Longest/1000)
	if r.Noise.Void {
		dst = append(dst, "; void: no tail here means anything"...)
	}
	dst = append(dst, '\n')
	if !r.Counts {
		dst = append(dst, "goals 1 and 2 are not both measured and met: the other ratios do not count\n"...)
	}
	if r.Partial {
		dst = append(dst, "partial: interrupted before the last figure\n"...)
	}
	return dst
}

// row is the cells of a figure.
func (f *Figure) row() []string {
	bound := func(v *float64) string {
		switch {
		case v == nil:
			return ""
		case f.AtLeast:
			return fmt.Sprintf(">= %.4g", *v)
		}
		return fmt.Sprintf("<= %.4g", *v)
	}
	number := func(v *float64, format string) string {
		if v == nil {
			return "-"
		}
		return fmt.Sprintf(format, *v)
	}
	value := number(f.Value, "%.4g")
	if f.Value != nil && f.Unit != "" {
		value += " " + f.Unit
	}
	baseline := ""
	if f.Baseline != nil {
		baseline = fmt.Sprintf("%.4g %s", *f.Baseline, f.Over)
	}
	lost := ""
	if f.Lost != nil {
		lost = fmt.Sprintf("%.1f%%", 100**f.Lost)
	}
	ratio := ""
	if f.Must != nil || f.Ratio != nil {
		ratio = number(f.Ratio, "%.3f")
	}
	return []string{f.Goal, f.Name, value, baseline, ratio, bound(f.Must), bound(f.Stretch), string(f.Verdict), lost}
}

// rightAligned are the columns of numbers.
var rightAligned = [...]bool{2: true, 3: false, 4: true, 5: true, 6: true, 8: true}

func appendRow(dst []byte, row []string, width []int) []byte {
	for i, cell := range row {
		if i > 0 {
			dst = append(dst, "  "...)
		}
		pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell))
		if rightAligned[i] {
			dst = append(append(dst, pad...), cell...)
		} else {
			dst = append(append(dst, cell...), pad...)
		}
	}
	for len(dst) > 0 && dst[len(dst)-1] == ' ' {
		dst = dst[:len(dst)-1]
	}
	return dst
}

// paint ends a line with a mark in color.
func paint(dst []byte, v Verdict, colored bool) []byte {
	if !colored {
		return dst
	}
	switch v {
	case Missed:
		return append(dst, "  \x1b[31m✗\x1b[0m"...)
	case Met, Stretch:
		return append(dst, "  \x1b[32m✓\x1b[0m"...)
	}
	return dst
}
