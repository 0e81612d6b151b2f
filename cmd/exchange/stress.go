package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/sim/stress"
)

// stressCommand is exchange stress: what a shock does to a whole book.
type stressCommand struct {
	Compare stressCompare `cmd:"" help:"Run a book through a shock under each margin mode, and compare."`
	List    stressList    `cmd:"" help:"The books and scenarios that are built in."`
	Show    stressShow    `cmd:"" help:"Print the file of one that is built in, to begin your own with."`
}

// stressCompare is exchange stress compare.
type stressCompare struct {
	Book     string   `help:"A book: a TOML file, or the name of one that stress list shows." placeholder:"NAME|FILE" required:""`
	Scenario string   `help:"A scenario: a TOML file, or the name of one that stress list shows." placeholder:"NAME|FILE" required:""`
	Modes    []string `help:"Under which modes, in which order: cross, isolated." default:"cross,isolated" placeholder:"MODE,..."`
	History  string   `help:"The recorded prices that the scenario reads: a CSV of bars, plain or gzip." placeholder:"FILE" type:"path"`
	Funding  string   `help:"The recorded funding rates that it reads; none are paid without." placeholder:"FILE" type:"path"`
	Seed     *uint64  `help:"What is drawn: customers and noise. Default: the book's." placeholder:"N"`
	Out      string   `help:"Write the report there, one HTML page." placeholder:"FILE" type:"path"`
	CSV      string   `name:"csv" help:"Write a row for each account under each mode there." placeholder:"FILE" type:"path"`
	Events   string   `help:"Write a row for each event of the ladder there, as CSV." placeholder:"FILE" type:"path"`
	Require  []string `help:"What a figure must be, as in 'insurance<=1m' or 'cross.deficit=0'; exit code 3 if it is not. May be given several times." placeholder:"FIGURE<=N" sep:"none"`
}

func (s *stressCompare) examples() []string {
	return []string{
		"exchange stress compare --book institutional --scenario corr-to-one",
		"exchange stress compare --book desk.toml --scenario gap-down --out report.html --csv accounts.csv",
		"exchange stress compare --book retail-10k --scenario march-2020 --history BTCUSDT_1h_2020.csv.gz",
		"exchange stress compare --book institutional --scenario v-shape --require 'insurance<=1m' --require cross.deficit=0",
	}
}

// Run runs the book and prints how it fared.
func (s *stressCompare) Run(con *console) error {
	o, require, err := s.options()
	if err != nil {
		return err
	}
	report, err := s.compare(con, o)
	if report == nil {
		return err
	}
	if failed := s.write(con, report); failed != nil {
		return failed
	}
	if err != nil {
		return err
	}
	if lines := report.Unmet(require); len(lines) > 0 {
		return unmet("%s", strings.Join(lines, "; "))
	}
	return nil
}

// options reads the files and the flags.
func (s *stressCompare) options() (o stress.Options, require []stress.Requirement, err error) {
	for _, name := range s.Modes {
		switch mode := map[string]msg.Mode{"cross": msg.ModeCross, "isolated": msg.ModeIsolated}[name]; {
		case name == "portfolio":
			return o, nil, badUsage("not supported: --modes portfolio; cross and isolated are")
		case mode == 0:
			return o, nil, badUsage("--modes names %q, expected cross or isolated", name)
		default:
			o.Modes = append(o.Modes, mode)
		}
	}
	if len(o.Modes) == 0 || len(o.Modes) > 2 || len(o.Modes) == 2 && o.Modes[0] == o.Modes[1] {
		return o, nil, badUsage("--modes names %d, expected each mode once", len(o.Modes))
	}
	for _, text := range s.Require {
		q, err := stress.ParseRequirement(text)
		if err != nil {
			return o, nil, badUsage("%v", err)
		}
		require = append(require, q)
	}
	if o.Book, err = stress.LoadBook(s.Book); err != nil {
		return o, nil, err
	}
	if o.Shock, err = stress.LoadShock(s.Scenario); err != nil {
		return o, nil, err
	}
	o.Seed = o.Book.Seed
	if s.Seed != nil {
		o.Seed = *s.Seed
	}
	return o, require, o.Shock.Load(stress.Recordings{Bars: s.History, Funding: s.Funding})
}

// compare runs the book with a bar, or a line each ten seconds where there is no terminal.
func (s *stressCompare) compare(con *console, o stress.Options) (*stress.Report, error) {
	var bar *bar
	told := time.Now()
	o.Progress = func(done, total int64) {
		if con.drawsBars() {
			if bar == nil {
				bar = con.bar(total, "steps")
			}
			bar.set(done)
			return
		}
		if now := time.Now(); !con.quiet && !con.json && now.Sub(told) >= 10*time.Second {
			told = now
			fmt.Fprintf(con.err, "%d of %d steps\n", done, total)
		}
	}
	report, err := stress.Compare(con.ctx, o)
	bar.finish()
	return report, err
}

// write writes the files that were asked for, and the result.
func (s *stressCompare) write(con *console, report *stress.Report) error {
	origin := stress.Origin{Command: "exchange " + strings.Join(con.args, " "), Version: readBuild().String()}
	for _, f := range []struct {
		path  string
		write func(io.Writer) error
	}{{s.CSV, report.WriteAccounts}, {s.Events, report.WriteEvents},
		{s.Out, func(w io.Writer) error { return report.WritePage(w, origin) }}} {
		if f.path == "" {
			continue
		}
		if err := writeFile(f.path, f.write); err != nil {
			return err
		}
	}
	if con.json {
		return con.printJSON(report)
	}
	return report.WriteText(con.out)
}

// writeFile writes a file anew.
func writeFile(path string, write func(io.Writer) error) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(write(file), file.Close())
}

// stressList is exchange stress list.
type stressList struct{}

func (s *stressList) examples() []string {
	return []string{"exchange stress list", "exchange stress list --json"}
}

// Run prints what is built in.
func (s *stressList) Run(con *console) error {
	all, err := stress.Library()
	if err != nil {
		return err
	}
	for _, e := range all {
		if con.json {
			if err := con.printJSON(e); err != nil {
				return err
			}
			continue
		}
		con.printf("%-8s  %-18s  %s\n", e.Kind, e.Name, e.Title)
		if e.Needs != "" {
			con.printf("%-8s  %-18s  reads %s, with --history\n", "", "", e.Needs)
		}
	}
	return nil
}

// stressShow is exchange stress show.
type stressShow struct {
	Name string `arg:"" help:"The name of a book or scenario."`
}

func (s *stressShow) examples() []string {
	return []string{"exchange stress show institutional", "exchange stress show gap-down > mine.toml"}
}

// Run prints the file.
func (s *stressShow) Run(con *console) error {
	all, err := stress.Library()
	if err != nil {
		return err
	}
	for _, e := range all {
		if e.Name != s.Name {
			continue
		}
		if con.json {
			return con.printJSON(e)
		}
		con.printf("%s", e.Text)
		return nil
	}
	return badUsage("%q is not built in, expected a name that exchange stress list shows", s.Name)
}
