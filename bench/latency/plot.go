package latency

import (
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// The picture: one HTML page without a single request to anywhere. For each tag it holds the percentile curves of all logs
// over one another, a strip per log (time to the right, latency upward, darker where more values lie), and the table.
//
//	latency ^            ___/  B          x is the number of nines: 0 % at 0, 90 % at 1, 99 % at 2 ...
//	 (log)  |       ____/ ...  A          dashed where fewer than ten samples lie beyond
//	        |______/
//	        +----+----+----+---->
//	            90   99   99.9

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Parse(pageText))

// LogsMax is how many logs fit on one page: as many as there are colors.
const LogsMax = 6

// Sizes of the drawings, in the units of their view boxes.
const (
	width       = 960
	marginLeft  = 64
	marginRight = 84
	markStep    = 15 // between marks that would lie on one another
	marginTop   = 14
	marginFoot  = 34
	curveHeight = 360
	stripHeight = 150
	columnsMax  = 240 // of a strip; a longer log puts several intervals into one column
	shades      = 8
)

// Plot writes the page for one to six logs.
func Plot(w io.Writer, title string, logs ...*Log) error {
	if len(logs) == 0 || len(logs) > LogsMax {
		return fmt.Errorf("latency: %d logs for one picture, expected 1 to %d", len(logs), LogsMax)
	}
	view := pageView{Title: title}
	for i, log := range logs {
		view.Runs = append(view.Runs, runView{Index: i, Mark: mark(i), Name: log.Name})
	}
	view.Notes = noteViews(logs)
	for _, name := range tagNames(logs) {
		view.Tags = append(view.Tags, newTagView(name, logs))
	}
	for i := range view.Tags {
		view.Data = append(view.Data, view.Tags[i].data)
	}
	return page.Execute(w, view)
}

func mark(i int) string { return string(rune('A' + i)) }

// tagNames are the tags of all logs, in the order in which they first come.
func tagNames(logs []*Log) (names []string) {
	for _, log := range logs {
		for _, tag := range log.Tags {
			if !slices.Contains(names, tag.Name) {
				names = append(names, tag.Name)
			}
		}
	}
	return names
}

type pageView struct {
	Title string
	Runs  []runView
	Notes []noteView
	Tags  []tagView
	Data  []tagData
}

type runView struct {
	Index int
	Mark  string
	Name  string
}

// noteView is one key and what each log says about it.
type noteView struct {
	Key     string
	Values  []string
	Differs bool
}

// noteViews are the notes of all logs, key by key.
func noteViews(logs []*Log) (views []noteView) {
	for _, log := range logs {
		for _, note := range log.Notes {
			if slices.ContainsFunc(views, func(v noteView) bool { return strings.EqualFold(v.Key, note.Key) }) {
				continue
			}
			v := noteView{Key: note.Key}
			for _, l := range logs {
				v.Values = append(v.Values, l.Note(note.Key))
			}
			v.Differs = len(slices.Compact(slices.Clone(v.Values))) > 1
			views = append(views, v)
		}
	}
	return views
}

type tagView struct {
	Name   string
	Index  int
	Curve  curveView
	Strips []stripView
	Heads  []string
	Table  []tableView
	data   tagData
}

// tagData is what the page's script reads to answer the pointer.
type tagData struct {
	Left   float64     `json:"left"`
	Right  float64     `json:"right"`
	Nines  float64     `json:"nines"` // at the right edge
	Runs   []runData   `json:"runs"`
	Strips []stripData `json:"strips"`
}

type runData struct {
	Run    int         `json:"run"`
	Count  int64       `json:"count"`
	Points [][2]string `json:"points"` // nines, latency as written
}

type stripData struct {
	Begin   float64      `json:"begin"` // seconds
	Seconds float64      `json:"seconds"`
	Columns []columnData `json:"columns"`
}

// columnData is one interval of a strip, written out.
type columnData struct {
	From float64 `json:"from"`
	To   float64 `json:"to"`
	Text string  `json:"text"`
}

type tickView struct {
	At    float64
	Label string
	Power bool // of ten
}

type axes struct {
	X, Y                     []tickView
	Left, Right, Top, Bottom float64
	Width, Height            float64
}

type curveView struct {
	axes
	Lines []lineView
}

