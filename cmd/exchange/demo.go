package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/lockstep-exchange/lockstep/demo"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node"
	"github.com/lockstep-exchange/lockstep/node/journal"
)

// demoCommand is exchange demo.
type demoCommand struct {
	Rate     float64       `help:"How many times as fast as it was recorded; 1 is as it was. Default: so that it lasts about 20 s." placeholder:"X" xor:"pace"`
	Max      bool          `help:"As fast as it goes, without any pace. No latency is measured then." xor:"pace,log"`
	Duration time.Duration `help:"How much of the recording to play, as in 30s. Default: all of it." placeholder:"D"`
	Accounts int           `help:"Takers, each with an account of his own." default:"1000" placeholder:"N"`
	Seed     uint64        `help:"Who sends which trade, and with how much collateral." default:"1"`
	Hlog     string        `help:"Write a histogram log of the latencies there." placeholder:"FILE" type:"path" xor:"log"`
	Data     string        `help:"Keep a journal in this folder, and go on where it ends. Kill the demo and start it again." placeholder:"DIR" type:"path"`
	Ack      string        `enum:"fsync,none" default:"fsync" help:"With --data, what an event waits for before anyone sees it: fsync, or none, which promises nothing."`
	Acks     string        `help:"With --data, write a line for each command whose events have left the exchange: its number and a digest of them; - is stdout." placeholder:"FILE|-"`
}

func (d *demoCommand) examples() []string {
	return []string{"exchange demo", "exchange demo --max", "exchange demo --rate 1 --duration 30s --hlog demo.hlog",
		"exchange demo --data data", "exchange demo --data data --max --acks -"}
}

// Run plays the recording that is part of the binary and prints what happened.
func (d *demoCommand) Run(con *console) (err error) {
	o := demo.Options{Rate: d.Rate, Max: d.Max, Duration: d.Duration, Accounts: d.Accounts, Seed: d.Seed, Data: d.Data}
	if d.Ack == journal.None.String() {
		o.Ack = journal.None
	}
	if !con.quiet && !con.json {
		o.Found = func(r *node.Recovery) { con.err.Write(r.Append(nil)) }
		o.Room = func(s msg.Storage) { fmt.Fprintf(con.err, "the room for the journal is %s\n", s) }
		o.Live, o.Every = con.err, 10*time.Second
		if con.drawsBars() {
			o.Every = time.Second
		}
	}
	if d.Acks != "" {
		o.Acks = con.out
	}
	if err := o.Check(); err != nil {
		return err
	}
	if d.Acks != "" && d.Acks != "-" {
		file, failed := os.OpenFile(d.Acks, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
		if failed != nil {
			return failed
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		o.Acks = file
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
