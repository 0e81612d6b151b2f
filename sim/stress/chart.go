package stress

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/lockstep-exchange/lockstep/fixed"
)

// A chart is lines over the time of a run, drawn as SVG of a fixed size that a browser scales. Lines differ in color, in stroke and in
// the letter at their end, and the figures behind a chart stand in a table below it.
//
//	scale ^           ____/ C
//	      |      ____/ ......./ I
//	      |_____/......../
//	      +----+----+----+----> time

// Sizes of the drawings, in the units of their view boxes.
const (
	wideWidth   = 980
	chartWidth  = 480
	chartHeight = 220
	marginLeft  = 58
	marginRight = 26
	marginTop   = 14
	marginFoot  = 34
	linesMax    = 6 // as many as there are colors
	rowsMax     = 13
)

// line is what a chart draws: a value for each time.
type line struct {
	name   string
	mark   string
	values []float64
	steps  bool // it stays where it is until it changes
}

type chartView struct {
	Title, Say string
	Lines      []lineView
	Drawn      []svgView  // for a narrow page, and for a wide one where it is not the same
	Table      [][]string // its first row is the head
}

// svgView is one drawing.
type svgView struct {
	Label       string // for who cannot see it
	X, Y        []tickView
	Left, Right float64
	Top, Bottom float64
	Width       float64
	Height      float64
	Lines       []lineView
}

type tickView struct {
	At    float64
	Label string
	Side  string // text-anchor
}

type lineView struct {
	Index      int
	Name, Mark string
	Path       string
	EndX, EndY float64
}

// drawing is what a chart is made of.
type drawing struct {
	title, say string
	times      []fixed.Nanos
	start      fixed.Nanos
	dated      bool
	lines      []line
	write      func(float64) string
	floor      bool // the scale begins at 0
	cap        float64
}

// chart draws a chart, a second time wide where that is asked for.
func (d *drawing) chart(wide bool) chartView {
	v := chartView{Title: d.title, Say: d.say, Table: d.table(), Drawn: []svgView{d.draw(chartWidth)}}
	v.Lines = v.Drawn[0].Lines
	if wide {
		v.Drawn = append(v.Drawn, d.draw(wideWidth))
	}
	return v
}

// draw draws it at a width.
func (d *drawing) draw(width float64) svgView {
	v := svgView{Left: marginLeft, Right: width - marginRight, Top: marginTop, Bottom: chartHeight - marginFoot, Width: width,
		Height: chartHeight, Label: d.describe()}
	low, high := d.bounds()
	step := niceStep(high-low, 5)
	low, high = math.Floor(low/step)*step, math.Ceil(high/step)*step
	y := func(value float64) float64 {
		return tenth(v.Bottom - (min(max(value, low), high)-low)/(high-low)*(v.Bottom-v.Top))
	}
	for i := 0; low+float64(i)*step <= high+step/1000; i++ {
		value := low + float64(i)*step
		v.Y = append(v.Y, tickView{At: y(value), Label: d.write(value)})
	}
	first, last := d.times[0], d.times[len(d.times)-1]
	x := func(t fixed.Nanos) float64 {
		return tenth(v.Left + float64(t-first)/max(float64(last-first), 1)*(v.Right-v.Left))
	}
	v.X = d.timeTicks(x, v.Right)
	for i, l := range d.lines[:min(len(d.lines), linesMax)] {
		v.Lines = append(v.Lines, d.path(i, l, x, y))
	}
	spread(v.Lines, v.Top, v.Bottom)
	return v
}

// bounds are the least and the highest value.
func (d *drawing) bounds() (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, l := range d.lines {
		low, high = min(low, slices.Min(l.values)), max(high, slices.Max(l.values))
	}
	if d.cap > 0 {
		high = min(high, d.cap)
	}
	if d.floor {
		low = min(low, 0)
	}
	if high <= low {
		high = low + 1
	}
	return low, high
}

// niceStep is 1, 2 or 5 times a power of ten, so that a span has at most about n steps.
func niceStep(span float64, n float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(span/n)))
	for _, multiple := range []float64{1, 2, 5} {
		if span/(power*multiple) <= n {
			return power * multiple
		}
	}
	return power * 10
}

func tenth(v float64) float64 { return math.Round(v*10) / 10 }

