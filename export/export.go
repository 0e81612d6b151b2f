// Package export turns what an exchange told into tables for people who count: orders, fills, margin and ledger, as CSV and as Parquet.
//
//	journal ── Apply ── command, events, engine ──> Export.Fold ──> rows ──┬──> orders.csv, orders.parquet
//	                                                                       ├──> fills ...
//	                                                                       └──> manifest.json: rows and SHA-256 of every file
//
// Every row carries the number of the command that it comes from. Integers are what counts: ticks, lots, and money in millionths of the
// settlement currency. Prices and quantities in units of the underlying stand beside them for people, and are left out where they do
// not fit 18 digits. Equal journals and ranges give equal files, byte by byte.
//
// docs/EXPORTS.md has every column.
package export

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Names are the tables that there are.
var Names = []string{"orders", "fills", "margin", "ledger"}

// Formats are the forms in which they are written.
var Formats = []string{"csv", "parquet"}

// Version is that of the columns.
const Version = 1

// Options say what is exported.
type Options struct {
	Tables   []string // of Names
	Formats  []string // of Formats
	From, To msg.Seq  // commands whose rows are wanted; To 0: up to the last
	Dir      string   // where the files go; it has to be there
}

// UsageError is an option out of range.
type UsageError struct{ what string }

func (e *UsageError) Error() string { return e.what }

// ExitCode is that of wrong usage.
func (e *UsageError) ExitCode() int { return 2 }

// Check says what does not fit.
func (o *Options) Check() error {
	for _, list := range []struct {
		what         string
		given, known []string
	}{{"table", o.Tables, Names}, {"format", o.Formats, Formats}} {
		if len(list.given) == 0 {
			return &UsageError{fmt.Sprintf("no %s to export, expected one of %v", list.what, list.known)}
		}
		for i, name := range list.given {
			if !slices.Contains(list.known, name) || slices.Contains(list.given[:i], name) {
				return &UsageError{fmt.Sprintf("%s %q to export, expected each of %v once at most", list.what, name, list.known)}
			}
		}
	}
	if o.To != 0 && o.To < o.From {
		return &UsageError{fmt.Sprintf("commands %d to %d to export, expected them in order", o.From, o.To)}
	}
	return nil
}

// Manifest says what an export is, and is written beside its files.
type Manifest struct {
	Journal string `json:"journal"` // the head of the chain up to which it was replayed
	From    uint64 `json:"from"`
	To      uint64 `json:"to"`
	Version int    `json:"version"` // of the columns
	Files   []File `json:"files"`
}

// File is one of them.
type File struct {
	Name   string `json:"name"`
	Rows   int64  `json:"rows"`
	SHA256 string `json:"sha256"`
}

// Export is an export under way.
type Export struct {
	options Options
	orders  *table[OrderRow]
	fills   *table[FillRow]
	margins *table[MarginRow]
	ledger  *table[LedgerRow]

	placed     map[msg.OrderID]terms       // of orders that were accepted
	symbols    map[msg.InstrumentID]string // of what was listed
	parameters msg.Seq                     // the last command that changed any
	last       msg.Seq
}

// terms are what an order was placed with.
type terms struct {
	kind  msg.Kind
	tif   msg.TIF
	flags msg.Flags
}

// New begins an export: it makes its files, in the place of any that are there.
func New(o Options) (*Export, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	e := &Export{options: o, placed: map[msg.OrderID]terms{}, symbols: map[msg.InstrumentID]string{}}
	err := errors.Join(
		create(&e.orders, &o, "orders"), create(&e.fills, &o, "fills"),
		create(&e.margins, &o, "margin"), create(&e.ledger, &o, "ledger"))
	if err != nil {
		return nil, errors.Join(err, e.close())
	}
	return e, nil
}

