package scenario

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// The pairs of a statement. A verb asks for every key that it knows, each by a method that reads its value and says what was
// expected instead; what is left when it has asked is unknown to it. Values of faulty pairs are zero: a text with a fault
// is never run.

// pair is KEY=VALUE, or a bare word.
type pair struct {
	key, value string
	column, at int // of the key and of the value, from 1 on
	bare       bool
	taken      bool
}

// args are the pairs of one statement.
type args struct {
	*reader
	line, column int    // of the verb
	verb         string // of an expect: with the thing, as in expect position
	pairs        []pair
	known        []string       // the keys asked for so far
	missing      map[string]int // required keys that are not there, and the places of their faults
	faulty       bool
}

// token is a word of a line and where it begins.
type token struct {
	text   string
	column int
}

// tokens cuts a line at blanks and ends it at a comment. A column counts characters, not bytes.
func tokens(line string) (words []token) {
	column, begin, began := 0, -1, 0
	end := func(at int) {
		if begin >= 0 {
			words = append(words, token{line[begin:at], began})
		}
		begin = -1
	}
	for i, c := range line {
		column++
		switch {
		case c == '#':
			end(i)
			return words
		case c == ' ' || c == '\t' || c == '\r':
			end(i)
		case begin < 0:
			begin, began = i, column
		}
	}
	end(len(line))
	return words
}

// split makes a pair of a word.
func (w token) split() pair {
	key, value, assigned := strings.Cut(w.text, "=")
	return pair{key: key, value: value, column: w.column, at: w.column + len([]rune(key)) + 1, bare: !assigned}
}

// fault notes what is wrong at a column.
func (a *args) fault(column int, format string, with ...any) {
	a.faulty = true
	a.faults = append(a.faults, Fault{File: a.file, Line: a.line, Column: column, Text: fmt.Sprintf(format, with...)})
}

// lacks notes that this build does not have what the language has.
func (a *args) lacks(what string) {
	a.faulty = true
	if slices.ContainsFunc(a.faults, func(f Fault) bool { return f.Line == a.line && f.Lacking == what }) {
		return
	}
	a.faults = append(a.faults, Fault{File: a.file, Line: a.line, Column: a.column, Lacking: what})
}

// find is the pair of a key, or nil. A key that comes without a value, or twice, is a fault.
func (a *args) find(key string) *pair {
	a.known = append(a.known, key)
	var found *pair
	for i := range a.pairs {
		p := &a.pairs[i]
		switch {
		case p.key != key || p.taken:
			continue
		case found != nil:
			a.fault(p.column, "%s is stated twice, expected it once", key)
		case p.bare:
			a.fault(p.column, "%s has no value, expected %s=VALUE", key, key)
		case p.value == "":
			a.fault(p.at, "%s has no value, expected %s=VALUE without a blank after the =", key, key)
		default:
			found = p
		}
		p.taken = true
	}
	if found != nil && pending[a.verb+" "+key] {
		a.lacks(key)
	}
	return found
}

// need is find where the key must be there; what says what its value is.
func (a *args) need(key, what string) *pair {
	before := len(a.faults)
	p := a.find(key)
	if p == nil && len(a.faults) == before {
		a.missing[key] = before
		a.fault(a.column, "%s needs %s=%s", a.verb, key, what)
	}
	return p
}

// misspelled looks among what nobody asked for after a key that is missing: then it is the spelling that is at fault.
func (a *args) misspelled() {
	for _, key := range slices.Sorted(maps.Keys(a.missing)) {
		at := a.missing[key]
		for i := range a.pairs {
			p := &a.pairs[i]
			if hint := meant(p.key, []string{key}); !p.taken && hint != "" {
				p.taken = true
				a.faults[at].Column, a.faults[at].Text = p.column, fmt.Sprintf("%s does not know the key %s%s", a.verb, quote(p.key), hint)
				break
			}
		}
	}
}

