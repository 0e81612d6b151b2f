// Package latency reads histogram logs and says what is in them: percentile tables, comparisons, a picture.
//
// Words: a log is one .hlog file in the HdrHistogram log format 1.3; an interval is one line of it, a histogram of
// nanoseconds between two times; a tag names what an interval measured (engine, journal, ...); a note is a comment
// "#key: value" about the run (machine, commit, ack); figures are the percentiles of one tag.
//
//	#[Histogram log format version 1.3]                     -+
//	#machine: 2 cores, ...                                   |  Read
//	#ack: none                                               |    -> Log: Notes, and per tag
//	"StartTimestamp","Interval_Length",...                   |         Total      all intervals merged
//	Tag=engine,0.000,1.000,0.041,HISTFAAAA...                |         Intervals  figures and cells of each
//	Tag=engine,1.000,1.000,0.039,HISTFAAAA...               -+
//
// Invariant: a percentile of several intervals is that of their merged histogram, never a mean of percentiles; and one
// with too few samples behind it is not given at all (Percentile.Needs).
package latency

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Log is what one file says.
type Log struct {
	Name  string
	Notes []Note
	Tags  []*Tag // in the order of their first intervals
}

// Note is one "#key: value" line.
type Note struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Tag is one kind of measurement in a log. The tag of intervals without one is empty.
type Tag struct {
	Name      string
	Total     *hdrhistogram.Histogram // all intervals, merged
	Intervals []Interval
}

// Interval is one line of a log, without its histogram: a long log is kept small.
type Interval struct {
	Start, Length float64 // seconds, as the log counts them
	Count         int64
	P50, P99, Max int64  // ns
	Cells         []Cell // how the values spread, in ascending bins
}

// Cell is a number of values between Bound(Bin) and Bound(Bin+1).
type Cell struct {
	Bin   int
	Count int64
}

// binsPerOctave is how finely cells part the latencies: eight steps to each doubling.
const binsPerOctave = 8

// Bin is the bin of a value in ns; values below 1 share the first.
func Bin(ns int64) int { return int(math.Floor(binsPerOctave * math.Log2(float64(max(ns, 1))))) }

// Bound is the lowest value of a bin, in ns.
func Bound(bin int) float64 { return math.Exp2(float64(bin) / binsPerOctave) }

// InputError says what was wrong with a log, where, and what was expected. Line is 0 where the whole file is meant.
type InputError struct {
	File          string
	Line          int
	Wrong, Expect string
}

func (e *InputError) Error() string {
	at := e.File
	if e.Line > 0 {
		at += ":" + strconv.Itoa(e.Line)
	}
	return fmt.Sprintf("%s: %s, expected %s", at, e.Wrong, e.Expect)
}

// ExitCode is that of unreadable input.
func (e *InputError) ExitCode() int { return 2 }

// lineMax bounds one line of a log; a histogram of 10 s at 3 digits takes a few kilobytes at most.
const lineMax = 16 << 20

var notePattern = regexp.MustCompile(`^#\s*\[?([A-Za-z][A-Za-z0-9 _-]*?)\s*:\s*(.*?)\]?\s*$`)

// ReadFile reads the log at a path.
func ReadFile(path string) (*Log, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return Read(file, path)
}

// Read reads a log; name stands for it in errors, which are *InputError unless reading itself failed. Nothing of a log with
// an error is returned.
func Read(r io.Reader, name string) (*Log, error) {
	log := &Log{Name: name}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, lineMax)
	number := 0
	for lines.Scan() {
		number++
		line := strings.TrimSpace(lines.Text())
		switch {
		case line == "" || strings.HasPrefix(line, `"StartTimestamp"`):
		case line[0] == '#':
			log.addNote(line)
		default:
			if wrong, expect := log.add(line); wrong != "" {
				return nil, &InputError{name, number, wrong, expect}
			}
		}
	}
	if err := lines.Err(); err == bufio.ErrTooLong {
		return nil, &InputError{name, number + 1, "the line does not end", fmt.Sprintf("at most %d bytes", lineMax)}
	} else if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(log.Tags) == 0 {
		return nil, &InputError{name, 0, "no interval", "at least one line start,length,max,histogram"}
	}
	return log, nil
}

// addNote takes a comment in when it is a note. Of the two that the format itself has, the time of the start is kept.
func (l *Log) addNote(line string) {
	m := notePattern.FindStringSubmatch(line)
	if m == nil || m[1] == "BaseTime" {
		return
	}
	note := Note{m[1], m[2]}
	if note.Key == "StartTime" {
		note.Key = "start"
		if _, date, ok := strings.Cut(note.Value, "), "); ok {
			note.Value = date
		}
	}
	l.Notes = append(l.Notes, note)
}