// Fold takes in a command that eng has just applied, and what it told. Commands come in order, from the first one of the journal on.
func (e *Export) Fold(c *msg.Command, events []msg.Event, eng *engine.Engine) error {
	e.last = c.Seq
	wanted := c.Seq >= e.options.From && (e.options.To == 0 || c.Seq <= e.options.To)
	var touched []touch
	for i := range events {
		ev := &events[i]
		e.note(c, ev)
		if !wanted {
			continue
		}
		in, _ := eng.Instrument(ev.Instr)
		if err := errors.Join(e.order(c, ev, &in), e.fill(ev, &in), e.entry(ev)); err != nil {
			return err
		}
		if moves(ev.Kind) && !slices.ContainsFunc(touched, func(t touch) bool { return t.account == ev.Account }) {
			touched = append(touched, touch{ev.Account, ev.Kind})
		}
	}
	for _, t := range touched {
		if err := e.margin(c, t, eng); err != nil {
			return err
		}
	}
	return nil
}

// note remembers what later rows need.
func (e *Export) note(c *msg.Command, ev *msg.Event) {
	if ev.Instr != 0 && e.symbols[ev.Instr] == "" {
		e.symbols[ev.Instr] = strconv.Itoa(int(ev.Instr)) // it was listed before the first segment that is left
	}
	switch ev.Kind {
	case msg.Accepted, msg.QuotePlaced:
		e.placed[ev.Order] = terms{c.Kind, c.TIF, c.Flags}
	case msg.InstrumentListed:
		listed := msg.Request{Rare: ev.Rare}
		symbol := listed.Listing().Symbol
		e.symbols[ev.Instr] = string(bytes.TrimRight(symbol[:], "\x00"))
		e.parameters = c.Seq
	case msg.TierSet, msg.FeesSet, msg.RuleSet, msg.ConcentrationSet, msg.FeeTierSet:
		e.parameters = c.Seq
	}
}

// Close writes what is left, and the manifest. head is that of the journal's chain where the replay ended.
func (e *Export) Close(head string) (*Manifest, error) {
	m := &Manifest{Journal: head, From: uint64(max(e.options.From, 1)), To: uint64(e.last), Version: Version}
	if e.options.To != 0 {
		m.To = min(m.To, uint64(e.options.To))
	}
	if err := e.close(); err != nil {
		return nil, err
	}
	for _, rows := range []struct {
		name  string
		count int64
	}{{"orders", e.orders.count()}, {"fills", e.fills.count()}, {"margin", e.margins.count()}, {"ledger", e.ledger.count()}} {
		for _, format := range e.options.Formats {
			if !slices.Contains(e.options.Tables, rows.name) {
				continue
			}
			name := rows.name + "." + format
			b, err := os.ReadFile(filepath.Join(e.options.Dir, name))
			if err != nil {
				return nil, err
			}
			m.Files = append(m.Files, File{name, rows.count, fmt.Sprintf("%x", sha256.Sum256(b))})
		}
	}
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, err
	}
	return m, os.WriteFile(filepath.Join(e.options.Dir, "manifest.json"), append(b, '\n'), 0o644)
}

func (e *Export) close() error {
	return errors.Join(e.orders.close(), e.fills.close(), e.margins.close(), e.ledger.close())
}

// priceOf is a price in the settlement currency for one unit of the underlying, in millionths; nil where it does not fit.
func priceOf(in *market.Instrument, p fixed.Ticks) *int64 {
	v, ok := fixed.Mul(int64(p), int64(in.TickLot))
	if ok {
		v, ok = fixed.Mul(v, max(int64(in.UnitLots), 1))
	}
	if !ok || in.Type == 0 || p == 0 || max(v, -v) >= digits18 {
		return nil
	}
	return &v
}

// qtyOf is a quantity in units of the underlying, in billionths, cut towards zero; nil where it does not fit.
func qtyOf(in *market.Instrument, q fixed.Lots) *int64 {
	v, ok := fixed.Mul(int64(q), billion)
	if !ok || in.Type == 0 {
		return nil
	}
	v /= max(int64(in.UnitLots), 1)
	if max(v, -v) >= digits18 {
		return nil
	}
	return &v
}

const (
	billion  = 1_000_000_000
	digits18 = billion * billion
)
