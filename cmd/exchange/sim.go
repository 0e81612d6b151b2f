package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lockstep-exchange/lockstep/sim"
)

// simCommand is exchange sim: worlds from seeds, in which disks and processes fail and everything that was promised is held to.
type simCommand struct {
	Seeds    int    `help:"How many worlds." default:"40"`
	Commands int    `help:"Commands in each before its faults stop." default:"40000"`
	Seed     uint64 `help:"The first seed; the others follow it." default:"1"`
	Workers  int    `help:"Worlds at a time; 0: one for each processor." default:"0"`
	Once     bool   `help:"Begin no world after the first finding."`
	Release  bool   `help:"Fail as well where a rare state was never reached."`
}

func (s *simCommand) examples() []string {
	return []string{"exchange sim", "exchange sim --seeds 1 --seed 17", "exchange sim --seeds 500 --release --json"}
}

// Run runs the worlds and prints what was found.
func (s *simCommand) Run(con *console) error {
	if s.Seeds < 1 || s.Commands < 1 || s.Workers < 0 {
		return badUsage("--seeds %d, --commands %d, --workers %d: expected 1 or more, and not below 0 workers", s.Seeds, s.Commands, s.Workers)
	}
	progress := con.simProgress(s.Seeds)
	fleet := sim.Fleet{First: s.Seed, Seeds: s.Seeds, Commands: s.Commands, Workers: s.Workers, Release: s.Release, Once: s.Once, Done: progress.done}
	sum := fleet.Run(con.ctx)
	progress.drawn.finish()
	if err := s.print(con, &sum); err != nil {
		return err
	}
	switch {
	case len(sum.Findings) > 0:
		return unmet("%d of %d seeds found something", len(sum.Findings), sum.Seeds)
	case con.ctx.Err() != nil:
		return con.ctx.Err()
	case sum.Failed(s.Release):
		return unmet("rare states were never reached: %s", strings.Join(sum.Missed, ", "))
	}
	return nil
}

func (s *simCommand) print(con *console, sum *sim.Summary) error {
	if con.json {
		return con.printJSON(sum)
	}
	con.printf("sim: seeds %d to %d, %d of them run, %d commands each\n", sum.First, sum.First+uint64(sum.Asked)-1, sum.Seeds, s.Commands)
	con.printf("  commands    %d, and %d applied again by recoveries and checks, in %.1f s\n", sum.Commands, sum.Replays, sum.Seconds)
	con.printf("  faults      %s\n", counts(sum.Faults))
	con.printf("  sometimes   %s\n", counts(sum.Reached))
	if len(sum.Missed) > 0 {
		con.printf("  never       %s\n", strings.Join(sum.Missed, ", "))
	}
	con.printf("  trace       %s\n", sum.Trace)
	for _, f := range sum.Findings {
		con.printf("%s\n", f)
	}
	con.printf("  findings    %d\n", len(sum.Findings))
	return nil
}

// counts are names with their numbers, in order.
func counts(of map[string]int64) string {
	words := make([]string, 0, len(of))
	for _, name := range slices.Sorted(maps.Keys(of)) {
		words = append(words, fmt.Sprintf("%s %d", name, of[name]))
	}
	return strings.Join(words, ", ")
}

// simProgress shows how far a run is: a bar on a terminal, else a line now and then.
type simProgress struct {
	con            *console
	drawn          *bar
	seeds, total   int
	commands       int64
	found          int
	began, printed time.Time
}

// sayEvery is how often a line is printed where no bar is drawn.
const sayEvery = 10 * time.Second

func (c *console) simProgress(total int) *simProgress {
	now := time.Now()
	return &simProgress{con: c, drawn: c.bar(int64(total), "sim"), total: total, began: now, printed: now}
}

// done counts one seed.
func (p *simProgress) done(r *sim.Result) {
	p.seeds++
	p.commands += r.Commands
	if r.Finding != nil {
		p.found++
	}
	p.drawn.set(int64(p.seeds))
	now := time.Now()
	if p.drawn != nil || p.con.quiet || p.con.json || now.Sub(p.printed) < sayEvery {
		return
	}
	p.printed = now
	rate := float64(p.commands) / now.Sub(p.began).Seconds()
	fmt.Fprintf(p.con.err, "sim: %d of %d seeds, %d commands, %.0f a second, %d found\n", p.seeds, p.total, p.commands, rate, p.found)
}