// add takes one interval line in. wrong is empty when it could.
func (l *Log) add(line string) (wrong, expect string) {
	const form = "[Tag=name,]start,length,max,histogram"
	fields := strings.Split(line, ",")
	name, tagged := strings.CutPrefix(fields[0], "Tag=")
	if tagged {
		fields = fields[1:]
	} else {
		name = ""
	}
	if len(fields) != 4 {
		return fmt.Sprintf("%d fields", len(fields)), form
	}
	var seconds [2]float64
	for i, what := range []string{"start", "length"} {
		v, err := strconv.ParseFloat(fields[i], 64)
		if err != nil || v < 0 || math.IsInf(v, 0) || math.IsNaN(v) {
			return fmt.Sprintf("%s %q", what, fields[i]), "seconds, not below zero"
		}
		seconds[i] = v
	}
	h, err := hdrhistogram.Decode([]byte(fields[3]))
	if err != nil {
		return fmt.Sprintf("the histogram does not decode (%v)", err), "a compressed V2 histogram in base64, HISTF..."
	}
	tag := l.Tag(name)
	if tag == nil {
		tag = &Tag{Name: name}
		l.Tags = append(l.Tags, tag)
	}
	if tag.Total, err = merge(tag.Total, h); err != nil {
		return err.Error(), "values within the range that the histogram states"
	}
	tag.Intervals = append(tag.Intervals, interval(seconds[0], seconds[1], h))
	return "", ""
}

// Tag is the tag of that name, nil when the log has none.
func (l *Log) Tag(name string) *Tag {
	if i := slices.IndexFunc(l.Tags, func(t *Tag) bool { return t.Name == name }); i >= 0 {
		return l.Tags[i]
	}
	return nil
}

// Note is the value of the first note of that key, without regard to case; empty when there is none.
func (l *Log) Note(key string) string {
	for _, n := range l.Notes {
		if strings.EqualFold(n.Key, key) {
			return n.Value
		}
	}
	return ""
}

// interval keeps what the picture needs of a histogram.
func interval(start, length float64, h *hdrhistogram.Histogram) Interval {
	v := Interval{Start: start, Length: length, Count: h.TotalCount(), P50: h.ValueAtPercentile(50), P99: h.ValueAtPercentile(99), Max: h.Max()}
	for _, bar := range h.Distribution() {
		if bar.Count == 0 {
			continue
		}
		bin := Bin(bar.From)
		if n := len(v.Cells); n > 0 && v.Cells[n-1].Bin == bin {
			v.Cells[n-1].Count += bar.Count
		} else {
			v.Cells = append(v.Cells, Cell{bin, bar.Count})
		}
	}
	return v
}

// merge adds h to total, which it widens where h states a wider range or more digits; total may be nil.
func merge(total, h *hdrhistogram.Histogram) (*hdrhistogram.Histogram, error) {
	if total == nil {
		total = hdrhistogram.New(h.LowestTrackableValue(), h.HighestTrackableValue(), int(h.SignificantFigures()))
	}
	low := min(total.LowestTrackableValue(), h.LowestTrackableValue())
	high := max(total.HighestTrackableValue(), h.HighestTrackableValue())
	digits := max(total.SignificantFigures(), h.SignificantFigures())
	if low != total.LowestTrackableValue() || high != total.HighestTrackableValue() || digits != total.SignificantFigures() {
		wider := hdrhistogram.New(low, high, int(digits))
		wider.Merge(total)
		total = wider
	}
	if dropped := total.Merge(h); dropped > 0 {
		return nil, fmt.Errorf("%d values do not merge", dropped)
	}
	return total, nil
}

// Merge is one log of several: notes of the first, intervals of all, percentiles of the merged histograms.
func Merge(name string, logs []*Log) (*Log, error) {
	merged := &Log{Name: name, Notes: logs[0].Notes}
	for _, log := range logs {
		for _, from := range log.Tags {
			to := merged.Tag(from.Name)
			if to == nil {
				to = &Tag{Name: from.Name}
				merged.Tags = append(merged.Tags, to)
			}
			total, err := merge(to.Total, from.Total)
			if err != nil {
				return nil, &InputError{log.Name, 0, err.Error(), "values within the range that the histogram states"}
			}
			to.Total = total
			to.Intervals = append(to.Intervals, from.Intervals...)
		}
	}
	return merged, nil
}
