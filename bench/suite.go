package bench

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/lockstep-exchange/lockstep/bench/ops"
)

// Suite is every figure that has a goal, each over a baseline of the same run.
//
//	goal  figure                                            over
//	1     A on b10k, ec1k, b100k                            L
//	1b    A on each consensus stream, report hash equal     L
//	2     A on every stream                                 M
//	3     W, 1,024 accounts, b10k                           L and A
//	4     W, 1,048,576 accounts, b10k                       K(1,048,576)
//	4b    W over 1,000 instruments, 1,048,576 accounts      W with the book exchanged for M
//	6     a mark that crosses no wire, 1,048,576 accounts   1,024 accounts, W
//	7     one command in W: p99, p99.9, p99.99              its p50
//	8     command to event on another core, closed loop     R
//	9     order to report over a socket, fused; spinning    E; and Go's net on two cores
//	9b    order to report over a socket, Go's net           E of Go's net
//	10    one connection, pipelined                         a sink of the same bytes
//	11    open loop at 1 and 5 million a second             N
//	12    pipeline rate                                     W's inline rate
//	13    pipeline rate with a journal, ack none            without
//	14    command to event with a journal, ack fsync        S, a write and a sync
//	15    recovery                                          W's inline rate
//	16    decode of one NewOrder                            none
//	17    allocations and collections in W                  none
//	18    W with its self-checks                            W without
type Suite struct {
	Harness *Harness
	Timed   uint64   // operations of a generated stream
	Flash   []string // files of consensus streams
	File    string   // a further stream for goal 2; may be empty
	Crowd   uint32   // accounts of goals 4 and 4b
	Spread  int      // instruments of goal 4b
	Trips   int      // round trips of a round of R, and requests of a closed or a slow open loop
	Dir     string   // where journals are written; "": where temporary files are

	Report Report
	Traces []Trace // of the figures that are percentiles

	counts tally
}

// tally is what all runs of W together allocated.
type tally struct{ applied, allocs, cycles uint64 }

const (
	usualAccounts   = 1 << 10
	manyAccounts    = 1 << 20
	manyInstruments = 1000
)

// NewSuite returns a suite without figures. It spins for a moment to see how quiet
// the machine is.
func NewSuite(h *Harness, timed uint64) *Suite {
	s := &Suite{Harness: h, Timed: timed, Crowd: manyAccounts, Spread: manyInstruments, Trips: 200_000}
	leave := h.Hold()
	quiet := h.clock.Spin(200 * time.Millisecond)
	leave()
	s.Report = Report{Machine: Machine(), Ack: "none", Rounds: h.Rounds, Clock: round(h.clock.Cost), Noise: noise(quiet)}
	return s
}

// All makes every figure, those that need much memory last. After an error the report holds what was made before it.
func (s *Suite) All() error {
	s.Report.Mode = "inline and threaded"
	err := s.run(s.dense, s.sparse, s.deep, s.flash, s.further, s.pipelines, s.journals, s.wires, s.crowd, s.spread, s.margins)
	s.Report.settle()
	return err
}

// Floor makes the baselines alone: what this machine gives to anyone.
func (s *Suite) Floor() error {
	s.Report.Mode = "inline and threaded"
	return s.run(s.references, s.ring, s.echoes)
}

// RoundTrips makes the figures of R alone.
func (s *Suite) RoundTrips() error {
	s.Report.Mode = "threaded"
	return s.run(s.ring)
}

// Pipelines makes the figures that need threads alone: goals 8, 11 and 12.
func (s *Suite) Pipelines() error {
	s.Report.Mode = "threaded"
	return s.run(s.pipelines)
}

// run makes figures until one part fails.
func (s *Suite) run(parts ...func() error) error {
	for _, part := range parts {
		if err := part(); err != nil {
			s.Report.Partial = true
			return err
		}
	}
	return nil
}

func (s *Suite) add(f ...Figure) { s.Report.Figures = append(s.Report.Figures, f...) }

// generated is the plan of a published profile.
func (s *Suite) generated(profile string, instruments int) (*Plan, error) {
	s.Harness.progress("generating "+profile, 0, 1)
	return Input{Profile: profile, Timed: s.Timed, Seed: ops.Seed, Instruments: instruments}.Plan()
}

