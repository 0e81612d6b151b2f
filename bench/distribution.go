package bench

import (
	"math"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/lockstep-exchange/lockstep/bench/latency"
)

// Distribution is the time of every operation of one pass. One reading of the
// clock is contained in each.
type Distribution struct {
	Name  string
	Total *hdrhistogram.Histogram // ns
	Trace Trace
	Probe Probe   // around the pass
	Err   error   // a *DiffersError, and then Total is empty
	step  float64 // of the clock, ns
}

// Distribution makes one further pass of an entry, with the clock read around each
// operation.
func (h *Harness) Distribution(stage string, e Entry) (*Distribution, error) {
	defer h.Hold()()
	if err := h.Context.Err(); err != nil {
		return nil, err
	}
	h.progress(stage, 0, 1)
	timed := e.Plan.Stream.Timed()
	took := make([]uint64, len(timed)) // in ticks
	for i := range took {              // touch the pages before the clock starts
		took[i] = 0
	}
	d, err := h.warm(&e)
	if err != nil {
		return nil, err
	}
	v := &Distribution{Name: e.Name, Total: latency.NewHistogram(), Probe: h.clock.Spin(probeSpan), step: h.clock.Step}
	clock, started := h.clock, time.Now()
	for i := range timed {
		from := clock.Read()
		d.Apply(&timed[i])
		took[i] = clock.Read() - from
	}
	span := time.Since(started)
	v.Probe.Add(h.clock.Spin(probeSpan))
	if v.Err = judge(&e, d); v.Err != nil {
		return v, nil
	}
	v.Trace = Trace{"engine", started, span, took}
	return v, clock.fill(v.Total, took)
}

// fill turns ticks into nanoseconds in place and records them.
//
// What lasted longer than a histogram can hold counts as its longest.
func (c *Clock) fill(h *hdrhistogram.Histogram, took []uint64) error {
	for i, ticks := range took {
		took[i] = min(uint64(math.Round(c.Nanos(ticks))), uint64(latency.Highest))
		if err := h.RecordValue(int64(took[i])); err != nil {
			return err
		}
	}
	return nil
}

// At returns a percentile in nanoseconds; ok is false when the samples are too few
// to speak of it, or when there is none.
func (v *Distribution) At(name string) (ns float64, ok bool) {
	if v.Err != nil {
		return 0, false
	}
	return at(v.Total, name)
}

// Within is At for ratios: a clock that moves by ten nanoseconds says 40 of whatever lies around 40, and where among those the percentile
// falls is told by how many lie below. They are taken to lie evenly within half a step to either side.
func (v *Distribution) Within(name string) (ns float64, ok bool) {
	ns, ok = v.At(name)
	if !ok {
		return 0, false
	}
	p, _ := latency.ParsePercentile(name)
	low, below, among := ns-v.step/2, int64(0), int64(0)
	for _, bar := range v.Total.Distribution() {
		switch at := float64(bar.From); {
		case at < low:
			below += bar.Count
		case at < low+v.step:
			among += bar.Count
		}
	}
	share := (p.Value/100*float64(v.Total.TotalCount()) - float64(below)) / float64(max(among, 1))
	return low + v.step*min(max(share, 0), 1), true
}

// at returns a percentile of a histogram, if its samples are enough.
func at(h *hdrhistogram.Histogram, name string) (ns float64, ok bool) {
	p, err := latency.ParsePercentile(name)
	if err != nil {
		return 0, false
	}
	v, ok := p.Of(h)
	return float64(v), ok
}
