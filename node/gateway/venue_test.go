package gateway

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node"
	"github.com/lockstep-exchange/lockstep/node/journal"
	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// venue is a whole exchange on the loopback: engine, node, gateway, sockets.
type venue struct {
	t       testing.TB
	node    *node.Node
	gate    *Gateway
	way     way
	address string
}

// way is a shell and a kind of socket.
type way struct {
	shell   Shell
	network string
}

// everyWay runs a test over all shells and kinds of socket that there are here.
func everyWay(t *testing.T, test func(*testing.T, way)) {
	ways := []way{{Net, "tcp"}}
	if pollsSockets {
		ways = append(ways, way{Spin, "tcp"}, way{Fused, "tcp"}, way{Net, "unixpacket"}, way{Fused, "unixpacket"})
	}
	for _, w := range ways {
		t.Run(w.shell.String()+"/"+w.network, func(t *testing.T) { test(t, w) })
	}
}

var venueLimits = engine.Limits{Instruments: 4, Accounts: 64, Positions: 256, Orders: 1 << 12, Levels: 1 << 10, Sessions: 256}

// Keys of many traders of owner 8.
const idlers, idlersMax = 100, 150

// seed is what a venue begins with: an instrument in ticks and lots of one, two owners with an account each, a key for each part.
func seed(t testing.TB) []msg.Command {
	spec := market.Spec{ID: 1, Symbol: "BTC-USD-PERP", Type: msg.Perpetual, TickLot: fixed.Coin, Start: 50, Initial: 10 * fixed.Percent, Maintenance: 5 * fixed.Percent}
	day := append(spec.Append(nil), msg.SetPhase(1, msg.Continuous), msg.SetMark(1, 50),
		msg.OpenAccount(1, 7, msg.AllGroups), msg.OpenAccount(2, 8, msg.AllGroups),
		msg.Deposit(1, 1_000_000*fixed.Coin), msg.Deposit(2, 1_000_000*fixed.Coin))
	for _, k := range []msg.KeyChange{{Key: firm, Role: msg.RoleTrader, Owner: 7}, {Key: risk, Role: msg.RoleRiskManager, Owner: 7},
		{Key: copier, Role: msg.RoleDropCopy, Owner: 7}, {Key: rival, Role: msg.RoleTrader, Owner: 8}, {Key: secret, Role: msg.RoleTrader, Owner: 7}} {
		k.Scheme = uint8(gen.SignatureSchemeEd25519)
		if k.Key == secret {
			k.Scheme = uint8(gen.SignatureSchemeHmacSha256)
		} else {
			k.Public = [32]byte(private(uint64(k.Key)).Public().(ed25519.PublicKey))
		}
		day = append(day, msg.SetKey(k))
	}
	return append(day, idling(idlersMax)...)
}

// idling are keys of so many traders of owner 8.
func idling(n int) (keys []msg.Command) {
	for id := idlers; id < idlers+n; id++ {
		keys = append(keys, msg.SetKey(msg.KeyChange{Key: msg.KeyID(id), Role: msg.RoleTrader, Owner: 8, Scheme: uint8(gen.SignatureSchemeEd25519),
			Public: [32]byte(private(uint64(id)).Public().(ed25519.PublicKey))}))
	}
	return keys
}

// setting is what a test wants otherwise.
type setting struct {
	way    way    // none: Net, TCP
	dir    string // of a journal; else none
	files  journal.FS
	retain int
	rates  Rates
	secure *tls.Config
	per    int
	crowd  int  // of traders of owner 8
	real   bool // as it is served: the hot thread pinned, no collector
}

