package bench

import (
	"io"
	"time"

	"github.com/lockstep-exchange/lockstep/bench/latency"
)

// Trace is the times of one pass, one after the other, for a histogram log.
type Trace struct {
	Tag     string
	Started time.Time
	Span    time.Duration // of the whole pass
	Ns      []uint64
}

// intervals is how many lines of a log a trace becomes.
const intervals = 20

// WriteLog writes traces as a histogram log: each in intervals of equal counts,
// spread evenly over its span.
func WriteLog(w io.Writer, traces []Trace, notes ...latency.Note) error {
	if len(traces) == 0 {
		return nil
	}
	out, err := latency.NewWriter(w, traces[0].Started, notes...)
	if err != nil {
		return err
	}
	for i := range traces {
		if err := traces[i].write(out); err != nil {
			return err
		}
	}
	return nil
}

func (t *Trace) write(out *latency.Writer) error {
	hist := latency.NewHistogram()
	for k := range intervals {
		first, last := k*len(t.Ns)/intervals, (k+1)*len(t.Ns)/intervals
		if first == last {
			continue
		}
		for _, ns := range t.Ns[first:last] {
			if err := hist.RecordValue(int64(ns)); err != nil {
				return err
			}
		}
		from, to := t.Started.Add(t.Span*time.Duration(k)/intervals), t.Started.Add(t.Span*time.Duration(k+1)/intervals)
		if err := out.Interval(t.Tag, from, to, hist); err != nil {
			return err
		}
	}
	return nil
}
