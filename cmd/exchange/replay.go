package main

import (
	"context"
	"strings"

	"github.com/lockstep-exchange/lockstep/replay"
)

// replayCommand is exchange replay: recorded market data, driven through the whole engine and compared with the answers
// that come with it.
type replayCommand struct {
	Format   string   `required:"" enum:"consensus,lobster,binance,mbo" help:"What the files are: consensus, lobster, binance or mbo."`
	Files    []string `arg:"" optional:"" name:"file" help:"The files of one recording, in order; plain, gzip or bzip2. With lobster: the message file and the book file."`
	Messages string   `help:"lobster: the message file." placeholder:"FILE"`
	Book     string   `help:"lobster: the book file, the answers." placeholder:"FILE"`
	Seed     string   `help:"lobster: a book file whose first line is the book to begin with, where --book has fewer levels." placeholder:"FILE"`
	Levels   int      `help:"lobster: how many levels are compared; 0 is all of the book file." default:"0"`

	Expect    string `help:"consensus: the SHA-256 of the reports, or its first 16 digits or more." placeholder:"HASH"`
	First     int64  `help:"consensus: only the first N messages; 0 is all." default:"0" placeholder:"N"`
	MaxDiffer int64  `help:"How many answers may differ, and orders be refused, before the exit code is 3." default:"0" placeholder:"N"`
	Tick      string `help:"The step of prices: of lobster and binance 0.01; of mbo the largest on which all prices lie." placeholder:"STEP"`
	Lot       string `help:"binance: the step of quantities." default:"0.000001" placeholder:"STEP"`
}

func (r *replayCommand) examples() []string {
	return []string{
		"exchange replay --format consensus orders.csv.bz2 --expect e9b2e3926854410b",
		"exchange replay --format lobster --messages AAPL_message_50.csv.gz --book AAPL_orderbook_50.csv.gz --levels 10",
		"exchange replay --format lobster --messages M.csv --book B_top1.csv --seed B_top50.csv --json",
		"exchange replay --format binance btcusdt.gz --tick 0.1 --lot 0.001",
		"exchange replay --format mbo glbx-mdp3.csv.gz --max-differ 10",
	}
}

// Run replays, prints the result and judges it.
func (r *replayCommand) Run(con *console) error {
	work, err := r.work()
	if err != nil {
		return err
	}
	var drawn *bar
	result, err := work(con.ctx, func(read, total int64) {
		if drawn == nil {
			drawn = con.byteBar(total, "replay "+r.Format)
		}
		drawn.set(read)
	})
	drawn.finish()
	if result == nil {
		return err
	}
	if failed := r.print(con, result); failed != nil {
		return failed
	}
	if err != nil {
		return err
	}
	return r.judge(result)
}

// work is the replay that the flags ask for.
func (r *replayCommand) work() (func(context.Context, replay.Watch) (*replay.Result, error), error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	tick, err := r.step("tick", r.Tick, replay.Step{Units: 1, Places: 2})
	if err != nil {
		return nil, err
	}
	switch r.Format {
	case "consensus":
		return replay.Consensus{Files: r.Files, Expect: r.Expect, First: r.First}.Replay, nil
	case "lobster":
		return replay.Lobster{Messages: r.Messages, Book: r.Book, Seed: r.Seed, Levels: r.Levels, Tick: tick}.Replay, nil
	case "binance":
		lot, err := r.step("lot", r.Lot, replay.Step{})
		return replay.Binance{Files: r.Files, Tick: tick, Lot: lot}.Replay, err
	}
	if r.Tick == "" {
		tick = replay.Step{}
	}
	return replay.MBO{Files: r.Files, Tick: tick}.Replay, nil
}

// step reads a flag that is a step; without it, it is what stands otherwise.
func (r *replayCommand) step(flag, text string, otherwise replay.Step) (replay.Step, error) {
	if text == "" {
		return otherwise, nil
	}
	step, err := replay.ParseStep(text)
	if err != nil {
		return step, badUsage("--%s: %v", flag, err)
	}
	return step, nil
}

