package stress

import (
	"crypto/sha256"
	"fmt"
	"math/big"
	"os"
	"slices"
	"strings"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/sim/scenario"
	"github.com/lockstep-exchange/lockstep/sim/strict"
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
	file        *strict.File
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
		return nil, nameOrFile, strict.Unreadable(nameOrFile, expected+scenario.Meant(nameOrFile, names(kind)), err)
	}
	return text, nameOrFile, nil
}

// ParseBook reads the text of a book. The error is a scenario.Faults with all that is wrong with it.
func ParseBook(file string, text []byte) (*Book, error) {
	t, err := strict.Parse(file, text)
	if err != nil {
		return nil, err
	}
	b := &Book{Source: Source{SHA256: fmt.Sprintf("%x", sha256.Sum256(text))}, file: t.File}
	b.Name, _ = t.Text("name", `"desk"`, true)
	b.Title, _ = t.Text("title", `"two desks, one hedged"`, false)
	b.Seed = uint64(t.Whole("seed", false, 0, fixed.MaxInt64, 1))
	if b.Settlement, _ = t.Text("settlement", `"USDC"`, false); b.Settlement == "" {
		b.Settlement = "USDC"
	}
	b.posts = t.Choice("isolated-margin", "initial", "all") == "all"
	if v := t.One("venue"); v != nil {
		b.fund, _ = v.Amount("fund", false)
		b.venue = v.Settings(nil)
		v.Close()
	}
	for _, in := range t.Many("instrument") {
		b.readInstrument(in)
	}
	for _, a := range t.Many("account") {
		b.readAccount(a)
	}
	for _, c := range t.Many("crowd") {
		b.readCrowd(c)
	}
	t.Close()
	if t.File.Sound() {
		b.whole(t)
	}
	return b, t.File.Err()
}

// whole notes what is missing in a text in which nothing is wrong.
func (b *Book) whole(t *strict.Table) {
	count := len(b.accounts)
	for _, c := range b.crowds {
		count += c.count
	}
	switch {
	case len(b.instruments) == 0:
		t.Missing("instrument", "at least one [[instrument]]")
	case len(b.instruments) > instrumentsMax:
		t.File.Fault(b.instruments[instrumentsMax].offset, "there are %d instruments, expected at most %d", len(b.instruments), instrumentsMax)
	case count == 0:
		t.Missing("account", "at least one [[account]] or [[crowd]]")
	case count > accountsMax:
		t.File.Fault(0, "the book has %d accounts, expected at most %d", count, accountsMax)
	}
}

// readInstrument reads [[instrument]].
func (b *Book) readInstrument(t *strict.Table) {
	in := &instrument{id: msg.InstrumentID(len(b.instruments) + 1), offset: t.Offset}
	in.name, _ = t.Name("name", `"BTC-USD-PERP"`)
	if in.name != "" && b.instrument(in.name) != nil {
		t.File.Fault(t.Offset, "%sthe name %q is taken, expected one of its own", t.Prefix(), in.name)
	}
	in.tick, _ = t.Step("tick", true)
	in.lot, _ = t.Step("lot", true)
	in.tiers = t.Tiers()
	in.fees.Maker, _ = t.Rate("maker", false)
	in.fees.Taker, _ = t.Rate("taker", false)
	in.mark = msg.MarkIndex
	if t.Choice("mark", "index", "composite") == "composite" {
		in.mark = msg.MarkComposite
	}
	base, _, _ := strings.Cut(in.name, "-")
	if named, v := t.Text("underlying", `"BTC"`, false); v != nil {
		base = named
	}
	price, v := t.Text("price", `"50000"`, true)
	if in.tick != nil && in.lot != nil {
		in.rules = t.Settings(in.lot)
		b.steps(t, in, price, v)
	}
	in.underlying = b.underlying(base)
	b.instruments = append(b.instruments, in)
	if in.tick == nil || in.lot == nil || in.name == "" {
		return // what is a parameter is not known
	}
	t.Close()
	b.index(t, in)
}

