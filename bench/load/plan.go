// Package load trades on a venue as hard as it is told, and measures every answer.
//
// One thread drives any number of connections and never waits. Open, a request is sent at its time, a pure function of its number,
// and its latency counts from that time, however late it is sent; so a venue that stands still cannot slow down what measures it.
// Closed, a connection sends when it has its answer; flooded, as soon as it may.
//
//	intended ---late---> sent ---in---> ingress ---gateway---> sequenced ---back---> first response seen
//	|<------------------------------------- total --------------------------------------------------->|
//
// ingress and sequenced are the venue's own stamps in the report, so the stages between are as true as its clock and ours agree: on
// one machine they are one clock. Engine, journal and the way out have no stamps of their own: they are in back.
//
//	plan.go   what is sent
//	run.go    sending it
//	stage.go  what came of it: histograms by stage and interval
package load

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/lockstep-exchange/lockstep/msg"
)

// Sending is when a request is sent.
type Sending uint8

const (
	Open    Sending = iota // each at its time
	Closed                 // when the connection's last one is answered
	Flooded                // whenever the connection takes it
)

func (s Sending) String() string { return [...]string{"open", "closed", "flooded"}[s] }

// Plan is what is sent. Prices and quantities are those of the wire.
type Plan struct {
	Sending    Sending
	Rate       float64       // requests a second over all connections, of an open loop
	Duration   time.Duration // of what is measured
	Warmup     time.Duration // before that: sent, but not counted
	Mix        Mix
	Seed       uint64
	Instrument msg.InstrumentID
	Accounts   []msg.AccountID // connections take them in turn
	Mid        int64           // the price about which is traded
	Tick, Lot  int64           // the steps of prices and quantities
	Depth      int             // orders rest so many ticks from the mid at most, and at least one
	Resting    int             // orders of a connection at most
}

// Mix is the shares of the kinds of requests.
type Mix struct{ Place, Cancel, Replace, IOC int }

// Usual is a market maker's mix.
var Usual = Mix{45, 45, 8, 2}

// ParseMix reads "place=45,cancel=45,replace=8,ioc=2"; what is not named is 0.
func ParseMix(text string) (m Mix, err error) {
	shares := map[string]*int{"place": &m.Place, "cancel": &m.Cancel, "replace": &m.Replace, "ioc": &m.IOC}
	for _, part := range strings.Split(text, ",") {
		name, number, _ := strings.Cut(part, "=")
		share, ok := shares[name]
		n, bad := strconv.Atoi(number)
		if !ok || bad != nil || n < 0 || n > 1000 {
			return m, fmt.Errorf("mix %q: %q, expected place, cancel, replace or ioc, = and a share of 0 to 1000", text, part)
		}
		*share = n
	}
	if m.Place+m.IOC == 0 {
		return m, fmt.Errorf("mix %q, expected a share of place or ioc: without orders there is nothing to cancel", text)
	}
	return m, nil
}

func (m Mix) String() string {
	return fmt.Sprintf("place=%d,cancel=%d,replace=%d,ioc=%d", m.Place, m.Cancel, m.Replace, m.IOC)
}

// Check names the first field that is out of range.
func (p *Plan) Check() error {
	for _, r := range []struct {
		name         string
		value        float64
		least, limit float64
	}{
		{"Duration in seconds", p.Duration.Seconds(), 0.001, 86_400}, {"Warmup in seconds", p.Warmup.Seconds(), 0, 3_600}, {"Instrument", float64(p.Instrument), 1, 1 << 32},
		{"Accounts", float64(len(p.Accounts)), 1, 1 << 24}, {"Tick", float64(p.Tick), 1, 1 << 40}, {"Lot", float64(p.Lot), 1, 1 << 40},
		{"Depth", float64(p.Depth), 1, 1 << 20}, {"Resting", float64(p.Resting), 1, 1 << 20}, {"Mix.Place + Mix.IOC", float64(p.Mix.Place + p.Mix.IOC), 1, 2_000},
	} {
		if r.value < r.least || r.value > r.limit {
			return fmt.Errorf("load: %s is %g, expected %g to %g", r.name, r.value, r.least, r.limit)
		}
	}
	if p.Sending == Open && (p.Rate < 0.1 || p.Rate > 1e7) {
		return fmt.Errorf("load: Rate is %g a second, expected 0.1 to 10 million", p.Rate)
	}
	return nil
}