// get is need or find.
func (a *args) get(key, what string, required bool) *pair {
	if required {
		return a.need(key, what)
	}
	return a.find(key)
}

// flag reports whether a bare word is there.
func (a *args) flag(key string) (set bool) {
	a.known = append(a.known, key)
	for i := range a.pairs {
		p := &a.pairs[i]
		if p.key != key || p.taken {
			continue
		}
		p.taken = true
		if !p.bare {
			a.fault(p.column, "%s takes no value, expected the word %s alone", key, key)
		}
		if set {
			a.fault(p.column, "%s is stated twice, expected it once", key)
		}
		set = true
		if pending[a.verb+" "+key] {
			a.lacks(key)
		}
	}
	return set
}

// later notes keys and flags that the language has and this build does not.
func (a *args) later(keys ...string) {
	for _, key := range keys {
		a.known = append(a.known, key)
		for i := range a.pairs {
			if p := &a.pairs[i]; p.key == key && !p.taken {
				p.taken = true
				a.lacks(key)
			}
		}
	}
}

// end notes what nobody asked for.
func (a *args) end() {
	for i := range a.pairs {
		p := &a.pairs[i]
		if p.taken {
			continue
		}
		if p.bare {
			a.fault(p.column, "%s does not know the word %s%s", a.verb, quote(p.key), meant(p.key, a.known))
			continue
		}
		a.fault(p.column, "%s does not know the key %s%s", a.verb, quote(p.key), meant(p.key, a.known))
	}
}

// number reads a decimal.
func (a *args) number(key, what string, required bool) *big.Rat {
	p := a.get(key, what, required)
	if p == nil {
		return nil
	}
	r, ok := decimal(p.value)
	if !ok {
		a.fault(p.at, "%s is %s, expected a decimal number, as in 50000 or 0.25", key, quote(p.value))
	}
	return r
}

// money reads an amount of the settlement currency.
func (a *args) money(key string, required bool) (m fixed.Money) {
	p := a.get(key, "AMOUNT", required)
	if p != nil {
		m = a.amount(p, p.value)
	}
	return m
}

// amount is text as Money.
func (a *args) amount(p *pair, text string) fixed.Money {
	r, ok := decimal(text)
	if !ok {
		a.fault(p.at, "%s is %s, expected an amount, as in 1000 or 0.5", p.key, quote(text))
		return 0
	}
	n, ok := count(r, moneyUnit)
	if !ok {
		a.fault(p.at, "%s is %s, expected a whole multiple of 0.000001, the smallest unit of money, up to 9223372036854.775807", p.key, quote(text))
	}
	return fixed.Money(n)
}

// positive is money above zero.
func (a *args) positive(key string, required bool) fixed.Money {
	before := len(a.faults)
	m := a.money(key, required)
	if p := a.given(key); p != nil && m <= 0 && len(a.faults) == before {
		a.fault(p.at, "%s is %s, expected an amount above 0", key, quote(p.value))
	}
	return m
}

// balance is money that is not below zero; nothing stated is none.
func (a *args) balance(key string) fixed.Money {
	before := len(a.faults)
	m := a.money(key, false)
	if p := a.given(key); p != nil && m < 0 && len(a.faults) == before {
		a.fault(p.at, "%s is %s, expected an amount from 0 on", key, quote(p.value))
	}
	return m
}

// given is the pair of a key that was asked for already.
func (a *args) given(key string) *pair {
	for i := range a.pairs {
		if p := &a.pairs[i]; p.key == key && !p.bare && p.value != "" {
			return p
		}
	}
	return nil
}

// rate reads a rate.
func (a *args) rate(key string, required bool) (r fixed.Rate) {
	p := a.get(key, "RATE", required)
	if p != nil {
		r = a.fraction(p, p.value)
	}
	return r
}

