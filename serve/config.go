package serve

import (
	"crypto/ed25519"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node"
	"github.com/lockstep-exchange/lockstep/node/gateway"
	"github.com/lockstep-exchange/lockstep/node/journal"
	"github.com/lockstep-exchange/lockstep/sim/strict"
)

// Config is what exchange.toml says. Paths are taken from its folder.
type Config struct {
	Data    string
	Orders  string // where orders are taken in clear; "": nowhere
	Secure  string // and over TLS
	Local   string // and by processes of this machine: a Unix socket; "": nowhere
	Clear   []netip.Prefix
	Shard   uint16
	Ack     journal.Mode
	Segment int64
	Idle    node.Idle
	Core    int
	Float   bool // the hot thread is not pinned
	Tick    time.Duration
	Lanes   int
	Lane    int

	Shell      gateway.Shell
	Rates      gateway.Rates
	Retain     int
	Most       int
	PerAddress int

	Feed *Feed // where market data goes; nil: nowhere

	tls   *tls.Config
	keys  *gateway.Keys
	venue *venue
}

// loading is a file under way.
type loading struct {
	dir string
	c   *Config
}

// Load reads a configuration and the venue that it names. The error is a scenario.Faults with all that is wrong with either, by line.
func Load(file string) (*Config, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, strict.Unreadable(file, "a configuration, as in exchange.toml", err)
	}
	t, err := strict.Parse(file, text)
	if err != nil {
		return nil, err
	}
	l := loading{filepath.Dir(file), &Config{}}
	l.read(t)
	if err := t.File.Err(); err != nil {
		return nil, err
	}
	return l.c, nil
}

// path is a path as the file means it.
func (l *loading) path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(l.dir, name)
}

func (l *loading) read(t *strict.Table) {
	c := l.c
	if data, v := t.Text("data_dir", `"data"`, true); v != nil {
		c.Data = l.path(data)
	}
	l.listen(t)
	l.threads(t)
	l.journal(t)
	l.feed(t)
	secrets := map[msg.KeyID][]byte{}
	if seed := table(t, "seed", `{ file = "venue.toml" }`); seed != nil {
		if name, v := seed.Text("file", `"venue.toml"`, true); v != nil {
			var err error
			if c.venue, err = loadVenue(l.path(name), secrets); err != nil {
				seed.File.Alongside(err)
			}
		}
		seed.Close()
	}
	l.gateway(t, secrets)
	t.Close()
}

// table is a table that has to be there.
func table(t *strict.Table, key, what string) *strict.Table {
	in := t.One(key)
	if in == nil {
		t.Missing(key, key+" = "+what)
	}
	return in
}

// listen reads addresses and TLS.
func (l *loading) listen(t *strict.Table) {
	in := table(t, "listen", `{ orders = "127.0.0.1:7001" }`)
	if in == nil {
		return
	}
	c := l.c
	networks := in.Texts("clear_networks")
	for _, v := range networks {
		p, err := netip.ParsePrefix(v.Text)
		if err != nil {
			in.Fault("clear_networks", v, `has %q, expected a network, as in "10.1.0.0/16"`, v.Text)
		}
		c.Clear = append(c.Clear, p)
	}
	address := func(key string) (string, *strict.Value) {
		text, v := in.Text(key, `"127.0.0.1:7001"`, false)
		if v == nil {
			return "", nil
		}
		if _, err := netip.ParseAddrPort(text); err != nil {
			in.Fault(key, v, `is %q, expected an address and a port, as in "127.0.0.1:7001"`, text)
			return "", nil
		}
		return text, v
	}
	var v *strict.Value
	if c.Orders, v = address("orders"); v != nil {
		if a := netip.MustParseAddrPort(c.Orders).Addr(); !a.IsLoopback() && len(networks) == 0 {
			in.Fault("orders", v, "is %q, where anybody could read and change what is said: use orders_tls, or list in clear_networks from where it may be done", c.Orders)
		}
	}
	if name, at := in.Text("orders_unix", `"orders.socket"`, false); at != nil {
		c.Local = l.path(name)
	}
	c.Secure, v = address("orders_tls")
	if c.Orders == "" && c.Secure == "" && c.Local == "" && in.File.Sound() {
		in.Missing("orders", `orders = "127.0.0.1:7001", or orders_unix or orders_tls`)
	}
	in.Close()
	files := t.One("tls")
	switch {
	case files == nil && v != nil:
		t.Missing("tls", `tls = { certificate = "venue.pem", key = "venue.key.pem" } for orders_tls`)
	case files != nil:
		certificate, at := files.Text("certificate", `"venue.pem"`, true)
		key, and := files.Text("key", `"venue.key.pem"`, true)
		files.Close()
		if at == nil || and == nil {
			return
		}
		if err := private(l.path(key)); err != nil {
			files.Fault("key", and, "%v", err)
			return
		}
		pair, err := tls.LoadX509KeyPair(l.path(certificate), l.path(key))
		if err != nil {
			files.Fault("certificate", at, "and key cannot be used: %v", err)
			return
		}
		c.tls = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS13}
	}
}

