package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// console is where a command may speak and how it learns that it should stop.
type console struct {
	ctx      context.Context // ends at the first interrupt
	out, err io.Writer       // results; everything else
	args     []string        // as typed, for reports
	json     bool            // --json
	quiet    bool            // --quiet
	bars     bool            // --progress auto
}

// printJSON writes one result as one line of JSON.
func (c *console) printJSON(result any) error { return json.NewEncoder(c.out).Encode(result) }

// printf writes a line for people to stdout.
func (c *console) printf(format string, args ...any) { fmt.Fprintf(c.out, format, args...) }

// drawsBars reports whether long work shows a bar: on a terminal only, and never with --quiet, --json or
// --progress never.
func (c *console) drawsBars() bool {
	file, ok := c.err.(*os.File)
	return ok && c.bars && !c.quiet && !c.json && term.IsTerminal(int(file.Fd()))
}

// bar is the progress of total units of work (-1: nobody knows how many), or nil where none is drawn: its methods may
// be called on nil. Finish it before printing results.
func (c *console) bar(total int64, title string) *bar {
	if !c.drawsBars() {
		return nil
	}
	return newBar(c.err, total, title)
}

// byteBar is bar where the units are bytes.
func (c *console) byteBar(total int64, title string) *bar {
	if !c.drawsBars() {
		return nil
	}
	return newBar(c.err, total, title, progressbar.OptionShowBytes(true))
}

func newBar(to io.Writer, total int64, title string, options ...progressbar.Option) *bar {
	return &bar{progressbar.NewOptions64(total, append(options,
		progressbar.OptionSetWriter(to),
		progressbar.OptionSetDescription(title),
		progressbar.OptionShowCount(),
		progressbar.OptionShowIts(),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionFullWidth(),
	)...)}
}

// bar draws progress on a terminal; a nil bar draws nothing.
type bar struct{ drawn *progressbar.ProgressBar }

// set says that done units are behind us.
func (b *bar) set(done int64) {
	if b != nil {
		b.drawn.Set64(done)
	}
}

// finish takes the bar off the screen.
func (b *bar) finish() {
	if b != nil {
		b.drawn.Finish()
	}
}
