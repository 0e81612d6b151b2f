package bench

import (
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/lockstep-exchange/lockstep/bench/latency"
	sdk "github.com/lockstep-exchange/lockstep/client"
	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node"
	"github.com/lockstep-exchange/lockstep/node/gateway"
	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// Wire to wire: a client sends framed orders over a socket of this machine and reads their reports. Behind it is a whole exchange without a
// journal: gateway, gate, book, margin, events. Each order is accepted and rests, so each has one report.
//
//	client core                        the venue's
//	  write ----> socket ------------> gateway -> lane -> hot thread
//	  read  <---- socket <------------ gateway <- out ring
//
//	closed      the next order when the last is answered; over E, the same trip without an exchange
//	open        order i is due at start + i / rate, and its latency counts from there
//	pipelined   orders one after another, reports read meanwhile; over a sink that reads the same bytes and does nothing with them

// WireWay is how a client and a venue are tied together.
type WireWay struct {
	Shell   gateway.Shell
	Network string // tcp or unixpacket
	Spins   bool   // the client spins on its socket, on a core of its own, and so does the hot thread; else Go's net package runs where it likes
}

const (
	wireAccounts = 16 // whose orders rest: an account may have 65,535 of them
	wireKey      = 2
	wireOrders   = 1 << 20 // that rest at most
	wireOwner    = 7
	reportSize   = wire.BlockAt + len(gen.OrderAccepted{})
)

// place is a venue with one session, and the client's end of it.
type place struct {
	node   *node.Node
	gate   *gateway.Gateway
	folder string
	served chan error
	socket duplex
	trader trader
	leave  func()
}

// duplex is a socket that can be asked without waiting.
type duplex interface {
	io.ReadWriteCloser
	Try(b []byte) (int, error) // reads what is there; 0: nothing
	Put(b []byte) (int, error) // writes what fits; 0: nothing does
}

// trader writes orders and counts their reports.
type trader struct {
	frame [64]byte
	order *gen.NewOrder
	sent  uint32
	seen  int
	room  [64 << 10]byte
	have  int
}

// wireVenue is a venue to which a session is bound.
func (h *Harness) wireVenue(way WireWay) (p *place, err error) {
	if err := h.Context.Err(); err != nil {
		return nil, err
	}
	if way.Spins && h.Core >= 0 && len(h.cores) < coresFor(way.Shell) {
		return nil, fmt.Errorf("%d %w", coresFor(way.Shell), errCores)
	}
	p = &place{leave: func() {}, served: make(chan error, 1)}
	defer func() {
		if err != nil {
			p.end()
		}
	}()
	private := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	seed := wireSeed(private)
	c := node.Config{Ports: 4, Lane: 1024, Out: 1 << 12, Idle: node.Spin}
	if !way.Spins || h.Core < 0 {
		c.Float, c.Idle = true, node.Park
	}
	if c.Engine, err = engine.New(engine.Limits{Instruments: 2, Accounts: wireAccounts + 1, Positions: 64, Orders: wireOrders, Levels: 1 << 10, Sessions: 8}); err != nil {
		return p, err
	}
	for i := range seed {
		seed[i].Seq, seed[i].Time = msg.Seq(i+1), fixed.Nanos(time.Now().UnixNano())
		for _, ev := range c.Engine.Apply(&seed[i], nil) {
			if ev.Kind == msg.Rejected {
				return p, fmt.Errorf("the venue of a benchmark: %v", ev.String())
			}
		}
	}
	if p.node, err = node.New(c); err != nil {
		return p, err
	}
	keys, err := gateway.NewKeys(1, private, nil)
	if err != nil {
		return p, err
	}
	config := gateway.Config{Terms: gateway.Terms{Rates: gateway.Rates{Orders: gateway.Rate{Second: 1 << 30, Burst: 1 << 30}}}, Keys: keys, Shell: way.Shell, Spins: way.Spins}
	for i := range c.Ports {
		config.Ports = append(config.Ports, p.node.Port(i))
	}
	if p.gate, err = gateway.Open(p.node, config); err != nil {
		p.gate = nil
		return p, err
	}
	if err := p.node.Start(); err != nil {
		return p, err
	}
	p.gate.Start()
	at := "127.0.0.1:0"
	if way.Network == "unixpacket" {
		if p.folder, err = os.MkdirTemp("", "lockstep-bench-"); err != nil {
			return p, err
		}
		at = filepath.Join(p.folder, "orders")
	}
	l, err := net.Listen(way.Network, at)
	if err != nil {
		return p, err
	}
	go func() { p.served <- p.gate.Serve(l, nil) }()
	if p.socket, err = h.dialWire(way, l.Addr().String()); err != nil {
		return p, err
	}
	if err := p.trader.logIn(p.socket, private); err != nil {
		return p, err
	}
	if way.Spins && h.Core >= 0 {
		if status := p.node.Status(); status.Core >= 0 {
			raiseOn(status.Core)
			p.leave = settle(h.beside(status.Core))
		}
	}
	return p, nil
}

// errCores says that a machine has fewer cores than spin.
var errCores = errors.New("free cores are needed")

// coresFor is how many threads spin, the client's with them.
func coresFor(s gateway.Shell) int {
	if s == gateway.Fused {
		return 2
	}
	return 3
}

// wireSeed is what a venue begins with: an instrument, accounts of one owner, his key.
func wireSeed(private ed25519.PrivateKey) []msg.Command {
	spec := market.Spec{ID: 1, Symbol: "BTC-USD-PERP", Type: msg.Perpetual, TickLot: 100, UnitLots: 1, Start: 10_000, Initial: 10 * fixed.Percent, Maintenance: 5 * fixed.Percent}
	seed := append(spec.Append(nil), msg.SetPhase(1, msg.Continuous), msg.SetMark(1, spec.Start))
	for a := msg.AccountID(1); a <= wireAccounts; a++ {
		seed = append(seed, msg.OpenAccount(a, wireOwner, msg.AllGroups), msg.Deposit(a, 1_000_000_000*fixed.Coin))
	}
	return append(seed, msg.SetKey(msg.KeyChange{Key: wireKey, Role: msg.RoleTrader, Owner: wireOwner, Scheme: uint8(gen.SignatureSchemeEd25519),
		Public: [32]byte(private.Public().(ed25519.PublicKey))}))
}

// end stops a venue.
func (p *place) end() error {
	p.leave()
	var err error
	if p.socket != nil {
		err = p.socket.Close()
	}
	ctx, enough := context.WithTimeout(context.Background(), 10*time.Second)
	defer enough()
	if p.gate != nil {
		p.gate.Shutdown(ctx)
	}
	if p.node != nil {
		err = errors.Join(err, p.node.Stop(ctx))
	}
	if p.gate != nil {
		p.gate.Wait()
	}
	if p.folder != "" {
		err = errors.Join(err, os.RemoveAll(p.folder))
	}
	return err
}

// logIn binds a session and makes the order that is sent again and again.
func (t *trader) logIn(socket duplex, private ed25519.PrivateKey) error {
	s, err := sdk.NewSession(sdk.Config{Key: sdk.Key{ID: wireKey, Private: private}, Venue: private.Public().(ed25519.PublicKey), Keepalive: time.Minute})
	if err != nil {
		return err
	}
	now := func() fixed.Nanos { return fixed.Nanos(time.Now().UnixNano()) }
	s.Connected(now())
	for !s.Bound() {
		if _, err := socket.Write(s.Output()); err != nil {
			return err
		}
		s.Wrote(len(s.Output()))
		n, err := socket.Read(s.Room())
		if err != nil {
			return errors.Join(err, s.Err())
		}
		s.Received(n, now())
		for s.Next() != nil {
		}
		if s.Over() {
			return s.Err()
		}
	}
	if _, err := s.Place(&sdk.NewOrder{Account: 1, Instrument: 1, Side: gen.SideBuy, Price: 9_000, Qty: 1}, now()); err != nil {
		return err
	}
	out := s.Output()
	copy(t.frame[:], out[len(out)-len(t.frame):])
	t.order = gen.AsNewOrder(t.frame[wire.BlockAt:])
	t.order.SetSendingTime(wire.NoTime) // or the venue would find it stale one day
	if _, err := socket.Write(out[:len(out)-len(t.frame)]); err != nil {
		return err
	}
	return nil
}

// next is the next order.
func (t *trader) next() []byte {
	t.sent++
	t.order.SetSeqNum(t.sent)
	t.order.SetClOrdID(uint64(t.sent))
	t.order.SetAccountID(1 + t.sent%wireAccounts)
	t.order.SetPrice(9_000 + int64(t.sent%512))
	return t.frame[:]
}

// came counts the reports that n more bytes bring.
func (t *trader) came(n int) error {
	t.have += n
	at := 0
	for t.have-at >= wire.BlockAt {
		size := int(binary.BigEndian.Uint32(t.room[at:]))
		if t.have-at < size {
			break
		}
		if size != reportSize || binary.LittleEndian.Uint16(t.room[at+wire.MessageAt+2:]) != gen.TemplateOrderAccepted {
			return &DiffersError{Plan: "wire", Why: fmt.Sprintf("order %d is answered by %x, expected an OrderAccepted", t.seen+1, t.room[at:at+size])}
		}
		t.seen++
		at += size
	}
	t.have = copy(t.room[:], t.room[at:t.have])
	return nil
}

// Trips is a closed loop of n orders.
func (h *Harness) Trips(way WireWay, n int) (*Pass, error) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	p, err := h.wireVenue(way)
	if err != nil {
		return nil, err
	}
	pass, err := h.trips(p, n)
	return pass, errors.Join(err, p.end())
}

