package stress

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math/big"
	"os"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/sim/scenario"
)

// A book is who holds what before anything happens: instruments, accounts with their money and positions, and crowds of which one
// line stands for thousands of accounts.

// Book is one that has been read. Its crowds are drawn when a seed is known.
type Book struct {
	Source
	Settlement  string
	Seed        uint64
	fund        fixed.Money
	posts       bool // isolated positions get all that their account has, else their initial margin
	venue       []msg.Setting
	instruments []*instrument
	accounts    []*account
	crowds      []*crowd
	file        *file
}

// Source says which text something was read from.
type Source struct {
	Name   string `json:"name"`
	Title  string `json:"title"`
	SHA256 string `json:"sha256"` // of the text
}

// instrument is one that the book is in.
type instrument struct {
	id         msg.InstrumentID
	name       string
	underlying *underlying
	tick, lot  *big.Rat
	tickLot    fixed.Money
	unitLots   fixed.Lots
	price      fixed.Ticks // at which the book is opened
	mark       msg.MarkMode
	tiers      []msg.Tier
	fees       msg.Fees
	rules      []msg.Setting
	offset     int
}

// underlying is what an index is the price of.
type underlying struct {
	id    msg.UnderlyingID
	name  string
	price fixed.Money // of a unit when the book is opened
}

// account is one of the book.
type account struct {
	id        msg.AccountID
	name      string
	owner     string // its own name where nobody else has a part in it
	deposit   fixed.Money
	positions []*position
	offset    int
}

// position is what an account holds when the book is opened.
type position struct {
	in       *instrument
	qty      fixed.Lots
	leverage msg.Leverage // chosen; 0: none
	margin   fixed.Money  // of its own, where it is isolated; 0: its initial margin
	offset   int
}

// sized bounds what a book may hold.
const (
	accountsMax    = 1_000_000
	instrumentsMax = 64
	depositMax     = 1_000_000_000 * fixed.Coin
)

// LoadBook reads a book by the name of one that is built in, or from a file. The error is a scenario.Faults.
func LoadBook(nameOrFile string) (*Book, error) {
	text, file, err := fetch("books", nameOrFile, "a book file or a name that stress list shows")
	if err != nil {
		return nil, err
	}
	return ParseBook(file, text)
}

// fetch is the text of a built-in file, or of a file.
func fetch(kind, nameOrFile, expected string) (text []byte, file string, err error) {
	if text, ok := builtin(kind, nameOrFile); ok {
		return text, nameOrFile, nil
	}
	text, err = os.ReadFile(nameOrFile)
	if err != nil {
		return nil, nameOrFile, unreadable(nameOrFile, expected+scenario.Meant(nameOrFile, names(kind)), err)
	}
	return text, nameOrFile, nil
}

// ParseBook reads the text of a book. The error is a scenario.Faults with all that is wrong with it.
func ParseBook(file string, text []byte) (*Book, error) {
	t, err := parse(file, text)
	if err != nil {
		return nil, err
	}
	b := &Book{Source: Source{SHA256: fmt.Sprintf("%x", sha256.Sum256(text))}, file: t.file}
	b.Name, _ = t.text("name", `"desk"`, true)
	b.Title, _ = t.text("title", `"two desks, one hedged"`, false)
	b.Seed = uint64(t.whole("seed", false, 0, fixed.MaxInt64, 1))
	if b.Settlement, _ = t.text("settlement", `"USDC"`, false); b.Settlement == "" {
		b.Settlement = "USDC"
	}
	b.posts = t.choice("isolated-margin", "initial", "all") == "all"
	if v := t.one("venue"); v != nil {
		b.fund, _ = v.amount("fund", false)
		b.venue = v.settings(nil)
		v.close()
	}
	for _, in := range t.many("instrument") {
		b.readInstrument(in)
	}
	for _, a := range t.many("account") {
		b.readAccount(a)
	}
	for _, c := range t.many("crowd") {
		b.readCrowd(c)
	}
	t.close()
	if len(t.file.faults) == 0 {
		b.whole(t)
	}
	return b, t.file.err()
}

// whole notes what is missing in a text in which nothing is wrong.
func (b *Book) whole(t *table) {
	count := len(b.accounts)
	for _, c := range b.crowds {
		count += c.count
	}
	switch {
	case len(b.instruments) == 0:
		t.missing("instrument", "at least one [[instrument]]")
	case len(b.instruments) > instrumentsMax:
		t.file.fault(b.instruments[instrumentsMax].offset, "there are %d instruments, expected at most %d", len(b.instruments), instrumentsMax)
	case count == 0:
		t.missing("account", "at least one [[account]] or [[crowd]]")
	case count > accountsMax:
		t.file.fault(0, "the book has %d accounts, expected at most %d", count, accountsMax)
	}
}

