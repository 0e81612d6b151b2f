package stress

import (
	"fmt"
	"math/rand/v2"
	"sort"
	"time"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/sim/scenario"
	"github.com/lockstep-exchange/lockstep/sim/strict"
)

// course is where the price of an underlying goes: points that straight lines join, in parts of the price at the start.
type course struct {
	underlying string // or * for all that have none of their own
	beta       fixed.Rate
	points     []point
	bars       string // a file of recorded bars, where the text names one
	needs      string // what it holds, for who has to find it; empty: no recording
	from, to   time.Time
	offset     int
}

// point is a move from the start, at a time after it.
type point struct {
	at   fixed.Nanos
	move fixed.Rate
}

// recorded reports whether the prices lie in a file.
func (p *course) recorded() bool { return p.needs != "" || p.bars != "" }

// check notes points at which there is no price left.
func (p *course) check(t *strict.Table) {
	for _, at := range p.points {
		if p.scale(at.move) <= -fixed.One {
			t.File.Fault(t.Offset, "%sa move of %s times beta leaves no price, expected more than -100%%", t.Prefix(), percent(at.move, 1))
			return
		}
	}
}

// scale is a move of the underlying, the path's times beta.
func (p *course) scale(move fixed.Rate) fixed.Rate {
	r, _ := fixed.MulDivTowardZero(int64(move), int64(p.beta), int64(fixed.One))
	return fixed.Rate(r)
}

// move is how far the price is from where it was at the start. Before the first point there is none.
func (p *course) move(t fixed.Nanos) fixed.Rate {
	i := sort.Search(len(p.points), func(i int) bool { return p.points[i].at > t })
	switch {
	case i == 0 && p.points[0].at > 0:
		return p.scale(between2(point{}, p.points[0], t))
	case i == 0:
		return p.scale(p.points[0].move)
	case i == len(p.points):
		return p.scale(p.points[i-1].move)
	}
	return p.scale(between2(p.points[i-1], p.points[i], t))
}

// between2 is the move on the line from a to b.
func between2(a, b point, t fixed.Nanos) fixed.Rate {
	rise, _ := fixed.MulDivTowardZero(int64(b.move-a.move), int64(t-a.at), int64(b.at-a.at))
	return a.move + fixed.Rate(rise)
}

// end is the time of the last point.
func (p *course) end() fixed.Nanos { return p.points[len(p.points)-1].at }

// on is the path of an underlying, nil where it stays where it is.
func (s *Shock) on(underlying string) (found *course) {
	for _, p := range s.paths {
		if p.underlying == underlying {
			return p
		}
		if p.underlying == "*" {
			found = p
		}
	}
	return found
}

// duration is how long the shock lasts: until the last price moves, or the last window ends.
func (s *Shock) duration() (d fixed.Nanos) {
	for _, p := range s.paths {
		d = max(d, p.end())
	}
	for _, w := range s.thin {
		d = max(d, w.to)
	}
	for _, w := range s.silent {
		d = max(d, w.to)
	}
	return (d + s.step - 1) / s.step * s.step
}

// start is when it began, in engine time: that of the recording, or 0.
func (s *Shock) start() fixed.Nanos {
	for _, p := range s.paths {
		if p.recorded() {
			return fixed.Nanos(p.from.UnixNano())
		}
	}
	return 0
}

// dated reports whether its times are those of the calendar.
func (s *Shock) dated() bool { return s.start() != 0 }

// walk is the price of an underlying on its way.
type walk struct {
	name   string  // of the underlying
	path   *course // nil: it stays
	price  fixed.Money
	noise  fixed.Rate
	chance *rand.PCG
}

// newWalk is an underlying's way through a shock.
func newWalk(s *Shock, u *underlying, seed uint64) *walk {
	return &walk{name: u.name, path: s.on(u.name), price: u.price, noise: s.noise, chance: rand.NewPCG(seed, 1<<32+uint64(u.id))}
}

// next is the price at a time; every call draws the noise anew. It is above 0.
func (w *walk) next(t fixed.Nanos) fixed.Money {
	move := fixed.Rate(0)
	if w.path != nil {
		move = w.path.move(t)
	}
	if w.noise > 0 {
		move += fixed.Rate(between(-int64(w.noise), int64(w.noise), w.chance.Uint64()))
	}
	p, _ := fixed.MulDivFloor(int64(w.price), int64(fixed.One+move), int64(fixed.One))
	return max(fixed.Money(p), 1)
}

// thinned is what the maker quotes at a time.
func (s *Shock) thinned(t fixed.Nanos) makerTerms {
	m := s.maker
	for _, w := range s.thin {
		if w.holds(t) {
			m.depth, _ = w.depth.Floor(m.depth)
			if w.spread > 0 {
				m.spread = w.spread
			}
		}
	}
	return m
}

// mute reports whether the sources of an underlying say nothing at a time.
func (s *Shock) mute(underlying string, t fixed.Nanos) bool {
	for _, w := range s.silent {
		if w.holds(t) && (w.underlying == "*" || w.underlying == underlying) {
			return true
		}
	}
	return false
}

// Recordings are the files that a shock of history reads where its text names none.
type Recordings struct {
	Bars    string // prices
	Funding string // rates by the day; empty: no funding is paid
}

// Load gives a shock of recorded history its prices. The error is a scenario.Faults.
func (s *Shock) Load(r Recordings) error {
	for _, p := range s.paths {
		if !p.recorded() {
			continue
		}
		file := p.bars
		if r.Bars != "" {
			file = r.Bars
		}
		if file == "" {
			return scenario.Faults{{File: s.file.Name, Text: fmt.Sprintf("needs a recording: %s, expected --history FILE or bars = in the text", p.needs)}}
		}
		var err error
		if p.points, err = loadBars(file, p.from, p.to); err != nil {
			return err
		}
		for _, at := range p.points {
			if p.scale(at.move) <= -fixed.One {
				return scenario.Faults{{File: s.file.Name, Text: "beta leaves no price where the recording is lowest, expected less"}}
			}
		}
	}
	f := &s.funding
	if f.needs == "" && f.bars == "" {
		return nil
	}
	file := f.bars
	if r.Funding != "" {
		file = r.Funding
	}
	if file == "" {
		f.every = 0
		return nil
	}
	var err error
	f.records, err = loadRates(file)
	return err
}

// rateAt is the funding rate of a time.
func (f *fundingTerms) rateAt(t fixed.Nanos) fixed.Rate {
	if f.records == nil {
		return f.rate
	}
	day := int64(t) / int64(fixed.Day)
	i := sort.Search(len(f.records), func(i int) bool { return f.records[i].day >= day })
	if i == len(f.records) || f.records[i].day != day {
		return 0
	}
	return f.records[i].rate
}
