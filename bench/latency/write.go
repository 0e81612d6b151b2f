package latency

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Lowest, Highest and Digits are the range of the histograms in our logs: 1 ns to 10 s at three digits.
const (
	Lowest  = 1
	Highest = int64(10 * time.Second)
	Digits  = 3
)

// NewHistogram is an empty histogram of the range of our logs. It allocates about 200 KB; recording into it allocates nothing.
func NewHistogram() *hdrhistogram.Histogram { return hdrhistogram.New(Lowest, Highest, Digits) }

// Writer writes a log, interval by interval.
type Writer struct {
	out *hdrhistogram.HistogramLogWriter
}

// NewWriter writes the head of a log: the time at which it starts, and the notes, each on one line. Times of intervals are
// written as seconds since the full second before start.
func NewWriter(w io.Writer, start time.Time, notes ...Note) (*Writer, error) {
	start = start.Truncate(time.Second) // the head has no room for more
	out := hdrhistogram.NewHistogramLogWriter(w)
	if err := out.OutputLogFormatVersion(); err != nil {
		return nil, err
	}
	if err := out.OutputBaseTime(start.UnixMilli()); err != nil {
		return nil, err
	}
	if err := out.OutputStartTime(start.UnixMilli()); err != nil {
		return nil, err
	}
	for _, n := range notes {
		if strings.ContainsAny(n.Key+n.Value, "\r\n") {
			return nil, fmt.Errorf("latency: note %q goes over several lines, expected one", n.Key)
		}
		if err := out.OutputComment(n.Key + ": " + n.Value); err != nil {
			return nil, err
		}
	}
	out.SetBaseTime(start.UnixMilli())
	return &Writer{out}, out.OutputLegend()
}

// Interval writes the values recorded under a tag between two times, and empties h for the next interval.
func (w *Writer) Interval(tag string, from, to time.Time, h *hdrhistogram.Histogram) error {
	if strings.ContainsAny(tag, ", \r\n") {
		return fmt.Errorf("latency: tag %q, expected no comma, space or line break", tag)
	}
	h.SetTag(tag)
	h.SetStartTimeMs(from.UnixMilli())
	h.SetEndTimeMs(to.UnixMilli())
	if err := w.out.OutputIntervalHistogram(h); err != nil {
		return err
	}
	h.Reset()
	return nil
}