type lineView struct {
	Run          int
	Mark         string
	Solid, Faint string // path data: where ten samples or more lie beyond, and where fewer do
	EndX, EndY   float64
}

type stripView struct {
	axes
	Run    int
	Mark   string
	Name   string
	Shades []shadeView
	Median string // path data of the medians
	Single bool   // one interval only: nothing to show over time
}

type shadeView struct {
	Opacity string
	Path    string
}

type tableView struct {
	Run   int
	Mark  string
	Name  string
	Cells []cellView
}

type cellView struct{ Text, Change, Title string }

// newTagView draws one tag.
func newTagView(name string, logs []*Log) tagView {
	v := tagView{Name: tagName(name)}
	low, high, count := int64(math.MaxInt64), int64(1), int64(1)
	for _, log := range logs {
		if tag := log.Tag(name); tag != nil && tag.Total.TotalCount() > 0 {
			low, high, count = min(low, tag.Total.Min()), max(high, tag.Total.Max()), max(count, tag.Total.TotalCount())
		}
	}
	y := newScale(float64(max(min(low, high), 1)), float64(high))
	nines := max(math.Log10(float64(count)), 1)
	v.Curve.axes = newAxes(curveHeight)
	v.Curve.Y = y.ticks(v.Curve.axes)
	v.Curve.X = nineTicks(v.Curve.axes, nines)
	v.data = tagData{Left: v.Curve.Left, Right: v.Curve.Right, Nines: nines, Runs: []runData{}, Strips: []stripData{}}
	v.Heads = []string{"count"}
	for _, p := range Percentiles {
		v.Heads = append(v.Heads, p.Name)
	}
	v.Heads = append(v.Heads, "max")
	var first *Tag
	for i, log := range logs {
		tag := log.Tag(name)
		if tag == nil || tag.Total.TotalCount() == 0 {
			continue
		}
		line, data := newLine(i, tag, v.Curve.axes, y, nines)
		for _, other := range v.Curve.Lines {
			if math.Hypot(line.EndX-other.EndX, line.EndY-other.EndY) < markStep {
				line.EndX = other.EndX + markStep
			}
		}
		v.Curve.Lines = append(v.Curve.Lines, line)
		v.data.Runs = append(v.data.Runs, data)
		strip, columns := newStrip(i, log.Name, tag, y)
		v.Strips = append(v.Strips, strip)
		v.data.Strips = append(v.data.Strips, columns)
		v.Table = append(v.Table, newTableRow(i, log.Name, tag, first))
		if first == nil {
			first = tag
		}
	}
	return v
}

func newAxes(height float64) axes {
	return axes{Left: marginLeft, Right: width - marginRight, Top: marginTop, Bottom: height - marginFoot, Width: width, Height: height}
}

// scale maps latencies to heights, by their logarithm, between two round bounds.
type scale struct{ low, high float64 }

// newScale is the scale whose bounds are the next 1, 2 or 5 times a power of ten around two values.
func newScale(low, high float64) scale {
	s := scale{math.Pow(10, math.Floor(math.Log10(low))), math.Pow(10, math.Ceil(math.Log10(high)))}
	for _, step := range []float64{5, 2} {
		if v := s.low * step; v <= low {
			s.low = v
			break
		}
	}
	for _, step := range []float64{5, 2} {
		if v := s.high / step; v >= high {
			s.high = v
		}
	}
	if s.high <= s.low {
		s.high = s.low * 10
	}
	return s
}

func (s scale) y(a axes, ns float64) float64 {
	share := math.Log(max(ns, s.low)/s.low) / math.Log(s.high/s.low)
	return round(a.Bottom - min(share, 1)*(a.Bottom-a.Top))
}

// ticks are 1, 2 and 5 times the powers of ten, or the powers alone where those would crowd.
func (s scale) ticks(a axes) (ticks []tickView) {
	steps := []float64{1, 2, 5}
	if room := (a.Bottom - a.Top) / math.Log10(s.high/s.low); room < 70 {
		steps = steps[:1]
	}
	for power := math.Pow(10, math.Floor(math.Log10(s.low))); power <= s.high; power *= 10 {
		for _, step := range steps {
			if v := power * step; v >= s.low*0.999 && v <= s.high*1.001 {
				label := strings.NewReplacer(".00", "", ".0", "").Replace(Format(int64(v + 0.5))) // round figures need no decimals
				ticks = append(ticks, tickView{s.y(a, v), label, step == 1})
			}
		}
	}
	return ticks
}