// settings reads parameters by the names that the margin rules give them; with lot nil the venue's.
func (t *table) settings(lot *big.Rat) (set []msg.Setting) {
	t.known = append(t.known, scenario.Parameters(lot == nil)...)
	for i := range t.entries {
		e := &t.entries[i]
		if e.taken {
			continue
		}
		s, err := scenario.ParseParameter(e.key, e.value.text, lot)
		switch k := e.value.kind; {
		case errors.Is(err, scenario.ErrNoParameter):
			continue // close tells of it
		case k != unstable.String && k != unstable.Integer && k != unstable.Bool:
			t.fault(e.key, e.value, "is %s, expected a string", e.value.describe())
		case err != nil:
			t.fault(e.key, e.value, "%v", err)
		}
		e.taken = true
		set = append(set, s)
	}
	return set
}

// readInstrument reads [[instrument]].
func (b *Book) readInstrument(t *table) {
	in := &instrument{id: msg.InstrumentID(len(b.instruments) + 1), offset: t.offset}
	in.name, _ = t.name("name", `"BTC-USD-PERP"`)
	if in.name != "" && b.instrument(in.name) != nil {
		t.file.fault(t.offset, "%sthe name %q is taken, expected one of its own", t.prefix(), in.name)
	}
	in.tick, _ = t.step("tick", true)
	in.lot, _ = t.step("lot", true)
	in.tiers = t.tiers()
	in.fees.Maker, _ = t.rate("maker", false)
	in.fees.Taker, _ = t.rate("taker", false)
	in.mark = msg.MarkIndex
	if t.choice("mark", "index", "composite") == "composite" {
		in.mark = msg.MarkComposite
	}
	base, _, _ := strings.Cut(in.name, "-")
	if named, v := t.text("underlying", `"BTC"`, false); v != nil {
		base = named
	}
	price, v := t.text("price", `"50000"`, true)
	if in.tick != nil && in.lot != nil {
		in.rules = t.settings(in.lot)
		b.steps(t, in, price, v)
	}
	in.underlying = b.underlying(base)
	b.instruments = append(b.instruments, in)
	if in.tick == nil || in.lot == nil || in.name == "" {
		return // what is a parameter is not known
	}
	t.close()
	b.index(t, in)
}

// steps works out what a tick of a lot is worth, and the price in ticks.
func (b *Book) steps(t *table, in *instrument, price string, at *value) {
	worth := new(big.Rat).Mul(in.tick, in.lot)
	n, err := scenario.ParseMultiple(worth.FloatString(12), big.NewRat(1, int64(fixed.Coin)))
	if worth.Mul(worth, big.NewRat(int64(fixed.Coin), 1)); err != nil || !worth.IsInt() || n <= 0 {
		t.file.fault(t.offset, "%sa tick of a lot is not a whole multiple of 0.000001, the smallest unit of money", t.prefix())
		return
	}
	in.tickLot = fixed.Money(n)
	unit := new(big.Rat).Inv(in.lot)
	if !unit.IsInt() || !unit.Num().IsInt64() {
		t.file.fault(t.offset, "%slot is no whole part of a unit, expected one, as in 0.001 or 1", t.prefix())
		return
	}
	in.unitLots = fixed.Lots(unit.Num().Int64())
	if at == nil {
		return
	}
	ticks, err := scenario.ParseMultiple(price, in.tick)
	if err == nil && (ticks <= 0 || ticks > int64(1)<<40) {
		err = fmt.Errorf("is %q, expected a price above 0", price)
	}
	if err != nil {
		t.fault("price", at, "%v", err)
		return
	}
	in.price = fixed.Ticks(ticks)
}

// index compares the opening price of an instrument with that of the others on its underlying.
func (b *Book) index(t *table, in *instrument) {
	unit, ok := fixed.Notional(in.unitLots, in.price, in.tickLot)
	u := in.underlying
	switch {
	case in.price == 0:
	case !ok || unit > 1<<50:
		t.file.fault(t.offset, "%sa unit is worth more than the engine can count", t.prefix())
	case u.price == 0:
		u.price = unit
	case u.price != unit:
		t.file.fault(t.offset, "%sopens at %s a unit, expected %s like the others on %s", t.prefix(), unit, u.price, u.name)
	}
}

// underlying is that of a name, a new one where there is none.
func (b *Book) underlying(name string) *underlying {
	for _, in := range b.instruments {
		if in.underlying.name == name {
			return in.underlying
		}
	}
	most := msg.UnderlyingID(0)
	for _, in := range b.instruments {
		most = max(most, in.underlying.id)
	}
	return &underlying{id: most + 1, name: name}
}

// instrument is that of a name, nil without one.
func (b *Book) instrument(name string) *instrument {
	for _, in := range b.instruments {
		if in.name == name {
			return in
		}
	}
	return nil
}

// name reads a name: what can stand in a line of a report.
func (t *table) name(key, what string) (string, *value) {
	text, v := t.text(key, what, true)
	if v == nil {
		return "", nil
	}
	if len(text) > 24 || text == "" || strings.Trim(strings.ToLower(text), "abcdefghijklmnopqrstuvwxyz0123456789-_.") != "" {
		t.fault(key, v, "is %q, expected up to 24 letters, digits, -, _ and .", text)
		return "", nil
	}
	return text, v
}

