package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"

	"github.com/lockstep-exchange/lockstep/demo"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node"
	"github.com/lockstep-exchange/lockstep/node/channel"
	"github.com/lockstep-exchange/lockstep/node/journal"
	"github.com/lockstep-exchange/lockstep/serve"
)

// demoCommand is exchange demo.
type demoCommand struct {
	Rate     float64       `help:"How many times as fast as it was recorded; 1 is as it was. Default: so that it lasts about 20 s." placeholder:"X" xor:"pace"`
	Max      bool          `help:"As fast as it goes, without any pace. No latency is measured then." xor:"pace,log"`
	Duration time.Duration `help:"How much of the recording to play, as in 30s. Default: all of it." placeholder:"D"`
	Accounts *int          `help:"Takers, each with an account of his own. Default: 1000." placeholder:"N"`
	Seed     uint64        `help:"Who sends which trade, and with how much collateral." default:"1"`
	Hlog     string        `help:"Write a histogram log of the latencies there." placeholder:"FILE" type:"path" xor:"log"`
	Data     string        `help:"Keep a journal in this folder, and go on where it ends. Kill the demo and start it again." placeholder:"DIR" type:"path"`
	Ack      string        `enum:"fsync,none" default:"fsync" help:"With --data, what an event waits for before anyone sees it: fsync, or none, which promises nothing."`
	Listen   string        `help:"Serve a venue to try things on at this address of this machine: one market, a maker who quotes, and development keys, which are printed." placeholder:"HOST:PORT" xor:"pace"`
	AddrFile string        `help:"With --listen, write the address there when it is open." placeholder:"FILE" type:"path"`
	Acks     string        `help:"With --data, write a line for each command whose events have left the exchange: its number and a digest of them; - is stdout." placeholder:"FILE|-"`

	Feed          []netip.AddrPort `help:"Market data goes there as MoldUDP64 datagrams: one or two multicast groups or addresses, A and B." placeholder:"ADDR:PORT"`
	FeedInterface string           `help:"With --feed, by which interface groups are reached." placeholder:"NAME"`
	FeedRequests  netip.AddrPort   `help:"With --feed, where readers on this machine and in private networks ask for what they have lost." placeholder:"ADDR:PORT"`
}

func (d *demoCommand) examples() []string {
	return []string{"exchange demo", "exchange demo --max", "exchange demo --rate 1 --duration 30s --hlog demo.hlog",
		"exchange demo --data data", "exchange demo --listen 127.0.0.1:7001", "exchange demo --data data --max --acks -",
		"exchange demo --feed 239.1.1.1:9100 --feed 239.1.1.2:9100 --feed-requests 127.0.0.1:9101"}
}

// usualTakers is how many there are where nobody says.
const usualTakers = 1000

// Run plays the recording that is part of the binary and prints what happened.
func (d *demoCommand) Run(con *console) (err error) {
	if d.Listen != "" {
		return d.listen(con)
	}
	o := demo.Options{Rate: d.Rate, Max: d.Max, Duration: d.Duration, Accounts: usualTakers, Seed: d.Seed, Data: d.Data}
	if d.Accounts != nil {
		o.Accounts = *d.Accounts
	}
	if o.Feed, err = d.feed(); err != nil {
		return err
	}
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

// private are the networks from which anybody may ask the demo for market data again.
var private = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("10.0.0.0/8"),
	netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("fc00::/7")}

// feed is where market data goes, nil for nowhere.
func (d *demoCommand) feed() (*channel.Sockets, error) {
	switch {
	case len(d.Feed) > 2:
		return nil, badUsage("%d addresses for --feed, expected one or two: lines A and B", len(d.Feed))
	case len(d.Feed) == 0 && (d.FeedInterface != "" || d.FeedRequests.IsValid()):
		return nil, badUsage("--feed-interface or --feed-requests without --feed, expected the address to which market data goes")
	case len(d.Feed) == 0:
		return nil, nil
	}
	s := &channel.Sockets{Requests: d.FeedRequests, Networks: private}
	for _, to := range d.Feed {
		s.Lines = append(s.Lines, channel.Line{To: to, Interface: d.FeedInterface})
	}
	return s, nil
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

// listen serves a venue to try things on until it is interrupted.
func (d *demoCommand) listen(con *console) (err error) {
	for _, of := range []struct {
		flag  string
		given bool
	}{{"--duration", d.Duration != 0}, {"--accounts", d.Accounts != nil}, {"--acks", d.Acks != ""}, {"--hlog", d.Hlog != ""}} {
		if of.given {
			return badUsage("%s is of the recording, which --listen does not play: expected one of the two", of.flag)
		}
	}
	dir := d.Data
	if dir == "" {
		if dir, err = os.MkdirTemp("", "lockstep-demo-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	c, err := serve.Demonstration(dir, d.Listen)
	if err != nil {
		return badUsage("%v", err)
	}
	if d.Ack == journal.None.String() {
		c.Ack = journal.None
	}
	if sockets, err := d.feed(); err != nil {
		return err
	} else if sockets != nil {
		c.Feed = &serve.Feed{Channel: [3]byte{'B', 'T', 'C'}, Epoch: 1, Sockets: *sockets}
		if d.Data == "" { // numbers begin anew, and so does the session
			c.Feed.Epoch = uint32(time.Now().Unix())
		}
	}
	venue, err := serve.Start(c)
	if err != nil {
		return err
	}
	if err := d.welcome(con, venue); err != nil {
		return errors.Join(err, venue.Stop())
	}
	quoting, enough := context.WithCancel(con.ctx)
	defer enough()
	go func() {
		if err := serve.Quote(quoting, venue.Orders, d.Seed); err != nil && quoting.Err() == nil {
			fmt.Fprintf(con.err, "the maker has stopped: %v\n", err)
		}
	}()
	return venue.Run(con.ctx)
}

// welcome prints where the venue listens and with which keys it can be entered.
func (d *demoCommand) welcome(con *console, venue *serve.Served) error {
	if d.AddrFile != "" {
		file, err := os.Create(d.AddrFile)
		if err != nil {
			return err
		}
		if err := errors.Join(venue.WriteAddresses(file), file.Close()); err != nil {
			return err
		}
	}
	if con.json {
		return con.printJSON(struct {
			Orders string        `json:"orders"`
			Venue  string        `json:"venue"`
			Keys   []serve.Guest `json:"keys"`
		}{venue.Orders, serve.VenuePublic(), serve.Guests()})
	}
	con.printf("orders at %s; the market is instrument 1, BTC-USD-PERP: prices in tenths, quantities in thousandths\n", venue.Orders)
	con.printf("development keys, which everybody has and exchange serve refuses:\n  venue 16  public %s\n", serve.VenuePublic())
	for _, g := range serve.Guests() {
		con.printf("  key %d  %-12s  account %d  private %s\n", g.Key, g.Role, g.Account, g.Private)
	}
	return nil
}
