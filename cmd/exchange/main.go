// Command exchange is the exchange in one binary: its commands measure the core, feed it and check it.
//
// Words: a command is what stands behind the program's name; a console is where it may speak; a fault is an error that
// knows its exit code. Invariant: results go to stdout and nothing else does.
//
//	arguments -> kong -> one command's Run(*console) -> exit code
//	                        |          \
//	                     stdout         stderr: progress, faults
//	                     results
//
// A command is a struct in a file of its own: flags in its fields, Run(*console) error, and examples() []string for
// the head of its help. One line in commandLine puts it on the menu. Below it nothing decides about exit codes: an error
// says its own by ExitCode() int, and one that does not is ours (1).
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
)

// commandLine is the menu.
type commandLine struct {
	JSON     bool   `name:"json" help:"Results as one JSON object, or one a line for streams."`
	Quiet    bool   `help:"No progress and no remarks, only results and faults."`
	Progress string `enum:"auto,never" default:"auto" help:"When to draw a progress bar: auto (on a terminal) or never."`

	Serve    serveCommand    `cmd:"" help:"A venue that firms connect to, over TCP and TLS."`
	Keys     keysCommand     `cmd:"" help:"Keys of those who log in, and of the venue."`
	Replay   replayCommand   `cmd:"" help:"Drive recorded market data through the engine and compare it with the answers that come with it."`
	Demo     demoCommand     `cmd:"" help:"A recorded market comes back to life: what the exchange does and how fast."`
	Scenario scenarioCommand `cmd:"" help:"Run trading days that are written down, and check what everyone must see."`
	Stress   stressCommand   `cmd:"" help:"What a shock does to a whole book, under each margin mode side by side."`
	Bench    benchCommand    `cmd:"" help:"Measure the exchange against baselines in the same run."`
	Sim      simCommand      `cmd:"" help:"Worlds from seeds, in which disks and processes fail: nothing that was told may be lost, doubled or changed."`
	Verify   verifyCommand   `cmd:"" help:"Check every frame of a journal, replay it, and say in which state it ends."`
	Inspect  inspectCommand  `cmd:"" help:"What is in a journal: its segments, its frames, any of its commands."`
	Decode   decodeCommand   `cmd:"" help:"What is in recorded traffic: one message a line."`
	Diff     diffCommand     `cmd:"" help:"Two journals side by side: the first command or event that differs, both decoded."`
	Export   exportCommand   `cmd:"" help:"What a journal brings about, as tables: orders, fills, margin, ledger."`
	Version  versionCommand  `cmd:"" help:"What this binary was built from."`
	Help     helpCommand     `cmd:"" help:"Help, examples first."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the second interrupt ends the process
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run does what args ask for and returns the exit code. ctx ends at the first interrupt.
func run(ctx context.Context, args []string, out, err io.Writer) (exit int) {
	var (
		menu   commandLine
		helped bool
		con    = &console{ctx: ctx, out: out, err: err, args: args}
	)
	defer func() {
		if cause := recover(); cause != nil { // by itself the runtime would exit with 2, which means that the arguments are wrong
			exit = con.fail(fmt.Errorf("panic: %v\n\n%s", cause, debug.Stack()))
		}
	}()
	parser := kong.Must(&menu,
		kong.Name("exchange"),
		kong.Description("A low-latency, deterministic exchange core: order book, risk gate and margin in one thread."),
		kong.Writers(out, err),
		kong.Exit(func(int) { helped = true }), // kong exits after --help only
		kong.Help(printHelp),
		kong.DefaultEnvars("EXCHANGE"),
		kong.Bind(con),
	)
	chosen, failure := parser.Parse(args)
	switch {
	case helped:
		return exitDone
	case failure != nil:
		con.json = asksJSON(args)
		return con.fail(parseFault(failure))
	}
	con.json, con.quiet, con.bars = menu.JSON, menu.Quiet, menu.Progress == "auto"
	if failure = chosen.Run(); failure != nil {
		return con.fail(failure)
	}
	return exitDone
}

// parseFault is what kong found wrong with the arguments.
func parseFault(err error) error {
	hint := "see exchange help"
	var parse *kong.ParseError
	if errors.As(err, &parse) && parse.Context != nil {
		if node := parse.Context.Selected(); node != nil {
			hint = "see exchange help " + strings.TrimPrefix(node.Path(), "exchange ")
		}
	}
	return &fault{exit: exitUsage, name: "usage", message: err.Error(), hint: hint}
}

// asksJSON looks for --json where the arguments could not be parsed.
func asksJSON(args []string) bool {
	return slices.Contains(args, "--json") || slices.Contains([]string{"true", "1", "yes"}, os.Getenv("EXCHANGE_JSON"))
}