// tiers reads margin brackets as scenarios write them.
func (t *table) tiers() (tiers []msg.Tier) {
	const form = "UPTO/INITIAL/MAINTENANCE,... with inf as the last UPTO, as in 1000000/5%/2.5%,inf/10%/5%"
	text, v := t.text("tiers", `"inf/10%/5%"`, false)
	if v == nil {
		return []msg.Tier{{Initial: 10 * fixed.Percent, Maintenance: 5 * fixed.Percent}}
	}
	rows := strings.Split(text, ",")
	for i, row := range rows {
		parts := strings.Split(row, "/")
		if last := i == len(rows)-1; len(parts) != 3 || last != (parts[0] == "inf") || i > 15 {
			t.fault("tiers", v, "has the row %q, expected %s", row, form)
			return nil
		}
		tier := msg.Tier{Index: uint8(i)}
		var faults [3]error
		if parts[0] != "inf" {
			if tier.UpTo, faults[0] = scenario.ParseMoney(parts[0]); faults[0] == nil && tier.UpTo <= 0 {
				faults[0] = fmt.Errorf("is %q, expected a notional above 0", parts[0])
			}
		}
		tier.Initial, faults[1] = scenario.ParseRate(parts[1])
		tier.Maintenance, faults[2] = scenario.ParseRate(parts[2])
		if err := errors.Join(faults[:]...); err != nil {
			t.fault("tiers", v, "has the row %q, of which a part %v", row, err)
			return nil
		}
		tiers = append(tiers, tier)
	}
	return tiers
}

// readAccount reads [[account]].
func (b *Book) readAccount(t *table) {
	a := &account{id: msg.AccountID(len(b.accounts) + 1), offset: t.offset}
	a.name, _ = t.name("name", `"alpha"`)
	if slices.ContainsFunc(b.accounts, func(o *account) bool { return o.name == a.name && a.name != "" }) {
		t.file.fault(t.offset, "%sthe name %q is taken, expected one of its own", t.prefix(), a.name)
	}
	if a.owner, _ = t.text("owner", `"fund"`, false); a.owner == "" {
		a.owner = a.name
	}
	a.deposit = t.deposit()
	for _, p := range t.many("position") {
		if held := b.readPosition(p); held != nil {
			if slices.ContainsFunc(a.positions, func(o *position) bool { return o.in == held.in }) {
				p.file.fault(p.offset, "%s%s is held twice, expected one position an instrument", p.prefix(), held.in.name)
			}
			a.positions = append(a.positions, held)
		}
	}
	t.close()
	b.accounts = append(b.accounts, a)
}

// deposit reads what an account has.
func (t *table) deposit() fixed.Money {
	m, _ := read(t, "deposit", `"10000"`, true, func(text string) (fixed.Money, error) {
		m, err := scenario.ParseMoney(text)
		if err == nil && (m <= 0 || m > depositMax) {
			err = fmt.Errorf("is %q, expected an amount above 0 and up to a billion", text)
		}
		return m, err
	})
	return m
}

// readPosition reads one of an account's positions; nil where it cannot be held.
func (b *Book) readPosition(t *table) *position {
	p := &position{offset: t.offset}
	p.in = b.known(t, "instrument")
	qty, v := t.text("qty", `"-2.5"`, true)
	p.leverage, _ = read(t, "leverage", `"10"`, false, parseLeverage)
	p.margin, _ = t.amount("margin", false)
	t.close()
	if p.in == nil || v == nil || p.in.lot == nil {
		return nil
	}
	n, err := scenario.ParseMultiple(qty, p.in.lot)
	if err == nil && (n == 0 || fixed.Abs(n) > 1<<40) {
		err = fmt.Errorf("is %q, expected a quantity, below 0 for a short", qty)
	}
	if err != nil {
		t.fault("qty", v, "%v", err)
		return nil
	}
	p.qty = fixed.Lots(n)
	return p
}

// known reads the name of an instrument of the book.
func (b *Book) known(t *table, key string) *instrument {
	name, v := t.text(key, `"BTC-USD-PERP"`, true)
	if v == nil {
		return nil
	}
	return b.named(t, key, name, v)
}

func (b *Book) named(t *table, key, name string, v *value) *instrument {
	in := b.instrument(name)
	if in == nil {
		var there []string
		for _, in := range b.instruments {
			there = append(there, in.name)
		}
		t.fault(key, v, "is %q, expected an instrument of the book%s", name, scenario.Meant(name, there))
	}
	return in
}

// parseLeverage reads a leverage in steps of 0.01.
func parseLeverage(text string) (msg.Leverage, error) {
	n, err := scenario.ParseMultiple(text, big.NewRat(1, 100))
	if err == nil && (n < 100 || n > 1<<16-1) {
		err = fmt.Errorf("is %q, expected a leverage from 1 to 655", text)
	}
	return msg.Leverage(n), err
}