// threads reads how the hot thread runs.
func (l *loading) threads(t *strict.Table) {
	c := l.c
	c.Tick = 10 * time.Millisecond
	c.Float = true
	in := t.One("threads")
	if in == nil {
		return
	}
	core := in.Whole("hot_cpu", false, -1, 1023, -1)
	c.Core, c.Float = int(max(core, 0)), core < 0
	if in.Choice("idle", "park", "spin") == "spin" {
		c.Idle = node.Spin
	}
	in.Close()
}

// journal reads how commands are kept.
func (l *loading) journal(t *strict.Table) {
	in := t.One("journal")
	if in == nil {
		return
	}
	if in.Choice("ack", "fsync", "none") == "none" {
		l.c.Ack = journal.None
	}
	l.c.Segment = in.Whole("segment_mib", false, 1, 1024, 0) << 20
	in.Close()
}

// gateway reads keys and limits.
func (l *loading) gateway(t *strict.Table, secrets map[msg.KeyID][]byte) {
	c := l.c
	in := table(t, "gateway", `{ key = "venue.key" }`)
	if in == nil {
		return
	}
	l.shell(in)
	c.Shard = uint16(in.Whole("shard", false, 0, 65535, 0))
	c.Lanes = int(in.Whole("lanes", false, 2, 256, 16))
	c.Lane = int(in.Whole("lane_slots", false, msg.QuoteMax, 4096, 256))
	c.Rates.Orders = gateway.Rate{Second: in.Whole("session_rate", false, 1, 100_000_000, 0), Burst: in.Whole("session_burst", false, 1, 100_000_000, 0)}
	c.Retain = int(in.Whole("retain_kib", false, 4, 1<<20, 0) << 10)
	c.Most = int(in.Whole("connections", false, 1, 1<<20, 0))
	c.PerAddress = int(in.Whole("connections_per_address", false, 1, 1<<20, 0))
	id := in.Whole("key_id", false, 1, 1<<62, 1)
	name, v := in.Text("key", `"venue.key"`, true)
	in.Close()
	if v == nil {
		return
	}
	private, err := ReadKey(l.path(name))
	if err == nil && Development(private.Public().(ed25519.PublicKey)) {
		err = errors.New("is a development key, which everybody has: make one of your own with exchange keys new")
	}
	if err != nil {
		in.Fault("key", v, "%v", err)
		return
	}
	if c.keys, err = gateway.NewKeys(uint64(id), private, secrets); err != nil {
		in.Fault("key", v, "%v", err)
	}
}

// shell reads which threads move the bytes of sessions.
func (l *loading) shell(in *strict.Table) {
	name, v := in.Text("shell", `"net"`, false)
	if v == nil {
		return
	}
	at := slices.Index(gateway.Shells[:], name)
	if at < 0 {
		in.Fault("shell", v, `is %q, expected net, spin or fused`, name)
		return
	}
	l.c.Shell = gateway.Shell(at)
	switch err := l.c.Shell.Known(); {
	case err != nil:
		in.Fault("shell", v, "%v", err)
	case l.c.Shell != gateway.Net && l.c.Orders == "" && l.c.Local == "" && in.File.Sound():
		in.Fault("shell", v, "is %q, where orders come over TLS alone, which is net's: expected orders or orders_unix in listen", name)
	}
}

// ReadKey reads a private key of Ed25519 from a file: its seed, 64 hexadecimal digits. Who else may read the file is refused.
func ReadKey(file string) (ed25519.PrivateKey, error) {
	seed, err := readSecret(file)
	if err != nil {
		return nil, err
	}
	if len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("%s holds %d bytes, expected the %d of a private key, in hexadecimal digits", file, len(seed), ed25519.SeedSize)
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// private refuses a file that others than its owner may read.
func private(file string) error {
	info, err := os.Stat(file)
	if err != nil {
		var path *fs.PathError
		if errors.As(err, &path) {
			err = path.Err
		}
		return fmt.Errorf("%s: %w", file, err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("%s may be read by others (%v), expected mode 0600", file, mode)
	}
	return nil
}

// readSecret reads a file of hexadecimal digits that is its owner's alone.
func readSecret(file string) ([]byte, error) {
	if err := private(file); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	secret, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil {
		return nil, fmt.Errorf("%s: %v, expected hexadecimal digits", file, err)
	}
	return secret, nil
}
