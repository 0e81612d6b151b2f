package stress

import (
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/sim/scenario"
)

// How a report writes numbers: amounts with their thousands parted, rates in percent, times as the shock has them. What is rounded
// here is exact in JSON and CSV.

// group parts the thousands of a whole number.
func group(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if digits[0] == '-' {
		sign, digits = "-", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}

// money is an amount to a whole unit of the currency, half away from zero; small ones keep their cents.
func money(m fixed.Money) string {
	unit, places := fixed.Coin, 0
	if fixed.Abs(m) < 1000*fixed.Coin && m%fixed.Coin != 0 {
		unit, places = fixed.Coin/100, 2
	}
	half := unit / 2
	if m < 0 {
		half = -half
	}
	n := int64((m + half) / unit)
	if places == 0 {
		return group(n)
	}
	return new(big.Rat).SetFrac64(n, 100).FloatString(places)
}

// signed is an amount with its sign.
func signed(m fixed.Money) string {
	if text := money(m); m <= 0 {
		return text
	} else {
		return "+" + text
	}
}

// percent is a rate in percent, with so many places.
func percent(r fixed.Rate, places int) string {
	return new(big.Rat).SetFrac64(int64(r), int64(fixed.One/100)).FloatString(places) + " %"
}

// move is how far a price is from another, with its sign.
func move(from, to fixed.Ticks) string {
	if from == 0 {
		return "0 %"
	}
	r, _ := fixed.MulDivHalfEven(int64(to-from), int64(fixed.One), int64(from))
	text := percent(fixed.Rate(r), 1)
	if r > 0 {
		text = "+" + text
	}
	return text
}

// lots is a quantity of an instrument in units of its underlying.
func (in *instrument) lots(n fixed.Lots) string { return scenario.FormatMultiple(int64(n), in.lot) }

// at is a price of an instrument.
func (in *instrument) at(p fixed.Ticks) string { return scenario.FormatMultiple(int64(p), in.tick) }

// label is a time of the run: of the calendar where the shock is recorded, else since its start.
func (r *run) label(t fixed.Nanos) string { return label(t, r.start, r.shock.dated()) }

func label(t, start fixed.Nanos, dated bool) string {
	if dated {
		return time.Unix(0, int64(t)).UTC().Format("2006-01-02 15:04:05")
	}
	s := int64((t - start) / fixed.Second)
	text := two(s/3600) + ":" + two(s/60%60) + ":" + two(s%60)
	return text
}

func two(n int64) string {
	if n < 10 {
		return "0" + strconv.FormatInt(n, 10)
	}
	return strconv.FormatInt(n, 10)
}

// accountName is what an account is called.
func (r *run) accountName(id msg.AccountID) string {
	switch {
	case id == msg.FundAccount:
		return "@fund"
	case id == r.counterparty:
		return "@counterparty"
	case id == r.maker:
		return "@maker"
	case id == 0:
		return "@venue"
	}
	return r.accounts[id-1].name
}

// plural is a count of things.
func plural(n int, thing string) string {
	if n == 1 {
		return "one " + thing
	}
	return group(int64(n)) + " " + thing + "s"
}

// sentence begins with a capital and ends with a full stop.
func sentence(text string) string {
	if text == "" {
		return text
	}
	return strings.ToUpper(text[:1]) + text[1:] + "."
}
