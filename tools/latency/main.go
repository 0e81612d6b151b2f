// Command latency reads histogram logs (.hlog, the HdrHistogram log format 1.3, nanoseconds) and prints percentile tables,
// compares two runs, and draws a page.
//
//	latency run.hlog                                  a line a tag
//	latency --merge 1.hlog 2.hlog                     percentiles of the histograms together
//	latency diff before.hlog after.hlog --assert 'p99.9<+10%'
//	latency plot before.hlog after.hlog --out runs.html
//
// And it makes such logs: it trades on a venue at a rate that it keeps whatever the venue does, and times every answer from when its
// request should have been sent.
//
//	latency load --self-test
//	latency load --addr venue:7001 --venue HEX --key 7=my.key --rate 20k --duration 60s --hlog run.hlog --assert 'p99<50us'
//
// Results go to stdout, all else to stderr. Exit codes: 0 done; 1 internal fault; 2 wrong arguments or a log that cannot be
// read, with file and line; 3 an assertion does not hold; 5 the venue cannot be reached or does not let us in; 130 interrupted. All it
// knows of logs is package bench/latency, and of load bench/load.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/alecthomas/kong"

	"github.com/lockstep-exchange/lockstep/bench/latency"
)

// Exit codes; they are those of the exchange binary.
const (
	exitDone     = 0
	exitInternal = 1
	exitUsage    = 2
)

// commandLine is the menu.
type commandLine struct {
	JSON bool `name:"json" help:"Results as one JSON object."`

	Table tableCommand `cmd:"" default:"withargs" help:"Percentiles of each log and tag."`
	Diff  diffCommand  `cmd:"" help:"Two logs, figure by figure."`
	Load  loadCommand  `cmd:"" help:"Trade over the wire, and time the answers."`
	Plot  plotCommand  `cmd:"" help:"One HTML page: curves, course over time, tables."`
}

// console is where results go, and in which form.
type console struct {
	out  io.Writer
	json bool
	args []string // of the command line
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run does what args ask for and returns the exit code.
func run(args []string, out, errs io.Writer) int {
	var menu commandLine
	helped := false
	parser := kong.Must(&menu, kong.Name("latency"), kong.Writers(out, errs), kong.Exit(func(int) { helped = true }),
		kong.Description("Percentile tables, comparisons and pictures of histogram logs.\n\n"+
			"Examples:\n  latency run.hlog\n  latency diff before.hlog after.hlog --assert 'p99.9<+10%'\n  latency plot run.hlog --out run.html\n  latency load --self-test --rate 5k --assert 'p99<50ms'"))
	chosen, err := parser.Parse(args)
	if helped {
		return exitDone
	}
	if err != nil {
		return fail(errs, menu.JSON, &usageError{err})
	}
	if err = chosen.Run(&console{out, menu.JSON, args}); err != nil {
		return fail(errs, menu.JSON, err)
	}
	return exitDone
}

// usageError is a fault in the arguments.
type usageError struct{ error }

func (*usageError) ExitCode() int { return exitUsage }

// fail says what went wrong and returns its exit code.
func fail(errs io.Writer, asJSON bool, err error) int {
	exit := exitInternal
	var coded interface{ ExitCode() int }
	var path *fs.PathError
	if errors.As(err, &coded) {
		exit = coded.ExitCode()
	} else if errors.As(err, &path) {
		exit = exitUsage
	}
	if asJSON {
		json.NewEncoder(errs).Encode(map[string]any{"exit": exit, "message": err.Error()})
	} else {
		fmt.Fprintln(errs, "latency:", err)
	}
	return exit
}

// readAll reads the logs at paths.
func readAll(paths []string) (logs []*latency.Log, err error) {
	for _, path := range paths {
		log, err := latency.ReadFile(path)
		if err != nil {
			return nil, err
		}
		logs = append(logs, log)
	}
	return logs, nil
}

// parseAll reads assertions; a relative one needs two logs.
func parseAll(texts []string, relative bool) (assertions []latency.Assertion, err error) {
	for _, text := range texts {
		a, err := latency.ParseAssertion(text)
		if err != nil {
			return nil, &usageError{err}
		}
		if a.Relative() && !relative {
			return nil, &usageError{fmt.Errorf("assertion %q is about a change, expected latency diff A B", text)}
		}
		assertions = append(assertions, a)
	}
	return assertions, nil
}

type tableCommand struct {
	Files  []string `arg:"" name:"file" help:"Logs to read."`
	Merge  bool     `help:"Merge the histograms of all files, tag by tag."`
	Assert []string `sep:"none" help:"A bound like p99<50us or engine:max<=1ms; exit 3 when it does not hold."`
}

// Run prints the percentiles.
func (c *tableCommand) Run(con *console) error {
	assertions, err := parseAll(c.Assert, false)
	if err != nil {
		return err
	}
	logs, err := readAll(c.Files)
	if err != nil {
		return err
	}
	if c.Merge {
		merged, err := latency.Merge("merged", logs)
		if err != nil {
			return err
		}
		logs = []*latency.Log{merged}
	}
	report := latency.NewReport(logs...)
	report.Rows = latency.Rows(logs...)
	for _, log := range logs {
		for _, a := range assertions {
			report.Unmet = append(report.Unmet, a.Check(log)...)
		}
	}
	if con.json {
		err = report.WriteJSON(con.out)
	} else {
		err = latency.Table(con.out, report.Rows)
	}
	return errors.Join(err, report.Err())
}

type diffCommand struct {
	A      string   `arg:"" help:"The log to compare with."`
	B      string   `arg:"" help:"The log that is judged."`
	Assert []string `sep:"none" help:"A bound like p99.9<+10% or p99<50us; exit 3 when it does not hold."`
}

// Run prints the figures of both logs and how they changed.
func (c *diffCommand) Run(con *console) error {
	assertions, err := parseAll(c.Assert, true)
	if err != nil {
		return err
	}
	logs, err := readAll([]string{c.A, c.B})
	if err != nil {
		return err
	}
	a, b := logs[0], logs[1]
	report := latency.NewReport(a, b)
	report.Deltas = latency.Diff(a, b)
	for _, assertion := range assertions {
		report.Unmet = append(report.Unmet, assertion.Compare(a, b)...)
	}
	if con.json {
		err = report.WriteJSON(con.out)
	} else {
		err = latency.WriteDiff(con.out, a, b, report.Deltas)
	}
	return errors.Join(err, report.Err())
}

type plotCommand struct {
	Files []string `arg:"" name:"file" help:"Up to six logs."`
	Out   string   `required:"" placeholder:"F.html" help:"The page to write."`
	Title string   `default:"Latency" help:"Its title."`
}

// Run writes the page.
func (c *plotCommand) Run(con *console) error {
	if len(c.Files) > latency.LogsMax {
		return &usageError{fmt.Errorf("%d logs, expected at most %d on one page", len(c.Files), latency.LogsMax)}
	}
	logs, err := readAll(c.Files)
	if err != nil {
		return err
	}
	var page bytes.Buffer
	if err := latency.Plot(&page, c.Title, logs...); err != nil {
		return err
	}
	if err := os.WriteFile(c.Out, page.Bytes(), 0o644); err != nil {
		return err
	}
	if con.json {
		return json.NewEncoder(con.out).Encode(map[string]string{"out": c.Out})
	}
	_, err = fmt.Fprintln(con.out, c.Out)
	return err
}
