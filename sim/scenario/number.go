package scenario

import (
	"math/big"
	"strings"

	"github.com/lockstep-exchange/lockstep/fixed"
)

// Exact numbers: a decimal of the text is a ratio of integers from the first to the last, and becomes ticks, lots, Money or a
// rate exactly or not at all.

// longestNumber bounds the digits of a number; the widest unit needs 19, and as many behind the point.
const longestNumber = 40

var (
	rateUnit  = big.NewRat(1, int64(fixed.One))
	moneyUnit = big.NewRat(1, int64(fixed.Coin))
	one       = big.NewRat(1, 1)
)

// suffix is a unit behind a number and what it stands for.
type suffix struct {
	text  string
	value *big.Rat
}

var (
	rateSuffixes = []suffix{{"%", big.NewRat(1, 100)}, {"bp", big.NewRat(1, 10_000)}}
	durations    = []suffix{
		{"ms", big.NewRat(int64(fixed.Millisecond), 1)}, {"s", big.NewRat(int64(fixed.Second), 1)},
		{"m", big.NewRat(int64(fixed.Minute), 1)}, {"h", big.NewRat(int64(fixed.Hour), 1)},
		{"d", big.NewRat(int64(fixed.Day), 1)},
	}
)

// decimal reads digits with an optional sign and an optional point between digits.
func decimal(text string) (*big.Rat, bool) {
	digits := strings.TrimLeft(text, "+-")
	whole, rest, point := strings.Cut(digits, ".")
	if len(text)-len(digits) > 1 || len(digits) > longestNumber || whole == "" || point && rest == "" ||
		strings.Trim(whole+rest, "0123456789") != "" {
		return nil, false
	}
	return new(big.Rat).SetString(text)
}

// suffixed reads a decimal with one of the suffixes, or without where bare says so.
func suffixed(text string, units []suffix, bare bool) (*big.Rat, bool) {
	for _, u := range units {
		if digits, found := strings.CutSuffix(text, u.text); found {
			if r, ok := decimal(digits); ok {
				return r.Mul(r, u.value), true
			}
		}
	}
	if r, ok := decimal(text); ok && (bare || r.Sign() == 0) {
		return r, true
	}
	return nil, false
}

// count is how many units make r; ok is false when that is no whole number of 64 bits.
func count(r, unit *big.Rat) (n int64, ok bool) {
	q := new(big.Rat).Quo(r, unit)
	if !q.IsInt() || !q.Num().IsInt64() {
		return 0, false
	}
	return q.Num().Int64(), true
}

// units is n times a unit.
func units(n int64, unit *big.Rat) *big.Rat {
	return new(big.Rat).Mul(new(big.Rat).SetInt64(n), unit)
}

// exact writes r with the fewest digits that are exact. A ratio that no decimal is equal to, as an average of three, is cut
// after nine digits and says so.
func exact(r *big.Rat) string {
	const cut = 9
	if r.IsInt() {
		return r.Num().String()
	}
	denominator, digits := new(big.Int).Set(r.Denom()), 0
	for _, prime := range []int64{2, 5} {
		p, rest, n := big.NewInt(prime), new(big.Int), 0
		for {
			quotient, _ := new(big.Int).QuoRem(denominator, p, rest)
			if rest.Sign() != 0 {
				break
			}
			denominator, n = quotient, n+1
		}
		digits = max(digits, n)
	}
	if denominator.IsInt64() && denominator.Int64() == 1 {
		return r.FloatString(digits)
	}
	scaled := new(big.Int).Mul(r.Num(), new(big.Int).Exp(big.NewInt(10), big.NewInt(cut), nil))
	cutOff := new(big.Rat).SetFrac(scaled.Quo(scaled, r.Denom()), new(big.Int).Exp(big.NewInt(10), big.NewInt(cut), nil))
	return cutOff.FloatString(cut) + "..."
}

// span writes a time as the language does, as in 8h or 90500ms.
func span(t fixed.Nanos) string {
	for _, u := range []struct {
		text string
		unit fixed.Nanos
	}{{"d", fixed.Day}, {"h", fixed.Hour}, {"m", fixed.Minute}, {"s", fixed.Second}} {
		if t != 0 && t%u.unit == 0 {
			return exact(units(int64(t/u.unit), one)) + u.text
		}
	}
	if t == 0 {
		return "0s"
	}
	return exact(new(big.Rat).SetFrac64(int64(t), int64(fixed.Millisecond))) + "ms"
}

// quantity is what a field holds: a number or a word.
type quantity struct {
	number *big.Rat // nil: a word
	word   string
	rate   bool // the number is written in percent
}

func word(w string) quantity                        { return quantity{word: w} }
func number(r *big.Rat) quantity                    { return quantity{number: r} }
func money(m fixed.Money) quantity                  { return number(units(int64(m), moneyUnit)) }
func rate(r fixed.Rate) quantity                    { return quantity{number: units(int64(r), rateUnit), rate: true} }
func whole[T ~int | ~uint32 | ~int64](n T) quantity { return number(units(int64(n), one)) }

// truth is true or false.
func truth(b bool) quantity {
	if b {
		return word("true")
	}
	return word("false")
}

// none is what is not there.
var none = word("none")

// String is the quantity as the language writes it.
func (q quantity) String() string {
	switch {
	case q.number == nil:
		return q.word
	case q.rate && q.number.Sign() != 0:
		return exact(new(big.Rat).Mul(q.number, big.NewRat(100, 1))) + "%"
	}
	return exact(q.number)
}

// meets reports whether the quantity is as wanted: numbers within tol, and what is a word on either side by its letters.
func (q quantity) meets(want quantity, tol *big.Rat) bool {
	if q.number == nil || want.number == nil {
		return q.String() == want.String()
	}
	gap := new(big.Rat).Sub(q.number, want.number)
	if gap.Abs(gap); tol == nil {
		return gap.Sign() == 0
	}
	return gap.Cmp(tol) <= 0
}