// fraction is text as a Rate.
func (a *args) fraction(p *pair, text string) fixed.Rate {
	r, ok := suffixed(text, rateSuffixes, true)
	if !ok {
		a.fault(p.at, "%s is %s, expected a rate, as in 5%%, 2.5bp or 0.05", p.key, quote(text))
		return 0
	}
	n, ok := count(r, rateUnit)
	if !ok {
		a.fault(p.at, "%s is %s, expected a whole multiple of 0.0000001%%, the smallest rate", p.key, quote(text))
	}
	return fixed.Rate(n)
}

// duration reads a span of time, not below zero.
func (a *args) duration(key string, required bool) (t fixed.Nanos) {
	p := a.get(key, "DURATION", required)
	if p != nil {
		t = a.time(p.at, key, p.value)
	}
	return t
}

// time is text as a span of time.
func (a *args) time(column int, key, text string) fixed.Nanos {
	r, ok := suffixed(text, durations, false)
	if !ok || r.Sign() < 0 {
		a.fault(column, "%s is %s, expected a duration, as in 250ms, 10s, 5m, 8h or 30d", key, quote(text))
		return 0
	}
	n, ok := count(r, one)
	if !ok || fixed.Nanos(n) > maxTime {
		a.fault(column, "%s is %s, expected a whole number of nanoseconds and no more than 50000d", key, quote(text))
		return 0
	}
	return fixed.Nanos(n)
}

// price reads a price of an instrument, above zero.
func (a *args) price(key string, in *instrument, required bool) (t fixed.Ticks) {
	p := a.get(key, "PRICE", required)
	if p != nil && in != nil {
		t = a.ticks(p, p.value, in)
	}
	return t
}

// ticks is text as a price of an instrument.
func (a *args) ticks(p *pair, text string, in *instrument) fixed.Ticks {
	r, ok := decimal(text)
	if !ok {
		a.fault(p.at, "%s is %s, expected a price, as in 50000 or 0.25", p.key, quote(text))
		return 0
	}
	n, ok := count(r, in.tick)
	switch {
	case !ok:
		a.fault(p.at, "%s is %s, which is off the tick of %s, expected a multiple of %s", p.key, quote(text), in.name, exact(in.tick))
	case n <= 0 || n > largest:
		a.fault(p.at, "%s is %s, expected a price from %s to %s", p.key, quote(text), exact(in.tick), exact(units(largest, in.tick)))
	}
	return fixed.Ticks(n)
}

// largest bounds prices in ticks and quantities in lots, as the gate does.
const largest = 1 << 55

// qty reads a quantity of an instrument, above zero.
func (a *args) qty(key string, in *instrument, required bool) (n fixed.Lots) {
	p := a.get(key, "QUANTITY", required)
	if p != nil && in != nil {
		n = a.lots(p, p.value, in)
	}
	return n
}

// lots is text as a quantity of an instrument.
func (a *args) lots(p *pair, text string, in *instrument) fixed.Lots {
	r, ok := decimal(text)
	if !ok {
		a.fault(p.at, "%s is %s, expected a quantity, as in 2 or 0.25", p.key, quote(text))
		return 0
	}
	n, ok := count(r, in.lot)
	switch {
	case !ok:
		a.fault(p.at, "%s is %s, which is off the lot of %s, expected a multiple of %s", p.key, quote(text), in.name, exact(in.lot))
	case n <= 0 || n > largest:
		a.fault(p.at, "%s is %s, expected a quantity from %s to %s", p.key, quote(text), exact(in.lot), exact(units(largest, in.lot)))
	}
	return fixed.Lots(n)
}

// choice reads one of some words; without it the first of them, unless it is required. Words that this build does not have
// follow a "|".
func (a *args) choice(key string, required bool, words ...string) string {
	p := a.get(key, strings.Join(slices.DeleteFunc(slices.Clone(words), func(w string) bool { return w == "|" }), "|"), required)
	if p == nil {
		return words[0]
	}
	bar := slices.Index(words, "|")
	built, later := words, []string(nil)
	if bar >= 0 {
		built, later = words[:bar], words[bar+1:]
	}
	switch {
	case pending[a.verb+" "+key+"="+p.value]:
		a.lacks(key + "=" + p.value)
	case slices.Contains(built, p.value):
	case slices.Contains(later, p.value):
		a.lacks(key + "=" + p.value)
	default:
		all := append(slices.Clone(built), later...)
		a.fault(p.at, "%s is %s, expected %s%s", key, quote(p.value), either(all), meant(p.value, all))
	}
	return p.value
}

