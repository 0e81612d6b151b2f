package latency

import (
	"encoding/json"
	"io"
)

// Report is what a table or a comparison says, for programs.
type Report struct {
	Logs   []Source `json:"logs"`
	Rows   []Row    `json:"rows,omitempty"`
	Deltas []Delta  `json:"deltas,omitempty"`
	Unmet  []string `json:"unmet"` // what was asserted and does not hold, a sentence each
}

// Source is a log that a report speaks of.
type Source struct {
	Log   string `json:"log"`
	Notes []Note `json:"notes"`
}

// NewReport is a report on logs that says nothing yet.
func NewReport(logs ...*Log) *Report {
	r := &Report{Unmet: []string{}}
	for _, log := range logs {
		r.Logs = append(r.Logs, Source{log.Name, append([]Note{}, log.Notes...)})
	}
	return r
}

// WriteJSON writes the report as one line.
func (r *Report) WriteJSON(w io.Writer) error { return json.NewEncoder(w).Encode(r) }

// Err is an *UnmetError when something was asserted and does not hold, else nil.
func (r *Report) Err() error {
	if len(r.Unmet) == 0 {
		return nil
	}
	return &UnmetError{r.Unmet}
}