func (h *Harness) trips(p *place, n int) (*Pass, error) {
	took := touched(n)
	t := &p.trader
	pass := &Pass{Total: latency.NewHistogram(), Probe: h.clock.Spin(probeSpan)}
	began := h.clock.Read()
	for i := range took {
		frame := t.next()
		from := h.clock.Read()
		if _, err := p.socket.Write(frame); err != nil {
			return nil, err
		}
		for t.seen == i {
			n, err := p.socket.Read(t.room[t.have:])
			if err == nil {
				err = t.came(n)
			}
			if err != nil {
				return nil, err
			}
		}
		took[i] = h.clock.Read() - from
	}
	pass.Ns = h.clock.Nanos(h.clock.Read()-began) / float64(n)
	pass.Probe.Add(h.clock.Spin(probeSpan))
	return pass, h.clock.fill(pass.Total, took)
}

// touched are n words whose pages are there.
func touched(n int) []uint64 {
	v := make([]uint64, n)
	for i := range v {
		v[i] = 0
	}
	return v
}

// dueMax is how many orders that are due go out in one write.
const dueMax = 64

// OpenTrips is an open loop of n orders, rate a second.
func (h *Harness) OpenTrips(way WireWay, rate float64, n int) (*Pass, error) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	p, err := h.wireVenue(way)
	if err != nil {
		return nil, err
	}
	pass, err := h.openTrips(p, rate, n)
	return pass, errors.Join(err, p.end())
}

