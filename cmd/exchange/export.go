package main

import (
	"errors"
	"os"

	"github.com/lockstep-exchange/lockstep/export"
	"github.com/lockstep-exchange/lockstep/msg"
)

// exportCommand is exchange export: what a journal brings about, as tables for people who count.
type exportCommand struct {
	Dir    string   `arg:"" help:"The folder of the journal. It is only read."`
	Out    string   `required:"" help:"Where the files go: a folder, made where there is none." placeholder:"DIR" type:"path"`
	What   []string `help:"Which tables: orders, fills, margin, ledger." default:"orders,fills,margin,ledger" placeholder:"TABLE,..."`
	Format []string `help:"In which form: csv, parquet." default:"csv,parquet" placeholder:"FORMAT,..."`
	From   uint64   `help:"Rows of commands from this one on." placeholder:"N"`
	To     uint64   `help:"Rows of commands up to this one." placeholder:"N"`
}

func (e *exportCommand) examples() []string {
	return []string{"exchange export data --out tables", "exchange export data --what fills --format csv --from 1000 --to 2000 --out tables"}
}

// Run replays the journal, writes the tables, and prints what was written.
func (e *exportCommand) Run(con *console) (err error) {
	o := export.Options{Tables: e.What, Formats: e.Format, From: msg.Seq(e.From), To: msg.Seq(e.To), Dir: e.Out}
	if err := o.Check(); err != nil {
		return err
	}
	r, err := openJournal(e.Dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	check, err := beginReplay(r)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(e.Out, 0o755); err != nil {
		return err
	}
	tables, err := export.New(o)
	if err != nil {
		return err
	}
	check.upto = o.To
	check.each = func(c *msg.Command, events []msg.Event) error { return tables.Fold(c, events, check.engine) }
	drawn := con.bar(int64(r.Segments()), "export "+e.Dir)
	failed := check.replay(con, r, drawn)
	drawn.finish()
	manifest, err := tables.Close(r.Place().Head.String())
	switch {
	case failed != nil || err != nil:
		return errors.Join(failed, err)
	case con.json:
		return con.printJSON(manifest)
	}
	con.printf("export %s, commands %d to %d\n", e.Dir, manifest.From, manifest.To)
	for _, f := range manifest.Files {
		con.printf("  %-15s %10d rows  sha256 %s\n", f.Name, f.Rows, f.SHA256)
	}
	return nil
}
