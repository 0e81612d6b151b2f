package main

import (
	"fmt"

	"github.com/alecthomas/kong"
)

// helpCommand is exchange help [COMMAND...]: the same as COMMAND --help.
type helpCommand struct {
	Command []string `arg:"" optional:"" help:"The command to explain."`
}

func (h *helpCommand) examples() []string {
	return []string{"exchange help", "exchange help version"}
}

// Run prints the help of the command named.
func (h *helpCommand) Run(asked *kong.Context) error {
	traced, err := kong.Trace(asked.Kong, h.Command)
	if err == nil {
		err = traced.Error
	}
	if err != nil {
		return parseFault(err)
	}
	return traced.PrintUsage(false)
}

// printHelp is kong's help with examples in front: a reader who finds his case there needs nothing below.
func printHelp(options kong.HelpOptions, ctx *kong.Context) error {
	type exampled interface{ examples() []string }
	var lines []string
	node := ctx.Selected()
	if node == nil {
		for _, leaf := range ctx.Model.Leaves(true) {
			if cmd, ok := leaf.Target.Addr().Interface().(exampled); ok {
				lines = append(lines, cmd.examples()[0])
			}
		}
	} else if cmd, ok := node.Target.Addr().Interface().(exampled); ok {
		lines = cmd.examples()
	}
	if len(lines) > 0 {
		fmt.Fprintln(ctx.Stdout, "Examples:")
		for _, line := range lines {
			fmt.Fprintln(ctx.Stdout, "  "+line)
		}
		fmt.Fprintln(ctx.Stdout)
	}
	return kong.DefaultHelpPrinter(options, ctx)
}
