package replay

import (
	"bytes"
	"fmt"
	"strconv"

	"github.com/lockstep-exchange/lockstep/fixed"
)

// Numbers in recordings are decimal text. They become integers exactly or not at all: no float stands between.

// bound is the largest price and quantity that is read, in ticks and lots; the engine's own bounds are narrower.
const bound = 1 << 55

// quote shows a field in an error, cut where it is long.
func quote(field []byte) string {
	if len(field) > 40 {
		return strconv.Quote(string(field[:40])) + "..."
	}
	return strconv.Quote(string(field))
}

// split cuts a line at its commas into dst, which has room for exactly the columns that are expected.
func split(line []byte, dst [][]byte, want string) error {
	n := bytes.Count(line, []byte{','}) + 1
	if n != len(dst) {
		return flaw{fmt.Sprintf("%d columns", n), fmt.Sprintf("%d: %s", len(dst), want)}
	}
	for i := range len(dst) - 1 {
		comma := bytes.IndexByte(line, ',')
		dst[i], line = line[:comma], line[comma+1:]
	}
	dst[len(dst)-1] = line
	return nil
}

// integer reads digits with an optional minus; it must lie in lo..hi.
func integer(field []byte, name string, lo, hi int64) (int64, error) {
	digits, neg := bytes.CutPrefix(field, []byte{'-'})
	v, ok := magnitude(digits)
	if neg {
		v = -v
	}
	if !ok || v < lo || v > hi {
		return 0, flaw{name + " is " + quote(field), fmt.Sprintf("an integer from %d to %d", lo, hi)}
	}
	return v, nil
}

// magnitude reads digits alone.
func magnitude(digits []byte) (v int64, ok bool) {
	if len(digits) == 0 || len(digits) > 19 {
		return 0, false
	}
	u := uint64(0)
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
		u = u*10 + uint64(c-'0')
	}
	return int64(u), u <= fixed.MaxInt64
}

// decimal reads a number as a whole count of steps, where step is in units of 10^-places: with places 2 and step 25,
// "10.50" is 42. It must lie in lo..hi steps, and nothing may be left over.
func decimal(field []byte, name string, places int, step, lo, hi int64) (int64, error) {
	bad := func() (int64, error) { return 0, flaw{name + " is " + quote(field), "a decimal number"} }
	digits, neg := bytes.CutPrefix(field, []byte{'-'})
	whole, rest, point := bytes.Cut(digits, []byte{'.'})
	if point && len(rest) == 0 {
		return bad()
	}
	v, ok := magnitude(whole)
	if !ok {
		return bad()
	}
	for i := range max(places, len(rest)) {
		digit := byte('0')
		if i < len(rest) {
			digit = rest[i]
		}
		switch {
		case digit < '0' || digit > '9':
			return bad()
		case i >= places && digit != '0':
			return 0, offStep(field, name, places, step)
		case i >= places:
			continue
		}
		if v > (fixed.MaxInt64-9)/10 {
			return bad()
		}
		v = v*10 + int64(digit-'0')
	}
	if v%step != 0 {
		return 0, offStep(field, name, places, step)
	}
	if v /= step; neg {
		v = -v
	}
	if v < lo || v > hi {
		return 0, flaw{name + " is " + quote(field), fmt.Sprintf("from %s to %s", steps(lo, places, step), steps(hi, places, step))}
	}
	return v, nil
}

func offStep(field []byte, name string, places int, step int64) error {
	return flaw{name + " " + string(field) + " is off its step", "a multiple of " + steps(1, places, step)}
}

// steps prints a count of steps as the number it stands for.
func steps(count int64, places int, step int64) string {
	wide := fixed.MulWide(count, step)
	v, ok := wide.Int64()
	if !ok {
		return fmt.Sprintf("%d steps", count)
	}
	sign := ""
	if v < 0 {
		sign, v = "-", -v
	}
	text := fmt.Sprintf("%s%0*d", sign, places+1, v)
	if places == 0 {
		return text
	}
	text = text[:len(text)-places] + "." + text[len(text)-places:]
	return string(bytes.TrimRight(bytes.TrimRight([]byte(text), "0"), "."))
}

// Step is the smallest difference between two prices or quantities, in units of 10^-Places: {25, 2} is 0.25.
type Step struct {
	Units  int64
	Places int
}

// ParseStep reads a step such as 0.01 or 0.25: above zero, at most 9 places.
func ParseStep(text string) (Step, error) {
	units, err := decimal([]byte(text), "step", 9, 1, 1, bound)
	if err != nil {
		return Step{}, fmt.Errorf("step %q, expected a number above 0 with at most 9 places, as 0.01", text)
	}
	places := 9
	for places > 0 && units%10 == 0 {
		units, places = units/10, places-1
	}
	return Step{units, places}, nil
}

// String is the step as a number.
func (s Step) String() string { return steps(1, s.Places, s.Units) }

// count reads a number as a count of steps.
func (s Step) count(field []byte, name string, lo, hi int64) (int64, error) {
	return decimal(field, name, s.Places, s.Units, lo, hi)
}
