package bench

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// Outcome is what one engine came to on one stream: the contract of the command
// line, with exactly these keys. Times are nanoseconds; null where there is none to
// be told.
type Outcome struct {
	Engine      string   `json:"engine"`
	Prefill     uint64   `json:"prefill"`
	Ops         int      `json:"ops"`
	Runs        int      `json:"runs"`
	NsPerOp     *float64 `json:"ns_per_op"` // median of the runs
	NsPerOpMin  *float64 `json:"ns_per_op_min"`
	Trades      uint64   `json:"trades"`
	Volume      uint64   `json:"volume"`
	Checksum    string   `json:"checksum"`
	Rejects     uint64   `json:"rejects"`
	Refused     uint64   `json:"refused"`
	Valid       *bool    `json:"valid"` // null of a blind stream
	P50         *float64 `json:"p50"`
	P99         *float64 `json:"p99"`
	P999        *float64 `json:"p99.9"`
	P9999       *float64 `json:"p99.99"`
	Max         *float64 `json:"max"`
	ClockNs     float64  `json:"clock_ns"` // cost of one reading, contained in every percentile
	AllocsPerOp float64  `json:"allocs_per_op"`
	GCCycles    uint64   `json:"gc_cycles"`
	Machine     string   `json:"machine"`

	// Differs is the *DiffersError of a stream that was not done, else nil.
	Differs error `json:"-"`
	// Pass is the one with a clock around each operation; nil where Differs is set.
	Pass *Distribution `json:"-"`
}

// Single measures one entry alone: Rounds runs for the time of an operation, and
// one further pass for its percentiles.
func (h *Harness) Single(e Entry) (*Outcome, error) {
	measures, err := h.Race(e.Name, []Entry{e})
	if err != nil {
		return nil, err
	}
	m := &measures[0]
	o := &Outcome{
		Engine: e.Name, Prefill: e.Plan.Stream.Prefill, Ops: len(e.Plan.Stream.Timed()), Runs: h.Rounds,
		Trades: m.Result.Trades, Volume: m.Result.Volume, Checksum: m.Result.Sum.String(),
		Rejects: m.Rejects, Refused: m.Refused,
		ClockNs:  round(h.clock.Cost),
		GCCycles: m.Cycles,
		Machine:  h.where(m),
		Differs:  m.Err,
	}
	if m.Applied > 0 {
		o.AllocsPerOp = float64(m.Allocs) / float64(m.Applied)
	}
	if valid := m.Err == nil; !e.Plan.Blind || !valid {
		o.Valid = &valid
	}
	if m.Err != nil {
		return o, nil
	}
	o.NsPerOp, o.NsPerOpMin = some(m.Median()), some(m.Min())
	d, err := h.Distribution(e.Name, e)
	if err != nil {
		return nil, err
	}
	if d.Err != nil {
		return nil, fmt.Errorf("the pass with the clock came to another result than the runs before: %w", d.Err)
	}
	o.Pass = d
	for name, to := range map[string]**float64{"p50": &o.P50, "p99": &o.P99, "p99.9": &o.P999, "p99.99": &o.P9999} {
		if ns, ok := d.At(name); ok {
			*to = some(ns)
		}
	}
	o.Max = some(float64(d.Total.Max()))
	return o, nil
}

// where is the line that says where and how it was measured.
func (h *Harness) where(m *Measure) string {
	pinned := "not pinned"
	if h.Core >= 0 {
		pinned = fmt.Sprintf("pinned to core %d", h.Core)
		if raised() {
			pinned += " at the highest priority"
		}
	}
	line := fmt.Sprintf("%s; GC off while timed, %s, %s, empty loop lost %.2f%%", Machine(), pinned, h.clock.Source, 100*m.Probe.Lost())
	if m.Void > 0 {
		line += fmt.Sprintf(", %d of %d runs void: above %.0f%%", m.Void, len(m.Ns), 100*VoidAbove)
	}
	return line
}

// String returns the same as one line of text, key by key; a dash stands for null.
func (o *Outcome) String() string {
	raw, err := json.Marshal(o)
	if err != nil {
		return err.Error()
	}
	var b strings.Builder
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	dec.UseNumber()
	dec.Token() // the opening brace
	for dec.More() {
		key, _ := dec.Token()
		value, _ := dec.Token()
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		fmt.Fprintf(&b, "%v=", key)
		switch v := value.(type) {
		case nil:
			b.WriteByte('-')
		case string:
			if strings.ContainsAny(v, " ") {
				v = strconv.Quote(v)
			}
			b.WriteString(v)
		default:
			fmt.Fprint(&b, v)
		}
	}
	return b.String()
}

// some is a pointer to v with two decimals.
func some(v float64) *float64 {
	v = round(v)
	return &v
}

func round(v float64) float64 {
	r, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'f', 2, 64), 64)
	return r
}
