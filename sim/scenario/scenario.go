// Package scenario runs trading days that are written down: a text of commands, and of what everyone must see. The text is
// read and checked whole before anything of it runs; then it goes through the real engine, so that a scenario cannot
// disagree with the exchange.
//
//	text ── Parse ──> Script ── Run ──> Result
//	          |          |                 what was expected and not found, and the hash of the state
//	          |          `- a step for each statement: what it does to a world, or looks for in it
//	          `- Faults: file:line:column, what was wrong, what was expected
//
//	step ──> world ── msg.Command ──> engine one   applied as the day goes on, and looked at
//	                      |
//	                      |- recorded ──> engine two   the same commands, nobody looking
//	                      `- journal, power loss, recovery ──> engine three
//
// Words: a statement is a line, a verb and its pairs; a fault is what keeps a text from running; a failure is an expectation
// that did not hold. Invariant: the three engines have one hash, or the file has failed.
package scenario

import (
	"fmt"
	"strings"

	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Ending is how the name of a scenario file ends.
const Ending = ".scenario"

// Mode overrides how everything in a scenario is margined, so that one story can be told under each model.
type Mode string

// The modes. AsWritten overrides nothing.
const (
	AsWritten Mode = ""
	Cross     Mode = "cross"     // every order works for its account's cross pool; isolate, cross and margin are left out
	Isolated  Mode = "isolated"  // every order of a margined instrument is isolated; isolate and cross are left out
	Portfolio Mode = "portfolio" // not built yet: Parse refuses it
)

// Script is a scenario that was read and checked. It may be run any number of times.
type Script struct {
	Name         string // of the file
	Expectations int
	Ends         fixed.Nanos // the time at its end; it begins at 0

	mode        Mode
	steps       []step
	limits      engine.Limits
	accounts    []*account
	instruments []*instrument
	underlyings []*underlying
	assets      []*asset
	owners      []string
	remembered  map[msg.EventKind]bool // the kinds that an expectation asks for
}

// step is one statement.
type step struct {
	line int
	text string
	do   func(*world)
}

// Fault is one thing that keeps a text from running.
type Fault struct {
	File         string
	Line, Column int    // from 1 on; Line 0: the file as a whole
	Text         string // what was wrong and what was expected
	Lacking      string // the verb, key or value that the language has and this build does not; then Text is empty
}

// Error is file:line:column: what was wrong; or file:line not supported: what.
func (f Fault) Error() string {
	switch {
	case f.Lacking != "":
		return fmt.Sprintf("%s:%d not supported: %s", f.File, f.Line, f.Lacking)
	case f.Line == 0:
		return f.File + ": " + f.Text
	}
	return fmt.Sprintf("%s:%d:%d: %s", f.File, f.Line, f.Column, f.Text)
}

// Faults are all faults of a text, in its order; as an error they are never empty.
type Faults []Fault

// Error is a line for each fault.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i := range f {
		lines[i] = f[i].Error()
	}
	return strings.Join(lines, "\n")
}

// ExitCode is that of input which cannot be read.
func (f Faults) ExitCode() int { return 2 }

// Failure is an expectation that did not hold.
type Failure struct {
	Line  int    `json:"line"`
	What  string `json:"what"`  // what was looked at, as in position; or that the state hash differs
	Field string `json:"field"` // of it; empty where the thing itself is meant
	Want  string `json:"want"`
	Got   string `json:"got"`
	kind  string // of the events that were counted
}

// Append writes the failure as one line, as in day.scenario:12 expect position qty: want 2 got 1.5.
func (f *Failure) Append(dst []byte, file string) []byte {
	if f.What == hashDiffers {
		return fmt.Appendf(dst, "%s %s: want %s got %s", file, hashDiffers, f.Want, f.Got)
	}
	dst = fmt.Appendf(dst, "%s:%d expect %s", file, f.Line, f.What)
	for _, word := range []string{f.kind, f.Field} {
		if word != "" {
			dst = append(append(dst, ' '), word...)
		}
	}
	return fmt.Appendf(dst, ": want %s got %s", f.Want, f.Got)
}

const hashDiffers = "state hash differs"

// Result is what came of a file.
type Result struct {
	File         string    `json:"file"`
	Expectations int       `json:"expectations"`
	Failed       []Failure `json:"failed"` // never nil
	Hash         string    `json:"hash"`   // of the state at the end, 16 hexadecimal digits; empty when nothing ran
	Error        string    `json:"error"`  // why it could not be read or parsed; then nothing of it ran
}
