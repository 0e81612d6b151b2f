package stress

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/sim/scenario"
	"github.com/lockstep-exchange/lockstep/sim/strict"
)

// A shock is what happens to a book: where prices go, step by step, how deep the market maker's book is meanwhile, who falls silent, and
// what funding costs. Times count from its start.

// Shock is one that has been read. Where it is recorded history, Load gives it its prices.
type Shock struct {
	Source
	Seed    uint64
	step    fixed.Nanos
	noise   fixed.Rate
	paths   []*course
	maker   makerTerms
	thin    []thinning
	silent  []silence
	funding fundingTerms
	file    *strict.File
}

// makerTerms are what the market maker quotes: levels on either side, each worth depth, the first half a spread from the price
// and the others gap apart. What was taken stands again after refill.
type makerTerms struct {
	spread, gap fixed.Rate
	levels      int
	depth       fixed.Money
	refill      fixed.Nanos
}

// window is a span of the shock.
type window struct{ from, to fixed.Nanos }

func (w window) holds(t fixed.Nanos) bool { return w.from <= t && t < w.to }

// thinning is a window in which the maker quotes a part of his depth, and perhaps another spread.
type thinning struct {
	window
	depth  fixed.Rate
	spread fixed.Rate // 0: as always
}

// silence is a window in which no source says anything.
type silence struct {
	window
	underlying string
}

// fundingTerms are payments at a rate that is stated, or recorded by the day.
type fundingTerms struct {
	rate    fixed.Rate
	every   fixed.Nanos // 0: none
	needs   string      // the recording that is meant; empty: none
	bars    string      // its file, where the text names one
	records []dayRate
	offset  int
}

// LoadShock reads a shock by the name of one that is built in, or from a file. The error is a scenario.Faults.
func LoadShock(nameOrFile string) (*Shock, error) {
	text, file, err := fetch("scenarios", nameOrFile, "a scenario file or a name that stress list shows")
	if err != nil {
		return nil, err
	}
	return ParseShock(file, text)
}

// ParseShock reads the text of a shock. The error is a scenario.Faults with all that is wrong with it.
func ParseShock(file string, text []byte) (*Shock, error) {
	t, err := strict.Parse(file, text)
	if err != nil {
		return nil, err
	}
	s := &Shock{Source: Source{SHA256: fmt.Sprintf("%x", sha256.Sum256(text))}, file: t.File, step: fixed.Minute}
	s.Name, _ = t.Text("name", `"gap-down"`, true)
	s.Title, _ = t.Text("title", `"30 % down within a minute"`, false)
	s.Seed = uint64(t.Whole("seed", false, 0, fixed.MaxInt64, 1))
	if d, there := t.Span("step", false); there {
		if s.step = d; d < fixed.Second || d > fixed.Hour {
			t.Fault("step", t.Find("step"), "is %s, expected 1s to 1h", scenario.FormatSpan(d))
			s.step = fixed.Minute
		}
	}
	s.noise, _ = t.Share("noise")
	for _, p := range t.Many("path") {
		s.readPath(p)
	}
	s.readMaker(t)
	for _, w := range t.Many("liquidity") {
		s.readThinning(w)
	}
	for _, w := range t.Many("silence") {
		underlying, _ := w.Text("underlying", `"BTC"`, false)
		s.silent = append(s.silent, silence{readWindow(w), everyWhere(underlying)})
		w.Close()
	}
	if f := t.One("funding"); f != nil {
		s.readFunding(f)
	}
	t.Close()
	if t.File.Sound() && len(s.paths) == 0 {
		t.Missing("path", "at least one [[path]]")
	}
	return s, t.File.Err()
}

// everyWhere is the name of an underlying, or * for all that are not named.
func everyWhere(name string) string {
	if name == "" {
		return "*"
	}
	return name
}

// readWindow reads from and to.
func readWindow(t *strict.Table) (w window) {
	var from, to bool
	w.from, from = t.Span("from", true)
	w.to, to = t.Span("to", true)
	if from && to && w.to <= w.from {
		t.Fault("to", t.Find("to"), "is %s, expected more than from", scenario.FormatSpan(w.to))
	}
	return w
}

// readMaker reads [maker].
func (s *Shock) readMaker(t *strict.Table) {
	s.maker = makerTerms{spread: 2 * fixed.BasisPoint, gap: 5 * fixed.BasisPoint, levels: 10, depth: 250_000 * fixed.Coin, refill: 10 * fixed.Second}
	m := t.One("maker")
	if m == nil {
		return
	}
	if r, there := m.Share("spread"); there {
		s.maker.spread = r
	}
	if r, there := m.Share("gap"); there {
		s.maker.gap = r
	}
	s.maker.levels = int(m.Whole("levels", false, 1, 64, 10))
	if d, there := m.Amount("depth", false); there {
		s.maker.depth = min(d, depositMax)
	}
	if d, there := m.Span("refill", false); there {
		s.maker.refill = max(d, fixed.Second)
	}
	m.Close()
	if far := s.maker.spread + s.maker.gap*fixed.Rate(s.maker.levels); far >= fixed.One {
		t.File.Fault(m.Offset, "%sthe last level would stand at a price of 0 or less, expected spread + levels x gap below 100%%", m.Prefix())
	}
}

