package stress

import (
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/sim/scenario"
)

// Requirement is what a figure must be, as in insurance<=1m or cross.deficit<=0; without a mode it holds for every one.
type Requirement struct {
	text   string
	mode   string // empty: every mode
	figure string
	than   string // <, <=, =, >= or >
	value  *big.Rat
}

// ParseRequirement reads one. k and m behind a number are thousands and millions; % is a hundredth.
func ParseRequirement(text string) (q Requirement, err error) {
	expected := fmt.Errorf("requirement %q, expected FIGURE<=NUMBER, as in insurance<=1m or cross.deficit<=0, with <, <=, =, >= or >", text)
	at := strings.IndexAny(text, "<=>")
	if at < 0 {
		return q, expected
	}
	rest := strings.TrimLeft(text[at:], "<=>")
	q = Requirement{text: text, figure: strings.TrimSpace(text[:at]), than: text[at : len(text)-len(rest)]}
	if mode, figure, has := strings.Cut(q.figure, "."); has {
		q.mode, q.figure = mode, figure
	}
	if !strings.Contains(" < <= = >= > ", " "+q.than+" ") {
		return q, expected
	}
	if !slices.Contains(figureNames, q.figure) {
		return q, fmt.Errorf("requirement %q names the figure %q, expected one of %s%s", text, q.figure, strings.Join(figureNames, ", "),
			scenario.Meant(q.figure, figureNames))
	}
	if q.value, err = parseScaled(strings.TrimSpace(rest)); err != nil {
		return q, expected
	}
	return q, nil
}

func parseScaled(text string) (*big.Rat, error) {
	scale := big.NewRat(1, 1)
	for suffix, by := range map[string]*big.Rat{"k": big.NewRat(1000, 1), "m": big.NewRat(1_000_000, 1), "%": big.NewRat(1, 100)} {
		if digits, has := strings.CutSuffix(text, suffix); has {
			text, scale = digits, by
			break
		}
	}
	if strings.Trim(text, "-0123456789.") != "" || len(text) > 40 {
		return nil, fmt.Errorf("%q is no number", text)
	}
	v, ok := new(big.Rat).SetString(text)
	if !ok {
		return nil, fmt.Errorf("%q is no number", text)
	}
	return v.Mul(v, scale), nil
}

// number is what a figure is in whole units.
func (f *Figure) number() *big.Rat {
	switch f.Unit {
	case Amount:
		return big.NewRat(f.Value, int64(fixed.Coin))
	case Share:
		return big.NewRat(f.Value, int64(fixed.One))
	}
	return big.NewRat(f.Value, 1)
}

// met reports whether a figure is as required.
func (q *Requirement) met(f *Figure) bool {
	c := f.number().Cmp(q.value)
	switch q.than {
	case "<":
		return c < 0
	case "<=":
		return c <= 0
	case ">":
		return c > 0
	case ">=":
		return c >= 0
	}
	return c == 0
}

// Unmet are the requirements that a report does not meet, a line each.
func (p *Report) Unmet(all []Requirement) (lines []string) {
	for i := range all {
		q := &all[i]
		for k := range p.Modes {
			m := &p.Modes[k]
			if q.mode != "" && q.mode != m.Mode {
				continue
			}
			if f := m.Figures.find(q.figure); !q.met(f) {
				lines = append(lines, fmt.Sprintf("%s: %s is %s, required %s", m.Mode, q.figure, f.exact(), q.text))
			}
		}
	}
	return lines
}
