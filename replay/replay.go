// Package replay drives recorded market data through the whole engine and compares what comes out with the answers that
// the recording brings along. It is how a stranger's file judges the exchange.
//
//	Source    the files, line by line      readers   consensus, LOBSTER, Binance, market by order
//	venue     an engine, open for trading  queues    the book as its events tell it
//	Result    what was compared, and how much of it differs
//
//	file --> Source --> reader --> messages --> commands --> engine --> events --> queues --.
//	   '---------------------> the recorded answers ---------------------------------------> compared --> Result
//
// Invariant: the only door to the book is engine.Apply, and the only view of it is the events that come back. Nothing is
// taken from the recording but orders and answers: ids, queues, fills and the order of events are the engine's own.
package replay

import (
	"context"
	"fmt"
)

// Result is what a replay found. It is the same for the same files, whenever and wherever it runs.
type Result struct {
	Format   string   `json:"format"`
	Files    []string `json:"files"`
	Messages int64    `json:"messages"` // read and applied
	Compared int64    `json:"compared"` // answers that could be compared
	Differ   int64    `json:"differ"`   // of these, how many were not the engine's
	Refused  int64    `json:"refused"`  // orders of the recording that the engine did not take
	First    string   `json:"first_difference,omitempty"`
	State    string   `json:"state"`   // the engine's hash at the end
	Partial  bool     `json:"partial"` // interrupted: the rest was not read

	*Reports    // consensus
	*Executions // LOBSTER, market by order
	*Runs       // LOBSTER
	*Records    // market by order
	*Feed       // Binance
}

// Missed is how much is wrong: answers that differ and orders refused.
func (r *Result) Missed() int64 { return r.Differ + r.Refused }

// differs counts a difference; the first is kept in words.
func (r *Result) differs(format string, args ...any) {
	if r.Differ++; r.First == "" {
		r.First = fmt.Sprintf(format, args...)
	}
}

// refuses counts an order that the engine did not take.
func (r *Result) refuses(where string, why fmt.Stringer) {
	if r.Refused++; r.First == "" {
		r.First = where + ": refused: " + why.String()
	}
}

// Executions are recorded fills of resting orders, and where those stood here.
type Executions struct {
	Fills     int64 `json:"fills"`     // recorded
	AtHead    int64 `json:"at_head"`   // of an order that was the first of its price here
	Anonymous int64 `json:"anonymous"` // of an order that rested before the recording began
}

// Watch is told now and then how many bytes of the files are read, of how many; total 0 means that nobody knows.
type Watch func(read, total int64)

// pace is after how many messages a replay tells how far it is and asks whether to stop.
const pace = 1 << 8

// watcher tells how far a replay is and asks whether to stop.
type watcher struct {
	ctx   context.Context
	src   *Source
	watch Watch
	count int64
}

// step counts a message. It reports whether the replay should stop.
func (w *watcher) step() (stop bool) {
	if w.count++; w.count%pace != 0 {
		return false
	}
	if w.watch != nil {
		w.watch(w.src.Done())
	}
	return w.ctx.Err() != nil
}