// path draws a line.
func (d *drawing) path(i int, l line, x func(fixed.Nanos) float64, y func(float64) float64) lineView {
	v := lineView{Index: i, Name: l.name, Mark: l.mark}
	var b strings.Builder
	for k, value := range l.values {
		px, py := x(d.times[k]), y(value)
		switch {
		case k == 0:
			fmt.Fprintf(&b, "M%g %g", px, py)
		case l.steps && py != v.EndY:
			fmt.Fprintf(&b, "H%gV%g", px, py)
		case l.steps && k < len(l.values)-1:
		case l.steps:
			fmt.Fprintf(&b, "H%g", px)
		default:
			fmt.Fprintf(&b, "L%g %g", px, py)
		}
		v.EndX, v.EndY = px, py
	}
	v.Path = b.String()
	v.EndX = tenth(v.EndX + 13)
	return v
}

// spread moves the letters at the ends apart where they would lie on one another.
func spread(lines []lineView, top, bottom float64) {
	const room = 17
	order := make([]*lineView, len(lines))
	for i := range lines {
		order[i] = &lines[i]
	}
	slices.SortStableFunc(order, func(a, b *lineView) int {
		return int(math.Copysign(1, a.EndY-b.EndY)) * int(min(1, math.Ceil(math.Abs(a.EndY-b.EndY))))
	})
	for i := 1; i < len(order); i++ {
		order[i].EndY = tenth(max(order[i].EndY, order[i-1].EndY+room))
	}
	if n := len(order); n > 0 {
		for limit, i := bottom, n-1; i >= 0; i-- {
			order[i].EndY = tenth(max(top, min(order[i].EndY, limit)))
			limit = order[i].EndY - room
		}
	}
}

// timeTicks are round times, as many as have room.
func (d *drawing) timeTicks(x func(fixed.Nanos) float64, right float64) (ticks []tickView) {
	const letter = 7.0 // units, about
	first, last := d.times[0], d.times[len(d.times)-1]
	wide := 5 * letter
	if d.dated {
		wide = 11 * letter
	}
	step := 30 * fixed.Day
	for _, s := range []fixed.Nanos{fixed.Minute, 5 * fixed.Minute, 10 * fixed.Minute, 20 * fixed.Minute, 30 * fixed.Minute, fixed.Hour, 2 * fixed.Hour,
		3 * fixed.Hour, 6 * fixed.Hour, 12 * fixed.Hour, fixed.Day, 2 * fixed.Day, 7 * fixed.Day} {
		if n := float64((last - first) / s); n <= 8 && n*(wide+2*letter) <= right-marginLeft {
			step = s
			break
		}
	}
	for t := first; t <= last; t += step {
		text := label(t, d.start, d.dated)
		if d.dated {
			text = text[5:16]
		} else {
			text = text[:len(text)-3]
		}
		side, at := "middle", x(t)
		if at > right-wide/2 {
			side = "end"
			if n := len(ticks); n > 0 && at-wide < ticks[n-1].At+wide/2+letter {
				break
			}
		}
		ticks = append(ticks, tickView{at, text, side})
	}
	return ticks
}

// table is the figures behind a chart, at about a dozen times.
func (d *drawing) table() (rows [][]string) {
	head := []string{"time"}
	for _, l := range d.lines {
		head = append(head, l.name)
	}
	rows = append(rows, head)
	every := max(1, (len(d.times)-1+rowsMax-2)/(rowsMax-1))
	for k := 0; k < len(d.times); k++ {
		if k%every != 0 && k != len(d.times)-1 {
			continue
		}
		row := []string{label(d.times[k], d.start, d.dated)}
		for _, l := range d.lines {
			row = append(row, d.write(l.values[k]))
		}
		rows = append(rows, row)
	}
	return rows
}

// describe says what can be seen.
func (d *drawing) describe() string {
	parts := []string{d.title}
	for _, l := range d.lines[:min(len(d.lines), linesMax)] {
		parts = append(parts, fmt.Sprintf("%s begins at %s, lies between %s and %s, ends at %s", l.name, d.write(l.values[0]),
			d.write(slices.Min(l.values)), d.write(slices.Max(l.values)), d.write(l.values[len(l.values)-1])))
	}
	return strings.Join(parts, ". ")
}

// How charts write values.

func writePercent(v float64) string {
	return strings.TrimSuffix(strconv.FormatFloat(v, 'f', 1, 64), ".0") + " %"
}

func writeCount(v float64) string { return group(int64(math.Round(v))) }

// writeShort writes an amount as in 2.6M.
func writeShort(v float64) string {
	for _, unit := range []struct {
		size float64
		name string
	}{{1e9, "bn"}, {1e6, "M"}, {1e3, "k"}} {
		if math.Abs(v) >= unit.size {
			return strings.TrimRight(strings.TrimRight(strconv.FormatFloat(v/unit.size, 'f', 2, 64), "0"), ".") + " " + unit.name
		}
	}
	return strings.TrimSuffix(strconv.FormatFloat(v, 'f', 1, 64), ".0")
}
