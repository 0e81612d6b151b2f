package bench

import (
	"io"
	"math"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/lockstep-exchange/lockstep/bench/latency"
)

// Distribution is the time of every operation of one pass. One reading of the
// clock is contained in each.
type Distribution struct {
	Name    string
	Started time.Time
	Total   *hdrhistogram.Histogram // ns
	Probe   Probe                   // around the pass
	Err     error                   // a *DiffersError, and then Total is empty

	ns []uint32 // by operation
}

// Distribution makes one further pass of an entry, with the clock read around each
// operation.
func (h *Harness) Distribution(stage string, e Entry) (*Distribution, error) {
	defer h.hold()()
	if err := h.Context.Err(); err != nil {
		return nil, err
	}
	h.progress(stage, 0, 1)
	timed := e.Plan.Stream.Timed()
	took := make([]uint32, len(timed)) // in ticks
	for i := range took {              // touch the pages before the clock starts
		took[i] = 0
	}
	d, err := h.warm(&e)
	if err != nil {
		return nil, err
	}
	v := &Distribution{Name: e.Name, Total: latency.NewHistogram(), Probe: h.clock.Spin(probeSpan), Started: time.Now()}
	clock := h.clock
	for i := range timed {
		from := clock.Read()
		d.Apply(&timed[i])
		took[i] = uint32(min(clock.Read()-from, math.MaxUint32))
	}
	v.Probe.Add(h.clock.Spin(probeSpan))
	if v.Err = judge(&e, d); v.Err != nil {
		return v, nil
	}
	v.ns = took
	for i, ticks := range took {
		took[i] = uint32(math.Round(clock.Nanos(uint64(ticks))))
		if err := v.Total.RecordValue(int64(took[i])); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// At returns a percentile in nanoseconds; ok is false when the samples are too few
// to speak of it, or when there is none.
func (v *Distribution) At(name string) (ns float64, ok bool) {
	p, err := latency.ParsePercentile(name)
	if err != nil || v.Err != nil {
		return 0, false
	}
	at, ok := p.Of(v.Total)
	return float64(at), ok
}

// intervals is how many lines a log of one pass has.
const intervals = 20

// WriteLog writes the pass as a histogram log, in intervals of equal counts with
// the times at which they ran.
func (v *Distribution) WriteLog(w io.Writer, notes ...latency.Note) error {
	out, err := latency.NewWriter(w, v.Started, notes...)
	if err != nil {
		return err
	}
	hist, from := latency.NewHistogram(), v.Started
	each := max(1, (len(v.ns)+intervals-1)/intervals)
	for rest := v.ns; len(rest) > 0; {
		n := min(each, len(rest))
		to := from
		for _, ns := range rest[:n] {
			to = to.Add(time.Duration(ns))
			if err := hist.RecordValue(int64(ns)); err != nil {
				return err
			}
		}
		if err := out.Interval("engine", from, to, hist); err != nil {
			return err
		}
		rest, from = rest[n:], to
	}
	return nil
}