func (h *Harness) openTrips(p *place, rate float64, n int) (*Pass, error) {
	took := touched(n)
	t := &p.trader
	pass := &Pass{Total: latency.NewHistogram(), Probe: h.clock.Spin(probeSpan)}
	gap := 1e9 / rate / h.clock.Nanos(1)
	start := h.clock.Read() + h.clock.Ticks(float64(100*time.Microsecond))
	intended := func(i int) uint64 { return start + uint64(float64(i)*gap) }
	room := make([]byte, 0, dueMax*echoSize)
	var left []byte // of orders that did not fit
	for t.seen < n {
		now := h.clock.Read()
		if len(left) == 0 {
			room = room[:0]
			for int(t.sent) < n && intended(int(t.sent)) <= now && len(room) < cap(room) {
				if intended(int(t.sent))+uint64(gap) <= now {
					pass.Late++
				}
				room = append(room, t.next()...)
			}
			left = room
		}
		if len(left) > 0 {
			put, err := p.socket.Put(left)
			if err != nil {
				return nil, err
			}
			left = left[put:]
		}
		got, err := p.socket.Try(t.room[t.have:])
		if err != nil {
			return nil, err
		}
		before := t.seen
		if err := t.came(got); err != nil {
			return nil, err
		}
		at := h.clock.Read()
		for i := before; i < t.seen; i++ {
			took[i] = at - intended(i)
		}
		if got == 0 {
			h.pause()
			if err := h.Context.Err(); err != nil {
				return nil, err
			}
		}
	}
	pass.Ns = 1e9 / rate
	pass.Probe.Add(h.clock.Spin(probeSpan))
	return pass, h.clock.fill(pass.Total, took)
}