// readThinning reads [[liquidity]].
func (s *Shock) readThinning(t *strict.Table) {
	w := thinning{window: readWindow(t)}
	r, there := t.Share("depth")
	if !there && t.Find("depth") == nil {
		t.Missing("depth", `depth = "10%"`)
	}
	w.depth = r
	w.spread, _ = t.Share("spread")
	t.Close()
	s.thin = append(s.thin, w)
}

// readFunding reads [funding].
func (s *Shock) readFunding(t *strict.Table) {
	f := &s.funding
	f.offset = t.Offset
	f.every = 8 * fixed.Hour
	if d, there := t.Span("every", false); there {
		if f.every = d; d < fixed.Minute {
			t.Fault("every", t.Find("every"), "is %s, expected at least 1m", scenario.FormatSpan(d))
		}
	}
	f.needs, _ = t.Text("needs", `"mean funding rates by the day"`, false)
	f.bars, _ = t.Text("file", `"funding.csv.gz"`, false)
	rate, there := t.Rate("rate", false)
	f.rate = rate
	if recorded := f.needs != "" || f.bars != ""; there == recorded {
		t.File.Fault(t.Offset, "%sneeds either rate, or file with needs", t.Prefix())
	}
	t.Close()
}

// readPath reads [[path]].
func (s *Shock) readPath(t *strict.Table) {
	name, _ := t.Text("underlying", `"BTC"`, false)
	p := &course{underlying: everyWhere(name), beta: fixed.One, offset: t.Offset}
	if slices.ContainsFunc(s.paths, func(o *course) bool { return o.underlying == p.underlying }) {
		t.File.Fault(t.Offset, "%s%s has a path already, expected one an underlying", t.Prefix(), p.underlying)
	}
	if r, there := t.Rate("beta", false); there {
		if p.beta = r; fixed.Abs(r) > 10*fixed.One {
			t.Fault("beta", t.Find("beta"), "is beyond 10, expected -10 to 10")
			p.beta = fixed.One
		}
	}
	for _, v := range t.Texts("points") {
		if at, err := parsePoint(v.Text); err != nil {
			t.Fault("points", v, "%v", err)
		} else if n := len(p.points); n > 0 && at.at <= p.points[n-1].at {
			t.Fault("points", v, "has %q, expected a time after the one before", v.Text)
		} else {
			p.points = append(p.points, at)
		}
	}
	p.needs, _ = t.Text("needs", `"hourly bars of BTCUSDT, 2020"`, false)
	p.bars, _ = t.Text("bars", `"BTCUSDT_1h_2020.csv.gz"`, false)
	p.from, _ = strict.Read(t, "from", `"2020-03-12 00:00"`, false, parseMoment)
	p.to, _ = strict.Read(t, "to", `"2020-03-13 12:00"`, false, parseMoment)
	t.Close()
	switch recorded := p.needs != "" || p.bars != ""; {
	case recorded == (len(p.points) > 0):
		t.File.Fault(t.Offset, "%sneeds either points, or bars with from, to and needs", t.Prefix())
	case recorded && !p.to.After(p.from):
		t.File.Fault(t.Offset, "%sneeds from and to, and to after from", t.Prefix())
	case recorded && p.to.Sub(p.from) > time.Duration(longest):
		t.File.Fault(t.Offset, "%slasts longer than %s, expected less", t.Prefix(), scenario.FormatSpan(longest))
	case !recorded && len(p.points) > 0:
		p.check(t)
	}
	s.paths = append(s.paths, p)
}

// longest is how long a shock may last.
const longest = 31 * fixed.Day

// parseMoment reads a time of the calendar, UTC.
func parseMoment(text string) (time.Time, error) {
	for _, layout := range []string{"2006-01-02 15:04", "2006-01-02"} {
		if at, err := time.Parse(layout, text); err == nil && at.Year() >= 1970 && at.Year() < 2100 {
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("is %q, expected a time in UTC, as in 2020-03-12 00:00", text)
}

// parsePoint reads a point of a path, as in 10m -30%.
func parsePoint(text string) (point, error) {
	when, move, two := strings.Cut(strings.TrimSpace(text), " ")
	at, err := scenario.ParseSpan(when)
	r, bad := scenario.ParseRate(strings.TrimSpace(move))
	if !two || err != nil || bad != nil {
		return point{}, fmt.Errorf("has %q, expected a time and a move from the start, as in \"10m -30%%\"", text)
	}
	if at > longest || r <= -fixed.One || r > 100*fixed.One {
		return point{}, fmt.Errorf("has %q, expected at most %s, and a move above -100%% and up to 10000%%", text, scenario.FormatSpan(longest))
	}
	return point{at, r}, nil
}