func nineTicks(a axes, nines float64) (ticks []tickView) {
	at := func(x float64) float64 { return round(a.Left + x/nines*(a.Right-a.Left)) }
	ticks = append(ticks, tickView{At: at(0), Label: "0%"}, tickView{At: at(math.Log10(2)), Label: "50%"})
	for n := 1.0; n <= nines+1e-9; n++ {
		label := strconv.FormatFloat(100-100*math.Pow(10, -n), 'f', max(int(n)-2, 0), 64) + "%"
		ticks = append(ticks, tickView{At: at(n), Label: label})
	}
	return ticks
}

func round(v float64) float64 { return math.Round(v*10) / 10 }

// newLine draws the percentile curve of a tag, 32 points to each nine.
func newLine(run int, tag *Tag, a axes, y scale, nines float64) (lineView, runData) {
	count := float64(tag.Total.TotalCount())
	end, trusted := math.Log10(count), math.Log10(max(count/10, 1))
	line := lineView{Run: run, Mark: mark(run)}
	data := runData{Run: run, Count: tag.Total.TotalCount()}
	var solid, faint []string
	for i := 0; ; i++ {
		x := min(float64(i)/32, end)
		ns := tag.Total.ValueAtPercentile(100 * (1 - math.Pow(10, -x)))
		switch x {
		case end:
			ns = tag.Total.Max()
		case 0:
			ns = tag.Total.Min()
		}
		line.EndX, line.EndY = round(a.Left+x/nines*(a.Right-a.Left)), y.y(a, float64(ns))
		point := fmt.Sprintf("%g %g", line.EndX, line.EndY)
		if x <= trusted {
			solid, faint = append(solid, point), []string{point}
		} else {
			faint = append(faint, point)
		}
		data.Points = append(data.Points, [2]string{nineLabel(x), Format(ns)})
		if x == end {
			break
		}
	}
	line.Solid, line.Faint = "M"+strings.Join(solid, "L"), "M"+strings.Join(faint, "L")
	return line, data
}

// nineLabel writes a percentile given as nines, with as many decimals as it has nines.
func nineLabel(nines float64) string {
	return "p" + strconv.FormatFloat(100-100*math.Pow(10, -nines), 'f', max(int(nines), 1), 64)
}

// newStrip draws how the values of a tag spread over time.
func newStrip(run int, name string, tag *Tag, y scale) (stripView, stripData) {
	v := stripView{axes: newAxes(stripHeight), Run: run, Mark: mark(run), Name: name}
	v.Y = powers(y.ticks(v.axes))
	begin, end := math.Inf(1), 0.0
	for _, i := range tag.Intervals {
		begin, end = min(begin, i.Start), max(end, i.Start+i.Length)
	}
	data := stripData{Begin: begin, Seconds: end - begin, Columns: []columnData{}}
	if len(tag.Intervals) < 2 || end <= begin {
		v.Single = true
		return v, stripData{Columns: data.Columns}
	}
	columns := gather(tag.Intervals, begin, end)
	at := func(seconds float64) float64 { return round(v.Left + (seconds-begin)/(end-begin)*(v.Right-v.Left)) }
	v.X = timeTicks(end-begin, func(s float64) float64 { return at(begin + s) })
	most := int64(1)
	for _, c := range columns {
		for _, cell := range c.Cells {
			most = max(most, cell.Count)
		}
	}
	about := ""
	if len(columns) < len(tag.Intervals) {
		about = "about "
	}
	paths := make([]strings.Builder, shades)
	var median strings.Builder
	for _, c := range columns {
		left, right := at(c.Start), at(c.Start+c.Length)
		for _, cell := range c.Cells {
			top, bottom := y.y(v.axes, Bound(cell.Bin+1)), y.y(v.axes, Bound(cell.Bin))
			shade := int(float64(shades) * math.Log(float64(cell.Count)+1) / math.Log(float64(most)+2))
			fmt.Fprintf(&paths[shade], "M%g %gH%gV%gH%gz", left, top, right, bottom, left)
		}
		fmt.Fprintf(&median, "M%g %gH%g", left, y.y(v.axes, float64(c.P50)), right)
		data.Columns = append(data.Columns, columnData{c.Start - begin, c.Start + c.Length - begin,
			fmt.Sprintf("%s samples; p50 %s%s; p99 %s%s; max %s", group(c.Count), about, Format(c.P50), about, Format(c.P99), Format(c.Max))})
	}
	for i := range paths {
		if paths[i].Len() > 0 {
			v.Shades = append(v.Shades, shadeView{strconv.FormatFloat(0.14+0.86*float64(i)/(shades-1), 'f', 2, 64), paths[i].String()})
		}
	}
	v.Median = median.String()
	return v, data
}

