package load

import (
	"io"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/lockstep-exchange/lockstep/bench/latency"
	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// The stages of a request, as tags of a log.
const (
	Total   = iota // from when it should have been sent
	Late           // until it was sent
	In             // from there to the venue
	Gateway        // in the venue, until it was sequenced
	Back           // from there to its first response: engine, journal, gateway, wire
	stages
)

var tags = [stages]string{"total", "late", "in", "gateway", "back"}

// intervalsMax bounds the histograms of a run: each stage has one for each interval, made beforehand, so that nothing is written,
// merged or allocated while it lasts.
const intervalsMax = 60

// recorder is the histograms of a run.
type recorder struct {
	from  int64 // when measuring begins, ns since 1970
	width int64 // of an interval, ns
	cells [stages][]*hdrhistogram.Histogram
}

func newRecorder(from int64, span time.Duration) *recorder {
	r := &recorder{from: from, width: max(int64(span)/intervalsMax, int64(time.Second))}
	n := int((int64(span)+r.width-1)/r.width) + 1 // one more for what is answered late
	for i := range r.cells {
		for range n {
			r.cells[i] = append(r.cells[i], latency.NewHistogram())
		}
	}
	return r
}

// add records a time of a stage, in the interval in which the request was to be sent.
func (r *recorder) add(stage int, intended, ns int64) {
	cell := min(max((intended-r.from)/r.width, 0), int64(len(r.cells[stage])-1))
	r.cells[stage][cell].RecordValue(min(max(ns, latency.Lowest), latency.Highest)) // inside the range, it cannot fail
}

// write writes the histograms as a log.
func (r *recorder) write(out io.Writer, notes []latency.Note) error {
	w, err := latency.NewWriter(out, time.Unix(0, r.from), notes...)
	if err != nil {
		return err
	}
	for k := range r.cells[0] {
		from := time.Unix(0, r.from+int64(k)*r.width)
		for stage := range r.cells {
			if h := r.cells[stage][k]; h.TotalCount() > 0 {
				if err := w.Interval(tags[stage], from, from.Add(time.Duration(r.width)), h); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// stamps are the venue's in a first response: when the request came in, and when it was sequenced. ingress is 0 in reports that
// do not say it.
func stamps(m *wire.Message) (ingress, sequenced int64) {
	var in uint64
	switch m.Template {
	case gen.TemplateOrderAccepted:
		in = gen.AsOrderAccepted(m.Block).IngressTime()
	case gen.TemplateOrderReplaced:
		in = gen.AsOrderReplaced(m.Block).IngressTime()
	case gen.TemplateReject:
		in = gen.AsReject(m.Block).IngressTime()
	case gen.TemplateOrderCanceled:
	default:
		return 0, 0
	}
	if in == wire.NoTime {
		in = 0
	}
	return int64(in), int64(gen.AsOrderCanceled(m.Block).TransactTime()) // in the bytes that all of them share
}
