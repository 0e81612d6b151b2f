package main

import (
	"context"
	"errors"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/lockstep-exchange/lockstep/bench"
	"github.com/lockstep-exchange/lockstep/bench/latency"
	"github.com/lockstep-exchange/lockstep/bench/ops"
)

// benchCommand is exchange bench: figures as ratios within one run. What is measured and how lies in package bench; here
// are the flags and where results go.
type benchCommand struct {
	Floor    benchFloor    `cmd:"" help:"The baselines alone: what this machine gives to anyone."`
	Book     benchBook     `cmd:"" help:"One order book on one stream."`
	Engine   benchEngine   `cmd:"" help:"The whole engine inline on one stream: gate, book, margin, fees, events."`
	Ring     benchRing     `cmd:"" help:"One record to another core and back."`
	Echo     benchEcho     `cmd:"" help:"64 bytes over TCP loopback and back: what any gateway stands on."`
	Pipeline benchPipeline `cmd:"" help:"Command to event through threads: closed loop, open loop, flooded."`
	Journal  benchJournal  `cmd:"" help:"With a journal: rate, command to event through the disk, recovery."`
	Wire     benchWire     `cmd:"" help:"Order to report over a socket: a trip, an open loop, a pipelined connection, decoding."`
	Margin   benchMargin   `cmd:"" help:"What a mark costs a crowd that holds the instrument, quiet and in a crash."`
	All      benchAll      `cmd:"" help:"Every figure that has a goal, each over its baseline."`
	Stream   benchStream   `cmd:"" help:"Generate, convert and check streams."`
}

// benchRuns is how often a figure is taken.
type benchRuns struct {
	Runs int `help:"Rounds; the median counts." default:"7" placeholder:"N"`
}

// benchLog is where a histogram log goes.
type benchLog struct {
	Hlog string `help:"Write a histogram log there." placeholder:"FILE" type:"path"`
}

// benchInput is which stream is measured.
type benchInput struct {
	Ops         string `help:"The stream: OPS1, or consensus text, plain or bzip2. Default: a generated one." placeholder:"FILE" type:"path"`
	Profile     string `enum:"b10k,b100k,ec1k" default:"b10k" help:"Which stream is generated: b10k, b100k or ec1k."`
	Timed       uint64 `help:"How many operations are generated." default:"5000000" placeholder:"N"`
	Instruments int    `help:"Spread the stream over so many instruments, by order id." default:"1" placeholder:"N"`
}

func (b *benchInput) plan() (*bench.Plan, error) {
	return bench.Input{File: b.Ops, Profile: b.Profile, Timed: b.Timed, Seed: ops.Seed, Instruments: b.Instruments}.Plan()
}

// harness is how the figures of a command are taken.
func (b *benchRuns) harness(con *console) (*bench.Harness, *stages, error) {
	if b.Runs < 1 || b.Runs > 1000 {
		return nil, nil, badUsage("--runs is %d, expected 1 to 1000", b.Runs)
	}
	h, drawn := bench.NewHarness(con.ctx, b.Runs), &stages{con: con}
	h.Report = drawn.set
	return h, drawn, nil
}

// stages draws the progress of long work, a bar for each stage of it.
type stages struct {
	con   *console
	title string
	bar   *bar
}

func (s *stages) set(title string, done, total int) {
	if title != s.title {
		s.bar.finish()
		s.title, s.bar = title, s.con.bar(int64(total), title)
	}
	s.bar.set(int64(done))
}

// write writes the traces of a run as a log.
func (b *benchLog) write(con *console, traces []bench.Trace) (err error) {
	if b.Hlog == "" {
		return nil
	}
	file, err := os.Create(b.Hlog)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return bench.WriteLog(file, traces,
		latency.Note{Key: "machine", Value: bench.Machine()},
		latency.Note{Key: "commit", Value: bench.Commit()},
		latency.Note{Key: "ack", Value: "none"},
		latency.Note{Key: "command", Value: "exchange " + strings.Join(con.args, " ")})
}

// benchBook is exchange bench book.
type benchBook struct {
	benchInput
	benchRuns
	benchLog
	Engine string `enum:"book,map,ladder" default:"book" help:"Which: book (ours, bare), map (one tree entry a price) or ladder (bounded prices)."`
}

