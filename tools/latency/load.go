package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/lockstep-exchange/lockstep/bench"
	"github.com/lockstep-exchange/lockstep/bench/latency"
	"github.com/lockstep-exchange/lockstep/bench/load"
	"github.com/lockstep-exchange/lockstep/client"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node/gateway"
	"github.com/lockstep-exchange/lockstep/node/journal"
	"github.com/lockstep-exchange/lockstep/serve"
)

// latency load: orders over the wire, and how long their answers take. What is sent and measured lies in bench/load; here are the flags,
// the connections, and where results go. With --self-test the venue is one of this process, with development keys, and beside
// the figures stand those of an echo on the same machine.

// exitConnect is the exit code of a venue that is not there, or does not let us in.
const exitConnect = 5

type loadCommand struct {
	Addr     string   `help:"The venue's address for orders." placeholder:"HOST:PORT"`
	Key      []string `help:"A key: its number, and the file with its seed. A connection each; several give several connections." placeholder:"N=FILE" sep:"none"`
	Venue    string   `help:"The venue's public key, in hexadecimal digits." placeholder:"HEX"`
	AnyVenue bool     `help:"Do not ask who the venue is."`
	Shard    uint16   `help:"The venue's shard." placeholder:"N"`
	SelfTest bool     `help:"Start a venue in this process, trade on it, and compare with an echo over the same loopback."`
	Ack      string   `enum:"fsync,none,unknown" default:"unknown" help:"What answers of the venue wait for, for the records: fsync or none; --self-test makes its venue so, fsync where nothing is said."`

	Rate       string        `help:"Requests a second, over all connections: 2k, 200k." default:"2k" placeholder:"N"`
	Closed     bool          `help:"Instead: a connection sends when it has its answer." xor:"sending"`
	Flood      bool          `help:"Instead: a connection sends as long as it may have requests out." xor:"sending"`
	Window     int           `help:"Requests that a connection may have out; a power of two." default:"4096" placeholder:"N"`
	Duration   time.Duration `help:"How long is measured." default:"10s"`
	Warmup     time.Duration `help:"How long is traded before that." default:"1s"`
	Mix        string        `help:"Shares of the kinds of requests." default:"place=45,cancel=45,replace=8,ioc=2"`
	Accounts   []uint32      `help:"The accounts; connections take them in turn." default:"1" placeholder:"N,..."`
	Instrument uint32        `help:"The instrument." default:"1" placeholder:"N"`
	Mid        int64         `help:"The price about which is traded, in units of the wire." default:"600000" placeholder:"PRICE"`
	Tick       int64         `help:"The step of prices." default:"1" placeholder:"N"`
	Lot        int64         `help:"The step of quantities." default:"1" placeholder:"N"`
	Depth      int           `help:"Orders rest so many ticks from the mid at most." default:"50" placeholder:"N"`
	Resting    int           `help:"Open orders of a connection at most." default:"200" placeholder:"N"`
	Seed       uint64        `help:"Of what chance decides." default:"1" placeholder:"N"`
	Float      bool          `help:"Leave threads where they are: for machines that others use."`

	Hlog   string   `help:"Write a histogram log there." placeholder:"FILE"`
	HTML   string   `name:"html" help:"Write a page with curves there." placeholder:"FILE"`
	Assert []string `sep:"none" help:"A bound like p99<50us or back:p99.9<1ms; exit 3 when it does not hold."`
}

// loadReport is what load says to programs.
type loadReport struct {
	*latency.Report
	Result    *load.Result   `json:"result"`
	Sending   string         `json:"sending"`
	Baselines []bench.Figure `json:"baselines,omitempty"` // of a self-test: echoes over loopback
	Ratios    []ratio        `json:"ratios,omitempty"`
}

// ratio is a figure of the run over one of an echo.
type ratio struct {
	Figure string  `json:"figure"`
	Over   string  `json:"over"`
	Value  float64 `json:"value"`
}

// connectError is a venue that is not there, or does not let us in.
type connectError struct{ error }

