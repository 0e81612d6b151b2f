package bench

import (
	"errors"
	"fmt"
	"slices"

	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node/gateway"
	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// The figures of the wire: goals 9, 10 and 16.

// wireRate is the rate of the open loop, orders a second on one connection.
const wireRate = 200e3

// wires are the passes of all rounds.
type wires struct {
	spin, apart, net                 []*Pass // E, three ways
	fused, packets, threaded, byNet  []*Pass // closed loops of the venue
	open                             []*Pass
	sink, stream, sinkMany, manyFold []*Pass
	decode, converted, copied        []float64 // ns
	sum                              uint64    // of what was decoded
	few                              error     // why nothing spins
	three                            error     // why the thread of its own does not
}

// Wires makes goals 9, 10 and 16.
func (s *Suite) Wires() error {
	s.Report.Mode = "threaded"
	return s.run(s.wires)
}

// wires makes all passes, in turns, and the figures of them.
func (s *Suite) wires() error {
	var w wires
	for i := range s.Harness.Rounds {
		if err := s.wireRound(&w, i); err != nil {
			return err
		}
	}
	s.tripFigures(&w)
	s.streamFigures(&w)
	s.decodeFigures(&w)
	return nil
}

// wireRound makes one pass of each; every other round in the opposite order.
func (s *Suite) wireRound(w *wires, number int) error {
	h := s.Harness
	trips, few, many := max(s.Trips/4, 1), max(s.Trips/20, 1), min(2*s.Trips, wireOrders)
	keep := func(to *[]*Pass, missing *error, make func() (*Pass, error)) func() error {
		return func() error {
			p, err := make()
			switch {
			case missing != nil && (errors.Is(err, ErrFewCores) || errors.Is(err, errCores) || errors.Is(err, ErrNoSpin)):
				*missing = err
				return nil
			case err == nil:
				*to = append(*to, p)
			}
			return err
		}
	}
	bounce := func(how Echo, n int) func() (*Pass, error) { return func() (*Pass, error) { return h.Bounce(how, n) } }
	closed := func(way WireWay, n int) func() (*Pass, error) {
		return func() (*Pass, error) { return h.Trips(way, n) }
	}
	stream := func(together, n int) func() (*Pass, error) {
		return func() (*Pass, error) { return h.StreamOrders(WireWay{gateway.Fused, "tcp", true}, together, n) }
	}
	sink := func(together, n int) func() (*Pass, error) {
		return func() (*Pass, error) { return h.Sink(together, n) }
	}
	passes := []func() error{
		keep(&w.spin, &w.few, bounce(EchoRaw, trips)),
		keep(&w.fused, &w.few, closed(WireWay{gateway.Fused, "tcp", true}, trips)),
		keep(&w.packets, &w.few, closed(WireWay{gateway.Fused, "unixpacket", true}, trips)),
		keep(&w.threaded, &w.three, closed(WireWay{gateway.Spin, "tcp", true}, trips)),
		keep(&w.apart, &w.few, bounce(EchoApart, few)),
		keep(&w.net, nil, bounce(EchoNet, trips)),
		keep(&w.byNet, nil, closed(WireWay{gateway.Net, "tcp", false}, trips)),
		keep(&w.open, &w.few, func() (*Pass, error) { return h.OpenTrips(WireWay{gateway.Fused, "tcp", true}, wireRate, s.Trips) }),
		keep(&w.sink, &w.few, sink(1, many)),
		keep(&w.stream, &w.few, stream(1, many)),
		keep(&w.sinkMany, &w.few, sink(16, many)),
		keep(&w.manyFold, &w.few, stream(16, many)),
		func() error { return s.decodes(w) },
	}
	if number%2 == 1 {
		slices.Reverse(passes)
	}
	for i, pass := range passes {
		h.progress("wire", number*len(passes)+i, h.Rounds*len(passes))
		if err := pass(); err != nil {
			return err
		}
	}
	return nil
}

// tripFigures is goal 9.
func (s *Suite) tripFigures(w *wires) {
	const fused = "order to report over TCP, fused, "
	for _, g := range []struct {
		name          string
		must, stretch float64
	}{{"p50", 1.25, 1.10}, {"p99", 1.4, 1.4}} {
		bound := goal{"9", g.must, g.stretch, false}
		if len(w.fused) == 0 || len(w.spin) == 0 {
			s.add(bound.none(fused+g.name, w.few.Error()))
			continue
		}
		s.add(bound.ratio(fused+g.name, "ns", middle(w.fused, g.name), "E", middle(w.spin, g.name), lostIn(w.fused, w.spin)))
	}
	apart := goal{"9", 7, 8, true}
	if len(w.fused) == 0 || len(w.apart) == 0 {
		s.add(apart.none("echo of Go's net on two cores, over fused", w.few.Error()))
	} else {
		s.add(apart.ratio("echo of Go's net on two cores, p50", "ns", middle(w.apart, "p50"), "fused", middle(w.fused, "p50"), lostIn(w.apart, w.fused)))
	}
	if len(w.threaded) == 0 {
		s.add(goal{"9", 1.25, 1.10, false}.none("order to report over TCP, a spinning thread of the gateway, p50", w.three.Error()))
	} else {
		s.add(goal{"9", 1.25, 1.10, false}.ratio("order to report over TCP, a spinning thread of the gateway, p50", "ns", middle(w.threaded, "p50"), "E",
			middle(w.spin, "p50"), lostIn(w.threaded, w.spin)))
	}
	s.add(goal{"9b", 1.3, 1.15, false}.ratio("order to report over TCP, Go's net, p50", "ns", middle(w.byNet, "p50"), "E of Go's net", middle(w.net, "p50"), lostIn(w.byNet, w.net)))
	if len(w.packets) > 0 {
		s.add(goal{}.ratio("order to report over a Unix socket, fused, p50", "ns", middle(w.packets, "p50"), "TCP", middle(w.fused, "p50"), lostIn(w.packets, w.fused)))
	}
	if len(w.open) == 0 {
		return
	}
	late := 0
	for _, p := range w.open {
		late += p.Late
	}
	for _, name := range []string{"p50", "p99", "p99.9"} {
		f := goal{}.exact(fmt.Sprintf("open loop over TCP, fused, %g k/s, %s", wireRate/1e3, name), "ns", middle(w.open, name))
		f.Lost = share(lostIn(w.open))
		s.add(f)
	}
	var most []float64
	for _, p := range w.open {
		most = append(most, float64(p.Total.Max()))
	}
	f := goal{}.exact(fmt.Sprintf("open loop over TCP, fused, %g k/s, max of a round", wireRate/1e3), "ns", median(most))
	f.Lost, f.Note = share(lostIn(w.open)), fmt.Sprintf("%d of %d orders were sent an interval or more late, and count from when they should have been", late, len(w.open)*int(w.open[0].Total.TotalCount()))
	s.add(f)
}

// streamFigures is goal 10, where the client is not what bounds both: with an order a write nearly all of the time is its system calls.
func (s *Suite) streamFigures(w *wires) {
	rate := func(passes []*Pass) float64 {
		var v []float64
		for _, p := range passes {
			v = append(v, 1e6/p.Ns)
		}
		return median(v)
	}
	const name = "one connection, pipelined, fused, 16 orders a write"
	if len(w.manyFold) == 0 || len(w.sinkMany) == 0 {
		s.add(goal{"10", 0.60, 0.80, true}.none(name, w.few.Error()))
		return
	}
	s.add(goal{"10", 0.60, 0.80, true}.ratio(name, "k/s", rate(w.manyFold), "sink", rate(w.sinkMany), lostIn(w.manyFold, w.sinkMany)))
	s.add(goal{}.ratio("the same, an order a write", "k/s", rate(w.stream), "sink", rate(w.sink), lostIn(w.stream, w.sink)))
}

// decodesTimed is how often a message is decoded in one round.
const decodesTimed = 2_000_000

// decodes times one NewOrder, read and checked; converted besides; and a copy of it.
func (s *Suite) decodes(w *wires) error {
	h := s.Harness
	if err := h.Context.Err(); err != nil {
		return err
	}
	defer h.Hold()()
	out, block := wire.AppendFrame(nil, gen.Header{Block: uint16(len(gen.NewOrder{})), Template: gen.TemplateNewOrder, Schema: gen.SchemaOrderEntry, Version: gen.VersionOrderEntry})
	o := gen.AsNewOrder(block)
	o.SetClOrdID(1)
	o.SetPrice(9_000)
	o.SetQty(1)
	o.SetSendingTime(wire.NoTime)
	o.SetInstrumentID(1)
	o.SetAccountID(1)
	o.SetSide(gen.SideBuy)
	o.SetOrdType(gen.OrdTypeLimit)
	spec := market.Spec{TickLot: 100, UnitLots: 1}
	scale := wire.ScaleOf(spec.TickLot, spec.UnitLots)
	var to msg.Request
	if plain := wire.PlainOrder(out); plain == nil {
		return &DiffersError{Plan: "decode", Why: "the order is not plain"}
	} else if no := wire.NewOrder(plain, &scale, &to); no.Reject != 0 {
		return &DiffersError{Plan: "decode", Why: "the order is refused: " + no.Reject.Text()}
	}
	from := h.clock.Read()
	for i := range decodesTimed {
		o.SetSeqNum(uint32(i))
		w.sum += readOrder(out)
	}
	w.decode = append(w.decode, h.clock.Nanos(h.clock.Read()-from)/decodesTimed)
	from = h.clock.Read()
	for i := range decodesTimed {
		o.SetSeqNum(uint32(i))
		wire.NewOrder(wire.PlainOrder(out), &scale, &to)
	}
	w.converted = append(w.converted, h.clock.Nanos(h.clock.Read()-from)/decodesTimed)
	var there [echoSize]byte
	from = h.clock.Read()
	for i := range decodesTimed {
		o.SetSeqNum(uint32(i))
		copyOf(&there, out)
	}
	w.copied = append(w.copied, h.clock.Nanos(h.clock.Read()-from)/decodesTimed)
	return nil
}

// readOrder is a frame to all fields, read and checked; the sum of them, so that none is left out.
//
//go:noinline
func readOrder(frame []byte) uint64 {
	size, _ := wire.NextFrame(frame, wire.MaxInbound)
	m := wire.PlainOrder(frame[:size])
	if m == nil {
		return 0
	}
	if _, flaw := m.Check(); flaw != gen.Sound {
		return 0
	}
	return m.ClOrdID() + uint64(m.Price()) + uint64(m.Qty()) + m.SendingTime() + uint64(m.SeqNum()) + uint64(m.InstrumentID()) + uint64(m.AccountID()) +
		uint64(m.Side()) + uint64(m.OrdType()) + uint64(m.Tif()) + uint64(m.Stp()) + uint64(m.Flags())
}

// copyOf copies a framed order.
//
//go:noinline
func copyOf(to *[echoSize]byte, from []byte) { copy(to[:], from) }

// decodeFigures is goal 16.
func (s *Suite) decodeFigures(w *wires) {
	own := median(w.copied)
	f := goal{"16", 10, 1.5 * own, false}.exact("decode of one NewOrder, from frame to all fields", "ns", median(w.decode))
	f.Note = fmt.Sprintf("a copy of 64 bytes takes %.1f ns; the stretch is one and a half", own)
	s.add(f, goal{}.exact("the same, to a request in ticks and lots", "ns", median(w.converted)))
}