// side reads buy or sell.
func (a *args) side(key string, required bool) msg.Side {
	if a.choice(key, required, "buy", "sell") == "sell" {
		return msg.Sell
	}
	if !required && a.given(key) == nil {
		return 0
	}
	return msg.Buy
}

// name reads a name that is being given.
func (a *args) name(key string) string {
	p := a.need(key, "NAME")
	if p == nil {
		return ""
	}
	a.named(p)
	return p.value
}

// named notes a value that is no name.
func (a *args) named(p *pair) {
	if !isName(p.value) {
		a.fault(p.at, "%s is %s, expected a name of letters, digits, -, _ and .", p.key, quote(p.value))
	}
}

func isName(text string) bool {
	for i := range len(text) {
		switch c := text[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	return text != "" && len(text) <= 64
}

// account reads the name of an account that stands above.
func (a *args) account(key string, required bool) *account {
	return known(a, a.get(key, "ACCOUNT", required), "account", a.script.accounts)
}

// accountID is the number of an account that must be named.
func (a *args) accountID(key string) msg.AccountID {
	if who := a.account(key, true); who != nil {
		return who.id
	}
	return 0
}

// instrument reads the name of an instrument that stands above.
func (a *args) instrument(key string, required bool) *instrument {
	return known(a, a.get(key, "INSTRUMENT", required), "instrument", a.script.instruments)
}

// underlying reads the name of an underlying that stands above.
func (a *args) underlying(key string) *underlying {
	return known(a, a.need(key, "UNDERLYING"), "underlying", a.script.underlyings)
}

// label reads the label of an order that stands above.
func (a *args) label(key string) string {
	p := a.need(key, "LABEL")
	if p == nil {
		return ""
	}
	if !slices.Contains(a.labels, p.value) {
		a.fault(p.at, "there is no order %s above this line%s", quote(p.value), meant(p.value, a.labels))
	}
	return p.value
}

// namedThing is what a statement can name.
type namedThing interface{ called() string }

// known is the thing of a name, or nil and a fault.
func known[T namedThing](a *args, p *pair, what string, things []T) (thing T) {
	if p == nil {
		return thing
	}
	names := make([]string, len(things))
	for i, t := range things {
		if names[i] = t.called(); names[i] == p.value {
			return t
		}
	}
	a.fault(p.at, "there is no %s %s above this line%s", what, quote(p.value), meant(p.value, names))
	return thing
}

// quote shows a value in a fault, cut where it is long.
func quote(text string) string {
	if r := []rune(text); len(r) > 40 {
		return fmt.Sprintf("%q...", string(r[:40]))
	}
	return fmt.Sprintf("%q", text)
}

// either joins words for a sentence.
func either(words []string) string {
	if len(words) == 1 {
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

// meant guesses which of the words somebody meant who wrote another.
func meant(wrote string, words []string) string {
	best, least := "", 1+len(wrote)/3
	for _, w := range words {
		if d := distance(wrote, w); d <= least && d < len(w) && (best == "" || d < least) {
			best, least = w, d
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + best + "?"
}

// distance is how many letters must be put in, taken out, changed or swapped with their neighbor to make one word of another.
func distance(a, b string) int {
	const longest = 64
	if len(a) > longest || len(b) > longest {
		return longest
	}
	rows := [3][]int{make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)}
	for j := range rows[1] {
		rows[1][j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last, row := rows[0], rows[1], rows[2]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := 1
			if lower(a[i-1]) == lower(b[j-1]) {
				change = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		rows = [3][]int{last, row, before}
	}
	return rows[1][len(b)]
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