// race is Race with every entry's result checked: a wrong one ends the suite.
func (s *Suite) race(stage string, entries ...Entry) ([]Measure, error) {
	m, err := s.Harness.Race(stage, entries)
	if err != nil {
		return nil, err
	}
	for i := range m {
		if m[i].Err != nil {
			return nil, m[i].Err
		}
		if m[i].Refused != 0 {
			return nil, &DiffersError{Plan: stage, Driver: m[i].Name, Why: fmt.Sprintf("%d orders were refused, expected none", m[i].Refused)}
		}
	}
	return m, nil
}

// over is the figure of one measure over another.
func (g goal) over(name string, a *Measure, letter string, b *Measure) Figure {
	lost := a.Probe
	lost.Add(b.Probe)
	f := g.ratio(name, "ns/op", a.Median(), letter, b.Median(), lost.Lost())
	if own := median(b.Own); own > 0 && len(a.Own) > 0 {
		f.OwnRatio = share(median(a.Own) / own)
	}
	return f
}

// book adds goals 1 and 2 on one stream.
func (s *Suite) book(p *Plan, first, second goal, a, l, m *Measure) {
	name := fmt.Sprintf("A on %s (%d orders, %d levels)", p.Name, p.Resting, p.Levels)
	s.add(first.over(name, a, "L", l), second.over("A on "+p.Name, a, "M", m))
}

// dense is b10k: goals 1, 2, 3, 7, 17 and 18.
func (s *Suite) dense() error {
	p, err := s.generated("b10k", 1)
	if err != nil {
		return err
	}
	m, err := s.race("b10k", Ladder(p), Bare(p), Map(p), Whole(p, usualAccounts), Unchecked(p, usualAccounts), RiskLadder(p, usualAccounts))
	if err != nil {
		return err
	}
	l, a, plain, w, off, k := &m[0], &m[1], &m[2], &m[3], &m[4], &m[5]
	s.book(p, goal{"1", 1.30, 1.10, false}, goal{"2", 0.70, 0.50, false}, a, l, plain)
	s.add(
		goal{"3", 2.3, 1.55, false}.over("W on b10k, 1024 accounts", w, "L", l),
		goal{"3", 1.8, 1.4, false}.over("W on b10k, 1024 accounts", w, "A", a),
		goal{}.over("W on b10k, 1024 accounts", w, "K(1024)", k),
		goal{"18", 1.05, 1.02, false}.over("W on b10k, self-checks on", w, "W, off", off),
	)
	s.counts.add(w)
	s.counts.add(off)
	return s.tails(p)
}

// tails is goal 7: one command inside W.
func (s *Suite) tails(p *Plan) error {
	const passes = 3
	var all []*Distribution
	for range passes {
		d, err := s.Harness.Distribution("percentiles", Whole(p, usualAccounts))
		if err != nil {
			return err
		}
		if d.Err != nil {
			return d.Err
		}
		all = append(all, d)
	}
	s.Traces = append(s.Traces, all[0].Trace)
	lost := all[0].Probe
	figures := func(name string) (v []float64) {
		for _, d := range all {
			if ns, ok := d.Within(name); ok {
				v = append(v, ns)
			}
		}
		return v
	}
	for _, d := range all[1:] {
		lost.Add(d.Probe)
	}
	for _, g := range []struct {
		name          string
		must, stretch float64
	}{{"p99", 8, 6.5}, {"p99.9", 12, 10}, {"p99.99", 20, 14}} {
		bound, name := goal{"7", g.must, g.stretch, false}, fmt.Sprintf("one command in W, %s (clock included)", g.name)
		tail := figures(g.name)
		if len(tail) == 0 {
			s.add(bound.none(name, "too few operations for this percentile"))
			continue
		}
		s.add(bound.ratio(name, "ns", median(tail), "p50", median(figures("p50")), lost.Lost()))
	}
	return nil
}

// add counts what one more W allocated.
func (t *tally) add(m *Measure) {
	t.applied += m.Applied
	t.allocs += m.Allocs
	t.cycles += m.Cycles
}

// enough is the number of commands that goal 17 speaks of.
const enough = 10_000_000