func (b *benchBook) examples() []string {
	return []string{"exchange bench book --ops b10k.ops", "exchange bench book --profile ec1k --engine map --json"}
}

// Run measures one book.
func (b *benchBook) Run(con *console) error {
	p, err := b.plan()
	if err != nil {
		return err
	}
	entry, err := bench.Book(b.Engine, p)
	if err != nil {
		return err
	}
	return single(con, &b.benchRuns, &b.benchLog, entry)
}

// benchEngine is exchange bench engine.
type benchEngine struct {
	benchInput
	benchRuns
	benchLog
	Accounts uint32 `help:"How many accounts trade; a power of two." default:"1024" placeholder:"N"`
}

func (b *benchEngine) examples() []string {
	return []string{"exchange bench engine --ops b10k.ops --accounts 1024 --json", "exchange bench engine --instruments 1000 --accounts 1048576"}
}

// Run measures the whole engine.
func (b *benchEngine) Run(con *console) error {
	if b.Accounts == 0 || b.Accounts&(b.Accounts-1) != 0 || b.Accounts > 1<<24 {
		return badUsage("--accounts is %d, expected a power of two up to %d", b.Accounts, 1<<24)
	}
	p, err := b.plan()
	if err != nil {
		return err
	}
	return single(con, &b.benchRuns, &b.benchLog, bench.Whole(p, b.Accounts))
}

// single measures one entry, prints it and judges it.
func single(con *console, runs *benchRuns, log *benchLog, entry bench.Entry) error {
	h, drawn, err := runs.harness(con)
	if err != nil {
		return err
	}
	result, err := h.Single(entry)
	drawn.bar.finish()
	if err != nil {
		return err
	}
	if con.json {
		if err := con.printJSON(result); err != nil {
			return err
		}
	} else {
		con.printf("%s\n", result)
	}
	if result.Differs != nil {
		return result.Differs
	}
	return log.write(con, []bench.Trace{result.Pass.Trace})
}

// benchSuite is what the commands that print a table have in common.
type benchSuite struct {
	benchRuns
	benchLog
	Timed uint64 `help:"How many operations of each stream are generated." default:"5000000" placeholder:"N"`
}

// measure makes figures, prints them, and returns the report with the error that ended it early.
func (b *benchSuite) measure(con *console, figures func(*bench.Suite) error) (*bench.Report, error) {
	if b.Timed < 1 || b.Timed > 100_000_000 {
		return nil, badUsage("--timed is %d, expected 1 to 100000000", b.Timed)
	}
	h, drawn, err := b.harness(con)
	if err != nil {
		return nil, err
	}
	s := bench.NewSuite(h, b.Timed)
	failed := figures(s)
	drawn.bar.finish()
	if failed != nil && !errors.Is(failed, context.Canceled) {
		return nil, failed
	}
	if con.json {
		err = con.printJSON(&s.Report)
	} else {
		_, err = con.out.Write(s.Report.Append(nil, colored(con)))
	}
	if err == nil && failed == nil {
		err = b.write(con, s.Traces)
	}
	if err == nil {
		err = failed
	}
	return &s.Report, err
}

// colored reports whether results are looked at on a terminal.
func colored(con *console) bool {
	file, ok := con.out.(*os.File)
	return ok && term.IsTerminal(int(file.Fd())) && os.Getenv("NO_COLOR") == ""
}

// benchFloor is exchange bench floor.
type benchFloor struct{ benchSuite }

func (b *benchFloor) examples() []string { return []string{"exchange bench floor"} }

// Run measures the baselines.
func (b *benchFloor) Run(con *console) error {
	_, err := b.measure(con, (*bench.Suite).Floor)
	return err
}

// benchRing is exchange bench ring.
type benchRing struct{ benchSuite }

func (b *benchRing) examples() []string { return []string{"exchange bench ring"} }

// Run measures a round trip between two cores.
func (b *benchRing) Run(con *console) error {
	_, err := b.measure(con, (*bench.Suite).RoundTrips)
	return err
}

// benchEcho is exchange bench echo.
type benchEcho struct{ benchSuite }

func (b *benchEcho) examples() []string { return []string{"exchange bench echo"} }

// Run measures a round trip over a socket.
func (b *benchEcho) Run(con *console) error {
	_, err := b.measure(con, (*bench.Suite).Echoes)
	return err
}