// StreamOrders sends n orders, some to a write, and reads their reports meanwhile. It returns a pass whose Ns is the time of an order.
func (h *Harness) StreamOrders(way WireWay, together, n int) (*Pass, error) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	p, err := h.wireVenue(way)
	if err != nil {
		return nil, err
	}
	pass, err := h.stream(p.socket, &p.trader, together, n, true)
	return pass, errors.Join(err, p.end())
}

// Sink sends the same bytes to somebody who reads them, on the hot thread's core, and does nothing with them.
func (h *Harness) Sink(together, n int) (*Pass, error) {
	if err := h.Context.Err(); err != nil {
		return nil, err
	}
	if h.Core >= 0 && len(h.cores) < 2 {
		return nil, ErrFewCores
	}
	near, far, err := h.connectSpinning()
	if err != nil {
		return nil, err
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	ready, gone := make(chan struct{}), make(chan error, 1)
	go func() {
		if h.Core >= 0 {
			defer occupy(h.Core, h.cores)()
		}
		close(ready)
		b := make([]byte, 16<<10)
		for left := n * echoSize; left > 0; {
			got, err := far.Read(b)
			if err != nil {
				gone <- err
				return
			}
			left -= got
		}
		_, err := far.Write(b[:1])
		gone <- err
	}()
	<-ready
	leave := func() {}
	if h.Core >= 0 {
		leave = settle(h.beside(h.Core))
	}
	t := &trader{}
	t.order = gen.AsNewOrder(t.frame[wire.BlockAt:])
	p, err := h.stream(near.(duplex), t, together, n, false)
	leave()
	if err != nil {
		_ = near.Close() // what went wrong first counts
	}
	return p, errors.Join(err, <-gone, near.Close(), far.Close())
}

// stream is the client's side of both. Without reports one byte says that all has been read.
func (h *Harness) stream(socket duplex, t *trader, together, n int, reports bool) (*Pass, error) {
	b := make([]byte, 0, together*echoSize)
	p := &Pass{Total: latency.NewHistogram(), Probe: h.clock.Spin(probeSpan)}
	began := h.clock.Read()
	var left []byte
	for over := false; !over; {
		if len(left) == 0 && int(t.sent) < n {
			b = b[:0]
			for range min(together, n-int(t.sent)) {
				b = append(b, t.next()...)
			}
			left = b
		}
		put := 0
		if len(left) > 0 {
			var err error
			if put, err = socket.Put(left); err != nil {
				return nil, err
			}
			left = left[put:]
		}
		if t.sent%readEvery != 0 && put > 0 {
			continue
		}
		got, err := socket.Try(t.room[t.have:])
		if err != nil {
			return nil, err
		}
		switch {
		case !reports:
			over = got > 0
		default:
			if err := t.came(got); err != nil {
				return nil, err
			}
			over = t.seen == n
		}
		if got == 0 && put == 0 {
			h.pause()
			if err := h.Context.Err(); err != nil {
				return nil, err
			}
		}
	}
	p.Ns = h.clock.Nanos(h.clock.Read()-began) / float64(n)
	p.Probe.Add(h.clock.Spin(probeSpan))
	return p, nil
}

// readEvery is how many orders a pipelined client writes before it looks for reports.
const readEvery = 64

// netSocket is a connection of Go's net package.
type netSocket struct{ net.Conn }

func (s netSocket) Try([]byte) (int, error) { return 0, errors.ErrUnsupported }
func (s netSocket) Put([]byte) (int, error) { return 0, errors.ErrUnsupported }

// dialWire connects to a venue.
func (h *Harness) dialWire(way WireWay, address string) (duplex, error) {
	if way.Spins {
		return h.dialSpinning(way.Network, address)
	}
	c, err := net.Dial(way.Network, address)
	return netSocket{c}, err
}
