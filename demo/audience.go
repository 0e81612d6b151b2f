package demo

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/lockstep-exchange/lockstep/bench"
	"github.com/lockstep-exchange/lockstep/bench/latency"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/replay"
)

// audience hears of a moment each second, on a goroutine of its own: it writes the lines and the log, and adds up the
// histograms. What it cannot write it keeps for the end, and the market goes on.
type audience struct {
	options *Options
	speed   speed
	ack     string
	moments chan moment
	spare   chan *hdrhistogram.Histogram
	done    chan struct{}

	total    *hdrhistogram.Histogram // of all moments; nil: latency is not measured
	period   *hdrhistogram.Histogram // since the last line
	log      *latency.Writer
	begun    time.Time
	line     time.Duration // when the next line is due
	from     time.Duration // the time and the commands of the last line
	commands int64
	err      error
}

// momentsMax is how many moments may wait before the courier does: hours.
const momentsMax = 1 << 14

func newAudience(o *Options, speed speed, ack string) *audience {
	return &audience{options: o, speed: speed, ack: ack, moments: make(chan moment, momentsMax), spare: make(chan *hdrhistogram.Histogram, 8),
		done: make(chan struct{}), line: o.Every}
}

// open lets the audience in: the clock counts from begun, and latency is measured from then on. From and commands are how far
// the market is already.
func (a *audience) open(begun time.Time, from time.Duration, commands int64) {
	a.begun, a.total, a.period = begun, latency.NewHistogram(), latency.NewHistogram()
	a.from, a.line, a.commands = from, from+a.options.Every, commands
	a.spare <- latency.NewHistogram()
	go a.listen()
}

// close waits until everything is heard. The error is the first of the log's.
func (a *audience) close() error {
	if a.total == nil {
		return nil
	}
	close(a.moments)
	<-a.done
	return a.err
}

func (a *audience) listen() {
	defer close(a.done)
	a.head()
	for m := range a.moments {
		a.total.Merge(m.latency)
		a.period.Merge(m.latency)
		if a.options.Live != nil && m.to >= a.line {
			a.tell(&m)
		}
		if a.log != nil && a.err == nil {
			a.err = a.log.Interval("engine", a.begun.Add(m.from), a.begun.Add(m.to), m.latency)
		}
		m.latency.Reset()
		select {
		case a.spare <- m.latency:
		default:
		}
	}
}

// columns are those of a line, right-aligned. Quantities are BTC, money is USDT. Under ok/1/2/liq stand the accounts that hold
// a position, by rung of the ladder; nearest is how far the mark is from liquidating somebody, and how many that soon.
var columns = []struct {
	name  string
	width int
}{
	{"recorded", 8}, {"commands/s", 11}, {"p50", 7}, {"p99", 7}, {"p99.9", 7}, {"mark", 9}, {"spread", 7},
	{"open BTC", 9}, {"refused", 8}, {"ok/1/2/liq", 12}, {"nearest", 15}, {"fund", 10}, {"funding", 9},
}

// head writes what stands above the lines and at the head of the log.
func (a *audience) head() {
	if a.options.Live != nil {
		words := make([]string, len(columns))
		for i := range columns {
			words[i] = columns[i].name
		}
		a.print(words)
	}
	if a.options.Log != nil {
		a.log, a.err = latency.NewWriter(a.options.Log, a.begun,
			latency.Note{Key: "machine", Value: bench.Machine()},
			latency.Note{Key: "ack", Value: a.ack},
			latency.Note{Key: "load", Value: fmt.Sprintf("demo, %s, %.6g times as fast as recorded", replay.BundledName, a.speed.rate)},
			latency.Note{Key: "latency", Value: "ns from the time at which a command was due to its first event, read on another thread"})
	}
}

// tell writes a line.
func (a *audience) tell(m *moment) {
	span := (m.to - a.from).Seconds()
	words := []string{clock(m.recorded), group(int64(float64(m.commands-a.commands) / span))}
	for _, name := range []string{"p50", "p99", "p99.9"} {
		words = append(words, at(a.period, name))
	}
	near := "-"
	if name, count := m.near.nearest(); count > 0 {
		near = fmt.Sprintf("%s: %d", name, count)
	}
	words = append(words, usdt(m.mark), usdt(m.ask.Price-m.bid.Price), btc(m.interest), group(m.rejects),
		fmt.Sprintf("%d/%d/%d/%d", m.rungs.ok, m.rungs.call1, m.rungs.call2, m.rungs.liquidating), near,
		group(int64(m.fund/fixed.Coin)), group(int64(m.funding/fixed.Coin)))
	a.print(words)
	a.period.Reset()
	a.from, a.commands = m.to, m.commands
	a.line += a.options.Every
}

// print writes words in columns.
func (a *audience) print(words []string) {
	var line strings.Builder
	for i, word := range words {
		fmt.Fprintf(&line, "%*s", columns[i].width, word)
	}
	io.WriteString(a.options.Live, line.String()+"\n") // a screen that is gone is no reason to stop
}

// at is a percentile for people, "-" where the samples are too few to speak of it.
func at(h *hdrhistogram.Histogram, name string) string {
	p, err := latency.ParsePercentile(name)
	if err != nil {
		return "-"
	}
	ns, ok := p.Of(h)
	if !ok {
		return "-"
	}
	return latency.Format(ns)
}

// clock is a recorded time of day.
func clock(t fixed.Nanos) string { return time.Unix(0, int64(t)).UTC().Format(time.TimeOnly) }

// group writes a count in groups of three digits: 1,234,567.
func group(n int64) string { return commas(fmt.Sprint(n)) }

// commas groups the whole part of a number.
func commas(number string) string {
	sign := ""
	if strings.HasPrefix(number, "-") {
		sign, number = "-", number[1:]
	}
	whole, fraction, dot := strings.Cut(number, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if dot {
		whole += "." + fraction
	}
	return sign + whole
}

// usdt is a price as a decimal.
func usdt(p fixed.Ticks) string { return fmt.Sprintf("%d.%d", p/10, p%10) }