// benchPipeline is exchange bench pipeline.
type benchPipeline struct{ benchSuite }

func (b *benchPipeline) examples() []string {
	return []string{"exchange bench pipeline --hlog pipeline.hlog"}
}

// Run measures command to event through threads.
func (b *benchPipeline) Run(con *console) error {
	_, err := b.measure(con, (*bench.Suite).Pipelines)
	return err
}

// benchJournal is exchange bench journal.
type benchJournal struct {
	benchSuite
	Dir string `help:"The folder in which journals are written and removed again: the disk that is measured. Default: where temporary files are." placeholder:"DIR" type:"path"`
}

func (b *benchJournal) examples() []string {
	return []string{"exchange bench journal", "exchange bench journal --dir /var/lib/exchange --json"}
}

// Run measures the journal.
func (b *benchJournal) Run(con *console) error {
	_, err := b.measure(con, func(s *bench.Suite) error {
		s.Dir = b.Dir
		return s.Journals()
	})
	return err
}

// benchWire is exchange bench wire.
type benchWire struct {
	benchSuite
	Strict bool `help:"Exit with 3 when a goal is missed."`
}

func (b *benchWire) examples() []string {
	return []string{"exchange bench wire", "exchange bench wire --runs 3 --json --strict"}
}

// Run measures the wire.
func (b *benchWire) Run(con *console) error {
	report, err := b.measure(con, (*bench.Suite).Wires)
	if err != nil {
		return err
	}
	return b.judge(report, b.Strict)
}

// benchMargin is exchange bench margin.
type benchMargin struct {
	benchSuite
	Accounts uint32 `help:"How many accounts hold the instrument." default:"1048576" placeholder:"N"`
	Strict   bool   `help:"Exit with 3 when a goal is missed."`
}

func (b *benchMargin) examples() []string {
	return []string{"exchange bench margin", "exchange bench margin --accounts 65536 --json --strict"}
}

// Run measures marks.
func (b *benchMargin) Run(con *console) error {
	if b.Accounts < 2048 || b.Accounts > 1<<24 {
		return badUsage("--accounts is %d, expected 2048 to %d", b.Accounts, 1<<24)
	}
	report, err := b.measure(con, func(s *bench.Suite) error {
		s.Crowd = b.Accounts
		return s.Margins()
	})
	if err != nil {
		return err
	}
	return b.judge(report, b.Strict)
}

// judge fails where goals are missed and that is not to be.
func (b *benchSuite) judge(report *bench.Report, strict bool) error {
	if missed := report.Missed(); strict && missed > 0 {
		return unmet("%d goals are missed", missed)
	}
	return nil
}

// benchAll is exchange bench all.
type benchAll struct {
	benchSuite
	Ops    string   `help:"A further stream: the bare book against the plain-map book." placeholder:"FILE" type:"path"`
	F1     []string `name:"f1" help:"A consensus stream, as OPS1 or text, plain or bzip2; may be given several times." placeholder:"FILE" type:"path" sep:"none"`
	Strict bool     `help:"Exit with 3 when a goal is missed."`
}

func (b *benchAll) examples() []string {
	return []string{"exchange bench all", "exchange bench all --f1 normal.csv.bz2 --f1 static.csv.bz2 --json", "exchange bench all --timed 1000000 --runs 3"}
}

// Run measures everything that has a goal.
func (b *benchAll) Run(con *console) error {
	report, err := b.measure(con, func(s *bench.Suite) error {
		s.Flash, s.File = b.F1, b.Ops
		return s.All()
	})
	if err != nil {
		return err
	}
	return b.judge(report, b.Strict)
}

// benchStream is exchange bench stream: streams as files.
type benchStream struct {
	Gen     streamGen     `cmd:"" help:"Generate a stream."`
	Convert streamConvert `cmd:"" help:"Turn a consensus text into a stream."`
	Check   streamCheck   `cmd:"" help:"Play a stream on the oracle and compare every record."`
}

// streamOut is where a stream goes.
type streamOut struct {
	Out   string `help:"Write the stream there. Default: it is described and hashed, but not kept." placeholder:"FILE" type:"path"`
	Blind bool   `help:"Leave every expected result zero in the file."`
}