// steps works out what a tick of a lot is worth, and the price in ticks.
func (b *Book) steps(t *strict.Table, in *instrument, price string, at *strict.Value) {
	worth := new(big.Rat).Mul(in.tick, in.lot)
	n, err := scenario.ParseMultiple(worth.FloatString(12), big.NewRat(1, int64(fixed.Coin)))
	if worth.Mul(worth, big.NewRat(int64(fixed.Coin), 1)); err != nil || !worth.IsInt() || n <= 0 {
		t.File.Fault(t.Offset, "%sa tick of a lot is not a whole multiple of 0.000001, the smallest unit of money", t.Prefix())
		return
	}
	in.tickLot = fixed.Money(n)
	unit := new(big.Rat).Inv(in.lot)
	if !unit.IsInt() || !unit.Num().IsInt64() {
		t.File.Fault(t.Offset, "%slot is no whole part of a unit, expected one, as in 0.001 or 1", t.Prefix())
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
		t.Fault("price", at, "%v", err)
		return
	}
	in.price = fixed.Ticks(ticks)
}

// index compares the opening price of an instrument with that of the others on its underlying.
func (b *Book) index(t *strict.Table, in *instrument) {
	unit, ok := fixed.Notional(in.unitLots, in.price, in.tickLot)
	u := in.underlying
	switch {
	case in.price == 0:
	case !ok || unit > 1<<50:
		t.File.Fault(t.Offset, "%sa unit is worth more than the engine can count", t.Prefix())
	case u.price == 0:
		u.price = unit
	case u.price != unit:
		t.File.Fault(t.Offset, "%sopens at %s a unit, expected %s like the others on %s", t.Prefix(), unit, u.price, u.name)
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

// readAccount reads [[account]].
func (b *Book) readAccount(t *strict.Table) {
	a := &account{id: msg.AccountID(len(b.accounts) + 1), offset: t.Offset}
	a.name, _ = t.Name("name", `"alpha"`)
	if slices.ContainsFunc(b.accounts, func(o *account) bool { return o.name == a.name && a.name != "" }) {
		t.File.Fault(t.Offset, "%sthe name %q is taken, expected one of its own", t.Prefix(), a.name)
	}
	if a.owner, _ = t.Text("owner", `"fund"`, false); a.owner == "" {
		a.owner = a.name
	}
	a.deposit = deposit(t)
	for _, p := range t.Many("position") {
		if held := b.readPosition(p); held != nil {
			if slices.ContainsFunc(a.positions, func(o *position) bool { return o.in == held.in }) {
				p.File.Fault(p.Offset, "%s%s is held twice, expected one position an instrument", p.Prefix(), held.in.name)
			}
			a.positions = append(a.positions, held)
		}
	}
	t.Close()
	b.accounts = append(b.accounts, a)
}

// deposit reads what an account has.
func deposit(t *strict.Table) fixed.Money {
	m, _ := strict.Read(t, "deposit", `"10000"`, true, func(text string) (fixed.Money, error) {
		m, err := scenario.ParseMoney(text)
		if err == nil && (m <= 0 || m > depositMax) {
			err = fmt.Errorf("is %q, expected an amount above 0 and up to a billion", text)
		}
		return m, err
	})
	return m
}

// readPosition reads one of an account's positions; nil where it cannot be held.
func (b *Book) readPosition(t *strict.Table) *position {
	p := &position{offset: t.Offset}
	p.in = b.known(t, "instrument")
	qty, v := t.Text("qty", `"-2.5"`, true)
	p.leverage, _ = strict.Read(t, "leverage", `"10"`, false, parseLeverage)
	p.margin, _ = t.Amount("margin", false)
	t.Close()
	if p.in == nil || v == nil || p.in.lot == nil {
		return nil
	}
	n, err := scenario.ParseMultiple(qty, p.in.lot)
	if err == nil && (n == 0 || fixed.Abs(n) > 1<<40) {
		err = fmt.Errorf("is %q, expected a quantity, below 0 for a short", qty)
	}
	if err != nil {
		t.Fault("qty", v, "%v", err)
		return nil
	}
	p.qty = fixed.Lots(n)
	return p
}

// known reads the name of an instrument of the book.
func (b *Book) known(t *strict.Table, key string) *instrument {
	name, v := t.Text(key, `"BTC-USD-PERP"`, true)
	if v == nil {
		return nil
	}
	return b.named(t, key, name, v)
}

func (b *Book) named(t *strict.Table, key, name string, v *strict.Value) *instrument {
	in := b.instrument(name)
	if in == nil {
		var there []string
		for _, in := range b.instruments {
			there = append(there, in.name)
		}
		t.Fault(key, v, "is %q, expected an instrument of the book%s", name, scenario.Meant(name, there))
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