// newVenue opens one; it is closed when the test ends.
func newVenue(t testing.TB, s setting) *venue {
	t.Helper()
	if s.way.network == "" {
		s.way.network = "tcp"
	}
	v := &venue{t: t, way: s.way}
	c := node.Config{Ports: 8, Lane: 64, Idle: node.Park, Float: !s.real, Collect: !s.real, Procs: 3}
	var err error
	if s.dir != "" {
		v.node, _, err = node.Open(s.dir, node.Venue{Files: s.files, Limits: venueLimits, Currency: "USD", Seed: seed(t), Segment: 1 << 20, Snapshots: 64 << 10}, c)
	} else {
		limits, day := venueLimits, seed(t)
		if s.crowd > 0 {
			limits.Orders = 1 << 14
		}
		if s.crowd > idlersMax {
			limits.Sessions = uint32(2 * (idlers + s.crowd))
			day = append(day, idling(s.crowd)[idlersMax:]...)
		}
		if c.Engine, err = engine.New(limits); err == nil {
			for i, command := range day {
				command.Seq, command.Time = msg.Seq(i+1), fixed.Nanos(time.Now().UnixNano())
				for _, ev := range c.Engine.Apply(&command, nil) {
					if ev.Kind == msg.Rejected {
						t.Fatalf("the seed: %v", ev.String())
					}
				}
			}
			v.node, err = node.New(c)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	keys, err := NewKeys(1, private(1), map[msg.KeyID][]byte{secret: private(secret).Seed()})
	if err != nil {
		t.Fatal(err)
	}
	config := Config{Terms: Terms{Shard: 9, Rates: s.rates, Retain: s.retain}, Keys: keys, Shell: s.way.shell, PerAddress: s.per}
	for i := range 8 {
		config.Ports = append(config.Ports, v.node.Port(i))
	}
	if s.dir != "" {
		config.Journal = Journal{Files: cmp.Or[journal.FS](s.files, journal.Disk{}), Dir: s.dir}
	}
	if v.gate, err = Open(v.node, config); err != nil {
		t.Fatal(err)
	}
	if err := v.node.Start(); err != nil {
		t.Fatal(err)
	}
	v.gate.Start()
	at := "127.0.0.1:0"
	if s.way.network == "unixpacket" {
		at = filepath.Join(t.TempDir(), "orders")
	}
	listener, err := net.Listen(s.way.network, at)
	if err != nil {
		t.Fatal(err)
	}
	v.address = listener.Addr().String()
	served := make(chan error, 1)
	go func() { served <- v.gate.Serve(listener, s.secure) }()
	t.Cleanup(func() {
		v.close()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return v
}

// close ends a venue in order; it may be called again.
func (v *venue) close() {
	if v.node == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	v.gate.Shutdown(ctx)
	if err := v.node.Stop(ctx); err != nil {
		v.t.Error(err)
	}
	v.gate.Wait()
	v.node = nil
}

// caller is a client on a socket; what it says is written as in the scripts of a world.
type caller struct {
	*peer
	socket net.Conn
	stream *wire.Stream
}

func (v *venue) call() *caller {
	v.t.Helper()
	socket, err := net.Dial(v.way.network, v.address)
	if err != nil {
		v.t.Fatal(err)
	}
	return callerOn(v.t, socket)
}

func callerOn(t testing.TB, socket net.Conn) *caller {
	t.Cleanup(func() { socket.Close() })
	w := &world{t: t}
	return &caller{peer: &peer{w: w}, socket: socket, stream: wire.NewStream(1<<17, wire.MaxOutbound)}
}

// say says lines, all in one write.
func (c *caller) say(script string) {
	c.w.t.Helper()
	if err := c.write(c.words(script)); err != nil {
		c.w.t.Fatalf("%s: %v", script, err)
	}
}

// write writes bytes, in packets of whole frames where the socket keeps their bounds.
func (c *caller) write(b []byte) error {
	for len(b) > 0 {
		n := len(b)
		if inPackets(c.socket) && n > packetMost {
			for n = 0; n < packetMost-wire.MaxInbound; {
				n += int(binary.BigEndian.Uint32(b[n:]))
			}
		}
		if _, err := c.socket.Write(b[:n]); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// words are the bytes of a script.
func (c *caller) words(script string) (b []byte) {
	for line := range strings.Lines(script) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		fields := strings.Fields(line)
		a, plain := words{}, []string{}
		for _, word := range fields[1:] {
			if key, value, ok := strings.Cut(word, "="); ok {
				a[key] = value
			} else {
				plain = append(plain, word)
			}
		}
		c.w.now = fixed.Nanos(time.Now().UnixNano())
		b = append(b, c.w.frame(c.peer, fields[0], a, func(i int) uint64 {
			n, err := strconv.ParseUint(plain[i], 10, 64)
			if err != nil {
				c.w.t.Fatal(err)
			}
			return n
		})...)
	}
	return b
}

// frame is the next frame of the venue; nil at the end of the connection.
func (c *caller) frame() []byte {
	c.w.t.Helper()
	for {
		frame, fault := c.stream.Next()
		if fault.Kind != 0 {
			c.w.t.Fatalf("the venue sends no frame: %v", fault)
		}
		if frame != nil {
			return frame
		}
		c.socket.SetReadDeadline(time.Now().Add(time.Minute))
		n, err := c.socket.Read(c.stream.Room())
		c.stream.Filled(n)
		if n == 0 && err != nil {
			if errors.Is(err, net.ErrClosed) || !isTimeout(err) {
				return nil
			}
			c.w.t.Fatalf("the venue is silent after %d bytes", c.stream.Passed())
		}
	}
}

func isTimeout(err error) bool {
	var e net.Error
	return errors.As(err, &e) && e.Timeout()
}

// hear is the next n lines of the venue, heartbeats left out; "closed" at the end.
func (c *caller) hear(n int) string {
	c.w.t.Helper()
	var lines []string
	for len(lines) < n {
		frame := c.frame()
		if frame == nil {
			lines = append(lines, "closed")
			break
		}
		if line := c.describe(frame); !strings.HasPrefix(line, "Sequence") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

// expect hears as many lines as are wanted, and compares them.
func (c *caller) expect(want string) {
	c.w.t.Helper()
	want = trim(want)
	if got := trim(c.hear(strings.Count(want, "\n") + 1)); got != want {
		c.w.t.Fatalf("got\n%s\n\nwant\n%s", got, want)
	}
}

// enter logs on.
func (c *caller) enter(terms string) {
	c.w.t.Helper()
	if !strings.Contains(terms, "keepalive") {
		terms += " keepalive=10000"
	}
	c.say("negotiate " + terms)
	if got := c.hear(1); !strings.HasPrefix(got, "NegotiationResponse") {
		c.w.t.Fatalf("to a Negotiate the venue says %q", got)
	}
	c.say("establish " + terms)
	if got := c.hear(1); !strings.HasPrefix(got, "EstablishmentAck") {
		c.w.t.Fatalf("to an Establish the venue says %q", got)
	}
	if !strings.Contains(terms, "kind=3") {
		c.say("sequence 1")
	}
}

// The main road: two firms trade, a drop copy and a risk manager watch and act.
func TestTrading(t *testing.T) { everyWay(t, trading) }

func trading(t *testing.T, way way) {
	v := newVenue(t, setting{way: way})
	seller, buyer, copies, manager := v.call(), v.call(), v.call(), v.call()
	copies.enter("id=COPY key=4 kind=3")
	manager.enter("id=RISK key=3 kind=2")
	seller.enter("id=SELL")
	buyer.enter("id=BUY key=5")

	seller.say("order 1 side=2 price=51 qty=5")
	seller.expect("1 OrderAccepted 101")
	copies.expect("1 OrderAccepted 101")
	buyer.say("order 1 account=2 price=51 qty=3")
	buyer.expect("1 OrderAccepted 101\n2 Trade 3 of 101 at 51 leaves 0 position 3")
	seller.expect("2 Trade 3 of 101 at 51 leaves 2 position -3")
	copies.expect("2 Trade 3 of 101 at 51 leaves 2 position -3")
	buyer.say("order 2 account=1 price=51") // another's account
	buyer.expect("3 Reject 201 of 2")
	buyer.say("order 3 account=2 ref=50") // below 102
	buyer.expect("4 Reject 204 of 3")

	manager.say("block 1")
	manager.expect("1 ControlAck")
	copies.expect("3 ControlAck")
	seller.say("order 2 side=2 price=52")
	seller.expect("3 Reject 202 of 2")
	copies.expect("4 Reject 202 of 2")
	manager.say("order 2")
	manager.expect("2 Reject 201 of 2")
	copies.expect("5 Reject 201 of 2")

	seller.say("terminate")
	seller.expect("Terminate 0 ")
	seller.socket.Close()
	again := v.call()
	again.say("establish id=SELL")
	again.expect("EstablishmentAck 5")
	again.say("retransmit 1 4\nsequence 3\norder 3 type=3")
	again.expect("Retransmission 1+4\n1 OrderAccepted 101\n2 Trade 3 of 101 at 51 leaves 2 position -3\n3 Reject 202 of 2\n4 OrderCanceled 101 reason 7\n5 Reject 413 of 3")
}