// garbage is goal 17.
func (s *Suite) garbage() {
	for _, f := range []Figure{
		goal{"17", 0, 0, false}.exact(fmt.Sprintf("allocations in %d commands of W", s.counts.applied), "objects", float64(s.counts.allocs)),
		goal{"17", 0, 0, false}.exact(fmt.Sprintf("collections in %d commands of W", s.counts.applied), "cycles", float64(s.counts.cycles)),
	} {
		if s.counts.applied < enough && f.Verdict != Missed {
			f.Verdict, f.Note = NotMeasured, fmt.Sprintf("the goal asks for %d commands", enough)
		}
		s.add(f)
	}
}

// sparse is ec1k: goals 1 and 2.
func (s *Suite) sparse() error {
	return s.bare("ec1k", goal{"1", 1.45, 1.20, false}, goal{"2", 0.70, 0.50, false})
}

// deep is b100k: goals 1 and 2.
func (s *Suite) deep() error {
	return s.bare("b100k", goal{"1", 1.70, 1.40, false}, goal{"2", 1.0, 0.9, false})
}

func (s *Suite) bare(profile string, first, second goal) error {
	p, err := s.generated(profile, 1)
	if err != nil {
		return err
	}
	m, err := s.race(profile, Ladder(p), Bare(p), Map(p))
	if err != nil {
		return err
	}
	s.book(p, first, second, &m[1], &m[0], &m[2])
	return nil
}

// flash is goal 1b, and goal 2 on the consensus streams.
func (s *Suite) flash() error {
	bound := goal{"1b", 1.25, 1.05, false}
	if len(s.Flash) == 0 {
		s.add(bound.none("A on the consensus streams", "no stream at hand: --f1 FILE"))
		return nil
	}
	for _, file := range s.Flash {
		p, err := Input{File: file, Instruments: 1}.Plan()
		if err != nil {
			return err
		}
		p.Name = filepath.Base(file)
		hash, equal := ReportHash(p)
		if !equal {
			return &DiffersError{Plan: p.Name, Driver: "book", Why: "report hash " + hash + " is not the oracle's"}
		}
		m, err := s.race(p.Name, Ladder(p), Bare(p), Map(p))
		if err != nil {
			return err
		}
		s.book(p, bound, goal{"2", 1.0, 0.9, false}, &m[1], &m[0], &m[2])
		s.Report.Figures[len(s.Report.Figures)-2].Note = "report hash " + hash
	}
	return nil
}

// further is goal 2 on a stream that was asked for.
func (s *Suite) further() error {
	if s.File == "" {
		return nil
	}
	p, err := Input{File: s.File, Instruments: 1}.Plan()
	if err != nil {
		return err
	}
	p.Name = filepath.Base(s.File)
	m, err := s.race(p.Name, Bare(p), Map(p))
	if err != nil {
		return err
	}
	s.add(goal{"2", 1.0, 0.9, false}.over("A on "+p.Name, &m[0], "M", &m[1]))
	return nil
}

// crowd is goal 4.
func (s *Suite) crowd() error {
	p, err := s.generated("b10k", 1)
	if err != nil {
		return err
	}
	m, err := s.race("many accounts", RiskLadder(p, s.Crowd), Whole(p, s.Crowd))
	if err != nil {
		return err
	}
	s.counts.add(&m[1])
	s.garbage()
	s.add(goal{"4", 1.8, 1.2, false}.over(fmt.Sprintf("W on b10k, %d accounts", s.Crowd), &m[1], "K", &m[0]))
	return nil
}

// spread is goal 4b. The engine holds package book and no other, so W on M is made
// of what was measured: W with the time of A taken out and that of M put in, all
// three over the same instruments.
func (s *Suite) spread() error {
	p, err := s.generated("b10k", s.Spread)
	if err != nil {
		return err
	}
	m, err := s.race("many instruments", Bare(p), Map(p), Whole(p, s.Crowd))
	if err != nil {
		return err
	}
	a, plain, w := &m[0], &m[1], &m[2]
	lost := w.Probe
	lost.Add(a.Probe)
	lost.Add(plain.Probe)
	f := goal{"4b", 0.90, 0.75, false}.ratio(fmt.Sprintf("W over %d instruments, %d accounts", s.Spread, s.Crowd), "ns/op",
		w.Median(), "W on M", w.Median()-a.Median()+plain.Median(), lost.Lost())
	if own := median(w.Own) - median(a.Own) + median(plain.Own); own > 0 {
		f.OwnRatio = share(median(w.Own) / own)
	}
	f.Note = fmt.Sprintf("W on M is W - A + M with A %.1f and M %.1f ns/op", a.Median(), plain.Median())
	s.add(f)
	return nil
}