func (connectError) ExitCode() int { return exitConnect }

// Run trades, and tells how long answers took.
func (c *loadCommand) Run(con *console) error {
	plan, err := c.plan()
	if err != nil {
		return err
	}
	assertions, err := parseAll(c.Assert, false)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if c.SelfTest {
		leave, err := c.serveOurselves(plan)
		if err != nil {
			return err
		}
		defer leave()
	}
	clients, err := c.connect(ctx)
	if err != nil {
		return err
	}
	result, err := c.trade(ctx, plan, clients)
	for _, k := range clients {
		k.Close()
	}
	if err != nil {
		return err
	}
	return c.tell(con, ctx, plan, result, assertions)
}

// trade runs the plan on a core that no other thread of this process uses, where there are two.
func (c *loadCommand) trade(ctx context.Context, plan *load.Plan, clients []*client.Client) (*load.Result, error) {
	if h := bench.NewHarness(ctx, 1); !c.Float && runtime.NumCPU() > 1 {
		defer h.Hold()()
	}
	return load.Run(ctx, *plan, clients)
}

// plan is what the flags ask for.
func (c *loadCommand) plan() (*load.Plan, error) {
	p := &load.Plan{Duration: c.Duration, Warmup: c.Warmup, Seed: c.Seed, Instrument: msg.InstrumentID(c.Instrument), Mid: c.Mid, Tick: c.Tick, Lot: c.Lot,
		Depth: c.Depth, Resting: c.Resting}
	for _, a := range c.Accounts {
		p.Accounts = append(p.Accounts, msg.AccountID(a))
	}
	var err error
	if p.Mix, err = load.ParseMix(c.Mix); err != nil {
		return nil, &usageError{err}
	}
	switch {
	case c.Closed:
		p.Sending = load.Closed
	case c.Flood:
		p.Sending = load.Flooded
	default:
		if p.Rate, err = parseRate(c.Rate); err != nil {
			return nil, &usageError{err}
		}
	}
	switch {
	case c.Window < 1 || c.Window > load.WindowMax || c.Window&(c.Window-1) != 0:
		return nil, &usageError{fmt.Errorf("--window is %d, expected a power of two up to %d", c.Window, load.WindowMax)}
	case c.SelfTest && (c.Addr != "" || len(c.Key) > 0 || c.Venue != ""):
		return nil, &usageError{errors.New("--self-test brings its own venue and keys, expected no --addr, --key or --venue beside it")}
	case !c.SelfTest && (c.Addr == "" || len(c.Key) == 0):
		return nil, &usageError{errors.New("expected --addr and at least one --key, or --self-test")}
	}
	if err := p.Check(); err != nil {
		return nil, &usageError{err}
	}
	return p, nil
}

// parseRate reads 500, 2k, 1.5M.
func parseRate(text string) (float64, error) {
	number, unit := text, 1.0
	for suffix, by := range map[string]float64{"k": 1e3, "M": 1e6} {
		if rest, ok := strings.CutSuffix(text, suffix); ok {
			number, unit = rest, by
		}
	}
	rate, err := strconv.ParseFloat(number, 64)
	if err != nil || rate <= 0 {
		return 0, fmt.Errorf("--rate %q, expected requests a second like 500, 2k or 1.5M", text)
	}
	return rate * unit, nil
}

// connect logs in with every key.
func (c *loadCommand) connect(ctx context.Context) (clients []*client.Client, err error) {
	defer func() {
		if err != nil {
			for _, k := range clients {
				k.Close()
			}
		}
	}()
	venue, err := hex.DecodeString(c.Venue)
	if err != nil {
		return nil, &usageError{fmt.Errorf("--venue %q, expected 64 hexadecimal digits", c.Venue)}
	}
	for _, text := range c.Key {
		key, err := readKey(text)
		if err != nil {
			return clients, &usageError{err}
		}
		config := client.Config{Key: key, Venue: venue, AnyVenue: c.AnyVenue, Shard: c.Shard, Name: "latency", Takeover: true,
			Pending: c.Window, Orders: c.Window + 2*c.Resting, Send: 1 << 20}
		if c.AnyVenue {
			config.Venue = nil
		}
		dialing, done := context.WithTimeout(ctx, 10*time.Second)
		k, err := client.Dial(dialing, client.Link{Network: "tcp", Address: c.Addr}, config)
		done()
		if err != nil {
			return clients, connectError{fmt.Errorf("key %d at %s: %w", key.ID, c.Addr, err)}
		}
		clients = append(clients, k)
		for k.Recovering() {
			k.Wait(time.Second)
		}
	}
	return clients, nil
}