// powers keeps the powers of ten, so that a low strip is not crowded.
func powers(ticks []tickView) []tickView {
	return slices.DeleteFunc(ticks, func(t tickView) bool { return !t.Power })
}

// gather puts neighboring intervals into at most about columnsMax columns.
func gather(intervals []Interval, begin, end float64) (columns []Interval) {
	sorted := slices.Clone(intervals)
	slices.SortStableFunc(sorted, func(a, b Interval) int { return cmp.Compare(a.Start, b.Start) })
	if len(sorted) <= columnsMax {
		return sorted
	}
	span := (end - begin) / columnsMax
	for _, i := range sorted {
		if n := len(columns); n > 0 && i.Start < columns[n-1].Start+span {
			columns[n-1] = join(columns[n-1], i)
		} else {
			columns = append(columns, i)
		}
	}
	return columns
}

// join is two intervals as one. Its percentiles are those of the cells together, right to the width of a bin.
func join(a, b Interval) Interval {
	cells := append(slices.Clone(a.Cells), b.Cells...)
	slices.SortStableFunc(cells, func(a, b Cell) int { return cmp.Compare(a.Bin, b.Bin) })
	joined := Interval{Start: a.Start, Length: max(a.Start+a.Length, b.Start+b.Length) - a.Start,
		Count: a.Count + b.Count, Max: max(a.Max, b.Max)}
	for _, c := range cells {
		if n := len(joined.Cells); n > 0 && joined.Cells[n-1].Bin == c.Bin {
			joined.Cells[n-1].Count += c.Count
		} else {
			joined.Cells = append(joined.Cells, c)
		}
	}
	joined.P50, joined.P99 = joined.rank((joined.Count+1)/2), joined.rank(joined.Count-joined.Count/100)
	return joined
}

// rank is the middle of the bin in which the n-th smallest value lies.
func (i Interval) rank(n int64) int64 {
	for _, c := range i.Cells {
		if n -= c.Count; n <= 0 {
			return int64(math.Sqrt(Bound(c.Bin) * Bound(c.Bin+1)))
		}
	}
	return i.Max
}

// timeTicks are at most eleven round times.
func timeTicks(seconds float64, at func(float64) float64) (ticks []tickView) {
	power, step := math.Pow(10, math.Floor(math.Log10(seconds/10))), 0.0
	for _, multiple := range []float64{1, 2, 5, 10} {
		if step = power * multiple; seconds/step <= 10 {
			break
		}
	}
	for i := 0; float64(i)*step <= seconds*1.0001; i++ {
		s := float64(i) * step
		ticks = append(ticks, tickView{At: at(s), Label: strconv.FormatFloat(s, 'g', 6, 64) + "s"})
	}
	return ticks
}

// newTableRow is the figures of a tag, with their change from the first log's.
func newTableRow(run int, name string, tag, first *Tag) tableView {
	v := tableView{Run: run, Mark: mark(run), Name: name, Cells: []cellView{{Text: group(tag.Total.TotalCount())}}}
	figures := append(slices.Clone(Percentiles), Percentile{Name: "max"})
	for _, p := range figures {
		c := cellView{Text: cell(tag.figure(p.Name))}
		if c.Text == "-" {
			c.Title = fmt.Sprintf("fewer than %d samples", p.Needs)
		}
		if first != nil {
			if d := delta(tag.Name, p.Name, first.figure(p.Name), tag.figure(p.Name)); d.Change != nil {
				c.Change = d.change()
			}
		}
		v.Cells = append(v.Cells, c)
	}
	return v
}