// references is L, K(n), M and the clock.
func (s *Suite) references() error {
	s.add(goal{}.exact("one reading of the clock ("+s.Harness.clock.Source+")", "ns", s.Harness.clock.Cost))
	for _, profile := range []string{"b10k", "ec1k", "b100k"} {
		p, err := s.generated(profile, 1)
		if err != nil {
			return err
		}
		entries := []Entry{Ladder(p), RiskLadder(p, usualAccounts), RiskLadder(p, s.Crowd), Map(p)}
		m, err := s.race(profile, entries...)
		if err != nil {
			return err
		}
		for i, letter := range []string{"L", "K(1024)", fmt.Sprintf("K(%d)", s.Crowd), "M"} {
			s.add(goal{}.over(letter+" on "+profile, &m[i], "L", &m[0]))
		}
	}
	return nil
}

// ring makes the figures of R: a record to another core and back.
func (s *Suite) ring() error {
	var passes []*Pass
	for i := range s.Harness.Rounds {
		s.Harness.progress("round trips", i, s.Harness.Rounds)
		p, err := s.Harness.RoundTrip(s.Trips)
		if errors.Is(err, ErrFewCores) {
			s.add(goal{}.none("R: a record to another core and back", err.Error()))
			return nil
		}
		if err != nil {
			return err
		}
		passes = append(passes, p)
	}
	for _, name := range []string{"p50", "p99", "p99.9", "p99.99"} {
		f := goal{}.exact("R: a record to another core and back, "+name, "ns", middle(passes, name))
		f.Lost = share(lostIn(passes))
		s.add(f)
	}
	return nil
}

// middle is the median over passes of a percentile; 0 when none has it.
func middle(passes []*Pass, name string) float64 {
	var v []float64
	for _, p := range passes {
		if ns, ok := at(p.Total, name); ok {
			v = append(v, ns)
		}
	}
	return median(v)
}

// lostIn is what the empty loop lost around passes.
func lostIn(passes ...[]*Pass) float64 {
	var all Probe
	for _, p := range slices.Concat(passes...) {
		all.Add(p.Probe)
	}
	return all.Lost()
}

// recorded bounds the operations that are sent through pipelines.
const recorded = 1_000_000

// pipelines is goals 8, 11 and 12.
func (s *Suite) pipelines() error {
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
	err = s.threads(rec)
	if errors.Is(err, ErrFewCores) {
		for _, g := range []struct{ number, name string }{{"8", "command to event on another core"}, {"11", "open loop"}, {"12", "pipeline rate"}} {
			s.add(goal{number: g.number}.none(g.name, err.Error()))
		}
		return nil
	}
	return err
}

// rounds are the passes of one pipeline figure.
type rounds struct {
	trip, closed []*Pass
	open, twin   [2][]*Pass
	flood        []*Pass
	inline       []float64
}

// rates are those of the open loop, in requests a second.
var rates = [2]float64{1e6, 5e6}

// threads makes all passes, in turns, and the figures of them.
func (s *Suite) threads(rec *Recording) error {
	var r rounds
	for i := range s.Harness.Rounds {
		if err := s.round(rec, &r, i); err != nil {
			return err
		}
	}
	s.Traces = append(s.Traces, r.closed[0].Trace)
	for i := range rates {
		r.twin[i][0].Trace.Tag = "twin-" + r.twin[i][0].Trace.Tag
		s.Traces = append(s.Traces, r.open[i][0].Trace, r.twin[i][0].Trace)
	}
	s.closedFigures(&r)
	s.openFigures(&r)
	s.floodFigures(&r)
	return nil
}