// readKey reads N=FILE.
func readKey(text string) (client.Key, error) {
	number, file, _ := strings.Cut(text, "=")
	id, err := strconv.ParseUint(number, 10, 64)
	if err != nil || file == "" {
		return client.Key{}, fmt.Errorf("--key %q, expected the number of a key, = and the file with its seed", text)
	}
	if development, ok := strings.CutPrefix(file, developmentKey); ok {
		n, err := strconv.Atoi(development)
		if err != nil {
			return client.Key{}, fmt.Errorf("--key %q, expected a number behind %s", text, developmentKey)
		}
		return client.Key{ID: id, Private: serve.DevelopmentKey(n)}, nil
	}
	private, err := serve.ReadKey(file)
	return client.Key{ID: id, Private: private}, err
}

// developmentKey stands before the number of a development key, in place of a file.
const developmentKey = "development:"

// serveOurselves starts a venue for a self-test and points the flags at it.
func (c *loadCommand) serveOurselves(plan *load.Plan) (leave func(), err error) {
	dir, err := os.MkdirTemp("", "lockstep-latency-")
	if err != nil {
		return nil, err
	}
	remove := func() { os.RemoveAll(dir) } // nothing of it is worth an error
	config, err := serve.Demonstration(dir, "127.0.0.1:0")
	if err != nil {
		remove()
		return nil, err
	}
	if config.Ack = journal.Fsync; c.Ack == journal.None.String() {
		config.Ack = journal.None
	}
	c.Ack = config.Ack.String()
	config.Rates.Orders = gateway.Rate{Second: 10_000_000, Burst: 10_000_000} // what is measured is the venue, not its throttle
	venue, err := serve.Start(config)
	if err != nil {
		remove()
		return nil, err
	}
	c.Addr, c.Venue = venue.Orders, serve.VenuePublic()
	plan.Accounts = nil
	for _, g := range serve.Guests() {
		if g.Role == "trader" {
			c.Key = append(c.Key, fmt.Sprintf("%d=%s%d", g.Key, developmentKey, g.Key))
			plan.Accounts = append(plan.Accounts, msg.AccountID(g.Account))
		}
	}
	return func() { venue.Stop(); remove() }, nil
}

// tell prints what came of it, writes what was asked for, and judges.
func (c *loadCommand) tell(con *console, ctx context.Context, plan *load.Plan, result *load.Result, assertions []latency.Assertion) error {
	sending := plan.Sending.String()
	if plan.Sending == load.Open {
		sending = fmt.Sprintf("open loop, %g a second", plan.Rate)
	}
	notes := []latency.Note{{Key: "machine", Value: bench.Machine()}, {Key: "commit", Value: bench.Commit()}, {Key: "ack", Value: c.Ack}, {Key: "sending", Value: sending},
		{Key: "mix", Value: plan.Mix.String()}, {Key: "connections", Value: strconv.Itoa(len(c.Key))}, {Key: "command", Value: "latency " + strings.Join(con.args, " ")}}
	if c.SelfTest {
		notes = append(notes, latency.Note{Key: "venue", Value: "in the process of the load, as exchange demo --listen serves it"})
	}
	var text bytes.Buffer
	if err := result.Write(&text, notes...); err != nil {
		return err
	}
	log, err := latency.Read(bytes.NewReader(text.Bytes()), "run")
	if err != nil {
		return err
	}
	if err := c.write(text.Bytes(), log); err != nil {
		return err
	}
	r := &loadReport{Report: latency.NewReport(log), Result: result, Sending: sending}
	r.Rows = latency.Rows(log)
	for _, a := range assertions {
		r.Unmet = append(r.Unmet, a.Check(log)...)
	}
	if c.SelfTest && ctx.Err() == nil {
		if err := r.compare(ctx, log, c.Float); err != nil {
			return err
		}
	}
	if con.json {
		err = json.NewEncoder(con.out).Encode(r)
	} else {
		err = r.write(con, notes)
	}
	switch {
	case result.Answered == 0:
		return errors.Join(err, &latency.UnmetError{Unmet: []string{"no request was answered"}})
	case result.Partial:
		return errors.Join(err, interrupted{})
	}
	return errors.Join(err, r.Err())
}

