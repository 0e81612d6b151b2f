package latency

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Assertion is a bound on a figure: "p99<50us" on the figure itself, "p99.9<+10%" on how much it may change from one log
// to the next, "engine:max<=1ms" on one tag alone.
type Assertion struct {
	text     string
	tag      string // with tagged
	tagged   bool
	figure   string
	op       string
	bound    float64 // ns, samples, or percent
	relative bool
}

func (a Assertion) String() string { return a.text }

// Relative reports whether the bound is one on the change between two logs.
func (a Assertion) Relative() bool { return a.relative }

const assertionForm = "[tag:]figure, < <= > or >=, and 50us or +10%; figures are count, min, max and percentiles"

var (
	assertionPattern = regexp.MustCompile(`^(?:([^:<>=]*):)?([a-z0-9.]+)\s*(<=|>=|<|>)\s*([+-]?)([0-9]+(?:\.[0-9]+)?)(%|ns|us|ms|s)?$`)
	unitNs           = map[string]float64{"": 1, "%": 1, "ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}
)

// ParseAssertion reads an assertion.
func ParseAssertion(text string) (Assertion, error) {
	m := assertionPattern.FindStringSubmatch(strings.TrimSpace(text))
	if m == nil {
		return Assertion{}, fmt.Errorf("assertion %q, expected %s", text, assertionForm)
	}
	a := Assertion{text: text, tag: m[1], tagged: strings.Contains(text, ":"), figure: m[2], op: m[3], relative: m[6] == "%"}
	if !slices.Contains([]string{"count", "min", "max"}, a.figure) {
		if _, err := ParsePercentile(a.figure); err != nil {
			return Assertion{}, fmt.Errorf("assertion %q: %w", text, err)
		}
	}
	switch sign, unit := m[4], m[6]; {
	case a.relative && sign == "":
		return Assertion{}, fmt.Errorf("assertion %q: a change needs its sign, expected +%s%% or -%s%%", text, m[5], m[5])
	case !a.relative && sign != "":
		return Assertion{}, fmt.Errorf("assertion %q: a sign without %%, expected %s", text, assertionForm)
	case !a.relative && (unit == "") != (a.figure == "count"):
		return Assertion{}, fmt.Errorf("assertion %q, expected a unit (ns us ms s) for a latency and none for a count", text)
	}
	bound, err := strconv.ParseFloat(m[4]+m[5], 64)
	if err != nil {
		return Assertion{}, fmt.Errorf("assertion %q: %w", text, err)
	}
	a.bound = bound * unitNs[m[6]]
	return a, nil
}

func (a Assertion) holds(v float64) bool {
	switch a.op {
	case "<":
		return v < a.bound
	case "<=":
		return v <= a.bound
	case ">":
		return v > a.bound
	}
	return v >= a.bound
}

// Check says what of the assertion does not hold for a log: one sentence a tag. A tag that is missing, or a percentile that
// has too few samples, does not hold. A relative assertion needs Compare.
func (a Assertion) Check(log *Log) (unmet []string) {
	return a.each(log, func(tag *Tag) string {
		v := tag.figure(a.figure)
		switch {
		case v == nil:
			return group(tag.Total.TotalCount()) + " samples are too few"
		case !a.holds(float64(*v)):
			return a.show(*v)
		}
		return ""
	})
}

// Compare says what of the assertion does not hold for b, seen from a: one sentence a tag of a. An absolute bound is one
// on b alone.
func (a Assertion) Compare(before, after *Log) (unmet []string) {
	if !a.relative {
		return a.Check(after)
	}
	return a.each(before, func(tag *Tag) string {
		d := delta(tag.Name, a.figure, tag.figure(a.figure), after.Tag(tag.Name).figure(a.figure))
		switch {
		case after.Tag(tag.Name) == nil:
			return after.Name + " has no such tag"
		case d.Change == nil:
			return "too few samples to compare"
		case !a.holds(*d.Change):
			return fmt.Sprintf("%s, from %s to %s", d.change(), a.show(*d.A), a.show(*d.B))
		}
		return ""
	})
}

// each asks about the tags of a log that the assertion is about.
func (a Assertion) each(log *Log, ask func(*Tag) string) (unmet []string) {
	if a.tagged && log.Tag(a.tag) == nil {
		return []string{fmt.Sprintf("%s: %s has no such tag", a.text, log.Name)}
	}
	for _, tag := range log.Tags {
		if a.tagged && tag.Name != a.tag {
			continue
		}
		if why := ask(tag); why != "" {
			unmet = append(unmet, fmt.Sprintf("%s: tag %s: %s", a.text, tagName(tag.Name), why))
		}
	}
	return unmet
}

// show writes a value of the asserted figure.
func (a Assertion) show(v int64) string {
	if a.figure == "count" {
		return group(v)
	}
	return Format(v)
}

// UnmetError is a run whose results are there and are not what was asserted.
type UnmetError struct{ Unmet []string }

func (e *UnmetError) Error() string { return "not met: " + strings.Join(e.Unmet, "; ") }

// ExitCode is that of an unmet expectation.
func (e *UnmetError) ExitCode() int { return 3 }
