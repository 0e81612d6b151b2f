package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/lockstep-exchange/lockstep/bench/latency"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node"
	"github.com/lockstep-exchange/lockstep/node/journal"
)

// The pipeline with a journal. A third thread hashes, writes and syncs; on a machine of two cores it shares one with the client, which
// gives way to it whenever it has nothing to do.
//
//	client core                      hot core
//	  send ---> lane --------------> Poll -> engine
//	  see <---- out ring, released <-----------+
//	  journal's thread <---- sequenced lane ---+
//
// With ack none nothing waits for the disk, and the rate is that of the hottest thread. With ack fsync an event is seen when its command
// is on the disk; beside it stands S: 4 KiB written and synced, again and again, into a file of zeros on the same disk.
// Recovery opens the journal of a run, verifies every frame and applies every command.

// segmentFor is the size of a segment in these figures: what a run writes fits into one or two, and no more is filled with zeros ahead.
func segmentFor(commands int) int64 {
	const pages = 4 << 10
	return min(max(int64(commands)*32/pages*pages, 1<<20), 128<<20)
}

// Kept is a run through a journaled pipeline.
type Kept struct {
	*Pass
	Recovery *node.Recovery // of the journal that it left; nil where nobody asked for it
}

// ThroughJournal is Through with a journal in a folder of its own below dir, which is removed afterwards. The node says nothing that
// the inline run did not say, besides what is its own. With recover the journal is opened again.
func (h *Harness) ThroughJournal(r *Recording, ack journal.Mode, s Sending, n int, dir string, recover bool) (k *Kept, err error) {
	if err := h.Context.Err(); err != nil {
		return nil, err
	}
	if h.Core >= 0 && len(h.cores) < 2 {
		return nil, ErrFewCores
	}
	folder, err := os.MkdirTemp(dir, "lockstep-bench-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	config := node.Config{Ports: 1, Lane: laneSlots, Idle: node.Spin, Clock: func() fixed.Nanos { return 0 }}
	if h.Core < 0 {
		config.Float, config.Idle, config.Collect = true, node.Park, true
	}
	venue := node.Venue{Limits: EngineLimits(r.Plan, r.Accounts), Currency: "USD", Seed: r.Setup, Ack: ack, Segment: segmentFor(len(r.Setup) + n)}
	nd, _, err := node.Open(folder, venue, config)
	if err != nil {
		return nil, err
	}
	reader, err := nd.Reader(true)
	if err != nil {
		return nil, err
	}
	if err := nd.Start(); err != nil {
		return nil, err
	}
	for nd.Status().Spares < 2 && nd.Err() == nil && h.Context.Err() == nil { // they are filled with zeros beside the run otherwise
		time.Sleep(time.Millisecond)
	}
	c := &client{node: nd, port: nd.Port(0), reader: reader, clock: h.clock, context: h.Context, base: msg.Seq(len(r.Setup)),
		requests: r.Requests[:min(n, len(r.Requests))], pause: yield, shares: true}
	pass, err := c.measure(s, h)
	if stop := nd.Stop(context.Background()); err == nil {
		err = stop
	}
	if err != nil {
		return nil, err
	}
	if len(c.requests) == len(r.Requests) && pass.Events != r.Events {
		return nil, &DiffersError{Plan: r.Plan.Name, Driver: "journaled pipeline", Why: fmt.Sprintf("%d events, expected %d as inline", pass.Events, r.Events)}
	}
	k = &Kept{Pass: pass}
	if recover {
		k.Recovery, err = h.recover(folder, venue, nd.Engine().Hash())
	}
	return k, err
}

// recover opens a journal and compares the state.
func (h *Harness) recover(folder string, venue node.Venue, state uint64) (*node.Recovery, error) {
	defer h.Hold()()
	nd, found, err := node.Open(folder, venue, node.Config{})
	if err != nil {
		return nil, err
	}
	if err := nd.Stop(context.Background()); err != nil {
		return nil, err
	}
	if want := fmt.Sprintf("%016x", state); found.State != want {
		return nil, &DiffersError{Driver: "recovery", Why: fmt.Sprintf("state %s, expected %s", found.State, want)}
	}
	return found, nil
}

// Syncs is S: n times 4 KiB written ahead of nobody and synced, into a file of zeros in dir.
func (h *Harness) Syncs(dir string, n int) (*Pass, error) {
	folder, err := os.MkdirTemp(dir, "lockstep-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder) // nothing of it is worth an error
	const block = 4 << 10
	f, err := journal.Disk{}.Open(filepath.Join(folder, "zeros"), os.O_RDWR|os.O_CREATE)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(f.Zero(0, int64(n)*block), f.Sync()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	p := &Pass{Total: latency.NewHistogram(), Probe: h.clock.Spin(probeSpan)}
	b := make([]byte, block)
	for i := range n {
		b[0] = byte(i) | 1
		from := h.clock.Read()
		if _, err := f.WriteAt(b, int64(i)*block); err != nil {
			return nil, errors.Join(err, f.Close())
		}
		if err := f.Datasync(); err != nil {
			return nil, errors.Join(err, f.Close())
		}
		ns := int64(h.clock.Nanos(h.clock.Read() - from))
		if err := p.Total.RecordValue(min(max(ns, latency.Lowest), latency.Highest)); err != nil {
			return nil, errors.Join(err, f.Close())
		}
	}
	p.Probe.Add(h.clock.Spin(probeSpan))
	return p, f.Close()
}

// journalRates are those of the open loop: what the goal asks for, and what can be offered where client and journal share a core.
var journalRates = [2]float64{1e6, 200e3}

// syncsMax is how often S syncs in a pass: enough for its p99.
const syncsMax = 1000

// journals is the rounds of the journal's figures.
type journals struct {
	plain, none, fsync []*Pass // flooded
	syncs              []*Pass
	open               [2][]*Pass
	inline             rounds
	recovered          []*node.Recovery
}

// Journals makes the figures of the journal: goals 13 to 15.
func (s *Suite) Journals() error {
	s.Report.Mode, s.Report.Ack = "threaded", "none and fsync, as each figure says"
	return s.run(s.journals)
}

func (s *Suite) journals() error {
	short := *s
	short.Timed = min(s.Timed, recorded)
	p, err := short.generated("b10k", 1)
	if err != nil {
		return err
	}
	rec, err := Record(p, usualAccounts)
	if err != nil {
		return err
	}
	var r journals
	for i := range s.Harness.Rounds {
		s.Harness.progress("journal", i, s.Harness.Rounds)
		err := s.journalRound(rec, &r)
		if errors.Is(err, ErrFewCores) {
			for _, g := range []struct{ number, name string }{{"13", "journal on, ack none"}, {"14", "journal on, ack fsync"}, {"15", "recovery"}} {
				s.add(goal{number: g.number}.none(g.name, err.Error()))
			}
			return nil
		}
		if err != nil {
			return err
		}
	}
	s.journalFigures(&r)
	return nil
}

// journalRound makes one pass of each.
func (s *Suite) journalRound(rec *Recording, r *journals) error {
	h, n := s.Harness, len(rec.Requests)
	plain, err := h.Through(Pipe{Recording: rec}, Sending{Flood: true}, n)
	if err != nil {
		return err
	}
	none, err := h.ThroughJournal(rec, journal.None, Sending{Flood: true}, n, s.Dir, true)
	if err != nil {
		return err
	}
	fsync, err := h.ThroughJournal(rec, journal.Fsync, Sending{Flood: true}, n, s.Dir, false)
	if err != nil {
		return err
	}
	if err := s.inline(rec, &r.inline); err != nil {
		return err
	}
	r.plain, r.none, r.fsync = append(r.plain, plain), append(r.none, none.Pass), append(r.fsync, fsync.Pass)
	r.recovered = append(r.recovered, none.Recovery)
	for i, rate := range journalRates {
		syncs, err := h.Syncs(s.Dir, syncsMax)
		if err != nil {
			return err
		}
		open, err := h.ThroughJournal(rec, journal.Fsync, Sending{Rate: rate}, min(n, s.Trips), s.Dir, false)
		if err != nil {
			return err
		}
		r.syncs, r.open[i] = append(r.syncs, syncs), append(r.open[i], open.Pass)
	}
	return nil
}

// rateOf is the median rate of passes, in millions a second.
func rateOf(passes []*Pass) float64 {
	var v []float64
	for _, p := range passes {
		v = append(v, 1e3/p.Ns)
	}
	return median(v)
}

func (s *Suite) journalFigures(r *journals) {
	none := goal{"13", 0.90, 0.97, true}.ratio("journal on, ack none: pipeline rate, batched", "M/s", rateOf(r.none), "no journal", rateOf(r.plain), lostIn(r.none, r.plain))
	if cores := len(s.Harness.cores); cores < 3 {
		none.Note = fmt.Sprintf("three threads want a core each and have %d: client and journal take turns", cores)
	}
	s.add(none,
		goal{}.ratio("journal on, ack fsync: pipeline rate, batched", "M/s", rateOf(r.fsync), "no journal", rateOf(r.plain), lostIn(r.fsync, r.plain)))
	for i, rate := range journalRates {
		bound, late := goal{"14", 2, 1.5, false}, 0
		for _, p := range r.open[i] {
			late += p.Late
		}
		for _, name := range []string{"p50", "p99"} {
			f := bound.ratio(fmt.Sprintf("ack fsync, open loop, %g M/s: command to event, %s", rate/1e6, name), "ns", middle(r.open[i], name), "S", middle(r.syncs, name),
				lostIn(r.open[i], r.syncs))
			f.Note = fmt.Sprintf("%d of %d requests were sent an interval or more late, and count from when they should have been", late,
				len(r.open[i])*int(r.open[i][0].Total.TotalCount()))
			s.add(f)
		}
	}
	var rate []float64
	for _, found := range r.recovered {
		seconds := 0.0
		for _, p := range found.Phases {
			if p.Name == journal.Replaying.String() {
				seconds += p.Seconds
			}
		}
		rate = append(rate, float64(found.Commands)/math.Max(seconds, 1e-9)/1e6)
	}
	s.add(goal{"15", 0.8, 1.0, true}.ratio("recovery: frames verified, commands applied", "M/s", median(rate), "W inline", 1e3/median(r.inline.inline), lostIn(r.none)),
		goal{"15b", 2, 2, true}.exact("recovery, millions of commands a second", "M/s", median(rate)))
}
