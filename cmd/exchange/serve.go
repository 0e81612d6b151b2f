package main

import (
	"fmt"
	"os"

	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node/journal"
	"github.com/lockstep-exchange/lockstep/serve"
)

// serveCommand is exchange serve: a venue that firms connect to.
type serveCommand struct {
	Config   string `help:"What to serve, and how: a TOML file that names a second one, of markets, accounts and keys." required:"" placeholder:"FILE" type:"path"`
	Ack      string `enum:"fsync,none" default:"fsync" help:"What an answer waits for: fsync, or none, which promises nothing and has to stand in the file as well."`
	AddrFile string `help:"Write the addresses there, a line each, when they are open." placeholder:"FILE" type:"path"`
}

func (s *serveCommand) examples() []string {
	return []string{"exchange keys new --out venue.key", "exchange serve --config exchange.toml", "exchange serve --config exchange.toml --addr-file addresses --json"}
}

// Run serves until it is interrupted.
func (s *serveCommand) Run(con *console) error {
	c, err := serve.Load(s.Config)
	if err != nil {
		return err
	}
	if (c.Ack == journal.None) != (s.Ack == journal.None.String()) {
		return badUsage("journal.ack is %s in %s and --ack is %s, expected the same twice", c.Ack, s.Config, s.Ack)
	}
	venue, err := serve.Start(c)
	if err != nil {
		return err
	}
	if err := s.tell(con, venue); err != nil {
		_ = venue.Stop() // what went wrong first counts
		return err
	}
	return venue.Run(con.ctx)
}

// tell says where the venue listens.
func (s *serveCommand) tell(con *console, venue *serve.Served) error {
	if s.AddrFile != "" {
		file, err := os.Create(s.AddrFile)
		if err != nil {
			return err
		}
		if err := venue.WriteAddresses(file); err != nil {
			return err
		}
		if err := file.Close(); err != nil {
			return err
		}
	}
	if con.json {
		return con.printJSON(struct {
			Orders string  `json:"orders"`
			Local  string  `json:"orders_unix"`
			Secure string  `json:"orders_tls"`
			Ack    string  `json:"ack"`
			Seq    msg.Seq `json:"seq"`
			State  string  `json:"state"`
		}{venue.Orders, venue.Local, venue.Secure, venue.Recovery.Ack, venue.Recovery.Seq, venue.Recovery.State})
	}
	_, err := con.out.Write(venue.Append(nil))
	return err
}

// keysCommand is exchange keys.
type keysCommand struct {
	New keysNew `cmd:"" help:"Make a private key, for a venue or for who logs in."`
}

// keysNew is exchange keys new.
type keysNew struct {
	Out string `help:"The file that is to hold it; it must not be there." required:"" placeholder:"FILE" type:"path"`
}

func (k *keysNew) examples() []string { return []string{"exchange keys new --out venue.key"} }

// Run makes the key and prints the public one.
func (k *keysNew) Run(con *console) error {
	public, err := serve.NewKey(k.Out)
	if err != nil {
		return err
	}
	if con.json {
		return con.printJSON(struct {
			Public string `json:"public"`
		}{fmt.Sprintf("%x", public)})
	}
	con.printf("%x\n", public)
	return nil
}