// round makes one pass of each; every other round in the opposite order.
func (s *Suite) round(rec *Recording, r *rounds, number int) error {
	h, n := s.Harness, len(rec.Requests)
	engine, empty := Pipe{Recording: rec}, Pipe{Recording: rec, Empty: true}
	keep := func(to *[]*Pass, make func() (*Pass, error)) func() error {
		return func() error {
			p, err := make()
			if err == nil {
				*to = append(*to, p)
			}
			return err
		}
	}
	through := func(p Pipe, how Sending, n int) func() (*Pass, error) {
		return func() (*Pass, error) { return h.Through(p, how, n) }
	}
	passes := []func() error{
		keep(&r.trip, func() (*Pass, error) { return h.RoundTrip(s.Trips) }),
		keep(&r.closed, through(engine, Closed, s.Trips)),
		keep(&r.twin[0], through(empty, Sending{Rate: rates[0]}, s.Trips)),
		keep(&r.open[0], through(engine, Sending{Rate: rates[0]}, s.Trips)),
		keep(&r.twin[1], through(empty, Sending{Rate: rates[1]}, n)),
		keep(&r.open[1], through(engine, Sending{Rate: rates[1]}, n)),
		keep(&r.flood, through(engine, Sending{Flood: true}, n)),
		func() error { return s.inline(rec, r) },
	}
	if number%2 == 1 {
		slices.Reverse(passes)
	}
	for i, pass := range passes {
		h.progress("pipelines", number*len(passes)+i, h.Rounds*len(passes))
		if err := pass(); err != nil {
			return err
		}
	}
	return nil
}

// inline is one run of W on the stream that the pipelines carry.
func (s *Suite) inline(rec *Recording, r *rounds) error {
	alone := *s.Harness
	alone.Rounds, alone.Report = 1, nil
	m, err := alone.Race("inline", []Entry{Whole(rec.Plan, rec.Accounts)})
	if err != nil {
		return err
	}
	if m[0].Err != nil {
		return m[0].Err
	}
	total := m[0].Ns[0] * float64(len(rec.Plan.Stream.Timed()))
	r.inline = append(r.inline, total/float64(len(rec.Requests)))
	return nil
}

// closedFigures is goal 8.
func (s *Suite) closedFigures(r *rounds) {
	lost := lostIn(r.trip, r.closed)
	for _, g := range []struct {
		name          string
		must, stretch float64
	}{{"p50", 1.4, 1.2}, {"p99", 2.0, 2.0}, {"p99.99", 1.3, 1.3}} {
		s.add(goal{"8", g.must, g.stretch, false}.ratio("command to event on another core, "+g.name, "ns",
			middle(r.closed, g.name), "R", middle(r.trip, g.name), lost))
	}
}

// openFigures is goal 11.
func (s *Suite) openFigures(r *rounds) {
	for i, rate := range rates {
		lost := lostIn(r.open[i], r.twin[i])
		title := fmt.Sprintf("open loop, %g M/s, ", rate/1e6)
		s.add(goal{}.ratio(title+"p50", "ns", middle(r.open[i], "p50"), "N", middle(r.twin[i], "p50"), lost))
		w, n := middle(r.open[i], "p99"), middle(r.twin[i], "p99")
		s.add(goal{"11", 1, 1.1 * n / (n + 1000), false}.ratio(title+"p99", "ns", w, "N + 1 us", n+1000, lost))
		for _, name := range []string{"p99.9", "p99.99"} {
			s.add(goal{"11", 1.3, 1.1, false}.ratio(title+name, "ns", middle(r.open[i], name), "N", middle(r.twin[i], name), lost))
		}
		late := 0
		for _, p := range r.open[i] {
			late += p.Late
		}
		s.Report.Figures[len(s.Report.Figures)-1].Note = fmt.Sprintf("%d of %d requests were sent an interval or more late, and count from when they should have been",
			late, len(r.open[i])*int(r.open[i][0].Total.TotalCount()))
	}
}

// floodFigures is goal 12.
func (s *Suite) floodFigures(r *rounds) {
	var rate []float64
	for _, p := range r.flood {
		rate = append(rate, 1e3/p.Ns)
	}
	s.add(goal{"12", 0.65, 0.75, true}.ratio("pipeline rate, batched", "M/s", median(rate), "W inline", 1e3/median(r.inline), lostIn(r.flood)))
}