// interrupted is that not all was done that was asked for.
type interrupted struct{}

func (interrupted) Error() string { return "interrupted: the figures are of what was sent until then" }
func (interrupted) ExitCode() int { return 130 }

// write writes the log and the page.
func (c *loadCommand) write(text []byte, log *latency.Log) error {
	if c.Hlog != "" {
		if err := os.WriteFile(c.Hlog, text, 0o644); err != nil {
			return err
		}
	}
	if c.HTML == "" {
		return nil
	}
	var page bytes.Buffer
	if err := latency.Plot(&page, "Load over the wire", log); err != nil {
		return err
	}
	return os.WriteFile(c.HTML, page.Bytes(), 0o644)
}

// Rounds and trips of the baselines of a self-test: enough for the median of a p99 beside a run, or floating to show that they work.
const echoRounds, echoTrips, floatingTrips = 3, 20_000, 200

// compare puts the run beside echoes over the same loopback.
func (r *loadReport) compare(ctx context.Context, log *latency.Log, float bool) error {
	h := bench.NewHarness(ctx, echoRounds)
	s := bench.NewSuite(h, 1)
	if s.Trips = echoTrips; float {
		h.Core, s.Trips = -1, floatingTrips
	}
	if err := s.Echoes(); err != nil {
		return err
	}
	r.Baselines = s.Report.Figures
	tag := log.Tag("total")
	if tag == nil {
		return nil
	}
	for _, name := range []string{"p50", "p99"} {
		p, err := latency.ParsePercentile(name)
		if err != nil {
			return err
		}
		ns, ok := p.Of(tag.Total)
		for _, f := range r.Baselines {
			if ok && f.Value != nil && *f.Value > 0 && strings.HasSuffix(f.Name, ", "+name) {
				r.Ratios = append(r.Ratios, ratio{"total " + name, f.Name, float64(ns) / *f.Value})
			}
		}
	}
	return nil
}

// write is the report for people.
func (r *loadReport) write(con *console, notes []latency.Note) error {
	out, res := con.out, r.Result
	fmt.Fprintf(out, "%s: sent %d, answered %d (%.0f a second), refused %d, not applied %d, unanswered %d, late %d, unsent %d, connections lost %d\n",
		r.Sending, res.Sent, res.Answered, res.Rate, res.Refused, res.NotApplied, res.Unanswered, res.Late, res.Unsent, res.Losses)
	for code, n := range res.Codes {
		fmt.Fprintf(out, "  refused as %s: %d\n", code, n)
	}
	fmt.Fprintln(out)
	if err := latency.Table(out, r.Rows); err != nil {
		return err
	}
	fmt.Fprintln(out)
	for _, f := range r.Baselines {
		if f.Value != nil && *f.Value > 0 {
			fmt.Fprintf(out, "%s: %s\n", f.Name, latency.Format(int64(*f.Value)))
		} else if f.Note != "" {
			fmt.Fprintf(out, "%s: not measured: %s\n", f.Name, f.Note)
		}
	}
	for _, q := range r.Ratios {
		fmt.Fprintf(out, "%s is %.2f times %s\n", q.Figure, q.Value, q.Over)
	}
	for _, n := range notes {
		fmt.Fprintf(out, "%s: %s\n", n.Key, n.Value)
	}
	return nil
}
