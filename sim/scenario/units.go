package scenario

import (
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Numbers and parameters for other texts of the house that write them as scenarios do: exact, or not at all. An error says
// what the text is and what was expected; who reads the text knows where it stands.

// ParseRate reads a rate, as in 5%, 2.5bp or 0.05.
func ParseRate(text string) (fixed.Rate, error) {
	r, ok := suffixed(text, rateSuffixes, true)
	if !ok {
		return 0, fmt.Errorf("is %s, expected a rate, as in 5%%, 2.5bp or 0.05", quote(text))
	}
	n, ok := count(r, rateUnit)
	if !ok {
		return 0, fmt.Errorf("is %s, expected a whole multiple of 0.0000001%%, the smallest rate", quote(text))
	}
	return fixed.Rate(n), nil
}

// ParseMoney reads an amount of the settlement currency.
func ParseMoney(text string) (fixed.Money, error) {
	r, ok := decimal(text)
	if !ok {
		return 0, fmt.Errorf("is %s, expected an amount, as in 1000 or 0.5", quote(text))
	}
	n, ok := count(r, moneyUnit)
	if !ok {
		return 0, fmt.Errorf("is %s, expected a whole multiple of 0.000001, the smallest unit of money, up to 9223372036854.775807", quote(text))
	}
	return fixed.Money(n), nil
}

// ParseSpan reads a span of time from 0 on, as in 250ms, 10s, 5m, 8h or 30d.
func ParseSpan(text string) (fixed.Nanos, error) {
	r, ok := suffixed(text, durations, false)
	n, whole := int64(0), false
	if ok {
		n, whole = count(r, one)
	}
	if !whole || n < 0 || fixed.Nanos(n) > maxTime {
		return 0, fmt.Errorf("is %s, expected a span of time, as in 250ms, 10s, 5m, 8h or 30d", quote(text))
	}
	return fixed.Nanos(n), nil
}

// ParseStep reads a step, a decimal above 0: the tick or the lot of an instrument.
func ParseStep(text string) (*big.Rat, error) {
	r, ok := decimal(text)
	if !ok || r.Sign() <= 0 {
		return nil, fmt.Errorf("is %s, expected a decimal number above 0, as in 0.1", quote(text))
	}
	return r, nil
}

// ParseMultiple reads how many steps make a number.
func ParseMultiple(text string, step *big.Rat) (int64, error) {
	r, ok := decimal(text)
	if !ok {
		return 0, fmt.Errorf("is %s, expected a decimal number, as in 50000 or 0.25", quote(text))
	}
	n, ok := count(r, step)
	if !ok {
		return 0, fmt.Errorf("is %s, expected a whole multiple of %s", quote(text), exact(step))
	}
	return n, nil
}

// FormatMultiple writes n steps with the fewest digits that are exact.
func FormatMultiple(n int64, step *big.Rat) string { return exact(units(n, step)) }

// FormatSpan writes a span of time as ParseSpan reads it.
func FormatSpan(t fixed.Nanos) string { return span(t) }

// ErrNoParameter is the error of a name that is no parameter.
var ErrNoParameter = errors.New("is no parameter")

// ParseParameter reads the value of a parameter by the name that the margin rules give it: with lot nil one of the venue, else one of an
// instrument with such lots. The error is ErrNoParameter where there is none of that name.
func ParseParameter(name, text string, lot *big.Rat) (msg.Setting, error) {
	parameters := venueParameters
	if lot != nil {
		parameters = instrumentParameters
	}
	i := slices.IndexFunc(parameters, func(p parameter) bool { return p.name == name })
	if i < 0 {
		return msg.Setting{}, ErrNoParameter
	}
	q := &parameters[i]
	set := msg.Setting{Rule: rules[name], Value: q.highest}
	if q.none && text == "none" {
		return set, nil
	}
	var err error
	set.Value, err = q.parse(text, lot)
	return set, err
}

// parse reads a value in the unit of the parameter's rule.
func (q *parameter) parse(text string, lot *big.Rat) (int64, error) {
	switch q.unit {
	case anAmount:
		m, err := ParseMoney(text)
		return int64(m), err
	case aTime:
		t, err := ParseSpan(text)
		return int64(t), err
	case aQuantity:
		return ParseMultiple(text, lot)
	case aCount:
		if n, err := ParseMultiple(text, one); err == nil && n >= 0 {
			return n, nil
		}
		return 0, fmt.Errorf("is %s, expected a whole number from 0 on", quote(text))
	case aTruth:
		if text != "true" && text != "false" {
			return 0, fmt.Errorf("is %s, expected true or false", quote(text))
		}
		if text == "true" {
			return 1, nil
		}
		return 0, nil
	}
	r, err := ParseRate(text)
	return int64(r), err
}

// Parameters are the names that ParseParameter knows, of the venue or of an instrument.
func Parameters(venue bool) (names []string) {
	parameters := instrumentParameters
	if venue {
		parameters = venueParameters
	}
	for i := range parameters {
		names = append(names, parameters[i].name)
	}
	return names
}

// Meant guesses which of the words somebody meant who wrote another, as the end of a sentence; empty where none is near.
func Meant(wrote string, words []string) string { return meant(wrote, words) }
