package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
)

// Exit codes; they never change.
const (
	exitDone        = 0
	exitInternal    = 1   // a fault of ours
	exitUsage       = 2   // the arguments or an input file are wrong
	exitUnmet       = 3   // an expectation was not met
	exitDiverged    = 7   // a replay brings about other events, or two journals do
	exitCorrupt     = 6   // a journal is damaged, or a newer binary wrote it
	exitStorage     = 8   // the disk failed, and nothing was acknowledged that is not on it
	exitUnfit       = 9   // the surroundings do not allow it: another process holds the folder, say
	exitInterrupted = 130 // somebody pressed Ctrl-C; what was printed is partial
)

// fault is an error as its reader meets it: a line on stderr, or with --json one object.
type fault struct {
	exit          int
	name          string // of the exit code
	message, hint string
}

func (f *fault) Error() string { return f.message }
func (f *fault) ExitCode() int { return f.exit }

// badUsage is a fault in the arguments that kong cannot see.
func badUsage(format string, args ...any) error {
	return &fault{exit: exitUsage, name: "usage", message: fmt.Sprintf(format, args...)}
}

// unmet is the fault of a run that ended well and did not find what was expected. Its results are on stdout already.
func unmet(format string, args ...any) error {
	return &fault{exit: exitUnmet, name: "unmet", message: fmt.Sprintf(format, args...)}
}

// coded is an error of another package that names its own exit code.
type coded interface {
	error
	ExitCode() int
}

// named is one that has a name of its own for it.
type named interface {
	coded
	ExitName() string
}

// asFault says how an error ends the process.
func asFault(err error) *fault {
	var (
		own  *fault
		code coded
		name named
		path *fs.PathError
	)
	switch {
	case errors.As(err, &own):
		return own
	case errors.Is(err, context.Canceled):
		return &fault{exit: exitInterrupted, name: "interrupted", message: "interrupted: what was printed is partial"}
	case errors.As(err, &name):
		return &fault{exit: name.ExitCode(), name: name.ExitName(), message: err.Error()}
	case errors.As(err, &code):
		return &fault{exit: code.ExitCode(), name: exitName(code.ExitCode()), message: err.Error()}
	case errors.As(err, &path):
		return &fault{exit: exitUsage, name: "input", message: err.Error()}
	}
	return &fault{exit: exitInternal, name: "internal", message: err.Error(), hint: "this is a defect: please report it with the command line"}
}

// exitName is the name of an exit code that an error of another package chose.
func exitName(exit int) string {
	switch exit {
	case exitUsage:
		return "input"
	case exitUnmet:
		return "unmet"
	case exitInterrupted:
		return "interrupted"
	}
	return "internal"
}

// fail prints err and returns the exit code it stands for.
func (c *console) fail(err error) int {
	f := asFault(err)
	if !c.json {
		fmt.Fprintf(c.err, "exchange: %s\n", f.message)
		if f.hint != "" {
			fmt.Fprintf(c.err, "  %s\n", f.hint)
		}
		return f.exit
	}
	json.NewEncoder(c.err).Encode(struct {
		Exit    int    `json:"exit"`
		Name    string `json:"name"`
		Message string `json:"message"`
		Hint    string `json:"hint"`
	}{f.exit, f.name, f.message, f.hint})
	return f.exit
}