// check refuses flags that do not go together. The two files of lobster may be arguments.
func (r *replayCommand) check() error {
	lobster := r.Format == "lobster"
	if lobster && r.Messages == "" && r.Book == "" && len(r.Files) == 2 {
		r.Messages, r.Book, r.Files = r.Files[0], r.Files[1], nil
	}
	switch {
	case lobster && (r.Messages == "" || r.Book == "" || len(r.Files) > 0):
		return badUsage("--format lobster needs --messages FILE and --book FILE, and no other files")
	case !lobster && len(r.Files) == 0:
		return badUsage("--format %s needs a file", r.Format)
	case !lobster && (r.Messages+r.Book+r.Seed != "" || r.Levels != 0):
		return badUsage("--messages, --book, --seed and --levels belong to --format lobster")
	case r.Format != "consensus" && (r.Expect != "" || r.First != 0):
		return badUsage("--expect and --first belong to --format consensus")
	case r.Levels < 0 || r.First < 0 || r.MaxDiffer < 0:
		return badUsage("--levels, --first and --max-differ count from 0")
	case r.Expect != "" && (len(r.Expect) < 16 || len(r.Expect) > 64 || strings.Trim(strings.ToLower(r.Expect), "0123456789abcdef") != ""):
		return badUsage("--expect is %q, expected 16 to 64 hexadecimal digits", r.Expect)
	}
	return nil
}

// judge says whether the recording's answers were met.
func (r *replayCommand) judge(result *replay.Result) error {
	switch {
	case result.Reports != nil && result.Differ > 0:
		return unmet("%s", result.First)
	case result.Missed() > r.MaxDiffer:
		return unmet("%d of %d answers differ and %d orders were refused, at most %d expected; first: %s",
			result.Differ, result.Compared, result.Refused, r.MaxDiffer, result.First)
	case result.Compared == 0 && result.Reports == nil:
		return unmet("the recording holds no answer that could be compared")
	}
	return nil
}

// print writes the result.
func (r *replayCommand) print(con *console, result *replay.Result) error {
	if con.json {
		return con.printJSON(result)
	}
	con.printf("replay %s %s\n", result.Format, strings.Join(result.Files, " "))
	if result.Partial {
		con.printf("  PARTIAL: interrupted, the rest was not read\n")
	}
	con.printf("  messages    %d\n", result.Messages)
	con.printf("  compared    %d\n  differ      %d\n", result.Compared, result.Differ)
	con.printf("  refused     %d\n", result.Refused)
	if n := result.Reports; n != nil {
		con.printf("  reports     %d: %d new, %d trades, %d cancels, %d modifies, %d and %d refused\n",
			n.Count, n.Kinds[0], n.Kinds[1], n.Kinds[2], n.Kinds[3], n.Kinds[4], n.Kinds[5])
		con.printf("  sha256      %s\n", n.Hash)
	}
	if n := result.Executions; n != nil {
		con.printf("  fills       %d, of these %d at the head of our queue and %d of unknown orders\n", n.Fills, n.AtHead, n.Anonymous)
	}
	if n := result.Runs; n != nil {
		con.printf("  aggressors  %d, of these %d with exactly the file's executions (%d)\n", n.Runs, n.RunsExact, n.RowsExact)
		if n.Emptied > 0 {
			con.printf("  emptied     %d best levels, behind them %d taken from the file\n", n.Emptied, n.Reseeded)
		}
	}
	if n := result.Records; n != nil {
		con.printf("  snapshot    %d orders\n  strays      %d\n", n.Snapshot, n.Strays)
	}
	if n := result.Feed; n != nil {
		con.printf("  depth       %d applied, %d older than the snapshot, %d gaps\n", n.Depth, n.Dropped, n.Gaps)
		con.printf("  tickers     %d\n  trades      %d\n", n.Tickers, n.Trades)
	}
	if result.First != "" {
		con.printf("  first       %s\n", result.First)
	}
	con.printf("  state       %s\n", result.State)
	return nil
}
