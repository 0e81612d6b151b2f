package main

import (
	"errors"
	"os"
	"time"

	"github.com/lockstep-exchange/lockstep/demo"
)

// demoCommand is exchange demo.
type demoCommand struct {
	Rate     float64       `help:"How many times as fast as it was recorded; 1 is as it was. Default: so that it lasts about 20 s." placeholder:"X" xor:"pace"`
	Max      bool          `help:"As fast as it goes, without any pace. No latency is measured then." xor:"pace,log"`
	Duration time.Duration `help:"How much of the recording to play, as in 30s. Default: all of it." placeholder:"D"`
	Accounts int           `help:"Takers, each with an account of his own." default:"1000" placeholder:"N"`
	Seed     uint64        `help:"Who sends which trade, and with how much collateral." default:"1"`
	Hlog     string        `help:"Write a histogram log of the latencies there." placeholder:"FILE" type:"path" xor:"log"`
}

func (d *demoCommand) examples() []string {
	return []string{"exchange demo", "exchange demo --max", "exchange demo --rate 1 --duration 30s --hlog demo.hlog"}
}

// Run plays the recording that is part of the binary and prints what happened.
func (d *demoCommand) Run(con *console) error {
	o := demo.Options{Rate: d.Rate, Max: d.Max, Duration: d.Duration, Accounts: d.Accounts, Seed: d.Seed}
	if !con.quiet && !con.json {
		o.Live, o.Every = con.err, 10*time.Second
		if con.drawsBars() {
			o.Every = time.Second
		}
	}
	if err := o.Check(); err != nil {
		return err
	}
	if d.Hlog == "" {
		return d.play(con, o)
	}
	file, err := os.Create(d.Hlog)
	if err != nil {
		return err
	}
	o.Log = file
	return errors.Join(d.play(con, o), file.Close())
}

// play prints the report of a run, of one that was interrupted or has failed a check too.
func (d *demoCommand) play(con *console, o demo.Options) error {
	report, err := demo.Run(con.ctx, o)
	switch {
	case report == nil:
		return err
	case con.json:
		return errors.Join(err, con.printJSON(report))
	}
	return errors.Join(err, report.WriteText(con.out))
}
