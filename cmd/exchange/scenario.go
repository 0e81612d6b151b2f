package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/lockstep-exchange/lockstep/sim/scenario"
)

// scenarioCommand is exchange scenario: trading days that are written down, and what everyone must see.
type scenarioCommand struct {
	Files []string `arg:"" name:"file" help:"Scenario files, or folders of them: all below that end with .scenario."`
	Mode  string   `help:"Margin everything by one model, whatever the files say: cross or isolated." placeholder:"MODE" enum:",cross,isolated,portfolio" default:""`
	Trace bool     `help:"Print each statement and what it brought about, as it happens."`
	Check bool     `help:"Read and check the files, and run none."`
}

func (s *scenarioCommand) examples() []string {
	return []string{
		"exchange scenario day.scenario",
		"exchange scenario --trace day.scenario",
		"exchange scenario --mode isolated stories/",
		"exchange scenario --check --json stories/",
	}
}

// tally is how the files of a run came out.
type tally struct {
	passed, failed int
	unread         int   // of the failed
	first          error // why the first of them could not be read
}

// Run runs the files, one after the other, and prints what came of each.
func (s *scenarioCommand) Run(con *console) error {
	if s.Mode == string(scenario.Portfolio) {
		return badUsage("not supported: --mode portfolio; cross and isolated are")
	}
	var sum tally
	for _, path := range s.Files {
		files, err := scenario.Find(path)
		if err != nil {
			if err := sum.unreadable(con, path, err); err != nil {
				return err
			}
		}
		for _, file := range files {
			if err := s.file(con, file, &sum); err != nil {
				return err
			}
		}
	}
	if !con.json {
		con.printf("%d passed, %d failed\n", sum.passed, sum.failed)
	}
	switch {
	case sum.unread > 0:
		return fmt.Errorf("%d of %d files could not be read: %w", sum.unread, sum.passed+sum.failed, sum.first)
	case sum.failed > 0:
		return unmet("%d of %d files failed", sum.failed, sum.passed+sum.failed)
	}
	return nil
}

// file reads a file, runs it unless it is only to be checked, and prints the result.
func (s *scenarioCommand) file(con *console, file string, sum *tally) error {
	script, err := scenario.Load(file, scenario.Mode(s.Mode))
	if err != nil {
		return sum.unreadable(con, file, err)
	}
	result := scenario.Result{File: file, Expectations: script.Expectations, Failed: []scenario.Failure{}}
	if !s.Check {
		if result, err = script.Run(con.ctx, s.tracing(con)); err != nil {
			return err
		}
	}
	return sum.result(con, &result)
}

// tracing is where a trace goes: among the results, or beside them where those are for machines.
func (s *scenarioCommand) tracing(con *console) io.Writer {
	switch {
	case !s.Trace:
		return nil
	case con.json:
		return con.err
	}
	return con.out
}

// unreadable counts a file that could not be read, and prints why.
func (t *tally) unreadable(con *console, file string, err error) error {
	var faults scenario.Faults
	if !errors.As(err, &faults) {
		return err
	}
	t.failed++
	t.unread++
	if t.first == nil {
		t.first = faults[:1]
	}
	if con.json {
		return con.printJSON(scenario.Result{File: file, Failed: []scenario.Failure{}, Error: err.Error()})
	}
	con.printf("FAIL %s\n", file)
	for i := range faults {
		con.printf("%s\n", faults[i].Error())
	}
	return nil
}

// result counts a file that ran or was checked, and prints what came of it.
func (t *tally) result(con *console, r *scenario.Result) error {
	if len(r.Failed) > 0 {
		t.failed++
	} else {
		t.passed++
	}
	if con.json {
		return con.printJSON(r)
	}
	if len(r.Failed) == 0 {
		con.printf("ok   %s  %d expectations", r.File, r.Expectations)
		if r.Hash != "" {
			con.printf("  hash %s", r.Hash)
		}
		con.printf("\n")
		return nil
	}
	con.printf("FAIL %s\n", r.File)
	for i := range r.Failed {
		con.printf("%s\n", r.Failed[i].Append(nil, r.File))
	}
	return nil
}
