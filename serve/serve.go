// Package serve is a venue that firms connect to, as a file describes it: an engine with its journal, and the gateway in front of it.
//
//	exchange.toml   folders, addresses, threads, limits of the gateway     read at each start: Config
//	venue.toml      markets, accounts, keys                                read at the first start: the seed of the journal
//
// What decides about matching and risk stands in the second, becomes commands, and is in the journal from then on; a file that has
// changed is refused. What the first says changes nothing of what the exchange answers.
package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"runtime"
	"syscall"
	"time"

	"github.com/lockstep-exchange/lockstep/node"
	"github.com/lockstep-exchange/lockstep/node/gateway"
	"github.com/lockstep-exchange/lockstep/node/journal"
)

// Served is a venue that runs.
type Served struct {
	config   *Config
	node     *node.Node
	gate     *gateway.Gateway
	told     *told
	failed   chan error // of a listener
	Recovery *node.Recovery
	Orders   string // the address where orders are taken in clear; "": nowhere
	Secure   string // and over TLS
	Local    string // the Unix socket where processes of this machine send orders; "": none
}

// stopTime is how long clients have to answer when the venue goes down.
const stopTime = 5 * time.Second

// unfit is an error of the surroundings: an address is taken, say.
type unfit struct{ error }

func (unfit) ExitCode() int    { return 9 }
func (unfit) ExitName() string { return "environment" }
func (u unfit) Unwrap() error  { return u.error }

// Start opens the venue of a file and lets it listen. The errors are those of Load and node.Open, and of addresses that are taken.
func Start(c *Config) (*Served, error) {
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return nil, err
	}
	s := &Served{config: c, failed: make(chan error, 3)}
	if err := s.open(); err != nil {
		return nil, err
	}
	if err := s.begin(); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// open opens the exchange of the folder.
func (s *Served) open() (err error) {
	c := s.config
	if s.told, err = newTold(c.Feed, c.venue.limits); err != nil {
		return err
	}
	s.node, s.Recovery, err = node.Open(c.Data, node.Venue{Limits: c.venue.limits, Currency: c.venue.currency, Seed: c.venue.seed, Ack: c.Ack, Segment: c.Segment,
		Replayed: s.told.replay()},
		node.Config{Ports: c.Lanes, Lane: c.Lane, Idle: c.Idle, Core: c.Core, Float: c.Float, Tick: c.Tick, Procs: c.procs()})
	return err
}

// spins reports whether the gateway's thread never sleeps: the hot thread does not either, and a core is left for everybody else.
func (c *Config) spins() bool {
	return c.Shell == gateway.Spin && c.Idle == node.Spin && runtime.NumCPU() > 2
}

// procs is GOMAXPROCS: threads that spin, two more as for any node, and one for the thread that looks at strangers' bytes: without it others
// would wait for that one, whatever its priority.
func (c *Config) procs() int {
	n := 3
	if c.Idle == node.Spin {
		n++
	}
	if c.spins() {
		n++
	}
	return n
}

// begin lets the node run and the gateway listen.
func (s *Served) begin() (err error) {
	c := s.config
	ports := make([]*node.Port, c.Lanes)
	for i := range ports {
		ports[i] = s.node.Port(i)
	}
	if err = s.told.open(s.node); err != nil {
		return err
	}
	gate, err := gateway.Open(s.node, gateway.Config{Terms: gateway.Terms{Shard: c.Shard, Rates: c.Rates, Retain: c.Retain, Market: s.told.market()}, Keys: c.keys, Ports: ports, Ack: c.Ack,
		Journal: gateway.Journal{Files: journal.Disk{}, Dir: c.Data}, Shell: c.Shell, Spins: c.spins(), Most: c.Most,
		PerAddress: c.PerAddress, Clear: c.Clear})
	if err != nil {
		return err
	}
	if err = s.node.Start(); err != nil {
		return err
	}
	s.told.run()
	s.gate = gate
	s.gate.Start()
	if s.Orders, err = s.listen("tcp", c.Orders, false); err != nil {
		return err
	}
	if s.Local, err = s.local(c.Local); err != nil {
		return err
	}
	s.Secure, err = s.listen("tcp", c.Secure, true)
	return err
}

// local takes connections at a Unix socket, in packets; "" is none. One that is left of a process that was killed is taken away, one at which
// somebody listens is not. Who may open ours is its owner and his group.
func (s *Served) local(file string) (string, error) {
	if deserted(file) {
		if err := os.Remove(file); err != nil {
			return "", unfit{err}
		}
	}
	at, err := s.listen("unixpacket", file, false)
	if err != nil || at == "" {
		return at, err
	}
	return at, os.Chmod(file, 0o660)
}

// deserted reports whether a file is a Unix socket at which nobody listens.
func deserted(file string) bool {
	if info, err := os.Lstat(file); err != nil || info.Mode().Type() != fs.ModeSocket {
		return false
	}
	there, err := net.Dial("unixpacket", file)
	if err == nil {
		_ = there.Close() // somebody listens
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}

// listen takes connections at an address; "" is none.
func (s *Served) listen(network, address string, secure bool) (string, error) {
	if address == "" {
		return "", nil
	}
	l, err := net.Listen(network, address)
	if err != nil {
		return "", unfit{err}
	}
	t := s.config.tls
	if !secure {
		t = nil
	}
	go func() { s.failed <- s.gate.Serve(l, t) }()
	return l.Addr().String(), nil
}

// Run serves until ctx ends or something fails, and stops the venue.
func (s *Served) Run(ctx context.Context) (err error) {
	select {
	case <-ctx.Done():
	case <-s.node.Done():
		err = s.node.Err()
	case err = <-s.failed:
	}
	return errors.Join(err, s.Stop())
}

// Stop tells the clients, ends the node and closes the journal.
func (s *Served) Stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*stopTime)
	defer cancel()
	if s.gate != nil {
		answer, enough := context.WithTimeout(ctx, stopTime)
		s.gate.Shutdown(answer)
		enough()
	}
	err := s.node.Stop(ctx)
	if s.gate != nil {
		s.gate.Wait()
	}
	return errors.Join(err, s.told.close())
}

// Append appends where the venue listens and how it answers, as lines for people.
func (s *Served) Append(dst []byte) []byte {
	dst = s.Recovery.Append(dst)
	for _, at := range []struct{ address, how string }{{s.Orders, "in clear"}, {s.Local, "from this machine"}, {s.Secure, "over TLS 1.3"}} {
		if at.address != "" {
			dst = fmt.Appendf(dst, "orders at %s, %s\n", at.address, at.how)
		}
	}
	dst = s.told.append(dst)
	status := s.node.Status()
	where := "no core of its own: " + status.Unpinned
	if status.Core >= 0 {
		where = fmt.Sprintf("core %d", status.Core)
	}
	return fmt.Appendf(dst, "answers wait for %s; the hot thread has %s and waits by %s; the gateway's shell is %s\n", status.Ack, where, status.Idle, s.config.Shell)
}

// WriteAddresses writes the addresses, a line each: clear, the Unix socket, TLS, for who has asked for port 0.
func (s *Served) WriteAddresses(w io.Writer) error {
	for _, a := range []string{s.Orders, s.Local, s.Secure} {
		if a == "" {
			continue
		}
		if _, err := fmt.Fprintln(w, a); err != nil {
			return err
		}
	}
	return nil
}