// emit writes a stream where asked, and describes it.
func (o *streamOut) emit(con *console, s *ops.Stream, name string) error {
	d, err := ops.Describe(s, name)
	if err != nil {
		return err
	}
	if o.Blind {
		s.MakeBlind()
	}
	if d.SHA256, err = s.SHA256(); err != nil {
		return err
	}
	if o.Out != "" {
		if err := s.WriteFile(o.Out); err != nil {
			return err
		}
	}
	return tell(con, d)
}

func tell(con *console, d *ops.Description) error {
	if con.json {
		return con.printJSON(d)
	}
	con.printf("%s\n", d)
	return nil
}

// streamGen is exchange bench stream gen.
type streamGen struct {
	streamOut
	Profile   string `enum:"b10k,b100k,ec1k,custom" default:"b10k" help:"b10k, b100k, ec1k, or custom with the flags below."`
	Timed     uint64 `short:"n" help:"Operations under the clock." default:"5000000" placeholder:"N"`
	Seed      uint64 `help:"Of the generator, not 0." default:"2685821657736338717" placeholder:"S"`
	Resting   uint64 `help:"custom: orders that rest, about; and the prefill." default:"10000" placeholder:"N"`
	Range     uint64 `help:"custom: widest distance from the mid, in ticks." default:"512" placeholder:"N"`
	Add       uint64 `help:"custom: percent of new orders." default:"50" placeholder:"N"`
	Cancel    uint64 `help:"custom: percent of cancels." default:"40" placeholder:"N"`
	Replace   uint64 `help:"custom: percent of replaces." default:"5" placeholder:"N"`
	Ioc       uint64 `help:"custom: percent of immediate orders." default:"5" placeholder:"N"`
	MaxQty    uint64 `help:"custom: most lots of an order." default:"100" placeholder:"N"`
	MaxIocQty uint64 `help:"custom: most lots of an immediate order." default:"200" placeholder:"N"`
	Through   uint64 `help:"custom: ticks beyond the mid of an immediate order's limit." default:"64" placeholder:"N"`
	Accounts  uint64 `help:"custom: owners." default:"1024" placeholder:"N"`
}

func (g *streamGen) examples() []string {
	return []string{"exchange bench stream gen --profile b10k --out b10k.ops", "exchange bench stream gen --profile custom --resting 500 --replace 30 --cancel 15 -n 100000"}
}

// Run generates a stream.
func (g *streamGen) Run(con *console) error {
	p := ops.Profile{Name: "custom", Resting: g.Resting, Range: g.Range, Add: g.Add, Cancel: g.Cancel, Replace: g.Replace, IOC: g.Ioc,
		MaxQty: g.MaxQty, MaxIOCQty: g.MaxIocQty, Through: g.Through, Accounts: g.Accounts}
	if g.Profile != "custom" {
		var err error
		if p, err = ops.Named(g.Profile); err != nil {
			return badUsage("%v", err)
		}
	}
	s, err := ops.Generate(p, g.Timed, g.Seed)
	if err != nil {
		return badUsage("%v", err)
	}
	return g.emit(con, s, p.Name)
}

// streamConvert is exchange bench stream convert.
type streamConvert struct {
	streamOut
	File string `arg:"" help:"Consensus text, plain or bzip2." type:"path"`
}

func (c *streamConvert) examples() []string {
	return []string{"exchange bench stream convert normal.csv.bz2 --out f1-normal.ops"}
}

// Run converts a stream.
func (c *streamConvert) Run(con *console) error {
	s, err := ops.Open(c.File)
	if err != nil {
		return err
	}
	return c.emit(con, s, c.File)
}

// streamCheck is exchange bench stream check.
type streamCheck struct {
	File    string `arg:"" help:"The stream." type:"path"`
	Reports bool   `help:"Hash the report text too, by which consensus streams are published."`
}

func (c *streamCheck) examples() []string {
	return []string{"exchange bench stream check b10k.ops"}
}

// Run plays a stream on the oracle.
func (c *streamCheck) Run(con *console) error {
	s, err := ops.Open(c.File)
	if err != nil {
		return err
	}
	d, err := ops.Describe(s, c.File)
	if err != nil {
		return unmet("%v", err)
	}
	if d.SHA256, err = s.SHA256(); err != nil {
		return err
	}
	if c.Reports {
		d.Reports = s.ReportHash()
	}
	return tell(con, d)
}
